/// Operators as other languages write them: words, where CEL has signs.
///
/// No name may stand where an operator does, so each is told of and read as what it means: what is
/// behind it is looked at, too.
extension Parser {
  private static let signs = [
    "and": "&&", "or": "||", "equals": "==", "eq": "==", "ne": "!=", "neq": "!=", "gt": ">",
    "ge": ">=", "gte": ">=", "lt": "<", "le": "<=", "lte": "<=",
  ]
  private static let methods = [
    "contains": "contains", "includes": "contains", "like": "contains", "startswith": "startsWith",
    "endswith": "endsWith", "matches": "matches", "starts": "startsWith", "begins": "startsWith",
    "ends": "endsWith",
  ]
  /// The same behind `does not`.
  private static let methodsDenied = [
    "contain": "contains", "include": "contains", "match": "matches", "start": "startsWith",
    "begin": "startsWith", "end": "endsWith",
  ]

  private var word: String? { token.kind == .name ? token.text.lowercased() : nil }

  private func wordAhead(_ count: Int = 1) -> String? {
    let next = tokens[min(position + count, tokens.count - 1)]
    return next.kind == .name ? next.text.lowercased() : nil
  }

  /// Takes `and` for `&&`, `or` for `||`.
  mutating func takeWord(for sign: String) -> Bool {
    guard let word, Self.signs[word] == sign else { return false }
    report(
      .init(start: token.start, end: token.end), "`\(token.text)` is not an operator",
      hint: "write `\(sign)`")
    advance()
    return true
  }

  /// `not x`, and what follows as far as `not` reaches where people write it; nil where there is
  /// none.
  mutating func negationInWords() -> Syntax.NodeID? {
    guard word == "not", case let next = tokens[min(position + 1, tokens.count - 1)],
      ![.end, .symbol].contains(next.kind) || next.text == "!"
    else { return nil }
    let negated = token
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingMax else {
      return giveUp("`not` is nested more than \(Self.nestingMax) deep")
    }
    advance()
    let told = diagnostics.count
    let inner = binary(0)
    var hint = "write `!`"
    switch syntax.nodes[inner] {
    case .call(let name, let sides) where sides.count == 2 && Checker.sign(name) != nil:
      hint = "write `!(\(syntax.text(of: inner)))`"
    // Another word than `not` became of this.
    case .member where diagnostics.count > told: hint = "write `!(\(syntax.text(of: inner)))`"
    default: break
    }
    report(
      .init(start: negated.start, end: negated.end), "`\(negated.text)` is not an operator",
      hint: hint)
    return add(.call("!_", [inner]), from: negated.start, children: [inner])
  }

  /// What goes on from a value with a word that compares; nil where no such word stands here.
  mutating func comparisonInWords(_ left: Syntax.NodeID, from start: Int) -> Syntax.NodeID? {
    let first = token
    var isNegated = false
    if word == "not" || at("!"), let next = wordAhead(), next == "in" || Self.methods[next] != nil {
      isNegated = true
      advance()
    }
    guard let word else { return nil }
    switch word {
    case "in" where isNegated: return call("@in", left, from: start, first, isNegated)
    case "is": return identity(left, from: start, first)
    case "between": return between(left, from: start, first)
    default: break
    }
    if let method = Self.methods[word] { return call(method, left, from: start, first, isNegated) }
    if word == "does" || word == "do", wordAhead() == "not", let denied = wordAhead(2),
      let method = Self.methodsDenied[denied]
    {
      advance()
      advance()
      return call(method, left, from: start, first, true)
    }
    guard let sign = Self.signs[word], sign != "&&", sign != "||" else { return nil }
    _ = takeWord(for: sign)
    let right = binary(1)
    return add(.call("_\(sign)_", [left, right]), from: start, children: [left, right])
  }

  private mutating func tell(_ word: Lexer.Token, _ hint: String?) {
    report(
      .init(start: word.start, end: word.end), "`\(word.text)` is not an operator", hint: hint)
  }

  /// `x contains y`, `x starts with y`, `x not in y`.
  private mutating func call(
    _ name: String, _ left: Syntax.NodeID, from start: Int, _ first: Lexer.Token,
    _ isNegated: Bool
  ) -> Syntax.NodeID {
    // `!list contains x` denies the whole.
    if case .call("!_", let inner) = syntax.nodes[left], inner.count == 1, !isNegated {
      return call(name, inner[0], from: syntax.extents[inner[0]].start, first, true)
    }
    advance()
    if word == "with" { advance() }
    let right = binary(1)
    let children = [left, right]
    let isOperator = name == "@in"
    let made = add(
      isOperator ? .call(name, children) : .member(left, name, [right]), from: start,
      children: children)
    let text =
      first.text.lowercased() == "like" ? searched(left, right) : syntax.text(of: made)
    let shown = !isNegated ? text : isOperator ? "!(\(text))" : "!\(text)"
    if isNegated {
      let isBefore = first.text == "!" || first.text.lowercased() == "not"
      report(
        .init(start: first.start, end: first.end),
        isBefore
          ? "`\(first.text)` stands before what it negates" : "`\(first.text)` is not an operator",
        hint: "write `\(shown)`")
      return add(.call("!_", [made]), from: start, children: [made])
    }
    tell(first, "write `\(shown)`")
    return made
  }

