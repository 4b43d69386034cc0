import Foundation
import RuleFiles
import Server
import Testing

/// The folder that rules are read from while a server runs, and what is published beside it.
@Suite(.inTurn) struct RuleFolderTests {
  private func small() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try SmallRules.write(folder, workspace: "small", agents: 1)
    return folder
  }

  private func rules(_ name: String) -> String {
    "- name: \(name)\n  route: { queue: support }\n"
  }

  private func running(_ server: TestServer, _ admin: String) async throws -> (Int?, String?) {
    let now = try await server.call("GET", "/v1/rules", by: admin)
    return (now["version"].int, now["rules"].elements.first?["name"].string)
  }

  @Test func `what lies behind a link is read as what lies in the folder`() async throws {
    let folder = try small()
    let files = FileManager.default
    try files.moveItem(atPath: folder.path + "/rules/small", toPath: folder.path + "/elsewhere")
    try files.createSymbolicLink(
      atPath: folder.path + "/rules/small", withDestinationPath: "../elsewhere")
    try files.moveItem(atPath: folder.path + "/elsewhere/rules", toPath: folder.path + "/shared")
    try files.createSymbolicLink(
      atPath: folder.path + "/elsewhere/rules", withDestinationPath: folder.path + "/shared")
    let path = (try files.contentsOfDirectory(atPath: folder.path + "/shared"))[0]
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      for (version, name) in [(2, "renamed"), (3, "renamed again")] {
        try folder.write("shared/\(path)", rules(name))
        let reloaded = try await server.administer("POST", "/admin/reload")
        #expect(reloaded["workspaces"].elements.map { $0["change"].text } == ["changed"])
        #expect(try await running(server, admin) == (version, name))
      }
      await server.stop()
      try folder.write("shared/\(path)", rules("while nobody served"))
      try await server.start()
      #expect(try await running(server, admin) == (4, "while nobody served"))
      let kept = try await server.call("GET", "/v1/rules/4", by: admin)
      #expect(kept["files"]["rules/\(path)"].text == rules("while nobody served"))
    }
  }

  @Test func `pipes and large strangers in a folder hinder nobody who does not read them`()
    async throws
  {
    let folder = try small()
    try folder.write(
      "rules/small/old/dump.yaml", String(repeating: "# nothing\n", count: 500_000))
    try FileManager.default.createDirectory(
      atPath: folder.path + "/rules/small/notes", withIntermediateDirectories: true)
    try #require(mkfifo(folder.path + "/rules/small/notes/pipe.yaml", 0o600) == 0)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      var texts = RuleSource.texts(in: folder.path + "/rules/small")
      for path in texts.keys where path.hasPrefix("rules/") { texts[path] = rules("sent") }
      let files: Body = .object(texts.map { ($0.key, .text($0.value)) })
      let sent = try await server.call("POST", "/v1/rules", ["files": files], by: admin)
      #expect(sent.status == 201, "\(sent)")
      // What nobody reads changes nothing.
      try folder.write("rules/small/old/dump.yaml", "changed")
      let again = try await server.administer("POST", "/admin/reload")
      #expect(again.status == 200 && again["workspaces"].elements[0]["change"].text == "unchanged")
      #expect(try await running(server, admin) == (2, "sent"))

      let pipe = folder.path + "/rules/small/rules/99-pipe.yaml"
      try #require(mkfifo(pipe, 0o600) == 0)
      let refused = try await server.administer("POST", "/admin/reload")
      #expect(
        refused.status == 422
          && refused["detail"].text.contains("rules/99-pipe.yaml: error: this is no file"),
        "\(refused)")
      #expect(try await running(server, admin) == (2, "sent"))
    }
  }

  @Test func `an edit of the folder that nobody has loaded outlives what is published`()
    async throws
  {
    let folder = try small()
    let path = try #require(
      RuleSource.texts(in: folder.path + "/rules/small").keys.first { $0.hasPrefix("rules/") })
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      func publish(_ name: String) async throws {
        var texts = RuleSource.texts(in: folder.path + "/rules/small")
        texts[path] = rules(name)
        let files: Body = .object(texts.map { ($0.key, .text($0.value)) })
        let sent = try await server.call("POST", "/v1/rules", ["files": files], by: admin)
        #expect(sent.status == 201, "\(sent)")
      }
      func reload() async throws -> String {
        try await server.administer("POST", "/admin/reload")["workspaces"].elements[0]["change"]
          .text
      }
      try folder.write("rules/small/\(path)", rules("edited"))
      try await publish("sent meanwhile")
      #expect(try await running(server, admin) == (2, "sent meanwhile"))
      #expect(try await reload() == "changed")
      #expect(try await running(server, admin) == (3, "edited"))

      // What is sent from the folder is loaded by that: taken back, it stays so.
      try folder.write("rules/small/\(path)", rules("edited once more"))
      try await publish("edited once more")
      #expect(try await reload() == "unchanged")
      let back = try await server.call("POST", "/v1/rules/rollback", ["version": 3], by: admin)
      #expect(back.status == 201)
      #expect(try await reload() == "unchanged")
      try await server.restart()
      #expect(try await running(server, admin) == (5, "edited"))
    }
  }

  @Test
  func `a case that waits is told what the rules say that routed it, whatever applies by then`()
    async throws
  {
    let folder = try small()
    try folder.write(
      "rules/small/queues.yaml",
      "support:\n  max_wait: { limit: 2s, then: { answer: still here } }\n")
    let path = try #require(
      RuleSource.texts(in: folder.path + "/rules/small").keys.first { $0.hasPrefix("rules/") })
    try folder.write(
      "rules/small/\(path)",
      "- name: all\n  route: { queue: support, steps: [{ after: 1s, message: one moment }] }\n")
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let chat = try await server.open(bot)
      try await chat.customer("hello")
      #expect(try await chat.handoff().status == 201)
      try folder.write("rules/small/\(path)", rules("without words"))
      #expect(try await server.administer("POST", "/admin/reload").status == 200)
      try await server.restart()
      var said: [String] = []
      var after = chat.after
      let end = ContinuousClock.now + .seconds(20)
      while said.count < 2, ContinuousClock.now < end {
        let events = try await chat.events(after: after, wait: 2)
        for event in events["events"].elements {
          if event["author"]["kind"].string == "system" { said.append(event["text"].text) }
        }
        after = events["after"].int ?? after
      }
      #expect(said == ["one moment", "still here"])
    }
  }

  @Test(arguments: [
    ("my text", #"{"reason":"Q &A: *A"}"#),
    ("a long name", #"{"reason":"x","fields":{"\#(String(repeating: "k", count: 1_100))":1}}"#),
    ("one name in two forms", #"{"reason":"x","fields":{"\u00e9":1,"e\u0301":2}}"#),
  ])
  func `a past case can be explained whatever it was told`(_: String, handoff: String) async throws
  {
    let folder = try small()
    let path = try #require(
      RuleSource.texts(in: folder.path + "/rules/small").keys.first { $0.hasPrefix("rules/") })
    try folder.write(
      "rules/small/\(path)",
      "- name: never\n  when: handoff.reason == \"never\" && size(handoff.fields) == 9\n  reject: no\n"
        + rules("all"))
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let sam = try await server.token("supervisor", "sam")
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("hello")
      let handed = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/handoff", raw: Array(handoff.utf8), by: chat.bot)
      let why = try await server.call(
        "POST", "/v1/rules/explain", ["case": .text(handed["case"].text)], by: sam)
      #expect(why.status == 200 && why["explanation"]["rule"].text == "all", "\(why)")
      let facts = #"{"facts":{"session":{"channel":"chat"},"handoff":\#(handoff)}}"#
      let tried = try await server.call(
        "POST", "/v1/rules/explain", raw: Array(facts.utf8), by: sam)
      #expect(tried.status == 200 && tried["explanation"]["rule"].text == "all", "\(tried)")
    }
  }

  @Test func `rules of many megabytes are published as they are loaded`() async throws {
    let folder = try small()
    let comment = String(repeating: "# \"nothing\"\n", count: 40_000)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      for number in 0..<4 {
        try folder.write(
          "rules/small/rules/0\(number).yaml",
          comment + "- name: r\(number)\n  when: \"false\"\n  reject: x\n")
      }
      let texts = RuleSource.texts(in: folder.path + "/rules/small")
      #expect(texts.values.reduce(0) { $0 + $1.utf8.count } > 1 << 20)
      let files: Body = .object(texts.map { ($0.key, .text($0.value)) })
      let sent = try await server.call("POST", "/v1/rules", ["files": files], by: admin)
      #expect(sent.status == 201, "\(sent)")
      let again = try await server.administer("POST", "/admin/rules", ["files": files])
      #expect(again.status == 200, "\(again)")
      let bot = try await server.token("bot", "robin")
      let other = try await server.call("POST", "/v1/sessions", ["x": files], by: bot)
      #expect(other.status == 413)
    }
  }

  @Test func `rules go back alone where a case stands in what they brought`() async throws {
    let folder = try small()
    let path = try #require(
      RuleSource.texts(in: folder.path + "/rules/small").keys.first { $0.hasPrefix("rules/") })
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      var texts = RuleSource.texts(in: folder.path + "/rules/small")
      texts["queues.yaml"] = "support:\nvip:\n"
      texts["agents.yaml"] = "a1: { queues: [support, vip] }\n"
      texts[path] = "- name: all\n  route: { queue: vip }\n"
      let files: Body = .object(texts.map { ($0.key, .text($0.value)) })
      #expect(
        try await server.call("POST", "/v1/rules", ["files": files], by: admin).status == 201)
      let bot = try await server.token("bot", "robin")
      let chat = try await server.open(bot)
      try await chat.customer("hello")
      #expect(try await chat.handoff()["owner"]["name"].text == "vip")

      let refused = try await server.call(
        "POST", "/v1/rules/rollback", ["version": 1], by: admin)
      #expect(
        refused.status == 409 && refused["detail"].text.contains("--rules-only"), "\(refused)")
      let back = try await server.call(
        "POST", "/v1/rules/rollback", ["version": 1, "rules_only": true], by: admin)
      #expect(back.status == 201 && back["back_to"].int == 1, "\(back)")
      let next = try await server.open(bot)
      try await next.customer("hello")
      #expect(try await next.handoff()["owner"]["name"].text == "support")
      // Whoever waits there is still served.
      #expect(try await server.take(try await server.agent("a1"))["queue"].text == "vip")
    }
  }
}
