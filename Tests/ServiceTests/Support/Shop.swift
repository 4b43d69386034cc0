import Channels
import Continuity
import Foundation
import MailCodec
import Model
import Pipeline
import Records
import Routing
import Service
import Store
import System
import Testing
import WebCodec

/// A workspace with its API, its writer and a real store, and no socket: a request goes in and its
/// answer comes out once it is committed. Time is the test's own.
final class Shop {
  let store: SQLiteStore
  let reader: any StoreReader
  let workspace: WorkspaceID
  let folder: String
  private(set) var pipeline: Pipeline
  var api: API
  let mail: MailChannel
  var now = Instant(milliseconds: WallClock.nowMilliseconds)
  /// What has left since it was last looked at.
  var heard: [Effect] = []
  private var released: [Pipeline.Release] = []
  private var tickets: UInt64 = 0

  static let e164: @Sendable (String, String) -> String? = { raw, _ in
    let digits = raw.filter(\.isNumber)
    return digits.count >= 7 ? "+" + digits : nil
  }

  init(
    rules: ContinuityRules = ContinuityRules(), tags: [String] = [],
    in shared: (SQLiteStore, String)? = nil, named name: String = "demo"
  ) throws {
    folder = shared?.1 ?? NSTemporaryDirectory() + "shop-" + UUID().uuidString
    store = try shared?.0 ?? SQLiteStore(folder: folder)
    let row = try store.addWorkspace(named: name)
    workspace = row.id
    reader = try store.reader()
    var limits = RoutingConfiguration.Limits()
    limits.sessionIdleMax = .seconds(1 << 30)
    limits.voiceExclusive = false
    limits.presenceLease = .seconds(24 * 3_600)
    var configuration = RoutingConfiguration(
      version: 1, skills: [], bots: ["webshop", "whatsapp"],
      queues: ["support", "calls"].map { .init(name: $0) },
      agents: ["ann", "bob"].map { name in
        var agent = RoutingConfiguration.Agent(
          name: name, skills: [], queues: ["support", "calls"])
        agent.capacity = 10_000
        agent.channelMax = .init(chat: 60_000, email: 60_000, phone: 1)
        agent.devices = ["PJSIP/\(name)"]
        return agent
      })
    configuration.limits = limits
    configuration.statuses = [
      .init(name: "coaching", as: .busy), .init(name: "lunch", as: .onBreak),
      .init(name: "mail_only", as: .available, channels: [.email]),
    ]
    let key = HMACKey(Array("identities of a test".utf8))
    mail = MailChannel(
      workspace: row.id, addresses: ["help@shop.example"], identityKey: key,
      replyKey: HMACKey(Array("replies".utf8)))
    pipeline = Pipeline(
      workspace: row.id, router: Router(), head: LogHead(),
      planner: TestPlanner(continuity: rules, tags: tags),
      environment: .init(saltSeed: Array("salt".utf8), sha256: { Digest(SHA256.hash($0)) }))
    api = API(
      directory: Directory(workspace: row.id, name: name), identityKey: key, blobBytesMax: 1 << 20,
      e164: Self.e164)
    let configured = try submit(.configure(configuration, encoded: [1]))
    guard configured == .rulesPublished(version: 1, isNew: true) else {
      throw Fault.refused("\(String(describing: configured))")
    }
    _ = try submit(.start)
    var directory = Directory(row.id, name, pipeline.router)
    directory.conversationWindow = rules.window
    directory.botsSay = [
      "webshop": .init([.email, .phone, .chat, .external], upTo: .verified),
      "whatsapp": .init([.phone]),
    ]
    directory.integrationsSay = ["till": .init([.email, .phone, .external])]
    for index in directory.statuses.indices where directory.statuses[index].name == "coaching" {
      directory.statuses[index].title = "Coaching"
      directory.statuses[index].needsReason = true
    }
    api.directory = directory
  }

  /// Whatever a test has done, a start from the rows is as a replay of the log.
  deinit {
    do {
      let (rows, replayed) = (try rows(), try replayed())
      if rows != replayed { Issue.record("the rows of open work are not what the log says") }
    } catch { Issue.record("what a test leaves cannot be read: \(error)") }
    store.close()
    try? FileManager.default.removeItem(atPath: folder)
  }

