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

  mutating func add(_ name: String, _ latencies: LatencyHistogram) {
    for (measure, value) in [
      ("p50", latencies.p50), ("p99", latencies.p99), ("p99.9", latencies.p999), ("max", latencies.highest),
    ] {
      add(name, measure, Double(value) / 1e6, "ms")
    }
  }

  func print() {
    for line in lines {
      let number = line.value == line.value.rounded() ? String(Int64(line.value)) : String(format: "%.3f", line.value)
      guard isJSON else {
        Swift.print("  \(line.name.padded(22)) \(line.measure.padded(16)) \(number) \(line.unit)")
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
