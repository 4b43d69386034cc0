import Foundation
import Model
import Pipeline
import Records
import Routing
import Service
import Testing

/// What agents choose to be over HTTP: statuses of the workspace's own, why, and on which channels.
struct `Statuses and their reasons` {
  @discardableResult
  private func puts(_ shop: Shop, _ body: [String: Any], by caller: Caller? = nil) throws -> Reply {
    try shop.call("PUT", "/v1/agents/me/status", body, by: caller ?? shop.ann)
  }

  private func me(_ shop: Shop) throws -> Reply {
    try shop.call("GET", "/v1/agents/me", by: shop.ann)
  }

  private func refuses(
    _ reply: Reply, _ type: String, _ field: String, _ words: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(reply.status == 422, "\(reply.text)", sourceLocation: sourceLocation)
    #expect(
      reply.string("type") == "urn:throughline:problem:\(type)"
        && reply.string("field") == field && reply.string("detail")?.contains(words) == true,
      "\(reply.text)", sourceLocation: sourceLocation)
  }

  /// The words that are on disk of an agent's reasons, as bytes.
  private func kept(_ shop: Shop) throws -> String {
    let row = try shop.reader.key(shop.workspace, .statusReason, [0, 0, 0, 0])
    return String(decoding: row ?? [], as: UTF8.self)
  }

  @Test func `an agent is what they choose, and why is shown to them and to supervisors`() throws {
    let shop = try Shop()
    #expect(try puts(shop, ["status": "break", "reason": "dentist"]).status == 200)
    for page in [
      try me(shop), try shop.call("GET", "/v1/agents/ann", by: shop.boss),
    ] {
      #expect(
        page.string("status") == "break" && page.string("reason") == "dentist", "\(page.text)")
      #expect(page.string("counts_as") == nil)
    }
    try puts(shop, ["status": "coaching", "reason": "Ida's first day"])
    let all = try shop.call("GET", "/v1/agents", by: shop.boss).list("agents")
    #expect(all.map { $0["status"] as? String } == ["coaching", "offline"])
    #expect(all.map { $0["counts_as"] as? String } == ["busy", nil])
    #expect(all.map { $0["reason"] as? String } == ["Ida's first day", nil])
    #expect(try !kept(shop).contains("dentist"), "what no longer holds is not kept")
    try shop.restart()
    #expect(try me(shop).string("status") == "coaching")
    #expect(try me(shop).string("reason") == "Ida's first day")
    #expect(try shop.rows() == shop.replayed())
    try puts(shop, ["status": "available"])
    #expect(try me(shop).string("reason") == nil)
    #expect(try kept(shop).isEmpty)
    for record in try shop.reader.log(shop.workspace, after: 0, limit: 1_000) {
      let log = String(decoding: record.bytes, as: UTF8.self)
      #expect(!log.contains("dentist") && !log.contains("Ida"), "no words in the log")
    }
  }

  @Test func `what cannot be chosen is refused in words`() throws {
    let shop = try Shop()
    let known = "available, busy, break, meeting, training, offline, coaching, lunch, mail_only"
    refuses(try puts(shop, ["status": "lunhc"]), "unknown-status", "status", "there are \(known)")
    refuses(
      try puts(shop, ["status": "lunhc"]), "unknown-status", "status", "did you mean \"lunch\"?")
    refuses(
      try puts(shop, ["status": "coaching"]), "missing-field", "reason", "coaching needs a reason")
    refuses(
      try puts(shop, ["status": "break", "reason": " "]), "missing-field", "reason", "empty")
    refuses(
      try puts(shop, ["status": "break", "reason": String(repeating: "x", count: 300)]), "too-long",
      "reason", "256")
    refuses(
      try puts(shop, ["status": "break", "channels": []]), "wrong-value", "channels", "at least one"
    )
    refuses(
      try puts(shop, ["status": "break", "channels": ["fax"]]), "wrong-value", "channels", "phone")
    refuses(
      try puts(shop, ["status": "mail_only", "channels": ["phone"]]), "wrong-value", "status",
      "mail_only counts as available")
    refuses(
      try puts(shop, ["status": "break", "channels": ["phone"], "lease_seconds": 60]),
      "wrong-value", "lease_seconds", "leave channels out")
    let finish = try shop.call(
      "POST", "/v1/agents/me/finish", ["status": "mail_only"], by: shop.ann)
    refuses(finish, "wrong-value", "status", "takes no cases: break, busy, coaching")
    #expect(try me(shop).string("status") == "offline")
    #expect(APIProblem(.unknownStatus, owner: nil, epoch: nil).type == "unknown-status")
  }

  @Test func `a channel has a status and a reason of its own`() throws {
    let shop = try Shop()
    try puts(shop, ["status": "available"])
    #expect(
      try puts(shop, ["status": "break", "channels": ["phone"], "reason": "no voice"]).status
        == 200)
    var page = try me(shop)
    #expect(page.string("status") == "available" && page.string("reason") == nil)
    #expect(page.flag("channels", "phone", "wanted") == false)
    #expect(
      page.string("channels", "phone", "status") == "break"
        && page.string("channels", "phone", "reason") == "no voice", "\(page.text)")
    #expect(page.string("channels", "chat", "status") == nil)
    // It stays, and so do its words, when they go to lunch and come back.
    try puts(shop, ["status": "lunch", "reason": "soup"])
    #expect(try kept(shop).contains("no voice") && kept(shop).contains("soup"))
    try puts(shop, ["status": "available"])
    try shop.restart()
    page = try me(shop)
    #expect(page.string("channels", "phone", "reason") == "no voice")
    #expect(try !kept(shop).contains("soup"))
    try puts(shop, ["status": "available", "channels": ["phone"]])
    page = try me(shop)
    #expect(
      page.flag("channels", "phone", "wanted") == true
        && page.string("channels", "phone", "status") == nil)
    #expect(try kept(shop).isEmpty)
  }

  @Test func `a status that counts as available brings cases of its channels alone`() throws {
    let shop = try Shop()
    try shop.handsOver(try shop.open())
    try puts(shop, ["status": "mail_only"])
    #expect(try me(shop).flag("channels", "chat", "wanted") == false)
    #expect(try shop.call("POST", "/v1/agents/me/next", by: shop.ann).status == 204)
    try shop.mail(from: "jo@home.example", subject: "lamp", id: "1@home.example", "help")
    #expect(
      try shop.call("POST", "/v1/agents/me/next", by: shop.ann).string("channel") == "email")
  }

  @Test func `who finishes says why, and it is shown before and after`() throws {
    let shop = try Shop()
    try shop.handsOver(try shop.open())
    let id = try #require(try shop.takes(shop.ann).string("case"))
    let asked = ["status": "lunch", "reason": "soup"]
    try shop.call("POST", "/v1/agents/me/finish", asked, by: shop.ann)
    #expect(
      try me(shop).string("then") == "lunch" && me(shop).string("then_reason") == "soup"
        && me(shop).string("reason") == nil)
    try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
    #expect(try me(shop).string("status") == "lunch" && me(shop).string("reason") == "soup")
  }

  @Test func `an agent is told what they may choose`() throws {
    let shop = try Shop()
    let choices = try me(shop).list("statuses")
    #expect(choices.map { $0["status"] as? String }.last == "mail_only")
    let coaching = try #require(choices.first { $0["status"] as? String == "coaching" })
    #expect(
      coaching["title"] as? String == "Coaching" && coaching["counts_as"] as? String == "busy"
        && coaching["reason"] as? String == "required")
    #expect(choices.last?["channels"] as? [String] == ["email"])
    #expect(try shop.call("GET", "/v1/agents/ann", by: shop.boss).list("statuses").isEmpty)
  }

  @Test func `the same words once more write nothing, and a repeated key gets the first answer`()
    throws
  {
    let shop = try Shop()
    try puts(shop, ["status": "break", "reason": "dentist"])
    let head = shop.pipeline.head.position
    let before = try shop.replayed()
    try puts(shop, ["status": "break", "reason": "dentist"])
    #expect(try shop.replayed() == before)
    let log = try shop.reader.log(shop.workspace, after: head, limit: 10)
    #expect(try log.allSatisfy { try $0.routerEvents().isEmpty })
    let body: [String: Any] = ["status": "lunch", "reason": "soup"]
    for _ in 1...2 {
      let reply = try shop.call("PUT", "/v1/agents/me/status", body, by: shop.ann, key: "k1")
      #expect(reply.status == 200)
    }
    #expect(try me(shop).string("reason") == "soup")
  }

  @Test func `a case on hold says so, also after a restart, until its agent comes back`() throws {
    let shop = try Shop()
    try shop.handsOver(try shop.open())
    let id = try #require(try shop.takes(shop.ann).string("case"))
    let idle = try shop.call("POST", "/v1/cases/\(id)/unhold", by: shop.ann)
    #expect(idle.status == 409 && idle.string("detail") == "the case is not on hold")
    let held = try shop.call("POST", "/v1/cases/\(id)/hold", ["seconds": 60], by: shop.ann)
    #expect(held.status == 200)
    #expect(try shop.call("POST", "/v1/cases/\(id)/hold", by: shop.ann).status == 422)
    #expect(
      try shop.call("POST", "/v1/cases/\(id)/hold", ["seconds": 60], by: shop.bob).status == 403)
    try shop.restart()
    #expect(try me(shop).list("cases").first?["state"] as? String == "assigned")
    #expect(try me(shop).list("cases").first?["held_until"] != nil)
    #expect(try shop.rows() == shop.replayed())
    #expect(try shop.call("POST", "/v1/cases/\(id)/unhold", by: shop.ann).status == 200)
    #expect(try me(shop).list("cases").first?["held_until"] == nil)
    let case_ = try shop.call("GET", "/v1/cases/\(id)", by: shop.ann)
    #expect(case_.text.contains("\"hold_ended\""), "\(case_.text)")
  }
}
