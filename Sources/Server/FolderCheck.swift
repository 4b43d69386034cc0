import Model
import Pipeline
import Records
import Routing
import Store
import System
import Wire

/// Whether a data folder, held by no server, is whole: every checksum and the chain, that nothing
/// in its log could not
/// have happened (`HistoryCheck`), and that the state which a server would start from equals a
/// replay of it, to the byte.
public struct FolderCheck: Sendable {
  /// Sentences for a person; empty when all is well.
  public private(set) var findings: [String] = []
  public private(set) var records: Int64 = 0
  public private(set) var entries: Int64 = 0
  public private(set) var workspaces: [WorkspaceRow] = []

  /// - Errors: `FolderLock.Failure` when a server holds the folder, `StoreFault` when it cannot be
  ///   opened.
  /// - Parameter also: looks at the open store for whoever wants to know more of it.
  public init(_ folder: String, also: ((any StoreReader, WorkspaceID) throws -> Void)? = nil) throws
  {
    guard Files.exists("\(folder)/throughline.sqlite") else {
      throw StoreFault.failed(doing: "open \(folder)", why: "there is no data folder")
    }
    let lock = try FolderLock(folder: folder)
    defer { withExtendedLifetime(lock) {} }
    let store = try SQLiteStore(folder: folder)
    defer { store.close() }
    let reader = try store.reader()
    if let reader = reader as? SQLiteReader { findings += try IntegrityCheck.file(reader) }
    workspaces = try reader.workspaces()
    for workspace in workspaces {
      try check(workspace, reader, store)
      try also?(reader, workspace.id)
    }
  }

  private mutating func check(
    _ workspace: WorkspaceRow, _ reader: any StoreReader, _ store: SQLiteStore
  ) throws {
    if let reader = reader as? SQLiteReader {
      let report = try IntegrityCheck.whole(reader, workspace.id, blobs: store.blobs)
      findings += report.findings.map { "\(workspace.name): \($0)" }
      records += report.records
      entries += report.entries
    }
    do {
      let rows = try reader.workRows(workspace.id)
      let started = rows.isEmpty ? Router() : try Router(rows: rows)
      var history = HistoryCheck()
      try reader.walkLog(workspace.id) { history.feed($0, at: $1) }
      findings += (Self.differences(started, history.router) + Self.broken(&history)).map {
        "\(workspace.name): \($0)"
      }
    } catch let error as WireError {
      findings.append(
        "\(workspace.name): a log record or a row of open work cannot be read: \(error)")
    }
  }

  /// What cannot have happened, and what does not hold at the end. A case that waits beside an
  /// agent who could take it
  /// is no such thing: a match that was under way when the server stopped goes on when it starts.
  private static func broken(_ history: inout HistoryCheck) -> [String] {
    let found = history.finish(rows: false).filter { $0.rule != .waitingThoughEligible }
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

extension StoreReader {
  /// The rows of open work as the router takes them.
  func workRows(_ workspace: WorkspaceID) throws(StoreFault) -> [WorkRow] {
    try work(workspace).map { WorkRow(kind: $0.kind, key: $0.key, value: $0.value) }
  }
}
