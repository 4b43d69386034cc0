/// Free-form JSON, such as a bot's context. Objects keep their order; numbers keep their digits, so
/// that nothing is lost on the way and no `Double` enters any state.
public indirect enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  /// A number that is not an Int64, as it was written.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// - Errors: `JSONError`, with the byte offset.
  public init(
    parsing bytes: [UInt8], limits: JSONReader.Limits = JSONReader.Limits()
  ) throws(JSONError) {
    self = try JSONReader.read(bytes, limits: limits) { reader throws(JSONError) in
      try reader.value()
    }
  }

  public var encoded: [UInt8] {
    var writer = JSONWriter()
    writer.value(self)
    return writer.bytes
  }

  public subscript(_ name: String) -> JSONValue? {
    if case .object(let object) = self { object[name] } else { nil }
  }
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var int: Int64? { if case .int(let number) = self { number } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  public var double: Double? {
    switch self {
    case .int(let number): Double(number)
    case .number(let text): Double(text)
    case .null, .bool, .string, .array, .object: nil
    }
  }
}

public struct JSONObject: Sendable, Equatable {
  // A struct, not a tuple: a recursive enum with tuples in an array does not compile in release.
  public struct Member: Sendable, Equatable {
    public var name: String
    public var value: JSONValue
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }
  public var members: [Member]
  public init(_ members: [Member] = []) { self.members = members }
  public subscript(_ name: String) -> JSONValue? { members.first { $0.name == name }?.value }
}

extension JSONWriter {
  public mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let value): bool(value)
    case .int(let number): int(number)
    case .number(let text): raw(text.utf8)
    case .string(let text): string(text)
    case .array(let values): array { for value in values { $0.value(value) } }
    case .object(let object):
      self.object {
        for member in object.members {
          $0.key(text: member.name)
          $0.value(member.value)
        }
      }
    }
  }
}
