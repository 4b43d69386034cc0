import Model
import Wire

/// Members of an entry's JSON object, each with its leading comma.
public struct Members: Sendable {
  public private(set) var bytes: [UInt8] = []
  public init() {}

  public mutating func text(_ name: StaticString, _ value: String) {
    begin(name)
    JSONText.append(value, to: &bytes)
  }

  public mutating func number(_ name: StaticString, _ value: Int64) {
    begin(name)
    bytes.append(contentsOf: String(value).utf8)
  }

  public mutating func texts(_ name: StaticString, _ values: [String]) {
    begin(name)
    bytes.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      JSONText.append(value, to: &bytes)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// A value that is JSON already.
  public mutating func raw(_ name: StaticString, _ json: [UInt8]) {
    begin(name)
    bytes.append(contentsOf: json)
  }

  mutating func add(_ more: Members) { bytes += more.bytes }

  private mutating func begin(_ name: StaticString) {
    bytes.append(contentsOf: ",\"".utf8)
    bytes.append(
      contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    bytes.append(contentsOf: "\":".utf8)
  }

  mutating func owner(_ view: OwnerView, epoch: UInt32) {
    begin("owner")
    bytes.append(contentsOf: "{\"kind\":\"\(view.kindName)\",\"name\":".utf8)
    JSONText.append(view.name, to: &bytes)
    bytes.append(contentsOf: ",\"epoch\":\(epoch)}".utf8)
  }
}
