import Model
import Records
import Wire

/// Part of a customer's timeline, with the proof of the whole: how many entries there are in all
/// and the sum of
/// their hashes, so that whoever receives the pages can check that nothing is missing.
public struct TimelinePage: Sendable {
  public var entries: [EntryRow]
  public var digest: TimelineDigest
  /// Whether there is more in the direction of the page.
  public var hasMore: Bool
  public var from: From
  public var members: [CustomerID]

  /// Where a page begins, and which way it runs.
  public enum From: Hashable, Sendable {
    /// The last ones before a number.
    case before(EntryID)
    /// The first ones after it: a reader who goes on from the last number seen gets everything
    /// once.
    case after(EntryID)
  }

  /// At most `limit` entries, fewer where they are long.
  public static func read(
    _ workspace: WorkspaceID, of customer: CustomerID, _ from: From, limit: Int,
    visible: Visibility,
    _ reads: any StoreReader
  ) throws(StoreFault) -> TimelinePage {
    // Digest and entries are of one moment, or the proof would prove nothing.
    var page = try reads.snapshot { reads throws(StoreFault) in
      guard let row = try reads.customer(workspace, customer) else {
        return TimelinePage(
          entries: [], digest: TimelineDigest(), hasMore: false, from: from, members: [])
      }
      let records = try reads.person(workspace, row.root)
      let ids = records.map(\.id)
      let (number, direction): (EntryID, PageDirection) =
        switch from {
        case .before(let number): (number, .older)
        case .after(let number): (number, .newer)
        }
      return TimelinePage(
        entries: try reads.timeline(
          workspace, of: ids, from: number, direction, atMost: EntryID(.max), limit: limit + 1,
          visible: visible),
        digest: TimelineDigest(of: records), hasMore: false, from: from, members: ids)
    }
    page.cut(to: limit)
    return page
  }

  /// The last `limit` entries of one conversation before `before` that are of this customer.
  public static func read(
    _ workspace: WorkspaceID, conversation: ConversationID, of customer: CustomerID,
    before: EntryID, limit: Int, visible: Visibility, _ reads: any StoreReader
  ) throws(StoreFault) -> TimelinePage {
    var person = PersonFilter(customer, workspace)
    var page = TimelinePage(
      entries: [], digest: TimelineDigest(), hasMore: false, from: .before(before), members: [])
    var after = EntryID(0)
    while true {
      let found = try reads.transcript(
        workspace, of: conversation, after: after, limit: 1_000, visible: visible)
      page.entries += try person.own(found.prefix { $0.id < before }, reads)
      if page.entries.count > limit + 1 { page.entries.removeFirst(page.entries.count - limit - 1) }
      guard found.count == 1_000, let last = found.last, last.id < before else { break }
      after = last.id
    }
    page.cut(to: limit)
    return page
  }

  /// Takes what is more than a page off its far end.
  private mutating func cut(to limit: Int) {
    let isNewer = if case .after = from { true } else { false }
    let kept = isNewer ? entries.fitting(limit: limit) : entries.reversed().fitting(limit: limit)
    hasMore = kept < entries.count
    if isNewer {
      entries.removeLast(entries.count - kept)
    } else {
      entries.removeFirst(entries.count - kept)
    }
  }

  /// `{"count":…,"hash":"…","entries":[{"hash":"…","entry":{…}}…],"older":…}`, or with `after` and
  /// `more` in place of `older` where the page runs the other way.
  /// - Parameter proves: whether count and hash of the whole are told. Not to bots: they are not
  ///   shown internal notes,
  ///   so that they could not check them, and must not learn how many there are.
  public func append(to out: inout [UInt8], proves: Bool = true) {
    out += Array("{".utf8)
    if proves {
      out += Array("\"count\":\(digest.count),\"hash\":\"\(Hex.encode(digest.sum.bytes))\",".utf8)
    }
    out += Array("\"entries\":".utf8)
    entries.append(to: &out)
    out.append(UInt8(ascii: ","))
    switch from {
    case .before:
      let older = hasMore ? entries.first.map { "\($0.id)" } ?? "null" : "null"
      out += Array("\"older\":\(older)}".utf8)
    case .after(let number):
      out += Array("\"after\":\(entries.last?.id ?? number),\"more\":\(hasMore)}".utf8)
    }
  }

  /// As a person reads it: in the order in which things were said, so that what came late stands
  /// where it belongs.
  public var text: String {
    var lines: [(at: Instant, line: String)] = []
    for entry in entries {
      let said = EntryText(entry)
      lines.append((said.at, said.line))
    }
    let ordered = lines.enumerated().sorted {
      $0.element.at == $1.element.at ? $0.offset < $1.offset : $0.element.at < $1.element.at
    }
    let more = hasMore ? entries.first.map { "older ones before entry \($0.id)\n" } ?? "" : ""
    let head = if case .before = from { more } else { "" }
    // All that there is stands here: what the count says besides is kept nowhere any more.
    let isWhole = !hasMore && from == .before(EntryID(.max))
    let lost = isWhole ? Int64(digest.count) - Int64(entries.count) : 0
    let gap = lost > 0 ? " (\(lost) cannot be read)" : ""
    return head + ordered.map { $0.element.line + "\n" }.joined()
      + "\(digest.count) entries in all\(gap), hash \(Hex.encode(digest.sum.bytes))\n"
  }
}
