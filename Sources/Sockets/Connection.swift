internal import CSockets
import Glibc

/// One TCP or Unix connection. It belongs to its lane for life: it is not Sendable, so the compiler
/// keeps it there; others name it by `ref`.
///
/// Calls on it only state a wish (write, pause, close). At the end of the batch the lane *settles*
/// every connection that was touched: one gathered write, at most one change of interest, then the
/// close. So a handler is never called back from inside its own call, and ten writes in a batch
/// cost one system call.
///
/// | phase | reads | leaves by |
/// |---|---|---|
/// | `connecting` | no | writable → `open`, or `handshaking` under TLS; failure, timeout → `closing` |
/// | `handshaking` | for OpenSSL | done → `open`; failure → `lingering`; timeout → `closing` |
/// | `open` | unless paused | `closeAfterFlush` → `flushing`; `startTLS`, once all is sent → `handshaking` |
/// | `flushing` | no | all sent → `lingering`, or `closing` when all of its input has been read |
/// | `lingering` | and discards | the peer's end and its last acknowledgement, or the linger timer → `closing` |
/// | `closing` | no | settled → `closed` |
///
/// TLS stands between the socket and the handler, on the lane: see `Connection+TLS`.
public final class Connection {
  public let ref: ConnectionRef
  public let peer: SocketAddress
  /// The lane's own state; stay on it.
  public let loop: LaneLoop
  public internal(set) var handler: (any ConnectionHandler)?

  enum Phase { case connecting, handshaking, open, flushing, lingering, closing, closed }
  var phase: Phase
  var descriptor: Int32
  let limits: ConnectionLimits
  let listener: Listener?
  var reason = CloseReason.finished
  /// How long unsent bytes may stand still. A handler that ends a slow reader in its own way, and
  /// later than the listener would, takes the time for it.
  /// - Units: milliseconds.
  public var outputStallMilliseconds: Int

  var output: OutputQueue?
  var tls: TLSSession?
  var isUnsettled = false
  var isPaused = false
  var isBackedUp = false
  /// Whether the handler holds output back until there is room.
  var awaitsRoom = false
  /// Whether it stands in the lane's list of those who go on in the next batch.
  public private(set) var awaitsTurn = false
  var inputEnded = false
  var peerEndSeen = false
  /// Taken off the lane's epoll for its last moments.
  var isUnwatched = false
  /// Whether the kernel refused bytes since the last time all were sent.
  var isBlocked = false
  var interest: Interest = []

  var deadlines: InlineArray<5, Int64> = .init(repeating: .max)
  /// The tick at which the wheel will ask, or `.max`.
  var askedAtTick = Int64.max

  init(
    ref: ConnectionRef, peer: SocketAddress, descriptor: Int32, loop: LaneLoop,
    limits: ConnectionLimits,
    listener: Listener?, phase: Phase
  ) {
    (self.ref, self.peer, self.descriptor, self.loop) = (ref, peer, descriptor, loop)
    (self.limits, self.listener, self.phase) = (limits, listener, phase)
    outputStallMilliseconds = limits.outputStallMilliseconds
  }

  // MARK: What a handler may wish

  /// Another protocol is spoken from here on, after an upgrade; the old handler hears no more.
  public func become(_ handler: any ConnectionHandler) { self.handler = handler }

  /// Whether a write can still reach the peer.
  public var isWritable: Bool { phase == .open || phase == .connecting }

  /// Bytes written here that the kernel has not yet taken.
  public var unsentBytes: Int { output?.count ?? 0 }

  /// Whether more than `outputPauseBytes` is unsent, be the peer slow or not asked yet. Whoever then
  /// holds back what it would write hears `outputDrained` when half of that is left.
  public func mustAwaitRoom() -> Bool {
    guard unsentBytes > limits.outputPauseBytes else { return false }
    awaitsRoom = true
    return true
  }

  /// `outputDrained` comes when no more than half of `outputPauseBytes` is unsent, be it at the end
  /// of this batch: for whoever writes the next of much only then. Something must have been written.
  public func awaitRoom() { awaitsRoom = true }

  /// `hasTurn` comes in the lane's next batch, after everybody for whom there is something new: for whoever
  /// could go on for long, so that one peer's flood is not the others' wait.
  public func awaitTurn() {
    if awaitsTurn { return }
    awaitsTurn = true
    loop.owed.append(self)
  }

