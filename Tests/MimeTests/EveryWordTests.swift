import Foundation
import Testing

@testable import MailCodec
@testable import Mime

/// What of an acknowledged mail must never be lost: each word of it is somewhere, or the mail says that it
/// is not all there, and is kept whole beside what was read.
struct `Every word of a mail` {
  @Test(arguments: 1...8)
  func `is in what was read of it`(_ seed: UInt64) {
    var cut = 0
    for index in UInt64(0)..<60 {
      var mail = MailOfWords(seed: seed * 1_000 + index)
      let bytes = mail.source()
      let read = MailUnderstanding(bytes: bytes)
      let found = Set(Self.texts(of: read).split { !$0.isLetter }.map(String.init))
      let lost = mail.written.subtracting(found)
      if read.isTruncated { cut += 1 }
      #expect(
        lost.isEmpty || read.isTruncated,
        "\(lost.sorted()) of \(seed * 1_000 + index)")
    }
    #expect(cut <= 6, "to say of every mail that it is cut proves nothing")
  }

  /// A message inside it is kept as it came: what can be read of that.
  static func texts(of mail: MailUnderstanding) -> String {
    let files = mail.attachments.map { file in
      file.type == "message/rfc822"
        ? texts(of: MailUnderstanding(bytes: file.bytes))
        : String(decoding: file.bytes, as: UTF8.self)
    }
    return ([mail.own, mail.quoted, mail.signature] + files).joined(separator: "\n")
  }

  static let bodies: [String: String] = [
    "text/markdown": "own", "text/enriched": "own", "text/richtext": "own",
    "text/x-web-markdown": "own",
    "text/plain; name=a.txt": "own", "text/markdown; name=a.md": "", "text/calendar": "",
    "text/vcard": "",
  ]

  @Test(arguments: bodies.keys.sorted())
  func `is own in text of any kind that is not attached`(_ type: String) {
    let head = "From: ann@home.example\nContent-Type: \(type)\n"
    let read = MailUnderstanding(bytes: Array("\(head)\nMy lamp is **dark**.\n".utf8))
    let isOwn = Self.bodies[type] == "own"
    #expect(read.own == (isOwn ? "My lamp is **dark**." : ""))
    #expect(read.attachments.map(\.type).isEmpty == (isOwn && !type.contains("name=")))
    let attached = MailUnderstanding(
      bytes: Array("\(head)Content-Disposition: attachment\n\nMy lamp\n".utf8))
    #expect(attached.own.isEmpty && attached.attachments.count == 1)
  }

  @Test
  func
    `is own in text of another kind beside plain text, but not where that is the same in another form`()
  {
    func mail(_ kind: String, _ type: String) -> MailUnderstanding {
      MailUnderstanding(
        bytes: Array(
          """
          Content-Type: multipart/\(kind); boundary=b

          --b

          My lamp
          --b
          Content-Type: \(type)

          *is dark*
          --b--
          """.utf8))
    }
    #expect(mail("mixed", "text/markdown").own == "My lamp\n*is dark*")
    let other = mail("alternative", "text/x-amp-html")
    #expect(other.own == "My lamp" && other.quoted.isEmpty)
    #expect(other.attachments.map(\.type) == ["text/x-amp-html"])
  }

  private func read(_ mail: String) -> MailUnderstanding {
    MailUnderstanding(bytes: Array(mail.utf8))
  }

  @Test(arguments: ["", " ", "\t"])
  func `is own where the header runs into it, with a line that only looks blank or none`(
    _ line: String
  ) {
    let gap = line.isEmpty ? "" : line + "\r\n"
    let mail = read(
      "From: ann@home.example\r\nSubject: Lamp\r\n\(gap)My lamp is dark.\r\nTake it back.\r\n\r\nThanks\r\n"
    )
    #expect(mail.own == "My lamp is dark.\nTake it back.\n\nThanks")
    #expect(mail.subjectText == "Lamp" && mail.from.map(\.address) == ["ann@home.example"])
    #expect(!mail.isTruncated)
    #expect(read("My lamp is dark.\n\nThanks\n").own == "My lamp is dark.\n\nThanks")
  }

  @Test func `is own from its first line, though that looks like a header`() {
    let head = "From: ann@home.example\r\nSubject: Lamp\r\nOrganization: Home\r\n"
    for first in [
      "Problem: the lamp is dark", "Problem: it\n  is dark", "Lamp: dark\nWall: blue",
      "https://shop.example/lamp", ">From here it is dark",
    ] {
      let mail = read("\(head)\(first)\nplease help me\n\nAnn\n")
      #expect(mail.own == "\(first)\nplease help me\n\nAnn", "\(first)")
      #expect(mail.subjectText == "Lamp" && !mail.isTruncated, "\(first)")
    }
    #expect(read("Problem: dark\nhelp\n").own == "Problem: dark\nhelp")
  }

  @Test func `is said to be elsewhere where it may be a header of some program`() {
    let mail = read("From: ann@home.example\nLamp-Number: 5\nplease help me\n")
    #expect(mail.own == "please help me" && mail.isTruncated)
    let known = read("From: ann@home.example\nX-Lamp: 5\nList-Id: a\nplease help me\n")
    #expect(known.own == "please help me" && !known.isTruncated)
  }

  @Test func `is said to be elsewhere where it stands among headers`() {
    let head = "From: ann@home.example\nMy lamp is dark.\nContent-Type: text/html\n\n<p>Thanks</p>"
    #expect(read(head).own == "Thanks" && read(head).isTruncated)
    let part =
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nMy lamp is dark.\n\nThanks\n--b--\n"
    #expect(read(part).own == "Thanks" && read(part).isTruncated)
    for whole in [
      "From ann@home.example Mon Mar  3 10:00:00 2025\nFrom: ann@home.example\n\nThanks",
      "From: ann@home.example\nSubject : Lamp\nX-Long: a\n  b\n\nThanks",
    ] {
      #expect(read(whole).own == "Thanks" && !read(whole).isTruncated, "\(whole)")
      #expect(read(whole).from.map(\.address) == ["ann@home.example"])
    }
  }

  @Test func `is own in a mail that says nothing of what it is, or that it is an attachment`() {
    for head in ["Content-Type: \n", "Content-Type:\n", "Content-Disposition: attachment\n"] {
      let mail = read("From: ann@home.example\n\(head)\nMy lamp is dark.\n")
      #expect(mail.own == "My lamp is dark." && mail.attachments.isEmpty, "\(head)")
    }
    let html = read("Content-Type: text/html\nContent-Disposition: attachment\n\n<p>dark</p>")
    #expect(html.own == "dark")
    let named = read("Content-Disposition: attachment; filename=a.txt\n\nMy lamp")
    #expect(named.own.isEmpty && named.attachments.map(\.name) == ["a.txt"])
  }

  @Test func `is a line where an old line end stands`() {
    let body = "Yes.\r\rOn Mon, Mar 3, 2025 at 10:00 AM Shop <s@shop.example> wrote:\r> Shall we?\r"
    let mail = read(
      "Content-Transfer-Encoding: base64\n\n\(Data(body.utf8).base64EncodedString())\n")
    #expect(mail.own == "Yes." && mail.quoted.hasSuffix("> Shall we?"))
    #expect(MimeMessage.lineFeeds("a\r\nb\r\r\nc\n\rd\r") == "a\nb\nc\n\nd\n")
  }

  @Test func `is said to be elsewhere where it stands below the last boundary`() {
    let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nMy lamp\n--b--\n"
    #expect(!MailUnderstanding(bytes: Array((mail + "\n").utf8)).isTruncated)
    #expect(MailUnderstanding(bytes: Array((mail + "footer\n").utf8)).isTruncated)
  }
}

