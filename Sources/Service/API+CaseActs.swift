import Model
import Pipeline
import Routing

/// What agents and supervisors do with a case beside answering it.
extension API {
  func act(_ request: APIRequest, _ caller: Caller, _ id: CaseID, _ what: String) throws(APIProblem)
    -> APIAction
  {
    let key = request.idempotency
    var fields = try Fields(orNothing: request)
    let act: CaseAct
    var words: RefusalWords = [:]
    switch what {
    case "park": act = .park(try agent(caller), for: try seconds(&fields, most: 366 * 86_400))
    case "resume": act = .resume(try agent(caller))
    case "hold":
      act = .hold(try agent(caller), for: try seconds(&fields, most: 3_600))
    case "unhold":
      act = .endHold(try agent(caller))
    case "extend":
      act = .extendWrapUp(try agent(caller), by: try seconds(&fields, most: 3_600))
    case "consult":
      let agent = try agent(caller)
      let other = try named(&fields)
      act = .consult(agent, with: other, for: try seconds(&fields, most: 8 * 3_600))
      words = away(other)
    case "end-consult": act = .endConsult(try agent(caller))
    case "take-over": act = .takeOver(try agent(caller))
    case "assign":
      try need(caller, .supervisor, .admin)
      let other = try named(&fields)
      act = .assign(to: other)
      words = away(other)
    case "requeue":
      try need(caller, .supervisor, .admin)
      act = .requeue
    default: throw .noPage
    }
    try fields.end()
    words[.caseIsCall] = Self.callWords[what].map { ("Not with a call", $0) }
    return .submit(.onCase(id, act), key, .direct { [words] in APIResponse($0, words) })
  }

  /// What is done with a call in place of what was asked.
  private static let callWords = [
    "park":
      "a call cannot be parked: put the caller on hold, pass the call on, or close it and call back",
    "assign": "a call cannot be put into anybody's hands: it rings, or whoever has it transfers it",
    "requeue": "somebody talks with this caller: whoever does transfers the call to its queue",
    "take-over": "a call stays on its agent's phone: ask them to transfer it to you",
  ]

  /// Not whoever asks is away, but whom they ask for.
  private func away(_ other: AgentID) -> RefusalWords {
    let name = directory.agentNames[other.raw] ?? "that agent"
    return [
      .agentNotAvailable: (
        "\(name) is not available",
        "\(name) is away or not available; choose somebody else, or wait"
      )
    ]
  }

  private func seconds(_ fields: inout Fields, most: Int64) throws(APIProblem) -> Duration64 {
    guard let seconds = try fields.optionalInteger("seconds", 1...most) else {
      throw fields.problem("seconds", "seconds is required: for how long, 1 to \(most)")
    }
    return .seconds(seconds)
  }

  private func named(_ fields: inout Fields) throws(APIProblem) -> AgentID {
    let name = try fields.text("agent")
    guard let agent = directory.agents[name] else {
      throw fields.problem(
        "agent", "there is no agent \"\(name)\"; there are \(Listing.of(directory.agents.keys))")
    }
    return agent
  }
}
