import Model

/// Why a case is where it is: derived from the state, when somebody asks.
public struct CaseExplanation: Hashable, Sendable {
  public var `case`: CaseView
  public var waited: Duration64
  /// Cases of its queue that go before it; only for a waiting case.
  public var ahead: Int?
  /// How cases of different queues are compared here, and which queues go before because of it.
  public var between: BetweenQueues
  public var queuesBefore: [QueueID]
  /// Every active agent, by the first reason that keeps them from it.
  public var passedOver: PassedOver
  /// Agents who could be offered it now; empty at quiescence.
  public var eligible: Int
  /// The fewest changes: agents for whom a single reason stands in the way, by that reason.
  public var oneChangeAway: PassedOver
  /// When something changes by itself: a step, the end of a preference or of a back-off.
  public var nextChange: Instant?
}

/// Why an agent is idle.
public struct AgentExplanation: Hashable, Sendable {
  public var agent: AgentView
  /// What keeps the agent from being offered anything; nil when they are ready.
  public var hindrance: PassedOverReason?
  public var ready: [Channel]
  /// Waiting cases of the agent's queues, by the first reason why this agent does not get them.
  public var cases: PassedOver
  public var waitingInQueues: Int
}

/// A set of reasons, one bit each, so that looking at every agent takes no memory.
struct Reasons {
  var bits: UInt32 = 0
  @inline(__always) mutating func note(_ reason: PassedOverReason, _ holds: Bool) {
    if holds { bits |= 1 << UInt32(reason.rawValue) }
  }
  mutating func drop(_ reason: PassedOverReason) { bits &= ~(1 << UInt32(reason.rawValue)) }
  var first: PassedOverReason? {
    bits == 0 ? nil : PassedOverReason(rawValue: UInt8(bits.trailingZeroBitCount))
  }
  var isSingle: Bool { bits != 0 && bits & (bits - 1) == 0 }
}

extension Router {
  /// All reasons why the agent does not get a case of this kind now.
  private func reasons(
    _ index: Int, _ kind: CaseIndex.Kind, _ skills: [Need.SkillRequirement], asking: Bool = false
  ) -> Reasons {
    var found = Reasons()
    let agent = agents[index]
    let serves = profiles.serves(index, kind.queue)
    let isReached = serves && queues[Int(kind.queue.raw)].isOpen
    if kind.widened.isEmpty {
      found.note(.notInQueue, !serves)
      found.note(.queueClosed, !isReached && !queues[Int(kind.queue.raw)].isOpen)
    } else {
      found.note(.notInQueue, !serves && !kind.widened.contains { profiles.serves(index, $0) })
      found.note(
        .queueClosed,
        !isReached
          && !kind.widened.contains { profiles.serves(index, $0) && queues[Int($0.raw)].isOpen }
          && !queues[Int(kind.queue.raw)].isOpen)
    }
    for skill in skills where skill.required && profiles.level(index, skill.skill.raw) < skill.level
    {
      found.note(.lacksSkill, true)
    }
    let open = catalogue.channelsOpen(agent.status) & agent.channels & kind.channel.bit
    found.note(.notAvailable, open == 0 || agent.isNotResponding || agent.statusAfter != nil)
    found.note(.notPresent, !agent.isPresent)
    if kind.channel == .phone {
      found.note(.noDevice, freeDevice(index) == nil)
    } else {
      found.note(.notAsking, !asking && agent.next == nil && agent.streams.isEmpty)
    }
    let isFull = agent.count(kind.channel) >= profiles.bounds[index].most(kind.channel)
    found.note(.full, isFull || room(index, kind.channel) < Int(kind.weight))
    found.note(.onCall, isExclusivelyOnCall(index))
    found.note(.offered, agent.openOffer >= 0)
    found.note(.backingOff, agent.backOffUntil != nil)
    return found
  }

  /// … and of what stands between these two alone.
  private func note(_ found: inout Reasons, _ index: Int, _ slot: Int32) {
    let id = AgentID(UInt32(truncatingIfNeeded: index))
    if cases[slot].isRestricted {
      let teams = profiles.teams(index)
      found.note(.backingOff, cases[slot].backOffs.contains { $0.agent == id && !$0.isOver })
      found.note(
        .excluded,
        cases[slot].need.excluded.contains(id)
          || cases[slot].need.excludedTeams.contains(where: teams.contains))
      found.note(.notRequired, !cases[slot].need.isAmongRequired(id, teams))
    }
    if isPassed(slot, to: index) {
      for reason in [PassedOverReason.notInQueue, .queueClosed, .lacksSkill] { found.drop(reason) }
    }
    if cases[slot].preferenceUntil != nil {
      found.note(.notPreferredYet, cases[slot].need.preferred?.agent != id)
    }
  }

