import Model
import Records
import Synchronization

/// A store that keeps everything in memory, for tests of what stands on a store; its look-ups can be
/// told to fail. `StoreTests` holds it to the contract that every store keeps, but for what it has
/// not: full-text search, and the erasing of words.
///
/// `@unchecked`, because of the switches for failing look-ups: a test sets them while nobody reads.
public final class MemoryStore: Store, StoreReader, @unchecked Sendable {
  private let state: Mutex<State>
  private let chain: @Sendable (Digest, LogRecord) -> Digest

  /// - Parameter chain: of the log; without one it stays as it is.
  public init(chain: @escaping @Sendable (Digest, LogRecord) -> Digest = { chain, _ in chain }) {
    state = Mutex(State())
    self.chain = chain
  }

  /// As the other is at this moment, and stays so.
  private init(copyOf other: MemoryStore) {
    state = Mutex(other.now)
    chain = other.chain
  }

  private struct State: Sendable {
    var rows: [WorkspaceID: Rows] = [:]
    var workspaces: [WorkspaceRow] = []
    var tokens: [TokenID: TokenRow] = [:]
    var secrets: [String: [UInt8]] = [:]
    /// In their order.
    var commits: [Commit] = []
  }

  private struct Rows: Sendable {
    var head = LogHead()
    var log: [LogRecord] = []
    var work: [WorkKey: [UInt8]] = [:]
    var entries: [EntryID: EntryRow] = [:]
    var customers: [CustomerID: CustomerRow] = [:]
    var identities: [[UInt8]: IdentityRow] = [:]
    var conversations: [ConversationID: ConversationRow] = [:]
    var sessions: [SessionID: SessionRow] = [:]
    var cases: [CaseID: CaseRow] = [:]
    var facts: [CaseID: FactsRow] = [:]
    var outcomes: [[UInt8]: OutcomeRow] = [:]
    var keys: [WorkKey: [UInt8]] = [:]
    var outbox: [Int64: OutboxRow] = [:]
    var blobs: [BlobID: BlobRow] = [:]
    var configurations: [UInt32: [UInt8]] = [:]
    var accesses: [AccessRow] = []
  }

  private struct WorkKey: Hashable, Comparable {
    var kind: UInt8
    var key: [UInt8]
    static func < (a: WorkKey, b: WorkKey) -> Bool {
      a.kind == b.kind ? a.key.lexicographicallyPrecedes(b.key) : a.kind < b.kind
    }
  }

  private var now: State { state.withLock { $0 } }
  private func rows(_ workspace: WorkspaceID) -> Rows {
    state.withLock { $0.rows[workspace] } ?? Rows()
  }

  // MARK: Looking in

  public var commits: [Commit] { now.commits }
  public func entries(_ workspace: WorkspaceID) -> [EntryID: EntryRow] { rows(workspace).entries }
  public func blobs(_ workspace: WorkspaceID) -> [BlobID: BlobRow] { rows(workspace).blobs }

  // MARK: Failing

  public static let fault = StoreFault.failed(doing: "reading", why: "the test says so")
  /// Look-ups of what a writer asks that still succeed; nil: all.
  public var lookUpsLeft: Int?
  private var failure = MemoryStore.fault
  private var failsOnce = false

  /// - Parameter left: nil: none fails.
  public func failing(after left: Int?, with fault: StoreFault = fault, onlyOnce: Bool = false) {
    lookUpsLeft = left
    failure = fault
    failsOnce = onlyOnce
  }

  private func look<R>(_ workspace: WorkspaceID, _ body: (Rows) -> R) throws(StoreFault) -> R {
    if let left = lookUpsLeft {
      guard left > 0 else {
        if failsOnce { lookUpsLeft = nil }
        throw failure
      }
      lookUpsLeft = left - 1
    }
    return body(rows(workspace))
  }

  // MARK: Writing

  public func commit(_ commits: [Commit]) throws(StoreFault) {
    var fault: StoreFault?
    state.withLock { state in
      var next = state
      do throws(StoreFault) {
        for commit in commits {
          try apply(commit, to: &next.rows[commit.workspace, default: Rows()])
        }
        next.commits += commits
        state = next
      } catch { fault = error }
    }
    if let fault { throw fault }
  }

