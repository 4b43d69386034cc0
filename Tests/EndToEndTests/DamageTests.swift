import GRDB
import Testing

@testable import Server

/// A disk that changed something behind the server's back.
@Suite(.inTurn) struct DamageTests {
  @Test func `a changed entry is not served, and the server finds it by itself after its next start`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("the blue kettle")
      await server.stop()
      try DatabaseQueue(path: server.settings.data + "/throughline.sqlite").write {
        try $0.execute(sql: "UPDATE entries SET body=replace(CAST(body AS TEXT), 'blue', 'blur') WHERE CAST(body AS TEXT) LIKE '%blue%'")
        #expect($0.changesCount == 1)
      }
      try await server.start()
      let ann = try await server.token("agent", "ann")
      #expect(try await server.call("GET", "/v1/customers/\(chat.customer)/timeline", by: ann).status == 503)
      try await eventually("the health page tells of it") {
        server.running?.edge.health.now.damage.values.reduce(0, +) ?? 0 > 0
      }
      let health = try await server.call("GET", "/health")
      #expect(health.status == 200 && health["damaged"].int == 1)
    }
  }
}
