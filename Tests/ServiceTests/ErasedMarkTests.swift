import Continuity
import Foundation
import Model
import Testing

@testable import Service

struct ErasedMarkTests {
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
