import ArgumentParser
import Expressions
import Foundation
import RuleFiles
import Rules

enum ReportFormat: String, ExpressibleByArgument { case text, json }

/// What an operations person asks of a rule folder, at a terminal or in a CI job: status 0 when all is well,
/// 1 when not.
struct RuleFolder: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Check, try and explain routing rules.",
    subcommands: [Check.self, Test.self, Explain.self, Facts.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Name every mistake in the rules of a folder.")
    @Argument(help: "A workspace's folder, such as routing-rules/demo.") var folders: [String]
    @Option(name: .long) var format = ReportFormat.text

    func run() throws {
      var isFine = true
      for folder in folders {
        let report = WorkspaceFolder.check(folder)
        print(format == .json ? report.json.text : report.text)
        isFine = isFine && report.passed
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
        print(format == .json ? report.json.text : report.text)
        isFine = isFine && report.passed
      }
      if !isFine { throw ExitCode(1) }
    }
  }

  struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say which rule takes a set of facts, and why each rule before it does not.")
    @Argument(help: "A workspace's folder.") var folder: String
    @Argument(
      help: "A file with facts, in YAML as under `given:` of a test, or in JSON; - for standard input.")
    var facts: String
    @Option(name: .long) var format = ReportFormat.text

    func run() throws {
      let loaded = WorkspaceFolder.load(folder)
      guard let workspace = loaded.workspace else {
        print(loaded.rendered)
        throw ExitCode(1)
      }
      let data =
        facts == "-"
        ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: facts)
      guard let data else { throw Unreadable(facts) }
      let read = FactsFile.read(String(decoding: data, as: UTF8.self), path: facts)
      for diagnostic in read.diagnostics { print(diagnostic.rendered) }
      guard let known = read.facts else { throw ExitCode(1) }
      let explanation = workspace.rules.explain(known)
      print(format == .json ? explanation.json.text : "\(explanation)")
    }
  }

  struct Facts: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the facts that a condition can speak of.")
    @Option(name: .long) var format = ReportFormat.text
    func run() { print(format == .json ? FactCatalogue.json.text : FactCatalogue.text) }
  }
}

struct Cel: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run conformance cases of the Common Expression Language, one JSON object a line.")
  @Argument(help: "Files of cases.") var files: [String]

  func run() throws {
    var passed = 0
    var failed = 0
    for file in files {
      guard let data = FileManager.default.contents(atPath: file) else { throw Unreadable(file) }
      let outcome = ConformanceFile.run(String(decoding: data, as: UTF8.self), zone: SystemZones.table)
      passed += outcome.passed
      failed += outcome.failures.count
      for failure in outcome.failures {
        print(
          "\(failure.name): \(failure.expression)\n  expected \(failure.expected)\n  got      \(failure.got)")
      }
    }
    print("\(passed) passed, \(failed) failed")
    if failed > 0 { throw ExitCode(1) }
  }
}
