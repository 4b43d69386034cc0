import CPowerCut
import Records
import Foundation
import Model
import Testing

@testable import Store

/// The machine refuses: nothing is half written, the fault says why, and the store goes on when it
/// can again.
struct `Faults of the machine` {
  let folder = TemporaryFolder()

  private func commit(_ workspace: WorkspaceID, _ position: Int64, count: Int = 3_000) -> Commit {
    var commit = Commit(workspace: workspace)
    commit.log = [Samples.record(position)]
    commit.entries = (Int64(0)..<3).map {
      var entry = Samples.entry(position * 3 - 2 + $0, count: count)
      entry.position = position
      return entry
    }
    commit.keys = [KeyRow(space: .call, key: [1], value: [UInt8(truncatingIfNeeded: position)])]
    return commit
  }

  /// Commits until one fails; the position of the last that did not.
  private func fill(_ store: SQLiteStore, _ workspace: WorkspaceID) throws -> (Int64, StoreFault) {
    for position in Int64(1)...5_000 {
      do throws(StoreFault) { try store.commit([commit(workspace, position)]) } catch {
        return (position - 1, error)
      }
    }
    throw StoreFault.failed(doing: "fill the disk", why: "it took 5,000 commits")
  }

  private func expectWhole(_ store: SQLiteStore, _ workspace: WorkspaceID, upTo last: Int64) throws
  {
    let reader = try SQLiteReader(store)
    let head = try reader.head(workspace)
    #expect(head.position == last && head.entry == EntryID(last * 3))
    #expect(try reader.key(workspace, .call, [1]) == [UInt8(truncatingIfNeeded: last)])
    #expect(
      try reader.page(workspace, [Samples.id(1)], from: .max, .older, limit: 1).last?.id
        == head.entry)
    #expect(try IntegrityCheck.recent(reader, workspace, from: .start).findings == [])
  }

  @Test(arguments: ["", "-wal", "-shm"])
  func `a file that is moved away under it takes no commit along`(_ companion: String) throws {
    let store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    let workspace = try store.addWorkspace(named: "demo").id
    try store.commit([commit(workspace, 1)])
    let path = "\(folder.path)/throughline.sqlite\(companion)"
    try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
    #expect {
      try store.commit([commit(workspace, 2)])
    } throws: { error in
      guard let said = (error as? StoreFault)?.sentence else { return false }
      return said.contains("\(path) is not the file any more") && said.contains("move it back")
    }
    try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
    try store.commit([commit(workspace, 2)])
    try expectWhole(store, workspace, upTo: 2)
  }

  @Test func `a full database refuses whole commits, and takes them when there is room again`()
    throws
  {
    let store = try SQLiteStore(folder: folder.path)
    let workspace = try store.addWorkspace(named: "demo").id
    try store.execute("PRAGMA max_page_count=300")
    let (last, fault) = try fill(store, workspace)
    #expect(last > 3)
    guard case .failed(_, let why) = fault else { throw fault }
    #expect(why.contains("full"), "\(why)")
    try expectWhole(store, workspace, upTo: last)
    #expect(throws: StoreFault.self) { try store.commit([commit(workspace, last + 1)]) }
    try store.execute("PRAGMA max_page_count=100000")
    try store.commit([commit(workspace, last + 1)])
    try expectWhole(store, workspace, upTo: last + 1)
  }

  /// SQLite calls both `database disk image is malformed`.
  @Test func `a disk that refuses all reads is no damage, and one that refuses some of them is`()
    throws
  {
    var store = try SQLiteStore(folder: folder.path)
    let workspace = try store.addWorkspace(named: "demo").id
    for position in Int64(1)...50 { try store.commit([commit(workspace, position)]) }
    store.close()
    store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    let path = "\(folder.path)/throughline.sqlite"
    defer { tl_refuse_reads(path, 0, 0) }
    let reader = try SQLiteReader(store)
    func read(_ limit: Int) throws -> Int {
      try reader.page(workspace, [Samples.id(1)], from: .max, .older, limit: limit).count
    }
    tl_refuse_reads(path, 0, .max)
    #expect {
      _ = try read(9)
    } throws: { fault in
      guard case .failed(_, let why)? = fault as? StoreFault else { return false }
      return why.contains("the disk refuses to be read: Input/output error")
    }
    tl_refuse_reads(path, 0, 0)
    #expect(try read(9) == 9)
    // Of what is not in memory yet; all but the first page.
    tl_refuse_reads(path, 4_096, .max)
    #expect {
      _ = try read(60)
    } throws: { fault in
      if case .corrupt? = fault as? StoreFault { true } else { false }
    }
    tl_refuse_reads(path, 0, 0)
    #expect(try read(60) == 60)
  }

  /// Where mounting is allowed: a disk of 2 MB that really fills up.
  @Test(.enabled(if: SmallDisk.isAllowed, "mounting wants root"))
  func `a full disk refuses whole commits, is read all the same, and is left by opening again`()
    throws
  {
    let disk = try SmallDisk(megabytes: 2)
    defer { disk.unmount() }
    var store = try SQLiteStore(folder: "\(disk.path)/data")
    let workspace = try store.addWorkspace(named: "demo").id
    let hash = try store.blobs.write(Samples.bytes(1), workspace)
    let (last, fault) = try fill(store, workspace)
    guard case .failed = fault else { throw fault }
    try expectWhole(store, workspace, upTo: last)
    #expect(throws: StoreFault.self) {
      try store.blobs.write(Samples.bytes(2, count: 1 << 20), workspace)
    }
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: disk.path).allSatisfy {
        !$0.hasSuffix(".new")
      })
    try disk.resize(megabytes: 40)
    try store.commit([commit(workspace, last + 1)])
    store.close()
    store = try SQLiteStore(folder: "\(disk.path)/data")
    try expectWhole(store, workspace, upTo: last + 1)
    #expect(try store.blobs.read(hash, workspace) == Samples.bytes(1))
    store.close()
  }

  @Test func `a folder that cannot be made is a fault with its name`() throws {
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: "\(folder.path)/file"))
    #expect {
      try SQLiteStore(folder: "\(folder.path)/file/data")
    } throws: {
      ($0 as? StoreFault)?.sentence.contains("\(folder.path)/file") == true
    }
  }

  /// SQLite takes an empty file for a new database.
  @Test func `a main file that is empty, cut short or gone is refused, with what to do`() throws {
    let store = try SQLiteStore(folder: folder.path)
    let workspace = try store.addWorkspace(named: "demo").id
    try store.commit([Samples.everything(workspace)])
    _ = try store.blobs.write(Samples.bytes(1), workspace)
    store.close()
    let path = URL(fileURLWithPath: "\(folder.path)/throughline.sqlite")
    let good = try Data(contentsOf: path)
    for size in [0, 1, 99, 100, 511, 512, 4_095, 4_096, 8_192, good.count / 2, good.count - 4_096] {
      try good.prefix(size).write(to: path)
      #expect("\(size) bytes") {
        try SQLiteStore(folder: folder.path)
      } throws: { error in
        guard isCorrupt(error), let sentence = (error as? StoreFault)?.sentence else {
          return false
        }
        return sentence.contains("throughline restore BACKUP --data \(folder.path)")
      }
      #expect(try Data(contentsOf: path) == good.prefix(size), "it is not written to")
    }
    try FileManager.default.removeItem(at: path)
    #expect { try SQLiteStore(folder: folder.path) } throws: { isCorrupt($0) }
    #expect(!FileManager.default.fileExists(atPath: path.path))
    try good.write(to: path)
    let again = try SQLiteStore(folder: folder.path)
    try StoreContract.expect(again.reader(), holds: Samples.everything(workspace))
    again.close()
  }

  @Test func `a folder whose making was cut off is made`() throws {
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try Data(Samples.bytes(3, count: 5_000)).write(
      to: URL(fileURLWithPath: "\(folder.path)/throughline.sqlite.new"))
    let store = try SQLiteStore(folder: folder.path)
    _ = try store.addWorkspace(named: "demo")
    store.close()
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/throughline.sqlite.new"))
  }

  @Test func `a file that is no database is corrupt, and is not written to`() throws {
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    let path = URL(fileURLWithPath: "\(folder.path)/throughline.sqlite")
    let bytes = Data(Samples.bytes(3, count: 8_192))
    try bytes.write(to: path)
    #expect { try SQLiteStore(folder: folder.path) } throws: { isCorrupt($0) }
    #expect(try Data(contentsOf: path) == bytes)
  }
}

/// A file system in memory, of a size that a test can fill.
struct SmallDisk {
  let path: String
  static var isAllowed: Bool {
    guard let disk = try? SmallDisk(megabytes: 1) else { return false }
    disk.unmount()
    return true
  }

  init(megabytes: Int) throws {
    path =
      FileManager.default.temporaryDirectory.appendingPathComponent("disk-\(UUID().uuidString)")
      .path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
      try? FileManager.default.removeItem(atPath: path)
      throw CocoaError(.fileWriteNoPermission)
    }
  }

  func resize(megabytes: Int) throws {
    guard mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(megabytes)m") == 0 else {
      throw CocoaError(.fileWriteNoPermission)
    }
  }

  func unmount() {
    umount2(path, Int32(MNT_DETACH))
    try? FileManager.default.removeItem(atPath: path)
  }
}
