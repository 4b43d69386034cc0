import Service
import WebCodec

/// What anybody may see: whether the server is well.
enum OpenPages {
  static func answer(_ method: String, _ path: [String], _ edge: Edge) -> APIResponse? {
    guard path == ["health"] else { return nil }
    guard method == "GET" || method == "HEAD" else {
      return APIResponse(
        APIProblem(405, "method-not-allowed", "Method not allowed", "only GET is possible here"))
    }
    let trouble = edge.health.now.trouble ?? edge.writers.compactMap(\.outage).first
    var json = JSONWriter()
    json.object {
      $0.field("status", trouble == nil ? "ok" : "unavailable")
      if let trouble { $0.field("why", trouble) }
      let damage = edge.health.now.damage.values.reduce(0, +)
      if damage > 0 { $0.field("damaged", damage) }
    }
    return APIResponse(trouble == nil ? 200 : 503, json: json.bytes)
  }
}
