import Testing

/// Rules that change under a running server.
@Suite(.inTurn) struct RulesTests {
  @Test func `a broken rule file is refused with its place, and the running rules stay`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let before = try await server.position()
      try rules.write(
        "rules/small/rules/10-all.yaml",
        "- name: everyone\n  when: session.chanel == \"chat\"\n  route:\n    queue: suport\n")
      let refused = try await server.administer("POST", "/admin/reload")
      #expect(refused.status == 422)
      #expect(refused["detail"].text.contains("10-all.yaml:2:"))
      #expect(refused["detail"].text.contains("10-all.yaml:4:12"))
      #expect(refused["detail"].text.contains("support"), "it names the nearest")
      #expect(try await server.position() == before)
      let chat = try await server.open(bot)
      try await chat.customer("help")
      #expect(try await chat.handoff()["owner"]["name"].text == "support")
    }
  }

  @Test func `a server does not start on broken rules, and says where they are broken`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 1)
    try rules.write("rules/small/rules/10-all.yaml", "- name: everyone\n  route:\n    queue: [\n")
    let fault = #expect(throws: (any Error).self) { try TestServer(rules: rules.path + "/rules") }
    #expect("\(try #require(fault))".contains("10-all.yaml:"))
  }

  @Test func `new rules apply to the next case, and a new agent can get it`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try rules.write("rules/small/agents.yaml", "a1:\n  queues: [support]\nnina:\n  queues: [quiet]\n")
      try rules.write("rules/small/rules/10-all.yaml", "- name: everyone\n  route:\n    queue: quiet\n")
      #expect(try await server.administer("POST", "/admin/reload").status == 200)
      let nina = try await server.agent("nina")
      let handed = try await chat.handoff()
      #expect(handed["owner"]["name"].text == "quiet")
      let offer = try await server.next(nina)
      #expect(offer["case"].text == handed["case"].text)
      #expect(offer["why"]["rule_version"].int == 2)
    }
  }

  @Test func `rules that have not changed make no new version`() async throws {
    try await TestServer.run { server in
      let before = try await server.position()
      #expect(try await server.administer("POST", "/admin/reload").status == 200)
      #expect(try await server.position() == before)
      try await server.restart()
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let ann = try await server.agent("ann")
      #expect(try await server.call("GET", "/v1/cases/\(aCase)", by: ann)["why"]["rule_version"].int == 1)
    }
  }
}
