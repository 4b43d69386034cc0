import Foundation
import Testing

@testable import MailCodec
@testable import Mime

let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
let python = folder.appendingPathComponent("Conformance/python")

func understood(_ url: URL) throws -> MailUnderstanding {
  MailUnderstanding(bytes: Array(try Data(contentsOf: url)))
}

struct `Python's mail` {
  static let all =
    (try? FileManager.default.contentsOfDirectory(at: python, includingPropertiesForKeys: nil))
    ?? []

  @Test func `all of it is there`() { #expect(Self.all.count == 47) }

  @Test(arguments: all.map(\.lastPathComponent).sorted())
  func `every message is understood and nothing of its text is lost`(_ name: String) throws {
    let mail = try understood(python.appendingPathComponent(name))
    #expect(mail.words.fragments.flatMap { mail.words.body[$0.range] } == Array(mail.text.utf8))
  }

  @Test(arguments: all.map(\.lastPathComponent).sorted())
  func `every message cut or bent at any place is still understood`(_ name: String) throws {
    let bytes = Array(try Data(contentsOf: python.appendingPathComponent(name)))
    for at in stride(from: 0, to: bytes.count, by: max(bytes.count / 40, 1)) {
      let cut = MailUnderstanding(bytes: Array(bytes[..<at]))
      #expect(cut.words.fragments.last?.range.upperBound ?? 0 == cut.words.body.count)
      var bent = bytes
      bent[at] = bent[at] == 58 ? 0 : 58
      let other = MailUnderstanding(bytes: bent)
      #expect(other.words.fragments.last?.range.upperBound ?? 0 == other.words.body.count)
    }
  }

  struct Facts: Sendable {
    var file: String
    var from: String?
    var name: String?
    var subject = ""
    var own: String?
    var signature = ""
    var automatic: AutomaticReason?
    var messageID: String?
    var date: Int64?
    var attachments: [String] = []
  }

  static let facts: [Facts] = [
    Facts(
      file: "msg_01", from: "bbb@ddd.com", name: "John X. Doe", subject: "This is a test message",
      own: "Hi,\n\nDo you like this message?", signature: "-Me",
      messageID: "15090.61304.110929.45684@aaa.zzz.org", date: 988_999_544_000),
    Facts(
      file: "msg_04", from: "barry@python.org", name: "Barry A. Warsaw",
      subject: "a simple multipart",
      own: "a simple kind of mirror\nto reflect upon our own",
      messageID: "15261.36209.358846.118674@anthem.python.org", date: 1_000_181_105_000,
      attachments: ["msg.txt text/plain 48", "msg.txt text/plain 48"]),
    Facts(
      file: "msg_05", subject: "bar", own: "Yadda yadda yadda\nYadda yadda yadda",
      automatic: .report,
      messageID: "20010803162810.0CA8AA7ACC@mail.example.com", attachments: ["- message/rfc822 43"]),
    Facts(
      file: "msg_06", from: "barry@python.org", name: "Barry A. Warsaw",
      subject: "forwarded message from Barry A. Warsaw", own: "",
      messageID: "15265.9482.641338.555352@python.org", date: 1_000_416_522_000,
      attachments: ["- message/rfc822 481"]),
    Facts(
      file: "msg_07", from: "barry@digicool.com", name: "Barry",
      subject: "Here is your dingus fish",
      own: "Hi there,\n\nThis is the dingus fish.", date: 987_809_702_000,
      attachments: ["dingusfish.gif image/gif 3512"]),
    Facts(
      file: "msg_10", from: "barry@python.org", name: "Barry Warsaw", subject: "Lyrics",
      own: """
        This is a 7bit encoded message.

        ¡This is a Quoted Printable encoded message!

        This is a Base64 encoded message.
        This is a Base64 encoded message.
        This has no Content-Transfer-Encoding: header.
        """, date: 987_809_702_000),
    Facts(
      file: "msg_11", subject: "The enclosing message", own: "",
      attachments: ["- message/rfc822 63"]),
    Facts(
      file: "msg_14", from: "bbb@ddd.com", name: "John X. Doe", subject: "This is a test message",
      own: """
        Hi,

        I'm sorry but I'm using a drainbread ISP, which although big and
        wealthy can't seem to generate standard compliant email. :(

        This message has a Content-Type: header with no subtype.  I hope you
        can still read it.
        """, signature: "-Me", messageID: "15090.61304.110929.45684@aaa.zzz.org",
      date: 988_999_544_000),
    Facts(
      file: "msg_15", from: "xx@xx.dk", subject: "XX", own: "Some removed test.", messageID: "xxxx",
      attachments: ["xx.gif image/gif 35"]),
    Facts(
      file: "msg_16", from: "postmaster@ucla.edu", name: "Internet Mail Delivery",
      subject: "Delivery Notification: Delivery has failed", automatic: .nullSender,
      messageID: "0GK500B04D0B8X@cougar.noc.ucla.edu", date: 1_001_301_275_000,
      attachments: ["- message/delivery-status 265", "- message/rfc822 2646"]),
    Facts(
      file: "msg_25", from: "MAILER-DAEMON@zinfandel.lacita.com", name: "Mail Delivery Subsystem",
      subject:
        "Returned mail: Too many hops 19 (17 max): from <linuxuser-admin@www.linux.org.uk> via "
        + "[199.164.235.226], to <scoffman@wellpartner.com>", automatic: .autoSubmitted,
      messageID: "200104061723.JAB03225@zinfandel.lacita.com", date: 986_577_786_000),
    Facts(
      file: "msg_26", from: "father.time@xcar.wooster.local", name: "Father Time",
      subject: "IMAP file test",
      own: "Simple email with attachment.", messageID: "6df65d354b.father.time@rpc.wooster.local",
      date: 1_021_190_175_000, attachments: ["clock.bmp application/riscos 630"]),
    Facts(
      file: "msg_28", from: "aperson@dom.ain", own: "",
      attachments: ["- message/rfc822 96", "- message/rfc822 96"]),
    Facts(
      file: "msg_32", from: "aperson@example.com", name: "Anne Person",
      subject: "Limiting Perl CPU Utilization...", own: "Some message.", automatic: .precedence,
      date: 969_988_983_000),
    Facts(
      file: "msg_35", from: "aperson@dom.ain", subject: "here's something interesting",
      own: "counter to RFC 2822, there's no separating newline here"),
    Facts(
      file: "msg_36", from: "Internet-Drafts@ietf.org",
      subject: "I-D ACTION:draft-ietf-mboned-mix-00.txt",
      own: "Blah blah blah", date: 914_363_706_000,
      attachments: [
        "- message/external-body 133", "draft-ietf-mboned-mix-00.txt message/external-body 68",
      ]),
    Facts(
      file: "msg_43", subject: "Banned file: auto__mail.python.bat in mail from you",
      automatic: .report,
      messageID: "edab.7804f5cb8070@python.org", date: 1_101_526_904_000,
      attachments: ["- message/delivery-status 6106", "- text/rfc822-headers 530"]),
    Facts(
      file: "msg_45", from: "foo@bar.baz", subject: "test", own: "This is the signed contents.",
      attachments: ["signature.asc application/pgp-signature 189"]),
  ]

  @Test(arguments: facts)
  func `known facts are found`(_ facts: Facts) throws {
    let mail = try understood(python.appendingPathComponent(facts.file + ".txt"))
    let author: MailAddress? = if case .one(let address) = mail.author { address } else { nil }
    #expect(author?.address == facts.from)
    #expect(author?.name == facts.name)
    #expect(mail.subject.base == facts.subject)
    if let own = facts.own { #expect(mail.own == own) }
    #expect(mail.signature == facts.signature)
    #expect(mail.automatic == facts.automatic)
    #expect(mail.thread.messageID == facts.messageID)
    #expect(mail.date?.milliseconds == facts.date)
    #expect(
      mail.attachments.map { "\($0.name ?? "-") \($0.type) \($0.bytes.count)" } == facts.attachments
    )
  }

  @Test func `text whose boundary never comes is not lost`() throws {
    let mail = try understood(python.appendingPathComponent("msg_31.txt"))
    #expect(mail.own.contains("message 1") && mail.own.contains("message 2"))
  }
}

struct `Threads as mail clients quote them` {
  struct Turn: Sendable {
    var file: String
    var own: String
    var quoted: String? = "Shop Help"
    var signature = ""
    var parents = 1
  }

