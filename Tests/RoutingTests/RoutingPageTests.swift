import Foundation
import Testing

@testable import Routing

/// The page says of itself that each of its examples is a test of the same name.
struct `docs/routing.md` {
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent()

  private static func page() throws -> String {
    try String(
      contentsOf: tests.appending(path: "../../docs/routing.md").standardized, encoding: .utf8)
  }

  /// What stands in backticks and is a sentence rather than a name or a line of code.
  private static func sentences(_ text: some StringProtocol) -> [String] {
    String(text).matches(of: /`([^`]+)`/).map { String($0.1).replacing("\n", with: " ") }.filter {
      $0.count { $0 == " " } >= 3 && !$0.contains("--")
    }
  }

  @Test func `every example of the page is a test of that name`() throws {
    var names: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(atPath: Self.tests.path)
    where file.hasSuffix(".swift") {
      let source = try String(contentsOf: Self.tests.appending(path: file), encoding: .utf8)
      names.formUnion(source.matches(of: /func\s+`([^`]+)`/).map { String($0.1) })
    }
    let examples = Self.sentences(try Self.page())
    #expect(examples.count > 40)
    for example in examples { #expect(names.contains(example), "no test is called that") }
  }

  /// Under which heading the example stands, and what it must speak of.
  static var features: [(heading: String, word: String)] {
    let strategies = (1...UInt8.max).compactMap(RoutingConfiguration.Strategy.init(rawValue:))
    let orders = (1...UInt8.max).compactMap(RoutingConfiguration.Order.init(rawValue:))
    return orders.map { ("Order: which case goes first", "\($0)") } + [
      ("Order: which case goes first", "strict"),
      ("Who may take it", "weight"), ("Who may take it", "channelMax"),
      ("Who may take it", "interrupted"), ("Who may take it", "voiceExclusive"),
      ("Who gets it", "preferred"), ("Who gets it", "chain"),
      ("Offers", "declines"), ("Offers", "at once"),
    ] + strategies.map { ("Who gets it", "\($0)") }
  }

  @Test(arguments: features) func `each order, strategy and kind of capacity has a worked example`(
    _ feature: (heading: String, word: String)
  ) throws {
    let section = try #require(
      try Self.page().components(separatedBy: "\n## ").first { $0.hasPrefix(feature.heading) })
    // From the word to the end of its paragraph, or to where a table begins.
    let told = section.matches(of: /\*Examples?\*(?:(?!\n\n)[\s\S])*/).map { String($0.0) }
    #expect(
      told.contains { $0.contains(feature.word) && !Self.sentences($0).isEmpty },
      "\(feature.word) has none")
  }
}
