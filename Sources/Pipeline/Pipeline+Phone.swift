import Continuity
import Model
import Records
import Routing
import Wire

/// Calls. The phone system keeps the line; here stands who is on it and where it goes.
extension Pipeline {
  mutating func call(_ call: CallArrival, _ turn: inout Turn, _ reads: any StoreReader)
    throws(StoreFault) -> Answer
  {
    if let known = try self.call(of: call.callKey, reads) {
      if router.session(known.session) != nil, Self.isOther(call.told, than: known.told) {
        return rejection(.idInUse, known.conversation)
      }
      if var answer = try resume(known.session, known.conversation, &turn, reads) {
        if call.nothingRings {
          try endRings(known.conversation, &turn, reads)
          // It left its `Dial` without a talk: whoever accepted while we went down speaks with nobody.
          if !call.isOverOnceEnded { try giveBack(known.session, as: call.case, &turn, reads) }
          answer = taken(known.session, known.conversation) ?? answer
        }
        // The phone system came back before it was told, or could not take the message.
        if case .leavesMessage = try standing(of: known.session, at: turn.at, reads) {
          turn.decision.effects.append(.takeMessage(known.session))
        }
        return answer
      }
      // A connection that was opened before the hang-up may be read after the one that told of it.
      if call.isOverOnceEnded || goneCalls.contains(call.callKey) { return .standing(.over) }
    }
    let who = try resolve(
      call.claims, newID: call.customer, attributes: call.attributes, turn, reads)
    let choice = try whichConversation(who, .init(channel: .phone, at: turn.at), reads)
    keep(who, &turn)
    try tellOfJoining(who, &turn, reads)
    let session = NewSession(id: call.session, channel: .phone, bot: nil)
    turn.arriving = .init(customer: who.record.id)
    var place = call.conversation
    var members = Members()
    if case .continues(let known) = choice, try join(known, session, &turn, reads) == nil {
      place = known
    } else {
      _ = try command(
        .openConversation(conversation: place, customer: who.record.id, session: session), &turn,
        reads)
    }
    setKey(
      .call, call.callKey, Self.line(call.session, place, told: call.told, by: who.record.id), &turn
    )
    let line = CallLine(from: call.from, to: call.to)
    try tell(of: place, turn, reads) { ($0.call, $0.callBy) = (line, who.record.id) }
    if case .new(let earlier?, let agent) = choice {
      try tell(of: place, turn, reads) { $0.earlier = earlier }
      members.text("earlier", earlier.description)
      turn.servedBy = agent
    }
    write(
      EntryDraft(
        kind: .call, author: .system, visibility: .business, channel: .phone,
        members: call.members + members.bytes),
      customer: who.record, conversation: place, session: call.session, &turn)
    turn.routing.channel = .phone
    var facts = RouteFacts(
      channel: .phone, bot: nil, customer: who.root.id, isNewCustomer: who.isNew,
      profile: who.profile,
      handoff: call.facts, call: line)
    try gather(for: &facts, place, claims: call.claims, reads)
    let refused = try route(facts, place, call.session, call.case, .call, epoch: nil, &turn, reads)
    if case .ruleAnswered = refused {
      _ = try command(.endSession(call.session, .botEnded), &turn, reads)
      return refused ?? .done
    }
    if case .rejected = refused {
      // That they called stands in the timeline; the line is nobody's here, and open for ever else.
      _ = try command(.endSession(call.session, .connectionLost), &turn, reads)
      return refused ?? .done
    }
    return .callTaken(call.session, place, who.root.id, call.case, resumed: false)
  }

  /// A call that we know and that is still open takes its old place again.
  mutating func resume(
    _ session: SessionID, _ conversation: ConversationID, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    guard router.session(session) != nil, router.conversation(conversation) != nil else {
      return nil
    }
    _ = try command(
      .joinSession(
        conversation: conversation, session: NewSession(id: session, channel: .phone, bot: nil)),
      &turn, reads)
    return taken(session, conversation)
  }

