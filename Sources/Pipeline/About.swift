import Continuity
import Model
import Routing
import Wire

/// What a conversation is known by besides its owner: the rest of its row.
public struct ConversationAbout: Hashable, Sendable {
  public var mail: MailLine?
  /// Where `mail` came from by its envelope: where a rule's own words go (RFC 3834 §4).
  public var returnPath: String?
  public var call: CallLine?
  /// What its first mail was about, without `Re:`.
  public var subjectKey: String?
  /// Somebody settled the matter: an agent closed it, or the bot said that it was done. What the
  /// customer merely left goes on when they return.
  public var isSettled = false
  /// The customer's conversation before this one.
  public var earlier: ConversationID?
  /// The conversation that an agent said is the same matter: what comes to this one goes on there.
  public var joinedTo: ConversationID?
  /// Those that go on in this one.
  public var joins: [ConversationID] = []
  /// What its caller hears who is to leave a message.
  public var prompt: String?
  /// What it is filed under, in their own order.
  public var tags: [String] = []
  /// What nobody has answered or settled since, and would be lost with its case: of each channel by
  /// which such news came, one.
  public var unheard: [Unheard] = []
  /// Its person was erased: when it is over, nothing that names it finds it.
  public var isErased = false
  /// The customer records by which `mail` and `call` came; nil for the conversation's own.
  public var mailBy: CustomerID?
  public var callBy: CustomerID?
  /// Whoever took part and is another person by now, and where they go on.
  public var partings: [Parting] = []
  /// Its people were taken apart while it was open: what says not whose it is leads nowhere here.
  public var wasParted = false
  /// Where its customer sat with another until they were taken apart: the same matter.
  public var takenFrom: ConversationID?
  public init() {}

  public struct Parting: Hashable, Sendable {
    public var customer: CustomerID
    public var conversation: ConversationID
    public init(_ customer: CustomerID, to conversation: ConversationID) {
      self.customer = customer
      self.conversation = conversation
    }
  }

  /// News that somebody must have, whatever becomes of the case that it came to.
  public struct Unheard: Hashable, Sendable {
    /// Why there is a case of it when nobody has taken it up.
    public var cause: RouteReason.Cause
    public var channel: Channel
    /// Since when the first of it waits; nil where an older program noted it.
    public var since: Instant?
    /// When the last of it came.
    public var at: Instant?
    /// An agent has accepted the case with it before them, and has it still.
    public var isTaken = false
    /// Since when the first of that waits which an agent has seen, where more came after it: it is as
    /// unheard again as that when the case is taken from them.
    public var seen: Instant?
    /// The customer record by which it came; nil for the conversation's own.
    public var by: CustomerID?
    /// What waits for it, or did and followed the customer elsewhere.
    public var waited: Waited?

    /// A case, and what it needed.
    public struct Waited: Hashable, Sendable {
      public var `case`: CaseID
      public var need: Need
      public init(_ id: CaseID, _ need: Need) {
        self.case = id
        self.need = need
      }
    }

    public init(
      _ cause: RouteReason.Cause, on channel: Channel, by record: CustomerID?,
      since: Instant? = nil, waited: Waited? = nil
    ) {
      self.by = record
      self.waited = waited
      self.cause = cause
      self.channel = channel
      self.since = since
    }

    /// Of several by one channel the heaviest stands for all.
    var weight: Int {
      switch cause {
      case .undelivered: 3
      case .message: 2
      default: 1
      }
    }

    /// Which goes on first, when all have lost their case: who sits there before who has written.
    static func goesFirst(_ a: Unheard, _ b: Unheard) -> Bool {
      func rank(_ news: Unheard) -> Int { news.channel == .chat ? 4 : news.weight }
      return rank(a) > rank(b)
    }

    /// Newer news of the same channel.
    mutating func add(_ newer: Unheard) {
      let older = self
      self = newer
      if older.weight > weight { cause = older.cause }
      guard !older.isTaken else {
        seen = [older.since, older.seen].compactMap { $0 }.min()
        return
      }
      since = [older.since, since].compactMap { $0 }.min()
      seen = older.seen
      waited = waited ?? older.waited
    }

    /// The agent who had seen it has it no more.
    mutating func putBack() {
      isTaken = false
      since = [since, seen].compactMap { $0 }.min()
      seen = nil
    }

