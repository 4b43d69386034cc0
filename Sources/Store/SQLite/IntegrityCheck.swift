import Records
internal import GRDB
import Model

/// How far the log and the entries of one workspace are proven, and the chain there.
public struct VerifiedMark: Hashable, Sendable {
  public var position: Int64
  public var chain: Digest
  public var entry: EntryID
  public static let start = VerifiedMark(position: 0, chain: .zero, entry: EntryID(0))
  public init(position: Int64, chain: Digest, entry: EntryID) {
    self.position = position
    self.chain = chain
    self.entry = entry
  }
}

/// Looks for what a disk changed or lost behind our back. SQLite's own `integrity_check` sees the
/// shape of its trees, and not a flipped bit in a value.
///
/// `recent` goes over what came since the last mark: at start. `whole` goes over everything, twice
/// as it were: each row by its checksum, and rows against each other. It reads in pages and waits
/// for nobody, but while it reads a table the write-ahead log cannot be emptied.
public struct IntegrityCheck {
  public struct Report: Sendable, Equatable {
    /// Sentences for a person; empty when all is well.
    public var findings: [String] = []
    /// The last good one, also when there are findings.
    public var verified: VerifiedMark
    public var records: Int64 = 0
    public var entries: Int64 = 0
    /// Rows looked at, by table; of `whole` alone.
    public var rows: [String: Int64] = [:]
  }

  private let queries: Queries
  private let workspace: WorkspaceID
  private var report: Report
  /// Past this many the rest is counted and not told.
  private static let findingsMax = 100
  private static let page = 1_000

  /// Log and entries of one workspace from the mark on (nil: from the one kept in the store).
  public static func recent(
    _ reader: SQLiteReader, _ workspace: WorkspaceID, from mark: VerifiedMark? = nil
  ) throws(StoreFault) -> Report {
    try reader.ask { queries throws(StoreFault) in
      let kept = try queries.bound(.verified) { $0.put(workspace) }.one(
        .verified, VerifiedMark.inWorkspace)
      var check = IntegrityCheck(
        queries: queries, workspace: workspace, report: Report(verified: mark ?? kept ?? .start))
      check.attempt { check throws(StoreFault) in try check.checkLog() }
      check.attempt { check throws(StoreFault) in try check.checkEntries() }
      return check.report
    }
  }

  /// Everything of one workspace, the blobs' bytes included unless told otherwise.
  public static func whole(
    _ reader: SQLiteReader, _ workspace: WorkspaceID, blobs: BlobFiles? = nil
  ) throws(StoreFault) -> Report {
    try reader.ask { queries throws(StoreFault) in
      var check = IntegrityCheck(
        queries: queries, workspace: workspace, report: Report(verified: .start))
      // Each by itself: what one part cannot read must not hide what another would find.
      check.attempt { check throws(StoreFault) in try check.checkLog() }
      check.attempt { check throws(StoreFault) in try check.checkEntries() }
      check.checkRows(blobs)
      check.attempt { check throws(StoreFault) in try check.checkWorkspaces() }
      check.attempt { check throws(StoreFault) in try check.checkReferences() }
      check.attempt { check throws(StoreFault) in try check.checkTimelines() }
      check.attempt { check throws(StoreFault) in
        try check.checkCounts(of: [workspace, RowCounts.folder])
      }
      return check.report
    }
  }

  /// A page of the file that cannot be read is found as well as a row.
  private mutating func attempt(_ part: (inout Self) throws(StoreFault) -> Void) {
    do throws(StoreFault) { try part(&self) } catch { found(error.sentence) }
  }

  /// What SQLite can see of its own file: trees, free pages, and each index against its table, which
  /// nothing else compares. Of the whole folder; so where no workspace is left to look at, what rows
  /// there are.
  public static func file(_ reader: SQLiteReader) throws(StoreFault) -> [String] {
    let found = try reader.pragma("integrity_check(100)").filter { $0 != "ok" }
      .map { "SQLite finds: \($0)" }
    do throws(StoreFault) {
      return try found + (reader.workspaces().isEmpty ? workspaces(reader) : [])
    } catch .corrupt { return found }  // Told by whoever reads them next.
  }

