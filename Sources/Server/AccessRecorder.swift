import Dispatch
import Model
import Records
import Synchronization

/// Writes down who reads what, before the answer leaves, and keeps nobody from reading.
///
/// A look waits for its line to be durable for a moment and no longer: while the disk does not
/// answer, lines wait in memory and looks do not wait for them. A line goes to the log only where it
/// is not written: the disk refuses it, too many wait, or the server stops before the disk answers.
/// Writing has a thread of its own, since those that read are few.
final class AccessRecorder: Sendable {
  private struct Look {
    var rows: [AccessRow]
    var workspace: WorkspaceID
    var written: DispatchSemaphore
  }

  private struct State {
    /// In their order.
    var waiting: [Look] = []
    var underWay: [Look] = []
    /// Rows that are not written yet.
    var unwritten = 0
    /// Looks that came, and how many of them, from the first on, are done with.
    var came = 0
    var done = 0
    /// The last look that waited in vain: until it is done nobody else waits.
    var late = 0
  }

  private let store: any Store
  private let health: Health
  private let queue = DispatchQueue(label: "accesses", qos: .userInitiated)
  private let state = Mutex(State())
  private let waitMilliseconds: Int

  static let waitMilliseconds = 500
  /// Rows that may wait, some hundred bytes each.
  static let waitingMax = 10_000
  /// Rows of one transaction.
  private static let batchMax = 1_000

  init(
    _ store: any Store, _ health: Health,
    waitMilliseconds: Int = AccessRecorder.waitMilliseconds
  ) {
    self.store = store
    self.health = health
    self.waitMilliseconds = waitMilliseconds
  }

  func record(_ rows: [AccessRow], _ workspace: WorkspaceID) {
    let look = Look(rows: rows, workspace: workspace, written: DispatchSemaphore(value: 0))
    let entered: (number: Int, waits: Bool)? = state.withLock { state in
      guard state.unwritten == 0 || state.unwritten + rows.count <= Self.waitingMax else {
        return nil
      }
      state.waiting.append(look)
      state.unwritten += rows.count
      state.came += 1
      return (state.came, state.late <= state.done)
    }
    guard let entered else { return log(rows, "too many wait for the disk already") }
    queue.async { [self] in writeBatch() }
    guard entered.waits, !health.isHanging,
      look.written.wait(timeout: .now() + .milliseconds(waitMilliseconds)) == .timedOut
    else { return }
    state.withLock { $0.late = max($0.late, entered.number) }
  }

  /// Waits a moment for what is not written yet; what is not then goes to the log.
  func finish(milliseconds: Int = 5_000) {
    let end = DispatchSemaphore(value: 0)
    queue.async { end.signal() }
    guard end.wait(timeout: .now() + .milliseconds(milliseconds)) == .timedOut else { return }
    let left = state.withLock { state in
      defer { state.waiting = [] }
      return state.underWay + state.waiting
    }
    for look in left { log(look.rows, "the server stops before the disk has answered") }
  }

  /// What waits and is of one workspace, in one transaction.
  private func writeBatch() {
    let batch = state.withLock { state in
      guard let first = state.waiting.first else { return [Look]() }
      var (count, rows) = (0, 0)
      for look in state.waiting {
        rows += look.rows.count
        guard count == 0 || look.workspace == first.workspace && rows <= Self.batchMax else {
          break
        }
        count += 1
      }
      state.underWay = Array(state.waiting.prefix(count))
      state.waiting.removeFirst(count)
      return state.underWay
    }
    guard let workspace = batch.first?.workspace else { return }
    let rows = batch.flatMap(\.rows)
    do throws(StoreFault) { try store.record(rows, workspace) } catch {
      log(rows, error.description)
    }
    state.withLock {
      $0.underWay = []
      $0.unwritten -= rows.count
      $0.done += batch.count
    }
    for look in batch { look.written.signal() }
  }

  private func log(_ rows: [AccessRow], _ why: String) {
    let who = rows.map { "\($0.who) read \($0.what.name) \($0.customer.map { "\($0)" } ?? "")" }
    Log.fault("recording that \(who.joined(separator: ", "))", why)
  }
}
