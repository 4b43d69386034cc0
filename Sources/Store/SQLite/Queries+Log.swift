import Records
import Model

extension Queries {
  /// The chain up to a position, as its row says it; zero before the first.
  func chain(_ workspace: WorkspaceID, at position: Int64) throws(StoreFault) -> Digest {
    if position <= 0 { return .zero }
    let statement = bound(.logChain) { columns in
      columns.put(workspace)
      columns.put(position)
    }
    guard let chain = try statement.one(.log, { c throws(StoreFault) in try c.digest() }) else {
      throw .corrupt(
        what: "position \(position) of the log of workspace \(workspace.raw) is missing")
    }
    return chain
  }

  /// Reads on from a position whose chain is known, and proves each record and that none is missing
  /// in between or, where the log ends within the limit, at its end.
  func log(
    _ workspace: WorkspaceID, after: Int64, chain: inout Digest, limit: Int
  ) throws(StoreFault) -> [LogRecord] {
    let statement = bound(.logAfter) { columns in
      columns.put(workspace)
      columns.put(after)
      columns.put(Int64(limit))
    }
    var records: [LogRecord] = []
    var last = max(after, 0)
    while let (record, said) = try statement.row(.log, Queries.logRow) {
      chain = Checksum.chain(chain, record)
      guard record.position == last + 1, said == chain else {
        statement.reset()
        throw .corrupt(
          what: "the log of workspace \(workspace.raw) is broken after position \(last)")
      }
      last = record.position
      records.append(record)
    }
    if records.count < limit { try checkEnd(workspace, last, chain) }
    return records
  }

  func head(_ workspace: WorkspaceID) throws(StoreFault) -> LogHead {
    try bound(.head) { $0.put(workspace) }.one(.heads, LogHead.inWorkspace) ?? LogHead()
  }

  func hasLog(_ workspace: WorkspaceID, after: Int64) throws(StoreFault) -> Bool {
    let statement = bound(.logAfter) { columns in
      columns.put(workspace)
      columns.put(after)
      columns.put(1 as Int64)
    }
    defer { statement.reset() }
    return try statement.step()
  }

  private func checkEnd(_ workspace: WorkspaceID, _ last: Int64, _ chain: Digest) throws(StoreFault)
  {
    let head = try head(workspace)
    guard head.position == last else {
      throw .corrupt(
        what: "the log of workspace \(workspace.raw) ends at \(last), not at \(head.position)")
    }
    guard head.chain == chain else {
      throw .corrupt(
        what: "the log of workspace \(workspace.raw) does not end with the chain that was committed"
      )
    }
  }

  static func logRow(_ columns: Prepared) throws(StoreFault) -> (LogRecord, Digest) {
    _ = columns.integer()
    let record = LogRecord(
      position: columns.integer(), at: columns.instant(), bytes: columns.bytes())
    return (record, try columns.digest())
  }
}
