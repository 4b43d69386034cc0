import Foundation
import Model
import PlainReference
import Testing
import WebCodec

@testable import Service

/// What is exported of a person, for machines and for the person.
struct ExportTests {
  private static let words = [
    "lamp", "it's \"dark\"", "a\nb\n\nc", "tab\there", "\u{1B}[31mred", "\u{202E}backwards",
    "größer 🧯", "a_b: c", "- item", "  blanks  ", "back\\slash", "<b>no</b>", "e\u{301}",
  ]

  /// Somebody who comes by every way, with words of every kind.
  private func person(_ seed: Int) throws -> (Shop, CustomerID) {
    let shop = try Shop()
    var random = Seeded(seed)
    var count = 0
    func word() -> String {
      count += 1
      return "\(Self.words.randomElement(using: &random) ?? "") \(count)"
    }
    func value(_ depth: Int) -> Any {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: return Int.random(in: -9...9, using: &random)
      case 1: return Bool.random(using: &random)
      case 2 where depth < 3: return [word(): value(depth + 1), word(): value(depth + 1)]
      case 3 where depth < 3: return [value(depth + 1), value(depth + 1)]
      default: return word()
      }
    }
    func sure() -> [String: Any] {
      ["value": value(1), "confidence": 0.5, "source": word()] as [String: Any]
    }
    let (mail, phone) = (("email", "jo@home.example"), ("phone", "+12025550143"))
    let chat = try shop.open([mail, phone], name: word())
    let session = "/v1/sessions/\(chat.session)"
    func ask(_ path: String, _ body: [String: Any], by caller: Caller) throws {
      let reply = try shop.call("POST", path, body, by: caller)
      // A bot says nothing more once a person is called for.
      #expect([200, 201, 409].contains(reply.status), "\(path): \(reply.text)")
    }
    for _ in 0..<6 {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: try shop.says(word(), chat, as: Bool.random(using: &random) ? "bot" : "customer")
      case 1:
        try ask(
          session + "/learned",
          [
            "fields": [word(): sure(), word(): value(0)], "wants": word(), "sentiment": word(),
            "tried": [word()], "promised": [word(), word()],
          ], by: shop.webshop)
      case 2:
        try ask(
          "/v1/journey",
          [
            "event": word(), "id": "\(count)", "detail": ["what": value(0), word(): word()],
            "attributes": ["tier \(count)": word()],
            "identities": [shop.identity(mail.0, mail.1)],
          ], by: shop.till)
      case 3:
        let head = [
          "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example",
          "From: Jo <jo@home.example>", "To: help@shop.example", "Cc: kim@home.example",
          "Subject: subject \(count) of a mail", "Message-ID: <\(count)@home.example>",
          "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=x", "", "--x",
          "Content-Type: text/plain; charset=utf-8", "", "own words \(count)", "",
          "> quoted \(count)", "", "-- ", "signature \(count)", "--x",
          "Content-Type: application/pdf; name=\"file \(count).pdf\"",
          "Content-Disposition: attachment; filename=\"file \(count).pdf\"", "", "%PDF \(count)",
          "--x--", "",
        ]
        count += 1
        try shop.deliver(Array(head.joined(separator: "\r\n").utf8), from: mail.1)
      case 4:
        let id = "c\(count)"
        try ask(
          "/v1/calls",
          [
            "call": id, "from": phone.1, "to": "+18005551212", "caller_name": word(),
            "reason": word(), "known": ["what": value(0)],
          ], by: shop.pbx)
        try ask(
          "/v1/calls/\(id)/events", ["event": "speech", "text": word()], by: shop.pbx)
      default:
        try ask(
          "/v1/customers/\(chat.customer)/attributes",
          ["attributes": [word(): value(0)], "reason": word()], by: shop.ann)
      }
    }
    let other = try shop.open([("external", "card-\(seed)")])
    try ask(
      "/v1/customers/\(chat.customer)/merge", ["with": other.customer, "reason": word()],
      by: shop.ann)
    try shop.handsOver(chat, ["summary": word(), "fields": [word(): sure()]])
    let offer = try shop.takes(shop.ann)
    // Nothing is offered by `next` to an agent whose phone rings.
    if let aCase = offer.string("case") {
      try ask("/v1/cases/\(aCase)/note", ["text": word()], by: shop.ann)
    }
    try ask(
      "/v1/conversations/\(chat.conversation)/tags",
      ["tags": ["warranty"], "reason": word()], by: shop.ann)
    return (shop, try #require(CustomerID(chat.customer)))
  }

  /// Each line of each text, and each name that somebody gave; not what proves, and is said by nobody.
  private func texts(_ value: JSONValue, isGiven: Bool, into found: inout Set<String>) {
    switch value {
    case .string(let text):
      for line in text.split(whereSeparator: \.isNewline) { found.insert(String(line)) }
    case .array(let values):
      for value in values { texts(value, isGiven: isGiven, into: &found) }
    case .object(let object):
      for member in object.members where !["hash", "salt"].contains(member.name) {
        if isGiven { found.insert(member.name) }
        let gives = ["fields", "detail", "known", "context"].contains(member.name)
        texts(member.value, isGiven: isGiven || gives, into: &found)
      }
    default: break
    }
  }

  @Test(
    "every text of the export for machines stands in the one for people", arguments: 1...12)
  func readable(_ seed: Int) throws {
    let (shop, customer) = try person(seed)
    let export = try #require(
      try PersonExport.read(customer, shop.api.directory, shop.reader, at: shop.now))
    let readable = try ExportText.render(export.json)
    var found: Set<String> = []
    texts(try JSONValue(parsing: export.json), isGiven: false, into: &found)
    #expect(found.count > 60)
    for text in found.sorted() where !readable.contains(PlainText.line(text)) {
      Issue.record("seed \(seed): \(text.debugDescription) is missing")
    }
    for row in export.attachments {
      #expect(readable.contains("bytes of \(row.id): attachments/\(PersonExport.fileName(row))"))
    }
    // Nothing that was said moves a terminal, or begins a line as if it were ours.
    #expect(!readable.contains("\u{1B}") && !readable.contains("\u{202E}"))
    #expect(!readable.split(separator: "\n").contains { $0 == "b" || $0 == "c" })
  }

  @Test("what is gone, or cannot be read, has its place in the export for people")
  func gone() throws {
    let page =
      #"{"count":3,"hash":"ab","entries":[{"hash":null,"entry":null,"damaged":7},"#
      + #"{"hash":"cd","entry":null},{"hash":"ef","entry":{"entry":9,"at":"2026-11-27T10:00:00.000Z","#
      + #""kind":"message","author":{"kind":"customer"},"text":"hello","attachments":["blob_x"]}}]}"#
    let text = try ExportText.render(
      Array(#"{"customer":"cust_1","identities":[],"timeline":\#(page)}"#.utf8))
    #expect(text.contains("(entry 7 is damaged and cannot be read)") && text.contains("(erased)"))
    #expect(text.contains("customer: hello [1 attached]"))
    #expect(text.contains("bytes of blob_x: not kept any more"))
    #expect(text.contains("Timeline: 3 entries") && text.contains("hash of all: ab"))
  }
}
