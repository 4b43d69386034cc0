import Foundation
import Model
import Records
import Service
import Store

/// What people do, in one line each.
extension Shop {
  struct Talk {
    var session: String
    var conversation: String
    var customer: String
    var opened: Reply
  }

  func identity(_ kind: String, _ value: String, _ assurance: String = "asserted") -> [String: Any]
  {
    ["kind": kind, "value": value, "assurance": assurance]
  }

  /// A chat of a customer known by these identities: `("email", "jo@home.example")`.
  func open(
    _ identities: [(String, String)] = [], claimed: [(String, String)] = [], by bot: Caller? = nil,
    resume: String? = nil,
    name: String? = nil
  ) throws -> Talk {
    var customer: [String: Any] = [
      "identities": identities.map { identity($0.0, $0.1) }
        + claimed.map { identity($0.0, $0.1, "claimed") }
    ]
    if let name { customer["name"] = name }
    var body: [String: Any] = ["customer": customer]
    if let resume { body["resume"] = resume }
    now = now + .milliseconds(1)  // who came first is older
    let reply = try call("POST", "/v1/sessions", body, by: bot ?? webshop)
    guard let session = reply.string("session"), let conversation = reply.string("conversation"),
      let person = reply.string("customer")
    else { throw Fault.refused(reply.text) }
    return Talk(session: session, conversation: conversation, customer: person, opened: reply)
  }

  @discardableResult
  func says(_ text: String, _ talk: Talk, as author: String = "customer", by bot: Caller? = nil)
    throws -> Reply
  {
    try call(
      "POST", "/v1/sessions/\(talk.session)/messages", ["author": author, "text": text],
      by: bot ?? webshop)
  }

  @discardableResult
  func handsOver(_ talk: Talk, by bot: Caller? = nil, _ more: [String: Any] = [:]) throws -> Reply {
    try call(
      "POST", "/v1/sessions/\(talk.session)/handoff",
      ["reason": "wants a person"].merging(more) { $1 }, by: bot ?? webshop)
  }

  @discardableResult
  func leaves(_ talk: Talk, _ reason: String = "customer_left", by bot: Caller? = nil) throws
    -> Reply
  {
    try call("POST", "/v1/sessions/\(talk.session)/end", ["reason": reason], by: bot ?? webshop)
  }

  /// The agent asks for a case and accepts what is offered.
  func takes(_ agent: Caller) throws -> Reply {
    try call("PUT", "/v1/agents/me/status", ["status": "available"], by: agent)
    let offer = try call("POST", "/v1/agents/me/next", by: agent)
    if let id = offer.string("offer") { try call("POST", "/v1/offers/\(id)/accept", by: agent) }
    return offer
  }

  /// What retention does so many days from now, and a start after it.
  func forget(_ rule: RetentionRule, after days: Int64) throws {
    var (look, isDone) = (RetentionLook(), false)
    while !isDone {
      isDone = try store.forgetOld(
        rule, workspace, now: now + .seconds(days * 86_400), from: &look, SearchText.retention,
        PersonForms.erased, beneath: SQLiteStore.atOnce
      ).isDone
    }
    try restart()
  }

  func timeline(_ customer: String, by caller: Caller? = nil) throws -> Reply {
    try call("GET", "/v1/customers/\(customer)/timeline?limit=1000", by: caller ?? ann)
  }
}

extension [[String: Any]] {
  var kinds: [String] { map { $0["kind"] as? String ?? "?" } }
  var texts: [String] { compactMap { $0["text"] as? String } }
}
