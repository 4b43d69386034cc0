import Expressions
import Foundation
import Model
import RuleFiles
import Rules
import Testing

/// A folder made for one test, and removed after it.
final class ScratchFolder {
  let url = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(
      at: url.appending(path: "rules"), withIntermediateDirectories: true)
    try write("workspace.yaml", "title: Test\n")
    try write("queues.yaml", "support:\n")
    try write("agents.yaml", "ann: { queues: [support] }\n")
    try write("rules/90.yaml", "- name: everyone\n  route: { queue: support }\n")
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ path: String, _ text: String) throws {
    try text.write(to: url.appending(path: path), atomically: true, encoding: .utf8)
  }
  func load(now: Date = Date(timeIntervalSince1970: 1_795_641_953)) -> WorkspaceFolder.Loaded {
    WorkspaceFolder.load(url.path, now: now)
  }
}

struct `What bad input gets` {
  @Test func `a missing folder is told of`() {
    let loaded = WorkspaceFolder.load("/nowhere/at/all")
    #expect(loaded.workspace == nil)
    #expect(loaded.rendered.contains("there is no such folder"))
  }

  @Test func `no number of warnings hides an error`() throws {
    let folder = try ScratchFolder()
    for number in 0..<300 { try folder.write("rules/\(number).txt", "nothing") }
    try folder.write("rules/10.yaml", "- name: broken\n  when: a.b.c(\n  answer: hello\n")
    let loaded = folder.load()
    #expect(loaded.workspace == nil)
    #expect(loaded.rendered.contains("rules/10.yaml:2"))
    #expect(loaded.diagnostics.count == 201)
    #expect(loaded.diagnostics.last?.message == Self.cut)
  }

