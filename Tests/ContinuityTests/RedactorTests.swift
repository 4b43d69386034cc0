import Expressions
import Testing

@testable import Continuity

struct `What must never be written` {
  let redactor = Redactor()

  @Test(arguments: [
    (
      "my card is 4111 1111 1111 1111, expires soon",
      "my card is [card number removed], expires soon"
    ),
    ("pay by 4111.1111.1111.1111", "pay by [card number removed]"),
    ("4111111111111111", "[card number removed]"),
    ("4111-1111-1111-1111.", "[card number removed]."),
    ("378282246310005#", "[card number removed]#"), ("3782 822463 10005", "[card number removed]"),
    ("6011000990139424 and 5555555555554444", "[card number removed] and [card number removed]"),
    ("order 12 4111 1111 1111 1111 99", "order 12 [card number removed] 99"),
    ("4111\u{A0}1111\u{202F}1111\u{2009}1111", "[card number removed]"),
    ("4111–1111‑1111−1111", "[card number removed]"),
    ("4111  1111  1111  1111", "[card number removed]"),
    ("it is\n4111 1111\n1111 1111\r\nthanks", "it is\n[card number removed]\r\nthanks"),
    ("3782 822463\r\n10005", "[card number removed]"),
    ("card4111111111111111, CVC", "card[card number removed], CVC"),
    ("Nr4111 1111 1111 1111exp", "Nr[card number removed]exp"),
    ("use tl_abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE now", "use [token removed] now"),
    ("?token=tl_abcdefghijklmnopqrstuvwxyz0123456789&x=1", "?token=[token removed]&x=1"),
    ("4111, 1111, 1111, 1111", "[card number removed]"),
    (
      "pay <https://a.example/?c=4111%201111%201111%201111>",
      "pay <https://a.example/?c=[card number removed]>"
    ),
    (
      "<mailto:a@b.example?body=card%204111%201111%201111%201111%20exp%2012/27>",
      "<mailto:a@b.example?body=card%20[card number removed]%20exp%2012/27>"
    ),
    ("/?c=4111+1111+1111+1111&d", "/?c=[card number removed]&d"),
    ("/?c=4111%2D1111%2d1111%2E1111", "/?c=[card number removed]"),
    ("/?c=%34111111111111111", "/?c=[card number removed]"),
    ("/?c=%20%34111111111111111", "/?c=%20[card number removed]"),
    ("card 5105&nbsp;1051&#160;0510&#xA0;5100", "card [card number removed]"),
    ("a&b 4&n", "a&b 4&n"),
    ("100%3411 and 50%", "100%3411 and 50%"), ("a%", "a%"), ("4%3", "4%3"),
    ("4111/1111/1111/1111", "[card number removed]"),
    ("4111 | 1111 | 1111 | 1111", "[card number removed]"),
    ("4111_1111_1111_1111", "[card number removed]"),
    ("(4111) (1111) (1111) (1111)", "([card number removed])"),
    ("4111\u{3000}1111\u{3000}1111\u{3000}1111", "[card number removed]"),
    ("4111\u{200B}1111\u{2060}1111\u{FEFF}1111", "[card number removed]"),
    ("4111\u{AD}1111\u{AD}1111\u{AD}1111", "[card number removed]"),
    ("4111 \n 1111 \r\n 1111\u{2028}1111", "[card number removed]"),
    ("４１１１１１１１１１１１１１１１ and ٤١١١١١١١١١١١١١١١", "[card number removed] and [card number removed]"),
    ("> the card 4539 1488 0343\n> 6467 is it", "> the card [card number removed] is it"),
    ("> > it is 4539\r\n> > 1488\r\n> > 0343\r\n> > 6467", "> > it is [card number removed]"),
    (">> 4539 1488 \n>> 0343 6467", ">> [card number removed]"),
    ("4111111111111111CVV123", "[card number removed]CVV123"),
    ("4111111111111111exp1227", "[card number removed]exp1227"),
    ("id_5, 4111 1111 1111 1111", "id_5, [card number removed]"),
    ("a ghs_abcdefghijklmnopqrstuvwxyz0123456789", "a [token removed]"),
    ("ghr_abcdefghijklmnopqrstuvwxyz0123456789", "[token removed]"),
    ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "[token removed]"),
    ("pypi-AgEIcHlwaS5vcmcabcdefghijklmnopqrstuv", "[token removed]"),
    ("rk_live_abcdefghijklmnopqrstuvwx", "[token removed]"),
    ("whsec_abcdefghijklmnopqrstuvwxyz012345", "[token removed]"),
    ("xoxe-1-abcdefghijklmnopqrst", "[token removed]"),
    ("xoxa-2-abcdefghijklmnopqrst", "[token removed]"),
    ("ASIAIOSFODNN7EXAMPLE", "[token removed]"),
    ("ya29.a0AfH6SMBabcdefghijklmnopqrstuvwxyz", "[token removed]"),
    ("Authorization: Bearer abcdefghijklmnopqrstuvwx", "Authorization: [token removed]"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[token removed]"),
    (
      "a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b",
      "a [token removed] b"
    ),
  ])
  func `is taken out of a text`(_ said: String, _ kept: String) {
    #expect(redactor.text(said) == kept)
  }

  @Test(arguments: [
    "4111 1111 1111 1112", "1234567890123456", "call +4917012345678 please", "+4111111111111111",
    "order 4711",
    "case_4111111111111111", "a1b4111111111111111", "4111111111111111a9", "41111111111111110000000",
    // What passes Luhn and is no issuer's, in words and columns of other things.
    "ORD2026112700001232", "BE68539007547033", "12 4111\n1111 11\n111111", "4111   1111 1111 1111",
    "20261127\n000002",
    "0000000000000000",
    "Bearer of bad news", "tl_short", "a tl;dr", "basket-weaving", "", "…",
    "2026-11-26 01:02:03.456", "2023, 2024, 2025, 2026", "id_4111_1111_1111_1111",
    "4111111111111111CVV123x", "4111111111111111cvvx1", "+49 4111 1111 1111 1111", "1,4,1,1,1,1,1",
  ])
  func `but nothing else is`(_ said: String) { #expect(redactor.text(said) == said) }

  @Test func `words without thirteen digits are never touched, however they are parted`() {
    var random = Seeded(4_711)
    let digits = ["0", "1", "4", "9", "٤", "１"]
    let others = [
      " ", "-", ".", ",", "/", "|", "_", "(", ")", "\n", "\r\n", "\u{200B}", "\u{AD}", "a",
      "CVV", "+", "é", "水",
    ]
    for _ in 0..<20_000 {
      var pieces = (0..<12).map { _ in digits.randomElement(using: &random) ?? "0" }
      pieces += (0..<24).map { _ in others.randomElement(using: &random) ?? " " }
      let said = pieces.shuffled(using: &random).joined()
      #expect(redactor.text(said) == said)
    }
  }

  @Test func `as the workspace's own patterns have it`() throws {
    let pattern = try TextPattern(#"KD-\d{6}|x*"#)
    let named = Redactor(patterns: [.init(name: "customer number", places: pattern.places)])
    #expect(
      named.text("I am KD-123456, or KD-654321")
        == "I am [customer number removed], or [customer number removed]")
    #expect(throws: TextPattern.Wrong.self) { try TextPattern("(") }
    // What overlaps is taken out once.
    let wide = try TextPattern(#"number \d+ \d+"#)
    let both = Redactor(patterns: [.init(name: "whole", places: wide.places)])
    #expect(both.text("number 4111 1111 1111 1111!") == "[whole removed]!")
  }
}
