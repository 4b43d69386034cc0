internal import CSockets
import Glibc
import System

/// What a lane runs, and all that it owns: its connections, their deadlines, and what they borrow.
/// It is not Sendable; whoever holds one is on the lane.
///
/// ```
///               ┌───────────────────────────────────────────────────────────┐
///               ▼                                                           │
/// Dispatch ─▶ wait ≤ 5 ms ─▶ ready descriptors ─▶ mailbox ─▶ deadlines ─▶ settle
///      ▲        │ nothing came
///      └────────┘
/// ```
/// Staying 5 ms in `epoll_wait` before going back to Dispatch keeps its cost (ten system calls) off
/// every request that comes soon after another.
public final class LaneLoop {
  public let lane: Lane
  /// Made once per lane by the server's factory.
  public private(set) var context: AnyObject?
  /// The monotonic clock at the start of the batch.
  public private(set) var nowMilliseconds: Int64

  let queue: any EventQueue
  var wheel: TimingWheel
  var unsettled: [Connection] = []
  var idleOutputs: [OutputQueue] = []
  var statistics = LaneStatistics()
  let input: UnsafeMutableRawBufferPointer
  private var decrypted: UnsafeMutableRawBufferPointer?

  private var slots: [Connection?] = []
  private var freeSlots: [UInt32] = []
  private var generation: UInt32 = 0
  private let events: UnsafeMutableBufferPointer<sk_event>
  private var spare = Lane.Inbox()
  private var makeContext: (@Sendable (LaneLoop) -> AnyObject?)?
  var delayed: [Delayed] = []
  /// Who left something undone for the others' sake and goes on in the next batch, and in this one.
  var owed: [Connection] = []
  private var served: [Connection] = []
  private var armedAt: Int64?
  private var publishedAt: Int64 = 0
  var accepting: [Accepting] = []
  var makers: [Int: (Connection) -> any ConnectionHandler] = [:]
  var draining: Draining?

  static let lingerMilliseconds: Int64 = 5
  /// Events taken at once.
  static let batchMax = Int(SK_EVENTS_MAX)
  static let idleOutputsMax = batchMax
  /// How old the statistics of a busy lane may be.
  static let publishMilliseconds: Int64 = 100
  static let inputBytes = 65_536

  /// Tags of generation 0 are the lane's own descriptors.
  enum Tag {
    static let wake: UInt64 = 0
    static let timer: UInt64 = 1
    static let firstListener: UInt64 = 2
  }

  init(lane: Lane, makeContext: @escaping @Sendable (LaneLoop) -> AnyObject?) {
    self.lane = lane
    queue = lane.queue
    nowMilliseconds = MonotonicClock.nowMilliseconds
    wheel = TimingWheel(nowMilliseconds: nowMilliseconds)
    input = .allocate(byteCount: Self.inputBytes, alignment: 64)
    events = .allocate(capacity: Self.batchMax)
    self.makeContext = makeContext
  }

  deinit {
    input.deallocate()
    decrypted?.deallocate()
    events.deallocate()
  }

  /// The connection that is meant, if it lives, and lives here.
  public func connection(_ ref: ConnectionRef) -> Connection? {
    guard Int(ref.lane) == lane.index, Int(ref.slot) < slots.count else { return nil }
    guard let found = slots[Int(ref.slot)], found.ref.generation == ref.generation else {
      return nil
    }
    return found
  }

  public var openConnections: Int { slots.count - freeSlots.count }

