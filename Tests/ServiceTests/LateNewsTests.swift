import Foundation
import Model
import Records
import Service
import Testing

/// News that come when nobody has their matter any more.
struct LateNewsTests {
  /// A call whose caller has gone, and which nobody has.
  private func calledInVain(_ shop: Shop) throws {
    try shop.call("POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: shop.pbx)
    try tell(shop, ["event": "hung_up"])
  }

  @discardableResult
  private func tell(_ shop: Shop, _ event: [String: Any]) throws -> Reply {
    try shop.call("POST", "/v1/calls/c1/events", event, by: shop.pbx)
  }

  private func recording(_ shop: Shop, _ number: UInt64 = 2) throws -> String {
    let blob = BlobID(high: 1, low: number)
    try shop.submit(
      .blob(
        BlobRow(
          id: blob, hash: .zero, size: 3, mediaType: "audio/wav", fileName: nil, conversation: nil,
          uploader: "telephony:pbx", at: shop.now)))
    return blob.description
  }

  /// What an agent gets who takes all there is and closes it.
  private func cases(_ shop: Shop) throws -> [Reply] {
    var cases: [Reply] = []
    while case let offer = try shop.takes(shop.ann), let id = offer.string("case") {
      cases.append(offer)
      try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    }
    return cases
  }

  @Test("a recording of a call that nobody has becomes a case, once, however it is told again")
  func recordings() throws {
    let shop = try Shop()
    try calledInVain(shop)
    #expect(try cases(shop).isEmpty)
    let event = ["event": "voicemail", "blob": try recording(shop), "text": "call me"]
    for isRestarted in [false, true, false] {
      #expect(try tell(shop, event).string("do") == "hang_up")
      if isRestarted { try shop.restart() }
    }
    let found = try cases(shop)
    #expect(found.count == 1)
    #expect(found.first?.string("queue") == "calls" && found.first?.string("channel") == "phone")
    #expect(found.first?.string("handoff", "cause") == "message")
    #expect(
      found.first?.entries("timeline", "entries").kinds == [
        "call", "routed", "session_ended", "abandoned", "voicemail", "reopened", "routed",
        "session_ended",
      ])
    #expect(try tell(shop, event).status == 200)
    #expect(try cases(shop).isEmpty, "told again it is the same message")
    // Other words, such as a transcript that was made meanwhile, and another recording, are news.
    for news in [
      event.merging(["text": "call me, please"]) { $1 },
      event.merging(["blob": try recording(shop, 3)]) { $1 },
    ] {
      try tell(shop, news)
      #expect(try cases(shop).count == 1, "\(news)")
    }
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("what was said when the call was over is recorded, and opens nothing")
  func words() throws {
    let shop = try Shop()
    try calledInVain(shop)
    #expect(try tell(shop, ["event": "speech", "text": "hello?"]).status == 200)
    #expect(try cases(shop).isEmpty)
  }

  @Test("where rules would answer who comes, a recording goes to the queue that the call was in")
  func rulesThatAnswer() throws {
    let shop = try Shop()
    try calledInVain(shop)
    shop.answersOnly()
    try tell(shop, ["event": "voicemail", "blob": try recording(shop)])
    let found = try cases(shop)
    #expect(found.count == 1 && found.first?.string("queue") == "calls")
  }

  @Test("a recording of a call whose matter somebody has is theirs to hear, and no other case")
  func somebodyHasIt() throws {
    let shop = try Shop()
    try calledInVain(shop)
    try tell(shop, ["event": "voicemail", "blob": try recording(shop)])
    let id = try #require(try shop.takes(shop.ann).string("case"))
    shop.heard.removeAll()
    try tell(shop, ["event": "voicemail", "blob": try recording(shop, 3)])
    #expect(shop.heard.contains { if case .tellAgent = $0 { true } else { false } })
    #expect(try shop.takes(shop.bob).status == 204)
    let page = try shop.call("GET", "/v1/cases/\(id)", by: shop.ann)
    #expect(page.entries("timeline", "entries").kinds.filter { $0 == "voicemail" }.count == 2)
  }
}
