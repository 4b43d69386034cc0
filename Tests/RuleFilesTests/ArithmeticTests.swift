import Foundation
import RuleFiles
import Testing

struct `Arithmetic that rests on how a number was told` {
  /// What a hint says to write is taken without a word, and holds for 90 as for 90.5.
  @Test(arguments: [
    ("(handoff.fields.total + 5) * 2 > 60", "(handoff.fields.total + 5) * 2"),
    ("handoff.fields.total * 100 / 119 > 50", "handoff.fields.total * 100 / 119"),
    ("5 * (handoff.fields.total - 3) + 1 > 9", "5 * (handoff.fields.total - 3) + 1"),
    ("handoff.fields.total * 2u > 3u", "handoff.fields.total * 2u"),
    ("[1, 2, 3][handoff.fields.i + 1] == 2", "handoff.fields.i + 1"),
    ("conversation.text.substring(handoff.fields.i + 1) == \"x\"", "handoff.fields.i + 1"),
    ("timestamp(handoff.fields.ts + 3600) < now", "handoff.fields.ts + 3600"),
    ("(handoff.fields.n + 1) % 2 == 0", "(handoff.fields.n + 1) % 2 == 0"),
    ("handoff.fields.total + 5 == 60", "handoff.fields.total + 5 == 60"),
    ("60 != handoff.fields.total * 2", "60 != handoff.fields.total * 2"),
    (
      "size(customer.events) == handoff.fields.n + 1",
      "size(customer.events) == handoff.fields.n + 1"
    ),
    ("handoff.fields.n % 2u == 0u", "handoff.fields.n % 2u == 0u"),
    ("string(handoff.fields.n + 1) == \"2\"", "handoff.fields.n + 1"),
  ])
  func `is written anew by its hint, whole`(
    _ condition: String, _ part: String
  ) throws {
    func warnings(_ condition: String) throws -> [RuleDiagnostic] {
      let folder = try ScratchFolder()
      try folder.write(
        "rules/10.yaml", "- name: asked\n  when: >-\n    \(condition)\n  answer: yes\n")
      let loaded = folder.load()
      #expect(loaded.workspace != nil, "\(condition): \(loaded.rendered)")
      return loaded.diagnostics.filter { $0.message.contains("may be told as 90") }
    }
    let told = try warnings(condition)
    #expect(told.count == 1, "\(condition): \(told)")
    let hint = try #require(told.first?.hint)
    let meant = try #require(hint.split(separator: "`").dropFirst().first.map(String.init))
    #expect(condition.contains(part))
    let written = condition.replacingOccurrences(of: part, with: meant)
      .replacingOccurrences(of: "> 3u", with: "> 3")
    #expect(try warnings(written).isEmpty, "\(written)")
  }
}
