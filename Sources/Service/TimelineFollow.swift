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
  /// Entries of a record that came by a merge: up to `upTo` they are given apart, one record after
  /// the other.
  private struct Behind {
    var record: CustomerID
    var from: EntryID
    var upTo: EntryID
  }
  private var behind: [Behind] = []
  /// How far records had been given that are somebody else's now: they may come back.
  private var given: [CustomerID: EntryID] = [:]

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
      let records = try reads.person(workspace, row.root)
      var next = self
      next.members = records.map(\.id)
      if let known = members { next.change(from: known) }
      return try next.read(workspace, row.root, TimelineDigest(of: records), limit: limit, reads)
    }
  }

  private mutating func change(from known: [CustomerID]) {
    let now = members ?? []
    for record in known where !now.contains(record) {
      given[record] = behind.first { $0.record == record }?.from ?? after
      behind.removeAll { $0.record == record }
    }
    for record in now where !known.contains(record) {
      let from = given.removeValue(forKey: record) ?? EntryID(0)
      // What came before the merge; the rest comes in its turn.
      if from < after { behind.append(Behind(record: record, from: from, upTo: after)) }
    }
  }

  private func read(
    _ workspace: WorkspaceID, _ root: CustomerID, _ digest: TimelineDigest, limit: Int,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Look {
    var next = self
    let isBehind = !behind.isEmpty
    var entries = try reads.timeline(
      workspace, of: behind.first.map { [$0.record] } ?? members ?? [],
      from: behind.first?.from ?? after, .newer, atMost: behind.first?.upTo ?? EntryID(.max),
      limit: limit + 1, visible: .internal)
    let kept = entries.fitting(limit: limit)
    let hasMore = kept < entries.count
    entries.removeLast(entries.count - kept)
    if isBehind {
      if hasMore, let last = entries.last {
        next.behind[0].from = last.id
      } else {
        next.behind.removeFirst()
      }
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
