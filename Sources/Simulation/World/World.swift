import Model
import Pipeline
import Records
import Routing
import System

/// A workspace's writer in a seeded world: customers, bots and agents send it requests over a bad
/// network; its disk stalls and refuses; the process is killed at any moment and starts again.
/// After every step nothing may be wrong.
///
/// The server's part (inbox, commits, timers, recovery) does what `Writer` and `CommitLoop` do, on
/// one thread and under a clock that the world turns.
final class World {
  let settings: WorldSettings
  /// Has much to do.
  let isBusy: Bool
  var random: SeededRandom
  var calendar = Calendar<Int64, Happening>()
  /// Milliseconds since the world began; the wall clock is this and `wallOffset`, and may jump.
  var now: Int64 = 0
  var wallOffset: Int64 = 1_700_000_000_000

  // The server
  let disk = Disk()
  let reader: DiskReader
  var pipeline: Pipeline
  var rules: SimulatedRules
  var isUp = true
  var isOut = false
  /// Rises whenever the process dies; what was under way is void then.
  var life: UInt64 = 0
  private var inFlight: Commit?
  /// What has happened outside while storage is away.
  private var kept: [Request] = []
  private var refusesNext = false
  private var stallsNext = false
  private var armedAt: Int64?

  // Everybody else
  var errands: [UInt64: Errand] = [:]
  var errandsSent: UInt64 = 0
  var contacts: [Contact] = []
  var desks: [Desk]
  var places: [Place] = []
  var drawn: UInt64 = 0
  /// No new contacts: the world comes to rest.
  var isClosing = false

  var ledger = Ledger()
  var outcome = WorldOutcome()
  private(set) var wrong: String?
  /// Hears what happens, a line each.
  var trace: ((String) -> Void)?

  enum Happening {
    case arrive(errand: UInt64)
    case answer(errand: UInt64, Answer?)
    case again(errand: UInt64, life: Int)
    case serverOwn(Intake, life: UInt64)
    case committed(life: UInt64, isRefused: Bool)
    case tick(life: UInt64)
    case recover(life: UInt64)
    case restart
    case somebodyComes
    case contact(Int)
    case desk(Int)
    case offered(desk: Int, OfferID, isRing: Bool)
    case decides(desk: Int, OfferID)
    case supervisor
    case weather
  }

  init(_ settings: WorldSettings) {
    self.settings = settings
    random = SeededRandom(seed: settings.seed)
    // By luck of its own, so that the worlds that are not go on as they were.
    var luck = SeededRandom(seed: settings.seed, stream: 1)
    isBusy = settings.faults.contains(.busy) && luck.oneIn(2)
    let agents = 2 + random.below(settings.agentsMax - 1)
    rules = SimulatedRules(
      version: 1, skills: random.below(4), agents: agents,
      hasTeams: settings.faults.contains(.limits))
    reader = DiskReader(disk)
    desks = (0..<agents).map { Desk(agent: AgentID(UInt32($0))) }
    pipeline = World.start(from: disk, rules, Router())
    configure()
    ownRequest(.start)
    for index in desks.indices { calendar.enter(.desk(index), at: Int64(random.below(2_000))) }
    calendar.enter(.somebodyComes, at: 500)
    if !settings.faults.isEmpty { calendar.enter(.weather, at: 3_000) }
    if has(.moves) { calendar.enter(.supervisor, at: 5_000) }
  }

  var wall: Instant { Instant(milliseconds: now + wallOffset) }
  func has(_ fault: WorldSettings.Fault) -> Bool { settings.faults.contains(fault) }
  func fail(_ sentence: String) { if wrong == nil { wrong = sentence } }

  func newID<Kind>() -> ID<Kind> {
    drawn += 1
    return ID(high: settings.seed &+ 1, low: drawn)
  }

  // MARK: Steps

  /// One happening. False when nothing is left to happen.
  func step() -> Bool {
    guard let (at, what) = calendar.take() else { return false }
    now = max(now, at)
    trace?("\(now) ms: \(what)")
    happen(what)
    if isUp, !isOut { check() }
    return wrong == nil
  }

