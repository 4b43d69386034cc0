import Continuity
import DequeModule
import Model
import Records
import Routing
import Wire

/// One workspace's writer as a machine.
///
/// ```
/// submit ──► decided, not durable ──gather──► being committed ──committed──► durable: answers and
/// effects leave
///                     │                              │
///                     └──────────── abandon ◄────────┘   the store failed: nothing leaves; rebuild
///                     from disk
/// ```
///
/// Every answer and every effect is held with the position it rests on, a rejection and a plain
/// read included, since they tell of a state that could still be lost. Identities are resolved and
/// commands decided here, one after the other, so that two first contacts of one person in one
/// instant make one customer.
public struct Pipeline: Sendable {
  public let workspace: WorkspaceID
  public internal(set) var router: Router
  /// Where the decided log ends, and where the durable one.
  public internal(set) var head: LogHead
  public internal(set) var durable: Int64

  var planner: any Planner
  let environment: Environment
  var pending: Pending
  var held: Deque<(position: Int64, release: Release)> = []
  var waiters: [WaiterID: Waiting] = [:]
  /// Offers that were asked for under a key: one that nobody received is no outcome to be repeated.
  var keyed = RecentMap<OfferID, [UInt8]>(capacity: 10_000)
  /// Decided, not durable, and not to be lost with a commit that fails, or holding what must not go
  /// before.
  var unsettled: Deque<(position: Int64, request: Request)> = []
  /// Open offers, so that their end can be told in the story of their case.
  var offers: [OfferID: (case: CaseID, agent: AgentID)] = [:]

  /// The last offers that ended, so that whoever accepts too late is told so.
  var endedOffers = Recent<OfferID>(capacity: 10_000)
  /// Calls whose line the phone system has told to be gone for good.
  var goneCalls = Recent<[UInt8]>(capacity: 10_000)

  /// Calls that were accepted by picking up, for as long as the device may still be lost before it
  /// is bridged.
  var acceptedByDevice = RecentMap<OfferID, CaseID>(capacity: 1_000)

  /// An agent's question that has no answer yet.
  struct Waiting: Sendable {
    var ticket: Ticket
    var idempotency: Idempotency?
  }

  /// What the machine needs of the world and may not fetch itself.
  public struct Environment: Sendable {
    public var sha256: @Sendable ([UInt8]) -> Digest
    /// From the operating system's entropy; salts of entries are drawn from it.
    public var saltSeed: [UInt8]
    public init(saltSeed: [UInt8], sha256: @escaping @Sendable ([UInt8]) -> Digest) {
      self.saltSeed = saltSeed
      self.sha256 = sha256
    }
  }

  /// What leaves once it is durable.
  public enum Release: Sendable {
    case answer(Ticket, Answer, position: Int64)
    case effect(Effect)
    /// A conversation has entries up to this one.
    case entries(ConversationID, upTo: EntryID)
    /// A customer record has new entries.
    case timeline(CustomerID)
    case outbox(OutboxRow)
    /// An offer for an agent's open stream.
    case offer(OfferAnswer, to: WaiterID)
    /// The call of this session rings at the agent's device: the offer on the phone.
    case ring(SessionID, OfferAnswer, device: String)
    case stopRinging(SessionID, OfferID, OfferEnd)
  }

  public init(
    workspace: WorkspaceID, router: Router, head: LogHead, planner: any Planner,
    environment: Environment
  ) {
    self.workspace = workspace
    self.router = router
    self.head = head
    durable = head.position
    self.planner = planner
    self.environment = environment
    pending = Pending(workspace: workspace, gathered: head.position)
    for id in router.offerIDs {
      if let offer = router.offer(id) { offers[id] = (offer.theCase, offer.agent) }
    }
  }

  /// Whether a request has begun to change the state and not come to its end: after a fault then,
  /// the state cannot be trusted.
  public internal(set) var isTorn = false

  /// What was found damaged since the writer last asked.
  var damage: [StoreFault] = []

  public mutating func use(_ planner: any Planner) { self.planner = planner }

  /// How many commands the next `gather` would take.
  public var ungathered: Int64 { head.position - pending.gathered }

