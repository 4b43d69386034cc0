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
/// hashes and secrets, and wants to be kept as safely as the original.
///
/// What was copied is read again and checked, as the doctor does, before the file `BACKUP` says so:
/// damage would be copied without a word, and be found on the day that the backup is needed.
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
  /// What is damaged in the copy, as it is in the folder, in sentences. Such a backup is kept, since
  /// nothing better may be had, and whoever restores it must say that they know.
  public var findings: [String] = []

  static let manifest = "BACKUP"

  /// Such as `workspace demo number 1 position 96 entries 76`, a line each.
  var text: String {
    let lines = workspaces.map {
      "workspace \($0.name) number \($0.number) position \($0.position) entries \($0.entries)"
    }
    let end =
      findings.isEmpty ? ["whole"] : ["damaged \(findings.count)"] + findings.map { "  \($0)" }
    return (["throughline backup 1", "at \(at)"] + lines + ["blobs \(blobs)"] + end + [""])
      .joined(separator: "\n")
  }
}

extension SQLiteStore {
  /// Writes a backup into a new or empty folder. It is one long reading: commits go on, and only
  /// the write-ahead log grows meanwhile.
  public func backUp(to target: String, at: Instant) throws(StoreFault) -> FolderBackup {
    try Self.refuse(target, inside: folder, "back up to \(target)")
    guard try Folders.names(in: target).isEmpty else {
      throw .failed(doing: "back up to \(target)", why: "it is not empty; name a new folder")
    }
    do throws(StoreFault) { return try fill(target, at: at) } catch {
      // Half a backup is none: it holds people whom no erasure finds, and would stand in the next one's way.
      // What cannot even be removed has its reason in the same error.
      do throws(StoreFault) { try Folders.removeAll(target) } catch {}
      throw error
    }
  }

  private func fill(_ target: String, at: Instant) throws(StoreFault) -> FolderBackup {
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

  /// Copies of a folder inside of it would be lost with it, and no erasure would find them.
  public static func refuse(
    _ path: String, inside folder: String, _ doing: String
  ) throws(StoreFault) {
    guard Folders.isInside(path, folder) else { return }
    throw .failed(
      doing: doing,
      why:
        "it lies in the data folder \(folder) itself, with which it would be lost, and no erasure "
        + "would reach it: name a folder outside")
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

  /// Every blob that the copied rows refer to, each checked on its way, and then the rows. One that
  /// an erasure took since is left out.
  private func copyBlobs(from copy: String, to target: String, at: Instant) throws(StoreFault)
    -> FolderBackup
  {
    let copied = BlobFiles(folder: "\(target)/blobs")
    let live = try SQLiteReader(self)
    var backup = FolderBackup(at: at, workspaces: [], blobs: 0)
    let reader = try SQLiteReader(copyOf: self, file: copy)
    backup.findings = try IntegrityCheck.file(reader)
    for workspace in try reader.workspaces() {
      var findings = try IntegrityCheck.whole(reader, workspace.id).findings
      for hash in try reader.blobHashes(workspace.id) {
        let bytes: [UInt8]
        do throws(StoreFault) { bytes = try blobs.read(hash, workspace.id) } catch {
          if try !live.isErased(hash, workspace.id) { findings.append(error.sentence) }
          continue
        }
        _ = try copied.write(bytes, workspace.id)
        backup.blobs += 1
      }
      backup.findings += findings.map { "\(workspace.name): \($0)" }
      let head = try reader.headIfReadable(workspace.id)
      backup.workspaces.append(
        .init(
          name: workspace.name, number: workspace.id.raw, position: head.position,
          entries: head.entry.raw))
    }
    return backup
  }
}

extension SQLiteReader {
  fileprivate func headIfReadable(_ workspace: WorkspaceID) throws(StoreFault) -> LogHead {
    try StoreFault.unlessCorrupt { () throws(StoreFault) in try head(workspace) } ?? LogHead()
  }

  /// Whether no row refers to it any more. Not where that cannot be told.
  fileprivate func isErased(_ hash: Digest, _ workspace: WorkspaceID) throws(StoreFault) -> Bool {
    try StoreFault.unlessCorrupt { () throws(StoreFault) in
      try blobs(workspace, hash: hash).isEmpty
    } ?? false
  }
}
