import Glibc

/// Two joined sockets whose ends do not block, with a small buffer between them.
final class SocketPair {
  let ends: (Int32, Int32)
  struct Failed: Error {}

  init() throws {
    var made: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &made) == 0 else { throw Failed() }
    ends = (made[0], made[1])
    for end in made {
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
      var bytes: Int32 = 8_192
      setsockopt(end, SOL_SOCKET, SO_SNDBUF, &bytes, 4)
    }
  }

  deinit {
    close(ends.0)
    close(ends.1)
  }

  /// What stands there, up to `count`.
  func read(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = bytes.withUnsafeMutableBytes { recv(ends.1, $0.baseAddress, count, 0) }
    return Array(bytes.prefix(max(got, 0)))
  }
}
