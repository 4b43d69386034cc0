import Model
import Records
import WebCodec

extension EntryRow {
  /// What it says; nil where its words are gone, or are no JSON.
  public var parsed: JSONValue? {
    guard let body else { return nil }
    do throws(JSONError) { return try JSONValue(parsing: body) } catch { return nil }
  }
}

/// One entry as a person reads it: `2026-11-26 09:30:00  chat   customer: my lamp is broken`.
public struct EntryText: Sendable {
  /// When it was said, which may be before it reached us.
  public var at: Instant
  public var line: String

  public init(_ row: EntryRow) {
    if row.isDamaged {
      self.init(damaged: "\(row.id)")
    } else {
      self.init(row.parsed, at: row.at)
    }
  }

  /// An entry that is kept and cannot be read.
  public init(damaged number: String) {
    at = .distantPast
    line =
      "\(String(repeating: " ", count: 19))         (entry \(number) is damaged and cannot be read)"
  }

  /// - Parameters:
  ///   - entry: as the API gives it; nil: its words are gone, and its place stays.
  ///   - reached: when it reached us, as far as that is known.
  public init(_ entry: JSONValue?, at reached: Instant?) {
    guard let entry else {
      at = reached ?? .distantPast
      line = "\(reached.map(Self.clock) ?? String(repeating: " ", count: 19))         (erased)"
      return
    }
    func time(_ name: String) -> Instant? { entry[name]?.string.flatMap { Instant(rfc3339: $0) } }
    at = time("said_at") ?? reached ?? time("at") ?? .distantPast
    let channel = entry["channel"]?.string ?? ""
    let padded = channel + String(repeating: " ", count: max(0, 6 - channel.count))
    let start = PlainText.line("\(Self.clock(at))  \(padded) \(Self.who(entry))")
    line = "\(start): \(PlainText.words(Self.what(entry), indent: 29))"
  }

  private static func clock(_ at: Instant) -> String {
    String(at.description.prefix(19)).replacing("T", with: " ")
  }

  private static func who(_ entry: JSONValue) -> String {
    let kind = (entry["author"]?["kind"]?.string ?? "?") + (isUnproven(entry) ? " (unproven)" : "")
    return entry["author"]?["name"]?.string.map { "\(kind) \($0)" } ?? kind
  }

  /// Whether it came by mail whose sender nobody has proven: anybody may write an address there.
  static func isUnproven(_ entry: JSONValue) -> Bool {
    entry["sender_assurance"]?.string == Assurance.claimed.name
  }

  private static func what(_ entry: JSONValue) -> String {
    func text(_ name: String) -> String { entry[name]?.string ?? "" }
    func because(_ sentence: String) -> String {
      text("reason").isEmpty ? sentence : "\(sentence), because \(text("reason"))"
    }
    let owner = [entry["owner"]?["kind"]?.string, entry["owner"]?["name"]?.string].compactMap { $0 }
      .joined(separator: " ")
    switch text("kind") {
    case "message", "speech": return text("text") + addresses(entry) + attachments(entry)
    case "note": return "(note) " + text("text") + attachments(entry)
    case "digits": return "presses \(text("digits"))"
    case "voicemail":
      return "leaves a message (\(text("blob")))"
        + (text("text").isEmpty ? "" : ": \(text("text"))")
    case "learned": return learned(entry)
    case "handoff":
      let summary = text("summary").isEmpty ? "" : "; \(text("summary"))"
      return because("hands over to \(owner)") + summary
    case "routed":
      return "goes to \(owner)"
        + (text("reason") == "leaves_message" ? "; the caller is asked to leave a message" : "")
    case "accepted": return "takes over"
    case "transferred": return because("transfers to \(owner)")
    case "handed_back":
      return because("hands back to \(owner)")
        + (text("summary").isEmpty ? "" : ": \(text("summary"))")
    case "journey": return "\(text("event")) (\(text("source")))"
    case "call": return "calls \(text("to")) from \(text("from"))"
    case "session_opened": return "opens a session"
    case "session_ended": return because("the session ends")
    case "merged": return because("two records of this customer became one")
    case "split": return because("this customer's records were taken apart")
    case "joined": return because("the same matter as \(text("with"))")
    case "parted": return because("another matter than \(text("with")) after all")
    case "redacted":
      let of = if case .int(let number)? = entry["of"] { "\(number)" } else { "?" }
      return because("took words out of entry \(of)")
    case "tagged", "untagged":
      let tags = (entry["tags"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
      return because("\(text("kind")) \(tags)")
    case "undelivered":
      let what = text("action") == "delayed" ? "not delivered yet" : "not delivered"
      return because("mail to \(text("to")) was \(what)")
    default: return text("kind").replacing("_", with: " ")
    }
  }

  /// Who else has a mail, and where its answer is wanted.
  private static func addresses(_ entry: JSONValue) -> String {
    [("cc", "copy to"), ("reply_to", "answer to")].map { name, words in
      let list = (entry[name]?.array ?? []).compactMap(\.string).joined(separator: ", ")
      return list.isEmpty ? "" : " [\(words) \(list)]"
    }.joined()
  }

  private static func attachments(_ entry: JSONValue) -> String {
    let count = entry["attachments"]?.array?.count ?? 0
    return count == 0 ? "" : " [\(count) attached]"
  }

  private static func learned(_ entry: JSONValue) -> String {
    var parts: [String] = []
    if let wants = entry["wants"]?.string { parts.append("they want \(wants)") }
    if case .object(let fields)? = entry["fields"] {
      for field in fields.members {
        let value = LearnedField(field.value).value
        parts.append(
          "\(field.name) = \(value.string ?? String(decoding: value.encoded, as: UTF8.self))")
      }
    }
    if let sentiment = entry["sentiment"]?.string { parts.append("they seem \(sentiment)") }
    for tried in entry["tried"]?.array ?? [] { parts.append("tried: \(tried.string ?? "")") }
    for promise in entry["promised"]?.array ?? [] {
      parts.append("promised: \(promise.string ?? "")")
    }
    return parts.joined(separator: "; ")
  }
}
