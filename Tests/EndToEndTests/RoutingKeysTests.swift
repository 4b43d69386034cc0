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

  @Test func `statuses of the workspace's own are chosen, explained, and kept over a restart`()
    async throws
  {
    let statuses = """
      bots: { robin: }
      statuses:
        coaching: { title: Coaching, as: busy, reason: required }
        mail_only: { title: Mail only, as: available, channels: email }

      """
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 2)
    try rules.write("rules/small/workspace.yaml", statuses)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let (a1, boss) = (try await server.agent("a1"), try await server.token("supervisor", "boss"))
      let bare = try await server.call(
        "PUT", "/v1/agents/me/status", ["status": "coaching"], by: a1)
      #expect(bare.status == 422 && bare["field"].text == "reason")
      #expect(
        try await server.call(
          "PUT", "/v1/agents/me/status", ["status": "coaching", "reason": "Ida's first day"], by: a1
        ).status == 200)
      #expect(
        try await server.call(
          "PUT", "/v1/agents/me/status",
          ["status": "break", "channels": ["phone"], "reason": "no voice"], by: a1
        ).status == 200)
      for _ in 1...2 {
        let shown = try await server.call("GET", "/v1/agents", by: boss)["agents"].elements[0]
        #expect(shown["status"].text == "coaching" && shown["counts_as"].text == "busy")
        #expect(shown["reason"].text == "Ida's first day")
        let idle = try await server.call("GET", "/v1/explain?agent=a1", by: boss)
        #expect(idle["status"].text == "coaching" && idle["hindered_by"].text == "not_available")
        #expect(idle["reason"].text == "Ida's first day")
        #expect(idle["channel_statuses"]["phone"]["status"].text == "break")
        #expect(idle["channel_statuses"]["phone"]["reason"].text == "no voice")
        try await server.restart()
      }
      let then = try await server.call("GET", "/v1/agents/me", by: a1)["statuses"].elements
      #expect(then.last?["title"].text == "Mail only")
      // What the rules no longer have nobody chooses; whoever is in it stays.
      try rules.write("rules/small/workspace.yaml", "bots: { robin: }\n")
      #expect(try await server.administer("POST", "/admin/reload").status == 200)
      let stays = try await server.call("GET", "/v1/agents/me", by: a1)
      #expect(stays["status"].text == "coaching" && stays["reason"].text == "Ida's first day")
      let gone = try await server.call(
        "PUT", "/v1/agents/me/status", ["status": "coaching", "reason": "more"], by: a1)
      #expect(gone["type"].text == "urn:throughline:problem:unknown-status")
    }
  }

  @Test func `a call takes the whole agent, but for who may do something beside`() async throws {
    try await run(
      [
        (
          "agents.yaml",
          """
          a1: { queues: support, devices: PJSIP/a1, voice_exclusive: false }
          a2: { queues: support, devices: PJSIP/a2 }
          """
        ),
        (
          "workspace.yaml",
          "bots: { robin: }\nphone_systems: { hook: { api: http, networks: [127.0.0.1] } }\n"
        ),
      ], agents: 2
    ) { server, agents in
      let hook = try await server.token("telephony", "hook")
      for (index, agent) in agents.enumerated() {
        let call = "call\(index)"
        let ring = try await server.call(
          "POST", "/v1/calls", ["call": .text(call), "from": .text("+1202555014\(index)")], by: hook
        )
        #expect(ring["device"].text == "PJSIP/a\(index + 1)")
        try await server.call(
          "POST", "/v1/calls/\(call)/events",
          ["event": "answered", "offer": .text(ring["offer"].text)], by: hook)
        let me = try await server.call("GET", "/v1/agents/me", by: agent)
        #expect(me["hindered_by"].text == ["not_asking", "on_call"][index])
        let other = try await server.call(
          "PUT", "/v1/agents/me/status", ["status": "busy"], by: agent)
        #expect(other.status == 200)
      }
    }
  }
}