  /// `x like "%y%"`: `%` and `*` stand for anything there.
  private func searched(_ left: Syntax.NodeID, _ right: Syntax.NodeID) -> String {
    let subject = syntax.text(of: left)
    guard case .literal(.string(let text)) = syntax.nodes[right] else {
      return "\(subject).contains(\(syntax.text(of: right)))"
    }
    let isOpen = text.first.map("%*".contains) ?? false
    let isOpenBehind = text.last.map("%*".contains) ?? false
    let method =
      isOpen == isOpenBehind ? "contains" : isOpen ? "endsWith" : "startsWith"
    let inner = text.dropFirst(isOpen ? 1 : 0).dropLast(isOpenBehind ? 1 : 0)
    return "\(subject).\(method)(\(Value.string(String(inner)).text(limit: .max)))"
  }

  /// `x is y`, `x is not y`.
  private mutating func identity(_ left: Syntax.NodeID, from start: Int, _ first: Lexer.Token)
    -> Syntax.NodeID
  {
    advance()
    let isNegated = word == "not"
    if isNegated { advance() }
    let sign = isNegated ? "!=" : "=="
    if let asked = word, Self.states.contains(asked) || Self.presences[asked] != nil,
      !isBeforeMember
    {
      advance()
      return state(asked, left, from: start, first, isNegated)
    }
    let isNothing = word.map(Checker.nothings.contains) ?? false
    let presence = isNothing ? Checker.presence(of: left, syntax, isThere: isNegated) : nil
    let right = binary(1)
    tell(first, "write `\(presence ?? sign)`")
    return add(.call("_\(sign)_", [left, right]), from: start, children: [left, right])
  }

  private static let states: Set = ["empty", "blank"]
  /// Whether it is there, as others ask it.
  private static let presences = [
    "missing": false, "absent": false, "unset": false, "present": true, "set": true,
    "defined": true,
  ]

  /// Whether what stands here is the beginning of something else: `x is set.name`.
  private var isBeforeMember: Bool {
    [".", "(", "["].contains(tokens[min(position + 1, tokens.count - 1)].text)
  }

  /// `x is empty`, `x is not set`.
  private mutating func state(
    _ word: String, _ left: Syntax.NodeID, from start: Int, _ first: Lexer.Token,
    _ isNegated: Bool
  ) -> Syntax.NodeID {
    // `!x is empty` denies the whole.
    if case .call("!_", let inner) = syntax.nodes[left], inner.count == 1 {
      return state(word, inner[0], from: syntax.extents[inner[0]].start, first, !isNegated)
    }
    let size = add(.call("size", [left]), from: start, children: [left])
    let none = add(.literal(.int(0)), from: start)
    let sides = [size, none]
    let isEmpty = Self.presences[word] == nil
    let sign = isEmpty && !isNegated ? "==" : ">"
    let made = add(.call("_\(sign)_", sides), from: start, children: sides)
    let isThere = (Self.presences[word] ?? false) != isNegated
    let presence = isEmpty ? nil : Checker.presence(of: left, syntax, isThere: isThere)
    tell(first, (isEmpty ? syntax.text(of: made) : presence).map { "write `\($0)`" })
    return made
  }

  /// `x between a and b`.
  private mutating func between(_ left: Syntax.NodeID, from start: Int, _ first: Lexer.Token)
    -> Syntax.NodeID
  {
    advance()
    let low = binary(1)
    guard word == "and" || at("&&") else {
      tell(first, "write `>=` and `<=`")
      return add(.call("_>=_", [left, low]), from: start, children: [left, low])
    }
    advance()
    let high = binary(1)
    let parts = [
      add(.call("_>=_", [left, low]), from: start, children: [left, low]),
      add(.call("_<=_", [left, high]), from: start, children: [left, high]),
    ]
    tell(first, "write `\(parts.map { syntax.text(of: $0) }.joined(separator: " && "))`")
    return add(.and(parts), from: start, children: parts)
  }

  /// What may have been meant where something stands that cannot.
  var hintForUnexpected: String? {
    if token.kind == .name, let sign = Self.signs[token.text.lowercased()] {
      return "write `\(sign)`"
    }
    if token.kind == .symbol, ["<", "<=", ">", ">=", "==", "!="].contains(token.text) {
      return "a comparison has two sides, as in `x > 3 && x < 5`"
    }
    let next = tokens[min(position + 1, tokens.count - 1)]
    if at("+"), next.kind == .int, next.start == token.end,
      tokens[min(position + 2, tokens.count - 1)].text == ":"
    {
      return "a time zone is a text: \"+\(next.text):00\""
    }
    if at("+"), next.kind == .int, next.start == token.end {
      return "a number has no plus; that of a telephone is a text: \"+\(next.text)\""
    }
    guard position > 0, case let last = tokens[position - 1] else { return nil }
    if token.kind == .name, last.kind == .int, let length = Span.meant(by: last.text + token.text) {
      return "a length of time is written `duration(\"\(length)\")`"
    }
    if at(","), last.kind == .int, last.end == token.start, next.kind == .int,
      next.start == token.end
    {
      return "a number has no comma: write \(last.text)\(next.text), or with a point"
    }
    if token.kind == .string, last.kind == .string, last.end == token.start {
      return "a quote inside a text is written as \\', or the text stands in the other quotes"
    }
    guard last.kind == .name else { return nil }
    switch last.text.lowercased() {
    case "not": return "write `!`"
    case "exists", "exist", "defined", "has": return "write `has(…)`"
    default: return nil
    }
  }
}
