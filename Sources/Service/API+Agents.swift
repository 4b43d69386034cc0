import Channels
import Continuity
import Model
import Pipeline
import Records
import Routing
import System
import WebCodec
import Wire

/// What agents do.
extension API {
  func next(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    let agent = try agent(caller)
    if !request.body.isEmpty {
      var fields = try Fields(request)
      try fields.end()
    }
    let wait = try number(request, "wait", 0...60) ?? 0
    return .next(
      agent, waitSeconds: Int(wait), request.idempotency, offered(withTimeline: 200))
  }

  /// Renders an offer with everything that whoever takes over must know.
  public func offered(withTimeline limit: Int) -> Rendering {
    let api = self
    return .reading { answer, reads throws(StoreFault) in
      guard case .offer(let offer) = answer else { return APIResponse(answer) }
      var out = Array(
        "{\"offer\":\"\(offer.offer)\",\"until\":\"\(offer.until)\",".utf8)
      do throws(StoreFault) {
        var view: [UInt8] = []
        try CaseView.append(
          offer.case, api, offeredTo: offer.agent, timelineLimit: limit, reads, to: &view)
        out += view
      } catch {
        // Refused, it would go on to the next agent and hide from each whatever waits behind it.
        guard case .corrupt = error else { throw error }
        out += Array(
          "\"case\":\"\(offer.case)\",\"conversation\":\"\(offer.conversation)\",\"damaged\":true"
            .utf8)
      }
      out.append(UInt8(ascii: "}"))
      return APIResponse(200, json: out)
    }
  }

  func onOffer(_ request: APIRequest, _ caller: Caller, _ offer: OfferID, _ what: String)
    throws(APIProblem) -> APIAction
  {
    let agent = try agent(caller)
    var fields = try Fields(orNothing: request)
    try fields.end()
    switch what {
    case "accept":
      return .submit(
        .accept(offer, agent), request.idempotency,
        .direct {
          APIResponse(
            $0,
            [
              .notAllowed: (
                "The phone answers it",
                "this offer rings at a phone: pick up there, and it is accepted"
              )
            ])
        })
    case "decline":
      return .submit(.decline(offer, agent), request.idempotency, .direct { APIResponse($0) })
    default: throw .noPage
    }
  }

  func getCase(_ request: APIRequest, _ caller: Caller, _ id: CaseID) throws(APIProblem)
    -> APIAction
  {
    try need(caller, .agent, .supervisor, .admin)
    let asking = caller.scope == .agent ? directory.agents[caller.holder] : nil
    return .look(
      { [self] router in
        let now = CaseNow(id, router)
        let mine = asking.flatMap { now?.offeredTo.contains($0) ?? false ? $0 : nil }
        return showCase(id, caller, now, offeredTo: mine)
      }, orRead: showCase(id, caller, nil, offeredTo: nil))
  }

  private func showCase(
    _ id: CaseID, _ caller: Caller, _ now: CaseNow?, offeredTo agent: AgentID?
  ) -> Render {
    { [self] reads throws(StoreFault) in
      guard let row = try reads.aCase(directory.workspace, id) else {
        return APIResponse(.notFound("case"))
      }
      record(.aCase, by: caller, of: try customers(of: row, reads))
      var out = Array("{".utf8)
      try CaseView.append(
        id, self, now: now, offeredTo: agent, timelineLimit: 200, reads, to: &out)
      out.append(UInt8(ascii: "}"))
      return APIResponse(200, json: out)
    }
  }

  /// To a queue, to an agent, or to an agent and if they do not take it to a queue.
  private func transferTarget(_ fields: inout Fields, _ members: inout Members) throws(APIProblem)
    -> TransferTarget
  {
    var target = TransferTarget(queue: nil)
    let names = (queue: try fields.optionalText("queue"), agent: try fields.optionalText("agent"))
    guard let first = names.queue ?? names.agent else {
      throw fields.problem("queue", "queue or agent is required: where the case goes")
    }
    members.text("to", first)
    if let name = names.queue {
      guard let queue = directory.queues[name] else {
        throw fields.problem(
          "queue", "there is no queue \"\(name)\"; there are \(Listing.of(directory.queues.keys))")
      }
      target.queue = queue
    }
    let seconds = try fields.optionalInteger("seconds", 1...Self.transferSecondsMax)
    if let name = names.agent {
      guard let agent = directory.agents[name] else {
        throw fields.problem("agent", "there is no agent \"\(name)\"")
      }
      target.agent = .init(agent: agent, for: .seconds(seconds ?? Self.transferSeconds))
      members.text("to_agent", name)
    } else if seconds != nil {
      throw fields.problem(
        "seconds", "seconds says how long an agent has the case alone: name the agent")
    }
    return target
  }
  /// How long an agent to whom a case is transferred has it alone, unless said; and at most.
  private static let transferSeconds: Int64 = 60
  private static let transferSecondsMax: Int64 = 86_400

