import Model

extension Router {
  /// Renews the lease when more than a third of it has gone, so that not every call writes.
  mutating func renewIfWorn(_ agent: AgentID, _ at: Instant, _ out: inout Decision) {
    guard isKnown(agent) else { return }
    let lease = catalogue.limits.presenceLease
    let left = (agents[Int(agent.raw)].presentUntil - at).milliseconds
    if agents[Int(agent.raw)].isPresent && left >= lease.milliseconds - lease.milliseconds / 3 {
      return
    }
    emit(.presenceRenewed(agent, until: at + lease), at, &out)
  }

  mutating func decideRenew(_ agent: AgentID, _ at: Instant, _ out: inout Decision) -> Rejection? {
    guard isActive(agent) else { return .unknownAgent }
    renewIfWorn(agent, at, &out)
    return nil
  }

  mutating func decideStatus(
    _ agent: AgentID, _ status: AgentStatus, _ reason: StatusReasonID?, _ lease: Duration64?,
    _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    guard isActive(agent) else { return .unknownAgent }
    guard catalogue.isSayable(status) else { return .unknownStatus }
    if let lease {
      guard lease > .zero, lease.milliseconds <= RoutingLimits.leaseMillisecondsMax else {
        return .notAllowed
      }
      emit(.presenceRenewed(agent, until: at + lease), at, &out)
    } else {
      renewIfWorn(agent, at, &out)
    }
    let record = agents[Int(agent.raw)]
    let plain = catalogue.plain(status)
    let isBack = plain == .available && (record.isNotResponding || record.backOffUntil != nil)
    if record.status != status || record.reason != reason || isBack || record.statusAfter != nil {
      emit(.statusSet(agent, status, reason: reason), at, &out)
      tellStatus(agent, &out)
    }
    if plain == .offline {
      leave(agent, .agentLeft, streamsToo: false, at, &out)
    } else {
      withdrawUnwanted(agent, at, &out)
    }
    return nil
  }

  /// Whoever says that nothing is to come on a channel is not left with an offer of it to miss.
  mutating func withdrawUnwanted(_ agent: AgentID, _ at: Instant, _ out: inout Decision) {
    let record = agents[Int(agent.raw)]
    guard record.openOffer >= 0 else { return }
    let channel = cases[offers[record.openOffer].theCase].channel
    if catalogue.channelsOpen(record.status) & record.channels & channel.bit == 0 {
      endOffer(record.openOffer, .revoked(.agentLeft), at, &out)
    }
  }

  /// What holds on a channel alone only takes away: on no channel is an agent more than they are.
  mutating func decideChannelStatus(
    _ agent: AgentID, _ channels: [Channel], _ status: AgentStatus, _ reason: StatusReasonID?,
    _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    guard isActive(agent) else { return .unknownAgent }
    guard catalogue.isSayable(status) else { return .unknownStatus }
    guard status == .available || catalogue.plain(status) != .available else { return .notAllowed }
    renewIfWorn(agent, at, &out)
    let before = agents[Int(agent.raw)]
    let changed = channels.filter { channel in
      let said = before.channelStatuses.first { $0.channel == channel }
      if status == .available { return said != nil || before.channels & channel.bit == 0 }
      return said?.status != status || said?.reason != reason
    }
    if !changed.isEmpty {
      let bits = changed.reduce(UInt8(0)) { $0 | $1.bit }
      emit(.channelStatusSet(agent, bits, status, reason: reason), at, &out)
      tellStatus(agent, &out)
      withdrawUnwanted(agent, at, &out)
    }
    return nil
  }

  func tellStatus(_ agent: AgentID, _ out: inout Decision) {
    let record = agents[Int(agent.raw)]
    out.effects.append(
      .tellAgentStatus(agent, record.status, responding: !record.isNotResponding))
  }

