import Dispatch
import Model
import Records
import Synchronization

/// Whether what is stored can be looked at. A disk that hangs stops readers too, since SQLite writes to the mapped index
/// of its log, and stops a writer before a commit begins whose end could be missed. So something small is read
/// again and again, and a look that does not come to its end is told. So is reading an attachment, or keeping
/// one, which may lie on a disk of its own.
final class DiskWatch: Sendable {
  private let health: Health
  private let files: ReadPool
  private let looks: ReadPool
  private let keeps: ReadPool
  private let look: @Sendable (_ then: @escaping @Sendable () -> Void) -> Void
  private let every: DispatchTimeInterval
  private let patienceNanoseconds: UInt64
  private let queue = DispatchQueue(label: "disk watch")
  private let state = Mutex(State())

  private struct State {
    var begun: DispatchTime?
    var isStopped = false
  }

  /// - Parameters:
  ///   - patience: how long a look may take.
  ///   - look: looks, elsewhere, and says when that has come to its end, well or not.
  init(
    _ health: Health, files: ReadPool, looks: ReadPool, keeps: ReadPool,
    every: DispatchTimeInterval = .seconds(1), patienceSeconds: Double = 5,
    look: @escaping @Sendable (_ then: @escaping @Sendable () -> Void) -> Void
  ) {
    (self.health, self.files, self.looks, self.keeps) = (health, files, looks, keeps)
    self.every = every
    self.look = look
    patienceNanoseconds = UInt64(patienceSeconds * 1e9)
    queue.async { [weak self] in self?.turn() }
  }

  func stop() { state.withLock { $0.isStopped = true } }

  /// A look reads four thousand times as much as a piece has, and each may take long.
  private static let lookTimes: UInt64 = 12
  /// A mail's are kept in one go, each synced.
  private static let keepTimes: UInt64 = 2

  private func watchFiles(_ now: DispatchTime) {
    /// For how long a job has gone on, where that is longer than it may take.
    func hangs(_ pool: ReadPool, times: UInt64 = 1) -> UInt64? {
      guard let since = pool.busySince, since < now else { return nil }
      let nanoseconds = now.uptimeNanoseconds - since.uptimeNanoseconds
      return nanoseconds > patienceNanoseconds * times ? nanoseconds : nil
    }
    health.filesHang(hangs(files) != nil || hangs(looks, times: Self.lookTimes) != nil)
    health.keepsHang(
      since: hangs(keeps, times: Self.keepTimes).map {
        Instant(milliseconds: health.clock.now.milliseconds - Int64($0 / 1_000_000))
      })
  }

  private func turn() {
    enum Step { case stop, look, wait, tell }
    let now = DispatchTime.now()
    let step = state.withLock { state -> Step in
      if state.isStopped { return .stop }
      guard let begun = state.begun else {
        state.begun = now
        return .look
      }
      let waited = now.uptimeNanoseconds - begun.uptimeNanoseconds
      return waited > patienceNanoseconds ? .tell : .wait
    }
    switch step {
    case .stop: return
    case .look: look { [weak self] in self?.ended() }
    case .wait: break
    case .tell: health.standsStill()
    }
    watchFiles(now)
    queue.asyncAfter(deadline: .now() + every) { [weak self] in self?.turn() }
  }

  private func ended() {
    state.withLock { $0.begun = nil }
    health.movesOn()
  }
}
