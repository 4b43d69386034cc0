import MailCodec
import Testing

@testable import Mime

struct `Composed mail` {
  static let words = [
    "hello", "grüße", "日本語", "=?utf-8?Q?x?=", ".", "..", "From here", "a=b", "trailing ", " ", "--",
    "x", "👩‍👩‍👧",
    String(repeating: "long", count: 40), "\"quoted\"", "a,b", "=", "-- ", "tab\tbed",
  ]

  @Test func `what is composed is understood the same`() throws {
    var random = Sequence64(state: 20_261_125)
    func pick() -> String { Self.words[Int(random.next() % UInt64(Self.words.count))] }
    func phrase(_ n: UInt64) -> String {
      (0...random.next() % n).map { _ in pick() }.joined(separator: " ")
    }
    for round in 0..<400 {
      let subject = phrase(6).replacing("\t", with: " ")
      var mail = MailComposer(
        from: MailAddress(
          name: "n" + phrase(3).replacing("\t", with: " ") + "n", local: "reply+abc",
          domain: "shop.example"),
        to: [
          MailAddress(local: "ann", domain: "home.example"),
          MailAddress(name: "Bo, B", local: "b o", domain: "x.example"),
        ],
        subject: try #require(HeaderText(subject)), messageID: "m\(round)@shop.example",
        text: (0...random.next() % 8).map { _ in phrase(12) }.joined(separator: "\n"),
        date: 1_700_000_000_000)
      mail.inReplyTo = "p@home.example"
      mail.references = (0..<20).map { "r\($0)@home.example" }
      let files: [MailComposer.Attachment] = (0..<random.next() % 3).map { index in
        let name = phrase(3).replacing("\t", with: " ").replacing("/", with: "")
        return MailComposer.Attachment(
          name: HeaderText(repairing: "f " + name + "\(index).bin"),
          type: index == 0 ? "image/png" : "nonsense",
          bytes: (0..<random.next() % 300).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      }
      mail.attachments = files
      let bytes = mail.bytes()
      let read = MailUnderstanding(bytes: bytes)
      #expect(read.subjectText == subject.trimmingBlanks, "round \(round)")
      #expect(read.from == [mail.from], "round \(round)")
      #expect(read.to == mail.to, "round \(round)")
      #expect(read.text.trimmingEnd == mail.text.trimmingEnd, "round \(round)")
      #expect(read.thread.messageID == mail.messageID && read.thread.parents.count == 21)
      #expect(read.date?.milliseconds == mail.date)
      #expect(read.attachments.map(\.bytes) == files.map(\.bytes), "round \(round)")
      #expect(
        read.attachments.map(\.name) == files.map { String($0.name.text.prefix(200)) },
        "round \(round)")
      #expect(Self.isWellFormed(bytes), "round \(round)")
    }
  }

  /// ASCII, lines of at most 998 bytes, every line ended by CRLF.
  static func isWellFormed(_ bytes: [UInt8]) -> Bool {
    var line = 0
    var last: UInt8 = 0
    for byte in bytes {
      if byte >= 128 || byte == 0 || (byte == 10) != (last == 13) { return false }
      line = byte == 10 ? 0 : line + 1
      if line > 998 { return false }
      last = byte
    }
    return last == 10
  }

  @Test func `no header can be injected`() {
    #expect(
      HeaderText("a\r\nBcc: eve@evil.example") == nil && HeaderText("a\nb") == nil
        && HeaderText("a\0") == nil)
    #expect(HeaderText(repairing: "a\r\nBcc: x").text == "a Bcc: x")
    let mail = MailComposer(
      from: MailAddress(name: "A\r\nBcc: e@x", local: "a\r\nBcc", domain: "x.example"), to: [],
      subject: HeaderText(repairing: "s"), messageID: "m@x\r\nBcc: e@x", text: "t", date: 0)
    let read = MimeMessage(bytes: mail.bytes())
    #expect(read.all("Bcc").isEmpty)
  }

  @Test func `an automatic reply says so`() {
    var mail = MailComposer(
      from: MailAddress(local: "a", domain: "x.example"),
      to: [MailAddress(local: "b", domain: "y.example")],
      subject: HeaderText(repairing: "s"), messageID: "m@x", text: "t", date: 0)
    mail.autoSubmitted = HeaderText("auto-replied")
    #expect(MailUnderstanding(bytes: mail.bytes()).automatic == .autoSubmitted)
  }
}

/// A seeded source of numbers (SplitMix64).
struct Sequence64 {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension String {
  var trimmingEnd: String {
    var text = self[...]
    while let last = text.last, last.isNewline { text.removeLast() }
    return String(text)
  }
}