  /// What waits ends, unanswered offers return, nobody waits for their advice; the cases that they have,
  /// they keep.
  mutating func leave(
    _ agent: AgentID, _ why: OfferEnd.Revocation, streamsToo: Bool, _ at: Instant,
    _ out: inout Decision
  ) {
    endWaitingNext(agent, at, &out)
    endConsults(with: agent, at, &out)
    if streamsToo {
      for waiter in agents[Int(agent.raw)].streams {
        emit(.streamClosed(agent, waiter), at, &out)
        out.effects.append(.closeStream(agent, waiter, .agentRetired))
      }
    }
    let offer = agents[Int(agent.raw)].openOffer
    if offer >= 0 { endOffer(offer, .revoked(why), at, &out) }
  }

  mutating func endWaitingNext(_ agent: AgentID, _ at: Instant, _ out: inout Decision) {
    guard let next = agents[Int(agent.raw)].next else { return }
    emit(.nextEnded(agent, next.waiter), at, &out)
    out.effects.append(.answerEmpty(next.waiter))
  }

  // MARK: Seats

  mutating func decideNext(
    _ agent: AgentID, _ waiter: WaiterID, _ until: Instant, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    guard isActive(agent) else { return .unknownAgent }
    let record = agents[Int(agent.raw)]
    guard record.next == nil else { return .agentAlreadyWaiting }
    guard catalogue.plain(record.status) == .available else { return .agentNotAvailable }
    guard !record.isNotResponding else { return .agentNotResponding }
    guard until > at else { return .timeIsPast }
    renewIfWorn(agent, at, &out)
    let most = at + .milliseconds(RoutingLimits.nextMillisecondsMax)
    emit(.nextAsked(agent, waiter, until: min(until, most)), at, &out)
    return nil
  }

  mutating func decideEndNext(
    _ agent: AgentID, _ waiter: WaiterID, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    guard isKnown(agent) else { return .unknownAgent }
    if agents[Int(agent.raw)].next?.waiter == waiter {
      emit(.nextEnded(agent, waiter), at, &out)
      renewIfWorn(agent, at, &out)
    }
    failOffer(of: agent, at: .next(waiter), at, &out)
    return nil
  }

  mutating func decideOpenStream(
    _ agent: AgentID, _ waiter: WaiterID, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    guard isActive(agent) else { return .unknownAgent }
    let streams = agents[Int(agent.raw)].streams
    guard !streams.contains(waiter) else { return .agentAlreadyWaiting }
    renewIfWorn(agent, at, &out)
    emit(.streamOpened(agent, waiter), at, &out)
    if streams.count >= RoutingLimits.streamsPerAgentMax {
      // The one that was opened last is looked at; the eldest, most likely, is not.
      emit(.streamClosed(agent, streams[0]), at, &out)
      out.effects.append(.closeStream(agent, streams[0], .replaced))
      failOffer(of: agent, at: .stream(streams[0]), at, &out)
    }
    return nil
  }

  mutating func decideCloseStream(
    _ agent: AgentID, _ waiter: WaiterID, _ at: Instant, _ out: inout Decision
  ) -> Rejection? {
    guard isKnown(agent) else { return .unknownAgent }
    if agents[Int(agent.raw)].streams.contains(waiter) {
      emit(.streamClosed(agent, waiter), at, &out)
      renewIfWorn(agent, at, &out)
    }
    failOffer(of: agent, at: .stream(waiter), at, &out)
    return nil
  }

  /// The connection through which an offer went is gone. An offer is heard at every stream of an agent,
  /// and lives as long as one of them: told again, since some may have been opened after it.
  private mutating func failOffer(
    of agent: AgentID, at seat: Seat, _ at: Instant, _ out: inout Decision
  ) {
    let offer = agents[Int(agent.raw)].openOffer
    guard offer >= 0 else { return }
    if case .stream = seat, case .stream(let eldest) = offers[offer].seat {
      let streams = agents[Int(agent.raw)].streams
      guard let other = streams.last else { return fail(offer, .connectionClosed, at, &out) }
      guard !streams.contains(eldest) else { return }
      let was = offers[offer]
      out.effects.append(
        .deliverOffer(was.id, cases[was.theCase].id, agent, .stream(other), until: was.until))
    } else if offers[offer].seat == seat {
      fail(offer, .connectionClosed, at, &out)
    }
  }
}
