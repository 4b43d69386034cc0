import Foundation
import Testing
@testable import Server

/// Calls: from Asterisk over FastAGI, and from any other phone system over HTTP.
@Suite(.inTurn) struct PhoneTests {
  private func run(
    rules: String? = nil, _ body: @Sendable (TestServer) async throws -> Void
  ) async throws {
    try await TestServer.run(rules: rules) {
      $0.fastagiListen = "127.0.0.1:0"
    } _: {
      try await body($0)
    }
  }

  private func secret(_ server: TestServer) throws -> String {
    try #require(server.running?.edge.fastAGISecrets.first).secret
  }

  private func call(_ server: TestServer, unique: String = "1795.7") throws -> AGIPeer {
    try AGIPeer(
      port: server.port("fastagi"), script: "wait", arguments: [secret(server)], unique: unique)
  }

  private func leg(_ server: TestServer, _ offer: String) throws -> AGIPeer {
    try AGIPeer(
      port: server.port("fastagi"), script: "answered", arguments: [secret(server), offer],
      unique: "1795.9", number: "201")
  }

  /// A count of cases over all queues.
  private func count(_ what: String, _ server: TestServer, _ agent: String) async throws -> Int {
    try await server.call("GET", "/v1/queues", by: agent)["queues"].elements.reduce(0) {
      $0 + ($1[what].int ?? 0)
    }
  }

  private func offer(in dial: String) throws -> String {
    let rest = try #require(dial.components(after: "tl-offer^"))
    return String(rest.prefix { $0 != ")" })
  }

  @Test func `a call is answered on the device that rings, and ends when they have spoken`()
    async throws
  {
    try await run { server in
      let caller = try call(server)
      defer { caller.close() }
      #expect(try await caller.until("SET MUSIC") != nil, "music until it is their turn")
      try caller.say("200 result=0")
      let ann = try await server.agent("ann")
      let dial = try #require(try await caller.until("EXEC Dial"))
      #expect(dial.contains("PJSIP/agent1"))
      let leg = try leg(server, try offer(in: dial))
      try await leg.toTheEnd()
      let last = try #require(leg.lines.last { $0.contains("GOSUB_RESULT") })
      #expect(last.contains("\"\""), "emptied: bridge them")
      #expect(try await count("assigned", server, ann) == 1)
      try caller.say("200 result=0")
      try await caller.toTheEnd(dial: "ANSWER")
      #expect(caller.lines.contains { $0.contains("THROUGHLINE_END") && $0.contains("served") })
    }
  }

