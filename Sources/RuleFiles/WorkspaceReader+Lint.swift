import Expressions
import Rules

/// Warnings: what can be read, but is hardly meant.
extension WorkspaceReader {
  func lint() {
    lintQueues()
    lintOrder()
    for rule in rules where !brokenRules.contains(rule.name) {
      guard let place = places["rule \(rule.name)"] else { continue }
      lintCondition(rule, place)
      if case .route(let plan) = rule.outcome {
        lintPlan(plan, rule, place)
        if plan.leaveMessage != nil, let channels = demandedChannels(rule.when),
          !channels.contains("phone")
        {
          place.report(
            "only callers leave a message: whom this rule is for waits as with `route`",
            severity: .warning)
        }
      }
    }
  }

  private func lintQueues() {
    for queue in queues where !agents.isEmpty && serving(queue.name).isEmpty {
      places["queue \(queue.name)"]?.report("no agent serves this queue", severity: .warning)
    }
    lintOverflow()
    if queues.contains(where: { $0.weight != nil }) {
      for queue in queues where queue.slopePermille != 1_000 {
        places["queue \(queue.name)"]?.report(
          "`ageing_slope` does nothing where queues share agents by `weight`", severity: .warning)
      }
    }
    for queue in queues {
      for overflow in [queue.closed, queue.waitingMax?.then, queue.waitMax?.then] {
        if case .queue(queue.name)? = overflow {
          places["queue \(queue.name)"]?.report(
            "this queue overflows into itself", severity: .warning)
        }
      }
    }
  }

  // MARK: - Conditions

  private func lintCondition(_ rule: Rule, _ place: Section) {
    guard let condition = rule.when, let section = conditions[rule.name] else { return }
    let cost = condition.estimatedCost
    if cost > Expression.budgetDefault {
      section.report(
        "this condition could take \(cost == .max ? "endless" : String(cost)) steps; \(Expression.budgetDefault) are allowed",
        hint: "go over fewer lists inside one another")
    }
    if let outcome = condition.constantOutcome {
      let consequence = outcome ? "so no rule below is reached" : "so the rule never matches"
      section.report("this condition is always \(outcome), \(consequence)", severity: .warning)
    } else if condition.isTrivial {
      section.report(
        "this condition says something or its contrary: it is true whenever its facts are there",
        hint: "`has(…)` asks whether a fact is there", severity: .warning)
    }
    lintNames(condition, section)
    lintChannel(condition, section)
  }

  /// `queues.x` and `hours.x` must name one that exists: at run time they would just be absent.
  private func lintNames(_ condition: Program, _ section: Section) {
    let checks = [(Fact.queues, queueNames, "queue"), (Fact.hours, hoursNames, "set of hours")]
    for (fact, known, what) in checks {
      guard let known else { continue }
      for (field, node) in condition.fields(below: fact.rawValue)
      where !known.contains(field) && !findings.isFull {
        let near = Spelling.nearest(field, among: known.sorted()).map { "did you mean `\($0)`?" }
        report(
          node, of: condition, section, "there is no \(what) `\(field)`", hint: near,
          severity: .error)
      }
    }
    for (demand, texts) in condition.textChoices() {
      guard let fact = Fact(rawValue: demand.slot), demand.path.isEmpty,
        let known = knownTexts(fact)
      else { continue }
      for text in texts where !known.contains(text) && !findings.isFull {
        let sorted = known.sorted()
        let near = Spelling.nearest(text, among: sorted).map { "did you mean \"\($0)\"?" }
        section.report(
          "`\(fact.name)` is never \"\(text)\"",
          hint: near ?? "it is one of \(sorted.prefix(12).joined(separator: ", "))",
          severity: .warning)
      }
    }
  }

  private static let channels = ["chat", "email", "phone"]

