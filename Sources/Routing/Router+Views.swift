import Model

/// What can be asked of the machine. Views are copies: plain values.
public struct ConversationView: Hashable, Sendable {
  public var id: ConversationID
  public var customer: CustomerID
  public var owner: Owner
  public var epoch: UInt32
  public var lastAgent: AgentID?
  public var openCase: CaseID?
  /// Open sessions, in the order in which they were opened.
  public var sessions: [SessionView]
}

public struct SessionView: Hashable, Sendable {
  public var id: SessionID
  public var conversation: ConversationID
  public var channel: Channel
  public var bot: BotID?
  public var activity: Instant
  public var graceUntil: Instant?
}

public struct CaseView: Hashable, Sendable {
  public enum State: Hashable, Sendable {
    case waiting, offered
    case assigned(AgentID)
    case parked(AgentID, until: Instant)
    case wrappingUp(AgentID, until: Instant)
  }
  public var id: CaseID
  public var conversation: ConversationID
  public var session: SessionID
  public var channel: Channel
  /// As it is now: as routed, changed by the steps taken.
  public var need: Need
  public var widened: [QueueID]
  public var by: RouteReason
  public var age: Instant
  public var state: State
  public var stepsTaken: UInt16
  public var preferenceUntil: Instant?
  /// Until when its customer is on hold.
  public var heldUntil: Instant?
  /// Another agent whose advice is asked.
  public var consult: ConsultView?
  public var offers: [OfferID]
  public var weight: UInt16
  public var agent: AgentID? {
    switch state {
    case .waiting, .offered: nil
    case .assigned(let agent), .parked(let agent, _), .wrappingUp(let agent, _): agent
    }
  }
}

public struct ConsultView: Hashable, Sendable {
  public var agent: AgentID
  public var until: Instant
}

public struct OfferView: Hashable, Sendable {
  public var id: OfferID
  public var theCase: CaseID
  public var agent: AgentID
  public var seat: Seat
  public var until: Instant
}

public struct AgentView: Hashable, Sendable {
  public var id: AgentID
  public var name: String
  public var settings: RoutingConfiguration.Agent
  public var isRetired: Bool
  public var status: AgentStatus
  /// As which of those that every workspace has that counts.
  public var counts: AgentStatus
  /// Names the words in which they said why.
  public var reason: StatusReasonID?
  /// What the agent will be when their last case has ended.
  public var statusAfter: AgentStatus?
  public var reasonAfter: StatusReasonID?
  /// What they are on channels alone, where they have said.
  public var channelStatuses: [ChannelStatusView]
  /// Those on which the agent wants to be offered something.
  public var channels: [Channel]
  public var casesByChannel: RoutingConfiguration.PerChannel<Int>
  public var isPresent: Bool
  public var presentUntil: Instant
  public var isNotResponding: Bool
  public var backOffUntil: Instant?
  public var waitsAt: WaiterID?
  public var streams: [WaiterID]
  public var offer: OfferID?
  public var cases: [CaseID]
  public var capacityUsed: Int
  public var idleSince: Instant

  /// Of all that they are, just now.
  public var reasons: [StatusReasonID] {
    [reason, reasonAfter].compactMap { $0 } + channelStatuses.compactMap(\.reason)
  }
}

public struct ChannelStatusView: Hashable, Sendable {
  public var channel: Channel
  public var status: AgentStatus
  public var reason: StatusReasonID?
}

public struct QueueStatistics: Hashable, Sendable {
  public var id: QueueID
  public var name: String
  public var isRetired: Bool
  public var waiting: Int
  public var offered: Int
  public var assigned: Int
  /// From when the oldest case without an agent waits.
  public var oldest: Instant?
  public var agents: Agents
  public var accepted: UInt64
  public var acceptedInTime: UInt64
  public var abandoned: UInt64

  /// Members by what keeps them from being offered something; `ready` is who is left: for some
  /// channel.
  public struct Agents: Hashable, Sendable {
    /// Who could be offered a case of this channel. An agent with only a free device is ready for
    /// calls and nothing else.
    public var readyFor = RoutingConfiguration.PerChannel(chat: 0, email: 0, phone: 0)
    public var members = 0, ready = 0, notAvailable = 0, notPresent = 0, notAsking = 0, full = 0,
      onCall = 0
    public var offered = 0, backingOff = 0
  }
}

extension Router {
  public func conversation(_ id: ConversationID) -> ConversationView? {
    let slot = slot(of: id)
    guard slot >= 0 else { return nil }
    let record = conversations[slot]
    return ConversationView(
      id: id, customer: record.customer, owner: record.owner, epoch: record.epoch,
      lastAgent: record.lastAgent,
      openCase: record.openCase >= 0 ? cases[record.openCase].id : nil,
      sessions: sessionSlots(of: slot).map { view($0) })
  }

