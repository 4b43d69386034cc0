import Model
import Pipeline
import Records
import Routing
import Store
import System
import Wire

/// Whether a data folder, held by no server, is whole: every checksum and the chain, that nothing
/// in its log could not have happened (`HistoryCheck`), that each entry stands where the log says, and
/// that the state which a server would start from equals a replay of it, to the byte.
public struct FolderCheck: Sendable {
  /// Sentences for a person; empty when all is well.
  public private(set) var findings: [String] = []
  public private(set) var records: Int64 = 0
  public private(set) var entries: Int64 = 0
  public private(set) var workspaces: [WorkspaceRow] = []

  /// Whatever is damaged is among the findings, and everything else is looked at all the same.
  /// - Errors: `FolderLock.Failure` when a server holds the folder, `StoreFault` when there is none.
  /// - Parameter also: looks at the open store for whoever wants to know more of it.
  public init(_ folder: String, also: ((any StoreReader, WorkspaceID) throws -> Void)? = nil) throws
  {
    guard try SQLiteStore.isAnythingThere(folder) else {
      throw StoreFault.failed(doing: "open \(folder)", why: "there is no data folder")
    }
    let lock = try FolderLock(folder: folder)
    defer { withExtendedLifetime(lock) {} }
    let store: SQLiteStore
    let reader: any StoreReader
    do throws(StoreFault) {
      store = try SQLiteStore(folder: folder)
      reader = try store.reader()
    } catch {
      guard case .corrupt = error else { throw error }
      findings.append(error.sentence)
      return
    }
    defer { store.close() }
    attempt { check throws(StoreFault) in
      guard let reader = reader as? SQLiteReader else { return }
      check.findings += try IntegrityCheck.file(reader)
    }
    attempt { check throws(StoreFault) in check.workspaces = try reader.workspaces() }
    if !workspaces.isEmpty {
      attempt { check throws(StoreFault) in check.findings += try store.entriesLost() }
    }
    for workspace in workspaces {
      check(workspace, reader, store)
      try also?(reader, workspace.id)
    }
  }

  /// Makes the indexes of a folder that no server holds anew.
  /// - Errors: as `init`.
  public static func reindex(_ folder: String) throws {
    guard try SQLiteStore.isAnythingThere(folder) else {
      throw StoreFault.failed(doing: "open \(folder)", why: "there is no data folder")
    }
    let lock = try FolderLock(folder: folder)
    defer { withExtendedLifetime(lock) {} }
    let store = try SQLiteStore(folder: folder)
    defer { store.close() }
    try store.reindex()
  }

  /// Whether what SQLite says of its own file is among the findings: it may be an index alone.
  public var mayBeAnIndex: Bool {
    findings.contains { $0.hasPrefix("SQLite finds: ") || $0.hasSuffix("malformed") }
  }

  private mutating func attempt(_ part: (inout Self) throws(StoreFault) -> Void) {
    do throws(StoreFault) { try part(&self) } catch { findings.append(error.sentence) }
  }

  private mutating func check(
    _ workspace: WorkspaceRow, _ reader: any StoreReader, _ store: SQLiteStore
  ) {
    var found: [String] = []
    let rows = reader as? SQLiteReader
    if let rows {
      do throws(StoreFault) {
        let report = try IntegrityCheck.whole(rows, workspace.id, blobs: store.blobs)
        found += report.findings
        records += report.records
        entries += report.entries
      } catch { found.append(error.sentence) }
    }
    let started = Self.started(workspace.id, reader, &found)
    if let (history, told, entries) = Self.replayed(workspace.id, reader, &found) {
      var (history, entries) = (history, entries)
      if let started { found += Self.differences(started, history.router) }
      found += Self.broken(&history)
      found += told.missing(in: workspace.id, reader)
      if let rows {
        do throws(StoreFault) {
          found += try entries.differences(in: workspace.id, rows)
        } catch { found.append(error.sentence) }
      }
    }
    findings += found.map { "\(workspace.name): \($0)" }
  }

