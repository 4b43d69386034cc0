import Expressions
import RuleFiles
import Rules
import Testing

struct `Facts as text` {
  @Test func `read back as they were written`() throws {
    var facts = Facts()
    facts[.sessionChannel] = .string("chat")
    facts[.customerName] = .string(
      "Zoë \"Z\" O'Hara: # - | > & * ! % @ \\ \t\n\u{85}\u{2028}\u{FEFF}\u{7}\u{0}\u{7F}\u{FFFF}😀~ null"
    )
    facts[.customerKnown] = .bool(true)
    facts[.customerConversations] = .int(-3)
    facts[.customerEvents] = .list([
      Facts.event(
        kind: "returned", at: Timestamp(milliseconds: 1_795_641_953_120), source: "store",
        fields: [
          ("total", .double(12.5)), ("big", .double(1e21)), ("whole", .double(3)), ("none", .null),
        ])
    ])
    facts[.handoffFields] = .map(
      MapValue([
        ("text", .string("42")), ("number", .int(42)), ("true", .string("true")),
        ("yes", .bool(false)),
        ("list", .list([.int(1), .string("a"), .list([]), .map(.empty)])), ("", .string("")),
        ("odd key: {", .uint(.max)), ("Q &A: *A", .string("Q &A: *A")),
        (String(repeating: "k", count: 2_000), .int(1)), ("\u{e9}", .int(1)),
        ("e\u{301}", .int(2)),
      ]))
    facts[.queues] = .map(
      MapValue([("support", Facts.queue(waiting: 3, oldestSeconds: 60, availableAgents: 0))]))
    facts[.hours] = .map(MapValue([("office", .bool(true))]))
    facts[.now] = .timestamp(Timestamp(milliseconds: 1_795_641_953_120))
    let text = try #require(FactsFile.write(facts))
    let read = FactsFile.read(text, path: "facts.json")
    #expect(read.diagnostics.map(\.rendered) == [])
    let again = try #require(read.facts)
    for fact in Fact.allCases { #expect(again[fact] == facts[fact], "\(fact.name)") }
  }

  @Test func `name what is not known any more, and why`() throws {
    var facts = Facts()
    facts[.sessionChannel] = .string("chat")
    facts[.sessionContext] = .map(
      MapValue([("long", .string(String(repeating: "x", count: 70_000)))]))
    facts.setUnknown(.queues)
    facts.setUnknown(.customerConversations)
    let text = FactsFile.kept(facts)
    #expect(
      text
        == #"{"session.channel":"chat","unknown":{"not_asked":["customer.conversations","queues"],"not_kept":["session.context"]}}"#
    )
    let read = FactsFile.read(text, path: "facts.json")
    #expect(read.diagnostics.map(\.rendered) == [])
    #expect(
      read.gaps == [.notAsked: [.customerConversations, .queues], .notKept: [.sessionContext]])
    let again = try #require(read.facts)
    for fact in [Fact.queues, .customerConversations, .sessionContext] {
      #expect(again[fact]?.isUnknown == true)
    }
    #expect(again[.sessionChannel] == .string("chat") && again[.customerName] == nil)
    let wrong = FactsFile.read("unknown: { not_asked: [queus], lost: [now] }", path: "facts.yaml")
    #expect(wrong.facts == nil && wrong.diagnostics.count == 2)
  }

  /// One queue, and one rule that takes every case.
  private func workspace() throws -> CheckedWorkspace {
    let folder = WorkspaceFolder.load(
      files: [
        "workspace.yaml": "title: x\n", "queues.yaml": "support:\n",
        "rules/10.yaml": "- { name: all, route: { queue: support } }\n",
      ], name: "x")
    return try #require(folder.workspace)
  }

  /// As the door does with a real handoff: `A handoff's names that look alike …` in FactsTests.
  @Test func `names that look alike are told apart as those of a real case are`() throws {
    let workspace = try workspace()
    let text =
      #"{"session":{"channel":"chat"},"handoff":{"fields":{"caf\u00e9":1,"cafe\u0301":2}}}"#
    var facts = try #require(FactsFile.read(text, path: "facts.json").facts)
    let warnings = WorkspaceFolder.complete(&facts, of: workspace, path: "facts.json")
    #expect(warnings.count == 1)
    #expect(warnings.first?.message.contains("look alike") == true)
    let wanted = MapValue([("caf\u{e9}", .int(1)), ("cafe\u{301} (2)", .int(2))])
    #expect(facts[.handoffFields] == .map(wanted))
    #expect(facts[.conversationFields] == .map(wanted))
  }

  @Test(arguments: [
    #"{"customer":{"conversations":"3"}}"#, "customer: { conversations: '3' }",
    #"{"customer":{"known":"true"}}"#, "customer:\n  known: \"true\"\n",
  ])
  func `are not read as numbers where they are texts`(_ text: String) {
    let read = FactsFile.read(text, path: "facts")
    #expect(read.facts == nil)
    #expect(read.diagnostics.map(\.hint) == ["write it without quotes"], "\(text)")
  }

  @Test func `are told of where no case has them`() throws {
    let workspace = try workspace()
    let text =
      #"{"session":{"channel":"chat"},"customer":{"known":false,"conversations":-1,"events":[{"kind":"a"}],"language":"DE"},"#
      + #""mail":{"automatic":true,"from":"Ann@home.example"},"queues":{"support":{"waiting":-2}}}"#
    let facts = try #require(FactsFile.read(text, path: "facts.json").facts)
    let told = WorkspaceFolder.strangers(in: facts, of: workspace, path: "facts.json")
    #expect(
      told.map(\.message)
        == [
          "`mail.from` is always absent on the channel chat",
          "`mail.automatic` is always absent on the channel chat",
          "`customer.conversations` is never -1", "`queues.support.waiting` is never -2",
          "every one of `customer.events` has `kind` and `at`",
          "`mail.automatic` is never true where rules are asked",
          "`customer.known` is never false on the channel chat",
          "`customer.language` is never \"DE\"", "`mail.from` is never \"Ann@home.example\"",
        ].map { $0 + ": there is no case like this" })
  }

  @Test func `are explained with what rests on a time that they do not say`() throws {
    let folder = WorkspaceFolder.load(
      files: [
        "workspace.yaml": "title: x\n",
        "hours.yaml": "office: { zone: UTC, open: { mon-fri: \"09:00-17:00\" } }\n",
        "queues.yaml": "support:\nbilling: { hours: office, closed: { queue: support } }\n",
        "rules/10.yaml":
          "- { name: night, when: '!hours.office && customer.conversations == 7', route: { queue: support } }\n"
          + "- { name: old, when: 'customer.attributes.tier == \"old\"', route: { queue: support } }\n"
          + "- { name: all, route: { queue: billing } }\n",
      ], name: "x")
    let workspace = try #require(folder.workspace, "\(folder.rendered)")
    func told(_ text: String, leaving open: [Fact] = []) throws -> [String] {
      var facts = try #require(
        FactsFile.read("session: { channel: phone }\n" + text, path: "facts.yaml").facts)
      for fact in open { facts.setUnknown(fact) }
      _ = WorkspaceFolder.complete(&facts, of: workspace, path: "facts.yaml")
      let explanation = WorkspaceFolder.explain(facts, by: workspace)
      return explanation.description.split(separator: "\n").filter { $0.hasPrefix("  ! ") }
        .map { String($0.dropFirst(4)) }
    }
    let queue = "whether billing is open (office) is not said: it is taken for open"
    let rule = "which rule takes this rests on the time, and the facts give"
    #expect(try told("customer: { conversations: 1 }") == [queue])
    #expect(
      try told("customer: { conversations: 7 }") == ["\(rule) neither `now` nor `hours`", queue])
    #expect(try told("customer: { conversations: 7 }\nhours: { office: true }") == [])
    #expect(try told("customer: { conversations: 7 }\nnow: 2026-11-27T10:00:00Z") == [])
    #expect(try told("customer: { conversations: 1 }", leaving: [.customerAttributes]) == [queue])
  }

  @Test(arguments: [
    ("session: { channel: email }", "whatever it does, a mail waits there"),
    ("session: { channel: chat }\nconversation: { intent: always }", "it is always open"),
    (
      "session: { channel: chat }\nconversation: { intent: night }\nhours: { office: true }",
      "it is open whenever the office is"
    ),
  ])
  func `are not told of hours that make no difference`(_ text: String, _ why: Comment) throws {
    let folder = WorkspaceFolder.load(
      files: [
        "workspace.yaml": "title: x\n",
        "hours.yaml":
          "office: { zone: UTC, open: { mon-fri: \"09:00-17:00\" } }\n"
          + "long: { zone: UTC, open: { mon-sun: \"08:00-20:00\" } }\n"
          + "always: { zone: UTC, open: { mon-sun: \"00:00-24:00\" } }\n",
        "queues.yaml": "support: { hours: office, closed: { hand_back: closed } }\n"
          + "open: { hours: always, closed: { queue: support } }\n"
          + "night: { hours: long, closed: { queue: support } }\n",
        "agents.yaml": "ann: { queues: [support, open, night] }\n",
        "rules/10.yaml":
          "- { name: always, when: 'conversation.intent == \"always\"', route: { queue: open } }\n"
          + "- { name: night, when: 'conversation.intent == \"night\"', route: { queue: night } }\n"
          + "- { name: all, route: { queue: support } }\n",
      ], name: "x")
    let workspace = try #require(folder.workspace, "\(folder.rendered)")
    func told(_ text: String) throws -> [String] {
      var facts = try #require(FactsFile.read(text, path: "facts.yaml").facts)
      _ = WorkspaceFolder.complete(&facts, of: workspace, path: "facts.yaml")
      return WorkspaceFolder.explain(facts, by: workspace).decision.passedOn
    }
    #expect(try told(text) == [], why)
    #expect(
      try told("session: { channel: chat }")
        == ["whether support is open (office) is not said: it is taken for open"])
  }

  @Test func `are told of where they say no channel, unless that is left open`() throws {
    let workspace = try workspace()
    func told(_ text: String, _ change: (inout Facts) -> Void = { _ in }) throws -> [String] {
      var facts = try #require(FactsFile.read(text, path: "facts.yaml").facts)
      change(&facts)
      return WorkspaceFolder.strangers(in: facts, of: workspace, path: "facts.yaml").map(\.message)
    }
    let missing = "`session.channel` is not given: there is no case like this"
    #expect(try told("customer: { known: true }") == [missing])
    #expect(try told("") == [missing])
    #expect(try told("session: { channel: phone }") == [])
    #expect(try told("customer: { known: true }") { $0.setUnknown(.sessionChannel) } == [])
  }

  @Test func `are refused when they nest without end`() {
    var value = Value.int(1)
    for _ in 0..<100 { value = .list([value]) }
    var facts = Facts()
    facts[.sessionContext] = .map(MapValue([("deep", value)]))
    #expect(FactsFile.write(facts) == nil)
  }

  @Test func `say where a file of theirs is wrong`() {
    for text in [
      "session: { chanel: chat }\nnow: soon\n", "{\"session\": {\"chanel\": 1},\n\"now\": 2}",
    ] {
      let read = FactsFile.read(text, path: "facts.yaml")
      #expect(read.facts == nil)
      #expect(read.diagnostics.map(\.line) == [1, 2])
    }
  }
}
