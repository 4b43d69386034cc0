import Testing

/// A bot's session, from its opening to the customer who comes back, over the real HTTP port.
@Suite(.inTurn) struct ChatTests {
  @Test func `opening a session says who owns the conversation, and its epoch`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "ann@home.example")
      #expect(chat.session.hasPrefix("sess_"))
      #expect(chat.opened["owner"].description == #"{"kind":"bot","name":"webshop"}"#)
      #expect(chat.epoch == 1)
    }
  }

  @Test func `a bot that asserts who somebody is sees their timeline over all channels`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let first = try await server.open(bot, email: "Ann@Home.example")
      #expect(first.opened["known"]["entries"].elements.isEmpty)
      try await first.customer("where is my lamp?")
      try await server.call(
        "POST", "/v1/journey",
        [
          "event": "item_returned",
          "identities": [["kind": "email", "value": "ann@home.example", "assurance": "asserted"]],
        ], by: try await server.token("integration", "shop"))
      let again = try await server.open(bot, email: "ann@home.example")
      #expect(again.customer == first.customer)
      #expect(again.opened["known"].kinds == ["session_opened", "message", "journey"])
      #expect(again.opened["known"].texts == ["where is my lamp?"])
    }
  }

  @Test func `an identity that nobody has proven reveals nothing`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let proven = try await server.open(bot, email: "ann@home.example")
      try await proven.customer("my card number is 17")
      let stranger = try await server.open(bot, email: "ann@home.example", assurance: "claimed")
      #expect(stranger.opened["known"].isNull)
      #expect(stranger.customer != proven.customer)
      let nobody = try await server.open(bot)
      #expect(nobody.opened["known"].isNull)
    }
  }

  @Test func `a bot may not assert a kind of identity that its workspace does not let it`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let before = try await server.position()
      let reply = try await server.call(
        "POST", "/v1/sessions",
        [
          "customer": [
            "identities": [["kind": "phone", "value": "+12025550123", "assurance": "asserted"]]
          ]
        ], by: bot)
      #expect(reply.status == 403)
      #expect(reply["type"].text == "urn:throughline:problem:may-not-assert")
      #expect(try await server.position() == before)
    }
  }

  @Test
  func
    `a handoff brings the case, what the bot collected, and all that was said to an agent who waits`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot, email: "cora@home.example")
      try await chat.customer("hi, where is my parcel? \u{1F4E6} \"quoted\" \\ and\nmore")
      try await chat.bot("let me look", epoch: chat.epoch)
      async let asked = server.next(ann)
      let handed = try await chat.handoff([
        "reason": "wants a human", "summary": "parcel lost",
        "fields": ["order": "A-17", "amount": 129],
        "skills": ["english"],
        "transcript": [
          ["author": "customer", "text": "hello from elsewhere", "at": "2026-11-25T09:30:00Z"],
          ["author": "bot", "text": "welcome elsewhere"],
        ],
      ])
      #expect(handed.status == 201)
      #expect(handed["owner"]["kind"].text == "queue")
      let offer = try await asked
      #expect(offer.status == 200)
      #expect(offer["case"].text == handed["case"].text)
      #expect(offer["handoff"]["cause"].text == "handoff")
      #expect(offer["handoff"]["reason"].text == "wants a human")
      #expect(offer["handoff"]["summary"].text == "parcel lost")
      #expect(offer["handoff"]["fields"].description == #"{"order":"A-17","amount":129}"#)
      #expect(offer["customer"]["identities"][0]["value"].text == "cora@home.example")
      #expect(offer["why"]["story"].elements.map { $0["what"].text } == ["queued", "offered"])
      #expect(
        offer["timeline"].kinds == [
          "session_opened", "message", "message", "message", "message", "handoff",
        ])
      #expect(
        offer["timeline"].texts == [
          "hi, where is my parcel? \u{1F4E6} \"quoted\" \\ and\nmore", "let me look",
          "hello from elsewhere",
          "welcome elsewhere",
        ])
      #expect(offer["timeline"].said[3]["said_at"].text == "2026-11-25T09:30:00.000Z")
      expectComplete(offer["timeline"])
    }
  }

  @Test
  func
    `whoever takes over a long conversation gets the rest by page, and the pages prove the whole`()
    async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "dora@home.example")
      let lines = (1...300).map {
        Body.object([("author", "customer"), ("text", .text("line \($0)"))])
      }
      try await chat.handoff(["reason": "long", "transcript": .list(lines)])
      let offer = try await server.next(ann)
      #expect(offer["timeline"]["entries"].elements.count == 200)
      #expect(offer["timeline"]["count"].int == 302)
      var entries = offer["timeline"]["entries"].elements
      var older = offer["timeline"]["older"].int
      while let before = older {
        let page = try await server.call(
          "GET", "/v1/customers/\(chat.customer)/timeline?before=\(before)&limit=60", by: ann)
        entries = page["entries"].elements + entries
        older = page["older"].int
      }
      let joined = entries.map(\.description).joined(separator: ",")
      let (count, hash) = (offer["timeline"]["count"], offer["timeline"]["hash"])
      expectComplete(
        JSON("{\"count\":\(count),\"hash\":\(hash),\"entries\":[\(joined)],\"older\":null}"))
    }
  }

  @Test
  func
    `after the handoff the bot's own words are refused with the owner's name, the customer's never`()
    async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      let waiting = try await chat.bot("still me", epoch: chat.epoch)
      #expect(waiting.status == 409)
      #expect(waiting["owner"]["kind"].text == "queue")
      #expect(try await chat.customer("are you there?").status == 201)
      _ = try await server.take(ann)
      for stale in [
        try await chat.bot("still me", epoch: chat.epoch),
        try await chat.bot("me, without an epoch"),
      ] {
        #expect(stale.status == 409)
        #expect(stale.headers["content-type"] == "application/problem+json")
        #expect(stale["type"].text == "urn:throughline:problem:not-owner")
        #expect(stale["owner"].description == #"{"kind":"agent","name":"ann"}"#)
        #expect((stale["epoch"].int ?? 0) > chat.epoch)
      }
      #expect(try await chat.customer("hello ann").status == 201)
      let said = try await server.call("GET", "/v1/customers/\(chat.customer)/timeline", by: ann)
      #expect(said.json.texts == ["help", "are you there?", "hello ann"])
    }
  }

  @Test func `the agent's reply comes back to a bot that waits, and a note never does`()
    async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      let taken = try await server.take(ann)
      let before = try await chat.events(wait: 0)
      #expect(before["events"].elements.map { $0["kind"].text } == ["accepted"])
      let after = before["after"].int ?? 0
      async let waiting = chat.events(after: after)
      let noted = try await server.call(
        "POST", "/v1/cases/\(taken["case"].text)/note", ["text": "internal only"], by: ann)
      #expect(noted.status == 201)
      try await server.reply("Hello, I have it.", to: taken["case"].text, by: ann)
      let heard = try await waiting
      #expect(heard["events"].elements.map { $0["text"].text } == ["Hello, I have it."])
      #expect(heard["events"][0]["author"].description == #"{"kind":"agent","name":"ann"}"#)
      let all = try await chat.events(after: 0, wait: 0)
      #expect(!all.description.contains("internal only"))
      let known = try await server.call("GET", "/v1/customers/\(chat.customer)/timeline", by: ann)
      #expect(known.json.texts.contains("internal only"), "the agents see it")
    }
  }

  @Test func `a poll that nothing answers ends when its time is up`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      let reply = try await chat.events(wait: 1)
      #expect(reply.status == 200)
      #expect(reply["events"].elements.isEmpty)
    }
  }

  @Test func `a chat that ends while it waits is abandoned`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "eve@home.example")
      try await chat.customer("never mind")
      let handed = try await chat.handoff()
      #expect(try await chat.end().status == 200)
      let timeline = try await server.timeline("eve@home.example")
      #expect(timeline.kinds.contains("abandoned"))
      #expect(try await server.story(handed["case"].text).last == "closed")
      let ann = try await server.agent("ann")
      #expect(try await server.next(ann, wait: 1).status == 204, "nobody is offered it")
      #expect(try await chat.customer("hello?").status == 409, "the session is over")
      let queues = try await server.call("GET", "/v1/queues", by: ann)
      #expect(queues["queues"].elements.compactMap { $0["abandoned"].int }.reduce(0, +) == 1)
    }
  }

  @Test
  func
    `after the case is closed the customer's next words open the conversation again, for the bot`()
    async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      let taken = try await server.take(ann)
      #expect(try await server.close(taken["case"].text, by: ann).status == 200)
      let closed = try await chat.bot("me again")
      #expect(closed.status == 409)
      let ended = closed["epoch"].int ?? -1
      let again = try await chat.customer("one more thing")
      #expect(again.status == 201)
      #expect(again["conversation"].text == chat.conversation)
      #expect(again["owner"].description == #"{"kind":"bot","name":"webshop"}"#)
      #expect(again["epoch"].int == ended + 1)
      #expect(try await chat.bot("welcome back", epoch: ended + 1).status == 201)
      #expect(try await chat.handoff().status == 201, "and it can be handed off again")
    }
  }

  @Test func `a case goes to another queue with everything, and to another agent`() async throws {
    try await TestServer.run { server in
      let cleo = try await server.agent("cleo")
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      let taken = try await server.take(cleo)
      try await server.reply("I pass you on", to: taken["case"].text, by: cleo)
      let moved = try await server.call(
        "POST", "/v1/cases/\(taken["case"].text)/transfer",
        ["queue": "vip", "reason": "knows more"], by: cleo)
      #expect(moved.status == 201)
      #expect(moved["owner"].description == #"{"kind":"queue","name":"vip"}"#)
      let dev = try await server.agent("dev")
      let offer = try await server.next(dev)
      #expect(offer["case"].text == moved["case"].text)
      #expect(offer["timeline"].texts == ["help", "I pass you on"])
      expectComplete(offer["timeline"])
    }
  }

  @Test func `other words under an id that is taken are refused, not dropped`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      func say(_ author: String, _ text: String) async throws -> Reply {
        try await server.call(
          "POST", "/v1/sessions/\(chat.session)/messages",
          ["author": .text(author), "text": .text(text), "id": "1"], by: bot)
      }
      let first = try await say("customer", "first words")
      #expect(first.status == 201)
      #expect(try await say("customer", "first words")["entry"].int == first["entry"].int)
      try await server.restart()
      #expect(try await say("customer", "first words")["entry"].int == first["entry"].int)
      for other in [try await say("customer", "other words"), try await say("bot", "first words")] {
        #expect(other.status == 409)
        #expect(other["type"].text == "urn:throughline:problem:id-in-use")
      }
      let shop = try await server.token("integration", "shop")
      func event(_ name: String, _ address: String) async throws -> Reply {
        try await server.call(
          "POST", "/v1/journey",
          [
            "event": .text(name), "id": "X",
            "identities": [["kind": "email", "value": .text(address), "assurance": "asserted"]],
          ],
          by: shop)
      }
      let ordered = try await event("ordered", "a@home.example")
      #expect(ordered.status == 201)
      let again = try await event("ordered", "a@home.example")
      #expect(again["customer"].text == ordered["customer"].text)
      #expect(try await event("returned", "a@home.example").status == 409)
      #expect(try await event("ordered", "b@home.example").status == 409)
    }
  }
}
