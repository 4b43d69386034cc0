import Records
import Foundation
import Model
import Testing

@testable import Store

struct `Blob files` {
  let folder = TemporaryFolder()
  let workspace = WorkspaceID(3)
  var blobs: BlobFiles { BlobFiles(folder: "\(folder.path)/blobs") }

  @Test(arguments: [0, 1, 4_096, 300_000])
  func `bytes read back the same`(count: Int) throws {
    let bytes = Samples.bytes(count, count: count)
    let hash = try blobs.write(bytes, workspace)
    #expect(hash == Checksum.sha256(bytes))
    #expect(try blobs.read(hash, workspace) == bytes)
    #expect(try blobs.size(hash, workspace) == Int64(count))
    #expect(try blobs.size(hash, WorkspaceID(4)) == nil, "another workspace has its own")
    #expect(throws: StoreFault.self) { try blobs.read(hash, WorkspaceID(4)) }
  }

  @Test func `the same bytes are kept once, and nothing is left beside them`() throws {
    for _ in 0..<3 { _ = try blobs.write([1, 2, 3], workspace) }
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(files.filter { $0.split(separator: "/").count == 4 }.count == 1)
  }

  @Test func `any flipped bit is noticed, and writing the bytes again mends it`() throws {
    let bytes = Samples.bytes(1, count: 60)
    let hash = try blobs.write(bytes, workspace)
    let path = URL(fileURLWithPath: blobs.path(of: hash, workspace))
    for bit in 0..<(60 * 8) {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      try Data(flipped).write(to: path)
      #expect { try blobs.read(hash, workspace) } throws: { isCorrupt($0) }
    }
    try Data(bytes.dropLast()).write(to: path)
    #expect { try blobs.read(hash, workspace) } throws: { isCorrupt($0) }
    #expect(try blobs.write(bytes, workspace) == hash)
    #expect(try blobs.read(hash, workspace) == bytes)
  }

  @Test func `only bytes that no row refers to are swept, and not while they are young`() throws {
    let store = try SQLiteStore(folder: folder.path)
    let workspace = try store.addWorkspace(named: "demo").id
    let kept = try store.blobs.write([1], workspace)
    let loose = try store.blobs.write([2], workspace)
    var commit = Commit(workspace: workspace)
    commit.blobs = [Samples.blob(1, conversation: nil)]
    commit.blobs[0].hash = kept
    try store.commit([commit])
    #expect(try store.sweepBlobs(workspace, before: Instant(milliseconds: 0)) == 0)
    #expect(try store.sweepBlobs(workspace, before: .distantFuture) == 1)
    #expect(try store.blobs.read(kept, workspace) == [1])
    #expect(try store.blobs.size(loose, workspace) == nil)
  }
}

func isCorrupt(_ error: any Error) -> Bool {
  if case .corrupt = error as? StoreFault { return true }
  return false
}
