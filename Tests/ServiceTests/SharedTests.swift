import Continuity
import Foundation
import Model
import Testing

@testable import Service

/// A number that turns out to be several people's takes apart those whom it alone had joined.
struct SharedTests {
  let phone = ("phone", "+12025550143")
  let mail = ("email", "jo@home.example")
  let card = ("external", "card-1")

  private func share(
    _ identity: (String, String), of customer: String, _ shop: Shop, decision: String = "share"
  ) throws {
    let body = [
      "kind": identity.0, "value": identity.1, "decision": decision, "reason": "a family's",
    ]
    let reply = try shop.call(
      "POST", "/v1/customers/\(customer)/identities", body, by: shop.boss)
    #expect(reply.status == 200, "\(reply.text)")
  }

  private func customer(_ identity: (String, String), _ shop: Shop) throws -> String? {
    let value = identity.1.replacing("+", with: "%2B")
    return try shop.call(
      "GET", "/v1/customers?kind=\(identity.0)&value=\(value)", by: shop.ann
    ).string("id")
  }

  private func record(_ identity: (String, String), _ shop: Shop) throws -> String {
    let kind = try #require(IdentityKind(name: identity.0))
    let hash = try #require(shop.api.normalised(kind, identity.1).map(shop.api.hash))
    return try #require(try shop.reader.identity(shop.workspace, hash: hash)).customer.description
  }

  @Test(
    "who came by three identities stays one by the other two",
    arguments: [0, 1, 2])
  func three(_ which: Int) throws {
    let shop = try Shop()
    let all = [phone, mail, card]
    let jo = try shop.open(all)
    try shop.says("of jo", jo)
    try share(all[which], of: jo.customer, shop)
    var others = all
    others.remove(at: which)
    #expect(try customer(others[0], shop) == customer(others[1], shop))
    #expect(try customer(all[which], shop) != customer(others[0], shop))
    // Also after a restart, and none by the other.
    try shop.restart()
    try share(others[0], of: try #require(try customer(others[0], shop)), shop)
    #expect(try customer(others[0], shop) != customer(others[1], shop))
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("what a second source asserts holds when the first identity is taken out")
  func twice() throws {
    let shop = try Shop()
    let jo = try shop.open([phone, mail])
    _ = try shop.open([phone, card])
    try shop.call(
      "POST", "/v1/journey",
      ["event": "bought", "identities": [card, mail].map { shop.identity($0.0, $0.1) }],
      by: shop.till)
    let page = try shop.call("GET", "/v1/customers/\(jo.customer)", by: shop.ann)
    #expect(page.list("joined").count == 2)
    try share(phone, of: jo.customer, shop)
    #expect(try customer(card, shop) == customer(mail, shop))
  }

  @Test("an agent's word holds against what was asserted together")
  func kept() throws {
    let shop = try Shop()
    let jo = try shop.open([phone, mail])
    _ = try shop.open([phone, card])
    let split = try shop.call(
      "POST", "/v1/customers/\(try record(phone, shop))/split", ["from": try record(card, shop)],
      by: shop.boss)
    #expect(split.status == 200)
    try shop.call(
      "POST", "/v1/journey",
      ["event": "bought", "identities": [card, mail].map { shop.identity($0.0, $0.1) }],
      by: shop.till)
    try share(phone, of: jo.customer, shop)
    #expect(try customer(card, shop) != customer(mail, shop))
  }

  @Test("a mark that was a mistake is taken back, and they are one as before")
  func takenBack() throws {
    let shop = try Shop()
    let jo = try shop.open([phone, mail])
    try shop.says("of jo", jo)
    let before = try shop.timeline(jo.customer).entries("entries").texts
    try share(phone, of: jo.customer, shop)
    #expect(try customer(phone, shop) != customer(mail, shop))
    try shop.restart()
    try share(phone, of: try #require(try customer(mail, shop)), shop, decision: "unshare")
    #expect(try customer(phone, shop) == jo.customer && customer(mail, shop) == jo.customer)
    let after = try shop.timeline(jo.customer).entries("entries")
    #expect(after.texts == before)
    #expect(after.kinds.contains("merged"))
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("of two marks, one taken back joins nobody whom the other keeps apart")
  func twoMarks() throws {
    let shop = try Shop()
    let jo = try shop.open([phone, mail])
    try share(phone, of: jo.customer, shop)
    let other = try #require(try customer(mail, shop))
    try share(mail, of: other, shop)
    try share(phone, of: other, shop, decision: "unshare")
    #expect(try customer(phone, shop) != customer(mail, shop))
    try share(mail, of: other, shop, decision: "unshare")
    #expect(try customer(phone, shop) == customer(mail, shop))
  }

  @Test("whom an agent took apart meanwhile, a mark taken back leaves apart")
  func split() throws {
    let shop = try Shop()
    let jo = try shop.open([phone, mail])
    _ = try shop.open([phone, card])
    let page = try shop.call("GET", "/v1/customers/\(jo.customer)", by: shop.ann)
    #expect(page.list("joined").count == 2)
    try share(phone, of: jo.customer, shop)
    let (one, other) = (try record(phone, shop), try record(card, shop))
    let merged = try shop.call(
      "POST", "/v1/customers/\(one)/merge", ["with": other, "reason": "hers"], by: shop.boss)
    let parted = try shop.call(
      "POST", "/v1/customers/\(one)/split", ["from": other, "reason": "not hers"], by: shop.boss)
    #expect(merged.status == 200 && parted.status == 200)
    try share(phone, of: one, shop, decision: "unshare")
    #expect(try customer(phone, shop) == customer(mail, shop))
    #expect(try customer(phone, shop) != customer(card, shop))
  }

  @Test("of very many people, each is told once that they are no longer one")
  func many() throws {
    let shop = try Shop()
    var talks: [Shop.Talk] = []
    for n in 1...40 {
      let talk = try shop.open([("email", "p\(n)@home.example"), phone])
      try shop.leaves(talk, "bot_ended")
      talks.append(talk)
    }
    let last = try shop.open([("email", "p1@home.example")])
    #expect(last.customer == talks[39].customer)
    try share(phone, of: last.customer, shop)
    for n in 1...40 {
      let one = try #require(try customer(("email", "p\(n)@home.example"), shop))
      let told = try shop.timeline(one).entries("entries").filter {
        $0["kind"] as? String == "split"
      }
      #expect(told.count == 1)
      #expect((told.first?["customers"] as? [String] ?? []).count <= 20)
    }
    #expect(
      try Set((1...40).map { try customer(("email", "p\($0)@home.example"), shop) }).count == 40)
  }
}
