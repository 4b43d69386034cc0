import DequeModule
import Dispatch
import Model
import Pipeline
import Records
import Routing
import Synchronization
import System

/// Drives one workspace's `Pipeline`: requests come in from any lane, one turn takes them all, and
/// the commit
/// loop fetches what was decided whenever it is free, so that many commands share one commit.
///
/// The state sits behind a mutex and not on a queue of its own, since two threads take turns with
/// it: the writer's queue, which decides, and the commit loop, which gathers before a commit and
/// releases after it. That spares two hops between queues for every answer.
public final class Writer: Sendable {
  public let workspace: WorkspaceID
  public let name: String
  private let queue: DispatchQueue
  private let inbox = Mutex<Inbox>(Inbox())
  private let state: Mutex<State>
  private let commits: CommitLoop
  private let outlet: any Outlet
  private let timer: WriterTimer
  /// Requests decided in one breath: whoever waits for the state waits for no more than these.
  static let requestsPerTurn = 256
  /// Past this many commands that no commit has taken yet, or bytes that none has made durable,
  /// requests wait. So no transaction holds more of one workspace, and a flood of one makes the
  /// others wait for a bounded time.
  static let ungatheredCommandsMax: Int64 = 1_000
  static let undurableBytesMax = 16 << 20
  /// Past this many waiting requests, newcomers are turned away.
  static let waitingMax = 50_000
  /// News from outside that are kept through an outage; past it they are lost, and leases end what
  /// they were about.
  static let keptMax = 20_000
  /// A row that cannot be read fails again and again: after so many tries, its news are let go.
  static let attemptsMax = 3

  private struct Inbox {
    var requests: Deque<Request> = []
    var isScheduled = false

    /// What must not be lost, and what nobody would ask again, always finds room.
    mutating func take(_ more: [Request]) -> [Ticket] {
      if requests.count + more.count <= waitingMax {
        requests.append(contentsOf: more)
        return []
      }
      var refused: [Ticket] = []
      for request in more {
        if requests.count < waitingMax || request.ticket == .nobody
          || request.intake.patience != .none
        {
          requests.append(request)
        } else {
          refused.append(request.ticket)
        }
      }
      return refused
    }

    mutating func next() -> [Request] {
      let count = min(requests.count, requestsPerTurn)
      defer { requests.removeFirst(count) }
      return Array(requests.prefix(count))
    }
  }

  struct State: Sendable {
    var pipeline: Pipeline
    var reads: ConfinedReader
    let health: Health
    /// Why nothing is accepted just now; nil while all is well.
    var outage: String? {
      didSet { if (oldValue == nil) != (outage == nil) { health.outage(outage != nil) } }
    }
    var tickIsRefused = false
    /// Whether requests wait until a commit has taken, or made durable, what is decided.
    var isHeldBack = false
    /// News from outside that could not be decided, in order: see `Patience`.
    var kept: [Request] = []
  }

  /// What a writer needs to start, and to start again after its store failed.
  typealias Rebuild = @Sendable () throws(StoreFault) -> (Pipeline, ConfinedReader)
  private let rebuild: Rebuild

  init(
    workspace: WorkspaceRow, commits: CommitLoop, outlet: any Outlet, rebuild: @escaping Rebuild
  ) throws(StoreFault) {
    self.workspace = workspace.id
    name = workspace.name
    queue = DispatchQueue(label: "writer.\(workspace.name)")
    self.commits = commits
    self.outlet = outlet
    self.rebuild = rebuild
    timer = WriterTimer(queue: queue, clock: commits.health.clock)
    let (pipeline, reads) = try rebuild()
    commits.health.clock.reaches(pipeline.head.at)
    state = Mutex(State(pipeline: pipeline, reads: reads, health: commits.health))
    timer.handle { [weak self] in self?.submit([Request(.tick)]) }
  }

  /// Takes requests from any thread, in order; their answers come through the outlet.
  public func submit(_ requests: [Request]) {
    let (refused, wake) = inbox.withLock { inbox in
      let refused = inbox.take(requests)
      defer { inbox.isScheduled = true }
      return (refused, !inbox.isScheduled)
    }
    if wake { queue.async { self.turn() } }
    leave([], refused)
    // No turn may come before the commit's end.
    if commits.health.isHanging { tellReaders(among: requests) }
  }

  /// Waits until what was submitted so far is decided.
  func finishTurn() { queue.sync {} }

