import Model
import WebCodec

/// A person's export as people read it: the same as the JSON, text for text, but for hashes and what
/// salts them. What is said of a thing stands below it, a line each; words keep their lines.
public enum ExportText {
  /// - Parameter export: as `PersonExport` makes it.
  public static func render(_ export: [UInt8]) throws(JSONError) -> String {
    let export = try JSONValue(parsing: export)
    let files = files(export)
    var out = Outline()
    out.line("Everything that is kept of one customer", 0)
    for (name, value) in members(export)
    where !sections.contains(where: { $0.name == name }) && name != "timeline" {
      out.add(name, value, 1)
    }
    for (name, title) in sections {
      let items = export[name]?.array ?? []
      out.line("", 0)
      out.line(items.isEmpty ? "\(title): none" : title, 0)
      for item in items { out.item(item, 1) }
    }
    out.line("", 0)
    timeline(export["timeline"] ?? .null, files, &out)
    return out.text
  }

  private static let sections: [(name: String, title: String)] = [
    ("records", "Records"), ("identities", "Identities, and who said that they are theirs"),
    ("conversations", "Conversations"), ("cases", "Cases: what was handed over, what rules saw"),
    ("attachments", "Attachments, and where their bytes are"), ("read_by", "Who read of it"),
  ]

  /// What proves and is said by nobody, and what the line of an entry begins with.
  private static let proofs: Set<String> = ["salt", "at", "said_at", "author", "channel"]
  /// Where an entry stands, in one line below it.
  private static let places = ["entry", "kind", "visibility", "conversation", "session", "case"]

  private static func members(_ value: JSONValue) -> [(String, JSONValue)] {
    guard case .object(let object) = value else { return [] }
    return object.members.map { ($0.name, $0.value) }
  }

  private static func files(_ export: JSONValue) -> [String: String] {
    var files: [String: String] = [:]
    for row in export["attachments"]?.array ?? [] {
      guard let id = row["id"]?.string else { continue }
      files[id] = row["file"]?.string ?? "damaged, and cannot be read"
    }
    return files
  }

  // MARK: - Timeline

  private static func timeline(_ page: JSONValue, _ files: [String: String], _ out: inout Outline) {
    let entries = page["entries"]?.array ?? []
    out.line("Timeline: \(page["count"]?.int ?? Int64(entries.count)) entries", 0)
    var told: [(text: EntryText, entry: JSONValue?)] = []
    for line in entries {
      if let number = line["damaged"]?.int {
        told.append((EntryText(damaged: "\(number)"), nil))
      } else {
        let entry = line["entry"].flatMap { $0 == .null ? nil : $0 }
        told.append((EntryText(entry, at: nil), entry))
      }
    }
    // In the order in which things were said; what is gone keeps the place that it had.
    var last = Instant.distantPast
    let placed = told.enumerated().map { place, one in
      if one.entry != nil { last = one.text.at }
      return (at: last, place: place, one: one)
    }
    for (_, _, one) in placed.sorted(by: { ($0.at, $0.place) < ($1.at, $1.place) }) {
      out.line(one.text.line, 0)
      if let entry = one.entry { details(entry, one.text.line, files, &out) }
    }
    if let hash = page["hash"]?.string { out.line("hash of all: \(hash)", 0) }
  }

  /// Whatever of an entry its line does not say.
  private static func details(
    _ entry: JSONValue, _ line: String, _ files: [String: String], _ out: inout Outline
  ) {
    let place = places.compactMap { name in
      entry[name].map { "\(name) \(Outline.word($0))" }
    }
    out.line(PlainText.line(place.joined(separator: ", ")), 2)
    let times = ["at", "said_at"].compactMap { name in entry[name]?.string.map { "\(name) \($0)" } }
    out.line(PlainText.line(times.joined(separator: ", ")), 2)
    for (name, value) in members(entry)
    where !proofs.contains(name) && !places.contains(name) && !isSaid(value, line) {
      out.add(name, value, 2)
    }
    for id in attachments(entry) {
      out.add("bytes of \(id)", .string(files[id] ?? "not kept any more"), 2)
    }
  }

  private static func isSaid(_ value: JSONValue, _ line: String) -> Bool {
    guard let text = value.string else { return false }
    return text.split(whereSeparator: \.isNewline).allSatisfy {
      line.contains(PlainText.line(String($0)))
    }
  }

  private static func attachments(_ entry: JSONValue) -> [String] {
    let named = (entry["attachments"]?.array ?? []).map { $0.string ?? $0["blob"]?.string }
    return (named + [entry["blob"]?.string]).compactMap { $0 }
  }
}

/// JSON as an outline: a name and its value a line, what belongs to it indented below.
private struct Outline {
  private(set) var text = ""

  mutating func line(_ words: String, _ depth: Int) {
    text += String(repeating: "  ", count: depth) + words + "\n"
  }

  mutating func add(_ name: String, _ value: JSONValue, _ depth: Int) {
    let name = PlainText.line(name)
    switch value {
    case .object(let object) where !object.members.isEmpty:
      line("\(name):", depth)
      for member in object.members { add(member.name, member.value, depth + 1) }
    case .array(let values) where !values.isEmpty:
      line("\(name):", depth)
      for value in values { item(value, depth + 1) }
    default:
      line("\(name): \(PlainText.words(Self.word(value), indent: 2 * depth + 2))", depth)
    }
  }

  /// One of several.
  mutating func item(_ value: JSONValue, _ depth: Int) {
    switch value {
    case .object(let object):
      line("-", depth)
      for member in object.members { add(member.name, member.value, depth + 1) }
    case .array(let values):
      line("-", depth)
      for value in values { item(value, depth + 1) }
    default: line("- \(PlainText.words(Self.word(value), indent: 2 * depth + 2))", depth)
    }
  }

  static func word(_ value: JSONValue) -> String {
    value.string ?? String(decoding: value.encoded, as: UTF8.self)
  }
}
