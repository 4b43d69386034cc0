internal import GRDB
internal import GRDBSQLite
import Model
import Records

/// The full-text index: a SQLite file of its own, `<folder>/search.sqlite`. It holds nothing that
/// the entries do
/// not hold, so that it may be thrown away and made anew, and writing to it never holds up a commit
/// (docs/decisions/0014-search.md).
///
/// A row's number is the workspace in the upper bits and the entry's number in the lower ones:
/// newest first is
/// then the index's own order, and one workspace is one range of it. `tags` holds what is filtered
/// by and never
/// changes: the customer record and the channel.
enum SearchFile {
  static let entryBits: Int64 = 40

  static func path(_ folder: String) -> String { "\(folder)/search.sqlite" }

  /// Where a workspace's numbers begin.
  static func base(_ workspace: WorkspaceID) -> Int64 {
    Int64(workspace.raw & 0x7f_ffff) << entryBits
  }
  static func row(_ workspace: WorkspaceID, _ entry: EntryID) -> Int64 {
    base(workspace) | min(max(entry.raw, 0), (1 << entryBits) - 1)
  }

  static func tag(_ customer: CustomerID) -> String { "c\(customer.description.suffix(26))" }
  static func tag(_ channel: Channel) -> String { "h\(channel.rawValue)" }

  static let schema = """
    CREATE TABLE IF NOT EXISTS progress(workspace INTEGER PRIMARY KEY, entry INTEGER NOT NULL) STRICT;
    CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
      text, tags, tokenize="unicode61 remove_diacritics 2");
    """

  /// A sync a batch is not needed: what a power cut takes is indexed again. (`NORMAL` never leaves
  /// a torn file.)
  static let pragmas = [
    "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32768", "temp_store=MEMORY",
    "trusted_schema=OFF",
    "secure_delete=ON", "journal_size_limit=16777216",
  ]

  /// Opens it, and makes a new one where there is none or where it is damaged.
  static func open(_ folder: String) throws(StoreFault) -> DatabaseQueue {
    do throws(StoreFault) { return try openOnce(folder) } catch .corrupt {
      try remove(folder)
      return try openOnce(folder)
    }
  }

  private static func openOnce(_ folder: String) throws(StoreFault) -> DatabaseQueue {
    let file = path(folder)
    try Folders.makeFile(file)
    return try storeFault("open the index \(file)") {
      var configuration = SQLiteStore.configuration()
      configuration.prepareDatabase { db in
        for pragma in pragmas { try db.execute(sql: "PRAGMA \(pragma)") }
      }
      let queue = try DatabaseQueue(path: file, configuration: configuration)
      try queue.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA synchronous=NORMAL")
        try db.execute(sql: schema)
        _ = try Int64.fetchOne(db, sql: "SELECT max(rowid) FROM words")
      }
      return queue
    }
  }

  static func remove(_ folder: String) throws(StoreFault) {
    for companion in ["", "-wal", "-shm"] { try Folders.remove(path(folder) + companion) }
  }
}
