internal import CSockets
import Glibc
import Synchronization
import System

/// Where to listen, and what is allowed there.
public struct ListenerOptions: Sendable {
  /// Port 0 lets the kernel choose; `Listener.address` says what it chose. A path makes a Unix
  /// socket that only this user may open (0600).
  public var address: SocketAddress
  public var backlog = 4_096
  /// Connections to this listener from one IPv4 address, or one IPv6 /64.
  public var connectionsPerAddressMax = Int.max
  /// Whether its connections use the descriptors kept back for administration.
  public var isAdministration = false
  public var limits = ConnectionLimits()
  /// With it every connection begins with a TLS handshake.
  public var tls: TLSIdentity?
  /// Tests put a failing kernel here.
  var accept: @Sendable (Int32, UnsafeMutableRawPointer, inout UInt32) -> Int32 = {
    sk_accept($0, $1, &$2)
  }

  public init(_ address: SocketAddress) { self.address = address }
}

/// One listening socket. One lane accepts for all and hands connections over in batches, in turn:
/// that keeps lanes evenly filled, and a second server on the same port is refused by the kernel,
/// which with SO_REUSEPORT it would not be.
public final class Listener: Sendable {
  public let address: SocketAddress
  let options: ListenerOptions
  let descriptor: Int32
  let admission: Admission
  let makeHandlers: LaneHandlers
  let id: Int

  init(
    _ options: ListenerOptions, id: Int, admission: Admission, makeHandlers: @escaping LaneHandlers
  ) throws(SystemError) {
    let name = options.address.description
    descriptor = try kernel(sk_socket(options.address.family), "make a socket for", name)
    (self.options, self.id, self.admission, self.makeHandlers) = (
      options, id, admission, makeHandlers
    )
    do throws(SystemError) {
      address = try Self.open(descriptor, options)
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// What the kernel takes past what is on its way to the peer. Left to itself it takes some 2.8 MB
  /// for whoever reads nothing, and has room again when a third of that was read: whoever reads
  /// steadily and slowly would look as if they took nothing.
  /// - Units: bytes.
  static let kernelUnsentMax: Int32 = 128 << 10

  private static func open(
    _ descriptor: Int32, _ options: ListenerOptions
  ) throws(SystemError) -> SocketAddress {
    let name = options.address.description
    if case .path(let path) = options.address {
      try clear(path)
      // Linux gives a bound socket the mode that its descriptor had: no instant at which others
      // could connect.
      fchmod(descriptor, 0o600)
    } else {
      _ = try kernel(sk_set_reuseaddr(descriptor), "reuse", name)
      // Linux hands both down to every accepted socket, which saves system calls for each.
      _ = try kernel(sk_set_nodelay(descriptor), "set up", name)
      _ = try kernel(sk_set_unsent_max(descriptor, Self.kernelUnsentMax), "set up", name)
      if options.address.family == AF_INET6 { _ = sk_set_v6only(descriptor) }
    }
    let bound = options.address.withKernelForm { sk_bind(descriptor, $0, $1) }
    _ = try kernel(bound ?? -ENAMETOOLONG, "listen on", name)
    _ = try kernel(sk_listen(descriptor, Int32(clamping: options.backlog)), "listen on", name)
    return SocketAddress.read { sk_local_address(descriptor, $0, $1) } ?? options.address
  }

  /// Removes a socket left by a crash; the data folder's lock says that nobody serves it. Anything
  /// that is not a socket stays, and makes `bind` fail.
  private static func clear(_ path: String) throws(SystemError) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
    if unlink(path) < 0 { throw SystemError("replace", path, code: errno) }
  }

  /// From now on the kernel refuses who knocks, while connections that came through here live on.
  func refuse() {
    _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
    // Here and not in `deinit`, which a process that exits after draining never reaches.
    if case .path(let path) = options.address { unlink(path) }
  }

  deinit { close(descriptor) }
}

/// Called once on each lane for a listener; what it answers is called for each connection. State
/// made in between is the lane's own and needs no lock.
public typealias LaneHandlers = @Sendable (LaneLoop) -> (Connection) -> any ConnectionHandler

extension SocketAddress {
  static func read(
    _ call: (UnsafeMutableRawPointer, UnsafeMutablePointer<UInt32>) -> Int32
  ) -> SocketAddress? {
    withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { raw in
      var length = UInt32(raw.count)
      guard let base = raw.baseAddress, call(base, &length) >= 0 else { return nil }
      return SocketAddress(
        kernelForm: UnsafeRawBufferPointer(rebasing: raw[..<min(Int(length), raw.count)]))
    }
  }
}

/// A socket on its way from the lane that accepted it to the lane that will serve it.
struct Adoption: Sendable {
  var descriptor: Int32
  var peer: SocketAddress
  var listener: Listener

  func discard() {
    close(descriptor)
    listener.admission.release(peer, listener)
  }
}

/// Counts connections over all lanes, and says who may come in.
final class Admission: Sendable {
  private struct State {
    var open = 0
    var byOrigin: [Origin: Int] = [:]
    /// Listeners that stopped accepting, to be told when there is room again.
    var waiting: [@Sendable () -> Void] = []
  }
  /// Each listener counts for itself, so that who floods one leaves their address the others.
  private struct Origin: Hashable {
    var listener: Int
    var address: IPAddress
    init(_ listener: Listener, _ address: IPAddress) {
      (self.listener, self.address) = (listener.id, address.limitKey)
    }
  }
  private let state = Mutex(State())
  private let connectionsMax: Int

  init(connectionsMax: Int) { self.connectionsMax = connectionsMax }

  /// Asked before `accept`, so that what cannot be served stays in the kernel's backlog.
  func isFull(_ listener: Listener, whenRoom: @escaping @Sendable () -> Void) -> Bool {
    if listener.options.isAdministration { return false }
    return state.withLock { state in
      if state.open < connectionsMax { return false }
      state.waiting.append(whenRoom)
      return true
    }
  }

  func admit(_ peer: SocketAddress, _ listener: Listener) -> Bool {
    if listener.options.isAdministration { return true }
    return state.withLock { state in
      if case .ip(let address, _) = peer {
        let origin = Origin(listener, address)
        let count = state.byOrigin[origin, default: 0]
        if count >= listener.options.connectionsPerAddressMax { return false }
        state.byOrigin[origin] = count + 1
      }
      state.open += 1
      return true
    }
  }

  /// Connections that count, now.
  var open: Int { state.withLock { $0.open } }

  func release(_ peer: SocketAddress, _ listener: Listener) {
    if listener.options.isAdministration { return }
    let waiting = state.withLock { state in
      state.open -= 1
      if case .ip(let address, _) = peer {
        let origin = Origin(listener, address)
        if let count = state.byOrigin[origin] {
          state.byOrigin[origin] = count > 1 ? count - 1 : nil
        }
      }
      defer { state.waiting = [] }
      return state.waiting
    }
    for each in waiting { each() }
  }
}
