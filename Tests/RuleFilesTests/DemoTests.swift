import Foundation
import RuleFiles
import Rules
import Testing

struct `The demo's rules` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "routing-rules/demo").path

  @Test func `are read without a word of complaint`() throws {
    let loaded = WorkspaceFolder.load(Self.folder)
    #expect(loaded.rendered == "")
    let workspace = try #require(loaded.workspace)
    #expect(workspace.workspace.name == "demo")
    #expect(workspace.agents.map(\.name) == ["ann", "ben", "cleo", "dev"])
    #expect(workspace.agents[0].phoneDevices == ["PJSIP/agent1"])
    #expect(workspace.rules.version.utf8.count == 32)
  }

  @Test func `do what their tests say`() throws {
    let loaded = WorkspaceFolder.load(Self.folder)
    let rules = try #require(loaded.workspace?.rules)
    #expect(loaded.tests.count >= 9)
    for outcome in WorkspaceFolder.run(loaded.tests, against: rules) {
      #expect(outcome.passed, "\(outcome)")
    }
  }

  @Test func `are each reached by a test that expects them`() throws {
    let loaded = WorkspaceFolder.load(Self.folder)
    let rules = try #require(loaded.workspace?.rules.rules.map(\.name))
    let reached = Set(loaded.tests.compactMap { $0.expected.first { $0.key == "rule" }?.value })
    #expect(rules.filter { !reached.contains($0) } == [])
  }
}
