import Continuity
import Model
import Records
import Routing
import Wire

/// From the machine's events to the rows and entries that people read. Called after each command,
/// so that whatever a tick or a disconnection causes is told in the transcript as well.
extension Pipeline {
  /// Runs one command of the machine; on success its events become rows and entries.
  mutating func command(_ command: Command, _ turn: inout Turn, _ reads: any StoreReader)
    throws(StoreFault)
    -> Rejection?
  {
    if let rejection = router.decide(command, at: turn.at, into: &turn.decision) {
      return rejection
    }
    isTorn = true
    while turn.reflected < turn.decision.events.count {
      let event = turn.decision.events[turn.reflected]
      turn.reflected += 1
      // One that cannot be told because of a damaged row must not leave the others untold.
      do throws(StoreFault) { try reflect(event, &turn, reads) } catch { try confine(error) }
    }
    try sayTexts(&turn, reads)
    return nil
  }

  /// A text that a rule's step sends is said in the conversation like any other words.
  private mutating func sayTexts(_ turn: inout Turn, _ reads: any StoreReader) throws(StoreFault) {
    while turn.heard < turn.decision.effects.count {
      let effect = turn.decision.effects[turn.heard]
      turn.heard += 1
      guard case .messageCustomer(let conversation, let session, let version, let number) = effect
      else { continue }
      do throws(StoreFault) {
        guard let text = try planner.text(number, ruleVersion: version, reads) else { continue }
        let row = try sessionRow(session, reads)
        try say(
          text, in: conversation, to: row?.customer, on: row?.channel ?? .chat, &turn, reads)
      } catch { try confine(error) }
    }
  }

