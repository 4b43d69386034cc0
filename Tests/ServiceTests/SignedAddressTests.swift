import Foundation
import Model
import Testing

/// What a signed reply address says of whoever answers to it, and what it does not: it went to an
/// address, and who stands behind that one may be known better.
struct SignedAddressTests {
  /// Jo's mail, whose answers are wanted elsewhere, and ann's answer, which went there.
  private struct Asked {
    var conversation: ConversationID
    var jo: String
    var address: String
  }

  private func asked(
    _ shop: Shop, answersAt replyTo: String, from: String = "jo@home.example"
  ) throws -> Asked {
    let lines = [
      "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example",
      "From: \(from)", "To: help@shop.example", "Reply-To: \(replyTo)", "Subject: Lamp",
      "Message-ID: <1@home.example>", "", "It is dark.", "",
    ]
    let taken = try shop.deliver(Array(lines.joined(separator: "\r\n").utf8), from: from)
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("POST", "/v1/cases/\(id)/reply", ["text": "which lamp?"], by: shop.ann)
    let sent = try #require(try shop.outgoing())
    #expect(sent.header("To")?.contains(replyTo) == true)
    let row = try #require(try shop.reader.conversation(shop.workspace, taken.conversation))
    return Asked(
      conversation: taken.conversation, jo: "\(row.customer)",
      address: try shop.replyAddress(sent))
  }

  private func known(_ identity: (String, String), _ shop: Shop) throws -> String {
    let talk = try shop.open([identity])
    try shop.leaves(talk, "bot_ended")
    return talk.customer
  }

  private func person(_ email: String, _ shop: Shop) throws -> String? {
    try shop.call("GET", "/v1/customers?kind=email&value=\(email)", by: shop.ann).string("id")
  }

  private func takenForOne(_ one: String, _ other: String, thenParted: Bool, _ shop: Shop) throws {
    let merged = try shop.call("POST", "/v1/customers/\(one)/merge", ["with": other], by: shop.boss)
    #expect(merged.status == 200, "\(merged.text)")
    guard thenParted else { return }
    let split = try shop.call("POST", "/v1/customers/\(one)/split", ["from": other], by: shop.boss)
    #expect(split.status == 200, "\(split.text)")
  }

  @Test("a customer who is known, and answers for another, is heard there and stays who they are")
  func knownStranger() throws {
    let shop = try Shop()
    let kim = try known(("email", "kim@work.example"), shop)
    let asked = try asked(shop, answersAt: "kim@work.example")
    let answer = try shop.mail(
      from: "kim@work.example", to: asked.address, subject: "Re: Lamp", id: "2@work.example",
      "the tall one")
    #expect(answer.conversation == asked.conversation)
    #expect(try person("kim@work.example", shop) == kim)
    #expect(try person("jo@home.example", shop) == asked.jo && asked.jo != kim)
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("it puts nobody into the talk of another from whom an agent has taken them apart")
  func parted() throws {
    let shop = try Shop()
    let al = try known(("email", "al@work.example"), shop)
    let asked = try asked(shop, answersAt: "al@work.example")
    try takenForOne(asked.jo, al, thenParted: true, shop)
    let answer = try shop.mail(
      from: "al@work.example", to: asked.address, subject: "Re: Lamp", id: "2@work.example",
      "al-words")
    #expect(answer.conversation != asked.conversation)
    #expect(try person("al@work.example", shop) == al && person("jo@home.example", shop) != al)
    #expect(try !shop.timeline(asked.jo).text.contains("al-words"))
    #expect(try shop.rows() == shop.replayed())
  }

  /// An address of several people, which Jo was known by.
  private func office(_ shop: Shop) throws -> (address: String, jo: String) {
    let address = "office@home.example"
    let jo = try known(("email", address), shop)
    let marked = try shop.call(
      "POST", "/v1/customers/\(jo)/identities",
      ["kind": "email", "value": address, "decision": "share"], by: shop.boss)
    #expect(marked.status == 200, "\(marked.text)")
    return (address, jo)
  }

  @Test("an address of several people leads into the talk that it was signed for, whoever had it")
  func sharedSigned() throws {
    let shop = try Shop()
    let (office, jo) = try office(shop)
    let asked = try asked(shop, answersAt: office, from: "kim@home.example")
    try takenForOne(asked.jo, jo, thenParted: true, shop)
    let answer = try shop.mail(
      from: office, to: asked.address, subject: "Re: Lamp", id: "2@home.example", "it is ours")
    #expect(answer.conversation == asked.conversation)
    #expect(try person("kim@home.example", shop) != jo)
    #expect(try shop.rows() == shop.replayed())
  }

  @Test(
    "whoever wrote from an address of several people goes on by the headers of their mail",
    arguments: [true, false])
  func sharedHeaders(_ isParted: Bool) throws {
    let shop = try Shop()
    let (office, jo) = try office(shop)
    let first = try shop.mail(from: office, subject: "Lamp", id: "1@home.example", "it is dark")
    let row = try #require(try shop.reader.conversation(shop.workspace, first.conversation))
    #expect("\(row.customer)" != jo)
    if isParted { try takenForOne("\(row.customer)", jo, thenParted: true, shop) }
    let second = try shop.mail(
      from: office, subject: "Re: Lamp", id: "2@home.example", inReplyTo: "1@home.example", "still")
    #expect(second.conversation == first.conversation)
    #expect(try shop.rows() == shop.replayed())
  }

  @Test("a machine's mail that no header puts anywhere goes on in no open talk of its sender")
  func machine() throws {
    let shop = try Shop()
    let first = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "it is dark")
    func write(_ id: String, _ more: [String]) throws -> ConversationID {
      let lines =
        [
          "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example",
          "From: jo@home.example", "To: help@shop.example", "Subject: Re: Lamp",
          "Message-ID: <\(id)@home.example>",
        ] + more + ["", "I am away.", ""]
      return try shop.deliver(
        Array(lines.joined(separator: "\r\n").utf8), from: "jo@home.example"
      ).conversation
    }
    let away = try write("2", ["Auto-Submitted: auto-replied"])
    #expect(away != first.conversation)
    #expect(try shop.reader.conversation(shop.workspace, away)?.isOpen == false)
    #expect(try write("3", []) == first.conversation, "by hand it goes on")
    #expect(try shop.rows() == shop.replayed())
  }
}
