import Glibc

@testable import Sockets

/// The other end, by blocking system calls that know nothing of lanes. Every wait is bounded.
final class Peer {
  let descriptor: Int32

  init(
    _ address: SocketAddress, receiveBufferBytes: Int32? = nil, from source: SocketAddress? = nil
  ) throws {
    descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
    var bound = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
    if var bytes = receiveBufferBytes { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, 4) }
    if let source {
      _ = source.withKernelForm { bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self), $1) }
    }
    let result = address.withKernelForm {
      connect(descriptor, $0.assumingMemoryBound(to: sockaddr.self), $1)
    }
    if result != 0 { throw Refused(code: errno) }
  }

  struct Refused: Error { var code: Int32 }
  struct Failed: Error { var code: Int32 }

  deinit { close() }

  private var isClosed = false
  func close() {
    if isClosed { return }
    isClosed = true
    Glibc.close(descriptor)
  }

  func reset() {
    var hard = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func send(_ bytes: [UInt8]) throws {
    var done = 0
    while done < bytes.count {
      let sent = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
      }
      if sent < 0 { throw Failed(code: errno) }
      done += sent
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Up to `count` bytes; fewer only at the end.
  func receive(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var got = 0
    while got < count {
      let n = bytes.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress! + got, count - got, 0)
      }
      if n < 0 { throw Failed(code: errno) }
      if n == 0 { break }
      got += n
    }
    return Array(bytes[..<got])
  }

  func receiveText(_ count: Int) throws -> String {
    String(decoding: try receive(count), as: UTF8.self)
  }

  func receiveToEnd() throws -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let piece = try receive(65_536)
      all += piece
      if piece.count < 65_536 { return all }
    }
  }
}
