import Model
import Routing
import Wire

/// What an edge is told, once what it rests on is durable. Encoded as it is under an idempotency
/// key, so that a repeat gets the first outcome.
public enum Answer: Hashable, Sendable {
  case done
  /// The position up to which a reader may look.
  case position(Int64)
  /// - Parameter by: the record that the session arrived by; nil in an answer of an older program.
  case sessionOpened(
    SessionID, ConversationID, CustomerID, by: CustomerID?, OwnerView, epoch: UInt32, known: Known,
    isContinued: Bool, entry: EntryID)
  case recorded(EntryID, ConversationID, OwnerView, epoch: UInt32)
  /// - Parameter wait: until its turn comes; nil where an agent has it, and in an answer of an older
  ///   program.
  case handedOff(
    CaseID, ConversationID, OwnerView, epoch: UInt32, entry: EntryID, wait: WaitEstimate?)
  /// A rule answered instead of routing: text for the customer, or a reason.
  case ruleAnswered(RuleAction, rule: UInt32, ruleVersion: UInt32)
  case mailTaken(ConversationID, EntryID, duplicate: Bool)
  case callTaken(SessionID, ConversationID, CustomerID, CaseID?, resumed: Bool)
  case standing(CallStanding)
  case journeyRecorded(CustomerID, EntryID)
  case offer(OfferAnswer)
  case noOffer
  case accepted(CaseID, ConversationID, OwnerView, epoch: UInt32)
  case blobKept(BlobID)
  /// Who the customer is now.
  case customerIs(CustomerID)
  /// What the conversation is filed under now, and the entry that tells of the change; nil where
  /// there was none.
  case tagged(ConversationID, [String], entry: EntryID?)
  /// Words were taken out of an entry, as another one tells.
  case redacted(EntryID, by: EntryID)
  case refused(CustomerRefusal)
  /// This version of the rules applies, and whether it is one that was made for this request.
  case rulesPublished(version: UInt32, isNew: Bool)

  case rejected(Rejection, owner: OwnerView?, epoch: UInt32?)
  /// The same idempotency key came with another body.
  case keyReused
  /// Storage is not to be had now; nothing was recorded.
  case unavailable
  /// Something that this needs is kept and cannot be read: it does not match its checksum.
  case damaged
}

/// What whoever opened a session may be shown of what was said before.
public enum Known: UInt8, Hashable, Sendable {
  /// Nobody has proven who this is: history stays inside.
  case nothing = 0
  /// The customer is proven.
  case timeline
  /// The same browser is back: what was said there.
  case conversation
}

/// Why a decision about a customer was refused. Codes are stored: append only.
public enum CustomerRefusal: UInt8, Hashable, Sendable {
  case unknownCustomer = 1
  /// They are one person already.
  case alreadyOne
  /// They are not joined, or only by way of others.
  case notLinked
  case unknownIdentity
  /// It is several people's: it has to be said whose.
  case isShared
  /// There is no room for more attributes.
  case tooMany
  case unknownConversation
  /// Two conversations of two customers are never one matter.
  case notSameCustomer
  /// Somebody still sits in the chat or the call that should be joined to another.
  case isLive
  case alreadyJoined
  case notJoined
  /// The conversation has no such tag to take away.
  case notTagged
  case tooManyTags
  case unknownEntry
  /// Erased, or past their time.
  case wordsGone
  case wordsNotThere
  /// An agent has said that the identity is theirs, and whose it is and they are one person by that.
  case isConfirmed
}

public enum RuleAction: Hashable, Sendable {
  case answer(String)
  case handBack(String)
  case reject(String)
}

/// Who owns a conversation, with the name that people know.
public struct OwnerView: Hashable, Sendable {
  public enum Kind: UInt8, Hashable, Sendable { case bot = 1, queue, agent, closed, unrouted }
  public var kind: Kind
  public var name: String
  public init(kind: Kind, name: String) {
    self.kind = kind
    self.name = name
  }
  public var kindName: String {
    switch kind {
    case .bot: "bot"
    case .queue: "queue"
    case .agent: "agent"
    case .closed: "closed"
    case .unrouted: "unrouted"
    }
  }
}

