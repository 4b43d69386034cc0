import Foundation
import Model
import Pipeline
import Records
import RuleFiles
import Rules
import Service
import System
import WebCodec
import Wire

/// Rules of a running workspace: shown, tried on facts, published, rolled back.
///
/// ```
/// sent ──checked──▶ refused: every mistake at once; what runs stays
///   └──tested──▶ refused, unless asked for even so
///        └──▶ kept with who and when ──durable──▶ applies to the next case; an earlier version may
///        follow as a new one
/// ```
extension Workspaces {
  /// Answers on the queue on which rules change, so that what is shown and what changes stand in
  /// one order.
  func answer(
    _ request: RulesRequest, _ key: Idempotency?, _ writer: Writer, by who: String,
    _ reply: @escaping @Sendable (APIResponse) -> Void
  ) {
    turn.async {
      do {
        let reader = try self.edge.store.reader()
        switch try self.asked(key, writer, reader) {
        case .anew: reply(try self.answer(request, key, writer, by: who, reader))
        case .again: reply(try self.answer(request, nil, writer, by: who, reader))
        case .answered(let first): reply(first)
        }
      } catch let problem as APIProblem {
        reply(APIResponse(problem))
      } catch let fault as StoreFault {
        self.edge.health.tell("answering about rules", fault)
        reply(APIResponse(APIProblem(fault)))
      } catch {
        reply(APIResponse(APIProblem(503, "unavailable", "Not applied", "\(error)")))
      }
    }
  }

  private func answer(
    _ request: RulesRequest, _ key: Idempotency?, _ writer: Writer, by who: String,
    _ reader: any StoreReader
  ) throws -> APIResponse {
    switch request {
    case .check, .explain: try keep(.done, under: key, writer)
    case .show, .publish, .rollback: break
    }
    switch request {
    case .show(nil): return try RulePages.overview(writer, edge.checked(writer.workspace), reader)
    case .show(let number?): return RulePages.version(try version(number, writer, reader))
    case .check(let files):
      return RulePages.check(
        try loaded(files, writer, reader), files == nil ? "what runs" : "what was sent", writer.name
      )
    case .explain(let asked): return try explain(asked, writer, by: who, reader)
    case .publish(let files, let note, let anyway, let over):
      let loaded = WorkspaceFolder.load(sent: files, name: writer.name)
      if !anyway, let refused = RulePages.refusal(byTests: loaded) { return refused }
      return try publish(loaded, files, .sent, by: who, note, nil, over: over, key, writer, reader)
    case .rollback(let number, let note, let rulesOnly, let over):
      guard var files = try version(number, writer, reader).files else {
        throw Self.notKept(number)
      }
      var note = note
      if rulesOnly { note = note.isEmpty ? "rules only" : "rules only: \(note)" }
      if rulesOnly, let running = try reader.ruleVersion(writer.workspace)?.files {
        files = files.filter { Self.isRule($0.key) }
          .merging(running.filter { !Self.isRule($0.key) }) { _, running in running }
      }
      let loaded = WorkspaceFolder.load(files: files, name: writer.name)
      return try publish(
        loaded, files, .rollback, by: who, note, number, over: over, key, writer, reader)
    }
  }

  /// Whether a file says where cases go, and not who is there.
  private static func isRule(_ path: String) -> Bool {
    path.hasPrefix("rules/") || path.hasPrefix("tests/")
  }

  // MARK: - Asked again

  private enum Asked {
    case anew
    /// The same question: it is answered anew, since rules may have changed, and nothing happens
    /// twice.
    case again
    /// What was published under the key, as it was answered then; or that the key is another
    /// request's.
    case answered(APIResponse)
  }

  private func asked(_ key: Idempotency?, _ writer: Writer, _ reader: any StoreReader) throws
    -> Asked
  {
    guard let key, let known = try reader.outcome(writer.workspace, key: key.key) else {
      return .anew
    }
    guard known.bodyHash == key.bodyHash else { return .answered(APIResponse(.keyReused)) }
    let answer: Answer
    do throws(WireError) { answer = try Answer(decoding: known.answer) } catch {
      throw StoreFault.corrupt(what: "an idempotency outcome")
    }
    switch answer {
    case .done: return .again
    case .rulesPublished(let number, let isNew):
      let version = try version(number, writer, reader)
      return .answered(
        RulePages.published(
          version, isNew: isNew, warnings: version.load(writer.name)?.diagnostics ?? []))
    default: return .answered(APIResponse(answer))
    }
  }

