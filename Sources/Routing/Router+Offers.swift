import Model

extension Router {
  /// The slot of an offer that is still open and this agent's.
  private func open(_ id: OfferID, _ agent: AgentID) -> Result<Int32, Rejection> {
    let slot = slot(of: id)
    guard slot >= 0 else { return .failure(ended.contains(id) ? .offerEnded : .unknownOffer) }
    return offers[slot].agent == agent ? .success(slot) : .failure(.offerNotYours)
  }

  mutating func decideAccept(_ id: OfferID, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    switch open(id, agent) {
    case .failure(let refusal): return refusal
    case .success(let slot):
      renewIfWorn(agent, at, &out)
      accept(slot, agent, at, &out)
      return nil
    }
  }

  /// The first to accept has it; every other offer of the case is revoked.
  mutating func accept(_ offer: Int32, _ agent: AgentID, _ at: Instant, _ out: inout Decision) {
    let slot = offers[offer].theCase
    let home = cases[slot].conversation
    let id = offers[offer].id
    emit(.caseAccepted(cases[slot].id, agent), at, &out)
    tell(agent, cases[slot].id, .accepted, &out)
    emit(.offerEnded(id, .accepted), at, &out)
    for other in offerSlots(of: slot) { endOffer(other, .revoked(.wonByAnother), at, &out) }
    give(home, to: .agent(agent, cases[slot].id), at, &out)
  }

  /// Ends an offer and tells where it was shown. The case returns to its place when no other offer
  /// is open.
  mutating func endOffer(_ offer: Int32, _ end: OfferEnd, _ at: Instant, _ out: inout Decision) {
    let was = offers[offer]
    let theCase = cases[was.theCase].id
    emit(.offerEnded(was.id, end), at, &out)
    out.effects.append(.withdrawOffer(was.id, theCase, was.agent, was.seat, end))
  }

  /// Whom a case waits for alone has had their chance.
  private mutating func endPreference(
    _ slot: Int32, for agent: AgentID, _ at: Instant, _ out: inout Decision
  ) {
    guard cases[slot].preferenceUntil != nil, cases[slot].need.preferred?.agent == agent else {
      return
    }
    emit(.preferenceEnded(cases[slot].id), at, &out)
  }

  mutating func decideDecline(_ id: OfferID, _ agent: AgentID, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    switch open(id, agent) {
    case .failure(let refusal): return refusal
    case .success(let offer):
      renewIfWorn(agent, at, &out)
      let slot = offers[offer].theCase
      let until = at + declineBackOff(slot, agent)
      endOffer(offer, .declined, at, &out)
      emit(.backOffSet(agent, cases[slot].id, until: until), at, &out)
      endPreference(slot, for: agent, at, &out)
      return nil
    }
  }

  /// Doubles with every decline of this case by this agent, to the configured most.
  private func declineBackOff(_ slot: Int32, _ agent: AgentID) -> Duration64 {
    let times = cases[slot].backOffs.first { $0.agent == agent }?.times ?? 0
    let most = catalogue.limits.declineBackOffMax.milliseconds
    var length = catalogue.limits.declineBackOff.milliseconds
    for _ in 0..<min(times, 40) where length < most { length = min(most, length &* 2) }
    return Duration64(milliseconds: min(length, most))
  }

  mutating func decideFail(_ id: OfferID, _ why: OfferFailure, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    let offer = slot(of: id)
    guard offer >= 0 else { return ended.contains(id) ? .offerEnded : .unknownOffer }
    if why == .notAnswered { miss(offer, at, &out) } else { fail(offer, why, at, &out) }
    return nil
  }

  /// A closed connection is nobody's fault. Of an agent whose devices cannot be rung all are left alone
  /// for a while, or they would be tried with every waiting call in turn.
  mutating func fail(_ offer: Int32, _ why: OfferFailure, _ at: Instant, _ out: inout Decision) {
    let was = offers[offer]
    let slot = was.theCase
    endOffer(offer, .failed(why), at, &out)
    switch why {
    case .connectionClosed, .notAnswered: break
    // Offered again at once, it would come back at once, and keep the agent from callers who are
    // there.
    case .lineGone:
      let pause = Duration64(milliseconds: RoutingLimits.lineGoneBackOffMilliseconds)
      emit(.backOffSet(was.agent, cases[slot].id, until: at + pause), at, &out)
    case .deviceBusy, .deviceUnavailable, .deviceError:
      if ringNext(after: was, at, &out) { return }
      let pause = Duration64(milliseconds: RoutingLimits.deviceFailureBackOffMilliseconds)
      emit(.backOffSet(was.agent, nil, until: at + pause), at, &out)
      endPreference(slot, for: was.agent, at, &out)
    }
  }

  /// An agent's next device rings for as long as the first would have, unless the call is somebody
  /// else's by now, or they have a sooner one to take.
  private mutating func ringNext(
    after was: OfferRecord, _ at: Instant, _ out: inout Decision
  ) -> Bool {
    let (slot, agent) = (was.theCase, Int(was.agent.raw))
    let least = at + .milliseconds(RoutingLimits.nextDeviceMillisecondsMin)
    guard case .device(let device) = was.seat, was.until >= least, !matchGoesOn,
      !isInGrace(slot), isEligible(agent, slot), let next = freeDevice(agent, after: device)
    else { return false }
    if let other = bestCase(for: agent, at), other != slot, goesBefore(other, slot, at) {
      return false
    }
    if let other = bestAgent(for: slot), other != agent, prefers(other, agent, slot) {
      return false
    }
    makeOffer(slot, agent, at: .device(next), until: was.until, at, &out)
    return true
  }

  /// Nobody answered: the queue says whether the agent is set *not responding* or only left alone
  /// for a while.
  mutating func miss(_ offer: Int32, _ at: Instant, _ out: inout Decision) {
    let slot = offers[offer].theCase
    let agent = offers[offer].agent
    endOffer(offer, .timedOut, at, &out)
    endPreference(slot, for: agent, at, &out)
    switch catalogue.queues[Int(cases[slot].need.queue.raw)].settings.onMiss {
    case .notResponding:
      emit(.notResponding(agent), at, &out)
      tellStatus(agent, &out)
    case .backOff(let pause):
      emit(.backOffSet(agent, nil, until: at + max(pause, .milliseconds(1))), at, &out)
    }
  }
}
