internal import GRDB
internal import GRDBSQLite
import Model
import Records
import Synchronization

/// The index's one writing connection.
///
/// The index holds nothing that the entries do not: so it never keeps a server from starting. One that
/// is damaged is made anew; while none can be opened, since the disk refuses, there is no search, and
/// each round tries again.
final class SearchIndexer: Sendable {
  private let folder: String
  private let held: Mutex<State>

  private enum State {
    case open(UnsafeSend<Open>)
    case unavailable(StoreFault)
    case closed
  }
  private struct Open {
    var queue: DatabaseQueue
    var statements: Statements
  }

  init(_ folder: String) {
    self.folder = folder
    held = Mutex(Self.opened(folder))
  }

  private static func opened(_ folder: String) -> State {
    do throws(StoreFault) {
      do throws(StoreFault) { return .open(try open(folder)) } catch .corrupt {
        try SearchFile.remove(folder)
        return .open(try open(folder))
      }
    } catch { return .unavailable(error) }
  }

  private static func open(_ folder: String) throws(StoreFault) -> UnsafeSend<Open> {
    let queue = try SearchFile.open(folder)
    return try storeFault("prepare the index") {
      try queue.writeWithoutTransaction { db in
        guard let connection = db.sqliteConnection else {
          throw StoreFault.failed(doing: "prepare the index", why: "it is closed")
        }
        do throws(StoreFault) {
          return UnsafeSend(value: Open(queue: queue, statements: try Statements(connection)))
        } catch {
          // What it asks is not in the tables, whatever their schema says.
          guard sqlite3_errcode(connection) & 0xff == SQLITE_ERROR else { throw error }
          throw StoreFault.corrupt(what: error.sentence)
        }
      }
    }
  }

  /// Indexes the entries after the last one that was, and answers whether none is left. What was
  /// indexed of an entry whose words were changed since goes in the same transaction, so that a
  /// crash finds all of it still to do.
  /// - Parameter emptyLog: takes the old words out of the store's own files; called before that
  ///   transaction.
  func index(
    _ workspace: WorkspaceID, limit: Int, of store: SQLiteStore, words: (EntryRow) -> EntryWords,
    emptyLog: () throws(StoreFault) -> Void
  ) throws(StoreFault) -> Bool {
    let (isDone, hasChanged) = try write("index entries") { statements throws(StoreFault) in
      let reader = try statements.reader(store)
      // What a crash left of entries whose words were changed.
      try statements.emptyLogOnce()
      let head = try reader.head(workspace).entry.raw
      let seen = try statements.seen(workspace)
      guard seen <= head else {
        try statements.begin(anew: workspace, seen: seen, head)
        return (head == 0, false)
      }
      let (entries, last) = try reader.entries(workspace, after: seen, limit: limit)
      let new = entries.map { ($0, words($0)) }
      // Once each: words may have been taken out of one entry twice since the last round.
      let changed = Set(new.compactMap(\.1.changes)).sorted()
      var again: [(EntryRow, EntryWords)] = []
      for id in changed where id.raw <= seen {
        if let row = try reader.entry(workspace, id) { again.append((row, words(row))) }
      }
      if !changed.isEmpty { try emptyLog() }
      if let last { try statements.add(new, again: again, upTo: last, workspace) }
      return ((last ?? seen) >= head, !changed.isEmpty)
    }
    if hasChanged {
      try write("empty the index's log") { statements throws(StoreFault) in
        try statements.leaveNothing()
      }
    }
    return isDone
  }

  /// Removes what the index holds of these entries so that its bytes are gone from its files, too:
  /// the segments that held them are merged into one, and the write-ahead log is emptied.
  func forget(_ entries: [EntryID], _ workspace: WorkspaceID) throws(StoreFault) {
    try write("remove entries from the index") { statements throws(StoreFault) in
      for piece in stride(from: 0, to: entries.count, by: 1_000) {
        try statements.remove(entries[piece..<min(entries.count, piece + 1_000)], workspace)
      }
      try statements.optimize()
    }
  }

