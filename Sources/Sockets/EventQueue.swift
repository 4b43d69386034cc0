internal import CSockets
import Glibc
import System

/// What a lane asks of the kernel: which descriptors are ready. `EpollQueue` asks epoll; another
/// interface stands in by offering the same (`SocketServer.Options.makeQueue`), as one of the tests
/// does, which keeps to this contract and to nothing beyond it.
///
/// Level-triggered: what is ready and still wanted is told again, however often, so that a wait may
/// tell of nothing, or of some of it, in any order. A pause then needs no memory of what was missed.
/// What is told may be wrong: there may be nothing to read, no room after all, or nobody of that tag
/// any more.
protocol EventQueue: Sendable {
  /// Readable while anything is ready: Dispatch watches it when the lane has gone to rest.
  var descriptor: Int32 { get }
  /// Watches a descriptor. 0, or a negated errno, as when the kernel has no room for one more.
  func add(_ fd: Int32, _ interest: Interest, _ tag: UInt64) -> Int32
  func modify(_ fd: Int32, _ interest: Interest, _ tag: UInt64)
  func remove(_ fd: Int32)
  /// Waits at most so long; answers how many of `events` were filled.
  func wait(_ events: UnsafeMutableBufferPointer<ReadyEvent>, milliseconds: Int32) -> Int
  /// The last call.
  func close()
}

/// epoll. One `recv` that does not fill the buffer is the last for a batch: two system calls a request
/// either way, so edges would gain nothing.
struct EpollQueue: EventQueue {
  let descriptor: Int32

  init() throws(SystemError) {
    descriptor = try kernel(sk_epoll_create(), "make an event queue")
  }

  func add(_ fd: Int32, _ interest: Interest, _ tag: UInt64) -> Int32 {
    sk_epoll_add(descriptor, fd, interest.rawValue, tag)
  }

  func modify(_ fd: Int32, _ interest: Interest, _ tag: UInt64) {
    _ = sk_epoll_modify(descriptor, fd, interest.rawValue, tag)
  }

  func remove(_ fd: Int32) { _ = sk_epoll_remove(descriptor, fd) }

  func wait(_ events: UnsafeMutableBufferPointer<ReadyEvent>, milliseconds: Int32) -> Int {
    Int(max(0, sk_epoll_wait(descriptor, events.baseAddress, Int32(events.count), milliseconds)))
  }

  func close() { Glibc.close(descriptor) }
}

/// A descriptor's tag, and what it is ready for.
typealias ReadyEvent = sk_event

struct Interest: OptionSet, Equatable {
  let rawValue: UInt32
  static let readable = Interest(rawValue: UInt32(SK_IN))
  static let writable = Interest(rawValue: UInt32(SK_OUT))
  static let peerClosed = Interest(rawValue: UInt32(SK_RDHUP))
  static let failed = Interest(rawValue: UInt32(SK_ERR))
  static let hungUp = Interest(rawValue: UInt32(SK_HUP))
}

/// Turns a negated errno into a throw.
func kernel(_ result: Int32, _ operation: String, _ path: String = "") throws(SystemError) -> Int32
{
  if result < 0 { throw SystemError(operation, path, code: -result) }
  return result
}