  public func session(_ id: SessionID) -> SessionView? {
    let slot = slot(of: id)
    return slot >= 0 ? view(slot) : nil
  }

  private func view(_ slot: Int32) -> SessionView {
    let record = sessions[slot]
    return SessionView(
      id: record.id, conversation: conversations[record.conversation].id, channel: record.channel,
      bot: record.bot,
      activity: record.activity, graceUntil: record.graceUntil)
  }

  public func `case`(_ id: CaseID) -> CaseView? {
    let slot = slot(of: id)
    return slot >= 0 ? caseView(slot) : nil
  }

  func caseView(_ slot: Int32) -> CaseView {
    let record = cases[slot]
    let state: CaseView.State =
      switch record.state {
      case .waiting: .waiting
      case .offered: .offered
      case .assigned(let agent): .assigned(agent)
      case .parked(let agent, let until): .parked(agent, until: until)
      case .wrappingUp(let agent, let until): .wrappingUp(agent, until: until)
      }
    return CaseView(
      id: record.id, conversation: conversations[record.conversation].id, session: record.session,
      channel: record.channel, need: record.need, widened: record.widened, by: record.by,
      age: record.age,
      state: state, stepsTaken: record.stepsTaken, preferenceUntil: record.preferenceUntil,
      heldUntil: record.heldUntil,
      consult: record.consult.map { ConsultView(agent: $0.agent, until: $0.until) },
      offers: offerSlots(of: slot).map { offers[$0].id },
      weight: record.weight)
  }

  /// Who has the case, or to whom it was offered last of those who may still take it.
  public func agent(of view: CaseView) -> AgentID? {
    view.agent ?? view.offers.last.flatMap { offer($0)?.agent }
  }

  public func offer(_ id: OfferID) -> OfferView? {
    let slot = slot(of: id)
    guard slot >= 0 else { return nil }
    let record = offers[slot]
    return OfferView(
      id: id, theCase: cases[record.theCase].id, agent: record.agent, seat: record.seat,
      until: record.until)
  }

  public func agent(_ id: AgentID) -> AgentView? {
    guard isKnown(id) else { return nil }
    let record = agents[Int(id.raw)]
    let known = catalogue.agents[Int(id.raw)]
    let open = catalogue.channelsOpen(record.status)
    return AgentView(
      id: id, name: known.settings.name, settings: known.settings, isRetired: known.isRetired,
      status: record.status, counts: catalogue.plain(record.status), reason: record.reason,
      statusAfter: record.statusAfter, reasonAfter: record.reasonAfter,
      channelStatuses: record.channelStatuses.map {
        .init(channel: $0.channel, status: $0.status, reason: $0.reason)
      },
      channels: Channel.allCases.filter {
        record.channels & (open == 0 ? Channel.allBits : open) & $0.bit != 0
      },
      casesByChannel: .init(
        chat: Int(record.casesByChannel.chat), email: Int(record.casesByChannel.email),
        phone: Int(record.casesByChannel.phone)),
      isPresent: record.isPresent, presentUntil: record.presentUntil,
      isNotResponding: record.isNotResponding,
      backOffUntil: record.backOffUntil, waitsAt: record.next?.waiter, streams: record.streams,
      offer: record.openOffer >= 0 ? offers[record.openOffer].id : nil,
      cases: casesOf(id).map { cases[$0].id }, capacityUsed: record.used,
      idleSince: record.idleSince)
  }

  /// Assigned and wrapping up, in the order in which they began to wait. Parked cases are not among
  /// them.
  private func casesOf(_ id: AgentID) -> [Int32] {
    agents[Int(id.raw)].cases.sorted { cases[$0].sequence < cases[$1].sequence }
  }

  /// Looks at every open case.
  public func parkedCases(of id: AgentID) -> [CaseID] {
    cases.ordered { if case .parked(id, _) = $0.state { true } else { false } }.map { cases[$0].id }
  }

  /// Cases of others on which the agent's advice is asked. Looks at every open case.
  public func consultations(of id: AgentID) -> [CaseID] {
    cases.ordered { $0.consult?.agent == id }.map { cases[$0].id }
  }

  public func statistics(_ id: QueueID) -> QueueStatistics? {
    guard catalogue.isKnown(id) else { return nil }
    let record = queues[Int(id.raw)]
    let known = catalogue.queues[Int(id.raw)]
    return QueueStatistics(
      id: id, name: known.settings.name, isRetired: known.isRetired, waiting: Int(record.waiting),
      offered: Int(record.offered), assigned: Int(record.assigned),
      oldest: record.oldest.top.map { Instant(milliseconds: $0.age) },
      agents: membersByState(record),
      accepted: record.accepted, acceptedInTime: record.acceptedInTime, abandoned: record.abandoned)
  }

