import Foundation
import GRDB
import Model
import Pipeline
import Records
import Routing
import Store
import Synchronization
import Testing
import Wire

@testable import Server

/// A disk that changed something behind the server's back.
@Suite(.inTurn) struct DamageTests {

  @Test
  func `a changed entry is not served, and the server finds it by itself after its next start`()
    async throws
  {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("the blue kettle")
      await server.stop()
      server.damages()
      try change("blue", to: "blur", in: server.settings.data)
      try await server.start()
      let ann = try await server.token("agent", "ann")
      let page = try await server.call(
        "GET", "/v1/customers/\(chat.customer)/timeline", by: ann)
      let entries = page["entries"].elements
      #expect(page.status == 200 && entries.count == page["count"].int, "\(page)")
      let lost = entries.filter { $0["damaged"].int != nil }
      #expect(lost.count == 1 && lost.allSatisfy { $0["entry"].isNull && $0["hash"].isNull })
      #expect(!entries.contains { $0["entry"]["text"].text.contains("kettle") })
      let text = try await server.call(
        "GET", "/v1/customers/\(chat.customer)/timeline?format=text", by: ann)
      #expect(String(decoding: text.body, as: UTF8.self).contains("is damaged and cannot be read"))
      try await eventually("the health page tells of it") {
        server.running?.edge.health.now.damaged.isEmpty == false
      }
      let health = try await server.call("GET", "/health")
      #expect(health.status == 200 && health["damaged"].int == 1)
      #expect(health["status"].text == "degraded" && !health["why"].text.contains("entries"))
      let root = try await server.token("admin", "root")
      let told = try await server.call("GET", "/health", by: root)["why"].text
      #expect(told.contains("entries 1/") && told.contains("throughline doctor"), "\(told)")
    }
  }

  // MARK: - What it costs

  /// A workspace whose rules look back on what was said.

  @Test(arguments: ["smtp", "lmtp"])
  func `whoever needs a damaged row hears so in their own protocol, and the others are served`(
    _ over: String
  ) async throws {
    let rules = try rules()
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let robin = try await server.token("bot", "robin")
      let letter = Letter(text: "the blue kettle leaks")
      #expect(try await server.deliver(letter) == 250)
      let chat = try await server.open(robin, email: "jo@home.example")
      let other = try await server.open(robin, email: "bo@home.example")
      await server.stop()
      server.damages()
      try await DatabaseQueue.beside(server.settings.data + "/throughline.sqlite").write {
        // The mail's conversation, and Jo's.
        try $0.execute(
          sql:
            "UPDATE conversations SET changed=changed+1 WHERE conversation IN (SELECT conversation FROM sessions WHERE channel=\(Channel.email.rawValue))"
        )
        try $0.execute(
          sql:
            "UPDATE customers SET created=created+1 WHERE customer=(SELECT customer FROM identities WHERE value='jo@home.example')"
        )
        #expect($0.changesCount == 1)
      }
      try await server.start()
      var again = Letter(text: "still")
      again.headers = ["In-Reply-To: \(letter.id)"]
      #expect(try await server.deliver(again, over: over) == 451)
      let refused = try await chat.customer("hello?")
      #expect(
        refused.status == 503 && refused["type"].text.hasSuffix("stored-data-damaged"), "\(refused)"
      )
      #expect(try await other.customer("hello").status == 201)
      #expect(try await server.deliver(Letter(from: "Bo <bo2@home.example>"), over: over) == 250)
      let health = try #require(server.running).edge.health.now
      #expect(health.failures == 0 && health.damaged.count == 2, "\(health.damaged)")
    }
  }

  @Test
  func `a case that cannot be shown for damage is offered and served, and nothing waits behind it`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let first = try await server.open(bot, email: "jo@home.example")
      try await first.customer("the blue kettle")
      let second = try await server.open(bot, email: "bo@home.example")
      try await second.customer("a red one")
      server.damages()
      try await DatabaseQueue.beside(server.settings.data + "/throughline.sqlite").write {
        try $0.execute(
          sql: "UPDATE identities SET assurance=assurance+1 WHERE value='jo@home.example'")
        #expect($0.changesCount == 1)
      }
      #expect(try await first.handoff().status == 201)
      #expect(try await second.handoff().status == 201)
      let offer = try await server.take(ann)
      #expect(
        offer["damaged"].description == "true" && offer["conversation"].text == first.conversation,
        "\(offer)")
      #expect(try await server.reply("I am here", to: offer["case"].text, by: ann).status == 201)
      #expect(try await server.close(offer["case"].text, by: ann).status == 200)
      let other = try await server.take(ann)
      #expect(other["conversation"].text == second.conversation && other["damaged"].isAbsent)
    }
  }

  /// What SQLite takes for the end of its log, and what was acknowledged behind it, nothing but the
  /// index tells.
  @Test func `entries that the index had seen and that are gone are told until they are back`()
    async throws
  {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("the blue kettle")
      let ann = try await server.token("agent", "ann")
      try await eventually("it is indexed") {
        try await !server.call("GET", "/v1/search?q=kettle", by: ann)["hits"].elements.isEmpty
      }
      await server.stop()
      #expect(try FolderCheck(server.settings.data).findings == [])
      server.damages()
      try await DatabaseQueue.beside(server.settings.data + "/search.sqlite").write {
        try $0.execute(sql: "UPDATE progress SET entry=entry+32")
      }
      let doctor = try await Peer.run(try Binary.path, ["doctor", "--data", server.settings.data])
      #expect(
        doctor.status == 1
          && doctor.lines.contains { $0.contains("acknowledged entries may be lost") },
        "\(doctor.lines)")
      for _ in 1...2 {
        try await server.start()
        let health = try await server.administer("GET", "/health")
        #expect(health.status == 200 && health["status"].text == "degraded", "\(health)")
        #expect(health["why"].text.contains("had seen entries up to"), "\(health)")
        #expect(try await chat.customer("goes on").status == 201)
        let edge = try #require(server.running).edge
        try Housekeeper(edge).checkWhole(edge.writers)
        #expect(!edge.health.now.damaged.isEmpty, "no look at the rows takes it back")
        try await eventually("what came since is found") {
          try await !server.call("GET", "/v1/search?q=goes", by: ann)["hits"].elements.isEmpty
        }
        await server.stop()
      }
    }
  }

  /// The index of merged records: what it does not give is in no page, and each row looks well.
  @Test
  func `a record that an index has lost is missed by whoever reads, and by the server itself`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let jo = try await server.open(bot, email: "jo@home.example")
      try await jo.customer("the blue kettle")
      let kim = try await server.open(bot, email: "kim@home.example")
      try await kim.customer("where is my invoice")
      let ann = try await server.token("agent", "ann")
      let merged = try await server.call(
        "POST", "/v1/customers/\(jo.customer)/merge", ["with": .text(kim.customer)], by: ann)
      #expect(merged.status == 200)
      await server.stop()
      server.damages()
      let file = server.settings.data + "/throughline.sqlite"
      let (page, size, root) = try await DatabaseQueue.beside(file).read {
        (
          try Int.fetchOne(
            $0, sql: "SELECT rootpage FROM sqlite_schema WHERE name='customers_merged'") ?? 0,
          try Int.fetchOne($0, sql: "PRAGMA page_size") ?? 0,
          try Data.fetchOne($0, sql: "SELECT root FROM customers WHERE root<>customer") ?? Data()
        )
      }
      var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      let place = try #require(bytes.range(of: root, in: (page - 1) * size..<page * size))
      bytes[place.upperBound - 1] ^= 1
      try bytes.write(to: URL(fileURLWithPath: file))
      try await server.start()
      let told = try await server.call(
        "GET", "/v1/customers/\(merged["customer"].text)/timeline", by: ann)
      #expect(
        told.status == 503 && told["type"].text.hasSuffix("stored-data-damaged"), "\(told)")
      let edge = try #require(server.running).edge
      // What was mended since is forgotten by it.
      edge.health.met("something that is whole again")
      try Housekeeper(edge).checkWhole(edge.writers)
      #expect(
        edge.health.now.damaged.contains { $0.contains("SQLite finds") },
        "\(edge.health.now.damaged)")
      #expect(!edge.health.now.damaged.contains { $0.contains("whole again") })
      // What needs the index cannot be written, and no row is damaged: with indexes made anew it can.
      func erase() async throws -> Reply {
        try await server.administer("POST", "/admin/erase", ["identity": .text(jo.customer)])
      }
      let refused = try await erase()
      #expect(
        refused.status == 503 && refused["detail"].text.contains("doctor --reindex"), "\(refused)")
      await server.stop()
      try FolderCheck.reindex(server.settings.data)
      #expect(try FolderCheck(server.settings.data).findings == [])
      try await server.start()
      let erased = try await erase()
      #expect(
        Set(erased["customers"].elements.map(\.text)) == [jo.customer, kim.customer], "\(erased)")
    }
  }

  // MARK: - The doctor

  @Test(arguments: [
    ("DELETE FROM workspaces", "has rows of workspace 1, which does not exist")
  ])
  func `doctor misses rows of which nothing in the rows tells`(_ sql: String, _ finding: String)
    async throws
  {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("help")
      await server.stop()
      server.damages()
      try await DatabaseQueue.beside(server.settings.data + "/throughline.sqlite").write {
        try $0.execute(sql: sql)
        #expect($0.changesCount > 0)
      }
      let told = try await Peer.run(try Binary.path, ["doctor", "--data", server.settings.data])
      #expect(told.status == 1 && told.lines.contains { $0.contains(finding) }, "\(told.lines)")
      if sql.contains("workspaces") {
        // Nor is it made anew, empty, as another.
        await #expect {
          try await server.start()
        } throws: {
          "\($0)".contains("of 1 workspaces of this folder 0 are there")
        }
      }
    }
  }

  /// Checksums, chain and rows are in order here: what is wrong is what the log tells.
  @Test func `doctor finds a healthy folder well, and names what cannot have happened in another`()
    async throws
  {
    try await TestServer.run { server in
      let (bot, ann) = (try await server.token("bot", "webshop"), try await server.agent("ann"))
      for _ in 1...3 {
        let chat = try await server.open(bot)
        try await chat.customer("help")
        try await chat.handoff()
        try await server.close(try await server.take(ann)["case"].text, by: ann)
      }
      await server.stop()
      let well = try await Peer.run(try Binary.path, ["doctor", "--data", server.settings.data])
      #expect(well.status == 0 && well.lines.contains("all is well"), "\(well.lines)")

      let store = try SQLiteStore(folder: server.settings.data)
      let workspace = try store.reader().workspaces()[0].id
      let head = try store.reader().head(workspace)
      var out = ByteWriter()
      out.uint8(1)
      out.count(1)
      Event.offerEnded(OfferID(high: 1, low: 2), .accepted).encode(into: &out)
      out.count(0)
      var commit = Commit(workspace: workspace)
      commit.log = [LogRecord(position: head.position + 1, at: head.at, bytes: out.bytes)]
      try store.commit([commit])
      store.close()
      let ill = try await Peer.run(try Binary.path, ["doctor", "--data", server.settings.data])
      #expect(ill.status == 1)
      #expect(ill.lines.joined().contains("history: offers: offer_"), "\(ill.lines)")
      #expect(ill.lines.contains("1 findings"))
      server.damages()
      try change("help", to: "held", in: server.settings.data, rows: 3)
      let torn = try await Peer.run(try Binary.path, ["doctor", "--data", server.settings.data])
      #expect(torn.status == 1 && torn.lines.contains { $0.contains("entry") }, "\(torn.lines)")
    }
  }

  /// Every checksum, the chain and the numbers are in order here: what is wrong is which record of the log wrote
  /// which entry.
  @Test func `doctor holds each entry against the log, and names the first that differs`()
    async throws
  {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      for _ in 1...3 { try await chat.customer("help") }
      await server.stop()
      func record(_ position: Int64, _ at: Instant, wrote entries: [EntryID]) -> LogRecord {
        var out = ByteWriter()
        out.uint8(1)
        out.count(0)
        out.count(entries.count)
        for entry in entries {
          out.signed(entry.raw)
          out.raw(Digest.zero.bytes)
        }
        return LogRecord(position: position, at: at, bytes: out.bytes)
      }
      func found(_ change: (inout Commit, LogHead, EntryRow) -> Void) throws -> [String] {
        let folder = try TemporaryFolder()
        let copy = folder.path + "/data"
        try FileManager.default.copyItem(atPath: server.settings.data, toPath: copy)
        let store = try SQLiteStore(folder: copy)
        let reader = try store.reader()
        let workspace = try reader.workspaces()[0].id
        let head = try reader.head(workspace)
        var commit = Commit(workspace: workspace)
        change(&commit, head, try #require(try reader.entry(workspace, EntryID(2))))
        try store.commit([commit])
        store.close()
        return try FolderCheck(copy).findings
      }
      var position: Int64 = 0
      let moved = try found { commit, head, entry in
        var moved = entry
        position = entry.position
        moved.position += 1
        commit.rewritten = [moved]
        commit.log = [record(head.position + 1, head.at, wrote: [])]
      }
      #expect(
        moved.contains {
          $0.hasSuffix(
            "entry 2 has a row of position \(position + 1), and the log has it at \(position)")
        }, "\(moved)")
      let twice = try found { commit, head, _ in
        commit.log = [record(head.position + 1, head.at, wrote: [EntryID(2)])]
      }
      #expect(
        twice.count == 1
          && twice[0].contains(" of the log has entry 2 where "), "\(twice)")
      let untold = try found { commit, head, entry in
        var made = entry
        made.id = EntryID(head.entry.raw + 1)
        made.position = head.position + 1
        commit.entries = [made]
        commit.log = [record(head.position + 1, head.at, wrote: [])]
      }
      #expect(
        untold.contains { $0.hasSuffix(", and the log does not have it") }, "\(untold)")
      let lost = try found { commit, head, _ in
        let next = EntryID(head.entry.raw + 1)
        commit.log = [record(head.position + 1, head.at, wrote: [next])]
      }
      #expect(lost.count == 1 && lost[0].hasSuffix(" and has no row"), "\(lost)")
    }
  }

  @Test func `a row of open work that makes no part of a machine is told by its name`() {
    let made = RouterRelay().run { take in
      let (key, value): ([UInt8], [UInt8]) = ([1, 0xAB], [9])
      key.withUnsafeBytes { key in value.withUnsafeBytes { take(3, key, $0) } }
    }
    guard case .failure(let row) = made else { return #expect(Bool(false), "it is a row") }
    #expect("\(row)".hasPrefix("row of open work, kind 3, key 01ab: "), "\(row)")
  }

  @Test
  func `doctor goes on behind a broken log, and tells rows that the log names and that are gone`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "jo@home.example")
      try await chat.customer("help")
      try await chat.handoff()
      await server.stop()
      let data = server.settings.data
      let file = try DatabaseQueue.beside(data + "/throughline.sqlite")
      let changes = [
        ("DELETE FROM cases", "is in the log and its row is missing"),
        ("DELETE FROM identities", "identities: "),
        ("UPDATE log SET at=at+1 WHERE position=2", "is broken after position 1"),
      ]
      var expected: [String] = []
      for (sql, finding) in changes {
        try await file.write { try $0.execute(sql: sql) }
        expected.append(finding)
        let told = try await Peer.run(try Binary.path, ["doctor", "--data", data])
        #expect(told.status == 1, "\(told.lines)")
        // The log tells of rows for as long as it can be followed.
        for finding in expected where finding != changes[0].1 || expected.count < 3 {
          #expect(told.lines.contains { $0.contains(finding) }, "\(finding): \(told.lines)")
        }
      }
      try file.close()
      try FileManager.default.removeItem(atPath: data + "/throughline.sqlite")
      try Data(repeating: 7, count: 9_000).write(
        to: URL(fileURLWithPath: data + "/throughline.sqlite"))
      let none = try await Peer.run(try Binary.path, ["doctor", "--data", data])
      #expect(
        none.status == 1 && none.lines.contains { $0.contains("1 findings") }, "\(none.lines)")
      let absent = try await Peer.run(try Binary.path, ["doctor", "--data", data + "/none"])
      #expect(absent.status == 2)
    }
  }

  @Test func `a server that finds its main file empty refuses, and says what to do`() async throws {
    let folder = try TemporaryFolder()
    let served = try await Binary.serve(folder)
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
    let file = folder.path + "/data/throughline.sqlite"
    try Data().write(to: URL(fileURLWithPath: file))
    let (status, lines) = try await Peer.run(
      try Binary.path,
      ["serve", "--data", folder.path + "/data", "--rules", Package.demoRules] + Binary.quiet)
    #expect(status == 1 && lines.count == 1, "\(lines)")
    #expect(lines.joined().contains("is empty") && lines.joined().contains("throughline restore"))
    #expect(FileManager.default.contents(atPath: file)?.isEmpty == true)
  }

  @Test func `a server that finds nothing but an index refuses to begin anew`() async throws {
    let folder = try TemporaryFolder()
    let served = try await Binary.serve(folder)
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path + "/data")
    where !name.hasPrefix("search.") {
      try FileManager.default.removeItem(atPath: folder.path + "/data/" + name)
    }
    let (status, lines) = try await Peer.run(
      try Binary.path,
      ["serve", "--data", folder.path + "/data", "--rules", Package.demoRules] + Binary.quiet)
    #expect(status == 1 && lines.joined().contains("is missing"), "\(lines)")
  }

  @Test(arguments: ["", "-wal"])
  func `who moves a file away under a server stops acknowledgements, until it is back`(
    _ companion: String
  ) async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      #expect(try await chat.customer("before").status == 201)
      let file = server.settings.data + "/throughline.sqlite" + companion
      try FileManager.default.moveItem(atPath: file, toPath: file + ".away")
      #expect(try await chat.customer("into nowhere").status == 503)
      let health = try await server.administer("GET", "/health")
      #expect(health.status == 503 && health["why"].text.contains("move it back"), "\(health)")
      // As `mv` does, over what SQLite may have made in its place.
      if FileManager.default.fileExists(atPath: file) {
        try FileManager.default.removeItem(atPath: file)
      }
      try FileManager.default.moveItem(atPath: file + ".away", toPath: file)
      try await eventually("it goes on") { try await chat.customer("after").status == 201 }
    }
  }

  @Test func `a disk that answers nobody is told, and so is that it does again`() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(folder: folder.path)
    defer { store.close() }
    func pool(_ name: String, _ threads: Int) throws -> ReadPool {
      try ReadPool(store: store, name: name, threads: threads)
    }
    let (files, looks, keeps) = (try pool("files", 2), try pool("looks", 1), try pool("keeps", 2))
    let health = Health()
    let waiting = Mutex<[@Sendable () -> Void]>([])
    let isHanging = Atomic(false)
    let watch = DiskWatch(
      health, files: files, looks: looks, keeps: keeps, every: .milliseconds(20),
      patienceSeconds: 0.1
    ) { then in
      if isHanging.load(ordering: .acquiring) {
        waiting.withLock { $0.append(then) }
      } else {
        then()
      }
    }
    defer { watch.stop() }
    try await Task.sleep(for: .milliseconds(200))
    #expect(health.isWell && health.now.trouble == nil)
    isHanging.store(true, ordering: .releasing)
    try await eventually("it is told") { health.now.trouble == Health.stands && health.now.isStill }
    isHanging.store(false, ordering: .releasing)
    for then in waiting.withLock({ $0 }) { then() }
    try await eventually("it is well again") { health.isWell && !health.now.isStill }
    #expect(waiting.withLock { $0.count } == 1, "no look begins beside another")
    // One of two that read attachments.
    for pool in [files, looks] {
      let gate = DispatchSemaphore(value: 0)
      pool.run { _ in gate.wait() }
      try await eventually("it is told") { health.now.filesHang && !health.isWell }
      #expect(health.now.trouble == nil, "whoever needs none is served")
      gate.signal()
      try await eventually("it is well again") { health.isWell && !health.now.filesHang }
    }
    let gate = DispatchSemaphore(value: 0)
    let begun = health.clock.now
    // The second one hangs for less long.
    keeps.run { _ in gate.wait() }
    try await eventually("it is told") { health.now.keepsHang != nil && !health.isWell }
    let since = try #require(health.now.keepsHang)
    #expect(since >= begun && since <= health.clock.now && health.now.trouble == nil)
    #expect(health.now.attachments?.contains("cannot be kept since \(since)") == true)
    keeps.run { _ in gate.wait() }
    for _ in 1...2 { gate.signal() }
    try await eventually("it is well again") { health.isWell && health.now.keepsHang == nil }
  }

  // MARK: - Old folders

  /// What the store's own test cannot ask: that a server starts from what its rows say.
  @Test(arguments: ["1-demo", "2-demo"])
  func `a server starts from an old folder, and what was said there is found`(_ name: String)
    async throws
  {
    try await TestServer.run { server in
      await server.stop()
      let data = server.settings.data
      for file in try FileManager.default.contentsOfDirectory(atPath: data)
      where file != "lock" { try FileManager.default.removeItem(atPath: "\(data)/\(file)") }
      try FileManager.default.copyItem(
        atPath: "\(Package.root)/Tests/StoreTests/Folders/\(name)/throughline.sqlite",
        toPath: "\(data)/throughline.sqlite")
      #expect(try FolderCheck(data).findings == [])
      try await server.start()
      let sue = try await server.token("supervisor", "sue")
      try await eventually("what was said is found") {
        try await !server.call("GET", "/v1/search?q=the", by: sue)["hits"].elements.isEmpty
      }
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "new@home.example")
      try await chat.customer("hello")
      #expect(try await chat.handoff().status == 201)
      await server.stop()
      #expect(try FolderCheck(data).findings == [])
    }
  }
}

