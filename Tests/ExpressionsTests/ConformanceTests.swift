import Expressions
import Foundation
import RuleFiles
import Testing

struct `Conformance` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "Conformance")
  static let files = [
    "basic", "bindings_ext", "block_ext", "comparisons", "conversions", "encoders_ext", "fields",
    "fp_math",
    "integer_math", "lists", "logic", "macros", "macros2", "math_ext", "namespace", "network_ext",
    "optionals",
    "parse", "plumbing", "string", "string_ext", "timestamps", "type_deduction", "rest", "cel_go",
  ]

  @Test(arguments: files) func `every case of the suite passes`(_ file: String) throws {
    let text = try String(contentsOf: Self.folder.appending(path: file + ".jsonl"), encoding: .utf8)
    let (passed, failures) = ConformanceFile.run(text, zone: SystemZones.table)
    print("\(file): \(passed) passed, \(failures.count) failed")
    for failure in failures {
      Issue.record(
        "\(failure.name): \(failure.expression)\n  expected \(failure.expected)\n  got \(failure.got)"
      )
    }
    #expect(passed > 0)
  }
}
