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
    // Digest and entries are of one moment, or the proof would prove nothing.
    let (digest, ids, found) = try reads.snapshot { reads throws(StoreFault) in
      let root = try reads.customer(workspace, customer)?.root
      let records = if let root { try reads.merged(workspace, into: root) } else { [] as [CustomerRow] }
      let ids = records.map(\.id)
      let found = try reads.timeline(
        workspace, of: ids, from: before, .older, atMost: EntryID(.max), limit: limit + 1, visible: visible)
      return (Self.digest(records), ids, found)
    }
    var entries = found
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
