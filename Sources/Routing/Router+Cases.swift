import Model

extension Router {
  // MARK: Routing

  mutating func decideRoute(
    _ id: ConversationID, _ session: SessionID, _ theCase: CaseID, _ need: Need, _ by: RouteReason,
    _ epoch: UInt32?, _ since: Instant?,
    _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    let home = slot(of: id)
    guard home >= 0 else { return ended.contains(id) ? .conversationClosed : .unknownConversation }
    let carrier = slot(of: session)
    guard carrier >= 0 else { return ended.contains(session) ? .sessionEnded : .unknownSession }
    guard sessions[carrier].conversation == home else { return .unknownSession }
    if conversations[home].owner == .closed { return .conversationClosed }
    if let epoch, epoch != conversations[home].epoch { return .notOwner }
    let isMessage = by.cause == .message
    if isMessage, sessions[carrier].channel != .phone { return .notAllowed }
    let channel = isMessage ? Channel.email : sessions[carrier].channel
    let open = conversations[home].openCase
    if open >= 0, epoch != nil || !mayMove(open, to: channel, isMessage) { return .caseAlreadyOpen }
    guard slot(of: theCase) < 0, !ended.contains(theCase) else { return .idInUse }
    var need = need
    switch place(of: need, by.cause, channel) {
    case .success(let queue): need.queue = queue
    case .failure(let why): return why
    }
    let age = min(since ?? at, open >= 0 ? cases[open].age : at)
    if open >= 0 { endCase(open, .transferred, .movedOn, at, &out) }
    queue(theCase, home, session, channel, need, age, by, at, &out)
    if isMessage { out.effects.append(.takeMessage(session)) }
    return nil
  }

  /// A case that nobody has taken follows the customer to another channel, and to a message that
  /// they leave, with its age.
  private func mayMove(_ slot: Int32, to channel: Channel, _ isMessage: Bool) -> Bool {
    guard cases[slot].state == .waiting || cases[slot].state == .offered else { return false }
    // A mail that waits is taken like a message and still follows; another caller's line stays
    // theirs.
    if isMessage { return cases[slot].channel != .phone && cases[slot].by.cause != .message }
    return cases[slot].channel != channel
  }

  /// Where such a case waits. Of a mail and a message nobody is there to be refused: no queue is too
  /// closed or too full for them, and where nobody serves it, they wait for whoever will.
  /// - Parameter channel: by which the case is worked.
  private func place(of need: Need, _ cause: RouteReason.Cause, _ channel: Channel)
    -> Result<QueueID, Rejection>
  {
    if let fault = fault(need), fault != .queueUnserved || channel != .email {
      return .failure(fault)
    }
    if cause == .message { return .success(need.queue) }
    let (queue, refusal) = admit(need.queue)
    guard let refusal, channel != .email else { return .success(queue) }
    return .failure(refusal)
  }

  /// Whether a case of this need, cause and channel would be queued just now.
  public func takes(_ need: Need, by cause: RouteReason.Cause, on channel: Channel) -> Bool {
    if case .success = place(of: need, cause, channel) { true } else { false }
  }

  /// Whether anybody serves its queue, or will by its steps.
  public func isServed(_ need: Need) -> Bool { fault(need) != .queueUnserved }

