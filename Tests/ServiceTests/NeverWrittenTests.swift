import Channels
import Continuity
import Expressions
import Foundation
import Model
import Testing
import WebCodec

@testable import Service

/// Card numbers and their like are taken out of words, and of nothing that tells one thing or
/// person from another.
struct NeverWrittenTests {
  static let card = "4111111111111111"

  @Test("identities stay as they are: strangers whose ids look like card numbers are two people")
  func strangers() throws {
    let shop = try Shop()
    let pattern = try TextPattern(#"KD-\d{6}"#)
    shop.api.redactor = Redactor(
      patterns: [.init(name: "customer number", places: pattern.places)])
    let pairs = [
      (("chat", "4915123456001"), ("chat", "4915123456019")),
      (("external", "KD-123456"), ("external", "KD-654321")),
    ]
    for (a, b) in pairs {
      let mine = try shop.open([a])
      try shop.says("my diagnosis is private", mine)
      let theirs = try shop.open([b])
      #expect(mine.customer != theirs.customer)
      #expect(!theirs.opened.text.contains("private"))
      let page = try shop.call("GET", "/v1/customers/\(mine.customer)", by: shop.ann)
      #expect(page.list("identities").first?["value"] as? String == a.1)
      let found = try shop.call(
        "GET", "/v1/customers?kind=\(b.0)&value=\(b.1)", by: shop.ann)
      #expect(found.string("id") == theirs.customer)
    }
  }

  @Test("ids that callers give stay as they are: no line is lost, and a call's events find it")
  func ids() throws {
    let shop = try Shop()
    let chat = try shop.open([("email", "jo@home.example")])
    for (number, id) in ["4512345678900004", "4512345678900012"].enumerated() {
      let body = ["author": "customer", "text": "words \(number)", "id": id]
      #expect(
        try shop.call("POST", "/v1/sessions/\(chat.session)/messages", body, by: shop.webshop)
          .status == 201)
    }
    let lines = ["4512345678900020", "4512345678900038", "4512345678900046"].map { id in
      ["author": "customer", "text": "line \(id.suffix(2))", "id": id]
    }
    #expect(try shop.handsOver(chat, ["transcript": lines]).status == 201)
    #expect(
      try shop.timeline(chat.customer).entries("entries").texts
        == ["words 0", "words 1", "line 20", "line 38", "line 46"])
    for id in ["4512345678901234", "4512345678901242"] {
      let call = ["call": id, "from": "+1202555014\(id.suffix(1))", "to": "+18005551212"]
      #expect(try shop.call("POST", "/v1/calls", call, by: shop.pbx).status == 200)
      #expect(
        try shop.call("POST", "/v1/calls/\(id)/events", ["event": "waiting"], by: shop.pbx).status
          == 200)
    }
  }

  @Test("numbers with a fraction are no card numbers, and whole ones are")
  func numbers() throws {
    func kept(_ json: String) throws -> String {
      let value = Redactor().json(try JSONValue(parsing: Array(json.utf8)))
      return String(decoding: value.encoded, as: UTF8.self)
    }
    for plain in [
      "0.4221165755827173", "41.11111111111111", "4111111111111111e2", "4.111111111111111e15",
      "-4111111111111111", "4711", "[true,null]", #""plain ä""#,
    ] {
      #expect(try kept(plain) == plain)
    }
    #expect(
      try kept(#"{"n":[4111111111111111,4711],"4111111111111111":"it's 5555-5555-5555-4444"}"#)
        == #"{"n":["[card number removed]",4711],"[card number removed]":"it's [card number removed]"}"#
    )
    // Names that become alike: no value is lost.
    #expect(
      try kept(#"{"4111111111111111":1,"5555555555554444":2}"#)
        == #"{"[card number removed]":1,"[card number removed] (2)":2}"#)
    let shop = try Shop()
    let chat = try shop.open([("email", "jo@home.example")])
    let fields: [String: Any] = [
      "order": ["value": "17", "confidence": 0.4221165755827173] as [String: Any],
      "lat": 48.137154326171875,
    ]
    #expect(
      try shop.call(
        "POST", "/v1/sessions/\(chat.session)/learned", ["fields": fields], by: shop.webshop
      ).status == 201)
  }

  @Test("wherever words come in, no card number of theirs is in any file")
  func everywhere() throws {
    let shop = try Shop()
    let card = Self.card
    func call(
      _ method: String, _ target: String, _ body: [String: Any], by caller: Caller,
      status: ClosedRange<Int> = 200...201
    ) throws {
      let reply = try shop.call(method, target, body, by: caller)
      #expect(status.contains(reply.status), "\(target): \(reply.text)")
    }
    let opened = try shop.call(
      "POST", "/v1/sessions",
      [
        "customer": [
          "name": "Jo \(card)", "attributes": ["pays \(card)": "by \(card)"],
          "identities": [
            [
              "kind": "email", "value": "jo@home.example", "assurance": "verified",
              "evidence": "read \(card)",
            ]
          ],
        ] as [String: Any], "context": ["page": ["of \(card)", 4_111_111_111_111_111]],
      ], by: shop.webshop)
    let session = "/v1/sessions/" + (opened.string("session") ?? "")
    let customer = "/v1/customers/" + (opened.string("customer") ?? "")
    let learned: [String: Any] = [
      "fields": ["card \(card)": ["value": card, "confidence": 0.5, "source": "of \(card)"]],
      "wants": "to pay \(card)", "sentiment": "angry \(card)", "tried": [card], "promised": [card],
    ]
    try call(
      "POST", session + "/messages", ["author": "customer", "text": "it is \(card)."],
      by: shop.webshop)
    try call("POST", session + "/learned", learned, by: shop.webshop)
    try call(
      "POST", session + "/handoff",
      learned.merging([
        "reason": "pays by \(card)", "summary": "has \(card)",
        "transcript": [["author": "bot", "text": "so \(card)?"]],
      ]) { $1 }, by: shop.webshop)
    let offer = try shop.takes(shop.ann)
    try call(
      "POST", "/v1/journey",
      [
        "event": "paid \(card)", "detail": ["by": card, "n": 4_111_111_111_111_111],
        "attributes": ["last": card],
        "identities": [["kind": "external", "value": "card-1", "assurance": "asserted"]],
      ], by: shop.till)
    try call(
      "POST", "/v1/calls",
      [
        "call": "c1", "from": "+12025550143", "to": "+18005551212", "caller_name": "Jo \(card)",
        "reason": "asks \(card)", "known": ["card": card],
      ], by: shop.pbx)
    try call(
      "POST", "/v1/calls/c1/events", ["event": "speech", "text": "my \(card)"], by: shop.pbx)
    try call("POST", "/v1/calls/c1/events", ["event": "digits", "digits": card], by: shop.pbx)
    let aCase = "/v1/cases/" + (offer.string("case") ?? "")
    try call("POST", aCase + "/note", ["text": "note \(card)"], by: shop.ann)
    try call("POST", aCase + "/reply", ["text": "reply \(card)"], by: shop.ann)
    let conversation = "/v1/conversations/" + (offer.string("conversation") ?? "")
    try call("POST", conversation + "/tags", ["tags": [card]], by: shop.ann, status: 422...422)
    try call(
      "POST", conversation + "/tags", ["tags": ["paid"], "reason": "for \(card)"], by: shop.ann)
    try call(
      "DELETE", conversation + "/tags/paid", ["reason": "not \(card)"], by: shop.ann)
    try call("POST", aCase + "/hand-back", ["summary": "is \(card)"], by: shop.ann)
    try call(
      "POST", customer + "/attributes", ["attributes": ["card": card], "reason": "said \(card)"],
      by: shop.ann)
    let phone = ["kind": "phone", "value": "+12025550143"]
    let caller = try shop.call("GET", "/v1/customers?kind=phone&value=%2B12025550143", by: shop.ann)
    try call(
      "POST", "/v1/customers/\(caller.string("id") ?? "")/identities",
      phone.merging(["decision": "verify", "evidence": "called \(card)"]) { $1 }, by: shop.ann)
    let merge = ["with": caller.string("id") ?? "", "reason": "one \(card)"]
    try call("POST", customer + "/merge", merge, by: shop.ann)
    try call(
      "POST", customer + "/split", ["from": merge["with"] ?? "", "reason": "two \(card)"],
      by: shop.boss)
    try call(
      "PUT", "/v1/agents/me/status", ["status": "lunch", "reason": "with \(card)"], by: shop.ann)
    shop.store.close()
    let folder = shop.folder
    var bytes = 0
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      let file = FileManager.default.contents(atPath: "\(folder)/\(path)") ?? Data()
      bytes += file.count
      #expect(file.range(of: Data(card.utf8)) == nil, "\(path)")
    }
    #expect(bytes > 100_000)
  }

  @Test("nor in the name of a mail's author, of an attachment, of a caller")
  func names() throws {
    let shop = try Shop()
    let card = Self.card
    let mail = [
      "From: Jo \(card) <jo@home.example>", "To: help@shop.example", "Subject: card \(card)",
      "Message-ID: <1@home.example>", "MIME-Version: 1.0",
      "Content-Type: multipart/mixed; boundary=x", "", "--x", "Content-Type: text/plain", "",
      "see the file", "--x", "Content-Type: application/pdf",
      "Content-Disposition: attachment; filename=\"card \(card).pdf\"", "", "%PDF", "--x--", "",
    ]
    try shop.deliver(Array(mail.joined(separator: "\r\n").utf8), from: "jo@home.example")
    var upload = APIRequest(
      method: "POST", path: ["v1", "blobs"], query: [("name", card)], body: Array("%PDF".utf8),
      contentType: "application/pdf; name=\"\(card)\"", idempotencyKey: nil)
    upload.fileName = "my \(card).pdf"
    #expect(try shop.perform(shop.api.handle(upload, shop.webshop), shop.webshop).status == 201)
    var phone = PhoneChannel(
      workspace: shop.workspace, defaultRegion: "US", identityKey: shop.api.identityKey)
    phone.redactor = shop.api.redactor
    let call = phone.arrival(
      .init(system: "pbx", id: "1", from: "+12025550143", to: "+18005551212", name: "Jo \(card)"))
    #expect(!String(decoding: call.members, as: UTF8.self).contains(card))
    #expect(call.attributes.map(\.value) == [Array(#""Jo [card number removed]""#.utf8)])
    shop.store.close()
    for path in try FileManager.default.subpathsOfDirectory(atPath: shop.folder) {
      let file = FileManager.default.contents(atPath: "\(shop.folder)/\(path)") ?? Data()
      #expect(file.range(of: Data(card.utf8)) == nil, "\(path)")
    }
  }
}
