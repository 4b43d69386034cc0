import Foundation
import Model
import Testing

@testable import Service

/// What the next owner must know of the customer's other matters.
struct LinkedBriefTests {
  private let jo = ("email", "jo@home.example")

  private func brief(_ aCase: String, _ shop: Shop) throws -> Reply {
    try shop.call("GET", "/v1/cases/\(aCase)", by: shop.ann)
  }

  private func texts(_ lines: Any?) -> [String] {
    (lines as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
  }

  /// A matter that waited for 30 seconds, and was closed with a promise.
  private func earlier(_ shop: Shop) throws -> Shop.Talk {
    let talk = try shop.open([jo])
    try shop.says("My lamp is dark.", talk)
    try shop.handsOver(
      talk,
      ["summary": "a dark lamp", "tried": ["another socket"], "promised": ["a call on Monday"]])
    try shop.pass(.seconds(30))
    let offer = try shop.takes(shop.ann)
    try shop.call("POST", "/v1/cases/\(offer.string("case") ?? "")/close", by: shop.ann)
    try shop.leaves(talk)
    return talk
  }

  @Test("the last words are those that were said last, whatever came last")
  func saidLast() throws {
    let shop = try Shop()
    let talk = try shop.open([jo])
    try shop.says("the newest words", talk)
    let earlier = (shop.now + .seconds(-86_400)).description
    let line: [String: Any] = ["author": "customer", "text": "of yesterday", "at": earlier]
    let aCase = try #require(try shop.handsOver(talk, ["transcript": [line]]).string("case"))
    #expect(try brief(aCase, shop).string("brief", "last_words", "text") == "the newest words")
    try shop.says("and newer ones", talk)
    #expect(try brief(aCase, shop).string("brief", "last_words", "text") == "and newer ones")
  }

  @Test("what was said, tried and promised in the matter before is told, and its wait counts")
  func before() throws {
    let shop = try Shop()
    let first = try earlier(shop)
    let second = try shop.open([jo])
    #expect(second.conversation != first.conversation)
    try shop.says("And now my kettle leaks.", second)
    let aCase = try #require(try shop.handsOver(second).string("case"))
    try shop.pass(.seconds(12))
    let page = try brief(aCase, shop)
    #expect(texts(page.at(["brief", "promised"])) == [])
    #expect(page.string("brief", "last_words", "text") == "And now my kettle leaks.")
    let linked = page.list("brief", "linked")
    #expect(linked.map { $0["conversation"] as? String } == [first.conversation])
    let one = try #require(linked.first)
    #expect(one["relation"] as? String == "earlier" && one["open"] as? Bool == false)
    #expect(texts(one["promised"]) == ["a call on Monday"])
    #expect(texts(one["tried"]) == ["another socket"])
    #expect((one["summary"] as? [String: Any])?["text"] as? String == "a dark lamp")
    #expect((one["last_words"] as? [String: Any])?["text"] as? String == "My lamp is dark.")
    #expect(one["channels"] as? [String] == ["chat"])
    #expect(one["waited_seconds"] as? Int == 30)
    #expect(try #require(page.number("brief", "waited_seconds")) >= 30)
    // A bot hears it, where the customer was proven to it.
    let heard = try shop.call("GET", "/v1/sessions/\(second.session)/brief", by: shop.webshop)
    #expect(heard.list("linked").map { $0["conversation"] as? String } == [first.conversation])
    let stranger = try shop.open(claimed: [jo])
    let nothing = try shop.call("GET", "/v1/sessions/\(stranger.session)/brief", by: shop.webshop)
    #expect(nothing.status == 200 && nothing.list("linked").isEmpty)
    #expect(!nothing.text.contains("Monday"))
  }

  @Test("another live matter is told, and waiting for two at once is one wait")
  func beside() throws {
    let shop = try Shop()
    try shop.mail(from: jo.1, subject: "A lamp", id: "1@home", "it is dark")
    let other = try shop.mail(from: jo.1, subject: "A kettle", id: "2@home", "it leaks")
    try shop.pass(.seconds(20))
    let one = try brief(try #require(try shop.takes(shop.ann).string("case")), shop)
    #expect(one.string("brief", "last_words", "text") == "it is dark")
    let linked = try #require(one.list("brief", "linked").first)
    #expect(linked["conversation"] as? String == other.conversation.description)
    #expect(linked["relation"] as? String == "open" && linked["open"] as? Bool == true)
    #expect((linked["wants"] as? [String: Any])?["text"] as? String == "A kettle")
    let waited = try #require(one.number("brief", "waited_seconds"))
    #expect(linked["waited_seconds"] as? Int == 20 && waited == 20, "\(one.text)")
  }

  @Test("after a split nothing is told of the other's matter")
  func parted() throws {
    let shop = try Shop()
    let first = try earlier(shop)
    _ = try shop.open([jo, ("external", "card-1")])
    let card = try shop.call("GET", "/v1/customers?kind=external&value=card-1", by: shop.ann)
    let records = card.json["records"] as? [String] ?? []
    let other = try #require(records.first { $0 != first.customer })
    #expect(
      try shop.call(
        "POST", "/v1/customers/\(first.customer)/split", ["from": other], by: shop.boss
      ).status == 200)
    let theirs = try shop.open([("external", "card-1")])
    let aCase = try #require(try shop.handsOver(theirs).string("case"))
    let page = try brief(aCase, shop)
    #expect(page.status == 200 && !page.text.contains("Monday"), "\(page.text)")
    #expect(
      !page.list("brief", "linked").contains { $0["conversation"] as? String == first.conversation }
    )
  }

