import Continuity
import Model
import Records
import Routing
import Wire

/// What agents do.
extension Pipeline {
  mutating func next(
    _ agent: AgentID, _ waiter: WaiterID, _ until: Instant, _ key: Idempotency?, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    if let key, let first = waiters.first(where: { $0.value.idempotency?.key == key.key }) {
      guard first.value.idempotency?.bodyHash == key.bodyHash else { return .keyReused }
      // The same question again while the first still waits: it takes that one's place, since most
      // likely nobody listens there any more.
      waiters[first.key] = nil
      hold(.answer(first.value.ticket, .noOffer, position: head.position))
      _ = try command(.endNext(agent, waiter: first.key), &turn, reads)
    }
    waiters[waiter] = Waiting(ticket: turn.ticket, idempotency: key)
    if let refused = try command(.next(agent, waiter: waiter, until: until), &turn, reads) {
      waiters[waiter] = nil
      // It stood in line for longer than it was to wait: nothing came for it, and nobody did
      // anything wrong.
      return refused == .timeIsPast ? .noOffer : rejection(refused, nil)
    }
    return nil  // the ticket is answered by the offer, or when the time is up
  }

  /// The offer reached nobody, so whoever repeats its question under the same key asks anew.
  mutating func failOffer(
    _ offer: OfferID, _ why: OfferFailure, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    if let refused = try command(.failOffer(offer, why), &turn, reads) {
      return rejection(refused, nil)
    }
    if let key = keyed[offer] {
      turn.touched = true
      pending.outcomes.set(
        key, OutcomeRow(key: key, bodyHash: .zero, at: turn.at, answer: []), at: turn.position)
    }
    return .done
  }

  mutating func accept(
    _ offer: OfferID, _ agent: AgentID, byDevice: Bool = false, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let (id, _) = offers[offer] else {
      _ = try command(.renewPresence(agent), &turn, reads)
      // Said once more by whoever had no answer: they have it.
      if let id = try accepted(through: offer, agent, reads) { return accepted(id) }
      return rejection(endedOffers.contains(offer) ? .offerEnded : .unknownOffer, nil)
    }
    // A ringing phone is accepted by picking it up: accepted at a desk it would leave the caller
    // with nobody.
    if !byDevice, case .device = router.offer(offer)?.seat { return rejection(.notAllowed, nil) }
    if let refused = try command(.accept(offer, agent), &turn, reads) {
      return rejection(refused, nil)
    }
    return accepted(id)
  }

  private func accepted(_ id: CaseID) -> Answer {
    guard let state = router.case(id) else { return rejection(.unknownCase, nil) }
    let conversation = router.conversation(state.conversation)
    return .accepted(
      id, state.conversation, view(conversation?.owner ?? .closed), epoch: conversation?.epoch ?? 0)
  }

  /// The case that this agent has, and has by that very offer.
  mutating func accepted(
    through offer: OfferID, _ agent: AgentID, _ reads: any StoreReader
  ) throws(StoreFault) -> CaseID? {
    for id in router.agent(agent)?.cases ?? [] where router.case(id)?.state == .assigned(agent) {
      if let row = try caseRow(id, reads), Self.decoded(row.about)?.acceptedThrough == offer {
        return id
      }
    }
    return nil
  }

  mutating func onCase(
    _ id: CaseID, _ command: Command, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try caseRow(id, reads) else { return rejection(.unknownCase, nil) }
    guard row.closed == nil else { return rejection(.caseClosed, row.conversation) }
    if case .close = command { turn.settled = row.conversation }
    if let refused = try self.command(command, &turn, reads) {
      return rejection(refused, row.conversation)
    }
    // Of several who give it, or take it, at once each is told what came of it.
    if case .assign = command { return accepted(id) }
    if case .takeOver = command { return accepted(id) }
    return .done
  }

