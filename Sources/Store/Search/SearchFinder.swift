internal import GRDB
internal import GRDBSQLite
import Model
import Records

/// One reader's connection to the index.
///
/// The index answers which entries may have the words. The entries themselves come from their table,
/// where every row is checked, and each is held against what was looked for (`SearchProof`): no
/// checksum covers the index, and nothing is served that it alone says.
final class SearchFinder {
  private let queue: DatabaseQueue
  private let begin: Prepared
  private let end: Prepared
  private let seen: Prepared
  private let newest: Prepared
  private let proof: SearchProof

  /// Of how many finds an answer looks at the conversation, where agent or queue are asked for.
  static let candidatesMax = 4_000

  init(_ folder: String) throws(StoreFault) {
    let queue = try storeFault("open the index") {
      var configuration = SQLiteStore.configuration()
      configuration.readonly = true
      let queue = try DatabaseQueue(path: SearchFile.path(folder), configuration: configuration)
      try queue.unsafeReentrantRead {
        try $0.execute(sql: "PRAGMA cache_size=-16384; PRAGMA trusted_schema=OFF")
      }
      return queue
    }
    guard
      let connection = queue.unsafeReentrantRead({
        $0.sqliteConnection.map { UnsafeSend(value: $0) }
      })?.value
    else {
      throw .failed(doing: "open the index", why: "it is closed")
    }
    self.queue = queue
    begin = try Prepared(connection, "BEGIN DEFERRED", "begin to search")
    end = try Prepared(connection, "COMMIT", "end to search")
    seen = try Prepared(
      connection, "SELECT entry FROM progress WHERE workspace=?", "read the index's progress")
    newest = try Prepared(
      connection,
      "SELECT rowid FROM words WHERE words MATCH ? AND rowid>=? AND rowid<? ORDER BY rowid DESC",
      "search")
    proof = try SearchProof()
  }

  /// - Parameter queries: the reader's, within one transaction.
  func find(
    _ workspace: WorkspaceID, _ query: SearchQuery, _ queries: Queries,
    _ words: (EntryRow) -> EntryWords
  ) throws(StoreFault) -> SearchPage {
    try begin.run()
    let page = Result { () throws(StoreFault) in
      try findNow(workspace, query, queries, words)
    }
    newest.reset()
    try end.run()
    return try page.get()
  }

  private func findNow(
    _ workspace: WorkspaceID, _ query: SearchQuery, _ queries: Queries,
    _ told: (EntryRow) -> EntryWords
  ) throws(StoreFault) -> SearchPage {
    var page = SearchPage()
    page.last = try queries.head(workspace).entry
    let progress = try progress(workspace)
    page.seen = EntryID(min(progress, page.last.raw))
    guard let words = SearchWords.expression(query.words), query.limit > 0 else { return page }
    let low =
      try query.from.map { at throws(StoreFault) in try queries.firstEntry(workspace, at, page.last)
      } ?? 1
    var high = min(query.before.raw, page.last.raw + 1)
    if let until = query.until {
      high = min(high, try queries.firstEntry(workspace, until, page.last))
    }
    guard low < high else { return page }

    let expression = Self.expression(words, query)
    newest.begin()
    newest.put(expression)
    newest.put(SearchFile.row(workspace, EntryID(low)))
    newest.put(SearchFile.row(workspace, EntryID(high)))
    var conversations: [ConversationID: Bool] = [:]
    var (looked, bytes) = (0, 0)
    while try newest.step() {
      let number = EntryID(newest.integer(at: 0) - SearchFile.base(workspace))
      looked += 1
      let found: EntryRow?
      do throws(StoreFault) {
        found = try entry(number, query, queries, workspace, &conversations)
      } catch {
        guard case .corrupt = error else { throw error }
        page.damaged.append(error)
        found = nil
      }
      var excerpt: [Excerpt]?
      if let found {
        excerpt = try proof.excerpt(of: expression, found, told(found))
        // Words that were taken out of an entry stand in the index until it has come so far.
        if excerpt == nil, progress == page.last.raw {
          page.damaged.append(.corrupt(what: Self.untrue(number, workspace)))
        }
      }
      if let found, let excerpt {
        bytes += found.body?.count ?? 0
        if page.hits.count == query.limit || !page.hits.isEmpty && bytes > query.bytesMax {
          page.older = page.hits.last?.entry.id
          return page
        }
        page.hits.append(SearchHit(entry: found, excerpt: excerpt))
      }
      if looked == Self.candidatesMax {
        page.older = number
        return page
      }
    }
    return page
  }

