import Foundation
import Testing

/// The calls of a real Asterisk 16.28, played against a server that routes them by itself: what it
/// says on the wire is what was captured, and what it records is what happened.
@Suite(.inTurn) struct CapturedCallTests {
  /// What is known of the one call when it is over.
  struct Outcome: Sendable {
    var story: [String]
    var assigned = 0
    var abandoned = 0
  }

  private func play(
    _ name: String, _ outcome: Outcome,
    at moment: @escaping @Sendable (CapturedCall.Moment, TestServer) async throws -> Void = {
      _, _ in
    }
  ) async throws {
    let folder = try TemporaryFolder()
    let server = try TestServer(rules: try CapturedCall.rules(folder)) {
      $0.fastagiListen = "127.0.0.1:0"
    }
    try await TestServer.run(server) { server in
      try await CapturedCall(name).play(server) { now in
        if case .willRing(let device) = now {
          _ = try await server.agent(String(device.dropFirst("PJSIP/".count)))
        }
        try await moment(now, server)
      }
      let reader = try await server.token("supervisor", "boss")
      try await eventually("nobody waits") { try await server.count("waiting", by: reader) == 0 }
      #expect(try await server.count("offered", by: reader) == 0)
      #expect(try await server.count("assigned", by: reader) == outcome.assigned)
      #expect(try await server.count("abandoned", by: reader) == outcome.abandoned)
      let timeline = try await server.timeline("+442079460018")
      #expect(timeline.said.contains { $0["kind"].text == "call" && $0["event"].text == "arrived" })
      var (cases, story): ([String], [String]) = ([], [])
      for aCase in timeline.said.compactMap({ $0["case"].string }) where !cases.contains(aCase) {
        cases.append(aCase)
      }
      for aCase in cases { story += try await server.story(aCase) }
      #expect(story == outcome.story + ["closed"])
    }
  }

  @Test func `answered, and the agent hangs up`() async throws {
    try await play("answered", Outcome(story: ["queued", "offered agent1", "accepted agent1"]))
  }

  @Test func `not answered, and the next agent takes it`() async throws {
    try await play(
      "missed",
      Outcome(story: [
        "queued", "offered agent3", "timed_out agent3", "offered agent1", "accepted agent1",
      ]))
  }

  @Test func `busy, and the next agent takes it`() async throws {
    try await play(
      "busy",
      Outcome(story: [
        "queued", "offered agent2", "failed agent2", "offered agent1", "accepted agent1",
      ]))
  }

  @Test func `a device that is not there, and the next agent takes it`() async throws {
    try await play(
      "unregistered",
      Outcome(story: [
        "queued", "offered agent9", "failed agent9", "offered agent1", "accepted agent1",
      ]))
  }

  @Test func `hung up while waiting`() async throws {
    try await play("hung-up-while-waiting", Outcome(story: ["queued"], abandoned: 1))
  }

  @Test func `hung up while ringing`() async throws {
    try await play(
      "hung-up-while-ringing",
      Outcome(story: ["queued", "offered agent3", "revoked agent3"], abandoned: 1))
  }

  @Test func `hung up while talking`() async throws {
    try await play(
      "hung-up-while-talking", Outcome(story: ["queued", "offered agent1", "accepted agent1"]))
  }

  @Test func `sent to leave a message, and hung up after it: the case waits, and a desk takes it`()
    async throws
  {
    let folder = try TemporaryFolder()
    let rules = try CapturedCall.rules(
      folder, "leave_message: { queue: calls, say: Please speak. }")
    try await TestServer.run(rules: rules) {
      $0.fastagiListen = "127.0.0.1:0"
    } _: { server in
      let agent = try await server.agent("agent1")
      try await CapturedCall("message").play(server) { _ in }
      try await eventually("its end is told") {
        try await server.timeline("+442079460018").kinds.contains("session_ended")
      }
      #expect(try await server.count("waiting", by: agent) == 1)
      #expect(try await server.count("abandoned", by: agent) == 0)
      let taken = try await server.take(agent)
      #expect(
        try await server.story(taken["case"].text) == [
          "queued", "offered agent1", "accepted agent1",
        ])
    }
  }

  @Test
  func `answered when the offer is no longer good: refused on the leg, and the caller waits on`()
    async throws
  {
    try await play(
      "refused", Outcome(story: ["queued", "offered agent1", "declined agent1"], abandoned: 1)
    ) { now, server in
      guard case .rings(let offer) = now else { return }
      let agent = try await server.token("agent", "agent1")
      #expect(try await server.call("POST", "/v1/offers/\(offer)/decline", by: agent).status == 200)
    }
  }

  /// The queue closes while it rings: else it would ring again at once, which the capture does not
  /// know.
  private func close(at now: CapturedCall.Moment, _ server: TestServer) async throws {
    let agent = try await server.token("agent", "agent1")
    if case .rings = now {
      let folder = server.settings.rules + "/calls/"
      for (name, text) in [
        "hours.yaml": "never: { zone: UTC }\n",
        "queues.yaml":
          "calls: { hours: never, offer_timeout: { phone: 60s }, wrap_up: 0s }\n",
      ] {
        try text.write(toFile: folder + name, atomically: true, encoding: .utf8)
      }
      let reloaded = try await server.administer("POST", "/admin/reload")
      #expect(reloaded.status == 200, "\(reloaded)")
    }
    guard now == .legOver else { return }
    try await eventually("the caller has their place back") {
      try await server.count("waiting", by: agent) == 1
    }
  }

  @Test func `the agent hangs up between our command and its reply`() async throws {
    try await play(
      "agent-hangs-up-while-asking",
      Outcome(
        story: ["queued", "offered agent1", "accepted agent1", "closed", "queued"], abandoned: 1)
    ) { now, server in
      try await close(at: now, server)
    }
  }

  @Test func `the caller hangs up between our command and its reply`() async throws {
    try await play(
      "caller-hangs-up-while-asking",
      Outcome(
        story: ["queued", "offered agent1", "accepted agent1", "closed", "queued"], abandoned: 1)
    ) { now, server in
      try await close(at: now, server)
    }
  }
}
