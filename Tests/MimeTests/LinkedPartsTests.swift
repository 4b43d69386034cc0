import MailCodec
import Testing

@testable import Mime

/// What HTML refers to, and leads to, is none of the words that stand in it.
struct `What HTML refers to` {
  private func mail(_ kind: String, _ parts: [(head: String, body: String)]) -> [UInt8] {
    let inner = parts.map { "--b\r\n\($0.head)\r\n\r\n\($0.body)\r\n" }.joined()
    return Array(
      "From: jo@home.example\r\nSubject: Lamp\r\nContent-Type: multipart/\(kind); boundary=b\r\n\r\n\(inner)--b--\r\n"
        .utf8)
  }

  @Test func `where a link leads makes no difference between two renderings`() {
    let target = "https://wiki.example/Lamp_(light_and_shade)?f[color]=blue&f[size]=17"
    let mail = mail(
      "alternative",
      [
        ("Content-Type: text/plain", "I mean this lamp.\r\n\r\n> Which lamp do you mean?"),
        (
          "Content-Type: text/html",
          "<p>I mean <a href=\"\(target)\">this lamp</a>.</p><div style=\"color:#888\">Which lamp do you mean?</div>"
        ),
      ])
    let read = MailUnderstanding(bytes: mail)
    #expect(read.own == "I mean this lamp." && read.quoted.contains("Which lamp do you mean?"))
  }

  @Test func `where a link leads is not lost where the plain text does not say it`() {
    func read(_ plain: String, _ html: String) -> MailUnderstanding {
      MailUnderstanding(
        bytes: mail(
          "alternative", [("Content-Type: text/plain", plain), ("Content-Type: text/html", html)]))
    }
    let target = "https://shop.example/lamps/17?a=b"
    let html =
      "<p>Hello,</p><p>I mean <a href=\"\(target)\">this lamp</a>, <a href=\"mailto:ann@home.example\">Ann</a>.</p>"
    let lost = read("Hello,\r\n\r\nI mean this lamp, Ann.", html)
    #expect(lost.own == "Hello,\n\nI mean this lamp, Ann.")
    #expect(lost.quoted == "I mean this lamp <\(target)>, Ann <mailto:ann@home.example>.")
    #expect(!lost.isTruncated)
    // As Gmail, Outlook and lists write them.
    for said in [
      "this lamp <\(target)>, Ann <mailto:ann@home.example>",
      "this lamp<\(target)>, Ann<ann@home.example>",
      "this lamp [1], Ann.\r\n\r\n[1] \(target)\r\nann@home.example",
      "this lamp <\(target.prefix(20))\r\n\(target.dropFirst(20))>, Ann <mailto:ann@home.example>.",
    ] {
      #expect(read("Hello,\r\n\r\nI mean \(said)", html).quoted == "", "\(said)")
    }
    // Of a very long one no more is compared than is shown.
    let long = target + String(repeating: "a", count: 3_000)
    let shown = read("this lamp <\(long)>", "<p><a href=\"\(long)\">this lamp</a></p>")
    #expect(shown.own.hasPrefix("this lamp <https") && shown.quoted == "")
    // Plain text may lead elsewhere, too, where it only stands in for the HTML.
    let other = read(
      "See this lamp: https://shop.example/17", "<p>See this lamp: it is dark, and so am I.</p>")
    #expect(other.own == "See this lamp: it is dark, and so am I.")
    #expect(other.quoted == "See this lamp: https://shop.example/17")
    // What others said leads where it led before.
    let thread = read(
      "Yes.\r\n\r\n> Hello,\r\n> I mean this lamp, Ann.",
      "<p>Yes.</p><blockquote type=cite>\(html)</blockquote>")
    #expect(thread.own == "Yes." && thread.quoted == "> Hello,\n> I mean this lamp, Ann.")
    let picture = read(
      "See this lamp.", "<p>See this lamp.</p><a href=\"\(target)\"><img src=\"cid:a\"></a>")
    #expect(picture.own == "See this lamp." && picture.quoted == "<\(target)>")
  }

  @Test func `styles, scripts and tables of data stay attached`() {
    let others = ["css", "javascript", "xml", "rtf", "csv", "x-vcalendar"]
    let mail = mail(
      "related",
      [("Content-Type: text/html", "<p>My lamp is dark.</p>")]
        + others.map { ("Content-Type: text/\($0)", "p{color:red}") }
        + [("Content-Type: text/x-odd\r\nContent-ID: <1@a>", "odd{}")])
    let read = MailUnderstanding(bytes: mail)
    #expect(read.own == "My lamp is dark.")
    #expect(read.attachments.map(\.type) == others.map { "text/\($0)" } + ["text/x-odd"])
  }

  @Test func `a picture within the HTML, cut for its size, is no words`() {
    let picture = String(repeating: "QUJD", count: 4_000)
    var limits = MimeLimits()
    limits.htmlBytesMax = 8_000
    let message = MimeMessage(
      bytes: Array(
        "Content-Type: text/html\r\n\r\n<p>See the photo.</p><img src=\"data:image/png;base64,\(picture)\"><p>Call me.</p>"
          .utf8), limits: limits)
    #expect(message.isTruncated && message.text.contains("See the photo."))
    #expect(!message.text.contains("QUJD"))
  }

  @Test func `words behind a quote that was forgotten are not lost in silence`() {
    let read = MailUnderstanding(
      bytes: Array(
        "Content-Type: text/html\r\n\r\n<p>Dear team,</p><font face=\"Arial>I want my money back.<br>Please answer.<br><font face=\"Arial\">Ann"
          .utf8))
    #expect(read.isTruncated)
  }

  @Test(arguments: ["style", "script", "!-- "])
  func `that is cut for its size is no words`(_ element: String) {
    let rule = String(repeating: "p > b { color: red }\n", count: 1_000)
    var limits = MimeLimits()
    limits.htmlBytesMax = 8_000
    let message = MimeMessage(
      bytes: Array("Content-Type: text/html\r\n\r\n<p>My lamp.</p><\(element)>\(rule)".utf8),
      limits: limits)
    #expect(message.isTruncated && message.text == "My lamp.\n")
  }
}