  @Test func `a device that is busy gives the case back, and the next one rings`() async throws {
    try await run { server in
      let ann = try await server.agent("ann")
      let caller = try call(server)
      defer { caller.close() }
      let first = try #require(try await caller.until("EXEC Dial"))
      #expect(first.contains("PJSIP/agent1"))
      _ = try await server.agent("cleo")
      _ = try await server.agent("dev")
      try caller.say("200 result=0")
      let second = try #require(try await caller.until("EXEC Dial", dial: "BUSY"))
      #expect(!second.contains("PJSIP/agent1"))
      #expect(try offer(in: second) != offer(in: first))
      let late = try leg(server, try offer(in: first))
      try await late.toTheEnd()
      #expect(
        late.lines.allSatisfy { !$0.contains("GOSUB_RESULT \"\"") },
        "an offer that has ended is refused on its leg")
      #expect(try await count("assigned", server, ann) == 0)
    }
  }

  /// Dial cannot be stopped: the next ring waits for its end, and its offer's time goes by meanwhile.
  @Test func `a ring that had to wait rings for what is left of its offer's time`() async throws {
    try await run { server in
      let ann = try await server.agent("ann")
      let caller = try call(server)
      defer { caller.close() }
      let first = try #require(try await caller.until("EXEC Dial"))
      _ = try await server.agent("cleo")
      let declined = try await server.call(
        "POST", "/v1/offers/\(try offer(in: first))/decline", by: ann)
      #expect(declined.status == 200)
      try await Task.sleep(for: .milliseconds(2_100))
      try caller.say("200 result=0")
      let second = try #require(try await caller.until("EXEC Dial", dial: "NOANSWER"))
      func seconds(_ dial: String) -> Int {
        Int(dial.split(separator: ",").dropFirst().first ?? "") ?? -1
      }
      #expect(try offer(in: second) != offer(in: first))
      #expect(seconds(second) > 0 && seconds(second) <= seconds(first) - 2, "\(first) \(second)")
    }
  }

  @Test func `a ring that came too late to be sent is no fault of the device`() async throws {
    let folder = try TemporaryFolder()
    let (rules, queues) = (folder.path + "/rules", folder.path + "/rules/demo/queues.yaml")
    try FileManager.default.copyItem(atPath: Package.demoRules, toPath: rules)
    let text = try String(contentsOfFile: queues, encoding: .utf8)
    try text.replacingOccurrences(of: "phone: 20s", with: "phone: 4s")
      .write(toFile: queues, atomically: true, encoding: .utf8)
    try await run(rules: rules) { server in
      let ann = try await server.agent("ann")
      let caller = try call(server)
      defer { caller.close() }
      let first = try #require(try await caller.until("EXEC Dial"))
      let cleo = try await server.agent("cleo")
      #expect(
        try await server.call("POST", "/v1/offers/\(try offer(in: first))/decline", by: ann).status
          == 200)
      try await Task.sleep(for: .milliseconds(3_300))
      let said = ContinuousClock.now
      try caller.say("200 result=0")
      let second = try #require(try await caller.until("EXEC Dial", dial: "NOANSWER"))
      #expect(second.contains("PJSIP/agent3"))
      #expect(ContinuousClock.now - said < .seconds(7), "a device at fault is left alone for 10 s")
      let me = try await server.call("GET", "/v1/agents/me", by: cleo)
      #expect(me["responding"].description == "true", "\(me)")
    }
  }

  @Test func `a caller who hangs up while waiting is gone at once`() async throws {
    try await run { server in
      let ann = try await server.token("agent", "ann")
      let caller = try call(server)
      #expect(try await caller.until("SET MUSIC") != nil)
      try caller.say("200 result=0")
      try await eventually("the call waits") { try await count("waiting", server, ann) == 1 }
      try caller.say("HANGUP")
      caller.close()
      try await eventually("it waits no longer") { try await count("waiting", server, ann) == 0 }
      #expect(try await count("abandoned", server, ann) == 1)
    }
  }

  @Test func `a hang-up between a command and its reply ends the call too`() async throws {
    try await run { server in
      let ann = try await server.token("agent", "ann")
      let caller = try call(server)
      #expect(try await caller.until("SET MUSIC") != nil)
      try await eventually("the call waits") { try await count("waiting", server, ann) == 1 }
      try caller.say("HANGUP")
      try caller.say("200 result=0")
      try await eventually("it waits no longer") { try await count("waiting", server, ann) == 0 }
      caller.close()
    }
  }

  @Test func `a phone system that does not know the secret is not spoken to`() async throws {
    try await run { server in
      let before = try await server.position()
      let peer = try AGIPeer(
        port: server.port("fastagi"), script: "wait", arguments: ["a-secret-that-is-not-ours"],
        unique: "1")
      #expect(try await peer.until("SET MUSIC") == nil)
      let nonsense = try Socket.connect(port: server.port("fastagi"))
      try nonsense.send(Array("GET / HTTP/1.1\n\n".utf8))
      #expect(try await server.position() == before)
      #expect(try await server.call("GET", "/health").status == 200)
    }
  }

  @Test func `a call that comes back after a restart takes its old place`() async throws {
    try await run { server in
      let reader = try await server.token("agent", "ann")
      let before = try call(server)
      #expect(try await before.until("SET MUSIC") != nil)
      try before.say("200 result=0")
      try await eventually("the call waits") { try await count("waiting", server, reader) == 1 }
      try await server.restart()
      #expect(
        try await before.until("no command") == nil,
        "the server lets go of the connection, not of the call")
      #expect(try await count("waiting", server, reader) == 1)
      let after = try call(server)
      defer { after.close() }
      #expect(try await after.until("SET MUSIC") != nil)
      try after.say("200 result=0")
      #expect(try await count("waiting", server, reader) == 1, "the same call and no second one")
      _ = try await server.agent("ann")
      #expect(try await after.until("EXEC Dial") != nil)
    }
  }

  @Test func `a phone system over HTTP is told what to do with a call`() async throws {
    try await TestServer.run { server in
      let hook = try await server.token("telephony", "hook")
      let arrives: Body = ["call": "c1", "from": "+12025550143", "to": "+18005551212"]
      let first = try await server.call("POST", "/v1/calls", arrives, by: hook, key: "k1")
      #expect(first.status == 200, "\(first)")
      #expect(first["do"].text == "wait")
      #expect(first["position"].int == 1)
      let again = try await server.call("POST", "/v1/calls", arrives, by: hook, key: "k1")
      #expect(again["session"].text == first["session"].text, "the same call told twice is one")
      func tell(_ event: Body) async throws -> Reply {
        try await server.call("POST", "/v1/calls/c1/events", event, by: hook)
      }
      async let asked = tell(["event": "waiting", "wait_seconds": 20])
      let ann = try await server.agent("ann")
      let ring = try await asked
      #expect(ring["do"].text == "ring", "\(ring)")
      #expect(ring["device"].text == "PJSIP/agent1")
      let talk = try await tell(["event": "answered", "offer": .text(ring["offer"].text)])
      #expect(talk["do"].text == "talk", "\(talk)")
      #expect(try await count("assigned", server, ann) == 1)
      let spoken = try await tell(["event": "speech", "text": "my lamp is broken"])
      #expect(spoken["do"].text == "talk", "\(spoken)")
      let over = try await tell(["event": "hung_up"])
      #expect(over["do"].text == "hang_up", "\(over)")
    }
  }

  /// What comes of a ring that nobody answers, over HTTP.
  struct Unanswered: Sendable, CustomTestStringConvertible {
    var event: String
    var story: String
    var testDescription: String { event }
    static let all = [
      Unanswered(event: "busy", story: "failed ann"),
      Unanswered(event: "unavailable", story: "failed ann"),
      Unanswered(event: "missed", story: "timed_out ann"),
    ]
  }

  @Test(arguments: Unanswered.all)
  func `over HTTP a ring that nobody answers gives the case its place and its age back`(
    _ end: Unanswered
  ) async throws {
    try await TestServer.run { server in
      let hook = try await server.token("telephony", "hook")
      func arrives(_ call: String, _ number: String) async throws -> Reply {
        try await server.call(
          "POST", "/v1/calls", ["call": .text(call), "from": .text(number)], by: hook)
      }
      func tell(_ call: String, _ event: Body) async throws -> Reply {
        try await server.call("POST", "/v1/calls/\(call)/events", event, by: hook)
      }
      let first = try await arrives("c1", "+12025550143")
      #expect(
        first["do"].text == "wait" && first["music"].description == "true"
          && first["position"].int == 1, "\(first)")
      let second = try await arrives("c2", "+12025550144")
      #expect(
        second["do"].text == "wait" && second["music"].description == "true"
          && second["position"].int == 2, "\(second)")
      _ = try await server.agent("ann")
      let ring = try await tell("c1", ["event": "waiting", "wait_seconds": 20])
      #expect(ring["do"].text == "ring" && ring["device"].text == "PJSIP/agent1", "\(ring)")
      let offer = Body.text(ring["offer"].text)
      let ringing = try await tell("c1", ["event": "ringing", "offer": offer, "wait_seconds": 20])
      #expect(
        ringing["do"].text == "ring" && ringing["offer"].text == ring["offer"].text,
        "it rings on: \(ringing)")
      #expect(
        try await tell("c2", ["event": .text(end.event), "offer": offer]).status == 403,
        "it rings for the other call")
      let again = try await tell("c1", ["event": .text(end.event), "offer": offer])
      #expect(again["do"].text == "wait" && again["music"].description == "true", "\(again)")
      #expect(again["position"].int == 1, "before the one who came later")
      #expect(try await tell("c2", ["event": "waiting"])["position"].int == 2)
      let late = try await tell("c1", ["event": "answered", "offer": offer])
      #expect(late.status == 409, "that offer is over: \(late)")

      let cleo = try await server.agent("cleo")
      let next = try await tell("c1", ["event": "waiting", "wait_seconds": 20])
      #expect(next["do"].text == "ring" && next["device"].text == "PJSIP/agent3", "\(next)")
      #expect(
        try await tell("c1", ["event": "answered", "offer": .text(next["offer"].text)])["do"].text
          == "talk")
      let entries = try await server.timeline("+12025550143").said
      let id = try #require(entries.compactMap { $0["case"].string }.first)
      #expect(
        try await server.story(id) == [
          "queued", "offered ann", end.story, "offered cleo", "accepted cleo",
        ])
      let aCase = try await server.call("GET", "/v1/cases/\(id)", by: cleo)
      #expect(aCase["waiting_since"].text == entries.first?["at"].text, "as old as the call")
    }
  }

  @Test func `over HTTP a caller may hang up while it rings, and while they talk`() async throws {
    try await TestServer.run { server in
      let hook = try await server.token("telephony", "hook")
      let ann = try await server.agent("ann")
      func tell(_ call: String, _ event: Body) async throws -> Reply {
        try await server.call("POST", "/v1/calls/\(call)/events", event, by: hook)
      }
      func ring(_ call: String) async throws -> Reply {
        _ = try await server.call(
          "POST", "/v1/calls", ["call": .text(call), "from": "+12025550143"], by: hook)
        return try await tell(call, ["event": "waiting", "wait_seconds": 20])
      }
      let first = try await ring("c1")
      #expect(first["do"].text == "ring", "\(first)")
      let gone = try await tell("c1", ["event": "hung_up"])
      #expect(gone["do"].text == "hang_up", "\(gone)")
      #expect(try await count("offered", server, ann) == 0)
      #expect(try await count("abandoned", server, ann) == 1)
      let late = try await tell("c1", ["event": "answered", "offer": .text(first["offer"].text)])
      #expect(late["do"].text == "hang_up", "nobody is bridged to a caller who is gone: \(late)")
      let ghost = try await server.call(
        "POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: hook)
      #expect(
        ghost["do"].text == "hang_up" && ghost.status == 200, "the same call, told late: \(ghost)")
      #expect(try await count("offered", server, ann) + count("waiting", server, ann) == 0)

      let second = try await ring("c2")
      #expect(second["do"].text == "ring", "ann is free again at once: \(second)")
      #expect(
        try await tell("c2", ["event": "answered", "offer": .text(second["offer"].text)])["do"].text
          == "talk")
      #expect(try await count("assigned", server, ann) == 1)
      let over = try await tell("c2", ["event": "hung_up"])
      #expect(over["do"].text == "hang_up", "\(over)")
      #expect(try await count("abandoned", server, ann) == 1, "they have spoken")
      let story = try await server.timeline("+12025550143")
      #expect(
        story.kinds.suffix(3) == ["accepted", "session_ended", "wrapping_up"], "\(story.kinds)")
    }
  }

  @Test func `what a phone system over HTTP tells wrongly is refused`() async throws {
    try await TestServer.run { server in
      let hook = try await server.token("telephony", "hook")
      let bot = try await server.token("bot", "webshop")
      let before = try await server.position()
      for (target, body, token, status) in [
        ("/v1/calls", ["from": "+12025550143"] as Body, hook, 422),
        ("/v1/calls", ["call": "c1", "tone": "x"], hook, 422),
        ("/v1/calls", ["call": "c1"], bot, 403),
        ("/v1/calls/c9/events", ["event": "waiting"], hook, 404),
        ("/v1/calls/c9/events", ["event": "sings"], hook, 422),
        ("/v1/calls/c9/events", ["event": "answered"], hook, 422),
        ("/v1/calls/c9/events", ["event": "digits", "digits": "12x"], hook, 422),
      ] {
        let reply = try await server.call("POST", target, body, by: token)
        #expect(reply.status == status, "\(target) \(body.encoded): \(reply)")
      }
      #expect(try await server.position() == before)
    }
  }
}

