import Model
import Testing

@testable import Routing

struct `Moves and time` {
  @Test func `offered to several at once, the first to accept has it`() {
    var configuration = World.configuration
    configuration.queues[0].offersAtOnce = 2
    var world = World(configuration)
    world.available(World.ann, World.bob)
    world.given(
      .openStream(World.ann, waiter: WaiterID(1)), .openStream(World.bob, waiter: WaiterID(2)))
    world.open(1)
    world.route(1, Need(queue: World.support))
    let (first, second) = (world.offer(World.ann), world.offer(World.bob))
    world.when(.accept(second, World.bob))
    world.then(
      [
        .caseAccepted(World.case(1), World.bob), .offerEnded(second, .accepted),
        .offerEnded(first, .revoked(.wonByAnother)),
        .ownerChanged(World.conversation(1), to: .agent(World.bob, World.case(1)), epoch: 3),
      ],
      [
        .tellCase(World.bob, World.case(1), .accepted),
        .withdrawOffer(
          first, World.case(1), World.ann, .stream(WaiterID(1)), .revoked(.wonByAnother)),
      ])
    world.refused(.accept(first, World.ann), .offerEnded)
  }

  @Test func `who does not take what is offered to several is replaced by the next`() {
    var configuration = World.configuration
    configuration.queues[1].offersAtOnce = 2
    configuration.agents[3].autoAccept = false
    var world = World(configuration)
    for (agent, waiter) in [(World.bob, 1), (World.cat, 2), (World.dan, 3)] {
      world.available(agent)
      world.given(.openStream(agent, waiter: WaiterID(UInt64(waiter))))
    }
    world.open(1)
    world.route(1, Need(queue: World.sales))
    #expect(world.router.agent(World.dan)?.offer == nil, "two are asked")
    world.when(.decline(world.offer(World.bob), World.bob))
    #expect(world.router.offer(world.offer(World.dan))?.theCase == World.case(1))
    #expect(world.router.agent(World.bob)?.offer == nil, "who declined it is not asked again")
    world.pass(seconds: 20)
    world.when(.tick)
    #expect(world.router.case(World.case(1))?.state == .waiting, "none of the three is left")
    world.pass(seconds: 10)
    world.when(.tick)
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(1))
    world.pass(seconds: 19)
    world.when(.tick)
    #expect(world.router.agent(World.cat)?.offer == nil, "left alone for 30 s, as the queue says")
    world.given(.setStatus(World.cat, .available, lease: nil))
    world.when(.failOffer(world.offer(World.bob), .connectionClosed))
    let asked = [World.bob, World.cat].filter { world.router.agent($0)?.offer != nil }
    #expect(asked.count == 2, "bob's stream is there still")
  }

  @Test func `who is set free by one who accepts by themselves is offered what waits`() {
    var configuration = World.configuration
    configuration.queues[1].offersAtOnce = 2
    var world = World(configuration)
    for agent in [World.bob, World.cat] {
      world.available(agent)
      world.given(.openStream(agent, waiter: WaiterID(UInt64(agent.raw))))
    }
    world.open(1)
    world.route(1, Need(queue: World.sales))
    world.available(World.dan)
    world.given(.openStream(World.dan, waiter: WaiterID(9)))
    world.open(2)
    var french = Need(queue: World.sales)
    french.skills = [.init(skill: World.french, level: 1, required: true)]
    world.route(2, french)
    world.when(.decline(world.offer(World.bob), World.bob))
    #expect(world.router.case(World.case(1))?.agent == World.dan, "dan accepts what he is offered")
    #expect(world.router.offer(world.offer(World.cat))?.theCase == World.case(2))
  }

  @Test func `the case whose service level ends first goes first, where the queue says so`() {
    var configuration = World.configuration
    configuration.queues[0].order = .deadline
    var world = World(configuration)
    world.open(1)
    world.route(1, Need(queue: World.support))  // 30 s
    world.open(2)
    var quick = Need(queue: World.support)
    quick.serviceLevel = .seconds(10)
    world.pass(seconds: 15)
    world.route(2, quick)
    world.available(World.ann)
    world.asks(World.ann)
    #expect(world.router.offer(world.offer(World.ann))?.theCase == World.case(2))
  }

  @Test func `an agent who says nothing loses the case, which keeps its age`() {
    var configuration = World.configuration
    configuration.queues[0].firstReply.chat = .seconds(60)
    var world = World(configuration)
    world.assigned(1, to: World.ann)
    let age = world.router.case(World.case(1))?.age
    world.pass(seconds: 60)
    world.when(.tick)
    #expect(world.last.events.contains(.caseRequeued(World.case(1), .agentSilent)))
    #expect(world.router.case(World.case(1))?.state == .waiting)
    #expect(world.router.case(World.case(1))?.age == age)

    world.given(.endSession(World.session(1), .customerLeft))
    world.assigned(2, to: World.bob)
    world.given(
      .record(
        conversation: World.conversation(2), session: nil, entry: World.entry(2),
        author: .agent(World.bob),
        visibility: .customer, epoch: nil))
    world.pass(seconds: 100)
    world.given(.tick)
    #expect(world.router.case(World.case(2))?.state == .assigned(World.bob))
  }

  @Test func `a supervisor gives a case to an agent who is there and has room`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.refused(.assign(World.case(1), to: World.bob), .agentNotAvailable)
    world.available(World.ann, World.bob)
    world.asks(World.ann)
    let offer = world.offer(World.ann)
    world.when(.assign(World.case(1), to: World.bob))
    world.then(
      [
        .caseAccepted(World.case(1), World.bob), .offerEnded(offer, .revoked(.movedOn)),
        .ownerChanged(World.conversation(1), to: .agent(World.bob, World.case(1)), epoch: 3),
      ],
      [
        .withdrawOffer(offer, World.case(1), World.ann, .next(WaiterID(1)), .revoked(.movedOn))
      ])
    world.given(.assign(World.case(1), to: World.ann))
    #expect(world.router.agent(World.bob)?.cases == [])
    for n in 2...3 as ClosedRange<UInt64> { world.assigned(n, to: World.bob) }
    world.assigned(4, to: World.bob)
    world.refused(.assign(World.case(1), to: World.bob), .agentAtCapacity)
  }

  @Test func `a parked case frees the agent, and wakes to them or to its queue`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.given(.park(World.case(1), by: World.ann, until: world.now + .seconds(30)))
    #expect(world.router.agent(World.ann)?.capacityUsed == 0)
    world.pass(seconds: 30)
    world.when(.tick)
    world.then([.caseResumed(World.case(1), World.ann)], [])
    world.given(.park(World.case(1), by: World.ann, until: world.now + .seconds(200)))
    world.pass(seconds: 200)
    world.when(.tick)
    #expect(world.router.case(World.case(1))?.state == .waiting, "ann's lease was over")
    #expect(
      world.router.conversation(World.conversation(1))?.owner
        == .queue(World.support, World.case(1)))
  }

  @Test func `presence is written when a third of the lease is gone, and ends with it`() {
    var world = World()
    world.available(World.ann)
    world.pass(seconds: 20)
    world.when(.renewPresence(World.ann))
    world.then([], [])
    world.pass(seconds: 1)
    world.when(.renewPresence(World.ann))
    world.then([.presenceRenewed(World.ann, until: world.now + .seconds(60))], [])
    world.given(.openStream(World.ann, waiter: WaiterID(3)))
    world.pass(seconds: 500)
    world.given(.tick)
    #expect(world.router.agent(World.ann)?.isPresent == true, "a stream holds it")
    world.given(.closeStream(World.ann, waiter: WaiterID(3)))
    world.pass(seconds: 60)
    world.when(.tick)
    world.then([.presenceLost(World.ann)], [])
  }

  @Test func `a next that finds nothing is answered empty when its time is up`() {
    var world = World()
    world.available(World.ann)
    world.asks(World.ann, 4, seconds: 30)
    world.refused(
      .next(World.ann, waiter: WaiterID(5), until: world.now + .seconds(1)), .agentAlreadyWaiting)
    #expect(world.router.nextDeadline == world.now + .seconds(30))
    world.pass(seconds: 30)
    world.when(.tick)
    #expect(world.last.events.first == .nextEnded(World.ann, WaiterID(4)))
    #expect(world.last.effects == [.answerEmpty(WaiterID(4))])
  }

  @Test func `a new version keeps handles, retires who is left out, and re-weighs what waits`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann)
    world.asks(World.ann)
    let offer = world.offer(World.ann)
    var next = World.configuration
    next.version = 2
    next.agents.removeFirst()
    next.skills.insert("italian", at: 0)
    world.when(.configure(next))
    world.then(
      [.configured(next), .offerEnded(offer, .revoked(.reconfigured))],
      [.withdrawOffer(offer, World.case(1), World.ann, .next(WaiterID(1)), .revoked(.reconfigured))]
    )
    #expect(world.router.skillID(named: "german") == World.german)
    #expect(world.router.agentID(named: "ann") == World.ann)
    world.refused(
      .next(World.ann, waiter: WaiterID(2), until: world.now + .seconds(5)), .unknownAgent)
    next.agents[0].queues = ["nowhere"]
    world.refused(.configure(next), .unknownQueue)
  }

  @Test func `an offer that no longer fits an agent's capacity is revoked`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.open(2)
    world.route(2, Need(queue: World.support))
    world.asks(World.ann)
    let offer = world.offer(World.ann)
    var made = World.configuration
    made.agents[0].capacity = 2
    world.when(.configure(made))
    #expect(world.router.offer(offer) != nil, "it still fits")
    made.agents[0].capacity = 1
    world.when(.configure(made))
    #expect(world.last.events.contains(.offerEnded(offer, .revoked(.reconfigured))))
    #expect(world.router.case(World.case(2))?.state == .waiting)
    #expect(world.router.agent(World.ann)?.cases == [World.case(1)], "what they have they keep")
    world.refused(.accept(offer, World.ann), .offerEnded)
  }

  @Test func `a mass change is matched in portions, and ticks go on`() {
    var configuration = World.configuration
    configuration.agents = (0..<600).map {
      .init(name: "agent\($0)", skills: [], queues: ["support"])
    }
    configuration.queues[0].waitingMax = 10_000
    var router = Router()
    var out = Decision()
    let now = Instant(milliseconds: 1_000)
    func play(_ command: Command) { #expect(router.decide(command, at: now, into: &out) == nil) }
    var away = configuration
    for index in away.agents.indices { away.agents[index].queues = ["sales"] }
    away.agents.append(.init(name: "keeper", skills: [], queues: ["support"]))
    play(.configure(away))
    for n in 0..<600 as Range<UInt32> {
      play(.setStatus(AgentID(n), .available, lease: .seconds(600)))
      play(.openStream(AgentID(n), waiter: WaiterID(UInt64(n))))
      play(
        .openConversation(
          conversation: World.conversation(UInt64(n)), customer: World.customer(1),
          session: NewSession(id: World.session(UInt64(n)), channel: .email, bot: nil)))
      play(
        .route(
          conversation: World.conversation(UInt64(n)), session: World.session(UInt64(n)),
          case: World.case(UInt64(n)),
          need: Need(queue: World.support), by: World.by, epoch: nil))
    }
    var made: [Int] = []
    func offersMade() -> Int {
      out.events.count { if case .offerMade = $0 { true } else { false } }
    }
    out = Decision()
    play(.configure(configuration))
    made.append(offersMade())
    while router.nextDeadline ?? .distantFuture <= now {
      out = Decision()
      play(.tick)
      made.append(offersMade())
    }
    #expect(made == [256, 256, 88])
    #expect(Invariants.check(router) == [])
  }

  /// A chat each, routed without the checks of `given`, which look at all of them each time.
  private static func manyChats(_ world: inout World, _ count: Int, _ need: Need) {
    var out = Decision()
    for n in 1...UInt64(count) {
      let session = NewSession(id: World.session(n), channel: .chat, bot: World.bot)
      let opens = Command.openConversation(
        conversation: World.conversation(n), customer: World.customer(n), session: session)
      for command in [opens, world.routing(n, need)] {
        #expect(world.router.decide(command, at: world.now, into: &out) == nil)
      }
    }
  }

  @Test(arguments: [RoutingLimits.looksPerCommandMax + 1, 1_500])
  func `whoever could take one of very many that change at once gets it`(_ count: Int) {
    var world = World()
    world.available(World.dan)
    world.given(.openStream(World.dan, waiter: WaiterID(1)))
    var need = Need(queue: World.sales)
    need.skills = [.init(skill: World.german, level: 5, required: true)]
    need.steps = [.init(after: .seconds(60), change: .dropSkill(World.german))]
    // All in one command, so that none of them is listed yet when the next changes.
    Self.manyChats(&world, count, need)
    world.pass(seconds: 60)
    world.given(.renewPresence(World.dan))
    var steps: [Int] = []
    repeat {
      world.when(.tick)
      steps.append(world.last.events.count { if case .stepTaken = $0 { true } else { false } })
    } while world.router.nextDeadline ?? .distantFuture <= world.now
    #expect(steps.max() == RoutingLimits.looksPerCommandMax)
    #expect(steps.reduce(0, +) == count)
    #expect(world.router.agent(World.dan)?.cases.first == World.case(1), "the first")
    #expect(
      world.router.agent(World.dan)?.cases.count == 3, "dan accepts by himself, while he has room")
  }

  @Test func `when an agent goes for whom very many wait, the queue gets them in their order`() {
    var world = World()
    world.available(World.ann)
    world.given(.openStream(World.ann, waiter: WaiterID(1)))
    var need = Need(queue: World.support)
    need.preferred = .init(agent: World.ann, for: .seconds(600))
    Self.manyChats(&world, 1_500, need)
    world.given(.decline(world.offer(World.ann), World.ann))
    world.available(World.bob)
    world.given(.setStatus(World.ann, .offline, lease: nil))
    var ended = 0
    var most = 0
    func count() {
      let now = world.last.events.count { if case .preferenceEnded = $0 { true } else { false } }
      ended += now
      most = max(most, now)
    }
    count()
    world.given(.openStream(World.bob, waiter: WaiterID(2)))
    count()
    while world.router.nextDeadline ?? .distantFuture <= world.now {
      world.when(.tick)
      count()
    }
    #expect(ended == 1_500 - 1)
    #expect(most <= RoutingLimits.looksPerCommandMax)
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(1))
    #expect(
      world.router.caseIDs.allSatisfy { world.router.case($0)?.preferenceUntil == nil })
  }

  /// German, not by cat, five units of importance, and a step that was taken.
  private static var demanding: Need {
    var need = Need(queue: World.support)
    need.priority = 3
    need.weight = 2
    need.serviceLevel = .seconds(99)
    need.skills = [
      .init(skill: World.german, level: 3, required: true),
      .init(skill: World.returns, level: 5, required: true),
    ]
    need.excluded = [World.cat]
    need.steps = [
      .init(after: .zero, change: .dropSkill(World.returns)),
      .init(after: .seconds(500), change: .raisePriority(by: 1)),
      .init(after: .seconds(600), change: .changeQueue(World.sales)),
    ]
    return need
  }

  private static func taken(_ need: Need) -> World {
    var world = World()
    world.open(1)
    world.route(1, need)
    world.available(World.ann)
    world.asks(World.ann)
    world.given(.accept(world.offer(World.ann), World.ann))
    return world
  }

  @Test
  func `a transfer keeps what the customer needs, and what nobody there could meet is preferred`() {
    let world = Self.taken(Self.demanding)
    let same = world.router.needPassedOn(World.case(1), to: nil, agent: nil)
    var expected = Self.demanding
    expected.skills.removeLast()
    expected.steps.removeFirst()
    #expect(same == expected)
    let other = world.router.needPassedOn(World.case(1), to: World.sales, agent: nil)
    expected.queue = World.sales
    expected.steps.removeLast()
    #expect(other == expected, "bob speaks German there")
    var unmet = Self.demanding
    unmet.skills[0].level = 8
    unmet.requiredAgents = [World.ann]
    let relaxed = Self.taken(unmet).router.needPassedOn(World.case(1), to: World.sales, agent: nil)
    #expect(relaxed?.skills == [.init(skill: World.german, level: 8, required: false)])
    #expect(relaxed?.requiredAgents == [])
    #expect(relaxed?.excluded == [World.cat])
  }

  @Test func `a case that was widened is widened still when it is passed on in its queue`() {
    var need = Need(queue: World.support)
    need.steps = [.init(after: .zero, change: .widen([World.sales]))]
    var world = Self.taken(need)
    let passed = world.router.needPassedOn(World.case(1), to: nil, agent: nil)!
    world.given(.transfer(World.case(1), by: World.ann, need: passed, case: World.case(2)))
    #expect(world.router.case(World.case(2))?.widened == [World.sales])
  }

  @Test func `whom the rules keep from a case nobody gives it, whichever way`() {
    var made = World.configuration
    made.teams = ["gold", "silver"]
    made.agents[0].teams = ["gold"]
    let changes: [(inout Need) -> Void] = [
      { $0.excluded = [World.bob] }, { $0.excludedTeams = [TeamID(1)] },
      { $0.requiredAgents = [World.ann] }, { $0.requiredTeams = [TeamID(0)] },
    ]
    for change in changes {
      var kept = made
      kept.agents[1].teams = ["gold"]
      var world = World(kept)
      var need = Need(queue: World.support)
      change(&need)
      world.assigned(1, to: World.ann, need: need)
      world.available(World.bob)
      let asked = Command.consult(
        World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(60))
      if need.requiredTeams.isEmpty && need.excludedTeams.isEmpty {
        world.refused(asked, .agentExcluded)
      } else {
        // The rules say so while they look at it, and an older program let them.
        world.given(asked)
        made.agents[1].teams = ["silver"]
        world.router.apply(.configured(made), at: world.now)
        world.refused(.takeOver(World.case(1), by: World.bob), .agentExcluded)
        world.when(.start)
        #expect(world.last.events.contains(.consultEnded(World.case(1), .reconfigured)))
      }
      world.refused(.assign(World.case(1), to: World.bob), .agentExcluded)
    }
  }

  @Test func `advice ends when new rules keep who was asked from the case, and else goes on`() {
    typealias Change = (inout RoutingConfiguration) -> Void
    let changes: [(end: ConsultEnd?, change: Change)] = [
      (.reconfigured, { $0.agents[1].teams = ["silver"] }),
      (.reconfigured, { $0.agents[1].teams = [] }),
      (.agentLeft, { $0.agents.remove(at: 1) }),
      // Queue and skills were for who asked to judge; and ann keeps what she has, whatever the rules say.
      (nil, { $0.agents[1].queues = ["sales"] }), (nil, { $0.agents[1].skills = [] }),
      (nil, { $0.agents[0].teams = ["silver"] }),
      // What nobody is left to meet keeps nobody from it.
      (nil, { for index in $0.agents.indices { $0.agents[index].teams = [] } }),
    ]
    for (end, change) in changes {
      var made = World.configuration
      made.teams = ["gold", "silver"]
      made.agents[0].teams = ["gold"]
      made.agents[1].teams = ["gold"]
      var world = World(made)
      var need = Need(queue: World.support)
      need.requiredTeams = [TeamID(0)]
      world.assigned(1, to: World.ann, need: need)
      world.available(World.bob)
      world.given(
        .openStream(World.ann, waiter: WaiterID(1)),
        .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(60)))
      change(&made)
      world.when(.configure(made))
      let ends = world.last.events.compactMap { event -> ConsultEnd? in
        if case .consultEnded(World.case(1), let end) = event { end } else { nil }
      }
      #expect(ends == (end.map { [$0] } ?? []))
      #expect((world.router.case(World.case(1))?.consult == nil) == (end != nil))
      #expect(world.router.case(World.case(1))?.agent == World.ann)
      guard let end else { continue }
      #expect(world.last.effects.contains(.endConsult(World.bob, World.case(1), end)))
      #expect(world.last.effects.contains(.tellCase(World.ann, World.case(1), .consultEnded(end))))
    }
  }

  @Test
  func
    `a case that nobody is left to meet is given to whom a supervisor chooses, but to no excluded one`()
  {
    for isExcluded in [false, true] {
      var made = World.configuration
      made.teams = ["gold"]
      made.agents[0].teams = ["gold"]
      var world = World(made)
      var need = Need(queue: World.support)
      need.requiredTeams = [TeamID(0)]
      if isExcluded { need.excluded = [World.bob] }
      world.open(1)
      world.route(1, need)
      world.available(World.bob)
      let assign = Command.assign(World.case(1), to: World.bob)
      world.refused(assign, .agentExcluded)
      made.agents[0].teams = []
      world.given(.configure(made))
      if isExcluded { world.refused(assign, .agentExcluded) } else { world.given(assign) }
    }
  }

  @Test func `whoever a case is passed to by name gets it, whatever they serve`() {
    var need = Self.demanding
    need.excluded = []
    var world = Self.taken(need)
    world.available(World.bob, World.cat)
    world.given(.openStream(World.bob, waiter: WaiterID(8)))
    func passed(_ agent: AgentID) -> Need {
      world.router.needPassedOn(
        World.case(1), to: nil, agent: .init(agent: agent, for: .seconds(60)))!
    }
    // Cat serves sales only, and speaks no German.
    world.given(
      .transfer(World.case(1), by: World.ann, need: passed(World.cat), case: World.case(2)))
    #expect(world.router.case(World.case(2))?.state == .waiting, "for cat, who does not ask yet")
    let near = world.router.why(World.case(2))?.nearest
    #expect(near?.agents(only: .notAsking) == 1)
    world.asks(World.cat)
    #expect(world.router.offer(world.offer(World.cat))?.theCase == World.case(2))
    world.given(.decline(world.offer(World.cat), World.cat))
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(2), "then the queue")
    var barred = Self.taken(Self.demanding)
    barred.available(World.cat)
    let toCat = barred.router.needPassedOn(
      World.case(1), to: nil, agent: .init(agent: World.cat, for: .seconds(60)))!
    barred.refused(
      .transfer(World.case(1), by: World.ann, need: toCat, case: World.case(2)), .agentExcluded)
  }

  @Test(arguments: [true, false])
  func `a case that an agent gave away does not come back to them at once`(_ isTransfer: Bool) {
    var world = Self.taken(Need(queue: World.support))
    world.given(.openStream(World.ann, waiter: WaiterID(8)))
    let id = isTransfer ? World.case(2) : World.case(1)
    world.given(
      isTransfer
        ? .transfer(World.case(1), by: World.ann, need: Need(queue: World.support), case: id)
        : .requeue(id))
    #expect(world.router.case(id)?.state == .waiting)
    world.pass(seconds: 30)
    world.given(.tick)
    #expect(world.router.offer(world.offer(World.ann))?.theCase == id, "nobody else came")
  }

  @Test func `of more streams than an agent may have the eldest is no seat any more`() {
    var world = World()
    world.available(World.ann)
    let most = UInt64(RoutingLimits.streamsPerAgentMax)
    for n in 1...most { world.given(.openStream(World.ann, waiter: WaiterID(n))) }
    world.open(1)
    world.route(1, Need(queue: World.support))
    let offer = world.offer(World.ann)
    #expect(world.router.offer(offer)?.seat == .stream(WaiterID(1)))
    world.when(.openStream(World.ann, waiter: WaiterID(most + 1)))
    #expect(world.router.agent(World.ann)?.streams == (2...most + 1).map { WaiterID($0) })
    #expect(world.offer(World.ann) == offer, "which is told at the others")
    world.given(.closeStream(World.ann, waiter: WaiterID(1)))
    #expect(world.offer(World.ann) == offer)
  }

  @Test func `an offer lives as long as one stream of its agent, with the time that it had`() throws
  {
    var world = World()
    world.available(World.ann, World.bob)
    world.given(
      .openStream(World.ann, waiter: WaiterID(1)), .openStream(World.ann, waiter: WaiterID(2)))
    world.open(1)
    world.route(1, Need(queue: World.support))
    let offer = world.offer(World.ann)
    let until = try #require(world.router.offer(offer)?.until)
    world.pass(seconds: 5)
    world.given(.openStream(World.ann, waiter: WaiterID(3)))
    world.when(.closeStream(World.ann, waiter: WaiterID(2)))
    world.then([.streamClosed(World.ann, WaiterID(2))], [])
    world.when(.closeStream(World.ann, waiter: WaiterID(1)))
    world.then(
      [.streamClosed(World.ann, WaiterID(1))],
      [.deliverOffer(offer, World.case(1), World.ann, .stream(WaiterID(3)), until: until)])
    world.given(.openStream(World.bob, waiter: WaiterID(4)))
    world.when(.closeStream(World.ann, waiter: WaiterID(3)))
    #expect(world.last.events.contains(.offerEnded(offer, .failed(.connectionClosed))))
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(1))
    world.given(.accept(world.offer(World.bob), World.bob))

    world.given(.openStream(World.ann, waiter: WaiterID(5)))
    world.given(.openStream(World.ann, waiter: WaiterID(6)))
    world.open(2)
    world.route(2, Need(queue: World.support))
    let second = world.offer(World.ann)
    world.given(.closeStream(World.ann, waiter: WaiterID(5)))
    world.given(.accept(second, World.ann))
    #expect(world.router.case(World.case(2))?.state == .assigned(World.ann))
  }
}
