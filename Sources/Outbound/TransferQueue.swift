internal import CCurl
import Dispatch
import Synchronization

/// Transfers that wait, and a few threads that carry them out, each with a libcurl multi handle of
/// its own. A thread runs only while something is under way.
final class TransferQueue: Sendable {
  /// Made on the thread when its turn comes: libcurl handles never cross threads.
  struct Waiting: Sendable {
    var make: @Sendable (_ id: UInt64) -> OpaquePointer?
    var done: @Sendable (OpaquePointer?) -> Void
    /// Its turn will not come.
    var dropped: @Sendable () -> Void
  }

  private struct State {
    var waiting: [Waiting] = []
    var isStopped = false
    var idle: [Int]
  }

  private struct Carrier: Sendable {
    let queue: DispatchQueue
    // Used on `queue` alone, but for waking, which libcurl allows from anywhere.
    nonisolated(unsafe) let multi: OpaquePointer
  }

  private let carriers: [Carrier]
  private let activeMax: Int
  private let waitingMax: Int
  private let state: Mutex<State>

  init(_ name: String, threads: Int, activePerThread: Int, waitingMax: Int) {
    activeMax = activePerThread
    self.waitingMax = waitingMax
    carriers = (0..<max(threads, 1)).map { index in
      guard let multi = cc_multi_create(Int32(clamping: activePerThread)) else {
        preconditionFailure("no memory for outgoing transfers")
      }
      return Carrier(queue: DispatchQueue(label: "outgoing \(name) \(index)"), multi: multi)
    }
    state = Mutex(State(idle: Array(carriers.indices)))
  }

  deinit { for each in carriers { cc_multi_free(each.multi) } }

  /// Begins a transfer when its turn comes. False when too many wait already.
  func submit(_ waiting: Waiting) -> Bool {
    enum Outcome { case refused, starts(Int), joins }
    let outcome = state.withLock { state -> Outcome in
      if state.isStopped || state.waiting.count >= waitingMax { return .refused }
      state.waiting.append(waiting)
      return state.idle.popLast().map { .starts($0) } ?? .joins
    }
    switch outcome {
    case .refused: return false
    case .starts(let index): carriers[index].queue.async { self.run(index) }
    case .joins: for each in carriers { cc_multi_wake(each.multi) }
    }
    return true
  }

  /// Begins nothing any more; what is under way goes on.
  func stop() {
    let dropped = state.withLock { state in
      state.isStopped = true
      defer { state.waiting.removeAll() }
      return state.waiting
    }
    for each in dropped { each.dropped() }
  }

  /// Runs until nothing is under way here and nothing waits.
  private func run(_ index: Int) {
    let multi = carriers[index].multi
    var active: [UInt64: Waiting] = [:]
    var nextID: UInt64 = 0
    while let taken = take(activeMax - active.count, orRest: active.isEmpty ? index : nil) {
      for each in taken {
        nextID += 1
        guard let transfer = each.make(nextID) else {
          each.done(nil)
          continue
        }
        if cc_multi_start(multi, transfer) == 0 {
          active[nextID] = each
        } else {
          finish(each, transfer, nil)
        }
      }
      let running = cc_multi_turn(multi, 1_000)
      precondition(running >= 0, "libcurl's multi handle is broken")
      while let transfer = cc_multi_next_done(multi) {
        guard let each = active.removeValue(forKey: cc_transfer_id(transfer)) else { continue }
        finish(each, transfer, transfer)
      }
    }
  }

  private func finish(_ waiting: Waiting, _ transfer: OpaquePointer, _ result: OpaquePointer?) {
    waiting.done(result)
    cc_transfer_free(transfer)
  }

  /// Up to so many that wait. Nil when there are none and the thread may rest: it then counts as
  /// idle.
  private func take(_ room: Int, orRest index: Int?) -> [Waiting]? {
    state.withLock { state in
      if state.waiting.isEmpty, let index {
        state.idle.append(index)
        return nil
      }
      let taken = Array(state.waiting.prefix(max(room, 0)))
      state.waiting.removeFirst(taken.count)
      return taken
    }
  }
}
