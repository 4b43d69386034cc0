internal import CSockets
import Dispatch
import Glibc
import Synchronization
import System

/// One serial queue that serves its own connections, and the way to reach them from outside: a
/// mailbox that wakes it once for however much is put in. It is a `SerialExecutor`, so that an
/// actor can live on it.
public final class Lane: SerialExecutor {
  public let index: Int
  let dispatchQueue: DispatchQueue
  let queue: any EventQueue
  let wake: Int32
  let timer: Int32
  private let inbox = Mutex(Inbox())
  let published = Mutex(LaneStatistics())

  /// What waits for the lane, by kind, each in order.
  struct Inbox {
    var jobs: [UnownedJob] = []
    var adopted: [Adoption] = []
    var posts: [Post] = []
    var work: [@Sendable (LaneLoop) -> Void] = []
    /// Whether the lane will look here again by itself, so that nobody needs to wake it.
    var isAwake = false
    var isStopped = false
    var isEmpty: Bool { jobs.isEmpty && adopted.isEmpty && posts.isEmpty && work.isEmpty }
  }

  struct Post: Sendable {
    var batch: [Delivery]
    var undelivered: (@Sendable ([Delivery]) -> Void)?
  }

  init(index: Int, queue: any EventQueue) throws(SystemError) {
    self.index = index
    self.queue = queue
    // No target and no quality of service: what else runs on the global queues must not starve a
    // lane.
    dispatchQueue = DispatchQueue(label: "lane \(index)")
    wake = try kernel(sk_eventfd(), "make a wake")
    timer = try kernel(sk_timerfd(), "make a timer")
    _ = try kernel(queue.add(wake, .readable, LaneLoop.Tag.wake), "watch a wake")
    _ = try kernel(queue.add(timer, .readable, LaneLoop.Tag.timer), "watch a timer")
  }

  // Closed only with the last reference, so that a late poster cannot write to a stranger's
  // descriptor.
  deinit {
    close(timer)
    close(wake)
    queue.close()
  }

  public var statistics: LaneStatistics { published.withLock { $0 } }

  // MARK: Reaching it

  /// Delivers payloads to connections of this lane, in order, waking it at most once. What was
  /// addressed to a connection that is gone is dropped; `undelivered` hears of it, on the lane (or
  /// here, when it has stopped).
  public func post(_ batch: [Delivery], undelivered: (@Sendable ([Delivery]) -> Void)? = nil) {
    if batch.isEmpty { return }
    if !put({ $0.posts.append(Post(batch: batch, undelivered: undelivered)) }) {
      undelivered?(batch)
    }
  }

  /// Runs closures on the lane with its state. For rare things: each is an allocation.
  /// Answers false, and runs none, when the lane has stopped.
  @discardableResult
  public func perform(_ work: [@Sendable (LaneLoop) -> Void]) -> Bool {
    work.isEmpty || put { $0.work += work }
  }

  @discardableResult
  public func perform(_ work: @escaping @Sendable (LaneLoop) -> Void) -> Bool { perform([work]) }

  func adopt(_ batch: [Adoption]) {
    if batch.isEmpty { return }
    if !put({ $0.adopted += batch }) { for each in batch { each.discard() } }
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // A job must run even on a stopped lane, or its task would hang forever; the queue itself still
    // serves.
    if !put({ $0.jobs.append(job) }) {
      dispatchQueue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
  }

  public func checkIsolated() { dispatchPrecondition(condition: .onQueue(dispatchQueue)) }

  private func put(_ change: (inout Inbox) -> Void) -> Bool {
    enum Outcome { case stopped, wakes, waits }
    let outcome = inbox.withLock { inbox -> Outcome in
      if inbox.isStopped { return .stopped }
      change(&inbox)
      defer { inbox.isAwake = true }
      return inbox.isAwake ? .waits : .wakes
    }
    if outcome == .wakes { sk_eventfd_wake(wake) }
    return outcome != .stopped
  }

  // MARK: From the lane itself

  /// Takes all that waits, leaving the empty arrays of `spare` to be filled; false when nothing does.
  func take(_ spare: inout Inbox) -> Bool {
    inbox.withLock { inbox in
      inbox.isAwake = true
      if inbox.isEmpty { return false }
      swap(&inbox.jobs, &spare.jobs)
      swap(&inbox.adopted, &spare.adopted)
      swap(&inbox.posts, &spare.posts)
      swap(&inbox.work, &spare.work)
      return true
    }
  }

  /// Whether nothing waits. From then on whoever puts something in wakes the lane.
  func mayBlock() -> Bool {
    inbox.withLock { inbox in
      inbox.isAwake = !inbox.isEmpty
      return !inbox.isAwake
    }
  }

  func stop() { inbox.withLock { $0.isStopped = true } }
}

/// A payload for one connection.
public struct Delivery: Sendable {
  public var to: ConnectionRef
  public var payload: any Sendable
  public init(to: ConnectionRef, _ payload: any Sendable) {
    self.to = to
    self.payload = payload
  }
}