  private func happen(_ what: Happening) {
    switch what {
    case .arrive(let number): arrive(number)
    case .answer(let number, let answer): answered(number, answer)
    case .again(let number, _): again(number)
    case .serverOwn(let intake, let life): if life == self.life { ownRequest(intake) }
    case .committed(let life, let isRefused): if life == self.life { committed(isRefused) }
    case .tick(let life):
      guard life == self.life else { return }
      armedAt = nil
      ownRequest(.tick)
    case .recover(let life): if life == self.life { recover() }
    case .restart: restart()
    case .somebodyComes: somebodyComes()
    case .contact(let index): contactActs(index)
    case .desk(let index): deskActs(index)
    case .offered(let desk, let offer, let isRing): deskIsOffered(desk, offer, isRing: isRing)
    case .decides(let desk, let offer): deskDecides(desk, offer)
    case .supervisor: supervisorActs()
    case .weather: weather()
    }
  }

  private func check() {
    if let first = Invariants.check(pipeline.router, rows: false).first { fail("\(first)") }
  }

  // MARK: The server

  private static func start(from disk: Disk, _ rules: SimulatedRules, _ router: Router) -> Pipeline
  {
    Pipeline(
      workspace: WorkspaceID(1), router: router, head: disk.head, planner: rules,
      environment: .init(saltSeed: Array(repeating: 7, count: 32)) {
        Digest(bytes: SHA256.hash($0).bytes) ?? .zero
      })
  }

  func configure() {
    let version = rules.version + 1
    rules.version = version
    pipeline.use(rules)
    let made = SimulatedRules.configuration(
      version: version, agents: desks.count, skills: rules.skills, queues: 2,
      limitedFrom: has(.limits) ? wall : nil, isBusy: isBusy, &random)
    ownRequest(.configure(made, encoded: [UInt8(truncatingIfNeeded: version)]))
  }

  /// What the server asks of itself: nobody waits for the answer.
  func ownRequest(_ intake: Intake) { submit(Request(intake)) }

  func submit(_ request: Request) {
    guard isUp else { return }
    guard !isOut else { return wait(request) }
    do throws(StoreFault) {
      try pipeline.submit(request, at: wall, reads: reader)
    } catch  where !pipeline.isTorn {
      guard request.intake.patience != .none else { return unavailable([request.ticket]) }
      calendar.enter(.serverOwn(request.intake, life: life), at: now + 1_000)
    } catch {
      wait(request)
      return breakDown()
    }
    leave(pipeline.release())
    turnIsOver()
  }

  private func turnIsOver() {
    if inFlight == nil, let commit = pipeline.gather() {
      inFlight = commit
      let takes = stallsNext ? 500 + random.below(5_000) : 1 + random.below(8)
      calendar.enter(.committed(life: life, isRefused: refusesNext), at: now + Int64(takes))
      refusesNext = false
      stallsNext = false
    }
    guard let deadline = pipeline.nextDeadline else { return }
    let due = deadline <= pipeline.router.now ? now : max(now, deadline.milliseconds - wallOffset)
    if armedAt ?? .max > due {
      armedAt = due
      calendar.enter(.tick(life: life), at: due)
    }
  }

  private func committed(_ isRefused: Bool) {
    guard let commit = inFlight else { return }
    inFlight = nil
    if isRefused {
      outcome.failedCommits += 1
      return breakDown()
    }
    write(commit)
    leave(pipeline.committed(upTo: disk.head.position))
    if let wrong = ledger.untold() { fail(wrong) }
    turnIsOver()
  }

  private func write(_ commit: Commit) {
    if let wrong = disk.write(commit) { fail(wrong) }
    for record in commit.log { outcome.note(record.bytes) }
    if let wrong = ledger.isOnDisk(commit, trace) { fail(wrong) }
  }

  /// The store failed: nobody who waits is told that anything happened, and the state is read again
  /// from disk.
  private func breakDown() {
    isOut = true
    inFlight = nil
    let abandoned = pipeline.abandon()
    unavailable(abandoned.refused)
    kept = abandoned.kept + kept
    calendar.enter(.recover(life: life), at: now + 1_000)
  }

