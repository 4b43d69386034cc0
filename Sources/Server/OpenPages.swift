import Service
import WebCodec

/// What anybody may see: what this is, and whether it is well.
enum OpenPages {
  /// Why it is not well may name files and addresses: that is for those who run it.
  enum Onlooker {
    case anybody, administrator
    case caller(Caller)
  }

  static func health(_ edge: Edge, for onlooker: () -> Onlooker) -> APIResponse {
    if edge.health.isWell { return well }
    let onlooker = onlooker()
    let trouble = edge.health.now.trouble
    let outages = edge.writers.compactMap { writer in writer.outage.map { (writer.workspace, $0) } }
    let isWell = trouble == nil && outages.isEmpty
    let why: String? =
      switch onlooker {
      case .administrator: trouble ?? outages.first?.1
      case .caller(let caller) where caller.scope == .admin: trouble ?? outages.first?.1
      case .caller(let caller) where caller.scope == .supervisor:
        trouble ?? outages.first { $0.0 == caller.workspace }?.1
      case .anybody, .caller: nil
      }
    var json = JSONWriter()
    json.object {
      $0.field("status", isWell ? "ok" : "unavailable")
      if !isWell {
        $0.field("why", why ?? "nothing can be recorded just now; try again in a moment")
      }
      let damage = edge.health.now.damage.values.reduce(0, +)
      if damage > 0 { $0.field("damaged", damage) }
    }
    return APIResponse(isWell ? 200 : 503, json: json.bytes)
  }

  private static let well: APIResponse = {
    var json = JSONWriter()
    json.object { $0.field("status", "ok") }
    return APIResponse(200, json: json.bytes)
  }()

  static let welcome = APIResponse(
    200, contentType: "text/plain; charset=utf-8",
    Array(
      """
      This is Throughline, an omnichannel conversation router: bots, mail and calls reach a human who already knows
      everything that the customer has said.

      Programs speak JSON to the pages under /v1, with "Authorization: Bearer <token>"; `throughline token create` on the
      server makes a token. GET /health says whether all is well. Every call is described in the project's docs/api.md,
      and README.md says where to begin.

      """.utf8))
}
