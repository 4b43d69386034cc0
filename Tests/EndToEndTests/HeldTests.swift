import Testing

/// Nobody is told what is decided and not yet on disk: commits are held here, and looked at from
/// outside.
@Suite(.inTurn) struct HeldTests {
  /// The first commit that finds the disk busy gathers everybody who comes meanwhile.
  @Test func `many who ask while a commit is under way share the next one`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "gina@home.example")
      try await chat.customer("first")
      let (before, commits) = (try await server.position(), disk.done)
      disk.hold()
      let count = 60
      let answers = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 1...count {
          group.addTask { try await chat.customer("word \(number)").status }
        }
        try await server.decided(before + count, behind: disk)
        disk.release()
        return try await group.reduce(into: [Int]()) { $0.append($1) }
      }
      #expect(answers == Array(repeating: 201, count: count))
      #expect(disk.done - commits <= 2, "the one that was under way, if any, and one for the rest")
      #expect(try await server.timeline("gina@home.example").texts.count == count + 1)
    }
  }

  @Test func `a phone system over HTTP is told of a ring once the ring is on disk`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      let hook = try await server.token("telephony", "hook")
      let ann = try await server.token("agent", "ann")
      @Sendable func tell(_ event: Body) async throws -> Reply {
        try await server.call("POST", "/v1/calls/c1/events", event, by: hook)
      }
      _ = try await server.call(
        "POST", "/v1/calls", ["call": "c1", "from": "+12025550143", "to": "+18005551212"], by: hook)
      let before = try await server.position()
      disk.hold()
      async let spoken = tell(["event": "speech", "text": "my lamp is broken"])
      try await server.decided(before + 1, behind: disk)
      async let ready = server.call("PUT", "/v1/agents/me/status", ["status": "available"], by: ann)
      try await server.decided(before + 2, behind: disk)
      disk.allow(1)
      let told = try await spoken
      #expect(told["do"].text == "wait", "the ring is decided and may still be lost: \(told)")
      disk.release()
      #expect(try await ready.status == 200)
      #expect(try await tell(["event": "waiting"])["do"].text == "ring")
    }
  }

  @Test func `Asterisk is told of a talk's end once that is on disk`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) {
      $0.fastagiListen = "127.0.0.1:0"
    } _: { server in
      let caller = try server.caller()
      defer { caller.close() }
      let ann = try await server.agent("ann")
      let leg = try server.leg(try await caller.ring())
      try await leg.toTheEnd()
      #expect(try await server.count("assigned", by: ann) == 1)
      let before = try await server.position()
      disk.hold()
      try caller.say("200 result=0")
      async let end = caller.until("THROUGHLINE_END", dial: "ANSWER")
      try await server.decided(before + 1, behind: disk)
      // Music plays again, and its reply has been heard: an ending would have followed it on the
      // same connection.
      try await eventually("music") { caller.lines.last?.hasPrefix("SET MUSIC") == true }
      #expect(!caller.lines.contains { $0.contains("THROUGHLINE_END") })
      disk.release()
      #expect(try await end?.contains("served") == true)
    }
  }

  @Test func `an answered device is bridged once the acceptance is on disk`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) {
      $0.fastagiListen = "127.0.0.1:0"
    } _: { server in
      let caller = try server.caller()
      defer { caller.close() }
      _ = try await server.agent("ann")
      let offer = try await caller.ring()
      let before = try await server.position()
      disk.hold()
      let leg = try server.leg(offer)
      async let bridged = leg.until("GOSUB_RESULT \"\"")
      try await server.decided(before + 1, behind: disk)
      #expect(leg.lines.allSatisfy { !$0.contains("GOSUB_RESULT \"\"") })
      disk.release()
      #expect(try await bridged != nil)
    }
  }
}
