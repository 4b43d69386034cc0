import Model

/// What somebody looks for in a workspace's entries. All that is given must hold.
public struct SearchQuery: Sendable {
  /// More would let one question cost the earth; whoever asks is told, not given something else.
  public static let wordsMax = 64

  /// As a person types it: words that must all be there, `"a phrase"`, `begin*`, `-without`.
  public var words: String
  /// These customer records; empty: everybody's.
  public var customers: [CustomerID] = []
  public var channel: Channel?
  /// Entries of conversations with a case that this agent has or had.
  public var agent: UInt32?
  /// Entries of conversations with a case in this queue.
  public var queue: UInt32?
  public var from: Instant?
  /// Exclusive.
  public var until: Instant?
  /// Entries with smaller numbers only: where the page before ended.
  public var before = EntryID(.max)
  public var limit = 20
  /// Words of a page, in bytes: it ends before the entry that would go beyond, but has one however
  /// long.
  public var bytesMax = Int.max
  public var visible = Visibility.internal
  public init(words: String) { self.words = words }
}

/// One piece of what surrounds a find.
public struct Excerpt: Hashable, Sendable {
  public var text: String
  /// Whether this is what was looked for.
  public var isMatch: Bool
  public init(text: String, isMatch: Bool) {
    self.text = text
    self.isMatch = isMatch
  }
}

public struct SearchHit: Hashable, Sendable {
  public var entry: EntryRow
  public var excerpt: [Excerpt]
  public init(entry: EntryRow, excerpt: [Excerpt]) {
    self.entry = entry
    self.excerpt = excerpt
  }
}

/// Finds, newest first.
public struct SearchPage: Sendable {
  public var hits: [SearchHit] = []
  /// Where to go on (`before`); nil when there are no more. A page may be short, or empty, and yet
  /// go on: one answer looks at a bounded number of entries.
  public var older: EntryID?
  /// Why finds were left out: they, or what belongs to them, cannot be read.
  public var damaged: [StoreFault] = []
  /// The last entry that the index has seen: what came later is not among the finds.
  public var seen = EntryID(0)
  /// The last entry there is.
  public var last = EntryID(0)
  public init() {}
}

/// What of an entry can be looked for.
public struct EntryWords: Hashable, Sendable {
  /// Everything said in it; empty when it has no words.
  public var text: String
  public var channel: Channel?
  /// An earlier entry whose words this one has changed: what the index holds of it must go.
  public var changes: EntryID?
  public init(text: String, channel: Channel?) {
    self.text = text
    self.channel = channel
  }
}
