import Synchronization

/// What pools do for one exchange, one job after the other. It is called off when the exchange is
/// over, whose client may have left: then nothing is begun any more, and what the job that waits
/// holds is let go at once. What is under way comes to its end.
final class Errand: Sendable {
  private struct State {
    var job: ReadPool.Job?
    var isOver = false

    mutating func take() -> ReadPool.Job? {
      defer { job = nil }
      return job
    }
  }
  private let state = Mutex(State())

  func run(in pool: ReadPool, _ job: @escaping ReadPool.Job) {
    let isWanted = state.withLock { state in
      if !state.isOver { state.job = job }
      return !state.isOver
    }
    if isWanted { pool.run { reads in self.state.withLock { $0.take() }?(reads) } }
  }

  var isOver: Bool { state.withLock { $0.isOver } }

  func callOff() {
    // What it holds may be large: it goes when nobody waits for the lock.
    let waiting = state.withLock { state in
      state.isOver = true
      return state.take()
    }
    withExtendedLifetime(waiting) {}
  }
}
