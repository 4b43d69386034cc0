import HTTPTypes
import Model
import Pipeline
import Service
import Sockets
import System
import WebCodec

/// At the head of a request with content, before a byte of that is kept: whether it is welcome, and
/// how much of it.
///
/// Whoever has no token must not be able to make the server hold a body, nor whoever asks for a
/// page that is not there.
/// Short content of a caller we know is just read: to look twice would cost more than it.
extension HTTPConnection {
  func admit(_ request: IncomingRequest, _ connection: Connection) {
    if let answer = answerAtHead(request) { return turnAway(request, answer, connection) }
    // Whoever has ended their half can send none.
    if request.expectsContinue, !peerHasEnded {
      connection.write(HTTPResponseEncoder.continueBytes)
    }
  }

  /// Answers now. Where the content's end is certain and near, it is read and forgotten, and the
  /// connection lives on.
  private func turnAway(_ request: IncomingRequest, _ answer: APIResponse, _ connection: Connection)
  {
    start(request, connection)
    contentBytes = request.contentLength ?? 0
    if !dropContent() { exchange?.reply.keepAlive = false }
    finish(answer, connection)
  }

  /// What is answered whatever the content says; nil when it may come.
  private func answerAtHead(_ request: IncomingRequest) -> APIResponse? {
    guard let path = request.pathSegments, let query = request.queryParameters else {
      return .malformedTarget
    }
    if !Self.isKnown(request.method) { return .unknownMethod }
    let page = ServerPage(request)
    if let open = openPage(page, request) { return open }
    // Told to those alone whose content would be read.
    let unfit = Self.unfit(request)
    let standard = edge.settings.bodyBytesMax
    if isAdministration, path.first == "admin" {
      return unfit
        ?? bound(request, path.dropFirst().first == "rules" ? rulesBytesMax : standard, nil)
    }
    guard let caller = authenticate(request) else { return APIResponse(.unauthorized) }
    guard let api = edge.api(caller.workspace) else { return unserved(caller) }
    admitted = caller
    if unfit == nil, let length = request.contentLength,
      length <= min(Limit.droppedBytes, standard)
    {
      return bound(request, standard, caller)
    }
    if let refusal = refusal(page, request) { return refusal }
    if let refusal = api.refusal(apiRequest(request, path, query, body: []), caller) {
      return APIResponse(refusal)
    }
    if let unfit { return unfit }
    let isAttachment = path == ["v1", "blobs"] && request.method == .post
    let isRules = path.starts(with: ["v1", "rules"])
    return bound(
      request, isAttachment ? edge.settings.blobBytesMax : isRules ? rulesBytesMax : standard,
      caller)
  }

  /// What content would be taken for something else.
  private static func unfit(_ request: IncomingRequest) -> APIResponse? {
    // RFC 9110 §8.4.1, §15.5.16: read as it is, packed content would be taken for nonsense.
    if request.fields.list("content-encoding", hasOtherThan: "identity") { return .coded }
    // §14.5: and a part for the whole.
    return request.method == .put && !request.fields.values("content-range").isEmpty
      ? .partial : nil
  }

  /// RFC 9110 §9.1: one that is known and of no use on a page gets 405, any other 501.
  static func isKnown(_ method: HTTPRequest.Method) -> Bool {
    switch method {
    case .get, .post, .head, .put, .delete, .options, .patch, .trace: true
    default: false
    }
  }

  private var rulesBytesMax: Int { max(Limit.rulesBytesMax, edge.settings.bodyBytesMax) }

  /// Chunks are counted as they come; a length is judged now.
  /// - Parameter caller: nil for administration, which takes no room.
  private func bound(_ request: IncomingRequest, _ bytesMax: Int, _ caller: Caller?) -> APIResponse?
  {
    if let length = request.contentLength, length > bytesMax {
      return APIResponse(
        APIProblem(413, "too-large", "Too large", "a body may have \(bytesMax) bytes here"))
    }
    let bytes = request.contentLength ?? bytesMax
    contentBytes = bytes
    if bytes > Limit.droppedBytes, let caller {
      do throws(ContentRoom.Refusal) {
        room = try edge.contents.take(bytes, by: .token(caller.token))
      } catch { return error == .full ? .noRoom : .noShare }
    }
    admitContent(bytesMax: bytesMax)
    return nil
  }

