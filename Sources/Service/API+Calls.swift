import Channels
import Continuity
import Model
import Pipeline
import Records
import Routing
import System
import WebCodec
import Wire

/// The HTTP hook for every phone system that is no Asterisk: it tells of a call and what happens to
/// it, and is told what to do next.
extension API {
  func newCall(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    try need(caller, .telephony)
    var fields = try Fields(request)
    let id = try fields.required("call")
    var facts = HandoffFacts()
    facts.reason = try fields.optionalWords("reason", bytesMax: 4_096) ?? ""
    var members = Members()
    let known = try fields.wordsObject("known")
    if let known {
      for (name, value) in known.prefix(100) {
        facts.fields.append(.init(name: name, value: value.encoded))
      }
      members.raw(
        "known", JSONValue.object(JSONObject(known.map { .init($0.name, $0.value) })).encoded)
    }
    let from = try fields.optionalText("from")
    let to = try fields.optionalText("to")
    if let to { try isOurs(to, fields) }
    let name = try fields.optionalWords("caller_name")
    let reason = facts.reason.isEmpty ? nil : facts.reason
    let told =
      [from, to, name, reason].map { $0.map { Array($0.utf8) } } + [known.map(Self.sorted)]
    let wait = Int(try fields.optionalInteger("wait_seconds", 0...60) ?? 0)
    try fields.end()
    let channel = PhoneChannel(
      workspace: directory.workspace, defaultRegion: directory.defaultRegion,
      identityKey: identityKey, dialledNumbers: directory.dialledNumbers)
    var call = channel.arrival(
      .init(
        system: system(caller), id: id, from: from, to: to, name: name, facts: facts,
        members: members.bytes))
    call.isOverOnceEnded = true
    call.told = told.map { $0.map { identityKey.sign($0, truncatedTo: 8) } ?? [] }
    return .call(
      .call(call), call: call.callKey, request.idempotency, waitSeconds: wait,
      [
        .idInUse: (
          "Told otherwise before",
          "this call came before with another from, to, caller_name, reason or known, and that stands: send all "
            + "that is known with the first POST of a call, and give another call an id of its own"
        )
      ])
  }

  /// The same bytes for the same members, in whatever order a repeat has them.
  private static func sorted(_ known: [(name: String, value: JSONValue)]) -> [UInt8] {
    JSONValue.object(
      JSONObject(known.sorted { $0.name < $1.name }.map { .init($0.name, $0.value) })
    ).encoded
  }

  /// A call to somebody else's number is a phone system set up wrongly: no rule knows it.
  private func isOurs(_ dialled: String, _ fields: Fields) throws(APIProblem) {
    let ours = directory.dialledNumbers
    if ours.isEmpty || ours.contains(dialled) { return }
    if let number = e164(dialled, directory.defaultRegion), ours.contains(number) { return }
    throw fields.problem(
      "to",
      "\"\(dialled.prefix(60))\" is none of this workspace's numbers; dialled_numbers in workspace.yaml has "
        + Listing.of(ours), type: "unknown-number")
  }

  private func system(_ caller: Caller) -> String { "http:\(caller.holder)" }

  /// Whose call it is that is told of. An Asterisk tells all of its own over FastAGI, except for a
  /// recording: for that it has a token in its name.
  private func system(_ caller: Caller, toldOf event: String) -> String {
    event == "voicemail" && directory.asterisks.contains(caller.holder)
      ? PhoneChannel.asterisk(caller.holder, of: directory.workspaceName) : system(caller)
  }

