import Model
import Records
import Wire

/// Part of a customer's timeline, with the proof of the whole: how many entries there are in all and the sum of
/// their hashes, so that whoever receives the pages can check that nothing is missing.
public struct TimelinePage: Sendable {
  public var entries: [EntryRow]
  public var digest: TimelineDigest
  public var hasOlder: Bool
  public var members: [CustomerID]

  /// Words of a page, in bytes; one entry is always given, however long.
  static let bytesMax = 1 << 20

  /// The last `limit` entries before `before`, fewer where they are long.
  public static func read(
    _ workspace: WorkspaceID, of customer: CustomerID, before: EntryID, limit: Int, visible: Visibility,
    _ reads: any StoreReader
  ) throws(StoreFault) -> TimelinePage {
    guard let row = try reads.customer(workspace, customer) else {
      return TimelinePage(entries: [], digest: TimelineDigest(), hasOlder: false, members: [])
    }
    // Digest and entries must be of one moment, and each question sees its own: when the digest is the same after as
    // before, nothing came between. Under writes without end the last try stands; older pages are never affected.
    var digest = TimelineDigest()
    var ids: [CustomerID] = []
    var entries: [EntryRow] = []
    for _ in 0..<50 {
      let records = try reads.merged(workspace, into: row.root)
      digest = Self.digest(records)
      ids = records.map(\.id)
      entries = try reads.timeline(
        workspace, of: ids, from: before, .older, atMost: EntryID(.max), limit: limit + 1, visible: visible)
      if Self.digest(try reads.merged(workspace, into: row.root)) == digest { break }
    }
    let hasOlder = entries.count > limit
    if hasOlder { entries.removeFirst(entries.count - limit) }
    var bytes = 0
    let fits = entries.reversed().prefix { entry in
      bytes += entry.body?.count ?? 0
      return bytes <= Self.bytesMax
    }.count
    let kept = max(1, fits)
    let isCut = entries.count > kept
    if isCut { entries.removeFirst(entries.count - kept) }
    return TimelinePage(entries: entries, digest: digest, hasOlder: hasOlder || isCut, members: ids)
  }

  /// The last `limit` entries of one conversation before `before`.
  public static func read(
    _ workspace: WorkspaceID, conversation: ConversationID, before: EntryID, limit: Int, visible: Visibility,
    _ reads: any StoreReader
  ) throws(StoreFault) -> TimelinePage {
    var entries: [EntryRow] = []
    var hasOlder = false
    var after = EntryID(0)
    while true {
      let found = try reads.transcript(workspace, of: conversation, after: after, limit: 1_000, visible: visible)
      entries += found.prefix { $0.id < before }
      if entries.count > limit {
        hasOlder = true
        entries.removeFirst(entries.count - limit)
      }
      guard found.count == 1_000, let last = found.last, last.id < before else { break }
      after = last.id
    }
    return TimelinePage(entries: entries, digest: TimelineDigest(), hasOlder: hasOlder, members: [])
  }

  private static func digest(_ records: [CustomerRow]) -> TimelineDigest {
    var digest = TimelineDigest()
    for record in records { digest.add(record.timeline) }
    return digest
  }

  /// `{"count":…,"hash":"…","entries":[{"hash":"…","entry":{…}}…],"older":…}`. Each entry is spliced in as it is
  /// stored, so that its SHA-256 can be checked over exactly these bytes.
  /// - Parameter proves: whether count and hash of the whole are told. Not to bots: they are not shown internal notes,
  ///   so that they could not check them, and must not learn how many there are.
  public func append(to out: inout [UInt8], proves: Bool = true) {
    out += Array("{".utf8)
    if proves { out += Array("\"count\":\(digest.count),\"hash\":\"\(Hex.encode(digest.sum.bytes))\",".utf8) }
    out += Array("\"entries\":[".utf8)
    for (index, entry) in entries.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out += Array("{\"hash\":\"\(Hex.encode(entry.hash.bytes))\",\"entry\":".utf8)
      if let body = entry.body { out += body } else { out += Array("null".utf8) }
      out.append(UInt8(ascii: "}"))
    }
    out += Array("],\"older\":".utf8)
    if hasOlder, let first = entries.first {
      out += Array("\(first.id)".utf8)
    } else {
      out += Array("null".utf8)
    }
    out.append(UInt8(ascii: "}"))
  }
}
