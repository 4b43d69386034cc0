import Continuity
import Foundation
import Model
import Pipeline
import Testing

@testable import Service

/// Every `POST` hears an `Idempotency-Key`, and knows a repeat by everything that the request says.
struct IdempotencyTests {
  private let shop: Shop
  private let caller: (String) -> Caller

  init() throws {
    let shop = try Shop()
    self.shop = shop
    caller = { who in
      switch who {
      case "till": shop.till
      case "pbx": shop.pbx
      case "root": shop.caller(.admin, "root")
      case "ann": shop.ann
      case "boss": shop.boss
      default: shop.webshop
      }
    }
  }

  /// One request a route: who may ask it, and two bodies that it takes. `{id}` is filled in by what
  /// stands before it.
  private static let routes: [(page: String, who: String, body: String, other: String)] = [
    ("sessions", "webshop", "{}", #"{"context":1}"#),
    ("sessions/{id}/messages", "webshop", said, #"{"author":"customer","text":"b"}"#),
    ("sessions/{id}/learned", "webshop", #"{"wants":"a"}"#, #"{"wants":"b"}"#),
    ("sessions/{id}/handoff", "webshop", #"{"reason":"a"}"#, #"{"reason":"b"}"#),
    ("sessions/{id}/end", "webshop", #"{"reason":"bot_ended"}"#, #"{"reason":"customer_left"}"#),
    ("blobs", "webshop", "a", "b"),
    ("agents/me/next", "ann", "", "{}"),
    ("agents/me/finish", "ann", #"{"status":"busy"}"#, #"{"status":"break"}"#),
    ("offers/{id}/accept", "ann", "", "{}"),
    ("offers/{id}/decline", "ann", "", "{}"),
    ("cases/{id}/reply", "ann", #"{"text":"a"}"#, #"{"text":"b"}"#),
    ("cases/{id}/note", "ann", #"{"text":"a"}"#, #"{"text":"b"}"#),
    ("cases/{id}/transfer", "ann", #"{"queue":"support"}"#, #"{"queue":"calls"}"#),
    ("cases/{id}/hand-back", "ann", "", #"{"summary":"b"}"#),
    ("cases/{id}/wrap-up", "ann", "", "{}"),
    ("cases/{id}/close", "ann", "", "{}"),
    ("cases/{id}/extend", "ann", #"{"seconds":1}"#, #"{"seconds":2}"#),
    ("cases/{id}/park", "ann", #"{"seconds":1}"#, #"{"seconds":2}"#),
    ("cases/{id}/resume", "ann", "", "{}"),
    ("cases/{id}/hold", "ann", #"{"seconds":1}"#, #"{"seconds":2}"#),
    ("cases/{id}/unhold", "ann", "", "{}"),
    ("cases/{id}/consult", "ann", #"{"agent":"bob","seconds":1}"#, #"{"agent":"bob","seconds":2}"#),
    ("cases/{id}/take-over", "ann", "", "{}"),
    ("cases/{id}/end-consult", "ann", "", "{}"),
    ("cases/{id}/assign", "boss", #"{"agent":"ann"}"#, #"{"agent":"bob"}"#),
    ("cases/{id}/requeue", "boss", "", "{}"),
    (
      "customers/{id}/merge", "ann", #"{"with":"\#(customer)"}"#,
      #"{"with":"\#(customer)","reason":"b"}"#
    ),
    (
      "customers/{id}/split", "ann", #"{"from":"\#(customer)"}"#,
      #"{"from":"\#(customer)","reason":"b"}"#
    ),
    (
      "customers/{id}/identities", "ann", judged,
      #"{"kind":"email","value":"b@home.example","decision":"share"}"#
    ),
    ("customers/{id}/attributes", "ann", #"{"attributes":{"a":1}}"#, #"{"attributes":{"a":2}}"#),
    (
      "conversations/{id}/join", "ann", #"{"with":"\#(conversation)"}"#,
      #"{"with":"\#(conversation)","reason":"b"}"#
    ),
    (
      "conversations/{id}/part", "ann", #"{"from":"\#(conversation)"}"#,
      #"{"from":"\#(conversation)","reason":"b"}"#
    ),
    ("conversations/{id}/tags", "ann", #"{"tags":["a"]}"#, #"{"tags":["b"]}"#),
    ("entries/{entry}/redact", "ann", #"{"words":"a"}"#, #"{"words":"b"}"#),
    ("journey", "till", #"{"event":"a",\#(who)}"#, #"{"event":"b",\#(who)}"#),
    ("calls", "pbx", #"{"call":"a"}"#, #"{"call":"b"}"#),
    ("calls/{call}/events", "pbx", #"{"event":"waiting"}"#, #"{"event":"hung_up"}"#),
    ("rules/check", "boss", "", #"{"files":{}}"#),
    ("rules/explain", "boss", #"{"facts":{}}"#, #"{"facts":{},"version":1}"#),
    ("rules", "root", #"{"files":{}}"#, #"{"files":{"queues.yaml":""}}"#),
    ("rules/rollback", "root", #"{"version":1}"#, #"{"version":2}"#),
  ]
  private static let said = #"{"author":"customer","text":"a"}"#
  private static let judged = #"{"kind":"email","value":"a@home.example","decision":"share"}"#
  private static let who =
    #""identities":[{"kind":"email","value":"a@home.example","assurance":"asserted"}]"#
  private static let customer = CustomerID(high: 9, low: 9).description
  private static let conversation = ConversationID(high: 9, low: 9).description

  private func request(_ page: String, _ body: String, key: String? = "k") -> APIRequest {
    let id: String =
      switch page.split(separator: "/")[0] {
      case "sessions": SessionID(high: 1, low: 2).description
      case "offers": OfferID(high: 1, low: 2).description
      case "cases": CaseID(high: 1, low: 2).description
      case "customers": CustomerID(high: 1, low: 2).description
      default: ConversationID(high: 1, low: 2).description
      }
    let path = "v1/\(page)".replacing("{id}", with: id).replacing("{entry}", with: "7").split(
      separator: "/"
    ).map(String.init)
    return APIRequest(
      method: "POST", path: path, query: [], body: Array(body.utf8), contentType: "text/plain",
      idempotencyKey: key)
  }

  private func key(_ request: APIRequest, by who: String = "webshop") throws -> Idempotency {
    let key: Idempotency? =
      switch shop.api.handle(request, caller(who)) {
      case .submit(_, let key, _), .next(_, _, let key, _), .call(_, _, let key, _, _),
        .keepBlob(_, _, let key),
        .rules(_, let key):
        key
      case .respond(let response):
        throw Shop.Fault.refused(String(decoding: response.body, as: UTF8.self))
      case .read, .look, .poll, .stream, .explain: nil
      }
    return try #require(key, "\(request.path)")
  }

  @Test func `every page that takes a POST takes a key`() throws {
    for (page, who, body, other) in Self.routes {
      let first = try key(request(page, body), by: who)
      #expect(try key(request(page, body), by: who) == first, "\(page)")
      let changed = try key(request(page, other), by: who)
      #expect(changed.key == first.key && changed.bodyHash != first.bodyHash, "\(page)")
      var long = request(page, body)
      long.idempotencyKey = String(repeating: "k", count: 256)
      guard case .respond(let refused) = shop.api.handle(long, caller(who)) else {
        Issue.record("\(page) takes a key of any length")
        continue
      }
      #expect(refused.status == 400, "\(page)")
    }
  }

  @Test func `the pages tried here are all that docs, api, has`() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../docs/api.md")
    var documented: Set<String> = []
    for line in try String(contentsOf: page, encoding: .utf8).split(separator: "\n") {
      guard let first = line.firstMatch(of: /`POST \/v1\/([\w\/{}-]+)/) else { continue }
      documented.insert(String(first.1))
      // `POST /v1/cases/{id}/reply`, `…/note`
      let folder = first.1.split(separator: "/").dropLast().joined(separator: "/")
      for also in line.matches(of: /`…\/([\w-]+)`/) { documented.insert("\(folder)/\(also.1)") }
    }
    #expect(documented == Set(Self.routes.map(\.page)))
  }

  @Test func `what is taken out before it is written still tells two bodies apart`() throws {
    #expect(
      Redactor().text("4111 1111 1111 1111")
        == Redactor().text("5500 0055 5555 5559"))
    func words(_ card: String) throws -> Digest {
      try key(request("sessions/{id}/messages", #"{"author":"customer","text":"\#(card)"}"#))
        .bodyHash
    }
    #expect(try words("4111 1111 1111 1111") != words("5500 0055 5555 5559"))
    #expect(try words("4111 1111 1111 1111") == words("4111 1111 1111 1111"))
  }

  @Test func `a session asked for again has the same token to resume by`() throws {
    let body: [String: Any] = ["customer": ["identities": [shop.identity("email", "a@b.example")]]]
    let answers = try (0..<2).map { _ in
      Thread.sleep(forTimeInterval: 0.01)
      return try shop.call("POST", "/v1/sessions", body, by: shop.webshop, key: "again").text
    }
    #expect(answers[0] == answers[1] && answers[0].contains("\"resume\""))
  }

  @Test func `an attachment's name and type are part of what is repeated`() throws {
    func upload(_ name: String?, _ type: String) throws -> Digest {
      var upload = request("blobs", "bytes")
      upload.fileName = name
      upload.contentType = type
      return try key(upload).bodyHash
    }
    let all = try [
      upload(nil, "text/plain"), upload("", "text/plain"), upload("a.txt", "text/plain"),
      upload("a.txt", "image/png"),
    ]
    #expect(Set(all).count == all.count)
    #expect(try upload("a.txt", "text/plain") == all[2])
  }

  @Test func `a card number cannot be guessed from what is kept of a request`() throws {
    let asked = request("sessions/{id}/messages", Self.said)
    var other = shop.api
    other.identityKey = .init(Array("another folder's key".utf8))
    guard case .submit(_, let elsewhere?, _) = other.handle(asked, caller("webshop")) else {
      throw Shop.Fault.silence
    }
    #expect(try key(asked).bodyHash != elsewhere.bodyHash)
  }
}
