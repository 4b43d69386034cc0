import Dispatch
import Model
import Records
import Synchronization

/// Writes down who reads what, before the answer leaves, and keeps nobody from reading.
///
/// A look waits for its line to be durable for a moment and no longer: while the disk does not
/// answer, or refuses, the line goes to the log. Writing has a thread of its own, since those that
/// read are few.
final class AccessRecorder: Sendable {
  private let store: any Store
  private let health: Health
  private let queue = DispatchQueue(label: "accesses", qos: .userInitiated)
  /// Whether somebody has waited in vain for what is being written now.
  private let isLate = Atomic<Bool>(false)

  static let waitMilliseconds = 500

  init(_ store: any Store, _ health: Health) {
    self.store = store
    self.health = health
  }

  func record(_ rows: [AccessRow], _ workspace: WorkspaceID) {
    if health.isHanging || isLate.load(ordering: .acquiring) { return log(rows, Health.hangs) }
    let written = DispatchSemaphore(value: 0)
    queue.async { [self] in
      do throws(StoreFault) { try store.record(rows, workspace) } catch {
        log(rows, error.description)
      }
      isLate.store(false, ordering: .releasing)
      written.signal()
    }
    guard written.wait(timeout: .now() + .milliseconds(Self.waitMilliseconds)) == .timedOut else {
      return
    }
    isLate.store(true, ordering: .releasing)
    log(rows, "it is not written yet")
  }

  private func log(_ rows: [AccessRow], _ why: String) {
    let who = rows.map { "\($0.who) read \($0.what.name) \($0.customer.map { "\($0)" } ?? "")" }
    Log.fault("recording that \(who.joined(separator: ", "))", why)
  }
}
