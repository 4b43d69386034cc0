/// Strings as JSON text (RFC 8259 §7): the one place where they are escaped.
public enum JSONText {
  /// Appends the string with its quotes; only what must be escaped is. Stretches between are copied whole.
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

  /// The offset of the first quote, backslash or control at or after `from`, or the end. Eight bytes are looked at as
  /// one word.
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