  /// What TLS decrypts into; a lane without TLS never makes it.
  var plainInput: UnsafeMutableRawBufferPointer {
    if let decrypted { return decrypted }
    let made = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.inputBytes, alignment: 64)
    decrypted = made
    return made
  }

  // MARK: The loop

  /// Serves until nothing has happened for a while. False when the lane has stopped.
  func drain() -> Bool {
    statistics.wakeups &+= 1
    if let makeContext {
      self.makeContext = nil
      context = makeContext(self)
    }
    while true {
      if checkDrained() { return false }
      let mayBlock = lane.mayBlock()
      if turn(mayBlock ? patience : 0) {
        if nowMilliseconds - publishedAt >= Self.publishMilliseconds { publish() }
        continue
      }
      publish()
      if lane.mayBlock() {
        armTimer()
        return true
      }
    }
  }

  private var patience: Int32 {
    guard let due = nextDue else { return Int32(Self.lingerMilliseconds) }
    return Int32(max(0, min(Self.lingerMilliseconds, due - nowMilliseconds)))
  }

  /// One batch; false when there was nothing to do. From the wait's return on, nobody needs to wake
  /// us.
  private func turn(_ milliseconds: Int32) -> Bool {
    let count = queue.wait(events, milliseconds: owed.isEmpty ? milliseconds : 0)
    let hasMail = lane.take(&spare)
    swap(&owed, &served)
    nowMilliseconds = MonotonicClock.nowMilliseconds
    if count > 0 { statistics.batches &+= 1 }
    for index in 0..<count { dispatch(events[index].tag, Interest(rawValue: events[index].events)) }
    if hasMail { runMailbox() }
    let hasServed = serveOwed()
    let expired = expire()
    settle()
    return count > 0 || hasMail || hasServed || expired || !owed.isEmpty
  }

  /// Those whose turn comes after everybody who has something new.
  private func serveOwed() -> Bool {
    if served.isEmpty { return false }
    statistics.turnsPutOff &+= UInt64(served.count)
    for connection in served { connection.serveTurn() }
    served.removeAll(keepingCapacity: true)
    return true
  }

  private func dispatch(_ tag: UInt64, _ ready: Interest) {
    let slot = Int(tag & 0xFFFF_FFFF)
    let generation = UInt32(tag >> 32)
    if generation == 0 { return dispatchOwn(tag) }
    // An event that was under way when its connection died names a generation that is no more.
    guard slot < slots.count, let connection = slots[slot], connection.ref.generation == generation
    else { return }
    connection.ready(ready)
  }

  private func dispatchOwn(_ tag: UInt64) {
    switch tag {
    case Tag.wake: sk_eventfd_clear(lane.wake)
    case Tag.timer:
      armedAt = nil
      _ = sk_timerfd_arm(lane.timer, 0)
    default: accept(tag)
    }
  }

  private func settle() {
    var index = 0
    while index < unsettled.count {  // closing one may touch another
      unsettled[index].settle()
      index += 1
    }
    unsettled.removeAll(keepingCapacity: true)
  }

  /// Lets go of what handlers hold, so that no cycle outlives the lane.
  func finish() {
    makers = [:]
    delayed = []
    owed = []
    context = nil
    publish()
  }

  private func publish() {
    publishedAt = nowMilliseconds
    statistics.open = openConnections
    lane.published.withLock { $0 = statistics }
  }

  // MARK: Mailbox

  private func runMailbox() {
    for job in spare.jobs { job.runSynchronously(on: lane.asUnownedSerialExecutor()) }
    for adoption in spare.adopted { adopt(adoption) }
    for post in spare.posts { deliver(post) }
    for work in spare.work { work(self) }
    spare.jobs.removeAll(keepingCapacity: true)
    spare.adopted.removeAll(keepingCapacity: true)
    spare.posts.removeAll(keepingCapacity: true)
    spare.work.removeAll(keepingCapacity: true)
  }

  /// What was put in before the lane stopped is still owed its end: jobs run, posts are reported.
  func runLastMail() {
    while lane.take(&spare) {
      runMailbox()
      settle()
    }
  }

  private func deliver(_ post: Lane.Post) {
    var missed: [Delivery] = []
    for delivery in post.batch {
      if let target = connection(delivery.to), let handler = target.handler, target.isWritable {
        statistics.delivered &+= 1
        handler.delivered(delivery.payload, on: target)
      } else {
        statistics.undelivered &+= 1
        if post.undelivered != nil { missed.append(delivery) }
      }
    }
    if !missed.isEmpty { post.undelivered?(missed) }
  }

  // MARK: Connections

  /// A new connection in a free slot, not yet watched.
  func make(
    _ descriptor: Int32, _ peer: SocketAddress, _ limits: ConnectionLimits, _ listener: Listener?,
    _ phase: Connection.Phase
  ) -> Connection {
    let slot = freeSlots.popLast() ?? UInt32(slots.count)
    generation = generation == .max ? 1 : generation + 1
    let ref = ConnectionRef(lane: UInt16(lane.index), slot: slot, generation: generation)
    let made = Connection(
      ref: ref, peer: peer, descriptor: descriptor, loop: self, limits: limits, listener: listener,
      phase: phase)
    if Int(slot) == slots.count { slots.append(made) } else { slots[Int(slot)] = made }
    return made
  }

  func forget(_ connection: Connection) {
    statistics.closedByReason[connection.reason.index] &+= 1
    slots[Int(connection.ref.slot)] = nil
    freeSlots.append(connection.ref.slot)
    if let listener = connection.listener { listener.admission.release(connection.peer, listener) }
  }

  func forEachConnection(_ body: (Connection) -> Void) {
    for index in slots.indices { if let connection = slots[index] { body(connection) } }
  }

  // MARK: Time

  private var nextDue: Int64? {
    switch (wheel.nextDueMilliseconds, delayed.last?.deadline) {
    case (let a?, let b?): min(a, b)
    case (let a, let b): a ?? b
    }
  }

  private func expire() -> Bool {
    var any = false
    while let due = wheel.takeDue(nowMilliseconds: nowMilliseconds) {
      any = true
      for tag in due.tags {
        let slot = Int(tag & 0xFFFF_FFFF)
        guard slot < slots.count, let connection = slots[slot], connection.ref.tag == tag else {
          continue
        }
        connection.asked(atTick: due.tick)
      }
    }
    return runDelayed() || any
  }

  /// The kernel wakes an idle lane for its next deadline. Armed only when the lane goes to sleep,
  /// and only when no earlier wake is armed already: one that comes for nothing is cheaper than
  /// arming at every turn.
  private func armTimer() {
    guard let due = nextDue else { return }
    if let armedAt, armedAt <= due { return }
    armedAt = due
    _ = sk_timerfd_arm(lane.timer, max(due, 1))
  }
}
