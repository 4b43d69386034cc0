import Glibc
import Model
import Testing

@testable import Server

/// Agents pull their next case.
@Suite(.inTurn) struct AgentTests {
  @Test func `any call with an agent's token renews their presence, one that only reads too`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.token("agent", "ann")
      let chat = try await server.open(bot, email: "mia@home.example")
      try await chat.customer("hello")
      for page in ["/v1/queues", "/v1/customers/\(chat.customer)/timeline"] {
        let status: Body = ["status": "available", "lease_seconds": 10]
        #expect(try await server.call("PUT", "/v1/agents/me/status", status, by: ann).status == 200)
        let before = try #require(server.presentUntil("ann"))
        #expect(try await server.call("GET", page, by: ann).status == 200)
        // The usual lease is longer than the ten seconds asked for above.
        try await eventually("\(page) renews") { server.presentUntil("ann") ?? before > before }
      }
    }
  }

  @Test func `an agent sees over HTTP what keeps their next case away, also while they wait`()
    async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let before = try await server.position()
      async let asked = server.next(ann, wait: 2)
      try await eventually("ann waits") { try await server.position() > before }
      let page = try await server.call("GET", "/v1/agents/me", by: ann)
      #expect(page.status == 200 && page["agent"].text == "ann", "\(page)")
      #expect(page["asks"]["next"].description == "true" && page["hindered_by"].isNull, "\(page)")
      #expect(try await asked.status == 204)
      let boss = try await server.token("supervisor", "boss")
      let all = try await server.call("GET", "/v1/agents", by: boss)
      #expect(all["agents"].elements.map { $0["agent"].text }.contains("ann"), "\(all)")
      let slip = try await server.call("GET", "/v1/queues?worksapce=demo", by: boss)
      #expect(
        slip.status == 422 && slip["detail"].text.contains("did you mean \"workspace\"?"), "\(slip)"
      )
    }
  }

  @Test func `ten agents who pull at once never get the same case`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 10)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      var agents: [String] = []
      for number in 1...10 { agents.append(try await server.agent("a\(number)")) }
      for _ in 1...3 {
        let ready = agents
        let cases = try await withThrowingTaskGroup(of: String.self) { group in
          for agent in ready { group.addTask { try await server.take(agent)["case"].text } }
          for _ in ready {
            group.addTask {
              let chat = try await server.open(bot)
              try await chat.customer("help")
              return try await "made " + chat.handoff()["case"].text
            }
          }
          return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        let made = Set(cases.filter { $0.hasPrefix("made ") }.map { String($0.dropFirst(5)) })
        let got = cases.filter { !$0.hasPrefix("made ") }
        #expect(got.count == 10)
        #expect(Set(got).count == 10, "no case twice")
        #expect(Set(got) == made, "and none left over")
      }
    }
  }

  @Test func `the four of the demo share cases that wait already`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      var made: Set<String> = []
      for _ in 1...4 {
        let chat = try await server.open(bot)
        try await chat.customer("help")
        made.insert(try await chat.handoff()["case"].text)
      }
      var agents: [String] = []
      for name in ["ann", "ben", "cleo", "dev"] { agents.append(try await server.agent(name)) }
      let ready = agents
      let got = try await withThrowingTaskGroup(of: String.self) { group in
        for agent in ready { group.addTask { try await server.take(agent)["case"].text } }
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
      }
      #expect(got == made)
    }
  }

  @Test func `a closed connection ends its waiting, and the next agent gets the case`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      let call = HTTPCall(
        method: "POST", target: "/v1/agents/me/next?wait=30",
        headers: [("Authorization", "Bearer \(ann)")])
      let socket = try Socket.connect(port: server.port("http"))
      let before = try await server.position()
      try socket.send(call.bytes)
      try await eventually("ann waits") { try await server.position() > before }
      let waiting = try await server.position()
      socket.close()
      try await eventually("ann waits no longer") { try await server.position() > waiting }
      let chat = try await server.open(bot)
      try await chat.customer("help")
      let handed = try await chat.handoff()
      let got = try await server.take(ben)
      #expect(got["case"].text == handed["case"].text)
      #expect(
        try await server.story(handed["case"].text) == ["queued", "offered ben", "accepted ben"])
    }
  }

  /// The connection goes in the very moment of the offer. Whichever comes first, and also where the
  /// answer was already on its way, nobody waits for the offer's time: it is much longer than the
  /// next agent waits here.
  @Test
  func `an offer to a connection that closes fails at once, and the next agent gets the case`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      for round in 1...20 {
        var call = HTTPCall(
          method: "POST", target: "/v1/agents/me/next?wait=30",
          headers: [("Authorization", "Bearer \(ann)")])
        call.keepsAlive = round.isMultiple(of: 2)
        let chat = try await server.open(bot)
        try await chat.customer("help")
        let socket = try Socket.connect(port: server.port("http"))
        let before = try await server.position()
        try socket.send(call.bytes)
        try await eventually("ann waits") { try await server.position() > before }
        async let handed = chat.handoff()
        async let closed: Void = blocking {
          usleep(UInt32(round * 300))
          socket.abandon()
        }
        let aCase = try await handed["case"].text
        try await closed
        let offer = try await server.next(ben, wait: 10)
        let story = try await server.story(aCase)
        #expect(offer.status == 200, "round \(round): \(story)")
        #expect(offer["case"].text == aCase)
        #expect(
          try await server.call("POST", "/v1/offers/\(offer["offer"].text)/accept", by: ben).status
            == 200)
        #expect(try await server.close(aCase, by: ben).status == 200)
      }
    }
  }

  /// The answer is in the kernel's hands, and in the client's buffer, when the client goes without
  /// having read it.
  @Test func `an offer that its client has not read when it goes fails at once`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      for keepsAlive in [false, true] {
        var call = HTTPCall(
          method: "POST", target: "/v1/agents/me/next?wait=30",
          headers: [("Authorization", "Bearer \(ann)")])
        call.keepsAlive = keepsAlive
        let chat = try await server.open(bot)
        try await chat.customer("help")
        let aCase = try await chat.handoff()["case"].text
        let (asks, port) = (call, server.port("http"))
        try await blocking {
          let socket = try Socket.connect(port: port)
          try socket.send(asks.bytes)
          #expect(socket.awaitBytes(), "the answer is there to be read")
          socket.abandon()
        }
        let offer = try await server.next(ben, wait: 10)
        let story = try await server.story(aCase)
        #expect(offer["case"].text == aCase, "\(story)")
        #expect(
          try await server.call("POST", "/v1/offers/\(offer["offer"].text)/accept", by: ben).status
            == 200)
        #expect(try await server.close(aCase, by: ben).status == 200)
      }
    }
  }

  @Test func `an offer that its client has read stands, however the client goes`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      for keepsAlive in [false, true] {
        var call = HTTPCall(
          method: "POST", target: "/v1/agents/me/next?wait=30",
          headers: [("Authorization", "Bearer \(ann)")])
        call.keepsAlive = keepsAlive
        let chat = try await server.open(bot)
        try await chat.customer("help")
        try await chat.handoff()
        let (ready, port) = (call, server.port("http"))
        let offer = try await blocking {
          // Who reads to the end has the end with the answer: nothing waits for the client to go
          // first.
          let socket = try Socket.connect(port: port, seconds: 3)
          let reply = try ready.send(on: socket)
          if !ready.keepsAlive { #expect(try socket.receive().isEmpty) }
          socket.close()
          return reply
        }
        try await Task.sleep(for: .milliseconds(200))
        #expect(
          try await server.call("POST", "/v1/offers/\(offer["offer"].text)/accept", by: ann).status
            == 200)
        #expect(try await server.close(offer["case"].text, by: ann).status == 200)
      }
    }
  }

  /// A queue whose wrap-up lasts for an hour: who is free before that is free because they said so.
  @Test func `an agent accepts, closes, wraps up, and is there for the next one`() async throws {
    let folder = try TemporaryFolder()
    try SmallRules.write(folder, workspace: "small", agents: 1)
    try folder.write("rules/small/queues.yaml", "support:\n  wrap_up: 1h\n")
    try folder.write("rules/small/agents.yaml", "a1: { queues: [support], capacity: 1 }\n")
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let agent = try await server.agent("a1")
      let bot = try await server.token("bot", "robin")
      var cases: [String] = []
      for number in 1...2 {
        let chat = try await server.open(bot)
        try await chat.customer("help \(number)")
        cases.append(try await chat.handoff()["case"].text)
      }
      func state(_ number: Int) async throws -> String {
        try await server.call("GET", "/v1/cases/\(cases[number])", by: agent)["state"].text
      }
      #expect(try await server.take(agent)["case"].text == cases[0])
      let early = try await server.call("POST", "/v1/cases/\(cases[0])/wrap-up", by: agent)
      #expect(early.status == 200, "\(early)")
      let wrapping = try await state(0)
      #expect(wrapping == "wrap_up")
      #expect(try await server.next(agent, wait: 0).status == 204, "wrapping up takes its time")
      #expect(try await server.close(cases[0], by: agent).status == 200)
      let closed = try await state(0)
      #expect(closed == "closed")
      #expect(try await server.take(agent)["case"].text == cases[1])
    }
  }

  @Test func `a declined case goes to somebody else`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      let chat = try await server.open(bot)
      try await chat.customer("help")
      async let asked = server.next(ann)
      try await chat.handoff()
      let offer = try await asked
      #expect(
        try await server.call("POST", "/v1/offers/\(offer["offer"].text)/decline", by: ann).status
          == 200)
      let other = try await server.take(ben)
      #expect(other["case"].text == offer["case"].text)
      let late = try await server.call("POST", "/v1/offers/\(offer["offer"].text)/accept", by: ann)
      #expect(late.status == 409)
      #expect(late["type"].text == "urn:throughline:problem:offer-ended")
    }
  }

  @Test
  func
    `a case transferred to an agent is theirs alone, and goes on to the queue when they decline`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      let cleo = try await server.agent("cleo")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      let first = try await server.take(ann)["case"].text
      let wrong: [Body] = [
        [:], ["agent": "nobody"], ["queue": "support", "seconds": 5],
        ["agent": "ben", "seconds": 0],
      ]
      for body in wrong {
        #expect(
          try await server.call("POST", "/v1/cases/\(first)/transfer", body, by: ann).status == 422,
          "\(body)")
      }
      let moved = try await server.call(
        "POST", "/v1/cases/\(first)/transfer",
        ["agent": "ben", "seconds": 600, "reason": "knows lamps"], by: ann)
      #expect(moved.status == 201)
      #expect(try await server.next(cleo, wait: 1).status == 204)
      let offer = try await server.next(ben)
      #expect(offer["case"].text == moved["case"].text)
      #expect(
        offer["timeline"].said.contains {
          $0["to_agent"].string == "ben" && $0["reason"].string == "knows lamps"
        })
      try await server.call("POST", "/v1/offers/\(offer["offer"].text)/decline", by: ben)
      #expect(try await server.take(cleo)["case"].text == moved["case"].text)
    }
  }

  @Test func `nobody is offered a case without asking, and asking twice at once is refused`()
    async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let before = try await server.position()
      async let first = server.next(ann, wait: 2)
      try await eventually("ann waits") { try await server.position() > before }
      let second = try await server.next(ann, wait: 1)
      #expect(second.status == 409)
      #expect(second["type"].text == "urn:throughline:problem:already-waiting")
      #expect(try await first.status == 204)
    }
  }

  @Test func `an agent cannot speak in another's case, nor before taking one`() async throws {
    try await TestServer.run { server in
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let early = try await server.reply("hi", to: aCase, by: ann)
      #expect([403, 409].contains(early.status))
      _ = try await server.take(ann)
      let other = try await server.reply("hi", to: aCase, by: ben)
      #expect([403, 409].contains(other.status))
      #expect(!(try await chat.events(after: 0, wait: 0).description.contains("\"hi\"")))
    }
  }
}

extension TestServer {
  /// Until when an agent counts as present, as the machine has it now.
  fileprivate func presentUntil(_ agent: String) -> Instant? {
    running?.edge.writers.first?.peek { pipeline in
      guard let id = pipeline.router.agentID(named: agent) else { return nil }
      return pipeline.router.agent(id)?.presentUntil
    }
  }
}
