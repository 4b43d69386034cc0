import Model

extension Router {
  mutating func applyQueued(
    _ id: CaseID, _ conversation: ConversationID, _ session: SessionID, _ channel: Channel,
    _ need: Need,
    _ age: Instant, _ by: RouteReason
  ) {
    let home = slot(of: conversation)
    guard home >= 0, conversations[home].openCase < 0, slot(of: id) < 0,
      catalogue.isKnown(need.queue)
    else { return }
    var record = CaseRecord(
      id: id, channel: channel, conversation: home, sequence: nextSequence(), age: age,
      queuedAt: now, session: session, need: need, by: by)
    record.preferenceUntil = need.preferred.map { now + $0.for }
    let slot = cases.add(record)
    conversations[home].openCase = slot
    leaveLine(slot)
    derive(slot)
    beginWaiting(slot)
    markDirty(theCase: slot)
    armCase(slot)
  }

  /// What is left of a call whose caller has hung up rings nowhere: it is taken at a desk, as a
  /// message is.
  private mutating func leaveLine(_ slot: Int32) {
    guard cases[slot].channel == .phone, self.slot(of: cases[slot].session) < 0 else { return }
    cases[slot].channel = .email
    cases[slot].by.cause = .message
  }

  /// What follows from the need: the weight and the key.
  mutating func derive(_ slot: Int32) {
    let need = cases[slot].need
    let weight = max(1, need.weight ?? catalogue.limits.weight[cases[slot].channel])
    cases[slot].weight = weight
    cases[slot].isRestricted = need.circle != nil || !cases[slot].backOffs.isEmpty
    // In two lines: in one, the compiler copies the whole machine to read from it while a case is
    // written.
    let key = orderKey(need, cases[slot].age)
    cases[slot].key = key
    let channel = Int(cases[slot].channel.rawValue) - 1
    if Int(weight) < leastWeight[channel] {
      leastWeight[channel] = Int(weight)
      for index in agents.indices { refresh(AgentID(UInt32(truncatingIfNeeded: index))) }
    }
  }

  /// Lower is sooner, and it never changes while the case waits: the instant from which it waits,
  /// or at which its service level ends, minus what its priority is worth.
  func orderKey(_ need: Need, _ age: Instant) -> Int64 {
    let seconds = Int64(catalogue.queues[Int(need.queue.raw)].settings.prioritySeconds)
    let point = seconds == 0 ? RoutingLimits.strictPointMilliseconds : seconds * 1_000
    var age = age
    if catalogue.queues[Int(need.queue.raw)].settings.order == .deadline {
      age = age + (need.serviceLevel ?? catalogue.queues[Int(need.queue.raw)].settings.serviceLevel)
    }
    let (key, overflow) = age.milliseconds.subtractingReportingOverflow(
      Int64(need.priority) * point)
    return overflow ? (need.priority > 0 ? .min : .max - 1) : min(key, .max - 1)
  }

  // MARK: Waiting

  /// Counts the case in and leaves it to the match.
  mutating func beginWaiting(_ slot: Int32) {
    cases[slot].state = .waiting
    let queue = Int(cases[slot].need.queue.raw)
    let now = now
    queues[queue].count(waiting: 1, at: now)
    queues[queue].oldest.add(
      .init(age: cases[slot].age.milliseconds, sequence: cases[slot].sequence, slot: slot))
    if !queues[queue].isOpen { armQueue(queue) }
    relist(slot)
  }

  /// Takes the case out of the index and counts it out of `waiting`; the caller says what it is
  /// now.
  /// - Parameter isTurn: somebody may have it; else it went without.
  mutating func endWaiting(_ slot: Int32, isTurn: Bool) {
    unlist(slot)
    let (queue, since) = (Int(cases[slot].need.queue.raw), cases[slot].queuedAt)
    let now = now
    queues[queue].pace.leaves(since: since, isTurn: isTurn, at: now)
    queues[queue].count(waiting: -1, at: now)
  }

  /// No longer without an agent: the oldest of the queue may be another.
  mutating func dropFromOldest(_ slot: Int32) {
    let queue = cases[slot].need.queue
    queues[Int(queue.raw)].oldest.removed { [records = cases.records] entry in
      records[Int(entry.slot)].hasNoAgent(entry.sequence, queue)
    }
  }