  private mutating func reflect(_ event: Event, _ turn: inout Turn, _ reads: any StoreReader)
    throws(StoreFault)
  {
    switch event {
    case .conversationOpened(let id, let customer, _):
      pending.set(
        ConversationRow(
          id: id, customer: customer, isOpen: true, epoch: router.conversation(id)?.epoch ?? 1,
          lastAgent: nil,
          opened: turn.at, changed: turn.at, about: ConversationAbout().encoded), at: turn.position)
    case .conversationReopened(let id, _, let owner, let epoch, _):
      try change(id, turn, reads) { row in
        row.isOpen = true
        row.epoch = epoch
      }
      try tell(of: id, turn, reads) { $0.isSettled = false }
      var members = Members()
      members.owner(view(owner), epoch: epoch)
      try enter(
        .reopened, .system, .business, members, id, nil, of: turn.arriving?.customer, &turn, reads)
    case .conversationMoved(let id, let customer):
      try change(id, turn, reads) { $0.customer = customer }
    case .conversationClosed(let id, let lastAgent):
      let epoch = router.conversation(id)?.epoch
      try change(id, turn, reads) { row in
        row.isOpen = false
        row.lastAgent = lastAgent?.raw ?? row.lastAgent
        row.epoch = epoch ?? row.epoch
      }
    case .ownerChanged(let id, let owner, let epoch):
      try change(id, turn, reads) { row in
        row.epoch = epoch
        if case .agent(let agent, _) = owner { row.lastAgent = agent.raw }
      }
    case .sessionOpened(let id, let conversation, let channel, let bot):
      var row = SessionRow(
        id: id, conversation: conversation, channel: channel, bot: bot?.raw, ended: nil,
        customer: turn.arriving?.customer, former: turn.arriving?.former ?? [])
      if turn.arriving == nil, let known = try sessionRow(id, reads) {
        (row.customer, row.former) = (known.customer, known.former)
      }
      pending.set(row, at: turn.position)
      try tell(of: conversation, turn, reads) { $0.isSettled = false }
    case .sessionEnded(let id, let end):
      try sessionEnded(id, end, &turn, reads)
    case .caseQueued(let id, let conversation, let session, let channel, let need, let age, let by):
      try caseQueued(id, conversation, session, channel, need, age, by, &turn, reads)
    case .offerMade(let offer, let id, let agent, _, _, let passedOver):
      offers[offer] = (id, agent)
      try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .offered, agent: agent, passedOver: passedOver.counts))
      }
    case .offerEnded(let offer, let end): try offerEnded(offer, end, turn, reads)
    case .caseAccepted(let id, let agent): try caseAccepted(id, agent, &turn, reads)
    case .caseWrappingUp(let id, let agent, _):
      let known = try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .wrappingUp, agent: agent))
      }
      guard let known else { return }
      try enter(
        .wrappingUp, .agent(agent), .internal, caseMembers(id), known.row.conversation, nil,
        of: known.customer, &turn, reads)
    case .caseParked(let id, let agent, _):
      try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .parked, agent: agent))
      }
    case .caseResumed(let id, let agent):
      try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .resumed, agent: agent))
      }
    case .caseClosed(let id, let end): try caseClosed(id, end, &turn, reads)
    case .stepTaken(let id, let index):
      try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .stepTaken, code: UInt32(index)))
      }
      try follow(id, turn, reads)
    case .caseOverflowed(let id, _, let reason):
      let known = try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .overflowed, code: UInt32(reason.rawValue)))
      }
      try follow(id, turn, reads)
      let prompt = reason == .leavesMessage ? try leavesMessage(id, turn, reads) : nil
      try tellQueued(id, Self.why(reason, prompt), of: known?.customer, &turn, reads)
    case .consultStarted(let id, let other, _):
      guard router.case(id)?.agent != nil else { return }
      try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .consulted, agent: other))
      }
    case .caseHeld(let id, let agent, _):
      try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .held, agent: agent))
      }
    case .holdEnded(let id, let agent, let end):
      try change(id, turn, reads) {
        $0.happened(
          .init(at: turn.at, what: .holdEnded, agent: agent, code: UInt32(end.rawValue)))
      }
    case .consultEnded(let id, let end):
      guard router.case(id)?.agent != nil else { return }
      try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .consultEnded, code: UInt32(end.rawValue)))
      }
    case .caseRequeued(let id, let reason):
      let known = try change(id, turn, reads) {
        $0.happened(.init(at: turn.at, what: .queued, code: UInt32(reason.rawValue)))
      }
      if let state = router.case(id) { try take(false, state.conversation, turn, reads) }
      var why = Members()
      why.text("reason", reason.name)
      try tellQueued(id, why, of: known?.customer, &turn, reads)
    case .configured, .started, .sessionResumed, .backOffEnded, .entryRecorded, .preferenceEnded,
      .statusSet, .presenceRenewed, .presenceLost,
      .notResponding, .backOffSet, .nextAsked, .nextEnded, .streamOpened, .streamClosed,
      .queueOpened,
      .queueClosed, .botFellSilent, .statusDeferred, .channelsChosen,
      .channelStatusSet:
      break
    }
  }

  // MARK: - Conversations and sessions

  mutating func change(
    _ id: ConversationID, _ turn: Turn, _ reads: any StoreReader,
    _ body: (inout ConversationRow) -> Void
  ) throws(StoreFault) {
    guard var row = try conversationRow(id, reads) else { return }
    body(&row)
    row.changed = turn.at
    pending.set(row, at: turn.position)
  }

  /// Writes an entry of a conversation that the machine itself brought about.
  /// - Parameter record: whom it is about; nil for the conversation's.
  mutating func enter(
    _ kind: EntryKind, _ author: Author, _ visibility: Visibility, _ members: Members,
    _ id: ConversationID,
    _ session: SessionID?, channel: Channel? = nil, of record: CustomerID? = nil,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let customer = try customer(record, orOf: id, reads) else { return }
    let draft = EntryDraft(
      kind: kind, author: author, visibility: visibility, channel: channel, members: members.bytes)
    write(draft, customer: customer, conversation: id, session: session, &turn)
  }

  /// The record that is named, else the conversation's.
  mutating func customer(
    _ record: CustomerID?, orOf id: ConversationID, _ reads: any StoreReader
  ) throws(StoreFault) -> CustomerRow? {
    guard let record else { return try customer(ofConversation: id, reads) }
    return try customer(record, reads)
  }

  mutating func customer(ofConversation id: ConversationID, _ reads: any StoreReader)
    throws(StoreFault)
    -> CustomerRow?
  {
    if let open = router.conversation(id) { return try customer(open.customer, reads) }
    guard let row = try conversationRow(id, reads) else { return nil }
    return try customer(row.customer, reads)
  }

  private mutating func sessionEnded(
    _ id: SessionID, _ end: SessionEnd, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard var row = try sessionRow(id, reads) else { return }
    row.ended = turn.at
    pending.set(row, at: turn.position)
    if end == .botEnded || end == .businessEnded {
      try tell(of: row.conversation, turn, reads) { $0.isSettled = true }
    }
    var members = Members()
    members.text("reason", end.name)
    // Another session's bot may have the word now: no reader may be left to guess it.
    let hasNewOwner = turn.decision.events.contains {
      if case .ownerChanged(row.conversation, _, _) = $0 { true } else { false }
    }
    if hasNewOwner, let home = router.conversation(row.conversation) {
      members.owner(view(home.owner), epoch: home.epoch)
    }
    try enter(
      .sessionEnded, .system, .business, members, row.conversation, id, channel: row.channel,
      of: row.customer, &turn, reads)
  }

  // MARK: - Cases

  /// The case waits in the queue that the machine has it in.
  private mutating func follow(_ id: CaseID, _ turn: Turn, _ reads: any StoreReader)
    throws(StoreFault)
  {
    guard let queue = router.case(id)?.need.queue, var row = try caseRow(id, reads),
      row.queue != queue.raw
    else {
      return
    }
    row.queue = queue.raw
    pending.cases.set(id, row, at: turn.position)
  }

  /// Whoever waited too long for a call leaves a message.
  /// - Returns: what their queue says they hear.
  private mutating func leavesMessage(_ id: CaseID, _ turn: Turn, _ reads: any StoreReader)
    throws(StoreFault) -> String?
  {
    guard let state = router.case(id) else { return nil }
    let prompt = planner.prompt(ofQueue: router.name(of: state.need.queue))
    try tell(of: state.conversation, turn, reads) { $0.prompt = prompt }
    try change(id, turn, reads) {
      $0.cause = state.by.cause.rawValue
      // As where a rule sends them at once; why it was passed on before stands in the timeline.
      $0.handoff = Self.why(.leavesMessage, prompt).bytes
    }
    return prompt
  }

  @discardableResult
  private mutating func change(
    _ id: CaseID, _ turn: Turn, _ reads: any StoreReader, _ body: (inout CaseAbout) -> Void
  ) throws(StoreFault) -> (row: CaseRow, customer: CustomerID?)? {
    guard var row = try caseRow(id, reads) else { return nil }
    // As the machine has it, and not as this one event would: of several offers one ends while another
    // stands, or since its agent has the case.
    if let view = router.case(id) {
      row.state = CaseState(view.state).rawValue
      row.agent = router.agent(of: view)?.raw
    }
    let customer = try Self.change(&row, body)
    pending.cases.set(id, row, at: turn.position)
    return (row, customer)
  }

  /// - Returns: the record whose matter the case is, where it says so.
  private static func change(_ row: inout CaseRow, _ body: (inout CaseAbout) -> Void)
    throws(StoreFault) -> CustomerID?
  {
    guard var about = decoded(row.about) else {
      throw StoreFault.corrupt(what: "what is told of a case")
    }
    body(&about)
    row.about = about.encoded
    return about.customer
  }

  static func decoded(_ bytes: [UInt8]) -> CaseAbout? {
    do throws(WireError) { return try CaseAbout(decoding: bytes) } catch { return nil }
  }

  /// A case that an agent or a queue had waits in a queue again.
  private mutating func tellQueued(
    _ id: CaseID, _ why: Members, of record: CustomerID?, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let state = router.case(id) else { return }
    var members = caseMembers(id)
    members.text("queue", router.name(of: state.need.queue))
    members.add(why)
    let channel: Channel = state.waitsAlone ? .phone : state.channel
    try enter(
      .routed, .system, .business, members, state.conversation, nil, channel: channel, of: record,
      &turn, reads)
  }

  private func caseMembers(_ id: CaseID) -> Members {
    var members = Members()
    members.text("case", id.description)
    if let conversation = router.case(id).flatMap({ router.conversation($0.conversation) }) {
      members.owner(view(conversation.owner), epoch: conversation.epoch)
    }
    return members
  }

  private mutating func caseQueued(
    _ id: CaseID, _ conversation: ConversationID, _ session: SessionID, _ channel: Channel,
    _ need: Need,
    _ age: Instant, _ by: RouteReason, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    let carrier = try sessionRow(session, reads)
    // How the customer came, however the case is worked: a message was left by phone.
    let channel = channel == .email ? carrier?.channel ?? channel : channel
    // Who passes a case on makes it nobody else's.
    let record = turn.passedOn ?? carrier?.customer
    var about = CaseAbout(
      session: session, channel: channel, age: age, by: by, need: need,
      handoff: turn.handedOver ?? turn.routing.members)
    about.customer = record
    about.happened(.init(at: turn.at, what: .queued))
    pending.cases.set(
      id,
      CaseRow(
        id: id, conversation: conversation, queue: need.queue.raw, agent: nil,
        state: CaseState.waiting.rawValue,
        created: turn.at, closed: nil, about: about.encoded), at: turn.position)
    var members = Members()
    members.text("case", id.description)
    members.text("queue", router.name(of: need.queue))
    if let state = router.conversation(conversation) {
      members.owner(view(state.owner), epoch: state.epoch)
    }
    guard let customer = try customer(record, orOf: conversation, reads) else { return }
    var draft = turn.routing
    draft.channel = channel
    draft.members = members.bytes + draft.members
    turn.routed = write(
      draft, customer: customer, conversation: conversation,
      session: draft.kind == .handoff ? session : nil, &turn)
  }

  private mutating func caseAccepted(
    _ id: CaseID, _ agent: AgentID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    // The end of the offer comes next; a case that was taken over or given has none.
    var through: OfferID?
    if turn.reflected < turn.decision.events.count,
      case .offerEnded(let offer, .accepted) = turn.decision.events[turn.reflected],
      offers[offer]?.case == id
    {
      through = offer
    }
    let known = try change(id, turn, reads) {
      $0.happened(.init(at: turn.at, what: .accepted, agent: agent))
      $0.acceptedThrough = through
    }
    guard let (row, record) = known else { return }
    // What came while it rang was in no offer.
    let story = Self.decoded(row.about)?.history ?? []
    let offered = through == nil ? nil : story.last { $0.what == .offered && $0.agent == agent }?.at
    try take(true, row.conversation, shown: offered ?? turn.at, turn, reads)
    try enter(
      .accepted, .agent(agent), .business, caseMembers(id), row.conversation, nil, of: record,
      &turn, reads)
    guard let customer = try customer(record, orOf: row.conversation, reads) else { return }
    let last = CustomerProfile.LastAgent(agent: agent, at: turn.at)
    try change(customer.id, &turn, reads) { $0.lastAgent = last }
  }

  private mutating func caseClosed(
    _ id: CaseID, _ end: CaseEnd, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard var row = try caseRow(id, reads) else { return }
    row.state = CaseState.closed.rawValue
    row.closed = turn.at
    let record = try Self.change(&row) {
      $0.happened(.init(at: turn.at, what: .closed, code: UInt32(end.rawValue)))
    }
    pending.cases.set(id, row, at: turn.position)
    var members = Members()
    members.text("case", id.description)
    let agent = row.agent.map { Author.agent(AgentID($0)) } ?? .system
    if end == .transferred {
      try take(false, row.conversation, turn, reads)
    } else {
      let left = try hear(row.conversation, turn, reads).filter { !$0.isTaken }
      if turn.settled != row.conversation {
        // The first that can be opened again is a case, and the others are noted in it.
        for news in left.sorted(by: ConversationAbout.Unheard.goesFirst) {
          turn.unheard.append((row.conversation, news))
        }
      }
    }
    switch end {
    case .resolved, .wrapUpOver:
      members.text("end", end == .resolved ? "resolved" : "wrap_up_over")
      try tell(of: row.conversation, turn, reads) { $0.isSettled = true }
      try enter(
        .closed, agent, .business, members, row.conversation, nil, of: record, &turn, reads)
    case .abandoned:
      try enter(
        .abandoned, .customer, .business, members, row.conversation, nil, of: record, &turn, reads)
    case .handedBack where row.agent == nil:
      members.text("reason", planner.handBack(ofQueue: router.name(of: QueueID(row.queue))) ?? "")
      if let home = router.conversation(row.conversation) {
        members.owner(view(home.owner), epoch: home.epoch)
      }
      try enter(
        .handedBack, .system, .business, members, row.conversation, nil, of: record, &turn, reads)
    case .transferred, .handedBack: break  // told by the entry of the move itself
    }
  }

  private mutating func offerEnded(
    _ offer: OfferID, _ end: OfferEnd, _ turn: Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let (id, agent) = offers.removeValue(forKey: offer) else { return }
    endedOffers.insert(offer)
    let step: CaseAbout.Step
    switch end {
    case .accepted: return  // told by `caseAccepted`
    case .declined: step = .init(at: turn.at, what: .declined, agent: agent)
    case .timedOut: step = .init(at: turn.at, what: .timedOut, agent: agent)
    case .revoked(let why):
      step = .init(at: turn.at, what: .revoked, agent: agent, code: UInt32(why.rawValue))
    case .failed(let why):
      step = .init(at: turn.at, what: .failed, agent: agent, code: UInt32(why.rawValue))
    }
    try change(id, turn, reads) { $0.happened(step) }
  }
}

