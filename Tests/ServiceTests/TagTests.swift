import Foundation
import Model
import Pipeline
import Records
import Service
import Store
import Testing

/// What a conversation is filed under, by people and by rules, and what retention makes of it.
struct TagTests {
  let jo = ("email", "jo@home.example")

  private func tag(_ shop: Shop, _ talk: Shop.Talk, _ tags: [String], by caller: Caller? = nil)
    throws -> Reply
  {
    try shop.call(
      "POST", "/v1/conversations/\(talk.conversation)/tags",
      ["tags": tags, "reason": "they wrote to us twice"],
      by: caller ?? shop.ann)
  }

  private func tags(_ shop: Shop, _ talk: Shop.Talk) throws -> [String]? {
    try shop.call("GET", "/v1/conversations/\(talk.conversation)", by: shop.boss).json["tags"]
      as? [String]
  }

  @Test(
    "an agent files a conversation, the case shows it, its story says who and why, and it can be taken back"
  )
  func byPeople() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    try shop.handsOver(chat)
    let id = try #require(try shop.takes(shop.bob).string("case"))
    shop.heard = []
    let first = try tag(shop, chat, ["legal", "complaint", "legal"])
    #expect(first.status == 201 && first.json["tags"] as? [String] == ["complaint", "legal"])
    #expect(
      shop.heard.contains { if case .tellAgent = $0 { true } else { false } },
      "bob's desk hears of it")
    let again = try tag(shop, chat, ["legal"], by: shop.boss)
    #expect(again.status == 200 && again.json["entry"] == nil)
    #expect(
      try shop.call("GET", "/v1/cases/\(id)", by: shop.bob).json["tags"] as? [String] == [
        "complaint", "legal",
      ])
    let gone = try shop.call(
      "DELETE", "/v1/conversations/\(chat.conversation)/tags/legal", by: shop.boss)
    #expect(gone.status == 201 && gone.json["tags"] as? [String] == ["complaint"])
    #expect(try tags(shop, chat) == ["complaint"])
    let told = try shop.timeline(chat.customer).entries("entries").suffix(2)
    #expect(told.map { $0["kind"] as? String } == ["tagged", "untagged"])
    #expect(told.map { $0["tags"] as? [String] } == [["complaint", "legal"], ["legal"]])
    #expect(told.map { $0["by"] as? String } == ["agent:ann", "supervisor:boss"])
    #expect(told.first?["reason"] as? String == "they wrote to us twice")
    #expect(told.allSatisfy { $0["visibility"] as? String == "internal" })
    let text = try shop.call(
      "GET", "/v1/customers/\(chat.customer)/timeline?format=text", by: shop.ann
    ).text
    #expect(text.contains("agent ann: tagged complaint, legal, because they wrote to us twice"))
    // The bot is told nothing of it.
    let events = try shop.call(
      "GET", "/v1/sessions/\(chat.session)/events?after=0", by: shop.webshop)
    #expect(!events.text.contains("complaint"))
    try shop.restart()
    #expect(try tags(shop, chat) == ["complaint"])
  }

  @Test("what cannot be filed is refused, in words")
  func refusals() throws {
    let shop = try Shop()
    let chat = try shop.open([jo])
    for wrong in ["Legal", "a b", "", String(repeating: "a", count: 65)] {
      let reply = try tag(shop, chat, ["fine", wrong])
      #expect(reply.status == 422 && reply.string("field") == "tags[1]", "\(wrong)")
    }
    #expect(try tag(shop, chat, []).string("type") == "urn:throughline:problem:missing-field")
    let many = try tag(shop, chat, (1...21).map { "t\($0)" })
    #expect(many.status == 422 && many.string("type") == "urn:throughline:problem:too-many-tags")
    let unknown = try shop.call(
      "DELETE", "/v1/conversations/\(chat.conversation)/tags/legal", by: shop.ann)
    #expect(unknown.status == 404 && unknown.string("type") == "urn:throughline:problem:not-tagged")
    #expect(try tag(shop, chat, ["legal"], by: shop.webshop).status == 403)
    let nowhere = "\(ConversationID(high: 1, low: 1))"
    #expect(
      try shop.call("POST", "/v1/conversations/\(nowhere)/tags", ["tags": ["a"]], by: shop.ann)
        .status == 404)
    #expect(
      try shop.call("PUT", "/v1/conversations/\(nowhere)/tags/a", ["tags": ["a"]], by: shop.ann)
        .status == 405)
    #expect(try tags(shop, chat) == [])
  }

  @Test("a rule files what it routes, and the answer to the handoff names the handoff's own entry")
  func byRule() throws {
    let shop = try Shop(tags: ["complaint"])
    let chat = try shop.open([jo])
    let handed = try shop.handsOver(chat)
    #expect(try tags(shop, chat) == ["complaint"])
    let entries = try shop.timeline(chat.customer).entries("entries")
    #expect(entries.kinds.suffix(2) == ["handoff", "tagged"])
    #expect(entries.last?["by"] as? String == "rule:1.0")
    #expect(handed.number("entry") == entries.dropLast().last?["entry"] as? Int)
  }

  @Test(
    "retention by tag takes the words of that conversation alone, also where the tag came when they were old already"
  )
  func retention() throws {
    let shop = try Shop()
    let (a, b) = (try shop.open([jo]), try shop.open([("email", "kim@home.example")]))
    for talk in [a, b] { try shop.says("a secret", talk) }
    #expect(try tag(shop, a, ["legal"]).status == 201)
    let rule = RetentionRule(age: .seconds(30 * 86_400), tag: "legal")
    var look = RetentionLook()
    func forget(after days: Int64) throws -> Int64 {
      var (forgotten, isDone): (Int64, Bool) = (0, false)
      while !isDone {
        let round = try shop.store.forgetOld(
          rule, shop.workspace, now: shop.now + .seconds(days * 86_400), from: &look,
          SearchText.retention, PersonForms.erased,
          beneath: SQLiteStore.atOnce)
        (forgotten, isDone) = (forgotten + round.forgotten, round.isDone)
      }
      return forgotten
    }
    func texts(_ talk: Shop.Talk) throws -> [String] {
      try shop.timeline(talk.customer).entries("entries").texts
    }
    #expect(try forget(after: 29) == 0)
    #expect(try texts(a) == ["a secret"])
    #expect(try forget(after: 31) == 3)
    #expect(try texts(a) == [] && texts(b) == ["a secret"])
    // The rule has looked at all of that; now the other one is tagged, and another that was not old
    // yet.
    #expect(try tag(shop, b, ["legal", "urgent"]).status == 201)
    #expect(try forget(after: 31) == 3)
    #expect(try texts(b) == [])
    let c = try shop.open([("email", "lee@home.example")])
    try shop.says("another", c)
    #expect(try tag(shop, c, ["urgent"]).status == 201)
    #expect(try forget(after: 31) == 0)
    #expect(try texts(c) == ["another"])
    let page = try shop.timeline(b.customer)
    #expect(page.number("count") == page.list("entries").count)
  }
}
