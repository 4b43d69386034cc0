/// Finds what every name means and every node's type. Gradual: `dyn` fits everywhere and is checked
/// when evaluated. Collects all mistakes; the references are good even where types are wrong, so
/// that an unchecked expression can still be evaluated.
struct Checker {
  enum Reference: Sendable, Equatable {
    case none
    case slot(Int)
    case local(Int)
    case typeName(String)
    /// A call without a receiver; for `math.abs(x)` the receiver was part of the name.
    case function(Function?)
    case method(Function?)
  }

  let environment: Environment
  let syntax: Syntax
  var types: [Type]
  var references: [Reference]
  var diagnostics: [ExpressionDiagnostic] = []
  /// Those of them that hold whatever stands around them: a fact, or a field, that there is not.
  var certain: [ExpressionDiagnostic] = []
  var unifier = Unifier()
  /// Variables of comprehensions and bindings, innermost last.
  var locals: [(name: String, type: Type)] = []
  var localsMost = 0
  /// Patterns that stand in the expression, by their text.
  var patterns: [CodePoints: Pattern] = [:]

  static func check(_ syntax: Syntax, _ environment: Environment) -> Checker {
    var checker = Checker(
      environment: environment, syntax: syntax,
      types: Array(repeating: .dyn, count: syntax.nodes.count),
      references: Array(repeating: .none, count: syntax.nodes.count))
    _ = checker.visit(syntax.root)
    for index in checker.types.indices {
      checker.types[index] = checker.unifier.resolve(checker.types[index], final: true)
    }
    return checker
  }

  mutating func report(
    _ node: Int, _ message: String, hint: String? = nil, isCertain: Bool = false
  ) {
    guard !isFull else { return }
    let extent = syntax.extents[node]
    diagnostics.append(
      .init(
        start: extent.start, end: max(extent.end, extent.start + 1), message: message, hint: hint))
    if isCertain { certain += diagnostics.suffix(1) }
  }

  func shown(_ type: Type) -> String { unifier.resolve(type, final: true).description }

  mutating func visit(_ node: Int) -> Type {
    let type = infer(node)
    types[node] = type
    return type
  }

  /// A node's type with what is known of its variables by then.
  ///
  /// Never in one expression: Swift reads `unifier` before it looks at the arguments, so that
  /// `unifier.resolve(visit(node), …)` would know nothing of what visiting found out, and what
  /// seems unknown passes for `dyn`.
  mutating func visitKnown(_ node: Int) -> Type {
    let type = visit(node)
    return unifier.resolve(type, final: false)
  }

  private mutating func infer(_ node: Int) -> Type {
    switch syntax.nodes[node] {
    case .invalid: return .dyn
    case .literal(let value): return Self.type(of: value)
    case .name(let name, let absolute): return inferName(node, name, absolute: absolute)
    case .select(let operand, let field, let optional):
      return inferSelect(node, operand, field, optional: optional)
    case .has(let operand, let field): return inferHas(node, operand, field)
    case .index(let target, let index, let optional):
      return inferIndex(node, visit(target), visit(index), index, optional: optional)
    case .call(let name, let arguments): return inferCall(node, name, arguments)
    case .member(let target, let name, let arguments):
      return inferMember(node, target, name, arguments)
    case .list(let elements, let optional): return inferList(elements, optional)
    case .map(let entries, let optional): return inferMap(entries, optional)
    case .message(let name, let fields):
      for field in fields { _ = visit(field.value) }
      report(node, "there is no message type `\(name)`", hint: "for a map, write {'field': value}")
      return .dyn
    case .and(let parts), .or(let parts):
      for part in parts { expectBool(part) }
      return .bool
    case .conditional(let condition, let then, let otherwise):
      expectBool(condition)
      let (a, b) = (visit(then), visit(otherwise))
      if unifier.assignable(a, b) { return Unifier.moreGeneral(a, b) }
      report(node, "the two outcomes have different types: \(shown(a)) and \(shown(b))")
      return .dyn
    case .fold(let fold): return inferFold(node, fold)
    case .bind(let name, let value, let body):
      let type = visit(value)
      return scoped([(name, type)], node) { $0.visit(body) }
    case .optionalMap(let target, let name, let body, let flat):
      return inferOptionalMap(node, target, name, body, flat: flat)
    case .block(let values, let body):
      var names: [(String, Type)] = []
      let height = locals.count
      references[node] = .local(height)
      for (index, value) in values.enumerated() {
        names.append(("@index\(index)", visit(value)))
        push(names[index])
      }
      defer { locals.removeSubrange(height...) }
      return visit(body)
    }
  }

  /// Whether no more is told: finding hints goes through the whole expression.
  var isFull: Bool { diagnostics.count >= Parser.diagnosticsMax }

  private mutating func expectBool(_ node: Int) {
    let type = visit(node)
    guard !unifier.assignable(type, .bool), !isFull else { return }
    report(
      node, "this is \(shown(type)), where true or false is needed", hint: conditionHint(node, type)
    )
  }

  mutating func push(_ local: (String, Type)) {
    locals.append((local.0, local.1))
    localsMost = max(localsMost, locals.count)
  }

  mutating func scoped(_ names: [(String, Type)], _ node: Int, _ body: (inout Checker) -> Type)
    -> Type
  {
    let height = locals.count
    for name in names { push(name) }
    // The innermost local of a node is found again by its reference.
    references[node] = .local(height)
    defer { locals.removeSubrange(height...) }
    return body(&self)
  }

  static func type(of value: Value) -> Type {
    switch value {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .duration: .duration
    case .list: .list(.dyn)
    case .map: .map(.dyn, .dyn)
    case .type: .type
    case .optional: .optional(.dyn)
    case .ip: .ip
    case .cidr: .cidr
    case .error: .dyn
    }
  }
}
