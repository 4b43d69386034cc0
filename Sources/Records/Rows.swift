import Model

// What the store keeps: one struct per table, values already encoded by whoever owns their meaning.
// Every table begins with the workspace; every row that holds something said or known carries a
// checksum, so that a flipped bit is noticed.

/// All events of one command, encoded. Positions are numbered by the workspace's writer from 1,
/// without gaps.
public struct LogRecord: Hashable, Sendable {
  public var position: Int64
  public var at: Instant
  public var bytes: [UInt8]
  public init(position: Int64, at: Instant, bytes: [UInt8]) {
    self.position = position
    self.at = at
    self.bytes = bytes
  }
}

/// A row of open work: the snapshot from which the server starts. A nil value deletes the row.
public struct OpenWorkRow: Hashable, Sendable {
  public var kind: UInt8
  public var key: [UInt8]
  public var value: [UInt8]?
  public init(kind: UInt8, key: [UInt8], value: [UInt8]?) {
    self.kind = kind
    self.key = key
    self.value = value
  }
}

/// One entry of a transcript or one journey event.
public struct EntryRow: Hashable, Sendable {
  public var id: EntryID
  public var position: Int64
  /// The customer record that it arrived by; merging never rewrites it.
  public var customer: CustomerID
  /// nil for a journey event, which belongs to no conversation.
  public var conversation: ConversationID?
  public var session: SessionID?
  public var at: Instant
  public var visibility: Visibility
  /// The entry as JSON, exactly as it is served; nil once erased. `hash` is the SHA-256 of these
  /// bytes.
  public var body: [UInt8]?
  public var hash: Digest
  /// What is kept does not match its checksum: only `id` is known, and stands for it in a timeline.
  public var isDamaged = false
  public init(
    id: EntryID, position: Int64, customer: CustomerID, conversation: ConversationID?,
    session: SessionID?,
    at: Instant, visibility: Visibility, body: [UInt8]?, hash: Digest
  ) {
    self.id = id
    self.position = position
    self.customer = customer
    self.conversation = conversation
    self.session = session
    self.at = at
    self.visibility = visibility
    self.body = body
    self.hash = hash
  }

  /// The place of an entry that cannot be read.
  public init(damaged id: EntryID, of customer: CustomerID, _ visibility: Visibility) {
    self.init(
      id: id, position: 0, customer: customer, conversation: nil, session: nil,
      at: Instant(milliseconds: 0), visibility: visibility, body: nil, hash: .zero)
    isDamaged = true
  }
}

public struct CustomerRow: Hashable, Sendable {
  public var id: CustomerID
  /// Itself, or the record that it was merged into (always the last one, never a chain).
  public var root: CustomerID
  public var created: Instant
  /// Display name and attributes, encoded by Continuity.
  public var profile: [UInt8]
  /// Digest of the entries that arrived by this very record.
  public var timeline: TimelineDigest
  public init(
    id: CustomerID, root: CustomerID, created: Instant, profile: [UInt8], timeline: TimelineDigest
  ) {
    self.id = id
    self.root = root
    self.created = created
    self.profile = profile
    self.timeline = timeline
  }
}

public struct IdentityRow: Hashable, Sendable {
  /// A keyed hash of kind and value, 16 bytes: what the index holds.
  public var hash: [UInt8]
  public var customer: CustomerID
  public var identity: Identity
  public var assurance: Assurance
  /// Who said so, when, by what; encoded by Continuity.
  public var evidence: [UInt8]
  public init(
    hash: [UInt8], customer: CustomerID, identity: Identity, assurance: Assurance, evidence: [UInt8]
  ) {
    self.hash = hash
    self.customer = customer
    self.identity = identity
    self.assurance = assurance
    self.evidence = evidence
  }
}

public struct ConversationRow: Hashable, Sendable {
  public var id: ConversationID
  public var customer: CustomerID
  public var isOpen: Bool
  public var epoch: UInt32
  public var lastAgent: UInt32?
  public var opened: Instant
  public var changed: Instant
  /// Subject and whatever else the conversation is known by; encoded by Continuity.
  public var about: [UInt8]
  public init(
    id: ConversationID, customer: CustomerID, isOpen: Bool, epoch: UInt32, lastAgent: UInt32?,
    opened: Instant,
    changed: Instant, about: [UInt8]
  ) {
    self.id = id
    self.customer = customer
    self.isOpen = isOpen
    self.epoch = epoch
    self.lastAgent = lastAgent
    self.opened = opened
    self.changed = changed
    self.about = about
  }
}

