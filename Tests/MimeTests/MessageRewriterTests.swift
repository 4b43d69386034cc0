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
      Received: by secret.example
      Subject: Lamp
      My secret is
       a secret
      Note: no secret
      To: secret@shop.example
      Note: no secret

      hi

      """
    let words = "My secret is\n a secret\nNote: no secret\nTo"
    #expect(
      rewritten(message)
        == message.replacing(words, with: words.replacing("secret", with: "******")))
  }

  @Test func `is rewritten in its text, whatever coding that is in, and nowhere else`() {
    let hidden = Base64.encode(Array("a secret text".utf8))
    let picture = Base64.encode(Array("the secret of a picture".utf8))
    let message = """
      Received: by secret.example
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
