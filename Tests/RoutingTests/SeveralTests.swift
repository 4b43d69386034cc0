import Model
import Testing

@testable import Routing

/// Where a queue asks for several offers at once, whoever could be asked is asked, up to so many.
struct `Offers to several at once` {
  /// Bob, cat and dan serve sales, which offers to `most` at once; bob has one case of it open to him.
  private func world(_ most: UInt8 = 3, _ need: Need = Need(queue: World.sales)) -> World {
    var made = World.configuration
    made.queues[0].offersAtOnce = most
    made.queues[1].offersAtOnce = most
    made.queues[1].offerTimeout = .init(
      chat: .seconds(600), email: .seconds(600), phone: .seconds(600))
    made.queues[0].offerTimeout = made.queues[1].offerTimeout
    made.agents[3].autoAccept = false
    var world = World(made)
    world.sits(World.bob)
    world.open(1)
    world.route(1, need)
    return world
  }

  private func asked(_ world: World, _ n: UInt64 = 1) -> [AgentID] {
    (world.router.case(World.case(n))?.offers ?? []).compactMap { world.router.offer($0)?.agent }
  }

  @Test func `who comes free later is asked, too, until there are as many as the queue says`() {
    var world = world(2)
    #expect(asked(world) == [World.bob])
    world.sits(World.cat)
    #expect(asked(world) == [World.bob, World.cat])
    world.sits(World.dan)
    #expect(asked(world) == [World.bob, World.cat], "two are asked")
    world.given(.closeStream(World.cat, waiter: WaiterID(2)))
    #expect(asked(world) == [World.bob, World.dan])
    world.when(.accept(world.offer(World.dan), World.dan))
    #expect(world.router.agent(World.bob)?.offer == nil)
  }

  @Test func `what nobody has yet goes before what is offered already`() {
    var world = world()
    var french = Need(queue: World.sales)
    french.skills = [.init(skill: World.french, level: 5, required: true)]
    world.open(2)
    world.route(2, french)
    world.sits(World.cat)
    #expect(asked(world) == [World.bob] && asked(world, 2) == [World.cat])
    world.given(.decline(world.offer(World.cat), World.cat))
    #expect(asked(world) == [World.bob, World.cat] && asked(world, 2).isEmpty)
  }

  /// What `GET /v1/agents/me` says `next` would bring.
  @Test func `who could be asked beside others is told so before they ask`() {
    var world = world(2)
    world.available(World.cat, World.dan)
    #expect(asked(world) == [World.bob])
    let why = world.router.why(World.cat, asking: true)
    #expect(why?.besideOthers == 1 && why?.waitingInQueues == 0)
    #expect(world.router.why(World.cat)?.besideOthers == 1, "as if they asked")
    #expect(world.router.why(World.ann, asking: true)?.besideOthers == 0, "not their queue")
    world.asks(World.cat)
    #expect(asked(world) == [World.bob, World.cat])
    #expect(world.router.why(World.dan, asking: true)?.besideOthers == 0, "two are asked")
  }

  @Test func `new rules that ask for more have others asked`() throws {
    var world = world(1)
    world.sits(World.cat)
    #expect(asked(world) == [World.bob])
    var made = try #require(world.router.configuration)
    made.queues[1].offersAtOnce = 2
    world.given(.configure(made))
    #expect(asked(world) == [World.bob, World.cat])
  }

  @Test func `a step that opens the case to more has them asked while it is offered`() {
    var need = Need(queue: World.sales)
    need.skills = [.init(skill: World.german, level: 3, required: true)]
    need.steps = [.init(after: .seconds(10), change: .dropSkill(World.german))]
    var world = world(3, need)
    world.sits(World.cat)
    #expect(asked(world) == [World.bob])
    world.pass(seconds: 10)
    world.when(.tick)
    #expect(asked(world) == [World.bob, World.cat])
  }

  @Test func `once it waits for one agent no more, the others are asked beside them`() {
    var need = Need(queue: World.sales)
    need.preferred = .init(agent: World.bob, for: .seconds(10))
    var world = world(3, need)
    world.sits(World.cat)
    #expect(asked(world) == [World.bob])
    world.pass(seconds: 10)
    world.when(.tick)
    #expect(asked(world) == [World.bob, World.cat])
  }

  @Test func `of two that are offered to few the soonest goes first`() {
    var (first, second) = (Need(queue: World.sales), Need(queue: World.sales))
    first.preferred = .init(agent: World.bob, for: .seconds(10))
    second.preferred = .init(agent: World.cat, for: .seconds(10))
    var world = world(2, first)
    world.sits(World.cat)
    world.open(2)
    world.route(2, second)
    world.sits(World.dan)
    #expect(asked(world) == [World.bob] && asked(world, 2) == [World.cat])
    world.pass(seconds: 10)
    world.when(.tick)
    #expect(asked(world) == [World.bob, World.dan] && asked(world, 2) == [World.cat])
  }

  @Test func `who declined it is asked once more when their time is over, while it is offered`() {
    var world = world()
    world.sits(World.cat)
    world.given(.decline(world.offer(World.cat), World.cat))
    #expect(asked(world) == [World.bob])
    world.pass(seconds: 30)
    world.when(.tick)
    #expect(asked(world) == [World.bob, World.cat])
  }

