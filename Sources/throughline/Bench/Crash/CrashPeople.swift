/// A shop that tells of two cards, and a supervisor who takes their holders for one person and for two again. What each
/// answer said must hold ever after: who is one, and that each card keeps every event of its own.
final class CrashPeople {
  private let shop: HTTPPeer
  private let supervisor: HTTPPeer
  private unowned let world: CrashWorld
  private var pair: Int

  init(_ shop: HTTPPeer, _ supervisor: HTTPPeer, pair: Int, _ world: CrashWorld) {
    (self.shop, self.supervisor, self.pair, self.world) = (shop, supervisor, pair, world)
    tell(0) { self.tell(1) { self.join() } }
  }

  private var known: CrashLedger.Pair {
    get { world.ledger.pairs[pair] }
    set { world.ledger.pairs[pair] = newValue }
  }

  /// The event of one card, as often as it takes: under its id it counts once.
  private func tell(_ side: Int, then: @escaping () -> Void) {
    let event = world.text()
    known.told[side].append(.init(event: event, isAcknowledged: false))
    let place = known.told[side].count - 1
    let body =
      #"{"event":"\#(event)","id":"\#(event)","identities":[{"kind":"external","value":"\#(known.cards[side])","assurance":"asserted"}]}"#
    post(shop, "/v1/journey", body) { [self] reply in
      guard reply.status == 201, let customer = JSONPick.find("customer", in: reply.body) else {
        return world.ledger.violated("a journey event was answered \(reply.status)")
      }
      known.told[side][place].isAcknowledged = true
      // While they are one it names their root.
      if known.records[side] == nil { known.records[side] = customer }
      then()
    }
  }

  private func join() { decide("merge", "with", isOne: true) { self.split() } }
  private func split() { decide("split", "from", isOne: false) { self.join() } }

  /// Where the last life left it open which they are, one of both is refused, and that tells.
  private func decide(
    _ what: String, _ member: String, isOne: Bool, then: @escaping () -> Void
  ) {
    guard let a = known.records[0], let b = known.records[1], !world.isOver else { return }
    let before = known.isOne
    known.isOne = nil
    post(supervisor, "/v1/customers/\(a)/\(what)", #"{"\#(member)":"\#(b)","reason":"bench"}"#) {
      [self] reply in
      guard reply.status == 200 || (reply.status == 409 && before != !isOne) else {
        return world.ledger.violated(
          "\(what) of two who were \(before.map(String.init) ?? "either") was answered \(reply.status)"
        )
      }
      known.isOne = isOne
      world.ledger.decisions += 1
      tell(Int(world.random.next() % 2), then: then)
    }
  }

  private func post(
    _ peer: HTTPPeer, _ target: String, _ body: String, then: @escaping (HTTPPeer.Reply) -> Void
  ) {
    guard !world.isOver else { return }
    peer.post(target, body) { [self] reply in
      guard let reply else { return }
      world.ledger.heard += 1
      then(reply)
    }
  }
}

extension CrashLedger {
  /// Two cards of a shop.
  struct Pair: Sendable {
    struct Told: Sendable {
      var event: String
      var isAcknowledged: Bool
    }
    var cards: [String]
    /// Each card's own record.
    var records: [String?] = [nil, nil]
    var told: [[Told]] = [[], []]
    /// nil: nobody heard how the last decision ended.
    var isOne: Bool? = false
  }
}
