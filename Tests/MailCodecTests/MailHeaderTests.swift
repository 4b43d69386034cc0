import Testing

@testable import MailCodec

struct `Addresses` {
  @Test(arguments: [
    ("ann@home.example", [MailAddress(local: "ann", domain: "home.example")]),
    (
      "Ann Lee <ann@Home.Example>",
      [MailAddress(name: "Ann Lee", local: "ann", domain: "home.example")]
    ),
    (
      "\"Lee, Ann\" <ann@home.example>",
      [MailAddress(name: "Lee, Ann", local: "ann", domain: "home.example")]
    ),
    (
      "ann@home.example (Ann Lee)",
      [MailAddress(name: "Ann Lee", local: "ann", domain: "home.example")]
    ),
    ("\"a b\"@home.example", [MailAddress(local: "a b", domain: "home.example")]),
    ("<@relay.example:ann@home.example>", [MailAddress(local: "ann", domain: "home.example")]),
    (
      "ann@home.example <ann@home.example>",
      [MailAddress(name: "ann@home.example", local: "ann", domain: "home.example")]
    ),
    ("J. R. Doe <j@x.example>", [MailAddress(name: "J. R. Doe", local: "j", domain: "x.example")]),
    (
      "a@x.example,, b@y.example,",
      [MailAddress(local: "a", domain: "x.example"), MailAddress(local: "b", domain: "y.example")]
    ),
    (
      "Friends: a@x.example, b@y.example;",
      [MailAddress(local: "a", domain: "x.example"), MailAddress(local: "b", domain: "y.example")]
    ),
    ("undisclosed-recipients:;", []), ("", []),
    ("ann@[192.0.2.1]", [MailAddress(local: "ann", domain: "[192.0.2.1]")]),
  ])
  func `an address list is read`(_ header: String, _ expected: [MailAddress]) throws {
    #expect(try MailAddress.list(header) == expected)
  }

  @Test(arguments: [
    "alice@example.org)bob@example.com", "alice@example.org(bob@example.com",
    "alice@example.org<bob@example.com>",
    "alice@example.org>bob@example.com", "alice@example.org@bob@example.com",
    "alice@example.org\"bob@example.com",
    "alice@example.org[bob@example.com", "alice@example.org]bob@example.com",
    "alice@example.org\\bob@example.com",
    "alice@example.org:bob@example.com", "alice@example.org bob@example.com",
    "a@x.example <b@y.example>",
    "<a@x.example> <b@y.example>", "Ann", "Ann <>", "@x.example", "a@", "a..b@x.example",
    "a@x..example",
    "a@-x.example", "a@x. example.org", "\"unclosed <a@x.example>", "<a@x.example",
    "group: a@x.example",
  ])
  func `an ambiguous or broken address is refused, not guessed`(_ header: String) {
    // The first eleven are those of CVE-2023-27043.
    #expect(throws: MailAddressFault.self) { try MailAddress.list(header) }
  }

  @Test func `a path and its address read back the same`() {
    for text in ["ann@home.example", "\"a \\\"b\\\\ c\"@home.example", "åse@home.example"] {
      let path = SMTPPath(Array("<\(text)>".utf8))
      #expect(path?.description == text)
      #expect(MailAddress(address: text)?.address == text)
    }
  }
}

struct `Dates` {
  @Test(
    arguments: [
      ("Fri, 21 Nov 1997 09:55:06 -0600", 880_127_706),
      ("Tue, 1 Jul 2003 10:52:37 +0200", 1_057_049_557),
      ("1 Jan 1970 00:00 GMT", 0), ("21 Nov 97 09:55:06 GMT", 880_106_106),
      ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", nil),
      ("Fri, 21 Nov 1997 09:55:06 (CST) -0600", 880_127_706),
      ("Sat, 29 Feb 2020 23:59:60 +0000", 1_583_020_799), ("Sun, 29 Feb 2021 00:00:00 +0000", nil),
      ("21 Nov 1997 09:55:06 EST", 880_124_106), ("21 Nov 1997 09:55:06 X", 880_106_106),
      ("21 Nov 1997 09:55:06", 880_106_106),
      ("21-Nov-1997 09:55:06 -0600", 880_127_706), ("Fri,21 Nov 1997 09:55:06 -0600", 880_127_706),
      ("32 Nov 1997 09:55:06 +0000", nil), ("1 Nov 1997 24:00:00 +0000", nil),
      ("1 Nov 1997 09:55:06 +9999", nil),
      ("", nil), ("yesterday", nil), ("1 Nov", nil),
      ("1 Nov 99999999999999999999 09:00 +0000", nil),
    ] as [(String, Int64?)])
  func `a date is read or refused`(_ text: String, _ seconds: Int64?) {
    #expect(MailDate.parse(text) == seconds.map { $0 * 1_000 })
  }

