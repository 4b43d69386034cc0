import Expressions
import Rules

/// What came of one test.
public struct TestOutcome: Sendable {
  public var name: String
  public var place: String
  public var failures: [(key: String, expected: String, actual: String)]
  /// Every rule tried, when something failed.
  public var explanation: Explanation?
  public var passed: Bool { failures.isEmpty }
}

extension WorkspaceFolder {
  /// Runs tests against rules.
  public static func run(_ tests: [RuleTest], against rules: RuleSet) -> [TestOutcome] {
    tests.map { test in
      let decision = rules.evaluate(test.facts)
      let actual = decision.expectations
      let failures = test.expected.filter { $0.value != actual[$0.key] ?? "–" }
        .map { (key: $0.key, expected: $0.value, actual: actual[$0.key] ?? "–") }
      return TestOutcome(
        name: test.name, place: test.place, failures: failures,
        explanation: failures.isEmpty ? nil : rules.explain(test.facts))
    }
  }
}

extension TestOutcome: CustomStringConvertible {
  public var description: String {
    guard !passed else { return "✓ \(name)" }
    var lines = ["✗ \(name)  (\(place))"]
    for failure in failures {
      lines.append("    \(failure.key): expected \(failure.expected), got \(failure.actual)")
    }
    if let explanation {
      lines += explanation.description.split(separator: "\n").map { "    \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}

extension Decision {
  /// The decision under the keys that tests use.
  var expectations: [String: String] {
    var found = ["rule": rule]
    switch outcome {
    case .action(.answer(let text)): found["answer"] = text
    case .action(.handBack(let reason)): found["hand_back"] = reason
    case .action(.reject(let reason)): found["reject"] = reason
    case .route(let plan):
      found["queue"] = plan.queue
      found["priority"] = String(plan.priority)
      found["skills"] = plan.requiredSkills.expectation
      found["prefer_skills"] = plan.preferredSkills.expectation
      found["exclude"] = plan.excludedAgents.expectation
      if let text = plan.leaveMessage { found["leave_message"] = text }
      found["agents"] = plan.requiredAgents.expectation
      found["teams"] = plan.requiredTeams.expectation
      found["exclude_teams"] = plan.excludedTeams.expectation
      found["tags"] = plan.tags.expectation
      found["steps"] = String(plan.steps.count)
      if let level = plan.serviceLevelMilliseconds { found["service_level"] = "\(level / 1_000) s" }
      if let preference = plan.preference { found["prefer"] = preference.expectation }
    }
    return found
  }
}

extension Plan.AgentPreference {
  var expectation: String {
    let who =
      switch whom {
      case .lastAgent: "last"
      case .named(let name): name
      case .accountTeam: "account_team"
      }
    return "\(who) for \(forMilliseconds / 1_000) s"
  }
}