  private func membersByState(_ record: QueueRecord) -> QueueStatistics.Agents {
    func count(_ reason: PassedOverReason) -> Int { Int(record.blocked[Int(reason.rawValue)]) }
    var agents = QueueStatistics.Agents()
    agents.members = Int(record.members)
    agents.notAvailable = count(.notAvailable)
    agents.notPresent = count(.notPresent)
    agents.notAsking = count(.notAsking)
    agents.full = count(.full)
    agents.onCall = count(.onCall)
    agents.offered = count(.offered)
    agents.backingOff = count(.backingOff)
    agents.readyFor = .init(
      chat: record.ready(for: Channel.chat.bit), email: record.ready(for: Channel.email.bit),
      phone: record.ready(for: Channel.phone.bit))
    agents.ready = agents.members - record.blocked.reduce(0) { $0 + Int($1) }
    return agents
  }

  // MARK: Names and handles

  public var configurationVersion: UInt32? { catalogue.configuration?.version }
  public var configuration: RoutingConfiguration? { catalogue.configuration }
  public func agentID(named name: String) -> AgentID? {
    catalogue.agentNames.handle(name).map { AgentID($0) }
  }
  public func queueID(named name: String) -> QueueID? {
    catalogue.queueNames.handle(name).map { QueueID($0) }
  }
  public func skillID(named name: String) -> SkillID? {
    catalogue.skillNames.handle(name).map { SkillID($0) }
  }
  public func botID(named name: String) -> BotID? {
    catalogue.botNames.handle(name).map { BotID($0) }
  }
  public func teamID(named name: String) -> TeamID? {
    catalogue.teamNames.handle(name).map { TeamID($0) }
  }
  public func statusID(named name: String) -> StatusID? {
    catalogue.statusNames.handle(name).map { StatusID($0) }
  }
  /// Retired ones too, since agents may still be in them.
  public var everyStatus: [(id: StatusID, settings: RoutingConfiguration.Status)] {
    catalogue.statuses.indices.map {
      (StatusID(UInt32(truncatingIfNeeded: $0)), catalogue.statuses[$0].settings)
    }
  }
  public func name(_ id: AgentID) -> String? { Self.at(catalogue.agentNames.all, id.raw) }
  public func name(_ id: QueueID) -> String? { Self.at(catalogue.queueNames.all, id.raw) }
  public func name(_ id: SkillID) -> String? { Self.at(catalogue.skillNames.all, id.raw) }
  public func name(_ id: BotID) -> String? { Self.at(catalogue.botNames.all, id.raw) }
  public func name(_ id: TeamID) -> String? { Self.at(catalogue.teamNames.all, id.raw) }
  private static func at(_ names: [String], _ index: UInt32) -> String? {
    Int(index) < names.count ? names[Int(index)] : nil
  }

  /// Active agents and queues, by handle.
  public var agentIDs: [AgentID] {
    catalogue.agents.indices.filter { !catalogue.agents[$0].isRetired }.map {
      AgentID(UInt32(truncatingIfNeeded: $0))
    }
  }
  public var queueIDs: [QueueID] {
    catalogue.queues.indices.filter { !catalogue.queues[$0].isRetired }.map {
      QueueID(UInt32(truncatingIfNeeded: $0))
    }
  }
  /// Retired ones too, since cases may still stand with them.
  public var everyAgentID: [AgentID] {
    catalogue.agents.indices.map { AgentID(UInt32(truncatingIfNeeded: $0)) }
  }
  public var everyQueueID: [QueueID] {
    catalogue.queues.indices.map { QueueID(UInt32(truncatingIfNeeded: $0)) }
  }
  public var everyBotID: [BotID] {
    catalogue.botNames.all.indices.map { BotID(UInt32(truncatingIfNeeded: $0)) }
  }
  /// Cases of other queues that a step, not taken yet, brings to this one. Looks at every open case.
  public func casesLed(to queue: QueueID) -> Int {
    cases.ordered { record in
      record.need.queue != queue
        && record.need.steps.dropFirst(Int(record.stepsTaken)).contains {
          switch $0.change {
          case .changeQueue(queue): true
          case .widen(let queues): queues.contains(queue)
          case .changeQueue, .dropSkill, .lowerSkill, .raisePriority, .message: false
          }
        }
    }.count
  }
  /// Cases that are open.
  public var caseCount: Int { cases.count }
  /// Cases that are open, in the order in which they began to wait.
  public var caseIDs: [CaseID] { cases.ordered.map { cases[$0].id } }
  public var offerIDs: [OfferID] { offers.ordered.map { offers[$0].id } }
}
