internal import GRDBSQLite
import Model
import Records
import System

/// The writing connection's statements, and where each workspace's log ends. Used by one thread at
/// a time.
final class Writer {
  let connection: OpaquePointer
  let checkpointer: Checkpointer
  /// What SQLite's hook reports after each commit: how many pages the write-ahead log holds.
  private let walPages: UnsafeMutablePointer<Int32>
  /// Forgotten whenever a commit fails, since then only the disk knows.
  private var heads: [WorkspaceID: LogHead] = [:]
  /// The same; nil where the row itself is damaged, which is left as it is for the check to find.
  private var counts: [WorkspaceID: RowCounts?] = [:]
  private var recounted: Set<WorkspaceID> = []

  private let begin: Prepared
  private let commit: Prepared
  private let rollback: Prepared
  /// By `Table.rawValue`; the log and the entries are only ever appended.
  private let puts: [Prepared]
  /// Of the counted tables alone.
  private let insertsIfNew: [Table: Prepared]
  private let deletes: [Prepared]
  private let readHead: Prepared
  private let readCounts: Prepared
  private let readSecret: Prepared
  private let lastWorkspace: Prepared
  private let everyWorkspace: Prepared
  private let countSecrets: Prepared
  private let countWorkspaces: Prepared
  private let forget: Prepared
  /// What erasing and the access log need, prepared when they first do.
  var privacy: PrivacyStatements?

  init(_ connection: OpaquePointer, _ checkpointer: Checkpointer) throws(StoreFault) {
    self.connection = connection
    self.checkpointer = checkpointer
    begin = try Prepared(connection, "BEGIN IMMEDIATE", "begin a transaction")
    commit = try Prepared(connection, "COMMIT", "commit a transaction")
    rollback = try Prepared(connection, "ROLLBACK", "roll a transaction back")
    var puts: [Prepared] = []
    var deletes: [Prepared] = []
    var insertsIfNew: [Table: Prepared] = [:]
    for table in Table.allCases {
      if table.isCounted {
        insertsIfNew[table] = try Prepared(
          connection, table.insertIfNew, "write to \(table.name)")
      }
      let appended = [.log, .entries, .workspaces].contains(table)
      puts.append(
        try Prepared(connection, appended ? table.insert : table.upsert, "write to \(table.name)"))
      deletes.append(try Prepared(connection, table.delete, "delete from \(table.name)"))
    }
    self.puts = puts
    self.deletes = deletes
    self.insertsIfNew = insertsIfNew
    readCounts = try Prepared(connection, Table.counts.selectByKey, "read how many rows there are")
    readHead = try Prepared(connection, Table.heads.selectByKey, "read the head of the log")
    readSecret = try Prepared(connection, Table.secrets.selectByKey, "read a secret")
    lastWorkspace = try Prepared(
      connection, "SELECT coalesce(max(workspace), 0) FROM workspaces", "number a workspace")
    everyWorkspace = try Prepared(
      connection, "SELECT workspace FROM workspaces ORDER BY workspace", "list the workspaces")
    countSecrets = try Prepared(
      connection, RowCounts.question(.secrets, of: RowCounts.folder), "count the secrets")
    countWorkspaces = try Prepared(
      connection, RowCounts.question(.workspaces, of: RowCounts.folder), "count the workspaces")
    forget = try Prepared(
      connection,
      """
      DELETE FROM outcomes WHERE (workspace, key) IN (SELECT workspace, key FROM outcomes
      INDEXED BY outcomes_by_age WHERE workspace=? AND at<? LIMIT ?)
      """, "forget old outcomes")
    walPages = .allocate(capacity: 1)
    walPages.initialize(to: 0)
    sqlite3_wal_hook(
      connection,
      { pages, _, _, count in
        pages?.assumingMemoryBound(to: Int32.self).pointee = count
        return SQLITE_OK
      }, walPages)
  }

  deinit {
    sqlite3_wal_hook(connection, nil, nil)
    walPages.deallocate()
  }

  // MARK: Commits

  func commit(_ commits: [Commit]) throws(StoreFault) {
    try transaction { () throws(StoreFault) in
      for commit in commits { try write(commit) }
    }
    checkpointer.committed(walPages: walPages.pointee, writer: connection)
  }

