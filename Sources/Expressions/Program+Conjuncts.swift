/// What a condition asks, clause by clause, in a form in which two conditions can be compared.
extension Program {
  /// One clause of a conjunction, as the ways in which it can be true: one, or those of `a || b`
  /// and of
  /// `x in ["a", "b"]`, which is `x == "a" || x == "b"`.
  public struct Conjunct: Sendable, Hashable {
    /// Each as source in one form: a literal stands last, `x == true` is `x`, and what is negated
    /// begins with `! `.
    public var alternatives: Set<String>
    /// What one expression can be for this clause to be true, when it compares it with a number.
    var bounds: (what: String, range: Bounds)?

    /// Whether this one is true whenever the other is.
    public func isImplied(by other: Conjunct) -> Bool {
      if other.alternatives.isSubset(of: alternatives) { return true }
      guard let bounds, let others = other.bounds else { return false }
      return bounds.what == others.what && bounds.range.contains(others.range)
    }

    /// Names under which clauses that this one may be implied by can be found: for those that
    /// compare the same expression with a number one name.
    public var boundKey: String? { bounds.map { "number " + $0.what } }
    /// Whether it says a number exactly.
    public var isEquality: Bool { bounds?.range.isPoint ?? false }

    public static func == (a: Self, b: Self) -> Bool { a.alternatives == b.alternatives }
    public func hash(into hasher: inout Hasher) { hasher.combine(alternatives) }
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
      let elements = literals(sides[1])
    {
      return Conjunct(alternatives: Set(elements.map { equality(sides[0], $0) }))
    }
    return Conjunct(alternatives: [clause(node)], bounds: bounds(of: node))
  }

  /// The literals of a list that holds nothing else.
  func literals(_ node: Int) -> [Int]? {
    guard case .list(let elements, let optional) = syntax.nodes[node], optional.isEmpty,
      !elements.isEmpty, elements.allSatisfy(isLiteral)
    else { return nil }
    return elements
  }

  /// A clause in the form in which clauses are compared: two of one form are true together.
  func clause(_ node: Int) -> String {
    let (text, isNegated) = clause(node, negated: false)
    return isNegated ? "! " + text : text
  }

  private func clause(_ node: Int, negated: Bool) -> (String, Bool) {
    switch syntax.nodes[node] {
    case .call("!_", let inner) where inner.count == 1: return clause(inner[0], negated: !negated)
    case .call("_==_", let sides) where sides.count == 2:
      // Whatever is not true, or has no value, makes `x == true` so, too.
      for (side, literal) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        if !negated, case .literal(.bool(let bool)) = syntax.nodes[literal] {
          return clause(side, negated: !bool)
        }
      }
      return (ordered(sides), negated)
    case .call("_!=_", let sides) where sides.count == 2: return (ordered(sides), !negated)
    default: return (syntax.text(of: node), negated)
    }
  }

  private func ordered(_ sides: [Int]) -> String {
    let isReversed = isLiteral(sides[0]) && !isLiteral(sides[1])
    return isReversed ? equality(sides[1], sides[0]) : equality(sides[0], sides[1])
  }

  private func isLiteral(_ node: Int) -> Bool {
    if case .literal = syntax.nodes[node] { true } else { false }
  }

  private func equality(_ a: Int, _ b: Int) -> String {
    "\(syntax.text(of: a)) == \(syntax.text(of: b))"
  }
}
