import Continuity
import Model
import Records
import Routing
import Wire

/// Mail that arrives: recorded once, threaded only for those who take part, routed unless a machine
/// wrote it.
extension Pipeline {
  mutating func mail(_ mail: MailArrival, _ turn: inout Turn, _ reads: any StoreReader)
    throws(StoreFault) -> Answer
  {
    if let known = try seen(mail, reads) {
      return .mailTaken(known.conversation, known.entry, duplicate: true)
    }
    if let answer = try reported(mail, &turn, reads) { return answer }
    let target = try thread(of: mail, reads)
    let who = try resolve(
      [mail.from], newID: mail.customer, attributes: mail.attributes,
      seed: try owner(of: target, mail, reads), turn,
      reads)
    for row in mail.blobs { pending.blobs.set(row.id, row, at: turn.position) }
    let entry: EntryID
    let conversation: ConversationID
    var record = who.record.id
    let choice = try target == nil ? choose(mail, who, turn, reads) : nil
    if let target {
      conversation = target.id
      (entry, record) = try answer(mail, target, who, &turn, reads)
    } else if case .continues(let known) = choice, let row = try conversationRow(known, reads) {
      conversation = known
      (entry, record) = try answer(mail, row, who, &turn, reads)
    } else {
      conversation = mail.conversation
      entry = try begin(mail, who, &turn, reads)
      if case .new(let earlier?, _) = choice {
        try tell(of: conversation, turn, reads) { $0.earlier = earlier }
      }
    }
    let (place, by) = (Self.keyValue(conversation), Self.keyValue(record))
    setKey(.mailSeen, mail.seenKey, place + Self.number(entry.raw) + by, &turn)
    // A byte more than an answer of an older program has: this one has no recipient.
    if let key = mail.messageKey { setKey(.mailThread, key, place + by + [0], &turn) }
    return .mailTaken(conversation, entry, duplicate: false)
  }

  /// Where this mail stands already.
  private mutating func seen(
    _ mail: MailArrival, _ reads: any StoreReader
  ) throws(StoreFault) -> (conversation: ConversationID, entry: EntryID)? {
    if let value = try value(.mailSeen, mail.seenKey, reads) { return Self.seen(value) }
    guard
      let value = try mail.earlierSeenKey.flatMap({ key throws(StoreFault) in
        try self.value(.mailSeen, key, reads)
      })
    else { return nil }
    // Web forms and scanners give many mails one id: who wrote it, and about what, tells them apart.
    // Whatever of that cannot be read any more counts as the same, as it did.
    let known = Self.seen(value)
    let body = try entry(known.entry, reads)?.body ?? []
    let isSame =
      EntryBody.says("from", mail.facts.from, body) ?? true
      && EntryBody.says("subject", mail.facts.subject, body) ?? true
    return isSame ? known : nil
  }

