import Continuity
import Model
import Records
import Routing

/// Whoever waits for an answer, as the server knows it: opaque here.
public struct Ticket: Hashable, Sendable {
  public var a: UInt64
  public var b: UInt64
  public init(a: UInt64, b: UInt64) {
    self.a = a
    self.b = b
  }
  public static let nobody = Ticket(a: 0, b: 0)
}

/// One thing that an edge asks of a workspace's writer. Everything from outside is settled: ids
/// drawn, numbers normalised, words encoded.
public struct Request: Sendable {
  public var ticket: Ticket
  public var intake: Intake
  /// Present when the caller sent an `Idempotency-Key`.
  public var idempotency: Idempotency?
  /// How often storage has failed while this was decided.
  public var attempts = 0
  /// What must not go before what is decided here is durable, such as the bytes that a row names.
  /// It is only kept alive.
  public var holds: [any Sendable]
  public init(
    _ intake: Intake, ticket: Ticket = .nobody, idempotency: Idempotency? = nil,
    holds: [any Sendable] = []
  ) {
    self.intake = intake
    self.ticket = ticket
    self.idempotency = idempotency
    self.holds = holds
  }
}

public struct Idempotency: Hashable, Sendable {
  /// Hash of token and key, 16 bytes.
  public var key: [UInt8]
  public var bodyHash: Digest
  public init(key: [UInt8], bodyHash: Digest) {
    self.key = key
    self.bodyHash = bodyHash
  }
}

public enum Intake: Sendable {
  case configure(RoutingConfiguration, encoded: [UInt8])
  case start
  case tick
  /// Answers `.position` once everything decided so far is durable.
  case read
  /// What was asked is answered elsewhere: its outcome is kept under the request's key, and
  /// answered.
  case outcome(Answer)

  case openSession(OpenSession)
  case say(Say)
  case handoff(Handoff)
  case endSession(SessionID, SessionEnd, by: BotID?)
  case mail(MailArrival)
  case call(CallArrival)
  case callFact(SessionID, EntryDraft)
  /// The line of this call is still open, though the writer began again.
  case rejoin(SessionID)
  /// What a phone system says of the call of this key.
  case callNews([UInt8], CallNews)
  /// Answers how the call of this key stands, once everything decided so far is durable.
  case standing(call: [UInt8])
  /// The ring of this call has ended answered, says the phone: if they spoke, the call is over.
  case bridgeEnded(SessionID)
  /// The call of this key is over, says the phone system.
  case callEnded(key: [UInt8])
  /// The rung device was picked up: the offer is accepted by whoever it was made to.
  case acceptByDevice(OfferID)
  /// The device was gone before it was bridged: whoever accepted never spoke, and the caller waits
  /// on, with their
  /// age. The call's own connection, which knows that nothing rings any more, names its session.
  case deviceLost(OfferID, of: SessionID?, newCase: CaseID)
  case journey(JourneyArrival)
  case aboutCustomer(AboutCustomer)
  case joinConversations(JoinConversations)
  case tag(TagConversation)
  case redact(RedactEntry)
  case blob(BlobRow)

  case setStatus(AgentID, AgentStatus, because: StatusReason? = nil, lease: Duration64?)
  case setChannelStatus(AgentID, [Channel], AgentStatus, because: StatusReason?)
  case renew(AgentID)
  case next(AgentID, WaiterID, until: Instant)
  case endNext(AgentID, WaiterID)
  case openStream(AgentID, WaiterID)
  case closeStream(AgentID, WaiterID)
  case accept(OfferID, AgentID)
  case decline(OfferID, AgentID)
  case failOffer(OfferID, OfferFailure)
  case agentSays(AgentWords)
  case transfer(CaseID, AgentID, to: TransferTarget, newCase: CaseID, members: [UInt8])
  case handBack(CaseID, AgentID, to: BotID? = nil, members: [UInt8])
  case wrapUp(CaseID, AgentID)
  case close(CaseID, AgentID)
  case onCase(CaseID, CaseAct)
  case finish(AgentID, then: AgentStatus, because: StatusReason? = nil)
  case chooseChannels(AgentID, [Channel])

  case outboxDelivered(Int64)
  /// Why, where it waits for so long that somebody is to be told.
  case outboxDelayed(OutboxRow, String?)
  /// It will never be delivered, and why.
  case outboxFailed(OutboxRow, String, NewCase)
}

public struct OpenSession: Sendable {
  public var session: SessionID
  public var conversation: ConversationID
  public var customer: CustomerID
  public var channel: Channel
  public var bot: BotID
  public var claims: [IdentityClaim]
  /// What the bot says of the customer.
  public var attributes: [CustomerProfile.Attribute]
  public var members: [UInt8]
  /// What a resume token says; the edge has checked its signature.
  public var resumes: Resumption?

