import Model
import Pipeline
import Records
import Routing
import WebCodec
import Wire

/// One matter, and which others are the same.
extension API {
  func getConversation(_ request: APIRequest, _ caller: Caller, _ id: ConversationID)
    throws(APIProblem) -> APIAction
  {
    try need(caller, .agent, .supervisor, .admin)
    let directory = directory
    return .read { [self] reads throws(StoreFault) in
      guard let row = try reads.conversation(directory.workspace, id),
        let json = try ConversationPage.json(id, directory, reads)
      else {
        return APIResponse(.notFound("conversation"))
      }
      // Its subject may be of another's mail.
      let about = ConversationPage.decoded(row.about)
      record(
        .conversation, by: caller,
        of: Set([row.customer] + [about?.mailBy].compactMap { $0 }).sorted())
      return APIResponse(200, json: json)
    }
  }

  func onConversation(
    _ request: APIRequest, _ caller: Caller, _ id: ConversationID, _ what: String
  ) throws(APIProblem) -> APIAction {
    let agent = try agent(caller)
    var fields = try Fields(request)
    let isJoining: Bool
    switch what {
    case "join": isJoining = true
    case "part": isJoining = false
    default: throw .noPage
    }
    let name = isJoining ? "with" : "from"
    guard let other: ConversationID = try fields.optionalID(name) else {
      throw fields.missing(name)
    }
    let reason = try fields.optionalWords("reason", bytesMax: 1_024) ?? ""
    try fields.end()
    return .submit(
      .joinConversations(
        .init(keeps: id, joins: other, isJoining: isJoining, agent: agent, reason: reason)),
      request.idempotency, .direct { APIResponse($0) })
  }
}

/// What a conversation is filed under.
extension API {
  func tag(_ request: APIRequest, _ caller: Caller, _ id: ConversationID) throws(APIProblem)
    -> APIAction
  {
    try need(caller, .agent, .supervisor, .admin)
    var fields = try Fields(request)
    let tags = try fields.wordsList("tags")
    guard !tags.isEmpty else {
      throw fields.problem(
        "tags", "tags are required, such as [\"complaint\"]", type: "missing-field")
    }
    for (index, tag) in tags.enumerated() where !PlainName.isPlain(tag) {
      throw fields.problem("tags[\(index)]", "a tag is \(PlainName.shape)")
    }
    let reason = try fields.optionalWords("reason", bytesMax: 1_024) ?? ""
    try fields.end()
    return try tagging(request, caller, id, adds: tags, reason: reason)
  }

  func untag(
    _ request: APIRequest, _ caller: Caller, _ id: ConversationID, _ tag: String
  ) throws(APIProblem) -> APIAction {
    try need(caller, .agent, .supervisor, .admin)
    var fields = try Fields(orNothing: request)
    let reason = try fields.optionalWords("reason", bytesMax: 1_024) ?? ""
    try fields.end()
    return try tagging(request, caller, id, removes: [tag], reason: reason)
  }

  private func tagging(
    _ request: APIRequest, _ caller: Caller, _ id: ConversationID, adds: [String] = [],
    removes: [String] = [], reason: String
  ) throws(APIProblem) -> APIAction {
    // A supervisor need not be an agent of the rules: then `by` alone says who.
    let agent = caller.scope == .agent ? try agent(caller) : nil
    return .submit(
      .tag(
        TagConversation(
          id, adds: adds, removes: removes, author: agent.map { .agent($0) } ?? .system,
          by: caller.signature,
          reason: reason)),
      request.idempotency, .direct { APIResponse($0) })
  }
}

enum ConversationPage {
  static func json(
    _ id: ConversationID, _ directory: Directory, _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8]? {
    let workspace = directory.workspace
    guard let row = try reads.conversation(workspace, id) else { return nil }
    guard let about = decoded(row.about) else {
      throw StoreFault.corrupt(what: "what is told of a conversation")
    }
    let customer = try reads.customer(workspace, row.customer)?.root ?? row.customer
    let sessions = try reads.sessions(workspace, of: id)
    let cases = try reads.cases(workspace, of: id)
    var json = JSONWriter()
    json.object { json in
      json.field("conversation", id.description)
      json.field("customer", customer.description)
      json.field("open", row.isOpen)
      json.field("settled", about.isSettled)
      json.field("epoch", row.epoch)
      json.field("opened", row.opened.description)
      json.field("changed", row.changed.description)
      if let subject = about.mail?.subject { json.field("subject", subject) }
      if let earlier = about.earlier { json.field("earlier", earlier.description) }
      if let joinedTo = about.joinedTo { json.field("joined_to", joinedTo.description) }
      json.field("tags", array: { list in for tag in about.tags { list.string(tag) } })
      json.field(
        "joins", array: { list in for one in about.joins { list.string(one.description) } })
      json.field(
        "sessions",
        array: { list in
          for session in sessions {
            list.object { one in
              one.field("session", session.id.description)
              one.field("channel", session.channel.name)
              if let bot = session.bot { one.field("bot", directory.botNames[bot] ?? "") }
              if let ended = session.ended { one.field("ended", ended.description) }
            }
          }
        })
      json.field(
        "cases",
        array: { list in
          for aCase in cases {
            list.object { one in
              one.field("case", aCase.id.description)
              one.field("queue", directory.queueNames[aCase.queue] ?? "")
              one.field("state", CaseState(rawValue: aCase.state)?.name ?? "unknown")
              if let agent = aCase.agent { one.field("agent", directory.agentNames[agent] ?? "") }
            }
          }
        })
    }
    return json.bytes
  }

  @Sendable static func tags(_ row: ConversationRow) -> [String] { decoded(row.about)?.tags ?? [] }

  static func decoded(_ bytes: [UInt8]) -> ConversationAbout? {
    do throws(WireError) { return try ConversationAbout(decoding: bytes) } catch { return nil }
  }
}
