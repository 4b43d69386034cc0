import Model
import Routing

/// Runs a queueing model through the router under a virtual clock: every arrival, acceptance and
/// end is a command, and who is served next is the router's choice alone.
public struct QueueingRun {
  private enum Happening {
    case arrival(Int)
    case served(slot: Int)
    case givesUp(slot: Int, serial: UInt64)
  }

  /// One case between its arrival and its end. Slots are used again; the serial number tells lives
  /// apart.
  private struct Life {
    var serial: UInt64
    var ofClass: Int
    var arrived: Double
    var isWaiting = true
    var agent = 0
    /// What its customer was told of their wait.
    var told: WaitEstimate?
  }

  /// A unit of time in the router's milliseconds.
  private let unit: Double
  private static let epoch: Int64 = 1_700_000_000_000
  /// Where the router looks at a clock: ten thousand seconds.
  private static let calibrationUnit = 10_000_000.0

  private let model: QueueingModel
  private var router = Router()
  private var decision = Decision()
  private var calendar = Calendar<Double, Happening>()
  private var tally: QueueingTally
  private var lives: [Life] = []
  private var free: [Int] = []
  private var serial: UInt64 = 0
  private var arrived: [Int]  // by class
  private var decisions = 0
  private var groupOf: [Int] = []
  private var needs: [Need] = []
  private var arrivals: [SeededRandom]
  private var services: [SeededRandom]
  private var patience: [SeededRandom]
  private var calibration: WaitCalibration?

  private init(_ model: QueueingModel, unit: Double? = nil) throws(QueueingFault) {
    self.model = model
    self.unit = unit ?? Self.unit(of: model)
    tally = QueueingTally(model)
    arrived = Array(repeating: 0, count: model.classes.count)
    func streams(_ kind: UInt64) -> [SeededRandom] {
      model.classes.indices.map { SeededRandom(seed: model.seed, stream: kind << 32 | UInt64($0)) }
    }
    arrivals = streams(1)
    services = streams(2)
    patience = streams(3)
    try prepare()
  }

  /// - Errors: the model asks for what the router refuses, such as more skills than it knows, or comes
  ///   to no steady state, of which figures could be told.
  public static func run(_ model: QueueingModel) throws(QueueingFault) -> QueueingResult {
    if let why = model.restlessness { throw QueueingFault(sentence: why) }
    var run = try QueueingRun(model)
    try run.run()
    return run.tally.result(model, decisions: run.decisions)
  }

  /// Asks the router of every case that begins to wait, and has patience without end, how long it
  /// will, and holds that against how it came. A unit of time is ten thousand seconds here, since the
  /// router looks back for so long and no longer.
  public static func calibration(of model: QueueingModel) throws(QueueingFault) -> WaitCalibration {
    var run = try QueueingRun(model, unit: calibrationUnit)
    run.calibration = WaitCalibration()
    try run.run()
    return run.calibration ?? WaitCalibration()
  }

  private mutating func run() throws(QueueingFault) {
    let end = model.warmUp + model.length
    var growth = LineGrowth(model, end: end)
    for index in model.classes.indices { enterArrival(index, after: 0) }
    while let (now, what) = calendar.take(), now < end {
      if growth.isDue(now) { growth.look(tally.lines, at: now) }
      try happen(what, at: now)
    }
    growth.look(tally.lines, at: end)
    try checkLines(growth)
  }

  /// Those who came last may wait; where that is every tenth, the line only grows: one class's, too, which
  /// may be few of all. Of less that came, half of them say so; and a line that grows slowly says so by
  /// having grown all the time. Where everybody gives up some time, no line grows for ever, and the run ends before
  /// it comes to rest.
  private func checkLines(_ growth: LineGrowth) throws(QueueingFault) {
    var waiting = Array(repeating: 0, count: model.classes.count)
    for life in lives where life.isWaiting { waiting[life.ofClass] += 1 }
    for index in waiting.indices where model.classes[index].patienceRate == nil {
      let (waits, came) = (waiting[index], arrived[index])
      if (waits > 200 && waits > came / 10) || (waits > 20 && waits > came / 2) {
        throw tooMuch("\(waits) of \(came) cases of class \(model.classes[index].name)")
      }
    }
    if let who = growth.grown {
      throw QueueingFault(
        sentence:
          "the line of \(who.name) has grown all through the run, to \(who.length) at its end: "
          + "more comes than the agents can serve, or the run is too short to come to rest")
    }
    let all = waiting.reduce(0, +)
    guard all > 1_000, all > serial / 10 else { return }
    if model.classes.contains(where: { $0.patienceRate == nil }) { throw tooMuch() }
    throw QueueingFault(
      sentence:
        "the run is too short: at the end \(all) of \(serial) cases still waited, and what they will have "
        + "waited is in no mean; all of them give up some time, so that a longer run comes to rest")
  }