  /// How far the index of a workspace had come, where that is farther than its entries go: now, or
  /// when it was begun anew. It is written behind the commits, and each of these is on disk before any
  /// reader sees it (`synchronous=FULL`): so it never knows of an entry that was not durable, whatever
  /// killed the process.
  /// - Parameter settles: whether the index is begun anew at once: before anything is committed that
  ///   it would take for what it has seen.
  func lost(
    _ workspace: WorkspaceID, head: EntryID, settles: Bool
  ) throws(StoreFault) -> (seen: EntryID, entry: EntryID)? {
    try write("look for what was lost") { statements throws(StoreFault) in
      let seen = try statements.seen(workspace)
      if seen > head.raw {
        if settles { try statements.begin(anew: workspace, seen: seen, head.raw) }
        return (EntryID(seen), head)
      }
      return try statements.lost(workspace)
    }
  }

  func close() {
    let was = held.withLock { held in
      defer { held = .closed }
      if case .open(let open) = held { return UnsafeSend<DatabaseQueue?>(value: open.value.queue) }
      return UnsafeSend<DatabaseQueue?>(value: nil)
    }
    do { try was.value?.close() } catch {}  // Its statements are gone; there is nothing else it could report.
  }

  private func write<T>(_ doing: String, _ body: (Statements) throws(StoreFault) -> T)
    throws(StoreFault) -> T
  {
    try held.withLock { held throws(StoreFault) in
      if case .unavailable = held { held = Self.opened(folder) }
      switch held {
      case .closed: throw .failed(doing: doing, why: "the store is closed")
      case .unavailable(let why): throw why
      case .open(let open):
        return UnsafeSend(
          value: try storeFault(doing) {
            try open.value.queue.writeWithoutTransaction { _ in try body(open.value.statements) }
          })
      }
    }.value
  }

  private final class Statements {
    private let connection: OpaquePointer
    private var reader: SQLiteReader?
    private let begin: Prepared
    private let commit: Prepared
    private let rollback: Prepared
    private let readSeen: Prepared
    private let writeSeen: Prepared
    private let insert: Prepared
    private let delete: Prepared
    private let clear: Prepared
    private let merge: Prepared
    private let readLost: Prepared
    private let writeLost: Prepared
    private var hasEmptiedLog = false

    init(_ connection: OpaquePointer) throws(StoreFault) {
      self.connection = connection
      begin = try Prepared(connection, "BEGIN IMMEDIATE", "begin to index")
      commit = try Prepared(connection, "COMMIT", "commit to the index")
      rollback = try Prepared(connection, "ROLLBACK", "roll the index back")
      readSeen = try Prepared(
        connection, "SELECT entry FROM progress WHERE workspace=?", "read the index's progress")
      writeSeen = try Prepared(
        connection,
        "INSERT INTO progress VALUES(?,?) ON CONFLICT(workspace) DO UPDATE SET entry=excluded.entry",
        "write the index's progress")
      insert = try Prepared(
        connection, "INSERT INTO words(rowid, text, tags) VALUES(?,?,?)", "index an entry")
      delete = try Prepared(
        connection, "DELETE FROM words WHERE rowid=?", "remove an entry from the index")
      clear = try Prepared(
        connection, "DELETE FROM words WHERE rowid>=? AND rowid<?", "begin the index anew")
      merge = try Prepared(
        connection, "INSERT INTO words(words) VALUES('optimize')", "merge the index")
      readLost = try Prepared(
        connection, "SELECT seen, entry FROM lost WHERE workspace=?", "read what was lost")
      // What was lost first is what there was most of.
      writeLost = try Prepared(
        connection, "INSERT INTO lost VALUES(?,?,?) ON CONFLICT DO NOTHING", "keep what was lost")
    }

    /// Of the entries, kept from one batch to the next.
    func reader(_ store: SQLiteStore) throws(StoreFault) -> SQLiteReader {
      if let reader { return reader }
      let made = try SQLiteReader(store)
      reader = made
      return made
    }

    func seen(_ workspace: WorkspaceID) throws(StoreFault) -> Int64 {
      readSeen.begin()
      readSeen.put(workspace)
      defer { readSeen.reset() }
      return try readSeen.step() ? readSeen.integer(at: 0) : 0
    }

