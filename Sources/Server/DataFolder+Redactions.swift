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
    /// Of all that it was before, in this folder.
    var hashes: Set<String> = []
    /// Whose it is, and where it was said: as it stands with the entry that tells of it.
    var customer: CustomerID
    var conversation: ConversationID?
    /// What it is now; nil where that cannot be read.
    var left: EntryRow?
    var by = ""
    var reason = ""

    /// Whether this is the entry that a restored row is. Its hash alone does not tell: this folder may
    /// have come from an older backup itself, and had words taken out of the entry anew, so that it
    /// never had the hash which the entry got when that was done first. Nor does its number alone:
    /// what was said after that backup has other entries' numbers here.
    func isSame(as row: EntryRow) -> Bool {
      if hashes.contains(Hex.encode(row.hash.bytes)) { return true }
      guard row.customer == customer, row.conversation == conversation else { return false }
      // Where it cannot be told more exactly, more goes rather than less.
      return left.map { $0.at == row.at && $0.session == row.session } ?? true
    }
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
            workspace: workspace.name, entry: EntryID(of), customer: row.customer,
            conversation: row.conversation)
        redacted.hashes.insert(teller["hash_before"]?.string ?? "")
        redacted.by = teller["by"]?.string ?? ""
        redacted.reason = teller["reason"]?.string ?? ""
        told[EntryID(of)] = redacted
      }
      for (entry, redacted) in told {
        var redacted = redacted
        do throws(StoreFault) {
          // Where all of its words went, by an erasure, by its age or since nobody could tell what of
          // it may stay, none come back.
          redacted.left = try old.entry(workspace.id, entry)
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
      // Where open work cannot be read nobody decides, and where an entry cannot nobody tells what of
      // it may stay: then nothing does.
      var machine = try StoreFault.unlessCorrupt { () throws(StoreFault) in
        try Pipeline(workspace.id, from: reads) { _ in NoRules() }
      }
      var whole: [EntryID] = []
      for redacted in all where redacted.workspace == workspace.name {
        let found = try StoreFault.unlessCorrupt { () throws(StoreFault) in
          try reads.entry(workspace.id, redacted.entry)
        }
        if let found {
          guard let found, found.body != nil, redacted.isSame(as: found) else { continue }
        }
        guard let body = (found ?? nil)?.body, let left = redacted.left?.body, machine != nil else {
          count += 1
          whole.append(redacted.entry)
          continue
        }
        let taken = Redaction.between(body, and: left)
        if !taken.isEmpty { count += 1 }
        for words in taken {
          try machine?.submit(
            Request(
              .redact(
                RedactEntry(
                  redacted.entry, words: words, author: .system, by: redacted.by,
                  reason: redacted.reason))), at: at, reads: reads)
        }
      }
      if let commit = machine?.gather() { try store.commit([commit]) }
      if !whole.isEmpty {
        _ = try store.forgetWords(of: whole, workspace.id, PersonForms.erased)
      }
    }
    try store.leaveNothing()
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
