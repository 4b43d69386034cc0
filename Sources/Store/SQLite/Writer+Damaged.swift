internal import GRDBSQLite
import Model
import Records

/// What an erasure does with rows that do not match their checksum. Nobody can tell what they hold, so
/// all of their words go; one damaged row must not keep a person from being erased. What holds nothing
/// but words goes whole (identities, attachments, facts); of what others rest on, the place stays, as
/// damaged as it was, so that the integrity check goes on telling of it.
extension Writer {
  /// What went with the words of some entries.
  struct Gone {
    var words: Int64 = 0
    var blobs: Int64 = 0
    var damaged: Int64 = 0
    static func += (all: inout Gone, more: Gone) {
      all.words += more.words
      all.blobs += more.blobs
      all.damaged += more.damaged
    }
  }

  /// Takes a row away by its key; answers how many there were.
  func drop(_ table: Table, _ key: [UInt8], _ workspace: WorkspaceID) throws(StoreFault) -> Int64 {
    try delete(table, workspace) { $0.put(key) }
    return sqlite3_changes64(connection)
  }

  /// Takes the words out of rows, which match their checksum no more than before; answers of how many.
  func empty(
    _ table: Table, _ column: String, _ keys: [[UInt8]], _ queries: Queries,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> Int64 {
    guard !keys.isEmpty else { return 0 }
    let key = table.columns[table.keyCount - 1]
    let statement = try queries.prepare(
      "UPDATE \(table.name) SET \(column)=x'' WHERE workspace=? AND \(key)=? AND \(column)<>x''",
      "empty what is damaged in \(table.name)")
    var count: Int64 = 0
    for bytes in keys {
      statement.begin()
      statement.put(workspace, bytes)
      try statement.run()
      count += sqlite3_changes64(connection)
    }
    return count
  }

  // MARK: Entries

  /// Takes the words of entries that cannot be read, and what was attached to them. Where nothing but
  /// the words is damaged, number, place and hash are proven, and the entry is whole again without.
  func eraseDamaged(
    _ numbers: [EntryID], _ forms: ErasedForms, _ blobs: BlobFiles,
    _ statements: PrivacyStatements, _ workspace: WorkspaceID
  ) throws(StoreFault) -> Gone {
    guard !numbers.isEmpty else { return Gone() }
    let queries = statements.queries
    let words = try queries.prepare(
      "UPDATE entries SET body=NULL WHERE workspace=? AND entry=? AND body IS NOT NULL",
      "take the words of a damaged entry")
    var gone = Gone()
    var attached: [BlobID] = []
    for number in numbers {
      if let entry = try wordless(number, queries, workspace) {
        try statements.rewrite(entry, workspace)
        gone.words += 1
        gone.damaged += 1
      } else {
        words.begin()
        words.put(workspace)
        words.put(number)
        try words.run()
        gone.words += sqlite3_changes64(connection)
        gone.damaged += sqlite3_changes64(connection)
      }
      let names = try names(in: number, queries, workspace)
      try forgetNames(names, in: number, workspace)
      attached += names
    }
    gone += try removeUnnamed(named: attached, forms, blobs, queries, workspace)
    return gone
  }

  private func wordless(
    _ number: EntryID, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> EntryRow? {
    let statement = queries.bound(.entry) { columns in
      columns.put(workspace)
      columns.put(number)
    }
    return try StoreFault.unlessCorrupt { () throws(StoreFault) in
      try statement.one(.entries) { columns throws(StoreFault) in
        _ = columns.integer()
        return try EntryRow.readWordless(columns)
      }
    } ?? nil
  }

  /// What an entry is known to name by keys alone, since its words cannot be asked. There is no index
  /// by it: such an entry is rare enough to walk them.
  private func names(
    in entry: EntryID, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> [BlobID] {
    let statement = try queries.prepare(
      "SELECT key FROM keys WHERE workspace=? AND space=? AND substr(key, 17)=?",
      "find what a damaged entry names")
    statement.begin()
    statement.put(workspace)
    statement.put(Int64(KeyRow.Space.attachment.rawValue))
    statement.put(withUnsafeBytes(of: UInt64(bitPattern: entry.raw).bigEndian) { Array($0) })
    defer { statement.reset() }
    var found: [BlobID] = []
    while try statement.step() {
      if let id = BlobID(key: Array(statement.blob(at: 0).prefix(16))) { found.append(id) }
    }
    return found
  }

  // MARK: Attachments

  /// Those of these that no entry names any more, damaged rows in any case.
  func removeUnnamed(
    named ids: [BlobID], _ forms: ErasedForms, _ files: BlobFiles, _ queries: Queries,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> Gone {
    var gone = Gone()
    var attached: [BlobRow] = []
    var isFileLost = false
    for id in ids {
      let found: FoundRows<BlobRow> = try queries.bound(.blob) { $0.put(workspace, id) }.found()
      for row in found.rows where !attached.contains(row) { attached.append(row) }
      for key in found.damaged {
        gone.blobs += try drop(.blobs, key, workspace)
        gone.damaged += 1
        isFileLost = true
      }
    }
    gone.blobs += try removeUnnamed(attached, forms, files, queries, workspace)
    if isFileLost { try removeNobodys(files, queries, workspace) }
    return gone
  }

  /// A damaged row may have named any file: so every one goes that no row names.
  func removeNobodys(
    _ files: BlobFiles, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) {
    try files.removeAll(of: workspace) { hash throws(StoreFault) in
      let named = queries.bound(.blobsByHash) { columns in
        columns.put(workspace)
        columns.put(hash)
      }
      defer { named.reset() }
      return try !named.step()
    }
  }
}

extension Queries {
  /// These entries, and the numbers of those that do not match their checksum.
  func readable(
    _ numbers: [EntryID], _ workspace: WorkspaceID
  ) throws(StoreFault) -> (entries: [EntryRow], damaged: [EntryID]) {
    var entries: [EntryRow] = []
    var damaged: [EntryID] = []
    for number in numbers {
      let found: FoundRows<EntryRow> = try bound(.entry) { columns in
        columns.put(workspace)
        columns.put(number)
      }.found()
      entries += found.rows
      if !found.damaged.isEmpty { damaged.append(number) }
    }
    return (entries, damaged)
  }
}