  private func turn() {
    let (released, dirty, deadline, refused, broke, tryAgain) = state.withLock { state in
      var refused: [Ticket] = []
      let (wasWell, hadNone) = (state.outage == nil, state.kept.isEmpty)
      state.isHeldBack = Self.isFull(state)
      if !state.isHeldBack {
        for request in inbox.withLock({ $0.next() }) { Self.decide(request, &state, &refused) }
      }
      let released = state.outage == nil ? state.pipeline.release() : []
      return (
        released, state.pipeline.head.position > state.pipeline.durable, Self.nextTick(&state),
        refused,
        wasWell ? state.outage : nil, hadNone && state.outage == nil && !state.kept.isEmpty
      )
    }
    if let broke { commits.rescue(self, because: broke) } else if dirty { commits.wake(self) }
    leave(released, refused)
    if commits.health.isHanging { tellReaders() }
    timer.fire(at: deadline)
    if tryAgain { queue.asyncAfter(deadline: .now() + .seconds(1)) { self.submitKept() } }
    goOn()
  }

  private static func isFull(_ state: State) -> Bool {
    state.outage == nil
      && (state.pipeline.ungathered >= ungatheredCommandsMax
        || state.pipeline.undurableBytes >= undurableBytesMax)
  }

  /// After a turn: the next one, where requests are left that it may take.
  private func goOn() {
    let mayGoOn = state.withLock { state in
      if state.isHeldBack { return false }
      return inbox.withLock { inbox in
        inbox.isScheduled = !inbox.requests.isEmpty
        return inbox.isScheduled
      }
    }
    if mayGoOn { queue.async { self.turn() } }
  }

  /// Asks for the turn that was held back, where there is room again.
  private func resume(_ state: inout State) {
    guard state.isHeldBack, !Self.isFull(state) else { return }
    state.isHeldBack = false
    queue.async { self.turn() }
  }

  /// When to tick next. A tick that was refused leaves its deadline due: asked for again at once,
  /// it would keep two
  /// processors busy until the store is back. An outage ends with a turn of its own.
  private static func nextTick(_ state: inout State) -> Instant? {
    let wasRefused = state.tickIsRefused
    state.tickIsRefused = false
    if state.outage != nil { return nil }
    guard let deadline = state.pipeline.nextDeadline else { return nil }
    return wasRefused
      ? max(deadline, state.health.clock.now + .milliseconds(refusedTickMilliseconds))
      : deadline
  }
  private static let refusedTickMilliseconds: Int64 = 50

  private static func decide(_ request: Request, _ state: inout State, _ refused: inout [Ticket]) {
    guard state.outage == nil else { return refuse(request, &state, &refused) }
    defer {
      for damage in state.pipeline.takeDamage() { state.health.tell("deciding a request", damage) }
    }
    do throws(StoreFault) {
      try state.pipeline.submit(
        request, at: state.health.clock.now, reads: state.reads.reader)
    } catch  where !state.pipeline.isTorn {
      // It failed before anything was decided: only this request is refused.
      state.health.tell("deciding a request", error)
      refuse(request, &state, &refused, failed: true)
    } catch {
      // A look-up failed in the middle of deciding: what is in memory can no longer be trusted.
      state.outage = String(describing: error)
      abandon(&state, &refused)
      refuse(request, &state, &refused, failed: true)
    }
  }

  /// Whoever asked hears so; what nobody would tell again is kept.
  private static func refuse(
    _ request: Request, _ state: inout State, _ refused: inout [Ticket], failed: Bool = false
  ) {
    var request = request
    if case .tick = request.intake { state.tickIsRefused = true }
    if failed { request.attempts += 1 }
    let isKept =
      request.intake.patience != .none && request.attempts < attemptsMax
      && state.kept.count < keptMax
    if request.intake.patience != .none && !isKept {
      Log.fault("keeping news for a store that is back", "they are lost")
    }
    if !isKept || request.intake.patience == .kept {
      refused.append(request.ticket)
      request.ticket = .nobody
    }
    if isKept { state.kept.append(request) }
  }

  private static func abandon(_ state: inout State, _ refused: inout [Ticket]) {
    let left = state.pipeline.abandon()
    refused += left.refused
    state.kept += left.kept.prefix(max(0, keptMax - state.kept.count)).map { request in
      var request = request
      if request.intake.patience == .kept { request.ticket = .nobody }
      return request
    }
  }

  private func leave(_ released: [Pipeline.Release], _ refused: [Ticket] = []) {
    if !released.isEmpty { outlet.leave(released, from: self) }
    if !refused.isEmpty { outlet.unavailable(refused, from: self) }
  }

  /// Whoever only reads need not wait for a commit that hangs.
  private func tellReaders(among requests: some Sequence<Request>) {
    let readers = requests.filter(\.isRead).map(\.ticket)
    if !readers.isEmpty { outlet.hanging(readers, from: self) }
  }

  // MARK: - Called by the commit loop

  /// A commit hangs: of all who wait, those who only read are told.
  func tellReaders() {
    let (readers, waiting) = state.withLock { state in
      (state.pipeline.readers, inbox.withLock { Array($0.requests) })
    }
    if !readers.isEmpty { outlet.hanging(readers, from: self) }
    tellReaders(among: waiting)
  }

