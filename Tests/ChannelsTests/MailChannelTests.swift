import Channels
import Foundation
import MailCodec
import Model
import Pipeline
import System
import Testing

/// What a mail becomes as a request.
struct MailChannelTests {
  private let channel = MailChannel(
    workspace: WorkspaceID(1), addresses: ["help@shop.example", "billing@shop.example"],
    identityKey: HMACKey(Array(repeating: 1, count: 32)),
    replyKey: HMACKey(Array(repeating: 2, count: 32)))
  private let now = Instant(milliseconds: 1_795_600_000_000)

  private func path(_ text: String) throws -> SMTPPath {
    try #require(SMTPPath(Array("<\(text)>".utf8)))
  }

  private func understand(
    _ headers: [String], _ body: String = "Where is my lamp?", to: String = "help@shop.example",
    relay: String? = nil, sender: String? = "mia@home.example"
  ) throws -> MailChannel.Arrival? {
    let sender = try sender.map(path)
    let text = (headers + ["Subject: My lamp", "", body, ""]).joined(separator: "\r\n")
    return try? channel.understand(  // whatever is refused is nothing here
      Array(text.utf8), sender: sender, recipient: try path(to), relay: relay, now: now)
  }

  private let from = "From: Mia <Mia@Home.Example>"

  @Test
  func `a mailbox is ours by its address, whatever its case, and by a reply address at its domain`()
    throws
  {
    for ours in [
      "help@shop.example", "HELP@Shop.Example", "billing@shop.example", "reply+abc@shop.example",
      "postmaster",
    ] {
      #expect(channel.takes(try path(ours)), "\(ours)")
    }
    for other in ["sales@shop.example", "help@other.example", "reply+abc@other.example"] {
      #expect(!channel.takes(try path(other)), "\(other)")
    }
  }