/// A mail that holds something, of which nothing can be shown.
struct `A mail without words` {
  private func read(_ html: String, _ before: String = "", _ after: String = "")
    -> MailUnderstanding
  {
    MailUnderstanding(
      bytes: Array(
        "From: ann@home.example\nContent-Type: multipart/mixed; boundary=b\n\n\(before)--b\nContent-Type: text/html\n\n\(html)\n\(after)--b--\n"
          .utf8))
  }

  @Test(arguments: [
    "<title>My lamp is dark</title>", "<style>p::before{content:'My lamp'}</style>",
    "<script>write('My lamp')</script><p></p>", "<!-- My lamp is dark -->",
    "<img src=\"https://a.example/lamp.png\">", "<img src=data:image/png;base64,iVBOR>",
  ])
  func `says that there is something`(_ html: String) {
    #expect(read(html).isTruncated)
    #expect(!read(html + "<p>My lamp is dark</p>").isTruncated)
    // What was attached is there to be looked at.
    let photo = "--b\nContent-Type: image/png; name=a.png\n\nx\n"
    #expect(!read(html, "", photo).isTruncated)
  }

  @Test(arguments: [
    "", "<p></p>", "<div><br></div>&nbsp;", "<style> </style><!-- --><title></title>",
  ])
  func `of which nothing is left out says nothing`(_ html: String) {
    #expect(!read(html).isTruncated)
  }

