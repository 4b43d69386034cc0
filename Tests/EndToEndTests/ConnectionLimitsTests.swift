import Foundation
import System
import Testing

@testable import Server

/// Each bound of a connection, at its smallest setting, and what whoever meets it is told.
@Suite(.inTurn) struct ConnectionLimitsTests {
  /// Sends on one connection and answers all that comes until its end.
  private func talk(_ port: UInt16, _ bytes: [UInt8], end: Bool = false) async throws -> String {
    try await blocking {
      let socket = try Socket.connect(port: port)
      if !bytes.isEmpty { try socket.send(bytes) }
      var all: [UInt8] = []
      while case let more = try socket.receive(), !more.isEmpty { all += more }
      return String(decoding: all, as: UTF8.self)
    }
  }

  private static func get(_ more: String = "") -> [UInt8] {
    Array("GET /health HTTP/1.1\r\nHost: x\r\n\(more)\r\n".utf8)
  }

  @Test func `a head past its bound is told 431, and one below it is served`() async throws {
    try await TestServer.run {
      $0.headBytesMax = 1_024
    } _: { server in
      let port = server.port("http")
      let field = String(repeating: "a", count: 400)
      let fits = try await talk(
        port, Self.get("A: \(field)\r\nB: \(field)\r\nConnection: close\r\n"))
      #expect(fits.hasPrefix("HTTP/1.1 200"))
      let large = try await talk(
        port, Self.get("A: \(field)\r\nB: \(field)\r\nC: \(field)\r\nConnection: close\r\n"))
      #expect(large.hasPrefix("HTTP/1.1 431"))
    }
  }

