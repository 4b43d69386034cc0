import Model

// What agents and supervisors do with a case beside its usual way: more time for it, another's
// advice, back to its queue; and agents who leave when they are done.
extension Router {
  mutating func decideRequeue(_ id: CaseID, _ at: Instant, _ out: inout Decision) -> Rejection? {
    let slot = slot(of: id)
    guard slot >= 0 else { return ended.contains(id) ? .caseClosed : .unknownCase }
    switch cases[slot].state {
    case .waiting, .offered: return .caseWaits
    case .wrappingUp: return .caseWrappingUp
    case .assigned, .parked: break
    }
    // A call is in its agent's ear: it is transferred by whoever has it.
    guard cases[slot].channel != .phone else { return .caseIsCall }
    endConsult(slot, .movedOn, at, &out)
    let home = cases[slot].conversation
    let holder = cases[slot].agent
    if let holder { tell(holder, id, .requeued(.bySupervisor), &out) }
    emit(.caseRequeued(id, .bySupervisor), at, &out)
    if let holder { comesBackLast(id, to: holder, at, &out) }
    give(home, to: .queue(cases[slot].need.queue, id), at, &out)
    sessionMayBeGone(slot, at, &out)
    return nil
  }

  mutating func decideExtend(
    _ id: CaseID, _ agent: AgentID, _ until: Instant, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    withOwned(id, agent, at, &out) { router, slot, out in
      guard case .wrappingUp(_, let end) = router.cases[slot].state else {
        return .caseNotWrappingUp
      }
      guard until > at else { return .timeIsPast }
      guard until > end else { return .notLonger }
      guard until <= at + .milliseconds(RoutingLimits.wrapUpMillisecondsMax) else {
        return .notAllowed
      }
      router.renewIfWorn(agent, at, &out)
      router.emit(.caseWrappingUp(id, agent, until: until), at, &out)
      router.tell(agent, id, .wrappingUp(until: until), &out)
      return nil
    }
  }

  // MARK: On hold

  mutating func decideHold(
    _ id: CaseID, _ agent: AgentID, _ until: Instant, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    withOwned(id, agent, at, &out) { router, slot, out in
      if let why = router.cases[slot].state.notInHand { return why }
      guard until > at else { return .timeIsPast }
      guard until <= at + .milliseconds(RoutingLimits.holdMillisecondsMax) else {
        return .notAllowed
      }
      router.renewIfWorn(agent, at, &out)
      router.emit(.caseHeld(id, agent, until: until), at, &out)
      router.tell(agent, id, .held(until: until), &out)
      return nil
    }
  }

  mutating func decideEndHold(_ id: CaseID, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    withOwned(id, agent, at, &out) { router, slot, out in
      guard router.cases[slot].heldUntil != nil else { return .caseNotOnHold }
      router.renewIfWorn(agent, at, &out)
      router.emit(.holdEnded(id, agent, .byAgent), at, &out)
      router.tell(agent, id, .holdEnded(.byAgent), &out)
      return nil
    }
  }

  mutating func applyHold(_ id: CaseID, until: Instant?) {
    let slot = slot(of: id)
    guard slot >= 0, case .assigned = cases[slot].state else { return }
    cases[slot].heldUntil = until
    markDirty(theCase: slot)
    armCase(slot)
  }

  // MARK: Advice

  mutating func decideConsult(
    _ id: CaseID, _ agent: AgentID, _ other: AgentID, _ until: Instant, _ at: Instant,
    _ out: inout Decision
  ) -> Rejection? {
    withOwned(id, agent, at, &out) { router, slot, out in
      if let why = router.cases[slot].state.notInHand { return why }
      guard router.isActive(other) else { return .unknownAgent }
      guard other != agent else { return .consultsThemselves }
      guard router.cases[slot].consult == nil else { return .alreadyConsulting }
      guard !router.isBarred(other, from: slot) else { return .agentExcluded }
      guard router.isThere(other) else { return .agentNotAvailable }
      guard until > at else { return .timeIsPast }
      guard until <= at + .milliseconds(RoutingLimits.consultMillisecondsMax) else {
        return .notAllowed
      }
      router.renewIfWorn(agent, at, &out)
      router.emit(.consultStarted(id, with: other, until: until), at, &out)
      out.effects.append(.askToConsult(other, id, by: agent, until: until))
      router.tell(agent, id, .consulting(other, until: until), &out)
      return nil
    }
  }

  mutating func decideEndConsult(
    _ id: CaseID, _ agent: AgentID, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    switch consulted(id, agent, ownerToo: true) {
    case .failure(let refusal): return refusal
    case .success(let slot):
      renewIfWorn(agent, at, &out)
      endConsult(slot, .ended, at, &out)
      return nil
    }
  }

  /// A call stays on its agent's device: the phone system transfers it.
  mutating func decideTakeOver(_ id: CaseID, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    switch consulted(id, agent, ownerToo: false) {
    case .failure(let refusal): return refusal
    case .success(let slot):
      guard cases[slot].channel != .phone else { return .caseIsCall }
      // Whoever was asked before the rules said so, or by an older program.
      guard !isBarred(agent, from: slot) else { return .agentExcluded }
      if let why = hindrance(Int(agent.raw), for: slot) { return why }
      renewIfWorn(agent, at, &out)
      let home = cases[slot].conversation
      endConsult(slot, .tookOver, at, &out)
      if let holder = cases[slot].agent { tell(holder, id, .takenOver, &out) }
      emit(.caseAccepted(id, agent), at, &out)
      tell(agent, id, .tookOver, &out)
      give(home, to: .agent(agent, id), at, &out)
      return nil
    }
  }