  @Test func `a mailbox is ours however its domain is spelled`() throws {
    for ours in ["hilfe@bücher.example", "hilfe@xn--bcher-kva.example"] {
      let channel = MailChannel(
        workspace: WorkspaceID(1), addresses: [ours],
        identityKey: HMACKey(Array(repeating: 1, count: 32)),
        replyKey: HMACKey(Array(repeating: 2, count: 32)))
      for domain in ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example"] {
        for local in ["Hilfe", "postmaster", "reply+abc"] {
          #expect(channel.takes(try path("\(local)@\(domain)")), "\(local)@\(domain)")
        }
        #expect(!channel.takes(try path("sales@\(domain)")))
        let text = Array("\(from)\r\n\r\nhi\r\n".utf8)
        let came = try channel.understand(
          text, sender: nil, recipient: try path("HILFE@\(domain)"), relay: nil, now: now)
        #expect(came.mail.thread.ours == ours)
      }
    }
  }

  @Test(
    arguments: [
      (0, true), (-60, true), (-432_000, true), (-2_592_000, true), (1, false), (86_400, false),
      (400_000_000, false), (-2_592_001, false), (-1_795_600_000, false),
    ] as [(Int64, Bool)])
  func `a mail was written when it says so, unless that cannot be`(
    _ offset: Int64, _ isBelieved: Bool
  )
    throws
  {
    let date = now + .seconds(offset)
    let mail = try #require(
      try understand([from, "Date: \(MailDate.format(date.milliseconds))"])
    ).mail
    #expect(mail.entry.saidAt == (isBelieved ? date : nil))
  }

  @Test func `a date that is none says nothing`() throws {
    for date in [
      "", "yesterday", "Fri, 32 Nov 2026 10:00:00 +0000", "Thu, 1 Jan 99999 00:00:00 +0000",
    ] {
      #expect(try #require(try understand([from, "Date: \(date)"])).mail.entry.saidAt == nil)
    }
  }

  @Test func `a sender only says who they are`() throws {
    let mail = try #require(try understand([from])).mail
    #expect(mail.from.identity == Identity(kind: .email, value: "mia@home.example"))
    #expect(
      mail.from.assurance == .claimed && mail.from.source == "mail"
        && mail.from.means == "from_header")
    #expect(mail.replyAddress == nil)
    #expect(mail.thread.theirs.lowercased() == "mia@home.example")
  }

  @Test func `a listed relay that has checked the domain makes it asserted, and nobody else does`()
    throws
  {
    let checked = "Authentication-Results: mx.shop.example; dmarc=pass header.from=home.example"
    #expect(
      try #require(try understand([checked, from], relay: "mx.shop.example")).mail.from.assurance
        == .asserted)
    #expect(
      try #require(try understand([checked, from], relay: nil)).mail.from.assurance == .claimed)
    #expect(
      try #require(try understand([checked, from], relay: "mx.other.example")).mail.from.assurance
        == .claimed)
  }

  private let conversation = ConversationID(high: 7, low: 8)

  /// The reply address of an answer to Mia.
  private func signedAddress() throws -> String {
    let line = MailLine(
      ours: "help@shop.example", theirs: "mia@home.example", theirName: "Mia", subject: "My lamp",
      lastMessageID: nil,
      references: [])
    let outgoing = OutgoingMail(
      id: MailID(high: 1, low: 2), conversation: conversation, thread: line,
      text: "It is on its way.", agentName: "Ann",
      blobs: [], at: now)
    let composed = try #require(channel.compose(outgoing, attachments: []))
    let text = String(decoding: composed.bytes, as: UTF8.self)
    let mark = try #require(text.range(of: "reply+"))
    return String(text[mark.lowerBound...].prefix { $0 != ">" && $0 != "\r\n" })
  }

  /// RFC 3834 §4: where it came from by its envelope. What the customer answers is read as theirs.
  @Test func `a rule's text is sent to the return path, and answered by whom it is written to`()
    throws
  {
    let came = try #require(try understand([from], sender: "mia+desk@relay.example")).mail
    #expect(came.returnPath == "mia+desk@relay.example")
    var outgoing = OutgoingMail(
      id: MailID(high: 1, low: 2), conversation: conversation, thread: came.thread, text: "x",
      agentName: "", blobs: [], at: now)
    outgoing.isAutomatic = true
    outgoing.returnPath = came.returnPath
    let composed = try #require(channel.compose(outgoing, attachments: []))
    #expect(composed.recipient == "mia+desk@relay.example" && composed.sender.isEmpty)
    let text = String(decoding: composed.bytes, as: UTF8.self)
    let mark = try #require(text.range(of: "reply+"))
    let address = String(text[mark.lowerBound...].prefix { $0 != ">" && $0 != "\r\n" })
    let answer = try #require(try understand([from], to: address)).mail
    #expect(answer.replyAddress == conversation)
  }

  @Test func `an address signed for a sender proves that sender, and no other`() throws {
    let address = try signedAddress()
    let mail = try #require(try understand([from], to: address)).mail
    #expect(mail.replyAddress == conversation && mail.from.assurance == .asserted)
    let thief = try #require(try understand(["From: Eve <eve@evil.example>"], to: address)).mail
    #expect(thief.replyAddress == nil && thief.from.assurance == .claimed)
  }

  /// A reply address stands in every answer, and so in what is forwarded.
  @Test
  func
    `a relay that says who did not write is believed before a signed address, which leads all the same`()
    throws
  {
    let address = try signedAddress()
    for (said, assurance) in [
      ("fail", Assurance.claimed), ("none", .asserted), ("temperror", .asserted),
      ("pass", .asserted),
    ] {
      let told = "Authentication-Results: mx.shop.example; dmarc=\(said) header.from=home.example"
      let mail = try #require(try understand([told, from], to: address, relay: "mx.shop.example"))
        .mail
      #expect(mail.replyAddress == conversation && mail.from.assurance == assurance, "\(said)")
    }
  }

  @Test
  func `what a form sends from our own address is of the visitor, who is no more than claimed`()
    throws
  {
    let ours = "From: Shop <help@shop.example>"
    let told = "Authentication-Results: mx.shop.example; dmarc=pass header.from=shop.example"
    let form = try #require(
      try understand([told, ours, "Reply-To: Mia <mia@home.example>"], relay: "mx.shop.example")
    ).mail
    #expect(form.automatic == nil && form.facts.from == "mia@home.example")
    #expect(form.from.identity.value == "mia@home.example" && form.from.assurance == .claimed)
    #expect(form.thread.theirs == "mia@home.example" && form.thread.theirName == "Mia")
    // What we wrote ourselves, come back; and what nobody could be answered by.
    for back in [
      [ours], [ours, "Reply-To: billing@shop.example"], [ours, "Reply-To: \(try signedAddress())"],
      [ours, "Reply-To: mia@home.example, eve@home.example"],
    ] {
      #expect(try #require(try understand(back)).mail.automatic == "ownAddress", "\(back)")
    }
    let listed = try understand([ours, "Reply-To: mia@home.example", "List-Id: <x.shop.example>"])
    #expect(try #require(listed).mail.automatic == "mailingList")
  }

  @Test func `a mail past the bounds is attached without what must never be written`() throws {
    let body = "my card is 4111 1111 1111 1111\r\n" + String(repeating: "x\r\n", count: 600_000)
    let came = try #require(try understand([from], body))
    let whole = try #require(came.blobs.first { $0.row.fileName == "message.eml" })
    let text = String(decoding: whole.bytes, as: UTF8.self)
    #expect(text.contains("my card is [card number removed]\r\nx\r\n") && !text.contains("1111"))
    #expect(whole.row.size == Int64(whole.bytes.count))
  }

  @Test func `text of any kind is redacted as words, and not kept beside them`() throws {
    let came = try #require(
      try understand([from, "Content-Type: text/markdown"], "my **card** is 4111 1111 1111 1111"))
    let said = String(decoding: came.mail.entry.members, as: UTF8.self)
    #expect(said.contains("my **card** is [card number removed]") && came.blobs.isEmpty)
  }

  @Test func `a mail whose attachment came cut is kept whole`() throws {
    let came = try #require(
      try understand(
        [from, "Content-Type: image/png; name=a.png", "Content-Transfer-Encoding: base64"],
        "iVBOR"))
    #expect(came.blobs.map(\.row.fileName) == ["a.png", "message.eml"])
  }

  private func report(
    about id: String?, on recipient: String = "Mia@home.example", _ fate: String = "Action: failed",
    to: String = "help@shop.example", saying why: String = "550 nobody has 4111 1111 1111 1111",
    parts: [String] = ["It could not be delivered."]
  ) throws -> MailReport? {
    try #require(try reporting(about: id, on: recipient, fate, to: to, saying: why, parts: parts))
      .report
  }

  /// The mail in which a report comes; nil where it is refused.
  private func reporting(
    about id: String?, on recipient: String = "Mia@home.example", _ fate: String = "Action: failed",
    to: String = "help@shop.example", saying why: String = "550", parts: [String] = ["No."],
    from author: String = "Mail Delivery System <MAILER-DAEMON@mx.home.example>",
    sender: String? = "mia@home.example"
  ) throws -> MailArrival? {
    let headers = [
      "From: \(author)",
      "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
    ]
    let original = id.map { ["Message-ID: <\($0)>", "Subject: Re: My lamp"] } ?? ["Subject: x"]
    let body =
      parts.flatMap { ["--x", "", $0] }
      + ["--x", "Content-Type: message/delivery-status", ""]
      + ["Reporting-MTA: dns; mx.home.example", "", "Final-Recipient: rfc822;\(recipient)", fate]
      + ["Diagnostic-Code: smtp; \(why)", ""]
      + ["--x", "Content-Type: text/rfc822-headers", ""] + original + ["--x--"]
    return try understand(headers, body.joined(separator: "\r\n"), to: to, sender: sender)?.mail
  }

  @Test
  func `a report is about an answer of ours by its Message-ID, or by an address of its reader`()
    throws
  {
    let id = OutgoingMail.messageID(MailID(high: 1, low: 2), from: "help@shop.example")
    let known = try #require(try report(about: id))
    let fate = try #require(known.fates.first)
    #expect(known.messageID == id && known.fates.count == 1 && fate.replyAddress == nil)
    #expect(fate.isFinal && fate.address == "Mia@home.example")
    #expect(known.entry.kind == .undelivered)
    #expect(known.entry.visibility == .business && known.entry.author == .system)
    let said = String(decoding: fate.members + known.entry.members, as: UTF8.self)
    #expect(said.contains(#""action":"failed""#) && said.contains("It could not be delivered."))
    #expect(!said.contains("1111"), "what must never be written is taken out of it, too")
    let address = try signedAddress()
    let signed = try #require(try report(about: nil, to: address))
    #expect(signed.fates.first?.replyAddress == conversation && signed.messageID == nil)
    #expect(try report(about: nil, on: "eve@evil.example", to: address) == nil)
    #expect(try report(about: "1@home.example") == nil, "a Message-ID that we do not make")
    #expect(try report(about: nil) == nil)
  }

  @Test func `only failures and delays are told of, failures first`() throws {
    let id = OutgoingMail.messageID(MailID(high: 1, low: 2), from: "help@shop.example")
    #expect(try report(about: id, "Action: delayed")?.fates.map(\.isFinal) == [false])
    #expect(try report(about: id, "Action: delivered") == nil)
    #expect(try report(about: id, "Action: relayed") == nil)
    let two = ["Action: delayed", "", "Original-Recipient: rfc822;<bob@home.example>"]
    let more = ["Final-Recipient: rfc822;bob@inner.example", "Action: failed"]
    let both = try #require(try report(about: id, (two + more).joined(separator: "\r\n")))
    #expect(both.fates.map(\.isFinal) == [true, true, false])
    #expect(
      both.fates.map(\.address) == ["bob@home.example", "bob@inner.example", "Mia@home.example"])
  }

  @Test func `a report's words are bounded, whatever a server writes, and what is cut says so`()
    throws
  {
    let id = OutgoingMail.messageID(MailID(high: 1, low: 2), from: "help@shop.example")
    let folded = String(repeating: "ö€ ", count: 500) + "\r\n "
    let why = "550 " + String(repeating: folded, count: 1_000)
    let parts = (0..<4).map { _ in String(repeating: "word ", count: 100_000) }
    let cut = try #require(try report(about: id, saying: why, parts: parts))
    let all = try #require(cut.fates.first).members + cut.entry.members
    let entry = try JSONSerialization.jsonObject(
      with: Data([UInt8(ascii: "{")] + all.dropFirst() + [UInt8(ascii: "}")]))
    let members = try #require(entry as? [String: Any])
    let reason = try #require(members["reason"] as? String)
    #expect((1_020...1_024).contains(reason.utf8.count) && reason.hasSuffix("…"))
    #expect(reason.hasPrefix("550 ö€ ö€") && !reason.contains("\u{FFFD}"))
    #expect(all.count < 1_100_000 && members["truncated"] as? Bool == true)
    let whole = try #require(
      try report(about: id, parts: ["Alas.\r\n\r\n> Where is it?\r\n\r\n-- \r\nYour mail server"]))
    let kept = String(decoding: whole.entry.members, as: UTF8.self)
    #expect(kept.contains(#""text":"Alas.""#) && kept.contains(#""quoted":"> Where is it?""#))
    #expect(kept.contains(#""signature":"-- \nYour mail server""#))
    let address = String(repeating: "a", count: 400) + "@home.example"
    #expect(try report(about: id, on: address) == nil)
  }

  @Test func `a mail server reports from nobody that could be answered, and other mail does not`()
    throws
  {
    let id = OutgoingMail.messageID(MailID(high: 1, low: 2), from: "help@shop.example")
    for author in [
      "MAILER-DAEMON", "Mail Delivery <MAILER-DAEMON>", "<>", #""Mail Delivery System" <>"#,
      "MAILER-DAEMON@mx", "a@home.example, b@home.example",
    ] {
      let mail = try reporting(about: id, from: author, sender: nil)
      #expect(mail?.report?.messageID == id, "\(author)")
      #expect(mail?.from.identity.value == "mailer-daemon@shop.example")
      #expect(mail?.from.assurance == .claimed && mail?.automatic != nil)
      // One address, though of no domain that the net knows, is read as a person's.
      let isRead = author == "MAILER-DAEMON@mx"
      let sent = try reporting(about: id, from: author)
      #expect((sent == nil) != isRead, "a person sends no report: \(author)")
      let plain = try understand(["From: \(author)"], sender: nil)?.mail
      #expect((plain == nil) != isRead, "no report: \(author)")
      #expect(plain?.from.assurance ?? .claimed == .claimed)
    }
    let known = try reporting(about: id, sender: nil)
    #expect(known?.from.identity.value == "mailer-daemon@mx.home.example")
  }

  @Test func `mail from nobody, or from two, is not guessed at`() throws {
    #expect(try understand([]) == nil)
    #expect(try understand(["From: mia@home.example, eve@evil.example"]) == nil)
    #expect(try understand([from, "From: eve@evil.example"]) == nil)
  }

  @Test func `attachments travel with the mail: rows, references and bytes are of the same blobs`()
    throws
  {
    let headers = [from, "MIME-Version: 1.0", #"Content-Type: multipart/mixed; boundary="x""#]
    let body = [
      "--x", "Content-Type: text/plain", "", "see this", "--x", "Content-Type: text/csv",
      "Content-Disposition: attachment; filename=a.csv", "", "1,2", "--x--",
    ].joined(separator: "\r\n")
    let arrival = try #require(try understand(headers, body))
    #expect(arrival.mail.blobs.map(\.id) == arrival.mail.entry.blobs)
    #expect(arrival.mail.blobs == arrival.blobs.map(\.row))
    #expect(arrival.mail.blobs.map(\.fileName) == ["a.csv"])
    #expect(
      arrival.blobs.map { Digest(bytes: SHA256.hash($0.bytes).bytes) }
        == arrival.mail.blobs.map(\.hash))
    #expect(arrival.blobs.allSatisfy { Int64($0.bytes.count) == $0.row.size })
  }

  @Test
  func `the same mail is the same; another recipient's, author's, subject's or body is not`() throws
  {
    let id = "Message-ID: <1@home.example>"
    let first = try #require(try understand([id, from])).mail
    #expect(try #require(try understand([id, from])).mail.seenKey == first.seenKey)
    // As relays add to it and write it anew.
    let relayed = ["Received: from x by y", from, "Subject: =?utf-8?q?My_lamp?=", id]
    #expect(try #require(try understand(relayed)).mail.seenKey == first.seenKey)
    for other in [[id, "From: Eve <eve@home.example>"], [id, from, "Subject: My lamps"]] {
      let mail = try #require(try understand(other)).mail
      #expect(mail.seenKey != first.seenKey)
      #expect(mail.earlierSeenKey == first.earlierSeenKey)
    }
    #expect(try #require(try understand([id, from], "other words")).mail.seenKey != first.seenKey)
    #expect(
      try #require(try understand([id, from], to: "billing@shop.example")).mail.seenKey
        != first.seenKey)
    // What folders hold that an older program wrote.
    let old = "1@home.example\nhelp@shop.example\n\r\n\r\nWhere is my lamp?\r\n"
    #expect(first.earlierSeenKey == SHA256.hash(Array(old.utf8)).bytes)
  }

  /// Older programs kept a mail under another hash of its body: it is made where there may be one.
  @Test func `the body is hashed again only where a mail of its id was seen before`() throws {
    let channel = channel
    let bytes = Array(
      "Message-ID: <1@home.example>\r\n\(from)\r\nSubject: My lamp\r\n\r\nWhere?\r\n".utf8)
    let path = try #require(SMTPPath(mailbox: Array("help@shop.example".utf8)))
    for isSeen in [false, true] {
      var asked: [[UInt8]] = []
      let mail = try channel.understand(
        bytes, sender: nil, recipient: path, relay: nil, now: Instant(milliseconds: 0)
      ) { key in
        asked.append(key)
        return isSeen
      }.mail
      #expect(asked == [MailChannel.threadKey("1@home.example")])
      #expect((mail.earlierSeenKey != nil) == isSeen)
    }
  }

  @Test func `a mail without an id is told by its date, author and subject`() throws {
    let date = "Date: Wed, 25 Nov 2026 10:00:00 +0000"
    let first = try #require(try understand([from, date])).mail
    #expect(try #require(try understand([from, date])).mail.seenKey == first.seenKey)
    for other in [
      [from], [from, date, "Message-ID: x"], [from, date, "Subject: x"],
      [date, "From: Eve <eve@home.example>"],
    ] {
      #expect(try #require(try understand(other)).mail.seenKey != first.seenKey, "\(other)")
    }
  }

  @Test func `threads are keys, nearest ancestor first, and a machine's mail says so`() throws {
    let mail = try #require(
      try understand([
        from, "Message-ID: <3@home.example>", "In-Reply-To: <2@shop.example>",
        "References: <1@shop.example> <2@shop.example>", "Auto-Submitted: auto-replied",
      ])
    ).mail
    #expect(mail.messageKey == MailChannel.threadKey("3@home.example"))
    #expect(mail.threadKeys.count == 2 && mail.threadKeys.first != mail.threadKeys.last)
    #expect(mail.automatic != nil)
    #expect(mail.entry.visibility == .business, "bots are not shown what a machine wrote")
    #expect(mail.thread.references.last?.contains("3@home.example") == true)
  }
}
