import Model
import Records

extension Writer {
  /// Takes away those of these attachments that no entry names any more; the others are bound to
  /// where they are still named.
  /// - Parameter isGoing: whether an entry's words are about to go.
  func removeUnnamed(
    _ rows: [BlobRow], _ forms: ErasedForms, _ files: BlobFiles, _ queries: Queries,
    _ workspace: WorkspaceID, butBy isGoing: @escaping (EntryRow) -> Bool = { _ in false }
  ) throws(StoreFault) -> Int64 {
    var naming = Naming(queries, workspace, forms, isGoing)
    var unnamed: [BlobRow] = []
    for var row in rows {
      guard let entry = try naming.entry(of: row) else {
        unnamed.append(row)
        continue
      }
      // What is attached inside is bound to nothing, so that no bot may show it.
      let place = entry.visibility == .customer ? entry.conversation : nil
      if row.conversation != place {
        row.conversation = place
        try put(row, workspace)
      }
    }
    return try remove(unnamed, files, queries, workspace)
  }

  /// Gives the next `piece` entries of a folder of before the keys that entries have since; answers
  /// whether all of them have theirs.
  func nameAttachments(
    piece: Int64, _ forms: ErasedForms, _ workspace: WorkspaceID
  ) throws(StoreFault) -> Bool {
    let queries = try statements().queries
    return try transaction { () throws(StoreFault) in
      let mark = try queries.bound(.key) { columns in
        columns.put(workspace)
        columns.put(Int64(KeyRow.Space.named.rawValue))
        columns.put(KeyRow.named(upTo: EntryID(0)).key)
      }.one(.keys, KeyRow.inWorkspace)
      let from = mark?.namedUpTo?.raw ?? 0
      guard from < .max else { return true }
      let last = try head(of: workspace).entry.raw
      let upTo = min(last, from + piece)
      let statement = try queries.prepare(
        Table.entries.select("WHERE workspace=? AND entry>? AND entry<=?"), "find attachments")
      statement.begin()
      statement.put(workspace)
      statement.put(from)
      statement.put(upTo)
      var rows: [KeyRow] = []
      // What cannot be read names nothing; the integrity check tells of it.
      try statement.eachReadable(.entries, EntryRow.inWorkspace) { entry in
        rows += forms.attachments(entry).map { .attachment($0, of: entry.id) }
      }
      for row in rows { try put(row, workspace) }
      // What comes from now on has its keys from the start.
      try put(KeyRow.named(upTo: EntryID(upTo == last ? .max : upTo)), workspace)
      return upTo == last
    }
  }

  /// An entry without words names nothing any more.
  func forgetNames(
    _ attachments: [BlobID], in entry: EntryID, _ workspace: WorkspaceID
  ) throws(StoreFault) {
    for blob in attachments {
      let row = KeyRow.attachment(blob, of: entry)
      try delete(row, workspace) { columns in
        columns.put(Int64(row.space.rawValue))
        columns.put(row.key)
      }
    }
  }

  /// Rows, and files that no other row refers to. Files go first: what a crash leaves then is a row
  /// without its file, and the unfinished receipt that comes back to it.
  private func remove(
    _ rows: [BlobRow], _ blobs: BlobFiles, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> Int64 {
    for row in rows {
      let others: FoundRows<BlobRow> = try queries.bound(.blobsByHash) { columns in
        columns.put(workspace)
        columns.put(row.hash)
      }.found()
      if others.damaged.isEmpty, others.rows.allSatisfy(rows.contains) {
        try blobs.remove(row.hash, workspace)
      }
    }
    for row in rows { try delete(row, workspace) { $0.put(row.id) } }
    return Int64(rows.count)
  }
}

/// Finds entries that name an attachment and keep their words.
private struct Naming {
  private let queries: Queries
  private let workspace: WorkspaceID
  private let forms: ErasedForms
  private let isGoing: (EntryRow) -> Bool
  private var transcripts: [ConversationID: [BlobID: EntryRow]] = [:]

  init(
    _ queries: Queries, _ workspace: WorkspaceID, _ forms: ErasedForms,
    _ isGoing: @escaping (EntryRow) -> Bool
  ) {
    self.queries = queries
    self.workspace = workspace
    self.forms = forms
    self.isGoing = isGoing
  }

  /// One that customers see before one that they do not, and of those one where it is bound already.
  mutating func entry(of row: BlobRow) throws(StoreFault) -> EntryRow? {
    var inside: EntryRow?
    if let place = row.conversation, let entry = try transcript(place)[row.id] {
      if entry.visibility == .customer { return entry }
      inside = entry
    }
    var after: EntryID? = EntryID(0)
    while let last = after {
      let names = try names(of: row.id, after: last)
      // One that cannot be read names nothing: more goes rather than less.
      for entry in try queries.readable(names, workspace).entries
      where attachments(entry).contains(row.id) {
        if entry.visibility == .customer, entry.conversation != nil { return entry }
        inside = inside ?? entry
      }
      after = names.last
    }
    return inside
  }

  private func attachments(_ entry: EntryRow) -> [BlobID] {
    entry.body == nil || isGoing(entry) ? [] : forms.attachments(entry)
  }

  private func names(of blob: BlobID, after: EntryID) throws(StoreFault) -> [EntryID] {
    try queries.entries(workspace, naming: blob, after: after)
  }

  /// By what they name, the entries of a conversation: older programs kept no keys for them.
  private mutating func transcript(_ id: ConversationID) throws(StoreFault) -> [BlobID: EntryRow] {
    if let known = transcripts[id] { return known }
    var found: [BlobID: EntryRow] = [:]
    let entries = try queries.bound(.transcript) { columns in
      columns.put(workspace, id)
      columns.put(EntryID(0))
      columns.put(Int64(Visibility.internal.rawValue))
      columns.put(Int64.max)
    }.found(EntryRow.self).rows
    for entry in entries {
      for blob in attachments(entry) where found[blob]?.visibility != .customer {
        found[blob] = entry
      }
    }
    transcripts[id] = found
    return found
  }
}

extension Queries {
  /// The first hundred entries behind a number, ascending, that name an attachment.
  func entries(
    _ workspace: WorkspaceID, naming attachment: BlobID, after: EntryID
  ) throws(StoreFault) -> [EntryID] {
    try bound(.keysBetween) { columns in
      columns.put(workspace)
      columns.put(Int64(KeyRow.Space.attachment.rawValue))
      columns.put(KeyRow.attachment(attachment, of: after).key)
      columns.put(KeyRow.attachment(attachment, of: EntryID(.max)).key)
    }.all(.keys, KeyRow.inWorkspace).compactMap(\.attachingEntry)
  }
}
