import Foundation
import Model
import Pipeline
import Records
import Store
import System
import Testing
import Wire

@testable import Service

/// Two people whom an agent took for one, and what is whose once they are taken apart.
struct PartingTests {
  /// Jo chats and is handed over to ann; Al, whom an agent takes for Jo, comes into the same talk.
  private final class Mistake {
    let shop: Shop
    let jo: Shop.Talk
    let al: Shop.Talk
    let joRecord: String
    let alRecord: String
    private(set) var aCase = ""

    init(isTaken: Bool = true, in shop: Shop? = nil) throws {
      let shop = try shop ?? Shop()
      self.shop = shop
      let before = try shop.open([("email", "al@work.example")])
      try shop.says("Al was here", before)
      try shop.leaves(before, "bot_ended")
      alRecord = before.customer
      jo = try shop.open([("email", "jo@home.example")])
      joRecord = jo.customer
      try shop.says("my lamp is dark", jo)
      if isTaken {
        try shop.handsOver(jo, ["summary": "jo-summary"])
        aCase = try #require(try shop.takes(shop.ann).string("case"))
      }
      let merged = try shop.call(
        "POST", "/v1/customers/\(jo.customer)/merge", ["with": before.customer], by: shop.ann)
      #expect(merged.status == 200)
      al = try shop.open([("email", "al@work.example")])
      #expect(al.conversation == jo.conversation, "one person has one talk")
    }

    func splits() throws {
      let split = try shop.call(
        "POST", "/v1/customers/\(joRecord)/split", ["from": alRecord, "reason": "two people"],
        by: shop.boss)
      #expect(split.status == 200)
    }

    func texts(_ record: String) throws -> [String] {
      let page = try shop.timeline(record)
      #expect(page.number("count") == page.entries("entries").count)
      return page.entries("entries").texts
    }

    func events(_ talk: Shop.Talk) throws -> [[String: Any]] {
      try shop.call("GET", "/v1/sessions/\(talk.session)/events?after=0", by: shop.webshop)
        .entries("events")
    }

    func place(_ session: String) throws -> String {
      let id = try #require(SessionID(session))
      return "\(try #require(try shop.reader.session(shop.workspace, id)).conversation)"
    }

    /// The log, the rows and the folder still say the same.
    func isWhole() throws {
      #expect(try shop.replayed() == shop.rows())
      let reader = try #require(try shop.store.reader() as? SQLiteReader)
      let report = try IntegrityCheck.whole(reader, shop.workspace, blobs: shop.store.blobs)
      #expect(report.findings == [])
    }
  }

