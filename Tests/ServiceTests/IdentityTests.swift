import Channels
import Continuity
import Foundation
import Model
import Pipeline
import Records
import Testing

/// Who is who: proven identities join, claimed ones suggest, shared ones neither.
struct IdentityTests {
  let mail = ("email", "jo@home.example")
  let phone = ("phone", "+15551234567")

  @Test(
    "an identity carries who said so, when and by what; a second source is kept beside the first")
  func evidence() throws {
    let shop = try Shop()
    let chat = try shop.open([mail])
    try shop.mail(from: "jo@home.example", subject: "Lamp", id: "1@home.example", "?")
    let page = try shop.call("GET", "/v1/customers/\(chat.customer)", by: shop.ann)
    let identity = try #require(page.list("identities").first)
    #expect(identity["assurance"] as? String == "asserted")
    let evidence = try #require(identity["evidence"] as? [[String: Any]])
    #expect(evidence.map { $0["by"] as? String } == ["bot:webshop", "relay:relay.shop.example"])
    #expect(evidence.map { $0["means"] as? String } == ["assertion", "dmarc"])
    #expect(evidence.allSatisfy { $0["at"] as? String == shop.now.description })
    _ = try shop.open([mail])
    #expect(
      try shop.call("GET", "/v1/customers?kind=email&value=JO@Home.example", by: shop.ann).text
        == page.text)
  }

  @Test("letters that only look like others, or like nothing, make nobody of somebody else")
  func lookalikes() throws {
    let shop = try Shop()
    func form(_ raw: String) -> String? { shop.api.normalised(.email, raw)?.value }
    #expect(form("Kay@Home.example") == "kay@home.example")
    #expect(form("ÜLI@home.example") == "üli@home.example")
    // KELVIN SIGN, and I WITH DOT ABOVE, whose small forms begin with a letter of ASCII.
    for other in ["\u{212A}ay@home.example", "kay@home.example\u{212A}", "kay@\u{212A}.example"] {
      let found = form(other).map { Array($0.utf8) }
      #expect(found == nil || found?.contains { $0 > 0x7F } == true)
    }
    #expect(
      form("\u{0130}da@home.example").map { Array($0.utf8) } != Array("ida@home.example".utf8))
    let hidden = [
      "\u{200B}", "\u{200D}", "\u{2060}", "\u{FEFF}", "\u{00AD}", "\u{202E}", "\u{00A0}",
      "\u{2028}",
      "\u{E0001}", "\u{180E}", "\u{FE0F}", "\u{3164}", "\u{E000}",
    ]
    for mark in hidden {
      for raw in ["k\(mark)ay@home.example", "kay\(mark)@home.example", "kay@ho\(mark)me.example"] {
        #expect(form(raw) == nil, "U+\(String(mark.unicodeScalars.first?.value ?? 0, radix: 16))")
      }
    }
    let kay = try shop.open([("email", "kay@home.example")])
    try shop.says("kay-words", kay)
    let kelvin = try shop.open([("email", "\u{212A}ay@home.example")])
    #expect(kelvin.customer != kay.customer && !kelvin.opened.text.contains("kay-words"))
    #expect(throws: Shop.Fault.self) { try shop.open([("email", "k\u{200B}ay@home.example")]) }
    // Mail is read all the same, and proves nothing, whatever its relay says.
    let odd = try shop.mail(
      from: "k\u{200B}ay@home.example", subject: "?", id: "z@home.example", "odd-words")
    let row = try #require(try shop.reader.conversation(shop.workspace, odd.conversation))
    #expect(row.customer.description != kay.customer)
    let known = try shop.reader.identities(shop.workspace, of: row.customer)
    #expect(known.map(\.identity.value) == ["k<U+200B>ay@home.example"])
    #expect(known.map(\.assurance) == [.claimed])
    #expect(try shop.takes(shop.ann).text.contains("odd-words"))
  }

  @Test(
    "what is longer than any address or id is none, and mail from there is kept as far as it goes")
  func lengths() throws {
    let shop = try Shop()
    let longest = String(repeating: "a", count: 256)
    #expect(try shop.open([("external", longest)]).opened.status == 201)
    for kind in ["external", "chat"] {
      let refused = try shop.call(
        "POST", "/v1/sessions",
        ["customer": ["identities": [shop.identity(kind, longest + "a")]]], by: shop.webshop)
      #expect(refused.status == 422 && refused.text.contains("longer than 256 bytes"))
    }
    // 20 letters that nobody sees are 60 bytes of the 64 that a name may have, and 160 as pictures.
    let label = String(repeating: "a", count: 60)
    let far = "k" + String(repeating: "\u{200B}", count: 20) + "@\(label).\(label).example"
    let odd = try shop.deliver(
      shop.message(from: far, subject: "?", id: "y@home.example", "odd-words"),
      from: "bounces@home.example")
    let row = try #require(try shop.reader.conversation(shop.workspace, odd.conversation))
    let kept = try #require(
      try shop.reader.identities(shop.workspace, of: row.customer).first?.identity.value)
    #expect(kept.hasPrefix("k<U+200B><U+200B>") && kept.utf8.count == 254)
  }

  @Test(
    "a claim suggests; confirmed by an agent it makes one customer of two, rejected it suggests no more"
  )
  func claims() throws {
    let shop = try Shop()
    let known = try shop.open([mail])
    let stranger = try shop.open(claimed: [mail])
    #expect(stranger.customer != known.customer)
    var page = try shop.call("GET", "/v1/customers/\(stranger.customer)", by: shop.ann)
    #expect(page.list("suggestions").first?["customers"] as? [String] == [known.customer])
    let other = try shop.open(claimed: [mail])
    let rejection = [
      "kind": "email", "value": mail.1, "decision": "reject", "reason": "asked back",
    ]
    #expect(
      try shop.call("POST", "/v1/customers/\(other.customer)/identities", rejection, by: shop.ann)
        .status == 200)
    page = try shop.call("GET", "/v1/customers/\(other.customer)", by: shop.ann)
    #expect(page.list("suggestions").isEmpty)
    #expect(page.list("identities").first?["decided_by"] as? String == "agent:ann")
    let yes = ["kind": "email", "value": mail.1, "decision": "confirm"]
    let confirmed = try shop.call(
      "POST", "/v1/customers/\(stranger.customer)/identities", yes, by: shop.ann)
    #expect(confirmed.string("customer") == known.customer)
    #expect(
      try shop.timeline(stranger.customer).entries("entries").kinds.filter {
        $0 == "session_opened"
      }.count == 2)
  }

  @Test(
    "what was confirmed is not rejected while it joins; taken apart, the claim is rejected by that")
  func confirmedThenNot() throws {
    let shop = try Shop()
    let known = try shop.open([mail])
    let stranger = try shop.open(claimed: [mail])
    func decide(_ decision: String) throws -> Reply {
      let asked = ["kind": "email", "value": mail.1, "decision": decision, "reason": "asked back"]
      return try shop.call(
        "POST", "/v1/customers/\(stranger.customer)/identities", asked, by: shop.ann)
    }
    #expect(try decide("confirm").status == 200)
    let refused = try decide("reject")
    #expect(refused.status == 409 && refused.string("type")?.hasSuffix(":confirmed") == true)
    #expect(refused.string("detail")?.contains("split") == true)
    try shop.call(
      "POST", "/v1/customers/\(known.customer)/split", ["from": stranger.customer], by: shop.ann)
    var page = try shop.call("GET", "/v1/customers/\(stranger.customer)", by: shop.ann)
    #expect((page.at(["records"]) as? [String])?.count == 1 && page.list("suggestions").isEmpty)
    #expect(page.list("identities").first?["standing"] as? String == "rejected", "\(page.text)")
    #expect(try decide("reject").status == 200)
    #expect(try decide("confirm").status == 200, "they are one again")
    page = try shop.call("GET", "/v1/customers/\(stranger.customer)", by: shop.ann)
    #expect(page.string("id") == known.customer)
  }

  @Test("a claim that a second source repeats has the evidence of both")
  func claimedTwice() throws {
    let shop = try Shop()
    let known = try shop.open([phone], claimed: [mail])
    for _ in 1...2 { _ = try shop.open([phone], claimed: [mail], by: shop.whatsapp) }
    let page = try shop.call("GET", "/v1/customers/\(known.customer)", by: shop.ann)
    let claim = try #require(page.list("identities").first { $0["kind"] as? String == "email" })
    let said = try #require(claim["evidence"] as? [[String: Any]])
    #expect(said.compactMap { $0["by"] as? String } == ["bot:webshop", "bot:whatsapp"])
  }

  @Test("a confirmed claim that is nobody else's is proven from then on")
  func confirmsNew() throws {
    let shop = try Shop()
    let stranger = try shop.open(claimed: [mail])
    let yes = ["kind": "email", "value": mail.1, "decision": "confirm"]
    try shop.call("POST", "/v1/customers/\(stranger.customer)/identities", yes, by: shop.ann)
    #expect(try shop.open([mail]).customer == stranger.customer)
    let page = try shop.call("GET", "/v1/customers/\(stranger.customer)", by: shop.ann)
    #expect(page.list("suggestions").isEmpty)
    #expect(
      page.list("identities").contains {
        ($0["evidence"] as? [[String: Any]])?.first?["by"] as? String == "agent:ann"
      })
    // What nobody claimed cannot be confirmed.
    let no = ["kind": "email", "value": "else@home.example", "decision": "confirm"]
    #expect(
      try shop.call("POST", "/v1/customers/\(stranger.customer)/identities", no, by: shop.ann)
        .status == 404)
  }

  @Test(
    "a family's phone, marked as shared, parts whom it had joined, to the entry, and joins nobody again"
  )
  func shared() throws {
    let shop = try Shop()
    let jo = try shop.open([mail, phone])
    try shop.says("from jo", jo)
    try shop.leaves(jo, "bot_ended")
    let kim = try shop.open([("email", "kim@home.example"), phone])
    try shop.says("from kim", kim)
    #expect(jo.customer == kim.customer)
    let share = ["kind": "phone", "value": phone.1, "decision": "share", "reason": "a family's"]
    #expect(
      try shop.call("POST", "/v1/customers/\(jo.customer)/identities", share, by: shop.boss).status
        == 200)
    let joAlone = try shop.call(
      "GET", "/v1/customers?kind=email&value=jo@home.example", by: shop.ann)
    let kimAlone = try shop.call(
      "GET", "/v1/customers?kind=email&value=kim@home.example", by: shop.ann)
    #expect(joAlone.string("id") != kimAlone.string("id"))
    let again = try shop.open([("email", "kim@home.example"), phone])
    #expect(again.customer == kimAlone.string("id"))
    #expect(try shop.timeline(again.customer).entries("entries").texts == ["from kim"])
    // By the phone alone nobody is known; an agent sees who it may be, and says who it is.
    let call = try shop.call(
      "POST", "/v1/calls", ["call": "c1", "from": phone.1, "to": "+18005551212"], by: shop.pbx)
    #expect(call.string("do") == "wait")
    let session = try #require(call.string("session").flatMap { SessionID($0) })
    let row = try #require(try shop.reader.session(shop.workspace, session))
    let caller = try #require(
      try shop.reader.conversation(shop.workspace, row.conversation)?.customer)
    let page = try shop.call("GET", "/v1/customers/\(caller)", by: shop.ann)
    let suggestion = try #require(page.list("suggestions").first)
    #expect(suggestion["shared"] as? Bool == true)
    #expect(
      Set(suggestion["customers"] as? [String] ?? [])
        == Set([joAlone, kimAlone].compactMap { $0.string("id") }))
    var yes = ["kind": "phone", "value": phone.1, "decision": "confirm"]
    #expect(
      try shop.call("POST", "/v1/customers/\(caller)/identities", yes, by: shop.ann).status == 409)
    yes["customer"] = kimAlone.string("id")
    #expect(
      try shop.call("POST", "/v1/customers/\(caller)/identities", yes, by: shop.ann).status == 200)
    #expect(
      try shop.timeline(kimAlone.string("id") ?? "").entries("entries").kinds.contains("call"))
    #expect(
      try !shop.timeline(joAlone.string("id") ?? "").entries("entries").kinds.contains("call"))
    // A mistake: taken apart again, the claim is nobody's word any more, and may be the other's.
    let kimID = try #require(kimAlone.string("id"))
    #expect(
      try shop.call("POST", "/v1/customers/\(caller)/split", ["from": kimID], by: shop.boss).status
        == 200)
    let parted = try shop.call("GET", "/v1/customers/\(caller)", by: shop.ann)
    #expect(parted.list("identities").first?["standing"] as? String == "rejected")
    #expect(try !shop.timeline(kimID).entries("entries").kinds.contains("call"))
    yes["customer"] = joAlone.string("id")
    #expect(
      try shop.call("POST", "/v1/customers/\(caller)/identities", yes, by: shop.ann).status == 200)
    // The mark taken back decides nothing about whom an agent joined by a claim, nor about the others.
    let unshare = ["kind": "phone", "value": phone.1, "decision": "unshare"]
    let unshared = try shop.call(
      "POST", "/v1/customers/\(kimID)/identities", unshare, by: shop.boss)
    #expect(unshared.status == 200, "\(unshared.text)")
    let after = try shop.call("GET", "/v1/customers/\(caller)", by: shop.ann)
    #expect((after.at(["records"]) as? [String] ?? []).contains(joAlone.string("id") ?? "-"))
    #expect(try shop.rows() == shop.replayed())
  }

  @Test(
    "an address or a number of ours makes nobody one with everybody: whoever asserts it is told")
  func ours() throws {
    let shop = try Shop()
    shop.api.directory.mailAddresses = ["help@shop.example"]
    shop.api.directory.dialledNumbers = ["+18005551212"]
    for (kind, value) in [("email", "Help@Shop.example"), ("phone", "+18005551212")] {
      let asserted = try shop.call(
        "POST", "/v1/sessions", ["customer": ["identities": [shop.identity(kind, value)]]],
        by: shop.webshop)
      #expect(asserted.status == 422 && asserted.text.contains("this workspace's own"))
      let told = try shop.call(
        "POST", "/v1/journey", ["event": "bought", "identities": [shop.identity(kind, value)]],
        by: shop.till)
      #expect(told.status == 422 && told.text.contains("this workspace's own"))
      // What somebody types into a chat is no reason to refuse them.
      #expect(try shop.open(claimed: [(kind, value)]).opened.status == 201)
    }
  }

  @Test("only agents and supervisors see and decide who a customer is")
  func scopes() throws {
    let shop = try Shop()
    let jo = try shop.open([mail])
    for caller in [shop.webshop, shop.till, shop.pbx] {
      #expect(try shop.call("GET", "/v1/customers/\(jo.customer)", by: caller).status == 403)
      #expect(
        try shop.call("GET", "/v1/customers?kind=email&value=jo@home.example", by: caller).status
          == 403)
      #expect(
        try shop.call(
          "POST", "/v1/customers/\(jo.customer)/merge", ["with": jo.customer], by: caller
        ).status == 403)
    }
  }
}

