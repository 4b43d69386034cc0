internal import GRDBSQLite
import Model
import Records

/// What erasing and the access log need beside the writer's own statements.
final class PrivacyStatements {
  let queries: Queries
  private let putEntry: Prepared
  let deleteKeys: Prepared
  let deleteOutbox: Prepared

  init(_ connection: OpaquePointer) throws(StoreFault) {
    queries = try Queries(connection)
    putEntry = try Prepared(connection, Table.entries.upsert, "change the words of an entry")
    // What names the conversation belongs to it. These two tables have no index by it; an erasure is
    // rare enough to walk them.
    deleteKeys = try Prepared(
      connection, "DELETE FROM keys WHERE workspace=? AND instr(value, ?)>0",
      "delete a conversation's keys")
    deleteOutbox = try Prepared(
      connection, "DELETE FROM outbox WHERE workspace=? AND instr(payload, ?)>0",
      "delete a conversation's mail")
  }

  func rewrite(_ entry: EntryRow, _ workspace: WorkspaceID) throws(StoreFault) {
    putEntry.begin(.entries)
    putEntry.put(workspace)
    entry.put(into: putEntry)
    try putEntry.runSealed()
  }
}

extension Writer {
  private func statements() throws(StoreFault) -> PrivacyStatements {
    if let privacy { return privacy }
    let made = try PrivacyStatements(connection)
    privacy = made
    return made
  }

  func rewrite(_ entry: EntryRow, _ workspace: WorkspaceID) throws(StoreFault) {
    try statements().rewrite(entry, workspace)
  }

  // MARK: Who read what

  func record(_ accesses: [AccessRow], _ workspace: WorkspaceID) throws(StoreFault) {
    let queries = try statements().queries
    try transaction { () throws(StoreFault) in
      let last = try queries.bound(.lastAccess) { $0.put(workspace) }.one(
        .accesses, AccessColumns.inWorkspace)
      for (number, access) in zip(((last?.number ?? 0) + 1)..., accesses) {
        try put(AccessColumns(number: number, access: access), workspace)
      }
    }
  }

  // MARK: Erasing

  func beginErasure(
    of customers: [CustomerID], at: Instant, by: String, upTo: EntryID?, _ workspace: WorkspaceID
  ) throws(StoreFault) -> ErasureReceipt {
    let queries = try statements().queries
    return try transaction { () throws(StoreFault) in
      let last = try queries.bound(.lastErasure) { $0.put(workspace) }.one(
        .erasures, ErasureReceipt.inWorkspace)
      let receipt = ErasureReceipt(
        number: (last?.number ?? 0) + 1, at: at, by: by, customers: customers,
        upTo: try min(upTo ?? EntryID(.max), head(of: workspace).entry))
      try put(receipt, workspace)
      return receipt
    }
  }

  func save(_ receipt: ErasureReceipt, _ workspace: WorkspaceID) throws(StoreFault) {
    try transaction { () throws(StoreFault) in try put(receipt, workspace) }
  }

