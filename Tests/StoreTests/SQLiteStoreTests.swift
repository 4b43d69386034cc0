import Foundation
import class GRDB.DatabaseQueue
import Records
import Model
import Synchronization
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

  /// No checksum covers the index: of what it says nothing is shown that the entry does not say, too.
  @Test func `a search shows what entries say, whatever has become of the index`() throws {
    let store = try open()
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    commit.entries = [
      StoreContract.said(1, "My order never came"), StoreContract.said(2, "The order is gold"),
      StoreContract.said(3, "A cup, please"),
    ]
    try store.commit([commit])
    #expect(try store.index(workspace, limit: 9, words: StoreContract.words))
    let vandal = try DatabaseQueue(path: "\(folder.path)/search.sqlite")
    try vandal.write {
      // What an excerpt would be made of, and then also what is looked up.
      try $0.execute(
        sql: "UPDATE words_content SET c0='My order never cane' WHERE id=?",
        arguments: [SearchFile.row(workspace, EntryID(1))])
      #expect($0.changesCount == 1)
      try $0.execute(
        sql: "UPDATE words SET text='A silver order' WHERE rowid=?",
        arguments: [SearchFile.row(workspace, EntryID(3))])
    }
    let reader = try store.reader()
    func find(_ words: String) throws -> SearchPage {
      try reader.search(workspace, SearchQuery(words: words))
    }
    let page = try find("order")
    #expect(page.hits.map(\.entry.id.raw) == [2, 1])
    #expect(page.hits.last?.excerpt.map(\.text) == ["My ", "order", " never came"])
    #expect(page.damaged.count == 1, "\(page.damaged)")
    #expect(page.damaged.first?.sentence.contains("search.sqlite") == true)
    #expect(try find("silver").hits.isEmpty && find("gold").hits.map(\.entry.id.raw) == [2])
    // What somebody took out of an entry the index has until it comes so far: that is no damage.
    var next = Commit(workspace: workspace)
    next.entries = [StoreContract.said(4, "redacted")]
    next.rewritten = [StoreContract.said(2, "The order is removed")]
    try store.commit([next])
    let meanwhile = try find("gold")
    #expect(meanwhile.hits.isEmpty && meanwhile.damaged.isEmpty && meanwhile.seen < meanwhile.last)
    store.close()
  }

  @Test func `a search leaves out what is damaged and says so, and the others are found`() throws {
    let store = try open()
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Samples.everything(workspace)
    commit.entries = (1...5).map { Samples.entry($0) }
    try store.commit([commit])
    while try !store.index(
      workspace, limit: 9, words: { _ in EntryWords(text: "kettle", channel: .chat) })
    {}
    let heard = Mutex<[String]>([])
    store.onDamage { damage in heard.withLock { $0.append(damage) } }
    let vandal = try DatabaseQueue(path: "\(folder.path)/throughline.sqlite")
    try vandal.write {
      try $0.execute(sql: "UPDATE entries SET at=at+1 WHERE entry IN (3, 4)")
      try $0.execute(sql: "DELETE FROM entries WHERE entry=2")
    }
    let reader = try store.reader()
    let kettle: (EntryRow) -> EntryWords = { _ in EntryWords(text: "kettle", channel: .chat) }
    let page = try reader.search(workspace, SearchQuery(words: "kettle"), words: kettle)
    #expect(page.hits.map(\.entry.id.raw) == [5, 1])
    #expect(page.damaged.count == 3 && page.older == nil)
    #expect(heard.withLock { $0.count } == 3)
    // A span of time is found over what is damaged in between.
    var query = SearchQuery(words: "kettle")
    query.from = Samples.at(5)
    #expect(
      try reader.search(workspace, query, words: kettle).hits.map(\.entry.id.raw) == [5])
    query.from = nil
    query.until = Samples.at(2)
    #expect(
      try reader.search(workspace, query, words: kettle).hits.map(\.entry.id.raw) == [1])
    // And rules see a conversation's other words.
    let kept = try reader.readableTranscript(
      workspace, of: Samples.id(1), limit: 9, visible: .internal)
    #expect(kept.map(\.id.raw) == [1, 5])
    // Where they are too many, the newest of them.
    let last = try reader.readableTranscript(
      workspace, of: Samples.id(1), limit: 1, visible: .internal)
    #expect(last.map(\.id.raw) == [5])
    store.close()
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