  @Test func `who accepts by themselves has what they are offered, and nobody else is asked`() {
    var made = World.configuration
    made.queues[1].offersAtOnce = 3
    for index in 1...3 { made.agents[index].autoAccept = true }
    var world = World(made)
    for agent in [World.cat, World.dan] { world.sits(agent) }
    world.available(World.bob)
    world.asks(World.bob)
    func heard() -> [AgentID] {
      world.last.events.compactMap {
        if case .offerMade(_, _, let agent, _, _, _) = $0 { agent } else { nil }
      }
    }
    for (n, agent) in [(1, World.cat), (2, World.dan), (3, World.bob)] {
      world.open(UInt64(n))
      world.route(UInt64(n), Need(queue: World.sales))
      #expect(heard() == [agent], "the longest idle, and nobody else")
      #expect(world.router.case(World.case(UInt64(n)))?.agent == agent)
    }
  }

  /// An offer takes an agent's room, as long as it is open, also where others were asked beside them.
  @Test func `who is asked beside others is asked nothing else until that is settled`() {
    var world = world(2)
    world.sits(World.cat)
    #expect(asked(world) == [World.bob, World.cat])
    world.open(2)
    world.route(2, Need(queue: World.sales))
    #expect(asked(world, 2).isEmpty, "both are asked about the first")
    let why = world.router.why(World.case(2))
    #expect(why?.passedOver.counts[Int(PassedOverReason.offered.rawValue)] == 2)
    world.pass(seconds: 3)
    world.when(.accept(world.offer(World.bob), World.bob))
    #expect(asked(world, 2).first == World.cat, "who did not get the first")
  }

  @Test func `who accepts by themselves wins at once over whoever was asked before them`() {
    var made = World.configuration
    made.queues[1].offersAtOnce = 2
    var world = World(made)
    world.sits(World.bob)
    world.sits(World.dan)
    world.open(1)
    world.when(world.routing(1, Need(queue: World.sales)))
    #expect(world.router.case(World.case(1))?.agent == World.dan)
    let ends = world.last.effects.compactMap {
      if case .withdrawOffer(_, _, let agent, _, let end) = $0 { (agent, end) } else { nil }
    }
    #expect(ends.count == 1 && ends[0] == (World.bob, .revoked(.wonByAnother)))
    #expect(asked(world).isEmpty)
  }

  @Test func `each of very many offers of a few cases counts, and some are made a command`() {
    let most = 200
    var made = World.configuration
    made.queues[0].offersAtOnce = UInt8(most)
    made.agents = (0..<3 * most).map {
      RoutingConfiguration.Agent(name: "a\($0)", skills: [], queues: ["support"])
    }
    made.queues[0].hours = []
    var world = World(made)
    world.checks = false
    for n in 1...3 as ClosedRange<UInt64> {
      world.open(n)
      world.route(n, Need(queue: World.support))
    }
    for index in 0..<3 * most { world.sits(AgentID(UInt32(index))) }
    #expect(asked(world).isEmpty, "it is closed")
    made.queues[0].hours = nil
    world.when(.configure(made))
    var commands = 1
    func count() -> Int {
      world.last.events.count { if case .offerMade = $0 { true } else { false } }
    }
    #expect(count() <= RoutingLimits.pairsPerCommandMax)
    world.checks = true
    while world.router.matchGoesOn {
      world.when(.tick)
      #expect(count() <= RoutingLimits.pairsPerCommandMax)
      commands += 1
    }
    #expect(commands > 2)
    for n in 1...3 as ClosedRange<UInt64> { #expect(asked(world, n).count == most) }
  }

  /// A machine that is read from its rows finds whoever came free as well.
  @Test func `after a restart others are asked`() throws {
    var world = world(2)
    world.router = try Router(rows: world.router.allRows())
    world.sits(World.cat)
    #expect(asked(world) == [World.bob, World.cat])
  }

  @Test func `a call rings one device at a time, however many its queue asks at once`() throws {
    var made = World.configuration
    made.queues[0].offersAtOnce = 3
    var world = World(made)
    world.available(World.ann, World.bob)
    world.open(1, .phone)
    world.route(1, Need(queue: World.support))
    #expect(asked(world) == [World.ann])
    world.available(World.bob)
    #expect(asked(world) == [World.ann])
    world.given(.failOffer(world.offer(World.ann), .deviceBusy))
    #expect(asked(world) == [World.bob], "then the next")
    world.router = try Router(rows: world.router.allRows())
    world.given(.start)
    world.available(World.ann)
    #expect(asked(world) == [World.bob])
  }

  @Test func `of very many that may be offered to more at once each is, some a command`() throws {
    let many = 600
    var made = World.configuration
    made.agents = (0..<2 * many).map {
      RoutingConfiguration.Agent(name: "a\($0)", skills: [], queues: ["support"])
    }
    var world = World(made)
    world.checks = false
    for index in 0..<many { world.sits(AgentID(UInt32(index))) }
    for n in 1...UInt64(many) {
      world.open(n)
      world.route(n, Need(queue: World.support))
    }
    for index in many..<2 * many { world.sits(AgentID(UInt32(index))) }
    world.checks = true
    made.queues[0].offersAtOnce = 2
    world.when(.configure(made))
    while world.router.matchGoesOn {
      #expect(world.last.events.count <= 2 * RoutingLimits.pairsPerCommandMax)
      world.when(.tick)
    }
    #expect((1...UInt64(many)).allSatisfy { asked(world, $0).count == 2 })
  }
}

extension World {
  /// Available, at a stream.
  fileprivate mutating func sits(_ agent: AgentID) {
    available(agent)
    given(.openStream(agent, waiter: WaiterID(UInt64(agent.raw))))
  }
}
