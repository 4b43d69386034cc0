import Arrivals
import Sockets
import Synchronization

/// A smarthost of a few lines. The recipient's local part says what becomes of a message.
final class FakeSmarthost: Sendable {
  struct Message: Equatable, Sendable {
    var sender: String
    var recipients: [String]
    var lines: [String]
  }
  private final class Box: Sendable { let all = Mutex<[Message]>([]) }
  private let box = Box()
  let server: SocketServer
  let url: String

  init(greeting: String? = "220 fake ready") throws {
    var options = SocketServer.Options()
    options.lanes = 1
    let server = try SocketServer(options)
    self.server = server
    let box = box
    let listener = try server.listen(ListenerOptions(.loopback(0))) { _ in
      { _ in Talk(greeting, box) }
    }
    url = "smtp://127.0.0.1:\(listener.address.port ?? 0)"
  }
  var messages: [Message] { box.all.withLock { $0 } }
  func stop() async { _ = await server.shutdown(withinMilliseconds: 0) }

  private final class Talk: ConnectionHandler {
    private let greeting: String?
    private let box: Box
    private var pending: [UInt8] = []
    private var message = Message(sender: "", recipients: [], lines: [])
    private var inData = false

    init(_ greeting: String?, _ box: Box) { (self.greeting, self.box) = (greeting, box) }

    func opened(_ connection: Connection) { if let greeting { say(greeting, connection) } }

    func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
      pending += bytes
      while let end = pending.firstIndex(of: 0x0A) {
        let line = String(decoding: pending[..<end].dropLast(), as: UTF8.self)
        pending.removeFirst(end + 1)
        heard(line, connection)
      }
    }

    private func heard(_ line: String, _ connection: Connection) {
      if inData { return heardData(line, connection) }
      let address = line.split(separator: "<").dropFirst().first?.prefix { $0 != ">" }
      switch line.prefix(4) {
      case "EHLO": say("250-fake\r\n250-AUTH PLAIN\r\n250 8BITMIME", connection)
      case "AUTH": say("535 5.7.8 who are you", connection)
      case "MAIL" where address?.hasPrefix("stranger") == true:
        say("530 5.7.0 authenticate first", connection)
      case "MAIL" where address?.hasPrefix("banned") == true:
        say("550 5.7.1 not from you", connection)
      case "MAIL":
        message = Message(sender: String(address ?? ""), recipients: [], lines: [])
        say("250 ok", connection)
      case "RCPT": heardRecipient(String(address ?? ""), connection)
      case "DATA":
        inData = true
        say("354 go on", connection)
      case "QUIT":
        say("221 bye", connection)
        connection.closeAfterFlush()
      default: say("500 what", connection)
      }
    }

    private func heardRecipient(_ address: String, _ connection: Connection) {
      if address.hasPrefix("later") { return say("451 4.2.0 try later", connection) }
      if address.hasPrefix("nobody") { return say("550 5.1.1 nobody here", connection) }
      message.recipients.append(address)
      say("250 ok", connection)
    }

    private func heardData(_ line: String, _ connection: Connection) {
      if line != "." {
        message.lines.append(line.hasPrefix(".") ? String(line.dropFirst()) : line)
        return
      }
      inData = false
      if message.recipients.first?.hasPrefix("silence") == true { return }
      if message.recipients.first?.hasPrefix("spam") == true {
        return say("554 5.7.1 it reads like spam", connection)
      }
      if message.recipients.first?.hasPrefix("hangup") == true { return connection.abort() }
      box.all.withLock { $0.append(message) }
      say("250 2.0.0 queued as 17", connection)
    }

    private func say(_ line: String, _ connection: Connection) {
      connection.write(Array((line + "\r\n").utf8))
    }
  }
}

/// An HTTP server that answers every request whose head and body have come with one status.
final class FakeWeb: Sendable {
  let server: SocketServer
  let port: UInt16
  let requests = Arrivals<String>()

  init(status: Int, body: String, headers: String = "") throws {
    var options = SocketServer.Options()
    options.lanes = 1
    server = try SocketServer(options)
    let answer =
      "HTTP/1.1 \(status) x\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    let requests = requests
    let listener = try server.listen(ListenerOptions(.loopback(0))) { _ in
      { _ in Talk(answer, requests) }
    }
    port = listener.address.port ?? 0
  }
  func stop() async { _ = await server.shutdown(withinMilliseconds: 0) }

  private final class Talk: ConnectionHandler {
    private let answer: String
    private let requests: Arrivals<String>
    private var pending = ""
    init(_ answer: String, _ requests: Arrivals<String>) {
      (self.answer, self.requests) = (answer, requests)
    }
    func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
      pending += String(decoding: bytes, as: UTF8.self)
      guard pending.hasSuffix("end") else { return }
      requests.arrive(pending)
      pending = ""
      connection.write(Array(answer.utf8))
    }
  }
}
