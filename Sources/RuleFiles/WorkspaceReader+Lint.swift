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
        if plan.leaveMessage != nil, let channel = demandedChannel(rule.when), channel != "phone" {
          place.report(
            "only callers leave a message: whom this rule is for waits as with `route`",
            severity: .warning)
        }
      }
    }
  }

  private func lintQueues() {
    let served = Set(agents.flatMap(\.queues))
    for queue in queues where !agents.isEmpty && !served.contains(queue.name) {
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
    }
    lintNames(condition, section)
    lintChannel(condition, section)
  }

  /// `queues.x` and `hours.x` must name one that exists: at run time they would just be absent.
  private func lintNames(_ condition: Program, _ section: Section) {
    let checks = [(Fact.queues, queueNames, "queue"), (Fact.hours, hoursNames, "set of hours")]
    for (fact, known, what) in checks {
      guard let known else { continue }
      for (field, node) in condition.fields(below: fact.rawValue) where !known.contains(field) {
        let near = Spelling.nearest(field, among: known.sorted()).map { "did you mean `\($0)`?" }
        report(
          node, of: condition, section, "there is no \(what) `\(field)`", hint: near,
          severity: .error)
      }
    }
    for (demand, text) in condition.textDemands() {
      guard let fact = Fact(rawValue: demand.slot), demand.path.isEmpty else { continue }
      let known: [String]? =
        switch fact {
        case .sessionChannel: ["chat", "email", "phone"]
        case .customerAssurance: ["verified", "asserted", "claimed"]
        case .customerLastAgent: agentNames?.sorted()
        case .sessionBot: bots.isEmpty ? nil : bots
        default: nil
        }
      guard let known, !known.contains(text) else { continue }
      let near = Spelling.nearest(text, among: known).map { "did you mean \"\($0)\"?" }
      section.report(
        "`\(fact.name)` is never \"\(text)\"",
        hint: near ?? "it is one of \(known.joined(separator: ", "))",
        severity: .warning)
    }
  }

  /// A fact that a channel never has, in a rule that asks for that channel.
  private func lintChannel(_ condition: Program, _ section: Section) {
    guard let channel = demandedChannel(condition), ["chat", "email", "phone"].contains(channel)
    else { return }
    for (slot, node) in condition.requiredSlots() {
      guard let fact = Fact(rawValue: slot) else { continue }
      let channels = fact.declaration.channels
      guard !channels.isEmpty, !channels.contains(channel) else { continue }
      report(
        node, of: condition, section,
        "`\(fact.name)` is always absent on the channel \(channel), so this never matches",
        hint: "it is there on \(channels.joined(separator: ", ")) only", severity: .warning)
    }
  }

  /// The channel without which the condition is never true.
  private func demandedChannel(_ condition: Program?) -> String? {
    condition?.textDemands().first {
      $0.demand == Demand(slot: Fact.sessionChannel.rawValue, path: [])
    }?.text
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
    let serving = agents.filter { $0.queues.contains(plan.queue) }
    guard plan.namesCount > 0, !serving.isEmpty, !serving.contains(where: { plan.admits($0) })
    else { return }
    place.report("of those who serve `\(plan.queue)` this route admits nobody", severity: .warning)
  }

  /// Whether anybody who serves the queue can ever take the case as the rule first asks.
  private func lintSkills(_ plan: Plan, _ place: Section) {
    guard !agents.isEmpty, !plan.requiredSkills.isEmpty else { return }
    let serving = agents.filter { $0.queues.contains(plan.queue) && plan.admits($0) }
    guard !serving.isEmpty else { return }
    for need in plan.requiredSkills {
      let best = serving.compactMap { agent in agent.skills.first { $0.name == need.name }?.level }
        .max()
      guard best ?? 0 < need.level else { continue }
      let known = best.map { "the best has \($0)" } ?? "nobody there has it at all"
      place.report(
        "nobody who serves `\(plan.queue)` has \(need.name) at level \(need.level) or above: \(known)",
        severity: .warning)
      return
    }
    let suits = serving.contains { agent in
      plan.requiredSkills.allSatisfy { need in
        agent.skills.contains { $0.name == need.name && $0.level >= need.level }
      }
    }
    if !suits {
      let all = plan.requiredSkills.map { "\($0.name) \($0.level)" }.joined(separator: ", ")
      place.report("nobody who serves `\(plan.queue)` has all of \(all)", severity: .warning)
    }
  }

  private func lintPreference(_ plan: Plan, _ place: Section) {
    if case .named(let name)? = plan.preference?.whom {
      if let agent = agents.first(where: { $0.name == name }), !agent.queues.contains(plan.queue) {
        place.report(
          "the preferred agent `\(name)` does not serve `\(plan.queue)`", severity: .warning)
      }
      if let agent = agents.first(where: { $0.name == name }), !plan.admits(agent) {
        place.report("`\(name)` is preferred and excluded at once", severity: .warning)
      }
    }
  }

  /// Steps that come after the case has left, or change what is no longer there.
  private func lintSteps(_ plan: Plan, _ place: Section) {
    var queue = plan.queue
    var relaxed: Set<String> = []
    for step in plan.steps {
      if let cap = queues.first(where: { $0.name == queue })?.waitMax, cap.then.endsTheWait,
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

extension Plan {
  fileprivate func admits(_ agent: AgentConfiguration) -> Bool {
    admits(agent.name, teams: agent.teams)
  }
}
