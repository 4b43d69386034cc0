import Continuity
import Expressions
import Model
import Pipeline
import Records
import RuleFiles
import Routing
import Rules
import Wire

/// A workspace's rule set as its writer asks it: facts into slots, and the plan's names into
/// handles.
struct RulePlanner: Planner {
  let checked: CheckedWorkspace
  let version: UInt32
  let asks: AskedFacts
  let continuity: ContinuityRules
  /// Texts that steps send, in the order in which the plans name them.
  private let texts: [String]
  private let textNumbers: [String: UInt32]
  private let earlier: EarlierRules

  init(_ checked: CheckedWorkspace, version: UInt32, after earlier: EarlierRules) {
    self.checked = checked
    self.version = version
    self.earlier = earlier
    asks = AskedFacts(checked.rules.asked)
    continuity = ContinuityRules(checked.workspace)
    texts = Self.texts(of: checked)
    textNumbers = Dictionary(
      uniqueKeysWithValues: texts.enumerated().map { ($0.element, UInt32($0.offset)) })
  }

  /// Every text that a case may be told while it waits, in the order of its number.
  static func texts(of checked: CheckedWorkspace) -> [String] {
    var said: [String] = []
    for rule in checked.rules.rules {
      guard case .route(let plan) = rule.outcome else { continue }
      said += plan.steps.compactMap { if case .message(let text) = $0.change { text } else { nil } }
    }
    // Numbers of a version are kept: what is new here comes last.
    for then in [\.waitMax?.then, \.closed, \.waitingMax?.then]
      as [KeyPath<QueueConfiguration, QueueConfiguration.Overflow?>]
    {
      said += checked.queues.compactMap {
        if case .answer(let text)? = $0[keyPath: then] { text } else { nil }
      }
    }
    var known: Set<String> = []
    return said.filter { known.insert($0).inserted }
  }

  /// A case that waits keeps the steps of the version that routed it, and with them its words.
  func text(_ number: UInt32, ruleVersion: UInt32, _ reads: any StoreReader) throws(StoreFault)
    -> String?
  {
    let texts = ruleVersion == version ? texts : try earlier.of(ruleVersion, reads).texts
    return texts.indices.contains(Int(number)) ? texts[Int(number)] : nil
  }

  func prompt(ofQueue name: String) -> String? {
    let cap = checked.queues.first { $0.name == name }?.waitMax
    return if case .leaveMessage(let text)? = cap?.then { text } else { nil }
  }

  func handBack(ofQueue name: String) -> String? {
    let cap = checked.queues.first { $0.name == name }?.waitMax
    return if case .handBack(let reason)? = cap?.then { reason } else { nil }
  }

  func plan(_ facts: RouteFacts, router: borrowing Router, at: Instant) -> Planned {
    let seen = self.facts(facts, router, at)
    let decision = checked.rules.evaluate(seen)
    let rule = UInt32(decision.ruleIndex)
    switch decision.outcome {
    case .action(let action):
      let answer: RuleAction =
        switch action {
        case .answer(let text): .answer(text)
        case .handBack(let reason): .handBack(reason)
        case .reject(let reason): .reject(reason)
        }
      return .action(answer, rule: rule, ruleVersion: version)
    case .route(let plan):
      return .route(
        need(plan, facts, router), prompt: plan.leaveMessage, rule: rule, ruleVersion: version,
        facts: Array(FactsFile.kept(seen).utf8), tags: plan.tags)
    }
  }

