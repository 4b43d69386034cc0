import Model

/// Waiting cases, found by what an agent can do: the oldest case (lowest key) whose needs the agent meets.
///
/// A **lane** is (queues, channel, weight). Below each lane's root stands a trie of required skills in the
/// order of their handles, one edge for each (skill, level). A node holds the cases that need exactly the path
/// to it (a *requirement class*) in a heap by key, and its children in a heap by the lowest key below them.
/// An agent walks only edges that it meets, lowest key first, and stops at the first case: what it costs
/// depends on how many classes older than the answer the agent can reach, not on how many cases or classes
/// there are. See docs/decisions/0002-matching-index.md.
struct CaseIndex: Sendable {
  struct Entry: Sendable {
    var key: Int64
    var sequence: UInt64
    var slot: Int32
    @inline(__always) static func < (a: Entry, b: Entry) -> Bool {
      a.key == b.key ? a.sequence < b.sequence : a.key < b.key
    }
    static let none = Entry(key: .max, sequence: .max, slot: -1)
  }

  struct Node: Sendable {
    var parent: Int32
    var label: UInt32
    var placeInParent: Int32 = -1
    /// Lowest of all cases here and below.
    var least = Entry.none
    var cases: [Entry] = []
    /// Those of `cases` that neither exclude an agent nor are backed off from.
    var takingAnyone: UInt32 = 0
    var children: [Int32] = []
  }

  struct Lane: Sendable {
    var queues: [QueueID]
    var channel: Channel
    var weight: UInt16
    var root: Int32
  }

  private(set) var nodes: [Node] = []
  private var freeNodes: [Int32] = []
  private(set) var lanes: [Lane] = []
  private var lanesOfQueue: [[Int32]] = []
  private enum EdgeKind: IDKind { static var prefix: String { "edge" } }
  private var edges = IDTable()
  /// How many nodes carry (skill, level), and the levels in use of each skill as bits.
  private var labelUses: [UInt32] = []
  private var levelsUsed: [UInt16] = []
  private var nodeOf: [Int32] = []
  private var placeOf: [Int32] = []
  private var takes: [Bool] = []
  private(set) var count = 0
  private var frontier: [(least: Entry, node: Int32)] = []

  var liveNodes: Int { nodes.count - freeNodes.count }

  func contains(_ slot: Int32) -> Bool { Int(slot) < nodeOf.count && nodeOf[Int(slot)] >= 0 }

  // MARK: Adding and removing

  mutating func insert(
    _ slot: Int32, key: Int64, sequence: UInt64, queue: QueueID, widened: [QueueID], channel: Channel,
    weight: UInt16, skills: [Need.SkillRequirement], takesAnyone: Bool
  ) {
    while nodeOf.count <= Int(slot) {
      nodeOf.append(-1)
      placeOf.append(-1)
      takes.append(false)
    }
    var node = lanes[lane(queue, widened, channel, weight)].root
    for skill in skills where skill.required {
      node = child(of: node, label: skill.skill.raw << 8 | UInt32(skill.level))
    }
    nodeOf[Int(slot)] = node
    takes[Int(slot)] = takesAnyone
    if takesAnyone { nodes[Int(node)].takingAnyone += 1 }
    let entry = Entry(key: key, sequence: sequence, slot: slot)
    nodes[Int(node)].cases.append(entry)
    caseUp(node, nodes[Int(node)].cases.count - 1)
    count += 1
    if entry < nodes[Int(node)].least { lower(node, to: entry) }
  }

  mutating func remove(_ slot: Int32) {
    guard contains(slot) else { return }
    let node = nodeOf[Int(slot)]
    let place = Int(placeOf[Int(slot)])
    nodeOf[Int(slot)] = -1
    if takes[Int(slot)] { nodes[Int(node)].takingAnyone -= 1 }
    count -= 1
    let last = nodes[Int(node)].cases.removeLast()
    if place < nodes[Int(node)].cases.count {
      nodes[Int(node)].cases[place] = last
      caseUp(node, place)
      caseDown(node, Int(placeOf[Int(last.slot)]))
    }
    if nodes[Int(node)].least.slot == slot { settle(node) }
    prune(node)
  }