  /// The case about which this agent was asked, or asks.
  private func consulted(_ id: CaseID, _ agent: AgentID, ownerToo: Bool) -> Result<Int32, Rejection>
  {
    guard isKnown(agent) else { return .failure(.unknownAgent) }
    let slot = slot(of: id)
    guard slot >= 0 else { return .failure(ended.contains(id) ? .caseClosed : .unknownCase) }
    guard let holder = cases[slot].agent else { return .failure(.caseNotAssigned) }
    guard let consult = cases[slot].consult else {
      return .failure(holder == agent ? .nobodyConsulted : .caseNotYours)
    }
    let may = consult.agent == agent || (ownerToo && holder == agent)
    return may ? .success(slot) : .failure(.caseNotYours)
  }

  mutating func endConsult(_ slot: Int32, _ end: ConsultEnd, _ at: Instant, _ out: inout Decision) {
    guard let consult = cases[slot].consult else { return }
    let id = cases[slot].id
    emit(.consultEnded(id, end), at, &out)
    out.effects.append(.endConsult(consult.agent, id, end))
    if let holder = cases[slot].agent { tell(holder, id, .consultEnded(end), &out) }
  }

  /// Whoever is not there gives no advice, and hears of no customer.
  /// - Parameter why: of a case; nil where its consult goes on.
  mutating func endConsults(
    with agent: AgentID, _ at: Instant, _ out: inout Decision,
    why: (borrowing Router, Int32) -> ConsultEnd? = { _, _ in .agentLeft }
  ) {
    let some = agents[Int(agent.raw)].advises
    for slot in some.sorted(by: { cases[$0].sequence < cases[$1].sequence }) {
      if let end = why(self, slot) { endConsult(slot, end, at, &out) }
    }
  }

  /// Of all agents: what their status means, who is an agent at all, and what the rules keep them from may be
  /// another thing now. Nobody forgets what they have read, and nothing more is shown to whom nobody might ask now.
  mutating func endConsultsThatMayNotBe(_ at: Instant, _ out: inout Decision) {
    for index in agents.indices where !agents[index].advises.isEmpty {
      let agent = AgentID(UInt32(truncatingIfNeeded: index))
      endConsults(with: agent, at, &out) { router, slot in
        guard router.isThere(agent) else { return .agentLeft }
        return router.isBarred(agent, from: slot) ? .reconfigured : nil
      }
    }
  }

  func isConsulted(_ home: Int32, _ agent: AgentID) -> Bool {
    let theCase = conversations[home].openCase
    return theCase >= 0 && cases[theCase].consult?.agent == agent
  }

  mutating func applyConsult(_ id: CaseID, _ consult: Consult?) {
    let slot = slot(of: id)
    guard slot >= 0 else { return }
    if let consult {
      guard isKnown(consult.agent), case .assigned = cases[slot].state else { return }
    }
    setConsult(slot, consult)
    markDirty(theCase: slot)
    armCase(slot)
  }

  mutating func setConsult(_ slot: Int32, _ consult: Consult?) {
    let was = cases[slot].consult
    guard was != consult else { return }
    if let was { agents[Int(was.agent.raw)].advises.removeAll { $0 == slot } }
    cases[slot].consult = consult
    if let consult { agents[Int(consult.agent.raw)].advises.append(slot) }
  }

  // MARK: Leaving when done

  mutating func decideFinish(
    _ agent: AgentID, _ status: AgentStatus, _ reason: StatusReasonID?, _ at: Instant,
    _ out: inout Decision
  ) -> Rejection? {
    guard isActive(agent) else { return .unknownAgent }
    guard catalogue.isSayable(status) else { return .unknownStatus }
    guard catalogue.plain(status) != .available else { return .notAllowed }
    renewIfWorn(agent, at, &out)
    let record = agents[Int(agent.raw)]
    if record.statusAfter != status || record.reasonAfter != reason {
      emit(.statusDeferred(agent, status, reason: reason), at, &out)
      tellStatus(agent, &out)
    }
    endWaitingNext(agent, at, &out)
    let offer = agents[Int(agent.raw)].openOffer
    if offer >= 0 { endOffer(offer, .revoked(.agentLeft), at, &out) }
    return nil
  }

  /// Whoever has ended their last case is what they wanted to be then.
  mutating func letLeave(_ at: Instant, _ out: inout Decision) {
    let some = leaving
    leaving.removeAll(keepingCapacity: true)
    for index in some {
      let agent = AgentID(UInt32(bitPattern: index))
      guard let status = agents[Int(index)].statusAfter, agents[Int(index)].cases.isEmpty,
        agents[Int(index)].openOffer < 0
      else { continue }
      emit(.statusSet(agent, status, reason: agents[Int(index)].reasonAfter), at, &out)
      tellStatus(agent, &out)
      if catalogue.plain(status) == .offline {
        leave(agent, .agentLeft, streamsToo: false, at, &out)
      }
    }
    leaving.removeAll(keepingCapacity: true)
  }

  mutating func decideChannels(
    _ agent: AgentID, _ channels: [Channel], _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    guard isActive(agent) else { return .unknownAgent }
    renewIfWorn(agent, at, &out)
    let bits = channels.reduce(UInt8(0)) { $0 | $1.bit }
    if agents[Int(agent.raw)].channels != bits {
      emit(.channelsChosen(agent, bits), at, &out)
      tellStatus(agent, &out)
      withdrawUnwanted(agent, at, &out)
    }
    return nil
  }
}
