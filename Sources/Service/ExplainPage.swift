import Model
import Pipeline
import Records
import Routing
import WebCodec
import Wire

/// What a machine says of a case: the live one, or one that a replay brought to an earlier instant.
public struct LiveExplanation: Sendable {
  public var why: CaseExplanation
  /// Until its turn comes, from then on; nil where it does not wait.
  var wait: WaitEstimate?
  /// Who has it, or to whom it was offered last.
  var agent: AgentID?
  /// All to whom it is offered, the eldest offer first.
  var offeredTo: [AgentID] = []

  /// - Parameter at: when it is asked.
  public init?(_ id: CaseID, _ router: borrowing Router, at: Instant) {
    guard let why = router.why(id, at: at) else { return nil }
    self.why = why
    wait = router.estimatedWait(of: id, ahead: why.ahead, at: at)
    agent = router.agent(of: why.case)
    for offer in why.case.offers {
      if let one = router.offer(offer) { offeredTo.append(one.agent) }
    }
  }
}

/// The same of an agent, and the names that it takes to say it.
public struct AgentLiveExplanation: Sendable {
  var why: AgentExplanation
  var queues: [String]
  /// The case that is offered to them.
  var offered: CaseID?

  public init?(_ id: AgentID, _ router: borrowing Router) {
    guard let why = router.why(id) else { return nil }
    self.why = why
    queues = why.agent.settings.queues
    if let offer = why.agent.offer { offered = router.offer(offer)?.theCase }
  }
}

/// The reasons of a routing decision, as JSON.
public enum ExplainPage {
  /// - Parameters:
  ///   - live: what a machine says of it; nil when it is no longer, or not yet, open there.
  ///   - at: an earlier instant, to which `live` belongs; nil for now.
  /// - Returns: nil when there is no such case, or was none yet.
  public static func read(
    _ id: CaseID, _ api: API, live: LiveExplanation?, at: Instant? = nil, _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8]? {
    let directory = api.directory
    guard let row = try reads.aCase(directory.workspace, id),
      var about = CaseView.decoded(row.about)
    else {
      return nil
    }
    if let at {
      about.history.removeAll { $0.at > at }
      if live == nil, about.history.isEmpty { return nil }
    }
    let facts = try reads.facts(directory.workspace, of: id)
    let rules = try api.ruleNames(about.ruleVersion, reads)
    var now: (live: LiveExplanation, waits: Waits)?
    if let live { now = (live, try waits(row, live.why, directory.workspace, reads)) }
    var json = JSONWriter()
    json.object {
      $0.field("case", id.description)
      if let at { $0.field("at", at.description) }
      place(row, live, isPast: at != nil, directory, &$0)
      $0.field("cause", Explanation.cause(about.cause))
      var why: [UInt8] = []
      Explanation.append(about, directory, rules, to: &why)
      $0.field("why", raw: why)
      if let facts { $0.field("facts", raw: facts.bytes) }
      if let (live, waits) = now {
        $0.field("now", object: { json in waiting(live, waits, directory, &json) })
      }
    }
    return json.bytes
  }

  /// Where it is: now as its row says, then as the machine did.
  private static func place(
    _ row: CaseRow, _ live: LiveExplanation?, isPast: Bool, _ directory: Directory,
    _ json: inout JSONWriter
  ) {
    guard isPast else {
      json.field("state", CaseState(rawValue: row.state)?.name ?? "unknown")
      json.field("queue", directory.queueNames[row.queue] ?? "")
      if let agent = row.agent { json.field("agent", directory.agentNames[agent] ?? "") }
      return
    }
    json.field("state", (live.map { CaseState($0.why.case.state) } ?? .closed).name)
    json.field("queue", directory.queueNames[live?.why.case.need.queue.raw ?? row.queue] ?? "")
    // What is closed has its row as it was then.
    if let agent = live.map({ $0.agent?.raw }) ?? row.agent {
      json.field("agent", directory.agentNames[agent] ?? "")
    }
  }

  /// Until somebody took it, or it is asked: of the case and of those that it was before it was passed on,
  /// whose age it has.
  private static func waits(
    _ row: CaseRow, _ why: CaseExplanation, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) -> Waits {
    let all = try reads.cases(workspace, of: row.conversation)
    return Waits(
      all.filter { CaseView.decoded($0.about)?.age == why.case.age },
      now: why.case.age + why.waited)
  }

