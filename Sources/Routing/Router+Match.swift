import Model

// Matching: on every change, and complete. Before a command no waiting case had an eligible agent
// who could be offered it; so a new pair has an agent or a case that the command changed, and only
// these are looked at.
extension Router {
  mutating func match(_ at: Instant, _ out: inout Decision) {
    matchGoesOn = false
    underOfferedIsInOrder = false  // standings change with time
    var budget = RoutingLimits.pairsPerCommandMax
    while true {
      if pendingAgents.isEmpty, pendingCases.isEmpty {
        // What waits goes before what is offered already.
        if !underOffered.isEmpty { orderUnderOffered(at) }
        guard !underOffered.isEmpty else { return }
      }
      guard budget > 0 else {
        matchGoesOn = true
        return
      }
      if pendingAgents.isEmpty, pendingCases.isEmpty {
        offerSoonestToNext(at, &out)
        budget -= 1
      } else if pendingCases.isEmpty, pendingAgents.count == 1 {
        // Nobody else is new: a case that this agent can take has no other agent, or it would not
        // wait.
        let agent = Int(pendingAgents.removeLast())
        agents[agent].isPending = false
        if let slot = bestCase(for: agent, at) {
          makeOffer(slot, agent, at, &out)
        } else {
          listIdle(agent)
          offerBesideOthers(agent, at, &budget, &out)
        }
        budget -= 1
      } else if pendingAgents.isEmpty, pendingCases.count == 1 {
        let slot = pendingCases.removeLast()
        guard settlePreference(slot, at, &out) else { continue }
        if !isBehindAnother(slot), let agent = bestAgent(for: slot) {
          makeOffer(slot, agent, at, &out)
        } else {
          listWaiting(slot)
        }
        budget -= 1
      } else {
        matchMany(at, &budget, &out)
      }
    }
  }

  /// Whether a case waits that needs no more than this one and would take any agent. It found
  /// nobody, so this one need not look. Only true to the facts while no agent is new.
  private func isBehindAnother(_ slot: Int32) -> Bool {
    guard cases[slot].preferenceUntil == nil, !idle.isEmpty(cases[slot].channel) else {
      return false
    }
    let kind = kind(slot)
    return waiting.hasEasierCase(kind, skills: cases[slot].need.skills)
  }

  /// Several are new. Each pair is looked at from both sides: the agent that suits a case best may
  /// have an
  /// older case to take, and the case that suits an agent best may have a longer idle agent.
  private mutating func matchMany(_ at: Instant, _ budget: inout Int, _ out: inout Decision) {
    let (someCases, areAll) = takePendingCases(at, &out)
    var someAgents = pendingAgents
    pendingAgents.removeAll(keepingCapacity: true)
    someAgents.sort { agents[Int($0)].idleStamp < agents[Int($1)].idleStamp }
    for agent in someAgents {
      agents[Int(agent)].isPending = false
      listIdle(Int(agent))
    }
    for (place, slot) in someCases.enumerated() {
      while cases[slot].state == .waiting, isListed(slot) || cases[slot].isHeld,
        let agent = bestAgent(for: slot)
      {
        guard budget > 0 else { return putBack(someCases[place...], someAgents[...]) }
        pair(slot, agent, at, &out)
        budget -= 1
      }
    }
    // A case that is not yet listed may be sooner than what an agent finds.
    let looks = areAll ? RoutingLimits.looksPerCommandMax : 0
    for (place, index) in someAgents.enumerated() {
      let agent = Int(index)
      guard place < looks else {
        budget = 0
        return putBack([], someAgents[place...])
      }
      while idle.channels(agent) != 0, let slot = bestCase(for: agent, at) {
        guard budget > 0 else { return putBack([], someAgents[place...]) }
        let other = bestAgent(for: slot) ?? agent
        if other == agent { makeOffer(slot, agent, at, &out) } else { pair(slot, other, at, &out) }
        budget -= 1
      }
    }
    if !areAll { budget = 0 }
    for agent in someAgents { offerBesideOthers(Int(agent), at, &budget, &out) }
  }