  /// Whether a need can be met at all, and keeps the bounds.
  func fault(_ need: Need) -> Rejection? {
    guard catalogue.isKnown(need.queue), !catalogue.queues[Int(need.queue.raw)].isRetired else {
      return .unknownQueue
    }
    guard need.skills.count <= RoutingLimits.skillsPerNeedMax,
      need.steps.count <= RoutingLimits.stepsPerNeedMax,
      need.excluded.count <= RoutingLimits.excludedPerNeedMax
    else { return .needTooLarge }
    var last: SkillID?
    for skill in need.skills {
      guard Int(skill.skill.raw) < catalogue.skillNames.all.count,
        (1...RoutingLimits.skillLevelMax).contains(skill.level),
        last.map({ $0 < skill.skill }) ?? true
      else { return .notAllowed }
      last = skill.skill
    }
    for step in need.steps {
      switch step.change {
      case .changeQueue(let queue): guard catalogue.isKnown(queue) else { return .unknownQueue }
      case .widen(let queues):
        guard queues.allSatisfy(catalogue.isKnown) else { return .unknownQueue }
        guard queues.count <= RoutingLimits.widenedQueuesMax else { return .needTooLarge }
      case .dropSkill, .lowerSkill, .raisePriority, .message: break
      }
    }
    guard
      need.requiredAgents.count + need.requiredTeams.count + need.excludedTeams.count
        <= RoutingLimits.excludedPerNeedMax
    else { return .needTooLarge }
    let queue = Int(need.queue.raw)
    guard queues[queue].members > 0 || need.steps.contains(where: { $0.opensQueue }) else {
      return .queueUnserved
    }
    return nil
  }

  mutating func queue(
    _ id: CaseID, _ home: Int32, _ session: SessionID, _ channel: Channel, _ need: Need,
    _ age: Instant,
    _ by: RouteReason, _ at: Instant, _ out: inout Decision
  ) {
    var need = need
    if need.steps.count > 1 { need.steps = inOrder(need.steps) }
    emit(
      .caseQueued(id, conversations[home].id, session, channel, need: need, age: age, by: by), at,
      &out)
    give(home, to: .queue(need.queue, id), at, &out)
    let slot = slot(of: id)
    // A case that brings its age may be past some of its steps already.
    if slot >= 0 { takeSteps(slot, at, &out) }
  }

  /// Sorted by when, and as written where equal.
  private func inOrder(_ steps: [Need.Step]) -> [Need.Step] {
    steps.enumerated().sorted { ($0.element.after, $0.offset) < ($1.element.after, $1.offset) }.map(
      \.element)
  }

  mutating func takeSteps(_ slot: Int32, _ at: Instant, _ out: inout Decision) {
    while let due = nextStep(slot), due <= at {
      let index = cases[slot].stepsTaken
      let step = cases[slot].need.steps[Int(index)].change
      let home = cases[slot].conversation
      let queue = cases[slot].need.queue
      emit(.stepTaken(cases[slot].id, index: index), at, &out)
      if cases[slot].need.queue != queue {
        give(home, to: .queue(cases[slot].need.queue, cases[slot].id), at, &out)
      }
      if case .message(let text) = step {
        out.effects.append(
          .messageCustomer(
            conversations[home].id, cases[slot].session, ruleVersion: cases[slot].by.ruleVersion,
            text: text))
      }
    }
  }

  // MARK: What an agent does with a case

  /// Each stream of the agent hears it, also of what they did themselves: they may look at several
  /// screens, and one that still shows a case that is gone misleads.
  func tell(_ agent: AgentID, _ id: CaseID, _ news: CaseNews, _ out: inout Decision) {
    guard !agents[Int(agent.raw)].streams.isEmpty else { return }
    out.effects.append(.tellCase(agent, id, news))
  }

  /// The case that this agent has.
  func owned(_ id: CaseID, _ agent: AgentID) -> Result<Int32, Rejection> {
    guard isKnown(agent) else { return .failure(.unknownAgent) }
    let slot = slot(of: id)
    guard slot >= 0 else { return .failure(ended.contains(id) ? .caseClosed : .unknownCase) }
    guard let holder = cases[slot].agent else { return .failure(.caseNotAssigned) }
    return holder == agent ? .success(slot) : .failure(.caseNotYours)
  }

  mutating func withOwned(
    _ id: CaseID, _ agent: AgentID, _ at: Instant, _ out: inout Decision,
    _ act: (inout Router, Int32, inout Decision) -> Rejection?
  ) -> Rejection? {
    switch owned(id, agent) {
    case .failure(let refusal): return refusal
    case .success(let slot): return act(&self, slot, &out)
    }
  }

