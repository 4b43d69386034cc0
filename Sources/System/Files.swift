internal import CSystem
import Glibc

/// Whole files and folders. All of it blocks: never on a lane.
public enum Files {
  /// Reads a whole file.
  /// - Errors: `SystemError`; EFBIG past `bytesMax`, before more than that is read.
  public static func read(_ path: String, bytesMax: Int = 64 << 20) throws(SystemError) -> [UInt8] {
    let file = try FileDescriptor(opening: path, O_RDONLY)
    var bytes: [UInt8] = []
    let piece = 1 << 16
    while true {
      if bytes.count > bytesMax { throw SystemError("read", path, code: EFBIG) }
      let before = bytes.count
      bytes.append(contentsOf: repeatElement(0, count: piece))
      let got = bytes.withUnsafeMutableBytes { file.read(into: .init(rebasing: $0[before...])) }
      bytes.removeLast(piece - max(got, 0))
      if got < 0 { throw SystemError("read", path, code: Int32(truncatingIfNeeded: -got)) }
      if got == 0 { return bytes }
    }
  }

  /// Replaces a file so that after any crash either the old or the new one stands there whole: a
  /// new file beside it is written and synced, then renamed, then the folder is synced.
  public static func writeAtomically(
    _ bytes: [UInt8], to path: String, permissions: UInt32 = 0o600
  ) throws(SystemError) {
    let beside = "\(path).\(getpid()).\(Entropy.word).new"
    do throws(SystemError) {
      let file = try FileDescriptor(opening: beside, O_WRONLY | O_CREAT | O_EXCL, permissions)
      try file.writeAll(bytes, path)
      try file.sync(path)
      _ = try SystemError.check(rename(beside, path) < 0 ? -Int(errno) : 0, "rename to", path)
    } catch {
      unlink(beside)  // Its failure would only hide the first one.
      throw error
    }
    try syncFolder(folder(of: path))
  }

  /// Makes new, renamed and removed names in a folder durable.
  public static func syncFolder(_ path: String) throws(SystemError) {
    try FileDescriptor(opening: path, O_RDONLY | O_DIRECTORY).sync(path)
  }

  public static func createFolder(_ path: String, permissions: UInt32 = 0o700) throws(SystemError) {
    if mkdir(path, permissions) == 0 { return }
    let code = errno
    // Some places, such as /proc, say that a new name does not exist though its folder does.
    let parent = folder(of: path)
    if code == ENOENT, parent != path, !exists(parent) {
      try createFolder(parent, permissions: permissions)
      return try createFolder(path, permissions: permissions)
    }
    var status = stat()
    let isFolder = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    if code != EEXIST || !isFolder { throw SystemError("create the folder", path, code: code) }
  }

  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The folder that holds `path`, as a path.
  public static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

/// An open file that closes itself.
public struct FileDescriptor: ~Copyable {
  public let number: Int32

  public init(
    opening path: String, _ flags: Int32, _ permissions: UInt32 = 0o600
  ) throws(SystemError) {
    number = try SystemError.check(tl_open(path, flags, permissions), "open", path)
  }

  deinit { close(number) }

  /// The count read, or a negated errno.
  func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    while true {
      let got = Glibc.read(number, target.baseAddress, target.count)
      if got >= 0 { return got }
      let code = errno
      if code != EINTR { return -Int(code) }
    }
  }

  public func writeAll(_ bytes: [UInt8], _ path: String) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let sent = bytes.withUnsafeBytes { raw in
        Glibc.write(number, raw.baseAddress.map { $0 + done }, raw.count - done)
      }
      let code = errno
      if sent >= 0 {
        done += sent
      } else if code != EINTR {
        throw SystemError("write", path, code: code)
      }
    }
  }

  public func sync(_ path: String) throws(SystemError) {
    _ = try SystemError.check(tl_sync(number), "sync", path)
  }

  public func syncData(_ path: String) throws(SystemError) {
    _ = try SystemError.check(tl_sync_data(number), "sync", path)
  }

  /// Reserves space on the disk without changing the file's size, so that a later write cannot run
  /// out.
  public func reserve(offset: Int64, bytes: Int64, _ path: String) throws(SystemError) {
    _ = try SystemError.check(tl_allocate(number, offset, bytes), "reserve space for", path)
  }
}
