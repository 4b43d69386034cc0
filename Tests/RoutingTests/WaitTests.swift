import Model
import Testing

@testable import Routing

struct `How long whoever comes will wait` {
  /// What it is expected to be, and the two bounds, in seconds as they are shown.
  private func told(_ estimate: WaitEstimate?) -> [Int64]? {
    guard case .about(let expected, let from, let to)? = estimate else { return nil }
    return [
      (expected.milliseconds + 500) / 1_000, from.milliseconds / 1_000,
      (to.milliseconds + 999) / 1_000,
    ]
  }

  private func newcomer(_ world: World, _ queue: QueueID = World.support) -> WaitEstimate {
    world.router.estimatedWait(
      in: queue, ready: world.router.readyForWhatIsThere()[Int(queue.raw)], at: world.now)
  }

  /// Chats of these numbers come; ann is there and has room for one.
  private func line(_ numbers: ClosedRange<UInt64>) -> World {
    var configuration = World.configuration
    configuration.agents[0].capacity = 1
    var world = World(configuration)
    world.available(World.ann)
    for number in numbers {
      world.open(number)
      world.route(number, Need(queue: World.support))
    }
    return world
  }

  /// After so many seconds ann takes the next, and has done with it at once.
  private func turn(_ number: UInt64, after seconds: Int64, _ world: inout World) {
    world.pass(seconds: seconds)
    world.available(World.ann)
    world.asks(World.ann, 1_000 + number)
    world.given(.accept(world.offer(World.ann), World.ann))
    world.given(.close(World.case(number), by: World.ann))
  }

  @Test func `six turns in five minutes, and three in the line`() {
    var world = line(1...9)
    for number in UInt64(1)...6 { turn(number, after: 60, &world) }
    // The first of the six turns was 330 s ago, and something waited all the while: 55 s a turn.
    world.pass(seconds: 30)
    world.available(World.ann)
    #expect(told(newcomer(world)) == [220, 87, 494])
    #expect(told(world.router.estimatedWait(of: World.case(7), at: world.now)) == [55, 5, 155])
    #expect(told(world.router.estimatedWait(of: World.case(9), at: world.now)) == [165, 56, 385])
    // Nobody has had their turn since: 1,440 s for six.
    world.pass(seconds: 1_110)
    world.available(World.ann)
    #expect(told(newcomer(world))?[0] == 960)
    // Of the last hour there are four turns left.
    world.pass(seconds: 2_240)
    world.available(World.ann)
    #expect(newcomer(world) == .unknown(.tooFewTurns))
  }

  @Test func `of those who give up the line moves on, too`() {
    var world = line(1...20)
    for number in UInt64(1)...6 { turn(number, after: 60, &world) }
    let before = told(newcomer(world))?[0] ?? 0
    for number in UInt64(7)...10 {
      world.given(.endSession(World.session(number), .customerLeft))
    }
    // Four of ten left in 6 × 210 + 4 × 360 s of waiting; ten stand there still.
    let left = 4.0 / (6 * 210 + 4 * 360)
    let expected = (0...10).reduce(0.0) { $0 + 1 / (6 / 300 + Double($1) * left) }
    #expect(told(newcomer(world))?[0] == Int64(expected.rounded()))
    #expect(expected < Double(before) * 0.7)
  }

  @Test func `whoever does not wait tells nothing of how the line moves`() {
    var world = line(1...1)
    turn(1, after: 60, &world)
    for number in UInt64(2)...9 {
      world.asks(World.ann, 100 + number)
      world.open(number)
      world.route(number, Need(queue: World.support))
      world.pass(seconds: 5)
      world.given(.accept(world.offer(World.ann), World.ann))
      world.given(.close(World.case(number), by: World.ann))
    }
    world.asks(World.ann)
    #expect(newcomer(world) == .atOnce, "somebody is ready and nothing waits")
    world.given(.endNext(World.ann, waiter: WaiterID(UInt64(World.ann.raw) + 1)))
    #expect(newcomer(world) == .unknown(.tooFewTurns))
  }

  @Test func `what nobody accepts had no turn`() {
    var world = line(1...9)
    for number in UInt64(1)...5 { turn(number, after: 60, &world) }
    world.available(World.ann)
    world.asks(World.ann)
    #expect(world.router.estimatedWait(of: World.case(6), at: world.now) == .atOnce)
    world.given(.decline(world.offer(World.ann), World.ann))
    world.pass(seconds: 30)
    world.available(World.ann)
    // Five turns in 270 s; case 6 is still the first.
    #expect(told(world.router.estimatedWait(of: World.case(6), at: world.now))?[0] == 54)
    #expect(told(newcomer(world))?[0] == 270)
  }