  /// Everything that is said of a person beside the entries, in one transaction; returns their
  /// conversations.
  func eraseRows(
    _ receipt: inout ErasureReceipt, _ forms: ErasedForms, _ blobs: BlobFiles,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> [ConversationID] {
    let statements = try statements()
    let queries = statements.queries
    var changed = receipt
    defer { receipt = changed }
    return try transaction { () throws(StoreFault) in
      var conversations: [ConversationRow] = []
      for customer in changed.customers {
        for row in try queries.bound(.identitiesOfCustomer, { $0.put(workspace, customer) })
          .all(.identities, IdentityRow.inWorkspace)
        {
          try delete(row, workspace) { $0.put(row.hash) }
          changed.identities += 1
        }
        if var row = try queries.bound(.customer, { $0.put(workspace, customer) })
          .one(.customers, CustomerRow.inWorkspace)
        {
          row.profile = forms.profile
          try put(row, workspace)
        }
        conversations += try queries.bound(.conversationsOfCustomer) { columns in
          columns.put(workspace, customer)
          columns.put(Int64.max)
        }.all(.conversations, ConversationRow.inWorkspace)
      }
      for var row in conversations {
        row.about = forms.conversation
        try put(row, workspace)
        try erase(row.id, forms, statements, workspace)
        let attached = try queries.bound(.blobsOfConversation) { $0.put(workspace, row.id) }
          .all(.blobs, BlobRow.inWorkspace)
        changed.blobs += try remove(attached, blobs, queries, workspace)
      }
      try put(changed, workspace)
      return conversations.map(\.id)
    }
  }

  private func erase(
    _ conversation: ConversationID, _ forms: ErasedForms, _ statements: PrivacyStatements,
    _ workspace: WorkspaceID
  ) throws(StoreFault) {
    for var row in try statements.queries.bound(
      .casesOfConversation, { $0.put(workspace, conversation) }
    )
    .all(.cases, CaseRow.inWorkspace) {
      row.about = forms.aCase(row)
      try put(row, workspace)
      try delete(FactsRow(case: row.id, bytes: []), workspace) { $0.put(row.id) }
    }
    for (delete, table) in [
      (statements.deleteKeys, Table.keys), (statements.deleteOutbox, .outbox),
    ] {
      delete.begin()
      delete.put(workspace)
      delete.put(forms.mention(conversation))
      try delete.run()
      try count(-sqlite3_changes64(connection), table, workspace)
    }
  }

  /// Takes the words of up to a thousand entries after `after`; returns all that were looked at,
  /// empty at the end.
  func eraseWords(
    _ list: EntryList, after: EntryID, _ receipt: inout ErasureReceipt, _ forms: ErasedForms,
    _ blobs: BlobFiles,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> [EntryID] {
    let statements = try statements()
    let entries = try list.page(
      statements.queries, workspace, after: after, upTo: receipt.upTo, limit: 1_000)
    var changed = receipt
    defer { receipt = changed }
    try transaction { () throws(StoreFault) in
      let (words, files) = try eraseWords(entries, forms, blobs, statements, workspace)
      changed.entries += words
      changed.blobs += files
      try put(changed, workspace)
    }
    return entries.map(\.id)
  }

  /// The same for entries that retention names; returns how many had words.
  func eraseWords(
    of numbers: [EntryID], _ forms: ErasedForms, _ blobs: BlobFiles, _ workspace: WorkspaceID
  ) throws(StoreFault) -> Int64 {
    let statements = try statements()
    var entries: [EntryRow] = []
    for number in numbers {
      if let row = try statements.queries.entry(workspace, number) { entries.append(row) }
    }
    return try transaction { () throws(StoreFault) in
      try eraseWords(entries, forms, blobs, statements, workspace).words
    }
  }

  private func eraseWords(
    _ entries: [EntryRow], _ forms: ErasedForms, _ blobs: BlobFiles,
    _ statements: PrivacyStatements,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> (words: Int64, blobs: Int64) {
    var words: Int64 = 0
    var attached: [BlobRow] = []
    for var entry in entries where entry.body != nil {
      for id in forms.attachments(entry) {
        let row = try statements.queries.bound(.blob) { $0.put(workspace, id) }.one(
          .blobs, BlobRow.inWorkspace)
        // One that was shown in another conversation, too, stays there.
        if let row, row.conversation ?? entry.conversation == entry.conversation,
          !attached.contains(row)
        {
          attached.append(row)
        }
      }
      entry.body = nil
      try statements.rewrite(entry, workspace)
      words += 1
    }
    return (words, try remove(attached, blobs, statements.queries, workspace))
  }

  /// Rows, and files that no other row refers to. Files go first: what a crash leaves then is a row
  /// without its
  /// file, and the unfinished receipt that comes back to it.
  private func remove(
    _ rows: [BlobRow], _ blobs: BlobFiles, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> Int64 {
    for row in rows {
      let others = try queries.bound(.blobsByHash) { columns in
        columns.put(workspace)
        columns.put(row.hash)
      }.all(.blobs, BlobRow.inWorkspace)
      if others.allSatisfy(rows.contains) { try blobs.remove(row.hash, workspace) }
    }
    for row in rows { try delete(row, workspace) { $0.put(row.id) } }
    return Int64(rows.count)
  }

  /// Tries to empty the write-ahead log without making a commit wait; false while somebody reads
  /// from it.
  func emptyLog() throws(StoreFault) -> Bool {
    checkpointer.settle()
    sqlite3_busy_timeout(connection, 20)
    defer { sqlite3_busy_timeout(connection, SQLiteStore.busyMilliseconds) }
    let code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
    if code == SQLITE_OK { return true }
    guard code & 0xff == SQLITE_BUSY else {
      throw StoreFault.of(connection, code, "empty the write-ahead log")
    }
    return false
  }
}

/// Entries of one customer record or of one conversation.
enum EntryList {
  case customer(CustomerID)
  case conversation(ConversationID)

  func page(
    _ queries: Queries, _ workspace: WorkspaceID, after: EntryID, upTo: EntryID, limit: Int
  ) throws(StoreFault) -> [EntryRow] {
    switch self {
    case .customer(let customer):
      var page = TimelinePage(from: after, .newer, atMost: upTo, limit: limit)
      try page.gather(queries, workspace, customer, .internal)
      return try page.numbers.map { number throws(StoreFault) in
        guard let entry = try queries.entry(workspace, EntryID(number)) else {
          throw StoreFault.corrupt(what: "entry \(number) is in the index but not there")
        }
        return entry
      }
    case .conversation(let conversation):
      return try queries.bound(.transcript) { columns in
        columns.put(workspace, conversation)
        columns.put(after)
        columns.put(Int64(Visibility.internal.rawValue))
        columns.put(Int64(limit))
      }.all(.entries, EntryRow.inWorkspace).filter { $0.id <= upTo }
    }
  }
}