  /// Looks at every agent, a few nanoseconds each, and at the cases before it.
  /// - Parameter at: when it is asked; nil for the latest event, after which time may have passed.
  public func why(_ id: CaseID, at: Instant? = nil) -> CaseExplanation? {
    let slot = slot(of: id)
    guard slot >= 0 else { return nil }
    var passed = PassedOver()
    var near = PassedOver()
    var eligible = 0
    let (kind, skills) = (kind(slot), cases[slot].need.skills)
    for index in agents.indices where !profiles.bounds[index].isRetired {
      var found = reasons(index, kind, skills)
      note(&found, index, slot)
      guard let first = found.first else {
        eligible += 1
        continue
      }
      passed.counts[Int(first.rawValue)] += 1
      if found.isSingle { near.counts[Int(first.rawValue)] += 1 }
    }
    let isWaiting = cases[slot].state == .waiting
    let at = max(now, at ?? now)
    return CaseExplanation(
      case: caseView(slot), waited: at - cases[slot].age, ahead: isWaiting ? ahead(of: slot) : nil,
      between: catalogue.between, queuesBefore: isWaiting ? queuesBefore(slot, at) : [],
      passedOver: passed, eligible: isWaiting ? eligible : 0, oneChangeAway: near,
      nextChange: nextChange(slot))
  }

  /// How many waiting cases of its queue go before it; nil for a case that does not wait.
  public func ahead(of id: CaseID) -> Int? {
    let slot = slot(of: id)
    return slot >= 0 && cases[slot].state == .waiting ? ahead(of: slot) : nil
  }

  private func ahead(of slot: Int32) -> Int {
    let queue = cases[slot].need.queue
    let own = CaseIndex.Entry(key: cases[slot].key, sequence: cases[slot].sequence, slot: slot)
    var count = waiting.number(before: own, in: queue)
    scarce.forEach(before: own) { if cases[$0].need.queue == queue { count += 1 } }
    for agent in agents.indices where !agents[agent].held.isEmpty {
      count += agents[agent].held.count {
        cases[$0].need.queue == queue
          && (cases[$0].key, cases[$0].sequence) < (own.key, own.sequence)
      }
    }
    return count
  }

  private func nextChange(_ slot: Int32) -> Instant? {
    timers.instant(.caseDue, slot).map { Instant(milliseconds: $0) }
  }

  /// Looks at every class of cases in the agent's queues, and singly at those that name agents or
  /// were declined.
  /// - Parameter asking: as if the agent asked for a case now, so that what else stands in the way
  ///   is seen.
  public func why(_ id: AgentID, asking: Bool = false) -> AgentExplanation? {
    guard let view = agent(id) else { return nil }
    let index = Int(id.raw)
    var counts = PassedOver()
    var all = 0
    func add(_ found: Reasons, _ number: Int) {
      if found.first == .notInQueue { return }
      all += number
      if let first = found.first {
        counts.counts[Int(first.rawValue)] += UInt32(truncatingIfNeeded: number)
      }
    }
    func addSingly(_ slot: Int32) {
      var found = reasons(index, kind(slot), cases[slot].need.skills, asking: asking)
      note(&found, index, slot)
      add(found, 1)
    }
    waiting.forEachClass(servedBy: profiles.queueRange(index).map { profiles.allQueues[$0] }) {
      node, kind, skills in
      let alike = Int(node.takingAnyone)
      if alike > 0 { add(reasons(index, kind, skills, asking: asking), alike) }
      if alike < node.cases.count {
        for entry in node.cases where cases[entry.slot].isRestricted { addSingly(entry.slot) }
      }
    }
    scarce.forEach(before: .none) { addSingly($0) }
    for agent in agents { for slot in agent.held { addSingly(slot) } }
    let (ready, hindrance) = readiness(of: id)
    return AgentExplanation(
      agent: view, hindrance: hindrance, ready: ready, cases: counts, waitingInQueues: all)
  }

  /// The channels on which the agent can be offered something now; and what hinders most, where it
  /// is none.
  public func readiness(of id: AgentID) -> (ready: [Channel], hindrance: PassedOverReason?) {
    guard isKnown(id) else { return ([], nil) }
    let (ready, blocker) = readiness(Int(id.raw))
    return (Channel.allCases.filter { ready & $0.bit != 0 }, PassedOverReason(rawValue: blocker))
  }
}
