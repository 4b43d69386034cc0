import Model
import Testing

@testable import Routing

struct `Phone calls` {
  @Test func `hanging up while talking leaves the wrap-up, and the time ends it`() {
    var world = World()
    world.assigned(1, to: World.ann, .phone)
    world.when(.endSession(World.session(1), .hungUp))
    world.then(
      [
        .sessionEnded(World.session(1), .hungUp),
        .caseWrappingUp(World.case(1), World.ann, until: world.now + .seconds(30)),
      ], [])
    world.open(2)
    world.route(2, Need(queue: World.support))
    world.asks(World.ann, 5, seconds: 60)
    #expect(world.offer(World.ann) == OfferID(high: 0, low: 0), "wrap-up keeps the capacity")
    world.pass(seconds: 30)
    world.when(.tick)
    #expect(
      world.last.events.prefix(2) == [
        .caseClosed(World.case(1), .wrapUpOver),
        .conversationClosed(World.conversation(1), lastAgent: World.ann),
      ])
    #expect(world.router.case(World.case(2))?.state == .offered)
  }

  @Test func `an agent who ends the talking hangs up`() {
    var world = World()
    world.assigned(1, to: World.ann, .phone)
    world.when(.wrapUp(World.case(1), by: World.ann))
    #expect(world.last.effects == [.endSession(World.session(1), .businessEnded)])
    world.given(.close(World.case(1), by: World.ann))
    #expect(world.router.conversation(World.conversation(1)) == nil)
  }

  /// Nobody holds the line any more: a device that rang for it would be rung again and again.
  @Test func `what is left of a call that has ended is taken at a desk, once an agent hands it on`()
  {
    var world = World()
    world.assigned(1, to: World.ann, .phone)
    world.given(.endSession(World.session(1), .hungUp))
    world.given(
      .transfer(World.case(1), by: World.ann, need: Need(queue: World.support), case: World.case(9))
    )
    #expect(world.router.case(World.case(9))?.state == .waiting, "a free device is not rung")
    #expect(world.router.case(World.case(9))?.channel == .email)
    world.available(World.bob)
    world.asks(World.bob, 5, seconds: 60)
    #expect(world.router.case(World.case(9))?.state == .offered)
  }

  @Test func `a call whose line is gone for a moment does not hold up who is there`() {
    var world = World()
    world.available(World.ann)
    world.open(1, .phone)
    world.route(1, Need(queue: World.support))
    world.open(2, .phone)
    world.route(2, Need(queue: World.support))
    #expect(world.router.case(World.case(1))?.state == .offered)
    world.when(.failOffer(world.offer(World.ann), .lineGone))
    #expect(world.router.case(World.case(1))?.state == .waiting)
    #expect(world.router.case(World.case(2))?.state == .offered)
    world.when(.failOffer(world.offer(World.ann), .lineGone))
    #expect(world.offer(World.ann) == OfferID(high: 0, low: 0), "not at once again")
    world.pass(seconds: 2)
    world.given(.tick)
    #expect(world.router.case(World.case(1))?.state == .offered)
  }

  @Test func `a restart gives a waiting caller a grace to come back to their place`() {
    var world = World()
    world.open(1, .phone)
    world.open(2, .phone)
    world.route(1, Need(queue: World.support))
    world.route(2, Need(queue: World.support))
    let age = world.router.case(World.case(1))?.age
    world.given(.start)
    world.available(World.ann)
    #expect(
      world.router.case(World.case(1))?.state == .waiting,
      "nobody is rung for a caller who may be gone")
    world.pass(seconds: 10)
    world.when(
      .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(1), channel: .phone, bot: nil)))
    #expect(world.last.events.first == .sessionResumed(World.session(1)))
    #expect(world.router.case(World.case(1))?.state == .offered)
    #expect(world.router.case(World.case(1))?.age == age)
    world.pass(seconds: 20)
    world.given(.tick)
    #expect(world.router.case(World.case(2)) == nil, "the other did not come back")
  }

  @Test func `a restart ends seats and their offers, not a talk and not its case`() {
    var world = World()
    world.assigned(1, to: World.ann, .phone)
    world.open(2)
    world.available(World.bob)
    world.route(2, Need(queue: World.support))
    world.asks(World.bob)
    let offer = world.offer(World.bob)
    world.when(.start)
    world.then(
      [.started, .offerEnded(offer, .failed(.connectionClosed))],
      [
        .withdrawOffer(
          offer, World.case(2), World.bob, .next(WaiterID(2)), .failed(.connectionClosed))
      ])
    #expect(world.router.case(World.case(1))?.state == .assigned(World.ann))
    #expect(world.router.session(World.session(1))?.graceUntil == nil)
    #expect(world.router.case(World.case(2))?.state == .waiting)
    #expect(world.router.agent(World.bob)?.waitsAt == nil)
    #expect(world.router.agent(World.bob)?.isPresent == true)
  }

  @Test func `while an agent talks nothing else comes`() {
    var world = World()
    world.assigned(1, to: World.ann, .phone)
    world.open(2)
    world.route(2, Need(queue: World.support))
    world.given(.openStream(World.ann, waiter: WaiterID(4)))
    #expect(world.router.case(World.case(2))?.state == .waiting)
    #expect(world.router.why(World.ann)?.hindrance == .onCall)
  }

  @Test func `no case is put into the hands of who talks, or wraps up a call`() {
    var made = World.configuration
    made.agents[0].capacity = 9
    var world = World(made)
    world.assigned(1, to: World.ann)
    world.given(.park(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    world.assigned(2, to: World.bob)
    world.assigned(3, to: World.ann, .phone)
    world.given(.renewPresence(World.ann), .renewPresence(World.bob))
    world.given(
      .consult(World.case(2), by: World.bob, with: World.ann, until: world.now + .seconds(60)))
    for _ in 1...2 {
      world.refused(.resume(World.case(1), by: World.ann), .agentOnCall)
      world.refused(.assign(World.case(2), to: World.ann), .agentOnCall)
      world.refused(.takeOver(World.case(2), by: World.ann), .agentOnCall)
      world.play(.wrapUp(World.case(3), by: World.ann))
    }
    world.given(
      .extendWrapUp(World.case(3), by: World.ann, until: world.now + .seconds(300)))
    world.pass(seconds: 60)
    world.given(.tick)
    #expect(world.router.case(World.case(1))?.agent == nil, "it woke and waits for somebody else")
    world.given(.close(World.case(3), by: World.ann), .assign(World.case(2), to: World.ann))
  }

  // MARK: Messages

  /// The caller of `n` is sent to leave a message.
  private func message(
    _ n: UInt64, _ need: Need = Need(queue: World.support), case id: UInt64? = nil
  ) -> Command {
    .route(
      conversation: World.conversation(n), session: World.session(n), case: World.case(id ?? n),
      need: need,
      by: RouteReason(cause: .message, ruleVersion: 1, rule: 0), epoch: nil)
  }

  @Test
  func
    `a caller leaves a message: the case waits for whoever sits at a desk, and outlives the call`()
  {
    var world = World()
    world.open(1, .phone)
    world.available(World.ann)
    world.when(message(1))
    let by = RouteReason(cause: .message, ruleVersion: 1, rule: 0)
    world.then(
      [
        .caseQueued(
          World.case(1), World.conversation(1), World.session(1), .email,
          need: Need(queue: World.support), age: world.now,
          by: by),
        .ownerChanged(World.conversation(1), to: .queue(World.support, World.case(1)), epoch: 2),
      ],
      [
        .takeMessage(World.session(1))
      ])
    #expect(
      world.offer(World.ann) == OfferID(high: 0, low: 0), "no device rings: nobody holds the line")
    world.when(.endSession(World.session(1), .hungUp))
    world.then([.sessionEnded(World.session(1), .hungUp)], [])
    world.pass(seconds: 3_600)
    world.asks(World.ann)
    world.given(.accept(world.offer(World.ann), World.ann), .close(World.case(1), by: World.ann))
    #expect(world.router.conversation(World.conversation(1)) == nil)
  }

  @Test
  func
    `a message waits where no case is taken: in a queue that is closed, and in one that is full`()
  {
    var world = World()
    var made = World.configuration
    made.queues[0].waitingMax = 1
    made.queues[1].hours = []
    made.queues[1].whenClosed = .refuse
    world.given(.configure(made), .tick)
    for n in 1...4 { world.open(UInt64(n), .phone) }
    world.route(1, Need(queue: World.support))
    world.refused(world.routing(2, Need(queue: World.support)), .queueFull)
    world.given(message(2))
    world.refused(world.routing(3, Need(queue: World.sales)), .queueClosed)
    world.given(message(3, Need(queue: World.sales)))
    world.open(5)
    world.refused(message(5), .notAllowed)
  }

  @Test func `a caller who has waited too long leaves a message, and the case keeps its place`() {
    var world = World()
    var made = World.configuration
    made.queues[0].waitMax = .seconds(60)
    made.queues[0].whenWaitedOut = .message
    world.given(.configure(made))
    world.open(1, .phone)
    world.route(1, Need(queue: World.support))
    world.open(2)
    world.route(2, Need(queue: World.support))
    let age = world.router.case(World.case(1))?.age
    world.pass(seconds: 60)
    world.when(.tick)
    world.then(
      [
        .caseOverflowed(World.case(1), to: World.support, .leavesMessage),
        .ownerChanged(World.conversation(1), to: .queue(World.support, World.case(1)), epoch: 3),
      ],
      [
        .takeMessage(World.session(1))
      ])
    world.given(.endSession(World.session(1), .hungUp))
    #expect(world.router.case(World.case(1))?.age == age)
    #expect(
      world.router.nextDeadline.map { $0 > world.now } ?? true,
      "once is enough, and the chat waits on")
    world.available(World.ann)
    world.asks(World.ann)
    #expect(
      world.router.case(World.case(1))?.state == .offered, "the older one goes first, to a desk")
  }

  @Test
  func
    `what somebody wrote and waits for becomes part of the message that they leave, with its age`()
  {
    var world = World()
    world.open(1, .email)
    world.route(1, Need(queue: World.support))
    let age = world.router.case(World.case(1))?.age
    world.pass(seconds: 30)
    world.given(
      .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(9), channel: .phone, bot: nil)))
    let command = Command.route(
      conversation: World.conversation(1), session: World.session(9), case: World.case(9),
      need: Need(queue: World.support), by: RouteReason(cause: .message, ruleVersion: 1, rule: 0),
      epoch: nil)
    world.given(command)
    #expect(world.router.case(World.case(1)) == nil)
    #expect(world.router.case(World.case(9))?.age == age)
    world.given(.endSession(World.session(9), .hungUp))
    #expect(world.router.case(World.case(9))?.state == .waiting)
  }

  @Test
  func
    `a message is offered after a restart though its caller does not come back, and stays one when passed on`()
  {
    var world = World()
    world.open(1, .phone)
    world.given(message(1), .start)
    world.available(World.ann)
    world.asks(World.ann)
    world.given(.accept(world.offer(World.ann), World.ann))
    world.given(
      .transfer(World.case(1), by: World.ann, need: Need(queue: World.sales), case: World.case(2)))
    #expect(world.router.case(World.case(2))?.by.cause == .message)
    world.pass(seconds: 3_600)
    world.given(.tick)
    #expect(world.router.session(World.session(1)) == nil)
    #expect(world.router.case(World.case(2))?.state == .waiting)
  }

  @Test
  func `a message that its agent parked and left waits again, though its caller is long gone`() {
    var world = World()
    world.open(1, .phone)
    world.given(message(1), .endSession(World.session(1), .hungUp))
    world.available(World.ann)
    world.asks(World.ann)
    world.given(
      .accept(world.offer(World.ann), World.ann),
      .park(World.case(1), by: World.ann, until: world.now + .seconds(60)),
      .setStatus(World.ann, .offline, lease: nil))
    world.pass(seconds: 60)
    world.given(.tick)
    #expect(world.router.case(World.case(1))?.state == .waiting)
  }
}