  /// Whether each row belongs to a workspace that there is, and there are as many as were made. Quick,
  /// and a part of `whole`.
  public static func workspaces(_ reader: SQLiteReader) throws(StoreFault) -> [String] {
    try reader.ask { queries throws(StoreFault) in
      var check = IntegrityCheck(
        queries: queries, workspace: RowCounts.folder, report: Report(verified: .start))
      check.attempt { check throws(StoreFault) in try check.checkWorkspaces() }
      check.attempt { check throws(StoreFault) in try check.checkCounts(of: [RowCounts.folder]) }
      return check.report.findings
    }
  }

  mutating func found(_ what: String) {
    if report.findings.count < Self.findingsMax { report.findings.append(what) }
  }

  // MARK: The log

  /// Goes on behind a break from the chain that the next record says.
  private mutating func checkLog() throws(StoreFault) {
    var mark = report.verified
    var isGood = true
    var isAtEnd = false
    while !isAtEnd {
      let statement = queries.bound(.logAfter) { columns in
        columns.put(workspace)
        columns.put(mark.position)
        columns.put(Int64(Self.page))
      }
      var read = 0
      defer { statement.reset() }
      while let (record, said) = try statement.row(.log, Queries.logRow) {
        read += 1
        report.records += 1
        let follows =
          record.position == mark.position + 1 && Checksum.chain(mark.chain, record) == said
        if !follows {
          found(
            "the log of workspace \(workspace.raw) is broken after position \(mark.position)")
          isGood = false
        }
        (mark.position, mark.chain) = (record.position, said)
        if isGood {
          (report.verified.position, report.verified.chain) = (mark.position, mark.chain)
        }
      }
      isAtEnd = read < Self.page
    }
    // What was committed since the last page is beyond the end that was seen.
    let head = try queries.head(workspace)
    if head.position < mark.position || (head.position == mark.position && head.chain != mark.chain)
    {
      found(
        "the log of workspace \(workspace.raw) does not end with the chain that was committed")
    } else if head.position > mark.position, try !queries.hasLog(workspace, after: mark.position) {
      found(
        "the log of workspace \(workspace.raw) ends at \(mark.position), not at \(head.position)")
    }
  }

  // MARK: Entries

  private mutating func checkEntries() throws(StoreFault) {
    let queries = queries
    let workspace = workspace
    // Read first: what is committed meanwhile is beyond it.
    let head: LogHead
    do throws(StoreFault) { head = try queries.head(workspace) } catch .corrupt(let what) {
      return found(what)
    }
    var last = report.verified.entry.raw
    var good = report.findings.isEmpty
    while last < head.entry.raw {
      let statement = queries.bound(.entriesAfter) { columns in
        columns.put(workspace)
        columns.put(last)
        columns.put(Int64(Self.page))
      }
      let before = last
      while try statement.step() {
        good = checkEntry(statement, &last, upTo: head) && good
        if good { report.verified.entry = EntryID(last) }
      }
      if last == before { break }
    }
    if last < head.entry.raw { found(missingEntries(last + 1, head.entry.raw)) }
  }

  private mutating func checkEntry(_ statement: Prepared, _ last: inout Int64, upTo head: LogHead)
    -> Bool
  {
    let id = statement.integer(at: 1)
    var good = true
    if id != last + 1 {
      found(missingEntries(last + 1, id - 1))
      good = false
    }
    last = id
    report.entries += 1
    do throws(StoreFault) {
      let entry = try statement.checked(.entries, EntryRow.inWorkspace)
      if entry.position > head.position, id <= head.entry.raw {
        throw .corrupt(
          what: "entry \(id) belongs to position \(entry.position), past the end of the log")
      }
    } catch {
      found("\(error.sentence)")
      good = false
    }
    return good
  }

  private func missingEntries(_ first: Int64, _ last: Int64) -> String {
    let which = first == last ? "entry \(first) is" : "entries \(first) to \(last) are"
    return "\(which) missing in workspace \(workspace.raw)"
  }
}