  public struct Resumption: Hashable, Sendable {
    public var conversation: ConversationID
    /// The record that the session arrived by for which it was made; nil in a token of an older
    /// program, for the conversation's.
    public var customer: CustomerID?
    public init(_ conversation: ConversationID, _ customer: CustomerID?) {
      self.conversation = conversation
      self.customer = customer
    }
  }
  public init(
    session: SessionID, conversation: ConversationID, customer: CustomerID, channel: Channel,
    bot: BotID,
    claims: [IdentityClaim], attributes: [CustomerProfile.Attribute], members: [UInt8]
  ) {
    self.session = session
    self.conversation = conversation
    self.customer = customer
    self.channel = channel
    self.bot = bot
    self.claims = claims
    self.attributes = attributes
    self.members = members
  }
}

public struct Say: Sendable {
  public var session: SessionID
  /// The bot whose token it is: it may only speak in sessions of its own.
  public var bot: BotID
  public var entry: EntryDraft
  public var epoch: UInt32?
  public init(session: SessionID, bot: BotID, entry: EntryDraft, epoch: UInt32?) {
    self.session = session
    self.bot = bot
    self.entry = entry
    self.epoch = epoch
  }
}

public struct Handoff: Sendable {
  public var session: SessionID
  public var bot: BotID
  public var epoch: UInt32?
  public var `case`: CaseID
  /// What the bot kept elsewhere, in order; recorded before the handoff.
  public var imported: [EntryDraft]
  /// Reason, summary and fields as JSON members, for the entry and for whoever takes the case.
  public var members: [UInt8]
  /// What the bot has learned, on its own: recorded where a rule answers, so that there is no
  /// handoff to hold it. Nil for nothing.
  public var learned: EntryDraft?
  public var facts: HandoffFacts
  public init(
    session: SessionID, bot: BotID, epoch: UInt32?, case: CaseID, imported: [EntryDraft],
    members: [UInt8],
    facts: HandoffFacts
  ) {
    self.session = session
    self.bot = bot
    self.epoch = epoch
    self.case = `case`
    self.imported = imported
    self.members = members
    self.facts = facts
  }
}

public struct HandoffFacts: Hashable, Sendable {
  public var reason: String
  public var summary: String
  public var fields: [Field]
  public var wantedSkills: [String]
  public struct Field: Hashable, Sendable {
    public var name: String
    /// JSON as it was sent: whatever a bot collects, rules can ask, also within lists and objects.
    public var value: [UInt8]
    public init(name: String, value: [UInt8]) {
      self.name = name
      self.value = value
    }
  }
  public init(
    reason: String = "", summary: String = "", fields: [Field] = [], wantedSkills: [String] = []
  ) {
    self.reason = reason
    self.summary = summary
    self.fields = fields
    self.wantedSkills = wantedSkills
  }
}

public struct MailArrival: Sendable {
  public var customer: CustomerID
  public var conversation: ConversationID
  public var session: SessionID
  public var `case`: CaseID
  public var from: IdentityClaim
  public var attributes: [CustomerProfile.Attribute]
  /// Hash of Message-ID, author, subject, recipient and body: the same mail twice is recorded once.
  public var seenKey: [UInt8]
  /// The same without author and subject, as older programs kept it: what it leads to is this mail
  /// only where these are the same, too. Nil where no mail of its Message-ID was ever seen.
  public var earlierSeenKey: [UInt8]?
  /// Key of the message's own id, so that answers to it find the conversation.
  public var messageKey: [UInt8]?
  /// Keys of In-Reply-To and References, nearest first.
  public var threadKeys: [[UInt8]]
  /// The conversation named by a reply address that was signed for this very sender.
  public var replyAddress: ConversationID?
  public var entry: EntryDraft
  public var thread: MailLine
  /// Where it came from by its envelope.
  public var returnPath: String?
  /// What became of an answer of ours, where a mail server reports it.
  public var report: MailReport?
  /// Its attachments, whose bytes are kept already.
  public var blobs: [BlobRow] = []
  /// What it is about, without `Re:` and the like.
  public var subjectKey: String
  /// Why the mail is automatic, where it is: it opens, reopens and routes nothing.
  public var automatic: String?
  public var facts: MailFacts
  public init(
    customer: CustomerID, conversation: ConversationID, session: SessionID, case: CaseID,
    from: IdentityClaim,
    attributes: [CustomerProfile.Attribute], seenKey: [UInt8], messageKey: [UInt8]?,
    threadKeys: [[UInt8]],
    replyAddress: ConversationID?, entry: EntryDraft, thread: MailLine, subjectKey: String,
    automatic: String?,
    facts: MailFacts
  ) {
    self.customer = customer
    self.conversation = conversation
    self.session = session
    self.case = `case`
    self.from = from
    self.attributes = attributes
    self.seenKey = seenKey
    self.messageKey = messageKey
    self.threadKeys = threadKeys
    self.replyAddress = replyAddress
    self.entry = entry
    self.thread = thread
    self.subjectKey = subjectKey
    self.automatic = automatic
    self.facts = facts
  }
}

