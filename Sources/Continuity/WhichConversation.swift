import Model

/// What a workspace says of continuity.
public struct ContinuityRules: Hashable, Sendable {
  /// A customer who returns within this time continues the same matter.
  public var window: Duration64 = .seconds(72 * 3_600)
  public var subject = Subject.same

  /// Which mail continues a conversation that its headers do not name.
  public enum Subject: String, Hashable, Sendable, CaseIterable {
    /// Only mail with the conversation's own subject; a conversation that has none (a chat, a call)
    /// takes any.
    case same
    /// Any mail of this customer.
    case any
    /// None: only the headers and a signed reply address decide.
    case never
  }

  /// A call of somebody whom an agent is serving rings at that agent alone for so long.
  public static let sameAgentFirst = Duration64.seconds(20)

  public init() {}
}

/// Which of a customer's conversations does this belong to? Asked when neither a signed reply
/// address nor thread headers
/// nor a resume token has decided, and only for somebody who has *proven* who they are.
///
/// | the newest conversation within the window that fits is held by | chat of a bot | mail | call |
/// |---|---|---|---|
/// | an agent | continues it | continues it | a new one, linked; rings at that agent first |
/// | a queue, for a chat | continues it | continues it | continues it, and the case follows to the phone |
/// | a queue, for mail | a new one, linked: waiting mail keeps nobody from a bot | continues it | continues it, as above |
/// | a queue, for a call, or a message that was left | a new one, linked | continues it | a new one, linked: two callers, one line each |
/// | a bot | continues it; the bot now spoken to owns it | continues it, and is routed | continues it, and is routed |
/// | nobody: the customer had just gone | opens it again | opens it again | opens it again |
/// | nobody: it was settled | a new one, linked | a new one, linked | a new one, linked |
public enum WhichConversation {
  public enum Holder: Hashable, Sendable {
    case bot
    /// Waits for an agent, on this channel.
    case queue(Channel)
    case agent(AgentID)
    /// Opened by mail or a call and not routed yet.
    case unrouted
    case nobody(isSettled: Bool)
  }

  public struct Candidate: Hashable, Sendable {
    public var id: ConversationID
    public var holder: Holder
    public var opened: Instant
    public var changed: Instant
    /// What its mail is about, without `Re:`; nil where it has had no mail.
    public var subject: String?
    public init(
      id: ConversationID, holder: Holder, opened: Instant, changed: Instant, subject: String?
    ) {
      self.id = id
      self.holder = holder
      self.opened = opened
      self.changed = changed
      self.subject = subject
    }
  }

  public struct Arrival: Hashable, Sendable {
    public var channel: Channel
    /// Of a mail, without `Re:`.
    public var subject: String?
    public var at: Instant
    public init(channel: Channel, subject: String? = nil, at: Instant) {
      self.channel = channel
      self.subject = subject
      self.at = at
    }
  }

  public enum Choice: Hashable, Sendable {
    case continues(ConversationID)
    /// - Parameters:
    ///   - earlier: the customer's newest conversation, which the new one is linked to.
    ///   - agent: who serves the customer at this moment, for a call that should ring there first.
    case new(earlier: ConversationID?, agent: AgentID?)
  }

  public static func choose(
    among candidates: [Candidate], for arrival: Arrival, _ rules: ContinuityRules
  ) -> Choice {
    // An open one goes before one that the customer has left; then the one in which something
    // happened last.
    let fitting = candidates.filter { fits($0, arrival, rules) }
    let best = fitting.max { a, b in
      let (openA, openB) = (isOpen(a), isOpen(b))
      if openA != openB { return openB }
      return a.changed == b.changed ? a.id < b.id : a.changed < b.changed
    }
    if let best { return .continues(best.id) }
    let earlier = candidates.max { $0.opened == $1.opened ? $0.id < $1.id : $0.opened < $1.opened }
    var agent: AgentID?
    if arrival.channel == .phone {
      for candidate in candidates {
        if case .agent(let one) = candidate.holder { agent = agent ?? one }
      }
    }
    return .new(earlier: earlier?.id, agent: agent)
  }

  private static func isOpen(_ candidate: Candidate) -> Bool {
    if case .nobody = candidate.holder { false } else { true }
  }

  private static func fits(_ candidate: Candidate, _ arrival: Arrival, _ rules: ContinuityRules)
    -> Bool
  {
    guard arrival.at - candidate.changed <= rules.window else { return false }
    if arrival.channel == .email, !fits(candidate.subject, arrival.subject ?? "", rules.subject) {
      return false
    }
    switch (candidate.holder, arrival.channel) {
    case (.nobody(let isSettled), _): return !isSettled
    case (.agent, .phone): return false
    case (.queue(.chat), .chat), (.queue(.chat), .phone), (.queue(.email), .phone): return true
    case (.queue, .chat), (.queue, .phone): return false
    case (.bot, _), (.unrouted, _), (.agent, _), (.queue, .email): return true
    }
  }

  private static func fits(_ known: String?, _ subject: String, _ rule: ContinuityRules.Subject)
    -> Bool
  {
    switch rule {
    case .any: true
    case .never: false
    case .same: known == nil || known == subject
    }
  }
}
