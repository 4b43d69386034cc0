import Dispatch
import Foundation
import Model
import Pipeline
import Records
import Routing
import RuleFiles
import Rules
import Store
import System

/// The workspaces of a server: opened at its start, and read again on demand, all of them or none.
///
/// ```
/// every folder read and checked ──a fault anywhere──▶ refused: nothing changed
///       └──▶ one workspace after the other: configured, durable, published
///                         └── the store fails ──▶ cut short, and said so
/// ```
/// A new folder becomes a new workspace while the server runs. Everything that can be refused is
/// refused before
/// the first workspace is touched; only a store that fails can end a reload in the middle.
public final class Workspaces: Sendable {
  let edge: Edge
  /// As writers see it; tests put faults in between.
  private let store: any Store
  private let commits: CommitLoop
  /// One reload at a time, whoever asks for it.
  let turn = DispatchQueue(label: "rules")

  /// What a start or a reload did with one workspace.
  public struct Change: Sendable {
    public enum What: String, Sendable { case added, changed, unchanged }
    public var name: String
    public var what: What
    public var version: UInt32
    public var rules: Int
    public var agents: Int
    public var queues: Int
    /// What the folder is warned of, as a person reads it; mostly empty.
    public var warnings: String
    /// Which of the folder's own tests fail, which stands in `warnings`, too; nil where none does.
    public var failing: String?

    public init(
      name: String, what: What, version: UInt32, rules: Int, agents: Int, queues: Int,
      warnings: String, failing: String? = nil
    ) {
      self.name = name
      self.what = what
      self.version = version
      self.rules = rules
      self.agents = agents
      self.queues = queues
      self.warnings = warnings
      self.failing = failing
    }
  }

  public enum Reloaded: Sendable {
    case done([Change])
    /// Nothing changed; what is wrong, as a person reads it.
    case refused(String)
    /// The store failed in between: these apply, the others stay as they were.
    case cutShort(done: [Change], why: String)
  }

  init(_ edge: Edge, _ store: any Store, _ commits: CommitLoop) {
    self.edge = edge
    self.store = store
    self.commits = commits
  }

  // MARK: - Opening

  /// Opens what the rules folder has. Its writers decide nothing but their rules before they are
  /// told to start.
  func openAll() throws -> [Change] {
    let root = edge.settings.rules
    let names = WorkspaceFolder.names(in: root)
    guard !names.isEmpty else {
      throw ServerProcess.StartFault.sentence(
        "\(root) has no workspace: make a folder with a workspace.yaml in it, or name another with --rules"
      )
    }
    let (folders, faults) = Self.read(names, in: root, by: "start")
    let all =
      faults + Self.sharedAddresses(folders.map { ($0.name, $0.checked.workspace.mailAddresses) })
    if !all.isEmpty { throw ServerProcess.StartFault.sentence(all.joined(separator: "\n\n")) }
    let reader = try edge.store.reader()
    var known = try reader.workspaces()
    for gone in known where !names.contains(gone.name) {
      Log.note(
        "workspace \(gone.name) has data and no folder in \(root): nobody is served there, its mail is refused"
      )
    }
    var opened: [Change] = []
    for folder in folders {
      let row = try row(named: folder.name, &known)
      do { opened.append(try open(folder, row, reader)) } catch StoreFault.corrupt(let what) {
        leave(folder, row, unserved: what, reader)
      }
    }
    if opened.isEmpty {
      throw ServerProcess.StartFault.sentence(
        edge.health.now.unserved.values.sorted().joined(separator: "\n"))
    }
    return opened
  }

  private func open(
    _ folder: RuleFolderState, _ row: WorkspaceRow, _ reader: any StoreReader
  ) throws -> Change {
    let last = try reader.ruleVersion(row.id)
    let (folder, isSame) = try wanted(folder, last, .now)
    let version = isSame ? last?.number ?? 1 : (last?.number ?? 0) + 1
    let writer = try makeWriter(row, folder.checked, version)
    edge.add(writer)
    // It serves nobody to stay away for that; putting the queue or the agent back brings the
    // cases back.
    for fault in Self.stranded(by: folder.checked, writer) {
      Log.fault("opening workspace \(folder.name)", fault)
    }
    if !isSame, install(folder, version, writer) == nil {
      throw ServerProcess.StartFault.sentence(
        "the rules of the workspace \(folder.name) could not be applied")
    }
    try publish(writer, folder.checked, version, reader)
    return folder.change(isSame ? .unchanged : last == nil ? .added : .changed, version)
  }

  private static func read(
    _ names: [String], in root: String, by who: String
  ) -> (folders: [RuleFolderState], faults: [String]) {
    var folders: [RuleFolderState] = []
    var faults: [String] = []
    for name in names {
      switch RuleFolderState.read(name, in: root, by: who) {
      case .success(let folder): folders.append(folder)
      case .failure(let found): faults.append(found.text)
      }
    }
    return (folders, faults)
  }