public struct OfferAnswer: Hashable, Sendable {
  public var offer: OfferID
  public var `case`: CaseID
  public var agent: AgentID
  public var conversation: ConversationID
  public var customer: CustomerID
  public var until: Instant
  public init(
    offer: OfferID, case: CaseID, agent: AgentID, conversation: ConversationID,
    customer: CustomerID, until: Instant
  ) {
    self.offer = offer
    self.case = `case`
    self.agent = agent
    self.conversation = conversation
    self.customer = customer
    self.until = until
  }
}

extension Answer {
  /// Encodes what an idempotent repeat may need.
  public func encode() -> [UInt8] {
    var w = ByteWriter()
    func owner(_ view: OwnerView, _ epoch: UInt32) {
      w.uint8(view.kind.rawValue)
      w.string(view.name)
      w.varint(UInt64(epoch))
    }
    switch self {
    case .done: w.uint8(1)
    case .sessionOpened(
      let session, let conversation, let customer, let record, let view, let epoch, let known,
      let isContinued, let entry):
      w.uint8(21)
      w.id(session)
      w.id(conversation)
      w.id(customer)
      w.optional(record) { $0.id($1) }
      owner(view, epoch)
      w.uint8(known.rawValue)
      w.bool(isContinued)
      w.signed(entry.raw)
    case .recorded(let entry, let conversation, let view, let epoch):
      w.uint8(3)
      w.signed(entry.raw)
      w.id(conversation)
      owner(view, epoch)
    case .handedOff(let aCase, let conversation, let view, let epoch, let entry, let wait):
      w.uint8(22)
      w.id(aCase)
      w.id(conversation)
      owner(view, epoch)
      w.signed(entry.raw)
      w.optional(wait) { $1.write(&$0) }
    case .ruleAnswered(let action, let rule, let version):
      w.uint8(5)
      switch action {
      case .answer(let text):
        w.uint8(1)
        w.string(text)
      case .handBack(let text):
        w.uint8(2)
        w.string(text)
      case .reject(let text):
        w.uint8(3)
        w.string(text)
      }
      w.varint(UInt64(rule))
      w.varint(UInt64(version))
    case .mailTaken(let conversation, let entry, let duplicate):
      w.uint8(6)
      w.id(conversation)
      w.signed(entry.raw)
      w.bool(duplicate)
    case .callTaken(let session, let conversation, let customer, let aCase, let resumed):
      w.uint8(7)
      w.id(session)
      w.id(conversation)
      w.id(customer)
      w.optional(aCase) { $0.id($1) }
      w.bool(resumed)
    case .journeyRecorded(let customer, let entry):
      w.uint8(8)
      w.id(customer)
      w.signed(entry.raw)
    case .accepted(let aCase, let conversation, let view, let epoch):
      w.uint8(9)
      w.id(aCase)
      w.id(conversation)
      owner(view, epoch)
    case .rejected(let rejection, let view, let epoch):
      w.uint8(10)
      w.uint8(rejection.rawValue)
      w.optional(view) {
        $0.uint8($1.kind.rawValue)
        $0.string($1.name)
      }
      w.optional(epoch) { $0.varint(UInt64($1)) }
    case .blobKept(let blob):
      w.uint8(11)
      w.id(blob)
    case .customerIs(let customer):
      w.uint8(13)
      w.id(customer)
    case .refused(let refusal):
      w.uint8(14)
      w.uint8(refusal.rawValue)
    case .offer(let offer):
      w.uint8(15)
      w.id(offer.offer)
      w.id(offer.case)
      w.varint(UInt64(offer.agent.raw))
      w.id(offer.conversation)
      w.id(offer.customer)
      w.signed(offer.until.milliseconds)
    case .noOffer: w.uint8(16)
    case .rulesPublished(let version, let isNew):
      w.uint8(17)
      w.varint(UInt64(version))
      w.bool(isNew)
    case .tagged(let conversation, let tags, let entry):
      w.uint8(18)
      w.id(conversation)
      w.array(tags) { $0.string($1) }
      w.optional(entry) { $0.signed($1.raw) }
    case .redacted(let entry, let teller):
      w.uint8(19)
      w.signed(entry.raw)
      w.signed(teller.raw)
    case .standing(.over): w.uint8(20)
    case .position, .standing, .keyReused, .unavailable, .damaged: w.uint8(0)
    }
    return w.bytes
  }

  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { r throws(WireError) in
      func owner(_ r: inout ByteReader) throws(WireError) -> OwnerView {
        let at = r.offset
        guard let kind = OwnerView.Kind(rawValue: try r.uint8()) else {
          throw WireError.badValue(offset: at)
        }
        return OwnerView(kind: kind, name: try r.string())
      }
      let code = try r.uint8()
      switch code {
      case 1: return .done
      case 2:
        return .sessionOpened(
          try r.id(), try r.id(), try r.id(), by: nil, try owner(&r), epoch: try r.uint32(),
          known: try r.bool() ? .timeline : .nothing, isContinued: false,
          entry: EntryID(try r.signed()))
      case 12, 21:
        return .sessionOpened(
          try r.id(), try r.id(), try r.id(),
          by: code == 12 ? nil : try r.optional { r throws(WireError) in try r.id() },
          try owner(&r), epoch: try r.uint32(),
          known: Known(rawValue: try r.uint8()) ?? .nothing, isContinued: try r.bool(),
          entry: EntryID(try r.signed()))
      case 3:
        return .recorded(EntryID(try r.signed()), try r.id(), try owner(&r), epoch: try r.uint32())
      case 4, 22:
        return .handedOff(
          try r.id(), try r.id(), try owner(&r), epoch: try r.uint32(),
          entry: EntryID(try r.signed()),
          wait: code == 4 ? nil : try r.optional { r throws(WireError) in try WaitEstimate(&r) })
      case 5:
        let kind = try r.uint8()
        let text = try r.string()
        let action: RuleAction =
          kind == 1 ? .answer(text) : kind == 2 ? .handBack(text) : .reject(text)
        return .ruleAnswered(action, rule: try r.uint32(), ruleVersion: try r.uint32())
      case 6: return .mailTaken(try r.id(), EntryID(try r.signed()), duplicate: try r.bool())
      case 7:
        return .callTaken(
          try r.id(), try r.id(), try r.id(), try r.optional { r throws(WireError) in try r.id() },
          resumed: try r.bool())
      case 8: return .journeyRecorded(try r.id(), EntryID(try r.signed()))
      case 9: return .accepted(try r.id(), try r.id(), try owner(&r), epoch: try r.uint32())
      case 10:
        let at = r.offset
        guard let rejection = Rejection(rawValue: try r.uint8()) else {
          throw WireError.badValue(offset: at)
        }
        return .rejected(
          rejection, owner: try r.optional { r throws(WireError) in try owner(&r) },
          epoch: try r.optional { r throws(WireError) in try r.uint32() })
      case 11: return .blobKept(try r.id())
      case 13: return .customerIs(try r.id())
      case 14:
        let at = r.offset
        guard let refusal = CustomerRefusal(rawValue: try r.uint8()) else {
          throw WireError.badValue(offset: at)
        }
        return .refused(refusal)
      case 15:
        return .offer(
          OfferAnswer(
            offer: try r.id(), case: try r.id(), agent: AgentID(try r.uint32()),
            conversation: try r.id(),
            customer: try r.id(), until: Instant(milliseconds: try r.signed())))
      case 16: return .noOffer
      case 17: return .rulesPublished(version: try r.uint32(), isNew: try r.bool())
      case 18:
        return .tagged(
          try r.id(), try r.array { r throws(WireError) in try r.string() },
          entry: try r.optional { r throws(WireError) in EntryID(try r.signed()) })
      case 19: return .redacted(EntryID(try r.signed()), by: EntryID(try r.signed()))
      case 20: return .standing(.over)
      default: throw WireError.badValue(offset: 0)
      }
    }
  }
}
