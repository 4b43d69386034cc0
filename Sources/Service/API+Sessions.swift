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
    var fields = try Fields(request)
    let channel = try fields.optionalText("channel") ?? Channel.chat.name
    guard channel == Channel.chat.name else {
      throw fields.problem(
        "channel", "bots open chat sessions; mail and calls come by their own protocols")
    }
    var customer = try fields.value("customer").map { value throws(APIProblem) in
      try Fields(value, path: "customer", request.redactor)
    }
    var claims: [IdentityClaim] = []
    var attributes: [CustomerProfile.Attribute] = []
    if customer != nil {
      let source = "bot:\(caller.holder)"
      if let name = try customer?.optionalWords("name") {
        attributes.append(.init(name: CustomerProfile.name, text: name, source: source))
      }
      if let given = try customer?.wordsObject("attributes") {
        attributes += try Self.attributes(given, source)
      }
      for var identity in try customer?.objects("identities", countMax: 16) ?? [] {
        claims.append(try claim(&identity, caller))
      }
      try customer?.end()
    }
    var members = Members()
    if let context = fields.wordsValue("context") { members.raw("context", context.encoded) }
    let token = try fields.optionalText("resume")
    try fields.end()
    var open = OpenSession(
      session: .new(), conversation: .new(), customer: .new(), channel: .chat,
      bot: bot,
      claims: claims, attributes: attributes, members: members.bytes)
    // A token that is over or not ours is no error: the customer begins anew, as anybody without
    // one.
    open.resumes = token.flatMap {
      resumeTokens.resumption(of: $0, now: now().milliseconds)
    }
    return .submit(.openSession(open), request.idempotency, opened())
  }

  /// What a bot is told of the session that it opened.
  private func opened() -> Rendering {
    let (directory, tokens, now) = (directory, resumeTokens, now)
    return .reading { answer, reads throws(StoreFault) in
      guard
        case .sessionOpened(
          let session, let conversation, let customer, let record, let owner, let epoch, let known,
          let isContinued, let entry) =
          answer
      else { return APIResponse(answer) }
      // Asked again under its key, it is the same.
      let at = try reads.entry(directory.workspace, entry)?.at.milliseconds
      let token = tokens.make(
        .init(conversation, record ?? customer),
        until: (at ?? now().milliseconds) + directory.conversationWindow.milliseconds)
      var out = Array(
        "{\"session\":\"\(session)\",\"conversation\":\"\(conversation)\",\"customer\":\"\(customer)\",\"owner\":"
          .utf8)
      owner.append(to: &out)
      out += Array(
        ",\"epoch\":\(epoch),\"after\":\(entry),\"continued\":\(isContinued),\"resume\":\"\(token)\",\"known\":"
          .utf8)
      switch known {
      case .nothing: out += Array("null".utf8)
      // Asked again under its key, it shows what is theirs by now.
      case .timeline:
        let page = try TimelinePage.read(
          directory.workspace, of: record ?? customer, .before(entry), limit: 50,
          visible: .business, reads)
        page.append(to: &out, proves: false)
      case .conversation:
        let page = try TimelinePage.read(
          directory.workspace, conversation: conversation, of: record ?? customer, before: entry,
          limit: 50, visible: .business, reads)
        page.append(to: &out, proves: false)
      }
      out.append(UInt8(ascii: "}"))
      return APIResponse(201, json: out)
    }
  }

  /// Reads one identity and says how well it is proven. Assurance is never the request's to choose
  /// beyond what the caller may assert.
  func claim(_ fields: inout Fields, _ caller: Caller) throws(APIProblem) -> IdentityClaim {
    let kindName = try fields.text("kind")
    guard let kind = IdentityKind(name: kindName) else {
      throw fields.problem("kind", "kind must be email, phone, chat or external")
    }
    let raw = try fields.text("value", bytesMax: 320)
    let assuranceName = try fields.optionalText("assurance") ?? Assurance.claimed.name
    guard let assurance = Assurance(name: assuranceName) else {
      throw fields.problem("assurance", "assurance must be claimed, asserted or verified")
    }
    try check(assurance, kind, caller, field: fields.full("assurance"))
    let detail = try fields.optionalWords("evidence")
    if assurance == .verified, detail?.isEmpty ?? true {
      throw fields.problem(
        "evidence", "say in `evidence` what was checked, such as \"one-time code by SMS\"",
        type: "missing-field")
    }
    try fields.end()
    guard let identity = normalised(kind, raw) else {
      throw fields.problem("value", Self.unusable(kind, raw))
    }
    // By it whoever is presented so would be one person: the caller has taken `to` for `from`.
    if assurance.joins, directory.isOurs(identity) {
      throw fields.problem(
        "value",
        "\(identity.value) is this workspace's own: it identifies no customer (mail_addresses and dialled_numbers in workspace.yaml)"
      )
    }
    return IdentityClaim(
      identity: identity, hash: hash(identity),
      earlierHashes: earlier(kind, raw).map(hash), assurance: assurance,
      source: caller.signature, means: assurance == .verified ? "verification" : "assertion",
      detail: detail ?? "")
  }

  static func unusable(_ kind: IdentityKind, _ raw: String) -> String {
    let why = IdentityForm.flaw(kind, raw).map { ": \($0)" } ?? ""
    return "\"\(raw.prefix(80))\" is not a usable \(kind.name) identity\(why)"
  }

  private func check(
    _ assurance: Assurance, _ kind: IdentityKind, _ caller: Caller, field: String
  ) throws(APIProblem) {
    let word =
      caller.scope == .bot
      ? directory.botsSay[caller.holder] : directory.integrationsSay[caller.holder]
    let most = word.flatMap { $0.kinds.contains(kind) ? $0.assurance : nil } ?? .claimed
    guard assurance > most else { return }
    let who = "\(caller.scope.rawValue) \"\(caller.holder)\""
    let isVerifying = assurance == .verified && most == .asserted
    throw APIProblem(
      403, isVerifying ? "may-not-verify" : "may-not-assert",
      isVerifying ? "May not verify this" : "May not assert this",
      isVerifying
        ? "\(who) may assert \(kind.name) identities and not verify them; `assurance: verified` in workspace.yaml lets it"
        : "\(who) may not assert \(kind.name) identities; workspace.yaml says which it may",
      field: field)
  }

  /// What somebody says of a customer: a few short values by name; null takes back what the same
  /// source said.
  static func attributes(
    _ given: [(name: String, value: JSONValue)], _ source: String
  ) throws(APIProblem) -> [CustomerProfile.Attribute] {
    var attributes: [CustomerProfile.Attribute] = []
    for (name, value) in given {
      let json = value == .null ? [] : value.encoded
      guard json.count <= 1_024, !name.isEmpty, name.utf8.count <= 64, given.count <= 50 else {
        throw APIProblem(
          422, "wrong-value", "The request cannot be understood",
          "attributes are at most 50 values of at most 1024 bytes, each by a name of 1 to 64 bytes",
          field: "attributes")
      }
      attributes.append(.init(name: name, value: json, source: source))
    }
    return attributes
  }

  public func normalised(_ kind: IdentityKind, _ raw: String) -> Identity? {
    IdentityForm.normalise(kind, raw, directory.emailRules) { e164($0, directory.defaultRegion) }
  }

  /// How earlier versions may have kept the same identity.
  public func earlier(_ kind: IdentityKind, _ raw: String) -> [Identity] {
    IdentityForm.earlier(kind, raw, directory.emailRules)
  }

  public func hash(_ identity: Identity) -> [UInt8] { IdentityForm.hash(identity, identityKey) }

  func say(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem)
    -> APIAction
  {
    let bot = try bot(caller)
    var fields = try Fields(request)
    let author: Author
    switch try fields.text("author") {
    case "customer": author = .customer
    case "bot": author = .bot(bot)
    default: throw fields.problem("author", "author must be customer or bot")
    }
    let epoch = try fields.optionalInteger("epoch", 0...Int64(UInt32.max)).map { UInt32($0) }
    var draft = try message(&fields, author: author, channel: .chat)
    draft.saidAt = try fields.pastInstant("at")
    if let id = try fields.optionalName("id") { draft.arrival = arrival(session, id, draft) }
    try fields.end()
    draft.channel = .chat
    return .submit(
      .say(Say(session: session, bot: bot, entry: draft, epoch: epoch)), request.idempotency,
      Self.answer(to: caller, whoSent: epoch))
  }

  /// What a bot has learned on the way, while it still has the word.
  func learned(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem)
    -> APIAction
  {
    let bot = try bot(caller)
    var fields = try Fields(request)
    let epoch = try fields.optionalInteger("epoch", 0...Int64(UInt32.max)).map { UInt32($0) }
    var members = Members()
    try Self.learned(&fields, &members)
    guard !members.bytes.isEmpty else {
      throw fields.problem(
        "fields", "say at least one of fields, wants, sentiment, tried and promised",
        type: "missing-field")
    }
    var draft = EntryDraft(
      kind: .learned, author: .bot(bot), visibility: .business, channel: .chat,
      members: members.bytes)
    if let id = try fields.optionalName("id") { draft.arrival = arrival(session, id, draft) }
    try fields.end()
    return .submit(
      .say(Say(session: session, bot: bot, entry: draft, epoch: epoch)), request.idempotency,
      Self.answer(to: caller, whoSent: epoch))
  }

  /// An id counts within its session.
  private func arrival(_ session: SessionID, _ id: String, _ draft: EntryDraft)
    -> EntryDraft.Arrival
  {
    arrival(Array("\(session)\nid\n\(id)".utf8), draft)
  }

  /// - Parameter about: what else makes two arrivals different ones.
  func arrival(_ name: [UInt8], _ draft: EntryDraft, about: [[UInt8]] = []) -> EntryDraft.Arrival {
    var content =
      Array("\(draft.kind.rawValue)\n\(draft.author == .customer)\n".utf8) + draft.members
    for blob in draft.blobs { content += Array("\(blob)".utf8) }
    for more in about { content += more }
    return .init(
      key: Array(SHA256.hash(name).bytes.prefix(16)),
      content: identityKey.sign(content, truncatedTo: 16))
  }

  /// What a bot has found out about the matter, for whoever takes over: the same in a handoff and
  /// on the way.
  /// - Returns: the fields as rules see them.
  @discardableResult
  static func learned(_ fields: inout Fields, _ members: inout Members) throws(APIProblem)
    -> [HandoffFacts.Field]
  {
    var facts: [HandoffFacts.Field] = []
    if let collected = try fields.wordsObject("fields") {
      guard collected.count <= 100 else {
        throw fields.problem("fields", "more than 100 fields", type: "too-long")
      }
      for (name, value) in collected {
        let learned = LearnedField(value)
        if let confidence = learned.confidence {
          guard let share = confidence.double, (0...1).contains(share) else {
            throw fields.problem(
              "fields", "the confidence of \"\(name.prefix(60))\" must be from 0 to 1")
          }
        }
        facts.append(.init(name: name, value: learned.value.encoded))
      }
      members.raw(
        "fields", JSONValue.object(JSONObject(collected.map { .init($0.name, $0.value) })).encoded)
    }
    if let wants = try fields.optionalWords("wants", bytesMax: 4_096) {
      members.text("wants", wants)
    }
    if let sentiment = try fields.optionalWords("sentiment") {
      members.text("sentiment", sentiment)
    }
    let (tried, promised) = (try fields.wordsList("tried"), try fields.wordsList("promised"))
    if !tried.isEmpty { members.raw("tried", JSONValue.array(tried.map { .string($0) }).encoded) }
    if !promised.isEmpty {
      members.raw("promised", JSONValue.array(promised.map { .string($0) }).encoded)
    }
    return facts
  }

  /// Text and attachments of a message.
  func message(_ fields: inout Fields, author: Author, channel: Channel?) throws(APIProblem)
    -> EntryDraft
  {
    let text = try fields.optionalWords("text", bytesMax: Fields.Bound.textBytes)
    var blobs: [BlobID] = []
    for name in try fields.texts("attachments") {
      guard let blob = BlobID(name) else {
        throw fields.problem("attachments", "attachments are ids of POST /v1/blobs, such as blob_…")
      }
      blobs.append(blob)
    }
    guard text?.isEmpty == false || !blobs.isEmpty else {
      throw fields.lacking("text", "a message needs text or attachments")
    }
    var members = Members()
    members.text("text", text ?? "")
    if !blobs.isEmpty {
      members.raw(
        "attachments", Array(("[" + blobs.map { "\"\($0)\"" }.joined(separator: ",") + "]").utf8))
    }
    var draft = EntryDraft(
      kind: .message, author: author, visibility: .customer, channel: channel,
      members: members.bytes)
    draft.blobs = blobs
    return draft
  }

  func handoff(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem)
    -> APIAction
  {
    let bot = try bot(caller)
    var fields = try Fields(request)
    var facts = HandoffFacts()
    var members = Members()
    facts.reason = try fields.words("reason", bytesMax: 4_096, mayBeEmpty: true)
    members.text("reason", facts.reason)
    if let summary = try fields.optionalWords("summary", bytesMax: 16 << 10) {
      facts.summary = summary
      members.text("summary", summary)
    }
    var learned = Members()
    facts.fields = try Self.learned(&fields, &learned)
    facts.wantedSkills = try fields.texts("skills")
    for (index, skill) in facts.wantedSkills.enumerated() where !directory.skills.contains(skill) {
      throw unknownSkill(skill, fields, "skills[\(index)]")
    }
    var skills = Members()
    if !facts.wantedSkills.isEmpty {
      skills.raw("skills", JSONValue.array(facts.wantedSkills.map { .string($0) }).encoded)
    }
    let epoch = try fields.optionalInteger("epoch", 0...Int64(UInt32.max)).map { UInt32($0) }
    var imported: [EntryDraft] = []
    for var line in try fields.objects("transcript", countMax: 2_000) {
      imported.append(try self.imported(&line, bot, session))
    }
    try fields.end()
    var handoff = Handoff(
      session: session, bot: bot, epoch: epoch, case: .new(), imported: imported,
      members: members.bytes + learned.bytes + skills.bytes,
      facts: facts)
    if !learned.bytes.isEmpty {
      var draft = EntryDraft(
        kind: .learned, author: .bot(bot), visibility: .business, channel: .chat,
        members: learned.bytes)
      // A bot that tries again and again has learned it once.
      draft.arrival = arrival(Array("\(session)\nlearned\n".utf8) + learned.bytes, draft)
      handoff.learned = draft
    }
    return .submit(.handoff(handoff), request.idempotency, Self.answer(to: caller, whoSent: epoch))
  }

  /// A bot that owns the conversation and is refused its word all the same has another epoch in
  /// mind.
  private static func answer(to bot: Caller, whoSent sent: UInt32?) -> Rendering {
    .direct { answer in
      guard case .rejected(.notOwner, let owner?, let epoch?) = answer, owner.kind == .bot,
        owner.name == bot.holder,
        let sent, sent != epoch
      else { return APIResponse(answer) }
      return APIResponse(
        answer,
        [
          .notOwner: (
            "Another epoch", "you own the conversation, and its epoch is \(epoch); you sent \(sent)"
          )
        ])
    }
  }

  /// A skill that no rule could ever ask for is a slip, and silence would cost the customer the
  /// right agent.
  private func unknownSkill(_ name: String, _ fields: Fields, _ field: String) -> APIProblem {
    let known = directory.skills.sorted()
    let hint = Spelling.nearest(name, among: known).map { "did you mean \"\($0)\"?" }
    return fields.problem(
      field,
      "skills.yaml has no skill \"\(name.prefix(60))\"; \(hint ?? "it has \(Listing.of(known))")",
      type: "unknown-skill")
  }

  private func imported(_ line: inout Fields, _ bot: BotID, _ session: SessionID) throws(APIProblem)
    -> EntryDraft
  {
    let author: Author
    let who = try line.text("author")
    switch who {
    case "customer": author = .customer
    case "bot": author = .bot(bot)
    default: throw line.problem("author", "author must be customer or bot")
    }
    var members = Members()
    let text = try line.words("text", bytesMax: Fields.Bound.textBytes, mayBeEmpty: true)
    members.text("text", text)
    members.raw("imported", Array("true".utf8))
    let at = try line.pastInstant("at")
    let id = try line.optionalName("id")
    try line.end()
    var draft = EntryDraft(
      kind: .message, author: author, visibility: .customer, channel: .chat, members: members.bytes,
      saidAt: at)
    // A bot that sends its whole transcript with every handoff sends most lines again.
    if let id {
      draft.arrival = arrival(session, id, draft)
    } else if let at {
      draft.arrival = arrival(
        Array("\(session)\nat\n\(at.milliseconds)\n\(who)\n\(text)".utf8), draft)
    }
    return draft
  }

  func endSession(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem)
    -> APIAction
  {
    let bot = try bot(caller)
    let end: SessionEnd
    if request.body.isEmpty {
      end = .customerLeft
    } else {
      var fields = try Fields(request)
      switch try fields.optionalText("reason") ?? "customer_left" {
      case "customer_left": end = .customerLeft
      case "bot_ended": end = .botEnded
      default: throw fields.problem("reason", "reason must be customer_left or bot_ended")
      }
      try fields.end()
    }
    return .submit(
      .endSession(session, end, by: bot), request.idempotency, .direct { APIResponse($0) })
  }

  func poll(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem)
    -> APIAction
  {
    _ = try bot(caller)
    return .poll(
      Poll(
        session: session, after: EntryID(try number(request, "after", 0...Int64.max) ?? 0),
        waitSeconds: Int(try number(request, "wait", 0...60) ?? 0)))
  }

  func number(_ request: APIRequest, _ name: String, _ range: ClosedRange<Int64>) throws(APIProblem)
    -> Int64?
  {
    guard let text = request.query(name) else { return nil }
    guard let value = Int64(text), range.contains(value) else {
      throw APIProblem(
        422, "wrong-value", "The request cannot be understood",
        "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)",
        field: name)
    }
    return value
  }

  func journey(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    try need(caller, .integration)
    var fields = try Fields(request)
    let name = try fields.words("event")
    var claims: [IdentityClaim] = []
    for var identity in try fields.objects("identities", countMax: 16) {
      claims.append(try claim(&identity, caller))
    }
    guard claims.contains(where: { $0.assurance.joins }) else {
      throw fields.problem(
        "identities", "a journey event needs at least one identity with assurance asserted",
        type: "missing-field")
    }
    let at = try fields.pastInstant("at")
    let id = try fields.optionalName("id")
    var members = Members()
    members.text("event", name)
    members.text("source", caller.holder)
    let detail = fields.wordsValue("detail")?.encoded ?? []
    if !detail.isEmpty { members.raw("detail", detail) }
    let given = try fields.wordsObject("attributes") ?? []
    let attributes = try Self.attributes(given, caller.signature)
    if !given.isEmpty {
      members.raw(
        "attributes", JSONValue.object(JSONObject(given.map { .init($0.name, $0.value) })).encoded)
    }
    try fields.end()
    var arrival = JourneyArrival(
      customer: .new(), claims: claims, name: name, members: members.bytes, at: at)
    arrival.source = caller.holder
    arrival.detail = detail
    arrival.attributes = attributes
    let draft = EntryDraft(
      kind: .journey, author: .system, visibility: .business, channel: nil, members: members.bytes,
      saidAt: at)
    arrival.arrival = id.map {
      self.arrival(
        Array("\(caller.holder)\njourney\n\($0)".utf8), draft,
        about: claims.map(\.hash).sorted { $0.lexicographicallyPrecedes($1) })
    }
    return .submit(.journey(arrival), request.idempotency, .direct { APIResponse($0) })
  }
}
