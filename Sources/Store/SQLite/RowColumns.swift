import Records
import Model

// Each row's columns after the workspace, written and read in the order of `Table.columns`. The
// pairs stand together so that one cannot change without the other.

protocol ColumnRow {
  static var table: Table { get }
  func put(into columns: Prepared)
  static func read(_ columns: Prepared) throws(StoreFault) -> Self
}

extension ColumnRow {
  /// For `Prepared.one` and `all`: the workspace, then the row.
  static func inWorkspace(_ columns: Prepared) throws(StoreFault) -> Self {
    _ = columns.integer()
    return try read(columns)
  }
}

extension EntryRow: ColumnRow {
  static var table: Table { .entries }
  func put(into columns: Prepared) {
    columns.put(id)
    columns.put(position)
    columns.put(customer)
    columns.put(conversation) { columns.put($0) }
    columns.put(session) { columns.put($0) }
    columns.put(at)
    columns.put(Int64(visibility.rawValue))
    columns.put(hash)
    // The body is covered by `hash`; that there is none is covered by the sealed NULL.
    if let body { body.withUnsafeBytes { columns.putUnsealed($0) } } else { columns.putNull() }
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> EntryRow {
    var row = try readFrame(columns)
    let (id, hash) = (row.id, row.hash)
    row.body = try columns.optional { c throws(StoreFault) in
      let body = c.unsealedRaw()
      guard Checksum.sha256(body) == hash else {
        throw StoreFault.corrupt(what: "the body of entry \(id) does not match its hash")
      }
      return Array(body)
    }
    return row
  }

  /// Without its words, whatever these are: the row's checksum does not cover them.
  static func readWordless(_ columns: Prepared) throws(StoreFault) -> EntryRow {
    let row = try readFrame(columns)
    _ = try columns.optional { c throws(StoreFault) in c.unsealedRaw() }
    return row
  }

  private static func readFrame(_ columns: Prepared) throws(StoreFault) -> EntryRow {
    let id = columns.entry()
    let position = columns.integer()
    let customer = try columns.id(CustomerKind.self)
    let conversation = try columns.optional { c throws(StoreFault) in
      try c.id(ConversationKind.self)
    }
    let session = try columns.optional { c throws(StoreFault) in try c.id(SessionKind.self) }
    let at = columns.instant()
    let visibility = try columns.code(Visibility.self)
    return EntryRow(
      id: id, position: position, customer: customer, conversation: conversation, session: session,
      at: at, visibility: visibility, body: nil, hash: try columns.digest())
  }
}

extension CustomerRow: ColumnRow {
  static var table: Table { .customers }
  func put(into columns: Prepared) {
    columns.put(id)
    columns.put(root)
    columns.put(created)
    columns.put(profile)
    columns.put(timeline.count)
    columns.put(timeline.sum)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> CustomerRow {
    CustomerRow(
      id: try columns.id(), root: try columns.id(), created: columns.instant(),
      profile: columns.bytes(),
      timeline: TimelineDigest(count: columns.integer(), sum: try columns.digest()))
  }
}

extension IdentityRow: ColumnRow {
  static var table: Table { .identities }
  func put(into columns: Prepared) {
    columns.put(hash)
    columns.put(customer)
    columns.put(Int64(identity.kind.rawValue))
    columns.put(identity.value)
    columns.put(Int64(assurance.rawValue))
    columns.put(evidence)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> IdentityRow {
    IdentityRow(
      hash: columns.bytes(), customer: try columns.id(),
      identity: Identity(kind: try columns.code(), value: columns.text()),
      assurance: try columns.code(),
      evidence: columns.bytes())
  }
}

extension ConversationRow: ColumnRow {
  static var table: Table { .conversations }
  func put(into columns: Prepared) {
    columns.put(id)
    columns.put(customer)
    columns.put(isOpen)
    columns.put(Int64(epoch))
    columns.put(lastAgent) { columns.put(Int64($0)) }
    columns.put(opened)
    columns.put(changed)
    columns.put(about)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> ConversationRow {
    ConversationRow(
      id: try columns.id(), customer: try columns.id(), isOpen: columns.flag(),
      epoch: try columns.small(),
      lastAgent: try columns.optional { c throws(StoreFault) in try c.small() },
      opened: columns.instant(),
      changed: columns.instant(), about: columns.bytes())
  }
}

extension SessionRow: ColumnRow {
  static var table: Table { .sessions }
  func put(into columns: Prepared) {
    columns.put(id)
    columns.put(conversation)
    columns.put(Int64(channel.rawValue))
    columns.put(bot) { columns.put(Int64($0)) }
    columns.put(ended) { columns.put($0) }
    columns.putAdded(customer) { columns.put($0) }
    columns.putAdded(former.isEmpty ? nil : former) { list in
      columns.put(
        list.flatMap { former in
          let words = (
            former.conversation.high, former.conversation.low, UInt64(bitPattern: former.upTo.raw)
          )
          return withUnsafeBytes(
            of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian), Array.init)
        })
    }
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> SessionRow {
    let row = SessionRow(
      id: try columns.id(), conversation: try columns.id(), channel: try columns.code(),
      bot: try columns.optional { c throws(StoreFault) in try c.small() },
      ended: try columns.optional { c throws(StoreFault) in c.instant() },
      customer: try columns.added { c throws(StoreFault) in try c.id(CustomerKind.self) },
      former: try columns.added { c throws(StoreFault) in try c.formers() } ?? [])
    // The one in the other's place would have the same checksum.
    guard row.customer != nil || row.former.isEmpty else {
      throw .corrupt(what: "nobody's session was taken out of a conversation")
    }
    return row
  }
}

extension CaseRow: ColumnRow {
  static var table: Table { .cases }
  func put(into columns: Prepared) {
    columns.put(id)
    columns.put(conversation)
    columns.put(Int64(queue))
    columns.put(agent) { columns.put(Int64($0)) }
    columns.put(Int64(state))
    columns.put(created)
    columns.put(closed) { columns.put($0) }
    columns.put(about)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> CaseRow {
    CaseRow(
      id: try columns.id(), conversation: try columns.id(), queue: try columns.small(),
      agent: try columns.optional { c throws(StoreFault) in try c.small() },
      state: try columns.small(),
      created: columns.instant(),
      closed: try columns.optional { c throws(StoreFault) in c.instant() },
      about: columns.bytes())
  }
}

extension FactsRow: ColumnRow {
  static var table: Table { .facts }
  func put(into columns: Prepared) {
    columns.put(self.case)
    columns.put(bytes)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> FactsRow {
    FactsRow(case: try columns.id(), bytes: columns.bytes())
  }
}

extension OutcomeRow: ColumnRow {
  static var table: Table { .outcomes }
  func put(into columns: Prepared) {
    columns.put(key)
    columns.put(bodyHash)
    columns.put(at)
    columns.put(answer)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> OutcomeRow {
    OutcomeRow(
      key: columns.bytes(), bodyHash: try columns.digest(), at: columns.instant(),
      answer: columns.bytes())
  }
}

extension OpenWorkRow: ColumnRow {
  static var table: Table { .work }
  func put(into columns: Prepared) {
    columns.put(Int64(kind))
    columns.put(key)
    columns.put(value) { columns.put($0) }
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> OpenWorkRow {
    OpenWorkRow(kind: try columns.small(), key: columns.bytes(), value: columns.bytes())
  }
}

/// An `OpenWorkRow` whose bytes stand until the next step.
struct OpenWorkView {
  var kind: UInt8
  var key: UnsafeRawBufferPointer
  var value: UnsafeRawBufferPointer

