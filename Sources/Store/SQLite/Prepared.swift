import Records
internal import GRDBSQLite
import Model

// Statements straight over SQLite's C interface, on a connection that GRDB opened. GRDB's own
// `Statement` takes its arguments as boxed values; measured, that halves the rows a second
// (docs/decisions/0003-store.md).

/// A statement prepared once for the life of its connection. Values are bound, and columns read,
/// from left to right; each passes through the row's seal on its way, so that the checksum cannot
/// forget a column.
final class Prepared {
  private let handle: OpaquePointer
  private let connection: OpaquePointer
  /// In words that follow "could not".
  private let doing: String
  private var at: Int32 = 0
  private var seal = Seal()

  init(_ connection: OpaquePointer, _ sql: String, _ doing: String) throws(StoreFault) {
    var handle: OpaquePointer?
    let code = sqlite3_prepare_v3(
      connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK, let handle else { throw StoreFault.of(connection, code, doing) }
    self.handle = handle
    self.connection = connection
    self.doing = doing
  }

  deinit { sqlite3_finalize(handle) }

  // MARK: Binding

  func begin(_ table: Table) {
    at = 0
    seal.begin(table)
  }

  /// For the arguments of a question, which no checksum covers.
  func begin() { begin(.workspaces) }

  // A failing bind (memory out, or a value over SQLite's limit of 1 GB) leaves NULL behind, which
  // every NOT NULL column and the checksum refuse.
  func put(_ value: Int64) {
    at += 1
    seal.add(value)
    sqlite3_bind_int64(handle, at, value)
  }
  func put(_ bytes: UnsafeRawBufferPointer) {
    seal.add(bytes)
    putUnsealed(bytes)
  }
  /// For an entry's body, which its own hash covers.
  func putUnsealed(_ bytes: UnsafeRawBufferPointer) {
    at += 1
    // A nil pointer would bind NULL.
    guard let start = bytes.baseAddress, !bytes.isEmpty else {
      return _ = sqlite3_bind_zeroblob(handle, at, 0)
    }
    sqlite3_bind_blob64(handle, at, start, UInt64(bytes.count), transient)
  }
  func putNull() {
    at += 1
    seal.addNull()
    sqlite3_bind_null(handle, at)
  }
  /// A column that the table did not have at first: where it holds nothing, the checksum is the one
  /// that was made without it. One that comes or goes is noticed all the same.
  func putAdded<T>(_ value: T?, _ put: (T) -> Void) {
    if let value { return put(value) }
    at += 1
    sqlite3_bind_null(handle, at)
  }
  func put(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      at += 1
      seal.add(UnsafeRawBufferPointer(utf8))
      utf8.withMemoryRebound(to: CChar.self) {
        _ = sqlite3_bind_text64(
          handle, at, $0.baseAddress, UInt64($0.count), transient, UInt8(SQLITE_UTF8))
      }
    }
  }

  /// Binds the checksum of what was put since `begin`, and runs.
  func runSealed() throws(StoreFault) {
    at += 1
    sqlite3_bind_int64(handle, at, seal.checksum)
    try run()
  }

  func run() throws(StoreFault) {
    let code = sqlite3_step(handle)
    // Taken before the reset, which overwrites the message.
    let fault =
      code == SQLITE_DONE || code == SQLITE_ROW ? nil : StoreFault.of(connection, code, doing)
    sqlite3_reset(handle)
    if let fault { throw fault }
  }

  // MARK: Reading

  /// Steps to the next row; false and reset at the end.
  func step() throws(StoreFault) -> Bool {
    let code = sqlite3_step(handle)
    at = 0
    if code == SQLITE_ROW { return true }
    defer { sqlite3_reset(handle) }
    if code == SQLITE_DONE { return false }
    throw StoreFault.of(connection, code, doing)
  }
  func reset() { sqlite3_reset(handle) }

