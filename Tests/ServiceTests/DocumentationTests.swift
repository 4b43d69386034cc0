import Continuity
import Foundation
import Model
import Service
import Testing

/// docs/continuity.md: its talks are played, in order, in one workspace. Lines of a block named
/// `talk`:
///
/// ```
/// webshop> POST /v1/sessions {"customer": …}     a caller, by their token's holder
/// 201 {"session": "$s"}                          the answer holds at least this; $s is remembered,
/// or must be the same
/// mail> jo@home.example | Lamp | it is dark      a proven mail: from, subject, text
/// +3d                                            time passes
/// # why                                          a remark
/// ```
struct ContinuityDocumentationTests {
  @Test("what the page shows happens")
  func talks() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../docs/continuity.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    let shop = try Shop()
    var talk = DocumentedTalk(shop: shop)
    var isTalk = false
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.hasPrefix("```") {
        isTalk = line == "```talk"
        continue
      }
      if isTalk { try talk.play(String(line), at: index + 1) }
    }
    #expect(talk.answers > 10)
  }

  @Test("every kind of entry is on the page")
  func kinds() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../docs/continuity.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    for kind in EntryKind.allCases {
      #expect(text.contains("`\(kind.rawValue)`"), "\(kind.rawValue)")
    }
  }
}

struct DocumentedTalk {
  let shop: Shop
  var known: [String: String] = [:]
  var reply: Reply?
  var answers = 0

  mutating func play(_ line: String, at number: Int) throws {
    if line.isEmpty || line.hasPrefix("#") { return }
    if line.hasPrefix("+") { return try shop.pass(.seconds(seconds(line.dropFirst()))) }
    if let mark = line.range(of: "> ") {
      let (who, rest) = (String(line[..<mark.lowerBound]), String(line[mark.upperBound...]))
      if who == "mail" { return try mail(rest, number) }
      let parts = filled(rest).split(separator: " ", maxSplits: 2).map(String.init)
      let body =
        parts.count == 3
        ? try JSONSerialization.jsonObject(with: Data(parts[2].utf8)) as? [String: Any] : nil
      shop.now = shop.now + .seconds(1)
      reply = try shop.call(parts[0], parts[1], body, by: caller(who))
      return
    }
    let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
    let answer = try #require(reply, "line \(number): an answer without a question")
    answers += 1
    #expect(answer.status == Int(parts[0]), "line \(number): \(answer.text)")
    guard parts.count == 2 else { return }
    if answer.contentType.hasPrefix("text/plain") {
      #expect(answer.text.contains(parts[1]), "line \(number): \(answer.text)")
      return
    }
    let expected = try JSONSerialization.jsonObject(with: Data(parts[1].utf8))
    #expect(matches(expected, answer.json), "line \(number): \(answer.text)")
  }

  private mutating func mail(_ text: String, _ number: Int) throws {
    let parts = text.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    shop.now = shop.now + .seconds(1)
    let taken = try shop.mail(
      from: parts[0], subject: parts[1], id: "\(number)@home.example", parts[2])
    reply = Reply(
      APIResponse(200, json: Array("{\"conversation\":\"\(taken.conversation)\"}".utf8)))
  }

  private func seconds(_ text: Substring) -> Int64 {
    let unit: Int64 = ["s": 1, "m": 60, "h": 3_600, "d": 86_400][text.last ?? "s"] ?? 1
    return (Int64(text.dropLast()) ?? 0) * unit
  }

  private func caller(_ name: String) -> Caller {
    switch name {
    case "webshop", "whatsapp": shop.caller(.bot, name)
    case "ann", "bob": shop.caller(.agent, name)
    case "till": shop.till
    case "pbx": shop.pbx
    default: shop.boss
    }
  }

  private func filled(_ text: String) -> String {
    var text = text
    for name in known.keys.sorted(by: { $0.count > $1.count }) {
      text = text.replacing("$" + name, with: known[name] ?? "")
    }
    return text
  }

  /// Whether the answer holds at least what is expected.
  private mutating func matches(_ expected: Any, _ found: Any?) -> Bool {
    switch expected {
    case let object as [String: Any]:
      guard let found = found as? [String: Any] else { return false }
      for name in object.keys.sorted() {
        if !matches(object[name] ?? NSNull(), found[name]) { return false }
      }
      return true
    case let list as [Any]:
      guard let found = found as? [Any], found.count == list.count else { return false }
      for (one, other) in zip(list, found) { if !matches(one, other) { return false } }
      return true
    case let text as String where text.hasPrefix("$"):
      guard let found = found as? String ?? (found as? NSNumber)?.stringValue else { return false }
      let name = String(text.dropFirst())
      if let known = known[name] { return known == found }
      known[name] = found
      return true
    case let text as String: return found as? String == text
    case let number as NSNumber: return found as? NSNumber == number
    default: return found is NSNull
    }
  }
}
