/// Clauses of one condition that cannot be true together, or of which one always is.
extension Program {
  /// Whether some clauses exclude one another: one expression equal to two texts, beyond two bounds
  /// that leave
  /// nothing between them, one of two lists that have nothing in common, or both true and not.
  func isContradiction(_ counts: Set<Int>) -> Bool {
    let parts = clauses
    var bounds: [String: Bounds] = [:]
    var choices: [String: [Value]] = [:]
    for part in parts {
      if let (what, values) = choice(among: part) {
        choices[what] =
          choices[what]?.filter { one in values.contains { Bounds.mayBeSame(one, $0) } } ?? values
        if choices[what]?.isEmpty ?? false { return true }
      }
      guard let (what, relation, literal, subject) = comparison(part) else { continue }
      bounds[what, default: natural(subject, counts)].take(relation, literal)
      if bounds[what]?.isEmpty ?? false { return true }
    }
    return holdsBoth(parts)
  }

  /// What one expression must be one of: `x == 1`, `x in [1, 2]`, `x == 1 || x == 2`.
  private func choice(among node: Int) -> (what: String, values: [Value])? {
    switch syntax.nodes[node] {
    case .call("_==_", _):
      return comparison(node).map { ($0.what, [$0.literal]) }
    case .call("@in", let sides) where sides.count == 2:
      guard let elements = literals(sides[1]) else { return nil }
      let values = elements.compactMap { element in
        if case .literal(let value) = syntax.nodes[element] { value } else { nil }
      }
      return (syntax.text(of: sides[0]), values)
    case .or(let parts):
      let choices = parts.compactMap(choice)
      guard choices.count == parts.count, Set(choices.map(\.what)).count == 1 else { return nil }
      return (choices[0].what, choices.flatMap(\.values))
    default: return nil
    }
  }

  /// What an expression is at least and at most whatever the facts are.
  private func natural(_ node: Int, _ counts: Set<Int>) -> Bounds {
    var bounds = Bounds()
    if case .slot(let slot) = operations[node], counts.contains(Int(slot)) {
      bounds.take("_>=_", .int(0))
    }
    let name: String
    switch syntax.nodes[node] {
    case .member(_, let method, _): name = method
    case .call("size", _): name = "size"
    default: return bounds
    }
    let range: (Int64, Int64)
    switch name {
    case "size": range = (0, .max)
    // Of a length of time these count all of it; nobody writes a condition about less than none.
    case "getHours": range = (0, isMoment(node) ? 23 : .max)
    case "getDayOfWeek": range = (0, 6)
    case "getMonth": range = (0, 11)
    case "getDate": range = (1, 31)
    case "getDayOfMonth": range = (0, 30)
    case "getDayOfYear": range = (0, 365)
    default: return bounds
    }
    bounds.take("_>=_", .int(range.0))
    bounds.take("_<=_", .int(range.1))
    return bounds
  }

  /// Whether the hour is one of a day: it is asked in a time zone, or of `now`.
  private func isMoment(_ node: Int) -> Bool {
    guard case .member(let target, _, let given) = syntax.nodes[node] else { return false }
    if case .name("now", _) = syntax.nodes[target] { return true }
    return !given.isEmpty
  }

  /// Comparisons of an expression with itself.
  public var selfComparisons: [Int] {
    syntax.nodes.indices.filter { node in
      guard case .call(let name, let sides) = syntax.nodes[node], sides.count == 2,
        Self.turned[name] != nil || name == "_!=_"
      else { return false }
      return syntax.text(of: sides[0]) == syntax.text(of: sides[1])
    }
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
    guard let (what, relation, literal, _) = comparison(node) else { return nil }
    var bounds = Bounds()
    bounds.take(relation, literal)
    return bounds.isNumeric ? (what, bounds) : nil
  }

  /// `what relation literal`, whichever side the literal stands on.
  private func comparison(_ node: Int) -> (
    what: String, relation: String, literal: Value, subject: Int
  )? {
    guard case .call(let name, let sides) = syntax.nodes[node], sides.count == 2,
      let turned = Self.turned[name]
    else {
      return nil
    }
    if case .literal(let value) = syntax.nodes[sides[1]] {
      return (syntax.text(of: sides[0]), name, value, sides[0])
    }
    if case .literal(let value) = syntax.nodes[sides[0]] {
      return (syntax.text(of: sides[1]), turned, value, sides[1])
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
    static func mayBeSame(_ a: Value, _ b: Value) -> Bool {
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