/// A session, kept after it ended: which conversation an old id belongs to.
public struct SessionRow: Hashable, Sendable {
  public var id: SessionID
  public var conversation: ConversationID
  public var channel: Channel
  public var bot: UInt32?
  public var ended: Instant?
  /// The customer record that it arrived by; nil in rows of an older program, for the conversation's.
  public var customer: CustomerID?
  /// Where it was part of until its customers were taken apart, oldest first.
  public var former: [Former]

  public struct Former: Hashable, Sendable {
    public var conversation: ConversationID
    /// The last entry there that it was part of.
    public var upTo: EntryID
    public init(_ conversation: ConversationID, upTo: EntryID) {
      self.conversation = conversation
      self.upTo = upTo
    }
  }

  public init(
    id: SessionID, conversation: ConversationID, channel: Channel, bot: UInt32?, ended: Instant?,
    customer: CustomerID?, former: [Former] = []
  ) {
    self.id = id
    self.conversation = conversation
    self.channel = channel
    self.bot = bot
    self.ended = ended
    self.customer = customer
    self.former = former
  }
}

/// A case as people read it, open or closed, with the handoff that made it.
public struct CaseRow: Hashable, Sendable {
  public var id: CaseID
  public var conversation: ConversationID
  public var queue: UInt32
  public var agent: UInt32?
  /// Code of the state, by Pipeline.
  public var state: UInt8
  public var created: Instant
  public var closed: Instant?
  /// Reason, summary, fields, rule version and reasons of routing; encoded by Pipeline.
  public var about: [UInt8]
  public init(
    id: CaseID, conversation: ConversationID, queue: UInt32, agent: UInt32?, state: UInt8,
    created: Instant,
    closed: Instant?, about: [UInt8]
  ) {
    self.id = id
    self.conversation = conversation
    self.queue = queue
    self.agent = agent
    self.state = state
    self.created = created
    self.closed = closed
    self.about = about
  }
}

/// The facts that a rule saw when it routed a case.
public struct FactsRow: Hashable, Sendable {
  public var `case`: CaseID
  public var bytes: [UInt8]
  public init(case: CaseID, bytes: [UInt8]) {
    self.case = `case`
    self.bytes = bytes
  }
}

/// The first outcome under an idempotency key. Kept 24 hours.
public struct OutcomeRow: Hashable, Sendable {
  /// Hash of token and key, 16 bytes.
  public var key: [UInt8]
  public var bodyHash: Digest
  public var at: Instant
  public var answer: [UInt8]
  public init(key: [UInt8], bodyHash: Digest, at: Instant, answer: [UInt8]) {
    self.key = key
    self.bodyHash = bodyHash
    self.at = at
    self.answer = answer
  }
}

/// Something known by a key that is not an id: a Message-ID's conversation, a mail already
/// recorded, a call's session, what a sender numbers itself. `space` keeps the kinds apart.
public struct KeyRow: Hashable, Sendable {
  public enum Space: UInt8, Sendable {
    case mailThread = 1, mailSeen = 2, call = 3, arrival = 4, answered = 5
    /// By an agent's number: why they are what they are, in their own words.
    case statusReason = 6
    /// By an attachment and an entry that names it: `KeyRow.attachment`.
    case attachment = 7
    /// How far the entries of a folder of before are known to have such keys: `KeyRow.named`.
    case named = 8
    /// By an erasure's number: how many damaged rows it met: `KeyRow.dropped`.
    case dropped = 9
  }
  public var space: Space
  public var key: [UInt8]
  public var value: [UInt8]?
  public init(space: Space, key: [UInt8], value: [UInt8]?) {
    self.space = space
    self.key = key
    self.value = value
  }
}

