import Model

/// Whom a need names: who alone may take its case, and who must not.
///
/// Cases of the same circle stand in lanes of their own, so that an agent who is not in it never
/// looks at them one by one.
struct Circle: Hashable, Sendable {
  /// Where not empty: only these agents, …
  var requiredAgents: [AgentID] = []
  /// … and only members of one of these teams.
  var requiredTeams: [TeamID] = []
  var excludedTeams: [TeamID] = []
  var excludedAgents: [AgentID] = []

  /// Without the agents that it excludes; nil where nobody else is named.
  var withoutExcludedAgents: Circle? {
    var wider = self
    wider.excludedAgents = []
    return wider.namesTeamsOrRequires ? wider : nil
  }
  private var namesTeamsOrRequires: Bool { isRequiring || !excludedTeams.isEmpty }

  var isRequiring: Bool { !requiredAgents.isEmpty || !requiredTeams.isEmpty }

  func excludes(_ agent: Int, _ profiles: Profiles) -> Bool {
    excludedAgents.contains { Int($0.raw) == agent }
      || excludedTeams.contains { profiles.isMember(agent, of: $0) }
  }

  func lacks(_ agent: Int, _ profiles: Profiles) -> Bool {
    (!requiredAgents.isEmpty && !requiredAgents.contains { Int($0.raw) == agent })
      || (!requiredTeams.isEmpty && !requiredTeams.contains { profiles.isMember(agent, of: $0) })
  }

  func admits(_ agent: Int, _ profiles: Profiles) -> Bool {
    !lacks(agent, profiles) && !excludes(agent, profiles)
  }

  /// The same in every process, for a circle that is the same.
  var mixed: UInt64 {
    var mixed: UInt64 = 0
    func mix(_ number: UInt32) {
      mixed = (mixed ^ UInt64(number)) &* 0x9E37_79B9_7F4A_7C15
      mixed ^= mixed >> 29
    }
    for agent in requiredAgents { mix(agent.raw) }
    for team in requiredTeams { mix(team.raw | 1 << 30) }
    for team in excludedTeams { mix(team.raw | 2 << 30) }
    for agent in excludedAgents { mix(agent.raw | 3 << 30) }
    return mixed
  }
}
