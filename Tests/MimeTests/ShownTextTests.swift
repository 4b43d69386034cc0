import Foundation
import Testing

@testable import MailCodec
@testable import Mime

/// Which parts of a mail are its text.
struct `Text of several parts` {
  struct Mail: Sendable {
    var name: String
    var parts: String
    var own: String
    /// What must stand in `quoted` besides.
    var quoted = ""
    var signature = ""
    var attachments: [String] = []
  }

  /// `M` and `A` open a mixed and an alternative, `R` a related multipart, `)` ends it; `T` and `H` are
  /// plain text and HTML of one line, `P` a picture.
  static func source(_ parts: String) -> [UInt8] {
    var (out, open, opened) = ("From: ann@home.example\n", [Int](), 0)
    for line in parts.split(separator: "\n", omittingEmptySubsequences: false) {
      let body = line.dropFirst(2).replacing("|", with: "\n")
      if line == ")" {
        out += "\n--b\(open.removeLast())--\n"
        continue
      }
      if let last = open.last { out += "\n--b\(last)\n" }
      switch line.first {
      case "M", "A", "R", "D":
        let types = ["M": "mixed", "A": "alternative", "R": "related", "D": "signed"]
        opened += 1
        out += "Content-Type: multipart/\(types[String(line)] ?? "mixed"); boundary=b\(opened)\n\n"
        open.append(opened)
      case "T": out += "Content-Type: text/plain; charset=utf-8\n\n\(body)"
      case "H": out += "Content-Type: text/html; charset=utf-8\n\n\(body)"
      case "N": out += "Content-Type: text/html; charset=utf-8; name=mail.html\n\n\(body)"
      default: out += "Content-Type: image/png; name=a.png\nContent-Disposition: inline\n\niVBOR"
      }
    }
    return Array(out.utf8)
  }

