import Foundation
import WebCodec

/// What a bench measured, as lines for a person or as one JSON object a line.
struct BenchReport {
  let bench: String
  let isJSON: Bool
  private(set) var lines: [(name: String, measure: String, value: Double, unit: String)] = []

  init(_ bench: String, json: Bool) {
    self.bench = bench
    isJSON = json
  }

  mutating func add(_ name: String, _ measure: String, _ value: Double, _ unit: String) {
    lines.append((name, measure, value, unit))
  }

  /// - Parameter prefix: what is measured, where a case measures several things, with a blank at
  ///   its end.
  mutating func add(
    _ name: String, _ latencies: LatencyHistogram, prefix: String = "",
    in unit: LatencyUnit = .milliseconds
  ) {
    for (measure, value) in [
      ("p50", latencies.p50), ("p99", latencies.p99), ("p99.9", latencies.p999),
      ("max", latencies.highest),
    ] {
      add(name, prefix + measure, Double(value) / unit.nanoseconds, unit.rawValue)
    }
  }

  enum LatencyUnit: String {
    case milliseconds = "ms"
    case microseconds = "us"
    case nanoseconds = "ns"
    var nanoseconds: Double {
      switch self {
      case .milliseconds: 1e6
      case .microseconds: 1e3
      case .nanoseconds: 1
      }
    }
  }

  func print() {
    for line in lines {
      let number =
        line.value == line.value.rounded()
        ? String(Int64(line.value)) : String(format: "%.3f", line.value)
      guard isJSON else {
        Swift.print("  \(line.name.padded(22)) \(line.measure.padded(22)) \(number) \(line.unit)")
        continue
      }
      var json = JSONWriter()
      json.object {
        $0.field("bench", bench)
        $0.field("case", line.name)
        $0.field("measure", line.measure)
        $0.field("value", raw: number.utf8)
        $0.field("unit", line.unit)
      }
      Swift.print(String(decoding: json.bytes, as: UTF8.self))
    }
    fflush(nil)
  }
}
