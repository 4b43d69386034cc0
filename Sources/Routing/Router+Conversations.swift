import Model

/// What a `record` command brings.
struct Said {
  var conversation: ConversationID
  var session: SessionID?
  var entry: EntryID
  var author: Author
  var visibility: Visibility
  var epoch: UInt32?
  init(
    _ conversation: ConversationID, _ session: SessionID?, _ entry: EntryID, _ author: Author,
    _ visibility: Visibility, _ epoch: UInt32?
  ) {
    self.conversation = conversation
    self.session = session
    self.entry = entry
    self.author = author
    self.visibility = visibility
    self.epoch = epoch
  }
}

extension Router {
  // MARK: Opening

  mutating func decideOpen(
    _ id: ConversationID, _ customer: CustomerID, _ session: NewSession, _ at: Instant,
    _ out: inout Decision
  ) -> Rejection? {
    guard slot(of: id) < 0, !ended.contains(id), slot(of: session.id) < 0 else { return .idInUse }
    guard isKnown(session.bot) else { return .notAllowed }
    emit(.conversationOpened(id, customer: customer, owner: owner(for: session)), at, &out)
    emit(.sessionOpened(session.id, id, session.channel, bot: session.bot), at, &out)
    return nil
  }

  private func isKnown(_ bot: BotID?) -> Bool {
    guard let bot else { return true }
    return Int(bot.raw) < catalogue.botNames.all.count
  }
  private func owner(for session: NewSession) -> Owner { session.bot.map { .bot($0) } ?? .unrouted }

  /// The same session again is a resumption, or, on a closed conversation, its reopening.
  mutating func decideJoin(
    _ id: ConversationID, _ session: NewSession, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    let home = slot(of: id)
    guard home >= 0 else { return ended.contains(id) ? .conversationClosed : .unknownConversation }
    let known = slot(of: session.id)
    if known >= 0, sessions[known].conversation != home { return .idInUse }
    guard isKnown(session.bot) else { return .notAllowed }
    if known < 0, !hasRoom(home, for: session.channel) { return .tooManySessions }
    if conversations[home].owner == .closed { reopen(home, session, at, &out) }
    if known < 0 {
      emit(.sessionOpened(session.id, id, session.channel, bot: session.bot), at, &out)
      if passes(home, to: session.bot) { give(home, to: owner(for: session), at, &out) }
    } else if sessions[known].graceUntil != nil {
      emit(.sessionResumed(session.id), at, &out)
    }
    return nil
  }

  /// The first of a channel always has room: chats that a bot forgot keep no mail and no call out.
  private func hasRoom(_ home: Int32, for channel: Channel) -> Bool {
    let slots = sessionSlots(of: home)
    return slots.count < RoutingLimits.sessionsPerConversationMax
      || slots.allSatisfy { sessions[$0].channel != channel }
  }

  /// The bot that the customer now speaks with takes over from another one, and where nobody has
  /// the word yet.
  private func passes(_ home: Int32, to bot: BotID?) -> Bool {
    guard let bot else { return false }
    return switch conversations[home].owner {
    case .unrouted: true
    case .bot(let other): other != bot
    case .queue, .agent, .closed: false
    }
  }

  private mutating func reopen(
    _ home: Int32, _ session: NewSession, _ at: Instant, _ out: inout Decision
  ) {
    let old = conversations[home]
    emit(
      .conversationReopened(
        old.id, customer: old.customer, owner: owner(for: session), epoch: old.epoch &+ 1,
        lastAgent: old.lastAgent),
      at, &out)
  }

  mutating func decideReopen(
    _ closed: ClosedConversation, _ session: NewSession, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    if slot(of: closed.id) >= 0 { return decideJoin(closed.id, session, at, &out) }
    guard slot(of: session.id) < 0 else { return .idInUse }
    guard isKnown(session.bot) else { return .notAllowed }
    emit(
      .conversationReopened(
        closed.id, customer: closed.customer, owner: owner(for: session), epoch: closed.epoch &+ 1,
        lastAgent: closed.lastAgent), at, &out)
    emit(.sessionOpened(session.id, closed.id, session.channel, bot: session.bot), at, &out)
    return nil
  }

