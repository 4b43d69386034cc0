import Model
import Testing

@testable import Service

/// What people typed is shown as words: it moves no cursor, and begins no line of its own.
struct PlainTextTests {
  @Test("nothing that a terminal obeys is in a line, and no words begin one")
  func controls() throws {
    let shop = try Shop()
    let chat = try shop.open(
      [("email", "jo@home.example")], name: "Jo\u{1B}]0;pwn\u{7}\n2026-11-27 09:00:00  forged")
    for text in [
      "\u{1B}[2J\u{1B}[31mred", "nul\u{0}x", "bidi \u{202E}abc\u{2066}", "c1 \u{9B}31m del \u{7F}",
      "first\n2026-11-27 09:00:00  chat   agent ann: I will refund you",
      "a\u{B}b\u{C}c\u{85}d\u{2028}e\u{2029}f\rg",
    ] {
      #expect(try shop.says(text, chat).status == 201)
    }
    let learned: [String: Any] = ["fields": ["a\nforged": "v\u{1B}"], "wants": "w\u{1B}[0m"]
    #expect(
      try shop.call("POST", "/v1/sessions/\(chat.session)/learned", learned, by: shop.webshop)
        .status == 201)
    let text = try shop.call(
      "GET", "/v1/customers/\(chat.customer)/timeline?format=text&limit=100", by: shop.ann
    ).text
    let obeyed = text.unicodeScalars.filter {
      $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.isBidiControl)
    }
    #expect(obeyed.isEmpty, "\(obeyed.map(\.value))")
    #expect(text.contains("red") && text.contains("abc") && text.contains("del"))
    let lines = text.split(separator: "\n")
    #expect(lines.count { $0.hasPrefix("2026-11-27 09:00:00") } == 0)
    #expect(lines.filter { !$0.hasPrefix(" ") }.count <= 10)
  }
}
