import Foundation
import Testing

/// Rules that change under a running server.
@Suite(.inTurn) struct RulesTests {
  @Test func `a broken rule file is refused with its place, and the running rules stay`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let before = try await server.position()
      try rules.write(
        "rules/small/rules/10-all.yaml",
        "- name: everyone\n  when: session.chanel == \"chat\"\n  route:\n    queue: suport\n")
      try rules.write("rules/small/notes.txt", "to be mended")
      let refused = try await server.administer("POST", "/admin/reload")
      #expect(refused.status == 422)
      let told = refused["detail"].text
      let (error, warning) = (told.range(of: ": error: "), told.range(of: ": warning: "))
      #expect(
        try #require(error).lowerBound < #require(warning).lowerBound,
        "what it is refused for stands first: \(told)")
      #expect(refused["detail"].text.contains("10-all.yaml:2:"))
      #expect(refused["detail"].text.contains("10-all.yaml:4:12"))
      #expect(refused["detail"].text.contains("support"), "it names the nearest")
      #expect(try await server.position() == before)
      let chat = try await server.open(bot)
      try await chat.customer("help")
      #expect(try await chat.handoff()["owner"]["name"].text == "support")
    }
  }

  @Test func `a server does not start on broken rules, and says where they are broken`()
    async throws
  {
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
      try rules.write(
        "rules/small/agents.yaml", "a1:\n  queues: [support]\nnina:\n  queues: [quiet]\n")
      try rules.write(
        "rules/small/rules/10-all.yaml", "- name: everyone\n  route:\n    queue: quiet\n")
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
      #expect(
        try await server.call("GET", "/v1/cases/\(aCase)", by: ann)["why"]["rule_version"].int == 1)
    }
  }

  @Test func `a reload is all or nothing: with a fault in one workspace no other changes`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "one", agents: 1)
    try SmallRules.write(rules, workspace: "two", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let before = (try await server.position("one"), try await server.position("two"))
      try rules.write(
        "rules/one/rules/10-all.yaml", "- name: everyone\n  route:\n    queue: quiet\n")
      try rules.write(
        "rules/two/rules/10-all.yaml", "- name: everyone\n  route:\n    queue: nowhere\n")
      let refused = try await server.administer("POST", "/admin/reload")
      #expect(refused.status == 422)
      #expect(refused["detail"].text.hasPrefix("nothing was loaded"))
      #expect(refused["detail"].text.contains("workspace two:\n"))
      #expect(refused["detail"].text.contains("rules/10-all.yaml:3:"))
      #expect(try await server.position("one") == before.0)
      #expect(try await server.position("two") == before.1)
      let chat = try await server.open(try await server.token("bot", "robin", workspace: "one"))
      try await chat.customer("help")
      #expect(try await chat.handoff()["owner"]["name"].text == "support", "the running rule")

      try rules.write(
        "rules/two/rules/10-all.yaml", "- name: everyone\n  route:\n    queue: support\n")
      let loaded = try await server.administer("POST", "/admin/reload")
      #expect(loaded.status == 200)
      let changes = loaded["workspaces"].elements.map {
        "\($0["name"].text) \($0["change"].text) \($0["version"].int ?? 0)"
      }
      #expect(changes == ["one changed 2", "two unchanged 1"])
    }
  }

  @Test func `rules that would strand cases are refused until nobody stands there`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "one", agents: 2)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let (first, second) = (try await server.agent("a1"), try await server.agent("a2"))
      let bot = try await server.token("bot", "robin")
      let (kept, waiting) = (try await server.open(bot), try await server.open(bot))
      try await kept.customer("mine")
      try await kept.handoff()
      let held = try await server.take(first)["case"].text
      try await waiting.customer("waits")
      try await waiting.handoff()

      try SmallRules.write(rules, workspace: "one", agents: 1)
      let agents = try String(
        contentsOfFile: rules.path + "/rules/one/agents.yaml", encoding: .utf8)
      func write(agents: String, queue: String) throws {
        try rules.write(
          "rules/one/agents.yaml", agents.replacingOccurrences(of: "[support]", with: "[\(queue)]"))
        try rules.write(
          "rules/one/queues.yaml",
          "\(queue):\n  title: Support\nquiet:\n  title: Nobody works here\n")
        try rules.write(
          "rules/one/rules/10-all.yaml", "- name: everyone\n  route:\n    queue: \(queue)\n")
      }
      try write(agents: agents.replacingOccurrences(of: "a1:", with: "b1:"), queue: "help")
      let refused = try await server.administer("POST", "/admin/reload")
      #expect(refused.status == 422)
      #expect(
        refused["detail"].text.contains("the queue support is to go while one case is in it"),
        "\(refused)")
      #expect(refused["detail"].text.contains("while one case is from it, with an agent or parked"))
      #expect(refused["detail"].text.contains("the agent a1 is to go while one case is with them"))
      #expect(refused["detail"].text.contains("/v1/cases/\(held)/requeue"))

      let aCase = try await server.take(second)["case"].text
      for (id, agent) in [(held, first), (aCase, second)] {
        #expect(try await server.close(id, by: agent).status == 200)
      }
      #expect(try await server.administer("POST", "/admin/reload").status == 200)
      let boss = try await server.token("supervisor", "boss")
      let queues = try await server.call("GET", "/v1/queues", by: boss)["queues"].elements.map {
        $0["name"].text
      }
      #expect(queues.sorted() == ["help", "quiet"])
    }
  }

  @Test
  func
    `what a changed folder strands at a start stays to be seen, and is served when its queue is back`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "one", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("still here")
      let aCase = try await chat.handoff()["case"].text
      let supervisor = try await server.token("supervisor", "boss")
      try rules.write("rules/one/queues.yaml", "help:\n  title: Help\n")
      try rules.write(
        "rules/one/agents.yaml", "a1:\n  skills: { english: 5 }\n  queues: [help]\n  capacity: 50\n"
      )
      try rules.write(
        "rules/one/rules/10-all.yaml", "- name: everyone\n  route:\n    queue: help\n")
      try await server.restart()
      let queues = try await server.call("GET", "/v1/queues", by: supervisor)["queues"].elements
      let support = queues.first { $0["name"].text == "support" }
      #expect(
        support?["waiting"].int == 1 && support?["in_rules"].description == "false", "\(queues)")
      #expect(queues.first { $0["name"].text == "help" }?["in_rules"].isAbsent == true)
      let metrics = try await server.call("GET", "/metrics", by: supervisor).description
      let stranded = #"throughline_queue_stranded{workspace="one",queue="#
      #expect(metrics.contains(#"\#(stranded)"support"} 1"#), "\(metrics)")
      #expect(metrics.contains(#"\#(stranded)"help"} 0"#))
      #expect(
        try await server.call("GET", "/v1/cases/\(aCase)", by: supervisor)["queue"].text
          == "support")
      try SmallRules.write(rules, workspace: "one", agents: 1)
      #expect(try await server.administer("POST", "/admin/reload").status == 200)
      #expect(try await server.take(try await server.agent("a1"))["case"].text == aCase)
    }
  }

  @Test func `two workspaces cannot both take the mail of one address`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "one", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      try SmallRules.write(rules, workspace: "two", agents: 1, mail: "help@one.example")
      let refused = try await server.administer("POST", "/admin/reload")
      #expect(refused.status == 422)
      #expect(
        refused["detail"].text.contains(
          "help@one.example stands in one/workspace.yaml and in two/workspace.yaml"))
      let fault = await #expect(throws: (any Error).self) {
        try await TestServer.run(rules: rules.path + "/rules") { _ in }
      }
      #expect(fault.map { "\($0)" }?.contains("help@one.example stands in") == true)
    }
  }

  @Test
  func
    `a new folder is a new workspace at once, with its bots, mail and agents, and after a restart too`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "one", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      try SmallRules.write(rules, workspace: "fresh", agents: 1)
      let loaded = try await server.administer("POST", "/admin/reload")
      #expect(loaded.status == 200)
      let added = try #require(loaded["workspaces"].elements.first { $0["name"].text == "fresh" })
      #expect(added["change"].text == "added")
      #expect(added["version"].int == 1)
      #expect(added["rules"].int == 1)
      let agent = try await server.agent("a1", workspace: "fresh")
      let chat = try await server.open(try await server.token("bot", "robin", workspace: "fresh"))
      try await chat.customer("hello from the new one")
      try await chat.handoff()
      #expect(try await server.take(agent)["timeline"].texts == ["hello from the new one"])
      var letter = Letter()
      letter.to = "help@fresh.example"
      #expect(try await server.deliver(letter) == 250)
      try await server.restart()
      #expect(try await server.call("GET", "/v1/queues", by: agent).status == 200)
      let again = try await server.administer("POST", "/admin/reload")
      #expect(again["workspaces"].elements.map { $0["change"].text } == ["unchanged", "unchanged"])
      // A start without its folder goes on without it, and says so.
      try FileManager.default.removeItem(atPath: rules.path + "/rules/fresh")
      let log = HeardLog()
      defer { log.stop() }
      try await server.restart()
      #expect(log.lines.count { $0.contains("workspace fresh has data and no folder") } == 1)
    }
  }

  @Test
  func `what the router cannot take is refused before anything changes, and at the start too`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "one", agents: 1)
    let devices = (1...17).map { "PJSIP/a\($0)" }.joined(separator: ", ")
    let broken = "a1:\n  queues: [support]\n  devices: [\(devices)]\n"
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let before = try await server.position()
      try rules.write("rules/one/agents.yaml", broken)
      let refused = try await server.administer("POST", "/admin/reload")
      #expect(refused.status == 422)
      #expect(refused["detail"].text.contains("a1"))
      #expect(refused["detail"].text.contains("17"))
      #expect(try await server.position() == before)
    }
    let fault = #expect(throws: (any Error).self) { try TestServer(rules: rules.path + "/rules") }
    #expect("\(try #require(fault))".contains("a1"))
  }

  @Test func `a running workspace whose folder is gone is told, and keeps running`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "one", agents: 1)
    try SmallRules.write(rules, workspace: "two", agents: 1)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      try FileManager.default.removeItem(atPath: rules.path + "/rules/two")
      let refused = try await server.administer("POST", "/admin/reload")
      #expect(refused.status == 422)
      #expect(refused["detail"].text.contains("two"))
      let bot = try await server.token("bot", "robin", workspace: "two")
      #expect(try await server.call("POST", "/v1/sessions", [:], by: bot).status == 201)
    }
  }
}
