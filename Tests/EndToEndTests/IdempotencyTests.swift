import Model
import Pipeline
import System
import Testing

@testable import Server

/// `Idempotency-Key`: a repeat gets the first outcome, and nothing happens twice.
@Suite(.inTurn) struct IdempotencyTests {
  @Test func `a repeated message gets the first answer and is recorded once`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "ida@home.example")
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
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "ida@home.example")
      try await chat.customer("once", key: "k1")
      let other = try await chat.customer("other", key: "k1")
      #expect(other.status == 422)
      #expect(other["type"].text == "urn:throughline:problem:idempotency-key-reused")
      #expect(try await server.timeline("ida@home.example").texts == ["once"])
    }
  }

  @Test func `a key is one token's own`() async throws {
    try await TestServer.run { server in
      let (one, two) = (
        try await server.token("bot", "webshop"), try await server.token("bot", "webshop")
      )
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
      #expect(
        try await server.call("POST", target, handoff, by: bot, key: "k2").body == handed.body)
      #expect(try await chat.customer("other", key: "k1").status == 422)
      #expect(try await server.position() == position)
      #expect(try await server.timeline("ida@home.example").texts == ["once"])
    }
  }

  @Test func `two card numbers are two bodies, though neither is kept`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "ida@home.example")
      #expect(try await chat.customer("4111 1111 1111 1111", key: "k1").status == 201)
      #expect(try await chat.customer("5500 0055 5555 5559", key: "k1").status == 422)
      let said = try await server.timeline("ida@home.example").texts
      #expect(said.count == 1 && !said[0].contains("1111"), "\(said)")
    }
  }

  @Test func `an attachment under another name or of another type is another body`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      func keep(_ name: String, _ type: String) async throws -> Reply {
        try await server.call(
          "POST", "/v1/blobs?name=\(name)", raw: Array("bytes".utf8), by: bot, key: "k",
          headers: [("Content-Type", type)])
      }
      let first = try await keep("a.txt", "text/plain")
      #expect(first.status == 201)
      #expect(try await keep("a.txt", "text/plain").body == first.body)
      #expect(try await keep("b.txt", "text/plain").status == 422)
      #expect(try await keep("a.txt", "image/png").status == 422)
    }
  }

  @Test(arguments: [false, true])
  func `a key is known for a day and forgotten then`(_ restarts: Bool) async throws {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "ida@home.example")
      let first = try await chat.customer("once", key: "k1")
      let now = Instant(milliseconds: WallClock.nowMilliseconds)
      _ = try #require(server.running).edge.tidy(now: now + .seconds(86_400 - 600))
      if restarts { try await server.restart() }
      #expect(try await chat.customer("once", key: "k1").body == first.body)
      #expect(try await chat.customer("other", key: "k1").status == 422)
      _ = try #require(server.running).edge.tidy(now: now + .seconds(86_400 + 1))
      if restarts { try await server.restart() }
      #expect(try await chat.customer("other", key: "k1").status == 201)
      #expect(try await server.timeline("ida@home.example").texts == ["once", "other"])
    }
  }

  @Test func `identical requests at the same instant are one`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "ida@home.example")
      for round in 1...10 {
        let answers = try await withThrowingTaskGroup(of: Reply.self) { group in
          for _ in 1...8 {
            group.addTask { try await chat.customer("word \(round)", key: "round \(round)") }
          }
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

  // MARK: - The next case

  @Test func `a repeated question for the next case gets the same case, also after a restart`()
    async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let bot = try await server.token("bot", "webshop")
      for _ in 1...2 {
        let chat = try await server.open(bot)
        try await chat.customer("help")
        try await chat.handoff()
      }
      func next(_ key: String, _ body: Body? = nil) async throws -> Reply {
        try await server.call("POST", "/v1/agents/me/next?wait=5", body, by: ann, key: key)
      }
      let first = try await next("k1")
      #expect(first.status == 200)
      let again = try await next("k1")
      #expect(again.status == 200)
      // All but how long they have waited, which goes on.
      for member in ["offer", "until", "case", "conversation", "customer", "timeline"] {
        #expect(again[member].description == first[member].description && !first[member].isAbsent)
      }
      let other = try await next("k1", .object([]))
      #expect(other.status == 422)
      #expect(other["type"].text == "urn:throughline:problem:idempotency-key-reused")
      #expect(
        try await server.call("POST", "/v1/offers/\(first["offer"].text)/accept", by: ann).status
          == 200)
      try await server.restart()
      #expect(try await next("k1")["offer"].text == first["offer"].text)
      let second = try await next("k2")
      #expect(second["case"].string != nil)
      #expect(second["case"].text != first["case"].text, "another key is another question")
    }
  }

  @Test func `no case is an outcome, too, and a new key asks again`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let bot = try await server.token("bot", "webshop")
      func next(_ key: String) async throws -> Reply {
        try await server.call("POST", "/v1/agents/me/next", by: ann, key: key)
      }
      #expect(try await next("k1").status == 204)
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      #expect(try await next("k1").status == 204)
      #expect(try await next("k2").status == 200)
    }
  }

  @Test func `a repeat while the first still waits takes its place`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let before = try await server.position()
      async let first = server.call("POST", "/v1/agents/me/next?wait=20", by: ann, key: "k1")
      try await eventually("ann waits") { try await server.position() > before }
      let waiting = try await server.position()
      async let second = server.call("POST", "/v1/agents/me/next?wait=20", by: ann, key: "k1")
      try await eventually("the repeat waits") { try await server.position() > waiting }
      #expect(try await first.status == 204)
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      #expect(try await second["case"].text == aCase)
    }
  }

  @Test func `an offer that reached nobody is no outcome: the repeat asks anew`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let offer = try await server.call("POST", "/v1/agents/me/next?wait=5", by: ann, key: "k1")[
        "offer"
      ].text
      // As when the connection closes before the answer is out.
      let edge = try #require(server.running?.edge)
      edge.writers[0].submit([Request(.failOffer(try #require(OfferID(offer)), .connectionClosed))])
      try await eventually("the offer has failed") {
        try await server.story(aCase).contains("failed ann")
      }
      let again = try await server.call("POST", "/v1/agents/me/next?wait=5", by: ann, key: "k1")
      #expect(again["case"].text == aCase)
      #expect(again["offer"].text != offer)
    }
  }
}
