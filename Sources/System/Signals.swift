internal import CSystem
import Dispatch
import Glibc

public enum Signal: Int32, Sendable, CaseIterable {
  case hangUp = 1
  case interrupt = 2
  case terminate = 15
}

/// Signals as events on a queue, never as interruptions of whatever was running: a handler of two
/// lines of C writes the number into a pipe, and a Dispatch source reads it. (Masking them instead
/// would have to come before the process has any second thread, which Dispatch and a test runner
/// decide for themselves.)
public final class SignalWatch: Sendable {
  private let signals: [Signal]
  // Dispatch objects are safe from any thread; their Swift type does not say so on Linux.
  private nonisolated(unsafe) let source: any DispatchSourceRead

  /// Calls `handler` on a queue of its own for each of the signals, until the watch is let go. One
  /// watch per signal and process: a later one takes over.
  public init(
    _ signals: [Signal], _ handler: @escaping @Sendable (Signal) -> Void
  ) throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    _ = try SystemError.check(
      ends.withUnsafeMutableBufferPointer { tl_pipe($0.baseAddress) }, "make a pipe")
    let (reading, writing) = (ends[0], ends[1])
    source = DispatchSource.makeReadSource(
      fileDescriptor: reading, queue: DispatchQueue(label: "signals"))
    source.setEventHandler {
      var byte: UInt8 = 0
      while Glibc.read(reading, &byte, 1) == 1 {
        if let signal = Signal(rawValue: Int32(byte)) { handler(signal) }
      }
    }
    source.setCancelHandler {
      close(reading)
      close(writing)
    }
    source.activate()
    self.signals = signals
    for signal in signals {
      _ = try SystemError.check(tl_watch_signal(signal.rawValue, writing), "watch a signal")
    }
  }

  /// Writing to a closed connection is an error to handle, not a reason to die.
  public static func ignoreBrokenPipes() { tl_ignore_signal(SIGPIPE) }

  deinit {
    for signal in signals { _ = tl_watch_signal(signal.rawValue, -1) }
    source.cancel()
  }
}