  @Test func `a written date reads back the same`() {
    var random = SplitMix(seed: 7)
    for _ in 0..<500 {
      let seconds = Int64(random.next() % 8_000_000_000)
      #expect(MailDate.parse(MailDate.format(seconds * 1_000)) == seconds * 1_000, "\(seconds)")
    }
    #expect(MailDate.format(880_127_706_000) == "Fri, 21 Nov 1997 15:55:06 +0000")
    #expect(
      MailDate.parse(MailDate.format(.min)) != nil && MailDate.parse(MailDate.format(.max)) != nil)
  }
}

struct `Threading` {
  @Test(arguments: [
    ("Re: Order 12", "Order 12", true, false), ("AW: WG: Bestellung", "Bestellung", true, true),
    ("RE[3]: re: hi", "hi", true, false), ("Fwd: Fw: x", "x", false, true),
    ("回复：订单", "订单", true, false),
    ("SV: VS: Hej", "Hej", true, false), ("Odp: Pytanie", "Pytanie", true, false),
    ("RE : Facture", "Facture", true, false),
    ("Rif: Fattura", "Fattura", true, false), ("Antw:  two   spaces ", "two spaces", true, false),
    ("Order: late", "Order: late", false, false),
    ("Remember: milk", "Remember: milk", false, false),
    ("hello (fwd)", "hello", false, true), ("", "", false, false), ("Re:", "", true, false),
    ("[shop] Re: x", "[shop] x", true, false), ("Re: [shop] x", "[shop] x", true, false),
    ("[shop] x", "[shop] x", false, false), ("[EXTERNAL] RE: Lamp", "Lamp", true, false),
    ("Re: [EXT] Fwd: Lamp", "Lamp", true, true), ("[Re: x", "[Re: x", false, false),
    ("[a] [b] Re: x", "[a] [b] Re: x", false, false), ("[] Re: x", "[] x", true, false),
    ("İLT: Lamba", "Lamba", false, true), ("Antw.: Lamp", "Lamp", true, false),
    ("Réf. : Lampe", "Lampe", true, false), ("Odg: Lampa", "Lampa", true, false),
    ("Trả lời: Đèn", "Đèn", true, false), ("答复: 灯", "灯", true, false),
  ])
  func `a subject is told from its prefixes`(
    _ text: String, _ base: String, _ isReply: Bool, _ isForward: Bool
  ) {
    let subject = MailSubject(text)
    #expect(subject.base == base && subject.isReply == isReply && subject.isForward == isForward)
  }

  @Test func `ids are read in order, each once`() {
    #expect(MessageIDs.list("<a@x> junk <b@y>\t<a@x> <> <c @z>") == ["a@x", "b@y", "c@z"])
    #expect(
      MessageIDs.one("a@x") == "a@x" && MessageIDs.one("no id") == nil
        && MessageIDs.one("<a@x>") == "a@x")
    #expect(MessageIDs.named("a@x") == ["a@x"] && MessageIDs.named("a@x  b@y") == ["a@x", "b@y"])
    #expect(MessageIDs.named("Mail from a@x").isEmpty && MessageIDs.named("").isEmpty)
    #expect(MessageIDs.named("yours of <a@x>") == ["a@x"])
    let many = (0..<300).map { "<\($0)@x>" }.joined(separator: " ")
    #expect(
      MessageIDs.list(many).count == 100 && MessageIDs.list(many).first == "0@x"
        && MessageIDs.list(many).last == "299@x")
  }

  @Test func `the nearest parent comes first`() {
    let thread = MailThread(
      messageID: "d@x", inReplyTo: ["c@x"], references: ["a@x", "b@x", "c@x", "d@x"])
    #expect(thread.parents == ["c@x", "b@x", "a@x"])
  }
}

struct `Automatic mail` {
  func reason(
    _ fields: [(String, String)], from: String = "ann@home.example", null: Bool? = nil,
    type: String = "text/plain"
  )
    -> AutomaticReason?
  {
    AutomaticMail.reason(
      fields: fields.map { MailField($0.0, $0.1) },
      from: MailAddress(address: from).map { [$0] } ?? [],
      envelopeSenderIsNull: null, contentType: type, ownAddresses: ["help@shop.example"])
  }

  @Test func `a person's mail is not automatic`() {
    #expect(
      reason([
        ("Subject", "Out of office?"), ("Auto-Submitted", "no"), ("Precedence", "first-class"),
      ]) == nil)
  }

  @Test func `each sign gives its reason`() {
    #expect(reason([("AUTO-Submitted", "auto-replied (vacation)")]) == .autoSubmitted)
    #expect(reason([], null: true) == .nullSender)
    #expect(reason([("Return-Path", "<>")]) == .nullSender)
    #expect(reason([("Return-Path", "<>")], null: false) == nil)
    #expect(reason([], type: "multipart/report") == .report)
    #expect(reason([], from: "MAILER-DAEMON@x.example") == .mailerDaemon)
    #expect(reason([], from: "Help@shop.example") == .ownAddress)
    #expect(reason([("List-Id", "<x.example>")]) == .mailingList)
    #expect(reason([("Precedence", "Bulk")]) == .precedence)
    #expect(reason([("X-Autoreply", "yes")]) == .autoReplyHeader)
    #expect(reason([("X-Auto-Response-Suppress", "OOF, AutoReply")]) == nil)
    #expect(reason([], from: "no-reply@x.example") == nil)
    #expect(
      reason([("Precedence", "bulk"), ("Auto-Submitted", "auto-generated")]) == .autoSubmitted)
  }
}

