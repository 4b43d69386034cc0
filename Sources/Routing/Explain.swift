import Model

/// Why a case is where it is: derived from the state, when somebody asks.
public struct CaseExplanation: Hashable, Sendable {
  public var `case`: CaseView
  public var waited: Duration64
  /// Cases of its queue that go before it; only for a waiting case.
  public var ahead: Int?
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

extension Router {
  /// All reasons why the agent does not get the case now, in their order.
  func reasons(_ index: Int, _ slot: Int32) -> [PassedOverReason] {
    let record = cases[slot]
    let channel = record.channel
    let id = AgentID(UInt32(truncatingIfNeeded: index))
    let settings = catalogue.agents[index].settings
    var found: [PassedOverReason] = []
    func note(_ reason: PassedOverReason, _ holds: Bool) { if holds { found.append(reason) } }
    note(
      .notInQueue,
      !profiles.serves(index, record.need.queue) && !record.widened.contains { profiles.serves(index, $0) })
    note(
      .lacksSkill,
      record.need.skills.contains { $0.required && profiles.level(index, $0.skill.raw) < $0.level })
    note(.notAvailable, 
      agents[index].status != .available || agents[index].isNotResponding || agents[index].statusAfter != nil
        || agents[index].channels & channel.bit == 0)
    note(.notPresent, !agents[index].isPresent)
    if channel == .phone {
      note(.noDevice, freeDevice(index) == nil)
    } else {
      note(.notAsking, agents[index].next == nil && agents[index].streams.isEmpty)
    }
    note(.full, room(index, channel) < Int(record.weight) || agents[index].count(channel) >= settings.channelMax[channel])
    note(.onCall, catalogue.limits.voiceExclusive && agents[index].casesByChannel.phone > 0)
    note(.offered, agents[index].openOffer >= 0)
    note(
      .backingOff,
      agents[index].backOffUntil != nil || record.backOffs.contains { $0.agent == id && !$0.isOver })
    let teams = profiles.teams(index)
    note(.excluded, record.need.excluded.contains(id) || record.need.excludedTeams.contains(where: teams.contains))
    note(.notPreferredYet, record.preferenceUntil != nil && record.need.preferred?.agent != id)
    note(
      .queueClosed,
      !queues[Int(record.need.queue.raw)].isOpen
        && !record.widened.contains { profiles.serves(index, $0) && queues[Int($0.raw)].isOpen })
    note(.notRequired, !record.need.isAmongRequired(id, teams))
    return found
  }

  public func why(_ id: CaseID) -> CaseExplanation? {
    let slot = slot(of: id)
    guard slot >= 0 else { return nil }
    var passed = PassedOver()
    var near = PassedOver()
    var eligible = 0
    for index in agents.indices where !catalogue.agents[index].isRetired {
      let found = reasons(index, slot)
      guard let first = found.first else {
        eligible += 1
        continue
      }
      passed.counts[Int(first.rawValue)] += 1
      if found.count == 1 { near.counts[Int(first.rawValue)] += 1 }
    }
    let isWaiting = cases[slot].state == .waiting
    return CaseExplanation(
      case: caseView(slot), waited: now - cases[slot].age, ahead: isWaiting ? ahead(of: slot) : nil,
      passedOver: passed, eligible: isWaiting ? eligible : 0, oneChangeAway: near, nextChange: nextChange(slot))
  }

  private func ahead(of slot: Int32) -> Int {
    let queue = cases[slot].need.queue
    let key = (cases[slot].key, cases[slot].sequence)
    return cases.records.count {
      $0.sequence != 0 && $0.need.queue == queue && $0.state == .waiting && ($0.key, $0.sequence) < key
    }
  }

  private func nextChange(_ slot: Int32) -> Instant? {
    timers.instant(.caseDue, slot).map { Instant(milliseconds: $0) }
  }

  public func why(_ id: AgentID) -> AgentExplanation? {
    guard let view = agent(id) else { return nil }
    let index = Int(id.raw)
    var counts = PassedOver()
    var waiting = 0
    for slot in cases.records.indices where cases.records[slot].sequence != 0 && cases.records[slot].state == .waiting {
      let found = reasons(index, Int32(truncatingIfNeeded: slot))
      if found.first == .notInQueue { continue }
      waiting += 1
      if let first = found.first { counts.counts[Int(first.rawValue)] += 1 }
    }
    let (ready, blocker) = readiness(index)
    return AgentExplanation(
      agent: view, hindrance: PassedOverReason(rawValue: blocker), ready: Channel.allCases.filter { ready & $0.bit != 0 },
      cases: counts, waitingInQueues: waiting)
  }
}
