/// Charsets of East Asia that glibc does not read, or not whole, put into one that it does: each
/// has the same characters under other numbers.
enum SevenBitText {
  /// ISO-2022-JP (RFC 1468) as Windows code page 932, with the signs that every Japanese mail program
  /// writes and the standard has not: ①, ㈱, 髙. Kana of one byte too, by its escape, by SO or by
  /// eight bits (code pages 50220 to 50222). nil where a charset of ISO-2022-JP-1 or -2 comes in.
  static func shiftJIS(iso2022 bytes: some Collection<UInt8>) -> [UInt8]? {
    let bytes = Array(bytes)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var set = UInt8(ascii: "B")
    var (isPaired, isShifted) = (false, false)
    var at = 0
    while at < bytes.count {
      let byte = bytes[at]
      let rest = bytes[at...]
      if byte == 27 {
        if rest.starts(with: Array("\u{1B}(B".utf8)) || rest.starts(with: Array("\u{1B}(J".utf8))
          || rest.starts(with: Array("\u{1B}(I".utf8))
        {
          (set, isPaired) = (bytes[at + 2], false)
        } else if rest.starts(with: Array("\u{1B}$@".utf8))
          || rest.starts(with: Array("\u{1B}$B".utf8))
        {
          isPaired = true
        } else {
          return nil
        }
        at += 3
      } else if byte == 14 || byte == 15 {
        isShifted = byte == 14
        at += 1
      } else if byte == 10 || byte == 13 {
        // Each line begins in ASCII.
        (set, isPaired, isShifted) = (UInt8(ascii: "B"), false, false)
        out.append(byte)
        at += 1
      } else if isPaired, isGraphic(byte), at + 1 < bytes.count, isGraphic(bytes[at + 1]) {
        out += shiftJIS(byte, bytes[at + 1])
        at += 2
      } else if byte == 0x5C, set == UInt8(ascii: "J"), !isPaired {
        // JIS X 0201: a yen sign, and prices are written with it.
        out += [0x81, 0x8F]
        at += 1
      } else {
        let isKana = (isShifted || set == UInt8(ascii: "I")) && byte > 0x20 && byte < 0x60
        out.append(isKana ? byte | 0x80 : byte)
        at += 1
      }
    }
    return out
  }

  /// EUC-JP as Windows code page 932; nil where JIS X 0212 comes in, which that has not.
  static func shiftJIS(euc bytes: some Collection<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var lead: UInt8?
    for byte in bytes {
      if let first = lead {
        lead = nil
        if first == 0x8E, byte > 0xA0, byte < 0xE0 {
          out.append(byte)
        } else if first != 0x8E, byte > 0xA0, byte < 0xFF {
          out += shiftJIS(first & 0x7F, byte & 0x7F)
        } else {
          return nil
        }
      } else if byte == 0x8E || byte > 0xA0 && byte < 0xFF {
        lead = byte
      } else if byte < 0x80 {
        out.append(byte)
      } else {
        return nil
      }
    }
    return lead == nil ? out : nil
  }

  /// HZ (RFC 1843) as GB 18030.
  static func gb18030(hz bytes: some Collection<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var isPaired = false
    var isEscape = false
    for byte in bytes {
      if isEscape {
        isEscape = false
        switch byte {
        case UInt8(ascii: "{"): isPaired = true
        case UInt8(ascii: "}"): isPaired = false
        case UInt8(ascii: "~"): out.append(byte)
        case 10: break
        default: out += [UInt8(ascii: "~"), byte]
        }
      } else if byte == UInt8(ascii: "~") {
        isEscape = true
      } else {
        if byte == 10 || byte == 13 { isPaired = false }
        out.append(isPaired && isGraphic(byte) ? byte | 0x80 : byte)
      }
    }
    if isEscape { out.append(UInt8(ascii: "~")) }
    return out
  }

  private static func isGraphic(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F }

  /// Two bytes of JIS X 0208: 94 rows of 94 folded into 47 of 188.
  private static func shiftJIS(_ first: UInt8, _ second: UInt8) -> [UInt8] {
    let (row, cell) = (Int(first) - 0x21, Int(second) - 0x21)
    guard row >= 0, cell >= 0 else { return [first, second] }
    let lead = row / 2 + (row < 62 ? 0x81 : 0xC1)
    let trail = row % 2 == 0 ? cell + (cell < 63 ? 0x40 : 0x41) : cell + 0x9F
    return [UInt8(truncatingIfNeeded: lead), UInt8(truncatingIfNeeded: trail)]
  }
}