  @Test func `whose words stand above its first boundary says that there is something`() {
    let preamble = "My lamp is dark.\n"
    let read = read("<p> </p>", preamble)
    #expect(read.isTruncated && read.own.isEmpty)
    // Programs write there that it is a mail in many parts: nobody's words (RFC 2046 §5.1.1).
    let shown = self.read("<p>My lamp</p>", preamble)
    #expect(shown.own == "My lamp" && shown.quoted.isEmpty && !shown.isTruncated)
  }
}

/// A mail out of words that stand nowhere else, made anew from its seed.
struct MailOfWords {
  private(set) var written: Set<String> = []
  private var state: UInt64
  private var boundaries = 0
  /// Whether HTML is nested without end now and then.
  private var isDeep = true

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  private mutating func below(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(bound))
  }

  private mutating func one<T>(_ all: [T]) -> T { all[below(all.count)] }

  private mutating func word() -> String {
    var (word, rest) = ("zq", written.count + 1)
    while rest > 0 {
      word.append(Character(Unicode.Scalar(UInt8(97 + rest % 25))))
      rest /= 25
    }
    word += "q"
    written.insert(word)
    return word
  }

  private mutating func words(_ most: Int = 4) -> String {
    (0...below(most)).map { _ in word() }.joined(separator: one([" ", "  ", "\n", ", "]))
  }

  // MARK: - Structure

  mutating func source() -> [UInt8] {
    Array("From: ann@home.example\r\nMIME-Version: 1.0\r\n".utf8) + part(level: 0)
  }

  private mutating func part(level: Int) -> [UInt8] {
    switch below(level < 3 ? 9 : 5) {
    case 0, 1: text("html", html())
    case 2: text(one(["plain", "markdown", "enriched"]), plain())
    case 3: text("plain", plain())
    case 4: attachment()
    case 5: multipart("alternative", level)
    case 6 where level > 0:
      Array("Content-Type: message/rfc822\r\n\r\n".utf8) + part(level: level + 1)
    default: multipart(one(["mixed", "related", "signed", "x-other"]), level)
    }
  }

  private mutating func multipart(_ kind: String, _ level: Int) -> [UInt8] {
    boundaries += 1
    let boundary = "=_b\(boundaries)_"
    var out = Array("Content-Type: multipart/\(kind); boundary=\"\(boundary)\"\r\n\r\n".utf8)
    for _ in 0...below(3) {
      out += "--\(boundary)\r\n".utf8
      if kind == "alternative" {
        // A thousand tags are words in plain text, of which all others were less than a twentieth.
        let type = one(["plain", "html"])
        isDeep = type == "html"
        out += text(type, html())
        isDeep = true
      } else {
        out += part(level: level + 1)
      }
      out += "\r\n".utf8
    }
    if below(4) > 0 { out += "--\(boundary)--\r\n".utf8 }
    return out
  }

  private mutating func attachment() -> [UInt8] {
    let head =
      "Content-Type: application/octet-stream; name=a.bin\r\nContent-Disposition: attachment\r\n"
    return Array(head.utf8)
      + coded(Array(words(9).utf8), one(["base64", "quoted-printable", "8bit"]))
  }

  private mutating func text(_ kind: String, _ text: String) -> [UInt8] {
    let charsets: [(String, String.Encoding)] = [
      ("utf-8", .utf8), ("iso-8859-1", .isoLatin1), ("windows-1251", .windowsCP1251),
      ("shift_jis", .shiftJIS), ("utf-16", .utf16), ("no-such", .utf8),
    ]
    let (name, encoding) = one(charsets)
    let bytes = Array(text.data(using: encoding) ?? Data(text.utf8))
    let coding =
      name == "utf-16" ? "base64" : one(["base64", "base64", "quoted-printable", "8bit"])
    return Array("Content-Type: text/\(kind); charset=\(name)\r\n".utf8) + coded(bytes, coding)
  }

  // MARK: - Codings

  private mutating func coded(_ bytes: [UInt8], _ coding: String) -> [UInt8] {
    var out = Array("Content-Transfer-Encoding: \(coding)\r\n\r\n".utf8)
    switch coding {
    case "base64":
      let cut = below(bytes.count + 1)
      let blocks = below(2) == 0 ? [bytes] : [Array(bytes[..<cut]), Array(bytes[cut...])]
      for block in blocks {
        let form: Data.Base64EncodingOptions =
          below(3) == 0
          ? [] : [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]
        out += Array(Data(block).base64EncodedData(options: form))
        if below(2) == 0 { out += "\r\n".utf8 }
      }
      while below(2) == 0, let last = out.last, [10, 13, 61].contains(last) { out.removeLast() }
    case "quoted-printable":
      for (index, byte) in bytes.enumerated() {
        let isPlain = byte > 32 && byte < 127 && byte != 61 && below(8) > 0
        out += isPlain ? [byte] : Array(String(format: one(["=%02X", "=%02x"]), byte).utf8)
        if index % 20 == 19 { out += "=\r\n".utf8 }
      }
    default:
      // A boundary cannot stand in it, since it has no digits.
      for byte in bytes { out += byte == 10 ? [13, 10] : [byte] }
    }
    return out
  }

  // MARK: - Texts

  private mutating func plain() -> String {
    (0...below(6)).map { _ in
      one([
        "", "> ", ">> ", "| ", "-- \n", "- ", "On Fri, 27 Nov 2026 Ann <a@b.example> wrote:\n",
        "\n",
      ]) + words()
    }.joined(separator: "\n")
  }

  private mutating func html() -> String {
    var out = one([
      "", "<!DOCTYPE html><html><head><title>t</title><style>p{a:b}</style></head><body>", "<p>",
    ])
    for _ in 0...below(6) { out += piece(level: 0) }
    // Behind these a browser shows nothing.
    if below(8) == 0 {
      out +=
        one([" <!-- ", " <style>", " <title>", "<p title=\"", " <a href='x>", " <"]) + words()
        + "<p>"
        + words()
    }
    return out + one(["", "</body></html>", "</div></p>"])
  }

  private mutating func piece(level: Int) -> String {
    guard level < 8 else { return words() }
    switch below(12) {
    case 0, 1, 2: return " \(words()) "
    case 3, 4, 5:
      let (before, after) = one([
        ("", "+lamp@home.example"), ("b@", ""), ("", ".example/?a=b"), ("", ""), ("a'", " lamp"),
        ("Ann ", ""), ("tel:", ""), ("ü ", ""), ("aü ", ""), ("?", ""), ("/", ""),
      ])
      let name = before + word() + after
      return " <\(word())@home.example> <https://\(word()).example/> <3 < <- <\(name)> "
    default:
      guard level == 0, below(3) == 0, isDeep else { return " <![CDATA[ \(words()) ]]>" }
      let name = one(["div", "b", "blockquote", "table><tr><td"])
      return " " + String(repeating: "<\(name)>", count: 100 + below(2_000)) + words()
    }
  }
}
