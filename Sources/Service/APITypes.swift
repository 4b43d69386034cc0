import Continuity
import Model
import Pipeline
import Records
import Routing
import Wire

/// A request as the API sees it: no socket, no framing.
public struct APIRequest: Sendable {
  public var method: String
  /// Decoded segments of the path, `/v1` and all.
  public var path: [String]
  public var query: [(name: String, value: String)]
  public var body: [UInt8]
  public var contentType: String
  public var idempotencyKey: String?
  public var fileName: String?
  /// The `Accept` header.
  public var accept: String
  /// What its key and everything that it says come to, where it has a key.
  var idempotency: Idempotency?
  /// Takes out of its words what must never be written.
  var redactor = Redactor()

  public init(
    method: String, path: [String], query: [(name: String, value: String)], body: [UInt8],
    contentType: String,
    idempotencyKey: String?, fileName: String? = nil, accept: String = ""
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.contentType = contentType
    self.idempotencyKey = idempotencyKey
    self.fileName = fileName
    self.accept = accept
  }

  public func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// A misspelt parameter would be a wish that nobody hears.
  func unknownParameter() -> APIProblem? {
    let page = Array(path.dropFirst())
    let known: [String] =
      switch (page.first, page.last, page.count) {
      case ("sessions", "events", 3): ["after", "wait"]
      case ("agents", "next", 3): ["wait"]
      case ("blobs", _, 1): ["name"]
      case ("search", _, _):
        ["agent", "before", "channel", "customer", "from", "limit", "q", "queue", "until"]
      case ("customers", _, 1): ["kind", "value"]
      case ("explain", _, 1): ["agent", "at", "case"]
      case ("customers", "timeline", 3): ["after", "before", "format", "limit"]
      default: []
      }
    return APIProblem.unknownParameter(query.map(\.name), known: known)
  }

  var isAttachment: Bool { path == ["v1", "blobs"] }

  /// What a repeat must say as well, in bytes that no other request has. An attachment's name and
  /// type are not in its body; how long to wait is nobody's content.
  var saying: [UInt8] {
    var w = ByteWriter(reserving: body.count + 128)
    w.string(method)
    w.array(path) { $0.string($1) }
    if isAttachment {
      w.string(contentType)
      w.optional(fileName) { $0.string($1) }
    }
    w.raw(body)
    return w.bytes
  }
}

public struct APIResponse: Sendable, Equatable {
  public var status: Int
  public var contentType: String
  public var body: [UInt8]
  /// What stands in place of the body: an attachment's bytes, which are not read yet.
  public var file: File?
  public var headers: [Header] = []

  public struct File: Sendable, Equatable {
    public var workspace: WorkspaceID
    public var id: BlobID
    public var hash: Digest
    /// In bytes.
    public var size: Int64
  }

  public struct Header: Sendable, Equatable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(_ status: Int, json body: [UInt8]) {
    self.status = status
    contentType = "application/json"
    self.body = body
  }

  public init(_ status: Int, contentType: String, _ body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  public init(_ problem: APIProblem) {
    status = problem.status
    contentType = "application/problem+json"
    body = problem.json
    if !problem.allowed.isEmpty {
      headers = [Header("Allow", problem.allowed.joined(separator: ", "))]
    }
    if status == 401 { headers = [Header("WWW-Authenticate", "Bearer")] }
  }
}

/// What the server must do for a request. Plain values and, where a reader is needed, one closure
/// that renders.
public enum APIAction: Sendable {
  case respond(APIResponse)
  /// Decide it in the workspace's writer, then render the answer once it is durable.
  case submit(Intake, Idempotency?, Rendering)
  /// The agent asks for a case; the answer is an offer, or nothing when the time is up.
  case next(AgentID, waitSeconds: Int, Idempotency?, Rendering)
  /// News of the call of this key; the answer is what to do next, at the latest when so many
  /// seconds have passed.
  case call(Intake, call: [UInt8], Idempotency?, waitSeconds: Int, RefusalWords)
  /// Look at the machine as it is now; then, once what was seen is durable, answer with what else
  /// must be read. While nothing becomes durable: with what can be read alone, where that will do.
  case look(@Sendable (borrowing Router) -> Render, orRead: Render? = nil)
  /// Wait for what is decided now, then read.
  case read(Render)
  /// Answer when the conversation has entries after a number, or when the time is up.
  case poll(Poll)
  /// Keep the bytes as a blob, then submit its row.
  case keepBlob(BlobRow, [UInt8], Idempotency?)
  /// Look at the workspace's rules, try them, or change them.
  case rules(RulesRequest, Idempotency?)
  /// Say why a case waits or an agent is idle, now or at an earlier instant.
  case explain(ExplainRequest)
  /// Become a WebSocket.
  case stream
}

/// What a refusal means to whoever made this very request, where the general words would speak to
/// somebody else.
public typealias RefusalWords = [Rejection: (title: String, detail: String)]
public typealias Render = @Sendable (any StoreReader) throws(StoreFault) -> APIResponse

/// How an answer becomes a response.
public enum Rendering: Sendable {
  /// From the answer alone, on the lane.
  case direct(@Sendable (Answer) -> APIResponse)
  /// With a look into the store, in the read pool.
  case reading(@Sendable (Answer, any StoreReader) throws(StoreFault) -> APIResponse)
}

public struct Poll: Sendable {
  public var session: SessionID
  public var after: EntryID
  public var waitSeconds: Int
  public init(session: SessionID, after: EntryID, waitSeconds: Int) {
    self.session = session
    self.after = after
    self.waitSeconds = waitSeconds
  }
}
