import Glibc
import Synchronization

/// A blocking socket, as simple as a peer's can be.
final class Socket: Sendable {
  struct Fault: Error, CustomStringConvertible { var description: String }

  let descriptor: Int32
  private let isOpen = Mutex(true)

  private init(_ descriptor: Int32, seconds: Int) {
    self.descriptor = descriptor
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close() }

  static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  /// - Parameters:
  ///   - seconds: how long one read or write may take.
  ///   - source: an address of loopback to come from.
  ///   - windowBytes: what the kernel may take in for us while we do not read.
  static func connect(
    port: UInt16, seconds: Int = 30, windowBytes: Int32? = nil, from source: String? = nil
  ) throws -> Socket {
    let socket = Socket(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), seconds: seconds)
    if var windowBytes {
      setsockopt(
        socket.descriptor, SOL_SOCKET, SO_RCVBUF, &windowBytes, socklen_t(MemoryLayout<Int32>.size))
    }
    if let source {
      var own = loopback(0)
      own.sin_addr.s_addr = inet_addr(source)
      let bound = withUnsafePointer(to: &own) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      guard bound == 0 else { throw Fault(description: "cannot come from \(source)") }
    }
    var address = loopback(port)
    try socket.connect(&address, MemoryLayout<sockaddr_in>.size, "port \(port)")
    return socket
  }

  static func connect(path: String, seconds: Int = 30) throws -> Socket {
    let socket = Socket(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), seconds: seconds)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < 108 else {
      throw Fault(description: "\(path) is too long for a socket")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    try socket.connect(&address, MemoryLayout<sockaddr_un>.size, path)
    return socket
  }

  /// Until nobody listens there any more.
  static func awaitRefusal(port: UInt16) async throws {
    try await eventually("nobody listens on \(port)") {
      guard let socket = try? connect(port: port) else { return true }
      socket.close()
      return false
    }
  }

  /// A listener on loopback; port 0 takes any that is free.
  static func listen(port: UInt16 = 0) throws -> Socket {
    let socket = try bound(to: port)
    try socket.listen()
    return socket
  }

  /// Has a port, which nobody else can take, and refuses whoever comes until it listens.
  static func bound(to port: UInt16 = 0) throws -> Socket {
    let socket = Socket(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), seconds: 60)
    var yes: Int32 = 1
    setsockopt(
      socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = loopback(port)
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0 else {
      throw Fault(description: "cannot have port \(port): \(String(cString: strerror(errno)))")
    }
    return socket
  }

  func listen() throws {
    guard Glibc.listen(descriptor, 16) == 0 else {
      throw Fault(description: "cannot listen: \(String(cString: strerror(errno)))")
    }
  }

  func accept() -> Socket? {
    let taken = Glibc.accept(descriptor, nil, nil)
    return taken < 0 ? nil : Socket(taken, seconds: 30)
  }

  var port: UInt16 {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = getsockname(descriptor, $0, &size)
      }
    }
    return UInt16(bigEndian: address.sin_port)
  }

  private func connect<Address>(_ address: inout Address, _ size: Int, _ name: String) throws {
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(size))
      }
    }
    guard connected == 0 else {
      throw Fault(description: "cannot connect to \(name): \(String(cString: strerror(errno)))")
    }
  }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let n = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard n > 0 else {
        throw Fault(description: "cannot send: \(String(cString: strerror(errno)))")
      }
      sent += n
    }
  }

  /// Empty at the end of the stream.
  func receive() throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let n = recv(descriptor, &buffer, buffer.count, 0)
    guard n >= 0 else {
      throw Fault(description: "nothing received: \(String(cString: strerror(errno)))")
    }
    return Array(buffer[..<n])
  }

  /// Reads until the connection ends or is reset, and answers what came; a wait that runs out is a
  /// fault.
  @discardableResult
  func awaitEnd() throws -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let n = recv(descriptor, &buffer, buffer.count, 0)
      if n == 0 || n < 0 && errno == ECONNRESET { return all }
      guard n > 0 else {
        throw Fault(description: "no end: \(String(cString: strerror(errno)))")
      }
      all += buffer[..<n]
    }
  }

  /// Says that no more is sent; what comes can still be read.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Waits until something is there to be read, and leaves it there.
  func awaitBytes() -> Bool {
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, Int32(MSG_PEEK)) > 0
  }

  /// Whether something is there to be read now.
  func hasBytes() -> Bool {
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
  }

  /// What the kernel does for a program that dies: no word to the peer but what TCP owes it.
  func abandon() { close(orderly: false) }

  /// Leaves at once, and tells the peer that nothing more is read either.
  func reset() {
    var hard = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
    close(orderly: false)
  }

  /// Sends the same over and over until nothing of it is taken any more for a while, or so much is; answers how much was.
  func push(_ bytes: [UInt8], bytesMax: Int) -> Int {
    var taken = 0
    while taken < bytesMax {
      var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      guard poll(&room, 1, 500) > 0 else { break }
      let n = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress! + taken % bytes.count, bytes.count - taken % bytes.count,
          Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      }
      if n > 0 { taken += n } else if errno != EAGAIN { break }
    }
    return taken
  }

  /// Wakes whoever is blocked in it, too.
  func close() { close(orderly: true) }

  private func close(orderly: Bool) {
    let wasOpen = isOpen.withLock { open in
      defer { open = false }
      return open
    }
    guard wasOpen else { return }
    if orderly { shutdown(descriptor, Int32(SHUT_RDWR)) }
    Glibc.close(descriptor)
  }
}
