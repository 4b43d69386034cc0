import Dispatch
import Synchronization

/// Values that arrive from a lane, awaited in order and never for ever.
public final class Arrivals<Value: Sendable>: Sendable {
  public struct NothingCame: Error {}
  private struct State {
    var values: [Value] = []
    var waiting: (id: Int, CheckedContinuation<Value, any Error>)?
    var nextID = 0
  }
  private let state = Mutex(State())

  public init() {}

  public func arrive(_ value: Value) {
    let waiting = state.withLock { state -> CheckedContinuation<Value, any Error>? in
      if let waiting = state.waiting {
        state.waiting = nil
        return waiting.1
      }
      state.values.append(value)
      return nil
    }
    waiting?.resume(returning: value)
  }

  /// Whether everything that arrived has been taken.
  public var isEmpty: Bool { state.withLock { $0.values.isEmpty } }

  public func next(withinSeconds bound: Int = 60) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let id = state.withLock { state -> Int? in
        if !state.values.isEmpty {
          continuation.resume(returning: state.values.removeFirst())
          return nil
        }
        state.nextID += 1
        state.waiting = (state.nextID, continuation)
        return state.nextID
      }
      guard let id else { return }
      DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(bound)) { [state = self] in
        state.giveUp(id)
      }
    }
  }

  private func giveUp(_ id: Int) {
    let waiting = state.withLock { state -> CheckedContinuation<Value, any Error>? in
      guard let waiting = state.waiting, waiting.id == id else { return nil }
      state.waiting = nil
      return waiting.1
    }
    waiting?.resume(throwing: NothingCame())
  }
}
