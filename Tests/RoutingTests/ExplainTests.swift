import Model
import Testing

@testable import Routing

/// Explanations come from counters and classes; here every agent and every case is asked singly.
struct `Why a case waits and why an agent is idle` {
  static func reasons(_ router: Router, _ index: Int, _ slot: Int32) -> [PassedOverReason] {
    let record = router.cases[slot]
    let agent = router.agents[index]
    let settings = router.catalogue.agents[index].settings
    let id = AgentID(UInt32(index))
    let teams = settings.teams.compactMap { router.teamID(named: $0) }
    let queues = [record.need.queue] + record.widened
    let served = queues.filter { router.profiles.serves(index, $0) }
    let isCall = record.channel == .phone
    let tests: [(PassedOverReason, Bool)] = [
      (.notInQueue, served.isEmpty),
      (
        .lacksSkill,
        record.need.skills.contains {
          $0.required && router.profiles.level(index, $0.skill.raw) < $0.level
        }
      ),
      (
        .notAvailable,
        !isOpen(agent.status, record.channel, router) || agent.isNotResponding
          || agent.statusAfter != nil || agent.channels & record.channel.bit == 0
      ),
      (.notPresent, !agent.isPresent),
      (.notAsking, !isCall && agent.next == nil && agent.streams.isEmpty),
      (.noDevice, isCall && router.freeDevice(index) == nil),
      (
        .full,
        router.room(index, record.channel) < Int(record.weight)
          || agent.count(record.channel) >= settings.channelMax[record.channel]
      ),
      (
        .onCall,
        router.catalogue.limits.voiceExclusive && settings.voiceExclusive
          && agent.casesByChannel.phone > 0
      ),
      (.offered, agent.openOffer >= 0),
      (
        .backingOff,
        agent.backOffUntil != nil || record.backOffs.contains { $0.agent == id && !$0.isOver }
      ),
      (
        .excluded,
        record.need.excluded.contains(id)
          || record.need.excludedTeams.contains(where: teams.contains)
      ),
      (.notPreferredYet, record.preferenceUntil != nil && record.need.preferred?.agent != id),
      (
        .queueClosed,
        !router.queues[Int(record.need.queue.raw)].isOpen
          && !record.widened.contains { served.contains($0) && router.queues[Int($0.raw)].isOpen }
      ),
      (
        .notRequired,
        !record.need.requiredAgents.isEmpty && !record.need.requiredAgents.contains(id)
          || !record.need.requiredTeams.isEmpty
            && !record.need.requiredTeams.contains(where: teams.contains)
      ),
    ]
    return tests.filter(\.1).map(\.0)
  }

  private static func isOpen(_ status: AgentStatus, _ channel: Channel, _ router: Router) -> Bool {
    guard case .custom(let id) = status else { return status == .available }
    let known = router.everyStatus.first { $0.id == id }?.settings
    return known?.counts == .available && known?.channels.contains(channel) == true
  }

