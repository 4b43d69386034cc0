import Model
import Testing

@testable import Routing

struct `Offers` {
  @Test func `a case that waits is offered to the agent who asks, and theirs when they accept`() {
    var world = World()
    world.open(1)
    world.available(World.ann)
    world.when(world.routing(1, Need(queue: World.support)))
    world.then(
      [
        .caseQueued(
          World.case(1), World.conversation(1), World.session(1), .chat,
          need: Need(queue: World.support),
          age: world.now, by: World.by),
        .ownerChanged(World.conversation(1), to: .queue(World.support, World.case(1)), epoch: 2),
      ],
      [])

    world.pass(seconds: 5)
    let until = world.now + .seconds(30)
    world.when(.next(World.ann, waiter: WaiterID(9), until: until))
    let offer = world.offer(World.ann)
    world.then(
      [
        .nextAsked(World.ann, WaiterID(9), until: until),
        .offerMade(
          offer, World.case(1), World.ann, seat: .next(WaiterID(9)),
          until: world.now + .seconds(20),
          passedOver: PassedOver()),
      ],
      [
        .deliverOffer(
          offer, World.case(1), World.ann, .next(WaiterID(9)), until: world.now + .seconds(20))
      ])

    world.when(.accept(offer, World.ann))
    world.then(
      [
        .caseAccepted(World.case(1), World.ann), .offerEnded(offer, .accepted),
        .ownerChanged(World.conversation(1), to: .agent(World.ann, World.case(1)), epoch: 3),
      ],
      [])
    world.refused(.accept(offer, World.ann), .offerEnded)
    #expect(world.router.statistics(World.support)?.acceptedInTime == 1)
  }

