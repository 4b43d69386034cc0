/// Cuts source into tokens. Never fails: what it cannot read becomes a diagnostic, and it goes on
/// behind it.
struct Lexer {
  enum Kind: Equatable {
    case end, name, quotedName, int, uint, double, string, bytes, symbol, invalid
  }
  struct Token {
    var kind: Kind
    var start: Int
    var end: Int
    var text: String
    /// The decoded bytes of a string or bytes literal.
    var bytes: [UInt8] = []
  }

  let source: [UInt8]
  var at = 0
  var diagnostics: [ExpressionDiagnostic] = []
  var comments: [Range<Int>] = []

  init(_ source: String) { self.source = Array(source.utf8) }

  static func tokens(_ source: String) -> ([Token], [ExpressionDiagnostic]) {
    var lexer = Lexer(source)
    var tokens: [Token] = []
    while true {
      let token = lexer.next()
      tokens.append(token)
      if token.kind == .end { return (tokens, lexer.diagnostics) }
    }
  }

  private func peek(_ ahead: Int = 0) -> UInt8 {
    at + ahead < source.count ? source[at + ahead] : 0
  }

  mutating func report(_ start: Int, _ message: String, hint: String? = nil) {
    guard diagnostics.count < Parser.diagnosticsMax else { return }
    diagnostics.append(.init(start: start, end: max(at, start + 1), message: message, hint: hint))
  }

  private func token(_ kind: Kind, from start: Int) -> Token {
    Token(
      kind: kind, start: start, end: at, text: String(decoding: source[start..<at], as: UTF8.self))
  }

  private mutating func skipSpace() {
    while at < source.count {
      switch source[at] {
      case 0x20, 0x09, 0x0A, 0x0C, 0x0D: at += 1
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        let start = at
        while at < source.count, source[at] != 0x0A { at += 1 }
        comments.append(start..<at)
      default: return
      }
    }
  }

  mutating func next() -> Token {
    // A loop, not recursion: source may be nothing but bytes without a meaning.
    while true {
      if let token = nextOrNothing() { return token }
    }
  }

  /// Nil when what was read is no token; it has been reported.
  private mutating func nextOrNothing() -> Token? {
    skipSpace()
    let start = at
    guard at < source.count else { return Token(kind: .end, start: at, end: at, text: "") }
    let byte = source[at]
    if Self.isLetter(byte) {
      if let literal = prefixedLiteral(start) { return literal }
      while at < source.count, Self.isLetter(source[at]) || Self.isDigit(source[at]) { at += 1 }
      return token(.name, from: start)
    }
    if Self.isDigit(byte) || (byte == UInt8(ascii: ".") && Self.isDigit(peek(1))) {
      return number(start)
    }
    if byte == 0x22 || byte == 0x27 { return literal(start, raw: false, bytes: false) }
    if byte == 0x60 { return quotedName(start) }
    return symbol(start)
  }