  mutating func unlist(_ slot: Int32) {
    waiting.remove(slot)
    scarce.remove(slot)
    cases[slot].isPending = false
    if cases[slot].isHeld, let preferred = cases[slot].need.preferred {
      agents[Int(preferred.agent.raw)].held.removeAll { $0 == slot }
      cases[slot].isHeld = false
    }
  }

  /// Out of the index and into the list of those that the next match looks at.
  mutating func relist(_ slot: Int32) {
    unlist(slot)
    cases[slot].isPending = true
    pendingCases.append(slot)
    if !isDeciding, pendingCases.count > RoutingLimits.looksPerCommandMax { listPendingCases() }
  }

  // MARK: Steps

  mutating func applyStep(_ id: CaseID, _ index: UInt16) {
    let slot = slot(of: id)
    guard slot >= 0, Int(index) < cases[slot].need.steps.count else { return }
    let wasWaiting = cases[slot].state == .waiting
    let wasOffered = cases[slot].state == .offered
    if wasWaiting { unlist(slot) }
    let old = cases[slot].need.queue
    change(slot, cases[slot].need.steps[Int(index)].change)
    cases[slot].stepsTaken = index + 1
    let new = cases[slot].need.queue
    if old != new, wasWaiting || wasOffered { moveQueue(slot, from: old, to: new) }
    derive(slot)
    if wasWaiting { relist(slot) }
    if wasOffered { askMore(slot) }
    markDirty(theCase: slot)
    armCase(slot)
  }

  private mutating func change(_ slot: Int32, _ change: Need.Step.Change) {
    switch change {
    case .dropSkill(let skill): cases[slot].need.skills.removeAll { $0.skill == skill }
    case .lowerSkill(let skill, let level):
      for index in cases[slot].need.skills.indices
      where cases[slot].need.skills[index].skill == skill {
        cases[slot].need.skills[index].level = max(
          1, min(level, cases[slot].need.skills[index].level))
      }
    case .raisePriority(let by):
      let (sum, overflow) = cases[slot].need.priority.addingReportingOverflow(by)
      cases[slot].need.priority = overflow ? (by > 0 ? .max : .min) : sum
    case .changeQueue(let queue): if catalogue.isKnown(queue) { cases[slot].need.queue = queue }
    case .widen(let queues):
      for queue in queues where catalogue.isKnown(queue) && !cases[slot].widened.contains(queue) {
        if cases[slot].widened.count < RoutingLimits.widenedQueuesMax {
          cases[slot].widened.append(queue)
        }
      }
      cases[slot].widened.sort()
    case .message: break
    }
  }

  mutating func moveQueue(_ slot: Int32, from old: QueueID, to new: QueueID) {
    if cases[slot].state == .waiting {
      let (since, now) = (cases[slot].queuedAt, now)
      queues[Int(old.raw)].pace.leaves(since: since, isTurn: false, at: now)
      queues[Int(old.raw)].count(waiting: -1, at: now)
      queues[Int(new.raw)].count(waiting: 1, at: now)
    } else {
      queues[Int(old.raw)].offered -= 1
      queues[Int(new.raw)].offered += 1
      giveTurnBack(old)
      countTurn(new)
    }
    queues[Int(old.raw)].oldest.removed { [records = cases.records] entry in
      records[Int(entry.slot)].hasNoAgent(entry.sequence, old)
    }
    queues[Int(new.raw)].oldest.add(
      .init(age: cases[slot].age.milliseconds, sequence: cases[slot].sequence, slot: slot))
    cases[slot].queuedAt = now
    if !queues[Int(new.raw)].isOpen { armQueue(Int(new.raw)) }
  }

  mutating func applyPreferenceEnded(_ id: CaseID) {
    let slot = slot(of: id)
    guard slot >= 0, cases[slot].preferenceUntil != nil else { return }
    let isWaiting = cases[slot].state == .waiting
    if isWaiting { unlist(slot) }
    cases[slot].preferenceUntil = nil
    lookAgain(atCase: slot)
    markDirty(theCase: slot)
    armCase(slot)
  }

  // MARK: With an agent