extension String {
  fileprivate func components(after mark: String) -> Substring? {
    guard let found = range(of: mark) else { return nil }
    return self[found.upperBound...]
  }

  @Test
  func
    `what an agent hands on after the hang-up waits for a desk, and reply to a caller is mail or refused`()
    async throws
  {
    try await TestServer.run { server in
      let (hook, ann) = (try await server.token("telephony", "hook"), try await server.agent("ann"))
      func tell(_ event: Body) async throws -> Reply {
        try await server.call("POST", "/v1/calls/c1/events", event, by: hook)
      }
      _ = try await server.call(
        "POST", "/v1/calls", ["call": "c1", "from": "+12025550143", "to": "+18005551212"], by: hook)
      let ring = try await tell(["event": "waiting", "wait_seconds": 10])
      let offer = ring["offer"].text
      #expect(try await tell(["event": "answered", "offer": .text(offer)]).status == 200)
      let entries = try await server.timeline("+12025550143").said
      let aCase = try #require(entries.compactMap { $0["case"].string }.first)
      let reply = try await server.reply("hello?", to: aCase, by: ann)
      #expect(reply.status == 409)
      #expect(reply["type"].text == "urn:throughline:problem:unreachable")
      #expect(try await tell(["event": "hung_up"]).status == 200)
      let moved = try await server.call(
        "POST", "/v1/cases/\(aCase)/transfer", ["queue": "billing"], by: ann)
      #expect(moved.status == 201)
      let before = try await server.position()
      try await Task.sleep(for: .milliseconds(500))
      #expect(
        try await server.position() <= before + 5, "nothing is offered and fails over and over")
    }
  }
}
