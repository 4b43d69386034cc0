import Glibc

/// Stopping without cutting anyone off who finishes in time.
extension LaneLoop {
  struct Draining {
    /// Called once, on the lane, with the connections that had to be cut off.
    var done: @Sendable (Int) -> Void
    var cutOff = 0
  }

  func startDraining(withinMilliseconds bound: Int, done: @escaping @Sendable (Int) -> Void) {
    guard draining == nil else { return }
    draining = Draining(done: done)
    stopAccepting()
    forEachConnection { connection in
      switch connection.phase {
      case .connecting, .handshaking: connection.close(because: .shutdown)
      case .open: connection.handler?.draining(connection)
      case .flushing, .lingering, .closing, .closed: break
      }
    }
    after(milliseconds: bound) { $0.cutOff() }
  }

  private func cutOff() {
    forEachConnection { connection in
      draining?.cutOff += 1
      connection.close(because: .shutdown)
    }
  }

  /// Whether the lane was asked to stop and nothing holds it any more. The lane is stopped before
  /// `done` is told, so that whatever is posted from then on is reported as undelivered.
  func checkDrained() -> Bool {
    guard let draining, openConnections == 0 else { return false }
    lane.stop()
    runLastMail()
    finish()
    self.draining = nil
    draining.done(draining.cutOff)
    return true
  }
}
