import Model
import Rules

extension WorkspaceReader {
  /// As many as the router takes.
  private static let statusesMax = 100

  private enum ReasonRule: String, CaseIterable { case required, optional }

  func readStatuses(_ section: Section) -> [StatusConfiguration] {
    let entries = section.entries(what: "statuses")
    if entries.count > Self.statusesMax {
      section.report("\(entries.count) statuses; \(Self.statusesMax) are allowed")
    }
    return entries.compactMap(status)
  }

  private func status(_ entry: (name: String, key: Section, value: Section))
    -> StatusConfiguration?
  {
    checkName(entry)
    if StatusConfiguration.Plain(rawValue: entry.name) != nil {
      entry.key.report(
        "every workspace has the status `\(entry.name)`",
        hint: "give yours another name, and say `as: \(entry.name)`")
    }
    guard
      let members = entry.value.members(["title", "as", "channels", "reason"], what: "a status")
    else { return nil }
    guard let said = members["as"] else {
      entry.key.report(
        "a status needs `as`: what it counts as", hint: "write { title: Coaching, as: busy }")
      return nil
    }
    guard let counts = said.choice(StatusConfiguration.Plain.self, what: "as") else { return nil }
    var made = StatusConfiguration(name: entry.name, as: counts)
    if let title = members["title"]?.text(what: "title") { made.title = title }
    if let channels = members["channels"] {
      made.channels = statusChannels(channels, of: entry.name, counts)
    }
    if let rule = members["reason"]?.choice(ReasonRule.self, what: "reason") {
      made.needsReason = rule == .required
    }
    return made
  }

  private func statusChannels(
    _ section: Section, of name: String, _ counts: StatusConfiguration.Plain
  ) -> [Channel] {
    guard counts == .available else {
      section.report(
        "`\(name)` counts as \(counts.rawValue), and takes nothing on any channel",
        hint: "`channels` goes with `as: available`")
      return []
    }
    var found: [Channel] = []
    let named = section.oneOrMore(what: "channels")
    for entry in named {
      guard let text = entry.text(what: "a channel") else { continue }
      guard let channel = Channel(name: text) else {
        entry.report("`\(text)` is not a channel", hint: "say chat, email or phone")
        continue
      }
      if found.contains(channel) { entry.report("`\(text)` stands twice") }
      found.append(channel)
    }
    if named.isEmpty { section.report("`channels` names none", hint: "say chat, email or phone") }
    return found
  }
}
