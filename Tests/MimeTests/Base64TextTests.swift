import Testing
import Wire

@testable import Mime

struct `Base64 of mail` {
  static func mail(_ body: String) -> MailUnderstanding {
    let text =
      "From: ann@home.example\nContent-Type: text/plain; charset=utf-8\n"
      + "Content-Transfer-Encoding: base64\n\n\(body)\n"
    return MailUnderstanding(bytes: Array(text.utf8))
  }

  @Test func `needs no padding at its end`() {
    for count in 1...200 {
      let text = String(repeating: "The code is 4711. ", count: 12).prefix(count).dropLast() + "x"
      var digits = Base64.encode(Array(text.utf8))
      while digits.last == "=" { digits.removeLast() }
      let read = Self.mail(digits)
      #expect(read.text == text && !read.isTruncated)
    }
  }

  @Test func `may be several blocks behind each other`() {
    for line in ["", "\n", "\n\n"] {
      let blocks = ["one, ", "two, two, ", "three."].map { Base64.encode(Array($0.utf8)) }
      let read = Self.mail(blocks.joined(separator: line))
      #expect(read.own == "one, two, two, three." && !read.isTruncated)
    }
  }

  @Test func `may have a list's footer in plain text behind it`() {
    for text in ["My lamp.", "My lamp..", "My lamp..."] {
      for footer in [
        "_______________\nlamps mailing list\nhttps://lists.example/lamps", "Sent by our list",
        "--\nlamps@lists.example", "This mail was checked. Have a nice day!",
      ] {
        // Without `=` before it, words of nothing but letters could be digits.
        if text.utf8.count % 3 == 0, footer == "Sent by our list" { continue }
        let read = Self.mail(Base64.encode(Array(text.utf8)) + "\n\n" + footer)
        #expect(read.text == text + "\n" + footer + "\n")
      }
    }
  }

  @Test(arguments: ["> ", ">> ", "> > ", "* ", "| "])
  func `may stand behind a quotation's marks`(_ mark: String) {
    let text = String(repeating: "My lamp is dark again. ", count: 9) + "Ann"
    let digits = Base64.encode(Array(text.utf8))
    let lines = stride(from: 0, to: digits.utf8.count, by: 76).map { at in
      mark + digits.dropFirst(at).prefix(76)
    }
    #expect(Self.mail(lines.joined(separator: "\n")).own == text)
  }

  @Test(arguments: ["https://lists.example/unsubscribe", "<hr>\n<p>Scanned by us.</p>"])
  func `ends where a footer of one word begins`(_ footer: String) {
    let read = Self.mail(Base64.encode(Array("My lamp is dark.".utf8)) + "\n" + footer)
    #expect(read.text == "My lamp is dark.\n" + footer + "\n")
  }

  @Test func `may have anything between its digits, or be that of addresses`() {
    #expect(
      Base64Text(Array("VGhl IGJs dWUg\r\n b25l!Lg==".utf8)).bytes == Array("The blue one.".utf8))
    #expect(Base64Text([0x59, 0, 0x54, 0xFF, 0x38]).bytes == Array("a?".utf8))
    #expect(Base64Text(Array("YT8-YT8_".utf8)).bytes == Array("a?>a??".utf8))
    #expect(Base64Text(Array("".utf8)).bytes.isEmpty)
  }

  @Test func `says where a digit is left of which no byte can be made`() {
    #expect(Base64Text(Array("QUJDR".utf8)).isCut)
    #expect(Base64Text(Array("QUJDR===QUJD".utf8)).isCut)
    #expect(!Base64Text(Array("QUJDRA".utf8)).isCut)
    #expect(Self.mail("QUJDR").isTruncated)
    let attached = MailUnderstanding(
      bytes: Array(
        "Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\niVBOR\n".utf8))
    #expect(attached.isTruncated && attached.attachments.first?.bytes == [0x89, 0x50, 0x4E])
  }

  @Test(arguments: [
    "2 + 3 =5": "2 + 3 =5", "a =E": "a =E", "a=": "a", "a= \t": "a", "a=\nb": "ab",
    "a = b": "a = b",
    "a=4": "a=4", "a==41": "a=A", "a=ZZ": "a=ZZ", "=c3=A4": "ä",
  ])
  func `and quoted-printable lose nothing at their end`(_ written: String, _ text: String) {
    let mail =
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n"
      + "Content-Transfer-Encoding: quoted-printable\n\n\(written)\n--b--\n"
    #expect(MimeMessage(bytes: Array(mail.utf8)).text == text)
  }
}