  /// Each is told its bound, and what stands on every answer.
  @Test func `lines, fields and the first line past their bounds are told these`() async throws {
    try await TestServer.run {
      ($0.fieldBytesMax, $0.fieldsMax, $0.requestLineBytesMax) = (1_024, 16, 1_024)
    } _: { server in
      let port = server.port("http")
      let long = String(repeating: "a", count: 1_024)
      let field = try await talk(port, Self.get("A: \(long)\r\n"))
      #expect(field.hasPrefix("HTTP/1.1 431") && field.contains("lines of at most 1024"))
      let fields = try await talk(port, Self.get(String(repeating: "A: b\r\n", count: 16)))
      #expect(fields.hasPrefix("HTTP/1.1 431") && fields.contains("in 16 lines"))
      let line = try await talk(port, Array("GET /\(long) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
      #expect(line.hasPrefix("HTTP/1.1 414") && line.contains("it may have 1024 bytes here"))
      for told in [field, fields, line] {
        #expect(told.contains("x-content-type-options: nosniff\r\n") && told.contains("date: "))
      }
      let fits = try await talk(
        port, Self.get(String(repeating: "A: b\r\n", count: 14) + "Connection: close\r\n"))
      #expect(fits.hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test func `a body past its bound is told 413`() async throws {
    try await TestServer.run {
      $0.bodyBytesMax = 1_024
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let large = [UInt8](repeating: 32, count: 1_025)
      #expect(try await server.call("POST", "/v1/sessions", raw: large, by: bot).status == 413)
      #expect(
        try await server.call(
          "POST", "/v1/sessions", raw: Array("{}".utf8) + large.prefix(1_022), by: bot
        ).status == 201)
    }
  }

  @Test func `who says nothing is closed without a word; who stops in a head is told 408`()
    async throws
  {
    try await TestServer.run {
      $0.firstByteSeconds = 1
      $0.headSeconds = 60
    } _: { server in
      let said = try await talk(server.port("http"), [])
      #expect(said == "")
    }
    try await TestServer.run {
      $0.firstByteSeconds = 60
      $0.headSeconds = 1
    } _: { server in
      let said = try await talk(server.port("http"), Array("GET /health HTTP/1.1\r\nHost".utf8))
      #expect(said.hasPrefix("HTTP/1.1 408"))
    }
  }

  @Test func `a body that never stands still, and yet comes too slowly, is told 408`() async throws
  {
    try await TestServer.run {
      $0.bodySeconds = 4
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let port = server.port("http")
      let status = try await blocking { () -> Int in
        let socket = try Socket.connect(port: port)
        // Some 16 s of bytes, none of them late by itself.
        let body = [UInt8](repeating: 32, count: 800)
        let call = HTTPCall(
          method: "POST", target: "/v1/sessions", headers: [("Authorization", "Bearer \(bot)")],
          body: body)
        try socket.send(Array(call.bytes.dropLast(body.count)))
        do { for byte in body { try socket.send([byte]); usleepBriefly() } } catch {}  // it was cut off meanwhile
        return try HTTPCall.read(from: socket).status
      }
      #expect(status == 408)
    }
  }

  /// Were the stop to wait for longer, they would be told that their head is late.
  @Test func `who does not end within the time of a stop is cut off without a word`() async throws {
    try await TestServer.run {
      ($0.drainSeconds, $0.headSeconds) = (1, 9)
    } _: { server in
      let port = server.port("http")
      let socket = try await blocking { try Socket.connect(port: port) }
      try socket.send(Self.get())
      #expect(try await blocking { try HTTPCall.read(from: socket) }.status == 200)
      try socket.send(Array("GET /health HTTP/1.1\r\nHost".utf8))
      let lanes = try #require(server.running?.edge.hub)
      try await eventually("the head has begun") {
        lanes.laneStatistics.reduce(0) { $0 + $1.bytesIn } > Self.get().count
      }
      async let said = blocking { try socket.awaitEnd() }
      #expect(await server.stop() == 1)
      #expect(try await said.isEmpty)
    }
  }

  @Test func `who is idle after an answer is closed without a word`() async throws {
    try await TestServer.run {
      $0.idleSeconds = 1
      $0.firstByteSeconds = 600
    } _: { server in
      let said = try await talk(server.port("http"), Self.get())
      #expect(said.hasPrefix("HTTP/1.1 200") && said.components(separatedBy: "HTTP/1.1").count == 2)
    }
  }

  @Test func `a connection serves so many requests, and says that the last one is the last`()
    async throws
  {
    try await TestServer.run {
      $0.requestsPerConnectionMax = 3
    } _: { server in
      let said = try await talk(
        server.port("http"), Self.get() + Self.get() + Self.get() + Self.get())
      let answers = said.components(separatedBy: "HTTP/1.1 200").dropFirst()
      #expect(answers.count == 3)
      #expect(
        answers.map { $0.lowercased().contains("connection: close") } == [false, false, true])
    }
  }

  @Test func `what is sent ahead while a request waits for its answer stays with the client`()
    async throws
  {
    try await TestServer.run { server in
      let (ann, port) = (try await server.agent("ann"), server.port("http"))
      let wish = HTTPCall(
        method: "POST", target: "/v1/agents/me/next?wait=60",
        headers: [("Authorization", "Bearer \(ann)")], keepsAlive: true)
      let before = Heap.usedBytes
      let (taken, used) = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(wish.bytes)
        let many = [UInt8]((0..<1_000).map { _ in Self.get() }.joined())
        let taken = socket.push(many, bytesMax: 64 << 20)
        return (taken, Heap.usedBytes)
      }
      #expect(taken < 32 << 20, "no more than the kernel keeps")
      #expect(used - before < 4 << 20)
    }
  }

  /// Each answer made room for one short request, and let in as much as one read takes.
  @Test func `what is sent ahead of answers that are read stays with the client, too`() async throws
  {
    try await TestServer.run { server in
      let (ann, port) = (try await server.agent("ann"), server.port("http"))
      let wish = HTTPCall(
        method: "GET", target: "/v1/agents/me", headers: [("Authorization", "Bearer \(ann)")],
        keepsAlive: true)
      let before = Heap.usedBytes
      let socket = try Socket.connect(port: port)
      async let pushed = blocking {
        socket.push([UInt8]((0..<1_000).flatMap { _ in wish.bytes }), bytesMax: 64 << 20)
      }
      let used = try await blocking {
        var answers = 0
        while answers < 400 {
          let came = String(decoding: try socket.receive(), as: UTF8.self)
          answers += came.components(separatedBy: "HTTP/1.1 200").count - 1
          if came.isEmpty { break }
        }
        #expect(answers >= 400)
        return Heap.usedBytes
      }
      socket.close()
      _ = try await pushed
      #expect(used - before < 4 << 20, "\((used - before) >> 20) MiB")
    }
  }