/// The normal form of mail addresses: what a workspace says of a provider, and nothing else.
struct EmailRulesTests {
  static let rules = EmailRules([
    .init(domains: ["gmail.com", "googlemail.com"], ignoresDots: true, tag: "+"),
    .init(domains: ["shop.example"], tag: "-"),
  ])

  @Test(
    "an address is normalised by its provider's rules",
    arguments: [
      ("Jo.Doe+lamp@GoogleMail.com", "jodoe@gmail.com"), ("j.o@gmail.com", "jo@gmail.com"),
      ("jo.doe+lamp@home.example", "jo.doe+lamp@home.example"),
      ("jo-lamp@shop.example", "jo@shop.example"),
      ("jo.doe@shop.example", "jo.doe@shop.example"), ("+lamp@gmail.com", "+lamp@gmail.com"),
      ("...@gmail.com", "...@gmail.com"), ("JO@HOME.EXAMPLE", "jo@home.example"), ("jo@home", nil),
      ("@home.example", nil),
      ("jo@a@home.example", nil), ("jo@home..example", nil), ("jo@.home.example", nil),
      ("jo@home.example.", nil), ("mailto:Jo@home.example", "jo@home.example"),
      ("MAILTO:jo.doe+lamp@gmail.com", "jodoe@gmail.com"), ("mailto:", nil),
      ("jo:doe@home.example", nil), ("jo@home.example,kim", nil), ("jo(x)@home.example", nil),
      (#""jo:doe"@home.example"#, #""jo:doe"@home.example"#), ("jo@[192.0.2.1]", "jo@[192.0.2.1]"),
      ("jo doe@home.example", nil), ("j\u{85}o@home.example", nil),
    ] as [(String, String?)])
  func normal(_ raw: String, _ expected: String?) {
    #expect(IdentityForm.normalise(.email, raw, Self.rules, e164: { _ in nil })?.value == expected)
  }

  @Test(
    "an address is one however its letters are composed and its domain is spelled",
    arguments: [
      ("a@bücher.example", "a@xn--bcher-kva.example"),
      ("A@BÜCHER.example", "a@xn--bcher-kva.example"),
      ("a@bu\u{308}cher.example", "a@xn--bcher-kva.example"),
      ("a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"),
      ("a@straße.example", "a@xn--strae-oqa.example"),
      ("a@strasse.example", "a@strasse.example"),
      ("ann@пример.example", "ann@xn--e1afmkfd.example"),
      ("u\u{308}li@home.example", "\u{FC}li@home.example"),
      ("U\u{308}LI@home.example", "\u{FC}li@home.example"),
      // What is no domain of DNS stays as it was written.
      ("a@-ü.example", "a@-ü.example"), ("a@a_ü.example", "a@xn--a_-yka.example"),
      ("a@\u{FB01}.example", "a@\u{FB01}.example"),
      ("jo.doe+lamp@büro.example", "jodoe@xn--bro-hoa.example"),
      ("jo.doe@xn--bro-hoa.example", "jodoe@xn--bro-hoa.example"),
    ] as [(String, String)])
  func spelling(_ raw: String, _ expected: String) {
    let rules = EmailRules([.init(domains: ["büro.example"], ignoresDots: true, tag: "+")])
    let found = IdentityForm.normalise(.email, raw, rules, e164: { _ in nil })?.value
    #expect(found.map { Array($0.utf8) } == Array(expected.utf8), "\(found ?? "")")
  }

  @Test(
    "what an earlier version kept of an address is looked for, and nothing where it is the same")
  func earlierForms() {
    func earlier(_ raw: String) -> [[UInt8]] {
      IdentityForm.earlier(.email, raw).map { Array($0.value.utf8) }
    }
    #expect(earlier("jo@home.example").isEmpty && earlier("\u{FC}li@home.example").isEmpty)
    #expect(earlier("a@bücher.example") == [Array("a@bücher.example".utf8)])
    #expect(earlier("A@xn--bcher-kva.example") == [Array("a@bücher.example".utf8)])
    #expect(earlier("u\u{308}li@home.example") == [Array("u\u{308}li@home.example".utf8)])
    #expect(IdentityForm.earlier(.chat, "a@bücher.example").isEmpty)
  }

  /// As a version kept it that knew a domain only as it was spelled: under a row of the phone's.
  private func keepsOldSpelling(_ shop: Shop) throws {
    let spelled = Identity(kind: .email, value: "a@bücher.example")
    let phone = try #require(
      try shop.reader.identity(
        shop.workspace, hash: shop.api.hash(Identity(kind: .phone, value: "+15551234567"))))
    var commit = Commit(workspace: shop.workspace)
    commit.identities = [
      IdentityRow(
        hash: shop.api.hash(spelled), customer: phone.customer, identity: spelled,
        assurance: .asserted, evidence: phone.evidence)
    ]
    try shop.store.commit([commit])
  }