  @Test func `a rule file of fifty megabytes is refused without reading it all`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "rules/10.yaml",
      String(repeating: "# nothing to see here, and a lot of it\n", count: 1_350_000))
    let loaded = folder.load()
    #expect(loaded.workspace == nil)
    #expect(
      loaded.rendered
        == "rules/10.yaml: error: this file is larger than 1 MB\n  hint: split it into several files"
    )
  }

  @Test func `YAML nested ten thousand deep is refused`() throws {
    let folder = try ScratchFolder()
    try folder.write("queues.yaml", String(repeating: "[", count: 10_000))
    #expect(folder.load().workspace == nil)
    try folder.write(
      "queues.yaml",
      "support: " + String(repeating: "[", count: 100) + String(repeating: "]", count: 100))
    #expect(folder.load().rendered.contains("nested more than"))
  }

  @Test func `aliases used as keys never unfold`() throws {
    let folder = try ScratchFolder()
    let levels = (1...30).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1), *a\($0 - 1)]" }.joined(
      separator: "\n")
    try folder.write("queues.yaml", "a0: &a0 [x]\n\(levels)\n? *a30\n: x\n? *a30\n: y\n")
    #expect(folder.load().rendered.contains("aliases are not allowed"))
  }

  @Test func `a condition nested ten thousand deep is refused with its place`() throws {
    let folder = try ScratchFolder()
    let deep =
      String(repeating: "(", count: 10_000) + "true" + String(repeating: ")", count: 10_000)
    try folder.write(
      "rules/10.yaml", "- name: deep\n  when: \(deep)\n  route: { queue: support }\n")
    #expect(folder.load().rendered.hasPrefix("rules/10.yaml:2:"))
  }

  @Test func `bytes that are not text are refused`() throws {
    let folder = try ScratchFolder()
    try Data([0x61, 0xFF, 0xFE, 0x00]).write(to: folder.url.appending(path: "queues.yaml"))
    #expect(folder.load().rendered.contains("not UTF-8"))
  }

  @Test(arguments: [
    "'x'.matches('((a{1,1000}){1,1000}){1,1000}')",
    "mail.subject.matches('" + String(repeating: "(a|", count: 5_000) + "')",
    "mail.subject.matches('a{1000}{1000}{1000}')",
  ])
  func `a pattern made to explode is refused with its place`(_ condition: String) throws {
    let folder = try ScratchFolder()
    try folder.write(
      "rules/10.yaml", "- name: boom\n  when: \"\(condition)\"\n  route: { queue: support }\n")
    let loaded = folder.load()
    #expect(loaded.workspace == nil)
    #expect(loaded.rendered.hasPrefix("rules/10.yaml:2:") && loaded.rendered.utf8.count < 20_000)
    #expect(loaded.rendered.contains("pattern"))
  }

  @Test func `a pattern that other engines explode on runs in a time that grows with the text`()
    throws
  {
    let folder = try ScratchFolder()
    try folder.write(
      "rules/10.yaml",
      "- name: hm\n  when: mail.subject.matches('^(a+)+$')\n  route: { queue: support }\n")
    let rules = try #require(folder.load().workspace).rules
    var facts = Facts()
    facts[.mailSubject] = .string(String(repeating: "a", count: 200_000) + "!")
    #expect(rules.evaluate(facts).rule == "everyone")
  }

  @Test func `patterns that are slow to read are bounded for all rules together`() throws {
    let folder = try ScratchFolder()
    // Each class takes RE2 up to milliseconds.
    func rules(_ count: Int) -> String {
      (0..<count).map {
        "- name: r\($0)\n  when: mail.subject.matches(r\"\(String(repeating: "\\\\pL", count: 10))\($0)\")\n  reject: x\n"
          .replacingOccurrences(of: "\\\\", with: "\\")
      }.joined()
    }
    try folder.write("rules/10.yaml", rules(500))
    let loaded = folder.load()
    #expect(loaded.workspace == nil)
    #expect(
      loaded.diagnostics.count { $0.severity == .error } == 1, "\(loaded.rendered.prefix(2_000))")
    #expect(loaded.rendered.contains("the patterns of all rules are too large together"))
    #expect(loaded.rendered.hasPrefix("rules/10.yaml:302:"))
    try folder.write("rules/10.yaml", rules(3))
    #expect(folder.load().workspace != nil)
  }

  @Test func `large patterns are bounded by their parts`() throws {
    let folder = try ScratchFolder()
    let rules = (0..<1_000).map {
      "- name: r\($0)\n  when: mail.subject.matches('(a\($0)|b){1,1000}')\n  reject: x\n"
    }
    try folder.write("rules/10.yaml", rules.joined())
    let loaded = folder.load()
    #expect(loaded.rendered.contains("the patterns of all rules are too large together"))
    #expect(loaded.diagnostics.count { $0.severity == .error } == 1)
  }

  @Test func `facts of very many values are read as JSON, and refused as YAML`() throws {
    let json =
      "{\"customer.attributes\":{"
      + (0..<60_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}}"
    let read = FactsFile.read(json, path: "facts.json")
    guard case .map(let held)? = read.facts?[.customerAttributes] else {
      Issue.record("\(read.diagnostics.map(\.rendered))")
      return
    }
    #expect(held.count == 60_000)
    let yaml = "customer:\n  attributes:\n" + (0..<30_000).map { "    k\($0): 1\n" }.joined()
    let refused = FactsFile.read(yaml, path: "facts.yaml")
    #expect(
      refused.diagnostics.map(\.rendered) == [
        "facts.yaml: error: this file holds more than 20000 values"
      ])
  }

  @Test func `a test that names a rule which is not there is told of, with what was meant`() throws
  {
    let folder = try ScratchFolder()
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tests"), withIntermediateDirectories: true)
    try folder.write("tests/10.yaml", "- name: t\n  given: {}\n  expect: { rule: evryone }\n")
    let loaded = folder.load()
    #expect(loaded.workspace == nil)
    #expect(loaded.rendered.contains("there is no rule `evryone`"))
    #expect(loaded.rendered.contains("did you mean `everyone`?"))
  }

  @Test func `twenty thousand rules are the most`() throws {
    let folder = try ScratchFolder()
    for file in 0..<3 {
      let rules = (0..<7_000).map {
        "- name: r\(file)-\($0)\n  when: customer.conversations == \($0)\n  reject: x\n"
      }
      try folder.write("rules/\(file).yaml", rules.joined())
    }
    #expect(folder.load().rendered.contains("there are more than 20000 rules"))
  }

  @Test func `whom a folder is refused is told first what it is refused for`() throws {
    let folder = try ScratchFolder()
    try folder.write("queues.yaml", "support:\nempty:\n")
    try folder.write("rules/10.yaml", "- name: broken\n  when: a.b.c(\n  answer: hello\n")
    let loaded = folder.load()
    #expect(loaded.rendered.hasPrefix("queues.yaml:2:1: warning: "))
    #expect(loaded.refusal.hasPrefix("rules/10.yaml:2:"))
    #expect(loaded.refusal.hasSuffix(loaded.rendered.prefix(40)) == false)
    #expect(loaded.refusal.utf8.count == loaded.rendered.utf8.count)
  }

  @Test func `a thousand mistakes end in two hundred diagnostics`() throws {
    let folder = try ScratchFolder()
    let rules = (0..<1_000).map {
      "- name: r\($0)\n  when: no.such.fact == \($0) &&\n  route: { queue: nowhere }\n"
    }
    try folder.write("rules/10.yaml", rules.joined())
    let told = folder.load().diagnostics
    #expect(told.count == 201)
    #expect(told.last?.message == Self.cut && !told.dropLast().contains { $0.message == Self.cut })
  }

  private static let cut = "only 200 findings are told, and more were not looked at"

  @Test func `of as many findings as there is room for none is left out`() throws {
    for (count, told) in [(200, 200), (201, 201)] {
      let folder = try ScratchFolder()
      let before = folder.load().diagnostics.count
      for number in before..<count { try folder.write("rules/\(number).txt", "nothing") }
      let found = folder.load().diagnostics
      #expect(found.count == told)
      #expect((found.last?.message == Self.cut) == (count > 200))
    }
  }

  @Test func `texts that were sent are read as a folder is`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "rules/10.yaml", "- name: gold\n  when: customer.known\n  route: { queue: nowhere }\n")
    try folder.write("hours.yaml", "office: { zone: UTC, open: { mon: \"09:00-17:00\" } }\n")
    let texts = RuleSource.texts(in: folder.url.path)
    #expect(
      texts.keys.sorted() == [
        "agents.yaml", "hours.yaml", "queues.yaml", "rules/10.yaml", "rules/90.yaml",
        "workspace.yaml",
      ])
    let now = Date(timeIntervalSince1970: 1_795_641_953)
    #expect(
      WorkspaceFolder.load(files: texts, name: "x", now: now).rendered == folder.load().rendered)
    try folder.write(
      "rules/10.yaml", "- name: gold\n  when: customer.known\n  route: { queue: support }\n")
    let whole = WorkspaceFolder.load(
      files: RuleSource.texts(in: folder.url.path), name: "x", now: now)
    #expect(whole.rendered == "")
    #expect(whole.workspace?.rules.version == folder.load().workspace?.rules.version)
    #expect(
      RuleSource.version(of: RuleSource.texts(in: folder.url.path))
        == whole.workspace?.rules.version)
    #expect(whole.workspace?.workspace.name == "x")
  }

  @Test func `texts that were sent are bounded as files are`() {
    let long = String(repeating: "# nothing\n", count: 200_000)
    let one = WorkspaceFolder.load(files: ["workspace.yaml": long], name: "x")
    #expect(one.rendered.contains("larger than 1 MB"))
    let many = Dictionary(
      uniqueKeysWithValues: (0..<20).map { ("rules/\($0).yaml", String(long.prefix(1_000_000))) })
    #expect(WorkspaceFolder.load(files: many, name: "x").rendered.contains("larger than 16 MB"))
    let odd = [
      "../../etc/passwd": "x", "rules/../x.yaml": "- x", "": "", "/": "", "rules/": "",
      "rules/a/b.yaml": "- x",
    ]
    #expect(WorkspaceFolder.load(files: odd, name: "x").workspace == nil)
  }

  @Test func `conditions that only look alike are two`() {
    func rendered(_ first: String, _ second: String) -> String {
      let rules = [first, second].enumerated().map { at, text in
        "- { name: r\(at), when: 'mail.subject.contains(\"\(text)\")', answer: \"\(at)\" }\n"
      }
      return WorkspaceFolder.load(files: ["rules/10.yaml": rules.joined()], name: "x").rendered
    }
    let told = "`r0` has the same condition"
    #expect(rendered("caf\u{e9}", "caf\u{e9}").contains(told))
    #expect(!rendered("caf\u{e9}", "cafe\u{301}").contains(told))
  }

  @Test(arguments: `Broken rules`.cases) func `files of another system are read as ours are`(
    _ name: String
  ) {
    let folder = `Broken rules`.folder.appending(path: name)
    let texts = RuleSource.texts(in: folder.path)
    let ours = WorkspaceFolder.load(files: texts, name: "x")
    for lineEnd in ["\r\n", "\r"] {
      let theirs = texts.mapValues {
        "\u{FEFF}"
          + $0.split(separator: "\n", omittingEmptySubsequences: false)
          .joined(separator: lineEnd)
      }
      #expect(WorkspaceFolder.load(files: theirs, name: "x").rendered == ours.rendered)
    }
  }

  @Test func `a byte order mark changes nothing, also not the version`() throws {
    let folder = try ScratchFolder()
    let plain = try #require(folder.load().workspace).rules.version
    try folder.write("queues.yaml", "\u{FEFF}support:\n")
    #expect(folder.load().workspace?.rules.version == plain)
    var texts = RuleSource.texts(in: folder.url.path)
    texts["queues.yaml"] = "\u{FEFF}support:\n"
    #expect(RuleSource.version(of: texts) == plain)
  }

  @Test func `what is no file is not waited for`() throws {
    let folder = try ScratchFolder()
    #expect(mkfifo(folder.url.appending(path: "rules/10.yaml").path, 0o600) == 0)
    #expect(folder.load().rendered.contains("rules/10.yaml: error: this is no file"))
  }

  @Test func `text that looks like an alias is text`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "rules/10.yaml",
      """
      - name: a
        when: customer.known
        answer: AT&T calls you back, ask for &T
      - name: b
        when: customer.conversations > 3
        answer: "please press *T or AT*T"
      - name: c
        when: 'conversation.text == "R &D: *D" || conversation.text == "&D: *D"'
        answer: R &D
      """)
    #expect(folder.load().rendered == "")
  }

  @Test(arguments: [
    "a: &T\nb: *T\n", "a: &T {}\nb:\n  *T\n", "{\"a\":&T {},\"b\":*T}\n", "a: !!map &T {}\nb: *T\n",
    "? &T a\n: {}\n? *T\n: {}\n", "a: { who: [&T longest_idle, *T] }\n",
    "--- &T\na: { title: *T }\n",
    "a: { who: [&T longest_idle,*T] }\n",
  ])
  func `an alias is none of it, wherever it stands`(_ text: String) throws {
    let folder = try ScratchFolder()
    try folder.write("queues.yaml", text)
    #expect(folder.load().rendered.contains("aliases are not allowed"), "\(text)")
  }

  @Test func `a condition that makes patterns without end is refused before it is tried`() throws {
    let folder = try ScratchFolder()
    let condition =
      "lists.range(9000).all(i, !'aaaaaaaaab'.matches('(\\\\pL|\\\\pN){1,200}' + string(i)))"
    try folder.write(
      "rules/10.yaml", "- name: boom\n  when: \(condition)\n  route: { queue: support }\n")
    #expect(folder.load().rendered.contains("steps; 100000 are allowed"))
  }

  @Test func `one list of facts inside another is allowed`() throws {
    let folder = try ScratchFolder()
    let condition = "customer.events.exists(e, handoff.skills.exists(s, e.kind == s))"
    try folder.write(
      "rules/10.yaml", "- name: both\n  when: \(condition)\n  route: { queue: support }\n")
    #expect(folder.load().rendered == "")
  }

  /// Word by word, and not each clause with each: that grew with the square of their number.
  @Test func `rules of two thousand clauses are compared`() throws {
    let folder = try ScratchFolder()
    let clauses = (0..<2_000).map { "conversation.text != \"a\($0)\"" }.joined(
      separator: "\n    && ")
    try folder.write(
      "rules/10.yaml",
      (0..<4).map {
        "- name: r\($0)\n  when: >-\n    \(clauses)\n    && customer.conversations > \($0)\n  reject: x\n"
      }.joined())
    let loaded = folder.load()
    #expect(loaded.diagnostics.count { $0.message.contains("this rule is never reached") } == 3)
    #expect(loaded.diagnostics.count == 3, "\(loaded.rendered.prefix(500))")
  }

  @Test func `rules that could take long together are warned of, and refused`() throws {
    let folder = try ScratchFolder()
    func load(_ count: Int) throws -> WorkspaceFolder.Loaded {
      try folder.write(
        "rules/10.yaml",
        (0..<count).map {
          "- name: r\($0)\n  when: lists.range(90).exists(x, lists.range(90).exists(y, x * y == \($0) && customer.known))\n  reject: x\n"
        }.joined())
      return folder.load()
    }
    #expect(try load(3).rendered == "")
    let warned = try load(60)
    #expect(warned.workspace != nil)
    #expect(
      warned.rendered.contains("rules: warning: to route one case these rules could take "),
      "\(warned.rendered)")
    let refused = try load(600)
    #expect(refused.workspace == nil && refused.rendered.contains("; 10000000 are allowed"))
  }

  /// Each rule names queues, skills and agents of thousands: looked up, not gone through.
  @Test func `thousands of rules, queues and agents are read together`() throws {
    let folder = try ScratchFolder()
    let count = 1_500
    try folder.write("skills.yaml", "german:\n")
    try folder.write(
      "queues.yaml",
      "support:\n"
        + (0..<count).map {
          "q\($0): { closed: { queue: q\(($0 + 1) % count) }, max_wait: { limit: 10m, then: { answer: x } } }\n"
        }.joined())
    try folder.write(
      "agents.yaml",
      (0..<count).map { "a\($0): { queues: [support, q\($0)], skills: { german: 3 } }\n" }.joined())
    let rules = (0..<(2 * count)).map {
      "- name: r\($0)\n  when: customer.last_agent == 'a\($0 % count)' && queues.q\($0 % count).waiting > \($0)\n  route: { queue: support, skills: { german: 3 }, prefer: { agent: a\($0 % count), for: 9s } }\n"
    }
    for part in 0..<2 {
      try folder.write("rules/\(part).yaml", rules[(part * count)..<((part + 1) * count)].joined())
    }
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tests"), withIntermediateDirectories: true)
    try folder.write(
      "tests/10.yaml",
      (0..<(2 * count)).map {
        "- name: t\($0)\n  given: { session.channel: chat }\n  expect: { rule: r\($0) }\n"
      }.joined()
    )
    let loaded = folder.load()
    #expect(loaded.workspace?.rules.rules.count == 2 * count + 1)
    #expect(loaded.tests.count == 2 * count)
    #expect(
      loaded.diagnostics.dropLast().allSatisfy { $0.message.contains("`closed` never happens") })
  }

  @Test func `a test that expects nothing is told of, and one whose name another has`() throws {
    let folder = try ScratchFolder()
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tests"), withIntermediateDirectories: true)
    let one = "- name: t\n  given: {}\n  expect: { rule: everyone }\n"
    try folder.write("tests/10.yaml", one + one)
    let twice = folder.load()
    #expect(
      twice.workspace != nil && twice.rendered.contains("tests/10.yaml:4:9: warning: another test"))
    for nothing in ["{}", "", "~"] {
      try folder.write("tests/10.yaml", "- name: t\n  given: {}\n  expect: \(nothing)\n")
      let loaded = folder.load()
      #expect(loaded.workspace == nil && loaded.rendered.contains("expects nothing"), "\(nothing)")
    }
  }

  @Test func `a test's lists are compared whatever stands first in them`() throws {
    let folder = try ScratchFolder()
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tests"), withIntermediateDirectories: true)
    try folder.write("agents.yaml", "ann: { teams: [red] }\nbob: { teams: [blue] }\n")
    try folder.write(
      "rules/90.yaml",
      "- name: everyone\n  route: { queue: support, teams: [red, blue], exclude: [bob, ann], tags: [b, a] }\n"
    )
    try folder.write(
      "tests/10.yaml",
      "- name: t\n  given: {}\n  expect: { teams: [blue, red], exclude: [ann, bob], tags: [a, b] }\n"
    )
    let report = WorkspaceFolder.test(folder.url.path)
    #expect(report.passed && report.outcomes.count == 1, "\(report.text)")
  }

  @Test func `any other bytes give diagnostics, never a trap`() throws {
    let folder = try ScratchFolder()
    let pieces = [
      "- ", "name: ", "x", ":", "\n", "  ", "when: ", "route: ", "{", "}", "[", "]", "\"", "'", "|",
      ">", "#",
      "&a ", "*a ", "!!binary ", "---", "? ", "é", "\t", ",", "%", "@", "queue: support",
    ]
    var state: UInt64 = 7
    for _ in 0..<400 {
      var text = ""
      for _ in 0..<30 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += pieces[Int(state >> 33) % pieces.count]
      }
      try folder.write("rules/10.yaml", text)
      try folder.write("queues.yaml", text)
      _ = folder.load().rendered
    }
  }

  @Test func `the same bytes have the same version, and others another`() throws {
    let folder = try ScratchFolder()
    let first = try #require(folder.load().workspace).rules.version
    #expect(folder.load().workspace?.rules.version == first)
    try folder.write(
      "rules/90.yaml", "- name: everyone\n  route: { queue: support, priority: 1 }\n")
    #expect(folder.load().workspace?.rules.version != first)
  }
}

