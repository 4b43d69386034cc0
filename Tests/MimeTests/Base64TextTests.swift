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

  static let footers = [
    "Disclaimer", "DISCLAIMER", "disclaimer", "Disclaimer:", "[Disclaimer]", "Confidential",
    "Haftungsausschluss", "Virus-free.", "lamps@lists.example", "www.shop.example", "Anzeige!",
    "免责声明", "Disclaimer\nThis mail is confidential.", "Sent by Ann",
  ]

  @Test(arguments: footers)
  func `ends where a footer of one word begins, whatever its charset`(_ footer: String) {
    for text in ["My lamp.", "My lamp..", "My lamp...", "Grüße", "Größe 17.", "Grüße 17"] {
      for between in ["\n", "\n\n", "\r\n"] {
        let read = Self.mail(Base64.encode(Array(text.utf8)) + between + footer)
        #expect(read.text == text + "\n" + footer + "\n")
      }
    }
    // Its first block is ASCII, or none.
    let latin: [UInt8] = Array("Gr".utf8) + [0xFC, 0xDF] + Array("e, Ann".utf8) + [0xE9]
    let read = Base64Text(Array((Base64.encode(latin) + "\n" + footer).utf8))
    #expect(read.bytes == latin + Array(("\n" + footer).utf8))
  }

  @Test(arguments: ["AVG", "Ann", "Jo", "2026", "555-0100"])
  func `ends where a short word begins behind its padding`(_ footer: String) {
    let read = Self.mail(Base64.encode(Array("My lamp is dark".utf8) + [46]) + "\n" + footer)
    #expect(read.text == "My lamp is dark.\n" + footer + "\n")
  }

  /// RFC 2045 §6.8: decoders must ignore what is no digit.
  @Test(arguments: ["!", "#", "!#", "*!", ">#", "|\"", "< !", " ! ", "* ,", ". : ", "ü", "\0"])
  func `may have odd letters within its lines`(_ odd: String) {
    let text = String(repeating: "Die Lampe für die Küche ist dunkel. ", count: 9) + "Ann"
    for (bytes, charset) in [
      (Array(text.utf8), "utf-8"), (text.unicodeScalars.map { UInt8($0.value) }, "iso-8859-1"),
    ] {
      for columns in [20, 60, 76] {
        let digits = Array(Base64.encode(bytes).utf8)
        let lines = stride(from: 0, to: digits.count, by: columns).map { at in
          var line = digits[at..<min(at + columns, digits.count)]
          line.insert(contentsOf: odd.utf8, at: line.startIndex + line.count / 3)
          line.insert(contentsOf: odd.utf8, at: line.startIndex + line.count * 2 / 3)
          return Array(line)
        }
        let head =
          "Content-Type: text/plain; charset=\(charset)\nContent-Transfer-Encoding: base64\n\n"
        let read = MimeMessage(bytes: Array(head.utf8) + lines.joined(separator: [10]))
        #expect(read.text == text && !read.isTruncated, "\(charset) \(columns)")
      }
    }
  }

  /// Blocks of so few bytes that they look like words.
  @Test func `of any bytes in any columns is read as it was written`() {
    var state: UInt64 = 17
    func byte() -> UInt8 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state >> 32)
    }
    for columns in [60, 64, 76] {
      for count in 0..<400 {
        let bytes = (0..<count).map { _ in byte() }
        let digits = Array(Base64.encode(bytes).utf8)
        let lines = stride(from: 0, to: digits.count, by: columns).map {
          digits[$0..<min($0 + columns, digits.count)]
        }
        #expect(Base64Text(Array(lines.joined(separator: [13, 10]))).bytes == bytes)
      }
    }
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
