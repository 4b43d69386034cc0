internal import GRDB
import Model
import Records
import System

/// A copy of a data folder at one moment, taken while commits go on.
///
/// ```
/// <backup>/throughline.sqlite   every row, in one compact file
/// <backup>/blobs/…              every attachment that a row refers to
/// <backup>/BACKUP               written last: without it the backup is not whole
/// ```
/// The full-text index is left out: it is made anew. So is nothing else: the folder holds tokens'
/// hashes and secrets, and
/// wants to be kept as safely as the original.
public struct FolderBackup: Sendable, Equatable {
  public struct Workspace: Sendable, Equatable {
    public var name: String
    public var number: UInt32
    public var position: Int64
    public var entries: Int64
  }
  public var at: Instant
  public var workspaces: [Workspace]
  public var blobs: Int

  static let manifest = "BACKUP"

  /// Such as `workspace demo number 1 position 96 entries 76`, a line each.
  var text: String {
    let lines = workspaces.map {
      "workspace \($0.name) number \($0.number) position \($0.position) entries \($0.entries)"
    }
    return (["throughline backup 1", "at \(at)"] + lines + ["blobs \(blobs)", "whole", ""]).joined(
      separator: "\n")
  }
}

extension SQLiteStore {
  /// Writes a backup into a new or empty folder. It is one long reading: commits go on, and only
  /// the write-ahead
  /// log grows meanwhile.
  public func backUp(to target: String, at: Instant) throws(StoreFault) -> FolderBackup {
    guard try Folders.names(in: target).isEmpty else {
      throw .failed(doing: "back up to \(target)", why: "it is not empty; name a new folder")
    }
    try Folders.make(target)
    let copy = "\(target)/throughline.sqlite"
    try Folders.makeFile(copy)
    try copyRows(to: copy)
    let backup = try copyBlobs(from: copy, to: target, at: at)
    do throws(SystemError) {
      try Files.writeAtomically(Array(backup.text.utf8), to: "\(target)/\(FolderBackup.manifest)")
    } catch { throw .failed(doing: "back up to \(target)", why: "\(error)") }
    return backup
  }

  private func copyRows(to copy: String) throws(StoreFault) {
    try storeFault("back up to \(copy)") {
      let connection = try DatabaseQueue(path: file, configuration: Self.configuration())
      try connection.writeWithoutTransaction {
        try $0.execute(sql: "VACUUM INTO ?", arguments: [copy])
      }
      try connection.close()
    }
    // VACUUM INTO leaves the syncing to us.
    do throws(SystemError) { try FileDescriptor(opening: copy, 2 /* O_RDWR */).sync(copy) } catch {
      throw .failed(doing: "back up to \(copy)", why: "\(error)")
    }
    try Folders.sync(folder: Folders.parent(of: copy))
  }

  /// Every blob that the copied rows refer to, each checked on its way. One that an erasure took
  /// since is left out.
  private func copyBlobs(from copy: String, to target: String, at: Instant) throws(StoreFault)
    -> FolderBackup
  {
    let copied = BlobFiles(folder: "\(target)/blobs")
    let live = try SQLiteReader(self)
    var backup = FolderBackup(at: at, workspaces: [], blobs: 0)
    let reader = try SQLiteReader(copyOf: self, file: copy)
    for workspace in try reader.workspaces() {
      let head = try reader.head(workspace.id)
      backup.workspaces.append(
        .init(
          name: workspace.name, number: workspace.id.raw, position: head.position,
          entries: head.entry.raw))
      for hash in try reader.blobHashes(workspace.id) {
        let bytes: [UInt8]
        do throws(StoreFault) { bytes = try blobs.read(hash, workspace.id) } catch {
          if try live.blobs(workspace.id, hash: hash).isEmpty { continue }
          throw error
        }
        _ = try copied.write(bytes, workspace.id)
        backup.blobs += 1
      }
    }
    return backup
  }
}

extension SQLiteStore {
  public struct Restored: Sendable, Equatable {
    /// Erasures that the backup did not know, carried out again.
    public var erasuresRepeated = 0
    /// Where the folder's former files lie now; nil where there were none.
    public var replaced: String?
  }

