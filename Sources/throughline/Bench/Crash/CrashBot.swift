import Sockets

/// A bot that opens sessions, says things, hands some over, hears what agents say, and ends or
/// forgets them.
final class CrashBot {
  private let peer: HTTPPeer
  private let holder: Int
  private unowned let world: CrashWorld
  private var talk = 0
  private var session = ""
  private var after: Int64 = 0
  private var customer = ""

  init(_ peer: HTTPPeer, _ holder: Int, _ world: CrashWorld) {
    (self.peer, self.holder, self.world) = (peer, holder, world)
    open()
  }

  private func key(_ perHundred: Int) -> String? {
    world.random.chance(perHundred) ? "k-\(world.text())" : nil
  }

  private func request(
    _ what: CrashLedger.What, _ path: String, _ body: String?, _ text: String? = nil
  ) -> CrashLedger.Send {
    CrashLedger.Send(
      what: what, cycle: 0, talk: what == .open ? nil : talk, holder: holder, target: path,
      body: body,
      key: key(60), text: text)
  }

  private func open() {
    // A few customers come again and again, on both bots.
    let who = world.random.chance(25) ? "regular-\(world.random.next() % 5)" : world.text()
    let body =
      #"{"channel":"chat","customer":{"identities":[{"kind":"chat","value":"\#(who)","assurance":"asserted"}]}}"#
    world.send(peer, request(.open, "/v1/sessions", body)) { [self] index, reply in
      guard reply.status == 201, let session = JSONPick.find("session", in: reply.body),
        let conversation = JSONPick.find("conversation", in: reply.body),
        let customer = JSONPick.find("customer", in: reply.body)
      else { return world.ledger.violated("a session was not opened: \(reply.status)") }
      self.session = session
      self.customer = customer
      after = JSONPick.number("after", in: reply.body) ?? 0
      talk = world.ledger.talk(conversation, customer: customer, session: session)
      world.ledger.sends[index].talk = talk
      world.ledger.saw(CrashEntry.all("entries", in: reply.body), of: customer)
      for stream in world.streams(of: holder) { stream.subscribe(session, customer, after: after) }
      say(Int(world.random.next() % 5) + 1) { self.handOff() }
    }
  }

  private func say(_ left: Int, then: @escaping () -> Void) {
    guard left > 0 else { return then() }
    let text = world.text()
    let author = world.random.chance(70) ? "customer" : "bot"
    let send = request(
      .say, "/v1/sessions/\(session)/messages", #"{"author":"\#(author)","text":"\#(text)"}"#, text)
    world.send(peer, send) { [self] _, _ in say(left - 1, then: then) }
  }

  private func handOff() {
    guard world.random.chance(80) else { return end() }
    let send = request(.handoff, "/v1/sessions/\(session)/handoff", #"{"reason":"wants a human"}"#)
    world.send(peer, send) { [self] index, reply in
      world.ledger.sends[index].aCase = JSONPick.find("case", in: reply.body)
      hear(Int(world.random.next() % 6))
    }
  }

  /// Polls for what others say, and lets the customer say more.
  private func hear(_ left: Int) {
    guard left > 0 else { return say(world.random.chance(50) ? 1 : 0) { self.end() } }
    guard !world.isOver else { return }
    // Few wait: whoever waits does not write, and it is writing that the kill must hit.
    let wait = world.random.chance(5) ? 1 : 0
    peer.send(.get, "/v1/sessions/\(session)/events?after=\(after)&wait=\(wait)") { [self] reply in
      guard let reply, reply.status == 200 else { return }
      world.ledger.heard += 1
      world.ledger.saw(CrashEntry.all("events", in: reply.body), of: customer)
      after = JSONPick.number("after", in: reply.body) ?? after
      say(world.random.chance(60) ? 1 : 0) { self.hear(left - 1) }
    }
  }

  private func end() {
    guard world.random.chance(30) else { return open() }
    world.send(peer, request(.end, "/v1/sessions/\(session)/end", nil)) { [self] _, _ in open() }
  }
}
