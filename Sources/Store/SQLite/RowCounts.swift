internal import GRDB
internal import GRDBSQLite
import Model
import Records

/// How many rows of one workspace were committed to each counted table (`Table.isCounted`): the only
/// thing that misses one that has vanished whole, with its places in the indexes. What belongs to the
/// whole folder is counted under workspace 0.
///
/// It is written in the transaction that changes the rows, once, so that it costs a commit one row
/// and a command nothing but to tell new rows from changed ones.
struct RowCounts: Hashable {
  static let folder = WorkspaceID(0)

  private var numbers: [Table: Int64] = [:]

  subscript(table: Table) -> Int64 {
    get { numbers[table] ?? 0 }
    set { numbers[table] = newValue }
  }

  static func tables(of workspace: WorkspaceID) -> [Table] {
    let ofFolder: Set<Table> = [.workspaces, .secrets]
    return Table.allCases.filter {
      $0.isCounted && ofFolder.contains($0) == (workspace == folder)
    }
  }
}

extension RowCounts: ColumnRow {
  static var table: Table { .counts }

  /// The table's number and how many, in nine bytes each, in the order of the tables.
  func put(into columns: Prepared) {
    var bytes: [UInt8] = []
    for (table, count) in numbers.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      bytes.append(table.rawValue)
      withUnsafeBytes(of: count.bigEndian) { bytes.append(contentsOf: $0) }
    }
    columns.put(bytes)
  }

  static func read(_ columns: Prepared) throws(StoreFault) -> RowCounts {
    let bytes = columns.bytes()
    guard bytes.count % 9 == 0 else { throw .corrupt(what: "half a count of rows") }
    var counts = RowCounts()
    for start in stride(from: 0, to: bytes.count, by: 9) {
      guard let table = Table(rawValue: bytes[start]) else {
        throw .corrupt(what: "a count of rows of an unknown table")
      }
      counts[table] = bytes[(start + 1)..<(start + 9)].reduce(0) { $0 << 8 | Int64($1) }
    }
    return counts
  }
}

extension RowCounts {
  /// As they are at this moment.
  static func there(
    _ workspace: WorkspaceID, _ count: (Table, WorkspaceID) throws(StoreFault) -> Int64
  ) throws(StoreFault) -> RowCounts {
    var counts = RowCounts()
    for table in tables(of: workspace) { counts[table] = try count(table, workspace) }
    return counts
  }

  static func question(_ table: Table, of workspace: WorkspaceID) -> String {
    let all = "SELECT count(*) FROM \(table.name)"
    return workspace == folder ? all : "\(all) WHERE workspace=\(workspace.raw)"
  }

  /// For a folder that was not counted before.
  static func countAll(_ db: Database) throws {
    guard let connection = db.sqliteConnection else { return }
    var workspaces: Set<Int64> = []
    for table in Table.allCases where table.isCounted && table != .secrets {
      workspaces.formUnion(
        try Int64.fetchAll(db, sql: "SELECT DISTINCT workspace FROM \(table.name)"))
    }
    let put = try Prepared(connection, Table.counts.insert, "count rows")
    for workspace in [folder]
      + workspaces.sorted().compactMap({ UInt32(exactly: $0) }).map({ WorkspaceID($0) })
    where workspace == folder || workspace.raw > 0 {
      let counts = try there(workspace) { table, workspace throws(StoreFault) in
        let count = try Prepared(connection, question(table, of: workspace), "count rows")
        defer { count.reset() }
        return try count.step() ? count.integer(at: 0) : 0
      }
      put.begin(.counts)
      put.put(workspace)
      counts.put(into: put)
      try put.runSealed()
    }
  }
}
