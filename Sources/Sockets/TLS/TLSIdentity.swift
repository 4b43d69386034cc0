internal import CTLS
import Synchronization
import System

/// What a TLS server shows: one or several certificates, chosen by the name that a client asks for
/// (SNI). They can be read again while connections live: who is connected keeps what was agreed on,
/// newcomers get the new ones.
///
/// TLS 1.2 and 1.3; forward secrecy and authenticated encryption only; no renegotiation,
/// compression or early data. Sessions resume by tickets under keys of this process, which change
/// by themselves and outlive a reload.
public final class TLSIdentity: Sendable {
  /// Files in PEM form: the chain, the server's own certificate first, and the key, which may be
  /// the same file.
  public struct Certificate: Sendable, Equatable {
    public var chain: String
    public var key: String
    public init(chain: String, key: String) { (self.chain, self.key) = (chain, key) }
  }

  public enum Version: Int32, Sendable {
    case v12 = 12
    case v13 = 13
  }

  public struct Options: Sendable {
    public var minimum = Version.v12
    /// Protocols by their ALPN names, best first. A client that offers only others is refused.
    /// Empty: none is agreed.
    public var protocols: [String] = []
    public var ticketRotationSeconds: UInt32 = 43_200
    public init() {}
  }

  private let certificates: [Certificate]
  private let options: Options
  private let keys: TicketKeys
  private let current: Mutex<TLSServerContext>

  /// - Errors: a sentence that names the file at fault.
  public init(_ certificates: [Certificate], _ options: Options = Options()) throws(TLSFault) {
    (self.certificates, self.options) = (certificates, options)
    guard let keys = TicketKeys(options.ticketRotationSeconds) else {
      throw TLSFault("OpenSSL has no randomness for session tickets")
    }
    self.keys = keys
    current = Mutex(try TLSServerContext(certificates, options, keys))
  }

  /// Certificates that were read and found good, and are not shown yet.
  public struct Fresh: Sendable { let context: TLSServerContext }

  /// Reads the files again and changes nothing: whoever has several identities shows what was read
  /// when all of them can.
  public func readAgain() throws(TLSFault) -> Fresh {
    Fresh(context: try TLSServerContext(certificates, options, keys))
  }

  /// Newcomers are shown these from now on.
  public func show(_ fresh: Fresh) { current.withLock { $0 = fresh.context } }

  /// Reads the files again. When one is no good, what was shown before stays.
  public func reload() throws(TLSFault) { show(try readAgain()) }

  /// As if so much time had passed for the keys of tickets, for tests.
  func ageTickets(seconds: UInt32) { tls_keys_age(keys.pointer, seconds) }

  /// When the first of its certificates ends, in seconds since 1970.
  public var expirySeconds: Int64 { current.withLock { $0.expirySeconds } }

  var context: TLSServerContext { current.withLock { $0 } }
}

/// Why certificates cannot be used, as a sentence.
public struct TLSFault: Error, Equatable, CustomStringConvertible {
  public var description: String
  init(_ description: String) { self.description = description }
}

/// OpenSSL's side of an identity: never changed once made, and kept by each session that came from
/// it.
final class TLSServerContext: Sendable {
  // OpenSSL counts references and locks by itself; nothing of ours changes it after `init`.
  nonisolated(unsafe) let pointer: OpaquePointer
  let expirySeconds: Int64
  private let keys: TicketKeys

  init(
    _ certificates: [TLSIdentity.Certificate], _ options: TLSIdentity.Options, _ keys: TicketKeys
  ) throws(TLSFault) {
    guard !certificates.isEmpty else { throw TLSFault("TLS needs a certificate") }
    let alpn = wireForm(options.protocols)
    guard let made = tls_server_create(options.minimum.rawValue, alpn, alpn.count, keys.pointer)
    else {
      throw TLSFault("OpenSSL gives no context")
    }
    do throws(TLSFault) {
      for certificate in certificates { try Self.add(certificate, to: made) }
    } catch {
      tls_server_free(made)
      throw error
    }
    pointer = made
    expirySeconds = tls_server_expiry(made)
    self.keys = keys
  }

  deinit { tls_server_free(pointer) }

  private static func add(_ certificate: TLSIdentity.Certificate, to server: OpaquePointer)
    throws(TLSFault)
  {
    let chain = try read(certificate.chain)
    let key = certificate.key == certificate.chain ? chain : try read(certificate.key)
    var reason = [CChar](repeating: 0, count: Int(TLS_REASON_MAX))
    if tls_server_add(server, chain, chain.count, key, key.count, &reason) == 1 { return }
    let files =
      certificate.key == certificate.chain
      ? certificate.chain : "\(certificate.chain) with \(certificate.key)"
    throw TLSFault("\(files): \(text(reason))")
  }

  private static func read(_ path: String) throws(TLSFault) -> [UInt8] {
    do { return try Files.read(path, bytesMax: 1 << 20) } catch { throw TLSFault("\(error)") }
  }
}

/// The keys of session tickets, shared by all contexts of an identity.
final class TicketKeys: Sendable {
  // Guarded by a mutex of its own, in C.
  nonisolated(unsafe) let pointer: OpaquePointer
  init?(_ rotationSeconds: UInt32) {
    guard let made = tls_keys_create(max(rotationSeconds, 1)) else { return nil }
    pointer = made
  }
  deinit { tls_keys_free(pointer) }
}

/// A client that checks no certificate: a bench or a test that talks with its own server over
/// loopback.
public final class TLSLoopbackClient {
  let pointer: OpaquePointer
  /// Asked for by SNI.
  public var serverName: String?
  /// Whether new connections resume the session of the last one.
  public var resumes = false

  public init?(protocols: [String] = []) {
    let alpn = wireForm(protocols)
    guard let made = tls_client_create(alpn, alpn.count) else { return nil }
    pointer = made
  }
  deinit { tls_client_free(pointer) }
}

/// ALPN's list: each name behind a byte with its length (RFC 7301 §3.1).
private func wireForm(_ protocols: [String]) -> [UInt8] {
  protocols.flatMap { name in
    let bytes = Array(name.utf8.prefix(255))
    return [UInt8(bytes.count)] + bytes
  }
}

private func text(_ characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
