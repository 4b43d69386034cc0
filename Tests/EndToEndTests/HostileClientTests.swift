import Foundation
import System
import Testing

@testable import Server

/// Clients that hold on and give nothing: another one is served meanwhile, and what they took comes
/// back.
@Suite(.serialized, .inTurn) struct HostileClientTests {
  /// Runs a scene of Peers/hostile.py several times against one server. While they stand there they have so many bytes each,
  /// and no more; what the first ones took, all later ones take again.
  private func endure(
    _ scene: String, _ count: Int, _ more: [String] = [], over listener: String = "http",
    on server: TestServer,
    bytesEachMax: Int, keptEachMax: Int? = 64, meanwhile: () async throws -> Void
  ) async throws {
    let before = ProcessFacts.now().openDescriptors
    var used = [Heap.usedBytes]
    for _ in 0..<3 {
      let peer = try Peer(
        "/usr/bin/python3",
        [Package.peers + "/hostile.py", scene, String(server.port(listener)), String(count)] + more)
      try await peer.line("that all stand", seconds: 300) { $0 == "ready" }
      try await meanwhile()
      let each = (Heap.usedBytes - (used.last ?? 0)) / count
      #expect(each < bytesEachMax, "\(each) bytes for each of them")
      if scene == "flood" {
        try await peer.line("the end of the flood", seconds: 300) { $0 == "done" }
      }
      try peer.say("leave")
      _ = try await peer.end(seconds: 60)
      // Other tests have some, too, but not so many for so long; the first peer of a process leaves
      // a dozen, which are Foundation's.
      try await eventually("descriptors return", seconds: 60) {
        ProcessFacts.now().openDescriptors <= before + min(max(count / 4, 16), 64)
      }
      used.append(Heap.usedBytes)
    }
    // Less than the least that could be kept of those who left; a cache may fill meanwhile.
    guard let keptEachMax else { return }
    #expect(used[3] - used[1] < count * 2 * keptEachMax + (512 << 10), "memory: \(used)")
  }

