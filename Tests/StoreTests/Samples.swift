import Records
import Model
import Store

/// Rows that differ in every column, made from a number.
enum Samples {
  static func id<Kind>(_ n: Int, _ kind: Kind.Type = Kind.self) -> ID<Kind> {
    ID(high: 0x9e37_79b9_7f4a_7c15 &* UInt64(n), low: UInt64(n))
  }
  static func bytes(_ n: Int, count: Int = 40) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ n &+ (n >> 8) &* ($0 &+ 1)) }
  }
  static func at(_ n: Int) -> Instant { Instant(milliseconds: 1_790_000_000_000 &+ Int64(n)) }
  static func digest(_ n: Int) -> Digest { Checksum.sha256(bytes(n)) }

  static func record(_ position: Int64) -> LogRecord {
    LogRecord(position: position, at: at(Int(position)), bytes: bytes(Int(position), count: 64))
  }
  static func entry(
    _ n: Int64, customer: Int = 1, conversation: Int? = 1, visibility: Visibility = .customer,
    count: Int = 300
  ) -> EntryRow {
    let body = bytes(Int(n), count: count)
    return EntryRow(
      id: EntryID(n), position: n, customer: id(customer),
      conversation: conversation.map { id($0) },
      session: conversation.map { id($0 + 7) }, at: at(Int(n)), visibility: visibility, body: body,
      hash: Checksum.sha256(body))
  }
  static func customer(_ n: Int, root: Int? = nil, timeline: TimelineDigest = TimelineDigest())
    -> CustomerRow
  {
    CustomerRow(
      id: id(n), root: id(root ?? n), created: at(n), profile: bytes(n), timeline: timeline)
  }
  static func identity(_ n: Int, customer: Int) -> IdentityRow {
    IdentityRow(
      hash: Array(digest(n).bytes.prefix(16)), customer: id(customer),
      identity: Identity(kind: .email, value: "ann\(n)@grüße.example"), assurance: .asserted,
      evidence: bytes(n))
  }
  static func conversation(_ n: Int, customer: Int, isOpen: Bool = true) -> ConversationRow {
    ConversationRow(
      id: id(n), customer: id(customer), isOpen: isOpen, epoch: UInt32(n),
      lastAgent: n % 2 == 0 ? nil : 9,
      opened: at(n), changed: at(n + 1), about: bytes(n))
  }
  static func session(_ n: Int, conversation: Int) -> SessionRow {
    SessionRow(
      id: id(n), conversation: id(conversation), channel: .phone, bot: n % 2 == 0 ? nil : 3,
      ended: n % 2 == 0 ? at(n) : nil, customer: n % 3 == 0 ? nil : id(1),
      former: n % 3 == 1 ? [.init(id(7), upTo: EntryID(3)), .init(id(8), upTo: EntryID(5))] : [])
  }
  static func aCase(_ n: Int, conversation: Int) -> CaseRow {
    CaseRow(
      id: id(n), conversation: id(conversation), queue: 4, agent: n % 2 == 0 ? nil : 5, state: 6,
      created: at(n),
      closed: n % 2 == 0 ? at(n + 9) : nil, about: bytes(n))
  }
  static func outcome(_ n: Int, at: Instant) -> OutcomeRow {
    OutcomeRow(
      key: Array(digest(n).bytes.prefix(16)), bodyHash: digest(n + 1), at: at, answer: bytes(n))
  }
  static func outbox(_ n: Int64, payload: [UInt8]?) -> OutboxRow {
    OutboxRow(id: n, kind: .webhook, due: at(Int(n)), tries: 2, payload: payload)
  }
  static func blob(_ n: Int, conversation: Int?) -> BlobRow {
    BlobRow(
      id: id(n), hash: digest(n), size: 40, mediaType: "image/png",
      fileName: n % 2 == 0 ? nil : "Ünder \(n).png",
      conversation: conversation.map { id($0) }, uploader: "bot:robin", at: at(n))
  }
  static func token(_ n: Int, _ workspace: WorkspaceID) -> TokenRow {
    TokenRow(
      id: id(n), hash: digest(n), workspace: workspace, scope: "bot", holder: "robin",
      created: at(n),
      expires: n % 2 == 0 ? nil : at(n + 5), revoked: false)
  }

  /// An entry's attachment is the blob of its own number.
  static let blank = ErasedForms(
    profile: [0], conversation: [0], identity: { _ in nil }, aCase: { _ in [0] },
    attachments: { [id(Int($0.id.raw))] },
    mention: { mention($0) }, mentionOf: { mention(of: $0) },
    // A case says in its first bytes whose it is, where it is not the conversation's.
    customerOf: { row in row.about.first == 99 ? id(Int(row.about[1])) : nil },
    without: { customers, row in row.about + customers.map { UInt8($0.low & 0xFF) }.sorted() },
    linked: { _ in [] },
    reasons: .init(
      together: { _, _ in nil }, profile: { _, _, _ in nil }, identity: { _, _ in nil },
      entry: { _ in false }),
    echoes: .init(
      aCase: { _, _ in nil }, conversation: { _, _ in nil }, profile: { _, _ in nil },
      facts: { _, _, _ in false }))

  /// As an application may write ids: not as the store does.
  static func mention(_ conversation: ConversationID) -> [UInt8] {
    withUnsafeBytes(of: (conversation.low, conversation.high)) { Array($0) }
  }
  /// Customers have the same numbers here as conversations.
  static func mention(of customer: CustomerID) -> [UInt8] {
    withUnsafeBytes(of: (customer.high, ~customer.low)) { Array($0) }
  }

  /// One row of every kind, whole: customer 1 with conversation 1 and two entries.
  static func everything(_ workspace: WorkspaceID) -> Commit {
    var commit = Commit(workspace: workspace)
    commit.log = [record(1), record(2)]
    commit.entries = [entry(1), entry(2, conversation: nil, visibility: .business)]
    var timeline = TimelineDigest()
    for entry in commit.entries { timeline.add(entry.hash) }
    commit.work = [
      OpenWorkRow(kind: 1, key: bytes(1), value: bytes(2)),
      OpenWorkRow(kind: 2, key: [], value: []),
    ]
    commit.customers = [customer(1, timeline: timeline)]
    commit.identities = [identity(1, customer: 1)]
    commit.conversations = [conversation(1, customer: 1)]
    commit.sessions = [session(8, conversation: 1)]
    commit.cases = [aCase(1, conversation: 1)]
    commit.facts = [FactsRow(case: id(1), bytes: bytes(3))]
    commit.outcomes = [outcome(1, at: at(1))]
    commit.keys = [KeyRow(space: .call, key: bytes(4), value: bytes(5))]
    commit.outbox = [outbox(1, payload: bytes(6))]
    commit.blobs = [blob(1, conversation: 1)]
    commit.configurations = [(version: 7, bytes: bytes(7))]
    return commit
  }
}

extension StoreReader {
  func page(
    _ workspace: WorkspaceID, _ customers: [CustomerID], from: Int64 = 0,
    _ direction: PageDirection = .newer,
    atMost: Int64 = .max, limit: Int, visible: Visibility = .internal
  ) throws -> [EntryRow] {
    try timeline(
      workspace, of: customers, from: EntryID(from), direction, atMost: EntryID(atMost),
      limit: limit,
      visible: visible)
  }
}
