import Service
import WebCodec

/// What anybody may see: what this is, and whether it is well.
enum OpenPages {
  /// Why it is not well may name files and addresses: that is for those who run it.
  enum Onlooker {
    case anybody, administrator
    case caller(Caller)
  }

  /// 200 while whoever comes is served, also where something stored is damaged: nobody is to be sent
  /// elsewhere for a row that they do not need.
  static func health(_ edge: Edge, for onlooker: () -> Onlooker) -> APIResponse {
    if edge.health.isWell { return well }
    let onlooker = onlooker()
    let facts = edge.health.now
    // A writer that hangs with the disk holds what it would be asked of.
    let writers = facts.isStill ? [] : edge.writers
    let outages = writers.compactMap { writer in writer.outage.map { (writer.workspace, $0) } }
    let isServed = facts.trouble == nil && outages.isEmpty
    let clock = edge.health.clock.trouble
    let anything = facts.trouble ?? outages.first?.1 ?? degraded(facts) ?? clock
    let why: String? =
      switch onlooker {
      case .administrator: anything
      case .caller(let caller) where caller.scope == .admin: anything
      case .caller(let caller) where caller.scope == .supervisor:
        facts.trouble ?? outages.first { $0.0 == caller.workspace }?.1
          ?? facts.unserved[caller.workspace]
      case .anybody, .caller: nil
      }
    var json = JSONWriter()
    json.object {
      let isWell =
        isServed && facts.damaged.isEmpty && facts.unserved.isEmpty && facts.search == nil
        && clock == nil && facts.attachments == nil
      $0.field("status", isWell ? "ok" : isServed ? "degraded" : "unavailable")
      if !isServed {
        $0.field("why", why ?? "nothing can be recorded just now; try again in a moment")
      } else if !isWell {
        $0.field("why", why ?? "not all is as it should be; the server's log says what")
      }
      if !facts.damaged.isEmpty { $0.field("damaged", facts.damaged.count) }
      if !facts.unserved.isEmpty { $0.field("unserved_workspaces", facts.unserved.count) }
      if facts.attachments != nil { $0.field("attachments", "hanging") }
      if facts.search != nil { $0.field("search", "behind") }
      if clock != nil { $0.field("clock", "stepped back") }
    }
    return APIResponse(isServed ? 200 : 503, json: json.bytes)
  }

  /// Such as `entries 1/3 does not match its checksum, and 2 findings more; see …`.
  private static func degraded(_ facts: Health.Facts) -> String? {
    if !facts.unserved.isEmpty { return facts.unserved.values.sorted().joined(separator: "; ") }
    if let first = facts.damaged.min() {
      let more = facts.damaged.count - 1
      return first + (more > 0 ? ", and \(more) findings more" : "")
        + "; run throughline doctor, and restore the last good backup"
    }
    if let attachments = facts.attachments { return attachments }
    return facts.search.map { "the full-text index does not go on: \($0)" }
  }

  private static let well: APIResponse = {
    var json = JSONWriter()
    json.object { $0.field("status", "ok") }
    return APIResponse(200, json: json.bytes)
  }()

  /// RFC 9110 §9.3.7: what some page or other takes.
  static let methods: APIResponse = {
    var response = APIResponse(204, contentType: "application/json", [])
    response.headers = [.init("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS")]
    return response
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
