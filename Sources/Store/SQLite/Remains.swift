internal import GRDBSQLite
import Records

/// What is left of rows in the pages that held them. `secure_delete` overwrites a cell that is
/// deleted, but not the copy of one that stays behind where a page was split or balanced: its cells go
/// to a neighbour, and their bytes stand on between the page's pointers and its contents
/// (`rebuildPage` of SQLite). One erasure in seven left a few words of the person so.
///
/// ```
/// page: header | pointers to cells ▸ nothing, and here the remains stand ◂ cells
/// ```
/// SQLite reads none of these bytes, so that to overwrite them changes nothing, whatever of it reaches
/// the disk. It is done through SQLite's own file: another descriptor of it, once closed, would take
/// the process's locks along (fcntl).
enum Remains {
  /// Of so many at once, while nobody commits.
  static let pagesAtOnce: Int64 = 8_192

  /// Overwrites them in the pages from a number on, the first being 0. Answers with which to go on; nil
  /// at the end. Nobody may commit meanwhile, and the write-ahead log must be empty.
  static func clear(_ connection: OpaquePointer, from first: Int64) throws(StoreFault) -> Int64? {
    let doing = "overwrite what is left of deleted rows"
    // Whatever is cached is as it was, and would be written again with the next change of its page.
    sqlite3_db_release_memory(connection)
    var found: UnsafeMutablePointer<sqlite3_file>?
    let code = withUnsafeMutablePointer(to: &found) {
      sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, $0)
    }
    guard code == SQLITE_OK, let file = found, let methods = file.pointee.pMethods?.pointee,
      let read = methods.xRead, let write = methods.xWrite, let sync = methods.xSync,
      let fileSize = methods.xFileSize
    else { throw .failed(doing: doing, why: "SQLite does not show its file") }
    func attempt(_ code: Int32) throws(StoreFault) {
      if code != SQLITE_OK { throw .failed(doing: doing, why: "SQLite \(code)") }
    }
    var size: Int64 = 0
    try attempt(fileSize(file, &size))
    guard size >= 512 else { return nil }
    var head = [UInt8](repeating: 0, count: 100)
    try attempt(read(file, &head, 100, 0))
    let told = Int64(head[16]) << 8 | Int64(head[17])
    let page = told == 1 ? 65_536 : told
    guard page >= 512, page & (page - 1) == 0, size / page < pagesMax else { return nil }
    let (reserved, end) = (Int(head[20]), min(size / page, first + pagesAtOnce))
    var bytes = [UInt8](repeating: 0, count: Int(page))
    let zeros = [UInt8](repeating: 0, count: Int(page))
    var hasWritten = false
    for number in first..<max(first, end) {
      try attempt(read(file, &bytes, Int32(page), number * page))
      guard let gap = gap(in: bytes, isFirst: number == 0, usable: Int(page) - reserved),
        bytes[gap].contains(where: { $0 != 0 })
      else { continue }
      try attempt(write(file, zeros, Int32(gap.count), number * page + Int64(gap.lowerBound)))
      hasWritten = true
    }
    if hasWritten { try attempt(sync(file, SQLITE_SYNC_NORMAL)) }
    return end < size / page ? end : nil
  }

  /// From here on the number of a page that an overflow page goes on in may look like the first byte
  /// of a tree's: 128 GB, with pages of 4 kB.
  private static let pagesMax: Int64 = 2 << 24

  /// Between the pointers and the cells of a page of a tree (SQLite, "Database File Format" §1.6); nil
  /// for another page, and for one that is damaged.
  static func gap(in page: [UInt8], isFirst: Bool, usable: Int) -> Range<Int>? {
    let header = isFirst ? 100 : 0
    guard page.count >= usable, usable >= 480 else { return nil }
    func number(_ at: Int) -> Int { Int(page[at]) << 8 | Int(page[at + 1]) }
    let pointers: Int
    switch page[header] {
    case 2, 5: pointers = header + 12
    case 10, 13: pointers = header + 8
    default: return nil
    }
    let end = pointers + 2 * number(header + 3)
    let told = number(header + 5)
    let cells = told == 0 ? 65_536 : told
    guard end <= cells, cells <= usable,
      stride(from: pointers, to: end, by: 2).allSatisfy({ (cells..<usable).contains(number($0)) })
    else { return nil }
    return end..<cells
  }
}

extension SQLiteStore {
  /// Empties the write-ahead log, and leaves nothing in the main file of what was deleted. Commits go
  /// on between its pieces.
  public func leaveNothing() throws(StoreFault) {
    try emptyLog()
    var (next, tries) = (Int64?(0), 0)
    while let page = next {
      next = try write("overwrite what is left of deleted rows") { writer throws(StoreFault) in
        // What was committed since: a page that stands in the log is another one in the file.
        guard try writer.emptyLog() else { return page }
        return try Remains.clear(writer.connection, from: page)
      }
      if next == page {
        tries += 1
        guard tries < 10 else {
          throw .failed(
            doing: "overwrite what is left of deleted rows",
            why: "somebody has been reading from the write-ahead log for long")
        }
        try emptyLog()
      }
    }
  }
}
