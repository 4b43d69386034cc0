import Continuity
import Expressions
import Model
import Pipeline
import RuleFiles
import Routing
import Rules
import Wire

/// A workspace's rule set as its writer asks it: facts into slots, and the plan's names into handles.
struct RulePlanner: Planner {
  let checked: CheckedWorkspace
  let version: UInt32
  let continuity: ContinuityRules
  /// Texts that steps send, in the order in which the plans name them.
  private let texts: [String]
  private let textNumbers: [String: UInt32]

  init(_ checked: CheckedWorkspace, version: UInt32) {
    self.checked = checked
    self.version = version
    continuity = ContinuityRules(checked.workspace)
    var texts: [String] = []
    var numbers: [String: UInt32] = [:]
    for rule in checked.rules.rules {
      guard case .route(let plan) = rule.outcome else { continue }
      for step in plan.steps {
        if case .message(let text) = step.change, numbers[text] == nil {
          numbers[text] = UInt32(texts.count)
          texts.append(text)
        }
      }
    }
    self.texts = texts
    textNumbers = numbers
  }

  func text(_ number: UInt32, ruleVersion: UInt32) -> String? {
    ruleVersion == version && Int(number) < texts.count ? texts[Int(number)] : nil
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
      return .route(need(plan, facts, router), rule: rule, ruleVersion: version, facts: Array((FactsFile.write(seen) ?? "{}").utf8))
    }
  }

  private func facts(_ facts: RouteFacts, _ router: borrowing Router, _ at: Instant) -> Facts {
    var seen = Facts()
    seen[.now] = .timestamp(Timestamp(milliseconds: at.milliseconds))
    seen[.sessionChannel] = .string(facts.channel.name)
    if let bot = facts.bot { seen[.sessionBot] = .string(bot) }
    seen[.customerKnown] = .bool(!facts.isNewCustomer)
    if let name = facts.profile.displayName { seen[.customerName] = .string(name) }
    if let last = facts.profile.lastAgent { seen[.customerLastAgent] = .string(router.name(of: last.agent)) }
    seen[.customerEvents] = .list(
      facts.profile.journey.reversed().map {
        Facts.event(kind: $0.name, at: Timestamp(milliseconds: $0.at.milliseconds), source: "", fields: [])
      })
    if let handoff = facts.handoff {
      seen[.handoffReason] = .string(handoff.reason)
      seen[.handoffSummary] = .string(handoff.summary)
      seen[.handoffFields] = .map(MapValue(handoff.fields.map { ($0.name, Self.value($0.value)) }))
      seen[.conversationFields] = seen[.handoffFields]
      seen[.handoffSkills] = .list(handoff.wantedSkills.map { .string($0) })
    }
    if let mail = facts.mail {
      seen[.mailSubject] = .string(mail.subject)
      seen[.mailFrom] = .string(mail.from)
      seen[.mailTo] = .list([.string(mail.to)])
      seen[.mailAutomatic] = .bool(false)
      seen[.conversationText] = .string(mail.text)
    }
    if let call = facts.call {
      seen[.callFrom] = .string(call.from)
      seen[.callTo] = .string(call.to)
    }
    return seen
  }

  private static func value(_ fact: FactValue) -> Value {
    switch fact {
    case .text(let text): .string(text)
    case .number(let number): .int(number)
    case .decimal(let text): Double(text).map { .double($0) } ?? .string(text)
    case .flag(let flag): .bool(flag)
    }
  }

  private func need(_ plan: Plan, _ facts: RouteFacts, _ router: borrowing Router) -> Need {
    // The loader refuses a plan whose queue does not exist, and `configure` ran before any plan is asked for.
    var need = Need(queue: router.queueID(named: plan.queue) ?? QueueID(0))
    need.priority = Int16(clamping: plan.priority)
    for (skills, required) in [(plan.requiredSkills, true), (plan.preferredSkills, false)] {
      for skill in skills {
        guard let id = router.skillID(named: skill.name) else { continue }
        if let known = need.skills.firstIndex(where: { $0.skill == id }) {
          need.skills[known].level = max(need.skills[known].level, UInt8(clamping: skill.level))
          need.skills[known].required = need.skills[known].required || required
        } else {
          need.skills.append(.init(skill: id, level: UInt8(clamping: skill.level), required: required))
        }
      }
    }
    need.skills.sort { $0.skill < $1.skill }
    if let preference = plan.preference {
      let agent: AgentID? =
        switch preference.whom {
        case .lastAgent: facts.profile.lastAgent?.agent
        case .named(let name): router.agentID(named: name)
        case .accountTeam: nil
        }
      if let agent {
        need.preferred = .init(agent: agent, for: .milliseconds(preference.forMilliseconds))
      }
    }
    need.excluded = plan.excludedAgents.compactMap { router.agentID(named: $0) }.sorted()
    need.weight = plan.weight.map { UInt16(clamping: $0) }
    need.serviceLevel = plan.serviceLevelMilliseconds.map { .milliseconds($0) }
    for step in plan.steps {
      guard let change = change(step.change, router) else { continue }
      need.steps.append(.init(after: .milliseconds(step.afterMilliseconds), change: change))
    }
    return need
  }

  private func change(_ change: Plan.Step.Change, _ router: borrowing Router) -> Need.Step.Change? {
    switch change {
    case .relaxSkill(let name): router.skillID(named: name).map { .dropSkill($0) }
    case .lowerSkill(let name, let level):
      router.skillID(named: name).map { .lowerSkill($0, level: UInt8(clamping: level)) }
    case .raisePriority(let by): .raisePriority(by: Int16(clamping: by))
    case .changeQueue(let name): router.queueID(named: name).map { .changeQueue($0) }
    case .widen(let names): .widen(names.compactMap { router.queueID(named: $0) })
    case .message(let text): textNumbers[text].map { .message($0) }
    }
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
      version: version, skills: checked.skills.map(\.name), bots: checked.workspace.bots.map(\.name),
      queues: checked.queues.map(RoutingConfiguration.queue), agents: checked.agents.map(RoutingConfiguration.agent))
    var seen: Set<String> = []
    teams = checked.agents.flatMap(\.teams).filter { seen.insert($0).inserted }
    let weights = checked.workspace.capacity
    limits.weight = .init(
      chat: UInt16(clamping: weights.chat), email: UInt16(clamping: weights.email),
      phone: UInt16(clamping: weights.phone))
    limits.voiceExclusive = weights.phoneIsWhole
  }

  private static func queue(_ queue: QueueConfiguration) -> Queue {
    var made = Queue(name: queue.name)
    made.prioritySeconds = queue.ordering == .strict ? 0 : UInt32(clamping: queue.ageingSeconds)
    made.serviceLevel = .seconds(Int64(queue.serviceLevel.targetSeconds))
    made.strategy = queue.strategy.map { RoutingConfiguration.strategy($0) }
    made.onMiss = queue.missPolicy == .notResponding ? .notResponding : .backOff(.seconds(60))
    made.wrapUp = .init(chat: .zero, email: .zero, phone: .milliseconds(Int64(queue.wrapUpMilliseconds)))
    made.offerTimeout = .init(
      chat: .milliseconds(Int64(queue.offerTimeoutMilliseconds.chat)),
      email: .milliseconds(Int64(queue.offerTimeoutMilliseconds.email)),
      phone: .milliseconds(Int64(queue.offerTimeoutMilliseconds.phone)))
    if let cap = queue.waitingMax { made.waitingMax = UInt32(clamping: cap.limit) }
    return made
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
      name: agent.name, skills: agent.skills.map { .init($0.name, level: UInt8(clamping: $0.level)) },
      queues: agent.queues)
    made.teams = agent.teams
    let units = UInt16(clamping: agent.capacityUnits)
    made.capacity = units
    made.channelMax = .init(
      chat: agent.chatMax.map { UInt16(clamping: $0) } ?? units,
      email: agent.emailMax.map { UInt16(clamping: $0) } ?? units, phone: UInt16(clamping: agent.phoneMax ?? 1))
    made.devices = agent.phoneDevices
    made.autoAccept = agent.autoAccept
    return made
  }
}
