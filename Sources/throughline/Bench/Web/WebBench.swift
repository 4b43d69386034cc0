import ArgumentParser
import Foundation
import Sockets
import System

/// `throughline bench web`.
struct WebBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "web",
    abstract:
      "HTTP, WebSocket and TLS over loopback: rate, latencies, CPU a request, memory a connection.",
    discussion: """
      get: GET /health, a small JSON answer. post: a customer's message of 300 bytes under a bot's token, durable when \
      answered. websocket: a frame of JSON each way. tls: a whole handshake and a GET for each connection.
      From outside: wrk -t1 -c64 -d5 --latency http://127.0.0.1:8080/health
      """)

  @Option(
    name: .long, help: "How long a round measures, after half a second of warming up; to 600.")
  var seconds = 2
  @Option(name: .long, help: "Rounds; the median counts.") var rounds = 3
  @Option(name: .long, help: "Connections, separated by commas.") var connections = "1,64,512,4000"
  @Option(name: .long, help: "Which of get, post, websocket, tls, idle, crowd.") var cases =
    "get,post,websocket,tls,idle,crowd"
  @Option(name: .long, help: "nginx: measures it in alternating rounds.") var against: String?
  @Option(name: .long, help: "Connections of the crowd that sits there while 64 others ask.")
  var crowd = 15_000
  @Option(name: .long, help: "Lanes of the server; 0: one a core.") var lanes = 0
  @Option(name: .long, help: "Where the temporary data folder is made.") var folder: String?
  @Flag(name: .long, help: "One JSON object a line.") var json = false

  func validate() throws {
    for (name, value, range) in [
      ("seconds", seconds, 1...600), ("rounds", rounds, 1...101), ("crowd", crowd, 1...18_000),
    ] where !range.contains(value) {
      throw ValidationError("--\(name) is from \(range.lowerBound) to \(range.upperBound)")
    }
    guard Set(chosen).count == chosen.count else { throw ValidationError("a case stands twice") }
    guard against == nil || against == "nginx" else {
      throw ValidationError("only nginx is known to --against")
    }
    guard counts.allSatisfy({ (1...18_000).contains($0) }), !counts.isEmpty else {
      throw ValidationError("connections are numbers from 1 to 18000, separated by commas")
    }
    for name in chosen where WebCase(rawValue: name) == nil && !["idle", "crowd"].contains(name) {
      throw ValidationError("there is no case \(name)")
    }
  }

  private var chosen: [String] { cases.split(separator: ",").map(String.init) }
  private var counts: [Int] { connections.split(separator: ",").map { Int($0) ?? 0 } }

  /// A server keeps some of its descriptors for other than clients, and these would wait for ever.
  private func checkDescriptors() throws {
    let limit = ProcessFacts.raiseDescriptorLimit()
    let isCrowd = chosen.contains("crowd")
    let most = max(
      chosen.contains { $0 != "crowd" } ? counts.max() ?? 0 : 0, isCrowd ? crowd + 64 : 0)
    guard limit - limit / 4 - 100 < most, limit - 700 < most else { return }
    throw ValidationError(
      "\(most) connections are too many for \(limit) descriptors a process: raise the limit "
        + "(`ulimit -n`), or ask for fewer with --connections\(isCrowd ? " and --crowd" : "")")
  }

  func run() async throws {
    try checkDescriptors()
    let place = try BenchFolder(agents: 1, capacity: 1, under: folder)
    defer { place.remove() }
    let (chain, key) = try BenchCertificate.make(in: place.path)
    let server = try BenchServer(place, lanes: lanes, certificate: "\(chain):\(key)")
    defer { server.stop() }
    let nginx = against == nil ? nil : try NginxServer(folder: place.path, chain: chain, key: key)
    defer { nginx?.stop() }
    let requests = try WebRequests(token: place.token("bot", "robin"), server)
    for name in chosen {
      switch WebCase(rawValue: name) {
      case let measured?:
        for count in counts { try await compare(measured, count, requests, server, nginx) }
      case nil where name == "idle": try await idle()
      case nil: try await sitting(requests, server)
      }
    }
  }

  // MARK: - Rounds

  private func compare(
    _ measured: WebCase, _ count: Int, _ requests: WebRequests, _ server: BenchServer,
    _ nginx: NginxServer?
  ) async throws {
    var (ours, theirs): ([WebRound], [WebRound]) = ([], [])
    for _ in 0..<rounds {
      ours.append(
        try await WebRound.run(requests.plan(measured, count, server), on: server, seconds: seconds)
      )
      guard let nginx, measured.isNginxAble else { continue }
      theirs.append(
        try await WebRound.run(requests.plan(measured, count, nginx), on: nginx, seconds: seconds))
    }
    let name = "\(measured.rawValue) \(count)"
    var report = BenchReport("web", json: json)
    WebRound.report(ours, name, &report)
    if !theirs.isEmpty {
      WebRound.report(theirs, name + " nginx", &report)
      // Ratios within a pair of rounds that followed each other, since the machine's mood changes
      // slowly.
      let pairs = zip(ours, theirs)
      report.add(
        name, "rate to nginx", WebRound.median(pairs.map { $0.rate / max($1.rate, 1) }), "ratio")
      report.add(
        name, "cpu to nginx",
        WebRound.median(pairs.map { $0.cpuMicroseconds / max($1.cpuMicroseconds, 0.01) }), "ratio")
    }
    report.print()
  }

  // MARK: - Those who sit there

  /// Each in a server of its own: memory that earlier connections gave back would hide what these
  /// take.
  private func idle() async throws {
    // Of fewer what the first ones need would be told as theirs.
    let count = 4_000
    var report = BenchReport("web", json: json)
    for (name, measured) in [("http", WebCase.get), ("websocket", .websocket), ("https", .tls)] {
      let place = try BenchFolder(agents: 1, capacity: 1, under: folder)
      defer { place.remove() }
      let (chain, key) = try BenchCertificate.make(in: place.path)
      let server = try BenchServer(place, lanes: lanes, certificate: "\(chain):\(key)")
      defer { server.stop() }
      let requests = try WebRequests(token: place.token("bot", "robin"), server)
      report.add(
        "idle \(name)", "memory a connection", try await memory(measured, count, requests, server),
        "B")
      guard against != nil, measured.isNginxAble else { continue }
      let nginx = try NginxServer(folder: place.path, chain: chain, key: key)
      defer { nginx.stop() }
      report.add(
        "idle \(name) nginx", "memory a connection",
        try await memory(measured, count, requests, nginx), "B")
    }
    report.print()
  }

  /// What so many connections add, after a few have made what the first ones need.
  private func memory(
    _ measured: WebCase, _ count: Int, _ requests: WebRequests, _ server: any MeasuredServer
  ) async throws -> Double {
    var plan = requests.plan(measured, 16, server)
    plan.isIdle = true
    if case .connections = plan.talk { plan.talk = .http }
    let first = try await RunningLoad(plan)
    await first.stop()
    plan.connections = count
    let before = server.residentBytes
    let load = try await RunningLoad(plan)
    try await Task.sleep(for: .milliseconds(300))
    let after = server.residentBytes
    await load.stop()
    return Double(after - before) / Double(count)
  }

  private func sitting(_ requests: WebRequests, _ server: BenchServer) async throws {
    var plan = requests.plan(.get, crowd, server)
    plan.isIdle = true
    let sitting = try await RunningLoad(plan)
    let round = try await WebRound.run(
      requests.plan(.get, 64, server), on: server, seconds: seconds)
    var report = BenchReport("web", json: json)
    WebRound.report([round], "get 64 beside \(crowd)", &report)
    report.add("get 64 beside \(crowd)", "max", Double(round.latencies.highest) / 1e6, "ms")
    report.print()
    await sitting.stop()
  }
}

enum WebCase: String {
  case get, post, websocket, tls
  var isNginxAble: Bool { self == .get || self == .tls }
}
