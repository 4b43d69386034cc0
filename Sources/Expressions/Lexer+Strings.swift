/// String and bytes literals: plain, raw (`r''`), bytes (`b''`), in single, double and triple
/// quotes.
extension Lexer {
  mutating func prefixedLiteral(_ start: Int) -> Token? {
    var raw = false
    var bytes = false
    var ahead = 0
    while ahead < 2, at + ahead < source.count {
      switch source[at + ahead] | 0x20 {
      case UInt8(ascii: "r") where !raw: raw = true
      // The grammar has `b` before `r`, and never behind it.
      case UInt8(ascii: "b") where !bytes && !raw: bytes = true
      default: return nil
      }
      ahead += 1
      guard at + ahead < source.count else { return nil }
      if source[at + ahead] == 0x22 || source[at + ahead] == 0x27 {
        at += ahead
        return literal(start, raw: raw, bytes: bytes)
      }
    }
    return nil
  }

  mutating func literal(_ start: Int, raw: Bool, bytes: Bool) -> Token {
    let quote = source[at]
    let triple = at + 2 < source.count && source[at + 1] == quote && source[at + 2] == quote
    at += triple ? 3 : 1
    var out: [UInt8] = []
    while true {
      guard at < source.count, triple || (source[at] != 0x0A && source[at] != 0x0D) else {
        report(start, "this text has no end", hint: "close it with \(String(UnicodeScalar(quote)))")
        break
      }
      if source[at] == quote {
        if !triple {
          at += 1
          break
        }
        if at + 2 < source.count, source[at + 1] == quote, source[at + 2] == quote {
          at += 3
          break
        }
      }
      if source[at] == 0x5C, !raw {
        escape(into: &out, bytes: bytes)
      } else {
        // A carriage return inside a triple-quoted text is kept as it stands.
        out.append(source[at])
        at += 1
      }
    }
    return Token(
      kind: bytes ? .bytes : .string, start: start, end: at,
      text: bytes ? "" : String(decoding: out, as: UTF8.self), bytes: bytes ? out : [])
  }

  /// A character that the language does not have, read as what it looks like: word processors put
  /// such in the place of signs.
  ///
  /// - Returns: nil where nobody knows what it could be.
  mutating func stranger(_ start: Int) -> Token? {
    let sign = String(decoding: source[start..<at], as: UTF8.self)
    if Self.curly.contains(sign) { return curlyLiteral(start) }
    guard let meant = Self.lookalikes[sign] else {
      let name = sign.unicodeScalars.contains(where: \.isUnseen) ? "U+" + Self.number(sign) : sign
      report(start, "`\(name)` has no meaning here")
      return nil
    }
    guard meant != " " else {
      report(
        start, "this space is none of the language's (U+\(Self.number(sign)))",
        hint: "write a plain space")
      return nil
    }
    report(start, "`\(sign)` is not an operator", hint: "write `\(meant)`")
    return Token(kind: .symbol, start: start, end: at, text: meant)
  }

  private static let curly: Set<String> = [
    "“", "”", "„", "‟", "«", "»", "‹", "›", "‘", "’", "‚", "‛", "″", "′",
  ]
  private static let lookalikes = [
    "≤": "<=", "≥": ">=", "≠": "!=", "–": "-", "—": "-", "−": "-", "×": "*", "∧": "&&", "∨": "||",
    "¬": "!", "\u{A0}": " ", "\u{2009}": " ", "\u{202F}": " ", "\u{200B}": " ",
  ]

  private static func number(_ sign: String) -> String {
    let hex = String(sign.unicodeScalars.first?.value ?? 0, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - hex.count)) + hex
  }

  /// A text between quotes as word processors set them, up to the next quote of any kind.
  private mutating func curlyLiteral(_ start: Int) -> Token {
    let from = at
    while at < source.count, source[at] != 0x0A, source[at] != 0x0D {
      let character = at
      at += 1
      while at < source.count, source[at] & 0xC0 == 0x80 { at += 1 }
      let text = String(decoding: source[character..<at], as: UTF8.self)
      guard Self.curly.contains(text) || text == "\"" || text == "'" else { continue }
      report(
        start, "a text stands between straight quotes, and these are others",
        hint: "write \"\(String(decoding: source[from..<character], as: UTF8.self))\"")
      return Token(
        kind: .string, start: start, end: at,
        text: String(decoding: source[from..<character], as: UTF8.self))
    }
    report(
      start, "a text stands between straight quotes, and this is another",
      hint: "write \" or '")
    return Token(
      kind: .string, start: start, end: at, text: String(decoding: source[from..<at], as: UTF8.self)
    )
  }

  private mutating func escape(into out: inout [UInt8], bytes: Bool) {
    let start = at
    at += 1
    guard at < source.count else { return }
    let byte = source[at]
    at += 1
    switch byte {
    case UInt8(ascii: "a"): out.append(0x07)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "v"): out.append(0x0B)
    case 0x5C, 0x27, 0x22, 0x60, 0x3F: out.append(byte)
    case UInt8(ascii: "x"), UInt8(ascii: "X"): number(16, 2, start, into: &out, asByte: bytes)
    case UInt8(ascii: "u") where !bytes: number(16, 4, start, into: &out, asByte: false)
    case UInt8(ascii: "U") where !bytes: number(16, 8, start, into: &out, asByte: false)
    case 0x30...0x33:
      at -= 1
      number(8, 3, start, into: &out, asByte: bytes)
    default:
      while at < source.count, source[at] & 0xC0 == 0x80 { at += 1 }
      let what = String(decoding: source[start..<at], as: UTF8.self)
      report(start, "`\(what)` is not an escape", hint: "for a backslash write `\\\\`, or use r'…'")
    }
  }

  private mutating func number(
    _ radix: UInt32, _ width: Int, _ start: Int, into out: inout [UInt8], asByte: Bool
  ) {
    var value: UInt32 = 0
    for _ in 0..<width {
      guard at < source.count, let digit = Self.digit(source[at]), digit < radix else {
        return report(
          start, "this escape needs \(width) \(radix == 8 ? "octal" : "hexadecimal") digits")
      }
      value = (value & 0x0FFF_FFFF) * radix + digit
      at += 1
    }
    if asByte {
      out.append(UInt8(truncatingIfNeeded: value))
    } else if let scalar = UnicodeScalar(value) {
      out += Array(String(Character(scalar)).utf8)
    } else {
      report(start, "this escape is not a code point")
    }
  }

  private static func digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x41...0x46: UInt32(byte - 0x41 + 10)
    case 0x61...0x66: UInt32(byte - 0x61 + 10)
    default: nil
    }
  }
}
