import Expressions
import Foundation
import RuleFiles
import Rules
import Testing

struct `docs/rules.md` {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let page = root.appending(path: "docs/rules.md")

  /// The fenced blocks with this label.
  static func blocks(_ label: String) throws -> [String] {
    let parts = try String(contentsOf: page, encoding: .utf8).components(
      separatedBy: "```yaml \(label)\n"
    )
    .dropFirst()
    return parts.map { $0.components(separatedBy: "```")[0] }
  }

  @Test func `the facts in docs/rules.md are those of the program`() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let open = "do not edit by hand -->\n"
    let head = text.components(separatedBy: open)
    let tail = try #require(head.last?.components(separatedBy: "<!-- /facts -->"))
    let expected = FactCatalogue.markdown + "\n"
    if ProcessInfo.processInfo.environment["THROUGHLINE_GOLDEN"] != nil {
      try (head[0] + open + expected + "<!-- /facts -->" + tail[1]).write(
        to: Self.page, atomically: true, encoding: .utf8)
    } else {
      #expect(tail[0] == expected)
    }
  }

  @Test func `every condition of the page is accepted`() throws {
    let conditions = try Self.blocks("conditions").joined().split(separator: "\n").map {
      $0.dropFirst(2)
    }
    #expect(conditions.count >= 10)
    for condition in conditions {
      let compiled = Expression.compile(
        String(condition), Fact.environment(zone: SystemZones.table), expecting: .bool)
      if case .failure(let failure) = compiled {
        Issue.record("\(failure.diagnostics.map { $0.rendered(in: String(condition)) })")
      }
    }
  }

  @Test func `what the page says is too dear is refused, and no condition beside`() throws {
    func costs(_ label: String) throws -> [Int] {
      try Self.blocks(label).joined().split(separator: "\n").map {
        try Expression.compile(
          String($0.dropFirst(2)), Fact.environment(zone: SystemZones.table), expecting: .bool
        ).get().estimatedCost
      }
    }
    #expect(try costs("too dear").count >= 2)
    #expect(try costs("too dear").allSatisfy { $0 > Expression.budgetDefault })
    #expect(try costs("conditions").allSatisfy { $0 <= Expression.budgetDefault })
  }

  @Test func `the page's rule does what the page's test says`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "rules-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["rules", "tests"] {
      try FileManager.default.createDirectory(
        at: folder.appending(path: name), withIntermediateDirectories: true)
    }
    func write(_ path: String, _ text: String) throws {
      try text.write(to: folder.appending(path: path), atomically: true, encoding: .utf8)
    }
    let statuses = try Self.blocks("statuses")
    #expect(statuses.count == 1)
    try write("workspace.yaml", "title: Docs\n" + statuses.joined())
    try write("queues.yaml", "support:\n")
    try write("skills.yaml", "english:\n")
    try write("hours.yaml", "office: { zone: UTC, open: { mon-fri: \"09:00-17:00\" } }\n")
    try write("rules/10.yaml", Self.blocks("rules").joined())
    try write("rules/90.yaml", "- name: everyone\n  route: { queue: support }\n")
    try write("tests/10.yaml", Self.blocks("tests").joined())
    let report = WorkspaceFolder.test(folder.path)
    #expect(report.passed, "\(report.text)")
    #expect(report.outcomes.count == 1)
  }

  /// The table names each warning by its fixed words; the program's are its literals.
  @Test func `every warning of the program stands in the page's table`() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let table = try #require(text.components(separatedBy: "## Warnings").last)
    for folder in `Broken rules`.cases {
      let loaded = WorkspaceFolder.load(`Broken rules`.folder.appending(path: folder).path)
      for warning in loaded.diagnostics where warning.severity == .warning {
        let isTold = Self.told(in: table).contains { words in
          var rest = warning.message[...]
          return words.allSatisfy { word in
            guard let found = rest.range(of: word) else { return false }
            rest = rest[found.upperBound...]
            return true
          }
        }
        #expect(isTold, "\(warning.message)")
      }
    }
  }

  /// What each row says, as the words between its gaps: `… is never "…"`.
  private static func told(in table: String) -> [[String]] {
    table.split(separator: "\n").filter { $0.hasPrefix("| ") }.flatMap { row in
      let first = row.dropFirst(2).components(separatedBy: " | ")[0]
      return first.components(separatedBy: "; ").map { said in
        said.components(separatedBy: "…").map {
          $0.trimmingCharacters(in: CharacterSet(charactersIn: " ,"))
        }.filter { !$0.isEmpty }
      }
    }
  }
}
