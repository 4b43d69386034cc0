import Expressions
import Foundation
import Rules

/// Reads `routing-rules/<workspace>/` into a checked workspace, or says everything that is wrong
/// with it.
public enum WorkspaceFolder {
  public struct Loaded: Sendable {
    /// Nil when there are errors; warnings do not hinder.
    public var workspace: CheckedWorkspace?
    public var diagnostics: [RuleDiagnostic]
    public var tests: [RuleTest]
    /// The diagnostics as a person reads them, empty when there are none.
    public var rendered: String { diagnostics.map(\.rendered).joined(separator: "\n\n") }
    /// The same for whom the folder is refused: what it is refused for stands first.
    public var refusal: String {
      let errors = diagnostics.filter { $0.severity == .error }
      let others = diagnostics.filter { $0.severity != .error }
      return (errors + others).map(\.rendered).joined(separator: "\n\n")
    }
  }

  static let filesMax = 500

  /// - Parameter now: expands opening hours for the two years from then on.
  public static func load(_ folder: String, now: Date = Date()) -> Loaded {
    let url = URL(filePath: folder, directoryHint: .isDirectory)
    let findings = Findings()
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      isFolder.boolValue
    else {
      findings.add(
        wholeFile: folder, "there is no such folder",
        hint: "a workspace is a folder with workspace.yaml")
      return Loaded(workspace: nil, diagnostics: findings.all, tests: [])
    }
    return load(.folder(url), findings, now)
  }

  /// The same from texts by their paths, such as `rules/10-vip.yaml`.
  public static func load(files: [String: String], name: String, now: Date = Date()) -> Loaded {
    let findings = Findings()
    let bytes = files.values.reduce(0) { $0 + $1.utf8.count }
    guard bytes <= RuleSource.bytesMax, files.count <= RuleSource.filesMax else {
      findings.add(wholeFile: name, RuleSource.tooLarge)
      return Loaded(workspace: nil, diagnostics: findings.all, tests: [])
    }
    return load(.files(name: name, files), findings, now)
  }

  /// The same of texts that somebody sends: what was kept before may have been sent under any path.
  public static func load(
    sent files: [String: String], name: String, now: Date = Date()
  ) -> Loaded {
    var loaded = load(files: files, name: name, now: now)
    let findings = Findings()
    for path in files.keys.filter({ !RuleSource.isBelow($0) }).sorted() {
      findings.add(
        wholeFile: String(path.prefix(200)), "this is no path below the workspace",
        hint: "such as rules/10-vip.yaml")
    }
    guard findings.hasErrors else { return loaded }
    loaded.workspace = nil
    loaded.diagnostics = findings.all + loaded.diagnostics
    return loaded
  }

  private static func load(_ source: RuleSource, _ findings: Findings, _ now: Date) -> Loaded {
    let reader = WorkspaceReader(source: source, findings: findings, now: now)
    let workspace = reader.read()
    return Loaded(
      workspace: findings.hasErrors ? nil : workspace,
      diagnostics: findings.all.sorted(by: precedes) + findings.rest(of: source.name),
      tests: reader.tests)
  }

  /// Every workspace below a folder, by name.
  public static func names(in folder: String) -> [String] {
    let url = URL(filePath: folder, directoryHint: .isDirectory)
    let found = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return found.filter {
      FileManager.default.fileExists(
        atPath: url.appending(path: $0).appending(path: "workspace.yaml").path)
    }.sorted()
  }

  private static func precedes(_ a: RuleDiagnostic, _ b: RuleDiagnostic) -> Bool {
    (a.file, a.line, a.column) < (b.file, b.line, b.column)
  }
}

/// What the router takes of one workspace. What more there is to it, it finds itself when the rules
/// apply.
enum Most {
  static let devices = 16
  static let queues = 4_096
  static let skills = 4_096
  /// - Units: times that a queue's hours open in the days that they are spelt out for.
  static let openings = 4_096
}

