import Channels
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
    // A transcript that was made meanwhile is no other message; another recording is.
    try tell(shop, event.merging(["text": "call me, please"]) { $1 })
    #expect(try cases(shop).isEmpty)
    try tell(shop, event.merging(["blob": try recording(shop, 3)]) { $1 })
    #expect(try cases(shop).count == 1)
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("a recording that is told before its caller hangs up is a case, once, and replays")
  func recordingsOfCallsThatWait() throws {
    let shop = try Shop()
    try shop.call("POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: shop.pbx)
    let event = ["event": "voicemail", "blob": try recording(shop)]
    try tell(shop, event)
    try tell(shop, ["event": "hung_up"])
    #expect(try shop.rows() == shop.replayed())
    try shop.restart()
    try tell(shop, event)
    let found = try cases(shop)
    #expect(found.count == 1 && found.first?.string("handoff", "cause") == "message")
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

  @Test("a recording of a call that is one matter with another goes to whoever has that one")
  func joinedMatter() throws {
    let shop = try Shop()
    let chat = try shop.open([("phone", "+12025550143")])
    try shop.handsOver(chat)
    _ = try shop.takes(shop.ann)
    try calledInVain(shop)
    let entries = try shop.timeline(chat.customer).entries("entries")
    let call = try #require(
      entries.last { $0["kind"] as? String == "call" }?["conversation"] as? String)
    #expect(call != chat.conversation)
    let join = "/v1/conversations/\(chat.conversation)/join"
    #expect(try shop.call("POST", join, ["with": call], by: shop.ann).status == 201)
    shop.heard.removeAll()
    try tell(shop, ["event": "voicemail", "blob": try recording(shop)])
    #expect(shop.heard.contains { if case .tellAgent = $0 { true } else { false } })
    let left = try #require(try shop.timeline(chat.customer).entries("entries").last)
    #expect(left["kind"] as? String == "voicemail")
    #expect(left["conversation"] as? String == chat.conversation)
    #expect(try shop.takes(shop.bob).status == 204)
  }

  // MARK: - Answers that did not arrive

  /// An answer by mail to Jo that has left, and its case, which Ann has.
  private func answered(_ shop: Shop, _ words: String = "It is on its way.") throws -> (
    case: String, sent: Shop.Sent
  ) {
    try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "Where is it?",
      isProven: false)
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": words], by: shop.ann)
    return (id, try #require(try shop.outgoing()))
  }

  @Test("a bounce of an answer is told to the agent who has the case, and is nobody else's")
  func bounceOfAnOpenCase() throws {
    let shop = try Shop()
    let (id, sent) = try answered(shop)
    shop.heard.removeAll()
    let told = try shop.bounce(sent)
    #expect(shop.heard.contains { if case .tellAgent = $0 { true } else { false } })
    let page = try shop.call("GET", "/v1/cases/\(id)", by: shop.ann)
    let entry = try #require(page.entries("timeline", "entries").last)
    #expect(
      entry["kind"] as? String == "undelivered" && entry["entry"] as? Int == Int(told.entry.raw))
    #expect(entry["visibility"] as? String == "business")
    #expect(entry["to"] as? String == "jo@home.example" && entry["status"] as? String == "5.1.1")
    #expect(entry["reason"] as? String == "550 5.1.1 nobody here")
    #expect(page.string("conversation") == told.conversation.description)
    #expect(try shop.takes(shop.bob).status == 204)
    #expect(
      try shop.call(
        "GET", "/v1/customers?kind=email&value=MAILER-DAEMON@mx.home.example", by: shop.ann
      )
      .status == 404, "nobody was met")
    let text = try shop.call(
      "GET", "/v1/customers/\(page.string("customer", "id") ?? "")/timeline?format=text",
      by: shop.ann
    ).text
    #expect(
      text.contains("mail to jo@home.example was not delivered, because 550 5.1.1 nobody here"))
  }

  @Test("a bounce that comes when the case is closed makes one again, once, and is never answered")
  func bounceOfAClosedCase() throws {
    let shop = try Shop()
    let (id, sent) = try answered(shop)
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    try shop.bounce(sent, "Action: delayed", id: "delay@mx.home.example")
    #expect(try cases(shop).isEmpty, "it may still arrive")
    try shop.bounce(sent)
    #expect(try shop.bounce(sent, id: "again@mx.home.example").isDuplicate)
    let found = try cases(shop)
    #expect(found.count == 1)
    #expect(found.first?.string("queue") == "support" && found.first?.string("channel") == "email")
    #expect(found.first?.string("handoff", "cause") == "undelivered")
    #expect(
      found.first?.entries("timeline", "entries").kinds.suffix(4) == [
        "undelivered", "undelivered", "reopened", "routed",
      ])
    try shop.bounce(sent, id: "later@mx.home.example")
    #expect(try cases(shop).isEmpty)
    #expect(try shop.outgoing() == nil)
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("where rules would answer who comes, the answer that failed goes to the queue it came from")
  func bounceAndRulesThatAnswer() throws {
    let shop = try Shop()
    let (id, sent) = try answered(shop)
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    shop.answersOnly()
    try shop.bounce(sent)
    #expect(try cases(shop).map { $0.string("queue") } == ["support"])
  }

  @Test("a bounce of a mail that is none of ours is a mail that a machine wrote: it wakes nobody")
  func bounceOfAnotherMail() throws {
    let shop = try Shop()
    let (id, _) = try answered(shop)
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    for message in ["<1@home.example>", "<mail_00000000000000000000000001@shop.example>", ""] {
      let told = try shop.bounce(
        Shop.Sent(bytes: Array("Message-ID: \(message)\r\n\r\n".utf8)), id: "b\(message.count)@mx")
      let page = try shop.call("GET", "/v1/conversations/\(told.conversation)", by: shop.ann)
      #expect(page.status == 200 && !told.isDuplicate)
    }
    #expect(try cases(shop).isEmpty)
  }

  @Test("what the smarthost refuses for good when the case is closed makes one again")
  func refused() throws {
    let shop = try Shop()
    try shop.mail(from: "jo@home.example", subject: "Lamp", id: "1@home.example", "Where is it?")
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "Here."], by: shop.ann)
    let row = try #require(try shop.reader.outbox(shop.workspace, limit: 1).first)
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    try shop.submit(.outboxFailed(row, "550 nobody here", .new()))
    let found = try cases(shop)
    #expect(found.map { $0.string("queue") } == ["support"])
    #expect(
      found.first?.entries("timeline", "entries").kinds.suffix(3) == [
        "undelivered", "reopened", "routed",
      ])
    #expect(try shop.reader.outbox(shop.workspace, limit: 1).isEmpty)
  }
}
