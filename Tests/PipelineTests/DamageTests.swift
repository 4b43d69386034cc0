import Model
import Records
import Routing
import StoreInMemory
import Testing

@testable import Pipeline

/// A row that does not match its checksum costs the request that needs it, and nobody else.
struct DamageTests {
  private static let row = StoreFault.corrupt(what: "a row of this test")

  /// Two chats, one of them handed over and offered to Ann, and a mail; on disk, and nothing of it at
  /// hand.
  private static func shop() throws -> (Workshop, OfferID) {
    var shop = Workshop()
    for n in UInt64(1)...2 {
      shop.submit(Workshop.open(n))
      shop.submit(Workshop.say(n))
    }
    shop.submit(.openStream(Workshop.ann, WaiterID(1)))
    shop.submit(Workshop.handoff(1))
    var offered: OfferID?
    for release in shop.commit() {
      if case .offer(let offer, to: _) = release { offered = offer.offer }
    }
    shop.submit(.mail(Workshop.mail(1)))
    shop.submit(Workshop.call(4))
    shop.commit()
    try shop.rebuild()
    return (shop, try #require(offered))
  }

  enum Asked: CaseIterable {
    case say, handoff, end, hangUp, accept, decline, mail, bounce, reopen, status, tick, close
    case consult, endNext

    func intake(_ offer: OfferID) -> Intake {
      switch self {
      case .say: Workshop.say(1)
      case .handoff: Workshop.handoff(2)
      case .end: .endSession(Workshop.session(1), .botEnded, by: Workshop.bot)
      case .hangUp: .endSession(Workshop.session(4), .hungUp, by: nil)
      case .accept: .accept(offer, Workshop.ann)
      case .decline: .decline(offer, Workshop.ann)
      case .mail: .mail(Workshop.mail(2))
      case .bounce: .mail(Workshop.bounce(2))
      case .reopen: Workshop.open(9)
      case .status: .setStatus(Workshop.ann, .offline, lease: nil)
      case .tick: .tick
      case .close: .close(CaseID(high: 3, low: 1), Workshop.ann)
      case .consult: .closeStream(Workshop.ann, WaiterID(1))
      case .endNext: .endNext(Workshop.ann, WaiterID(1))
      }
    }
  }

  /// Whichever look-up meets it, one after the other: the workspace goes on, what is on disk is what
  /// the machine says, and the other customer is served.
  @Test(arguments: Asked.allCases, [false, true])
  func `wherever a damaged row is met, the machine is whole and goes on`(
    _ asked: Asked, isLast: Bool
  ) throws {
    var met = 0
    for left in 0..<60 {
      var (shop, offer) = try Self.shop()
      if asked == .tick { shop.now = shop.now + .seconds(7_200) }
      shop.store.failing(after: left, with: Self.row, onlyOnce: !isLast)
      // Throws nothing: only this request may cost anything.
      shop.submit(asked.intake(offer), 1)
      let isMet = !shop.pipeline.takeDamage().isEmpty
      shop.store.failing(after: nil)
      if isMet { met += 1 }
      #expect(!shop.pipeline.isTorn)
      let state = shop.pipeline.router.stateHash
      let left = shop.commit()
      if asked != .tick, asked != .endNext { #expect(left.answer(1) != nil) }
      try shop.rebuild()
      #expect(shop.pipeline.router.stateHash == state)
      shop.submit(Workshop.say(2), 2)
      guard case .recorded? = shop.commit().answer(2) else { throw Workshop.Missing() }
      if !isMet { break }
    }
    if ![.reopen, .status, .consult, .endNext].contains(asked) {
      #expect(met > 0, "no look-up met it: this test shows nothing")
    }
  }

  @Test(arguments: [Asked.say, .handoff, .end, .accept, .close])
  func `whoever names a damaged row hears so before anything has happened`(_ asked: Asked) throws {
    var (shop, offer) = try Self.shop()
    if asked == .close { shop.submit(.accept(offer, Workshop.ann)) }
    shop.commit()
    try shop.rebuild()
    let (state, head) = (shop.pipeline.router.stateHash, shop.pipeline.head)
    shop.store.failing(after: 0, with: Self.row)
    shop.submit(asked.intake(offer), 1, key: Idempotency(key: [1], bodyHash: .zero))
    shop.store.failing(after: nil)
    #expect(shop.commit().answer(1) == .damaged)
    #expect(shop.pipeline.router.stateHash == state && shop.pipeline.head == head)
    #expect(shop.pipeline.takeDamage() == [Self.row])
    #expect(shop.pipeline.takeDamage() == [])
    // The key is free for when the row is mended.
    shop.submit(asked.intake(offer), 2, key: Idempotency(key: [1], bodyHash: .zero))
    let answer = try #require(shop.commit().answer(2))
    #expect(answer != .damaged && answer != .keyReused)
  }

  @Test func `whoever hangs up is gone, though the row of their call is damaged`() throws {
    var (shop, _) = try Self.shop()
    shop.store.failing(after: 0, with: Self.row)
    shop.submit(.endSession(Workshop.session(4), .hungUp, by: nil))
    shop.store.failing(after: nil)
    shop.commit()
    #expect(shop.pipeline.router.session(Workshop.session(4)) == nil)
  }

  @Test func `a disk that refuses in the middle still says that the machine cannot be trusted`()
    throws
  {
    var torn = false
    for left in 0..<20 {
      let (shop, _) = try Self.shop()
      var pipeline = shop.pipeline
      shop.store.failing(after: left, with: MemoryStore.fault)
      do throws(StoreFault) {
        try pipeline.submit(
          Request(.endSession(Workshop.session(4), .hungUp, by: nil)), at: shop.now,
          reads: shop.store)
      } catch {
        torn = torn || pipeline.isTorn
      }
    }
    #expect(torn)
  }
}