extension KeyRow {
  /// That an entry names an attachment, so that whoever takes its words knows whether another still
  /// does. The key is the attachment's 16 bytes and the entry's number, most significant first.
  public static func attachment(_ blob: BlobID, of entry: EntryID) -> KeyRow {
    let words = [blob.high, blob.low, UInt64(bitPattern: entry.raw)]
    return KeyRow(
      space: .attachment,
      key: words.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }, value: [])
  }

  /// That every entry up to this one has a key for each attachment that it names; the last of all where
  /// entries get theirs as they are written.
  public static func named(upTo entry: EntryID) -> KeyRow {
    KeyRow(
      space: .named, key: [0],
      value: withUnsafeBytes(of: UInt64(bitPattern: entry.raw).bigEndian) { Array($0) })
  }

  /// How many damaged rows an erasure dropped; a receipt without one dropped none.
  public static func dropped(_ count: Int64, by erasure: Int64) -> KeyRow {
    func bytes(_ number: Int64) -> [UInt8] {
      withUnsafeBytes(of: UInt64(bitPattern: number).bigEndian) { Array($0) }
    }
    return KeyRow(space: .dropped, key: bytes(erasure), value: bytes(count))
  }

  /// Of `dropped`: how many; nil for a key of any other kind.
  public var droppedCount: Int64? {
    guard space == .dropped, let value, value.count == 8 else { return nil }
    return value.reduce(0) { $0 << 8 | Int64($1) }
  }

  /// Of `named`: up to which entry; nil for a key of any other kind.
  public var namedUpTo: EntryID? {
    guard space == .named, let value, value.count == 8 else { return nil }
    return EntryID(value.reduce(0) { $0 << 8 | Int64($1) })
  }

  /// Of `attachment`: the entry; nil for a key of any other kind.
  public var attachingEntry: EntryID? {
    guard space == .attachment, key.count == 24 else { return nil }
    return EntryID(key[16...].reduce(0) { $0 << 8 | Int64($1) })
  }
}

/// An effect that reaches another system, until that system has it. A nil payload deletes the row.
public struct OutboxRow: Hashable, Sendable {
  public enum Kind: UInt8, Sendable { case mail = 1, webhook = 2 }
  public var id: Int64
  public var kind: Kind
  public var due: Instant
  public var tries: UInt32
  public var payload: [UInt8]?
  public init(id: Int64, kind: Kind, due: Instant, tries: UInt32, payload: [UInt8]?) {
    self.id = id
    self.kind = kind
    self.due = due
    self.tries = tries
    self.payload = payload
  }
}

public struct BlobRow: Hashable, Sendable {
  public var id: BlobID
  public var hash: Digest
  public var size: Int64
  public var mediaType: String
  public var fileName: String?
  /// Where it was said; nil until an entry refers to it.
  public var conversation: ConversationID?
  /// Holder of the token that brought it, such as `bot:robin`.
  public var uploader: String
  public var at: Instant
  public init(
    id: BlobID, hash: Digest, size: Int64, mediaType: String, fileName: String?,
    conversation: ConversationID?,
    uploader: String, at: Instant
  ) {
    self.id = id
    self.hash = hash
    self.size = size
    self.mediaType = mediaType
    self.fileName = fileName
    self.conversation = conversation
    self.uploader = uploader
    self.at = at
  }
}

public struct WorkspaceRow: Hashable, Sendable {
  public var id: WorkspaceID
  public var name: String
  public init(id: WorkspaceID, name: String) {
    self.id = id
    self.name = name
  }
}

public struct TokenRow: Hashable, Sendable {
  public var id: TokenID
  public var hash: Digest
  public var workspace: WorkspaceID
  /// `bot`, `telephony`, `integration`, `agent`, `supervisor` or `admin`.
  public var scope: String
  public var holder: String
  public var created: Instant
  public var expires: Instant?
  public var revoked: Bool
  public init(
    id: TokenID, hash: Digest, workspace: WorkspaceID, scope: String, holder: String,
    created: Instant,
    expires: Instant?, revoked: Bool
  ) {
    self.id = id
    self.hash = hash
    self.workspace = workspace
    self.scope = scope
    self.holder = holder
    self.created = created
    self.expires = expires
    self.revoked = revoked
  }
}
