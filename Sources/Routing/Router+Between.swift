import Model

/// Which of two cases goes first where they wait in different queues. One rule for a whole
/// workspace, so that it can
/// be told in a sentence; within a queue it is the key, whatever the rule.
public enum BetweenQueues: Hashable, Sendable {
  /// The lower key, as within a queue.
  case keys
  /// Waiting counts with the slope of its queue: what has the larger product of slope and wait goes
  /// first. Two cases change places while they wait, so the first of each queue are compared when
  /// an agent is there to take one.
  case slopes
  /// The queue that was given the least of its share goes first.
  case shares

  init(_ queues: [RoutingConfiguration.Queue]) {
    self =
      queues.contains { $0.share > 0 }
      ? .shares : queues.contains { $0.slopePermille != 1_000 } ? .slopes : .keys
  }
}

// Shares are start-time fair queueing (Goyal, Vin and Cheng 1996) over cases: each queue has a
// *turn*, which rises by one part of its share with every case that is taken out of its wait; the
// lowest turn is served, and the workspace's own turn is that of the queue served last. A queue
// that had nothing to give, or that nobody could serve, counts as having stood there: it saves
// nothing up. So, while two queues each have a case for every agent who comes free, what they were
// given, divided by their shares, differs by at most one case of each.
//
// A strict queue says that its priorities go before everything: they do so here, too, ahead of the
// turns.
extension Router {
  /// A case of share one: divided without a rest by every share up to sixteen, and by those that
  /// people choose.
  private static let oneCase: UInt64 = 720_720 * 100

  /// Where a case stands among those of all queues at an instant; lower is sooner.
  struct Standing: Comparable {
    var rank: Int
    var measure: Int128
    var key: Int64
    var sequence: UInt64

    static func < (a: Standing, b: Standing) -> Bool {
      if a.rank != b.rank { return a.rank < b.rank }
      if a.measure != b.measure { return a.measure < b.measure }
      return a.key == b.key ? a.sequence < b.sequence : a.key < b.key
    }
  }

  func standing(_ slot: Int32, _ at: Instant) -> Standing {
    let queue = Int(cases[slot].need.queue.raw)
    var standing = Standing(
      rank: 0, measure: 0, key: cases[slot].key, sequence: cases[slot].sequence)
    switch catalogue.between {
    case .keys: break
    case .slopes:
      // A key that lies ahead, of a deadline or a low priority, is no wait yet: less than none, times
      // a slope, would put the steepest queue last.
      let waited = max(0, Int128(at.milliseconds) - Int128(cases[slot].key))
      standing.measure = -waited * Int128(catalogue.queues[queue].settings.slopePermille)
    case .shares:
      if catalogue.queues[queue].settings.prioritySeconds == 0 {
        standing.rank = -Int(cases[slot].need.priority)
      }
      standing.measure = Int128(turn(of: queue))
    }
    return standing
  }

  func goesBefore(_ a: Int32, _ b: Int32, _ at: Instant) -> Bool {
    catalogue.between == .keys
      ? (cases[a].key, cases[a].sequence) < (cases[b].key, cases[b].sequence)
      : standing(a, at) < standing(b, at)
  }

  func turn(of queue: Int) -> UInt64 { max(queues[queue].turn, turn) }

  private func part(_ queue: Int) -> UInt64 {
    Self.oneCase / UInt64(max(1, catalogue.queues[queue].settings.share))
  }

  /// A case left the wait of its queue for an agent.
  mutating func countTurn(_ queue: QueueID) {
    guard catalogue.between == .shares else { return }
    let index = Int(queue.raw)
    turn = turn(of: index)
    let (sum, overflow) = turn.addingReportingOverflow(part(index))
    queues[index].turn = overflow ? .max : sum
    markDirty(queue: queue)
  }

  /// It came back: nobody took it.
  mutating func giveTurnBack(_ queue: QueueID) {
    guard catalogue.between == .shares else { return }
    let index = Int(queue.raw)
    queues[index].turn -= min(queues[index].turn, part(index))
    markDirty(queue: queue)
  }

  /// The soonest case that the agent can take: of each queue its soonest, and of these the one that
  /// stands first.
  mutating func bestAcrossQueues(_ agent: Int, _ at: Instant) -> Int32? {
    var best: (slot: Int32, standing: Standing)?
    func consider(_ slot: Int32) {
      let standing = standing(slot, at)
      if best.map({ standing < $0.standing }) ?? true { best = (slot, standing) }
    }
    for slot in agents[agent].held where isEligible(agent, slot) { consider(slot) }
    for slot in firstOfEachQueue(for: agent) { consider(slot) }
    return best?.slot
  }

  /// Queues whose first case stands before this one, of those that share an agent with its queue.
  func queuesBefore(_ slot: Int32, _ at: Instant) -> [QueueID] {
    let own = cases[slot].need.queue
    guard catalogue.between != .keys else { return [] }
    var shared = Array(repeating: false, count: queues.count)
    for index in agents.indices where profiles.serves(index, own) {
      for at in profiles.queueRange(index) { shared[Int(profiles.allQueues[at].raw)] = true }
    }
    let mine = standing(slot, at)
    // What is closed has nothing to give.
    return queues.indices.filter {
      $0 != Int(own.raw) && shared[$0] && queues[$0].isOpen && queues[$0].waiting > 0
    }
    .map { QueueID(UInt32(truncatingIfNeeded: $0)) }
    .filter { queue in firstWaiting(in: queue).map { standing($0, at) < mine } ?? false }
  }

  private func firstWaiting(in queue: QueueID) -> Int32? {
    var first = waiting.least(in: queue)
    for agent in agents {
      for slot in agent.held where cases[slot].need.queue == queue {
        let entry = CaseIndex.Entry(
          key: cases[slot].key, sequence: cases[slot].sequence, slot: slot)
        if entry < first { first = entry }
      }
    }
    return first.slot >= 0 ? first.slot : nil
  }
}
