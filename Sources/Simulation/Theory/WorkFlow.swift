/// Spreads work over those who can do it: a flow from kinds of work to groups of agents, which finds the kinds
/// that are too much for their groups (Edmonds and Karp's algorithm, whose min-cut is such a set).
struct WorkFlow {
  /// In thousand-millionths of an agent, so that nothing is lost by rounding on the way.
  private let demands: [Int]
  private let servers: [[Int]]
  private let room: [Int]
  /// Kinds that were not found to be too much yet.
  private var kinds: [Int]

  private static let scale = 1e9
  /// Of larger sets no least one is looked for.
  private static let shrunkMax = 64

  /// - Parameters:
  ///   - demands: how many agents each kind of work keeps busy.
  ///   - servers: the groups that can do it; indices into `agents`.
  init(demands: [Double], servers: [[Int]], agents: [Int]) {
    // More than all agents is too much, however much it is.
    let most = Double(agents.reduce(0, +) + 1)
    // A little more than it is: as much as there is room for is too much.
    self.demands = demands.map { Int((min($0, most) * Self.scale).rounded(.up)) + 1 }
    self.servers = servers
    room = agents.map { $0 * Int(Self.scale) }
    kinds = Array(demands.indices)
  }

  /// A set of kinds that is too much for its groups, which is left out from now on; nil when there is no
  /// more.
  mutating func takeOverload() -> [Int]? {
    guard var set = overloaded(kinds) else { return nil }
    if set.count <= Self.shrunkMax {
      // Without any of them the others could be done.
      for kind in set where set.contains(kind) {
        if let less = overloaded(set.filter { $0 != kind }) { set = less }
      }
    }
    kinds.removeAll { set.contains($0) }
    return set
  }

  /// Those of `kinds` that are too much together; nil when all can be done.
  private func overloaded(_ kinds: [Int]) -> [Int]? {
    var left = kinds.map { demands[$0] }
    var room = room
    var flow = kinds.map { Array(repeating: 0, count: servers[$0].count) }
    var users = Array(repeating: [(kind: Int, place: Int)](), count: room.count)
    for (kind, index) in kinds.enumerated() {
      for (place, group) in servers[index].enumerated() { users[group].append((kind, place)) }
    }
    while true {
      // The shortest way from work that is left to a group with room, by way of groups whose work others
      // can do.
      var line = kinds.indices.filter { left[$0] > 0 }
      guard !line.isEmpty else { return nil }
      var cameFrom = Array(repeating: -1, count: kinds.count)  // the group that this one can leave
      var isSeen = left.map { $0 > 0 }
      var reachedBy = Array(repeating: (kind: -1, place: 0), count: room.count)
      var end = -1
      var next = 0
      search: while next < line.count {
        let kind = line[next]
        next += 1
        for (place, group) in servers[kinds[kind]].enumerated() where reachedBy[group].kind < 0 {
          reachedBy[group] = (kind, place)
          if room[group] > 0 {
            end = group
            break search
          }
          for user in users[group] where !isSeen[user.kind] && flow[user.kind][user.place] > 0 {
            isSeen[user.kind] = true
            cameFrom[user.kind] = group
            line.append(user.kind)
          }
        }
      }
      guard end >= 0 else { return kinds.indices.filter { isSeen[$0] }.map { kinds[$0] } }
      var steps: [(kind: Int, place: Int, leaves: Int)] = []
      var amount = room[end]
      var group = end
      while true {
        let (kind, place) = reachedBy[group]
        let leaves = cameFrom[kind]
        steps.append((kind, place, leaves))
        guard leaves >= 0 else {
          amount = min(amount, left[kind])
          break
        }
        if let at = servers[kinds[kind]].firstIndex(of: leaves) {
          amount = min(amount, flow[kind][at])
        }
        group = leaves
      }
      room[end] -= amount
      for step in steps {
        flow[step.kind][step.place] += amount
        if step.leaves < 0 {
          left[step.kind] -= amount
        } else if let at = servers[kinds[step.kind]].firstIndex(of: step.leaves) {
          flow[step.kind][at] -= amount
        }
      }
    }
  }
}