  func onCase(_ request: APIRequest, _ caller: Caller, _ id: CaseID, _ what: String)
    throws(APIProblem) -> APIAction
  {
    guard ["reply", "note", "transfer", "hand-back", "wrap-up", "close"].contains(what) else {
      return try act(request, caller, id, what)
    }
    let agent = try agent(caller)
    let key = request.idempotency
    let direct = Rendering.direct { APIResponse($0) }
    var fields = try Fields(orNothing: request)
    switch what {
    case "reply", "note":
      var draft = try message(&fields, author: .agent(agent), channel: nil)
      let text = try fields.optionalWords("text", bytesMax: Fields.Bound.textBytes) ?? ""
      try fields.end()
      if what == "note" {
        draft.kind = .note
        draft.visibility = .internal
      }
      let mail =
        what == "reply"
        ? OutgoingMailID(
          id: .new(), text: text, blobs: draft.blobs, ours: directory.mailAddress) : nil
      return .submit(
        .agentSays(AgentWords(agent: agent, case: id, entry: draft, mail: mail)), key, direct)
    case "transfer":
      var members = Members()
      let target = try transferTarget(&fields, &members)
      if let reason = try fields.optionalWords("reason", bytesMax: 4_096) {
        members.text("reason", reason)
      }
      try fields.end()
      return .submit(
        .transfer(id, agent, to: target, newCase: .new(), members: members.bytes), key, direct
      )
    case "hand-back":
      var members = Members()
      if let summary = try fields.optionalWords("summary", bytesMax: 16 << 10) {
        members.text("summary", summary)
      }
      let name = try fields.optionalText("bot")
      let bot = try name.map { name throws(APIProblem) in
        guard let bot = directory.bots[name] else {
          throw fields.problem(
            "bot", "there is no bot \"\(name)\"; there are \(Listing.of(directory.bots.keys))")
        }
        return bot
      }
      try fields.end()
      let nobody = name.map { "bot \($0) has no session in this conversation" }
      return .submit(
        .handBack(id, agent, to: bot, members: members.bytes), key,
        .direct {
          APIResponse(
            $0,
            [
              .notAllowed: (
                "No bot to take it", nobody ?? "no bot sits in this conversation: close the case"
              )
            ])
        })
    case "wrap-up":
      try fields.end()
      return .submit(.wrapUp(id, agent), key, direct)
    case "close":
      try fields.end()
      return .submit(.close(id, agent), key, direct)
    default: throw .noPage
    }
  }

  func timeline(_ request: APIRequest, _ caller: Caller, _ customer: CustomerID) throws(APIProblem)
    -> APIAction
  {
    try need(caller, .agent, .supervisor, .admin)
    let before = try number(request, "before", 1...Int64.max)
    let after = try number(request, "after", 0...Int64.max)
    guard before == nil || after == nil else {
      throw APIProblem(
        422, "wrong-value", "The request cannot be understood",
        "a page runs either way: before or after", field: "after")
    }
    let from =
      after.map { TimelinePage.From.after(EntryID($0)) } ?? .before(EntryID(before ?? .max))
    let limit = Int(try number(request, "limit", 1...1_000) ?? 200)
    let isText = try wantsText(request)
    let workspace = directory.workspace
    return .read { [self] reads throws(StoreFault) in
      guard try reads.customer(workspace, customer) != nil else {
        return APIResponse(.notFound("customer"))
      }
      record(.timeline, by: caller, of: [customer])
      let page = try TimelinePage.read(
        workspace, of: customer, from, limit: limit, visible: .internal, reads)
      if let after, page.entries.isEmpty,
        let problem = try APIProblem.ahead(EntryID(after), workspace, reads)
      {
        return APIResponse(problem)
      }
      if isText {
        return APIResponse(200, contentType: "text/plain; charset=utf-8", Array(page.text.utf8))
      }
      var out: [UInt8] = []
      page.append(to: &out)
      return APIResponse(200, json: out)
    }
  }

  /// Text for people, where it is asked for; JSON else.
  func wantsText(_ request: APIRequest) throws(APIProblem) -> Bool {
    switch request.query("format") {
    case "text": return true
    case "json": return false
    case nil: return request.accept.hasPrefix("text/plain")
    default:
      throw APIProblem(
        422, "wrong-value", "The request cannot be understood", "format must be json or text",
        field: "format")
    }
  }

