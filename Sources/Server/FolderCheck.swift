import Model
import Pipeline
import Records
import Routing
import Store
import System
import Wire

/// Whether a data folder, held by no server, is whole: every checksum and the chain, and that the state which
/// a server would start from equals a replay of its log, to the byte.
public struct FolderCheck: Sendable {
  /// Sentences for a person; empty when all is well.
  public private(set) var findings: [String] = []
  public private(set) var records: Int64 = 0
  public private(set) var entries: Int64 = 0
  public private(set) var workspaces: [WorkspaceRow] = []

  /// - Errors: `FolderLock.Failure` when a server holds the folder, `StoreFault` when it cannot be opened.
  /// - Parameter also: looks at the open store for whoever wants to know more of it.
  public init(_ folder: String, also: ((any StoreReader, WorkspaceID) throws -> Void)? = nil) throws {
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
      findings += Self.differences(started, try Self.replay(workspace.id, reader)).map {
        "\(workspace.name): \($0)"
      }
    } catch let error as WireError {
      findings.append("\(workspace.name): a log record or a row of open work cannot be read: \(error)")
    }
  }

  /// `apply` alone, over every record.
  private static func replay(_ workspace: WorkspaceID, _ reader: any StoreReader) throws -> Router {
    var router = Router()
    var position: Int64 = 0
    while true {
      let page = try reader.log(workspace, after: position, limit: 1_000)
      for record in page {
        for event in try record.routerEvents() { router.apply(event, at: record.at) }
      }
      guard let last = page.last else { return router }
      position = last.position
    }
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
          ? "\(what): stored, but a replay does not have it" : "\(what): a replay gives another value")
    }
    for key in rest.keys.sorted(by: { Hex.encode($0.key) < Hex.encode($1.key) }) {
      out.append(
        "row of open work, kind \(key.kind), key \(Hex.encode(key.key)): "
          + "a replay has it, but it is not stored"
      )
    }
    if out.isEmpty { out = ["the state that is stored is not the state that a replay of the log gives"] }
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
