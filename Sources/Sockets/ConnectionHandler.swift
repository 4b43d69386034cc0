/// The protocol spoken on one connection. It lives on the connection's lane, is called there alone,
/// one call at a time, and may keep the connection. None of these may block.
///
/// ```
///            ┌─────── received, delivered, timedOut, secured ───────┐
/// (connect)  │                                                      │
///  ───────▶ opened ──▶ open ──▶ peerClosedWrite ──▶ half-open ──▶ closed
///     └───────────────────────── connectFailed, connectTimedOut ──────▲
/// ```
/// `closed` comes exactly once, last, and never from inside a call that this handler makes on its
/// connection.
public protocol ConnectionHandler: AnyObject {
  /// The connection stands; under a listener with TLS, its handshake is done.
  func opened(_ connection: Connection)

  /// The handshake that `startTLS` asked for is done.
  func secured(_ connection: Connection)

  /// Bytes as they came. The memory is the lane's and is good for this call only: keep what is not
  /// yet understood. All that is handed over has been taken from the kernel; pausing does not give
  /// it back.
  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection)

  /// The peer will send no more; it may still read.
  func peerClosedWrite(_ connection: Connection)

  /// The peer has said that it will send no more while reading was paused: what it sent before is
  /// still unread and comes, followed by `peerClosedWrite`, after `resumeReading`.
  func peerClosedWhilePaused(_ connection: Connection)

  /// What somebody posted to this connection's `ConnectionRef`, in the order in which one poster
  /// posted.
  func delivered(_ payload: any Sendable, on connection: Connection)

  func timedOut(_ timer: ConnectionTimer, on connection: Connection)

  /// The peer reads more slowly than we write: past `outputPauseBytes` reading stops until it has
  /// caught up.
  func outputBacksUp(_ connection: Connection)
  /// It has caught up, or there is room for what `mustAwaitRoom` held back, or `awaitRoom` waits for.
  func outputDrained(_ connection: Connection)

  /// What `awaitTurn` put off may go on.
  func hasTurn(on connection: Connection)

  /// The server is stopping: finish what is in flight and close. Who has not within the bound is
  /// cut off.
  func draining(_ connection: Connection)

  func closed(_ connection: Connection, _ reason: CloseReason)
}

extension ConnectionHandler {
  public func opened(_ connection: Connection) {}
  public func secured(_ connection: Connection) {}
  public func peerClosedWrite(_ connection: Connection) { connection.closeAfterFlush() }
  public func peerClosedWhilePaused(_ connection: Connection) {}
  public func hasTurn(on connection: Connection) {}
  public func delivered(_ payload: any Sendable, on connection: Connection) {}
  public func timedOut(_ timer: ConnectionTimer, on connection: Connection) {
    connection.close(because: .timedOut(timer))
  }
  public func outputBacksUp(_ connection: Connection) {}
  public func outputDrained(_ connection: Connection) {}
  public func draining(_ connection: Connection) { connection.closeAfterFlush() }
  public func closed(_ connection: Connection, _ reason: CloseReason) {}
}

/// The timers every connection has, each one deadline. What they mean is the handler's to say.
public enum ConnectionTimer: UInt8, CaseIterable, Sendable {
  /// Nothing is going on.
  case idle
  /// A head, a line or a handshake that has begun must end.
  case head
  case body
  /// An answer from within: a long-poll, a ping's pong.
  case answer
}

/// Why a connection ended.
public enum CloseReason: Hashable, Sendable {
  /// The handler was done, and everything was sent.
  case finished
  /// The handler gave up.
  case aborted
  /// The kernel's errno: ECONNRESET, EPIPE, ETIMEDOUT and the like.
  case peerReset(Int32)
  /// Too much unread output, or none of it read for too long.
  case slowReader
  case timedOut(ConnectionTimer)
  case connectFailed(Int32)
  case connectTimedOut
  /// TLS could not be agreed on, or what came was no TLS, then or later.
  case handshakeFailed
  /// The bound on draining passed.
  case shutdown

  /// The name under which it is counted.
  public var label: String {
    switch self {
    case .finished: "finished"
    case .aborted: "aborted"
    case .peerReset: "peer_reset"
    case .slowReader: "slow_reader"
    case .timedOut: "timed_out"
    case .connectFailed: "connect_failed"
    case .connectTimedOut: "connect_timed_out"
    case .shutdown: "shutdown"
    case .handshakeFailed: "handshake_failed"
    }
  }

  static let labels = [
    "finished", "aborted", "peer_reset", "slow_reader", "timed_out", "connect_failed",
    "connect_timed_out",
    "shutdown", "handshake_failed",
  ]

  var index: Int {
    switch self {
    case .finished: 0
    case .aborted: 1
    case .peerReset: 2
    case .slowReader: 3
    case .timedOut: 4
    case .connectFailed: 5
    case .connectTimedOut: 6
    case .shutdown: 7
    case .handshakeFailed: 8
    }
  }
}

/// The bounds of one connection.
public struct ConnectionLimits: Sendable {
  /// Unsent bytes past which reading pauses, until half of them are gone.
  public var outputPauseBytes = 256 << 10
  /// Unsent bytes past which a further write closes the connection as a slow reader's.
  public var outputMaxBytes = 4 << 20
  /// How long unsent bytes may stand without a single one being taken.
  public var outputStallMilliseconds = 30_000
  /// How long a TLS handshake may take.
  public var handshakeMilliseconds = 10_000
  /// How long a finished connection waits for the peer's end, so that our last bytes are not lost
  /// to a reset (RFC 9112 §9.6).
  public var lingerMilliseconds = 2_000

  public init() {}
}

/// Names a connection from anywhere: a value that outlives it and never names another.
public struct ConnectionRef: Hashable, Sendable {
  public let lane: UInt16
  let slot: UInt32
  let generation: UInt32
  /// Slot and generation in one word; with the lane it is the whole reference.
  public var tag: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

  init(lane: UInt16, slot: UInt32, generation: UInt32) {
    self.lane = lane
    self.slot = slot
    self.generation = generation
  }

  public init(lane: UInt16, tag: UInt64) {
    self.init(
      lane: lane, slot: UInt32(truncatingIfNeeded: tag),
      generation: UInt32(truncatingIfNeeded: tag >> 32))
  }
}
