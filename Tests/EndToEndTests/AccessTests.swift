import Foundation
import Model
import Records
import Synchronization
import System
import Testing

@testable import Server
@testable import Store

/// Who read what is on record, and keeps nobody from reading.
@Suite(.inTurn) struct AccessTests {
  /// Nobody else of this process reads under this name, nor another test beside this one.
  private let reader = "agent:\(UUID().uuidString)"

  private func row(_ number: Int64) -> AccessRow {
    AccessRow(
      at: Instant(milliseconds: number), who: reader, what: .timeline, customer: nil)
  }

  /// A recorder over a disk that can be held.
  private struct Desk: Sendable {
    let folder: TemporaryFolder
    let store: SQLiteStore
    let workspace: WorkspaceID
    let disk = Disk()
    let accesses: AccessRecorder

    init(waitMilliseconds: Int = AccessRecorder.waitMilliseconds) throws {
      folder = try TemporaryFolder()
      store = try SQLiteStore(folder: folder.path)
      workspace = try store.addWorkspace(named: "small").id
      accesses = AccessRecorder(
        FaultyStore(base: store, disk: disk), Health(), waitMilliseconds: waitMilliseconds)
    }

    /// When each was, the newest first.
    func kept(_ limit: Int) throws -> [Instant] {
      try store.reader().accesses(workspace, of: nil, before: .max, limit: limit).map(\.access.at)
    }
  }

  private func told(_ log: HeardLog) -> [String] { log.lines.filter { $0.contains(reader) } }

  @Test func `while the disk does not answer, who reads waits for a moment, and then not at all`()
    async throws
  {
    let desk = try Desk()
    defer { desk.store.close() }
    @Sendable func took(_ number: Int64) async throws -> Int64 {
      let row = row(number)
      return try await blocking {
        let began = MonotonicClock.nowMilliseconds
        desk.accesses.record([row], desk.workspace)
        return MonotonicClock.nowMilliseconds - began
      }
    }
    let log = HeardLog()
    defer { log.stop() }
    _ = try await took(1)
    #expect(try desk.kept(99) == [row(1).at])
    desk.disk.hold()
    let first = try await took(2)
    #expect(first >= Int64(AccessRecorder.waitMilliseconds) && first < 5_000)
    for number in Int64(3)...20 { #expect(try await took(number) < 400) }
    #expect(told(log) == [], "it can still be written")
    desk.disk.release()
    try await eventually("all that waited is written") {
      try desk.kept(99) == (Int64(1)...20).reversed().map { row($0).at }
    }
    #expect(told(log) == [])
    _ = try await took(30)
    #expect(try desk.kept(99).first == row(30).at)
    desk.disk.fail()
    #expect(try await took(40) < 400)
    #expect(told(log).count == 1, "what cannot be written is in the log")
  }

  @Test func `who waits in vain just when it is written leaves nobody behind unwritten`() throws {
    let desk = try Desk(waitMilliseconds: 0)
    defer { desk.store.close() }
    for number in Int64(1)...300 { desk.accesses.record([row(number)], desk.workspace) }
    desk.accesses.finish()
    #expect(try desk.kept(999) == (Int64(1)...300).reversed().map { row($0).at })
  }

  @Test func `lines that wait for the disk are bounded, and what is too much is in the log`()
    throws
  {
    let desk = try Desk(waitMilliseconds: 0)
    defer { desk.store.close() }
    let log = HeardLog()
    defer { log.stop() }
    desk.disk.hold()
    for number in Int64(1)...10 {
      desk.accesses.record((0..<1_000).map { row(number * 1_000 + $0) }, desk.workspace)
    }
    #expect(told(log).isEmpty)
    desk.accesses.record([row(99_999)], desk.workspace)
    #expect(told(log).count { $0.contains("too many wait") } == 1)
    desk.disk.release()
    desk.accesses.finish()
    #expect(try desk.kept(99_999).count == AccessRecorder.waitingMax)
  }

  @Test func `a file that is attached to a note is on record with whom the note is about`()
    async throws
  {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.handoff()
      let ann = try await server.agent("ann")
      let blob = try await server.call(
        "POST", "/v1/blobs?name=a.txt", raw: Array("a file".utf8), by: ann,
        headers: [("Content-Type", "text/plain")])["blob"].text
      let offer = try await server.take(ann)
      let note = try await server.call(
        "POST", "/v1/cases/\(offer["case"].text)/note",
        ["text": "see", "attachments": .list([.text(blob)])], by: ann)
      #expect(note.status == 201, "\(note)")
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: ann).status == 200)
      let of = try await server.administer("GET", "/admin/accesses?customer=\(chat.customer)")
      #expect(
        of.json.elements.map { "\($0["who"].text) \($0["what"].text)" } == ["agent:ann attachment"])
    }
  }

  @Test func `whoever looks at a person, their case, their file or why, is on record`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "jo@home.example")
      let blob = try await server.call(
        "POST", "/v1/blobs?name=a.txt", raw: Array("a file".utf8), by: bot,
        headers: [("Content-Type", "text/plain")])["blob"].text
      _ = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/messages",
        ["author": "customer", "text": "see", "attachments": .list([.text(blob)])], by: bot)
      let aCase = try await chat.handoff()["case"].text
      let sue = try await server.token("supervisor", "sue")
      let looks = [
        "/v1/customers/\(chat.customer)", "/v1/customers?kind=email&value=jo@home.example",
        "/v1/blobs/\(blob)", "/v1/explain?case=\(aCase)",
        "/v1/conversations/\(chat.conversation)",
      ]
      for look in looks {
        #expect(try await server.call("GET", look, by: sue).status == 200, "\(look)")
      }
      let facts = try await server.call(
        "POST", "/v1/rules/explain", ["case": .text(aCase)], by: sue)
      #expect(facts.status == 200, "\(facts)")
      #expect(
        try await server.administer("GET", "/admin/timeline?identity=jo@home.example").status == 200
      )
      #expect(try await server.administer("GET", "/admin/explain?case=\(aCase)").status == 200)
      let of = try await server.administer("GET", "/admin/accesses?customer=\(chat.customer)")
      #expect(
        of.json.elements.map { "\($0["who"].text) \($0["what"].text)" }.reversed() == [
          "supervisor:sue customer", "supervisor:sue customer", "supervisor:sue attachment",
          "supervisor:sue explanation", "supervisor:sue conversation",
          "supervisor:sue explanation", "administrator timeline",
          "administrator explanation",
        ])
      // In pages, as far back as there is.
      let numbers = of.json.elements.compactMap { $0["number"].int }
      let older = try await server.administer(
        "GET", "/admin/accesses?customer=\(chat.customer)&before=\(numbers[2])")
      #expect(older.json.elements.compactMap { $0["number"].int } == Array(numbers[3...]))
      let listed = try await Peer.run(
        try Binary.path, ["accesses", chat.customer, "--data", server.settings.data])
      #expect(listed.lines.count == numbers.count, "\(listed.lines)")
    }
  }
}
