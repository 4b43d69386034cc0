import Continuity
import Foundation
import Model
import Records
import Testing

@testable import Service

struct ErasedMarkTests {
  let phone = ("phone", "+12025550143")

  private func share(of customer: String, _ shop: Shop) throws {
    let share = [
      "kind": phone.0, "value": phone.1, "decision": "share", "reason": "of Hildegard and others",
    ]
    let path = "/v1/customers/\(customer)/identities"
    #expect(try shop.call("POST", path, share, by: shop.boss).status == 200)
  }

  private func holder(_ shop: Shop) throws -> (IdentityRow, CustomerRow) {
    let hash = try #require(shop.api.normalised(.phone, phone.1).map(shop.api.hash))
    let row = try #require(try shop.reader.identity(shop.workspace, hash: hash))
    return (row, try #require(try shop.reader.customer(shop.workspace, row.customer)))
  }

  private func says(_ words: String, _ row: CustomerRow) -> Bool {
    String(decoding: row.profile, as: UTF8.self).contains(words)
  }

  private func row(_ shop: Shop) throws -> IdentityRow? {
    let hash = try #require(shop.api.normalised(.phone, phone.1).map(shop.api.hash))
    return try shop.reader.identity(shop.workspace, hash: hash)
  }

  @Test("a shared number goes with the last one who used it, and is somebody new's from then on")
  func alone() throws {
    let shop = try Shop()
    let solo = try shop.open([("email", "solo@home.example"), phone])
    try shop.says("hello", solo)
    try share(of: solo.customer, shop)
    try shop.says("again", try shop.open([("email", "solo@home.example"), phone]))
    let before = try holder(shop)
    #expect(before.0.identity.value == phone.1 && says("Hildegard", before.1))
    #expect(try shop.erase(solo.customer) == [])
    #expect(try row(shop) == nil)
    let old = try #require(try shop.reader.customer(shop.workspace, before.1.id))
    #expect(!says("Hildegard", old))
    let left = try shop.timeline(before.1.id.description)
    #expect(!left.text.contains("Hildegard"))
    // Whoever has the number now is known by it, as anybody is.
    let next = try shop.open([phone])
    #expect(next.customer != solo.customer && next.customer != before.1.id.description)
    try shop.says("good day", next)
    try shop.restart()
    #expect(try shop.open([phone]).customer == next.customer)
    #expect(try row(shop)?.isShared == false)
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("a shared number stays with the others who use it, and whoever erases is told")
  func others() throws {
    let shop = try Shop()
    let first = try shop.open([("email", "ada@home.example"), phone])
    try shop.says("hello", first)
    try share(of: first.customer, shop)
    let other = try shop.open([("email", "bea@home.example"), phone])
    let before = try holder(shop).1
    #expect(
      try shop.erase(first.customer) == [
        .init(identity: try holder(shop).0.identity, customer: before.id)
      ])
    let after = try holder(shop)
    #expect(after.0.identity.value == phone.1)
    #expect(says("Hildegard", before) && !says("Hildegard", after.1))
    // The last of them takes it along, mark and all.
    #expect(try shop.erase(other.customer).isEmpty)
    #expect(try row(shop) == nil)
  }

  @Test("a family's phone stays marked when the one who brought it first is erased")
  func shared() throws {
    let shop = try Shop()
    let phone = ("phone", "+12025550143")
    let first = try shop.open([("email", "ada@home.example"), phone])
    let hash = try #require(shop.api.normalised(.phone, phone.1).map(shop.api.hash))
    let holder = try #require(try shop.reader.identity(shop.workspace, hash: hash)).customer
    let share = [
      "kind": "phone", "value": phone.1, "decision": "share", "reason": "of Ada and Bea",
    ]
    let path = "/v1/customers/\(first.customer)/identities"
    #expect(try shop.call("POST", path, share, by: shop.boss).status == 200)
    for _ in 1...2 {
      let receipt = try shop.store.erase(
        shop.workspace, [holder], at: shop.now, by: "administrator", upTo: nil, PersonForms.erased)
      #expect(receipt.identities <= 1)
    }
    try shop.restart()
    let mark = try #require(try shop.reader.identity(shop.workspace, hash: hash))
    #expect(mark.isShared && mark.identity.value.isEmpty)
    #expect(!String(decoding: mark.evidence, as: UTF8.self).contains("Ada"))
    let bea = try shop.open([phone, ("email", "bea@home.example")])
    let cem = try shop.open([phone, ("email", "cem@home.example")])
    #expect(bea.customer != cem.customer)
    let page = try shop.call("GET", "/v1/customers/\(holder)", by: shop.ann)
    #expect(page.status == 200 && page.list("identities").isEmpty)
    // Whose it would be nobody knows any more: so the mark stays.
    let unshare = ["kind": "phone", "value": phone.1, "decision": "unshare"]
    let refused = try shop.call(
      "POST", "/v1/customers/\(bea.customer)/identities", unshare, by: shop.boss)
    #expect(refused.status == 404)
    #expect(try shop.open([phone]).customer != holder.description)
  }
}
