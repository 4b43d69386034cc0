import Model

// Queues that are closed, full, or in which a case has waited too long: where a case goes then.
extension Router {
  private func settings(_ queue: Int) -> RoutingConfiguration.Queue {
    catalogue.queues[queue].settings
  }

  private func handle(_ name: String) -> QueueID? {
    guard let raw = catalogue.queueNames.handle(name), !catalogue.queues[Int(raw)].isRetired else {
      return nil
    }
    return QueueID(raw)
  }

  // MARK: What comes

  /// Which queue takes what comes for this one, or refuses it.
  func admit(_ first: QueueID) -> (queue: QueueID, refusal: Rejection?) {
    var queue = first
    // As many hops as there are queues: who is still on the way then goes round in a circle.
    for _ in 0...queues.count {
      let settings = settings(Int(queue.raw))
      let isFull = queues[Int(queue.raw)].waiting >= settings.waitingMax
      let closed = queues[Int(queue.raw)].isOpen ? .wait : settings.whenClosed
      let way = closed != .wait && closed != .message ? closed : isFull ? settings.whenFull : .wait
      switch way {
      case .wait where !isFull, .message: return (queue, nil)
      case .queue(let name):
        guard let next = handle(name) else { return (queue, .unknownQueue) }
        queue = next
      case .wait, .refuse, .handBack: return (queue, isFull ? .queueFull : .queueClosed)
      }
    }
    return (first, queues[Int(first.raw)].isOpen ? .queueFull : .queueClosed)
  }

  /// Where what waits in the queue goes now that it is closed; nil where it stays.
  func refuge(from first: Int) -> QueueID? {
    var queue = first
    for _ in 0...queues.count {
      guard !queues[queue].isOpen, case .queue(let name) = settings(queue).whenClosed,
        let next = handle(name)
      else { return queue == first ? nil : QueueID(UInt32(truncatingIfNeeded: queue)) }
      queue = Int(next.raw)
    }
    return nil
  }

  // MARK: Opening and closing

  /// The instant at which the queue opens or closes next, as the hours say.
  private func nextTurn(_ queue: Int, after at: Instant) -> Instant? {
    guard let hours = settings(queue).hours else { return nil }
    for interval in hours where interval.until > at {
      return interval.from > at ? interval.from : interval.until
    }
    return nil
  }
  private func isOpen(_ queue: Int, at: Instant) -> Bool {
    guard let hours = settings(queue).hours else { return true }
    return hours.contains { $0.from <= at && at < $0.until }
  }

  mutating func armQueue(_ queue: Int) { armQueue(queue, at: now) }

  private mutating func armQueue(_ queue: Int, at: Instant) {
    let slot = Int32(truncatingIfNeeded: queue)
    var due = Instant.distantFuture
    if isOpen(queue, at: at) != queues[queue].isOpen {
      due = at
    } else if queues[queue].waiting > 0, refuge(from: queue) != nil {
      due = at + .milliseconds(1)
    } else if let turn = nextTurn(queue, after: at) {
      due = turn
    }
    if due == .distantFuture { return timers.cancel(.queue, slot) }
    timers.set(.queue, slot, number: UInt64(queue), at: due)
  }

  mutating func turnQueue(_ queue: Int, _ at: Instant, _ out: inout Decision) {
    let id = QueueID(UInt32(truncatingIfNeeded: queue))
    let open = isOpen(queue, at: at)
    if open != queues[queue].isOpen { emit(open ? .queueOpened(id) : .queueClosed(id), at, &out) }
  }

  mutating func queueIsDue(_ queue: Int, _ at: Instant, _ out: inout Decision) {
    turnQueue(queue, at, &out)
    moveAway(from: queue, at, &out)
    armQueue(queue, at: at)  // after `at`, so that this tick ends: what is left goes with the next
  }

  /// Some of the cases that wait in a closed queue go on to where it sends them.
  private mutating func moveAway(from queue: Int, _ at: Instant, _ out: inout Decision) {
    guard !queues[queue].isOpen, let refuge = refuge(from: queue) else { return }
    var budget = RoutingLimits.pairsPerCommandMax
    while budget > 0, let top = queues[queue].oldest.top, cases[top.slot].state == .waiting {
      overflow(top.slot, to: refuge, .closed, at, &out)
      budget -= 1
    }
    guard budget > 0, queues[queue].waiting > 0 else { return }
    // The oldest is offered to somebody and stays until that ends: those behind it are looked for.
    let others = queues[queue].oldest.all { [records = cases.records] entry in
      let record = records[Int(entry.slot)]
      return record.sequence == entry.sequence && record.state == .waiting
        && Int(record.need.queue.raw) == queue
    }
    for slot in others.prefix(budget) { overflow(slot, to: refuge, .closed, at, &out) }
  }

  private mutating func overflow(
    _ slot: Int32, to queue: QueueID, _ why: OverflowReason, _ at: Instant, _ out: inout Decision
  ) {
    let id = cases[slot].id
    let home = cases[slot].conversation
    emit(.caseOverflowed(id, to: queue, why), at, &out)
    give(home, to: .queue(queue, id), at, &out)
  }