  @Test("words stand with whoever said them, and a split gives each their own")
  func words() throws {
    let mistake = try Mistake()
    let shop = mistake.shop
    try shop.says("my card was stolen", mistake.al)
    try shop.says("it is the big lamp", mistake.jo)
    try shop.call("POST", "/v1/cases/\(mistake.aCase)/reply", ["text": "which lamp"], by: shop.ann)
    let both = ["my lamp is dark", "my card was stolen", "it is the big lamp", "which lamp"]
    #expect(try mistake.texts(mistake.joRecord) == ["Al was here"] + both)
    try mistake.splits()
    #expect(
      try mistake.texts(mistake.joRecord) == [
        "my lamp is dark", "it is the big lamp", "which lamp",
      ])
    #expect(try mistake.texts(mistake.alRecord) == ["Al was here", "my card was stolen"])
    let merged = try shop.call(
      "POST", "/v1/customers/\(mistake.joRecord)/merge", ["with": mistake.alRecord], by: shop.ann)
    #expect(merged.status == 200)
    #expect(try mistake.texts(mistake.alRecord) == ["Al was here"] + both)
    try mistake.splits()
    #expect(try mistake.texts(mistake.alRecord) == ["Al was here", "my card was stolen"])
    try mistake.isWhole()
  }

  @Test("whoever sits there at the split goes on in a talk of their own, and is served there")
  func sessions() throws {
    let mistake = try Mistake()
    let shop = mistake.shop
    try shop.says("before", mistake.al)
    try mistake.splits()
    let own = try mistake.place(mistake.al.session)
    #expect(own != mistake.jo.conversation)
    #expect(try mistake.place(mistake.jo.session) == mistake.jo.conversation)
    let said = try shop.says("after", mistake.al)
    #expect(said.status == 201 && said.string("conversation") == own)
    #expect(try mistake.texts(mistake.alRecord) == ["Al was here", "before", "after"])
    // Ann hears of it in the case that she has, which is Jo's still.
    let view = try shop.call("GET", "/v1/cases/\(mistake.aCase)", by: shop.ann)
    #expect(view.string("customer", "id") == mistake.joRecord && view.string("state") == "assigned")
    #expect(view.entries("timeline", "entries").kinds.last == "split")
    #expect(!view.text.contains("before") || !view.text.contains("\"before\""))
    // And Al waits for her on his own.
    let offer = try shop.takes(shop.ann)
    #expect(
      offer.string("conversation") == own && offer.string("customer", "id") == mistake.alRecord)
    #expect(offer.entries("timeline", "entries").texts == ["Al was here", "before", "after"])
    #expect(!offer.text.contains("my lamp is dark") && !offer.text.contains("jo-summary"))
    let page = try shop.call("GET", "/v1/conversations/\(own)", by: shop.ann)
    #expect(page.string("earlier") == mistake.jo.conversation)
    try mistake.isWhole()
    try shop.restart()
    #expect(try shop.says("after the restart", mistake.al).string("conversation") == own)
    try mistake.isWhole()
  }

  @Test("no bot hears what was said by or to the other, and nothing is lost for either")
  func events() throws {
    let mistake = try Mistake()
    let shop = mistake.shop
    let other = try shop.open([("email", "al@work.example")], by: shop.webshop)
    #expect(other.conversation == mistake.jo.conversation)
    try shop.says("al-secret", mistake.al)
    try shop.call("POST", "/v1/cases/\(mistake.aCase)/reply", ["text": "ann-words"], by: shop.ann)
    #expect(try mistake.events(mistake.jo).texts.contains("al-secret"), "they are one so far")
    try mistake.splits()
    #expect(try !mistake.events(mistake.jo).texts.contains("al-secret"))
    #expect(try mistake.events(mistake.jo).texts.contains("ann-words"))
    let heard = try mistake.events(other)
    #expect(heard.texts == ["al-secret"], "said by his other browser before they were parted")
    #expect(heard.kinds.contains("parted"))
    let last = try #require(heard.last)
    #expect(last["kind"] as? String == "parted")
    #expect((last["owner"] as? [String: Any])?["kind"] as? String == "queue")
    for talk in [mistake.jo, mistake.al, other] {
      let brief = try shop.call("GET", "/v1/sessions/\(talk.session)/brief", by: shop.webshop)
      let (theirs, others) =
        talk.session == mistake.jo.session
        ? ("jo-summary", "al-secret") : ("al-secret", "jo-summary")
      #expect(brief.text.contains(theirs) && !brief.text.contains(others))
    }
    // A resumed browser finds its own.
    let joToken = try #require(mistake.jo.opened.string("resume"))
    let alToken = try #require(mistake.al.opened.string("resume"))
    let al = try shop.open(resume: alToken)
    #expect(al.opened.flag("continued") == true)
    #expect(al.opened.entries("known", "entries").texts.contains("my lamp is dark") == false)
    #expect(al.conversation == (try mistake.place(mistake.al.session)))
    let jo = try shop.open(resume: joToken)
    #expect(jo.conversation == mistake.jo.conversation)
    #expect(jo.opened.entries("known", "entries").texts == ["my lamp is dark", "ann-words"])
    try shop.says("whose is this", al)
    #expect(try mistake.texts(mistake.alRecord).last == "whose is this")
    // The same question under its key shows no more than what is theirs now.
    try mistake.isWhole()
  }

  @Test("an opening that is asked for again under its key shows what is theirs by now")
  func again() throws {
    let mistake = try Mistake()
    let shop = mistake.shop
    let body: [String: Any] = [
      "customer": ["identities": [shop.identity("email", "al@work.example")]]
    ]
    let key = Idempotency(key: Array(repeating: 7, count: 16), bodyHash: .zero)
    func opens() throws -> Reply {
      let action = shop.api.handle(
        .init(
          method: "POST", path: ["v1", "sessions"], query: [],
          body: Array(try JSONSerialization.data(withJSONObject: body)),
          contentType: "application/json", idempotencyKey: nil, fileName: nil, accept: ""),
        shop.webshop)
      guard case .submit(let intake, _, let rendering) = action,
        let answer = try shop.submit(intake, key), case .reading(let render) = rendering
      else { throw Shop.Fault.silence }
      return Reply(try render(answer, shop.reader))
    }
    #expect(try opens().text.contains("my lamp is dark"))
    try mistake.splits()
    #expect(try !opens().text.contains("my lamp is dark"))
  }

  @Test(
    "the case of a guest stays theirs, and so does the talk; whoever began it goes on elsewhere")
  func matterOfTheGuest() throws {
    let mistake = try Mistake(isTaken: false)
    let shop = mistake.shop
    let handed = try shop.handsOver(mistake.al, ["summary": "al-summary"])
    #expect(handed.status == 201)
    let offer = try shop.takes(shop.ann)
    let aCase = try #require(offer.string("case"))
    try shop.call("POST", "/v1/cases/\(aCase)/reply", ["text": "to al"], by: shop.ann)
    try mistake.splits()
    #expect(try mistake.place(mistake.al.session) == mistake.al.conversation)
    let view = try shop.call("GET", "/v1/cases/\(aCase)", by: shop.ann)
    #expect(view.string("customer", "id") == mistake.alRecord)
    #expect(!view.text.contains("my lamp is dark"))
    let own = try mistake.place(mistake.jo.session)
    #expect(own != mistake.jo.conversation)
    #expect(try shop.says("still dark", mistake.jo).string("conversation") == own)
    #expect(try mistake.texts(mistake.joRecord) == ["my lamp is dark", "still dark"])
    #expect(try mistake.texts(mistake.alRecord) == ["Al was here", "to al"])
    #expect(try shop.takes(shop.ann).string("customer", "id") == mistake.joRecord)
    try mistake.isWhole()
  }

  @Test(
    "a brief of one tells neither how long the other waited nor what was said to them, however much came since"
  )
  func briefOfOne() throws {
    let mistake = try Mistake(isTaken: false)
    let shop = mistake.shop
    try shop.handsOver(mistake.al, ["summary": "al-summary", "promised": ["al-promise"]])
    try shop.pass(.seconds(30))
    let als = try #require(try shop.takes(shop.ann).string("case"))
    try mistake.splits()
    try shop.says("still dark", mistake.jo)
    let aCase = try #require(try shop.takes(shop.ann).string("case"))
    func looks() throws {
      let page = try shop.call("GET", "/v1/cases/\(aCase)", by: shop.ann)
      #expect(page.string("customer", "id") == mistake.joRecord)
      #expect(!page.text.contains("al-summary") && !page.text.contains("al-promise"))
      #expect(page.string("brief", "last_words", "text") == "still dark")
      #expect(page.number("brief", "waited_seconds") == 0 && page.list("brief", "linked").isEmpty)
    }
    try looks()
    for number in 0..<Brief.entriesMax {
      try shop.call(
        "POST", "/v1/journey",
        [
          "event": "clicked", "id": "\(number)",
          "identities": [shop.identity("email", "jo@home.example")],
        ], by: shop.till)
    }
    try looks()
    let view = try shop.call("GET", "/v1/cases/\(als)", by: shop.ann)
    #expect(view.number("brief", "waited_seconds") == 30 && view.text.contains("al-promise"))
  }

  @Test("a brief does not even name what the other had said before they were taken for one")
  func earlierOfTheOther() throws {
    let shop = try Shop()
    let old = try shop.open([("email", "jo@home.example")])
    try shop.says("an old lamp", old)
    try shop.leaves(old, "bot_ended")
    let mistake = try Mistake(in: shop)
    try mistake.splits()
    try shop.says("after", mistake.al)
    let aCase = try #require(try shop.takes(shop.ann).string("case"))
    let page = try shop.call("GET", "/v1/cases/\(aCase)", by: shop.ann)
    #expect(page.string("customer", "id") == mistake.alRecord)
    #expect(!page.text.contains(old.conversation))
    let hers = try shop.call("GET", "/v1/cases/\(mistake.aCase)", by: shop.ann)
    let linked = hers.list("brief", "linked").map { $0["conversation"] as? String }
    #expect(linked == [old.conversation])
  }

  @Test("of two whom a bot serves, each has a bot of their own after the split")
  func withoutCase() throws {
    let mistake = try Mistake(isTaken: false)
    let shop = mistake.shop
    try mistake.splits()
    for talk in [mistake.jo, mistake.al] {
      let place = try #require(ConversationID(try mistake.place(talk.session)))
      #expect(shop.pipeline.router.conversation(place)?.owner == .bot(.init(0)))
      #expect(try shop.says("hello", talk, as: "bot").status == 201)
    }
    #expect(try mistake.place(mistake.jo.session) != mistake.place(mistake.al.session))
    #expect(try mistake.texts(mistake.alRecord) == ["Al was here", "hello"])
    try mistake.isWhole()
  }

  @Test("a chat whose matter is closed is taken out, too, and speaks on by itself")
  func closed() throws {
    let mistake = try Mistake()
    let shop = mistake.shop
    try shop.call("POST", "/v1/cases/\(mistake.aCase)/close", by: shop.ann)
    try mistake.splits()
    let said = try shop.says("still there?", mistake.al)
    #expect(said.status == 201 && said.string("conversation") != mistake.jo.conversation)
    #expect(
      try shop.says("I am, too", mistake.jo).string("conversation") == mistake.jo.conversation)
    #expect(try mistake.texts(mistake.alRecord) == ["Al was here", "still there?"])
    try mistake.isWhole()
  }

  @Test("what was joined across two people goes on with each once they are parted")
  func joined() throws {
    let shop = try Shop()
    let lamp = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "broken")
    let bill = try shop.mail(
      from: "al@work.example", subject: "Bill", id: "2@work.example", "too high")
    let aCase = try #require(try shop.takes(shop.ann).string("case"))
    let (jo, al) = (try record(shop, "jo@home.example"), try record(shop, "al@work.example"))
    try shop.call("POST", "/v1/customers/\(jo)/merge", ["with": al], by: shop.ann)
    #expect(
      try shop.call(
        "POST", "/v1/conversations/\(lamp.conversation)/join", ["with": "\(bill.conversation)"],
        by: shop.ann
      ).status == 201)
    let among = try shop.mail(
      from: "al@work.example", subject: "Re: Bill", id: "3@work.example",
      inReplyTo: "2@work.example", "among")
    #expect(among.conversation == lamp.conversation)
    try shop.call("POST", "/v1/cases/\(aCase)/reply", ["text": "to al by mail"], by: shop.ann)
    let sent = try #require(try shop.outgoing())
    #expect(sent.header("To")?.contains("al@work.example") == true)
    try shop.call("POST", "/v1/customers/\(jo)/split", ["from": al], by: shop.boss)
    let texts = { (who: String) in try shop.timeline(who).entries("entries").texts }
    #expect(try texts(jo) == ["broken"])
    #expect(try texts(al) == ["too high", "among", "to al by mail"])
    // By its headers, by a signed reply address, by nothing at all: never into the other's case.
    let to = try shop.replyAddress(sent)
    let answers = [
      try shop.mail(
        from: "al@work.example", subject: "Re: Bill", id: "4@work.example",
        inReplyTo: "3@work.example", "by headers"),
      try shop.mail(
        from: "al@work.example", to: to, subject: "Re: Bill", id: "5@work.example", "signed"),
      try shop.mail(from: "al@work.example", subject: "Lamp", id: "6@work.example", "the lamp"),
    ]
    #expect(
      answers[0].conversation == bill.conversation && answers[1].conversation == bill.conversation)
    #expect(answers[2].conversation != lamp.conversation)
    #expect(try texts(jo) == ["broken"])
    let view = try shop.call("GET", "/v1/cases/\(aCase)", by: shop.ann)
    #expect(view.string("customer", "id") == jo && !view.text.contains("too high"))
    // A signed address makes nobody one again whom an agent has taken apart.
    #expect(try record(shop, "al@work.example", isRoot: true) == al)
    let hers = try shop.mail(
      from: "jo@home.example", subject: "Re: Lamp", id: "7@home.example",
      inReplyTo: "1@home.example", "and?")
    #expect(hers.conversation == lamp.conversation)
    // An answer to Jo leaves for Jo, though Al wrote last before the split.
    try shop.call("POST", "/v1/cases/\(aCase)/reply", ["text": "to jo"], by: shop.ann)
    #expect(try shop.outgoing()?.header("To")?.contains("jo@home.example") == true)
    #expect(try shop.replayed() == shop.rows())
  }

  private func record(_ shop: Shop, _ email: String, isRoot: Bool = false) throws -> String {
    let identity = Identity(kind: .email, value: email)
    let row = try #require(try shop.reader.identity(shop.workspace, hash: shop.api.hash(identity)))
    let record = try #require(try shop.reader.customer(shop.workspace, row.customer))
    return "\(isRoot ? record.root : record.id)"
  }

  @Test("an answer goes to whoever is written to, and so does the report that it did not arrive")
  func undelivered() throws {
    let shop = try Shop()
    try shop.mail(from: "jo@home.example", subject: "Lamp", id: "1@home.example", "broken")
    let aCase = try #require(try shop.takes(shop.ann).string("case"))
    let other = try shop.open([("email", "al@work.example")])
    let (jo, al) = (try record(shop, "jo@home.example"), other.customer)
    try shop.leaves(other, "bot_ended")
    try shop.call("POST", "/v1/customers/\(jo)/merge", ["with": al], by: shop.ann)
    try shop.mail(
      from: "al@work.example", subject: "Re: Lamp", id: "2@work.example",
      inReplyTo: "1@home.example", "mine")
    try shop.call("POST", "/v1/cases/\(aCase)/reply", ["text": "to al"], by: shop.ann)
    try shop.call("POST", "/v1/cases/\(aCase)/close", by: shop.ann)
    let sent = try #require(try shop.outgoing())
    try shop.call("POST", "/v1/customers/\(jo)/split", ["from": al], by: shop.boss)
    let bounced = try shop.bounce(sent, of: ["al@work.example"])
    #expect(try !shop.timeline(jo).entries("entries").kinds.contains("undelivered"))
    #expect(try shop.timeline(al).entries("entries").kinds.contains("undelivered"))
    // Nobody has it any more: a case is made, of Al's.
    let offer = try shop.takes(shop.ann)
    #expect(offer.string("customer", "id") == al)
    #expect(offer.string("conversation") == "\(bounced.conversation)")
    #expect(!offer.text.contains("broken"))
    #expect(try shop.replayed() == shop.rows())
  }

  @Test("a call is its caller's, though it was taken for another's, and so is what is left of it")
  func call() throws {
    let shop = try Shop()
    let jo = try shop.open([("email", "jo@home.example")])
    try shop.says("waiting", jo)
    try shop.handsOver(jo)
    try shop.call(
      "POST", "/v1/journey",
      ["event": "rang", "identities": [shop.identity("phone", "+15551234567")]], by: shop.till)
    let identity = Identity(kind: .phone, value: "+15551234567")
    let al =
      "\(try #require(try shop.reader.identity(shop.workspace, hash: shop.api.hash(identity))).customer)"
    try shop.call("POST", "/v1/customers/\(jo.customer)/merge", ["with": al], by: shop.ann)
    let call = ["call": "c1", "from": "+15551234567", "to": "+18005551212"]
    let session = try #require(
      try shop.call("POST", "/v1/calls", call, by: shop.pbx).string("session"))
    let id = try #require(SessionID(session))
    let row = try shop.reader.session(shop.workspace, id)
    #expect(row.map { "\($0.conversation)" } == jo.conversation, "her case follows to the phone")
    let says = { (words: String, id: String) in
      try shop.call(
        "POST", "/v1/calls/c1/events", ["event": "speech", "text": words, "id": id], by: shop.pbx)
    }
    _ = try says("before", "s1")
    try shop.call("POST", "/v1/customers/\(jo.customer)/split", ["from": al], by: shop.boss)
    #expect(try says("after", "s2").status == 200)
    // The call's case stays with the call, and Jo's chat goes on with one of its own.
    let texts = { (who: String) in try shop.timeline(who).entries("entries").texts }
    #expect(try texts(al) == ["before", "after"])
    #expect(try texts(jo.customer) == ["waiting"])
    #expect(try shop.says("hello", jo).status == 201)
    #expect(try texts(jo.customer) == ["waiting", "hello"])
    try shop.call("POST", "/v1/calls/c1/events", ["event": "hung_up"], by: shop.pbx)
    _ = try says("late", "s3")
    #expect(try texts(al) == ["before", "after", "late"])
    #expect(try shop.replayed() == shop.rows())
  }

  @Test("an attachment is shown to whoever it was said to, and to nobody's bot besides")
  func blobs() throws {
    let mistake = try Mistake()
    let shop = mistake.shop
    let blob = try #require(
      try Reply(shop.upload(Array("al-photo".utf8), by: shop.ann)).string("blob"))
    let other = try shop.open([("phone", "+15552001111")], by: shop.whatsapp)
    try shop.leaves(other, "bot_ended", by: shop.whatsapp)
    try shop.call(
      "POST", "/v1/customers/\(mistake.joRecord)/merge", ["with": other.customer], by: shop.ann)
    let wa = try shop.open([("phone", "+15552001111")], by: shop.whatsapp)
    #expect(wa.conversation == mistake.jo.conversation)
    try shop.call(
      "POST", "/v1/cases/\(mistake.aCase)/reply", ["text": "see", "attachments": [blob]],
      by: shop.ann)
    let status = { (bot: Caller) in try shop.call("GET", "/v1/blobs/\(blob)", by: bot).status }
    #expect(try status(shop.webshop) == 200)
    #expect(try status(shop.whatsapp) == 200)
    try shop.call(
      "POST", "/v1/customers/\(mistake.joRecord)/split", ["from": other.customer], by: shop.boss)
    #expect(try status(shop.webshop) == 200)
    #expect(try status(shop.whatsapp) == 404)
  }

  @Test("exported and erased is what is theirs, wherever they said it, and nothing of the other")
  func privacy() throws {
    let mistake = try Mistake()
    let shop = mistake.shop
    try shop.says("al-secret", mistake.al)
    try mistake.splits()
    try shop.says("al-later", mistake.al)
    try shop.handsOver(mistake.al, ["summary": "al-summary"])
    func export(_ record: String) throws -> String {
      let id = try #require(CustomerID(record))
      let found = try #require(
        try PersonExport.read(id, shop.api.directory, shop.reader, at: shop.now))
      return String(decoding: found.json, as: UTF8.self)
    }
    let (jo, al) = (try export(mistake.joRecord), try export(mistake.alRecord))
    #expect(jo.contains("my lamp is dark") && jo.contains("jo-summary"))
    #expect(!jo.contains("al-secret") && !jo.contains("al-later") && !jo.contains("al@work"))
    #expect(al.contains("al-secret") && al.contains("al-later"))
    #expect(!jo.contains("two people") && !al.contains("two people"), "said of both")
    #expect(
      !al.contains("my lamp is dark") && !al.contains("jo-summary") && !al.contains("jo@home"))
    let hers = try shop.timeline(mistake.joRecord)
    _ = try shop.store.erase(
      shop.workspace, [try #require(CustomerID(mistake.alRecord))], at: shop.now, by: "admin:root",
      upTo: nil, PersonForms.erased)
    // Of hers only that goes which tells of both: why they were joined and taken apart.
    let left = try shop.timeline(mistake.joRecord)
    #expect(
      left.string("hash") == hers.string("hash") && left.number("count") == hers.number("count"))
    func json(_ entry: Any) throws -> Data {
      try JSONSerialization.data(withJSONObject: entry, options: .sortedKeys)
    }
    for (before, after) in zip(hers.list("entries"), left.list("entries")) {
      let entry = try #require(before["entry"] as? [String: Any])
      let tellsWhy =
        ["merged", "split"].contains(entry["kind"] as? String ?? "") && entry["reason"] != nil
      #expect(after["hash"] as? String == before["hash"] as? String)
      #expect((after["entry"] is NSNull) == tellsWhy)
      if !tellsWhy { #expect(try json(entry) == json(after["entry"] as Any)) }
    }
    #expect(try export(mistake.joRecord).contains("jo-summary"))
    try mistake.isWhole()
    for path in try FileManager.default.subpathsOfDirectory(atPath: shop.folder) {
      guard let bytes = FileManager.default.contents(atPath: "\(shop.folder)/\(path)") else {
        continue
      }
      for word in ["al-secret", "al-later", "al-summary", "al@work.example"] {
        #expect(bytes.range(of: Data(word.utf8)) == nil, "\(word) in \(path)")
      }
    }
  }

  @Test("what rules saw of two is in the export of neither, and goes when one of them is erased")
  func facts() throws {
    let shop = try Shop()
    let told = try shop.call(
      "POST", "/v1/journey",
      ["event": "al-bought", "identities": [shop.identity("email", "al@work.example")]],
      by: shop.till)
    let al = try #require(told.string("customer"))
    let chat = try shop.open([("email", "jo@home.example")])
    let jo = chat.customer
    try shop.call("POST", "/v1/customers/\(jo)/merge", ["with": al], by: shop.ann)
    let handed = try shop.handsOver(chat, ["summary": "jo-summary"])
    let id = try #require(CaseID(handed.string("case") ?? ""))
    func facts() throws -> String {
      String(decoding: try shop.reader.facts(shop.workspace, of: id)?.bytes ?? [], as: UTF8.self)
    }
    #expect(try facts().contains("al-bought"))
    try shop.pass(.seconds(1))
    try shop.call("POST", "/v1/customers/\(jo)/split", ["from": al], by: shop.boss)
    let record = try #require(CustomerID(jo))
    let found = try PersonExport.read(record, shop.api.directory, shop.reader, at: shop.now)
    let export = try #require(found)
    let hers = String(decoding: export.json, as: UTF8.self)
    #expect(hers.contains("jo-summary") && !hers.contains("al-bought"))
    _ = try shop.store.erase(
      shop.workspace, [try #require(CustomerID(al))], at: shop.now, by: "admin:root", upTo: nil,
      PersonForms.erased)
    #expect(try facts().isEmpty)
  }

  @Test("an identity marked as shared takes the talk of its people apart, too")
  func shared() throws {
    let shop = try Shop()
    let family = ("phone", "+15551234567")
    let jo = try shop.open([("email", "jo@home.example"), family])
    try shop.says("jo-words", jo)
    let al = try shop.open([("email", "al@work.example"), family])
    #expect(al.conversation == jo.conversation)
    try shop.says("al-words", al)
    let body = ["kind": "phone", "value": family.1, "decision": "share"]
    #expect(
      try shop.call("POST", "/v1/customers/\(jo.customer)/identities", body, by: shop.boss).status
        == 200)
    try shop.says("jo-after", jo)
    try shop.says("al-after", al)
    let texts = { (who: String) in
      try shop.timeline(try self.record(shop, who)).entries("entries").texts
    }
    #expect(try texts("jo@home.example") == ["jo-words", "jo-after"])
    #expect(try texts("al@work.example") == ["al-words", "al-after"])
    #expect(try shop.replayed() == shop.rows())
  }

  @Test(
    "rows and tokens of an older program, which say not by whom, count for the conversation's own")
  func olderRows() throws {
    let mistake = try Mistake(isTaken: false)
    let shop = mistake.shop
    // As it made them: the conversation and when it is over, signed.
    let conversation = try #require(ConversationID(mistake.jo.conversation))
    var what = ByteWriter()
    what.fixed(conversation.high)
    what.fixed(conversation.low)
    what.fixed(WallClock.nowMilliseconds + 1_000_000)
    var signed = ByteWriter()
    signed.uint8(0x52)
    signed.fixed(shop.workspace.raw)
    signed.raw(what.bytes)
    let key = HMACKey(Array("identities of a test".utf8))
    let token = (what.bytes + key.sign(signed.bytes, truncatedTo: 16)).map {
      ($0 < 16 ? "0" : "") + String($0, radix: 16)
    }.joined()
    try shop.says("al-words", mistake.al)
    let before = try shop.open(resume: token)
    #expect(before.conversation == mistake.jo.conversation)
    try shop.leaves(before)
    try shop.handsOver(mistake.al)
    let session = try #require(SessionID(mistake.jo.session))
    var row = try #require(try shop.reader.session(shop.workspace, session))
    row.customer = nil
    var commit = Commit(workspace: shop.workspace)
    commit.sessions = [row]
    try shop.store.commit([commit])
    try shop.restart()
    // The talk goes with Al's case: whose Jo's session is has to be said before.
    try mistake.splits()
    #expect(try mistake.place(mistake.al.session) == mistake.al.conversation)
    #expect(try mistake.place(mistake.jo.session) != mistake.jo.conversation)
    try shop.says("jo-later", mistake.jo)
    #expect(try mistake.texts(mistake.joRecord) == ["my lamp is dark", "jo-later"])
    let back = try shop.open(resume: token)
    #expect(back.opened.flag("continued") == false, "nobody knows whose it is by now")
    try mistake.isWhole()
  }
}
