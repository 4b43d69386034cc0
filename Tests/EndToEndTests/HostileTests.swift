import Testing

/// What an independent reviewer broke once, kept so that it stays mended.
@Suite(.inTurn) struct HostileTests {
  @Test func `a next that does not wait answers at once: a case, or none`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      #expect(try await server.call("POST", "/v1/agents/me/next", by: ann).status == 204)
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      #expect(try await server.call("POST", "/v1/agents/me/next?wait=0", by: ann).status == 200)
    }
  }

  @Test func `a phone that rings is accepted by picking it up, and only by the call it rings for`()
    async throws
  {
    try await TestServer.run { server in
      let hook = try await server.token("telephony", "hook")
      func tell(_ call: String, _ event: Body) async throws -> Reply {
        try await server.call("POST", "/v1/calls/\(call)/events", event, by: hook)
      }
      let ann = try await server.agent("ann")
      let arrives: Body = ["call": "c1", "from": "+12025550143", "to": "+18005551212"]
      let ring = try await server.call("POST", "/v1/calls", arrives, by: hook)
      #expect(ring["do"].text == "ring", "\(ring)")
      let offer = ring["offer"].text
      let atDesk = try await server.call("POST", "/v1/offers/\(offer)/accept", by: ann)
      #expect(atDesk.status == 409, "a caller must not be left with nobody: \(atDesk)")
      let other: Body = ["call": "c2", "from": "+12025550144", "to": "+18005551212"]
      try await server.call("POST", "/v1/calls", other, by: hook)
      let wrong = try await tell("c2", ["event": "answered", "offer": .text(offer)])
      #expect(wrong.status == 403, "\(wrong)")
      #expect(
        try await tell("c1", ["event": "answered", "offer": .text(offer)])["do"].text == "talk")
    }
  }

  @Test func `a missed ring does not ring again for the same offer`() async throws {
    try await TestServer.run { server in
      let hook = try await server.token("telephony", "hook")
      _ = try await server.agent("ann")
      let arrives: Body = ["call": "c1", "from": "+12025550143", "to": "+18005551212"]
      let ring = try await server.call("POST", "/v1/calls", arrives, by: hook)
      let after = try await server.call(
        "POST", "/v1/calls/c1/events", ["event": "missed", "offer": .text(ring["offer"].text)],
        by: hook)
      #expect(ring["do"].text == "ring")
      #expect(after["do"].text == "wait", "\(after)")
    }
  }

  @Test func `two mails without an id are two mails`() async throws {
    try await TestServer.run { server in
      var letters = [Letter(), Letter()]
      letters[1].from = "Tom <tom@home.example>"
      for letter in letters {
        var bare = letter
        bare.id = ""
        #expect(try await server.deliver(bare) == 250)
      }
      let ann = try await server.token("agent", "ann")
      let queues = try await server.call("GET", "/v1/queues", by: ann)
      #expect(queues["queues"].elements.reduce(0) { $0 + ($1["waiting"].int ?? 0) } == 2)
    }
  }

  @Test func `a forged mail does not lead the answer to another address`() async throws {
    let smarthost = try FakeSmarthost()
    defer { smarthost.stop() }
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
    } _: { server in
      let letter = Letter()
      #expect(try await server.deliver(letter) == 250)
      var forged = Letter()
      forged.headers = ["In-Reply-To: \(letter.id)", "Reply-To: eve@evil.example"]
      #expect(try await server.deliver(forged) == 250)
      let ann = try await server.agent("ann")
      let taken = try await server.take(ann)
      try await server.reply("Here is all that you asked.", to: taken["case"].text, by: ann)
      try await eventually("the answer leaves") { !smarthost.mails.isEmpty }
      #expect(smarthost.mails[0].recipient == "mia@home.example")
    }
  }

  @Test func `mail that could not leave is tried again when its time has come`() async throws {
    let smarthost = try FakeSmarthost()
    defer { smarthost.stop() }
    smarthost.refuse("451 4.3.0 later")
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
      $0.outboxRetrySeconds = 1
    } _: { server in
      #expect(try await server.deliver(Letter()) == 250)
      let ann = try await server.agent("ann")
      let taken = try await server.take(ann)
      try await server.reply("Soon.", to: taken["case"].text, by: ann)
      try await eventually("it was refused once") { smarthost.refusals > 0 }
      smarthost.refuseNothing()
      try await eventually("it leaves by itself") { smarthost.mails.count == 1 }
    }
  }

  @Test func `an attachment larger than most is served whole`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let bytes = [UInt8](repeating: 7, count: 6 << 20)
      let kept = try await server.call(
        "POST", "/v1/blobs", raw: bytes, by: bot, key: "one",
        headers: [("Content-Type", "image/png")])
      let again = try await server.call(
        "POST", "/v1/blobs", raw: bytes, by: bot, key: "one",
        headers: [("Content-Type", "image/png")])
      #expect(kept.status == 201)
      #expect(again["blob"].text == kept["blob"].text, "the first outcome")
      #expect(try await server.call("GET", "/v1/blobs/\(kept["blob"].text)", by: bot).body == bytes)
    }
  }

  @Test func `an attachment that nobody kept, or another bot, is refused`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let other = try await server.token("bot", "whatsapp")
      let chat = try await server.open(bot)
      func say(_ blob: String) async throws -> Int {
        try await server.call(
          "POST", "/v1/sessions/\(chat.session)/messages",
          ["author": "customer", "text": "see", "attachments": .list([.text(blob)])], by: bot
        ).status
      }
      #expect(try await say("blob_00000000000000000000000000") == 422)
      func keep(_ token: String) async throws -> String {
        try await server.call(
          "POST", "/v1/blobs", raw: [1, 2, 3], by: token, headers: [("Content-Type", "image/png")])[
            "blob"
          ].text
      }
      #expect(try await say(try await keep(other)) == 422)
      #expect(try await say(try await keep(bot)) == 201)
    }
  }

  @Test func `merges at one instant lose nobody's history`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      for round in 1...6 {
        let names = ["a", "b", "c"].map { "\($0)\(round)@home.example" }
        for name in names { try await server.open(bot, email: name).customer("from \(name)") }
        func tie(_ x: Int, _ y: Int) async throws -> Reply {
          let identities = [names[x], names[y]].map { name -> Body in
            ["kind": "email", "value": .text(name), "assurance": "asserted"]
          }
          return try await server.call(
            "POST", "/v1/sessions", ["customer": ["identities": .list(identities)]], by: bot)
        }
        async let first = tie(1, 2)
        async let second = tie(0, 1)
        _ = try await (first, second)
        for name in names {
          let known = try await server.open(bot, email: name).opened["known"]
          #expect(Set(known.texts) == Set(names.map { "from \($0)" }), "\(name) in round \(round)")
        }
      }
    }
  }
}
