import Model

extension Router {
  mutating func changeConversation(
    _ id: ConversationID, _ change: (inout ConversationRecord) -> Void
  ) {
    let slot = slot(of: id)
    guard slot >= 0 else { return }
    change(&conversations[slot])
    markDirty(conversation: slot)
  }

  mutating func addConversation(
    _ id: ConversationID, _ customer: CustomerID, _ owner: Owner, _ epoch: UInt32,
    _ lastAgent: AgentID?
  ) {
    guard slot(of: id) < 0 else { return }
    let slot = conversations.add(
      ConversationRecord(
        id: id, customer: customer, owner: owner, epoch: epoch, lastAgent: lastAgent,
        sequence: nextSequence()))
    markDirty(conversation: slot)
  }

  mutating func applyReopened(
    _ id: ConversationID, _ customer: CustomerID, _ owner: Owner, _ epoch: UInt32,
    _ lastAgent: AgentID?
  ) {
    guard slot(of: id) >= 0 else { return addConversation(id, customer, owner, epoch, lastAgent) }
    changeConversation(id) {
      $0.customer = customer
      $0.owner = owner
      $0.epoch = epoch
      $0.lastAgent = lastAgent
    }
  }

  mutating func applyConversationClosed(_ id: ConversationID, _ lastAgent: AgentID?) {
    changeConversation(id) {
      $0.owner = .closed
      $0.lastAgent = lastAgent
      $0.answerBy = nil
    }
    armConversation(slot(of: id))
    forgetIfOver(slot(of: id))
  }

  /// A closed conversation leaves the memory with its last session.
  private mutating func forgetIfOver(_ slot: Int32) {
    guard slot >= 0, conversations[slot].owner == .closed, conversations[slot].firstSession < 0,
      conversations[slot].openCase < 0
    else { return }
    let id = conversations[slot].id
    timers.cancel(.conversation, slot)
    markGone(conversation: slot)
    conversations.remove(slot)
    ended.add(id)
  }

  mutating func applySessionOpened(
    _ id: SessionID, _ conversation: ConversationID, _ channel: Channel, _ bot: BotID?
  ) {
    let home = slot(of: conversation)
    guard home >= 0, slot(of: id) < 0 else { return }
    let slot = sessions.add(
      SessionRecord(
        id: id, conversation: home, channel: channel, bot: bot, activity: now,
        sequence: nextSequence()))
    hang(slot, on: home)
    markDirty(session: slot)
    armSession(slot)
    armOpenCase(of: home)
  }

  /// Whether it may go back to a bot once it has waited too long depends on who sits there.
  private mutating func armOpenCase(of home: Int32) {
    let theCase = conversations[home].openCase
    if theCase >= 0 { armCase(theCase) }
  }

  /// Appends the session to its conversation's list.
  mutating func hang(_ session: Int32, on conversation: Int32) {
    var last = conversations[conversation].firstSession
    guard last >= 0 else {
      conversations[conversation].firstSession = session
      return
    }
    while sessions[last].nextSession >= 0 { last = sessions[last].nextSession }
    sessions[last].nextSession = session
  }

  mutating func applySessionEnded(_ id: SessionID) {
    let slot = slot(of: id)
    guard slot >= 0 else { return }
    let home = sessions[slot].conversation
    if conversations[home].firstSession == slot {
      conversations[home].firstSession = sessions[slot].nextSession
    } else {
      var before = conversations[home].firstSession
      while before >= 0, sessions[before].nextSession != slot {
        before = sessions[before].nextSession
      }
      if before >= 0 { sessions[before].nextSession = sessions[slot].nextSession }
    }
    rehomeCase(of: home, from: id, sessions[slot].channel)
    armOpenCase(of: home)
    timers.cancel(.session, slot)
    markGone(session: slot)
    sessions.remove(slot)
    ended.add(id)
    forgetIfOver(home)
  }

  /// A case whose session ended is carried by the conversation's first other session of that
  /// channel.
  private mutating func rehomeCase(of conversation: Int32, from id: SessionID, _ channel: Channel) {
    let theCase = conversations[conversation].openCase
    guard theCase >= 0, cases[theCase].session == id else { return }
    guard
      let other = sessionSlots(of: conversation).first(where: { sessions[$0].channel == channel })
    else { return }
    cases[theCase].session = sessions[other].id
    markDirty(theCase: theCase)
    lookAgain(atCase: theCase)
  }

  func sessionSlots(of conversation: Int32) -> [Int32] {
    var slots: [Int32] = []
    var slot = conversations[conversation].firstSession
    while slot >= 0 {
      slots.append(slot)
      slot = sessions[slot].nextSession
    }
    return slots
  }

  mutating func applyRecorded(_ session: SessionID?) {
    guard let session else { return }
    let slot = slot(of: session)
    guard slot >= 0, sessions[slot].activity != now else { return }
    sessions[slot].activity = now
    markDirty(session: slot)
    // The timer stays: when it fires it sees that something was said, and is set again.
  }

  mutating func applySessionResumed(_ id: SessionID) {
    let slot = slot(of: id)
    guard slot >= 0, sessions[slot].graceUntil != nil else { return }
    sessions[slot].graceUntil = nil
    sessions[slot].activity = now
    markDirty(session: slot)
    armSession(slot)
    let theCase = conversations[sessions[slot].conversation].openCase
    if theCase >= 0, cases[theCase].session == id { lookAgain(atCase: theCase) }
  }
}