  /// The entry that the index names, where it is to be among the finds.
  private func entry(
    _ number: EntryID, _ query: SearchQuery, _ queries: Queries, _ workspace: WorkspaceID,
    _ conversations: inout [ConversationID: Bool]
  ) throws(StoreFault) -> EntryRow? {
    guard let entry = try queries.entry(workspace, number) else {
      throw .corrupt(what: "entry \(number) is missing in workspace \(workspace.raw)")
    }
    guard entry.body != nil, entry.visibility.rawValue <= query.visible.rawValue,
      try isWanted(entry, query, queries, workspace, &conversations)
    else { return nil }
    return entry
  }

  private static func expression(_ words: String, _ query: SearchQuery) -> String {
    var expression = words
    if !query.customers.isEmpty {
      let tags = query.customers.map { "\"\(SearchFile.tag($0))\"" }.joined(separator: " OR ")
      expression += " AND ({tags} : (\(tags)))"
    }
    if let channel = query.channel {
      expression += " AND ({tags} : \"\(SearchFile.tag(channel))\")"
    }
    return expression
  }

  private func isWanted(
    _ entry: EntryRow, _ query: SearchQuery, _ queries: Queries, _ workspace: WorkspaceID,
    _ known: inout [ConversationID: Bool]
  ) throws(StoreFault) -> Bool {
    if query.agent == nil, query.queue == nil { return true }
    guard let conversation = entry.conversation else { return false }
    if let known = known[conversation] { return known }
    let cases = try queries.bound(.casesOfConversation) { $0.put(workspace, conversation) }
      .all(.cases, CaseRow.inWorkspace)
    let found =
      (query.agent == nil || cases.contains { $0.agent == query.agent })
      && (query.queue == nil || cases.contains { $0.queue == query.queue })
    known[conversation] = found
    return found
  }

  private func progress(_ workspace: WorkspaceID) throws(StoreFault) -> Int64 {
    seen.begin()
    seen.put(workspace)
    defer { seen.reset() }
    return try seen.step() ? seen.integer(at: 0) : 0
  }

  private static func untrue(_ number: EntryID, _ workspace: WorkspaceID) -> String {
    "the full-text index of workspace \(workspace.raw) has words of entry \(number) that it does not say: "
      + "stop the server and delete search.sqlite*"
  }
}

extension Queries {
  func entry(_ workspace: WorkspaceID, _ number: EntryID) throws(StoreFault) -> EntryRow? {
    try bound(.entry) { columns in
      columns.put(workspace)
      columns.put(number)
    }.one(.entries, EntryRow.inWorkspace)
  }

  /// The first entry of that instant or later; one past the last when there is none. The writer's
  /// time never goes back, so that numbers and instants have one order. One that cannot be read
  /// counts as the next one that can.
  func firstEntry(_ workspace: WorkspaceID, _ at: Instant, _ last: EntryID) throws(StoreFault)
    -> Int64
  {
    var low: Int64 = 1
    var high = last.raw + 1
    while low < high {
      let middle = low + (high - low) / 2
      if let entry = try readable(workspace, from: middle, below: high), entry.at < at {
        low = entry.id.raw + 1
      } else {
        high = middle
      }
    }
    return low
  }

  private func readable(
    _ workspace: WorkspaceID, from first: Int64, below end: Int64
  ) throws(StoreFault) -> EntryRow? {
    for number in first..<end {
      do throws(StoreFault) {
        if let entry = try entry(workspace, EntryID(number)) { return entry }
      } catch {
        guard case .corrupt = error else { throw error }
      }
    }
    return nil
  }
}

extension SQLiteReader {
  /// Entries after a number, and the number of the last one looked at, which is nil when there was
  /// none. One that does not match its checksum is left out: the integrity check tells of it.
  func entries(
    _ workspace: WorkspaceID, after: Int64, limit: Int
  ) throws(StoreFault) -> (entries: [EntryRow], last: Int64?) {
    try ask { queries throws(StoreFault) in
      let statement = queries.bound(.entriesAfter) { columns in
        columns.put(workspace)
        columns.put(after)
        columns.put(Int64(limit))
      }
      var entries: [EntryRow] = []
      var last: Int64?
      while try statement.step() {
        last = statement.integer(at: 1)
        do throws(StoreFault) {
          entries.append(try statement.checked(.entries, EntryRow.inWorkspace))
        } catch {
          guard case .corrupt = error else {
            statement.reset()
            throw error
          }
        }
      }
      return (entries, last)
    }
  }
}
