import Synchronization
import Testing

/// At most so many tests at once: each has a server with threads of its own, and a machine that
/// starts a hundred of them together measures nothing but itself.
struct InTurn: SuiteTrait, TestTrait, TestScoping {
  /// Of six.
  var places = 1
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
  ) async throws {
    await Places.take(places)
    defer { Places.give(places) }
    try await body()
  }
}

extension Trait where Self == InTurn {
  static var inTurn: InTurn { InTurn() }
  /// For who looks at what all servers of this process share, such as its log.
  static var alone: InTurn { InTurn(places: Places.all) }
}

private enum Places {
  static let all = 6
  private typealias Waiting = (places: Int, continuation: CheckedContinuation<Void, Never>)
  private static let state = Mutex((free: all, waiting: [Waiting]()))

  /// Whoever came first is served first, so that who wants all of them gets them.
  static func take(_ places: Int) async {
    await withCheckedContinuation { continuation in
      state.withLock { $0.waiting.append((places, continuation)) }
      give(0)
    }
  }

  static func give(_ places: Int) {
    let next = state.withLock { state -> [Waiting] in
      state.free += places
      var next: [Waiting] = []
      while let first = state.waiting.first, first.places <= state.free {
        state.free -= first.places
        next.append(state.waiting.removeFirst())
      }
      return next
    }
    for one in next { one.continuation.resume() }
  }
}
