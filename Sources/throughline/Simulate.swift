import ArgumentParser
import Foundation
import Simulation

/// Worlds that are not there: a seeded world through a workspace's writer, or a queueing model
/// through the router.
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a seeded world through the writer, or a queueing model through the router.",
    discussion: """
      throughline simulate --seed 7 --steps 5000       one world: customers, bots, agents, faults, restarts
      throughline simulate --seeds 1-1000 --steps 5000 many; the first failure is narrowed down and told
      throughline simulate --model erlang-c.yaml       P(wait), waits, abandoning, queue and occupancy of a model
      """)

  @OptionGroup var world: WorldOptions
  @OptionGroup var theory: TheoryOptions
  @Option(name: .long, help: "What the luck is drawn from.") var seed: UInt64?
  @Flag(name: .long, help: "One JSON object a line.") var json = false

  /// What would be passed over in silence is refused.
  func validate() throws {
    if theory.model == nil, let vain = theory.given.first {
      throw ValidationError("\(vain) goes with --model")
    }
    if theory.model != nil, let vain = world.given.first {
      throw ValidationError("\(vain) is of a seeded world, and goes not with --model")
    }
  }

  func run() throws {
    if theory.model != nil { return try theory.run(seed: seed, json: json) }
    try world.run(seed: seed, json: json)
  }
}

struct WorldOptions: ParsableArguments {
  @Option(name: .long, help: "Seeds from and to, such as 1-1000.") var seeds: String?
  @Option(name: .long, help: "How many things happen in each world (default: 5000).")
  var steps: Int?
  @Option(
    name: .long,
    help:
      "Faults to leave out, by comma: \(WorldSettings.Fault.allCases.map(\.rawValue).joined(separator: ","))."
  )
  var without: String?
  @Option(name: .long, help: "At most so many agents.") var agents: Int?
  @Option(name: .long, help: "So many customers.") var people: Int?
  @Option(name: .long, help: "At most so many contacts at once.") var contacts: Int?
  @Option(
    name: .long, help: "A file that remembers which seeds are done, so that a long run can go on.")
  var progress: String?
  @Flag(name: .long, help: "Tell everything that happens, a line each.") var trace = false

  /// Those of its options that are given.
  var given: [String] {
    [
      ("--seeds", seeds != nil), ("--steps", steps != nil), ("--without", without != nil),
      ("--agents", agents != nil), ("--people", people != nil), ("--contacts", contacts != nil),
      ("--progress", progress != nil), ("--trace", trace),
    ].filter(\.1).map(\.0)
  }

  private var stepCount: Int { steps ?? 5_000 }

  func run(seed: UInt64?, json: Bool) throws {
    let range = try seedRange(seed)
    let done = Set(
      (progress.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) } ?? "").split(
        separator: "\n"))
    var ran = 0
    for seed in range {
      let settings = try settings(seed)
      if done.contains(where: { $0.hasPrefix("\(settings.command):") }) { continue }
      let outcome: WorldOutcome
      do throws(WorldFailure) {
        outcome = try Simulator.run(settings, trace: trace ? { print($0) } : nil)
      } catch {
        print("FAILED \(error)")
        if !trace { print("narrowed down: \(Simulator.shrink(error))") }
        throw ExitCode(1)
      }
      ran += 1
      try remember(
        "\(settings.command): history \(hex(outcome.historyHash)) state \(hex(outcome.stateHash))")
      if json || range.lowerBound == range.upperBound { print(line(outcome, settings, json)) }
    }
    if !json { print("\(ran) worlds of \(stepCount) steps, nothing wrong") }
  }

  private func seedRange(_ seed: UInt64?) throws -> ClosedRange<UInt64> {
    guard let seeds else { return (seed ?? 1)...(seed ?? 1) }
    let ends = seeds.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
    guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, first <= last
    else {
      throw ValidationError("--seeds is a number, or from and to such as 1-1000: \(seeds)")
    }
    return first...last
  }

  private func settings(_ seed: UInt64) throws -> WorldSettings {
    guard stepCount > 0 else { throw ValidationError("--steps is a positive number") }
    var settings = WorldSettings(seed: seed, steps: stepCount)
    for name in (without ?? "").split(separator: ",") {
      guard let fault = WorldSettings.Fault(rawValue: String(name)) else {
        let known = WorldSettings.Fault.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("there is no fault \"\(name)\"; there are \(known)")
      }
      settings.faults.remove(fault)
    }
    if let agents { settings.agentsMax = max(1, agents) }
    if let people { settings.peopleMax = max(1, people) }
    if let contacts { settings.contactsMax = max(1, contacts) }
    return settings
  }

  private func remember(_ line: String) throws {
    guard let progress else { return }
    let files = FileManager.default
    guard files.fileExists(atPath: progress) || files.createFile(atPath: progress, contents: nil),
      let file = FileHandle(forWritingAtPath: progress)
    else { throw ValidationError("\(progress) cannot be written") }
    defer { try? file.close() }  // what matters was written by then
    try file.seekToEnd()
    try file.write(contentsOf: Data("\(line)\n".utf8))
  }

  private func hex(_ number: UInt64) -> String { String(number, radix: 16) }

  private func line(_ outcome: WorldOutcome, _ settings: WorldSettings, _ json: Bool) -> String {
    if !json {
      return """
        seed \(settings.seed): \(outcome.steps) steps, \(outcome.commands) decisions, \(outcome.entries) entries, \
        \(outcome.cases) cases, \(outcome.accepted) accepted, \(outcome.restarts) restarts, \
        \(outcome.failedCommits) failed commits; history \(hex(outcome.historyHash)), state \(hex(outcome.stateHash))
        """
    }
    let numbers: [(String, Int64)] = [
      ("steps", Int64(outcome.steps)), ("decisions", outcome.commands),
      ("entries", outcome.entries),
      ("cases", Int64(outcome.cases)), ("accepted", Int64(outcome.accepted)),
      ("restarts", Int64(outcome.restarts)), ("failed_commits", Int64(outcome.failedCommits)),
    ]
    let hashes = [("history", outcome.historyHash), ("state", outcome.stateHash)]
    let all =
      numbers.map { ($0.0, "\($0.1)", "count") } + hashes.map { ($0.0, "\"\(hex($0.1))\"", "hash") }
    return all.map { measure, value, unit in
      #"{"bench":"simulate","case":"seed=\#(settings.seed) steps=\#(settings.steps)","measure":"\#(measure)","#
        + #""value":\#(value),"unit":"\#(unit)"}"#
    }.joined(separator: "\n")
  }
}
