/// Members, calls, literals and the macros among them.
extension Parser {
  static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
    "package",
    "namespace", "return", "var", "void", "while",
  ]
  private static let keywords: Set<String> = ["true", "false", "null", "in"]

  mutating func member(_ first: Syntax.NodeID, from start: Int) -> Syntax.NodeID {
    var node = first
    while !gaveUp {
      if take(".") {
        let optional = take("?")
        guard let (field, quoted) = fieldName() else { return node }
        if !optional, !quoted, at("(") {
          advance()
          let arguments = arguments(closing: ")")
          node = memberCall(node, field, arguments, from: start)
        } else {
          node = add(.select(node, field: field, optional: optional), from: start, children: [node])
        }
      } else if at("[") {
        advance()
        let optional = take("?")
        let index = expression()
        closeBracket("]")
        node = add(.index(node, index, optional: optional), from: start, children: [node, index])
      } else if at("{"), let name = messageName(node) {
        advance()
        node = message(name, from: start)
      } else {
        return node
      }
    }
    return node
  }

  private mutating func fieldName() -> (String, quoted: Bool)? {
    if token.kind == .quotedName {
      defer { advance() }
      return (token.text, true)
    }
    guard token.kind == .name, !Self.keywords.contains(token.text) else {
      reportUnexpected("expected a name after the dot")
      return nil
    }
    defer { advance() }
    return (token.text, false)
  }

  private mutating func closeBracket(_ symbol: String) {
    if take(symbol) { return }
    reportUnexpected("expected `\(symbol)`")
    // Go on behind the closing bracket, if it stands on this level.
    var depth = 0
    while token.kind != .end {
      if at("(") || at("[") || at("{") { depth += 1 }
      if at(")") || at("]") || at("}") {
        if depth == 0 {
          if at(symbol) { advance() }
          return
        }
        depth -= 1
      }
      advance()
    }
  }

  private mutating func arguments(closing symbol: String) -> [Syntax.NodeID] {
    var found: [Syntax.NodeID] = []
    if take(symbol) { return found }
    repeat {
      found.append(expression())
    } while take(",")
    closeBracket(symbol)
    return found
  }

  mutating func primary() -> Syntax.NodeID {
    let start = token.start
    let token = token
    switch token.kind {
    case .int, .uint, .double, .invalid:
      advance()
      return number(token, negative: false, from: start)
    case .string:
      advance()
      return add(.literal(.string(token.text)), from: start)
    case .bytes:
      advance()
      return add(.literal(.bytes(token.bytes)), from: start)
    case .name: return name(absolute: false, from: start)
    case .symbol:
      switch token.text {
      case "(":
        advance()
        let inner = expression()
        if at(",") {
          report(
            .init(start: self.token.start, end: self.token.end), "expected `)`, found `,`",
            hint: "a list stands in square brackets, as in [\"a\", \"b\"]")
        }
        closeBracket(")")
        return inner
      case "[":
        advance()
        return list(from: start)
      case "{":
        advance()
        return map(from: start)
      case ".":
        advance()
        guard self.token.kind == .name else { break }
        return name(absolute: true, from: start)
      default: break
      }
    case .quotedName:
      advance()
      report(
        .init(start: start, end: token.end),
        "a quoted name stands only behind a dot, as in `a.`b-c``")
      return add(.invalid, from: start)
    case .end: break
    }
    reportUnexpected("expected a value")
    // An operator or a closing bracket is left for those who wait for it.
    return add(.invalid, from: start)
  }

  private mutating func name(absolute: Bool, from start: Int) -> Syntax.NodeID {
    let text = token.text
    let extent = Syntax.Extent(start: token.start, end: token.end)
    advance()
    if !absolute {
      switch text {
      case "true": return add(.literal(.bool(true)), from: start)
      case "false": return add(.literal(.bool(false)), from: start)
      case "null": return add(.literal(.null), from: start)
      default: break
      }
    }
    if text == "if", !absolute {
      report(
        extent, "`if` is a reserved word",
        hint: "a condition stands by itself; for one of two values write `a ? b : c`")
      gaveUp = true
      position = tokens.count - 1
      return add(.invalid, from: start)
    }
    if text == "in" || Self.reserved.contains(text) {
      report(extent, "`\(text)` is a reserved word")
      return add(.invalid, from: start)
    }
    if at("(") {
      advance()
      let arguments = arguments(closing: ")")
      return globalCall((absolute ? "." : "") + text, arguments, from: start)
    }
    return add(.name(text, absolute: absolute), from: start)
  }

  /// `[,]` and `{,}` are empty: `"[" [ExprList] [","] "]"`, says the grammar. Of arguments it says
  /// nothing of the kind.
  private mutating func takesLoneComma(_ closing: String) -> Bool {
    let next = tokens[min(position + 1, tokens.count - 1)]
    guard at(","), next.kind == .symbol, next.text == closing else { return false }
    advance()
    advance()
    return true
  }

  private mutating func list(from start: Int) -> Syntax.NodeID {
    var elements: [Syntax.NodeID] = []
    var optional: Set<Int> = []
    if takesLoneComma("]") { return add(.list([], optional: []), from: start) }
    while !at("]"), token.kind != .end, !gaveUp {
      if take("?") { optional.insert(elements.count) }
      elements.append(expression())
      guard take(",") else { break }
    }
    closeBracket("]")
    return add(.list(elements, optional: optional), from: start, children: elements)
  }

  private mutating func map(from start: Int) -> Syntax.NodeID {
    var entries: [(key: Syntax.NodeID, value: Syntax.NodeID)] = []
    var optional: Set<Int> = []
    if takesLoneComma("}") { return add(.map([], optional: []), from: start) }
    while !at("}"), token.kind != .end, !gaveUp {
      if take("?") { optional.insert(entries.count) }
      let key = expression()
      expect(":")
      entries.append((key, expression()))
      guard take(",") else { break }
    }
    closeBracket("}")
    return add(
      .map(entries, optional: optional), from: start,
      children: entries.flatMap { [$0.key, $0.value] })
  }

  /// The qualified name that a node spells, if it is nothing but names and dots.
  func messageName(_ node: Syntax.NodeID) -> String? {
    switch syntax.nodes[node] {
    case .name(let name, let absolute): (absolute ? "." : "") + name
    case .select(let inner, let field, false): messageName(inner).map { $0 + "." + field }
    default: nil
    }
  }

  private mutating func message(_ name: String, from start: Int) -> Syntax.NodeID {
    var fields: [(field: String, value: Syntax.NodeID)] = []
    while !at("}"), token.kind != .end, !gaveUp {
      _ = take("?")
      guard token.kind == .name || token.kind == .quotedName else {
        reportUnexpected("expected a field's name")
        break
      }
      let field = token.text
      advance()
      expect(":")
      fields.append((field, expression()))
      guard take(",") else { break }
    }
    closeBracket("}")
    return add(.message(name, fields), from: start, children: fields.map(\.value))
  }
}
