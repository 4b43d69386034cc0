import Model
import Wire

/// The state machine of one workspace: a command and an instant in, events and effects out.
///
/// - `decide` may refuse; then nothing was emitted and nothing changed. It emits each event by
///   applying it at once, so that later choices of the same command see it; at its end, it matches
///   until nothing suits.
/// - `apply` cannot refuse. Replay is `apply` alone, and gives the same rows, to the byte, in any
///   process.
/// - Everything that can be seen depends on the rows only: records are ordered by `sequence`,
///   agents by `idleStamp`, timers by (instant, kind, number). Slots and hash order are never seen.
/// - Time is what events brought: `now` is the latest instant applied. `decide` reads the later of
///   that and its own. A state that ends by time ends by an event that `tick` emits.
public struct Router: Sendable {
  var catalogue = Catalogue()
  var conversations = Slots<ConversationRecord>()
  var sessions = Slots<SessionRecord>()
  var cases = Slots<CaseRecord>()
  var offers = Slots<OfferRecord>()
  var agents: [AgentRecord] = []
  var queues: [QueueRecord] = []

  var ended = RecentIDs()

  var timers = Timers()
  var profiles = Profiles()
  var waiting = CaseIndex()
  var scarce = ScarceCases()
  /// Cases that are offered to fewer at once than their queue asks, as `waiting` holds those that
  /// wait.
  var openToMore = CaseIndex()
  var idle = IdleIndex()
  /// All agents, whatever they do now, to find who could ever take a case.
  var everyone = IdleIndex()
  /// Who of its queue could never take a case, by what such cases need.
  var unsuited = UnsuitedMembers()
  /// Smallest weight that a case of the channel may have, by `Channel.rawValue - 1`: an agent with
  /// less room is not looked at.
  var leastWeight: [Int] = [1, 1, 1]

  /// Agents who became ready and cases that began to wait since the last match. No part of the
  /// state: at the
  /// end of a command they are empty, unless so many pairs were found that the next tick goes on.
  var pendingAgents: [Int32] = []
  var pendingCases: [Int32] = []
  var matchGoesOn = false
  /// Those of `openToMore` that agents who are idle already may be asked to take.
  /// The soonest is the last, once they are in order.
  var underOffered: [Int32] = []
  var underOfferedIsInOrder = true
  /// In a replay nothing matches: there, what began to wait is listed without being looked at.
  private(set) var isDeciding = false
  /// Agents who wanted to leave and may have ended their last case in this command.
  var leaving: [Int32] = []

  var dirty: [DirtyRow] = []
  var metaIsDirty = false
  var catalogueIsDirty = false

  /// Rises with every record and every stamp; orders them.
  var sequence: UInt64 = 0
  /// Where the queues that share agents stand: the turn of the one that was given something last.
  var turn: UInt64 = 0
  public internal(set) var now = Instant(milliseconds: 0)
  /// The latest tick. One that finds nothing to tell moves no clock, and yet what was due is done.
  var ticked = Instant.distantPast

  /// Holds nothing. A value of unknown size makes the compiler keep the machine where it is and
  /// hand its
  /// address on; without it, a call of a method that only reads first copies all of it, 1.5 KB.
  private var keptInPlace: any Sendable = ()

  public init() {}

  /// When the next `tick` is due; the past where matching goes on at once.
  public var nextDeadline: Instant? {
    if matchGoesOn { return now }
    return timers.first.map { Instant(milliseconds: $0.at) }
  }

  // MARK: Deciding

  /// Decides one command and applies what it emits.
  /// - Returns: nil when done, else why not; then nothing was emitted and the state is unchanged.
  public mutating func decide(_ command: Command, at instant: Instant, into out: inout Decision)
    -> Rejection?
  {
    let at = max(now, instant)
    if !catalogue.isConfigured {
      guard case .configure = command else { return .notConfigured }
    }
    isDeciding = true
    defer { isDeciding = false }
    let rejection = choose(command, at, &out)
    if rejection == nil {
      if !leaving.isEmpty { letLeave(at, &out) }
      match(at, &out)
    }
    return rejection
  }

