import Testing

/// What `queues.yaml`, `workspace.yaml` and a route say of routing, at a running server.
@Suite(.inTurn) struct RoutingKeysTests {
  private func run(
    _ files: [(String, String)], agents: Int = 3,
    _ body: @Sendable (TestServer, [String]) async throws -> Void
  ) async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: agents)
    for (name, text) in files { try rules.write("rules/small/" + name, text) }
    try await TestServer.run(rules: rules.path + "/rules") { server in
      var tokens: [String] = []
      for number in 1...agents { tokens.append(try await server.agent("a\(number)")) }
      try await body(server, tokens)
    }
  }

  @Test
  func
    `a case is offered at once to two of the team that its route requires, and the first to accept has it`()
    async throws
  {
    try await run(
      [
        ("queues.yaml", "support: { offers_at_once: 2 }\n"),
        (
          "agents.yaml",
          """
          a1: { queues: support }
          a2: { queues: support, teams: gold }
          a3: { queues: support, teams: [gold, silver] }
          a4: { queues: support, teams: gold }
          """
        ),
        (
          "rules/10-all.yaml",
          "- name: everyone\n  route: { queue: support, teams: gold, exclude: a2 }\n"
        ),
      ], agents: 4
    ) { server, agents in
      let before = try await server.position()
      async let one = server.next(agents[2])
      async let two = server.next(agents[3])
      async let stranger = server.next(agents[0], wait: 1).status
      async let barred = server.next(agents[1], wait: 1).status
      try await eventually("all four ask") { try await server.position() >= before + 4 }
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let offers = [try await one, try await two]
      #expect(offers.map { $0["case"].text } == [aCase, aCase])
      #expect(
        [try await stranger, try await barred] == [204, 204],
        "neither of another team, nor excluded")
      #expect(
        try await server.call("POST", "/v1/offers/\(offers[1]["offer"].text)/accept", by: agents[3])
          .status == 200)
      let late = try await server.call(
        "POST", "/v1/offers/\(offers[0]["offer"].text)/accept", by: agents[2])
      #expect(late.status == 409 && late["type"].text == "urn:throughline:problem:offer-ended")
      #expect(
        try await server.story(aCase).sorted() == [
          "accepted a4", "offered a3", "offered a4", "queued", "revoked a3",
        ])
    }
  }

  @Test func `a bot that falls silent loses the customer to the queue that the workspace names`()
    async throws
  {
    try await run([
      (
        "workspace.yaml",
        "mail_addresses: [help@small.example]\nbots: { robin: }\nbot_silence: { after: 1s, queue: support }\n"
      )
    ]) { server, agents in
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("is anybody there?")
      let offer = try await server.take(agents[0])
      #expect(offer["conversation"].text == chat.conversation)
      #expect(offer["timeline"].texts == ["is anybody there?"])
      #expect(offer["handoff"]["cause"].text == "bot_silent")
    }
  }

  @Test
  func
    `an agent who takes a case and says nothing loses it to the next, and one who speaks keeps it`()
    async throws
  {
    try await run([("queues.yaml", "support: { first_reply: 1s }\n")]) { server, agents in
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      try await chat.handoff()
      let aCase = try await server.take(agents[0])["case"].text
      let second = try await server.take(agents[1])
      #expect(second["case"].text == aCase)
      let refused = try await server.reply("sorry, I was away", to: aCase, by: agents[0])
      #expect([403, 409].contains(refused.status), "it is no longer theirs")
      #expect(try await server.reply("here I am", to: aCase, by: agents[1]).status == 201)
      #expect(try await server.next(agents[2], wait: 2).status == 204, "whoever spoke keeps it")
    }
  }
}
