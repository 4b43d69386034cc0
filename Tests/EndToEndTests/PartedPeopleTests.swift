import Foundation
import Testing

/// Two people whom an agent took for one are taken apart again, over real HTTP and SMTP.
@Suite(.inTurn) struct PartedPeopleTests {
  private func merge(_ server: TestServer, _ a: String, _ b: String, by agent: String) async throws
  {
    let merged = try await server.call(
      "POST", "/v1/customers/\(a)/merge", ["with": .text(b), "reason": "the same lamp"], by: agent)
    #expect(merged.status == 200)
  }
  private func split(_ server: TestServer, _ a: String, _ b: String, by agent: String) async throws
  {
    let split = try await server.call(
      "POST", "/v1/customers/\(a)/split", ["from": .text(b), "reason": "two people"], by: agent)
    #expect(split.status == 200)
  }
  private func timeline(_ server: TestServer, _ customer: String, by agent: String) async throws
    -> JSON
  {
    let page = try await server.call(
      "GET", "/v1/customers/\(customer)/timeline?limit=1000", by: agent)
    expectComplete(page.json)
    return page.json
  }

  @Test func `who chats in another's talk keeps their words, and goes on in a talk of their own`()
    async throws
  {
    try await TestServer.run { server in
      let (bot, ann) = (try await server.token("bot", "webshop"), try await server.agent("ann"))
      let first = try await server.open(bot, email: "al@work.example")
      try await first.customer("Al was here")
      try await server.call(
        "POST", "/v1/sessions/\(first.session)/end", ["reason": "bot_ended"], by: bot)
      let jo = try await server.open(bot, email: "jo@home.example")
      try await jo.customer("my lamp is dark")
      try await jo.handoff(["reason": "a person", "summary": "jo-summary"])
      let taken = try await server.take(ann)
      try await merge(server, jo.customer, first.customer, by: ann)
      let al = try await server.open(bot, email: "al@work.example")
      #expect(al.conversation == jo.conversation)
      try await al.customer("my card was stolen")
      // His bot waits for news where he sits while he is taken out of there.
      let (poll, boss) = (
        Task { try await al.events(wait: 20) }, try await server.token("supervisor", "boss")
      )
      try await split(server, jo.customer, first.customer, by: boss)
      let heard = try await poll.value["events"].elements
      #expect(heard.map { $0["kind"].text }.contains("parted"))
      #expect(!heard.map { $0["text"].text }.contains("my lamp is dark"))
      let said = try await al.customer("and I want it back")
      #expect(said.status == 201 && said["conversation"].text != jo.conversation)
      try await jo.customer("the big one")

      #expect(
        try await timeline(server, jo.customer, by: ann).texts == [
          "my lamp is dark", "the big one",
        ])
      #expect(
        try await timeline(server, first.customer, by: ann).texts
          == ["Al was here", "my card was stolen", "and I want it back"])
      let hers = try await jo.events(after: 0, wait: 0)
      #expect(hers.status == 200 && !hers.description.contains("my card was stolen"))
      let view = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(view["customer"]["id"].text == jo.customer)
      #expect(view["timeline"].kinds.contains("split"), "ann hears of it")
      #expect(!view.description.contains("my card was stolen"))
      let his = try await server.take(ann)
      #expect(his["customer"]["id"].text == first.customer)
      #expect(his["brief"]["last_words"]["text"].text == "and I want it back")
      #expect(
        !his.description.contains("jo-summary") && !his.description.contains("my lamp is dark"))
      // A resumed browser, without a name, finds its own talk alone.
      for (chat, other) in [(jo, "my card was stolen"), (al, "my lamp is dark")] {
        let back = try await server.call(
          "POST", "/v1/sessions", ["resume": .text(chat.opened["resume"].text)], by: bot)
        #expect(back["continued"].description == "true" && !back.description.contains(other))
      }
      try await server.restart()
      let later = try await al.customer("after a restart")
      #expect(later["conversation"].text == said["conversation"].text)
    }
  }

  @Test
  func `mail of one comes into no case of the other, joined, signed or threaded as it may be`()
    async throws
  {
    let smarthost = try FakeSmarthost()
    defer { smarthost.stop() }
    try await TestServer.run {
      $0.smarthostURL = smarthost.url
    } _: { server in
      let ann = try await server.agent("ann")
      let boss = try await server.token("supervisor", "boss")
      let proven = { (domain: String) in
        ["Authentication-Results: relay.shop.example; dmarc=pass header.from=\(domain)"]
      }
      var lamp = Letter(from: "jo@home.example", headers: proven("home.example"))
      lamp.text = "jo-words"
      var bill = Letter(
        from: "al@work.example", subject: "My chair", headers: proven("work.example"))
      bill.text = "al-words"
      #expect(try await server.deliver(lamp) == 250)
      let taken = try await server.take(ann)
      #expect(try await server.deliver(bill) == 250)
      let jo = taken["customer"]["id"].text
      let al = try await server.call(
        "GET", "/v1/customers?kind=email&value=al@work.example", by: ann)[
          "id"
        ].text
      let his = try await server.take(ann)
      try await server.close(his["case"].text, by: ann)
      try await merge(server, jo, al, by: ann)
      let joined = try await server.call(
        "POST", "/v1/conversations/\(taken["conversation"].text)/join",
        ["with": .text(his["conversation"].text)], by: ann)
      #expect(joined.status == 201)
      var again = Letter(
        from: "al@work.example", subject: "Re: My chair",
        headers: proven("work.example") + ["In-Reply-To: \(bill.id)"])
      again.text = "al-among"
      #expect(try await server.deliver(again) == 250)
      #expect(try await server.reply("for al", to: taken["case"].text, by: ann).status == 201)
      try await eventually("the answer leaves") { !smarthost.mails.isEmpty }
      let sent = smarthost.mails[0]
      #expect(sent.recipient == "al@work.example")
      try await split(server, jo, al, by: boss)

      let replyTo = try #require(sent.header("Reply-To"))
      var signed = Letter(from: "al@work.example", subject: "Re: My chair")
      signed.to = String(replyTo.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
      if signed.to.isEmpty { signed.to = replyTo }
      signed.text = "al-signed"
      #expect(try await server.deliver(signed) == 250)
      var threaded = Letter(
        from: "al@work.example", subject: "Re: My chair",
        headers: proven("work.example") + ["In-Reply-To: \(again.id)"])
      threaded.text = "al-threaded"
      #expect(try await server.deliver(threaded) == 250)

      #expect(try await timeline(server, jo, by: ann).texts == ["jo-words"])
      #expect(
        try await timeline(server, al, by: ann).texts
          == ["al-words", "al-among", "for al", "al-signed", "al-threaded"])
      let view = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(view["state"].text == "assigned" && view["customer"]["id"].text == jo)
      #expect(!view.description.contains("al-"))
      let next = try await server.take(ann)
      #expect(
        next["customer"]["id"].text == al && next["conversation"].text == his["conversation"].text)
      // And what Ann answers to Jo leaves for Jo.
      #expect(try await server.reply("for jo", to: taken["case"].text, by: ann).status == 201)
      try await eventually("it leaves") { smarthost.mails.count == 2 }
      #expect(smarthost.mails[1].recipient == "jo@home.example")
    }
  }
}
