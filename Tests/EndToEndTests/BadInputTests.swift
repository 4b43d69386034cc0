import Testing

/// What bad input gets: a problem that can be acted on, nothing recorded, and a server that goes on
/// serving.
@Suite(.inTurn) struct BadInputTests {
  /// Makes the request and expects the problem, that nothing was recorded, and that the server
  /// lives on.
  private func expect(
    _ server: TestServer, _ status: Int, _ type: String?,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ request: () async throws -> Reply
  ) async throws {
    let before = try await server.position()
    let reply = try await request()
    #expect(reply.status == status, "\(reply)", sourceLocation: sourceLocation)
    #expect(
      reply.headers["content-type"] == "application/problem+json", sourceLocation: sourceLocation)
    #expect(reply["status"].int == status, sourceLocation: sourceLocation)
    #expect(reply["detail"].string?.isEmpty == false, sourceLocation: sourceLocation)
    if let type {
      #expect(
        reply["type"].text == "urn:throughline:problem:\(type)", sourceLocation: sourceLocation)
    }
    #expect(
      try await server.position() == before, "nothing is recorded", sourceLocation: sourceLocation)
    #expect(try await server.call("GET", "/health").status == 200, sourceLocation: sourceLocation)
  }

  @Test func `malformed JSON is refused`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      for text in [
        "{", "{\"customer\":}", "", "[1,2", "{\"a\":1}}", "{\"context\":\"\u{1}\"}", "nul",
      ] {
        try await expect(server, 400, "malformed-json") {
          try await server.call("POST", "/v1/sessions", raw: Array(text.utf8), by: bot)
        }
      }
      try await expect(server, 400, "malformed-json") {
        try await server.call(
          "POST", "/v1/sessions", raw: Array("{\"context\":\"".utf8) + [0xFF, 0x22, 0x7D], by: bot)
      }
    }
  }

  @Test func `an unknown field is refused by name`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      try await expect(server, 422, "unknown-field") {
        let reply = try await server.call(
          "POST", "/v1/sessions", ["custommer": ["name": "Ann"]], by: bot)
        #expect(reply["field"].text == "custommer")
        return reply
      }
      try await expect(server, 422, "missing-field") {
        let reply = try await server.call(
          "POST", "/v1/sessions/\(chat.session)/messages", ["author": "customer", "txt": "hi"],
          by: bot)
        #expect(reply["detail"].text.hasSuffix("; did you mean \"text\" by \"txt\"?"), "\(reply)")
        return reply
      }
      try await expect(server, 422, "unknown-field") {
        let reply = try await chat.handoff([
          "reason": "x", "transcript": [["author": "bot", "text": "x", "mood": "y"]],
        ])
        #expect(reply["field"].text == "transcript[0].mood")
        return reply
      }
    }
  }

  @Test func `a wrong kind, a missing field and an empty message are refused`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      let target = "/v1/sessions/\(chat.session)/messages"
      try await expect(server, 422, "wrong-kind") {
        try await server.call("POST", target, ["author": 7, "text": "x"], by: bot)
      }
      try await expect(server, 422, "missing-field") {
        try await server.call("POST", target, ["text": "x"], by: bot)
      }
      try await expect(server, 422, "missing-field") {
        try await server.call("POST", target, ["author": "customer", "text": ""], by: bot)
      }
      try await expect(server, 422, "too-long") {
        try await server.call(
          "POST", target,
          ["author": "customer", "text": .text(String(repeating: "x", count: 70_000))], by: bot)
      }
    }
  }

  @Test func `a slip that silence would hide is named, with what was probably meant`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (shop, hook) = (
        try await server.token("integration", "shop"), try await server.token("telephony", "hook")
      )
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await expect(server, 422, "unknown-skill") {
        let reply = try await chat.handoff(["reason": "x", "skills": ["english", "spanisch"]])
        #expect(reply["field"].text == "skills[1]")
        #expect(reply["detail"].text.contains("did you mean \"spanish\"?"))
        return reply
      }
      try await expect(server, 422, "unknown-field") {
        let reply = try await chat.handoff(["raeson": "x"])
        #expect(
          reply["detail"].text.contains("did you mean \"reason\"?")
            || reply["field"].text == "reason", "\(reply)")
        return try await chat.handoff(["reason": "x", "sumary": "y"])
      }
      let who: Body = .list([
        ["kind": "email", "value": "jo@home.example", "assurance": "asserted"]
      ])
      for (event, at) in [
        ("", nil as String?), ("  ", nil), ("viewed", "0001-01-01T00:00:00Z"),
        ("viewed", "9999-01-01T00:00:00Z"),
      ] {
        var body: [(String, Body)] = [("event", .text(event)), ("identities", who)]
        if let at { body.append(("at", .text(at))) }
        let told = Body.object(body)
        try await expect(server, 422, at == nil ? "missing-field" : "wrong-value") {
          try await server.call("POST", "/v1/journey", told, by: shop)
        }
      }
      try await expect(server, 422, "unknown-number") {
        let reply = try await server.call(
          "POST", "/v1/calls", ["call": "c1", "from": "+12025550143", "to": "+4930123456"], by: hook
        )
        #expect(reply["field"].text == "to")
        #expect(reply["detail"].text.contains("+18005551212"))
        return reply
      }
      let ours: Body = ["call": "c1", "from": "+12025550143", "to": "(800) 555-1212"]
      #expect(
        try await server.call("POST", "/v1/calls", ours, by: hook).status == 200,
        "in the workspace's own region")
      #expect(try await chat.handoff(["reason": "", "skills": ["spanish"]]).status == 201)
      let ann = try await server.token("agent", "ann")
      for act in ["accept", "decline"] {
        try await expect(server, 422, "unknown-field") {
          try await server.call(
            "POST", "/v1/offers/offer_\(String(repeating: "0", count: 26))/\(act)", ["why": "x"],
            by: ann)
        }
      }
    }
  }

  @Test func `no token, an unknown one and a malformed header get 401`() async throws {
    try await TestServer.run { server in
      for token in [nil, "tl_wrong", "", String(repeating: "x", count: 5_000)] {
        for (method, target) in [
          ("POST", "/v1/sessions"), ("POST", "/v1/agents/me/next?wait=1"), ("GET", "/v1/queues"),
          ("GET", "/metrics"),
          ("GET", "/v1/blobs/blob_1"), ("POST", "/v1/journey"),
        ] {
          try await expect(server, 401, "unauthorized") {
            let reply = try await server.call(method, target, by: token)
            #expect(reply.headers["www-authenticate"] == "Bearer")
            return reply
          }
        }
      }
      try await expect(server, 401, "unauthorized") {
        try await server.call(
          "GET", "/v1/queues", raw: nil, by: nil, headers: [("Authorization", "Basic YTpi")])
      }
    }
  }

  @Test func `a token of the wrong scope is refused`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.token("agent", "ann")
      let shop = try await server.token("integration", "shop")
      for (token, method, target) in [
        (ann, "POST", "/v1/sessions"), (shop, "POST", "/v1/sessions"),
        (bot, "POST", "/v1/agents/me/next?wait=1"),
        (bot, "PUT", "/v1/agents/me/status"), (bot, "POST", "/v1/journey"),
        (ann, "POST", "/v1/journey"),
        (bot, "GET", "/v1/queues"), (bot, "GET", "/metrics"), (ann, "GET", "/metrics"),
        (bot, "GET", "/v1/customers/cust_00000000000000000000000000/timeline"),
      ] {
        try await expect(server, 403, "forbidden") {
          try await server.call(
            method, target, method == "GET" ? nil : ["status": "available"], by: token)
        }
      }
    }
  }

  @Test func `another workspace's ids are as if they did not exist`() async throws {
    let rules = try TemporaryFolder()
    for name in ["east", "west"] { try SmallRules.write(rules, workspace: name, agents: 2) }
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let east = try await server.token("bot", "robin", workspace: "east")
      let west = try await server.token("bot", "robin", workspace: "west")
      let agent = try await server.agent("a1", workspace: "west")
      let home = try await server.agent("a1", workspace: "east")
      let chat = try await server.open(east, email: "ann@home.example")
      try await chat.customer("east's secret")
      let blob = try await server.call("POST", "/v1/blobs", raw: [1, 2, 3], by: east)["blob"].text
      let aCase = try await chat.handoff()["case"].text
      let offer = try await server.next(home)["offer"].text
      let both = (try await server.position("east"), try await server.position("west"))
      for (method, target, token, body) in [
        (
          "POST", "/v1/sessions/\(chat.session)/messages", west,
          ["author": "customer", "text": "x"] as Body?
        ),
        ("POST", "/v1/sessions/\(chat.session)/handoff", west, ["reason": "x"]),
        ("POST", "/v1/sessions/\(chat.session)/end", west, nil),
        ("GET", "/v1/sessions/\(chat.session)/events?after=0", west, nil),
        ("GET", "/v1/blobs/\(blob)", west, nil), ("GET", "/v1/blobs/\(blob)", agent, nil),
        ("GET", "/v1/cases/\(aCase)", agent, nil), ("POST", "/v1/cases/\(aCase)/close", agent, nil),
        ("POST", "/v1/cases/\(aCase)/reply", agent, ["text": "x"]),
        ("POST", "/v1/offers/\(offer)/accept", agent, nil),
        ("GET", "/v1/customers/\(chat.customer)/timeline", agent, nil),
      ] {
        let reply = try await server.call(method, target, body, by: token)
        #expect(reply.status == 404, "\(method) \(target): \(reply)")
      }
      #expect(try await server.position("east") == both.0)
      let same = try await server.open(west, email: "ann@home.example")
      #expect(
        same.opened["known"]["entries"].elements.isEmpty,
        "the same address is another customer there")
      #expect(same.customer != chat.customer)
    }
  }

  @Test func `what does not exist gets 404`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let none = String(repeating: "0", count: 25) + "1"
      for (method, target, token, body) in [
        (
          "POST", "/v1/sessions/sess_\(none)/messages", bot,
          ["author": "customer", "text": "x"] as Body?
        ),
        ("POST", "/v1/sessions/sess_\(none)/handoff", bot, ["reason": "x"]),
        ("POST", "/v1/sessions/sess_\(none)/end", bot, nil),
        ("GET", "/v1/sessions/sess_\(none)/events", bot, nil),
        ("GET", "/v1/blobs/blob_\(none)", bot, nil), ("GET", "/v1/cases/case_\(none)", ann, nil),
        ("POST", "/v1/cases/case_\(none)/close", ann, nil),
        ("POST", "/v1/cases/case_\(none)/reply", ann, ["text": "x"]),
        ("POST", "/v1/offers/offer_\(none)/accept", ann, nil),
        ("GET", "/v1/customers/cust_\(none)/timeline", ann, nil),
        ("POST", "/v1/sessions/nonsense/end", bot, nil), ("GET", "/v1/nothing", bot, nil),
        ("GET", "/nothing", bot, nil),
      ] {
        try await expect(server, 404, nil) {
          try await server.call(method, target, body, by: token)
        }
      }
    }
  }

  @Test func `a closed case takes nothing more`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      let aCase = try await server.take(ann)["case"].text
      #expect(try await server.close(aCase, by: ann).status == 200)
      for (what, body) in [
        ("reply", ["text": "x"] as Body?), ("note", ["text": "x"]), ("close", nil),
        ("wrap-up", nil),
        ("transfer", ["queue": "vip"]), ("hand-back", nil),
      ] {
        try await expect(server, 409, "case-closed") {
          try await server.call("POST", "/v1/cases/\(aCase)/\(what)", body, by: ann)
        }
      }
    }
  }

  @Test func `a queue that does not exist, and one that nobody serves, are refused`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let agent = try await server.agent("a1")
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      try await chat.handoff()
      let aCase = try await server.take(agent)["case"].text
      try await expect(server, 422, nil) {
        let reply = try await server.call(
          "POST", "/v1/cases/\(aCase)/transfer", ["queue": "suport"], by: agent)
        #expect(reply["detail"].text.contains("support"), "it names those that there are")
        return reply
      }
      try await expect(server, 422, "queue-unserved") {
        try await server.call("POST", "/v1/cases/\(aCase)/transfer", ["queue": "quiet"], by: agent)
      }
      #expect(try await server.reply("still mine", to: aCase, by: agent).status == 201)
    }
  }

  @Test func `a body past the limit gets 413, a whole one and one that is only announced`()
    async throws
  {
    try await TestServer.run { settings in
      settings.bodyBytesMax = 8_192
      settings.blobBytesMax = 32_768
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      let long: Body = ["author": "customer", "text": .text(String(repeating: "x", count: 10_000))]
      try await expect(server, 413, nil) {
        try await server.call("POST", "/v1/sessions/\(chat.session)/messages", long, by: bot)
      }
      try await expect(server, 413, nil) {
        try await server.call(
          "POST", "/v1/blobs", raw: [UInt8](repeating: 7, count: 40_000), by: bot)
      }
      #expect(
        try await server.call(
          "POST", "/v1/blobs", raw: [UInt8](repeating: 7, count: 20_000), by: bot
        ).status == 201)
      let port = server.port("http")
      let announced = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(
          Array(
            "POST /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(bot)\r\nContent-Length: 99999999999\r\n\r\n"
              .utf8))
        return try HTTPCall.read(from: socket)
      }
      #expect(announced.status == 413)
    }
  }

  @Test func `a method that is not possible gets 405`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let boss = try await server.token("supervisor", "boss")
      for (method, target, token) in [
        ("DELETE", "/v1/sessions", bot), ("GET", "/v1/sessions", bot), ("PUT", "/v1/journey", bot),
        ("POST", "/health", bot),
        ("PATCH", "/v1/blobs", bot), ("POST", "/metrics", boss), ("DELETE", "/v1/queues", boss),
      ] {
        try await expect(server, 405, "method-not-allowed") {
          try await server.call(method, target, by: token)
        }
      }
    }
  }

  @Test func `bytes that are no HTTP end their own connection and no other`() async throws {
    try await TestServer.run {
      $0.headSeconds = 600
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let port = server.port("http")
      let good = try Socket.connect(port: port)
      for nonsense in [
        "\u{16}\u{3}\u{1}hello\r\n\r\n", "GET\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ] {
        let reply = try await blocking {
          let socket = try Socket.connect(port: port)
          try socket.send(Array(nonsense.utf8))
          return try HTTPCall.read(from: socket)
        }
        #expect((400...505).contains(reply.status), "\(reply)")
      }
      let call = HTTPCall(
        method: "POST", target: "/v1/sessions", headers: [("Authorization", "Bearer \(bot)")],
        body: Array("{}".utf8))
      #expect(try await blocking { try call.send(on: good) }.status == 201)
    }
  }

  @Test
  func
    `what a page does not take is answered with what it takes, and packed content is not guessed at`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      for (method, path, allowed) in [
        ("DELETE", "/v1/sessions", "POST"), ("GET", "/v1/journey", "POST"),
        ("POST", "/v1/queues", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"), ("PUT", "/v1/search", "GET, HEAD"),
      ] {
        let reply = try await server.call(method, path, by: bot)
        #expect(reply.status == 405)
        #expect(reply.headers["allow"] == allowed, "\(method) \(path)")
      }
      let body = Array("{}".utf8)
      func call(_ headers: [(String, String)]) async throws -> Reply {
        let call = HTTPCall(method: "POST", target: "/v1/sessions", headers: headers, body: body)
        let port = server.port("http")
        return try await blocking { try call.send(on: try Socket.connect(port: port)) }
      }
      let token = ("Authorization", "Bearer \(bot)")
      #expect(try await call([token]).status == 201)
      for (coding, status) in [
        ("gzip", 415), ("identity, gzip", 415), (", identity ,,identity", 201), ("", 201),
      ] {
        #expect(try await call([token, ("Content-Encoding", coding)]).status == status)
      }
      #expect(try await call([token, token]).status == 401)
      #expect(
        try await call([token, ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]).status == 400)
    }
  }
}
