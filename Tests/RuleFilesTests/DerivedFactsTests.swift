import Expressions
import Foundation
import RuleFiles
import Rules
import Testing

/// What follows from the facts of a test, or of a file, as it follows for a case that is routed.
struct `Facts that follow from others` {
  private func folder() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    try folder.write(
      "hours.yaml",
      """
      office: { zone: Europe/Berlin, open: { mon-fri: "09:00-17:00" }, holidays: { 2030-06-04: closed } }
      night: { zone: Europe/Berlin, open: { mon-sun: "00:00-24:00" } }
      """)
    try folder.write(
      "rules/10.yaml",
      """
      - { name: closed, when: "!hours.office", answer: closed }
      - { name: returns, when: 'conversation.intent == "return"', answer: returns }
      - { name: germans, when: 'conversation.language == "de" && customer.language == "de"', answer: hallo }
      - { name: ordered, when: has(conversation.fields.order), answer: ordered }

      """)
    return folder
  }

  /// The rule that takes these facts, and what is said of them.
  private func taken(_ text: String) throws -> (rule: String, warnings: [String]) {
    let checked = try #require(try folder().load().workspace)
    var facts = try #require(FactsFile.read(text, path: "facts.yaml").facts)
    let warnings = WorkspaceFolder.complete(&facts, of: checked, path: "facts.yaml")
    return (checked.rules.evaluate(facts).rule, warnings.map(\.message))
  }

  @Test(arguments: [
    // Within the two years that hours are spelt out for, long before and long after.
    ("now: 2026-11-27T10:00:00Z", "everyone"), ("now: 2026-11-27T17:00:00Z", "closed"),
    ("now: 2019-06-03T10:00:00Z", "everyone"), ("now: 2019-06-02T10:00:00Z", "closed"),
    ("now: 2030-06-03T07:00:00Z", "everyone"), ("now: 2030-06-03T06:59:59Z", "closed"),
    ("now: 2030-06-04T10:00:00Z", "closed"), ("now: 2030-01-07T07:30:00Z", "closed"),
    ("hours: { night: true }\nnow: 2030-06-04T10:00:00Z", "closed"),
    ("conversation: { fields: { intent: return } }", "returns"),
    ("session: { context: { intent: return } }", "returns"),
    ("handoff: { fields: { intent: return } }", "returns"),
    (
      "session: { context: { intent: return } }\nconversation: { fields: { intent: buy } }",
      "everyone"
    ),
    ("conversation: { fields: { intent: 3 } }", "everyone"),
    ("conversation: { fields: { language: de } }", "germans"),
    ("customer: { language: de }", "germans"), ("conversation: { language: de }", "germans"),
    ("handoff: { fields: { order: A-1 } }", "ordered"),
  ])
  func `are derived where nobody states them`(_ facts: String, _ rule: String) throws {
    let taken = try taken(facts)
    #expect(taken.rule == rule, "\(facts)")
    #expect(taken.warnings == [], "\(facts)")
  }

  @Test func `stand as they are stated, and a contradiction is told`() throws {
    let hours = try taken("now: 2030-06-03T10:00:00Z\nhours: { office: false }")
    #expect(hours.rule == "closed")
    #expect(
      hours.warnings == [
        "`hours.office` is said to be false, and from `now` it follows that it is true"
      ])
    let intent = try taken("conversation: { intent: return, fields: { intent: buy } }")
    #expect(intent.rule == "returns")
    #expect(
      intent.warnings == [
        #"`conversation.intent` is said to be "return", and from `conversation.fields.intent` it follows that it is "buy""#
      ])
    let handed = try taken(
      "conversation: { fields: { order: A-1 } }\nhandoff: { fields: { order: A-2 } }")
    #expect(
      handed.warnings == [
        #"`conversation.fields.order` is said to be "A-1", and from `handoff.fields` it follows that it is "A-2""#
      ])
  }

  @Test(arguments: [
    (#"customer.events.size() == 0"#, "session: { channel: phone }", true),
    (
      #"customer.events.exists(e, e.kind == "returned")"#,
      "customer: { events: [{ kind: returned }] }", true
    ),
    (#"!("tier" in customer.attributes)"#, "{}", true),
    (#"!("tier" in customer.attributes)"#, "customer: { attributes: { tier: gold } }", false),
    ("customer.conversations == 0 && conversation.sessions == 1", "{}", true),
    ("customer.conversations == 0", "customer: { conversations: 2 }", false),
    ("!conversation.reopened", "{}", true),
    ("!conversation.reopened", "conversation: { reopened: true }", false),
    (#"!("order" in conversation.fields)"#, "{}", true),
    (#"!("order" in conversation.fields)"#, "session: { context: { order: A-1 } }", false),
    ("conversation.messages == 1", "session: { channel: email }", true),
    ("conversation.messages == 1", "conversation: { text: hello }", true),
    ("conversation.messages == 0", "session: { channel: phone }", true),
    ("!customer.known", "session: { channel: phone }", true),
    ("customer.known", "session: { channel: chat }", true),
    ("customer.known", "session: { channel: email }\ncustomer: { last_agent: ada }", true),
    ("!customer.known", "session: { channel: email }\ncustomer: { events: [] }", true),
    ("!customer.known", "session: { channel: phone }\ncustomer: { known: false, name: Ada }", true),
    // The first mail of somebody brings their name, and with it an attribute.
    ("has(customer.known)", "session: { channel: email }\ncustomer: { name: Ada }", false),
    (
      "has(customer.known)", "session: { channel: email }\ncustomer: { attributes: { name: Ada } }",
      false
    ),
    ("customer.known", "session: { channel: chat }\ncustomer: { name: Ada }", true),
    ("customer.known", "session: { channel: email }\nconversation: { reopened: true }", true),
    ("customer.known", "session: { channel: email }\nconversation: { sessions: 2 }", true),
    ("!customer.known", "session: { channel: email }\nconversation: { sessions: 1 }", true),
    ("customer.known", "customer: { name: Ada, conversations: 1 }", true),
    (
      "customer.known", "customer: { events: [{ kind: a, at: '2026-11-27T10:00:00Z' }] }", true
    ),
    ("size(handoff.skills) == 0 && size(handoff.fields) == 0", "session: { channel: chat }", true),
    (
      "size(handoff.skills) == 1", "session: { channel: chat }\nhandoff: { skills: [german] }", true
    ),
    ("has(handoff.skills)", "session: { channel: phone }", false),
    ("mail.attachments == 0 && !mail.automatic", "session: { channel: email }", true),
    ("mail.attachments == 2", "session: { channel: email }\nmail: { attachments: 2 }", true),
    ("has(mail.attachments)", "session: { channel: phone }", false),
    ("queues.support.waiting == 0 && queues.support.oldest_seconds == 0", "{}", true),
    (
      "queues.support.waiting == 7 && queues.support.oldest_seconds == 0",
      "queues: { support: { waiting: 7 } }", true
    ),
    ("queues.vip.waiting == 0", "queues: { support: { waiting: 7 } }", true),
    ("queues.support.available_agents == 0", "{}", false),
    (#"customer.assurance == "claimed""#, "session: { channel: email }", true),
    ("has(customer.assurance)", "session: { channel: chat }", false),
    (#"!mail.from.endsWith("@partner.example")"#, "session: { channel: email }", true),
    (
      #"mail.from == "ann@home.example""#,
      "session: { channel: email }\nmail: { from: ann@home.example }", true
    ),
    (#"mail.to == ["help@shop.example"]"#, "session: { channel: email }", true),
    ("has(mail.to)", "session: { channel: phone }", false),
    (#"session.bot == "robin" && handoff.reason == """#, "session: { channel: chat }", true),
    ("has(session.bot) || has(handoff.reason)", "session: { channel: phone }", false),
    (#"call.to == "+18005551212""#, "session: { channel: phone }", true),
    (#"conversation.text == """#, "session: { channel: email }", true),
    ("has(conversation.text)", "session: { channel: chat }", false),
    ("queues.support.available_agents == 3", "queues: { support: { available_agents: 3 } }", true),
  ])
  func `are as of a first contact where every case has them`(
    _ condition: String, _ facts: String, _ matches: Bool
  ) throws {
    let folder = try folder()
    try folder.write("queues.yaml", "support:\nvip:\n")
    try folder.write(
      "workspace.yaml",
      """
      title: Test
      mail_addresses: [help@shop.example]
      dialled_numbers: ["+18005551212"]
      bots: { robin: }
      """)
    try FileManager.default.removeItem(at: folder.url.appending(path: "rules/10.yaml"))
    try folder.write("rules/10.yaml", "- name: asked\n  when: '\(condition)'\n  answer: yes\n")
    let checked = try #require(folder.load().workspace, "\(folder.load().diagnostics)")
    var known = try #require(FactsFile.read(facts, path: "facts.yaml").facts)
    _ = WorkspaceFolder.complete(&known, of: checked, path: "facts.yaml")
    #expect((checked.rules.evaluate(known).rule == "asked") == matches, "\(condition), \(facts)")
    // A test beside the rules sees the same.
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tests"), withIntermediateDirectories: true)
    let given = facts.split(separator: "\n").map { "    \($0)\n" }.joined()
    try folder.write(
      "tests/10.yaml",
      "- name: one\n  given:\n\(given)  expect: { rule: \(matches ? "asked" : "everyone") }\n")
    let report = WorkspaceFolder.test(folder.url.path)
    #expect(report.passed && report.outcomes.count == 1, "\(report.text)")
  }

  @Test func `are left open where what they follow from is not known`() throws {
    let checked = try #require(try folder().load().workspace)
    var facts = Facts()
    facts.setUnknown(.conversationFields)
    facts.setUnknown(.hours)
    facts[.now] = .timestamp(Timestamp(milliseconds: 0))
    #expect(WorkspaceFolder.complete(&facts, of: checked, path: "facts").isEmpty)
    #expect(facts[.hours]?.isUnknown == true && facts[.conversationFields]?.isUnknown == true)
    #expect(facts[.conversationIntent]?.isUnknown == true)
  }

  @Test(arguments: [
    ("!customer.known", "{}", Fact.sessionChannel, true),
    ("conversation.messages == 0", "{}", .sessionChannel, true),
    (#"mail.subject.contains("x")"#, "{}", .sessionChannel, true),
    ("conversation.reopened", "{}", .sessionChannel, false),
    ("!customer.known", "session: { channel: phone }", .customerEvents, true),
    ("!customer.known", "session: { channel: phone }", .customerAttributes, true),
    (
      "!customer.known", "session: { channel: phone }\ncustomer: { last_agent: ann }",
      .customerEvents, false
    ),
    ("!customer.known", "session: { channel: chat }", .customerEvents, false),
    ("conversation.fields.total > 5", "session: { channel: chat }", .handoffFields, true),
    (
      "conversation.fields.total > 5", "conversation: { fields: { total: 6 } }", .handoffFields,
      false
    ),
    (#"conversation.intent == "buy""#, "session: { channel: chat }", .sessionContext, true),
    ("has(conversation.fields.order)", "{}", .sessionChannel, true),
    ("has(conversation.fields.intent)", "{}", .conversationIntent, true),
    (
      #"conversation.fields.intent == "buy""#, "conversation: { fields: { a: 1 } }",
      .conversationIntent, true
    ),
    (#"customer.language == "de""#, "{}", .conversationLanguage, true),
    (#"conversation.language == "de""#, "{}", .customerLanguage, true),
    (#"conversation.fields.language == "de""#, "{}", .customerLanguage, true),
    (
      #"conversation.fields.intent == "buy""#,
      "handoff: { fields: { intent: buy } }\nconversation: { fields: { total: 2 } }",
      .sessionContext,
      false
    ),
    // Whether there is one is not known either.
    (
      "has(conversation.fields.intent)", "conversation: { fields: { a: 1 } }", .conversationIntent,
      true
    ),
    (
      #""intent" in conversation.fields"#, "conversation: { fields: { a: 1 } }",
      .conversationIntent, true
    ),
    (
      #"conversation.fields.?intent.orValue("") == """#, "conversation: { fields: { a: 1 } }",
      .conversationIntent, true
    ),
    (
      "has(conversation.fields.order)",
      "session: { channel: chat }\nconversation: { fields: { a: 1 } }", .handoffFields, true
    ),
    (
      "conversation.fields.size() == 1",
      "session: { channel: chat }\nconversation: { fields: { a: 1 } }", .handoffFields, true
    ),
    (
      #"conversation.fields.exists(name, name == "b")"#,
      "session: { channel: chat }\nconversation: { fields: { a: 1 } }", .handoffFields, true
    ),
    (
      "conversation.fields.a == 1",
      "session: { channel: chat }\nconversation: { fields: { a: 1 } }", .handoffFields, false
    ),
    ("conversation.messages == 1", "session: { channel: email }", .conversationText, false),
    ("conversation.messages == 1", "session: { channel: chat }", .conversationText, true),
    ("conversation.messages == 1", "conversation: { text: hello }", .sessionChannel, false),
    (#"conversation.text == """#, "{}", .sessionChannel, true),
    (#"customer.assurance == "claimed""#, "{}", .sessionChannel, true),
    // The newest word counts, whatever was said before it.
    (
      #"conversation.intent == "buy""#,
      "session: { channel: chat }\nhandoff: { fields: { intent: buy } }", .sessionContext, false
    ),
    (
      #"conversation.language == "de" && customer.language == "de""#,
      "session: { channel: chat }\nhandoff: { fields: { language: DE } }", .conversationFields,
      false
    ),
    (
      #"conversation.intent == "buy""#,
      "session: { channel: chat, context: { intent: buy } }", .handoffFields, true
    ),
    (#"conversation.intent == "buy""#, "conversation: { fields: { a: 1 } }", .sessionContext, true),
    (#"conversation.language == "de""#, "session: { channel: chat }", .conversationIntent, false),
    // No other channel ever brings it.
    ("conversation.fields.total > 5", "session: { channel: email }", .handoffFields, false),
    (#"mail.subject.contains("x")"#, "session: { channel: chat }", .mailSubject, false),
    ("hours.office", "now: 2030-06-03T10:00:00Z", .now, true),
    ("hours.night", "now: 2030-06-03T10:00:00Z\nhours: { office: true }", .now, true),
    ("hours.office", "now: 2030-06-03T10:00:00Z\nhours: { office: true }", .now, false),
  ])
  func `decide nothing where they are not known`(
    _ condition: String, _ facts: String, _ unknown: Fact, _ isOpen: Bool
  ) throws {
    let folder = try folder()
    try FileManager.default.removeItem(at: folder.url.appending(path: "rules/10.yaml"))
    try folder.write("rules/10.yaml", "- name: asked\n  when: '\(condition)'\n  answer: yes\n")
    let checked = try #require(folder.load().workspace, "\(folder.load().diagnostics)")
    var known = try #require(FactsFile.read(facts, path: "facts.yaml").facts)
    known.setUnknown(unknown)
    _ = WorkspaceFolder.complete(&known, of: checked, path: "facts.yaml")
    #expect(checked.rules.explain(known).isUndecided == isOpen, "\(condition), \(facts)")
  }

  @Test func `hold for tests beside the rules, too`() throws {
    let folder = try folder()
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tests"), withIntermediateDirectories: true)
    try folder.write(
      "tests/10.yaml",
      """
      - name: at night
        given: { now: 2030-06-03T20:00:00Z }
        expect: { rule: closed }
      - name: by day
        given: { now: 2030-06-03T10:00:00Z, handoff: { fields: { intent: return } } }
        expect: { rule: returns }
      """)
    let report = WorkspaceFolder.test(folder.url.path)
    #expect(report.passed && report.outcomes.count == 2, "\(report.text)")
  }
}

/// Whatever is decided while a fact is open is so whatever the fact turns out to be.
struct `A fact that is left open` {
  private static let others: [Fact: [String]] = [
    .sessionChannel: ["chat", "email", "phone"],
    .sessionContext: ["{}", "{ intent: buy }", "{ language: DE }", "{ order: 1 }"],
    .customerKnown: ["true", "false"], .customerName: ["Ann"],
    .customerAssurance: ["claimed", "verified"], .customerAttributes: ["{}", "{ tier: gold }"],
    .customerLanguage: ["de"], .customerConversations: ["0", "3"], .customerLastAgent: ["ann"],
    .customerEvents: ["[]", "[{ kind: returned, at: '2026-11-27T10:00:00Z' }]"],
    .conversationIntent: ["buy"],
    .conversationFields: ["{}", "{ intent: sell }", "{ language: fr }", "{ order: 2 }"],
    .conversationReopened: ["true", "false"], .conversationSessions: ["1", "2"],
    .conversationMessages: ["0", "3"], .conversationLanguage: ["de"],
    .conversationText: ["hello"], .handoffReason: ["lost"], .handoffSummary: ["long"],
    .handoffFields: ["{}", "{ intent: return }", "{ language: nl }", "{ order: 3 }"],
    .handoffSkills: ["[]", "[german]"], .mailSubject: ["hello"], .mailFrom: ["a@home.example"],
    .mailTo: ["[help@shop.example]"], .mailAutomatic: ["false"], .mailAttachments: ["0", "2"],
    .callFrom: ["'+493012345678'"], .callTo: ["'+18005551212'"],
    .queues: ["{ support: { waiting: 5 } }"], .hours: ["{ office: true }", "{ office: false }"],
    .now: ["2026-11-27T10:00:00Z", "2026-11-27T22:00:00Z"],
  ]
  /// From which others follow.
  private static let telling: Set<Fact> = [
    .sessionContext, .customerName, .customerConversations, .customerEvents, .customerLanguage,
    .conversationIntent, .conversationFields, .conversationSessions, .conversationText,
    .handoffFields, .hours, .now,
  ]
  private static let asked =
    #"conversation.fields.order == 1 || conversation.fields.intent == "x" || "language" in conversation.fields"#

  /// - Returns: nil for facts that contradict one another, as those of no case do.
  private func completed(
    _ stated: [Fact: String], open: Fact? = nil, _ workspace: CheckedWorkspace
  ) throws -> Facts? {
    let text = stated.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { "\($0.key.name): \($0.value)\n" }.joined()
    var facts = try #require(FactsFile.read(text, path: "facts.yaml").facts, "\(text)")
    if let open { facts.setUnknown(open) }
    let warnings = WorkspaceFolder.complete(&facts, of: workspace, path: "facts.yaml")
    return warnings.isEmpty ? facts : nil
  }

  /// Whether what is known of a value holds of what it turns out to be.
  private func holds(_ known: Value?, _ value: Value?) -> Bool {
    if known?.isUnknown ?? false { return true }
    guard case .map(let known)? = known, case .map(let map)? = value else { return known == value }
    let names = Set((known.keys + map.keys).map { "\($0.text(limit: .max))" })
    return names.allSatisfy { name in
      let key = Value.string(String(name.dropFirst().dropLast()))
      return holds(known.find(key), map.find(key))
    }
  }

  @Test(arguments: Fact.allCases) func `decides nothing that it could decide otherwise`(
    _ open: Fact
  ) throws {
    let folder = try ScratchFolder()
    try folder.write(
      "workspace.yaml",
      "title: Test\nmail_addresses: [help@shop.example]\ndialled_numbers: [\"+18005551212\"]\n")
    try folder.write(
      "hours.yaml", "office: { zone: Europe/Berlin, open: { mon-fri: \"09:00-17:00\" } }\n")
    try folder.write("rules/10.yaml", "- name: asked\n  when: '\(Self.asked)'\n  answer: yes\n")
    let workspace = try #require(folder.load().workspace, "\(folder.load().rendered)")
    let channels = open == .sessionChannel ? [nil] : ["chat", "email", "phone"]
    for channel in channels {
      // Nothing beside it, and each fact that a case of the channel may have.
      var bases: [[Fact: String]] = [[:]]
      for (fact, values) in Self.others where fact != open && Self.telling.contains(fact) {
        let places = fact.declaration.channels
        guard places.isEmpty || channel.map(places.contains) ?? false else { continue }
        bases += values.map { [fact: $0] }
      }
      for base in bases {
        var base = base
        base[.sessionChannel] = channel
        guard let seen = try completed(base, open: open, workspace) else { continue }
        let places = open.declaration.channels
        let mayBe = places.isEmpty || channel.map(places.contains) ?? true
        var values: [String?] = mayBe ? Self.others[open] ?? [] : []
        if open != .sessionChannel { values.append(nil) }
        for value in values {
          var real = base
          real[open] = value
          // Whoever comes by chat is known.
          if real[.customerKnown] == "false", real[.sessionChannel] == "chat" { continue }
          guard let known = try completed(real, workspace) else { continue }
          for fact in Fact.allCases where fact != open {
            #expect(
              holds(seen[fact], known[fact]),
              "\(base), open \(open.name), which is \(value ?? "nothing"): \(fact.name) was \(seen[fact].map { "\($0)" } ?? "absent"), is \(known[fact].map { "\($0)" } ?? "absent")"
            )
          }
        }
      }
    }
  }
}