  @Test("however much was said, a brief tells the newest of it, and the promise of long ago")
  func bounded() throws {
    let shop = try Shop()
    let first = try earlier(shop)
    let second = try shop.open([jo])
    for round in 0..<3 {
      let promised = (0..<20).map { "promise \(round * 20 + $0)" }
      try shop.call(
        "POST", "/v1/sessions/\(second.session)/learned",
        [
          "promised": promised,
          "fields": Dictionary(
            uniqueKeysWithValues: (0..<100).map { ("field \(round * 100 + $0)", $0) }),
        ], by: shop.webshop)
    }
    try shop.says(String(repeating: "ä", count: 10_000), second)
    let aCase = try #require(try shop.handsOver(second).string("case"))
    for number in 0..<Brief.entriesMax {
      try shop.call(
        "POST", "/v1/journey",
        ["event": "clicked", "id": "\(number)", "identities": [shop.identity(jo.0, jo.1)]],
        by: shop.till)
    }
    let page = try brief(aCase, shop)
    let promised = texts(page.at(["brief", "promised"]))
    #expect(promised == (10..<60).map { "promise \($0)" })
    #expect(page.list("brief", "fields").count == Brief.fieldsMax)
    let words = try #require(page.string("brief", "last_words", "text"))
    #expect(
      words.utf8.count == Brief.lineBytesMax && page.flag("brief", "last_words", "cut") == true)
    #expect(words.allSatisfy { $0 == "ä" })
    let linked = try #require(page.list("brief", "linked").first)
    #expect(linked["conversation"] as? String == first.conversation)
    #expect(texts(linked["promised"]) == ["a call on Monday"])
  }

  @Test("of a long line of matters the nearest are told")
  func chain() throws {
    let shop = try Shop()
    var talks: [Shop.Talk] = []
    for _ in 0..<(LinkedBrief.countMax + 2) { talks.append(try earlier(shop)) }
    let last = try shop.open([jo])
    let aCase = try #require(try shop.handsOver(last).string("case"))
    let linked = try brief(aCase, shop).list("brief", "linked")
    #expect(
      linked.map { $0["conversation"] as? String }
        == talks.reversed().prefix(LinkedBrief.countMax).map(\.conversation))
    #expect(linked.allSatisfy { $0["waited_seconds"] as? Int == 30 })
  }

  /// Matters that are all open, by turns of these customers: the eldest first.
  private func open(_ count: Int, of people: [String], _ shop: Shop) throws -> [ConversationID] {
    try (0..<count).map { n in
      try shop.pass(.seconds(1))
      return try shop.mail(
        from: people[n % people.count], subject: "Matter \(n)", id: "\(n)@home", "words \(n)"
      ).conversation
    }
  }

  private func linked(_ conversation: ConversationID, _ shop: Shop) throws -> [(String, String)] {
    let row = try #require(try shop.reader.cases(shop.workspace, of: conversation).first)
    let page = try shop.call("GET", "/v1/cases/\(row.id)", by: shop.boss)
    return page.list("brief", "linked").map {
      ($0["conversation"] as? String ?? "", $0["relation"] as? String ?? "")
    }
  }

  @Test("of what is open beside it the four newest are told, newest first, of whichever record")
  func manyOpen() throws {
    let shop = try Shop()
    let al = "al@work.example"
    let all = try open(7, of: [jo.1, al], shop)
    func record(_ n: Int) throws -> CustomerID {
      try #require(try shop.reader.conversation(shop.workspace, all[n])).customer
    }
    let merged = try shop.call(
      "POST", "/v1/customers/\(record(0))/merge", ["with": "\(record(1))"], by: shop.ann)
    #expect(merged.status == 200, "\(merged.text)")
    let beside = try linked(all[0], shop)
    #expect(beside.map(\.0) == all.reversed().prefix(LinkedBrief.countMax).map(\.description))
    #expect(beside.allSatisfy { $0.1 == "open" })
  }

  @Test("a matter itself, and what it goes on from, take no place of what is open beside it")
  func ownPlaces() throws {
    let shop = try Shop()
    let all = try open(8, of: [jo.1], shop)
    let found = try linked(all[7], shop)
    #expect(found.map(\.0) == all.reversed().dropFirst().map(\.description))
    #expect(found.map(\.1) == [String](repeating: "earlier", count: 4) + ["open", "open", "open"])
  }

  @Test("a matter is no earlier one of itself, and what both parts of it go on from is told once")
  func once() throws {
    let shop = try Shop()
    let first = try shop.mail(from: jo.1, subject: "Lamp", id: "1@home", "it is dark")
    let done = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(done)/close", by: shop.ann)
    let one = try shop.mail(from: jo.1, subject: "A kettle", id: "2@home", "it leaks")
    let other = try shop.mail(from: jo.1, subject: "A kettle's lid", id: "3@home", "it is gone")
    let aCase = try #require(try shop.takes(shop.ann).string("case"))
    let joined = try shop.call(
      "POST", "/v1/conversations/\(one.conversation)/join", ["with": "\(other.conversation)"],
      by: shop.ann)
    #expect(joined.status == 201, "\(joined.text)")
    let lid = try shop.call("GET", "/v1/conversations/\(other.conversation)", by: shop.ann)
    #expect(lid.string("earlier") == "\(one.conversation)", "the one leads to the other")
    let linked = try brief(aCase, shop).list("brief", "linked")
    #expect(linked.map { $0["conversation"] as? String } == ["\(first.conversation)"])
  }
}
