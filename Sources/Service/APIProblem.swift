import Continuity
import Model
import Pipeline
import Records
import Routing
import WebCodec
import Wire

/// An error over HTTP: an RFC 9457 problem document with a stable `type`, a sentence that a person
/// can act on, and the field at fault.
public struct APIProblem: Error, Hashable, Sendable {
  public var status: Int
  /// Last part of the type, behind `urn:throughline:problem:`; kept for ever.
  public var type: String
  public var title: String
  public var detail: String
  public var field: String?
  /// With 405: the methods that the page takes.
  public var allowed: [String] = []
  public var owner: OwnerView?
  public var epoch: UInt32?

  public init(
    _ status: Int, _ type: String, _ title: String, _ detail: String, field: String? = nil
  ) {
    self.status = status
    self.type = type
    self.title = title
    self.detail = detail
    self.field = field
  }

  public var json: [UInt8] {
    var out: [UInt8] = []
    out.append(contentsOf: "{\"type\":\"\(Problem.typePrefix)\(type)\",\"title\":".utf8)
    JSONText.append(title, to: &out)
    out.append(contentsOf: ",\"status\":\(status),\"detail\":".utf8)
    JSONText.append(detail, to: &out)
    if let field {
      out.append(contentsOf: ",\"field\":".utf8)
      JSONText.append(field, to: &out)
    }
    if let owner {
      out.append(contentsOf: ",\"owner\":".utf8)
      owner.append(to: &out)
    }
    if let epoch { out.append(contentsOf: ",\"epoch\":\(epoch)".utf8) }
    out.append(UInt8(ascii: "}"))
    return out
  }

  /// Of a reader who goes on from a number that no entry has had yet: an older folder was restored since
  /// they were given it. They would wait in silence, and then miss what is given that number.
  public static func ahead(
    _ after: EntryID, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) -> APIProblem? {
    let last = try reads.head(workspace).entry
    guard after > last else { return nil }
    return APIProblem(
      409, "position-ahead", "Nothing was said up to there",
      "after is \(after), and the last entry is \(last): a backup was restored since you were given that number. "
        + "Go on from what you know to be in it, or from 0",
      field: "after")
  }

  public static func notFound(_ what: String) -> APIProblem {
    APIProblem(404, "not-found", "Not found", "there is no \(what) here by that id")
  }

  public static let noPage = APIProblem(
    404, "not-found", "No such page",
    "there is no such page; docs/api.md has every call, and its method")

  /// Nil where all are known.
  public static func unknownParameter(_ names: [String], known: [String]) -> APIProblem? {
    guard let name = names.first(where: { !known.contains($0) }) else { return nil }
    return APIProblem(
      422, "unknown-parameter", "Unknown parameter", Fields.unknown(name, among: known), field: name
    )
  }

  public static let unauthorized = APIProblem(
    401, "unauthorized", "No valid token",
    "send a token of this workspace as \"Authorization: Bearer …\"; `throughline token create` makes one"
  )

  public static func forbidden(_ detail: String) -> APIProblem {
    APIProblem(403, "forbidden", "Not allowed", detail)
  }

  public static let unavailable = APIProblem(
    503, "storage-unavailable", "Cannot store just now",
    "nothing was recorded; try again with the same Idempotency-Key")
}

extension APIProblem {
  /// Asking again does not help before somebody has looked after the folder.
  public static let damaged = APIProblem(
    503, "stored-data-damaged", "Stored data is damaged",
    "something that this needs is kept and does not match its checksum, or is missing; whoever runs this server finds in its "
      + "log and by `throughline doctor` what it is, and restores the last good backup, or makes a damaged index "
      + "anew by `throughline doctor --reindex`")

  /// - Parameter why: what is damaged, for those who may know.
  public static func workspaceDamaged(_ why: String?) -> APIProblem {
    APIProblem(
      503, "workspace-damaged", "This workspace cannot be served",
      why
        ?? "what is stored of this workspace is damaged, so that nobody is served in it; whoever runs this server "
        + "finds in its log what it is, and restores the last good backup")
  }

  /// What a reader could not do.
  public init(_ fault: StoreFault) {
    switch fault {
    case .corrupt: self = .damaged
    case .failed, .outOfOrder: self = .unavailable
    }
  }
}

/// Names for a sentence, such as `there are \(…)`.
public enum Listing {
  public static func of(_ names: some Collection<String>) -> String {
    names.isEmpty ? "none" : names.sorted().joined(separator: ", ")
  }
}

