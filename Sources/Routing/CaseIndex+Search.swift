import Model

extension CaseIndex {
  /// What an agent brings to a search.
  struct Seeker {
    var agent: Int
    /// Bits by `Channel.rawValue`.
    var ready: UInt8
    var room: Rooms
  }

  /// The lowest case that the seeker meets and that `passes`, below `bound`.
  mutating func best(
    for seeker: Seeker, _ profiles: Profiles, below bound: Entry = .none,
    where passes: (Int32, Profiles) -> Bool
  ) -> Entry {
    gather(seeker, profiles, below: bound)
    frontier.removeAll(keepingCapacity: true)
    var best = bound
    for lane in reached {
      let root = lanes[Int(lane)].root
      push(root, nodes[Int(root)].least)
    }
    search(seeker, profiles, &best, passes)
    return best.slot == bound.slot ? .none : best
  }

  /// Into `reached`: the lanes that the seeker may take from, in which something goes before
  /// `bound`.
  private mutating func gather(_ seeker: Seeker, _ profiles: Profiles, below bound: Entry) {
    reached.removeAll(keepingCapacity: true)
    for at in profiles.queueRange(seeker.agent)
    where Int(profiles.allQueues[at].raw) < lanesOfQueue.count {
      if isClosed(profiles.allQueues[at]) { continue }
      for lane in lanesOfQueue[Int(profiles.allQueues[at].raw)]
      where isOpen(lane, seeker, profiles, bound) { reached.append(lane) }
    }
    if !lanesOfAgent.isEmpty, let own = lanesOfAgent[UInt32(truncatingIfNeeded: seeker.agent)] {
      gather(own, seeker, profiles, bound)
    }
    if lanesOfTeam.isEmpty { return }
    for at in profiles.teamRange(seeker.agent) {
      if let own = lanesOfTeam[profiles.allTeams[at].raw] { gather(own, seeker, profiles, bound) }
    }
  }

  /// Lanes that require the seeker, of queues that they serve.
  private mutating func gather(
    _ own: [Int32], _ seeker: Seeker, _ profiles: Profiles, _ bound: Entry
  ) {
    for lane in own where isOpen(lane, seeker, profiles, bound) {
      for queue in lanes[Int(lane)].queues
      where profiles.serves(seeker.agent, queue) && !isClosed(queue) {
        reached.append(lane)
        break
      }
    }
  }

  @inline(__always) private func isOpen(
    _ lane: Int32, _ seeker: Seeker, _ profiles: Profiles, _ bound: Entry
  ) -> Bool {
    let at = Int(lane)
    guard nodes[Int(lanes[at].root)].least < bound, seeker.ready & lanes[at].channel.bit != 0,
      Int(lanes[at].weight) <= seeker.room[lanes[at].channel.bit]
    else { return false }
    return lanes[at].circle == nil || admits(at, seeker.agent, profiles)
  }

  private func admits(_ lane: Int, _ agent: Int, _ profiles: Profiles) -> Bool {
    lanes[lane].circle?.admits(agent, profiles) ?? true
  }

  private mutating func search(
    _ seeker: Seeker, _ profiles: Profiles, _ best: inout Entry, _ passes: (Int32, Profiles) -> Bool
  ) {
    while let next = popFrontier(), next.least < best {
      lookThrough(next.node, profiles, &best, passes)
      expand(next.node, seeker, profiles, best)
    }
  }

  /// Of each queue the lowest case that the seeker meets and that `passes`, by queue.
  mutating func bestByQueue(
    for seeker: Seeker, _ profiles: Profiles, where passes: (Int32, Profiles) -> Bool
  ) -> [Int32] {
    gather(seeker, profiles, below: .none)
    var roots = reached.map { (home: lanes[Int($0)].queues[0], root: lanes[Int($0)].root) }
    roots.sort { ($0.home, $0.root) < ($1.home, $1.root) }
    var found: [Int32] = []
    var place = 0
    while place < roots.count {
      frontier.removeAll(keepingCapacity: true)
      var best = Entry.none
      let home = roots[place].home
      while place < roots.count, roots[place].home == home {
        push(roots[place].root, nodes[Int(roots[place].root)].least)
        place += 1
      }
      search(seeker, profiles, &best, passes)
      if best.slot >= 0 { found.append(best.slot) }
    }
    return found
  }

