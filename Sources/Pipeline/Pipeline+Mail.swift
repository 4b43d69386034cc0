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
    if let seen = try value(.mailSeen, mail.seenKey, reads) {
      let known = Self.seen(seen)
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
    let choice = try target == nil ? choose(mail, who, turn, reads) : nil
    if let target {
      conversation = target.id
      entry = try answer(mail, target, who, &turn, reads)
    } else if case .continues(let known) = choice, let row = try conversationRow(known, reads) {
      conversation = known
      entry = try answer(mail, row, who, &turn, reads)
    } else {
      conversation = mail.conversation
      entry = try begin(mail, who, &turn, reads)
      if case .new(let earlier?, _) = choice {
        try tell(of: conversation, turn, reads) { $0.earlier = earlier }
      }
    }
    setKey(.mailSeen, mail.seenKey, Self.keyValue(conversation) + Self.number(entry.raw), &turn)
    if let key = mail.messageKey { setKey(.mailThread, key, Self.keyValue(conversation), &turn) }
    return .mailTaken(conversation, entry, duplicate: false)
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
  /// is theirs.
  private mutating func owner(
    of target: ConversationRow?, _ mail: MailArrival, _ reads: any StoreReader
  ) throws(StoreFault) -> CustomerRow? {
    guard let target, mail.replyAddress != nil, mail.from.assurance.joins else { return nil }
    return try customer(target.customer, reads)
  }

  /// A signed reply address decides first, then the headers, nearest ancestor first, and those only
  /// for somebody
  /// who takes part in the conversation: a guessed Message-ID must not open it to a stranger.
  private mutating func thread(of mail: MailArrival, _ reads: any StoreReader) throws(StoreFault)
    -> ConversationRow?
  {
    if let id = mail.replyAddress, let row = try conversationRow(id, reads),
      let place = try goesOn(row, reads)
    {
      return place
    }
    for key in mail.threadKeys {
      guard let value = try value(.mailThread, key, reads), let id = Self.conversation(value),
        let row = try conversationRow(id, reads), try takesPart(mail.from, row, reads),
        let place = try goesOn(row, reads)
      else { continue }
      return place
    }
    return nil
  }

  private mutating func takesPart(
    _ claim: IdentityClaim, _ row: ConversationRow, _ reads: any StoreReader
  ) throws(StoreFault) -> Bool {
    guard let customer = try customer(row.customer, reads) else { return false }
    if let known = try identity(claim.hash, reads),
      let owner = try self.customer(known.customer, reads),
      owner.root == customer.root
    {
      return true
    }
    // Mail from this address began it; an address that somebody typed into a chat is no such proof.
    guard let claimed = try identity(Resolution.claimHash(claim.hash, row.customer), reads) else {
      return false
    }
    return Self.evidence(claimed)?.items.contains { $0.means == "from_header" } ?? false
  }

  private mutating func begin(
    _ mail: MailArrival, _ who: Resolution, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> EntryID {
    let planned = try plan(mail, who.root.id, isNew: who.isNew, who.profile, nil, turn, reads)
    keep(who, &turn)
    try tellOfJoining(who, &turn, reads)
    guard case .route? = planned else {
      let entry = recordOnly(mail, who.record, &turn)
      try say(planned, mail, mail.conversation, &turn, reads)
      return entry
    }
    let session = NewSession(id: mail.session, channel: .email, bot: nil)
    _ = try command(
      .openConversation(conversation: mail.conversation, customer: who.record.id, session: session),
      &turn, reads)
    try follow(mail, mail.conversation, turn, reads)
    let entry = try take(mail, mail.conversation, mail.session, who.record, &turn, reads)
    try queue(planned, mail, mail.conversation, mail.session, .mail, &turn, reads)
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
    _ planned: Planned?, _ mail: MailArrival, _ place: ConversationID, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    guard case .action(.answer(let text), _, _)? = planned else { return }
    try follow(mail, place, turn, reads)
    try say(text, in: place, on: .email, &turn, reads)
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
        id: mail.session, conversation: mail.conversation, channel: .email, bot: nil, ended: turn.at
      ),
      at: turn.position)
    return write(
      mail.entry, customer: customer, conversation: mail.conversation, session: mail.session, &turn)
  }

  private mutating func queue(
    _ planned: Planned?, _ mail: MailArrival, _ conversation: ConversationID, _ session: SessionID,
    _ cause: RouteReason.Cause, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let planned else { return }
    turn.routing.channel = .email
    _ = try carryOut(planned, conversation, session, mail.case, cause, epoch: nil, &turn, reads)
    try note(.init(.reopened, on: .email), conversation, turn, reads)
  }

  private mutating func answer(
    _ mail: MailArrival, _ row: ConversationRow, _ who: Resolution, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> EntryID {
    guard let customer = try customer(row.customer, reads) else {
      throw StoreFault.corrupt(what: "a conversation of a customer that is not there")
    }
    // A proven sender is known by that address from now on; a claimed one proves nothing new.
    if mail.from.assurance.joins {
      keep(who, &turn)
      try tellOfJoining(who, &turn, reads)
    }
    let profile = try profile(ofPerson: customer, reads)
    if let open = router.conversation(row.id), open.owner != .closed {
      let session = mailSession(of: open) ?? mail.session
      if session == mail.session {
        _ = try command(
          .joinSession(
            conversation: row.id, session: NewSession(id: session, channel: .email, bot: nil)),
          &turn, reads)
      }
      try follow(mail, row.id, turn, reads)
      let entry = try take(mail, row.id, session, customer, &turn, reads)
      if mail.automatic == nil {
        try note(.init(.reopened, on: .email), row.id, turn, reads)
      }
      // A bot cannot answer mail: it goes to a person, and so does what could be routed nowhere so
      // far.
      if !hasSomebody(row.id),
        let planned = try plan(mail, customer.root, isNew: false, profile, row.id, turn, reads)
      {
        if case .route = planned {
          try queue(planned, mail, row.id, session, .mail, &turn, reads)
        } else {
          try say(planned, mail, row.id, &turn, reads)
        }
      }
      return entry
    }
    // A bounce must not reopen what was settled: it is recorded where it belongs.
    let planned = try plan(mail, customer.root, isNew: false, profile, row.id, turn, reads)
    guard case .route? = planned else {
      let entry = write(mail.entry, customer: customer, conversation: row.id, session: nil, &turn)
      try say(planned, mail, row.id, &turn, reads)
      return entry
    }
    let session = NewSession(id: mail.session, channel: .email, bot: nil)
    _ = try join(row.id, session, &turn, reads)
    try follow(mail, row.id, turn, reads)
    let entry = try take(mail, row.id, mail.session, customer, &turn, reads)
    try queue(planned, mail, row.id, mail.session, .reopened, &turn, reads)
    return entry
  }

  private func mailSession(of conversation: ConversationView) -> SessionID? {
    conversation.sessions.first { $0.channel == .email }?.id
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
    _ mail: MailArrival, _ id: ConversationID, _ turn: Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard mail.automatic == nil else { return }
    try tell(of: id, turn, reads) { about in
      about.mail = mail.thread
      about.subjectKey = about.subjectKey ?? mail.subjectKey
    }
  }

  // MARK: - Values of keys

  static func keyValue(_ id: ConversationID) -> [UInt8] {
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

  /// What stands behind it for an answer of ours: its `recipientKey`. nil for other mail, and for
  /// answers of an older program.
  static func recipient(_ value: [UInt8]) -> [UInt8]? {
    value.count > keyValueBytes ? Array(value[keyValueBytes...]) : nil
  }
  private static let keyValueBytes = 16

  static func seen(_ value: [UInt8]) -> (conversation: ConversationID, entry: EntryID) {
    do throws(WireError) {
      return try ByteReader.readAll(value) { r throws(WireError) in
        (try r.id(), EntryID(try r.fixed()))
      }
    } catch {
      return (ConversationID(high: 0, low: 0), EntryID(0))
    }
  }
}
