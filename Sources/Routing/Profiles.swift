import Model

/// What each agent can do, laid out for searching: by agent handle. Lists lie one behind the other,
/// so that reading one counts no references.
struct Profiles: Sendable {
  private(set) var allSkills: [(skill: SkillID, level: UInt8)] = []
  private(set) var allQueues: [QueueID] = []
  private var skillStarts: [Int32] = [0]
  private var queueStarts: [Int32] = [0]
  private(set) var allTeams: [TeamID] = []
  private var teamStarts: [Int32] = [0]
  private(set) var bounds: [Bounds] = []
  private var levels: [UInt8] = []
  private var stride = 0

  /// The numbers of an agent that every decision looks at, apart from names and lists.
  struct Bounds: Sendable {
    var capacity: Int
    var most: (chat: UInt16, email: UInt16, phone: UInt16)
    var devices: Int
    /// Sum of all levels: an expert in many things is kept free before one in few.
    var breadth: Int
    var autoAccept: Bool
    var voiceExclusive: Bool
    var isRetired: Bool

    func most(_ channel: Channel) -> UInt16 {
      switch channel {
      case .chat: most.chat
      case .email: most.email
      case .phone: most.phone
      }
    }
  }

  init() {}

  init(_ catalogue: Catalogue) {
    stride = catalogue.skillNames.all.count
    levels = Array(repeating: 0, count: stride * catalogue.agents.count)
    for (index, agent) in catalogue.agents.enumerated() {
      if !agent.isRetired {
        allSkills += agent.skills
        allQueues += agent.queues
        for team in agent.settings.teams {
          if let id = catalogue.teamNames.handle(team) { allTeams.append(TeamID(id)) }
        }
      }
      teamStarts.append(Int32(truncatingIfNeeded: allTeams.count))
      skillStarts.append(Int32(truncatingIfNeeded: allSkills.count))
      queueStarts.append(Int32(truncatingIfNeeded: allQueues.count))
      let settings = agent.settings
      let most = settings.channelMax
      bounds.append(
        Bounds(
          capacity: Int(settings.capacity), most: (most.chat, most.email, most.phone),
          devices: settings.devices.count,
          breadth: agent.skills.reduce(0) { $0 + Int($1.level) }, autoAccept: settings.autoAccept,
          voiceExclusive: settings.voiceExclusive, isRetired: agent.isRetired))
      for skill in agent.skills where !agent.isRetired {
        levels[index * stride + Int(skill.skill.raw)] = skill.level
      }
    }
  }

  /// Where the agent's skills stand in `allSkills`, by skill.
  @inline(__always) func skillRange(_ agent: Int) -> Range<Int> {
    Int(skillStarts[agent])..<Int(skillStarts[agent + 1])
  }
  /// Where the queues that the agent serves stand in `allQueues`, by queue.
  @inline(__always) func queueRange(_ agent: Int) -> Range<Int> {
    Int(queueStarts[agent])..<Int(queueStarts[agent + 1])
  }

  /// Where the teams that the agent is in stand in `allTeams`.
  @inline(__always) func teamRange(_ agent: Int) -> Range<Int> {
    Int(teamStarts[agent])..<Int(teamStarts[agent + 1])
  }
  @inline(__always) func isMember(_ agent: Int, of team: TeamID) -> Bool {
    for at in teamRange(agent) where allTeams[at] == team { return true }
    return false
  }
  func teams(_ agent: Int) -> [TeamID] {
    Array(allTeams[teamRange(agent)])
  }

  /// Zero where the agent has not got the skill.
  @inline(__always) func level(_ agent: Int, _ skill: UInt32) -> UInt8 {
    Int(skill) < stride ? levels[agent * stride + Int(skill)] : 0
  }

  @inline(__always) func serves(_ agent: Int, _ queue: QueueID) -> Bool {
    for at in queueRange(agent) where allQueues[at] == queue { return true }
    return false
  }
}
