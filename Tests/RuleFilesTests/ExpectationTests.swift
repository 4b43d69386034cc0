import Foundation
import RuleFiles
import Testing

/// What a test beside the rules can expect.
struct `What a test expects` {
  private func folder(_ expect: String) throws -> ScratchFolder {
    let folder = try ScratchFolder()
    try folder.write("skills.yaml", "german: { language: de }\ntechnical:\n")
    try folder.write(
      "rules/10.yaml",
      """
      - name: all of it
        when: customer.known
        route:
          queue: support
          weight: 2
          skills: { german: 3 }
          wanted_skills: preferred
          language: required
          steps:
            - { after: 30s, lower: { german: 1 } }
            - { after: 1m, message: one moment }

      """)
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tests"), withIntermediateDirectories: true)
    try folder.write(
      "tests/10.yaml",
      "- name: t\n  given: { customer: { known: true } }\n  expect: { \(expect) }\n")
    return folder
  }

  private func report(_ expect: String) throws -> TestReport {
    let folder = try folder(expect)
    return WorkspaceFolder.test(folder.url.path)
  }

  @Test(arguments: [
    "wanted_skills: preferred", "language: required", "weight: 2", "steps: 2",
    "steps: [{ after: 30s, lower: { german: 1 } }, { after: 60s, message: one moment }]",
    "prefer_skills: []", "skills: { german: 3 }, tags: []",
  ])
  func `is every part of a plan that a rule can say`(_ expect: String) throws {
    let report = try report(expect)
    #expect(report.passed && report.outcomes.count == 1, "\(report.text)")
  }

  @Test(arguments: [
    ("wanted_skills: required", "wanted_skills: expected required, got preferred"),
    ("language: none", "language: expected none, got required"),
    ("weight: 3", "weight: expected 3, got 2"),
    ("skills: []", "skills: expected none, got german ≥ 3"),
    ("tags: [a]", "tags: expected a, got none"),
    (
      "steps: [{ after: 30s, lower: { german: 2 } }]",
      "steps, one by one: expected after 30 s german ≥ 2 is enough, got after 30 s german ≥ 1 is enough; after 60 s the customer is told: one moment"
    ),
  ])
  func `fails with what was got`(_ expect: String, _ told: String) throws {
    let report = try report(expect)
    #expect(!report.passed && report.text.contains(told), "\(report.text)")
  }

  @Test func `of several folders each place says which`() throws {
    let folder = try ScratchFolder()
    try folder.write("rules/10.yaml", "- name: a\n  when: 1 +\n  reject: x\n")
    let report = WorkspaceFolder.check(folder.url.path)
    #expect(report.text.hasPrefix("rules/10.yaml:2:"))
    #expect(
      report.text(isOneOfSeveral: true).hasPrefix("\(folder.url.path)/rules/10.yaml:2:"))
    let failing = try self.report("weight: 3")
    #expect(
      failing.text.contains("(tests/10.yaml:1)") && failing.text.hasSuffix("\n0 passed, 1 failed"))
    let told = failing.text(isOneOfSeveral: true)
    #expect(told.contains("(\(failing.check.folder)/tests/10.yaml:1)"))
    #expect(told.hasSuffix("\n\(failing.check.folder): 0 passed, 1 failed"))
  }

  @Test func `which tests of a folder fail is told in a line`() throws {
    #expect(WorkspaceFolder.failing(try folder("weight: 2").load()) == nil)
    #expect(
      WorkspaceFolder.failing(try folder("weight: 3").load())
        == "1 of 1 tests fails, and the rules apply all the same: `t` (tests/10.yaml:1); `throughline rules test` shows why"
    )
  }
}
