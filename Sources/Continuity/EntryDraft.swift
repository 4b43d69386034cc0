import Model
import Wire

/// What an entry says, before the writer has given it a number and a place.
public struct EntryDraft: Hashable, Sendable {
  public var kind: EntryKind
  public var author: Author
  public var visibility: Visibility
  public var channel: Channel?
  /// Further members of the entry's JSON object, each with its leading comma: `,"text":"hello"`.
  /// Encoded at the edge, so that the writer only joins bytes.
  public var members: [UInt8]
  /// When it was said, where that differs from when it reached us.
  public var saidAt: Instant?
  public var blobs: [BlobID] = []
  /// What its sender knows it by.
  public var arrival: Arrival?

  /// Whatever comes again under the same key is the same thing: recorded once. Something else is
  /// refused, not dropped.
  public struct Arrival: Hashable, Sendable {
    /// 16 bytes.
    public var key: [UInt8]
    /// A keyed hash of what it says; 16 bytes.
    public var content: [UInt8]
    public init(key: [UInt8], content: [UInt8]) {
      self.key = key
      self.content = content
    }
  }

  public init(
    kind: EntryKind, author: Author, visibility: Visibility, channel: Channel?,
    members: [UInt8] = [],
    saidAt: Instant? = nil
  ) {
    self.kind = kind
    self.author = author
    self.visibility = visibility
    self.channel = channel
    self.members = members
    self.saidAt = saidAt
  }
}

/// What kind of thing an entry tells. The names are part of the API.
public enum EntryKind: String, Hashable, Sendable, CaseIterable {
  case sessionOpened = "session_opened"
  case sessionEnded = "session_ended"
  case message
  case note
  case handoff
  case routed
  case accepted
  case transferred
  case handedBack = "handed_back"
  case wrappingUp = "wrapping_up"
  case closed
  case abandoned
  case reopened
  case call
  case digits
  /// What a bot has learned on the way: fields, what is wanted, sentiment, what was tried and
  /// promised.
  case learned
  case speech
  case voicemail
  case journey
  case merged
  case split
  case joined
  case parted
  /// What the conversation is filed under: some more, or some less.
  case tagged
  case untagged
  /// Words were taken out of an earlier entry.
  case redacted
  case undelivered
}

/// Turns drafts into the JSON that is stored, hashed and served, byte for byte the same.
public struct EntryBody {
  /// - Parameter salt: random, so that the hash of a short message does not give it away once it
  ///   was erased.
  public static func encode(
    _ draft: EntryDraft, id: EntryID, at: Instant, conversation: ConversationID?,
    session: SessionID?,
    authorName: String?, salt: UInt64
  ) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(320 + draft.members.count)
    func text(_ literal: StaticString) {
      out.append(
        contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
    func string(_ value: String) { out.append(contentsOf: value.utf8) }
    text("{\"entry\":")
    string(String(id.raw))
    text(",\"at\":\"")
    string(at.description)
    text("\",\"kind\":\"")
    string(draft.kind.rawValue)
    text("\",\"author\":{\"kind\":\"")
    switch draft.author {
    case .customer: text("customer\"}")
    case .system: text("system\"}")
    case .bot:
      text("bot\",\"name\":")
      JSONText.append(authorName ?? "", to: &out)
      text("}")
    case .agent:
      text("agent\",\"name\":")
      JSONText.append(authorName ?? "", to: &out)
      text("}")
    }
    text(",\"visibility\":\"")
    string(draft.visibility.name)
    text("\"")
    if let channel = draft.channel {
      text(",\"channel\":\"")
      string(channel.name)
      text("\"")
    }
    if let conversation {
      text(",\"conversation\":\"")
      string(conversation.description)
      text("\"")
    }
    if let session {
      text(",\"session\":\"")
      string(session.description)
      text("\"")
    }
    if let saidAt = draft.saidAt {
      text(",\"said_at\":\"")
      string(saidAt.description)
      text("\"")
    }
    out.append(contentsOf: draft.members)
    return out + end(salt: salt)
  }

  /// The kind of an entry's body, as `encode` wrote it, from its first bytes; nil where there is
  /// none that is known.
  public static func kind(of body: [UInt8]) -> EntryKind? {
    // Its number and time stand before it, and neither holds a quote that is not its own.
    let mark = Array(",\"kind\":\"".utf8)
    let front = body.prefix(96)
    guard
      let start = front.indices.first(where: {
        front[$0] == mark[0] && front[$0...].starts(with: mark)
      })
    else { return nil }
    let name = front[(start + mark.count)...].prefix { $0 != 0x22 }
    return EntryKind(rawValue: String(decoding: name, as: UTF8.self))
  }

  /// Whether a member of an entry's body is this text; nil where it has none, or words were taken out
  /// of it.
  public static func says(_ name: String, _ text: String, _ body: [UInt8]) -> Bool? {
    guard let members = JSONWords.members(body),
      let place = members.first(where: { $0.name == name })?.value,
      let said = JSONText.string(Array(body[place])), !said.contains(Redaction.mark)
    else { return nil }
    return said == text
  }

  static func end(salt: UInt64) -> [UInt8] {
    Array(
      ",\"salt\":\"\(Hex.encode((0..<8).map { UInt8(truncatingIfNeeded: salt >> (56 - UInt64($0) * 8)) }))\"}"
        .utf8)
  }

  /// Members that are no words, but say where and whose an entry is: nothing of them is looked for
  /// or taken out.
  public static let frame: Set<String> = [
    "entry", "at", "kind", "author", "visibility", "channel", "conversation", "session", "said_at",
    "salt",
    "attachments", "case", "customer", "customers", "owner", "epoch", "sender_assurance",
    "truncated", "imported",
    "confidence", "redacted", "of", "hash_before", "hash_after",
  ]
}
