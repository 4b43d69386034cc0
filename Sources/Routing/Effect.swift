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
  case tellOwner(ConversationID, Owner, epoch: UInt32)
  case tellAgentStatus(AgentID, AgentStatus, responding: Bool)
  case tellCaseEnded(CaseID, ConversationID, SessionID, CaseEnd)
  /// The agent is asked to look at a case of another agent, until then; they may take it over.
  case askToConsult(AgentID, CaseID, by: AgentID, until: Instant)
  /// … and no longer.
  case endConsult(AgentID, CaseID, ConsultEnd)
  /// The customer has been on hold for as long as the agent said.
  case holdIsOver(AgentID, CaseID)
  /// The session must be ended by its channel: the call hung up, the chat told.
  case endSession(SessionID, SessionEnd)
  /// The caller of this session is to leave a message.
  case takeMessage(SessionID)
  /// Text `number` of the rule version goes to the customer.
  case messageCustomer(ConversationID, SessionID, ruleVersion: UInt32, text: UInt32)
}
