import Continuity
import Foundation
import Model
import Pipeline
import Testing

/// One matter goes on over sessions and channels, for those who have proven who they are.
struct WhichConversationTests {
  let jo = ("email", "jo@home.example")

  @Test("a second session into a conversation that a human owns goes to that human")
  func toTheHuman() throws {
    let shop = try Shop()
    let first = try shop.open([jo])
    try shop.handsOver(first)
    _ = try shop.takes(shop.ann)
    try shop.leaves(first)
    shop.heard = []
    let second = try shop.open([jo])
    #expect(second.conversation == first.conversation)
    #expect(second.opened.flag("continued") == true)
    #expect(second.opened.string("owner", "name") == "ann")
    let epoch = try #require(second.opened.number("epoch"))
    #expect(epoch == 3)  // the bot, the queue, ann: joining changed nothing
    try shop.says("and another thing", second)
    #expect(
      shop.heard.contains {
        if case .tellAgent(_, let conversation, _) = $0 {
          "\(conversation)" == first.conversation
        } else {
          false
        }
      })
    // The bot of the second session is no owner either.
    #expect(try shop.says("hi", second, as: "bot").string("type")?.hasSuffix("not-owner") == true)
    // What ann answers is heard in the new session.
    let cases = try shop.timeline(first.customer).entries("entries")
    let id = try #require(cases.last { $0["kind"] as? String == "accepted" }?["case"] as? String)
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "I am here"], by: shop.ann)
    let after = try #require(second.opened.number("after"))
    let events = try shop.call(
      "GET", "/v1/sessions/\(second.session)/events?after=\(after)", by: shop.webshop)
    #expect(events.entries("events").texts == ["I am here"])
  }

  @Test(
    "who had merely gone and returns in time goes on; whose matter was settled begins anew, linked to the earlier"
  )
  func returns() throws {
    let shop = try Shop()
    let first = try shop.open([jo])
    try shop.leaves(first)
    let second = try shop.open([jo])
    #expect(second.conversation == first.conversation)
    #expect(second.opened.number("epoch") == 2)
    try shop.leaves(second, "bot_ended")
    let third = try shop.open([jo])
    #expect(third.conversation != first.conversation)
    let opened = try shop.timeline(third.customer).entries("entries").last
    #expect(opened?["earlier"] as? String == first.conversation)
    try shop.leaves(third)
    try shop.pass(.seconds(72 * 3_600 + 1))
    #expect(try shop.open([jo]).conversation != third.conversation)
  }

  @Test("who only claims to be somebody, and who is somebody else, goes on nowhere")
  func strangers() throws {
    let shop = try Shop()
    let first = try shop.open([jo])
    #expect(try shop.open(claimed: [jo]).conversation != first.conversation)
    #expect(try shop.open([("email", "other@home.example")]).conversation != first.conversation)
    #expect(try shop.open().conversation != first.conversation)
    let mail = try shop.mail(
      from: "jo@home.example", subject: "lamp", id: "1@home.example", "?", isProven: false)
    #expect("\(mail.conversation)" != first.conversation)
  }

  @Test(
    "the bot that the customer now speaks with takes over from the other one, and gives back when it goes"
  )
  func otherBot() throws {
    let shop = try Shop()
    let web = try shop.open([jo, ("phone", "+15551234567")])
    let app = try shop.open([("phone", "+15551234567")], by: shop.whatsapp)
    #expect(app.conversation == web.conversation)
    #expect(app.opened.string("owner", "name") == "whatsapp")
    #expect(app.opened.number("epoch") == 2)
    #expect(try shop.says("hello", app, as: "bot", by: shop.whatsapp).status == 201)
    #expect(try shop.says("hello", web, as: "bot").status == 409)
    try shop.leaves(app, by: shop.whatsapp)
    let reply = try shop.says("back here", web, as: "bot")
    #expect(reply.status == 201)
    #expect(reply.number("epoch") == 3)
    // Whoever reads the story learns of both changes.
    let owners = try shop.timeline(web.customer).entries("entries").compactMap {
      $0["owner"] as? [String: Any]
    }
    #expect(owners.map { $0["name"] as? String } == ["whatsapp", "webshop"])
    #expect(owners.map { $0["epoch"] as? Int } == [2, 3])
  }

  @Test("a case that a supervisor puts back into its queue tells so, and whose the word is")
  func putBack() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    try shop.handsOver(chat)
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/requeue", [:], by: shop.caller(.supervisor, "sue"))
    let told = try #require(try shop.timeline(chat.customer).entries("entries").last)
    #expect(told["kind"] as? String == "routed" && told["reason"] as? String == "by_supervisor")
    #expect((told["owner"] as? [String: Any])?["kind"] as? String == "queue")
    #expect((told["owner"] as? [String: Any])?["epoch"] as? Int == 4)
  }

  @Test(
    "mail that its headers put nowhere goes on where the subject fits; the agent answers it by mail"
  )
  func mail() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    try shop.handsOver(chat)
    let offer = try shop.takes(shop.ann)
    try shop.leaves(chat)
    let photo = try shop.mail(
      from: "jo@home.example", subject: "The photo", id: "p@home.example", "attached")
    #expect("\(photo.conversation)" == chat.conversation)
    let other = try shop.mail(
      from: "jo@home.example", subject: "An invoice", id: "i@home.example", "where is it")
    #expect("\(other.conversation)" != chat.conversation)
    let again = try shop.mail(
      from: "jo@home.example", subject: "RE: the photo", id: "q@home.example", "did you see it")
    #expect(again.conversation == photo.conversation)
    let id = try #require(offer.string("case"))
    let reply = try shop.call(
      "POST", "/v1/cases/\(id)/reply", ["text": "a fine lamp"], by: shop.ann)
    #expect(reply.status == 201)
    let last = try shop.timeline(chat.customer).entries("entries").last
    #expect(last?["message_id"] != nil)
  }

  @Test("while a chat is open the agent's words go there, not by mail")
  func chatFirst() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    try shop.handsOver(chat)
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.mail(from: "jo@home.example", subject: "The photo", id: "p@home.example", "attached")
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "thank you"], by: shop.ann)
    #expect(try shop.timeline(chat.customer).entries("entries").last?["message_id"] == nil)
  }

  @Test("mail that waits keeps nobody from a bot, and a call takes its place to the phone")
  func waitingMail() throws {
    let shop = try Shop()
    let mail = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "it is broken")
    let age = shop.now
    try shop.pass(.seconds(600))
    let chat = try shop.open([jo, ("phone", "+15551234567")])
    #expect(chat.conversation != "\(mail.conversation)")
    #expect(chat.opened.string("owner", "kind") == "bot")
    try shop.leaves(chat, "bot_ended")
    _ = try shop.call(
      "POST", "/v1/calls", ["call": "c1", "from": "+15551234567", "to": "+18005551212"],
      by: shop.pbx)
    let state = try #require(shop.pipeline.router.conversation(mail.conversation))
    let open = try #require(state.openCase.flatMap { shop.pipeline.router.case($0) })
    #expect(open.channel == .phone)
    #expect(open.age == age)
    #expect(state.sessions.map(\.channel) == [.email, .phone])
  }

  @Test(
    "a call of somebody whom an agent serves is a new conversation that rings at that agent first")
  func callToTheAgent() throws {
    let shop = try Shop()
    let chat = try shop.open([jo, ("phone", "+15551234567")])
    try shop.handsOver(chat)
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.bob)
    _ = try shop.takes(shop.ann)
    _ = try shop.call(
      "POST", "/v1/calls", ["call": "c1", "from": "+15551234567", "to": "+18005551212"],
      by: shop.pbx)
    let calls = try shop.timeline(chat.customer).entries("entries").filter {
      $0["kind"] as? String == "call"
    }
    #expect(calls.first?["earlier"] as? String == chat.conversation)
    let id = try #require((calls.first?["conversation"] as? String).flatMap { ConversationID($0) })
    let need = try #require(
      shop.pipeline.router.conversation(id)?.openCase.flatMap {
        shop.pipeline.router.case($0)?.need
      })
    #expect(need.preferred?.agent == shop.api.directory.agents["ann"])
  }

  @Test("two callers of one number have a line each")
  func twoCalls() throws {
    let shop = try Shop()
    for call in ["c1", "c2"] {
      let told = try shop.call(
        "POST", "/v1/calls", ["call": call, "from": "+15551234567", "to": "+18005551212"],
        by: shop.pbx)
      #expect(told.string("do") == "wait")
    }
    #expect(shop.pipeline.router.caseIDs.count == 2)
  }
}

