import DequeModule
import Model
import Records

/// Everything decided and not yet known to be committed: the rows to write, and the overlay through
/// which the writer sees them meanwhile.
struct Pending: Sendable {
  /// Rows of recent work kept at hand after their commit: about 300 bytes each.
  static let rowsKept = 20_000

  let workspace: WorkspaceID
  private(set) var bytes = 0
  private(set) var gathered: Int64

  private var log: [LogRecord] = []
  var work: [OpenWorkRow] = []
  private var entries: [EntryRow] = []
  /// Entries with other words than the store may have.
  private(set) var rewritten = Overlay<EntryID, EntryRow>()
  /// Entries that the store may not have yet: written, or on their way.
  private var recent: Deque<EntryRow> = []
  var facts: [FactsRow] = []
  var outbox: [OutboxRow] = []
  var configurations: [(version: UInt32, bytes: [UInt8])] = []

  var identities = Overlay<[UInt8], IdentityRow>()
  private(set) var customers = Overlay<CustomerID, CustomerRow>(keeping: Pending.rowsKept)
  /// Records of a person, by their root, that the store may not know of yet.
  private(set) var recordsOf = Secondary<CustomerID, CustomerID>()
  private(set) var conversations = Overlay<ConversationID, ConversationRow>(
    keeping: Pending.rowsKept)
  /// Conversations of a customer that the store may not know of yet.
  private(set) var conversationsOf = Secondary<CustomerID, ConversationID>()
  private(set) var sessions = Overlay<SessionID, SessionRow>(keeping: Pending.rowsKept)
  /// Sessions of a conversation that the store may not know of yet.
  private(set) var sessionsOf = Secondary<ConversationID, SessionID>()
  var cases = Overlay<CaseID, CaseRow>(keeping: Pending.rowsKept)
  var outcomes = Overlay<[UInt8], OutcomeRow>()
  var keys = Overlay<KeyOf, KeyRow>()
  var blobs = Overlay<BlobID, BlobRow>()
  private var sizes: [(position: Int64, bytes: Int)] = []

  struct KeyOf: Hashable, Sendable {
    var space: KeyRow.Space
    var key: [UInt8]
  }

  /// - Parameter gathered: up to where the store has everything.
  init(workspace: WorkspaceID, gathered: Int64) {
    self.workspace = workspace
    self.gathered = gathered
  }

  mutating func set(_ row: ConversationRow, at position: Int64) {
    conversations.set(row.id, row, at: position)
    conversationsOf.note(row.id, under: row.customer, at: position)
  }
  mutating func set(_ row: CustomerRow, at position: Int64) {
    customers.set(row.id, row, at: position)
    if row.root != row.id { recordsOf.note(row.id, under: row.root, at: position) }
  }
  mutating func set(_ row: SessionRow, at position: Int64) {
    sessions.set(row.id, row, at: position)
    sessionsOf.note(row.id, under: row.conversation, at: position)
  }
  mutating func remember(_ row: CustomerRow) { customers.remember(row.id, row) }
  mutating func remember(_ row: ConversationRow) { conversations.remember(row.id, row) }
  mutating func remember(_ row: SessionRow) { sessions.remember(row.id, row) }

  mutating func append(_ record: LogRecord) {
    log.append(record)
    count(record.bytes.count, at: record.position)
  }

  mutating func append(_ entry: EntryRow) {
    entries.append(entry)
    recent.append(entry)
    count(entry.body?.count ?? 0, at: entry.position)
  }

  mutating func rewrite(_ entry: EntryRow, at position: Int64) {
    rewritten.set(entry.id, entry, at: position)
    count(entry.body?.count ?? 0, at: position)
  }

  /// What the store may not have of an entry yet, or not as it is.
  func entry(_ id: EntryID) -> EntryRow? { rewritten[id] ?? recent.first { $0.id == id } }

  private mutating func count(_ n: Int, at position: Int64) {
    bytes += n
    sizes.append((position, n))
  }

  mutating func gather(upTo position: Int64) -> Commit {
    var commit = Commit(workspace: workspace)
    swap(&commit.log, &log)
    swap(&commit.work, &work)
    swap(&commit.entries, &entries)
    swap(&commit.facts, &facts)
    swap(&commit.outbox, &outbox)
    swap(&commit.configurations, &configurations)
    commit.rewritten = rewritten.gather()
    commit.identities = identities.gather()
    commit.customers = customers.gather()
    commit.conversations = conversations.gather()
    commit.sessions = sessions.gather()
    commit.cases = cases.gather()
    commit.outcomes = outcomes.gather()
    commit.keys = keys.gather()
    commit.blobs = blobs.gather()
    gathered = position
    return commit
  }

  mutating func committed(upTo position: Int64) {
    rewritten.committed(upTo: position)
    identities.committed(upTo: position)
    customers.committed(upTo: position)
    recordsOf.committed(upTo: position)
    conversations.committed(upTo: position)
    conversationsOf.committed(upTo: position)
    sessions.committed(upTo: position)
    sessionsOf.committed(upTo: position)
    cases.committed(upTo: position)
    outcomes.committed(upTo: position)
    keys.committed(upTo: position)
    blobs.committed(upTo: position)
    var done = 0
    while done < sizes.count, sizes[done].position <= position {
      bytes -= sizes[done].bytes
      done += 1
    }
    sizes.removeFirst(done)
    while let first = recent.first, first.position <= position { recent.removeFirst() }
  }

  /// What of a conversation may not be in the store yet, in order.
  func entries(of conversation: ConversationID) -> [EntryRow] {
    recent.filter { $0.conversation == conversation }.map { rewritten[$0.id] ?? $0 }
  }
}