  /// Puts a backup in a data folder's place. Nobody else may have the folder open.
  ///
  /// What was there is moved aside, into `replaced-<time>` within the folder, and its erasure
  /// receipts, and those
  /// handed in, are carried out again on what was restored: a backup never brings an erased person
  /// back.
  public static func restore(
    _ backup: String, to folder: String,
    receipts given: [(workspace: String, receipt: ErasureReceipt)], at: Instant,
    _ forms: ErasedForms
  ) throws(StoreFault) -> Restored {
    guard Files.exists("\(backup)/\(FolderBackup.manifest)") else {
      throw .failed(
        doing: "restore \(backup)",
        why: "it has no file \(FolderBackup.manifest), so that it is no backup or was not finished")
    }
    var restored = Restored()
    var receipts = given
    if Files.exists("\(folder)/throughline.sqlite") {
      receipts += try Self.receipts(in: folder)
      restored.replaced = try moveAside(folder, at)
    }
    try copy(backup, to: folder)
    let store = try SQLiteStore(folder: folder)
    defer { store.close() }
    restored.erasuresRepeated = try store.repeatErasures(receipts, at: at, forms)
    return restored
  }

  /// Every receipt of a data folder that no server holds.
  static func receipts(in folder: String) throws(StoreFault) -> [(
    workspace: String, receipt: ErasureReceipt
  )] {
    let store = try SQLiteStore(folder: folder)
    defer { store.close() }
    let reader = try store.reader()
    var found: [(workspace: String, receipt: ErasureReceipt)] = []
    for workspace in try reader.workspaces() {
      for receipt in try reader.erasures(workspace.id) { found.append((workspace.name, receipt)) }
    }
    return found
  }

  private static func moveAside(_ folder: String, _ at: Instant) throws(StoreFault) -> String {
    let aside = "\(folder)/replaced-\(at.milliseconds)"
    try Folders.make(aside)
    for name in ["throughline.sqlite", "throughline.sqlite-wal", "throughline.sqlite-shm", "blobs"]
    {
      try Folders.move("\(folder)/\(name)", to: "\(aside)/\(name)")
    }
    // It would tell of what is not there any more.
    try SearchFile.remove(folder)
    try Folders.sync(folder: folder)
    return aside
  }

  /// Blobs first and the rows last, under their name only when they are whole.
  private static func copy(_ backup: String, to folder: String) throws(StoreFault) {
    try Folders.make(folder)
    let target = BlobFiles(folder: "\(folder)/blobs")
    let source = BlobFiles(folder: "\(backup)/blobs")
    for workspace in try Folders.names(in: source.folder) {
      guard let number = UInt32(workspace) else { continue }
      for shelf in try Folders.names(in: "\(source.folder)/\(workspace)") {
        for name in try Folders.names(in: "\(source.folder)/\(workspace)/\(shelf)") {
          guard let hash = Digest(hex: name) else { continue }
          _ = try target.write(try source.read(hash, WorkspaceID(number)), WorkspaceID(number))
        }
      }
    }
    try Folders.copy("\(backup)/throughline.sqlite", to: "\(folder)/throughline.sqlite")
  }

  private func repeatErasures(
    _ receipts: [(workspace: String, receipt: ErasureReceipt)], at: Instant, _ forms: ErasedForms
  ) throws(StoreFault) -> Int {
    let reader = try SQLiteReader(self)
    var count = 0
    for workspace in try reader.workspaces() {
      var known = Set(try reader.erasures(workspace.id).filter { $0.done != nil }.map(Self.key))
      for (name, receipt) in receipts
      where name == workspace.name && known.insert(Self.key(receipt)).inserted {
        _ = try erase(
          workspace.id, receipt.customers, at: receipt.at, by: receipt.by, upTo: receipt.upTo, forms
        )
        count += 1
      }
    }
    return count
  }

  private static func key(_ receipt: ErasureReceipt) -> String {
    "\(receipt.at) \(receipt.customers.map(\.description).sorted())"
  }
}
