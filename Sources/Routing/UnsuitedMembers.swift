import Model

/// Of a queue's members, how many could never take cases of a need. Counted when the first such case is offered, and
/// kept until the configuration changes, since every offer tells it.
struct UnsuitedMembers: Sendable {
  private struct Place: Sendable {
    var queue: QueueID
    var skills: [Need.SkillRequirement]
    var able: UInt32
  }
  private struct Teams: Hashable, Sendable {
    var queue: QueueID
    var teams: [TeamID]
  }

  /// By a number of the need; of two needs with the same number the latter has the place.
  private var places: [Place?] = []
  private static let placesMax = 1_024
  /// Looked up, never iterated.
  private var inTeams: [Teams: UInt32] = [:]

  /// How many have the skills; nil where it is not known.
  func able(_ queue: QueueID, _ skills: [Need.SkillRequirement]) -> UInt32? {
    guard !places.isEmpty, let place = places[Self.place(queue, skills)], place.queue == queue,
      place.skills == skills
    else { return nil }
    return place.able
  }

  mutating func keep(_ queue: QueueID, _ skills: [Need.SkillRequirement], able: UInt32) {
    if places.isEmpty { places = Array(repeating: nil, count: Self.placesMax) }
    places[Self.place(queue, skills)] = Place(queue: queue, skills: skills, able: able)
  }

  private static func place(_ queue: QueueID, _ skills: [Need.SkillRequirement]) -> Int {
    let kind = CaseIndex.Kind(queue: queue, widened: [], channel: .chat, weight: 0)
    return Int(truncatingIfNeeded: CaseIndex.family(kind, skills)) & (placesMax - 1)
  }

  /// How many are in one of the teams.
  mutating func members(_ queue: QueueID, in teams: [TeamID], _ profiles: Profiles) -> UInt32 {
    let key = Teams(queue: queue, teams: teams)
    if let known = inTeams[key] { return known }
    if inTeams.count >= Self.placesMax { inTeams = [:] }
    let count = profiles.bounds.indices.count { agent in
      profiles.serves(agent, queue) && teams.contains { profiles.isMember(agent, of: $0) }
    }
    inTeams[key] = UInt32(truncatingIfNeeded: count)
    return UInt32(truncatingIfNeeded: count)
  }
}

extension Router {
  /// Why others are not offered the case. Of its queue's members each is counted by what hinders them just now, and by
  /// what of the need they do not meet: both are true of some.
  mutating func passedOver(_ slot: Int32) -> PassedOver {
    let queue = cases[slot].need.queue
    let members = queues[Int(queue.raw)].members
    var passed = PassedOver()
    passed.counts = queues[Int(queue.raw)].blocked
    passed.counts[Int(PassedOverReason.notInQueue.rawValue)] = catalogue.activeAgents &- members
    // Whoever is asked about this case is asked about no other.
    for offer in offerSlots(of: slot) {
      let agent = Int(offers[offer].agent.raw)
      guard profiles.serves(agent, queue),
        agents[agent].blocker == PassedOverReason.offered.rawValue
      else { continue }
      passed.counts[Int(PassedOverReason.offered.rawValue)] -= 1
    }
    if !cases[slot].need.skills.isEmpty {
      let able = membersWithSkills(slot)
      passed.counts[Int(PassedOverReason.lacksSkill.rawValue)] = members &- able
    }
    if let circle = cases[slot].need.circle {
      let excluded = membersExcluded(queue, circle)
      passed.counts[Int(PassedOverReason.excluded.rawValue)] = excluded
      let required = membersRequired(queue, circle)
      passed.counts[Int(PassedOverReason.notRequired.rawValue)] = members &- required
    }
    return passed
  }

  private mutating func membersWithSkills(_ slot: Int32) -> UInt32 {
    if cases[slot].need.circle == nil, let few = scarce.agents(of: slot) {
      return UInt32(truncatingIfNeeded: few)
    }
    let (queue, skills) = (cases[slot].need.queue, cases[slot].need.skills)
    if let known = unsuited.able(queue, skills) { return known }
    let able = UInt32(truncatingIfNeeded: everyone.count(queue: queue, skills: skills))
    unsuited.keep(queue, skills, able: able)
    return able
  }

  private mutating func membersExcluded(_ queue: QueueID, _ circle: Circle) -> UInt32 {
    var count: UInt32 = 0
    if !circle.excludedTeams.isEmpty {
      count = unsuited.members(queue, in: circle.excludedTeams, profiles)
    }
    for agent in distinct(circle.excludedAgents) {
      let index = Int(agent.raw)
      let isInTeam = circle.excludedTeams.contains { profiles.isMember(index, of: $0) }
      if profiles.serves(index, queue), !isInTeam { count += 1 }
    }
    return count
  }

  /// Those of the members whom the circle requires; all where it requires nobody.
  private mutating func membersRequired(_ queue: QueueID, _ circle: Circle) -> UInt32 {
    guard circle.isRequiring else { return queues[Int(queue.raw)].members }
    guard !circle.requiredAgents.isEmpty else {
      return unsuited.members(queue, in: circle.requiredTeams, profiles)
    }
    var count: UInt32 = 0
    for agent in distinct(circle.requiredAgents) {
      let index = Int(agent.raw)
      if profiles.serves(index, queue), !circle.lacks(index, profiles) { count += 1 }
    }
    return count
  }

  /// Agents who are there, each once: a need may name somebody twice.
  private func distinct(_ agents: [AgentID]) -> [AgentID] {
    agents.indices.filter { isActive(agents[$0]) && !agents[..<$0].contains(agents[$0]) }.map {
      agents[$0]
    }
  }
}
