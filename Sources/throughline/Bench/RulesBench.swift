import ArgumentParser
import Expressions
import Foundation
import RuleFiles
import Rules
import System

/// `throughline bench rules`.
struct RulesBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract:
      "What rules cost: one condition, routing through many rules, loading and checking them.",
    discussion: """
      Routing is measured through rules that an equality tells apart, of which the last but one matches. \
      Beside it, in the same run and through the same rules, each condition is tried from the first on, as \
      without an index; it must come to the same rule.

      --python names an interpreter with a CEL library from PyPI (`common-expression-language`, which is Rust, \
      or `cel-python`); the same condition is then evaluated there, its binding included.
      """)
  @Option(name: .long, help: "Evaluations to measure; through many rules without an index, fewer.")
  var evaluations = 200_000
  @Option(name: .long, help: "A Python with a CEL library, to compare with.") var python: String?
  @Flag(name: .long, help: "One JSON object a line.") var json = false

  func validate() throws {
    guard (1_000...100_000_000).contains(evaluations) else {
      throw ValidationError("evaluations from 1000 to 100000000")
    }
  }

  func run() throws {
    let begun = ProcessorTime.ofThread
    var report = BenchReport("rules", json: json)
    try condition(&report)
    for count in [10, 100, 1_000, 10_000] { try route(count, &report) }
    try load(10_000, &report)
    report.add("all", "cpu", Double(ProcessorTime.ofThread - begun) / 1e9, "s")
    report.add("all", "peak", Double(BenchServer.usage(of: "self").peakBytes) / 1_048_576, "MiB")
    report.print()
  }

  // MARK: - One condition

  private func condition(_ report: inout BenchReport) throws {
    let name = "four clauses on nested facts"
    let slots = RulesLoad.facts.slots
    let program = try RulesLoad.compile(RulesLoad.fourClauses)
    let mean = try Self.mean(of: evaluations) { program.evaluate(slots) == .bool(true) }
    report.add(name, "mean", mean, "ns")
    let times = Self.times(evaluations) { _ = program.evaluate(slots) }
    report.add(name, times, in: .nanoseconds)
    guard let python else { return }
    for (library, nanoseconds) in try PythonCEL(interpreter: python).measure() {
      report.add(name, "\(library) mean", nanoseconds, "ns")
    }
  }

  // MARK: - Many rules

  private func route(_ count: Int, _ report: inout BenchReport) throws {
    let name = "rules=\(count)"
    let set = try RulesLoad.set(count)
    let facts = RulesLoad.facts
    let mean = try Self.mean(of: evaluations / 10) { set.evaluate(facts).ruleIndex == count - 2 }
    report.add(name, "route mean", mean / 1_000, "us")
    report.add(
      name, Self.times(evaluations / 10) { _ = set.evaluate(facts) }, prefix: "route ",
      in: .microseconds)
    let fewer = max(100, evaluations / 10 / count)
    let slots = facts.slots
    let scan = {
      set.rules.firstIndex { $0.when.map { $0.evaluate(slots) == .bool(true) } ?? true }
    }
    let without = try Self.mean(of: fewer) { scan() == count - 2 }
    report.add(name, "route without index mean", without / 1_000, "us")
    report.add(
      name, Self.times(fewer) { _ = scan() }, prefix: "route without index ", in: .microseconds)
    report.add(name, "times faster by the index", without / max(mean, 0.001), "1")
  }

  // MARK: - Loading

  private func load(_ count: Int, _ report: inout BenchReport) throws {
    let clock = ContinuousClock()
    var isWhole = true
    let compiling = try clock.measure {
      for at in 0..<count {
        _ = try RulesLoad.compile(
          "conversation.intent == 'intent-\(at)' && customer.attributes.tier == 'gold' "
            + "|| now - now < duration('5m')"
        )
      }
    }
    let folder = try RulesLoad.folder(count)
    defer { RulesLoad.remove(folder) }
    let loading = clock.measure { isWhole = WorkspaceFolder.load(folder).workspace != nil }
    guard isWhole else { throw RulesLoad.Fault("the folder of generated rules is not in order") }
    report.add("rules=\(count)", "parse and check conditions", compiling / .milliseconds(1), "ms")
    report.add("rules=\(count)", "load and check a folder", loading / .milliseconds(1), "ms")
  }

  // MARK: - Measuring

  /// - Returns: nanoseconds of processor time for one, the least of five rounds, since all else is
  ///   noise. The
  /// work
  ///   must say true, so that it cannot be left out.
  private static func mean(of count: Int, _ work: () -> Bool) throws -> Double {
    var least = Double.infinity
    for _ in 0..<5 {
      var isRight = true
      let begun = ProcessorTime.ofThread
      for _ in 0..<count where !work() { isRight = false }
      least = min(least, Double(ProcessorTime.ofThread - begun) / Double(max(1, count)))
      guard isRight else { throw RulesLoad.Fault("what was measured gave a wrong answer") }
    }
    return least
  }

  /// One at a time; the clock, some 30 ns, is in each.
  private static func times(_ count: Int, _ work: () -> Void) -> LatencyHistogram {
    var times = LatencyHistogram()
    for _ in 0..<count {
      let begun = MonotonicClock.nowNanoseconds
      work()
      times.record(MonotonicClock.nowNanoseconds - begun)
    }
    return times
  }
}