    /// - Parameter again: what of these is indexed is replaced.
    func add(
      _ entries: [(EntryRow, EntryWords)], again: [(EntryRow, EntryWords)], upTo last: Int64,
      _ workspace: WorkspaceID
    ) throws(StoreFault) {
      try transaction { () throws(StoreFault) in
        for (entry, _) in again { try remove(entry.id, workspace) }
        for (entry, words) in again + entries where !words.text.isEmpty {
          insert.begin()
          insert.put(SearchFile.row(workspace, entry.id))
          insert.put(SearchFile.plain(words.text))
          insert.put(SearchFile.tags(entry, words))
          try insert.run()
        }
        if !again.isEmpty { try merge.run() }
        writeSeen.begin()
        writeSeen.put(workspace)
        writeSeen.put(last)
        try writeSeen.run()
      }
    }

    func lost(_ workspace: WorkspaceID) throws(StoreFault) -> (seen: EntryID, entry: EntryID)? {
      readLost.begin()
      readLost.put(workspace)
      defer { readLost.reset() }
      guard try readLost.step() else { return nil }
      return (EntryID(readLost.integer(at: 0)), EntryID(readLost.integer(at: 1)))
    }

    /// It tells of entries that there are not: the folder went back to an older state of itself. What it
    /// had seen is all that is left of them, and is kept until a restore, or somebody, removes the file.
    func begin(anew workspace: WorkspaceID, seen: Int64, _ head: Int64) throws(StoreFault) {
      try transaction { () throws(StoreFault) in
        writeLost.begin()
        writeLost.put(workspace)
        writeLost.put(seen)
        writeLost.put(head)
        try writeLost.run()
        clear.begin()
        clear.put(SearchFile.base(workspace))
        clear.put(SearchFile.base(WorkspaceID(workspace.raw + 1)))
        try clear.run()
        writeSeen.begin()
        writeSeen.put(workspace)
        writeSeen.put(0 as Int64)
        try writeSeen.run()
      }
    }

    func remove(_ entries: ArraySlice<EntryID>, _ workspace: WorkspaceID) throws(StoreFault) {
      try transaction { () throws(StoreFault) in
        for entry in entries { try remove(entry, workspace) }
      }
    }

    private func remove(_ entry: EntryID, _ workspace: WorkspaceID) throws(StoreFault) {
      delete.begin()
      delete.put(SearchFile.row(workspace, entry))
      try delete.run()
    }

    func optimize() throws(StoreFault) {
      try transaction { () throws(StoreFault) in try merge.run() }
      try leaveNothing()
    }

    /// Searches go on meanwhile.
    func leaveNothing() throws(StoreFault) {
      try emptyLog()
      var next: Int64? = 0
      while let page = next { next = try Remains.clear(connection, from: page) }
    }

    func emptyLogOnce() throws(StoreFault) {
      if hasEmptiedLog { return }
      try emptyLog()
      hasEmptiedLog = true
    }

    func emptyLog() throws(StoreFault) {
      try Checkpoint.truncate(connection, "empty the index's log")
    }

    private func transaction(_ body: () throws(StoreFault) -> Void) throws(StoreFault) {
      try begin.run()
      do throws(StoreFault) {
        try body()
        try commit.run()
      } catch {
        if sqlite3_get_autocommit(connection) == 0 { try rollback.run() }
        throw error
      }
    }
  }
}

extension SearchFile {
  /// Control characters mark the finds in an excerpt, so that none may come from a text.
  static func plain(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 }) else { return text }
    return String(decoding: text.utf8.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
  }
}

enum Checkpoint {
  /// Moves all of the write-ahead log into the file and cuts it to nothing. Readers that are just
  /// reading are waited for, up to the connection's patience.
  static func truncate(_ connection: OpaquePointer, _ doing: String) throws(StoreFault) {
    var tries = 0
    while true {
      let code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
      if code == SQLITE_OK { return }
      tries += 1
      guard code & 0xff == SQLITE_BUSY, tries < 10 else {
        throw StoreFault.of(connection, code, doing)
      }
    }
  }
}
