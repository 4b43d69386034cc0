import Expressions
import Rules

/// What `rules check` says about a folder.
public struct CheckReport: Sendable {
  public var folder: String
  public var diagnostics: [RuleDiagnostic]
  /// The version of the rules; nil when there are errors.
  public var version: String?
  public var rulesCount: Int

  public var errors: Int { diagnostics.count { $0.severity == .error } }
  public var warnings: Int { diagnostics.count { $0.severity == .warning } }
  /// For the exit status: warnings do not fail.
  public var passed: Bool { errors == 0 }

  public var text: String { text() }

  /// - Parameter isOneOfSeveral: each mistake then says in which folder it stands.
  public func text(isOneOfSeveral: Bool = false) -> String {
    let summary =
      passed
      ? "\(folder): \(rulesCount) rules, version \(version?.prefix(12) ?? ""), \(Self.count(warnings, "warning"))"
      : "\(folder): \(Self.count(errors, "error")), \(Self.count(warnings, "warning"))"
    let told = diagnostics.map { isOneOfSeveral ? $0.inside(folder).rendered : $0.rendered }
    return (told + [summary]).joined(separator: "\n\n")
  }

  private static func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
  }

  public var json: JsonText {
    .object([
      ("folder", .string(folder)), ("passed", .bool(passed)),
      ("version", version.map(JsonText.string) ?? .null), ("rules", .int(rulesCount)),
      ("errors", .int(errors)), ("warnings", .int(warnings)),
      ("diagnostics", .array(diagnostics.map(\.json))),
    ])
  }
}

extension RuleDiagnostic {
  /// The same, placed from outside the folder.
  func inside(_ folder: String) -> RuleDiagnostic {
    var placed = self
    if file != folder { placed.file = folder.hasSuffix("/") ? folder + file : "\(folder)/\(file)" }
    return placed
  }

  public var json: JsonText {
    .object([
      ("severity", .string(severity.rawValue)), ("file", .string(file)), ("line", .int(line)),
      ("column", .int(column)), ("length", .int(length)), ("message", .string(message)),
      ("hint", hint.map(JsonText.string) ?? .null),
      ("source", line > 0 ? .string(source) : .null),
    ])
  }
}

/// What `rules test` says: first whether the rules can be read, then what came of each test.
public struct TestReport: Sendable {
  public var check: CheckReport
  public var outcomes: [TestOutcome]

  public var failed: Int { outcomes.count { !$0.passed } }
  public var passed: Bool { check.passed && failed == 0 }

  public var text: String { text() }

  /// - Parameter isOneOfSeveral: each place then says in which folder it is.
  public func text(isOneOfSeveral: Bool = false) -> String {
    guard check.passed else { return check.text(isOneOfSeveral: isOneOfSeveral) }
    let told = outcomes.map { outcome in
      var outcome = outcome
      if isOneOfSeveral { outcome.place = "\(check.folder)/\(outcome.place)" }
      return outcome.description
    }
    let name = isOneOfSeveral ? "\(check.folder): " : ""
    return (told + ["\(name)\(outcomes.count - failed) passed, \(failed) failed"])
      .joined(separator: "\n")
  }

  public var json: JsonText {
    .object([
      ("passed", .bool(passed)), ("check", check.json),
      (
        "tests",
        .array(
          outcomes.map { outcome in
            .object([
              ("name", .string(outcome.name)), ("place", .string(outcome.place)),
              ("passed", .bool(outcome.passed)),
              (
                "failures",
                .array(
                  outcome.failures.map { failure in
                    .object([
                      ("key", .string(failure.key)), ("expected", .string(failure.expected)),
                      ("actual", .string(failure.actual)),
                    ])
                  })
              ),
              ("explanation", outcome.explanation?.json ?? .null),
            ])
          })
      ),
    ])
  }
}

extension WorkspaceFolder {
  public static func check(_ folder: String) -> CheckReport { report(load(folder), folder) }

  public static func test(_ folder: String) -> TestReport { test(load(folder), named: folder) }

  public static func test(_ loaded: Loaded, named folder: String) -> TestReport {
    let outcomes = loaded.workspace.map { run(loaded.tests, against: $0.rules) } ?? []
    return TestReport(check: report(loaded, folder), outcomes: outcomes)
  }

  private static func report(_ loaded: Loaded, _ folder: String) -> CheckReport {
    CheckReport(
      folder: folder, diagnostics: loaded.diagnostics, version: loaded.workspace?.rules.version,
      rulesCount: loaded.workspace?.rules.rules.count ?? 0)
  }
}

extension Explanation {
  public var json: JsonText {
    .object([
      ("version", .string(decision.version)), ("rule", .string(decision.rule)),
      ("undecided", .bool(isUndecided)),
      ("passed_on", .array(decision.passedOn.map(JsonText.string))),
      ("outcome", .array(decision.outcome.lines.map(JsonText.string))),
      (
        "trials",
        .array(
          trials.map { trial in
            .object([
              ("rule", .string(trial.rule)), ("place", .string(trial.place)),
              ("matched", .bool(trial.matched)),
              ("needs", .array(trial.needs.map(JsonText.string))),
              (
                "reasons",
                .array(
                  trial.reasons.map { reason in
                    .object([
                      ("expression", .string(reason.expression)),
                      ("outcome", .string(reason.outcome)),
                      (
                        "values",
                        .array(
                          reason.values.map {
                            .object([
                              ("expression", .string($0.expression)), ("value", .string($0.value)),
                            ])
                          })
                      ),
                    ])
                  })
              ),
            ])
          })
      ),
    ])
  }
}

/// What `rules facts` prints: every fact, from its declaration.
public enum FactCatalogue {
  public static var text: String {
    let width = Fact.allCases.map(\.name.utf8.count).max() ?? 0
    return Fact.allCases.map { fact in
      let declaration = fact.declaration
      let pad = String(repeating: " ", count: width - declaration.name.utf8.count)
      let channels =
        declaration.channels.isEmpty
        ? "" : " (\(declaration.channels.joined(separator: ", ")) only)"
      return "\(declaration.name)\(pad)  \(declaration.type)\(channels)\n    \(declaration.text)"
    }.joined(separator: "\n")
  }

  /// The same as a table for docs/rules.md.
  public static var markdown: String {
    let rows = Fact.allCases.map { fact in
      let declaration = fact.declaration
      let channels =
        declaration.channels.isEmpty ? "all" : declaration.channels.joined(separator: ", ")
      return "| `\(declaration.name)` | \(declaration.type) | \(channels) | \(declaration.text) |"
    }
    return (["| fact | type | channels | what it is |", "|---|---|---|---|"] + rows).joined(
      separator: "\n")
  }

  public static var json: JsonText {
    .array(
      Fact.allCases.map { fact in
        let declaration = fact.declaration
        return .object([
          ("name", .string(declaration.name)), ("type", .string("\(declaration.type)")),
          ("channels", .array(declaration.channels.map(JsonText.string))),
          ("text", .string(declaration.text)),
        ])
      })
  }
}
