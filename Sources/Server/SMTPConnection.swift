import Channels
import MailCodec
import Model
import Pipeline
import Records
import Rules
import Sockets
import Store
import System

/// One SMTP or LMTP connection. The codec says what was asked; recipients are decided here at once,
/// messages in the workspaces' writers, and `250` leaves only when the mail is durable.
final class SMTPConnection: ConnectionHandler {
  private let edge: Edge
  private var server: SMTPServer
  private var number: UInt64 = 0
  /// Who of the message's recipients hears what is decided under a number.
  private var waiting: [UInt64: [Int]] = [:]
  private var replies: [SMTPReply?] = []
  private var isDraining = false
  /// What is done for the message that came last.
  private var errand = Errand()
  /// Where there is memory for the message that comes, or is being decided; nil for what is short.
  private var room: ContentRoom.Share?
  /// What the peer asked when others were to have their turn first, and how much it was answered since.
  private var putOff: SMTPServer.Request?
  private var answered = 0
  /// Commands that came in one breath and are answered before everybody else has had a turn.
  private static let commandsPerTurn = 16

  init(edge: Edge, dialect: SMTPServer.Dialect) {
    self.edge = edge
    var limits = SMTPLimits()
    limits.messageBytesMax = edge.settings.mailBytesMax
    server = SMTPServer(dialect, hostname: edge.settings.mailHostname, limits: limits)
    server.offersTLS = edge.encryption != nil
  }

  private static let tickMilliseconds = 10_000

  func opened(_ connection: Connection) {
    connection.setTimer(.idle, milliseconds: Self.tickMilliseconds)
    run(server.opened(), connection)
  }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    run(server.receive(bytes), connection)
    if !server.wantsInput { connection.pauseReading() }
  }

  func peerClosedWrite(_ connection: Connection) {
    run(server.peerClosed(), connection)
    connection.closeAfterFlush()
  }

  /// All that was said in plain is forgotten, by the codec and by the connection (RFC 3207 §4.2,
  /// CVE-2011-0411).
  func secured(_ connection: Connection) {
    server.tlsStarted()
    connection.setTimer(.idle, milliseconds: Self.tickMilliseconds)
  }

  /// A mail that is being decided is answered first.
  func draining(_ connection: Connection) {
    isDraining = true
    if waiting.isEmpty { run(server.drain(), connection) }
  }

  func timedOut(_ timer: ConnectionTimer, on connection: Connection) {
    connection.setTimer(.idle, milliseconds: Self.tickMilliseconds)
    run(server.waited(milliseconds: Self.tickMilliseconds), connection)
  }

  private func run(_ first: SMTPServer.Step, _ connection: Connection) {
    // However a message ends, its room is free then.
    defer { if !server.holdsMessage { room = nil } }
    var step = first
    while true {
      if !step.bytes.isEmpty { connection.write(step.bytes) }
      if step.closes { return connection.closeAfterFlush() }
      guard let request = step.request else { break }
      if isPutOff(request, connection) { return }
      switch request {
      case .sender: step = server.answer(.senderOk)
      case .recipient(let path):
        step = server.answer(edge.mailChannel(for: path) == nil ? .noSuchMailbox : .recipientOk)
      case .room(let bytes): step = server.answer(hasRoom(for: bytes, connection) ? .ok : .noRoom)
      case .message(let message):
        take(message, connection)
        return
      case .startTLS:
        guard let encryption = edge.encryption else {
          step = server.answer(SMTPReply(454, "4.7.0", "TLS not available"))
          break
        }
        return connection.startTLS(encryption.mail)
      }
    }
    answered = 0
    if server.wantsInput { connection.resumeReading() }
  }

  /// One peer with thousands of commands ahead is not the others' wait.
  private func isPutOff(_ request: SMTPServer.Request, _ connection: Connection) -> Bool {
    switch request {
    case .sender, .recipient: answered += 1
    case .room, .message, .startTLS: return false
    }
    guard answered > Self.commandsPerTurn else { return false }
    putOff = request
    connection.awaitTurn()
    return true
  }

  func hasTurn(on connection: Connection) {
    guard let request = putOff else { return }
    (putOff, answered) = (nil, 0)
    run(SMTPServer.asking(request), connection)
  }

  private func hasRoom(for bytes: Int, _ connection: Connection) -> Bool {
    do throws(ContentRoom.Refusal) {
      if let room {
        try room.grow(to: bytes)
      } else {
        room = try edge.mails.take(bytes, by: .init(connection.peer))
      }
      return true
    } catch { return false }
  }

  /// Understanding a message can take long, and keeping its attachments blocks: each happens on threads
  /// of its own, so that mail without any goes on while their disk hangs.
  private func take(_ message: SMTPServer.Message, _ connection: Connection) {
    replies = Array(repeating: nil, count: message.recipients.count)
    waiting = [:]
    // Whoever is named twice has it once: understanding a large mail takes a while.
    var jobs: [(SMTPPath, Ticket)] = []
    var numbers: [String: UInt64] = [:]
    for (index, recipient) in message.recipients.enumerated() {
      let name = "\(recipient)".lowercased()
      if let known = numbers[name] {
        waiting[known]?.append(index)
        continue
      }
      number += 1
      (numbers[name], waiting[number]) = (number, [index])
      jobs.append((recipient, Ticket(connection.ref, exchange: number)))
    }
    let (edge, peer) = (edge, connection.peer)
    errand = Errand()
    // What has been begun holds its bytes also when the connection is gone.
    errand.run(in: edge.heavy) { [weak errand, room, jobs] reads in
      defer { withExtendedLifetime(room) {} }
      var attached: [MailIntake.Attached] = []
      for (recipient, ticket) in jobs where !(errand?.isOver ?? true) {
        if let mail = MailIntake.submit(message, recipient, ticket, peer, edge, reads) {
          attached.append(mail)
        }
      }
      if attached.isEmpty { return }
      errand?.run(in: edge.keeps) { [attached] _ in
        for mail in attached { mail.keep(edge) }
        withExtendedLifetime(room) {}
      }
    }
  }

  /// Whoever has left was told nothing, and sends the same mail again (RFC 5321 §4.1.1.4): what waits to be
  /// understood need not be held till then.
  func closed(_ connection: Connection, _ reason: CloseReason) {
    errand.callOff()
    room = nil
  }

  func delivered(_ payload: any Sendable, on connection: Connection) {
    guard let inbound = payload as? Inbound else { return }
    switch inbound {
    case .answer(let number, let answer): decided(number, Self.reply(to: answer), connection)
    case .unavailable(let number): decided(number, .storageStalled, connection)
    case .mailRefused(let number, let why): decided(number, why, connection)
    default: break
    }
  }

  private static func reply(to answer: Answer) -> SMTPReply {
    switch answer {
    case .mailTaken: .delivered
    default: .tryLater
    }
  }

  private func decided(_ number: UInt64, _ reply: SMTPReply, _ connection: Connection) {
    guard let indices = waiting.removeValue(forKey: number) else { return }
    for index in indices { replies[index] = reply }
    guard waiting.isEmpty else { return }
    room = nil  // Not for the one that may stand behind it already.
    let all = replies.map { $0 ?? .tryLater }
    if server.dialect == .lmtp {
      run(server.answer(each: all), connection)
    } else {
      // One answer for all (RFC 5321 §4.2): unless every recipient has it, the peer must come
      // again; who has it already is told so by the message's own id and body.
      run(server.answer(all.first { !$0.isPositive } ?? .delivered), connection)
    }
    // Unless the peer had sent one more behind it.
    if isDraining, waiting.isEmpty { run(server.drain(), connection) }
  }
}