  private func apply(_ commit: Commit, to rows: inout Rows) throws(StoreFault) {
    for record in commit.log {
      guard record.position == rows.head.position + 1 else {
        throw .outOfOrder(expected: rows.head.position + 1, got: record.position)
      }
      (rows.head.position, rows.head.at) = (record.position, record.at)
      rows.head.chain = chain(rows.head.chain, record)
      rows.log.append(record)
    }
    for entry in commit.entries {
      guard entry.id.raw == rows.head.entry.raw + 1 else {
        throw .outOfOrder(expected: rows.head.entry.raw + 1, got: entry.id.raw)
      }
      rows.head.entry = entry.id
      rows.entries[entry.id] = entry
    }
    for entry in commit.rewritten {
      guard entry.id <= rows.head.entry else {
        throw .outOfOrder(expected: rows.head.entry.raw, got: entry.id.raw)
      }
      rows.entries[entry.id] = entry
    }
    for row in commit.outbox {
      rows.head.outbox = max(rows.head.outbox, row.id)
      rows.outbox[row.id] = row.payload == nil ? nil : row
    }
    for row in commit.work { rows.work[WorkKey(kind: row.kind, key: row.key)] = row.value }
    for row in commit.keys {
      rows.keys[WorkKey(kind: row.space.rawValue, key: row.key)] = row.value
    }
    for row in commit.customers { rows.customers[row.id] = row }
    for row in commit.identities { rows.identities[row.hash] = row }
    for row in commit.conversations { rows.conversations[row.id] = row }
    for row in commit.sessions { rows.sessions[row.id] = row }
    for row in commit.cases { rows.cases[row.id] = row }
    for row in commit.facts { rows.facts[row.case] = row }
    for row in commit.outcomes { rows.outcomes[row.key] = row }
    for row in commit.blobs { rows.blobs[row.id] = row }
    for row in commit.configurations { rows.configurations[row.version] = row.bytes }
  }

  public func addWorkspace(named name: String) throws(StoreFault) -> WorkspaceRow {
    let made = state.withLock { state -> WorkspaceRow? in
      guard !state.workspaces.contains(where: { $0.name == name }) else { return nil }
      let row = WorkspaceRow(id: WorkspaceID(UInt32(state.workspaces.count) + 1), name: name)
      state.workspaces.append(row)
      return row
    }
    guard let made else {
      throw .failed(doing: "add the workspace \(name)", why: "there is one of that name")
    }
    return made
  }

  public func save(_ token: TokenRow) { state.withLock { $0.tokens[token.id] = token } }

  public func record(_ accesses: [AccessRow], _ workspace: WorkspaceID) {
    state.withLock { $0.rows[workspace, default: Rows()].accesses += accesses }
  }

  public func forgetOutcomes(before: Instant) {
    state.withLock { state in
      state.rows = state.rows.mapValues { rows in
        var rows = rows
        rows.outcomes = rows.outcomes.filter { $0.value.at >= before }
        return rows
      }
    }
  }

  public func close() {}

  // MARK: What it has not

  private static func hasNot(_ what: String) -> StoreFault {
    .failed(doing: what, why: "a store in memory has no such thing")
  }
  public func index(_: WorkspaceID, limit: Int, words: (EntryRow) -> EntryWords)
    throws(StoreFault) -> Bool
  {
    throw Self.hasNot("index entries")
  }
  public func search(
    _: WorkspaceID, _ query: SearchQuery, words: (EntryRow) -> EntryWords
  ) throws(StoreFault) -> SearchPage {
    throw Self.hasNot("search")
  }
  public func erase(
    _: WorkspaceID, _ customers: [CustomerID], at: Instant, by: String, upTo: EntryID?,
    _ forms: ErasedForms
  ) throws(StoreFault) -> ErasureReceipt {
    throw Self.hasNot("erase a person")
  }
  public func forgetWords(of entries: [EntryID], _: WorkspaceID, _ forms: ErasedForms)
    throws(StoreFault) -> Int64
  {
    throw Self.hasNot("forget words")
  }
  public func erasures(_: WorkspaceID) -> [ErasureReceipt] { [] }
}

