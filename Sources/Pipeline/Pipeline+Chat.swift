import Continuity
import Model
import Records
import Routing

/// Sessions that a bot carries.
extension Pipeline {
  mutating func openSession(
    _ open: OpenSession, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    let resumed = try resumed(open, reads)
    let who = try resolve(
      open.claims, newID: open.customer, attributes: open.attributes, seed: resumed?.customer, turn,
      reads)
    let session = NewSession(id: open.session, channel: open.channel, bot: open.bot)
    var choice = try whichConversation(who, .init(channel: open.channel, at: turn.at), reads)
    turn.arriving = .init(customer: who.record.id)
    // Nobody goes on with what is of somebody from whom an agent keeps them apart.
    if let resumed, who.records.contains(resumed.customer.id) {
      choice = .continues(resumed.conversation)
    }
    let place: ConversationID
    var isContinued = false
    var members = Members()
    // The machine may refuse; nothing of the resolution is kept before it agreed.
    if case .continues(let known) = choice, try join(known, session, &turn, reads) == nil {
      (place, isContinued) = (known, true)
    } else {
      place = open.conversation
      if let refused = try command(
        .openConversation(conversation: place, customer: who.record.id, session: session), &turn,
        reads)
      {
        return rejection(refused, nil)
      }
      if case .new(let earlier?, _) = choice {
        try tell(of: place, turn, reads) { $0.earlier = earlier }
        members.text("earlier", earlier.description)
      }
    }
    keep(who, &turn)
    try tellOfJoining(who, &turn, reads)
    members.raw("proven", Array("\(who.isProven)".utf8))
    let owner = router.conversation(place)
    // Who returns may find another owner than the conversation had: its story says so.
    if isContinued, let owner { members.owner(view(owner.owner), epoch: owner.epoch) }
    let entry = write(
      EntryDraft(
        kind: .sessionOpened, author: .bot(open.bot), visibility: .business, channel: open.channel,
        members: members.bytes + open.members),
      customer: who.record, conversation: place, session: open.session, &turn)
    return .sessionOpened(
      open.session, place, who.root.id, by: who.record.id, view(owner?.owner ?? .closed),
      epoch: owner?.epoch ?? 0,
      known: who.isProven ? .timeline : isContinued ? .conversation : .nothing,
      isContinued: isContinued, entry: entry)
  }

  /// What a resume token names. It says that the same browser is back, and no more: where the bot
  /// asserts somebody else,
  /// or somebody else's identity stands on the conversation, another person sits there now.
  private mutating func resumed(
    _ open: OpenSession, _ reads: any StoreReader
  ) throws(StoreFault) -> (conversation: ConversationID, customer: CustomerRow)? {
    guard let token = open.resumes, let found = try conversationRow(token.conversation, reads),
      token.customer != nil || Self.about(found.about)?.wasParted == false,
      let record = try customer(token.customer ?? found.customer, reads),
      let id = try goesOn(found, for: record.id, reads)?.id
    else { return nil }
    let proven = open.claims.filter(\.assurance.joins)
    guard !proven.isEmpty else { return (id, record) }
    for claim in proven {
      guard let known = try identity(claim.hash, reads) else { continue }
      if try customer(known.customer, reads)?.root == record.root { return (id, record) }
    }
    // Whoever was here without a name has one now.
    return try isProvenAnyhow(record.root, reads) ? nil : (id, record)
  }

  private func isProvenAnyhow(_ root: CustomerID, _ reads: any StoreReader) throws(StoreFault)
    -> Bool
  {
    for record in try Self.merged(into: root, pending, reads) {
      if try Self.isProven(record.id, pending, reads) { return true }
    }
    return false
  }

