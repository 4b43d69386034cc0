import Continuity
import Model
import Records
import Routing
import Testing

@testable import Pipeline

/// What rules say on their own to who wrote a mail.
struct AutomaticTests {
  private func answering(_ shop: inout Workshop, _ text: String) {
    shop.pipeline.planner = Workshop.Everything(
      planned: .action(.answer(text), rule: 0, ruleVersion: 1))
  }

  private func write(_ n: UInt64, as theirs: String = "mia@home.example", _ shop: inout Workshop) {
    var mail = Workshop.mail(1)
    mail.conversation = Workshop.conversation(20 + n)
    mail.seenKey = Workshop.key(60 + n)
    mail.thread.theirs = theirs
    shop.submit(.mail(mail))
    shop.commit()
  }

  @Test func `the same text goes to one address once a day, also after a restart`() throws {
    var shop = Workshop()
    answering(&shop, "thanks")
    func sent() -> Int { shop.store.commits.flatMap(\.outbox).count { $0.payload != nil } }
    write(1, &shop)
    write(2, as: "MIA@home.example", &shop)
    #expect(sent() == 1)
    try shop.rebuild()
    answering(&shop, "thanks")
    write(3, &shop)
    #expect(sent() == 1)
    write(4, as: "jo@home.example", &shop)
    #expect(sent() == 2)
    answering(&shop, "something else")
    write(5, &shop)
    #expect(sent() == 3)
    answering(&shop, "thanks")
    shop.now = shop.now + Pipeline.sameTextAgain
    write(6, &shop)
    #expect(sent() == 4)
  }

  /// RFC 3834 §4. An agent's answer goes to whom it is written to.
  @Test func `a rule's text goes where the mail came from`() throws {
    var shop = Workshop()
    answering(&shop, "thanks")
    var mail = Workshop.mail(1)
    mail.returnPath = "mia+desk@relay.example"
    shop.submit(.mail(mail))
    shop.commit()
    shop.pipeline.planner = Workshop.Everything()
    mail = Workshop.mail(2)
    mail.returnPath = "mia+desk@relay.example"
    shop.submit(.mail(mail))
    let taken = try #require(try shop.take(1))
    shop.submit(Workshop.says(taken.case, on: .email, mail: "here"))
    shop.commit()
    let sent = try shop.store.commits.flatMap(\.outbox).compactMap(\.payload).map {
      try OutgoingMail(decoding: $0)
    }
    #expect(sent.map(\.returnPath) == ["mia+desk@relay.example", nil])
    #expect(sent.map(\.thread.theirs) == ["mia@home.example", "mia@home.example"])
  }

  @Test func `nobody is woken because a rule's text did not arrive`() throws {
    var shop = Workshop()
    answering(&shop, "thanks")
    shop.submit(.mail(Workshop.mail(1)))
    shop.commit()
    let sent = try OutgoingMail(
      decoding: #require(shop.store.commits.flatMap(\.outbox).first?.payload))
    shop.pipeline.planner = Workshop.Everything()
    var bounce = Workshop.bounce(2)
    bounce.report?.messageID = OutgoingMail.messageID(sent.id, from: sent.thread.ours)
    bounce.report?.fates[0].address = sent.thread.theirs
    bounce.report?.fates[0].replyAddress = nil
    shop.submit(.mail(bounce))
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 0)
    let told = shop.store.entries(WorkspaceID(1)).values.filter {
      EntryBody.kind(of: $0.body ?? []) == .undelivered
    }
    #expect(told.count == 1, "it stands in the timeline")
  }

  @Test func `a mail of an older outbox is an agent's`() throws {
    let line = MailLine(
      ours: "help@shop.example", theirs: "mia@home.example", theirName: "", subject: "Lamp",
      lastMessageID: nil, references: [])
    var mail = OutgoingMail(
      id: MailID(high: 1, low: 2), conversation: Workshop.conversation(1), thread: line, text: "x",
      agentName: "ann", blobs: [], at: Instant(milliseconds: 5))
    // Each version has one byte more, for what is not there.
    for version in UInt8(1)...4 {
      var bytes = mail.encoded
      bytes[0] = version
      bytes.removeLast(Int(4 - version))
      #expect(try OutgoingMail(decoding: bytes) == mail)
    }
    (mail.isAutomatic, mail.customer) = (true, CustomerID(high: 3, low: 4))
    mail.returnPath = "bounces@home.example"
    #expect(try OutgoingMail(decoding: mail.encoded) == mail)
  }

  @Test func `what an older program told of a conversation and of a case is read`() throws {
    var about = ConversationAbout()
    about.tags = ["lamp"]
    about.unheard = [.init(.message, on: .phone, by: nil)]
    var bytes = about.encoded
    bytes[0] = 7
    // By whom the news came, and since when an agent has seen it: two of nothing.
    bytes.removeSubrange((bytes.count - 9)..<(bytes.count - 7))
    #expect(try ConversationAbout(decoding: bytes) == about)
    bytes[0] = 5
    bytes.removeLast(6)
    // When the last of the news came, which case waited for it and what that needed: three of nothing.
    bytes.removeSubrange((bytes.count - 4)..<(bytes.count - 1))
    #expect(try ConversationAbout(decoding: bytes) == about)
    about.unheard.append(.init(.undelivered, on: .email, by: nil, since: Instant(milliseconds: 7)))
    about.unheard[1].seen = Instant(milliseconds: 3)
    about.unheard[0].at = Instant(milliseconds: 9)
    var need = Need(queue: QueueID(3))
    need.requiredTeams = [TeamID(2)]
    need.steps = [.init(after: .seconds(1), change: .message(4))]
    about.unheard[0].waited = .init(CaseID(high: 5, low: 6), need)
    let (one, other) = (CustomerID(high: 1, low: 2), CustomerID(high: 3, low: 4))
    let place = Workshop.conversation(2)
    (about.mailBy, about.callBy) = (one, other)
    about.unheard[0].by = one
    about.returnPath = "bounces@home.example"
    about.partings = [.init(one, to: place), .init(other, to: Workshop.conversation(3))]
    (about.takenFrom, about.wasParted) = (place, true)
    #expect(try ConversationAbout(decoding: about.encoded) == about)

    var matter = CaseAbout(
      session: SessionID(high: 1, low: 1), channel: .chat, age: Instant(milliseconds: 5),
      by: RouteReason(cause: .mail, ruleVersion: 1, rule: nil), need: Need(queue: QueueID(0)),
      handoff: [])
    bytes = matter.encoded
    bytes[0] = 2
    bytes.removeLast()
    #expect(try CaseAbout(decoding: bytes) == matter)
    matter.customer = one
    #expect(try CaseAbout(decoding: matter.encoded) == matter)
  }
}
