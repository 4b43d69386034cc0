import Channels
import Continuity
import Expressions
import Model
import Pipeline
import Records
import Routing
import System
import WebCodec
import Wire

/// What bots do.
extension API {
  func openSession(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    let bot = try bot(caller)
    var fields = try Fields(request.body)
    let channel = try fields.optionalText("channel") ?? Channel.chat.name
    guard channel == Channel.chat.name else {
      throw fields.problem("channel", "bots open chat sessions; mail and calls come by their own protocols")
    }
    var customer = try fields.value("customer").map { value throws(APIProblem) in
      try Fields(value, path: "customer")
    }
    var claims: [IdentityClaim] = []
    var profile = CustomerProfile()
    if customer != nil {
      profile.displayName = try customer?.optionalText("name")
      for var identity in try customer?.objects("identities", countMax: 16) ?? [] {
        claims.append(try claim(&identity, caller))
      }
      try customer?.end()
    }
    var members = Members()
    if let context = fields.value("context") { members.raw("context", context.encoded) }
    try fields.end()
    let open = OpenSession(
      session: Self.newID(), conversation: Self.newID(), customer: Self.newID(), channel: .chat, bot: bot,
      claims: claims, profile: profile, members: members.bytes)
    let workspace = directory.workspace
    return .submit(
      .openSession(open), try idempotency(request, caller),
      .reading { answer, reads throws(StoreFault) in
        guard case .sessionOpened(let session, let conversation, let customer, let owner, let epoch, let proven, let entry) = answer
        else { return .init(answer) }
        var out = Array("{\"session\":\"\(session)\",\"conversation\":\"\(conversation)\",\"customer\":\"\(customer)\",\"owner\":".utf8)
        owner.append(to: &out)
        out += Array(",\"epoch\":\(epoch),\"after\":\(entry),\"known\":".utf8)
        if proven {
          let page = try TimelinePage.read(
            workspace, of: customer, before: entry, limit: 50, visible: .business, reads)
          page.append(to: &out, proves: false)
        } else {
          // Nobody has proven who this is: history stays inside.
          out += Array("null".utf8)
        }
        out.append(UInt8(ascii: "}"))
        return APIResponse(201, json: out)
      })
  }

  /// Reads one identity and says how well it is proven. Assurance is never the request's to choose beyond what
  /// the caller may assert.
  func claim(_ fields: inout Fields, _ caller: Caller) throws(APIProblem) -> IdentityClaim {
    let kindName = try fields.text("kind")
    guard let kind = IdentityKind(name: kindName) else {
      throw fields.problem("kind", "kind must be email, phone, chat or external")
    }
    let raw = try fields.text("value", bytesMax: 320)
    let assuranceName = try fields.optionalText("assurance") ?? Assurance.claimed.name
    guard let assurance = Assurance(name: assuranceName), assurance != .verified else {
      throw fields.problem("assurance", "assurance must be claimed or asserted; verified needs a signature")
    }
    let allowed =
      caller.scope == .bot
      ? directory.mayAssert[caller.holder] : directory.mayAssertAsIntegration[caller.holder]
    if assurance == .asserted, allowed?.contains(kind) != true {
      throw APIProblem(
        403, "may-not-assert", "May not assert this",
        "\(caller.scope.rawValue) \"\(caller.holder)\" may not assert \(kind.name) identities; workspace.yaml says which it may",
        field: "customer.identities")
    }
    try fields.end()
    guard let identity = normalised(kind, raw) else {
      throw fields.problem("value", "\"\(raw.prefix(80))\" is not a usable \(kind.name) identity")
    }
    return IdentityClaim(
      identity: identity, hash: hash(identity), assurance: assurance,
      source: "\(caller.scope.rawValue):\(caller.holder)")
  }

  public func normalised(_ kind: IdentityKind, _ raw: String) -> Identity? {
    IdentityForm.normalise(kind, raw) { e164($0, directory.defaultRegion) }
  }

  public func hash(_ identity: Identity) -> [UInt8] { IdentityForm.hash(identity, identityKey) }

  func say(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem) -> APIAction {
    let bot = try bot(caller)
    var fields = try Fields(request.body)
    let author: Author
    switch try fields.text("author") {
    case "customer": author = .customer
    case "bot": author = .bot(bot)
    default: throw fields.problem("author", "author must be customer or bot")
    }
    let epoch = try fields.optionalInteger("epoch", 0...Int64(UInt32.max)).map { UInt32($0) }
    var draft = try message(&fields, author: author, channel: .chat)
    try fields.end()
    draft.channel = .chat
    return .submit(
      .say(Say(session: session, bot: bot, entry: draft, epoch: epoch)), try idempotency(request, caller),
      .direct { APIResponse($0) })
  }

  /// Text and attachments of a message.
  func message(_ fields: inout Fields, author: Author, channel: Channel?) throws(APIProblem) -> EntryDraft {
    let text = try fields.optionalText("text", bytesMax: Fields.Bound.textBytes)
    var blobs: [BlobID] = []
    for name in try fields.texts("attachments") {
      guard let blob = BlobID(name) else {
        throw fields.problem("attachments", "attachments are ids of POST /v1/blobs, such as blob_…")
      }
      blobs.append(blob)
    }
    guard text?.isEmpty == false || !blobs.isEmpty else {
      throw fields.problem("text", "a message needs text or attachments", type: "missing-field")
    }
    var members = Members()
    members.text("text", text ?? "")
    if !blobs.isEmpty {
      members.raw("attachments", Array(("[" + blobs.map { "\"\($0)\"" }.joined(separator: ",") + "]").utf8))
    }
    var draft = EntryDraft(
      kind: .message, author: author, visibility: .customer, channel: channel, members: members.bytes)
    draft.blobs = blobs
    return draft
  }

