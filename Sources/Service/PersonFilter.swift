import Model
import Records

/// Tells what of a conversation is of one person, where several took part who were one for a time.
struct PersonFilter {
  private let workspace: WorkspaceID
  private let record: CustomerID
  private var root: CustomerID?
  /// What was found out of other records.
  private var isOwn: [CustomerID: Bool] = [:]

  /// - Parameter record: any of theirs.
  init(_ record: CustomerID, _ workspace: WorkspaceID) {
    self.record = record
    self.workspace = workspace
  }

  mutating func own(_ other: CustomerID, _ reads: any StoreReader) throws(StoreFault) -> Bool {
    // Most conversations are of one record: nothing is looked up for those.
    if other == record { return true }
    if let known = isOwn[other] { return known }
    if root == nil { root = try reads.customer(workspace, record)?.root }
    let their = try reads.customer(workspace, other)?.root
    let found = root != nil && their == root
    isOwn[other] = found
    return found
  }

  mutating func own(_ entries: some Sequence<EntryRow>, _ reads: any StoreReader)
    throws(StoreFault) -> [EntryRow]
  {
    var kept: [EntryRow] = []
    for entry in entries where try own(entry.customer, reads) { kept.append(entry) }
    return kept
  }
}
