import Foundation
import Model
import Pipeline
import Service
import Testing

/// Phone systems over HTTP tell everything at least once: what comes again, without a key, must not
/// be taken for something else.
struct RepeatedCallTests {
  @discardableResult
  private func arrives(_ shop: Shop, _ more: [String: Any] = ["from": "+12025550143"]) throws
    -> Reply
  {
    try shop.call("POST", "/v1/calls", ["call": "c1"].merging(more) { $1 }, by: shop.pbx)
  }

  @discardableResult
  private func tell(_ shop: Shop, _ event: [String: Any], key: String? = nil) throws -> Reply {
    try shop.call("POST", "/v1/calls/c1/events", event, by: shop.pbx, key: key)
  }

  /// A call that rings at Ann's: its offer.
  @discardableResult
  private func ringing(_ shop: Shop) throws -> String {
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.ann)
    let ring = try arrives(shop)
    #expect(ring.string("do") == "ring", "\(ring.text)")
    return try #require(ring.string("offer"))
  }

  @Test("answered, told again by the ring that they talk by, answers talk, also after a restart")
  func answeredTwice() throws {
    for isRestarted in [false, true] {
      let shop = try Shop()
      let offer = try ringing(shop)
      for _ in 1...2 {
        let told = try tell(shop, ["event": "answered", "offer": offer])
        #expect(told.status == 200 && told.string("do") == "talk", "\(told.text)")
        if isRestarted { try shop.restart() }
      }
      let kinds = try shop.timeline(try customer(shop)).entries("entries").kinds
      #expect(kinds.filter { $0 == "accepted" }.count == 1)
    }
  }

  @Test("answered by a ring that is over stays refused, in words for a phone system")
  func answeredTooLate() throws {
    let shop = try Shop()
    let first = try ringing(shop)
    let second = try tell(shop, ["event": "missed", "offer": first])
    #expect(second.status == 200)
    let late = try tell(shop, ["event": "answered", "offer": first])
    #expect(
      late.status == 409 && late.string("type")?.hasSuffix("offer-ended") == true, "\(late.text)")
    #expect(late.string("detail")?.contains("`waiting`") == true)
  }

  @Test(
    "whatever is told of a call that is over answers hang_up, and what was said last is recorded")
  func overIsOver() throws {
    let shop = try Shop()
    let offer = try ringing(shop)
    try tell(shop, ["event": "answered", "offer": offer])
    let events: [[String: Any]] = [
      ["event": "hung_up"], ["event": "hung_up"], ["event": "waiting"],
      ["event": "answered", "offer": offer],
      ["event": "missed", "offer": offer],
      ["event": "speech", "text": "and one more thing", "id": "s1"],
      ["event": "speech", "text": "and one more thing", "id": "s1"],
    ]
    for event in events {
      let told = try tell(shop, event)
      #expect(told.status == 200 && told.string("do") == "hang_up", "\(event): \(told.text)")
    }
    let entries = try shop.timeline(try customer(shop)).entries("entries")
    #expect(entries.texts == ["and one more thing"])
    #expect(entries.kinds.filter { $0 == "session_ended" }.count == 1)
    // Under a key as well: what was answered is kept, and read again.
    for _ in 1...2 {
      #expect(try tell(shop, ["event": "waiting"], key: "k").string("do") == "hang_up")
    }
  }

  @Test(
    "a call that is told of once more when it is over rings nobody, for as long as its id is remembered"
  )
  func noGhost() throws {
    let shop = try Shop()
    try ringing(shop)
    try tell(shop, ["event": "hung_up"])
    let before = try shop.timeline(try customer(shop)).entries("entries").count
    for _ in 1...2 {
      let late = try arrives(shop)
      #expect(late.status == 200 && late.string("do") == "hang_up", "\(late.text)")
      try shop.pass(.seconds(40 * 86_400))
      try shop.restart()
    }
    let entries = try shop.timeline(try customer(shop)).entries("entries")
    #expect(entries.count == before)
    #expect(try shop.call("GET", "/v1/agents/me", by: shop.ann).list("offers").isEmpty)
    let other = try shop.call(
      "POST", "/v1/calls", ["call": "c2", "from": "+12025550143"], by: shop.pbx)
    #expect(other.string("do") != "hang_up", "another call is another: \(other.text)")
  }

  @Test(
    "a call told of again with other facts is refused and changes nothing; with the same or fewer it goes on"
  )
  func otherFacts() throws {
    let shop = try Shop()
    let facts: [String: Any] = [
      "from": "+12025550143", "to": "+18005551212", "reason": "a bill",
      "known": ["a": 1, "b": "x"],
    ]
    let first = try arrives(shop, facts)
    #expect(first.string("do") == "wait")
    for same in [facts, [:], ["from": "+12025550143"], ["wait_seconds": 0]] as [[String: Any]] {
      let again = try arrives(shop, same)
      #expect(
        again.status == 200 && again.string("session") == first.string("session"),
        "\(same): \(again.text)")
    }
    for other in [
      ["from": "+12025550144"], ["to": "+18005551213"], ["reason": "a lamp"], ["known": ["a": 2]],
      ["caller_name": "Jo"],
    ] as [[String: Any]] {
      let again = try arrives(shop, facts.merging(other) { $1 })
      #expect(
        again.status == 409 && again.string("type")?.hasSuffix("id-in-use") == true,
        "\(other): \(again.text)")
      #expect(again.string("detail")?.contains("first POST") == true)
    }
    #expect(try tell(shop, ["event": "waiting"]).string("position") == first.string("position"))
  }

  @Test("a number that comes with the second telling only is not taken in silently")
  func lateNumber() throws {
    let shop = try Shop()
    #expect(try arrives(shop, [:]).status == 200)
    #expect(try arrives(shop).status == 409)
    #expect(try arrives(shop, [:]).status == 200)
  }

  @Test(
    "an unknown call is called a call; what was pressed and how sure the words are is looked at")
  func words() throws {
    let shop = try Shop()
    let unknown = try tell(shop, ["event": "waiting"])
    #expect(
      unknown.status == 404 && unknown.string("detail")?.contains("no such call") == true,
      "\(unknown.text)")
    try arrives(shop)
    for (event, type) in [
      (["event": "digits", "digits": "xyz"], "wrong-value"), (["event": "digits"], "missing-field"),
      (["event": "speech", "text": "x", "confidence": 5], "wrong-value"),
      (["event": "speech", "text": "x", "confidence": -0.1], "wrong-value"),
      (["event": "speech", "text": "x", "confidence": "sure"], "wrong-value"),
      (
        [
          "event": "voicemail", "blob": "blob_\(String(repeating: "0", count: 26))",
          "confidence": 7,
        ], "wrong-value"
      ),
    ] as [([String: Any], String)] {
      let refused = try tell(shop, event)
      #expect(
        refused.status == 422 && refused.string("type")?.hasSuffix(type) == true,
        "\(event): \(refused.text)")
    }
    for share in [0, 0.25, 1] as [Double] {
      #expect(try tell(shop, ["event": "speech", "text": "x", "confidence": share]).status == 200)
    }
  }

  private func customer(_ shop: Shop) throws -> String {
    try #require(
      try shop.call("GET", "/v1/customers?kind=phone&value=12025550143", by: shop.ann).string("id"))
  }
}