  mutating func decideMove(
    _ id: ConversationID, _ customer: CustomerID, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    let home = slot(of: id)
    guard home >= 0 else { return .unknownConversation }
    if conversations[home].customer != customer {
      emit(.conversationMoved(id, customer: customer), at, &out)
    }
    return nil
  }

  // MARK: Saying

  mutating func decideRecord(_ said: Said, _ at: Instant, _ out: inout Decision) -> Rejection? {
    let home = slot(of: said.conversation)
    guard home >= 0 else {
      return ended.contains(said.conversation) ? .conversationClosed : .unknownConversation
    }
    if let session = said.session {
      let slot = slot(of: session)
      guard slot >= 0 else { return ended.contains(session) ? .sessionEnded : .unknownSession }
      guard sessions[slot].conversation == home else { return .unknownSession }
    }
    if conversations[home].owner == .closed { return .conversationClosed }
    if let refusal = maySay(said, home) { return refusal }
    if case .agent(let agent) = said.author { renewIfWorn(agent, at, &out) }
    emit(
      .entryRecorded(
        said.entry, said.conversation, session: said.session, author: said.author,
        visibility: said.visibility),
      at, &out)
    tell(said, home, &out)
    return nil
  }

  private func maySay(_ said: Said, _ home: Int32) -> Rejection? {
    switch said.author {
    case .customer, .system: return nil
    case .bot(let bot):
      guard conversations[home].owner == .bot(bot),
        said.epoch ?? conversations[home].epoch == conversations[home].epoch
      else { return .notOwner }
      return said.visibility == .internal ? .notAllowed : nil
    case .agent(let agent):
      guard isKnown(agent) else { return .unknownAgent }
      if case .agent(agent, _) = conversations[home].owner {
        return said.epoch ?? conversations[home].epoch == conversations[home].epoch
          ? nil : .notOwner
      }
      return said.visibility != .customer
        && (isOffered(home, to: agent) || isConsulted(home, agent)) ? nil : .notOwner
    }
  }

  private func isOffered(_ home: Int32, to agent: AgentID) -> Bool {
    let theCase = conversations[home].openCase
    return theCase >= 0 && offerSlots(of: theCase).contains { offers[$0].agent == agent }
  }

  private func tell(_ said: Said, _ home: Int32, _ out: inout Decision) {
    if said.visibility != .internal,
      sessionSlots(of: home).contains(where: { sessions[$0].id != said.session })
    {
      out.effects.append(.tellSessions(said.conversation, said.entry, except: said.session))
    }
    if case .agent(let agent, let id) = conversations[home].owner {
      if said.author != .agent(agent) {
        out.effects.append(.tellAgent(agent, said.conversation, said.entry))
      }
      let theCase = slot(of: id)
      if theCase >= 0, let consult = cases[theCase].consult, said.author != .agent(consult.agent) {
        out.effects.append(.tellAgent(consult.agent, said.conversation, said.entry))
      }
    }
  }

  // MARK: Owners

  /// The one way in which an owner changes: the epoch rises by one.
  mutating func give(_ home: Int32, to owner: Owner, _ at: Instant, _ out: inout Decision) {
    let id = conversations[home].id
    let epoch = conversations[home].epoch &+ 1
    conversations.expect(home)
    emit(.ownerChanged(id, to: owner, epoch: epoch), at, &out)
  }

  /// The matter is over: mail threads and calls end with it, chats stay until their channel ends
  /// them.
  mutating func closeConversation(_ home: Int32, _ at: Instant, _ out: inout Decision) {
    let id = conversations[home].id
    let lastAgent = conversations[home].lastAgent
    conversations.expect(home)
    var session = conversations[home].firstSession
    while session >= 0 {
      let next = sessions[session].nextSession
      if sessions[session].channel != .chat { endSession(of: session, .businessEnded, at, &out) }
      session = next
    }
    emit(.conversationClosed(id, lastAgent: lastAgent), at, &out)
  }