  static let words = "<p>My lamp is dark, order 17</p>"
  static let mails: [Mail] = [
    Mail(
      name: "HTML, and the footer of a virus scanner",
      parts: "M\nH \(words)\nT This mail was checked for viruses.\n)",
      own: "My lamp is dark, order 17\n\nThis mail was checked for viruses."),
    Mail(
      name: "HTML, and the footer of a list",
      parts:
        "M\nH \(words)\nT _______________________________________________|shop mailing list|https://lists.example/shop\n)",
      own: "My lamp is dark, order 17",
      signature:
        "_______________________________________________\nshop mailing list\nhttps://lists.example/shop"
    ),
    Mail(
      name: "a warning before HTML", parts: "M\nT CAUTION: external mail\nH \(words)\n)",
      own: "CAUTION: external mail\n\nMy lamp is dark, order 17"),
    Mail(
      name: "HTML around a picture", parts: "M\nH <p>before</p>\nP\nH <p>after</p>\n)",
      own: "before\n\nafter", attachments: ["image/png"]),
    Mail(
      name: "plain text around a picture", parts: "M\nT before\nP\nT after\n)",
      own: "before\nafter", attachments: ["image/png"]),
    Mail(
      name: "an alternative, and a footer",
      parts: "M\nA\nT real words\nH <p>real words</p>\n)\nT footer\n)", own: "real words\nfooter"),
    Mail(
      name: "a sentence about MIME instead of the mail",
      parts: "A\nT This is a multi-part message in MIME format.\nH \(words)\n)",
      own: "My lamp is dark, order 17", quoted: "This is a multi-part message in MIME format."),
    Mail(
      name: "the same in a language that nobody here reads, on one line",
      parts: "A\nT Xyz qwe HTML.\nR\nH \(words)\nP\n)\n)", own: "My lamp is dark, order 17",
      quoted: "Xyz qwe HTML.", attachments: ["image/png"]),
    Mail(
      name: "a longer one than the mail is",
      parts:
        "A\nT Your program cannot show this mail. Please open it in a browser, or ask for one.\nH <p>Yes please</p>\n)",
      own: "Yes please",
      quoted: "Your program cannot show this mail. Please open it in a browser, or ask for one."),
    Mail(
      name: "a word in two versions", parts: "A\nT My lamp is dark\nH <p>My lamp is dim</p>\n)",
      own: "My lamp is dark", quoted: "My lamp is dim"),
    Mail(
      name: "two of one word each", parts: "A\nT MIME\nH <p>Yes</p>\n)", own: "Yes", quoted: "MIME"
    ),
    Mail(name: "a blank one", parts: "A\nT  \nH \(words)\n)", own: "My lamp is dark, order 17"),
    Mail(
      name: "only the first line", parts: "A\nT My lamp is dark\nH \(words)\n)",
      own: "My lamp is dark, order 17"),
    Mail(
      name: "a blank HTML", parts: "A\nT My lamp is dark\nH <p> </p>\n)", own: "My lamp is dark"),
    Mail(
      name: "plain text that says more",
      parts: "A\nT My lamp is dark, order 17\nH <p>My lamp</p>\n)",
      own: "My lamp is dark, order 17"),
    Mail(
      name: "plain text that marks its quote",
      parts:
        "A\nT Yes *please*.||> Shall we? https://shop.example/a\nH <p>Yes <b>please</b>.</p><p>Shall <a href=\"https://shop.example/a\">we</a>?</p>\n)",
      own: "Yes *please*.", quoted: "> Shall we? https://shop.example/a"),
    Mail(
      name: "HTML whose letters are lost",
      parts: "A\nT Grüße aus Köln\nH <p>Gr\u{FFFD}\u{FFFD}e aus K\u{FFFD}ln, Ann</p>\n)",
      own: "Grüße aus Köln", quoted: "Gr\u{FFFD}\u{FFFD}e aus K\u{FFFD}ln, Ann"),
    Mail(
      name: "HTML in two pieces as the alternative",
      parts: "A\nT before after\nM\nH <p>before</p>\nP\nH <p>after</p>\n)\n)", own: "before after",
      attachments: ["image/png"]),
    Mail(
      name: "two that are plain", parts: "A\nT yes\nT yes please\n)", own: "yes please"),
    Mail(
      name: "signed", parts: "D\nA\nT My lamp\nH \(words)\n)\nP\n)",
      own: "My lamp is dark, order 17", attachments: ["image/png"]),
    Mail(
      name: "HTML with a name and nothing else", parts: "N \(words)",
      own: "My lamp is dark, order 17", attachments: ["text/html"]),
    Mail(name: "HTML of one picture", parts: "H <p><img src=\"cid:a\"></p>", own: ""),
    Mail(
      name: "languages without spaces", parts: "A\nT 我的灯\nH <p>我的灯坏了,订单 17</p>\n)",
      own: "我的灯坏了,订单 17"),
  ]

  @Test(arguments: mails.map(\.name))
  func `whatever somebody wrote is there once`(_ name: String) throws {
    let mail = try #require(Self.mails.first { $0.name == name })
    let read = MailUnderstanding(bytes: Self.source(mail.parts))
    #expect(read.own == mail.own)
    #expect(read.quoted == mail.quoted)
    #expect(read.signature == mail.signature)
    #expect(read.attachments.map(\.type) == mail.attachments)
  }

  /// Text that both have, with what two renderings of it never have in common.
  @Test func `two renderings of one text are one`() {
    let plain = """
      Hello Ann,
      see <https://shop.example/a?b=c> and [cid:image001.png@01D] for don't.
      Tel. 555 0100<tel:5550100>, ann@home.example<mailto:ann@home.example>
      """
    let html = "HELLO Ann, see and for don’t. Tel. 555 01\u{AD}00, ann@home.example"
    let (one, other) = (WordCount(plain), WordCount(html))
    #expect(one.count == other.count && one.common(with: other) == one.count)
    #expect(WordCount("").count == 0 && WordCount("… 👍 — !").count == 0)
    #expect(WordCount("a a b").common(with: WordCount("a c")) == 1)
  }
}
