import Dispatch
import Foundation
import Model
import Records
import Synchronization
import Testing

@testable import Store

struct `A backup` {
  let folder = TemporaryFolder()
  var data: String { "\(folder.path)/data" }
  var copy: String { "\(folder.path)/copy" }

  private func filled() throws -> (SQLiteStore, Commit) {
    let store = try SQLiteStore(folder: data)
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Samples.everything(workspace)
    commit.blobs[0].hash = try store.blobs.write(Samples.bytes(1), workspace)
    try store.commit([commit])
    return (store, commit)
  }

  @Test func `holds everything, and is restored into an empty folder`() throws {
    let (store, commit) = try filled()
    let secret = try store.reader().secret(named: "identity")
    let backup = try store.backUp(to: copy, at: Samples.at(9))
    #expect(
      backup.workspaces == [.init(name: "demo", number: 1, position: 2, entries: 2)]
        && backup.blobs == 1)
    #expect(throws: StoreFault.self) { try store.backUp(to: copy, at: Samples.at(9)) }
    store.close()
    let fresh = "\(folder.path)/fresh"
    let restored = try SQLiteStore.restore(
      copy, to: fresh, receipts: [], at: Samples.at(10), Samples.blank)
    #expect(restored == .init(erasuresRepeated: 0, replaced: nil))
    let again = try SQLiteStore(folder: fresh)
    defer { again.close() }
    let reader = try SQLiteReader(again)
    try StoreContract.expect(reader, holds: commit)
    #expect(try reader.secret(named: "identity") == secret)
    #expect(try IntegrityCheck.whole(reader, commit.workspace, blobs: again.blobs).findings == [])
    #expect(try again.index(commit.workspace, limit: 9, words: StoreContract.words))
    for path in try FileManager.default.subpathsOfDirectory(atPath: copy) {
      let facts = try FileManager.default.attributesOfItem(atPath: "\(copy)/\(path)")
      #expect(((facts[.posixPermissions] as? NSNumber)?.intValue ?? 0o077) & 0o077 == 0, "\(path)")
    }
  }

  /// Where mounting is allowed: a disk that the rows fit on, and the attachment does not.
  @Test(.enabled(if: SmallDisk.isAllowed))
  func `that does not fit leaves nothing behind, and goes there once there is room`() throws {
    let (store, commit) = try filled()
    defer { store.close() }
    let disk = try SmallDisk(megabytes: 2)
    defer { disk.unmount() }
    var more = Commit(workspace: commit.workspace)
    more.log = [Samples.record(3)]
    more.blobs = [Samples.blob(2, conversation: 1)]
    more.blobs[0].hash = try store.blobs.write(
      [UInt8](repeating: 7, count: 3 << 20), commit.workspace)
    try store.commit([more])
    let target = "\(disk.path)/monday"
    #expect { try store.backUp(to: target, at: Samples.at(9)) } throws: {
      ($0 as? StoreFault)?.sentence.contains("No space left") == true
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == [])
    try disk.resize(megabytes: 40)
    #expect(try store.backUp(to: target, at: Samples.at(9)).blobs == 2)
  }

  @Test func `stands outside of the folder, however its path is written`() throws {
    let (store, _) = try filled()
    defer { store.close() }
    let link = "\(folder.path)/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: data)
    for target in [
      "\(data)/backup", "\(data)/a/b", data, "\(link)/backup", "\(data)/../data/backup",
      "\(link)/a/b",
    ] {
      #expect { try store.backUp(to: target, at: Samples.at(9)) } throws: {
        ($0 as? StoreFault)?.sentence.contains("lies in the data folder") == true
      }
    }
    #expect(try Folders.names(in: data).allSatisfy { !$0.hasPrefix("backup") && $0 != "a" })
    // One that only begins like it is another.
    #expect(try store.backUp(to: "\(data)-backup", at: Samples.at(9)).blobs == 1)
    try FileManager.default.moveItem(atPath: "\(data)-backup", toPath: "\(data)/inside")
    for source in ["\(data)/inside", "\(link)/inside"] {
      #expect {
        try SQLiteStore.restore(source, to: data, receipts: [], at: Samples.at(9), Samples.blank)
      } throws: {
        ($0 as? StoreFault)?.sentence.contains("move it out first") == true
      }
    }
  }

  @Test func `that is not whole is refused`() throws {
    let (store, _) = try filled()
    _ = try store.backUp(to: copy, at: Samples.at(9))
    store.close()
    try FileManager.default.removeItem(atPath: "\(copy)/BACKUP")
    #expect {
      try SQLiteStore.restore(copy, to: data, receipts: [], at: Samples.at(10), Samples.blank)
    } throws: {
      ($0 as? StoreFault)?.sentence.contains("no backup or was not finished") == true
    }
    let again = try SQLiteStore(folder: data)
    #expect(try again.reader().head(WorkspaceID(1)).position == 2, "and the folder is as it was")
    again.close()
  }

  @Test func `taken while a writer goes on is of one moment`() throws {
    let (store, commit) = try filled()
    let workspace = commit.workspace
    let isOver = Atomic<Bool>(false)
    let writer = DispatchQueue(label: "writer")
    let fault = Mutex<StoreFault?>(nil)
    writer.async {
      var number: Int64 = 2
      do throws(StoreFault) {
        var timeline = commit.customers[0].timeline
        while !isOver.load(ordering: .acquiring) {
          number += 1
          var commit = Commit(workspace: workspace)
          commit.log = [Samples.record(number)]
          commit.entries = [Samples.entry(number, customer: 1)]
          timeline.add(commit.entries[0].hash)
          commit.customers = [Samples.customer(1, timeline: timeline)]
          try store.commit([commit])
        }
      } catch { fault.withLock { $0 = error } }
    }
    for n in 1...3 {
      let backup = try store.backUp(to: "\(copy)\(n)", at: Samples.at(9))
      #expect(backup.workspaces[0].position == backup.workspaces[0].entries)
      let fresh = "\(folder.path)/fresh\(n)"
      _ = try SQLiteStore.restore(
        "\(copy)\(n)", to: fresh, receipts: [], at: Samples.at(10), Samples.blank)
      let again = try SQLiteStore(folder: fresh)
      let report = try IntegrityCheck.recent(SQLiteReader(again), workspace, from: .start)
      #expect(report.findings == [] && report.records == backup.workspaces[0].position)
      again.close()
    }
    isOver.store(true, ordering: .releasing)
    writer.sync {}
    #expect(fault.withLock { $0 } == nil)
    store.close()
  }

  /// Damage would be found on the day that the backup is needed.
  @Test func `of a damaged folder is made, and says what is damaged`() throws {
    let (store, commit) = try filled()
    try store.execute("UPDATE conversations SET open=1-open")
    try FileManager.default.removeItem(
      atPath: store.blobs.path(of: commit.blobs[0].hash, commit.workspace))
    let backup = try store.backUp(to: copy, at: Samples.at(9))
    store.close()
    #expect(backup.findings.count == 2 && backup.blobs == 0, "\(backup.findings)")
    #expect(backup.findings.contains { $0.hasPrefix("demo: conversations 1/") })
    let said = try String(contentsOfFile: "\(copy)/BACKUP", encoding: .utf8)
    #expect(said.contains("damaged 2") && !said.contains("whole"))
  }

  @Test func `from before an erasure does not bring the person back`() throws {
    let (store, commit) = try filled()
    let workspace = commit.workspace
    _ = try store.backUp(to: copy, at: Samples.at(9))
    let receipt = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(10), by: "admin:root", upTo: nil, Samples.blank)
    store.close()
    // The folder's own receipts, and those that were kept elsewhere while the folder was lost.
    for (place, given) in [
      (data, []), ("\(folder.path)/other", [("demo", receipt), ("elsewhere", receipt)]),
    ] {
      let restored = try SQLiteStore.restore(
        copy, to: place, receipts: given.map { (workspace: $0.0, receipt: $0.1) },
        at: Samples.at(11), Samples.blank)
      #expect(restored.erasuresRepeated == 1)
      #expect((restored.replaced != nil) == (place == data))
      let again = try SQLiteStore(folder: place)
      let reader = try SQLiteReader(again)
      #expect(
        try reader.page(workspace, [Samples.id(1)], limit: 9).map { $0.body == nil } == [
          true, true,
        ])
      #expect(try reader.identities(workspace, of: Samples.id(1)).isEmpty)
      #expect(try again.blobs.size(commit.blobs[0].hash, workspace) == nil)
      #expect(try reader.erasures(workspace).map(\.at) == [receipt.at])
      #expect(try IntegrityCheck.whole(reader, workspace, blobs: again.blobs).findings == [])
      again.close()
    }
  }
}
