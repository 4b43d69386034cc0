import Foundation
import Testing

/// What stays when the server goes.
@Suite(.inTurn) struct RestartTests {
  @Test func `waiting cases keep their places and their ages`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      var made: [String] = []
      for number in 1...3 {
        let chat = try await server.open(bot, email: "w\(number)@home.example")
        try await chat.customer("help \(number)")
        made.append(try await chat.handoff()["case"].text)
      }
      let reader = try await server.token("agent", "ann")
      func ages() async throws -> [String] {
        var ages: [String] = []
        for id in made {
          ages.append(
            try await server.call("GET", "/v1/cases/\(id)", by: reader)["waiting_since"].text)
        }
        return ages
      }
      let (before, position) = (try await ages(), try await server.position())
      #expect(before == before.sorted() && Set(before).isDisjoint(with: ["<absent>"]))
      try await server.restart()
      #expect(try await ages() == before)
      #expect(try await server.position() >= position)
      let ann = try await server.agent("ann")
      var got: [String] = []
      for _ in made { got.append(try await server.take(ann)["case"].text) }
      #expect(got == made)
    }
  }

  @Test func `a server that has stopped keeps no descriptor`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop", seconds: 600)
      let chat = try await server.open(bot)
      try await chat.customer("hello")
      let data = server.settings.data
      #expect(Self.descriptors { $0.hasPrefix(data) } > 4)
      weak let edge = server.running?.edge
      #expect(edge != nil)
      await server.stop()
      try await eventually("nobody knows it") { edge == nil }
      try await eventually("its files are closed") { Self.descriptors { $0.hasPrefix(data) } == 0 }
    }
  }

  /// Of this process, by what they are open on.
  private static func descriptors(_ where: (String) -> Bool) -> Int {
    let all = "/proc/self/fd"
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: all)) ?? []
    return numbers.count { number in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(all)/\(number)")
      return target.map(`where`) ?? false
    }
  }

  @Test func `an agent keeps the case, and the conversation its owner`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      let aCase = try await server.take(ann)["case"].text
      try await server.restart()
      let stale = try await chat.bot("me")
      #expect(stale.status == 409)
      #expect(stale["owner"].description == #"{"kind":"agent","name":"ann"}"#)
      #expect(try await server.reply("still here", to: aCase, by: ann).status == 201)
      let heard = try await chat.events()
      #expect(heard["events"].elements.compactMap { $0["text"].string } == ["still here"])
    }
  }

  @Test func `a data folder is one server's at a time`() async throws {
    try await TestServer.run { server in
      let (status, lines) = try await Peer.run(
        try Binary.path,
        ["serve", "--data", server.settings.data, "--rules", Package.demoRules] + Binary.quiet)
      #expect(status == 1)
      #expect(lines.joined().contains(server.settings.data))
    }
  }

  @Test func `SIGTERM drains what is in flight, leaves no socket behind, and exits 0`() async throws
  {
    let folder = try TemporaryFolder()
    // One lane: when the poll is answered, all of its connections know of the stop.
    let served = try await Binary.serve(folder, environment: ["THROUGHLINE_LANES": "1"])
    let token = try await Peer.run(
      try Binary.path, ["token", "create", "--data", folder.path + "/data", "--bot", "webshop"])
    #expect(token.status == 0)
    let bot = token.lines[0]
    let open = HTTPCall(
      method: "POST", target: "/v1/sessions", headers: [("Authorization", "Bearer \(bot)")],
      body: Array("{}".utf8))
    let port = served.port
    let opened = try await blocking { try open.send(on: try Socket.connect(port: port)) }
    #expect(opened.status == 201)
    let poll = HTTPCall(
      method: "GET",
      target:
        "/v1/sessions/\(opened["session"].text)/events?after=\(opened["after"].int ?? 0)&wait=30",
      headers: [("Authorization", "Bearer \(bot)")])
    let waiting = try Socket.connect(port: port)
    try waiting.send(poll.bytes)
    // Within a head, within content, and told to go on with it.
    let health = HTTPCall(method: "GET", target: "/health", keepsAlive: true).bytes
    var expecting = open
    expecting.headers.append(("Expect", "100-continue"))
    expecting.keepsAlive = true
    let begun = [
      (health.dropLast(1), health.suffix(1), 200),
      (open.bytes.dropLast(1), open.bytes.suffix(1), 201),
      (expecting.bytes.dropLast(2), expecting.bytes.suffix(2), 201),
    ]
    let late = try begun.map { part, _, _ in
      let socket = try Socket.connect(port: port)
      try socket.send(Array(part))
      return socket
    }
    #expect(try await blocking { try HTTPCall.read(from: late[2]) }.status == 100)
    let idle = try Socket.connect(port: port)
    try idle.send(health)
    #expect(try await blocking { try HTTPCall.read(from: idle) }.status == 200)
    async let answer = blocking { try HTTPCall.read(from: waiting) }
    served.peer.signal(SIGTERM)
    // The poll is answered as at its time, not cut off.
    let page = try await answer
    #expect(page.status == 200 && page["events"].elements.isEmpty && page["more"].isAbsent == false)
    #expect(page["after"].int == opened["after"].int)
    #expect(try await blocking { try idle.awaitEnd() }.isEmpty, "who asks for nothing is let go")
    for ((_, rest, status), socket) in zip(begun, late) {
      let reply = try await blocking {
        try socket.send(Array(rest))
        return try HTTPCall.read(from: socket)
      }
      #expect(reply.status == status)
      #expect(reply.headers["connection"] == "close")
    }
    #expect(try await served.peer.end() == 0)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/data/admin.socket"))
  }

  @Test func `the other commands tell the story of a server that runs`() async throws {
    let folder = try TemporaryFolder()
    let served = try await Binary.serve(folder)
    let data = ["--data", folder.path + "/data"]
    let bot = try await Peer.run(
      try Binary.path, ["token", "create"] + data + ["--bot", "webshop"]
    ).lines[0]
    func post(_ target: String, _ body: Body) async throws -> Reply {
      let call = HTTPCall(
        method: "POST", target: target, headers: [("Authorization", "Bearer \(bot)")],
        body: Array(body.encoded.utf8))
      let port = served.port
      return try await blocking { try call.send(on: try Socket.connect(port: port)) }
    }
    let opened = try await post(
      "/v1/sessions",
      [
        "customer": [
          "identities": [["kind": "email", "value": "ann@home.example", "assurance": "asserted"]]
        ]
      ])
    let session = "/v1/sessions/\(opened["session"].text)"
    _ = try await post(session + "/messages", ["author": "customer", "text": "where is my lamp?"])
    let handed = try await post(session + "/handoff", ["reason": "wants a human"])
    let timeline = try await Peer.run(try Binary.path, ["timeline"] + data + ["ann@home.example"])
    #expect(timeline.status == 0)
    #expect(timeline.lines.contains { $0.contains("where is my lamp?") })
    let why = try await Peer.run(try Binary.path, ["explain"] + data + [handed["case"].text])
    #expect(why.status == 0)
    #expect(why.lines.joined().contains("support"))
    let nobody = try await Peer.run(try Binary.path, ["timeline"] + data + ["nobody@home.example"])
    #expect(nobody.status != 0)
    #expect(try await Peer.run(try Binary.path, ["reload"] + data).status == 0)
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
    let gone = try await Peer.run(try Binary.path, ["reload"] + data)
    #expect(gone.status != 0)
    #expect(gone.lines.joined().contains("no server answers"))
  }

  /// A smaller sister of the crash test: killed in the middle of writing, the server starts again
  /// by itself with every acknowledged message, once and in order.
  @Test func `after kill -9 every acknowledged message is there, once and in order`() async throws {
    let folder = try TemporaryFolder()
    var acknowledged: [String] = []
    var session = ""
    var bot = ""
    for round in 1...3 {
      let served = try await Binary.serve(folder)
      if round == 1 {
        bot = try await Peer.run(
          try Binary.path, ["token", "create", "--data", folder.path + "/data", "--bot", "webshop"]
        ).lines[0]
      }
      let (port, token) = (served.port, bot)
      @Sendable func post(_ target: String, _ body: Body) async throws -> Reply {
        let call = HTTPCall(
          method: "POST", target: target, headers: [("Authorization", "Bearer \(token)")],
          body: Array(body.encoded.utf8))
        return try await blocking { try call.send(on: try Socket.connect(port: port)) }
      }
      if round == 1 { session = try await post("/v1/sessions", [:])["session"].text }
      let target = "/v1/sessions/\(session)/messages"
      async let killed: Void = {
        try await Task.sleep(for: .milliseconds(Int.random(in: 50...400)))
        served.peer.signal(SIGKILL)
      }()
      for number in 1...10_000 {
        let text = "round \(round) message \(number)"
        guard let reply = try? await post(target, ["author": "customer", "text": .text(text)])
        else { break }
        #expect(reply.status == 201)
        acknowledged.append(text)
      }
      try await killed
      #expect(try await served.peer.end() == -SIGKILL)
    }
    #expect(acknowledged.count > 3)
    let served = try await Binary.serve(folder)
    let words = try StoreLook(folder.path + "/data").texts(
      "SELECT CAST(body AS TEXT) FROM entries ORDER BY entry"
    ).map { JSON($0) }.filter { $0["kind"].text == "message" }.map { $0["text"].text }
    // The last message of a round may be there without its acknowledgement, and no other.
    #expect(words.filter { acknowledged.contains($0) } == acknowledged)
    #expect(words.count - acknowledged.count <= 3)
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
  }
}