  /// Offers a pair in which each is the other's best. The agent's best case is never later than the
  /// case that led to the agent, so this ends.
  private mutating func pair(_ slot: Int32, _ agent: Int, _ at: Instant, _ out: inout Decision) {
    var (slot, agent) = (slot, agent)
    while let first = bestCase(for: agent, at), first != slot, let other = bestAgent(for: first) {
      slot = first
      if other == agent { break }
      agent = other
    }
    makeOffer(slot, agent, at, &out)
  }

  /// Lists the soonest of the pending cases, as many as a command looks at, and returns them in
  /// order; the others stay pending.
  private mutating func takePendingCases(_ at: Instant, _ out: inout Decision)
    -> (cases: [Int32], areAll: Bool)
  {
    var some = pendingCases.filter { cases[$0].isPending && cases[$0].state == .waiting }
    some.sort { goesBefore($0, $1, at) }
    let these = some.prefix(RoutingLimits.looksPerCommandMax)
    pendingCases = Array(some[these.endIndex...])
    var taken: [Int32] = []
    for slot in these where settlePreference(slot, at, &out) {
      listWaiting(slot)
      taken.append(slot)
    }
    return (taken, these.count == some.count)
  }

  private mutating func putBack(_ someCases: ArraySlice<Int32>, _ someAgents: ArraySlice<Int32>) {
    for slot in someCases where cases[slot].state == .waiting && !cases[slot].isPending {
      relist(slot)
    }
    for agent in someAgents where agents[Int(agent)].ready != 0 { lookAgain(Int(agent)) }
  }

  /// The agent is looked at by the next match, once.
  mutating func lookAgain(_ agent: Int) {
    guard !agents[agent].isPending else { return }
    agents[agent].isPending = true
    pendingAgents.append(Int32(truncatingIfNeeded: agent))
  }

  /// False when the case is not to be looked at: no longer pending, or its caller is not back yet.
  /// Ends a preference for an agent who is away or could not take the case anyway.
  private mutating func settlePreference(_ slot: Int32, _ at: Instant, _ out: inout Decision)
    -> Bool
  {
    guard cases[slot].isPending, cases[slot].state == .waiting else { return false }
    if isInGrace(slot) {
      cases[slot].isPending = false
      return false
    }
    guard cases[slot].preferenceUntil != nil, !isWorthWaiting(slot) else { return true }
    emit(.preferenceEnded(cases[slot].id), at, &out)  // pending again, now for the whole queue
    return true
  }

  /// Whether the preferred agent is there and could take it.
  private func isWorthWaiting(_ slot: Int32) -> Bool {
    guard let preferred = cases[slot].need.preferred?.agent else { return false }
    return isExpected(preferred, on: cases[slot].channel) && suits(Int(preferred.raw), slot)
  }

  func isThere(_ agent: AgentID) -> Bool {
    isActive(agent) && agents[Int(agent.raw)].isPresent
      && catalogue.plain(agents[Int(agent.raw)].status) != .offline
  }

  /// Whether it makes sense to wait for this agent: they are there, and full or busy at most for a
  /// while. Whoever is on a break, in a meeting or does not respond will not come in the minute or
  /// two that a case waits for one agent.
  func isExpected(_ agent: AgentID, on channel: Channel) -> Bool {
    guard isThere(agent), !agents[Int(agent.raw)].isNotResponding else { return false }
    let record = agents[Int(agent.raw)]
    switch catalogue.plain(record.status) {
    case .busy: break
    case .available:
      if catalogue.channelsOpen(record.status) & channel.bit == 0 { return false }
    case .offline, .onBreak, .meeting, .training, .custom: return false
    }
    if record.channels & channel.bit != 0 { return true }
    let said = record.channelStatuses.first { $0.channel == channel }?.status
    return said.map { catalogue.plain($0) == .busy } ?? false
  }

  mutating func listIdle(_ agent: Int) {
    idle.list(agent, agents[agent].ready, profiles)
    agents[agent].usedWhenListed = agents[agent].used
  }

  /// After a replay, which only applies: puts what began to wait in its place, so that the machine
  /// can be asked.
  public mutating func settleReplay() { listPendingCases() }

  mutating func listPendingCases() {
    for slot in pendingCases where cases[slot].isPending {
      if !isInGrace(slot) { listWaiting(slot) }
    }
    pendingCases.removeAll(keepingCapacity: true)
  }