  /// The row that `step` found, checked against its checksum before it is returned.
  func checked<T>(_ table: Table, _ read: (Prepared) throws(StoreFault) -> T) throws(StoreFault)
    -> T
  {
    begin(table)
    let value: T
    do throws(StoreFault) { value = try read(self) } catch {
      guard case .corrupt(let what) = error else { throw error }
      throw .corrupt(what: "\(name(ofRowIn: table)): \(what)")
    }
    guard !table.isSealed || sqlite3_column_int64(handle, at) == seal.checksum else {
      throw .corrupt(what: "\(name(ofRowIn: table)) does not match its checksum")
    }
    return value
  }
  /// The next row; nil at the end.
  func row<T>(_ table: Table, _ read: (Prepared) throws(StoreFault) -> T) throws(StoreFault) -> T? {
    guard try step() else { return nil }
    do throws(StoreFault) { return try checked(table, read) } catch {
      sqlite3_reset(handle)
      throw error
    }
  }
  /// Such as `customers 1/00a4…`, for whoever must find it.
  private func name(ofRowIn table: Table) -> String {
    let keys = (0..<Int32(table.keyCount)).map { column in
      if sqlite3_column_type(handle, column) != SQLITE_BLOB {
        return sqlite3_column_text(handle, column).map { String(cString: $0) } ?? "NULL"
      }
      at = column
      return unsealedRaw().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
    return "\(table.name) \(keys.joined(separator: "/"))"
  }
  func one<T>(_ table: Table, _ read: (Prepared) throws(StoreFault) -> T) throws(StoreFault) -> T? {
    defer { sqlite3_reset(handle) }
    return try row(table, read)
  }
  func all<T>(_ table: Table, _ read: (Prepared) throws(StoreFault) -> T) throws(StoreFault) -> [T]
  {
    var rows: [T] = []
    while let row = try row(table, read) { rows.append(row) }
    return rows
  }

  /// Each row that matches its checksum; `damaged` hears of every other.
  func eachReadable<T>(
    _ table: Table, _ read: (Prepared) throws(StoreFault) -> T,
    damaged: (StoreFault) -> Void = { _ in }, _ body: (T) -> Void
  ) throws(StoreFault) {
    defer { sqlite3_reset(handle) }
    while try step() {
      do throws(StoreFault) { body(try checked(table, read)) } catch {
        guard case .corrupt = error else { throw error }
        damaged(error)
      }
    }
  }

  /// All rows: of those that do not match their checksum the key beside the workspace, as it stands
  /// there.
  func found<R: ColumnRow>(_: R.Type = R.self) throws(StoreFault) -> FoundRows<R> {
    var found = FoundRows<R>()
    try eachReadable(
      R.table, R.inWorkspace, damaged: { _ in found.damaged.append(blob(at: 1)) }
    ) { found.rows.append($0) }
    return found
  }

  var isNull: Bool { sqlite3_column_type(handle, at) == SQLITE_NULL }

  /// A column by its index, beside the row's order.
  func integer(at column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
  func blob(at column: Int32) -> [UInt8] { Array(bytes(at: column)) }
  /// They stand until the next step.
  func bytes(at column: Int32) -> UnsafeRawBufferPointer {
    at = column
    return unsealedRaw()
  }
  func integer() -> Int64 {
    let value = sqlite3_column_int64(handle, at)
    at += 1
    seal.add(value)
    return value
  }
  func optional<T>(_ read: (Prepared) throws(StoreFault) -> T) throws(StoreFault) -> T? {
    guard isNull else { return try read(self) }
    at += 1
    seal.addNull()
    return nil
  }
  /// As `putAdded` wrote it.
  func added<T>(_ read: (Prepared) throws(StoreFault) -> T) throws(StoreFault) -> T? {
    guard isNull else { return try read(self) }
    at += 1
    return nil
  }
  /// The bytes stand until the next step.
  func raw() -> UnsafeRawBufferPointer {
    let bytes = unsealedRaw()
    seal.add(bytes)
    return bytes
  }
  func unsealedRaw() -> UnsafeRawBufferPointer {
    let start = sqlite3_column_blob(handle, at)
    let count = sqlite3_column_bytes(handle, at)
    at += 1
    return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count))
  }

  private var transient: sqlite3_destructor_type {
    unsafeBitCast(-1, to: sqlite3_destructor_type.self)
  }
}

/// What a question finds, by whether it matches its checksum.
struct FoundRows<R> {
  var rows: [R] = []
  var damaged: [[UInt8]] = []
}

extension ID {
  /// As a key holds it; nil for what is none.
  init?(key: [UInt8]) {
    guard key.count == 16 else { return nil }
    self = key.withUnsafeBytes { ID(high: $0.word(at: 0), low: $0.word(at: 8)) }
  }
}

extension StoreFault {
  static func of(_ connection: OpaquePointer?, _ code: Int32, _ doing: String) -> StoreFault {
    let said = sqlite3_errmsg(connection).map { String(cString: $0) } ?? "SQLite error \(code)"
    switch code & 0xff {
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      if let why = ReadRefusal.sentence(connection) { return .failed(doing: doing, why: why) }
      return .corrupt(what: "could not \(doing): \(said)")
    default:
      return .failed(doing: doing, why: "\(said) (SQLite \(sqlite3_extended_errcode(connection)))")
    }
  }
}
