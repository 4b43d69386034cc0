import Foundation
import Model
import Synchronization
import System
import Testing

@testable import Server

/// The machine's clock steps back, and service goes on.
@Suite(.inTurn) struct ClockTests {
  /// A wall clock that a test sets.
  private final class Wall: Sendable {
    let offset = Atomic<Int64>(0)
    func step(_ seconds: Int64) { offset.add(seconds * 1_000, ordering: .relaxed) }
    func clock() -> ServiceClock {
      ServiceClock(wall: { WallClock.nowMilliseconds + self.offset.load(ordering: .relaxed) })
    }
  }

  @Test func `time never goes back, goes on while the wall clock is behind, and is made up for`() {
    let wall = Atomic<Int64>(1_000_000)
    let monotonic = Atomic<Int64>(0)
    let clock = ServiceClock(
      wall: { wall.load(ordering: .relaxed) }, monotonic: { monotonic.load(ordering: .relaxed) })
    func step(_ milliseconds: Int64) { wall.add(milliseconds, ordering: .relaxed) }
    func pass(_ milliseconds: Int64) -> Int64 {
      step(milliseconds)
      monotonic.add(milliseconds * 1_000_000, ordering: .relaxed)
      return clock.now.milliseconds
    }
    var machine: Int64 { wall.load(ordering: .relaxed) }
    #expect(pass(0) == 1_000_000)
    #expect(pass(500) == 1_000_500 && clock.trouble == nil)
    step(-3_600_000)
    #expect(pass(0) == 1_000_500)
    #expect(clock.trouble?.contains("3600 s behind") == true)
    #expect(pass(16_000) == 1_015_500)
    // However often it is asked, in steps however small.
    var last = clock.now.milliseconds
    for _ in 1...16_000 {
      let now = pass(1)
      #expect(now >= last)
      last = now
    }
    #expect((1_030_490...1_030_500).contains(last))
    #expect(pass(16 * 3_600_000) == machine && clock.trouble == nil)
    step(3_600_000)
    #expect(pass(1) == machine)
    clock.reaches(Instant(milliseconds: last))
    #expect(clock.now.milliseconds == machine)
    clock.reaches(Instant(milliseconds: 99_000_000_000))
    #expect(clock.now.milliseconds == 99_000_000_000 && clock.trouble != nil)
  }

  @Test(arguments: [false, true])
  func `an hour back, agents get work and offers time out, also after a restart`(_ restarts: Bool)
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 3)
    try rules.write("rules/small/queues.yaml", "support: { offer_timeout: 1s }\n")
    let wall = Wall()
    let server = try TestServer(rules: rules.path + "/rules", clock: { wall.clock() })
    try await TestServer.run(server) { server in
      let bot = try await server.token("bot", "robin")
      let (a1, a2) = (try await server.agent("a1"), try await server.agent("a2"))
      let chat = try await server.open(bot)
      try await chat.customer("help")
      wall.step(-3_600)
      if restarts { try await server.restart() }
      let handed = try await chat.handoff()
      #expect(handed.status == 201)
      let began = MonotonicClock.nowMilliseconds
      let offer = try await server.next(a1, wait: 5)
      #expect(offer.status == 200 && offer["case"].text == handed["case"].text)
      // Nobody takes it: within a second or two it goes to the other.
      let second = try await server.next(a2, wait: 10)
      #expect(second.status == 200 && second["case"].text == handed["case"].text)
      #expect(MonotonicClock.nowMilliseconds - began < 8_000)
      let taken = try await server.call(
        "POST", "/v1/offers/\(second["offer"].text)/accept", by: a2)
      #expect(taken.status == 200)
      // Who waits for what does not come waits so long.
      let waits = MonotonicClock.nowMilliseconds
      let none = try await server.next(try await server.agent("a3"), wait: 1)
      #expect(none.status == 204 && MonotonicClock.nowMilliseconds - waits >= 900, "\(none)")
      let health = try await server.call("GET", "/health")
      #expect(health.status == 200 && health["clock"].text == "stepped back", "\(health)")
      wall.step(3_600)
      let last = try await server.next(try await server.agent("a3"), wait: 0)
      #expect(last.status == 204, "\(last)")
      #expect(try await server.call("GET", "/health")["status"].text == "ok")
    }
  }

  @Test(arguments: [false, true])
  func `a token that was over stays over when the clock steps back, also after a restart`(
    _ restarts: Bool
  ) async throws {
    let wall = Wall()
    let server = try TestServer(clock: { wall.clock() })
    try await TestServer.run(server) { server in
      let (short, long) = (
        try await server.token("bot", "webshop", seconds: 60),
        try await server.token("bot", "webshop")
      )
      #expect(try await server.call("POST", "/v1/sessions", [:], by: short).status == 201)
      wall.step(3_600)
      #expect(try await server.call("POST", "/v1/sessions", [:], by: short).status == 401)
      // Something that is on disk says what time it was.
      #expect(try await server.call("POST", "/v1/sessions", [:], by: long).status == 201)
      wall.step(-3_600)
      if restarts { try await server.restart() }
      #expect(try await server.call("POST", "/v1/sessions", [:], by: short).status == 401)
      #expect(try await server.call("POST", "/v1/sessions", [:], by: long).status == 201)
      let listed = try await server.administer("GET", "/admin/tokens").json.elements
      #expect(listed.map { $0["state"].text }.sorted() == ["expired", "valid"], "\(listed)")
    }
  }

  /// By the machine's clock it would go on for an hour.
  @Test func `a stream ends with its token, though the machine's clock has stepped back`()
    async throws
  {
    let wall = Wall()
    wall.step(3_600)
    let server = try TestServer(clock: { wall.clock() })
    try await TestServer.run(server) { server in
      let token = try await server.token("bot", "webshop", seconds: 60)
      let edge = try #require(server.running).edge
      let stream = try Peer(
        try await Python.interpreter,
        [Package.peers + "/stream.py", String(server.port("http")), token, "header"])
      try await stream.line("ready") { $0.contains("ready") }
      wall.step(-3_600)
      var row = try #require(edge.tokens.first)
      row.expires = edge.health.clock.now + .seconds(1)
      edge.use([row])
      try await stream.line("closed") { $0.contains("closed") }
    }
  }
}
