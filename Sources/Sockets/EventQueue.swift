internal import CSockets
import Glibc
import System

/// What a lane asks of the kernel: which descriptors are ready. This one is epoll, level-triggered;
/// another
/// interface stands in by offering these five calls.
///
/// Level-triggered, because a pause then needs no memory of what was missed, and because one `recv`
/// that
/// does not fill the buffer is the last for this batch: two system calls a request either way.
struct EventQueue {
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

  /// Waits at most so long; answers how many of `events` were filled.
  func wait(_ events: UnsafeMutableBufferPointer<sk_event>, milliseconds: Int32) -> Int {
    Int(max(0, sk_epoll_wait(descriptor, events.baseAddress, Int32(events.count), milliseconds)))
  }

  static let batchMax = Int(SK_EVENTS_MAX)
}

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