  /// The lowest case of the queue, whoever can take it.
  func least(in queue: QueueID) -> Entry {
    guard Int(queue.raw) < lanesAtHome.count else { return .none }
    var least = Entry.none
    for index in lanesAtHome[Int(queue.raw)] {
      let first = nodes[Int(lanes[Int(index)].root)].least
      if first < least { least = first }
    }
    return least
  }

  private mutating func expand(_ node: Int32, _ seeker: Seeker, _ profiles: Profiles, _ best: Entry)
  {
    let n = Int(node)
    let skills = profiles.skillRange(seeker.agent)
    // A child beside its parent costs a tenth of one that is looked up.
    if nodes[n].children.count <= 40 * skills.count {
      for place in 0..<nodes[n].children.count {
        let child = nodes[n].children[place]
        if child.least < best,
          profiles.level(seeker.agent, child.label >> 8)
            >= UInt8(truncatingIfNeeded: child.label & 0xFF)
        {
          push(child.node, child.least)
        }
      }
      return
    }
    let last = nodes[n].parent < 0 ? -1 : Int(nodes[n].label >> 8)
    for at in skills {
      let skill = profiles.allSkills[at]
      guard Int(skill.skill.raw) > last && Int(skill.skill.raw) < levelsUsed.count else { continue }
      // Levels up to the agent's, of those in use: bits 0…level.
      var bits = levelsUsed[Int(skill.skill.raw)] & ((2 << UInt16(skill.level)) - 1)
      while bits != 0 {
        let level = UInt32(bits.trailingZeroBitCount)
        bits &= bits - 1
        let child = child(of: node, skill.skill.raw << 8 | level)
        if child >= 0, nodes[Int(child)].least < best { push(child, nodes[Int(child)].least) }
      }
    }
  }

  /// The lowest case of one class that passes: its heap is searched downwards, past those that do
  /// not.
  private func lookThrough(
    _ node: Int32, _ profiles: Profiles, _ best: inout Entry, _ passes: (Int32, Profiles) -> Bool
  ) {
    let n = Int(node)
    guard let first = nodes[n].cases.first, first < best else { return }
    if passes(first.slot, profiles) {
      best = first
      return
    }
    var open = [1, 2, 3, 4]
    while let place = open.popLast() {
      guard place < nodes[n].cases.count else { continue }
      let entry = nodes[n].cases[place]
      guard entry < best else { continue }
      if passes(entry.slot, profiles) {
        best = entry
      } else {
        open += (4 * place + 1)...(4 * place + 4)
      }
    }
  }

  private mutating func push(_ node: Int32, _ least: Entry) {
    let item = (least: least, node: node)
    frontier.append(item)
    var place = frontier.count - 1
    while place > 0, item.least < frontier[(place - 1) >> 1].least {
      frontier[place] = frontier[(place - 1) >> 1]
      place = (place - 1) >> 1
    }
    frontier[place] = item
  }

  private mutating func popFrontier() -> (least: Entry, node: Int32)? {
    guard let top = frontier.first else { return nil }
    let last = frontier.removeLast()
    guard !frontier.isEmpty else { return top }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < frontier.count else { break }
      if child + 1 < frontier.count, frontier[child + 1].least < frontier[child].least {
        child += 1
      }
      guard frontier[child].least < last.least else { break }
      frontier[place] = frontier[child]
      place = child
    }
    frontier[place] = last
    return top
  }
}

/// Capacity units that an agent has left for a case of each channel.
struct Rooms: Sendable {
  var chat: Int, email: Int, phone: Int
  /// - Parameter bit: a channel's.
  @inline(__always) subscript(bit: UInt8) -> Int { bit == 1 ? chat : bit == 2 ? email : phone }
}
