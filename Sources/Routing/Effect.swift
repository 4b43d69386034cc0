import Model

/// What the edges must do once the events are durable. Plain values, each one thing.
public enum Effect: Hashable, Sendable {
  /// The offer goes to where its agent waits. For `.device` this is the order to ring.
  case deliverOffer(OfferID, CaseID, AgentID, Seat, until: Instant)
  case withdrawOffer(OfferID, CaseID, AgentID, Seat, OfferEnd)
  /// The `next` is over without an offer.
  case answerEmpty(WaiterID)
  /// Something was said that others in the conversation must hear: each open session but the
  /// speaker's own.
  case tellSessions(ConversationID, EntryID, except: SessionID?)
  /// … and the agent who owns it.
  case tellAgent(AgentID, ConversationID, EntryID)
  case tellAgentStatus(AgentID, AgentStatus, responding: Bool)
  case tellCaseEnded(CaseID, ConversationID, SessionID, CaseEnd)
  /// The agent is asked to look at a case of another agent, until then; they may take it over.
  case askToConsult(AgentID, CaseID, by: AgentID, until: Instant)
  /// … and no longer.
  case endConsult(AgentID, CaseID, ConsultEnd)
  /// What became of a case in the agent's hands, or that it is no longer there.
  case tellCase(AgentID, CaseID, CaseNews)
  /// A stream that is no seat any more must be closed, or its agent would wait at it for nothing.
  case closeStream(AgentID, WaiterID, StreamEnd)
  /// The session must be ended by its channel: the call hung up, the chat told.
  case endSession(SessionID, SessionEnd)
  /// The caller of this session is to leave a message.
  case takeMessage(SessionID)
  /// Text `number` of the rule version goes to the customer.
  case messageCustomer(ConversationID, SessionID, ruleVersion: UInt32, text: UInt32)
}

/// Why a stream that is open is no seat any more.
public enum StreamEnd: Hashable, Sendable {
  /// The agent opened more than they may have: this was the eldest.
  case replaced
  /// The rules have no such agent any more.
  case agentRetired
}

/// What an agent's streams are told of a case, whoever did it.
public enum CaseNews: Hashable, Sendable {
  /// By an offer.
  case accepted
  /// A supervisor put it into their hands.
  case assigned
  /// They were asked for advice and took it over.
  case tookOver
  case parked(until: Instant)
  case resumed
  /// It was parked until now.
  case woke
  /// The customer is on hold.
  case held(until: Instant)
  case holdEnded(HoldEnd)
  case wrappingUp(until: Instant?)
  /// The other agent was asked for advice on it, until then; and no longer.
  case consulting(AgentID, until: Instant)
  case consultEnded(ConsultEnd)
  // No longer theirs:
  case closed(CaseEnd)
  case requeued(RequeueReason)
  /// A supervisor gave it to somebody else.
  case reassigned
  /// Whoever was asked for advice has it now.
  case takenOver
}
