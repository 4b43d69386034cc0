import Foundation
import class GRDB.DatabaseQueue
import Model
import Records
import Testing

@testable import Store

/// A backup takes the place of a folder: whole or not at all, whatever state that one is in, and
/// never bringing back what was erased there.
struct `A restore` {
  let folder = TemporaryFolder()
  var data: String { "\(folder.path)/data" }
  var copy: String { "\(folder.path)/copy" }
  static let at = Samples.at(20)

  /// A folder with a backup from before its customer was erased, and words that came since.
  private func erasedSince() throws -> (commit: Commit, receipt: ErasureReceipt) {
    let store = try SQLiteStore(folder: data)
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Samples.everything(workspace)
    commit.blobs[0].hash = try store.blobs.write(Samples.bytes(1), workspace)
    try store.commit([commit])
    _ = try store.backUp(to: copy, at: Samples.at(9))
    let receipt = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(10), by: "admin:root", upTo: nil, Samples.blank)
    store.close()
    return (commit, receipt)
  }

  private func restore(
    receipts: [(workspace: String, receipt: ErasureReceipt)] = [],
    _ consent: SQLiteStore.RestoreConsent = .init()
  ) throws(StoreFault) -> SQLiteStore.Restored {
    try SQLiteStore.restore(
      copy, to: data, receipts: receipts, consent: consent, at: Self.at, Samples.blank)
  }

  /// Nothing of the customer is in the folder, and what is there is whole.
  private func expectErased(_ commit: Commit) throws {
    let store = try SQLiteStore(folder: data)
    defer { store.close() }
    let reader = try SQLiteReader(store)
    let page = try reader.page(commit.workspace, [Samples.id(1)], limit: 9)
    #expect(page.map { $0.body == nil } == [true, true])
    #expect(try reader.identities(commit.workspace, of: Samples.id(1)).isEmpty)
    #expect(try store.blobs.size(commit.blobs[0].hash, commit.workspace) == nil)
    #expect(try store.damaged() == [])
  }

  /// Every step of the last part, which alone changes what stands in the folder.
  @Test(arguments: HalfRestored.Step.allCases, [false, true])
  func `that is cut off at any step brings nobody back, and is finished by whoever comes next`(
    _ step: HalfRestored.Step, restoresAgain: Bool
  ) throws {
    let (commit, receipt) = try erasedSince()
    let cut = StoreFault.failed(doing: "restore", why: "killed")
    #expect(throws: cut) {
      try SQLiteStore.restore(
        copy, to: data, receipts: [], consent: .init(), at: Self.at, Samples.blank,
        also: { _, _ in },
        reached: { reached throws(StoreFault) in if reached == step { throw cut } })
    }
    if restoresAgain {
      let again = try SQLiteStore.restore(
        copy, to: data, receipts: [], at: Samples.at(21), Samples.blank)
      #expect(again.erasuresRepeated == 1)
    }
    try expectErased(commit)
    let store = try SQLiteStore(folder: data)
    #expect(try store.reader().erasures(commit.workspace).map(\.at) == [receipt.at])
    store.close()
    let left = try FileManager.default.contentsOfDirectory(atPath: data)
    #expect(!left.contains("RESTORING") && !left.contains("restoring"), "\(left)")
    // What was there is kept, wherever it was cut.
    if step != .marking {
      let old = try SQLiteStore(folder: "\(data)/replaced-\(Self.at.milliseconds)")
      #expect(try old.reader().erasures(commit.workspace).map(\.at) == [receipt.at])
      old.close()
    }
  }

  /// What a kill leaves of the part before: the folder is as it was, and the copy, which has the
  /// erased person in it, goes.
  @Test func `that is cut off while it copies has changed nothing, and what it copied goes`() throws
  {
    let (commit, _) = try erasedSince()
    try FileManager.default.createDirectory(
      atPath: "\(data)/restoring", withIntermediateDirectories: true)
    for name in ["throughline.sqlite", "blobs"] {
      try FileManager.default.copyItem(
        atPath: "\(copy)/\(name)", toPath: "\(data)/restoring/\(name)")
    }
    try expectErased(commit)
    #expect(!FileManager.default.fileExists(atPath: "\(data)/restoring"))
  }

  @Test func `what is done besides is done before anybody can open the folder`() throws {
    let (commit, _) = try erasedSince()
    let cut = StoreFault.failed(doing: "take words out", why: "killed")
    #expect(throws: cut) {
      try SQLiteStore.restore(copy, to: data, receipts: [], at: Self.at, Samples.blank) {
        store, old throws(StoreFault) in
        #expect(store.folder != data && old != nil)
        throw cut
      }
    }
    try expectErased(commit)
    let left = try FileManager.default.contentsOfDirectory(atPath: data)
    #expect(
      !left.contains { $0.hasPrefix("replaced") || $0.lowercased() == "restoring" }, "\(left)")
  }

  /// Whoever began with too old a backup goes on to a newer one, over what came of the first.
  @Test func `of an older backup, and then of a newer one, brings back nothing of either`() throws {
    let store = try SQLiteStore(folder: data)
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Samples.everything(workspace)
    commit.blobs[0].hash = try store.blobs.write(Samples.bytes(1), workspace)
    try store.commit([commit])
    let older = "\(folder.path)/older"
    _ = try store.backUp(to: older, at: Samples.at(8))
    var more = Commit(workspace: workspace)
    more.log = [Samples.record(3)]
    more.entries = [Samples.entry(3, conversation: nil)]
    var timeline = commit.customers[0].timeline
    timeline.add(more.entries[0].hash)
    more.customers = [Samples.customer(1, timeline: timeline)]
    try store.commit([more])
    _ = try store.backUp(to: copy, at: Samples.at(9))
    let receipt = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(10), by: "admin:root", upTo: nil, Samples.blank)
    store.close()
    for (index, backup) in [older, copy].enumerated() {
      let restored = try SQLiteStore.restore(
        backup, to: data, receipts: [], at: Samples.at(20 + index), Samples.blank)
      #expect(restored.erasuresRepeated == 1)
      let again = try SQLiteStore(folder: data)
      defer { again.close() }
      let reader = try SQLiteReader(again)
      let page = try reader.page(workspace, [Samples.id(1)], limit: 9)
      #expect(page.map { $0.body == nil } == Array(repeating: true, count: 2 + index))
      #expect(try reader.erasures(workspace).map(\.upTo) == [receipt.upTo])
      #expect(try again.damaged() == [])
    }
  }

  // MARK: Over a damaged folder

  enum Damage: CaseIterable {
    case empty, cutShort, noDatabase, flippedWords, brokenLog, gone
  }

  /// Only where the receipts themselves cannot be read does somebody have to say something.
  @Test(arguments: Damage.allCases)
  func `takes the place of a damaged folder`(_ damage: Damage) throws {
    let (commit, receipt) = try erasedSince()
    let path = URL(fileURLWithPath: "\(data)/throughline.sqlite")
    let good = try Data(contentsOf: path)
    func execute(_ sql: String) throws {
      try DatabaseQueue(path: path.path).write { try $0.execute(sql: sql) }
    }
    switch damage {
    case .empty: try Data().write(to: path)
    case .cutShort: try good.prefix(good.count / 2).write(to: path)
    case .noDatabase: try Data(Samples.bytes(3, count: good.count)).write(to: path)
    case .flippedWords: try execute("UPDATE entries SET at=at+1")
    case .brokenLog: try execute("DELETE FROM log; DELETE FROM heads; DELETE FROM workspaces")
    case .gone:
      try FileManager.default.removeItem(at: path)
      try FileManager.default.createDirectory(
        atPath: "\(data)/blobs/1", withIntermediateDirectories: true)
    }
    if [.flippedWords, .brokenLog].contains(damage) {
      #expect(try restore().erasuresRepeated == 1)
      return try expectErased(commit)
    }
    #expect {
      try restore()
    } throws: { error in
      guard let sentence = (error as? StoreFault)?.sentence else { return false }
      return sentence.contains("--erasures FILE") && sentence.contains("--accept-lost-erasures")
    }
    let restored = try restore(receipts: [("demo", receipt)], .init(lostErasures: true))
    #expect(restored.erasuresRepeated == 1 && restored.replaced != nil)
    try expectErased(commit)
  }

  @Test(arguments: [
    "UPDATE erasures SET checksum=checksum+1", "DELETE FROM erasures",
    "UPDATE erasures SET number=2",
  ])
  func `a receipt that is damaged or gone is missed`(_ sql: String) throws {
    _ = try erasedSince()
    try DatabaseQueue(path: "\(data)/throughline.sqlite").write { try $0.execute(sql: sql) }
    #expect(throws: StoreFault.self) { try restore() }
    #expect(try restore(.init(lostErasures: true)).replaced != nil)
  }

  @Test func `of a damaged backup brings nobody back either`() throws {
    let (commit, _) = try erasedSince()
    try DatabaseQueue(path: "\(copy)/throughline.sqlite").write {
      try $0.execute(
        sql: "UPDATE entries SET at=at+1 WHERE entry=1; UPDATE identities SET value='?'")
    }
    let restored = try restore(.init(damage: true))
    #expect(restored.erasuresRepeated == 1)
    let left = try DatabaseQueue(path: "\(data)/throughline.sqlite").read {
      try Int.fetchOne(
        $0,
        sql: """
          SELECT (SELECT count(*) FROM entries WHERE body IS NOT NULL)
          + (SELECT count(*) FROM identities)
          """)
    }
    #expect(left == 0)
    let store = try SQLiteStore(folder: data)
    #expect(try store.reader().erasures(commit.workspace).map(\.damaged) == [2])
    store.close()
  }

  @Test func `a damaged backup is refused unless somebody says that they know`() throws {
    let store = try SQLiteStore(folder: data)
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Samples.everything(workspace)
    commit.blobs[0].hash = try store.blobs.write(Samples.bytes(1), workspace)
    try store.commit([commit])
    _ = try store.backUp(to: copy, at: Samples.at(9))
    store.close()
    try DatabaseQueue(path: "\(copy)/throughline.sqlite").write {
      try $0.execute(sql: "UPDATE conversations SET open=1-open")
    }
    try FileManager.default.removeItem(
      atPath: BlobFiles(folder: "\(copy)/blobs").path(of: commit.blobs[0].hash, workspace))
    #expect {
      try restore()
    } throws: {
      ($0 as? StoreFault)?.sentence.contains("--even-damaged") == true
    }
    let untouched = try SQLiteStore(folder: data)
    #expect(try untouched.damaged() == [])
    untouched.close()
    let restored = try restore(.init(damage: true))
    #expect(restored.damaged.count == 2, "\(restored.damaged)")
  }
}
