import Model
import Pipeline
import Records
import Routing
import WebCodec

/// What agents may know of themselves, and a supervisor of everybody: where they stand, and why
/// nothing comes.
extension API {
  /// - Parameter name: `me`, or for a supervisor anybody's.
  func showAgent(_ name: String, _ caller: Caller) throws(APIProblem) -> APIAction {
    let id: AgentID
    if name == "me" {
      id = try agent(caller)
    } else {
      try need(caller, .supervisor, .admin)
      guard let known = directory.agents[name] else {
        throw APIProblem(
          404, "not-found", "Not found",
          "there is no agent \"\(name.prefix(60))\"; there are \(Listing.of(directory.agents.keys))"
        )
      }
      id = known
    }
    let directory = directory
    return .look { router in
      let page = AgentPage(id, router)
      return { reads throws(StoreFault) in
        guard let page else { return APIResponse(.notFound("agent")) }
        return APIResponse(200, json: try page.json(directory, mayChoose: name == "me", reads))
      }
    }
  }

  func listAgents(_ caller: Caller) throws(APIProblem) -> APIAction {
    try need(caller, .supervisor, .admin)
    let directory = directory
    return .look { router in
      var all: [(AgentView, PassedOverReason?)] = []
      for id in router.agentIDs {
        if let view = router.agent(id) { all.append((view, router.readiness(of: id).hindrance)) }
      }
      return { [all] reads throws(StoreFault) in
        let reasons = try all.map { agent, _ throws(StoreFault) in
          try StatusReasons.read(directory.workspace, of: agent, reads)
        }
        var json = JSONWriter()
        json.object {
          $0.field(
            "agents",
            array: { list in
              for ((agent, hindrance), reasons) in zip(all, reasons) {
                list.object {
                  AgentPage.append(agent, hindrance, directory, reasons, &$0)
                  $0.field("cases", agent.cases.count)
                  $0.field("offers", agent.offer == nil ? 0 : 1)
                }
              }
            })
        }
        return APIResponse(200, json: json.bytes)
      }
    }
  }
}

/// One agent as the machine has them at a moment.
struct AgentPage: Sendable {
  private let why: AgentExplanation
  private let ready: [Channel]
  private let cases: [Held]
  private let offers: [(offer: OfferView, held: Held, device: String?)]
  /// Cases of others on which their advice is asked.
  private let consults: [Held]

  private struct Held: Sendable {
    var view: Routing.CaseView
    var customer: CustomerID?
  }

  init?(_ id: AgentID, _ router: borrowing Router) {
    // As if they asked now: that they do not ask at this moment is said once, and hides nothing
    // else.
    guard let why = router.why(id, asking: true) else { return nil }
    self.why = why
    ready = router.readiness(of: id).ready
    var held: [Held] = []
    for aCase in why.agent.cases + router.parkedCases(of: id) {
      if let view = router.case(aCase) { held.append(Self.held(view, router)) }
    }
    cases = held
    var asked: [Held] = []
    for aCase in router.consultations(of: id) {
      if let view = router.case(aCase) { asked.append(Self.held(view, router)) }
    }
    consults = asked
    guard let open = why.agent.offer, let offer = router.offer(open),
      let view = router.case(offer.theCase)
    else {
      offers = []
      return
    }
    var device: String?
    if case .device(let index) = offer.seat { device = router.device(Int(index), of: id) }
    offers = [(offer, Self.held(view, router), device)]
  }

  private static func held(_ view: Routing.CaseView, _ router: borrowing Router) -> Held {
    Held(view: view, customer: router.conversation(view.conversation)?.customer)
  }

  /// The same of one and of each in a list.
  static func append(
    _ agent: AgentView, _ hindrance: PassedOverReason?, _ directory: Directory,
    _ reasons: StatusReasons, _ json: inout JSONWriter
  ) {
    json.field("agent", agent.name)
    append(statusOf: agent, directory, reasons, &json)
    json.field("responding", !agent.isNotResponding)
    json.field("present", agent.isPresent)
    if agent.isPresent { json.field("present_until", agent.presentUntil.description) }
    if let until = agent.backOffUntil { json.field("back_off_until", until.description) }
    json.field(
      "capacity",
      object: {
        $0.field("used", agent.capacityUsed)
        $0.field("of", Int64(agent.settings.capacity))
      })
    json.key("hindered_by")
    if let hindrance { json.string(Explanation.name(hindrance)) } else { json.null() }
  }

  /// What an agent is, why, and what they will be.
  static func append(
    statusOf agent: AgentView, _ directory: Directory, _ reasons: StatusReasons,
    _ json: inout JSONWriter
  ) {
    json.field("status", directory.name(agent.status))
    if agent.counts != agent.status { json.field("counts_as", directory.name(agent.counts)) }
    if let words = reasons[agent.reason] { json.field("reason", words) }
    if let then = agent.statusAfter { json.field("then", directory.name(then)) }
    if let words = reasons[agent.reasonAfter] { json.field("then_reason", words) }
  }

