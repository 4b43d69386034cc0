import DequeModule
import Dispatch
import Records
import Synchronization
import System

/// Commits for all workspaces, one transaction after the other. While one is being synced, the
/// writers decide on, and the next transaction takes that: group commit, without a timer and
/// without waiting.
///
/// Workspaces take turns. A transaction is full past so many commands, and no workspace brings more
/// than its writer lets it decide, so that a flood of one makes another wait for two transactions
/// of bounded length: the one under way and the one that takes it along.
public final class CommitLoop: Sendable {
  private let queue = DispatchQueue(label: "commit", qos: .userInitiated)
  private let waiting = Mutex<Waiting>(Waiting())
  private let store: any Store
  let health: Health
  /// A commit that takes longer is told of: the disk hangs.
  private let patience: DispatchTimeInterval
  /// Past this many commands a transaction takes no further workspace along.
  static let commandsPerTransaction = 4_000

  private struct Waiting {
    var writers: Deque<Writer> = []
    /// Whose commit is under way, or was the last.
    var committing: [Writer] = []
    var isRunning = false
    var isStopped = false
  }

  public init(store: any Store, health: Health, patience: DispatchTimeInterval = .seconds(5)) {
    self.store = store
    self.health = health
    self.patience = patience
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
    waiting.withLock { $0.committing = [] }
  }

  private func run() {
    while let batch = nextBatch() { if !batch.isEmpty { commit(batch) } }
  }

  /// What those who wait have decided, of each once, in their turn; nil when nobody waits any more.
  private func nextBatch() -> [(Writer, Commit)]? {
    var left = waiting.withLock { waiting in
      if waiting.writers.isEmpty { waiting.isRunning = false }
      return waiting.writers.count
    }
    if left == 0 { return nil }
    var batch: [(Writer, Commit)] = []
    var commands = 0
    while left > 0, commands < Self.commandsPerTransaction,
      let writer = waiting.withLock({ $0.writers.popFirst() })
    {
      left -= 1
      guard let commit = writer.gather() else { continue }
      batch.append((writer, commit))
      commands += commit.log.count
    }
    return batch
  }

  private func commit(_ batch: [(Writer, Commit)]) {
    let begun = MonotonicClock.nowNanoseconds
    waiting.withLock { $0.committing = batch.map(\.0) }
    watch(health.begins())
    do throws(StoreFault) {
      try store.commit(batch.map(\.1))
      if health.ended() { Log.note("the disk answers again; service goes on") }
      let isBack = health.committed(
        batch.reduce(0) { $0 + $1.1.log.count },
        microseconds: (MonotonicClock.nowNanoseconds - begun) / 1_000)
      if isBack { Log.note("storage is back; service goes on") }
      for (writer, commit) in batch { writer.committed(commit) }
    } catch {
      health.ended()
      if health.failed(error.description) { Log.fault("committing", error.description) }
      for (writer, _) in batch { writer.failed(error) }
      retry(batch.map(\.0))
    }
  }

  /// Looks after a while at whether the commit of this number is still under way. Those that begin
  /// meanwhile are not watched one by one: a busy loop sets one timer in that while.
  private func watch(_ number: Int64?) {
    guard let number else { return }
    DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + patience) { [weak self] in
      guard let self else { return }
      switch health.look(at: number) {
      case .ended: break
      case .hangs:
        Log.fault("committing", Health.hangs)
        for writer in waiting.withLock({ $0.committing + $0.writers }) { writer.tellReaders() }
      case .another(let next): watch(next)
      }
    }
  }

  /// A writer can no longer trust what it has in memory.
  func rescue(_ writer: Writer, because why: String) {
    if health.failed(why) { Log.fault("deciding for workspace \(writer.name)", why) }
    retry([writer])
  }

  /// Tries once a second to read the state from disk again; service resumes by itself when the
  /// cause is gone. That it is, only the next commit can tell: whoever has read their state again
  /// begins with one.
  private func retry(_ writers: [Writer]) {
    queue.asyncAfter(deadline: .now() + .seconds(1)) {
      if self.waiting.withLock({ $0.isStopped }) { return }
      let left = writers.filter { !$0.recover() }
      if !left.isEmpty { self.retry(left) }
    }
  }
}
