import Model
import Testing

@testable import Routing

/// A small world to test in: two queues, three skills, four agents, one bot; a router and what it
/// decided last.
///
/// `given` plays commands and forgets what they emitted; `when` plays one and keeps it; `then`
/// names all events and effects, so that one that goes unmentioned fails.
struct World {
  var router = Router()
  var now = Instant(milliseconds: 1_000_000)
  var last = Decision()
  var log: [(event: Event, at: Instant)] = []
  /// Off where so much is set up that looking at all of it each time takes long.
  var checks = true

  static let support = QueueID(0), sales = QueueID(1)
  static let german = SkillID(0), returns = SkillID(1), french = SkillID(2)
  static let ann = AgentID(0), bob = AgentID(1), cat = AgentID(2), dan = AgentID(3)
  static let bot = BotID(0)

  static var configuration: RoutingConfiguration {
    var queues = [RoutingConfiguration.Queue(name: "support"), .init(name: "sales")]
    queues[1].onMiss = .backOff(.seconds(30))
    var ann = RoutingConfiguration.Agent(
      name: "ann", skills: [.init("german", level: 8), .init("returns", level: 5)],
      queues: ["support"])
    ann.devices = ["PJSIP/ann"]
    var bob = RoutingConfiguration.Agent(
      name: "bob", skills: [.init("german", level: 3)], queues: ["support", "sales"])
    bob.devices = ["PJSIP/bob"]
    let cat = RoutingConfiguration.Agent(
      name: "cat", skills: [.init("french", level: 10)], queues: ["sales"])
    var dan = RoutingConfiguration.Agent(name: "dan", skills: [], queues: ["sales"])
    dan.autoAccept = true
    return RoutingConfiguration(
      version: 1, skills: ["german", "returns", "french"], bots: ["shopbot"], queues: queues,
      agents: [ann, bob, cat, dan])
  }

  static let coaching = AgentStatus.custom(StatusID(0)), lunch = AgentStatus.custom(StatusID(1))
  static let mailOnly = AgentStatus.custom(StatusID(2)), gone = AgentStatus.custom(StatusID(3))
  /// The same workspace with statuses of its own.
  static var withStatuses: RoutingConfiguration {
    var made = configuration
    made.statuses = [
      .init(name: "coaching", as: .busy), .init(name: "lunch", as: .onBreak),
      .init(name: "mail_only", as: .available, channels: [.email]),
      .init(name: "gone", as: .offline),
    ]
    return made
  }

  init(_ configuration: RoutingConfiguration = World.configuration) {
    given(.configure(configuration))
  }

  static func conversation(_ n: UInt64) -> ConversationID { .init(high: 1, low: n) }
  static func session(_ n: UInt64) -> SessionID { .init(high: 2, low: n) }
  static func `case`(_ n: UInt64) -> CaseID { .init(high: 3, low: n) }
  static func entry(_ n: UInt64) -> EntryID { EntryID(Int64(n)) }
  static func customer(_ n: UInt64) -> CustomerID { .init(high: 5, low: n) }
  static let by = RouteReason(cause: .handoff, ruleVersion: 1, rule: 0)

  @discardableResult
  mutating func play(_ command: Command) -> Rejection? {
    guard checks else {
      last = Decision()
      return router.decide(command, at: now, into: &last)
    }
    let before = router.stateHash
    last = Decision()
    let rejection = router.decide(command, at: now, into: &last)
    for event in last.events { log.append((event, now)) }
    if rejection != nil {
      #expect(last == Decision(), "a rejection emits nothing")
      #expect(router.stateHash == before, "a rejection changes nothing")
    }
    for violation in Invariants.check(router) { Issue.record("after \(command): \(violation)") }
    return rejection
  }

  mutating func given(_ commands: Command..., sourceLocation: SourceLocation = #_sourceLocation) {
    for command in commands {
      let rejection = play(command)
      #expect(rejection == nil, "\(command)", sourceLocation: sourceLocation)
    }
  }
  mutating func when(_ command: Command, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(play(command) == nil, sourceLocation: sourceLocation)
  }
  func then(
    _ events: [Event], _ effects: [Effect], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      last.events.map(World.withoutCounts) == events.map(World.withoutCounts),
      sourceLocation: sourceLocation)
    #expect(last.effects == effects, sourceLocation: sourceLocation)
  }
  mutating func refused(
    _ command: Command, _ rejection: Rejection, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(play(command) == rejection, "\(command)", sourceLocation: sourceLocation)
  }
  mutating func pass(seconds: Int64) { now = now + .seconds(seconds) }

  /// Passed-over counts have tests of their own.
  static func withoutCounts(_ event: Event) -> Event {
    guard case .offerMade(let id, let theCase, let agent, let seat, let until, _) = event else {
      return event
    }
    return .offerMade(id, theCase, agent, seat: seat, until: until, passedOver: PassedOver())
  }

  // MARK: Usual beginnings

  mutating func open(_ n: UInt64, _ channel: Channel = .chat) {
    given(
      .openConversation(
        conversation: Self.conversation(n), customer: Self.customer(n),
        session: NewSession(
          id: Self.session(n), channel: channel, bot: channel == .chat ? Self.bot : nil)))
  }
  mutating func route(_ n: UInt64, _ need: Need) { given(routing(n, need)) }
  func routing(_ n: UInt64, _ need: Need) -> Command {
    .route(
      conversation: Self.conversation(n), session: Self.session(n), case: Self.case(n), need: need,
      by: Self.by, epoch: nil)
  }
  mutating func available(_ agents: AgentID...) {
    for agent in agents { given(.setStatus(agent, .available, lease: nil)) }
  }
  mutating func asks(_ agent: AgentID, _ waiter: UInt64? = nil, seconds: Int64 = 30) {
    given(
      .next(
        agent, waiter: WaiterID(waiter ?? UInt64(agent.raw) + 1), until: now + .seconds(seconds)))
  }
  /// The offer that the agent has open.
  func offer(_ agent: AgentID) -> OfferID { router.agent(agent)?.offer ?? OfferID(high: 0, low: 0) }
  /// The case opened, routed, offered to the agent and accepted.
  mutating func assigned(
    _ n: UInt64, to agent: AgentID, _ channel: Channel = .chat, queue: QueueID = World.support,
    need: Need? = nil
  ) {
    open(n, channel)
    route(n, need ?? Need(queue: queue))
    available(agent)
    if channel != .phone { asks(agent, 100 + n) }
    given(.accept(offer(agent), agent))
  }
}