/// What of it is told, and how often.
@Suite(.alone) struct ToldDamageTests {
  @Test func `a damaged entry turns nobody away, is left out of searches, and is told once`()
    async throws
  {
    let rules = try rules()
    let log = HeardLog()
    defer { log.stop() }
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let robin = try await server.token("bot", "robin")
      let first = Letter(text: "the blue kettle leaks")
      #expect(try await server.deliver(first) == 250)
      let other = try await server.open(robin, email: "bo@home.example")
      try await other.customer("a red kettle")
      let ann = try await server.agent("a1")
      try await eventually("both are indexed") {
        try await server.call("GET", "/v1/search?q=kettle", by: ann)["hits"].elements.count == 2
      }
      let offer = try await server.take(ann)
      #expect(try await server.close(offer["case"].text, by: ann).status == 200)
      server.damages()
      try change("blue", to: "blur", in: server.settings.data)

      let found = try await server.call("GET", "/v1/search?q=kettle", by: ann)
      #expect(found.status == 200 && found["damaged"].int == 1, "\(found)")
      #expect(found["hits"].elements.map { $0["entry"]["text"].text } == ["a red kettle"])
      // The customer writes again: their rules see what can be read, and nobody is in the way.
      for number in 1...3 {
        var again = Letter(text: "still \(number)")
        again.headers = ["In-Reply-To: \(first.id)"]
        #expect(try await server.deliver(again) == 250)
        #expect(try await other.customer("and \(number)").status == 201)
      }
      let health = try #require(server.running).edge.health.now
      #expect(health.failures == 0 && health.outages == 0)
      #expect(try await metric("damaged", server) == "1")
      #expect(try await metric("up", server) == "1")
      #expect(try await server.call("GET", "/health")["status"].text == "degraded")
      #expect(log.lines.count { $0.contains("fault") } == 1, "\(log.lines)")
      // One entry hides none of the others from whoever has the case next.
      let next = try await server.take(ann)
      #expect(next["timeline"].texts.contains("still 3"), "\(next)")
      let shown = next["timeline"]["entries"].elements
      #expect(shown.count == next["timeline"]["count"].int)
      #expect(shown.count { $0["damaged"].int != nil } == 1)
    }
  }

  @Test func `storage is said to be back when it is, and not before`() async throws {
    let disk = Disk()
    let log = HeardLog()
    defer { log.stop() }
    try await TestServer.run(on: disk) { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("before")
      disk.fail()  // It can be read all the while.
      #expect(try await chat.customer("refused").status == 503)
      let refused = disk.refused
      try await eventually("it has tried again and again", seconds: 30) {
        disk.refused >= refused + 3
      }
      #expect(try await server.call("GET", "/health").status == 503)
      #expect(log.lines.count { $0.contains("committing") } == 1, "\(log.lines)")
      #expect(!log.lines.contains { $0.contains("storage is back") }, "\(log.lines)")
      disk.heal()
      try await eventually("it is back") {
        try await server.call("GET", "/health").status == 200
      }
      #expect(try await chat.customer("after").status == 201)
      #expect(log.lines.count { $0.contains("storage is back") } == 1, "\(log.lines)")
    }
  }

  @Test func `an index that does not go on is told of, and so is its return`() async throws {
    let log = HeardLog()
    defer { log.stop() }
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"))
      try await chat.customer("before")
      let index = try DatabaseQueue.beside(server.settings.data + "/search.sqlite")
      try await index.write { try $0.execute(sql: "ALTER TABLE progress RENAME TO elsewhere") }
      try await chat.customer("kettle")
      try await eventually("it is told") {
        try await server.call("GET", "/health")["search"].string == "behind"
      }
      let health = try await server.call("GET", "/health")
      #expect(health.status == 200 && health["status"].text == "degraded", "\(health)")
      #expect(try await metric("search_up", server) == "0")
      #expect(try await server.administer("GET", "/health")["why"].text.contains("index"))
      try await chat.customer("and on")
      try await index.write { try $0.execute(sql: "ALTER TABLE elsewhere RENAME TO progress") }
      try await chat.customer("again")
      try await eventually("it goes on") {
        try await server.call("GET", "/health")["status"].text == "ok"
      }
      #expect(try await metric("search_up", server) == "1")
      #expect(log.lines.count { $0.contains("indexing entries") } == 1, "\(log.lines)")
    }
  }
}

