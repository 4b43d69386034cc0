import Records
internal import GRDB
import Model

/// A reading connection. Each statement sees every commit that had returned when it began, and
/// nothing of one that had not; where an answer takes several, they see the same moment.
public final class SQLiteReader: StoreReader {
  private let store: SQLiteStore
  private let queue: DatabaseQueue
  private let queries: Queries
  /// The index's own connection, made when somebody searches.
  private var finder: SearchFinder?

  convenience init(_ store: SQLiteStore) throws(StoreFault) {
    try self.init(copyOf: store, file: store.file)
  }

  /// Of a copy of the store's rows, such as a backup.
  init(copyOf store: SQLiteStore, file: String) throws(StoreFault) {
    self.store = store
    let queue = try storeFault("open a reader") {
      var configuration = SQLiteStore.configuration()
      configuration.readonly = true
      return try DatabaseQueue(path: file, configuration: configuration)
    }
    self.queue = queue
    queries = try storeFault("prepare a reader") {
      try queue.unsafeReentrantRead { db in
        try db.execute(
          sql: "PRAGMA cache_size=-16384; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF")
        guard let connection = db.sqliteConnection else {
          throw StoreFault.failed(doing: "prepare a reader", why: "it is closed")
        }
        return try Queries(connection)
      }
    }
  }

  /// Runs on GRDB's queue for this connection.
  func ask<T>(_ body: (Queries) throws(StoreFault) -> T) throws(StoreFault) -> T {
    do throws(StoreFault) {
      return try storeFault("read") { try queue.unsafeReentrantRead { _ in try body(queries) } }
    } catch {
      store.tell(damage: error)
      throw error
    }
  }
  public func snapshot<T>(_ body: (any StoreReader) throws(StoreFault) -> T) throws(StoreFault) -> T
  {
    try ask { queries throws(StoreFault) in
      try queries.atOnce { _ throws(StoreFault) in try body(self) }
    }
  }

  private func one<R: ColumnRow>(_ query: Query, _ bind: (Prepared) -> Void) throws(StoreFault)
    -> R?
  {
    try ask { queries throws(StoreFault) in
      try queries.bound(query, bind).one(R.table, R.inWorkspace)
    }
  }
  func rows<R: ColumnRow>(_ query: Query, _ bind: (Prepared) -> Void) throws(StoreFault)
    -> [R]
  {
    try ask { queries throws(StoreFault) in
      try queries.bound(query, bind).all(R.table, R.inWorkspace)
    }
  }

  func pragma(_ name: String) throws(StoreFault) -> [String] {
    try storeFault("ask SQLite for \(name)") {
      try queue.unsafeReentrantRead { try String.fetchAll($0, sql: "PRAGMA \(name)") }
    }
  }

  /// Every entry with the position of the log at which it was written, ascending; whether it matches its
  /// checksum is asked elsewhere. `take` must not ask this reader.
  public func eachEntryPlace(_ workspace: WorkspaceID, _ take: (EntryID, Int64) -> Void)
    throws(StoreFault)
  {
    try ask { queries throws(StoreFault) in
      let statement = try queries.prepare(
        "SELECT entry, position FROM entries WHERE workspace=? ORDER BY entry", "place entries")
      statement.begin()
      statement.put(workspace)
      while try statement.step() {
        take(EntryID(statement.integer(at: 0)), statement.integer(at: 1))
      }
    }
  }

  /// How SQLite means to answer, for the test that no question sorts or scans.
  func explain(_ sql: String) throws -> [String] {
    try queue.unsafeReentrantRead { db in
      // Without values: a plan does not depend on them.
      let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
      statement.setUncheckedArguments(StatementArguments())
      return try Row.fetchAll(statement).map { $0["detail"] }
    }
  }

  // MARK: The folder

