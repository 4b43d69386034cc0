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
  /// Every active agent, by the first reason that keeps them from it, but who has it or is offered it. Of a
  /// case that is offered also those whom nothing keeps from it, if they were idle when it was.
  public var passedOver: PassedOver
  /// Agents who could be offered it now; empty at quiescence.
  public var eligible: Int
  /// The fewest changes that would do: who comes to work is there, available and asks by one act.
  public var nearest: NearestWays
  /// When something changes by itself: a step, the end of a preference or of a back-off.
  public var nextChange: Instant?
}

/// What stands between a case and the agents to whom it is nearest.
public struct NearestWays: Hashable, Sendable {
  public struct Way: Hashable, Sendable {
    public var reasons: [PassedOverReason]
    public var agents: UInt32
  }
  /// How many changes; 0 where nobody would do.
  public private(set) var changes = 0
  private struct Found: Hashable {
    var bits: UInt32
    var agents: UInt32
  }
  private var found: [Found] = []
  /// Of more than these, the others are not told apart.
  private static let waysMax = 32

  /// Those for most agents first.
  public var ways: [Way] {
    found.sorted { ($1.agents, $0.bits) < ($0.agents, $1.bits) }.map { way in
      Way(
        reasons: PassedOverReason.allCases.filter { way.bits & 1 << UInt32($0.rawValue) != 0 },
        agents: way.agents)
    }
  }

  /// Agents for whom this alone stands in the way.
  public func agents(only reason: PassedOverReason) -> UInt32 {
    found.first { $0.bits == 1 << UInt32(reason.rawValue) }?.agents ?? 0
  }

  mutating func note(_ reasons: Reasons) {
    let bits = reasons.asChanges.bits
    let count = bits.nonzeroBitCount
    guard changes == 0 || count <= changes else { return }
    if count != changes { (changes, found) = (count, []) }
    if let place = found.firstIndex(where: { $0.bits == bits }) {
      found[place].agents += 1
    } else if found.count < Self.waysMax {
      found.append(Found(bits: bits, agents: 1))
    }
  }
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
  /// Cases that are offered to fewer than their queue asks, and that the agent would be asked about, too,
  /// if they asked for a case now.
  public var besideOthers: Int
  /// False where so much waits that not all was looked at.
  public var isComplete: Bool
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
  func holds(_ reason: PassedOverReason) -> Bool { bits & 1 << UInt32(reason.rawValue) != 0 }

  /// What would have to be done. Who is away neither is available nor asks, and who is not available
  /// has no reason to ask: one act ends it all.
  var asChanges: Reasons {
    var changes = self
    if holds(.notPresent) { changes.drop(.notAvailable) }
    if holds(.notPresent) || holds(.notAvailable) { changes.drop(.notAsking) }
    return changes
  }
}

extension Router {
  /// All reasons why the agent does not get a case of this kind now, but for the skills it needs.
  private func reasons(_ index: Int, _ kind: CaseIndex.Kind, asking: Bool = false) -> Reasons {
    var found = Reasons()
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
    let open =
      catalogue.channelsOpen(agents[index].status) & agents[index].channels & kind.channel.bit
    found.note(
      .notAvailable,
      open == 0 || agents[index].isNotResponding || agents[index].statusAfter != nil)
    found.note(.notPresent, !agents[index].isPresent)
    if kind.channel == .phone {
      found.note(.noDevice, freeDevice(index) == nil)
    } else {
      found.note(
        .notAsking, !asking && agents[index].next == nil && agents[index].streams.isEmpty)
    }
    let isFull = agents[index].count(kind.channel) >= profiles.bounds[index].most(kind.channel)
    found.note(.full, isFull || room(index, kind.channel) < Int(kind.weight))
    found.note(.onCall, isExclusivelyOnCall(index))
    found.note(.offered, agents[index].openOffer >= 0)
    found.note(.backingOff, agents[index].backOffUntil != nil)
    if let circle = kind.circle { note(&found, index, circle) }
    return found
  }