  /// How much is decided and not durable, in bytes of entries and log.
  public var undurableBytes: Int { pending.bytes }

  public var nextDeadline: Instant? { router.nextDeadline }

  /// Decides one request. A damaged row costs no more than that request (`Pipeline+Damage.swift`);
  /// any other fault of the store means that nothing was decided, unless the machine `isTorn`.
  public mutating func submit(_ request: Request, at wall: Instant, reads: any StoreReader)
    throws(StoreFault)
  {
    let at = max(wall, router.now)
    var turn = Turn(
      at: at, position: head.position + 1, ticket: request.ticket, idempotency: request.idempotency)
    var answer: Answer?
    do throws(StoreFault) {
      if let repeated = try repeated(request, reads) {
        hold(.answer(request.ticket, repeated, position: head.position))
        return
      }
      try look(at: request.intake, reads)
      answer = try decide(request.intake, &turn, reads)
    } catch {
      try confine(error)
      answer = .damaged
      try endAnyway(request.intake, &turn, reads)
      if !isTorn, !turn.touched, turn.decision.events.isEmpty {
        hold(.answer(request.ticket, .damaged, position: head.position))
        return
      }
    }
    do throws(StoreFault) { try takeUpUnheard(&turn, reads) } catch { try confine(error) }
    finish(&turn, answer: answer, request)
    isTorn = false
    if request.intake.patience != .none || !request.holds.isEmpty {
      unsettled.append((head.position, request))
    }
  }

  /// Takes what was decided since the last call, to be committed in the order of these calls; nil
  /// when nothing was.
  public mutating func gather() -> Commit? {
    guard head.position > pending.gathered else { return nil }
    for row in router.takeDirtyRows() {
      pending.work.append(OpenWorkRow(kind: row.kind, key: row.key, value: row.value))
    }
    return pending.gather(upTo: head.position)
  }

  /// The store has everything up to the position: what rested on it may leave, in the order of
  /// deciding.
  public mutating func committed(upTo position: Int64) -> [Release] {
    durable = max(durable, position)
    pending.committed(upTo: position)
    return release()
  }

  /// What may leave now without waiting for a commit.
  public mutating func release() -> [Release] {
    var out: [Release] = []
    while let first = held.first, first.position <= durable {
      out.append(first.release)
      held.removeFirst()
    }
    while let first = unsettled.first, first.position <= durable { unsettled.removeFirst() }
    return out
  }

  /// The store failed: nobody is told that anything happened. The caller rebuilds from disk, and
  /// then submits again what was to be kept.
  public mutating func abandon() -> Abandoned {
    let kept = unsettled.map(\.request).filter { $0.intake.patience != .none }
    let patient = Set(kept.filter { $0.intake.patience == .waits }.map(\.ticket))
    let answers = held.compactMap {
      if case .answer(let ticket, _, _) = $0.release { ticket } else { nil }
    }
    let refused = answers + waiters.sorted { $0.key < $1.key }.map(\.value.ticket)
    held.removeAll()
    waiters.removeAll()
    unsettled.removeAll()
    return Abandoned(refused: refused.filter { $0 != .nobody && !patient.contains($0) }, kept: kept)
  }

  /// Whoever asked to read and waits for what was decided before.
  public var readers: [Ticket] {
    held.compactMap {
      if case .answer(let ticket, .position, _) = $0.release { ticket } else { nil }
    }
  }

  public struct Abandoned: Sendable {
    /// Whoever waits for an answer that will not come.
    public var refused: [Ticket]
    /// To be submitted again, in this order.
    public var kept: [Request]
  }

  mutating func hold(_ release: Release) { held.append((head.position, release)) }
}

extension Pipeline {
  /// The first outcome of a request that comes again.
  private mutating func repeated(_ request: Request, _ reads: any StoreReader) throws(StoreFault)
    -> Answer?
  {
    guard let key = request.idempotency else { return nil }
    let known: OutcomeRow?
    if let row = pending.outcomes[key.key] {
      known = row
    } else {
      known = try reads.outcome(workspace, key: key.key)
    }
    guard let known, !known.answer.isEmpty else { return nil }
    guard known.bodyHash == key.bodyHash else { return .keyReused }
    let answer: Answer
    do throws(WireError) { answer = try Answer(decoding: known.answer) } catch {
      throw StoreFault.corrupt(what: "an idempotency outcome")
    }
    if case .offer(let offer) = answer, try !stands(offer, reads) { return nil }
    return answer
  }

