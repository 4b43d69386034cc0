import Foundation
import Model
import Records
import Store
import Testing

@testable import Service

/// One upload may be named by entries of several people; it goes with the last of them.
struct AttachmentTests {
  private func upload(_ words: String, _ shop: Shop) throws -> String {
    let reply = try Reply(shop.upload(Array(words.utf8), by: shop.webshop))
    return try #require(reply.string("blob"))
  }

  private func shows(_ blob: String, _ talk: Shop.Talk, _ shop: Shop) throws {
    let reply = try shop.call(
      "POST", "/v1/sessions/\(talk.session)/messages",
      ["author": "bot", "text": "here you are", "attachments": [blob]], by: shop.webshop)
    #expect(reply.status == 201, "\(reply.text)")
  }

  private func erase(_ talk: Shop.Talk, _ shop: Shop) throws -> ErasureReceipt {
    let customer = try #require(CustomerID(talk.customer))
    let receipt = try shop.store.erase(
      shop.workspace, [customer], at: shop.now, by: "administrator", upTo: nil, PersonForms.erased)
    try shop.restart()
    return receipt
  }

  private func status(_ blob: String, _ shop: Shop, by caller: Caller) throws -> Int {
    try shop.call("GET", "/v1/blobs/\(blob)", by: caller).status
  }

  @Test(
    "what no type has the form of is served as bytes",
    arguments: [
      ("text/plain; charset=utf-8", true), ("image/svg+xml", true), ("application/x.y-z_1", true),
      ("text/plain ;charset=utf-8", true), ("\"", false), ("a\tb", false), ("text/", false),
      ("/plain", false), ("text", false), ("text/plain, text/html", false), ("a/b/c", false),
      ("text/plain; name=\u{FFFD}", false), ("text/plain\r\nx: y", false), ("", false),
    ])
  func servedTypes(said: String, isType: Bool) {
    #expect(API.servedType(said) == (isType ? said : "application/octet-stream"))
  }

  @Test("what was shown to two people stays until both are erased", arguments: [false, true])
  func twoPeople(isShownToOtherFirst: Bool) throws {
    let shop = try Shop()
    let gone = try shop.open([("email", "x@home.example")])
    let stays = try shop.open([("email", "y@home.example")])
    let leaflet = try upload("leaflet", shop)
    for talk in isShownToOtherFirst ? [stays, gone] : [gone, stays] {
      try shows(leaflet, talk, shop)
    }
    #expect(try erase(gone, shop).blobs == 0)
    #expect(try status(leaflet, shop, by: shop.ann) == 200)
    #expect(try status(leaflet, shop, by: shop.webshop) == 200)
    let id = try #require(BlobID(leaflet))
    let row = try shop.reader.blob(shop.workspace, id)
    #expect(row?.conversation?.description == stays.conversation)
    let customer = try #require(CustomerID(stays.customer))
    let export = try PersonExport.read(customer, shop.api.directory, shop.reader, at: shop.now)
    #expect(export?.attachments.map(\.id) == [id])
    #expect(try erase(stays, shop).blobs == 1)
    #expect(try status(leaflet, shop, by: shop.ann) == 404)
  }

  /// As a folder was before entries had keys for what they name.
  private func forgetKeys(_ blob: String, _ shop: Shop) throws {
    let id = try #require(BlobID(blob))
    let named = try shop.reader.entries(shop.workspace, naming: id)
    var commit = Commit(workspace: shop.workspace)
    commit.keys =
      named.map { KeyRow(space: .attachment, key: KeyRow.attachment(id, of: $0).key, value: nil) }
      + [KeyRow(space: .named, key: KeyRow.named(upTo: EntryID(0)).key, value: nil)]
    try shop.store.commit([commit])
    #expect(try shop.reader.entries(shop.workspace, naming: id).isEmpty && named.count == 2)
  }

  @Test("in a folder of before, too, what was shown to two people stays until both are erased")
  func olderFolder() throws {
    let shop = try Shop()
    let gone = try shop.open([("email", "x@home.example")])
    let stays = try shop.open([("email", "y@home.example")])
    let leaflet = try upload("leaflet", shop)
    for talk in [gone, stays] { try shows(leaflet, talk, shop) }
    try forgetKeys(leaflet, shop)
    #expect(try erase(gone, shop).blobs == 0)
    #expect(try status(leaflet, shop, by: shop.ann) == 200)
    #expect(try status(leaflet, shop, by: shop.webshop) == 200)
    #expect(try erase(stays, shop).blobs == 1)
    #expect(try status(leaflet, shop, by: shop.ann) == 404)
  }

  @Test("what a younger entry names stays when an old one is forgotten", arguments: [false, true])
  func younger(isOfSameConversation: Bool) throws {
    let shop = try Shop()
    let old = try shop.open([("email", "x@home.example")])
    let leaflet = try upload("leaflet", shop)
    let letter = try upload("letter", shop)
    try shows(leaflet, old, shop)
    try shows(letter, old, shop)
    shop.now = shop.now + .seconds(20 * 86_400)
    let young =
      isOfSameConversation ? old : try shop.open([("email", "y@home.example")])
    try shows(leaflet, young, shop)
    try shop.forget(RetentionRule(age: .seconds(30 * 86_400)), after: 15)
    #expect(try status(leaflet, shop, by: shop.ann) == 200)
    #expect(try status(letter, shop, by: shop.ann) == 404)
    try shop.forget(RetentionRule(age: .seconds(30 * 86_400)), after: 40)
    #expect(try status(leaflet, shop, by: shop.ann) == 404)
  }
}