  public func workspaces() throws(StoreFault) -> [WorkspaceRow] {
    try ask { queries throws(StoreFault) in
      try queries.bound(.workspaces) { _ in }.all(.workspaces, WorkspaceRow.read)
    }
  }
  public func tokens() throws(StoreFault) -> [TokenRow] {
    try ask { queries throws(StoreFault) in
      try queries.bound(.tokens) { _ in }.all(.tokens, TokenRow.read)
    }
  }
  /// Those that match their checksums; of the others the store's owner hears.
  public func readableTokens() throws(StoreFault) -> [TokenRow] {
    try ask { queries throws(StoreFault) in
      var rows: [TokenRow] = []
      try queries.bound(.tokens) { _ in }.eachReadable(
        .tokens, TokenRow.read, damaged: { store.tell(damage: $0) }
      ) { rows.append($0) }
      return rows
    }
  }
  public func secret(named name: String) throws(StoreFault) -> [UInt8] {
    let known = try ask { queries throws(StoreFault) in
      try queries.bound(.secret) { $0.put(name) }.one(.secrets, SecretColumns.read)
    }
    return if let known { known.bytes } else { try store.makeSecret(named: name) }
  }

  // MARK: The log and open work

  public func head(_ workspace: WorkspaceID) throws(StoreFault) -> LogHead {
    try one(.head) { $0.put(workspace) } ?? LogHead()
  }
  public func work(_ workspace: WorkspaceID) throws(StoreFault) -> [OpenWorkRow] {
    try rows(.work) { $0.put(workspace) }
  }
  public func eachOfWork(
    _ workspace: WorkspaceID, kinds: ClosedRange<UInt8>,
    _ take: TakeOpenWork
  ) throws(StoreFault) {
    try ask { queries throws(StoreFault) in
      let found = queries.bound(.workOfKinds) { columns in
        columns.put(workspace)
        columns.put(Int64(kinds.lowerBound))
        // A kind beyond a byte is damage, and must not be passed over.
        columns.put(kinds.upperBound == .max ? Int64.max : Int64(kinds.upperBound))
      }
      defer { found.reset() }
      while let row = try found.row(.work, OpenWorkView.read) {
        try take(row.kind, row.key, row.value)
      }
    }
  }
  public func log(_ workspace: WorkspaceID, after: Int64, limit: Int) throws(StoreFault)
    -> [LogRecord]
  {
    try ask { queries throws(StoreFault) in
      try queries.atOnce { queries throws(StoreFault) in
        if try after > queries.head(workspace).position { return [] }
        var chain = try queries.chain(workspace, at: after)
        return try queries.log(workspace, after: after, chain: &chain, limit: limit)
      }
    }
  }
  public func outbox(_ workspace: WorkspaceID, limit: Int) throws(StoreFault) -> [OutboxRow] {
    try rows(.outbox) { columns in
      columns.put(workspace)
      columns.put(Int64(limit))
    }
  }
  public func outbox(_ workspace: WorkspaceID, id: Int64) throws(StoreFault) -> OutboxRow? {
    try one(.outboxRow) { columns in
      columns.put(workspace)
      columns.put(id)
    }
  }
  /// Also what is there of rows that do not match their checksum: nobody may send that, and the others
  /// leave all the same. Of these the id and the payload are as they stand, and nothing else.
  public func outbox(
    _ workspace: WorkspaceID, evenDamaged limit: Int
  ) throws(StoreFault) -> (rows: [OutboxRow], damaged: [OutboxRow]) {
    try ask { queries throws(StoreFault) in
      let statement = queries.bound(.outbox) { columns in
        columns.put(workspace)
        columns.put(Int64(limit))
      }
      var (rows, damaged) = ([OutboxRow](), [OutboxRow]())
      try statement.eachReadable(
        .outbox, OutboxRow.inWorkspace,
        damaged: { fault in
          store.tell(damage: fault)
          damaged.append(
            OutboxRow(
              id: statement.integer(at: 1), kind: .mail, due: Instant(milliseconds: 0), tries: 0,
              payload: statement.blob(at: 5)))
        }
      ) { rows.append($0) }
      return (rows, damaged)
    }
  }
  public func configuration(
    _ workspace: WorkspaceID, version: UInt32?
  ) throws(StoreFault) -> (version: UInt32, bytes: [UInt8])? {
    let found: ConfigurationColumns? = try one(
      version == nil ? .newestConfiguration : .configuration
    ) { columns in
      columns.put(workspace)
      if let version { columns.put(Int64(version)) }
    }
    return found.map { ($0.version, $0.bytes) }
  }

