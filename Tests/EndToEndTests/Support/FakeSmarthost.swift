import Foundation
import Synchronization

/// A smarthost of a few lines, which keeps what it is given.
final class FakeSmarthost: Sendable {
  struct Mail: Sendable {
    var sender: String
    var recipient: String
    var text: String

    /// A header field's value, unfolded.
    func header(_ name: String) -> String? {
      let head = text.components(separatedBy: "\r\n\r\n").first ?? ""
      let unfolded = head.replacingOccurrences(of: "\r\n ", with: " ").replacingOccurrences(
        of: "\r\n\t", with: " ")
      for line in unfolded.components(separatedBy: "\r\n")
      where line.lowercased().hasPrefix(name.lowercased() + ":") {
        return line.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
      }
      return nil
    }
  }

  let listener: Socket
  private let box = Box()

  private final class Box: Sendable {
    let mails = Mutex<[Mail]>([])
    let refusal = Mutex<String?>(nil)
    let refusals = Mutex(0)
    let isHeld = Mutex(false)
  }

  var mails: [Mail] { box.mails.withLock { $0 } }
  /// Answers every RCPT with this, such as a `550`.
  func refuse(_ answer: String) { box.refusal.withLock { $0 = answer } }
  /// Takes mails, and says so only when it is let go.
  func hold(_ isHeld: Bool = true) { box.isHeld.withLock { $0 = isHeld } }
  func refuseNothing() { box.refusal.withLock { $0 = nil } }
  /// How many recipients were refused so far.
  var refusals: Int { box.refusals.withLock { $0 } }
  var url: String { "smtp://127.0.0.1:\(listener.port)" }

  /// - Parameter isAway: it refuses whoever comes until it is `back`.
  init(isAway: Bool = false) throws {
    listener = try Socket.bound()
    if !isAway { try back() }
  }

  func back() throws {
    try listener.listen()
    Thread.detachNewThread { [listener, box] in
      while let peer = listener.accept() { Thread.detachNewThread { try? Self.talk(peer, box) } }
    }
  }

  func stop() { listener.close() }
  deinit { listener.close() }

  private static func talk(_ peer: Socket, _ box: Box) throws {
    var pending: [UInt8] = []
    func line() throws -> String? {
      while true {
        if let end = pending.firstIndex(of: 10) {
          defer { pending.removeFirst(end + 1) }
          return String(decoding: pending[..<end].dropLast(), as: UTF8.self)
        }
        let more = try peer.receive()
        guard !more.isEmpty else { return nil }
        pending += more
      }
    }
    func say(_ text: String) throws { try peer.send(Array((text + "\r\n").utf8)) }
    func address(_ text: String) -> String {
      String(text.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
    }
    var (sender, recipient) = ("", "")
    try say("220 smarthost.example ready")
    while let command = try line() {
      switch command.prefix(4).uppercased() {
      case "EHLO": try say("250-smarthost.example\r\n250 8BITMIME")
      case "MAIL":
        sender = address(command)
        try say("250 ok")
      case "RCPT":
        recipient = address(command)
        let refusal = box.refusal.withLock { $0 }
        if refusal != nil { box.refusals.withLock { $0 += 1 } }
        try say(refusal ?? "250 ok")
      case "DATA":
        try say("354 go on")
        var lines: [String] = []
        while let line = try line(), line != "." {
          lines.append(line.hasPrefix(".") ? String(line.dropFirst()) : line)
        }
        let mail = Mail(
          sender: sender, recipient: recipient, text: lines.joined(separator: "\r\n") + "\r\n")
        box.mails.withLock { $0.append(mail) }
        while box.isHeld.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.01) }
        try say("250 2.0.0 queued")
      case "QUIT":
        try say("221 bye")
        return
      default: try say("502 5.5.1 what")
      }
    }
  }
}
