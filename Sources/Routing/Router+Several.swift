import Model

// Offers to several agents at once. A case that is offered to fewer than its queue asks is found by
// whoever comes free, as what waits is, but after it: what waits has nobody yet.
extension Router {
  /// Whether another agent may be asked beside those who are.
  func isOpenToMore(_ slot: Int32) -> Bool {
    guard cases[slot].state == .offered, cases[slot].preferenceUntil == nil else { return false }
    // A line rings one device at a time: a second agent would be asked by a phone that stays silent.
    guard cases[slot].channel != .phone else { return false }
    let most = catalogue.queues[Int(cases[slot].need.queue.raw)].settings.offersAtOnce
    return cases[slot].offersOpen < most
  }

  /// Where those who come free find it; nowhere, once enough are asked.
  mutating func placeAmongOffered(_ slot: Int32) {
    openToMore.remove(slot)
    guard isOpenToMore(slot) else { return }
    openToMore.insert(
      slot, key: cases[slot].key, sequence: cases[slot].sequence, kind(slot),
      skills: cases[slot].need.skills, isBackedOff: !cases[slot].backOffs.isEmpty)
  }

  /// Another may be asked than before: fewer are, or more could take it.
  mutating func askMore(_ slot: Int32) {
    placeAmongOffered(slot)
    if isDeciding { askOthersToo(slot) }
  }

  /// Agents who could not take a case may be able to.
  mutating func lookAgain(atCase slot: Int32) {
    switch cases[slot].state {
    case .waiting: relist(slot)
    case .offered: askMore(slot)
    case .assigned, .parked, .wrappingUp: break
    }
  }

  /// Puts the soonest last, each once, and drops what is open to no more.
  mutating func orderUnderOffered(_ at: Instant) {
    while let slot = underOffered.last, !openToMore.contains(slot) { underOffered.removeLast() }
    guard !underOfferedIsInOrder else { return }
    underOffered = Set(underOffered).filter { openToMore.contains($0) }
      .sorted { goesBefore($1, $0, at) }
    underOfferedIsInOrder = true
  }

  /// The soonest of those that are offered to too few, as of those that wait. It stays the soonest until
  /// nobody is left to ask.
  mutating func offerSoonestToNext(_ at: Instant, _ out: inout Decision) {
    guard let slot = underOffered.last else { return }
    if let agent = bestAgent(for: slot) {
      makeOffer(slot, agent, at, &out)
    } else {
      underOffered.removeLast()
    }
  }

  /// Once nothing waits that those who are idle could take, others are asked beside whom it was offered
  /// to just now: one offer after another, each counted as any.
  mutating func askOthersToo(_ slot: Int32) {
    guard isOpenToMore(slot), underOffered.last != slot else { return }
    underOffered.append(slot)
    underOfferedIsInOrder = false
  }

  /// Nothing that waits is for this agent: they are asked beside others. The case goes to whom it
  /// suits best, and they get the soonest that they can take, as ever.
  mutating func offerBesideOthers(
    _ agent: Int, _ at: Instant, _ budget: inout Int, _ out: inout Decision
  ) {
    while openToMore.count > 0, idle.channels(agent) != 0, let slot = soonestOpenToMore(agent, at) {
      guard budget > 0 else { return lookAgain(agent) }
      var (slot, other) = (slot, bestAgent(for: slot) ?? agent)
      while other != agent, let first = soonestOpenToMore(other, at), first != slot,
        goesBefore(first, slot, at), let best = bestAgent(for: first)
      {
        (slot, other) = (first, best)
      }
      makeOffer(slot, other, at, &out)
      budget -= 1
    }
  }

  mutating func soonestOpenToMore(_ agent: Int, _ at: Instant) -> Int32? {
    let passes = { [records = cases.records] (slot: Int32, profiles: Profiles) in
      !records[Int(slot)].isRestricted || records[Int(slot)].allows(agent, profiles)
    }
    let seeker = seeker(agent)
    guard catalogue.between == .keys else {
      return openToMore.bestByQueue(for: seeker, profiles, where: passes)
        .min { goesBefore($0, $1, at) }
    }
    let found = openToMore.best(for: seeker, profiles, where: passes)
    return found.slot >= 0 ? found.slot : nil
  }
}
