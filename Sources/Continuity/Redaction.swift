import Model
import Wire

/// Words that somebody takes out of what was kept already. They are looked for exactly as given,
/// inside of longer ones, too.
public struct Redaction: Sendable {
  /// Stands where they stood.
  public static let mark = "[removed]"
  static let markBytes = Array(mark.utf8)
  private let words: [UInt8]
  /// Whether they are what was put in the place of others, and so nothing that anybody said.
  let isMark: Bool

  /// nil for words that are none.
  public init?(_ words: String) {
    guard words.contains(where: { !$0.isWhitespace }) else { return nil }
    self.words = Array(words.utf8)
    isMark = words.split(separator: Self.mark).allSatisfy { $0.allSatisfy(\.isWhitespace) }
  }

  /// An entry without them; nil where they do not stand in it, or no longer. What is not words (numbers, ids,
  /// who, when) stays.
  /// - Parameters:
  ///   - by: the entry that tells of the redaction.
  ///   - salt: a new one: with the old one, which would stay known, the old hash would give the
  ///     words away to whoever tries all that they may have been.
  public func entry(_ body: [UInt8], by: EntryID, salt: UInt64) -> [UInt8]? {
    guard let members = JSONWords.members(body) else { return nil }
    var out = [UInt8(ascii: "{")]
    var isFound = false
    for (name, place) in members where name != "salt" && name != "redacted" {
      let value = Array(body[place])
      let changed =
        EntryBody.frame.contains(name) ? nil : json(value, isGiven: Self.given.contains(name))
      isFound = isFound || changed != nil
      JSONText.append(name, to: &out)
      out.append(UInt8(ascii: ":"))
      out += changed ?? value
      out.append(UInt8(ascii: ","))
    }
    guard isFound else { return nil }
    return out + Array("\"redacted\":\(by)".utf8) + EntryBody.end(salt: salt)
  }

  /// Members below which names are words: of fields, of what a phone system knows, of what a shop tells.
  static let given: Set<String> = [
    "fields", "known", "detail", "context", "attributes", "collected",
  ]

  /// JSON, or members of an object, without them; names of members that are ours stay. nil where they
  /// do not stand in it.
  /// - Parameter isGiven: whether all of it is what somebody gave, names too.
  public func json(_ json: [UInt8], isGiven: Bool = false) -> [UInt8]? {
    JSONWords(
      text: without, number: { without($0).map { _ in Array(Self.mark.utf8) } }, given: Self.given,
      isGiven: isGiven
    ).rewritten(json)
  }

  public func text(_ text: String) -> String {
    without(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } ?? text
  }

  /// Of a text that is kept in lower case to be compared by, such as a subject's.
  public func key(_ text: String) -> String {
    Redaction(String(decoding: words, as: UTF8.self).lowercased())?.text(text) ?? text
  }

  private func without(_ text: [UInt8]) -> [UInt8]? {
    guard !isMark else { return nil }
    var out: [UInt8] = []
    var kept = 0
    var at = 0
    while at + words.count <= text.count {
      if text[at...].starts(with: words), !Self.isInMark(at + words.count, since: at, text) {
        out += text[kept..<at]
        out += Self.markBytes
        at += words.count
        kept = at
      } else {
        // No letter of a mark was said.
        at += text[at...].starts(with: Self.markBytes) ? Self.markBytes.count : 1
      }
    }
    return kept == 0 ? nil : out + text[kept...]
  }

  /// Whether a mark that begins at `start` or later goes on over `end`.
  private static func isInMark(_ end: Int, since start: Int, _ text: [UInt8]) -> Bool {
    (max(start, end - markBytes.count + 1)..<end).contains {
      text[$0...].starts(with: markBytes)
    }
  }
}

extension CustomerProfile {
  /// Takes words out of what the profile has from an entry: journey events, and attributes that
  /// came with it.
  public mutating func take(_ redaction: Redaction, from entry: [UInt8]) {
    for index in journey.indices {
      journey[index].name = redaction.text(journey[index].name)
      if let detail = redaction.json(journey[index].detail, isGiven: true) {
        journey[index].detail = detail
      }
    }
    change { attribute in
      if entry.contains(attribute.value),
        let value = redaction.json(attribute.value, isGiven: true)
      {
        attribute.value = value
      }
    }
    for index in links.indices { links[index].take(redaction, from: entry) }
  }
}

extension Evidence {
  /// Takes words out of why something was decided about the identity, where an entry tells just that.
  /// Answers whether there were any.
  public mutating func take(_ redaction: Redaction, from entry: [UInt8]) -> Bool {
    guard var item = decided, JSONText.holds(reason, in: entry) else { return false }
    if item.detail.isEmpty {
      item.means = redaction.text(item.means)
    } else {
      item.detail = redaction.text(item.detail)
    }
    guard item != decided else { return false }
    decided = item
    return true
  }
}

extension JSONText {
  /// Whether JSON holds a text as a string of its own.
  static func holds(_ text: String, in json: [UInt8]) -> Bool {
    guard !text.isEmpty else { return false }
    var quoted: [UInt8] = []
    append(text, to: &quoted)
    return json.contains(quoted)
  }
}
