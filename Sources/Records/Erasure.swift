import Model

/// That a person was erased: when, by whom, and what went. It names records by their random ids,
/// holds nothing personal, and is what repeats the erasure on a restored backup.
public struct ErasureReceipt: Hashable, Sendable {
  /// Counted within the workspace, from 1.
  public var number: Int64
  public var at: Instant
  /// Holder of the token, or `administrator`.
  public var by: String
  /// All records that were one customer.
  public var customers: [CustomerID]
  /// The last entry there was: what such a record says later is not covered.
  public var upTo: EntryID
  /// Entries whose words went; their number, place and hash stay, so that the chain and every count
  /// can be proven.
  public var entries: Int64
  public var identities: Int64
  public var blobs: Int64
  /// Rows that did not match their checksum, so that nobody could tell what they held: all their words
  /// went.
  public var damaged: Int64 = 0
  /// nil while it is under way: a server that finds one at its start finishes it.
  public var done: Instant?
  public init(
    number: Int64, at: Instant, by: String, customers: [CustomerID], upTo: EntryID,
    entries: Int64 = 0,
    identities: Int64 = 0, blobs: Int64 = 0, done: Instant? = nil
  ) {
    self.number = number
    self.at = at
    self.by = by
    self.customers = customers
    self.upTo = upTo
    self.entries = entries
    self.identities = identities
    self.blobs = blobs
    self.done = done
  }
}

/// What rows look like once nothing personal is in them; known to those who encode them.
public struct ErasedForms: Sendable {
  /// A customer's profile and a conversation's `about` that say nothing.
  public var profile: [UInt8]
  public var conversation: [UInt8]
  /// What stays of an identity: that it is shared, without what it is; nil: nothing.
  public var identity: @Sendable (IdentityRow) -> IdentityRow?
  /// A case's `about` with the story of its routing and without the handoff's words.
  public var aCase: @Sendable (CaseRow) -> [UInt8]
  /// What an entry has attached.
  public var attachments: @Sendable (EntryRow) -> [BlobID]
  /// A conversation as it is named inside of keys and of mail that waits: 16 random bytes, which
  /// stand nowhere by accident.
  public var mention: @Sendable (ConversationID) -> [UInt8]
  /// A customer record as it is named there.
  public var mentionOf: @Sendable (CustomerID) -> [UInt8]
  /// Whose matter a case is; nil for the customer of its conversation.
  public var customerOf: @Sendable (CaseRow) -> CustomerID?
  /// Another's conversation, of which these took part: its `about` without what it tells of them.
  public var without: @Sendable (Set<CustomerID>, ConversationRow) -> [UInt8]
  /// Records that a customer's is joined with, or ever was: rules saw what both had said and done.
  public var linked: @Sendable (CustomerRow) -> [CustomerID]
  public var reasons: Reasons
  public var echoes: Echoes

  /// Why records were joined, taken apart or marked, in people's own words: told of all who were one
  /// person then, and kept with each of them.
  public struct Reasons: Sendable {
    /// From when to when a record, one of those that go, was ever joined with others.
    public var together: @Sendable (CustomerRow, Set<CustomerID>) -> ClosedRange<Instant>?
    /// Another's profile without what was said then, or of them; nil where it stays as it is.
    public var profile: @Sendable (CustomerRow, Set<CustomerID>, ClosedRange<Instant>) -> [UInt8]?
    /// The same of an identity's evidence.
    public var identity: @Sendable (IdentityRow, ClosedRange<Instant>) -> [UInt8]?
    /// Whether an entry holds such a reason.
    public var entry: @Sendable (EntryRow) -> Bool
    public init(
      together: @escaping @Sendable (CustomerRow, Set<CustomerID>) -> ClosedRange<Instant>?,
      profile: @escaping @Sendable (CustomerRow, Set<CustomerID>, ClosedRange<Instant>) -> [UInt8]?,
      identity: @escaping @Sendable (IdentityRow, ClosedRange<Instant>) -> [UInt8]?,
      entry: @escaping @Sendable (EntryRow) -> Bool
    ) {
      self.together = together
      self.profile = profile
      self.identity = identity
      self.entry = entry
    }
  }

