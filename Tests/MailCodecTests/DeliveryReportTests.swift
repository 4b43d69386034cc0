import MailCodec
import Testing

/// Bodies of `message/delivery-status` as servers write them (RFC 3464).
struct DeliveryReportTests {
  private func report(_ lines: String...) -> [DeliveryReport.Recipient] {
    DeliveryReport(status: Array(lines.joined(separator: "\r\n").utf8), messageID: nil).recipients
  }

  @Test func `Postfix names the recipient, the code and what the other server said`() throws {
    let found = report(
      "Reporting-MTA: dns; mx.home.example", "X-Postfix-Queue-ID: 4711",
      "Arrival-Date: Wed, 25 Nov 2026 10:00:00 +0000", "",
      "Final-Recipient: rfc822; mia@home.example", "Original-Recipient: rfc822;Mia@home.example",
      "Action: failed", "Status: 5.1.1", "Remote-MTA: dns; inner.home.example",
      "Diagnostic-Code: smtp; 550 5.1.1 <mia@home.example>: Recipient address rejected:",
      "    User unknown", "")
    #expect(found.count == 1)
    let one = try #require(found.first)
    #expect(one.original == "Mia@home.example" && one.final == "mia@home.example")
    #expect(one.action == .failed && one.status == "5.1.1" && one.isFailure && !one.isDelay)
    #expect(
      one.diagnostic
        == "550 5.1.1 <mia@home.example>: Recipient address rejected: User unknown")
  }

  @Test func `each recipient has its own fields`() {
    let found = report(
      "Reporting-MTA: dns;mx", "", "Final-Recipient: rfc822;a@x.example", "Action: delayed",
      "Status: 4.4.1 (no answer)", "", "FINAL-RECIPIENT: RFC822;<b@x.example>",
      "action: Expanded (list)", "status: 2.0.0")
    #expect(found.map(\.final) == ["a@x.example", "b@x.example"])
    #expect(found.map(\.status) == ["4.4.1", "2.0.0"])
    #expect(found.map(\.action) == [.delayed, .expanded])
    #expect(found.map(\.isFailure) == [false, false] && found.map(\.isDelay) == [true, false])
  }

  /// A mail that was tried for five days has failed, whatever its code begins with.
  @Test func `the action decides, and the code where there is none`() {
    func one(_ lines: String...) -> DeliveryReport.Recipient? {
      report((["", "Final-Recipient: rfc822;a@x.example"] + lines).joined(separator: "\r\n")).first
    }
    #expect(one("Action: failed", "Status: 4.4.7")?.isFailure == true)
    #expect(one("Status: 5.2.2")?.isFailure == true)
    #expect(one("Status: 4.2.2")?.isDelay == true)
    #expect(one("Action: delivered", "Status: 5.0.0")?.isFailure == false)
    for wrong in ["5", "5.1", "5.1.1.1", "3.1.1", "5.x.1", "5..1", "x", "5.1.1111", ""] {
      #expect(one("Status: \(wrong)")?.status == nil, "\(wrong)")
    }
  }

  @Test func `what is none, cut or endless does no harm`() {
    #expect(report("").isEmpty)
    #expect(report("Action: failed", "Status: 5.1.1").isEmpty, "about nobody")
    #expect(report(" folded: without a field", "no colon", ": no name").isEmpty)
    #expect(report("Final-Recipient: rfc822;", "Original-Recipient: ;<>").isEmpty)
    let one = "Final-Recipient: rfc822;a@x.example\r\nAction: failed\r\n\r\n"
    let many = report("Reporting-MTA: dns;mx", "", String(repeating: one, count: 1_000))
    #expect(many.count == DeliveryReport.recipientsMax)
    let long = String(repeating: "x", count: DeliveryReport.addressBytesMax)
    #expect(report("", "Final-Recipient: rfc822;\(long)@x.example", "Action: failed").isEmpty)
    let endless = String(repeating: "x", count: 3_000_000)
    let beside = report(
      "", "Original-Recipient: rfc822;\(endless)", "Final-Recipient: rfc822;a@x.example",
      "Action: failed")
    #expect(beside.map(\.final) == ["a@x.example"] && beside.first?.original == nil)
    #expect(beside.first?.isFailure == true)
    let folded = String(repeating: "\r\n \(long)", count: 10_000)
    let words = report("", "Final-Recipient: rfc822;a@x.example", "Diagnostic-Code: 550" + folded)
    let bytes = words.first?.diagnostic?.utf8.count ?? 0
    #expect(bytes > 1_000 && bytes < DeliveryReport.statusBytesMax)
    for cut in one.utf8.indices {
      _ = DeliveryReport(status: Array(one.utf8[..<cut]), messageID: nil)
    }
  }
}
