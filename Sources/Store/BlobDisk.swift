import Glibc
import Records

/// What blob files ask of the disk, call by call, so that a test can stand in between and cut the
/// power at any of
/// them. Nothing here is durable until the file, and the folder that names it, were synced.
protocol BlobDisk: Sendable {
  /// 0, or the error's number.
  func makeFolder(_ path: String) -> Int32
  /// Makes a file that there must not be yet, and writes it.
  func write(_ bytes: [UInt8], toNew path: String) throws(StoreFault)
  func sync(file path: String) throws(StoreFault)
  /// Within one folder.
  func move(_ path: String, to target: String) throws(StoreFault)
  func sync(folder path: String) throws(StoreFault)
  /// Nothing happens where there is no such file.
  func remove(_ path: String) throws(StoreFault)
}

extension BlobDisk {
  /// With every folder above it, durably.
  func makeFolders(_ path: String) throws(StoreFault) {
    var made: [String] = []
    var missing = path
    while true {
      let code = makeFolder(missing)
      if code == 0 || code == EEXIST { break }
      guard code == ENOENT, Folders.parent(of: missing) != missing else {
        throw Folders.fault("make the folder \(missing)", code)
      }
      made.append(missing)
      missing = Folders.parent(of: missing)
    }
    for folder in made.reversed() {
      let code = makeFolder(folder)
      guard code == 0 || code == EEXIST else {
        throw Folders.fault("make the folder \(folder)", code)
      }
    }
    // A new name is on disk only once the folder that holds it is.
    try sync(folder: Folders.parent(of: missing))
    for folder in made.reversed() { try sync(folder: Folders.parent(of: folder)) }
  }
}

struct RealDisk: BlobDisk {
  func makeFolder(_ path: String) -> Int32 { mkdir(path, 0o700) == 0 ? 0 : errno }

  func write(_ bytes: [UInt8], toNew path: String) throws(StoreFault) {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Folders.fault("make \(path)", errno) }
    defer { close(file) }
    var done = 0
    while done < bytes.count {
      let sent = bytes.withUnsafeBytes {
        Glibc.write(file, $0.baseAddress.map { $0 + done }, bytes.count - done)
      }
      let code = errno
      if sent >= 0 {
        done += sent
      } else if code != EINTR {
        throw Folders.fault("write \(path)", code)
      }
    }
  }

  func sync(file path: String) throws(StoreFault) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Folders.fault("open \(path)", errno) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw Folders.fault("sync \(path)", errno) }
  }

  func move(_ path: String, to target: String) throws(StoreFault) {
    guard rename(path, target) == 0 else { throw Folders.fault("move \(path) to \(target)", errno) }
  }
  func sync(folder path: String) throws(StoreFault) { try Folders.sync(folder: path) }
  func remove(_ path: String) throws(StoreFault) { try Folders.remove(path) }
}