/// What a mail server says of a mail. Anybody may say it: it counts for a recipient that the reply
/// address was signed for, or that the answer was really written to.
public struct MailReport: Sendable {
  /// The answer's Message-ID, where it is one that we make.
  public var messageID: String?
  /// Failures before delays; a recipient stands once for each address that it is known by.
  public var fates: [Fate]
  /// What is told besides, whichever of them it is about.
  public var entry: EntryDraft

  public struct Fate: Sendable {
    public var address: String
    /// The conversation named by a reply address that was signed for this address.
    public var replyAddress: ConversationID?
    /// Nobody tries any more to deliver it.
    public var isFinal: Bool
    public var members: [UInt8]
    public init(address: String, replyAddress: ConversationID?, isFinal: Bool, members: [UInt8]) {
      self.address = address
      self.replyAddress = replyAddress
      self.isFinal = isFinal
      self.members = members
    }
  }

  public init(messageID: String?, fates: [Fate], entry: EntryDraft) {
    self.messageID = messageID
    self.fates = fates
    self.entry = entry
  }
}

public struct MailFacts: Hashable, Sendable {
  public var from: String
  /// The address of ours that this copy came to, and after it the others that the same delivery
  /// named.
  public var to: [String]
  public var subject: String
  public var text: String
  public init(from: String, to: [String], subject: String, text: String) {
    self.from = from
    self.to = to
    self.subject = subject
    self.text = text
  }
}

public struct CallArrival: Sendable {
  public var customer: CustomerID
  public var conversation: ConversationID
  public var session: SessionID
  public var `case`: CaseID
  /// Hash of the phone system and its own id of the call: the same call comes back after a restart.
  public var callKey: [UInt8]
  public var claims: [IdentityClaim]
  public var attributes: [CustomerProfile.Attribute] = []
  public var from: String
  public var to: String
  public var members: [UInt8]
  public var facts: HandoffFacts
  /// Whether the phone system's dialling is known to be over: a FastAGI call that comes back has
  /// left its `Dial`, so that a ring which was under way when we went down is no longer one.
  public var nothingRings = false
  /// Whether a call that we know to have ended is over for good, and this a late word of it. Not so
  /// for a FastAGI call
  /// whose last ring did not end in a talk: its line is there, whatever we thought of it.
  public var isOverOnceEnded = false
  /// What its phone system says of it, each as a short hash in one order; an empty one for what it
  /// does not say. Empty as a whole where later words are never compared with the first.
  public var told: [[UInt8]] = []
  public init(
    customer: CustomerID, conversation: ConversationID, session: SessionID, case: CaseID,
    callKey: [UInt8],
    claims: [IdentityClaim], from: String, to: String, members: [UInt8], facts: HandoffFacts
  ) {
    self.customer = customer
    self.conversation = conversation
    self.session = session
    self.case = `case`
    self.callKey = callKey
    self.claims = claims
    self.from = from
    self.to = to
    self.members = members
    self.facts = facts
  }
}

public enum CallNews: Sendable {
  case nothing
  case answered(OfferID)
  case missed(OfferID)
  case failed(OfferID, OfferFailure)
  case said(EntryDraft)
  case left(Recording)
  case hungUp
}

/// The recording of a message. Its entry is known by the call and the blob, whatever else is told
/// of it.
public struct Recording: Sendable {
  public var entry: EntryDraft
  /// What its transcript is known by, which may come later, and once.
  public var words: EntryDraft.Arrival?
  /// What whoever tells it calls it.
  public var named: EntryDraft.Arrival?
  public var new: NewCase
  public init(
    _ entry: EntryDraft, words: EntryDraft.Arrival?, named: EntryDraft.Arrival?, new: NewCase
  ) {
    self.entry = entry
    self.words = words
    self.named = named
    self.new = new
  }
}

/// Ids for the case that is made of news of which somebody must hear, where nobody has their matter
/// any more.
public struct NewCase: Sendable {
  /// What it hangs on.
  public var session: SessionID
  public var `case`: CaseID
  public init(session: SessionID, case: CaseID) {
    self.session = session
    self.case = `case`
  }
}

