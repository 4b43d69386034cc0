internal import GRDBSQLite
import Model
import Records

/// What erasing and the access log need beside the writer's own statements.
final class PrivacyStatements {
  let queries: Queries
  private let putEntry: Prepared

  init(_ connection: OpaquePointer) throws(StoreFault) {
    queries = try Queries(connection)
    putEntry = try Prepared(connection, Table.entries.upsert, "change the words of an entry")
  }

  func rewrite(_ entry: EntryRow, _ workspace: WorkspaceID) throws(StoreFault) {
    putEntry.begin(.entries)
    putEntry.put(workspace)
    entry.put(into: putEntry)
    try putEntry.runSealed()
  }
}

extension Writer {
  func statements() throws(StoreFault) -> PrivacyStatements {
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
      // Of one that is carried out again it is kept as it was said, also past the end of what is here:
      // the next backup that is restored may reach farther than this one.
      let end = try head(of: workspace).entry
      let receipt = ErasureReceipt(
        number: (last?.number ?? 0) + 1, at: at, by: by, customers: customers, upTo: upTo ?? end)
      try put(receipt, workspace)
      return receipt
    }
  }

  func save(_ receipt: ErasureReceipt, _ workspace: WorkspaceID) throws(StoreFault) {
    try transaction { () throws(StoreFault) in try put(receipt, workspace) }
  }

  /// Everything that is said of a person beside their entries, in one transaction; returns which
  /// entries of others told why these and they were joined or parted, and are without words now.
  func eraseRows(
    _ receipt: inout ErasureReceipt, _ forms: ErasedForms, _ blobs: BlobFiles,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> [EntryID] {
    let statements = try statements()
    let queries = statements.queries
    var changed = receipt
    defer { receipt = changed }
    return try transaction { () throws(StoreFault) in
      let (customers, upTo) = (Set(changed.customers), changed.upTo)
      var conversations: [ConversationRow] = []
      let told = try eraseReasons(
        told: customers, upTo: upTo, forms, statements, workspace)
      try eraseFacts(ofLinked: customers, forms, queries, workspace)
      for customer in changed.customers {
        for row in try queries.bound(.identitiesOfCustomer, { $0.put(workspace, customer) })
          .all(.identities, IdentityRow.inWorkspace)
        {
          let mark = forms.identity(row)
          if let mark {
            try put(mark, workspace)
          } else {
            try delete(row, workspace) { $0.put(row.hash) }
          }
          if mark != row { changed.identities += 1 }
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
        let guests = try others(in: row.id, than: customers, queries, workspace)
        row.about = forms.conversation
        try put(row, workspace)
        try eraseCases(of: row.id, forms, queries, workspace) {
          $0.map(customers.contains) ?? true
        }
        try deleteWhatNames(
          forms.mention(row.id), butNot: guests.map(forms.mentionOf), queries, workspace)
        let attached = try queries.bound(.blobsOfConversation) { $0.put(workspace, row.id) }
          .all(.blobs, BlobRow.inWorkspace)
        changed.blobs += try removeUnnamed(attached, forms, blobs, queries, workspace) {
          customers.contains($0.customer) && $0.id <= upTo
        }
      }
      let own = Set(conversations.map(\.id))
      for id in try places(of: changed.customers, queries, workspace) where !own.contains(id) {
        guard
          var row = try queries.bound(.conversation, { $0.put(workspace, id) })
            .one(.conversations, ConversationRow.inWorkspace)
        else { continue }
        row.about = forms.without(customers, row)
        try put(row, workspace)
        try eraseCases(of: id, forms, queries, workspace) {
          $0.map(customers.contains) ?? false
        }
      }
      for customer in changed.customers {
        try deleteWhatNames(forms.mentionOf(customer), butNot: [], queries, workspace)
      }
      try put(changed, workspace)
      return told
    }
  }

  /// - Parameter isTheirs: asked of the record whose matter a case is; nil for the conversation's.
  private func eraseCases(
    of conversation: ConversationID, _ forms: ErasedForms, _ queries: Queries,
    _ workspace: WorkspaceID, where isTheirs: (CustomerID?) -> Bool
  ) throws(StoreFault) {
    for var row in try queries.bound(.casesOfConversation, { $0.put(workspace, conversation) })
      .all(.cases, CaseRow.inWorkspace) where isTheirs(forms.customerOf(row))
    {
      row.about = forms.aCase(row)
      try put(row, workspace)
      try delete(FactsRow(case: row.id, bytes: []), workspace) { $0.put(row.id) }
    }
  }

  /// What rules saw of the cases of whoever was one person with these, now or once: it holds what both
  /// had said and done. Asked while the profiles still tell who that is.
  private func eraseFacts(
    ofLinked customers: Set<CustomerID>, _ forms: ErasedForms, _ queries: Queries,
    _ workspace: WorkspaceID
  ) throws(StoreFault) {
    let linked = try everOne(with: customers, forms, queries, workspace).subtracting(customers)
    for id in try places(of: linked.sorted(), queries, workspace) {
      for row in try queries.bound(.casesOfConversation, { $0.put(workspace, id) })
        .all(.cases, CaseRow.inWorkspace)
      where forms.customerOf(row).map(linked.contains) ?? true {
        try delete(FactsRow(case: row.id, bytes: []), workspace) { $0.put(row.id) }
      }
    }
  }

  /// What names a conversation or a record belongs to it. These two tables have no index by it; an
  /// erasure is rare enough to walk them.
  /// - Parameter others: whoever took part in it and stays.
  private func deleteWhatNames(
    _ mention: [UInt8], butNot others: [[UInt8]], _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) {
    for (table, column) in [(Table.keys, "value"), (.outbox, "payload")] {
      let stays = others.map { _ in " AND instr(\(column), ?)=0" }.joined()
      let delete = try queries.prepare(
        "DELETE FROM \(table.name) WHERE workspace=? AND instr(\(column), ?)>0\(stays)",
        "delete what names a customer in \(table.name)")
      delete.begin()
      delete.put(workspace)
      for bytes in [mention] + others { delete.put(bytes) }
      try delete.run()
      try count(-sqlite3_changes64(connection), table, workspace)
    }
  }

  /// Records of others that have entries in a conversation.
  private func others(
    in conversation: ConversationID, than customers: Set<CustomerID>, _ queries: Queries,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> [CustomerID] {
    let statement = try queries.prepare(
      """
      SELECT DISTINCT customer FROM entries INDEXED BY entries_by_conversation
      WHERE workspace=? AND conversation=?
      """, "find whose a conversation is")
    statement.begin()
    statement.put(workspace, conversation)
    return try statement.eachID(CustomerKind.self).filter { !customers.contains($0) }
  }

  /// Conversations in which these records have entries.
  private func places(
    of customers: [CustomerID], _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> [ConversationID] {
    let statement = try queries.prepare(
      """
      SELECT DISTINCT conversation FROM entries INDEXED BY entries_by_customer
      WHERE workspace=? AND customer=? AND conversation IS NOT NULL
      """, "find where a customer was")
    var found: Set<ConversationID> = []
    for customer in customers {
      statement.begin()
      statement.put(workspace, customer)
      found.formUnion(try statement.eachID(ConversationKind.self))
    }
    return found.sorted()
  }

  /// Takes the words of up to a thousand entries after `after`; returns all that were looked at,
  /// empty at the end.
  func eraseWords(
    of customer: CustomerID, after: EntryID, _ receipt: inout ErasureReceipt, _ forms: ErasedForms,
    _ blobs: BlobFiles,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> [EntryID] {
    let statements = try statements()
    var page = TimelinePage(from: after, .newer, atMost: receipt.upTo, limit: 1_000)
    try page.gather(statements.queries, workspace, customer, .internal)
    let entries = try page.numbers.map { number throws(StoreFault) in
      guard let entry = try statements.queries.entry(workspace, EntryID(number)) else {
        throw StoreFault.corrupt(what: "entry \(number) is in the index but not there")
      }
      return entry
    }
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
    let gone = entries.filter { $0.body != nil }
    return try transaction { () throws(StoreFault) in
      let words = try eraseWords(gone, forms, blobs, statements, workspace).words
      try forgetEchoes(of: gone, forms, statements.queries, workspace)
      return words
    }
  }

  private func forgetEchoes(
    of gone: [EntryRow], _ forms: ErasedForms, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) {
    for id in Set(gone.compactMap(\.conversation)).sorted() {
      let kept = try queries.bound(.transcript) { columns in
        columns.put(workspace, id)
        columns.put(EntryID(0))
        columns.put(Int64(Visibility.internal.rawValue))
        columns.put(Int64.max)
      }.all(.entries, EntryRow.inWorkspace).filter { $0.body != nil }
      let here = gone.filter { $0.conversation == id }
      if var row = try queries.bound(.conversation, { $0.put(workspace, id) })
        .one(.conversations, ConversationRow.inWorkspace),
        let about = forms.echoes.conversation(row, kept)
      {
        row.about = about
        try put(row, workspace)
      }
      try forgetEchoes(inCasesOf: id, forms.echoes, gone: here, kept: kept, queries, workspace)
    }
    let elsewhere = gone.filter { $0.conversation == nil }
    for id in Set(elsewhere.map(\.customer)).sorted() {
      guard
        var row = try queries.bound(.customer, { $0.put(workspace, id) })
          .one(.customers, CustomerRow.inWorkspace)
      else { continue }
      let theirs = elsewhere.filter { $0.customer == id }
      if let profile = forms.echoes.profile(row, theirs) {
        row.profile = profile
        try put(row, workspace)
      }
      let kept = try newest(of: id, queries, workspace).filter {
        $0.conversation == nil && $0.body != nil
      }
      for record in try everOne(with: [id], forms, queries, workspace).sorted() {
        let conversations = try queries.bound(.conversationsOfCustomer) { columns in
          columns.put(workspace, record)
          columns.put(Int64.max)
        }.all(.conversations, ConversationRow.inWorkspace)
        for conversation in conversations {
          try forgetEchoes(
            inCasesOf: conversation.id, forms.echoes, gone: theirs, kept: kept, isTheirOwn: false,
            queries, workspace)
        }
      }
    }
  }

  /// - Parameter isTheirOwn: whether the entries are of this very conversation: only such can hold a
  ///   case's handoff.
  private func forgetEchoes(
    inCasesOf conversation: ConversationID, _ forms: ErasedForms.Echoes, gone: [EntryRow],
    kept: [EntryRow], isTheirOwn: Bool = true, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) {
    for var row in try queries.bound(.casesOfConversation, { $0.put(workspace, conversation) })
      .all(.cases, CaseRow.inWorkspace)
    {
      if isTheirOwn, let about = forms.aCase(row, kept) {
        row.about = about
        try put(row, workspace)
      }
      let facts = try queries.bound(.facts) { $0.put(workspace, row.id) }
        .one(.facts, FactsRow.inWorkspace)
      if let facts, forms.facts(facts, gone, kept) {
        try delete(facts, workspace) { $0.put(row.id) }
      }
    }
  }

  private func newest(
    of customer: CustomerID, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> [EntryRow] {
    var page = TimelinePage(from: EntryID(.max), .older, atMost: EntryID(.max), limit: 1_000)
    try page.gather(queries, workspace, customer, .internal)
    var entries: [EntryRow] = []
    for number in page.numbers {
      if let entry = try queries.entry(workspace, EntryID(number)) { entries.append(entry) }
    }
    return entries
  }

  private func eraseWords(
    _ entries: [EntryRow], _ forms: ErasedForms, _ blobs: BlobFiles,
    _ statements: PrivacyStatements,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> (words: Int64, blobs: Int64) {
    var words: Int64 = 0
    var attached: [BlobRow] = []
    for var entry in entries where entry.body != nil {
      let names = forms.attachments(entry)
      for id in names {
        let row = try statements.queries.bound(.blob) { $0.put(workspace, id) }.one(
          .blobs, BlobRow.inWorkspace)
        if let row, !attached.contains(row) { attached.append(row) }
      }
      entry.body = nil
      try statements.rewrite(entry, workspace)
      try forgetNames(names, in: entry.id, workspace)
      words += 1
    }
    let gone = try removeUnnamed(attached, forms, blobs, statements.queries, workspace)
    return (words, gone)
  }

  /// Those of these that no entry has come to name meanwhile.
  func removeUnattached(
    _ ids: [BlobID], _ forms: ErasedForms, _ blobs: BlobFiles, _ workspace: WorkspaceID
  ) throws(StoreFault) -> Int {
    let queries = try statements().queries
    return try transaction { () throws(StoreFault) in
      var rows: [BlobRow] = []
      for id in ids {
        let row = try queries.bound(.blob) { $0.put(workspace, id) }.one(
          .blobs, BlobRow.inWorkspace)
        if let row, row.conversation == nil { rows.append(row) }
      }
      return Int(try removeUnnamed(rows, forms, blobs, queries, workspace))
    }
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
