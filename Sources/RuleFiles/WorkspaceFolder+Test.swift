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
      // Not where they are read: of thousands of tests each would keep all queues.
      var facts = test.facts
      facts.completeQueues(rules.quietQueues)
      let decision = rules.evaluate(facts)
      let actual = rules.actual(test.expected, decision)
      let failures = zip(test.expected, actual).filter { $0.value != $1 }
        .map { (key: $0.key, expected: $0.value, actual: $1) }
      return TestOutcome(
        name: test.name, place: test.place, failures: failures,
        explanation: failures.isEmpty ? nil : rules.explain(facts))
    }
  }
}

extension RuleSet {
  /// What a decision has in place of each thing that a test expects.
  func actual(_ expected: [(key: String, value: String)], _ decision: Decision) -> [String] {
    let all = decision.expectations(of: rules[decision.ruleIndex])
    return expected.map { all[$0.key] ?? "–" }
  }
}

extension WorkspaceFolder {
  private static let namedMax = 10

  /// How many of a folder's own tests fail, and which; nil where none does.
  public static func failing(_ loaded: Loaded) -> String? {
    guard let rules = loaded.workspace?.rules else { return nil }
    let failed = run(loaded.tests, against: rules).filter { !$0.passed }
    guard !failed.isEmpty else { return nil }
    let named = failed.prefix(namedMax).map { "`\($0.name)` (\($0.place))" }
    let more = failed.count > namedMax ? ", …" : ""
    let count =
      "\(failed.count) of \(loaded.tests.count) tests \(failed.count == 1 ? "fails" : "fail")"
    return
      "\(count), and the rules apply all the same: \(named.joined(separator: ", "))\(more); `throughline rules test` shows why"
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
  /// `steps` where a test says which, and not how many.
  static let stepsListed = "steps, one by one"

  /// The decision under the keys that tests use.
  func expectations(of taker: Rule) -> [String: String] {
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
      found[Self.stepsListed] = plan.steps.expectation
      found["wanted_skills"] = taker.wantedSkills?.rawValue ?? "none"
      found["language"] = taker.language?.rawValue ?? "none"
      if let weight = plan.weight { found["weight"] = String(weight) }
      if let level = plan.serviceLevelMilliseconds { found["service_level"] = "\(level / 1_000) s" }
      if let preference = plan.preference { found["prefer"] = preference.expectation }
    }
    return found
  }
}

extension [Plan.Step] {
  var expectation: String {
    let lines = map { "after \($0.afterMilliseconds / 1_000) s \($0.change.line)" }
    return lines.isEmpty ? "none" : lines.joined(separator: "; ")
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
