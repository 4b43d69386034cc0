import ArgumentParser
import Foundation
import Server
import Simulation
import Sockets
import System

/// `throughline bench crash`: kills the server again and again, and holds every later one to what
/// the dead ones said.
struct CrashBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash",
    abstract:
      "Kill the server with -9 at random moments under load, and check every answer that it ever gave."
  )
  @Option(name: .long, help: "How often it is killed.") var cycles = 50
  @Option(name: .long, help: "Of the random moments and choices; printed when not given.") var seed:
    UInt64?
  @Option(name: .long, help: "The longest life under load, in milliseconds.") var lifeMilliseconds =
    700
  @Option(name: .long, help: "Cycles on one data folder before a fresh one.") var cyclesPerFolder =
    20
  @Option(name: .long, help: "Where the temporary folders are made.") var folder: String?
  @Flag(name: .long, help: "One JSON object a line.") var json = false

  struct Totals {
    var cycles = 0
    var sends = 0
    var acknowledged = 0
    var heard = 0
    var mails = 0
    var calls = 0
    var talks = 0
    var decisions = 0
    var timelines = 0
    var pushes = 0
    var checks = 0
    var repeats = 0
    var records: Int64 = 0
    var starts = LatencyHistogram()
  }

  func run() async throws {
    let seed = seed ?? Entropy.word >> 1
    var random = SeededRandom(seed: seed)
    var totals = Totals()
    var options = SocketServer.Options()
    options.lanes = 1
    let sockets = try SocketServer(options) { CrashWorld($0) }
    while totals.cycles < cycles {
      let place = try BenchFolder(agents: 6, capacity: 100, phones: 6, under: folder)
      let run = min(cyclesPerFolder, cycles - totals.cycles)
      let violations = try await live(place, run, sockets.lanes[0], &random, &totals)
      guard violations.isEmpty else {
        print("VIOLATED, seed \(seed); the folder is \(place.path)")
        for violation in violations { print("  \(violation)") }
        throw ExitCode(1)
      }
      place.remove()
    }
    report(totals, seed)
  }

  /// Some lives of one data folder.
  private func live(
    _ place: BenchFolder, _ cycles: Int, _ lane: Lane, _ random: inout SeededRandom,
    _ totals: inout Totals
  ) async throws -> [String] {
    var ledger = CrashLedger()
    var server = try BenchServer(place, smtp: true, fastAGI: true)
    var away = MonotonicClock.nowMilliseconds
    let holders = try Self.holders(place)
    for cycle in 0..<cycles {
      ledger.cycle = cycle
      let seed = random.next()
      let (http, smtp, fastAGI, begun) = (server.http, server.smtp, server.fastAGI, ledger)
      let awayMilliseconds = MonotonicClock.nowMilliseconds - away
      await Self.on(lane) { world in
        (world.ledger, world.holders, world.random) = (begun, holders, SeededRandom(seed: seed))
        world.begin(http: http, smtp: smtp, fastAGI: fastAGI, awayMilliseconds: awayMilliseconds)
      }
      try await Task.sleep(
        for: .milliseconds(20 + Int(random.next() % UInt64(max(1, lifeMilliseconds - 20)))))
      server.kill()
      away = MonotonicClock.nowMilliseconds
      ledger = await Self.finish(lane)
      totals.records = max(totals.records, try CrashFolder.check(place, &ledger))
      // Now and then it dies while it starts, too.
      if random.chance(15) {
        try BenchServer.startAndKill(place, afterMilliseconds: Int(random.next() % 120))
      }
      server = try BenchServer(place, smtp: true, fastAGI: true)
      totals.starts.record(server.startMilliseconds * 1_000_000)
      let address = server.http
      await Self.on(lane) { $0.openAskers(address) }
      var verifier = CrashVerifier(lane, ledger, supervisor: holders.count - 1)
      ledger = await verifier.run(olderEvery: cycle == cycles - 1 ? 1 : 10)
      await Self.on(lane) { $0.end() }
      totals.checks += verifier.checks
      totals.repeats += verifier.repeats
      totals.cycles += 1
      if !ledger.violations.isEmpty { break }
    }
    server.kill()
    totals.sends += ledger.sends.count
    totals.acknowledged += ledger.sends.count { $0.isAcknowledged }
    totals.heard += ledger.heard
    totals.mails += ledger.mails.count
    totals.calls += ledger.calls.count
    totals.timelines += ledger.timelines
    totals.decisions += ledger.decisions
    totals.pushes += ledger.pushed.reduce(0) { $0 + $1.entries.count }
    totals.talks += ledger.calls.reduce(0) { $0 + $1.talks }
    return ledger.violations
  }

  private static func holders(_ place: BenchFolder) throws -> [CrashWorld.Holder] {
    var out: [CrashWorld.Holder] = []
    for bot in ["robin", "wren"] {
      out.append(.init(kind: .bot, name: bot, token: try place.token("bot", bot)))
    }
    for index in 0..<6 {
      let name = BenchFolder.agent(index)
      out.append(.init(kind: .agent, name: name, token: try place.token("agent", name)))
    }
    for index in 0..<6 {
      let name = BenchFolder.phone(index)
      out.append(.init(kind: .phone, name: name, token: try place.token("agent", name)))
    }
    out.append(.init(kind: .shop, name: "till", token: try place.token("integration", "till")))
    out.append(.init(kind: .supervisor, name: "boss", token: try place.token("supervisor", "boss")))
    return out
  }

  private static func on(_ lane: Lane, _ body: @escaping @Sendable (CrashWorld) -> Void) async {
    await withCheckedContinuation { waiting in
      lane.perform { loop in
        if let world = loop.context as? CrashWorld { body(world) }
        waiting.resume()
      }
    }
  }

  /// What was on its way when the server died still lies in the lane's sockets: it is read before
  /// the end is seen.
  private static func finish(_ lane: Lane) async -> CrashLedger {
    await withCheckedContinuation { waiting in
      lane.perform { loop in
        loop.after(milliseconds: 60) { loop in
          guard let world = loop.context as? CrashWorld else {
            return waiting.resume(returning: CrashLedger())
          }
          world.end()
          waiting.resume(returning: world.ledger)
        }
      }
    }
  }

  private func report(_ totals: Totals, _ seed: UInt64) {
    var report = BenchReport("crash", json: json)
    let name = "seed \(seed)"
    for (measure, value, unit) in [
      ("cycles", totals.cycles, "kills"), ("requests", totals.sends, "sent"),
      ("acknowledged", totals.acknowledged, "requests"),
      ("answers and pushes", totals.heard, "heard"),
      ("mails", totals.mails, "sent"), ("calls", totals.calls, "placed"),
      ("talks", totals.talks, "bridged"),
      ("merges and splits", totals.decisions, "decided"),
      ("offers' timelines", totals.timelines, "recomputed"),
      ("customers' words", totals.pushes, "pushed to agents"),
      ("timelines and cases", totals.checks, "checked"),
      ("sent again", totals.repeats, "requests"),
      ("longest log", Int(totals.records), "records replayed"),
      ("violations", 0, "found"),
    ] { report.add(name, measure, Double(value), unit) }
    report.add("start after a kill", totals.starts)
    report.print()
  }
}
