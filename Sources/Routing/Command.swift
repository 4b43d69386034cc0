import Model

/// What may be asked of the machine. Every command is one decision: events and effects, or a
/// rejection. Ids are drawn by whoever asks. Codes of rejections are only ever appended.
public enum Command: Hashable, Sendable {
  // The workspace
  case configure(RoutingConfiguration)
  /// The server began to serve: whatever hung on a connection is gone, leases get their grace,
  /// phone callers may come back.
  case start
  /// Time has passed: everything that was due by now happens, in the order in which it was due.
  case tick

  // Conversations and their sessions
  case openConversation(conversation: ConversationID, customer: CustomerID, session: NewSession)
  /// One more session on a conversation that is open or closed; a closed one is reopened.
  case joinSession(conversation: ConversationID, session: NewSession)
  /// A closed conversation is no longer held in memory; what is known of it travels in the command.
  case reopenConversation(ClosedConversation, session: NewSession)
  case endSession(SessionID, SessionEnd)
  /// May this be said, and who must hear of it? The words themselves are not the machine's concern.
  case record(
    conversation: ConversationID, session: SessionID?, entry: EntryID, author: Author,
    visibility: Visibility, epoch: UInt32?)
  /// The owner changes to the queue of the need. `epoch` must be the owner's when a bot asks; `since`
  /// is when the customer began to wait, where that was before.
  case route(
    conversation: ConversationID, session: SessionID, case: CaseID, need: Need, by: RouteReason,
    epoch: UInt32?, since: Instant? = nil)
  /// The customer is another record now (merged or split).
  case moveConversation(ConversationID, customer: CustomerID)

  // Agents
  case setStatus(AgentID, AgentStatus, reason: StatusReasonID? = nil, lease: Duration64?)
  /// A status on some channels alone, beside that of the agent: it holds until these channels are
  /// `available` again, whatever the agent is meanwhile.
  case setChannelStatus(AgentID, [Channel], AgentStatus, reason: StatusReasonID? = nil)
  /// The agent finishes what they have and is offered nothing more; with their last case's end they
  /// are that. Setting a status at once takes it back.
  case finish(AgentID, then: AgentStatus, reason: StatusReasonID? = nil)
  /// The channels on which the agent wants to be offered something; an agent begins with all.
  case chooseChannels(AgentID, [Channel])
  /// Any call with the agent's token.
  case renewPresence(AgentID)
  /// The agent asks for a case; the answer is an offer, or nothing when the time is up. It ends
  /// when its connection does.
  case next(AgentID, waiter: WaiterID, until: Instant)
  case endNext(AgentID, waiter: WaiterID)
  /// A stream that offers can be pushed to.
  case openStream(AgentID, waiter: WaiterID)
  case closeStream(AgentID, waiter: WaiterID)

  // Offers: five different ends
  case accept(OfferID, AgentID)
  case decline(OfferID, AgentID)
  /// The device could not be rung, was busy, or the connection that waited is gone.
  case failOffer(OfferID, OfferFailure)

  // Cases
  case transfer(CaseID, by: AgentID, need: Need, case: CaseID)
  /// To a bot with a session in the conversation; nil: the one whose session brought the case.
  case handBack(CaseID, by: AgentID, to: BotID? = nil)
  /// The talking is over; what remains is the agent's paperwork.
  case wrapUp(CaseID, by: AgentID)
  case close(CaseID, by: AgentID)
  case park(CaseID, by: AgentID, until: Instant)
  case resume(CaseID, by: AgentID)
  /// The customer waits while their agent sees to something; agent, room and owner stay. It ends then.
  case hold(CaseID, by: AgentID, until: Instant)
  case endHold(CaseID, by: AgentID)
  /// A supervisor gives a case to an agent, wherever it is. Who may ask is the edge's business.
  case assign(CaseID, to: AgentID)
  /// A supervisor puts a case that an agent has back into its queue, with its age.
  case requeue(CaseID)
  /// More time for the paperwork: it ends then.
  case extendWrapUp(CaseID, by: AgentID, until: Instant)
  /// Another agent may see the case and write beside it, until then; the owner stays who it is.
  case consult(CaseID, by: AgentID, with: AgentID, until: Instant)
  /// Either of the two ends it.
  case endConsult(CaseID, by: AgentID)
  /// The agent who was asked takes the case over.
  case takeOver(CaseID, by: AgentID)
}

/// A connection's wish to be offered something, numbered by the server that holds the connection.
public struct WaiterID: Hashable, Sendable, Comparable {
  public let raw: UInt64
  public init(_ raw: UInt64) { self.raw = raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

public struct NewSession: Hashable, Sendable {
  public var id: SessionID
  public var channel: Channel
  /// The bot that carries the session, where one does.
  public var bot: BotID?
  public init(id: SessionID, channel: Channel, bot: BotID?) {
    self.id = id
    self.channel = channel
    self.bot = bot
  }
}

public struct ClosedConversation: Hashable, Sendable {
  public var id: ConversationID
  public var customer: CustomerID
  public var epoch: UInt32
  public var lastAgent: AgentID?
  public init(id: ConversationID, customer: CustomerID, epoch: UInt32, lastAgent: AgentID?) {
    self.id = id
    self.customer = customer
    self.epoch = epoch
    self.lastAgent = lastAgent
  }
}

/// Why a session ended. A waiting case of its conversation is abandoned with it, where nobody else
/// is there.
public enum SessionEnd: UInt8, Hashable, Sendable {
  case customerLeft = 1
  case botEnded
  case hungUp
  case connectionLost
  case idle
  /// The business ended it: the case was closed, or the talking was over.
  case businessEnded
  /// Its customer is another person than the conversation's by now: it goes on in another.
  case parted
}

/// Which rule sent a case where it goes.
public struct RouteReason: Hashable, Sendable {
  public enum Cause: UInt8, Hashable, Sendable {
    case handoff = 1, mail, call, reopened, transfer
    /// The bot left the customer's word unanswered.
    case botSilent
    /// The caller leaves a message and goes: their case waits without them, and is taken as mail
    /// is.
    case message
    /// An answer did not arrive, and nobody had the matter any more.
    case undelivered
  }
  public var cause: Cause
  public var ruleVersion: UInt32
  /// Position of the rule in its version; nil for a transfer by hand.
  public var rule: UInt32?
  public init(cause: Cause, ruleVersion: UInt32, rule: UInt32?) {
    self.cause = cause
    self.ruleVersion = ruleVersion
    self.rule = rule
  }
}

/// What an agent chose to be; whether they are still there is the presence lease's business.
public enum AgentStatus: Hashable, Sendable {
  case offline
  case available
  case busy
  case onBreak
  case meeting
  case training
  /// A workspace's own; the configuration says as which of the others it counts.
  case custom(StatusID)
}

public enum OfferFailure: UInt8, Hashable, Sendable {
  case connectionClosed = 1
  case deviceBusy
  case deviceUnavailable
  case deviceError
  /// It rang to its end: the offer is missed, as when its own time is over.
  case notAnswered
  /// Nobody holds the line of the call that was to ring; it may come back.
  case lineGone
}
