import Continuity
import Model
import Records
import Routing
import Wire

/// Reading through the overlay, and writing entries and rows.
extension Pipeline {
  func identity(_ hash: [UInt8], _ reads: any StoreReader) throws(StoreFault) -> IdentityRow? {
    if let row = pending.identities[hash] { return row }
    return try reads.identity(workspace, hash: hash)
  }

  mutating func customer(_ id: CustomerID, _ reads: any StoreReader) throws(StoreFault)
    -> CustomerRow?
  {
    if let row = pending.customers[id] { return row }
    let row = try reads.customer(workspace, id)
    if let row { pending.remember(row) }
    return row
  }

  mutating func conversationRow(_ id: ConversationID, _ reads: any StoreReader) throws(StoreFault)
    -> ConversationRow?
  {
    if let row = pending.conversations[id] { return row }
    let row = try reads.conversation(workspace, id)
    if let row { pending.remember(row) }
    return row
  }

  mutating func sessionRow(_ id: SessionID, _ reads: any StoreReader) throws(StoreFault)
    -> SessionRow?
  {
    if let row = pending.sessions[id] { return row }
    let row = try reads.session(workspace, id)
    if let row { pending.remember(row) }
    return row
  }

  mutating func caseRow(_ id: CaseID, _ reads: any StoreReader) throws(StoreFault) -> CaseRow? {
    if let row = pending.cases[id] { return row }
    let row = try reads.aCase(workspace, id)
    if let row { pending.cases.remember(id, row) }
    return row
  }

  func value(_ space: KeyRow.Space, _ key: [UInt8], _ reads: any StoreReader) throws(StoreFault)
    -> [UInt8]?
  {
    if let row = pending.keys[.init(space: space, key: key)] { return row.value }
    return try reads.key(workspace, space, key)
  }

  /// - Parameter value: nil takes the row away.
  mutating func setKey(_ space: KeyRow.Space, _ key: [UInt8], _ value: [UInt8]?, _ turn: inout Turn)
  {
    pending.keys.set(
      .init(space: space, key: key), KeyRow(space: space, key: key, value: value), at: turn.position
    )
    turn.touched = true
  }

