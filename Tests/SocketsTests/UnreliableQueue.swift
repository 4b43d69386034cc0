import Glibc
import Synchronization
import System

@testable import Sockets

/// A kernel that keeps to the contract of `EventQueue` and to nothing that epoll does besides.
final class UnreliableQueue: EventQueue {
  enum Kind: Sendable {
    /// Tells of nothing now and then, of a part, in any order, of what is not so, and of the dead.
    case vague(UInt64)
    /// Has no room for so many connections, the first ones; then it has.
    case full(FullFor)
    /// Has none for so many listeners.
    case fullForListeners(FullFor)
  }
  /// How many are still turned away, over all lanes.
  final class FullFor: Sendable {
    private let left: Mutex<Int>
    init(_ count: Int) { left = Mutex(count) }
    func isFull() -> Bool {
      left.withLock { left in
        left -= 1
        return left >= 0
      }
    }
  }

  private let real: EpollQueue
  private let kind: Kind
  private let state: Mutex<State>
  private struct State: Sendable {
    var random: ChaosTests.Seeded
    /// What was told once, to be told again.
    var told: [ReadyEvent] = []
  }

  init(_ kind: Kind) throws(SystemError) {
    real = try EpollQueue()
    self.kind = kind
    var seed: UInt64 = 1
    if case .vague(let given) = kind { seed = given }
    state = Mutex(State(random: .init(state: seed)))
  }

  var descriptor: Int32 { real.descriptor }

  func add(_ fd: Int32, _ interest: Interest, _ tag: UInt64) -> Int32 {
    let isConnection = tag >> 32 != 0
    let isListener = !isConnection && tag >= LaneLoop.Tag.firstListener
    switch kind {
    case .full(let full) where isConnection && full.isFull(): return -ENOSPC
    case .fullForListeners(let full) where isListener && full.isFull(): return -ENOSPC
    default: return real.add(fd, interest, tag)
    }
  }

  func modify(_ fd: Int32, _ interest: Interest, _ tag: UInt64) { real.modify(fd, interest, tag) }
  func remove(_ fd: Int32) { real.remove(fd) }
  func close() { real.close() }

  func wait(_ events: UnsafeMutableBufferPointer<ReadyEvent>, milliseconds: Int32) -> Int {
    guard case .vague = kind else { return real.wait(events, milliseconds: milliseconds) }
    return state.withLock { state in
      if Int.random(in: 0..<8, using: &state.random) == 0 { return 0 }  // as if interrupted
      // Room is left for what is told once more.
      let some = UnsafeMutableBufferPointer(rebasing: events[..<(events.count / 2)])
      var count = real.wait(some, milliseconds: milliseconds)
      var told = UnsafeMutableBufferPointer(rebasing: events[..<count])
      told.shuffle(using: &state.random)
      state.told.append(contentsOf: told)
      if state.told.count > 64 { state.told.removeFirst(state.told.count - 64) }
      if count > 1 { count = Int.random(in: 1...count, using: &state.random) }
      for _ in 0..<Int.random(in: 0...2, using: &state.random) {
        guard let again = state.told.randomElement(using: &state.random) else { break }
        events[count] = again
        count += 1
      }
      return count
    }
  }
}