  /// The state that a server would start from.
  private static func started(
    _ workspace: WorkspaceID, _ reader: any StoreReader, _ found: inout [String]
  ) -> Router? {
    do {
      return try reader.router(workspace).get()
    } catch is StoreFault {
      return nil  // Told already, by its checksum.
    } catch {
      found.append("\(error)")
      return nil
    }
  }

  private static func replayed(
    _ workspace: WorkspaceID, _ reader: any StoreReader, _ found: inout [String]
  ) -> (HistoryCheck, RowsTold, EntriesTold)? {
    var history = HistoryCheck()
    var told = RowsTold()
    var entries = EntriesTold()
    do {
      try reader.walkRecords(workspace) { record, events, written in
        entries.feed(record, events, written)
        for event in events {
          told.feed(event)
          history.feed(event, at: record.at)
        }
      }
      return (history, told, entries)
    } catch is StoreFault {
      found.append(
        "the log is broken, so that the state that a server starts from could not be compared with it"
      )
    } catch { found.append("a log record cannot be read: \(error)") }
    return nil
  }

  /// What cannot have happened, and what does not hold at the end.
  private static func broken(_ history: inout HistoryCheck) -> [String] {
    let found = history.finish(rows: false)
    return found.prefix(20).map { "history: \($0)" }
      + (found.count > 20 ? ["… and \(found.count - 20) more"] : [])
  }

  private static func differences(_ started: Router, _ replayed: Router) -> [String] {
    if started.canonicalBytes == replayed.canonicalBytes { return [] }
    var rest: [Key: [UInt8]] = [:]
    for row in replayed.allRows() { rest[Key(kind: row.kind, key: row.key)] = row.value ?? [] }
    var out: [String] = []
    for row in started.allRows() {
      let other = rest.removeValue(forKey: Key(kind: row.kind, key: row.key))
      if other == row.value { continue }
      let what = "row of open work, kind \(row.kind), key \(Hex.encode(row.key))"
      out.append(
        other == nil
          ? "\(what): stored, but a replay does not have it"
          : "\(what): a replay gives another value")
    }
    for key in rest.keys.sorted(by: { Hex.encode($0.key) < Hex.encode($1.key) }) {
      out.append(
        "row of open work, kind \(key.kind), key \(Hex.encode(key.key)): "
          + "a replay has it, but it is not stored"
      )
    }
    if out.isEmpty {
      out = ["the state that is stored is not the state that a replay of the log gives"]
    }
    return Array(out.prefix(20)) + (out.count > 20 ? ["… and \(out.count - 20) rows more"] : [])
  }

  private struct Key: Hashable {
    var kind: UInt8
    var key: [UInt8]
  }
}

/// What the log says that there must be rows of: none of them ever goes, not even with its person.
private struct RowsTold {
  private var conversations: [ConversationID] = []
  private var sessions: [SessionID] = []
  private var cases: [CaseID] = []

  mutating func feed(_ event: Event) {
    switch event {
    case .conversationOpened(let id, _, _): conversations.append(id)
    case .sessionOpened(let id, _, _, _): sessions.append(id)
    case .caseQueued(let id, _, _, _, _, _, _): cases.append(id)
    default: break
    }
  }

  /// A row that cannot be read is told of by its checksum.
  func missing(in workspace: WorkspaceID, _ reader: any StoreReader) -> [String] {
    func isMissing(_ look: () throws(StoreFault) -> Bool) -> Bool {
      do throws(StoreFault) { return try look() } catch { return false }
    }
    let gone: [String] =
      conversations.filter { id in
        isMissing { () throws(StoreFault) in try reader.conversation(workspace, id) == nil }
      }.map { "conversation \($0)" }
      + sessions.filter { id in
        isMissing { () throws(StoreFault) in try reader.session(workspace, id) == nil }
      }.map { "session \($0)" }
      + cases.filter { id in
        isMissing { () throws(StoreFault) in try reader.aCase(workspace, id) == nil }
      }.map { "case \($0)" }
    return gone.prefix(20).map { "\($0) is in the log and its row is missing" }
      + (gone.count > 20 ? ["… and \(gone.count - 20) rows more are missing"] : [])
  }
}