  @Test(
    "who was kept under the old spelling of their domain is found by either, and is one with the new"
  )
  func oldFolder() throws {
    let shop = try Shop()
    let old = try shop.open([("phone", "+15551234567")])
    try shop.says("kept-long-ago", old)
    try keepsOldSpelling(shop)
    for value in ["a@xn--bcher-kva.example", "a@b%C3%BCcher.example"] {
      let page = try shop.call("GET", "/v1/customers?kind=email&value=\(value)", by: shop.ann)
      #expect(page.status == 200 && page.string("id") == old.customer, "\(page.text)")
    }
    let new = try shop.open([("email", "a@xn--bcher-kva.example")])
    #expect(new.customer == old.customer && new.opened.text.contains("kept-long-ago"))
    let again = try shop.open([("email", "A@BÜCHER.example")])
    #expect(again.customer == old.customer)
  }

  @Test("what was marked as shared under the old spelling joins nobody under the new one")
  func oldShared() throws {
    let shop = try Shop()
    let old = try shop.open([("phone", "+15551234567")])
    let share = [
      "kind": "phone", "value": "+15551234567", "decision": "share", "reason": "a family's",
    ]
    #expect(
      try shop.call("POST", "/v1/customers/\(old.customer)/identities", share, by: shop.boss).status
        == 200)
    try keepsOldSpelling(shop)
    let one = try shop.open([("email", "a@xn--bcher-kva.example")])
    let other = try shop.open([("email", "a@xn--bcher-kva.example")])
    #expect(Set([old.customer, one.customer, other.customer]).count == 3)
  }

  @Test("without rules no provider's habit is guessed")
  func noRules() {
    for raw in ["jo.doe@gmail.com", "jo+lamp@gmail.com", "jo@googlemail.com"] {
      #expect(IdentityForm.normalise(.email, raw, EmailRules(), e164: { _ in nil })?.value == raw)
    }
  }

  @Test("numbers are taken in E.164, chat and external ids as they are")
  func others() {
    #expect(
      IdentityForm.normalise(.phone, "555 1234567", e164: { "+1" + $0.filter(\.isNumber) })?.value
        == "+15551234567")
    #expect(IdentityForm.normalise(.phone, "anonymous", e164: { _ in nil }) == nil)
    #expect(IdentityForm.normalise(.chat, "Ab 9", e164: { _ in nil })?.value == "Ab 9")
    #expect(IdentityForm.normalise(.external, "a\u{7}", e164: { _ in nil }) == nil)
    #expect(IdentityForm.normalise(.external, "", e164: { _ in nil }) == nil)
    for hidden in ["\u{200B}", "\u{200D}", "\u{FEFF}", "\u{85}", "\u{202E}", "\u{A0}"] {
      for kind in [IdentityKind.chat, .external] {
        #expect(IdentityForm.normalise(kind, "card\(hidden)1", e164: { _ in nil }) == nil)
      }
    }
    #expect(IdentityForm.normalise(.external, "Müller 7", e164: { _ in nil })?.value == "Müller 7")
  }

  @Test("whoever sends what cannot be an identity reads why")
  func flaws() throws {
    let shop = try Shop()
    for (kind, value, why) in [
      ("email", "jo@home..example", "parted by single dots"),
      ("email", "jo doe@x.example", "a blank"),
      ("email", "jo\u{200B}@home.example", "U+200B, which nobody sees"),
      ("external", "card\u{200D}1", "U+200D, which nobody sees"), ("chat", "a\u{7}", "U+0007"),
      ("email", "jo", "with one @"), ("phone", "x", "+15551234567"),
      ("phone", "+10000000000", "withheld"),
    ] {
      let body = ["customer": ["identities": [shop.identity(kind, value, "claimed")]]]
      let refused = try shop.call("POST", "/v1/sessions", body, by: shop.webshop)
      #expect(
        refused.status == 422 && refused.string("detail")?.contains(why) == true, "\(refused.text)")
      #expect(refused.string("field") == "customer.identities[0].value")
    }
    let sought = try shop.call(
      "GET", "/v1/customers?kind=email&value=jo@home..example", by: shop.ann)
    #expect(sought.status == 422 && sought.string("detail")?.contains("single dots") == true)
  }

  @Test("what earlier versions took and is refused today is found as it was kept")
  func takenBefore() {
    func earlier(_ kind: IdentityKind, _ raw: String) -> [String] {
      IdentityForm.earlier(kind, raw).map(\.value)
    }
    #expect(earlier(.email, "Jo@home..example") == ["jo@home..example"])
    #expect(earlier(.email, "mailto:jo@home.example") == ["mailto:jo@home.example"])
    #expect(earlier(.external, "card\u{200D}1") == ["card\u{200D}1"])
    #expect(earlier(.email, "what") == [] && earlier(.email, "jo@home") == [])
    #expect(earlier(.email, "jo@home.example") == [] && earlier(.phone, "x") == [])
    #expect(earlier(.phone, "+19999999999") == ["+19999999999"])
  }
}