  /// All that a fact can be; nil where that is not known.
  private func knownTexts(_ fact: Fact) -> Set<String>? {
    switch fact {
    case .sessionChannel: Set(Self.channels)
    case .customerAssurance: ["verified", "asserted", "claimed"]
    case .customerLastAgent: agentNames
    case .sessionBot: bots.isEmpty ? nil : Set(bots)
    default: nil
    }
  }

  /// A fact that a channel never has, in a rule that asks for that channel.
  private func lintChannel(_ condition: Program, _ section: Section) {
    let demanded = demandedChannels(condition)?.filter(Self.channels.contains) ?? []
    guard !demanded.isEmpty else { return }
    let many = demanded.count > 1 ? "channels" : "channel"
    for (slot, node) in condition.requiredSlots() {
      guard let fact = Fact(rawValue: slot) else { continue }
      let channels = fact.declaration.channels
      guard !channels.isEmpty, channels.allSatisfy({ !demanded.contains($0) }) else { continue }
      report(
        node, of: condition, section,
        "`\(fact.name)` is always absent on the \(many) \(demanded.joined(separator: ", ")), so this never matches",
        hint: "it is there on \(channels.joined(separator: ", ")) only", severity: .warning)
    }
  }

  /// The channels on which alone the condition can be true, in order; nil when it asks for none.
  private func demandedChannels(_ condition: Program?) -> [String]? {
    let wanted = Demand(slot: Fact.sessionChannel.rawValue, path: [])
    let choices = (condition?.textChoices() ?? []).filter { $0.demand == wanted }
    guard let first = choices.first else { return nil }
    let common = choices.dropFirst().reduce(Set(first.texts)) { $0.intersection($1.texts) }
    return common.sorted()
  }

  private func report(
    _ node: Int, of condition: Program, _ section: Section, _ message: String, hint: String?,
    severity: RuleDiagnostic.Severity
  ) {
    guard let scalar = section.node.scalar else { return }
    let extent = condition.syntax.extents[node]
    place(
      ExpressionDiagnostic(start: extent.start, end: extent.end, message: message, hint: hint),
      section,
      scalar,
      severity: severity)
  }

  // MARK: - Plans

  private func lintPlan(_ plan: Plan, _ rule: Rule, _ place: Section) {
    lintNames(plan, place)
    lintSkills(plan, place)
    lintPreference(plan, place)
    lintSteps(plan, place)
  }

  /// Whether anybody who serves the queue is left by the agents and teams that the rule names.
  private func lintNames(_ plan: Plan, _ place: Section) {
    guard plan.namesCount > 0, case let serving = serving(plan.queue), !serving.isEmpty,
      !serving.contains(where: { plan.admits($0) })
    else { return }
    place.report("of those who serve `\(plan.queue)` this route admits nobody", severity: .warning)
  }

  /// Whether anybody who serves the queue can ever take the case as the rule first asks, and as it
  /// would like best.
  private func lintSkills(_ plan: Plan, _ place: Section) {
    guard !plan.requiredSkills.isEmpty || !plan.preferredSkills.isEmpty,
      let lacking = lacking(plan)
    else { return }
    for message in lacking { place.report(message, severity: .warning) }
  }

  /// What those who serve a route's queue lack. Rules that ask the same are looked at once, and
  /// agents until one has it all: there may be thousands of rules, and thousands of agents.
  private func lacking(_ plan: Plan) -> [String]? {
    if findings.isFull { return nil }
    let needs = (plan.requiredSkills + plan.preferredSkills).map { "\($0.name) \($0.level)" }
    let key = [plan.queue, String(plan.requiredSkills.count)] + needs
    if plan.namesCount == 0, let known = lackingKnown[key] { return known }
    let serving = serving(plan.queue)
    var found: [String] = []
    if plan.namesCount == 0 ? !serving.isEmpty : serving.contains(where: { plan.admits($0) }) {
      found = [lackingRequired(plan, serving), lackingPreferred(plan, serving)].compactMap(\.self)
    }
    if plan.namesCount == 0 { lackingKnown[key] = found }
    return found
  }