private func change(_ word: String, to other: String, in folder: String, rows: Int = 1) throws {
  try DatabaseQueue.beside(folder + "/throughline.sqlite").write { database in
    try database.execute(
      sql:
        "UPDATE entries SET body=CAST(replace(CAST(body AS TEXT), ?1, ?2) AS BLOB) WHERE CAST(body AS TEXT) LIKE '%' || ?1 || '%'",
      arguments: [word, other])
    #expect(database.changesCount == rows)
  }
}

private func rules() throws -> TemporaryFolder {
  let rules = try TemporaryFolder()
  try SmallRules.write(rules, workspace: "shop", agents: 1)
  try rules.write(
    "rules/shop/rules/05-looks-back.yaml",
    "- name: long talks\n  when: conversation.messages > 99\n  route: { queue: quiet }\n")
  return rules
}

private func metric(_ name: String, _ server: TestServer) async throws -> String? {
  let root = try await server.token("admin", "root")
  let page = try await server.call("GET", "/metrics", by: root)
  return String(decoding: page.body, as: UTF8.self).split(separator: "\n")
    .first { $0.hasPrefix("throughline_\(name) ") }.map { String($0.split(separator: " ")[1]) }
}

/// What the server says to those who run it.
final class HeardLog: Sendable {
  private let heard = Mutex<[String]>([])
  private static let listening = Mutex<[HeardLog]>([])

  init() {
    Self.listening.withLock { $0.append(self) }
    Log.divert(to: { line in
      for log in Self.listening.withLock({ $0 }) { log.heard.withLock { $0.append(line) } }
    })
  }

  var lines: [String] { heard.withLock { $0 } }

  func stop() {
    let isLast = Self.listening.withLock { listening in
      listening.removeAll { $0 === self }
      return listening.isEmpty
    }
    if isLast { Log.divert(to: nil) }
  }
}
