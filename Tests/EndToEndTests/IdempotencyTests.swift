import Testing

/// `Idempotency-Key`: a repeat gets the first outcome, and nothing happens twice.
@Suite(.inTurn) struct IdempotencyTests {
  @Test func `a repeated message gets the first answer and is recorded once`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"), email: "ida@home.example")
      let first = try await chat.customer("once", key: "k1")
      let position = try await server.position()
      let second = try await chat.customer("once", key: "k1")
      #expect(first.status == 201)
      #expect(second.status == first.status)
      #expect(second.body == first.body)
      #expect(try await server.position() == position)
      #expect(try await server.timeline("ida@home.example").texts == ["once"])
    }
  }

  @Test func `another body under the same key is refused`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"), email: "ida@home.example")
      try await chat.customer("once", key: "k1")
      let other = try await chat.customer("other", key: "k1")
      #expect(other.status == 422)
      #expect(other["type"].text == "urn:throughline:problem:idempotency-key-reused")
      #expect(try await server.timeline("ida@home.example").texts == ["once"])
    }
  }

  @Test func `a key is one token's own`() async throws {
    try await TestServer.run { server in
      let (one, two) = (try await server.token("bot", "webshop"), try await server.token("bot", "webshop"))
      let body: Body = ["context": ["page": "/"]]
      let first = try await server.call("POST", "/v1/sessions", body, by: one, key: "k")
      let second = try await server.call("POST", "/v1/sessions", body, by: two, key: "k")
      #expect(first["session"].text != second["session"].text)
    }
  }

  @Test func `a repeat is known after the server has been started again`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "ida@home.example")
      let first = try await chat.customer("once", key: "k1")
      let handoff: Body = ["reason": "wants a human"]
      let target = "/v1/sessions/\(chat.session)/handoff"
      let handed = try await server.call("POST", target, handoff, by: bot, key: "k2")
      try await server.restart()
      let position = try await server.position()
      #expect(try await chat.customer("once", key: "k1").body == first.body)
      #expect(try await server.call("POST", target, handoff, by: bot, key: "k2").body == handed.body)
      #expect(try await chat.customer("other", key: "k1").status == 422)
      #expect(try await server.position() == position)
      #expect(try await server.timeline("ida@home.example").texts == ["once"])
    }
  }

  @Test func `identical requests at the same instant are one`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"), email: "ida@home.example")
      for round in 1...10 {
        let answers = try await withThrowingTaskGroup(of: Reply.self) { group in
          for _ in 1...8 { group.addTask { try await chat.customer("word \(round)", key: "round \(round)") } }
          return try await group.reduce(into: [Reply]()) { $0.append($1) }
        }
        #expect(Set(answers.map(\.status)) == [201])
        #expect(Set(answers.map(\.body)).count == 1)
      }
      #expect(try await server.timeline("ida@home.example").texts == (1...10).map { "word \($0)" })
    }
  }

  @Test func `a refusal is repeated as well`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      _ = try await server.take(ann)
      let target = "/v1/sessions/\(chat.session)/messages"
      let words: Body = ["author": "bot", "text": "me"]
      let first = try await server.call("POST", target, words, by: bot, key: "k")
      let second = try await server.call("POST", target, words, by: bot, key: "k")
      #expect(first.status == 409)
      #expect(second.status == 409)
      #expect(second.body == first.body)
    }
  }
}
