import Pipeline
import Service
import WebCodec

/// Rules over the administration socket: what `throughline rules` asks of a running server.
extension Administration {
  static func rules(
    _ method: String, _ path: [String], _ query: QueryParameters, _ body: [UInt8], _ edge: Edge,
    by who: String,
    _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) {
    let writer = try workspace(query["workspace"], edge)
    let request: RulesRequest
    switch (method, path.dropFirst().first) {
    case ("GET", nil): request = .show(version: nil)
    case ("GET", let version?):
      guard let version = UInt32(version) else { throw .notFound("version of the rules") }
      request = .show(version: version)
    case ("POST", nil): request = try API.rulesRequest("publish", body)
    case ("POST", let what?): request = try API.rulesRequest(what, body)
    default: throw .noPage
    }
    edge.workspaces?.answer(request, nil, writer, by: who, reply)
  }
}