  mutating func say(_ say: Say, _ turn: inout Turn, _ reads: any StoreReader) throws(StoreFault)
    -> Answer
  {
    guard let session = try sessionRow(say.session, reads), session.bot == say.bot.raw else {
      return rejection(.unknownSession, nil)
    }
    guard session.ended == nil else { return rejection(.sessionEnded, session.conversation) }
    guard let customer = try customer(ofSession: session, reads) else {
      return rejection(.unknownConversation, nil)
    }
    switch try known(say.entry, reads) {
    case .same(let entry): return recorded(entry, session.conversation)
    case .other: return rejection(.idInUse, session.conversation)
    case .asNothing: break
    }
    let uploader = "bot:\(router.name(of: say.bot))"
    let isTheirs = { (row: BlobRow) in
      row.uploader == uploader || row.conversation == session.conversation
    }
    guard try attach(say.entry, &turn, reads, if: isTheirs) else {
      return rejection(.unknownBlob, session.conversation)
    }
    if say.entry.author == .customer, let refused = try reopenIfClosed(session, &turn, reads) {
      return rejection(refused, nil)
    }
    let next = EntryID(head.entry.raw + 1)
    if let refused = try command(
      .record(
        conversation: session.conversation, session: say.session, entry: next,
        author: say.entry.author,
        visibility: say.entry.visibility, epoch: say.epoch), &turn, reads)
    {
      return rejection(refused, session.conversation)
    }
    let entry = write(
      say.entry, customer: customer, conversation: session.conversation, session: say.session, &turn
    )
    // Who has the case hears it in the talk; in its wrap-up nobody may be listening any more.
    if say.entry.author == .customer, isWrappingUp(session.conversation) {
      try note(
        .init(.reopened, on: .chat, by: customer.id), session.conversation, turn, reads)
    }
    return recorded(entry, session.conversation)
  }

  func recorded(_ entry: EntryID, _ conversation: ConversationID) -> Answer {
    let state = router.conversation(conversation)
    return .recorded(entry, conversation, view(state?.owner ?? .closed), epoch: state?.epoch ?? 0)
  }

