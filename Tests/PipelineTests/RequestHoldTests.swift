import Model
import Records
import Testing

@testable import Pipeline

/// What a request must keep alive until what it decides is durable.
struct RequestHoldTests {
  private final class Held: Sendable {}

  @Test("what a request holds is let go once what it decided is durable, and not before")
  func untilDurable() throws {
    var shop = Workshop()
    weak var held: Held?
    do {
      let made = Held()
      held = made
      let row = BlobRow(
        id: BlobID(high: 1, low: 1), hash: .zero, size: 1, mediaType: "a/b", fileName: nil,
        conversation: nil,
        uploader: "bot:robin", at: shop.now)
      try shop.pipeline.submit(Request(.blob(row), holds: [made]), at: shop.now, reads: shop.store)
    }
    let commit = try shop.gather()
    #expect(held != nil)
    shop.commit(commit)
    #expect(held == nil)
  }

  @Test("when the store fails, what it held is let go, and the request is not decided again")
  func abandoned() throws {
    var shop = Workshop()
    weak var held: Held?
    do {
      let made = Held()
      held = made
      try shop.pipeline.submit(
        Request(Workshop.open(1), ticket: Workshop.ticket(1), holds: [made]), at: shop.now,
        reads: shop.store)
    }
    _ = try shop.gather()
    let left = shop.pipeline.abandon()
    #expect(left.kept.isEmpty && left.refused == [Workshop.ticket(1)])
    #expect(held == nil)
  }
}