    func encode(into w: inout ByteWriter) {
      w.uint8(cause.rawValue)
      w.uint8(channel.rawValue)
      w.optional(since) { $0.signed($1.milliseconds) }
      w.bool(isTaken)
      w.optional(at) { $0.signed($1.milliseconds) }
      w.optional(waited?.case) { $0.id($1) }
      w.array(waited?.need.encoded ?? []) { $0.uint8($1) }
      w.optional(by) { $0.id($1) }
      w.optional(seen) { $0.signed($1.milliseconds) }
    }

    init(from r: inout ByteReader, _ version: UInt8) throws(WireError) {
      let at = r.offset
      guard let cause = RouteReason.Cause(rawValue: try r.uint8()),
        let channel = Channel(rawValue: try r.uint8())
      else { throw WireError.badValue(offset: at) }
      self.init(cause, on: channel, by: nil)
      guard version >= 5 else { return }
      since = try r.optional { r throws(WireError) in Instant(milliseconds: try r.signed()) }
      isTaken = try r.bool()
      guard version >= 7 else { return }
      self.at = try r.optional { r throws(WireError) in Instant(milliseconds: try r.signed()) }
      let id: CaseID? = try r.optional { r throws(WireError) in try r.id() }
      let bytes = try r.array { r throws(WireError) in try r.uint8() }
      if let id, !bytes.isEmpty { waited = Waited(id, try Need(decoding: bytes)) }
      guard version >= 8 else { return }
      by = try r.optional { r throws(WireError) in try r.id() }
      seen = try r.optional { r throws(WireError) in Instant(milliseconds: try r.signed()) }
    }
  }

  /// More would be a text and no filing.
  public static let tagsMax = 20

  public var encoded: [UInt8] {
    var w = ByteWriter()
    w.uint8(8)
    w.optional(mail) { $1.encode(into: &$0) }
    w.optional(call) {
      $0.string($1.from)
      $0.string($1.to)
    }
    w.optional(subjectKey) { $0.string($1) }
    w.bool(isSettled)
    w.optional(earlier) { $0.id($1) }
    w.optional(joinedTo) { $0.id($1) }
    w.array(joins) { $0.id($1) }
    w.optional(prompt) { $0.string($1) }
    w.array(tags) { $0.string($1) }
    w.array(unheard) { $1.encode(into: &$0) }
    w.bool(isErased)
    w.optional(mailBy) { $0.id($1) }
    w.optional(callBy) { $0.id($1) }
    w.array(partings) {
      $0.id($1.customer)
      $0.id($1.conversation)
    }
    w.optional(takenFrom) { $0.id($1) }
    w.optional(returnPath) { $0.string($1) }
    w.bool(wasParted)
    return w.bytes
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      let version = try r.uint8()
      var about = ConversationAbout()
      about.mail = try r.optional { r throws(WireError) in try MailLine(from: &r) }
      about.call = try r.optional { r throws(WireError) in
        CallLine(from: try r.string(), to: try r.string())
      }
      guard version >= 2 else { return about }
      about.subjectKey = try r.optional { r throws(WireError) in try r.string() }
      about.isSettled = try r.bool()
      about.earlier = try r.optional { r throws(WireError) in try r.id() }
      about.joinedTo = try r.optional { r throws(WireError) in try r.id() }
      about.joins = try r.array(each: 16) { r throws(WireError) in try r.id() }
      guard version >= 3 else { return about }
      about.prompt = try r.optional { r throws(WireError) in try r.string() }
      about.tags = try r.array { r throws(WireError) in try r.string() }
      guard version >= 4 else { return about }
      // One or none of an older program, written as a list of that length is.
      about.unheard = try r.array { r throws(WireError) in try Unheard(from: &r, version) }
      about.isErased = try r.bool()
      guard version >= 6 else { return about }
      about.mailBy = try r.optional { r throws(WireError) in try r.id() }
      about.callBy = try r.optional { r throws(WireError) in try r.id() }
      about.partings = try r.array(each: 32) { r throws(WireError) in
        Parting(try r.id(), to: try r.id())
      }
      about.takenFrom = try r.optional { r throws(WireError) in try r.id() }
      if version >= 8 {
        about.returnPath = try r.optional { r throws(WireError) in try r.string() }
      } else if let by: CustomerID = try r.optional({ r throws(WireError) in try r.id() }),
        !about.unheard.isEmpty
      {
        about.unheard[0].by = by
      }
      about.wasParted = try r.bool()
      return about
    }
  }
}

public struct CallLine: Hashable, Sendable {
  public var from: String
  public var to: String
  public init(from: String, to: String) {
    self.from = from
    self.to = to
  }
}

