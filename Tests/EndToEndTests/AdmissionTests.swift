import Foundation
import System
import Testing

@testable import Server

/// What is decided at a request's head, before a byte of its content is kept.
@Suite(.inTurn) struct AdmissionTests {
  private static let large = 20 << 20

  private static func head(
    _ method: String, _ target: String, _ token: String?, length: Int = large, _ more: String = ""
  ) -> [UInt8] {
    let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    return Array(
      "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(authorization)\(more)Content-Length: \(length)\r\n\r\n"
        .utf8)
  }

  /// The answer to a head alone: nothing of its content is sent.
  private func answer(_ server: TestServer, _ head: [UInt8]) async throws -> Reply {
    let port = server.port("http")
    return try await blocking {
      let socket = try Socket.connect(port: port)
      try socket.send(head)
      return try HTTPCall.read(from: socket)
    }
  }

  @Test func `whoever may not send a body is told so before any of it comes`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (shop, ann) = (
        try await server.token("integration", "shop"), try await server.token("agent", "ann")
      )
      for (method, target, token, status) in [
        ("POST", "/v1/blobs", nil as String?, 401), ("POST", "/v1/blobs", "tl_wrong", 401),
        ("POST", "/v1/sessions", nil, 401), ("POST", "/v1/nothing", bot, 404),
        ("POST", "/nothing", bot, 404),
        ("PUT", "/v1/blobs", bot, 405), ("POST", "/v1/queues", ann, 405),
        ("POST", "/health", nil, 405),
        ("POST", "/v1/blobs", shop, 403), ("POST", "/v1/journey", bot, 403),
        ("POST", "/v1/sessions", bot, 413),
        ("POST", "/v1/sessions/\(String(repeating: "x", count: 20))/messages", bot, 404),
        ("POST", "/%zz", bot, 400),
      ] {
        let reply = try await answer(server, Self.head(method, target, token))
        #expect(reply.status == status, "\(method) \(target): \(reply)")
        #expect(reply["type"].text.hasPrefix("urn:throughline:problem:"), "\(reply)")
        #expect(reply.headers["connection"] == "close")
      }
      let past = try await answer(
        server, Self.head("POST", "/v1/blobs", bot, length: server.settings.blobBytesMax + 1))
      #expect(past.status == 413)
    }
  }

  @Test func `a flood of bodies from strangers leaves no trace in memory`() async throws {
    try await TestServer.run { server in
      let port = server.port("http")
      let before = ProcessFacts.now().residentBytes
      let sockets = try await withThrowingTaskGroup(of: Socket.self) { group in
        for _ in 1...12 {
          group.addTask {
            try await blocking {
              let socket = try Socket.connect(port: port)
              try socket.send(Self.head("POST", "/v1/blobs", "tl_wrong"))
              let piece = [UInt8](repeating: 0x61, count: 1 << 20)
              // All but the last: whoever keeps bodies would hold them now. To be cut off is just
              // as well.
              do { for _ in 1...19 { try socket.send(piece) } } catch {}
              return socket
            }
          }
        }
        return try await group.reduce(into: [Socket]()) { $0.append($1) }
      }
      let grown = Int(ProcessFacts.now().residentBytes) - Int(before)
      for socket in sockets { socket.close() }
      #expect(grown < 100 << 20, "twelve bodies of 19 MB, and \(grown >> 20) MB more in memory")
    }
  }

  /// Whoever has begun to send may end it; newcomers wait; what is short, and administration, does not.
  @Test func `long content that is held has a bound, past which newcomers are told to come again`()
    async throws
  {
    try await TestServer.run {
      $0.heldBytesMax = 1  // as little as may be: one of the largest
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "jo@home.example")
      let port = server.port("http")
      let size = 20 << 20
      let upload = Self.head("POST", "/v1/blobs", bot, length: size)
      let first = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(
          Self.head("POST", "/v1/blobs", bot, length: size, "Expect: 100-continue\r\n"))
        #expect(try HTTPCall.read(from: socket).status == 100)
        return socket
      }
      let told = try await answer(server, upload)
      #expect(told.status == 503)
      #expect(told["type"].text == "urn:throughline:problem:no-room", "\(told)")
      #expect(told.headers["retry-after"] != nil && told.headers["connection"] == "close")
      try await chat.customer(String(repeating: "y", count: 40_000))
      let long = String(repeating: " ", count: 900_000)
      #expect(
        try await server.administer(
          "POST", "/admin/tokens", ["scope": "bot", "holder": .text("webshop" + long)]
        ).status == 422)
      // Chunks, which do not tell how many come, count as what the page takes.
      let chunked = Array(
        "POST /v1/blobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(bot)\r\nTransfer-Encoding: chunked\r\n\r\n"
          .utf8)
      #expect(try await answer(server, chunked).status == 503)
      try await blocking {
        try first.send([UInt8](repeating: 7, count: size))
        #expect(try HTTPCall.read(from: first).status == 201)
      }
      // Its connection lives on, and what it held is free: also when one leaves in the middle.
      try await blocking {
        for _ in 0..<3 {
          let socket = try Socket.connect(port: port)
          try socket.send(upload + [7])
          socket.reset()
        }
      }
      try await eventually("there is room") {
        let again = [UInt8](repeating: 8, count: size)
        return try await server.call("POST", "/v1/blobs", raw: again, by: bot).status == 201
      }
      first.close()
    }
  }

  /// Silent or not: a bot that begins many uploads keeps nobody else from theirs.
  @Test func `long content by one token leaves as much room for others as it takes`() async throws {
    try await TestServer.run {
      $0.heldBytesMax = 1  // as little as may be: 32 MiB, what rules may have
    } _: { server in
      let tokens = [
        try await server.token("bot", "webshop"), try await server.token("bot", "whatsapp"),
        try await server.token("bot", "webshop"), try await server.token("bot", "whatsapp"),
      ]
      let (port, room) = (server.port("http"), try #require(server.running?.edge.contents))
      let size = 8 << 20
      var held: [Socket] = []
      for (token, codes) in [(0, [100, 100, 429]), (1, [100, 429]), (2, [100]), (3, [503])] {
        for code in codes {
          let head = Self.head(
            "POST", "/v1/blobs", tokens[token], length: size, "Expect: 100-continue\r\n")
          let (socket, told) = try await blocking {
            let socket = try Socket.connect(port: port)
            try socket.send(head)
            return (socket, try HTTPCall.read(from: socket))
          }
          #expect(told.status == code, "token \(token): \(told)")
          if code == 100 { held.append(socket) }
          guard code == 429 else { continue }
          #expect(told["type"].text == "urn:throughline:problem:share-taken", "\(told)")
          #expect(told.headers["retry-after"] != nil)
        }
      }
      #expect(room.counts == .init(taken: 4 * size, full: 1, share: 2))
      let root = try await server.token("admin", "root")
      let metrics = try await server.call("GET", "/metrics", by: root).description
      #expect(metrics.contains("throughline_content_held_bytes{of=\"requests\"} \(4 * size)\n"))
      #expect(
        metrics.contains("content_refused_total{of=\"requests\",taken=\"share\"} 2\n"))
      // Who began may end, and has room again.
      let first = held[0]
      try await blocking {
        try first.send([UInt8](repeating: 7, count: size))
        #expect(try HTTPCall.read(from: first).status == 201)
      }
      for socket in held.dropFirst() { socket.reset() }
      try await eventually("all is free") { room.counts.taken == 0 }
      let again = [UInt8](repeating: 8, count: size)
      #expect(try await server.call("POST", "/v1/blobs", raw: again, by: tokens[0]).status == 201)
    }
  }

  @Test func `a part is not put in the place of the whole`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      func put(_ headers: [(String, String)]) async throws -> Reply {
        try await server.call(
          "PUT", "/v1/agents/me/status", raw: Array("{\"status\":\"break\"}".utf8), by: ann,
          headers: headers)
      }
      let told = try await put([("Content-Range", "bytes 0-9/20")])
      #expect(told.status == 400 && told["type"].text.hasSuffix(":partial-content"), "\(told)")
      #expect(try await put([]).status == 200)
    }
  }

  /// RFC 9110 §13.1.1, §13.1.2.
  @Test func `what is to be done on a condition that cannot hold is not done`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      func put(_ status: String, _ name: String, _ value: String, by token: String) async throws
        -> Int
      {
        try await server.call(
          "PUT", "/v1/agents/me/status", raw: Array("{\"status\":\"\(status)\"}".utf8), by: token,
          headers: [(name, value)]
        ).status
      }
      func status() async throws -> String {
        try await server.call("GET", "/v1/agents/me", by: ann)["status"].text
      }
      #expect(try await put("meeting", "If-Match", "*", by: ann) == 200)
      for (name, value) in [("If-Match", "\"never\""), ("If-None-Match", "*")] {
        #expect(try await put("break", name, value, by: ann) == 412, "\(name)")
        #expect(try await put("break", name, value, by: "tl_wrong") == 401, "\(name)")
        #expect(try await put("nothing", name, value, by: ann) == 422, "\(name)")
      }
      #expect(try await status() == "meeting")
      #expect(try await put("break", "If-None-Match", "\"other\"", by: ann) == 200)
      #expect(try await status() == "break")
      let read = try await server.call(
        "GET", "/v1/agents/me", raw: nil, by: ann, headers: [("If-None-Match", "*")])
      #expect(read.status == 200)
    }
  }

  /// RFC 9110 says nothing of which comes first: a stranger learns nothing of what would be read.
  @Test func `who may not send content is told that, and not what is wrong with it`() async throws {
    try await TestServer.run { server in
      let (bot, ann) = (
        try await server.token("bot", "webshop"), try await server.token("agent", "ann")
      )
      for (method, target, token, status) in [
        ("PUT", "/v1/agents/me/status", nil as String?, 401),
        ("PUT", "/v1/agents/me/status", "tl_wrong", 401),
        ("PUT", "/v1/agents/me/status", bot, 403), ("PUT", "/v1/nothing", ann, 404),
        ("PUT", "/v1/blobs", ann, 405), ("PUT", "/v1/agents/me/status", ann, 400),
      ] {
        let head = Self.head(
          method, target, token, length: 20, "Content-Range: bytes 0-19/40\r\n")
        let told = try await answer(server, head)
        #expect(told.status == status, "\(method) \(target): \(told)")
        #expect(told["type"].text.hasSuffix(":partial-content") == (status == 400))
      }
      for (token, status) in [(nil as String?, 401), (ann, 403), (bot, 415)] {
        let head = Self.head(
          "POST", "/v1/sessions", token, length: 20, "Content-Encoding: gzip\r\n")
        #expect(try await answer(server, head).status == status)
      }
    }
  }

  @Test func `100 Continue is said to those alone whose content is welcome`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let port = server.port("http")
      let expects = "Expect: 100-continue\r\n"
      #expect(try await answer(server, Self.head("POST", "/v1/blobs", nil, expects)).status == 401)
      #expect(
        try await answer(server, Self.head("POST", "/v1/sessions", bot, expects)).status == 413)
      try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(Self.head("POST", "/v1/blobs", bot, length: 300_000, expects))
        #expect(try HTTPCall.read(from: socket).status == 100)
        try socket.send([UInt8](repeating: 7, count: 300_000))
        #expect(try HTTPCall.read(from: socket).status == 201)
      }
    }
  }

  @Test func `a short body that nobody wants is forgotten, and its connection lives on`()
    async throws
  {
    try await TestServer.run { server in
      let port = server.port("http")
      try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(
          Self.head("POST", "/v1/sessions", "tl_wrong", length: 14) + Array("GET / HTTP/9.9".utf8))
        #expect(try HTTPCall.read(from: socket).status == 401)
        try socket.send(Array("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        #expect(try HTTPCall.read(from: socket).status == 200)
      }
    }
  }

  @Test func `a method that nobody knows gets 501 and its connection lives on; packed content 415`()
    async throws
  {
    try await TestServer.run { server in
      let (bot, port) = (try await server.token("bot", "webshop"), server.port("http"))
      try await blocking {
        let socket = try Socket.connect(port: port)
        for (method, status) in [
          ("FOO", 501), ("get", 501), ("TRACE", 405), ("PATCH", 405), ("GET", 405),
        ] {
          for length in [0, 14] {
            let content = Array("GET / HTTP/9.9".utf8.prefix(length))
            try socket.send(Self.head(method, "/v1/sessions", bot, length: length) + content)
            #expect(try HTTPCall.read(from: socket).status == status, "\(method)")
          }
        }
        let packed =
          "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(bot)\r\nContent-Length: 2\r\n"
          + "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\n{}"
        try socket.send(Array(packed.utf8))
        #expect(try HTTPCall.read(from: socket).status == 415)
      }
    }
  }

  @Test func `who sent a body that was turned away is not taken for whoever asks next`()
    async throws
  {
    try await TestServer.run {
      $0.bodyBytesMax = 1_024
    } _: { server in
      let (root, bot) = (
        try await server.token("admin", "root"), try await server.token("bot", "webshop")
      )
      let port = server.port("http")
      // Of a scope that may not, and for a page that is not there: each body is read, forgotten and
      // answered.
      for (target, first) in [
        ("/v1/sessions", 403), ("/v1/nothing", 404),
      ] {
        for (token, status) in [(nil as String?, 401), (bot, 403)] {
          let heard = try await blocking {
            let socket = try Socket.connect(port: port)
            try socket.send(
              Self.head("POST", target, root, length: 1_500)
                + [UInt8](repeating: 32, count: 1_500))
            let turnedAway = try HTTPCall.read(from: socket).status
            var next = HTTPCall(method: "GET", target: "/metrics", keepsAlive: true)
            if let token { next.headers = [("Authorization", "Bearer \(token)")] }
            return [turnedAway, try next.send(on: socket).status]
          }
          #expect(heard == [first, status], "\(target)")
        }
      }
    }
  }

  @Test func `chunks of a stranger are not read, and those of a bot are bounded`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      func head(_ token: String) -> String {
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nTransfer-Encoding: chunked\r\n\r\n"
      }
      #expect(try await answer(server, Array(head("tl_wrong").utf8)).status == 401)
      let past = String(server.settings.bodyBytesMax + 1, radix: 16)
      #expect(try await answer(server, Array((head(bot) + past + "\r\n").utf8)).status == 413)
      let good = Array((head(bot) + "2\r\n{}\r\n0\r\n\r\n").utf8)
      #expect(try await answer(server, good).status == 201)
    }
  }

  @Test func `all that was sent whole before a half-close is answered, in order`() async throws {
    try await TestServer.run { server in
      let boss = try await server.token("supervisor", "boss")
      let ann = try await server.agent("ann")
      let port = server.port("http")
      @Sendable func call(_ method: String, _ target: String, _ token: String?) -> [UInt8] {
        let headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        return HTTPCall(method: method, target: target, headers: headers, keepsAlive: true).bytes
      }
      let agents = call("GET", "/v1/agents", boss)
      for (wire, statuses) in [
        (agents + agents + agents, ["200", "200", "200"]),
        (agents + call("GET", "/health", nil) + agents.dropLast(1), ["200", "200"]),
        // Who says that nothing more comes is not there to take an offer.
        (agents + call("POST", "/v1/agents/me/next?wait=20", ann), ["200", "204"]),
      ] {
        let said = try await blocking {
          let socket = try Socket.connect(port: port, seconds: 10)
          try socket.send(wire)
          socket.finishSending()
          return String(decoding: try socket.awaitEnd(), as: UTF8.self)
        }
        let answers = said.components(separatedBy: "HTTP/1.1 ").dropFirst()
        #expect(answers.map { String($0.prefix(3)) } == statuses)
        #expect(!answers.dropLast().contains { $0.contains("connection: close") })
      }
      // The end may come while the request is waiting already.
      let late = try await blocking {
        let socket = try Socket.connect(port: port, seconds: 10)
        try socket.send(call("POST", "/v1/agents/me/next?wait=20", ann))
        Thread.sleep(forTimeInterval: 0.3)
        socket.finishSending()
        return String(decoding: try socket.awaitEnd(), as: UTF8.self)
      }
      #expect(late.hasPrefix("HTTP/1.1 204 "), "\(late)")
      // Nobody waits for a case in their name.
      #expect(try await server.next(ann, wait: 0).status == 204)
    }
  }

  @Test func `attachments that are asked for in one breath come one after the other, however many`()
    async throws
  {
    try await TestServer.run {
      $0.blobBytesMax = 3 << 20
      $0.httpUnsentBytesMax = 65_536
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let bytes = [UInt8](repeating: 7, count: 3 << 20)
      let kept = try await server.call(
        "POST", "/v1/blobs", raw: bytes, by: bot, key: "one",
        headers: [("Content-Type", "image/png")])
      let (port, count) = (server.port("http"), 6)
      let wire = HTTPCall(
        method: "GET", target: "/v1/blobs/\(kept["blob"].text)",
        headers: [("Authorization", "Bearer \(bot)")], keepsAlive: true
      ).bytes
      let heard = try await blocking {
        let socket = try Socket.connect(port: port)
        for _ in 0..<count { try socket.send(wire) }
        socket.finishSending()
        return try socket.awaitEnd()
      }
      #expect(heard.ranges(of: Array("HTTP/1.1 200 OK".utf8)).count == count)
      #expect(heard.count > count * bytes.count, "\(heard.count) bytes")
    }
  }

  @Test func `thousands of requests in one breath are all answered`() async throws {
    try await TestServer.run { server in
      let port = server.port("http")
      let count = 5_000
      let wire = Array(
        String(repeating: "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", count: count).utf8)
      try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(
          wire + Array("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
        var all: [UInt8] = []
        while true {
          let more = try socket.receive()
          if more.isEmpty { break }
          all += more
        }
        #expect(all.ranges(of: Array("HTTP/1.1 200 OK".utf8)).count == count + 1)
      }
    }
  }

  /// Requests, such as are answered at their head, and mail's commands.
  @Test func `after some requests in one breath others have their turn`() async throws {
    try await TestServer.run { server in
      let boss = try await server.token("supervisor", "boss")
      @Sendable func putOff() async throws -> Int {
        let page = try await server.call("GET", "/metrics", by: boss)
        let line = String(decoding: page.body, as: UTF8.self).split(separator: "\n").first {
          $0.hasPrefix("throughline_connections_turns_put_off_total ")
        }
        return try #require(line?.split(separator: " ").last.flatMap { Int($0) }, "\(page)")
      }
      func say(_ wire: String, to listener: String, hears answer: String, _ count: Int) async throws
      {
        let port = server.port(listener)
        try await blocking {
          let socket = try Socket.connect(port: port)
          try socket.send(Array(wire.utf8))
          let answers = try socket.awaitEnd()
          #expect(answers.ranges(of: Array(answer.utf8)).count == count, "\(answer)")
        }
      }
      func repeated(_ one: String, _ count: Int) -> String { String(repeating: one, count: count) }
      let (get, last) = ("GET /health HTTP/1.1\r\nHost: a\r\n", "Connection: close\r\n\r\n")
      // As many as one may have at once, and there are no more.
      try await say(
        repeated(get + "\r\n", 15) + get + last, to: "http", hears: "HTTP/1.1 200 OK", 16)
      #expect(try await putOff() == 0)
      try await say(
        repeated(get + "\r\n", 399) + get + last, to: "http", hears: "HTTP/1.1 200 OK", 400)
      try await eventually("it is counted") { try await putOff() >= 24 }
      // A head and its content are two.
      let post = "POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
      try await say(repeated(post, 400) + get + last, to: "http", hears: "HTTP/1.1 405 ", 400)
      try await eventually("it is counted") { try await putOff() >= 24 + 24 }
      let mail = "MAIL FROM:<mia@home.example>\r\nRSET\r\n"
      try await say(
        "EHLO home.example\r\n" + repeated(mail, 400) + "QUIT\r\n", to: "smtp", hears: "250 2.1.0",
        400)
      try await eventually("it is counted") { try await putOff() >= 24 + 24 + 23 }
    }
  }

  @Test func `empty lines before a request are few, however they come`() async throws {
    try await TestServer.run { server in
      let port = server.port("http")
      for count in [4, 5] {
        let status = try await blocking { () -> Int in
          let socket = try Socket.connect(port: port)
          for _ in 0..<count {
            try socket.send(Array("\r\n".utf8))
            usleepBriefly()
          }
          do { try socket.send(HTTPCall(method: "GET", target: "/health").bytes) } catch {}  // it may be told by now
          return try HTTPCall.read(from: socket).status
        }
        #expect(status == (count == 4 ? 200 : 400), "\(count) empty lines")
      }
    }
  }

  // MARK: - Time

  @Test func `a request that is not complete in time gets 408, also when it comes byte by byte`()
    async throws
  {
    try await TestServer.run {
      $0.headSeconds = 1
      $0.bodySeconds = 1
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let half = try await answer(server, Array("GET /health HTTP/1.1\r\nHos".utf8))
      #expect(half.status == 408)
      #expect(half["type"].text == "urn:throughline:problem:request-timeout")
      let stalled = try await answer(
        // So much may take a minute, but not stand still.
        server, Self.head("POST", "/v1/sessions", bot, length: 1_000_000) + Array("{".utf8))
      #expect(stalled.status == 408)
      let port = server.port("http")
      try await blocking {
        let socket = try Socket.connect(port: port)
        let dripping = Array(
          ("GET /health HTTP/1.1\r\nX: " + String(repeating: "y", count: 400)).utf8)
        var left = dripping[...]
        while let byte = left.popFirst(), !socket.hasBytes() {
          try socket.send([byte])
          usleepBriefly()
        }
        #expect(!left.isEmpty, "it is told while it drips, not when it stops")
        #expect(try HTTPCall.read(from: socket).status == 408)
      }
    }
  }

  @Test func `a connection that says nothing is closed without a word`() async throws {
    try await TestServer.run {
      $0.firstByteSeconds = 1
      $0.idleSeconds = 600
    } _: { server in
      let port = server.port("http")
      let heard = try await blocking { try Socket.connect(port: port).awaitEnd() }
      #expect(heard.isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `an attachment in chunks has the time of an attachment`() async throws {
    try await TestServer.run {
      $0.bodySeconds = 2
      $0.bodyBytesMax = 16_384
    } _: { server in
      let (bot, port) = (try await server.token("bot", "webshop"), server.port("http"))
      let said = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(
          Array(
            "POST /v1/blobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(bot)\r\nTransfer-Encoding: chunked\r\n\r\n"
              .utf8))
        // For longer than JSON would have, and never still for as long as ends it.
        for _ in 1...12 {
          try socket.send(Array("1\r\na\r\n".utf8))
          usleep(400_000)
        }
        try socket.send(Array("0\r\n\r\n".utf8))
        return String(decoding: try socket.receive(), as: UTF8.self)
      }
      #expect(said.hasPrefix("HTTP/1.1 201"), "\(said)")
    }
  }
}