  private func need(_ plan: Plan, _ facts: RouteFacts, _ router: borrowing Router) -> Need {
    // The loader refuses a plan whose queue does not exist, and `configure` ran before any plan is
    // asked for.
    var need = Need(queue: router.queueID(named: plan.queue) ?? QueueID(0))
    need.priority = Int16(clamping: plan.priority)
    for (skills, required) in [(plan.requiredSkills, true), (plan.preferredSkills, false)] {
      for skill in skills {
        guard let id = router.skillID(named: skill.name) else { continue }
        if let known = need.skills.firstIndex(where: { $0.skill == id }) {
          need.skills[known].level = max(need.skills[known].level, UInt8(clamping: skill.level))
          need.skills[known].required = need.skills[known].required || required
        } else {
          need.skills.append(
            .init(skill: id, level: UInt8(clamping: skill.level), required: required))
        }
      }
    }
    need.skills.sort { $0.skill < $1.skill }
    need.excluded = router.agents(plan.excludedAgents)
    need.requiredAgents = router.agents(plan.requiredAgents)
    need.requiredTeams = router.teams(plan.requiredTeams)
    need.excludedTeams = router.teams(plan.excludedTeams)
    if let preference = plan.preference {
      let agent: AgentID? =
        switch preference.whom {
        case .lastAgent: facts.profile.lastAgent?.agent
        case .named(let name): router.agentID(named: name)
        case .accountTeam: readiest(of: facts.profile, for: need, on: facts.channel, router)
        }
      if let agent {
        need.preferred = .init(agent: agent, for: .milliseconds(preference.forMilliseconds))
      }
    }
    need.weight = plan.weight.map { UInt16(clamping: $0) }
    need.serviceLevel = plan.serviceLevelMilliseconds.map { .milliseconds($0) }
    for step in plan.steps {
      guard let change = change(step.change, router) else { continue }
      need.steps.append(.init(after: .milliseconds(step.afterMilliseconds), change: change))
    }
    return need
  }

  /// Of the customer's account team (their attribute `account_team`), who could take the case now:
  /// there, available on its channel, serving the queue, and idle for the longest. Nobody is waited
  /// for when none is.
  private func readiest(
    of profile: CustomerProfile, for need: Need, on channel: Channel, _ router: borrowing Router
  ) -> AgentID? {
    guard let value = profile.newest("account_team")?.value,
      case .string(let name) = Value(json: value), let team = router.teamID(named: name)
    else { return nil }
    return router.longestIdle(ofTeam: team, for: need, on: channel)
  }

  private func change(_ change: Plan.Step.Change, _ router: borrowing Router) -> Need.Step.Change? {
    switch change {
    case .relaxSkill(let name): return router.skillID(named: name).map { .dropSkill($0) }
    case .lowerSkill(let name, let level):
      return router.skillID(named: name).map { .lowerSkill($0, level: UInt8(clamping: level)) }
    case .raisePriority(let by): return .raisePriority(by: Int16(clamping: by))
    case .changeQueue(let name): return router.queueID(named: name).map { .changeQueue($0) }
    case .widen(let names):
      var queues: [QueueID] = []
      for name in names { if let queue = router.queueID(named: name) { queues.append(queue) } }
      return .widen(queues)
    case .message(let text): return textNumbers[text].map { .message($0) }
    }
  }
}

extension Router {
  /// The loader refuses names that nobody has.
  fileprivate func agents(_ names: [String]) -> [AgentID] {
    names.compactMap { agentID(named: $0) }.sorted()
  }
  fileprivate func teams(_ names: [String]) -> [TeamID] {
    names.compactMap { teamID(named: $0) }.sorted()
  }
}

extension ContinuityRules {
  init(_ workspace: WorkspaceConfiguration) {
    self.init()
    window = .milliseconds(workspace.conversationWindowMilliseconds)
    subject =
      switch workspace.conversationSubject {
      case .same: .same
      case .any: .any
      case .never: .never
      }
  }
}

extension RoutingConfiguration {
  /// What the machine must know of a checked folder.
  init(_ checked: CheckedWorkspace, version: UInt32) {
    self.init(
      version: version, skills: checked.skills.map(\.name),
      bots: checked.workspace.bots.map(\.name),
      queues: checked.queues.map { RoutingConfiguration.queue($0, checked.hours) },
      agents: checked.agents.map(RoutingConfiguration.agent))
    var seen: Set<String> = []
    teams = checked.agents.flatMap(\.teams).filter { seen.insert($0).inserted }
    statuses = checked.workspace.statuses.map(RoutingConfiguration.status)
    let weights = checked.workspace.capacity
    limits.weight = .init(
      chat: UInt16(clamping: weights.chat), email: UInt16(clamping: weights.email),
      phone: UInt16(clamping: weights.phone))
    limits.voiceExclusive = weights.phoneIsWhole
    limits.interruptible = .init(
      chat: weights.interruptible.contains("chat"), email: weights.interruptible.contains("email"),
      phone: weights.interruptible.contains("phone"))
    if let silence = checked.workspace.botSilence {
      limits.botSilenceMax = .milliseconds(silence.afterMilliseconds)
      limits.botSilenceQueue = silence.queue
    }
  }

