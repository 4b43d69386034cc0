import Model

extension Router {
  // MARK: The workspace

  mutating func decideConfigure(_ new: RoutingConfiguration, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    if let fault = Catalogue.fault(new) { return fault }
    emit(.configured(new), at, &out)
    for index in queues.indices { turnQueue(index, at, &out) }
    endConsultsThatMayNotBe(at, &out)
    for index in agents.indices where catalogue.agents[index].isRetired {
      leave(AgentID(UInt32(truncatingIfNeeded: index)), .reconfigured, streamsToo: true, at, &out)
    }
    for offer in offers.ordered {
      let (agent, theCase) = (offers[offer].agent, offers[offer].theCase)
      // Accepted, it would be more than the agent has room for by now, or what they do not do any more.
      guard hindrance(Int(agent.raw), for: theCase, exceptOffer: true) == nil,
        suits(Int(agent.raw), theCase, closedToo: true)
      else {
        endOffer(offer, .revoked(.reconfigured), at, &out)
        continue
      }
      // Their status may mean another thing now: who wants nothing is not punished for missing it.
      withdrawUnwanted(agent, at, &out)
    }
    return nil
  }

  /// Connections are gone: the offers that went through them fail, and their cases return with
  /// their age.
  mutating func decideStart(_ at: Instant, _ out: inout Decision) -> Rejection? {
    emit(.started, at, &out)
    for offer in offers.ordered {
      switch offers[offer].seat {
      case .next, .stream: fail(offer, .connectionClosed, at, &out)
      case .device: break
      }
    }
    // An older program let advice be asked of who had left, or was kept from it by new rules.
    endConsultsThatMayNotBe(at, &out)
    // Whoever rebuilt this machine may have left a match unfinished.
    for index in agents.indices { refresh(AgentID(UInt32(truncatingIfNeeded: index))) }
    return nil
  }

  // MARK: Time

  /// What is due, in the order in which it was due, and what becomes due by it; past so many the next
  /// tick goes on.
  mutating func decideTick(_ at: Instant, _ out: inout Decision) -> Rejection? {
    ticked = max(ticked, at)
    for _ in 0..<RoutingLimits.looksPerCommandMax {
      guard let timer = timers.first, timer.at <= at.milliseconds else { return nil }
      switch timer.kind {
      case .offer: miss(timer.slot, at, &out)
      case .caseDue: caseIsDue(timer.slot, at, &out)
      case .session: sessionIsDue(timer.slot, at, &out)
      case .agent: agentIsDue(AgentID(UInt32(bitPattern: timer.slot)), at, &out)
      case .queue: queueIsDue(Int(timer.slot), at, &out)
      case .conversation: conversationIsDue(timer.slot, at, &out)
      }
    }
    return nil
  }

  private mutating func caseIsDue(_ slot: Int32, _ at: Instant, _ out: inout Decision) {
    let id = cases[slot].id
    switch cases[slot].state {
    case .waiting, .offered:
      if let until = cases[slot].preferenceUntil, until <= at {
        emit(.preferenceEnded(id), at, &out)
      }
      takeSteps(slot, at, &out)
      for backOff in cases[slot].backOffs where !backOff.isOver && backOff.until <= at {
        emit(.backOffEnded(backOff.agent, id), at, &out)
      }
      if let end = waitEnd(slot), end <= at { waitedOut(slot, at, &out) }
    case .assigned(let agent):
      adviceIsDue(slot, at, &out)
      if let until = cases[slot].heldUntil, until <= at {
        emit(.holdEnded(id, agent, .timedOut), at, &out)
        tell(agent, id, .holdEnded(.timedOut), &out)
      }
      if let replyBy = cases[slot].replyBy, replyBy <= at { takeBack(slot, agent, at, &out) }
    case .parked(let agent, let until):
      if until <= at { wake(slot, agent, at, &out) } else { adviceIsDue(slot, at, &out) }
    case .wrappingUp(_, let until):
      guard until <= at else {
        adviceIsDue(slot, at, &out)
        break
      }
      let home = cases[slot].conversation
      endCase(slot, .wrapUpOver, .movedOn, at, &out)
      closeConversation(home, at, &out)
    }
    guard self.slot(of: id) == slot else { return }
    armCase(slot)
    // What has waited too long, and where it is to go is full.
    if timers.instant(.caseDue, slot) ?? .max <= at.milliseconds {
      let again = at + .milliseconds(RoutingLimits.fullQueueAgainMilliseconds)
      timers.set(.caseDue, slot, number: cases[slot].sequence, at: again)
    }
  }

