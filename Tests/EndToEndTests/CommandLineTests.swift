import Testing

/// What somebody at a terminal reads who has typed something wrong.
@Suite(.inTurn) struct CommandLineTests {
  private func run(_ arguments: String...) async throws -> (status: Int32, text: String) {
    let ended = try await Peer.run(try Binary.path, arguments)
    return (ended.status, ended.lines.joined(separator: "\n"))
  }

  @Test func `an unknown command is answered with the nearest one and all there are`() async throws {
    let wrong = try await run("tokn")
    #expect(wrong.status == 64)
    #expect(wrong.text.contains(#"throughline has no command "tokn"; did you mean "token"?"#))
    let nested = try await run("token", "lst")
    #expect(nested.status == 64)
    #expect(nested.text.contains(#"throughline token has no command "lst"; did you mean "list"?"#))
    #expect(nested.text.contains("It has create, list, revoke."))
  }

  @Test func `every command tells what it is for`() async throws {
    let all = try await run("--help")
    #expect(all.status == 0)
    for name in [
      "serve", "demo", "token", "timeline", "explain", "mail", "phone", "reload", "doctor", "bench", "rules",
    ] {
      #expect(all.text.contains("  \(name) "))
      let one = try await run(name, "--help")
      #expect(one.status == 0)
      #expect(one.text.contains("OVERVIEW: ") && one.text.contains("USAGE: throughline \(name)"))
    }
  }

  @Test func `a wrong flag or value is named with what would be right`() async throws {
    for (arguments, sentence) in [
      (["serve", "--htp", "x"], "Did you mean '--http'?"),
      (
        ["serve", "--http", "nonsense"], "--http is not an address and port such as 127.0.0.1:8080: nonsense"
      ),
      (["token", "create"], "Name one holder, such as --bot robin or --agent ann."),
      (["mail", "/nowhere.eml"], "/nowhere.eml cannot be read: No such file or directory"),
      (["token", "list", "--data", "/nowhere"], "no server answers at /nowhere/admin.socket"),
      (["doctor", "--data", "/nowhere"], "could not open /nowhere: there is no data folder"),
      (["serve", "--data", "/proc/nowhere"], "could not create the folder /proc/nowhere"),
    ] {
      let ended = try await Peer.run(try Binary.path, arguments)
      #expect(ended.status != 0)
      #expect(ended.lines.joined(separator: "\n").contains(sentence), "\(arguments): \(ended.lines)")
    }
  }

  /// Small sizes: what is measured is another machine's business, but that it is measured and right is ours.
  @Test func `the benches give one JSON object a line, and their comparisons agree`() async throws {
    let router = try await Peer.run(
      try Binary.path,
      [
        "bench", "router", "--json", "--agents", "100", "--skills", "8", "--waiting", "500", "--needs", "64",
        "--decisions", "1000", "--compared-lives", "200",
      ])
    #expect(router.status == 0, "\(router.lines)")
    let measured = router.lines.map { JSON($0) }
    #expect(
      measured.allSatisfy {
        $0["bench"].text == "router" && $0["value"].bytes.count > 0 && !$0["unit"].text.isEmpty
      })
    #expect(Set(measured.map { $0["case"].text }) == ["agents=100 skills=8 waiting=500 needs=64"])
    for wanted in ["mean", "p50", "p99", "p99.9", "decisions", "a waiting case", "an agent", "cpu", "peak"] {
      #expect(measured.contains { $0["measure"].text == wanted }, "\(wanted)")
    }
    #expect(measured.first { $0["measure"].text == "same choice" }?["value"].int == 100)

    let rules = try await Peer.run(
      try Binary.path, ["bench", "rules", "--json", "--evaluations", "1000"], seconds: 120)
    #expect(rules.status == 0, "\(rules.lines)")
    let cases = Set(rules.lines.map { JSON($0)["case"].text })
    #expect(cases.isSuperset(of: ["four clauses on nested facts", "rules=10", "rules=10000", "all"]))
    #expect(rules.lines.contains { JSON($0)["measure"].text == "route without index mean" })
  }
}
