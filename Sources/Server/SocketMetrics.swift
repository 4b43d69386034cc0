import Sockets

/// What the lanes count, as Prometheus reads it.
enum SocketMetrics {
  typealias Lines = [(labels: String, value: String)]

  static func add(_ edge: Edge, _ gauge: (String, String, String, Lines) -> Void) {
    let lanes = edge.hub.laneStatistics
    func sum(_ value: (LaneStatistics) -> UInt64) -> Lines {
      [("", "\(lanes.reduce(0) { $0 + value($1) })")]
    }
    gauge(
      "connections", "Connections that are open.", "gauge",
      [("", "\(lanes.reduce(0) { $0 + $1.open })")])
    gauge("connections_accepted_total", "Connections taken in.", "counter", sum(\.accepted))
    gauge(
      "connections_refused_total", "Connections refused, since one address had too many.",
      "counter",
      sum(\.refusedPerAddress))
    gauge(
      "accept_pauses_total", "Times that no more connections were taken in for want of room.",
      "counter",
      sum(\.acceptPauses))
    gauge(
      "connections_turns_put_off_total",
      "Times that a connection with much to answer let others go first.", "counter",
      sum(\.turnsPutOff))
    var ends: [(reason: String, count: UInt64)] = []
    for lane in lanes {
      if ends.isEmpty {
        ends = lane.closed
      } else {
        for (index, end) in lane.closed.enumerated() { ends[index].count += end.count }
      }
    }
    gauge(
      "connections_closed_total", "Connections that ended, by why.", "counter",
      ends.map { ("reason=\"\($0.reason)\"", "\($0.count)") })
    guard let encryption = edge.encryption else { return }
    gauge("tls_handshakes_total", "TLS handshakes done.", "counter", sum(\.handshakes))
    gauge(
      "tls_resumptions_total", "TLS handshakes that resumed a session.", "counter",
      sum(\.handshakesResumed))
    gauge(
      "tls_certificate_end_seconds",
      "When the first certificate to end does so, in seconds since 1970.", "gauge",
      [("", "\(encryption.https.expirySeconds)")])
  }
}
