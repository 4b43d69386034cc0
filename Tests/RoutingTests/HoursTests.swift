import Model
import Testing

@testable import Routing

struct `Hours, caps and overflow` {
  static func at(_ world: World, _ from: Int64, _ until: Int64) -> RoutingConfiguration.OpenInterval
  {
    .init(from: world.now + .seconds(from), until: world.now + .seconds(until))
  }

  /// Support is open from 60 s to 120 s from now.
  func world(_ change: (inout RoutingConfiguration) -> Void = { _ in }) -> World {
    var world = World()
    var made = World.configuration
    made.queues[0].hours = [Self.at(world, 60, 120), Self.at(world, 300, 400)]
    change(&made)
    world.given(.configure(made))
    return world
  }

  @Test func `a queue that opens and closes between two ticks is closed, and waits for no turn`() {
    var world = world { $0.queues[0].hours = [Self.at(World(), 60, 120)] }
    world.pass(seconds: 200)
    world.when(.tick)  // after which its turns are held against what always holds
    world.then([], [])
  }

  @Test func `a closed queue's cases wait until it opens, and nobody is offered one`() {
    var world = world()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann)
    world.asks(World.ann, seconds: 200)
    #expect(world.router.case(World.case(1))?.state == .waiting)
    #expect(
      world.router.why(World.case(1))?.passedOver.counts[Int(PassedOverReason.queueClosed.rawValue)]
        == 1)
    world.pass(seconds: 59)
    world.given(.tick)
    #expect(world.router.case(World.case(1))?.state == .waiting)
    world.pass(seconds: 1)
    world.when(.tick)
    #expect(world.last.events.first == .queueOpened(World.support))
    #expect(world.router.case(World.case(1))?.state == .offered)
    world.given(.accept(world.offer(World.ann), World.ann))
    world.pass(seconds: 60)
    world.when(.tick)
    #expect(world.last.events.contains(.queueClosed(World.support)))
    #expect(world.router.case(World.case(1))?.agent == World.ann, "who has a case keeps it")
    #expect(
      world.router.nextDeadline.map { $0 <= world.now + .seconds(180) } ?? false,
      "and it opens again")
  }

  @Test func `what comes to a closed queue overflows, is refused, or waits, as it says`() {
    var world = world { $0.queues[0].whenClosed = .queue("sales") }
    world.open(1)
    world.route(1, Need(queue: World.support))
    #expect(world.router.case(World.case(1))?.need.queue == World.sales)
    world = self.world { $0.queues[0].whenClosed = .refuse }
    world.open(1)
    world.refused(world.routing(1, Need(queue: World.support)), .queueClosed)
    // Round in a circle: neither is open, so nobody takes it.
    world = self.world {
      $0.queues[0].whenClosed = .queue("sales")
      $0.queues[1].hours = []
      $0.queues[1].whenClosed = .queue("support")
    }
    world.open(1)
    world.refused(world.routing(1, Need(queue: World.support)), .queueClosed)
  }

  @Test func `when a queue closes, those that wait go on with their age, however many they are`() {
    var world = world {
      $0.queues[0].whenClosed = .queue("sales")
      $0.queues[0].hours = [Self.at(World(), 0, 60)]
    }
    var out = Decision()
    for n in 1...300 as ClosedRange<UInt64> {  // past the checks of `given`, which look at all of them each time
      let session = NewSession(id: World.session(n), channel: .chat, bot: World.bot)
      let opens = Command.openConversation(
        conversation: World.conversation(n), customer: World.customer(n), session: session)
      for command in [opens, world.routing(n, Need(queue: World.support))] {
        #expect(world.router.decide(command, at: world.now, into: &out) == nil)
      }
    }
    let age = world.router.case(World.case(1))?.age
    world.pass(seconds: 60)
    world.when(.tick)
    #expect(
      world.last.events.count(where: { if case .caseOverflowed = $0 { true } else { false } })
        == 256, "bounded")
    while let due = world.router.nextDeadline, due <= world.now + .milliseconds(10) {
      world.now = max(world.now, due)
      world.given(.tick)
    }
    #expect(world.router.statistics(World.support)?.waiting == 0)
    #expect(world.router.statistics(World.sales)?.waiting == 300)
    #expect(world.router.case(World.case(1))?.age == age)
  }

  @Test func `a case that was offered while its queue closed goes on when the offer ends`() {
    var world = world {
      $0.queues[0].whenClosed = .queue("sales")
      $0.queues[0].hours = [Self.at(World(), 0, 60)]
    }
    world.available(World.ann)
    world.asks(World.ann, seconds: 200)
    world.pass(seconds: 55)
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.pass(seconds: 5)
    world.when(.tick)
    #expect(world.last.events == [.queueClosed(World.support)])
    world.given(.decline(world.offer(World.ann), World.ann))
    #expect(world.router.case(World.case(1))?.state == .waiting)
    world.pass(seconds: 1)
    world.given(.tick)
    #expect(world.router.case(World.case(1))?.need.queue == World.sales)
  }

  /// The oldest stays, being offered to somebody; the case behind it left the queue and came back.
  @Test func `a case that wakes into a closed queue goes on once`() {
    var world = world {
      $0.queues[0].hours = [Self.at(World(), 0, 60)]
      $0.queues[0].whenClosed = .queue("sales")
    }
    world.given(.tick)
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.pass(seconds: 1)
    world.open(2)
    var toBob = Need(queue: World.support)
    toBob.excluded = [World.ann]
    world.route(2, toBob)
    world.available(World.bob)
    world.given(.openStream(World.bob, waiter: WaiterID(2)))
    world.given(.decline(world.offer(World.bob), World.bob))
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(2))
    world.given(.accept(world.offer(World.bob), World.bob))
    world.given(.park(World.case(2), by: World.bob, until: world.now + .seconds(60)))
    world.given(.setStatus(World.bob, .offline, lease: nil))
    world.pass(seconds: 58)
    world.available(World.ann)
    world.given(.openStream(World.ann, waiter: WaiterID(1)))
    #expect(world.router.offer(world.offer(World.ann))?.theCase == World.case(1))
    world.pass(seconds: 2)
    world.when(.tick)
    #expect(world.last.events.contains(.caseRequeued(World.case(2), .wokeWithoutAgent)))
    var moves = world.last.events
    while let due = world.router.nextDeadline, due <= world.now + .milliseconds(5) {
      world.now = due
      world.when(.tick)
      moves += world.last.events
    }
    let onward = moves.filter { if case .caseOverflowed = $0 { true } else { false } }
    #expect(onward == [.caseOverflowed(World.case(2), to: World.sales, .closed)])
  }

  @Test func `a full queue's overflow takes what comes, and where that is full too it is refused`()
  {
    var world = World()
    var made = World.configuration
    made.queues[0].waitingMax = 1
    made.queues[0].whenFull = .queue("sales")
    made.queues[1].waitingMax = 1
    world.given(.configure(made))
    for n in 1...3 { world.open(UInt64(n)) }
    world.route(1, Need(queue: World.support))
    world.route(2, Need(queue: World.support))
    #expect(world.router.case(World.case(2))?.need.queue == World.sales)
    world.refused(world.routing(3, Need(queue: World.support)), .queueFull)
  }

  @Test(arguments: [RouteReason.Cause.mail, .undelivered])
  func `a mail goes where a full queue sends it, and waits where that is full too`(
    _ cause: RouteReason.Cause
  ) {
    var world = World()
    var made = World.configuration
    made.queues[0].waitingMax = 1
    made.queues[0].whenFull = .queue("sales")
    made.queues[1].waitingMax = 1
    made.queues[1].whenFull = .refuse
    world.given(.configure(made))
    for n in 1...4 { world.open(UInt64(n), n == 4 ? .chat : .email) }
    for n in 1...3 {
      world.given(
        .route(
          conversation: World.conversation(UInt64(n)), session: World.session(UInt64(n)),
          case: World.case(UInt64(n)), need: Need(queue: World.support),
          by: RouteReason(cause: cause, ruleVersion: 1, rule: 0), epoch: nil))
    }
    #expect(world.router.statistics(World.support)?.waiting == 1)
    #expect(world.router.statistics(World.sales)?.waiting == 2)
    world.refused(world.routing(4, Need(queue: World.support)), .queueFull)
  }

  @Test func `a mail waits in a queue that nobody serves, and is never a bot's`() {
    var world = World()
    var made = World.configuration
    made.agents = []
    made.queues[0].waitMax = .seconds(60)
    made.queues[0].whenWaitedOut = .handBack
    world.given(.configure(made))
    world.open(1)
    world.refused(world.routing(1, Need(queue: World.support)), .queueUnserved)
    world.given(
      .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(2), channel: .email, bot: nil)))
    world.given(
      .route(
        conversation: World.conversation(1), session: World.session(2), case: World.case(1),
        need: Need(queue: World.support),
        by: RouteReason(cause: .mail, ruleVersion: 1, rule: 0), epoch: nil))
    world.pass(seconds: 61)
    world.when(.tick)
    #expect(world.router.case(World.case(1))?.state == .waiting)
  }

  @Test func `who has waited too long goes on to another queue, or back to the bot`() {
    var world = World()
    var made = World.configuration
    made.queues[0].waitMax = .seconds(40)
    made.queues[0].whenWaitedOut = .queue("sales")
    made.queues[1].waitMax = .seconds(20)
    made.queues[1].whenWaitedOut = .handBack
    world.given(.configure(made))
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.pass(seconds: 40)
    world.when(.tick)
    world.then(
      [
        .caseOverflowed(World.case(1), to: World.sales, .waitedOut),
        .ownerChanged(World.conversation(1), to: .queue(World.sales, World.case(1)), epoch: 3),
      ], [])
    world.pass(seconds: 19)
    world.given(.tick)
    #expect(world.router.case(World.case(1))?.state == .waiting)
    world.pass(seconds: 1)
    world.given(.tick)
    #expect(world.router.case(World.case(1)) == nil)
    #expect(world.router.conversation(World.conversation(1))?.owner == .bot(World.bot))
  }

  @Test(arguments: [Channel.chat, .phone])
  func `who has waited too long goes to a bot that joined them meanwhile, but never with a call`(
    _ channel: Channel
  ) {
    var world = World()
    var made = World.configuration
    made.queues[0].waitMax = .seconds(40)
    made.queues[0].whenWaitedOut = .handBack
    world.given(.configure(made))
    world.given(
      .openConversation(
        conversation: World.conversation(1), customer: World.customer(1),
        session: NewSession(id: World.session(1), channel: channel, bot: nil)))
    world.route(1, Need(queue: World.support))
    world.given(
      .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(2), channel: .chat, bot: World.bot)))
    world.pass(seconds: 40)
    world.given(.tick)
    let owner = world.router.conversation(World.conversation(1))?.owner
    #expect((owner == .bot(World.bot)) == (channel == .chat))
  }

  @Test func `who has waited too long goes on as far as the next queue takes them`() {
    var world = World()
    var made = World.configuration
    made.queues[0].waitMax = .seconds(40)
    made.queues[0].whenWaitedOut = .queue("sales")
    made.queues[1].waitingMax = 1
    world.given(.configure(made))
    for n in 1...3 as ClosedRange<UInt64> {
      world.open(n)
      world.route(n, Need(queue: World.support))
    }
    world.pass(seconds: 40)
    world.given(.tick)
    func waits() -> [Int?] {
      [World.support, World.sales].map { world.router.statistics($0)?.waiting }
    }
    #expect(waits() == [2, 1])
    #expect(world.router.nextDeadline.map { $0 > world.now } ?? false, "the tick is over")
    world.available(World.dan)
    world.asks(World.dan)
    #expect(waits() == [2, 0], "dan has it")
    world.pass(seconds: 1)
    world.given(.tick)
    #expect(waits() == [1, 1])
  }

  @Test(arguments: [true, false])
  func `no chat goes back to a bot while a mail of its customer's is there`(_ isGone: Bool) {
    var world = World()
    var made = World.configuration
    made.queues[0].waitMax = .seconds(40)
    made.queues[0].whenWaitedOut = .handBack
    world.given(.configure(made))
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.given(
      .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(2), channel: .email, bot: nil)))
    world.pass(seconds: 20)
    if isGone { world.given(.endSession(World.session(2), .parted)) }
    world.pass(seconds: 20)
    world.given(.tick)
    let owner = world.router.conversation(World.conversation(1))?.owner
    #expect((owner == .bot(World.bot)) == isGone)
  }

  @Test
  func `a bot that leaves the customer's word unanswered loses it, and the case has waited since`()
  {
    var world = World()
    var made = World.configuration
    made.limits.botSilenceMax = .seconds(30)
    made.limits.botSilenceQueue = "sales"
    world.given(.configure(made))
    world.open(1)
    func said(_ author: Author, _ n: UInt64) -> Command {
      .record(
        conversation: World.conversation(1), session: World.session(1), entry: World.entry(n),
        author: author,
        visibility: .customer, epoch: nil)
    }
    world.given(said(.customer, 1), said(.bot(World.bot), 2))
    world.pass(seconds: 60)
    world.given(.tick)
    #expect(
      world.router.conversation(World.conversation(1))?.owner == .bot(World.bot), "it answered")
    let asked = world.now
    world.given(said(.customer, 3))
    world.pass(seconds: 29)
    world.given(said(.customer, 4))  // asking again does not give the bot more time
    world.pass(seconds: 1)
    world.given(.tick)
    guard case .queue(World.sales, let id) = world.router.conversation(World.conversation(1))?.owner
    else {
      Issue.record("the queue should have it")
      return
    }
    #expect(world.router.case(id)?.age == asked)
    #expect(world.router.case(id)?.by.cause == .botSilent)
    world.refused(said(.bot(World.bot), 5), .notOwner)
  }

  enum Refusing: CaseIterable { case full, closed, unserved }

  @Test(arguments: Refusing.allCases)
  func `whoever a silent bot leaves waits, though the queue takes nobody else`(_ why: Refusing) {
    var world = World()
    var made = World.configuration
    made.limits.botSilenceMax = .seconds(30)
    made.limits.botSilenceQueue = "sales"
    switch why {
    case .full: made.queues[1].waitingMax = 0
    case .closed:
      made.queues[1].hours = []
      made.queues[1].whenClosed = .refuse
    case .unserved: for index in made.agents.indices { made.agents[index].queues = ["support"] }
    }
    world.given(.configure(made))
    world.open(1)
    world.open(2)
    let refusal = world.play(world.routing(2, Need(queue: World.sales)))
    #expect(
      refusal == [.queueFull, .queueClosed, .queueUnserved][Refusing.allCases.firstIndex(of: why)!])
    world.given(
      .record(
        conversation: World.conversation(1), session: World.session(1), entry: World.entry(1),
        author: .customer, visibility: .customer, epoch: nil))
    world.pass(seconds: 30)
    world.given(.tick)
    guard case .queue(World.sales, _) = world.router.conversation(World.conversation(1))?.owner
    else { return #expect(Bool(false), "it is with a bot that does not answer") }
    #expect(world.router.statistics(World.sales)?.waiting == 1)
  }
}
