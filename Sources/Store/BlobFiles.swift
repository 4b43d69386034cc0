import Records
import Glibc
import Model
import Synchronization

/// The bytes of attachments, each in a file named by its SHA-256, per workspace. Writing the same bytes twice
/// keeps one file. Every call blocks: never on a lane, and never on the writer's thread either.
///
/// Write the bytes first and commit the `BlobRow` afterwards: then no row ever names a file that is not there.
public struct BlobFiles: Sendable {
  public let folder: String
  /// Attachments are bounded by the channels at 25 MB; this is the last fence, in bytes.
  public static let sizeMax = 64 << 20

  public init(folder: String) { self.folder = folder }

  /// Durable on return: the file, its name, and every folder above it.
  public func write(_ bytes: [UInt8], _ workspace: WorkspaceID) throws(StoreFault) -> Digest {
    let hash = Checksum.sha256(bytes)
    let path = path(of: hash, workspace)
    if try holds(hash, workspace) {
      try Folders.sync(folder: Folders.parent(of: path))  // Whoever renamed it may not have come to this yet.
      return hash
    }
    try Folders.make(Folders.parent(of: path))
    let beside = "\(path).\(getpid()).\(Self.serial.add(1, ordering: .relaxed).newValue).new"
    do throws(StoreFault) {
      try Self.writeFile(bytes, beside)
      guard rename(beside, path) == 0 else { throw Folders.fault("rename \(beside)", errno) }
    } catch {
      unlink(beside)  // Its failure would only hide the first one.
      throw error
    }
    try Folders.sync(folder: Folders.parent(of: path))
    return hash
  }

  /// - Errors: `.corrupt` when the bytes are not those of the hash, `.failed` when there is no such file.
  public func read(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) -> [UInt8] {
    let path = path(of: hash, workspace)
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Folders.fault("open the blob \(path)", errno) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw Folders.fault("look at the blob \(path)", errno) }
    guard status.st_size >= 0, status.st_size <= Self.sizeMax else {
      throw .corrupt(what: "the blob \(path) has an impossible size")
    }
    let bytes = try Self.readFile(file, count: Int(status.st_size), path)
    guard Checksum.sha256(bytes) == hash else { throw .corrupt(what: "the blob \(path) does not match its hash") }
    return bytes
  }

  /// Bytes, or nil when there is no such blob. Its content is not checked.
  public func size(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) -> Int64? {
    let path = path(of: hash, workspace)
    var status = stat()
    if stat(path, &status) == 0 { return Int64(status.st_size) }
    let code = errno
    if code == ENOENT { return nil }
    throw Folders.fault("look at the blob \(path)", code)
  }

  /// Removes the bytes. Only for what no row refers to: `SQLiteStore.sweepBlobs` looks first.
  func remove(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) {
    let path = path(of: hash, workspace)
    if unlink(path) != 0 {
      let code = errno
      if code == ENOENT { return }
      throw Folders.fault("remove the blob \(path)", code)
    }
    try Folders.sync(folder: Folders.parent(of: path))
  }

  /// A file is renamed only after it was synced, so one that is there is whole; a damaged one is mended by
  /// writing it again.
  private func holds(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) -> Bool {
    guard try size(hash, workspace) != nil else { return false }
    do throws(StoreFault) {
      _ = try read(hash, workspace)
      return true
    } catch .corrupt { return false }
  }

  func path(of hash: Digest, _ workspace: WorkspaceID) -> String {
    let hex = hash.hex
    return "\(folder)/\(workspace.raw)/\(hex.prefix(2))/\(hex)"
  }

  private static let serial = Atomic<UInt64>(0)

  private static func writeFile(_ bytes: [UInt8], _ path: String) throws(StoreFault) {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Folders.fault("make \(path)", errno) }
    defer { close(file) }
    var done = 0
    while done < bytes.count {
      let sent = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + done }, bytes.count - done) }
      let code = errno
      if sent >= 0 { done += sent } else if code != EINTR { throw Folders.fault("write \(path)", code) }
    }
    guard fsync(file) == 0 else { throw Folders.fault("sync \(path)", errno) }
  }

  private static func readFile(_ file: Int32, count: Int, _ path: String) throws(StoreFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress.map { $0 + done }, count - done) }
      let code = errno
      if got == 0 { break }  // Cut off under our hands: the hash will not match.
      if got > 0 { done += got } else if code != EINTR { throw Folders.fault("read \(path)", code) }
    }
    return bytes
  }
}

extension Digest {
  /// 64 digits, lower case.
  var hex: String {
    let digits: StaticString = "0123456789abcdef"
    return String(unsafeUninitializedCapacity: 64) { out in
      var at = 0
      for word in [words.0, words.1, words.2, words.3] {
        for shift in stride(from: 60, through: 0, by: -4) {
          out[at] = digits.utf8Start[Int(word >> UInt64(shift) & 15)]
          at += 1
        }
      }
      return at
    }
  }
}
