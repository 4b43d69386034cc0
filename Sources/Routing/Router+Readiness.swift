import Model

// What is derived from the records: who can be offered something, which deadline comes next, which
// rows must be written.
extension Router {
  /// Recomputes an agent's readiness. What was gained waits for the match; what was lost is
  /// unlisted at once.
  mutating func refresh(_ agent: AgentID) {
    let index = Int(agent.raw)
    let (ready, blocker) = readiness(index)
    if blocker != agents[index].blocker {
      count(index, agents[index].blocker, down: true)
      agents[index].blocker = blocker
      count(index, blocker, down: false)
    }
    if ready != agents[index].ready {
      countReady(index, agents[index].ready, down: true)
      agents[index].ready = ready
      countReady(index, ready, down: false)
    }
    let listed = idle.channels(index)
    if listed & ~ready != 0 { idle.list(index, listed & ready, profiles) }
    let gained =
      ready & ~listed != 0 || (ready != 0 && agents[index].used < agents[index].usedWhenListed)
    if gained { lookAgain(index) }
  }

  private mutating func count(_ index: Int, _ blocker: UInt8, down: Bool) {
    guard blocker != AgentRecord.unblocked else { return }
    for at in profiles.queueRange(index) {
      let queue = Int(profiles.allQueues[at].raw)
      if down {
        queues[queue].blocked[Int(blocker)] -= 1
      } else {
        queues[queue].blocked[Int(blocker)] += 1
      }
    }
  }

  private mutating func countReady(_ index: Int, _ channels: UInt8, down: Bool) {
    guard channels != 0 else { return }
    for at in profiles.queueRange(index) {
      let queue = Int(profiles.allQueues[at].raw)
      if down {
        queues[queue].ready[Int(channels)] -= 1
      } else {
        queues[queue].ready[Int(channels)] += 1
      }
    }
  }

  /// Channels on which the agent can be offered something now, and what hinders most where it is
  /// none.
  func readiness(_ index: Int) -> (ready: UInt8, blocker: UInt8) {
    let bounds = profiles.bounds[index]
    func blocked(_ reason: PassedOverReason) -> (ready: UInt8, blocker: UInt8) {
      (0, reason.rawValue)
    }
    if bounds.isRetired { return (0, AgentRecord.unblocked) }
    let open = catalogue.channelsOpen(agents[index].status) & agents[index].channels
    if open == 0 || agents[index].isNotResponding || agents[index].statusAfter != nil {
      return blocked(.notAvailable)
    }
    if !agents[index].isPresent { return blocked(.notPresent) }
    if agents[index].backOffUntil != nil { return blocked(.backingOff) }
    if agents[index].openOffer >= 0 { return blocked(.offered) }
    if isExclusivelyOnCall(index) {
      return blocked(.onCall)
    }
    let sits = agents[index].next != nil || !agents[index].streams.isEmpty
    var ready: UInt8 = 0
    var hasRoom = false
    for code in 1...UInt8(3) {
      guard let channel = Channel(rawValue: code),
        agents[index].count(channel) < bounds.most(channel),
        room(index, channel) >= leastWeight[Int(code) - 1],
        open & channel.bit != 0
      else { continue }
      hasRoom = hasRoom || channel != .phone || bounds.devices > 0
      if channel == .phone ? freeDevice(index) != nil : sits { ready |= channel.bit }
    }
    if ready != 0 { return (ready, AgentRecord.unblocked) }
    return blocked(hasRoom ? .notAsking : .full)
  }

  /// A call takes the whole agent, where the workspace and the agent's own settings say so.
  func isExclusivelyOnCall(_ index: Int) -> Bool {
    agents[index].casesByChannel.phone > 0 && catalogue.limits.voiceExclusive
      && profiles.bounds[index].voiceExclusive
  }

