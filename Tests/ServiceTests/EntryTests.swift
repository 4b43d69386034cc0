import Continuity
import Foundation
import Model
import Records
import Testing

@testable import Service

/// Entries of every kind, once each, at their place.
struct EntryTests {
  let jo = ("email", "jo@home.example")

  @Test(
    "words of a sender whom nobody has proven say so at the first glance", arguments: [true, false])
  func unproven(isProven: Bool) throws {
    let shop = try Shop()
    try shop.mail(
      from: jo.1, subject: "lamp", id: "1@home.example", "send it elsewhere", isProven: isProven)
    let offer = try shop.takes(shop.ann)
    let brief = try #require(offer.json["brief"] as? [String: Any])
    let last = try #require(brief["last_words"] as? [String: Any])
    #expect(last["text"] as? String == "send it elsewhere")
    #expect(last["sender_assurance"] as? String == (isProven ? nil : "claimed"))
    let text = try shop.call(
      "GET", "/v1/customers/\(offer.string("customer", "id") ?? "")/timeline?format=text",
      by: shop.ann
    ).text
    #expect(text.contains("customer (unproven): send it elsewhere") == !isProven, "\(text)")
    #expect(text.contains("customer: send it elsewhere") == isProven)
  }

  @Test(
    "what a sender numbers itself is recorded once, however often and by whichever way it comes")
  func once() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    let message: [String: Any] = [
      "author": "customer", "text": "hello", "id": "m1", "at": "2026-11-20T10:00:00Z",
    ]
    let first = try shop.call(
      "POST", "/v1/sessions/\(chat.session)/messages", message, by: shop.webshop)
    let again = try shop.call(
      "POST", "/v1/sessions/\(chat.session)/messages", message, by: shop.webshop)
    #expect(first.status == 201)
    #expect(again.text == first.text)
    let line: [[String: Any]] = [
      ["author": "customer", "text": "hello", "id": "m1"],
      ["author": "bot", "text": "hi", "id": "m2"],
      ["author": "customer", "text": "before that", "at": "2026-11-20T09:00:00Z"],
    ]
    try shop.handsOver(chat, ["transcript": line])
    _ = try shop.takes(shop.ann)
    let id = try #require(
      try shop.timeline(chat.customer).entries("entries").last?["case"] as? String)
    try shop.call("POST", "/v1/cases/\(id)/hand-back", ["summary": "done"], by: shop.ann)
    try shop.handsOver(
      chat, ["transcript": line + [["author": "bot", "text": "again", "id": "m3"]]])
    #expect(
      try shop.timeline(chat.customer).entries("entries").texts == [
        "hello", "hi", "before that", "again",
      ])
    // In another session the same number is another thing.
    let other = try shop.open([("email", "kim@home.example")])
    #expect(
      try shop.call("POST", "/v1/sessions/\(other.session)/messages", message, by: shop.webshop)
        .number("entry") != first.number("entry"))
  }

  @Test(
    "a journey event that the shop tells twice is one, late or not; the same number of another shop is another"
  )
  func journeys() throws {
    let shop = try Shop()
    let event: [String: Any] = [
      "event": "ordered", "id": "17", "at": "2026-11-01T00:00:00Z",
      "identities": [["kind": "email", "value": jo.1, "assurance": "asserted"]],
    ]
    let first = try shop.call("POST", "/v1/journey", event, by: shop.till)
    #expect(first.status == 201)
    #expect(try shop.call("POST", "/v1/journey", event, by: shop.till).text == first.text)
    let customer = try #require(first.string("customer"))
    #expect(try shop.timeline(customer).number("count") == 1)
    #expect(
      try shop.timeline(customer).entries("entries").first?["said_at"] as? String
        == "2026-11-01T00:00:00.000Z")
  }

  @Test(
    "a call leaves its digits, its speech and its recording, also when the recording comes after the call"
  )
  func calls() throws {
    let shop = try Shop()
    try shop.call(
      "POST", "/v1/calls", ["call": "c1", "from": "+15551234567", "to": "+18005551212"],
      by: shop.pbx)
    func event(_ body: [String: Any]) throws -> Reply {
      try shop.call("POST", "/v1/calls/c1/events", body, by: shop.pbx)
    }
    #expect(try event(["event": "digits", "digits": "17#", "id": "e1"]).status == 200)
    #expect(try event(["event": "digits", "digits": "17#", "id": "e1"]).status == 200)
    #expect(try event(["event": "speech", "text": "my lamp", "confidence": 0.8]).status == 200)
    #expect(try event(["event": "hung_up"]).status < 300)
    let blob = BlobID(high: 1, low: 2)
    try shop.submit(
      .blob(
        .init(
          id: blob, hash: .zero, size: 3, mediaType: "audio/wav", fileName: nil, conversation: nil,
          uploader: "telephony:pbx", at: shop.now)))
    let theirs = BlobID(high: 1, low: 3)
    try shop.submit(
      .blob(
        .init(
          id: theirs, hash: .zero, size: 3, mediaType: "audio/wav", fileName: nil,
          conversation: nil, uploader: "bot:webshop", at: shop.now)))
    #expect(try event(["event": "voicemail", "blob": "\(theirs)"]).status == 422)
    #expect(
      try event(["event": "voicemail", "blob": "\(blob)", "seconds": 12, "text": "call me"]).string(
        "do") == "hang_up")
    let found = try shop.call("GET", "/v1/customers?kind=phone&value=%2B15551234567", by: shop.ann)
    let entries = try shop.timeline(found.string("id") ?? "").entries("entries")
    #expect(
      entries.kinds == [
        "call", "routed", "digits", "speech", "session_ended", "abandoned", "voicemail",
        "reopened", "routed", "session_ended",
      ])
    #expect(
      entries.allSatisfy {
        ["customer", "business", "internal"].contains($0["visibility"] as? String)
          && $0["at"] != nil
      })
  }

  @Test("a timeline pages both ways without gap or double, and goes on from where a reader stood")
  func pages() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    for n in 1...23 { try shop.says("\(n)", chat) }
    let whole = try shop.timeline(chat.customer).entries("entries").compactMap {
      $0["entry"] as? Int
    }
    var forward: [Int] = []
    var after = 0
    while true {
      let page = try shop.call(
        "GET", "/v1/customers/\(chat.customer)/timeline?after=\(after)&limit=5", by: shop.ann)
      forward += page.entries("entries").compactMap { $0["entry"] as? Int }
      after = try #require(page.number("after"))
      if page.flag("more") == false { break }
    }
    #expect(forward == whole)
    var backward: [Int] = []
    var before: Int? = Int(Int64.max)
    while let from = before {
      let page = try shop.call(
        "GET", "/v1/customers/\(chat.customer)/timeline?before=\(from)&limit=5", by: shop.ann)
      backward = page.entries("entries").compactMap { $0["entry"] as? Int } + backward
      before = page.number("older")
    }
    #expect(backward == whole)
    let nothing = try shop.call(
      "GET", "/v1/customers/\(chat.customer)/timeline?after=\(after)", by: shop.ann)
    #expect(nothing.number("after") == after && nothing.entries("entries").isEmpty)
    try shop.says("24", chat)
    let next = try shop.call(
      "GET", "/v1/customers/\(chat.customer)/timeline?after=\(after)", by: shop.ann)
    #expect(next.entries("entries").texts == ["24"])
    #expect(
      try shop.call("GET", "/v1/customers/\(chat.customer)/timeline?after=1&before=2", by: shop.ann)
        .status == 422)
  }

  @Test(
    "however long entries are, no page and no look of a follower is longer than its bound, and each entry comes once"
  )
  func longEntries() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    let context = String(repeating: "c", count: 1_500_000)  // One entry that is longer than a page.
    let open: [String: Any] = [
      "customer": ["identities": [shop.identity(jo.0, jo.1)]], "context": context,
    ]
    #expect(try shop.call("POST", "/v1/sessions", open, by: shop.webshop).status == 201)
    for n in 1...45 { try shop.says("\(n) " + String(repeating: "w", count: 60_000), chat) }
    let numbers = { (page: Reply, list: String) in
      page.entries(list).compactMap { $0["entry"] as? Int }
    }
    func expectBounded(_ page: Reply, _ list: String) {
      #expect(page.text.utf8.count < 1_100_000 || page.list(list).count == 1)
    }
    var (forward, after, more) = ([Int](), 0, true)
    while more {
      let page = try shop.call(
        "GET", "/v1/customers/\(chat.customer)/timeline?after=\(after)&limit=1000", by: shop.ann)
      expectBounded(page, "entries")
      forward += numbers(page, "entries")
      after = try #require(page.number("after"))
      more = page.flag("more") == true
    }
    #expect(forward == Array(1...47))
    var (backward, before): ([Int], Int?) = ([], Int(Int64.max))
    while let from = before {
      let page = try shop.call(
        "GET", "/v1/customers/\(chat.customer)/timeline?before=\(from)&limit=1000", by: shop.ann)
      expectBounded(page, "entries")
      backward = numbers(page, "entries") + backward
      before = page.number("older")
    }
    #expect(backward == forward)
    var follow = TimelineFollow(
      customer: try #require(CustomerID(chat.customer)), after: EntryID(0))
    var (followed, looks) = ([Int](), 0)
    more = true
    while more {
      let look = try #require(try follow.look(shop.workspace, limit: 200, shop.reader))
      let page = Reply(APIResponse(200, json: Array("{".utf8) + look.json + Array("}".utf8)))
      expectBounded(page, "entries")
      followed += numbers(page, "entries")
      (follow, more, looks) = (look.follow, look.hasMore, looks + 1)
    }
    #expect(followed == forward && looks >= 4)
    // The bot hears what another session of the same conversation said.
    let other = try shop.open([jo])
    #expect(other.conversation == chat.conversation)
    var (heard, place) = ([Int](), 0)
    more = true
    while more {
      let page = try shop.call(
        "GET", "/v1/sessions/\(other.session)/events?after=\(place)", by: shop.webshop)
      expectBounded(page, "events")
      heard += numbers(page, "events")
      place = try #require(page.number("after"))
      more = page.flag("more") == true
    }
    #expect(heard == forward)
  }

  @Test("as text, what was said stands in the order in which it was said")
  func text() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    try shop.says("now", chat)
    let late: [String: Any] = [
      "author": "customer", "text": "long ago\nsecond line", "at": "2020-01-01T00:00:00Z",
    ]
    try shop.call("POST", "/v1/sessions/\(chat.session)/messages", late, by: shop.webshop)
    let page = try shop.call(
      "GET", "/v1/customers/\(chat.customer)/timeline?format=text", by: shop.ann)
    #expect(page.contentType.hasPrefix("text/plain"))
    let asked = try shop.call(
      "GET", "/v1/customers/\(chat.customer)/timeline", by: shop.ann, accept: "text/plain")
    #expect(asked.text == page.text)
    let lines = page.text.split(separator: "\n").map(String.init)
    #expect(lines.first == "2020-01-01 00:00:00  chat   customer: long ago")
    #expect(lines[1].hasSuffix(" second line"))
    #expect(lines[3].hasSuffix("customer: now"))
    #expect(lines.last?.hasPrefix("3 entries in all, hash ") == true)
    let customer = try #require(CustomerID(chat.customer))
    var whole = try TimelinePage.read(
      shop.workspace, of: customer, .before(EntryID(.max)), limit: 9, visible: .internal,
      shop.reader)
    whole.entries.removeLast()
    #expect(whole.text.contains("\n3 entries in all (1 cannot be read), hash "))
    whole.hasMore = true
    #expect(whole.text.contains("\n3 entries in all, hash "), "it may stand on another page")
    #expect(
      try shop.call("GET", "/v1/customers/\(chat.customer)/timeline?format=csv", by: shop.ann)
        .status == 422)
  }
}

