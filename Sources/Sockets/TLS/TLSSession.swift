internal import CTLS
import Glibc

/// OpenSSL's half of one connection.
///
/// It owns no input: bytes are lent to it from the lane's buffer and are all read before the loan
/// ends, unless an answer of its own (to a KeyUpdate) finds no room in the socket; then the rest is
/// kept, and reading waits.
final class TLSSession {
  private let session: OpaquePointer
  private let context: AnyObject  // must live as long
  /// False while what was written in plain is still leaving, before STARTTLS takes hold.
  var isStarted = false
  /// Whether a handshake's bytes, or such an answer, wait for room in the socket.
  private(set) var wantsRoom = false
  let isUpgrade: Bool

  private init(_ session: OpaquePointer, _ context: AnyObject, isUpgrade: Bool) {
    (self.session, self.context, self.isUpgrade) = (session, context, isUpgrade)
  }

  static func accept(_ context: TLSServerContext, _ descriptor: Int32, isUpgrade: Bool)
    -> TLSSession?
  {
    tls_accept(context.pointer, descriptor).map { TLSSession($0, context, isUpgrade: isUpgrade) }
  }

  static func connect(_ client: TLSLoopbackClient, _ descriptor: Int32) -> TLSSession? {
    tls_connect(client.pointer, descriptor, client.serverName, client.resumes ? 1 : 0)
      .map { TLSSession($0, client, isUpgrade: false) }
  }

  deinit { tls_free(session) }

  var mayRead: Bool { isStarted && !wantsRoom }

  enum Outcome { case done, waits, ended, failed }

  func lend(_ bytes: UnsafeRawBufferPointer) { tls_lend(session, bytes.baseAddress, bytes.count) }

  /// Ends the loan; false when there is no memory for what is left.
  func keepRest() -> Bool { tls_keep_rest(session) == 1 }

  func handshake() -> Outcome { outcome(tls_handshake(session)) }

  /// Decrypts as many records as are there and fit; answers how many bytes, and what then.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> (count: Int, then: Outcome) {
    var count = 0
    while count < buffer.count {
      let got = tls_read(session, buffer.baseAddress.map { $0 + count }, buffer.count - count)
      if got <= 0 { return (count, outcome(got)) }
      count += got
    }
    return (count, .done)
  }

  /// As `OutputQueue.send`: the count sent, or a negated errno.
  func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    let sent = tls_write(session, bytes.baseAddress, bytes.count)
    switch sent {
    case TLS_WANTS_ROOM: return -Int(EAGAIN)
    // Without renegotiation a write never waits for input.
    case TLS_FAILED, TLS_WANTS_INPUT: return -Int(EPROTO)
    default: return sent
    }
  }

  /// Says that no more comes (close_notify).
  func finish() { if isStarted { tls_finish(session) } }

  private func outcome(_ result: Int) -> Outcome {
    wantsRoom = result == TLS_WANTS_ROOM
    switch result {
    case TLS_DONE: return .done
    case TLS_ENDED: return .ended
    case TLS_WANTS_INPUT, TLS_WANTS_ROOM: return .waits
    default: return .failed
    }
  }

  // MARK: What was agreed

  var agreement: TLSAgreement {
    var name = [CChar](repeating: 0, count: 256)
    let count = tls_alpn(session, &name)
    return TLSAgreement(
      version: tls_version(session) == 13 ? .v13 : .v12, wasResumed: tls_was_resumed(session) == 1,
      applicationProtocol: String(
        decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }

  var wasResumed: Bool { tls_was_resumed(session) == 1 }
}

/// What both sides of a TLS connection agreed on.
public struct TLSAgreement: Sendable, Equatable {
  public var version: TLSIdentity.Version
  public var wasResumed: Bool
  /// By its ALPN name; empty when none was agreed on.
  public var applicationProtocol: String
}
