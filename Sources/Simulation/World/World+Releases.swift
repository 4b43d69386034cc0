import Model
import Pipeline
import Routing

/// What leaves the server: each thing is held against what is on disk at that very moment.
extension World {
  func leave(_ released: [Pipeline.Release]) {
    for release in released {
      switch release {
      case .answer(let ticket, let answer, let position): leave(ticket, answer, position)
      case .effect(let effect): leave(effect)
      case .offer(let view, let waiter): offer(view.offer, view.agent, at: waiter)
      case .ring(let session, let view, _): ring(session, view.offer, view.agent)
      case .stopRinging(_, let offer, _): forget(offer)
      case .timeline: break  // a wake-up; whoever follows reads from the disk
      case .entries(_, let last):
        if last.raw > Int64(disk.entries.count) {
          fail("entry \(last) was announced before it was on disk")
        }
      case .outbox(let row):
        if disk.outbox[row.id] == nil {
          fail("mail \(row.id) was to be sent before it was on disk")
        }
        serverNotices(.outboxDelivered(row.id))
      }
    }
  }

  private func leave(_ ticket: Ticket, _ answer: Answer, _ position: Int64) {
    outcome.note(UInt64(bitPattern: position))
    outcome.note(ticket.b)
    if position > disk.head.position {
      fail("an answer that rests on position \(position) left at \(disk.head.position)")
    }
    if let errand = errands[ticket.b] ?? ledger.duplicates[ticket.b],
      let wrong = ledger.told(answer, errand.purpose, disk)
    {
      fail(wrong)
    }
    guard ticket != .nobody else { return }
    if case .offer(let offer) = answer, ticket.a != life + 1 || errands[ticket.b] == nil {
      return serverNotices(.failOffer(offer.offer, .connectionClosed))
    }
    if has(.lose), random.oneIn(40) {
      if case .offer(let offer) = answer {
        serverNotices(.failOffer(offer.offer, .connectionClosed))
      }
      return refused(ticket.b)
    }
    calendar.enter(.answer(errand: ticket.b, answer), at: now + Int64(1 + random.below(20)))
  }

  private func leave(_ effect: Effect) {
    switch effect {
    case .deliverOffer(let offer, _, let agent, .next, _):
      if let wrong = ledger.offered(offer, to: agent) { fail(wrong) }
      serverNotices(.failOffer(offer, .connectionClosed))
    case .withdrawOffer(let offer, _, _, _, _):
      ledger.withdrawn(offer)
      forget(offer)
    case .closeStream(let agent, let waiter, _):
      for index in desks.indices where desks[index].agent == agent && desks[index].stream == waiter
      {
        desks[index].connectionIsGone()
      }
    case .endSession(let session, _):
      for index in contacts.indices where contacts[index].session == session {
        contacts[index].isOver = true
      }
    case .deliverOffer, .answerEmpty, .tellSessions, .tellAgent, .tellAgentStatus,
      .tellCaseEnded, .takeMessage, .messageCustomer, .askToConsult, .endConsult, .tellCase:
      break
    }
  }

  private func offer(_ offer: OfferID, _ agent: AgentID, at waiter: WaiterID) {
    if let wrong = ledger.offered(offer, to: agent) { fail(wrong) }
    guard let desk = desks.firstIndex(where: { $0.stream == waiter }) else {
      return serverNotices(.failOffer(offer, .connectionClosed))
    }
    calendar.enter(
      .offered(desk: desk, offer, isRing: false), at: now + Int64(1 + random.below(20)))
  }

  private func ring(_ session: SessionID, _ offer: OfferID, _ agent: AgentID) {
    if let wrong = ledger.offered(offer, to: agent) { fail(wrong) }
    guard contacts.contains(where: { $0.session == session && $0.holdsLine }) else {
      return serverNotices(.failOffer(offer, .connectionClosed))
    }
    calendar.enter(
      .offered(desk: Int(agent.raw), offer, isRing: true), at: now + Int64(20 + random.below(200)))
  }

  private func forget(_ offer: OfferID) {
    for index in desks.indices where desks[index].offer == offer { desks[index].offer = nil }
  }
}
