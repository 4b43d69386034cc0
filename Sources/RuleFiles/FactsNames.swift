import Expressions
import Rules

extension WorkspaceFolder {
  /// Warnings of facts about queues and hours that these rules do not have, of a channel that nobody
  /// has, and of what no case has: no rule would ever look at them.
  ///
  /// - Parameter path: of the file that holds the facts.
  public static func strangers(
    in facts: Facts, of workspace: CheckedWorkspace, path: String
  ) -> [RuleDiagnostic] {
    let findings = Findings()
    let maps = [
      (Fact.queues, workspace.queues.map(\.name), "queue"),
      (Fact.hours, workspace.hours.map(\.name), "set of hours"),
    ]
    for (fact, names, what) in maps {
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
    let missing = facts[.sessionChannel] == nil ? [ImpossibleFact.withoutChannel] : []
    for found in missing
      + facts.impossible(
        workspace.workspace, skills: Set(workspace.skills.map(\.name)),
        serving: { queue in workspace.agents.count { $0.queues.contains(queue) } })
    {
      findings.add(
        .warning, wholeFile: path, found.message + ImpossibleFact.sentence, hint: found.hint)
    }
    return findings.all
  }
}

extension WorkspaceFolder {
  /// Adds the facts that follow from those that somebody states: hours from `now`, and what has been
  /// collected from where it was said.
  ///
  /// - Parameter path: of the file that holds the facts.
  /// - Returns: warnings of facts that contradict one another.
  public static func complete(
    _ facts: inout Facts, of workspace: CheckedWorkspace, path: String
  ) -> [RuleDiagnostic] {
    let findings = Findings()
    for (fact, name, own) in facts.tellNamesApart() {
      findings.add(
        .warning, wholeFile: path,
        "two names in `\(fact.name)` look alike: the second, `\(name)`, is taken as `\(own)`",
        hint: "so it would be of a real case")
    }
    var around = CaseSurroundings(workspace.hours, workspace.workspace)
    for condition in workspace.rules.rules.compactMap(\.when) {
      guard let names = condition.namesAsked(of: Fact.conversationFields.rawValue) else {
        around.fieldsAsked = nil
        break
      }
      around.fieldsAsked?.append(contentsOf: names)
    }
    for contradiction in facts.complete(around) {
      findings.add(
        .warning, wholeFile: path, contradiction.sentence, hint: Contradiction.hint)
    }
    facts.completeQueues(workspace.rules.quietQueues)
    return findings.all
  }
}

extension CaseSurroundings {
  init(_ hours: [HoursConfiguration], _ about: WorkspaceConfiguration) {
    self.init(hours: { moment in hours.map { $0.around(moment) } }, about: about)
  }
}

extension Contradiction {
  var sentence: String {
    let source = field.map { "\(from.name).\($0)" } ?? from.name
    return
      "`\(path)` is said to be \(stated), and from `\(source)` it follows that it is \(derived)"
  }
  static let hint = "leave out the one that is wrong: what follows from another need not be said"
}
