import Continuity
import Model
import Pipeline
import Records
import Routing
import Service
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
    /// What it is now; nil where that cannot be read.
    var left: [UInt8]?
    var by: String
    var reason: String
  }
  private var all: [Redacted] = []
  /// Entries that cannot be read: what they tell is not known.
  private(set) var unreadable = 0

  /// A damaged row is passed over: damage may be why somebody restores.
  init(in old: ReplacedFolder) {
    for workspace in old.workspaces {
      var told: [EntryID: Redacted] = [:]
      for number in stride(from: 1, through: Self.last(workspace.id, old), by: 1) {
        guard let row = read(EntryID(number), workspace.id, old), let body = row.body,
          EntryBody.kind(of: body) == .redacted, let teller = row.parsed,
          case .int(let of)? = teller["of"]
        else { continue }
        var redacted =
          told[EntryID(of)]
          ?? Redacted(
            workspace: workspace.name, entry: EntryID(of), hashes: [], left: nil, by: "", reason: ""
          )
        redacted.hashes.insert(teller["hash_before"]?.string ?? "")
        redacted.by = teller["by"]?.string ?? ""
        redacted.reason = teller["reason"]?.string ?? ""
        told[EntryID(of)] = redacted
      }
      for (entry, redacted) in told {
        var redacted = redacted
        do throws(StoreFault) {
          // One that was erased later has its receipt.
          guard let left = try old.entry(workspace.id, entry).body else { continue }
          redacted.left = left
        } catch {}  // Counted above; that words were taken out of it is known all the same.
        all.append(redacted)
      }
    }
    all.sort { ($0.workspace, $0.entry) < ($1.workspace, $1.entry) }
  }

  private static func last(_ workspace: WorkspaceID, _ old: ReplacedFolder) -> Int64 {
    do throws(StoreFault) { return try old.lastEntry(workspace).raw } catch { return 0 }
  }

  private mutating func read(
    _ id: EntryID, _ workspace: WorkspaceID, _ old: ReplacedFolder
  ) -> EntryRow? {
    do throws(StoreFault) { return try old.entry(workspace, id) } catch {
      unreadable += 1
      return nil
    }
  }

  /// Answers of how many entries something was taken out.
  func repeated(in store: SQLiteStore, at: Instant) throws(StoreFault) -> Int {
    if all.isEmpty { return 0 }
    let reads = try store.reader()
    var count = 0
    for workspace in try reads.workspaces() {
      var machine = try Pipeline(workspace.id, from: reads) { _ in NoRules() }
      var whole: [EntryID] = []
      for redacted in all where redacted.workspace == workspace.name {
        guard let row = try reads.entry(workspace.id, redacted.entry), let body = row.body,
          redacted.hashes.contains(Hex.encode(row.hash.bytes))
        else { continue }
        count += 1
        // What of it may stay cannot be told: then nothing does.
        guard let left = redacted.left else {
          whole.append(redacted.entry)
          continue
        }
        for words in Redaction.between(body, and: left) {
          try machine.submit(
            Request(
              .redact(
                RedactEntry(
                  redacted.entry, words: words, author: .system, by: redacted.by,
                  reason: redacted.reason))), at: at, reads: reads)
        }
      }
      if let commit = machine.gather() { try store.commit([commit]) }
      if !whole.isEmpty {
        _ = try store.forgetWords(of: whole, workspace.id, PersonForms.erased)
      }
    }
    try store.emptyLog()
    return count
  }

  /// Taking words out routes nothing.
  private struct NoRules: Planner {
    func plan(_ facts: RouteFacts, router: borrowing Router, at: Instant) -> Planned {
      .route(Need(queue: QueueID(0)), rule: 0, ruleVersion: 0, facts: [])
    }
    func text(_ number: UInt32, ruleVersion: UInt32, _ reads: any StoreReader) -> String? { nil }
    func prompt(ofQueue name: String) -> String? { nil }
    func handBack(ofQueue name: String) -> String? { nil }
    var asks: AskedFacts { AskedFacts() }
    var continuity: ContinuityRules { ContinuityRules() }
  }
}
