import Foundation
import RuleFiles
import Testing

struct `Arithmetic that rests on how a number was told` {
  private static let message = "may be told as 90 or as 90.5"
  private let folder: ScratchFolder
  init() throws { folder = try ScratchFolder() }

  private func load(_ condition: String) throws -> WorkspaceFolder.Loaded {
    try folder.write(
      "rules/10.yaml", "- name: asked\n  when: >-\n    \(condition)\n  answer: yes\n")
    return folder.load()
  }

  /// What a hint says to write; nil for one that gives no words.
  private func written(_ told: RuleDiagnostic) throws -> String? {
    let hint = try #require(told.hint)
    guard hint.hasPrefix("write `") else { return nil }
    return hint.split(separator: "`").dropFirst().first.map(String.init)
  }

  /// The condition as its author leaves it who takes a hint: instead of what is marked.
  private func taken(_ told: RuleDiagnostic, _ meant: String, in condition: String) -> String {
    let scalars = Array(condition.unicodeScalars)
    let start = told.column - 5
    let mended =
      scalars[..<start] + Array(meant.unicodeScalars) + scalars[(start + told.length)...]
    return String(String.UnicodeScalarView(mended))
  }

  private static let sums = [
    "handoff.fields.n + 1", "1 - handoff.fields.n", "handoff.fields.n % 2",
    "(handoff.fields.n + 5) * 2", "handoff.fields.n * 2u", "handoff.fields.n * 1.5",
    "handoff.fields.n % 2 + handoff.fields.total * 3", "-handoff.fields.n + 1",
    "handoff.fields.n + size(customer.events)", "handoff.fields.?n.orValue(0) / 3",
    "(customer.known ? handoff.fields.n : 2) + 1",
  ]
  /// Whatever stands around a sum.
  private static let places = [
    "§ > 3", "§ > 3.5", "§ == 3", "3 != §", "§ == 3u", "§ == handoff.fields.n * 2",
    "§ == double(handoff.fields.n)", "(customer.known ? § : 2) > 3",
    "(customer.known ? § : 2.5) > 3", "-(§) > 3", "-(§) == 3", "math.abs(§) > 3",
    "math.abs(§) == 3",
    "math.greatest(§, 3) > 4", "math.ceil(§) > 3.0", "math.bitAnd(§, 1) == 1",
    "cel.bind(t, §, t > 3)", "cel.bind(t, §, t == 3)", "optional.of(§).orValue(0) > 3",
    "optional.of(§).value() > 3", "§ in [1, 2]", "(§) in [1.0, 2.0]", "[§].exists(e, e == 1)",
    "\"a-b\".split(\"-\", §) == [\"a\"]", "\"aab\".replace(\"a\", \"\", §) == \"b\"",
    "[1, 2, 3][§] == 2", "conversation.text.substring(§) == \"x\"", "timestamp(§) < now",
    "duration(§) < duration(\"1h\")", "string(§) == \"2\"", "\"%d\".format([§]) == \"2\"",
    "lists.range(§).size() == 1", "{\"a\": §}.a == 1", "handoff.skills[?§].hasValue()",
    "customer.events.exists(e, e.fields.n * 2 > §)", "int(§) == 3", "uint(§) == 3u",
    "double(§) == 3.0", "type(§) == int", "(§ > 3) == customer.known",
  ]

  @Test(arguments: places)
  func `is told with a hint that is in order when it is taken, whatever stands around`(
    _ place: String
  ) throws {
    for sum in Self.sums {
      var condition = place.replacingOccurrences(of: "§", with: sum)
      var count = 0
      // Some conditions hold several.
      while count < 4 {
        let loaded = try load(condition)
        // What is wrong anyhow is told without this.
        guard loaded.workspace != nil else {
          #expect(count == 0, "\(condition): \(loaded.rendered)")
          break
        }
        let told = loaded.diagnostics.filter { $0.message.contains(Self.message) }
        guard let first = told.first, let meant = try written(first) else { break }
        condition = taken(first, meant, in: condition)
        count += 1
        let after = try load(condition).diagnostics.filter { $0.message.contains(Self.message) }
        #expect(after.count < told.count, "\(condition): \(after.map(\.rendered))")
      }
      #expect(count < 4, "\(condition)")
    }
  }

  @Test(arguments: [
    ("handoff.fields.n + 1 > 3", "double(handoff.fields.n) + 1.0 > 3"),
    ("(handoff.fields.n + 5) * 2 > 60", "(double(handoff.fields.n) + 5.0) * 2.0 > 60"),
    ("5 * (handoff.fields.n - 3) + 1 > 9", "(5.0 * (double(handoff.fields.n) - 3.0)) + 1.0 > 9"),
    ("handoff.fields.n * 2u > 3u", "double(handoff.fields.n) * 2.0 > 3u"),
    ("handoff.fields.n + 5 == 60", "double(handoff.fields.n) + 5.0 == 60.0"),
    (
      "size(customer.events) == handoff.fields.n + 1",
      "double(size(customer.events)) == double(handoff.fields.n) + 1.0"
    ),
    ("(handoff.fields.n + 1) % 2 == 0", "(int(handoff.fields.n) + 1) % 2 == 0"),
    ("handoff.fields.n % 2u == 0u", "int(handoff.fields.n) % 2 == 0"),
    (
      "handoff.fields.n % 2 + handoff.fields.total * 3 > 9",
      "double(int(handoff.fields.n) % 2) + (double(handoff.fields.total) * 3.0) > 9"
    ),
    ("timestamp(handoff.fields.n + 60) < now", "timestamp(int(handoff.fields.n) + 60) < now"),
    ("string(handoff.fields.n + 1) == \"2\"", "string(int(handoff.fields.n) + 1) == \"2\""),
    ("handoff.fields.n + 1 in [1, 2]", "int(handoff.fields.n) + 1 in [1, 2]"),
  ])
  func `is written anew by its hint, whole`(_ condition: String, _ mended: String) throws {
    let loaded = try load(condition)
    let told = try #require(
      loaded.diagnostics.first { $0.message.contains(Self.message) }, "\(loaded.rendered)")
    let meant = try #require(try written(told))
    #expect(taken(told, meant, in: condition) == mended)
    // Whole numbers have nothing behind the point, and the hint says so; a rest has none anyhow.
    #expect(
      told.hint?.hasSuffix("behind the point")
        == (meant.contains("int(") && !meant.contains("double(")), "\(meant)")
  }

  @Test(arguments: [
    "[handoff.fields.n + 1].exists(e, e == 1)", "type(handoff.fields.n + 1) == int",
  ])
  func `is told without words where nobody can be sure`(_ condition: String) throws {
    let told = try load(condition).diagnostics.filter { $0.message.contains(Self.message) }
    #expect(try told.map(written) == [nil], "\(told)")
  }

  @Test(arguments: [
    "type(handoff.fields.n) == int && handoff.fields.n + 1 > 3",
    "(type(handoff.fields.n) == int ? handoff.fields.n : 0) + 1 > 3",
    "type(handoff.fields.n) == double ? handoff.fields.n * 1.5 > 3.0 : handoff.fields.n * 2 > 3",
    "dyn(handoff.fields.n) + 1 > 3",
  ])
  func `is not told of where the condition asks itself which kind it is`(_ condition: String) throws
  {
    let loaded = try load(condition)
    #expect(loaded.workspace != nil && loaded.diagnostics.isEmpty, "\(loaded.rendered)")
  }
}
