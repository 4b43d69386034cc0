/// SMTP on one connection, a mail after the other.
final class MailTalk {
  private let socket: Socket

  init(port: UInt16) throws {
    socket = try Socket.connect(port: port)
    _ = try reply()
    _ = try say("EHLO home.example\r\n")
  }

  /// - Returns: the code of the last reply.
  func deliver(_ letter: Letter) throws -> Int {
    for line in ["MAIL FROM:<\(letter.address)>", "RCPT TO:<\(letter.to)>", "DATA"] {
      let code = try say(line + "\r\n")
      guard code < 400 else { return code }
    }
    return try say(letter.source + ".\r\n")
  }

  private func say(_ text: String) throws -> Int {
    try socket.send(Array(text.utf8))
    return try reply()
  }

  private func reply() throws -> Int {
    var bytes: [UInt8] = []
    while true {
      let more = try socket.receive()
      guard !more.isEmpty else { throw Socket.Fault(description: "SMTP ended") }
      bytes += more
      // RFC 5321 §4.2.1: a hyphen after the code says that the reply goes on.
      let last = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").last ?? ""
      if bytes.last == 10, last.dropFirst(3).first != "-" { return Int(last.prefix(3)) ?? 0 }
    }
  }
}
