import Model

/// The workspace's configuration with names turned into handles. A name keeps its handle for ever;
/// what a later version leaves out is retired.
struct Catalogue: Sendable {
  struct Names: Sendable {
    private(set) var all: [String] = []
    private var handles: [String: UInt32] = [:]  // looked up, never iterated
    func handle(_ name: String) -> UInt32? { handles[name] }
    mutating func add(_ name: String) -> UInt32 {
      if let found = handles[name] { return found }
      let handle = UInt32(truncatingIfNeeded: all.count)
      all.append(name)
      handles[name] = handle
      return handle
    }
    init(_ names: [String] = []) { for name in names { _ = add(name) } }
  }

  struct Agent: Sendable {
    var settings: RoutingConfiguration.Agent
    var skills: [(skill: SkillID, level: UInt8)]
    var queues: [QueueID]
    var isRetired = false
  }
  struct Queue: Sendable {
    var settings: RoutingConfiguration.Queue
    var isRetired = false
  }
  /// Retired or not: whoever is in it stays until they choose another.
  struct Status: Sendable {
    var settings: RoutingConfiguration.Status
    var isRetired = false
  }

  var skillNames = Names(), botNames = Names(), teamNames = Names(), queueNames = Names(),
    agentNames = Names(), statusNames = Names()
  var configuration: RoutingConfiguration?
  var isConfigured = false
  var limits = RoutingConfiguration.Limits()
  var agents: [Agent] = []
  var queues: [Queue] = []
  var statuses: [Status] = []
  var activeAgents: UInt32 = 0
  var between = BetweenQueues.keys

  func isKnown(_ queue: QueueID) -> Bool { Int(queue.raw) < queues.count }

  mutating func apply(_ new: RoutingConfiguration) {
    configuration = new
    isConfigured = true
    limits = new.limits
    for name in new.skills { _ = skillNames.add(name) }
    for name in new.bots { _ = botNames.add(name) }
    for name in new.teams { _ = teamNames.add(name) }
    for index in queues.indices { queues[index].isRetired = true }
    for queue in new.queues {
      let handle = Int(queueNames.add(queue.name))
      if handle < queues.count {
        queues[handle] = Queue(settings: queue)
      } else {
        queues.append(Queue(settings: queue))
      }
    }
    for index in agents.indices { agents[index] = .retired(agents[index].settings.name) }
    for agent in new.agents {
      let made = Agent(settings: agent, skills: skills(of: agent), queues: queues(of: agent))
      let handle = Int(agentNames.add(agent.name))
      if handle < agents.count { agents[handle] = made } else { agents.append(made) }
    }
    for index in statuses.indices { statuses[index].isRetired = true }
    for status in new.statuses {
      let handle = Int(statusNames.add(status.name))
      if handle < statuses.count {
        statuses[handle] = Status(settings: status)
      } else {
        statuses.append(Status(settings: status))
      }
    }
    activeAgents = UInt32(truncatingIfNeeded: new.agents.count)
    between = BetweenQueues(new.queues)
  }

  /// Which queues' cases must be placed, weighed and timed anew after `old`, by handle; nil for those of all. Who could
  /// take them and when a queue is open is no part of that.
  func queuesChanged(since old: Catalogue) -> [Bool]? {
    guard old.isConfigured, limits == old.limits, between == old.between,
      configuration?.bots == old.configuration?.bots, queues.count >= old.queues.count
    else { return nil }
    var changed = Array(repeating: false, count: queues.count)
    for (index, before) in old.queues.enumerated() {
      // Another queue's cases may overflow into this one, or no longer.
      guard queues[index].isRetired == before.isRetired else { return nil }
      var (now, then) = (queues[index].settings, before.settings)
      now.hours = nil
      then.hours = nil
      changed[index] = now != then
    }
    return changed
  }

  private func skills(of agent: RoutingConfiguration.Agent) -> [(skill: SkillID, level: UInt8)] {
    var levels: [(skill: SkillID, level: UInt8)] = []
    for skill in agent.skills {
      guard let handle = skillNames.handle(skill.name) else { continue }
      levels.append((SkillID(handle), min(skill.level, RoutingLimits.skillLevelMax)))
    }
    levels.sort { $0.skill < $1.skill }
    return levels
  }

  private func queues(of agent: RoutingConfiguration.Agent) -> [QueueID] {
    var handles: [QueueID] = []
    for name in agent.queues {
      if let handle = queueNames.handle(name), !handles.contains(QueueID(handle)) {
        handles.append(QueueID(handle))
      }
    }
    return handles.sorted()
  }

  /// Nil when the configuration keeps the bounds and names only what it declares.
  static func fault(_ new: RoutingConfiguration) -> Rejection? {
    guard new.skills.count <= RoutingLimits.skillsMax, new.queues.count <= RoutingLimits.queuesMax,
      new.agents.count <= RoutingLimits.agentsMax, new.bots.count <= RoutingLimits.botsMax,
      new.teams.count <= RoutingLimits.teamsMax, new.statuses.count <= RoutingLimits.statusesMax
    else { return .needTooLarge }
    let queues = Set(new.queues.map(\.name))
    let skills = Set(new.skills)
    guard queues.count == new.queues.count, skills.count == new.skills.count,
      Set(new.agents.map(\.name)).count == new.agents.count,
      Set(new.statuses.map(\.name)).count == new.statuses.count
    else { return .notAllowed }
    for status in new.statuses {
      if case .custom = status.counts { return .notAllowed }
    }
    for agent in new.agents {
      guard agent.queues.allSatisfy(queues.contains) else { return .unknownQueue }
      guard
        agent.skills.allSatisfy({ skills.contains($0.name) && $0.level >= 1 && $0.level <= 10 }),
        Set(agent.skills.map(\.name)).count == agent.skills.count,
        agent.devices.count <= RoutingLimits.devicesPerAgentMax, agent.capacity <= 10_000
      else { return .notAllowed }
    }
    for queue in new.queues {
      for way in [queue.whenClosed, queue.whenFull, queue.whenWaitedOut] {
        if case .queue(let name) = way, !queues.contains(name) { return .unknownQueue }
      }
      var last = Instant.distantPast
      for interval in queue.hours ?? [] {
        guard interval.from >= last, interval.until > interval.from else { return .notAllowed }
        last = interval.until
      }
      guard queue.hours?.count ?? 0 <= RoutingLimits.intervalsPerQueueMax else {
        return .needTooLarge
      }
      guard queue.waitMax >= .zero, RoutingLimits.slopesPermille.contains(queue.slopePermille)
      else { return .notAllowed }
    }
    if !new.limits.botSilenceQueue.isEmpty, !queues.contains(new.limits.botSilenceQueue) {
      return .unknownQueue
    }
    return timesFault(new.limits)
  }

  private static func timesFault(_ limits: RoutingConfiguration.Limits) -> Rejection? {
    let lease = limits.presenceLease.milliseconds
    guard lease > 0, lease <= RoutingLimits.leaseMillisecondsMax, limits.restartGrace >= .zero,
      limits.declineBackOff > .zero, limits.declineBackOffMax >= limits.declineBackOff,
      limits.sessionIdleMax > .zero, limits.botSilenceMax >= .zero
    else { return .notAllowed }
    return nil
  }
}
