import ArgumentParser
import Foundation
import Server
import Sockets
import System

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure and try the server on this machine.",
    discussion:
      "Every bench takes --json: one object a line with bench, case, measure, value and unit.",
    subcommands: [
      HandoffBench.self, WebBench.self, RouterBench.self, RulesBench.self, StoreBench.self,
      CrashBench.self,
    ])
}

/// `throughline bench handoff`.
struct HandoffBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handoff",
    abstract:
      "Whole lives of conversations, durable, over real HTTP: lives a second, and how long a handoff takes."
  )
  @Option(name: .long, help: "How long to measure, after one second of warming up.") var seconds =
    10
  @Option(name: .long, help: "Conversations alive at once, each on a bot's own connection.")
  var livesInFlight = 48
  @Option(name: .long, help: "Agents, each on a connection of its own.") var agents = 64
  @Option(name: .long, help: "Lanes of the server; 0: one a core.") var lanes = 0
  @Option(name: .long, help: "Where the temporary data folder is made.") var folder: String?
  @Flag(name: .long, help: "One JSON object a line.") var json = false
  @Flag(name: .long, help: "Leave the folder, and say where it is.") var keep = false

  func validate() throws {
    guard (1...3_600).contains(seconds), (1...5_000).contains(livesInFlight),
      (1...5_000).contains(agents)
    else {
      throw ValidationError("seconds up to 3600, lives in flight and agents up to 5000")
    }
  }

  func run() async throws {
    _ = ProcessFacts.raiseDescriptorLimit()
    let place = try BenchFolder(agents: agents, capacity: 1, under: folder)
    defer { if keep { print("the folder is \(place.path)") } else { place.remove() } }
    let server = try BenchServer(place, lanes: lanes)
    defer { server.stop() }
    let plan = HandoffLoad.Plan(
      address: server.http, botToken: try place.token("bot", "robin"),
      agentTokens: try (0..<agents).map { try place.token("agent", BenchFolder.agent($0)) },
      livesInFlight: livesInFlight)
    let counts = try await measure(plan, server)
    for failure in counts.failures {
      FileHandle.standardError.write(Data("failed: \(failure)\n".utf8))
    }
    if !counts.failures.isEmpty { throw ExitCode(1) }
  }

  private func measure(_ plan: HandoffLoad.Plan, _ server: BenchServer) async throws
    -> HandoffLoad.Counts
  {
    var options = SocketServer.Options()
    options.lanes = 1
    let sockets = try SocketServer(options) { HandoffLoad($0, plan) }
    let lane = sockets.lanes[0]
    lane.perform { ($0.context as? HandoffLoad)?.start() }
    try await Task.sleep(for: .seconds(1))
    let (serverBefore, clientBefore) = (
      server.usage.cpuSeconds, BenchServer.usage(of: "self").cpuSeconds
    )
    let begun = MonotonicClock.nowNanoseconds
    lane.perform { ($0.context as? HandoffLoad)?.restart() }
    try await Task.sleep(for: .seconds(seconds))
    let counts = await withCheckedContinuation { waiting in
      lane.perform { waiting.resume(returning: ($0.context as? HandoffLoad)?.finish() ?? .init()) }
    }
    let elapsed = Double(MonotonicClock.nowNanoseconds - begun) / 1e9
    var report = BenchReport("handoff", json: json)
    let name = "\(livesInFlight) lives, \(agents) agents"
    report.add(name, "lives", Double(counts.lives) / elapsed, "1/s")
    report.add("request to next", counts.handed)
    report.add("request to accepted", counts.accepted)
    report.add("whole life", counts.life)
    let (serverCPU, peak) = server.usage
    report.add(name, "server cpu", serverCPU - serverBefore, "s")
    report.add(name, "client cpu", BenchServer.usage(of: "self").cpuSeconds - clientBefore, "s")
    let lives = Double(max(counts.lives, 1))
    report.add(name, "server cpu a life", (serverCPU - serverBefore) / lives * 1e6, "us")
    report.add(name, "server peak", Double(peak) / 1_048_576, "MiB")
    report.add(
      name, "client peak", Double(BenchServer.usage(of: "self").peakBytes) / 1_048_576, "MiB")
    report.print()
    _ = await sockets.shutdown(withinMilliseconds: 0)
    return counts
  }
}
