import Records
import Foundation
import class GRDB.DatabaseQueue
import struct GRDB.DatabaseValue
import class GRDB.Row
import struct GRDB.StatementArguments
import Model
import Testing

@testable import Store

/// What a disk does behind our back: every column of every table, rows gone, bytes of the file.
struct `Damage` {
  let folder = TemporaryFolder()

  /// One row in every table, and each of them reachable.
  private func filled() throws -> (store: SQLiteStore, commit: Commit) {
    let store = try SQLiteStore(folder: folder.path)
    let workspace = try store.addWorkspace(named: "demo").id
    try store.save(Samples.token(1, workspace))
    var commit = Samples.everything(workspace)
    let hash = try store.blobs.write(Samples.bytes(1), workspace)
    #expect(hash == commit.blobs[0].hash)
    commit.conversations[0].lastAgent = 4
    commit.sessions[0].bot = 3
    commit.cases[0].agent = 2
    commit.cases[0].closed = Samples.at(5)
    try store.commit([commit])
    _ = try store.reader().secret(named: "identities")
    let access = AccessRow(
      at: Samples.at(1), who: "agent:ann", what: .timeline, customer: Samples.id(1))
    try store.record([access], workspace)
    _ = try store.erase(
      workspace, [Samples.id(99)], at: Samples.at(2), by: "admin:root", upTo: nil, Samples.blank)
    let reader = try SQLiteReader(store)
    let report = try IntegrityCheck.whole(reader, workspace, blobs: store.blobs)
    #expect(report.findings == [])
    #expect(report.rows.count == Table.allCases.count - 3, "all but log, entries and `verified`")
    try store.save(report.verified, workspace)
    return (store, commit)
  }

  private func everythingIsServed(_ store: SQLiteStore, _ commit: Commit) throws {
    let reader = try store.reader()
    _ = try reader.workspaces()
    _ = try reader.tokens()
    _ = try reader.secret(named: "identities")
    _ = try reader.head(commit.workspace)
    try StoreContract.expect(reader, holds: commit)
  }

  private func notices(_ store: SQLiteStore, _ workspace: WorkspaceID) throws -> [String] {
    let reader = try SQLiteReader(store)
    return try IntegrityCheck.whole(reader, workspace, blobs: store.blobs).findings
      + IntegrityCheck.file(reader)
  }

