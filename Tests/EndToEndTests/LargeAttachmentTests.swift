import Foundation
import Model
import Testing

@testable import Server
@testable import Service

/// Attachments that leave in pieces: whoever reads slowly gets every byte, and nobody a wrong one.
@Suite(.inTurn) struct LargeAttachmentTests {
  /// More than the kernel takes in for one who reads nothing.
  private static let size = 12 << 20
  /// No piece of it is like the one before.
  private static let picture: [UInt8] = {
    let stretch = (0..<65_537).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    return Array(repeatElement(stretch, count: size / stretch.count + 1).joined().prefix(size))
  }()
  private static func isPicture(_ reply: Reply) -> Bool { reply.body == picture }

  private struct Kept {
    var server: TestServer
    var bot: String
    var blob: String

    func request(_ method: String, _ more: String = "") -> [UInt8] {
      Array(
        "\(method) /v1/blobs/\(blob) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(bot)\r\n\(more)\r\n"
          .utf8)
    }

    /// One who has asked and has not read yet more than the first of it.
    func slowReader(_ wire: [UInt8]? = nil) async throws -> (socket: Socket, first: [UInt8]) {
      let (port, wire) = (server.port("http"), wire ?? request("GET"))
      return try await blocking {
        let socket = try Socket.connect(port: port, windowBytes: 64 << 10)
        try socket.send(wire)
        return (socket, try socket.receive())
      }
    }
  }

  private func keep(_ server: TestServer) async throws -> Kept {
    let bot = try await server.token("bot", "webshop")
    let kept = try await server.call(
      "POST", "/v1/blobs?name=lamp.png", raw: Self.picture, by: bot,
      headers: [("Content-Type", "image/png")])
    #expect(kept.status == 201, "\(kept)")
    return Kept(server: server, bot: bot, blob: kept["blob"].text)
  }

  /// Of a kept file one bit, near its end, is another from now on.
  private func change(_ server: TestServer) throws {
    server.damages()
    let place = server.settings.data + "/blobs"
    for path in try FileManager.default.subpathsOfDirectory(atPath: place) {
      guard let file = FileHandle(forUpdatingAtPath: "\(place)/\(path)"),
        try file.seekToEnd() == UInt64(Self.size)
      else { continue }
      try file.seek(toOffset: UInt64(Self.size - 100_000))
      try file.write(contentsOf: [Self.picture[Self.size - 100_000] ^ 1])
      try file.close()
    }
  }

  /// Reads whole answers off what comes.
  private final class Answers {
    let socket: Socket
    private var unread: [UInt8]
    init(_ socket: Socket, _ first: [UInt8] = []) { (self.socket, unread) = (socket, first) }

    func next(isHead: Bool = false) throws -> Reply {
      while true {
        if isHead, let end = unread.firstRange(of: Array("\r\n\r\n".utf8)) {
          let head = Array(unread[..<end.upperBound])
          let none = String(decoding: head, as: UTF8.self).replacing(
            "content-length: \(LargeAttachmentTests.size)", with: "content-length: 0")
          unread.removeFirst(end.upperBound)
          if let reply = HTTPCall.parse(Array(none.utf8)) { return reply }
        } else if let (reply, size) = HTTPCall.parseFirst(unread) {
          unread.removeFirst(size)
          return reply
        }
        let more = try socket.receive()
        guard !more.isEmpty else { throw Socket.Fault(description: "it ended") }
        unread += more
      }
    }
  }

