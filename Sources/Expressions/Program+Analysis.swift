/// What can be known of a condition before it runs.
extension Program {
  /// The facts without which this condition cannot be true: those that every way to true goes
  /// through.
  public func requiredSlots() -> [(slot: Int, node: Int)] {
    var found: [(slot: Int, node: Int)] = []
    collectRequired(syntax.root, for: .true, into: &found)
    return found
  }

  /// What a part must come to: true, false, or anything that is no error.
  private enum Outcome {
    case `true`, `false`, value
    var negated: Outcome {
      switch self {
      case .true: .false
      case .false: .true
      case .value: .value
      }
    }
  }

  /// The facts without which a part has no value.
  func slotsNeeded(by node: Int) -> [(slot: Int, node: Int)] {
    var found: [(slot: Int, node: Int)] = []
    collectRequired(node, for: .value, into: &found)
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

  private func collectRequired(
    _ node: Int, for outcome: Outcome, into found: inout [(slot: Int, node: Int)]
  ) {
    func note(_ slot: Int32) {
      if !found.contains(where: { $0.slot == Int(slot) }) { found.append((Int(slot), node)) }
    }
    switch operations[node] {
    case .slot(let slot): return note(slot)
    // Without the fact `has` is false, and so is all that asks for true.
    case .hasSlot(let slot): return outcome == .true ? note(slot) : ()
    case .optionalSlot: return
    case .otherwise(let optional, _, _):
      return collectRequired(Int(optional), for: .value, into: &found)
    default: break
    }
    switch syntax.nodes[node] {
    // One part that decides outweighs an error in another: only where none may, all are needed.
    case .and(let parts) where outcome == .false: collectCommon(parts, for: outcome, into: &found)
    case .and(let parts):
      guard outcome == .true || parts.count == 1 else { return }
      for part in parts { collectRequired(part, for: outcome, into: &found) }
    case .or(let parts) where outcome == .true: collectCommon(parts, for: outcome, into: &found)
    case .or(let parts):
      guard outcome == .false || parts.count == 1 else { return }
      for part in parts { collectRequired(part, for: outcome, into: &found) }
    case .call("!_", let inner) where inner.count == 1:
      collectRequired(inner[0], for: outcome.negated, into: &found)
    case .conditional(let condition, let then, let otherwise):
      collectRequired(condition, for: .value, into: &found)
      collectCommon([then, otherwise], for: outcome, into: &found)
    case .fold(let fold): collectRequired(fold.range, for: .value, into: &found)
    case .optionalMap(let target, _, _, _): collectRequired(target, for: .value, into: &found)
    // What is bound may go unused.
    case .bind(_, _, let body), .block(_, let body):
      collectRequired(body, for: outcome, into: &found)
    default:
      for child in syntax.children(node) { collectRequired(child, for: .value, into: &found) }
    }
  }

  /// Of ways of which one suffices: what all of them need.
  private func collectCommon(
    _ ways: [Int], for outcome: Outcome, into found: inout [(slot: Int, node: Int)]
  ) {
    var common: [(slot: Int, node: Int)]?
    for way in ways {
      var own: [(slot: Int, node: Int)] = []
      collectRequired(way, for: outcome, into: &own)
      common =
        common.map { all in all.filter { one in own.contains { $0.slot == one.slot } } } ?? own
    }
    for one in common ?? [] where !found.contains(where: { $0.slot == one.slot }) {
      found.append(one)
    }
  }

  /// What finding out whether a condition is constant may cost: thousands of rules are looked at.
  /// For whoever looks at an expression without facts: what takes longer is not known.
  public static let lookingBudget = 10_000

  /// What comes out while nothing is known: it does not rest on any fact.
  public var plainOutcome: Bool? {
    let unknown = slotNames.map { Value.unknown($0) }
    guard case .bool(let bool) = evaluate(unknown, budget: Self.lookingBudget) else { return nil }
    return bool
  }

  /// True or false when the condition is that, or ends in an error, whatever the facts are.
  public func constantOutcome(_ premises: Premises = Premises()) -> Bool? {
    if let plain = plainOutcome { return plain }
    var conditions = Conditions(premises)
    let outcomes = conditions.outcomes(of: conditions.add(self))
    return !outcomes.mayBeTrue ? false : outcomes.isAlwaysTrue ? true : nil
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

  /// The names that are asked of a fact that is a map; nil where more is asked of it, such as how many
  /// there are.
  public func namesAsked(of slot: Int) -> [String]? {
    var names = fields(below: slot).map(\.field)
    for case .call("@in", let sides) in syntax.nodes where sides.count == 2 {
      if isSlot(sides[1], slot), case .literal(.string(let name)) = syntax.nodes[sides[0]] {
        names.append(name)
      }
    }
    return syntax.nodes.indices.count { isSlot($0, slot) } == names.count ? names : nil
  }

  /// For whoever counts days, months or hours from one: they ask for a seventh day, or a twelfth
  /// month.
  public var hintOfCounting: String? {
    for node in syntax.nodes {
      guard case .call(_, let sides) = node, sides.count == 2 else { continue }
      for (subject, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        guard case .member(_, let name, _) = syntax.nodes[subject],
          let (number, hint) = Self.countings[name]
        else { continue }
        var asked = [other]
        if case .list(let elements, _) = syntax.nodes[other] { asked = elements }
        let asks = asked.contains {
          if case .literal(.int(number)) = syntax.nodes[$0] { true } else { false }
        }
        if asks { return hint }
      }
    }
    return nil
  }

  /// What each counts, and the number that whoever counts otherwise asks for.
  private static let countings: [String: (Int64, String)] = [
    "getDayOfWeek": (7, "days are counted from 0, which is Sunday, to 6"),
    "getMonth": (12, "months are counted from 0, which is January, to 11"),
    "getDayOfMonth": (31, "here days are counted from 0 to 30; `getDate` counts them from 1"),
    "getDate": (0, "days are counted from 1 to 31; `getDayOfMonth` counts them from 0"),
    "getHours": (24, "hours are counted from 0 to 23"),
    "getMinutes": (60, "minutes are counted from 0 to 59"),
  ]

  /// Every length of time of which somebody makes a whole number.
  public func lengthsAsNumbers() -> [(node: Int, length: Int)] {
    syntax.nodes.indices.compactMap { node in
      guard case .call("int", let given) = syntax.nodes[node], given.count == 1,
        types[given[0]] == .duration
      else { return nil }
      return (node, given[0])
    }
  }

  /// Every length of time of less than a second that somebody makes of a whole number: it counts
  /// nanoseconds.
  public func numbersAsLengths() -> [(node: Int, number: Int64)] {
    syntax.nodes.indices.compactMap { node in
      guard case .call("duration", let given) = syntax.nodes[node], given.count == 1,
        case .literal(.int(let number)) = syntax.nodes[given[0]],
        (1..<1_000_000_000).contains(number)
      else { return nil }
      return (node, number)
    }
  }

  /// Every `a.b == null` of a field that may be missing, where nothing asks whether it is there:
  /// what is missing is not null.
  public func comparisonsWithNull() -> [(node: Int, presence: String)] {
    syntax.nodes.indices.compactMap { node in
      guard case .call("_==_", let sides) = syntax.nodes[node], sides.count == 2 else { return nil }
      for (subject, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        guard case .literal(.null) = syntax.nodes[other], field(subject) != nil,
          let presence = Checker.presence(of: subject, syntax, isThere: true)
        else { continue }
        let isAsked = syntax.nodes.indices.contains { asked in
          switch syntax.nodes[asked] {
          case .has, .call("@in", _): syntax.text(of: asked) == presence
          default: false
          }
        }
        return isAsked ? nil : (node, presence)
      }
      return nil
    }
  }

  private func isSlot(_ node: Int, _ slot: Int) -> Bool {
    if case .slot(let own) = operations[node] { Int(own) == slot } else { false }
  }
}