  private func write(_ commit: Commit) throws(StoreFault) {
    let workspace = commit.workspace
    let before = try head(of: workspace)
    var head = before
    for record in commit.log { try append(record, to: &head, workspace) }
    for entry in commit.entries {
      guard entry.id.raw == head.entry.raw &+ 1 else {
        throw .outOfOrder(expected: head.entry.raw &+ 1, got: entry.id.raw)
      }
      head.entry = entry.id
      try put(entry, workspace)
    }
    for entry in commit.rewritten {
      guard entry.id <= head.entry else {
        throw .outOfOrder(expected: head.entry.raw, got: entry.id.raw)
      }
      try rewrite(entry, workspace)
    }
    for row in commit.outbox {
      head.outbox = max(head.outbox, row.id)
      if row.payload != nil {
        try put(row, workspace)
      } else {
        try delete(row, workspace) { $0.put(row.id) }
      }
    }
    for row in commit.work {
      if row.value != nil {
        try put(row, workspace)
      } else {
        try delete(row, workspace) { columns in
          columns.put(Int64(row.kind))
          columns.put(row.key)
        }
      }
    }
    for row in commit.keys {
      if row.value != nil {
        try put(row, workspace)
      } else {
        try delete(row, workspace) { columns in
          columns.put(Int64(row.space.rawValue))
          columns.put(row.key)
        }
      }
    }
    for row in commit.customers { try put(row, workspace) }
    for row in commit.identities { try put(row, workspace) }
    for row in commit.conversations { try put(row, workspace) }
    for row in commit.sessions { try put(row, workspace) }
    for row in commit.cases { try put(row, workspace) }
    for row in commit.facts { try put(row, workspace) }
    for row in commit.outcomes { try put(row, workspace) }
    for row in commit.blobs { try put(row, workspace) }
    for row in commit.configurations {
      try put(ConfigurationColumns(version: row.version, bytes: row.bytes), workspace)
    }
    if head != before {
      try put(head, workspace)
      heads[workspace] = head
    }
  }

  private func append(_ record: LogRecord, to head: inout LogHead, _ workspace: WorkspaceID)
    throws(StoreFault)
  {
    guard record.position == head.position &+ 1 else {
      throw .outOfOrder(expected: head.position &+ 1, got: record.position)
    }
    head.position = record.position
    head.at = record.at
    head.chain = Checksum.chain(head.chain, record)
    let columns = statement(puts, .log)
    columns.put(workspace)
    columns.put(record.position)
    columns.put(record.at)
    columns.put(record.bytes)
    columns.put(head.chain)
    try columns.run()
  }

  func head(of workspace: WorkspaceID) throws(StoreFault) -> LogHead {
    if let known = heads[workspace] { return known }
    readHead.begin(.heads)
    readHead.put(workspace)
    let head = try readHead.one(.heads, LogHead.inWorkspace) ?? LogHead()
    heads[workspace] = head
    return head
  }

  // MARK: Administration

  func addWorkspace(named name: String) throws(StoreFault) -> WorkspaceRow {
    try transaction { () throws(StoreFault) in
      // One that vanished would be made anew, empty and under another number.
      try expectAll(.workspaces, countWorkspaces)
      var last: Int64 = 0
      if try lastWorkspace.step() { last = lastWorkspace.integer(at: 0) }
      lastWorkspace.reset()
      guard let number = UInt32(exactly: last &+ 1) else {
        throw .failed(doing: "add the workspace \(name)", why: "there is no number left")
      }
      let row = WorkspaceRow(id: WorkspaceID(number), name: name)
      try put(row, countedUnder: RowCounts.folder)
      try put(KeyRow.named(upTo: EntryID(.max)), row.id)
      return row
    }
  }

  func save(_ token: TokenRow) throws(StoreFault) {
    try transaction { () throws(StoreFault) in try put(token, countedUnder: token.workspace) }
  }

  func save(_ verified: VerifiedMark, _ workspace: WorkspaceID) throws(StoreFault) {
    try transaction { () throws(StoreFault) in try put(verified, workspace) }
  }

  func makeSecret(named name: String) throws(StoreFault) -> [UInt8] {
    try transaction { () throws(StoreFault) in
      readSecret.begin(.secrets)
      readSecret.put(name)
      // Another reader may have been first.
      if let known = try readSecret.one(.secrets, SecretColumns.read) { return known.bytes }
      // A new one in the place of one that vanished would make strangers of everybody.
      try expectAll(.secrets, countSecrets)
      let bytes = Entropy.bytes(32)
      try put(SecretColumns(name: name, bytes: bytes), countedUnder: RowCounts.folder)
      return bytes
    }
  }

