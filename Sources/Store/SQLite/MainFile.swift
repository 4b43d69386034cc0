import Glibc
internal import GRDB
import Records

/// The store's main file as it is found before it is opened. SQLite takes an empty file, and none,
/// for a new database: a disk that lost ours would make a server begin anew without a word.
///
/// So a new one is made beside its place and gets its name when it is whole, and one that is empty at
/// its place is damage.
enum MainFile {
  static let name = "throughline.sqlite"
  /// A page, of the smallest size there is: SQLite takes less for nothing.
  static let bytesMin: Int64 = 512
  /// What SQLite keeps beside it.
  static let companions = ["-wal", "-shm", "-journal"]

  static func path(_ folder: String) -> String { "\(folder)/\(name)" }

  /// Whether anything of a data folder is there.
  static func isAnythingThere(_ folder: String) throws(StoreFault) -> Bool {
    for file in [path(folder), path(folder) + "-wal", SearchFile.path(folder)] {
      if try Folders.size(file) != nil { return true }
    }
    return try !Folders.names(in: "\(folder)/blobs").isEmpty
  }

  /// Makes a new one where there is nothing yet.
  /// - Parameter make: a whole one out of an empty file.
  static func prepare(_ folder: String, make: (String) throws -> Void) throws(StoreFault) {
    let path = path(folder)
    if let size = try Folders.size(path) {
      guard size >= bytesMin else {
        let what = size == 0 ? "is empty" : "has only \(size) bytes"
        throw .corrupt(what: "\(path) \(what); \(advice(folder))")
      }
      return
    }
    guard try !isAnythingThere(folder) else {
      throw .corrupt(
        what: "\(path) is missing, though its folder is not empty; \(advice(folder))")
    }
    let beside = "\(path).new"
    for companion in [""] + companions { try Folders.remove(beside + companion) }
    try Folders.makeFile(beside)
    try storeFault("make \(path)") { try make(beside) }
    try RealDisk().sync(file: beside)
    try Folders.move(beside, to: path)
    try Folders.sync(folder: folder)
  }

  /// Which files stand there while it is open, whatever their names. SQLite makes the write-ahead log and
  /// its index when it opens the file, and keeps the same ones until it closes it: others in their
  /// places, or none, take what is committed with them at the next start.
  struct Place: Sendable {
    private let main: File?
    private let log: File?
    private let index: File?

    private struct File: Equatable {
      var device: UInt64
      var number: UInt64
      /// Nil where there is none, or none that can be looked at.
      init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
      }
    }

    init(_ folder: String) {
      let path = MainFile.path(folder)
      (main, log, index) = (File(path), File(path + "-wal"), File(path + "-shm"))
    }

    /// The name of one that is not the same any more; nil while all are.
    func lost(in folder: String) -> String? {
      let path = MainFile.path(folder)
      if File(path) != main { return path }
      if let log, File(path + "-wal") != log { return path + "-wal" }
      if let index, File(path + "-shm") != index { return path + "-shm" }
      return nil
    }
  }

  /// What to do about a file that cannot be read.
  static func advice(_ folder: String) -> String {
    "restore the last good backup over it: throughline restore BACKUP --data \(folder)"
  }
}

extension Folders {
  /// In bytes; nil where there is no such file.
  static func size(_ path: String) throws(StoreFault) -> Int64? {
    var status = stat()
    if stat(path, &status) == 0 { return Int64(status.st_size) }
    let code = errno
    if code == ENOENT { return nil }
    throw fault("look at \(path)", code)
  }

  /// With everything in it; nothing happens where there is no such folder. Follows no link.
  static func removeAll(_ path: String) throws(StoreFault) {
    for name in try names(in: path) {
      let inner = "\(path)/\(name)"
      var status = stat()
      guard lstat(inner, &status) == 0 else { throw fault("look at \(inner)", errno) }
      if status.st_mode & S_IFMT == S_IFDIR { try removeAll(inner) } else { try remove(inner) }
    }
    guard rmdir(path) != 0 else { return }
    let code = errno
    if code != ENOENT { throw fault("remove \(path)", code) }
  }
}

extension SQLiteStore {
  /// Whether anything of a data folder is there, whatever state it is in.
  public static func isAnythingThere(_ folder: String) throws(StoreFault) -> Bool {
    try MainFile.isAnythingThere(folder) || HalfRestored.isUnderWay(folder)
  }
}
