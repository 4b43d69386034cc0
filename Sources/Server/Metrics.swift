import Model
import Pipeline
import Routing
import Service
import System
import WebCodec

/// Queues as people read them, and everything as Prometheus reads it.
///
/// Both tell of the live state, so that they leave only when what they tell is on disk.
struct Metrics {
  var response: APIResponse
  /// Whose state it tells of.
  var writers: [Writer] = []

  /// `GET /v1/queues`. An admin may name another workspace than the token's own.
  static func queues(_ caller: Caller, _ name: String?, _ edge: Edge) -> Metrics {
    guard [.agent, .supervisor, .admin, .integration].contains(caller.scope) else {
      return Metrics(
        response: APIResponse(
          .forbidden("this needs a token of scope agent, supervisor, admin or integration")))
    }
    guard let writer = name.map({ edge.workspace(named: $0) }) ?? edge.writer(caller.workspace)
    else {
      return Metrics(response: APIResponse(.notFound("workspace")))
    }
    guard writer.workspace == caller.workspace || caller.scope == .admin else {
      return Metrics(
        response: APIResponse(
          .forbidden("only a token of scope admin sees another workspace's queues")))
    }
    let now = edge.health.clock.now
    let queues = QueueView.all(writer, edge, at: now)
    var json = JSONWriter()
    json.object {
      $0.field("at", now.description)
      $0.field("workspace", writer.name)
      $0.field(
        "queues",
        array: { array in for queue in queues { array.object { append(queue, now, &$0) } } })
    }
    return Metrics(response: APIResponse(200, json: json.bytes), writers: [writer])
  }

  private static func append(_ queue: QueueView, _ now: Instant, _ object: inout JSONWriter) {
    let counts = queue.counts
    object.field("name", counts.name)
    if counts.isRetired { object.field("in_rules", false) }
    object.field("waiting", counts.waiting)
    object.field("offered", counts.offered)
    object.field("assigned", counts.assigned)
    object.field("oldest_seconds", queue.oldestSeconds(now))
    object.field("estimated_wait", raw: queue.wait.json)
    object.field("accepted", counts.accepted)
    object.field("accepted_in_time", counts.acceptedInTime)
    object.field("abandoned", counts.abandoned)
    object.field(
      "service_level",
      object: { level in
        level.field("within_seconds", queue.targetSeconds)
        if let percent = queue.targetPercent { level.field("target_percent", percent) }
        level.key("reached_percent")
        if let reached = queue.reachedPerMille {
          level.raw(decimal(reached, 10).utf8)
        } else {
          level.null()
        }
      })
    object.field(
      "agents",
      object: { agents in
        agents.field("members", counts.agents.members)
        agents.field("ready", queue.ready)
        agents.field(
          "ready_for",
          object: { ready in
            ready.field("chat", counts.agents.readyFor.chat)
            ready.field("email", counts.agents.readyFor.email)
            ready.field("phone", counts.agents.readyFor.phone)
          })
        agents.field("not_available", counts.agents.notAvailable)
        agents.field("not_present", counts.agents.notPresent)
        agents.field("not_asking", counts.agents.notAsking)
        agents.field("full", counts.agents.full)
        agents.field("on_call", counts.agents.onCall)
      })
  }

  /// `GET /metrics`: a supervisor sees the workspace of the token, an admin all of them.
  static func prometheus(_ caller: Caller, _ edge: Edge) -> Metrics {
    guard [.supervisor, .admin].contains(caller.scope) else {
      return Metrics(
        response: APIResponse(.forbidden("this needs a token of scope supervisor or admin")))
    }
    let writers = edge.writers.filter { caller.scope == .admin || $0.workspace == caller.workspace }
    let now = edge.health.clock.now
    let text = text(edge, writers.flatMap { QueueView.all($0, edge, at: now) }, now)
    return Metrics(
      response: APIResponse(
        200, contentType: "text/plain; version=0.0.4; charset=utf-8", Array(text.utf8)),
      writers: writers)
  }

