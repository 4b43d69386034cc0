import Foundation
import Server
import Testing

/// What somebody at a terminal reads who has typed something wrong.
@Suite(.inTurn) struct CommandLineTests {
  private func run(_ arguments: String...) async throws -> (status: Int32, text: String) {
    try await run(arguments)
  }
  private func run(_ arguments: [String]) async throws -> (status: Int32, text: String) {
    let ended = try await Peer.run(try Binary.path, arguments)
    return (ended.status, ended.lines.joined(separator: "\n"))
  }

  @Test func `an unknown command is answered with the nearest one and all there are`() async throws
  {
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
      "serve", "demo", "token", "timeline", "explain", "mail", "phone", "reload", "doctor", "bench",
      "rules",
    ] {
      #expect(all.text.contains("  \(name) "))
      let one = try await run(name, "--help")
      #expect(one.status == 0)
      #expect(one.text.contains("OVERVIEW: ") && one.text.contains("USAGE: throughline \(name)"))
    }
  }

  @Test func `a queueing model is told as a table, in lines of JSON, and against what is exact`()
    async throws
  {
    let folder = try TemporaryFolder()
    /// A single agent at half a load, whose unit of time is so short that waits are long.
    func model(_ exact: String) throws -> String {
      let file = folder.path + "/m.yaml"
      try """
      time_unit: nanosecond
      length: 2e9
      classes:
        - name: those who come with a long name
          arrival_rate: 1e-6
          service_rate: 2e-6
          exact: { waits: \(exact) }
      agents:
        - { name: one, count: 1 }
      """.write(toFile: file, atomically: true, encoding: .utf8)
      return file
    }
    let file = try model("0.5")
    let json = try await Peer.run(try Binary.path, ["simulate", "--model", file, "--json"])
    #expect(json.status == 0)
    let lines = json.lines.map { JSON($0) }
    #expect(lines.allSatisfy { $0["bench"].text == "simulate" })
    let measures = ["P(wait)", "mean wait", "p90 wait", "abandoned", "mean queue", "occupancy"]
    #expect(lines.map { $0["measure"].text } == measures)
    let table = try await run("simulate", "--model", file)
    #expect(table.status == 0)
    for line in lines.dropLast() {
      guard let value = Double(line["value"].description),
        let error = Double(line["standard_error"].description)
      else {
        Issue.record("no number in \(line)")
        continue
      }
      let cell = String(format: "%.6f ±%.6f ", value, error)
      #expect(table.text.contains(cell), "\(cell)is not in \(table.text)")
    }
    let wait = Double(lines[1]["value"].description) ?? 0
    #expect(wait > 100_000, "so wide that a narrow column would cut it")
    #expect(table.text.contains("\nthose who come with a long name  "))
    let checked = try await run("simulate", "--model", file, "--check", "--within", "20")
    #expect(checked.status == 0 && checked.text.contains("\nok    "), "\(checked)")
    let held = try await Peer.run(
      try Binary.path, ["simulate", "--model", file, "--check", "--within", "20", "--json"])
    let said = held.lines.map { JSON($0) }
    #expect(said.last?["check"].text == "waits" && said.last?["holds"].description == "true")
    #expect(
      said.count == measures.count + 1 && said.dropLast().allSatisfy { !$0["value"].isNull })
    let wrong = try await run("simulate", "--model", try model("0.9"), "--check")
    #expect(wrong.status == 1 && wrong.text.contains("\nWRONG "), "\(wrong)")
  }

  @Test func `what a simulation would pass over in silence is refused`() async throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/m.yaml"
    try """
    length: 10
    classes: [{ name: x, arrival_rate: 0.000001, service_rate: 1 }]
    agents: [{ count: 1 }]
    """.write(toFile: file, atomically: true, encoding: .utf8)
    for (arguments, sentence) in [
      (["--check"], "--check goes with --model"),
      (["--length", "5"], "--length goes with --model"),
      (["--model", file, "--seeds", "1-2"], "--seeds is of a seeded world"),
      (["--model", file, "--within", "1"], "--within goes with --check"),
      (["--model", file, "--check", "--within", "nan"], "--within is a percentage such as 1: nan"),
      (["--model", file, "--check"], "--check needs `exact` values"),
      (["--seeds", "1x-3"], "--seeds is a number, or from and to such as 1-1000: 1x-3"),
    ] {
      let told = try await run(["simulate"] + arguments)
      #expect(told.status == 64 && told.text.contains(sentence), "\(arguments): \(told)")
    }
    // Of whom nobody came, nothing is told.
    let none = try await Peer.run(try Binary.path, ["simulate", "--model", file, "--json"])
    let lines = none.lines.filter { $0.hasPrefix("{") }.map { JSON($0) }
    #expect(lines.count == 6 && lines[0]["value"].isNull && lines[0]["standard_error"].isNull)
    let table = try await run("simulate", "--model", file)
    #expect(
      table.status == 0 && table.text.contains("no cases")
        && table.text.contains("note: some 0 cases of class x come in the run"), "\(table)")
  }

  @Test func `all the seeds that there are can be asked for`() async throws {
    let folder = try TemporaryFolder()
    let done = folder.path + "/done.txt"
    let peer = try Peer(
      try Binary.path,
      ["simulate", "--seeds", "0-18446744073709551615", "--steps", "1", "--progress", done])
    try await eventually("it goes on behind the first", seconds: 30) {
      let text = (try? String(contentsOfFile: done, encoding: .utf8)) ?? ""
      return text.split(separator: "\n").count > 2
    }
    peer.signal(SIGKILL)
  }

  @Test func `two processes simulate the same world to the byte, and say so in lines of JSON`()
    async throws
  {
    let asked = ["simulate", "--seed", "11", "--steps", "300"]
    let text = try await Peer.run(try Binary.path, asked)
    #expect(text.status == 0)
    #expect(text.lines.first?.hasPrefix("seed 11: 300 steps, ") == true)
    let (first, second) = (
      try await Peer.run(try Binary.path, asked + ["--json"]),
      try await Peer.run(try Binary.path, asked + ["--json"])
    )
    #expect(first.lines == second.lines)
    let lines = first.lines.map { JSON($0) }
    #expect(Set(lines.map { $0["case"].text }) == ["seed=11 steps=300"])
    for hash in ["history", "state"] {
      let value = lines.first { $0["measure"].text == hash }?["value"].text ?? "none"
      #expect(text.lines.first?.contains("\(hash) \(value)") == true)
    }
    #expect(lines.contains { $0["measure"].text == "failed_commits" })
    let wrong = try await run("simulate", "--without", "rain")
    #expect(wrong.status == 64)
    #expect(wrong.text.contains(#"there is no fault "rain"; there are kill, "#))
  }

  @Test func `a part of whom an address leads to is called a part`() throws {
    let one = #"{"customer":"cust_1","assurance":"claimed","timeline":{"count":0,"entries":[]}}"#
    func text(_ more: Bool) throws -> String {
      try TimelineText.render(
        Data(#"{"customers":[\#(one),\#(one)],"more":\#(more)}"#.utf8), of: "jo@home.example")
    }
    #expect(try text(false).hasPrefix("2 customers are or claim to be jo@home.example; none"))
    #expect(try text(true).hasPrefix("More than 2 customers are or claim to be jo@home.example"))
  }

  @Test func `a wrong flag or value is named with what would be right`() async throws {
    for (arguments, sentence) in [
      (["serve", "--htp", "x"], "Did you mean '--http'?"),
      (
        ["serve", "--http", "nonsense"],
        "--http is not an address and port such as 127.0.0.1:8080: nonsense"
      ),
      (["token", "create"], "Name one holder, such as --bot robin or --agent ann."),
      (["mail", "/nowhere.eml"], "/nowhere.eml cannot be read: No such file or directory"),
      (
        ["rules", "explain", Package.demoRules + "/demo", "/tmp"],
        "/tmp cannot be read: Is a directory"
      ),
      (
        ["rules", "explain", Package.demoRules + "/demo", "/dev/zero"],
        "/dev/zero is larger than 1 MB"
      ),
      (
        ["rules", "rollback", "3", "--data", "/nowhere", "--format", "json"],
        #"{"passed":false,"error":"no server answers at /nowhere/admin.socket"#
      ),
      (["token", "list", "--data", "/nowhere"], "no server answers at /nowhere/admin.socket"),
      (["doctor", "--data", "/nowhere"], "could not open /nowhere: there is no data folder"),
      (["serve", "--data", "/proc/nowhere"], "could not create the folder /proc/nowhere"),
    ] {
      let ended = try await Peer.run(try Binary.path, arguments)
      #expect(ended.status != 0)
      #expect(
        ended.lines.joined(separator: "\n").contains(sentence), "\(arguments): \(ended.lines)")
    }
  }

  /// Real messages: see `ORIGIN.md` beside them.
  @Test func `mail tells as JSON what is understood of each message`() async throws {
    let folder = Package.root + "/Tests/MimeTests"
    let names = [
      "Threads/gmail-german.eml", "Conformance/python/msg_43.txt", "Conformance/python/msg_07.txt",
    ]
    let read = try await Peer.run(try Binary.path, ["mail"] + names.map { "\(folder)/\($0)" })
    #expect(read.status == 0, "\(read.lines)")
    let told = read.lines.map { JSON($0) }
    try #require(told.count == 3)
    let (answer, machine, fish) = (told[0], told[1], told[2])
    #expect(answer["from"].description == #"[{"name":"Ann Lee","address":"ann@home.example"}]"#)
    #expect(answer["to"].description == #"[{"name":"Shop Help","address":"help@shop.example"}]"#)
    #expect(answer["subject"].string == "Re: Lampe" && answer["isReply"].description == "true")
    #expect(answer["messageID"].string == "g6@mail.gmail.example")
    #expect(answer["parents"].description == #"["s6@shop.example"]"#)
    #expect(answer["own"].string == "Ja, gerne am Freitag.")
    #expect(answer["quoted"].text.contains("> Wann dürfen wir liefern?"))
    #expect(answer["automatic"].isNull && answer["attachments"].description == "[]")
    #expect(machine["automatic"].string == "report")
    #expect(
      fish["own"].string == "Hi there,\n\nThis is the dingus fish." && fish["automatic"].isNull)
    #expect(
      fish["attachments"].description
        == #"[{"name":"dingusfish.gif","type":"image/gif","bytes":3512,"contentID":null,"inline":false}]"#
    )
  }

  @Test func `mail names the file that it cannot read, and has told of those before`() async throws
  {
    let good = Package.root + "/Tests/MimeTests/Threads/gmail-german.eml"
    let folder = try TemporaryFolder()
    for (bad, why) in [
      ("/nowhere.eml", "No such file or directory"), (folder.path, "Is a directory"),
    ] {
      let read = try await Peer.run(try Binary.path, ["mail", good, bad, good])
      #expect(read.status == 1)
      #expect(
        read.lines.count == 2 && JSON(read.lines.first ?? "")["subject"].string != nil,
        "\(read.lines)")
      #expect(read.lines.last?.contains("\(bad) cannot be read: \(why)") == true, "\(read.lines)")
    }
    #expect(try await run("mail").status == 64)
  }

  @Test func `facts of queues, hours and channels that are not there are warned of`() async throws {
    let folder = try TemporaryFolder()
    let facts = folder.path + "/facts.yaml"
    try "session: { channel: telephone }\nqueues: { suport: {} }\nhours: { ofice: true }\n".write(
      toFile: facts, atomically: true, encoding: .utf8)
    let told = try await run("rules", "explain", Package.demoRules + "/demo", facts)
    #expect(told.status == 0)
    for sentence in [
      "warning: there is no queue `suport`\n  hint: did you mean `support`?",
      "warning: there is no set of hours `ofice`\n  hint: did you mean `office`?",
      "warning: there is no channel `telephone`",
    ] { #expect(told.text.contains("facts.yaml: " + sentence), "\(told.text)") }
    // Thanksgiving, at noon in New York.
    let holiday = "session: { channel: phone }\nnow: 2026-11-26T17:00:00Z\n"
    try holiday.write(toFile: facts, atomically: true, encoding: .utf8)
    let closed = try await run("rules", "explain", Package.demoRules + "/demo", facts)
    #expect(closed.text.contains("✓ calls at night"), "\(closed.text)")
    try (holiday + "hours: { office: true }\n").write(
      toFile: facts, atomically: true, encoding: .utf8)
    let stated = try await run("rules", "explain", Package.demoRules + "/demo", facts)
    #expect(stated.text.contains("✓ calls\n") || stated.text.contains("✓ calls  ("))
    #expect(
      stated.text.contains(
        "facts.yaml: warning: `hours.office` is said to be true, and from `now` it follows that it is false"
      ), "\(stated.text)")
    try Data([0x6E, 0x6F, 0x77, 0x3A, 0x20, 0xFF]).write(to: URL(filePath: facts))
    let broken = try await run("rules", "explain", Package.demoRules + "/demo", facts)
    #expect(broken.status != 0 && broken.text.contains("facts.yaml is not UTF-8 text"))
  }

  /// Small sizes: what is measured is another machine's business, but that it is measured is ours.
  @Test(arguments: [
    (
      "handoff", ["--seconds", "1", "--lives-in-flight", "4", "--agents", "4"],
      ["lives", "p50", "p99", "p99.9", "server cpu", "client cpu", "server peak", "client peak"]
    ),
    (
      "web", ["--seconds", "1", "--rounds", "1", "--connections", "2", "--cases", "post,idle"],
      ["requests", "p50", "p99", "p99.9", "cpu a request", "memory a connection"]
    ),
    (
      "store", ["--only", "identity", "--identities", "1000"],
      ["p50", "p99", "p99.9", "cpu", "time", "peak memory"]
    ),
    (
      "crash", ["--cycles", "1", "--life-milliseconds", "200"],
      ["cycles", "acknowledged", "p50", "p99", "p99.9"]
    ),
    (
      "router",
      [
        "--agents", "10", "--skills", "8", "--waiting", "50", "--needs", "8", "--decisions", "1000",
        "--compared-lives", "10",
      ], ["mean", "p50", "p99", "p99.9", "cpu", "peak"]
    ),
  ])
  func `a bench prints one object a line, with what it measured`(
    _ bench: String, _ sizes: [String], _ wanted: [String]
  ) async throws {
    let ended = try await Peer.run(try Binary.path, ["bench", bench, "--json"] + sizes)
    #expect(ended.status == 0, "\(ended.lines)")
    let shape =
      /\{"bench":"([^"]+)","case":"[^"]+","measure":"([^"]+)","value":-?\d+(?:\.\d+)?,"unit":"[^"]+"\}/
    var measures: Set<String> = []
    for line in ended.lines {
      let found = try #require(try shape.wholeMatch(in: line), "\(line)")
      #expect(found.output.1 == bench)
      measures.insert(String(found.output.2))
    }
    #expect(measures.isSuperset(of: wanted), "\(measures)")
  }

  @Test func `a bench that is ended leaves neither its server nor its folder behind`() async throws
  {
    let folder = try TemporaryFolder()
    let bench = try Peer(
      try Binary.path,
      [
        "bench", "web", "--folder", folder.path, "--cases", "get", "--connections", "1",
        "--seconds", "600",
      ])
    @Sendable func servers() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc").count {
        let words = FileManager.default.contents(atPath: "/proc/\($0)/cmdline") ?? Data()
        return String(decoding: words, as: UTF8.self).contains("--data\0\(folder.path)/")
      }
    }
    try await eventually("its server runs", seconds: 60) { try servers() == 1 }
    bench.signal(SIGTERM)
    #expect(try await bench.end() == 143)
    try await eventually("it is gone") { try servers() == 0 }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  @Test func `a bench says what it cannot do before it begins`() async throws {
    for (words, said) in [
      (["--seconds", "0"], "--seconds is from 1 to 600"),
      (["--cases", "get,get"], "a case stands twice"),
      (
        ["--cases", "get", "--connections", "1", "--folder", "/nowhere"],
        "there is no folder /nowhere"
      ),
      (
        ["--cases", "get", "--connections", "18000"],
        "18000 connections are too many for 4096 descriptors"
      ),
    ] {
      let ended = try await Peer.run(
        "/bin/sh",
        ["-c", "ulimit -n 4096 && exec \"$0\" \"$@\"", try Binary.path, "bench", "web"] + words)
      #expect(ended.status != 0 && ended.lines.contains { $0.contains(said) }, "\(ended)")
    }
  }

  @Test func `the benches of the router and of rules agree with what they are compared to`()
    async throws
  {
    let router = try await Peer.run(
      try Binary.path,
      [
        "bench", "router", "--json", "--agents", "100", "--skills", "8", "--waiting", "500",
        "--needs", "64",
        "--decisions", "1000", "--compared-lives", "200",
      ])
    #expect(router.status == 0, "\(router.lines)")
    let measured = router.lines.map { JSON($0) }
    #expect(
      measured.allSatisfy {
        $0["bench"].text == "router" && $0["value"].bytes.count > 0 && !$0["unit"].text.isEmpty
      })
    #expect(Set(measured.map { $0["case"].text }) == ["agents=100 skills=8 waiting=500 needs=64"])
    for wanted in [
      "mean", "p50", "p99", "p99.9", "decisions", "a waiting case", "an agent", "cpu", "peak",
    ] {
      #expect(measured.contains { $0["measure"].text == wanted }, "\(wanted)")
    }
    #expect(measured.first { $0["measure"].text == "same choice" }?["value"].int == 100)

    let rules = try await Peer.run(
      try Binary.path, ["bench", "rules", "--json", "--evaluations", "1000"], seconds: 120)
    #expect(rules.status == 0, "\(rules.lines)")
    let cases = Set(rules.lines.map { JSON($0)["case"].text })
    #expect(
      cases.isSuperset(of: ["four clauses on nested facts", "rules=10", "rules=10000", "all"]))
    #expect(rules.lines.contains { JSON($0)["measure"].text == "route without index mean" })
  }
}
