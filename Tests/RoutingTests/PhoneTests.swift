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
    #expect(world.last.events.prefix(2) == [
      .caseClosed(World.case(1), .wrapUpOver), .conversationClosed(World.conversation(1), lastAgent: World.ann),
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

  @Test func `a restart gives a waiting caller a grace to come back to their place`() {
    var world = World()
    world.open(1, .phone)
    world.open(2, .phone)
    world.route(1, Need(queue: World.support))
    world.route(2, Need(queue: World.support))
    let age = world.router.case(World.case(1))?.age
    world.given(.start)
    world.available(World.ann)
    #expect(world.router.case(World.case(1))?.state == .waiting, "nobody is rung for a caller who may be gone")
    world.pass(seconds: 10)
    world.when(
      .joinSession(
        conversation: World.conversation(1), session: NewSession(id: World.session(1), channel: .phone, bot: nil)))
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
    world.then([.started, .offerEnded(offer, .failed(.connectionClosed))], [])
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
}