  // MARK: - People

  func caller(_ scope: Caller.Scope, _ holder: String) -> Caller {
    Caller(
      workspace: workspace, scope: scope, holder: holder,
      token: ID(high: 1, low: UInt64(holder.utf8.reduce(0) { $0 &* 31 &+ Int($1) })))
  }
  var webshop: Caller { caller(.bot, "webshop") }
  var whatsapp: Caller { caller(.bot, "whatsapp") }
  var ann: Caller { caller(.agent, "ann") }
  var bob: Caller { caller(.agent, "bob") }
  var boss: Caller { caller(.supervisor, "boss") }
  var till: Caller { caller(.integration, "till") }
  var pbx: Caller { caller(.telephony, "pbx") }

  // MARK: - Deciding

  /// Everything that is decided is committed at once, and what rested on it leaves.
  @discardableResult
  func submit(_ intake: Intake, _ key: Idempotency? = nil) throws -> Answer? {
    tickets += 1
    let ticket = Ticket(a: 7, b: tickets)
    try pipeline.submit(Request(intake, ticket: ticket, idempotency: key), at: now, reads: reader)
    if let commit = pipeline.gather() {
      try store.commit([commit])
      released += pipeline.committed(upTo: pipeline.head.position)
    } else {
      released += pipeline.release()
    }
    var answer: Answer?
    for release in released {
      switch release {
      case .answer(ticket, let found, _): answer = found
      case .effect(let effect): heard.append(effect)
      default: break
      }
    }
    released.removeAll()
    return answer
  }

  /// Lets time pass, with all that becomes due.
  func pass(_ duration: Duration64) throws {
    let end = now + duration
    while let due = pipeline.nextDeadline, due <= end {
      now = max(now, due)
      try submit(.tick)
    }
    now = end
    try submit(.tick)
  }

  /// The rows of open work as they are stored.
  func rows() throws -> [OpenWorkRow] {
    try reader.work(workspace).sorted { ($0.kind, $0.key) < ($1.kind, $1.key) }
  }

  /// The rows that a replay of the whole log gives.
  func replayed() throws -> [OpenWorkRow] {
    var router = Router()
    for record in try reader.log(workspace, after: 0, limit: 1_000_000) {
      for event in try record.routerEvents() { router.apply(event, at: record.at) }
    }
    return router.allRows()
      .map { OpenWorkRow(kind: $0.kind, key: $0.key, value: $0.value) }
      .sorted { ($0.kind, $0.key) < ($1.kind, $1.key) }
  }

  /// Erases the person whose record this is, and starts again; answers what they share with others.
  @discardableResult
  func erase(_ customer: String) throws -> [Erasing.Shared] {
    let id = try #require(CustomerID(customer))
    let root = try #require(try reader.customer(workspace, id)).root
    let erasing = try Erasing(root, workspace, reader)
    _ = try store.erase(
      workspace, erasing.records, at: now, by: "administrator", upTo: nil, PersonForms.erased)
    try restart()
    return erasing.shared
  }

  /// The server starts again: the same folder, a new writer.
  func restart() throws {
    let router = try Router(
      rows: try reader.work(workspace).map { WorkRow(kind: $0.kind, key: $0.key, value: $0.value) })
    pipeline = Pipeline(
      workspace: workspace, router: router, head: try reader.head(workspace),
      planner: pipelinePlanner,
      environment: .init(saltSeed: Array("salt".utf8), sha256: { Digest(SHA256.hash($0)) }))
    try submit(.start)
  }
  /// From now on rules answer, and route nobody.
  func answersOnly() {
    pipeline.use(TestPlanner(continuity: ContinuityRules(), answer: "We are full."))
  }
  private var pipelinePlanner: any Planner { TestPlanner(continuity: ContinuityRules()) }

  // MARK: - HTTP without HTTP

