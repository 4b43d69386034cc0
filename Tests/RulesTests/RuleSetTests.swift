import Expressions
import Testing

@testable import Rules

private func rule(_ name: String, _ when: String?, _ plan: Plan = Plan(queue: "support")) throws
  -> Rule
{
  let program = try when.map {
    try Expression.compile($0, Fact.environment(zone: { _ in nil }), expecting: .bool).get()
  }
  return Rule(name: name, when: program, outcome: .route(plan))
}

struct `A set of rules` {
  @Test func `takes the first that matches, and the last for everyone else`() throws {
    let set = try RuleSet(
      version: "1",
      rules: [
        rule("chats", "session.channel == 'chat'"),
        rule("also chats", "session.channel == 'chat' && customer.known"),
        rule("everyone", nil),
      ], skills: [])
    var facts = Facts()
    #expect(set.evaluate(facts).rule == "everyone")
    facts[.sessionChannel] = .string("chat")
    facts[.customerKnown] = .bool(true)
    #expect(set.evaluate(facts).rule == "chats")
  }

  @Test func `tells what could become of a case of which not all is known`() throws {
    let set = try RuleSet(
      version: "1",
      rules: [
        rule("mail", "session.channel == 'email'"),
        rule("gold", "customer.attributes.tier == 'gold'"),
        rule("many", "customer.conversations > 3 || customer.attributes.tier == 'silver'"),
        rule("chats", "session.channel == 'chat'"),
        rule("everyone", nil),
      ], skills: [])
    var facts = Facts()
    facts[.sessionChannel] = .string("chat")
    facts[.customerConversations] = .int(1)
    facts.setUnknown(.customerAttributes)
    let explanation = set.explain(facts)
    #expect(explanation.trials.map(\.rule) == ["mail", "gold", "many", "chats"])
    #expect(
      explanation.trials.map(\.needs) == [[], ["customer.attributes"], ["customer.attributes"], []])
    #expect(explanation.isUndecided && explanation.decision.rule == "chats")
    #expect(explanation.description.contains("? gold"))
    facts[.customerAttributes] = .map(MapValue([("tier", .string("gold"))]))
    #expect(!set.explain(facts).isUndecided && set.explain(facts).decision.rule == "gold")
  }

  /// An unknown outweighs an error, since it may yet decide; but never that all are true.
  @Test func `a rule that needs what is absent is not undecided`() throws {
    let set = try RuleSet(
      version: "1",
      rules: [
        rule(
          "gold",
          "customer.attributes.tier == 'gold' && customer.events.exists(e, e.kind == 'a')"),
        rule(
          "not",
          "!(customer.attributes.tier == 'gold' || customer.events.exists(e, e.kind == 'a'))"),
        rule(
          "either",
          "customer.attributes.tier == 'gold' || customer.events.exists(e, e.kind == 'a')"),
        rule(
          "choice",
          "customer.known ? customer.attributes.tier == 'gold' && customer.events.size() > 0 : true"
        ),
        rule("everyone", nil),
      ], skills: [])
    var facts = Facts()
    facts[.customerKnown] = .bool(true)
    facts.setUnknown(.customerEvents)
    let explanation = set.explain(facts)
    #expect(explanation.trials.map(\.needs) == [[], [], ["customer.events"], [], []])
    let text = explanation.description
    for line in ["✗ gold", "✗ not", "? either", "✗ choice"] { #expect(text.contains(line)) }
    let reasons = explanation.trials[0].reasons
    #expect(reasons.map(\.expression) == ["customer.attributes.tier == 'gold'"])
    #expect(reasons.first?.outcome.hasPrefix("error") == true)
    facts.setUnknown(.customerAttributes)
    #expect(set.explain(facts).trials.map(\.isUndecided) == [true, true, true, true, false])
  }

  @Test func `knows which facts any of its rules asks`() throws {
    var plan = Plan(queue: "support")
    plan.preference = .init(whom: .lastAgent, forMilliseconds: 1_000)
    let set = try RuleSet(
      version: "1",
      rules: [
        rule("a", "session.channel == 'email' && mail.subject.contains('x')"),
        rule("b", "has(handoff.reason)", plan),
        rule("everyone", nil),
      ], skills: [])
    #expect(set.asked == [.sessionChannel, .mailSubject, .handoffReason, .customerLastAgent])
  }

  @Test func `needs a last rule without a condition, and names that differ`() throws {
    let conditional = try rule("a", "true")
    let open = try rule("a", nil)
    #expect(throws: RuleSet.Fault.empty) { try RuleSet(version: "", rules: [], skills: []) }
    #expect(throws: RuleSet.Fault.lastRuleHasCondition(name: "a")) {
      try RuleSet(version: "", rules: [conditional], skills: [])
    }
    #expect(throws: RuleSet.Fault.duplicateName("a")) {
      try RuleSet(version: "", rules: [conditional, open], skills: [])
    }
  }

  @Test func `finds through its index what trying every rule finds`() throws {
    let channels = ["chat", "email", "phone"]
    let intents = ["return", "refund", "bill", "é"]
    var state: UInt64 = 99
    func next(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % count
    }
    for _ in 0..<30 {
      var rules: [Rule] = []
      for at in 0..<40 {
        let parts = [
          "session.channel == '\(channels[next(3)])'",
          "'\(intents[next(4)])' == conversation.intent",
          "handoff.fields.topic == '\(intents[next(4)])'", "customer.conversations > \(next(4))",
          "(session.channel == 'chat' || customer.known)", "!(session.channel == 'phone')",
        ]
        let chosen = (0...next(3)).map { _ in parts[next(parts.count)] }
        rules.append(try rule("r\(at)", chosen.joined(separator: " && ")))
      }
      rules.append(try rule("everyone", nil))
      let set = try RuleSet(version: "", rules: rules, skills: [])
      for _ in 0..<60 {
        var facts = Facts()
        if next(4) > 0 { facts[.sessionChannel] = .string(channels[next(3)]) }
        if next(4) > 0 { facts[.conversationIntent] = .string(intents[next(4)]) }
        if next(3) > 0 { facts[.customerConversations] = .int(Int64(next(6))) }
        if next(3) > 0 { facts[.customerKnown] = .bool(next(2) == 0) }
        if next(3) > 0 {
          facts[.handoffFields] = .map(MapValue([("topic", .string(intents[next(4)]))]))
        }
        #expect(set.evaluate(facts) == set.explain(facts).decision)
      }
    }
  }

  @Test func `adds what the bot asked for and the customer's language, where they exist`() throws {
    var german = SkillConfiguration(name: "german")
    german.language = "de"
    var taking = try rule("everyone", nil)
    taking.wantedSkills = .required
    taking.language = .preferred
    let set = try RuleSet(
      version: "", rules: [taking], skills: [german, SkillConfiguration(name: "returns")])
    var facts = Facts()
    facts[.handoffSkills] = .list([
      .string("returns"), .string("juggling"), .int(3), .string("returns"),
    ])
    facts[.customerLanguage] = .string("de")
    guard case .route(let plan) = set.evaluate(facts).outcome else {
      Issue.record("no route")
      return
    }
    #expect(plan.requiredSkills == [.init(name: "returns")])
    #expect(plan.preferredSkills == [.init(name: "german")])
    #expect(set.evaluate(facts).passedOn == [])
    // What is not known of them is told.
    facts.setUnknown(.handoffSkills)
    facts.setUnknown(.conversationLanguage)
    #expect(
      set.explain(facts).description.hasSuffix(
        """
          ! which skills the bot asked for is not known: none of them is added
          ! which language the customer speaks is not known: no skill is added for it
          → queue support, priority 0
        """))
  }

  @Test func `explains what was false, with its values`() throws {
    let set = try RuleSet(
      version: "1",
      rules: [
        rule("gold", "session.channel == 'chat' && customer.attributes.tier == 'gold'"),
        rule("either", "customer.conversations > 5 || conversation.intent == 'return'"),
        rule("absent", "mail.subject.contains('x') && !customer.known"), rule("everyone", nil),
      ], skills: [])
    var facts = Facts()
    facts[.sessionChannel] = .string("chat")
    facts[.customerAttributes] = .map(MapValue([("tier", .string("silver"))]))
    facts[.customerConversations] = .int(2)
    facts[.conversationIntent] = .string("bill")
    #expect(
      set.explain(facts).description == """
        ✗ gold
            customer.attributes.tier == 'gold'  is false
              customer.attributes.tier = "silver"
        ✗ either
            customer.conversations > 5  is false
              customer.conversations = 2
            conversation.intent == 'return'  is false
              conversation.intent = "bill"
        ✗ absent
            mail.subject.contains('x')  is error: mail.subject is absent
            !customer.known  is error: customer.known is absent
        ✓ everyone
          → queue support, priority 0
        """)
  }

  @Test func `what is said of a fact is not said of its contrary`() throws {
    let set = try RuleSet(
      version: "1",
      rules: [
        rule("night", "!hours.office"), rule("no attributes", "!customer.attributes.vip"),
        rule("less", "-customer.conversations > 0"), rule("everyone", nil),
      ], skills: [])
    var facts = Facts()
    facts[.hours] = .map(MapValue([("office", .bool(true))]))
    facts[.customerAttributes] = .map(MapValue([("vip", .bool(true))]))
    facts[.customerConversations] = .int(3)
    #expect(
      set.explain(facts).description == """
        ✗ night
            hours.office  is true
        ✗ no attributes
            customer.attributes.vip  is true
        ✗ less
            -customer.conversations > 0  is false
              customer.conversations = 3
        ✓ everyone
          → queue support, priority 0
        """)
  }

  @Test func `shows the facts that a macro asks, and no element's own`() throws {
    let set = try RuleSet(
      version: "1",
      rules: [
        rule(
          "late",
          "customer.events.exists(e, now - e.at < duration('1h') && e.kind == handoff.reason)"),
        rule("count", "[1, 2].exists(i, v, v == customer.conversations + i)"),
        rule("nested", "handoff.skills.exists(s, customer.events.exists(e, e.kind == s))"),
        rule("open", "hours.office"), rule("gone", "hours.shop"),
        rule("everyone", nil),
      ], skills: [])
    var facts = Facts()
    facts[.now] = .timestamp(try #require(Timestamp("2026-11-25T10:00:00Z")))
    facts[.handoffReason] = .string("returned")
    facts[.customerConversations] = .int(7)
    facts[.handoffSkills] = .list([.string("german")])
    facts[.customerEvents] = .list([
      Facts.event(
        kind: "viewed", at: try #require(Timestamp("2026-11-25T09:30:00Z")), source: "shop",
        fields: [])
    ])
    facts[.hours] = .map(MapValue([("office", .bool(false)), ("desk", .bool(true))]))
    let shown = set.explain(facts).trials.map { $0.reasons.flatMap(\.values).map(\.expression) }
    #expect(
      shown == [
        ["customer.events", "now", "handoff.reason"], ["customer.conversations"],
        ["handoff.skills", "customer.events"], [], ["hours"], [],
      ])
    #expect(set.explain(facts).description.contains("hours.office  is false\n✗ gone"))
  }

  @Test func `takes no more skills of a bot than a case may need, and the language always`() throws
  {
    var route = Plan(queue: "support")
    route.requiredSkills = [.init(name: "s0", level: 3)]
    let names = (0..<30).map { "s\($0)" }
    let skills =
      names.map { SkillConfiguration(name: $0) } + [
        {
          var german = SkillConfiguration(name: "german")
          german.language = "de"
          return german
        }()
      ]
    let set = try RuleSet(
      version: "1",
      rules: [
        Rule(
          name: "all", when: nil, outcome: .route(route), wantedSkills: .required,
          language: .preferred)
      ], skills: skills)
    var facts = Facts()
    facts[.handoffSkills] = .list(names.map { .string($0) })
    facts[.conversationLanguage] = .string("de")
    guard case .route(let plan) = set.evaluate(facts).outcome else { return #expect(Bool(false)) }
    #expect(plan.requiredSkills.map(\.name) == Array(names[..<15]))
    #expect(plan.preferredSkills.map(\.name) == ["german"])
  }

  @Test func `declares each fact once, with its words`() {
    let names = Fact.allCases.map(\.name)
    #expect(Set(names).count == names.count)
    for fact in Fact.allCases { #expect(!fact.declaration.text.isEmpty) }
  }

  /// Each condition is within its own bound; a thousand of them would stop everybody else for long.
  @Test func `what all rules of a case take together is bounded, and explained alike`() throws {
    let dear =
      #"conversation.text.replace("", "aaaaaaaaaaaaaaaaaaaaa").size() == 1"#
    let program = try #require(try rule("dear", dear).when)
    var facts = Facts()
    facts[.conversationText] = .string(String(repeating: "x", count: 800))
    var purse = Expression.budgetDefault
    #expect(program.evaluate(facts.slots, from: &purse) == .bool(false))
    let each = Expression.budgetDefault - purse
    let fitting = RuleSet.stepsPerCaseMax / each
    #expect(each > 1_000 && fitting > 2)
    func set(_ count: Int) throws -> RuleSet {
      let dears = (0..<count).map { number in
        Rule(name: "dear \(number)", when: program, outcome: .route(Plan(queue: "support")))
      }
      let last = [try rule("texts", "conversation.text.startsWith('x')"), try rule("rest", nil)]
      return try RuleSet(version: "1", rules: dears + last, skills: [])
    }
    for (count, name) in [(fitting - 1, "texts"), (fitting + 1, "rest")] {
      let rules = try set(count)
      let decision = rules.evaluate(facts)
      #expect(decision.rule == name)
      #expect(rules.explain(facts).decision.rule == name)
    }
  }
}
