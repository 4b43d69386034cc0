/// What can be known of a condition before it runs.
extension Program {
  /// The facts without which this condition cannot be true: those that every way to true goes
  /// through.
  public func requiredSlots() -> [(slot: Int, node: Int)] {
    var found: [(slot: Int, node: Int)] = []
    collectRequired(syntax.root, into: &found)
    return found
  }

  /// Every fact that evaluating may look at.
  public var slotsRead: Set<Int> {
    var found: Set<Int> = []
    for operation in operations {
      switch operation {
      case .slot(let slot), .hasSlot(let slot), .optionalSlot(let slot), .path(let slot, _, _):
        found.insert(Int(slot))
      default: break
      }
    }
    return found
  }

  private func collectRequired(_ node: Int, into found: inout [(slot: Int, node: Int)]) {
    switch operations[node] {
    case .slot(let slot):
      if !found.contains(where: { $0.slot == Int(slot) }) { found.append((Int(slot), node)) }
      return
    case .hasSlot, .optionalSlot: return
    default: break
    }
    switch syntax.nodes[node] {
    // An error on one side is outweighed by the other.
    case .or(let parts) where parts.count > 1: return
    case .conditional(let condition, _, _): collectRequired(condition, into: &found)
    case .fold(let fold): collectRequired(fold.range, into: &found)
    case .optionalMap(let target, _, _, _): collectRequired(target, into: &found)
    // What is bound may go unused.
    case .bind(_, _, let body), .block(_, let body): collectRequired(body, into: &found)
    case .call("!_", let inner): collectNegated(inner, into: &found)
    default: for child in syntax.children(node) { collectRequired(child, into: &found) }
    }
  }

  /// Below a `!`, `&&` is what `||` is elsewhere.
  private func collectNegated(_ inner: [Int], into found: inout [(slot: Int, node: Int)]) {
    for node in inner {
      switch syntax.nodes[node] {
      case .and: continue
      case .or(let parts): for part in parts { collectRequired(part, into: &found) }
      default: collectRequired(node, into: &found)
      }
    }
  }

  /// True or false when the condition is that whatever the facts are.
  public var constantOutcome: Bool? {
    // What comes out while nothing is known does not rest on any fact.
    if case .bool(let bool) = evaluate(slotNames.map { .unknown($0) }) { return bool }
    if isContradiction { return false }
    return nil
  }

  /// Every field that is read right below a fact: `queues.support` for the slot of `queues`.
  public func fields(below slot: Int) -> [(field: String, node: Int)] {
    syntax.nodes.indices.compactMap { node in
      switch syntax.nodes[node] {
      case .select(let operand, let field, _), .has(let operand, let field):
        return isSlot(operand, slot) ? (field, node) : nil
      case .index(let operand, let index, _):
        guard isSlot(operand, slot), case .literal(.string(let field)) = syntax.nodes[index] else {
          return nil
        }
        return (field, node)
      default: return nil
      }
    }
  }

  private func isSlot(_ node: Int, _ slot: Int) -> Bool {
    if case .slot(let own) = operations[node] { Int(own) == slot } else { false }
  }

  /// The most steps that evaluating could take, were every list and text among the facts as large
  /// as facts may
  /// be. Saturates.
  ///
  /// - Units: those of `Meter`.
  public var estimatedCost: Int {
    var sizes: [Int: Int] = [:]
    var costs: [Int: Int] = [:]
    // Children stand before their parents in the array.
    for node in syntax.nodes.indices { (costs[node], sizes[node]) = estimate(node, costs, sizes) }
    return costs[syntax.root] ?? 0
  }

  /// How many elements a list among the facts is taken to have at most.
  static let assumedElements = 100

  private func estimate(_ node: Int, _ costs: [Int: Int], _ sizes: [Int: Int]) -> (
    cost: Int, size: Int
  ) {
    func cost(_ node: Int) -> Int { costs[node] ?? 1 }
    func size(_ node: Int) -> Int { sizes[node] ?? Self.assumedElements }
    let below = syntax.children(node).reduce(1) { Self.add($0, cost($1)) }
    switch syntax.nodes[node] {
    case .list(let elements, _): return (below, elements.count)
    case .map(let entries, _): return (below, entries.count)
    case .fold(let fold):
      let once = Self.add(1, Self.add(cost(fold.body), fold.filter.map(cost) ?? 0))
      return (Self.add(cost(fold.range), Self.multiply(size(fold.range), once)), size(fold.range))
    case .call(let name, let arguments), .member(_, let name, let arguments):
      if name == "range",
        case .literal(.int(let count))? = arguments.first.map({ syntax.nodes[$0] })
      {
        return (Self.add(below, Int(clamping: count)), Int(clamping: count))
      }
      if name == "_+_", arguments.count == 2 {
        return (below, Self.add(size(arguments[0]), size(arguments[1])))
      }
      if name == "@in" || name == "_==_", arguments.count == 2 {
        return (Self.add(below, size(arguments[1])), 1)
      }
      return (below, Self.assumedElements)
    case .conditional(_, let then, let otherwise): return (below, max(size(then), size(otherwise)))
    case .bind(_, _, let body), .block(_, let body), .optionalMap(_, _, let body, _):
      return (below, size(body))
    default: return (below, Self.assumedElements)
    }
  }

  private static func add(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }
  private static func multiply(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : product
  }
}
