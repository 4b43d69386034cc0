import Expressions
import Rules

/// What rests on the time, where facts do not say when it is. They are then absent, as in no real
/// case.
extension Facts {
  /// - Returns: what of the time is left open; nil where `now` is given, or open on purpose.
  fileprivate func timeLeftOut() -> (facts: [Fact], words: String)? {
    guard self[.now] == nil else { return nil }
    return self[.hours] == nil
      ? ([.now, .hours], "neither `now` nor `hours`") : ([.now], "no `now`")
  }

  /// The same with all open that they do not say of the time.
  fileprivate func openingTime(_ left: [Fact], _ hours: [String]) -> Facts {
    var open = self
    for fact in left { open.setUnknown(fact) }
    open.setUnknown(hours, of: .hours)  // those beside the ones that are given
    return open
  }

  fileprivate func closing(_ name: String) -> Facts {
    var closed = self
    var members = [(name, Value.bool(false))]
    if case .map(let stated)? = self[.hours] {
      for case (.string(let other), let value) in zip(stated.keys, stated.values)
      where other != name {
        members.append((other, value))
      }
    }
    closed[.hours] = .map(MapValue(members))
    return closed
  }
}

extension WorkspaceReader {
  /// Tests that at another hour might fail.
  func lintTimes(_ rules: RuleSet) {
    guard !rules.asked.isDisjoint(with: [.now, .hours]) || queues.contains(where: \.mayClose)
    else { return }
    var purse = Self.timesStepsMax
    for (place, test) in timeless where !findings.isFull {
      guard let left = test.facts.timeLeftOut() else { continue }
      var open = test.facts.openingTime(left.facts, hours.map(\.name))
      open.completeQueues(rules.quietQueues)
      let what: String
      if rules.isUndecided(open, from: &purse) {
        what = "which rule takes this rests on the time"
      } else if let hours = hoursDeciding(test, open, rules, &purse) {
        what = "what becomes of this rests on the hours `\(hours)`"
      } else {
        continue
      }
      place.report(
        "\(what), and the test gives \(left.words)",
        hint: "give `now`: which hours are open follows from it", severity: .warning)
    }
  }

  /// Hours of a queue that, while it is closed, does with the case what the test would not expect.
  private func hoursDeciding(
    _ test: RuleTest, _ open: Facts, _ rules: RuleSet, _ purse: inout Int
  ) -> String? {
    let decision = rules.evaluate(open, from: &purse)
    let actual = rules.actual(test.expected, decision)
    let found = decision.takenForOpen.first { name in
      let closed = rules.evaluate(open.closing(name), from: &purse)
      return rules.actual(test.expected, closed) != actual
    }
    return purse > 0 ? found : nil
  }

  /// - Units: steps of conditions for all tests together, about a second.
  private static let timesStepsMax = 10_000_000
}

extension QueueConfiguration {
  fileprivate var mayClose: Bool { hours != nil && closed != nil }
}

extension WorkspaceFolder {
  /// What becomes of facts that somebody states, with a line where that rests on a time which they
  /// do not.
  public static func explain(_ facts: Facts, by workspace: CheckedWorkspace) -> Explanation {
    var explanation = workspace.rules.explain(facts)
    guard let left = facts.timeLeftOut() else { return explanation }
    let open = facts.openingTime(left.facts, workspace.hours.map(\.name))
    let needs = workspace.rules.explain(open).trials.flatMap(\.needs)
    if needs.contains(where: { $0 == Fact.now.name || $0.hasPrefix(Fact.hours.name) }) {
      explanation.decision.passedOn.insert(
        "which rule takes this rests on the time, and the facts give \(left.words)", at: 0)
    }
    return explanation
  }
}
