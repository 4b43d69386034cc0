import Model
import Records

/// What is durable in a simulated world: the rows of every commit that went through, and nothing
/// else.
final class Disk {
  private(set) var head = LogHead()
  private(set) var log: [LogRecord] = []
  private(set) var entries: [EntryRow] = []
  private(set) var work: [WorkKey: [UInt8]] = [:]
  private(set) var customers: [CustomerID: CustomerRow] = [:]
  private(set) var conversations: [ConversationID: ConversationRow] = [:]
  private(set) var sessions: [SessionID: SessionRow] = [:]
  private(set) var cases: [CaseID: CaseRow] = [:]
  private(set) var identities: [[UInt8]: IdentityRow] = [:]
  private(set) var outcomes: [[UInt8]: OutcomeRow] = [:]
  private(set) var keys: [KeyOf: KeyRow] = [:]
  private(set) var facts: [CaseID: FactsRow] = [:]
  private(set) var outbox: [Int64: OutboxRow] = [:]
  private(set) var blobs: [BlobID: BlobRow] = [:]
  private(set) var configurations: [(version: UInt32, bytes: [UInt8])] = []

  /// Rows by what they belong to, now or earlier: a look goes through these alone, or a world would
  /// grow slower with each day of it.
  private var conversationsOf: [CustomerID: Set<ConversationID>] = [:]
  private var sessionsOf: [ConversationID: Set<SessionID>] = [:]
  private var casesOf: [ConversationID: Set<CaseID>] = [:]
  private var identitiesOf: [CustomerID: Set<[UInt8]>] = [:]
  private var recordsOf: [CustomerID: Set<CustomerID>] = [:]

  struct WorkKey: Hashable, Comparable {
    var kind: UInt8
    var key: [UInt8]
    static func < (a: Self, b: Self) -> Bool {
      a.kind == b.kind ? a.key.lexicographicallyPrecedes(b.key) : a.kind < b.kind
    }
  }

  struct KeyOf: Hashable {
    var space: UInt8
    var key: [UInt8]
  }

  /// Writes all of it.
  /// - Returns: what is wrong with it: a gap or a repeat among its numbers; nil when all is well.
  func write(_ commit: Commit) -> String? {
    for record in commit.log {
      guard record.position == head.position + 1 else {
        return "the log goes from position \(head.position) to \(record.position)"
      }
      head.position = record.position
      head.at = record.at
      log.append(record)
    }
    for entry in commit.entries {
      guard entry.id.raw == Int64(entries.count) + 1 else {
        return "entry \(entry.id) follows \(entries.count)"
      }
      entries.append(entry)
    }
    head.entry = EntryID(Int64(entries.count))
    for entry in commit.rewritten {
      guard entries.indices.contains(Int(entry.id.raw) - 1) else {
        return "entry \(entry.id) is changed and not there"
      }
      entries[Int(entry.id.raw) - 1] = entry
    }
    for row in commit.work { work[WorkKey(kind: row.kind, key: row.key)] = row.value }
    for row in commit.customers {
      customers[row.id] = row
      recordsOf[row.root, default: []].insert(row.id)
    }
    for row in commit.conversations {
      conversations[row.id] = row
      conversationsOf[row.customer, default: []].insert(row.id)
    }
    for row in commit.sessions {
      sessions[row.id] = row
      sessionsOf[row.conversation, default: []].insert(row.id)
    }
    for row in commit.cases {
      cases[row.id] = row
      casesOf[row.conversation, default: []].insert(row.id)
    }
    for row in commit.identities {
      identities[row.hash] = row
      identitiesOf[row.customer, default: []].insert(row.hash)
    }
    for row in commit.outcomes { outcomes[row.key] = row }
    for row in commit.keys {
      keys[KeyOf(space: row.space.rawValue, key: row.key)] = row.value == nil ? nil : row
    }
    for row in commit.facts { facts[row.case] = row }
    for row in commit.outbox {
      head.outbox = max(head.outbox, row.id)
      outbox[row.id] = row.payload == nil ? nil : row
    }
    for row in commit.blobs { blobs[row.id] = row }
    configurations += commit.configurations
    return nil
  }

  // MARK: What belongs together, in no particular order

  func conversations(of customer: CustomerID) -> [ConversationRow] {
    rows(conversationsOf[customer], of: conversations) { $0.customer == customer }
  }
  func sessions(of conversation: ConversationID) -> [SessionRow] {
    rows(sessionsOf[conversation], of: sessions) { $0.conversation == conversation }
  }
  func cases(of conversation: ConversationID) -> [CaseRow] {
    rows(casesOf[conversation], of: cases) { $0.conversation == conversation }
  }
  func identities(of customer: CustomerID) -> [IdentityRow] {
    rows(identitiesOf[customer], of: identities) { $0.customer == customer }
  }
  func records(of root: CustomerID) -> [CustomerRow] {
    rows(recordsOf[root], of: customers) { $0.root == root }
  }

  /// What belonged there once may be elsewhere by now.
  private func rows<Key: Hashable, Row>(
    _ keys: Set<Key>?, of table: [Key: Row], belongs: (Row) -> Bool
  ) -> [Row] {
    (keys ?? []).compactMap { table[$0] }.filter(belongs)
  }

  var workRows: [OpenWorkRow] {
    work.keys.sorted().map { OpenWorkRow(kind: $0.kind, key: $0.key, value: work[$0]) }
  }
}
