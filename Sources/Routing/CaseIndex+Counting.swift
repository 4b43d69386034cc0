import Model

// For explanations only: whole lanes are walked, which no decision does.
extension CaseIndex {
  /// How many cases of the queue go before. Heaps are gone through from end to end: whoever asks about
  /// a case that came late would see most of them anyway, and in memory's order each is a nanosecond.
  func number(before bound: Entry, in queue: QueueID) -> Int {
    guard Int(queue.raw) < lanesAtHome.count else { return 0 }
    var count = 0
    var open: [Int32] = []
    for index in lanesAtHome[Int(queue.raw)] { open.append(lanes[Int(index)].root) }
    while let node = open.popLast() {
      let n = Int(node)
      guard nodes[n].least < bound else { continue }
      for entry in nodes[n].cases where entry < bound { count += 1 }
      for child in nodes[n].children where child.least < bound { open.append(child.node) }
    }
    return count
  }

  /// What waits in one lane, as one agent sees it.
  struct Sight {
    /// Cases of which the agent lacks a skill.
    var unmet = 0
    /// Cases that take anyone whom the lane's circle admits.
    var met = 0
    /// Cases that must be asked singly, as many as `looks` allowed; the rest count as met.
    var singly: [Int32] = []
  }

  /// Only classes that the agent meets are walked: what stands behind a skill that they lack is
  /// counted as one.
  /// - Parameter looks: how many nodes and single cases may still be looked at; past them, what was
  ///   not looked at counts as met.
  func sight(of lane: Lane, for agent: Int, _ profiles: Profiles, looks: inout Int) -> Sight {
    var sight = Sight()
    var open = [lane.root]
    while let next = open.popLast() {
      let n = Int(next)
      guard looks > 0 else {
        sight.met += Int(nodes[n].below)
        continue
      }
      looks -= 1 + nodes[n].children.count
      sight.met += Int(nodes[n].takingAnyone)
      if Int(nodes[n].takingAnyone) < nodes[n].cases.count {
        for entry in nodes[n].cases where !spots[Int(entry.slot)].takesAnyone {
          looks -= RoutingLimits.explainedLooksOfSingle
          if looks > 0 { sight.singly.append(entry.slot) } else { sight.met += 1 }
        }
      }
      for child in nodes[n].children {
        let level = UInt8(truncatingIfNeeded: child.label & 0xFF)
        if profiles.level(agent, child.label >> 8) >= level {
          open.append(child.node)
        } else {
          sight.unmet += Int(nodes[Int(child.node)].below)
        }
      }
    }
    return sight
  }
}
