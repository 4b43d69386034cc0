/// Clauses of one condition that cannot be true together, or of which one always is.
extension Program {
  /// Whether some clauses exclude one another: one expression equal to two texts, beyond two bounds
  /// that leave
  /// nothing between them, or both true and not.
  var isContradiction: Bool {
    guard case .and(let parts) = syntax.nodes[syntax.root] else { return false }
    var bounds: [String: Bounds] = [:]
    for part in parts {
      guard let (what, relation, literal) = comparison(part) else { continue }
      bounds[what, default: Bounds()].take(relation, literal)
      if bounds[what]?.isEmpty ?? false { return true }
    }
    return holdsBoth(parts)
  }

  /// Whether it says `a || !a`: true whenever its facts are there, and an error when not.
  public var isTrivial: Bool {
    guard case .or(let parts) = syntax.nodes[syntax.root] else { return false }
    return holdsBoth(parts)
  }

  /// Whether one clause stands there and its contrary, too.
  private func holdsBoth(_ parts: [Int]) -> Bool {
    let clauses = Set(parts.map(clause))
    return clauses.contains { clauses.contains("! " + $0) }
  }

  /// The bounds that a clause alone sets.
  func bounds(of node: Int) -> (what: String, range: Bounds)? {
    guard let (what, relation, literal) = comparison(node) else { return nil }
    var bounds = Bounds()
    bounds.take(relation, literal)
    return bounds.isNumeric ? (what, bounds) : nil
  }

  /// `what relation literal`, whichever side the literal stands on.
  private func comparison(_ node: Int) -> (what: String, relation: String, literal: Value)? {
    guard case .call(let name, let sides) = syntax.nodes[node], sides.count == 2,
      let turned = Self.turned[name]
    else {
      return nil
    }
    if case .literal(let value) = syntax.nodes[sides[1]] {
      return (syntax.text(of: sides[0]), name, value)
    }
    if case .literal(let value) = syntax.nodes[sides[0]] {
      return (syntax.text(of: sides[1]), turned, value)
    }
    return nil
  }

  private static let turned = [
    "_==_": "_==_", "_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_",
  ]

  /// What one expression can still be.
  struct Bounds: Sendable {
    private var low = -Double.infinity
    private var high = Double.infinity
    private var isLowOut = false
    private var isHighOut = false
    private var same: Value?
    private(set) var isEmpty = false
    private(set) var isNumeric = false

    var isPoint: Bool { low == high }

    /// Whether whatever the other leaves this leaves, too.
    func contains(_ other: Bounds) -> Bool {
      let isLow = low < other.low || (low == other.low && (!isLowOut || other.isLowOut))
      let isHigh = high > other.high || (high == other.high && (!isHighOut || other.isHighOut))
      return isLow && isHigh
    }

    mutating func take(_ relation: String, _ literal: Value) {
      if relation == "_==_" {
        if let same, same != literal { isEmpty = isEmpty || !Self.mayBeSame(same, literal) }
        same = literal
      }
      let number: Double
      switch literal {
      case .int(let int): number = Double(int)
      case .uint(let uint): number = Double(uint)
      case .double(let double): number = double
      default: return
      }
      // Beyond this an integer and its nearest double differ: let it be.
      guard number.magnitude < 9e15 else { return }
      isNumeric = true
      if relation == "_==_" || relation.hasPrefix("_>") { raise(number, isOut: relation == "_>_") }
      if relation == "_==_" || relation.hasPrefix("_<") { lower(number, isOut: relation == "_<_") }
      if low > high || (low == high && (isLowOut || isHighOut)) { isEmpty = true }
    }

    /// Numbers of two types may be equal; all else of two types is not.
    private static func mayBeSame(_ a: Value, _ b: Value) -> Bool {
      var meter = Meter(100_000)
      return a.equals(b, &meter) ?? true
    }

    private mutating func raise(_ number: Double, isOut: Bool) {
      if number > low {
        (low, isLowOut) = (number, isOut)
      } else if number == low {
        isLowOut = isLowOut || isOut
      }
    }

    private mutating func lower(_ number: Double, isOut: Bool) {
      if number < high {
        (high, isHighOut) = (number, isOut)
      } else if number == high {
        isHighOut = isHighOut || isOut
      }
    }
  }
}
