import Expressions
import Rules

/// Warnings: what can be read, but is hardly meant.
extension WorkspaceReader {
  ///
  /// Of what an error was told of they say nothing, nor of what rests on it: where there is one mistake,
  /// nothing else that it brings about is one, too.
  func lint() {
    // Errors are told all the same, whatever else is wrong.
    for rule in rules {
      record(.rule, rule.key) { record(.condition, rule.key) { checkCondition(rule) } }
    }
    lintQueues()
    lintOrder()
    for rule in rules {
      guard let place = places["rule \(rule.key)"] else { continue }
      if !isMisread(.condition, rule.key) { lintCondition(rule, place) }
      guard !isMisread(.rule, rule.key), case .route(let plan) = rule.outcome else { continue }
      lintPlan(plan, rule, place)
      if plan.leaveMessage != nil, mayBeTrue(rule), !mayBeTrue(rule, on: "phone") {
        place.report(
          "only callers leave a message: whom this rule is for waits as with `route`",
          severity: .warning)
      }
    }
  }

  private func mayBeTrue(_ rule: Rule) -> Bool {
    judgedNumbers[rule.key].map { judged.outcomes(of: $0).mayBeTrue } ?? true
  }
  func mayBeTrue(_ rule: Rule, on channel: String) -> Bool {
    judgedNumbers[rule.key].map { judged.mayBeTrue($0, at: channel) } ?? true
  }

  private func lintQueues() {
    if agents.isEmpty, !queues.isEmpty, agentNames != nil {
      findings.add(
        .warning, wholeFile: "agents.yaml", "there are no agents: nobody serves any queue",
        hint: "agents.yaml says who works here, and which queues they serve")
    }
    for queue in queues where !agents.isEmpty && !isMisread(.agent) && serving(queue.name).isEmpty {
      places["queue \(queue.name)"]?.report("no agent serves this queue", severity: .warning)
    }
    lintOverflow()
    if queues.contains(where: { $0.weight != nil }) {
      for queue in queues where queue.slopePermille != 1_000 && !isMisread(.queue, queue.name) {
        places["queue \(queue.name)"]?.report(
          "`ageing_slope` does nothing where queues share agents by `weight`", severity: .warning)
      }
    }
    for queue in queues where !isMisread(.queue, queue.name) {
      for overflow in [queue.closed, queue.waitingMax?.then, queue.waitMax?.then] {
        if case .queue(queue.name)? = overflow {
          places["queue \(queue.name)"]?.report(
            "this queue overflows into itself", severity: .warning)
        }
      }
    }
  }

  // MARK: - Plans

  private func lintPlan(_ plan: Plan, _ rule: Rule, _ place: Section) {
    if !isMisread(.agent) {
      lintNames(plan, place)
      lintWeight(plan, weightPlaces[rule.key])
      lintSkills(plan, place)
    }
    lintPreference(plan, place)
    lintSteps(plan, rule, place)
  }

  /// Whether anybody who serves the queue is left by the agents and teams that the rule names.
  private func lintNames(_ plan: Plan, _ place: Section) {
    guard plan.namesCount > 0, case let serving = serving(plan.queue), !serving.isEmpty,
      !serving.contains(where: { plan.admits($0) })
    else { return }
    place.report("of those who serve `\(plan.queue)` this route admits nobody", severity: .warning)
  }

  /// Whether anybody who serves the queue has so much room when they have nothing else.
  private func lintWeight(_ plan: Plan, _ place: Section?) {
    guard let weight = plan.weight, let place, !findings.isFull else { return }
    let admitted = serving(plan.queue).filter { plan.admits($0) }
    guard let most = admitted.map(\.capacityUnits).max(), weight > most else { return }
    place.report(
      "nobody \(whom(plan)) can take a weight of \(weight): the most that one can take is \(most)",
      hint: "`capacity` in agents.yaml says how much", severity: .warning)
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
        "nobody \(whom(plan)) has \(need.name) at level \(need.level) or above: \(known)"
    }
    let all = plan.requiredSkills.map { "\($0.name) \($0.level)" }.joined(separator: ", ")
    return "nobody \(whom(plan)) has all of \(all)"
  }

  /// What those lack who serve the queue to which a step moves the case, of what is still needed.
  func lacking(_ needed: Plan, _ queue: String) -> String? {
    guard !needed.requiredSkills.isEmpty, !isMisread(.agent), !findings.isFull else { return nil }
    var there = needed
    there.queue = queue
    let serving = serving(queue)
    guard serving.contains(where: { there.admits($0) }) else { return nil }
    return lackingRequired(there, serving)
  }

  private func whom(_ plan: Plan) -> String {
    "who serves `\(plan.queue)`" + (plan.namesCount > 0 ? " and whom this route admits" : "")
  }

  private func lackingPreferred(_ plan: Plan, _ serving: [AgentConfiguration]) -> String? {
    for need in plan.preferredSkills {
      guard let known = best(need, plan, serving) else { continue }
      return
        "`prefer_skills` prefers nobody: no agent \(whom(plan)) has \(need.name) at level \(need.level) or above: \(known)"
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
    return best > 0 ? "the best has \(best)" : "none of them has it at all"
  }

  private func lintPreference(_ plan: Plan, _ place: Section) {
    guard case .named(let name)? = plan.preference?.whom, let agent = agent(name),
      !isMisread(.agent, name)
    else { return }
    if !agent.queues.contains(plan.queue) {
      place.report(
        "the preferred agent `\(name)` does not serve `\(plan.queue)`", severity: .warning)
    }
    // Whoever cannot take the case when it comes is not waited for: no step changes that.
    if agent.queues.contains(plan.queue),
      let need = plan.requiredSkills.first(where: { !agent.has($0) })
    {
      place.report(
        "the preferred agent `\(name)` does not have \(need.name) at level \(need.level), which this route needs",
        severity: .warning)
    }
    if !plan.admits(agent) {
      let isNamed =
        plan.excludedAgents.contains(name)
        || agent.teams.contains(where: plan.excludedTeams.contains)
      place.report(
        isNamed
          ? "`\(name)` is preferred and excluded at once"
          : "the preferred agent `\(name)` is none of those whom this route admits",
        severity: .warning)
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
