/// What a lane has done since it started, for `/metrics`.
public struct LaneStatistics: Sendable {
  public var accepted: UInt64 = 0
  public var connected: UInt64 = 0
  public var open: Int = 0
  public var bytesIn: UInt64 = 0
  public var bytesOut: UInt64 = 0
  /// Batches of events taken from the kernel.
  public var batches: UInt64 = 0
  /// Times that Dispatch had to start the lane after it had gone to sleep.
  public var wakeups: UInt64 = 0
  /// Times that a connection left something undone so that others had their turn.
  public var turnsPutOff: UInt64 = 0
  public var delivered: UInt64 = 0
  public var undelivered: UInt64 = 0
  public var refusedPerAddress: UInt64 = 0
  /// TLS handshakes that were done, and how many of them resumed an earlier session.
  public var handshakes: UInt64 = 0
  public var handshakesResumed: UInt64 = 0
  /// Times that accepting stopped because connections or descriptors ran out.
  public var acceptPauses: UInt64 = 0
  var closedByReason: InlineArray<9, UInt64> = .init(repeating: 0)

  public var closed: [(reason: String, count: UInt64)] {
    CloseReason.labels.enumerated().map { ($0.element, closedByReason[$0.offset]) }
  }
}
