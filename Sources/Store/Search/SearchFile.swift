internal import GRDB
internal import GRDBSQLite
import Model
import Records

/// The full-text index: a SQLite file of its own, `<folder>/search.sqlite`. It holds nothing that
/// the entries do not hold, so that it may be thrown away and made anew, and writing to it never
/// holds up a commit (docs/decisions/0014-search.md).
///
/// A row's number is the workspace in the upper bits and the entry's number in the lower ones:
/// newest first is then the index's own order, and one workspace is one range of it. `tags` holds
/// what is filtered by and never changes: the customer record and the channel.
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
  static func tags(_ entry: EntryRow, _ words: EntryWords) -> String {
    ([tag(entry.customer)] + (words.channel.map { [tag($0)] } ?? [])).joined(separator: " ")
  }

  /// `lost`: entries that the index had seen and that were not there any more.
  static let schema = """
    CREATE TABLE IF NOT EXISTS progress(workspace INTEGER PRIMARY KEY, entry INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS lost(
      workspace INTEGER PRIMARY KEY, seen INTEGER NOT NULL, entry INTEGER NOT NULL) STRICT;
    \(words)
    """
  static let words = """
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

  /// Opens it, and makes an empty one where there is none.
  /// - Errors: `.corrupt` for whatever is wrong with what stands there, also with the text of its
  ///   schema; `.failed` where the disk refuses.
  static func open(_ folder: String) throws(StoreFault) -> DatabaseQueue {
    let file = path(folder)
    let doing = "open the index \(file)"
    try Folders.makeFile(file)
    return try storeFault(doing) {
      do {
        var configuration = SQLiteStore.configuration()
        configuration.prepareDatabase { db in
          for pragma in pragmas { try db.execute(sql: "PRAGMA \(pragma)") }
        }
        let queue = try DatabaseQueue(path: file, configuration: configuration)
        try queue.writeWithoutTransaction { db in
          try db.execute(sql: "PRAGMA synchronous=NORMAL")
          try db.execute(sql: schema)
          let isEmpty = try Int64.fetchOne(db, sql: "SELECT max(rowid) FROM words") == nil
          let hasSeen = try Int64.fetchOne(db, sql: "SELECT max(entry) FROM progress") != nil
          guard isEmpty || hasSeen else {
            throw StoreFault.corrupt(what: "\(file) does not say how far it has come")
          }
        }
        return queue
      } catch let error as DatabaseError where !isOfDisk(error) {
        throw StoreFault.corrupt(what: "could not \(doing): \(error.message ?? "\(error)")")
      }
    }
  }

  /// Whether the machine refuses, and not what stands in the file.
  private static func isOfDisk(_ error: DatabaseError) -> Bool {
    [
      .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_BUSY, .SQLITE_NOMEM,
      .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_LOCKED,
    ].contains(error.resultCode)
  }

  static func remove(_ folder: String) throws(StoreFault) {
    for companion in ["", "-wal", "-shm"] { try Folders.remove(path(folder) + companion) }
  }
}
