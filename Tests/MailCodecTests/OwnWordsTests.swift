import Foundation
import Testing

@testable import MailCodec

let conformance = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("Conformance")

struct `Own words` {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var body: String
    var reply: String?
    var trimmed: String?
    var testDescription: String { name }
  }

  static func cases(_ file: String) throws -> [Case] {
    try String(contentsOf: conformance.appendingPathComponent(file), encoding: .utf8).split(
      separator: "\n"
    )
    .map { try JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
  }

  /// Compared line by line without the white space at the end of each, and without blank lines at
  /// both ends.
  static func normal(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      line -> Substring in
      var line = line
      while let last = line.last, last.isWhitespace { line.removeLast() }
      return line
    }
    guard let first = lines.firstIndex(where: { !$0.isEmpty }),
      let last = lines.lastIndex(where: { !$0.isEmpty })
    else { return "" }
    return lines[first...last].joined(separator: "\n")
  }

  /// These count a quote as own words on purpose: their project shows them to a forum, we keep them
  /// as quotes.
  static let differing: Set<String> = [
    "embedded_email_16", "embedded_email_17", "quote_and_text", "quote_only",
  ]

  /// A sentence that begins as a telephone's line, and goes on.
  static let sentence = "email_sent_from_my_not_signature"

  @Test(arguments: try cases("own-words-github.jsonl").filter { $0.name != sentence })
  func `github's replies are found`(_ one: Case) throws {
    #expect(Self.normal(OwnWords(one.body).own) == Self.normal(try #require(one.reply)))
  }

  @Test(arguments: try cases("own-words-discourse.jsonl").filter { !differing.contains($0.name) })
  func `discourse's words are found`(_ one: Case) throws {
    #expect(Self.normal(OwnWords(one.body).own) == Self.normal(try #require(one.trimmed)))
  }

  @Test func `a sentence that github's words leave out is its author's`() throws {
    let one = try #require(Self.cases("own-words-github.jsonl").first { $0.name == Self.sentence })
    #expect(Self.normal(OwnWords(one.body).own) == Self.normal(one.body))
  }

  @Test(arguments: try cases("own-words-github.jsonl") + cases("own-words-discourse.jsonl"))
  func `nothing of a body is lost`(_ one: Case) {
    let words = OwnWords(one.body)
    #expect(words.fragments.flatMap { words.body[$0.range] } == Array(one.body.utf8))
  }

  @Test(
    arguments: [
      (
        "Hi\n\nAnn Lee <ann@home.example> schrieb am Fr., 28.\nApr. 2017 um 11:53 Uhr:\n\n> Hallo",
        "Hi"
      ),
      ("Oui.\n\nLe 2 mars 2026 à 16:05, Ann a\u{A0}écrit\u{A0}:\n\nBonjour", "Oui."),
      (
        "Yes.\n\nOn Mon, Mar 2, 2026 at 4:05\u{202F}PM Ann <ann@home.example> wrote:\n\n> a", "Yes."
      ),
      ("AL> which?\nthe tall one", "the tall one"),
      ("ok\nSent from my iPhone\nSent from my iPad", "ok"),
      ("Sent from my iPhone, so please excuse the typos. The lamp is dark.", nil),
      ("On Monday I wrote to you: nothing came.", "On Monday I wrote to you: nothing came."),
      (
        "Please read:\nFrom: A\nTo: B\nis how I moved.",
        "Please read:\nFrom: A\nTo: B\nis how I moved."
      ),
      ("a | b\n| c | d |\nend", "a | b\n| c | d |\nend"),
      (
        "1 -- 2\n--- \ntext after a rule that is long\n" + String(repeating: "line\n", count: 30),
        nil
      ),
      ("```\n> code\n-- \n```\nwords", "```\n> code\n-- \n```\nwords"),
      ("", ""), ("\n\n", ""), (">", ""),
    ] as [(String, String?)])
  func `a rule holds beside the corpora`(_ body: String, _ own: String?) {
    let words = OwnWords(body)
    #expect(Self.normal(words.own) == Self.normal(own ?? body))
  }
}