  private static func waiting(
    _ live: LiveExplanation, _ waits: Waits, _ directory: Directory, _ json: inout JSONWriter
  ) {
    let why = live.why
    let isWaiting = why.case.state == .waiting
    json.field("waited_seconds", waits.all.milliseconds / 1_000)
    if waits.between > .zero {
      json.field("in_hands_seconds", waits.between.milliseconds / 1_000)
    }
    if !live.offeredTo.isEmpty {
      json.field(
        "offered_to",
        array: { list in
          for agent in live.offeredTo { list.string(directory.agentNames[agent.raw] ?? "") }
        })
    }
    if let until = why.case.heldUntil { json.field("held_until", until.description) }
    if let ahead = why.ahead { json.field("ahead", ahead) }
    if let wait = live.wait { json.field("estimated_wait", raw: wait.json) }
    json.field("between_queues", why.between.name)
    json.field(
      "queues_before",
      array: { list in
        for queue in why.queuesBefore { list.string(directory.queueNames[queue.raw] ?? "") }
      })
    json.field("agents_who_could_take_it", why.eligible)
    json.field("passed_over", object: { Self.counts(why.passedOver, &$0) })
    json.field(
      "one_change_away",
      object: { json in
        guard isWaiting, why.nearest.changes == 1 else { return }
        for way in why.nearest.ways {
          json.key(text: Explanation.name(way.reasons[0]))
          json.int(way.agents)
        }
      })
    // Nobody has to change for what somebody has, or is asked about.
    if isWaiting, why.nearest.changes > 1 { nearest(why.nearest, &json) }
    if let next = why.nextChange { json.field("next_change", next.description) }
  }

  /// Where no single change would do.
  private static func nearest(_ nearest: NearestWays, _ json: inout JSONWriter) {
    json.field(
      "nearest",
      object: {
        $0.field("changes", nearest.changes)
        $0.field(
          "ways",
          array: { list in
            for way in nearest.ways.prefix(5) {
              list.object {
                $0.field("agents", Int64(way.agents))
                $0.field(
                  "reasons",
                  array: { list in
                    for reason in way.reasons { list.string(Explanation.name(reason)) }
                  })
              }
            }
          })
      })
  }

  /// Why an agent has nothing, or no more than they have.
  public static func agent(
    _ live: AgentLiveExplanation, _ directory: Directory, at: Instant? = nil,
    _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8] {
    let (why, agent) = (live.why, live.why.agent)
    let reasons = try StatusReasons.read(directory.workspace, of: agent, reads)
    var json = JSONWriter()
    json.object {
      $0.field("agent", agent.name)
      if let at { $0.field("at", at.description) }
      AgentPage.append(statusOf: agent, directory, reasons, &$0)
      $0.field("present", agent.isPresent)
      $0.field("responding", !agent.isNotResponding)
      if let hindrance = why.hindrance { $0.field("hindered_by", Explanation.name(hindrance)) }
      $0.field(
        "ready_for", array: { list in for channel in why.ready { list.string(channel.name) } })
      $0.field(
        "takes", array: { list in for channel in agent.channels { list.string(channel.name) } })
      let said = agent.channelStatuses
      if !said.isEmpty {
        $0.field(
          "channel_statuses",
          object: { channels in
            for one in said {
              channels.key(text: one.channel.name)
              channels.object { AgentPage.append(one, directory, reasons, &$0) }
            }
          })
      }
      $0.field("queues", array: { list in for queue in live.queues { list.string(queue) } })
      $0.field("capacity", Int64(agent.settings.capacity))
      $0.field("capacity_used", agent.capacityUsed)
      $0.field("cases", array: { list in for id in agent.cases { list.string(id.description) } })
      if let offer = agent.offer { $0.field("offer", offer.description) }
      if let offered = live.offered { $0.field("offered_case", offered.description) }
      $0.field("idle_since", agent.idleSince.description)
      $0.field("waiting_in_queues", why.waitingInQueues)
      if why.besideOthers > 0 { $0.field("beside_others", why.besideOthers) }
      if !why.isComplete { $0.field("complete", false) }
      $0.field("passed_over_by", object: { Self.counts(why.cases, &$0) })
    }
    return json.bytes
  }

  static func counts(_ passed: PassedOver, _ json: inout JSONWriter) {
    for (reason, count) in zip(PassedOverReason.allCases, passed.counts) where count > 0 {
      json.key(text: Explanation.name(reason))
      json.int(count)
    }
  }
}

extension BetweenQueues {
  /// As `docs/routing.md` calls it.
  var name: String {
    switch self {
    case .keys: "by_key"
    case .slopes: "by_slope"
    case .shares: "by_weight"
    }
  }
}
