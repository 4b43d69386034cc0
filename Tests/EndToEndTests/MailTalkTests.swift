import Foundation
import Testing

/// SMTP and LMTP command by command: what no well-behaved client says, and what each recipient is
/// told.
@Suite(.inTurn) struct MailTalkTests {
  /// Sends a command and answers the codes of as many replies.
  private static func ask(_ socket: Socket, _ text: String, replies: Int = 1) throws -> [Int] {
    if !text.isEmpty { try socket.send(Array(text.utf8)) }
    var (codes, bytes): ([Int], [UInt8]) = ([], [])
    while codes.count < replies {
      let more = try socket.receive()
      guard !more.isEmpty else { return codes + [0] }
      bytes += more
      while let end = bytes.firstIndex(of: 10) {
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        bytes.removeFirst(end + 1)
        if line.dropFirst(3).first != "-", let code = Int(line.prefix(3)) { codes.append(code) }
      }
    }
    return codes
  }

  @Test func `what is not SMTP is told so, nothing is recorded, and the next mail is taken`()
    async throws
  {
    try await TestServer.run {
      $0.mailBytesMax = 65_536
    } _: { server in
      let port = server.port("smtp")
      let before = try await server.position()
      let codes = try await blocking {
        let socket = try Socket.connect(port: port)
        var codes: [Int] = []
        for line in [
          "", "SING\r\n", "MAIL FROM:<a@home.example>\r\n", "EHLO home.example\r\n",
          "MAIL FROM:a@home\r\n",
          "MAIL FROM:<a@home.example> SIZE=99999999\r\n", "RCPT TO:<help@shop.example>\r\n",
          "DATA\r\n",
          "MAIL FROM:<a@home.example>\r\n", "RCPT TO:<help@elsewhere.example>\r\n", "DATA\r\n",
          "RCPT TO:<help@shop.example>\r\n", "DATA\r\n",
          String(repeating: String(repeating: "x", count: 76) + "\r\n", count: 1_000) + ".\r\n",
        ] { codes += try Self.ask(socket, line) }
        return codes
      }
      #expect(codes[0] == 220)
      #expect(codes[1] / 100 == 5, "no such command")
      #expect(codes[2] == 503, "before EHLO")
      #expect(codes[3] == 250)
      #expect(codes[4] / 100 == 5, "no path")
      #expect(codes[5] == 552, "larger than is taken")
      #expect(codes[6] == 503 && codes[7] == 503, "out of order")
      #expect(codes[8] == 250)
      #expect(codes[9] == 550, "not ours: nothing is relayed")
      #expect(codes[10] / 100 == 5, "nobody to deliver to")
      #expect(codes[11] == 250)
      #expect(codes[12] == 354)
      #expect(codes[13] == 552, "larger than is taken, though it did not say so")
      #expect(try await server.position() == before)
      #expect(try await server.deliver(Letter()) == 250)
    }
  }

  @Test func `LMTP answers for each recipient, and each workspace has its own copy`() async throws {
    let rules = try TemporaryFolder()
    for name in ["east", "west"] { try SmallRules.write(rules, workspace: name, agents: 1) }
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let port = server.port("lmtp")
      let letter = Letter().source
      let codes = try await blocking {
        let socket = try Socket.connect(port: port)
        var codes = try Self.ask(socket, "") + Self.ask(socket, "LHLO relay.example\r\n")
        // RFC 2920: all at once.
        let envelope = [
          "MAIL FROM:<mia@home.example>", "RCPT TO:<help@east.example>",
          "RCPT TO:<no@east.example>",
          // RFC 2033 §4.2: whoever is named twice is answered twice, and has it once.
          "RCPT TO:<help@west.example>", "RCPT TO:<Help@East.example>", "DATA", "",
        ]
        codes += try Self.ask(socket, envelope.joined(separator: "\r\n"), replies: 6)
        return codes + (try Self.ask(socket, letter + ".\r\n", replies: 3))
      }
      #expect(codes == [220, 250, 250, 250, 550, 250, 250, 354, 250, 250, 250])
      for workspace in ["east", "west"] {
        let agent = try await server.agent("a1", workspace: workspace)
        let offer = try await server.next(agent)
        #expect(offer["timeline"].texts.filter { $0.hasPrefix("Where is my lamp?") }.count == 1)
        expectComplete(offer["timeline"])
      }
    }
  }
}