extension OwnerView {
  func append(to out: inout [UInt8]) {
    out.append(contentsOf: "{\"kind\":\"\(kindName)\"".utf8)
    if kind != .closed, kind != .unrouted {
      out.append(contentsOf: ",\"name\":".utf8)
      JSONText.append(name, to: &out)
    }
    out.append(UInt8(ascii: "}"))
  }
}

extension APIProblem {
  public init(_ refusal: CustomerRefusal) {
    switch refusal {
    case .unknownCustomer: self = .notFound("customer")
    case .unknownIdentity:
      self.init(
        404, "unknown-identity", "No such identity",
        "this customer has no such identity to decide about")
    case .alreadyOne:
      self.init(409, "already-one", "One customer already", "these two are one customer already")
    case .notLinked:
      self.init(
        409, "not-linked", "Not joined directly",
        "these two records were not joined with each other; GET /v1/customers/{id} lists what was")
    case .isShared:
      self.init(
        409, "shared-identity", "A shared identity",
        "several people use it: say in `customer` who this is",
        field: "customer")
    case .isConfirmed:
      self.init(
        409, "confirmed", "Confirmed already",
        "this identity was confirmed as theirs; take the record that it joined out first (POST …/split), or mark it "
          + "as shared")
    case .unknownConversation: self = .notFound("conversation")
    case .notSameCustomer:
      self.init(
        409, "not-same-customer", "Two customers",
        "these conversations are of two customers; merge the customers first")
    case .isLive:
      self.init(
        409, "conversation-live", "Still talking",
        "somebody still sits in that chat or call; join it once they have left")
    case .alreadyJoined:
      self.init(
        409, "already-joined", "Joined already", "one of the two goes on in another one already")
    case .notJoined:
      self.init(409, "not-joined", "Not joined", "that conversation does not go on in this one")
    case .notTagged:
      self.init(404, "not-tagged", "No such tag", "this conversation has no such tag")
    case .tooManyTags:
      self.init(
        422, "too-many-tags", "Too many tags",
        "a conversation may have \(ConversationAbout.tagsMax)", field: "tags")
    case .unknownEntry: self = .notFound("entry")
    case .wordsGone:
      self.init(
        409, "words-gone", "The words are gone", "that entry was erased, or is past its time")
    case .wordsNotThere:
      self.init(
        422, "words-not-there", "Not in it",
        "that entry does not say these words, or no longer: they are looked for exactly as given, and \(Redaction.mark) is no word of it",
        field: "words")
    case .tooMany:
      self.init(
        422, "too-many-attributes", "Too many attributes",
        "a customer may have \(CustomerProfile.attributesMax)")
    }
  }

  /// The polite words for what the machine refused.
  public init(_ rejection: Rejection, owner: OwnerView?, epoch: UInt32?) {
    let (status, type, title, detail) = Self.words(rejection, owner)
    self.init(status, type, title, detail)
    self.owner = owner
    self.epoch = epoch
  }