  mutating func agentSays(
    _ words: AgentWords, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try caseRow(words.case, reads) else { return rejection(.unknownCase, nil) }
    guard row.closed == nil else { return rejection(.caseClosed, row.conversation) }
    let matter = Self.decoded(row.about)
    guard var customer = try customer(ofCase: matter, in: row.conversation, reads),
      let conversation = try conversationRow(row.conversation, reads)
    else { return rejection(.unknownConversation, nil) }
    guard let known = Self.about(conversation.about) else {
      throw StoreFault.corrupt(what: "what is told of a conversation")
    }
    guard try attach(words.entry, &turn, reads, if: { _ in true }) else {
      return rejection(.unknownBlob, row.conversation)
    }
    let isMail = leavesByMail(row, matter, words.entry.visibility)
    var line = isMail ? try mail(of: known, with: customer.id, reads) : nil
    // It answers whoever wrote last, by whichever of their addresses.
    if line != nil, let by = known.mailBy, let writer = try self.customer(by, reads) {
      customer = writer
    }
    if isMail, line == nil { line = try beginning(words.mail?.ours, customer, known, reads) }
    if isMail, line == nil {
      let isTheirs = router.case(words.case)?.agent == words.agent
      return rejection(isTheirs ? .unreachable : .notOwner, row.conversation)
    }
    let next = EntryID(head.entry.raw + 1)
    if let refused = try command(
      .record(
        conversation: row.conversation, session: nil, entry: next, author: .agent(words.agent),
        visibility: words.entry.visibility, epoch: nil), &turn, reads)
    {
      return rejection(refused, row.conversation)
    }
    var draft = words.entry
    draft.channel = isMail ? .email : matter?.channel
    if let mail = words.mail, let line {
      let sent = send(
        mail, line, conversation, to: customer.id, by: router.name(of: words.agent), &turn)
      var members = Members()
      members.text("message_id", sent)
      draft.members += members.bytes
    }
    let entry = write(
      draft, customer: customer, conversation: row.conversation, session: nil, &turn)
    // A note may be about anything else.
    if !known.unheard.isEmpty, words.entry.visibility == .customer,
      router.case(words.case)?.agent == words.agent
    {
      try hear(row.conversation, turn, reads)
    }
    return recorded(entry, row.conversation)
  }

  /// The answer leaves by the channel the customer came on: by mail for a case of mail, and to
  /// whoever sits in no chat: on the phone nobody reads.
  private func leavesByMail(_ row: CaseRow, _ about: CaseAbout?, _ visibility: Visibility) -> Bool {
    guard visibility == .customer else { return false }
    if about?.channel == .email { return true }
    return router.conversation(row.conversation)?.sessions.allSatisfy { $0.channel != .chat }
      ?? false
  }

  /// A thread with whoever has left and wrote no mail so far: only an address that is proven to be
  /// theirs will do.
  private func beginning(
    _ ours: String?, _ customer: CustomerRow, _ about: ConversationAbout, _ reads: any StoreReader
  ) throws(StoreFault) -> MailLine? {
    guard let ours else { return nil }
    for record in try Self.merged(into: customer.root, pending, reads) {
      let known = try Self.identities(of: record.id, pending, reads)
      guard let address = known.first(where: { $0.identity.kind == .email && $0.assurance.joins })
      else { continue }
      return MailLine(
        ours: ours, theirs: address.identity.value, theirName: "",
        subject: about.subjectKey ?? Self.firstSubject,
        lastMessageID: nil, references: [])
    }
    return nil
  }
  private static let firstSubject = "Your conversation with us"

  static func about(_ bytes: [UInt8]) -> ConversationAbout? {
    do throws(WireError) { return try ConversationAbout(decoding: bytes) } catch { return nil }
  }

