import Model

/// What ought to be so, in the plainest words: who is whom, and what was said to whom. It shares no
/// code with what it is
/// held against.
struct Reference {
  /// A proven identity such as `email:jo@home.example`, or `nobody#3` for somebody without one.
  typealias Node = String

  struct Line {
    var a: Node
    var b: Node
    /// The identities that were asserted together; none where an agent drew it.
    var by: [Node]
  }

  struct Said: Hashable {
    var entry: Int
    var kind: String
    var text: String
    var conversation: String?
    var visibility: String
  }

  var lines: [Line] = []
  /// Pairs that were asserted together while they hung together anyhow, the first first.
  var spares: [Set<Node>] = []
  /// Pairs that an agent has taken apart.
  var apart: Set<Set<Node>> = []
  var shared: Set<Node> = []
  var said: [Node: [Said]] = [:]
  /// By whom each session came.
  var sessions: [String: Node] = [:]
  /// Whose matter each case is: of the session that brought it about.
  var matters: [String: Node] = [:]
  /// Who has ever come into a conversation.
  var guests: [String: Set<Node>] = [:]
  private var nobodies = 0

  func person(_ node: Node) -> Set<Node> {
    var found: Set<Node> = [node]
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for line in lines where found.contains(line.a) != found.contains(line.b) {
        found.insert(line.a)
        found.insert(line.b)
        isGrowing = true
      }
    }
    return found
  }

  /// Somebody comes with these identities, in this order; those that are claimed do not count.
  /// - Returns: where what they say belongs, and whether they are known by anything at all.
  mutating func arrives(proven: [Node]) -> (node: Node, isProven: Bool) {
    var good = proven.filter { !shared.contains($0) }
    if areApart(good) {
      // One browser, several people: whoever brings more than its chat id; nobody where two do.
      let own = good.filter { !$0.hasPrefix("chat:") }
      good = areApart(own) ? [] : own
    }
    guard let first = good.first else {
      nobodies += 1
      return ("nobody#\(nobodies)", false)
    }
    for (index, one) in good.enumerated() {
      for other in good.dropFirst(index + 1) where one != other { name(one, other) }
    }
    return (first, true)
  }

  /// One source names both.
  private mutating func name(_ a: Node, _ b: Node) {
    if lines.contains(where: { Set([$0.a, $0.b]) == [a, b] }) { return }
    if !person(a).contains(b) {
      if !areApart([a, b]) { lines.append(Line(a: a, b: b, by: [a, b])) }
    } else if !apart.contains([a, b]), !spares.contains([a, b]) {
      spares.append([a, b])
    }
  }

  private func areApart(_ nodes: [Node]) -> Bool {
    nodes.contains { a in
      nodes.contains { b in
        let (mine, theirs) = (person(a), person(b))
        return mine != theirs
          && apart.contains { !$0.isDisjoint(with: mine) && !$0.isDisjoint(with: theirs) }
      }
    }
  }

  mutating func merges(_ a: Node, _ b: Node) -> Bool {
    guard !person(a).contains(b) else { return false }
    apart.remove([a, b])
    spares.removeAll { $0 == [a, b] }
    lines.append(Line(a: a, b: b, by: []))
    return true
  }

  mutating func splits(_ a: Node, _ b: Node) -> Bool {
    guard let known = lines.firstIndex(where: { Set([$0.a, $0.b]) == [a, b] }) else { return false }
    lines.remove(at: known)
    apart.insert([a, b])
    return true
  }

  mutating func shares(_ node: Node) {
    shared.insert(node)
    lines.removeAll { $0.by.contains(node) }
    spares.removeAll { $0.contains(node) }
    for pair in spares where lines.allSatisfy({ Set([$0.a, $0.b]) != pair }) {
      let (a, b) = (pair.sorted()[0], pair.sorted()[1])
      if !person(a).contains(b), !areApart([a, b]) { lines.append(Line(a: a, b: b, by: [a, b])) }
    }
  }

  mutating func says(_ said: Said, _ node: Node) {
    guard !self.said[node, default: []].contains(where: { $0.entry == said.entry }) else { return }
    self.said[node, default: []].append(said)
  }

  func areOne(_ nodes: Set<Node>) -> Bool {
    nodes.first.map { nodes.isSubset(of: person($0)) } ?? true
  }

  /// Everything said by and to a person, in order.
  func timeline(_ node: Node) -> [Said] {
    person(node).flatMap { said[$0] ?? [] }.sorted { $0.entry < $1.entry }
  }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
  mutating func below(_ n: Int) -> Int { Int.random(in: 0..<n, using: &self) }
}
