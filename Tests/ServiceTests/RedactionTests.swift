import Foundation
import Model
import Records
import Service
import Store
import System
import Testing

/// Words that are taken out of an entry after the fact.
struct RedactionTests {
  let jo = ("email", "jo@home.example")

  private func redact(
    _ shop: Shop, _ entry: Int, _ words: String, by caller: Caller? = nil,
    _ reason: String = "slipped in"
  ) throws -> Reply {
    try shop.call(
      "POST", "/v1/entries/\(entry)/redact", ["words": words, "reason": reason],
      by: caller ?? shop.ann)
  }

  /// Every file of the folder that holds the text.
  private func holders(of text: String, _ shop: Shop) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: shop.folder).filter { path in
      FileManager.default.contents(atPath: "\(shop.folder)/\(path)")?.range(of: Data(text.utf8))
        != nil
    }.sorted()
  }

  private func index(_ shop: Shop) throws {
    while try !shop.store.index(shop.workspace, limit: 500, words: SearchText.words) {}
  }

  private func expectWhole(_ shop: Shop, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let reader = try #require(shop.reader as? SQLiteReader)
    let report = try IntegrityCheck.whole(reader, shop.workspace, blobs: shop.store.blobs)
    #expect(report.findings == [], sourceLocation: sourceLocation)
  }

  @Test("the name of a field is words, too: of the entry, of the handoff, of what a shop told")
  func names() throws {
    let shop = try Shop()
    let told = try shop.call(
      "POST", "/v1/journey",
      [
        "event": "paid", "detail": ["by": ["Zylophon4711": 1]],
        "identities": [shop.identity(jo.0, jo.1)],
      ], by: shop.till)
    let chat = try shop.open([jo])
    let handed = try shop.handsOver(
      chat, ["fields": ["Zylophon4711": ["value": "x", "confidence": 0.5], "order": "17"]])
    let id = try #require(handed.string("case"))
    for entry in [told.number("entry"), handed.number("entry")] {
      #expect(try redact(shop, try #require(entry), "Zylophon4711").status == 201)
    }
    let view = try shop.call("GET", "/v1/cases/\(id)", by: shop.ann)
    #expect(
      view.list("brief", "fields").compactMap { $0["name"] as? String }.sorted()
        == ["[removed]", "order"])
    #expect(view.at(["handoff", "fields", "[removed]", "value"]) as? String == "x")
    try index(shop)
    #expect(try holders(of: "Zylophon4711", shop) == [])
    try shop.restart()
    try expectWhole(shop)
    #expect(try redact(shop, try #require(handed.number("entry")), "Zylophon4711").status == 422)
  }

  @Test("why people were joined and a number is shared is taken out of whatever keeps it with them")
  func reasons() throws {
    let shop = try Shop()
    let phone = ("phone", "+12025550143")
    let one = try shop.open([jo, phone])
    let other = try shop.open([("email", "bea@home.example")])
    let merged = try shop.call(
      "POST", "/v1/customers/\(other.customer)/merge",
      ["with": one.customer, "reason": "showed Zylophon4711, she said"], by: shop.boss)
    #expect(merged.status == 200)
    let shared = try shop.call(
      "POST", "/v1/customers/\(one.customer)/identities",
      [
        "kind": phone.0, "value": phone.1, "decision": "share", "reason": "Zylophon4711 is of both",
      ], by: shop.boss)
    #expect(shared.status == 200, "\(shared.text)")
    func telling(_ customer: String) throws -> [[String: Any]] {
      try shop.timeline(customer).entries("entries").filter {
        ($0["reason"] as? String)?.contains("Zylophon4711") == true
      }
    }
    // The number that is shared has a record of its own, where it is told, too.
    let records = try Set(
      telling(one.customer).flatMap { $0["customers"] as? [String] ?? [] } + [
        one.customer, other.customer,
      ])
    #expect(records.count == 3)
    let told = try records.sorted().flatMap { try telling($0) }
    for entry in Set(told.compactMap { $0["entry"] as? Int }).sorted() {
      #expect(try redact(shop, entry, "Zylophon4711").status == 201)
    }
    for customer in [one, other] {
      let page = try shop.call("GET", "/v1/customers/\(customer.customer)", by: shop.boss)
      #expect(!page.text.contains("Zylophon4711"), "\(page.text)")
    }
    let page = try shop.call("GET", "/v1/customers/\(other.customer)", by: shop.boss)
    #expect(page.text.contains("showed [removed], she said"))
    try index(shop)
    let left = try holders(of: "Zylophon4711", shop)
    #expect(left == [])
    #expect(try shop.rows() == shop.replayed())
    try expectWhole(shop)
  }

  @Test("what somebody did elsewhere is taken out of what rules saw of it")
  func elsewhere() throws {
    let shop = try Shop()
    let told = try shop.call(
      "POST", "/v1/journey",
      ["event": "bought Zylophon4711", "identities": [shop.identity(jo.0, jo.1)]], by: shop.till)
    let entry = try #require(told.number("entry"))
    let chat = try shop.open([jo])
    let handed = try shop.handsOver(chat, ["summary": "a lamp"])
    let id = try #require(CaseID(handed.string("case") ?? ""))
    func facts() throws -> String {
      String(decoding: try shop.reader.facts(shop.workspace, of: id)?.bytes ?? [], as: UTF8.self)
    }
    #expect(try facts().contains("bought Zylophon4711"))
    #expect(try redact(shop, entry, "Zylophon4711").status == 201)
    #expect(try facts().contains("bought [removed]"))
    try index(shop)
    #expect(try holders(of: "Zylophon4711", shop) == [])
    try expectWhole(shop)
  }

  @Test("an index that has not followed yet shows nobody the words that were taken out")
  func indexBehind() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    let said = try #require(try shop.says("my pin is Zylophon4711", chat).number("entry"))
    try shop.says("my lamp is dark", chat)
    try index(shop)
    #expect(try redact(shop, said, "Zylophon4711").status == 201)
    func found(_ words: String) throws -> Reply {
      try shop.call("GET", "/v1/search?q=\(words)", by: shop.ann)
    }
    #expect(try found("zylophon4711").list("hits").isEmpty)
    let page = try found("my")
    #expect(page.list("hits").count == 1 && !page.text.lowercased().contains("zylophon4711"))
    try index(shop)
    #expect(try found("my").list("hits").count == 2)
  }

  @Test(
    "an agent takes words out: page, row, index and files no longer have them, and the story says who, when and which"
  )
  func everywhere() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    try shop.says("before it", chat)
    let said = try #require(
      try shop.says("my pin is Zylophon4711, really Zylophon4711!", chat).number("entry"))
    try index(shop)
    #expect(try shop.call("GET", "/v1/search?q=zylophon4711", by: shop.ann).list("hits").count == 1)
    #expect(try holders(of: "ylophon4711", shop).count >= 2)
    let before = try shop.timeline(chat.customer)
    let row = try #require(try shop.reader.entry(shop.workspace, EntryID(Int64(said))))

    let done = try redact(shop, said, "Zylophon4711", "they said Zylophon4711 by mistake")
    #expect(done.status == 201 && done.number("redacted") == said)
    try index(shop)
    let teller = try #require(done.number("entry"))
    let after = try shop.timeline(chat.customer)
    expectComplete(after)
    let entries = after.entries("entries")
    let entry = try #require(entries.first { $0["entry"] as? Int == said })
    #expect(entry["text"] as? String == "my pin is [removed], really [removed]!")
    #expect(entry["redacted"] as? Int == teller)
    let old = before.entries("entries").first { $0["entry"] as? Int == said }
    for name in ["at", "kind", "visibility", "channel", "conversation", "session"] {
      #expect(entry[name] as? String == old?[name] as? String, "\(name)")
    }
    #expect(
      entry["salt"] as? String != old?["salt"] as? String,
      "the old hash must not tell whoever tries words")
    let told = try #require(entries.first { $0["entry"] as? Int == teller })
    #expect(
      told["kind"] as? String == "redacted" && told["of"] as? Int == said
        && told["by"] as? String == "agent:ann")
    #expect(told["reason"] as? String == "they said [removed] by mistake")
    // Whoever had the sum before can tell the difference, and the log names the new hash.
    let now = try #require(try shop.reader.entry(shop.workspace, row.id))
    #expect(
      told["hash_before"] as? String == hex(row.hash)
        && told["hash_after"] as? String == hex(now.hash))
    #expect(Digest(SHA256.hash(now.body ?? [])) == now.hash)
    let last = try #require(try shop.reader.log(shop.workspace, after: 0, limit: 1_000).last)
    #expect(contains(last.bytes, now.hash.bytes))
    // Nobody finds them, and no file holds them.
    #expect(try shop.call("GET", "/v1/search?q=zylophon4711", by: shop.ann).list("hits").isEmpty)
    #expect(try shop.call("GET", "/v1/search?q=really", by: shop.ann).list("hits").count == 1)
    for words in ["Zylophon4711", "zylophon4711"] { #expect(try holders(of: words, shop) == []) }
    try expectWhole(shop)
    #expect(try shop.rows() == shop.replayed())
    // The bot that carries the conversation hears of it, and of a note it never does.
    let events = try shop.call(
      "GET", "/v1/sessions/\(chat.session)/events?after=0", by: shop.webshop)
    #expect(events.entries("events").kinds == ["redacted"])
    let text = try shop.call(
      "GET", "/v1/customers/\(chat.customer)/timeline?format=text", by: shop.ann
    ).text
    #expect(
      text.contains(
        "agent ann: took words out of entry \(said), because they said [removed] by mistake"))
  }

  @Test(
    "what rows repeat of the entry goes, too: the handoff in its case, the facts that rules saw, a mail's subject, a journey"
  )
  func copies() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    let learned: [String: Any] = [
      "summary": "wants Qwertz99 now", "fields": ["code": "Qwertz99", "n": 17],
    ]
    let handed = try shop.handsOver(chat, learned)
    let id = try #require(handed.string("case"))
    #expect(try redact(shop, handed.number("entry") ?? 0, "Qwertz99").status == 201)
    let view = try shop.call("GET", "/v1/cases/\(id)", by: shop.ann)
    #expect(view.string("handoff", "summary") == "wants [removed] now")
    #expect(view.string("brief", "summary", "text") == "wants [removed] now")
    #expect(!view.text.contains("Qwertz99"))
    let aCase = try #require(CaseID(id))
    let facts = try #require(try shop.reader.facts(shop.workspace, of: aCase))
    #expect(
      String(decoding: facts.bytes, as: UTF8.self) == #"{"handoff.summary":"wants [removed] now"}"#)

    let mailed = try shop.mail(
      from: jo.1, subject: "About Qwertz99", id: "1@home.example", "see subject")
    #expect(try redact(shop, Int(mailed.entry.raw), "Qwertz99", by: shop.boss).status == 201)
    let conversation = try shop.call(
      "GET", "/v1/conversations/\(mailed.conversation)", by: shop.ann)
    #expect(conversation.string("subject")?.contains("[removed]") == true)

    let event: [String: Any] = [
      "event": "ordered", "detail": ["voucher": "Qwertz99", "total": 17],
      "attributes": ["voucher": "Qwertz99", "tier": "gold"],
      "identities": [["kind": "email", "value": jo.1, "assurance": "asserted"]],
    ]
    let journey = try shop.call("POST", "/v1/journey", event, by: shop.till)
    #expect(try redact(shop, journey.number("entry") ?? 0, "Qwertz99").status == 201)
    let page = try shop.call("GET", "/v1/customers/\(chat.customer)", by: shop.ann)
    #expect(
      page.list("attributes").contains {
        $0["name"] as? String == "tier" && $0["value"] as? String == "gold"
      })
    #expect(
      page.list("attributes").contains {
        $0["name"] as? String == "voucher" && $0["value"] as? String == "[removed]"
      })
    let last = try #require(
      try shop.timeline(chat.customer).entries("entries").last {
        $0["kind"] as? String == "journey"
      })
    #expect((last["detail"] as? [String: Any])?["total"] as? Int == 17)
    // A number is words, too.
    #expect(try redact(shop, journey.number("entry") ?? 0, "17").status == 201)
    let again = try #require(
      try shop.timeline(chat.customer).entries("entries").last {
        $0["kind"] as? String == "journey"
      })
    #expect((again["detail"] as? [String: Any])?["total"] as? String == "[removed]")

    try index(shop)
    for words in ["Qwertz99", "qwertz99"] { #expect(try holders(of: words, shop) == []) }
    let whole = try shop.timeline(chat.customer)
    expectComplete(whole)
    try expectWhole(shop)
    try shop.restart()
    #expect(try shop.timeline(chat.customer).text == whole.text)
  }

  @Test("what an index has seen before a crash is taken out of it by whoever starts next")
  func crash() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    let said = try #require(try shop.says("Zylophon4711", chat).number("entry"))
    try index(shop)
    #expect(try redact(shop, said, "Zylophon4711").status == 201)
    shop.store.close()  // Before the index has looked.
    let again = try SQLiteStore(folder: shop.folder)
    while try !again.index(shop.workspace, limit: 500, words: SearchText.words) {}
    for words in ["Zylophon4711", "zylophon4711"] { #expect(try holders(of: words, shop) == []) }
    again.close()
  }

  @Test(
    "frames, ids and salts are never words; what is not there, gone or nobody's is refused in words"
  )
  func refusals() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    let said = try #require(try shop.says("customer of chat", chat).number("entry"))
    for words in ["message", "visibility", chat.conversation, "Z"] {
      let reply = try redact(shop, said, words)
      #expect(
        reply.status == 422 && reply.string("type") == "urn:throughline:problem:words-not-there",
        "\(words)")
    }
    #expect(try redact(shop, said, "chat").status == 201)
    let entry = try #require(
      try shop.timeline(chat.customer).entries("entries").first { $0["entry"] as? Int == said })
    #expect(
      entry["text"] as? String == "customer of [removed]" && entry["channel"] as? String == "chat")
    #expect(try redact(shop, 4_711, "x").status == 404)
    #expect(try redact(shop, 0, "x").status == 404)
    #expect(try redact(shop, said, " ").string("field") == "words")
    #expect(try redact(shop, said, "customer", by: shop.webshop).status == 403)
    #expect(try redact(shop, said, "customer", by: shop.till).status == 403)
    #expect(try shop.call("GET", "/v1/entries/\(said)/redact", by: shop.ann).status == 405)
    // A second time, and again after an erasure.
    #expect(try redact(shop, said, "customer").status == 201)
    _ = try shop.store.forgetWords(of: [EntryID(Int64(said))], shop.workspace, PersonForms.erased)
    let gone = try redact(shop, said, "of")
    #expect(gone.status == 409 && gone.string("type") == "urn:throughline:problem:words-gone")
    expectComplete(try shop.timeline(chat.customer))
  }

  @Test("what is gone already is refused: nothing is taken out twice, and the mark is no word")
  func twice() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    let said = try #require(try shop.says("my pin is 4711, really", chat).number("entry"))
    #expect(try redact(shop, said, "4711").status == 201)
    let whole = try shop.timeline(chat.customer)
    for words in [
      "4711", "[removed]", " [removed] ", "[removed][removed]", "removed", "is [remo", "ved],",
    ] {
      let again = try redact(shop, said, words)
      #expect(
        again.status == 422 && again.string("type") == "urn:throughline:problem:words-not-there",
        "\(words)")
    }
    #expect(try shop.timeline(chat.customer).text == whole.text, "no other redaction is told")
    // What goes on over a mark is said all the same.
    #expect(try redact(shop, said, "pin is [removed], ").status == 201)
    #expect(try shop.timeline(chat.customer).entries("entries").texts.first == "my [removed]really")
  }

  @Test("of a note only the business hears that it was redacted")
  func notes() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    try shop.handsOver(chat)
    let id = try #require(try shop.takes(shop.ann).string("case"))
    let note = try shop.call(
      "POST", "/v1/cases/\(id)/note", ["text": "they are drunk"], by: shop.ann)
    #expect(try redact(shop, note.number("entry") ?? 0, "drunk", by: shop.boss).status == 201)
    let events = try shop.call(
      "GET", "/v1/sessions/\(chat.session)/events?after=0", by: shop.webshop)
    #expect(!events.entries("events").kinds.contains("redacted"))
    #expect(
      try shop.timeline(chat.customer).entries("entries").last?["visibility"] as? String
        == "internal")
  }

  private func hex(_ digest: Digest) -> String {
    digest.bytes.map { String(format: "%02x", $0) }.joined()
  }
  private func contains(_ bytes: [UInt8], _ piece: [UInt8]) -> Bool {
    Data(bytes).range(of: Data(piece)) != nil
  }
}