  /// What they are on one channel alone, and why.
  static func append(
    _ said: ChannelStatusView, _ directory: Directory, _ reasons: StatusReasons,
    _ json: inout JSONWriter
  ) {
    json.field("status", directory.name(said.status))
    if let words = reasons[said.reason] { json.field("reason", words) }
  }

  /// - Parameter mayChoose: lists what the agent may choose to be.
  func json(_ directory: Directory, mayChoose: Bool, _ reads: any StoreReader) throws(StoreFault)
    -> [UInt8]
  {
    var customers: [CustomerID: CustomerID] = [:]
    for id in (cases + offers.map(\.held) + consults).compactMap(\.customer) {
      customers[id] = try reads.customer(directory.workspace, id)?.root ?? id
    }
    let agent = why.agent
    let reasons = try StatusReasons.read(directory.workspace, of: agent, reads)
    var json = JSONWriter()
    json.object { json in
      Self.append(agent, why.hindrance, directory, reasons, &json)
      json.field(
        "asks",
        object: {
          $0.field("next", agent.waitsAt != nil)
          $0.field("streams", agent.streams.count)
        })
      json.field(
        "channels",
        object: { channels in
          for channel in Channel.allCases {
            channels.key(text: channel.name)
            channels.object {
              $0.field("wanted", agent.channels.contains(channel))
              $0.field("ready", ready.contains(channel))
              $0.field("cases", agent.casesByChannel[channel])
              $0.field("most", Int64(agent.settings.channelMax[channel]))
              if let said = agent.channelStatuses.first(where: { $0.channel == channel }) {
                Self.append(said, directory, reasons, &$0)
              }
            }
          }
        })
      json.field(
        "waiting",
        object: {
          $0.field("in_queues", why.waitingInQueues)
          let passed = why.cases.counts.reduce(0) { $0 + Int($1) }
          $0.field("next_would_bring", max(0, why.waitingInQueues - passed) + why.besideOthers)
          $0.field("passed_over_by", object: { ExplainPage.counts(why.cases, &$0) })
        })
      json.field(
        "cases",
        array: { list in
          for held in cases {
            list.object {
              Self.append(held, directory, customers, &$0)
              $0.field("state", CaseState(held.view.state).name)
              if let until = held.view.state.until { $0.field("until", until.description) }
              if let until = held.view.heldUntil { $0.field("held_until", until.description) }
              guard let consult = held.view.consult else { return }
              $0.field(
                "consult",
                object: {
                  $0.field("agent", directory.agentNames[consult.agent.raw] ?? "")
                  $0.field("until", consult.until.description)
                })
            }
          }
        })
      json.field(
        "offers",
        array: { list in
          for (offer, held, device) in offers {
            list.object {
              $0.field("offer", offer.id.description)
              Self.append(held, directory, customers, &$0)
              $0.field("until", offer.until.description)
              if let device { $0.field("rings", device) }
            }
          }
        })
      json.field(
        "consults",
        array: { list in
          for held in consults {
            list.object {
              Self.append(held, directory, customers, &$0)
              if let by = held.view.agent {
                $0.field("by", directory.agentNames[by.raw] ?? "")
              }
              if let consult = held.view.consult {
                $0.field("until", consult.until.description)
              }
            }
          }
        })
      if mayChoose { Self.append(directory.statuses, directory, &json) }
    }
    return json.bytes
  }

  private static func append(
    _ statuses: [Directory.Status], _ directory: Directory, _ json: inout JSONWriter
  ) {
    json.field(
      "statuses",
      array: { list in
        for status in statuses {
          list.object {
            $0.field("status", status.name)
            $0.field("title", status.title)
            if status.counts != status.status {
              $0.field("counts_as", directory.name(status.counts))
            }
            if status.counts == .available {
              $0.field(
                "channels",
                array: { list in for channel in status.channels { list.string(channel.name) } })
            }
            if status.needsReason { $0.field("reason", "required") }
          }
        }
      })
  }

  private static func append(
    _ held: Held, _ directory: Directory, _ customers: [CustomerID: CustomerID],
    _ json: inout JSONWriter
  ) {
    json.field("case", held.view.id.description)
    json.field("conversation", held.view.conversation.description)
    json.field("channel", held.view.channel.name)
    json.field("queue", directory.queueNames[held.view.need.queue.raw] ?? "")
    if let customer = held.customer.flatMap({ customers[$0] }) {
      json.field("customer", customer.description)
    }
  }
}

extension Routing.CaseView.State {
  var until: Instant? {
    switch self {
    case .waiting, .offered, .assigned: nil
    case .parked(_, let until), .wrappingUp(_, let until): until
    }
  }
}

extension StatusReasons {
  /// Nothing is looked up of an agent who gave no reason.
  static func read(
    _ workspace: WorkspaceID, of agent: AgentView, _ reads: any StoreReader
  ) throws(StoreFault) -> StatusReasons {
    agent.reasons.isEmpty ? StatusReasons() : try read(workspace, of: agent.id, reads)
  }
}