extension IntegrityCheck {
  // MARK: Every other row

  private mutating func checkRows(_ blobs: BlobFiles?) {
    checkRows(OpenWorkRow.self)
    checkRows(CustomerRow.self)
    checkRows(IdentityRow.self)
    checkRows(ConversationRow.self)
    checkRows(SessionRow.self)
    checkRows(CaseRow.self)
    checkRows(FactsRow.self)
    checkRows(OutcomeRow.self)
    checkRows(KeyRow.self)
    checkRows(OutboxRow.self)
    checkRows(ConfigurationColumns.self)
    checkRows(LogHead.self)
    checkRows(VerifiedMark.self)
    checkRows(ErasureReceipt.self)
    checkRows(AccessColumns.self)
    checkRows(RowCounts.self)
    var hashes: [Digest] = []
    checkRows(BlobRow.self) { row in if blobs != nil { hashes.append(row.hash) } }
    for hash in hashes {
      do throws(StoreFault) { try blobs?.check(hash, workspace) } catch { found(error.sentence) }
    }
    // These are the folder's: looked at with each workspace, since they are few.
    checkRows(.workspaces, all: true, WorkspaceRow.read)
    checkRows(.tokens, all: true, TokenRow.read)
    checkRows(.secrets, all: true, SecretColumns.read)
  }

  private mutating func checkRows<R: ColumnRow>(_: R.Type, _ each: (R) -> Void = { _ in }) {
    checkRows(R.table, all: false, R.inWorkspace, each)
  }

  private mutating func checkRows<T>(
    _ table: Table, all: Bool, _ read: (Prepared) throws(StoreFault) -> T,
    _ each: (T) -> Void = { _ in }
  ) {
    attempt { check throws(StoreFault) in
      let statement = try check.queries.prepare(
        table.select(all ? "" : "WHERE workspace=?"), "check \(table.name)")
      statement.begin()
      if !all { statement.put(check.workspace) }
      while try statement.step() {
        check.report.rows[table.name, default: 0] += 1
        do throws(StoreFault) { each(try statement.checked(table, read)) } catch {
          check.found(error.sentence)
        }
      }
    }
  }

  /// A row whose workspace changed to one that there is not would be in no workspace's check.
  private mutating func checkWorkspaces() throws(StoreFault) {
    let known: [WorkspaceRow]
    do throws(StoreFault) {
      known = try queries.bound(.workspaces) { _ in }.all(.workspaces, WorkspaceRow.read)
    } catch .corrupt { return }  // Told already, by its checksum.
    let numbers = Set(known.map { Int64($0.id.raw) })
    for table in Table.allCases where table != .secrets {
      // From one workspace's first row to the next one's, so that it costs nothing in a large
      // table.
      let next = try queries.prepare(
        "SELECT min(workspace) FROM \(table.name) WHERE workspace>?", "check \(table.name)")
      var last = Int64.min
      while true {
        next.begin()
        next.put(last)
        guard try next.step(), !next.isNull else { break }
        let number = next.integer(at: 0)
        next.reset()
        // One flipped bit makes a text of a number: it is greater than all, reads as 0, and would lead
        // round for ever.
        guard number > last else {
          found("\(table.name) is out of order")
          break
        }
        last = number
        if table == .counts, last == Int64(RowCounts.folder.raw) { continue }
        if !numbers.contains(last) {
          found("\(table.name) has rows of workspace \(last), which does not exist")
        }
      }
    }
  }

  // MARK: Rows against each other

