import Testing

@testable import Mime

/// Names of attachments as programs really write them, and the charset of HTML that only the HTML says.
struct AttachmentNameTests {
  private func name(_ header: [UInt8]) -> String? {
    let mail =
      Array("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".utf8)
      + header + Array("\r\n\r\nx\r\n--b--\r\n".utf8)
    return MimeMessage(bytes: mail).attachments.first?.name
  }

  @Test(arguments: [
    // Raw, as browsers and scripts write.
    ("filename=\"größe.pdf\"", "größe.pdf"),
    // RFC 2047 inside a parameter, which it forbids (§5) and Outlook does: one word, and a long name.
    ("filename=\"=?utf-8?B?Z3LDtsOfZS5wZGY=?=\"", "größe.pdf"),
    ("filename=\"=?UTF-8?Q?gr=C3=B6=C3=9Fe_neu.pdf?=\"", "größe neu.pdf"),
    ("filename==?utf-8?Q?gr=C3=B6=C3=9Fe.pdf?=", "größe.pdf"),
    (
      "filename=\"=?utf-8?B?R3LDtsOfZSBkZXM=?= =?utf-8?B?IEhhdXNlcy5wZGY=?=\"",
      "Größe des Hauses.pdf"
    ),
    (
      "filename=\"=?utf-8?B?R3LDtsOfZSBkZXM=?=\r\n =?utf-8?B?IEhhdXNlcy5wZGY=?=\"",
      "Größe des Hauses.pdf"
    ),
    // Cut inside a character.
    ("filename=\"=?utf-8?B?Z3LD?= =?utf-8?B?tsOfZS5wZGY=?=\"", "größe.pdf"),
    ("filename=\"=?iso-2022-jp?B?GyRCRnxLXBsoQi50eHQ=?=\"", "日本.txt"),
    ("filename=\"=?windows-1252?Q?5=80.pdf?=\"", "5€.pdf"),
    ("filename=\"Re_ =?utf-8?B?w6Q=?=.msg\"", "Re_ ä.msg"),
    // RFC 2231: with a charset, continued, cut inside a character.
    ("filename*=utf-8''gr%C3%B6%C3%9Fe.pdf", "größe.pdf"),
    ("filename*=iso-8859-1'de'gr%F6%DFe.pdf", "größe.pdf"),
    ("filename*0*=utf-8''gr%C3%B6;\r\n filename*1*=%C3%9Fe;\r\n filename*2=\".pdf\"", "größe.pdf"),
    ("filename*0*=utf-8''gr%C3;\r\n filename*1*=%B6%C3%9Fe.pdf", "größe.pdf"),
    ("filename*0*=iso-8859-1''gr%F6;\r\n filename*1*=%DFe.pdf", "größe.pdf"),
    ("filename*1=\"sen.pdf\";\r\n filename*0=\"Messung gro", "Messung grosen.pdf"),
    // Both: the one that says its charset (RFC 6266 §4.3).
    ("filename=\"gr__e.pdf\"; filename*=utf-8''gr%C3%B6%C3%9Fe.pdf", "größe.pdf"),
  ])
  func `a name reads as its sender sees it`(_ parameter: String, _ name: String) {
    let closed = parameter.contains("Messung") ? parameter + "\"" : parameter
    #expect(
      self.name(
        Array("Content-Type: application/pdf\r\nContent-Disposition: attachment; \(closed)".utf8))
        == name)
  }

  /// Outlook names it there, too, and some name it there alone.
  @Test(arguments: [
    (
      "name=\"=?utf-8?B?R3LDtsOfZSBkZXM=?=\r\n =?utf-8?B?IEhhdXNlcy5wZGY=?=\"",
      "Größe des Hauses.pdf"
    ),
    ("name*=utf-8''gr%C3%B6%C3%9Fe.pdf", "größe.pdf"), ("name=\"größe.pdf\"", "größe.pdf"),
  ])
  func `a name beside the type is one`(_ parameter: String, _ name: String) {
    #expect(
      self.name(
        Array("Content-Type: application/pdf; \(parameter)\r\nContent-Disposition: attachment".utf8)
      )
        == name)
  }

  @Test func `a raw name in one byte a letter reads as Windows writes it`() {
    let head = Array(
      "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"gr".utf8)
    #expect(name(head + [0xF6, 0xDF] + Array("e.pdf\"".utf8)) == "größe.pdf")
    #expect(
      name(Array("Content-Disposition: attachment; filename=\"C:\\x\\a \\\"b.pdf\"; x".utf8))
        == "a \"b.pdf")
    #expect(
      name(Array("Content-Disposition: attachment; filename=my file.pdf ; size=3".utf8))
        == "my file.pdf")
    #expect(
      name(head + [0xF6, 0xDF] + Array("e 5".utf8) + [0x80] + Array(".pdf\"".utf8))
        == "größe 5€.pdf")
  }

  // MARK: - The charset of HTML

  private func text(_ html: [UInt8], type: String = "text/html") -> String {
    MimeMessage(
      bytes: Array("MIME-Version: 1.0\r\nContent-Type: \(type)\r\n\r\n".utf8) + html
    ).text.trimmingBlanks.split(separator: "\n").joined()
  }

  @Test(arguments: [
    "<meta charset=windows-1251>", "<META CHARSET=\"windows-1251\" />",
    "<meta http-equiv=Content-Type content=\"text/html; charset=windows-1251\">",
    "<meta content='text/html;charset=windows-1251' http-equiv='Content-Type'>",
    "<!-- <meta charset=koi8-r> --><title>charset=koi8-r</title><meta name=x content=y><meta charset = 'windows-1251'>",
  ])
  func `HTML that alone says its charset is read by that`(_ meta: String) {
    let privet: [UInt8] = [0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2]
    let html =
      Array("<html><head>\(meta)</head><body>".utf8) + privet + Array("</body></html>".utf8)
    #expect(text(html) == "Привет")
    // What the mail says counts more: relays write HTML anew and leave the tag.
    let said = Array("<html><head>\(meta)</head><body>Привет</body></html>".utf8)
    #expect(text(said, type: "text/html; charset=utf-8") == "Привет")
    // And what is UTF-8, by more than chance, is that.
    #expect(text(said) == "Привет")
  }

  @Test func `HTML in seven bits is read by its tag, and one that is nonsense changes nothing`() {
    let japanese: [UInt8] = [0x1B, 0x24, 0x42, 0x46, 0x7C, 0x4B, 0x5C, 0x1B, 0x28, 0x42]
    #expect(text(Array("<meta charset=iso-2022-jp><p>".utf8) + japanese) == "日本")
    #expect(text(Array("<meta charset=utf-16><p>plain".utf8)) == "plain")
    #expect(text(Array("<meta charset=><p>gr".utf8) + [0xF6]) == "grö")
    #expect(text(Array("<meta charset".utf8)) == "<meta charset")
    #expect(text(Array("<meta charset=nosuch><p>gr".utf8) + [0xF6]) == "grö")
  }
}
