/// Reads source into a syntax tree by recursive descent, with precedence climbing for the
/// operators. Goes on after a mistake, so that all are told at once. Macros are recognised here, as
/// the specification says.
struct Parser {
  var tokens: [Lexer.Token]
  var position = 0
  var syntax = Syntax()
  var diagnostics: [ExpressionDiagnostic]
  var nesting = 0
  /// Brackets inside one another: each costs a handful of stack frames.
  static let nestingMax = 80
  static let diagnosticsMax = 20
  var gaveUp = false

  /// - Returns: a tree, whole only when there are no diagnostics.
  public static func parse(_ source: String) -> (
    syntax: Syntax, diagnostics: [ExpressionDiagnostic]
  ) {
    guard source.utf8.count <= Syntax.sourceBytesMax else {
      var syntax = Syntax()
      syntax.nodes = [.invalid]
      syntax.extents = [.init(start: 0, end: 0)]
      let message =
        "an expression may have \(Syntax.sourceBytesMax) bytes; this one has \(source.utf8.count)"
      return (syntax, [.init(start: 0, end: 1, message: message)])
    }
    let (tokens, diagnostics) = Lexer.tokens(source)
    var parser = Parser(tokens: tokens, diagnostics: diagnostics)
    let root = parser.expression()
    if parser.token.kind != .end { parser.reportUnexpected(parser.leftover) }
    parser.syntax.root = root
    let sorted = parser.diagnostics.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
    return (parser.syntax, Array(sorted.prefix(diagnosticsMax)))
  }

  private init(tokens: [Lexer.Token], diagnostics: [ExpressionDiagnostic]) {
    self.tokens = tokens
    self.diagnostics = diagnostics
  }

  var token: Lexer.Token { tokens[min(position, tokens.count - 1)] }
  private var leftover: String { "the expression should end here" }
  mutating func advance() { if position < tokens.count - 1 { position += 1 } }

  func at(_ symbol: String) -> Bool { token.kind == .symbol && token.text == symbol }
  mutating func take(_ symbol: String) -> Bool {
    guard at(symbol) else { return false }
    advance()
    return true
  }
  mutating func expect(_ symbol: String, closing start: Int? = nil) {
    guard !take(symbol) else { return }
    reportUnexpected("expected `\(symbol)`")
  }

  mutating func report(_ extent: Syntax.Extent, _ message: String, hint: String? = nil) {
    guard !gaveUp, diagnostics.count < Self.diagnosticsMax else { return }
    if let last = diagnostics.last, last.start == extent.start { return }
    diagnostics.append(
      .init(
        start: extent.start, end: max(extent.end, extent.start + 1), message: message, hint: hint))
  }

  mutating func reportUnexpected(_ message: String) {
    let found = token.kind == .end ? "the end" : "`\(token.text)`"
    report(
      .init(start: token.start, end: token.end), "\(message), found \(found)",
      hint: hintForUnexpected)
  }

  /// Stops reading: the rest would only bring errors that follow from this one.
  mutating func giveUp(_ message: String, hint: String? = nil) -> Syntax.NodeID {
    report(.init(start: token.start, end: token.end), message, hint: hint)
    gaveUp = true
    position = tokens.count - 1
    return add(.invalid, from: token.start)
  }

  /// Adds a node that reaches from `start` to the last token read.
  mutating func add(_ node: Syntax.Node, from start: Int, children: [Syntax.NodeID] = [])
    -> Syntax.NodeID
  {
    let end = position > 0 ? tokens[position - 1].end : 0
    let depth = 1 + (children.map { syntax.depths[$0] }.max() ?? 0)
    if depth > Syntax.depthMax, !gaveUp {
      report(
        .init(start: start, end: end),
        "this expression is nested more than \(Syntax.depthMax) deep",
        hint: "split it into several rules")
      gaveUp = true
      position = tokens.count - 1
    } else if syntax.nodes.count >= Syntax.nodesMax, !gaveUp {
      report(
        .init(start: start, end: end), "this expression has more than \(Syntax.nodesMax) parts")
      gaveUp = true
      position = tokens.count - 1
    }
    syntax.nodes.append(gaveUp ? .invalid : node)
    syntax.extents.append(.init(start: start, end: max(start, end)))
    syntax.depths.append(gaveUp ? 1 : depth)
    return syntax.nodes.count - 1
  }

  // MARK: - Expressions

