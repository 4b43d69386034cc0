import Dispatch
import Records
import Synchronization
import System

/// Commits for all workspaces, one transaction after the other. While one is being synced, the
/// writers decide
/// on, and the next transaction takes all of that: group commit, without a timer and without
/// waiting.
public final class CommitLoop: Sendable {
  private let queue = DispatchQueue(label: "commit", qos: .userInitiated)
  private let waiting = Mutex<Waiting>(Waiting())
  private let store: any Store
  let health: Health

  private struct Waiting {
    var writers: [Writer] = []
    var isRunning = false
    var isStopped = false
  }

  public init(store: any Store, health: Health) {
    self.store = store
    self.health = health
  }

  /// A writer has something to commit.
  func wake(_ writer: Writer) {
    let start = waiting.withLock { waiting in
      if waiting.isStopped { return false }
      if !waiting.writers.contains(where: { $0 === writer }) { waiting.writers.append(writer) }
      defer { waiting.isRunning = true }
      return !waiting.isRunning
    }
    if start { queue.async { self.run() } }
  }

  /// Finishes what is under way and what has been asked for; later there is no store to commit to.
  func stop() {
    waiting.withLock { $0.isStopped = true }
    queue.sync {}
  }

  private func run() {
    while true {
      let writers = waiting.withLock { waiting in
        defer { waiting.writers.removeAll(keepingCapacity: true) }
        if waiting.writers.isEmpty { waiting.isRunning = false }
        return waiting.writers
      }
      if writers.isEmpty { return }
      var batch: [(Writer, Commit)] = []
      for writer in writers { if let commit = writer.gather() { batch.append((writer, commit)) } }
      if !batch.isEmpty { commit(batch) }
    }
  }

  private func commit(_ batch: [(Writer, Commit)]) {
    let begun = MonotonicClock.nowNanoseconds
    do throws(StoreFault) {
      try store.commit(batch.map(\.1))
      health.committed(
        batch.reduce(0) { $0 + $1.1.log.count },
        microseconds: (MonotonicClock.nowNanoseconds - begun) / 1_000)
      for (writer, commit) in batch { writer.committed(commit) }
    } catch {
      health.failed(error.description)
      Log.fault("committing", error.description)
      for (writer, _) in batch { writer.failed(error) }
      retry(batch.map(\.0))
    }
  }

  /// A writer can no longer trust what it has in memory.
  func rescue(_ writer: Writer, because why: String) {
    health.failed(why)
    Log.fault("deciding for workspace \(writer.name)", why)
    retry([writer])
  }

  /// Tries once a second to read the state from disk again; service resumes by itself when the
  /// cause is gone.
  private func retry(_ writers: [Writer]) {
    queue.asyncAfter(deadline: .now() + .seconds(1)) {
      if self.waiting.withLock({ $0.isStopped }) { return }
      let left = writers.filter { !$0.recover() }
      if left.isEmpty {
        self.health.recovered()
        Log.note("storage is back; service goes on")
      } else {
        self.retry(left)
      }
    }
  }
}

/// What the health page and the metrics tell of storage.
public final class Health: Sendable {
  public struct Facts: Sendable {
    public var trouble: String?
    public var commits: Int64 = 0
    public var commands: Int64 = 0
    public var failures: Int64 = 0
    /// How long transactions took that were made durable: all of them, and the longest.
    public var commitMicroseconds: Int64 = 0
    public var longestCommitMicroseconds: Int64 = 0
    /// Workspaces that accept nothing just now.
    public var outages = 0
    /// What the last look at stored data found wrong, by workspace.
    public var damage: [String: Int] = [:]
  }
  private let facts = Mutex(Facts())
  private let hasTrouble = Atomic<Bool>(false)
  public init() {}
  public var now: Facts { facts.withLock { $0 } }
  /// Whether there is nothing to tell: without a lock, since whoever watches asks often.
  public var isWell: Bool { !hasTrouble.load(ordering: .relaxed) }

  private func change(_ body: (inout Facts) -> Void) {
    facts.withLock {
      body(&$0)
      hasTrouble.store(
        $0.trouble != nil || $0.outages > 0 || $0.damage.values.contains { $0 > 0 },
        ordering: .relaxed)
    }
  }

  func committed(_ commands: Int, microseconds: Int64) {
    facts.withLock {
      $0.commits += 1
      $0.commitMicroseconds += microseconds
      $0.longestCommitMicroseconds = max($0.longestCommitMicroseconds, microseconds)
      $0.commands += Int64(commands)
    }
  }
  func failed(_ why: String) {
    change {
      $0.trouble = why
      $0.failures += 1
    }
  }
  func outage(_ begins: Bool) { change { $0.outages += begins ? 1 : -1 } }
  func found(damage: Int, in workspace: String) { change { $0.damage[workspace] = damage } }
  func recovered() { change { $0.trouble = nil } }
}