  private func keep(_ answer: Answer, under key: Idempotency?, _ writer: Writer) throws {
    guard let key else { return }
    try settle(writer) { writer.decide(Request(.outcome(answer), idempotency: key)) }
  }

  // MARK: - Changing

  private func publish(
    _ loaded: WorkspaceFolder.Loaded, _ files: [String: String], _ origin: RuleVersion.Origin,
    by who: String,
    _ note: String, _ earlier: UInt32?, over expected: UInt32?, _ key: Idempotency?,
    _ writer: Writer, _ reader: any StoreReader
  ) throws -> APIResponse {
    guard let checked = loaded.workspace else { return RulePages.refusal(loaded) }
    if let fault = RuleFolderState.fault(checked) {
      throw APIProblem(422, "rules-refused", "Rules refused; the running ones stay", fault)
    }
    let stranded = Self.stranded(by: checked, writer)
    let others = edge.mailAddresses.filter { $0.name != writer.name }
    var conflicts =
      Self.sharedAddresses(others + [(writer.name, checked.workspace.mailAddresses)]) + stranded
    if origin == .rollback, !stranded.isEmpty {
      conflicts.append(
        "to go back at once, go back with the rules only: queues and agents stay as they are (rules_only, or --rules-only)"
      )
    }
    if !conflicts.isEmpty {
      throw APIProblem(
        409, "rules-refused", "Rules refused; the running ones stay",
        conflicts.joined(separator: "\n"))
    }
    if let outage = writer.outage { throw ServerProcess.StartFault.sentence(outage) }
    let last = try reader.ruleVersion(writer.workspace)
    if let last, last.files == files,
      edge.api(writer.workspace)?.directory.ruleVersion == last.number
    {
      try keep(.rulesPublished(version: last.number, isNew: false), under: key, writer)
      return RulePages.published(last, isNew: false, warnings: loaded.diagnostics)
    }
    if let expected, let last, last.number != expected { throw Self.another(last, expected) }
    let number = (last?.number ?? 0) + 1
    let kept = RuleVersion(
      number: number, folder: applied(writer.name, last, files), origin: origin, by: who,
      at: Instant.now, note: note, earlier: earlier, files: files)
    let state = RuleFolderState(
      name: writer.name, checked: checked, kept: kept, warnings: loaded.rendered)
    try change(writer, to: state, number, reader, under: key)
    Log.note("workspace \(writer.name): version \(number) applies, published by \(who)")
    return RulePages.published(
      kept, isNew: true, warnings: loaded.diagnostics, waiting: tellOfUntakable(writer))
  }

  /// Two who change the rules at once: the second has not seen what the first did.
  private static func another(_ running: RuleVersion, _ expected: UInt32) -> APIProblem {
    APIProblem(
      409, "another-version-runs", "Rules refused; the running ones stay",
      "version \(running.number) runs, published by \(running.by) at \(running.at), and not \(expected): look at what changed first",
      field: "over")
  }

  /// The folder as it applied last. Edits of it that were never loaded are none that what is sent
  /// replaces: the next reload applies them.
  private func applied(_ workspace: String, _ last: RuleVersion?, _ files: [String: String])
    -> [UInt8]
  {
    let disk = RuleFolderState.fingerprint(
      RuleSource.texts(in: "\(edge.settings.rules)/\(workspace)"))
    guard let last else { return disk }
    // What was sent from the folder was loaded by that.
    let sent = [files, last.files ?? [:]].map(RuleFolderState.fingerprint)
    if sent.contains(disk) || last.folder == disk { return disk }
    Log.note(
      "the folder of the workspace \(workspace) has changes that were never loaded: the next reload or start applies them"
    )
    return last.folder
  }

  // MARK: - Trying

