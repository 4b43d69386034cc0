import Model
import Records

/// A store that keeps commits in memory, and can be told to fail a look-up.
final class MemoryStore: StoreReader {
  private(set) var commits: [Commit] = []
  private var head = LogHead()
  private var work: [WorkKey: [UInt8]] = [:]
  private(set) var entries: [EntryID: EntryRow] = [:]
  private var customers: [CustomerID: CustomerRow] = [:]
  private var identities: [[UInt8]: IdentityRow] = [:]
  private var conversations: [ConversationID: ConversationRow] = [:]
  private var sessions: [SessionID: SessionRow] = [:]
  private var cases: [CaseID: CaseRow] = [:]
  private var outcomes: [[UInt8]: OutcomeRow] = [:]
  private var keys: [WorkKey: [UInt8]] = [:]
  private(set) var blobs: [BlobID: BlobRow] = [:]
  /// Look-ups that still succeed; nil: all.
  var lookUpsLeft: Int?

  private struct WorkKey: Hashable {
    var kind: UInt8
    var key: [UInt8]
  }

  static let fault = StoreFault.failed(doing: "reading", why: "the test says so")

  func commit(_ commit: Commit) {
    commits.append(commit)
    if let last = commit.log.last { (head.position, head.at) = (last.position, last.at) }
    if let last = commit.entries.last { head.entry = last.id }
    for row in commit.entries + commit.rewritten { entries[row.id] = row }
    for row in commit.work { work[WorkKey(kind: row.kind, key: row.key)] = row.value }
    for row in commit.customers { customers[row.id] = row }
    for row in commit.identities { identities[row.hash] = row }
    for row in commit.conversations { conversations[row.id] = row }
    for row in commit.sessions { sessions[row.id] = row }
    for row in commit.cases { cases[row.id] = row }
    for row in commit.outcomes { outcomes[row.key] = row }
    for row in commit.keys { keys[WorkKey(kind: row.space.rawValue, key: row.key)] = row.value }
    for row in commit.blobs { blobs[row.id] = row }
  }

  private func look<R>(_ value: R) throws(StoreFault) -> R {
    if let left = lookUpsLeft {
      guard left > 0 else { throw Self.fault }
      lookUpsLeft = left - 1
    }
    return value
  }

  func head(_: WorkspaceID) -> LogHead { head }
  func work(_: WorkspaceID) -> [OpenWorkRow] {
    work.map { OpenWorkRow(kind: $0.key.kind, key: $0.key.key, value: $0.value) }
      .sorted { ($0.kind, Self.order($0.key)) < ($1.kind, Self.order($1.key)) }
  }
  private static func order(_ key: [UInt8]) -> String {
    key.map { String($0, radix: 16) }.joined(separator: ".")
  }

  func identity(_: WorkspaceID, hash: [UInt8]) throws(StoreFault) -> IdentityRow? {
    try look(identities[hash])
  }
  func customer(_: WorkspaceID, _ id: CustomerID) throws(StoreFault) -> CustomerRow? {
    try look(customers[id])
  }
  func conversation(_: WorkspaceID, _ id: ConversationID) throws(StoreFault) -> ConversationRow? {
    try look(conversations[id])
  }
  func session(_: WorkspaceID, _ id: SessionID) throws(StoreFault) -> SessionRow? {
    try look(sessions[id])
  }
  func aCase(_: WorkspaceID, _ id: CaseID) throws(StoreFault) -> CaseRow? { try look(cases[id]) }
  func outcome(_: WorkspaceID, key: [UInt8]) throws(StoreFault) -> OutcomeRow? {
    try look(outcomes[key])
  }
  func key(_: WorkspaceID, _ space: KeyRow.Space, _ key: [UInt8]) throws(StoreFault) -> [UInt8]? {
    try look(keys[WorkKey(kind: space.rawValue, key: key)])
  }
  func entry(_: WorkspaceID, _ id: EntryID) throws(StoreFault) -> EntryRow? {
    try look(entries[id])
  }
  func blob(_: WorkspaceID, _ id: BlobID) throws(StoreFault) -> BlobRow? { try look(blobs[id]) }
  func conversations(_: WorkspaceID, of customer: CustomerID, limit: Int) throws(StoreFault)
    -> [ConversationRow]
  {
    try look(conversations.values.filter { $0.customer == customer })
  }
  func merged(_: WorkspaceID, into root: CustomerID) throws(StoreFault) -> [CustomerRow] {
    try look(customers.values.filter { $0.root == root })
  }
  func identities(_: WorkspaceID, of customer: CustomerID) throws(StoreFault) -> [IdentityRow] {
    try look(identities.values.filter { $0.customer == customer })
  }
  func sessions(_: WorkspaceID, of conversation: ConversationID) throws(StoreFault) -> [SessionRow]
  {
    try look(sessions.values.filter { $0.conversation == conversation })
  }

  func cases(_: WorkspaceID, of conversation: ConversationID) throws(StoreFault) -> [CaseRow] {
    try look(cases.values.filter { $0.conversation == conversation })
  }

  func snapshot<T>(_ body: (any StoreReader) throws(StoreFault) -> T) throws(StoreFault) -> T {
    try body(self)
  }

  // Nothing that the writer asks.
  func identities(_: WorkspaceID, like identity: Identity, limit: Int) -> [IdentityRow] { [] }
  func erasures(_: WorkspaceID) -> [ErasureReceipt] { [] }
  func accesses(
    _: WorkspaceID, of customer: CustomerID?, before: Int64, limit: Int
  ) -> [(number: Int64, access: AccessRow)] { [] }
  func search(_: WorkspaceID, _ query: SearchQuery) throws(StoreFault) -> SearchPage {
    throw Self.fault
  }
  func workspaces() -> [WorkspaceRow] { [] }
  func tokens() -> [TokenRow] { [] }
  func secret(named: String) -> [UInt8] { [] }
  func log(_: WorkspaceID, after: Int64, limit: Int) -> [LogRecord] { [] }
  func outbox(_: WorkspaceID, limit: Int) -> [OutboxRow] { [] }
  func outbox(_: WorkspaceID, id: Int64) -> OutboxRow? { nil }
  func configuration(_: WorkspaceID, version: UInt32?) -> (version: UInt32, bytes: [UInt8])? { nil }
  func facts(_: WorkspaceID, of aCase: CaseID) -> FactsRow? { nil }
  func timeline(
    _: WorkspaceID, of: [CustomerID], from: EntryID, _: PageDirection, atMost: EntryID, limit: Int,
    visible: Visibility
  ) -> [EntryRow] { [] }
  func transcript(
    _: WorkspaceID, of: ConversationID, after: EntryID, limit: Int, visible: Visibility
  ) -> [EntryRow] { [] }
}
