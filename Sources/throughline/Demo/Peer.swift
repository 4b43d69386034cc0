import Foundation
import Glibc

/// One blocking TCP connection of the demo's own clients. What it waits for longer than
/// `patienceSeconds` is a fault.
final class Peer: Sendable {
  struct Fault: Error, CustomStringConvertible {
    var description: String
    init(_ text: String) { description = text }
  }

  static let patienceSeconds = 60
  /// Nothing in this story comes near it.
  static let bytesMax = 8 << 20

  let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Fault("no socket can be made") }
    let connected = Self.loopback(port) { connect(descriptor, $0, $1) }
    guard connected == 0 else {
      close(descriptor)
      throw Fault("nobody listens on port \(port)")
    }
    prepare()
  }

  init(accepted descriptor: Int32) {
    self.descriptor = descriptor
    prepare()
  }

  deinit { close(descriptor) }

  private func prepare() {
    var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var yes: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Ends both directions, so that whoever reads on another thread wakes.
  func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  func write(_ text: String) throws { try write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let n = rest.withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard n > 0 else { throw Fault("the server closed the connection") }
      rest = rest.dropFirst(n)
    }
  }

  /// What has arrived; empty at the end.
  func read() throws -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let n = recv(descriptor, &chunk, chunk.count, 0)
    guard n >= 0 else {
      throw Fault(
        errno == EAGAIN
          ? "no answer within \(Self.patienceSeconds) s" : String(cString: strerror(errno)))
    }
    return Array(chunk.prefix(n))
  }

  static func loopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32)
    -> Int32
  {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}

/// Reads a peer line by line.
struct LineReader {
  let peer: Peer
  private var rest: [UInt8] = []

  init(_ peer: Peer) { self.peer = peer }

  /// The next line without its end; nil when the peer has closed.
  mutating func next() throws -> String? {
    while true {
      if let end = rest.firstIndex(of: 10) {
        var line = Array(rest[..<end])
        if line.last == 13 { line.removeLast() }
        rest.removeSubrange(...end)
        return String(decoding: line, as: UTF8.self)
      }
      let more = try peer.read()
      if more.isEmpty { return nil }
      rest += more
    }
  }
}
