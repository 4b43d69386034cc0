import Continuity
import Foundation
import Model
import Records
import Pipeline
import Testing

@testable import Service
@testable import Store

/// Why agents joined a person with another is told of both, kept with both, and goes with either.
struct ErasedReasonTests {
  private func holders(of text: String, _ shop: Shop) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: shop.folder).filter { path in
      guard let bytes = FileManager.default.contents(atPath: "\(shop.folder)/\(path)") else {
        return false
      }
      return [text, text.lowercased()].contains { bytes.range(of: Data($0.utf8)) != nil }
    }
  }

  private func decide(
    _ what: String, _ customer: String, _ other: String, _ reason: String, _ shop: Shop
  ) throws {
    shop.now = shop.now + .seconds(1)
    let reply = try shop.call(
      "POST", "/v1/customers/\(customer)/\(what)",
      [what == "merge" ? "with" : "from": other, "reason": reason], by: shop.boss)
    #expect(reply.status == 200, "\(reply.text)")
  }

  @Test("no reason that names the erased person stays in another's timeline, and others stay")
  func told() throws {
    let shop = try Shop()
    let jo = try shop.open([("email", "jo@home.example")])
    try shop.says("my lamp is dark", jo)
    try shop.handsOver(jo)
    _ = try shop.takes(shop.ann)
    let hilde = try shop.open([("email", "h@home.example")])
    let before = try shop.open([("external", "card-1")])
    let during = try shop.open([("external", "card-2")])
    let after = try shop.open([("external", "card-3")])
    try decide("merge", jo.customer, before.customer, "showed Quark1", shop)
    try decide("merge", jo.customer, hilde.customer, "Hildegard showed his card", shop)
    try decide("merge", jo.customer, during.customer, "a card of Hildegard, too", shop)
    try decide("split", jo.customer, hilde.customer, "Hildegard is his sister", shop)
    try decide("merge", jo.customer, after.customer, "showed Quark2", shop)
    while try !shop.store.index(shop.workspace, limit: 1_000, words: SearchText.words) {}
    #expect(try holders(of: "Hildegard", shop).count >= 2)
    let page = try shop.timeline(jo.customer)
    #expect(page.text.contains("Hildegard"))
    let (count, hash) = (page.number("count"), page.string("hash"))

    try shop.erase(hilde.customer)
    #expect(try holders(of: "Hildegard", shop) == [])
    let left = try shop.timeline(jo.customer)
    #expect(left.number("count") == count && left.string("hash") == hash)
    #expect(left.text.contains("Quark1") && left.text.contains("Quark2"))
    #expect(left.text.contains("my lamp is dark"))
    let joined = try shop.call("GET", "/v1/customers/\(jo.customer)", by: shop.boss)
    #expect(joined.text.contains("Quark1") && joined.text.contains("Quark2"))
    // That they were one, and are not, is no secret.
    #expect(
      joined.list("joined").contains { ($0["records"] as? [String] ?? []).contains(hilde.customer) }
    )
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("why their conversations were joined and parted goes from the other's, too")
  func conversations() throws {
    let shop = try Shop()
    let jos = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "my lamp is dark")
    _ = try shop.takes(shop.ann)
    let hers = try shop.mail(from: "h@home.example", subject: "Bill", id: "2@home.example", "hm")
    func customer(_ id: ConversationID) throws -> String {
      try #require(
        try shop.call("GET", "/v1/conversations/\(id)", by: shop.ann).string("customer"))
    }
    let (jo, hilde) = (try customer(jos.conversation), try customer(hers.conversation))
    try decide("merge", jo, hilde, "the same card", shop)
    for (what, other, reason) in [
      ("join", "with", "it is Hildegard's lamp"), ("part", "from", "Hildegard has her own"),
      ("join", "with", "the lamp of Quark1"),
    ] {
      shop.now = shop.now + .seconds(1)
      let reply = try shop.call(
        "POST", "/v1/conversations/\(jos.conversation)/\(what)",
        [other: "\(hers.conversation)", "reason": reason], by: shop.ann)
      #expect(reply.status == 201, "\(reply.text)")
    }
    try decide("split", jo, hilde, "two people", shop)
    while try !shop.store.index(shop.workspace, limit: 1_000, words: SearchText.words) {}
    #expect(try holders(of: "Hildegard", shop).count >= 2)
    try shop.erase(hilde)
    #expect(try holders(of: "Hildegard", shop) == [])
    #expect(try holders(of: "Quark1", shop) == [], "it was said of both as well")
    #expect(try shop.timeline(jo).text.contains("my lamp is dark"))
  }

  @Test("what tells of an erased person goes from the index, too, where a crash comes in between")
  func cutOff() throws {
    let shop = try Shop()
    let jo = try shop.open([("email", "jo@home.example")])
    let hilde = try shop.open([("email", "h@home.example")])
    try decide("merge", jo.customer, hilde.customer, "Hildegard showed his card", shop)
    try decide("split", jo.customer, hilde.customer, "Hildegard is his sister", shop)
    while try !shop.store.index(shop.workspace, limit: 1_000, words: SearchText.words) {}
    let id = try #require(CustomerID(hilde.customer))
    // Her rows are gone, and the process with them, before any of her words are.
    var steps = 0
    #expect(throws: StoreFault.self) {
      try shop.store.erase(
        shop.workspace, at: shop.now, by: "administrator", PersonForms.erased,
        beneath: { change throws(StoreFault) in
          steps += 1
          if steps > 1 { throw .failed(doing: "erase", why: "killed") }
          try change()
        }
      ) { [id] }
    }
    let open = try #require(try shop.reader.erasures(shop.workspace).first)
    #expect(open.done == nil)
    _ = try shop.store.finish(open, shop.workspace, at: shop.now, PersonForms.erased)
    #expect(try holders(of: "Hildegard", shop) == [])
  }

  private func damage(_ customer: String, _ shop: Shop) throws {
    let id = try #require(CustomerID(customer))
    let key = [id.high, id.low].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    try shop.store.execute("UPDATE customers SET created=created+1 WHERE customer=x'\(key)'")
  }

  @Test("a reason goes from the other's record though the row of who is erased is damaged")
  func damaged() throws {
    let shop = try Shop()
    let jo = try shop.open([("email", "jo@home.example")])
    let hilde = try shop.open([("email", "h@home.example")])
    try decide("merge", jo.customer, hilde.customer, "Hildegard showed his card", shop)
    try decide("split", jo.customer, hilde.customer, "Hildegard is his sister", shop)
    try damage(hilde.customer, shop)
    let id = try #require(CustomerID(hilde.customer))
    let erasing = try Erasing(id, shop.workspace, shop.reader)
    #expect(erasing.records == [id])
    _ = try shop.store.erase(
      shop.workspace, erasing.records, at: shop.now, by: "administrator", upTo: nil,
      PersonForms.erased)
    let joID = try #require(CustomerID(jo.customer))
    let other = try #require(try shop.reader.customer(shop.workspace, joID))
    #expect(!String(decoding: other.profile, as: UTF8.self).contains("Hildegard"))
    #expect(!(try shop.timeline(jo.customer)).text.contains("Hildegard"))
  }

  @Test("a shared number whose record is damaged stays: it may be others'")
  func sharedDamaged() throws {
    let shop = try Shop()
    let phone = ("phone", "+12025550143")
    let jo = try shop.open([("email", "jo@home.example"), phone])
    let share = ["kind": phone.0, "value": phone.1, "decision": "share", "reason": "a family's"]
    #expect(
      try shop.call("POST", "/v1/customers/\(jo.customer)/identities", share, by: shop.boss).status
        == 200)
    let hash = try #require(shop.api.normalised(.phone, phone.1).map(shop.api.hash))
    let holder = try #require(try shop.reader.identity(shop.workspace, hash: hash)).customer
    let mail = try #require(shop.api.normalised(.email, "jo@home.example").map(shop.api.hash))
    let own = try #require(try shop.reader.identity(shop.workspace, hash: mail)).customer
    #expect(own != holder)
    try damage(holder.description, shop)
    let erasing = try Erasing(own, shop.workspace, shop.reader)
    #expect(erasing.records == [own])
    #expect(erasing.shared.map(\.customer) == [holder])
  }

  @Test("of mail that is not in the outbox any more nothing is written anew")
  func waiting() throws {
    let shop = try Shop()
    let row = OutboxRow(id: 99, kind: .mail, due: shop.now, tries: 3, payload: [1, 2, 3])
    let entries = try shop.reader.head(shop.workspace).entry
    _ = try shop.submit(.outboxDelayed(row, "the mail server puts it off"))
    #expect(try shop.reader.outbox(shop.workspace, id: 99) == nil)
    _ = try shop.submit(.outboxFailed(row, "the mail server refused it", .new()))
    #expect(try shop.reader.outbox(shop.workspace, id: 99) == nil)
    // One that is there and says nothing goes, and nobody is told of what it was.
    var commit = Commit(workspace: shop.workspace)
    commit.outbox = [row]
    try shop.store.commit([commit])
    _ = try shop.submit(.outboxFailed(row, "it is damaged", .new()))
    #expect(try shop.reader.outbox(shop.workspace, id: 99) == nil)
    #expect(try shop.reader.head(shop.workspace).entry == entries)
  }

  @Test("who was erased is in nothing that a search finds of another")
  func searched() throws {
    let shop = try Shop()
    let jo = try shop.open([("email", "jo@home.example")])
    let hilde = try shop.open([("email", "h@home.example")])
    try decide("merge", jo.customer, hilde.customer, "Hildegard showed his card", shop)
    try decide("split", jo.customer, hilde.customer, "not Hildegard", shop)
    while try !shop.store.index(shop.workspace, limit: 1_000, words: SearchText.words) {}
    func hits() throws -> Int {
      try shop.call("GET", "/v1/search?q=hildegard", by: shop.boss).list("hits").count
    }
    #expect(try hits() > 0)
    try shop.erase(hilde.customer)
    #expect(try hits() == 0)
  }

  @Test("why a number is shared goes from its evidence with whoever it was taken from")
  func evidence() throws {
    let shop = try Shop()
    let phone = ("phone", "+12025550143")
    let hilde = try shop.open([("email", "h@home.example"), phone])
    try shop.says("hello", hilde)
    let body = [
      "kind": phone.0, "value": phone.1, "decision": "share", "reason": "of Hildegard and others",
    ]
    #expect(
      try shop.call(
        "POST", "/v1/customers/\(hilde.customer)/identities", body, by: shop.boss
      ).status == 200)
    _ = try shop.open([("email", "bea@home.example"), phone])
    #expect(try holders(of: "Hildegard", shop) != [])
    try shop.erase(hilde.customer)
    #expect(try holders(of: "Hildegard", shop) == [])
    let hash = try #require(shop.api.normalised(.phone, phone.1).map(shop.api.hash))
    let row = try #require(try shop.reader.identity(shop.workspace, hash: hash))
    #expect(row.isShared && row.decodedEvidence?.decided?.source == "supervisor:boss")
  }
}
