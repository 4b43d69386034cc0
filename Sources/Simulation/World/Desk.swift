import Continuity
import Model
import Pipeline
import Routing

/// An agent at work, with a connection or without.
struct Desk {
  let agent: AgentID
  var isAvailable = false
  var stream: WaiterID?
  var next: WaiterID?
  var offer: OfferID?
  var holding: [CaseID] = []

  init(agent: AgentID) { self.agent = agent }

  mutating func connectionIsGone() {
    stream = nil
    next = nil
    offer = nil
  }
}

extension World {
  private func newWaiter() -> WaiterID {
    drawn += 1
    return WaiterID(drawn)
  }

  func deskActs(_ index: Int) {
    calendar.enter(.desk(index), at: now + 200 + Int64(random.below(isBusy ? 3_000 : 6_000)))
    // What the machine knows of their cases is what their screen shows.
    if isUp, !isOut, random.oneIn(4), let view = pipeline.router.agent(desks[index].agent) {
      for id in view.cases where !desks[index].holding.contains(id) {
        desks[index].holding.append(id)
      }
    }
    let desk = desks[index]
    if let id = random.one(of: desk.holding), !random.oneIn(3) { return work(index, id) }
    if isClosing {
      if desk.isAvailable { setStatus(index, .offline) }
      return
    }
    switch random.below(12) {
    case 0: setStatus(index, [.offline, .onBreak, .busy, Self.coaching][random.below(4)])
    case 1, 2: send(.renew(desk.agent), isIdempotent: false)
    case 3 where changesPlans(index): break
    default:
      if !desk.isAvailable { return setStatus(index, .available) }
      if desk.stream == nil, desk.next == nil { askForWork(index) }
    }
  }

  /// The first of the workspace's own, which counts as a meeting.
  private static let coaching = AgentStatus.custom(StatusID(0))

  private func setStatus(_ index: Int, _ status: AgentStatus) {
    desks[index].isAvailable = status == .available
    drawn += 1
    let why = StatusReason(id: StatusReasonID(high: 1, low: drawn), words: "the dentist, \(drawn)")
    send(
      .setStatus(
        desks[index].agent, status, because: status == .onBreak ? why : nil,
        lease: random.oneIn(4) ? .seconds(30) : nil),
      isIdempotent: false)
  }

  private func askForWork(_ index: Int) {
    let waiter = newWaiter()
    if random.oneIn(2) {
      desks[index].stream = waiter
      send(.openStream(desks[index].agent, waiter), isIdempotent: false)
    } else {
      desks[index].next = waiter
      send(
        .next(desks[index].agent, waiter, until: wall + .seconds(Int64(1 + random.below(30)))),
        .next(desk: index, waiter), isIdempotent: false)
    }
  }

  func nextIsAnswered(_ index: Int, _ waiter: WaiterID, _ answer: Answer) {
    if case .offer(let offer) = answer {
      guard desks[index].next == waiter else {
        return serverNotices(.failOffer(offer.offer, .connectionClosed))
      }
      desks[index].next = nil
      return deskIsOffered(index, offer.offer, isRing: false)
    }
    if desks[index].next == waiter { desks[index].next = nil }
  }

  func deskIsOffered(_ index: Int, _ offer: OfferID, isRing: Bool) {
    desks[index].offer = offer
    if isRing {
      switch random.below(8) {
      case 0:
        serverNotices(
          .failOffer(offer, [.deviceBusy, .deviceUnavailable, .deviceError][random.below(3)]))
      case 1: break  // rings in an empty room
      case 2:
        send(.acceptByDevice(offer), .accept(desk: index, offer), isIdempotent: false)
        serverNotices(.deviceLost(offer, of: nil, newCase: newID()))
      default: send(.acceptByDevice(offer), .accept(desk: index, offer), isIdempotent: false)
      }
      return
    }
    guard isBusy else { return deskDecides(index, offer) }
    calendar.enter(.decides(desk: index, offer), at: now + Int64(random.below(8_000)))
  }

  func deskDecides(_ index: Int, _ offer: OfferID) {
    let agent = desks[index].agent
    switch random.below(10) {
    case 0: send(.decline(offer, agent), isIdempotent: random.oneIn(2))
    case 1: break  // nobody looks
    default: send(.accept(offer, agent), .accept(desk: index, offer), isIdempotent: random.oneIn(2))
    }
  }

  func deskHears(_ index: Int, _ offer: OfferID, _ answer: Answer) {
    if desks[index].offer == offer { desks[index].offer = nil }
    guard case .accepted(let id, _, _, _) = answer else { return }
    if !desks[index].holding.contains(id) { desks[index].holding.append(id) }
  }

  private func work(_ index: Int, _ id: CaseID) {
    if moves(index, id) { return }
    let agent = desks[index].agent
    switch random.below(isClosing ? 3 : 9) {
    case 0, 1, 2: send(.close(id, agent), .letGo(desk: index, id))
    case 3:
      send(
        .transfer(
          id, agent, to: TransferTarget(queue: QueueID(UInt32(random.below(2)))), newCase: newID(),
          members: []),
        .letGo(desk: index, id))
    case 4: send(.handBack(id, agent, members: []), .letGo(desk: index, id))
    case 5: send(.wrapUp(id, agent))
    default:
      let marker = newMarker()
      send(
        .agentSays(
          AgentWords(
            agent: agent, case: id,
            entry: EntryDraft(
              kind: .message, author: .agent(agent),
              visibility: random.oneIn(4) ? .internal : .customer,
              channel: .chat, members: Ledger.members(marker)),
            mail: OutgoingMailID(id: newID(), text: "t", blobs: []))),
        .reply(desk: index, id, marker: marker))
    }
  }
}