  func gather() -> Commit? {
    state.withLock { state in
      defer { resume(&state) }
      return state.outage == nil ? state.pipeline.gather() : nil
    }
  }

  func committed(_ commit: Commit) {
    guard let last = commit.log.last else { return }
    let released = state.withLock { state in
      defer { resume(&state) }
      return state.pipeline.committed(upTo: last.position)
    }
    leave(released)
  }

  /// The store failed: nobody who waits is told that anything happened, and the state is read again
  /// from disk.
  func failed(_ fault: StoreFault) {
    let refused = state.withLock { state in
      state.outage = fault.description
      var refused: [Ticket] = []
      Self.abandon(&state, &refused)
      resume(&state)
      return refused
    }
    leave([], refused)
  }

  /// Reads the state from disk again. Answers whether service goes on.
  func recover() -> Bool {
    let fresh: (Pipeline, ConfinedReader)
    do throws(StoreFault) { fresh = try rebuild() } catch {
      state.withLock { $0.outage = error.description }
      return false
    }
    // It starts in the same breath, so that nobody takes a seat which the start would empty again.
    let (isWell, refused) = state.withLock { state in
      (state.pipeline, state.reads) = fresh
      state.outage = nil
      var refused: [Ticket] = []
      Self.decide(Request(.start), &state, &refused)
      resume(&state)
      return (state.outage == nil, refused)
    }
    leave([], refused)
    guard isWell else { return false }
    outlet.recovered(self)
    submitKept()
    return true
  }

  /// What was kept is decided now, in its order, ahead of nothing: whatever is in the inbox came
  /// earlier.
  private func submitKept() {
    submit(
      state.withLock { state in
        defer { state.kept.removeAll() }
        return state.kept
      })
  }

  // MARK: - Looking in

  /// Requests that no turn has taken yet.
  var waiting: Int { inbox.withLock { $0.requests.count } }

  public var outage: String? { state.withLock { $0.outage } }

  /// Reads from the live state; what it tells may not yet be durable, so that whoever shows it to
  /// the outside must wait for the position.
  public func peek<R: Sendable>(_ body: (borrowing Pipeline) -> R) -> R {
    state.withLock { body($0.pipeline) }
  }

  /// Runs `change` while nothing is decided; nil, without having run it, while something decided is
  /// not yet durable.
  func whenDurable<R>(_ change: () throws(StoreFault) -> R) throws(StoreFault) -> R? {
    try state.withLock { state throws(StoreFault) -> Handed<R>? in
      guard state.outage == nil else {
        throw .failed(doing: "change rows of \(name)", why: state.outage ?? "")
      }
      guard state.pipeline.isDurable else { return nil }
      defer { state.pipeline.forgetCachedRows() }
      return Handed(value: try change())
    }?.value
  }
  /// Carries a value over the mutex's border; it was made by whoever takes it.
  private struct Handed<R>: @unchecked Sendable { var value: R }

  /// Decides a request now, on the caller's thread. With a `planner`, that and the configuration
  /// change in one step, so
  /// that no case is planned by one version of the rules and queued under the other.
  /// - Returns: the log position that it rests on; nil when it was not taken, and everything is as
  ///   it was.
  func decide(_ request: Request, using planner: (any Planner)? = nil) -> Int64? {
    let (released, refused, position, broke) = state.withLock { state in
      let before = state.pipeline.head.position
      let version = state.pipeline.router.configurationVersion
      let wasWell = state.outage == nil
      var refused: [Ticket] = []
      Self.decide(request, &state, &refused)
      let isTaken = refused.isEmpty && state.pipeline.head.position > before
      if let planner, state.pipeline.router.configurationVersion != version {
        state.pipeline.use(planner)
      }
      let position = isTaken ? state.pipeline.head.position : nil
      let released = state.outage == nil ? state.pipeline.release() : []
      return (released, refused, position, wasWell ? state.outage : nil)
    }
    if let broke { commits.rescue(self, because: broke) } else { commits.wake(self) }
    leave(released, refused)
    // What becomes due by it may be due before all else. Only turns set the timer, so that no older deadline takes the
    // place of a newer one.
    queue.async { self.turn() }
    return position
  }
}

/// Where answers and effects go once they are durable.
public protocol Outlet: Sendable {
  func leave(_ released: [Pipeline.Release], from writer: Writer)
  func unavailable(_ tickets: [Ticket], from writer: Writer)
  /// A commit hangs: these only wait to read, and may be told what is on disk. It may be said again.
  func hanging(_ tickets: [Ticket], from writer: Writer)
  /// The writer has read its state from disk again.
  func recovered(_ writer: Writer)
}

extension Request {
  fileprivate var isRead: Bool { if case .read = intake { ticket != .nobody } else { false } }
}
