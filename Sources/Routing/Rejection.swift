/// Why the machine refused: a fact of the moment, never a fault. In order of precedence; codes are
/// only appended. The channel finds the polite words.
public enum Rejection: UInt8, Error, Hashable, Sendable, CaseIterable {
  case notConfigured = 1
  case idInUse
  case unknownConversation
  case unknownSession
  case unknownCase
  case unknownOffer
  case unknownAgent
  case unknownQueue
  case conversationClosed
  case sessionEnded
  /// The speaker does not own the conversation: another does, or the epoch is old.
  case notOwner
  case caseAlreadyOpen
  case caseClosed
  case caseNotYours
  case caseNotAssigned
  case offerEnded
  case offerNotYours
  case agentAlreadyWaiting
  case agentNotAvailable
  case queueFull
  case queueUnserved
  case tooManySessions
  case timeIsPast
  /// A supervisor's or a rule's demand that the configuration does not allow.
  case notAllowed
  case agentAtCapacity
  /// More skills, steps, exclusions or names than the limits allow.
  case needTooLarge
  /// An attachment that nobody kept, or that the speaker has no right to.
  case unknownBlob
  /// The queue is closed, and what comes now has nowhere else to go.
  case queueClosed
  /// The customer sits in no chat or call, and no address is proven to be theirs: nobody would read
  /// the answer.
  case unreachable
  /// The configuration has no such status, or no longer.
  case unknownStatus
  /// A bot can answer neither a mail nor a left message, nor take a call.
  case notForBots
  /// What is asked of a case in its agent's hands, and this one lies parked, or is being wrapped up.
  case caseParked
  case caseWrappingUp
  /// What is asked of a case that is parked, wrapped up, on hold.
  case caseNotParked
  case caseNotWrappingUp
  case caseNotOnHold
  /// It waits in its queue already.
  case caseWaits
  /// It is to go to the agent who has it.
  case caseAlreadyTheirs
  /// More time was asked for, and this is less.
  case notLonger
  case alreadyConsulting
  case nobodyConsulted
  /// Advice is another's to give.
  case consultsThemselves
  /// The need of the case bars the agent, or requires others.
  case agentExcluded
  /// A call is in its agent's ear, or rings: it is not put into hands or taken out of them.
  case caseIsCall
  /// They missed an offer, and have not said since that they are back.
  case agentNotResponding
  /// A call, or its wrap-up, takes all of the agent.
  case agentOnCall
}

extension CaseState {
  /// Why nothing can be done that is done with a case in hand; nil where its agent has it so.
  var notInHand: Rejection? {
    switch self {
    case .assigned: nil
    case .waiting, .offered: .caseNotAssigned
    case .parked: .caseParked
    case .wrappingUp: .caseWrappingUp
    }
  }
}