  @Test func `who came back into the line is counted once`() {
    var world = line(1...4)
    world.given(.assign(World.case(2), to: World.ann), .requeue(World.case(2)))
    #expect(world.router.ahead(of: World.case(4)) == 3)
    #expect(world.router.aheadAtMost(world.router.slot(of: World.case(4))) == 3)
  }

  @Test func `where nothing can be said, why is said`() {
    var configuration = World.configuration
    configuration.queues.append(.init(name: "quiet"))
    configuration.queues.append(.init(name: "shut"))
    configuration.queues[3].hours = []
    configuration.agents[0].queues.append("shut")
    var world = World(configuration)
    #expect(newcomer(world) == .unknown(.nobodyThere))
    #expect(newcomer(world, QueueID(2)) == .unknown(.nobodyServes))
    #expect(newcomer(world, QueueID(3)) == .unknown(.queueClosed))
    world.open(1)
    world.route(1, Need(queue: World.support))
    #expect(
      world.router.estimatedWait(of: World.case(1), at: world.now) == .unknown(.nobodyThere))
    world.available(World.ann)
    #expect(
      world.router.estimatedWait(of: World.case(1), at: world.now) == .unknown(.tooFewTurns))
    world.asks(World.ann)
    #expect(world.router.estimatedWait(of: World.case(1), at: world.now) == .atOnce)
    world.given(.accept(world.offer(World.ann), World.ann))
    #expect(world.router.estimatedWait(of: World.case(1), at: world.now) == nil)
    #expect(world.router.estimatedWait(of: World.case(2), at: world.now) == nil)
    #expect(WaitUnknown.allCases.count == 4)
  }

  @Test func `what was seen is beside the state: a machine made of rows begins without`() throws {
    var world = line(1...9)
    for number in UInt64(1)...6 { turn(number, after: 60, &world) }
    #expect(told(newcomer(world)) != nil)
    var again = world
    again.router = try Router(rows: world.router.allRows())
    #expect(again.router.stateHash == world.router.stateHash)
    #expect(newcomer(again) == .unknown(.tooFewTurns))
    var replayed = Router()
    for (event, at) in world.log { replayed.apply(event, at: at) }
    again.router = replayed
    #expect(newcomer(again) == newcomer(world), "whoever applied all of the log has seen it")
  }

  struct Row: Sendable {
    var shape: Double
    var turns: Double
    var lowest: Double
    var highest: Double
    /// The chi-squared distribution's table, by degrees of freedom: an Erlang one's, where the rate is
    /// known.
    static func erlang(_ freedom: Double, _ lowest: Double, _ highest: Double) -> Row {
      Row(shape: freedom / 2, turns: 1e7, lowest: lowest / freedom, highest: highest / freedom)
    }
    /// The F distribution's.
    static func seen(_ turns: Double, _ shape: Double, _ lowest: Double, _ highest: Double) -> Row {
      Row(shape: shape, turns: turns, lowest: lowest, highest: highest)
    }
    static let all: [Row] = [
      .erlang(2, 0.210_721, 4.605_170), .erlang(4, 1.063_623, 7.779_440),
      .erlang(8, 3.489_539, 13.361_57), .erlang(20, 12.442_61, 28.411_98),
      .erlang(100, 82.358_14, 118.498_0), .seen(5, 1, 0.106_48, 2.924_47),
      .seen(32, 1, 0.105_53, 2.387_45), .seen(10, 2, 0.260_12, 2.248_93),
      .seen(5, 3, 0.340_49, 2.460_58), .seen(32, 10, 0.597_84, 1.535_80),
      .seen(10, 50, 0.669_19, 1.650_13),
    ]
  }

  @Test(arguments: Row.all) func `the range is that of the tables`(row: Row) {
    let lowest = Spread.lowest(shape: row.shape, turns: row.turns)
    let highest = Spread.highest(shape: row.shape, turns: row.turns)
    #expect(abs(lowest / row.lowest - 1) < 0.006, "\(row): \(lowest)")
    #expect(abs(highest / row.highest - 1) < 0.006, "\(row): \(highest)")
  }

  @Test func `a line of any length is told in a moment, and the longer the longer`() {
    let clock = Instant(milliseconds: 1_000_000)
    var pace = QueuePace()
    pace.line(isEmpty: false, at: clock)
    var now = clock
    for number in 0..<40 {
      now = now + .seconds(30)
      pace.leaves(since: clock, isTurn: number % 3 != 0, at: now)
    }
    let lengths = [0, 1, 10, 100, 999, 1_000, 1_001, 10_000, 1_000_000]
    let expected = lengths.compactMap { told(pace.estimate(ahead: $0, at: now))?[0] }
    #expect(expected.count == lengths.count && expected == expected.sorted())
    #expect(pace.estimate(ahead: Int(Int32.max), at: now) != .unknown(.tooFewTurns))
  }
}
