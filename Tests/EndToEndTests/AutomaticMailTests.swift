import Foundation
import Testing

/// What rules answer on their own to a mail (RFC 3834).
@Suite(.inTurn) struct AutomaticMailTests {
  private func rules() throws -> TemporaryFolder {
    let rules = try SmallRules.folder()
    try rules.write(
      "rules/small/queues.yaml",
      """
      support:
      dark: { hours: never, closed: { answer: "We are back on Monday." } }

      """)
    try rules.write("rules/small/agents.yaml", "a1: { queues: [support, dark], capacity: 50 }\n")
    try rules.write("rules/small/hours.yaml", "never: { zone: UTC }\n")
    try rules.write(
      "rules/small/rules/05-mail.yaml",
      """
      - name: address of the shop
        when: mail.subject == "address"
        answer: "Lamp Lane 1, Springfield"
      - name: spam
        when: mail.subject == "winner"
        reject: spam
      - name: by night
        when: mail.subject == "night"
        route: { queue: dark }

      """)
    return rules
  }

  private func run(_ body: @Sendable (TestServer, FakeSmarthost) async throws -> Void) async throws
  {
    let (folder, smarthost) = (try rules(), try FakeSmarthost())
    try await TestServer.run(rules: folder.path + "/rules") {
      $0.smarthostURL = smarthost.url
    } _: { server in
      try await body(server, smarthost)
    }
  }

  private func letter(_ subject: String, _ headers: [String] = []) -> Letter {
    var letter = Letter()
    (letter.to, letter.subject, letter.headers) = ("help@small.example", subject, headers)
    return letter
  }

  private func waiting(_ server: TestServer, _ agent: String) async throws -> Int {
    try await server.call("GET", "/v1/queues", by: agent)["queues"].elements
      .compactMap { $0["waiting"].int }.reduce(0, +)
  }

  @Test
  func `a rule's answer to a mail is mail that no machine answers, and no agent is woken`()
    async throws
  {
    try await run { server, smarthost in
      let letter = letter("address")
      #expect(try await server.deliver(letter) == 250)
      try await eventually("the answer leaves") { !smarthost.mails.isEmpty }
      let mail = smarthost.mails[0]
      #expect(mail.recipient == "mia@home.example" && mail.sender.isEmpty)
      #expect(mail.header("Auto-Submitted") == "auto-replied")
      #expect(mail.header("From") == "help@small.example")
      #expect(mail.header("In-Reply-To") == letter.id)
      #expect(mail.header("Subject") == "Re: address")
      #expect(mail.text.contains("Lamp Lane 1, Springfield"))
      let said = try await server.timeline("mia@home.example").said
      #expect(said.map { $0["author"]["kind"].text } == ["customer", "system"])
      #expect(said.last?["text"].text == "Lamp Lane 1, Springfield")
      #expect(
        "<\(said.last?["message_id"].text ?? "")>" == mail.header("Message-ID"))
      let agent = try await server.agent("a1")
      #expect(try await waiting(server, agent) == 0)
      // Whoever is not content writes back, and a person has it with all that was said.
      var back = self.letter("Re: something else")
      back.headers = ["In-Reply-To: \(mail.header("Message-ID") ?? "")"]
      #expect(try await server.deliver(back) == 250)
      let taken = try await server.take(agent)
      #expect(taken["timeline"].texts.contains("Lamp Lane 1, Springfield"))
      #expect(taken["conversation"].text == said.last?["conversation"].text)
    }
  }

  @Test func `two machines do not answer each other for ever`() async throws {
    try await run { server, smarthost in
      for _ in 1...3 { #expect(try await server.deliver(letter("address")) == 250) }
      for header in ["Auto-Submitted: auto-replied", "Precedence: bulk"] {
        #expect(try await server.deliver(letter("address", [header])) == 250)
      }
      #expect(try await server.deliver(letter("winner")) == 250)
      var other = letter("address")
      other.from = "Jo <jo@home.example>"
      #expect(try await server.deliver(other) == 250)
      // Mail leaves in its order: what was to come before Jo's has come.
      try await eventually("the answers leave") {
        smarthost.mails.contains { $0.recipient == "jo@home.example" }
      }
      #expect(smarthost.mails.map(\.recipient).sorted() == ["jo@home.example", "mia@home.example"])
      // A claimed address proves nobody: each mail began a customer of its own.
      let mia = try await server.administer("GET", "/admin/timeline?identity=mia@home.example")
      let said = mia["customers"].elements.flatMap { $0["timeline"].said }
      #expect(said.count == 7, "every mail of hers is there")
      #expect(said.filter { $0["author"]["kind"].text == "system" }.count == 1)
    }
  }

  @Test func `a closed queue's answer is sent, and the mail waits for the morning`() async throws {
    try await run { server, smarthost in
      #expect(try await server.deliver(letter("night")) == 250)
      try await eventually("the answer leaves") { !smarthost.mails.isEmpty }
      #expect(smarthost.mails[0].text.contains("We are back on Monday."))
      #expect(try await waiting(server, try await server.token("agent", "a1")) == 1)
      let aCase = try #require(
        try await server.timeline("mia@home.example").said.compactMap { $0["case"].string }.first)
      let why = try await server.administer("GET", "/admin/explain?case=\(aCase)")
      #expect(why["queue"].text == "dark" && why["state"].text == "waiting")
    }
  }

  @Test func `an answer that the smarthost refuses wakes nobody`() async throws {
    try await run { server, smarthost in
      smarthost.refuse("550 5.1.1 nobody here")
      #expect(try await server.deliver(letter("address")) == 250)
      try await eventually("it is told") {
        try await server.timeline("mia@home.example").kinds.contains("undelivered")
      }
      #expect(try await waiting(server, try await server.token("agent", "a1")) == 0)
    }
  }
}
