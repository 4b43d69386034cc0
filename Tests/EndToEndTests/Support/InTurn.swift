import Synchronization
import Testing

/// At most so many tests at once: each has a server with threads of its own, and a machine that
/// starts a hundred of
/// them together measures nothing but itself.
struct InTurn: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
  ) async throws {
    await Places.take()
    defer { Places.give() }
    try await body()
  }
}

extension Trait where Self == InTurn {
  static var inTurn: InTurn { InTurn() }
}

private enum Places {
  private static let state = Mutex((free: 6, waiting: [CheckedContinuation<Void, Never>]()))

  static func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  static func give() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
