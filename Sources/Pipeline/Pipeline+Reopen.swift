import Continuity
import Model
import Records
import Routing

/// News that a person must have, of a matter that no person has any more: a message that was
/// brought late, an answer that never arrived. It is opened again, and routed.
///
/// Where somebody has the matter or will get it, the news is noted until an agent answers or
/// closes the case. A case that ends in any other way, by its time or with the customer who hangs up,
/// ends without the news: that is opened again in the same turn.
extension Pipeline {
  /// Whether somebody has the conversation, or will get it.
  func hasSomebody(_ id: ConversationID) -> Bool {
    switch router.conversation(id)?.owner {
    case .queue, .agent: true
    case .bot, .unrouted, .closed, nil: false
    }
  }

  /// Makes a case of the news, unless somebody has the conversation: for them it is noted.
  /// - Parameters:
  ///   - record: by which it came; nil for the conversation's.
  ///   - old: the case that waited for it before, which goes on in the new one.
  mutating func reopen(
    _ place: ConversationID, on channel: Channel, _ new: NewCase, _ cause: RouteReason.Cause,
    by record: CustomerID?, since: Instant? = nil, as old: ConversationAbout.Unheard.Waited? = nil,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    var place = place
    // Whoever it is of may be another person by now.
    if let record, let row = try conversationRow(place, reads),
      try !areOne(row.customer, record, reads)
    {
      guard let own = try home(of: row, for: record, &turn, reads) else { return }
      place = own.id
    }
    guard !hasSomebody(place) else {
      return try note(
        .init(cause, on: channel, by: record, since: since, waited: old), place, turn, reads)
    }
    guard let row = try conversationRow(place, reads),
      let customer = try customer(record, orOf: place, reads)
    else { return }
    guard let about = Self.about(row.about) else {
      throw StoreFault.corrupt(what: "what is told of a conversation")
    }
    var session = NewSession(id: new.session, channel: channel, bot: nil)
    let open = router.conversation(place)?.sessions.last { $0.channel == channel }
    if let open, channel != .phone {
      session = NewSession(id: open.id, channel: channel, bot: open.bot)
    } else if channel == .chat {
      return  // whoever has left a chat waits for nothing there
    }
    var call = about.call
    if let by = about.callBy, try !areOne(by, customer.id, reads) { call = nil }
    // What the customer said last by this channel, but for their words.
    let mail = try mail(of: about, with: customer.id, reads).map {
      MailFacts(from: $0.theirs, to: [$0.ours], subject: $0.subject, text: "")
    }
    var facts = RouteFacts(
      channel: channel, bot: session.bot.map { router.name(of: $0) }, customer: customer.root,
      isNewCustomer: false,
      profile: try profile(ofPerson: customer, reads), mail: channel == .email ? mail : nil,
      call: channel == .phone ? call : nil)
    facts.gathered.isReopened = true
    try gather(for: &facts, place, reads)
    var wanted = planner.plan(facts, router: router, at: turn.at)
    if let old, let row = try caseRow(old.case, reads), let about = Self.decoded(row.about) {
      wanted = .route(
        old.need, rule: about.rule ?? 0, ruleVersion: about.ruleVersion,
        facts: try self.facts(of: old.case, reads))
      turn.handedOver = about.handoff
    }
    defer { turn.handedOver = nil }
    guard let planned = try planForSomebody(wanted, place, cause, channel, reads) else { return }
    if channel != .chat { turn.arriving = .init(customer: customer.id) }
    guard try join(place, session, &turn, reads) == nil else { return }
    turn.routing.channel = channel
    _ = try carryOut(
      planned, place, session.id, new.case, cause, epoch: nil, since: since, &turn, reads)
    if channel != .chat {
      try note(
        .init(cause, on: channel, by: customer.id, since: since, waited: waiting(new.case)), place,
        turn, reads)
    }
    // Nobody holds a line for it.
    if channel == .phone { _ = try command(.endSession(session.id, .customerLeft), &turn, reads) }
  }

