import Expressions

/// Why a case went where it went: every rule tried, and for each that did not match, the part that
/// was false.
///
/// Over part of the facts it tells what could become of the case: rules that are undecided, each
/// with what would have to be known, down to the first that surely matches.
public struct Explanation: Sendable {
  public struct Part: Sendable, Hashable {
    /// As it stands in the rule.
    public var expression: String
    /// `false`, `error: …` or `unknown: …`.
    public var outcome: String
    /// The values of what it names.
    public var values: [(expression: String, value: String)]

    public static func == (a: Part, b: Part) -> Bool {
      a.expression == b.expression && a.outcome == b.outcome
        && a.values.elementsEqual(b.values, by: ==)
    }
    public func hash(into hasher: inout Hasher) { hasher.combine(expression) }
  }

  public struct Trial: Sendable, Hashable {
    public var rule: String
    public var place: String
    public var matched: Bool
    /// The facts that would have to be known; empty where the rule is decided.
    public var needs: [String] = []
    public var reasons: [Part]
    public var isUndecided: Bool { !needs.isEmpty }
  }

  public var trials: [Trial]
  /// The rule that surely matches. Where others before it are undecided, each of them would come
  /// first.
  public var decision: Decision

  public var isUndecided: Bool { trials.contains(where: \.isUndecided) }
}

extension RuleSet {
  /// Tries every rule up to the one that matches, also those that the index leaves out, and says
  /// what each condition came to. Only what routing evaluates takes of what a case may cost.
  public func explain(_ facts: Facts) -> Explanation {
    var trials: [Explanation.Trial] = []
    var candidates = index.candidates(facts)
    var candidate = candidates.next()
    var purse = Self.stepsPerCaseMax
    for (at, rule) in rules.enumerated() {
      guard let condition = rule.when else {
        trials.append(.init(rule: rule.name, place: rule.place, matched: true, reasons: []))
        return Explanation(trials: trials, decision: decision(at, facts))
      }
      while let next = candidate, next < at { candidate = candidates.next() }
      let trace =
        candidate == at
        ? condition.trace(facts.slots, from: &purse) : condition.trace(facts.slots)
      let matched = trace.0 == .bool(true)
      let reasons = matched ? [] : condition.failures(trace).map(Explanation.Part.init)
      trials.append(
        .init(
          rule: rule.name, place: rule.place, matched: matched, needs: condition.needs(trace),
          reasons: reasons))
      if matched { return Explanation(trials: trials, decision: decision(at, facts)) }
    }
    return Explanation(trials: trials, decision: decision(rules.count - 1, facts))
  }
}

extension Explanation.Part {
  init(_ failure: Program.FailedPart) {
    expression = Self.oneLine(failure.source)
    outcome = failure.value.description
    values = failure.parts.map { (Self.oneLine($0.source), $0.value.description) }
  }

  /// A part that was written over several lines; a line ends in no text, so that nothing else is
  /// changed.
  private static func oneLine(_ source: String) -> String {
    source.split(whereSeparator: \.isNewline).map { line in
      String(line.drop { $0 == " " || $0 == "\t" })
    }.joined(separator: " ")
  }
}

extension Explanation: CustomStringConvertible {
  public var description: String {
    var lines: [String] = []
    for trial in trials {
      lines.append(
        "\(trial.matched ? "✓" : trial.isUndecided ? "?" : "✗") \(trial.rule)\(trial.place.isEmpty ? "" : "  (\(trial.place))")"
      )
      for reason in trial.reasons {
        lines.append("    \(reason.expression)  is \(reason.outcome)")
        for value in reason.values { lines.append("      \(value.expression) = \(value.value)") }
      }
    }
    lines.append(contentsOf: decision.passedOn.map { "  ! " + $0 })
    lines.append(contentsOf: decision.outcome.lines.map { "  → " + $0 })
    return lines.joined(separator: "\n")
  }
}

extension Outcome {
  /// What a person would like to read, a line a thing.
  public var lines: [String] {
    switch self {
    case .action(.answer(let text)): return ["answer: \(text)"]
    case .action(.handBack(let reason)): return ["hand back to the bot: \(reason)"]
    case .action(.reject(let reason)): return ["reject: \(reason)"]
    case .route(let plan): return plan.lines
    }
  }
}

extension Plan {
  public var lines: [String] {
    var lines = ["queue \(queue), priority \(priority)"]
    func list(_ needs: [SkillNeed]) -> String {
      needs.map { "\($0.name) ≥ \($0.level)" }.joined(separator: ", ")
    }
    if let leaveMessage { lines.append("the caller leaves a message: \(leaveMessage)") }
    if !requiredSkills.isEmpty { lines.append("needs \(list(requiredSkills))") }
    if !preferredSkills.isEmpty { lines.append("prefers \(list(preferredSkills))") }
    if let preference {
      let whom =
        switch preference.whom {
        case .lastAgent: "the last agent"
        case .named(let name): name
        case .accountTeam: "the account team"
        }
      lines.append("for \(preference.forMilliseconds / 1_000) s only \(whom)")
    }
    if !requiredAgents.isEmpty { lines.append("only \(requiredAgents.joined(separator: ", "))") }
    if !requiredTeams.isEmpty {
      lines.append("only of the teams \(requiredTeams.joined(separator: ", "))")
    }
    if !excludedAgents.isEmpty { lines.append("never \(excludedAgents.joined(separator: ", "))") }
    if !excludedTeams.isEmpty {
      lines.append("never of the teams \(excludedTeams.joined(separator: ", "))")
    }
    if let serviceLevelMilliseconds { lines.append("within \(serviceLevelMilliseconds / 1_000) s") }
    if let weight { lines.append("takes \(weight) units") }
    if !tags.isEmpty { lines.append("tagged \(tags.joined(separator: ", "))") }
    for step in steps {
      lines.append("after \(step.afterMilliseconds / 1_000) s \(step.change.line)")
    }
    return lines
  }
}

extension Plan.Step.Change {
  public var line: String {
    switch self {
    case .relaxSkill(let name): "\(name) is no longer needed"
    case .lowerSkill(let name, let level): "\(name) ≥ \(level) is enough"
    case .raisePriority(let by): "priority rises by \(by)"
    case .changeQueue(let name): "it moves to \(name)"
    case .widen(let names): "agents of \(names.joined(separator: ", ")) may take it"
    case .message(let text): "the customer is told: \(text)"
    }
  }
}