  mutating func expression() -> Syntax.NodeID {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingMax else {
      return giveUp("brackets are nested more than \(Self.nestingMax) deep")
    }
    let start = token.start
    // A chain of conditionals is read in a loop, since each is the last part of the one before.
    var open: [(condition: Syntax.NodeID, then: Syntax.NodeID, start: Int)] = []
    var last = logical(or: true)
    var partStart = start
    while take("?") {
      if at(":") || at("?") {
        return giveUp(
          "`?\(token.text)` is not an operator",
          hint: "for a field, or something else where it is missing, write `a.?b.orValue(c)`")
      }
      let then = logical(or: true, nested: true)
      expect(":")
      open.append((last, then, partStart))
      partStart = token.start
      last = logical(or: true)
      if gaveUp { break }
    }
    for part in open.reversed() {
      last = add(
        .conditional(part.condition, part.then, last), from: part.start,
        children: [part.condition, part.then, last])
    }
    return last
  }

  /// `||` over `&&` over comparisons. Chains become one node of many parts: no depth, and a clear
  /// explanation.
  private mutating func logical(or: Bool, nested: Bool = false) -> Syntax.NodeID {
    // The middle part of a conditional may itself be a conditional only in brackets, as the grammar
    // says.
    let start = token.start
    var parts = [or ? logical(or: false) : binary(0)]
    let sign = or ? "||" : "&&"
    while take(sign) || takeWord(for: sign) {
      parts.append(or ? logical(or: false) : binary(0))
    }
    guard parts.count > 1 else { return parts[0] }
    return add(or ? .or(parts) : .and(parts), from: start, children: parts)
  }

  private static let levels: [[String]] = [
    ["<", "<=", ">=", ">", "==", "!=", "in"], ["+", "-"], ["*", "/", "%"],
  ]

  mutating func binary(_ level: Int) -> Syntax.NodeID {
    guard level < Self.levels.count else { return unary() }
    if level == 0, let negated = negationInWords() { return negated }
    let start = token.start
    var left = binary(level + 1)
    while Self.levels[level].contains(token.text),
      token.kind == .symbol || (token.kind == .name && token.text == "in")
    {
      let sign = token.text
      advance()
      let right = binary(level + 1)
      let name = sign == "in" ? "@in" : "_\(sign)_"
      left = add(.call(name, [left, right]), from: start, children: [left, right])
      if gaveUp { break }
    }
    if level == 0, !gaveUp, let whole = comparisonInWords(left, from: start) { return whole }
    return left
  }

  private mutating func unary() -> Syntax.NodeID {
    var signs: [(text: String, start: Int)] = []
    while at("!") || at("-") {
      let sign = token.start
      if at("-"), let number = negativeNumber() {
        var node = member(number, from: sign)
        for sign in signs.reversed() {
          node = add(
            .call(sign.text == "!" ? "!_" : "-_", [node]), from: sign.start, children: [node])
        }
        return node
      }
      signs.append((token.text, token.start))
      advance()
    }
    // Behind the signs: what is said of the operand must not be said of its contrary.
    let start = token.start
    var node = member(primary(), from: start)
    for sign in signs.reversed() {
      node = add(.call(sign.text == "!" ? "!_" : "-_", [node]), from: sign.start, children: [node])
    }
    return node
  }

  /// A minus right before a number belongs to the number, so that the least integer can be written.
  private mutating func negativeNumber() -> Syntax.NodeID? {
    let next = tokens[min(position + 1, tokens.count - 1)]
    guard next.kind == .int || next.kind == .double else { return nil }
    let start = token.start
    advance()
    advance()
    return number(next, negative: true, from: start)
  }

  mutating func number(_ token: Lexer.Token, negative: Bool, from start: Int) -> Syntax.NodeID {
    let sign = negative ? "-" : ""
    let hex = token.text.utf8.starts(with: "0x".utf8) || token.text.utf8.starts(with: "0X".utf8)
    let digits = hex ? String(token.text.dropFirst(2)) : token.text
    let value: Value?
    switch token.kind {
    case .int: value = Int64(sign + digits, radix: hex ? 16 : 10).map(Value.int)
    case .uint: value = UInt64(digits.dropLast(), radix: hex ? 16 : 10).map(Value.uint)
    case .double: value = Double(sign + digits).flatMap { $0.isFinite ? .double($0) : nil }
    default: value = .int(0)
    }
    if value == nil {
      let hint = "a whole number lies between -9223372036854775808 and 9223372036854775807"
      report(
        .init(start: start, end: token.end), "\(sign)\(token.text) does not fit 64 bits",
        hint: token.kind == .int ? hint : nil)
    }
    return add(.literal(value ?? .int(0)), from: start)
  }
}
