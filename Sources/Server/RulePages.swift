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

  static func published(_ version: RuleVersion, isNew: Bool, warnings: [RuleDiagnostic])
    -> APIResponse
  {
    var json = JSONWriter()
    json.object {
      $0.field("changed", isNew)
      describe(version, &$0)
      $0.field(
        "warnings",
        array: { array in
          for warning in warnings { array.string(warning.rendered) }
        })
    }
    return APIResponse(isNew ? 201 : 200, json: json.bytes)
  }

  static func refusal(_ loaded: WorkspaceFolder.Loaded) -> APIResponse {
    APIResponse(
      APIProblem(422, "rules-refused", "Rules refused; the running ones stay", loaded.rendered))
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

  static func explanation(
    _ explanation: Rules.Explanation, _ subject: ExplainRules.Subject, routedBy: UInt32?,
    explainedBy: UInt32?
  ) -> APIResponse {
    var json = JSONWriter()
    json.object {
      if case .aCase(let id) = subject { $0.field("case", id.description) }
      if let routedBy { $0.field("routed_by", Int64(routedBy)) }
      if let explainedBy { $0.field("explained_by", Int64(explainedBy)) }
      $0.field("explanation", raw: Array(explanation.json.text.utf8))
      $0.field("text", explanation.description)
    }
    return APIResponse(200, json: json.bytes)
  }
}
