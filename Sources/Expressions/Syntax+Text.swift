/// A syntax tree as source again, with no more brackets than its meaning needs. Reading it gives
/// the same tree.
extension Syntax {
  public var text: String { text(of: root, within: .lowest) }

  func text(of node: NodeID) -> String { text(of: node, within: .lowest) }

  private enum Level: Int, Comparable {
    case lowest, conditional, or, and, relation, sum, product, unary, member
    static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    var next: Level { Level(rawValue: rawValue + 1) ?? .member }
  }

  private func text(of node: NodeID, within level: Level) -> String {
    let (text, own) = plain(node)
    return own < level ? "(\(text))" : text
  }

  private func plain(_ node: NodeID) -> (String, Level) {
    switch nodes[node] {
    case .invalid: return ("invalid", .member)
    case .literal(let value):
      return (value.text(limit: .max), Self.isNegative(value) ? .unary : .member)
    case .name(let name, let absolute): return ((absolute ? "." : "") + Self.shown(name), .member)
    case .select(let operand, let field, let optional):
      return (
        text(of: operand, within: .member) + (optional ? ".?" : ".") + Self.quoted(field), .member
      )
    case .has(let operand, let field):
      return ("has(\(text(of: operand, within: .member)).\(Self.quoted(field)))", .member)
    case .index(let target, let index, let optional):
      return (
        "\(text(of: target, within: .member))[\(optional ? "?" : "")\(all([index]))]", .member
      )
    case .call(let name, let arguments): return call(name, arguments)
    case .member(let target, let name, let arguments):
      return ("\(text(of: target, within: .member)).\(name)(\(all(arguments)))", .member)
    case .list(let elements, let optional):
      let parts = elements.enumerated().map {
        (optional.contains($0) ? "?" : "") + text(of: $1, within: .lowest)
      }
      return ("[\(parts.joined(separator: ", "))]", .member)
    case .map(let entries, let optional):
      let parts = entries.enumerated().map { at, entry in
        (optional.contains(at) ? "?" : "") + text(of: entry.key, within: .lowest) + ": "
          + text(of: entry.value, within: .lowest)
      }
      return ("{\(parts.joined(separator: ", "))}", .member)
    case .message(let name, let fields):
      let parts = fields.map { "\(Self.quoted($0.field)): \(text(of: $0.value, within: .lowest))" }
      return ("\(name){\(parts.joined(separator: ", "))}", .member)
    case .and(let parts):
      return (parts.map { text(of: $0, within: .relation) }.joined(separator: " && "), .and)
    case .or(let parts):
      return (parts.map { text(of: $0, within: .and) }.joined(separator: " || "), .or)
    case .conditional(let condition, let then, let otherwise):
      let parts = (
        text(of: condition, within: .or), text(of: then, within: .or),
        text(of: otherwise, within: .conditional)
      )
      return ("\(parts.0) ? \(parts.1) : \(parts.2)", .conditional)
    case .fold(let fold): return (self.fold(fold), .member)
    case .bind(let name, let value, let body):
      return ("cel.bind(\(Self.shown(name)), \(all([value, body])))", .member)
    case .optionalMap(let target, let name, let body, let flat):
      let macro = flat ? "optFlatMap" : "optMap"
      return (
        "\(text(of: target, within: .member)).\(macro)(\(Self.shown(name)), \(all([body])))",
        .member
      )
    case .block(let values, let body):
      return ("cel.block([\(all(values))], \(all([body])))", .member)
    }
  }

  private func all(_ nodes: [NodeID]) -> String {
    nodes.map { text(of: $0, within: .lowest) }.joined(separator: ", ")
  }