  @Test(arguments: Table.allCases)
  func `a flipped bit in any column is never served and always found`(_ table: Table) throws {
    let (store, commit) = try filled()
    defer { store.close() }
    let vandal = try DatabaseQueue(path: "\(folder.path)/throughline.sqlite")
    for (index, column) in (table.columns + (table.isSealed ? ["checksum"] : [])).enumerated() {
      let row = try vandal.read {
        try Row.fetchOne($0, sql: "SELECT * FROM \(table.name) ORDER BY 1, 2")
      }
      let before = try #require(row?[column] as DatabaseValue?)
      let keys = table.columns.prefix(table.keyCount)
      let match = keys.map { "\($0) IS ?" }.joined(separator: " AND ")
      func set(_ from: DatabaseValue, _ to: DatabaseValue) throws {
        let values = keys.map { $0 == column ? from : row?[$0] as DatabaseValue? ?? .null }
        try vandal.write {
          try $0.execute(
            sql: "UPDATE \(table.name) SET \(column)=? WHERE \(match)",
            arguments: StatementArguments([to] + values))
          #expect($0.changesCount == 1)
        }
      }
      for flipped in flips(of: before) {
        // There is one of each of these numbers already.
        if table == .counts, index == 0, [0.databaseValue, 1.databaseValue].contains(flipped) {
          continue
        }
        try set(before, flipped)
        // A changed key is another row; where rows are asked for by their key, theirs is then
        // missing.
        if index >= table.keyCount {
          #expect(
            performing: {
              try serveThe(table, store, commit)
            }, throws: { isCorrupt($0) })
        }
        #expect(try !notices(store, commit.workspace).isEmpty, "\(table.name).\(column)")
        try set(flipped, before)
      }
    }
    #expect(try notices(store, commit.workspace) == [])
    try everythingIsServed(store, commit)
  }

  /// Only that table's rows, since one that was found through another table would hide it.
  private func serveThe(_ table: Table, _ store: SQLiteStore, _ commit: Commit) throws {
    let reader = try SQLiteReader(store)
    let w = commit.workspace
    switch table {
    case .workspaces: _ = try reader.workspaces()
    case .tokens: _ = try reader.tokens()
    case .secrets: _ = try reader.secret(named: "identities")
    case .heads: _ = try reader.head(w)
    case .log: _ = try reader.log(w, after: 0, limit: 9)
    case .work: _ = try reader.work(w)
    case .entries:
      // By the number, as a page does once the index has given it.
      _ = try reader.ask { queries throws(StoreFault) in
        let statement = queries.bound(.entriesAfter) { columns in
          columns.put(w)
          columns.put(0 as Int64)
          columns.put(9 as Int64)
        }
        return try statement.all(.entries, EntryRow.inWorkspace)
      }
    case .customers: _ = try reader.customer(w, commit.customers[0].id)
    case .identities: _ = try reader.identity(w, hash: commit.identities[0].hash)
    case .conversations: _ = try reader.conversation(w, commit.conversations[0].id)
    case .sessions: _ = try reader.session(w, commit.sessions[0].id)
    case .cases: _ = try reader.aCase(w, commit.cases[0].id)
    case .facts: _ = try reader.facts(w, of: commit.facts[0].case)
    case .outcomes: _ = try reader.outcome(w, key: commit.outcomes[0].key)
    case .keys: _ = try reader.key(w, .call, commit.keys[0].key)
    case .outbox: _ = try reader.outbox(w, limit: 9)
    case .blobs: _ = try reader.blob(w, commit.blobs[0].id)
    case .configurations: _ = try reader.configuration(w, version: nil)
    case .verified: _ = try IntegrityCheck.recent(reader, w)
    case .erasures: _ = try reader.erasures(w)
    case .accesses: _ = try reader.accesses(w, of: nil, before: .max, limit: 9)
    case .counts:
      _ = try reader.ask { queries throws(StoreFault) in
        for of in [RowCounts.folder, w] {
          _ = try queries.bound(.counts) { $0.put(of) }.one(.counts, RowCounts.inWorkspace)
        }
      }
    }
  }

  private func flips(of value: DatabaseValue) -> [DatabaseValue] {
    switch value.storage {
    case .null: return []
    case .int64(let number): return [0, 1, 31, 62].map { (number ^ 1 << $0).databaseValue }
    case .double: return []
    case .string(let text):
      return [(text + "x").databaseValue, String(text.dropLast()).databaseValue]
    case .blob(let data):
      guard !data.isEmpty else { return [Data([0]).databaseValue] }
      return [(0, 0), (data.count / 2, 3), (data.count - 1, 7)].map { (index, bit) in
        var flipped = data
        flipped[index] ^= 1 << UInt8(bit)
        return flipped.databaseValue
      }
    }
  }

  @Test(arguments: [
    "DELETE FROM log WHERE position=1", "DELETE FROM log WHERE position=2", "DELETE FROM log",
    "DELETE FROM heads", "DELETE FROM entries WHERE entry=1", "DELETE FROM entries WHERE entry=2",
    "DELETE FROM customers", "DELETE FROM conversations", "DELETE FROM cases",
    "DELETE FROM identities", "DELETE FROM sessions", "DELETE FROM facts", "DELETE FROM outcomes",
    "DELETE FROM keys", "DELETE FROM outbox", "DELETE FROM blobs", "DELETE FROM configurations",
    "DELETE FROM erasures", "DELETE FROM accesses", "DELETE FROM tokens", "DELETE FROM secrets",
    "DELETE FROM workspaces", "DELETE FROM counts WHERE workspace=0",
    "DELETE FROM counts WHERE workspace=1",
    "UPDATE entries SET body=NULL WHERE entry=1",
    "UPDATE entries SET conversation=NULL WHERE entry=1",
  ])
  func `a row that is gone is found`(_ sql: String) throws {
    let (store, commit) = try filled()
    try DatabaseQueue(path: "\(folder.path)/throughline.sqlite").write { try $0.execute(sql: sql) }
    #expect(try !notices(store, commit.workspace).isEmpty)
    store.close()
  }

  @Test func `a workspace that is gone is found with no other left, and is not made anew`() throws {
    let (store, _) = try filled()
    defer { store.close() }
    try DatabaseQueue(path: "\(folder.path)/throughline.sqlite").write {
      try $0.execute(sql: "DELETE FROM workspaces")
    }
    let found = try store.damaged()
    #expect(found.contains { $0.contains("which does not exist") }, "\(found)")
    #expect(found.contains { $0.contains("workspaces: ") }, "\(found)")
    #expect {
      try store.addWorkspace(named: "demo")
    } throws: {
      ($0 as? StoreFault)?.sentence.contains("workspaces of this folder 0 are there") == true
    }
  }

  // MARK: The index, and the end of the log

  /// As a kill leaves it: nothing is closed.
  private func copy(to target: String) throws {
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    for name in ["throughline.sqlite", "search.sqlite"].flatMap({ [$0, $0 + "-wal"] }) {
      try FileManager.default.copyItem(
        atPath: "\(folder.path)/\(name)", toPath: "\(target)/\(name)")
    }
  }

  @Test func `what a flipped bit takes from the end of the log the index has seen`() throws {
    let store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    let workspace = try store.addWorkspace(named: "demo").id
    for number in Int64(1)...60 {
      var commit = Commit(workspace: workspace)
      commit.log = [Samples.record(number)]
      commit.entries = [Samples.entry(number)]
      try store.commit([commit])
    }
    while try !store.index(workspace, limit: 100, words: StoreContract.words) {}
    #expect(try store.entriesLost() == [])
    let (killed, flipped) = ("\(folder.path)/killed", "\(folder.path)/flipped")
    for target in [killed, flipped] { try copy(to: target) }
    let log = URL(fileURLWithPath: "\(flipped)/throughline.sqlite-wal")
    var bytes = try Data(contentsOf: log)
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: log)

    let well = try SQLiteStore(folder: killed)
    #expect(try well.entriesLost(settles: true) == [])
    #expect(try well.reader().head(workspace).entry == EntryID(60))
    well.close()
    let after = try SQLiteStore(folder: flipped)
    let head = try after.reader().head(workspace).entry
    #expect(head < EntryID(60))
    let told = try after.entriesLost()
    #expect(
      told.count == 1 && told[0].contains("up to 60, and the log ended at \(head)"), "\(told)")
    // Once it goes on from there, and after the next start, it is told as before.
    #expect(try after.entriesLost(settles: true) == told)
    // Also where as many come before the index looks again: under the numbers of those that are gone.
    for number in (head.raw + 1)...70 {
      var commit = Commit(workspace: workspace)
      commit.log = [Samples.record(number)]
      commit.entries = [Samples.entry(number)]
      try after.commit([commit])
    }
    #expect(try after.entriesLost() == told)
    while try !after.index(workspace, limit: 100, words: StoreContract.words) {}
    after.close()
    let again = try SQLiteStore(folder: flipped)
    #expect(try again.entriesLost() == told)
    again.close()
    try SearchFile.remove(flipped)
    let without = try SQLiteStore(folder: flipped)
    #expect(try without.entriesLost() == [])
    without.close()
  }

  /// The bit, and where it stands beside the words that make the table.
  @Test(arguments: [(-1, UInt8(4)), (10, 1), (-30, 1), (-12, 1), (-8, 1)])
  func `an index whose schema is damaged is made anew`(_ place: Int, _ bit: UInt8) throws {
    let (store, commit) = try filled()
    while try !store.index(commit.workspace, limit: 100, words: StoreContract.words) {}
    let entries = try store.reader().head(commit.workspace).entry
    store.close()
    let file = URL(fileURLWithPath: SearchFile.path(folder.path))
    var bytes = try Data(contentsOf: file)
    let words = try #require(bytes.range(of: Data("tokenize=".utf8)))
    bytes[words.lowerBound + place] ^= bit
    try bytes.write(to: file)
    let again = try SQLiteStore(folder: folder.path)
    defer { again.close() }
    while try !again.index(commit.workspace, limit: 100, words: StoreContract.words) {}
    let page = try again.reader().search(commit.workspace, SearchQuery(words: "nothing"))
    #expect(page.seen == entries)
  }

  @Test func `a store opens without an index that cannot be had, and has one as soon as it can`()
    throws
  {
    let (store, commit) = try filled()
    store.close()
    let file = SearchFile.path(folder.path)
    try SearchFile.remove(folder.path)
    // No file can be made in its place.
    try FileManager.default.createDirectory(
      atPath: file + "/inside", withIntermediateDirectories: true)
    let again = try SQLiteStore(folder: folder.path)
    defer { again.close() }
    try everythingIsServed(again, commit)
    #expect(throws: StoreFault.self) {
      try again.index(commit.workspace, limit: 100, words: StoreContract.words)
    }
    #expect(throws: StoreFault.self) {
      try again.reader().search(commit.workspace, SearchQuery(words: "nothing"))
    }
    try FileManager.default.removeItem(atPath: file)
    while try !again.index(commit.workspace, limit: 100, words: StoreContract.words) {}
    let page = try again.reader().search(commit.workspace, SearchQuery(words: "nothing"))
    #expect(page.seen == page.last)
  }

  /// A row that goes as it should is not missed, and one that comes again is not counted twice.
  @Test func `counts follow what is committed, erased and forgotten`() throws {
    let (store, first) = try filled()
    let w = first.workspace
    var commit = Commit(workspace: w)
    commit.identities = first.identities + [Samples.identity(2, customer: 1)]
    commit.sessions = first.sessions
    commit.keys = [
      KeyRow(space: .call, key: Samples.bytes(4), value: nil),
      KeyRow(space: .call, key: [9], value: [9]), KeyRow(space: .call, key: [8], value: nil),
    ]
    commit.outbox = [Samples.outbox(1, payload: nil), Samples.outbox(2, payload: [1])]
    commit.outcomes = (10..<20).map { Samples.outcome($0, at: Samples.at($0)) }
    try store.commit([commit])
    #expect(try notices(store, w) == [])
    // What is rolled back is not counted.
    var refused = Commit(workspace: w)
    refused.keys = [KeyRow(space: .call, key: [7], value: [7])]
    refused.log = [Samples.record(99)]
    #expect(throws: StoreFault.self) { try store.commit([commit, refused]) }
    #expect(try notices(store, w) == [])
    try store.forgetOutcomes(before: Samples.at(15))
    try store.save(Samples.token(1, w))
    _ = try store.addWorkspace(named: "second")
    #expect(try notices(store, w) == [])
    _ = try store.erase(
      w, [Samples.id(1)], at: Samples.at(3), by: "admin:root", upTo: nil, Samples.blank)
    #expect(try notices(store, w) == [])
    store.close()
    let again = try SQLiteStore(folder: folder.path)
    try again.commit([commit])
    #expect(try notices(again, w) == [])
    again.close()
  }

  @Test func `a secret that vanished is not made anew without a word`() throws {
    let (store, _) = try filled()
    try DatabaseQueue(path: "\(folder.path)/throughline.sqlite").write {
      try $0.execute(sql: "DELETE FROM secrets")
    }
    #expect(
      performing: { _ = try store.reader().secret(named: "identities") }, throws: { isCorrupt($0) })
    store.close()
  }

  /// Whoever keeps count must not stop the service for it.
  @Test func `a damaged count stops no commit, and is found`() throws {
    let (store, first) = try filled()
    store.close()
    try DatabaseQueue(path: "\(folder.path)/throughline.sqlite").write {
      try $0.execute(sql: "UPDATE counts SET checksum=checksum+1")
    }
    let again = try SQLiteStore(folder: folder.path)
    var commit = Commit(workspace: first.workspace)
    commit.log = [Samples.record(3)]
    commit.keys = [KeyRow(space: .call, key: [9], value: [9])]
    try again.commit([commit])
    #expect(try notices(again, first.workspace).contains { $0.contains("counts 1") })
    again.close()
  }

  @Test func `whose an address is must be said by its row and by the index`() throws {
    var (store, commit) = try filled()
    let w = commit.workspace
    let hash = commit.identities[0].hash
    try store.execute("UPDATE identities SET evidence=x'00'")
    #expect(try store.reader().owner(w, evenDamaged: hash) == Samples.id(1))
    let size = try #require(try store.ask("page_size").flatMap { Int($0) })
    let page = (try store.rootPage(of: "identities") - 1) * size
    store.close()
    let file = URL(fileURLWithPath: folder.path + "/throughline.sqlite")
    var bytes = try Data(contentsOf: file)
    let id = CustomerRow(
      id: Samples.id(1), root: Samples.id(1), created: Samples.at(1), profile: [],
      timeline: TimelineDigest()
    ).id
    let key = withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { Data($0) }
    let place = try #require(bytes.range(of: key, in: page..<page + size))
    bytes[place.upperBound - 1] ^= 1
    try bytes.write(to: file)
    store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    #expect(try store.reader().owner(w, evenDamaged: hash) == nil)
  }

  @Test func `the records of a person are found though all of their rows are damaged`() throws {
    let (store, commit) = try filled()
    defer { store.close() }
    var more = Commit(workspace: commit.workspace)
    more.customers = [Samples.customer(2, root: 1), Samples.customer(3, root: 1)]
    try store.commit([more])
    try store.execute("UPDATE customers SET created=created+1")
    let all: [CustomerID] = [1, 2, 3].map { Samples.id($0) }
    for id in all {
      #expect(
        try store.reader().records(commit.workspace, evenDamagedWith: id).sorted() == all.sorted())
    }
  }

  @Test func `behind a break of the log the rest is looked at, and told`() throws {
    let (store, first) = try filled()
    var commit = Commit(workspace: first.workspace)
    commit.log = (3...9).map { Samples.record($0) }
    try store.commit([commit])
    try DatabaseQueue(path: "\(folder.path)/throughline.sqlite").write {
      try $0.execute(sql: "UPDATE log SET at=at+1 WHERE position IN (3, 7)")
      try $0.execute(sql: "DELETE FROM sessions")
    }
    let found = try notices(store, first.workspace)
    #expect(found.filter { $0.contains("is broken after position") }.count == 2, "\(found)")
    #expect(found.contains { $0.hasPrefix("sessions: 1 rows were committed") }, "\(found)")
    let reader = try SQLiteReader(store)
    let report = try IntegrityCheck.whole(reader, first.workspace)
    #expect(report.records == 9 && report.verified.position == 2)
    store.close()
  }

  @Test func `an attachment with one flipped bit, cut short or gone, is found`() throws {
    let (store, commit) = try filled()
    let path = store.blobs.path(of: commit.blobs[0].hash, commit.workspace)
    let good = try Data(contentsOf: URL(fileURLWithPath: path))
    for bit in [0, 7, good.count * 8 - 1] {
      var bad = good
      bad[bit / 8] ^= 1 << UInt8(bit % 8)
      try bad.write(to: URL(fileURLWithPath: path))
      #expect(try notices(store, commit.workspace).count == 1)
    }
    try good.dropLast().write(to: URL(fileURLWithPath: path))
    #expect(try notices(store, commit.workspace).count == 1)
    try FileManager.default.removeItem(atPath: path)
    #expect(try notices(store, commit.workspace).count == 1)
    store.close()
  }

  @Test func `the check at start looks only at what came since the last one`() throws {
    let (store, commit) = try filled()
    let reader = try SQLiteReader(store)
    var next = Commit(workspace: commit.workspace)
    next.log = [Samples.record(3)]
    next.entries = [Samples.entry(3)]
    try store.commit([next])
    let report = try IntegrityCheck.recent(reader, commit.workspace)
    #expect(report.findings == [] && report.records == 1 && report.entries == 1)
    #expect(report.verified.position == 3 && report.verified.entry == EntryID(3))
    let vandal = try DatabaseQueue(path: "\(folder.path)/throughline.sqlite")
    try vandal.write { try $0.execute(sql: "UPDATE entries SET at=at+1 WHERE entry=3") }
    let second = try IntegrityCheck.recent(reader, commit.workspace)
    #expect(second.findings == ["entries 1/3 does not match its checksum"])
    #expect(second.verified.entry == EntryID(2), "what is bad is never called verified")
  }

  /// Serial types of a record's header: 9 is the number 1, 13 the empty text, 44 an id.
  @Test(.timeLimit(.minutes(2)))
  func `a workspace's number that one flipped bit made a text is found, and the check ends`() throws
  {
    let (store, commit) = try filled()
    store.close()
    let path = "\(folder.path)/throughline.sqlite"
    let good = try Data(contentsOf: URL(fileURLWithPath: path))
    var outOfOrder = 0
    for row in good.indices.dropLast(1) where good[row] == 9 && good[row + 1] == 44 {
      var bad = good
      bad[row] ^= 4
      try bad.write(to: URL(fileURLWithPath: path))
      let store = try SQLiteStore(folder: folder.path)
      let found = try notices(store, commit.workspace)
      store.close()
      #expect(!found.isEmpty, "\(row)")
      if found.contains(where: { $0.hasSuffix(" is out of order") }) { outOfOrder += 1 }
    }
    #expect(outOfOrder > 0, "of some tables the smallest is looked up in an index")
  }

  /// 100 single bits of the closed file where it is not empty, drawn from a fixed seed: whatever is
  /// read afterwards is as it was, or it is refused, or the check speaks.
  @Test func `a flipped bit anywhere in the file is noticed or harmless`() throws {
    let (store, commit) = try filled()
    store.close()
    let path = "\(folder.path)/throughline.sqlite"
    let good = try Data(contentsOf: URL(fileURLWithPath: path))
    let used = good.indices.filter { good[$0] != 0 }
    var random = SplitMix(state: 7)
    var noticed = 0
    for _ in 0..<100 {
      var bad = good
      bad[used[Int(random.next() % UInt64(used.count))]] ^= 1 << UInt8(random.next() % 8)
      try bad.write(to: URL(fileURLWithPath: path))
      do {
        let store = try SQLiteStore(folder: folder.path)
        defer { store.close() }
        if try !notices(store, commit.workspace).isEmpty {
          noticed += 1
        } else {
          try everythingIsServed(store, commit)
        }
      } catch is StoreFault { noticed += 1 }
      for companion in ["-wal", "-shm"] {
        try? FileManager.default.removeItem(atPath: path + companion)
      }
    }
    #expect(
      noticed > 50, "some bits are of no consequence, such as of what was deleted; most are not")
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}