  private func row(named name: String, _ known: inout [WorkspaceRow]) throws -> WorkspaceRow {
    if let found = known.first(where: { $0.name == name }) { return found }
    let made = try edge.store.addWorkspace(named: name)
    known.append(made)
    return made
  }

  private func makeWriter(
    _ row: WorkspaceRow, _ checked: CheckedWorkspace, _ version: UInt32
  ) throws -> Writer {
    let (edge, store) = (edge, store)
    let planner = planner(checked, version, of: row.id, row.name)
    edge.add(planner, for: row.id)
    return try Writer(workspace: row, commits: commits, outlet: edge.hub) { () throws(StoreFault) in
      let reads = try store.reader()
      let pipeline = try Pipeline(row.id, from: reads) {
        edge.planner(of: row.id, version: $0) ?? planner
      }
      return (pipeline, ConfinedReader(reads))
    }
  }

  private func install(
    _ folder: RuleFolderState, _ version: UInt32, _ writer: Writer, under key: Idempotency? = nil
  ) -> Int64? {
    let configure = Intake.configure(
      RoutingConfiguration(folder.checked, version: version), encoded: folder.kept.encoded)
    return writer.decide(
      Request(configure, idempotency: key),
      using: planner(folder.checked, version, of: writer.workspace, writer.name))
  }

  private func planner(
    _ checked: CheckedWorkspace, _ version: UInt32, of id: WorkspaceID, _ name: String
  ) -> RulePlanner {
    RulePlanner(checked, version: version, after: edge.earlierRules(of: id, name))
  }

  /// Hours are spelt out for two years when a version is made: within one, the same rules apply
  /// anew.
  private static let lifetime = Duration64.seconds(365 * 86_400)

  /// Whether a workspace's rules must apply anew, though nobody has changed them.
  func hasAged(at now: Instant) throws(StoreFault) -> Bool {
    let reader = try edge.store.reader()
    for writer in edge.writers {
      if let last = try reader.ruleVersion(writer.workspace), now - last.at >= Self.lifetime {
        return true
      }
    }
    return false
  }

  /// What should apply: the folder; or what was sent since, while the folder is as it was when it
  /// was last applied, or as what was sent.
  private func wanted(
    _ folder: RuleFolderState, _ last: RuleVersion?, _ now: Instant
  ) throws -> (folder: RuleFolderState, isSame: Bool) {
    guard var last,
      last.folder == folder.kept.folder
        || last.files.map(RuleFolderState.fingerprint) == folder.kept.folder
    else { return (folder, false) }
    let isSame = now - last.at < Self.lifetime
    guard last.origin != .folder, let loaded = last.load(folder.name) else {
      return (folder, isSame)
    }
    guard let checked = loaded.workspace else {
      throw ServerProcess.StartFault.sentence(
        "the workspace \(folder.name): version \(last.number), which \(last.by) published, is no longer in order; "
          + "change something in its folder to use that instead:\n\(loaded.rendered)")
    }
    if !isSame { last.at = now }
    return (
      RuleFolderState(name: folder.name, checked: checked, kept: last, warnings: loaded.rendered),
      isSame
    )
  }

  // MARK: - Reloading

  /// Reads all rule folders and certificates again. `then` hears what came of it, on a thread of
  /// its own, once it is durable.
  func reload(
    by who: String, at now: Instant = .now, _ then: @escaping @Sendable (Reloaded) -> Void
  ) {
    turn.async { then(self.reload(by: who, at: now)) }
  }

  private func reload(by who: String, at now: Instant) -> Reloaded {
    let outcome = readAndApply(by: who, at: now)
    switch outcome {
    case .done(let changes): Self.tell(changes)
    case .refused(let faults):
      Log.fault("reading the rules again, so that the running ones stay", faults)
    case .cutShort(let done, let why):
      Self.tell(done)
      Log.fault("applying the rules", why)
    }
    return outcome
  }

  /// What was asked for applies, tests or no tests; but whoever asked by a signal reads the log only.
  private static func tell(_ changes: [Change]) {
    for change in changes where change.what != .unchanged {
      Log.note(change.sentence)
      if let failing = change.failing {
        Log.fault("trying the tests of the workspace \(change.name)", failing)
      }
    }
  }

