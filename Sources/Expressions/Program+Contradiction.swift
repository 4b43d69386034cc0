/// Clauses of one condition that cannot be true together.
extension Program {
  /// Whether some clauses exclude one another: one expression equal to two texts, beyond two bounds
  /// that leave
  /// nothing between them, or both true and not.
  var isContradiction: Bool {
    guard case .and(let parts) = syntax.nodes[syntax.root] else { return false }
    var bounds: [String: Bounds] = [:]
    var positive: Set<String> = []
    var negative: Set<String> = []
    for part in parts {
      if case .call("!_", let inner) = syntax.nodes[part], inner.count == 1 {
        negative.insert(syntax.text(of: inner[0]))
      } else {
        positive.insert(syntax.text(of: part))
      }
      guard let (what, relation, literal) = comparison(part) else { continue }
      bounds[what, default: Bounds()].take(relation, literal)
      if bounds[what]?.isEmpty ?? false { return true }
    }
    return !positive.isDisjoint(with: negative)
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
  private struct Bounds {
    private var low = -Double.infinity
    private var high = Double.infinity
    private var isLowOut = false
    private var isHighOut = false
    private var same: Value?
    private(set) var isEmpty = false

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