  // MARK: Customers and what they brought

  public func identity(_ workspace: WorkspaceID, hash: [UInt8]) throws(StoreFault) -> IdentityRow? {
    try one(.identity) { $0.put(workspace, hash) }
  }
  public func identities(_ workspace: WorkspaceID, of customer: CustomerID) throws(StoreFault)
    -> [IdentityRow]
  {
    try rows(.identitiesOfCustomer) { $0.put(workspace, customer) }
  }
  public func identities(
    _ workspace: WorkspaceID, like identity: Identity, limit: Int
  ) throws(StoreFault) -> [IdentityRow] {
    try rows(.identitiesLike) {
      $0.put(workspace)
      $0.put(Int64(identity.kind.rawValue))
      $0.put(identity.value)
      $0.put(Int64(limit))
    }
  }
  public func customer(_ workspace: WorkspaceID, _ id: CustomerID) throws(StoreFault)
    -> CustomerRow?
  {
    try one(.customer) { $0.put(workspace, id) }
  }
  public func merged(_ workspace: WorkspaceID, into root: CustomerID) throws(StoreFault)
    -> [CustomerRow]
  {
    try ask { queries throws(StoreFault) in
      try queries.atOnce { queries throws(StoreFault) in
        let own = try queries.bound(.customer) { $0.put(workspace, root) }.one(
          .customers, CustomerRow.inWorkspace)
        let others = try queries.bound(.mergedInto) { $0.put(workspace, root) }
          .all(.customers, CustomerRow.inWorkspace)
        guard let own, own.root == root else { return others }
        return (others + [own]).sorted { $0.id < $1.id }
      }
    }
  }
  /// By the index of merged records, which holds what their rows hold: a flipped bit is in one of the
  /// two.
  public func records(
    _ workspace: WorkspaceID, evenDamagedWith customer: CustomerID
  ) throws(StoreFault) -> [CustomerID] {
    try ask { queries throws(StoreFault) in
      try queries.atOnce { queries throws(StoreFault) in
        func ids(_ sql: String, _ id: CustomerID) throws(StoreFault) -> [CustomerID] {
          let statement = try queries.prepare(sql, "find the records of a person")
          statement.begin()
          statement.put(workspace, id)
          return try statement.eachID(CustomerKind.self)
        }
        let roots = try ids(
          """
          SELECT root FROM customers INDEXED BY customers_merged
          WHERE workspace=? AND root<>customer AND customer=?
          """, customer)
        let root = roots.first ?? customer
        let merged = try ids(
          """
          SELECT customer FROM customers INDEXED BY customers_merged
          WHERE workspace=? AND root=? AND root<>customer ORDER BY customer
          """, root)
        return [root] + merged
      }
    }
  }

  /// What the row says is believed where the index of a customer's identities says the same.
  public func owner(
    _ workspace: WorkspaceID, evenDamaged hash: [UInt8]
  ) throws(StoreFault) -> CustomerID? {
    try ask { queries throws(StoreFault) in
      let said = try queries.prepare(
        "SELECT customer FROM identities WHERE workspace=? AND hash=?", "find whose it is")
      said.begin()
      said.put(workspace, hash)
      guard let customer = try said.eachID(CustomerKind.self).first else { return nil }
      let same = try queries.prepare(
        """
        SELECT 1 FROM identities INDEXED BY identities_by_customer
        WHERE workspace=? AND customer=? AND hash=?
        """, "find whose it is")
      same.begin()
      same.put(workspace, customer)
      same.put(hash)
      defer { same.reset() }
      return try same.step() ? customer : nil
    }
  }

