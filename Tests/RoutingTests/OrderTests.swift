import Model
import Testing

@testable import Routing

struct `Order and choice` {
  @Test func `priority is worth waiting time, so that age always counts`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.pass(seconds: 59)
    world.open(2)
    var urgent = Need(queue: World.support)
    urgent.priority = 1
    world.route(2, urgent)
    world.pass(seconds: 2)
    world.open(3)
    world.route(3, urgent)
    // One point is 60 s: the second, 59 s younger, goes first; the third, 61 s younger, does not.
    world.available(World.ann)
    for expected in [2, 1, 3] as [UInt64] {
      world.asks(World.ann, 50 + expected)
      #expect(world.router.offer(world.offer(World.ann))?.theCase == World.case(expected))
      world.given(.accept(world.offer(World.ann), World.ann))
    }
  }

  /// Cases of priority 5 come every second for ever, and one agent serves one in two seconds, so
  /// that ever more of them wait. One of priority 0 is still served, behind those alone that came
  /// less than 5 × 60 s after it.
  @Test
  func
    `under a permanent flood of high priority a case of low priority waits no longer than the bound says`()
  {
    var world = World()
    var urgent = Need(queue: World.support)
    urgent.priority = 5
    var came: [CaseID: Int64] = [:]
    var served: [CaseID] = []
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann)
    for second in 1...2_000 as ClosedRange<Int64> {
      let number = UInt64(second) + 1
      world.router.flood(number, urgent, at: &world.now)
      came[World.case(number)] = second
      guard second.isMultiple(of: 2) else { continue }
      let offered = world.router.serve(World.ann, at: world.now)
      served.append(offered)
      if offered == World.case(1) { break }
    }
    #expect(served.last == World.case(1), "it starves")
    #expect(served.dropLast().allSatisfy { came[$0].map { $0 < 300 } ?? false })
    #expect(served.count == 300, "behind all of those, and no more")
  }

  @Test func `where priority is strict no age outweighs it`() {
    var configuration = World.configuration
    configuration.queues[0].prioritySeconds = 0
    var world = World(configuration)
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.pass(seconds: 10_000_000)
    world.open(2)
    var urgent = Need(queue: World.support)
    urgent.priority = 1
    world.route(2, urgent)
    world.available(World.ann)
    world.asks(World.ann)
    #expect(world.router.offer(world.offer(World.ann))?.theCase == World.case(2))
  }

  @Test func `by deadline the case goes first whose service level ends first, less its priority`() {
    var configuration = World.configuration
    configuration.queues[0].order = .deadline
    configuration.queues[0].serviceLevel = .seconds(300)
    var world = World(configuration)
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.pass(seconds: 60)
    var hasty = Need(queue: World.support)
    hasty.serviceLevel = .seconds(120)
    world.open(2)
    world.route(2, hasty)
    world.pass(seconds: 10)
    var urgent = Need(queue: World.support)
    urgent.priority = 2
    world.open(3)
    world.route(3, urgent)
    // Ends of service levels, from the first case on: 300, 180, and 370 less two points of 60 s.
    world.available(World.ann)
    for expected in [2, 3, 1] as [UInt64] {
      world.asks(World.ann, 50 + expected)
      #expect(world.router.offer(world.offer(World.ann))?.theCase == World.case(expected))
      world.given(.accept(world.offer(World.ann), World.ann))
    }
  }

  @Test func `weights fill an agent up, and of a channel no more comes than its most`() {
    var configuration = World.configuration
    configuration.limits.weight = .init(chat: 2, email: 1, phone: 3)
    configuration.agents[0].capacity = 6
    configuration.agents[0].channelMax = .init(chat: 9, email: 2, phone: 1)
    var world = World(configuration)
    func comes(_ number: UInt64, _ channel: Channel, weighs weight: UInt16? = nil) -> String {
      world.open(number, channel)
      var need = Need(queue: World.support)
      need.weight = weight
      world.route(number, need)
      guard world.router.case(World.case(number))?.state == .offered else { return "waits" }
      world.given(.accept(world.offer(World.ann), World.ann))
      return "\(world.router.agent(World.ann)?.capacityUsed ?? 0) of 6"
    }
    world.available(World.ann)
    world.given(.openStream(World.ann, waiter: WaiterID(1)))
    #expect(comes(1, .email) == "1 of 6")
    #expect(comes(2, .email) == "2 of 6")
    #expect(comes(3, .email) == "waits", "the most of mail, though there is room")
    #expect(comes(4, .chat) == "4 of 6")
    #expect(comes(5, .chat, weighs: 3) == "waits", "its need weighs more than is left")
    #expect(comes(6, .chat) == "6 of 6")
    #expect(comes(7, .chat) == "waits")
    world.given(.park(World.case(6), by: World.ann, until: world.now + .seconds(60)))
    #expect(world.router.case(World.case(7))?.state == .offered, "what is parked takes no room")
  }

  /// Two queues with cases enough, and the cases that one agent who serves both is given, as s and
  /// l.
  private func taken(
    _ count: Int, _ change: (inout [RoutingConfiguration.Queue]) -> Void,
    _ fill: (inout World) -> Void
  )
    -> String
  {
    var configuration = World.configuration
    change(&configuration.queues)
    configuration.agents[1].capacity = 1_000
    configuration.agents[1].channelMax.chat = 1_000
    var world = World(configuration)
    fill(&world)
    world.available(World.bob)
    return (0..<count).map { number in
      world.asks(World.bob, 500 + UInt64(number))
      let queue = world.router.case(
        world.router.offer(world.offer(World.bob))?.theCase ?? World.case(0))?.need.queue
      world.given(.accept(world.offer(World.bob), World.bob))
      world.pass(seconds: 1)
      return queue == World.support ? "s" : "l"
    }.joined()
  }

  @Test func `queues with weights share the agents who serve them, whoever came first`() {
    let shares: (inout [RoutingConfiguration.Queue]) -> Void = {
      $0[0].share = 3
      $0[1].share = 1
    }
    func fill(_ world: inout World) {
      for number in 1...12 {  // all of sales came before any of support
        world.open(UInt64(number))
        world.route(UInt64(number), Need(queue: number <= 6 ? World.sales : World.support))
        world.pass(seconds: 10)
      }
    }
    #expect(taken(8, { _ in }, fill) == "llllllss", "without weights by age")
    #expect(taken(8, shares, fill) == "lsss" + "lsss")
  }

  @Test func `a queue that had nothing to give saves nothing up`() {
    var configuration = World.configuration
    configuration.queues[0].share = 1
    configuration.queues[1].share = 1
    configuration.agents[1].capacity = 100
    configuration.agents[1].channelMax.chat = 100
    var world = World(configuration)
    world.available(World.bob)
    var order = ""
    for number in 1...20 as ClosedRange<UInt64> {
      world.open(number)
      world.route(number, Need(queue: World.support))
    }
    func take(_ world: inout World) {
      world.asks(World.bob)
      let offered = world.router.offer(world.offer(World.bob))?.theCase ?? World.case(0)
      order += world.router.case(offered)?.need.queue == World.support ? "s" : "l"
      world.given(.accept(world.offer(World.bob), World.bob))
    }
    for _ in 1...10 { take(&world) }  // nobody else wants anything
    for number in 21...30 as ClosedRange<UInt64> {
      world.open(number)
      world.route(number, Need(queue: World.sales))
    }
    for _ in 1...6 { take(&world) }
    #expect(order == "ssssssssss" + "lslsls", "sales is not ten ahead")
  }

  @Test
  func
    `a case that comes back gives its queue's turn back, and why it waits names the queue before it`()
  {
    var configuration = World.configuration
    configuration.queues[0].share = 1
    configuration.queues[1].share = 1
    var world = World(configuration)
    for number in 1...2 as ClosedRange<UInt64> {
      world.open(number)
      world.route(number, Need(queue: number == 1 ? World.support : World.sales))
    }
    world.available(World.bob)
    world.asks(World.bob)
    #expect(
      world.router.offer(world.offer(World.bob))?.theCase == World.case(1),
      "of equal turns the elder")
    #expect(world.router.why(World.case(2))?.queuesBefore == [])
    let before = world.router.turn(of: 0)
    world.given(.decline(world.offer(World.bob), World.bob))
    #expect(world.router.turn(of: 0) < before)
    let why = world.router.why(World.case(2))
    #expect(why?.between == .shares)
    #expect(why?.queuesBefore == [World.support], "the same turn, and the elder again")
  }

  @Test(arguments: [true, false]) func `a queue goes before while it is open`(isOpen: Bool) {
    var configuration = World.configuration
    configuration.queues[1].slopePermille = 4_000
    if !isOpen { configuration.queues[0].hours = [] }
    var world = World(configuration)
    for n in 1...2 as ClosedRange<UInt64> {
      world.open(n)
      world.route(n, Need(queue: n == 1 ? World.support : World.sales))
      world.pass(seconds: n == 1 ? 90 : 1)
    }
    let before = world.router.why(World.case(2), at: world.now)?.queuesBefore
    #expect(before == (isOpen ? [World.support] : []))
  }

  // MARK: Steps

  /// A case of the need came; before it, where another is to, one that asks for nothing.
  private func stepping(_ need: Need, after another: Bool = false) -> World {
    var world = World()
    if another {
      world.open(2)
      world.route(2, Need(queue: World.support))
      world.pass(seconds: 5)
    }
    world.open(1)
    world.route(1, need)
    return world
  }

  @Test func `a step that raises the priority puts the case before those that came sooner`() {
    for points in [0, 1] as [Int16] {
      var need = Need(queue: World.support)
      need.steps = [.init(after: .seconds(10), change: .raisePriority(by: points))]
      var world = stepping(need, after: true)
      world.pass(seconds: 9)
      world.given(.tick)
      #expect(world.router.case(World.case(1))?.need.priority == 0)
      world.pass(seconds: 1)
      world.when(.tick)
      world.then([.stepTaken(World.case(1), index: 0)], [])
      #expect(world.router.case(World.case(1))?.need.priority == points)
      world.available(World.ann)
      world.asks(World.ann)
      let offered = world.router.offer(world.offer(World.ann))?.theCase
      #expect(offered == World.case(points == 0 ? 2 : 1))
    }
  }

  @Test func `a step that lowers a skill lets those take the case who have it at that level`() {
    // Ann speaks German at level 8.
    for level in [9, 8] as [UInt8] {
      var need = Need(queue: World.support)
      need.skills = [.init(skill: World.german, level: 10, required: true)]
      need.steps = [.init(after: .seconds(10), change: .lowerSkill(World.german, level: level))]
      var world = stepping(need)
      world.available(World.ann)
      world.asks(World.ann)
      #expect(world.router.case(World.case(1))?.state == .waiting)
      world.pass(seconds: 10)
      world.given(.tick)
      #expect(world.router.case(World.case(1))?.need.skills.first?.level == level)
      #expect(world.router.case(World.case(1))?.state == (level == 8 ? .offered : .waiting))
    }
    var need = Need(queue: World.support)
    need.skills = [.init(skill: World.german, level: 9, required: true)]
    need.steps = [.init(after: .seconds(10), change: .lowerSkill(World.german, level: 10))]
    var world = stepping(need)
    world.pass(seconds: 10)
    world.given(.tick)
    #expect(world.router.case(World.case(1))?.need.skills.first?.level == 9, "never raised")
  }

  @Test func `a step that changes the queue has those asked who serve the other, with its age`() {
    var need = Need(queue: World.support)
    need.steps = [.init(after: .seconds(10), change: .changeQueue(World.sales))]
    var world = stepping(need)
    let age = world.router.case(World.case(1))?.age
    world.available(World.cat)
    world.asks(World.cat)
    #expect(world.router.case(World.case(1))?.state == .waiting, "cat serves sales alone")
    world.pass(seconds: 10)
    world.when(.tick)
    #expect(
      world.last.events.prefix(2) == [
        .stepTaken(World.case(1), index: 0),
        .ownerChanged(World.conversation(1), to: .queue(World.sales, World.case(1)), epoch: 3),
      ])
    #expect(world.router.offer(world.offer(World.cat))?.theCase == World.case(1))
    #expect(world.router.case(World.case(1))?.age == age)
    let waiting = [World.support, World.sales].map { world.router.statistics($0) }
    #expect(waiting.map { $0?.waiting } == [0, 0] && waiting.map { $0?.offered } == [0, 1])
  }

  @Test func `what a strict queue puts first goes before the turns of all`() {
    let order = taken(
      3,
      {
        $0[0].share = 9
        $0[1].share = 1
        $0[1].prioritySeconds = 0
      }
    ) { world in
      for number in 1...6 as ClosedRange<UInt64> {
        world.open(number)
        var need = Need(queue: number <= 3 ? World.support : World.sales)
        if number >= 5 { need.priority = 1 }
        world.route(number, need)
      }
    }
    #expect(order == "lls")
  }

  @Test
  func
    `waiting counts with the slope of its queue, so that two cases change places while they wait`()
  {
    func first(after seconds: Int64) -> CaseID? {
      var configuration = World.configuration
      configuration.queues[1].slopePermille = 4_000
      var world = World(configuration)
      world.open(1)
      world.route(1, Need(queue: World.support))
      world.pass(seconds: 90)
      world.open(2)
      world.route(2, Need(queue: World.sales))
      world.pass(seconds: seconds)
      world.available(World.bob)
      world.asks(World.bob)
      return world.router.offer(world.offer(World.bob))?.theCase
    }
    var waits = World()
    var configuration = World.configuration
    configuration.queues[1].slopePermille = 4_000
    waits.given(.configure(configuration))
    for n in 1...2 as ClosedRange<UInt64> {
      waits.open(n)
      waits.route(n, Need(queue: n == 1 ? World.support : World.sales))
      waits.pass(seconds: n == 1 ? 90 : 29)
    }
    for (seconds, before) in [(0, [World.support]), (2, [])] as [(Int64, [QueueID])] {
      let why = waits.router.why(World.case(2), at: waits.now + .seconds(seconds))
      #expect(why?.waited == .seconds(29 + seconds), "though nothing happens meanwhile")
      #expect(why?.queuesBefore == before)
    }
    #expect(first(after: 29) == World.case(1), "119 s count more than 4 × 29")
    #expect(first(after: 31) == World.case(2), "121 s count less than 4 × 31")
  }

  @Test(arguments: [RoutingConfiguration.Order.age, .deadline])
  func `a slope turns nothing round while what is waited from lies ahead`(
    _ order: RoutingConfiguration.Order
  ) {
    var configuration = World.configuration
    configuration.queues[1].slopePermille = 100_000
    for index in 0...1 { configuration.queues[index].order = order }
    configuration.queues[0].serviceLevel = .seconds(300)
    configuration.queues[1].serviceLevel = .seconds(120)
    var world = World(configuration)
    for n in 1...2 as ClosedRange<UInt64> {
      world.open(n)
      var need = Need(queue: n == 1 ? World.support : World.sales)
      need.priority = order == .age ? n == 1 ? -9 : -5 : 0
      world.route(n, need)
    }
    world.pass(seconds: 10)
    world.available(World.bob)
    world.asks(World.bob)
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(2))
  }

  @Test func `the preferred agent has it alone for a while, then the queue`() {
    var world = World()
    world.available(World.ann, World.bob)
    world.given(.openStream(World.bob, waiter: WaiterID(1)))
    world.open(1)
    var need = Need(queue: World.support)
    need.preferred = .init(agent: World.ann, for: .seconds(30))
    world.route(1, need)
    #expect(world.router.case(World.case(1))?.state == .waiting)
    #expect(
      world.router.why(World.case(1))?.passedOver.counts[
        Int(PassedOverReason.notPreferredYet.rawValue)] == 1)
    world.pass(seconds: 30)
    world.when(.tick)
    #expect(world.last.events.first == .preferenceEnded(World.case(1)))
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(1))
  }

  @Test func `a preferred agent who is away is not waited for, nor one who goes`() {
    var world = World()
    world.available(World.bob)
    world.given(.openStream(World.bob, waiter: WaiterID(1)))
    world.open(1)
    var need = Need(queue: World.support)
    need.preferred = .init(agent: World.ann, for: .seconds(30))
    world.when(world.routing(1, need))
    #expect(world.last.events.contains(.preferenceEnded(World.case(1))))
    #expect(world.router.case(World.case(1))?.state == .offered)
    world.given(.accept(world.offer(World.bob), World.bob))
    world.available(World.ann)
    world.open(2)
    world.route(2, need)
    #expect(world.router.case(World.case(2))?.state == .waiting)
    world.given(.setStatus(World.ann, .offline, lease: nil))
    #expect(world.router.case(World.case(2))?.state == .offered)
  }

  @Test(arguments: [AgentStatus.onBreak, .meeting, .training, World.lunch, World.gone])
  func
    `a preferred agent who is there but takes nothing is not waited for, nor one who stops taking anything`(
      _ status: AgentStatus
    )
  {
    var world = World(World.withStatuses)
    world.available(World.ann, World.bob)
    world.given(
      .setStatus(World.ann, status, lease: nil), .openStream(World.bob, waiter: WaiterID(1)))
    var need = Need(queue: World.support)
    need.preferred = .init(agent: World.ann, for: .seconds(30))
    world.open(1)
    world.when(world.routing(1, need))
    #expect(world.last.events.contains(.preferenceEnded(World.case(1))))
    #expect(world.router.case(World.case(1))?.state == .offered)
    world.given(
      .accept(world.offer(World.bob), World.bob), .setStatus(World.ann, .available, lease: nil))
    world.open(2)
    world.route(2, need)
    #expect(world.router.case(World.case(2))?.state == .waiting)
    world.given(.setStatus(World.ann, status, lease: nil))
    #expect(world.router.case(World.case(2))?.state == .offered)
  }

  @Test func `an agent with a free device and no desk is ready for calls alone`() {
    var world = World()
    world.available(World.ann)
    func readyFor(_ queue: QueueID) -> RoutingConfiguration.PerChannel<Int>? {
      world.router.statistics(queue)?.agents.readyFor
    }
    #expect(readyFor(World.support) == .init(chat: 0, email: 0, phone: 1))
    #expect(world.router.readyForWhatIsThere() == [1, 0], "nothing is there yet: a call may come")
    world.open(1)
    world.route(1, Need(queue: World.support))
    #expect(world.router.readyForWhatIsThere() == [0, 0], "nobody could be offered the chat")
    world.open(2, .phone)
    var french = Need(queue: World.support)
    french.skills = [.init(skill: World.french, level: 1, required: true)]
    world.route(2, french)
    #expect(world.router.readyForWhatIsThere() == [1, 0])
    var other = Need(queue: World.support)
    other.excluded = [World.ann]
    world.open(3)
    world.route(3, other)
    world.given(
      .endSession(World.session(1), .customerLeft), .openStream(World.ann, waiter: WaiterID(1)))
    #expect(readyFor(World.support) == .init(chat: 1, email: 1, phone: 1))
    #expect(readyFor(World.sales) == .init(chat: 0, email: 0, phone: 0))
  }

  @Test(arguments: [AgentStatus.busy, World.coaching])
  func `a preferred agent who is busy is waited for`(_ status: AgentStatus) {
    var world = World(World.withStatuses)
    world.available(World.ann, World.bob)
    world.given(
      .setStatus(World.ann, status, lease: nil), .openStream(World.bob, waiter: WaiterID(1)))
    var need = Need(queue: World.support)
    need.preferred = .init(agent: World.ann, for: .seconds(30))
    world.open(1)
    world.route(1, need)
    #expect(world.router.case(World.case(1))?.state == .waiting)
  }

  @Test func `a preferred agent who misses an offer is no longer waited for by the other cases`() {
    var world = World()
    world.available(World.ann, World.bob)
    world.given(
      .openStream(World.ann, waiter: WaiterID(1)), .openStream(World.bob, waiter: WaiterID(2)))
    var need = Need(queue: World.support)
    need.preferred = .init(agent: World.ann, for: .seconds(600))
    for number in 1...2 {
      world.open(UInt64(number))
      world.route(UInt64(number), need)
    }
    #expect(world.router.offer(world.offer(World.ann))?.theCase == World.case(1))
    #expect(world.router.case(World.case(2))?.state == .waiting)
    world.pass(seconds: 60)
    world.when(.tick)
    #expect(world.router.agent(World.ann)?.isNotResponding == true)
    #expect(world.router.case(World.case(2))?.preferenceUntil == nil)
  }

  @Test func `a preferred agent whom new rules keep from a case is no longer waited for`() {
    var world = World()
    world.available(World.ann, World.bob)
    world.given(.openStream(World.bob, waiter: WaiterID(1)))
    world.open(1)
    var need = Need(queue: World.support)
    need.skills = [.init(skill: World.german, level: 3, required: true)]
    need.preferred = .init(agent: World.ann, for: .seconds(600))
    world.route(1, need)
    #expect(world.router.case(World.case(1))?.state == .waiting, "ann has no connection yet")
    var forgetful = World.configuration
    forgetful.agents[0].skills = []
    world.when(.configure(forgetful))
    #expect(world.last.events.contains(.preferenceEnded(World.case(1))))
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(1))
  }

  @Test func `an open offer ends when new rules keep its agent from it, and nobody is punished`() {
    for change in 0..<3 {
      var world = World(World.withStatuses)
      world.available(World.ann)
      world.given(.openStream(World.ann, waiter: WaiterID(1)))
      world.open(1)
      var need = Need(queue: World.support)
      need.skills = [.init(skill: World.german, level: 3, required: true)]
      world.route(1, need)
      #expect(world.router.case(World.case(1))?.state == .offered)
      var changed = World.withStatuses
      switch change {
      case 0: changed.agents[0].skills = []
      case 1: changed.agents[0].queues = ["sales"]
      default: changed.agents[0].skills[0].level = 1
      }
      world.when(.configure(changed))
      #expect(world.router.case(World.case(1))?.state == .waiting, "\(change)")
      #expect(world.router.agent(World.ann)?.isNotResponding == false)
    }
  }

  @Test func `who is no longer available by what their status means loses the offer unpunished`() {
    var world = World(World.withStatuses)
    var friendly = World.withStatuses
    friendly.statuses[1].counts = .available  // lunch
    world.given(.configure(friendly))
    world.given(.setStatus(World.ann, World.lunch, lease: nil))
    world.given(.openStream(World.ann, waiter: WaiterID(1)))
    world.open(1)
    world.route(1, Need(queue: World.support))
    #expect(world.router.case(World.case(1))?.state == .offered)
    world.when(.configure(World.withStatuses))
    #expect(world.router.case(World.case(1))?.state == .waiting)
    #expect(world.router.agent(World.ann)?.isNotResponding == false)
  }

  @Test func `whoever learns what a case needs is offered it at once`() {
    var world = World()
    world.available(World.bob)
    world.given(.openStream(World.bob, waiter: WaiterID(1)))
    var need = Need(queue: World.support)
    need.skills = [.init(skill: World.french, level: 5, required: true)]
    // Of the first and rare kind, and of a kind that many share.
    for number in 1...4 {
      world.open(UInt64(number))
      world.route(UInt64(number), need)
    }
    #expect(world.router.case(World.case(1))?.state == .waiting)
    var learned = World.configuration
    learned.agents[1].skills.append(.init("french", level: 5))
    world.when(.configure(learned))
    #expect(world.router.offer(world.offer(World.bob))?.theCase == World.case(1))
  }

  @Test func `steps lower, widen and tell the customer as time passes`() {
    var world = World()
    world.available(World.ann, World.cat)
    world.given(
      .openStream(World.ann, waiter: WaiterID(1)), .openStream(World.cat, waiter: WaiterID(2)))
    world.open(1)
    var need = Need(queue: World.support)
    need.skills = [.init(skill: World.french, level: 5, required: true)]
    need.steps = [
      .init(after: .seconds(20), change: .widen([World.sales])),
      .init(after: .seconds(10), change: .message(7)),
    ]
    world.route(1, need)
    world.pass(seconds: 10)
    world.when(.tick)
    world.then(
      [.stepTaken(World.case(1), index: 0)],
      [.messageCustomer(World.conversation(1), World.session(1), ruleVersion: 1, text: 7)])
    world.pass(seconds: 10)
    world.when(.tick)
    #expect(world.router.offer(world.offer(World.cat))?.theCase == World.case(1))
  }

  /// Agents a to d of one queue, each at a stream and with so many cases of `taken` accepted, in the
  /// order of the names; whoever is offered what comes next.
  private func chosen(
    _ strategy: [RoutingConfiguration.Strategy], levels: [UInt8] = [5, 5, 5, 5],
    capacities: [UInt16] = [9, 9, 9, 9], taken: [Int] = [1, 1, 1, 1],
    _ before: (inout World) -> Void = { _ in }, preferred: Bool = false
  ) -> String? {
    var queue = RoutingConfiguration.Queue(name: "q")
    queue.strategy = strategy
    let agents = ["a", "b", "c", "d"].enumerated().map { place, name in
      var made = RoutingConfiguration.Agent(
        name: name, skills: [.init("s", level: levels[place])], queues: ["q"])
      made.capacity = capacities[place]
      made.channelMax.chat = 9
      return made
    }
    var world = World(
      RoutingConfiguration(
        version: 1, skills: ["s"], bots: ["bot"], queues: [queue], agents: agents))
    var number: UInt64 = 100
    for index in 0..<4 {
      let agent = AgentID(UInt32(index))
      for _ in 0..<taken[index] {
        number += 1
        world.assigned(number, to: agent, queue: QueueID(0))
      }
    }
    for index in 0..<4 as Range<UInt32> {
      world.available(AgentID(index))
      world.given(.openStream(AgentID(index), waiter: WaiterID(UInt64(index))))
    }
    before(&world)
    var need = Need(queue: QueueID(0))
    need.skills = [.init(skill: SkillID(0), level: preferred ? 8 : 1, required: !preferred)]
    world.open(9)
    world.when(world.routing(9, need))
    return world.router.case(World.case(9))?.offers.first.flatMap {
      world.router.offer($0).flatMap { world.router.name($0.agent) }
    }
  }

  @Test func `round robin asks who was asked longest ago, and not who is idle longest`() {
    // B declined what was offered last of all, which leaves idle as long as before.
    let before: (inout World) -> Void = { world in
      world.given(.chooseChannels(AgentID(0), []))
      world.open(8)
      world.route(8, Need(queue: QueueID(0)))
      world.given(.decline(world.offer(AgentID(1)), AgentID(1)))
      world.given(.accept(world.offer(AgentID(2)), AgentID(2)))
      world.given(.chooseChannels(AgentID(0), Channel.allCases))
    }
    #expect(chosen([.roundRobin], before) == "a")
    #expect(chosen([.longestIdle], before) == "a")
    let aToo: (inout World) -> Void = { world in
      world.open(8)
      world.route(8, Need(queue: QueueID(0)))
      for index in [0, 1] as [UInt32] {
        world.given(.decline(world.offer(AgentID(index)), AgentID(index)))
      }
      world.given(.accept(world.offer(AgentID(2)), AgentID(2)))
    }
    #expect(chosen([.roundRobin], aToo) == "d")
    #expect(chosen([.longestIdle], aToo) == "a")
  }

  @Test func `fewest today counts what was accepted in the day, which begins anew`() {
    #expect(chosen([.fewestToday], taken: [2, 3, 1, 2]) == "c")
    let nextDay: (inout World) -> Void = { world in
      world.pass(seconds: 86_400)
      world.given(.tick)
      for index in 0..<4 as Range<UInt32> { world.given(.renewPresence(AgentID(index))) }
      world.open(8)
      world.route(8, Need(queue: QueueID(0)))
      world.given(.accept(world.offer(AgentID(0)), AgentID(0)))
    }
    #expect(
      chosen([.fewestToday], taken: [1, 3, 1, 2], nextDay) == "b", "idle longest of who have none")
  }

  @Test func `in a chain each strategy breaks the ties of the one before`() {
    let levels: [UInt8] = [5, 9, 9, 9]
    #expect(
      chosen([.mostSkilled], levels: levels) == "b", "the longest idle is last in every chain")
    #expect(
      chosen([.mostSkilled, .leastOccupied], levels: levels, capacities: [99, 9, 9, 19]) == "d")
    #expect(
      chosen(
        [.leastOccupied, .mostSkilled], levels: [5, 6, 7, 9], capacities: [19, 19, 19, 9]) == "c")
    #expect(
      chosen([.mostSkilled, .fewestToday, .leastOccupied], levels: levels, taken: [1, 2, 1, 1])
        == "c")
  }

  @Test func `who has more of the preferred skills goes before every strategy`() {
    let levels: [UInt8] = [5, 7, 8, 9]
    #expect(chosen([.longestIdle], levels: levels, preferred: true) == "c")
    #expect(chosen([.leastSkilled], levels: levels, preferred: true) == "c")
    #expect(chosen([.mostSkilled], levels: levels, preferred: true) == "d")
    #expect(chosen([.longestIdle], levels: [5, 7, 7, 7], preferred: true) == "a", "nobody has it")
  }

  @Test(arguments: [
    (RoutingConfiguration.Strategy.longestIdle, "a"), (.mostSkilled, "b"), (.leastSkilled, "c"),
    (.leastOccupied, "d"),
  ])
  func `each strategy chooses its agent`(strategy: RoutingConfiguration.Strategy, expected: String)
  {
    var queue = RoutingConfiguration.Queue(name: "q")
    queue.strategy = [strategy]
    func agent(_ name: String, _ level: UInt8, _ capacity: UInt16) -> RoutingConfiguration.Agent {
      var made = RoutingConfiguration.Agent(
        name: name, skills: [.init("s", level: level)], queues: ["q"])
      made.capacity = capacity
      return made
    }
    var world = World(
      RoutingConfiguration(
        version: 1, skills: ["s"], bots: ["bot"], queues: [queue],
        agents: [agent("a", 5, 4), agent("b", 9, 4), agent("c", 2, 4), agent("d", 5, 9)]))
    var need = Need(queue: QueueID(0))
    // Everyone gets one first, so that shares of capacity differ: 1/4, 1/4, 1/4 and 1/9.
    for n in 0..<4 as Range<UInt64> {
      world.open(n)
      world.route(n, need)
      world.available(AgentID(UInt32(n)))
      world.asks(AgentID(UInt32(n)), n)
      world.given(.accept(world.offer(AgentID(UInt32(n))), AgentID(UInt32(n))))
    }
    for n in 0..<4 as Range<UInt64> {
      world.given(.openStream(AgentID(UInt32(n)), waiter: WaiterID(n)))
    }
    need.skills = [.init(skill: SkillID(0), level: 1, required: true)]
    world.open(9)
    world.when(world.routing(9, need))
    let chosen = world.router.case(World.case(9))?.offers.first.flatMap {
      world.router.offer($0)?.agent
    }
    #expect(chosen.flatMap { world.router.name($0) } == expected)
  }

  @Test func `a need nobody could meet, or that breaks a bound, is refused`() {
    var configuration = World.configuration
    configuration.queues.append(.init(name: "lonely"))
    configuration.queues[0].waitingMax = 1
    var world = World(configuration)
    world.open(1)
    world.refused(world.routing(1, Need(queue: QueueID(2))), .queueUnserved)
    world.refused(world.routing(1, Need(queue: QueueID(9))), .unknownQueue)
    var need = Need(queue: World.support)
    need.skills = [.init(skill: SkillID(77), level: 1, required: true)]
    world.refused(world.routing(1, need), .notAllowed)
    need.skills = []
    need.steps = Array(repeating: .init(after: .zero, change: .message(1)), count: 33)
    world.refused(world.routing(1, need), .needTooLarge)
    world.route(1, Need(queue: World.support))
    world.open(2)
    world.refused(world.routing(2, Need(queue: World.support)), .queueFull)
  }

  @Test func `of a team who could take a case and is idle the longest is asked`() {
    var configuration = World.configuration
    configuration.teams = ["lamps", "desks"]
    for index in configuration.agents.indices { configuration.agents[index].teams = ["lamps"] }
    configuration.agents[2].teams = ["desks"]
    var world = World(configuration)
    var need = Need(queue: World.sales)
    func asked(_ channel: Channel = .chat) -> AgentID? {
      world.router.longestIdle(ofTeam: TeamID(0), for: need, on: channel)
    }
    #expect(asked() == nil, "nobody is there")
    for agent in [World.cat, World.ann, World.bob, World.dan] {
      world.pass(seconds: 1)
      world.available(agent)
    }
    #expect(asked() == World.bob, "cat is of another team, ann serves another queue")
    world.given(.chooseChannels(World.bob, [.email]))
    #expect(asked() == World.dan && asked(.email) == World.bob)
    need.excluded = [World.dan]
    #expect(asked() == nil)
  }
}

