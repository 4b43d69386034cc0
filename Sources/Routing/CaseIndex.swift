import Model

/// Waiting cases, found by what an agent can do: the oldest case (lowest key) whose needs the agent
/// meets.
///
/// A **lane** is (queues, channel, weight). Below each lane's root stands a trie of required skills
/// in the
/// order of their handles, one edge for each (skill, level). A node holds the cases that need
/// exactly the path
/// to it (a *requirement class*) in a heap by key, and its children in a heap by the lowest key
/// below them.
/// An agent walks only edges that it meets, lowest key first, and stops at the first case: what it
/// costs
/// depends on how many classes older than the answer the agent can reach, not on how many cases or
/// classes
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
    var children: [Child] = []
  }

  /// What a search must know of a child lies with its parent: most children are looked at only to
  /// be passed.
  struct Child: Sendable {
    var least: Entry
    var node: Int32
    /// Skill and level: `skill << 8 | level`.
    var label: UInt32
  }

  struct Lane: Sendable {
    var queues: [QueueID]
    var channel: Channel
    var weight: UInt16
    var root: Int32
  }

  /// What makes a lane.
  struct Kind {
    var queue: QueueID
    var widened: [QueueID]
    var channel: Channel
    var weight: UInt16
  }

  /// A number for the class that a case would be of; others may have the same.
  static func family(_ kind: Kind, _ skills: [Need.SkillRequirement]) -> UInt64 {
    var mixed =
      UInt64(kind.queue.raw) << 20 | UInt64(kind.weight) << 2 | UInt64(kind.channel.rawValue)
    for queue in kind.widened { mixed = (mixed ^ UInt64(queue.raw)) &* 0x9E37_79B9_7F4A_7C15 }
    for skill in skills where skill.required {
      mixed = (mixed ^ UInt64(skill.skill.raw) << 8 ^ UInt64(skill.level)) &* 0xFF51_AFD7_ED55_8CCD
      mixed ^= mixed >> 29
    }
    return mixed ^ mixed >> 32
  }

  var nodes: [Node] = []
  private var freeNodes: [Int32] = []
  private(set) var lanes: [Lane] = []
  private(set) var lanesOfQueue: [[Int32]] = []
  private var edges = SlotTable()
  /// How many nodes carry (skill, level), and the levels in use of each skill as bits.
  private var labelUses: [UInt32] = []
  private(set) var levelsUsed: [UInt16] = []
  private var nodeOf: [Int32] = []
  var placeOf: [Int32] = []
  private var takes: [Bool] = []
  private(set) var count = 0
  var frontier: [(least: Entry, node: Int32)] = []

  private var closedQueues: [Bool] = []

  /// Nobody finds a case by way of a queue that is closed.
  mutating func setOpen(_ queue: QueueID, _ isOpen: Bool) {
    while closedQueues.count <= Int(queue.raw) { closedQueues.append(false) }
    closedQueues[Int(queue.raw)] = !isOpen
  }
  @inline(__always) func isClosed(_ queue: QueueID) -> Bool {
    Int(queue.raw) < closedQueues.count && closedQueues[Int(queue.raw)]
  }

  var liveNodes: Int { nodes.count - freeNodes.count }

  func contains(_ slot: Int32) -> Bool { Int(slot) < nodeOf.count && nodeOf[Int(slot)] >= 0 }

  // MARK: Adding and removing

  mutating func insert(
    _ slot: Int32, key: Int64, sequence: UInt64, _ kind: Kind, skills: [Need.SkillRequirement],
    takesAnyone: Bool
  ) {
    while nodeOf.count <= Int(slot) {
      nodeOf.append(-1)
      placeOf.append(-1)
      takes.append(false)
    }
    var node = lanes[lane(kind)].root
    for skill in skills where skill.required {
      node = makeChild(of: node, label: skill.skill.raw << 8 | UInt32(skill.level))
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
  func hasEasierCase(_ kind: Kind, skills: [Need.SkillRequirement]) -> Bool {
    let lane = findLane(kind)
    guard lane >= 0 else { return false }
    var node = lanes[lane].root
    for skill in skills where skill.required {
      if nodes[Int(node)].takingAnyone > 0 { return true }
      node = child(of: node, skill.skill.raw << 8 | UInt32(skill.level))
      if node < 0 { return false }
    }
    return nodes[Int(node)].takingAnyone > 0
  }

  /// Whether cases wait here that need just these skills.
  func hasClass(_ kind: Kind, _ skills: [Need.SkillRequirement]) -> Bool {
    let lane = findLane(kind)
    guard lane >= 0 else { return false }
    var node = lanes[lane].root
    for skill in skills where skill.required {
      node = child(of: node, skill.skill.raw << 8 | UInt32(skill.level))
      if node < 0 { return false }
    }
    return !nodes[Int(node)].cases.isEmpty
  }

  private func findLane(_ kind: Kind) -> Int {
    guard Int(kind.queue.raw) < lanesOfQueue.count else { return -1 }
    for index in lanesOfQueue[Int(kind.queue.raw)] {
      let at = Int(index)
      if lanes[at].channel == kind.channel && lanes[at].weight == kind.weight
        && lanes[at].queues.count == kind.widened.count + 1 && lanes[at].queues[0] == kind.queue
        && (kind.widened.isEmpty || lanes[at].queues.dropFirst().elementsEqual(kind.widened))
      {
        return at
      }
    }
    return -1
  }

  private mutating func lane(_ kind: Kind) -> Int {
    let found = findLane(kind)
    if found >= 0 { return found }
    let index = Int32(truncatingIfNeeded: lanes.count)
    let queues = [kind.queue] + kind.widened
    lanes.append(
      Lane(
        queues: queues, channel: kind.channel, weight: kind.weight,
        root: newNode(parent: -1, label: 0)))
    for queue in queues {
      while lanesOfQueue.count <= Int(queue.raw) { lanesOfQueue.append([]) }
      if !lanesOfQueue[Int(queue.raw)].contains(index) {
        lanesOfQueue[Int(queue.raw)].append(index)
      }
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

  @inline(__always) private static func edge(_ node: Int32, _ label: UInt32) -> UInt64 {
    ((UInt64(UInt32(bitPattern: node)) << 32 | UInt64(label)) &* 0xFF51_AFD7_ED55_8CCD) >> 32
  }

  /// The child under the label, or -1.
  @inline(__always) func child(of parent: Int32, _ label: UInt32) -> Int32 {
    edges.find(Self.edge(parent, label)) {
      nodes[Int($0)].parent == parent && nodes[Int($0)].label == label
    }
  }

  private mutating func makeChild(of parent: Int32, label: UInt32) -> Int32 {
    let found = child(of: parent, label)
    if found >= 0 { return found }
    let node = newNode(parent: parent, label: label)
    edges.insert(Self.edge(parent, label), node)
    nodes[Int(node)].placeInParent = Int32(truncatingIfNeeded: nodes[Int(parent)].children.count)
    // Its least is `.none`: the bottom of the heap is its place.
    nodes[Int(parent)].children.append(Child(least: .none, node: node, label: label))
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
      let place = Int(nodes[Int(node)].placeInParent)
      nodes[Int(parent)].children[place].least = entry
      childUp(parent, place)
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
      if let first = nodes[Int(node)].children.first, first.least < least { least = first.least }
      guard least.slot != old.slot else { return }
      nodes[Int(node)].least = least
      let parent = nodes[Int(node)].parent
      if parent >= 0 {
        let place = Int(nodes[Int(node)].placeInParent)
        nodes[Int(parent)].children[place].least = least
        childDown(parent, place)
      }
      node = parent
    }
  }

  /// Removes empty nodes, upwards; roots stay.
  private mutating func prune(_ start: Int32) {
    var node = start
    while nodes[Int(node)].cases.isEmpty, nodes[Int(node)].children.isEmpty {
      let parent = nodes[Int(node)].parent
      guard parent >= 0 else { return }
      edges.remove(Self.edge(parent, nodes[Int(node)].label), node)
      countLabel(nodes[Int(node)].label, by: -1)
      let place = Int(nodes[Int(node)].placeInParent)
      let last = nodes[Int(parent)].children.removeLast()
      if place < nodes[Int(parent)].children.count {
        nodes[Int(parent)].children[place] = last
        nodes[Int(last.node)].placeInParent = Int32(truncatingIfNeeded: place)
        childUp(parent, place)
        childDown(parent, Int(nodes[Int(last.node)].placeInParent))
      }
      freeNodes.append(node)
      node = parent
    }
  }
}

extension Channel {
  static let allBits: UInt8 = 0b111
  /// Its bit in a set of channels.
  @inline(__always) var bit: UInt8 { 1 << (rawValue - 1) }
}