  /// A customer who speaks on in a chat whose matter was closed opens it again, with their bot as
  /// the owner.
  private mutating func reopenIfClosed(
    _ session: SessionRow, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Rejection? {
    let state = router.conversation(session.conversation)
    if let state, state.owner != .closed { return nil }
    guard let row = try conversationRow(session.conversation, reads), !isGone(row) else {
      return .unknownSession
    }
    let new = NewSession(
      id: session.id, channel: session.channel, bot: session.bot.map { BotID($0) })
    if state == nil {
      _ = try command(.reopenConversation(closed(row), session: new), &turn, reads)
    } else {
      _ = try command(
        .joinSession(conversation: session.conversation, session: new), &turn, reads)
    }
    return nil
  }

  func closed(_ row: ConversationRow) -> ClosedConversation {
    ClosedConversation(
      id: row.id, customer: row.customer, epoch: row.epoch,
      lastAgent: row.lastAgent.map { AgentID($0) })
  }

  mutating func handoff(
    _ handoff: Handoff, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let session = try sessionRow(handoff.session, reads), session.bot == handoff.bot.raw
    else {
      return rejection(.unknownSession, nil)
    }
    guard session.ended == nil else { return rejection(.sessionEnded, session.conversation) }
    guard let state = router.conversation(session.conversation),
      let customer = try customer(ofSession: session, reads)
    else { return rejection(.conversationClosed, session.conversation) }
    guard state.owner == .bot(handoff.bot), handoff.epoch == nil || handoff.epoch == state.epoch
    else {
      return rejection(.notOwner, session.conversation)
    }
    var facts = RouteFacts(
      channel: session.channel, bot: router.name(of: handoff.bot), customer: customer.root,
      isNewCustomer: false,
      profile: try profile(ofPerson: customer, reads), handoff: handoff.facts)
    try gather(for: &facts, session.conversation, imported: handoff.imported, reads)
    turn.routing = EntryDraft(
      kind: .handoff, author: .bot(handoff.bot), visibility: .business, channel: session.channel,
      members: handoff.members)
    turn.imported = (handoff.imported, customer, session)
    let outcome = try route(
      facts, session.conversation, session.id, handoff.case, .handoff, epoch: state.epoch, &turn,
      reads)
    if case .ruleAnswered? = outcome, let draft = handoff.learned,
      case .asNothing = try known(draft, reads)
    {
      write(
        draft, customer: customer, conversation: session.conversation, session: session.id, &turn)
    }
    guard case nil = outcome else { return outcome ?? .done }
    let after = router.conversation(session.conversation)
    return .handedOff(
      handoff.case, session.conversation, view(after?.owner ?? .closed), epoch: after?.epoch ?? 0,
      entry: turn.routed ?? head.entry, wait: router.estimatedWait(of: handoff.case, at: turn.at))
  }

  func profile(of row: CustomerRow) throws(StoreFault) -> CustomerProfile {
    guard let profile = row.decodedProfile else {
      throw StoreFault.corrupt(what: "a customer's profile")
    }
    return profile
  }

  /// Asks the rules and does what they say. nil when the case was queued.
  mutating func route(
    _ facts: RouteFacts, _ conversation: ConversationID, _ session: SessionID, _ id: CaseID,
    _ cause: RouteReason.Cause, epoch: UInt32?, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    try carryOut(
      planner.plan(facts, router: router, at: turn.at), conversation, session, id, cause,
      epoch: epoch, &turn, reads)
  }

  mutating func carryOut(
    _ planned: Planned, _ conversation: ConversationID, _ session: SessionID, _ id: CaseID,
    _ cause: RouteReason.Cause, epoch: UInt32?, since: Instant? = nil, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    switch planned {
    case .action(let action, let rule, let version):
      return .ruleAnswered(action, rule: rule, ruleVersion: version)
    case .route(var need, let prompt, let rule, let version, let seen, let tags):
      // Whoever serves the customer already hears them first, where the rules name nobody.
      if let agent = turn.servedBy, need.preferred == nil {
        need.preferred = .init(agent: agent, for: ContinuityRules.sameAgentFirst)
      }
      if let (drafts, customer, row) = turn.imported {
        for draft in drafts {
          guard case .asNothing = try known(draft, reads) else { continue }
          write(draft, customer: customer, conversation: conversation, session: row.id, &turn)
        }
        turn.imported = nil
      }
      let reason = RouteReason(
        cause: prompt == nil ? cause : .message, ruleVersion: version, rule: rule)
      if let prompt { try ask(for: prompt, conversation, &turn, reads) }
      try noteWhatWaits(in: conversation, beside: session, turn, reads)
      if let refused = try command(
        .route(
          conversation: conversation, session: session, case: id, need: need, by: reason,
          epoch: epoch, since: since),
        &turn, reads)
      {
        return rejection(refused, conversation)
      }
      pending.facts.append(FactsRow(case: id, bytes: seen))
      if !tags.isEmpty {
        _ = try tag(
          TagConversation(
            conversation, adds: tags, removes: [], author: .system, by: "rule:\(version).\(rule)",
            reason: ""),
          &turn, reads)
      }
      return nil
    }
  }

  mutating func endSession(
    _ id: SessionID, _ end: SessionEnd, _ bot: BotID?, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try sessionRow(id, reads), bot == nil || row.bot == bot?.raw else {
      return rejection(.unknownSession, nil)
    }
    guard row.ended == nil else { return rejection(.sessionEnded, row.conversation) }
    if let refused = try command(.endSession(id, end), &turn, reads) {
      return rejection(refused, row.conversation)
    }
    return .done
  }

  mutating func journey(
    _ journey: JourneyArrival, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    var draft = EntryDraft(
      kind: .journey, author: .system, visibility: .business, channel: nil,
      members: journey.members, saidAt: journey.at)
    draft.arrival = journey.arrival
    let who = try resolve(journey.claims, newID: journey.customer, attributes: [], turn, reads)
    switch try known(draft, reads) {
    case .same(let entry): return .journeyRecorded(who.root.id, entry)
    case .other: return rejection(.idInUse, nil)
    case .asNothing: break
    }
    keep(who, &turn)
    try tellOfJoining(who, &turn, reads)
    let event = CustomerProfile.JourneyEvent(
      name: journey.name, at: journey.at ?? turn.at, source: journey.source, detail: journey.detail)
    // A clock that is ahead must not outlast what is said next.
    let said = min(event.at, turn.at)
    try change(who.record.id, &turn, reads) { profile in
      profile.saw(event)
      for var attribute in journey.attributes {
        attribute.at = said
        profile.hear(attribute)
      }
    }
    let entry = write(
      draft,
      customer: who.record, conversation: nil, session: nil, &turn)
    return .journeyRecorded(who.root.id, entry)
  }
}
