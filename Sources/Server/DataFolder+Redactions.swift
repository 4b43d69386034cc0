import Continuity
import Model
import Pipeline
import Records
import Routing
import Store
import WebCodec
import Wire

/// What was taken out of entries since a backup is taken out again of what is restored from it.
struct RedactionsSince {
  private struct Redacted {
    var workspace: String
    var entry: EntryID
    /// Of all that it was before.
    var hashes: Set<String>
    var left: [UInt8]
    var by: String
    var reason: String
  }
  private var all: [Redacted] = []

  /// Of a folder that nobody holds.
  init(in folder: String) throws(StoreFault) {
    let store = try SQLiteStore(folder: folder)
    defer { store.close() }
    let reads = try store.reader()
    for workspace in try reads.workspaces() {
      var told: [EntryID: Redacted] = [:]
      for number in 1...max(1, try reads.head(workspace.id).entry.raw) {
        guard let row = Self.entry(EntryID(number), workspace.id, reads), let body = row.body,
          EntryBody.kind(of: body) == .redacted, let teller = row.parsed,
          case .int(let of)? = teller["of"]
        else { continue }
        var redacted =
          told[EntryID(of)]
          ?? Redacted(
            workspace: workspace.name, entry: EntryID(of), hashes: [], left: [], by: "", reason: "")
        redacted.hashes.insert(teller["hash_before"]?.string ?? "")
        redacted.by = teller["by"]?.string ?? ""
        redacted.reason = teller["reason"]?.string ?? ""
        told[EntryID(of)] = redacted
      }
      for (entry, redacted) in told {
        // One that was erased later has its receipt.
        guard let left = Self.entry(entry, workspace.id, reads)?.body else { continue }
        var redacted = redacted
        redacted.left = left
        all.append(redacted)
      }
    }
    all.sort { ($0.workspace, $0.entry) < ($1.workspace, $1.entry) }
  }

  /// A damaged row is passed over: damage may be why somebody restores.
  private static func entry(
    _ id: EntryID, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) -> EntryRow? {
    do throws(StoreFault) { return try reads.entry(workspace, id) } catch { return nil }
  }

  /// Answers of how many entries something was taken out.
  func repeated(in folder: String, at: Instant) throws(StoreFault) -> Int {
    if all.isEmpty { return 0 }
    let store = try SQLiteStore(folder: folder)
    defer { store.close() }
    let reads = try store.reader()
    var count = 0
    for workspace in try reads.workspaces() {
      var machine = try Pipeline(workspace.id, from: reads) { _ in NoRules() }
      for redacted in all where redacted.workspace == workspace.name {
        guard let row = try reads.entry(workspace.id, redacted.entry), let body = row.body,
          redacted.hashes.contains(Hex.encode(row.hash.bytes))
        else { continue }
        for words in Redaction.between(body, and: redacted.left) {
          try machine.submit(
            Request(
              .redact(
                RedactEntry(
                  redacted.entry, words: words, author: .system, by: redacted.by,
                  reason: redacted.reason))), at: at, reads: reads)
        }
        count += 1
      }
      guard let commit = machine.gather() else { continue }
      try store.commit([commit])
    }
    try store.emptyLog()
    return count
  }

  /// Taking words out routes nothing.
  private struct NoRules: Planner {
    func plan(_ facts: RouteFacts, router: borrowing Router, at: Instant) -> Planned {
      .route(Need(queue: QueueID(0)), rule: 0, ruleVersion: 0, facts: [])
    }
    func text(_ number: UInt32, ruleVersion: UInt32) -> String? { nil }
    func prompt(ofQueue name: String) -> String? { nil }
    func handBack(ofQueue name: String) -> String? { nil }
    var asks: AskedFacts { AskedFacts() }
    var continuity: ContinuityRules { ContinuityRules() }
  }
}
