import Dispatch
import Testing

/// What takes long has threads of its own: however long it takes, whoever reads is answered.
@Suite(.inTurn) struct HeavyWorkTests {
  @Test func `while mail is being understood and attachments are kept, reads go on`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot, email: "mia@home.example")
      try await chat.customer("where is my lamp?")
      try await chat.handoff()
      let edge = try #require(server.running?.edge)
      let gate = DispatchSemaphore(value: 0)
      // As many as there are threads, and more: nothing heavy goes on until the gate opens.
      for _ in 0..<4 { edge.heavy.run { _ in gate.wait() } }
      async let mail = server.deliver(Letter())
      async let blob = server.call(
        "POST", "/v1/blobs?name=a.txt", raw: Array("hello".utf8), by: bot,
        headers: [("Content-Type", "text/plain")])
      let taken = try await server.take(ann)
      #expect(taken["timeline"].texts == ["where is my lamp?"])
      #expect(try await server.timeline("mia@home.example").texts == ["where is my lamp?"])
      #expect(try await chat.events(wait: 0).status == 200)
      for _ in 0..<4 { gate.signal() }
      #expect(try await mail == 250)
      #expect(try await blob.status == 201)
    }
  }
}
