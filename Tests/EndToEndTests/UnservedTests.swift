import Foundation
import GRDB
import RuleFiles
import System
import Testing

@testable import Server

/// What a start reads is damaged: whom it costs what.
@Suite(.inTurn) struct UnservedTests {
  private func damage(_ sql: String, in data: String) throws {
    try DatabaseQueue.beside(data + "/throughline.sqlite").write {
      try $0.execute(sql: sql)
      #expect($0.changesCount > 0)
    }
  }

  @Test(arguments: [
    ("configurations", "UPDATE configurations SET bytes=zeroblob(9) WHERE workspace=1"),
    ("work", "UPDATE work SET value=zeroblob(9) WHERE workspace=1"),
    ("heads", "UPDATE heads SET at=at+1 WHERE workspace=1"),
  ])
  func `a workspace that cannot be read stands still, and the others are served`(
    _ table: String, _ sql: String
  ) async throws {
    let folder = try TemporaryFolder()
    for name in ["north", "south"] { try SmallRules.write(folder, workspace: name, agents: 1) }
    try await TestServer.run(rules: folder.path + "/rules") { server in
      let robin = try await server.token("bot", "robin", workspace: "north")
      let chief = try await server.token("supervisor", "chief", workspace: "north")
      let other = try await server.token("bot", "robin", workspace: "south")
      try await server.open(robin, email: "jo@home.example").customer("hello")
      await server.stop()
      server.damages()
      try damage(sql, in: server.settings.data)
      let log = HeardLog()
      defer { log.stop() }
      try await server.start()
      // Those of the damaged one hear so; who may know, what and where, and what to do.
      let refused = try await server.call("POST", "/v1/sessions", [:], by: robin)
      #expect(
        refused.status == 503 && refused["type"].text.hasSuffix(":workspace-damaged"), "\(refused)")
      #expect(!refused["detail"].text.contains("\(table) 1"))
      for page in ["/v1/queues", "/metrics", "/v1/stream"] {
        let told = try await server.call("GET", page, by: chief)
        #expect(
          told.status == 503 && told["detail"].text.contains("\(table) 1"), "\(page): \(told)")
        #expect(told["detail"].text.contains("throughline restore BACKUP --data"))
      }
      #expect(
        try await server.call("POST", "/v1/sessions", [:], by: "tl_nobodys").status == 401)
      #expect(try await server.deliver(Letter(to: "help@north.example")) == 451)
      let stream = try Peer(
        try await Python.interpreter,
        [Package.peers + "/stream.py", String(server.port("http")), robin, "frame"])
      try await stream.line("closed") { $0.contains("1013") }
      // The others are served as ever.
      let chat = try await server.open(other, email: "jo@home.example")
      #expect(try await chat.customer("hello").status == 201)
      #expect(try await server.deliver(Letter(to: "help@south.example")) == 250)
      // Everybody sees that something is wrong; who runs it sees what.
      let health = try await server.call("GET", "/health")
      #expect(health.status == 200 && health["status"].text == "degraded", "\(health)")
      #expect(health["unserved_workspaces"].int == 1 && !health["why"].text.contains("north"))
      for why in [
        try await server.administer("GET", "/health")["why"].text,
        try await server.call("GET", "/health", by: chief)["why"].text,
      ] {
        #expect(why.contains("the workspace north cannot be served: \(table) 1"), "\(why)")
        #expect(why.contains("throughline doctor --data \(server.settings.data)"))
      }
      #expect(log.lines.count { $0.contains("the workspace north cannot be served") } == 1)
      // What is asked of it by name is refused, and nothing takes the other for the only one.
      let asked = try await server.administer(
        "POST", "/admin/erase", ["identity": "jo@home.example", "workspace": "north"])
      #expect(asked.status == 503 && asked["detail"].text.contains("\(table) 1"), "\(asked)")
      let unnamed = try await server.administer(
        "POST", "/admin/erase", ["identity": "jo@home.example"])
      #expect(unnamed.status == 422 && unnamed["detail"].text.contains("north, south"))
      // And the rules of the others can still be changed.
      try folder.write("rules/south/skills.yaml", "english: { title: Anglais, language: en }\n")
      let reloaded = try await server.administer("POST", "/admin/reload")
      #expect(reloaded.status == 200, "\(reloaded)")
      #expect(reloaded["workspaces"].elements.map { $0["change"].text } == ["changed"])
      // But what is sent to the damaged one does not become another's.
      try SmallRules.write(folder, workspace: "south", agents: 1, mail: "help@north.example")
      let files: Body = .object(
        RuleSource.texts(in: folder.path + "/rules/south").map { ($0.key, .text($0.value)) })
      let greedy = try await server.call(
        "POST", "/v1/rules", ["files": files],
        by: try await server.token("admin", "chief", workspace: "south"))
      #expect(
        greedy.status == 409
          && greedy["detail"].text.contains("help@north.example stands in north"),
        "\(greedy)")
    }
  }

  @Test func `a token that cannot be read opens nothing, and the others do`() async throws {
    try await TestServer.run { server in
      let (lost, kept) = (
        try await server.token("bot", "webshop"), try await server.token("agent", "ann")
      )
      await server.stop()
      server.damages()
      try damage("UPDATE tokens SET created=created+1 WHERE scope='bot'", in: server.settings.data)
      try await server.start()
      #expect(try await server.call("POST", "/v1/sessions", [:], by: lost).status == 401)
      #expect(try await server.call("GET", "/v1/queues", by: kept).status == 200)
      let why = try await server.administer("GET", "/health")["why"].text
      #expect(why.contains("tokens 1/"), "\(why)")
    }
  }

  @Test(arguments: [
    "UPDATE work SET value=zeroblob(9)", "UPDATE workspaces SET checksum=checksum+1",
    "UPDATE secrets SET bytes=zeroblob(32)",
  ])
  func `where nobody could be served the start says what is damaged and what to do`(_ sql: String)
    async throws
  {
    let folder = try TemporaryFolder()
    let served = try await Binary.serve(folder)
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
    let data = folder.path + "/data"
    try damage(sql, in: data)
    let (status, lines) = try await Peer.run(
      try Binary.path, ["serve", "--data", data, "--rules", Package.demoRules] + Binary.quiet)
    let told = lines.joined(separator: "\n")
    #expect(status == 1, "\(told)")
    #expect(told.contains(sql.split(separator: " ")[1]) && told.contains("checksum"), "\(told)")
    #expect(told.contains("throughline doctor --data \(data)"), "\(told)")
    #expect(told.contains("throughline restore BACKUP --data \(data)"), "\(told)")
  }

  @Test func `doctor makes a damaged index anew, and says that it can`() async throws {
    let folder = try TemporaryFolder()
    let served = try await Binary.serve(folder)
    served.peer.signal(SIGTERM)
    #expect(try await served.peer.end() == 0)
    let data = folder.path + "/data"
    let file = data + "/throughline.sqlite"
    let queue = try DatabaseQueue.beside(file)
    let (page, size) = try await queue.writeWithoutTransaction {
      try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      return (
        try Int.fetchOne(
          $0, sql: "SELECT rootpage FROM sqlite_schema WHERE name='entries_by_customer'") ?? 0,
        try Int.fetchOne($0, sql: "PRAGMA page_size") ?? 0
      )
    }
    try queue.close()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[(page - 1) * size] = 0
    try bytes.write(to: URL(fileURLWithPath: file))
    let told = try await Peer.run(try Binary.path, ["doctor", "--data", data])
    #expect(told.status == 1, "\(told.lines)")
    #expect(told.lines.contains { $0.contains("throughline doctor --reindex --data \(data)") })
    let mended = try await Peer.run(try Binary.path, ["doctor", "--reindex", "--data", data])
    #expect(mended.status == 0 && mended.lines.contains("all is well"), "\(mended.lines)")
    let absent = try await Peer.run(
      try Binary.path, ["doctor", "--reindex", "--data", data + "/none"])
    #expect(absent.status == 2)
  }
}
