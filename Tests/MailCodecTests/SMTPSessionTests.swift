import Foundation
import SessionScripts
import Testing

@testable import MailCodec

/// A channel that decides by the address, and tells in its reply what it was given.
struct DecidingSide: ScriptedSide {
  var server: SMTPServer
  var kept: [SMTPServer.Message] = []
  /// For a message of one who comes with many.
  private var roomBytes: Int { server.sender.path?.local == "crowd" ? 600 : .max }

  init(_ dialect: SMTPServer.Dialect) {
    var limits = SMTPLimits()
    limits.messageBytesMax = 1_000
    limits.recipientsMax = 3
    limits.textLineBytesMax = 200
    limits.errorsMax = 4
    limits.roomlessBytesMax = 400
    limits.textBytesPerMillisecond = 1
    limits.idleCommandsMax = 6
    server = SMTPServer(dialect, hostname: "router.example", limits: limits)
  }

  var hasClosed: Bool { server.hasClosed }
  mutating func opened() -> [UInt8] { go(server.opened()) }
  mutating func received(_ bytes: [UInt8]) -> [UInt8] { go(server.receive(bytes)) }
  mutating func waited(seconds: Int) -> [UInt8] { go(server.waited(milliseconds: seconds * 1_000)) }
  mutating func peerClosed() -> [UInt8] { go(server.peerClosed()) }

  private mutating func go(_ step: SMTPServer.Step) -> [UInt8] {
    var step = step
    var said = step.bytes
    while let request = step.request {
      step = decide(request)
      said += step.bytes
    }
    return said
  }

  private mutating func decide(_ request: SMTPServer.Request) -> SMTPServer.Step {
    switch request {
    case .sender(let sender):
      return server.answer(sender.path?.local == "blocked" ? .notPermitted : .senderOk)
    case .recipient(let path):
      if path.local == "nobody" { return server.answer(.noSuchMailbox) }
      if path.local == "later" { return server.answer(.tryLater) }
      return server.answer(SMTPReply(250, "2.1.5", "will ask for \(path)"))
    case .room(let bytes):
      return server.answer(bytes <= roomBytes ? .ok : .noRoom)
    case .message(let message):
      kept.append(message)
      let text = String(decoding: message.bytes.prefix(60), as: UTF8.self)
      if text.contains("REFUSE") {
        return server.answer(SMTPReply(554, "5.6.0", "message content refused"))
      }
      let from = message.sender.path?.description ?? "<>"
      if server.dialect == .smtp {
        return server.answer(
          SMTPReply(250, "2.0.0", "\(from) sent \(message.bytes.count) bytes: \(text)"))
      }
      return server.answer(
        each: message.recipients.map {
          $0.local == "full"
            ? .storageStalled : SMTPReply(250, "2.0.0", "\($0) has \(message.bytes.count) bytes")
        })
    case .startTLS: return SMTPServer.Step()
    }
  }
}

struct `SMTP sessions` {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Sessions")

  static func scripts(_ folder: String) throws -> [SessionScript] {
    try SessionScript.all(in: Self.folder.appendingPathComponent(folder), lineEnd: [13, 10])
  }

  @Test(arguments: try scripts("smtp"))
  func `an SMTP talk goes as written, however its bytes are cut`(_ script: SessionScript) {
    #expect(SessionPlayer.play(script) { DecidingSide(.smtp) } == nil)
  }

  @Test(arguments: try scripts("lmtp"))
  func `an LMTP talk goes as written, however its bytes are cut`(_ script: SessionScript) {
    #expect(SessionPlayer.play(script) { DecidingSide(.lmtp) } == nil)
  }

  @Test func `every session cites its source`() throws {
    let all = try Self.scripts("smtp") + Self.scripts("lmtp")
    #expect(all.count >= 50)
    for script in all {
      #expect(
        script.comments.contains { $0.contains("RFC") || $0.contains("CVE") }, "\(script.name)")
    }
  }
}

struct `SMTP decisions` {
  func ready(_ dialect: SMTPServer.Dialect = .smtp) -> SMTPServer {
    var server = SMTPServer(dialect, hostname: "router.example")
    _ = server.opened()
    _ = server.receive(((dialect == .smtp ? "EHLO" : "LHLO") + " a.example\r\n").utf8)
    return server
  }