public struct JourneyArrival: Sendable {
  public var customer: CustomerID
  public var claims: [IdentityClaim]
  public var name: String
  public var members: [UInt8]
  public var at: Instant?
  /// Who tells it, such as `shop`.
  public var source = ""
  /// What it is about, as JSON; empty for nothing.
  public var detail: [UInt8] = []
  /// What is known of the customer from now on, as JSON; an empty value forgets it.
  public var attributes: [CustomerProfile.Attribute] = []
  /// What the shop knows the event by.
  public var arrival: EntryDraft.Arrival?
  public init(
    customer: CustomerID, claims: [IdentityClaim], name: String, members: [UInt8], at: Instant?
  ) {
    self.customer = customer
    self.claims = claims
    self.name = name
    self.members = members
    self.at = at
  }
}

public struct AgentWords: Sendable {
  public var agent: AgentID
  public var `case`: CaseID
  public var entry: EntryDraft
  /// For a mail conversation: the id of the outgoing message and the key that answers will carry.
  public var mail: OutgoingMailID?
  public init(agent: AgentID, case: CaseID, entry: EntryDraft, mail: OutgoingMailID?) {
    self.agent = agent
    self.case = `case`
    self.entry = entry
    self.mail = mail
  }
}

public struct OutgoingMailID: Hashable, Sendable {
  public var id: MailID
  public var text: String
  public var blobs: [BlobID]
  /// The address of ours that a thread begins from, where the conversation has none yet; nil: we
  /// have none.
  public var ours: String?
  public init(id: MailID, text: String, blobs: [BlobID], ours: String? = nil) {
    self.id = id
    self.text = text
    self.blobs = blobs
    self.ours = ours
  }
}

/// What an agent or a supervisor decides about who a customer is.
public struct AboutCustomer: Sendable {
  public enum What: Sendable {
    /// These two are one person.
    case merge(CustomerID, CustomerID)
    /// These two, joined once, are two people after all.
    case split(CustomerID, CustomerID)
    /// The claimed identity is this customer's; where it is a shared one, `with` says whose.
    /// `hashes` are those of an identity's spellings: as it is kept now, and as earlier versions may
    /// have kept it.
    case confirm(CustomerID, hashes: [[UInt8]], with: CustomerID?)
    /// Somebody checked that the identity, claimed or asserted, is this customer's: how, in their
    /// words.
    case verify(CustomerID, hashes: [[UInt8]], evidence: String)
    case reject(CustomerID, hashes: [[UInt8]])
    /// The identity is of several people, or of one again.
    case share(CustomerID, hashes: [[UInt8]], Bool)
    case set(CustomerID, [CustomerProfile.Attribute])
  }
  public var what: What
  /// Such as `agent:ann`.
  public var by: String
  public var reason: String
  public init(_ what: What, by: String, reason: String) {
    self.what = what
    self.by = by
    self.reason = reason
  }
}

/// What a conversation is filed under, so that rules of retention and people find it.
public struct TagConversation: Sendable {
  public var conversation: ConversationID
  public var adds: [String]
  public var removes: [String]
  public var author: Author
  /// Such as `supervisor:boss`.
  public var by: String
  public var reason: String
  public init(
    _ conversation: ConversationID, adds: [String], removes: [String], author: Author, by: String,
    reason: String
  ) {
    self.conversation = conversation
    self.adds = adds
    self.removes = removes
    self.author = author
    self.by = by
    self.reason = reason
  }
}

/// Somebody takes words out of an entry that is kept.
public struct RedactEntry: Sendable {
  public var entry: EntryID
  public var words: Redaction
  public var author: Author
  /// Such as `supervisor:boss`.
  public var by: String
  public var reason: String
  public init(_ entry: EntryID, words: Redaction, author: Author, by: String, reason: String) {
    self.entry = entry
    self.words = words
    self.author = author
    self.by = by
    self.reason = reason
  }
}

/// Two conversations of one customer turn out to be one matter, or two after all.
public struct JoinConversations: Sendable {
  /// Goes on.
  public var keeps: ConversationID
  /// Is closed; what comes to it from now on goes to the other.
  public var joins: ConversationID
  /// Whether they are joined or taken apart.
  public var isJoining: Bool
  public var agent: AgentID
  public var reason: String
  public init(
    keeps: ConversationID, joins: ConversationID, isJoining: Bool, agent: AgentID, reason: String
  ) {
    self.keeps = keeps
    self.joins = joins
    self.isJoining = isJoining
    self.agent = agent
    self.reason = reason
  }
}

/// Where a case is transferred: to a queue, to an agent who has it alone for a while, or both.
public struct TransferTarget: Sendable {
  /// Nil: the queue that it came from.
  public var queue: QueueID?
  /// Asked first; when they are away, decline or do not answer, the queue gets it.
  public var agent: Need.PreferredAgent?
  public init(queue: QueueID?, agent: Need.PreferredAgent? = nil) {
    self.queue = queue
    self.agent = agent
  }
}
