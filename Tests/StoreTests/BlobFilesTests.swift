import Records
import Foundation
import Model
import Synchronization
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

  @Test func `whoever was killed before a removal was durable makes it so when it begins again`()
    throws
  {
    let disk = RecordingDisk()
    let blobs = BlobFiles(folder: "\(folder.path)/blobs", disk: disk)
    let hash = try blobs.write([1, 2, 3], workspace)
    // What the one before had come to.
    let path = blobs.path(of: hash, workspace)
    try FileManager.default.removeItem(atPath: path)
    let before = disk.operations.count
    try blobs.remove(hash, workspace)
    let done = disk.operations[before...]
    #expect(
      done.map(\.kind) == [.syncFolder]
        && done.first?.path == (path as NSString).deletingLastPathComponent)
    // Nor is a folder wanted that nobody ever made.
    try blobs.remove(Checksum.sha256([9]), WorkspaceID(7))
    #expect(disk.operations.count == before + 1)
  }

  @Test func `the same bytes are kept once, and nothing is left beside them`() throws {
    for _ in 0..<3 { _ = try blobs.write([1, 2, 3], workspace) }
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(files.filter { $0.split(separator: "/").count == 4 }.count == 1)
  }

  @Test
  func `two who bring the same bytes first and at once make one file, and each may go on with it`()
    async throws
  {
    let blobs = blobs
    for round in 0..<20 {
      let bytes = Samples.bytes(round, count: 50_000)
      let hashes = try await withThrowingTaskGroup(of: Digest.self) { group in
        for _ in 0..<8 { group.addTask { try blobs.keep(bytes, WorkspaceID(3)).hash } }
        return try await group.reduce(into: Set<Digest>()) { $0.insert($1) }
      }
      #expect(hashes == [Checksum.sha256(bytes)])
      #expect(try blobs.read(Checksum.sha256(bytes), workspace) == bytes)
      let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      #expect(
        files.count { $0.split(separator: "/").count == 4 } == round + 1,
        "one each, and nothing half written")
    }
  }

  @Test
  func
    `the file goes with the last row that names it, and not while another row is on its way to it`()
    throws
  {
    let store = try SQLiteStore(folder: folder.path)
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    let hash = try store.blobs.write([1, 2, 3], workspace)
    for number in 1...2 {
      commit.customers.append(Samples.customer(number))
      commit.conversations.append(Samples.conversation(number, customer: number))
      var blob = Samples.blob(number, conversation: number)
      blob.hash = hash
      commit.blobs.append(blob)
    }
    try store.commit([commit])
    func erase(_ customer: Int) throws -> Int64 {
      try store.erase(
        workspace, [Samples.id(customer)], at: Samples.at(9), by: "admin:root", upTo: nil,
        Samples.blank
      ).blobs
    }
    #expect(try erase(1) == 1)
    #expect(try store.blobs.read(hash, workspace) == [1, 2, 3], "the other one still names it")
    // A third brings the same bytes; its row is not committed yet when the second is erased.
    var hold: BlobHold? = try store.blobs.keep([1, 2, 3], workspace)
    #expect(try erase(2) == 1)
    #expect(try store.blobs.read(hash, workspace) == [1, 2, 3])
    var third = Commit(workspace: workspace)
    third.customers = [Samples.customer(3)]
    third.conversations = [Samples.conversation(3, customer: 3)]
    third.blobs = [Samples.blob(3, conversation: 3)]
    third.blobs[0].hash = try #require(hold?.hash)
    try store.commit([third])
    hold = nil
    #expect(
      try IntegrityCheck.whole(SQLiteReader(store), workspace, blobs: store.blobs).findings == [])
    #expect(try erase(3) == 1)
    #expect(try store.blobs.size(hash, workspace) == nil)
    store.close()
  }

  @Test(arguments: [1, 65_535, 65_536, 65_537, 300_000])
  func `bytes come back the same in pieces, of which the last is withheld where one is another`(
    count: Int
  ) throws {
    let bytes = Samples.bytes(count, count: count)
    let hash = try blobs.write(bytes, workspace)
    func read() throws -> (read: [UInt8], error: StoreFault?) {
      let pieces = blobs.pieces(hash, workspace, count: Int64(count))
      var all: [UInt8] = []
      do throws(StoreFault) { while let piece = try pieces.next() { all += piece } } catch {
        return (all, error)
      }
      return (all, nil)
    }
    let whole = try read()
    #expect(whole.read == bytes && whole.error == nil)
    try blobs.check(hash, workspace)
    let path = URL(fileURLWithPath: blobs.path(of: hash, workspace))
    var changed = bytes
    changed[0] ^= 1
    for other in [changed, Array(bytes.dropLast()), bytes + [0]] {
      try Data(other).write(to: path)
      let (read, error) = try read()
      #expect(read.count < count && error.map(isCorrupt) == true)
      #expect { try blobs.check(hash, workspace) } throws: { isCorrupt($0) }
    }
    try FileManager.default.removeItem(at: path)
    #expect(try read().error != nil)
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

  /// Writers let go of holds.
  @Test func `a hold is let go of while the disk hangs that another file is removed from`() throws {
    let disk = HangingDisk()
    let blobs = BlobFiles(folder: "\(folder.path)/blobs", disk: disk)
    var hold: BlobHold? = try blobs.keep([1], workspace)
    #expect(hold != nil)
    let (loose, workspace) = (try blobs.write([2], workspace), workspace)
    let ended = DispatchSemaphore(value: 0)
    DispatchQueue(label: "removing").async {
      #expect(throws: Never.self) { try blobs.remove(loose, workspace) }
      ended.signal()
    }
    disk.begun.wait()
    let last = Mutex(hold)
    hold = nil
    let letGo = DispatchSemaphore(value: 0)
    DispatchQueue(label: "writer").async {
      last.withLock { $0 = nil }
      letGo.signal()
    }
    #expect(letGo.wait(timeout: .now() + 20) == .success)
    // Who wants the same bytes meanwhile has them, however that ends.
    let kept = DispatchSemaphore(value: 0)
    let again = Mutex<BlobHold?>(nil)
    DispatchQueue(label: "keeping").async {
      #expect(throws: Never.self) { again.withLock { $0 = try? blobs.keep([2], workspace) } }
      kept.signal()
    }
    disk.goesOn.signal()
    ended.wait()
    kept.wait()
    #expect(try blobs.read(loose, workspace) == [2])
    withExtendedLifetime(again) {}
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

/// Removes nothing until it is told to go on.
final class HangingDisk: BlobDisk {
  let begun = DispatchSemaphore(value: 0)
  let goesOn = DispatchSemaphore(value: 0)
  private let real = RealDisk()

  func makeFolder(_ path: String) -> Int32 { real.makeFolder(path) }
  func write(_ bytes: [UInt8], toNew path: String) throws(StoreFault) {
    try real.write(bytes, toNew: path)
  }
  func sync(file path: String) throws(StoreFault) { try real.sync(file: path) }
  func move(_ path: String, to target: String) throws(StoreFault) {
    try real.move(path, to: target)
  }
  func sync(folder path: String) throws(StoreFault) { try real.sync(folder: path) }
  func remove(_ path: String) throws(StoreFault) {
    begun.signal()
    goesOn.wait()
    try real.remove(path)
  }
}

func isCorrupt(_ error: any Error) -> Bool {
  if case .corrupt = error as? StoreFault { return true }
  return false
}