  /// Resolves who this is. Nothing is written before `keep`.
  func resolve(
    _ claims: [IdentityClaim], newID: CustomerID, attributes: [CustomerProfile.Attribute],
    seed: CustomerRow? = nil,
    _ turn: Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Resolution {
    let pending = self.pending
    return try Resolution.resolve(
      claims, newID: newID, attributes: attributes, at: turn.at, seed: seed,
      .init(
        identity: { hash throws(StoreFault) in try Self.identity(hash, pending, reads) },
        customer: { id throws(StoreFault) in try Self.customer(id, pending, reads) },
        merged: { root throws(StoreFault) in try Self.merged(into: root, pending, reads) },
        isProven: { record throws(StoreFault) in try Self.isProven(record, pending, reads) }))
  }

  private static func identity(
    _ hash: [UInt8], _ pending: Pending, _ reads: any StoreReader
  ) throws(StoreFault) -> IdentityRow? {
    if let row = pending.identities[hash] { return row }
    return try reads.identity(pending.workspace, hash: hash)
  }

  static func customer(
    _ id: CustomerID, _ pending: Pending, _ reads: any StoreReader
  ) throws(StoreFault) -> CustomerRow? {
    if let row = pending.customers[id] { return row }
    return try reads.customer(pending.workspace, id)
  }

  static func isProven(
    _ record: CustomerID, _ pending: Pending, _ reads: any StoreReader
  ) throws(StoreFault) -> Bool {
    try identities(of: record, pending, reads).contains { $0.assurance.joins }
  }

  /// What a record is known by, in the order of the keys: what is not committed yet stands for what is.
  static func identities(
    of record: CustomerID, _ pending: Pending, _ reads: any StoreReader
  ) throws(StoreFault) -> [IdentityRow] {
    var rows = pending.identities.all { $0.customer == record }
    for row in try reads.identities(pending.workspace, of: record)
    where pending.identities[row.hash] == nil { rows.append(row) }
    return rows.sorted { $0.hash.lexicographicallyPrecedes($1.hash) }
  }

  /// All records of the person whose root it is.
  static func merged(
    into root: CustomerID, _ pending: Pending, _ reads: any StoreReader
  ) throws(StoreFault) -> [CustomerRow] {
    // Most people have one record, and who has more has a link to them.
    if let own = try customer(root, pending, reads), own.root == root,
      own.decodedProfile?.links.isEmpty == true
    {
      return [own]
    }
    var rows: [CustomerRow] = []
    for row in try reads.merged(pending.workspace, into: root) {
      rows.append(pending.customers[row.id] ?? row)
    }
    for id in [root] + pending.recordsOf(root) where !rows.contains(where: { $0.id == id }) {
      if let row = pending.customers[id] { rows.append(row) }
    }
    return rows.filter { $0.root == root }.sorted {
      $0.created == $1.created ? $0.id < $1.id : $0.created < $1.created
    }
  }

  /// What is known of the person whom this record belongs to.
  func profile(ofPerson record: CustomerRow, _ reads: any StoreReader) throws(StoreFault)
    -> CustomerProfile
  {
    var profiles: [CustomerProfile] = []
    for row in try Self.merged(into: record.root, pending, reads) {
      profiles.append(try profile(of: row))
    }
    return CustomerProfile.union(profiles)
  }

  mutating func change(
    _ record: CustomerID, _ turn: inout Turn, _ reads: any StoreReader,
    _ body: (inout CustomerProfile) -> Void
  ) throws(StoreFault) {
    guard var row = try customer(record, reads) else { return }
    var profile = try profile(of: row)
    body(&profile)
    row.profile = profile.encoded
    pending.set(row, at: turn.position)
    turn.touched = true
  }

  /// - Parameter rows: as somebody changed them who had looked at them before; entries may have
  ///   been written since.
  mutating func keep(_ rows: [CustomerRow], _ turn: inout Turn) {
    isTorn = true
    for var row in rows {
      if let now = pending.customers[row.id] { row.timeline = now.timeline }
      pending.set(row, at: turn.position)
      turn.touched = true
    }
  }

  mutating func keep(_ resolution: Resolution, _ turn: inout Turn) {
    keep(resolution.customers, &turn)
    for row in resolution.identities {
      pending.identities.set(row.hash, row, at: turn.position)
      turn.touched = true
    }
  }

  /// Writes one entry: numbers it, hashes it, adds it to its customer's digest.
  @discardableResult
  mutating func write(
    _ draft: EntryDraft, customer: CustomerRow, conversation: ConversationID?, session: SessionID?,
    _ turn: inout Turn
  ) -> EntryID {
    isTorn = true
    let id = EntryID(head.entry.raw + 1)
    head.entry = id
    let body = EntryBody.encode(
      draft, id: id, at: turn.at, conversation: conversation, session: session,
      authorName: name(of: draft.author),
      salt: salt(for: id))
    let hash = environment.sha256(body)
    pending.append(
      EntryRow(
        id: id, position: turn.position, customer: customer.id, conversation: conversation,
        session: session,
        at: turn.at, visibility: draft.visibility, body: body, hash: hash))
    var row = pending.customers[customer.id] ?? customer
    row.timeline.add(hash)
    pending.set(row, at: turn.position)
    for blob in draft.blobs {
      let name = KeyRow.attachment(blob, of: id)
      setKey(name.space, name.key, name.value, &turn)
    }
    // Belonging to the conversation lets its bot fetch a blob: what is attached inside stays
    // inside.
    for blob in draft.blobs where draft.visibility == .customer {
      if var row = pending.blobs[blob] ?? turn.blobs[blob] {
        row.conversation = row.conversation ?? conversation
        pending.blobs.set(blob, row, at: turn.position)
      }
    }
    if let arrival = draft.arrival { keep(arrival, of: id, &turn) }
    turn.entries.append((id, hash))
    if !turn.told.contains(customer.id) { turn.told.append(customer.id) }
    turn.touched = true
    if let conversation {
      if let known = turn.said.firstIndex(where: { $0.0 == conversation }) {
        turn.said[known].1 = id
      } else {
        turn.said.append((conversation, id))
      }
    }
    return id
  }

  mutating func keep(_ arrival: EntryDraft.Arrival, of entry: EntryID, _ turn: inout Turn) {
    setKey(.arrival, arrival.key, Self.number(entry.raw) + arrival.content, &turn)
  }

  enum Known: Hashable {
    case asNothing
    case same(EntryID)
    /// Something else came under that id.
    case other
  }

  /// Whether this has come before.
  func known(_ draft: EntryDraft, _ reads: any StoreReader) throws(StoreFault) -> Known {
    guard let arrival = draft.arrival else { return .asNothing }
    return try known(arrival, reads)
  }

  func known(_ arrival: EntryDraft.Arrival, _ reads: any StoreReader) throws(StoreFault) -> Known {
    guard let value = try value(.arrival, arrival.key, reads) else { return .asNothing }
    do throws(WireError) {
      return try ByteReader.readAll(value) { r throws(WireError) in
        let entry = EntryID(try r.fixed())
        // Kept without its content by an older program: taken for the same.
        guard r.remaining > 0 else { return .same(entry) }
        return Array(try r.bytes(r.remaining)) == arrival.content ? .same(entry) : .other
      }
    } catch { throw StoreFault.corrupt(what: "what an arrival is known by") }
  }

  /// Finds the attachments of an entry; false when one is not there or not the speaker's to show.
  mutating func attach(
    _ draft: EntryDraft, _ turn: inout Turn, _ reads: any StoreReader,
    if isAllowed: (BlobRow) -> Bool
  ) throws(StoreFault) -> Bool {
    for blob in draft.blobs {
      let row: BlobRow?
      if let known = pending.blobs[blob] {
        row = known
      } else {
        row = try reads.blob(workspace, blob)
      }
      guard let row, isAllowed(row) else { return false }
      turn.blobs[blob] = row
    }
    return true
  }

  /// - Parameter purpose: keeps several salts of one number apart.
  func salt(for id: EntryID, purpose: UInt8 = 0) -> UInt64 {
    secret(for: id, purpose: purpose).words.0
  }

  func secret(for id: EntryID, purpose: UInt8) -> Digest {
    var w = ByteWriter(reserving: environment.saltSeed.count + 9)
    w.raw(environment.saltSeed)
    w.fixed(id.raw)
    if purpose > 0 { w.uint8(purpose) }
    return environment.sha256(w.bytes)
  }

  func name(of author: Author) -> String? {
    switch author {
    case .customer, .system: nil
    case .bot(let bot): router.name(of: bot)
    case .agent(let agent): router.name(of: agent)
    }
  }

  public func view(_ owner: Owner) -> OwnerView {
    switch owner {
    case .bot(let bot): OwnerView(kind: .bot, name: router.name(of: bot))
    case .queue(let queue, _): OwnerView(kind: .queue, name: router.name(of: queue))
    case .agent(let agent, _): OwnerView(kind: .agent, name: router.name(of: agent))
    case .closed: OwnerView(kind: .closed, name: "")
    case .unrouted: OwnerView(kind: .unrouted, name: "")
    }
  }

  func rejection(_ reason: Rejection, _ conversation: ConversationID?) -> Answer {
    guard let conversation, let state = router.conversation(conversation) else {
      return .rejected(reason, owner: nil, epoch: nil)
    }
    return .rejected(reason, owner: view(state.owner), epoch: state.epoch)
  }
}