  private func readAndApply(by who: String, at now: Instant) -> Reloaded {
    let root = edge.settings.rules
    let running = edge.writers
    let names = WorkspaceFolder.names(in: root)
    var (folders, faults) = Self.read(names, in: root, by: who)
    for writer in running where !names.contains(writer.name) {
      faults.append(
        "the workspace \(writer.name) runs and has no folder with a workspace.yaml in \(root) any more: "
          + "put it back, or restart the server to go on without it")
    }
    for writer in running {
      if let outage = writer.outage {
        faults.append("the workspace \(writer.name) is not in service just now: \(outage)")
      }
    }
    faults += Self.sharedAddresses(folders.map { ($0.name, $0.checked.workspace.mailAddresses) })
    for writer in running where writer.outage == nil {
      guard let folder = folders.first(where: { $0.name == writer.name }) else { continue }
      do { faults += try strandedCases(folder, writer, now) } catch {
        faults.append("the workspace \(writer.name): \(error)")
      }
    }
    // New certificates are shown whatever the rules are like; a fault in them is told together with
    // all others.
    if let fault = edge.encryption?.reload() { faults.append(fault) }
    if !faults.isEmpty { return .refused(faults.joined(separator: "\n\n")) }
    var done: [Change] = []
    // What could not be read at the start waits for a restore, and so for another start.
    for folder in folders where edge.unserved(named: folder.name) == nil {
      do { done.append(try apply(folder, running.first { $0.name == folder.name }, now)) } catch {
        return .cutShort(done: done, why: "the workspace \(folder.name): \(error)")
      }
    }
    return .done(done)
  }

  private func strandedCases(_ folder: RuleFolderState, _ writer: Writer, _ now: Instant) throws
    -> [String]
  {
    let (wanted, isSame) = try wanted(
      folder, try edge.store.reader().ruleVersion(writer.workspace), now)
    return isSame
      ? [] : Self.stranded(by: wanted.checked, writer).map { "the workspace \(writer.name): \($0)" }
  }

  private func apply(_ folder: RuleFolderState, _ running: Writer?, _ now: Instant) throws -> Change
  {
    let reader = try edge.store.reader()
    guard let running else { return try addWhileRunning(folder, reader, now) }
    let last = try reader.ruleVersion(running.workspace)
    let version = last?.number ?? 0
    let (folder, isSame) = try wanted(folder, last, now)
    if isSame {
      if edge.api(running.workspace)?.directory.ruleVersion == version {
        return folder.change(.unchanged, version)
      }
      // An earlier reload was cut short after its rules had reached the disk.
      try publish(running, folder.checked, version, reader)
      return folder.change(.changed, version)
    }
    try change(running, to: folder, version + 1, reader)
    _ = tellOfUntakable(running)
    return folder.change(.changed, version + 1)
  }

  /// One running workspace gets other rules: planner, machine and names, once that is durable.
  func change(
    _ writer: Writer, to folder: RuleFolderState, _ version: UInt32, _ reader: any StoreReader,
    under key: Idempotency? = nil
  ) throws {
    edge.add(
      planner(folder.checked, version, of: writer.workspace, writer.name), for: writer.workspace)
    try settle(folder, version, writer, under: key)
    edge.forgetPlanners(of: writer.workspace, before: version)
    try publish(writer, folder.checked, version, reader)
  }

  private func addWhileRunning(
    _ folder: RuleFolderState, _ reader: any StoreReader, _ now: Instant
  ) throws -> Change {
    var known = try reader.workspaces()
    let row = try row(named: folder.name, &known)
    let last = try reader.ruleVersion(row.id)
    let (folder, isSame) = try wanted(folder, last, now)
    let version = isSame ? last?.number ?? 1 : (last?.number ?? 0) + 1
    let writer = try makeWriter(row, folder.checked, version)
    if !isSame { try settle(folder, version, writer) }
    // Before anybody can take a seat, which the start would empty again.
    writer.submit([Request(.start)])
    edge.add(writer)
    try publish(writer, folder.checked, version, reader)
    edge.hub.wakeOutbox(writer.workspace)
    return folder.change(.added, version)
  }

  /// Applies the rules and waits until that is durable: what could still be lost is not told to
  /// anybody.
  private func settle(
    _ folder: RuleFolderState, _ version: UInt32, _ writer: Writer, under key: Idempotency? = nil
  ) throws {
    try settle(writer) { install(folder, version, writer, under: key) }
    guard writer.peek({ $0.router.configurationVersion == version }) else { throw Self.lost }
  }

  private static var lost: ServerProcess.StartFault {
    .sentence("the store failed before it was on disk")
  }

  /// Waits until what was decided is durable. `decide` answers its position; nil when it was not
  /// taken.
  func settle(_ writer: Writer, _ decide: () -> Int64?) throws {
    guard let position = decide() else {
      throw ServerProcess.StartFault.sentence(
        writer.outage ?? "it has too much to do just now; try again")
    }
    while true {
      let (head, durable) = writer.peek { ($0.head.position, $0.durable) }
      if let outage = writer.outage { throw ServerProcess.StartFault.sentence(outage) }
      if head < position { throw Self.lost }
      if durable >= position { return }
      Thread.sleep(forTimeInterval: 0.002)
    }
  }
}

extension Workspaces.Change {
  public var sentence: String {
    let counts = "\(rules) rules, \(queues) queues, \(agents) agents"
    return switch what {
    case .added: "workspace \(name): new, version \(version) applies: \(counts)"
    case .changed: "workspace \(name): version \(version) applies: \(counts)"
    case .unchanged: "workspace \(name): unchanged, version \(version): \(counts)"
    }
  }
}
