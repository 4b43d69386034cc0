import Continuity
import Foundation
import Model
import Records
import Testing

@testable import Service

/// Who corrects a record says why, and whoever looks sees who said so, when and why.
struct CorrectionTests {
  private func customer(_ id: String, _ shop: Shop) throws -> Reply {
    try shop.call("GET", "/v1/customers/\(id)", by: shop.boss)
  }

  private func decide(
    _ decision: String, _ identity: (String, String), of customer: String, _ shop: Shop,
    _ more: [String: Any] = [:]
  ) throws -> Reply {
    let body = ["kind": identity.0, "value": identity.1, "decision": decision]
    return try shop.call(
      "POST", "/v1/customers/\(customer)/identities", (body as [String: Any]).merging(more) { $1 },
      by: shop.ann)
  }

  @Test("why an attribute was corrected stands beside it, here and in the export, and is redacted")
  func attributes() throws {
    let shop = try Shop()
    let jo = try shop.open([("email", "jo@home.example")], name: "Joe")
    try shop.call(
      "POST", "/v1/customers/\(jo.customer)/attributes",
      ["attributes": ["name": "Jo"], "reason": "their card 4111 1111 1111 1111 says Zylophon"],
      by: shop.ann)
    func corrected() throws -> [String: Any]? {
      try customer(jo.customer, shop).list("attributes").first {
        $0["source"] as? String == "agent:ann"
      }
    }
    #expect(
      try corrected()?["reason"] as? String == "their card [card number removed] says Zylophon")
    #expect(try corrected()?["at"] as? String == shop.now.description)
    try shop.restart()
    #expect(try corrected()?["reason"] != nil)
    let id = try #require(CustomerID(jo.customer))
    let export = try #require(
      try PersonExport.read(id, shop.api.directory, shop.reader, at: shop.now))
    #expect(String(decoding: export.json, as: UTF8.self).contains("says Zylophon"))
    // What is said without a reason has none, and another one replaces it.
    try shop.call(
      "POST", "/v1/customers/\(jo.customer)/attributes", ["attributes": ["name": "Jo"]],
      by: shop.ann)
    #expect(try corrected()?["reason"] == nil)
  }

  @Test("a profile of before has attributes without a reason")
  func earlierProfile() throws {
    var profile = CustomerProfile()
    profile.set(.init(name: "name", text: "Jo", source: "agent:ann", at: Instant(milliseconds: 5)))
    // The reason is the last of an attribute: an empty text, one byte, before three empty lists.
    var bytes = profile.encoded
    bytes[0] = 4
    bytes.remove(at: bytes.count - 4)
    #expect(try CustomerProfile(decoding: bytes) == profile)
  }

  @Test(
    "why an identity was decided on is shown, with who and when",
    arguments: ["confirm", "reject", "share", "verify"])
  func decisions(_ decision: String) throws {
    let shop = try Shop()
    let mail = ("email", "jo@home.example")
    let isClaim = ["confirm", "reject"].contains(decision)
    let jo =
      try isClaim ? shop.open(claimed: [mail]) : shop.open([mail, ("phone", "+15551234567")])
    var more: [String: Any] = ["reason": "they showed Zylophon"]
    if decision == "verify" { more["evidence"] = "a code by mail" }
    let done = try decide(decision, mail, of: jo.customer, shop, more)
    #expect(done.status == 200, "\(done.text)")
    try shop.restart()
    let record = try #require(done.string("customer"))
    var found: [[String: Any]] = []
    for id in [record, jo.customer] + (try holders(shop)) {
      found += try customer(id, shop).list("identities").filter { $0["reason"] != nil }
    }
    let one = try #require(found.first)
    #expect(one["value"] as? String == mail.1 && one["decided_by"] as? String == "agent:ann")
    #expect(one["reason"] as? String == "they showed Zylophon")
    #expect(one["decided_at"] as? String == shop.now.description)
  }

  private func holders(_ shop: Shop) throws -> [String] {
    try shop.reader.identities(
      shop.workspace, like: Identity(kind: .email, value: "jo@home.example"), limit: 9
    ).map(\.customer.description)
  }

  @Test("what an earlier version kept as means is the reason")
  func earlierEvidence() throws {
    let at = Instant(milliseconds: 5)
    var evidence = Evidence(
      .init(source: "bot:webshop", means: "assertion", assurance: .claimed, at: at))
    evidence.decided = .init(source: "agent:ann", means: "a colleague", assurance: .claimed, at: at)
    #expect(evidence.reason == "a colleague")
    evidence.decided?.means = "confirmation"
    #expect(evidence.reason == "")
  }

  // MARK: - Under the spelling of an earlier version

  private let old = Identity(kind: .email, value: "a@bücher.example")
  private let new = ("email", "a@xn--bcher-kva.example")

  /// A claim as an earlier version kept it, beside the chat that it came with.
  private func claimOfBefore(_ shop: Shop, _ assurance: Assurance = .claimed) throws -> String {
    let talk = try shop.open([("chat", "browser-1")])
    let record = try #require(CustomerID(talk.customer))
    var evidence = Evidence(
      .init(source: "bot:webshop", means: "assertion", assurance: assurance, at: shop.now))
    let hash = shop.api.hash(old)
    if assurance == .claimed { evidence.standing = .plain }
    var commit = Commit(workspace: shop.workspace)
    commit.identities = [
      IdentityRow(
        hash: assurance == .claimed ? Resolution.claimHash(hash, record) : hash, customer: record,
        identity: old, assurance: assurance, evidence: evidence.encoded)
    ]
    try shop.store.commit([commit])
    try shop.restart()
    return talk.customer
  }

  @Test(
    "agents decide about what is kept under an earlier spelling by naming it as it is spelled now",
    arguments: ["confirm", "reject", "verify"])
  func spelledBefore(_ decision: String) throws {
    let shop = try Shop()
    let stranger = try claimOfBefore(shop)
    let done = try decide(
      decision, new, of: stranger, shop, decision == "verify" ? ["evidence": "a code"] : [:])
    #expect(done.status == 200, "\(done.text)")
    let hash = shop.api.hash(old)
    let record = try #require(CustomerID(stranger))
    let claim = try #require(
      try shop.reader.identity(shop.workspace, hash: Resolution.claimHash(hash, record)))
    #expect(
      claim.decodedEvidence?.standing == (decision == "reject" ? .rejected : .confirmed))
    // And it holds for whoever comes under the new one.
    let again = try shop.open([("chat", "browser-1")], claimed: [new])
    #expect(again.customer == stranger)
    let page = try customer(stranger, shop)
    #expect(page.list("suggestions").isEmpty, "\(page.text)")
    if decision != "reject" {
      #expect(try shop.open([new]).customer == stranger)
    }
  }

  @Test("a claim under the new spelling is confirmed with whoever has it under the old one")
  func confirmedAcross() throws {
    let shop = try Shop()
    let owner = try claimOfBefore(shop, .asserted)
    let stranger = try shop.open(claimed: [new])
    let page = try customer(stranger.customer, shop)
    #expect(
      page.list("suggestions").first?["customers"] as? [String] == [owner], "\(page.text)")
    #expect(try decide("confirm", new, of: stranger.customer, shop).string("customer") == owner)
    let shared = try decide("share", new, of: owner, shop)
    #expect(shared.status == 200, "\(shared.text)")
    #expect(
      try shop.reader.identity(shop.workspace, hash: shop.api.hash(old))?.isShared == true)
  }
}