  private func explain(
    _ asked: ExplainRules, _ writer: Writer, by who: String, _ reader: any StoreReader
  ) throws -> APIResponse {
    var past: RulePages.PastCase?
    let text: String
    switch asked.subject {
    case .facts(let json): text = String(decoding: json, as: UTF8.self)
    case .aCase(let id):
      guard let row = try reader.aCase(writer.workspace, id),
        let about = CaseView.decoded(row.about)
      else {
        throw APIProblem.notFound("case")
      }
      // A case that no rule routed, such as one that was parted from another, has empty ones.
      guard let facts = try reader.facts(writer.workspace, of: id), facts.bytes.count > 2 else {
        throw APIProblem(
          404, "facts-gone", "Nothing to explain from",
          "the facts that \(id) was routed by are not kept: a transfer has none, and erasing a person, or their age (`retention`), takes theirs"
        )
      }
      let names = try edge.api(writer.workspace)?.ruleNames(about.ruleVersion, reader) ?? []
      let rule = about.rule.flatMap { names.indices.contains(Int($0)) ? names[Int($0)] : nil }
      past = .init(id: id, version: about.ruleVersion, rule: rule)
      text = String(decoding: facts.bytes, as: UTF8.self)
      if let api = edge.api(writer.workspace) {
        api.record(.explanation, by: who, of: try api.customers(of: row, reader))
      }
    }
    let read = FactsFile.read(text, path: "facts")
    guard var facts = read.facts else {
      throw APIProblem(
        422, "wrong-value", "The facts cannot be read",
        read.diagnostics.map(\.rendered).joined(separator: "\n\n"), field: "facts")
    }
    let open = try asked.unknown.map { name in
      guard let fact = Fact.allCases.first(where: { $0.name == name }) else {
        throw APIProblem(
          422, "wrong-value", "No such fact", "there is no fact \"\(name)\"", field: "unknown")
      }
      return fact
    }
    past?.gaps = read.gaps
    past?.isAskedOtherwise = !asked.unknown.isEmpty
    let (checked, number) = try rules(asked, past?.version, writer, reader)
    // Before what follows from facts is added: of these nothing does.
    for fact in open { facts.setUnknown(fact) }
    var warnings: [RuleDiagnostic] = []
    if past != nil {
      facts.openByChannel()
      facts.setUnknown(checked.hours.map(\.name), of: .hours)
      facts.setUnknown(checked.queues.map(\.name), of: .queues)
    } else {
      // What a past case had is no mistake of whoever asks.
      warnings = WorkspaceFolder.strangers(in: facts, of: checked, path: "facts")
      warnings += WorkspaceFolder.complete(&facts, of: checked, path: "facts")
    }
    return RulePages.explanation(
      checked.rules.explain(facts), of: past, by: number, warnings: warnings)
  }

  /// The rules to try facts on: those that were sent, a version, the one that routed the case, or
  /// those that run.
  private func rules(
    _ asked: ExplainRules, _ routedBy: UInt32?, _ writer: Writer, _ reader: any StoreReader
  ) throws -> (checked: CheckedWorkspace, number: UInt32?) {
    if let files = asked.files {
      let loaded = WorkspaceFolder.load(sent: files, name: writer.name)
      guard let checked = loaded.workspace else {
        throw APIProblem(
          422, "rules-refused", "The rules are not in order", loaded.refusal, field: "files")
      }
      return (checked, nil)
    }
    if let number = asked.version ?? routedBy,
      number != edge.api(writer.workspace)?.directory.ruleVersion
    {
      let version = try version(number, writer, reader)
      guard let loaded = version.load(writer.name) else { throw Self.notKept(number) }
      guard let checked = loaded.workspace else {
        throw APIProblem(409, "rules-refused", "The rules are no longer in order", loaded.refusal)
      }
      return (checked, number)
    }
    guard let running = edge.checked(writer.workspace) else { throw APIProblem.unavailable }
    return (running, edge.api(writer.workspace)?.directory.ruleVersion)
  }

  private func version(_ number: UInt32, _ writer: Writer, _ reader: any StoreReader) throws
    -> RuleVersion
  {
    guard let found = try reader.ruleVersion(writer.workspace, number) else {
      throw APIProblem(
        404, "not-found", "Not found", "there is no version \(number) of these rules")
    }
    return found
  }

  private static func notKept(_ number: UInt32) -> APIProblem {
    APIProblem(
      409, "version-not-kept", "Version not kept",
      "an older program published version \(number) and kept only its fingerprint, not its files")
  }

  private func loaded(
    _ files: [String: String]?, _ writer: Writer, _ reader: any StoreReader
  ) throws -> WorkspaceFolder.Loaded {
    if let files { return WorkspaceFolder.load(sent: files, name: writer.name) }
    if let running = try reader.ruleVersion(writer.workspace)?.load(writer.name) { return running }
    return WorkspaceFolder.load("\(edge.settings.rules)/\(writer.name)")
  }
}
