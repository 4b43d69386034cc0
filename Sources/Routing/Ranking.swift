import Model

/// Who of several eligible agents gets a case: preferred skills first, then the queue's strategies in turn,
/// then the longest idle.
struct Ranking {
  private let strategy: [RoutingConfiguration.Strategy]
  private let skills: [Need.SkillRequirement]
  private let hasPreferredSkills: Bool
  /// The longest idle is simply the first that is met.
  let isFirstCome: Bool

  init(_ router: Router, _ slot: Int32) {
    skills = router.cases[slot].need.skills
    strategy = router.catalogue.queues[Int(router.cases[slot].need.queue.raw)].settings.strategy
    hasPreferredSkills = skills.contains { !$0.required }
    isFirstCome = !hasPreferredSkills && (strategy.first ?? .longestIdle) == .longestIdle
  }

  /// Whether `a` goes before `b`. Equal in all is false: the first met, the longest idle, stays.
  func prefers(_ a: Int, _ b: Int, _ router: Router) -> Bool {
    if hasPreferredSkills {
      let (mine, other) = (preferredMet(a, router), preferredMet(b, router))
      if mine != other { return mine > other }
    }
    for rule in strategy {
      let order = compare(a, b, rule, router)
      if order != 0 { return order < 0 }
    }
    return router.agents[a].idleStamp < router.agents[b].idleStamp
  }

  private func preferredMet(_ agent: Int, _ router: Router) -> Int {
    skills.count { !$0.required && router.profiles.level(agent, $0.skill.raw) >= $0.level }
  }

  /// Negative when `a` goes first.
  private func compare(_ a: Int, _ b: Int, _ rule: RoutingConfiguration.Strategy, _ router: Router) -> Int {
    switch rule {
    case .longestIdle: return order(router.agents[a].idleStamp, router.agents[b].idleStamp)
    case .leastOccupied:
      // used/capacity compared without dividing.
      let capacity = (Int(router.catalogue.agents[a].settings.capacity), Int(router.catalogue.agents[b].settings.capacity))
      return order(router.agents[a].used * capacity.1, router.agents[b].used * capacity.0)
    case .mostSkilled: return order(levels(b, router), levels(a, router))
    case .leastSkilled:
      let needed = order(levels(a, router), levels(b, router))
      return needed != 0 ? needed : order(breadth(a, router), breadth(b, router))
    case .roundRobin: return order(router.agents[a].offeredStamp, router.agents[b].offeredStamp)
    case .fewestToday: return order(today(a, router), today(b, router))
    }
  }

  private func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }
  /// Sum of the agent's levels in the skills that the case names.
  private func levels(_ agent: Int, _ router: Router) -> Int {
    skills.reduce(0) { $0 + Int(router.profiles.level(agent, $1.skill.raw)) }
  }
  /// Sum of all levels: an expert in many things is kept free before one in few.
  private func breadth(_ agent: Int, _ router: Router) -> Int {
    router.profiles.skills[agent].reduce(0) { $0 + Int($1.level) }
  }
  private func today(_ agent: Int, _ router: Router) -> UInt32 {
    router.agents[agent].day == router.now.milliseconds / 86_400_000 ? router.agents[agent].acceptedInDay : 0
  }
}