  /// Puts an answer into the outbox, so that answers to it come back here. An agent's becomes the
  /// thread's newest.
  /// - Parameters:
  ///   - customer: the record that it answers.
  ///   - agent: nil for a rule's own words.
  mutating func send(
    _ mail: OutgoingMailID, _ thread: MailLine, _ conversation: ConversationRow,
    to customer: CustomerID, by agent: String?, _ turn: inout Turn
  ) -> String {
    let messageID = OutgoingMail.messageID(mail.id, from: thread.ours)
    head.outbox += 1
    var outgoing = OutgoingMail(
      id: mail.id, conversation: conversation.id, thread: thread, text: mail.text,
      agentName: agent ?? "", blobs: mail.blobs, at: turn.at)
    outgoing.isAutomatic = agent == nil
    outgoing.customer = customer
    let known = Self.about(conversation.about)
    outgoing.returnPath = outgoing.isAutomatic ? known?.returnPath : nil
    let row = OutboxRow(
      id: head.outbox, kind: .mail, due: turn.at, tries: 0, payload: outgoing.encoded)
    pending.outbox.append(row)
    turn.queued.append(row)
    setKey(
      .mailThread, threadKey(messageID),
      Self.keyValue(conversation.id) + recipientKey(messageID, thread.theirs)
        + Self.keyValue(customer) + (outgoing.isAutomatic ? [0] : []), &turn)
    var changed = conversation
    // Whoever answers later answers the customer, and not what a rule said meanwhile.
    if !outgoing.isAutomatic, var about = known {
      about.mail = MailLine(
        ours: thread.ours, theirs: thread.theirs, theirName: thread.theirName,
        subject: thread.subject,
        lastMessageID: messageID, references: thread.references + [messageID])
      about.mailBy = customer
      changed.about = about.encoded
    }
    changed.changed = turn.at
    pending.set(changed, at: turn.position)
    return messageID
  }

  /// What a Message-ID is looked up by: sixteen bytes of its hash.
  public func threadKey(_ messageID: String) -> [UInt8] {
    key(MessageKey.text(messageID))
  }

  /// What the recipient of an answer is known by later. The Message-ID, which only who got the
  /// answer and its entry have, keeps the address from being guessed.
  func recipientKey(_ messageID: String, _ address: String) -> [UInt8] {
    key("\(MessageKey.text(messageID))\n\(address.lowercased())")
  }

  /// What something of this name is known by: 16 bytes.
  func key(_ name: String) -> [UInt8] {
    Array(environment.sha256(Array(name.utf8)).bytes.prefix(16))
  }

  mutating func transfer(
    _ id: CaseID, _ agent: AgentID, _ target: TransferTarget, _ new: CaseID, _ members: [UInt8],
    _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try caseRow(id, reads) else { return rejection(.unknownCase, nil) }
    guard row.closed == nil else { return rejection(.caseClosed, row.conversation) }
    turn.routing = EntryDraft(
      kind: .transferred, author: .agent(agent), visibility: .business, channel: nil,
      members: members)
    turn.passedOn = Self.decoded(row.about)?.customer
    let need =
      router.needPassedOn(id, to: target.queue, agent: target.agent)
      ?? Need(queue: target.queue ?? QueueID(row.queue))
    if let refused = try command(.transfer(id, by: agent, need: need, case: new), &turn, reads) {
      return rejection(refused, row.conversation)
    }
    let after = router.conversation(row.conversation)
    return .handedOff(
      new, row.conversation, view(after?.owner ?? .closed), epoch: after?.epoch ?? 0,
      entry: head.entry, wait: router.estimatedWait(of: new, at: turn.at))
  }

  mutating func handBack(
    _ id: CaseID, _ agent: AgentID, _ bot: BotID?, _ members: [UInt8], _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try caseRow(id, reads) else { return rejection(.unknownCase, nil) }
    guard row.closed == nil else { return rejection(.caseClosed, row.conversation) }
    // What came by mail beside the chat is for a person, and the conversation has one owner.
    if router.case(id)?.agent == agent,
      try unheard(row.conversation, reads).contains(where: { $0.channel != .chat })
    {
      return rejection(.notForBots, row.conversation)
    }
    if let refused = try command(.handBack(id, by: agent, to: bot), &turn, reads) {
      return rejection(refused, row.conversation)
    }
    var told = Members()
    let after = router.conversation(row.conversation)
    told.text("case", id.description)
    told.owner(view(after?.owner ?? .closed), epoch: after?.epoch ?? 0)
    guard let customer = try customer(ofCase: Self.decoded(row.about), in: row.conversation, reads)
    else { return .done }
    let entry = write(
      EntryDraft(
        kind: .handedBack, author: .agent(agent), visibility: .business, channel: nil,
        members: told.bytes + members),
      customer: customer, conversation: row.conversation, session: nil, &turn)
    return recorded(entry, row.conversation)
  }
}