  /// - Errors: `.corrupt` where rows of the folder are gone.
  private func expectAll(_ table: Table, _ count: Prepared) throws(StoreFault) {
    guard let counted = try counts(of: RowCounts.folder), try count.step() else { return }
    let there = count.integer(at: 0)
    count.reset()
    guard there >= counted[table] else {
      throw .corrupt(
        what:
          "of \(counted[table]) \(table.name) of this folder \(there) are there; restore the last "
          + "good backup")
    }
  }

  /// True while there may be more of them.
  func forgetOutcomes(before: Instant, limit: Int) throws(StoreFault) -> Bool {
    try transaction { () throws(StoreFault) in
      var workspaces: [WorkspaceID] = []
      while try everyWorkspace.step() {
        if let raw = UInt32(exactly: everyWorkspace.integer(at: 0)) {
          workspaces.append(WorkspaceID(raw))
        }
      }
      var left = Int64(limit)
      for workspace in workspaces where left > 0 {
        forget.begin(.outcomes)
        forget.put(workspace)
        forget.put(before)
        forget.put(left)
        try forget.run()
        let gone = sqlite3_changes64(connection)
        try count(-gone, .outcomes, workspace)
        left -= gone
      }
      return left <= 0
    }
  }

  /// Moves all that is left, before closing.
  func finish() {
    checkpointer.stop()
    sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
  }

  // MARK: Statements

  func transaction<T>(_ body: () throws(StoreFault) -> T) throws(StoreFault) -> T {
    try begin.run()
    do throws(StoreFault) {
      let value = try body()
      for workspace in recounted.sorted() {
        if let counts = try counts(of: workspace) { try put(counts, workspace) }
      }
      recounted.removeAll(keepingCapacity: true)
      try commit.run()
      return value
    } catch {
      heads.removeAll()
      counts.removeAll()
      recounted.removeAll()
      // SQLite has rolled back by itself after a full disk or an I/O error; else it is for us.
      if sqlite3_get_autocommit(connection) == 0 { try rollback.run() }
      throw error
    }
  }

  private func statement(_ of: [Prepared], _ table: Table) -> Prepared {
    let statement = of[Int(table.rawValue) - 1]
    statement.begin(table)
    return statement
  }
  func put<R: ColumnRow>(_ row: R, _ workspace: WorkspaceID) throws(StoreFault) {
    try put(R.table, countedUnder: workspace) { columns in
      columns.put(workspace)
      row.put(into: columns)
    }
  }
  /// For a row that says its workspace itself, or has none.
  private func put<R: ColumnRow>(_ row: R, countedUnder workspace: WorkspaceID) throws(StoreFault) {
    try put(R.table, countedUnder: workspace) { row.put(into: $0) }
  }

  private func put(
    _ table: Table, countedUnder workspace: WorkspaceID, _ bind: (Prepared) -> Void
  ) throws(StoreFault) {
    if let insert = insertsIfNew[table] {
      insert.begin(table)
      bind(insert)
      try insert.runSealed()
      // What was there already is changed, and names of workspaces never are.
      if sqlite3_changes64(connection) > 0 { return try count(1, table, workspace) }
    }
    let columns = statement(puts, table)
    bind(columns)
    try columns.runSealed()
  }

  func delete<R: ColumnRow>(
    _ row: R, _ workspace: WorkspaceID, _ key: (Prepared) -> Void
  ) throws(StoreFault) {
    try delete(R.table, workspace, key)
  }

  func delete(
    _ table: Table, _ workspace: WorkspaceID, _ key: (Prepared) -> Void
  ) throws(StoreFault) {
    let columns = statement(deletes, table)
    columns.put(workspace)
    key(columns)
    try columns.run()
    try count(-sqlite3_changes64(connection), table, workspace)
  }

  // MARK: Counts

  /// So many rows more of a counted table; nothing happens for another.
  func count(_ change: Int64, _ table: Table, _ workspace: WorkspaceID) throws(StoreFault) {
    guard table.isCounted, change != 0, var known = try counts(of: workspace) else { return }
    known[table] += change
    counts[workspace] = known
    recounted.insert(workspace)
  }

  private func counts(of workspace: WorkspaceID) throws(StoreFault) -> RowCounts? {
    if let known = counts[workspace] { return known }
    readCounts.begin(.counts)
    readCounts.put(workspace)
    do throws(StoreFault) {
      let read = try readCounts.one(.counts, RowCounts.inWorkspace) ?? RowCounts()
      counts[workspace] = .some(read)
      return read
    } catch .corrupt {
      counts[workspace] = .some(nil)
      return nil
    }
  }
}