  private static func words(_ rejection: Rejection, _ owner: OwnerView?) -> (
    Int, String, String, String
  ) {
    switch rejection {
    case .notConfigured:
      (503, "not-configured", "No rules yet", "this workspace has no rules that apply")
    case .idInUse:
      (
        409, "id-in-use", "Already there",
        "something else came under that id before; this was not recorded: give it an id of its own"
      )
    case .unknownConversation: (404, "not-found", "Not found", "there is no such conversation here")
    case .unknownSession: (404, "not-found", "Not found", "there is no such session here")
    case .unknownCase: (404, "not-found", "Not found", "there is no such case here")
    case .unknownOffer: (404, "not-found", "Not found", "there is no such offer here")
    case .unknownAgent: (404, "not-found", "Not found", "the rules know no such agent")
    case .unknownQueue: (404, "not-found", "Not found", "the rules know no such queue")
    case .conversationClosed:
      (
        409, "conversation-closed", "Conversation closed",
        "the conversation is closed; the customer's next words open it again"
      )
    case .sessionEnded:
      (409, "session-ended", "Session ended", "the session has ended; open a new one")
    case .notOwner:
      (409, "not-owner", "Another owns the conversation", ownerSentence(owner))
    case .caseAlreadyOpen:
      (409, "case-open", "Already handed off", "the conversation already has an open case")
    case .caseClosed: (409, "case-closed", "Case closed", "the case is closed")
    case .caseNotYours: (403, "case-not-yours", "Not your case", "the case is another agent's")
    case .caseNotAssigned:
      (
        409, "case-not-assigned", "Not assigned",
        "no agent has the case yet: accept its offer first, or pick up where it is a call"
      )
    case .offerEnded:
      (409, "offer-ended", "Offer ended", "the offer is over; ask for the next case")
    case .offerNotYours:
      (403, "offer-not-yours", "Not your offer", "the offer was made to another agent")
    case .agentAlreadyWaiting:
      (
        409, "already-waiting", "Already asking",
        "this agent already waits for a case; one `next` at a time"
      )
    case .agentNotAvailable:
      (409, "not-available", "Not available", "set your status to available first")
    case .agentAtCapacity:
      (
        409, "at-capacity", "At capacity",
        "the agent has no room for this case beside what they have and are offered"
      )
    case .agentNotResponding:
      (
        409, "not-available", "An offer was missed",
        "you missed an offer, so nothing is offered to you until you set your status to available once more"
      )
    case .agentOnCall:
      (
        409, "at-capacity", "On a call",
        "the agent is on a call or wraps one up, and gets nothing beside it"
      )
    case .needTooLarge:
      (
        422, "need-too-large", "Too much asked",
        "the case asks for more skills or steps than can be held"
      )
    case .unknownBlob:
      (
        422, "unknown-attachment", "Unknown attachment",
        "an attachment is no blob of yours; keep it with POST /v1/blobs first"
      )
    case .unreachable:
      (
        409, "unreachable", "Nobody would read it",
        "the customer sits in no chat, and no mail address is known to be theirs; write a note instead"
      )
    case .notForBots:
      (
        409, "not-for-a-bot", "Not for a bot",
        "a mail, a message or a call is there, which no bot can answer: answer it, pass it on, or close the case"
      )
    case .unknownStatus:
      (
        422, "unknown-status", "No such status",
        "the rules have no such status, or no longer; GET /v1/agents/me lists those there are"
      )
    case .queueClosed:
      (503, "queue-closed", "Queue closed", "the queue is closed now; try again when it opens")
    case .queueFull: (503, "queue-full", "Queue full", "the queue takes no more cases now")
    case .queueUnserved: (422, "queue-unserved", "Nobody serves it", "no agent serves that queue")
    case .tooManySessions:
      (429, "too-many-sessions", "Too many sessions", "the conversation has too many sessions")
    case .timeIsPast: (422, "time-is-past", "Already past", "the time given is past")
    case .notAllowed:
      (409, "not-allowed", "Not possible here", "that cannot be done with this case")
    case .caseParked:
      (409, "case-not-assigned", "Parked", "the case is parked: resume it first")
    case .caseWrappingUp:
      (
        409, "case-not-assigned", "In wrap-up",
        "the talking is over and the case is being wrapped up: it can be closed or passed on"
      )
    case .caseNotParked: (409, "case-not-assigned", "Not parked", "the case is not parked")
    case .caseNotWrappingUp:
      (
        409, "case-not-assigned", "Not in wrap-up",
        "the case is not in wrap-up, so there is no time to extend"
      )
    case .caseNotOnHold:
      (409, "case-not-assigned", "Not on hold", "the case is not on hold")
    case .caseWaits:
      (409, "case-not-assigned", "Waiting already", "the case waits in its queue already")
    case .caseAlreadyTheirs:
      (409, "case-open", "They have it", "that agent has the case already")
    case .notLonger:
      (422, "time-is-past", "No longer", "the time left is longer than that: ask for more")
    case .alreadyConsulting:
      (
        409, "not-allowed", "Somebody is asked already",
        "another agent's advice is asked on this case already: end that first"
      )
    case .nobodyConsulted:
      (409, "not-allowed", "Nobody is asked", "nobody's advice is asked on this case")
    case .agentExcluded:
      (
        409, "agent-excluded", "Not for that agent",
        "the rules keep this case from that agent: choose another"
      )
    case .caseIsCall:
      (
        409, "not-allowed", "Not with a call",
        "this is a call: whoever picks it up has it, and who has it passes it on or ends it"
      )
    case .consultsThemselves:
      (409, "not-allowed", "Their own case", "the case is yours: ask another agent for advice")
    }
  }

  private static func ownerSentence(_ owner: OwnerView?) -> String {
    switch owner?.kind {
    case .agent: "agent \(owner?.name ?? "") owns the conversation now"
    case .queue: "the conversation waits in queue \(owner?.name ?? "") for a person"
    case .bot: "bot \(owner?.name ?? "") owns the conversation"
    case .unrouted: "the conversation is being routed"
    case .closed, nil: "the conversation is closed"
    }
  }
}
