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
        let couldHave = found.count { $0.isEmpty }
        #expect(
          why?.passedOver.counts[Int(PassedOverReason.longerIdleFirst.rawValue)] ?? 0
            == (isWaiting ? 0 : couldHave))
        #expect(why?.eligible == (isWaiting ? couldHave : 0))
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
    var world = World()
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
    #expect(longerIdle() == 1, "bob, who came later")
    world.given(
      .accept(world.offer(World.ann), World.ann), .closeStream(World.bob, waiter: WaiterID(2)))
    #expect(longerIdle() == 0, "bob sits nowhere now, and ann has it")
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