  private func isServed(_ server: TestServer, times: Int = 20) async throws {
    for _ in 0..<times { #expect(try await server.call("GET", "/health").status == 200) }
  }

  private func patient(_ settings: inout Settings) {
    settings.headSeconds = 600
    settings.bodySeconds = 600
    settings.firstByteSeconds = 600
  }

  /// Until nothing more leaves the server: whoever reads nothing has all that they will be given.
  private func untilQuiet(_ server: TestServer) async throws {
    var before = UInt64.max
    for _ in 0..<200 {
      var now: UInt64 = 0
      for lane in server.running?.edge.hub.laneStatistics ?? [] { now += lane.bytesOut }
      if now == before { return }
      before = now
      try await Task.sleep(for: .milliseconds(300))
    }
    throw Socket.Fault(description: "there is no end of what leaves")
  }

  @Test func `who is idle costs a kilobyte, a stream four, and TLS twenty`() async throws {
    let folder = try TemporaryFolder()
    let certificate = try await Certificates.make(folder, "one", name: "desk.example")
    try await TestServer.run {
      patient(&$0)
      ($0.idleSeconds, $0.pingSeconds) = (3_600, 3_600)
      ($0.httpsListen, $0.tlsCertificates) = ("127.0.0.1:0", certificate)
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      for (scene, bytesEachMax) in [("idle", 1 << 10), ("idle-stream", 4 << 10)] {
        try await endure(scene, 2_000, [bot], on: server, bytesEachMax: bytesEachMax) {
          try await isServed(server)
        }
      }
      // What is left of these is looked at below.
      try await endure(
        "idle-tls", 500, over: "https", on: server, bytesEachMax: 20 << 10, keptEachMax: nil
      ) {
        try await isServed(server)
      }
    }
  }

  /// Each has sent 60 kB at once, which were heard.
  @Test func `a stream that was busy once and is idle now holds no more than another`() async throws
  {
    try await TestServer.run {
      patient(&$0)
      ($0.idleSeconds, $0.pingSeconds) = (3_600, 3_600)
    } _: { server in
      let bot = try await server.token("bot", "webshop")
      try await endure("busy-stream", 500, [bot], on: server, bytesEachMax: 8 << 10) {
        try await isServed(server)
      }
    }
  }

  /// In a process of its own, whose allocator keeps nothing for each thread: OpenSSL frees pieces of many
  /// sizes, and every thread of this process would keep some of each.
  @Test func `who was there under TLS leaves nothing behind`() async throws {
    let folder = try TemporaryFolder()
    let certificate = try await Certificates.make(folder, "one", name: "desk.example")
    let served = try await Binary.serve(
      folder, ["--https", "127.0.0.1:0"],
      environment: [
        "THROUGHLINE_TLS_CERTIFICATES": certificate,
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1",
      ])
    let line = try await served.peer.line("the HTTPS address") { $0.contains(" https ") }
    let port = try #require(line.split(separator: ":").last)
    let process = "/proc/\(served.peer.identifier)"
    @Sendable func descriptors() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: process + "/fd").count
    }
    let before = try descriptors()
    var kilobytes: [Int] = []
    for _ in 0..<9 {
      let peer = try Peer(
        "/usr/bin/python3", [Package.peers + "/hostile.py", "idle-tls", String(port), "500"])
      try await peer.line("that all stand", seconds: 300) { $0 == "ready" }
      try peer.say("leave")
      _ = try await peer.end(seconds: 60)
      try await eventually("descriptors return", seconds: 60) { try descriptors() <= before + 4 }
      let status = try String(contentsOfFile: process + "/status", encoding: .utf8)
      let held = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
      kilobytes.append(
        try #require(held?.split(separator: " ").dropLast().last.flatMap { Int($0) }))
    }
    // 3,000 connections, of which none may leave a hundred bytes.
    #expect(kilobytes[8] - kilobytes[2] < 300, "memory: \(kilobytes) kB")
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
  }

  @Test func `10,000 heads that never end keep nobody from being served`() async throws {
    _ = ProcessFacts.raiseDescriptorLimit()
    let count = min(10_000, ProcessFacts.now().descriptorLimit - 2_000)
    try await TestServer.run(patient) { server in
      try await endure("half-open", count, on: server, bytesEachMax: 4 << 10) {
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
      try await endure("slow-body", 1_000, [bot], on: server, bytesEachMax: 8 << 10) {
        try await isServed(server)
      }
    }
  }

  /// Of attachments that are sent whole, and of one that is sent in pieces.
  @Test(arguments: [64 << 10, 12 << 20])
  func `readers that read nothing keep nobody from being served`(_ bytes: Int) async throws {
    try await TestServer.run(patient) { server in
      let bot = try await server.token("bot", "webshop")
      let kept = try await server.call(
        "POST", "/v1/blobs", raw: [UInt8](repeating: 7, count: bytes), by: bot, key: "one",
        headers: [("Content-Type", "image/png")])
      let target = "/v1/blobs/\(kept["blob"].text)"
      // Of ten megabytes that they ask for, what pauses answering and one answer more.
      try await endure("slow-reader", 40, [bot, target], on: server, bytesEachMax: 512 << 10) {
        try await untilQuiet(server)
        try await isServed(server)
      }
    }
  }

  @Test func `a flood of connections from one address leaves another its turn`() async throws {
    try await TestServer.run {
      $0.connectionsPerAddressMax = 50
    } _: { server in
      try await endure("flood", 5_000, on: server, bytesEachMax: 1 << 10) {
        try await isServed(server, times: 50)
      }
      var refused: UInt64 = 0
      for lane in server.running?.edge.hub.laneStatistics ?? [] {
        refused += lane.refusedPerAddress
      }
      #expect(refused > 0)
    }
  }
}
