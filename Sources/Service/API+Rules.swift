import Continuity
import Model
import WebCodec

/// What is asked of a workspace's rules. The server answers it, since it has them.
public enum RulesRequest: Sendable {
  /// The running version and the history, or one version with its files.
  case show(version: UInt32?)
  /// Whether files are in order and do what their tests say; nil for those that run.
  case check([String: String]?)
  case explain(ExplainRules)
  /// - Parameter over: refused where another version runs than this; nil for whichever runs.
  case publish([String: String], note: String, evenIfTestsFail: Bool, over: UInt32?)
  /// - Parameters:
  ///   - rulesOnly: queues, agents and all else stay as they are; only rules and their tests go back.
  ///   - over: as for `publish`.
  case rollback(to: UInt32, note: String, rulesOnly: Bool, over: UInt32?)
}

/// Which facts to try on which rules.
public struct ExplainRules: Sendable {
  public enum Subject: Sendable {
    /// A past case, by the facts it was routed by.
    case aCase(CaseID)
    /// Facts as JSON, as a test's `given` holds them.
    case facts([UInt8])
  }
  public var subject: Subject
  /// Names of facts that may be anything.
  public var unknown: [String]
  /// Rules to try it on; nil for the case's own version, or the one that runs.
  public var version: UInt32?
  public var files: [String: String]?

  public init(
    subject: Subject, unknown: [String] = [], version: UInt32? = nil, files: [String: String]? = nil
  ) {
    self.subject = subject
    self.unknown = unknown
    self.version = version
    self.files = files
  }
}

/// Rules over HTTP: looking at them and trying them needs `supervisor`, changing them `admin`.
extension API {
  func rules(_ request: APIRequest, _ caller: Caller, _ path: [String]) throws(APIProblem)
    -> APIAction
  {
    switch (request.method, path.dropFirst().first, path.count) {
    case ("GET", nil, 1):
      try need(caller, .supervisor, .admin)
      return .rules(.show(version: nil), nil)
    case ("GET", let version?, 2):
      try need(caller, .supervisor, .admin)
      guard let version = UInt32(version) else { throw .notFound("version of the rules") }
      return .rules(.show(version: version), nil)
    case ("POST", "check", 2):
      try need(caller, .supervisor, .admin)
      return .rules(try Self.rulesRequest("check", request.body, redactor), request.idempotency)
    case ("POST", "explain", 2):
      try need(caller, .supervisor, .admin)
      return .rules(try Self.rulesRequest("explain", request.body, redactor), request.idempotency)
    case ("POST", nil, 1):
      try need(caller, .admin)
      return .rules(try Self.rulesRequest("publish", request.body, redactor), request.idempotency)
    case ("POST", "rollback", 2):
      try need(caller, .admin)
      return .rules(try Self.rulesRequest("rollback", request.body, redactor), request.idempotency)
    default:
      throw APIProblem(
        405, "method-not-allowed", "Method not allowed", "\(request.method) is not possible here")
    }
  }

  /// Reads what is asked under one of the names `check`, `explain`, `publish` and `rollback`.
  public static func rulesRequest(
    _ what: String, _ body: [UInt8], _ redactor: Redactor = Redactor()
  ) throws(APIProblem) -> RulesRequest {
    if what == "check", body.isEmpty { return .check(nil) }
    var fields = try Fields(body, redactor)
    let request: RulesRequest
    switch what {
    case "check": request = .check(try files(&fields))
    case "explain": request = .explain(try explain(&fields))
    case "publish":
      guard let files = try files(&fields) else {
        throw fields.problem(
          "files", "files is required: texts by their paths, such as rules/10-vip.yaml",
          type: "missing-field")
      }
      request = .publish(
        files, note: try fields.optionalWords("note", bytesMax: 4_096) ?? "",
        evenIfTestsFail: try fields.optionalFlag("even_if_tests_fail") ?? false,
        over: try version("over", &fields))
    case "rollback":
      guard let wanted = try version("version", &fields) else {
        throw fields.problem(
          "version", "version is required: one of those that GET /v1/rules lists",
          type: "missing-field")
      }
      request = .rollback(
        to: wanted, note: try fields.optionalWords("note", bytesMax: 4_096) ?? "",
        rulesOnly: try fields.optionalFlag("rules_only") ?? false,
        over: try version("over", &fields))
    default: throw .noPage
    }
    try fields.end()
    return request
  }

  private static func version(_ name: String, _ fields: inout Fields) throws(APIProblem) -> UInt32?
  {
    try fields.optionalInteger(name, 1...Int64(UInt32.max)).map { UInt32($0) }
  }

  private static func files(_ fields: inout Fields) throws(APIProblem) -> [String: String]? {
    guard let given = try fields.object("files") else { return nil }
    var files: [String: String] = [:]
    for (path, value) in given {
      guard let text = value.string else {
        throw fields.problem("files", "\"\(path.prefix(100))\" must be a text", type: "wrong-kind")
      }
      files[path] = text
    }
    return files
  }

  private static func explain(_ fields: inout Fields) throws(APIProblem) -> ExplainRules {
    let subject: ExplainRules.Subject
    switch (try fields.optionalText("case"), try fields.object("facts")) {
    case (let text?, nil):
      guard let id = CaseID(text) else {
        throw fields.problem("case", "case must be an id such as case_…")
      }
      subject = .aCase(id)
    case (nil, let facts?):
      subject = .facts(JSONValue.object(JSONObject(facts.map { .init($0.name, $0.value) })).encoded)
    default: throw fields.problem("facts", "say either case or facts", type: "missing-field")
    }
    return ExplainRules(
      subject: subject, unknown: try fields.texts("unknown"),
      version: try version("version", &fields),
      files: try files(&fields))
  }
}
