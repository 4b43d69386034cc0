import Model

/// Waiting cases, found by what an agent can do: the oldest case (lowest key) whose needs the agent
/// meets.
///
/// A **lane** is (queues, channel, weight, circle). Below each lane's root stands a trie of
/// required skills in the order of their handles, one edge for each (skill, level). A node holds
/// the cases that need exactly the path to it (a *requirement class*) in a heap by key, and its
/// children in a heap by the lowest key below them. An agent walks only edges that it meets, lowest
/// key first, and stops at the first case: what it costs depends on how many classes older than the
/// answer the agent can reach, not on how many cases or classes there are. See
/// docs/decisions/0002-matching-index.md.
///
/// A lane whose circle requires somebody hangs with those agents or teams, and not with its queue: nobody else
/// comes by it. A case that excludes agents stands in the lane of everyone, and they pass it one by one, unless
/// many cases exclude just these. See docs/decisions/0046-cases-that-name-agents.md.
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
    /// Those of `cases` that take anyone whom the lane's circle admits: they neither exclude others
    /// nor are backed off from.
    var takingAnyone: UInt32 = 0
    /// How many cases there are, here and below.
    var below: UInt32 = 0
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
    /// Nil: anyone.
    var circle: Circle?
    /// -1 where nothing is left of a lane with a circle.
    var root: Int32
    var placeAtHome: Int32 = -1

    var kind: Kind {
      Kind(
        queue: queues[0], widened: Array(queues.dropFirst()), channel: channel, weight: weight,
        circle: circle)
    }
  }

  /// Where a case stands.
  struct Spot: Sendable {
    /// -1: nowhere.
    var node: Int32 = -1
    var place: Int32 = -1
    /// Whether it counts among those of its node that take anyone.
    var takesAnyone = false
  }

  /// What makes a lane.
  struct Kind {
    var queue: QueueID
    var widened: [QueueID]
    var channel: Channel
    var weight: UInt16
    var circle: Circle?
  }

  /// A number for the class that a case would be of; others may have the same.
  static func family(_ kind: Kind, _ skills: [Need.SkillRequirement]) -> UInt64 {
    var mixed =
      UInt64(kind.queue.raw) << 20 | UInt64(kind.weight) << 2 | UInt64(kind.channel.rawValue)
    for queue in kind.widened { mixed = (mixed ^ UInt64(queue.raw)) &* 0x9E37_79B9_7F4A_7C15 }
    if let circle = kind.circle { mixed ^= circle.mixed }
    for skill in skills where skill.required {
      mixed = (mixed ^ UInt64(skill.skill.raw) << 8 ^ UInt64(skill.level)) &* 0xFF51_AFD7_ED55_8CCD
      mixed ^= mixed >> 29
    }
    return mixed ^ mixed >> 32
  }

  var nodes: [Node] = []
  private var freeNodes: [Int32] = []
  private(set) var lanes: [Lane] = []
  private var freeLanes: [Int32] = []
  /// Those that anyone who serves the queue may come by, by queue.
  private(set) var lanesOfQueue: [[Int32]] = []
  /// Those whose circle requires agents, by each of these, and those that require teams. Looked up,
  /// never iterated.
  private(set) var lanesOfAgent: [UInt32: [Int32]] = [:]
  private(set) var lanesOfTeam: [UInt32: [Int32]] = [:]
  /// All lanes, by the queue in which their cases wait.
  private(set) var lanesAtHome: [[Int32]] = []
  /// How many cases wait that exclude just these agents beside the rest of their circle, and which
  /// cases these are.
  private var excluding: [Circle: Int] = [:]
  private var exclusions: [Int32: Circle] = [:]
  private var edges = SlotTable()
  /// How many nodes carry (skill, level), and the levels in use of each skill as bits.
  private var labelUses: [UInt32] = []
  private(set) var levelsUsed: [UInt16] = []
  /// By slot: what moves in a heap, comes and goes touches them, far from one another in memory.
  var spots: [Spot] = []
  private(set) var count = 0
  var frontier: [(least: Entry, node: Int32)] = []
  var reached: [Int32] = []

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
  var liveLanes: Int { lanes.count - freeLanes.count }

  func contains(_ slot: Int32) -> Bool { Int(slot) < spots.count && spots[Int(slot)].node >= 0 }

  // MARK: Adding and removing

  /// - Parameter isBackedOff: whether somebody declined it, so that agents must be asked for singly.
  mutating func insert(
    _ slot: Int32, key: Int64, sequence: UInt64, _ kind: Kind, skills: [Need.SkillRequirement],
    isBackedOff: Bool
  ) {
    while spots.count <= Int(slot) { spots.append(Spot()) }
    if let circle = kind.circle, !circle.excludedAgents.isEmpty { countExclusion(slot, circle) }
    let lane = lane(kind)
    var node = lanes[lane].root
    nodes[Int(node)].below += 1
    for skill in skills where skill.required {
      node = makeChild(of: node, label: skill.skill.raw << 8 | UInt32(skill.level))
      nodes[Int(node)].below += 1
    }
    let isSingled =
      kind.circle != nil && kind.circle?.excludedAgents != lanes[lane].circle?.excludedAgents ?? []
    spots[Int(slot)].node = node
    spots[Int(slot)].takesAnyone = !isBackedOff && !isSingled
    if spots[Int(slot)].takesAnyone { nodes[Int(node)].takingAnyone += 1 }
    let entry = Entry(key: key, sequence: sequence, slot: slot)
    nodes[Int(node)].cases.append(entry)
    caseUp(node, nodes[Int(node)].cases.count - 1)
    count += 1
    if entry < nodes[Int(node)].least { lower(node, to: entry) }
  }

  mutating func remove(_ slot: Int32) {
    guard contains(slot) else { return }
    let (node, place) = (spots[Int(slot)].node, Int(spots[Int(slot)].place))
    spots[Int(slot)].node = -1
    if spots[Int(slot)].takesAnyone { nodes[Int(node)].takingAnyone -= 1 }
    count -= 1
    var above = node
    while above >= 0 {
      nodes[Int(above)].below -= 1
      above = nodes[Int(above)].parent
    }
    let gone = nodes[Int(node)].cases[place]
    let last = nodes[Int(node)].cases.removeLast()
    if place < nodes[Int(node)].cases.count {
      nodes[Int(node)].cases[place] = last
      if last < gone { caseUp(node, place) } else { caseDown(node, place) }
    }
    if nodes[Int(node)].least.slot == slot { settle(node) }
    prune(node)
    if !exclusions.isEmpty { uncountExclusion(slot) }
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

  // MARK: Lanes

  /// The circle of the lane in which such a case stands.
  private func laneCircle(_ kind: Kind) -> Circle? {
    guard let circle = kind.circle else { return nil }
    guard !circle.excludedAgents.isEmpty else { return circle }
    return excluding[circle] ?? 0 > Self.excludingMany ? circle : circle.withoutExcludedAgents
  }

  /// So many cases that exclude the same agents are a class; fewer are passed one by one.
  static let excludingMany = 256
  /// So many lanes of a queue may exclude somebody; whoever serves it looks at each of them.
  static let excludingLanesMax = 16

  private mutating func countExclusion(_ slot: Int32, _ circle: Circle) {
    exclusions[slot] = circle
    excluding[circle, default: 0] += 1
  }

  private mutating func uncountExclusion(_ slot: Int32) {
    guard let circle = exclusions.removeValue(forKey: slot), let count = excluding[circle] else {
      return
    }
    excluding[circle] = count > 1 ? count - 1 : nil
  }

  /// Lanes among which that of the kind is, where there is one.
  private func neighbours(_ queue: QueueID, _ circle: Circle?) -> [Int32] {
    if let agent = circle?.requiredAgents.first { return lanesOfAgent[agent.raw] ?? [] }
    if let team = circle?.requiredTeams.first { return lanesOfTeam[team.raw] ?? [] }
    return Int(queue.raw) < lanesOfQueue.count ? lanesOfQueue[Int(queue.raw)] : []
  }

  private func findLane(_ kind: Kind) -> Int { findLane(kind, laneCircle(kind)) }

  private func findLane(_ kind: Kind, _ circle: Circle?) -> Int {
    for index in neighbours(kind.queue, circle) {
      let at = Int(index)
      if lanes[at].channel == kind.channel && lanes[at].weight == kind.weight
        && lanes[at].queues.count == kind.widened.count + 1 && lanes[at].queues[0] == kind.queue
        && (kind.widened.isEmpty || lanes[at].queues.dropFirst().elementsEqual(kind.widened))
        && (lanes[at].circle == nil) == (circle == nil)
        && (circle == nil || lanes[at].circle == circle)
      {
        return at
      }
    }
    return -1
  }

  private mutating func lane(_ kind: Kind) -> Int {
    var circle = laneCircle(kind)
    var found = findLane(kind, circle)
    if found < 0, let wanted = circle, !wanted.excludedAgents.isEmpty,
      neighbours(kind.queue, circle).count >= Self.excludingLanesMax
    {
      circle = wanted.withoutExcludedAgents
      found = findLane(kind, circle)
    }
    return found >= 0 ? found : addLane(kind, circle)
  }

  private mutating func addLane(_ kind: Kind, _ circle: Circle?) -> Int {
    let index = freeLanes.popLast() ?? Int32(truncatingIfNeeded: lanes.count)
    let lane = Lane(
      queues: [kind.queue] + kind.widened, channel: kind.channel, weight: kind.weight,
      circle: circle, root: newNode(parent: -1, label: UInt32(bitPattern: index)))
    if Int(index) < lanes.count { lanes[Int(index)] = lane } else { lanes.append(lane) }
    hang(index)
    return Int(index)
  }

  /// Where those who may come by it find it.
  private mutating func hang(_ index: Int32) {
    let lane = lanes[Int(index)]
    let home = Int(lane.queues[0].raw)
    while lanesAtHome.count <= home { lanesAtHome.append([]) }
    lanes[Int(index)].placeAtHome = Int32(truncatingIfNeeded: lanesAtHome[home].count)
    lanesAtHome[home].append(index)
    if let circle = lane.circle, circle.isRequiring {
      for agent in circle.requiredAgents { lanesOfAgent[agent.raw, default: []].append(index) }
      guard circle.requiredAgents.isEmpty else { return }
      for team in circle.requiredTeams { lanesOfTeam[team.raw, default: []].append(index) }
      return
    }
    for queue in lane.queues {
      while lanesOfQueue.count <= Int(queue.raw) { lanesOfQueue.append([]) }
      if !lanesOfQueue[Int(queue.raw)].contains(index) {
        lanesOfQueue[Int(queue.raw)].append(index)
      }
    }
  }

  /// A lane that is empty stays, but one with a circle: there may be very many of these, one after
  /// the other.
  private mutating func dropLane(_ index: Int32) {
    let lane = lanes[Int(index)]
    guard let circle = lane.circle else { return }
    let home = Int(lane.queues[0].raw)
    let last = lanesAtHome[home].removeLast()
    if last != index {
      lanesAtHome[home][Int(lane.placeAtHome)] = last
      lanes[Int(last)].placeAtHome = lane.placeAtHome
    }
    if circle.isRequiring {
      for agent in circle.requiredAgents { Self.drop(index, from: &lanesOfAgent, agent.raw) }
      if circle.requiredAgents.isEmpty {
        for team in circle.requiredTeams { Self.drop(index, from: &lanesOfTeam, team.raw) }
      }
    } else {
      for queue in lane.queues { lanesOfQueue[Int(queue.raw)].removeAll { $0 == index } }
    }
    freeNodes.append(lane.root)
    lanes[Int(index)].root = -1
    lanes[Int(index)].circle = nil
    freeLanes.append(index)
  }

  private static func drop(_ index: Int32, from lists: inout [UInt32: [Int32]], _ key: UInt32) {
    lists[key]?.removeAll { $0 == index }
    if lists[key]?.isEmpty ?? false { lists[key] = nil }
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

  /// Removes empty nodes, upwards.
  private mutating func prune(_ start: Int32) {
    var node = start
    while nodes[Int(node)].cases.isEmpty, nodes[Int(node)].children.isEmpty {
      let parent = nodes[Int(node)].parent
      guard parent >= 0 else { return dropLane(Int32(bitPattern: nodes[Int(node)].label)) }
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
