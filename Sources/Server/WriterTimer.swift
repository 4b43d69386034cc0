import Dispatch
import Model
import Synchronization
import System

/// One deadline on a queue. Arming costs 3 µs, so that it is only done when the deadline comes
/// nearer; one that fires early finds nothing due and arms again.
final class WriterTimer: Sendable {
  private let queue: DispatchQueue
  private let armed = Mutex<Int64>(.max)
  private let handler = Mutex<Handler<Void>?>(nil)

  private let clock: ServiceClock
  init(queue: DispatchQueue, clock: ServiceClock) {
    self.queue = queue
    self.clock = clock
  }

  func handle(_ due: @escaping @Sendable () -> Void) { handler.withLock { $0 = Handler { due() } } }

  func fire(at deadline: Instant?) {
    guard let deadline else { return }
    let isNearer = armed.withLock { armed in
      guard deadline.milliseconds < armed else { return false }
      armed = deadline.milliseconds
      return true
    }
    guard isNearer else { return }
    let wait = max(0, min(deadline.milliseconds - clock.now.milliseconds, 3_600_000))
    queue.asyncAfter(deadline: .now() + .milliseconds(Int(wait))) { [weak self] in
      guard let self else { return }
      let isOurs = armed.withLock { armed in
        guard armed == deadline.milliseconds else { return false }
        armed = .max
        return true
      }
      if isOurs { handler.withLock { $0 }?.call(()) }
    }
  }
}
