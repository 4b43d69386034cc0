import Continuity
import Model
import Records
import Routing

/// Sessions that a bot carries.
extension Pipeline {
  mutating func openSession(
    _ open: OpenSession, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    let who = try resolve(open.claims, newID: open.customer, profile: open.profile, turn, reads)
    let session = NewSession(id: open.session, channel: open.channel, bot: open.bot)
    // The machine may refuse; nothing of the resolution is kept before it agreed.
    if let refused = try command(
      .openConversation(conversation: open.conversation, customer: who.root.id, session: session), &turn, reads)
    {
      return rejection(refused, nil)
    }
    keep(who, &turn)
    try moveRelinked(who, &turn, reads)
    let entry = write(
      EntryDraft(
        kind: .sessionOpened, author: .bot(open.bot), visibility: .business, channel: open.channel,
        members: open.members),
      customer: who.root, conversation: open.conversation, session: open.session, &turn)
    let owner = router.conversation(open.conversation)
    return .sessionOpened(
      open.session, open.conversation, who.root.id, view(owner?.owner ?? .closed), epoch: owner?.epoch ?? 0,
      proven: who.isProven, entry: entry)
  }

  /// Open conversations of records that were linked to another follow it.
  mutating func moveRelinked(
    _ who: Resolution, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard !who.relinked.isEmpty else { return }
    for record in who.relinked {
      var open = Set(pending.conversations.all { $0.customer == record.id && $0.isOpen }.map(\.id))
      for row in try reads.conversations(workspace, of: record.id, limit: 1_000) where row.isOpen { open.insert(row.id) }
      for id in open.sorted() {
        _ = try command(.moveConversation(id, customer: who.root.id), &turn, reads)
      }
    }
    var members = Members()
    members.text("customer", who.root.id.description)
    members.raw(
      "merged", Array(("[" + who.relinked.map { "\"\($0.id)\"" }.joined(separator: ",") + "]").utf8))
    write(
      EntryDraft(kind: .merged, author: .system, visibility: .internal, channel: nil, members: members.bytes),
      customer: who.root, conversation: nil, session: nil, &turn)
  }

  mutating func say(_ say: Say, _ turn: inout Turn, _ reads: any StoreReader) throws(StoreFault) -> Answer {
    guard let session = try sessionRow(say.session, reads), session.bot == say.bot.raw else {
      return rejection(.unknownSession, nil)
    }
    guard session.ended == nil else { return rejection(.sessionEnded, session.conversation) }
    guard let customer = try customer(ofConversation: session.conversation, reads) else {
      return rejection(.unknownConversation, nil)
    }
    let uploader = "bot:\(router.name(of: say.bot))"
    let isTheirs = { (row: BlobRow) in row.uploader == uploader || row.conversation == session.conversation }
    guard try attach(say.entry, &turn, reads, if: isTheirs) else {
      return rejection(.unknownBlob, session.conversation)
    }
    if say.entry.author == .customer { try reopenIfClosed(session, &turn, reads) }
    let next = EntryID(head.entry.raw + 1)
    if let refused = try command(
      .record(
        conversation: session.conversation, session: say.session, entry: next, author: say.entry.author,
        visibility: say.entry.visibility, epoch: say.epoch), &turn, reads)
    {
      return rejection(refused, session.conversation)
    }
    let entry = write(
      say.entry, customer: customer, conversation: session.conversation, session: say.session, &turn)
    return recorded(entry, session.conversation)
  }

  func recorded(_ entry: EntryID, _ conversation: ConversationID) -> Answer {
    let state = router.conversation(conversation)
    return .recorded(entry, conversation, view(state?.owner ?? .closed), epoch: state?.epoch ?? 0)
  }

  /// A customer who speaks on in a chat whose matter was closed opens it again, with their bot as the owner.
  private mutating func reopenIfClosed(
    _ session: SessionRow, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    let new = NewSession(id: session.id, channel: session.channel, bot: session.bot.map { BotID($0) })
    if let state = router.conversation(session.conversation) {
      if state.owner == .closed {
        _ = try command(.joinSession(conversation: session.conversation, session: new), &turn, reads)
      }
    } else if let row = try conversationRow(session.conversation, reads) {
      _ = try command(.reopenConversation(closed(row), session: new), &turn, reads)
    }
  }

