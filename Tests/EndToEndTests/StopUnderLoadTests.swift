import Foundation
import Synchronization
import Testing

@testable import Server

/// Stopping and reading again while many write: what was acknowledged is there afterwards, and no
/// answer is torn.
@Suite(.inTurn) struct StopUnderLoadTests {
  /// What all of them heard.
  private final class Tally: Sendable {
    let taken = Mutex<[String]>([])
    let torn = Mutex<[String]>([])
    /// Connections that ended without an answer.
    let dropped = Mutex(0)
    private let over = Mutex(false)
    var isOver: Bool { over.withLock { $0 } }
    func end() { over.withLock { $0 = true } }
  }

  /// One customer who says numbered things over one connection after another, as fast as they are
  /// taken.
  private static func speak(
    _ port: UInt16, _ session: String, _ bot: String, _ name: Int, _ tally: Tally
  ) {
    var number = 0
    while !tally.isOver {
      guard let socket = try? Socket.connect(port: port) else { return }  // it has stopped
      while !tally.isOver {
        number += 1
        let text = "word \(number) of \(name)"
        let body = "{\"author\":\"customer\",\"text\":\"\(text)\"}"
        let head =
          "POST /v1/sessions/\(session)/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(bot)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        guard (try? socket.send(Array((head + body).utf8))) != nil else { break }
        var bytes: [UInt8] = []
        while true {
          if let reply = HTTPCall.parse(bytes) {
            if reply.status == 201 { tally.taken.withLock { $0.append(text) } }
            if reply.status != 201, reply.status != 503 {
              tally.torn.withLock { $0.append("\(reply)") }
            }
            break
          }
          guard let more = try? socket.receive(), !more.isEmpty else {
            if !bytes.isEmpty {
              tally.torn.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
            }
            break
          }
          bytes += more
        }
        if bytes.isEmpty { tally.dropped.withLock { $0 += 1 } }
        if HTTPCall.parse(bytes)?.headers["connection"] == "close" || bytes.isEmpty { break }
      }
      socket.close()
    }
  }

