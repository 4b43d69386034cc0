import Continuity
import Model
import Pipeline
import Records
import WebCodec
import Wire

/// What the next owner gets at the first glance, each line with who said it and in which entry: who
/// this is, what they want, what is known, tried and promised, how they feel, how long they have
/// waited. All of it is read out of the timeline, which stands behind it with its count and hash;
/// nothing here is anybody's own memory.
struct Brief {
  /// Where a line of the brief comes from.
  struct Source: Equatable {
    var by: String
    var entry: EntryID
    var at: String
    var conversation: String?
    /// By mail, from an address that whoever wrote has not proven to be theirs.
    var isUnproven = false
  }
  struct Field: Equatable {
    var name: String
    var learned: LearnedField
    var source: Source
  }
  struct Line: Equatable {
    var text: String
    var source: Source
    /// More was said; all of it stands in the entry.
    private(set) var isCut = false

    init(_ text: String, _ source: Source) {
      self.text = text
      self.source = source
      guard text.utf8.count > Brief.lineBytesMax else { return }
      var kept = String.UnicodeScalarView()
      var bytes = 0
      for scalar in text.unicodeScalars {
        bytes += scalar.utf8.count
        if bytes > Brief.lineBytesMax { break }
        kept.append(scalar)
      }
      self.text = String(kept)
      isCut = true
    }
  }
  struct Move: Equatable {
    var what: String
    var to: String?
    var reason: String?
    var source: Source
  }

  var wants: Line?
  var summary: Line?
  var sentiment: Line?
  /// What was learned in the matter first, and then what is known from elsewhere; newest first. Two
  /// sources that differ are both there.
  var fields: [Field] { matters + others }
  private var matters: [Field] = []
  private var others: [Field] = []
  private(set) var tried: [Line] = []
  private(set) var promised: [Line] = []
  /// How the matter went from hand to hand, oldest first.
  private(set) var moves: [Move] = []
  /// What the customer said last, whenever it came: a mail or an imported line may come later than it
  /// was said.
  private(set) var lastWords: Line?
  private var lastSaid = Instant.distantPast
  private(set) var channels: [String] = []
  private(set) var upTo = EntryID(0)

  /// How many of the customer's last entries are looked through, beside all of the matter.
  static let entriesMax = 1_000
  /// The newest lines of a list that are told; the timeline holds all.
  static let linesMax = 50
  static let fieldsMax = 200
  /// - Units: bytes of one line's text.
  static let lineBytesMax = 4_096

  /// - Parameters:
  ///   - entries: ascending.
  ///   - matter: conversations whose wants, words and moves count; fields count from everywhere.
  init(_ entries: [EntryRow], matter: Set<String>) {
    for row in entries {
      upTo = max(upTo, row.id)
      guard let body = row.body, Self.tells(body), let entry = row.parsed else {
        continue
      }
      read(entry, row.id, matter)
    }
  }

  /// Whether an entry can hold anything for a brief, without reading all of it.
  private static func tells(_ body: [UInt8]) -> Bool {
    switch EntryBody.kind(of: body) {
    case .learned, .handoff, .handedBack, .transferred, .message, .speech, .voicemail, .call,
      .accepted, .sessionOpened:
      true
    default: false
    }
  }

  private mutating func read(_ entry: JSONValue, _ id: EntryID, _ matter: Set<String>) {
    let kind = entry["kind"]?.string ?? ""
    let author = [entry["author"]?["kind"]?.string, entry["author"]?["name"]?.string].compactMap {
      $0
    }
    let source = Source(
      by: author.joined(separator: ":"), entry: id,
      at: entry["said_at"]?.string ?? entry["at"]?.string ?? "",
      conversation: entry["conversation"]?.string, isUnproven: EntryText.isUnproven(entry))
    let isOfMatter = source.conversation.map(matter.contains) ?? false
    take(entry["fields"], source, isOfMatter: isOfMatter)
    if kind == "call" { take(entry["known"], source, isOfMatter: isOfMatter) }
    guard isOfMatter else { return }
    if let channel = entry["channel"]?.string, !channels.contains(channel) {
      channels.append(channel)
    }
    func line(_ name: String) -> Line? {
      entry[name]?.string.map { Line($0, source) }
    }
    let isSaidWhy = kind == "handoff" || kind == "call"
    wants = line("wants") ?? (isSaidWhy && wants == nil ? line("reason") : nil) ?? wants
    summary = line("summary") ?? summary
    sentiment = line("sentiment") ?? sentiment
    for text in entry["tried"]?.array ?? [] {
      if let text = text.string { Self.add(Line(text, source), to: &tried) }
    }
    for text in entry["promised"]?.array ?? [] {
      if let text = text.string { Self.add(Line(text, source), to: &promised) }
    }
    switch kind {
    case "message", "speech", "voicemail":
      let said = Instant(rfc3339: source.at) ?? .distantPast
      if entry["author"]?["kind"]?.string == "customer", said >= lastSaid, let words = line("text")
      {
        (lastWords, lastSaid) = (words, said)
      }
      // A mail says in its subject what it is about, until somebody says it better.
      if wants == nil, let subject = line("subject"), !subject.text.isEmpty { wants = subject }
    case "handoff", "handed_back", "transferred", "accepted":
      let owner = [entry["owner"]?["kind"]?.string, entry["owner"]?["name"]?.string].compactMap {
        $0
      }
      let to = owner.isEmpty ? nil : owner.joined(separator: ":")
      Self.add(
        Move(what: kind, to: to, reason: entry["reason"]?.string, source: source), to: &moves)
    default: break
    }
  }

