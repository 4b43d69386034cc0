import Dispatch
import Model
import Records
import Service
import Store
import Synchronization

/// Brings the full-text index forward behind the commits: a few at once, on a queue of its own,
/// with a short rest before each round so that a busy server indexes in batches.
final class SearchWorker: Sendable {
  private let store: SQLiteStore
  private let health: Health
  private let workspaces: @Sendable () -> [WorkspaceID]
  private let queue = DispatchQueue(label: "search", qos: .utility)
  private let isScheduled = Atomic<Bool>(false)
  private let isStopped = Atomic<Bool>(false)

  private static let restMilliseconds = 50
  private static let batch = 500

  init(
    _ store: SQLiteStore, _ health: Health, workspaces: @escaping @Sendable () -> [WorkspaceID]
  ) {
    self.store = store
    self.health = health
    self.workspaces = workspaces
    store.onCommit { [weak self] in self?.wake() }
    wake()  // What was committed before the last stop.
  }

  func wake() { schedule(Self.restMilliseconds) }

  private func schedule(_ milliseconds: Int) {
    guard !isScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { self.run() }
  }

  private func run() {
    // Before the look, so that a commit in the middle of it wakes us again.
    isScheduled.store(false, ordering: .releasing)
    var why: String?
    for workspace in workspaces() {
      do throws(StoreFault) {
        while !isStopped.load(ordering: .acquiring),
          try !store.index(workspace, limit: Self.batch, words: SearchText.words)
        {}
      } catch {
        if isStopped.load(ordering: .acquiring) { return }
        // The others' entries are indexed all the same.
        why = error.description
      }
    }
    if isStopped.load(ordering: .acquiring) { return }
    health.search(why)
    // The next commit wakes us anyway; until then once every five seconds.
    if why != nil { schedule(5_000) }
  }

  /// Waits for a batch under way.
  func stop() {
    isStopped.store(true, ordering: .releasing)
    queue.sync {}
  }
}