/// What one reading has found so far.
final class WorkspaceReader {
  let source: RuleSource
  let findings: Findings
  let now: Date
  var skills: [SkillConfiguration] = [] { didSet { known.skills = nil } }
  var queues: [QueueConfiguration] = [] {
    didSet { (known.queues, known.queuesByName) = (nil, nil) }
  }
  var agents: [AgentConfiguration] = [] {
    didSet {
      (known.agents, known.teams, known.serving, known.agentsByName) = (nil, nil, nil, nil)
    }
  }
  var hours: [HoursConfiguration] = [] { didSet { known.hours = nil } }
  /// What an error was told of, by its name: lints let it be, and what rests on it, since nobody knows
  /// what else it would say.
  private(set) var misread: [Record: Set<String>] = [:]
  enum Record {
    case hours, skill, queue, agent, rule
    /// A rule's, also where some key could not be read that may have been `when`.
    case condition
  }
  var rules: [Rule] = [] { didSet { known.rules = nil } }
  var tests: [RuleTest] = []
  var testNames: Set<String> = []
  /// Tests that do not say when it is, and where they say which hours are open.
  var timeless: [(place: Section, hours: Section, test: RuleTest)] = []
  var places: [String: Section] = [:]
  /// Reads a record, or looks at it once more, and marks it where an error is told of it.
  func record<T>(_ kind: Record, _ name: String, _ read: () -> T) -> T {
    let before = findings.errorsCount
    defer { if findings.errorsCount > before { markMisread(kind, name) } }
    return read()
  }
  func markMisread(_ kind: Record, _ name: String) { misread[kind, default: []].insert(name) }
  func isMisread(_ kind: Record, _ name: String) -> Bool { misread[kind]?.contains(name) ?? false }
  /// Whether any of a kind is.
  func isMisread(_ kind: Record) -> Bool { misread[kind] != nil }
  /// Whose device each is that was named so far.
  var deviceHolders: [String: String] = [:]
  /// Where each rule's name stands first.
  var rulesNamed: [String: String] = [:]
  /// Where each rule's condition stands, by the rule's key.
  var conditions: [String: Section] = [:]
  /// Where each step of a rule stands, and its weight, by the rule's key.
  var stepPlaces: [String: [Section]] = [:]
  var weightPlaces: [String: Section] = [:]
  /// What patterns may still take, for all rules together.
  var patternsLeft = (
    classes: WorkspaceReader.patternClassesMax, size: WorkspaceReader.patternSizeMax
  )
  /// The conditions of all rules that could be read, and each rule's by its key.
  var judged = Conditions(Fact.premises)
  var judgedNumbers: [String: Int] = [:]
  /// What workspace.yaml says, as far as it could be read.
  var about = WorkspaceConfiguration(name: "")
  /// The queue of `bot_silence`: it is named before the queues are read.
  var silenceQueue: Section?
  private var version = ContentVersion()
  private var bytesLeft = RuleSource.bytesMax

  init(source: RuleSource, findings: Findings, now: Date) {
    self.source = source
    self.findings = findings
    self.now = now
  }

  /// What has been found out of queues, agents and the rest: asked at every reference, of which
  /// there are thousands, and found out once.
  private struct Known {
    var skills: Set<String>?
    var queues: Set<String>?
    var agents: Set<String>?
    var rules: Set<String>?
    var teams: Set<String>?
    var hours: Set<String>?
    var serving: [String: [AgentConfiguration]]?
    var agentsByName: [String: AgentConfiguration]?
    var queuesByName: [String: QueueConfiguration]?
  }
  private var known = Known()
  /// What those who serve a queue lack of some skills.
  var lackingKnown: [[String]: [String]] = [:]

  private func found<T>(_ place: WritableKeyPath<Known, T?>, _ make: () -> T) -> T {
    if let made = known[keyPath: place] { return made }
    let made = make()
    known[keyPath: place] = made
    return made
  }

  /// Files that are there but cannot be read: what they would name counts as known, so that one
  /// mistake is not told a hundred times.
  var unreadable: Set<String> = []
  private func names(
    _ place: WritableKeyPath<Known, Set<String>?>, in file: String, _ names: () -> [String]
  ) -> Set<String>? {
    unreadable.contains(file) ? nil : found(place) { Set(names()) }
  }
  var skillNames: Set<String>? { names(\.skills, in: "skills.yaml") { skills.map(\.name) } }
  var queueNames: Set<String>? { names(\.queues, in: "queues.yaml") { queues.map(\.name) } }
  var agentNames: Set<String>? { names(\.agents, in: "agents.yaml") { agents.map(\.name) } }
  /// Of rules that could be read; nil where some could not.
  var ruleNames: Set<String>? {
    unreadable.contains { $0.hasPrefix("rules/") } ? nil : found(\.rules) { Set(rules.map(\.name)) }
  }
  /// Nil, too, where an agent may be of a team that could not be read.
  var teamNames: Set<String>? {
    isMisread(.agent) ? nil : names(\.teams, in: "agents.yaml") { agents.flatMap(\.teams) }
  }
  var hoursNames: Set<String>? { names(\.hours, in: "hours.yaml") { hours.map(\.name) } }

