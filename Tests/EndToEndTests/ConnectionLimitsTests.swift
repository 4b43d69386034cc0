import Foundation
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

  @Test func `who is idle after an answer is closed without a word`() async throws {
    try await TestServer.run {
      $0.idleSeconds = 1
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

  @Test func `who does not read an answer is cut off, and the server's memory comes back`()
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
      let slow = try Socket.connect(port: port)
      try slow.send(
        HTTPCall(
          method: "GET", target: "/v1/blobs/\(kept["blob"].text)",
          headers: [("Authorization", "Bearer \(bot)")]
        ).bytes)
      let admin = try await server.token("admin", "root")
      try await eventually("it is cut off as a slow reader", seconds: 30) {
        try await server.call("GET", "/metrics", by: admin).description.contains(
          "{reason=\"slow_reader\"} 1")
      }
      slow.close()
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
      let refused = try await blocking { () -> Bool in
        let socket = try Socket.connect(port: port)
        return (try? socket.receive())?.isEmpty ?? true
      }
      #expect(refused)
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
      held[0].close()
      #expect(
        try await blocking { try HTTPCall.read(from: waiting) }.status == 200,
        "in turn, when one leaves")
    }
  }
}