  /// Where all who are ready will be looked at, they find the cases. Only those that wait for one
  /// agent stay pending: the match asks whether that still makes sense.
  mutating func leaveToAgents() {
    let some = pendingCases
    pendingCases = some.filter { cases[$0].isPending && cases[$0].preferenceUntil != nil }
    for slot in some where cases[slot].isPending && cases[slot].preferenceUntil == nil {
      if !isInGrace(slot) { listWaiting(slot) }
    }
  }

  private mutating func listWaiting(_ slot: Int32) {
    cases[slot].isPending = false
    guard !isListed(slot), !cases[slot].isHeld else { return }
    if cases[slot].preferenceUntil != nil, let preferred = cases[slot].need.preferred,
      isKnown(preferred.agent)
    {
      cases[slot].isHeld = true
      let index = Int(preferred.agent.raw)
      let place = placeAmongHeld(index, slot)
      agents[index].held.insert(slot, at: place)
      return
    }
    listAmongAll(slot)
  }

  /// Behind those that go before it; most come last.
  private func placeAmongHeld(_ agent: Int, _ slot: Int32) -> Int {
    let key = (cases[slot].key, cases[slot].sequence)
    var (low, high) = (0, agents[agent].held.count)
    while low < high {
      let middle = (low + high) >> 1
      let other = agents[agent].held[middle]
      if (cases[other].key, cases[other].sequence) < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func kind(_ slot: Int32) -> CaseIndex.Kind {
    CaseIndex.Kind(
      queue: cases[slot].need.queue, widened: cases[slot].widened, channel: cases[slot].channel,
      weight: cases[slot].weight,
      circle: cases[slot].need.circle)
  }

  /// With its class, or, where it is alone of its kind and few could take it, with each of these.
  private mutating func listAmongAll(_ slot: Int32) {
    let kind = kind(slot)
    let skills = cases[slot].need.skills
    // What is held with single agents is not found by its queue, which a rule between queues needs.
    if catalogue.between == .keys, kind.widened.isEmpty, queues[Int(kind.queue.raw)].isOpen,
      kind.circle?.requiredAgents.isEmpty ?? true, !waiting.hasClass(kind, skills)
    {
      let family = CaseIndex.family(kind, skills)
      if !scarce.isCommon(family), let few = fewAgents(kind, slot) {
        let entry = ScarceCases.Entry(
          key: cases[slot].key, sequence: cases[slot].sequence, slot: slot, weight: kind.weight,
          channel: kind.channel.bit)
        return scarce.insert(
          entry, family: family, agents: few, queue: kind.queue, namesAgents: kind.circle != nil)
      }
    }
    waiting.insert(
      slot, key: cases[slot].key, sequence: cases[slot].sequence, kind, skills: skills,
      isBackedOff: !cases[slot].backOffs.isEmpty)
  }

  /// All who could ever take the case, or nil where they are many.
  private func fewAgents(_ kind: CaseIndex.Kind, _ slot: Int32) -> [Int32]? {
    var found: [Int32] = []
    var cursor = IdleIndex.Cursor()
    while true {
      let agent = everyone.next(
        &cursor, channel: .chat, queue: kind.queue, widened: [], skills: cases[slot].need.skills)
      if agent < 0 { return found }
      guard cases[slot].need.admits(agent, profiles) else { continue }
      guard found.count < ScarceCases.agentsMax else { return nil }
      found.append(Int32(truncatingIfNeeded: agent))
    }
  }

  func isListed(_ slot: Int32) -> Bool { waiting.contains(slot) || scarce.contains(slot) }

  // MARK: Who suits

  /// Whether the agent could take the case but for the moment: queue, skills, exclusions, back-off.
  /// - Parameter closedToo: what was offered while a queue was open may still be accepted.
  func suits(_ agent: Int, _ slot: Int32, closedToo: Bool = false) -> Bool {
    if isPassed(slot, to: agent) { return mayTake(agent, slot) }
    let queue = cases[slot].need.queue
    guard
      isReached(agent, queue, closedToo: closedToo)
        || cases[slot].widened.contains(where: { isReached(agent, $0, closedToo: closedToo) })
    else { return false }
    for skill in cases[slot].need.skills where skill.required {
      if profiles.level(agent, skill.skill.raw) < skill.level { return false }
    }
    return mayTake(agent, slot)
  }

  /// Whether the agent gets cases by way of the queue: serves it, and it is open.
  @inline(__always) func isReached(_ agent: Int, _ queue: QueueID, closedToo: Bool = false) -> Bool
  {
    profiles.serves(agent, queue) && (closedToo || queues[Int(queue.raw)].isOpen)
  }

  /// What is held with single cases and agents: exclusions and back-offs.
  @inline(__always) func mayTake(_ agent: Int, _ slot: Int32) -> Bool {
    !cases[slot].isRestricted || isAllowed(agent, slot)
  }
  private func isAllowed(_ agent: Int, _ slot: Int32) -> Bool {
    cases[slot].allows(agent, profiles)
  }

  /// Units that are left: work that may be interrupted takes none from work of the other channels.
  @inline(__always) func room(_ agent: Int, _ channel: Channel) -> Int {
    let used =
      catalogue.limits.interruptible[channel] ? agents[agent].used : agents[agent].usedFirmly
    return profiles.bounds[agent].capacity - used
  }

  /// Whether the agent can be offered this case now.
  func isEligible(_ agent: Int, _ slot: Int32) -> Bool {
    agents[agent].ready & cases[slot].channel.bit != 0
      && room(agent, cases[slot].channel) >= Int(cases[slot].weight)
      && suits(agent, slot)
  }

  // MARK: The best of each side

  /// The soonest case that the agent can take.
  mutating func bestCase(for agent: Int, _ at: Instant) -> Int32? {
    guard agents[agent].ready != 0 else { return nil }
    guard catalogue.between == .keys else { return bestAcrossQueues(agent, at) }
    var bound = CaseIndex.Entry.none
    for slot in agents[agent].held where isEligible(agent, slot) {
      bound = .init(key: cases[slot].key, sequence: cases[slot].sequence, slot: slot)
      break
    }
    let found = findWaiting(agent, bound)
    return found.slot >= 0 ? found.slot : bound.slot >= 0 ? bound.slot : nil
  }

  func seeker(_ agent: Int) -> CaseIndex.Seeker {
    let rooms = Rooms(
      chat: room(agent, .chat), email: room(agent, .email), phone: room(agent, .phone))
    return CaseIndex.Seeker(agent: agent, ready: agents[agent].ready, room: rooms)
  }

  /// Of each queue the soonest case that the agent can take.
  mutating func firstOfEachQueue(for agent: Int) -> [Int32] {
    guard waiting.count > 0 else { return [] }
    return waiting.bestByQueue(for: seeker(agent), profiles) {
      [records = cases.records] slot, profiles in
      !records[Int(slot)].isRestricted || records[Int(slot)].allows(agent, profiles)
    }
  }

  private mutating func findWaiting(_ agent: Int, _ bound: CaseIndex.Entry) -> CaseIndex.Entry {
    let seeker = seeker(agent)
    let passes = { [records = cases.records] (slot: Int32, profiles: Profiles) in
      !records[Int(slot)].isRestricted || records[Int(slot)].allows(agent, profiles)
    }
    let own = scarce.best(
      for: agent, ready: seeker.ready, room: seeker.room, profiles, where: passes)
    let near = own < bound ? own : bound
    guard waiting.count > 0 else { return own.slot == near.slot ? own : .none }
    let shared = waiting.best(for: seeker, profiles, below: near, where: passes)
    return shared.slot >= 0 ? shared : own.slot == near.slot ? own : .none
  }

  /// The agent who gets the case, by its preference or its queue's strategy.
  func bestAgent(for slot: Int32) -> Int? {
    if cases[slot].preferenceUntil != nil, let preferred = cases[slot].need.preferred {
      let agent = Int(preferred.agent.raw)
      // Who is still to look for themselves, having just taken another, may find a sooner case.
      guard isKnown(preferred.agent), !agents[agent].isPending else { return nil }
      return isEligible(agent, slot) ? agent : nil
    }
    let channel = cases[slot].channel
    guard !idle.isEmpty(channel) else { return nil }
    var queue = cases[slot].need.queue
    var widened = cases[slot].widened
    if !queues[Int(queue.raw)].isOpen || !widened.isEmpty {
      widened = ([queue] + widened).filter { queues[Int($0.raw)].isOpen }
      guard !widened.isEmpty else { return nil }
      queue = widened.removeFirst()
    }
    let isFirstCome = Ranking.isFirstCome(
      cases[slot].need.skills, catalogue.queues[Int(cases[slot].need.queue.raw)].settings.strategy)
    let first = Ranking.First(
      cases[slot].need.skills, catalogue.queues[Int(cases[slot].need.queue.raw)].settings.strategy)
    // Whoever is listed serves the queue, has the skills, and room for the lightest case.
    let isAsked =
      cases[slot].isRestricted
      || Int(cases[slot].weight) > leastWeight[Int(channel.rawValue) - 1]
    var cursor = IdleIndex.Cursor()
    var best = -1
    var least = Int.max
    while true {
      let agent = idle.next(
        &cursor, channel: channel, queue: queue, widened: widened, skills: cases[slot].need.skills)
      guard agent >= 0 else { return best >= 0 ? best : nil }
      if isAsked, !isEligible(agent, slot) { continue }
      if isFirstCome { return agent }
      guard let first else {
        if best < 0 || prefers(agent, best, slot) { best = agent }
        continue
      }
      let measure = measure(agent, first.rule, slot)
      if best >= 0, measure > least { continue }
      if best >= 0, measure == least, first.isAlone || !prefers(agent, best, slot) { continue }
      (best, least) = (agent, measure)
      if first.isAlone, least <= first.least { return best }
    }
  }

  // MARK: Offering

  mutating func makeOffer(_ slot: Int32, _ agent: Int, _ at: Instant, _ out: inout Decision) {
    guard let seat = seat(agent, cases[slot].channel) else { return }
    let queue = Int(cases[slot].need.queue.raw)
    let timeout = catalogue.queues[queue].settings.offerTimeout[cases[slot].channel]
    makeOffer(slot, agent, at: seat, until: at + max(timeout, .milliseconds(1)), at, &out)
  }

  mutating func makeOffer(
    _ slot: Int32, _ agent: Int, at seat: Seat, until: Instant, _ at: Instant,
    _ out: inout Decision
  ) {
    let id = AgentID(UInt32(truncatingIfNeeded: agent))
    renewIfWorn(id, at, &out)
    let passed = passedOver(slot)
    cases.expect(slot)
    let offer = Self.offerID(cases[slot].id, cases[slot].offersMade)
    emit(
      .offerMade(offer, cases[slot].id, id, seat: seat, until: until, passedOver: passed), at, &out)
    out.effects.append(.deliverOffer(offer, cases[slot].id, id, seat, until: until))
    if profiles.bounds[agent].autoAccept, cases[slot].channel != .phone {
      accept(self.slot(of: offer), id, at, &out)
    } else {
      askOthersToo(slot)
    }
  }

  func seat(_ agent: Int, _ channel: Channel) -> Seat? {
    if channel == .phone {
      guard let device = freeDevice(agent) else { return nil }
      return .device(device)
    }
    if let next = agents[agent].next { return .next(next.waiter) }
    return agents[agent].streams.isEmpty ? nil : .stream(agents[agent].streams[0])
  }

  /// An offer's id follows from the case and how often it was offered, so that a replay draws the
  /// same.
  static func offerID(_ theCase: CaseID, _ number: UInt32) -> OfferID {
    func mixed(_ value: UInt64) -> UInt64 {
      var z = value &+ 0x9E37_79B9_7F4A_7C15
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    let high = mixed(theCase.high ^ UInt64(number) &* 0xD6E8_FEB8_6659_FD93)
    return OfferID(high: high, low: mixed(theCase.low ^ high))
  }
}

extension CaseRecord {
  /// Whether nothing between this case and this agent alone stands in the way.
  func allows(_ agent: Int, _ profiles: Profiles) -> Bool {
    need.admits(agent, profiles) && !isBackedOff(from: agent)
  }
  /// Whether the agent declined it, and is not asked again yet.
  func isBackedOff(from agent: Int) -> Bool {
    backOffs.contains { Int($0.agent.raw) == agent && !$0.isOver }
  }
}

extension Need {
  /// Whether the agent is among those that the need names, and not among those that it bars.
  func admits(_ agent: Int, _ profiles: Profiles) -> Bool {
    circle?.admits(agent, profiles) ?? true
  }
}