  /// A session that we end: a call must be hung up; a mail thread has nobody to tell.
  mutating func endSession(
    of session: Int32, _ why: SessionEnd, _ at: Instant, _ out: inout Decision
  ) {
    let id = sessions[session].id
    let isMail = sessions[session].channel == .email
    emit(.sessionEnded(id, why), at, &out)
    if !isMail { out.effects.append(.endSession(id, why)) }
  }

  // MARK: Ending

  mutating func decideEndSession(
    _ id: SessionID, _ why: SessionEnd, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    let slot = slot(of: id)
    guard slot >= 0 else { return ended.contains(id) ? .sessionEnded : .unknownSession }
    guard sessions[slot].channel != .email || why == .parted else { return .notAllowed }
    sessionIsOver(slot, why, at, &out)
    return nil
  }

  /// The customer is gone from this session. What it carried ends or goes on, by what it was.
  mutating func sessionIsOver(
    _ slot: Int32, _ why: SessionEnd, _ at: Instant, _ out: inout Decision
  ) {
    let id = sessions[slot].id
    let channel = sessions[slot].channel
    let conversation = conversations[sessions[slot].conversation].id
    emit(.sessionEnded(id, why), at, &out)
    let home = self.slot(of: conversation)
    guard home >= 0, conversations[home].owner != .closed else { return }
    let theCase = conversations[home].openCase
    guard theCase >= 0 else { return nobodyHasIt(home, at, &out) }
    guard cases[theCase].session == id else { return }  // another session carries it
    // What waits without its caller goes on without them.
    if channel == .phone, cases[theCase].channel != .phone { return }
    switch cases[theCase].state {
    case .waiting, .offered:
      endCase(theCase, .abandoned, .customerLeft, at, &out)
      nobodyHasIt(home, at, &out)
    case .assigned(let agent):
      guard channel == .phone else { return }
      callIsOver(theCase, agent, at, &out)
    case .parked, .wrappingUp: return
    }
  }

  private mutating func callIsOver(
    _ slot: Int32, _ agent: AgentID, _ at: Instant, _ out: inout Decision
  ) {
    let home = cases[slot].conversation
    let wrapUp = catalogue.queues[Int(cases[slot].need.queue.raw)].settings.wrapUp.phone
    renewIfWorn(agent, at, &out)
    if wrapUp > .zero {
      emit(.caseWrappingUp(cases[slot].id, agent, until: at + wrapUp), at, &out)
      tell(agent, cases[slot].id, .wrappingUp(until: at + wrapUp), &out)
    } else {
      endCase(slot, .resolved, .movedOn, at, &out)
      closeConversation(home, at, &out)
    }
  }

  /// No case is open: a bot that is still connected has it, else it is over.
  mutating func nobodyHasIt(_ home: Int32, _ at: Instant, _ out: inout Decision) {
    if case .bot(let bot) = conversations[home].owner, hasBot(home, bot) { return }
    if let bot = firstBot(of: home) {
      give(home, to: .bot(bot), at, &out)
    } else {
      closeConversation(home, at, &out)
    }
  }

  /// Ends a case and what hangs on it; the caller settles who owns the conversation then.
  mutating func endCase(
    _ slot: Int32, _ end: CaseEnd, _ why: OfferEnd.Revocation, _ at: Instant, _ out: inout Decision
  ) {
    let id = cases[slot].id
    let conversation = conversations[cases[slot].conversation].id
    let session = cases[slot].session
    endConsult(slot, .movedOn, at, &out)
    for offer in offerSlots(of: slot) { endOffer(offer, .revoked(why), at, &out) }
    if let holder = cases[slot].agent { tell(holder, id, .closed(end), &out) }
    emit(.caseClosed(id, end), at, &out)
    out.effects.append(.tellCaseEnded(id, conversation, session, end))
  }
}
