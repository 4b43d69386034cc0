import Foundation
import Model
import Records
import Store
import Testing

@testable import Service

/// Words past their time are in no row and no file, whatever repeats them; those of others stay.
struct RetentionTests {
  /// Every file of the shop's folder that holds the text.
  private func holders(of text: String, in shop: Shop) throws -> [String] {
    try shop.store.emptyLog()
    return try FileManager.default.subpathsOfDirectory(atPath: shop.folder).filter { path in
      FileManager.default.contents(atPath: "\(shop.folder)/\(path)")?.range(of: Data(text.utf8))
        != nil
    }
  }

  /// Somebody who chats, writes, calls and buys.
  private func talks(_ shop: Shop, _ word: String, _ number: String) throws -> (
    chat: Shop.Talk, case: String, mail: ConversationID
  ) {
    let mail = "\(number)@home.example"
    let chat = try shop.open([("email", mail)])
    try shop.says("\(word)chat", chat)
    let handoff = try shop.handsOver(
      chat,
      [
        "reason": "\(word)reason", "summary": "\(word)summary", "fields": ["iban": "\(word)field"],
      ])
    let letter = try shop.mail(
      from: mail, subject: "\(word)subject", id: "1-\(number)@home.example", "\(word)mail text")
    try shop.call(
      "POST", "/v1/journey",
      [
        "event": "bought", "detail": ["what": "\(word)pill"],
        "identities": [["kind": "email", "value": mail, "assurance": "asserted"]],
      ], by: shop.till)
    try shop.call(
      "POST", "/v1/calls", ["call": number, "from": "+1202555\(number)", "to": "+18005551212"],
      by: shop.pbx)
    let upload = try Reply(shop.upload(Array("RIFF\(word)voice".utf8), by: shop.pbx))
    let left = try shop.call(
      "POST", "/v1/calls/\(number)/events",
      ["event": "voicemail", "blob": upload.string("blob") ?? "", "seconds": 3], by: shop.pbx)
    #expect(left.status == 200, "\(left.text)")
    return (chat, handoff.string("case") ?? "", letter.conversation)
  }

  private static let places = [
    "chat", "reason", "summary", "field", "subject", "mail text", "pill", "voice",
  ]

  @Test("what is past its time is in no file any more, on no page, and nothing else is gone")
  func everywhere() throws {
    let shop = try Shop()
    let old = try talks(shop, "zebra", "0143")
    shop.now = shop.now + .seconds(20 * 86_400)
    let young = try talks(shop, "quagga", "0144")
    for place in Self.places {
      #expect(try !holders(of: "zebra\(place)", in: shop).isEmpty, "\(place)")
    }
    try shop.forget(RetentionRule(age: .seconds(30 * 86_400)), after: 15)
    for place in Self.places {
      #expect(try holders(of: "zebra\(place)", in: shop) == [], "\(place)")
      #expect(try !holders(of: "quagga\(place)", in: shop).isEmpty, "\(place)")
    }
    let gone = try shop.call("GET", "/v1/cases/\(old.case)", by: shop.ann)
    #expect(gone.status == 200 && !gone.text.contains("zebra"))
    let kept = try shop.call("GET", "/v1/cases/\(young.case)", by: shop.ann)
    #expect(kept.string("handoff", "summary") == "quaggasummary")
    let thread = try shop.call("GET", "/v1/conversations/\(young.mail)", by: shop.ann)
    #expect(thread.string("subject") == "quaggasubject")
  }

  @Test("what a younger entry still says, and what the rule does not name, stays")
  func others() throws {
    let shop = try Shop()
    let jo = try talks(shop, "zebra", "0143")
    shop.now = shop.now + .seconds(20 * 86_400)
    try shop.mail(
      from: "0143@home.example", subject: "Re: zebrasubject", id: "2@home.example",
      inReplyTo: "1-0143@home.example", "more")
    let month = Duration64.seconds(30 * 86_400)
    try shop.forget(RetentionRule(age: month, kind: "journey"), after: 15)
    #expect(try holders(of: "zebrapill", in: shop) == [])
    for place in Self.places where place != "pill" {
      #expect(try !holders(of: "zebra\(place)", in: shop).isEmpty, "\(place)")
    }
    try shop.forget(RetentionRule(age: month, channel: .email), after: 15)
    #expect(try holders(of: "zebramail text", in: shop) == [])
    let thread = try shop.call("GET", "/v1/conversations/\(jo.mail)", by: shop.ann)
    #expect(thread.string("subject") == "Re: zebrasubject")
  }

  @Test("whatever somebody brought by whichever way is in their export, and in no file once erased")
  func erased() throws {
    let shop = try Shop()
    let jo = try talks(shop, "zebra", "0143")
    _ = try talks(shop, "quagga", "0144")
    let caller = try shop.call(
      "GET", "/v1/customers?kind=phone&value=%2B12025550143", by: shop.ann)
    let merge = ["with": caller.string("id") ?? ""]
    #expect(
      try shop.call("POST", "/v1/customers/\(jo.chat.customer)/merge", merge, by: shop.boss).status
        == 200)
    let root = try #require(CustomerID(jo.chat.customer))
    let export = try #require(
      try PersonExport.read(root, shop.api.directory, shop.reader, at: shop.now))
    let text = String(decoding: export.json, as: UTF8.self)
    for place in Self.places where place != "voice" { #expect(text.contains("zebra\(place)")) }
    #expect(export.attachments.count == 1 && !text.contains("quagga"))
    let records = try shop.reader.merged(shop.workspace, into: root).map(\.id)
    _ = try shop.store.erase(
      shop.workspace, records, at: shop.now, by: "administrator", upTo: nil, PersonForms.erased)
    for place in Self.places {
      #expect(try holders(of: "zebra\(place)", in: shop) == [], "\(place)")
      #expect(try !holders(of: "quagga\(place)", in: shop).isEmpty, "\(place)")
    }
  }

  @Test("a recording is exported with its caller, and erased with them")
  func recordings() throws {
    let shop = try Shop()
    _ = try talks(shop, "zebra", "0143")
    let found = try shop.call("GET", "/v1/customers?kind=phone&value=%2B12025550143", by: shop.ann)
    let caller = try #require(found.string("id").flatMap { CustomerID($0) })
    let export = try #require(
      try PersonExport.read(caller, shop.api.directory, shop.reader, at: shop.now))
    #expect(export.attachments.count == 1)
    let receipt = try shop.store.erase(
      shop.workspace, [caller], at: shop.now, by: "administrator", upTo: nil, PersonForms.erased)
    #expect(receipt.blobs == 1)
    #expect(try holders(of: "zebravoice", in: shop) == [])
  }
}