/// From a whole message to a request of its workspace.
enum MailIntake {
  /// - Returns: a mail whose attachments must be kept first.
  static func submit(
    _ message: SMTPServer.Message, _ recipient: SMTPPath, _ ticket: Ticket, _ peer: SocketAddress,
    _ edge: Edge, _ reads: any StoreReader
  ) -> Attached? {
    func refuse(_ reply: SMTPReply) -> Attached? {
      edge.hub.post(ticket.ref, .mailRefused(ticket.exchange, reply))
      return nil
    }
    guard let channel = edge.mailChannel(for: recipient) else { return refuse(.noSuchMailbox) }
    // A workspace that is damaged takes its mail when it has been restored.
    guard let writer = edge.writer(channel.workspace) else { return refuse(.tryLater) }
    let now = edge.health.clock.now
    let arrival: MailChannel.Arrival
    do throws(MailRefusal) {
      arrival = try channel.understand(
        message.bytes, sender: message.sender.path, recipient: recipient,
        besides: message.recipients.filter {
          edge.mailChannel(for: $0)?.workspace == channel.workspace
        },
        relay: edge.relay(peer, of: channel.workspace), now: now
      ) { key in
        // What an older program kept was on disk before this one started. Where it cannot be read,
        // the writer looks.
        do throws(StoreFault) {
          return try reads.key(channel.workspace, .mailThread, key) != nil
        } catch { return true }
      }
    } catch {
      Log.note("mail to \(recipient) was refused: \(error.reply.text)")
      return refuse(error.reply)
    }
    if !arrival.blobs.isEmpty { return Attached(arrival: arrival, writer: writer, ticket: ticket) }
    writer.submit([Request(.mail(arrival.mail), ticket: ticket)])
    return nil
  }

  struct Attached: Sendable {
    var arrival: MailChannel.Arrival
    var writer: Writer
    var ticket: Ticket

    func keep(_ edge: Edge) {
      var holds: [BlobHold] = []
      do throws(StoreFault) {
        for (_, bytes) in arrival.blobs {
          holds.append(try edge.store.blobs.keep(bytes, writer.workspace))
        }
      } catch {
        edge.health.tell("keeping an attachment", error)
        return edge.hub.post(ticket.ref, .unavailable(ticket.exchange))
      }
      writer.submit([Request(.mail(arrival.mail), ticket: ticket, holds: holds)])
    }
  }
}
