import Model
import System
import Wire

/// A timeline as a client was given it, page by page, and its proof made again from nothing but the
/// bytes.
struct CrashTimeline {
  private(set) var entries: [CrashEntry]
  /// Where the next page ends; nil when there is none.
  private(set) var older: Int64?
  private var count: Int64
  private var sum: String

  /// From `{"count":…,"hash":"…","entries":[…],"older":…}`, the newest page; nil where it is none.
  init?(_ json: [UInt8]) {
    let head = Array(json.prefix(200))
    guard let count = JSONPick.number("count", in: head), let sum = JSONPick.find("hash", in: head)
    else { return nil }
    (self.count, self.sum) = (count, sum)
    entries = CrashEntry.all("entries", in: json)
    older = Self.older(json)
  }

  /// From an answer that holds one as `"timeline"`.
  init?(in answer: [UInt8]) {
    guard let start = JSONPick.position(after: "\"timeline\":", in: answer),
      let end = JSONPick.end(ofObjectAt: start, in: answer)
    else { return nil }
    self.init(Array(answer[start..<end]))
  }

  mutating func take(olderPage json: [UInt8]) {
    entries = CrashEntry.all("entries", in: json) + entries
    older = Self.older(json)
  }

  private static func older(_ json: [UInt8]) -> Int64? {
    JSONPick.number("older", in: Array(json.suffix(40)))
  }

  /// What is wrong with the whole; nil when everything agrees.
  var fault: String? {
    if older != nil { return "pages are missing" }
    if count != Int64(entries.count) {
      return "it says \(count) entries and holds \(entries.count)"
    }
    var digest = TimelineDigest()
    for entry in entries { if let hash = Digest(bytes: entry.hash.bytes) { digest.add(hash) } }
    return Hex.encode(digest.sum.bytes) == sum
      ? nil : "the entries' hashes do not sum up to its hash"
  }
}
