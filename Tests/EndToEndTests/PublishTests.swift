import Foundation
import Testing

@testable import Server

/// Rules that change in the middle of everything else.
@Suite(.inTurn) struct PublishTests {
  /// Version after version in turn: its queue is told by its number.
  private static let queues = ["support", "vip"]

  private static func rules(to queue: String) -> String {
    "- name: all to \(queue)\n  route: { queue: \(queue), tags: [\(queue)] }\n"
  }

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try SmallRules.write(folder, workspace: "small", agents: 1)
    try folder.write("rules/small/queues.yaml", "support:\nvip:\n")
    try folder.write("rules/small/agents.yaml", "a1: { queues: [support, vip], capacity: 50 }\n")
    try folder.write("rules/small/rules/10-all.yaml", Self.rules(to: "support"))
    return folder
  }

  private func files(_ folder: TemporaryFolder, _ queue: String) -> Body {
    SmallRules.files(folder, rules: Self.rules(to: queue))
  }

  @Test func `what new rules make due happens by itself, with nobody asking`() async throws {
    let folder = try folder()
    try folder.write(
      "rules/small/agents.yaml", "a1: { queues: [vip] }\na2: { queues: [support] }\n")
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      let handed = try await chat.handoff()
      #expect(handed["owner"]["name"].text == "support", "\(handed)")
      let agent = try await server.agent("a1")
      // It is there before the rules come: whatever is asked after them would wake the server.
      async let offered = server.next(agent, wait: 20)
      try await eventually("a1 waits") {
        try await server.call("GET", "/v1/agents/me", by: agent)["asks"]["next"].description
          == "true"
      }
      try folder.write(
        "rules/small/queues.yaml",
        "support:\n  max_wait: { limit: 1s, then: { queue: vip } }\nvip:\n")
      let published = try await server.call(
        "POST", "/v1/rules", ["files": files(folder, "support")], by: admin)
      #expect(published.status == 201, "\(published)")
      let offer = try await offered
      #expect(offer.status == 200 && offer["case"].text == handed["case"].text, "\(offer)")
    }
  }

  @Test func `whoever publishes away the only agent that a waiting case could have is told so`()
    async throws
  {
    let folder = try folder()
    @Sendable func agent(_ skills: String) throws {
      try folder.write(
        "rules/small/agents.yaml",
        "a1: { queues: [support], skills: { \(skills) } }\na2: { queues: [support], skills: { polish: 9 } }\n"
      )
    }
    let rules = "- name: all\n  route: { queue: support, skills: { polish: 3 }, agents: [a1] }\n"
    try folder.write("rules/small/skills.yaml", "polish:\n")
    try folder.write("rules/small/rules/10-all.yaml", rules)
    try agent("polish: 5")
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let publish = {
        try await server.call(
          "POST", "/v1/rules", ["files": SmallRules.files(folder, rules: rules)], by: admin)
      }
      try agent("polish: 3")
      var published = try await publish()
      #expect(published.status == 201 && !published.description.contains(aCase), "\(published)")
      // The rules are refused where they name a level that nobody has; these ask less of new cases.
      try agent("polish: 2")
      let eased = rules.replacing("polish: 3", with: "polish: 1")
      published = try await server.call(
        "POST", "/v1/rules", ["files": SmallRules.files(folder, rules: eased)], by: admin)
      #expect(published.status == 201, "\(published)")
      let told = published.json["warnings"].elements.map(\.text).last ?? ""
      #expect(told.hasPrefix("one case is waiting") && told.contains(aCase), "\(published)")
    }
  }

  @Test func `a case that comes while rules are published is routed by the whole of one version`()
    async throws
  {
    let folder = try folder()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      let bot = try await server.token("bot", "robin")
      let supervisor = try await server.token("supervisor", "boss")
      let cases = try await withThrowingTaskGroup(of: [(id: String, owner: String)].self) { group in
        for _ in 0..<4 {
          group.addTask {
            var made: [(id: String, owner: String)] = []
            for _ in 0..<25 {
              let chat = try await server.open(bot)
              try await chat.customer("help")
              let handed = try await chat.handoff()
              made.append((handed["case"].text, handed["owner"]["name"].text))
            }
            return made
          }
        }
        for number in 2...15 {
          let published = try await server.call(
            "POST", "/v1/rules", ["files": files(folder, Self.queues[number % 2 == 0 ? 1 : 0])],
            by: admin)
          #expect(published.status == 201 && published["version"].int == number, "\(published)")
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(cases.count == 100)
      var versions: Set<Int> = []
      for (id, owner) in cases {
        let why = try await server.administer("GET", "/admin/explain?case=\(id)")["why"]
        let version = try #require(why["rule_version"].int)
        versions.insert(version)
        let queue = Self.queues[version % 2 == 0 ? 1 : 0]
        #expect(owner == queue && why["rule_name"].text == "all to \(queue)", "version \(version)")
        let told = try await server.call("GET", "/v1/cases/\(id)", by: supervisor)
        #expect(told["tags"].elements.map(\.text) == [queue])
      }
      #expect(versions.count > 1, "cases came while rules changed: \(versions)")
    }
  }

  @Test func `killed while it publishes, a server goes on with the whole of the old or the new`()
    async throws
  {
    let folder = try folder()
    var run = try await Served(folder, ["--rules", folder.path + "/rules"])
    let admin = try await run.token("--admin", "olga")
    var acknowledged = 1
    for turn in 0..<12 {
      let queue = Self.queues[(acknowledged + 1) % 2 == 0 ? 1 : 0]
      let (body, serving) = (files(folder, queue), run)
      async let answer = try? serving.call("POST", "/v1/rules", ["files": body], by: admin)
      try await Task.sleep(for: .milliseconds(4 * turn))
      try await run.kill()
      let heard = await answer
      try await run.start()
      let now = try await run.call("GET", "/v1/rules", by: admin)
      let number = try #require(now["version"].int)
      if heard?.status == 201 {
        #expect(number == acknowledged + 1, "what was acknowledged applies")
      } else {
        #expect(number == acknowledged || number == acknowledged + 1)
      }
      let running = Self.queues[number % 2 == 0 ? 1 : 0]
      #expect(now["rules"].elements.map { $0["name"].text } == ["all to \(running)"])
      let kept = try await run.call("GET", "/v1/rules/\(number)", by: admin)
      #expect(kept["files"]["rules/10-all.yaml"].text == Self.rules(to: running))
      #expect(now["versions"].elements.map { $0["version"].int } == Array((1...number).reversed()))
      acknowledged = number
    }
    run.process.peer.signal(SIGTERM)
    _ = try await run.process.peer.end()
    #expect(try FolderCheck(folder.path + "/data").findings == [])
  }

  @Test func `who publishes over a version that no longer runs is told who was faster`()
    async throws
  {
    let folder = try folder()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      func publish(_ queue: String, over: Int?) async throws -> Reply {
        var body: [(String, Body)] = [("files", files(folder, queue))]
        if let over { body.append(("over", .number(over))) }
        return try await server.call("POST", "/v1/rules", .object(body), by: admin)
      }
      #expect(try await publish("vip", over: 1)["version"].int == 2)
      let late = try await publish("support", over: 1)
      #expect(late.status == 409 && late["type"].text.hasSuffix("another-version-runs"), "\(late)")
      #expect(late["detail"].text.contains("version 2 runs, published by admin:olga"), "\(late)")
      let back = try await server.call(
        "POST", "/v1/rules/rollback", ["version": 1, "over": 1], by: admin)
      #expect(back.status == 409)
      // What runs already needs nothing done.
      #expect(try await publish("vip", over: 1).status == 200)
      let running = try await server.call("GET", "/v1/rules", by: admin)
      #expect(running["version"].int == 2)
      let text = try await Peer.run(
        try Binary.path,
        [
          "rules", "publish", folder.path + "/rules/small", "--over", "1", "--data",
          server.settings.data,
        ])
      #expect(text.status != 0 && text.lines.joined().contains("version 2 runs"), "\(text.lines)")
      #expect(try await publish("support", over: 2)["version"].int == 3)
    }
  }
}
