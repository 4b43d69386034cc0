import Dispatch
import Foundation
import GRDB
import Model
import Service
import System
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
      for pool in [edge.heavy, edge.keeps] { for _ in 0..<4 { pool.run { _ in gate.wait() } } }
      async let mail = server.deliver(Letter())
      async let blob = server.call(
        "POST", "/v1/blobs?name=a.txt", raw: Array("hello".utf8), by: bot,
        headers: [("Content-Type", "text/plain")])
      let taken = try await server.take(ann)
      #expect(taken["timeline"].texts == ["where is my lamp?"])
      #expect(try await server.timeline("mia@home.example").texts == ["where is my lamp?"])
      #expect(try await chat.events(wait: 0).status == 200)
      for _ in 0..<8 { gate.signal() }
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

  /// Its folder may lie on a disk that hangs by itself: mail that brings nothing for it goes on.
  @Test func `while attachments cannot be kept, all else goes on, and health tells since when`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "mia@home.example")
      let picture = Array("a picture".utf8)
      let kept = try await server.call("POST", "/v1/blobs", raw: picture, by: bot)
      #expect(kept.status == 201)
      // Whoever keeps the same again looks at what is there, and waits for somebody who writes to it.
      server.damages()
      let place = server.settings.data + "/blobs/"
      let file =
        place
        + (try #require(
          try FileManager.default.subpathsOfDirectory(atPath: place).first {
            $0.split(separator: "/").count == 3
          }))
      try FileManager.default.removeItem(atPath: file)
      #expect(mkfifo(file, 0o600) == 0)
      let begun = Instant(milliseconds: WallClock.nowMilliseconds)
      let port = server.port("smtp")
      var talks: [MailTalk] = []
      for number in 1...3 {
        talks.append(
          try await blocking {
            let talk = try MailTalk(port: port)
            #expect(try talk.begin(Letter()) == 354)
            let mail = [
              "From: Mia <mia@home.example>", "Message-ID: <\(number)@pictures.example>",
              "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", "", "--b",
              "Content-Type: text/plain", "", "see", "--b",
              "Content-Type: image/png; name=a.png", "Content-Transfer-Encoding: base64", "",
              Data(picture).base64EncodedString(), "--b--", ".", "",
            ]
            try talk.socket.send(Array(mail.joined(separator: "\r\n").utf8))
            return talk
          })
      }
      let upload = try await send(
        [
          HTTPCall(
            method: "POST", target: "/v1/blobs", headers: [("Authorization", "Bearer \(bot)")],
            body: picture)
        ], to: server)
      let edge = try #require(server.running?.edge)
      try await eventually("keeping hangs") {
        [edge.keeps, edge.heavy].contains { pool in
          pool.busySince.map { $0 + .milliseconds(500) < .now() } ?? false
        }
      }
      for over in ["smtp", "lmtp", "smtp"] {
        #expect(try await server.deliver(Letter(), over: over) == 250)
      }
      try await chat.customer("hello")
      #expect(try await chat.events(wait: 0).status == 200)
      let waiting = talks
      #expect(!waiting.contains { $0.socket.hasBytes() } && !upload.hasBytes())
      try await eventually("it is told", seconds: 60) {
        try await server.call("GET", "/health")["status"].text == "degraded"
      }
      let health = try await server.administer("GET", "/health")
      #expect(health.status == 200 && health["attachments"].text == "hanging", "\(health)")
      #expect(health["why"].text.contains("attachments cannot be kept since "), "\(health)")
      let since = try #require(edge.health.now.keepsHang)
      #expect(since >= begun && since <= edge.health.clock.now)
      // From now on whoever opens it reads nothing of it.
      let writer = open(file, O_RDWR | O_NONBLOCK)
      defer { close(writer) }
      for talk in waiting { #expect(try await blocking { try talk.reply() } == 250) }
      #expect(try await blocking { try HTTPCall.read(from: upload) }.status == 201)
      try await eventually("it is well again") {
        try await server.call("GET", "/health")["status"].text == "ok"
      }
    }
  }

  /// Until all of them have left.
  private func awaitNobody(_ server: TestServer) async throws {
    try await eventually("all have left") {
      (server.running?.edge.hub.laneStatistics ?? []).reduce(0) { $0 + $1.open } == 0
    }
  }

  /// Until what waits in it now is over.
  private func drain(_ pool: ReadPool) async {
    for _ in 0..<4 { await withCheckedContinuation { done in pool.run { _ in done.resume() } } }
  }

  private func get(_ target: String, by token: String, gzip: Bool = false) -> HTTPCall {
    HTTPCall(
      method: "GET", target: target,
      headers: [("Authorization", "Bearer \(token)")]
        + (gzip ? [("Accept-Encoding", "gzip")] : []), keepsAlive: true)
  }

  @Test func `the past is not looked at for clients who left, nor to its end for who leaves`()
    async throws
  {
    try await TestServer.run { server in
      let boss = try await server.token("supervisor", "boss")
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "mia@home.example")
      let aCase = try await chat.handoff()["case"].text
      let edge = try #require(server.running?.edge)
      let at = edge.health.clock.now.description
      let target = "/v1/explain?case=\(aCase)&at=\(at)"
      @Sendable func explained() async throws -> Int {
        try await server.administer("GET", "/admin/accesses?customer=\(chat.customer)").json
          .elements.count { $0["what"].text == "explanation" }
      }
      let gate = Gate(edge.heavy)
      for _ in 1...3 {
        let socket = try await send([get(target, by: boss)], to: server)
        socket.reset()
      }
      try await awaitNobody(server)
      gate.open()
      await drain(edge.heavy)
      #expect(try await explained() == 0)
      #expect(try await server.call("GET", target, by: boss).status == 200)
      #expect(try await explained() == 1)
      // One that is under way ends when its client has left.
      let writer = edge.writers[0]
      let api = try #require(edge.api(writer.workspace))
      let asked = try ExplainRequest(api.directory, by: "boss") { ["case": aCase, "at": at][$0] }
      let over = Errand()
      over.callOff()
      let past = try #require(asked.at)
      for (errand, status) in [(over, 503), (Errand(), 200)] {
        let answer = Explainer.past(
          asked, past, writer, api, try edge.store.reader(), for: errand)
        #expect(answer.status == status)
      }
    }
  }

  @Test func `answers that wait to be packed go with the clients who left`() async throws {
    let rules = try SmallRules.folder()
    let queues = (1...1_000).map { "q\($0): { title: Queue number \($0) }\n" }.joined()
    try rules.write("rules/small/queues.yaml", "support: { title: Support }\n" + queues)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let boss = try await server.token("supervisor", "boss")
      let size = try await server.call("GET", "/metrics", by: boss).body.count
      #expect(size > 500_000)
      let edge = try #require(server.running?.edge)
      let (gate, count) = (Gate(edge.reads), 8)
      let used = Heap.usedBytes
      var sockets: [Socket] = []
      for _ in 0..<count {
        sockets.append(try await send([get("/metrics", by: boss, gzip: true)], to: server))
      }
      try await eventually("all wait") { Heap.usedBytes - used > count / 2 * size }
      for socket in sockets { socket.reset() }
      try await eventually("their answers are gone") { Heap.usedBytes - used < count / 4 * size }
      gate.open()
      #expect(try await server.call("GET", "/metrics", by: boss).status == 200)
    }
  }

  @Test func `events are not looked for for clients who left`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "mia@home.example")
      let edge = try #require(server.running?.edge)
      let gate = Gate(edge.reads)
      for wait in [0, 0, 30] {
        let target = "/v1/sessions/\(chat.session)/events?after=0&wait=\(wait)"
        let socket = try await send([get(target, by: bot)], to: server)
        socket.reset()
      }
      try await awaitNobody(server)
      // Whoever looked now would find damage, and tell.
      server.damages()
      try await DatabaseQueue.beside(server.settings.data + "/throughline.sqlite").write {
        try $0.execute(sql: "UPDATE sessions SET ended=1")
        #expect($0.changesCount == 1)
      }
      gate.open()
      await drain(edge.reads)
      #expect(edge.health.now.damaged == [])
      #expect(try await chat.events(wait: 0).status == 503)
      #expect(edge.health.now.damaged.count == 1)
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
      let gates = [Gate(edge.looks), Gate(edge.keeps)]
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
      for pool in [edge.looks, edge.keeps] {
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
