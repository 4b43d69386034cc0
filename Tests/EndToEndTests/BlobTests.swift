import Foundation
import Testing

/// Attachments, both ways.
@Suite(.inTurn) struct BlobTests {
  private let picture = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

  @Test
  func
    `two who upload the same bytes at once each get a blob, of one file, and one erased leaves the other's`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chats = [
        try await server.open(bot, email: "jo@home.example"),
        try await server.open(bot, email: "kim@home.example"),
      ]
      let picture = picture
      let blobs = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<8 {
          group.addTask {
            try await server.call("POST", "/v1/blobs", raw: picture, by: bot)["blob"].text
          }
        }
        return try await group.reduce(into: [String]()) { $0.append($1) }
      }
      #expect(Set(blobs).count == 8)
      let place = server.settings.data + "/blobs"
      func files() throws -> Int {
        try FileManager.default.subpathsOfDirectory(atPath: place).count {
          $0.split(separator: "/").count == 3
        }
      }
      #expect(try files() == 1)
      for (chat, blob) in zip(chats, blobs) {
        let said = try await server.call(
          "POST", "/v1/sessions/\(chat.session)/messages",
          ["author": "customer", "text": "look", "attachments": [.text(blob)]], by: bot)
        #expect(said.status == 201)
      }
      #expect(
        try await server.administer("POST", "/admin/erase", ["identity": "jo@home.example"]).status
          == 200)
      #expect(try await server.call("GET", "/v1/blobs/\(blobs[0])", by: ann).status == 404)
      #expect(try await server.call("GET", "/v1/blobs/\(blobs[1])", by: ann).body == picture)
      #expect(try files() == 1)
    }
  }

  @Test func `what a bot attaches reaches the agent, and what the agent attaches reaches the bot`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot)
      let kept = try await server.call(
        "POST", "/v1/blobs?name=lamp.png", raw: picture, by: bot,
        headers: [("Content-Type", "image/png")])
      #expect(kept.status == 201)
      let blob = kept["blob"].text
      let said = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/messages",
        ["author": "customer", "text": "look", "attachments": [.text(blob)]], by: bot)
      #expect(said.status == 201)
      try await chat.handoff()
      let taken = try await server.take(ann)
      let message = try #require(taken["timeline"].said.first { $0["text"].text == "look" })
      #expect(message["attachments"][0].text == blob)
      let seen = try await server.call("GET", "/v1/blobs/\(blob)", by: ann)
      #expect(seen.body == picture)
      #expect(seen.headers["content-type"] == "image/png")
      #expect(seen.headers["x-content-type-options"] == "nosniff")
      #expect(seen.headers["content-disposition"] == "attachment")

      let answer = Array(picture.reversed())
      let sent = try await server.call("POST", "/v1/blobs", raw: answer, by: ann)["blob"].text
      #expect(
        try await server.call("GET", "/v1/blobs/\(sent)", by: bot).status == 404,
        "not yet said to the customer")
      try await server.call(
        "POST", "/v1/cases/\(taken["case"].text)/reply",
        ["text": "here", "attachments": [.text(sent)]], by: ann)
      let heard = try await chat.events()
      let reply = try #require(heard["events"].elements.first { $0["text"].text == "here" })
      #expect(reply["attachments"][0].text == sent)
      #expect(try await server.call("GET", "/v1/blobs/\(sent)", by: bot).body == answer)
    }
  }

  @Test func `a bot cannot read another bot's blob, nor make it its own by naming it`() async throws
  {
    try await TestServer.run { server in
      let (webshop, whatsapp) = (
        try await server.token("bot", "webshop"), try await server.token("bot", "whatsapp")
      )
      let blob = try await server.call("POST", "/v1/blobs", raw: picture, by: webshop)["blob"].text
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: webshop).body == picture)
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: whatsapp).status == 404)
      let chat = try await server.open(whatsapp)
      try await server.call(
        "POST", "/v1/sessions/\(chat.session)/messages",
        ["author": "customer", "text": "mine", "attachments": [.text(blob)]], by: whatsapp)
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: whatsapp).status == 404)
    }
  }

  @Test func `what is attached to a note stays inside`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await chat.handoff()
      let taken = try await server.take(ann)
      let blob = try await server.call("POST", "/v1/blobs", raw: picture, by: ann)["blob"].text
      let noted = try await server.call(
        "POST", "/v1/cases/\(taken["case"].text)/note",
        ["text": "inside", "attachments": [.text(blob)]], by: ann)
      #expect(noted.status == 201)
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: ann).body == picture)
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: bot).status == 404)
    }
  }

  @Test func `an attachment that nobody kept is refused`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot)
      for name in ["nonsense", "blob_0000000000000000000000000000000f"] {
        let reply = try await server.call(
          "POST", "/v1/sessions/\(chat.session)/messages",
          ["author": "customer", "text": "x", "attachments": [.text(name)]], by: bot)
        #expect((400...499).contains(reply.status), "\(name): \(reply)")
      }
    }
  }

  @Test func `a blob survives a restart`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let blob = try await server.call("POST", "/v1/blobs", raw: picture, by: bot)["blob"].text
      try await server.restart()
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: bot).body == picture)
    }
  }
}
