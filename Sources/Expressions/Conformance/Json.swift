/// A small JSON reader for conformance files: bounded depth, numbers kept as text.
indirect enum Json {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([Json])
  case object([(String, Json)])

  static func parse(_ text: some StringProtocol) -> Json? {
    var reader = JsonReader(Array(text.utf8))
    guard let value = reader.value(depth: 0) else { return nil }
    reader.skipSpace()
    return reader.at == reader.bytes.count ? value : nil
  }

  subscript(_ key: String) -> Json? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.0 == key }?.1
  }
  var text: String? {
    switch self {
    case .string(let text), .number(let text): text
    default: nil
    }
  }
  var elements: [Json]? {
    if case .array(let elements) = self { elements } else { nil }
  }
  var members: [(String, Json)]? {
    if case .object(let members) = self { members } else { nil }
  }
  var isTrue: Bool {
    if case .bool(true) = self { true } else { false }
  }
}

private struct JsonReader {
  let bytes: [UInt8]
  var at = 0
  static let depthMax = 200

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func skipSpace() {
    while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  mutating func word(_ text: String) -> Bool {
    guard bytes[at...].starts(with: text.utf8) else { return false }
    at += text.utf8.count
    return true
  }

  mutating func value(depth: Int) -> Json? {
    skipSpace()
    guard at < bytes.count, depth < Self.depthMax else { return nil }
    switch bytes[at] {
    case UInt8(ascii: "{"): return object(depth)
    case UInt8(ascii: "["):
      at += 1
      var elements: [Json] = []
      if take(UInt8(ascii: "]")) { return .array(elements) }
      repeat {
        guard let element = value(depth: depth + 1) else { return nil }
        elements.append(element)
      } while take(UInt8(ascii: ","))
      return take(UInt8(ascii: "]")) ? .array(elements) : nil
    case 0x22: return string().map(Json.string)
    case UInt8(ascii: "t"): return word("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return word("false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return word("null") ? .null : nil
    default:
      let start = at
      while at < bytes.count, "+-.eE0123456789".utf8.contains(bytes[at]) { at += 1 }
      return at > start ? .number(String(decoding: bytes[start..<at], as: UTF8.self)) : nil
    }
  }

  private mutating func object(_ depth: Int) -> Json? {
    at += 1
    var members: [(String, Json)] = []
    if take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipSpace()
      guard let key = string(), take(UInt8(ascii: ":")), let value = value(depth: depth + 1) else {
        return nil
      }
      members.append((key, value))
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "}")) ? .object(members) : nil
  }

  private mutating func string() -> String? {
    guard at < bytes.count, bytes[at] == 0x22 else { return nil }
    at += 1
    var out: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == 0x22 { return String(decoding: out, as: UTF8.self) }
      guard byte == 0x5C else {
        out.append(byte)
        continue
      }
      guard at < bytes.count else { return nil }
      let escaped = bytes[at]
      at += 1
      switch escaped {
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case 0x22, 0x5C, 0x2F: out.append(escaped)
      case UInt8(ascii: "u"):
        guard let scalar = escapedScalar() else { return nil }
        out += Array(String(Character(scalar)).utf8)
      default: return nil
      }
    }
    return nil
  }

  private mutating func unit() -> UInt32? {
    guard at + 4 <= bytes.count else { return nil }
    defer { at += 4 }
    return UInt32(String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16)
  }

  private mutating func escapedScalar() -> UnicodeScalar? {
    guard let high = unit() else { return nil }
    guard (0xD800...0xDBFF).contains(high) else { return UnicodeScalar(high) ?? "\u{FFFD}" }
    guard at + 1 < bytes.count, bytes[at] == 0x5C, bytes[at + 1] == UInt8(ascii: "u") else {
      return "\u{FFFD}"
    }
    at += 2
    guard let low = unit(), (0xDC00...0xDFFF).contains(low) else { return "\u{FFFD}" }
    return UnicodeScalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
  }
}