  mutating func applyAccepted(_ id: CaseID, _ agent: AgentID) {
    let slot = slot(of: id)
    guard slot >= 0, isKnown(agent) else { return }
    let former = cases[slot].agent
    setConsult(slot, nil)
    cases[slot].heldUntil = nil
    leaveQueue(slot, isTurn: true)
    let queue = Int(cases[slot].need.queue.raw)
    if !cases[slot].acceptedOnce {
      let target = cases[slot].need.serviceLevel ?? catalogue.queues[queue].settings.serviceLevel
      queues[queue].accepted += 1
      if now - cases[slot].age <= target { queues[queue].acceptedInTime += 1 }
      markDirty(queue: cases[slot].need.queue)
    }
    cases[slot].acceptedOnce = true
    cases[slot].preferenceUntil = nil
    let device = acceptedDevice(slot, agent)
    cases[slot].device = device
    cases[slot].state = .assigned(agent)
    queues[queue].assigned += 1
    let patience = catalogue.queues[queue].settings.firstReply[cases[slot].channel]
    cases[slot].replyBy = patience > .zero ? now + patience : nil
    take(slot, agent)
    conversations[cases[slot].conversation].lastAgent = agent
    markDirty(conversation: cases[slot].conversation)
    if cases[slot].channel == .phone { endGrace(cases[slot].session) }
    countAccepted(agent)
    stampIdle(agent)
    markDirty(theCase: slot)
    armCase(slot)
    touch(agent)
    if let former, former != agent {
      stampIdle(former)
      touch(former)
    }
  }

  private func acceptedDevice(_ slot: Int32, _ agent: AgentID) -> UInt8? {
    var offer = cases[slot].firstOffer
    while offer >= 0 {
      if offers[offer].agent == agent, case .device(let index) = offers[offer].seat { return index }
      offer = offers[offer].nextOfCase
    }
    return nil
  }

  private mutating func endGrace(_ session: SessionID) {
    let slot = slot(of: session)
    guard slot >= 0, sessions[slot].graceUntil != nil else { return }
    sessions[slot].graceUntil = nil
    markDirty(session: slot)
    armSession(slot)
  }

  private mutating func countAccepted(_ agent: AgentID) {
    let day = now.milliseconds / 86_400_000
    let index = Int(agent.raw)
    if agents[index].day != day {
      agents[index].day = day
      agents[index].acceptedInDay = 0
    }
    agents[index].acceptedInDay += 1
  }

  /// The agent who has it spoke to the customer.
  mutating func applyReplied(_ conversation: ConversationID, _ agent: AgentID) {
    let home = slot(of: conversation)
    guard home >= 0 else { return }
    let slot = conversations[home].openCase
    guard slot >= 0, cases[slot].replyBy != nil, cases[slot].state == .assigned(agent) else {
      return
    }
    cases[slot].replyBy = nil
    markDirty(theCase: slot)
    armCase(slot)
  }

  /// Out of `waiting`, `offered` or `parked`, whatever it was.
  private mutating func leaveQueue(_ slot: Int32, isTurn: Bool) {
    let queue = Int(cases[slot].need.queue.raw)
    switch cases[slot].state {
    case .waiting:
      endWaiting(slot, isTurn: isTurn)
      cases[slot].state = .assigned(AgentID(0))
      dropFromOldest(slot)
    case .offered:
      queues[queue].offered -= 1
      openToMore.remove(slot)
      cases[slot].state = .assigned(AgentID(0))
      dropFromOldest(slot)
    case .assigned(let agent), .parked(let agent, _), .wrappingUp(let agent, _):
      // None where a log that cannot be says that somebody wraps up what nobody had.
      if queues[queue].assigned > 0 { queues[queue].assigned -= 1 }
      release(slot, agent)
    }
  }

  /// The case takes its share of the agent's capacity.
  mutating func take(_ slot: Int32, _ agent: AgentID) {
    let index = Int(agent.raw)
    count(slot, in: index, 1)
    agents[index].cases.append(slot)
    agents[index].count(cases[slot].channel, 1)
  }

  mutating func count(_ slot: Int32, in agent: Int, _ sign: Int) {
    let units = sign * Int(cases[slot].weight)
    agents[agent].used += units
    if !catalogue.limits.interruptible[cases[slot].channel] { agents[agent].usedFirmly += units }
  }

