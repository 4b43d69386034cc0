import ArgumentParser
import Foundation
import Simulation
import WebCodec

struct TheoryOptions: ParsableArguments {
  @Option(name: .long, help: "A queueing model in YAML; docs/simulation.md has its keys.")
  var model: String?
  @Option(name: .long, help: "Units of time that are measured; overrides the file's.") var length:
    Double?
  @Option(name: .long, help: "So many times the file's length.") var times: Double?
  @Flag(
    name: .long,
    help:
      "Hold the values against the file's `exact` ones; status 1 when one is further off than luck explains."
  )
  var check = false
  @Option(name: .long, help: "With --check: every value within so many percent.") var within:
    Double?

  /// Those of its options beside the model that are given.
  var given: [String] {
    [
      ("--check", check), ("--within", within != nil), ("--length", length != nil),
      ("--times", times != nil),
    ].filter(\.1).map(\.0)
  }

  func run(seed: UInt64?, json: Bool) throws {
    if let within {
      guard check else { throw ValidationError("--within goes with --check") }
      guard within.isFinite, within >= 0 else {
        throw ValidationError("--within is a percentage such as 1: \(within)")
      }
    }
    let (read, diagnostics) = ModelFile.read(model ?? "")
    guard var model = read else {
      for diagnostic in diagnostics { tell(diagnostic.rendered, aside: json) }
      throw ExitCode(1)
    }
    // Beside the figures, which a program may read.
    for diagnostic in diagnostics { tell(diagnostic.rendered, aside: true) }
    if check, !model.hasExactValues {
      throw ValidationError("--check needs `exact` values, and \(self.model ?? "") has none")
    }
    if let seed { model.seed = seed }
    if let length {
      model.length = length
      model.warmUp = length / 10
    }
    if let times {
      model.length *= times
      model.warmUp = model.length / 10
    }
    guard QueueingModel.lengths.contains(model.length) else {
      throw ValidationError(
        "the length is from 0.001 to 10000000000 units of time, as --length or --times make it, too"
      )
    }
    for caution in model.cautions { tell("note: \(caution)", aside: true) }
    let began = ContinuousClock.now
    let result: QueueingResult
    do throws(QueueingFault) { result = try QueueingRun.run(model) } catch {
      tell("\(error)", aside: json)
      throw ExitCode(1)
    }
    for caution in result.cautions { tell("note: \(caution)", aside: true) }
    if json {
      printLines(model, result)
    } else {
      printTable(model, result, ContinuousClock.now - began)
    }
    if check { try compare(model, result, json) }
  }

  private func tell(_ sentence: String, aside: Bool) {
    guard aside else { return print(sentence) }
    FileHandle.standardError.write(Data((sentence + "\n").utf8))
  }

  private func compare(_ model: QueueingModel, _ result: QueueingResult, _ json: Bool) throws {
    let agents = model.groups.reduce(0) { $0 + $1.count }
    var isFine = true
    for line in result.compared(with: model) {
      let holds = line.holds(within: within.map { $0 / 100 }, agents: agents)
      isFine = isFine && holds
      if json {
        printCheck(model, line, holds)
        continue
      }
      guard line.measured.isMeasured else {
        print(
          "WRONG \(line.of) \(line.measure.rawValue): exact \(line.exact), nothing was measured")
        continue
      }
      let off = String(format: "%.2f %%, %.1f standard errors", line.relative * 100, line.errors)
      print(
        "\(holds ? "ok   " : "WRONG") \(line.of) \(line.measure.rawValue): exact \(line.exact), off by \(off)"
      )
    }
    if !isFine { throw ExitCode(1) }
  }

  private func printTable(_ model: QueueingModel, _ result: QueueingResult, _ took: Duration) {
    print(
      "\(model.name): \(result.all.cases) cases in \(plain(model.length)) units (\(model.timeUnit)) after a warm-up of "
        + "\(plain(model.warmUp)), seed \(model.seed); after each value its standard error")
    print("")
    var rows = [["", "P(wait)", "mean wait", "90 % wait", "abandons", "mean queue"]]
    for line in result.classes.count > 1 ? result.classes + [result.all] : result.classes {
      let values = [line.waits, line.meanWait, line.wait90, line.abandons, line.queueLength]
      rows.append([line.name] + values.map(shown))
    }
    for line in aligned(rows) { print(line) }
    print("")
    for group in result.groups {
      print("\(group.name) (\(group.agents) agents): occupancy \(shown(group.occupancy))")
    }
    let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    print("\(result.decisions) decisions in \(String(format: "%.1f", seconds)) s")
  }

  /// Each column as wide as its widest cell, so that none is cut.
  private func aligned(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in
      rows.reduce(column == 0 ? 12 : 20) { max($0, $1[column].count) }
    }
    return rows.map { row in
      zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
        .joined(separator: "  ")
    }
  }

  private func shown(_ estimate: Estimate) -> String {
    guard estimate.isMeasured else { return "no cases" }
    let error = estimate.standardError
    return "\(digits(estimate.value)) ±\(error.isNaN ? "?" : digits(error))"
  }

  /// What is small beside a unit of time is no nought.
  private func digits(_ value: Double) -> String {
    String(format: value != 0 && abs(value) < 0.001 ? "%.4g" : "%.6f", value)
  }
  private func plain(_ value: Double) -> String {
    value == value.rounded() ? String(Int64(value)) : String(value)
  }

  private func printLines(_ model: QueueingModel, _ result: QueueingResult) {
    for line in result.classes + (result.classes.count > 1 ? [result.all] : []) {
      let name = "\(model.name) class=\(line.name)"
      printLine(name, "P(wait)", line.waits, "share")
      printLine(name, "mean wait", line.meanWait, model.timeUnit)
      printLine(name, "p90 wait", line.wait90, model.timeUnit)
      printLine(name, "abandoned", line.abandons, "share")
      printLine(name, "mean queue", line.queueLength, "cases")
    }
    for group in result.groups {
      printLine("\(model.name) agents=\(group.name)", "occupancy", group.occupancy, "share")
    }
  }

  private func printLine(_ name: String, _ measure: String, _ estimate: Estimate, _ unit: String) {
    var json = JSONWriter()
    json.object {
      $0.field("bench", "simulate")
      $0.field("case", name)
      $0.field("measure", measure)
      $0.field("value", raw: number(estimate.value).utf8)
      $0.field("standard_error", raw: number(estimate.standardError).utf8)
      $0.field("unit", unit)
    }
    print(String(decoding: json.bytes, as: UTF8.self))
  }

  /// What is no number, or has no end, is null.
  private func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

  private func printCheck(_ model: QueueingModel, _ line: Comparison, _ holds: Bool) {
    var json = JSONWriter()
    json.object {
      $0.field("check", line.measure.rawValue)
      $0.field(
        "case", "\(model.name) \(line.measure == .occupancy ? "agents" : "class")=\(line.of)")
      $0.field("holds", raw: "\(holds)".utf8)
      $0.field("exact", raw: number(line.exact).utf8)
      $0.field("value", raw: number(line.measured.value).utf8)
      $0.field("off_percent", raw: number(line.relative * 100).utf8)
      $0.field("off_standard_errors", raw: number(line.errors).utf8)
    }
    print(String(decoding: json.bytes, as: UTF8.self))
  }
}