  /// Whether its agent may still take it, or has the case by it. What is over, as after the server
  /// was killed, is no case to take: whoever repeats the question asks anew.
  private mutating func stands(_ offer: OfferAnswer, _ reads: any StoreReader) throws(StoreFault)
    -> Bool
  {
    if router.offer(offer.offer) != nil { return true }
    guard router.case(offer.case)?.agent == offer.agent else { return false }
    return try caseRow(offer.case, reads).flatMap { Self.decoded($0.about) }?.acceptedThrough
      == offer.offer
  }

  /// Writes the turn's log record, holds the answer and the effects with its position.
  private mutating func finish(_ turn: inout Turn, answer: Answer?, _ request: Request) {
    if let key = request.idempotency, let answer, answer != .keyReused, answer != .damaged {
      keep(answer, under: key, &turn)
    }
    for effect in turn.decision.effects { keepOutcome(of: effect, &turn) }
    if turn.touched || !turn.decision.events.isEmpty {
      head.position = turn.position
      head.at = turn.at
      pending.append(LogRecord(position: turn.position, at: turn.at, bytes: turn.encodedLog()))
    }
    if let answer { hold(.answer(turn.ticket, answer, position: head.position)) }
    for (conversation, last) in turn.said { hold(.entries(conversation, upTo: last)) }
    for record in turn.told { hold(.timeline(record)) }
    for row in turn.queued { hold(.outbox(row)) }
    for effect in turn.decision.effects { answerWaiters(effect) }
  }

  private mutating func keep(_ answer: Answer, under key: Idempotency, _ turn: inout Turn) {
    turn.touched = true
    pending.outcomes.set(
      key.key,
      OutcomeRow(key: key.key, bodyHash: key.bodyHash, at: turn.at, answer: answer.encode()),
      at: turn.position)
  }

  /// A `next` has its outcome when it is answered, in a later turn than the one that asked.
  private mutating func keepOutcome(of effect: Effect, _ turn: inout Turn) {
    switch effect {
    case .deliverOffer(let offer, let aCase, let agent, .next(let waiter), let until):
      guard let key = waiters[waiter]?.idempotency,
        let view = offerAnswer(offer, aCase, agent, until)
      else { return }
      keyed.set(offer, key.key)
      keep(.offer(view), under: key, &turn)
    case .answerEmpty(let waiter):
      if let key = waiters[waiter]?.idempotency { keep(.noOffer, under: key, &turn) }
    case .deliverOffer, .withdrawOffer, .tellSessions, .tellAgent, .tellAgentStatus,
      .tellCaseEnded, .closeStream, .endSession, .takeMessage, .messageCustomer, .askToConsult,
      .endConsult, .tellCase:
      break
    }
  }

  /// A `next` is answered here, since its ticket is known here; everything else is the edge's.
  private mutating func answerWaiters(_ effect: Effect) {
    switch effect {
    case .deliverOffer(let offer, let aCase, let agent, .next(let waiter), let until):
      guard let asked = waiters.removeValue(forKey: waiter) else { return hold(.effect(effect)) }
      guard let view = offerAnswer(offer, aCase, agent, until) else { return }
      hold(.answer(asked.ticket, .offer(view), position: head.position))
    case .answerEmpty(let waiter):
      guard let asked = waiters.removeValue(forKey: waiter) else { return }
      hold(.answer(asked.ticket, .noOffer, position: head.position))
    case .deliverOffer(let offer, let aCase, let agent, .device(let index), let until):
      guard let state = router.case(aCase) else { return }
      guard let view = offerAnswer(offer, aCase, agent, until) else { return }
      hold(.ring(state.session, view, device: router.device(Int(index), of: agent) ?? ""))
    case .deliverOffer(let offer, let aCase, let agent, .stream(let waiter), let until):
      guard let view = offerAnswer(offer, aCase, agent, until) else { return }
      hold(.offer(view, to: waiter))
    case .withdrawOffer(let offer, let aCase, _, .device, let end):
      hold(.effect(effect))  // at the agent's desk, which showed who calls
      guard let state = router.case(aCase) else { return }
      hold(.stopRinging(state.session, offer, end))
    case .withdrawOffer, .tellSessions, .tellAgent, .tellAgentStatus, .tellCaseEnded,
      .closeStream, .endSession, .takeMessage, .messageCustomer, .askToConsult, .endConsult,
      .tellCase:
      hold(.effect(effect))
    }
  }

