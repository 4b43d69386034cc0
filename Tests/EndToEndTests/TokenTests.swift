import Foundation
import Model
import Records
import Service
import Store
import System
import Testing

@testable import Server

/// Tokens: who they speak for, how they are kept, when they end.
@Suite(.inTurn) struct TokenTests {
  @Test func `the database knows a token's hash and never the token`() async throws {
    try await TestServer.run { server in
      let token = try await server.token("bot", "webshop")
      let chat = try await server.open(token, email: "ann@home.example")
      try await chat.customer("a word that is on disk")
      let files = try FileManager.default.subpathsOfDirectory(atPath: server.settings.data)
      var seen = Data()
      for file in files where !file.hasSuffix(".socket") {
        seen += FileManager.default.contents(atPath: server.settings.data + "/" + file) ?? Data()
      }
      #expect(
        seen.range(of: Data("a word that is on disk".utf8)) != nil, "the files were looked at")
      #expect(seen.range(of: Data(SHA256.hash(Array(token.utf8)).bytes)) != nil)
      #expect(seen.range(of: Data(token.utf8)) == nil)
      #expect(seen.range(of: Data(token.dropFirst(3).utf8)) == nil)
    }
  }

  @Test func `a token works after the server has been started again`() async throws {
    try await TestServer.run { server in
      let token = try await server.token("bot", "webshop")
      try await server.restart()
      #expect(try await server.call("POST", "/v1/sessions", [:], by: token).status == 201)
    }
  }

  @Test func `a token that is over gets 401`() async throws {
    try await TestServer.run { server in
      let token = try await server.token("bot", "webshop", seconds: 3_600)
      #expect(try await server.call("POST", "/v1/sessions", [:], by: token).status == 201)
      let edge = try #require(server.running).edge
      let now = Instant(milliseconds: WallClock.nowMilliseconds)
      #expect(edge.caller(token: token, now: now + .seconds(3_500)) != nil)
      #expect(edge.caller(token: token, now: now + .seconds(3_601)) == nil)
      await server.stop()
      try Self.rewrite(server, token) { $0.expires = Instant(milliseconds: now.milliseconds - 1) }
      try await server.start()
      #expect(try await server.call("POST", "/v1/sessions", [:], by: token).status == 401)
    }
  }

  @Test func `a revoked token gets 401`() async throws {
    try await TestServer.run { server in
      let (token, other) = (
        try await server.token("bot", "webshop"), try await server.token("bot", "webshop")
      )
      await server.stop()
      try Self.rewrite(server, token) { $0.revoked = true }
      try await server.start()
      #expect(try await server.call("POST", "/v1/sessions", [:], by: token).status == 401)
      #expect(try await server.call("POST", "/v1/sessions", [:], by: other).status == 201)
    }
  }

  /// Changes a token's row as time or an administrator would.
  private static func rewrite(
    _ server: TestServer, _ token: String, _ change: (inout TokenRow) -> Void
  )
    throws
  {
    let store = try SQLiteStore(folder: server.settings.data)
    let hash = Digest(bytes: SHA256.hash(Array(token.utf8)).bytes)
    var row = try #require(try store.reader().tokens().first { $0.hash == hash })
    change(&row)
    try store.save(row)
    store.close()
  }

  @Test func `a token is made only for a holder that the rules know`() async throws {
    try await TestServer.run { server in
      for (scope, holder, known) in [
        ("bot", "webshopp", "webshop"), ("agent", "anne", "ann"),
        ("telephony", "nosuch", "it has hook, pbx"),
        ("integration", "nosuch", "it has shop"),
      ] {
        let reply = try await server.administer(
          "POST", "/admin/tokens", ["scope": .text(scope), "holder": .text(holder)])
        #expect(reply.status == 422)
        #expect(reply["field"].text == "holder")
        #expect(reply["detail"].text.contains(known))
      }
      #expect(
        try await server.administer("POST", "/admin/tokens", ["scope": "king", "holder": "x"])
          .status == 422)
    }
  }

  @Test func `where there are several workspaces their names are told to whoever names none`()
    async throws
  {
    let folder = try TemporaryFolder()
    for name in ["north", "south"] { try SmallRules.write(folder, workspace: name, agents: 1) }
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let body: Body = ["scope": "agent", "holder": "a1"]
      let reply = try await server.administer("POST", "/admin/tokens", body)
      #expect(reply.status == 422 && reply["detail"].text.contains("north, south"), "\(reply)")
      let none = try await server.administer(
        "POST", "/admin/tokens", ["scope": "telephony", "holder": "pbx", "workspace": "north"])
      #expect(none["detail"].text.contains("it has none"), "\(none)")
    }
  }

  @Test
  func `tokens are listed without their secrets, and revoked by id, by holder and by themselves`()
    async throws
  {
    try await TestServer.run { server in
      let (ann, ann2) = (
        try await server.token("agent", "ann"), try await server.token("agent", "ann")
      )
      let (bot, shop) = (
        try await server.token("bot", "webshop"), try await server.token("integration", "shop")
      )
      func listed() async throws -> [JSON] {
        try await server.administer("GET", "/admin/tokens").json.elements
      }
      let reply = try await server.administer("GET", "/admin/tokens")
      for secret in [ann, ann2, bot, shop] {
        #expect(!reply.description.contains(secret.dropFirst(3)))
      }
      #expect(reply.json.elements.count == 4)
      #expect(
        reply.json.elements.allSatisfy {
          $0["state"].text == "valid" && $0["workspace"].text == "demo"
        })

      func revoke(_ what: String, all: Bool = false) async throws -> Reply {
        try await server.administer(
          "POST", "/admin/tokens/revoke", ["token": .text(what), "all": .flag(all)])
      }
      #expect(try await revoke("nobody").status == 404)
      let two = try await revoke("ann")
      #expect(two.status == 409)
      #expect(two["detail"].text.contains("2 tokens"))
      #expect(
        try await listed().allSatisfy { $0["state"].text == "valid" },
        "nothing was revoked by a doubtful name")

      let id = try #require(try await listed().first { $0["holder"].text == "webshop" })["id"].text
      #expect(try await revoke(String(id.dropLast(12))).status == 200)
      #expect(try await server.call("POST", "/v1/sessions", [:], by: bot).status == 401)
      #expect(try await revoke(id).status == 409, "already")
      #expect(try await revoke(shop).status == 200)
      #expect(try await revoke("ann", all: true).json.elements.count == 2)
      #expect(try await listed().allSatisfy { $0["state"].text == "revoked" })
      try await server.restart()
      #expect(try await server.call("GET", "/v1/queues", by: ann).status == 401)
    }
  }

  @Test func `a token that is revoked while its content comes gets nothing done`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      for length in [18, 200_000] {
        let target = length == 18 ? "/v1/sessions" : "/v1/blobs"
        let token = length == 18 ? bot : try await server.token("bot", "webshop")
        let content = Array("{}".utf8) + [UInt8](repeating: 32, count: length - 2)
        let socket = try Socket.connect(port: server.port("http"))
        let head =
          "POST \(target) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Type: image/png\r\nExpect: 100-continue\r\nContent-Length: \(length)\r\n\r\n"
        let admitted = try await blocking {
          try socket.send(Array(head.utf8))
          return String(decoding: try socket.receive(), as: UTF8.self)
        }
        #expect(admitted.hasPrefix("HTTP/1.1 100"))
        try socket.send(Array(content.prefix(5)))
        let revoked = try await server.administer(
          "POST", "/admin/tokens/revoke", ["token": .text(token)])
        #expect(revoked.status == 200)
        let answer = try await blocking {
          try socket.send(Array(content.dropFirst(5)))
          return try HTTPCall.read(from: socket)
        }
        #expect(answer.status == 401, "\(target)")
      }
    }
  }

  @Test
  func
    `a revoked token is turned away at once on a kept connection, in a waiting call and on a stream`()
    async throws
  {
    try await TestServer.run { server in
      let (ann, other) = (try await server.agent("ann"), try await server.agent("ben"))
      let kept = try Socket.connect(port: server.port("http"))
      let request = Array(
        "GET /v1/queues HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(ann)\r\n\r\n".utf8)
      let before = try await blocking {
        try kept.send(request)
        return try HTTPCall.read(from: kept)
      }
      #expect(before.status == 200)
      async let waiting = server.next(ann, wait: 60)
      async let otherWaiting = server.next(other, wait: 2)
      try await eventually("both ask") {
        let page = try await server.call("GET", "/v1/queues", by: other)
        let support = page["queues"].elements.first { $0["name"].text == "support" }
        return (support?["agents"]["ready_for"]["chat"].int ?? 0) >= 2
      }
      let stream = try Peer(
        try await Python.interpreter,
        [Package.peers + "/stream.py", String(server.port("http")), ann, "header"])
      try await stream.line("ready") { $0.contains("ready") }
      let revoked = try await server.administer(
        "POST", "/admin/tokens/revoke", ["token": .text(ann)])
      #expect(revoked.status == 200)
      #expect(try await waiting.status == 401)
      #expect(try await otherWaiting.status == 204, "nobody else is turned away")
      let after = try await blocking {
        try kept.send(request)
        return try HTTPCall.read(from: kept)
      }
      #expect(after.status == 401)
      #expect(try await stream.end() == 0)
      #expect(stream.lines.last == #"{"closed": 1008}"#)
    }
  }

  @Test func `a token's time is up on a kept connection, in a waiting call and on a stream, too`()
    async throws
  {
    try await TestServer.run { server in
      let (ann, other) = (try await server.agent("ann"), try await server.agent("ben"))
      let edge = try #require(server.running).edge
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      /// The command line makes none that is over so soon.
      func short(_ scope: Caller.Scope, _ holder: String) throws -> String {
        let (row, secret) = Tokens.make(
          edge.writers[0].workspace, scope, holder,
          now: Instant(milliseconds: WallClock.nowMilliseconds),
          expires: .seconds(3))
        try edge.store.save(row)
        edge.use([row])
        return secret
      }
      let interpreter = try await Python.interpreter
      let (brief, carrier) = (try short(.agent, "cleo"), try short(.bot, "webshop"))
      let kept = try Socket.connect(port: server.port("http"))
      let request = Array(
        "GET /v1/sessions/\(chat.session)/events?after=0 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(carrier)\r\n\r\n"
          .utf8)
      let before = try await blocking {
        try kept.send(request)
        return try HTTPCall.read(from: kept)
      }
      #expect(before.status == 200)
      async let waiting = server.call(
        "GET", "/v1/sessions/\(chat.session)/events?after=\(chat.after)&wait=60", by: carrier)
      async let asking = server.next(ann, wait: 60)
      let streams = try [(brief, "header"), (carrier, "frame"), (other, "header")].map {
        try Peer(
          interpreter, [Package.peers + "/stream.py", String(server.port("http")), $0.0, $0.1])
      }
      for stream in streams { try await stream.line("ready") { $0.contains("ready") } }
      #expect(try await waiting.status == 401)
      for stream in streams.prefix(2) {
        #expect(try await stream.end() == 0)
        #expect(stream.lines.last == #"{"closed": 1008}"#)
      }
      let after = try await blocking {
        try kept.send(request)
        return try HTTPCall.read(from: kept)
      }
      #expect(after.status == 401)
      #expect(streams[2].status == nil, "nobody else is turned away")
      try await chat.customer("help")
      try await chat.handoff()
      #expect(try await asking.status == 200)
      try streams[2].say("close")
    }
  }

  @Test func `a token speaks for its holder and nobody else`() async throws {
    try await TestServer.run { server in
      let (webshop, whatsapp) = (
        try await server.token("bot", "webshop"), try await server.token("bot", "whatsapp")
      )
      let chat = try await server.open(webshop)
      let foreign = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/messages", ["author": "customer", "text": "x"],
        by: whatsapp)
      #expect(foreign.status == 404)
      #expect(
        try await server.call("GET", "/v1/sessions/\(chat.session)/events?after=0", by: whatsapp)
          .status
          == 404)
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      try await chat.customer("help")
      async let asked = server.next(ann)
      try await chat.handoff()
      let offer = try await asked["offer"].text
      #expect(try await server.call("POST", "/v1/offers/\(offer)/accept", by: ben).status == 403)
      #expect(try await server.call("POST", "/v1/offers/\(offer)/accept", by: ann).status == 200)
    }
  }

  @Test
  func `the administration socket is the owner's alone, and its pages are not on the HTTP port`()
    async throws
  {
    try await TestServer.run { server in
      let attributes = try FileManager.default.attributesOfItem(
        atPath: server.settings.data + "/admin.socket")
      let mode = try #require(attributes[.posixPermissions] as? Int)
      #expect(mode & 0o077 == 0)
      let admin = try await server.token("admin", "root")
      #expect(try await server.call("GET", "/admin/state", by: admin).status == 404)
      #expect(
        try await server.call(
          "POST", "/admin/tokens", ["scope": "admin", "holder": "x"], by: admin
        ).status
          == 404)
    }
  }
}