  private func lackingRequired(_ plan: Plan, _ serving: [AgentConfiguration]) -> String? {
    let suits = serving.contains { agent in
      plan.requiredSkills.allSatisfy(agent.has) && plan.admits(agent)
    }
    if suits { return nil }
    for need in plan.requiredSkills {
      guard let known = best(need, plan, serving) else { continue }
      return
        "nobody who serves `\(plan.queue)` has \(need.name) at level \(need.level) or above: \(known)"
    }
    let all = plan.requiredSkills.map { "\($0.name) \($0.level)" }.joined(separator: ", ")
    return "nobody who serves `\(plan.queue)` has all of \(all)"
  }

  private func lackingPreferred(_ plan: Plan, _ serving: [AgentConfiguration]) -> String? {
    for need in plan.preferredSkills {
      guard let known = best(need, plan, serving) else { continue }
      return
        "`prefer_skills` prefers nobody: of those who serve `\(plan.queue)` none has \(need.name) at level \(need.level) or above: \(known)"
    }
    return nil
  }

  /// The best that anybody has whom the route admits, where that is not enough.
  private func best(_ need: Plan.SkillNeed, _ plan: Plan, _ serving: [AgentConfiguration])
    -> String?
  {
    var best = 0
    for agent in serving {
      for skill in agent.skills where skill.name == need.name && skill.level > best {
        if plan.admits(agent) { best = skill.level }
      }
      if best >= need.level { return nil }
    }
    return best > 0 ? "the best has \(best)" : "nobody there has it at all"
  }

  private func lintPreference(_ plan: Plan, _ place: Section) {
    guard case .named(let name)? = plan.preference?.whom, let agent = agent(name) else { return }
    if !agent.queues.contains(plan.queue) {
      place.report(
        "the preferred agent `\(name)` does not serve `\(plan.queue)`", severity: .warning)
    }
    if !plan.admits(agent) {
      place.report("`\(name)` is preferred and excluded at once", severity: .warning)
    }
  }

  /// Steps that come after the case has left, or change what is no longer there.
  private func lintSteps(_ plan: Plan, _ place: Section) {
    var queue = plan.queue
    var relaxed: Set<String> = []
    for step in plan.steps {
      if let cap = self.queue(queue)?.waitMax, cap.then.endsTheWait,
        case let after = step.afterMilliseconds / 1_000,
        after >= Int64(cap.limit)
      {
        place.report(
          "the step after \(after) s never comes: `\(queue)` lets nobody wait longer than \(cap.limit) s",
          severity: .warning)
      }
      switch step.change {
      case .changeQueue(let next):
        if next == queue {
          place.report(
            "a step moves the case to `\(next)`, where it is already", severity: .warning)
        }
        queue = next
      case .widen(let names) where names.contains(queue):
        place.report("a step widens to `\(queue)`, where the case is already", severity: .warning)
      case .relaxSkill(let name):
        if !relaxed.insert(name).inserted {
          place.report("two steps relax `\(name)`", severity: .warning)
        }
      case .lowerSkill(let name, let level):
        if relaxed.contains(name) {
          place.report("`\(name)` is lowered after it was relaxed", severity: .warning)
        }
        if let need = plan.requiredSkills.first(where: { $0.name == name }), level >= need.level {
          place.report(
            "a step lowers `\(name)` to \(level), which is no lower than \(need.level)",
            severity: .warning)
        }
      case .widen, .raisePriority, .message: break
      }
    }
  }
}

extension AgentConfiguration {
  fileprivate func has(_ need: Plan.SkillNeed) -> Bool {
    skills.contains { $0.name == need.name && $0.level >= need.level }
  }
}

extension Plan {
  fileprivate func admits(_ agent: AgentConfiguration) -> Bool {
    admits(agent.name, teams: agent.teams)
  }
}
