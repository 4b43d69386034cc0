import Model

/// What happened, in the past tense. Events carry ids and numbers, never words or personal values,
/// so that a person can be erased without rewriting the log. Codes are stored: append only.
public enum Event: Hashable, Sendable {
  case configured(RoutingConfiguration)
  case started

  case conversationOpened(ConversationID, customer: CustomerID, owner: Owner)
  case conversationReopened(
    ConversationID, customer: CustomerID, owner: Owner, epoch: UInt32, lastAgent: AgentID?)
  case conversationMoved(ConversationID, customer: CustomerID)
  case conversationClosed(ConversationID, lastAgent: AgentID?)
  case sessionOpened(SessionID, ConversationID, Channel, bot: BotID?)
  case sessionEnded(SessionID, SessionEnd)
  case entryRecorded(
    EntryID, ConversationID, session: SessionID?, author: Author, visibility: Visibility)
  /// The only event that changes an owner; the epoch is the new one.
  case ownerChanged(ConversationID, to: Owner, epoch: UInt32)

  /// `age` is the instant from which its waiting counts; it survives transfer, requeue and restart.
  case caseQueued(
    CaseID, ConversationID, SessionID, Channel, need: Need, age: Instant, by: RouteReason)
  case stepTaken(CaseID, index: UInt16)
  case preferenceEnded(CaseID)
  case caseAccepted(CaseID, AgentID)
  case caseWrappingUp(CaseID, AgentID, until: Instant?)
  case caseParked(CaseID, AgentID, until: Instant)
  case caseResumed(CaseID, AgentID)
  case caseClosed(CaseID, CaseEnd)

  case offerMade(OfferID, CaseID, AgentID, seat: Seat, until: Instant, passedOver: PassedOver)
  case offerEnded(OfferID, OfferEnd)

  /// `reason` names words that an event never carries.
  case statusSet(AgentID, AgentStatus, reason: StatusReasonID? = nil)
  case presenceRenewed(AgentID, until: Instant)
  case presenceLost(AgentID)
  case notResponding(AgentID)
  case backOffSet(AgentID, CaseID?, until: Instant)
  case nextAsked(AgentID, WaiterID, until: Instant)
  case nextEnded(AgentID, WaiterID)
  case streamOpened(AgentID, WaiterID)
  case streamClosed(AgentID, WaiterID)

  /// A phone session came back within the grace after a restart.
  case sessionResumed(SessionID)
  case backOffEnded(AgentID, CaseID?)
  /// An agent had it and lost it: it waits again in its queue, with its age.
  case caseRequeued(CaseID, RequeueReason)

  case queueOpened(QueueID)
  case queueClosed(QueueID)
  /// Its queue did not keep it: it waits in another, with its age; or in the same one without its
  /// caller.
  case caseOverflowed(CaseID, to: QueueID, OverflowReason)
  /// The bot that owned it left the customer's word unanswered.
  case botFellSilent(ConversationID)
  /// The agent finishes what they have and is that then; nil: they stay.
  case statusDeferred(AgentID, AgentStatus?, reason: StatusReasonID? = nil)
  /// The channels on which the agent wants to be offered something, as bits by `Channel.rawValue -
  /// 1`.
  case channelsChosen(AgentID, UInt8)
  /// Another agent may see the case and write beside it, until then.
  case consultStarted(CaseID, with: AgentID, until: Instant)
  case consultEnded(CaseID, ConsultEnd)
  /// A status on some channels alone, as bits; `available` ends it.
  case channelStatusSet(AgentID, UInt8, AgentStatus, reason: StatusReasonID?)
  /// Its customer waits for their agent, at the latest until then.
  case caseHeld(CaseID, AgentID, until: Instant)
  case holdEnded(CaseID, AgentID, HoldEnd)
}

/// Why a customer is no longer on hold. Whatever else becomes of the case ends it, too.
public enum HoldEnd: UInt8, Hashable, Sendable {
  case byAgent = 1
  case timedOut
}

/// Why a queue did not keep a case. Codes are stored: append only.
public enum OverflowReason: UInt8, Hashable, Sendable {
  case closed = 1
  case waitedOut
  /// The caller has waited too long and leaves a message.
  case leavesMessage
}

public enum ConsultEnd: UInt8, Hashable, Sendable {
  /// Whoever was asked has the case now.
  case tookOver = 1
  case ended
  case timedOut
  /// The case itself went on: closed, transferred, back in its queue.
  case movedOn
  /// Whoever was asked is not there any more.
  case agentLeft
  /// New rules keep whoever was asked from the case.
  case reconfigured
}

/// Why a case that an agent had waits again. Codes are stored: append only.
public enum RequeueReason: UInt8, Hashable, Sendable {
  /// A parked case woke and its agent had no room, or was away.
  case wokeWithoutAgent = 1
  /// Its agent said nothing to the customer in time.
  case agentSilent
  /// A supervisor put it back.
  case bySupervisor
}

/// Who may speak for the business.
public enum Owner: Hashable, Sendable {
  case bot(BotID)
  case queue(QueueID, CaseID)
  case agent(AgentID, CaseID)
  /// Nobody: the conversation is closed.
  case closed
  /// Nobody yet: opened by a mail or a call, without a bot; the next command routes it.
  case unrouted
}

/// Where an offer reaches its agent.
public enum Seat: Hashable, Sendable {
  case next(WaiterID)
  case stream(WaiterID)
  /// Index into the agent's devices.
  case device(UInt8)
}

/// The five ends of an offer.
public enum OfferEnd: Hashable, Sendable {
  case accepted
  case declined
  case timedOut
  case revoked(Revocation)
  case failed(OfferFailure)

  public enum Revocation: UInt8, Hashable, Sendable {
    case customerLeft = 1
    case wonByAnother
    case agentLeft
    case reconfigured
    case movedOn
  }
}

public enum CaseEnd: UInt8, Hashable, Sendable {
  case resolved = 1
  case abandoned
  case transferred
  case handedBack
  case wrapUpOver
}

/// How many agents were passed over for which reason when an offer was made or a case began to
/// wait. The list itself is derived from the state at that position when somebody asks.
public struct PassedOver: Hashable, Sendable {
  public var counts: [UInt32]  // by PassedOverReason.rawValue
  public init() { counts = Array(repeating: 0, count: PassedOverReason.allCases.count) }
}

/// Why an agent does not get a case. Codes are stored: append only.
public enum PassedOverReason: UInt8, Hashable, Sendable, CaseIterable {
  case notInQueue = 0
  case lacksSkill
  case notAvailable
  case notPresent
  case notAsking
  case noDevice
  case full
  case onCall
  case offered
  case backingOff
  case excluded
  case notPreferredYet
  case longerIdleFirst
  case queueClosed
  /// Not among the agents or teams that the case requires.
  case notRequired
}