  static let turns = [
    Turn(
      file: "gmail-web-third-turn",
      own: "Thank you, that worked! One more question: can I still return the second lamp?",
      signature: "-- \nAnn Lee\nHome Street 1", parents: 2),
    Turn(
      file: "gmail-web-html-only",
      own: "Thank you, that worked! One more question: can I still return the second lamp?",
      signature: "-- \nAnn Lee\nHome Street 1", parents: 2),
    Turn(file: "gmail-inline-answers", own: "The tall one.\nYes, number 4711."),
    Turn(file: "gmail-german", own: "Ja, gerne am Freitag.", quoted: "Wann dürfen wir liefern?"),
    Turn(
      file: "outlook-desktop-third-turn",
      own: "The parcel is still not here.\n\nPlease check with the carrier.", parents: 2),
    Turn(
      file: "outlook-desktop-plain",
      own: "The parcel is still not here.\n\nPlease check with the carrier.", parents: 2),
    Turn(
      file: "outlook-web-reply", own: "It came today, thank you.",
      signature: "-- \n\nAnn Lee\n\nTel. 555 0100"),
    Turn(
      file: "outlook-german",
      own: "Es ist heute angekommen, vielen Dank für die Mühe.\n\nMit freundlichen Grüßen\nAnn Lee",
      quoted: "Es ging am Freitag ab."),
    Turn(file: "apple-mail-third-turn", own: "The address on it is wrong.", parents: 2),
    Turn(
      file: "apple-mail-html-only", own: "The address on it is wrong.\nIt should be Home Street 1."),
    Turn(
      file: "iphone-third-turn", own: "Yes please cancel it", signature: "Sent from my iPhone",
      parents: 2),
    Turn(
      file: "iphone-html-only", own: "Yes please cancel it", signature: "Von meinem iPhone gesendet"
    ),
    Turn(file: "android-gmail", own: "Thanks, got it"),
    Turn(
      file: "outlook-phone", own: "Perfect, thanks!",
      signature: "Get Outlook for iOS<https://aka.ms/o0ukef>"),
    Turn(file: "samsung-phone", own: "ok do that", signature: "Sent from my Galaxy"),
    Turn(file: "thunderbird-bottom-post", own: "Yes, both of them.", signature: "-- \nAnn"),
    Turn(file: "yahoo-html", own: "No, keep it."),
    Turn(
      file: "gmail-forward-with-comment", own: "Is this yours?", quoted: "on its way", parents: 0),
    Turn(
      file: "gmail-forward-alone", own: "Your parcel is on its way.", quoted: "Carrier", parents: 0),
  ]

