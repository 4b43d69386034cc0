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
  /// can be checked over exactly
  /// these bytes; null where its words are gone.
  func append(to out: inout [UInt8]) {
    out.append(UInt8(ascii: "["))
    for (index, entry) in enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
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