  func offerAnswer(_ offer: OfferID, _ aCase: CaseID, _ agent: AgentID, _ until: Instant)
    -> OfferAnswer?
  {
    guard let state = router.case(aCase), let conversation = router.conversation(state.conversation)
    else {
      return nil
    }
    return OfferAnswer(
      offer: offer, case: aCase, agent: agent, conversation: state.conversation,
      customer: conversation.customer,
      until: until)
  }
}

/// One request being decided: what it has emitted and written so far.
struct Turn {
  let at: Instant
  let position: Int64
  let ticket: Ticket
  let idempotency: Idempotency?
  var decision = Decision()
  /// Router events already turned into rows and entries.
  var reflected = 0
  /// Effects already looked at for texts to say.
  var heard = 0
  var entries: [(EntryID, Digest)] = []
  var said: [(ConversationID, EntryID)] = []
  /// Customer records under which something was written.
  var told: [CustomerID] = []
  var queued: [OutboxRow] = []
  /// Said before the handoff, in another place; written just before it.
  var imported: (drafts: [EntryDraft], customer: CustomerRow, session: SessionRow)?
  /// Blobs that the request refers to, as they are known.
  var blobs: [BlobID: BlobRow] = [:]
  /// Something besides router events was written.
  var touched = false
  /// What the next `caseQueued` of this turn is entered as, and with which further members.
  var routing = EntryDraft(kind: .routed, author: .system, visibility: .business, channel: nil)
  /// The entry that tells of the last `caseQueued`.
  var routed: EntryID?
  /// What an earlier case brought that goes on in the next `caseQueued`; nil: what it is entered with.
  var handedOver: [UInt8]?
  /// The conversation whose agent settles it, with all that came.
  var settled: ConversationID?
  /// News whose case has ended before anybody took them up.
  var unheard: [(place: ConversationID, news: ConversationAbout.Unheard)] = []
  /// The agent who serves this customer on another channel at this moment.
  var servedBy: AgentID?
  /// Whose matter a case is that an agent passes on.
  var passedOn: CustomerID?
  /// By whom the sessions come that open now; nil for one that is there and opens again.
  var arriving: Arriving?

  struct Arriving {
    var customer: CustomerID
    var former: [SessionRow.Former] = []
  }

  /// The log record: format, router events, and the numbers and hashes of the entries written with
  /// them.
  func encodedLog() -> [UInt8] {
    var w = ByteWriter(reserving: 64 + decision.events.count * 48 + entries.count * 40)
    w.uint8(1)
    w.count(decision.events.count)
    for event in decision.events { event.encode(into: &w) }
    w.count(entries.count)
    for (id, hash) in entries {
      w.signed(id.raw)
      w.raw(hash.bytes)
    }
    return w.bytes
  }
}

extension LogRecord {
  /// The router events that `Turn.encodedLog` put into it, for a replay.
  public func routerEvents() throws(WireError) -> [Event] { try contents().events }

  /// The same, and the numbers of the entries that were written with them, in order.
  public func contents() throws(WireError) -> (events: [Event], entries: [EntryID]) {
    try ByteReader.readAll(bytes) { r throws(WireError) in
      let at = r.offset
      guard try r.uint8() == 1 else { throw WireError.badValue(offset: at) }
      let events = try r.array { r throws(WireError) in try Event.decode(&r) }
      var entries: [EntryID] = []
      for _ in 0..<(try r.count(each: 33)) {  // entries: number and hash
        entries.append(EntryID(try r.signed()))
        _ = try r.bytes(32)
      }
      return (events, entries)
    }
  }
}
