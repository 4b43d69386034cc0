/// What ought to be so, in the plainest words: who is whom, and what was said to whom. It shares no
/// code with what it is held against.
public struct Reference: Sendable {
  /// A proven identity such as `email:jo@home.example`, or `nobody#3` for somebody without one.
  public typealias Node = String

  public struct Line: Sendable {
    public var a: Node
    public var b: Node
    /// The identities that were asserted together; none where an agent drew it.
    public var by: [Node]
  }

  public struct Said: Hashable, Sendable {
    public var entry: Int
    public var kind: String
    public var text: String
    public var conversation: String?
    public var visibility: String

    public init(
      entry: Int, kind: String, text: String, conversation: String?, visibility: String
    ) {
      (self.entry, self.kind, self.text) = (entry, kind, text)
      (self.conversation, self.visibility) = (conversation, visibility)
    }
  }

  public var lines: [Line] = []
  /// Pairs that were asserted together while they hung together anyhow, the first first.
  public var spares: [Set<Node>] = []
  /// Pairs that an agent has taken apart.
  public var apart: Set<Set<Node>> = []
  public var shared: Set<Node> = []
  /// Pairs that are no longer one since something they were named by is several people's.
  private var parted: [Line] = []
  public var said: [Node: [Said]] = [:]
  /// By whom each session came.
  public var sessions: [String: Node] = [:]
  /// Whose matter each case is: of the session that brought it about.
  public var matters: [String: Node] = [:]
  /// Who has ever come into a conversation.
  public var guests: [String: Set<Node>] = [:]
  private var nobodies = 0

  public init() {}

  public func person(_ node: Node) -> Set<Node> {
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
  public mutating func arrives(proven: [Node]) -> (node: Node, isProven: Bool) {
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

  public mutating func merges(_ a: Node, _ b: Node) -> Bool {
    guard !person(a).contains(b) else { return false }
    apart.remove([a, b])
    spares.removeAll { $0 == [a, b] }
    parted.removeAll { Set([$0.a, $0.b]) == [a, b] }
    lines.append(Line(a: a, b: b, by: []))
    return true
  }

  public mutating func splits(_ a: Node, _ b: Node) -> Bool {
    guard let known = lines.firstIndex(where: { Set([$0.a, $0.b]) == [a, b] }) else { return false }
    lines.remove(at: known)
    apart.insert([a, b])
    return true
  }

  public mutating func shares(_ node: Node) {
    shared.insert(node)
    parted += lines.filter { $0.by.contains(node) }
    parted += spares.filter { $0.contains(node) }.map { $0.sorted() }.map {
      Line(a: $0[0], b: $0[1], by: $0)
    }
    lines.removeAll { $0.by.contains(node) }
    spares.removeAll { $0.contains(node) }
    for pair in spares where lines.allSatisfy({ Set([$0.a, $0.b]) != pair }) {
      let (a, b) = (pair.sorted()[0], pair.sorted()[1])
      if !person(a).contains(b), !areApart([a, b]) { lines.append(Line(a: a, b: b, by: [a, b])) }
    }
  }

  /// It was one person's after all: whoever was named by it is one again.
  public mutating func unshares(_ node: Node) {
    shared.remove(node)
    let again = parted.filter { $0.by.contains(node) && shared.isDisjoint(with: $0.by) }
    parted.removeAll { $0.by.contains(node) && shared.isDisjoint(with: $0.by) }
    for line in again { name(line.a, line.b) }
  }

  /// Somebody is called otherwise from now on.
  mutating func renames(_ names: [Node: Node]) {
    let name = { (node: Node) in names[node] ?? node }
    lines = lines.map { Line(a: name($0.a), b: name($0.b), by: $0.by.map(name)) }
    // Whoever comes by these again was never taken apart from anybody.
    apart = apart.filter { pair in pair.allSatisfy { names[$0] == nil } }
    spares = spares.filter { pair in pair.allSatisfy { names[$0] == nil } }
    parted = parted.filter { names[$0.a] == nil && names[$0.b] == nil }
    sessions = sessions.mapValues(name)
    matters = matters.mapValues(name)
  }

  public mutating func says(_ said: Said, _ node: Node) {
    guard !self.said[node, default: []].contains(where: { $0.entry == said.entry }) else { return }
    self.said[node, default: []].append(said)
  }

  public func areOne(_ nodes: Set<Node>) -> Bool {
    nodes.first.map { nodes.isSubset(of: person($0)) } ?? true
  }

  /// Everything said by and to a person, in order.
  public func timeline(_ node: Node) -> [Said] {
    person(node).flatMap { said[$0] ?? [] }.sorted { $0.entry < $1.entry }
  }
}
