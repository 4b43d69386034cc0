import Expressions
import Model
import Rules

extension WorkspaceReader {
  func retention(_ section: Section) -> RetentionConfiguration? {
    guard
      let members = section.members(
        ["older_than_days", "channel", "kind", "tag"], what: "a retention rule")
    else { return nil }
    guard let age = members["older_than_days"] else {
      section.report("a retention rule needs `older_than_days`")
      return nil
    }
    guard let days = age.whole(1...36_500, what: "older_than_days") else { return nil }
    var made = RetentionConfiguration(days: Int64(days))
    if let place = members["channel"], let name = place.text(what: "channel") {
      guard let channel = Channel(name: name) else {
        place.report(
          "`\(name)` is no channel", hint: Channel.allCases.map(\.name).joined(separator: ", "))
        return nil
      }
      made.channel = channel
    }
    if let place = members["kind"], let name = place.text(what: "kind") {
      // Past it without a word, nothing would ever go.
      guard RetentionConfiguration.kinds.contains(name) else {
        place.report(
          "`\(name)` is no kind of entry",
          hint: Spelling.hint(name, among: RetentionConfiguration.kinds)
            ?? RetentionConfiguration.kinds.joined(separator: ", "))
        return nil
      }
      made.kind = name
    }
    if let place = members["tag"] {
      // Read as no tag, the rule would take the words of every conversation.
      guard let tag = tag(place) else { return nil }
      made.tag = tag
    }
    return made
  }

  func tag(_ section: Section) -> String? {
    guard let text = section.text(what: "a tag") else { return nil }
    guard PlainName.isPlain(text) else {
      section.report("a tag is \(PlainName.shape)")
      return nil
    }
    return text
  }

  func redaction(_ entry: (name: String, key: Section, value: Section)) -> RedactionConfiguration? {
    guard let text = entry.value.text(what: "a pattern to redact") else { return nil }
    do throws(TextPattern.Wrong) {
      return RedactionConfiguration(name: entry.name, pattern: try TextPattern(text))
    } catch {
      entry.value.report("`\(text)` is not a regular expression: \(error.why)")
      return nil
    }
  }
}
