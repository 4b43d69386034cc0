import Continuity
import Model
import Records
import Routing
import Testing

@testable import Pipeline

/// Words that are taken out of an entry before a commit has come round to it.
struct RedactTests {
  private func redact(_ entry: Int64, _ words: String) throws -> Intake {
    .redact(
      RedactEntry(
        EntryID(entry), words: try #require(Redaction(words)), author: .system,
        by: "supervisor:boss", reason: ""))
  }

  @Test(
    "what is said and taken out before one commit is durable without it; taken out while on its way, soon after"
  )
  func undurable() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1))
    shop.submit(Workshop.say(1, "a secret and a pin"))
    shop.submit(try redact(2, "secret"), 1)
    let first = try shop.gather()
    #expect(first.rewritten.map(\.id) == [EntryID(2)])
    // The first commit is on its way: what it holds of the entry is what the next one begins with.
    shop.submit(try redact(2, "pin"), 2)
    shop.submit(try redact(2, "secret"), 3)
    let second = try shop.gather()
    #expect(shop.commit(first).answer(1) == .redacted(EntryID(2), by: EntryID(3)))
    let released = shop.commit(second)
    #expect(released.answer(2) == .redacted(EntryID(2), by: EntryID(4)))
    #expect(released.answer(3) == .refused(.wordsNotThere))
    let entry = try #require(shop.store.entries(WorkspaceID(1))[EntryID(2)])
    let body = String(decoding: entry.body ?? [], as: UTF8.self)
    #expect(body.contains(#""text":"a [removed] and a [removed]","redacted":4,"#))
    // The sum is that of what is there.
    var sum = TimelineDigest()
    for number in 1...4 {
      sum.add(try #require(shop.store.entries(WorkspaceID(1))[EntryID(Int64(number))]).hash)
    }
    #expect(try shop.store.customer(WorkspaceID(1), CustomerID(high: 5, low: 1))?.timeline == sum)
  }
}
