import Foundation
import Testing

/// Mail from a real client, Debian's `swaks`: also the messages of Python's own test suite.
@Suite(.inTurn) struct MailInTests {
  @Test func `a mail makes a case, and what was written is told apart from what was quoted`()
    async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      var letter = Letter()
      letter.text =
        "It is broken.\n\nMia\n\nOn Tue, 24 Nov 2026 at 10:00, Shop <help@shop.example> wrote:\n> We sent it.\n"
      #expect(try await server.deliver(letter) == 250)
      let offer = try await server.next(ann)
      #expect(offer["channel"].text == "email")
      #expect(offer["handoff"]["cause"].text == "mail")
      let message = try #require(offer["timeline"].said.first { $0["kind"].text == "message" })
      #expect(message["subject"].text == "My lamp")
      #expect(message["text"].text.contains("It is broken."))
      #expect(!message["text"].text.contains("We sent it."))
      #expect(message["quoted"].text.contains("We sent it."))
      #expect(message["sender_assurance"].text == "claimed")
      expectComplete(offer["timeline"])
    }
  }

  @Test func `the same message delivered twice is recorded once, over SMTP and LMTP`() async throws
  {
    try await TestServer.run { server in
      let letter = Letter()
      #expect(try await server.deliver(letter) == 250)
      let position = try await server.position()
      #expect(try await server.deliver(letter) == 250)
      #expect(try await server.deliver(letter, over: "lmtp") == 250)
      var relayed = letter
      relayed.headers = ["Received: from elsewhere by relay; Wed, 25 Nov 2026 10:00:01 +0000"]
      #expect(try await server.deliver(relayed) == 250)
      #expect(try await server.position() == position)
      var other = letter
      other.text = "Another body under the same id."
      #expect(try await server.deliver(other) == 250)
      #expect(try await server.position() > position, "another body is another message")
    }
  }

  @Test func `a person's mail makes a case whatever their mailer adds`() async throws {
    try await TestServer.run { server in
      var letter = Letter()
      letter.headers = [
        "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply", "X-Mailer: Microsoft Outlook 16.0",
      ]
      #expect(try await server.deliver(letter) == 250)
      var form = Letter()
      (form.from, form.headers) = (
        "Contact form <no-reply@forms.example>", ["Reply-To: mia@home.example"]
      )
      #expect(try await server.deliver(form) == 250)
      let ann = try await server.agent("ann")
      for _ in 1...2 { #expect(try await server.take(ann)["channel"].text == "email") }
    }
  }

  @Test func `mail that names no author is refused with the reason`() async throws {
    try await TestServer.run { server in
      for from in [
        "", "From: a@x.example, b@x.example\r\n", "From: a@x.example\r\nFrom: b@x.example\r\n",
      ] {
        let port = server.port("smtp")
        let said = try await blocking {
          let socket = try Socket.connect(port: port)
          for line in [
            "EHLO home.example\r\n", "MAIL FROM:<a@x.example>\r\n",
            "RCPT TO:<Postmaster@shop.example>\r\n", "DATA\r\n",
            "\(from)Subject: who\r\n\r\nwords\r\n.\r\n",
          ] {
            _ = try socket.receive()
            try socket.send(Array(line.utf8))
          }
          return String(decoding: try socket.receive(), as: UTF8.self)
        }
        #expect(
          said
            == "554 5.6.0 From must stand once and name exactly one address (RFC 5322, 3.6.2)\r\n")
      }
    }
  }

  @Test func `what is too much to be read is kept whole, as the message came`() async throws {
    try await TestServer.run { server in
      var letter = Letter()
      letter.text =
        String(repeating: "0123456789abcdef", count: 76_000).enumerated().reduce(into: "") {
          $0.append($1.element)
          if $1.offset % 64 == 63 { $0.append("\n") }
        } + "the last words"
      #expect(try await server.deliver(letter) == 250)
      let ann = try await server.agent("ann")
      // Its words alone are a page.
      let taken = try await server.take(ann)
      var (said, after) = (JSON([]), 0)
      for _ in 1...5 where said.isAbsent {
        let page = try await server.call(
          "GET", "/v1/customers/\(taken["customer"]["id"].text)/timeline?after=\(after)&limit=1",
          by: ann)
        let entry = try #require(page.json.said.first)
        after = entry["entry"].int ?? 0
        if entry["kind"].text == "message" { said = entry }
      }
      #expect(said["truncated"].description == "true")
      let whole = try #require(said["attachments"].elements.last)
      #expect(whole["type"].text == "message/rfc822")
      let kept = try await server.call("GET", "/v1/blobs/\(whole["blob"].text)", by: ann)
      #expect(String(decoding: kept.body, as: UTF8.self).contains("the last words"))
    }
  }

  /// More header fields than are read (docs/protocols/smtp.md): the author among them or not.
  @Test func `a header of too many fields is taken as far as it is read, or refused in words`()
    async throws
  {
    try await TestServer.run { server in
      let position = try await server.position()
      let many = (1...1_100).map { "X-Field-\($0): \($0)" }
      var letter = Letter()
      letter.headers = many  // before From
      let refused = try await server.deliver(Array(letter.source.utf8), from: letter.address)
      #expect(refused.code == 552)
      #expect(refused.text == "5.3.4 From does not stand among the first 1000 header fields")
      #expect(try await server.position() == position)

      let lines = letter.source.components(separatedBy: "\r\n")
      let split = try #require(lines.firstIndex(of: ""))
      let known = lines[..<split].filter { !$0.hasPrefix("X-Field-") }
      let source = (known + many + lines[split...]).joined(separator: "\r\n")
      #expect(try await server.deliver(Array(source.utf8), from: letter.address).code == 250)
      let taken = try await server.take(try await server.agent("ann"))
      let said = try #require(taken["timeline"].said.first { $0["kind"].text == "message" })
      #expect(said["text"].text.hasPrefix("Where is my lamp?"))
      #expect(said["truncated"].description == "true")
      #expect(said["attachments"].elements.last?["type"].text == "message/rfc822")
    }
  }

  @Test func `mail for somebody else is refused, and nothing is relayed`() async throws {
    try await TestServer.run { server in
      let before = try await server.position()
      for recipient in [
        "nobody@shop.example", "help@elsewhere.example", "reply+abc@elsewhere.example",
      ] {
        #expect(try await server.deliver(Letter(), to: recipient) / 100 == 5)
        #expect(try await server.deliver(Letter(), to: recipient, over: "lmtp") / 100 == 5)
      }
      #expect(try await server.position() == before)
    }
  }

  @Test func `thread headers count for somebody who takes part, and for nobody else`() async throws
  {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let first = Letter()
      #expect(try await server.deliver(first) == 250)
      let taken = try await server.take(ann)
      var second = Letter()
      second.subject = "Re: My lamp"
      second.headers = ["In-Reply-To: \(first.id)", "References: \(first.id)"]
      second.text = "I found it."
      #expect(try await server.deliver(second) == 250)
      let known = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(
        known["timeline"].texts.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } == [
          "Where is my lamp?", "I found it.",
        ])
      #expect(
        Set(known["timeline"].said.map { $0["conversation"].text }) == [taken["conversation"].text])

      var stranger = second
      (stranger.from, stranger.id, stranger.text) = (
        "Eve <eve@evil.example>", "<eve@evil.example>", "Send it to me."
      )
      #expect(try await server.deliver(stranger) == 250)
      let after = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(!after.description.contains("Send it to me."))
      let cleo = try await server.agent("cleo")
      let other = try await server.next(cleo)
      #expect(other["conversation"].text != taken["conversation"].text, "it is a matter of its own")
      #expect(!other["timeline"].description.contains("I found it."))
    }
  }

  @Test func `a DMARC pass from a listed relay proves the sender, who joins the chat of yesterday`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "mia@home.example")
      try await chat.customer("by chat")
      var letter = Letter()
      letter.headers = [
        "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example"
      ]
      #expect(try await server.deliver(letter) == 250)
      let timeline = try await server.timeline("mia@home.example")
      #expect(
        timeline.texts.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } == [
          "by chat", "Where is my lamp?",
        ])
      #expect(
        timeline.said.last { $0["kind"].text == "message" }?["sender_assurance"].text == "asserted")
    }
  }

  @Test func `without that proof a sender is who they claim to be, and joins nobody`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "mia@home.example")
      try await chat.customer("by chat")
      for headers in [
        [], ["Authentication-Results: relay.evil.example; dmarc=pass header.from=home.example"],
        ["Authentication-Results: relay.shop.example; dmarc=fail header.from=home.example"],
        ["Authentication-Results: relay.shop.example; dmarc=pass header.from=evil.example"],
        [
          "Authentication-Results: relay.shop.example; dmarc=none header.from=home.example",
          "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example",
        ],
      ] {
        var letter = Letter()
        letter.headers = headers
        #expect(try await server.deliver(letter) == 250)
      }
      #expect(try await server.timeline("mia@home.example").texts == ["by chat"])
      let ann = try await server.agent("ann")
      let offer = try await server.next(ann)
      #expect(
        offer["timeline"].said.last { $0["kind"].text == "message" }?["sender_assurance"].text
          == "claimed")
      #expect(!offer["timeline"].texts.contains("by chat"))
    }
  }

  @Test func `a relay that is not listed proves nothing`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 1, mail: "help@shop.example")
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let chat = try await server.open(
        try await server.token("bot", "robin"), email: "mia@home.example")
      try await chat.customer("by chat")
      var letter = Letter()
      letter.headers = [
        "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example"
      ]
      #expect(try await server.deliver(letter) == 250)
      #expect(try await server.timeline("mia@home.example").texts == ["by chat"])
    }
  }

  @Test(arguments: [
    "Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <all.list.example>",
  ]) func `automatic mail is recorded and wakes nobody`(_ header: String) async throws {
    try await TestServer.run { server in
      var letter = Letter()
      letter.headers = [
        header, "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example",
      ]
      #expect(try await server.deliver(letter) == 250)
      #expect(try await server.timeline("mia@home.example").kinds == ["message"])
      let ann = try await server.agent("ann")
      #expect(try await server.next(ann, wait: 1).status == 204)
    }
  }

  @Test func `attachments are kept and can be fetched`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let folder = try TemporaryFolder()
      let bytes = (0..<3_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/lamp.bin"))
      let run = try await Peer.run(
        "/usr/bin/swaks",
        [
          "--server", "127.0.0.1", "--port", String(server.port("smtp")), "--from",
          "mia@home.example", "--to",
          "help@shop.example", "--attach-type", "application/x-lamp", "--attach",
          "@\(folder.path)/lamp.bin",
          "--body", "see the picture", "--header", "Subject: A picture",
        ])
      #expect(run.status == 0)
      let offer = try await server.next(ann)
      let message = try #require(offer["timeline"].said.first { $0["kind"].text == "message" })
      let attachment = try #require(
        message["attachments"].elements.first { $0["type"].text == "application/x-lamp" })
      #expect(attachment["size"].int == bytes.count)
      let blob = try await server.call("GET", "/v1/blobs/\(attachment["blob"].text)", by: ann)
      #expect(blob.body == bytes)
    }
  }

  /// The messages that Python's own mail package is tested with (libpython3.11-testsuite): folded,
  /// 8-bit, broken, nested, bounced.
  @Test(arguments: ["smtp", "lmtp"])
  func `real messages are recorded, and those without one clear author are refused`(
    _ dialect: String
  ) async throws {
    let folder = "/usr/lib/python3.11/test/test_email/data"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
      $0.hasPrefix("msg_") && $0.hasSuffix(".txt")
    }.sorted()
    try #require(files.count >= 40, "libpython3.11-testsuite is installed")
    try await TestServer.run { server in
      var (taken, refused): (Set<String>, Set<String>) = ([], [])
      for file in files {
        let message = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + file))
        let reply = try await server.deliver([UInt8](message), over: dialect)
        if reply.code == 250 { taken.insert(file) }
        if reply.code / 100 == 5 { refused.insert(file) }
      }
      #expect(taken.count + refused.count == files.count, "nothing but yes or no")
      // No From at all, one without a domain, or one with an empty address.
      #expect(
        refused == [
          "msg_05.txt", "msg_11.txt", "msg_18.txt", "msg_19.txt", "msg_37.txt", "msg_38.txt",
          "msg_39.txt",
          "msg_40.txt", "msg_43.txt",
        ])
      #expect(taken.count == 38)
      let recorded = try await Self.messages(server)
      #expect(recorded == taken.count - Self.alike, "each once")
    }
  }

  /// msg_01, msg_03, msg_20 and msg_29 are the same message to us: one id and one body.
  private static let alike = 3

  private static func messages(_ server: TestServer) async throws -> Int {
    await server.stop()
    let reads = try StoreLook(server.settings.data)
    let count = try reads.count(
      "SELECT count(*) FROM entries WHERE CAST(body AS TEXT) LIKE '%\"kind\":\"message\"%'")
    try await server.start()
    return count
  }
}
