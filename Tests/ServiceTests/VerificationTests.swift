import Continuity
import Foundation
import Model
import Service
import Testing

/// Identities that somebody has checked.
struct VerificationTests {
  let phone = ("phone", "+15551234567")

  private func verified(
    _ shop: Shop, _ evidence: String?, by bot: Caller, kind: String = "phone",
    _ value: String = "+15551234567"
  ) throws -> Reply {
    var identity = shop.identity(kind, value, "verified")
    if let evidence { identity["evidence"] = evidence }
    return try shop.call("POST", "/v1/sessions", ["customer": ["identities": [identity]]], by: bot)
  }

  private func identities(_ shop: Shop, _ customer: String) throws -> [[String: Any]] {
    try shop.call("GET", "/v1/customers/\(customer)", by: shop.ann).list("identities")
  }

  private func told(_ identity: [String: Any]?) -> [String] {
    (identity?["evidence"] as? [[String: Any]] ?? []).map {
      "\($0["assurance"] ?? "") by \($0["by"] ?? ""), \($0["means"] ?? ""): \($0["detail"] ?? "–")"
    }
  }

  @Test(
    "a bot that may verify does, with what it checked kept; a later assertion takes nothing from it"
  )
  func byBot() throws {
    let shop = try Shop()
    let opened = try verified(shop, "one-time code by SMS", by: shop.webshop)
    #expect(opened.status == 201)
    let customer = try #require(opened.string("customer"))
    _ = try shop.open([phone])
    let one = try #require(try identities(shop, customer).first)
    #expect(one["assurance"] as? String == "verified")
    #expect(
      told(one) == [
        "verified by bot:webshop, verification: one-time code by SMS",
        "asserted by bot:webshop, assertion: –",
      ])
    // It joins as an assertion does.
    #expect(try shop.open([phone, ("email", "jo@home.example")]).customer == customer)
  }

  @Test("who may not verify is told so, and what would let them; who verifies must say how")
  func refusals() throws {
    let shop = try Shop()
    let asserts = try verified(shop, "code", by: shop.whatsapp)
    #expect(
      asserts.status == 403 && asserts.string("type") == "urn:throughline:problem:may-not-verify")
    #expect(
      asserts.string("detail")?.contains("assurance: verified") == true
        && asserts.string("detail")?.contains("whatsapp") == true)
    let notEvenThat = try verified(
      shop, "code", by: shop.whatsapp, kind: "email", "jo@home.example")
    #expect(
      notEvenThat.status == 403
        && notEvenThat.string("type") == "urn:throughline:problem:may-not-assert")
    let silent = try verified(shop, nil, by: shop.webshop)
    #expect(silent.status == 422 && silent.string("field") == "customer.identities[0].evidence")
    let event: [String: Any] = [
      "event": "signed_in",
      "identities": [
        ["kind": "email", "value": "jo@home.example", "assurance": "verified", "evidence": "x"]
      ],
    ]
    let journey = try shop.call("POST", "/v1/journey", event, by: shop.till)
    #expect(journey.string("type") == "urn:throughline:problem:may-not-verify")
    #expect(journey.string("field") == "identities[0].assurance")
    let unknown = try shop.call(
      "POST", "/v1/sessions",
      ["customer": ["identities": [shop.identity("phone", "+15551234567", "sure")]]],
      by: shop.webshop)
    #expect(unknown.status == 422 && unknown.string("field") == "customer.identities[0].assurance")
    // Nothing of it was kept.
    #expect(
      try shop.call("GET", "/v1/customers?kind=phone&value=%2B15551234567", by: shop.ann).status
        == 404)
  }

  @Test(
    "an agent verifies what was claimed or asserted, with evidence, and only for whom it is theirs")
  func byAgent() throws {
    let shop = try Shop()
    func verify(
      _ customer: String, _ value: (String, String),
      _ evidence: String? = "read back the code that was sent there"
    ) throws -> Reply {
      var body = ["kind": value.0, "value": value.1, "decision": "verify"]
      body["evidence"] = evidence
      return try shop.call("POST", "/v1/customers/\(customer)/identities", body, by: shop.ann)
    }
    let asserted = try shop.open([phone])
    #expect(try verify(asserted.customer, phone).string("customer") == asserted.customer)
    let one = try #require(try identities(shop, asserted.customer).first)
    #expect(one["assurance"] as? String == "verified")
    #expect(
      told(one).last
        == "verified by agent:ann, verification: read back the code that was sent there")
    // Claimed, and nobody's: theirs from now on.
    let claimed = try shop.open(claimed: [("email", "kim@home.example")])
    #expect(try verify(claimed.customer, ("email", "kim@home.example")).status == 200)
    #expect(
      try identities(shop, claimed.customer).contains { $0["assurance"] as? String == "verified" })
    #expect(try shop.open([("email", "kim@home.example")]).customer == claimed.customer)
    // Claimed, and another's: they are one.
    let stranger = try shop.open(claimed: [phone])
    #expect(try verify(stranger.customer, phone).string("customer") == asserted.customer)
    // Another's, and not even claimed.
    let other = try shop.open([("email", "lee@home.example")])
    let refused = try verify(other.customer, phone)
    #expect(
      refused.status == 404 && refused.string("type") == "urn:throughline:problem:unknown-identity")
    #expect(try verify(asserted.customer, phone, nil).string("field") == "evidence")
    // A shared one is nobody's to verify.
    let share = ["kind": "phone", "value": phone.1, "decision": "share"]
    try shop.call("POST", "/v1/customers/\(asserted.customer)/identities", share, by: shop.ann)
    #expect(try verify(asserted.customer, phone).status == 409)
  }

  @Test(
    "evidence of the format before still reads, and what an identity's assurance rests on outlives what came later"
  )
  func format() throws {
    let at = Instant(milliseconds: 1_000)
    var evidence = Evidence(
      .init(source: "bot:a", means: "assertion", assurance: .asserted, at: at))
    evidence.heard(
      .init(source: "bot:b", means: "verification", detail: "code", assurance: .verified, at: at))
    for n in 1...20 {
      evidence.heard(.init(source: "bot:\(n)", means: "assertion", assurance: .asserted, at: at))
    }
    #expect(evidence.items.count == Evidence.itemsMax)
    #expect(
      evidence.items.contains { $0.assurance == .verified }
        && evidence.items.first?.source == "bot:a")
    #expect(evidence.items.last?.source == "bot:20")
    #expect(try Evidence(decoding: evidence.encoded, assurance: .verified) == evidence)
    // Version 2: one item, `x` by `y`, asserted (2) at 1,000 ms, plain, undecided.
    let old: [UInt8] = [2, 1, 1, 0x78, 1, 0x79, 2] + [0xD0, 0x0F] + [0, 0]
    #expect(
      try Evidence(decoding: old, assurance: .asserted).items == [
        .init(source: "x", means: "y", assurance: .asserted, at: at)
      ])
  }
}
