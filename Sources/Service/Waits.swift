import Model
import Records
import Routing

/// When the customers of some cases waited for a person: never while somebody had theirs in hand.
struct Waits {
  /// The earliest first; none touches the next.
  private var spans: [(from: Instant, to: Instant)] = []

  /// - Parameters:
  ///   - cases: those whose waiting counts together; waiting in two at once is one wait.
  ///   - now: nothing later counts, and whoever still waits has waited until then.
  init(_ cases: [CaseRow], now: Instant) {
    let known = cases.compactMap { row in CaseView.decoded(row.about).map { (row, $0) } }
    let passedOn = Set(
      known.compactMap { row, about in
        about.history.contains { $0.what == .closed && $0.code == CaseEnd.transferred.rawValue }
          ? row.closed : nil
      })
    var waits: [(from: Instant, to: Instant)] = []
    for (row, about) in known where row.created <= now {
      // What was passed on has its age from a case that somebody had meanwhile.
      let isPassedOn =
        about.cause == RouteReason.Cause.transfer.rawValue || passedOn.contains(row.created)
      var since: Instant? = isPassedOn ? row.created : min(about.age, row.created)
      for step in about.history where step.at <= now {
        switch step.what {
        case .accepted, .resumed, .closed:
          if let from = since { waits.append((from, step.at)) }
          since = nil
        case .queued: since = since ?? step.at
        case .offered, .timedOut, .declined, .revoked, .failed, .stepTaken, .wrappingUp, .parked,
          .overflowed, .consulted, .consultEnded, .held, .holdEnded:
          break
        }
      }
      if let from = since, row.closed.map({ $0 > now }) ?? true { waits.append((from, now)) }
    }
    for wait in waits.sorted(by: { $0.from < $1.from }) {
      if let last = spans.last, wait.from <= last.to {
        spans[spans.count - 1].to = max(last.to, wait.to)
      } else {
        spans.append(wait)
      }
    }
  }

  var all: Duration64 {
    .milliseconds(spans.reduce(0) { $0 + ($1.to - $1.from).milliseconds })
  }

  /// Between one wait and the next.
  var between: Duration64 {
    guard let first = spans.first, let last = spans.last else { return .zero }
    return .milliseconds((last.to - first.from).milliseconds - all.milliseconds)
  }
}
