import Model
import System

/// Why a case waits or an agent is idle. The server answers it, since it has the live state and the
/// log.
public struct ExplainRequest: Sendable {
  public enum Subject: Sendable {
    case aCase(CaseID)
    case agent(AgentID)
  }
  public var subject: Subject
  /// Nil: now.
  public var at: Instant?
  /// Who asks, such as `supervisor:sue`.
  public var by: String

  private static let aheadMaxMilliseconds: Int64 = 60_000

  /// - Parameter query: finds a parameter of the request by its name.
  public init(
    _ directory: Directory, by who: String, _ query: (String) -> String?
  ) throws(APIProblem) {
    by = who
    switch (query("case"), query("agent")) {
    case (let text?, nil):
      guard let id = CaseID(text) else {
        throw APIProblem(
          422, "malformed-id", "Which case?", "case must be an id such as case_…", field: "case")
      }
      subject = .aCase(id)
    case (nil, let name?):
      guard let agent = directory.agents[name] else {
        throw .notFound("agent \"\(name.prefix(64))\"")
      }
      subject = .agent(agent)
    case (_?, _?), (nil, nil):
      throw APIProblem(
        422, "missing-field", "What?", "name a case, as case=case_…, or an agent, as agent=ann")
    }
    guard let text = query("at") else { return }
    guard let instant = Instant(rfc3339: text) else {
      throw APIProblem(
        422, "wrong-value", "When?", "at must be a time such as 2026-11-26T09:30:00Z", field: "at")
    }
    let ahead = instant.milliseconds - WallClock.nowMilliseconds
    guard ahead <= Self.aheadMaxMilliseconds else {
      throw APIProblem(
        422, "wrong-value", "When?", "at must not lie in the future: \(instant)", field: "at")
    }
    // By a clock that is ahead of ours it is now.
    if ahead <= 0 { at = instant }
  }
}

extension API {
  func explain(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    try need(caller, .supervisor, .admin)
    return .explain(try ExplainRequest(directory, by: caller.signature) { request.query($0) })
  }
}
