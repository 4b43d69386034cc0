/// SMTP on one connection, a mail after the other.
final class MailTalk: Sendable {
  let socket: Socket

  /// - Parameter source: an address of loopback to come from.
  init(port: UInt16, from source: String? = nil) throws {
    socket = try Socket.connect(port: port, from: source)
    _ = try reply()
    _ = try say("EHLO home.example\r\n")
  }

  /// - Returns: the code of the last reply.
  func deliver(_ letter: Letter) throws -> Int {
    let code = try begin(letter)
    guard code < 400 else { return code }
    return try say(letter.source + ".\r\n")
  }

  /// - Returns: the code of its reply.
  func say(_ text: String) throws -> Int {
    try socket.send(Array(text.utf8))
    return try reply()
  }

  /// Up to where the text of a mail may come.
  func begin(_ letter: Letter, size: Int? = nil) throws -> Int {
    let declared = size.map { " SIZE=\($0)" } ?? ""
    for line in ["MAIL FROM:<\(letter.address)>\(declared)", "RCPT TO:<\(letter.to)>"] {
      let code = try say(line + "\r\n")
      guard code < 400 else { return code }
    }
    return try say("DATA\r\n")
  }

  func reply() throws -> Int {
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
