import ArgumentParser
import Expressions
import Foundation
import RuleFiles
import Rules
import Server

enum ReportFormat: String, ExpressibleByArgument { case text, json }

/// What an operations person asks of a rule folder, at a terminal or in a CI job: status 0 when all
/// is well, 1 when not.
struct RuleFolder: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Check, try and explain routing rules.",
    discussion:
      "check, test, explain and facts need no server; versions, publish, rollback and explaining a past case ask the running one.",
    subcommands: [
      Check.self, Test.self, Explain.self, Facts.self, Versions.self, Publish.self, Rollback.self,
    ])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Name every mistake in the rules of a folder.")
    @Argument(help: "A workspace's folder, such as routing-rules/demo.") var folders: [String]
    @Flag(name: .long, help: "Warnings fail, too.") var strict = false
    @Option(name: .long) var format = ReportFormat.text

    func run() throws {
      var isFine = true
      for folder in folders {
        let report = WorkspaceFolder.check(folder)
        print(
          format == .json ? report.json.text : report.text(isOneOfSeveral: folders.count > 1))
        isFine = isFine && report.passed && !(strict && report.warnings > 0)
      }
      if !isFine { throw ExitCode(1) }
    }
  }

  struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Try the rules against the cases in the folder's tests/.")
    @Argument(help: "A workspace's folder.") var folders: [String]
    @Option(name: .long) var format = ReportFormat.text

    func run() throws {
      var isFine = true
      for folder in folders {
        let report = WorkspaceFolder.test(folder)
        print(
          format == .json ? report.json.text : report.text(isOneOfSeveral: folders.count > 1))
        isFine = isFine && report.passed
      }
      if !isFine { throw ExitCode(1) }
    }
  }

  struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say which rule takes a case, and why each rule before it does not.",
      discussion: """
        A past case is explained from the facts that it was routed by, with the rules of that time:
          throughline rules explain case_… --data data
        Facts from a file are tried on the rules of a folder:
          throughline rules explain routing-rules/demo facts.yaml
        """)
    @Argument(help: "A case id, or a workspace's folder.") var subject: String
    @Argument(
      help:
        "A file with facts, in YAML as under `given:` of a test, or in JSON; - for standard input.")
    var facts: String?
    @Option(
      name: .long,
      help: "A fact that may be anything, such as customer.attributes; may be given several times.")
    var unknown: [String] = []
    @Option(
      name: .long,
      help: "For a case: the version of the rules to try it on, in place of the one that routed it."
    )
    var version: UInt32?
    @Option(name: .long, help: "For a case: the workspace, where there are several.") var workspace:
      String?
    @Option(name: .long) var format = ReportFormat.text
    @OptionGroup var options: SettingsOptions

    func run() throws {
      guard subject.hasPrefix("case_") else { return try explainFile() }
      guard facts == nil else {
        throw ValidationError(
          "a case brings its own facts: name a folder, or leave out \(facts ?? "")")
      }
      var body: [String: Any] = ["case": subject, "unknown": unknown]
      if let version { body["version"] = version }
      try RuleFolder.ask("POST", "/explain", body, workspace, options, format)
    }

    private func explainFile() throws {
      guard let facts else {
        throw ValidationError("name a file with facts, or a case id such as case_…")
      }
      let loaded = WorkspaceFolder.load(subject)
      guard let workspace = loaded.workspace else { throw refused(loaded.diagnostics) }
      let bytes = try NamedFile.read(facts, bytesMax: 1 << 20)
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw NamedFile.Unreadable(description: "\(facts) is not UTF-8 text")
      }
      let read = FactsFile.read(text, path: facts)
      guard var known = read.facts else { throw refused(read.diagnostics) }
      // Before what follows from facts is added: of these nothing does.
      for name in unknown {
        guard let fact = Rules.Fact.allCases.first(where: { $0.name == name }) else {
          throw ValidationError("there is no fact \(name); `throughline rules facts` lists them")
        }
        known.setUnknown(fact)
      }
      // Beside the answer, which a program may read.
      let strangers = WorkspaceFolder.strangers(in: known, of: workspace, path: facts)
      let contradictions = WorkspaceFolder.complete(&known, of: workspace, path: facts)
      for warning in strangers + contradictions {
        FileHandle.standardError.write(Data((warning.rendered + "\n").utf8))
      }
      let explanation = WorkspaceFolder.explain(known, by: workspace)
      print(format == .json ? explanation.json.text : "\(explanation)")
    }

    /// Tells what is wrong in the form that was asked for.
    private func refused(_ diagnostics: [RuleDiagnostic]) -> ExitCode {
      let json = JsonText.object([
        ("passed", .bool(false)), ("diagnostics", .array(diagnostics.map(\.json))),
      ])
      print(
        format == .json ? json.text : diagnostics.map(\.rendered).joined(separator: "\n\n"))
      return ExitCode(1)
    }
  }

  struct Facts: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the facts that a condition can speak of.")
    @Option(name: .long) var format = ReportFormat.text
    func run() { print(format == .json ? FactCatalogue.json.text : FactCatalogue.text) }
  }
}