  /// The agents who serve a queue.
  func serving(_ queue: String) -> [AgentConfiguration] {
    let all = found(\.serving) {
      var all: [String: [AgentConfiguration]] = [:]
      for agent in agents {
        for queue in Set(agent.queues) { all[queue, default: []].append(agent) }
      }
      return all
    }
    return all[queue] ?? []
  }
  func agent(_ name: String) -> AgentConfiguration? {
    found(\.agentsByName) {
      Dictionary(agents.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }[name]
  }
  func queue(_ name: String) -> QueueConfiguration? {
    found(\.queuesByName) {
      Dictionary(queues.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }[name]
  }

  func read() -> CheckedWorkspace? {
    checkNames()
    let workspace = section("workspace.yaml", isRequired: true).map(readWorkspace)
    if let workspace { about = workspace }
    if let section = section("hours.yaml", isRequired: false) { readHours(section) }
    if let section = section("skills.yaml", isRequired: false) { readSkills(section) }
    if let section = section("queues.yaml", isRequired: true) { readQueues(section) }
    _ = silenceQueue?.reference(queueNames, what: "queue")
    if let section = section("agents.yaml", isRequired: false) { readAgents(section) }
    for path in files(in: "rules") {
      if let section = section(path, isRequired: true) { readRules(section) }
    }
    checkOrder()
    for path in files(in: "tests") {
      if let section = section(path, isRequired: true) { readTests(section) }
    }
    lint()
    guard !findings.hasErrors, let workspace else { return nil }
    do {
      let set = try RuleSet(version: version.text, rules: rules, skills: skills, queues: queues)
      guard checkCost(set) else { return nil }
      lintTimes(set)
      return CheckedWorkspace(
        workspace: workspace, queues: queues, skills: skills, agents: agents, hours: hours,
        rules: set)
    } catch {
      findings.add(wholeFile: "rules", "the rules do not hold together: \(error)")
      return nil
    }
  }

  /// A case is routed while its workspace's others wait.
  private func checkCost(_ set: RuleSet) -> Bool {
    let cost = set.costMax
    guard cost > Self.costWarned else { return true }
    let isAllowed = cost <= Self.costMax
    findings.add(
      isAllowed ? .warning : .error, wholeFile: "rules",
      "to route one case these rules could take \(cost == .max ? "endless" : String(cost)) steps"
        + (isAllowed ? ", and nobody else is served meanwhile" : "; \(Self.costMax) are allowed"),
      hint:
        "let rules that go over lists begin with a fact that tells them apart, such as `conversation.intent == \"return\"`"
    )
    return isAllowed
  }
  static let costWarned = 1_000_000
  static let costMax = 10_000_000

  /// A misspelt file would silently count for nothing.
  private func checkNames() {
    let known = RuleSource.tops + ["rules", "tests"]
    for name in source.names()
    where !name.hasPrefix(".") && !known.contains(name) && name != "expected.txt"
      && name.lowercased() != "readme.md"
    {
      findings.add(
        .warning, wholeFile: name, "nothing reads this file",
        hint: "a workspace's folder holds \(known.joined(separator: ", "))")
    }
  }

  private func files(in name: String) -> [String] {
    let found = source.names(in: name)
    let yaml = found.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }
    guard yaml.count <= WorkspaceFolder.filesMax else {
      findings.add(wholeFile: name, "this folder holds more than \(WorkspaceFolder.filesMax) files")
      return []
    }
    for other in found where !other.hasSuffix(".yaml") && !other.hasPrefix(".") {
      findings.add(
        .warning, wholeFile: "\(name)/\(other)", "nothing reads this file",
        hint: "name it \(other.hasSuffix(".yml") ? String(other.dropLast(4)) : other).yaml")
    }
    return yaml.map { "\(name)/\($0)" }
  }

  private func section(_ path: String, isRequired: Bool) -> Section? {
    guard source.has(path) else {
      if isRequired {
        findings.add(wholeFile: path, "this file is missing")
        unreadable.insert(path)
      }
      return nil
    }
    guard let file = YamlFile.text(source, path, findings) else {
      unreadable.insert(path)
      return nil
    }
    let room = bytesLeft
    bytesLeft -= file.text.utf8.count
    if room >= 0, bytesLeft < 0 { findings.add(wholeFile: source.name, RuleSource.tooLarge) }
    guard bytesLeft >= 0 else {
      unreadable.insert(path)
      return nil
    }
    // Tests change nothing that is routed.
    if !path.hasPrefix("tests/") { version.add(path, file.text) }
    let before = findings.all.count
    guard let node = YamlFile.compose(file, findings) else {
      // Rules that somebody has put aside; a file without a letter was rather lost than meant.
      if path.hasPrefix("rules/"), findings.all.count == before, file.text.contains("#") {
        findings.add(.warning, wholeFile: path, "nothing stands in this file but comments")
        return nil
      }
      if isRequired, findings.all.count == before {
        findings.add(wholeFile: path, "this file is empty")
      }
      if isRequired || findings.all.count > before { unreadable.insert(path) }
      return nil
    }
    return Section(node: node, file: file, findings: findings)
  }
}

/// A name for this very content: 128 bits of FNV-1a. It tells versions apart; it proves nothing
/// against malice.
struct ContentVersion {
  private var high: UInt64 = 0xcbf2_9ce4_8422_2325
  private var low: UInt64 = 0x9ae1_6a3b_2f90_404f

  mutating func add(_ path: String, _ text: String) {
    for byte in path.utf8 { mix(byte) }
    mix(0)
    for byte in text.utf8 { mix(byte) }
    mix(0)
  }

  private mutating func mix(_ byte: UInt8) {
    high = (high ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    low = (low ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 &+ 0x9e37_79b9
  }

  var text: String {
    [high, low].map { part in
      let hex = String(part, radix: 16)
      return String(repeating: "0", count: 16 - hex.count) + hex
    }.joined()
  }
}
