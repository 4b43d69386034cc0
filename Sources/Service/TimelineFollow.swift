import Model
import Records
import Wire

/// A reader who follows a customer's timeline from a number on and gets every entry once, also of a
/// record that is merged
/// meanwhile: its entries lie behind the reader's number, and come as soon as the reader looks.
public struct TimelineFollow: Sendable {
  public let customer: CustomerID
  /// The last entry that was given in the ordinary way.
  public private(set) var after: EntryID
  /// Records whose entries are given; nil before the first look.
  public private(set) var members: [CustomerID]?
  /// Records that came by a merge, and how far they have been given: up to `upTo` they are given
  /// apart.
  private var behind: (records: [CustomerID], from: EntryID, upTo: EntryID)?

  public init(customer: CustomerID, after: EntryID) {
    self.customer = customer
    self.after = after
  }

  public struct Look: Sendable {
    public var follow: TimelineFollow
    /// Members of a JSON object:
    /// `"customer":…,"joined":…,"entries":[…],"after":…,"count":…,"hash":…`.
    public var json: [UInt8]
    public var isEmpty: Bool
    /// Whether to look again at once.
    public var hasMore: Bool
  }

  /// nil where there is no such customer.
  public func look(_ workspace: WorkspaceID, limit: Int, _ reads: any StoreReader)
    throws(StoreFault) -> Look?
  {
    try reads.snapshot { reads throws(StoreFault) in
      guard let row = try reads.customer(workspace, customer) else { return nil }
      let records = try reads.merged(workspace, into: row.root)
      var next = self
      next.members = records.map(\.id)
      if let known = members {
        let joined = records.map(\.id).filter { !known.contains($0) }
        // What came before the merge; the rest comes in its turn.
        if !joined.isEmpty { next.behind = ((behind?.records ?? []) + joined, EntryID(0), after) }
      }
      return try next.read(workspace, row.root, TimelineDigest(of: records), limit: limit, reads)
    }
  }

  private func read(
    _ workspace: WorkspaceID, _ root: CustomerID, _ digest: TimelineDigest, limit: Int,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Look {
    var next = self
    let isBehind = behind != nil
    var entries = try reads.timeline(
      workspace, of: behind?.records ?? members ?? [], from: behind?.from ?? after, .newer,
      atMost: behind?.upTo ?? EntryID(.max), limit: limit + 1, visible: .internal)
    let kept = entries.fitting(limit: limit)
    let hasMore = kept < entries.count
    entries.removeLast(entries.count - kept)
    if isBehind {
      if hasMore { next.behind?.from = entries.last?.id ?? EntryID(0) } else { next.behind = nil }
    } else {
      next.after = entries.last?.id ?? after
    }
    var out = Array("\"customer\":\"\(root)\",\"joined\":\(isBehind),\"entries\":".utf8)
    entries.append(to: &out)
    out += Array(
      ",\"after\":\(next.after),\"count\":\(digest.count),\"hash\":\"\(Hex.encode(digest.sum.bytes))\""
        .utf8)
    return Look(follow: next, json: out, isEmpty: entries.isEmpty, hasMore: hasMore || isBehind)
  }
}

extension TimelineDigest {
  /// Of a person's records together.
  init(of records: [CustomerRow]) {
    self.init()
    for record in records { add(record.timeline) }
  }
}