  @Test func `those who do not read an answer are cut off, and the server's memory comes back`()
    async throws
  {
    try await TestServer.run {
      $0.httpStallSeconds = 1
      $0.blobBytesMax = 16 << 20
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let bytes = [UInt8](repeating: 7, count: 12 << 20)
      let kept = try await server.call(
        "POST", "/v1/blobs", raw: bytes, by: bot, key: "one",
        headers: [("Content-Type", "image/png")])
      let port = server.port("http")
      let wish = HTTPCall(
        method: "GET", target: "/v1/blobs/\(kept["blob"].text)",
        headers: [("Authorization", "Bearer \(bot)")]
      ).bytes
      let admin = try await server.token("admin", "root")
      let (count, rounds) = (8, 4)
      var resident: [Int64] = []
      for round in 1...rounds {
        let slow = try (0..<count).map { _ in try Socket.connect(port: port) }
        for socket in slow { try socket.send(wish) }
        try await eventually("they are cut off as slow readers", seconds: 30) {
          try await server.call("GET", "/metrics", by: admin).description.contains(
            "{reason=\"slow_reader\"} \(round * count)")
        }
        for socket in slow { socket.close() }
        resident.append(ProcessFacts.now().residentBytes)
      }
      // What the first ones took is what the next ones take again, but for what the allocator keeps
      // for each thread.
      let taken = (rounds - 1) * count * bytes.count
      #expect(resident[rounds - 1] - resident[0] < taken * 2 / 3, "\(resident)")
    }
  }

  @Test func `who reads gets an answer of any length, past what may be unread`() async throws {
    try await TestServer.run {
      ($0.httpUnsentBytesMax, $0.blobBytesMax) = (0, 0)
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let words = String(repeating: "y", count: 60_000)
      // Each who only claims to be Jo has a timeline, of which a page has a megabyte.
      var customer = ""
      for _ in 1...5 {
        let chat = try await server.open(bot, email: "jo@home.example", assurance: "claimed")
        for _ in 1...18 { try await chat.customer(words) }
        customer = chat.customer
      }
      let all = try await server.administer("GET", "/admin/timeline?identity=jo@home.example")
      #expect(all.status == 200 && all.body.count > 4_500_000)
      let boss = try await server.token("supervisor", "boss")
      let page = try await server.call("GET", "/v1/customers/\(customer)/timeline", by: boss)
      #expect(page.status == 200 && page.body.count > 900_000)
    }
  }