  /// The first device on which neither an offer nor a call is.
  /// - Parameter tried: it and those before it are left out.
  func freeDevice(_ index: Int, after tried: UInt8? = nil) -> UInt8? {
    let devices = profiles.bounds[index].devices
    guard devices > 0 else { return nil }
    var busy: UInt32 = tried.map { (2 << UInt32($0 & 31)) &- 1 } ?? 0
    for slot in agents[index].cases {
      if let device = cases[slot].device { busy |= 1 << UInt32(device & 31) }
    }
    if agents[index].openOffer >= 0, case .device(let device) = offers[agents[index].openOffer].seat
    {
      busy |= 1 << UInt32(device & 31)
    }
    let first = (~busy).trailingZeroBitCount
    return first < devices ? UInt8(truncatingIfNeeded: first) : nil
  }

  func holdsPresence(_ index: Int) -> Bool {
    if agents[index].next != nil || !agents[index].streams.isEmpty { return true }
    return agents[index].casesByChannel.phone > 0
      && isTalking(index)
  }

  private func isTalking(_ index: Int) -> Bool {
    for slot in agents[index].cases where cases[slot].channel == .phone {
      if case .assigned = cases[slot].state { return true }
    }
    return false
  }

  // MARK: Timers

  mutating func armAgent(_ agent: AgentID) {
    let index = Int(agent.raw)
    var due = Instant.distantFuture
    if agents[index].isPresent && !holdsPresence(index) { due = agents[index].presentUntil }
    if let next = agents[index].next { due = min(due, next.until) }
    if let until = agents[index].backOffUntil { due = min(due, until) }
    let slot = Int32(truncatingIfNeeded: index)
    if due == .distantFuture { return timers.cancel(.agent, slot) }
    // A lease is renewed far more often than it ends: a timer that is too early costs less than
    // moving it.
    if let set = timers.instant(.agent, slot), set <= due.milliseconds { return }
    timers.set(.agent, slot, number: UInt64(agent.raw), at: due)
  }

  mutating func armCase(_ slot: Int32) {
    var due = Instant.distantFuture
    switch cases[slot].state {
    case .waiting, .offered:
      due = cases[slot].preferenceUntil ?? due
      if let step = nextStep(slot) { due = min(due, step) }
      for backOff in cases[slot].backOffs where !backOff.isOver { due = min(due, backOff.until) }
      if let end = waitEnd(slot) { due = min(due, end) }
    case .assigned:
      due = cases[slot].replyBy ?? due
      if let consult = cases[slot].consult { due = min(due, consult.until) }
      if let until = cases[slot].heldUntil { due = min(due, until) }
    case .parked(_, let until), .wrappingUp(_, let until):
      due = min(until, cases[slot].consult?.until ?? until)
    }
    if due == .distantFuture { return timers.cancel(.caseDue, slot) }
    if timers.instant(.caseDue, slot) == due.milliseconds { return }
    timers.set(.caseDue, slot, number: cases[slot].sequence, at: due)
  }

  func nextStep(_ slot: Int32) -> Instant? {
    let index = Int(cases[slot].stepsTaken)
    guard index < cases[slot].need.steps.count else { return nil }
    return cases[slot].age + cases[slot].need.steps[index].after
  }

  mutating func armSession(_ slot: Int32) {
    guard let due = sessionDeadline(slot) else { return timers.cancel(.session, slot) }
    if let set = timers.instant(.session, slot), set <= due.milliseconds { return }
    timers.set(.session, slot, number: sessions[slot].sequence, at: due)
  }

  /// A chat or call on which nothing is said ends by itself; a mail thread does not.
  func sessionDeadline(_ slot: Int32) -> Instant? {
    if let grace = sessions[slot].graceUntil { return grace }
    switch sessions[slot].channel {
    case .chat, .phone: return sessions[slot].activity + catalogue.limits.sessionIdleMax
    case .email: return nil
    }
  }

  /// Whether the case's caller may still come back after a restart.
  func isInGrace(_ theCase: Int32) -> Bool {
    guard cases[theCase].channel == .phone else { return false }
    let slot = sessions.find(cases[theCase].session)
    guard slot >= 0 else { return false }
    return sessions[slot].graceUntil != nil
  }

  // MARK: Rebuilding

