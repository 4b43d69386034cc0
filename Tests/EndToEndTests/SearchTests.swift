import Testing

/// Full-text search, as agents and supervisors use it.
@Suite(.inTurn) struct SearchTests {
  /// Asks until the index has seen all there is; it runs behind the commits and says how far it has
  /// come.
  private func search(_ server: TestServer, _ query: String, by token: String) async throws -> Reply
  {
    while true {
      let reply = try await server.call("GET", "/v1/search?\(query)", by: token)
      guard reply.status == 200, let seen = reply["seen"].int, let last = reply["last"].int,
        seen < last
      else { return reply }
    }
  }

  private func texts(_ reply: Reply) -> [String] {
    reply["hits"].elements.map { $0["entry"]["text"].text }
  }

  @Test
  func `an agent finds what was said on any channel, newest first, with what was found marked`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let first = try await server.open(bot, email: "jo@home.example")
      try await first.customer("the blue kettle leaks")
      let second = try await server.open(bot, email: "bo@home.example")
      try await second.customer("does a kettle whistle?")
      let both = try await search(server, "q=kettle", by: ann)
      #expect(texts(both) == ["does a kettle whistle?", "the blue kettle leaks"])
      #expect(
        both["hits"].elements.map { $0["customer"].text } == [second.customer, first.customer])
      #expect(
        both["hits"][1]["excerpt"].description
          == #"[{"text":"the blue "},{"text":"kettle","match":true},{"text":" leaks"}]"#)
      #expect(both["older"].isNull)
      #expect(
        texts(try await search(server, "q=kettle&customer=\(first.customer)", by: ann)) == [
          "the blue kettle leaks"
        ])
      #expect(texts(try await search(server, "q=kettle&channel=phone", by: ann)).isEmpty)
      #expect(
        texts(try await search(server, "q=kettle&channel=chat&limit=1", by: ann)) == [
          "does a kettle whistle?"
        ])
      #expect(try await search(server, "q=kettle&limit=1", by: ann)["older"].int != nil)
    }
  }

  @Test func `a search by queue and agent finds whole conversations`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot, email: "jo@home.example")
      try await chat.customer("the kettle again")
      let other = try await server.open(bot, email: "bo@home.example")
      try await other.customer("no kettle for me")
      let queue = try await chat.handoff()["owner"]["name"].text
      #expect(
        texts(try await search(server, "q=kettle&queue=\(queue)", by: ann)) == ["the kettle again"])
      #expect(texts(try await search(server, "q=kettle&agent=ann", by: ann)).isEmpty)
      _ = try await server.take(ann)
      #expect(
        texts(try await search(server, "q=kettle&agent=ann", by: ann)) == ["the kettle again"])
      let wrong = try await server.call("GET", "/v1/search?q=kettle&queue=nowhere", by: ann)
      #expect(
        wrong.status == 422
          && wrong["detail"].text.contains("there is no queue \"nowhere\"; there are "))
    }
  }

  @Test func `only those who may read timelines may search them, and each only in their workspace`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "jo@home.example")
      try await chat.customer("kettle")
      for (scope, holder, status) in [
        ("bot", "webshop", 403), ("integration", "shop", 403), ("telephony", "pbx", 403),
        ("supervisor", "sue", 200),
        ("admin", "root", 200),
      ] {
        let token = try await server.token(scope, holder)
        #expect(
          try await server.call("GET", "/v1/search?q=kettle", by: token).status == status,
          "\(scope)")
      }
      let sue = try await server.token("supervisor", "sue")
      #expect(texts(try await search(server, "q=kettle", by: sue)) == ["kettle"])
      for query in ["", "?q=", "?q=%20", "?q=a&limit=0", "?q=a&from=yesterday", "?q=a&channel=fax"]
      {
        #expect(
          try await server.call("GET", "/v1/search\(query)", by: sue).status == 422, "\(query)")
      }
      #expect(try await server.call("GET", "/v1/search?q=a&customer=nobody", by: sue).status == 404)
      #expect(try await server.call("POST", "/v1/search?q=a", by: sue).status == 405)
    }
  }

  @Test func `more words than may be asked for are refused, and none is passed over`() async throws
  {
    try await TestServer.run { server in
      let sue = try await server.token("supervisor", "sue")
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("the kettle leaks")
      func hits(_ query: [String]) async throws -> Int {
        try await server.call("GET", "/v1/search?q=\(query.joined(separator: "+"))", by: sue)[
          "hits"
        ].elements.count
      }
      while try await hits(["kettle"]) == 0 {}
      let many = Array(repeating: "kettle", count: 63)
      #expect(try await hits(many + ["leaks"]) == 1)
      #expect(try await hits(many + ["nowhere"]) == 0)
      let over = try await server.call(
        "GET", "/v1/search?q=\((many + ["a", "b"]).joined(separator: "+"))", by: sue)
      #expect(over.status == 422 && over["type"].text.hasSuffix("too-many-words"), "\(over)")
    }
  }
}