  private func taken(_ session: SessionID, _ conversation: ConversationID) -> Answer? {
    router.conversation(conversation).map {
      .callTaken(session, conversation, $0.customer, $0.openCase, resumed: true)
    }
  }

  private mutating func endRings(
    _ conversation: ConversationID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let id = router.conversation(conversation)?.openCase else { return }
    for offer in router.case(id)?.offers ?? [] {
      _ = try command(.failOffer(offer, .connectionClosed), &turn, reads)
    }
  }

  mutating func callFact(
    _ id: SessionID, _ entry: EntryDraft, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try sessionRow(id, reads) else { return rejection(.unknownSession, nil) }
    var place = row.conversation
    guard let customer = try customer(ofSession: row, reads) else {
      return rejection(.unknownConversation, nil)
    }
    if row.ended != nil, let known = try conversationRow(place, reads) {
      guard let there = try home(of: known, for: customer.id, &turn, reads) else {
        return rejection(.unknownSession, nil)
      }
      place = there.id
    }
    switch try known(entry, reads) {
    case .same(let known): return recorded(known, place)
    case .other: return rejection(.idInUse, place)
    case .asNothing: break
    }
    guard try attach(entry, &turn, reads, if: { $0.uploader.hasPrefix("telephony:") }) else {
      return rejection(.unknownBlob, place)
    }
    // Whoever has the conversation hears of it; where it is over, it is recorded all the same.
    _ = try command(
      .record(
        conversation: place, session: row.ended == nil ? id : nil,
        entry: EntryID(head.entry.raw + 1), author: entry.author, visibility: entry.visibility,
        epoch: nil), &turn, reads)
    let written = write(entry, customer: customer, conversation: place, session: id, &turn)
    return recorded(written, place)
  }

  /// Somebody must hear a recording, once: whoever has the call's matter, or, when it ends before
  /// that or has ended, whoever gets the case that is made of it.
  private mutating func left(
    _ message: Recording, _ session: SessionID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    if let named = message.named, case .other = try known(named, reads) {
      return rejection(.idInUse, nil)
    }
    var entry = message.entry
    let isFirst = try known(entry, reads) == .asNothing
    if !isFirst, let words = message.words, try known(words, reads) == .asNothing {
      entry.arrival = words
    }
    let before = head.entry
    let answer = try callFact(session, entry, &turn, reads)
    guard case .recorded(let written, let place, _, _) = answer, written > before, isFirst else {
      return answer
    }
    for arrival in [message.words, message.named] {
      if let arrival { keep(arrival, of: written, &turn) }
    }
    // The case that waits for a message has it now; who wraps that up already is told of it.
    let record = try sessionRow(session, reads)?.customer
    try reopen(place, on: .phone, message.new, .message, by: record, &turn, reads)
    return answer
  }

