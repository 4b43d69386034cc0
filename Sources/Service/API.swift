import Continuity
import Model
import Pipeline
import Records
import Routing
import System

/// The HTTP API without HTTP: a request and its caller in, what to do about it out. Everything that
/// needs a clock, entropy or the workspace's names is handed in by value, so that a lane can hold
/// one of these.
public struct API: Sendable {
  public var directory: Directory
  public var identityKey: HMACKey
  /// E.164 by a region; nil where it is no number.
  public var e164: @Sendable (String, String) -> String?
  public var blobBytesMax: Int
  public var now: @Sendable () -> Instant = { Instant(milliseconds: WallClock.nowMilliseconds) }
  /// Takes out of what comes in what must never be written.
  public var redactor = Redactor()
  /// Names of the rules of a version that no longer applies, in order; none where it is not kept.
  public var earlierRuleNames: @Sendable (UInt32, any StoreReader) throws(StoreFault) -> [String] =
    { _, _ in [] }
  /// Makes durable who reads what; called before the answer leaves.
  public var recordAccess: @Sendable ([AccessRow], WorkspaceID) -> Void = { _, _ in }

  public init(
    directory: Directory, identityKey: HMACKey, blobBytesMax: Int,
    e164: @escaping @Sendable (String, String) -> String?
  ) {
    self.directory = directory
    self.identityKey = identityKey
    self.blobBytesMax = blobBytesMax
    self.e164 = e164
  }

  var resumeTokens: ResumeToken { ResumeToken(workspace: directory.workspace, key: identityKey) }

  public func ruleNames(_ version: UInt32, _ reads: any StoreReader) throws(StoreFault) -> [String]
  {
    version == directory.ruleVersion ? directory.ruleNames : try earlierRuleNames(version, reads)
  }

  public func handle(_ request: APIRequest, _ caller: Caller) -> APIAction {
    var request = request
    do throws(APIProblem) {
      // Of what came in: redacted, two card numbers would be one body.
      request.idempotency = try idempotency(request, caller)
      request.redactor = redactor
      let action = try route(request, caller)
      if let problem = request.unknownParameter() { throw problem }
      return action
    } catch { return .respond(APIResponse(allowing(error, request, caller))) }
  }

  /// What is wrong with a request whatever its content says: a page that is not there, a method, a
  /// scope. Known before a byte of content is taken, since to handle a request only makes values:
  /// it is tried with none.
  public func refusal(_ request: APIRequest, _ caller: Caller) -> APIProblem? {
    do throws(APIProblem) {
      _ = try route(request, caller)
      return nil
    } catch {
      return [403, 404, 405].contains(error.status) ? allowing(error, request, caller) : nil
    }
  }