  /// The exposition format of Prometheus, version 0.0.4.
  private static func text(_ edge: Edge, _ queues: [QueueView], _ now: Instant) -> String {
    var out = ""
    func series(
      _ name: String, _ help: String, _ type: String, _ lines: [(labels: String, value: String)]
    ) {
      out += "# HELP throughline_\(name) \(help)\n# TYPE throughline_\(name) \(type)\n"
      for line in lines {
        out += "throughline_\(name)\(line.labels.isEmpty ? "" : "{\(line.labels)}") \(line.value)\n"
      }
    }
    func labels(_ queue: QueueView) -> String {
      "workspace=\"\(escaped(queue.workspace))\",queue=\"\(escaped(queue.counts.name))\""
    }
    func each(_ value: (QueueView) -> String?) -> [(labels: String, value: String)] {
      queues.compactMap { queue in value(queue).map { (labels(queue), $0) } }
    }
    series("queue_waiting", "Cases that wait.", "gauge", each { "\($0.counts.waiting)" })
    series(
      "queue_stranded", "Cases in a queue that the rules no longer have: nobody is offered them.",
      "gauge", each { "\($0.counts.isRetired ? $0.counts.waiting : 0)" })
    series("queue_offered", "Cases that are offered.", "gauge", each { "\($0.counts.offered)" })
    series("queue_assigned", "Cases that an agent has.", "gauge", each { "\($0.counts.assigned)" })
    series(
      "queue_oldest_seconds", "How long the oldest case has waited.", "gauge",
      each { "\($0.oldestSeconds(now))" })
    series(
      "queue_estimated_wait_seconds",
      "How long a case that comes now will probably wait; absent while that is unknown.", "gauge",
      each {
        if case .about(let expected, _, _) = $0.wait { "\(expected.roundedSeconds)" } else { nil }
      })
    series(
      "queue_agents_ready",
      "Agents who could take a case now, of the channels that the queue has open cases of.",
      "gauge", each { "\($0.ready)" })
    series(
      "queue_agents_ready_for_channel", "Agents who could take a case of this channel now.",
      "gauge",
      queues.flatMap { queue in
        Channel.allCases.map {
          ("\(labels(queue)),channel=\"\($0.name)\"", "\(queue.counts.agents.readyFor[$0])")
        }
      })
    series("queue_accepted_total", "Cases accepted.", "counter", each { "\($0.counts.accepted)" })
    series(
      "queue_accepted_in_time_total", "Cases accepted within the service level.", "counter",
      each { "\($0.counts.acceptedInTime)" })
    series(
      "queue_abandoned_total", "Cases whose customer left first.", "counter",
      each { "\($0.counts.abandoned)" })
    series(
      "queue_service_level_ratio",
      "Share taken in time of all taken or abandoned, since the queue began.",
      "gauge",
      each { $0.reachedPerMille.map { decimal($0, 1_000) } })
    series(
      "queue_service_level_target_ratio", "The share that is aimed at.", "gauge",
      each { $0.targetPercent.map { decimal(Int64($0), 100) } })
    series(
      "queue_service_level_seconds", "Within which time counts as in time.", "gauge",
      each { "\($0.targetSeconds)" })
    let health = edge.health.now
    series(
      "up", "Whether what is acknowledged can be made durable.", "gauge",
      [("", health.trouble == nil ? "1" : "0")])
    series(
      "damaged", "What was found damaged in what is stored, and is not known to be mended.",
      "gauge", [("", "\(health.damaged.count)")])
    series(
      "search_up", "Whether the full-text index goes on.", "gauge",
      [("", health.search == nil ? "1" : "0")])
    series(
      "search_failures_total", "Rounds of the full-text index that failed.", "counter",
      [("", "\(health.searchFailures)")])
    series("commits_total", "Transactions made durable.", "counter", [("", "\(health.commits)")])
    for (name, help, type, value) in [
      (
        "total", "Time that transactions took until they were durable.", "counter",
        health.commitMicroseconds
      ),
      (
        "longest", "The longest of them, since the start.", "gauge",
        health.longestCommitMicroseconds
      ),
    ] { series("commit_seconds_\(name)", help, type, [("", decimal(value, 1_000_000))]) }
    series("commands_total", "Commands made durable.", "counter", [("", "\(health.commands)")])
    series(
      "commit_failures_total", "Transactions that failed.", "counter", [("", "\(health.failures)")])
    series(
      "stream_slow_readers_total", "Streams closed with 1013, since they were read too slowly.",
      "counter",
      [("", "\(edge.streams.slowReaders)")])
    series(
      "stream_context_bytes", "Memory counted for what streams' compression remembers.", "gauge",
      [("", "\(edge.streams.heldContextBytes)")])
    let rooms = [("requests", edge.contents.counts), ("mail", edge.mails.counts)]
    series(
      "content_held_bytes", "Memory counted for long content that came and is not done with.",
      "gauge", rooms.map { ("of=\"\($0)\"", "\($1.taken)") })
    series(
      "content_refused_total",
      "Long content refused, since all of it or its sender's share was taken.", "counter",
      rooms.flatMap { of, counts in
        [("all", counts.full), ("share", counts.share)].map {
          ("of=\"\(of)\",taken=\"\($0)\"", "\($1)")
        }
      })
    SocketMetrics.add(edge, series)
    let facts = ProcessFacts.now()
    series("resident_bytes", "Memory in use.", "gauge", [("", "\(facts.residentBytes)")])
    series("open_descriptors", "Descriptors in use.", "gauge", [("", "\(facts.openDescriptors)")])
    series(
      "cpu_seconds_total", "Processor time used.", "counter",
      [("", decimal(Int64(facts.cpuMilliseconds), 1_000))])
    return out
  }

  /// A quotient by a power of ten as a decimal number, exactly.
  private static func decimal(_ value: Int64, _ by: Int64) -> String {
    let rest = String(value % by + by).dropFirst()
    return "\(value / by).\(rest)"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
