import Model

/// What each agent can do, laid out for searching: by agent handle.
struct Profiles: Sendable {
  private(set) var skills: [[(skill: SkillID, level: UInt8)]] = []
  private(set) var queues: [[QueueID]] = []
  private var levels: [UInt8] = []
  private var stride = 0

  init() {}

  init(_ catalogue: Catalogue) {
    stride = catalogue.skillNames.all.count
    levels = Array(repeating: 0, count: stride * catalogue.agents.count)
    for (index, agent) in catalogue.agents.enumerated() {
      skills.append(agent.isRetired ? [] : agent.skills)
      queues.append(agent.isRetired ? [] : agent.queues)
      for skill in agent.skills where !agent.isRetired { levels[index * stride + Int(skill.skill.raw)] = skill.level }
    }
  }

  /// Zero where the agent has not got the skill.
  @inline(__always) func level(_ agent: Int, _ skill: UInt32) -> UInt8 {
    Int(skill) < stride ? levels[agent * stride + Int(skill)] : 0
  }

  func serves(_ agent: Int, _ queue: QueueID) -> Bool { queues[agent].contains(queue) }
}
