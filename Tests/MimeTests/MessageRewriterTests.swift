import Testing
import Wire

@testable import Mime

/// What is attached whole, with words of it rewritten.
struct `A whole message` {
  private func rewritten(_ message: String) -> String {
    let bytes = MessageRewriter.rewritten(Array(message.replacing("\n", with: "\r\n").utf8)) {
      text in
      let said = String(decoding: text, as: UTF8.self)
      return said.contains("secret") ? Array(said.replacing("secret", with: "******").utf8) : nil
    }
    return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
  }

  @Test func `is rewritten in words that stand among its headers, too`() {
    let message = """
      Received: by secret.example; Mon, 3 Mar 2025 10:00:00 +0100
      Subject: Lamp
      My secret is
       a secret
      Note: no secret
      To: secret@shop.example
      Note: no secret

      hi

      """
    let words = message[message.firstRange(of: "My secret")!.lowerBound...]
    let expected =
      message.dropLast(words.count)
      + words.replacing("secret", with: "******").replacing("******@", with: "secret@")
    #expect(rewritten(message) == expected)
  }

  @Test(arguments: [
    "Card: a secret\nplease charge it\nDate: 12/26", "secret: yes\nplease",
    "Hello,\nDate: a secret",
    ">From a secret\nHello", "From a secret\nSubject: Lamp", "Hello,\nReceived: a secret",
    "Hello,\nContent-Type: a secret", "Hello\nFrom: a secret", "DKIM-Signature: a secret",
    "References: secret",
  ])
  func `is rewritten where its words look like headers`(_ words: String) {
    let read = rewritten("From: ann@home.example\n\(words)\n\nbye\n")
    let first = rewritten("\(words)\n\nbye\n")
    let expected = words.replacing("secret", with: "******")
    #expect(read == "From: ann@home.example\n\(expected)\n\nbye\n")
    #expect(first == "\(expected)\n\nbye\n")
  }

  @Test func `is rewritten in names beside addresses and of files, coded or not`() {
    let coded = "=?utf-8?Q?a_s=65cret?="
    let head = """
      From: "secret" <secret@home.example>, \(coded) <b@home.example>
      Thread-Topic: \(coded)
      X-Note: a
        secret
      Content-Disposition: inline; filename="secret.txt"
      Content-Type: multipart/mixed; name="secret"; boundary="secret"; x=secret

      --secret

      one
      --secret--

      """
    let expected = """
      From: "******" <secret@home.example>, a ****** <b@home.example>
      Thread-Topic: a ******
      X-Note: a  ******
      Content-Disposition: inline; filename="******.txt"
      Content-Type: multipart/mixed; name="******"; boundary="secret"; x=******

      --secret

      one
      --secret--

      """
    #expect(rewritten(head) == expected)
  }

  @Test func `keeps what programs read in its header`() {
    let message = """
      Received: from secret.example by b.example with ESMTP id secret; Mon, 3 Mar 2025 10:00:00 +0100
      DKIM-Signature: v=1; a=rsa-sha256; bh=secret
      ARC-Seal: i=1; b=secret
      Message-ID: <secret@home.example>
      References: <a.secret@home.example>
        <b.secret@home.example>
      To: secret@shop.example
      Content-Type: text/plain; boundary*0=sec; boundary*1=ret

      hi

      """
    #expect(rewritten(message) == message)
  }

  @Test func `is rewritten in its text, whatever coding that is in, and nowhere else`() {
    let hidden = Base64.encode(Array("a secret text".utf8))
    let picture = Base64.encode(Array("the secret of a picture".utf8))
    let message = """
      Received: by secret.example; Mon, 3 Mar 2025 10:00:00 +0100
      Subject: =?utf-8?B?\(Base64.encode(Array("my secret".utf8)))?=
      Content-Type: multipart/mixed;
        boundary="a b"

      preamble
      --a b
      Content-Type: text/plain; charset=utf-8

      one secret
      --a b
      Content-Type: text/html
      Content-Transfer-Encoding: Quoted-Printable (by hand)

      <p>caf=C3=A9 sec=
      ret</p>
      --a b
      Content-Type: TEXT/plain
      Content-Transfer-Encoding: base64 (x); y

      \(hidden)
      --a b
      Content-Type: image/png
      Content-Transfer-Encoding: base64

      \(picture)
      --a b
      Content-Type: message/rfc822

      Subject: the secret
      Content-Type: multipart/alternative; boundary=b

      --b

      two secrets
      --b--
      --a b--
      end of secret
      """
    let expected =
      message
      .replacing("=?utf-8?B?\(Base64.encode(Array("my secret".utf8)))?=", with: "my ******")
      .replacing("one secret", with: "one ******")
      .replacing("<p>caf=C3=A9 sec=\nret</p>", with: "<p>caf=C3=A9 ******</p>")
      .replacing(hidden, with: Base64.encode(Array("a ****** text".utf8)))
      .replacing("the secret\n", with: "the ******\n")
      .replacing("two secrets", with: "two ******s")
      .replacing("end of secret", with: "end of ******")
    #expect(rewritten(message) == expected)
  }

  @Test func `is rewritten behind the end of a first block of base64, too`() {
    let head = "Content-Transfer-Encoding: base64\n\n"
    let blocks = ["one, ", "two secret"].map { Base64.encode(Array($0.utf8)) }
    let one = Base64.encode(Array("one, two ******".utf8))
    #expect(rewritten("\(head)\(blocks.joined(separator: "\n"))\n") == "\(head)\(one)\n")
  }

  @Test(arguments: ["utf-16le", "UTF-16BE", "utf-16"])
  func `is rewritten in UTF-16, too`(_ charset: String) {
    func coded(_ text: String) -> String {
      let mark = charset == "utf-16" ? "\u{FEFF}" : ""
      return Base64.encode(
        (mark + text).utf16.flatMap { unit in
          let pair = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
          return charset == "UTF-16BE" ? pair.reversed() : pair
        })
    }
    let head = "Content-Type: text/plain; charset=\(charset)\nContent-Transfer-Encoding: base64\n\n"
    let read = rewritten("\(head)\(coded("a secret \u{1F4A1}"))\n")
    #expect(read == "\(head)\(coded("a ****** \u{1F4A1}"))\n")
    let other = "\(head)\(coded("nothing"))\n"
    #expect(rewritten(other) == other)
  }

  @Test func `is what it was where there is nothing to rewrite`() {
    for message in [
      "", "\n", "no header", "Subject: x\n\nhi",
      "Content-Type: multipart/mixed; boundary=\n\n--\n--\n----\n",
      "Content-Type: multipart/mixed; boundary=a\n\n--a\n--a\n--a--\n--a\nx: y\n\n=\n",
    ] {
      #expect(rewritten(message) == message)
    }
  }
}