struct `Opening hours` {
  @Test func `follow the clock of their zone, its summer time and its holidays`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "hours.yaml",
      """
      office:
        zone: Europe/Berlin
        open:
          mon-fri: ["09:00-12:00", "13:00-17:00"]
        holidays:
          2026-12-25: closed
          2026-12-26: "10:00-11:00"
      always:
        zone: UTC
        open: { mon-sun: "00:00-24:00" }
      """)
    let loaded = folder.load()
    #expect(loaded.rendered == "")
    let hours = try #require(loaded.workspace).hours
    func isOpen(_ name: String, _ text: String) throws -> Bool {
      let date = try Date(text, strategy: .iso8601)
      let hours = try #require(hours.first { $0.name == name })
      return hours.isOpen(at: Instant(milliseconds: Int64(date.timeIntervalSince1970 * 1_000)))
    }
    // Winter: Berlin is an hour ahead of UTC; summer: two.
    #expect(try isOpen("office", "2026-11-26T08:00:00Z"))
    #expect(try !isOpen("office", "2026-11-26T07:59:59Z"))
    #expect(try isOpen("office", "2027-07-01T07:00:00Z"))
    #expect(try !isOpen("office", "2027-07-01T06:59:59Z"))
    #expect(try !isOpen("office", "2026-11-26T11:30:00Z"))
    #expect(try !isOpen("office", "2026-11-26T16:00:00Z"))
    #expect(try !isOpen("office", "2026-12-25T10:00:00Z"))
    #expect(try isOpen("office", "2026-12-26T09:30:00Z"))
    #expect(try isOpen("always", "2027-03-28T01:30:00Z"))
    #expect(hours.first { $0.name == "always" }?.open.count == 1)
  }

  @Test(arguments: ["2026-02-30", "2026-13-01", "2026-2-28", "+026-01-01", "2027-02-29", "xmas"])
  func `have no holiday on a day that there is not`(_ day: String) throws {
    let folder = try ScratchFolder()
    try folder.write(
      "hours.yaml",
      "office: { zone: UTC, open: { mon: \"09:00-17:00\" }, holidays: { \(day): closed } }\n")
    #expect(folder.load().rendered.contains("`\(day)` is not a date"))
  }

  @Test(arguments: ["PST", "CEST", "GMT+2", "Europe/Nowhere", "UTC+1"])
  func `are in a zone that has an official name`(_ zone: String) throws {
    let folder = try ScratchFolder()
    try folder.write("hours.yaml", "office: { zone: \(zone), open: { mon: \"09:00-17:00\" } }\n")
    #expect(folder.load().rendered.contains("there is no time zone `\(zone)`"))
  }
}
