import Model
import Records
import RuleFiles
import Rules
import Service
import WebCodec

/// What is said about rules, as JSON.
enum RulePages {
  /// How many versions the overview lists, the newest first.
  private static let versionsMax = 50

  static func overview(_ writer: Writer, _ checked: CheckedWorkspace?, _ reader: any StoreReader)
    throws -> APIResponse
  {
    var versions: [RuleVersion] = []
    var next = try reader.ruleVersion(writer.workspace)
    while let version = next, versions.count < versionsMax {
      versions.append(version)
      next = version.number > 1 ? try reader.ruleVersion(writer.workspace, version.number - 1) : nil
    }
    var json = JSONWriter()
    json.object {
      $0.field("workspace", writer.name)
      if let running = versions.first { describe(running, &$0) }
      if let checked { $0.field("content", checked.rules.version) }
      $0.field(
        "rules",
        array: { array in
          for rule in checked?.rules.rules ?? [] { array.object { Self.rule(rule, &$0) } }
        })
      $0.field(
        "versions",
        array: { array in
          for version in versions { array.object { describe(version, &$0) } }
        })
    }
    return APIResponse(200, json: json.bytes)
  }

  private static func rule(_ rule: Rule, _ json: inout JSONWriter) {
    json.field("name", rule.name)
    json.field("place", rule.place)
    if let when = rule.when { json.field("when", when.source) }
    json.field(
      "outcome",
      array: { array in
        for line in rule.outcome.lines { array.string(line) }
      })
  }

  private static func describe(_ version: RuleVersion, _ json: inout JSONWriter) {
    json.field("version", Int64(version.number))
    json.field("origin", version.origin.name)
    if !version.by.isEmpty {
      json.field("by", version.by)
      json.field("at", version.at.description)
    }
    if !version.note.isEmpty { json.field("note", version.note) }
    if let earlier = version.earlier { json.field("back_to", Int64(earlier)) }
  }

  static func version(_ version: RuleVersion) -> APIResponse {
    var json = JSONWriter()
    json.object {
      describe(version, &$0)
      if let files = version.files {
        $0.field(
          "files",
          object: { object in
            for (path, text) in files.sorted(by: { $0.key < $1.key }) {
              object.key(text: path)
              object.string(text)
            }
          })
      }
    }
    return APIResponse(200, json: json.bytes)
  }

  /// 200 whether or not they are in order: the question was answered. `passed` says which.
  static func check(_ loaded: WorkspaceFolder.Loaded, _ what: String, _ workspace: String)
    -> APIResponse
  {
    APIResponse(
      200, json: Array(WorkspaceFolder.test(loaded, named: "\(workspace): \(what)").json.text.utf8))
  }

  /// - Parameter waiting: what they mean for the cases that wait, where that is to be told.
  static func published(
    _ version: RuleVersion, isNew: Bool, warnings: [RuleDiagnostic], waiting: String? = nil
  ) -> APIResponse {
    var json = JSONWriter()
    json.object {
      $0.field("changed", isNew)
      describe(version, &$0)
      write(warnings.map(\.rendered) + (waiting.map { [$0] } ?? []), &$0)
    }
    return APIResponse(isNew ? 201 : 200, json: json.bytes)
  }

  private static func write(_ warnings: [String], _ json: inout JSONWriter) {
    json.field("warnings", array: { array in for warning in warnings { array.string(warning) } })
  }

  static func refusal(_ loaded: WorkspaceFolder.Loaded) -> APIResponse {
    APIResponse(
      APIProblem(422, "rules-refused", "Rules refused; the running ones stay", loaded.refusal))
  }

  /// Nil where every test passes, or where the rules cannot even be read, which is told elsewhere.
  static func refusal(byTests loaded: WorkspaceFolder.Loaded) -> APIResponse? {
    guard let checked = loaded.workspace else { return nil }
    let failed = WorkspaceFolder.run(loaded.tests, against: checked.rules).filter { !$0.passed }
    guard !failed.isEmpty else { return nil }
    return APIResponse(
      APIProblem(
        422, "tests-failed", "Tests failed; the running rules stay",
        failed.map(\.description).joined(separator: "\n")
          + "\n\(failed.count) failed; send even_if_tests_fail to publish even so"))
  }

  /// A case that was routed, and what is known of how.
  struct PastCase {
    var id: CaseID
    var version: UInt32
    /// The rule that took it; nil where none did, or where that version is not kept.
    var rule: String?
    /// Its facts that are not known any more.
    var gaps: [FactsFile.Gap: [Fact]] = [:]
    /// Whether further facts were left open on purpose.
    var isAskedOtherwise = false
  }

  /// - Parameters:
  ///   - past: nil for facts of no case.
  ///   - version: the version that it is tried on; nil for rules that were sent.
  ///   - warnings: of facts that were sent, and that these rules would never look at.
  static func explanation(
    _ explanation: Rules.Explanation, of past: PastCase?, by version: UInt32?,
    warnings: [RuleDiagnostic]
  ) -> APIResponse {
    var json = JSONWriter()
    json.object {
      if let past {
        $0.field("case", past.id.description)
        $0.field("routed_by", Int64(past.version))
        if let rule = past.rule { $0.field("routed_by_rule", rule) }
      }
      if let version { $0.field("explained_by", Int64(version)) }
      if let past {
        $0.field("unknown", raw: Array(FactsFile.json(past.gaps).text.utf8))
      } else {
        write(warnings.map(\.rendered), &$0)
      }
      $0.field("explanation", raw: Array(explanation.json.text.utf8))
      $0.field("text", text(explanation, past, version))
    }
    return APIResponse(200, json: json.bytes)
  }

  private static func text(
    _ explanation: Rules.Explanation, _ past: PastCase?, _ version: UInt32?
  ) -> String {
    guard let past else { return explanation.description }
    let routed = past.rule.map { "rule `\($0)` of " } ?? ""
    var lines = ["\(past.id) was routed by \(routed)version \(past.version)."]
    if version != past.version {
      let by = version.map { "version \($0)" } ?? "the rules that were sent"
      lines.append("Its facts, tried on \(by):")
    }
    lines.append(explanation.description)
    let needs = Set(explanation.trials.flatMap(\.needs))
    for (gap, why) in [
      (FactsFile.Gap.notAsked, "since no rule of version \(past.version) asked for it"),
      (.notKept, "since it was too large, or nested too deep, to be kept"),
    ] {
      let missing = (past.gaps[gap] ?? []).map(\.name).filter(needs.contains)
      if !missing.isEmpty {
        lines.append("Not known any more, \(why): \(missing.joined(separator: ", ")).")
      }
    }
    let later = needs.filter { $0.hasPrefix("hours.") || $0.hasPrefix("queues.") }.sorted()
    if !later.isEmpty {
      lines.append(
        "Not known, since version \(past.version) had no such hours or queue: \(later.joined(separator: ", "))."
      )
    }
    if version == past.version, !past.isAskedOtherwise, let rule = past.rule,
      rule != explanation.decision.rule
    {
      lines.append("What routed the case is another: rule `\(rule)`, which knew more than this.")
    }
    return lines.joined(separator: "\n")
  }
}