  private func call(_ name: String, _ arguments: [NodeID]) -> (String, Level) {
    guard let sign = Checker.sign(name) else { return ("\(name)(\(all(arguments)))", .member) }
    guard arguments.count == 2 else {
      // Signs in a row need no brackets, of which only so many can be read inside one another.
      let operand = text(of: arguments[0], within: .unary)
      // A minus right before a number would become part of the number.
      if operand.utf8.first.map(Lexer.isDigit) == true { return ("\(sign)(\(operand))", .unary) }
      return (sign + operand, .unary)
    }
    let level: Level =
      switch sign {
      case "+", "-": .sum
      case "*", "/", "%": .product
      default: .relation
      }
    // Operators of one level are read from left to right.
    return (
      "\(text(of: arguments[0], within: level)) \(sign) \(text(of: arguments[1], within: level.next))",
      level
    )
  }

  private func fold(_ fold: Fold) -> String {
    let name =
      switch fold.kind {
      case .existsOneOld: "exists_one"
      default: fold.kind.rawValue
      }
    var parts = [Self.shown(fold.variable)] + (fold.second.map { [Self.shown($0)] } ?? [])
    if let filter = fold.filter { parts.append(text(of: filter, within: .lowest)) }
    parts.append(text(of: fold.body, within: .lowest))
    return "\(text(of: fold.range, within: .member)).\(name)(\(parts.joined(separator: ", ")))"
  }

  private static func isNegative(_ value: Value) -> Bool {
    switch value {
    case .int(let int): int < 0
    case .double(let double): double.sign == .minus
    default: false
    }
  }

  /// Generated names come from `cel.index(0)` and `cel.iterVar(0, 1)`.
  private static func shown(_ name: String) -> String {
    guard name.hasPrefix("@") else { return name }
    if name.hasPrefix("@index") { return "cel.index(\(name.dropFirst(6)))" }
    let parts = name.dropFirst().split(separator: ":")
    return parts.count == 3 ? "cel.\(parts[0])(\(parts[1]), \(parts[2]))" : name
  }

  private static func quoted(_ field: String) -> String {
    let plain = field.utf8.enumerated().allSatisfy {
      Lexer.isLetter($1) || ($0 > 0 && Lexer.isDigit($1))
    }
    return plain && !["true", "false", "null", "in"].contains(field) ? field : "`\(field)`"
  }
}

extension Syntax: Equatable {
  /// The same shape and content; where it stood in its source does not count.
  public static func == (a: Syntax, b: Syntax) -> Bool { a.same(a.root, b, b.root) }

  private func same(_ node: NodeID, _ other: Syntax, _ twin: NodeID) -> Bool {
    let (mine, theirs) = (children(node), other.children(twin))
    guard label(node) == other.label(twin), mine.count == theirs.count else { return false }
    return zip(mine, theirs).allSatisfy { same($0, other, $1) }
  }

  /// All of a node but its children.
  private func label(_ node: NodeID) -> String {
    switch nodes[node] {
    case .invalid: "invalid"
    case .literal(let value): "literal \(value.typeName) \(value.text(limit: .max))"
    case .name(let name, let absolute): "name \(absolute) \(name)"
    case .select(_, let field, let optional): "select \(optional) \(field)"
    case .has(_, let field): "has \(field)"
    case .index(_, _, let optional): "index \(optional)"
    case .call(let name, _): "call \(name)"
    case .member(_, let name, _): "member \(name)"
    case .list(_, let optional): "list \(optional.sorted())"
    case .map(_, let optional): "map \(optional.sorted())"
    case .message(let name, let fields): "message \(name) \(fields.map(\.field))"
    case .and: "and"
    case .or: "or"
    case .conditional: "conditional"
    case .fold(let fold):
      "fold \(fold.kind.rawValue) \(fold.variable) \(fold.second ?? "") \(fold.filter != nil)"
    case .bind(let name, _, _): "bind \(name)"
    case .optionalMap(_, let name, _, let flat): "optionalMap \(name) \(flat)"
    case .block(let values, _): "block \(values.count)"
    }
  }
}

extension Expression {
  /// Reads without checking; the tree is whole only when there are no diagnostics.
  public static func parse(_ source: String) -> (
    syntax: Syntax, diagnostics: [ExpressionDiagnostic]
  ) {
    Parser.parse(source)
  }
}