  @discardableResult
  func call(
    _ method: String, _ target: String, _ body: [String: Any]? = nil, by caller: Caller,
    key: String? = nil,
    accept: String? = nil
  ) throws -> Reply {
    let parts = target.split(separator: "?", maxSplits: 1)
    var query: [(name: String, value: String)] = []
    if parts.count == 2 {
      for pair in parts[1].split(separator: "&") {
        let halves = pair.split(separator: "=", maxSplits: 1)
        query.append(
          (
            String(halves[0]),
            halves.count == 2 ? String(halves[1]).removingPercentEncoding ?? "" : ""
          ))
      }
    }
    let bytes =
      try body.map { Array(try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys)) }
      ?? []
    let request = APIRequest(
      method: method, path: parts[0].split(separator: "/").map(String.init), query: query,
      body: bytes,
      contentType: "application/json", idempotencyKey: key, fileName: nil, accept: accept ?? "")
    return try Reply(perform(api.handle(request, caller), caller))
  }

  func perform(_ action: APIAction, _ caller: Caller) throws -> APIResponse {
    switch action {
    case .respond(let response): return response
    case .submit(let intake, let key, let rendering):
      guard let answer = try submit(intake, key) else { throw Fault.silence }
      return try render(answer, rendering)
    case .next(let agent, _, let key, let rendering):
      let waiter = WaiterID(UInt64.random(in: 1...UInt64.max))
      if let answer = try submit(.next(agent, waiter, until: now + .milliseconds(250)), key) {
        return try render(answer, rendering)
      }
      try submit(.endNext(agent, waiter))
      return APIResponse(.noOffer)
    case .call(let intake, let call, let key, _, let words):
      guard let answer = try submit(intake, key) else { throw Fault.silence }
      guard case .callTaken(let session, _, _, _, _) = answer else {
        return APIResponse(answer, words)
      }
      guard case .standing(let standing) = try submit(.standing(call: call)) else {
        throw Fault.silence
      }
      return CallInstruction(standing, now: now).response(call: session)
    case .read(let body):
      _ = try submit(.read)
      return try fetched(try body(reader))
    case .look(let look, _):
      let render = look(pipeline.router)
      _ = try submit(.read)
      return try fetched(try render(reader))
    case .poll(let poll):
      guard let row = try reader.session(workspace, poll.session),
        row.bot == api.directory.bots[caller.holder]?.raw
      else { return APIResponse(.notFound("session")) }
      return try EventsPage.read(api.directory, row, after: poll.after, limit: 200, reader).response
    case .keepBlob(let row, let bytes, let key):
      _ = try store.blobs.keep(bytes, workspace)
      guard let answer = try submit(.blob(row), key) else { throw Fault.silence }
      return APIResponse(answer)
    case .rules:
      return APIResponse(
        APIProblem(503, "no-rule-folder", "No rule folder", "this workspace has none"))
    case .explain(let asked):
      _ = try submit(.read)
      let json: [UInt8]? =
        switch asked.subject {
        case .aCase(let id):
          try ExplainPage.read(
            id, api, live: LiveExplanation(id, pipeline.router, at: now), reader)
        case .agent(let id):
          try AgentLiveExplanation(id, pipeline.router).map {
            try ExplainPage.agent($0, api.directory, reader)
          }
        }
      return json.map { APIResponse(200, json: $0) } ?? APIResponse(.notFound("case"))
    case .stream: return APIResponse(APIProblem(426, "upgrade-required", "WebSocket only", ""))
    }
  }

  private func fetched(_ response: APIResponse) throws -> APIResponse {
    guard let file = response.file else { return response }
    var whole = response
    whole.body = try store.blobs.read(file.hash, file.workspace)
    whole.file = nil
    return whole
  }

  private func render(_ answer: Answer, _ rendering: Rendering) throws -> APIResponse {
    switch (rendering, answer) {
    case (.direct(let body), _): body(answer)
    case (.reading, .rejected), (.reading, .keyReused), (.reading, .noOffer): APIResponse(answer)
    case (.reading(let body), _): try body(answer, reader)
    }
  }

  enum Fault: Error { case silence, notUnderstood, refused(String) }

  // MARK: - Mail

  /// A message as it comes from a relay that has checked DMARC, or from anywhere.
  @discardableResult
  func mail(
    from: String, to: String = "help@shop.example", subject: String, id: String,
    inReplyTo: String? = nil,
    _ text: String, isProven: Bool = true
  ) throws -> (conversation: ConversationID, entry: EntryID, isDuplicate: Bool) {
    try deliver(
      message(
        from: from, to: to, subject: subject, id: id, inReplyTo: inReplyTo, text, isProven: isProven
      ), from: from,
      to: to)
  }

  func message(
    from: String, to: String = "help@shop.example", subject: String, id: String,
    inReplyTo: String? = nil,
    _ text: String, isProven: Bool = true
  ) -> [UInt8] {
    var lines = ["From: \(from)", "To: \(to)", "Subject: \(subject)", "Message-ID: <\(id)>"]
    if let inReplyTo { lines += ["In-Reply-To: <\(inReplyTo)>", "References: <\(inReplyTo)>"] }
    let domain = from.split(separator: "@").last ?? ""
    if isProven {
      lines.insert(
        "Authentication-Results: relay.shop.example; dmarc=pass header.from=\(domain)", at: 0)
    }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + text + "\r\n").utf8)
  }

  @discardableResult
  func deliver(_ bytes: [UInt8], from: String, to: String = "help@shop.example") throws -> (
    conversation: ConversationID, entry: EntryID, isDuplicate: Bool
  ) {
    guard let recipient = SMTPPath(mailbox: Array(to.utf8)),
      let arrival = try? mail.understand(  // a refusal is a fault here
        bytes, sender: SMTPPath(mailbox: Array(from.utf8)), recipient: recipient,
        relay: "relay.shop.example", now: now)
    else { throw Fault.notUnderstood }
    for blob in arrival.blobs {
      _ = try store.blobs.keep(blob.bytes, workspace)
      try submit(.blob(blob.row))
    }
    guard
      case .mailTaken(let conversation, let entry, let duplicate)? = try submit(.mail(arrival.mail))
    else {
      throw Fault.silence
    }
    return (conversation, entry, duplicate)
  }
}