  // MARK: The world before anything happens

  /// By the model's own rates, since its unit may be a millisecond or a year: the shortest of its mean times is a million
  /// milliseconds, far coarser than the router's clock, and far less than a point of strict priority is worth.
  private static func unit(of model: QueueingModel) -> Double {
    let fastest = model.classes.reduce(0) {
      max($0, $1.arrivalRate, $1.serviceRate, $1.patienceRate ?? 0)
    }
    // The clock holds no more milliseconds than that.
    return min(1e6 * fastest, 1e18 / (model.warmUp + model.length))
  }

  /// Of a strict model: as far apart as they can be, so that no wait is worth the next, however long one service is beside
  /// another.
  private func strictPriority(_ kind: QueueingModel.CaseClass) -> Int16 {
    let all = Set(model.classes.map(\.priority)).sorted()
    let apart = Int(Int16.max) / max(1, all.count - 1)
    return Int16(clamping: (all.firstIndex(of: kind.priority) ?? 0) * apart)
  }

  private mutating func prepare() throws(QueueingFault) {
    try decide(.configure(configuration()), at: 0)
    for (index, group) in model.groups.enumerated() {
      groupOf += Array(repeating: index, count: group.count)
    }
    for agent in groupOf.indices {
      let id = AgentID(UInt32(agent))
      // An open stream is a seat without an end: nobody's lease runs out, and no time is spent on
      // renewing it.
      try decide(.openStream(id, waiter: WaiterID(UInt64(agent))), at: 0)
      try decide(.setStatus(id, .available, lease: nil), at: 0)
    }
    for kind in model.classes {
      var need = Need(queue: QueueID(UInt32(slopes.firstIndex(of: kind.slopePermille) ?? 0)))
      need.skills = kind.skills.compactMap { router.skillID(named: $0) }.sorted().map {
        .init(skill: $0, level: 1, required: true)
      }
      if model.order == .strict { need.priority = strictPriority(kind) }
      needs.append(need)
    }
  }

  /// A queue for each slope, since that is a queue's own; where none counts, one queue for all.
  private var slopes: [Int] {
    model.order == .aging ? Set(model.classes.map(\.slopePermille)).sorted() : []
  }

  private func configuration() -> RoutingConfiguration {
    let queues = (slopes.isEmpty ? [1_000] : slopes).map { slope in
      var queue = RoutingConfiguration.Queue(name: "cases \(slope)")
      queue.slopePermille = UInt32(slope)
      queue.prioritySeconds = 0
      queue.wrapUp = .init(chat: .zero, email: .zero, phone: .zero)
      return queue
    }
    let skills = Set(model.classes.flatMap(\.skills) + model.groups.flatMap(\.skills)).sorted()
    var agents: [RoutingConfiguration.Agent] = []
    for (index, group) in model.groups.enumerated() {
      for number in 0..<group.count {
        var agent = RoutingConfiguration.Agent(
          name: "\(index).\(number)", skills: group.skills.map { .init($0, level: 1) },
          queues: queues.map(\.name))
        agent.capacity = 1
        agent.channelMax = .init(chat: 1, email: 1, phone: 1)
        agent.autoAccept = true
        agents.append(agent)
      }
    }
    var made = RoutingConfiguration(
      version: 1, skills: skills, bots: ["model"], queues: queues, agents: agents)
    made.limits.sessionIdleMax = Duration64(milliseconds: .max)
    return made
  }

  // MARK: What happens

  private mutating func happen(_ what: Happening, at now: Double) throws(QueueingFault) {
    switch what {
    case .arrival(let index):
      enterArrival(index, after: now)
      try arrive(index, at: now)
    case .served(let slot):
      let life = lives[slot]
      tally.serving(groupOf[life.agent], by: -1, at: now)
      free.append(slot)
      try decide(
        .close(CaseID(high: life.serial, low: UInt64(slot)), by: AgentID(UInt32(life.agent))),
        at: now)
      // Whoever was served goes: a session that stayed open would be held for ever, one a case.
      try decide(
        .endSession(SessionID(high: life.serial, low: UInt64(slot)), .customerLeft), at: now)
    case .givesUp(let slot, let serial):
      guard lives[slot].serial == serial, lives[slot].isWaiting else { return }
      let life = lives[slot]
      tally.waited(life.ofClass, arrived: life.arrived, wait: now - life.arrived, gaveUp: true)
      tally.queue(life.ofClass, by: -1, at: now)
      lives[slot].isWaiting = false
      free.append(slot)
      try decide(.endSession(SessionID(high: serial, low: UInt64(slot)), .customerLeft), at: now)
    }
  }

