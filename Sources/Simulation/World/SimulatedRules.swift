import Continuity
import Model
import Pipeline
import Records
import Routing

/// Rules of a simulated world: what a case needs follows from what was said, by a seed of its own,
/// so that a request that comes again needs the same.
struct SimulatedRules: Planner {
  var version: UInt32
  let skills: Int
  let agents: Int
  var hasTeams = false

  func plan(_ facts: RouteFacts, router: borrowing Router, at: Instant) -> Planned {
    let said = facts.handoff?.reason ?? facts.mail?.subject ?? facts.call?.from ?? ""
    var random = SeededRandom(
      seed: said.utf8.reduce(0xCBF2_9CE4) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 })
    if random.oneIn(25) {
      return .action(.answer("a text instead of a person"), rule: 1, ruleVersion: version)
    }
    let queues = router.queueIDs
    guard let queue = queues.isEmpty ? nil : queues[random.below(queues.count)] else {
      return .action(.reject("there is no queue"), rule: 2, ruleVersion: version)
    }
    let need = need(queue, queues, &random)
    let leavesMessage = facts.channel == .phone && random.oneIn(6)
    return .route(
      need, prompt: leavesMessage ? "please speak" : nil, rule: 0, ruleVersion: version,
      facts: Array(said.utf8))
  }

  private func need(_ queue: QueueID, _ queues: [QueueID], _ random: inout SeededRandom) -> Need {
    var need = Need(queue: queue)
    need.priority = Int16(random.below(4))
    for skill in 0..<skills where random.oneIn(3) {
      need.skills.append(
        .init(
          skill: SkillID(UInt32(skill)), level: UInt8(1 + random.below(5)),
          required: !random.oneIn(3)))
    }
    if random.oneIn(5) {
      need.preferred = .init(
        agent: AgentID(UInt32(random.below(agents))), for: .seconds(Int64(random.below(40))))
    }
    if hasTeams {
      if random.oneIn(8) { need.requiredTeams = [TeamID(UInt32(random.below(2)))] }
      if random.oneIn(8) { need.excludedTeams = [TeamID(UInt32(random.below(2)))] }
      if random.oneIn(8) { need.excluded = [AgentID(UInt32(random.below(agents)))] }
      if random.oneIn(12) { need.requiredAgents = [AgentID(UInt32(random.below(agents)))] }
      if random.oneIn(6) { need.weight = UInt16(random.below(4)) }
    }
    for number in 0..<random.below(3) {
      let skill = SkillID(UInt32(random.below(max(1, skills))))
      let other = queues[random.below(queues.count)]
      let change: Need.Step.Change =
        switch random.below(6) {
        case 0 where skills > 0: .dropSkill(skill)
        case 1 where skills > 0: .lowerSkill(skill, level: 1)
        case 2: .changeQueue(other)
        case 3: .widen([other])
        case 4: .message(7)
        default: .raisePriority(by: 2)
        }
      need.steps.append(
        .init(after: .seconds(Int64(10 + number * 20 + random.below(20))), change: change))
    }
    return need
  }

  var continuity: ContinuityRules { ContinuityRules() }

  func text(_ number: UInt32, ruleVersion: UInt32, _ reads: any StoreReader) -> String? {
    "we have not forgotten you"
  }
  func prompt(ofQueue name: String) -> String? { nil }
  func handBack(ofQueue name: String) -> String? { nil }

  /// A version of the workspace's queues and agents.
  ///
  /// - Parameter limitedFrom: from when queues open and close; nil where nothing is limited.
  static func configuration(
    version: UInt32, agents: Int, skills: Int, queues: Int, limitedFrom: Instant? = nil,
    isBusy: Bool = false, _ random: inout SeededRandom
  ) -> RoutingConfiguration {
    var made = RoutingConfiguration(
      version: version, skills: (0..<skills).map { "skill\($0)" }, bots: ["robin", "ida"],
      queues: [], agents: [])
    for index in 0..<queues {
      var queue = RoutingConfiguration.Queue(name: "queue\(index)")
      queue.prioritySeconds = [0, 10, 60][random.below(3)]
      queue.onMiss = random.oneIn(2) ? .notResponding : .backOff(.seconds(20))
      queue.strategy =
        [
          [.longestIdle], [.leastOccupied, .mostSkilled], [.leastSkilled], [.roundRobin],
          [.fewestToday],
        ][
          random.below(5)]
      queue.order = random.oneIn(3) ? .deadline : .age
      queue.offersAtOnce = UInt8(1 + (random.oneIn(3) ? 1 : 0))
      queue.firstReply = .init(chat: .seconds(random.oneIn(2) ? 30 : 0), email: .zero, phone: .zero)
      queue.wrapUp = .init(chat: .zero, email: .zero, phone: .seconds(Int64(random.below(2)) * 20))
      made.queues.append(queue)
    }
    for index in 0..<agents where index == 0 || !random.oneIn(12) {
      var agent = RoutingConfiguration.Agent(name: "agent\(index)", skills: [], queues: [])
      for skill in 0..<skills where random.oneIn(2) {
        agent.skills.append(.init("skill\(skill)", level: UInt8(1 + random.below(10))))
      }
      agent.queues = made.queues.map(\.name).filter { _ in !random.oneIn(3) }
      agent.capacity = UInt16(1 + random.below(5))
      agent.devices = random.oneIn(2) ? [] : ["device\(index)"]
      agent.autoAccept = random.oneIn(8)
      made.agents.append(agent)
    }
    // By a copy of its luck, so that older seeds go on as they were.
    var luck = random
    let rule = luck.below(3)
    for index in made.queues.indices {
      if rule == 1 { made.queues[index].slopePermille = UInt32(500 + 1_500 * luck.below(3)) }
      if rule == 2 { made.queues[index].share = UInt16(luck.below(4)) }
    }
    made.statuses = [.init(name: "coaching", as: .meeting)]
    made.limits.voiceExclusive = random.oneIn(2)
    made.limits.weight.phone = UInt16(1 + random.below(3))
    made.limits.sessionIdleMax = .seconds(600)
    made.limits.presenceLease = .seconds(60)
    if let limitedFrom { limit(&made, from: limitedFrom, &random) }
    if isBusy { fill(&made, &random) }
    return made
  }

  /// Agents of every queue, with room for some work and beside it for what may be interrupted.
  private static func fill(_ made: inout RoutingConfiguration, _ random: inout SeededRandom) {
    made.limits.interruptible = .init(chat: random.oneIn(8), email: !random.oneIn(4), phone: false)
    for index in made.agents.indices {
      made.agents[index].queues = made.queues.map(\.name)
      made.agents[index].capacity = UInt16(2 + random.below(3))
      made.agents[index].channelMax = .init(
        chat: UInt16(1 + random.below(3)), email: UInt16(2 + random.below(3)), phone: 1)
    }
  }

  private static func limit(
    _ made: inout RoutingConfiguration, from start: Instant, _ random: inout SeededRandom
  ) {
    made.teams = ["gold", "silver"]
    for index in made.agents.indices {
      made.agents[index].teams = made.teams.filter { _ in random.oneIn(2) }
      made.agents[index].channelMax = .init(
        chat: UInt16(1 + random.below(3)), email: UInt16(random.below(3)), phone: 1)
      made.agents[index].voiceExclusive = random.oneIn(2)
    }
    func overflow() -> RoutingConfiguration.Overflow {
      let other = made.queues[random.below(made.queues.count)].name
      return [.wait, .refuse, .queue(other), .handBack, .message][random.below(5)]
    }
    for index in made.queues.indices {
      if random.oneIn(2) {
        var (hours, at) = ([RoutingConfiguration.OpenInterval](), start)
        for _ in 0..<20 {
          let opens = at + .seconds(Int64(random.below(60)))
          at = opens + .seconds(Int64(20 + random.below(300)))
          hours.append(.init(from: opens, until: at))
          at = at + .seconds(1)
        }
        made.queues[index].hours = hours
        made.queues[index].whenClosed = overflow()
      }
      if random.oneIn(3) {
        made.queues[index].waitingMax = UInt32(1 + random.below(4))
        made.queues[index].whenFull = overflow()
      }
      if random.oneIn(3) {
        made.queues[index].waitMax = .seconds(Int64(10 + random.below(90)))
        made.queues[index].whenWaitedOut = overflow()
      }
    }
    made.limits.interruptible.email = random.oneIn(2)
    if random.oneIn(2) {
      made.limits.botSilenceMax = .seconds(Int64(10 + random.below(30)))
      made.limits.botSilenceQueue = made.queues[0].name
    }
  }
}