  @Test func `who reads slowly gets every byte, and what they asked for behind it`() async throws {
    try await TestServer.run { server in
      let kept = try await keep(server)
      let health = Array("GET /health HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
      let wire =
        kept.request("GET") + kept.request("HEAD") + health + kept.request("GET")
        + kept.request("GET", "Connection: close\r\n")
      let (socket, first) = try await kept.slowReader(wire)
      try await blocking {
        let answers = Answers(socket, first)
        for what in ["GET", "HEAD", "health", "GET", "close"] {
          let reply = try answers.next(isHead: what == "HEAD")
          #expect(reply.status == 200, "\(what): \(reply.status)")
          guard what != "health" else { continue }
          #expect(reply.headers["content-type"] == "image/png")
          #expect(reply.headers["connection"] == (what == "close" ? "close" : nil))
          #expect(what == "HEAD" || Self.isPicture(reply), "\(what)")
        }
        #expect(try socket.awaitEnd().isEmpty)
      }
    }
  }

  @Test func `who has ended their half gets all of it, and then the end`() async throws {
    try await TestServer.run { server in
      let kept = try await keep(server)
      let (socket, first) = try await kept.slowReader()
      socket.finishSending()
      try await blocking {
        let reply = try Answers(socket, first).next()
        #expect(Self.isPicture(reply))
        #expect(try socket.awaitEnd().isEmpty)
      }
    }
  }

  @Test func `one that is damaged before it is asked for is no answer`() async throws {
    try await TestServer.run { server in
      let kept = try await keep(server)
      try change(server)
      for method in ["GET", "HEAD"] {
        let (socket, first) = try await kept.slowReader(kept.request(method))
        #expect(String(decoding: first, as: UTF8.self).hasPrefix("HTTP/1.1 503 "), "\(method)")
        socket.close()
      }
    }
  }

  /// A small one is read whole, a large one looked through; what is missing is no passing outage.
  @Test(arguments: [1_000, size])
  func `one whose file is missing is damaged, and one that was erased meanwhile is not there`(
    _ count: Int
  ) async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let edge = try #require(server.running?.edge)
      let place = server.settings.data + "/blobs"
      func upload(_ first: UInt8) async throws -> String {
        let bytes = [first] + Self.picture.prefix(count - 1)
        return try await server.call("POST", "/v1/blobs", raw: bytes, by: bot)["blob"].text
      }
      let erased = try await upload(1)
      let chat = try await server.open(bot, email: "jo@home.example")
      let said = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/messages",
        ["author": "customer", "text": "look", "attachments": [.text(erased)]], by: bot)
      #expect(said.status == 201)
      // It is erased when its row was read, and its file not yet.
      let reads = try edge.store.reader()
      let (workspace, id) = (try reads.workspaces()[0].id, try #require(BlobID(erased)))
      let row = try #require(try reads.blob(workspace, id))
      var asked = APIResponse(200, contentType: "image/png", [])
      asked.file = .init(workspace: workspace, id: id, hash: row.hash, size: row.size)
      let missing = try await upload(2)
      let gone = try await server.administer(
        "POST", "/admin/erase", ["identity": "jo@home.example"])
      #expect(gone.status == 200, "\(gone)")
      let late = await withCheckedContinuation { [asked] done in
        edge.fetch(asked, for: Errand()) { done.resume(returning: $0) }
      }
      #expect(late.status == 404)
      #expect(edge.health.now.damaged == [])

      server.damages()
      for path in try FileManager.default.subpathsOfDirectory(atPath: place)
      where path.split(separator: "/").count == 3 {
        try FileManager.default.removeItem(atPath: "\(place)/\(path)")
      }
      let told = try await server.call("GET", "/v1/blobs/\(missing)", by: bot)
      #expect(told.status == 503 && told["type"].text.hasSuffix(":stored-data-damaged"), "\(told)")
      #expect(edge.health.now.damaged.count == 1)
    }
  }

  @Test func `one that is damaged while it is sent is cut off before its last bytes`() async throws
  {
    try await TestServer.run { server in
      let kept = try await keep(server)
      let (socket, first) = try await kept.slowReader()
      try change(server)
      let rest = try await blocking { try socket.awaitEnd() }
      #expect(first.count + rest.count < Self.size, "it ends before its length")
      #expect(try await server.call("GET", "/v1/blobs/\(kept.blob)", by: kept.bot).status == 503)
    }
  }

  /// Though another has uploaded the same bytes, whose file is there.
  @Test(arguments: [false, true])
  func `one that is erased while it is sent is read no further`(_ isAnothersToo: Bool) async throws
  {
    try await TestServer.run { server in
      let kept = try await keep(server)
      let chat = try await server.open(kept.bot, email: "jo@home.example")
      let said = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/messages",
        ["author": "customer", "text": "look", "attachments": [.text(kept.blob)]], by: kept.bot)
      #expect(said.status == 201)
      if isAnothersToo { _ = try await keep(server) }
      let (socket, first) = try await kept.slowReader()
      #expect(
        try await server.administer("POST", "/admin/erase", ["identity": "jo@home.example"]).status
          == 200)
      let rest = try await blocking { try socket.awaitEnd() }
      #expect(first.count + rest.count < Self.size, "it ends before its length")
    }
  }

  @Test func `a stop waits for one that is being sent`() async throws {
    try await TestServer.run {
      $0.drainSeconds = 60
    } _: { server in
      let kept = try await keep(server)
      let (socket, first) = try await kept.slowReader()
      let port = server.port("http")
      async let cutOff = server.stop()
      try await Socket.awaitRefusal(port: port)
      try await blocking {
        let reply = try Answers(socket, first).next()
        #expect(Self.isPicture(reply))
        #expect(try socket.awaitEnd().isEmpty)
      }
      #expect(await cutOff == 0)
    }
  }

  @Test func `who stops reading one is ended as any slow reader`() async throws {
    try await TestServer.run {
      $0.httpStallSeconds = 1
    } _: { server in
      let kept = try await keep(server)
      let (socket, first) = try await kept.slowReader()
      @Sendable func ended() -> UInt64 {
        var sum: UInt64 = 0
        for lane in server.running?.edge.hub.laneStatistics ?? [] {
          sum += lane.closed.first { $0.reason == "slow_reader" }?.count ?? 0
        }
        return sum
      }
      try await eventually("it is ended") { ended() == 1 }
      let rest = try await blocking { try socket.awaitEnd() }
      #expect(first.count + rest.count < Self.size)
    }
  }

  /// In a process of its own: what this one holds, many tests have left there.
  @Test func `memory of attachments that came and went is the kernel's again`() async throws {
    let folder = try TemporaryFolder()
    let served = try await Served(folder)
    let bot = try await served.token("--bot", "webshop")
    let (status, port) = ("/proc/\(served.process.peer.identifier)/status", served.process.port)
    @Sendable func megabytes() throws -> Int {
      let text = try String(contentsOfFile: status, encoding: .utf8)
      let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
      return try #require(line?.split(separator: " ").dropLast().last.flatMap { Int($0) }) / 1_024
    }
    let before = try megabytes()
    try await withThrowingTaskGroup { group in
      for number in 0..<6 {
        group.addTask {
          let authorization = ("Authorization", "Bearer \(bot)")
          var call = HTTPCall(
            method: "POST", target: "/v1/blobs", headers: [authorization],
            body: Self.picture + [UInt8(number)])
          let post = call
          let kept = try await blocking { try post.send(on: try Socket.connect(port: port)) }
          #expect(kept.status == 201, "\(kept)")
          call = HTTPCall(
            method: "GET", target: "/v1/blobs/\(kept["blob"].text)", headers: [authorization])
          let get = call
          let seen = try await blocking { try get.send(on: try Socket.connect(port: port)) }
          #expect(seen.status == 200 && seen.body.count == Self.size + 1)
        }
      }
      try await group.waitForAll()
    }
    try await eventually("memory returns") { try megabytes() < before + 20 }
    served.process.peer.signal(SIGTERM)
    #expect(try await served.process.peer.end() == 0)
  }
}