  /// RFC 9110 §15.5.6: a method that a page does not take is answered with those that it does.
  private func allowing(_ problem: APIProblem, _ request: APIRequest, _ caller: Caller)
    -> APIProblem
  {
    guard problem.status == 405 else { return problem }
    var problem = problem
    let allowed = ["GET", "POST", "PUT", "DELETE"].filter { method in
      var other = request
      (other.method, other.body) = (method, [])
      do throws(APIProblem) { _ = try route(other, caller) } catch { return error.status != 405 }
      return true
    }
    problem.allowed = allowed.flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }
    return problem
  }

  private func route(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    guard request.path.first == "v1" else { throw .noPage }
    let path = Array(request.path.dropFirst())
    switch (request.method, path.first ?? "", path.count) {
    case ("POST", "sessions", 1): return try openSession(request, caller)
    case ("POST", "sessions", 3):
      switch path[2] {
      case "messages": return try say(request, caller, try id(path[1]))
      case "learned": return try learned(request, caller, try id(path[1]))
      case "handoff": return try handoff(request, caller, try id(path[1]))
      case "end": return try endSession(request, caller, try id(path[1]))
      default: throw .noPage
      }
    case ("GET", "sessions", 3) where path[2] == "brief":
      return try brief(request, caller, try id(path[1]))
    case ("GET", "sessions", 3) where path[2] == "events":
      return try poll(request, caller, try id(path[1]))
    case ("GET", "stream", 1): return .stream
    case (_, "rules", 1...2): return try rules(request, caller, path)
    case ("POST", "journey", 1): return try journey(request, caller)
    case ("POST", "calls", 1): return try newCall(request, caller)
    case ("POST", "calls", 3) where path[2] == "events":
      return try callEvent(request, caller, path[1])
    case ("POST", "blobs", 1): return try postBlob(request, caller)
    case ("GET", "blobs", 2): return try getBlob(request, caller, try id(path[1]))
    case ("GET", "agents", 1): return try listAgents(caller)
    case ("GET", "agents", 2): return try showAgent(path[1], caller)
    case ("PUT", "agents", 3) where path[1] == "me" && path[2] == "status":
      return try setStatus(request, caller)
    case ("POST", "agents", 3) where path[1] == "me" && path[2] == "next":
      return try next(request, caller)
    case ("PUT", "agents", 3) where path[1] == "me" && path[2] == "channels":
      return try chooseChannels(request, caller)
    case ("POST", "agents", 3) where path[1] == "me" && path[2] == "finish":
      return try finish(request, caller)
    case ("POST", "offers", 3): return try onOffer(request, caller, try id(path[1]), path[2])
    case ("GET", "cases", 2): return try getCase(request, caller, try id(path[1]))
    case ("POST", "cases", 3): return try onCase(request, caller, try id(path[1]), path[2])
    case ("GET", "explain", 1): return try explain(request, caller)
    case ("POST", "entries", 3) where path[2] == "redact":
      return try redact(request, caller, path[1])
    case ("GET", "search", 1): return try search(request, caller)
    case ("GET", "conversations", 2): return try getConversation(request, caller, try id(path[1]))
    case ("DELETE", "conversations", 4) where path[2] == "tags":
      return try untag(request, caller, try id(path[1]), path[3])
    case ("POST", "conversations", 3) where path[2] == "tags":
      return try tag(request, caller, try id(path[1]))
    case ("POST", "conversations", 3):
      return try onConversation(request, caller, try id(path[1]), path[2])
    case ("GET", "customers", 1): return try findCustomer(request, caller)
    case ("GET", "customers", 2): return try getCustomer(request, caller, try id(path[1]))
    case ("GET", "customers", 3) where path[2] == "timeline":
      return try timeline(request, caller, try id(path[1]))
    case ("POST", "customers", 3): return try onCustomer(request, caller, try id(path[1]), path[2])
    case (_, "sessions", 1...3), (_, "journey", 1), (_, "blobs", 1...2), (_, "agents", 1...3),
      (_, "offers", 3), (_, "calls", 1), (_, "calls", 3),
      (_, "cases", 2...3), (_, "customers", 1...3), (_, "conversations", 2...4), (_, "stream", 1),
      (_, "search", 1),
      (_, "explain", 1), (_, "entries", 3):
      throw APIProblem(
        405, "method-not-allowed", "Method not allowed", "\(request.method) is not possible here")
    default: throw .noPage
    }
  }

  func id<Kind>(_ text: String, _: ID<Kind>.Type = ID<Kind>.self) throws(APIProblem) -> ID<Kind> {
    guard let id = ID<Kind>(text) else {
      throw APIProblem(
        404, "malformed-id", "Not an id",
        "\"\(text.prefix(60))\" is not an id such as \(Kind.prefix)_…")
    }
    return id
  }

  func need(_ caller: Caller, _ scopes: Caller.Scope...) throws(APIProblem) {
    guard scopes.contains(caller.scope) else {
      let names = Caller.Scope.sentence(scopes)
      throw .forbidden("this needs a token of scope \(names); yours is \(caller.scope.rawValue)")
    }
  }

  func agent(_ caller: Caller) throws(APIProblem) -> AgentID {
    try need(caller, .agent, .supervisor)
    guard let agent = directory.agents[caller.holder] else {
      guard caller.scope == .agent else {
        throw .forbidden(
          "only agents do this, and supervisor \"\(caller.holder)\" is none: use an agent's token, or add "
            + "\"\(caller.holder)\" to agents.yaml")
      }
      throw .forbidden("the rules know no agent \"\(caller.holder)\"; add it to agents.yaml")
    }
    return agent
  }

  func bot(_ caller: Caller) throws(APIProblem) -> BotID {
    try need(caller, .bot)
    guard let bot = directory.bots[caller.holder] else {
      throw .forbidden("the rules know no bot \"\(caller.holder)\"; add it to workspace.yaml")
    }
    return bot
  }

  private func idempotency(_ request: APIRequest, _ caller: Caller) throws(APIProblem)
    -> Idempotency?
  {
    guard request.method != "GET", let key = request.idempotencyKey else { return nil }
    guard !key.isEmpty, key.utf8.count <= 255 else {
      throw APIProblem(
        400, "bad-idempotency-key", "Bad Idempotency-Key", "the key must have 1 to 255 bytes")
    }
    let name = Array("\(caller.token)\n\(key)".utf8)
    return Idempotency(
      key: Array(SHA256.hash(name).bytes.prefix(16)),
      bodyHash: Digest(identityKey.sign(request.saying)))
  }
}

extension Digest {
  public init(_ digest: Digest256) { self = Digest(bytes: digest.bytes) ?? .zero }
}
