import Sockets

/// An agent that takes cases by `next` or from a stream, answers, takes notes, and closes,
/// transfers or hands back.
final class CrashAgent {
  private let peer: HTTPPeer
  private let holder: Int
  private unowned let world: CrashWorld
  private let stream: CrashStream?
  private var talk = 0
  private var aCase = ""

  init(_ peer: HTTPPeer, _ holder: Int, _ stream: CrashStream?, _ world: CrashWorld) {
    (self.peer, self.holder, self.stream, self.world) = (peer, holder, stream, world)
    peer.send(.put, "/v1/agents/me/status", #"{"status":"available","lease_seconds":3600}"#) {
      [weak self] reply in
      guard let self, reply?.status == 200 else { return }
      next()
    }
  }

  private func request(
    _ what: CrashLedger.What, _ path: String, _ body: String? = nil, _ text: String? = nil
  ) -> CrashLedger.Send {
    CrashLedger.Send(
      what: what, cycle: 0, talk: talk, holder: holder, target: path, body: body,
      key: world.random.chance(60) ? "k-\(world.text())" : nil, text: text, aCase: aCase)
  }

  private func next() {
    guard !world.isOver else { return }
    if let stream {
      // Offers come pushed; the next one that is not yet taken is ours to take.
      return stream.nextOffer { [weak self] body in self?.offered(body) }
    }
    peer.post("/v1/agents/me/next?wait=2") { [self] reply in
      guard let reply else { return }
      world.ledger.heard += 1
      guard reply.status == 200 else {
        if reply.status != 204 { world.ledger.violated("next was answered \(reply.status)") }
        return next()
      }
      offered(reply.body)
    }
  }

  private func offered(_ body: [UInt8]) {
    guard let offer = JSONPick.find("offer", in: body), let aCase = JSONPick.find("case", in: body),
      let conversation = JSONPick.find("conversation", in: body),
      let at = JSONPick.position(after: "\"customer\":{", in: body),
      let customer = JSONPick.find("id", in: Array(body[at...].prefix(80)))
    else {
      return world.ledger.violated(
        "an offer without its case: \(String(decoding: body.prefix(200), as: UTF8.self))")
    }
    self.aCase = aCase
    talk = world.ledger.talk(conversation, customer: customer)
    guard let timeline = CrashTimeline(in: body) else {
      return world.ledger.violated("\(aCase) was offered without its timeline")
    }
    read(timeline, of: customer) { self.decide(on: offer) }
  }

  /// Reads the pages that did not fit into the offer, and holds the whole against its count and
  /// hash.
  private func read(_ given: CrashTimeline, of customer: String, then: @escaping () -> Void) {
    guard let older = given.older else {
      world.ledger.saw(given.entries, of: customer)
      world.ledger.timelines += 1
      if let fault = given.fault {
        world.ledger.violated("\(aCase), the timeline of \(customer): \(fault)")
      }
      return then()
    }
    peer.send(.get, "/v1/customers/\(customer)/timeline?limit=1000&before=\(older)") {
      [self] reply in
      guard let reply, reply.status == 200 else { return }
      var more = given
      more.take(olderPage: reply.body)
      read(more, of: customer, then: then)
    }
  }

  private func decide(on offer: String) {
    guard world.random.chance(90) else {
      return world.send(peer, request(.decline, "/v1/offers/\(offer)/decline")) { [self] _, _ in
        next()
      }
    }
    world.send(peer, request(.accept, "/v1/offers/\(offer)/accept")) { [self] _, reply in
      guard reply.status == 200 else { return next() }
      speak(Int(world.random.next() % 3))
    }
  }

  private func speak(_ left: Int) {
    guard left > 0 else { return finish() }
    let text = world.text()
    let (what, path): (CrashLedger.What, String) =
      world.random.chance(80) ? (.reply, "reply") : (.note, "note")
    world.send(peer, request(what, "/v1/cases/\(aCase)/\(path)", #"{"text":"\#(text)"}"#, text)) {
      [self] _, _ in
      speak(left - 1)
    }
  }

  private func finish() {
    let send: CrashLedger.Send
    switch world.random.next() % 10 {
    case 0: send = request(.transfer, "/v1/cases/\(aCase)/transfer", #"{"queue":"support"}"#)
    case 1: send = request(.handBack, "/v1/cases/\(aCase)/hand-back", #"{"summary":"done here"}"#)
    case 2: return next()  // forgets it: the case stays assigned
    default: send = request(.close, "/v1/cases/\(aCase)/close")
    }
    world.send(peer, send) { [self] _, _ in next() }
  }
}