  static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
  }
  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private mutating func symbol(_ start: Int) -> Token? {
    let two: [StaticString] = ["==", "!=", "<=", ">=", "&&", "||"]
    for pair in two where peek() == pair.utf8Start[0] && peek(1) == pair.utf8Start[1] {
      at += 2
      if peek() == UInt8(ascii: "="), ["==", "!="].contains(pair.description) {
        return foreign(start, pair.description + "=", "to compare, write `\(pair)`", as: "\(pair)")
      }
      return token(.symbol, from: start)
    }
    at += 1
    switch source[start] {
    case UInt8(ascii: "=") where [UInt8(ascii: ">"), UInt8(ascii: "<")].contains(peek()):
      // As people write arrows, and as some languages compare.
      let sign = peek() == UInt8(ascii: ">") ? ">" : "<"
      at += 1
      if sign == ">", isBehindFirstName(start) {
        report(
          start, "`=>` is not an operator",
          hint: "a comma stands behind the element's name, as in `exists(e, …)`")
        return Token(kind: .symbol, start: start, end: at, text: ",")
      }
      report(start, "`=\(sign)` is not an operator", hint: "to compare, write `\(sign)=`")
      return Token(kind: .symbol, start: start, end: at, text: sign + "=")
    case UInt8(ascii: "<") where peek() == UInt8(ascii: ">"):
      return foreign(start, "<>", "to compare, write `!=`", as: "!=")
    case UInt8(ascii: ":") where peek() == UInt8(ascii: "="):
      return foreign(start, ":=", "to compare, write `==`", as: "==")
    case UInt8(ascii: "=") where peek() == UInt8(ascii: "~"):
      return foreign(start, "=~", Self.pattern, as: "==")
    case UInt8(ascii: "~"):
      return foreign(start, peek() == UInt8(ascii: "=") ? "~=" : "~", Self.pattern, as: "==")
    case UInt8(ascii: "="):
      report(start, "`=` is not an operator", hint: "to compare, write `==`")
      return Token(kind: .symbol, start: start, end: at, text: "==")
    case UInt8(ascii: "&"), UInt8(ascii: "|"):
      let sign = String(UnicodeScalar(source[start]))
      report(start, "`\(sign)` is not an operator", hint: "write `\(sign)\(sign)`")
      return Token(kind: .symbol, start: start, end: at, text: sign + sign)
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"),
      UInt8(ascii: "%"),
      UInt8(ascii: "!"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "?"), UInt8(ascii: ":"),
      UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["),
      UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"):
      return token(.symbol, from: start)
    default:
      while at < source.count, source[at] & 0xC0 == 0x80 { at += 1 }
      return stranger(start)
    }
  }

  /// Whether `(name` behind another name stands before this: `exists(e => …)` is how others write it.
  private func isBehindFirstName(_ start: Int) -> Bool {
    var end = start
    func back(while condition: (UInt8) -> Bool) {
      while end > 0, condition(source[end - 1]) { end -= 1 }
    }
    back { $0 == 0x20 }
    let nameEnd = end
    back { Self.isLetter($0) || Self.isDigit($0) }
    guard end < nameEnd else { return false }
    back { $0 == 0x20 }
    return end > 1 && source[end - 1] == UInt8(ascii: "(") && Self.isLetter(source[end - 2])
  }

  private static let pattern = "for a pattern write `x.matches(\"…\")`"

  /// A sign of other languages, read as the one that it stands for.
  private mutating func foreign(_ start: Int, _ sign: String, _ hint: String, as meant: String)
    -> Token
  {
    at = start + sign.utf8.count
    report(start, "`\(sign)` is not an operator", hint: hint)
    return Token(kind: .symbol, start: start, end: at, text: meant)
  }

  private mutating func quotedName(_ start: Int) -> Token {
    at += 1
    while at < source.count, source[at] != 0x60, source[at] != 0x0A { at += 1 }
    let text = String(decoding: source[(start + 1)..<at], as: UTF8.self)
    guard at < source.count, source[at] == 0x60 else {
      report(start, "this quoted name has no end", hint: "close it with `")
      return Token(kind: .quotedName, start: start, end: at, text: text)
    }
    at += 1
    let allowed = text.utf8.allSatisfy {
      Self.isLetter($0) || Self.isDigit($0) || $0 == 0x2E || $0 == 0x2D || $0 == 0x2F || $0 == 0x20
    }
    if text.isEmpty || !allowed {
      report(start, "a quoted name holds letters, digits, `_`, `.`, `-`, `/` and spaces only")
    }
    return Token(kind: .quotedName, start: start, end: at, text: text)
  }

  private mutating func number(_ start: Int) -> Token {
    if peek() == 0x30, peek(1) | 0x20 == UInt8(ascii: "x") {
      at += 2
      let digits = at
      while at < source.count, Self.isHex(source[at]) { at += 1 }
      if at == digits { report(start, "a hexadecimal number needs digits") }
      return integerEnd(start)
    }
    while Self.isDigit(peek()) { at += 1 }
    var isDouble = false
    if peek() == UInt8(ascii: "."), Self.isDigit(peek(1)) {
      isDouble = true
      at += 1
      while Self.isDigit(peek()) { at += 1 }
    }
    if peek() | 0x20 == UInt8(ascii: "e") {
      let sign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-") ? 1 : 0
      if Self.isDigit(peek(1 + sign)) {
        isDouble = true
        at += 1 + sign
        while Self.isDigit(peek()) { at += 1 }
      }
    }
    return isDouble ? numberEnd(.double, start) : integerEnd(start)
  }

  private mutating func integerEnd(_ start: Int) -> Token {
    if peek() | 0x20 == UInt8(ascii: "u") {
      at += 1
      return numberEnd(.uint, start)
    }
    return numberEnd(.int, start)
  }

  private mutating func numberEnd(_ kind: Kind, _ start: Int) -> Token {
    guard Self.isLetter(peek()) else { return token(kind, from: start) }
    while Self.isLetter(peek()) || Self.isDigit(peek()) { at += 1 }
    let text = String(decoding: source[start..<at], as: UTF8.self)
    let length = Span(text) == nil ? Span.meant(by: text) : text
    report(
      start, "`\(text)` is neither a number nor a name",
      hint: length.map { "a length of time is written `duration(\"\($0)\")`" })
    return Token(kind: .invalid, start: start, end: at, text: "0")
  }

  static func isHex(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
  }
}