/// Where a mail conversation stands: what an answer needs so that the customer's program threads
/// it.
public struct MailLine: Hashable, Sendable {
  public var ours: String
  public var theirs: String
  public var theirName: String
  public var subject: String
  public var lastMessageID: String?
  public var references: [String]

  /// More would make header lines that some programs cut.
  public static let referencesMax = 20

  public init(
    ours: String, theirs: String, theirName: String, subject: String, lastMessageID: String?,
    references: [String]
  ) {
    self.ours = ours
    self.theirs = theirs
    self.theirName = theirName
    self.subject = subject
    self.lastMessageID = lastMessageID
    // RFC 5322 §3.6.4: the first names the thread, the last the parent; what lies between may go.
    self.references =
      references.count <= Self.referencesMax
      ? references : [references[0]] + references.suffix(Self.referencesMax - 1)
  }

  /// The Message-ID of the newest answer that the thread goes on from; nil before the first.
  var lastAnswer: String? {
    ([lastMessageID].compactMap { $0 } + references.reversed()).first(where: OutgoingMail.isOurs)
  }

  func encode(into w: inout ByteWriter) {
    w.string(ours)
    w.string(theirs)
    w.string(theirName)
    w.string(subject)
    w.optional(lastMessageID) { $0.string($1) }
    w.array(references) { $0.string($1) }
  }

  init(from r: inout ByteReader) throws(WireError) {
    self.init(
      ours: try r.string(), theirs: try r.string(), theirName: try r.string(),
      subject: try r.string(),
      lastMessageID: try r.optional { r throws(WireError) in try r.string() },
      references: try r.array { r throws(WireError) in try r.string() })
  }
}

/// Mail that waits in the outbox.
public struct OutgoingMail: Hashable, Sendable {
  public var id: MailID
  public var conversation: ConversationID
  public var thread: MailLine
  public var text: String
  /// Empty where no agent wrote it.
  public var agentName: String
  public var blobs: [BlobID]
  public var at: Instant
  /// A rule's own words (RFC 3834): no machine is to answer them, and no report of them is wanted.
  public var isAutomatic = false
  /// The customer record that it answers; nil in mail of an older program, for the conversation's.
  public var customer: CustomerID?
  /// Where it is sent, if not to whom it is written.
  public var returnPath: String?

  /// What the mail is known by everywhere: in its header, in the thread that its answers find, in
  /// the timeline.
  /// - Parameter ours: the address that it leaves from.
  public static func messageID(_ id: MailID, from ours: String) -> String {
    "\(id)@\(ours.split(separator: "@").last ?? "localhost")"
  }

  /// Whether a Message-ID has the form of one of ours.
  public static func isOurs(_ messageID: String) -> Bool {
    messageID.split(separator: "@").first.flatMap { MailID(String($0)) } != nil
  }

  public var encoded: [UInt8] {
    var w = ByteWriter()
    w.uint8(4)
    w.id(id)
    w.id(conversation)
    thread.encode(into: &w)
    w.string(text)
    w.string(agentName)
    w.array(blobs) { $0.id($1) }
    w.signed(at.milliseconds)
    w.bool(isAutomatic)
    w.optional(customer) { $0.id($1) }
    w.optional(returnPath) { $0.string($1) }
    return w.bytes
  }

  public init(
    id: MailID, conversation: ConversationID, thread: MailLine, text: String, agentName: String,
    blobs: [BlobID], at: Instant, customer: CustomerID? = nil
  ) {
    self.id = id
    self.conversation = conversation
    self.thread = thread
    self.text = text
    self.agentName = agentName
    self.blobs = blobs
    self.at = at
    self.customer = customer
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      let version = try r.uint8()
      var mail = OutgoingMail(
        id: try r.id(), conversation: try r.id(), thread: try MailLine(from: &r),
        text: try r.string(),
        agentName: try r.string(),
        blobs: try r.array(each: 16) { r throws(WireError) in try r.id() },
        at: Instant(milliseconds: try r.signed()))
      if version >= 2 { mail.isAutomatic = try r.bool() }
      if version >= 3 { mail.customer = try r.optional { r throws(WireError) in try r.id() } }
      if version >= 4 { mail.returnPath = try r.optional { r throws(WireError) in try r.string() } }
      return mail
    }
  }
}

/// What is told of a case besides its state: the handoff that made it and the story of its routing.
public struct CaseAbout: Hashable, Sendable {
  public var session: SessionID
  public var channel: Channel
  public var age: Instant
  public var cause: UInt8
  public var rule: UInt32?
  public var ruleVersion: UInt32
  public var priority: Int16
  public var skills: [Need.SkillRequirement]
  /// JSON members of the handoff, each with its leading comma.
  public var handoff: [UInt8]
  public var history: [Step]
  /// The offer by which its agent has it; nil where it came to them in another way, or none has it.
  public var acceptedThrough: OfferID?
  /// The customer record whose matter it is: the one that its first session arrived by; nil in
  /// cases of an older program, for the conversation's.
  public var customer: CustomerID?