  /// What the rules want, where it can be done. They may answer or refuse who comes, and name a
  /// queue that is gone, that nobody serves or, for a chat, that takes nothing just now; where nobody
  /// is there to be told, the matter goes to the queue that had it last, else to the first that takes
  /// it. Where nobody serves any, a mail waits for whoever will. nil where none takes it.
  mutating func planForSomebody(
    _ wanted: Planned, _ place: ConversationID, _ cause: RouteReason.Cause, _ channel: Channel,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Planned? {
    func takes(_ need: Need) -> Bool { router.takes(need, by: cause, on: channel) }
    var needs = router.queueIDs.map { Need(queue: $0) }
    let (rule, version): (UInt32, UInt32)
    switch wanted {
    case .route(let need, _, let by, let of, let seen, let tags):
      var need = need
      // Nothing is ever sent for a report: to this very address it would not arrive.
      if cause == .undelivered { need.steps.removeAll { $0.isMessage } }
      if takes(need), router.isServed(need) {
        return .route(need, rule: by, ruleVersion: of, facts: seen, tags: tags)
      }
      (rule, version) = (by, of)
      needs.insert(need, at: 0)
    case .action(_, let by, let of): (rule, version) = (by, of)
    }
    if let last = try lastCase(of: place, reads), let about = Self.decoded(last.about) {
      var need = Need(queue: QueueID(last.queue))
      need.priority = about.priority
      need.skills = about.skills
      needs.insert(need, at: 0)
    }
    let served = needs.first { takes($0) && router.isServed($0) }
    guard let need = served ?? needs.first(where: takes) else { return nil }
    return .route(need, rule: rule, ruleVersion: version, facts: Array("{}".utf8))
  }

  /// What the rules saw of a case; nothing where that was erased.
  private func facts(of id: CaseID, _ reads: any StoreReader) throws(StoreFault) -> [UInt8] {
    if let known = pending.facts.last(where: { $0.case == id }) { return known.bytes }
    return try reads.facts(workspace, of: id)?.bytes ?? Array("{}".utf8)
  }

  private mutating func lastCase(of place: ConversationID, _ reads: any StoreReader)
    throws(StoreFault) -> CaseRow?
  {
    var ids = Set(try reads.cases(workspace, of: place).map(\.id))
    ids.formUnion(pending.cases.all { $0.conversation == place }.map(\.id))
    var last: CaseRow?
    for id in ids.sorted() {
      guard let row = try caseRow(id, reads) else { continue }
      if last.map({ $0.created <= row.created }) ?? true { last = row }
    }
    return last
  }

  // MARK: - What would end unheard

  func isWrappingUp(_ place: ConversationID) -> Bool {
    guard let id = router.conversation(place)?.openCase, case .wrappingUp? = router.case(id)?.state
    else { return false }
    return true
  }

  /// Notes news of a case that somebody has, or will get.
  mutating func note(
    _ news: ConversationAbout.Unheard, _ place: ConversationID, _ turn: Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    guard router.conversation(place)?.openCase != nil else { return }
    var news = news
    news.since = news.since ?? turn.at
    news.at = turn.at
    try tell(of: place, turn, reads) { about in
      if let known = about.unheard.firstIndex(where: { $0.channel == news.channel }) {
        about.unheard[known].add(news)
      } else {
        about.unheard.append(news)
      }
    }
  }

  /// A case of this machine with what it needs, for its news.
  func waiting(_ id: CaseID) -> ConversationAbout.Unheard.Waited? {
    router.case(id).map { .init(id, $0.need) }
  }

  /// Who waits in a chat or for the answer to a mail and calls beside it waits there still when the
  /// call is over.
  mutating func noteWhatWaits(
    in place: ConversationID, beside session: SessionID, _ turn: Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let id = router.conversation(place)?.openCase, let waits = router.case(id),
      waits.channel != .phone, waits.session != session
    else { return }
    switch waits.state {
    case .waiting, .offered: break
    case .assigned, .parked, .wrappingUp: return
    }
    let isMessage = waits.by.cause == .message
    let whose = try caseRow(id, reads).flatMap { Self.decoded($0.about)?.customer }
    // With the steps that are still to come: nobody is told the same again.
    var need = waits.need
    need.steps.removeFirst(min(Int(waits.stepsTaken), need.steps.count))
    try note(
      .init(
        isMessage ? .message : .reopened, on: isMessage ? .phone : waits.channel, by: whose,
        since: waits.age, waited: .init(id, need)),
      place, turn, reads)
  }

  mutating func unheard(_ place: ConversationID, _ reads: any StoreReader)
    throws(StoreFault) -> [ConversationAbout.Unheard]
  {
    try conversationRow(place, reads).flatMap { Self.about($0.about)?.unheard } ?? []
  }

  /// An agent has accepted a case and what came to it, or no longer has it.
  /// - Parameter shown: when they were shown the case that they accept.
  mutating func take(
    _ isTaken: Bool, _ place: ConversationID, shown: Instant? = nil, _ turn: Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    guard try !unheard(place, reads).isEmpty else { return }
    try tell(of: place, turn, reads) { about in
      for index in about.unheard.indices {
        guard isTaken else {
          about.unheard[index].putBack()
          continue
        }
        if let shown, let at = about.unheard[index].at, at > shown { continue }
        about.unheard[index].isTaken = true
      }
    }
  }

  /// Somebody has taken up what was noted, or its case is over.
  @discardableResult
  mutating func hear(
    _ place: ConversationID, _ turn: Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> [ConversationAbout.Unheard] {
    let news = try unheard(place, reads)
    if !news.isEmpty { try tell(of: place, turn, reads) { $0.unheard = [] } }
    return news
  }

  mutating func takeUpUnheard(_ turn: inout Turn, _ reads: any StoreReader) throws(StoreFault) {
    for (place, news) in turn.unheard {
      turn.routing = EntryDraft(
        kind: .routed, author: .system, visibility: .business, channel: nil)
      (turn.servedBy, turn.passedOn, turn.arriving) = (nil, nil, nil)
      try reopen(
        place, on: news.channel, newCase(turn), news.cause, by: news.by, since: news.since,
        as: news.waited, &turn, reads)
    }
  }

  /// Ids that nobody can guess, for what no request brought about. They follow from what stands
  /// here, so that a turn that is decided again decides the same.
  func newCase(_ turn: Turn) -> NewCase {
    NewCase(session: newID(turn, purpose: 2), case: newID(turn, purpose: 3))
  }

  func newID<Noun: IDKind>(_ turn: Turn, purpose: UInt8) -> ID<Noun> {
    let drawn = secret(for: EntryID(head.entry.raw + 1), purpose: purpose).words
    return ID(at: turn.at, random: (drawn.2, drawn.3))
  }
}
