import Continuity
import Model
import Pipeline
import Routing

/// Words that slipped in and must not stay.
extension API {
  func redact(_ request: APIRequest, _ caller: Caller, _ number: String) throws(APIProblem)
    -> APIAction
  {
    try need(caller, .agent, .supervisor, .admin)
    guard let raw = Int64(number), raw > 0 else {
      throw APIProblem(
        404, "malformed-id", "Not an entry", "an entry is named by its number, as in its `entry`")
    }
    var fields = try Fields(request)
    guard let words = Redaction(try fields.text("words", bytesMax: Fields.Bound.textBytes)) else {
      throw fields.missing("words")
    }
    // Whoever says why may quote what must go.
    let reason = words.text(try fields.optionalWords("reason", bytesMax: 1_024) ?? "")
    try fields.end()
    let agent = caller.scope == .agent ? try agent(caller) : nil
    return .submit(
      .redact(
        RedactEntry(
          EntryID(raw), words: words, author: agent.map { .agent($0) } ?? .system,
          by: caller.signature, reason: reason)),
      request.idempotency, .direct { APIResponse($0) })
  }
}
