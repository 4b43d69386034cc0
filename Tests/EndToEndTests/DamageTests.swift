import GRDB
import Model
import Pipeline
import Records
import Routing
import Store
import Testing
import Wire

@testable import Server

/// A disk that changed something behind the server's back.
@Suite(.inTurn) struct DamageTests {
  private func change(_ word: String, to other: String, in folder: String, rows: Int = 1) throws {
    try DatabaseQueue(path: folder + "/throughline.sqlite").write { database in
      try database.execute(
        sql:
          "UPDATE entries SET body=CAST(replace(CAST(body AS TEXT), ?1, ?2) AS BLOB) WHERE CAST(body AS TEXT) LIKE '%' || ?1 || '%'",
        arguments: [word, other])
      #expect(database.changesCount == rows)
    }
  }

  @Test
  func `a changed entry is not served, and the server finds it by itself after its next start`()
    async throws
  {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("the blue kettle")
      await server.stop()
      try change("blue", to: "blur", in: server.settings.data)
      try await server.start()
      let ann = try await server.token("agent", "ann")
      #expect(
        try await server.call("GET", "/v1/customers/\(chat.customer)/timeline", by: ann).status
          == 503)
      try await eventually("the health page tells of it") {
        server.running?.edge.health.now.damage.values.reduce(0, +) ?? 0 > 0
      }
      let health = try await server.call("GET", "/health")
      #expect(health.status == 200 && health["damaged"].int == 1)
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
      try change("help", to: "held", in: server.settings.data, rows: 3)
      let torn = try await Peer.run(try Binary.path, ["doctor", "--data", server.settings.data])
      #expect(torn.status == 1 && torn.lines.contains { $0.contains("entry") }, "\(torn.lines)")
    }
  }
}
