import Foundation
import Sockets
import System

/// A load that stands: every connection has had its first answer.
struct RunningLoad {
  private let sockets: SocketServer

  struct Failed: Error, CustomStringConvertible { var description: String }

  init(_ plan: WebLoad.Plan) async throws {
    var options = SocketServer.Options()
    options.lanes = 1
    sockets = try SocketServer(options) { WebLoad($0, plan) }
    let lane = sockets.lanes[0]
    let stands = await withCheckedContinuation { (waiting: CheckedContinuation<Bool, Never>) in
      lane.perform { loop in
        var isTold = false
        func tell(_ stands: Bool) {
          if !isTold { waiting.resume(returning: stands) }
          isTold = true
        }
        loop.after(milliseconds: 120_000) { _ in tell(false) }
        (loop.context as? WebLoad)?.start { tell(true) }
      }
    }
    guard stands else { throw Failed(description: "connections did not stand") }
  }

  func restart() { sockets.lanes[0].perform { ($0.context as? WebLoad)?.restart() } }

  func finish() async -> WebLoad.Counts {
    await withCheckedContinuation { waiting in
      sockets.lanes[0].perform {
        waiting.resume(returning: ($0.context as? WebLoad)?.finish() ?? .init())
      }
    }
  }

  func stop() async {
    _ = await finish()
    _ = await sockets.shutdown(withinMilliseconds: 0)
  }
}

/// What one round measured.
struct WebRound {
  var rate: Double
  var cpuMicroseconds: Double
  var latencies: LatencyHistogram

  static func run(_ plan: WebLoad.Plan, on server: any MeasuredServer, seconds: Int) async throws
    -> WebRound
  {
    let load = try await RunningLoad(plan)
    try await Task.sleep(for: .milliseconds(500))
    load.restart()
    let (cpu, begun) = (server.cpuSeconds, MonotonicClock.nowNanoseconds)
    try await Task.sleep(for: .seconds(seconds))
    let counts = await load.finish()
    let (used, elapsed) = (
      server.cpuSeconds - cpu, Double(MonotonicClock.nowNanoseconds - begun) / 1e9
    )
    await load.stop()
    guard counts.failures == 0 else {
      throw RunningLoad.Failed(description: "\(counts.failures) connections were lost")
    }
    let count = Double(max(counts.latencies.count, 1))
    return WebRound(
      rate: count / elapsed, cpuMicroseconds: used / count * 1e6, latencies: counts.latencies)
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }

  static func report(_ rounds: [WebRound], _ name: String, _ report: inout BenchReport) {
    func add(_ measure: String, _ unit: String, _ value: (WebRound) -> Double) {
      report.add(name, measure, median(rounds.map(value)), unit)
    }
    add("requests", "1/s") { $0.rate.rounded() }
    add("p50", "ms") { Double($0.latencies.p50) / 1e6 }
    add("p99", "ms") { Double($0.latencies.p99) / 1e6 }
    add("p99.9", "ms") { Double($0.latencies.p999) / 1e6 }
    add("cpu a request", "us") { $0.cpuMicroseconds }
  }
}

/// The bytes that each case sends.
struct WebRequests {
  private let get = [UInt8]("GET /health HTTP/1.1\r\nHost: bench.example\r\n\r\n".utf8)
  private let posts: [[UInt8]]
  private let opening: [UInt8]
  private let frame: [UInt8]

  private static let postBytes = 300

  init(token: String, _ server: BenchServer) throws {
    let authorization = "Authorization: Bearer \(token)\r\n"
    func post(_ target: String, _ body: String) -> [UInt8] {
      Array(
        """
        POST \(target) HTTP/1.1\r\nHost: bench.example\r\n\(authorization)Content-Type: application/json\r\n\
        Content-Length: \(body.utf8.count)\r\n\r\n\(body)
        """.utf8)
    }
    posts = try (0..<64).map { _ in
      let answer = try Self.ask(server.http, post("/v1/sessions", "{}"))
      guard let session = JSONPick.find("session", in: answer) else {
        throw RunningLoad.Failed(
          description: "no session was opened: \(String(decoding: answer, as: UTF8.self))")
      }
      let frame = #"{"author":"customer","text":""}"#
      let text = String(repeating: "where is my lamp? ", count: 20).prefix(
        Self.postBytes - frame.utf8.count)
      return post("/v1/sessions/\(session)/messages", #"{"author":"customer","text":"\#(text)"}"#)
    }
    opening = Array(
      """
      GET /v1/stream HTTP/1.1\r\nHost: bench.example\r\n\(authorization)Upgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
      """.utf8)
    // RFC 6455 §5.2: final, text, masked; the mask is zero, which is a mask like any other.
    let text = Array(#"{"type":"ping"}"#.utf8)
    frame = [0x81, 0x80 | UInt8(text.count), 0, 0, 0, 0] + text
  }

  func plan(_ measured: WebCase, _ count: Int, _ server: any MeasuredServer) -> WebLoad.Plan {
    switch measured {
    case .get: .init(address: server.http, talk: .http, requests: [get], connections: count)
    case .post: .init(address: server.http, talk: .http, requests: posts, connections: count)
    case .websocket:
      .init(
        address: server.http, talk: .webSocket(opening: opening), requests: [frame],
        connections: count)
    case .tls:
      .init(
        address: server.https, talk: .connections, isSecure: true, requests: [get],
        connections: count)
    }
  }

  /// One request over a blocking socket of its own, before anything is measured.
  private static func ask(_ address: SocketAddress, _ request: [UInt8]) throws -> [UInt8] {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var to = sockaddr_in()
    to.sin_family = sa_family_t(AF_INET)
    to.sin_port = (address.port ?? 0).bigEndian
    to.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &to) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    var answer = [UInt8](repeating: 0, count: 8_192)
    guard connected == 0,
      send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count,
      case let got = recv(descriptor, &answer, answer.count, 0), got > 0
    else { throw RunningLoad.Failed(description: "the server does not answer") }
    return Array(answer.prefix(got))
  }
}
