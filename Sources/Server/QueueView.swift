import Model
import Routing
import Rules

/// A queue as people and monitoring look at it: what the machine counts, and what the rules aim at.
struct QueueView: Sendable {
  var workspace: String
  var counts: QueueStatistics
  /// Agents who could be offered a case now, of the channels whose cases the queue has.
  var ready: Int
  /// How long whoever comes now will probably wait.
  var wait: WaitEstimate
  /// Whoever is taken within this time was taken in time; a rule may set another for its own cases.
  var targetSeconds: Int64
  /// How many of a hundred are to be; nil where the rules that apply do not have the queue any
  /// more.
  var targetPercent: Int?

  /// Of all cases that were taken or abandoned since the queue began, how many of a thousand were
  /// taken in time; nil before the first.
  var reachedPerMille: Int64? {
    let over = counts.accepted + counts.abandoned
    return over == 0 ? nil : Int64(clamping: counts.acceptedInTime * 1_000 / over)
  }

  func oldestSeconds(_ now: Instant) -> Int64 {
    counts.oldest.map { max(0, (now - $0).milliseconds / 1_000) } ?? 0
  }

  /// The queues of one workspace; retired ones only while something waits in them.
  static func all(_ writer: Writer, _ edge: Edge, at now: Instant) -> [QueueView] {
    let configured = edge.checked(writer.workspace)?.queues ?? []
    return writer.peek { pipeline in
      let ready = pipeline.router.readyForWhatIsThere()
      return pipeline.router.everyQueueID.compactMap { id -> QueueView? in
        guard let counts = pipeline.router.statistics(id), !counts.isRetired || counts.waiting > 0
        else {
          return nil
        }
        let known = configured.first { $0.name == counts.name }
        let at = Int(id.raw)
        let free = at < ready.count ? ready[at] : counts.agents.ready
        return QueueView(
          workspace: writer.name, counts: counts, ready: free,
          wait: pipeline.router.estimatedWait(in: id, ready: free, at: now),
          targetSeconds: Int64(known?.serviceLevel.targetSeconds ?? 0),
          targetPercent: known?.serviceLevel.percent)
      }
    }
  }
}