/// State of a case as its row tells it. Codes are stored: append only.
public enum CaseState: UInt8, Sendable {
  case waiting = 1, offered, assigned, parked, wrapUp, closed

  public init(_ state: CaseView.State) {
    self =
      switch state {
      case .waiting: .waiting
      case .offered: .offered
      case .assigned: .assigned
      case .parked: .parked
      case .wrappingUp: .wrapUp
      }
  }

  public var name: String {
    switch self {
    case .waiting: "waiting"
    case .offered: "offered"
    case .assigned: "assigned"
    case .parked: "parked"
    case .wrapUp: "wrap_up"
    case .closed: "closed"
    }
  }
}

extension SessionEnd {
  public var name: String {
    switch self {
    case .customerLeft: "customer_left"
    case .botEnded: "bot_ended"
    case .hungUp: "hung_up"
    case .connectionLost: "connection_lost"
    case .idle: "idle"
    case .businessEnded: "business_ended"
    case .parted: "parted"
    }
  }
}

extension RequeueReason {
  public var name: String {
    switch self {
    case .wokeWithoutAgent: "woke_without_agent"
    case .agentSilent: "agent_silent"
    case .bySupervisor: "by_supervisor"
    }
  }
}

extension CaseEnd {
  public var name: String {
    switch self {
    case .resolved: "resolved"
    case .abandoned: "abandoned"
    case .transferred: "transferred"
    case .handedBack: "handed_back"
    case .wrapUpOver: "wrap_up_over"
    }
  }
}

extension OverflowReason {
  public var name: String {
    switch self {
    case .closed: "queue_closed"
    case .waitedOut: "waited_out"
    case .leavesMessage: "leaves_message"
    }
  }
}