  /// News of a call over the HTTP hook. Whatever they are, the call is there: after a restart it
  /// takes its place again.
  mutating func callNews(
    _ key: [UInt8], _ news: CallNews, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let known = try call(of: key, reads), let row = try sessionRow(known.session, reads)
    else { return rejection(.unknownSession, nil) }
    // A recording, or what was said last, may come when the caller has gone. Whatever else is told
    // of a call
    // that is over was most likely told before: phone systems repeat what they had no answer to.
    if row.ended != nil {
      let answer: Answer
      switch news {
      case .said(let entry): answer = try callFact(known.session, entry, &turn, reads)
      case .left(let message): answer = try left(message, known.session, &turn, reads)
      case .nothing, .answered, .missed, .failed, .hungUp: return .standing(.over)
      }
      guard case .recorded = answer else { return answer }
    }
    guard row.ended == nil, let taken = try resume(known.session, known.conversation, &turn, reads)
    else {
      return .standing(.over)
    }
    let refused: Answer
    switch news {
    case .nothing: return taken
    case .answered(let offer) where try isConnected(by: offer, known.conversation, reads):
      return taken
    case .missed(let offer):
      guard rings(offer, known.session) else {
        return rejection(.offerNotYours, known.conversation)
      }
      if let reason = try command(.failOffer(offer, .notAnswered), &turn, reads) {
        return rejection(reason, known.conversation)
      }
      return taken
    case .answered(let offer) where !rings(offer, known.session):
      return rejection(.offerNotYours, known.conversation)
    case .failed(let offer, _) where !rings(offer, known.session):
      return rejection(.offerNotYours, known.conversation)
    case .answered(let offer): refused = try acceptByDevice(offer, &turn, reads)
    case .failed(let offer, let why):
      if let reason = try command(.failOffer(offer, why), &turn, reads) {
        return rejection(reason, known.conversation)
      }
      return taken
    case .said(let entry): refused = try callFact(known.session, entry, &turn, reads)
    case .left(let message):
      refused = try left(message, known.session, &turn, reads)
      if case .recorded = refused { try messageIsLeft(known.session, &turn, reads) }
    case .hungUp: refused = try endSession(known.session, .hungUp, nil, &turn, reads)
    }
    if case .rejected = refused { return refused }
    return taken
  }

  /// Sends a caller to leave a message: the next case of this turn waits without them.
  mutating func ask(
    for prompt: String, _ conversation: ConversationID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    try tell(of: conversation, turn, reads) { $0.prompt = prompt }
    turn.routing.members += Self.why(.leavesMessage, prompt).bytes
  }

  /// Why a case waits elsewhere, or otherwise, and what its caller heard of that.
  static func why(_ reason: OverflowReason, _ prompt: String?) -> Members {
    var members = Members()
    members.text("reason", reason.name)
    if let prompt { members.text("prompt", prompt) }
    return members
  }

  /// The recording is there, and nothing more is wanted of the caller.
  private mutating func messageIsLeft(
    _ session: SessionID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard case .leavesMessage = try standing(of: session, at: turn.at, reads) else { return }
    _ = try endSession(session, .customerLeft, nil, &turn, reads)
  }

  /// The session whose case is offered.
  public func session(of offer: OfferID) -> SessionID? {
    router.offer(offer).flatMap { router.case($0.theCase)?.session }
  }

  /// Whether an open offer rings for this very call.
  private func rings(_ offer: OfferID, _ session: SessionID) -> Bool {
    guard let view = router.offer(offer), case .device = view.seat else {
      return endedOffers.contains(offer)  // over: the machine says so in its own words
    }
    return router.case(view.theCase)?.session == session
  }

  /// Whether this call's talk came of that very ring.
  private mutating func isConnected(
    by offer: OfferID, _ conversation: ConversationID, _ reads: any StoreReader
  ) throws(StoreFault) -> Bool {
    guard let id = router.conversation(conversation)?.openCase, let agent = router.case(id)?.agent
    else { return false }
    return try accepted(through: offer, agent, reads) == id
  }

  mutating func callEnded(_ key: [UInt8], _ turn: inout Turn, _ reads: any StoreReader)
    throws(StoreFault) -> Answer
  {
    guard let known = try call(of: key, reads) else { return rejection(.unknownSession, nil) }
    goneCalls.insert(key)
    return try endSession(known.session, .hungUp, nil, &turn, reads)
  }

  mutating func acceptByDevice(
    _ offer: OfferID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let (id, agent) = offers[offer] else {
      return rejection(endedOffers.contains(offer) ? .offerEnded : .unknownOffer, nil)
    }
    guard case .device = router.offer(offer)?.seat else { return rejection(.offerNotYours, nil) }
    let answer = try accept(offer, agent, byDevice: true, &turn, reads)
    if case .accepted = answer { acceptedByDevice.set(offer, id) }
    return answer
  }