  private static func add<T>(_ line: T, to list: inout [T]) {
    list.append(line)
    if list.count > linesMax { list.removeFirst() }
  }

  private mutating func take(_ given: JSONValue?, _ source: Source, isOfMatter: Bool) {
    guard case .object(let object)? = given else { return }
    for member in object.members {
      let field = Field(name: member.name, learned: LearnedField(member.value), source: source)
      // The same source's newer word replaces its older one; but what it learned in another
      // conversation, perhaps of another person before a merge, never what it learned in this one.
      if isOfMatter {
        matters.removeAll { $0.name == field.name && $0.isReplaced(by: field) }
        others.removeAll { $0.name == field.name && $0.learned.value == field.learned.value }
        matters.insert(field, at: 0)
      } else {
        others.removeAll { $0.name == field.name && $0.isReplaced(by: field) }
        let isKnown = matters.contains {
          $0.name == field.name && $0.learned.value == field.learned.value
        }
        if !isKnown { others.insert(field, at: 0) }
      }
    }
    matters.removeLast(max(0, matters.count - Self.fieldsMax))
    others.removeLast(max(0, others.count - (Self.fieldsMax - matters.count)))
  }
}

extension Brief.Field {
  fileprivate func isReplaced(by newer: Self) -> Bool {
    source.by == newer.source.by || learned.value == newer.learned.value
  }
}

extension Brief {
  func write(
    _ json: inout JSONWriter, name: String?, waited: Duration64, linked: [LinkedBrief],
    _ digest: TimelineDigest
  ) {
    if let name { json.field("name", name) }
    writeWords(&json)
    json.field(
      "fields",
      array: { list in
        for field in fields {
          list.object { one in
            one.field("name", field.name)
            one.field("value", field.learned.value)
            if let confidence = field.learned.confidence { one.field("confidence", confidence) }
            if let origin = field.learned.origin { one.field("origin", origin) }
            Self.write(field.source, &one)
          }
        }
      })
    writeDeeds(&json)
    json.field(
      "moves",
      array: { list in
        for move in moves {
          list.object { one in
            one.field("what", move.what)
            if let to = move.to { one.field("to", to) }
            if let reason = move.reason { one.field("reason", reason) }
            Self.write(move.source, &one)
          }
        }
      })
    writeChannels(&json)
    json.field("waited_seconds", waited.milliseconds / 1_000)
    json.field("linked", array: { list in for one in linked { list.object { one.write(&$0) } } })
    json.field("up_to", upTo.raw)
    json.field("count", digest.count)
    json.field("hash", Hex.encode(digest.sum.bytes))
  }

  func writeWords(_ json: inout JSONWriter) {
    Self.write("wants", wants, &json)
    Self.write("summary", summary, &json)
    Self.write("sentiment", sentiment, &json)
    Self.write("last_words", lastWords, &json)
  }

  func writeDeeds(_ json: inout JSONWriter) {
    Self.write("tried", tried, &json)
    Self.write("promised", promised, &json)
  }

  func writeChannels(_ json: inout JSONWriter) {
    json.field("channels", array: { list in for channel in channels { list.string(channel) } })
  }

  private static func write(_ name: StaticString, _ line: Line?, _ json: inout JSONWriter) {
    guard let line else { return }
    json.field(name, object: { write(line, &$0) })
  }

  private static func write(_ line: Line, _ json: inout JSONWriter) {
    json.field("text", line.text)
    if line.isCut { json.field("cut", true) }
    write(line.source, &json)
  }

  private static func write(_ name: StaticString, _ lines: [Line], _ json: inout JSONWriter) {
    json.field(
      name,
      array: { list in
        for line in lines { list.object { write(line, &$0) } }
      })
  }

  private static func write(_ source: Source, _ json: inout JSONWriter) {
    json.field("by", source.by)
    if source.isUnproven { json.field("sender_assurance", Assurance.claimed.name) }
    json.field("entry", source.entry.raw)
    json.field("at", source.at)
    if let conversation = source.conversation { json.field("conversation", conversation) }
  }
}
