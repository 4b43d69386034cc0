import Glibc
import Model
import Records
import Synchronization
import System

/// The bytes of one attachment in pieces, for whoever cannot hold all of them, or not for as long as
/// it takes to send them. One piece is read at a time, and they come in order.
///
/// The file is opened for each anew: a slow reader keeps no descriptor, and what was removed
/// meanwhile is read no further.
public final class BlobPieces: Sendable {
  /// - Units: bytes.
  public static let pieceMax = 64 << 10

  public let count: Int
  private let files: BlobFiles
  private let workspace: WorkspaceID
  private let hash: Digest
  private let state = Mutex(State())

  private struct State: ~Copyable {
    var offset = 0
    var seen = SHA256Stream()
  }

  init(_ files: BlobFiles, _ hash: Digest, _ workspace: WorkspaceID, count: Int) {
    (self.files, self.hash, self.workspace, self.count) = (files, hash, workspace, count)
  }

  /// The next piece; nil behind the last one.
  /// - Errors: as of `BlobFiles.read`, with `.corrupt` in place of the last piece: nobody who was
  ///   handed all of them has other bytes than those of the hash.
  public func next() throws(StoreFault) -> [UInt8]? {
    try state.withLock { state throws(StoreFault) in
      guard state.offset < count else { return nil }
      let bytes = try files.read(hash, workspace, from: state.offset, of: count)
      state.seen.update(bytes)
      state.offset += bytes.count
      if state.offset == count, Digest(bytes: state.seen.finish().bytes) != hash {
        throw BlobFiles.unlike(files.path(of: hash, workspace))
      }
      return bytes
    }
  }
}

extension BlobFiles {
  /// - Parameter count: as its row says.
  public func pieces(_ hash: Digest, _ workspace: WorkspaceID, count: Int64) -> BlobPieces {
    BlobPieces(self, hash, workspace, count: Int(count))
  }

  fileprivate func read(
    _ hash: Digest, _ workspace: WorkspaceID, from offset: Int, of count: Int
  ) throws(StoreFault) -> [UInt8] {
    let path = path(of: hash, workspace)
    let (file, size) = try opened(path)
    defer { close(file) }
    guard size == count else { throw .corrupt(what: "the blob \(path) has not its own size") }
    guard lseek(file, offset, SEEK_SET) == offset else {
      throw Folders.fault("read \(path)", errno)
    }
    let wanted = min(count - offset, BlobPieces.pieceMax)
    return try Self.readFile(file, count: wanted, path)
  }
}