  /// While storage is away: refused, or kept until it is back.
  private func wait(_ request: Request) {
    switch request.intake.patience {
    case .none: unavailable([request.ticket])
    case .kept:
      kept.append(request)
      unavailable([request.ticket])
    case .waits: kept.append(request)
    }
  }

  private func recover() {
    guard isOut else { return }
    rebuild()
    isOut = false
    ownRequest(.start)
    // Connections have lived on: streams are seats again, and open lines have not gone anywhere.
    for desk in desks {
      if let stream = desk.stream { ownRequest(.openStream(desk.agent, stream)) }
    }
    for contact in contacts where contact.holdsLine {
      if let session = contact.session { ownRequest(.rejoin(session)) }
    }
    let waiting = kept
    kept = []
    for request in waiting { submit(request) }
  }

  private func kill() {
    guard isUp else { return }
    // It may have been on disk just before its answers could leave.
    if let commit = inFlight, random.oneIn(2) { write(commit) }
    inFlight = nil
    isUp = false
    isOut = false
    kept = []
    life += 1
    armedAt = nil
    outcome.restarts += 1
    trace?("the server is killed")
    ledger.nothingIsShown()
    for index in desks.indices { desks[index].connectionIsGone() }
    for index in contacts.indices { contacts[index].lineIsGone() }
    calendar.enter(.restart, at: now + 200 + Int64(random.below(5_000)))
  }

  private func restart() {
    rebuild()
    isUp = true
    ownRequest(.start)
  }

  private func rebuild() {
    do {
      let rows = disk.workRows.map { WorkRow(kind: $0.kind, key: $0.key, value: $0.value) }
      let router = rows.isEmpty ? Router() : try Router(rows: rows)
      if let wrong = ledger.compare(router) { fail(wrong) }
      pipeline = World.start(from: disk, rules, router)
      if disk.head.position == 0 { configure() }
    } catch {
      fail("the rows of open work cannot be read: \(error)")
    }
  }

  // MARK: Weather

  private func weather() {
    if isClosing { return }
    calendar.enter(.weather, at: now + 500 + Int64(random.below(12_000)))
    let faults = WorldSettings.Fault.allCases.filter { $0.isWeather && has($0) }
    guard let fault = random.one(of: faults) else { return }
    switch fault {
    case .kill: kill()
    case .refuse: refusesNext = true
    case .stall: stallsNext = true
    case .read: reader.failsAfter = random.below(12)
    case .clock: wallOffset += Int64(random.below(240_000)) - 120_000
    case .disconnect: disconnect()
    case .reconfigure: if isUp, !isOut { configure() }
    case .duplicate, .late, .lose, .moves, .limits, .busy: break  // these happen to single requests
    }
  }

  private func disconnect() {
    guard let index = desks.indices.randomElement(using: &random) else { return }
    let desk = desks[index]
    desks[index].connectionIsGone()
    if let stream = desk.stream { serverNotices(.closeStream(desk.agent, stream)) }
    if let next = desk.next { serverNotices(.endNext(desk.agent, next)) }
  }

  func serverNotices(_ intake: Intake) {
    calendar.enter(.serverOwn(intake, life: life), at: now + Int64(random.below(50)))
  }

  // MARK: The end

  /// Lets everything that is under way come to its end, without further faults, and audits what is
  /// on disk.
  func comeToRest() {
    isClosing = true
    reader.failsAfter = nil
    refusesNext = false
    for _ in 0..<200_000 {
      if isUp, !isOut, inFlight == nil, errands.isEmpty,
        disk.head.position == pipeline.head.position
      {
        break
      }
      if !step() { break }
    }
    guard wrong == nil else { return }
    if !errands.isEmpty { fail("\(errands.count) requests are never answered") }
    if let found = Invariants.check(pipeline.router).first { fail("at rest: \(found)") }
    if let found = ledger.audit(disk, pipeline.router) { fail("at rest: \(found)") }
    outcome.stateHash = pipeline.router.stateHash
    outcome.commands = disk.head.position
    outcome.entries = Int64(disk.entries.count)
    outcome.cases = disk.cases.count
    outcome.accepted = ledger.acceptances
  }
}
