import Model

// For explanations only: whole lanes are walked, which no decision does.
extension CaseIndex {
  /// How many cases of the queue go before; of each heap only that part is walked.
  func number(before bound: Entry, in queue: QueueID) -> Int {
    guard Int(queue.raw) < lanesOfQueue.count else { return 0 }
    var count = 0
    var open: [Int32] = []
    for index in lanesOfQueue[Int(queue.raw)] where lanes[Int(index)].queues[0] == queue {
      open.append(lanes[Int(index)].root)
    }
    while let node = open.popLast() {
      let n = Int(node)
      guard nodes[n].least < bound else { continue }
      count += countCases(n, bound)
      for child in nodes[n].children where child.least < bound { open.append(child.node) }
    }
    return count
  }

  private func countCases(_ n: Int, _ bound: Entry) -> Int {
    var count = 0
    var places = [0]
    while let place = places.popLast() {
      guard place < nodes[n].cases.count, nodes[n].cases[place] < bound else { continue }
      count += 1
      for child in 0..<4 { places.append(place << 2 + 1 + child) }
    }
    return count
  }

  /// Each class in which cases wait, of the lanes that lead to one of the queues, each lane once.
  func forEachClass(
    servedBy queues: [QueueID], _ body: (Node, Kind, [Need.SkillRequirement]) -> Void
  ) {
    for (place, queue) in queues.enumerated() where Int(queue.raw) < lanesOfQueue.count {
      for index in lanesOfQueue[Int(queue.raw)] {
        let lane = lanes[Int(index)]
        if queues[..<place].contains(where: lane.queues.contains) { continue }
        let kind = Kind(
          queue: lane.queues[0], widened: Array(lane.queues.dropFirst()), channel: lane.channel,
          weight: lane.weight)
        walk(lane.root, kind, body)
      }
    }
  }

  private func walk(
    _ root: Int32, _ kind: Kind, _ body: (Node, Kind, [Need.SkillRequirement]) -> Void
  ) {
    var open: [(node: Int32, skills: [Need.SkillRequirement])] = [(root, [])]
    while let (node, skills) = open.popLast() {
      if !nodes[Int(node)].cases.isEmpty { body(nodes[Int(node)], kind, skills) }
      for child in nodes[Int(node)].children {
        let skill = Need.SkillRequirement(
          skill: SkillID(child.label >> 8), level: UInt8(truncatingIfNeeded: child.label & 0xFF),
          required: true)
        open.append((child.node, skills + [skill]))
      }
    }
  }
}