extension MemoryStore {
  // MARK: Reading

  /// Every look sees what was committed before it.
  public func reader() -> any StoreReader { self }

  public func snapshot<T>(_ body: (any StoreReader) throws(StoreFault) -> T) throws(StoreFault) -> T
  {
    // While look-ups are to fail they are counted in one place.
    try lookUpsLeft == nil ? body(MemoryStore(copyOf: self)) : body(self)
  }

  public func workspaces() -> [WorkspaceRow] { now.workspaces }
  public func tokens() -> [TokenRow] { now.tokens.values.sorted { $0.id < $1.id } }
  public func secret(named name: String) -> [UInt8] {
    state.withLock { state in
      if let known = state.secrets[name] { return known }
      let made = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
      state.secrets[name] = made
      return made
    }
  }

  public func head(_ workspace: WorkspaceID) -> LogHead { rows(workspace).head }
  public func work(_ workspace: WorkspaceID) -> [OpenWorkRow] {
    rows(workspace).work.sorted { $0.key < $1.key }.map {
      OpenWorkRow(kind: $0.key.kind, key: $0.key.key, value: $0.value)
    }
  }
  public func log(_ workspace: WorkspaceID, after: Int64, limit: Int) -> [LogRecord] {
    Array(rows(workspace).log.filter { $0.position > after }.prefix(limit))
  }
  public func outbox(_ workspace: WorkspaceID, limit: Int) -> [OutboxRow] {
    Array(rows(workspace).outbox.values.sorted { $0.id < $1.id }.prefix(limit))
  }
  public func outbox(_ workspace: WorkspaceID, id: Int64) -> OutboxRow? {
    rows(workspace).outbox[id]
  }
  public func configuration(
    _ workspace: WorkspaceID, version: UInt32?
  ) -> (version: UInt32, bytes: [UInt8])? {
    let all = rows(workspace).configurations
    guard let version = version ?? all.keys.max(), let bytes = all[version] else { return nil }
    return (version, bytes)
  }

