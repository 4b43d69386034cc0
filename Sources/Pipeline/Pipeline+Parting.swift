import Continuity
import Model
import Records
import Routing

/// Conversations in which several records of one person took part, and what becomes of them once
/// these are several people.
///
/// Entries stand with the record that they arrived by, or that they answer, and are never moved. A
/// conversation that is open goes on with whoever its case is about; whoever else sits in it goes on
/// in a conversation of their own, with a case of their own where somebody was about to serve them.
extension Pipeline {
  // MARK: By which record

  /// Whether two records are of one person at this moment.
  mutating func areOne(_ a: CustomerID, _ b: CustomerID, _ reads: any StoreReader)
    throws(StoreFault) -> Bool
  {
    guard a != b else { return true }
    return try customer(a, reads)?.root == customer(b, reads)?.root
  }

  /// The record that a session arrived by.
  mutating func customer(ofSession row: SessionRow, _ reads: any StoreReader) throws(StoreFault)
    -> CustomerRow?
  {
    guard let record = row.customer else {
      return try customer(ofConversation: row.conversation, reads)
    }
    return try customer(record, reads)
  }

  /// The record whose matter a case is.
  mutating func customer(
    ofCase about: CaseAbout?, in place: ConversationID, _ reads: any StoreReader
  ) throws(StoreFault) -> CustomerRow? {
    guard let record = about?.customer else { return try customer(ofConversation: place, reads) }
    return try customer(record, reads)
  }

  /// The thread that a conversation's mail goes on in, where it is with this record's person.
  mutating func mail(
    of about: ConversationAbout, with record: CustomerID, _ reads: any StoreReader
  ) throws(StoreFault) -> MailLine? {
    if let by = about.mailBy, try !areOne(by, record, reads) { return nil }
    return about.mail
  }

  // MARK: Where it goes on

  /// Where a conversation goes on for the person of a record: in itself, in the one that it was
  /// joined to, or in the one that they were taken apart into. nil where it does not, and where their
  /// person was erased.
  mutating func goesOn(
    _ row: ConversationRow, for record: CustomerID, _ reads: any StoreReader
  ) throws(StoreFault) -> ConversationRow? {
    guard try areOne(row.customer, record, reads) else { return try parted(row, record, reads) }
    if let other = Self.about(row.about)?.joinedTo, let there = try conversationRow(other, reads) {
      if try areOne(there.customer, record, reads) { return isGone(there) ? nil : there }
      // They were joined while both were one person.
      if let own = try parted(there, record, reads) { return own }
    }
    return isGone(row) ? nil : row
  }

  private mutating func parted(
    _ row: ConversationRow, _ record: CustomerID, _ reads: any StoreReader
  ) throws(StoreFault) -> ConversationRow? {
    for parting in (Self.about(row.about)?.partings ?? []).reversed() {
      guard let there = try conversationRow(parting.conversation, reads),
        try areOne(there.customer, record, reads)
      else { continue }
      if let other = Self.about(there.about)?.joinedTo,
        let place = try conversationRow(other, reads),
        try areOne(place.customer, record, reads)
      {
        return isGone(place) ? nil : place
      }
      return isGone(there) ? nil : there
    }
    return nil
  }

