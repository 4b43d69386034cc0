import Model
import Testing

@testable import Routing

struct `What must hold over a history` {
  func check(
    _ log: [(event: Event, at: Instant)], seesOffered: Bool = true
  ) -> [Invariants.Violation] {
    var check = HistoryCheck(seesOffered: seesOffered)
    for (event, at) in log { check.feed(event, at: at) }
    return check.finish()
  }

  @Test(arguments: 1...8) func `a random history breaks nothing, and its replay is the same state`(
    seed: UInt64
  ) {
    var history = RandomHistory(seed: seed)
    history.restarts = false
    for _ in 0..<300 { _ = history.advance() }
    #expect(check(history.log).map(\.description) == [])
    var check = HistoryCheck()
    for (event, at) in history.log { check.feed(event, at: at) }
    #expect(check.router.stateHash == history.router.stateHash)
  }

  /// A short history with an offer, an entry and a change of owner, and one thing wrong with it.
  @Test func `each promise that a history breaks is named`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.given(
      .record(
        conversation: World.conversation(1), session: nil, entry: World.entry(1),
        author: .agent(World.ann),
        visibility: .customer, epoch: nil))
    #expect(check(world.log).isEmpty)
    func rules(_ change: ((event: Event, at: Instant)) -> [(event: Event, at: Instant)]) -> Set<
      Invariants.Violation.Rule
    > {
      Set(check(world.log.flatMap(change)).map(\.rule))
    }
    #expect(
      rules { if case .offerEnded = $0.event { [] } else { [$0] } }.contains(.offers),
      "an offer has no end")
    #expect(
      rules { if case .offerEnded = $0.event { [$0, $0] } else { [$0] } }.contains(.offers),
      "it has two")
    #expect(
      rules { if case .entryRecorded = $0.event { [$0, $0] } else { [$0] } }.contains(.entries))
    #expect(
      rules {
        guard case .ownerChanged(let id, let owner, let epoch) = $0.event else { return [$0] }
        return [(.ownerChanged(id, to: owner, epoch: epoch + 1), $0.at)]
      }.contains(.oneOwner))
    #expect(
      rules { if case .ownerChanged = $0.event { [] } else { [$0] } }.contains(.oneOwner),
      "two would have it")
    #expect(
      rules {
        guard case .caseAccepted(let id, _) = $0.event else { return [$0] }
        return [(.caseAccepted(id, World.bob), $0.at)]
      }.contains(.oneOwner), "another than who was offered it")
    #expect(
      rules {
        guard case .offerMade(let offer, let id, _, let seat, let until, let passed) = $0.event
        else { return [$0] }
        return [
          (.offerMade(offer, id, World.cat, seat: seat, until: until, passedOver: passed), $0.at)
        ]
      }.contains(.eligibility))
    #expect(
      rules { if case .statusSet = $0.event { [($0.event, $0.at + .seconds(5))] } else { [$0] } }
        .contains(.order))
  }

  /// The chain of a log can be sound and its story impossible: it is told, and neither the check nor a
  /// replay stops at it.
  @Test func `wrapping up what nobody accepted is named and harms neither the check nor a replay`()
  {
    var world = World()
    world.assigned(1, to: World.ann)
    world.given(.wrapUp(World.case(1), by: World.ann))
    world.given(.close(World.case(1), by: World.ann))
    #expect(check(world.log) == [])
    let forged = world.log.filter { if case .caseAccepted = $0.event { false } else { true } }
    #expect(forged.count == world.log.count - 1)
    #expect(
      check(forged).map(\.description).contains {
        $0.hasPrefix("onePlace: ")
          && $0.hasSuffix("is wrapped up by agent 0, who does not have it so")
      }, "\(check(forged))")
    var replayed = Router()
    for (event, at) in forged { replayed.apply(event, at: at) }
    replayed.settleReplay()
    #expect(replayed.cases.count == 0)
  }

  @Test(arguments: 1...6) func `no event gone, doubled or late stops the check or a replay`(
    seed: UInt64
  ) {
    var history = RandomHistory(seed: seed)
    history.restarts = false
    for _ in 0..<60 { _ = history.advance() }
    var named = 0
    for place in history.log.indices {
      var logs = [history.log, history.log, history.log]
      logs[0].remove(at: place)
      logs[1].insert(history.log[place], at: place)
      if place + 1 < history.log.count { logs[2].swapAt(place, place + 1) }
      for log in logs {
        if !check(log).isEmpty { named += 1 }
        var replayed = Router()
        for (event, at) in log { replayed.apply(event, at: at) }
        replayed.settleReplay()
      }
    }
    #expect(named > history.log.count / 2, "\(named) of \(3 * history.log.count)")
  }

  @Test func `a case that is passed over for a later one is named`() {
    var world = World()
    for n in 1...2 as ClosedRange<UInt64> {
      world.open(n)
      world.route(n, Need(queue: World.support))
      world.pass(seconds: 1)
    }
    world.available(World.ann)
    world.asks(World.ann)
    let swapped = world.log.map { entry -> (event: Event, at: Instant) in
      guard case .offerMade(let offer, _, let agent, let seat, let until, let passed) = entry.event
      else { return entry }
      return (
        .offerMade(offer, World.case(2), agent, seat: seat, until: until, passedOver: passed),
        entry.at
      )
    }
    #expect(check(swapped).map(\.rule).contains(.order))
  }

  @Test func `a case offered to few that is passed over for a later one is named`() {
    var made = World.configuration
    made.queues[1].offersAtOnce = 2
    made.agents[3].autoAccept = false
    var world = World(made)
    for (n, agent) in [(1, World.bob), (2, World.cat), (3, World.dan)] {
      world.available(agent)
      world.given(.openStream(agent, waiter: WaiterID(UInt64(agent.raw))))
      guard n < 3 else { continue }
      world.open(UInt64(n))
      var need = Need(queue: World.sales)
      // Each of the two is for one only, until dan comes.
      need.excluded = [n == 1 ? World.cat : World.bob]
      world.route(UInt64(n), need)
      world.pass(seconds: 1)
    }
    #expect(world.router.offer(world.offer(World.dan))?.theCase == World.case(1))
    let swapped = world.log.map { entry -> (event: Event, at: Instant) in
      guard case .offerMade(let offer, _, World.dan, let seat, let until, let passed) = entry.event
      else { return entry }
      return (
        .offerMade(offer, World.case(2), World.dan, seat: seat, until: until, passedOver: passed),
        entry.at
      )
    }
    #expect(check(swapped).map(\.rule) == [.order])
    #expect(check(swapped, seesOffered: false).isEmpty, "as an older program did")
  }

  /// As a program did that asked nobody who came free later.
  @Test func `a case offered to fewer than its queue asks is no fault of a log`() {
    var made = World.configuration
    made.queues[0].offersAtOnce = 2
    var world = World(made)
    world.open(1)
    world.route(1, Need(queue: World.support))
    for agent in [World.ann, World.bob] {
      world.pass(seconds: 60)
      world.available(agent)
      world.given(.openStream(agent, waiter: WaiterID(UInt64(agent.raw))))
    }
    var left = 1
    let log = world.log.filter {
      guard case .offerMade = $0.event else { return true }
      left -= 1
      return left == 0
    }
    #expect(log.count == world.log.count - 1)
    #expect(check(log) == [])
    var live = Router()
    for entry in log { live.apply(entry.event, at: entry.at) }
    live.settleReplay()
    #expect(Invariants.check(live).map(\.rule) == [.offeredToFew])
  }

  @Test func `a case left beside who could take it is named, but where a match may have gone on`() {
    func rules(after seconds: Int64) -> [Invariants.Violation.Rule] {
      var world = World()
      world.pass(seconds: seconds)
      world.open(1)
      world.route(1, Need(queue: World.support))
      world.available(World.ann)
      world.asks(World.ann)
      return check(
        world.log.filter { if case .offerMade = $0.event { false } else { true } }
      ).map(\.rule)
    }
    #expect(rules(after: 60).contains(.waitingThoughEligible))
    #expect(!rules(after: 1).contains(.waitingThoughEligible), "the rules have just changed")
  }
}
