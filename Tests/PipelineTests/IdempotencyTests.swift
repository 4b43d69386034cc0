import Model
import Records
import Routing
import Testing

@testable import Pipeline

struct IdempotencyTests {
  private func key(_ body: UInt64) -> Idempotency {
    Idempotency(key: Array(repeating: 3, count: 16), bodyHash: Digest(0, 0, 0, body))
  }

  @Test func `a repeat gets the first outcome, held like it, and records nothing`() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1))
    shop.commit()
    shop.submit(Workshop.say(1), 1, key: key(1))
    let first = try shop.gather()
    shop.submit(Workshop.say(1), 2, key: key(1))
    #expect(shop.pipeline.gather() == nil)
    #expect(shop.pipeline.release().isEmpty, "the first outcome is not on disk")
    let left = shop.commit(first)
    #expect(left.answer(1) == left.answer(2) && left.answer(1) != nil)
    shop.submit(Workshop.say(1), 3, key: key(1))
    #expect(shop.pipeline.release().answer(3) == left.answer(1), "from the store, too")
  }

  @Test func `another body under the same key is refused, before the commit and after`() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1), key: key(1))
    shop.submit(Workshop.open(2), 1, key: key(2))
    #expect(shop.commit().answer(1) == .keyReused)
    shop.submit(Workshop.open(2), 2, key: key(2))
    #expect(shop.pipeline.release().answer(2) == .keyReused)
    #expect(shop.pipeline.gather() == nil)
  }

  @Test func `a key whose commit failed is free again`() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1), 1, key: key(1))
    #expect(shop.pipeline.abandon().refused == [Workshop.ticket(1)])
    try shop.rebuild()
    shop.submit(Workshop.open(2), 2, key: key(2))
    guard case .sessionOpened = shop.commit().answer(2) else { throw Workshop.Missing() }
  }

  @Test func `a handoff's outcome keeps the wait that was told, and an older program's has none`()
    throws
  {
    func answer(_ wait: WaitEstimate?) -> Answer {
      .handedOff(
        CaseID(high: 1, low: 2), ConversationID(high: 3, low: 4),
        OwnerView(kind: .queue, name: "support"), epoch: 5, entry: EntryID(6), wait: wait)
    }
    let waits =
      [.about(.seconds(220), from: .milliseconds(87_931), to: .seconds(494)), .atOnce, nil]
      + WaitUnknown.allCases.map { WaitEstimate.unknown($0) }
    for wait in waits { #expect(try Answer(decoding: answer(wait).encode()) == answer(wait)) }
    var old = answer(nil).encode()
    old[0] = 4
    old.removeLast()
    #expect(try Answer(decoding: old) == answer(nil))
  }
}
