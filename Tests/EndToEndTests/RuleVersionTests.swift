import Foundation
import Model
import RuleFiles
import Server
import Testing

/// Rules that are published over HTTP: atomic, versioned, recorded, reversible.
@Suite(.inTurn) struct RuleVersionTests {
  private func small() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try SmallRules.write(folder, workspace: "small", agents: 1)
    try folder.write("rules/small/queues.yaml", "support:\nvip:\n")
    try folder.write("rules/small/agents.yaml", "a1: { queues: [support, vip], capacity: 50 }\n")
    return folder
  }

  private static let toVip = """
    - name: chats about lamps
      when: session.channel == "chat" && handoff.reason.contains("lamp")
      route: { queue: vip, priority: 3 }
    - name: everyone
      route: { queue: support }
    """

  @Test func `a published version applies to the next case, is recorded, and can be taken back`()
    async throws
  {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      let bot = try await server.token("bot", "robin")
      func handoff() async throws -> Reply {
        let chat = try await server.open(bot)
        try await chat.customer("my lamp")
        return try await chat.handoff(["reason": "a lamp is broken"])
      }
      let first = try await handoff()
      #expect(first["owner"]["name"].text == "support")

      let published = try await server.call(
        "POST", "/v1/rules",
        ["files": SmallRules.files(folder, rules: Self.toVip), "note": "lamps are urgent"],
        by: admin)
      #expect(published.status == 201)
      #expect(published["version"].int == 2 && published["by"].text == "admin:olga")
      let second = try await handoff()
      #expect(second["owner"]["name"].text == "vip")

      let back = try await server.call(
        "POST", "/v1/rules/rollback", ["version": 1, "note": "too many"], by: admin)
      #expect(back.status == 201 && back["version"].int == 3)
      #expect(try await handoff()["owner"]["name"].text == "support")

      let now = try await server.call("GET", "/v1/rules", by: admin)
      #expect(now["version"].int == 3)
      #expect(now["rules"].elements.map { $0["name"].text } == ["everyone"])
      let versions = now["versions"].elements
      #expect(versions.map { $0["version"].int } == [3, 2, 1])
      #expect(versions.map { $0["origin"].text } == ["rollback", "sent", "folder"])
      #expect(versions.map { $0["by"].text } == ["admin:olga", "admin:olga", "start"])
      #expect(versions[0]["back_to"].int == 1 && versions[1]["note"].text == "lamps are urgent")
      #expect(versions.allSatisfy { $0["at"].text.hasPrefix("20") })
      let kept = try await server.call("GET", "/v1/rules/2", by: admin)
      #expect(kept["files"]["rules/10-all.yaml"].text == Self.toVip)

      // Each case is explained by the rules that routed it, and can be tried on others.
      let ask: Body = ["case": .text(second["case"].text)]
      let why = try await server.call("POST", "/v1/rules/explain", ask, by: admin)
      #expect(why["routed_by"].int == 2 && why["explained_by"].int == 2)
      #expect(why["explanation"]["rule"].text == "chats about lamps")
      let whence = try await server.administer("GET", "/admin/explain?case=\(second["case"].text)")
      #expect(
        whence["why"]["rule_version"].int == 2
          && whence["why"]["rule_name"].text == "chats about lamps")
      let text = try ExplanationText.render(Data(whence.body))
      #expect(text.contains("rule \"chats about lamps\" of version 2"), "\(text)")
      let other = try await server.call(
        "POST", "/v1/rules/explain", ["case": .text(second["case"].text), "version": 3], by: admin)
      #expect(other["explanation"]["rule"].text == "everyone" && other["explained_by"].int == 3)
      let old = try await server.call(
        "POST", "/v1/rules/explain", ["case": .text(first["case"].text), "version": 2], by: admin)
      #expect(old["routed_by"].int == 1 && old["explanation"]["rule"].text == "chats about lamps")
    }
  }

  @Test func `what came after a case is not known of it`() async throws {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("my lamp")
      let id = try await chat.handoff()["case"].text
      var texts = RuleSource.texts(in: folder.path + "/rules/small")
      texts["hours.yaml"] = "night: { zone: UTC, open: { mon: \"01:00-02:00\" } }\n"
      texts["queues.yaml"] = "support:\nvip: { hours: night, closed: { queue: support } }\n"
      texts["rules/10-all.yaml"] = """
        - name: at night
          when: hours.night
          reject: we sleep
        - name: everyone
          route: { queue: vip }
        """
      let sent = Body.object(texts.map { ($0.key, .text($0.value)) })
      let tried = try await server.call(
        "POST", "/v1/rules/explain", ["case": .text(id), "files": sent], by: admin)
      let explained = tried["explanation"]
      #expect(explained["undecided"].description == "true", "\(tried)")
      #expect(explained["trials"].elements[0]["needs"].elements.map(\.text) == ["hours.night"])
      #expect(
        explained["passed_on"].elements.map(\.text)
          == ["whether vip is open (night) is not known: it is taken for open"])
      #expect(
        tried["text"].text.contains(
          "Not known, since version 1 had no such hours or queue: hours.night."), "\(tried)")
      let own = try await server.call("POST", "/v1/rules/explain", ["case": .text(id)], by: admin)
      #expect(own["explanation"]["undecided"].description == "false", "\(own)")
    }
  }

  @Test func `a key publishes once, also over a restart, and answers the same`() async throws {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      @Sendable func post(_ page: String, _ body: Body?, _ key: String) async throws -> Reply {
        try await server.call("POST", "/v1/rules" + page, body, by: admin, key: key)
      }
      func versions() async throws -> [Int?] {
        try await server.call("GET", "/v1/rules", by: admin)["versions"].elements.map {
          $0["version"].int
        }
      }
      let sent: Body = ["files": SmallRules.files(folder, rules: Self.toVip), "note": "lamps"]
      async let one = post("", sent, "k1")
      async let two = post("", sent, "k1")
      let (first, repeated) = (try await one, try await two)
      #expect(first.status == 201 && first["version"].int == 2)
      #expect(repeated.status == 201 && repeated.body == first.body)
      let back = try await post("/rollback", ["version": 1], "k2")
      #expect(back.status == 201 && back["version"].int == 3)
      #expect(try await post("", sent, "k1").body == first.body, "and does not apply again")
      let again = try await post("/rollback", ["version": 1], "k3")
      #expect(again.status == 200 && again["version"].int == 3, "it runs already")
      #expect(try await post("", sent, "k4").status == 201)
      #expect(
        try await post("/rollback", ["version": 1], "k3").body == again.body, "as it was then")
      try await server.restart()
      #expect(try await post("", sent, "k1").body == first.body)
      #expect(try await post("/rollback", ["version": 1], "k2").body == back.body)
      #expect(try await versions() == [4, 3, 2, 1])
      for (page, body, key) in [
        ("", ["files": [:]], "k1"), ("/rollback", ["version": 2], "k2"), ("", sent, "k2"),
      ] as [(String, Body, String)] {
        let other = try await post(page, body, key)
        #expect(
          other.status == 422 && other["type"].text.hasSuffix("idempotency-key-reused"), "\(other)")
      }
      #expect(try await versions() == [4, 3, 2, 1])
    }
  }

  @Test func `what only asks is answered as often as it is asked, and a key knows one question`()
    async throws
  {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let sam = try await server.token("supervisor", "sam")
      for (page, body, other) in [
        ("check", nil, ["files": [:]]),
        ("explain", ["facts": [:]], ["facts": ["session": ["channel": "chat"]]]),
      ] as [(String, Body?, Body)] {
        for _ in 1...2 {
          let answered = try await server.call(
            "POST", "/v1/rules/\(page)", body, by: sam, key: page)
          #expect(answered.status == 200, "\(answered)")
        }
        let reused = try await server.call("POST", "/v1/rules/\(page)", other, by: sam, key: page)
        #expect(
          reused.status == 422 && reused["type"].text.hasSuffix("idempotency-key-reused"),
          "\(reused)")
      }
    }
  }

  @Test func `who is erased takes the facts of their cases along`() async throws {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let sam = try await server.token("supervisor", "sam")
      let chat = try await server.open(
        try await server.token("bot", "robin"), email: "jo@home.example")
      try await chat.customer("my lamp")
      let aCase = try await chat.handoff(["reason": "a lamp is broken"])["case"].text
      let ask: Body = ["case": .text(aCase)]
      let before = try await server.call("POST", "/v1/rules/explain", ask, by: sam)
      #expect(before.status == 200 && before["explanation"]["rule"].text == "everyone")
      let agent = try await server.agent("a1")
      try await server.close(try await server.take(agent)["case"].text, by: agent)
      try await chat.end()
      let erased = try await server.administer(
        "POST", "/admin/erase", ["identity": "jo@home.example"])
      #expect(erased.status == 200, "\(erased)")
      let after = try await server.call("POST", "/v1/rules/explain", ask, by: sam)
      #expect(after.status == 404 && after["type"].text.hasSuffix("facts-gone"), "\(after)")
    }
  }

  @Test func `opening hours never run out: after a year the same rules apply anew`() async throws {
    try await TestServer.run { server in
      guard let running = server.running else { return }
      func reload(afterDays days: Int64) async -> Workspaces.Change.What? {
        let now = Instant.now + .seconds(days * 86_400)
        guard case .done(let changes) = await running.reload(at: now) else { return nil }
        return changes.first?.what
      }
      #expect(await reload(afterDays: 364) == .unchanged)
      #expect(await reload(afterDays: 366) == .changed)
      #expect(await reload(afterDays: 0) == .unchanged)
    }
  }

  @Test func `what was published goes on after a restart, until the folder itself changes`()
    async throws
  {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      let sent = try await server.call(
        "POST", "/v1/rules", ["files": SmallRules.files(folder, rules: Self.toVip)], by: admin)
      #expect(sent.status == 201)
      try await server.restart()
      #expect(try await server.call("GET", "/v1/rules", by: admin)["rules"].elements.count == 2)
      #expect(try await server.administer("POST", "/admin/reload").status == 200)
      #expect(try await server.call("GET", "/v1/rules", by: admin)["version"].int == 2)

      try folder.write(
        "rules/small/rules/10-all.yaml",
        "- name: to all\n  route: { queue: support, priority: 2 }\n")
      #expect(try await server.administer("POST", "/admin/reload").status == 200)
      let now = try await server.call("GET", "/v1/rules", by: admin)
      #expect(
        now["version"].int == 3 && now["by"].text.hasPrefix("local:")
          && now["origin"].text == "folder")
      #expect(now["rules"].elements.map { $0["name"].text } == ["to all"])
      try await server.restart()
      #expect(try await server.call("GET", "/v1/rules", by: admin)["version"].int == 3)
    }
  }

  @Test func `what is wrong is refused whole, with every mistake, and what runs stays`()
    async throws
  {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      let before = try await server.position()
      for path in [
        "../../x", "rules/../queues.yaml", "/etc/x.yaml", "rules//x.yaml", "", "rules/./a.yaml",
        "notes/",
      ] {
        guard case .object(var files) = SmallRules.files(folder, rules: Self.toVip) else { return }
        files.append((path, .text("support:\n")))
        let sent: Body = ["files": .object(files)]
        let refused = try await server.call("POST", "/v1/rules", sent, by: admin)
        #expect(refused.status == 422 && refused["type"].text.hasSuffix("rules-refused"), "\(path)")
        #expect(refused["detail"].text.contains("is no path below the workspace"), "\(refused)")
        let checked = try await server.call("POST", "/v1/rules/check", sent, by: admin)
        #expect(
          "\(checked)".contains("is no path below the workspace"), "\(path): \(checked)")
      }
      let broken = "- name: a\n  when: session.chanel == \"chat\"\n  route: { queue: suport }\n"
      let refused = try await server.call(
        "POST", "/v1/rules", ["files": SmallRules.files(folder, rules: broken)], by: admin)
      #expect(refused.status == 422)
      for part in ["10-all.yaml:2:", "10-all.yaml:3:19", "session.channel", "support"] {
        #expect(refused["detail"].text.contains(part), "\(part)")
      }
      guard case .object(var noted) = SmallRules.files(folder, rules: broken) else { return }
      noted.append(("notes.txt", .text("to be mended")))
      let first = try await server.call("POST", "/v1/rules", ["files": .object(noted)], by: admin)
      #expect(first["detail"].text.hasPrefix("rules/10-all.yaml:2:"), "\(first)")
      #expect(first["detail"].text.contains("notes.txt: warning: "))
      let tests =
        "- name: lamps\n  given: { session: { channel: chat }, handoff: { reason: a lamp } }\n  expect: { queue: support }\n"
      let failing = SmallRules.files(folder, rules: Self.toVip, tests: tests)
      let failed = try await server.call("POST", "/v1/rules", ["files": failing], by: admin)
      #expect(failed.status == 422 && failed["type"].text.hasSuffix("tests-failed"))
      #expect(failed["detail"].text.contains("queue: expected support, got vip"))
      #expect(
        try await server.call("POST", "/v1/rules/rollback", ["version": 9], by: admin).status == 404
      )
      #expect(try await server.position() == before)
      #expect(
        try await server.call(
          "POST", "/v1/rules", ["files": failing, "even_if_tests_fail": true], by: admin
        ).status == 201)
      let again = try await server.call(
        "POST", "/v1/rules", ["files": failing, "even_if_tests_fail": true], by: admin)
      #expect(
        again.status == 200 && again["changed"].description == "false" && again["version"].int == 2)
    }
  }

  @Test func `only an administrator publishes; supervisors may look and try`() async throws {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let sent: Body = ["files": SmallRules.files(folder, rules: Self.toVip)]
      for (scope, holder) in [("bot", "robin"), ("agent", "a1"), ("supervisor", "sam")] {
        let token = try await server.token(scope, holder)
        #expect(try await server.call("POST", "/v1/rules", sent, by: token).status == 403)
        #expect(
          try await server.call("POST", "/v1/rules/rollback", ["version": 1], by: token).status
            == 403)
        let mayLook = scope == "supervisor"
        #expect(
          try await server.call("GET", "/v1/rules", by: token).status == (mayLook ? 200 : 403))
        #expect(
          try await server.call("POST", "/v1/rules/check", sent, by: token).status
            == (mayLook ? 200 : 403))
        #expect(
          try await server.call("POST", "/v1/rules/explain", ["facts": [:]], by: token).status
            == (mayLook ? 200 : 403))
      }
      #expect(try await server.call("GET", "/v1/rules").status == 401)
      let sam = try await server.token("supervisor", "sam")
      #expect(try await server.call("DELETE", "/v1/rules", by: sam).status == 405)
      #expect(try await server.call("GET", "/v1/rules/7", by: sam).status == 404)
    }
  }

  @Test func `rules are checked and tried without being published`() async throws {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let sam = try await server.token("supervisor", "sam")
      let before = try await server.position()
      let running = try await server.call("POST", "/v1/rules/check", by: sam)
      #expect(running.status == 200 && running["passed"].description == "true")
      let broken = try await server.call(
        "POST", "/v1/rules/check",
        [
          "files": SmallRules.files(
            folder, rules: "- name: a\n  when: 1 +\n  route: { queue: support }\n")
        ],
        by: sam)
      #expect(broken.status == 200 && broken["passed"].description == "false")
      #expect(broken["check"]["diagnostics"].elements.first?["line"].int == 2)

      let chat: Body = ["session": ["channel": "chat"], "handoff": ["reason": "my lamp"]]
      let tried = try await server.call(
        "POST", "/v1/rules/explain",
        ["facts": chat, "files": SmallRules.files(folder, rules: Self.toVip)],
        by: sam)
      #expect(tried["explanation"]["rule"].text == "chats about lamps")
      #expect(tried["warnings"].elements.isEmpty)
      let strange = try await server.call(
        "POST", "/v1/rules/explain",
        ["facts": ["session": ["channel": "caht"], "queues": ["suport": ["waiting": 3]]]], by: sam)
      #expect(strange.status == 200)
      let warnings = strange["warnings"].elements.map(\.text).joined(separator: "\n")
      #expect(
        warnings.contains("there is no queue `suport`") && warnings.contains("`support`")
          && warnings.contains("there is no channel `caht`"), "\(warnings)")
      let never = try await server.call(
        "POST", "/v1/rules/explain",
        [
          "facts": [
            "session": ["channel": "chat"], "customer": ["known": false, "conversations": -1],
          ]
        ],
        by: sam)
      let told = never["warnings"].elements.map(\.text).joined(separator: "\n")
      #expect(
        told.contains("`customer.conversations` is never -1: there is no case like this")
          && told.contains("`customer.known` is never false on the channel chat"), "\(never)")
      let text = try await server.call(
        "POST", "/v1/rules/explain", ["facts": ["customer": ["conversations": "3"]]], by: sam)
      #expect(text.status == 422 && text["detail"].text.contains("without quotes"), "\(text)")
      let open = try await server.call(
        "POST", "/v1/rules/explain",
        [
          "facts": ["session": ["channel": "chat"]], "unknown": ["handoff.reason"],
          "files": SmallRules.files(folder, rules: Self.toVip),
        ],
        by: sam)
      #expect(open["explanation"]["undecided"].description == "true")
      #expect(
        open["explanation"]["trials"].elements.first?["needs"].elements.map(\.text) == [
          "handoff.reason"
        ])
      let wrong = try await server.call(
        "POST", "/v1/rules/explain", ["facts": ["sesion": ["channel": "chat"]]], by: sam)
      #expect(wrong.status == 422 && wrong["detail"].text.contains("there is no fact `sesion`"))
      #expect(try await server.position() == before)
    }
  }

  @Test func `bad input gets bounded answers, and what runs stays`() async throws {
    let folder = try small()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let admin = try await server.token("admin", "olga")
      let before = try await server.position()
      func publish(_ rules: String) async throws -> Reply {
        try await server.call(
          "POST", "/v1/rules", ["files": SmallRules.files(folder, rules: rules)], by: admin)
      }
      let deep =
        String(repeating: "(", count: 10_000) + "true" + String(repeating: ")", count: 10_000)
      let bomb = (1...30).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }.joined(
        separator: "\n")
      for rules in [
        "- name: a\n  when: \(deep)\n  reject: x\n", "a0: &a0 [x]\n\(bomb)\n",
        "- name: a\n  when: \"'x'.matches('((a{1,1000}){1,1000}){1,1000}')\"\n  reject: x\n",
        String(repeating: "[", count: 20_000), "\u{0}",
        "- name: a\n  when: lists.range(100000).all(x, lists.range(100000).all(y, true))\n  reject: x\n",
      ] {
        let refused = try await publish(rules)
        #expect(refused.status == 422, "\(rules.prefix(40))")
        #expect(refused["detail"].text.utf8.count < 60_000)
      }
      let large = try await publish(String(repeating: "# nothing\n", count: 200_000))
      #expect(large.status == 422 && large["detail"].text.contains("larger than 1 MB"), "\(large)")
      let huge = Array(String(repeating: "x", count: 33 << 20).utf8)
      #expect(try await server.call("POST", "/v1/rules", raw: huge, by: admin).status == 413)
      #expect(
        try await server.call("POST", "/v1/rules", ["files": ["../../x.yaml": "a"]], by: admin)
          .status == 422)
      #expect(try await server.call("POST", "/v1/rules", ["files": [:]], by: admin).status == 422)
      #expect(
        try await server.call("POST", "/v1/rules", ["files": ["queues.yaml": 7]], by: admin).status
          == 422)
      #expect(try await server.call("POST", "/v1/rules", by: admin).status == 400)
      #expect(
        try await server.call("POST", "/v1/rules/explain", ["case": "case_x"], by: admin).status
          == 422)
      #expect(try await server.position() == before)
      #expect(try await server.call("GET", "/v1/rules", by: admin)["version"].int == 1)
    }
  }
}
