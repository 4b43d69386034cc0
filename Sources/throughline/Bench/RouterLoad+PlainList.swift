import Model
import Routing

// Beside the router, what a router without an index would do.
extension RouterLoad {
  struct Comparison {
    /// From an agent's last word in a case to the next case chosen, in processor time.
    var router = LatencyHistogram()
    var list = LatencyHistogram()
    var choices = 0
    var same = 0
  }

  /// The same lives, with a plain list of what waits beside the router: whenever an agent becomes
  /// free, both choose.
  mutating func compare(lives: Int) -> Comparison {
    let working = Set(busy.map(\.case.low))
    var list = PlainList(live.filter { !working.contains($0.key) })
    var comparison = Comparison()
    for _ in 0..<lives where refusal == nil {
      forget()
      guard let (agent, id) = takeBusy(), let life = live.removeValue(forKey: id.low) else {
        continue
      }
      let profile = profiles[Int(agent.raw)]
      var start = ProcessorTime.ofThread
      let place = list.first(for: profile)
      let mine = place.map { list.remove(at: $0) }
      comparison.list.record(ProcessorTime.ofThread - start)
      start = ProcessorTime.ofThread
      play(.close(id, by: agent))
      comparison.router.record(ProcessorTime.ofThread - start)
      comparison.choices += 1
      let chosen = offered.last?.case.low
      if chosen == mine { comparison.same += 1 }
      play(.endSession(life.session, .customerLeft))
      let before = drawn
      open(like: chosen.flatMap { live[$0]?.need })
      let new = drawn
      let taken = offered.map(\.case.low)
      if new > before, !taken.contains(new), let life = live[new] { list.add(new, life) }
      // Where they differ the router's choice counts, so that the next comparison starts from the
      // same.
      if chosen != mine {
        if let mine, let life = live[mine] { list.add(mine, life) }
        if let chosen { list.remove(chosen) }
      }
      acceptAll()
    }
    return comparison
  }
}

/// What a router without an index would keep: the cases in their order, searched from the
/// beginning.
private struct PlainList {
  private struct Waiting {
    var key: Int64
    var id: UInt64
    var queue: UInt32
    var skills: [Need.SkillRequirement]
  }
  private var waiting: [Waiting]

  init(_ live: [UInt64: RouterLoad.Life]) {
    waiting = live.map {
      Waiting(key: $1.key, id: $0, queue: $1.need.queue.raw, skills: $1.need.skills)
    }
    waiting.sort { ($0.key, $0.id) < ($1.key, $1.id) }
  }

  func first(for agent: RouterLoad.Profile) -> Int? {
    waiting.firstIndex { item in
      agent.queues.contains(item.queue)
        && item.skills.allSatisfy { agent.level($0.skill.raw) >= $0.level }
    }
  }

  mutating func remove(at place: Int) -> UInt64 { waiting.remove(at: place).id }
  mutating func remove(_ id: UInt64) { waiting.removeAll { $0.id == id } }

  mutating func add(_ id: UInt64, _ life: RouterLoad.Life) {
    var (low, high) = (0, waiting.count)
    while low < high {
      let middle = (low + high) / 2
      if (waiting[middle].key, waiting[middle].id) < (life.key, id) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    waiting.insert(
      Waiting(key: life.key, id: id, queue: life.need.queue.raw, skills: life.need.skills), at: low)
  }
}
