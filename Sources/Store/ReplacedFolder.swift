internal import GRDB
import Model
import Records

/// What can still be read of a data folder that a backup is to take the place of. It may be damaged:
/// that is what backups are for. So nothing here asks for more than one row at a time, and a row that
/// cannot be read is told of instead of ending the look.
public final class ReplacedFolder {
  /// Every receipt of an erasure that can be read.
  public private(set) var receipts: [(workspace: WorkspaceID, receipt: ErasureReceipt)] = []
  /// Why there may be more of them, in sentences; empty when all are known.
  public private(set) var lost: [String] = []
  public private(set) var workspaces: [WorkspaceRow] = []

  private let queue: DatabaseQueue?
  private var statements: Statements?

  /// Nil where there is nothing to be replaced.
  init?(_ folder: String) throws(StoreFault) {
    guard try MainFile.isAnythingThere(folder) else { return nil }
    let file = MainFile.path(folder)
    switch try Folders.size(file) {
    case nil: lost.append("\(file) is missing")
    case let size? where size < MainFile.bytesMin: lost.append("\(file) has \(size) bytes")
    default: break
    }
    guard lost.isEmpty else {
      (queue, statements) = (nil, nil)
      return
    }
    do throws(StoreFault) {
      let (opened, prepared) = try Self.open(file)
      (queue, statements) = (opened, prepared)
    } catch {
      (queue, statements) = (nil, nil)
      lost.append(error.sentence)
      return
    }
    readWorkspaces()
    readReceipts()
  }

  private static func open(_ file: String) throws(StoreFault) -> (DatabaseQueue, Statements) {
    try storeFault("open \(file)") {
      var configuration = SQLiteStore.configuration()
      configuration.readonly = true
      let queue = try DatabaseQueue(path: file, configuration: configuration)
      let statements = try queue.unsafeReentrantRead { db in
        try db.execute(sql: "PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF")
        guard let connection = db.sqliteConnection else {
          throw StoreFault.failed(doing: "open \(file)", why: "it is closed")
        }
        let tables = try String.fetchSet(db, sql: "SELECT name FROM sqlite_schema")
        return UnsafeSend(value: try Statements(connection, tables))
      }
      return (queue, statements.value)
    }
  }

  /// As far as an older server had such a table.
  private final class Statements {
    let workspaces: Prepared
    let heads: Prepared
    let entry: Prepared
    let lastEntry: Prepared
    let erasures: Prepared?
    let counts: Prepared?

    init(_ connection: OpaquePointer, _ tables: Set<String>) throws(StoreFault) {
      func prepare(_ table: Table, _ sql: String) throws(StoreFault) -> Prepared {
        try Prepared(connection, sql, "read \(table.name) of the folder that is replaced")
      }
      workspaces = try prepare(.workspaces, Table.workspaces.select("ORDER BY workspace"))
      heads = try prepare(.heads, Table.heads.selectByKey)
      entry = try prepare(.entries, Table.entries.selectByKey)
      lastEntry = try prepare(.entries, "SELECT max(entry) FROM entries WHERE workspace=?")
      erasures =
        tables.contains(Table.erasures.name)
        ? try prepare(.erasures, Table.erasures.select("ORDER BY workspace, number")) : nil
      counts =
        tables.contains(Table.counts.name) ? try prepare(.counts, Table.counts.selectByKey) : nil
    }
  }

  // MARK: Receipts

  private func readWorkspaces() {
    guard let statement = statements?.workspaces else { return }
    each(statement, .workspaces, WorkspaceRow.read) {
      self.workspaces.append($0)
    } failed: { _ in
    }
  }

  private func readReceipts() {
    guard let statement = statements?.erasures else { return }
    // Numbered from 1 without a gap, so that one that is gone is missed, too.
    var next: [WorkspaceID: Int64] = [:]
    each(
      statement, .erasures,
      { columns throws(StoreFault) in
        (workspace: try columns.workspace(), receipt: try ErasureReceipt.read(columns))
      }
    ) { found in
      next[found.workspace] = (next[found.workspace] ?? 1) + 1
      self.receipts.append(found)
    } failed: {
      self.lost.append($0.sentence)
    }
    for (workspace, next) in next.sorted(by: { $0.key < $1.key }) {
      let last = receipts.last { $0.workspace == workspace }?.receipt.number ?? 0
      if last >= next, lost.isEmpty {
        lost.append("receipts of workspace \(workspace.raw) are missing")
      }
    }
    for workspace in Set(workspaces.map(\.id)).union(next.keys).sorted() where lost.isEmpty {
      let said = counted(.erasures, workspace)
      if said > (next[workspace] ?? 1) - 1 {
        lost.append("receipts of workspace \(workspace.raw) are missing")
      }
    }
  }

  private func counted(_ table: Table, _ workspace: WorkspaceID) -> Int64 {
    guard let counts = statements?.counts else { return 0 }
    counts.begin()
    counts.put(workspace)
    do throws(StoreFault) {
      return try counts.one(.counts, RowCounts.inWorkspace)?[table] ?? 0
    } catch {
      lost.append(error.sentence)
      return 0
    }
  }

  private func each<T>(
    _ statement: Prepared, _ table: Table, _ read: (Prepared) throws(StoreFault) -> T,
    _ body: (T) -> Void, failed: (StoreFault) -> Void
  ) {
    statement.begin()
    defer { statement.reset() }
    do throws(StoreFault) {
      while try statement.step() {
        do throws(StoreFault) { body(try statement.checked(table, read)) } catch { failed(error) }
      }
    } catch { failed(error) }
  }

  // MARK: Entries

  /// The last entry there is; as far as can be told.
  public func lastEntry(_ workspace: WorkspaceID) throws(StoreFault) -> EntryID {
    guard let statements else { return EntryID(0) }
    statements.heads.begin()
    statements.heads.put(workspace)
    do throws(StoreFault) {
      return try statements.heads.one(.heads, LogHead.inWorkspace)?.entry ?? EntryID(0)
    } catch .corrupt {}
    statements.lastEntry.begin()
    statements.lastEntry.put(workspace)
    defer { statements.lastEntry.reset() }
    return try statements.lastEntry.step()
      ? EntryID(statements.lastEntry.integer(at: 0)) : EntryID(0)
  }

  /// - Errors: `.corrupt` for one that is damaged, also for one that should be there and is not.
  public func entry(_ workspace: WorkspaceID, _ id: EntryID) throws(StoreFault) -> EntryRow {
    let missing = StoreFault.corrupt(what: "entry \(id) is missing in workspace \(workspace.raw)")
    guard let statement = statements?.entry else { throw missing }
    statement.begin()
    statement.put(workspace)
    statement.put(id)
    guard let row = try statement.one(.entries, EntryRow.inWorkspace) else { throw missing }
    return row
  }

  /// It is moved away.
  func close() {
    statements = nil
    do { try queue?.close() } catch {}  // It only reads: there is nothing that closing could lose.
  }

  // MARK: Names

  /// Where its own names cannot be read: those that the same numbers have in the backup.
  func know(_ others: [WorkspaceRow]) {
    for row in others where !workspaces.contains(where: { $0.id == row.id }) {
      workspaces.append(row)
    }
  }
}
