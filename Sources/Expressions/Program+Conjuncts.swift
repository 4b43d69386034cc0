/// What a condition asks, clause by clause, in a form in which two conditions can be compared.
extension Program {
  /// One clause of a conjunction, as the ways in which it can be true: one, or those of `a || b`
  /// and of
  /// `x in ["a", "b"]`, which is `x == "a" || x == "b"`.
  public struct Conjunct: Sendable, Hashable {
    /// Each as source; the sides of an equality stand so that a literal comes last.
    public var alternatives: Set<String>

    /// Whether this one is true whenever the other is.
    public func isImplied(by other: Conjunct) -> Bool {
      other.alternatives.isSubset(of: alternatives)
    }
  }

  /// The clauses that must all be true.
  public var conjuncts: [Conjunct] {
    guard case .and(let parts) = syntax.nodes[syntax.root] else { return [conjunct(syntax.root)] }
    return parts.map(conjunct)
  }

  private func conjunct(_ node: Int) -> Conjunct {
    if case .or(let parts) = syntax.nodes[node] {
      return Conjunct(
        alternatives: parts.reduce(into: []) { $0.formUnion(conjunct($1).alternatives) })
    }
    if case .call("@in", let sides) = syntax.nodes[node], sides.count == 2,
      case .list(let elements, let optional) = syntax.nodes[sides[1]], optional.isEmpty,
      !elements.isEmpty,
      elements.allSatisfy(isLiteral)
    {
      return Conjunct(alternatives: Set(elements.map { equality(sides[0], $0) }))
    }
    if case .call("_==_", let sides) = syntax.nodes[node], sides.count == 2 {
      let isReversed = isLiteral(sides[0]) && !isLiteral(sides[1])
      return Conjunct(alternatives: [
        isReversed ? equality(sides[1], sides[0]) : equality(sides[0], sides[1])
      ])
    }
    return Conjunct(alternatives: [syntax.text(of: node)])
  }

  private func isLiteral(_ node: Int) -> Bool {
    if case .literal = syntax.nodes[node] { true } else { false }
  }

  private func equality(_ a: Int, _ b: Int) -> String {
    "\(syntax.text(of: a)) == \(syntax.text(of: b))"
  }
}
