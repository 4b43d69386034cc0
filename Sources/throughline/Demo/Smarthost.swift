import Foundation
import Glibc
import Synchronization

/// The smallest mail server that a smarthost can be: takes what comes and keeps it for the story.
final class Smarthost: Sendable {
  struct Mail: Sendable {
    var sender = ""
    var recipient = ""
    var lines: [String] = []

    /// A header's value with its continuation lines joined (RFC 5322 §2.2.3).
    func header(_ name: String) -> String? {
      var value: String?
      for line in lines {
        if line.isEmpty { break }
        if let known = value {
          guard line.hasPrefix(" ") || line.hasPrefix("\t") else { break }
          value = known + " " + line.trimmingCharacters(in: .whitespaces)
        } else if line.lowercased().hasPrefix(name.lowercased() + ":") {
          value = String(line.dropFirst(name.count + 1)).trimmingCharacters(in: .whitespaces)
        }
      }
      return value
    }

    var body: String { lines.drop { !$0.isEmpty }.dropFirst().joined(separator: "\n") }
  }

  let port: UInt16
  private let listener: Int32
  private let arrived = Mutex<[Mail]>([])
  private let bell = DispatchSemaphore(value: 0)

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    guard listener >= 0, Peer.loopback(0, { bind(listener, $0, $1) }) == 0,
      listen(listener, 16) == 0
    else {
      throw Peer.Fault("no port is free for the smarthost")
    }
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
    }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      while true {
        let accepted = accept(listener, nil, nil)
        guard accepted >= 0 else { return }
        Thread.detachNewThread { self.serve(Peer(accepted: accepted)) }
      }
    }
  }

  /// The next mail that arrives.
  func next() throws -> Mail {
    guard bell.wait(timeout: .now() + .seconds(Peer.patienceSeconds)) == .success else {
      throw Peer.Fault("no mail arrived at the smarthost within \(Peer.patienceSeconds) s")
    }
    return arrived.withLock { $0.removeFirst() }
  }

  private func serve(_ peer: Peer) {
    do { try talk(peer) } catch { peer.end() }  // the server tries again: its outbox keeps the mail
  }

  private func talk(_ peer: Peer) throws {
    var lines = LineReader(peer)
    var mail = Mail()
    try peer.write("220 smarthost.example ready\r\n")
    while let line = try lines.next() {
      let verb = line.prefix(4).uppercased()
      switch verb {
      case "EHLO", "HELO": try peer.write("250 smarthost.example\r\n")
      case "MAIL":
        mail = Mail()
        mail.sender = Self.path(line)
        try peer.write("250 ok\r\n")
      case "RCPT":
        mail.recipient = Self.path(line)
        try peer.write("250 ok\r\n")
      case "DATA":
        try peer.write("354 go on\r\n")
        while let text = try lines.next(), text != "." {
          mail.lines.append(text.hasPrefix(".") ? String(text.dropFirst()) : text)
        }
        arrived.withLock { $0.append(mail) }
        try peer.write("250 it leaves\r\n")
        bell.signal()
      case "QUIT":
        try peer.write("221 bye\r\n")
        return
      default: try peer.write("250 ok\r\n")
      }
    }
  }

  private static func path(_ line: String) -> String {
    String(line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
  }
}
