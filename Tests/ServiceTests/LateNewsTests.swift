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

  /// Whoever passes our answer on knows its Message-ID, and whoever has that may write a report.
  @Test("a report counts for whom the answer was written to, and is a machine's mail for others")
  func bounceOfAnotherRecipient() throws {
    let shop = try Shop()
    let (id, sent) = try answered(shop)
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    try shop.restart()
    let evil = try shop.bounce(sent, id: "evil@mx", of: ["nobody@evil.example"])
    #expect(try cases(shop).isEmpty)
    let told = try shop.bounce(sent, id: "both@mx", of: ["nobody@evil.example", "JO@Home.Example"])
    #expect(told.conversation != evil.conversation)
    let found = try cases(shop)
    #expect(found.count == 1)
    let entry = found.first?.entries("timeline", "entries").last {
      $0["kind"] as? String == "undelivered"
    }
    #expect(entry?["to"] as? String == "JO@home.example")
  }

  @Test("of an answer whose recipient was not kept, a report counts for whom the thread is with")
  func bounceOfAnOldAnswer() throws {
    let shop = try Shop()
    let id = "mail_00000000000000000000000001@shop.example"
    let place = try shop.mail(from: "jo@home.example", subject: "Lamp", id: id, "Where is it?")
    let old = Shop.Sent(bytes: Array("Message-ID: <\(id)>\r\n\r\n".utf8))
    let evil = try shop.bounce(old, id: "evil@mx", of: ["nobody@evil.example"])
    #expect(evil.conversation != place.conversation)
    #expect(try shop.bounce(old).conversation == place.conversation)
  }

  @Test("a signed reply address decides whose answer it was, whatever Message-ID stands there")
  func bounceToASignedAddress() throws {
    let shop = try Shop()
    let (_, jo) = try answered(shop)
    try shop.mail(from: "mia@home.example", subject: "Sofa", id: "2@home.example", "And mine?")
    let case2 = try #require(try shop.takes(shop.bob).string("case"))
    try shop.call("POST", "/v1/cases/\(case2)/reply", ["text": "Here."], by: shop.bob)
    let mia = try #require(try shop.outgoing())
    let told = try shop.bounce(
      mia, of: ["mia@home.example", "jo@home.example"], to: try shop.replyAddress(jo))
    let page = try shop.call("GET", "/v1/conversations/\(told.conversation)", by: shop.ann)
    let entry = try #require(
      try shop.timeline(page.string("customer") ?? "").entries("entries").last)
    #expect(
      entry["kind"] as? String == "undelivered" && entry["to"] as? String == "jo@home.example")
    #expect(entry["message_id"] == nil, "the one that it names is of another matter")
  }

  @Test("a report that a signed address alone tells of is told once for each answer, too")
  func bounceKnownByItsAddress() throws {
    let shop = try Shop()
    var (id, sent) = try answered(shop)
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    let address = try shop.replyAddress(sent)
    func bounces(_ name: String, _ fate: String = "Action: failed") throws -> Bool {
      let nameless = Shop.Sent(bytes: [])
      return try shop.bounce(nameless, fate, id: "\(name)@mx", to: address).isDuplicate
    }
    #expect(
      try [bounces("1", "Action: delayed"), bounces("2", "Action: delayed")] == [false, true])
    #expect(try bounces("3") == false && bounces("4"))
    id = try #require(try shop.takes(shop.ann).string("case"))
    #expect(try bounces("5"))
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "Once more."], by: shop.ann)
    sent = try #require(try shop.outgoing())
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    #expect(try bounces("6") == false, "another answer has failed")
    #expect(try cases(shop).count == 1)
    #expect(try bounces("7"))
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

  @Test(
    "an answer whose person was erased while it was tried is nothing any more, whatever became of it"
  )
  func erasedMeanwhile() throws {
    let shop = try Shop()
    let place = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "Where is it?")
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "Here."], by: shop.ann)
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    let row = try #require(try shop.reader.outbox(shop.workspace, limit: 1).first)
    let page = try shop.call("GET", "/v1/conversations/\(place.conversation)", by: shop.ann)
    try shop.erase(try #require(page.string("customer")))
    let head = try shop.reader.head(shop.workspace)
    try shop.submit(.outboxDelayed(row, nil))
    try shop.submit(.outboxDelayed(row, "451 later"))
    try shop.submit(.outboxFailed(row, "550 nobody here", .new()))
    #expect(try shop.reader.outbox(shop.workspace, limit: 1).isEmpty)
    #expect(try shop.reader.head(shop.workspace) == head)
  }

  @Test("what the smarthost puts off for long is told once, opens nothing, and goes on waiting")
  func putOff() throws {
    let shop = try Shop()
    let place = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "Where is it?")
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "Here."], by: shop.ann)
    var row = try #require(try shop.reader.outbox(shop.workspace, limit: 1).first)
    func told() throws -> [[String: Any]] {
      let page = try shop.call("GET", "/v1/conversations/\(place.conversation)", by: shop.ann)
      return try shop.timeline(page.string("customer") ?? "").entries("entries").filter {
        $0["kind"] as? String == "undelivered"
      }
    }
    row.tries = 1
    try shop.submit(.outboxDelayed(row, nil))
    #expect(try told().isEmpty)
    shop.heard.removeAll()
    try shop.submit(.outboxDelayed(row, "451 later"))
    #expect(shop.heard.contains { if case .tellAgent = $0 { true } else { false } })
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    row.tries = 3
    try shop.submit(.outboxDelayed(row, "451 later still"))
    let entry = try #require(try told().first)
    #expect(try told().count == 1 && entry["reason"] as? String == "451 later")
    #expect(entry["action"] as? String == "delayed" && entry["to"] as? String == "jo@home.example")
    #expect(try cases(shop).isEmpty)
    #expect(try shop.reader.outbox(shop.workspace, limit: 1).map(\.tries) == [3])
    try shop.submit(.outboxFailed(row, "550 nobody here", .new()))
    #expect(try told().count == 2 && cases(shop).count == 1)
  }
}