  func handoff(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem) -> APIAction {
    let bot = try bot(caller)
    var fields = try Fields(request.body)
    var facts = HandoffFacts()
    var members = Members()
    facts.reason = try fields.text("reason", bytesMax: 4_096, mayBeEmpty: true)
    members.text("reason", facts.reason)
    if let summary = try fields.optionalText("summary", bytesMax: 16 << 10) {
      facts.summary = summary
      members.text("summary", summary)
    }
    if let collected = try fields.object("fields") {
      guard collected.count <= 100 else { throw fields.problem("fields", "more than 100 fields", type: "too-long") }
      for (name, value) in collected { if let fact = Self.fact(value) { facts.fields.append(.init(name: name, value: fact)) } }
      members.raw("fields", JSONValue.object(JSONObject(collected.map { .init($0.name, $0.value) })).encoded)
    }
    facts.wantedSkills = try fields.texts("skills")
    for (index, skill) in facts.wantedSkills.enumerated() where !directory.skills.contains(skill) {
      throw unknownSkill(skill, fields, "skills[\(index)]")
    }
    if !facts.wantedSkills.isEmpty {
      members.raw("skills", JSONValue.array(facts.wantedSkills.map { .string($0) }).encoded)
    }
    let epoch = try fields.optionalInteger("epoch", 0...Int64(UInt32.max)).map { UInt32($0) }
    var imported: [EntryDraft] = []
    for var line in try fields.objects("transcript", countMax: 2_000) { imported.append(try self.imported(&line, bot)) }
    try fields.end()
    let handoff = Handoff(
      session: session, bot: bot, epoch: epoch, case: Self.newID(), imported: imported, members: members.bytes,
      facts: facts)
    return .submit(.handoff(handoff), try idempotency(request, caller), .direct { APIResponse($0) })
  }

  /// A skill that no rule could ever ask for is a slip, and silence would cost the customer the right agent.
  private func unknownSkill(_ name: String, _ fields: Fields, _ field: String) -> APIProblem {
    let known = directory.skills.sorted()
    let hint = Spelling.nearest(name, among: known).map { "did you mean \"\($0)\"?" }
    return fields.problem(
      field, "skills.yaml has no skill \"\(name.prefix(60))\"; \(hint ?? "it has \(known.joined(separator: ", "))")",
      type: "unknown-skill")
  }

  private func imported(_ line: inout Fields, _ bot: BotID) throws(APIProblem) -> EntryDraft {
    let author: Author
    switch try line.text("author") {
    case "customer": author = .customer
    case "bot": author = .bot(bot)
    default: throw line.problem("author", "author must be customer or bot")
    }
    var members = Members()
    members.text("text", try line.text("text", bytesMax: Fields.Bound.textBytes, mayBeEmpty: true))
    members.raw("imported", Array("true".utf8))
    let at = try line.pastInstant("at")
    try line.end()
    return EntryDraft(
      kind: .message, author: author, visibility: .customer, channel: .chat, members: members.bytes, saidAt: at)
  }

  static func fact(_ value: JSONValue) -> FactValue? {
    switch value {
    case .string(let text): .text(text)
    case .int(let number): .number(number)
    case .bool(let flag): .flag(flag)
    case .number(let text): .decimal(text)
    case .null, .array, .object: nil
    }
  }

  func endSession(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem) -> APIAction {
    let bot = try bot(caller)
    let end: SessionEnd
    if request.body.isEmpty {
      end = .customerLeft
    } else {
      var fields = try Fields(request.body)
      switch try fields.optionalText("reason") ?? "customer_left" {
      case "customer_left": end = .customerLeft
      case "bot_ended": end = .botEnded
      default: throw fields.problem("reason", "reason must be customer_left or bot_ended")
      }
      try fields.end()
    }
    return .submit(
      .endSession(session, end, by: bot), try idempotency(request, caller), .direct { APIResponse($0) })
  }

  func poll(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem) -> APIAction {
    _ = try bot(caller)
    return .poll(
      Poll(
        session: session, after: EntryID(try number(request, "after", 0...Int64.max) ?? 0),
        waitSeconds: Int(try number(request, "wait", 0...60) ?? 0)))
  }

  func number(_ request: APIRequest, _ name: String, _ range: ClosedRange<Int64>) throws(APIProblem) -> Int64? {
    guard let text = request.query(name) else { return nil }
    guard let value = Int64(text), range.contains(value) else {
      throw APIProblem(
        422, "wrong-value", "The request cannot be understood",
        "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)", field: name)
    }
    return value
  }

  func journey(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    try need(caller, .integration)
    var fields = try Fields(request.body)
    let name = try fields.text("event")
    var claims: [IdentityClaim] = []
    for var identity in try fields.objects("identities", countMax: 16) { claims.append(try claim(&identity, caller)) }
    guard claims.contains(where: { $0.assurance.joins }) else {
      throw fields.problem(
        "identities", "a journey event needs at least one identity with assurance asserted", type: "missing-field")
    }
    let at = try fields.pastInstant("at")
    var members = Members()
    members.text("event", name)
    members.text("source", caller.holder)
    if let detail = fields.value("detail") { members.raw("detail", detail.encoded) }
    try fields.end()
    let arrival = JourneyArrival(
      customer: Self.newID(), claims: claims, name: name, members: members.bytes, at: at)
    return .submit(.journey(arrival), try idempotency(request, caller), .direct { APIResponse($0) })
  }
}
