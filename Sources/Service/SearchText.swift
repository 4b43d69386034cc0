import Continuity
import Model
import Records
import WebCodec

/// What of an entry can be looked for: whatever its JSON says, but not its own frame (numbers, ids,
/// who, when).
public enum SearchText {
  /// Of one entry, in bytes; what a mail quotes is not worth more.
  static let bytesMax = 256 << 10

  @Sendable public static func words(_ entry: EntryRow) -> EntryWords {
    // A body that is no JSON has no words that could be told from its frame.
    guard case .object(let object)? = entry.parsed else {
      return EntryWords(text: "", channel: nil)
    }
    var text = ""
    for member in object.members where !EntryBody.frame.contains(member.name) {
      add(member.value, to: &text)
    }
    var words = EntryWords(
      text: text, channel: object["channel"]?.string.flatMap { Channel(name: $0) })
    if object["kind"]?.string == EntryKind.redacted.rawValue, case .int(let number)? = object["of"]
    {
      words.changes = EntryID(number)
    }
    return words
  }

  /// What retention asks.
  public static let retention = RetentionFacts(
    tagged: EntryKind.tagged.rawValue, entry: kindAndChannel, tags: ConversationPage.tags)

  @Sendable private static func kindAndChannel(_ entry: EntryRow) -> (
    kind: String?, channel: Channel?
  ) {
    let value = entry.parsed
    return (value?["kind"]?.string, value?["channel"]?.string.flatMap { Channel(name: $0) })
  }

  private static func add(_ value: JSONValue, to text: inout String) {
    guard text.utf8.count < bytesMax else { return }
    switch value {
    case .string(let said): add(said, to: &text)
    case .int(let number): add(String(number), to: &text)
    case .number(let digits): add(digits, to: &text)
    case .array(let values): for value in values { add(value, to: &text) }
    case .object(let object): for member in object.members { add(member.value, to: &text) }
    case .null, .bool: break
    }
  }

  private static func add(_ said: String, to text: inout String) {
    if !text.isEmpty { text += "\n" }
    text += said
  }
}