  /// Whether a case of the same lane waits that requires a prefix of these skills and takes anyone.
  func hasEasierCase(
    queue: QueueID, widened: [QueueID], channel: Channel, weight: UInt16, skills: [Need.SkillRequirement]
  ) -> Bool {
    let lane = findLane(queue, widened, channel, weight)
    guard lane >= 0 else { return false }
    var node = lanes[lane].root
    for skill in skills where skill.required {
      if nodes[Int(node)].takingAnyone > 0 { return true }
      node = edges.find(Self.edge(node, skill.skill.raw << 8 | UInt32(skill.level)))
      if node < 0 { return false }
    }
    return nodes[Int(node)].takingAnyone > 0
  }

  private func findLane(_ queue: QueueID, _ widened: [QueueID], _ channel: Channel, _ weight: UInt16) -> Int {
    guard Int(queue.raw) < lanesOfQueue.count else { return -1 }
    for index in lanesOfQueue[Int(queue.raw)] {
      let at = Int(index)
      if lanes[at].channel == channel && lanes[at].weight == weight && lanes[at].queues.count == widened.count + 1
        && lanes[at].queues[0] == queue && (widened.isEmpty || lanes[at].queues.dropFirst().elementsEqual(widened))
      {
        return at
      }
    }
    return -1
  }

  private mutating func lane(_ queue: QueueID, _ widened: [QueueID], _ channel: Channel, _ weight: UInt16) -> Int {
    let found = findLane(queue, widened, channel, weight)
    if found >= 0 { return found }
    let index = Int32(truncatingIfNeeded: lanes.count)
    lanes.append(
      Lane(queues: [queue] + widened, channel: channel, weight: weight, root: newNode(parent: -1, label: 0)))
    for queue in [queue] + widened {
      while lanesOfQueue.count <= Int(queue.raw) { lanesOfQueue.append([]) }
      if !lanesOfQueue[Int(queue.raw)].contains(index) { lanesOfQueue[Int(queue.raw)].append(index) }
    }
    return Int(index)
  }

  private mutating func newNode(parent: Int32, label: UInt32) -> Int32 {
    if let node = freeNodes.popLast() {
      nodes[Int(node)].parent = parent
      nodes[Int(node)].label = label
      nodes[Int(node)].least = .none
      return node
    }
    nodes.append(Node(parent: parent, label: label))
    return Int32(truncatingIfNeeded: nodes.count - 1)
  }

  private static func edge(_ node: Int32, _ label: UInt32) -> ID<EdgeKind> {
    ID(high: UInt64(UInt32(bitPattern: node)), low: UInt64(label))
  }

  private mutating func child(of parent: Int32, label: UInt32) -> Int32 {
    let found = edges.find(Self.edge(parent, label))
    if found >= 0 { return found }
    let node = newNode(parent: parent, label: label)
    edges.insert(Self.edge(parent, label), node)
    nodes[Int(node)].placeInParent = Int32(truncatingIfNeeded: nodes[Int(parent)].children.count)
    nodes[Int(parent)].children.append(node)  // its least is `.none`: the bottom of the heap is its place
    countLabel(label, by: 1)
    return node
  }

  private mutating func countLabel(_ label: UInt32, by change: Int) {
    let skill = Int(label >> 8)
    let at = skill << 4 | Int(label & 15)
    while labelUses.count <= skill << 4 | 15 { labelUses.append(0) }
    while levelsUsed.count <= skill { levelsUsed.append(0) }
    labelUses[at] = UInt32(truncatingIfNeeded: Int(labelUses[at]) + change)
    let bit = UInt16(1) << UInt16(label & 15)
    if labelUses[at] == 0 { levelsUsed[skill] &= ~bit } else { levelsUsed[skill] |= bit }
  }