/// The same browser comes back, with a name or without.
struct ResumeTests {
  @Test("a resume token leads back to its conversation and shows that conversation alone")
  func resumes() throws {
    let shop = try Shop()
    let first = try shop.open()
    try shop.says("my lamp is broken", first)
    let token = try #require(first.opened.string("resume"))
    try shop.leaves(first)
    let second = try shop.open(resume: token)
    #expect(second.conversation == first.conversation)
    #expect(second.opened.entries("known", "entries").texts == ["my lamp is broken"])
    #expect(try shop.open().opened.json["known"] is NSNull)
  }

  @Test("a token that was changed, is another workspace's or is over begins anew")
  func refused() throws {
    let shop = try Shop()
    let first = try shop.open()
    let token = try #require(first.opened.string("resume"))
    for position in [0, 40, 79] {
      var digits = Array(token)
      digits[position] = digits[position] == "0" ? "1" : "0"
      #expect(try shop.open(resume: String(digits)).conversation != first.conversation)
    }
    #expect(try shop.open(resume: "no token").conversation != first.conversation)
    let other = try Shop()
    #expect(try other.open(resume: token).conversation != first.conversation)
    var short = ContinuityRules()
    short.window = .zero
    let over = try Shop(rules: short)
    let gone = try over.open()
    #expect(try over.open(resume: gone.opened.string("resume")).conversation != gone.conversation)
  }