  mutating func deviceLost(
    _ offer: OfferID, _ session: SessionID?, _ new: CaseID, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    if offers[offer] != nil {
      if let refused = try command(.failOffer(offer, .deviceError), &turn, reads) {
        return rejection(refused, nil)
      }
      return .done
    }
    let spoken = if let session { try talk(session, at: turn.at, reads) } else { CaseID?.none }
    guard let id = acceptedByDevice[offer] ?? spoken, router.case(id)?.agent != nil else {
      return rejection(.offerEnded, nil)
    }
    return try passOn(id, as: new, &turn, reads).map { rejection($0, nil) } ?? .done
  }

  /// Gives back the case of a call whose caller nobody speaks with, if an agent has it.
  private mutating func giveBack(
    _ session: SessionID, as new: CaseID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let id = try talk(session, at: turn.at, reads), let state = router.case(id),
      state.channel == .phone, state.session == session, case .assigned = state.state
    else { return }
    _ = try passOn(id, as: new, &turn, reads)
  }

  /// The agent's device was gone before it was connected: the case waits again, with its age.
  private mutating func passOn(
    _ id: CaseID, as new: CaseID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Rejection? {
    guard let state = router.case(id), let agent = state.agent else { return .caseNotAssigned }
    var members = Members()
    members.text("reason", "the device was gone before it was connected")
    turn.routing = EntryDraft(
      kind: .transferred, author: .system, visibility: .business, channel: .phone,
      members: members.bytes)
    turn.passedOn = try caseRow(id, reads).flatMap { Self.decoded($0.about)?.customer }
    return try command(.transfer(id, by: agent, need: state.need, case: new), &turn, reads)
  }

  /// The case that an agent has of this call. A machine read from disk does not remember which
  /// offer it was accepted
  /// by; but when nothing rings on the call's line, whoever has it does not speak with the caller.
  private mutating func talk(
    _ session: SessionID, at now: Instant, _ reads: any StoreReader
  ) throws(StoreFault) -> CaseID? {
    guard try standing(of: session, at: now, reads) == .talks,
      let known = router.session(session)
    else { return nil }
    return router.conversation(known.conversation)?.openCase
  }

  /// What is kept of the call of this key; nil where there is none, or its person was erased.
  mutating func call(of key: [UInt8], _ reads: any StoreReader) throws(StoreFault)
    -> (session: SessionID, conversation: ConversationID, told: [[UInt8]])?
  {
    guard let value = try value(.call, key, reads), let known = Self.line(value) else { return nil }
    // It may have been taken out of the conversation that it began in.
    if let now = router.session(known.session)?.conversation {
      return (known.session, now, known.told)
    }
    if let row = try conversationRow(known.conversation, reads), isGone(row) { return nil }
    return known
  }

  static func line(
    _ session: SessionID, _ conversation: ConversationID, told: [[UInt8]], by record: CustomerID
  ) -> [UInt8] {
    var w = ByteWriter(reserving: 112)
    w.id(session)
    w.id(conversation)
    w.array(told) { $0.blob($1) }
    w.id(record)
    return w.bytes
  }

  /// What is kept of a call under its key. An older program kept nothing of what was told.
  public static func line(
    _ value: [UInt8]
  ) -> (session: SessionID, conversation: ConversationID, told: [[UInt8]])? {
    do throws(WireError) {
      return try ByteReader.readAll(value) { r throws(WireError) in
        let line: (SessionID, ConversationID, [[UInt8]]) = (
          try r.id(), try r.id(),
          r.isAtEnd ? [] : try r.array { r throws(WireError) in try r.blob() }
        )
        // By which record: an erasure finds it by that.
        if !r.isAtEnd { _ = try r.id(CustomerID.self) }
        return line
      }
    } catch {
      return nil
    }
  }

  /// Whether something is said now that was not said, or said otherwise, when the call came. To say
  /// less is no difference.
  private static func isOther(_ now: [[UInt8]], than first: [[UInt8]]) -> Bool {
    now.count == first.count && zip(now, first).contains { !$0.isEmpty && $0 != $1 }
  }
}
