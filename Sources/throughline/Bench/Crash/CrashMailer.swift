import Sockets

/// Delivers one mail after the other over SMTP; what got its 250 is recorded for ever.
final class CrashMailer: ConnectionHandler {
  private enum Step { case greeting, hello, from, to, data, sent }
  private unowned let world: CrashWorld
  private var connection: Connection?
  private var step = Step.greeting
  private var line: [UInt8] = []
  private var mail = 0

  init(_ address: SocketAddress, _ world: CrashWorld) {
    self.world = world
    connection = world.loop.connect(to: address, timeoutMilliseconds: 10_000, handler: self)
  }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    for byte in bytes {
      line.append(byte)
      guard byte == 10 else { continue }
      // RFC 5321 §4.2.1: a hyphen after the code says that the reply goes on.
      if line.count > 4, line[3] != UInt8(ascii: "-") {
        replied(Int(String(decoding: line.prefix(3), as: UTF8.self)) ?? 0, connection)
      }
      line = []
    }
  }

  private func say(_ text: String) { connection?.write(Array((text + "\r\n").utf8)) }

  private func replied(_ code: Int, _ connection: Connection) {
    if code >= 400 {
      world.ledger.violated(
        "mail was answered \(code) at \(step): \(String(decoding: line, as: UTF8.self))")
      return connection.abort()
    }
    switch step {
    case .greeting:
      step = .hello
      say("EHLO client.example")
    case .hello: begin()
    case .from:
      step = .to
      say("RCPT TO:<\(BenchFolder.mailbox)>")
    case .to:
      step = .data
      say("DATA")
    case .data:
      step = .sent
      say(Self.text(of: world.ledger.mails[mail]) + "\r\n.")
    case .sent:
      world.ledger.heard += 1
      world.ledger.mails[mail].isAcknowledged = true
      begin()
    }
  }

  private func begin() {
    guard !world.isOver else { return }
    // Now and then one comes again, as a relay does that did not hear our 250.
    if !world.ledger.mails.isEmpty, world.random.chance(20) {
      mail = Int(world.random.next() % UInt64(world.ledger.mails.count))
    } else {
      let text = world.text()
      let from =
        world.random.chance(50)
        ? "regular\(world.random.next() % 5)@home.example" : "\(text)@home.example"
      world.ledger.mails.append(.init(id: "<\(text)@client.example>", from: from, text: text))
      mail = world.ledger.mails.count - 1
    }
    step = .from
    say("MAIL FROM:<\(world.ledger.mails[mail].from)>")
  }

  private static func text(of mail: CrashLedger.Mail) -> String {
    [
      "From: <\(mail.from)>", "To: <\(BenchFolder.mailbox)>", "Subject: a question",
      "Message-ID: \(mail.id)",
      "Date: Wed, 25 Nov 2026 10:00:00 +0000", "", mail.text,
    ].joined(separator: "\r\n")
  }

  func closed(_ connection: Connection, _ reason: CloseReason) { self.connection = nil }
}