  /// The workspace, then the row.
  static func read(_ columns: Prepared) throws(StoreFault) -> OpenWorkView {
    _ = columns.integer()
    return OpenWorkView(kind: try columns.small(), key: columns.raw(), value: columns.raw())
  }
}

extension KeyRow: ColumnRow {
  static var table: Table { .keys }
  func put(into columns: Prepared) {
    columns.put(Int64(space.rawValue))
    columns.put(key)
    columns.put(value) { columns.put($0) }
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> KeyRow {
    KeyRow(space: try columns.code(), key: columns.bytes(), value: columns.bytes())
  }
}

extension OutboxRow: ColumnRow {
  static var table: Table { .outbox }
  func put(into columns: Prepared) {
    columns.put(id)
    columns.put(Int64(kind.rawValue))
    columns.put(due)
    columns.put(Int64(tries))
    columns.put(payload) { columns.put($0) }
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> OutboxRow {
    OutboxRow(
      id: columns.integer(), kind: try columns.code(), due: columns.instant(),
      tries: try columns.small(),
      payload: columns.bytes())
  }
}

extension BlobRow: ColumnRow {
  static var table: Table { .blobs }
  func put(into columns: Prepared) {
    columns.put(id)
    columns.put(hash)
    columns.put(size)
    columns.put(mediaType)
    columns.put(fileName) { columns.put($0) }
    columns.put(conversation) { columns.put($0) }
    columns.put(uploader)
    columns.put(at)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> BlobRow {
    BlobRow(
      id: try columns.id(), hash: try columns.digest(), size: columns.integer(),
      mediaType: columns.text(),
      fileName: try columns.optional { c throws(StoreFault) in c.text() },
      conversation: try columns.optional { c throws(StoreFault) in try c.id(ConversationKind.self)
      },
      uploader: columns.text(), at: columns.instant())
  }
}

extension LogHead: ColumnRow {
  static var table: Table { .heads }
  func put(into columns: Prepared) {
    columns.put(position)
    columns.put(chain)
    columns.put(at)
    columns.put(entry)
    columns.put(outbox)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> LogHead {
    var head = LogHead()
    head.position = columns.integer()
    head.chain = try columns.digest()
    head.at = columns.instant()
    head.entry = columns.entry()
    head.outbox = columns.integer()
    return head
  }
}

extension VerifiedMark: ColumnRow {
  static var table: Table { .verified }
  func put(into columns: Prepared) {
    columns.put(position)
    columns.put(chain)
    columns.put(entry)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> VerifiedMark {
    VerifiedMark(position: columns.integer(), chain: try columns.digest(), entry: columns.entry())
  }
}

/// A rule version, as the contract's tuple cannot conform.
struct ConfigurationColumns: ColumnRow {
  var version: UInt32
  var bytes: [UInt8]
  static var table: Table { .configurations }
  func put(into columns: Prepared) {
    columns.put(Int64(version))
    columns.put(bytes)
  }
  static func read(_ columns: Prepared) throws(StoreFault) -> ConfigurationColumns {
    ConfigurationColumns(version: try columns.small(), bytes: columns.bytes())
  }
}