  private mutating func release(_ slot: Int32, _ agent: AgentID) {
    let index = Int(agent.raw)
    guard let place = agents[index].cases.firstIndex(of: slot) else { return }
    agents[index].cases.remove(at: place)
    count(slot, in: index, -1)
    agents[index].count(cases[slot].channel, -1)
  }

  mutating func applyWrappingUp(_ id: CaseID, _ agent: AgentID, _ until: Instant?) {
    let slot = slot(of: id)
    guard slot >= 0, isKnown(agent) else { return }
    cases[slot].state = .wrappingUp(agent, until: until ?? .distantFuture)
    cases[slot].replyBy = nil
    cases[slot].heldUntil = nil
    cases[slot].device = nil
    markDirty(theCase: slot)
    armCase(slot)
    touch(agent)
  }

  mutating func applyParked(_ id: CaseID, _ agent: AgentID, _ until: Instant) {
    let slot = slot(of: id)
    guard slot >= 0, case .assigned = cases[slot].state, isKnown(agent) else { return }
    release(slot, agent)
    cases[slot].state = .parked(agent, until: until)
    cases[slot].replyBy = nil
    cases[slot].heldUntil = nil
    markDirty(theCase: slot)
    armCase(slot)
    touch(agent)
  }

  mutating func applyResumed(_ id: CaseID, _ agent: AgentID) {
    let slot = slot(of: id)
    guard slot >= 0, case .parked = cases[slot].state, isKnown(agent) else { return }
    cases[slot].state = .assigned(agent)
    take(slot, agent)
    markDirty(theCase: slot)
    armCase(slot)
    touch(agent)
  }

  mutating func applyRequeued(_ id: CaseID) {
    let slot = slot(of: id)
    guard slot >= 0 else { return }
    let agent = cases[slot].agent
    leaveQueue(slot, isTurn: false)
    cases[slot].device = nil
    cases[slot].replyBy = nil
    cases[slot].heldUntil = nil
    cases[slot].queuedAt = now
    leaveLine(slot)
    derive(slot)
    beginWaiting(slot)
    markDirty(theCase: slot)
    armCase(slot)
    if let agent { touch(agent) }
  }

  mutating func applyCaseClosed(_ id: CaseID, _ end: CaseEnd) {
    let slot = slot(of: id)
    guard slot >= 0 else { return }
    let agent = cases[slot].agent
    let queue = cases[slot].need.queue
    setConsult(slot, nil)
    leaveQueue(slot, isTurn: false)
    if end == .abandoned {
      queues[Int(queue.raw)].abandoned += 1
      markDirty(queue: queue)
    }
    conversations[cases[slot].conversation].openCase = -1
    timers.cancel(.caseDue, slot)
    markGone(theCase: slot)
    cases.remove(slot)
    ended.add(id)
    if let agent {
      stampIdle(agent)
      touch(agent)
    }
  }
}

extension CaseRecord {
  /// Whether this is still the case of that number, waiting or offered in that queue.
  func hasNoAgent(_ sequence: UInt64, _ queue: QueueID) -> Bool {
    self.sequence == sequence && need.queue == queue && agent == nil
  }
  /// Who has it: assigned, parked or wrapping up.
  var agent: AgentID? {
    switch state {
    case .waiting, .offered: nil
    case .assigned(let agent), .parked(let agent, _), .wrappingUp(let agent, _): agent
    }
  }
}

extension AgentRecord {
  mutating func count(_ channel: Channel, _ change: Int) {
    switch channel {
    case .chat: casesByChannel.chat = UInt16(truncatingIfNeeded: Int(casesByChannel.chat) + change)
    case .email:
      casesByChannel.email = UInt16(truncatingIfNeeded: Int(casesByChannel.email) + change)
    case .phone:
      casesByChannel.phone = UInt16(truncatingIfNeeded: Int(casesByChannel.phone) + change)
    }
  }
  func count(_ channel: Channel) -> UInt16 {
    switch channel {
    case .chat: casesByChannel.chat
    case .email: casesByChannel.email
    case .phone: casesByChannel.phone
    }
  }
}
