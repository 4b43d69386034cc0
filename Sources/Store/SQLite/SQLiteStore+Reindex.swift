internal import GRDB
import Records

extension SQLiteStore {
  /// Makes every index anew from its table. What an index alone had wrong is right then; damaged rows
  /// stay as they are. Nobody else may hold the folder.
  ///
  /// `REINDEX` empties an index by walking through its pages, so that it fails where one of these is
  /// no page any more, and may leave pages that belong to nobody. Then the indexes are taken out of
  /// the schema, unread, and made as new ones, and the file is written anew without what is left of
  /// them: that wants as much free space again.
  public func reindex() throws(StoreFault) {
    try write("make the indexes anew") { writer throws(StoreFault) in
      try storeFault("make the indexes anew") {
        try queue.unsafeReentrantWrite { db in
          do {
            try Self.reindex(db)
            if try Self.isSound(db) { return }
          } catch let error as DatabaseError
            where [.SQLITE_CORRUPT, .SQLITE_CONSTRAINT].contains(error.resultCode)
          {}  // Told by what follows, if that fails, too.
          try Self.makeIndexes(db)
          try db.execute(sql: "VACUUM")
        }
      }
      _ = try writer.emptyLog()
    }
  }

  private static func reindex(_ db: Database) throws {
    try db.execute(sql: "BEGIN IMMEDIATE")
    do {
      try db.execute(sql: "REINDEX")
      try db.execute(sql: "COMMIT")
    } catch {
      if db.isInsideTransaction { try db.execute(sql: "ROLLBACK") }
      throw error
    }
  }

  private static func isSound(_ db: Database) throws -> Bool {
    try String.fetchAll(db, sql: "PRAGMA integrity_check(1)") == ["ok"]
  }

  private static func makeIndexes(_ db: Database) throws {
    try db.execute(sql: "PRAGMA writable_schema=ON")
    defer { do { try db.execute(sql: "PRAGMA writable_schema=OFF") } catch {} }
    try db.execute(sql: "BEGIN IMMEDIATE")
    do {
      // Those of a UNIQUE constraint have no words of their own, and are made with their table.
      let made = "FROM sqlite_schema WHERE type='index' AND sql IS NOT NULL"
      let indexes = try String.fetchAll(db, sql: "SELECT sql \(made) ORDER BY name")
      try db.execute(sql: "DELETE \(made)")
      // As the schema stands now.
      try db.execute(sql: "PRAGMA writable_schema=RESET")
      for sql in indexes { try db.execute(sql: sql) }
      try db.execute(sql: "COMMIT")
    } catch {
      if db.isInsideTransaction { try db.execute(sql: "ROLLBACK") }
      throw error
    }
  }
}
