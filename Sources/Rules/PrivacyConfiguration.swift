import Expressions
import Model

/// Words that go when they are old. All that is given must hold of an entry.
public struct RetentionConfiguration: Sendable, Hashable {
  public var days: Int64
  public var channel: Channel?
  /// As entries name it, such as `journey`.
  public var kind: String?
  /// What entries call themselves; a test holds it against them.
  public static let kinds = [
    "session_opened", "session_ended", "message", "note", "handoff", "routed", "accepted",
    "transferred",
    "handed_back", "wrapping_up", "closed", "abandoned", "reopened", "call", "digits", "learned",
    "speech",
    "voicemail", "journey", "merged", "split", "joined", "parted", "tagged", "untagged", "redacted",
    "undelivered",
  ]
  /// One that the entry's conversation has.
  public var tag: String?
  public init(days: Int64, channel: Channel? = nil, kind: String? = nil, tag: String? = nil) {
    self.days = days
    self.channel = channel
    self.kind = kind
    self.tag = tag
  }
}

/// What is taken out of all words that come in, before they are kept.
public struct RedactionConfiguration: Sendable, Hashable {
  /// Stands in its place: `[customer number removed]`.
  public var name: String
  public var pattern: TextPattern
  public init(name: String, pattern: TextPattern) {
    self.name = name
    self.pattern = pattern
  }
}