  /// One thing that happened to the case, for *explain*.
  public struct Step: Hashable, Sendable {
    public enum What: UInt8, Sendable {
      case queued = 1, offered, accepted, declined, timedOut, revoked, failed, stepTaken,
        wrappingUp, closed,
        parked, resumed, overflowed, consulted, consultEnded, held, holdEnded
    }
    public var at: Instant
    public var what: What
    public var agent: AgentID?
    /// What it means depends on `what`: an end's code, a step's index.
    public var code: UInt32
    public var passedOver: [UInt32]
    public init(
      at: Instant, what: What, agent: AgentID? = nil, code: UInt32 = 0, passedOver: [UInt32] = []
    ) {
      self.at = at
      self.what = what
      self.agent = agent
      self.code = code
      self.passedOver = passedOver
    }
  }

  /// Later steps replace the middle of a very long story; the log keeps all.
  public static let historyMax = 64

  public mutating func happened(_ step: Step) {
    history.append(step)
    if history.count > Self.historyMax { history.remove(at: Self.historyMax / 2) }
  }

  public var encoded: [UInt8] {
    var w = ByteWriter(reserving: 128 + handoff.count)
    w.uint8(3)
    w.id(session)
    w.uint8(channel.rawValue)
    w.signed(age.milliseconds)
    w.uint8(cause)
    w.optional(rule) { $0.varint(UInt64($1)) }
    w.varint(UInt64(ruleVersion))
    w.signed(Int64(priority))
    w.array(skills) {
      $0.varint(UInt64($1.skill.raw))
      $0.uint8($1.level)
      $0.bool($1.required)
    }
    w.blob(handoff)
    w.array(history) {
      $0.signed($1.at.milliseconds)
      $0.uint8($1.what.rawValue)
      $0.optional($1.agent) { $0.varint(UInt64($1.raw)) }
      $0.varint(UInt64($1.code))
      $0.array($1.passedOver) { $0.varint(UInt64($1)) }
    }
    w.optional(acceptedThrough) { $0.id($1) }
    w.optional(customer) { $0.id($1) }
    return w.bytes
  }

  public init(
    session: SessionID, channel: Channel, age: Instant, by: RouteReason, need: Need,
    handoff: [UInt8]
  ) {
    self.session = session
    self.channel = channel
    self.age = age
    cause = by.cause.rawValue
    rule = by.rule
    ruleVersion = by.ruleVersion
    priority = need.priority
    skills = need.skills
    self.handoff = handoff
    history = []
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      let format = try r.uint8()
      let session: SessionID = try r.id()
      let at = r.offset
      guard let channel = Channel(rawValue: try r.uint8()) else {
        throw WireError.badValue(offset: at)
      }
      let age = Instant(milliseconds: try r.signed())
      let cause = try r.uint8()
      let rule = try r.optional { r throws(WireError) in try r.uint32() }
      let version = try r.uint32()
      let priority = Int16(truncatingIfNeeded: try r.signed())
      var about = CaseAbout(
        session: session, channel: channel, age: age,
        by: RouteReason(cause: .handoff, ruleVersion: version, rule: rule),
        need: Need(queue: QueueID(0)),
        handoff: [])
      about.cause = cause
      about.priority = priority
      about.skills = try r.array(each: 3) { r throws(WireError) in
        Need.SkillRequirement(
          skill: SkillID(try r.uint32()), level: try r.uint8(), required: try r.bool())
      }
      about.handoff = try r.blob()
      about.history = try r.array(each: 4) { r throws(WireError) in
        let at = Instant(milliseconds: try r.signed())
        let offset = r.offset
        guard let what = Step.What(rawValue: try r.uint8()) else {
          throw WireError.badValue(offset: offset)
        }
        return Step(
          at: at, what: what,
          agent: try r.optional { r throws(WireError) in AgentID(try r.uint32()) },
          code: try r.uint32(), passedOver: try r.array { r throws(WireError) in try r.uint32() })
      }
      if format >= 2 {
        about.acceptedThrough = try r.optional { r throws(WireError) in try r.id() }
      }
      if format >= 3 { about.customer = try r.optional { r throws(WireError) in try r.id() } }
      return about
    }
  }
}
