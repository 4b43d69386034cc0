import Model

/// What must hold over a whole history, event by event: fed with what a log says, in order, it
/// names the first thing that cannot have happened. It applies each event to a machine of its own,
/// and asks that machine; what cannot follow upon its state it names, and does not apply.
///
/// With `Invariants.check`, which looks at one state, these are all the promises: one place, one
/// owner with an epoch that rises by one, capacity, quiescence, order, leases, one end of each
/// offer, entries once and in order, and that a replay gives the same state.
public struct HistoryCheck: Sendable {
  public private(set) var router = Router()
  public private(set) var violations: [Invariants.Violation] = []
  private var epochs: [ConversationID: UInt32] = [:]
  private var openOffers: Set<OfferID> = []
  private var endedOffers: Set<OfferID> = []
  private var entries: Set<EntryID> = []
  private var lastInstant = Instant.distantPast
  /// When last so much changed at once that a match may have gone on with the commands that follow.
  private var massAt = Instant.distantPast
  private var eventsOfInstant = 0
  private static let violationsMax = 100
  private let seesOffered: Bool

  /// - Parameter seesOffered: whether what is offered to fewer than its queue asks must go in order, too.
  ///   An older program's history is not so.
  public init(seesOffered: Bool = false) { self.seesOffered = seesOffered }

  public mutating func feed(_ event: Event, at: Instant) {
    if at < lastInstant {
      note(.order, "an event at \(at.milliseconds) follows one at \(lastInstant.milliseconds)")
    }
    noteMass(event, at)
    lastInstant = max(lastInstant, at)
    if let (rule, sentence) = impossibility(of: event) { return note(rule, sentence) }
    checkBefore(event)
    router.apply(event, at: at)
    checkAfter(event)
  }

  private mutating func noteMass(_ event: Event, _ at: Instant) {
    eventsOfInstant = at > lastInstant ? 1 : eventsOfInstant + 1
    switch event {
    case .configured, .started, .queueOpened, .queueClosed: massAt = at
    default: if eventsOfInstant >= RoutingLimits.pairsPerCommandMax { massAt = at }
    }
  }

  /// Whether the history may end in the middle of a match, which goes on when the server starts: one that
  /// takes several commands takes them at once.
  private var mayMatchGoOn: Bool { lastInstant <= massAt + .seconds(10) }

  private mutating func note(_ rule: Invariants.Violation.Rule, _ sentence: String) {
    if violations.count < Self.violationsMax {
      violations.append(.init(rule: rule, sentence: sentence))
    }
  }

  private mutating func checkBefore(_ event: Event) {
    switch event {
    case .offerMade(let offer, let id, let agent, _, let until, _):
      if endedOffers.contains(offer) { note(.offers, "\(offer) is made twice") }
      openOffers.insert(offer)
      if until <= lastInstant { note(.leases, "\(offer) has ended before it is made") }
      checkOrder(id, agent)
    case .offerEnded(let offer, _):
      openOffers.remove(offer)
      endedOffers.insert(offer)
    case .entryRecorded(let entry, _, _, _, _):
      if !entries.insert(entry).inserted { note(.entries, "entry \(entry.raw) is recorded twice") }
    case .caseAccepted(let id, let agent):
      if !router.hasRoom(Int(agent.raw), router.slot(of: id), exceptOffer: true) {
        note(.capacity, "agent \(agent.raw) accepts \(id) and has no room for it")
      }
    case .caseResumed(let id, let agent):
      if !router.hasRoom(Int(agent.raw), router.slot(of: id)) {
        note(.capacity, "agent \(agent.raw) resumes \(id) and has no room for it")
      }
    case .ownerChanged(let id, _, let epoch):
      let known = epochs[id] ?? router.conversation(id)?.epoch ?? 0
      if epoch != known &+ 1 { note(.oneOwner, "\(id) goes from epoch \(known) to \(epoch)") }
      epochs[id] = epoch
    default: break
    }
  }

  /// No older case that needs the same, or less, is passed over for this agent.
  private mutating func checkOrder(_ id: CaseID, _ agent: AgentID) {
    let slot = router.slot(of: id)
    let index = Int(agent.raw)
    if !router.isEligible(index, slot) {
      note(.eligibility, "\(id) is offered to agent \(index), who cannot take it")
    }
    if seesOffered, router.cases[slot].state == .offered,
      let sooner = router.soonestOpenToMore(index, lastInstant),
      router.goesBefore(sooner, slot, lastInstant)
    {
      note(
        .order, "\(router.cases[sooner].id) is offered to few, and passed over for \(id)")
    }
    guard let sooner = router.soonest(for: index, lastInstant), sooner != slot else { return }
    if router.goesBefore(sooner, slot, lastInstant) {
      note(.order, "\(router.cases[sooner].id) is passed over for \(router.cases[slot].id)")
    }
  }

  private mutating func checkAfter(_ event: Event) {
    switch event {
    case .conversationOpened(let id, _, _): epochs[id] = 1
    case .conversationReopened(let id, _, _, let epoch, _): epochs[id] = epoch
    default: break
    }
  }

  /// After the last event: what is open now, against what the history opened.
  public mutating func finish(rows: Bool = true) -> [Invariants.Violation] {
    if openOffers.count != router.offers.count {
      note(.offers, "\(openOffers.count) offers have no end, \(router.offers.count) are open")
    }
    violations += Invariants.check(router, rows: rows).filter {
      switch $0.rule {
      case .waitingThoughEligible: !mayMatchGoOn
      // An older program asked nobody beside others who came free later, let advice be asked of who
      // had left, and put cases into hands that an open offer needed.
      case .offeredToFew, .adviceOfAbsent, .offerTooLarge: false
      default: true
      }
    }
    return violations
  }
}

extension Router {
  /// The soonest waiting case that the agent could be offered, as the index finds it.
  fileprivate mutating func soonest(for agent: Int, _ at: Instant) -> Int32? {
    listPendingCases()
    return bestCase(for: agent, at)
  }
}
