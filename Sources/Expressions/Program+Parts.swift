/// Parts of a condition under the names and values by which formulas know them.
extension Program {
  static func key(slot: Int) -> CodePoints { CodePoints(name(slot: slot)) }
  private static func name(slot: Int) -> String { "§\(slot)" }

  /// A name for a part under which the same part of another condition of the same facts is found.
  /// Evaluating keeps texts apart that only look alike, and so do names.
  func key(_ node: Int) -> CodePoints { CodePoints(name(of: node)) }

  func key(_ operand: Int, _ field: String) -> CodePoints { CodePoints(name(of: operand, field)) }

  private func name(of node: Int) -> String {
    if case .slot(let slot) = operations[node] { return Self.name(slot: Int(slot)) }
    if let (operand, field) = field(node) { return name(of: operand, field) }
    if case .member(let target, "size", let given) = syntax.nodes[node], given.isEmpty {
      return "size(\(name(of: target)))"
    }
    if case .call("size", let given) = syntax.nodes[node], given.count == 1 {
      return "size(\(name(of: given[0])))"
    }
    return syntax.text(of: node)
  }

  private func name(of operand: Int, _ field: String) -> String {
    "\(name(of: operand))[\(Value.string(field).text(limit: .max))]"
  }

  /// `a.b`, or `a["b"]` of a map: what it is a field of, and its name.
  func field(_ node: Int) -> (operand: Int, field: String)? {
    if case .slot = operations[node] { return nil }
    switch syntax.nodes[node] {
    case .select(let operand, let field, false): return (operand, field)
    case .index(let operand, let index, false):
      guard case .map = types[operand], case .literal(.string(let field)) = syntax.nodes[index]
      else { return nil }
      return (operand, field)
    default: return nil
    }
  }

  /// The fact below which a part lies by nothing but fields.
  func slot(above node: Int) -> Int? {
    var at = node
    while true {
      if case .slot(let slot) = operations[at] { return Int(slot) }
      guard let (operand, _) = field(at) else { return nil }
      at = operand
    }
  }

  /// The value that a part always has, where it names nothing.
  func constant(_ node: Int) -> Value? {
    guard let value = fixed(node), !value.isError else { return nil }
    return value
  }

  /// What a part that names nothing always comes to, be it an error.
  func fixed(_ node: Int) -> Value? {
    if case .literal(let value) = syntax.nodes[node] { return value }
    guard !syntax.children(node).isEmpty, !namesAnything(node) else { return nil }
    return [Value?]().withUnsafeBufferPointer { slots in
      var evaluation = Evaluation(self, slots: slots, budget: Self.constantBudget, tracing: false)
      let value = evaluation.value(Int32(truncatingIfNeeded: node))
      // Past the budget nobody knows.
      if case .error(let error) = value, error.kind == .budget { return nil }
      return evaluation.meter.isSpent ? nil : value
    }
  }
  private static let constantBudget = 1_000
}