  mutating func decideHandBack(
    _ id: CaseID, _ agent: AgentID, _ asked: BotID?, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    withOwned(id, agent, at, &out) { router, slot, out in
      let home = router.cases[slot].conversation
      let carrier = router.slot(of: router.cases[slot].session)
      // It may be in another conversation by now, with people who were taken apart.
      let isHere = carrier >= 0 && router.sessions[carrier].conversation == home
      let own = isHere ? router.sessions[carrier].bot : nil
      guard router.cases[slot].channel == .chat else { return .notForBots }
      if let asked, !router.hasBot(home, asked) { return .notAllowed }
      guard let bot = asked ?? own ?? router.firstBot(of: home) else { return .notAllowed }
      router.renewIfWorn(agent, at, &out)
      router.endCase(slot, .handedBack, .movedOn, at, &out)
      router.give(home, to: .bot(bot), at, &out)
      return nil
    }
  }

  /// The agent keeps the capacity until the time is over. A call is hung up by it.
  mutating func decideWrapUp(_ id: CaseID, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    withOwned(id, agent, at, &out) { router, slot, out in
      if let why = router.cases[slot].state.notInHand { return why }
      router.renewIfWorn(agent, at, &out)
      let channel = router.cases[slot].channel
      let configured = router.catalogue.queues[Int(router.cases[slot].need.queue.raw)].settings
        .wrapUp[channel]
      let length =
        configured > .zero ? configured : .milliseconds(RoutingLimits.wrapUpAskedMilliseconds)
      emitWrapUp(&router, slot, agent, at + length, at, &out)
      return nil
    }
  }

  mutating func decideClose(_ id: CaseID, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    withOwned(id, agent, at, &out) { router, slot, out in
      router.renewIfWorn(agent, at, &out)
      let home = router.cases[slot].conversation
      router.endCase(slot, .resolved, .movedOn, at, &out)
      router.closeConversation(home, at, &out)
      return nil
    }
  }

  mutating func decidePark(
    _ id: CaseID, _ agent: AgentID, _ until: Instant, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    withOwned(id, agent, at, &out) { router, slot, out in
      if let why = router.cases[slot].state.notInHand { return why }
      guard router.cases[slot].channel != .phone else { return .caseIsCall }
      guard until > at else { return .timeIsPast }
      guard until <= at + .milliseconds(RoutingLimits.parkMillisecondsMax) else {
        return .notAllowed
      }
      router.renewIfWorn(agent, at, &out)
      router.emit(.caseParked(id, agent, until: until), at, &out)
      router.tell(agent, id, .parked(until: until), &out)
      return nil
    }
  }

  mutating func decideResume(_ id: CaseID, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    withOwned(id, agent, at, &out) { router, slot, out in
      guard case .parked = router.cases[slot].state else { return .caseNotParked }
      if let why = router.hindrance(Int(agent.raw), for: slot) { return why }
      router.renewIfWorn(agent, at, &out)
      router.emit(.caseResumed(id, agent), at, &out)
      router.tell(agent, id, .resumed, &out)
      return nil
    }
  }

  /// Skills and queues are the supervisor's to judge; capacity is not, nor whom the rules keep from it.
  mutating func decideAssign(_ id: CaseID, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    guard isActive(agent) else { return .unknownAgent }
    let slot = slot(of: id)
    guard slot >= 0 else { return ended.contains(id) ? .caseClosed : .unknownCase }
    // A call has to ring: it is routed, not put into somebody's hands.
    guard cases[slot].channel != .phone else { return .caseIsCall }
    if case .wrappingUp = cases[slot].state { return .caseWrappingUp }
    guard cases[slot].state != .assigned(agent) else { return .caseAlreadyTheirs }
    guard !isBarred(agent, from: slot) else { return .agentExcluded }
    guard isThere(agent) else { return .agentNotAvailable }
    if let why = hindrance(Int(agent.raw), for: slot, exceptOffer: true) { return why }
    let home = cases[slot].conversation
    endConsult(slot, .movedOn, at, &out)
    if let holder = cases[slot].agent, holder != agent { tell(holder, id, .reassigned, &out) }
    emit(.caseAccepted(id, agent), at, &out)
    tell(agent, id, .assigned, &out)
    for offer in offerSlots(of: slot) { endOffer(offer, .revoked(.movedOn), at, &out) }
    give(home, to: .agent(agent, id), at, &out)
    return nil
  }