struct `Authentication results` {
  func dmarc(_ headers: [String], id: String = "mx.shop.example") -> AuthenticationResults.DMARC {
    AuthenticationResults.dmarc(
      fields: headers.map { MailField("Authentication-Results", $0) }, authservID: id,
      fromDomain: "home.example")
  }

  @Test func `only the topmost header of the configured relay counts`() {
    let pass =
      "mx.shop.example 1; spf=pass smtp.mailfrom=home.example; dmarc=pass (p=none dis=none) header.from=home.example"
    #expect(dmarc([pass]) == .pass)
    #expect(dmarc(["evil.example; dmarc=pass header.from=home.example"]) == .unknown)
    #expect(dmarc(["other.example; none", pass]) == .unknown)
    #expect(dmarc([]) == .unknown)
    #expect(dmarc(["mx.shop.example; none"]) == .unknown)
  }

  @Test func `a pass is one, for the author's domain, and readable`() {
    #expect(dmarc(["mx.shop.example; dmarc=fail header.from=home.example"]) == .fail("fail"))
    #expect(
      dmarc(["mx.shop.example; dmarc=pass header.from=evil.example"])
        == .otherDomain("evil.example"))
    #expect(dmarc(["mx.shop.example; dmarc=pass"]) == .unknown)
    #expect(
      dmarc([
        "mx.shop.example; dmarc=pass header.from=home.example; dmarc=fail header.from=home.example"
      ]) == .unknown)
    #expect(dmarc(["mx.shop.example; dmarc=pass (unclosed header.from=home.example"]) == .unknown)
    #expect(dmarc(["mx.shop.example; spf=\"x; dmarc=pass header.from=home.example\""]) == .unknown)
    #expect(dmarc(["mx.shop.example; spf=fail (dmarc=pass header.from=home.example)"]) == .unknown)
    #expect(
      dmarc(["mx.shop.example; dmarc/1=pass reason=\"ok then\" header.from=\"home.example\""])
        == .pass)
  }
}

struct `Reply addresses` {
  /// Not a real MAC: enough to tell keys and texts apart in a test.
  static func mac(_ key: UInt64) -> ReplyAddress.MAC {
    { text in
      var state = SplitMix(seed: text.reduce(key) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
      return (0..<32).map { _ in UInt8(truncatingIfNeeded: state.next()) }
    }
  }
  let address = ReplyAddress(conversation: .init(high: 1, low: .max), expires: 1_800_000_000_000)

  @Test func `a reply address proves its conversation to the sender it was made for`() throws {
    let local = address.localPart(recipient: "Ann@home.example", mac: Self.mac(1))
    #expect(local.utf8.count == 64)
    #expect(SMTPPath(mailbox: Array("\(local)@mail.example".utf8)) != nil)
    let read = try ReplyAddress.verify(
      localPart: local.uppercased(), sender: "ann@home.example", now: 0, mac: Self.mac(1))
    #expect(read == address)
  }

  @Test func `what is forged, changed, late or another's is refused with its reason`() {
    let local = address.localPart(recipient: "ann@home.example", mac: Self.mac(1))
    func fault(
      _ local: String, _ sender: String = "ann@home.example", now: Int64 = 0, key: UInt64 = 1
    ) -> ReplyAddress.Fault? {
      do throws(ReplyAddress.Fault) {
        _ = try ReplyAddress.verify(localPart: local, sender: sender, now: now, mac: Self.mac(key))
        return nil
      } catch { return error }
    }
    #expect(fault(local) == nil)
    #expect(fault("help") == .notOurs)
    #expect(fault("reply+abc") == .malformed)
    #expect(fault(local, "eve@evil.example") == .badSignature)
    let kay = address.localPart(recipient: "kay@home.example", mac: Self.mac(1))
    #expect(fault(kay, "KAY@home.example") == nil)
    #expect(fault(kay, "\u{212A}ay@home.example") == .badSignature, "KELVIN SIGN is no K")
    #expect(fault(local, key: 2) == .badSignature)
    #expect(fault(local, now: 1_800_000_000_000) == .expired)
    for index in local.indices.dropFirst(6) {
      var bent = local
      bent.replaceSubrange(index...index, with: local[index] == "a" ? "b" : "a")
      #expect([.badSignature, .malformed].contains(fault(bent)))
    }
  }

  @Test func `a hash too short to sign with signs nothing`() {
    let local = address.localPart(recipient: "a@x.example") { _ in [] }
    #expect(throws: ReplyAddress.Fault.self) {
      try ReplyAddress.verify(localPart: local, sender: "a@x.example", now: 0) { _ in [] }
    }
  }
}