  /// Everything that is derived from the catalogue and the agents, anew, and of the cases what rests on these.
  /// - Parameter queues: whose cases are derived and listed anew, by handle; nil for all cases.
  mutating func rebuildIndexes(relisting changed: [Bool]? = nil) {
    profiles = Profiles(catalogue)
    let order = agents.indices.sorted {
      agents[$0].idleStamp == agents[$1].idleStamp
        ? $0 < $1 : agents[$0].idleStamp < agents[$1].idleStamp
    }
    idle = IdleIndex(
      skills: catalogue.skillNames.all.count, queues: queues.count, agents: agents.count,
      order: order.map { Int32(truncatingIfNeeded: $0) })
    everyone = IdleIndex(
      skills: catalogue.skillNames.all.count, queues: queues.count, agents: agents.count,
      order: agents.indices.map { Int32(truncatingIfNeeded: $0) }, isFixed: true)
    for index in agents.indices where !profiles.bounds[index].isRetired {
      everyone.list(index, Channel.allBits, profiles)
    }
    let few = scarce.all
    scarce = ScarceCases(agents: agents.count)
    unsuited = UnsuitedMembers()
    if changed == nil {
      leastWeight = Channel.allCases.map { Int(max(1, catalogue.limits.weight[$0])) }
    }
    for index in queues.indices {
      waiting.setOpen(QueueID(UInt32(truncatingIfNeeded: index)), queues[index].isOpen)
      openToMore.setOpen(QueueID(UInt32(truncatingIfNeeded: index)), queues[index].isOpen)
      armQueue(index)
      queues[index].blocked = Array(repeating: 0, count: PassedOverReason.allCases.count)
      queues[index].members = 0
      queues[index].ready = QueueRecord().ready
    }
    for index in agents.indices {
      agents[index].blocker = AgentRecord.unblocked
      agents[index].ready = 0
      agents[index].isPending = false
      agents[index].usedWhenListed = .max
      for at in profiles.queueRange(index) { queues[Int(profiles.allQueues[at].raw)].members += 1 }
    }
    pendingAgents.removeAll(keepingCapacity: true)
    if let changed {
      relist(few, andThoseOf: changed)
    } else {
      relistAll()
    }
    for index in agents.indices {
      refresh(AgentID(UInt32(truncatingIfNeeded: index)))
      armAgent(AgentID(UInt32(truncatingIfNeeded: index)))
    }
    leaveToAgents()
  }

  /// Where a case stands among all does not depend on who could take it, but for those that are held with single
  /// agents: they are listed anew, so that a publish in which an agent learns something does not walk all that wait.
  private mutating func relist(_ few: [Int32], andThoseOf changed: [Bool]) {
    for slot in few { relist(slot) }
    for index in agents.indices where !agents[index].held.isEmpty {
      releaseHeld(AgentID(UInt32(truncatingIfNeeded: index)))
    }
    guard changed.contains(true) else { return }
    let isConcerned = { (record: CaseRecord) in changed[Int(record.need.queue.raw)] }
    for slot in cases.ordered(where: isConcerned) { placeAnew(slot) }
  }

  private mutating func placeAnew(_ slot: Int32) {
    derive(slot)
    lookAgain(atCase: slot)
    armCase(slot)
  }

  /// Weights and keys may be others now. An agent's used capacity follows.
  private mutating func relistAll() {
    for index in agents.indices {
      agents[index].used = 0
      agents[index].usedFirmly = 0
    }
    for slot in cases.ordered {
      let agent = cases[slot].state.isHolding ? cases[slot].agent : nil
      placeAnew(slot)
      if let agent { count(slot, in: Int(agent.raw), 1) }
    }
    for slot in conversations.ordered { armConversation(slot) }
    for slot in sessions.ordered {
      timers.cancel(.session, slot)
      armSession(slot)
    }
  }
}

extension CaseState {
  /// Whether somebody is still to take it.
  var hasNoAgent: Bool {
    switch self {
    case .waiting, .offered: true
    case .assigned, .parked, .wrappingUp: false
    }
  }
  /// Whether it takes its agent's capacity.
  var isHolding: Bool {
    switch self {
    case .assigned, .wrappingUp: true
    case .waiting, .offered, .parked: false
    }
  }
}
