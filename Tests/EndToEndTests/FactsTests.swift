import Foundation
import RuleFiles
import Server
import Testing

/// What a rule can see of a real case, and what is kept of it.
@Suite(.inTurn) struct FactsTests {
  @Test func `facts are shown in the words that rules are written with`() throws {
    let page =
      #"{"case":"case_1","state":"waiting","why":{"rule":6,"rule_version":2},"facts":{"customer":{"new":true,"n":1,"vip":false},"tags":["a",2,true],"none":null,"unknown":{"not_asked":["queues","now"],"not_kept":["session.context"]}}}"#
    let text = try ExplanationText.render(Data(page.utf8))
    for line in [
      "customer.new = true", "customer.n = 1", "customer.vip = false", "tags = a, 2, true",
      "none = null",
    ] {
      #expect(text.contains("\n  \(line)"), "\(text)")
    }
    #expect(text.contains("rule 7 of version 2"))
    #expect(text.contains("\nNo rule asked for queues, now.\n"), "\(text)")
    #expect(text.contains("\nToo large to be kept, or too deep: session.context."), "\(text)")
    #expect(!text.contains("unknown"), "\(text)")
  }

  @Test func `what an agent is, and why, is told in a sentence`() throws {
    let page =
      #"{"agent":"ann","status":"coaching","counts_as":"busy","reason":"Ida's first day","cases":[],"capacity":3,"capacity_used":0,"hindered_by":"not_available","channel_statuses":{"phone":{"status":"break","reason":"no voice"}},"waiting_in_queues":0}"#
    let text = try ExplanationText.render(Data(page.utf8))
    #expect(
      text.contains("ann is coaching (which counts as busy; Ida's first day) with 0 cases"),
      "\(text)")
    #expect(text.contains("\nOn phone alone: break (no voice)."), "\(text)")
  }

  /// A workspace whose rules ask for everything that must be gathered.
  private func rules() throws -> TemporaryFolder {
    let rules = try SmallRules.folder(
      """
      integrations: { shop: { asserts: [email] } }
      phone_systems: { hook: { api: http, networks: [127.0.0.1] } }
      """)
    try rules.write("rules/small/queues.yaml", "support:\nvip:\n")
    try rules.write("rules/small/agents.yaml", "a1: { queues: [support, vip], capacity: 50 }\n")
    try rules.write(
      "rules/small/hours.yaml",
      "always: { zone: UTC, open: { mon-sun: \"00:00-24:00\" } }\nnever: { zone: UTC }\n")
    try rules.write(
      "rules/small/rules/05-facts.yaml",
      """
      - name: gold customers who bought the lamp
        when: >-
          customer.attributes.tier == "gold"
          && customer.events.exists(e, e.source == "shop" && e.kind == "ordered" && e.fields.item == "lamp")
        route: { queue: vip, priority: 7 }
      - name: asks the rest
        when: >-
          customer.conversations > 99 || conversation.sessions > 99 || conversation.messages > 99
          || customer.assurance == "verified" || queues.support.waiting > 99 || hours.never
        route: { queue: vip }

      """)
    return rules
  }

  private func facts(_ aCase: String, _ server: TestServer) async throws -> JSON {
    try await server.administer("GET", "/admin/explain?case=\(aCase)")["facts"]
  }

  @Test func `a chat's are what was said, by whom, and how it stands here`() async throws {
    let folder = try rules()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let opened = try await server.call(
        "POST", "/v1/sessions",
        [
          "customer": [
            "identities": [["kind": "email", "value": "jo@home.example", "assurance": "asserted"]]
          ],
          "context": ["page": "/lamps", "language": "de", "cart": ["total": 120]],
        ], by: bot)
      let chat = Chat(server: server, bot: bot, opened: opened)
      try await chat.bot("Hello! What can I do?")
      try await chat.customer("where is my lamp")
      let handed = try await chat.handoff([
        "reason": "wants a human", "fields": ["intent": "delivery", "order": "A-17"],
      ])
      let facts = try await facts(handed["case"].text, server)
      #expect(facts["conversation.messages"].int == 2)
      #expect(facts["conversation.sessions"].int == 1)
      #expect(facts["conversation.text"].text == "where is my lamp")
      #expect(facts["conversation.intent"].text == "delivery")
      #expect(facts["conversation.language"].text == "de")
      #expect(facts["conversation.fields"]["order"].text == "A-17")
      #expect(facts["session.context"]["cart"]["total"].int == 120)
      #expect(facts["customer.assurance"].text == "asserted")
      #expect(facts["customer.conversations"].int == 0)
      #expect(facts["hours"].description == #"{"always":true,"never":false}"#)
      #expect(facts["queues"]["support"]["waiting"].int == 0)
      #expect(facts["handoff.reason"].text == "wants a human")
    }
  }

  /// Sends a body as it is written: `Body` has no null.
  private func post(_ path: String, _ json: String, _ chat: Chat) async throws -> Reply {
    try await chat.server.call(
      "POST", "/v1/sessions/\(chat.session)/\(path)", raw: Array(json.utf8), by: chat.bot)
  }

  @Test func `what a bot collects reaches the rules as it was sent, and is shown as it was`()
    async throws
  {
    let folder = try rules()
    try folder.write(
      "rules/small/rules/01-order.yaml",
      """
      - name: dear orders
        when: >-
          handoff.fields.?order.total.orValue(0) > 500 && handoff.fields.items.size() == 2
          && handoff.fields.rush && has(handoff.fields.none) && handoff.fields.none == null
          && handoff.fields.share == 0.5 && handoff.fields.place == "Ulm"
          && conversation.fields == handoff.fields
        route: { queue: vip }

      """)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let chat = try await server.open(try await server.token("bot", "robin"))
      let handed = try await post(
        "handoff",
        #"{"reason":"r","fields":{"order":{"total":700},"items":["a",{"b":null}],"rush":true,"none":null,"#
          + #""share":0.5,"place":{"value":"Ulm","confidence":0.9}}}"#, chat)
      #expect(handed["owner"]["name"].text == "vip", "\(handed)")
      let seen = try await facts(handed["case"].text, server)["handoff.fields"]
      #expect(seen["order"].description == #"{"total":700}"#)
      #expect(seen["items"].description == #"["a",{"b":null}]"#)
      let brief = try await server.call("GET", "/v1/sessions/\(chat.session)/brief", by: chat.bot)
      let shown = try #require(
        brief["fields"].elements.first { $0["name"].text == "place" })
      #expect(shown["value"].text == "Ulm" && shown["confidence"].description == "0.9")
      let offer = try await server.next(try await server.agent("a1"))
      #expect(offer["handoff"]["fields"]["place"]["value"].text == "Ulm", "\(offer)")
    }
  }

  /// `FactsFileTests` has the same names in a file.
  @Test func `names that look alike come to rules as they do to explain`() async throws {
    let folder = try rules()
    try folder.write(
      "rules/small/rules/01-alike.yaml",
      """
      - name: two that look alike
        when: >-
          handoff.fields["caf\u{e9}"] == 1 && handoff.fields["cafe\u{301} (2)"] == 2
          && conversation.fields["cafe\u{301} (2)"] == 2
        route: { queue: vip }

      """)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let fields = #"{"caf\u00e9":1,"cafe\u0301":2}"#
      let chat = try await server.open(try await server.token("bot", "robin"))
      let handed = try await post("handoff", #"{"reason":"r","fields":\#(fields)}"#, chat)
      #expect(handed["owner"]["name"].text == "vip", "\(handed)")
      let real = try await facts(handed["case"].text, server)["handoff.fields"].description
      let told = FactsFile.read(
        #"{"session":{"channel":"chat"},"handoff":{"fields":\#(fields)}}"#, path: "facts")
      var given = try #require(told.facts)
      let loaded = WorkspaceFolder.load(folder.path + "/rules/small")
      _ = WorkspaceFolder.complete(&given, of: try #require(loaded.workspace), path: "facts")
      let written = try #require(FactsFile.write(given))
      #expect(written.contains("\"handoff.fields\":\(real)"), "\(written), \(real)")
      #expect(loaded.workspace?.rules.evaluate(given).rule == "two that look alike")
    }
  }

  @Test func `what was learned on the way counts, the newest word of each name`() async throws {
    let folder = try rules()
    try folder.write(
      "rules/small/rules/01-not-yet.yaml",
      """
      - name: too early
        when: handoff.reason == "first"
        hand_back: not yet
      - name: returns
        when: conversation.intent == "return" && conversation.fields.order == "A2"
        route: { queue: vip }

      """)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let opened = try await server.call(
        "POST", "/v1/sessions",
        ["context": ["page": "/lamps", "order": "A0", "intent": "look around"]], by: bot)
      let chat = Chat(server: server, bot: bot, opened: opened)
      #expect(
        try await post("learned", #"{"fields":{"order":"A1","intent":"return"}}"#, chat).status
          == 201)
      for _ in 1...2 {
        let back = try await post("handoff", #"{"reason":"first","fields":{"order":"A2"}}"#, chat)
        #expect(back["action"].text == "hand_back")
      }
      let handed = try await chat.handoff(["reason": "second", "fields": ["size": 3]])
      #expect(handed["owner"]["name"].text == "vip", "\(handed)")
      let seen = try await facts(handed["case"].text, server)
      #expect(
        seen["conversation.fields"].description
          == #"{"page":"/lamps","order":"A2","intent":"return","size":3}"#)
      #expect(seen["handoff.fields"].description == #"{"size":3}"#)
      #expect(seen["session.context"]["order"].text == "A0")
      // What is told of such a case comes to the same.
      let told = try await server.call(
        "POST", "/v1/rules/explain",
        [
          "facts": [
            "session.context": ["order": "A0", "intent": "look around"],
            "conversation": ["fields": ["intent": "return"]], "handoff.fields": ["order": "A2"],
          ]
        ], by: try await server.token("supervisor", "boss"))
      #expect(told["explanation"]["rule"].text == "returns", "\(told)")
      #expect(told["warnings"].elements.isEmpty, "\(told)")
      // What a rule handed back was learned all the same, and once.
      let brief = try await server.call("GET", "/v1/sessions/\(chat.session)/brief", by: bot)
      #expect(
        brief["fields"].elements.first { $0["name"].text == "order" }?["value"].text
          == "A2")
      let owner = try await server.call(
        "GET", "/v1/customers/\(chat.customer)/timeline",
        by: try await server.token("supervisor", "boss"))
      #expect(owner.json.kinds.count { $0 == "learned" } == 2, "\(owner)")
    }
  }

  @Test func `what nobody asked for, or what was too large to keep, is unknown afterwards`()
    async throws
  {
    let folder = try rules()
    let asksLittle =
      "- name: calls\n  when: session.channel == \"phone\"\n  route: { queue: vip }\n"
    let asks = """
      - name: known
        when: session.context.k == "v"
        route: { queue: vip }
      - name: the rest
        when: >-
          customer.conversations < 0 || queues.support.waiting < 0 || conversation.sessions < 0
          || customer.assurance == "" || conversation.fields.x == 1
        route: { queue: vip }
      - name: everyone
        route: { queue: support }
      """
    try folder.write("rules/small/rules/05-facts.yaml", asksLittle)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let boss = try await server.token("admin", "olga")
      let bot = try await server.token("bot", "robin")
      func handoff(_ context: Body) async throws -> Reply {
        let opened = try await server.call("POST", "/v1/sessions", ["context": context], by: bot)
        return try await Chat(server: server, bot: bot, opened: opened).handoff()
      }
      func explain(_ handed: Reply, version: Int? = nil) async throws -> Reply {
        var body: [(String, Body)] = [("case", .text(handed["case"].text))]
        if let version { body.append(("version", .number(version))) }
        return try await server.call("POST", "/v1/rules/explain", .object(body), by: boss)
      }
      let unasked = try await handoff(["k": "v"])
      var files = RuleSource.texts(in: folder.path + "/rules/small")
      (files["rules/05-facts.yaml"], files["rules/10-all.yaml"]) = (nil, asks)
      let sent = Body.object(files.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })
      #expect(try await server.call("POST", "/v1/rules", ["files": sent], by: boss).status == 201)

      let other = try await explain(unasked, version: 2)
      #expect(
        other["explanation"]["trials"].elements.map { $0["needs"].elements.map(\.text) } == [
          ["session.context"],
          [
            "conversation.fields", "conversation.sessions", "customer.assurance",
            "customer.conversations", "queues",
          ], [],
        ], "\(other)")
      let text = other["text"].text
      let id = unasked["case"].text
      #expect(
        text.hasPrefix(
          "\(id) was routed by rule `everyone` of version 1.\nIts facts, tried on version 2:\n? known"
        ),
        "\(text)")
      #expect(
        text.contains(
          "Not known any more, since no rule of version 1 asked for it: session.context, customer.assurance"
        ), "\(text)")
      #expect(!text.contains("absent") && !text.contains("conversation.text"), "\(text)")

      // While its channel is left open nobody can say that it had no subject.
      files["rules/10-all.yaml"] = """
        - { name: mail, when: mail.subject == "x", route: { queue: vip } }
        - { name: everyone, route: { queue: support } }
        """
      let asMail = Body.object(files.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })
      let open = try await server.call(
        "POST", "/v1/rules/explain",
        ["case": .text(id), "files": asMail, "unknown": ["session.channel"]], by: boss)
      #expect(
        open["explanation"]["trials"].elements.first?["needs"].elements.map(\.text)
          == ["mail.subject"], "\(open)")

      let small = try await explain(try await handoff(["k": "v"]))
      #expect(
        small["explanation"]["rule"].text == "known" && small["routed_by_rule"].text == "known")
      #expect(!small["text"].text.contains("What routed"), "\(small["text"].text)")
      var deep: Body = 1
      for _ in 1...40 { deep = ["a": deep] }
      for more in [.text(String(repeating: "x", count: 70_000)), deep] {
        let large = try await explain(try await handoff(["k": "v", "more": more]))
        let text = large["text"].text
        #expect(large["routed_by_rule"].text == "known")
        #expect(large["unknown"]["not_kept"].elements.contains { $0.text == "session.context" })
        #expect(text.contains("\n? known"), "\(text)")
        #expect(
          text.contains("since it was too large, or nested too deep, to be kept: session.context"),
          "\(text)")
        #expect(
          text.hasSuffix(
            "What routed the case is another: rule `known`, which knew more than this."),
          "\(text)")
      }
      // A context that is no object is none that a rule could ask, and the case is explained.
      let odd = try await explain(try await handoff("just words"))
      #expect(odd["explanation"]["rule"].text == "everyone", "\(odd)")
    }
  }

  @Test func `of a conversation that is very long rules see its end`() async throws {
    let folder = try rules()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let chat = try await server.open(try await server.token("bot", "robin"))
      let lines = (1...510).map { Body.object([("author", "customer"), ("text", "line \($0)")]) }
      try await chat.handoff(["reason": "r", "fields": ["order": "A1"], "transcript": .list(lines)])
      let agent = try await server.agent("a1")
      let taken = try await server.take(agent)
      let back = try await server.call(
        "POST", "/v1/cases/\(taken["case"].text)/hand-back", [:], by: agent)
      #expect(back.status == 201, "\(back)")
      #expect(try await post("learned", #"{"fields":{"order":"A2"}}"#, chat).status == 201)
      try await chat.customer("at last")
      let seen = try await facts(try await chat.handoff()["case"].text, server)
      #expect(seen["conversation.text"].text == "at last")
      #expect(seen["conversation.fields"].description == #"{"order":"A2"}"#)
      #expect((480...500).contains(seen["conversation.messages"].int ?? 0))
    }
  }

  @Test func `a case that went elsewhere than its rule said is not explained from nothing`()
    async throws
  {
    let folder = try SmallRules.folder()
    try folder.write(
      "rules/small/rules/05-mail.yaml",
      """
      - name: answered
        when: mail.subject == "one"
        answer: We close at five.
      - name: where nobody works
        when: session.channel == "email"
        route: { queue: quiet }

      """)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      var (first, second) = (Letter(), Letter())
      (first.subject, second.subject) = ("one", "two")
      second.headers = ["In-Reply-To: \(first.id)"]
      for letter in [first, second] {
        #expect(try await server.deliver(letter, to: "help@small.example") == 250)
      }
      let said = try await server.timeline("mia@home.example").said
      let routed = try #require(said.first { $0["queue"].text == "support" }, "\(said)")
      let why = try await server.administer(
        "POST", "/admin/rules/explain", ["case": .text(routed["case"].text)])
      #expect(why.status == 404 && why["type"].text.hasSuffix("facts-gone"), "\(why)")
    }
  }

  @Test func `a mail to two of our addresses is decided alike for both`() async throws {
    let folder = try SmallRules.folder()
    try folder.write(
      "rules/small/workspace.yaml",
      "title: small\nmail_addresses: [help@small.example, complaints@small.example]\n")
    try folder.write("rules/small/queues.yaml", "support:\nvip:\n")
    try folder.write("rules/small/agents.yaml", "a1: { queues: [support, vip], capacity: 50 }\n")
    try folder.write(
      "rules/small/rules/05-complaints.yaml",
      """
      - name: complaints
        when: mail.to.exists(a, a.startsWith("complaints@"))
        route: { queue: vip }

      """)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let both = "help@small.example,complaints@small.example"
      var letter = Letter()
      letter.from = "Mia Home <Mia@Home.example>"
      #expect(try await server.deliver(letter, to: both) == 250)
      let said = try await server.timeline("mia@home.example").said
      let cases = said.compactMap { $0["case"].string }
      let seen = try await facts(try #require(cases.first), server)
      #expect(
        seen["mail.to"].elements.map(\.text) == ["help@small.example", "complaints@small.example"])
      // However its sender writes it.
      #expect(seen["mail.from"].text == "mia@home.example")
      // One matter, and one case that holds both copies.
      #expect(Set(cases).count == 1 && said.count { $0["kind"].text == "message" } == 2, "\(said)")
      let taken = try await server.take(try await server.agent("a1"))
      #expect(taken["queue"].text == "vip", "\(taken)")
    }
  }

  @Test func `what a bot brings along counts as said`() async throws {
    let folder = try rules()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let chat = try await server.open(try await server.token("bot", "robin"))
      let handed = try await chat.handoff([
        "reason": "wants a human",
        "transcript": [
          ["author": "bot", "text": "Hello!"], ["author": "customer", "text": "a human, please"],
        ],
      ])
      let facts = try await facts(handed["case"].text, server)
      #expect(facts["conversation.messages"].int == 2)
      #expect(facts["conversation.text"].text == "a human, please")
    }
  }

  @Test func `who returns is counted, in the same moment as after a restart`() async throws {
    let folder = try rules()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      for count in 0..<3 {
        if count == 2 { try await server.restart() }
        let chat = try await server.open(bot, email: "jo@home.example")
        try await chat.customer("help")
        let aCase = try await chat.handoff()["case"].text
        #expect(try await facts(aCase, server)["customer.conversations"].int == count)
        let agent = try await server.agent("a1")
        try await server.close(try await server.take(agent)["case"].text, by: agent)
        try await chat.end()
      }
    }
  }

  @Test func `a shop's attributes and events route the customer`() async throws {
    let folder = try rules()
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let shop = try await server.token("integration", "shop")
      let bot = try await server.token("bot", "robin")
      func tell(_ attributes: String) async throws -> Int {
        let body =
          #"{"event":"ordered","identities":[{"kind":"email","value":"jo@home.example","assurance":"asserted"}],"#
          + #""detail":{"item":"lamp"},"attributes":\#(attributes)}"#
        return try await server.call("POST", "/v1/journey", raw: Array(body.utf8), by: shop).status
      }
      #expect(try await tell(#"{"tier":"gold","since":2019}"#) == 201)
      let first = try await server.open(bot, email: "jo@home.example")
      try await first.customer("help")
      let handed = try await first.handoff()
      #expect(handed["owner"]["name"].text == "vip")
      let seen = try await facts(handed["case"].text, server)
      #expect(seen["customer.attributes"].description == #"{"since":2019,"tier":"gold"}"#)
      #expect(seen["customer.events"].elements.first?["source"].text == "shop")

      // Settled, so that who comes back does not go on in the same conversation.
      let agent = try await server.agent("a1")
      try await server.close(try await server.take(agent)["case"].text, by: agent)
      #expect(try await tell(#"{"tier":null}"#) == 201)
      let second = try await server.open(bot, email: "jo@home.example")
      try await second.customer("help")
      #expect(try await second.handoff()["owner"]["name"].text == "support")
      #expect(try await tell(#"{"":"x"}"#) == 422)
      #expect(try await tell(#"{"tier":"\#(String(repeating: "g", count: 2_000))"}"#) == 422)
    }
  }

  @Test func `whoever has nothing but a phone is there for a call, and not for a chat`()
    async throws
  {
    let folder = try rules()
    try folder.write(
      "rules/small/agents.yaml", "a1: { queues: [support, vip], devices: [PJSIP/a1] }\n")
    try folder.write(
      "rules/small/rules/05-facts.yaml",
      """
      - name: somebody is there
        when: queues.support.available_agents > 0 && handoff.reason.contains("lamp")
        route: { queue: support }
      - name: nobody is there
        when: queues.support.available_agents == 0
        route: { queue: vip }

      """)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      _ = try await server.agent("a1")
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      let chatted = try await chat.handoff()
      #expect(chatted["owner"]["name"].text == "vip")
      #expect(
        try await facts(chatted["case"].text, server)["queues"]["support"]["available_agents"].int
          == 0)
      let hook = try await server.token("telephony", "hook")
      _ = try await server.call(
        "POST", "/v1/calls",
        [
          "call": "c1", "from": "+12025550143", "reason": "the lamp is dark",
          "known": ["order": ["total": 3], "menu": ["2"]],
        ], by: hook)
      let called = try #require(
        try await server.timeline("+12025550143").said.compactMap { $0["case"].string }.first)
      let seen = try await facts(called, server)
      #expect(seen["queues"]["support"]["available_agents"].int == 1)
      #expect(seen["session.context"].description == #"{"order":{"total":3},"menu":["2"]}"#)
      // Whoever takes it is told what it is about.
      let agent = try await server.token("agent", "a1")
      let brief = try await server.call("GET", "/v1/cases/\(called)", by: agent)["brief"]
      #expect(brief["wants"]["text"].text == "the lamp is dark", "\(brief)")
    }
  }

  @Test
  func `a closed queue passes its cases on, and a full one too; the account team comes first`()
    async throws
  {
    let folder = try rules()
    try folder.write(
      "rules/small/queues.yaml",
      """
      support: { max_waiting: { limit: 1, then: { queue: vip } } }
      shut: { hours: never, closed: { queue: support } }
      dark: { hours: never, closed: { hand_back: "nobody is here" } }
      vip:

      """)
    try folder.write(
      "rules/small/agents.yaml",
      """
      a1: { queues: [support, vip, shut, dark], capacity: 50 }
      a2: { queues: [support, vip], teams: [lamps], capacity: 50 }
      a3: { queues: [support, vip], teams: [lamps], capacity: 50 }

      """)
    try folder.write(
      "rules/small/rules/05-facts.yaml",
      """
      - name: at night
        when: handoff.reason == "night"
        route: { queue: dark }
      - name: theirs
        when: has(customer.attributes.account_team)
        route: { queue: vip, prefer: { agent: account_team, for: 10m } }
      - name: closed
        when: "true"
        route: { queue: shut }

      """)
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      func handoff(_ reason: String, email: String? = nil) async throws -> Reply {
        let chat = try await server.open(bot, email: email)
        try await chat.customer("help")
        return try await chat.handoff(["reason": .text(reason)])
      }
      let first = try await handoff("help")
      #expect(first["owner"]["name"].text == "support", "shut passes it on")
      let second = try await handoff("help")
      #expect(second["owner"]["name"].text == "vip", "and support is full with one")
      let night = try await handoff("night")
      #expect(
        night.status == 200 && night.json.description.contains("nobody is here"), "the bot keeps it"
      )
      let why = try await server.administer(
        "POST", "/admin/rules/explain", ["case": .text(second["case"].text)])
      #expect(why["text"].text.contains("! shut is closed (never): it goes to support"))
      #expect(why["text"].text.contains("! support is full (1 wait): it goes to vip"))

      let shop = try await server.token("integration", "shop")
      let team =
        #"{"event":"signed","identities":[{"kind":"email","value":"jo@home.example","assurance":"asserted"}],"#
        + #""attributes":{"account_team":"lamps"}}"#
      #expect(
        try await server.call("POST", "/v1/journey", raw: Array(team.utf8), by: shop).status == 201)
      // Idle for the longest of the team, and not at the chats.
      let away = try await server.call(
        "PUT", "/v1/agents/me/status", ["status": "break", "channels": ["chat"]],
        by: try await server.agent("a3"))
      #expect(away.status == 200)
      let (a1, a2) = (try await server.agent("a1"), try await server.agent("a2"))
      _ = (try await server.take(a1), try await server.take(a1))
      let theirs = try await handoff("help", email: "jo@home.example")
      #expect(try await server.next(a1, wait: 1).status == 204, "it is kept for their team")
      #expect(try await server.take(a2)["case"].text == theirs["case"].text)
    }
  }
}
