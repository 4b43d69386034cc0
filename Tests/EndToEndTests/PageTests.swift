import Foundation
import Testing

@testable import Server

/// What people and monitoring look at.
@Suite(.inTurn) struct PageTests {
  @Test func `health alone is open`() async throws {
    try await TestServer.run { server in
      let reply = try await server.call("GET", "/health")
      #expect(reply.status == 200)
      #expect(reply["status"].text == "ok")
    }
  }

  @Test func `why the server is not well is told to those who run it, and to nobody else`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (boss, root) = (
        try await server.token("supervisor", "boss"), try await server.token("admin", "root")
      )
      try #require(server.running).edge.health.failed("disk /srv/secret is full")
      for token in [nil, bot, "tl_wrong"] {
        let reply = try await server.call("GET", "/health", by: token)
        #expect(reply.status == 503)
        #expect(reply["status"].text == "unavailable")
        #expect(reply["why"].text == "nothing can be recorded just now; try again in a moment")
      }
      for token in [boss, root] {
        #expect(
          try await server.call("GET", "/health", by: token)["why"].text.contains("/srv/secret"))
      }
      #expect(try await server.administer("GET", "/health")["why"].text.contains("/srv/secret"))
    }
  }

  @Test func `the front page says what this is`() async throws {
    try await TestServer.run { server in
      let reply = try await server.call("GET", "/")
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "text/plain; charset=utf-8")
      let text = String(decoding: reply.body, as: UTF8.self)
      #expect(text.contains("Throughline"))
      #expect(text.contains("docs/api.md"))
      #expect(try await server.call("POST", "/").status == 405)
    }
  }

  @Test func `no answer's type may be guessed`() async throws {
    try await TestServer.run { server in
      for target in ["/", "/health", "/metrics", "/v1/sessions", "/nothing"] {
        for body in [nil, Array("{}".utf8)] {
          let reply = try await server.call(
            body == nil ? "GET" : "POST", target, raw: body, by: nil)
          #expect(reply.headers["x-content-type-options"] == "nosniff", "\(target): \(reply)")
        }
      }
    }
  }

  @Test func `OPTIONS of the server in general is answered with what it can do`() async throws {
    try await TestServer.run { server in
      // RFC 9110 §9.3.7; in absolute form no path stands for the asterisk, RFC 9112 §3.2.4.
      for target in ["*", "http://localhost", "https://LOCALHOST:1"] {
        for body in [nil, Array("any".utf8)] {
          let reply = try await server.call("OPTIONS", target, raw: body, by: nil)
          #expect(reply.status == 204 && reply.body.isEmpty, "\(target): \(reply)")
          #expect(reply.headers["allow"] == "GET, HEAD, POST, PUT, DELETE, OPTIONS")
          #expect(reply.headers["content-length"] == nil && reply.headers["content-type"] == nil)
        }
      }
      // A page is another thing than the server.
      for target in ["/", "http://localhost/", "/health", "http://localhost?a"] {
        let status = try await server.call("OPTIONS", target, raw: nil, by: nil).status
        #expect(status == 405, "\(target)")
      }
      #expect(try await server.call("OPTIONS", "/v1/sessions", raw: nil, by: nil).status == 401)
      #expect(try await server.call("GET", "*", raw: nil, by: nil).status == 400)
    }
  }

  @Test func `a long page comes as gzip to whoever takes it`() async throws {
    try await TestServer.run { server in
      let boss = try await server.token("supervisor", "boss")
      func metrics(_ coding: String?) async throws -> Reply {
        try await server.call(
          "GET", "/metrics", raw: nil, by: boss,
          headers: coding.map { [("Accept-Encoding", $0)] } ?? [])
      }
      let plain = try await metrics(nil)
      #expect(plain.headers["content-encoding"] == nil)
      #expect(plain.headers["vary"] == "Accept-Encoding")
      let date = DateFormatter()
      date.locale = Locale(identifier: "en_US_POSIX")
      date.timeZone = TimeZone(identifier: "GMT")
      date.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
      let told = try #require(plain.headers["date"].flatMap { date.date(from: $0) })
      #expect(
        abs(told.timeIntervalSinceNow) < 600 && date.string(from: told) == plain.headers["date"])
      let packed = try await metrics("br, gzip;q=0.5")
      #expect(packed.headers["content-encoding"] == "gzip")
      #expect(packed.body.count < plain.body.count / 2)
      #expect(packed.body.starts(with: [0x1F, 0x8B]))
      #expect(try await metrics("gzip;q=0").headers["content-encoding"] == nil)
      let short = try await server.call(
        "GET", "/health", raw: nil, by: nil, headers: [("Accept-Encoding", "gzip")])
      #expect(short.headers["content-encoding"] == nil, "what fits one packet gains nothing")
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "lea@home.example")
      for number in 1...30 {
        try await chat.customer("This is what I said before, number \(number).")
      }
      let opening: Body = [
        "customer": [
          "identities": [["kind": "email", "value": "lea@home.example", "assurance": "asserted"]]
        ]
      ]
      let known = try await server.call(
        "POST", "/v1/sessions", raw: Array(opening.encoded.utf8), by: bot,
        headers: [("Accept-Encoding", "gzip")])
      #expect(known.headers["content-encoding"] == "gzip", "also what the read pool renders")
    }
  }

  @Test func `a page that is too long for a lane to pack comes as gzip too, and in its turn`()
    async throws
  {
    let rules = try SmallRules.folder()
    let queues = (1...400).map { "q\($0): { title: Queue number \($0) }\n" }.joined()
    try rules.write("rules/small/queues.yaml", "support: { title: Support }\n" + queues)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let (boss, port) = (try await server.token("supervisor", "boss"), server.port("http"))
      for page in ["/metrics", "/v1/queues"] {
        @Sendable func call(_ coding: String) -> HTTPCall {
          HTTPCall(
            method: "GET", target: page,
            headers: [("Authorization", "Bearer \(boss)"), ("Accept-Encoding", coding)],
            keepsAlive: true)
        }
        let plain = try await blocking {
          try call("identity").send(on: try Socket.connect(port: port))
        }
        #expect(plain.body.count > Compression.laneBytesMax && plain.status == 200)
        let health = HTTPCall(method: "GET", target: "/health").bytes
        let said = try await blocking {
          let socket = try Socket.connect(port: port)
          try socket.send(call("gzip").bytes + health)
          return try socket.awaitEnd()
        }
        let packed = try #require(HTTPCall.parse(said))
        #expect(packed.status == 200 && packed.headers["content-encoding"] == "gzip")
        #expect(packed.headers["vary"] == "Accept-Encoding")
        #expect(packed.body.count < plain.body.count / 3)
        let head = try #require(said.firstRange(of: Array("\r\n\r\n".utf8)))
        let next = HTTPCall.parse(Array(said[(head.upperBound + packed.body.count)...]))
        #expect(next?["status"].text == "ok")
      }
    }
  }

  @Test func `HEAD is answered as GET is, but for the content`() async throws {
    try await TestServer.run { server in
      let boss = try await server.token("supervisor", "boss")
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "lea@home.example")
      let port = server.port("http")
      func ask(_ method: String, _ target: String) async throws -> (lines: [String], body: String) {
        let call = HTTPCall(
          method: method, target: target, headers: [("Authorization", "Bearer \(boss)")])
        let said = try await blocking {
          let socket = try Socket.connect(port: port)
          try socket.send(call.bytes)
          return String(decoding: try socket.awaitEnd(), as: UTF8.self)
        }
        let parts = said.components(separatedBy: "\r\n\r\n")
        let lines = parts[0].components(separatedBy: "\r\n").filter { !$0.hasPrefix("date: ") }
        return (lines, parts.dropFirst().joined())
      }
      for (target, status) in [
        ("/health", 200), ("/v1/agents", 200), ("/v1/customers/\(chat.customer)", 200),
        ("/v1/customers/\(chat.customer)/timeline", 200),
        ("/v1/customers?kind=email&value=lea@home.example", 200), ("/v1/nothing", 404),
        ("/v1/agents?wait=1", 422),
      ] {
        let (get, head) = (try await ask("GET", target), try await ask("HEAD", target))
        #expect(get.lines[0].hasPrefix("HTTP/1.1 \(status) "), "\(target): \(get)")
        #expect(head.lines == get.lines, "\(target)")
        #expect(head.body.isEmpty && !get.body.isEmpty)
      }
      let posted = try await ask("HEAD", "/v1/agents/me/next")
      #expect(posted.lines[0] == "HTTP/1.1 405 Method Not Allowed")
      #expect(posted.lines.contains { $0.lowercased() == "allow: post" })
    }
  }

  @Test func `the stream's page says to whom it is no stream what to speak there`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let told = try await server.call("GET", "/v1/stream", by: bot)
      #expect(told.status == 426)
      #expect(told.headers["upgrade"] == "websocket")
      #expect(told.headers["sec-websocket-version"] == "13")
      // RFC 9110 §7.8: whoever sends Upgrade names it in Connection too.
      #expect(told.headers["connection"] == "close, Upgrade")
      let kept = HTTPCall(
        method: "GET", target: "/v1/stream", headers: [("Authorization", "Bearer \(bot)")],
        keepsAlive: true)
      let port = server.port("http")
      let reply = try await blocking { try kept.send(on: try Socket.connect(port: port)) }
      #expect(reply.headers["connection"] == "Upgrade")
    }
  }

  /// Else a proxy that overlooks the refusal would pass on what comes behind it, and we would take it.
  @Test func `a refused upgrade ends the connection`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let refused = HTTPCall(
        method: "GET", target: "/v1/stream",
        headers: [
          ("Authorization", "Bearer \(bot)"), ("Connection", "Upgrade"), ("Upgrade", "websocket"),
          ("Sec-WebSocket-Version", "12"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ], keepsAlive: true)
      let port = server.port("http")
      let heard = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(refused.bytes + HTTPCall(method: "GET", target: "/health").bytes)
        return String(decoding: try socket.awaitEnd(), as: UTF8.self)
      }
      #expect(heard.hasPrefix("HTTP/1.1 426 ") && !heard.contains(" 200 OK"), "\(heard)")
    }
  }

  /// Prometheus' text format 0.0.4, line by line.
  @Test func `metrics parse, and tell of the queues`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      let reply = try await server.call(
        "GET", "/metrics", by: try await server.token("supervisor", "boss"))
      #expect(reply.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
      let text = String(decoding: reply.body, as: UTF8.self)
      #expect(text.hasSuffix("\n"))
      let sample =
        /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*\})? (-?[0-9.e+]+|NaN|[+-]Inf)/
      var types: [Substring: Substring] = [:]
      var samples: [String: String] = [:]
      for line in text.split(separator: "\n") {
        if line.hasPrefix("# HELP ") { continue }
        if line.hasPrefix("# TYPE ") {
          let words = line.split(separator: " ")
          #expect(
            words.count == 4 && ["gauge", "counter", "histogram", "summary"].contains(words[3]),
            "\(line)")
          #expect(
            types.updateValue(words[3], forKey: words[2]) == nil, "\(words[2]) is declared once")
          continue
        }
        let match = try #require(try sample.wholeMatch(in: line), "not a sample: \(line)")
        #expect(types[match.output.1] != nil, "\(match.output.1) has a type")
        let series = "\(match.output.1)\(match.output.2 ?? "")"
        #expect(
          samples.updateValue("\(match.output.5)", forKey: series) == nil, "\(series) stands once")
      }
      #expect(samples[#"throughline_queue_waiting{workspace="demo",queue="support"}"#] == "1")
      #expect(samples["throughline_up"] == "1")
      let target = #"{workspace="demo",queue="vip"}"#
      #expect(samples["throughline_queue_service_level_target_ratio" + target] == "0.90")
      #expect(samples["throughline_queue_service_level_seconds" + target] == "20")
      #expect(
        samples["throughline_queue_service_level_ratio" + target] == nil, "nothing was taken yet")
    }
  }

  @Test func `metrics tell of the server's own health`() async throws {
    try await TestServer.run { server in
      let boss = try await server.token("supervisor", "boss")
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      @Sendable func measured() async throws -> [String: Double] {
        let reply = try await server.call("GET", "/metrics", by: boss)
        let lines = String(decoding: reply.body, as: UTF8.self).split(separator: "\n").filter {
          !$0.hasPrefix("#")
        }
        return Dictionary(
          uniqueKeysWithValues: lines.map { line in
            let words = line.split(separator: " ")
            return (
              String(words[0].dropFirst("throughline_".count)),
              Double(words[words.count - 1]) ?? .nan
            )
          })
      }
      // One that stays: lanes tell what they counted now and then, and each call has a connection of
      // its own that is gone by then.
      let held = try Socket.connect(port: server.port("http"))
      defer { held.close() }
      try await eventually("connections are counted") {
        let values = try await measured()
        return values["connections"] ?? 0 >= 1 && values["connections_accepted_total"] ?? 0 >= 5
      }
      let values = try await measured()
      for (name, range) in [
        ("up", 1...1), ("connections", 0...10), ("connections_accepted_total", 5...10_000),
        ("connections_refused_total", 0...0),
        ("accept_pauses_total", 0...0), ("commits_total", 3...100), ("commands_total", 4...100),
        ("commit_failures_total", 0...0),
        ("commit_seconds_total", 0.000_001...100), ("commit_seconds_longest", 0.000_001...100),
        ("resident_bytes", 10e6...4e9), ("open_descriptors", 10...20_000),
        ("cpu_seconds_total", 0.01...10_000),
        ("stream_slow_readers_total", 0...0), ("stream_context_bytes", 0...0),
      ] as [(String, ClosedRange<Double>)] {
        let value = try #require(values[name], "\(name)")
        #expect(range.contains(value), "\(name) \(value)")
      }
      #expect(values.keys.contains { $0.hasPrefix("connections_closed_total{reason=") })
      #expect((values["commit_seconds_longest"] ?? 1) <= (values["commit_seconds_total"] ?? 0))
    }
  }

  @Test func `the queues' page tells who waits, since when, and who could help`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 4)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let ann = try await server.agent("a1")
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      try await chat.handoff()
      let page = try await server.call("GET", "/v1/queues", by: ann)
      let support = try #require(page["queues"].elements.first { $0["name"].text == "support" })
      #expect(support["waiting"].int == 1)
      #expect((support["oldest_seconds"].int ?? -1) >= 0)
      #expect(support["agents"]["members"].int == 4)
      #expect(support["agents"]["not_asking"].int == 1, "a1 is there and has not asked")
      _ = try await server.take(ann)
      let after = try await server.call("GET", "/v1/queues", by: ann)
      let taken = try #require(after["queues"].elements.first { $0["name"].text == "support" })
      #expect(taken["waiting"].int == 0)
      #expect(taken["assigned"].int == 1)
      #expect(taken["accepted_in_time"].int == 1)
    }
  }

  @Test
  func `the service level is the share of those taken in time among all who were taken or left`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 1)
    try rules.write(
      "rules/small/queues.yaml",
      "support:\n  service_level: { within: 90s, percent: 75 }\nquiet:\n  service_level: { within: 1s, percent: 50 }\n"
    )
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let (a1, bot) = (try await server.agent("a1"), try await server.token("bot", "robin"))
      func level() async throws -> JSON {
        let page = try await server.call("GET", "/v1/queues", by: a1)
        return try #require(page["queues"].elements.first { $0["name"].text == "support" })[
          "service_level"]
      }
      #expect(
        try await level().description
          == #"{"within_seconds":90,"target_percent":75,"reached_percent":null}"#)
      for _ in 0..<2 {
        let chat = try await server.open(bot)
        try await chat.customer("help")
        try await chat.handoff()
        _ = try await server.take(a1)
      }
      let lost = try await server.open(bot)
      try await lost.customer("help")
      try await lost.handoff()
      try await lost.end()
      #expect(try await level()["reached_percent"].description == "66.6")
      let metrics = try await server.call(
        "GET", "/metrics", by: try await server.token("supervisor", "boss"))
      #expect(
        metrics.description.contains(
          #"queue_service_level_ratio{workspace="small",queue="support"} 0.666"#))
    }
  }

  @Test func `a supervisor watches their own workspace, an admin all of them`() async throws {
    let rules = try TemporaryFolder()
    for name in ["one", "two"] { try SmallRules.write(rules, workspace: name, agents: 1) }
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let boss = try await server.token("supervisor", "boss", workspace: "one")
      let root = try await server.token("admin", "root", workspace: "one")
      let (his, all) = (
        try await server.call("GET", "/metrics", by: boss).description,
        try await server.call("GET", "/metrics", by: root).description
      )
      #expect(his.contains(#"workspace="one""#) && !his.contains(#"workspace="two""#))
      #expect(all.contains(#"workspace="one""#) && all.contains(#"workspace="two""#))
      #expect(try await server.call("GET", "/v1/queues?workspace=two", by: boss).status == 403)
      #expect(
        try await server.call("GET", "/v1/queues?workspace=two", by: root)["workspace"].text
          == "two")
      #expect(try await server.call("GET", "/v1/queues?workspace=three", by: root).status == 404)
    }
  }

  @Test func `an agent with nothing but a phone is ready for calls alone`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let page = try await server.call("GET", "/v1/queues", by: ann)
      let support = try #require(page["queues"].elements.first { $0["name"].text == "support" })
      #expect(support["agents"]["ready_for"].description == #"{"chat":0,"email":0,"phone":1}"#)
      #expect(support["agents"]["ready"].int == 1, "nothing is there yet: a call may come")
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      func ready() async throws -> (page: Int?, metric: Bool) {
        let boss = try await server.token("supervisor", "boss")
        let queues = try await server.call("GET", "/v1/queues", by: boss)["queues"].elements
        let text = String(
          decoding: try await server.call("GET", "/metrics", by: boss).body, as: UTF8.self)
        return (
          queues.first { $0["name"].text == "support" }?["agents"]["ready"].int,
          text.contains("throughline_queue_agents_ready{workspace=\"demo\",queue=\"support\"} 0\n")
        )
      }
      #expect(
        try await ready() == (page: 0, metric: true),
        "a chat waits, and nobody sits where it can be offered")
    }
  }
}
