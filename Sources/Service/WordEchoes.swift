import Continuity
import Model
import Pipeline
import Records
import WebCodec

/// Rows that repeat words of entries, so that agents and rules have them at hand: a case its
/// handoff and what the rules saw, a conversation its subject, a customer what they did last. They
/// may say only what an entry still says.
enum WordEchoes {
  static let forms = ErasedForms.Echoes(
    aCase: { row, kept in
      guard var about = CaseView.decoded(row.about), !about.handoff.isEmpty,
        !kept.contains(where: { $0.body?.contains(about.handoff) ?? false })
      else { return nil }
      about.handoff = []
      return about.encoded
    },
    conversation: { row, kept in
      guard var about = ConversationPage.decoded(row.about),
        about.subjectKey != nil || about.mail?.subject.isEmpty == false,
        !kept.contains(where: { $0.parsed?["subject"]?.string != nil })
      else { return nil }
      about.subjectKey = nil
      about.mail?.subject = ""
      return about.encoded
    },
    profile: { row, gone in
      guard var profile = row.decodedProfile else { return nil }
      let before = profile.journey.count
      profile.journey.removeAll { event in gone.contains { tells($0, event) } }
      return profile.journey.count == before ? nil : profile.encoded
    },
    facts: { row, gone, kept in
      guard let facts = parsed(row.bytes) else { return true }
      var words: Set<String> = []
      for entry in gone { words.formUnion(said(entry)) }
      for entry in kept { words.subtract(said(entry)) }
      var seen: Set<String> = []
      add(facts, to: &seen)
      return seen.contains { fact in words.contains { repeats(fact, $0) } }
    })

  private static func parsed(_ bytes: [UInt8]) -> JSONValue? {
    do throws(JSONError) { return try JSONValue(parsing: bytes) } catch { return nil }
  }

  private static func tells(_ entry: EntryRow, _ event: CustomerProfile.JourneyEvent) -> Bool {
    guard let told = entry.parsed, told["event"]?.string == event.name else { return false }
    return (told["said_at"]?.string.flatMap { Instant(rfc3339: $0) } ?? entry.at) == event.at
  }

  /// Rules may have seen the beginning of a text, or more than it.
  private static func repeats(_ fact: String, _ words: String) -> Bool {
    if fact == words { return true }
    guard fact.utf8.count >= 4, words.utf8.count >= 4 else { return false }
    return fact.contains(words) || words.contains(fact)
  }

  private static func said(_ entry: EntryRow) -> Set<String> {
    var words: Set<String> = []
    guard case .object(let told)? = entry.parsed else { return words }
    for member in told.members where !EntryBody.frame.contains(member.name) {
      add(member.value, to: &words)
    }
    return words
  }

  private static func add(_ value: JSONValue, to words: inout Set<String>) {
    switch value {
    case .null, .bool: break
    case .string(let text): if !text.isEmpty { words.insert(text) }
    case .int(let number): words.insert("\(number)")
    case .number(let digits): words.insert(digits)
    case .array(let values): for value in values { add(value, to: &words) }
    case .object(let object): for member in object.members { add(member.value, to: &words) }
    }
  }
}