  func authenticate(_ request: IncomingRequest) -> Caller? {
    let headers = request.fields.values("authorization")
    guard let header = headers.first, headers.count == 1, header.lowercased().hasPrefix("bearer ")
    else { return nil }
    let text = String(header.dropFirst(7)).trimmingSpaces
    return edge.caller(token: text)
  }

  /// For whoever has a token of a workspace that does not run: it is damaged, or has no rules.
  func unserved(_ caller: Caller) -> APIResponse {
    guard let unserved = edge.unserved(caller.workspace) else {
      return APIResponse(.unauthorized)
    }
    let mayKnow = caller.scope == .admin || caller.scope == .supervisor
    return APIResponse(.workspaceDamaged(mayKnow ? unserved.why : nil))
  }

  func openPage(_ page: ServerPage?, _ request: IncomingRequest) -> APIResponse? {
    if page == .server { return OpenPages.methods }
    guard page == .welcome || page == .health else { return nil }
    guard request.method == .get || request.method == .head else { return .onlyGet }
    if page == .welcome { return OpenPages.welcome }
    return OpenPages.health(edge) { [self] in
      isAdministration ? .administrator : authenticate(request).map { .caller($0) } ?? .anybody
    }
  }

  /// Pages of the server itself take no content.
  func refusal(_ page: ServerPage?, _ request: IncomingRequest) -> APIResponse? {
    guard page == .metrics || page == .queues, request.method != .get, request.method != .head
    else { return nil }
    return .onlyGet
  }

  func unknownParameter(_ page: ServerPage?, _ query: QueryParameters) -> APIResponse? {
    guard page == .metrics || page == .queues else { return nil }
    let known = page == .queues ? ["workspace"] : []
    return APIProblem.unknownParameter(query.pairs.map(\.name), known: known).map {
      APIResponse($0)
    }
  }
}

/// The server's own pages, known before anything of a path becomes a String.
enum ServerPage {
  case welcome, health, metrics, queues, stream
  /// None of them, but the server in general.
  case server

  init?(_ request: IncomingRequest) {
    if request.hasPath("/health") {
      self = .health
    } else if request.isOfServer {
      self = .server
    } else if request.hasPath("/") {
      self = .welcome
    } else if request.hasPath("/metrics") {
      self = .metrics
    } else if request.hasPath("/v1/queues") {
      self = .queues
    } else if request.hasPath("/v1/stream") {
      self = .stream
    } else {
      return nil
    }
  }
}

extension APIResponse {
  static var onlyGet: APIResponse {
    var problem = APIProblem(
      405, "method-not-allowed", "Method not allowed", "only GET is possible here")
    problem.allowed = ["GET", "HEAD"]
    return APIResponse(problem)
  }

  static var unknownMethod: APIResponse {
    APIResponse(
      APIProblem(501, "not-implemented", "Not implemented", "no page here knows this method"))
  }

  static var coded: APIResponse {
    var response = APIResponse(
      APIProblem(
        415, "unsupported-encoding", "Content is packed",
        "send the content as it is, without Content-Encoding"))
    response.headers = [.init("Accept-Encoding", "identity")]
    return response
  }

  static var partial: APIResponse {
    APIResponse(
      APIProblem(
        400, "partial-content", "Not a part", "a PUT replaces all of it: send no Content-Range"))
  }

  static var conditionFailed: APIResponse {
    APIResponse(
      APIProblem(
        412, "precondition-failed", "Nothing was done",
        "no page here has an entity tag: leave out If-Match and If-None-Match"))
  }

  static var noRoom: APIResponse {
    tooMuch(
      503, "no-room",
      "the long content of other requests takes all the memory that there is for it; nothing was recorded, try again in a few seconds"
    )
  }

  static var noShare: APIResponse {
    tooMuch(
      429, "share-taken",
      "other long content by the same token is still under way, and takes as much of the memory for it as stays free for everybody else; nothing was recorded, try again in a few seconds"
    )
  }

  private static func tooMuch(_ status: Int, _ type: String, _ detail: String) -> APIResponse {
    var response = APIResponse(APIProblem(status, type, "Too much at once", detail))
    response.headers = [.init("Retry-After", "5")]
    return response
  }

  static var twoKeys: APIResponse {
    APIResponse(
      APIProblem(
        400, "bad-idempotency-key", "Bad Idempotency-Key",
        "the request has more than one Idempotency-Key"))
  }

  static var malformedTarget: APIResponse {
    APIResponse(
      APIProblem(
        400, "malformed-target", "Malformed target",
        "the path or query is not valid percent-encoding"))
  }
}