  /// What becomes of rows that repeat words of entries, once some of these entries have none. `kept`
  /// are all of the same conversation (or, of those that belong to none, of the same customer) that
  /// still have theirs. nil: the row stays as it is.
  public struct Echoes: Sendable {
    /// A case's `about` without a handoff that no entry tells any more.
    public var aCase: @Sendable (CaseRow, _ kept: [EntryRow]) -> [UInt8]?
    /// A conversation's `about` without a subject that no entry tells any more.
    public var conversation: @Sendable (ConversationRow, _ kept: [EntryRow]) -> [UInt8]?
    /// A customer's profile without the events of these entries.
    public var profile: @Sendable (CustomerRow, _ gone: [EntryRow]) -> [UInt8]?
    /// Whether what rules saw has words that only stood in `gone`.
    public var facts: @Sendable (FactsRow, _ gone: [EntryRow], _ kept: [EntryRow]) -> Bool
    public init(
      aCase: @escaping @Sendable (CaseRow, _ kept: [EntryRow]) -> [UInt8]?,
      conversation: @escaping @Sendable (ConversationRow, _ kept: [EntryRow]) -> [UInt8]?,
      profile: @escaping @Sendable (CustomerRow, _ gone: [EntryRow]) -> [UInt8]?,
      facts: @escaping @Sendable (FactsRow, _ gone: [EntryRow], _ kept: [EntryRow]) -> Bool
    ) {
      self.aCase = aCase
      self.conversation = conversation
      self.profile = profile
      self.facts = facts
    }
  }

  public init(
    profile: [UInt8], conversation: [UInt8],
    identity: @escaping @Sendable (IdentityRow) -> IdentityRow?,
    aCase: @escaping @Sendable (CaseRow) -> [UInt8],
    attachments: @escaping @Sendable (EntryRow) -> [BlobID],
    mention: @escaping @Sendable (ConversationID) -> [UInt8],
    mentionOf: @escaping @Sendable (CustomerID) -> [UInt8],
    customerOf: @escaping @Sendable (CaseRow) -> CustomerID?,
    without: @escaping @Sendable (Set<CustomerID>, ConversationRow) -> [UInt8],
    linked: @escaping @Sendable (CustomerRow) -> [CustomerID],
    reasons: Reasons, echoes: Echoes
  ) {
    self.profile = profile
    self.conversation = conversation
    self.identity = identity
    self.aCase = aCase
    self.attachments = attachments
    self.mention = mention
    self.mentionOf = mentionOf
    self.customerOf = customerOf
    self.without = without
    self.echoes = echoes
    self.linked = linked
    self.reasons = reasons
  }
}

/// Somebody read what a customer has said.
public struct AccessRow: Hashable, Sendable {
  public enum What: UInt8, Sendable, CaseIterable {
    case timeline = 1, aCase = 2, search = 3, export = 4, explanation = 5, customer = 6,
      attachment = 7, conversation = 8
    public var name: String {
      switch self {
      case .timeline: "timeline"
      case .aCase: "case"
      case .search: "search"
      case .export: "export"
      case .explanation: "explanation"
      case .customer: "customer"
      case .attachment: "attachment"
      case .conversation: "conversation"
      }
    }
  }
  public var at: Instant
  /// Scope and holder of the token, such as `agent:ann`.
  public var who: String
  public var what: What
  /// nil for a search over everybody.
  public var customer: CustomerID?
  public init(at: Instant, who: String, what: What, customer: CustomerID?) {
    self.at = at
    self.who = who
    self.what = what
    self.customer = customer
  }
}

/// Which words go by age. All that is given must hold of an entry.
public struct RetentionRule: Hashable, Sendable {
  public var age: Duration64
  public var channel: Channel?
  /// As entries name it, such as `journey`.
  public var kind: String?
  /// One that the entry's conversation has.
  public var tag: String?
  public init(age: Duration64, channel: Channel? = nil, kind: String? = nil, tag: String? = nil) {
    self.age = age
    self.channel = channel
    self.kind = kind
    self.tag = tag
  }
}

/// How far a rule has looked, so that an hour's look is an hour's entries.
public struct RetentionLook: Hashable, Sendable {
  /// Every entry up to this one was asked whether it is old and named.
  public var old = EntryID(0)
  /// Every entry up to this one was asked whether it tagged a conversation; nil before the first
  /// look.
  public var tagging: EntryID?
  public init() {}
}

/// What retention asks of rows; known to those who encode them.
public struct RetentionFacts: Sendable {
  public var entry: @Sendable (EntryRow) -> (kind: String?, channel: Channel?)
  public var tags: @Sendable (ConversationRow) -> [String]
  /// The kind of the entries that tell of a new tag.
  public var tagged: String
  public init(
    tagged: String, entry: @escaping @Sendable (EntryRow) -> (kind: String?, channel: Channel?),
    tags: @escaping @Sendable (ConversationRow) -> [String]
  ) {
    self.tagged = tagged
    self.entry = entry
    self.tags = tags
  }
}
