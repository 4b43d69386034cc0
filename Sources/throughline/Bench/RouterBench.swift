import ArgumentParser
import Foundation
import Routing
import System

/// `throughline bench router`.
struct RouterBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "router",
    abstract: "What a routing decision costs: the router alone, in memory, on one core.",
    discussion: """
      A decision is one command decided and applied, with its match. What is measured is the life of cases \
      while all agents are busy and others wait: one is closed, its agent gets the next and accepts it, a new \
      one comes. Beside it, in the same run and over the same cases, a plain list is searched from its \
      beginning for what suits; it must come to the same choice. Last, cases that wait and agents are explained.

      Without sizes a grid of them is measured, each in a process of its own.
      """)
  @Option(name: .long, help: "Agents, each in two of eight queues, with up to eight skills.")
  var agents: Int?
  @Option(name: .long, help: "Skills that there are.") var skills: Int?
  @Option(name: .long, help: "Cases that wait.") var waiting: Int?
  @Option(name: .long, help: "Distinct needs among them; as many as wait: each has its own.")
  var needs: Int?
  @Option(
    name: .long,
    help: "Who gets a case, as in queues.yaml; with --waiting 0, where many are idle, it matters.")
  var strategy: String?
  @Option(name: .long, help: "Cases name whom: teams, excluded, required or preferred agents.")
  var restricted: String?
  @Flag(name: .long, help: "Each case takes two steps while it waits.") var steps = false
  @Option(name: .long, help: "Decisions to measure.") var decisions = 500_000
  @Option(name: .long, help: "Lives that the plain list is searched for; 0: none.")
  var comparedLives = 2_000
  @Flag(name: .long, help: "The grid whole, 108 cases, instead of its axes and corners.") var full =
    false
  @Flag(name: .long, help: "One JSON object a line.") var json = false

  /// The sizes around which the grid lies, and which are taken where one is given and the others
  /// are not.
  private static let middle = RouterLoad.Sizes(
    agents: 10_000, skills: 64, waiting: 100_000, needs: 64)
  private static let axes = (
    agents: [100, 1_000, 10_000, 100_000], skills: [1, 64, 256],
    waiting: [1_000, 100_000, 1_000_000],
    needs: [64, 4_096, .max]
  )

  func validate() throws {
    guard (1...1_000_000).contains(agents ?? 1), (1...4_096).contains(skills ?? 1),
      (0...10_000_000).contains(waiting ?? 1), (1...10_000_000).contains(needs ?? 1),
      (1_000...100_000_000).contains(decisions), (0...1_000_000).contains(comparedLives)
    else {
      throw ValidationError(
        "agents up to 1000000, skills up to 4096, waiting and needs up to 10000000, decisions from 1000 to 100000000"
      )
    }
    _ = try variant()
  }

  private func variant() throws -> RouterLoad.Variant {
    var asked: [RouterLoad.Variant] = steps ? [.steps] : []
    if let strategy {
      guard let known = Self.strategies.first(where: { $0.name == strategy }) else {
        throw ValidationError("a strategy: \(Self.strategies.map(\.name).joined(separator: ", "))")
      }
      asked.append(.strategy(known))
    }
    if let restricted {
      guard let known = RouterLoad.Restriction(rawValue: restricted) else {
        throw ValidationError("restricted: teams, excluded, required or preferred")
      }
      asked.append(.restricted(known))
    }
    guard asked.count < 2 else { throw ValidationError("one of strategy, restricted and steps") }
    return asked.first ?? .plain
  }

  private static let strategies: [RoutingConfiguration.Strategy] = [
    .longestIdle, .leastOccupied, .mostSkilled, .leastSkilled, .roundRobin, .fewestToday,
  ]

  func run() throws {
    let variant = try variant()
    if agents ?? skills ?? waiting ?? needs != nil || variant != .plain {
      let middle = Self.middle
      let waiting = waiting ?? middle.waiting
      return try measure(
        .init(
          agents: agents ?? middle.agents, skills: skills ?? middle.skills, waiting: waiting,
          needs: waiting == 0 ? needs ?? middle.needs : min(needs ?? middle.needs, waiting),
          variant: variant))
    }
    for sizes in full ? Self.grid : Self.crossing { try spawn(sizes) }
  }

  private static var grid: [RouterLoad.Sizes] {
    var all: [RouterLoad.Sizes] = []
    for agents in axes.agents {
      for skills in axes.skills {
        for waiting in axes.waiting {
          for needs in axes.needs {
            all.append(
              .init(agents: agents, skills: skills, waiting: waiting, needs: min(needs, waiting)))
          }
        }
      }
    }
    return all
  }

  /// Each size on its own from the middle, and the far corners.
  private static var crossing: [RouterLoad.Sizes] {
    func at(_ change: (inout RouterLoad.Sizes) -> Void) -> RouterLoad.Sizes {
      var sizes = middle
      change(&sizes)
      return sizes
    }
    return [middle]
      + axes.agents.filter { $0 != middle.agents }.map { n in at { $0.agents = n } }
      + axes.skills.filter { $0 != middle.skills }.map { n in at { $0.skills = n } }
      + axes.waiting.filter { $0 != middle.waiting }.map { n in at { $0.waiting = n } }
      + axes.needs.filter { $0 != middle.needs }.map { n in at { $0.needs = min(n, $0.waiting) } }
      + [
        .init(agents: 100_000, skills: 64, waiting: 1_000_000, needs: 64),
        .init(agents: 100_000, skills: 64, waiting: 1_000_000, needs: 1_000_000),
      ]
      + RouterLoad.Restriction.allCases.map { kind in at { $0.variant = .restricted(kind) } }
      + [at { $0.variant = .steps }]
      + strategies.map { strategy in
        at {
          $0.waiting = 0
          $0.variant = .strategy(strategy)
        }
      }
  }

  /// Memory that one case has given back would hide what the next takes.
  private func spawn(_ sizes: RouterLoad.Sizes) throws {
    let process = Process()
    process.executableURL = URL(
      fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    process.arguments =
      [
        "bench", "router", "--agents", "\(sizes.agents)", "--skills", "\(sizes.skills)",
        "--waiting",
        "\(sizes.waiting)",
        "--needs", "\(sizes.needs)", "--decisions", "\(decisions)", "--compared-lives",
        "\(comparedLives)",
      ] + arguments(sizes.variant) + (json ? ["--json"] : [])
    try process.run()
    process.waitUntilExit()
    if process.terminationStatus != 0 { throw ExitCode(process.terminationStatus) }
  }

  private func arguments(_ variant: RouterLoad.Variant) -> [String] {
    switch variant {
    case .plain: []
    case .strategy(let strategy): ["--strategy", strategy.name]
    case .restricted(let restriction): ["--restricted", restriction.rawValue]
    case .steps: ["--steps"]
    }
  }

  private func measure(_ sizes: RouterLoad.Sizes) throws {
    var load = RouterLoad(sizes)
    load.fill()
    for _ in 0..<20_000 { load.life() }
    // The mean from the processor time of this thread, which a busy machine does not blur as it
    // does the clock on the wall.
    let alone = load.alone(decisions: min(decisions / 2, 200_000))
    load.isTiming = true
    for isByProcessor in [false, true] {
      load.isByProcessor = isByProcessor
      let timedFrom = load.decided
      while load.decided - timedFrom < decisions / 2 { load.life() }
    }
    load.isTiming = false
    var report = BenchReport("router", json: json)
    let name = sizes.name
    report.add(name, "mean", alone.decision, "ns")
    report.add(name, load.took, in: .nanoseconds)
    report.add(name, "processor p99.9", Double(load.tookOfProcessor.p999), "ns")
    report.add(name, "rows mean", alone.rows, "ns")
    report.add(name, "decisions", 1e9 / max(alone.decision, 0.001), "1/s")
    report.add(
      name, "a waiting case", Double(load.bytesFilled) / Double(max(1, sizes.waiting)), "bytes")
    report.add(name, "an agent", Double(load.bytesOfAgents) / Double(sizes.agents), "bytes")
    for (kind, times) in load.tookEach.enumerated() where times.count > 0 {
      report.add(name, "\(RouterLoad.kinds[kind]) p50", Double(times.p50), "ns")
      report.add(name, "\(RouterLoad.kinds[kind]) p99.9", Double(times.p999), "ns")
    }
    let explained = load.explain(times: 200)
    for (what, times) in [("case", explained.cases), ("agent", explained.agents)] {
      report.add(name, "explain \(what) p50", Double(times.p50) / 1_000, "us")
      report.add(name, "explain \(what) p99", Double(times.p99) / 1_000, "us")
    }
    // The plain list knows neither restrictions nor steps, and is of no use where nothing waits.
    let isComparable = comparedLives > 0 && sizes.variant == .plain && sizes.waiting > 0
    let compared = isComparable ? load.compare(lives: comparedLives) : nil
    if let compared {
      report.add(name, "next case mean", compared.router.mean, "ns")
      report.add(name, compared.list, prefix: "plain list next case ", in: .nanoseconds)
      report.add(name, "plain list next case mean", compared.list.mean, "ns")
      report.add(
        name, "times faster than a plain list",
        compared.list.mean / max(compared.router.mean, 0.001), "1")
      report.add(
        name, "same choice", Double(compared.same) / Double(max(compared.choices, 1)) * 100, "%")
    }
    // Last, since agents and cases are others then than those that were compared.
    let skill = (0..<5).map { _ in load.reconfigure(aQueue: false) }.sorted()[2]
    let queue = (0..<5).map { _ in load.reconfigure(aQueue: true) }.sorted()[2]
    report.add(name, "publish an agent's skill", Double(skill) / 1_000, "us")
    report.add(name, "publish a queue's priority", Double(queue) / 1_000, "us")
    let usage = BenchServer.usage(of: "self")
    report.add(name, "cpu", usage.cpuSeconds, "s")
    report.add(name, "peak", Double(usage.peakBytes) / 1_048_576, "MiB")
    report.print()
    if let refusal = load.refusal {
      FileHandle.standardError.write(Data("a command was refused: \(refusal)\n".utf8))
      throw ExitCode(1)
    }
    if let compared, compared.same != compared.choices {
      FileHandle.standardError.write(
        Data("\(name): the router and the plain list chose differently\n".utf8))
      throw ExitCode(1)
    }
  }
}
