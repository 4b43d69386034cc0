import Model
import Records
import Routing
import StoreInMemory
import Testing

@testable import Pipeline

/// A commit fails, or a look-up does: nobody is told that anything happened, and nothing that
/// happened is forgotten.
struct OutageTests {
  @Test func `whoever waits is refused, and nothing leaves any more`() throws {
    var shop = Workshop()
    let until = shop.now + .seconds(30)
    shop.submit(.next(Workshop.ann, WaiterID(1), until: until), 1)
    shop.commit()
    shop.submit(Workshop.open(1), 2)
    _ = try shop.gather()
    shop.submit(.read, 3)
    let left = shop.pipeline.abandon()
    #expect(left.refused == [2, 3, 1].map(Workshop.ticket))
    #expect(left.kept.isEmpty)
    #expect(shop.pipeline.release().isEmpty)
    #expect(shop.pipeline.committed(upTo: 1_000).isEmpty)
  }

  @Test func `the machine of what is on disk goes on where that ends`() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1))
    shop.commit()
    let (position, state) = (shop.pipeline.head.position, shop.pipeline.router.stateHash)
    shop.submit(Workshop.open(2))
    _ = shop.pipeline.abandon()
    try shop.rebuild()
    #expect(shop.pipeline.router.stateHash == state)
    #expect(shop.pipeline.head.position == position && shop.pipeline.durable == position)
    shop.submit(Workshop.open(2), 1)
    let commit = try shop.gather()
    #expect(commit.log.map(\.position) == [position + 1])
    guard case .sessionOpened = shop.commit(commit).answer(1) else { throw Workshop.Missing() }
  }

  @Test func `news that nobody would tell again are handed back in order, until they are on disk`()
    throws
  {
    var shop = Workshop()
    for n in 1...3 { shop.submit(Workshop.call(UInt64(n))) }
    shop.commit()
    shop.submit(.endSession(Workshop.session(1), .hungUp, by: nil))
    shop.commit()
    shop.submit(.endSession(Workshop.session(2), .hungUp, by: nil))
    shop.submit(Workshop.say(9), 1)
    shop.submit(.outboxDelivered(4))
    shop.submit(.callNews(Workshop.key(3), .hungUp), 2)
    let left = shop.pipeline.abandon()
    #expect(
      left.refused == [1, 2].map(Workshop.ticket),
      "a phone system that told of it hears that it was not taken")
    #expect(left.kept.count == 3)
    guard case .endSession(Workshop.session(2), .hungUp, by: nil) = left.kept.first?.intake,
      case .outboxDelivered(4) = left.kept.dropFirst().first?.intake,
      case .callNews(_, .hungUp) = left.kept.last?.intake
    else { throw Workshop.Missing() }
    try shop.rebuild()
    shop.submit(.start)
    for request in left.kept { shop.submit(request.intake) }
    shop.commit()
    for n in 1...3 { #expect(shop.pipeline.router.session(Workshop.session(UInt64(n))) == nil) }
  }

  @Test
  func `whoever tells of a talk's end is not refused: the answer comes when the disk is back`()
    throws
  {
    var shop = Workshop()
    let offer = try shop.ringing()
    shop.submit(.acceptByDevice(offer))
    shop.commit()
    shop.submit(.bridgeEnded(Workshop.session(1)), 1)
    let left = shop.pipeline.abandon()
    #expect(left.refused.isEmpty)
    #expect(left.kept.map(\.ticket) == [Workshop.ticket(1)])
    try shop.rebuild()
    shop.submit(.bridgeEnded(Workshop.session(1)), 1)
    #expect(shop.commit().answer(1) == .standing(.over))
  }

  @Test
  func `a call that comes back from a talk whose end is recorded is over, and is no new call`()
    throws
  {
    var shop = Workshop()
    let offer = try shop.ringing()
    shop.submit(.acceptByDevice(offer))
    shop.submit(.bridgeEnded(Workshop.session(1)))
    shop.commit()
    try shop.rebuild()
    guard case .call(var call) = Workshop.call(1) else { throw Workshop.Missing() }
    call.isOverOnceEnded = true
    shop.submit(.call(call), 1)
    #expect(shop.pipeline.release().answer(1) == .standing(.over))
    #expect(shop.pipeline.gather() == nil)
    // Who comes back and has not spoken is somebody who still waits.
    call.isOverOnceEnded = false
    call.session = Workshop.session(2)
    call.conversation = Workshop.conversation(2)
    call.case = CaseID(high: 3, low: 2)
    shop.submit(.call(call), 2)
    guard case .callTaken = shop.commit().answer(2) else { throw Workshop.Missing() }
  }

  @Test func `a call whose hang-up was told before it is read is over, and no new call`() throws {
    var shop = Workshop()
    shop.submit(Workshop.call(1), 1)
    shop.commit()
    shop.submit(.callEnded(key: Workshop.key(1)))
    guard case .call(var call) = Workshop.call(1) else { throw Workshop.Missing() }
    call.session = Workshop.session(2)
    call.conversation = Workshop.conversation(2)
    call.case = CaseID(high: 3, low: 2)
    shop.submit(.call(call), 2)
    #expect(shop.commit().answer(2) == .standing(.over))
    #expect(shop.pipeline.router.session(Workshop.session(2)) == nil)
  }

  @Test func `a ring that ended answered and was never accepted is no talk`() throws {
    var shop = Workshop()
    let offer = try shop.ringing()
    shop.submit(.bridgeEnded(Workshop.session(1)), 1)
    guard case .standing(.rings(offer, _, _)) = shop.pipeline.release().answer(1) else {
      throw Workshop.Missing()
    }
    #expect(shop.pipeline.gather() == nil)
  }

  @Test func `a device lost after its acceptance gives the case back, remembered or not`() throws {
    for isRebuilt in [false, true] {
      var shop = Workshop()
      let offer = try shop.ringing()
      shop.submit(.acceptByDevice(offer))
      shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
      shop.commit()
      if isRebuilt { try shop.rebuild() }
      let session = isRebuilt ? Workshop.session(1) : nil
      shop.submit(.deviceLost(offer, of: session, newCase: CaseID(high: 3, low: 99)), 1)
      #expect(shop.commit().answer(1) == .done)
      shop.submit(.standing(call: Workshop.key(1)), 2)
      #expect(
        shop.pipeline.release().answer(2) == .standing(.waits(position: 1, .unknown(.nobodyThere))))
    }
  }

  @Test(arguments: [true, false])
  func `a caller whose dial ended without a talk while we were down waits again`(_ spoke: Bool)
    throws
  {
    var shop = Workshop()
    let began = shop.now
    let offer = try shop.ringing()
    shop.submit(.acceptByDevice(offer))
    shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
    shop.commit()
    try shop.rebuild()
    shop.now = shop.now + .seconds(10)
    guard case .call(var call) = Workshop.call(1) else { throw Workshop.Missing() }
    (call.nothingRings, call.isOverOnceEnded) = (true, spoke)
    call.case = CaseID(high: 3, low: 99)
    shop.submit(.call(call), 1)
    guard case .callTaken(_, _, _, let id, true) = shop.commit().answer(1) else {
      throw Workshop.Missing()
    }
    #expect((id == call.case) == !spoke)
    shop.submit(.standing(call: Workshop.key(1)), 2)
    #expect(
      shop.pipeline.release().answer(2)
        == .standing(spoke ? .talks : .waits(position: 1, .unknown(.nobodyThere))))
    if !spoke { #expect(shop.pipeline.router.case(call.case)?.age == began) }
  }

  @Test func `a call that no queue takes leaves no line open, and may come again`() throws {
    var shop = Workshop()
    shop.configure(2, queue: "support", isServed: false)
    for ticket in 1...2 as ClosedRange<UInt64> {
      guard case .call(var call) = Workshop.call(1) else { throw Workshop.Missing() }
      (call.conversation, call.session) = (Workshop.conversation(ticket), Workshop.session(ticket))
      call.case = CaseID(high: 3, low: ticket)
      shop.submit(.call(call), ticket)
      guard case .rejected(.queueUnserved, _, _)? = shop.commit().answer(ticket) else {
        throw Workshop.Missing()
      }
      #expect(shop.pipeline.router.session(Workshop.session(ticket)) == nil)
      let owner = shop.pipeline.router.conversation(Workshop.conversation(ticket))?.owner
      #expect(owner == nil || owner == .closed)
    }
  }

  @Test func `a look-up that fails before anything was decided costs its request and nothing else`()
    throws
  {
    var shop = Workshop()
    shop.submit(Workshop.open(1))
    shop.commit()
    try shop.rebuild()  // so that nothing is at hand
    let (state, head) = (shop.pipeline.router.stateHash, shop.pipeline.head)
    shop.store.lookUpsLeft = 0
    #expect(throws: MemoryStore.fault) {
      try shop.pipeline.submit(
        Request(Workshop.say(1), ticket: Workshop.ticket(1)), at: shop.now, reads: shop.store)
    }
    #expect(!shop.pipeline.isTorn)
    #expect(shop.pipeline.router.stateHash == state && shop.pipeline.head == head)
    shop.store.lookUpsLeft = nil
    shop.submit(Workshop.say(1), 1)
    guard case .recorded = shop.commit().answer(1) else { throw Workshop.Missing() }
  }

  /// A caller who hangs up is looked up more than once after it has begun to write; wherever it is
  /// cut, it is whole, refused, or torn.
  @Test func `a look-up that fails in the middle leaves a machine that says so itself`() throws {
    var tornOnce = false
    for left in 0..<12 {
      var shop = Workshop()
      shop.submit(Workshop.call(1))
      shop.commit()
      try shop.rebuild()
      let state = shop.pipeline.router.stateHash
      shop.store.lookUpsLeft = left
      let request = Request(
        .endSession(Workshop.session(1), .hungUp, by: nil), ticket: Workshop.ticket(1))
      do {
        try shop.pipeline.submit(request, at: shop.now, reads: shop.store)
        #expect(!shop.pipeline.isTorn)
      } catch {
        if shop.pipeline.isTorn {
          tornOnce = true
        } else {
          #expect(shop.pipeline.router.stateHash == state)
        }
      }
    }
    #expect(tornOnce, "no look-up failed in the middle: this test no longer shows anything")
  }
}
