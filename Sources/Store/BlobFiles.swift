import Records
import Glibc
import Model
import Synchronization
import System

/// The bytes of attachments, each in a file named by its SHA-256, per workspace. Writing the same
/// bytes twice keeps one file. Every call blocks: never on a lane, and never on the writer's thread either.
///
/// Keep the bytes first and commit the `BlobRow` afterwards: then no row ever names a file that is
/// not there.
public final class BlobFiles: Sendable {
  public let folder: String
  /// What the settings may let be attached; this is the last fence, in bytes.
  public static let sizeMax = 256 << 20

  /// How many rows are on their way to each file. Never held over a call to the disk, which may hang:
  /// writers let go of holds.
  private let wanted = Mutex<[Place: Int]>([:])
  /// Held while a file is looked at and removed, or found and marked as wanted: never both at once.
  private let removals = Mutex(())
  private struct Place: Hashable {
    var workspace: WorkspaceID
    var hash: Digest
  }
  private let serial = Atomic<UInt64>(0)

  private let disk: any BlobDisk

  public init(folder: String) {
    self.folder = folder
    disk = RealDisk()
  }
  init(folder: String, disk: any BlobDisk) {
    self.folder = folder
    self.disk = disk
  }

  /// Durable on return: the file, its name, and every folder above it. Until the hold is let go,
  /// which is when the row is committed or given up, nobody takes the file away: not even whoever
  /// erases the last row that names it.
  public func keep(_ bytes: [UInt8], _ workspace: WorkspaceID) throws(StoreFault) -> BlobHold {
    let place = Place(workspace: workspace, hash: Checksum.sha256(bytes))
    wanted.withLock { $0[place, default: 0] += 1 }
    let hold = BlobHold(place.hash) { [self] in
      wanted.withLock { $0[place] = $0[place].flatMap { $0 > 1 ? $0 - 1 : nil } }
    }
    try write(bytes, place.hash, workspace)
    return hold
  }

  /// The same where nobody erases meanwhile.
  func write(_ bytes: [UInt8], _ workspace: WorkspaceID) throws(StoreFault) -> Digest {
    let hash = Checksum.sha256(bytes)
    try write(bytes, hash, workspace)
    return hash
  }

  private func write(_ bytes: [UInt8], _ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault)
  {
    let path = path(of: hash, workspace)
    if try holds(hash, workspace) {
      try disk.sync(folder: Folders.parent(of: path))  // Whoever renamed it may not have come to this yet.
      return
    }
    try disk.makeFolders(Folders.parent(of: path))
    let beside = "\(path).\(getpid()).\(serial.add(1, ordering: .relaxed).newValue).new"
    do throws(StoreFault) {
      try disk.write(bytes, toNew: beside)
      try disk.sync(file: beside)
      try disk.move(beside, to: path)
    } catch {
      unlink(beside)  // Its failure would only hide the first one.
      throw error
    }
    try disk.sync(folder: Folders.parent(of: path))
  }

  /// - Errors: `.corrupt` when the bytes are not those of the hash, or there is no such file: whoever
  ///   asks has a row that names it, and asks for the row again, which may have been erased.
  public func read(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) -> [UInt8] {
    let path = path(of: hash, workspace)
    let (file, size) = try opened(path)
    defer { close(file) }
    let bytes = try Self.readFile(file, count: size, path)
    guard Checksum.sha256(bytes) == hash else { throw Self.unlike(path) }
    return bytes
  }

  /// The same, and keeps nothing of it.
  public func check(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) {
    let path = path(of: hash, workspace)
    let (file, size) = try opened(path)
    defer { close(file) }
    var seen = SHA256Stream()
    for at in stride(from: 0, to: size, by: BlobPieces.pieceMax) {
      seen.update(try Self.readFile(file, count: min(size - at, BlobPieces.pieceMax), path))
    }
    guard Digest(bytes: seen.finish().bytes) == hash else { throw Self.unlike(path) }
  }

  static func unlike(_ path: String) -> StoreFault {
    .corrupt(what: "the blob \(path) does not match its hash")
  }

