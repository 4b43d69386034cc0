import Model
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

  @Test func `a mail of an older outbox is an agent's`() throws {
    let line = MailLine(
      ours: "help@shop.example", theirs: "mia@home.example", theirName: "", subject: "Lamp",
      lastMessageID: nil, references: [])
    var mail = OutgoingMail(
      id: MailID(high: 1, low: 2), conversation: Workshop.conversation(1), thread: line, text: "x",
      agentName: "ann", blobs: [], at: Instant(milliseconds: 5))
    // Each version has one byte more, for what is not there.
    for version in UInt8(1)...3 {
      var bytes = mail.encoded
      bytes[0] = version
      bytes.removeLast(Int(3 - version))
      #expect(try OutgoingMail(decoding: bytes) == mail)
    }
    (mail.isAutomatic, mail.customer) = (true, CustomerID(high: 3, low: 4))
    #expect(try OutgoingMail(decoding: mail.encoded) == mail)
  }

  @Test func `what an older program told of a conversation and of a case is read`() throws {
    var about = ConversationAbout()
    about.tags = ["lamp"]
    about.unheard = .init(.message, on: .phone, by: nil)
    var bytes = about.encoded
    bytes[0] = 5
    bytes.removeLast(6)
    // When the last of the news came, which case waited for it and what that needed: three of nothing.
    bytes.removeSubrange((bytes.count - 4)..<(bytes.count - 1))
    #expect(try ConversationAbout(decoding: bytes) == about)
    about.unheard?.at = Instant(milliseconds: 9)
    var need = Need(queue: QueueID(3))
    need.requiredTeams = [TeamID(2)]
    need.steps = [.init(after: .seconds(1), change: .message(4))]
    about.unheard?.waited = .init(CaseID(high: 5, low: 6), need)
    let (one, other) = (CustomerID(high: 1, low: 2), CustomerID(high: 3, low: 4))
    let place = Workshop.conversation(2)
    (about.mailBy, about.callBy) = (one, other)
    about.unheard?.by = one
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