  /// A new lowest case: carries it up as far as it is the lowest.
  private mutating func lower(_ start: Int32, to entry: Entry) {
    var node = start
    while true {
      nodes[Int(node)].least = entry
      let parent = nodes[Int(node)].parent
      guard parent >= 0 else { return }
      childUp(parent, Int(nodes[Int(node)].placeInParent))
      guard entry < nodes[Int(parent)].least else { return }
      node = parent
    }
  }

  /// The lowest case left: finds the next, upwards.
  private mutating func settle(_ start: Int32) {
    var node = start
    while node >= 0 {
      let old = nodes[Int(node)].least
      var least = nodes[Int(node)].cases.first ?? .none
      if let first = nodes[Int(node)].children.first, nodes[Int(first)].least < least {
        least = nodes[Int(first)].least
      }
      guard least.slot != old.slot else { return }
      nodes[Int(node)].least = least
      let parent = nodes[Int(node)].parent
      if parent >= 0 { childDown(parent, Int(nodes[Int(node)].placeInParent)) }
      node = parent
    }
  }

  /// Removes empty nodes, upwards; roots stay.
  private mutating func prune(_ start: Int32) {
    var node = start
    while nodes[Int(node)].cases.isEmpty, nodes[Int(node)].children.isEmpty {
      let parent = nodes[Int(node)].parent
      guard parent >= 0 else { return }
      edges.remove(Self.edge(parent, nodes[Int(node)].label))
      countLabel(nodes[Int(node)].label, by: -1)
      let place = Int(nodes[Int(node)].placeInParent)
      let last = nodes[Int(parent)].children.removeLast()
      if place < nodes[Int(parent)].children.count {
        nodes[Int(parent)].children[place] = last
        nodes[Int(last)].placeInParent = Int32(truncatingIfNeeded: place)
        childUp(parent, place)
        childDown(parent, Int(nodes[Int(last)].placeInParent))
      }
      freeNodes.append(node)
      node = parent
    }
  }

  // MARK: Heaps

  private mutating func caseUp(_ node: Int32, _ start: Int) {
    let n = Int(node)
    var place = start
    let entry = nodes[n].cases[place]
    while place > 0 {
      let parent = (place - 1) >> 1
      let above = nodes[n].cases[parent]
      guard entry < above else { break }
      nodes[n].cases[place] = above
      placeOf[Int(above.slot)] = Int32(truncatingIfNeeded: place)
      place = parent
    }
    nodes[n].cases[place] = entry
    placeOf[Int(entry.slot)] = Int32(truncatingIfNeeded: place)
  }

  private mutating func caseDown(_ node: Int32, _ start: Int) {
    let n = Int(node)
    let end = nodes[n].cases.count
    var place = start
    let entry = nodes[n].cases[place]
    while true {
      var child = 2 * place + 1
      guard child < end else { break }
      if child + 1 < end, nodes[n].cases[child + 1] < nodes[n].cases[child] { child += 1 }
      let below = nodes[n].cases[child]
      guard below < entry else { break }
      nodes[n].cases[place] = below
      placeOf[Int(below.slot)] = Int32(truncatingIfNeeded: place)
      place = child
    }
    nodes[n].cases[place] = entry
    placeOf[Int(entry.slot)] = Int32(truncatingIfNeeded: place)
  }

  private mutating func childUp(_ parent: Int32, _ start: Int) {
    let p = Int(parent)
    var place = start
    let node = nodes[p].children[place]
    let least = nodes[Int(node)].least
    while place > 0 {
      let above = nodes[p].children[(place - 1) >> 1]
      guard least < nodes[Int(above)].least else { break }
      nodes[p].children[place] = above
      nodes[Int(above)].placeInParent = Int32(truncatingIfNeeded: place)
      place = (place - 1) >> 1
    }
    nodes[p].children[place] = node
    nodes[Int(node)].placeInParent = Int32(truncatingIfNeeded: place)
  }