  public func identity(_ workspace: WorkspaceID, hash: [UInt8]) throws(StoreFault) -> IdentityRow? {
    try look(workspace) { $0.identities[hash] }
  }
  public func identities(_ workspace: WorkspaceID, of customer: CustomerID) throws(StoreFault)
    -> [IdentityRow]
  {
    try look(workspace) { Self.ordered($0.identities.values.filter { $0.customer == customer }) }
  }
  public func identities(
    _ workspace: WorkspaceID, like identity: Identity, limit: Int
  ) -> [IdentityRow] {
    let found = rows(workspace).identities.values.filter { $0.identity == identity }
    return Array(Self.ordered(found).prefix(limit))
  }
  private static func ordered(_ rows: [IdentityRow]) -> [IdentityRow] {
    rows.sorted { $0.hash.lexicographicallyPrecedes($1.hash) }
  }
  public func customer(_ workspace: WorkspaceID, _ id: CustomerID) throws(StoreFault)
    -> CustomerRow?
  {
    try look(workspace) { $0.customers[id] }
  }
  public func merged(_ workspace: WorkspaceID, into root: CustomerID) throws(StoreFault)
    -> [CustomerRow]
  {
    try look(workspace) { $0.customers.values.filter { $0.root == root }.sorted { $0.id < $1.id } }
  }
  public func conversation(_ workspace: WorkspaceID, _ id: ConversationID) throws(StoreFault)
    -> ConversationRow?
  {
    try look(workspace) { $0.conversations[id] }
  }
  public func conversations(_ workspace: WorkspaceID, of customer: CustomerID, limit: Int)
    throws(StoreFault) -> [ConversationRow]
  {
    try look(workspace) {
      let found = $0.conversations.values.filter { $0.customer == customer }
      return Array(found.sorted { ($1.opened, $1.id) < ($0.opened, $0.id) }.prefix(limit))
    }
  }
  public func session(_ workspace: WorkspaceID, _ id: SessionID) throws(StoreFault) -> SessionRow? {
    try look(workspace) { $0.sessions[id] }
  }
  public func sessions(_ workspace: WorkspaceID, of conversation: ConversationID)
    throws(StoreFault) -> [SessionRow]
  {
    try look(workspace) {
      $0.sessions.values.filter { $0.conversation == conversation }.sorted { $0.id < $1.id }
    }
  }
  public func aCase(_ workspace: WorkspaceID, _ id: CaseID) throws(StoreFault) -> CaseRow? {
    try look(workspace) { $0.cases[id] }
  }
  public func cases(_ workspace: WorkspaceID, of conversation: ConversationID) throws(StoreFault)
    -> [CaseRow]
  {
    try look(workspace) {
      $0.cases.values.filter { $0.conversation == conversation }.sorted {
        ($0.created, $0.id) < ($1.created, $1.id)
      }
    }
  }
  public func facts(_ workspace: WorkspaceID, of aCase: CaseID) -> FactsRow? {
    rows(workspace).facts[aCase]
  }
  public func outcome(_ workspace: WorkspaceID, key: [UInt8]) throws(StoreFault) -> OutcomeRow? {
    try look(workspace) { $0.outcomes[key] }
  }
  public func key(_ workspace: WorkspaceID, _ space: KeyRow.Space, _ key: [UInt8])
    throws(StoreFault) -> [UInt8]?
  {
    try look(workspace) { $0.keys[WorkKey(kind: space.rawValue, key: key)] }
  }
  public func blob(_ workspace: WorkspaceID, _ id: BlobID) throws(StoreFault) -> BlobRow? {
    try look(workspace) { $0.blobs[id] }
  }
  public func entries(_ workspace: WorkspaceID, naming attachment: BlobID) throws(StoreFault)
    -> [EntryID]
  {
    let first = KeyRow.attachment(attachment, of: EntryID(0)).key.prefix(16)
    return try look(workspace) {
      let named = $0.keys.keys.filter {
        $0.kind == KeyRow.Space.attachment.rawValue && $0.key.starts(with: first)
      }
      return Array(
        named.compactMap { KeyRow(space: .attachment, key: $0.key, value: []).attachingEntry }
          .sorted().prefix(100))
    }
  }
  public func entry(_ workspace: WorkspaceID, _ id: EntryID) throws(StoreFault) -> EntryRow? {
    try look(workspace) { $0.entries[id] }
  }

  public func timeline(
    _ workspace: WorkspaceID, of customers: [CustomerID], from: EntryID, _ direction: PageDirection,
    atMost: EntryID, limit: Int, visible: Visibility
  ) -> [EntryRow] {
    let all = rows(workspace).entries.values.filter {
      customers.contains($0.customer) && $0.id <= atMost
        && $0.visibility.rawValue <= visible.rawValue
    }.sorted { $0.id < $1.id }
    switch direction {
    case .newer: return Array(all.filter { $0.id > from }.prefix(limit))
    case .older: return Array(all.filter { $0.id < from }.suffix(limit))
    }
  }
  public func transcript(
    _ workspace: WorkspaceID, of conversation: ConversationID, after: EntryID, limit: Int,
    visible: Visibility
  ) -> [EntryRow] {
    Array(
      rows(workspace).entries.values.filter {
        $0.conversation == conversation && $0.id > after
          && $0.visibility.rawValue <= visible.rawValue
      }.sorted { $0.id < $1.id }.prefix(limit))
  }

  public func accesses(
    _ workspace: WorkspaceID, of customer: CustomerID?, before: Int64, limit: Int
  ) -> [(number: Int64, access: AccessRow)] {
    let numbered = zip(Int64(1)..., rows(workspace).accesses).map { (number: $0, access: $1) }
    return Array(
      numbered.reversed().filter {
        $0.number < before && (customer == nil || $0.access.customer == customer)
      }.prefix(limit))
  }
}