  @Test func `the fewest changes are told, and that coming to work is one of them`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    let ways = { (world: World) in world.router.why(World.case(1))?.nearest }
    #expect(ways(world)?.changes == 1, "they are away, not available and do not ask")
    #expect(ways(world)?.agents(only: .notPresent) ?? 0 > 1)
    world.available(World.ann)
    #expect(ways(world)?.agents(only: .notAsking) == 1)
    var need = Need(queue: World.support)
    need.skills = [.init(skill: SkillID(0), level: 10, required: true)]
    need.excluded = [World.ann]
    world.open(2)
    world.route(2, need)
    let far = world.router.why(World.case(2))?.nearest
    #expect(far?.changes ?? 0 > 1, "nobody speaks that well, and who speaks is away: \(far as Any)")
    #expect(far?.ways.allSatisfy { $0.reasons.contains(.lacksSkill) } == true)
  }

  @Test(arguments: 1...12) func `explanations count what asking everyone counts`(seed: UInt64) {
    var history = RandomHistory(seed: seed)
    for step in 0..<240 {
      _ = history.advance()
      guard step % 12 == 11 else { continue }
      let router = history.router
      let slots = router.cases.ordered
      let waiting = slots.filter { router.cases[$0].state == .waiting && !router.isInGrace($0) }
      let active = router.agents.indices.filter { !router.profiles.bounds[$0].isRetired }
      for slot in slots.prefix(20) {
        let holder = router.cases[slot].agent.map { Int($0.raw) }
        let asked = router.offerSlots(of: slot).map { Int(router.offers[$0].agent.raw) }
        let found = active.filter { $0 != holder && !asked.contains($0) }.map {
          Self.reasons(router, $0, slot)
        }
        let why = router.why(router.cases[slot].id)
        let isWaiting = router.cases[slot].state == .waiting
        let couldTake = found.count { $0.isEmpty }
        // Since when they are idle, in the order of all that happened.
        let offered = router.offerSlots(of: slot).map { router.offers[$0].sequence }.max()
        let couldHave = active.count { index in
          guard let offered, index != holder, !asked.contains(index) else { return false }
          return router.agents[index].idleStamp < offered
            && Self.reasons(router, index, slot).isEmpty
        }
        #expect(
          why?.passedOver.counts[Int(PassedOverReason.longerIdleFirst.rawValue)] ?? 0
            == couldHave)
        #expect(why?.eligible == (isWaiting ? couldTake : 0))
        for reason in PassedOverReason.allCases where reason != .longerIdleFirst {
          #expect(
            why?.passedOver.counts[Int(reason.rawValue)] ?? 0 == found.count { $0.first == reason })
        }
        // What would have to be done: who is away comes and asks by one act.
        let changes = found.filter { !$0.isEmpty }.map { reasons in
          if reasons.contains(.notPresent) {
            Set(reasons).subtracting([.notAvailable, .notAsking])
          } else if reasons.contains(.notAvailable) {
            Set(reasons).subtracting([.notAsking])
          } else {
            Set(reasons)
          }
        }
        let fewest = changes.map(\.count).min() ?? 0
        #expect(why?.nearest.changes == fewest)
        let ways = Dictionary(
          changes.filter { $0.count == fewest }.map { ($0, UInt32(1)) }, uniquingKeysWith: +)
        #expect(
          Dictionary(
            (why?.nearest.ways ?? []).map { (Set($0.reasons), $0.agents) }, uniquingKeysWith: +)
            == ways)
      }
      for slot in waiting {
        let (key, queue) = (
          (router.cases[slot].key, router.cases[slot].sequence), router.cases[slot].need.queue
        )
        let before = waiting.count {
          router.cases[$0].need.queue == queue
            && (router.cases[$0].key, router.cases[$0].sequence) < key
        }
        #expect(router.ahead(of: router.cases[slot].id) == before)
        #expect(router.aheadAtMost(slot) == before)
      }
      for index in active {
        let found = waiting.map { Self.reasons(router, index, $0).first }
        let why = router.why(AgentID(UInt32(index)))
        for reason in PassedOverReason.allCases where reason != .notInQueue {
          #expect(why?.cases.counts[Int(reason.rawValue)] ?? 0 == found.count { $0 == reason })
        }
        #expect(why?.waitingInQueues == found.count { $0 != .notInQueue })
        #expect(why?.isComplete == true)
        let beside = slots.filter {
          router.isOpenToMore($0)
            && Self.reasons(router, index, $0).allSatisfy { $0 == .notAsking }
        }
        #expect(why?.besideOthers == beside.count)
      }
    }
  }

  @Test func `whoever could have had a case is told that another went before`() {
    var made = World.configuration
    made.agents[2].queues = ["support"]
    var world = World(made)
    world.available(World.ann, World.bob)
    world.given(
      .openStream(World.ann, waiter: WaiterID(1)), .openStream(World.bob, waiter: WaiterID(2)))
    world.open(1)
    world.route(1, Need(queue: World.support))
    #expect(world.router.agent(World.ann)?.offer != nil)
    func longerIdle() -> UInt32? {
      world.router.why(World.case(1))?.passedOver
        .counts[Int(PassedOverReason.longerIdleFirst.rawValue)]
    }
    #expect(longerIdle() == 1, "bob, who was idle for less")
    world.available(World.cat)
    world.given(.openStream(World.cat, waiter: WaiterID(3)))
    #expect(longerIdle() == 1, "cat was not there when it was offered")
    world.given(.closeStream(World.bob, waiter: WaiterID(2)))
    #expect(longerIdle() == 0, "bob sits nowhere now")
    world.given(.openStream(World.bob, waiter: WaiterID(2)))
    world.given(.accept(world.offer(World.ann), World.ann))
    #expect(longerIdle() == 0, "ann has it, and who could is no longer asked")
  }

  @Test func `what a supervisor assigns passes nobody over`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann, World.bob)
    world.given(.assign(World.case(1), to: World.ann))
    world.given(.openStream(World.bob, waiter: WaiterID(2)))
    let why = world.router.why(World.case(1))
    #expect(why?.passedOver.counts[Int(PassedOverReason.longerIdleFirst.rawValue)] == 0)
  }

  /// An event that gives a case to somebody carries no more than who it is, and an offer the counts of those passed
  /// over: the need, the version of the rules and the reasons of everyone are those of the machine at its position.
  @Test func `at each decision of a history need, rule version and reasons are known`() {
    var met: [String: Int] = [:]
    for seed in 1...12 as ClosedRange<UInt64> {
      var history = RandomHistory(seed: seed)
      history.restarts = false
      for _ in 0..<300 { _ = history.advance() }
      var machine = Router()
      var routed: [CaseID: (need: Need, version: UInt32)] = [:]
      for (event, at) in history.log {
        machine.settleReplay()
        let decided: (kind: String, id: CaseID)? =
          switch event {
          case .offerMade(_, let id, _, .next, _, _): ("asked", id)
          case .offerMade(_, let id, _, .stream, _, _): ("pushed", id)
          case .offerMade(_, let id, _, .device, _, _): ("rung", id)
          case .caseAccepted(let id, _):
            (machine.case(id)?.offers.isEmpty == false ? "accepted" : "given", id)
          case .consultStarted(let id, _, _): ("consulted", id)
          case .caseQueued(let id, _, _, _, _, _, let by):
            (by.cause == .transfer ? "transferred" : "routed", id)
          default: nil
          }
        if case .caseQueued(let id, _, _, _, let need, _, let by) = event {
          routed[id] = (need, by.ruleVersion)
          machine.apply(event, at: at)
          machine.settleReplay()
        }
        if let (kind, id) = decided {
          met[kind, default: 0] += 1
          guard let why = machine.why(id, at: at), let known = routed[id] else {
            Issue.record("nothing is known of \(id), which is \(kind)")
            continue
          }
          #expect(why.case.by.ruleVersion == known.version)
          #expect(why.case.need.skills.count <= known.need.skills.count, "steps only take away")
          #expect(why.case.need.excluded == known.need.excluded)
          if case .offerMade(_, _, let agent, _, _, let passed) = event {
            let active = machine.agents.indices.filter { !machine.profiles.bounds[$0].isRetired }
            let members = active.filter { machine.profiles.serves($0, why.case.need.queue) }
            for reason in [
              PassedOverReason.notAvailable, .notPresent, .notAsking, .full, .backingOff,
            ] {
              #expect(
                passed.counts[Int(reason.rawValue)]
                  == members.count { machine.agents[$0].blocker == reason.rawValue })
            }
            #expect(
              passed.counts[Int(PassedOverReason.notInQueue.rawValue)] == active.count
                - members.count)
            let slot = machine.slot(of: id)
            #expect(
              passed.counts[Int(PassedOverReason.lacksSkill.rawValue)]
                == members.count { Self.reasons(machine, $0, slot).contains(.lacksSkill) })
            if why.case.state == .waiting {
              #expect(why.eligible > 0, "agent \(agent.raw) at least")
              #expect(why.passedOver.counts.reduce(0, +) + UInt32(why.eligible) == active.count)
            }
          }
        }
        if case .caseQueued = event { continue }
        machine.apply(event, at: at)
      }
    }
    #expect(
      Set(met.keys) == [
        "asked", "pushed", "rung", "accepted", "given", "consulted", "routed", "transferred",
      ], "\(met)")
  }

  @Test func `an explanation that would look at too much says that it has not seen all`() {
    var world = World()
    for n in 1...40 as ClosedRange<UInt64> {
      world.open(n)
      var need = Need(queue: World.support)
      need.excluded = [AgentID(UInt32(n % 2))]
      world.route(n, need)
    }
    let whole = world.router.why(World.ann)
    #expect(whole?.isComplete == true && whole?.waitingInQueues == 40)
    let part = world.router.why(World.ann, looks: 10 * RoutingLimits.explainedLooksOfSingle)
    #expect(part?.isComplete == false)
    #expect(part?.waitingInQueues == 40, "what is not looked at singly counts with its class")
    #expect((part?.cases.counts[Int(PassedOverReason.excluded.rawValue)] ?? 0) < 20)
  }
}