  private func note(_ found: inout Reasons, _ index: Int, _ circle: Circle) {
    found.note(.excluded, circle.excludes(index, profiles))
    found.note(.notRequired, circle.lacks(index, profiles))
  }

  private func lacksSkill(_ index: Int, for slot: Int32) -> Bool {
    cases[slot].need.skills.contains {
      $0.required && profiles.level(index, $0.skill.raw) < $0.level
    }
  }

  /// … and of what stands between these two alone.
  private func note(_ found: inout Reasons, _ index: Int, _ slot: Int32) {
    let id = AgentID(UInt32(truncatingIfNeeded: index))
    if cases[slot].isRestricted {
      found.note(.backingOff, cases[slot].isBackedOff(from: index))
      if let circle = cases[slot].need.circle { note(&found, index, circle) }
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
    var nearest = NearestWays()
    var eligible = 0
    var couldHave: UInt32 = 0
    let kind = kind(slot)
    let holder = cases[slot].agent.map { Int($0.raw) }
    // Whoever became idle after the latest of its offers was not there to be asked. Of what somebody has
    // nothing is known of that hour, and a supervisor who assigns passes nobody over.
    let offered = offerSlots(of: slot).last.map { offers[$0].sequence } ?? 0
    for index in agents.indices where !profiles.bounds[index].isRetired && index != holder {
      let offer = agents[index].openOffer
      if offer >= 0, offers[offer].theCase == slot { continue }
      var found = reasons(index, kind)
      found.note(.lacksSkill, lacksSkill(index, for: slot))
      note(&found, index, slot)
      guard let first = found.first else {
        eligible += 1
        if agents[index].idleStamp < offered { couldHave += 1 }
        continue
      }
      passed.counts[Int(first.rawValue)] += 1
      nearest.note(found)
    }
    let isWaiting = cases[slot].state == .waiting
    passed.counts[Int(PassedOverReason.longerIdleFirst.rawValue)] = couldHave
    let at = max(now, at ?? now)
    return CaseExplanation(
      case: caseView(slot), waited: at - cases[slot].age, ahead: isWaiting ? ahead(of: slot) : nil,
      between: catalogue.between, queuesBefore: isWaiting ? queuesBefore(slot, at) : [],
      passedOver: passed, eligible: isWaiting ? eligible : 0, nearest: nearest,
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

  /// Looks at the classes of cases in the agent's queues that they meet, and singly at those that
  /// name agents of their own or were declined: at so many that it stays a matter of milliseconds.
  /// - Parameters:
  ///   - asking: as if the agent asked for a case now, so that what else stands in the way is seen.
  ///   - looks: past so many it is not complete.
  public func why(
    _ id: AgentID, asking: Bool = false, looks: Int = RoutingLimits.explainedLooksMax
  ) -> AgentExplanation? {
    guard let view = agent(id) else { return nil }
    let index = Int(id.raw)
    var tally = Tally()
    var looks = looks
    countListed(index, asking, &tally, &looks)
    countScarce(index, asking, &tally, &looks)
    for other in agents.indices where !agents[other].held.isEmpty {
      for slot in agents[other].held { countSingly(slot, index, asking, &tally, &looks) }
    }
    let (ready, hindrance) = readiness(of: id)
    return AgentExplanation(
      agent: view, hindrance: hindrance, ready: ready, cases: tally.counts,
      waitingInQueues: tally.all, besideOthers: besideOthers(index, &looks),
      isComplete: looks > 0)
  }

  /// By the agents who are asked: no more is offered than there are of these.
  private func besideOthers(_ index: Int, _ looks: inout Int) -> Int {
    guard openToMore.count > 0 else { return 0 }
    var count = 0
    for other in agents.indices where agents[other].openOffer >= 0 {
      let slot = offers[agents[other].openOffer].theCase
      guard openToMore.contains(slot), offerSlots(of: slot).first == agents[other].openOffer else {
        continue
      }
      guard looks > 0 else { break }
      looks -= RoutingLimits.explainedLooksOfSingle
      var found = reasons(index, kind(slot), asking: true)
      found.note(.lacksSkill, lacksSkill(index, for: slot))
      note(&found, index, slot)
      if found.first == nil { count += 1 }
    }
    return count
  }

  /// Cases by the first reason why an agent does not get them; those of queues that they do not
  /// serve are none of theirs.
  private struct Tally {
    var counts = PassedOver()
    var all = 0
    mutating func add(_ found: Reasons, _ number: Int) {
      guard number > 0, found.first != .notInQueue else { return }
      all += number
      if let first = found.first {
        counts.counts[Int(first.rawValue)] += UInt32(truncatingIfNeeded: number)
      }
    }
  }

  /// What stands in lanes: those that the agent may come by before those of others, since they say
  /// more where the looks do not suffice for all.
  private func countListed(_ index: Int, _ asking: Bool, _ tally: inout Tally, _ looks: inout Int) {
    for isOfOthers in [false, true] {
      for lane in waiting.lanes
      where lane.root >= 0 && waiting.nodes[Int(lane.root)].below > 0
        && lane.circle?.lacks(index, profiles) ?? false == isOfOthers
        && lane.queues.contains(where: { profiles.serves(index, $0) })
      {
        let found = reasons(index, lane.kind, asking: asking)
        let sight = waiting.sight(of: lane, for: index, profiles, looks: &looks)
        tally.add(found, sight.met)
        var unmet = found
        unmet.note(.lacksSkill, true)
        tally.add(unmet, sight.unmet)
        for slot in sight.singly {
          var single = found
          note(&single, index, slot)
          tally.add(single, 1)
        }
      }
    }
  }

  /// What is held with few agents: whoever is not one of them lacks a skill, where nobody is named.
  private func countScarce(_ index: Int, _ asking: Bool, _ tally: inout Tally, _ looks: inout Int) {
    var seen = Array(repeating: (anonymous: 0, naming: 0), count: queues.count)
    for slot in scarce.cases(of: index) where !scarce.namesAgents(slot) {
      seen[Int(cases[slot].need.queue.raw)].anonymous += 1
      countSingly(slot, index, asking, &tally, &looks)
    }
    var unskilled = Reasons()
    unskilled.note(.lacksSkill, true)
    for slot in scarce.naming where looks > 0 {
      let queue = cases[slot].need.queue
      seen[Int(queue.raw)].naming += 1
      guard profiles.serves(index, queue), lacksSkill(index, for: slot) else {
        countSingly(slot, index, asking, &tally, &looks)
        continue
      }
      looks -= RoutingLimits.explainedLooksOfSingle
      tally.add(unskilled, 1)
    }
    for at in profiles.queueRange(index) {
      let all = scarce.number(in: profiles.allQueues[at])
      let seen = seen[Int(profiles.allQueues[at].raw)]
      tally.add(unskilled, all.anonymous - seen.anonymous)
      tally.all += all.naming - seen.naming
    }
  }

  private func countSingly(
    _ slot: Int32, _ index: Int, _ asking: Bool, _ tally: inout Tally, _ looks: inout Int
  ) {
    guard looks > 0 else {
      if profiles.serves(index, cases[slot].need.queue) { tally.all += 1 }
      return
    }
    looks -= RoutingLimits.explainedLooksOfSingle
    var found = reasons(index, kind(slot), asking: asking)
    found.note(.lacksSkill, lacksSkill(index, for: slot))
    note(&found, index, slot)
    tally.add(found, 1)
  }

  /// The channels on which the agent can be offered something now; and what hinders most, where it
  /// is none.
  public func readiness(of id: AgentID) -> (ready: [Channel], hindrance: PassedOverReason?) {
    guard isKnown(id) else { return ([], nil) }
    let (ready, blocker) = readiness(Int(id.raw))
    return (Channel.allCases.filter { ready & $0.bit != 0 }, PassedOverReason(rawValue: blocker))
  }
}