  @Test
  func
    `one address may hold so many connections, and connections in all have a bound that administration may pass`()
    async throws
  {
    try await TestServer.run {
      $0.connectionsPerAddressMax = 4
      $0.connectionsMax = 6
    } _: { server in
      let port = server.port("http")
      let held = try await blocking { try (0..<4).map { _ in try Socket.connect(port: port) } }
      for socket in held {
        try socket.send(Self.get())
        #expect(try await blocking { try HTTPCall.read(from: socket) }.status == 200)
      }
      #expect(try await blocking { try Socket.connect(port: port).awaitEnd() }.isEmpty)
      let more = try await blocking {
        try (2...3).map { try Socket.connect(port: port, from: "127.0.0.\($0)") }
      }
      for socket in more {
        try socket.send(Self.get())
        #expect(try await blocking { try HTTPCall.read(from: socket) }.status == 200)
      }
      let waiting = try await blocking { try Socket.connect(port: port, from: "127.0.0.4") }
      try waiting.send(Self.get())
      #expect(
        try await server.administer("GET", "/admin/state").status == 200,
        "the descriptors kept back")
      #expect(!waiting.hasBytes(), "it waits in the kernel")
      held[0].close()
      #expect(
        try await blocking { try HTTPCall.read(from: waiting) }.status == 200,
        "in turn, when one leaves")
    }
  }

  @Test func `an address that has all its connections to mail still has all of its others`()
    async throws
  {
    try await TestServer.run {
      $0.connectionsPerAddressMax = 4
    } _: { server in
      let (http, smtp, lmtp) = (server.port("http"), server.port("smtp"), server.port("lmtp"))
      /// So many connections that are greeted; the next one is not.
      @Sendable func fill(_ port: UInt16) async throws -> [Socket] {
        try await blocking {
          let held = try (0..<4).map { _ in try Socket.connect(port: port) }
          for socket in held { #expect(try !socket.receive().isEmpty) }
          #expect(try Socket.connect(port: port).awaitEnd().isEmpty)
          return held
        }
      }
      let mails = try await fill(smtp)
      for _ in 1...8 { #expect(try await server.call("GET", "/health").status == 200) }
      let more = try await fill(lmtp)
      mails[0].close()
      try await eventually("the place is free again") {
        try await blocking {
          let socket = try Socket.connect(port: smtp)
          return (try? socket.receive())?.isEmpty == false  // or a reset
        }
      }
      let asking = try await blocking { try (0..<4).map { _ in try Socket.connect(port: http) } }
      for socket in asking {
        try socket.send(Self.get())
        #expect(try await blocking { try HTTPCall.read(from: socket) }.status == 200)
      }
      #expect(try await blocking { try Socket.connect(port: http).awaitEnd() }.isEmpty)
      for socket in mails + more + asking { socket.close() }
    }
  }

  @Test func `the last descriptors are kept for administration`() async throws {
    let folder = try TemporaryFolder()
    // A server that may have 300 descriptors, and keeps 70 of them back.
    let served = try await Binary.serve(
      folder, environment: ["THROUGHLINE_DESCRIPTOR_RESERVE": "70"], descriptors: 300)
    let (port, health) = (served.port, HTTPCall(method: "GET", target: "/health", keepsAlive: true))
    let all = try await blocking { try (0..<290).map { _ in try Socket.connect(port: port) } }
    for socket in all { try socket.send(health.bytes) }
    func answered() -> Int { all.count { $0.hasBytes() } }
    var before = -1
    while before != answered() {
      before = answered()
      try await Task.sleep(for: .seconds(1))
    }
    #expect((150...214).contains(before), "\(before) of 290 are served")
    let token = try await Peer.run(
      try Binary.path, ["token", "create", "--data", folder.path + "/data", "--bot", "webshop"])
    #expect(token.status == 0, "\(token.lines)")
    #expect(answered() == before, "the others wait in the kernel")
    all[0].close()
    let waiting = all[before]
    #expect(try await blocking { try HTTPCall.read(from: waiting) }.status == 200)
    for socket in all.dropFirst() { socket.close() }
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
  }

  /// What the server itself has open is not the clients' to take.
  @Test(arguments: [(128, ""), (1_024, "16")])
  func `administration is served however few descriptors there are`(
    _ descriptors: Int, _ reserve: String
  ) async throws {
    let folder = try TemporaryFolder()
    let served = try await Binary.serve(
      folder, environment: reserve.isEmpty ? [:] : ["THROUGHLINE_DESCRIPTOR_RESERVE": reserve],
      descriptors: descriptors)
    let port = served.port
    let held = try await blocking {
      try (0..<descriptors).map { _ in try Socket.connect(port: port) }
    }
    let token = try await Peer.run(
      try Binary.path, ["token", "create", "--data", folder.path + "/data", "--bot", "webshop"])
    #expect(token.status == 0, "\(token.lines)")
    for socket in held { socket.close() }
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
  }
}
