/// Strings as JSON text (RFC 8259 §7): the one place where they are escaped.
public enum JSONText {
  /// Appends the string with its quotes; only what must be escaped is. Stretches between are copied
  /// whole.
  public static func append(_ text: String, to out: inout [UInt8]) {
    out.append(0x22)
    var text = text
    text.withUTF8 { utf8 in
      let bytes = UnsafeRawBufferPointer(utf8)
      var start = 0
      while true {
        let at = special(bytes, from: start)
        out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
        guard at < bytes.count else { break }
        appendEscaped(bytes[at], to: &out)
        start = at + 1
      }
    }
    out.append(0x22)
  }

  private static func appendEscaped(_ byte: UInt8, to out: inout [UInt8]) {
    out.append(0x5C)
    switch byte {
    case 0x22, 0x5C: out.append(byte)
    case 0x08: out.append(UInt8(ascii: "b"))
    case 0x09: out.append(UInt8(ascii: "t"))
    case 0x0A: out.append(UInt8(ascii: "n"))
    case 0x0C: out.append(UInt8(ascii: "f"))
    case 0x0D: out.append(UInt8(ascii: "r"))
    default: out.append(contentsOf: "u00\(Hex.encode(CollectionOfOne(byte)))".utf8)
    }
  }

  /// The string that a JSON text is; nil where it is anything else, or no proper text.
  public static func string(_ json: [UInt8]) -> String? {
    guard json.count >= 2, json.first == 0x22, json.last == 0x22 else { return nil }
    var out: [UInt8] = []
    var at = 1
    while at < json.count - 1 {
      let byte = json[at]
      at += 1
      guard byte != 0x22, byte >= 0x20 else { return nil }
      guard byte == 0x5C else {
        out.append(byte)
        continue
      }
      guard at < json.count - 1 else { return nil }
      let mark = json[at]
      at += 1
      switch mark {
      case 0x22, 0x5C, 0x2F: out.append(mark)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "u"):
        guard let scalar = scalar(json, &at) else { return nil }
        out.append(contentsOf: String(Character(scalar)).utf8)
      default: return nil
      }
    }
    return String(validating: out, as: UTF8.self)
  }

  /// What follows `\u`: four digits, or two times four for what UTF-16 needs two units for.
  private static func scalar(_ json: [UInt8], _ at: inout Int) -> Unicode.Scalar? {
    guard let first = unit(json, &at) else { return nil }
    guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(UInt32(first)) }
    guard at + 1 < json.count, json[at] == 0x5C, json[at + 1] == UInt8(ascii: "u") else {
      return nil
    }
    at += 2
    guard let second = unit(json, &at), (0xDC00..<0xE000).contains(second) else { return nil }
    return Unicode.Scalar(0x10000 + ((UInt32(first) & 0x3FF) << 10) + (UInt32(second) & 0x3FF))
  }

  private static func unit(_ json: [UInt8], _ at: inout Int) -> UInt16? {
    guard at + 4 <= json.count,
      let bytes = Hex.decode(String(decoding: json[at..<(at + 4)], as: UTF8.self)),
      bytes.count == 2
    else { return nil }
    at += 4
    return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
  }

  /// The offset of the first quote, backslash or control at or after `from`, or the end. Eight
  /// bytes are looked at as one word.
  @inlinable public static func special(_ bytes: UnsafeRawBufferPointer, from: Int) -> Int {
    let (lows, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
    var at = from
    while at &+ 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      let (quote, slash) = (word ^ lows &* 0x22, word ^ lows &* 0x5C)
      let found = (word &- lows &* 32) & ~word | (quote &- lows) & ~quote | (slash &- lows) & ~slash
      if found & highs != 0 { break }
      at &+= 8
    }
    while at < bytes.count {
      let byte = bytes[at]
      if byte < 32 || byte == 0x22 || byte == 0x5C { return at }
      at &+= 1
    }
    return at
  }
}
