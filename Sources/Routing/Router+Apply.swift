import Model

// Applying: the only place where state changes. Every event is applicable to every state; an event
// about something that is not there changes nothing, so that no log can crash a replay.
extension Router {
  public mutating func apply(_ event: Event, at: Instant) {
    now = max(now, at)
    metaIsDirty = true
    switch event {
    case .configured(let new): applyConfigured(new)
    case .started: applyStarted()
    case .conversationOpened(let id, let customer, let owner):
      addConversation(id, customer, owner, 1, nil)
    case .conversationReopened(let id, let customer, let owner, let epoch, let lastAgent):
      applyReopened(id, customer, owner, epoch, lastAgent)
    case .conversationMoved(let id, let customer): changeConversation(id) { $0.customer = customer }
    case .conversationClosed(let id, let lastAgent): applyConversationClosed(id, lastAgent)
    case .sessionOpened(let id, let conversation, let channel, let bot):
      applySessionOpened(id, conversation, channel, bot)
    case .sessionEnded(let id, _): applySessionEnded(id)
    case .entryRecorded(_, let conversation, let session, let author, let visibility):
      applyRecorded(session)
      switch author {
      case .agent(let agent): if visibility == .customer { applyReplied(conversation, agent) }
      case .customer: applyAsked(conversation)
      case .bot, .system: applyAnswered(conversation)
      }
    case .ownerChanged(let id, let owner, let epoch):
      changeConversation(id) {
        $0.owner = owner
        $0.epoch = epoch
        $0.answerBy = nil
      }
      armConversation(slot(of: id))
    case .caseQueued(let id, let conversation, let session, let channel, let need, let age, let by):
      applyQueued(id, conversation, session, channel, need, age, by)
    case .stepTaken(let id, let index): applyStep(id, index)
    case .preferenceEnded(let id): applyPreferenceEnded(id)
    case .caseAccepted(let id, let agent): applyAccepted(id, agent)
    case .caseWrappingUp(let id, let agent, let until): applyWrappingUp(id, agent, until)
    case .caseParked(let id, let agent, let until): applyParked(id, agent, until)
    case .caseResumed(let id, let agent): applyResumed(id, agent)
    case .caseClosed(let id, let end): applyCaseClosed(id, end)
    case .offerMade(let id, let theCase, let agent, let seat, let until, _):
      applyOfferMade(id, theCase, agent, seat, until)
    case .offerEnded(let id, let end): applyOfferEnded(id, end)
    case .statusSet(let agent, let status, let reason): applyStatus(agent, status, reason)
    case .presenceRenewed(let agent, let until):
      changeAgent(agent) {
        $0.isPresent = true
        $0.presentUntil = until
      }
    case .presenceLost(let agent):
      changeAgent(agent) { $0.isPresent = false }
      releaseHeld(agent)
    case .notResponding(let agent):
      changeAgent(agent) { $0.isNotResponding = true }
      releaseHeld(agent)
    case .backOffSet(let agent, let theCase, let until): applyBackOff(agent, theCase, until)
    case .nextAsked(let agent, let waiter, let until):
      changeAgent(agent) { $0.next = .init(waiter: waiter, until: until) }
    case .nextEnded(let agent, let waiter):
      changeAgent(agent) { if $0.next?.waiter == waiter { $0.next = nil } }
    case .streamOpened(let agent, let waiter): changeAgent(agent) { $0.streams.append(waiter) }
    case .streamClosed(let agent, let waiter):
      changeAgent(agent) { $0.streams.removeAll { $0 == waiter } }
    case .sessionResumed(let id): applySessionResumed(id)
    case .backOffEnded(let agent, let theCase): applyBackOffEnded(agent, theCase)
    case .caseRequeued(let id, _): applyRequeued(id)
    case .queueOpened(let queue): applyOpen(queue, true)
    case .queueClosed(let queue): applyOpen(queue, false)
    case .caseOverflowed(let id, let queue, let why): applyOverflowed(id, queue, why)
    case .botFellSilent(let id): changeConversation(id) { $0.answerBy = nil }
    case .statusDeferred(let agent, let status, let reason):
      changeAgent(agent) {
        $0.statusAfter = status
        $0.reasonAfter = reason
      }
    case .channelsChosen(let agent, let channels):
      changeAgent(agent) {
        $0.channels = channels & Channel.allBits
        $0.channelStatuses.removeAll { channels & $0.channel.bit != 0 }
      }
      releaseHeldIfUnexpected(agent)
    case .channelStatusSet(let agent, let channels, let status, let reason):
      applyChannelStatus(agent, channels, status, reason)
    case .consultStarted(let id, let agent, let until):
      applyConsult(id, Consult(agent: agent, until: until))
    case .consultEnded(let id, _): applyConsult(id, nil)
    case .caseHeld(let id, _, let until): applyHold(id, until: until)
    case .holdEnded(let id, _, _): applyHold(id, until: nil)
    }
  }

  // MARK: Agents

  /// Changes an agent's record, then what is derived from it.
  mutating func changeAgent(_ agent: AgentID, _ change: (inout AgentRecord) -> Void) {
    guard isKnown(agent) else { return }
    change(&agents[Int(agent.raw)])
    touch(agent)
  }

  /// The row changed, and with it perhaps readiness and the deadline.
  mutating func touch(_ agent: AgentID) {
    if agents[Int(agent.raw)].statusAfter != nil {
      leaving.append(Int32(truncatingIfNeeded: agent.raw))
    }
    markDirty(agent)
    refresh(agent)
    armAgent(agent)
  }

