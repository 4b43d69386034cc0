import Model

// Cases that agents pass on by hand. What the customer needs does not change with the desk, so the need
// goes along; what the rules planned for the way through its queue does not.
extension Router {
  /// What a case needs once an agent has passed it on.
  /// - Parameters:
  ///   - queue: nil for the one in which it came.
  ///   - agent: who has it alone first.
  /// - Returns: nil when there is no such case.
  public func needPassedOn(_ id: CaseID, to queue: QueueID?, agent: Need.PreferredAgent?) -> Need? {
    let slot = slot(of: id)
    guard slot >= 0 else { return nil }
    var need = cases[slot].need
    let isSame = queue == nil || queue == need.queue
    let taken = Int(cases[slot].stepsTaken)
    // To widen again what was widened costs nothing, and what was taken else is in the need.
    need.steps = need.steps.enumerated().filter { place, step in
      step.opensQueue ? isSame && (place >= taken || step.widens) : place >= taken
    }.map(\.element)
    need.queue = queue ?? need.queue
    need.preferred = agent
    if !isSame, !hasTaker(need) { need.relax() }
    return need
  }

  /// Whether anybody who serves the queue could ever take it.
  func hasTaker(_ need: Need, widened: [QueueID] = [], besides one: AgentID? = nil) -> Bool {
    guard Int(need.queue.raw) < queues.count else { return true }
    var cursor = IdleIndex.Cursor()
    while true {
      let agent = everyone.next(
        &cursor, channel: .chat, queue: need.queue, widened: widened, skills: need.skills)
      if agent < 0 { return false }
      let id = AgentID(UInt32(truncatingIfNeeded: agent))
      if id != one, need.admits(agent, profiles) { return true }
    }
  }

  /// Whether the rules keep the agent from it by name or team.
  private func isBarred(_ agent: AgentID, from need: Need) -> Bool {
    isKnown(agent) && !need.admits(Int(agent.raw), profiles)
  }

  /// Exclusions bind always; a requirement that nobody is left to meet binds nobody, or nobody could ever be
  /// given the case.
  func isBarred(_ agent: AgentID, from slot: Int32) -> Bool {
    guard isBarred(agent, from: cases[slot].need) else { return false }
    var need = cases[slot].need
    (need.requiredAgents, need.requiredTeams) = ([], [])
    return isBarred(agent, from: need)
      || hasTaker(cases[slot].need, widened: cases[slot].widened)
  }

  /// A case that was passed by hand to this agent alone: who passed it on judged that they serve it.
  @inline(__always) func isPassed(_ slot: Int32, to agent: Int) -> Bool {
    cases[slot].preferenceUntil != nil && cases[slot].by.rule == nil
      && cases[slot].need.preferred.map { Int($0.agent.raw) == agent } ?? false
      && (cases[slot].by.cause == .transfer || cases[slot].by.cause == .message)
  }

  /// Who gave the case away is not given it at once again, where somebody else may come.
  mutating func comesBackLast(
    _ id: CaseID, to agent: AgentID, _ at: Instant, _ out: inout Decision
  ) {
    let slot = slot(of: id)
    guard slot >= 0, hasTaker(cases[slot].need, besides: agent) else { return }
    emit(.backOffSet(agent, id, until: at + catalogue.limits.declineBackOff), at, &out)
  }

  mutating func decideTransfer(
    _ id: CaseID, _ agent: AgentID, _ need: Need, _ new: CaseID, _ at: Instant,
    _ out: inout Decision
  ) -> Rejection? {
    withOwned(id, agent, at, &out) { router, slot, out in
      guard router.slot(of: new) < 0, !router.ended.contains(new) else { return .idInUse }
      if let fault = router.fault(need) { return fault }
      if let named = need.preferred?.agent, router.isBarred(named, from: need) {
        return .agentExcluded
      }
      var need = need
      let (admitted, refusal) = router.admit(need.queue)
      if let refusal { return refusal }
      need.queue = admitted
      let record = router.cases[slot]
      let holdsLine = record.channel == .phone && router.slot(of: record.session) >= 0
      let target = Int(need.queue.raw)
      // Whoever is on the line cannot be sent to a queue that takes messages only: nobody would
      // tell them.
      if holdsLine, !router.queues[target].isOpen,
        router.catalogue.queues[target].settings.whenClosed == .message
      {
        return .queueClosed
      }
      router.renewIfWorn(agent, at, &out)
      router.endCase(slot, .transferred, .movedOn, at, &out)
      // A message stays one, whoever passes it on: nobody holds a line for it.
      let cause: RouteReason.Cause = record.by.cause == .message ? .message : .transfer
      let by = RouteReason(
        cause: cause, ruleVersion: router.catalogue.configuration?.version ?? 0, rule: nil)
      router.queue(
        new, record.conversation, record.session, record.channel, need, record.age, by, at, &out)
      if need.preferred?.agent != agent { router.comesBackLast(new, to: agent, at, &out) }
      return nil
    }
  }
}

extension Need {
  /// Nobody could take it as it is: what it required is preferred now, and nobody is required. Whom it
  /// bars it bars still.
  fileprivate mutating func relax() {
    for index in skills.indices { skills[index].required = false }
    requiredAgents = []
    requiredTeams = []
  }
}

extension Need.Step {
  fileprivate var widens: Bool { if case .widen = change { true } else { false } }
}
