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
    if isDeciding, openToMore.contains(slot) { underOffered.append(slot) }
  }

  /// Agents who could not take a case may be able to.
  mutating func lookAgain(atCase slot: Int32) {
    switch cases[slot].state {
    case .waiting: relist(slot)
    case .offered: askMore(slot)
    case .assigned, .parked, .wrappingUp: break
    }
  }

  /// Who accepts by themselves sets the others free again.
  mutating func offerToNext(_ slot: Int32, _ at: Instant, _ out: inout Decision) {
    guard openToMore.contains(slot), let agent = bestAgent(for: slot) else { return }
    makeOffer(slot, agent, at, &out)
  }

  /// Once nothing waits that those who are idle could take, others are asked beside whom it was offered
  /// to just now: one offer after another, each counted as any.
  mutating func askOthersToo(_ slot: Int32) {
    if isOpenToMore(slot) { underOffered.append(slot) }
  }

  /// Nothing that waits is for this agent: they are asked beside others. The case goes to whom it
  /// suits best, as ever.
  mutating func offerBesideOthers(
    _ agent: Int, _ at: Instant, _ budget: inout Int, _ out: inout Decision
  ) {
    while openToMore.count > 0, idle.channels(agent) != 0, let slot = soonestOpenToMore(agent, at) {
      guard budget > 0 else { return lookAgain(agent) }
      makeOffer(slot, bestAgent(for: slot) ?? agent, at, &out)
      budget -= 1
    }
  }

  private mutating func soonestOpenToMore(_ agent: Int, _ at: Instant) -> Int32? {
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
