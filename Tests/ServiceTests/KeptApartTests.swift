import Continuity
import Foundation
import Model
import Testing

@testable import Service

/// Two people whom an agent has taken apart stay two, whatever they share.
struct KeptApartTests {
  let browser = ("chat", "b1")
  let ada = ("email", "ada@home.example")
  let bea = ("email", "bea@home.example")

  /// Ada and Bea, who sat at one browser, were taken for one person, and are not any more.
  private func parted(_ shop: Shop) throws -> (ada: String, bea: String) {
    let first = try shop.open([browser, ada])
    try shop.says("adas secret", first)
    try shop.leaves(first, "bot_ended")
    let second = try shop.open([browser, bea])
    try shop.leaves(second, "bot_ended")
    func record(_ mail: (String, String)) throws -> String {
      let hash = try #require(shop.api.normalised(.email, mail.1).map(shop.api.hash))
      return try #require(try shop.reader.identity(shop.workspace, hash: hash)).customer.description
    }
    let records = (ada: try record(ada), bea: try record(bea))
    #expect(records.ada != records.bea)
    let split = try shop.call(
      "POST", "/v1/customers/\(records.ada)/split", ["from": records.bea], by: shop.boss)
    #expect(split.status == 200)
    return records
  }

  @Test(
    "who comes by a shared browser is whoever signs in, in whatever order it is told",
    arguments: [false, true])
  func browsers(_ chatLast: Bool) throws {
    let shop = try Shop()
    let people = try parted(shop)
    let again = try shop.open(chatLast ? [bea, browser] : [browser, bea])
    #expect(again.customer == people.bea && !again.opened.text.contains("adas secret"))
    try shop.says("beas words", again)
    #expect(try shop.timeline(people.bea).entries("entries").texts == ["beas words"])
    #expect(try shop.timeline(people.ada).entries("entries").texts == ["adas secret"])
    // Whose browser it is, is still known.
    #expect(try shop.open([browser]).customer == people.ada)
  }

  @Test("who brings what is of two people is shown neither, and an agent says who it is")
  func both() throws {
    let shop = try Shop()
    let people = try parted(shop)
    let who = try shop.open([bea, ada])
    #expect(![people.ada, people.bea].contains(who.customer))
    #expect(!who.opened.text.contains("adas secret") && who.opened.flag("continued") == false)
    let page = try shop.call("GET", "/v1/customers/\(who.customer)", by: shop.ann)
    #expect(
      Set(page.list("suggestions").compactMap { $0["customers"] as? [String] }.joined())
        == [people.ada, people.bea])
    #expect(try shop.open([bea]).customer == people.bea)
    #expect(try shop.open([ada]).customer == people.ada)
  }

  @Test("the token of one's chat does not go on at the other's")
  func tokens() throws {
    let shop = try Shop()
    let people = try parted(shop)
    let first = try shop.open([browser, ada])
    try shop.says("more of ada", first)
    let token = try #require(first.opened.string("resume"))
    let other = try shop.open([browser, bea], resume: token)
    #expect(other.conversation != first.conversation && other.customer == people.bea)
    #expect(!other.opened.text.contains("more of ada"))
    #expect(try shop.open([browser, ada], resume: token).conversation == first.conversation)
  }
}
