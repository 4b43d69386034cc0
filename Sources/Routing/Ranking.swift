import Model

// Who of several eligible agents gets a case: preferred skills first, then the queue's strategies
// in turn, then the longest idle.
enum Ranking {
  /// What the first strategy of a chain compares, so that of many agents each is looked at once.
  struct First {
    var rule: RoutingConfiguration.Strategy
    /// Whether those that are equal in it are told apart by more than how long they are idle.
    var isAlone: Bool
    /// No agent can have less.
    var least: Int

    /// Nil where preferred skills go before the strategies.
    init?(_ skills: [Need.SkillRequirement], _ strategy: [RoutingConfiguration.Strategy]) {
      guard let rule = strategy.first, skills.allSatisfy(\.required) else { return nil }
      self.rule = rule
      isAlone = strategy.count == 1 && rule != .leastSkilled
      switch rule {
      case .leastOccupied, .fewestToday: least = 0
      case .mostSkilled: least = -Int(RoutingLimits.skillLevelMax) * skills.count
      case .longestIdle, .leastSkilled, .roundRobin: least = .min
      }
    }
  }

  /// Whether the longest idle is simply the first that is met.
  static func isFirstCome(
    _ skills: [Need.SkillRequirement], _ strategy: [RoutingConfiguration.Strategy]
  ) -> Bool {
    if let first = strategy.first, first != .longestIdle { return false }
    for skill in skills where !skill.required { return false }
    return true
  }
}

extension Router {
  /// Whether `a` goes before `b`. Equal in all is false: the first met, the longest idle, stays.
  func prefers(_ a: Int, _ b: Int, _ slot: Int32) -> Bool {
    let (mine, other) = (preferredMet(a, slot), preferredMet(b, slot))
    if mine != other { return mine > other }
    for rule in catalogue.queues[Int(cases[slot].need.queue.raw)].settings.strategy {
      let order = compare(a, b, rule, slot)
      if order != 0 { return order < 0 }
    }
    return agents[a].idleStamp < agents[b].idleStamp
  }

  private func preferredMet(_ agent: Int, _ slot: Int32) -> Int {
    var met = 0
    for skill in cases[slot].need.skills where !skill.required {
      if profiles.level(agent, skill.skill.raw) >= skill.level { met += 1 }
    }
    return met
  }

  /// Lower goes first, and what is equal in the strategy is equal here.
  func measure(_ agent: Int, _ rule: RoutingConfiguration.Strategy, _ slot: Int32) -> Int {
    switch rule {
    case .longestIdle: Int(truncatingIfNeeded: agents[agent].idleStamp)
    // Two shares of capacities up to 10,000 differ by a hundred millionth at least.
    case .leastOccupied: (agents[agent].used << 40) / max(1, profiles.bounds[agent].capacity)
    case .mostSkilled: -levels(agent, slot)
    case .leastSkilled: levels(agent, slot)
    case .roundRobin: Int(truncatingIfNeeded: agents[agent].offeredStamp)
    case .fewestToday: Int(acceptedToday(agent))
    }
  }

  /// Negative when `a` goes first.
  private func compare(_ a: Int, _ b: Int, _ rule: RoutingConfiguration.Strategy, _ slot: Int32)
    -> Int
  {
    func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }
    switch rule {
    case .longestIdle: return order(agents[a].idleStamp, agents[b].idleStamp)
    case .leastOccupied:
      // used/capacity compared without dividing.
      return order(
        agents[a].used * profiles.bounds[b].capacity, agents[b].used * profiles.bounds[a].capacity)
    case .mostSkilled: return order(levels(b, slot), levels(a, slot))
    case .leastSkilled:
      let needed = order(levels(a, slot), levels(b, slot))
      return needed != 0 ? needed : order(profiles.bounds[a].breadth, profiles.bounds[b].breadth)
    case .roundRobin: return order(agents[a].offeredStamp, agents[b].offeredStamp)
    case .fewestToday: return order(acceptedToday(a), acceptedToday(b))
    }
  }

  /// Sum of the agent's levels in the skills that the case names.
  private func levels(_ agent: Int, _ slot: Int32) -> Int {
    var sum = 0
    for skill in cases[slot].need.skills { sum += Int(profiles.level(agent, skill.skill.raw)) }
    return sum
  }
  private func acceptedToday(_ agent: Int) -> UInt32 {
    agents[agent].day == now.milliseconds / 86_400_000 ? agents[agent].acceptedInDay : 0
  }
}
