import Model
import Pipeline
import Routing
import Service
import System
import WebCodec

/// What anybody may see: what this is, and whether it is well.
enum OpenPages {
  /// Why it is not well may name files and addresses: that is for those who run it.
  enum Onlooker {
    case anybody, administrator
    case caller(Caller)
  }

  static func answer(
    _ method: String, _ path: [String], _ edge: Edge, for onlooker: () -> Onlooker
  ) -> APIResponse? {
    guard path == ["health"] || path == [""] else { return nil }
    guard method == "GET" || method == "HEAD" else {
      return APIResponse(APIProblem(405, "method-not-allowed", "Method not allowed", "only GET is possible here"))
    }
    return path == [""] ? APIResponse(200, contentType: "text/plain; charset=utf-8", welcome) : health(edge, onlooker())
  }

  private static func health(_ edge: Edge, _ onlooker: Onlooker) -> APIResponse {
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
      if !isWell { $0.field("why", why ?? "nothing can be recorded just now; try again in a moment") }
    }
    return APIResponse(isWell ? 200 : 503, json: json.bytes)
  }

  private static let welcome = Array(
    """
    This is Throughline, an omnichannel conversation router: bots, mail and calls reach a human who already knows
    everything that the customer has said.

    Programs speak JSON to the pages under /v1, with "Authorization: Bearer <token>"; `throughline token create` on the
    server makes a token. GET /health says whether all is well. Every call is described in the project's docs/api.md,
    and README.md says where to begin.

    """.utf8)
}

/// Queues as people read them, and everything as Prometheus reads it.
enum Metrics {
  static func queues(_ caller: Caller, _ edge: Edge) -> APIResponse {
    guard [.agent, .supervisor, .admin, .integration].contains(caller.scope) else {
      return APIResponse(.forbidden("this needs a token of scope agent, supervisor, admin or integration"))
    }
    guard let writer = edge.writer(caller.workspace) else { return APIResponse(APIProblem.unavailable) }
    let now = Instant(milliseconds: WallClock.nowMilliseconds)
    var json = JSONWriter()
    json.object {
      $0.field("at", now.description)
      $0.field("queues", array: { array in
        for queue in statistics(writer) {
          array.object { object in
            object.field("name", queue.name)
            object.field("waiting", queue.waiting)
            object.field("offered", queue.offered)
            object.field("assigned", queue.assigned)
            object.field("oldest_seconds", queue.oldest.map { max(0, (now - $0).milliseconds / 1_000) } ?? 0)
            object.field("accepted", queue.accepted)
            object.field("accepted_in_time", queue.acceptedInTime)
            object.field("abandoned", queue.abandoned)
            object.field("agents", object: { agents in
              agents.field("members", queue.agents.members)
              agents.field("ready", queue.agents.ready)
              agents.field("not_available", queue.agents.notAvailable)
              agents.field("not_present", queue.agents.notPresent)
              agents.field("not_asking", queue.agents.notAsking)
              agents.field("full", queue.agents.full)
              agents.field("on_call", queue.agents.onCall)
            })
          }
        }
      })
    }
    return APIResponse(200, json: json.bytes)
  }

  static func statistics(_ writer: Writer) -> [QueueStatistics] {
    writer.peek { pipeline in
      pipeline.router.queueIDs.compactMap { pipeline.router.statistics($0) }.filter { !$0.isRetired || $0.waiting > 0 }
    }
  }

  static func answer(_ caller: Caller, _ edge: Edge) -> APIResponse {
    guard [.supervisor, .admin].contains(caller.scope) else {
      return APIResponse(.forbidden("this needs a token of scope supervisor or admin"))
    }
    return APIResponse(200, contentType: "text/plain; version=0.0.4; charset=utf-8", Array(text(edge, only: caller.scope == .admin ? nil : caller.workspace).utf8))
  }

  /// The exposition format of Prometheus, version 0.0.4.
  static func text(_ edge: Edge, only workspace: WorkspaceID?) -> String {
    var out = ""
    func gauge(_ name: String, _ help: String, _ type: String, _ lines: [(labels: String, value: String)]) {
      out += "# HELP throughline_\(name) \(help)\n# TYPE throughline_\(name) \(type)\n"
      for line in lines { out += "throughline_\(name)\(line.labels.isEmpty ? "" : "{\(line.labels)}") \(line.value)\n" }
    }
    let now = Instant(milliseconds: WallClock.nowMilliseconds)
    var queues: [(workspace: String, queue: QueueStatistics)] = []
    for writer in edge.writers where workspace == nil || writer.workspace == workspace { queues += statistics(writer).map { (writer.name, $0) } }
    func each(_ value: (QueueStatistics) -> String) -> [(labels: String, value: String)] {
      queues.map { ("workspace=\"\(escaped($0.workspace))\",queue=\"\(escaped($0.queue.name))\"", value($0.queue)) }
    }
    gauge("queue_waiting", "Cases that wait.", "gauge", each { "\($0.waiting)" })
    gauge("queue_offered", "Cases that are offered.", "gauge", each { "\($0.offered)" })
    gauge("queue_assigned", "Cases that an agent has.", "gauge", each { "\($0.assigned)" })
    gauge(
      "queue_oldest_seconds", "How long the oldest case has waited.", "gauge",
      each { "\($0.oldest.map { max(0, (now - $0).milliseconds / 1_000) } ?? 0)" })
    gauge("queue_agents_ready", "Agents who could take a case now.", "gauge", each { "\($0.agents.ready)" })
    gauge("queue_accepted_total", "Cases accepted.", "counter", each { "\($0.accepted)" })
    gauge(
      "queue_accepted_in_time_total", "Cases accepted within the service level.", "counter",
      each { "\($0.acceptedInTime)" })
    gauge("queue_abandoned_total", "Cases whose customer left first.", "counter", each { "\($0.abandoned)" })
    let health = edge.health.now
    gauge("up", "Whether what is acknowledged can be made durable.", "gauge", [("", health.trouble == nil ? "1" : "0")])
    gauge("commits_total", "Transactions made durable.", "counter", [("", "\(health.commits)")])
    gauge("commands_total", "Commands made durable.", "counter", [("", "\(health.commands)")])
    gauge("commit_failures_total", "Transactions that failed.", "counter", [("", "\(health.failures)")])
    SocketMetrics.add(edge, gauge)
    let facts = ProcessFacts.now()
    gauge("resident_bytes", "Memory in use.", "gauge", [("", "\(facts.residentBytes)")])
    gauge("open_descriptors", "Descriptors in use.", "gauge", [("", "\(facts.openDescriptors)")])
    gauge("cpu_seconds_total", "Processor time used.", "counter", [("", "\(Double(facts.cpuMilliseconds) / 1_000)")])
    return out
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