  /// Its descriptor, which is the caller's to close, and how many bytes it has.
  func opened(_ path: String) throws(StoreFault) -> (file: Int32, size: Int) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      let code = errno
      if code == ENOENT { throw .corrupt(what: "the blob \(path) is missing") }
      throw Folders.fault("open the blob \(path)", code)
    }
    var status = stat()
    guard fstat(file, &status) == 0 else {
      let code = errno
      close(file)
      throw Folders.fault("look at the blob \(path)", code)
    }
    guard status.st_size >= 0, status.st_size <= Self.sizeMax else {
      close(file)
      throw .corrupt(what: "the blob \(path) has an impossible size")
    }
    return (file, Int(status.st_size))
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

  /// Removes files of a workspace that no row refers to and nobody has written since `before`, and
  /// what a crash left half written; returns how many. `before` must leave time to commit the row
  /// after `write`: a day is plenty.
  public func sweep(
    _ workspace: WorkspaceID, before: Instant, isReferenced: (Digest) throws(StoreFault) -> Bool
  ) throws(StoreFault) -> Int {
    var removed = 0
    for name in try Folders.names(in: "\(folder)/\(workspace.raw)") {
      let inner = "\(folder)/\(workspace.raw)/\(name)"
      for file in try Folders.names(in: inner) {
        if let hash = Digest(hex: file), try isReferenced(hash) { continue }
        if try remove("\(inner)/\(file)", ifOlderThan: before) { removed += 1 }
      }
    }
    return removed
  }

  /// Removes the file, durably; nothing happens where another row is on its way to it.
  func remove(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) {
    let path = path(of: hash, workspace)
    let folder = Folders.parent(of: path)
    try removals.withLock { _ throws(StoreFault) in
      let place = Place(workspace: workspace, hash: hash)
      guard wanted.withLock({ $0[place] == nil }) else { return }
      if try size(hash, workspace) != nil {
        try disk.remove(path)
      } else if access(folder, F_OK) != 0 {
        return
      }
      // Also where it is gone: whoever was killed in between had not come to this.
      try disk.sync(folder: folder)
    }
  }

  /// Removes every file of a workspace of which that is said, but for those that a row is on its way to.
  /// For whoever keeps everybody from committing meanwhile.
  func removeAll(
    of workspace: WorkspaceID, where isNobodys: (Digest) throws(StoreFault) -> Bool
  ) throws(StoreFault) {
    for name in try Folders.names(in: "\(folder)/\(workspace.raw)") {
      for file in try Folders.names(in: "\(folder)/\(workspace.raw)/\(name)") {
        if let hash = Digest(hex: file), try isNobodys(hash) { try remove(hash, workspace) }
      }
    }
  }

  private func remove(_ path: String, ifOlderThan before: Instant) throws(StoreFault) -> Bool {
    try removals.withLock { _ throws(StoreFault) in
      var status = stat()
      guard stat(path, &status) == 0, Int64(status.st_mtim.tv_sec) < before.milliseconds / 1_000
      else { return false }
      guard unlink(path) == 0 else { throw Folders.fault("remove the blob \(path)", errno) }
      return true
    }
  }

  /// A file is renamed only after it was synced, so one that is there is whole; a damaged one is
  /// mended by writing it again.
  private func holds(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) -> Bool {
    let path = path(of: hash, workspace)
    // Marked as wanted from now on, so that no sweep takes it away before its row is committed; and who
    // saw before that nobody wanted it has removed it by now.
    let code = removals.withLock { _ in utimensat(AT_FDCWD, path, nil, 0) == 0 ? 0 : errno }
    if code == ENOENT { return false }
    if code != 0 { throw Folders.fault("touch the blob \(path)", code) }
    do throws(StoreFault) {
      try check(hash, workspace)
      return true
    } catch .corrupt { return false }
  }

  func path(of hash: Digest, _ workspace: WorkspaceID) -> String {
    let hex = hash.hex
    return "\(folder)/\(workspace.raw)/\(hex.prefix(2))/\(hex)"
  }

  static func readFile(_ file: Int32, count: Int, _ path: String) throws(StoreFault)
    -> [UInt8]
  {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes {
        Glibc.read(file, $0.baseAddress.map { $0 + done }, count - done)
      }
      let code = errno
      if got == 0 { break }  // Cut off under our hands: the hash will not match.
      if got > 0 { done += got } else if code != EINTR { throw Folders.fault("read \(path)", code) }
    }
    return bytes
  }
}

/// Bytes that are kept and that a row is on its way to.
public final class BlobHold: Sendable {
  public let hash: Digest
  private let letGo: @Sendable () -> Void

  init(_ hash: Digest, letGo: @escaping @Sendable () -> Void) {
    self.hash = hash
    self.letGo = letGo
  }
  deinit { letGo() }
}

extension Digest {
  init?(hex: String) {
    let digits = Array(hex.utf8)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
      guard
        let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16)
      else {
        return nil
      }
      bytes.append(byte)
    }
    self.init(bytes: bytes)
  }

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