  /// Where mail goes on that its headers put nowhere. What a machine wrote continues nothing.
  private mutating func choose(
    _ mail: MailArrival, _ who: Resolution, _ turn: Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> WhichConversation.Choice? {
    guard mail.automatic == nil else { return nil }
    return try whichConversation(
      who, .init(channel: .email, subject: mail.subjectKey, at: turn.at), reads)
  }

  /// The customer of the conversation whose reply address was signed for this sender: the address
  /// is theirs, where they have written from it. Where it only stood in a `Reply-To`, whoever answers
  /// from it may be anybody: what they write goes on here, and they are nobody's by that.
  private mutating func owner(
    of target: ConversationRow?, _ mail: MailArrival, _ reads: any StoreReader
  ) throws(StoreFault) -> CustomerRow? {
    guard let target, mail.replyAddress != nil,
      try sender(mail.from, in: target, isSigned: false, reads) != nil
    else { return nil }
    return try customer(target.customer, reads)
  }

  /// A signed reply address decides first, then the headers, nearest ancestor first, and those only
  /// for somebody who takes part in the conversation: a guessed Message-ID must not open it to a
  /// stranger. Last of all its own id: what was sent to two of our addresses comes twice, and is one
  /// matter. Each leads to where the conversation goes on for the sender.
  private mutating func thread(of mail: MailArrival, _ reads: any StoreReader) throws(StoreFault)
    -> ConversationRow?
  {
    if let id = mail.replyAddress, let row = try conversationRow(id, reads) {
      let sender = try sender(mail.from, in: row, isSigned: true, reads) ?? row.customer
      if let place = try goesOn(row, for: sender, reads) { return place }
      // The address is theirs: unless they were taken apart, both are one person by that.
      if try !wereParted(sender, row.customer, reads),
        let place = try goesOn(row, for: row.customer, reads)
      {
        return place
      }
    }
    for key in mail.threadKeys + [mail.messageKey].compactMap(\.self) {
      guard let value = try value(.mailThread, key, reads), let id = Self.conversation(value),
        let row = try conversationRow(id, reads),
        let sender = try sender(mail.from, in: row, isSigned: false, reads),
        let place = try goesOn(row, for: sender, reads)
      else { continue }
      return place
    }
    return nil
  }

  /// The record that a sender takes part by: whoever is proven to have the address, else whoever wrote
  /// from it there.
  private mutating func sender(
    _ claim: IdentityClaim, in row: ConversationRow, isSigned: Bool, _ reads: any StoreReader
  ) throws(StoreFault) -> CustomerID? {
    let holder = try identity(claim.hash, reads)
    let isShared = holder?.isShared ?? false
    let known = isSigned && isShared ? nil : holder?.customer
    if let known {
      if try areOne(known, row.customer, reads) { return known }
      if !isShared, try wereParted(known, row.customer, reads) { return known }
    }
    // Mail from this address began it; an address that somebody typed into a chat is no such proof.
    let about = Self.about(row.about)
    let records =
      [row.customer, about?.mailBy].compactMap { $0 } + (about?.partings ?? []).map(\.customer)
    for record in records {
      guard let claimed = try identity(Resolution.claimHash(claim.hash, record), reads),
        claimed.decodedEvidence?.items.contains(where: \.isOfMail) ?? false
      else { continue }
      return record
    }
    return isSigned ? known : nil
  }

  /// Whether two people were one, and were taken apart.
  private mutating func wereParted(
    _ a: CustomerID, _ b: CustomerID, _ reads: any StoreReader
  ) throws(StoreFault) -> Bool {
    guard let one = try customer(a, reads), let other = try customer(b, reads) else { return false }
    return try people([one, other], reads).wereParted(a, b)
  }

  private mutating func begin(
    _ mail: MailArrival, _ who: Resolution, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> EntryID {
    let planned = try plan(mail, who.root.id, isNew: who.isNew, who.profile, nil, turn, reads)
    keep(who, &turn)
    try tellOfJoining(who, &turn, reads)
    guard case .route? = planned else {
      let entry = recordOnly(mail, who.record, &turn)
      try say(planned, mail, mail.conversation, by: who.record.id, &turn, reads)
      return entry
    }
    let session = NewSession(id: mail.session, channel: .email, bot: nil)
    turn.arriving = .init(customer: who.record.id)
    _ = try command(
      .openConversation(conversation: mail.conversation, customer: who.record.id, session: session),
      &turn, reads)
    try follow(mail, mail.conversation, by: who.record.id, turn, reads)
    let entry = try take(mail, mail.conversation, mail.session, who.record, &turn, reads)
    try queue(
      planned, mail, mail.conversation, mail.session, .mail, by: who.record.id, &turn, reads)
    return entry
  }

  /// What the rules want; nil for mail that a machine wrote. That is recorded, and nobody is woken;
  /// nor for mail that a rule answers or refuses.
  private mutating func plan(
    _ mail: MailArrival, _ root: CustomerID, isNew: Bool, _ profile: CustomerProfile,
    _ known: ConversationID?,
    _ turn: Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Planned? {
    guard mail.automatic == nil else { return nil }
    var facts = RouteFacts(
      channel: .email, bot: nil, customer: root, isNewCustomer: isNew, profile: profile,
      mail: mail.facts)
    facts.gathered.isReopened = known != nil
    facts.gathered.attachments = mail.entry.blobs.count
    try gather(for: &facts, known, claims: [mail.from], reads)
    let planned = planner.plan(facts, router: router, at: turn.at)
    switch planned {
    case .action: return planned
    // Nobody else sees a new matter than whom the rules name, though it may wait for them.
    case .route(let need, _, _, _, _, _)
    where known == nil && router.takes(need, by: .mail, on: .email):
      return planned
    case .route:
      return try planForSomebody(planned, known ?? mail.conversation, .mail, .email, reads)
    }
  }

  /// A rule's answer, where it has one.
  private mutating func say(
    _ planned: Planned?, _ mail: MailArrival, _ place: ConversationID, by record: CustomerID,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard case .action(.answer(let text), _, _)? = planned else { return }
    try follow(mail, place, by: record, turn, reads)
    try say(text, in: place, to: record, on: .email, &turn, reads)
  }

  /// A conversation that begins closed: the machine never hears of it.
  private mutating func recordOnly(_ mail: MailArrival, _ customer: CustomerRow, _ turn: inout Turn)
    -> EntryID
  {
    var about = ConversationAbout()
    about.isSettled = true
    pending.set(
      ConversationRow(
        id: mail.conversation, customer: customer.id, isOpen: false, epoch: 0, lastAgent: nil,
        opened: turn.at,
        changed: turn.at, about: about.encoded), at: turn.position)
    pending.set(
      SessionRow(
        id: mail.session, conversation: mail.conversation, channel: .email, bot: nil,
        ended: turn.at, customer: customer.id
      ),
      at: turn.position)
    return write(
      mail.entry, customer: customer, conversation: mail.conversation, session: mail.session, &turn)
  }

  private mutating func queue(
    _ planned: Planned?, _ mail: MailArrival, _ conversation: ConversationID, _ session: SessionID,
    _ cause: RouteReason.Cause, by record: CustomerID, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let planned else { return }
    turn.routing.channel = .email
    _ = try carryOut(planned, conversation, session, mail.case, cause, epoch: nil, &turn, reads)
    try note(
      .init(.reopened, on: .email, by: record, waited: waiting(mail.case)), conversation, turn,
      reads)
  }

  /// - Returns: also the record that it is written to.
  private mutating func answer(
    _ mail: MailArrival, _ row: ConversationRow, _ who: Resolution, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> (EntryID, CustomerID) {
    let customer: CustomerRow
    // A proven sender is known by that address from now on; a claimed one proves nothing new.
    if mail.from.assurance.joins, who.records.contains(row.customer) {
      keep(who, &turn)
      try tellOfJoining(who, &turn, reads)
      customer = who.record
    } else {
      customer = try taken(from: mail.from, row, reads)
    }
    let by = customer.id
    turn.arriving = .init(customer: by)
    let profile = try profile(ofPerson: customer, reads)
    if let open = router.conversation(row.id), open.owner != .closed {
      var session = try mailSession(of: open, by: by, reads)
      if session == nil {
        session = mail.session
        let refused = try command(
          .joinSession(
            conversation: row.id, session: NewSession(id: mail.session, channel: .email, bot: nil)),
          &turn, reads)
        // There is no room for one of their own.
        if refused != nil { session = open.sessions.first { $0.channel == .email }?.id }
      }
      let carrier = session ?? mail.session
      try follow(mail, row.id, by: by, turn, reads)
      let entry = try take(mail, row.id, carrier, customer, &turn, reads)
      if mail.automatic == nil {
        try note(.init(.reopened, on: .email, by: by), row.id, turn, reads)
      }
      // A bot cannot answer mail: it goes to a person, and so does what could be routed nowhere so
      // far.
      if !hasSomebody(row.id),
        let planned = try plan(mail, customer.root, isNew: false, profile, row.id, turn, reads)
      {
        if case .route = planned {
          try queue(planned, mail, row.id, carrier, .mail, by: by, &turn, reads)
        } else {
          try say(planned, mail, row.id, by: by, &turn, reads)
        }
      }
      return (entry, by)
    }
    // A bounce must not reopen what was settled: it is recorded where it belongs.
    let planned = try plan(mail, customer.root, isNew: false, profile, row.id, turn, reads)
    guard case .route? = planned else {
      let entry = write(mail.entry, customer: customer, conversation: row.id, session: nil, &turn)
      try say(planned, mail, row.id, by: by, &turn, reads)
      return (entry, by)
    }
    let session = NewSession(id: mail.session, channel: .email, bot: nil)
    _ = try join(row.id, session, &turn, reads)
    try follow(mail, row.id, by: by, turn, reads)
    let entry = try take(mail, row.id, mail.session, customer, &turn, reads)
    try queue(planned, mail, row.id, mail.session, .reopened, by: by, &turn, reads)
    return (entry, by)
  }

  /// The record of a sender who proves nothing: the one that has the address, where it is of the same
  /// person, else the conversation's.
  private mutating func taken(
    from claim: IdentityClaim, _ row: ConversationRow, _ reads: any StoreReader
  ) throws(StoreFault) -> CustomerRow {
    if let known = try identity(claim.hash, reads), !known.isShared,
      try areOne(known.customer, row.customer, reads),
      let record = try customer(known.customer, reads)
    {
      return record
    }
    guard let record = try customer(row.customer, reads) else {
      throw StoreFault.corrupt(what: "a conversation of a customer that is not there")
    }
    return record
  }

  private mutating func mailSession(
    of conversation: ConversationView, by record: CustomerID, _ reads: any StoreReader
  ) throws(StoreFault) -> SessionID? {
    for session in conversation.sessions where session.channel == .email {
      let row = try sessionRow(session.id, reads)
      if row?.customer ?? conversation.customer == record { return session.id }
    }
    return nil
  }

  /// Records the words; the machine tells whoever owns the conversation.
  private mutating func take(
    _ mail: MailArrival, _ conversation: ConversationID, _ session: SessionID,
    _ customer: CustomerRow,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> EntryID {
    _ = try command(
      .record(
        conversation: conversation, session: session, entry: EntryID(head.entry.raw + 1),
        author: .customer,
        visibility: mail.entry.visibility, epoch: nil), &turn, reads)
    return write(
      mail.entry, customer: customer, conversation: conversation, session: session, &turn)
  }

  /// The conversation's thread goes on from this message.
  private mutating func follow(
    _ mail: MailArrival, _ id: ConversationID, by record: CustomerID, _ turn: Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    guard mail.automatic == nil else { return }
    try tell(of: id, turn, reads) { about in
      (about.mail, about.mailBy) = (mail.thread, record)
      about.returnPath = mail.returnPath
      about.subjectKey = about.subjectKey ?? mail.subjectKey
    }
  }

  // MARK: - Values of keys

  static func keyValue<Noun: IDKind>(_ id: ID<Noun>) -> [UInt8] {
    var w = ByteWriter(reserving: 16)
    w.id(id)
    return w.bytes
  }

  static func number(_ n: Int64) -> [UInt8] {
    var w = ByteWriter(reserving: 8)
    w.fixed(n)
    return w.bytes
  }

  /// The conversation that a key of the space `mailThread` names.
  public static func conversation(_ value: [UInt8]) -> ConversationID? {
    do throws(WireError) {
      return try ByteReader.readAll(Array(value.prefix(keyValueBytes))) { r throws(WireError) in
        try r.id()
      }
    } catch { return nil }
  }

  /// What stands behind it for an answer of ours: its `recipientKey`, and the record that it answers.
  /// nil for other mail, and for answers of an older program, which had no record either.
  static func recipient(_ value: [UInt8]) -> (key: [UInt8], customer: CustomerID?)? {
    let (first, second, third) = (keyValueBytes, 2 * keyValueBytes, 3 * keyValueBytes)
    switch value.count {
    case third, third + 1:
      let customer: CustomerID? = id(Array(value[second..<third]))
      return (Array(value[first..<second]), customer)
    case second: return (Array(value[first...]), nil)
    default: return nil
    }
  }
  /// Whether what went out under a Message-ID was a rule's own words: a byte more says so.
  static func isAutomatic(_ value: [UInt8]) -> Bool { value.count == 3 * keyValueBytes + 1 }
  private static let keyValueBytes = 16

  private static func id<Noun: IDKind>(_ bytes: [UInt8]) -> ID<Noun>? {
    do throws(WireError) {
      return try ByteReader.readAll(bytes) { r throws(WireError) in try r.id() }
    } catch { return nil }
  }

  static func seen(_ value: [UInt8]) -> (conversation: ConversationID, entry: EntryID) {
    do throws(WireError) {
      // Its record stands behind: an erasure finds it by that.
      return try ByteReader.readAll(Array(value.prefix(24))) { r throws(WireError) in
        (try r.id(), EntryID(try r.fixed()))
      }
    } catch {
      return (ConversationID(high: 0, low: 0), EntryID(0))
    }
  }
}
