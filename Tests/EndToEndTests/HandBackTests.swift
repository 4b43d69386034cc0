import Foundation
import Testing

/// A queue that keeps nobody waiting for long gives a chat back to its bot.
@Suite(.inTurn) struct HandBackTests {
  @Test
  func `the bot hears that it has the chat again and why; beside a mail it waits for a person`()
    async throws
  {
    let rules = try SmallRules.folder(
      "trusted_relays: [{ network: 127.0.0.1, authserv_id: relay.example }]")
    try rules.write(
      "rules/small/queues.yaml",
      "support: { max_wait: { limit: 1s, then: { hand_back: nobody is free } } }\n")
    try rules.write("rules/small/agents.yaml", "a1: { queues: [support], capacity: 50 }\n")
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let chat = try await server.open(bot, email: "mia@home.example")
      try await chat.customer("help")
      let handed = try await chat.handoff()
      let told = try await chat.events(after: handed["entry"].int)
      let back = try #require(
        told["events"].elements.first { $0["kind"].text == "handed_back" }, "\(told)")
      #expect(back["reason"].text == "nobody is free")
      #expect(back["owner"]["kind"].text == "bot" && back["owner"]["name"].text == "robin")
      #expect(back["owner"]["epoch"].int == handed["epoch"].int.map { $0 + 1 })
      let why = try await server.administer("GET", "/admin/explain?case=\(handed["case"].text)")
      #expect(why["why"]["story"].elements.last?["why"].text == "handed_back")
      let customer = try await server.administer("GET", "/admin/timeline?identity=mia@home.example")
      let text = try await server.call(
        "GET", "/v1/customers/\(customer["customers"][0]["customer"].text)/timeline?format=text",
        by: try await server.token("supervisor", "boss"))
      #expect(
        String(decoding: text.body, as: UTF8.self)
          .contains("hands back to bot robin, because nobody is free"))
      // The bot may speak again, by the epoch that it was told.
      let spoke = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/messages",
        ["author": "bot", "text": "I am back", "epoch": .number(back["owner"]["epoch"].int ?? 0)],
        by: bot)
      #expect(spoke.status == 201)

      // A mail that comes while the chat waits once more is nobody's to give to a bot, and the
      // conversation has one owner.
      try await chat.handoff()
      var letter = Letter()
      letter.to = "help@small.example"
      letter.headers = [
        "Authentication-Results: relay.example; dmarc=pass header.from=home.example"
      ]
      #expect(try await server.deliver(letter) == 250)
      // Past the limit of a second.
      try await Task.sleep(for: .seconds(2))
      let kinds = try await server.timeline("mia@home.example").kinds
      #expect(kinds.count { $0 == "handed_back" } == 1)
      let agent = try await server.agent("a1")
      let taken = try await server.take(agent)
      #expect(taken["channel"].text == "chat")
      #expect(taken["timeline"].texts.contains("Where is my lamp?"))
      let path = "/v1/cases/\(taken["case"].text)/hand-back"
      let unknown = try await server.call("POST", path, ["bot": "nobody"], by: agent)
      #expect(unknown.status == 422 && unknown["detail"].text.contains("there are robin"))
      let early = try await server.call("POST", path, ["bot": "robin"], by: agent)
      #expect(early.status == 409 && early["type"].text.hasSuffix("not-for-a-bot"), "\(early)")
      #expect(
        try await server.reply("It is on its way", to: taken["case"].text, by: agent).status == 201)
      let given = try await server.call("POST", path, ["bot": "robin"], by: agent)
      #expect(given.status == 201 && given["owner"]["name"].text == "robin", "\(given)")
    }
  }
}