  @Test func `a declined case returns to its place, and to that agent after a back-off that grows`()
  {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann)
    var lengths: [Int64] = []
    for round in 0..<7 {
      world.asks(World.ann, UInt64(round), seconds: 300)
      world.given(.renewPresence(World.ann))
      let offer = world.offer(World.ann)
      #expect(world.router.offer(offer) != nil, "round \(round)")
      world.when(.decline(offer, World.ann))
      for case .backOffSet(World.ann, World.case(1), let until) in world.last.events {
        lengths.append((until - world.now).milliseconds / 1_000)
        world.now = until
      }
      world.given(.tick)
    }
    #expect(lengths == [30, 60, 120, 240, 480, 600, 600])
  }

  @Test func `a missed offer sets the agent not responding, until they say they are back`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann)
    world.asks(World.ann)
    let offer = world.offer(World.ann)
    world.pass(seconds: 20)
    world.when(.tick)
    world.then(
      [.offerEnded(offer, .timedOut), .notResponding(World.ann)],
      [
        .withdrawOffer(offer, World.case(1), World.ann, .next(WaiterID(1)), .timedOut),
        .tellAgentStatus(World.ann, .available, responding: false),
      ])
    world.refused(
      .next(World.ann, waiter: WaiterID(2), until: world.now + .seconds(9)), .agentNotResponding)
    world.available(World.ann)
    world.asks(World.ann, 3)
    #expect(world.router.case(World.case(1))?.state == .offered)
  }

  @Test func `where the queue says so, a miss only leaves the agent alone for a while`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.sales))
    world.available(World.bob)
    world.given(.openStream(World.bob, waiter: WaiterID(1)))
    world.pass(seconds: 20)
    world.when(.tick)
    #expect(world.router.case(World.case(1))?.state == .waiting)
    world.pass(seconds: 30)
    world.when(.tick)
    #expect(world.router.case(World.case(1))?.state == .offered)
  }

  @Test func `a closed connection fails the offer and punishes nobody`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann)
    world.asks(World.ann, 1)
    let offer = world.offer(World.ann)
    world.when(.endNext(World.ann, waiter: WaiterID(1)))
    world.then(
      [.offerEnded(offer, .failed(.connectionClosed))],
      [
        .withdrawOffer(
          offer, World.case(1), World.ann, .next(WaiterID(1)), .failed(.connectionClosed))
      ])
    world.asks(World.ann, 2)
    #expect(world.router.case(World.case(1))?.state == .offered)
  }

  @Test func `a call rings a device, and one that is busy is left alone`() {
    var world = World()
    world.open(1, .phone)
    world.available(World.ann)
    world.when(world.routing(1, Need(queue: World.support)))
    let offer = world.offer(World.ann)
    #expect(
      world.last.effects.last
        == .deliverOffer(
          offer, World.case(1), World.ann, .device(0), until: world.now + .seconds(15)))
    world.when(.failOffer(offer, .deviceBusy))
    world.then(
      [
        .offerEnded(offer, .failed(.deviceBusy)),
        .backOffSet(World.ann, nil, until: world.now + .seconds(10)),
      ], [.withdrawOffer(offer, World.case(1), World.ann, .device(0), .failed(.deviceBusy))])
    world.pass(seconds: 10)
    world.when(.tick)
    #expect(world.router.case(World.case(1))?.state == .offered)
  }

  private func ringing(_ change: (inout RoutingConfiguration) -> Void = { _ in }) -> World {
    var made = World.configuration
    made.agents[0].devices = ["PJSIP/desk", "PJSIP/home", "PJSIP/mobile"]
    change(&made)
    var world = World(made)
    world.available(World.ann)
    world.open(1, .phone)
    world.route(1, Need(queue: World.support))
    return world
  }

  @Test func `where one device of an agent cannot be rung the next one is, within the same time`() {
    var world = ringing()
    let until = world.now + .seconds(15)
    for next in 1...2 as ClosedRange<UInt8> {
      let offer = world.offer(World.ann)
      world.pass(seconds: 5)
      world.when(.failOffer(offer, next == 1 ? .deviceBusy : .deviceUnavailable))
      #expect(
        world.last.effects.last
          == .deliverOffer(
            world.offer(World.ann), World.case(1), World.ann, .device(next), until: until))
    }
    world.when(.failOffer(world.offer(World.ann), .deviceError))
    #expect(world.router.case(World.case(1))?.state == .waiting, "none is left")
    #expect(world.router.agent(World.ann)?.backOffUntil == world.now + .seconds(10))
  }

  @Test func `no other device rings where time is short, or the call goes to somebody else`() {
    var world = ringing()
    world.pass(seconds: 11)
    world.when(.failOffer(world.offer(World.ann), .deviceBusy))
    #expect(world.router.case(World.case(1))?.state == .waiting)
    for (strategy, agent) in [
      (RoutingConfiguration.Strategy.roundRobin, World.bob), (.longestIdle, World.ann),
    ] {
      var world = ringing { $0.queues[0].strategy = [strategy] }
      let offer = world.offer(World.ann)
      world.available(World.bob)
      world.when(.failOffer(offer, .deviceBusy))
      #expect(world.router.agent(agent)?.offer != nil, "\(strategy)")
    }
    world = ringing()
    world.open(2, .phone)
    var sooner = Need(queue: World.support)
    sooner.priority = 9
    world.route(2, sooner)
    world.when(.failOffer(world.offer(World.ann), .deviceBusy))
    #expect(world.router.case(World.case(2))?.state == .waiting, "their phone is left alone")
    #expect(world.router.agent(World.ann)?.offer == nil)
  }

  /// Whatever it is that the phone reports, the desk has shown who calls.
  @Test(arguments: [
    OfferFailure.deviceBusy, .deviceUnavailable, .deviceError, .lineGone, .notAnswered,
  ])
  func `an offer that fails ends where it is shown`(_ why: OfferFailure) {
    var world = World()
    world.available(World.ann)
    world.given(.openStream(World.ann, waiter: WaiterID(1)))
    world.open(1, .phone)
    world.route(1, Need(queue: World.support))
    let offer = world.offer(World.ann)
    world.when(.failOffer(offer, why))
    let end: OfferEnd = why == .notAnswered ? .timedOut : .failed(why)
    #expect(
      world.last.effects.contains(
        .withdrawOffer(offer, World.case(1), World.ann, .device(0), end)))
  }

  @Test func `a ninth stream of an agent closes the eldest, which is told`() {
    var world = World()
    for waiter in 1...8 as ClosedRange<UInt64> {
      world.when(.openStream(World.ann, waiter: WaiterID(waiter)))
      #expect(world.last.effects == [])
    }
    world.when(.openStream(World.ann, waiter: WaiterID(9)))
    #expect(world.last.effects == [.closeStream(World.ann, WaiterID(1), .replaced)])
    #expect(world.router.agent(World.ann)?.streams == (2...9).map { WaiterID($0) })
    var left = World.configuration
    left.agents.removeFirst()
    world.when(.configure(left))
    #expect(
      world.last.effects == (2...9).map { .closeStream(World.ann, WaiterID($0), .agentRetired) })
  }

  @Test func `who hangs up while it rings is gone, and the device is told`() {
    var world = World()
    world.open(1, .phone)
    world.available(World.ann)
    world.route(1, Need(queue: World.support))
    let offer = world.offer(World.ann)
    world.when(.endSession(World.session(1), .hungUp))
    world.then(
      [
        .sessionEnded(World.session(1), .hungUp), .offerEnded(offer, .revoked(.customerLeft)),
        .caseClosed(World.case(1), .abandoned),
        .conversationClosed(World.conversation(1), lastAgent: nil),
      ],
      [
        .withdrawOffer(offer, World.case(1), World.ann, .device(0), .revoked(.customerLeft)),
        .tellCaseEnded(World.case(1), World.conversation(1), World.session(1), .abandoned),
      ])
    world.refused(.accept(offer, World.ann), .offerEnded)
  }

  @Test func `an agent whose lease is over loses the offer and keeps the cases`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.open(2)
    world.asks(World.ann, 7, seconds: 300)
    world.pass(seconds: 100)
    world.route(2, Need(queue: World.support))
    let offer = world.offer(World.ann)
    world.pass(seconds: 19)
    world.given(.tick)
    #expect(world.router.offer(offer) != nil, "the offer came with a fresh lease")
  }

  @Test func `who accepts by themselves needs no answer`() {
    var world = World()
    world.open(1)
    world.available(World.dan)
    world.given(.openStream(World.dan, waiter: WaiterID(5)))
    world.when(world.routing(1, Need(queue: World.sales)))
    #expect(world.router.case(World.case(1))?.state == .assigned(World.dan))
  }
}