  func postBlob(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    try need(caller, .bot, .agent, .telephony)
    guard !request.body.isEmpty else {
      throw APIProblem(422, "missing-body", "Nothing to keep", "the body is the attachment's bytes")
    }
    guard request.body.count <= blobBytesMax else {
      throw APIProblem(
        413, "too-large", "Too large", "an attachment may have \(blobBytesMax) bytes")
    }
    let row = BlobRow(
      id: .new(), hash: Digest(SHA256.hash(request.body)), size: Int64(request.body.count),
      mediaType: request.contentType.isEmpty
        ? "application/octet-stream" : String(redactor.text(request.contentType).prefix(200)),
      fileName: request.fileName.map(redactor.text), conversation: nil, uploader: caller.signature,
      at: Instant(milliseconds: WallClock.nowMilliseconds))
    return .keepBlob(row, request.body, request.idempotency)
  }

  /// What somebody called it, where that has the form of a type (RFC 9110 §8.3.1; names as RFC 6838 §4.2
  /// restricts them).
  static func servedType(_ said: String) -> String {
    let name = said.utf8.prefix { $0 != 59 && $0 != 32 }
    let halves = name.split(separator: 47, omittingEmptySubsequences: false)
    func isToken(_ half: Substring.UTF8View.SubSequence) -> Bool {
      !half.isEmpty
        && half.allSatisfy { byte in
          byte < 128
            && (byte | 32 >= 97 && byte | 32 <= 122 || byte >= 48 && byte <= 57
              || "!#$&^_.+-".utf8.contains(byte))
        }
    }
    let rest = said.utf8.dropFirst(name.count).drop { $0 == 32 }
    let isType = halves.count == 2 && halves.allSatisfy(isToken)
    let isWhole = rest.first == nil || rest.first == 59
    return isType && isWhole && said.utf8.allSatisfy { $0 >= 32 && $0 < 127 }
      ? said : "application/octet-stream"
  }

  func getBlob(_ request: APIRequest, _ caller: Caller, _ id: BlobID) throws(APIProblem)
    -> APIAction
  {
    try need(caller, .bot, .agent, .supervisor)
    let directory = directory
    return .read { [self] reads throws(StoreFault) in
      guard let row = try reads.blob(directory.workspace, id),
        try Self.maySee(row, caller, directory, reads)
      else {
        return APIResponse(.notFound("blob"))
      }
      // A bot fetches what its customer sees.
      if caller.scope != .bot {
        record(.attachment, by: caller, of: try Self.customers(of: row, directory.workspace, reads))
      }
      var response = APIResponse(200, contentType: Self.servedType(row.mediaType), [])
      response.file = .init(
        workspace: directory.workspace, id: row.id, hash: row.hash, size: row.size)
      // What a stranger uploaded must never run in our origin; nor may its type be guessed, which every answer says.
      response.headers = [
        .init("Content-Security-Policy", "sandbox"),
        .init("Content-Disposition", "attachment"),
      ]
      return response
    }
  }

  /// Whoever's entries it is attached to; where older entries are not known to name it, whoever's
  /// conversation it is bound to.
  private static func customers(
    of row: BlobRow, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) -> [CustomerID] {
    var found: Set<CustomerID> = []
    for id in try reads.entries(workspace, naming: row.id) {
      if let customer = try reads.entry(workspace, id)?.customer { found.insert(customer) }
    }
    if found.isEmpty, let place = row.conversation,
      let customer = try reads.conversation(workspace, place)?.customer
    {
      found.insert(customer)
    }
    return found.sorted()
  }

  /// A bot sees what it brought, and what was said to the customer in a conversation that it
  /// carries.
  private static func maySee(
    _ row: BlobRow, _ caller: Caller, _ directory: Directory, _ reads: any StoreReader
  ) throws(StoreFault) -> Bool {
    if caller.scope != .bot { return true }
    if row.uploader == "bot:\(caller.holder)" { return true }
    guard let conversation = row.conversation, let bot = directory.bots[caller.holder] else {
      return false
    }
    let workspace = directory.workspace
    var sessions = try reads.sessions(workspace, of: conversation)
    let about = try reads.conversation(workspace, conversation).flatMap {
      ConversationPage.decoded($0.about)
    }
    for parting in about?.partings ?? [] {
      sessions += try reads.sessions(workspace, of: parting.conversation).filter {
        $0.former.contains { $0.conversation == conversation }
      }
    }
    sessions.removeAll { $0.bot != bot.raw }
    guard !sessions.isEmpty else { return false }
    // Said there by somebody who is another person by now, it is none of its business.
    let entries = try reads.transcript(workspace, whole: conversation, visible: .customer)
    let name = Array("\(row.id)".utf8)
    for entry in entries where entry.body?.contains(name) ?? false {
      guard PersonForms.attachments(entry).contains(row.id) else { continue }
      for session in sessions {
        var person = try session.person(workspace, reads)
        if try person.own(entry.customer, reads) { return true }
      }
    }
    return false
  }
}
