import Model

extension Router {
  mutating func applyOfferMade(
    _ id: OfferID, _ theCase: CaseID, _ agent: AgentID, _ seat: Seat, _ until: Instant
  ) {
    let slot = slot(of: theCase)
    guard slot >= 0, isKnown(agent), self.slot(of: id) < 0 else { return }
    if cases[slot].state == .waiting {
      endWaiting(slot, isTurn: true)
      countTurn(cases[slot].need.queue)
      queues[Int(cases[slot].need.queue.raw)].offered += 1
      cases[slot].state = .offered
    }
    cases[slot].offersMade &+= 1
    let offer = offers.add(
      OfferRecord(
        id: id, theCase: slot, agent: agent, seat: seat, until: until,
        nextOfCase: cases[slot].firstOffer,
        sequence: nextSequence()))
    cases[slot].firstOffer = offer
    cases[slot].offersOpen += 1
    timers.set(.offer, offer, number: offers[offer].sequence, at: until)
    placeAmongOffered(slot)
    agents[Int(agent.raw)].openOffer = offer
    agents[Int(agent.raw)].offeredStamp = nextSequence()
    if case .next(let waiter) = seat, agents[Int(agent.raw)].next?.waiter == waiter {
      agents[Int(agent.raw)].next = nil
    }
    markDirty(offer: offer)
    markDirty(theCase: slot)
    touch(agent)
  }

  mutating func applyOfferEnded(_ id: OfferID, _ end: OfferEnd) {
    let offer = slot(of: id)
    guard offer >= 0 else { return }
    let slot = offers[offer].theCase
    let agent = offers[offer].agent
    unhang(offer, from: slot)
    cases[slot].offersOpen -= 1
    timers.cancel(.offer, offer)
    markGone(offer: offer)
    offers.remove(offer)
    ended.add(id)
    agents[Int(agent.raw)].openOffer = -1
    if cases[slot].state == .offered, cases[slot].firstOffer < 0 {
      queues[Int(cases[slot].need.queue.raw)].offered -= 1
      giveTurnBack(cases[slot].need.queue)
      backToWaiting(slot)
    } else if cases[slot].state == .offered {
      askMore(slot)
    }
    touch(agent)
  }

  /// The case takes its old place: its age, and with it its key, never changed.
  private mutating func backToWaiting(_ slot: Int32) {
    cases[slot].state = .waiting
    openToMore.remove(slot)
    let (queue, since) = (Int(cases[slot].need.queue.raw), cases[slot].queuedAt)
    let now = now
    queues[queue].pace.comesBack(since: since)
    queues[queue].count(waiting: 1, at: now)
    if !queues[queue].isOpen { armQueue(queue) }
    relist(slot)
    markDirty(theCase: slot)
    armCase(slot)
  }

  private mutating func unhang(_ offer: Int32, from slot: Int32) {
    if cases[slot].firstOffer == offer {
      cases[slot].firstOffer = offers[offer].nextOfCase
      return
    }
    var before = cases[slot].firstOffer
    while before >= 0, offers[before].nextOfCase != offer { before = offers[before].nextOfCase }
    if before >= 0 { offers[before].nextOfCase = offers[offer].nextOfCase }
  }

  /// Open offers of a case, the eldest first.
  func offerSlots(of theCase: Int32) -> [Int32] {
    let first = cases[theCase].firstOffer
    guard first >= 0 else { return [] }
    guard offers[first].nextOfCase >= 0 else { return [first] }
    var slots: [Int32] = []
    var slot = first
    while slot >= 0 {
      // The list holds the latest first in a live machine, in any order in a rebuilt one.
      var place = slots.count
      while place > 0, offers[slots[place - 1]].sequence > offers[slot].sequence { place -= 1 }
      slots.insert(slot, at: place)
      slot = offers[slot].nextOfCase
    }
    return slots
  }
}