  @Test func `reloads and then a stop under load lose no acknowledged word and tear no answer`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let tally = Tally()
      let port = server.port("http")
      var sessions: [String] = []
      for n in 0..<8 {
        sessions.append(try await server.open(bot, email: "c\(n)@home.example").session)
      }
      let speaking = sessions
      try await withThrowingTaskGroup { group in
        for (name, session) in speaking.enumerated() {
          group.addTask { try await blocking { Self.speak(port, session, bot, name, tally) } }
        }
        for round in 1...5 {
          try await eventually("words are taken", seconds: 60) {
            tally.taken.withLock { $0.count } >= round * 40
          }
          guard case .done? = await server.running?.reload() else {
            throw Socket.Fault(description: "no reload")
          }
        }
        let cutOff = await server.stop()
        #expect(cutOff == 0, "all ended by themselves, within the bound")
        tally.end()
        try await group.waitForAll()
      }
      #expect(tally.torn.withLock { $0 } == [])
      let acknowledged = tally.taken.withLock { $0 }
      #expect(acknowledged.count >= 200)
      try await server.start()
      var kept: Set<String> = []
      for n in speaking.indices {
        let timeline = try await server.administer(
          "GET", "/admin/timeline?identity=c\(n)@home.example")
        for customer in timeline["customers"].elements {
          kept.formUnion(
            customer["timeline"]["entries"].elements.compactMap { $0["entry"]["text"].string })
        }
      }
      #expect(acknowledged.filter { !kept.contains($0) } == [])
    }
  }

  @Test func `SIGHUP to a server under load drops nobody, and loses no acknowledged word`()
    async throws
  {
    let folder = try TemporaryFolder()
    let rules = folder.path + "/rules"
    try FileManager.default.copyItem(atPath: Package.demoRules, toPath: rules)
    let certificate = try await Certificates.make(folder, "one", name: "desk.example")
    let served = try await Binary.serve(
      folder, ["--rules", rules, "--https", "127.0.0.1:0"],
      environment: ["THROUGHLINE_TLS_CERTIFICATES": certificate])
    let port = served.port
    let administration = folder.path + "/data/admin.socket"
    @Sendable func administer(_ method: String, _ target: String, _ body: Body? = nil) async throws
      -> Reply
    {
      let call = HTTPCall(
        method: method, target: target, headers: [("Content-Type", "application/json")],
        body: body.map { Array($0.encoded.utf8) })
      return try await blocking { try call.send(on: try Socket.connect(path: administration)) }
    }
    let bot = try await administer(
      "POST", "/admin/tokens", ["scope": "bot", "holder": "webshop"])["token"].text
    var sessions: [String] = []
    for n in 0..<8 {
      let identity: Body = [
        "kind": "email", "value": .text("c\(n)@home.example"), "assurance": "asserted",
      ]
      let call = HTTPCall(
        method: "POST", target: "/v1/sessions", headers: [("Authorization", "Bearer \(bot)")],
        body: Array(Body.object([("customer", ["identities": [identity]])]).encoded.utf8))
      let opened = try await blocking { try call.send(on: try Socket.connect(port: port)) }
      sessions.append(try #require(opened["session"].string, "\(opened)"))
    }
    let (speaking, tally) = (sessions, Tally())
    let workspace = rules + "/demo/workspace.yaml"
    try await withThrowingTaskGroup { group in
      for (name, session) in speaking.enumerated() {
        group.addTask { try await blocking { Self.speak(port, session, bot, name, tally) } }
      }
      for round in 1...5 {
        try await eventually("words are taken", seconds: 60) {
          tally.taken.withLock { $0.count } >= round * 40
        }
        // Other rules each time, so that all of a reload is done.
        let text = try String(contentsOfFile: workspace, encoding: .utf8)
        try (text + "# \(round)\n").write(toFile: workspace, atomically: true, encoding: .utf8)
        served.peer.signal(SIGHUP)
        try await eventually("it was read again", seconds: 60) {
          served.peer.lines.count { $0.contains("certificates: read again") } == round
        }
      }
      #expect(tally.dropped.withLock { $0 } == 0)
      served.peer.signal(SIGTERM)
      #expect(try await served.peer.end() == 0)
      tally.end()
      try await group.waitForAll()
    }
    #expect(tally.torn.withLock { $0 } == [])
    let again = try await Binary.serve(folder, ["--rules", rules])
    var kept: Set<String> = []
    for n in speaking.indices {
      let timeline = try await administer("GET", "/admin/timeline?identity=c\(n)@home.example")
      for customer in timeline["customers"].elements {
        kept.formUnion(
          customer["timeline"]["entries"].elements.compactMap { $0["entry"]["text"].string })
      }
    }
    again.peer.signal(SIGTERM)
    #expect(try await again.peer.end() == 0)
    let acknowledged = tally.taken.withLock { $0 }
    #expect(acknowledged.count >= 200 && acknowledged.filter { !kept.contains($0) } == [])
  }

  @Test func `a stop waits for what the smarthost has not answered yet, and nothing is sent twice`()
    async throws
  {
    let smarthost = try FakeSmarthost()
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
      $0.drainSeconds = 60
    } _: { server in
      let ann = try await server.agent("ann")
      #expect(try await server.deliver(Letter()) == 250)
      let aCase = try await server.take(ann)["case"].text
      smarthost.hold()
      #expect(try await server.reply("first", to: aCase, by: ann).status == 201)
      try await eventually("the mail is there") { smarthost.mails.count == 1 }
      let port = server.port("http")
      async let stopped = server.stop()
      try await Socket.awaitRefusal(port: port)
      smarthost.hold(false)
      _ = await stopped
      try await server.start()
      #expect(try await server.reply("second", to: aCase, by: ann).status == 201)
      // It leaves in its order: what was to be sent again would have come before it.
      try await eventually("the next one leaves") {
        smarthost.mails.contains { $0.text.contains("second") }
      }
      #expect(smarthost.mails.count { $0.text.contains("first") } == 1)
    }
  }

  @Test func `a mail that is being kept is acknowledged before a stop says goodbye`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) {
      $0.lanes = 1
      $0.drainSeconds = 30
    } _: { server in
      let port = server.port("smtp")
      let idle = try await blocking {
        let socket = try Socket.connect(port: port)
        _ = try socket.receive()
        return socket
      }
      let sending = try await blocking {
        let socket = try Socket.connect(port: port)
        _ = try socket.receive()
        for line in [
          "EHLO home.example", "MAIL FROM:<mia@home.example>", "RCPT TO:<help@shop.example>",
          "DATA",
        ] {
          try socket.send(Array((line + "\r\n").utf8))
          _ = try socket.receive()
        }
        return socket
      }
      let position = try await server.position()
      disk.hold()
      try sending.send(Array((Letter().source + "\r\n.\r\n").utf8))
      try await server.decided(position + 1, behind: disk)
      async let cutOff = server.stop()
      let farewell = try await blocking { try idle.awaitEnd() }
      #expect(String(decoding: farewell, as: UTF8.self).hasPrefix("421 "))
      disk.release()
      let said = try await blocking { try sending.awaitEnd() }
      let replies = String(decoding: said, as: UTF8.self).components(separatedBy: "\r\n")
      #expect(replies.map { $0.prefix(4) } == ["250 ", "421 ", ""], "\(replies)")
      #expect(await cutOff == 0, "nobody had to be cut off")
    }
  }

  @Test func `a stop closes WebSockets with 1001 and answers what waits`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let port = server.port("http")
      let stream = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(
          Array(
            """
            GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer \(bot)\r\n\r\n
            """.utf8))
        var head: [UInt8] = []
        while !String(decoding: head, as: UTF8.self).contains("ready") {
          head += try socket.receive()
        }
        return socket
      }
      async let rest = blocking {
        var all: [UInt8] = []
        while case let more = try stream.receive(), !more.isEmpty { all += more }
        stream.close()
        return all
      }
      #expect(await server.stop() == 0)
      // RFC 6455 §5.5.1: opcode 8, its length, the code: 1001 is 0x03E9.
      let closing = try await rest
      #expect(
        closing.count >= 4 && closing[0] == 0x88 && closing[2] == 0x03 && closing[3] == 0xE9,
        "\(closing)")
    }
  }
}
