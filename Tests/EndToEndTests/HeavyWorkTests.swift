import Dispatch
import Foundation
import Testing

@testable import Server

/// What takes long has threads of its own: however long it takes, whoever reads is answered.
@Suite(.inTurn) struct HeavyWorkTests {
  @Test func `while mail is being understood and attachments are kept, reads go on`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot, email: "mia@home.example")
      try await chat.customer("where is my lamp?")
      try await chat.handoff()
      let edge = try #require(server.running?.edge)
      let gate = DispatchSemaphore(value: 0)
      // As many as there are threads, and more: nothing heavy goes on until the gate opens.
      for _ in 0..<4 { edge.heavy.run { _ in gate.wait() } }
      async let mail = server.deliver(Letter())
      async let blob = server.call(
        "POST", "/v1/blobs?name=a.txt", raw: Array("hello".utf8), by: bot,
        headers: [("Content-Type", "text/plain")])
      let taken = try await server.take(ann)
      #expect(taken["timeline"].texts == ["where is my lamp?"])
      #expect(try await server.timeline("mia@home.example").texts == ["where is my lamp?"])
      #expect(try await chat.events(wait: 0).status == 200)
      for _ in 0..<4 { gate.signal() }
      #expect(try await mail == 250)
      #expect(try await blob.status == 201)
    }
  }

  /// Keeps every thread of the pool busy until it is opened.
  private struct Gate {
    private let semaphore = DispatchSemaphore(value: 0)
    private static let threads = 2
    init(_ pool: ReadPool) {
      for _ in 0..<Self.threads { pool.run { [semaphore] _ in semaphore.wait() } }
    }
    func open() { for _ in 0..<Self.threads { semaphore.signal() } }
  }

  private func post(_ target: String, _ body: Body, padded bytes: Int = 0, by token: String)
    -> HTTPCall
  {
    HTTPCall(
      method: "POST", target: target,
      headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
      body: [UInt8](repeating: 0x20, count: bytes) + Array(body.encoded.utf8), keepsAlive: true)
  }

  /// Sends it all, and waits until the lanes have taken it in.
  private func send(_ calls: [HTTPCall], to server: TestServer) async throws -> Socket {
    @Sendable func taken() -> UInt64 {
      var sum: UInt64 = 0
      for lane in server.running?.edge.hub.laneStatistics ?? [] { sum += lane.bytesIn }
      return sum
    }
    let (bytes, before) = (calls.flatMap(\.bytes), taken())
    let port = server.port("http")
    let socket = try await blocking {
      let socket = try Socket.connect(port: port)
      try socket.send(bytes)
      return socket
    }
    try await eventually("it is taken in") { taken() >= before + UInt64(bytes.count) }
    return socket
  }

  @Test
  func `while a long body is being understood its lane answers others, and then all in order`()
    async throws
  {
    try await TestServer.run {
      $0.lanes = 1
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "mia@home.example")
      let target = "/v1/sessions/\(chat.session)/messages"
      let gate = Gate(try #require(server.running?.edge.bulk))
      let kept = try await send(
        [
          post(target, ["author": "customer", "text": "one"], padded: 20_000, by: bot),
          post(target, ["author": "customer", "text": "two"], by: bot),
        ], to: server)
      async let token = server.administer(
        "POST", "/admin/tokens",
        ["scope": "bot", "holder": .text("webshop" + String(repeating: " ", count: 20_000))])
      // They came later, and the lane is theirs.
      try await chat.customer("three")
      #expect(try await server.administer("GET", "/admin/state").status == 200)
      #expect(try await server.timeline("mia@home.example").texts == ["three"])
      #expect(!kept.hasBytes())
      gate.open()
      try await eventually("both are said") {
        try await server.timeline("mia@home.example").texts == ["three", "one", "two"]
      }
      #expect(try await token.status == 422)
    }
  }

  @Test func `whose token is revoked before their long body is understood gets nothing done`()
    async throws
  {
    try await TestServer.run { server in
      let (bot, other) = (
        try await server.token("bot", "webshop"), try await server.token("bot", "webshop")
      )
      let chat = try await server.open(bot, email: "mia@home.example")
      let before = try await server.position()
      let gate = Gate(try #require(server.running?.edge.bulk))
      let target = "/v1/sessions/\(chat.session)/messages"
      let socket = try await send(
        [post(target, ["author": "customer", "text": "one"], padded: 20_000, by: bot)], to: server)
      let ended = try await server.administer(
        "POST", "/admin/tokens/revoke", ["token": .text(bot)])
      #expect(ended.status == 200, "\(ended)")
      #expect(try await blocking { try HTTPCall.read(from: socket) }.status == 401)
      gate.open()
      // Behind it in the same pool.
      let two: Body = ["author": "customer", "text": .text(String(repeating: "two", count: 8_000))]
      #expect(try await server.call("POST", target, two, by: other).status == 201)
      #expect(try await server.timeline("mia@home.example").texts.map { $0.prefix(3) } == ["two"])
      #expect(try await server.position() == before + 1)
    }
  }

  /// Attachments may lie on a disk that hangs by itself.
  @Test func `while attachments cannot be read, all else goes on`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "mia@home.example")
      var requests: [HTTPCall] = []
      for size in [1_000, 300_000] {
        let kept = try await server.call(
          "POST", "/v1/blobs", raw: [UInt8](repeating: 7, count: size), by: bot)
        requests += [HTTPCall](
          repeating: HTTPCall(
            method: "GET", target: "/v1/blobs/\(kept["blob"].text)",
            headers: [("Authorization", "Bearer \(bot)")]), count: 3)
      }
      // Whoever opens one waits for somebody who writes to it.
      server.damages()
      let place = server.settings.data + "/blobs/"
      let files = try FileManager.default.subpathsOfDirectory(atPath: place)
        .filter { $0.split(separator: "/").count == 3 }.map { place + $0 }
      #expect(files.count == 2)
      for file in files {
        try FileManager.default.removeItem(atPath: file)
        #expect(mkfifo(file, 0o600) == 0)
      }
      var sent: [Socket] = []
      for request in requests { sent.append(try await send([request], to: server)) }
      let asked = sent
      let words = String(repeating: "two", count: 8_000)
      try await chat.customer(words)
      #expect(try await server.timeline("mia@home.example").texts == [words])
      #expect(try await chat.events(wait: 0).status == 200)
      #expect(!asked.contains { $0.hasBytes() })
      try await eventually("the disk answers") {
        for file in files { close(open(file, O_WRONLY | O_NONBLOCK)) }
        return asked.allSatisfy { $0.hasBytes() }
      }
    }
  }

  /// What they sent goes with them, before its turn comes: a thousand who leave must not hold a gigabyte,
  /// nor have others wait until all of it was understood.
  @Test func `long bodies of clients who left are let go at once, and nothing is done for them`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "mia@home.example")
      let before = try await server.position()
      let edge = try #require(server.running?.edge)
      let gate = Gate(edge.bulk)
      let (size, count) = (1_000_000, 20)
      let used = Heap.usedBytes
      for _ in 0..<count {
        let call = post(
          "/v1/sessions/\(chat.session)/messages", ["author": "customer", "text": "one"],
          padded: size, by: bot)
        try await send([call], to: server).reset()
      }
      try await eventually("their bodies are gone") { Heap.usedBytes - used < count / 4 * size }
      gate.open()
      let words = String(repeating: "two", count: 8_000)
      try await chat.customer(words)
      #expect(try await server.timeline("mia@home.example").texts == [words])
      #expect(try await server.position() == before + 1)
    }
  }

  @Test func `an attachment of clients who left is neither looked through nor kept`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let edge = try #require(server.running?.edge)
      let kept = try await server.call(
        "POST", "/v1/blobs", raw: [UInt8](repeating: 7, count: 300_000), by: bot)
      let place = server.settings.data + "/blobs"
      @Sendable func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: place).filter {
          $0.split(separator: "/").count == 3
        }
      }
      let file = try #require(try files().first)
      let gates = [Gate(edge.looks), Gate(edge.heavy)]
      for method in ["GET", "HEAD"] {
        let asks = HTTPCall(
          method: method, target: "/v1/blobs/\(kept["blob"].text)",
          headers: [("Authorization", "Bearer \(bot)")])
        let socket = try await send([asks], to: server)
        // Until the row was read and the look has its place in line.
        _ = try await server.call("GET", "/v1/agents/me", by: bot)
        try await Task.sleep(for: .milliseconds(100))
        socket.reset()
      }
      let uploads = HTTPCall(
        method: "POST", target: "/v1/blobs", headers: [("Authorization", "Bearer \(bot)")],
        body: [UInt8](repeating: 8, count: 10_000))
      let socket = try await send([uploads], to: server)
      try await Task.sleep(for: .milliseconds(100))
      socket.reset()
      try await eventually("all have left") {
        (server.running?.edge.hub.laneStatistics ?? []).reduce(0) { $0 + $1.open } == 0
      }
      // Whoever looked now would find it missing, and tell.
      server.damages()
      try FileManager.default.removeItem(atPath: "\(place)/\(file)")
      for gate in gates { gate.open() }
      // Behind them in both pools.
      for pool in [edge.looks, edge.heavy] {
        for _ in 0..<4 { await withCheckedContinuation { done in pool.run { _ in done.resume() } } }
      }
      #expect(edge.health.now.damaged == [])
      #expect(try files() == [])
    }
  }

  @Test
  func
    `mail of clients who left before it was understood is let go, and taken when it comes again`()
    async throws
  {
    try await TestServer.run { server in
      let edge = try #require(server.running?.edge)
      let (gate, before) = (Gate(edge.heavy), try await server.position())
      let (size, count) = (1_000_000, 20)
      let used = Heap.usedBytes
      let port = server.port("smtp")
      let mail =
        "From: mia@home.example\r\nMessage-ID: <1@home.example>\r\n\r\n"
        + String(repeating: "the same words\r\n", count: size / 16) + ".\r\n"
      for _ in 0..<count {
        let socket = try await blocking {
          let socket = try Socket.connect(port: port)
          for line in [
            "EHLO home.example\r\n", "MAIL FROM:<mia@home.example>\r\n",
            "RCPT TO:<help@shop.example>\r\n", "DATA\r\n", mail,
          ] {
            _ = try socket.receive()
            try socket.send(Array(line.utf8))
          }
          return socket
        }
        try await Task.sleep(for: .milliseconds(100))
        socket.reset()
      }
      try await eventually("what they sent is gone") { Heap.usedBytes - used < count / 4 * size }
      gate.open()
      for _ in 0..<4 {
        await withCheckedContinuation { done in edge.heavy.run { _ in done.resume() } }
      }
      #expect(try await server.position() == before)
      var letter = Letter()
      letter.from = "mia@home.example"
      #expect(try await server.deliver(letter) == 250)
    }
  }

  @Test func `a stop waits for a long body that is being understood`() async throws {
    try await TestServer.run {
      $0.drainSeconds = 30
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "mia@home.example")
      let gate = Gate(try #require(server.running?.edge.bulk))
      let socket = try await send(
        [
          post(
            "/v1/sessions/\(chat.session)/messages", ["author": "customer", "text": "one"],
            padded: 20_000, by: bot)
        ], to: server)
      let port = server.port("http")
      async let cutOff = server.stop()
      try await Socket.awaitRefusal(port: port)
      gate.open()
      let reply = try await blocking { try HTTPCall.read(from: socket) }
      #expect(reply.status == 201, "\(reply)")
      #expect(reply.headers["connection"] == "close")
      #expect(await cutOff == 0)
    }
  }
}