private func < (a: (UInt8, [UInt8]), b: (UInt8, [UInt8])) -> Bool {
  a.0 == b.0 ? a.1.lexicographicallyPrecedes(b.1) : a.0 < b.0
}

/// Everything goes to `support`, calls to `calls`.
struct TestPlanner: Planner {
  var continuity: ContinuityRules
  var tags: [String] = []
  /// What everybody hears instead of being routed.
  var answer: String?
  func plan(_ facts: RouteFacts, router: borrowing Router, at: Instant) -> Planned {
    if let answer { return .action(.answer(answer), rule: 0, ruleVersion: 1) }
    let queue = router.queueID(named: facts.channel == .phone ? "calls" : "support") ?? QueueID(0)
    return .route(Need(queue: queue), rule: 0, ruleVersion: 1, facts: Self.kept(facts), tags: tags)
  }
  func text(_ number: UInt32, ruleVersion: UInt32, _ reads: any StoreReader) -> String? { nil }
  func prompt(ofQueue name: String) -> String? { nil }
  func handBack(ofQueue name: String) -> String? { nil }

  private static func kept(_ facts: RouteFacts) -> [UInt8] {
    var json = JSONWriter()
    json.object {
      if let handoff = facts.handoff { $0.field("handoff.summary", handoff.summary) }
      let events = facts.profile.journey.map(\.name)
      if !events.isEmpty {
        $0.field("customer.events", array: { list in for event in events { list.string(event) } })
      }
    }
    return json.bytes
  }
}

/// An answer, with its JSON to look into.
struct Reply: @unchecked Sendable {
  var status: Int
  var contentType: String
  var text: String
  var json: [String: Any]

  init(_ response: APIResponse) {
    status = response.status
    contentType = response.contentType
    text = String(decoding: response.body, as: UTF8.self)
    json = (try? JSONSerialization.jsonObject(with: Data(response.body))) as? [String: Any] ?? [:]
  }

  func string(_ path: String...) -> String? { at(path) as? String }
  func number(_ path: String...) -> Int? { at(path) as? Int }
  func flag(_ path: String...) -> Bool? { at(path) as? Bool }
  func list(_ path: String...) -> [[String: Any]] { at(path) as? [[String: Any]] ?? [] }
  func at(_ path: [String]) -> Any? {
    var value: Any? = json
    for name in path { value = (value as? [String: Any])?[name] }
    return value
  }
  /// The entries of a timeline or of events.
  func entries(_ path: String...) -> [[String: Any]] {
    (at(path) as? [[String: Any]] ?? []).map { $0["entry"] as? [String: Any] ?? $0 }
  }
}