/// What the next owner sees first.
struct BriefTests {
  @Test(
    "the brief says who, what, what is known from whom, tried, promised, felt and waited, each with its entry"
  )
  func whole() throws {
    let shop = try Shop()
    let chat = try shop.open([("email", "jo@home.example")], name: "Jo Doe")
    try shop.says("my lamp is broken", chat)
    let learned: [String: Any] = [
      "wants": "a new lamp",
      "fields": [
        "order": ["value": "A-17", "confidence": 0.9, "source": "their words"], "model": "L2",
      ],
      "sentiment": "annoyed", "tried": ["a new bulb"],
    ]
    #expect(
      try shop.call("POST", "/v1/sessions/\(chat.session)/learned", learned, by: shop.webshop)
        .status == 201)
    let more: [String: Any] = [
      "summary": "lamp A-17 broken", "fields": ["order": "A-18"], "promised": ["an answer today"],
    ]
    try shop.handsOver(chat, more)
    try shop.pass(.seconds(90))
    let offer = try shop.takes(shop.ann)
    let brief = try #require(offer.json["brief"] as? [String: Any])
    func text(_ name: String) -> String? { (brief[name] as? [String: Any])?["text"] as? String }
    #expect(brief["name"] as? String == "Jo Doe")
    #expect(text("wants") == "a new lamp")
    #expect(text("summary") == "lamp A-17 broken")
    #expect(text("sentiment") == "annoyed")
    #expect(text("last_words") == "my lamp is broken")
    let fields = try #require(brief["fields"] as? [[String: Any]])
    #expect(
      Set(fields.map { "\($0["name"] ?? "")=\($0["value"] ?? "")" }) == ["order=A-18", "model=L2"])
    #expect(
      fields.allSatisfy {
        $0["by"] as? String == "bot:webshop" && $0["entry"] is Int
          && $0["conversation"] as? String == chat.conversation
      })
    #expect((brief["tried"] as? [[String: Any]])?.map { $0["text"] as? String } == ["a new bulb"])
    #expect(
      (brief["promised"] as? [[String: Any]])?.map { $0["text"] as? String } == ["an answer today"])
    #expect((brief["moves"] as? [[String: Any]])?.map { $0["what"] as? String } == ["handoff"])
    #expect(brief["count"] as? Int == offer.number("timeline", "count"))
    #expect(brief["hash"] as? String == offer.string("timeline", "hash"))
    #expect(brief["waited_seconds"] is Int)
  }

  @Test(
    "an object that only has a value is that object, for the brief, in text and for rules; with a confidence it is unwrapped"
  )
  func learnedFields() throws {
    let shop = try Shop()
    let chat = try shop.open([("email", "jo@home.example")])
    let fields: [String: Any] = [
      "price": ["value": 3], "size": ["value": 4, "confidence": 0.5],
      "hue": ["value": "red", "source": "photo"],
    ]
    try shop.call(
      "POST", "/v1/sessions/\(chat.session)/learned", ["fields": fields], by: shop.webshop)
    let line = try shop.call(
      "GET", "/v1/customers/\(chat.customer)/timeline?format=text", by: shop.ann
    ).text
    #expect(
      line.contains("price = {\"value\":3}") && line.contains("size = 4")
        && line.contains("hue = red"))
    try shop.handsOver(chat)
    let brief = try #require(try shop.takes(shop.ann).json["brief"] as? [String: Any])
    let known = try #require(brief["fields"] as? [[String: Any]])
    func one(_ name: String) -> [String: Any]? { known.first { $0["name"] as? String == name } }
    #expect((one("price")?["value"] as? [String: Any])?["value"] as? Int == 3)
    #expect(one("size")?["value"] as? Int == 4 && one("size")?["confidence"] as? Double == 0.5)
    #expect(one("hue")?["value"] as? String == "red" && one("hue")?["origin"] as? String == "photo")
  }

  @Test("two sources that differ are both in it")
  func conflict() throws {
    let shop = try Shop()
    let chat = try shop.open([("email", "jo@home.example"), ("phone", "+15551234567")])
    try shop.call(
      "POST", "/v1/sessions/\(chat.session)/learned", ["fields": ["order": "A-17"]],
      by: shop.webshop)
    try shop.call(
      "POST", "/v1/calls",
      ["call": "c1", "from": "+15551234567", "to": "+18005551212", "known": ["order": "A-99"]],
      by: shop.pbx)
    let entries = try shop.timeline(chat.customer).entries("entries")
    let conversation = try #require(
      entries.last { $0["kind"] as? String == "call" }?["conversation"] as? String)
    let id = try #require(ConversationID(conversation))
    let page = try #require(shop.pipeline.router.conversation(id)?.openCase)
    let brief = try #require(
      try shop.call("GET", "/v1/cases/\(page)", by: shop.ann).json["brief"] as? [String: Any])
    let fields = try #require(brief["fields"] as? [[String: Any]])
    #expect(
      fields.map { "\($0["value"] ?? "") \($0["by"] ?? "")" } == [
        "A-99 system", "A-17 bot:webshop",
      ])
  }

  @Test(
    "what the same bot learned in another conversation never takes the place of what it learned in this one"
  )
  func otherConversation() throws {
    let (here, there) = (ConversationID(high: 1, low: 1), ConversationID(high: 2, low: 2))
    let rows = [(here, "A-17"), (there, "B-20"), (here, "A-18"), (there, "B-21"), (there, "A-18")]
      .enumerated().map { index, said in
        let body = EntryBody.encode(
          EntryDraft(
            kind: .learned, author: .bot(BotID(0)), visibility: .business, channel: .chat,
            members: Array(",\"fields\":{\"order\":\"\(said.1)\"}".utf8)),
          id: EntryID(Int64(index + 1)), at: Instant(milliseconds: 0), conversation: said.0,
          session: nil, authorName: "webshop", salt: 1)
        return EntryRow(
          id: EntryID(Int64(index + 1)), position: 1, customer: CustomerID(high: 1, low: 1),
          conversation: said.0, session: nil, at: Instant(milliseconds: 0), visibility: .business,
          body: body, hash: .zero)
      }
    func orders(_ matter: ConversationID, _ rows: [EntryRow]) -> [String?] {
      Brief(rows, matter: [matter.description]).fields.map(\.learned.value.string)
    }
    #expect(orders(here, Array(rows.prefix(4))) == ["A-18", "B-21"])
    #expect(orders(there, Array(rows.prefix(4))) == ["B-21", "A-18"])
    // Elsewhere, too, the newest word counts; and the same is there once, where it matters.
    #expect(orders(here, rows) == ["A-18"])
  }

  @Test("a thousand clicks do not push out what was said")
  func clicks() throws {
    let shop = try Shop()
    let chat = try shop.open([("email", "jo@home.example")], name: "Jo Doe")
    let learned: [String: Any] = [
      "wants": "a new lamp", "fields": ["order": "A-17"], "promised": ["a refund"],
    ]
    try shop.call("POST", "/v1/sessions/\(chat.session)/learned", learned, by: shop.webshop)
    try shop.handsOver(chat, ["summary": "lamp broken"])
    for number in 0..<1_010 {
      let event: [String: Any] = [
        "event": "viewed",
        "identities": [["kind": "email", "value": "jo@home.example", "assurance": "asserted"]],
        "id": "e\(number)",
      ]
      #expect(try shop.call("POST", "/v1/journey", event, by: shop.till).status == 201)
    }
    let brief = try #require(try shop.takes(shop.ann).json["brief"] as? [String: Any])
    func text(_ name: String) -> String? { (brief[name] as? [String: Any])?["text"] as? String }
    #expect(text("wants") == "a new lamp" && text("summary") == "lamp broken")
    #expect((brief["fields"] as? [[String: Any]])?.map { $0["value"] as? String } == ["A-17"])
    #expect((brief["promised"] as? [[String: Any]])?.count == 1)
    #expect((brief["moves"] as? [[String: Any]])?.map { $0["what"] as? String } == ["handoff"])
  }

  @Test("a bot that takes back gets a brief of what it may see, whose count and hash it can check")
  func forTheBot() throws {
    let shop = try Shop()
    let chat = try shop.open([("email", "jo@home.example")])
    try shop.says("my lamp is broken", chat)
    try shop.handsOver(chat)
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/note", ["text": "difficult"], by: shop.ann)
    try shop.call(
      "POST", "/v1/cases/\(id)/hand-back", ["summary": "a new lamp is on its way"], by: shop.ann)
    let brief = try shop.call("GET", "/v1/sessions/\(chat.session)/brief", by: shop.webshop)
    #expect(brief.string("summary", "text") == "a new lamp is on its way")
    #expect(!brief.text.contains("difficult"))
    let known = try shop.open([("email", "jo@home.example")]).opened
    #expect(brief.number("count") == known.list("known", "entries").count)
    #expect(
      try shop.call("GET", "/v1/sessions/\(chat.session)/brief", by: shop.whatsapp).status == 404)
    #expect(try shop.call("GET", "/v1/sessions/\(chat.session)/brief", by: shop.ann).status == 403)
  }

  @Test("a bot whose customer only claims to be somebody gets the brief of this conversation alone")
  func claimed() throws {
    let shop = try Shop()
    let known = try shop.open([("email", "jo@home.example")], name: "Jo Doe")
    try shop.call(
      "POST", "/v1/sessions/\(known.session)/learned", ["fields": ["order": "A-17"]],
      by: shop.webshop)
    let stranger = try shop.open(claimed: [("email", "jo@home.example")])
    let yes = ["kind": "email", "value": "jo@home.example", "decision": "confirm"]
    try shop.call("POST", "/v1/customers/\(stranger.customer)/identities", yes, by: shop.ann)
    let brief = try shop.call("GET", "/v1/sessions/\(stranger.session)/brief", by: shop.webshop)
    #expect(!brief.text.contains("A-17") && !brief.text.contains("Jo Doe"))
    #expect(brief.number("count") == 1)
  }
}

