import Foundation
import GRDB
import Records
import Store
import Testing

@testable import Server

/// A disk that changed the bytes of an attachment.
@Suite(.inTurn) struct DamagedAttachmentTests {
  private static let guide = Array("how to mend a lamp".utf8)

  /// An agent uploads a file, whose bytes change before anybody needs them, and answers a mail with it.
  private func answer(_ server: TestServer) async throws -> (aCase: String, ann: String) {
    let ann = try await server.agent("ann")
    #expect(try await server.deliver(Letter()) == 250)
    let aCase = try await server.take(ann)["case"].text
    let blob = try await upload(server, ann)
    server.damages()
    try change(server)
    let reply = try await server.call(
      "POST", "/v1/cases/\(aCase)/reply",
      ["text": "see the guide", "attachments": [.text(blob)]], by: ann)
    #expect(reply.status == 201)
    return (aCase, ann)
  }

  private func upload(_ server: TestServer, _ ann: String) async throws -> String {
    try await server.call("POST", "/v1/blobs?name=guide.pdf", raw: Self.guide, by: ann)["blob"].text
  }

  private func change(_ server: TestServer) throws {
    let place = server.settings.data + "/blobs"
    for path in try FileManager.default.subpathsOfDirectory(atPath: place) {
      let file = "\(place)/\(path)"
      guard var bytes = FileManager.default.contents(atPath: file), bytes == Data(Self.guide) else {
        continue
      }
      bytes[3] ^= 1
      try bytes.write(to: URL(fileURLWithPath: file))
    }
  }

  private func told(_ server: TestServer, _ aCase: String, _ ann: String) async throws -> [JSON] {
    try await server.call("GET", "/v1/cases/\(aCase)", by: ann)["timeline"].said
      .filter { $0["kind"].text == "undelivered" }
  }

  @Test func `an answer whose attachment is damaged waits, and its agent hears so and why`()
    async throws
  {
    let smarthost = try FakeSmarthost()
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
      $0.outboxRetrySeconds = 1
    } _: { server in
      let (aCase, ann) = try await answer(server)
      try await eventually("it is told") { try await !told(server, aCase, ann).isEmpty }
      let all = try await told(server, aCase, ann)
      #expect(all[0]["action"].text == "delayed")
      #expect(all[0]["reason"].text == "its attachment guide.pdf is damaged")
      #expect(smarthost.mails.isEmpty)
      // The same bytes, uploaded anew, mend it.
      _ = try await upload(server, ann)
      try await eventually("the mail leaves") { !smarthost.mails.isEmpty }
      #expect(smarthost.mails[0].text.contains("guide.pdf"))
      #expect(try await told(server, aCase, ann).count == 1)
    }
  }

  @Test func `what cannot be put together is given up at its time, and its agent hears so`()
    async throws
  {
    let smarthost = try FakeSmarthost()
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
      ($0.outboxRetrySeconds, $0.outboxGivenUpSeconds) = (1, 2)
    } _: { server in
      let (aCase, ann) = try await answer(server)
      try await eventually("it is given up") {
        try await told(server, aCase, ann).contains { $0["action"].text == "failed" }
      }
      let last = try #require(try await told(server, aCase, ann).last)
      #expect(last["reason"].text == "its attachment guide.pdf is damaged")
      try await eventually("the outbox is empty") {
        try StoreLook(server.settings.data).count("SELECT count(*) FROM outbox") == 0
      }
      #expect(smarthost.mails.isEmpty)
    }
  }

  /// Its row is changed on disk, or matches its checksum and says nothing that this program knows.
  @Test(arguments: [false, true])
  func `an answer whose row is damaged is given up at its time, and the others leave`(
    _ isUnknown: Bool
  ) async throws {
    let smarthost = try FakeSmarthost(isAway: true)
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
      ($0.outboxRetrySeconds, $0.outboxGivenUpSeconds) = (1, 4)
    } _: { server in
      let ann = try await server.agent("ann")
      #expect(try await server.deliver(Letter()) == 250)
      let lost = try await server.take(ann)["case"].text
      try await server.reply("your lamp is on its way", to: lost, by: ann)
      await server.stop()
      server.damages()
      if isUnknown {
        let store = try SQLiteStore(folder: server.settings.data)
        let workspace = try store.reader().workspaces()[0].id
        var row = try #require(try store.reader().outbox(workspace, limit: 1).first)
        row.payload = [1, 2, 3]
        var commit = Commit(workspace: workspace)
        commit.outbox = [row]
        try store.commit([commit])
        store.close()
      } else {
        try await DatabaseQueue.beside(server.settings.data + "/throughline.sqlite").write {
          try $0.execute(sql: "UPDATE outbox SET due=due+1")
          #expect($0.changesCount == 1)
        }
      }
      let log = HeardLog()
      defer { log.stop() }
      try smarthost.back()
      try await server.start()
      #expect(try await server.deliver(Letter(from: "Bo <bo@home.example>")) == 250)
      let other = try await server.take(ann)["case"].text
      try await server.reply("yours, too", to: other, by: ann)
      try await eventually("the other leaves") { !smarthost.mails.isEmpty }
      try await eventually("it is given up") {
        try StoreLook(server.settings.data).count("SELECT count(*) FROM outbox") == 0
      }
      #expect(smarthost.mails.map(\.recipient) == ["bo@home.example"])
      #expect(
        log.lines.count { $0.contains("sending mail") && $0.contains("is given up") } == 1,
        "\(log.lines)")
      // Where it still says whose it was, whoever has the case hears so.
      let told = try await told(server, lost, ann)
      #expect(told.map { $0["reason"].text } == (isUnknown ? [] : ["it is damaged"]), "\(told)")
    }
  }

  @Test func `an export shows everything else, and names what is damaged`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "jo@home.example")
      let guide = try await upload(server, bot)
      let photo = try await server.call(
        "POST", "/v1/blobs?name=lamp.png", raw: Array("a lamp".utf8), by: bot)["blob"].text
      let said = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/messages",
        ["author": "customer", "text": "look", "attachments": [.text(guide), .text(photo)]],
        by: bot)
      #expect(said.status == 201)
      server.damages()
      try change(server)
      let target = server.folder.path + "/export"
      let told = try await server.administer(
        "POST", "/admin/export", ["identity": "jo@home.example", "to": .text(target)])
      #expect(told.status == 200 && told["attachments"].int == 1, "\(told)")
      #expect(told["damaged"].elements.map(\.text) == ["\(guide)-guide.pdf"])
      let bytes = try #require(FileManager.default.contents(atPath: target + "/export.json"))
      let export = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
      let rows = try #require(export["attachments"] as? [[String: Any]])
      let damaged = try #require(rows.first { $0["id"] as? String == guide })
      #expect(damaged["damaged"] as? Bool == true && damaged["file"] == nil)
      let file = try #require(rows.first { $0["id"] as? String == photo }?["file"] as? String)
      #expect(FileManager.default.contents(atPath: "\(target)/\(file)") == Data("a lamp".utf8))
      let text = String(
        decoding: FileManager.default.contents(atPath: target + "/export.txt") ?? Data(),
        as: UTF8.self)
      #expect(text.contains("look"))
      #expect(text.contains("bytes of \(guide): damaged, and cannot be read"))
    }
  }
}
