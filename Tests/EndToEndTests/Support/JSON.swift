import Foundation

/// JSON to send: written as Swift literals, encoded in the order given.
enum Body: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByStringInterpolation
{
  case text(String)
  case number(Int)
  case flag(Bool)
  case list([Body])
  case object([(String, Body)])

  init(stringLiteral value: String) { self = .text(value) }
  init(integerLiteral value: Int) { self = .number(value) }
  init(booleanLiteral value: Bool) { self = .flag(value) }
  init(arrayLiteral elements: Body...) { self = .list(elements) }
  init(dictionaryLiteral elements: (String, Body)...) { self = .object(elements) }

  var encoded: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .number(let number): String(number)
    case .flag(let flag): String(flag)
    case .list(let list): "[" + list.map(\.encoded).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.0) + ":" + $0.1.encoded }.joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\u{0}"..<" ":
        out +=
          "\\u" + String(repeating: "0", count: scalar.value < 16 ? 3 : 2)
          + String(scalar.value, radix: 16)
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

/// JSON that was received, with the exact bytes of every value in it: what is hashed is what came
/// over the wire,
/// not what some encoder would make of it again. Absent members are values without bytes.
struct JSON: Sendable, CustomStringConvertible {
  let bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = Self.trimmed(bytes) }
  init(_ bytes: [UInt8]) { self.init(bytes[...]) }
  init(_ text: String) { self.init(Array(text.utf8)) }

  var description: String { String(decoding: bytes, as: UTF8.self) }
  var isAbsent: Bool { bytes.isEmpty }
  var isNull: Bool { description == "null" }
  var int: Int? { Int(description) }
  var string: String? {
    guard bytes.first == UInt8(ascii: "\"") else { return nil }
    return (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed))
      as? String
  }
  /// The text, or something that no comparison expects.
  var text: String { string ?? "<\(isAbsent ? "absent" : description)>" }

  subscript(name: String) -> JSON { members.first { $0.name == name }?.value ?? JSON([]) }
  subscript(index: Int) -> JSON {
    let all = elements
    return all.indices.contains(index) ? all[index] : JSON([])
  }

  var elements: [JSON] {
    guard bytes.first == UInt8(ascii: "[") else { return [] }
    return parts().map { JSON($0) }
  }

  var members: [(name: String, value: JSON)] {
    guard bytes.first == UInt8(ascii: "{") else { return [] }
    return parts().compactMap { part in
      let part = Self.trimmed(part)
      var at = part.startIndex
      Self.skip(part, &at)
      guard let name = JSON(part[part.startIndex..<at]).string,
        let colon = part[at...].firstIndex(of: UInt8(ascii: ":"))
      else { return nil }
      return (name, JSON(part[(colon + 1)...]))
    }
  }

  /// What stands between the commas of the outermost brackets.
  private func parts() -> [ArraySlice<UInt8>] {
    let inside = bytes.dropFirst().dropLast()
    var parts: [ArraySlice<UInt8>] = []
    var start = inside.startIndex
    var at = start
    while at < inside.endIndex {
      if inside[at] == UInt8(ascii: ",") {
        parts.append(inside[start..<at])
        at += 1
        start = at
      } else {
        Self.skip(inside, &at)
      }
    }
    if !Self.trimmed(inside[start...]).isEmpty { parts.append(inside[start...]) }
    return parts
  }

  /// Over one string, one bracketed value, or one byte of anything else.
  private static func skip(_ bytes: ArraySlice<UInt8>, _ at: inout Int) {
    var depth = 0
    repeat {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        while at < bytes.endIndex, bytes[at] != UInt8(ascii: "\"") {
          at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      at = min(at + 1, bytes.endIndex)
    } while depth > 0 && at < bytes.endIndex
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var view = bytes.drop { $0 <= 0x20 }
    while let last = view.last, last <= 0x20 { view.removeLast() }
    return view
  }
}