  private mutating func enterArrival(_ index: Int, after now: Double) {
    calendar.enter(
      .arrival(index), at: now + arrivals[index].exponential(rate: model.classes[index].arrivalRate)
    )
  }

  private mutating func arrive(_ index: Int, at now: Double) throws(QueueingFault) {
    serial += 1
    arrived[index] += 1
    let life = Life(serial: serial, ofClass: index, arrived: now)
    let slot: Int
    if let used = free.popLast() {
      slot = used
      lives[slot] = life
    } else {
      slot = lives.count
      lives.append(life)
    }
    let (conversation, session) = (
      ConversationID(high: serial, low: UInt64(slot)), SessionID(high: serial, low: UInt64(slot))
    )
    tally.queue(index, by: 1, at: now)
    try decide(
      .openConversation(
        conversation: conversation, customer: CustomerID(high: serial, low: UInt64(slot)),
        session: NewSession(id: session, channel: .chat, bot: BotID(0))), at: now)
    try decide(
      .route(
        conversation: conversation, session: session, case: CaseID(high: serial, low: UInt64(slot)),
        need: needs[index], by: RouteReason(cause: .handoff, ruleVersion: 1, rule: 0), epoch: nil),
      at: now)
    if calibration != nil, now >= model.warmUp, lives[slot].isWaiting,
      lives[slot].serial == serial, model.classes[index].patienceRate == nil
    {
      lives[slot].told = router.estimatedWait(
        of: CaseID(high: serial, low: UInt64(slot)), at: instant(now))
    }
    if lives[slot].isWaiting, lives[slot].serial == serial,
      let rate = model.classes[index].patienceRate
    {
      calendar.enter(
        .givesUp(slot: slot, serial: serial), at: now + patience[index].exponential(rate: rate))
    }
  }

  private mutating func decide(_ command: Command, at now: Double) throws(QueueingFault) {
    decision.events.removeAll(keepingCapacity: true)
    decision.effects.removeAll(keepingCapacity: true)
    decisions += 1
    // What is held is what is there at once, however long the run.
    if decisions % 1_024 == 0 {
      router.forgetDirtyRows()
      dropPatienceOver()
    }
    if let rejection = router.decide(command, at: instant(now), into: &decision) {
      guard rejection != .queueFull else { throw tooMuch() }
      throw QueueingFault(sentence: "the router refused a command of the model: \(rejection)")
    }
    for event in decision.events {
      guard case .caseAccepted(let id, let agent) = event else { continue }
      begin(Int(truncatingIfNeeded: id.low), Int(agent.raw), at: now)
    }
  }

  /// Patience that ran past its case's wait stands in the calendar until its time, which may be long.
  private mutating func dropPatienceOver() {
    guard calendar.count > 4 * (lives.count - free.count) + 4_096 else { return }
    let lives = lives
    calendar.keep {
      guard case .givesUp(let slot, let serial) = $0 else { return true }
      return lives[slot].serial == serial && lives[slot].isWaiting
    }
  }

  private func tooMuch(_ whose: String? = nil) -> QueueingFault {
    let whose = whose ?? "\(lives.count { $0.isWaiting }) of \(serial) cases"
    return QueueingFault(
      sentence: "more comes than the agents can serve: at the end \(whose) "
        + "still waited, and what they will have waited is in no mean")
  }

  private func instant(_ now: Double) -> Instant {
    Instant(milliseconds: Self.epoch + Int64(now * unit))
  }

  private mutating func begin(_ slot: Int, _ agent: Int, at now: Double) {
    let life = lives[slot]
    lives[slot].isWaiting = false
    lives[slot].agent = agent
    if let told = life.told {
      let seconds = (now - life.arrived) * unit / 1_000
      calibration?.add(told, waited: seconds)
    }
    tally.waited(life.ofClass, arrived: life.arrived, wait: now - life.arrived, gaveUp: false)
    tally.queue(life.ofClass, by: -1, at: now)
    tally.serving(groupOf[agent], by: 1, at: now)
    let service = services[life.ofClass].exponential(rate: model.classes[life.ofClass].serviceRate)
    calendar.enter(.served(slot: slot), at: now + service)
  }
}

/// Why a model cannot be run, in a sentence.
public struct QueueingFault: Error, Sendable, CustomStringConvertible {
  public var sentence: String
  public init(sentence: String) { self.sentence = sentence }
  public var description: String { sentence }
}