extension Router {
  /// A second later another chat of this need waits.
  fileprivate mutating func flood(_ number: UInt64, _ need: Need, at now: inout Instant) {
    now = now + .seconds(1)
    var out = Decision()
    let session = NewSession(id: World.session(number), channel: .chat, bot: World.bot)
    let open = Command.openConversation(
      conversation: World.conversation(number), customer: World.customer(number), session: session)
    let route = Command.route(
      conversation: World.conversation(number), session: World.session(number),
      case: World.case(number), need: need,
      by: World.by, epoch: nil)
    for command in [open, route, .tick] { #expect(decide(command, at: now, into: &out) == nil) }
  }

  /// The agent asks, takes what is offered, and is done with it at once.
  fileprivate mutating func serve(_ agent: AgentID, at now: Instant) -> CaseID {
    var out = Decision()
    _ = decide(.setStatus(agent, .available, lease: nil), at: now, into: &out)
    _ = decide(.next(agent, waiter: WaiterID(1), until: now + .seconds(1)), at: now, into: &out)
    guard let offer = self.agent(agent)?.offer, let id = self.offer(offer)?.theCase else {
      return World.case(0)
    }
    _ = decide(.accept(offer, agent), at: now, into: &out)
    _ = decide(.close(id, by: agent), at: now, into: &out)
    return id
  }
}