  private mutating func checkReferences() throws(StoreFault) {
    let references: [(Table, String, Table, String)] = [
      (.entries, "customer", .customers, "customer"),
      (.entries, "conversation", .conversations, "conversation"),
      (.entries, "session", .sessions, "session"),
      (.identities, "customer", .customers, "customer"),
      (.customers, "root", .customers, "customer"),
      (.conversations, "customer", .customers, "customer"),
      (.sessions, "conversation", .conversations, "conversation"),
      (.sessions, "customer", .customers, "customer"),
      (.cases, "conversation", .conversations, "conversation"),
      (.facts, "case_", .cases, "case_"),
      (.blobs, "conversation", .conversations, "conversation"),
    ]
    for (table, column, target, key) in references {
      let statement = try queries.prepare(
        """
        SELECT count(*) FROM \(table.name) r WHERE r.workspace=? AND r.\(column) IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM \(target.name) t WHERE t.workspace=r.workspace AND t.\(key)=r.\(column))
        """, "check what \(table.name) refer to")
      statement.begin()
      statement.put(workspace)
      guard try statement.step() else { continue }
      let missing = statement.integer(at: 0)
      if missing > 0 {
        found(
          "\(missing) rows of \(table.name) name a row of \(target.name) that is missing, "
            + "in workspace \(workspace.raw)")
      }
    }
  }

  /// A customer row's digest is the sum over the entries that arrived by it: so an entry cannot
  /// change its owner, nor a customer row be an older version of itself, unnoticed.
  private mutating func checkTimelines() throws(StoreFault) {
    let entries = try queries.prepare(
      "SELECT customer, hash FROM entries WHERE workspace=? ORDER BY customer, entry",
      "check timelines")
    entries.begin()
    entries.put(workspace)
    var current: CustomerID?
    var sum = TimelineDigest()
    do throws(StoreFault) {
      while try entries.step() {
        entries.begin()
        let customer = try entries.id(CustomerKind.self)
        if customer != current {
          if let current { try check(current, sum) }
          current = customer
          sum = TimelineDigest()
        }
        sum.add(try entries.digest())
      }
      if let current { try check(current, sum) }
    } catch .corrupt(let what) { found(what) }
    try checkCount()
  }

  private mutating func check(_ customer: CustomerID, _ sum: TimelineDigest) throws(StoreFault) {
    let row: CustomerRow?
    do throws(StoreFault) {
      row = try queries.bound(.customer) { $0.put(workspace, customer) }.one(
        .customers, CustomerRow.inWorkspace)
    } catch .corrupt { return }  // Told already, by its checksum.
    if let row, row.timeline != sum {
      found(
        "customer \(customer) says \(row.timeline.count) entries and has \(sum.count), or others than those"
      )
    }
  }

  private mutating func checkCount() throws(StoreFault) {
    let statement = try queries.prepare(
      """
      SELECT (SELECT coalesce(sum(entries), 0) FROM customers WHERE workspace=?1),
      (SELECT count(*) FROM entries WHERE workspace=?1)
      """, "count entries")
    statement.begin()
    statement.put(workspace)
    guard try statement.step() else { return }
    let (said, there) = (statement.integer(at: 0), statement.integer(at: 1))
    if said != there { found("customers say \(said) entries in all, and there are \(there)") }
  }

  /// The folder's own are counted with each workspace, since they are few.
  private mutating func checkCounts(of workspaces: [WorkspaceID]) throws(StoreFault) {
    for of in workspaces {
      let (said, there) = try queries.atOnce {
        queries throws(StoreFault) -> (RowCounts, RowCounts) in
        let said = try queries.bound(.counts) { $0.put(of) }.one(.counts, RowCounts.inWorkspace)
        let there = try RowCounts.there(of) { table, of throws(StoreFault) in
          let count = try queries.prepare(RowCounts.question(table, of: of), "count \(table.name)")
          defer { count.reset() }
          return try count.step() ? count.integer(at: 0) : 0
        }
        return (said ?? RowCounts(), there)
      }
      for table in RowCounts.tables(of: of) where said[table] != there[table] {
        found(
          "\(table.name): \(said[table]) rows were committed in "
            + (of == RowCounts.folder ? "this folder" : "workspace \(of.raw)")
            + ", and \(there[table]) are there")
      }
    }
  }
}

extension StoreFault {
  /// For the log and the health page.
  public var sentence: String {
    switch self {
    case .failed(let doing, let why): "could not \(doing): \(why)"
    case .corrupt(let what): what
    case .outOfOrder(let expected, let got): "expected number \(expected) and got \(got)"
    }
  }
}
