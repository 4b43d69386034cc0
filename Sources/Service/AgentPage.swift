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
      return { reads, _ throws(StoreFault) in
        guard let page else { return APIResponse(.notFound("agent")) }
        return APIResponse(200, json: try page.json(directory, reads))
      }
    }
  }

  func listAgents(_ caller: Caller) throws(APIProblem) -> APIAction {
    try need(caller, .supervisor, .admin)
    return .look { router in
      var json = JSONWriter()
      var all: [(AgentView, PassedOverReason?)] = []
      for id in router.agentIDs {
        if let view = router.agent(id) { all.append((view, router.readiness(of: id).hindrance)) }
      }
      json.object {
        $0.field(
          "agents",
          array: { list in
            for (agent, hindrance) in all {
              list.object {
                AgentPage.append(agent, hindrance, &$0)
                $0.field("cases", agent.cases.count)
                $0.field("offers", agent.offer == nil ? 0 : 1)
              }
            }
          })
      }
      let bytes = json.bytes
      return { _, _ in APIResponse(200, json: bytes) }
    }
  }
}

/// One agent as the machine has them at a moment.
struct AgentPage: Sendable {
  private let why: AgentExplanation
  private let ready: [Channel]
  private let cases: [Held]
  private let offers: [(offer: OfferView, held: Held, device: String?)]

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
  static func append(_ agent: AgentView, _ hindrance: PassedOverReason?, _ json: inout JSONWriter) {
    json.field("agent", agent.name)
    json.field("status", agent.status.name)
    if let then = agent.statusAfter { json.field("then", then.name) }
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

  func json(_ directory: Directory, _ reads: any StoreReader) throws(StoreFault) -> [UInt8] {
    var customers: [CustomerID: CustomerID] = [:]
    for id in (cases + offers.map(\.held)).compactMap(\.customer) {
      customers[id] = try reads.customer(directory.workspace, id)?.root ?? id
    }
    let agent = why.agent
    var json = JSONWriter()
    json.object { json in
      Self.append(agent, why.hindrance, &json)
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
            }
          }
        })
      json.field(
        "waiting",
        object: {
          $0.field("in_queues", why.waitingInQueues)
          let passed = why.cases.counts.reduce(0) { $0 + Int($1) }
          $0.field("next_would_bring", max(0, why.waitingInQueues - passed))
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
    }
    return json.bytes
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
  fileprivate var until: Instant? {
    switch self {
    case .waiting, .offered, .assigned: nil
    case .parked(_, let until), .wrappingUp(_, let until): until
    }
  }
}
