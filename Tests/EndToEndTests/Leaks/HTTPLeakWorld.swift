import Continuity
import Model
import Pipeline
import PlainReference
import Records

@testable import Server

/// Customers of two workspaces who come by every way, whoever serves them, and everybody who asks what
/// is none of their business. What is said about each answer stands in `Secrets`.
///
/// Used by one thread at a time.
final class HTTPLeakWorld: @unchecked Sendable {
  struct Caller: Sendable {
    var reader: Secrets.Reader
    var token: String
    var at: Int { reader.workspace }
    var scope: String { reader.scope }
  }
  /// By what somebody was shown something.
  enum Kind: Hashable, CaseIterable {
    case known, events, brief, blob, timeline, aCase, customer, search, explain, export, botStream,
      agentStream, other
  }
  /// What an answer may hold.
  struct Asked {
    var kind = Kind.other
    /// The session that was asked about.
    var session: String?
    /// Whether it may tell of the whole customer.
    var isWhole = true
    /// Of whom alone it tells, whoever asks.
    var of: Reference.Node?
    /// Whose id stands in the request; nil where there is none. Nobody of the other workspace finds it.
    var owner: Int?
  }
  struct Held {
    var agent: Caller
    var id: String
  }

  let server: TestServer
  var random: Seeded
  var secrets = Secrets()
  var callers: [Caller] = []
  /// Every id that was ever seen, and in which workspace.
  var ids: [(text: String, at: Int)] = []
  var held: [Held] = []
  /// The entry of a mark, by which it can be taken out.
  var entries: [String: Int] = [:]
  /// Openings under a key, to be repeated.
  var openings: [(bot: Caller, body: Body, key: String, session: String)] = []
  /// Of records that have no identity, or none any more: whose they are.
  var nameless: [[CustomerID: Reference.Node]] = [[:], [:]]
  var listeners: [Listener] = []
  /// A bot's second token, which ends in the middle.
  var doomed = 0
  var seen: [Kind: Int] = [:]
  var steps = 0
  var count = 0
  var failure: String?
  private var trace: [String] = []
  private var connections: [KeptConnection] = []
  private var mailer: MailTalk?

  init(_ seed: Int, _ server: TestServer) async throws {
    self.server = server
    random = Seeded(seed)
    for (at, name) in LeakPlace.names.enumerated() {
      for (scope, holder) in [
        ("bot", "robin"), ("bot", "rival"), ("agent", "a1"), ("agent", "a2"),
        ("supervisor", "boss"), ("integration", "till"), ("telephony", "hook"), ("admin", "root"),
      ] {
        let token = try await server.token(scope, holder, workspace: name)
        callers.append(Caller(reader: .init(at, scope, holder), token: token))
        guard scope == "agent" else { continue }
        let status = try await server.call(
          "PUT", "/v1/agents/me/status", ["status": "available", "lease_seconds": 3_600], by: token)
        if status.status != 200 { failure = "\(holder) is not available: \(status)" }
      }
    }
    let token = try await server.token("bot", "robin", workspace: LeakPlace.names[0])
    doomed = callers.count
    callers.append(Caller(reader: .init(0, "bot", "robin"), token: token))
    callers.append(
      Caller(reader: .init(0, "nobody", ""), token: "tl_" + String(token.dropFirst(9))))
  }

  func caller(_ at: Int, _ scope: String, _ holder: String) -> Caller {
    callers[callers.firstIndex { $0.reader == .init(at, scope, holder) } ?? 0]
  }
  func boss(_ at: Int) -> Caller { caller(at, "supervisor", "boss") }

  /// - Parameter revokes: whether the second token ends half-way.
  func play(steps: Int, revokes: Bool = false) throws {
    connections = try (0..<3).map { _ in try KeptConnection(port: server.port("http")) }
    mailer = nil
    try listenAnew()
    for number in 0..<steps where failure == nil {
      self.steps += 1
      if revokes, number == steps / 2 { try revoke() }
      try step()
      listen()
    }
    if failure == nil { try hearOut() }
    for listener in listeners {
      if listener.stream.isClosed, callers[listener.caller].scope != "nobody" {
        fail("the stream of \(callers[listener.caller].reader) was closed")
      }
      listener.stream.close()
    }
    (listeners, connections, mailer) = ([], [], nil)
  }

  private func step() throws {
    let at = random.below(2)
    switch random.below(24) {
    case 0..<5: try opens(at)
    case 5..<9: try speaks(at)
    case 9, 10: try handsOver(at)
    case 11, 12: try works(at)
    case 13: try tells(at)
    case 14: try calls(at)
    case 15: try mails(at)
    case 16: try uploads(at)
    case 17: try joins(at)
    case 18: try decides(at)
    case 19: try random.chance(40) ? exports(at) : random.chance(75) ? redacts(at) : erases(at)
    default: try asks(at)
    }
  }

  // MARK: - Requests

  func request(
    _ method: String, _ target: String, _ body: Body? = nil, by caller: Caller, key: String? = nil
  ) -> HTTPCall {
    var call = HTTPCall(
      method: method, target: target, headers: [("Authorization", "Bearer \(caller.token)")],
      body: body.map { Array($0.encoded.utf8) })
    if body != nil { call.headers.append(("Content-Type", "application/json")) }
    if let key { call.headers.append(("Idempotency-Key", key)) }
    return call
  }

