import Channels
import Expressions
import Model
import Pipeline
import Routing

/// What agents are: at all, on some channels, or once they have finished.
extension API {
  /// With `channels` the status is that of these channels alone.
  func setStatus(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    let agent = try agent(caller)
    var fields = try Fields(request)
    let known = try status(&fields)
    let because = try reason(&fields, known)
    let channels = try channels(&fields)
    let lease = try fields.optionalInteger("lease_seconds", 10...43_200).map {
      Duration64.seconds($0)
    }
    try fields.end()
    guard let channels else {
      return .submit(
        .setStatus(agent, known.status, because: because, lease: lease), request.idempotency,
        .direct { APIResponse($0) })
    }
    guard !channels.isEmpty else {
      throw fields.problem("channels", "channels must name at least one of chat, email and phone")
    }
    guard lease == nil else {
      throw fields.problem(
        "lease_seconds", "lease_seconds is about you and not about a channel: leave channels out")
    }
    guard known.status == .available || known.counts != .available else {
      throw fields.problem(
        "status",
        "\(known.name) counts as available: of some channels say available, or what takes no cases: "
          + Listing.of(directory.statuses.filter { $0.counts != .available }.map(\.name)))
    }
    return .submit(
      .setChannelStatus(agent, channels, known.status, because: because), request.idempotency,
      .direct { APIResponse($0) })
  }

  /// The agent finishes what they have, gets nothing more, and is that then.
  func finish(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    let agent = try agent(caller)
    var fields = try Fields(request)
    let known = try status(&fields)
    guard known.counts != .available else {
      throw fields.problem(
        "status",
        "status must be one that takes no cases: "
          + Listing.of(directory.statuses.filter { $0.counts != .available }.map(\.name)))
    }
    let because = try reason(&fields, known)
    try fields.end()
    return .submit(
      .finish(agent, then: known.status, because: because), request.idempotency,
      .direct { APIResponse($0) })
  }

  /// The channels on which the agent wants to be offered something.
  func chooseChannels(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    let agent = try agent(caller)
    var fields = try Fields(request)
    let channels = try channels(&fields) ?? []
    try fields.end()
    return .submit(
      .chooseChannels(agent, channels), request.idempotency, .direct { APIResponse($0) })
  }

  private func status(_ fields: inout Fields) throws(APIProblem) -> Directory.Status {
    let name = try fields.text("status")
    guard let found = directory.statuses.first(where: { $0.name == name }) else {
      let names = directory.statuses.map(\.name)
      let hint = Spelling.nearest(name, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
      throw fields.problem(
        "status",
        "there is no status \"\(name.prefix(60))\"; there are \(names.joined(separator: ", "))\(hint)",
        type: "unknown-status")
    }
    return found
  }

  private func reason(_ fields: inout Fields, _ status: Directory.Status) throws(APIProblem)
    -> StatusReason?
  {
    guard let words = try fields.optionalName("reason").map(fields.redactor.text) else {
      guard !status.needsReason else {
        throw fields.problem(
          "reason", "\(status.name) needs a reason: say in a few words why", type: "missing-field")
      }
      return nil
    }
    return StatusReason(id: .new(), words: words)
  }

  /// Nil where nothing is said of them.
  private func channels(_ fields: inout Fields) throws(APIProblem) -> [Channel]? {
    guard fields.value("channels") != nil else { return nil }
    var channels: [Channel] = []
    for name in try fields.texts("channels") {
      guard let channel = Channel(name: name) else {
        throw fields.problem("channels", "channels may name chat, email and phone")
      }
      if !channels.contains(channel) { channels.append(channel) }
    }
    return channels
  }
}
