import Expressions
import Rules

extension WorkspaceFolder {
  /// Warnings of facts about queues and hours that these rules do not have, and of a channel that
  /// nobody has: no rule would ever look at them.
  ///
  /// - Parameter path: of the file that holds the facts.
  public static func strangers(
    in facts: Facts, of workspace: CheckedWorkspace, path: String
  ) -> [RuleDiagnostic] {
    let findings = Findings()
    let known = [
      (Fact.queues, workspace.queues.map(\.name), "queue"),
      (Fact.hours, workspace.hours.map(\.name), "set of hours"),
    ]
    for (fact, names, what) in known {
      guard case .map(let map)? = facts[fact] else { continue }
      for case .string(let name) in map.keys where !names.contains(name) {
        let near = Spelling.hint(name, among: names)
        findings.add(.warning, wholeFile: path, "there is no \(what) `\(name)`", hint: near)
      }
    }
    let channels = WorkspaceReader.channels
    if case .string(let channel)? = facts[.sessionChannel], !channels.contains(channel) {
      findings.add(
        .warning, wholeFile: path, "there is no channel `\(channel)`",
        hint: "there are \(channels.joined(separator: ", "))")
    }
    return findings.all
  }
}
