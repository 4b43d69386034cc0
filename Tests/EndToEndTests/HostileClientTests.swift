import Foundation
import System
import Testing

@testable import Server

/// Clients that hold on and give nothing: another one is served meanwhile, and what they took comes
/// back.
@Suite(.serialized, .inTurn) struct HostileClientTests {
  /// Runs a scene of Peers/hostile.py twice against one server; the second time must not need more
  /// than the first.
  private func endure(
    _ scene: String, _ count: Int, _ more: [String] = [], on server: TestServer,
    meanwhile: () async throws -> Void
  ) async throws {
    let before = ProcessFacts.now().openDescriptors
    var resident: [Int64] = []
    for _ in 0..<2 {
      let peer = try Peer(
        "/usr/bin/python3",
        [Package.peers + "/hostile.py", scene, String(server.port("http")), String(count)] + more)
      try await peer.line("that all stand", seconds: 300) { $0 == "ready" }
      try await meanwhile()
      if scene == "flood" {
        try await peer.line("the end of the flood", seconds: 300) { $0 == "done" }
      }
      try peer.say("leave")
      _ = try await peer.end(seconds: 60)
      // Other tests have some, too, but not so many for so long.
      try await eventually("descriptors return", seconds: 60) {
        ProcessFacts.now().openDescriptors <= before + min(count / 4, 64)
      }
      resident.append(ProcessFacts.now().residentBytes)
    }
    #expect(resident[1] - resident[0] < 24 << 20, "memory: \(resident)")
  }

  private func isServed(_ server: TestServer, times: Int = 20) async throws {
    for _ in 0..<times { #expect(try await server.call("GET", "/health").status == 200) }
  }

  private func patient(_ settings: inout Settings) {
    settings.headSeconds = 600
    settings.bodySeconds = 600
    settings.firstByteSeconds = 600
  }

  @Test func `10,000 heads that never end keep nobody from being served`() async throws {
    _ = ProcessFacts.raiseDescriptorLimit()
    let count = min(10_000, ProcessFacts.now().descriptorLimit - 2_000)
    try await TestServer.run(patient) { server in
      try await endure("half-open", count, on: server) {
        try await eventually("all are open") {
          var open = 0
          for lane in server.running?.edge.hub.laneStatistics ?? [] { open += lane.open }
          return open >= count
        }
        try await isServed(server)
      }
    }
  }

  @Test func `slow heads are closed when their time is over, each of them`() async throws {
    try await TestServer.run {
      $0.headSeconds = 1
    } _: { server in
      let before = ProcessFacts.now().openDescriptors
      let peer = try Peer(
        "/usr/bin/python3",
        [Package.peers + "/hostile.py", "half-open", String(server.port("http")), "500"])
      try await peer.line("that all stand", seconds: 60) { $0 == "ready" }
      // Their process still holds all of them; ours lets go.
      try await eventually("descriptors return", seconds: 60) {
        ProcessFacts.now().openDescriptors <= before + 64
      }
      try await isServed(server, times: 3)
      try peer.say("leave")
      _ = try await peer.end()
    }
  }

  @Test func `bodies that never end keep nobody from being served`() async throws {
    try await TestServer.run(patient) { server in
      let bot = try await server.token("bot", "webshop")
      try await endure("slow-body", 1_000, [bot], on: server) { try await isServed(server) }
    }
  }

  @Test func `readers that read nothing keep nobody from being served`() async throws {
    try await TestServer.run(patient) { server in
      try await endure("slow-reader", 150, on: server) { try await isServed(server) }
    }
  }

  @Test func `a flood of connections from one address leaves another its turn`() async throws {
    try await TestServer.run {
      $0.connectionsPerAddressMax = 50
    } _: { server in
      try await endure("flood", 5_000, on: server) { try await isServed(server, times: 50) }
      var refused: UInt64 = 0
      for lane in server.running?.edge.hub.laneStatistics ?? [] {
        refused += lane.refusedPerAddress
      }
      #expect(refused > 0)
    }
  }
}