/// Following a timeline as it grows.
struct FollowTests {
  /// Everything that is new, as numbers of entries; apart the ones of a record that was merged.
  private func numbers(_ follow: inout TimelineFollow, _ shop: Shop) throws -> (
    new: [Int], joined: [Int]
  ) {
    var (new, joined): ([Int], [Int]) = ([], [])
    while true {
      let look = try #require(try follow.look(shop.workspace, limit: 3, shop.reader))
      let reply = Reply(APIResponse(200, json: Array("{".utf8) + look.json + Array("}".utf8)))
      let found = reply.entries("entries").compactMap { $0["entry"] as? Int }
      if reply.flag("joined") == true { joined += found } else { new += found }
      follow = look.follow
      if !look.hasMore { return (new, joined) }
    }
  }

  @Test(
    "who follows a customer gets every entry once, also those of a record that is merged meanwhile")
  func follows() throws {
    let shop = try Shop()
    let a = try shop.open([("email", "a@home.example")])
    for n in 1...5 { try shop.says("a\(n)", a) }
    let b = try shop.open([("email", "b@home.example")])
    for n in 1...5 { try shop.says("b\(n)", b) }
    try shop.says("a6", a)
    var follow = TimelineFollow(customer: try #require(CustomerID(a.customer)), after: EntryID(0))
    var got = try numbers(&follow, shop)
    #expect(got.new.count == 7 && got.joined.isEmpty)
    var seen = got.new
    try shop.call("POST", "/v1/customers/\(b.customer)/merge", ["with": a.customer], by: shop.ann)
    try shop.says("b6", b)
    got = try numbers(&follow, shop)
    #expect(got.joined.count == 6)
    seen += got.joined + got.new
    let whole = try shop.timeline(a.customer).entries("entries").compactMap { $0["entry"] as? Int }
    #expect(seen.sorted() == whole)
    #expect(Set(seen).count == seen.count)
    got = try numbers(&follow, shop)
    #expect(got.new.isEmpty && got.joined.isEmpty)
    // Parted and joined again, in the middle of what was behind, too: nothing comes twice.
    for (what, name) in [
      ("split", "from"), ("merge", "with"), ("split", "from"), ("merge", "with"),
    ] {
      let done = try shop.call(
        "POST", "/v1/customers/\(a.customer)/\(what)", [name: b.customer], by: shop.boss)
      #expect(done.status == 200)
      try shop.says("b \(what)", b)
      try shop.says("a \(what)", a)
      let look = try #require(try follow.look(shop.workspace, limit: 3, shop.reader))
      let page = Reply(APIResponse(200, json: Array("{".utf8) + look.json + Array("}".utf8)))
      seen += page.entries("entries").compactMap { $0["entry"] as? Int }
      follow = look.follow
    }
    got = try numbers(&follow, shop)
    seen += got.joined + got.new
    #expect(
      try seen.sorted()
        == shop.timeline(a.customer).entries("entries").compactMap {
          $0["entry"] as? Int
        })
    let stranger = TimelineFollow(customer: CustomerID(high: 1, low: 1), after: EntryID(0))
    #expect(try stranger.look(shop.workspace, limit: 3, shop.reader)?.json == nil)
  }
}
