import Model
import Pipeline
import Routing

/// What agents and supervisors do with a case beside answering it, and how agents leave.
extension API {
  func act(_ request: APIRequest, _ caller: Caller, _ id: CaseID, _ what: String) throws(APIProblem) -> APIAction {
    let key = request.idempotency
    var fields = try Fields(orNothing: request.body)
    let act: CaseAct
    switch what {
    case "park": act = .park(try agent(caller), for: try seconds(&fields, most: 366 * 86_400))
    case "resume": act = .resume(try agent(caller))
    case "extend": act = .extendWrapUp(try agent(caller), by: try seconds(&fields, most: 3_600))
    case "consult":
      act = .consult(try agent(caller), with: try named(&fields), for: try seconds(&fields, most: 8 * 3_600))
    case "end-consult": act = .endConsult(try agent(caller))
    case "take-over": act = .takeOver(try agent(caller))
    case "assign":
      try need(caller, .supervisor, .admin)
      act = .assign(to: try named(&fields))
    case "requeue":
      try need(caller, .supervisor, .admin)
      act = .requeue
    default: throw .notFound("page")
    }
    try fields.end()
    return .submit(.onCase(id, act), key, .direct { APIResponse($0) })
  }

  private func seconds(_ fields: inout Fields, most: Int64) throws(APIProblem) -> Duration64 {
    guard let seconds = try fields.optionalInteger("seconds", 1...most) else {
      throw fields.problem("seconds", "seconds is required: for how long, 1 to \(most)")
    }
    return .seconds(seconds)
  }

  private func named(_ fields: inout Fields) throws(APIProblem) -> AgentID {
    let name = try fields.text("agent")
    guard let agent = directory.agents[name] else { throw fields.problem("agent", "there is no agent \"\(name)\"") }
    return agent
  }

  /// The agent finishes what they have, gets nothing more, and is that then.
  func finish(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    let agent = try agent(caller)
    var fields = try Fields(request.body)
    let name = try fields.text("status")
    let known: [String: AgentStatus] = [
      "offline": .offline, "busy": .busy, "break": .onBreak, "meeting": .meeting, "training": .training,
    ]
    guard let status = known[name] else {
      throw fields.problem("status", "status must be busy, break, meeting, training or offline")
    }
    try fields.end()
    return .submit(.finish(agent, then: status), request.idempotency, .direct { APIResponse($0) })
  }

  /// The channels on which the agent wants to be offered something.
  func chooseChannels(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    let agent = try agent(caller)
    var fields = try Fields(request.body)
    var channels: [Channel] = []
    for name in try fields.texts("channels") {
      guard let channel = Channel.allCases.first(where: { $0.name == name }) else {
        throw fields.problem("channels", "channels may name chat, email and phone")
      }
      channels.append(channel)
    }
    try fields.end()
    return .submit(
      .chooseChannels(agent, channels), request.idempotency, .direct { APIResponse($0) })
  }
}