  private mutating func adviceIsDue(_ slot: Int32, _ at: Instant, _ out: inout Decision) {
    guard let consult = cases[slot].consult, consult.until <= at else { return }
    endConsult(slot, .timedOut, at, &out)
  }

  /// Back to the agent who parked it, when they are there and have room; else to its queue, with
  /// its age.
  private mutating func wake(_ slot: Int32, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
  {
    let id = cases[slot].id
    endConsult(slot, .movedOn, at, &out)
    if isThere(agent), hindrance(Int(agent.raw), for: slot) == nil {
      emit(.caseResumed(id, agent), at, &out)
      tell(agent, id, .woke, &out)
      return
    }
    let home = cases[slot].conversation
    emit(.caseRequeued(id, .wokeWithoutAgent), at, &out)
    tell(agent, id, .requeued(.wokeWithoutAgent), &out)
    give(home, to: .queue(cases[slot].need.queue, id), at, &out)
    sessionMayBeGone(slot, at, &out)
  }

  /// The agent never spoke: it waits again with its age, and comes to that agent last.
  private mutating func takeBack(
    _ slot: Int32, _ agent: AgentID, _ at: Instant, _ out: inout Decision
  ) {
    let id = cases[slot].id
    let home = cases[slot].conversation
    endConsult(slot, .movedOn, at, &out)
    emit(.caseRequeued(id, .agentSilent), at, &out)
    tell(agent, id, .requeued(.agentSilent), &out)
    emit(.backOffSet(agent, id, until: at + catalogue.limits.declineBackOff), at, &out)
    give(home, to: .queue(cases[slot].need.queue, id), at, &out)
    sessionMayBeGone(slot, at, &out)
  }

  /// A chat that ended while an agent had it has nobody left to wait for; a message waits without
  /// its caller anyhow.
  mutating func sessionMayBeGone(_ slot: Int32, _ at: Instant, _ out: inout Decision) {
    guard self.slot(of: cases[slot].session) < 0, cases[slot].by.cause != .message else {
      return takeSteps(slot, at, &out)
    }
    let home = cases[slot].conversation
    endCase(slot, .abandoned, .customerLeft, at, &out)
    nobodyHasIt(home, at, &out)
  }

  private mutating func sessionIsDue(_ slot: Int32, _ at: Instant, _ out: inout Decision) {
    guard let due = sessionDeadline(slot) else { return timers.cancel(.session, slot) }
    guard due <= at else {
      return timers.set(.session, slot, number: sessions[slot].sequence, at: due)  // something was said since
    }
    let id = sessions[slot].id
    let why: SessionEnd = sessions[slot].graceUntil != nil ? .connectionLost : .idle
    sessionIsOver(slot, why, at, &out)
    out.effects.append(.endSession(id, why))
  }

  private mutating func agentIsDue(_ agent: AgentID, _ at: Instant, _ out: inout Decision) {
    let index = Int(agent.raw)
    if let until = agents[index].backOffUntil, until <= at {
      emit(.backOffEnded(agent, nil), at, &out)
    }
    if let next = agents[index].next, next.until <= at {
      endWaitingNext(agent, at, &out)
      renewIfWorn(agent, at, &out)
    }
    if agents[index].isPresent, !holdsPresence(index), agents[index].presentUntil <= at {
      emit(.presenceLost(agent), at, &out)
      leave(agent, .agentLeft, streamsToo: true, at, &out)
    }
    timers.cancel(.agent, Int32(truncatingIfNeeded: index))
    armAgent(agent)
  }
}
