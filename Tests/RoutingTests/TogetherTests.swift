import Model
import Testing

@testable import Routing

struct `Agents together, and leaving` {
  func notes(_ agent: AgentID, _ n: UInt64, _ visibility: Visibility = .internal) -> Command {
    .record(
      conversation: World.conversation(1), session: nil, entry: World.entry(n),
      author: .agent(agent),
      visibility: visibility, epoch: nil)
  }

  @Test func `who is consulted writes beside the case, hears it, and may take it over`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.available(World.bob)
    world.refused(notes(World.bob, 1), .notOwner)
    world.when(
      .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(60)))
    world.then(
      [.consultStarted(World.case(1), with: World.bob, until: world.now + .seconds(60))],
      [.askToConsult(World.bob, World.case(1), by: World.ann, until: world.now + .seconds(60))])
    world.refused(notes(World.bob, 2, .customer), .notOwner)
    world.given(notes(World.bob, 3))
    world.when(notes(World.ann, 4))
    #expect(
      world.last.effects.contains(.tellAgent(World.bob, World.conversation(1), World.entry(4))))
    world.refused(.takeOver(World.case(1), by: World.cat), .caseNotYours)
    world.when(.takeOver(World.case(1), by: World.bob))
    #expect(
      world.router.conversation(World.conversation(1))?.owner == .agent(World.bob, World.case(1)))
    #expect(world.last.events.contains(.consultEnded(World.case(1), .tookOver)))
    world.refused(notes(World.ann, 5), .notOwner)
  }

  @Test func `advice ends by itself, and with the case`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.available(World.bob)
    world.given(
      .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(60)))
    world.pass(seconds: 60)
    world.when(.tick)
    #expect(world.last.events.contains(.consultEnded(World.case(1), .timedOut)))
    world.refused(.takeOver(World.case(1), by: World.bob), .caseNotYours)
    world.available(World.bob)
    world.given(
      .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(60)))
    world.when(.close(World.case(1), by: World.ann))
    #expect(world.last.events.contains(.consultEnded(World.case(1), .movedOn)))
  }

  @Test func `advice ends when rules come without whoever is asked`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.available(World.bob)
    world.given(
      .openStream(World.ann, waiter: WaiterID(6)), .openStream(World.bob, waiter: WaiterID(7)),
      .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(60)))
    var made = World.configuration
    made.agents.removeAll { $0.name == "bob" }
    world.when(.configure(made))
    #expect(world.last.events.contains(.consultEnded(World.case(1), .agentLeft)))
    let (told, closed) = (
      world.last.effects.firstIndex(of: .endConsult(World.bob, World.case(1), .agentLeft)),
      world.last.effects.firstIndex(of: .closeStream(World.bob, WaiterID(7), .agentRetired))
    )
    #expect(told ?? .max < closed ?? 0, "they hear it while their stream is open")
    #expect(
      world.last.effects.contains(.tellCase(World.ann, World.case(1), .consultEnded(.agentLeft))))
    #expect(world.router.case(World.case(1))?.consult == nil)
    world.refused(notes(World.bob, 1), .notOwner)
    world.refused(.takeOver(World.case(1), by: World.bob), .caseNotYours)
    world.given(.configure(World.configuration))
    world.refused(.takeOver(World.case(1), by: World.bob), .caseNotYours)
  }

  @Test func `advice ends when whoever is asked goes offline, and both hear it`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.available(World.bob)
    world.given(.openStream(World.ann, waiter: WaiterID(6)))
    for leaves in [
      Command.setStatus(World.bob, .offline, lease: nil), .finish(World.bob, then: .offline),
    ] {
      world.available(World.bob)
      world.given(
        .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(600)))
      world.when(.setStatus(World.bob, .onBreak, lease: nil))
      #expect(world.router.case(World.case(1))?.consult != nil, "who is there may be asked")
      world.when(leaves)
      #expect(world.last.events.contains(.consultEnded(World.case(1), .agentLeft)))
      #expect(
        world.last.effects.filter {
          if case .tellAgentStatus = $0 { false } else { true }
        } == [
          .endConsult(World.bob, World.case(1), .agentLeft),
          .tellCase(World.ann, World.case(1), .consultEnded(.agentLeft)),
        ])
      world.refused(notes(World.bob, 1), .notOwner)
      world.refused(.takeOver(World.case(1), by: World.bob), .caseNotYours)
    }
  }

  /// A connection that drops is no leaving: the lease of their presence goes on, as for all else.
  @Test func `advice outlives a dropped connection, and ends with the presence`() throws {
    var world = World()
    for n in 1...3 as ClosedRange<UInt64> { world.assigned(n, to: World.ann) }
    world.available(World.bob)
    world.given(
      .openStream(World.ann, waiter: WaiterID(6)), .openStream(World.bob, waiter: WaiterID(7)))
    // Listed in another order than that in which they came.
    for n in [2, 3, 1] as [UInt64] {
      world.given(
        .consult(World.case(n), by: World.ann, with: World.bob, until: world.now + .seconds(600)))
    }
    world.given(.endConsult(World.case(3), by: World.ann))
    world.pass(seconds: 100)
    world.when(.closeStream(World.bob, waiter: WaiterID(7)))
    world.pass(seconds: 59)
    world.when(.tick)
    #expect(world.router.consultations(of: World.bob) == [World.case(1), World.case(2)])
    world.given(.openStream(World.bob, waiter: WaiterID(8)))
    world.pass(seconds: 100)
    world.when(.tick)
    #expect(world.router.consultations(of: World.bob).count == 2, "they came back")
    world.given(.closeStream(World.bob, waiter: WaiterID(8)))
    world.router = try Router(rows: world.router.allRows())
    world.pass(seconds: 60)
    world.when(.tick)
    #expect(
      world.last.events == [
        .presenceLost(World.bob), .consultEnded(World.case(1), .agentLeft),
        .consultEnded(World.case(2), .agentLeft),
      ])
    #expect(world.router.case(World.case(1))?.consult == nil)
  }

  /// As rows of an older program have it.
  @Test func `a server that begins asks no advice of who has left`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.available(World.bob)
    world.given(
      .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(600)))
    world.checks = false
    world.router.apply(.statusSet(World.bob, .offline), at: world.now)
    #expect(Invariants.check(world.router).map(\.rule).contains(.adviceOfAbsent))
    world.checks = true
    world.when(.start)
    #expect(world.last.events.contains(.consultEnded(World.case(1), .agentLeft)))
  }

  @Test func `advice ends at its time, also on a case that is parked or wrapped up`() {
    for command in [
      Command.park(World.case(1), by: World.ann, until: World().now + .seconds(600)),
      .wrapUp(World.case(1), by: World.ann),
    ] {
      var world = World()
      world.assigned(1, to: World.ann)
      world.available(World.bob)
      world.given(.openStream(World.ann, waiter: WaiterID(9)))
      world.given(
        .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(30)))
      world.given(command)
      world.pass(seconds: 30)
      world.when(.tick)
      world.then(
        [.consultEnded(World.case(1), .timedOut)],
        [
          .endConsult(World.bob, World.case(1), .timedOut),
          .tellCase(World.ann, World.case(1), .consultEnded(.timedOut)),
        ])
    }
  }

  @Test func `a customer on hold keeps agent, room and owner, and the agent is told when it ends`()
  {
    var world = World()
    world.assigned(1, to: World.ann)
    let before = world.router.conversation(World.conversation(1))
    world.when(.hold(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    world.then([.caseHeld(World.case(1), World.ann, until: world.now + .seconds(60))], [])
    #expect(world.router.conversation(World.conversation(1)) == before, "owner and epoch")
    #expect(world.router.agent(World.ann)?.capacityUsed == 1)
    #expect(world.router.case(World.case(1))?.state == .assigned(World.ann))
    world.given(.openStream(World.ann, waiter: WaiterID(9)))
    world.pass(seconds: 59)
    world.when(.tick)
    #expect(world.router.case(World.case(1))?.heldUntil != nil)
    world.pass(seconds: 1)
    world.when(.tick)
    #expect(world.last.events.contains(.holdEnded(World.case(1), World.ann, .timedOut)))
    #expect(
      world.last.effects.contains(.tellCase(World.ann, World.case(1), .holdEnded(.timedOut))))
    #expect(world.router.case(World.case(1))?.heldUntil == nil)
    world.given(.hold(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    world.when(.endHold(World.case(1), by: World.ann))
    world.then(
      [.holdEnded(World.case(1), World.ann, .byAgent)],
      [.tellCase(World.ann, World.case(1), .holdEnded(.byAgent))])
    world.refused(.endHold(World.case(1), by: World.ann), .caseNotOnHold)
    // Whatever becomes of the case ends it.
    world.given(.hold(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    world.given(.park(World.case(1), by: World.ann, until: world.now + .seconds(900)))
    #expect(world.router.case(World.case(1))?.heldUntil == nil)
    world.given(.resume(World.case(1), by: World.ann))
    world.given(.hold(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    world.given(.requeue(World.case(1)))
    #expect(world.router.case(World.case(1))?.heldUntil == nil)
  }

  @Test func `an agent who finishes gets nothing new, and leaves with the last case`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.open(2)
    world.given(.next(World.ann, waiter: WaiterID(9), until: world.now + .seconds(30)))
    world.when(.finish(World.ann, then: .offline))
    #expect(world.last.effects.contains(.answerEmpty(WaiterID(9))))
    world.route(2, Need(queue: World.support))
    #expect(world.router.case(World.case(2))?.state == .waiting)
    #expect(world.router.agent(World.ann)?.status == .available)
    world.when(.close(World.case(1), by: World.ann))
    #expect(world.last.events.contains(.statusSet(World.ann, .offline)))
    #expect(world.router.agent(World.ann)?.status == .offline)
    // Who has nothing leaves at once, and whoever says they are available stays.
    world.available(World.bob)
    world.when(.finish(World.bob, then: .onBreak))
    #expect(world.router.agent(World.bob)?.status == .onBreak)
    world.available(World.bob)
    world.asks(World.bob)
    world.given(.accept(world.offer(World.bob), World.bob))  // the second case, which waited
    world.given(.finish(World.bob, then: .offline), .setStatus(World.bob, .available, lease: nil))
    world.given(.close(World.case(2), by: World.bob))
    #expect(world.router.agent(World.bob)?.status == .available)
  }

  @Test func `an agent is offered only the channels that they chose`() {
    var world = World()
    world.available(World.ann)
    world.given(.chooseChannels(World.ann, [.email]))
    world.asks(World.ann)
    world.open(1)
    world.route(1, Need(queue: World.support))
    #expect(world.router.case(World.case(1))?.state == .waiting)
    world.given(.chooseChannels(World.ann, [.email, .chat]))
    #expect(world.router.case(World.case(1))?.state == .offered)
  }

  @Test func `wrap-up ends later when its agent asks for more`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.given(.wrapUp(World.case(1), by: World.ann))
    world.given(.extendWrapUp(World.case(1), by: World.ann, until: world.now + .seconds(300)))
    world.pass(seconds: 299)
    world.given(.tick)
    #expect(world.router.case(World.case(1)) != nil)
    world.pass(seconds: 1)
    world.given(.tick)
    #expect(world.router.case(World.case(1)) == nil)
  }

  @Test func `a supervisor puts a case back into its queue, with its age`() {
    var world = World()
    world.assigned(1, to: World.ann)
    let age = world.router.case(World.case(1))?.age
    world.pass(seconds: 5)
    world.when(.requeue(World.case(1)))
    world.then(
      [
        .caseRequeued(World.case(1), .bySupervisor),
        .backOffSet(World.ann, World.case(1), until: world.now + .seconds(30)),
        .ownerChanged(World.conversation(1), to: .queue(World.support, World.case(1)), epoch: 4),
      ], [])
    #expect(world.router.case(World.case(1))?.age == age)
  }

  @Test func `a call comes to an agent who has only mail open, where mail may be interrupted`() {
    for may in [false, true] {
      var made = World.configuration
      made.limits.interruptible.email = may
      made.agents[0].channelMax.email = 3
      var world = World(made)
      for n in 1...3 { world.assigned(UInt64(n), to: World.ann, .email) }
      world.open(9, .phone)
      world.route(9, Need(queue: World.support))
      #expect(world.router.case(World.case(9))?.state == (may ? .offered : .waiting))
      if may {
        world.given(.accept(world.offer(World.ann), World.ann))
        #expect(world.router.agent(World.ann)?.capacityUsed == 6)
      }
    }
  }

  @Test func `an offer that is open keeps its room, also of work that may be interrupted`() {
    var made = World.configuration
    made.limits.interruptible.email = true
    made.agents[0].capacity = 2
    made.agents[0].channelMax = .init(chat: 3, email: 3, phone: 1)
    var world = World(made)
    world.assigned(1, to: World.ann)
    world.open(2, .email)
    world.route(2, Need(queue: World.support))
    world.asks(World.ann, 50)
    let mail = world.offer(World.ann)
    world.open(3)
    world.route(3, Need(queue: World.support))
    world.refused(.assign(World.case(3), to: World.ann), .agentAtCapacity)
    world.given(.accept(mail, World.ann))
    #expect(world.router.agent(World.ann)?.capacityUsed == 2)
  }

  enum Way: CaseIterable { case assigned, woken, resumed, takenOver }

  @Test(arguments: Way.allCases, [1, 2])
  func `whatever is put into an agent's hands, what they are offered can be accepted`(
    way: Way, offersAtOnce: UInt8
  ) {
    var made = World.configuration
    made.limits.interruptible.email = true
    made.queues[0].offersAtOnce = offersAtOnce
    made.agents[0].capacity = 2
    made.agents[0].channelMax = .init(chat: 3, email: 3, phone: 1)
    var world = World(made)
    let chat = World.case(1)
    switch way {
    case .assigned: break
    case .woken, .resumed:
      world.assigned(1, to: World.ann)
      let pause: Int64 = way == .woken ? 5 : 500
      world.given(.park(chat, by: World.ann, until: world.now + .seconds(pause)))
    case .takenOver: world.assigned(1, to: World.bob)
    }
    world.assigned(2, to: World.ann, .email)
    world.open(3, .email)
    world.route(3, Need(queue: World.support))
    world.available(World.bob)
    world.asks(World.ann, 50)
    world.asks(World.bob, 51)
    #expect(world.router.case(World.case(3))?.offers.count == Int(offersAtOnce))
    let mail = world.offer(World.ann)
    switch way {
    case .assigned:
      world.open(1)
      world.route(1, Need(queue: World.sales))
      world.refused(.assign(chat, to: World.ann), .agentAtCapacity)
    case .woken:
      world.pass(seconds: 5)
      world.given(.tick)
      #expect(world.router.case(chat)?.agent == nil, "it waits for somebody with room")
    case .resumed: world.refused(.resume(chat, by: World.ann), .agentAtCapacity)
    case .takenOver:
      world.given(
        .consult(chat, by: World.bob, with: World.ann, until: world.now + .seconds(60)))
      world.refused(.takeOver(chat, by: World.ann), .agentAtCapacity)
    }
    world.given(.accept(mail, World.ann))
    #expect(world.router.agent(World.ann)?.capacityUsed == 2)
  }

  @Test func `required and excluded teams and agents bind`() {
    var made = World.configuration
    made.teams = ["gold", "silver"]
    made.agents[0].teams = ["gold"]
    made.agents[1].teams = ["gold", "silver"]
    let (gold, silver) = (TeamID(0), TeamID(1))
    func offered(_ change: (inout Need) -> Void) -> AgentID? {
      var world = World(made)
      world.available(World.ann, World.bob)
      world.asks(World.ann)
      world.asks(World.bob)
      world.open(1)
      var need = Need(queue: World.support)
      change(&need)
      world.route(1, need)
      return world.router.case(World.case(1))?.offers.first.flatMap {
        world.router.offer($0)?.agent
      }
    }
    #expect(offered { $0.requiredTeams = [silver] } == World.bob)
    #expect(offered { $0.excludedTeams = [silver] } == World.ann)
    #expect(offered { $0.requiredAgents = [World.bob] } == World.bob)
    #expect(
      offered {
        $0.requiredTeams = [gold]; $0.excluded = [World.ann]
      } == World.bob)
    #expect(
      offered {
        $0.requiredTeams = [silver]; $0.excluded = [World.bob]
      } == nil)
  }
}