extension RuleFolder {
  /// Asks the running server, and prints its answer: the text in it, or all of it as JSON.
  static func ask(
    _ method: String, _ path: String, _ body: [String: Any]?, _ workspace: String?,
    _ options: SettingsOptions,
    _ format: ReportFormat, _ text: ([String: Any]) -> String? = { $0["text"] as? String }
  ) throws {
    let query = workspace.map { "?" + AdminClient.query([("workspace", $0)]) } ?? ""
    let data = try body.map { try JSONSerialization.data(withJSONObject: $0) }
    let answer: Data
    do {
      answer = try AdminClient.send(
        method, "/admin/rules" + path + query, data, try options.settings())
    } catch  where format == .json {
      // Whoever reads JSON reads what went wrong as JSON, too, and on the same way.
      print(JsonText.object([("passed", .bool(false)), ("error", .string("\(error)"))]).text)
      throw ExitCode(1)
    }
    guard format == .text,
      let json = try JSONSerialization.jsonObject(with: answer) as? [String: Any],
      let text = text(json)
    else { return print(String(decoding: answer, as: UTF8.self)) }
    print(text)
  }

  struct Versions: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "List the versions of the running server's rules: who published each, when, and how.")
    @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?
    @Option(name: .long) var format = ReportFormat.text
    @OptionGroup var options: SettingsOptions

    func run() throws {
      try RuleFolder.ask("GET", "", nil, workspace, options, format) { json in
        (json["versions"] as? [[String: Any]])?.enumerated().map { place, version in
          RuleFolder.line(version) + (place == 0 ? "  (applies)" : "")
        }.joined(separator: "\n")
      }
    }
  }

  struct Publish: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Publish a folder's rules to the running server, if they are in order and their tests pass.",
      discussion:
        "They apply to the next case, and go on to apply until the server's own folder changes or others follow."
    )
    @Argument(help: "A workspace's folder.") var folder: String
    @Option(name: .long, help: "Why; kept with the version.") var note = ""
    @Flag(name: .long, help: "Publish although tests fail.") var evenIfTestsFail = false
    @Option(
      name: .long,
      help: "Only where this version runs: what somebody else published meanwhile is not undone.")
    var over: UInt32?
    @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?
    @Option(name: .long) var format = ReportFormat.text
    @OptionGroup var options: SettingsOptions

    func run() throws {
      let report = WorkspaceFolder.check(folder)
      guard report.passed else {
        print(format == .json ? report.json.text : report.text)
        throw ExitCode(1)
      }
      var body: [String: Any] = [
        "files": RuleSource.texts(in: folder), "note": note, "even_if_tests_fail": evenIfTestsFail,
      ]
      if let over { body["over"] = over }
      try RuleFolder.ask("POST", "", body, workspace, options, format, RuleFolder.applied)
    }
  }

  struct Rollback: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Make an earlier version of the running server's rules apply again, as a new version.")
    @Argument(help: "The version, as `throughline rules versions` lists it.") var version: UInt32
    @Flag(name: .long, help: "Queues, agents and all else stay as they are.") var rulesOnly = false
    @Option(name: .long, help: "Only where this version runs.") var over: UInt32?
    @Option(name: .long, help: "Why; kept with the version.") var note = ""
    @Option(name: .long, help: "The workspace, where there are several.") var workspace: String?
    @Option(name: .long) var format = ReportFormat.text
    @OptionGroup var options: SettingsOptions

    func run() throws {
      var body: [String: Any] = ["version": version, "note": note, "rules_only": rulesOnly]
      if let over { body["over"] = over }
      try RuleFolder.ask("POST", "/rollback", body, workspace, options, format, RuleFolder.applied)
    }
  }

  static func applied(_ json: [String: Any]) -> String? {
    let warnings = (json["warnings"] as? [String] ?? []).map { $0 + "\n\n" }.joined()
    return warnings + line(json)
      + (json["changed"] as? Bool == true ? "  applies" : "  applies already")
  }

  private static func line(_ version: [String: Any]) -> String {
    var line = "version \(version["version"] ?? "")"
    if let at = version["at"] { line += "  \(at)  by \(version["by"] ?? "")" }
    switch version["origin"] as? String {
    case "sent": line += ", sent"
    case "rollback": line += ", back to \(version["back_to"] ?? "")"
    default: line += ", from the folder"
    }
    guard let note = version["note"] as? String else { return line }
    // Whoever published it may have been a program: it says nothing to a terminal.
    return line + ": " + note.unicodeScalars.map { $0.isUnseen ? $0.asNumber : String($0) }.joined()
  }
}

struct Cel: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run conformance cases of the Common Expression Language, one JSON object a line.")
  @Argument(help: "Files of cases.") var files: [String]

  func run() throws {
    var passed = 0
    var failed = 0
    var isWhole = true
    for file in files {
      let text: [UInt8]
      do { text = try NamedFile.read(file, bytesMax: 64 << 20) } catch {
        // The others are run all the same, and the last line tells of them.
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        isWhole = false
        continue
      }
      let outcome = ConformanceFile.run(
        String(decoding: text, as: UTF8.self), zone: SystemZones.table)
      passed += outcome.passed
      failed += outcome.failures.count
      for failure in outcome.failures {
        print(
          "\(failure.name): \(failure.expression)\n  expected \(failure.expected)\n  got      \(failure.got)"
        )
      }
    }
    print("\(passed) passed, \(failed) failed")
    if failed > 0 || !isWhole { throw ExitCode(1) }
  }
}