  public func conversation(_ workspace: WorkspaceID, _ id: ConversationID) throws(StoreFault)
    -> ConversationRow?
  {
    try one(.conversation) { $0.put(workspace, id) }
  }
  public func conversations(
    _ workspace: WorkspaceID, of customer: CustomerID, limit: Int
  ) throws(StoreFault) -> [ConversationRow] {
    try rows(.conversationsOfCustomer) { columns in
      columns.put(workspace, customer)
      columns.put(Int64(limit))
    }
  }
  public func openConversations(
    _ workspace: WorkspaceID, of customer: CustomerID, limit: Int
  ) throws(StoreFault) -> [ConversationRow] {
    try rows(.openOfCustomer) { columns in
      columns.put(workspace, customer)
      columns.put(Int64(limit))
    }
  }
  public func session(_ workspace: WorkspaceID, _ id: SessionID) throws(StoreFault) -> SessionRow? {
    try one(.session) { $0.put(workspace, id) }
  }
  public func sessions(_ workspace: WorkspaceID, of conversation: ConversationID) throws(StoreFault)
    -> [SessionRow]
  {
    try rows(.sessionsOfConversation) { $0.put(workspace, conversation) }
  }
  public func aCase(_ workspace: WorkspaceID, _ id: CaseID) throws(StoreFault) -> CaseRow? {
    try one(.aCase) { $0.put(workspace, id) }
  }
  public func cases(_ workspace: WorkspaceID, of conversation: ConversationID) throws(StoreFault)
    -> [CaseRow]
  {
    try rows(.casesOfConversation) { $0.put(workspace, conversation) }
  }
  public func facts(_ workspace: WorkspaceID, of aCase: CaseID) throws(StoreFault) -> FactsRow? {
    try one(.facts) { $0.put(workspace, aCase) }
  }
  public func outcome(_ workspace: WorkspaceID, key: [UInt8]) throws(StoreFault) -> OutcomeRow? {
    try one(.outcome) { $0.put(workspace, key) }
  }
  public func key(_ workspace: WorkspaceID, _ space: KeyRow.Space, _ key: [UInt8])
    throws(StoreFault) -> [UInt8]?
  {
    let found: KeyRow? = try one(.key) { columns in
      columns.put(workspace)
      columns.put(Int64(space.rawValue))
      columns.put(key)
    }
    return found?.value
  }
  public func entry(_ workspace: WorkspaceID, _ id: EntryID) throws(StoreFault) -> EntryRow? {
    try ask { queries throws(StoreFault) in try queries.entry(workspace, id) }
  }
  public func blob(_ workspace: WorkspaceID, _ id: BlobID) throws(StoreFault) -> BlobRow? {
    try one(.blob) { $0.put(workspace, id) }
  }
  public func entries(
    _ workspace: WorkspaceID, naming attachment: BlobID
  ) throws(StoreFault) -> [EntryID] {
    try ask { queries throws(StoreFault) in
      try queries.entries(workspace, naming: attachment, after: EntryID(0))
    }
  }
  /// All rows that refer to the bytes with this hash.
  public func blobs(_ workspace: WorkspaceID, hash: Digest) throws(StoreFault) -> [BlobRow] {
    try rows(.blobsByHash) { columns in
      columns.put(workspace)
      columns.put(hash)
    }
  }

  /// Of all bytes that rows refer to, each once. A row that does not match its checksum is left out:
  /// the integrity check tells of it.
  func blobHashes(_ workspace: WorkspaceID) throws(StoreFault) -> [Digest] {
    try ask { queries throws(StoreFault) in
      let all = try queries.prepare(
        Table.blobs.select("INDEXED BY blobs_by_hash WHERE workspace=? ORDER BY hash"), "list blobs"
      )
      all.begin()
      all.put(workspace)
      var hashes: [Digest] = []
      try all.eachReadable(.blobs, BlobRow.inWorkspace) { row in
        if row.hash != hashes.last { hashes.append(row.hash) }
      }
      return hashes
    }
  }