/// Two records of one person become one, and can be taken apart again.
struct MergeTests {
  @Test(
    "a merge makes one timeline of two, whose proof holds; a split gives each its own back, and nothing is lost"
  )
  func mergeAndSplit() throws {
    let shop = try Shop()
    let a = try shop.open([("email", "a@home.example")])
    try shop.says("from a", a)
    let b = try shop.open([("email", "b@home.example")])
    try shop.says("from b", b)
    let event: [String: Any] = [
      "event": "ordered",
      "identities": [["kind": "email", "value": "b@home.example", "assurance": "asserted"]],
    ]
    try shop.call("POST", "/v1/journey", event, by: shop.till)
    let before = try (shop.timeline(a.customer), shop.timeline(b.customer))
    let merged = try shop.call(
      "POST", "/v1/customers/\(b.customer)/merge", ["with": a.customer, "reason": "same address"],
      by: shop.ann)
    #expect(merged.string("customer") == a.customer)
    let both = try shop.timeline(b.customer)
    #expect(both.entries("entries").texts == ["from a", "from b"])
    #expect(both.entries("entries").kinds.contains("journey"))
    #expect(both.text == (try shop.timeline(a.customer)).text)
    expectComplete(both)
    #expect(
      try shop.call("POST", "/v1/customers/\(b.customer)/merge", ["with": a.customer], by: shop.ann)
        .status == 409)
    let split = try shop.call(
      "POST", "/v1/customers/\(a.customer)/split", ["from": b.customer], by: shop.boss)
    #expect(split.status == 200)
    for (talk, old) in [(a, before.0), (b, before.1)] {
      let now = try shop.timeline(talk.customer)
      expectComplete(now)
      let kept = now.entries("entries").filter {
        !["merged", "split"].contains($0["kind"] as? String)
      }
      #expect(
        kept.map { $0["entry"] as? Int } == old.entries("entries").map { $0["entry"] as? Int })
      #expect(now.entries("entries").kinds.suffix(2) == ["merged", "split"])
    }
    #expect(
      try shop.call(
        "POST", "/v1/customers/\(a.customer)/split", ["from": b.customer], by: shop.boss
      ).status == 409)
    let page = try shop.call("GET", "/v1/customers/\(a.customer)", by: shop.ann)
    let story = page.list("joined").first?["story"] as? [[String: Any]]
    #expect(story?.map { $0["what"] as? String } == ["joined", "parted"])
    #expect(story?.map { $0["by"] as? String } == ["agent:ann", "supervisor:boss"])
  }

  @Test("what an agent took apart no bot joins again, only an agent")
  func keptApart() throws {
    let shop = try Shop()
    let (mail, phone) = (("email", "a@home.example"), ("phone", "+15551234567"))
    let a = try shop.open([mail, phone])
    let page = try shop.call("GET", "/v1/customers/\(a.customer)", by: shop.ann)
    let records = try #require(page.list("joined").first?["records"] as? [String])
    try shop.call("POST", "/v1/customers/\(records[0])/split", ["from": records[1]], by: shop.ann)
    let again = try shop.open([mail, phone])
    #expect(
      try shop.call("GET", "/v1/customers/\(again.customer)", by: shop.ann).list("records").count
        == 0)
    let byPhone = try shop.call(
      "GET", "/v1/customers?kind=phone&value=%2B15551234567", by: shop.ann)
    let byMail = try shop.call("GET", "/v1/customers?kind=email&value=a@home.example", by: shop.ann)
    #expect(byPhone.string("id") != byMail.string("id"))
    // What is of both is nobody's.
    #expect(![byMail, byPhone].compactMap { $0.string("id") }.contains(again.customer))
    try shop.call("POST", "/v1/customers/\(records[0])/merge", ["with": records[1]], by: shop.ann)
    #expect(
      try shop.call("GET", "/v1/customers?kind=phone&value=%2B15551234567", by: shop.ann).text
        == shop.call("GET", "/v1/customers?kind=email&value=a@home.example", by: shop.ann).text)
  }

  @Test("an agent on a live case hears of it, and the conversation keeps its owner and epoch")
  func live() throws {
    let shop = try Shop()
    let a = try shop.open([("email", "a@home.example")])
    let b = try shop.open([("email", "b@home.example")])
    try shop.handsOver(b)
    let id = try #require(try shop.takes(shop.ann).string("case"))
    let conversation = try #require(ConversationID(b.conversation))
    let owner = shop.pipeline.router.conversation(conversation)?.owner
    shop.heard = []
    try shop.call("POST", "/v1/customers/\(a.customer)/merge", ["with": b.customer], by: shop.boss)
    let told = shop.heard.compactMap {
      if case .tellAgent(_, conversation, let entry) = $0 { entry } else { nil }
    }
    #expect(told.count == 1)
    let last = try shop.reader.transcript(
      shop.workspace, of: conversation, after: EntryID(0), limit: 100, visible: .internal
    ).last
    #expect(last?.id == told.first)
    #expect(
      last.map { String(decoding: $0.body ?? [], as: UTF8.self).contains("\"kind\":\"merged\"") }
        == true)
    #expect(shop.pipeline.router.conversation(conversation)?.owner == owner)
    #expect(shop.pipeline.router.conversation(conversation)?.epoch == 3)
    // The case now shows both.
    #expect(
      try shop.call("GET", "/v1/cases/\(id)", by: shop.ann).string("customer", "id") == a.customer)
    // The bot of the conversation sees nothing of it.
    let events = try shop.call("GET", "/v1/sessions/\(b.session)/events?after=0", by: shop.webshop)
    #expect(!events.entries("events").kinds.contains("merged"))
  }

  @Test(
    "what two sources say of a customer is kept from both; one source's later word replaces its earlier"
  )
  func attributes() throws {
    let shop = try Shop()
    let jo = try shop.open([("email", "a@home.example")], name: "Jo")
    try shop.call(
      "POST", "/v1/customers/\(jo.customer)/attributes",
      ["attributes": ["name": "Joanna Doe", "tier": "gold"]], by: shop.ann)
    _ = try shop.open([("email", "a@home.example")], name: "Joe")
    let page = try shop.call("GET", "/v1/customers/\(jo.customer)", by: shop.ann)
    let said = page.list("attributes").map {
      "\($0["name"] ?? "")=\($0["value"] ?? "") by \($0["source"] ?? "")"
    }
    #expect(
      said.sorted() == [
        "name=Joanna Doe by agent:ann", "name=Joe by bot:webshop", "tier=gold by agent:ann",
      ])
  }
}

/// As many entries as it says, and their hashes sum up to its own.
func expectComplete(_ timeline: Reply, sourceLocation: SourceLocation = #_sourceLocation) {
  let entries = timeline.list("entries")
  #expect(timeline.number("count") == entries.count, sourceLocation: sourceLocation)
  var digest = TimelineDigest()
  for entry in entries {
    guard let hex = entry["hash"] as? String, let bytes = bytes(hex),
      let hash = Digest(bytes: bytes)
    else { continue }
    digest.add(hash)
  }
  #expect(
    timeline.string("hash") == digest.sum.bytes.map { String(format: "%02x", $0) }.joined(),
    sourceLocation: sourceLocation)
}

private func bytes(_ hex: String) -> [UInt8]? {
  var result: [UInt8] = []
  var rest = Substring(hex)
  while rest.count >= 2 {
    guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
    result.append(byte)
    rest = rest.dropFirst(2)
  }
  return result
}
