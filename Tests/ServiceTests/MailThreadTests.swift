import Channels
import Foundation
import MailCodec
import Model
import Pipeline
import Testing

/// Talks of several turns by mail, quoted as each client really quotes them: every turn finds its
/// thread, and its own words are told from what it quotes.
struct MailThreadTests {
  /// How a client answers: what it writes around the text before, and which headers it keeps.
  struct Client: Sendable, CustomTestStringConvertible {
    var name: String
    var keepsHeaders = true
    var subject: @Sendable (String) -> String = { $0.hasPrefix("Re: ") ? $0 : "Re: " + $0 }
    /// Content type and body: the own words, then the mail before as it came.
    var body: @Sendable (_ own: String, _ before: String) -> (type: String, text: String)
    var testDescription: String { name }
  }

  static func quoted(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.isEmpty ? ">" : $0.hasPrefix(">") ? ">\($0)" : "> \($0)"
    }
    .joined(separator: "\n")
  }
  static func html(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\n", with: "<br>")
  }

  static let clients = [
    Client(name: "Gmail, plain") { own, before in
      (
        "text/plain",
        "\(own)\n\nOn Mon, Mar 2, 2026 at 4:05\u{202F}PM ann via Shop <help@shop.example> wrote:\n\n\(quoted(before))\n"
      )
    },
    Client(name: "Gmail, HTML") { own, before in
      (
        "text/html",
        "<div dir=\"ltr\">\(html(own))</div><br><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">"
          + "On Mon, Mar 2, 2026 at 4:05 PM ann &lt;<a href=\"mailto:help@shop.example\">help@shop.example</a>&gt; wrote:<br></div>"
          + "<blockquote class=\"gmail_quote\" style=\"margin:0 0 0 .8ex\">\(html(before))</blockquote></div>"
      )
    },
    Client(
      name: "Outlook on Exchange, which drops the headers", keepsHeaders: false,
      subject: { $0.hasPrefix("RE: ") ? $0 : "RE: " + $0.replacing("Re: ", with: "") }
    ) { own, before in
      (
        "text/plain",
        "\(own)\n\n________________________________\nFrom: ann <help@shop.example>\nSent: Monday, March 2, 2026 4:05 PM\n"
          + "To: Jo Doe <jo@home.example>\nSubject: Re: Lamp\n\n\(before)\n"
      )
    },
    Client(
      name: "Outlook, German",
      subject: { "AW: " + $0.replacing("Re: ", with: "").replacing("AW: ", with: "") }
    ) { own, before in
      (
        "text/plain",
        "\(own)\n\n-----Ursprüngliche Nachricht-----\nVon: ann <help@shop.example>\nGesendet: Montag, 2. März 2026 16:05\n"
          + "An: Jo Doe <jo@home.example>\nBetreff: Re: Lamp\n\n\(before)\n"
      )
    },
    Client(name: "Apple Mail") { own, before in
      (
        "text/plain",
        "\(own)\n\n> On 2. Mar 2026, at 16:05, ann <help@shop.example> wrote:\n> \n\(quoted(before))\n"
      )
    },
    Client(name: "iPhone") { own, before in
      (
        "text/plain",
        "\(own)\n\nSent from my iPhone\n\n> On Mar 2, 2026, at 16:05, ann <help@shop.example> wrote:\n> \n\(quoted(before))\n"
      )
    },
    Client(name: "Gmail on Android, top-posted HTML") { own, before in
      (
        "text/html",
        "<div dir=\"auto\">\(html(own))</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, Mar 2, 2026, "
          + "16:05 ann &lt;help@shop.example&gt; wrote:<br></div><blockquote class=\"gmail_quote\">\(html(before))</blockquote></div>"
      )
    },
  ]

  @Test(
    "each turn finds its thread, and its own words stand apart from what it quotes",
    arguments: clients)
  func turns(_ client: Client) throws {
    let shop = try Shop()
    let first = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "The lamp does not light up.")
    let id = try #require(try shop.takes(shop.ann).string("case"))
    var subject = "Lamp"
    var before = "The lamp does not light up."
    for turn in 1...3 {
      let reply = "Please try the switch, number \(turn).\n\nKind regards\nann"
      try shop.call("POST", "/v1/cases/\(id)/reply", ["text": reply], by: shop.ann)
      let sent = try #require(try shop.outgoing())
      let ours = try #require(sent.header("Message-ID")).trimmingCharacters(
        in: CharacterSet(charactersIn: "<> "))
      subject = client.subject(sent.header("Subject") ?? subject)
      before = reply + "\n\n" + before
      let own = "No, number \(turn) did nothing."
      let (type, text) = client.body(own, before)
      var lines = [
        "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example",
        "From: Jo Doe <jo@home.example>",
        "To: \(sent.header("Reply-To") ?? "help@shop.example")",
        "Subject: =?utf-8?B?\(Data(subject.utf8).base64EncodedString())?=",
        "Message-ID: <answer\(turn)@home.example>", "Content-Type: \(type); charset=utf-8",
        "Content-Transfer-Encoding: base64",
      ]
      if client.keepsHeaders {
        lines += [
          "In-Reply-To: <\(ours)>", "References: \(sent.header("References") ?? "") <\(ours)>",
        ]
      } else {
        lines += ["Thread-Topic: Lamp", "Thread-Index: AdHKxyz=="]
      }
      let body = Data(text.utf8).base64EncodedString(options: [
        .lineLength76Characters, .endLineWithCarriageReturn,
      ])
      let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body + "\r\n").utf8)
      let address =
        try MailAddress.list(sent.header("Reply-To") ?? "").first?.address ?? "help@shop.example"
      let taken = try shop.deliver(bytes, from: "jo@home.example", to: address)
      #expect(taken.conversation == first.conversation, "turn \(turn)")
      let page = try shop.call("GET", "/v1/cases/\(id)", by: shop.ann)
      let entry = try #require(page.entries("timeline", "entries").last)
      #expect(entry["text"] as? String == own, "turn \(turn)")
      let rest = entry["quoted"] as? String ?? ""
      #expect(rest.contains("Please try the switch, number \(turn)."), "turn \(turn): \(rest)")
      before = own + "\n\n" + text
      if type == "text/html" { before = own + "\n\n" + reply }
    }
  }

  @Test("without any header or address, the same subject of the same proven sender goes on")
  func subjectAlone() throws {
    let shop = try Shop()
    let first = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "It is dark.")
    let second = try shop.mail(
      from: "jo@home.example", subject: "AW: Re: lamp", id: "2@home.example", "It still is.")
    #expect(second.conversation == first.conversation)
    let other = try shop.mail(
      from: "kim@home.example", subject: "Re: Lamp", id: "3@home.example", "Mine too.")
    #expect(other.conversation != first.conversation)
  }

  /// A mail of Jo's, whose answers are wanted elsewhere.
  private func wantsAnswers(
    at replyTo: String, _ shop: Shop, isProven: Bool = true
  ) throws -> ConversationID {
    var lines = [
      "From: Jo <jo@home.example>", "To: help@shop.example", "Reply-To: \(replyTo)",
      "Cc: Kim <kim@home.example>, lee@home.example", "Subject: Lamp",
      "Message-ID: <1@home.example>", "", "It is dark.", "",
    ]
    if isProven {
      lines.insert(
        "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example", at: 0)
    }
    return try shop.deliver(
      Array(lines.joined(separator: "\r\n").utf8), from: "jo@home.example"
    ).conversation
  }

  private func answered(_ shop: Shop) throws -> Shop.Sent {
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "which lamp?"], by: shop.ann)
    return try #require(try shop.outgoing())
  }

  @Test("an answer goes where Reply-To says, and the customer is who stands in From")
  func replyTo() throws {
    let shop = try Shop()
    let first = try wantsAnswers(at: "Office <office@work.example>", shop)
    let row = try #require(try shop.reader.conversation(shop.workspace, first))
    let page = try shop.timeline(row.customer.description)
    let entry = try #require(page.entries("entries").first { $0["kind"] as? String == "message" })
    #expect(entry["cc"] as? [String] == ["kim@home.example", "lee@home.example"])
    #expect(entry["reply_to"] as? [String] == ["office@work.example"])
    let text = try shop.call(
      "GET", "/v1/customers/\(row.customer)/timeline?format=text", by: shop.ann)
    #expect(
      text.text.contains(
        "[copy to kim@home.example, lee@home.example] [answer to office@work.example]"))
    #expect(
      try shop.reader.identities(shop.workspace, of: row.customer).map(\.identity.value)
        == ["jo@home.example"])
    let sent = try answered(shop)
    #expect(sent.header("To") == "Office <office@work.example>")
    // Whoever answers from there is heard in the same matter, and is not Jo by that.
    let address = try shop.replyAddress(sent)
    let answer = try shop.mail(
      from: "office@work.example", to: address, subject: "Re: Lamp", id: "2@work.example",
      "office-words")
    #expect(answer.conversation == first)
    func customer(_ address: String) throws -> Reply {
      try shop.call("GET", "/v1/customers?kind=email&value=\(address)", by: shop.ann)
    }
    let jo = try customer("jo@home.example")
    #expect(jo.list("identities").compactMap { $0["value"] as? String } == ["jo@home.example"])
    #expect(try customer("office@work.example").string("id") != jo.string("id"))
    #expect(try shop.rows() == shop.replayed())
  }

  @Test(
    "of several in Reply-To it is the author, else the first; ourselves and the unproven are passed over",
    arguments: [
      ("a@work.example, jo@home.example", true, "Jo <jo@home.example>"),
      ("a@work.example, b@work.example", true, "a@work.example"),
      ("help@shop.example", true, "Jo <jo@home.example>"),
      ("help@shop.example, b@work.example", true, "b@work.example"),
      ("a@work.example", false, "Jo <jo@home.example>"),
    ])
  func wanted(_ replyTo: String, _ isProven: Bool, _ expected: String) throws {
    let shop = try Shop()
    _ = try wantsAnswers(at: replyTo, shop, isProven: isProven)
    #expect(try answered(shop).header("To") == expected)
  }

  @Test("of very many who have a copy fifty are kept, and how many there were")
  func copies() throws {
    let shop = try Shop()
    let all = (1...80).map { "a\($0)@home.example" }
    let mail = [
      "From: jo@home.example", "To: help@shop.example", "Cc: \(all.joined(separator: ",\r\n "))",
      "Subject: x", "Message-ID: <1@home.example>", "", "hello", "",
    ]
    let taken = try shop.deliver(
      Array(mail.joined(separator: "\r\n").utf8), from: "jo@home.example")
    let entry = try #require(try shop.reader.entry(shop.workspace, taken.entry)?.parsed)
    #expect(entry["cc"]?.array?.compactMap(\.string) == Array(all.prefix(50)))
    #expect(entry["cc_count"]?.int == 80)
  }

  @Test("a reply address works for whom it was signed, and for nobody else who got hold of it")
  func replyAddress() throws {
    let shop = try Shop()
    let first = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "dark", isProven: false)
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "which lamp?"], by: shop.ann)
    let sent = try #require(try shop.outgoing())
    let address = try #require(try MailAddress.list(sent.header("Reply-To") ?? "").first?.address)
    let eve = try shop.mail(
      from: "eve@else.example", to: address, subject: "hi", id: "2@else.example", "let me in")
    #expect(eve.conversation != first.conversation)
    let jo = try shop.mail(
      from: "jo@home.example", to: address, subject: "x", id: "3@home.example", "the tall one",
      isProven: false)
    #expect(jo.conversation == first.conversation)
    // The address has proven who this is: from now on the customer is known by it.
    #expect(
      try shop.call("GET", "/v1/customers?kind=email&value=jo@home.example", by: shop.ann).status
        == 200)
  }

  @Test(
    "forms and scanners give many mails one id: whoever else writes, or about something else, is heard"
  )
  func oneID() throws {
    let shop = try Shop()
    func write(_ from: String, _ subject: String) throws -> (entry: EntryID, isDuplicate: Bool) {
      let taken = try shop.mail(
        from: from, subject: subject, id: "1700000000@form.example", "please call me back")
      return (taken.entry, taken.isDuplicate)
    }
    let first = try write("amy@home.example", "Call me")
    #expect(!first.isDuplicate)
    #expect(try !write("bob@work.example", "Call me").isDuplicate)
    #expect(try !write("amy@home.example", "Call me today").isDuplicate)
    let again = try write("amy@home.example", "Call me")
    #expect(again.isDuplicate && again.entry == first.entry)
    #expect(try shop.rows() == shop.replayed())
  }

  @Test(
    "what an older program took is known after an update, and nobody else's mail is taken for it")
  func olderKeys() throws {
    let shop = try Shop()
    func arrival(_ from: String, _ subject: String) throws -> MailArrival {
      let path = try #require(SMTPPath(mailbox: Array(from.utf8)))
      let to = try #require(SMTPPath(mailbox: Array("help@shop.example".utf8)))
      return try shop.mail.understand(
        shop.message(from: from, subject: subject, id: "1@form.example", "please call me back"),
        sender: path, recipient: to, relay: "relay.shop.example", now: shop.now
      ).mail
    }
    var old = try arrival("amy@home.example", "Call me")
    old.seenKey = try #require(old.earlierSeenKey)
    old.earlierSeenKey = nil
    func isDuplicate(_ mail: MailArrival) throws -> Bool {
      guard case .mailTaken(_, _, let duplicate)? = try shop.submit(.mail(mail)) else {
        throw Shop.Fault.silence
      }
      return duplicate
    }
    #expect(try !isDuplicate(old))
    #expect(try isDuplicate(arrival("amy@home.example", "Call me")))
    #expect(try !isDuplicate(arrival("bob@work.example", "Call me")))
    #expect(try !isDuplicate(arrival("amy@home.example", "Call me today")))
    #expect(try isDuplicate(arrival("bob@work.example", "Call me")), "under its new key")
  }
}
