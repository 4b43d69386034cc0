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

  @Test func `a thousand mistakes end in two hundred diagnostics`() throws {
    let folder = try ScratchFolder()
    let rules = (0..<1_000).map {
      "- name: r\($0)\n  when: no.such.fact == \($0) &&\n  route: { queue: nowhere }\n"
    }
    try folder.write("rules/10.yaml", rules.joined())
    #expect(folder.load().diagnostics.count == 200)
  }

  @Test func `texts that were sent are read as a folder is`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "rules/10.yaml", "- name: gold\n  when: customer.known\n  route: { queue: nowhere }\n")
    try folder.write("hours.yaml", "office: { zone: UTC, open: { mon: \"09:00-17:00\" } }\n")
    let texts = RuleSource.texts(in: folder.url.path)
    #expect(
      texts.keys.sorted() == [
        "hours.yaml", "queues.yaml", "rules/10.yaml", "rules/90.yaml", "workspace.yaml",
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
}
