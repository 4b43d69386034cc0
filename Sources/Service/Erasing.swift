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
    let own: [CustomerRow]
    do throws(StoreFault) {
      own = try reads.person(workspace, root)
      records = own.map(\.id)
    } catch {
      guard case .corrupt = error else { throw error }
      func row(_ id: CustomerID) throws(StoreFault) -> CustomerRow? {
        try StoreFault.unlessCorrupt { () throws(StoreFault) in try reads.customer(workspace, id) }
          ?? nil
      }
      // What the index has lost the links still name.
      let some = Set(try reads.records(workspace, evenDamagedWith: root))
      records = try some.reach { id throws(StoreFault) in
        (try row(id)?.decodedProfile?.links ?? []).filter(\.isActive).map { $0.other(than: id) }
      }.sorted()
      var found: [CustomerRow] = []
      for id in records {
        if let row = try row(id) { found.append(row) }
      }
      own = found
    }
    for row in try Self.parted(from: own, workspace, reads) {
      let own = records
      // What is damaged says nothing of others: it must not keep a person from being erased.
      let isUsed = try StoreFault.unlessCorrupt { () throws(StoreFault) in
        try Self.isUsed(row, besides: own, workspace, reads)
      }
      if isUsed ?? true {
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
    func identity(_ hash: [UInt8]) throws(StoreFault) -> IdentityRow? {
      try StoreFault.unlessCorrupt { () throws(StoreFault) in
        try reads.identity(workspace, hash: hash)
      } ?? nil
    }
    func claims(_ record: CustomerID) throws(StoreFault) -> [IdentityRow] {
      try StoreFault.unlessCorrupt { () throws(StoreFault) in
        try reads.identities(workspace, of: record)
      } ?? []
    }
    for record in own {
      for link in record.decodedProfile?.links ?? []
      where link.isPartedAsShared && !records.contains(link.other(than: record.id)) {
        for hash in link.identities {
          guard let row = try identity(hash), row.isShared,
            !row.identity.value.isEmpty, !records.contains(row.customer), !found.contains(row)
          else { continue }
          found.append(row)
        }
      }
      for claim in try claims(record.id)
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