  /// Where what concerns a record goes on, and be it in a closed conversation that is made for it: a
  /// late recording, an answer that did not arrive. nil where their person was erased.
  mutating func home(
    of row: ConversationRow, for record: CustomerID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> ConversationRow? {
    if let there = try goesOn(row, for: record, reads) { return there }
    guard try !areOne(row.customer, record, reads),
      let about = Self.about(row.about),
      !about.partings.contains(where: { $0.customer == record })
    else { return nil }
    let id: ConversationID = newID(turn, purpose: 5)
    var own = try inherited(about, from: row.id, by: record, reads)
    own.isSettled = true
    let made = ConversationRow(
      id: id, customer: record, isOpen: false, epoch: 0, lastAgent: nil, opened: turn.at,
      changed: turn.at, about: own.encoded)
    pending.set(made, at: turn.position)
    try tell(of: row.id, turn, reads) { $0.partings.append(.init(record, to: id)) }
    turn.touched = true
    return made
  }

  /// What a conversation of this record's own knows of the one that it was taken out of.
  private mutating func inherited(
    _ about: ConversationAbout, from id: ConversationID, by record: CustomerID,
    _ reads: any StoreReader
  ) throws(StoreFault) -> ConversationAbout {
    var own = ConversationAbout()
    (own.earlier, own.takenFrom) = (id, id)
    if let by = about.mailBy, try areOne(by, record, reads) {
      (own.mail, own.mailBy, own.subjectKey) = (about.mail, by, about.subjectKey)
      own.returnPath = about.returnPath
    }
    if let by = about.callBy, try areOne(by, record, reads) {
      (own.call, own.callBy) = (about.call, by)
    }
    return own
  }

  // MARK: Taking apart

  /// One who sits in a conversation.
  private struct Seat {
    var session: SessionRow
    var record: CustomerID
    var root: CustomerID
    var new: NewSession {
      NewSession(
        id: session.id, channel: session.channel, bot: session.bot.map { BotID($0) })
    }
  }

  /// People were parted: whoever sits in a conversation with another goes on in one of their own.
  mutating func takeApart(
    _ records: [CustomerID], _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    let rows = try conversations(of: records, atMost: GatheredFacts.conversationsMax, reads)
    for id in Set(rows.map(\.id)).sorted() where router.conversation(id) != nil {
      try takeApart(id, &turn, reads)
    }
  }

  private mutating func takeApart(
    _ id: ConversationID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let state = router.conversation(id), let row = try conversationRow(id, reads),
      let home = try customer(row.customer, reads)?.root
    else { return }
    var seats: [Seat] = []
    for view in state.sessions {
      guard let session = try sessionRow(view.id, reads),
        let record = try customer(ofSession: session, reads)
      else { continue }
      seats.append(Seat(session: session, record: record.id, root: record.root))
    }
    let matter = try state.openCase.flatMap { id throws(StoreFault) in try caseRow(id, reads) }
    let owner = try matter.flatMap { row throws(StoreFault) in
      try customer(ofCase: Self.decoded(row.about), in: id, reads)
    }
    let stays =
      owner?.root ?? (seats.contains { $0.root == home } ? home : seats.first?.root) ?? home
    guard stays != home || seats.contains(where: { $0.root != stays }) else { return }
    isTorn = true
    try name(row, turn, reads)
    let held = state.openCase.flatMap { router.case($0) }
    if stays != home {
      let record = owner?.id ?? seats.first { $0.root == stays }?.record ?? stays
      _ = try command(.moveConversation(id, customer: record), &turn, reads)
    }
    for root in Set(seats.map(\.root)).subtracting([stays]).sorted() {
      try seat(seats.filter { $0.root == root }, elsewhereThan: id, held, state.owner, &turn, reads)
    }
  }

  /// Says of everything in a conversation whose it is, where an older program took it for granted.
  private mutating func name(_ row: ConversationRow, _ turn: Turn, _ reads: any StoreReader)
    throws(StoreFault)
  {
    var sessions = Set(try reads.sessions(workspace, of: row.id).map(\.id))
    sessions.formUnion(pending.sessionsOf(row.id))
    for id in sessions.sorted() {
      guard var session = try sessionRow(id, reads), session.customer == nil else { continue }
      session.customer = row.customer
      pending.set(session, at: turn.position)
    }
    var cases = Set(try reads.cases(workspace, of: row.id).map(\.id))
    cases.formUnion(pending.cases.all { $0.conversation == row.id }.map(\.id))
    for id in cases.sorted() {
      guard var aCase = try caseRow(id, reads), var about = Self.decoded(aCase.about),
        about.customer == nil
      else { continue }
      about.customer = row.customer
      aCase.about = about.encoded
      pending.cases.set(id, aCase, at: turn.position)
    }
    try tell(of: row.id, turn, reads) { about in
      about.wasParted = true
      if about.mail != nil, about.mailBy == nil { about.mailBy = row.customer }
      if about.call != nil, about.callBy == nil { about.callBy = row.customer }
    }
  }

  /// - Parameters:
  ///   - seats: all of one person.
  ///   - held: the case that the conversation has; nil where none is open.
  private mutating func seat(
    _ seats: [Seat], elsewhereThan id: ConversationID, _ held: CaseView?, _ owner: Owner,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let first = seats.first, let row = try conversationRow(id, reads),
      let about = Self.about(row.about)
    else { return }
    var own: ConversationID?
    // What an agent joined to this one while both were one person is theirs already.
    for joined in about.joins where own == nil {
      guard let there = try conversationRow(joined, reads), !isGone(there),
        try areOne(there.customer, first.record, reads)
      else { continue }
      own = joined
    }
    for seat in seats { _ = try command(.endSession(seat.session.id, .parted), &turn, reads) }
    let left = head.entry
    for seat in seats {
      turn.arriving = .init(
        customer: seat.record, former: seat.session.former + [.init(id, upTo: left)])
      if let place = own {
        _ = try join(place, seat.new, &turn, reads)
      } else {
        let place: ConversationID = newID(turn, purpose: 5)
        _ = try command(
          .openConversation(conversation: place, customer: seat.record, session: seat.new), &turn,
          reads)
        own = place
      }
    }
    turn.arriving = nil
    guard let place = own else { return }
    let inherited = try inherited(about, from: id, by: first.record, reads)
    try tell(of: place, turn, reads) { known in
      known.earlier = known.earlier ?? id
      known.takenFrom = id
      if inherited.mail != nil {
        (known.mail, known.mailBy) = (inherited.mail, inherited.mailBy)
        known.returnPath = inherited.returnPath
        known.subjectKey = known.subjectKey ?? inherited.subjectKey
      }
      if inherited.call != nil { (known.call, known.callBy) = (inherited.call, inherited.callBy) }
    }
    // What came and nobody has taken up goes with whoever it is of.
    var news: [ConversationAbout.Unheard] = []
    for one in about.unheard where held != nil {
      if let by = one.by, try areOne(by, first.record, reads) { news.append(one) }
    }
    let gone = Set(news.map(\.channel))
    try tell(of: id, turn, reads) { known in
      known.unheard.removeAll { gone.contains($0.channel) }
      known.partings.removeAll { $0.customer == first.record }
      known.partings.append(.init(first.record, to: place))
    }
    if let held { try queue(seats, held, owner, in: place, &turn, reads) }
    for one in news { try note(one, place, turn, reads) }
    var members = Members()
    members.text("with", id.description)
    members.text("reason", "split")
    if let now = router.conversation(place) { members.owner(view(now.owner), epoch: now.epoch) }
    // Their bot hears of it: it may have the word now, or a case have been made.
    try enter(.parted, .system, .business, members, place, nil, &turn, reads)
  }

  /// Whoever was about to be served with another is served on their own, with the same age.
  private mutating func queue(
    _ seats: [Seat], _ held: CaseView, _ owner: Owner, in place: ConversationID,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    let order: [Channel] = [.phone, .chat, .email]
    let carriers = order.compactMap { channel in
      seats.first { $0.session.channel == channel }
    }
    guard let seat = carriers.first else { return }
    var need = held.need
    if case .agent(let agent, _) = owner {
      need.preferred = .init(agent: agent, for: ContinuityRules.sameAgentFirst)
    }
    let needs = [need] + router.queueIDs.map { Need(queue: $0) }
    let channel = seat.session.channel
    let taken = needs.filter { router.takes($0, by: .transfer, on: channel) }
    guard let chosen = taken.first(where: router.isServed) ?? taken.first else { return }
    var members = Members()
    members.text("reason", "split")
    turn.routing = EntryDraft(
      kind: .routed, author: .system, visibility: .business, channel: channel,
      members: members.bytes)
    let id: CaseID = newID(turn, purpose: 6)
    let by = RouteReason(cause: .transfer, ruleVersion: held.by.ruleVersion, rule: nil)
    let refused = try command(
      .route(
        conversation: place, session: seat.session.id, case: id, need: chosen, by: by, epoch: nil,
        since: held.age), &turn, reads)
    if refused == nil { pending.facts.append(FactsRow(case: id, bytes: Array("{}".utf8))) }
  }
}
