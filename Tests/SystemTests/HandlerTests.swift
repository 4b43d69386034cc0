import Synchronization
import Testing

@testable import System

struct HandlerTests {
  /// A bare closure would be wrapped at every look, and a call through so many thunks ends the
  /// stack.
  @Test func `a handler in a mutex may be looked at a million times`() {
    let calls = Atomic<Int>(0)
    let shared = Mutex<Handler<Int>?>(Handler { calls.add($0, ordering: .relaxed) })
    for _ in 0..<1_000_000 { _ = shared.withLock { $0 } }
    shared.withLock { $0 }?.call(2)
    #expect(calls.load(ordering: .relaxed) == 2)
  }
}