  private mutating func choose(_ command: Command, _ at: Instant, _ out: inout Decision)
    -> Rejection?
  {
    switch command {
    case .configure(let new): decideConfigure(new, at, &out)
    case .start: decideStart(at, &out)
    case .tick: decideTick(at, &out)
    case .openConversation(let id, let customer, let session):
      decideOpen(id, customer, session, at, &out)
    case .joinSession(let id, let session): decideJoin(id, session, at, &out)
    case .reopenConversation(let closed, let session): decideReopen(closed, session, at, &out)
    case .endSession(let id, let why): decideEndSession(id, why, at, &out)
    case .record(let id, let session, let entry, let author, let visibility, let epoch):
      decideRecord(Said(id, session, entry, author, visibility, epoch), at, &out)
    case .route(let id, let session, let theCase, let need, let by, let epoch, let since):
      decideRoute(id, session, theCase, need, by, epoch, since, at, &out)
    case .moveConversation(let id, let customer): decideMove(id, customer, at, &out)
    case .setStatus(let agent, let status, let reason, let lease):
      decideStatus(agent, status, reason, lease, at, &out)
    case .setChannelStatus(let agent, let channels, let status, let reason):
      decideChannelStatus(agent, channels, status, reason, at, &out)
    case .renewPresence(let agent): decideRenew(agent, at, &out)
    case .next(let agent, let waiter, let until): decideNext(agent, waiter, until, at, &out)
    case .endNext(let agent, let waiter): decideEndNext(agent, waiter, at, &out)
    case .openStream(let agent, let waiter): decideOpenStream(agent, waiter, at, &out)
    case .closeStream(let agent, let waiter): decideCloseStream(agent, waiter, at, &out)
    case .accept(let offer, let agent): decideAccept(offer, agent, at, &out)
    case .decline(let offer, let agent): decideDecline(offer, agent, at, &out)
    case .failOffer(let offer, let why): decideFail(offer, why, at, &out)
    case .transfer(let id, let agent, let need, let new):
      decideTransfer(id, agent, need, new, at, &out)
    case .handBack(let id, let agent, let bot): decideHandBack(id, agent, bot, at, &out)
    case .wrapUp(let id, let agent): decideWrapUp(id, agent, at, &out)
    case .close(let id, let agent): decideClose(id, agent, at, &out)
    case .park(let id, let agent, let until): decidePark(id, agent, until, at, &out)
    case .resume(let id, let agent): decideResume(id, agent, at, &out)
    case .assign(let id, let agent): decideAssign(id, agent, at, &out)
    case .requeue(let id): decideRequeue(id, at, &out)
    case .extendWrapUp(let id, let agent, let until): decideExtend(id, agent, until, at, &out)
    case .consult(let id, let agent, let other, let until):
      decideConsult(id, agent, other, until, at, &out)
    case .endConsult(let id, let agent): decideEndConsult(id, agent, at, &out)
    case .takeOver(let id, let agent): decideTakeOver(id, agent, at, &out)
    case .hold(let id, let agent, let until): decideHold(id, agent, until, at, &out)
    case .endHold(let id, let agent): decideEndHold(id, agent, at, &out)
    case .finish(let agent, let status, let reason):
      decideFinish(agent, status, reason, at, &out)
    case .chooseChannels(let agent, let channels): decideChannels(agent, channels, at, &out)
    }
  }

  /// Emits: applies at once, and appends.
  @inline(__always)
  mutating func emit(_ event: Event, _ at: Instant, _ out: inout Decision) {
    apply(event, at: at)
    out.events.append(event)
  }

  mutating func nextSequence() -> UInt64 {
    sequence += 1
    return sequence
  }

  // MARK: Looking up

  func slot(of id: ConversationID) -> Int32 { conversations.find(id) }
  func slot(of id: SessionID) -> Int32 { sessions.find(id) }
  func slot(of id: CaseID) -> Int32 { cases.find(id) }
  func slot(of id: OfferID) -> Int32 { offers.find(id) }
  func isActive(_ agent: AgentID) -> Bool {
    Int(agent.raw) < profiles.bounds.count && !profiles.bounds[Int(agent.raw)].isRetired
  }
  func isKnown(_ agent: AgentID) -> Bool { Int(agent.raw) < agents.count }
}

/// What one or more commands decided, in order.
public struct Decision: Sendable, Equatable {
  public var events: [Event] = []
  public var effects: [Effect] = []
  public init() {}
}
