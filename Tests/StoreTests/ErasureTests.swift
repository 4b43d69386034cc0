import Foundation
import GRDBSQLite
import Model
import Records
import Testing

@testable import Store

/// What is left in the files of a store, byte for byte.
struct `An erasure` {
  let folder = TemporaryFolder()

  /// Every file below the folder that holds the text.
  private func holders(of text: String) throws -> [String] {
    try Self.holders(of: text, in: folder.path)
  }
  static func holders(of text: String, in folder: String) throws -> [String] {
    let needle = Data(text.utf8)
    return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
      guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(path)") else {
        return false
      }
      return bytes.range(of: needle) != nil
    }.sorted()
  }

  @Test func `of a folder of before finds out piece by piece, and once, what entries name`() throws
  {
    let store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    let workspace = try busy(store)
    let reader = try SQLiteReader(store)
    func named() throws -> [[EntryID]] {
      try (1...600).map { try reader.entries(workspace, naming: Samples.id($0)) }
    }
    // A workspace of today has keys from the start.
    try store.nameAttachments(workspace, Samples.blank, piece: 7)
    #expect(try named().allSatisfy(\.isEmpty))
    var commit = Commit(workspace: workspace)
    commit.keys = [KeyRow(space: .named, key: KeyRow.named(upTo: EntryID(0)).key, value: nil)]
    try store.commit([commit])
    let first = try store.write("find") { writer throws(StoreFault) in
      try writer.nameAttachments(piece: 7, Samples.blank, workspace)
    }
    #expect(try !first && named().map(\.count) == (1...600).map { $0 <= 7 ? 1 : 0 })
    try store.nameAttachments(workspace, Samples.blank, piece: 7)
    #expect(try named() == (1...600).map { [EntryID($0)] })
    #expect(try IntegrityCheck.whole(reader, workspace, blobs: store.blobs).findings == [])
  }

  /// Two people talk through many commits, with rows rewritten and pages split all the while.
  private func busy(_ store: SQLiteStore) throws -> WorkspaceID { try Self.busy(store) }
  static func busy(_ store: SQLiteStore, commits: Int64 = 600) throws -> WorkspaceID {
    let workspace = try store.addWorkspace(named: "demo").id
    var timelines = [TimelineDigest(), TimelineDigest()]
    for number in 1...commits {
      let who = Int(number % 2)
      let name = ["Hildegard", "Bartholomew"][who]
      var commit = Commit(workspace: workspace)
      commit.log = [Samples.record(number)]
      commit.entries = [
        StoreContract.said(
          number, String(repeating: "\(name) says \(number) ", count: 1 + Int(number * 7 % 60)),
          customer: who + 1,
          conversation: who + 1)
      ]
      timelines[who].add(commit.entries[0].hash)
      var row = Samples.customer(who + 1, timeline: timelines[who])
      row.profile = Array(
        "\(name) profile \(number) \(String(repeating: "x", count: Int(number % 90)))".utf8)
      commit.customers = [row]
      var conversation = Samples.conversation(who + 1, customer: who + 1)
      conversation.about = Array("\(name) about \(number)".utf8)
      commit.conversations = [conversation]
      var aCase = Samples.aCase(Int(number) + 100, conversation: who + 1)
      aCase.about = Array("\(name) case \(number)".utf8)
      commit.cases = [aCase]
      commit.facts = [FactsRow(case: aCase.id, bytes: Array("\(name) facts \(number)".utf8))]
      if number <= 2 {
        var identity = Samples.identity(who + 1, customer: who + 1)
        identity.identity.value = "\(name)@home.example"
        commit.identities = [identity]
        commit.sessions = [Samples.session(who + 8, conversation: who + 1)]
        var blob = Samples.blob(Int(number), conversation: who + 1)
        blob.hash = try store.blobs.write(Array("\(name) sends a file".utf8), workspace)
        commit.blobs = [blob]
      }
      try store.commit([commit])
      if number % 50 == 0 {
        _ = try store.index(workspace, limit: 1_000, words: StoreContract.words)
      }
    }
    return workspace
  }

  @Test func `leaves no byte of the person in any file, and everybody else's`() throws {
    let store = try SQLiteStore(folder: folder.path)
    let workspace = try busy(store)
    #expect(try holders(of: "Hildegard").count >= 3)
    let receipt = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(1_000), by: "admin:root", upTo: nil, Samples.blank)
    #expect(receipt.entries == 300 && receipt.blobs == 1)
    #expect(try holders(of: "Hildegard") == [])
    #expect(try holders(of: "hildegard") == [], "the index has it in small letters")
    #expect(try holders(of: "Bartholomew").count >= 3)
    let report = try IntegrityCheck.whole(SQLiteReader(store), workspace, blobs: store.blobs)
    #expect(report.findings == [] && report.records == 600 && report.entries == 600)
    store.close()
    #expect(try holders(of: "Hildegard") == [])
    // And the folder opens and goes on.
    let again = try SQLiteStore(folder: folder.path)
    #expect(try IntegrityCheck.file(SQLiteReader(again)) == [])
    again.close()
  }

  /// Of the attachments by their hash: a bit in what an entry of it says, or its page is none any more.
  @Test(arguments: [false, true])
  func `goes on where an index was damaged, once the indexes are made anew`(_ isPage: Bool) throws {
    var store = try SQLiteStore(folder: folder.path)
    let workspace = try busy(store)
    let hash = Checksum.sha256(Array("Hildegard sends a file".utf8))
    let size = try #require(try store.ask("page_size").flatMap { Int($0) })
    let root = try store.rootPage(of: "blobs_by_hash")
    store.close()
    let file = URL(fileURLWithPath: folder.path + "/throughline.sqlite")
    var bytes = try Data(contentsOf: file)
    let page = (root - 1) * size..<root * size
    if isPage {
      bytes[page.lowerBound] = 0
    } else {
      let place = try #require(bytes.range(of: Data(hash.bytes), in: page))
      bytes[place.upperBound - 1] ^= 1
    }
    try bytes.write(to: file)
    store = try SQLiteStore(folder: folder.path)
    func erase() throws -> ErasureReceipt {
      try store.erase(
        workspace, [Samples.id(1)], at: Samples.at(1_000), by: "admin:root", upTo: nil,
        Samples.blank)
    }
    #expect { try erase() } throws: { fault in
      if case StoreFault.corrupt = fault { true } else { false }
    }
    try store.reindex()
    let reader = try SQLiteReader(store)
    #expect(try IntegrityCheck.file(reader) == [])
    #expect(try reader.blobs(workspace, hash: hash).count == 1)
    #expect(try erase().done != nil)
    #expect(try reader.blobs(workspace, hash: hash).isEmpty)
    let left = try holders(of: "Hildegard")
    #expect(left == [])
    store.close()
    store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    #expect(try IntegrityCheck.file(SQLiteReader(store)) == [])
    let plan = try SQLiteReader(store).explain(Query.mergedInto.sql)
    #expect(plan.contains { $0.contains("customers_merged") })
  }

  /// As an index that lost it would leave it behind: the advice for who was erased meanwhile.
  @Test func `of the same once more takes what the first had not found`() throws {
    let store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    let workspace = try busy(store)
    func erase() throws -> ErasureReceipt {
      try store.erase(
        workspace, [Samples.id(1)], at: Samples.at(1_000), by: "admin:root", upTo: nil,
        Samples.blank)
    }
    #expect(try erase().done != nil)
    let left = Samples.identity(7, customer: 1)
    var commit = Commit(workspace: workspace)
    commit.log = [Samples.record(601)]
    commit.identities = [left]
    try store.commit([commit])
    #expect(try store.reader().identity(workspace, hash: left.hash) == left)
    let again = try erase()
    #expect(again.identities == 1 && again.done != nil)
    #expect(try store.reader().identity(workspace, hash: left.hash) == nil)
  }

  /// A page that is split or balanced leaves copies of its cells behind, which `secure_delete` does not
  /// see: of each of many, whose rows stand among the others'.
  @Test(arguments: 0..<6)
  func `leaves no byte where pages were split and balanced`(_ seed: Int) throws {
    let store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    let workspace = try store.addWorkspace(named: "demo").id
    let people = 8
    var facts: [(who: Int, row: FactsRow)] = []
    for number in 0..<800 {
      let who = number % people + 1
      let words = Array(
        "person\(who)-\(String(repeating: "x", count: (number * 37 + seed) % 90))".utf8)
      var commit = Commit(workspace: workspace)
      commit.log = [Samples.record(Int64(number + 1))]
      commit.customers = [Samples.customer(who)]
      commit.conversations = [Samples.conversation(who, customer: who)]
      commit.cases = [Samples.aCase(1_000 * (seed + 1) + number, conversation: who)]
      commit.cases[0].about = words
      commit.facts = [FactsRow(case: commit.cases[0].id, bytes: words)]
      facts.append((who, commit.facts[0]))
      try store.commit([commit])
    }
    for who in 1...people {
      #expect(try !holders(of: "person\(who)-").isEmpty)
      _ = try store.erase(
        workspace, [Samples.id(who)], at: Samples.at(who), by: "admin:root", upTo: nil,
        Samples.blank)
      let left = try holders(of: "person\(who)-")
      #expect(left == [], "of person \(who)")
      // Nor does what is written on the same pages afterwards bring any back.
      var next = Commit(workspace: workspace)
      next.log = [Samples.record(Int64(800 + who))]
      next.facts = facts.filter { $0.who > who }.map { _, row in
        FactsRow(case: row.case, bytes: row.bytes.map { $0 == 120 ? UInt8(120 + who) : $0 })
      }
      try store.commit([next])
      try store.emptyLog()
      let again = try holders(of: "person\(who)-")
      #expect(again == [], "of person \(who), written again")
    }
    #expect(try IntegrityCheck.file(SQLiteReader(store)) == [])
    #expect(
      try IntegrityCheck.whole(SQLiteReader(store), workspace, blobs: store.blobs).rows["cases"]
        == 800)
  }

  /// Hildegard's id, as a key holds it.
  private static let her = "x'9E3779B97F4A7C150000000000000001'"

  /// Where nothing but her words is damaged, what is left of the row is whole.
  @Test(arguments: [
    ("UPDATE entries SET body=x'00' WHERE entry=4", true),
    (
      "UPDATE entries SET body=CAST(replace(CAST(body AS TEXT), 'says', 'saya') AS BLOB) WHERE entry=4",
      true
    ),
    ("UPDATE entries SET at=at+1 WHERE customer=\(her)", false),
    ("UPDATE customers SET created=created+1 WHERE customer=\(her)", false),
    ("UPDATE identities SET value=value || '!' WHERE customer=\(her)", true),
    ("UPDATE conversations SET opened=opened+1 WHERE customer=\(her)", false),
    ("UPDATE cases SET created=created+1 WHERE conversation=\(her)", false),
    ("UPDATE facts SET checksum=checksum+1", true),
    ("UPDATE blobs SET hash=zeroblob(32) WHERE conversation=\(her)", true),
    ("UPDATE blobs SET at=at+1 WHERE conversation=\(her)", true),
  ])
  func `goes on where a row is damaged: what nobody can read goes whole`(
    _ sql: String, isMended: Bool
  ) throws {
    let store = try SQLiteStore(folder: folder.path)
    let workspace = try busy(store)
    try store.execute(sql)
    let receipt = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(1_000), by: "admin:root", upTo: nil, Samples.blank)
    #expect(receipt.done != nil && receipt.entries == 300)
    #expect(receipt.damaged > 0 || sql.contains("facts"))
    #expect(try store.reader().erasures(workspace) == [receipt])
    #expect(try holders(of: "Hildegard") == [])
    #expect(try holders(of: "Bartholomew").count >= 3)
    if !sql.contains("facts") {
      let report = try IntegrityCheck.whole(SQLiteReader(store), workspace, blobs: store.blobs)
      #expect(report.findings.isEmpty == isMended, "\(report.findings)")
    }
    // Doing it again drops nothing more.
    let again = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(1_001), by: "admin:root", upTo: nil, Samples.blank)
    #expect(again.damaged == 0 && again.entries == 0)
    store.close()
    #expect(try holders(of: "Hildegard") == [])
  }

  /// Every workspace waits for its rows: no walk over all keys for each of a person's conversations.
  @Test func `walks the keys once, however many conversations they had`() throws {
    let store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    commit.log = [Samples.record(1)]
    commit.customers = [Samples.customer(1)]
    commit.conversations = (1...100).map { Samples.conversation($0, customer: 1) }
    commit.keys = (1...3_000).map {
      KeyRow(space: .call, key: Samples.bytes($0), value: Samples.bytes($0))
    }
    commit.keys += (1...100).map {
      KeyRow(
        space: .mailThread, key: Samples.bytes($0), value: [7] + Samples.mention(Samples.id($0)))
    }
    try store.commit([commit])
    let rounds = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    rounds.initialize(to: 0)
    defer { rounds.deallocate() }
    try store.write("count") { writer throws(StoreFault) in
      sqlite3_progress_handler(
        writer.connection, 1_000,
        {
          $0?.assumingMemoryBound(to: Int32.self).pointee += 1
          return 0
        }, rounds)
    }
    _ = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(1_000), by: "admin:root", upTo: nil, Samples.blank)
    try store.write("count") { writer throws(StoreFault) in
      sqlite3_progress_handler(writer.connection, 0, nil, nil)
    }
    // Steps of SQLite's machine, in thousands: one look at each key for each conversation is 300,000 rows.
    #expect(rounds.pointee < 300)
    #expect(
      try IntegrityCheck.whole(SQLiteReader(store), workspace, blobs: store.blobs).rows["keys"]
        == 3_001)
  }

  @Test func `that a crash cut off is known, and finished by whoever starts next`() throws {
    let store = try SQLiteStore(folder: folder.path)
    let workspace = try busy(store)
    // As far as the receipt and the first rows.
    var receipt = try store.write("begin") { writer throws(StoreFault) in
      try writer.beginErasure(
        of: [Samples.id(1)], at: Samples.at(1_000), by: "admin:root", upTo: nil, workspace)
    }
    _ = try store.write("erase") { writer throws(StoreFault) in
      try writer.eraseRows(&receipt, Samples.blank, store.blobs, workspace)
    }
    store.close()
    let again = try SQLiteStore(folder: folder.path)
    let open = try again.reader().erasures(workspace)
    #expect(open.map(\.done) == [nil] && open[0].identities == 1)
    let done = try again.finish(open[0], workspace, at: Samples.at(2_000), Samples.blank)
    #expect(done.entries == 300 && done.identities == 1 && done.done == Samples.at(2_000))
    #expect(try holders(of: "Hildegard") == [])
    #expect(
      try IntegrityCheck.whole(SQLiteReader(again), workspace, blobs: again.blobs).findings == [])
    again.close()
  }
}