  @Test func `nothing after a pending command is answered before its decision`() {
    var server = ready()
    let first = server.receive("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n".utf8)
    #expect(first.bytes.isEmpty)
    guard case .sender = first.request else {
      Issue.record("no request for the sender")
      return
    }
    #expect(server.receive("".utf8).request == nil)
    let second = server.answer(.senderOk)
    #expect(String(decoding: second.bytes, as: UTF8.self) == "250 2.1.0 sender ok\r\n")
    guard case .recipient = second.request else {
      Issue.record("no request for the recipient")
      return
    }
    let third = server.answer(.recipientOk)
    #expect(
      String(decoding: third.bytes, as: UTF8.self).hasPrefix("250 2.1.5 recipient ok\r\n354 "))
  }

  @Test func `a message is not acknowledged before it is decided`() {
    var server = ready()
    _ = server.receive("MAIL FROM:<>\r\n".utf8)
    _ = server.answer(.senderOk)
    _ = server.receive("RCPT TO:<b@y.example>\r\n".utf8)
    _ = server.answer(.recipientOk)
    let step = server.receive("DATA\r\nhi\r\n.\r\nQUIT\r\n".utf8)
    #expect(String(decoding: step.bytes, as: UTF8.self).hasPrefix("354 "))
    guard case .message(let message) = step.request else {
      Issue.record("no message")
      return
    }
    #expect(message.bytes == Array("hi\r\n".utf8) && message.sender.path == nil)
    let after = server.answer(.delivered)
    #expect(
      String(decoding: after.bytes, as: UTF8.self)
        == "250 2.0.0 message is kept\r\n221 2.0.0 bye\r\n")
    #expect(after.closes)
  }

  @Test func `what was injected in plain after STARTTLS is never read`() {
    var server = SMTPServer(.smtp, hostname: "router.example")
    server.offersTLS = true
    _ = server.opened()
    _ = server.receive("EHLO a.example\r\n".utf8)
    let step = server.receive("STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n".utf8)
    #expect(step.request == .startTLS)
    #expect(server.receive("RCPT TO:<b@y.example>\r\n".utf8) == SMTPServer.Step())
    server.tlsStarted()
    let after = server.receive("MAIL FROM:<a@x.example>\r\n".utf8)
    #expect(String(decoding: after.bytes, as: UTF8.self) == "503 5.5.1 say hello first\r\n")
    #expect(after.request == nil)
  }

  @Test func `a peer that sends ahead without end is no longer read`() {
    var server = ready()
    _ = server.receive("MAIL FROM:<a@x.example>\r\n".utf8)
    #expect(server.wantsInput)
    _ = server.receive([UInt8](repeating: 65, count: 70_000))
    #expect(!server.wantsInput)
  }

  @Test func `time that we take to decide is not the peer's idleness`() {
    var server = ready()
    _ = server.receive("MAIL FROM:<a@x.example>\r\n".utf8)
    #expect(!server.waited(milliseconds: .max).closes)
    _ = server.answer(.senderOk)
    #expect(server.waited(milliseconds: 300_000).closes)
  }

  @Test func `a reply cannot carry a line end`() {
    #expect(
      SMTPReply(550, "5.1.1\r\n250", "no\r\n250 ok").bytes()
        == Array("550 5.1.1??250 no??250 ok\r\n".utf8))
  }

  @Test func `any cut of the bytes asks for the same and says the same`() {
    var random = SplitMix(seed: 20_261_125)
    let verbs = [
      "EHLO a.example\r\n", "MAIL FROM:<a@x.example>\r\n", "RCPT TO:<help@shop.example>\r\n",
      "DATA\r\n", "text\r\n",
      ".\r\n", "..\r\n", "RSET\r\n", "NOOP\r\n", "Bad\r\n", "RCPT TO:<nobody@shop.example>\r\n",
      "\r", "\n", "x",
    ]
    for round in 0..<2_000 {
      let weights = (0..<Int(random.next() % 30)).map { _ in
        verbs[Int(random.next() % UInt64(verbs.count))]
      }
      let bytes = Array(((round % 2 == 0 ? verbs[..<4].joined() : "") + weights.joined()).utf8)
      var whole = DecidingSide(.smtp)
      let expected = whole.opened() + whole.received(bytes)
      var cut = DecidingSide(.smtp)
      var said = cut.opened()
      var at = 0
      while at < bytes.count {
        let end = min(bytes.count, at + 1 + Int(random.next() % 9))
        said += cut.received(Array(bytes[at..<end]))
        at = end
      }
      #expect(
        said == expected && cut.kept == whole.kept && cut.hasClosed == whole.hasClosed,
        "round \(round)")
    }
  }
}

/// A seeded source of numbers (Steele, Lea and Flood's SplitMix64).
struct SplitMix {
  var seed: UInt64
  mutating func next() -> UInt64 {
    seed &+= 0x9E37_79B9_7F4A_7C15
    var z = seed
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
