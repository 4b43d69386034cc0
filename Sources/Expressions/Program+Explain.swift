/// Why a condition did not hold.
extension Program {
  public struct FailedPart: Sendable {
    public var source: String
    public var value: Value
    /// The values of what the part names.
    public var parts: [(source: String, value: Value)]
  }

  /// The smallest parts that made the whole false or an error: of a conjunction the part that
  /// decided, of a
  /// disjunction every part.
  public func failures(_ trace: (Value, [Value?])) -> [FailedPart] {
    var found: [FailedPart] = []
    collectFailures(syntax.root, trace.1, wanted: true, into: &found)
    return found
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
      let deciding = plain.isEmpty ? parts.filter { trace[$0]?.isError ?? false } : plain
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

  /// The facts and fields below a node that have a value, the outermost of each.
  private func named(_ node: Int, _ trace: [Value?]) -> [(source: String, value: Value)] {
    var found: [(source: String, value: Value)] = []
    collectNamed(node, node, trace, into: &found)
    return found
  }

  private func collectNamed(
    _ node: Int, _ top: Int, _ trace: [Value?], into found: inout [(source: String, value: Value)]
  ) {
    guard found.count < 8 else { return }
    switch syntax.nodes[node] {
    case .name, .select, .index:
      if node != top, let value = trace[node], !value.isError {
        let text = text(of: node)
        if !found.contains(where: { $0.source == text }) { found.append((text, value)) }
        return
      }
      if case .select(let operand, _, _) = syntax.nodes[node] {
        collectNamed(operand, top, trace, into: &found)
      }
      if case .index(let operand, let index, _) = syntax.nodes[node] {
        collectNamed(operand, top, trace, into: &found)
        collectNamed(index, top, trace, into: &found)
      }
    case .fold(let fold): collectNamed(fold.range, top, trace, into: &found)
    default:
      for child in syntax.children(node) { collectNamed(child, top, trace, into: &found) }
    }
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