  @Test(
    "who was here without a name and signs in keeps what was said; somebody else at the same browser does not get it"
  )
  func signsIn() throws {
    let shop = try Shop()
    let nameless = try shop.open()
    try shop.says("my lamp is broken", nameless)
    let token = try #require(nameless.opened.string("resume"))
    let named = try shop.open([("email", "jo@home.example")], resume: token)
    #expect(named.conversation == nameless.conversation)
    #expect(named.opened.entries("known", "entries").texts == ["my lamp is broken"])
    #expect(try shop.open([("email", "jo@home.example")]).customer == named.customer)
    for other in ["sister@home.example", "known@home.example"] {
      if other.hasPrefix("known") { _ = try shop.open([("email", other)]) }
      let sister = try shop.open([("email", other)], resume: token)
      #expect(sister.conversation != nameless.conversation)
      #expect(sister.opened.entries("known", "entries").texts == [])
    }
  }
}

/// Thread headers are followed only for those who take part.
struct ThreadTests {
  @Test("an address that was only typed into a chat does not open a mail thread to its owner")
  func typed() throws {
    let shop = try Shop()
    let jo = ("email", "jo@home.example")
    _ = try shop.open([jo], claimed: [("email", "eve@else.example")])
    let mail = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "broken")
    let eve = try shop.mail(
      from: "eve@else.example", subject: "Re: Lamp", id: "2@else.example",
      inReplyTo: "1@home.example", "tell me more")
    #expect(eve.conversation != mail.conversation)
    let claimed = try shop.mail(
      from: "kim@home.example", subject: "Bulb", id: "3@home.example", "?", isProven: false)
    let again = try shop.mail(
      from: "kim@home.example", subject: "Re: Bulb", id: "4@home.example",
      inReplyTo: "3@home.example", "!", isProven: false)
    #expect(again.conversation == claimed.conversation)
  }
}