  mutating func applyOpen(_ queue: QueueID, _ isOpen: Bool) {
    guard Int(queue.raw) < queues.count else { return }
    queues[Int(queue.raw)].isOpen = isOpen
    waiting.setOpen(queue, isOpen)
    openToMore.setOpen(queue, isOpen)
    markDirty(queue: queue)
    armQueue(Int(queue.raw))
    if isOpen {
      // Whoever serves it looks again; what they find is bounded by the match.
      for index in agents.indices where agents[index].ready != 0 {
        guard profiles.serves(index, queue) else { continue }
        lookAgain(index)
      }
    } else {
      // Cases that are held with single agents go back to their classes, which can be closed as
      // one.
      let held = queues[Int(queue.raw)].oldest.all { [scarce] in scarce.contains($0.slot) }
      for slot in held where cases[slot].need.queue == queue { relist(slot) }
    }
  }

  mutating func applyOverflowed(_ id: CaseID, _ queue: QueueID, _ why: OverflowReason) {
    let slot = slot(of: id)
    guard slot >= 0, catalogue.isKnown(queue), cases[slot].state == .waiting else { return }
    unlist(slot)
    if why == .leavesMessage {
      cases[slot].channel = .email
      cases[slot].by.cause = .message
    }
    let old = cases[slot].need.queue
    cases[slot].need.queue = queue
    if old != queue { moveQueue(slot, from: old, to: queue) }
    derive(slot)
    relist(slot)
    markDirty(theCase: slot)
    armCase(slot)
  }

  // MARK: Waiting too long

  /// When the case has waited too long in its queue; nil where nothing would come of it.
  func waitEnd(_ slot: Int32) -> Instant? {
    let queue = Int(cases[slot].need.queue.raw)
    guard catalogue.queues[queue].settings.waitMax > .zero, cases[slot].state == .waiting else {
      return nil
    }
    switch settings(queue).whenWaitedOut {
    case .wait, .refuse: return nil
    case .message: if cases[slot].channel != .phone { return nil }
    case .queue(let name):
      guard let next = handle(name), Int(next.raw) != queue else { return nil }
    case .handBack:
      // A bot can answer neither mail nor a call, and the conversation has one owner.
      let home = cases[slot].conversation
      if cases[slot].channel != .chat || firstBot(of: home) == nil || hasMail(home) { return nil }
    }
    return cases[slot].queuedAt + settings(queue).waitMax
  }

  mutating func waitedOut(_ slot: Int32, _ at: Instant, _ out: inout Decision) {
    let home = cases[slot].conversation
    switch settings(Int(cases[slot].need.queue.raw)).whenWaitedOut {
    case .queue(let name):
      // A cap is a cap: where nobody else is taken the case stays, and asks again.
      if let next = handle(name), case (let taken, nil) = admit(next),
        taken != cases[slot].need.queue
      {
        overflow(slot, to: taken, .waitedOut, at, &out)
      }
    case .message:
      let session = cases[slot].session
      overflow(slot, to: cases[slot].need.queue, .leavesMessage, at, &out)
      out.effects.append(.takeMessage(session))
    case .handBack:
      endCase(slot, .handedBack, .movedOn, at, &out)
      nobodyHasIt(home, at, &out)
    case .wait, .refuse: break
    }
  }

  // MARK: Bots that fall silent

  mutating func applyAsked(_ id: ConversationID) {
    let home = slot(of: id)
    let patience = catalogue.limits.botSilenceMax
    guard home >= 0, patience > .zero, conversations[home].answerBy == nil,
      case .bot = conversations[home].owner,
      handle(catalogue.limits.botSilenceQueue) != nil
    else { return }
    conversations[home].answerBy = now + patience
    conversations[home].askedAt = now
    markDirty(conversation: home)
    armConversation(home)
  }

  mutating func applyAnswered(_ id: ConversationID) {
    let home = slot(of: id)
    guard home >= 0, conversations[home].answerBy != nil else { return }
    conversations[home].answerBy = nil
    markDirty(conversation: home)
    armConversation(home)
  }

  mutating func armConversation(_ home: Int32) {
    guard home >= 0 else { return }
    guard let due = conversations[home].answerBy else { return timers.cancel(.conversation, home) }
    timers.set(.conversation, home, number: conversations[home].sequence, at: due)
  }

  mutating func conversationIsDue(_ home: Int32, _ at: Instant, _ out: inout Decision) {
    let id = conversations[home].id
    let asked = conversations[home].askedAt
    timers.cancel(.conversation, home)
    emit(.botFellSilent(id), at, &out)
    let session = conversations[home].firstSession
    guard session >= 0, let queue = handle(catalogue.limits.botSilenceQueue) else { return }
    // As with a mail, nobody is there to be refused: past any cap the customer waits, and is seen.
    let taken = admit(queue).queue
    // The case's id follows from the conversation and its epoch, so that a replay draws the same.
    let drawn = Self.offerID(CaseID(high: id.high, low: id.low), conversations[home].epoch)
    let by = RouteReason(
      cause: .botSilent, ruleVersion: catalogue.configuration?.version ?? 0, rule: nil)
    self.queue(
      CaseID(high: drawn.high, low: drawn.low), home, sessions[session].id,
      sessions[session].channel,
      Need(queue: taken), asked, by, at, &out)
  }
}