  private mutating func childDown(_ parent: Int32, _ start: Int) {
    let p = Int(parent)
    let end = nodes[p].children.count
    var place = start
    let node = nodes[p].children[place]
    let least = nodes[Int(node)].least
    while true {
      var child = 2 * place + 1
      guard child < end else { break }
      if child + 1 < end,
        nodes[Int(nodes[p].children[child + 1])].least < nodes[Int(nodes[p].children[child])].least
      {
        child += 1
      }
      let below = nodes[p].children[child]
      guard nodes[Int(below)].least < least else { break }
      nodes[p].children[place] = below
      nodes[Int(below)].placeInParent = Int32(truncatingIfNeeded: place)
      place = child
    }
    nodes[p].children[place] = node
    nodes[Int(node)].placeInParent = Int32(truncatingIfNeeded: place)
  }

  // MARK: Searching

  /// What an agent brings to a search.
  struct Seeker {
    var agent: Int
    /// Bits by `Channel.rawValue`.
    var ready: UInt8
    var room: Int
  }

  /// The lowest case that the seeker meets and that `passes`, below `bound`.
  mutating func best(
    for seeker: Seeker, _ profiles: Profiles, below bound: Entry = .none, where passes: (Int32) -> Bool
  ) -> Entry {
    frontier.removeAll(keepingCapacity: true)
    var best = bound
    for queue in profiles.queues[seeker.agent] where Int(queue.raw) < lanesOfQueue.count {
      for index in lanesOfQueue[Int(queue.raw)] {
        let root = lanes[Int(index)].root
        guard nodes[Int(root)].least < best, seeker.ready & lanes[Int(index)].channel.bit != 0,
          Int(lanes[Int(index)].weight) <= seeker.room
        else { continue }
        push(root)
      }
    }
    while let next = popFrontier(), next.least < best {
      lookThrough(next.node, &best, passes)
      expand(next.node, seeker, profiles, best)
    }
    return best.slot == bound.slot ? .none : best
  }

  private mutating func expand(_ node: Int32, _ seeker: Seeker, _ profiles: Profiles, _ best: Entry) {
    let children = nodes[Int(node)].children
    let mine = profiles.skills[seeker.agent]
    if children.count <= 4 * mine.count {
      for child in children where nodes[Int(child)].least < best {
        let label = nodes[Int(child)].label
        if profiles.level(seeker.agent, label >> 8) >= UInt8(truncatingIfNeeded: label & 0xFF) { push(child) }
      }
      return
    }
    let last = nodes[Int(node)].parent < 0 ? -1 : Int(nodes[Int(node)].label >> 8)
    for skill in mine where Int(skill.skill.raw) > last && Int(skill.skill.raw) < levelsUsed.count {
      // Levels up to the agent's, of those in use: bits 0…level.
      var bits = levelsUsed[Int(skill.skill.raw)] & ((2 << UInt16(skill.level)) - 1)
      while bits != 0 {
        let level = UInt32(bits.trailingZeroBitCount)
        bits &= bits - 1
        let child = edges.find(Self.edge(node, skill.skill.raw << 8 | level))
        if child >= 0, nodes[Int(child)].least < best { push(child) }
      }
    }
  }

  /// The lowest case of one class that passes: its heap is searched downwards, past those that do not.
  private func lookThrough(_ node: Int32, _ best: inout Entry, _ passes: (Int32) -> Bool) {
    let n = Int(node)
    guard let first = nodes[n].cases.first, first < best else { return }
    if passes(first.slot) {
      best = first
      return
    }
    var open = [1, 2]
    while let place = open.popLast() {
      guard place < nodes[n].cases.count else { continue }
      let entry = nodes[n].cases[place]
      guard entry < best else { continue }
      if passes(entry.slot) { best = entry } else { open += [2 * place + 1, 2 * place + 2] }
    }
  }

  private mutating func push(_ node: Int32) {
    let item = (least: nodes[Int(node)].least, node: node)
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
      if child + 1 < frontier.count, frontier[child + 1].least < frontier[child].least { child += 1 }
      guard frontier[child].least < last.least else { break }
      frontier[place] = frontier[child]
      place = child
    }
    frontier[place] = last
    return top
  }
}

extension Channel {
  /// Its bit in a set of channels.
  @inline(__always) var bit: UInt8 { 1 << (rawValue - 1) }
}
