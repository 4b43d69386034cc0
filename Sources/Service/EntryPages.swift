import Model
import Records
import Wire

/// Words of one page, in bytes: a page is made whole in memory, and so it is by whoever reads it.
enum PageBound {
  static let bytesMax = 1 << 20
}

extension Sequence<EntryRow> {
  /// How many of these, from the first on, make a page: at most `limit`, fewer where they are long,
  /// and one however long.
  func fitting(limit: Int) -> Int {
    var (count, bytes) = (0, 0)
    for entry in self {
      bytes += entry.body?.count ?? 0
      guard count < limit, count == 0 || bytes <= PageBound.bytesMax else { break }
      count += 1
    }
    return count
  }
}

extension [EntryRow] {
  /// `[{"hash":"…","entry":{…}}…]`. Each entry is spliced in as it is stored, so that its SHA-256
  /// can be checked over exactly these bytes; null where its words are gone. One that cannot be
  /// read is `{"hash":null,"entry":null,"damaged":17}`.
  func append(to out: inout [UInt8]) {
    out.append(UInt8(ascii: "["))
    for (index, entry) in enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      guard !entry.isDamaged else {
        out.append(contentsOf: "{\"hash\":null,\"entry\":null,\"damaged\":\(entry.id)}".utf8)
        continue
      }
      out.append(contentsOf: "{\"hash\":\"\(Hex.encode(entry.hash.bytes))\",\"entry\":".utf8)
      if let body = entry.body {
        out.append(contentsOf: body)
      } else {
        out.append(contentsOf: "null".utf8)
      }
      out.append(UInt8(ascii: "}"))
    }
    out.append(UInt8(ascii: "]"))
  }
}

extension StoreReader {
  /// All of a conversation, in order, up to an entry that is not read any more.
  func transcript(
    _ workspace: WorkspaceID, whole conversation: ConversationID, before: EntryID = EntryID(.max),
    visible: Visibility
  ) throws(StoreFault) -> [EntryRow] {
    var entries: [EntryRow] = []
    while true {
      let found = try transcript(
        workspace, of: conversation, after: entries.last?.id ?? EntryID(0), limit: 1_000,
        visible: visible)
      entries += found.prefix { $0.id < before }
      guard found.count == 1_000, let last = found.last, last.id < before else { return entries }
    }
  }
}
