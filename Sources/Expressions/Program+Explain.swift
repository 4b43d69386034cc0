/// Why a condition did not hold.
extension Program {
  public struct FailedPart: Sendable {
    public var source: String
    public var value: Value
    /// The values of what the part names.
    public var parts: [(source: String, value: Value)]
  }

  /// The smallest parts that made the whole false or an error: of a conjunction the part that
  /// decided, of a disjunction every part.
  public func failures(_ trace: (Value, [Value?])) -> [FailedPart] {
    var found: [FailedPart] = []
    collectFailures(syntax.root, trace.1, wanted: true, into: &found)
    return found
  }

  /// What would have to be known for the condition to be decided; empty where it is: an unknown
  /// outweighs an error beside it, but what needs both to be true will not be.
  public func needs(_ trace: (Value, [Value?])) -> [String] {
    mayBecome(true, syntax.root, trace.1) ? trace.0.needs : []
  }

  /// Whether a part may come to this once everything is known.
  private func mayBecome(_ wanted: Bool, _ node: Int, _ trace: [Value?]) -> Bool {
    guard let value = trace[node] else { return true }
    guard value.isUnknown else { return isWanted(value, wanted) }
    switch syntax.nodes[node] {
    case .and(let parts) where wanted, .or(let parts) where !wanted:
      return parts.allSatisfy { mayBecome(wanted, $0, trace) }
    case .and(let parts), .or(let parts):
      return parts.contains { mayBecome(wanted, $0, trace) }
    case .call("!_", let inner) where inner.count == 1:
      return mayBecome(!wanted, inner[0], trace)
    case .conditional(let condition, let then, let otherwise):
      return mayBecome(true, condition, trace) && mayBecome(wanted, then, trace)
        || mayBecome(false, condition, trace) && mayBecome(wanted, otherwise, trace)
    default: return true
    }
  }

  private func isWanted(_ value: Value?, _ wanted: Bool) -> Bool {
    if case .bool(wanted)? = value { true } else { false }
  }

  private func collectFailures(
    _ node: Int, _ trace: [Value?], wanted: Bool, into found: inout [FailedPart]
  ) {
    guard let value = trace[node], !isWanted(value, wanted), found.count < 20 else { return }
    switch syntax.nodes[node] {
    case .and(let parts) where wanted, .or(let parts) where !wanted:
      // A part that is plainly false outweighs an error beside it.
      let plain = parts.filter { isWanted(trace[$0], !wanted) }
      let errors = parts.filter { trace[$0]?.isError ?? false }
      let settled = errors.filter { !mayBecome(wanted, $0, trace) }
      let deciding = !plain.isEmpty ? plain : !settled.isEmpty ? settled : errors
      for part in deciding { collectFailures(part, trace, wanted: wanted, into: &found) }
    case .or(let parts), .and(let parts):
      for part in parts { collectFailures(part, trace, wanted: wanted, into: &found) }
    case .call("!_", let inner) where inner.count == 1 && !value.isError:
      collectFailures(inner[0], trace, wanted: !wanted, into: &found)
    default:
      found.append(FailedPart(source: text(of: node), value: value, parts: named(node, trace)))
    }
  }

  /// What a node's source says.
  public func text(of node: Int) -> String {
    let extent = syntax.extents[node]
    let bytes = Array(source.utf8)
    guard extent.start <= extent.end, extent.end <= bytes.count else { return "" }
    return String(decoding: bytes[extent.start..<extent.end], as: UTF8.self)
  }

  /// The facts and fields below a node that have a value, the outermost of each. What has another
  /// value for each element of a list has none to show.
  private func named(_ node: Int, _ trace: [Value?]) -> [(source: String, value: Value)] {
    // A field that is plainly false says all that there is to say.
    if isName(node), trace[node].map({ !$0.isError }) ?? false { return [] }
    var found: [(source: String, value: Value)] = []
    collectNamed(node, node, trace, elements: [], into: &found)
    return found
  }

  private func isName(_ node: Int) -> Bool {
    switch syntax.nodes[node] {
    case .name, .select, .index: true
    default: false
    }
  }

  /// - Parameter elements: the locals that stand for elements here.
  private func collectNamed(
    _ node: Int, _ top: Int, _ trace: [Value?], elements: Set<Int32>,
    into found: inout [(source: String, value: Value)]
  ) {
    guard found.count < 8 else { return }
    if isName(node), node != top, let value = trace[node], !value.isError,
      !uses(elements, node)
    {
      let text = text(of: node)
      if !found.contains(where: { $0.source == text }) { found.append((text, value)) }
      return
    }
    if case .fold(let index) = operations[node] {
      let fold = folds[Int(index)]
      collectNamed(fold.range, top, trace, elements: elements, into: &found)
      var inner = elements
      inner.insert(Int32(fold.local))
      if fold.hasSecond { inner.insert(Int32(fold.local + 1)) }
      for part in [fold.filter, fold.body] where part >= 0 {
        collectNamed(part, top, trace, elements: inner, into: &found)
      }
      return
    }
    for child in syntax.children(node) {
      collectNamed(child, top, trace, elements: elements, into: &found)
    }
  }

  private func uses(_ elements: Set<Int32>, _ node: Int) -> Bool {
    guard !elements.isEmpty else { return false }
    if case .local(let index) = operations[node] { return elements.contains(index) }
    return syntax.children(node).contains { uses(elements, $0) }
  }
}

extension Syntax {
  /// The nodes right below a node.
  public func children(_ node: NodeID) -> [NodeID] {
    switch nodes[node] {
    case .invalid, .literal, .name: []
    case .select(let operand, _, _), .has(let operand, _): [operand]
    case .index(let a, let b, _): [a, b]
    case .call(_, let arguments): arguments
    case .member(let target, _, let arguments): [target] + arguments
    case .list(let elements, _): elements
    case .map(let entries, _): entries.flatMap { [$0.key, $0.value] }
    case .message(_, let fields): fields.map(\.value)
    case .and(let parts), .or(let parts): parts
    case .conditional(let a, let b, let c): [a, b, c]
    case .fold(let fold): [fold.range] + (fold.filter.map { [$0] } ?? []) + [fold.body]
    case .bind(_, let value, let body): [value, body]
    case .optionalMap(let target, _, let body, _): [target, body]
    case .block(let values, let body): values + [body]
    }
  }
}
