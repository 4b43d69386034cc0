import Foundation
import Records
import Model
import Testing

@testable import Store

struct `The SQLite store` {
  let folder = TemporaryFolder()
  func open() throws -> SQLiteStore { try SQLiteStore(folder: folder.path) }

  @Test(arguments: StoreContract.checks)
  func `keeps the contract`(_ check: StoreContract.Check) throws { try check.run(open()) }

  @Test func `syncs every commit, whatever GRDB set up before`() throws {
    let store = try open()
    #expect(try store.ask("synchronous") == "2")  // FULL
    #expect(try store.ask("journal_mode") == "wal")
    #expect(try store.ask("wal_autocheckpoint") == "0")
  }

  @Test func `everything is there after closing and opening again, and the log goes on`() throws {
    var store = try open()
    let workspace = try store.addWorkspace(named: "demo").id
    let commit = Samples.everything(workspace)
    try store.commit([commit])
    let secret = try store.reader().secret(named: "identities")
    store.close()
    #expect(throws: StoreFault.failed(doing: "commit", why: "the store is closed")) {
      try store.commit([])
    }
    store = try open()
    try StoreContract.expect(store.reader(), holds: commit)
    #expect(try store.reader().secret(named: "identities") == secret)
    #expect(throws: StoreFault.outOfOrder(expected: 3, got: 1)) { try store.commit([commit]) }
    var next = Commit(workspace: workspace)
    next.log = [Samples.record(3)]
    try store.commit([next])
    #expect(try store.reader().log(workspace, after: 0, limit: 9).count == 3)
  }

  @Test func `nobody else on the machine can read the folder`() throws {
    let store = try open()
    let workspace = try store.addWorkspace(named: "demo").id
    _ = try store.blobs.write([1, 2, 3], workspace)
    let there = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(there.count >= 6)  // the database, its two companions, blobs/1/xx/…
    for path in there {
      let facts = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(path)")
      let mode = (facts[.posixPermissions] as? NSNumber)?.intValue ?? -1
      let isFolder = facts[.type] as? FileAttributeType == .typeDirectory
      #expect(mode == (isFolder ? 0o700 : 0o600), "\(path)")
    }
  }

  @Test func `a folder that a newer Throughline wrote is refused`() throws {
    let store = try open()
    try store.execute("INSERT INTO grdb_migrations VALUES('99999')")
    store.close()
    #expect {
      try open()
    } throws: {
      ($0 as? StoreFault)?.sentence.contains("a newer Throughline wrote it") == true
    }
  }

  @Test func `no page of a timeline sorts or scans`() throws {
    let store = try open()
    for query in Query.allCases where ![.workspaces, .tokens].contains(query) {
      let reader = try SQLiteReader(store)
      let plan = try reader.explain(query.sql)
      #expect(
        plan.allSatisfy { !$0.contains("TEMP B-TREE") && !$0.contains("SCAN") }, "\(query): \(plan)"
      )
      if query == .newerOfCustomer || query == .olderOfCustomer {
        #expect(plan.contains { $0.contains("COVERING INDEX entries_by_customer") }, "\(plan)")
      }
      if query == .transcript {
        #expect(plan.contains { $0.contains("entries_by_conversation") }, "\(plan)")
      }
    }
  }

  /// A SEARCH by the workspace alone is a walk over all of it.
  @Test(arguments: [
    Query.identitiesOfCustomer, .mergedInto, .conversationsOfCustomer, .sessionsOfConversation,
    .casesOfConversation,
    .blobsByHash,
  ])
  func `what belongs to one thing is found without walking the workspace`(_ query: Query) throws {
    let plan = try SQLiteReader(try open()).explain(query.sql)
    #expect(plan.allSatisfy { $0.components(separatedBy: "=?").count > 2 }, "\(query): \(plan)")
  }

  @Test func `the write-ahead log is emptied into the file when it has grown`() throws {
    var policy = CheckpointPolicy()
    policy.pages = 50
    let store = try SQLiteStore(folder: folder.path, checkpointing: policy)
    let workspace = try store.addWorkspace(named: "demo").id
    for n in Int64(1)...200 {
      var commit = Commit(workspace: workspace)
      commit.entries = [Samples.entry(n, count: 2_000)]
      try store.commit([commit])
      try store.settleCheckpoint()  // So that how far it came does not depend on the machine.
    }
    let facts = try FileManager.default.attributesOfItem(
      atPath: "\(folder.path)/throughline.sqlite-wal")
    let size = (facts[.size] as? NSNumber)?.intValue ?? .max
    #expect(size > 0 && size < 100 * 4_200)
  }
}