  /// On any of the connections, which all callers share.
  func send(_ calls: [HTTPCall]) throws -> [Reply] {
    try connections[random.below(connections.count)].send(calls)
  }

  /// Asks, and looks at the answer.
  @discardableResult
  func call(
    _ method: String, _ target: String, _ body: Body? = nil, by caller: Caller,
    _ asked: Asked = Asked()
  ) throws -> Reply {
    let reply = try send([request(method, target, body, by: caller)])[0]
    look(at: reply, "\(method) \(target)", caller, asked)
    return reply
  }

  func administer(_ target: String, _ body: Body) throws -> Reply {
    try HTTPCall(
      method: "POST", target: target, headers: [("Content-Type", "application/json")],
      body: Array(body.encoded.utf8)
    ).send(on: try Socket.connect(path: server.settings.data + "/admin.socket"))
  }

  func deliver(_ letter: Letter) throws -> Int {
    let talk = try mailer ?? MailTalk(port: server.port("smtp"))
    mailer = talk
    return try talk.deliver(letter)
  }

  // MARK: - What may be seen

  func look(at reply: Reply, _ what: String, _ caller: Caller, _ asked: Asked) {
    if caller.scope == "nobody", reply.status != 401 {
      fail("\(what) is answered \(reply.status) to a token that is none")
    }
    if let owner = asked.owner, owner != caller.at, ![401, 403, 404].contains(reply.status) {
      fail("\(what) of workspace \(owner) is answered \(reply.status) to workspace \(caller.at)")
    }
    look(in: reply.body, what, caller, asked)
  }

  /// - Parameter earlier: what was so when an answer may have been read that arrives only now.
  func look(
    in bytes: [UInt8], _ what: String, _ caller: Caller, _ asked: Asked,
    earlier: (secrets: Secrets, reader: Secrets.Reader)? = nil
  ) {
    for mark in Set(Secrets.marks(in: bytes)) {
      seen[asked.kind, default: 0] += 1
      let isAllowed = [(secrets, caller.reader), earlier].compactMap(\.self).contains {
        (secrets: Secrets, reader: Secrets.Reader) in
        secrets.maySee(mark, reader, in: asked.session, isWhole: asked.isWhole)
      }
      if isAllowed, asked.of.map({ secrets.isOf(mark, $0, caller.at) }) ?? true { continue }
      fail(
        "\(caller.scope) \(caller.reader.holder) of workspace \(caller.at) was shown, by \(what), "
          + secrets.story(mark) + (asked.of.map { ", which is not of \($0)" } ?? ""))
    }
  }

  func note(_ line: String) { trace.append("\(steps): \(line)") }
  func fail(_ sentence: String) {
    if failure == nil { failure = "\(sentence)\n" + trace.suffix(60).joined(separator: "\n") }
  }

  // MARK: - Where the server keeps what

  private var edge: Edge { get throws { try require(server.running?.edge) } }
  func reads() throws -> any StoreReader { try edge.store.reader() }
  func workspace(_ at: Int) throws -> WorkspaceID {
    try require(edge.workspace(named: LeakPlace.names[at])?.workspace)
  }
  private func require<T>(_ value: T?) throws -> T {
    guard let value else { throw Socket.Fault(description: "the server is not there") }
    return value
  }

  /// Where a session is now.
  @discardableResult
  func place(_ index: Int) throws -> String {
    let session = secrets.sessions[index]
    guard let id = SessionID(session.id),
      let row = try reads().session(try workspace(session.workspace), id)
    else { return "" }
    secrets.sessions[index].conversations.insert("\(row.conversation)")
    return "\(row.conversation)"
  }
  func placeAll(_ at: Int) throws {
    for index in secrets.sessions.indices where secrets.sessions[index].workspace == at {
      try place(index)
    }
  }

  /// The record of a proven identity.
  func record(_ node: Reference.Node, _ at: Int) throws -> CustomerID? {
    let parts = node.split(separator: ":", maxSplits: 1)
    let workspace = try workspace(at)
    guard parts.count == 2, let kind = IdentityKind(name: String(parts[0])),
      let api = try edge.api(workspace)
    else { return nil }
    let identity = Identity(kind: kind, value: String(parts[1]))
    return try reads().identity(workspace, hash: api.hash(identity))?.customer
  }

  static let nodes =
    LeakPlace.emails.map { "email:\($0)" } + LeakPlace.phones.map { "phone:\($0)" }

  /// Whose a case is, and where; what is said in it is of nobody whom a bot knows, else.
  func matter(_ id: String, _ at: Int) throws -> (node: Reference.Node, conversation: String) {
    let workspace = try workspace(at)
    guard let id = CaseID(id), let row = try reads().aCase(workspace, id),
      let conversation = try reads().conversation(workspace, row.conversation)
    else { return ("nobody", "") }
    let record = (try? CaseAbout(decoding: row.about))?.customer ?? conversation.customer
    let node = try nameless[at][record] ?? Self.nodes.first { try self.record($0, at) == record }
    return (node ?? "nobody", "\(row.conversation)")
  }
}
