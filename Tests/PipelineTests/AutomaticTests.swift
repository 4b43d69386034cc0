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
    var bytes = mail.encoded
    bytes[0] = 1
    bytes.removeLast()
    #expect(try OutgoingMail(decoding: bytes) == mail)
    mail.isAutomatic = true
    #expect(try OutgoingMail(decoding: mail.encoded) == mail)
  }
}
