internal import GRDB
internal import GRDBSQLite
import Model
import Records

/// Whether an entry has what was looked for, by the entry's own words: an index in memory, of the
/// same tokenizer, that knows this one entry. So a bit that flipped in the index on disk neither shows
/// anybody words that were never said, nor an entry that does not say what was asked for.
final class SearchProof {
  private let queue: DatabaseQueue
  private let begin: Prepared
  private let rollback: Prepared
  private let insert: Prepared
  private let snippet: Prepared

  init() throws(StoreFault) {
    let queue = try storeFault("make an index in memory") {
      let queue = try DatabaseQueue()
      try queue.unsafeReentrantWrite { try $0.execute(sql: SearchFile.words) }
      return queue
    }
    guard
      let connection = queue.unsafeReentrantRead({
        $0.sqliteConnection.map { UnsafeSend(value: $0) }
      })?.value
    else { throw .failed(doing: "make an index in memory", why: "it is closed") }
    self.queue = queue
    begin = try Prepared(connection, "BEGIN", "begin to prove a find")
    rollback = try Prepared(connection, "ROLLBACK", "end to prove a find")
    insert = try Prepared(
      connection, "INSERT INTO words(rowid, text, tags) VALUES(1,?,?)", "prove a find")
    snippet = try Prepared(
      connection,
      "SELECT snippet(words, 0, char(2), char(3), '…', 24) FROM words WHERE words MATCH ?",
      "read an excerpt")
  }

  /// What surrounds the find; nil where the entry does not have it.
  func excerpt(
    of expression: String, _ entry: EntryRow, _ words: EntryWords
  ) throws(StoreFault) -> [Excerpt]? {
    try begin.run()
    let found = Result { () throws(StoreFault) in try excerptNow(of: expression, entry, words) }
    snippet.reset()
    try rollback.run()
    return try found.get()
  }

  private func excerptNow(
    of expression: String, _ entry: EntryRow, _ words: EntryWords
  ) throws(StoreFault) -> [Excerpt]? {
    insert.begin()
    insert.put(SearchFile.plain(words.text))
    insert.put(SearchFile.tags(entry, words))
    try insert.run()
    snippet.begin()
    snippet.put(expression)
    guard try snippet.step() else { return nil }
    return Self.pieces(snippet.text())
  }

  /// `before␂find␃after`, taken apart.
  static func pieces(_ marked: String) -> [Excerpt] {
    var pieces: [Excerpt] = []
    var isMatch = false
    for piece in marked.unicodeScalars.split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\u{2}" || $0 == "\u{3}" })
    {
      if !piece.isEmpty { pieces.append(Excerpt(text: short(piece), isMatch: isMatch)) }
      isMatch.toggle()
    }
    return pieces
  }

  /// Characters of one word of an excerpt. A snippet is so many words, and a word may be a megabyte.
  static let wordMax = 100

  private static func short(_ piece: Substring.UnicodeScalarView) -> String {
    var out = String.UnicodeScalarView()
    var length = 0
    for scalar in piece {
      length = scalar.properties.isWhitespace ? 0 : length + 1
      if length <= wordMax { out.append(scalar) }
      if length == wordMax + 1 { out.append("…") }
    }
    return String(out)
  }
}