  private static func queue(_ queue: QueueConfiguration, _ hours: [HoursConfiguration]) -> Queue {
    var made = Queue(name: queue.name)
    made.prioritySeconds = queue.ordering == .strict ? 0 : UInt32(clamping: queue.ageingSeconds)
    made.serviceLevel = .seconds(Int64(queue.serviceLevel.targetSeconds))
    made.strategy = queue.strategy.map { RoutingConfiguration.strategy($0) }
    made.onMiss =
      queue.missPolicy == .notResponding
      ? .notResponding : .backOff(.milliseconds(queue.missBackOffMilliseconds))
    made.slopePermille = UInt32(clamping: queue.slopePermille)
    made.share = UInt16(clamping: queue.weight ?? 0)
    made.offersAtOnce = UInt8(clamping: queue.offersAtOnce)
    let reply = queue.firstReplyMilliseconds
    made.firstReply = .init(
      chat: .milliseconds(reply.chat), email: .milliseconds(reply.email),
      phone: .milliseconds(reply.phone))
    let wrapUp = Duration64.milliseconds(Int64(queue.wrapUpMilliseconds))
    made.wrapUp = .init(chat: wrapUp, email: wrapUp, phone: wrapUp)
    made.offerTimeout = .init(
      chat: .milliseconds(Int64(queue.offerTimeoutMilliseconds.chat)),
      email: .milliseconds(Int64(queue.offerTimeoutMilliseconds.email)),
      phone: .milliseconds(Int64(queue.offerTimeoutMilliseconds.phone)))
    made.order = queue.ordering == .deadline ? .deadline : .age
    if let name = queue.hours, let known = hours.first(where: { $0.name == name }) {
      made.hours = known.open.map { .init(from: $0.start, until: $0.end) }
    }
    if let closed = queue.closed { made.whenClosed = overflow(closed) }
    if let cap = queue.waitingMax {
      made.waitingMax = UInt32(clamping: cap.limit)
      made.whenFull = overflow(cap.then)
    }
    if let cap = queue.waitMax {
      made.waitMax = .seconds(Int64(cap.limit))
      made.whenWaitedOut = overflow(cap.then)
    }
    return made
  }

  /// What is said to the customer is the channel's; to the machine an answer and a rejection are
  /// one.
  private static func overflow(_ overflow: QueueConfiguration.Overflow) -> Overflow {
    switch overflow {
    case .queue(let name): .queue(name)
    case .handBack: .handBack
    case .leaveMessage: .message
    case .answer, .reject: .refuse
    }
  }

  private static func status(_ status: StatusConfiguration) -> Status {
    let counts: AgentStatus =
      switch status.counts {
      case .available: .available
      case .busy: .busy
      case .onBreak: .onBreak
      case .meeting: .meeting
      case .training: .training
      case .offline: .offline
      }
    return Status(
      name: status.name, as: counts,
      channels: status.channels.isEmpty ? Channel.allCases : status.channels)
  }

  private static func strategy(_ strategy: QueueConfiguration.Strategy) -> Strategy {
    switch strategy {
    case .longestIdle: .longestIdle
    case .leastOccupied: .leastOccupied
    case .mostSkilled: .mostSkilled
    case .leastSkilled: .leastSkilled
    case .roundRobin: .roundRobin
    case .fewestCasesToday: .fewestToday
    }
  }

  private static func agent(_ agent: AgentConfiguration) -> Agent {
    var made = Agent(
      name: agent.name,
      skills: agent.skills.map { .init($0.name, level: UInt8(clamping: $0.level)) },
      queues: agent.queues)
    made.teams = agent.teams
    let units = UInt16(clamping: agent.capacityUnits)
    made.capacity = units
    made.channelMax = .init(
      chat: agent.chatMax.map { UInt16(clamping: $0) } ?? units,
      email: agent.emailMax.map { UInt16(clamping: $0) } ?? units,
      phone: UInt16(clamping: agent.phoneMax ?? 1))
    made.devices = agent.phoneDevices
    made.autoAccept = agent.autoAccept
    made.voiceExclusive = agent.voiceExclusive
    return made
  }
}
