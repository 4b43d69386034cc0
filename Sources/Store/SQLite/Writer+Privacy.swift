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
      try keep(receipt, workspace)
      return receipt
    }
  }

  func save(_ receipt: ErasureReceipt, _ workspace: WorkspaceID) throws(StoreFault) {
    try transaction { () throws(StoreFault) in try keep(receipt, workspace) }
  }

  private func keep(_ receipt: ErasureReceipt, _ workspace: WorkspaceID) throws(StoreFault) {
    try put(receipt, workspace)
    guard receipt.damaged > 0 else { return }
    try put(KeyRow.dropped(receipt.damaged, by: receipt.number), workspace)
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
      var conversations = FoundRows<ConversationRow>()
      var mentions = changed.customers.map { Mention(forms.mentionOf($0)) }
      var isFileLost = false
      let told = try eraseReasons(
        told: customers, upTo: upTo, forms, statements, workspace)
      try eraseFacts(ofLinked: customers, forms, queries, workspace)
      for customer in changed.customers {
        let identities: FoundRows<IdentityRow> = try queries.bound(.identitiesOfCustomer) {
          $0.put(workspace, customer)
        }.found()
        for row in identities.rows {
          let mark = try forms.identity(row).flatMap { mark throws(StoreFault) in
            try isMarkUsed(row, besides: customers, forms, queries, workspace) ? mark : nil
          }
          if let mark {
            try put(mark, workspace)
          } else {
            try delete(row, workspace) { $0.put(row.hash) }
          }
          if mark != row { changed.identities += 1 }
        }
        for key in identities.damaged {
          changed.identities += try drop(.identities, key, workspace)
          changed.damaged += 1
        }
        let record: FoundRows<CustomerRow> = try queries.bound(.customer) {
          $0.put(workspace, customer)
        }.found()
        for var row in record.rows {
          row.profile = forms.profile
          try put(row, workspace)
        }
        changed.damaged += try empty(.customers, "profile", record.damaged, queries, workspace)
        let theirs: FoundRows<ConversationRow> = try queries.bound(.conversationsOfCustomer) {
          columns in
          columns.put(workspace, customer)
          columns.put(Int64.max)
        }.found()
        conversations.rows += theirs.rows
        conversations.damaged += theirs.damaged
      }
      for var row in conversations.rows {
        row.about = forms.conversation
        try put(row, workspace)
      }
      changed.damaged += try empty(
        .conversations, "about", conversations.damaged, queries, workspace)
      let own =
        conversations.rows.map(\.id) + conversations.damaged.compactMap { ConversationID(key: $0) }
      let isOwn = Set(own)
      for id in own {
        let guests = try others(in: id, than: customers, queries, workspace)
        mentions.append(Mention(forms.mention(id), butNotBeside: guests.map(forms.mentionOf)))
        changed.damaged += try eraseCases(of: id, forms, queries, workspace) {
          $0.map(customers.contains) ?? true
        }
        let attached: FoundRows<BlobRow> = try queries.bound(.blobsOfConversation) {
          $0.put(workspace, id)
        }.found()
        for key in attached.damaged {
          changed.blobs += try drop(.blobs, key, workspace)
          changed.damaged += 1
          isFileLost = true
        }
        changed.blobs += try removeUnnamed(attached.rows, forms, blobs, queries, workspace) {
          customers.contains($0.customer) && $0.id <= upTo
        }
      }
      for id in try places(of: changed.customers, queries, workspace) where !isOwn.contains(id) {
        let place: FoundRows<ConversationRow> = try queries.bound(.conversation) {
          $0.put(workspace, id)
        }.found()
        for var row in place.rows {
          row.about = forms.without(customers, row)
          try put(row, workspace)
        }
        changed.damaged += try empty(.conversations, "about", place.damaged, queries, workspace)
        changed.damaged += try eraseCases(of: id, forms, queries, workspace) {
          $0.map(customers.contains) ?? false
        }
      }
      try deleteWhatNames(mentions, queries, workspace)
      if isFileLost { try removeNobodys(blobs, queries, workspace) }
      try keep(changed, workspace)
      return told
    }
  }

  /// Answers how many cases could not be read: whose matter these are nobody can tell, and what they
  /// say goes.
  /// - Parameter isTheirs: asked of the record whose matter a case is; nil for the conversation's.
  private func eraseCases(
    of conversation: ConversationID, _ forms: ErasedForms, _ queries: Queries,
    _ workspace: WorkspaceID, where isTheirs: (CustomerID?) -> Bool
  ) throws(StoreFault) -> Int64 {
    let cases: FoundRows<CaseRow> = try queries.bound(.casesOfConversation) {
      $0.put(workspace, conversation)
    }.found()
    for var row in cases.rows where isTheirs(forms.customerOf(row)) {
      row.about = forms.aCase(row)
      try put(row, workspace)
      try delete(.facts, workspace) { $0.put(row.id) }
    }
    for key in cases.damaged { try delete(.facts, workspace) { $0.put(key) } }
    return try empty(.cases, "about", cases.damaged, queries, workspace)
  }

  /// What rules saw of the cases of whoever was one person with these, now or once: it holds what both
  /// had said and done. Asked while the profiles still tell who that is.
  private func eraseFacts(
    ofLinked customers: Set<CustomerID>, _ forms: ErasedForms, _ queries: Queries,
    _ workspace: WorkspaceID
  ) throws(StoreFault) {
    let linked = try everOne(with: customers, forms, queries, workspace).subtracting(customers)
    for id in try places(of: linked.sorted(), queries, workspace) {
      let cases: FoundRows<CaseRow> = try queries.bound(.casesOfConversation) {
        $0.put(workspace, id)
      }.found()
      for row in cases.rows where forms.customerOf(row).map(linked.contains) ?? true {
        try delete(.facts, workspace) { $0.put(row.id) }
      }
      for key in cases.damaged { try delete(.facts, workspace) { $0.put(key) } }
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
    let numbers = page.numbers.map { EntryID($0) }
    let (entries, damaged) = try statements.queries.readable(numbers, workspace)
    var changed = receipt
    defer { receipt = changed }
    try transaction { () throws(StoreFault) in
      var gone = try eraseWords(entries, forms, blobs, statements, workspace)
      gone += try eraseDamaged(damaged, forms, blobs, statements, workspace)
      changed.entries += gone.words
      changed.blobs += gone.blobs
      changed.damaged += gone.damaged
      try keep(changed, workspace)
    }
    return numbers
  }

  /// The same for entries that retention names; returns how many had words.
  func eraseWords(
    of numbers: [EntryID], _ forms: ErasedForms, _ blobs: BlobFiles, _ workspace: WorkspaceID
  ) throws(StoreFault) -> Int64 {
    let statements = try statements()
    let (entries, damaged) = try statements.queries.readable(numbers, workspace)
    let gone = entries.filter { $0.body != nil }
    return try transaction { () throws(StoreFault) in
      let words = try eraseWords(gone, forms, blobs, statements, workspace).words
      let more = try eraseDamaged(damaged, forms, blobs, statements, workspace).words
      try forgetEchoes(of: gone, forms, statements.queries, workspace)
      return words + more
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
      }.found(EntryRow.self).rows.filter { $0.body != nil }
      let here = gone.filter { $0.conversation == id }
      if var row = try queries.bound(.conversation, { $0.put(workspace, id) })
        .found(ConversationRow.self).rows.first,
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
          .found(CustomerRow.self).rows.first
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
        }.found(ConversationRow.self).rows
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
      .found(CaseRow.self).rows
    {
      if isTheirOwn, let about = forms.aCase(row, kept) {
        row.about = about
        try put(row, workspace)
      }
      let facts: FoundRows<FactsRow> = try queries.bound(.facts) { $0.put(workspace, row.id) }
        .found()
      if !facts.damaged.isEmpty || facts.rows.contains(where: { forms.facts($0, gone, kept) }) {
        try delete(.facts, workspace) { $0.put(row.id) }
      }
    }
  }

  private func newest(
    of customer: CustomerID, _ queries: Queries, _ workspace: WorkspaceID
  ) throws(StoreFault) -> [EntryRow] {
    var page = TimelinePage(from: EntryID(.max), .older, atMost: EntryID(.max), limit: 1_000)
    try page.gather(queries, workspace, customer, .internal)
    return try queries.readable(page.numbers.map { EntryID($0) }, workspace).entries
  }

  private func eraseWords(
    _ entries: [EntryRow], _ forms: ErasedForms, _ blobs: BlobFiles,
    _ statements: PrivacyStatements,
    _ workspace: WorkspaceID
  ) throws(StoreFault) -> Gone {
    var gone = Gone()
    var attached: [BlobID] = []
    for var entry in entries where entry.body != nil {
      let names = forms.attachments(entry)
      attached += names
      entry.body = nil
      try statements.rewrite(entry, workspace)
      try forgetNames(names, in: entry.id, workspace)
      gone.words += 1
    }
    gone += try removeUnnamed(named: attached, forms, blobs, statements.queries, workspace)
    return gone
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
