import Continuity
import Model
import Records
import Routing

/// One line per kind of request; each family has a file of its own.
extension Pipeline {
  mutating func decide(
    _ intake: Intake, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    switch intake {
    case .configure(let configuration, let encoded):
      pending.configurations.append((configuration.version, encoded))
      let answer = try plain(.configure(configuration), &turn, reads)
      return answer == .done ? .rulesPublished(version: configuration.version, isNew: true) : answer
    case .start: return try plain(.start, &turn, reads)
    case .tick: return try plain(.tick, &turn, reads)
    case .read: return .position(head.position)
    case .outcome(let answer): return answer

    case .openSession(let open): return try openSession(open, &turn, reads)
    case .say(let say): return try self.say(say, &turn, reads)
    case .handoff(let handoff): return try self.handoff(handoff, &turn, reads)
    case .endSession(let id, let end, let bot): return try endSession(id, end, bot, &turn, reads)
    case .mail(let mail): return try self.mail(mail, &turn, reads)
    case .call(let call): return try self.call(call, &turn, reads)
    case .callFact(let session, let entry): return try callFact(session, entry, &turn, reads)
    case .rejoin(let session):
      guard let known = router.session(session), known.channel == .phone else {
        return rejection(.unknownSession, nil)
      }
      _ = try resume(session, known.conversation, &turn, reads)
      return .done
    case .callNews(let key, let news): return try callNews(key, news, &turn, reads)
    case .callEnded(let key): return try callEnded(key, &turn, reads)
    case .acceptByDevice(let offer): return try acceptByDevice(offer, &turn, reads)
    case .deviceLost(let offer, let session, let new):
      return try deviceLost(offer, session, new, &turn, reads)
    case .standing(let key): return try standing(ofCall: key, at: turn.at, reads)
    case .bridgeEnded(let session): return try bridgeEnded(session, &turn, reads)
    case .journey(let journey): return try self.journey(journey, &turn, reads)
    case .aboutCustomer(let about): return try self.about(about, &turn, reads)
    case .joinConversations(let asked): return try join(asked, &turn, reads)
    case .tag(let asked): return try tag(asked, &turn, reads)
    case .redact(let asked): return try redact(asked, &turn, reads)
    case .blob(let row):
      pending.blobs.set(row.id, row, at: turn.position)
      turn.touched = true
      return .blobKept(row.id)

    case .setStatus(let agent, let status, let because, let lease):
      return try choose(agent, because, &turn, reads) {
        .setStatus(agent, status, reason: $0, lease: lease)
      }
    case .setChannelStatus(let agent, let channels, let status, let because):
      return try choose(agent, because, &turn, reads) {
        .setChannelStatus(agent, channels, status, reason: $0)
      }
    case .renew(let agent): return try plain(.renewPresence(agent), &turn, reads)
    case .next(let agent, let waiter, let until):
      return try next(agent, waiter, until, turn.idempotency, &turn, reads)
    case .endNext(let agent, let waiter):
      waiters[waiter] = nil
      return try plain(.endNext(agent, waiter: waiter), &turn, reads)
    case .openStream(let agent, let waiter):
      return try plain(.openStream(agent, waiter: waiter), &turn, reads)
    case .closeStream(let agent, let waiter):
      return try plain(.closeStream(agent, waiter: waiter), &turn, reads)
    case .accept(let offer, let agent): return try accept(offer, agent, &turn, reads)
    case .decline(let offer, let agent): return try plain(.decline(offer, agent), &turn, reads)
    case .failOffer(let offer, let why): return try failOffer(offer, why, &turn, reads)
    case .agentSays(let words): return try agentSays(words, &turn, reads)
    case .transfer(let id, let agent, let target, let new, let members):
      return try transfer(id, agent, target, new, members, &turn, reads)
    case .handBack(let id, let agent, let bot, let members):
      return try handBack(id, agent, bot, members, &turn, reads)
    case .wrapUp(let id, let agent): return try onCase(id, .wrapUp(id, by: agent), &turn, reads)
    case .close(let id, let agent): return try onCase(id, .close(id, by: agent), &turn, reads)
    case .onCase(let id, let act): return try onCase(id, act.command(id, at: turn.at), &turn, reads)
    case .finish(let agent, let status, let because):
      return try choose(agent, because, &turn, reads) {
        .finish(agent, then: status, reason: $0)
      }
    case .chooseChannels(let agent, let channels):
      return try plain(.chooseChannels(agent, channels), &turn, reads)

    case .outboxDelivered(let id):
      pending.outbox.append(OutboxRow(id: id, kind: .mail, due: turn.at, tries: 0, payload: nil))
      turn.touched = true
      return .done
    case .outboxDelayed(let row, let why): return try delayed(row, why, &turn, reads)
    case .outboxFailed(let row, let why, let new):
      return try undelivered(row, why, new, &turn, reads)
    }
  }

  private mutating func plain(
    _ command: Command, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    if let rejection = try self.command(command, &turn, reads) {
      return self.rejection(rejection, nil)
    }
    return .done
  }
}
