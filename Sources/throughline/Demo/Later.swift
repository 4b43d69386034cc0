import Foundation
import Synchronization

/// What goes on beside the story, on a thread of its own: somebody who waits for a case, a phone
/// that rings.
final class Later<Value: Sendable>: Sendable {
  private let outcome = Mutex<Result<Value, any Error>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  init(_ body: @escaping @Sendable () throws -> Value) {
    Thread.detachNewThread { [self] in
      let result = Result { try body() }
      outcome.withLock { $0 = result }
      done.signal()
    }
  }

  /// Waits for the outcome; to be asked once.
  func value() throws -> Value {
    guard done.wait(timeout: .now() + .seconds(Peer.patienceSeconds)) == .success,
      let outcome = outcome.withLock({ $0 })
    else { throw Peer.Fault("nothing came within \(Peer.patienceSeconds) s") }
    return try outcome.get()
  }
}

/// Milliseconds since some moment.
struct Stopwatch: Sendable {
  private let began = ContinuousClock.now

  var milliseconds: Double {
    let passed = ContinuousClock.now - began
    return Double(passed.components.seconds) * 1e3 + Double(passed.components.attoseconds) / 1e15
  }
}