  @Test(arguments: turns)
  func `own words, quote, signature and thread are found`(_ turn: Turn) throws {
    let mail = try understood(folder.appendingPathComponent("Threads/\(turn.file).eml"))
    #expect(mail.own == turn.own)
    if let quoted = turn.quoted { #expect(mail.quoted.contains(quoted), "\(mail.quoted)") }
    #expect(mail.signature == turn.signature)
    #expect(mail.thread.parents.count == turn.parents)
    #expect(mail.automatic == nil)
  }
}

struct `Understanding` {
  @Test(arguments: `Threads as mail clients quote them`.turns.map(\.file))
  func `the JSON of a message says what was understood`(_ file: String) throws {
    let mail = try understood(folder.appendingPathComponent("Threads/\(file).eml"))
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(mail.json.utf8)) as? [String: Any])
    #expect(object["own"] as? String == mail.own)
    #expect(object["messageID"] as? String == mail.thread.messageID)
    #expect(
      (object["from"] as? [[String: Any]])?.first?["address"] as? String == "ann@home.example")
  }

  /// msg_16 brings the mail that it is about, msg_43 its header.
  @Test func `a mail server's report says whose mail it is about, and what became of it`() throws {
    let whole = try understood(folder.appendingPathComponent("Conformance/python/msg_16.txt"))
    let report = try #require(whole.report)
    #expect(report.messageID == "002001c144a6$8752e060$56104586@oxy.edu")
    #expect(report.recipients.map(\.final) == ["jangel1@cougar.noc.ucla.edu"])
    #expect(report.recipients.first?.action == .failed)
    #expect(report.recipients.first?.status == "5.0.0")
    let header = try understood(folder.appendingPathComponent("Conformance/python/msg_43.txt"))
    #expect(header.report?.recipients.count == 25)
    #expect(header.report?.recipients.allSatisfy { $0.status == "5.7.1" } == true)
    #expect(header.report?.messageID == "edab.7804f5cb8070@python.org")
    let shown = try #require(
      JSONSerialization.jsonObject(with: Data(whole.json.utf8)) as? [String: Any])
    let told = shown["report"] as? [String: Any]
    #expect(told?["messageID"] as? String == report.messageID)
    #expect(
      (told?["recipients"] as? [[String: Any]])?.first?["status"] as? String == "5.0.0")
  }

  @Test func `a report of another kind, or a status in any other mail, is none of a delivery`() {
    for type in ["multipart/report; report-type=disposition-notification", "multipart/mixed"] {
      let part = type.hasPrefix("multipart/mixed") ? "delivery-status" : "disposition-notification"
      let text =
        "Content-Type: \(type); boundary=b\n\n--b\nContent-Type: message/\(part)\n\n"
        + "Reporting-MTA: dns;mx\n\nFinal-Recipient: rfc822;a@x.example\nAction: failed\n\n--b--\n"
      #expect(MailUnderstanding(bytes: Array(text.utf8)).report == nil, "\(type)")
    }
  }

  @Test func `two authors or two From headers are nobody`() {
    for head in [
      "From: a@x.example, b@y.example\n", "From: a@x.example\nFrom: b@y.example\n",
      "From: a@x.example <b@y.example>\n",
    ] {
      #expect(MailUnderstanding(bytes: Array((head + "\nhi\n").utf8)).author == .unclear)
    }
  }

  @Test func `DMARC counts only with a configured relay and for the author's domain`() {
    let bytes = Array(
      "Authentication-Results: mx.shop.example; dmarc=pass header.from=home.example\nFrom: ann@home.example\n\nhi\n"
        .utf8)
    #expect(MailUnderstanding(bytes: bytes).dmarc == .unknown)
    var configuration = MailUnderstanding.Configuration()
    configuration.authservID = "mx.shop.example"
    #expect(MailUnderstanding(bytes: bytes, configuration: configuration).dmarc == .pass)
  }

  @Test func `limits leave the rest out and say so`() {
    var deep = "From: a@x.example\nContent-Type: multipart/mixed; boundary=b0\n\n"
    for level in 1..<200 {
      deep += "--b\(level - 1)\nContent-Type: multipart/mixed; boundary=b\(level)\n\n"
    }
    #expect(MailUnderstanding(bytes: Array(deep.utf8)).isTruncated)
    let many =
      "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\nx\n", count: 500)
    let read = MailUnderstanding(bytes: Array(many.utf8))
    #expect(read.isTruncated && read.text.utf8.count < 500)
  }

  @Test func `text of any charset is read, and a wrong one does no harm`() {
    func text(_ charset: String, _ bytes: [UInt8]) -> String {
      MailUnderstanding(
        bytes: Array("Content-Type: text/plain; charset=\(charset)\n\n".utf8) + bytes
      ).own
    }
    #expect(text("iso-8859-1", [0x67, 0x72, 0xFC, 0xDF, 0x65]) == "grüße")
    #expect(text("koi8-r", [0xF0, 0xD2, 0xC9]) == "При")
    #expect(text("utf-8", [0x67, 0xFC]) == "gü")
    #expect(text("no-such-charset", Array("grüße".utf8)) == "grüße")
    #expect(text("us-ascii//TRANSLIT", Array("grüße".utf8)) == "grüße")
  }
}