  func closed(_ row: ConversationRow) -> ClosedConversation {
    ClosedConversation(
      id: row.id, customer: row.customer, epoch: row.epoch, lastAgent: row.lastAgent.map { AgentID($0) })
  }

  mutating func handoff(
    _ handoff: Handoff, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let session = try sessionRow(handoff.session, reads), session.bot == handoff.bot.raw else {
      return rejection(.unknownSession, nil)
    }
    guard session.ended == nil else { return rejection(.sessionEnded, session.conversation) }
    guard let state = router.conversation(session.conversation),
      let customer = try customer(ofConversation: session.conversation, reads),
      let root = try self.customer(customer.root, reads)
    else { return rejection(.conversationClosed, session.conversation) }
    guard state.owner == .bot(handoff.bot), handoff.epoch == nil || handoff.epoch == state.epoch else {
      return rejection(.notOwner, session.conversation)
    }
    var facts = RouteFacts(
      channel: session.channel, bot: router.name(of: handoff.bot), customer: root.id, isNewCustomer: false,
      profile: try profile(of: root), handoff: handoff.facts)
    try gather(for: &facts, session.conversation, imported: handoff.imported, reads)
    turn.routing = EntryDraft(
      kind: .handoff, author: .bot(handoff.bot), visibility: .business, channel: session.channel,
      members: handoff.members)
    turn.imported = (handoff.imported, customer, session)
    let outcome = try route(
      facts, session.conversation, session.id, handoff.case, .handoff, epoch: state.epoch, &turn, reads)
    guard case nil = outcome else { return outcome ?? .done }
    let after = router.conversation(session.conversation)
    return .handedOff(
      handoff.case, session.conversation, view(after?.owner ?? .closed), epoch: after?.epoch ?? 0, entry: head.entry)
  }

  func profile(of row: CustomerRow) throws(StoreFault) -> CustomerProfile {
    guard let profile = Self.profile(row.profile) else { throw StoreFault.corrupt(what: "a customer's profile") }
    return profile
  }

  /// Asks the rules and does what they say. nil when the case was queued.
  mutating func route(
    _ facts: RouteFacts, _ conversation: ConversationID, _ session: SessionID, _ id: CaseID,
    _ cause: RouteReason.Cause, epoch: UInt32?, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    try carryOut(
      planner.plan(facts, router: router, at: turn.at), conversation, session, id, cause, epoch: epoch, &turn, reads)
  }

  mutating func carryOut(
    _ planned: Planned, _ conversation: ConversationID, _ session: SessionID, _ id: CaseID,
    _ cause: RouteReason.Cause, epoch: UInt32?, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    switch planned {
    case .action(let action, let rule, let version): return .ruleAnswered(action, rule: rule, ruleVersion: version)
    case .route(let need, let rule, let version, let seen):
      if let (drafts, customer, row) = turn.imported {
        for draft in drafts {
          write(draft, customer: customer, conversation: conversation, session: row.id, &turn)
        }
        turn.imported = nil
      }
      let reason = RouteReason(cause: cause, ruleVersion: version, rule: rule)
      if let refused = try command(
        .route(conversation: conversation, session: session, case: id, need: need, by: reason, epoch: epoch),
        &turn, reads)
      {
        return rejection(refused, conversation)
      }
      pending.facts.append(FactsRow(case: id, bytes: seen))
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
    if let refused = try command(.endSession(id, end), &turn, reads) { return rejection(refused, row.conversation) }
    return .done
  }

  mutating func journey(
    _ journey: JourneyArrival, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    let who = try resolve(journey.claims, newID: journey.customer, profile: CustomerProfile(), turn, reads)
    keep(who, &turn)
    try moveRelinked(who, &turn, reads)
    var root = pending.customers[who.root.id] ?? who.root
    var profile = try self.profile(of: root)
    profile.saw(.init(name: journey.name, at: journey.at ?? turn.at, source: journey.source, detail: journey.detail))
    for attribute in journey.attributes { profile.set(attribute.name, attribute.value) }
    root.profile = profile.encoded
    pending.customers.set(root.id, root, at: turn.position)
    let entry = write(
      EntryDraft(
        kind: .journey, author: .system, visibility: .business, channel: nil, members: journey.members,
        saidAt: journey.at),
      customer: root, conversation: nil, session: nil, &turn)
    return .journeyRecorded(root.id, entry)
  }
}
