import Continuity
import Dispatch
import Foundation
import GRDB
import Model
import System
import Records
import Rules
import Testing

@testable import Server

/// What the law gives a person: to see all that is kept of them, to have it erased, to know who
/// read it; and what must never be kept at all.
@Suite(.inTurn) struct PrivacyTests {
  @Test func `rules of retention know every kind of entry`() {
    #expect(RetentionConfiguration.kinds == EntryKind.allCases.map(\.rawValue))
  }

  /// Every file below the folder that holds the text, in either case of its letters.
  private func holders(of text: String, in folder: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
      guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(path)") else {
        return false
      }
      return [text, text.lowercased()].contains { bytes.range(of: Data($0.utf8)) != nil }
    }
  }

  /// Somebody who talks, sends a file, is handed over and answered.
  private func talk(_ server: TestServer, _ bot: String, _ name: String) async throws -> Chat {
    let chat = try await server.open(bot, email: "\(name)@home.example")
    try await chat.customer("I am \(name) and my kettle leaks")
    let blob = try await server.call(
      "POST", "/v1/blobs?name=\(name).txt", raw: Array("\(name) sends this".utf8), by: bot,
      headers: [("Content-Type", "text/plain")])
    let sent = try await server.call(
      "POST", "/v1/sessions/\(chat.session)/messages",
      [
        "author": "customer", "text": .text("see what \(name) sends"),
        "attachments": .list([.text(blob["blob"].text)]),
      ],
      by: bot)
    #expect(sent.status == 201)
    try await chat.handoff([
      "reason": .text("\(name) wants a human"), "fields": ["name": .text(name)],
    ])
    return chat
  }

  @Test(arguments: [
    "UPDATE customers SET created=created+1 WHERE customer=(SELECT customer FROM identities)",
    "UPDATE identities SET evidence=x'00'", "UPDATE cases SET created=created+1",
    "UPDATE entries SET at=at+1",
  ])
  func `a damaged row keeps nobody from being erased`(_ sql: String) async throws {
    try await TestServer.run { server in
      let chat = try await talk(server, try await server.token("bot", "webshop"), "Hildegard")
      server.damages()
      try await DatabaseQueue.beside(server.settings.data + "/throughline.sqlite").write {
        try $0.execute(sql: sql)
        #expect($0.changesCount > 0)
      }
      let erased = try await server.administer(
        "POST", "/admin/erase", ["identity": "Hildegard@home.example"])
      #expect(erased.status == 200 && erased["damaged"].int ?? 0 > 0, "\(erased)")
      #expect(erased["customers"].elements.map(\.text) == [chat.customer])
      #expect(try holders(of: "Hildegard", in: server.settings.data) == [])
      let told = try await Peer.run(
        try Binary.path, ["erasures", "--data", server.settings.data])
      #expect(told.lines.joined().contains("damaged rows dropped; done"), "\(told.lines)")
    }
  }

  @Test func `whoever is erased is in no file any more, and everybody else is whole`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let gone = try await talk(server, bot, "Hildegard")
      let stays = try await talk(server, bot, "Bartholomew")
      for _ in 1...2 {
        let offer = try await server.take(ann)
        try await server.reply("an answer", to: offer["case"].text, by: ann)
        #expect(try await server.close(offer["case"].text, by: ann).status == 200)
      }
      for chat in [gone, stays] { try await chat.end() }
      while try await server.call("GET", "/v1/search?q=kettle", by: ann)["hits"].elements.count < 2
      {}
      let before = try await server.timeline(gone.customer)
      #expect(try holders(of: "Hildegard", in: server.settings.data).count >= 3)

      let receipt = try await server.administer(
        "POST", "/admin/erase", ["identity": "Hildegard@home.example"])
      #expect(receipt.status == 200 && receipt["done"].string != nil, "\(receipt)")
      #expect(
        receipt["customers"].elements.map(\.text) == [gone.customer]
          && receipt["attachments"].int == 1)
      #expect(try holders(of: "Hildegard", in: server.settings.data) == [])
      #expect(try holders(of: "Bartholomew", in: server.settings.data).count >= 3)

      let after = try await server.timeline(gone.customer)
      #expect(
        after["count"].int == before["count"].int && after["hash"].text == before["hash"].text)
      #expect(after["entries"].elements.allSatisfy { $0["entry"].isNull })
      #expect(
        after["entries"].elements.map { $0["hash"].text }
          == before["entries"].elements.map { $0["hash"].text })
      expectComplete(try await server.timeline(stays.customer))
      let found = try await server.call("GET", "/v1/search?q=kettle", by: ann)
      #expect(found["hits"].elements.map { $0["customer"].text } == [stays.customer])
      #expect(
        try await server.administer("POST", "/admin/erase", ["identity": "Hildegard@home.example"])
          .status == 404)
      // Who comes again is somebody new, and the writer has nothing of the old at hand.
      let again = try await server.open(bot, email: "Hildegard@home.example")
      #expect(again.customer != gone.customer)
      await server.stop()
      let doctor = try await Peer.run(try Binary.path, ["doctor", "--data", server.settings.data])
      #expect(doctor.status == 0, "\(doctor.lines)")
    }
  }

  @Test func `while somebody reads for long, an erasure waits and the workspace goes on`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let gone = try await talk(server, bot, "Hildegard")
      let stays = try await server.open(bot, email: "kim@home.example")
      let store = try #require(server.running).edge.store
      let (begun, ends) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      let reading = Task.detached {
        try await blocking {
          try store.reader().snapshot { reads throws(StoreFault) in
            _ = try reads.workspaces()
            begun.signal()
            ends.wait()
          }
        }
      }
      try await blocking { begun.wait() }
      async let erased = server.administer(
        "POST", "/admin/erase", ["identity": .text(gone.customer)])
      try await eventually("the words are gone") {
        try store.reader().identities(
          store.reader().workspaces()[0].id, of: #require(CustomerID(gone.customer))
        ).isEmpty
      }
      for n in 1...5 { #expect(try await stays.customer("kim speaks \(n)").status == 201) }
      #expect(try holders(of: "Hildegard", in: server.settings.data) != [])
      ends.signal()
      try await reading.value
      let receipt = try await erased
      #expect(receipt.status == 200 && receipt["done"].string != nil, "\(receipt)")
      #expect(try holders(of: "Hildegard", in: server.settings.data) == [])
    }
  }

  @Test func `nothing more is said in a closed chat of somebody who was erased`() async throws {
    try await TestServer.run { server in
      let (bot, ann) = (try await server.token("bot", "webshop"), try await server.agent("ann"))
      let chat = try await talk(server, bot, "Jo")
      let taken = try await server.take(ann)
      #expect(try await server.close(taken["case"].text, by: ann).status == 200)
      let before = try await server.timeline(chat.customer)
      #expect(
        try await server.administer("POST", "/admin/erase", ["identity": "jo@home.example"]).status
          == 200)
      #expect(try await chat.customer("I am Jo, still").status == 404)
      #expect(try await server.timeline(chat.customer)["count"].int == before["count"].int)
    }
  }

  @Test func `an export holds everything, readable for people and for machines`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await talk(server, bot, "Jo")
      let target = server.folder.path + "/export"
      let told = try await server.administer(
        "POST", "/admin/export", ["identity": "jo@home.example", "to": .text(target)])
      #expect(
        told.status == 200 && told["customer"].text == chat.customer
          && told["attachments"].int == 1, "\(told)")
      let bytes = try #require(FileManager.default.contents(atPath: target + "/export.json"))
      let export = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
      #expect(
        (export["identities"] as? [[String: Any]])?.first?["value"] as? String == "jo@home.example")
      #expect((export["cases"] as? [[String: Any]])?.count == 1)
      let file = try #require(
        (export["attachments"] as? [[String: Any]])?.first?["file"] as? String)
      #expect(
        FileManager.default.contents(atPath: target + "/" + file) == Data("Jo sends this".utf8))
      let timeline = export["timeline"] as? [String: Any]
      #expect((timeline?["entries"] as? [Any])?.count == timeline?["count"] as? Int)
      let text = String(
        decoding: FileManager.default.contents(atPath: target + "/export.txt") ?? Data(),
        as: UTF8.self)
      #expect(text.contains("I am Jo and my kettle leaks") && text.contains("Jo wants a human"))
      #expect(text.contains("jo@home.example") && text.contains(file))
      #expect(
        try await server.administer(
          "POST", "/admin/export", ["identity": "jo@home.example", "to": .text(target)]
        ).status == 422)
      // A claim leads to nobody.
      _ = try await server.open(bot, email: "claimed@home.example", assurance: "claimed")
      let claimed = try await server.administer(
        "POST", "/admin/export", ["identity": "claimed@home.example", "to": .text(target + "2")])
      #expect(claimed.status == 404 && claimed["detail"].text.contains("proven"))
    }
  }

  @Test func `who read which timeline is on record, also after a restart`() async throws {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "jo@home.example")
      try await chat.customer("a kettle")
      let aCase = try await chat.handoff()["case"].text
      let ann = try await server.token("agent", "ann")
      let sue = try await server.token("supervisor", "sue")
      #expect(
        try await server.call("GET", "/v1/customers/\(chat.customer)/timeline", by: ann).status
          == 200)
      #expect(try await server.call("GET", "/v1/cases/\(aCase)", by: sue).status == 200)
      while try await server.call("GET", "/v1/search?q=kettle", by: sue)["hits"].elements.isEmpty {}
      #expect(
        try await server.call("GET", "/v1/customers/\(chat.customer)/timeline", by: bot).status
          == 403)
      try await server.restart()
      let of = try await server.administer("GET", "/admin/accesses?customer=\(chat.customer)")
      let read = of.json.elements.map { "\($0["who"].text) \($0["what"].text)" }
      #expect(read == ["supervisor:sue search", "supervisor:sue case", "agent:ann timeline"])
    }
  }

  @Test func `mail that waits for whoever was erased is gone, and does not come back`()
    async throws
  {
    try await TestServer.run({
      $0.smarthostURL = "smtp://127.0.0.1:9"
      $0.outboxRetrySeconds = 1
    }) { server in
      let ann = try await server.agent("ann")
      let letter = Letter(
        from: "Hildegard <hildegard@home.example>", subject: "kettle", text: "it leaks")
      #expect(try await server.deliver(letter) == 250)
      let offer = try await server.take(ann)
      try await server.reply("Dear Hildegard, we send another", to: offer["case"].text, by: ann)
      #expect(try await server.close(offer["case"].text, by: ann).status == 200)
      let edge = try #require(server.running).edge
      @Sendable func waiting() throws -> [OutboxRow] {
        try edge.store.reader().outbox(edge.writers[0].workspace, limit: 9)
      }
      try await eventually("the mail is tried") {
        try waiting().contains { $0.tries > 0 }
      }
      let customer = try #require(offer["customer"]["id"].string)
      let receipt = try await server.administer(
        "POST", "/admin/erase", ["identity": .text(customer)])
      #expect(receipt.status == 200 && receipt["done"].string != nil, "\(receipt)")
      #expect(try waiting() == [])
      // Whoever was tried just then does not come back, either.
      try await Task.sleep(for: .milliseconds(1_500))
      #expect(try waiting() == [])
      #expect(try holders(of: "Hildegard", in: server.settings.data) == [])
    }
  }

  @Test
  func
    `words that an agent takes out are soon in no file, on no page and in no index, and stay out`()
    async throws
  {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("my pin is Zylophon4711")
      let ann = try await server.token("agent", "ann")
      while try await server.call("GET", "/v1/search?q=zylophon4711", by: ann)["hits"].elements
        .isEmpty
      {}
      let said = try #require(
        try await server.timeline(chat.customer).said.first { $0["text"].string != nil })
      let number = try #require(said["entry"].int)
      let done = try await server.call(
        "POST", "/v1/entries/\(number)/redact", ["words": "Zylophon4711"], by: ann)
      #expect(done.status == 201)
      let page = try await server.timeline(chat.customer)
      #expect(page.texts == ["my pin is [removed]"])
      expectComplete(page)
      for words in ["Zylophon4711", "zylophon4711"] {
        while try !holders(of: words, in: server.settings.data).isEmpty {
          _ = try await server.call("GET", "/health")
        }
      }
      #expect(
        try await server.call("GET", "/v1/search?q=zylophon4711", by: ann)["hits"].elements.isEmpty)
      try await server.restart()
      expectComplete(try await server.timeline(chat.customer))
      await server.stop()
      #expect(try FolderCheck(server.settings.data).findings == [])
    }
  }

  @Test func `what was taken out since a backup is taken out again of what is restored from it`()
    async throws
  {
    let elsewhere = try TemporaryFolder()
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer(#"my pin is Zylophon4711, "Zylophon", and that of my wife Quark99"#)
      try await chat.handoff([
        "reason": "lost pin", "summary": "their pin is Zylophon4711",
        "fields": ["pin": "Quark99", "tries": 3],
      ])
      let backup = elsewhere.path + "/backup"
      #expect(
        try await server.administer("POST", "/admin/backup", ["to": .text(backup)]).status == 200)
      try await chat.customer("this is lost with the folder")
      let ann = try await server.token("agent", "ann")
      let said = try await server.timeline(chat.customer).said
      func take(_ words: String, from entry: JSON?) async throws {
        let number = try #require(entry?["entry"].int)
        let done = try await server.call(
          "POST", "/v1/entries/\(number)/redact", ["words": .text(words)], by: ann)
        #expect(done.status == 201, "\(done)")
      }
      let message = said.first { $0["text"].string != nil }
      try await take("Zylophon4711", from: message)
      try await take("Quark99", from: message)
      let handoff = said.first { $0["kind"].string == "handoff" }
      try await take("Zylophon4711", from: handoff)
      try await take("Quark99", from: handoff)
      try await take("lost with", from: said.last { $0["text"].string != nil })
      await server.stop()
      let restored = try DataFolder.restore(backup, to: server.settings.data, erasures: nil)
      #expect(restored.redactionsRepeated == 2)
      let replaced = try #require(restored.replaced)
      try FileManager.default.removeItem(atPath: replaced)
      #expect(try FolderCheck(server.settings.data).findings == [])
      for words in ["Zylophon4711", "Quark99"] {
        #expect(try holders(of: words, in: server.settings.data) == [])
      }
      try await server.start()
      let page = try await server.timeline(chat.customer)
      #expect(page.texts == [#"my pin is [removed], "Zylophon", and that of my wife [removed]"#])
      let again = try #require(page.said.first { $0["kind"].string == "handoff" })
      #expect(again["summary"].string == "their pin is [removed]")
      #expect(again["fields"]["pin"].string == "[removed]" && again["fields"]["tries"].int == 3)
      #expect(
        page.said.filter { $0["kind"].string == "redacted" }.allSatisfy {
          $0["by"].string == "agent:ann"
        })
      expectComplete(page)
      await server.stop()
      // Nothing is left to be done twice.
      #expect(
        try DataFolder.restore(backup, to: server.settings.data, erasures: nil).redactionsRepeated
          == 2)
      #expect(try FolderCheck(server.settings.data).findings == [])
    }
  }

  @Test func `card numbers, tokens and the workspace's patterns are never written`() async throws {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "shop", agents: 1)
    try rules.write(
      "rules/shop/workspace.yaml",
      """
      title: Shop
      mail_addresses: [help@shop.example]
      bots: { robin: { asserts: [email] } }
      redact: { customer number: 'KD-\\d{6}' }
      """)
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let chat = try await server.open(bot, email: "jo@home.example")
      try await chat.customer(
        "card 4111 1111 1111 1111, KD-123456, Bearer abcdefghijklmnopqrstuvwxyz")
      try await chat.handoff([
        "reason": "pays with 5555555555554444", "summary": "KD-654321",
        "fields": ["card": "378282246310005"],
      ])
      var letter = Letter(
        from: "Jo <jo@home.example>", subject: "KD-111222", text: "6011 0009 9013 9424")
      letter.to = "help@shop.example"
      #expect(try await server.deliver(letter) == 250)
      let said = try await server.timeline(chat.customer).said
      #expect(
        said.compactMap { $0["text"].string }.first
          == "card [card number removed], [customer number removed], [token removed]")
      await server.stop()
      for secret in [
        "4111 1111", "KD-123456", "abcdefghijklmnop", "5555555555554444", "KD-654321",
        "378282246310005", "KD-111222", "6011 0009",
      ] {
        #expect(try holders(of: secret, in: server.settings.data) == [], "\(secret)")
      }
    }
  }

  @Test func `words past their time are gone when it is tidied up, and the others stay`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "shop", agents: 1)
    func retain(_ lines: String) throws {
      try rules.write(
        "rules/shop/workspace.yaml",
        "title: Shop\nmail_addresses: [help@shop.example]\nbots: { robin: { asserts: [email] } }\nretention:\n\(lines)\n"
      )
    }
    try retain("  - { older_than_days: 400, channel: chat }")
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let chat = try await server.open(
        try await server.token("bot", "robin"), email: "jo@home.example")
      try await chat.customer("a kettle")
      #expect(try await server.administer("POST", "/admin/tidy")["forgotten"].int == 0)
      // A year and a bit later.
      let later = Instant(milliseconds: WallClock.nowMilliseconds) + .seconds(401 * 86_400)
      #expect(try server.running?.edge.tidy(now: later) == 2)
      let page = try await server.timeline(chat.customer)
      #expect(page["count"].int == 2 && page["entries"].elements.allSatisfy { $0["entry"].isNull })
    }
  }

  @Test func `what a bot uploads and never attaches is gone after a day, and nothing else is`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      _ = try await talk(server, bot, "Bartholomew")
      func upload(_ words: String, by token: String) async throws -> String {
        try await server.call(
          "POST", "/v1/blobs?name=\(words).txt", raw: Array("\(words) alone".utf8), by: token,
          headers: [("Content-Type", "text/plain")])["blob"].text
      }
      _ = try await upload("Hildegard", by: bot)
      let noted = try await upload("Adalbert", by: ann)
      let offer = try await server.take(ann)
      let note = try await server.call(
        "POST", "/v1/cases/\(offer["case"].text)/note",
        ["text": "see", "attachments": .list([.text(noted)])], by: ann)
      #expect(note.status == 201, "\(note)")
      let edge = try #require(server.running).edge
      #expect(try edge.tidy(now: Instant.now + .seconds(23 * 3_600)) == 0)
      #expect(try !holders(of: "Hildegard", in: server.settings.data).isEmpty)
      #expect(try edge.tidy(now: Instant.now + .seconds(25 * 3_600)) == 0)
      try edge.store.emptyLog()
      #expect(try holders(of: "Hildegard", in: server.settings.data) == [])
      for words in ["Bartholomew sends this", "Adalbert alone"] {
        #expect(try !holders(of: words, in: server.settings.data).isEmpty, "\(words)")
      }
      await server.stop()
      #expect(try FolderCheck(server.settings.data).findings == [])
    }
  }

  @Test func `an erasure says which folders from before a restore still hold the person`()
    async throws
  {
    let elsewhere = try TemporaryFolder()
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let gone = try await talk(server, bot, "Hildegard")
      let backup = elsewhere.path + "/backup"
      #expect(
        try await server.administer("POST", "/admin/backup", ["to": .text(backup)]).status == 200)
      await server.stop()
      let restored = try DataFolder.restore(backup, to: server.settings.data, erasures: nil)
      let replaced = try #require(restored.replaced)
      try await server.start()
      let receipt = try await server.administer(
        "POST", "/admin/erase", ["identity": .text(gone.customer)])
      let named = receipt["still_in"].elements.map(\.text)
      #expect(named == [URL(fileURLWithPath: replaced).lastPathComponent], "\(receipt)")
      let holding = try holders(of: "Hildegard", in: server.settings.data)
      #expect(
        !holding.isEmpty
          && holding.allSatisfy { path in named.contains { path.hasPrefix("\($0)/") } })
    }
  }
}
