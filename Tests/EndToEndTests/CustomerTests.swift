import Testing

/// Continuity: one person, one customer, one timeline.
@Suite(.inTurn) struct CustomerTests {
  private func journey(_ event: String, _ email: String) -> Body {
    [
      "event": .text(event),
      "identities": [["kind": "email", "value": .text(email), "assurance": "asserted"]],
      "detail": ["order": "A-17"],
    ]
  }

  @Test func `what a shop tells joins the timeline, and whoever takes the next case sees it`()
    async throws
  {
    try await TestServer.run { server in
      let shop = try await server.token("integration", "shop")
      let ann = try await server.agent("ann")
      let told = try await server.call(
        "POST", "/v1/journey", journey("ordered", "jo@home.example"), by: shop)
      #expect(told.status == 201)
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      #expect(chat.customer == told["customer"].text)
      try await chat.customer("about my order")
      try await server.call(
        "POST", "/v1/journey", journey("item_returned", "jo@home.example"), by: shop)
      try await chat.handoff()
      let offer = try await server.next(ann)
      #expect(
        offer["timeline"].kinds == ["journey", "session_opened", "message", "journey", "handoff"])
      #expect(offer["timeline"].said[0]["event"].text == "ordered")
      #expect(offer["timeline"].said[0]["source"].text == "shop")
      #expect(offer["timeline"].said[3]["detail"]["order"].text == "A-17")
      expectComplete(offer["timeline"])
    }
  }

  @Test func `a rule sees the journey`() async throws {
    try await TestServer.run { server in
      let shop = try await server.token("integration", "shop")
      let ann = try await server.agent("ann")
      try await server.call("POST", "/v1/journey", journey("returned", "jo@home.example"), by: shop)
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("about what I brought back")
      let handed = try await chat.handoff()
      #expect(handed["owner"].description == #"{"kind":"queue","name":"returns"}"#)
      #expect(try await server.next(ann)["queue"].text == "returns")
    }
  }

  @Test func `an event that names nobody is refused`() async throws {
    try await TestServer.run { server in
      let shop = try await server.token("integration", "shop")
      let before = try await server.position()
      let claimed: Body = [
        "event": "viewed", "identities": [["kind": "email", "value": "jo@home.example"]],
      ]
      #expect(try await server.call("POST", "/v1/journey", claimed, by: shop).status == 422)
      #expect(
        try await server.call("POST", "/v1/journey", ["event": "viewed"], by: shop).status == 422)
      #expect(try await server.position() == before)
    }
  }

  @Test func `two first contacts of one person in the same instant make one customer`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let shop = try await server.token("integration", "shop")
      for round in 1...25 {
        let email = "twin\(round)@home.example"
        async let first = server.open(bot, email: email)
        async let second = server.open(bot, email: email.uppercased())
        async let third = server.call("POST", "/v1/journey", journey("viewed", email), by: shop)
        let (one, two, three) = (
          try await first.customer, try await second.customer, try await third["customer"].text
        )
        #expect(one == two)
        #expect(one == three)
        let timeline = try await server.timeline(email)
        #expect(timeline.kinds.sorted() == ["journey", "session_opened", "session_opened"])
        expectComplete(timeline)
      }
    }
  }

  @Test func `an identity that ties two customers makes one timeline of both`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let byMail = try await server.open(bot, email: "two@home.example")
      try await byMail.customer("by mail address")
      let byName: Body = [
        "customer": ["identities": [["kind": "chat", "value": "u-17", "assurance": "asserted"]]]
      ]
      let chat = Chat(
        server: server, bot: bot,
        opened: try await server.call("POST", "/v1/sessions", byName, by: bot))
      try await chat.customer("by chat name")
      #expect(chat.customer != byMail.customer)
      let tied = try await server.call(
        "POST", "/v1/sessions",
        [
          "customer": [
            "identities": [
              ["kind": "chat", "value": "u-17", "assurance": "asserted"],
              ["kind": "email", "value": "two@home.example", "assurance": "asserted"],
            ]
          ]
        ], by: bot)
      #expect(Set(tied["known"].texts) == ["by mail address", "by chat name"])
      try await chat.handoff()
      let offer = try await server.next(ann)
      #expect(Set(offer["timeline"].texts) == ["by mail address", "by chat name"])
      expectComplete(offer["timeline"])
    }
  }

  /// Whoever reads while others write must still get pages whose count and hash fit their entries.
  @Test func `a timeline proves itself complete while it grows`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 1...3 {
          group.addTask {
            for n in 1...20 { try await chat.customer("writer \(writer) line \(n)") }
          }
        }
        group.addTask {
          for _ in 1...30 {
            let page = try await server.call(
              "GET", "/v1/customers/\(chat.customer)/timeline?limit=1000", by: ann)
            expectComplete(page.json)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func `workspace.yaml says whose word about identities is worth what`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "shop", agents: 1)
    try rules.write(
      "rules/shop/workspace.yaml",
      """
      title: Shop
      mail_addresses: [help@shop.example]
      dialled_numbers: ["+18005551212"]
      bots:
        robin: { asserts: [phone], assurance: verified }
        wren: { asserts: [phone] }
        crow: { asserts: [phone], assurance: claimed }
      integrations:
        shop: { asserts: [email], assurance: verified }
        till: { asserts: [email] }
      """)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      func open(
        _ bot: String, _ assurance: String, as number: String = "+15551234567"
      ) async throws -> Int {
        let identity: Body = [
          "kind": "phone", "value": .text(number), "assurance": .text(assurance),
          "evidence": "a code",
        ]
        let token = try await server.token("bot", bot)
        return try await server.call(
          "POST", "/v1/sessions", ["customer": ["identities": .list([identity])]], by: token
        ).status
      }
      var said: [String: [Int]] = [:]
      for bot in ["robin", "wren", "crow"] {
        for assurance in ["verified", "asserted", "claimed"] {
          said[bot, default: []].append(try await open(bot, assurance))
        }
      }
      #expect(
        said == ["robin": [201, 201, 201], "wren": [403, 201, 201], "crow": [403, 403, 201]])
      // What is the workspace's own is no customer's, whoever says so.
      #expect(try await open("wren", "asserted", as: "+18005551212") == 422)
      for (shop, address, status) in [
        ("shop", "jo@home.example", 201), ("till", "jo@home.example", 403),
        ("shop", "help@shop.example", 422),
      ] {
        let identity: Body = [
          "kind": "email", "value": .text(address), "assurance": "verified",
          "evidence": "signed in",
        ]
        let token = try await server.token("integration", shop)
        let reply = try await server.call(
          "POST", "/v1/journey", ["event": "signed_in", "identities": .list([identity])], by: token)
        #expect(reply.status == status)
      }
    }
  }

  @Test
  func `an administrator finds whoever is or claims to be somebody, and is told how sure that is`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let proven = try await server.open(bot, email: "jo@home.example")
      try await proven.customer("it is really me")
      let claims = try await server.open(bot, email: "jo@home.example", assurance: "claimed")
      try await claims.customer("I say that I am Jo")
      let found = try await server.administer("GET", "/admin/timeline?identity=jo@home.example")[
        "customers"
      ].elements
      #expect(
        found.map { $0["customer"].text } == [proven.customer, claims.customer],
        "the proven one first")
      #expect(found.map { $0["assurance"].text } == ["asserted", "claimed"])
      #expect(
        found.map { $0["said_by"].elements.map(\.text) } == [["bot:webshop"], ["bot:webshop"]])
      #expect(found.map { $0["timeline"].texts } == [["it is really me"], ["I say that I am Jo"]])
      for customer in found { expectComplete(customer["timeline"]) }

      let text = try await Peer.run(
        try Binary.path, ["timeline", "jo@home.example", "--data", server.settings.data]
      ).lines.joined(separator: "\n")
      #expect(text.contains("2 customers are or claim to be jo@home.example; 1 of them proven."))
      #expect(
        text.contains("\(claims.customer): claims to be jo@home.example (bot:webshop); not proven"))

      let one = try await server.administer("GET", "/admin/timeline?identity=\(claims.customer)")[
        "customers"
      ].elements
      #expect(one.map { $0["timeline"].texts } == [["I say that I am Jo"]])
      #expect(
        try await server.administer("GET", "/admin/timeline?identity=no@home.example").status == 404
      )
      #expect(
        try await server.administer("GET", "/admin/timeline?identity=email:what").status == 422)
    }
  }
}