  /// Queues bytes; they leave at the end of the batch, and what the kernel does not take then, as
  /// the peer makes room. Ignored once the connection is closing. One write may be of any length;
  /// whoever has left more than `outputMaxBytes` unread by the next one is closed as a slow reader.
  public func write(_ bytes: UnsafeRawBufferPointer) {
    guard mayWrite(), !bytes.isEmpty else { return }
    borrowOutput().append(bytes)
    unsettle()
  }

  /// The same for an array, which is kept and not copied when it is large.
  public func write(_ bytes: [UInt8]) {
    guard mayWrite(), !bytes.isEmpty else { return }
    borrowOutput().append(bytes)
    unsettle()
  }

  /// The same for bytes that `body` appends where they will be sent from.
  public func write(_ body: (inout [UInt8]) -> Void) {
    guard mayWrite() else { return }
    borrowOutput().gather(body)
    unsettle()
  }

  /// The user id of the process at the other end of a Unix socket, as the kernel saw it when it
  /// connected; nil for any other connection.
  public var localUser: UInt32? {
    guard descriptor >= 0, case .path = peer else { return nil }
    return UInt32(exactly: sk_peer_user(descriptor))
  }

  /// Closes once everything written so far has left. Then the peer's own end is awaited for
  /// `lingerMilliseconds` while its bytes are discarded. Without `lingering` the socket closes at
  /// once, which costs a quarter less, but input that is unread, or still to come, then makes the
  /// kernel reset the connection and may destroy the last bytes: right only where the peer is known
  /// to be waiting for its end.
  public func closeAfterFlush(lingering: Bool = true) {
    switch phase {
    case .open:
      phase = .flushing
      if !lingering { inputEnded = true }
      for timer in ConnectionTimer.allCases { clearTimer(timer) }
      unsettle()
    case .connecting, .handshaking: close(because: .aborted)
    case .flushing, .lingering, .closing, .closed: break
    }
  }

  /// Closes now, with a reset, throwing unsent bytes away.
  public func abort() { close(because: .aborted) }

  public func close(because reason: CloseReason) {
    guard phase != .closing, phase != .closed else { return }
    self.reason = reason
    phase = .closing
    unsettle()
  }

  public func pauseReading() { setPaused(true) }
  public func resumeReading() { setPaused(false) }

  private func setPaused(_ isToPause: Bool) {
    guard isPaused != isToPause else { return }
    isPaused = isToPause
    unsettle()
  }

  /// Sets or moves the timer's one deadline. Putting it off costs nothing.
  /// - Units: milliseconds from now; it fires up to 16 ms late, never early.
  public func setTimer(_ timer: ConnectionTimer, milliseconds: Int) {
    guard phase == .open || phase == .connecting else { return }
    setDeadline(Int(timer.rawValue), milliseconds)
  }

  public func clearTimer(_ timer: ConnectionTimer) { deadlines[Int(timer.rawValue)] = .max }

  // MARK: Inside

  /// The deadline that is the connection's own: connecting, a stalled output, or lingering, by its
  /// phase.
  static let ownDeadline = 4

  func setDeadline(_ index: Int, _ milliseconds: Int) {
    // At least one, or a handler that sets 0 whenever it is called would be called for ever.
    let deadline = loop.nowMilliseconds + Int64(max(milliseconds, 1))
    deadlines[index] = deadline
    if TimingWheel.tick(of: deadline) < askedAtTick {
      askedAtTick = loop.wheel.insert(ref.tag, deadline: deadline)
    }
  }

  func serveTurn() {
    awaitsTurn = false
    if phase == .open { handler?.hasTurn(on: self) }
  }

  func unsettle() {
    if isUnsettled { return }
    isUnsettled = true
    loop.unsettled.append(self)
  }

  private func borrowOutput() -> OutputQueue {
    if let output { return output }
    let borrowed = loop.idleOutputs.popLast() ?? OutputQueue()
    output = borrowed
    return borrowed
  }

  private func mayWrite() -> Bool {
    if isWritable, unsentBytes > limits.outputMaxBytes { close(because: .slowReader) }
    return isWritable
  }

  var isReading: Bool {
    switch phase {
    case .open: !isPaused && !isBackedUp && !inputEnded && tls?.mayRead ?? true
    case .handshaking: !inputEnded && tls?.mayRead ?? true
    case .lingering: true
    case .connecting, .flushing, .closing, .closed: false
    }
  }
}
