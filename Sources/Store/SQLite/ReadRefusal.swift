import Glibc
internal import GRDBSQLite

/// A read that the disk refuses. SQLite calls one that ends with EIO corruption, since a sector that is
/// gone for good looks like that (`SQLITE_IOERR_CORRUPTFS`). But a disk that refuses all reads, for a
/// second or until somebody puts the cable back, has damaged nothing: no backup helps, and what is asked
/// again later is answered.
///
/// The errno of each file's last failure tells that it was a read, and reading elsewhere which of the
/// two it is.
enum ReadRefusal {
  /// Nil where what SQLite says is damage: nothing refused, or just what it wanted.
  static func sentence(_ connection: OpaquePointer?) -> String? {
    for which in [SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER] {
      var file: UnsafeMutablePointer<sqlite3_file>?
      guard sqlite3_file_control(connection, "main", which, &file) == SQLITE_OK, let file,
        let methods = file.pointee.pMethods?.pointee
      else { continue }
      var code: Int32 = 0
      guard methods.xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &code) == SQLITE_OK,
        [EIO, ENXIO, ERANGE].contains(code)
      else { continue }
      defer { forget(file, methods) }
      if !isReadable(file, methods) {
        return "the disk refuses to be read: \(String(cString: strerror(code)))"
      }
    }
    return nil
  }

  /// Whether the disk gives anything of it: its beginning, middle and end.
  private static func isReadable(
    _ file: UnsafeMutablePointer<sqlite3_file>, _ methods: sqlite3_io_methods
  ) -> Bool {
    var size: Int64 = 0
    guard methods.xFileSize(file, &size) == SQLITE_OK else { return false }
    return size == 0
      || [0, size / 2, size - 1].contains { place in
        var byte: UInt8 = 0
        return methods.xRead(file, &byte, 1, place) == SQLITE_OK
      }
  }

  /// A read past the end is what sets the errno back: no success does.
  private static func forget(
    _ file: UnsafeMutablePointer<sqlite3_file>, _ methods: sqlite3_io_methods
  ) {
    var byte: UInt8 = 0
    _ = methods.xRead(file, &byte, 1, 1 << 40)
  }
}
