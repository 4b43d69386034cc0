import Continuity
import Model
import Records

/// Which records go when one person is erased, and what of theirs stays with others.
public struct Erasing: Sendable {
  /// The person's records, and each that held nothing but a shared number which they alone used.
  public private(set) var records: [CustomerID]
  /// Numbers and addresses that the person had, and that others use, too.
  public private(set) var shared: [Shared] = []

  public struct Shared: Hashable, Sendable {
    public var identity: Identity
    /// The record on which it lies: erasing that one leaves the mark alone.
    public var customer: CustomerID
  }

  /// - Parameter root: of the person.
  public init(
    _ root: CustomerID, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) {
    let own = try reads.merged(workspace, into: root)
    records = own.map(\.id)
    for row in try Self.parted(from: own, workspace, reads) {
      if try Self.isUsed(row, besides: records, workspace, reads) {
        shared.append(Shared(identity: row.identity, customer: row.customer))
      } else if !records.contains(row.customer) {
        records.append(row.customer)
      }
    }
  }

  /// Marked as shared, an identity was taken out of the person and lies on a record of its own; who
  /// comes with it since has it as a claim.
  private static func parted(
    from own: [CustomerRow], _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) -> [IdentityRow] {
    let records = own.map(\.id)
    var found: [IdentityRow] = []
    for record in own {
      for link in try CustomerPage.profile(record).links
      where link.isPartedAsShared && !records.contains(link.other(than: record.id)) {
        for hash in link.identities {
          guard let row = try reads.identity(workspace, hash: hash), row.isShared,
            !row.identity.value.isEmpty, !records.contains(row.customer), !found.contains(row)
          else { continue }
          found.append(row)
        }
      }
      for claim in try reads.identities(workspace, of: record.id)
      where !claim.assurance.joins && !claim.identity.value.isEmpty {
        for row in try reads.identities(workspace, like: claim.identity, limit: 1_000)
        where row.isShared && !records.contains(row.customer) && !found.contains(row) {
          found.append(row)
        }
      }
    }
    return found
  }

  /// Whether anybody is left whose it is, or was: by its record's words, by what else lies there, by
  /// whom else it was parted from, or by who came with it since.
  private static func isUsed(
    _ row: IdentityRow, besides own: [CustomerID], _ workspace: WorkspaceID,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Bool {
    guard let holder = try reads.customer(workspace, row.customer),
      try saysNothing(holder, workspace, reads), holder.root == holder.id,
      try reads.merged(workspace, into: holder.id).count == 1,
      try reads.identities(workspace, of: holder.id).allSatisfy({ $0.identity == row.identity })
    else { return true }
    for link in try CustomerPage.profile(holder).links {
      let other = link.other(than: holder.id)
      guard !own.contains(other), let record = try reads.customer(workspace, other) else {
        continue
      }
      // Of whoever was erased nothing tells of the link any more.
      if try CustomerPage.profile(record).links.contains(where: link.isSame) { return true }
    }
    return try reads.identities(workspace, like: row.identity, limit: 1_000).contains {
      $0.customer != holder.id && !own.contains($0.customer)
    }
  }

  /// Whether nothing stands in its timeline but that it was parted and joined.
  private static func saysNothing(
    _ holder: CustomerRow, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) -> Bool {
    let page = try TimelinePage.read(
      workspace, of: holder.id, .before(EntryID(.max)), limit: 100, visible: .internal, reads)
    return !page.hasMore
      && page.entries.allSatisfy { entry in
        guard let body = entry.body else { return !entry.isDamaged }
        let kind = EntryBody.kind(of: body)
        return kind == .split || kind == .merged
      }
  }
}