  private mutating func applyStatus(
    _ agent: AgentID, _ status: AgentStatus, _ reason: StatusReasonID?
  ) {
    guard isKnown(agent) else { return }
    let isAvailable = catalogue.plain(status) == .available
    let becomesAvailable =
      isAvailable && catalogue.plain(agents[Int(agent.raw)].status) != .available
    agents[Int(agent.raw)].status = status
    agents[Int(agent.raw)].reason = reason
    agents[Int(agent.raw)].statusAfter = nil
    agents[Int(agent.raw)].reasonAfter = nil
    if isAvailable {
      agents[Int(agent.raw)].isNotResponding = false
      agents[Int(agent.raw)].backOffUntil = nil
    }
    if becomesAvailable { stampIdle(agent) }
    touch(agent)
    releaseHeldIfUnexpected(agent)
  }

  private mutating func applyChannelStatus(
    _ agent: AgentID, _ channels: UInt8, _ status: AgentStatus, _ reason: StatusReasonID?
  ) {
    changeAgent(agent) { record in
      let channels = channels & Channel.allBits
      record.channelStatuses.removeAll { channels & $0.channel.bit != 0 }
      guard status != .available else {
        record.channels |= channels
        return
      }
      record.channels &= ~channels
      for channel in Channel.allCases where channels & channel.bit != 0 {
        record.channelStatuses.append(.init(channel: channel, status: status, reason: reason))
      }
      record.channelStatuses.sort { $0.channel.rawValue < $1.channel.rawValue }
    }
    releaseHeldIfUnexpected(agent)
  }

  private mutating func releaseHeldIfUnexpected(_ agent: AgentID) {
    if !Channel.allCases.allSatisfy({ isExpected(agent, on: $0) }) { releaseHeld(agent) }
  }

  /// The agent is not expected any more: the cases that wait for them alone are looked at again.
  mutating func releaseHeld(_ agent: AgentID) {
    guard isKnown(agent) else { return }
    let held = agents[Int(agent.raw)].held
    agents[Int(agent.raw)].held = []  // at once: taken out one by one, many take long
    for slot in held {
      cases[slot].isHeld = false
      relist(slot)
    }
  }

  /// The agent goes to the end of the idle order.
  mutating func stampIdle(_ agent: AgentID) {
    let index = Int(agent.raw)
    agents[index].idleStamp = nextSequence()
    agents[index].idleSince = now
    idle.moveToEnd(index, profiles)
  }

  private mutating func applyBackOff(_ agent: AgentID, _ theCase: CaseID?, _ until: Instant) {
    guard let theCase else { return changeAgent(agent) { $0.backOffUntil = until } }
    let slot = slot(of: theCase)
    guard slot >= 0 else { return }
    if let index = cases[slot].backOffs.firstIndex(where: { $0.agent == agent }) {
      cases[slot].backOffs[index].until = until
      cases[slot].backOffs[index].isOver = false
      let times = cases[slot].backOffs[index].times
      cases[slot].backOffs[index].times = times == .max ? .max : times + 1
    } else {
      cases[slot].backOffs.append(CaseBackOff(agent: agent, until: until, times: 1, isOver: false))
    }
    cases[slot].isRestricted = true
    markDirty(theCase: slot)
    armCase(slot)
    if isListed(slot) { relist(slot) }
  }

  private mutating func applyBackOffEnded(_ agent: AgentID, _ theCase: CaseID?) {
    guard let theCase else { return changeAgent(agent) { $0.backOffUntil = nil } }
    let slot = slot(of: theCase)
    guard slot >= 0, let index = cases[slot].backOffs.firstIndex(where: { $0.agent == agent })
    else { return }
    cases[slot].backOffs[index].isOver = true
    markDirty(theCase: slot)
    armCase(slot)
    lookAgain(atCase: slot)
  }

  // MARK: The workspace

  private mutating func applyConfigured(_ new: RoutingConfiguration) {
    let old = catalogue
    catalogue.apply(new)
    catalogueIsDirty = true
    while agents.count < catalogue.agents.count {
      agents.append(AgentRecord())
      markDirty(AgentID(UInt32(truncatingIfNeeded: agents.count - 1)))
    }
    while queues.count < catalogue.queues.count {
      queues.append(QueueRecord())
      markDirty(queue: QueueID(UInt32(truncatingIfNeeded: queues.count - 1)))
    }
    rebuildIndexes(relisting: catalogue.queuesChanged(since: old))
  }

  private mutating func applyStarted() {
    let grace = now + catalogue.limits.restartGrace
    for index in agents.indices
    where agents[index].isPresent || agents[index].next != nil || !agents[index].streams.isEmpty {
      agents[index].next = nil
      agents[index].streams = []
      if agents[index].isPresent {
        agents[index].presentUntil = max(agents[index].presentUntil, grace)
      }
      touch(AgentID(UInt32(truncatingIfNeeded: index)))
    }
    for slot in sessions.ordered where sessions[slot].channel == .phone { beginGrace(slot, grace) }
    for slot in offers.ordered {
      guard case .device = offers[slot].seat else { continue }
      offers[slot].until = max(offers[slot].until, grace)
      markDirty(offer: slot)
      timers.set(.offer, slot, number: offers[slot].sequence, at: offers[slot].until)
    }
  }

  /// A call that an agent talks on lives in the phone system, which reports its end; one that waits
  /// must come back.
  private mutating func beginGrace(_ slot: Int32, _ until: Instant) {
    let theCase = conversations[sessions[slot].conversation].openCase
    if theCase >= 0, cases[theCase].session == sessions[slot].id, cases[theCase].channel == .phone {
      switch cases[theCase].state {
      case .assigned, .parked, .wrappingUp: return
      case .waiting, .offered: break
      }
    }
    sessions[slot].graceUntil = until
    markDirty(session: slot)
    armSession(slot)
    guard theCase >= 0 else { return }
    if cases[theCase].state == .waiting { relist(theCase) } else { placeAmongOffered(theCase) }
  }
}