  /// Whether its customer has written a mail in it.
  func hasMail(_ home: Int32) -> Bool { firstSession(of: home) { $0.channel == .email } != nil }

  /// The bot of the conversation's first session that has one.
  func firstBot(of home: Int32) -> BotID? { firstSession(of: home) { $0.bot != nil }?.bot }

  func hasBot(_ home: Int32, _ bot: BotID) -> Bool {
    firstSession(of: home) { $0.bot == bot } != nil
  }

  private func firstSession(of home: Int32, where isIt: (SessionRecord) -> Bool) -> SessionRecord? {
    var slot = conversations[home].firstSession
    while slot >= 0, !isIt(sessions[slot]) { slot = sessions[slot].nextSession }
    return slot < 0 ? nil : sessions[slot]
  }

  /// Why a case may not be put into the agent's hands. Nil where no call takes all of them, there is room, and
  /// what they are offered can be accepted beside it.
  func hindrance(_ agent: Int, for slot: Int32, exceptOffer: Bool = false) -> Rejection? {
    if isExclusivelyOnCall(agent) { return .agentOnCall }
    return hasRoom(agent, slot, exceptOffer: exceptOffer) && isOfferKept(by: agent, beside: slot)
      ? nil : .agentAtCapacity
  }

  /// Whether the agent's open offer fits once they have the case as well: there is room for both seen from the
  /// offer's channel, too. A chat takes no notice of mail that may be interrupted, and mail does of the chat.
  private func isOfferKept(by agent: Int, beside slot: Int32) -> Bool {
    let offer = agents[agent].openOffer
    guard offer >= 0, offers[offer].theCase != slot else { return true }
    let offered = offers[offer].theCase
    return Int(cases[offered].weight) + Int(cases[slot].weight)
      <= room(agent, cases[offered].channel)
  }

  /// Room for a case that comes back from being parked; an offer that is open keeps its room.
  func hasRoom(_ agent: Int, _ slot: Int32, exceptOffer: Bool = false) -> Bool {
    let channel = cases[slot].channel
    var used = profiles.bounds[agent].capacity - room(agent, channel)
    var count = Int(agents[agent].count(channel))
    let isOwnOffer =
      exceptOffer && agents[agent].openOffer >= 0 && offers[agents[agent].openOffer].theCase == slot
    if agents[agent].openOffer >= 0, !isOwnOffer {
      // Whatever its channel gives way to: it may be accepted at any moment.
      let offered = offers[agents[agent].openOffer].theCase
      used += Int(cases[offered].weight)
      count += cases[offered].channel == channel ? 1 : 0
    }
    let bounds = profiles.bounds[agent]
    return used + Int(cases[slot].weight) <= bounds.capacity && count < Int(bounds.most(channel))
  }
}

private func emitWrapUp(
  _ router: inout Router, _ slot: Int32, _ agent: AgentID, _ until: Instant, _ at: Instant,
  _ out: inout Decision
) {
  let session = router.slot(of: router.cases[slot].session)
  let isCall = router.cases[slot].channel == .phone
  router.emit(.caseWrappingUp(router.cases[slot].id, agent, until: until), at, &out)
  router.tell(agent, router.cases[slot].id, .wrappingUp(until: until), &out)
  if isCall, session >= 0 { router.endSession(of: session, .businessEnded, at, &out) }
}

extension Need.Step {
  /// Whether it may bring agents who do not serve the first queue.
  var opensQueue: Bool {
    switch change {
    case .changeQueue, .widen: true
    case .dropSkill, .lowerSkill, .raisePriority, .message: false
    }
  }
}
