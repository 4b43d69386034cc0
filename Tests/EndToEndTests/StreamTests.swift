import Foundation
import Model
import Testing
import WebCodec

/// `/v1/stream` with the client library of PyPI `websockets`.
@Suite(.inTurn) struct StreamTests {
  private func stream(
    _ server: TestServer, _ token: String, _ how: String = "header", origin: String? = nil
  ) async throws
    -> Peer
  {
    try Peer(
      try await Python.interpreter,
      [Package.peers + "/stream.py", String(server.port("http")), token, how]
        + (origin.map { [$0] } ?? []))
  }

  @Test(arguments: ["header", "frame"])
  func `a bot hears the agent's reply, and never a note`(_ how: String) async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot)
      let peer = try await stream(server, bot, how)
      try await peer.line("ready") { JSON($0)["type"].text == "ready" }
      try peer.say(
        Body.object([
          ("type", "subscribe"), ("session", .text(chat.session)), ("after", .number(chat.after)),
        ]).encoded)
      try await chat.customer("help")
      try await chat.handoff()
      let aCase = try await server.take(ann)["case"].text
      try await server.call("POST", "/v1/cases/\(aCase)/note", ["text": "internal only"], by: ann)
      for number in 1...20 { try await server.reply("reply \(number)", to: aCase, by: ann) }
      try await peer.line("the last reply") { $0.contains("reply 20") }
      let heard = peer.lines.map { JSON($0) }.filter { $0["type"].text == "events" }
      #expect(heard.allSatisfy { $0["session"].text == chat.session })
      let said = heard.flatMap { $0["events"].elements }
      #expect(
        said.compactMap { $0["text"].string } == (1...20).map { "reply \($0)" },
        "each once, in order")
      #expect(said.map { $0["entry"].int ?? 0 } == said.map { $0["entry"].int ?? 0 }.sorted())
      #expect(!peer.lines.joined().contains("internal only"))
      #expect(!peer.lines.joined().contains("\"help\""), "nor what the bot itself brought")
      try peer.say("close")
      #expect(try await peer.end() == 0)
      #expect(JSON(peer.lines.last ?? "")["closed"].int == 1000)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `whoever goes on from a number that no entry has had is told, and does not wait in silence`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      // As after a restore of an older folder: they were given numbers that are not there.
      let last = chat.after + 1
      let events = "/v1/sessions/\(chat.session)/events"
      let timeline = "/v1/customers/\(chat.customer)/timeline"
      for (page, token) in [(events, bot), (timeline, ann)] {
        #expect(try await server.call("GET", "\(page)?after=\(last)", by: token).status == 200)
        for ahead in ["\(last + 1)", "\(Int64.max)"] {
          let wait = page == events ? "&wait=60" : ""
          let reply = try await server.call("GET", "\(page)?after=\(ahead)\(wait)", by: token)
          #expect(reply.status == 409, "\(reply)")
          #expect(reply["type"].text.hasSuffix(":position-ahead"))
          #expect(reply["detail"].text.contains("the last entry is \(last)"))
        }
      }
      for (type, of, id, token) in [
        ("subscribe", "session", chat.session, bot), ("follow", "customer", chat.customer, ann),
      ] {
        let peer = try await stream(server, token)
        try await peer.line("ready") { JSON($0)["type"].text == "ready" }
        try peer.say(
          Body.object([("type", .text(type)), (of, .text(id)), ("after", .number(last + 1))])
            .encoded)
        try await peer.line("why nothing comes") { $0.contains(":position-ahead") }
        try peer.say(
          Body.object([("type", .text(type)), (of, .text(id)), ("after", .number(0))]).encoded)
        if type == "follow" {
          try await peer.line("from the beginning") { $0.contains("\"help\"") }
        }
        try peer.say("close")
        #expect(try await peer.end() == 0)
      }
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func
    `whoever follows two who are merged and taken apart while they speak hears every entry once`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let boss = try await server.token("supervisor", "boss")
      let ann = try await server.agent("ann")
      let one = try await server.open(bot, email: "jo@home.example")
      let other = try await server.open(bot, email: "al@work.example")
      var peers: [Peer] = []
      for (chat, token) in [(one, ann), (other, boss)] {
        let peer = try await stream(server, token)
        try await peer.line("ready") { JSON($0)["type"].text == "ready" }
        try peer.say(Body.object([("type", "follow"), ("customer", .text(chat.customer))]).encoded)
        peers.append(peer)
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for chat in [one, other] {
          group.addTask { for number in 1...60 { try await chat.customer("word \(number)") } }
        }
        group.addTask {
          for round in 1...9 {
            let (act, of) = round % 2 == 1 ? ("merge", "with") : ("split", "from")
            let reply = try await server.call(
              "POST", "/v1/customers/\(one.customer)/\(act)",
              .object([(of, .text(other.customer))]),
              by: boss)
            #expect(reply.status == 200, "\(reply)")
            try await Task.sleep(for: .milliseconds(50))
          }
        }
        try await group.waitForAll()
      }
      let whole = try await server.call(
        "GET", "/v1/customers/\(other.customer)/timeline?limit=1000", by: ann)
      expectComplete(whole.json)
      let all = whole["entries"].elements.compactMap { $0["entry"]["entry"].int }
      #expect(all.count > 120)
      for peer in peers {
        @Sendable func heard() -> [Int] {
          peer.lines.map { JSON($0) }.filter { $0["type"].text == "timeline" }
            .flatMap { $0["entries"].elements }.compactMap { $0["entry"]["entry"].int }
        }
        try await eventually("all of it is heard") { heard().count >= all.count }
        #expect(heard().sorted() == all)
        try peer.say("close")
        #expect(try await peer.end() == 0)
      }
    }
  }

  @Test func `a subscription starts at an entry: what was said before it is not lost`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      let aCase = try await server.take(ann)["case"].text
      try await server.reply("said before", to: aCase, by: ann)
      let peer = try await stream(server, bot)
      try peer.say(
        Body.object([
          ("type", "subscribe"), ("session", .text(chat.session)), ("after", .number(chat.after)),
        ]).encoded)
      try await peer.line("what was said before") { $0.contains("said before") }
      try await server.reply("said after", to: aCase, by: ann)
      try await peer.line("what was said after") { $0.contains("said after") }
    }
  }

  @Test
  func `who follows a customer hears every entry once, from a position on, and a bot may not`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let shop = try await server.token("integration", "shop")
      let boss = try await server.token("supervisor", "boss")
      let chat = try await server.open(bot, email: "jo@home.example")
      try await chat.customer("before")
      let peer = try await stream(server, boss)
      try peer.say(Body.object([("type", "follow"), ("customer", .text(chat.customer))]).encoded)
      try await peer.line("what was before") { $0.contains("before") }
      for number in 1...10 { try await chat.customer("after \(number)") }
      // No conversation hears of this, and the customer's timeline does.
      try await server.call(
        "POST", "/v1/journey",
        [
          "event": "returned",
          "identities": [["kind": "email", "value": "jo@home.example", "assurance": "asserted"]],
        ], by: shop)
      try await peer.line("the journey") { $0.contains("returned") }
      let heard = peer.lines.map { JSON($0) }.filter { $0["type"].text == "timeline" }
      let entries = heard.flatMap { $0["entries"].elements }.map { $0["entry"]["entry"].int ?? 0 }
      #expect(
        entries == entries.sorted() && Set(entries).count == entries.count, "each once, in order")
      let whole = try await server.timeline("jo@home.example").said.map { $0["entry"].int ?? 0 }
      #expect(entries == whole)
      // That the boss began to follow is on record, and once, beside who looked just now.
      let read = try await server.administer("GET", "/admin/accesses?customer=\(chat.customer)")
        .json.elements
      #expect(
        read.map { "\($0["who"].text) \($0["what"].text)" } == [
          "administrator timeline", "supervisor:boss timeline",
        ])
      let other = try await stream(server, bot)
      try other.say(Body.object([("type", "follow"), ("customer", .text(chat.customer))]).encoded)
      try await other.line("a refusal") { $0.contains("forbidden") }
    }
  }

  @Test func `another bot's session cannot be subscribed to`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      let peer = try await stream(server, try await server.token("bot", "whatsapp"))
      try peer.say(Body.object([("type", "subscribe"), ("session", .text(chat.session))]).encoded)
      let answer = JSON(try await peer.line("an answer") { JSON($0)["type"].text == "error" })
      #expect(answer["problem"]["status"].int == 404)
      try peer.say(#"{"type":"subscribe","session":"nonsense"}"#)
      try await peer.line("another answer") { $0.contains("malformed-id") }
      try peer.say(#"{"type":"sing"}"#)
      try await peer.line("a third") { $0.contains("wrong-value") }
      try peer.say(#"{"type":"subscribe","session":"sess_00000000000000000000000000","aftr":5}"#)
      try await peer.line("a slip of the pen") {
        $0.contains("unknown-field") && $0.contains("aftr")
      }
      try peer.say("no JSON at all")
      try await peer.line("and no JSON") { $0.contains("malformed-json") }
      try peer.say(#"{"type":"ping"}"#)
      try await peer.line("and it lives on") { JSON($0)["type"].text == "pong" }
    }
  }

  @Test func `without a token there is no stream, nor for another site's page`() async throws {
    try await TestServer.run { server in
      let wrong = try await stream(server, "tl_wrong", "frame")
      #expect(try await wrong.end() == 0)
      #expect(wrong.lines == [#"{"closed": 1008}"#], "nothing is said before the token is known")
      let refused = try await stream(server, "tl_wrong", "header")
      #expect(try await refused.end() == 0)
      #expect(refused.lines == [#"{"refused": 401}"#])
      let foreign = try await stream(
        server, try await server.token("bot", "webshop"), "header", origin: "http://evil.example")
      #expect(try await foreign.end() == 0)
      #expect(foreign.lines == [#"{"refused": 403}"#])
    }
  }

  @Test func `pages that the settings name may open streams, and the server's own`() async throws {
    try await TestServer.run {
      $0.origins = "https://desk.example, https://other.example"
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      for origin in ["https://Desk.example", "http://127.0.0.1:\(server.port("http"))"] {
        let peer = try await stream(server, bot, "frame", origin: origin)
        try await peer.line("ready") { JSON($0)["type"].text == "ready" }
      }
      let foreign = try await stream(
        server, bot, "frame", origin: "https://desk.example.evil.example")
      #expect(try await foreign.end() == 0)
      #expect(foreign.lines == [#"{"refused": 403}"#])
    }
  }

  private func handshake(_ token: String?, _ more: String = "") -> [UInt8] {
    let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    return Array(
      """
      GET /v1/stream HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\(authorization)\(more)\
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
      """.utf8)
  }

  /// All that comes until the connection ends.
  /// Opens a stream, says what it wants to hear, and reads nothing.
  private func slowReader(_ server: TestServer, _ token: String, _ wish: String) async throws
    -> Socket
  {
    let (opening, port, wish) = (handshake(token), server.port("http"), Array(wish.utf8))
    return try await blocking {
      let socket = try Socket.connect(port: port, windowBytes: 8_192)
      try socket.send(opening + [0x81, 0x80 | UInt8(wish.count), 0, 0, 0, 0] + wish)
      return socket
    }
  }

  private func rest(_ socket: Socket) throws -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let more = try socket.receive()
      if more.isEmpty { return all }
      all += more
    }
  }

  @Test func `a stream whose token does not come is closed, and has heard nothing`() async throws {
    try await TestServer.run {
      $0.headSeconds = 1
    } _: { server in
      let (opening, port) = (handshake(nil), server.port("http"))
      let heard = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(opening)
        return try rest(socket)
      }
      let end = try #require(heard.firstRange(of: Array("\r\n\r\n".utf8))).upperBound
      #expect(
        heard[end...].starts(with: [0x88, 10, 0x03, 0xF0]),
        "1008 and nothing before: \(heard[end...])")
    }
  }

  /// As an unmasked key of zeros makes it.
  private static func frame(_ opcode: UInt8, _ text: String) -> [UInt8] {
    [0x80 | opcode, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8)
  }

  @Test(arguments: [
    frame(9, "hi"), frame(1, "{"), frame(1, "{}"), frame(1, #"{"type":"auth"}"#),
    frame(1, #"{"type":"auth","token":5}"#), frame(1, #"{"type":"auth","token":"x","foo":1}"#),
    frame(1, #"{"type":"ping"}"#), frame(2, "{}"), frame(1, "{") + frame(1, "{") + frame(9, ""),
  ])
  func `whoever says anything else before their token is closed, and told nothing`(
    _ first: [UInt8]
  ) async throws {
    try await TestServer.run { server in
      let (opening, port) = (handshake(nil), server.port("http"))
      let heard = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(opening + first)
        return try rest(socket)
      }
      let end = try #require(heard.firstRange(of: Array("\r\n\r\n".utf8))).upperBound
      #expect(heard[end] == 0x88 && heard[(end + 2)..<(end + 4)].elementsEqual([0x03, 0xF0]))
      #expect(heard.count == end + 2 + Int(heard[end + 1]), "the closing frame alone")
    }
  }

  @Test func `a second token, however good, is told that there is one already`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (opening, port) = (handshake(bot), server.port("http"))
      let auth = Array(#"{"type":"auth","token":"\#(bot)"}"#.utf8)
      let heard = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(opening + [0x81, 0x80 | UInt8(auth.count), 0, 0, 0, 0] + auth)
        return try rest(socket)
      }
      #expect(String(decoding: heard, as: UTF8.self).hasSuffix("this stream has its token already"))
    }
  }

  @Test func `a binary frame is refused with 1003, and nobody else's stream is touched`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let other = try await stream(server, bot)
      try await other.line("ready") { JSON($0)["type"].text == "ready" }
      let before = try await server.position()
      let (opening, port) = (handshake(bot), server.port("http"))
      let heard = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(opening + [0x82, 0x83, 0, 0, 0, 0, 1, 2, 3])
        return try rest(socket)
      }
      let end = try #require(heard.firstRange(of: Array("\r\n\r\n".utf8))).upperBound
      let ready = Array(#"{"type":"ready"}"#.utf8)
      #expect(
        heard[end...].starts(with: [0x81, UInt8(ready.count)] + ready + [0x88, 18, 0x03, 0xEB]),
        "\(heard[end...])")
      #expect(try await server.position() == before)
      try other.say(#"{"type":"ping"}"#)
      try await other.line("it is still there") { JSON($0)["type"].text == "pong" }
    }
  }

  @Test func `a message that is too long is refused from its head`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (opening, port) = (handshake(bot), server.port("http"))
      for (length, isTaken) in [(4_096, true), (4_097, false)] {
        let heard = try await blocking {
          let socket = try Socket.connect(port: port)
          try socket.send(opening + [0x81, 0xFE])
          try socket.send([UInt8(length >> 8), UInt8(length & 0xFF), 0, 0, 0, 0])
          if isTaken {
            let text = [UInt8](repeating: 32, count: length - 2) + Array("{}".utf8)
            try socket.send(text + [0x88, 0x80, 0, 0, 0, 0])
          }
          return try rest(socket)
        }
        let end = heard.firstRange(of: [0x88, 17, 0x03, 0xF1] + Array("message too big".utf8))
        #expect((end == nil) == isTaken, "\(String(decoding: heard, as: UTF8.self))")
      }
    }
  }

  /// Few bytes unpack to a long message, and one read holds many of them.
  @Test func `who says much in few bytes takes turns with the others of the lane`() async throws {
    try await TestServer.run {
      $0.lanes = 1
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let opening = handshake(bot, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
      // `{"type":"ping","x":[0,0,…]}` of 4,003 bytes (RFC 7692 §7.2.1).
      let packed: [UInt8] = [
        0xEC, 0xC2, 0xA1, 0x0D, 0x00, 0x20, 0x0C, 0x45, 0xC1, 0x5D, 0xBE, 0xAE, 0x40, 0x77, 0x15,
        0x82, 0x24, 0x04, 0x43, 0x2A, 0x10, 0x10, 0xC2, 0xEE, 0x6C, 0x81, 0x7A, 0xB9, 0x3B, 0x9A,
        0x3B, 0xAA, 0x5C, 0xD1, 0x47, 0x93, 0x69, 0xC9, 0x73, 0x32, 0x00, 0x00, 0x00, 0x00, 0x00,
        0xF0, 0x55, 0xB9, 0x0F,
      ]
      let frame = [0xC1, 0x80 | UInt8(packed.count), 0, 0, 0, 0] + packed
      let frames = Array(repeatElement(frame, count: 500).joined())
      let port = server.port("http")
      let socket = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(opening + frames + [0x88, 0x80, 0, 0, 0, 0])
        _ = try socket.receive()  // the handshake, at least: it has come to its turn
        return socket
      }
      #expect(try await server.call("GET", "/health").status == 200)
      let last = try await blocking {
        while socket.hasBytes() {
          if try socket.receive().isEmpty { return [UInt8]() }
        }
        return try rest(socket)
      }
      #expect(!last.isEmpty, "it came last, and was not answered first")
    }
  }

  @Test(arguments: [("bot", "webshop", "subscribe", 1_000), ("agent", "ann", "follow", 100)])
  func `a stream hears of so many at once, and no more`(
    _ scope: String, _ holder: String, _ wish: String, _ most: Int
  ) async throws {
    try await TestServer.run { server in
      let token = try await server.token(scope, holder)
      let (opening, port) = (handshake(token), server.port("http"))
      // Of none of them is there anything: each is looked for, and forgotten.
      let frames = (0..<most + 200).flatMap { n -> [UInt8] in
        let name =
          wish == "follow"
          ? #""customer":"\#(CustomerID(high: 1, low: UInt64(n)))""#
          : #""session":"\#(SessionID(high: 1, low: UInt64(n)))""#
        let text = #"{"type":"\#(wish)",\#(name)}"#
        return [0x81, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8)
      }
      let heard = try await blocking {
        let socket = try Socket.connect(port: port)
        try socket.send(opening + frames + [0x88, 0x80, 0, 0, 0, 0])
        return String(decoding: try rest(socket), as: UTF8.self)
      }
      #expect(heard.contains("too-many-subscriptions"))
    }
  }

  @Test
  func
    `a stream that is not read is paused, then closed with 1013 and counted, and another is served`()
    async throws
  {
    try await TestServer.run {
      $0.slowReaderSeconds = 3  // in which all could be gathered many times
      // Or a machine under load ends the slow one for another reason, or before it is read here.
      ($0.pingSeconds, $0.httpStallSeconds) = (600, 600)
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let (ann, boss) = (
        try await server.agent("ann"), try await server.token("supervisor", "boss")
      )
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      let aCase = try await server.take(ann)["case"].text
      let count = 150
      for number in 1...count {
        try await server.reply(
          "\(number) " + String(repeating: "x", count: 60_000), to: aCase, by: ann)
      }
      let wish = #"{"type":"subscribe","session":"\#(chat.session)"}"#
      let slow = try await slowReader(server, bot, wish)
      let peer = try await stream(server, bot)
      try await peer.line("ready") { JSON($0)["type"].text == "ready" }
      try peer.say(wish)
      try await peer.line("whoever reads has all of it", seconds: 120) {
        $0.contains("\"\(count) xxx")
      }
      try await eventually("the slow one is counted", seconds: 30) {
        let metrics = try await server.call("GET", "/metrics", by: boss)
        return String(decoding: metrics.body, as: UTF8.self).contains(
          "throughline_stream_slow_readers_total 1\n")
      }
      let heard = try await blocking { try rest(slow) }
      #expect(
        heard.suffix(15) == [0x88, 13, 0x03, 0xF5] + Array("read faster".utf8),
        "1013, behind what was under way")
      #expect(
        heard.count < count * 60_000 * 3 / 4,
        "what it did not read was never gathered for it: \(heard.count) bytes")
    }
  }

  @Test func `a stream may stand still for as long as it may, where a connection may not`()
    async throws
  {
    try await TestServer.run {
      ($0.slowReaderSeconds, $0.httpStallSeconds, $0.pingSeconds) = (4, 1, 600)
    } _: { server in
      let ann = try await server.agent("ann")
      let boss = try await server.token("supervisor", "boss")
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      for _ in 1...100 { try await chat.customer(String(repeating: "x", count: 60_000)) }
      let slow = try await slowReader(
        server, ann, #"{"type":"follow","customer":"\#(chat.customer)"}"#)
      try await eventually("it is counted", seconds: 30) {
        try await server.call("GET", "/metrics", by: boss).description
          .contains("throughline_stream_slow_readers_total 1\n")
      }
      let heard = try await blocking { try rest(slow) }
      #expect(heard.suffix(15) == [0x88, 13, 0x03, 0xF5] + Array("read faster".utf8))
    }
  }

  /// Where the stream's bound does not end it, the connection's does, which sends nothing more.
  @Test(arguments: [(65_536, 33 << 20), (256 << 20, 65_536)])
  func `a stream that has too much unread gets 1013 when there is more, however little`(
    _ streamMax: Int, _ connectionMax: Int
  ) async throws {
    try await TestServer.run {
      ($0.unsentBytesMax, $0.httpUnsentBytesMax) = (streamMax, connectionMax)
      ($0.slowReaderSeconds, $0.pingSeconds, $0.httpStallSeconds) = (600, 600, 600)
    } _: { server in
      let ann = try await server.agent("ann")
      let boss = try await server.token("supervisor", "boss")
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      let count = 120
      let words = String(repeating: "x", count: 60_000)
      for _ in 1...count { try await chat.customer(words) }
      let slow = try await slowReader(
        server, ann, #"{"type":"follow","customer":"\#(chat.customer)"}"#)
      // What their own stream is told of each change is more than there is room for.
      try await eventually("the slow one is counted", seconds: 30) {
        for status in ["break", "available"] {
          try await server.call("PUT", "/v1/agents/me/status", ["status": .text(status)], by: ann)
        }
        let metrics = try await server.call("GET", "/metrics", by: boss)
        let counted =
          streamMax < connectionMax
          ? "throughline_stream_slow_readers_total 1\n"
          : "throughline_connections_closed_total{reason=\"slow_reader\"} 1\n"
        return metrics.description.contains(counted)
      }
      let heard = try await blocking { try slow.awaitEnd() }
      let isTold = heard.suffix(15) == [0x88, 13, 0x03, 0xF5] + Array("read faster".utf8)
      #expect(isTold == (streamMax < connectionMax))
    }
  }

  @Test
  func `what is long comes compressed where the client offers it, and memory for it is bounded`()
    async throws
  {
    for bytesMax in [1 << 20, 0] {
      try await TestServer.run {
        $0.contextBytesMax = bytesMax
      } _: { server in
        let bot = try await server.token("bot", "webshop")
        let (plain, port) = (handshake(bot), server.port("http"))
        let offer = Array(
          "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".utf8)
        let answer = try await blocking {
          let socket = try Socket.connect(port: port)
          try socket.send(plain.dropLast(2) + offer)
          return String(decoding: try socket.receive(), as: UTF8.self)
        }
        #expect(
          answer.contains("sec-websocket-extensions: permessage-deflate; client_max_window_bits=12")
        )
        #expect(answer.contains("no_context_takeover") == (bytesMax == 0), "\(answer)")
        let peer = try await stream(server, bot)
        try await peer.line("ready") { JSON($0)["type"].text == "ready" }
        let chat = try await server.open(bot)
        let ann = try await server.agent("ann")
        try await chat.customer("help")
        try await chat.handoff()
        let aCase = try await server.take(ann)["case"].text
        try peer.say(
          Body.object([
            ("type", "subscribe"), ("session", .text(chat.session)), ("after", .number(chat.after)),
          ]).encoded)
        for number in 1...5 {
          try await server.reply(
            "\(number): " + String(repeating: "long words ", count: 200), to: aCase, by: ann)
        }
        try await peer.line("all of it") { $0.contains("5: long words") }
      }
    }
  }

  @Test func `whoever has shown no token takes no more than half of the memory for contexts`()
    async throws
  {
    try await TestServer.run {
      $0.contextBytesMax = 2 * PermessageDeflate().heldBytes
    } _: { server in
      let (bot, port) = (try await server.token("bot", "webshop"), server.port("http"))
      let offer = Array("Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".utf8)
      func remembers(_ token: String?) async throws -> (Socket, Bool) {
        let opening = handshake(token)
        return try await blocking {
          let socket = try Socket.connect(port: port)
          try socket.send(opening.dropLast(2) + offer)
          let answer = String(decoding: try socket.receive(), as: UTF8.self)
          #expect(answer.contains("permessage-deflate"), "\(answer)")
          return (socket, !answer.contains("no_context_takeover"))
        }
      }
      var held: [Socket] = []
      for (token, isRemembered) in [
        (nil as String?, true), (nil, false), (bot, true), (bot, false), (nil, false),
      ] {
        let (socket, remembers) = try await remembers(token)
        #expect(remembers == isRemembered, "after \(held.count)")
        held.append(socket)
      }
      for socket in held { socket.close() }
    }
  }

  @Test func `a silent stream lives while it answers pings, and ends when it does not`()
    async throws
  {
    try await TestServer.run {
      $0.pingSeconds = 1
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      let living = try await stream(server, bot)
      try await living.line("ready") { JSON($0)["type"].text == "ready" }
      let (opening, port) = (handshake(bot), server.port("http"))
      // Nothing, or no more than the beginning of a frame: cut off after a ping and as long again.
      // The other one answers its pings meanwhile.
      for answer: [UInt8] in [[], [0x81], [0x81, 0x85, 0, 0, 0, 0, 1]] {
        try await blocking {
          let socket = try Socket.connect(port: port, seconds: 20)
          try socket.send(opening)
          var heard: [UInt8] = []
          while !heard.contains(0x89) { heard += try socket.receive() }
          if !answer.isEmpty { try socket.send(answer) }
          try socket.awaitEnd()
        }
      }
      try living.say(#"{"type":"ping"}"#)
      try await living.line("it is still there") { JSON($0)["type"].text == "pong" }
    }
  }

  @Test func `an agent with an open stream is offered cases there, and hears the customer`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let peer = try await stream(server, ann)
      try await peer.line("ready") { JSON($0)["type"].text == "ready" }
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      let offer = JSON(try await peer.line("an offer") { JSON($0)["type"].text == "offer" })
      #expect(offer["timeline"].texts == ["help"])
      expectComplete(offer["timeline"])
      #expect(
        try await server.call("POST", "/v1/offers/\(offer["offer"].text)/accept", by: ann).status
          == 200)
      try await chat.customer("are you there?")
      let told = JSON(try await peer.line("the customer's words") { $0.contains("are you there?") })
      #expect(told["type"].text == "entry")
      #expect(told["conversation"].text == chat.conversation)
    }
  }

  @Test
  func `a desk is told what its agent is, that they missed an offer, and that a hold is over`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 1)
    try rules.write("rules/small/queues.yaml", "support: { offer_timeout: 1s }\n")
    try rules.write(
      "rules/small/workspace.yaml", "bots: { robin: }\nstatuses: { lunch: { as: break } }\n")
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let a1 = try await server.agent("a1")
      let peer = try await stream(server, a1)
      try await peer.line("ready") { JSON($0)["type"].text == "ready" }
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let missed = try await peer.line("that they missed it") { JSON($0)["type"].text == "status" }
      #expect(missed == #"{"type":"status","status":"available","responding":false}"#)
      let status = { (name: String) in
        try await server.call(
          "PUT", "/v1/agents/me/status", ["status": .text(name), "reason": "soup"], by: a1)
      }
      #expect(try await status("lunch").status == 200)
      try await peer.line("that they are at lunch") {
        $0 == #"{"type":"status","status":"lunch","responding":false}"#
      }
      let assigned = try await server.call(
        "POST", "/v1/cases/\(aCase)/assign", ["agent": "a1"],
        by: try await server.token("supervisor", "boss"))
      #expect(assigned.status == 200)
      #expect(
        try await server.call("POST", "/v1/cases/\(aCase)/hold", ["seconds": 1], by: a1).status
          == 200)
      try await peer.line("that the hold is over") {
        $0 == #"{"type":"case","cause":"hold_timed_out","case":"\#(aCase)","state":"assigned"}"#
      }
      #expect(try await server.story(aCase).suffix(2) == ["held a1", "hold_ended a1"])
    }
  }

  @Test func `a desk sees who rings, of a call that had to wait, too, and that it rings no more`()
    async throws
  {
    try await TestServer.run { server in
      let hook = try await server.token("telephony", "hook")
      let ann = try await server.token("agent", "ann")
      let desk = try await stream(server, ann)
      try await desk.line("ready") { JSON($0)["type"].text == "ready" }
      let arrived = try await server.call(
        "POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: hook)
      #expect(arrived["do"].text == "wait", "\(arrived)")
      try await server.call("PUT", "/v1/agents/me/status", ["status": "available"], by: ann)
      let ring = JSON(try await desk.line("the ring") { JSON($0)["type"].text == "ringing" })
      let offer = ring["offer"].text
      let told = try await server.call(
        "POST", "/v1/calls/c1/events", ["event": "hung_up"], by: hook)
      #expect(told.status == 200, "\(told)")
      try await desk.line("its end") {
        JSON($0)["type"].text == "offer_ended" && JSON($0)["offer"].text == offer
      }
    }
  }

  @Test func `what the phone reports of a ring, and why an offer is over, a desk hears as well`()
    async throws
  {
    try await TestServer.run { server in
      let hook = try await server.token("telephony", "hook")
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let desks = [try await stream(server, ann), try await stream(server, ann)]
      for desk in desks { try await desk.line("ready") { JSON($0)["type"].text == "ready" } }
      let ring = try await server.call(
        "POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: hook)
      let offer = ring["offer"].text
      let told = try await server.call(
        "POST", "/v1/calls/c1/events", ["event": "busy", "offer": .text(offer)], by: hook)
      #expect(told.status == 200, "\(told)")
      for desk in desks {
        try await desk.line("that it was busy") {
          $0
            == #"{"type":"offer_ended","offer":"\#(offer)","end":"failed","reason":"device_busy"}"#
        }
      }
      try await server.call("POST", "/v1/calls/c1/events", ["event": "hung_up"], by: hook)
      try await server.call("PUT", "/v1/agents/me/status", ["status": "available"], by: ann)
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      let shown = JSON(try await desks[1].line("an offer") { JSON($0)["type"].text == "offer" })
      try await server.call("POST", "/v1/offers/\(shown["offer"].text)/decline", by: ann)
      for desk in desks {
        try await desk.line("that it was declined") {
          $0
            == #"{"type":"offer_ended","offer":"\#(shown["offer"].text)","end":"declined"}"#
        }
      }
    }
  }

  @Test func `a ninth stream of an agent closes the eldest, which says why`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      var desks: [Peer] = []
      for _ in 1...9 {
        let desk = try await stream(server, ann)
        try await desk.line("ready") { JSON($0)["type"].text == "ready" }
        desks.append(desk)
      }
      try await desks[0].line("its end") {
        JSON($0)["closed"].int == 4001
          && JSON($0)["reason"].text == "a newer stream of this agent took its place"
      }
      let page = try await server.call("GET", "/v1/agents/me", by: ann)
      #expect(page["asks"]["streams"].int == 8)
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      for desk in desks.dropFirst() {
        try await desk.line("an offer") { JSON($0)["type"].text == "offer" }
      }
    }
  }

  @Test func `an offer outlives the eldest stream of its agent, and is told again`() async throws {
    try await TestServer.run { server in
      let ann = try await server.agent("ann")
      let desks = [try await stream(server, ann), try await stream(server, ann)]
      for desk in desks { try await desk.line("ready") { JSON($0)["type"].text == "ready" } }
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      try await chat.handoff()
      let shown = JSON(try await desks[1].line("an offer") { JSON($0)["type"].text == "offer" })
      desks[0].signal(SIGKILL)
      let again = JSON(
        try await desks[1].line("what is told next") {
          ["offer", "offer_ended"].contains(JSON($0)["type"].text)
        })
      #expect(again["type"].text == "offer" && again["offer"].text == shown["offer"].text)
      #expect(again["until"].text == shown["until"].text)
      try await server.call("POST", "/v1/offers/\(shown["offer"].text)/accept", by: ann)
    }
  }

  @Test
  func `what others and the clock do with an agent's cases is told on every stream of theirs`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let boss = try await server.token("supervisor", "boss")
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      let desks = [
        try await stream(server, ann), try await stream(server, ann), try await stream(server, ben),
      ]
      for desk in desks { try await desk.line("ready") { JSON($0)["type"].text == "ready" } }
      let chat = try await server.open(bot)
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let act = { (what: String, body: Body, by: String) in
        let done = try await server.call("POST", "/v1/cases/\(aCase)/\(what)", body, by: by)
        #expect(done.status == 200, "\(what): \(done)")
      }
      /// The news of the case that a desk has heard so far.
      @Sendable func news(_ desk: Peer) -> [JSON] {
        desk.lines.map { JSON($0) }.filter {
          $0["type"].text.hasPrefix("case") && $0["case"].text == aCase
        }
      }
      @Sendable func causes(_ desk: Peer) -> [String] { news(desk).map { $0["cause"].text } }

      try await act("assign", ["agent": "ben"], boss)
      try await eventually("ben has it") { causes(desks[2]) == ["assigned"] }
      let brought = news(desks[2])[0]
      #expect(
        brought["agent"].text == "ben" && brought["timeline"].texts == ["help"], "\(brought)")
      expectComplete(brought["timeline"])
      try await act("assign", ["agent": "ann"], boss)
      try await eventually("ann has it on both, ben has it no more") {
        causes(desks[0]) == ["assigned"] && causes(desks[1]) == ["assigned"]
          && causes(desks[2]) == ["assigned", "reassigned"]
      }
      #expect(news(desks[2])[1]["type"].text == "case_gone")
      try await act("park", ["seconds": 1], ann)
      try await eventually("it woke, with everything said so far", seconds: 20) {
        causes(desks[1]) == ["assigned", "parked", "woke"]
      }
      #expect(news(desks[1])[1]["until"].string != nil)
      #expect(news(desks[1])[1]["state"].text == "parked")
      #expect(news(desks[1])[2]["timeline"].texts == ["help"])
      try await act("consult", ["agent": "ben", "seconds": 600], ann)
      try await act("take-over", [:], ben)
      try await eventually("ann hears that it was taken over") {
        causes(desks[0])
          == ["assigned", "parked", "woke", "consulting", "consult_ended", "taken_over"]
      }
      let consulting = news(desks[0])[3]
      #expect(consulting["agent"].text == "ben" && consulting["until"].string != nil)
      #expect(news(desks[0])[4]["end"].text == "took_over")
      try await act("requeue", [:], boss)
      try await eventually("ben hears that it was put back") {
        causes(desks[2]) == ["assigned", "reassigned", "took_over", "by_supervisor"]
      }
    }
  }

  @Test
  func
    `an agent who is asked for advice sees the whole case on the stream, hears it, and when that is over`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      let aCase = try await server.take(ann)["case"].text
      let peer = try await stream(server, ben)
      try await peer.line("ready") { JSON($0)["type"].text == "ready" }
      let consult: Body = ["agent": "ben", "seconds": 600]
      #expect(
        try await server.call("POST", "/v1/cases/\(aCase)/consult", consult, by: ann).status == 200)
      let question = JSON(try await peer.line("a question") { JSON($0)["type"].text == "consult" })
      #expect(question["by"].text == "ann" && question["case"].text == aCase)
      #expect(question["until"].string != nil)
      #expect(question["timeline"].texts == ["help"])
      expectComplete(question["timeline"])
      try await chat.customer("are you there?")
      try await peer.line("the customer's words") { $0.contains("are you there?") }
      try await server.call("POST", "/v1/cases/\(aCase)/end-consult", by: ann)
      let ended = JSON(try await peer.line("the end") { JSON($0)["type"].text == "consult_ended" })
      #expect(ended["case"].text == aCase && ended["end"].text == "ended")
      try await server.call("POST", "/v1/cases/\(aCase)/consult", consult, by: ann)
      try await eventually("a second question") {
        peer.lines.count { JSON($0)["type"].text == "consult" } == 2
      }
      #expect(try await server.call("POST", "/v1/cases/\(aCase)/take-over", by: ben).status == 200)
      try await peer.line("and its end") { JSON($0)["end"].text == "took_over" }
    }
  }

  @Test func `a stream that breaks fails its offer, and the next agent gets the case`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      let peer = try await stream(server, ann)
      try await peer.line("ready") { JSON($0)["type"].text == "ready" }
      let chat = try await server.open(bot)
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      try await peer.line("an offer") { JSON($0)["type"].text == "offer" }
      async let other = server.next(ben)
      peer.signal(9)
      #expect(try await other["case"].text == aCase)
      #expect(
        try await server.story(aCase) == ["queued", "offered ann", "failed ann", "offered ben"])
    }
  }

  @Test func `every desk of an agent hears of an offer, whichever is half dead`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let (dead, looked) = (try await stream(server, ann), try await stream(server, ann))
      for peer in [dead, looked] {
        try await peer.line("ready") { JSON($0)["type"].text == "ready" }
      }
      let chat = try await server.open(bot)
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      var offers: [String] = []
      for peer in [dead, looked] {
        offers.append(
          JSON(try await peer.line("an offer") { JSON($0)["type"].text == "offer" })["offer"].text)
      }
      #expect(Set(offers).count == 1)
      let accepted = try await server.call("POST", "/v1/offers/\(offers[0])/accept", by: ann)
      #expect(accepted["case"].text == aCase)
    }
  }
}
