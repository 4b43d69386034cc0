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
  private var conversationsOf: [CustomerID: ByAge] = [:]
  private var openOf: [CustomerID: ByAge] = [:]
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
    for row in commit.conversations { write(row) }
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

  // MARK: Conversations of a customer

  /// The oldest first. Nearly every new one is the newest.
  private struct ByAge {
    private var ids: [(opened: Instant, id: ConversationID)] = []

    mutating func insert(_ row: ConversationRow) {
      let place = ids.lastIndex { ($0.opened, $0.id) < (row.opened, row.id) }.map { $0 + 1 } ?? 0
      ids.insert((row.opened, row.id), at: place)
    }
    mutating func remove(_ id: ConversationID) {
      if let place = ids.lastIndex(where: { $0.id == id }) { ids.remove(at: place) }
    }
    func newest(_ limit: Int) -> [ConversationID] { ids.suffix(limit).reversed().map(\.id) }
  }

  private func write(_ row: ConversationRow) {
    let before = conversations.updateValue(row, forKey: row.id)
    if let before, before.customer == row.customer, before.opened == row.opened {
      if before.isOpen == row.isOpen { return }
      openOf[row.customer]?.remove(row.id)
    } else {
      if let before {
        conversationsOf[before.customer]?.remove(row.id)
        openOf[before.customer]?.remove(row.id)
      }
      conversationsOf[row.customer, default: ByAge()].insert(row)
    }
    if row.isOpen { openOf[row.customer, default: ByAge()].insert(row) }
  }

  /// Newest first.
  func conversations(of customer: CustomerID, limit: Int) -> [ConversationRow] {
    conversationsOf[customer]?.newest(limit).compactMap { conversations[$0] } ?? []
  }
  /// Those that are open, newest first.
  func openConversations(of customer: CustomerID, limit: Int) -> [ConversationRow] {
    openOf[customer]?.newest(limit).compactMap { conversations[$0] } ?? []
  }

  // MARK: What belongs together, in no particular order

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