  // MARK: Timelines

  public func timeline(
    _ workspace: WorkspaceID, of customers: [CustomerID], from: EntryID, _ direction: PageDirection,
    atMost: EntryID, limit: Int, visible: Visibility
  ) throws(StoreFault) -> [EntryRow] {
    try ask { queries throws(StoreFault) in
      try queries.atOnce { queries throws(StoreFault) in
        var page = TimelinePage(from: from, direction, atMost: atMost, limit: limit)
        for customer in customers { try page.gather(queries, workspace, customer, visible) }
        return try page.numbers.map { number throws(StoreFault) in
          let entry: EntryRow?
          do throws(StoreFault) {
            entry = try queries.bound(.entry) { columns in
              columns.put(workspace)
              columns.put(number)
            }.one(.entries, EntryRow.inWorkspace)
          } catch {
            guard case .corrupt = error, let customer = customers.first else { throw error }
            store.tell(damage: error)
            return EntryRow(damaged: EntryID(number), of: customer, visible)
          }
          // Then the index is damaged, and its order leads nowhere: whoever pages by it would go round.
          guard let entry else {
            throw StoreFault.corrupt(what: "entry \(number) is in the index but not there")
          }
          return entry
        }
      }
    }
  }
  public func transcript(
    _ workspace: WorkspaceID, of conversation: ConversationID, after: EntryID, limit: Int,
    visible: Visibility
  ) throws(StoreFault) -> [EntryRow] {
    try rows(.transcript) { columns in
      columns.put(workspace, conversation)
      columns.put(after)
      columns.put(Int64(visible.rawValue))
      columns.put(Int64(limit))
    }
  }

  public func readableTranscript(
    _ workspace: WorkspaceID, of conversation: ConversationID, limit: Int, visible: Visibility
  ) throws(StoreFault) -> [EntryRow] {
    try ask { queries throws(StoreFault) in
      let statement = queries.bound(.lastOfConversation) { columns in
        columns.put(workspace, conversation)
        columns.put(Int64(visible.rawValue))
        columns.put(Int64(limit))
      }
      var rows: [EntryRow] = []
      try statement.eachReadable(
        .entries, EntryRow.inWorkspace, damaged: { store.tell(damage: $0) }
      ) { rows.append($0) }
      return rows.reversed()
    }
  }

  public func search(
    _ workspace: WorkspaceID, _ query: SearchQuery, words: (EntryRow) -> EntryWords
  ) throws(StoreFault) -> SearchPage {
    let finder: SearchFinder
    if let known = self.finder {
      finder = known
    } else {
      finder = try SearchFinder(store.folder)
      self.finder = finder
    }
    let page = try ask { queries throws(StoreFault) in
      try queries.atOnce { queries throws(StoreFault) in
        try finder.find(workspace, query, queries, words)
      }
    }
    for damage in page.damaged { store.tell(damage: damage) }
    return page
  }

  // MARK: Privacy

  public func erasures(_ workspace: WorkspaceID) throws(StoreFault) -> [ErasureReceipt] {
    var receipts: [ErasureReceipt] = try rows(.erasures) { $0.put(workspace) }
    for index in receipts.indices {
      let row = KeyRow.dropped(0, by: receipts[index].number)
      let value = try key(workspace, row.space, row.key)
      receipts[index].damaged =
        KeyRow(space: row.space, key: row.key, value: value).droppedCount ?? 0
    }
    return receipts
  }
  public func accesses(
    _ workspace: WorkspaceID, of customer: CustomerID?, before: Int64, limit: Int
  ) throws(StoreFault) -> [(number: Int64, access: AccessRow)] {
    let rows: [AccessColumns] = try rows(customer == nil ? .accesses : .accessesOfCustomer) {
      columns in
      columns.put(workspace)
      if let customer { columns.put(customer) }
      columns.put(before)
      columns.put(Int64(limit))
    }
    return rows.map { ($0.number, $0.access) }
  }
}
