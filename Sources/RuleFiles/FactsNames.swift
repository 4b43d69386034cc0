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
    let known = [
      (Fact.sessionBot, workspace.workspace.bots.map(\.name)),
      (Fact.customerAssurance, Fact.assurances),
    ]
    for (fact, names) in known where !names.isEmpty {
      guard case .string(let text)? = facts[fact], !names.contains(text) else { continue }
      findings.add(
        .warning, wholeFile: path, "`\(fact.name)` is never \"\(text)\"",
        hint: Spelling.hint(text: text, among: names))
    }
    for found in facts.impossible() {
      findings.add(
        .warning, wholeFile: path, found.message + ImpossibleFact.sentence, hint: found.hint)
    }
    for (fact, text, form) in given(facts, workspace.workspace) {
      guard
        let problem = form.problem(
          text, .equals, defaultRegion: workspace.workspace.defaultRegion)
      else { continue }
      findings.add(
        .warning, wholeFile: path,
        fact == .mailTo
          ? "none of `mail_addresses` is \"\(text)\"" : "`\(fact.name)` is never \"\(text)\"",
        hint: problem.hint)
    }
    return findings.all
  }

  /// Texts of facts of which something is known whatever the folder says.
  private static func given(_ facts: Facts, _ workspace: WorkspaceConfiguration) -> [(
    fact: Fact, text: String, form: TextForm
  )] {
    var found: [(fact: Fact, text: String, form: TextForm)] = []
    for fact in [Fact.mailFrom, .callFrom, .callTo] {
      guard case .string(let text)? = facts[fact], let form = TextForm(of: fact) else { continue }
      found.append((fact, text, form))
    }
    if case .list(let named)? = facts[.mailTo], !workspace.mailAddresses.isEmpty {
      for case .string(let text) in named {
        found.append((.mailTo, text, .addresses(workspace.mailAddresses)))
      }
    }
    return found
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
  init(_ hours: [HoursConfiguration], _ workspace: WorkspaceConfiguration) {
    self.init(
      hours: { moment in hours.map { $0.around(moment) } },
      mailAddresses: workspace.mailAddresses, dialledNumbers: workspace.dialledNumbers)
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
