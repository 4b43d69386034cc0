import Foundation
import Testing

/// An agent's answer leaves through the smarthost, and the answer to it comes back.
@Suite(.inTurn) struct MailOutTests {
  private func answered(
    _ server: TestServer, _ smarthost: FakeSmarthost, _ letter: Letter
  ) async throws -> (aCase: Reply, ann: String) {
    let ann = try await server.agent("ann")
    #expect(try await server.deliver(letter) == 250)
    let taken = try await server.take(ann)
    #expect(
      try await server.reply("It is on its way.\n.hidden dot", to: taken["case"].text, by: ann)
        .status == 201)
    return (taken, ann)
  }

  /// Runs a server whose agent has answered a mail, once the answer has left.
  private func withAnswer(
    _ body:
      @Sendable (TestServer, FakeSmarthost, _ taken: Reply, _ ann: String) async throws ->
      Void
  ) async throws {
    let smarthost = try FakeSmarthost()
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
    } _: { server in
      let (taken, ann) = try await answered(server, smarthost, Letter())
      try await eventually("the mail leaves") { !smarthost.mails.isEmpty }
      try await body(server, smarthost, taken, ann)
    }
  }

  @Test
  func `an agent's reply is a mail in the customer's thread, to be answered at a signed address`()
    async throws
  {
    let smarthost = try FakeSmarthost()
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
    } _: { server in
      let letter = Letter()
      _ = try await answered(server, smarthost, letter)
      try await eventually("the mail leaves") { !smarthost.mails.isEmpty }
      let mail = smarthost.mails[0]
      #expect(mail.recipient == "mia@home.example")
      #expect(mail.sender == "help@shop.example")
      #expect(mail.header("Message-ID")?.hasSuffix("@shop.example>") == true)
      #expect(mail.header("In-Reply-To") == letter.id)
      #expect(mail.header("References")?.contains(letter.id) == true)
      #expect(mail.header("Subject") == "Re: My lamp")
      #expect(
        mail.header("From") == "Ann <help@shop.example>", "the name of agents.yaml, not the handle")
      let replyTo = try #require(mail.header("Reply-To"))
      #expect(replyTo.contains("reply+") && replyTo.contains("@shop.example"))
      #expect(mail.text.contains("\r\n=2Ehidden dot"))
      #expect(smarthost.mails.count == 1)
    }
  }

  @Test
  func
    `whoever has left a chat is answered by mail, at an address that is proven, or nobody pretends to`()
    async throws
  {
    let smarthost = try FakeSmarthost()
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
    } _: { server in
      let (bot, ann) = (try await server.token("bot", "webshop"), try await server.agent("ann"))
      for (email, assurance) in [("mia@home.example", "asserted"), ("eve@home.example", "claimed")]
      {
        let chat = try await server.open(bot, email: email, assurance: assurance)
        try await chat.customer("Where is my lamp?")
        try await chat.handoff()
        let taken = try await server.take(ann)
        let aCase = taken["case"].text
        try await chat.end()
        let reply = try await server.reply("It left today.", to: aCase, by: ann)
        let known = try await server.call("GET", "/v1/cases/\(aCase)", by: ann)
        if assurance == "asserted" {
          #expect(reply.status == 201)
          try await eventually("the mail leaves") { !smarthost.mails.isEmpty }
          #expect(smarthost.mails[0].recipient == email)
          #expect(smarthost.mails[0].header("Subject") == "Your conversation with us")
          #expect(smarthost.mails[0].header("From") == "Ann <help@shop.example>")
          var answer = Letter()
          (answer.to, answer.text) = (try Self.address(smarthost.mails[0]), "Thank you!")
          #expect(try await server.deliver(answer) == 250)
          let after = try await server.call("GET", "/v1/cases/\(aCase)", by: ann)
          #expect(after["timeline"].said.last?["conversation"].text == taken["conversation"].text)
        } else {
          #expect(reply.status == 409)
          #expect(reply["type"].text == "urn:throughline:problem:unreachable")
          #expect(
            !known["timeline"].texts.contains("It left today."),
            "nothing is recorded that nobody was told")
          #expect(smarthost.mails.count == 1)
        }
        #expect(try await server.close(aCase, by: ann).status == 200)
      }
    }
  }

  @Test func `an answer to the signed address is threaded and proven, whatever its headers say`()
    async throws
  {
    try await withAnswer { server, smarthost, taken, ann in
      let address = try Self.address(smarthost.mails[0])
      var answer = Letter()
      (answer.to, answer.subject, answer.text) = (address, "something else", "Thank you!")
      #expect(try await server.deliver(answer) == 250)
      let known = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      let last = try #require(known["timeline"].said.last)
      #expect(last["text"].text.hasPrefix("Thank you!"))
      #expect(last["sender_assurance"].text == "asserted")
      #expect(last["conversation"].text == taken["conversation"].text)
      let mia = try await server.timeline("mia@home.example")
      #expect(mia.texts.count == 3, "the address is proven from now on")

      var thief = answer
      (thief.from, thief.id, thief.text) = (
        "Eve <eve@evil.example>", "<eve@evil.example>", "Give it to me."
      )
      #expect(try await server.deliver(thief) == 250)
      let after = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(!after.description.contains("Give it to me."), "the address was made for another")
    }
  }

  @Test(arguments: ["In-Reply-To: %", "References: <a@else.example>\n <b@else.example> %"])
  func `an answer by its In-Reply-To or its References alone is threaded`(_ field: String)
    async throws
  {
    try await withAnswer { server, smarthost, taken, ann in
      var answer = Letter()
      let ours = try #require(smarthost.mails[0].header("Message-ID"))
      answer.headers = [field.replacingOccurrences(of: "%", with: ours)]
      (answer.subject, answer.text) = ("something else", "Thank you!")
      #expect(try await server.deliver(answer) == 250)
      let known = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(known["timeline"].texts.last?.hasPrefix("Thank you!") == true)
    }
  }

  @Test
  func
    `while the smarthost is away mail stays, through a restart too, and leaves once when it is back`()
    async throws
  {
    let smarthost = try FakeSmarthost(isAway: true)
    try await TestServer.run { settings in
      settings.smarthostURL = smarthost.url
      settings.outboxRetrySeconds = 1
    } _: { server in
      let (taken, ann) = try await answered(server, smarthost, Letter())
      try await eventually("a try has failed") { try Self.tries(server) >= 1 }
      try await server.restart()
      #expect(try Self.tries(server) >= 1, "it stays in the outbox")
      try smarthost.back()
      try await eventually("the mail leaves") { !smarthost.mails.isEmpty }
      #expect(smarthost.mails[0].recipient == "mia@home.example")
      try await eventually("the outbox is empty") {
        try StoreLook(server.settings.data).count("SELECT count(*) FROM outbox") == 0
      }
      #expect(smarthost.mails.count == 1)
      let page = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(!page["timeline"].kinds.contains("undelivered"), "it was not late")
    }
  }

  @Test func `mail that the smarthost refuses for good is told in the transcript`() async throws {
    let smarthost = try FakeSmarthost()
    smarthost.refuse("550 5.1.1 nobody here")
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
    } _: { server in
      let (taken, ann) = try await answered(server, smarthost, Letter())
      try await eventually("it is told") {
        try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)["timeline"].kinds
          .contains("undelivered")
      }
      let known = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(
        known["timeline"].said.last?["reason"].text
          == "the mail server refused it: 550 5.1.1 nobody here")
      #expect(smarthost.mails.isEmpty)
    }
  }

  @Test func `an answer that the smarthost puts off for long is told, and leaves when it may`()
    async throws
  {
    let smarthost = try FakeSmarthost()
    smarthost.refuse("451 4.7.1 come again")
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
      ($0.outboxRetrySeconds, $0.outboxToldSeconds) = (1, 1)
    } _: { server in
      let (taken, ann) = try await answered(server, smarthost, Letter())
      @Sendable func told() async throws -> [JSON] {
        try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)["timeline"].said
          .filter { $0["kind"].text == "undelivered" }
      }
      try await eventually("it is told") { try await !told().isEmpty }
      let tries = smarthost.refusals
      try await eventually("it was tried again") { smarthost.refusals > tries }
      smarthost.refuseNothing()
      try await eventually("the mail leaves") { !smarthost.mails.isEmpty }
      let all = try await told()
      #expect(all.count == 1 && all[0]["action"].text == "delayed")
      #expect(all[0]["reason"].text == "the mail server puts it off: 451 4.7.1 come again")
    }
  }

  /// As a mail server says it that took our answer and could not pass it on: from `<>`, to where the
  /// answer left from.
  private static func bounce(
    of mail: FakeSmarthost.Mail, _ number: Int = 1, to: String? = nil
  ) -> [UInt8] {
    let head = mail.text.components(separatedBy: "\r\n\r\n").first ?? ""
    return Array(
      """
      Return-Path: <>
      From: Mail Delivery System <MAILER-DAEMON@mx.home.example>
      To: \(to ?? mail.sender)
      Subject: Undelivered Mail Returned to Sender
      Message-ID: <bounce\(number)@mx.home.example>
      Auto-Submitted: auto-replied
      MIME-Version: 1.0
      Content-Type: multipart/report; report-type=delivery-status; boundary="b"

      --b
      Content-Type: text/plain; charset=us-ascii

      I'm sorry to have to inform you that your message could not be delivered.

      --b
      Content-Type: message/delivery-status

      Reporting-MTA: dns; mx.home.example

      Final-Recipient: rfc822; \(mail.recipient)
      Action: failed
      Status: 5.1.1
      Diagnostic-Code: smtp; 550 5.1.1 User unknown

      --b
      Content-Type: text/rfc822-headers

      \(head)

      --b--

      """.utf8)
  }

  @Test func `whoever closes a case learns all the same that their answer did not arrive`()
    async throws
  {
    try await withAnswer { server, smarthost, taken, ann in
      #expect(try await server.close(taken["case"].text, by: ann).status == 200)
      for number in 1...2 {
        let bounce = Self.bounce(of: smarthost.mails[0], number)
        #expect(try await server.deliver(bounce, from: "<>").code == 250)
      }
      try await server.restart()
      let again = try await server.take(ann)
      #expect(again["case"].text != taken["case"].text)
      #expect(again["conversation"].text == taken["conversation"].text)
      let told = again["timeline"].said.filter { $0["kind"].text == "undelivered" }
      #expect(told.count == 1)
      #expect(told[0]["to"].text == "mia@home.example" && told[0]["status"].text == "5.1.1")
      #expect(told[0]["reason"].text == "550 5.1.1 User unknown")
      #expect(told[0]["text"].text.hasPrefix("I'm sorry to have to inform you"))
      expectComplete(again["timeline"])
      #expect(try await server.close(again["case"].text, by: ann).status == 200)
      #expect(try await server.next(ann, wait: 1).status == 204)
      #expect(smarthost.mails.count == 1, "nobody writes to whoever cannot be reached")
    }
  }

  @Test func `a bounce of an answer to somebody who was erased is of no answer that is known`()
    async throws
  {
    try await withAnswer { server, smarthost, taken, ann in
      #expect(try await server.close(taken["case"].text, by: ann).status == 200)
      let customer = taken["customer"]["id"].text
      let before = try await server.timeline(customer)
      #expect(
        try await server.administer("POST", "/admin/erase", ["identity": .text(customer)]).status
          == 200)
      let mail = smarthost.mails[0]
      let replyTo = try Self.address(mail)
      for (number, to) in [mail.sender, replyTo].enumerated() {
        let bounce = Self.bounce(of: mail, number, to: to)
        #expect(try await server.deliver(bounce, from: "<>", to: to).code == 250)
      }
      #expect(try await server.next(ann, wait: 0).status == 204)
      // Who answers at that address is somebody new.
      var answer = Letter()
      (answer.to, answer.text, answer.id) = (replyTo, "Thank you!", "<thanks@home.example>")
      #expect(try await server.deliver(answer) == 250)
      let again = try await server.take(ann)
      #expect(again["conversation"].text != taken["conversation"].text)
      #expect(again["customer"]["id"].text != customer)
      #expect(try await server.timeline(customer)["count"].int == before["count"].int)
    }
  }

  /// A holiday note that answers our mail: it is recorded where it belongs, and nothing is sent for
  /// it.
  @Test func `automatic answers never make a loop`() async throws {
    try await withAnswer { server, smarthost, taken, ann in
      let address = try Self.address(smarthost.mails[0])
      #expect(try await server.close(taken["case"].text, by: ann).status == 200)
      for number in 1...5 {
        var note = Letter()
        (note.to, note.text) = (address, "I am on holiday (\(number)).")
        note.headers = ["Auto-Submitted: auto-replied"]
        #expect(try await server.deliver(note) == 250)
        var bounce = Letter()
        (bounce.to, bounce.sender, bounce.text) = (address, "<>", "Bounced (\(number)).")
        #expect(try await server.deliver(bounce) == 250)
      }
      #expect(try await server.next(ann, wait: 1).status == 204, "nobody is woken")
      let known = try await server.call(
        "GET", "/v1/customers/\(taken["customer"]["id"].text)/timeline", by: ann)
      #expect(known.json.texts.filter { $0.hasPrefix("I am on holiday") }.count == 5)
      #expect(known.json.texts.filter { $0.hasPrefix("Bounced") }.count == 5)
      #expect(smarthost.mails.count == 1)
    }
  }

  private static func address(_ mail: FakeSmarthost.Mail) throws -> String {
    let field = try #require(mail.header("Reply-To"))
    return field.contains("<")
      ? String(field.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" }) : field
  }

  private static func tries(_ server: TestServer) throws -> Int {
    try StoreLook(server.settings.data).count("SELECT coalesce(max(tries), 0) FROM outbox")
  }
}
