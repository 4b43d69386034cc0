import Testing

/// What people and monitoring look at.
@Suite(.inTurn) struct PageTests {
  @Test func `health alone is open`() async throws {
    try await TestServer.run { server in
      let reply = try await server.call("GET", "/health")
      #expect(reply.status == 200)
      #expect(reply["status"].text == "ok")
    }
  }

  /// Prometheus' text format 0.0.4, line by line.
  @Test func `metrics parse, and tell of the queues`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      let reply = try await server.call("GET", "/metrics", by: try await server.token("supervisor", "boss"))
      #expect(reply.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
      let text = String(decoding: reply.body, as: UTF8.self)
      #expect(text.hasSuffix("\n"))
      let sample = /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*\})? (-?[0-9.e+]+|NaN|[+-]Inf)/
      var types: [Substring: Substring] = [:]
      var samples: [String: String] = [:]
      for line in text.split(separator: "\n") {
        if line.hasPrefix("# HELP ") { continue }
        if line.hasPrefix("# TYPE ") {
          let words = line.split(separator: " ")
          #expect(words.count == 4 && ["gauge", "counter", "histogram", "summary"].contains(words[3]), "\(line)")
          #expect(types.updateValue(words[3], forKey: words[2]) == nil, "\(words[2]) is declared once")
          continue
        }
        let match = try #require(try sample.wholeMatch(in: line), "not a sample: \(line)")
        #expect(types[match.output.1] != nil, "\(match.output.1) has a type")
        let series = "\(match.output.1)\(match.output.2 ?? "")"
        #expect(samples.updateValue("\(match.output.5)", forKey: series) == nil, "\(series) stands once")
      }
      #expect(samples[#"throughline_queue_waiting{workspace="demo",queue="support"}"#] == "1")
      #expect(samples["throughline_up"] == "1")
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
}
