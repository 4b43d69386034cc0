import Foundation
import Testing

/// `throughline rules` and `throughline cel` as a CI job and a person at a terminal run them.
@Suite(.inTurn) struct RulesCommandTests {
  private func run(_ arguments: [String]) async throws -> (status: Int32, text: String) {
    let ended = try await Peer.run(try Binary.path, arguments)
    return (ended.status, ended.lines.joined(separator: "\n"))
  }

  private func small() throws -> (root: TemporaryFolder, folder: String) {
    let root = try TemporaryFolder()
    try SmallRules.write(root, workspace: "small", agents: 1)
    return (root, root.path + "/rules/small")
  }

  @Test func `check says what is wrong, and ends with 1 only where something is`() async throws {
    let (root, folder) = try small()
    let fine = try await run(["rules", "check", folder])
    #expect(fine.status == 0, "\(fine.text)")
    #expect(fine.text.contains("warning: no agent serves this queue"))
    #expect(fine.text.contains("\(folder): 1 rules, version "))
    #expect(try await run(["rules", "check", folder, "--strict"]).status == 1)
    let demo = try await run(["rules", "check", Package.demoRules + "/demo", "--strict"])
    #expect(demo.status == 0, "\(demo.text)")
    let json = try await run(["rules", "check", folder, "--format", "json"])
    #expect(json.status == 0 && JSON(json.text)["passed"].description == "true")

    try root.write(
      "rules/small/rules/05.yaml", "- name: a\n  when: session.chanel == \"chat\"\n  reject: x\n")
    for (format, parts) in [
      ("text", ["rules/05.yaml:2:9: error: there is no fact `session.chanel`", "1 error, "]),
      ("json", [#""passed":false"#, #""line":2,"column":9"#]),
    ] {
      let wrong = try await run([
        "rules", "check", Package.demoRules + "/demo", folder, "--format", format,
      ])
      #expect(wrong.status == 1)
      for part in parts { #expect(wrong.text.contains(part), "\(wrong.text)") }
    }
  }

  @Test func `test tells of what failed, with the reason, and ends with 1`() async throws {
    let (root, folder) = try small()
    let demo = try await run(["rules", "test", Package.demoRules + "/demo"])
    #expect(demo.status == 0 && demo.text.contains(" passed"), "\(demo.text)")
    try root.write(
      "rules/small/tests/10.yaml",
      "- name: calls\n  given: { session: { channel: phone } }\n  expect: { queue: quiet }\n")
    let failed = try await run(["rules", "test", folder])
    #expect(failed.status == 1)
    #expect(failed.text.contains("queue: expected quiet, got support"), "\(failed.text)")
    let json = try await run(["rules", "test", folder, "--format", "json"])
    #expect(json.status == 1)
    #expect(
      JSON(json.text)["tests"].elements.first?["failures"].elements.first?["actual"].text
        == "support", "\(json.text)")
  }

  @Test func `explain tells what it cannot read in the form that was asked for`() async throws {
    let (root, folder) = try small()
    try root.write("facts.yaml", "session: { channel: chat }\n")
    try root.write("wrong.yaml", "session: { chanel: chat }\n")
    let facts = root.path + "/facts.yaml"
    let told = try await run(["rules", "explain", folder, facts])
    #expect(told.status == 0 && told.text.contains("→ queue support"), "\(told.text)")
    let json = try await run(["rules", "explain", folder, facts, "--format", "json"])
    #expect(json.status == 0 && JSON(json.text)["rule"].string != nil, "\(json.text)")
    for arguments in [[folder, root.path + "/wrong.yaml"], [root.path + "/nowhere", facts]] {
      let wrong = try await run(["rules", "explain"] + arguments)
      #expect(wrong.status == 1 && wrong.text.contains("error: "), "\(wrong.text)")
      let json = try await run(["rules", "explain"] + arguments + ["--format", "json"])
      #expect(
        json.status == 1 && JSON(json.text)["diagnostics"].elements.count == 1, "\(json.text)")
    }
    let all = try await run(["rules", "facts"])
    #expect(all.status == 0 && all.text.contains("session.channel"))
    let list = try await run(["rules", "facts", "--format", "json"])
    #expect(JSON(list.text).elements.first?["name"].text == "session.channel")
  }

  @Test func `versions are published, listed, explained and taken back at a terminal`()
    async throws
  {
    let (root, folder) = try small()
    let sent = root.path + "/sent"
    try FileManager.default.copyItem(atPath: folder, toPath: sent)
    try root.write(
      "sent/rules/05.yaml",
      "- name: loud\n  when: conversation.text.contains(\"!\")\n  route: { queue: support, priority: 5 }\n"
    )
    try await TestServer.run(rules: root.path + "/rules") { server in
      func rules(_ arguments: String...) async throws -> (status: Int32, text: String) {
        try await run(["rules"] + arguments + ["--data", server.settings.data])
      }
      let published = try await rules("publish", sent, "--note", "hear\u{1B}[31m them")
      #expect(
        published.status == 0 && published.text.contains("version 2  ")
          && published.text.hasSuffix(#", sent: hear\u001b[31m them  applies"#), "\(published.text)"
      )
      let again = try await rules("publish", sent)
      #expect(again.status == 0 && again.text.hasSuffix("applies already"), "\(again.text)")

      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help! \u{1B}]0;mine\u{7}")
      let id = try await chat.handoff()["case"].text
      let why = try await rules("explain", id)
      #expect(why.status == 0, "\(why.text)")
      #expect(why.text.contains("was routed by rule `loud` of version 2"), "\(why.text)")
      let before = try await rules("explain", id, "--version", "1", "--format", "json")
      #expect(JSON(before.text)["explained_by"].int == 1, "\(before.text)")
      #expect(!why.text.unicodeScalars.contains("\u{1B}"))

      let back = try await rules("rollback", "1", "--rules-only", "--note", "too loud")
      #expect(back.status == 0 && back.text.contains("version 3  "), "\(back.text)")
      let versions = try await rules("versions")
      let lines = versions.text.split(separator: "\n")
      #expect(versions.status == 0 && lines.count == 3)
      #expect(
        lines.first?.hasSuffix(", back to 1: rules only: too loud  (applies)") == true, "\(lines)")
      #expect(lines.last?.contains("from the folder") == true)
      let json = try await rules("versions", "--format", "json")
      #expect(JSON(json.text)["versions"].elements.map { $0["version"].int } == [3, 2, 1])

      #expect(try await rules("rollback", "9").status == 1)
      try root.write("sent/rules/05.yaml", "- name: loud\n  when: 1 +\n  reject: x\n")
      let broken = try await rules("publish", sent)
      #expect(broken.status == 1 && broken.text.contains("rules/05.yaml:2:"), "\(broken.text)")
      try root.write("sent/rules/05.yaml", "- name: loud\n  when: customer.known\n  reject: x\n")
      try root.write(
        "sent/tests/10.yaml",
        "- name: known\n  given: { customer: { known: true } }\n  expect: { queue: support }\n")
      #expect(try await rules("publish", sent).status == 1)
      #expect(try await rules("publish", sent, "--even-if-tests-fail").status == 0)
    }
  }

  @Test func `SIGHUP publishes the folder, and is named as who did`() async throws {
    let (root, _) = try small()
    let served = try await Binary.serve(root, ["--rules", root.path + "/rules"])
    func versions() async throws -> [Substring] {
      try await run(["rules", "versions", "--data", root.path + "/data"]).text.split(
        separator: "\n")
    }
    #expect(try await versions().first?.contains("  by start, from the folder") == true)
    try root.write("rules/small/rules/05.yaml", "- name: a\n  when: 1 +\n  reject: x\n")
    served.peer.signal(SIGHUP)
    try await served.peer.line("what is wrong") { $0.contains("rules/05.yaml:2:") }
    #expect(try await versions().count == 1)
    try root.write(
      "rules/small/rules/05.yaml", "- name: a\n  when: customer.known\n  reject: x\n")
    served.peer.signal(SIGHUP)
    try await served.peer.line("that they apply") { $0.contains("version 2 applies") }
    #expect(
      try await versions().first?.contains("  by SIGHUP, from the folder  (applies)") == true)
    try root.write(
      "rules/small/tests/10.yaml",
      "- name: known\n  given: { customer: { known: true } }\n  expect: { queue: support }\n")
    served.peer.signal(SIGHUP)
    try await served.peer.line("which test fails") {
      $0.contains("1 of 1 tests fails, and the rules apply all the same: `known` (tests/10.yaml:1)")
    }
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
  }

  @Test func `cel prints what fails, and ends with the plain count`() async throws {
    let root = try TemporaryFolder()
    func line(_ name: String, _ expression: String, _ value: Int) -> String {
      #"{"file":"own","section":"s","name":"\#(name)","expr":"\#(expression)","expect":{"value":{"int":"\#(value)"}},"needs":[]}"#
        + "\n"
    }
    try root.write("good.jsonl", line("one", "1", 1) + line("two", "1 + 1", 2))
    try root.write("bad.jsonl", line("three", "1 + 1", 3))
    let (good, bad) = (root.path + "/good.jsonl", root.path + "/bad.jsonl")
    let fine = try await run(["cel", good])
    #expect(fine.status == 0 && fine.text == "2 passed, 0 failed", "\(fine.text)")
    let failed = try await run(["cel", good, bad])
    #expect(failed.status == 1 && failed.text.hasSuffix("\n2 passed, 1 failed"), "\(failed.text)")
    #expect(failed.text.contains("1 + 1\n  expected 3\n  got      2"), "\(failed.text)")
    let missing = try await run(["cel", good, root.path + "/nowhere.jsonl", bad])
    #expect(missing.status == 1 && missing.text.contains("/nowhere.jsonl cannot be read"))
    #expect(missing.text.contains("\n2 passed, 1 failed"), "\(missing.text)")
  }
}
