import Dispatch
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