  /// What the phone system says of a call: `ringing`, `answered`, `missed`, `busy`, `digits`,
  /// `speech`, `hung_up`, or nothing new (`waiting`): it only asks what to do next.
  func callEvent(_ request: APIRequest, _ caller: Caller, _ id: String) throws(APIProblem)
    -> APIAction
  {
    try need(caller, .telephony)
    var fields = try Fields(request)
    let event = try fields.required("event")
    let offer: OfferID? = try fields.optionalID("offer")
    let text = try fields.optionalWords("text", bytesMax: Fields.Bound.textBytes)
    let digits = try fields.optionalText("digits")
    let confidence = try fields.optionalShare("confidence")
    let recording: BlobID? = try fields.optionalID("blob")
    let seconds = try fields.optionalInteger("seconds", 0...86_400)
    let eventID = try fields.optionalName("id")
    let wait = Int(try fields.optionalInteger("wait_seconds", 0...60) ?? 0)
    try fields.end()
    let key = PhoneChannel.key(system: system(caller, toldOf: event), id: id)
    func needOffer() throws(APIProblem) -> OfferID {
      guard let offer else {
        throw fields.problem("offer", "\(event) needs the offer that rang", type: "missing-field")
      }
      return offer
    }
    func said(_ kind: EntryKind, _ members: Members) -> EntryDraft {
      var draft = EntryDraft(
        kind: kind, author: .customer, visibility: .customer, channel: .phone,
        members: members.bytes)
      draft.arrival = eventID.map { arrival(key + Array($0.utf8), draft) }
      return draft
    }
    let told: CallNews
    switch event {
    case "waiting", "ringing": told = .nothing
    case "answered": told = .answered(try needOffer())
    case "missed": told = .missed(try needOffer())
    case "busy": told = .failed(try needOffer(), .deviceBusy)
    case "unavailable": told = .failed(try needOffer(), .deviceUnavailable)
    case "hung_up": told = .hungUp
    case "digits":
      guard let digits else {
        throw fields.problem("digits", "digits needs what was pressed", type: "missing-field")
      }
      guard digits.utf8.allSatisfy({ "0123456789*#ABCD".utf8.contains($0) }) else {
        throw fields.problem("digits", "digits must be 0-9, *, #, A-D")
      }
      var members = Members()
      members.text("digits", fields.redactor.text(digits))
      told = .said(said(.digits, members))
    case "speech":
      guard let text else {
        throw fields.problem("text", "speech needs its text", type: "missing-field")
      }
      var members = Members()
      members.text("text", text)
      if let confidence { members.raw("confidence", confidence) }
      told = .said(said(.speech, members))
    case "voicemail":
      guard let recording else {
        throw fields.problem(
          "blob", "voicemail needs the recording, a blob of POST /v1/blobs", type: "missing-field")
      }
      var members = Members()
      members.text("blob", recording.description)
      if let seconds { members.number("seconds", seconds) }
      if let text { members.text("text", text) }
      if let confidence { members.raw("confidence", confidence) }
      let blob = Array("\(recording)".utf8)
      var message = said(.voicemail, members)
      func known(by more: [UInt8]) -> EntryDraft.Arrival {
        var alone = message
        (alone.members, alone.blobs) = ([], [recording])
        return arrival(key + more, alone)
      }
      let named = eventID.map { known(by: Array($0.utf8)) }
      let words = text.map { known(by: Array("\nwords\n".utf8) + blob + Array($0.utf8)) }
      message.arrival = known(by: Array("\nrecording\n".utf8) + blob)
      message.blobs = [recording]
      told = .left(Recording(message, words: words, named: named, new: .new()))
    default:
      throw fields.problem(
        "event",
        "event must be waiting, ringing, answered, missed, busy, unavailable, digits, speech, voicemail or hung_up"
      )
    }
    return .call(
      .callNews(key, told), call: key, request.idempotency, waitSeconds: wait,
      [
        .unknownSession: (
          "Not found", "there is no such call here; POST /v1/calls tells of a call first"
        ),
        .offerEnded: (
          "Ring ended", "that ring is over; the event `waiting` answers what to do now"
        ),
        .offerNotYours: ("Not this call's ring", "that offer does not ring for this call"),
      ])
  }
}

/// What a call should do next, as its phone system is told.
public enum CallInstruction: Hashable, Sendable {
  case wait(position: Int, WaitEstimate?)
  case ring(device: String, OfferID, seconds: Int)
  case talk
  case hangUp(String)
  /// The caller hears the prompt and speaks after it; the recording comes as a blob and an event
  /// `voicemail`.
  case leaveMessage(prompt: String)

  public func response(call session: SessionID?) -> APIResponse {
    var json = JSONWriter()
    json.object {
      if let session { $0.field("session", session.description) }
      switch self {
      case .wait(let position, let estimate):
        $0.field("do", "wait")
        $0.field("music", true)
        $0.field("position", position)
        if let estimate { $0.field("estimated_wait", raw: estimate.json) }
      case .ring(let device, let offer, let seconds):
        $0.field("do", "ring")
        $0.field("device", device)
        $0.field("offer", offer.description)
        $0.field("seconds", seconds)
      case .talk: $0.field("do", "talk")
      case .hangUp(let why):
        $0.field("do", "hang_up")
        $0.field("reason", why)
      case .leaveMessage(let prompt):
        $0.field("do", "leave_message")
        $0.field("prompt", prompt)
        $0.field("upload_to", "/v1/blobs")
        $0.field("then_tell", "voicemail")
      }
    }
    return APIResponse(200, json: json.bytes)
  }

  public init(_ standing: CallStanding, now: Instant) {
    switch standing {
    case .waits(let position, let estimate): self = .wait(position: position, estimate)
    case .rings(let offer, let device, let until):
      self = .ring(device: device, offer, seconds: Int(max(1, (until - now).milliseconds / 1_000)))
    case .talks: self = .talk
    case .leavesMessage(let prompt): self = .leaveMessage(prompt: prompt)
    case .over: self = .hangUp("the call is over")
    }
  }
}
