import Model
import Routing
import Simulation
import System

/// A router with agents who are all busy and cases that wait, and the lives that pass through it.
struct RouterLoad {
  struct Sizes: Hashable {
    var agents: Int
    var skills: Int
    /// 0: half of what the agents could do is done, so that all of them are idle and nothing waits.
    var waiting: Int
    var needs: Int
    var variant: Variant = .plain
    var name: String {
      "agents=\(agents) skills=\(skills) waiting=\(waiting) needs=\(needs)\(variant.name)"
    }
  }

  /// What is different from cases of skills alone that go to whoever has been idle the longest.
  enum Variant: Hashable {
    case plain
    case strategy(RoutingConfiguration.Strategy)
    case restricted(Restriction)
    /// Each case takes two steps while it waits, and one tick a life lets them.
    case steps

    var name: String {
      switch self {
      case .plain: ""
      case .strategy(let strategy): " strategy=\(strategy.name)"
      case .restricted(let restriction): " restricted=\(restriction.rawValue)"
      case .steps: " steps=2"
      }
    }
  }

  enum Restriction: String, CaseIterable {
    /// Every need requires one of four teams, or excludes one.
    case teams
    /// Each case excludes an agent of its own, such as the one who had it last.
    case excluded
    /// Each case requires an agent of its own, such as the customer's own one.
    case required
    /// Each case waits for one of sixteen agents alone.
    case preferred
  }

  static let kinds = ["open", "route", "close", "accept", "end", "tick"]
  private enum Kind: Int { case open, route, close, accept, end, tick }
  private static let queues = 8
  private static let teams = 4
  /// Beyond so many, needs are drawn anew for each case instead of kept.
  private static let needsKeptMax = 8_192

  let sizes: Sizes
  private(set) var router = Router()
  private(set) var decided = 0
  private(set) var refusal: String?
  private(set) var bytesOfAgents: Int64 = 0
  private(set) var bytesFilled: Int64 = 0
  var isTiming = false
  /// By the clock on the wall, and by the processor's time, which is not blurred by what else runs.
  private(set) var took = LatencyHistogram()
  private(set) var tookOfProcessor = LatencyHistogram()
  var isByProcessor = false
  /// What was played, while it is kept.
  private var kept: [(command: Command, at: Instant)] = []
  private var isKeeping = false
  private(set) var tookEach = Array(repeating: LatencyHistogram(), count: kinds.count)

  var random = SeededRandom(seed: 7)
  var now = Instant(milliseconds: 1_700_000_000_000)
  var out = Decision()
  var drawn: UInt64 = 0
  private var needs: [Need] = []
  var profiles: [Profile] = []
  var busy: [(agent: AgentID, case: CaseID)] = []
  var live: [UInt64: Life] = [:]
  /// Those that came last, in order.
  private var newest: [CaseID] = []

  /// What the bench itself must know of an agent and a case, for the plain list and for needs that
  /// somebody meets.
  struct Profile {
    var queues: [UInt32]
    var skills: [(skill: UInt32, level: UInt8)]
    func level(_ skill: UInt32) -> UInt8 { skills.first { $0.skill == skill }?.level ?? 0 }
    func meets(_ need: Need) -> Bool {
      queues.contains(need.queue.raw)
        && need.skills.allSatisfy { level($0.skill.raw) >= $0.level }
    }
  }
  struct Life {
    var session: SessionID
    var need: Need
    /// When it began to wait, less a minute a point of priority: lowest goes first.
    var key: Int64
  }

  init(_ sizes: Sizes) {
    self.sizes = sizes
    live.reserveCapacity(sizes.waiting + sizes.agents + 1_000)
    for _ in 0..<sizes.agents { profiles.append(profile()) }
    let before = ProcessFacts.now().residentBytes
    play(.configure(configuration()))
    for _ in 0..<min(sizes.needs, Self.needsKeptMax) { needs.append(need()) }
    for index in 0..<sizes.agents {
      let agent = AgentID(UInt32(truncatingIfNeeded: index))
      play(.setStatus(agent, .available, lease: nil))
      play(.openStream(agent, waiter: WaiterID(UInt64(index))))
      if index % 1_000 == 0 { forget() }
    }
    forget()
    bytesOfAgents = ProcessFacts.now().residentBytes - before
  }

  private mutating func profile() -> Profile {
    let first = random.place(below: Self.queues)
    var has: [Int] = []
    while has.count < min(sizes.skills, 8) {
      let skill = random.place(below: sizes.skills)
      if !has.contains(skill) { has.append(skill) }
    }
    let skills = has.sorted().map { (UInt32($0), UInt8(1 + random.place(below: 10))) }
    return Profile(queues: [UInt32(first), UInt32((first + 1) % Self.queues)], skills: skills)
  }

  private func configuration() -> RoutingConfiguration {
    var made = RoutingConfiguration(
      version: 1, skills: (0..<sizes.skills).map { "skill\($0)" }, bots: ["bot"],
      queues: (0..<Self.queues).map { .init(name: "queue\($0)") }, agents: [])
    made.teams = (0..<Self.teams).map { "team\($0)" }
    if case .strategy(let strategy) = sizes.variant {
      for index in made.queues.indices { made.queues[index].strategy = [strategy] }
    }
    for (index, profile) in profiles.enumerated() {
      var agent = RoutingConfiguration.Agent(
        name: "agent\(index)",
        skills: profile.skills.map { .init("skill\($0.skill)", level: $0.level) },
        queues: profile.queues.map { "queue\($0)" })
      agent.capacity = sizes.waiting == 0 ? 4 : 1
      agent.teams = ["team\(index % Self.teams)"]
      made.agents.append(agent)
    }
    made.limits.presenceLease = .seconds(86_400)
    return made
  }

  /// One that somebody can meet: drawn from an agent's own skills.
  private mutating func need() -> Need {
    let agent = random.place(below: profiles.count)
    let profile = profiles[agent]
    var need = Need(queue: QueueID(profile.queues[0]))
    need.priority = Int16(random.place(below: 3))
    var taken: Set<Int> = []
    for _ in 0..<(1 + random.place(below: 3)) {
      taken.insert(random.place(below: profile.skills.count))
    }
    need.skills = taken.sorted().map { at in
      let level = UInt8(1 + random.place(below: Int(profile.skills[at].level)))
      return .init(skill: SkillID(profile.skills[at].skill), level: level, required: true)
    }
    vary(&need, for: agent)
    return need
  }

  private mutating func vary(_ need: inout Need, for agent: Int) {
    let id = AgentID(UInt32(truncatingIfNeeded: agent))
    switch sizes.variant {
    case .plain, .strategy: break
    case .restricted(.teams):
      let team = UInt32(truncatingIfNeeded: agent % Self.teams)
      if random.place(below: 2) == 0 {
        need.requiredTeams = [TeamID(team)]
      } else {
        need.excludedTeams = [TeamID((team + 1) % UInt32(Self.teams))]
      }
    case .restricted(.excluded):
      need.excluded = [AgentID((id.raw + 1) % UInt32(truncatingIfNeeded: sizes.agents))]
    case .restricted(.required): need.requiredAgents = [id]
    case .restricted(.preferred):
      need.preferred = .init(agent: AgentID(id.raw % 16), for: .seconds(86_400))
    case .steps:
      if let skill = need.skills.first {
        need.steps = [
          .init(after: .seconds(30), change: .lowerSkill(skill.skill, level: 1)),
          .init(after: .seconds(60), change: .raisePriority(by: 1)),
        ]
      }
    }
  }

  /// One of those that are kept; or, where there are too many or each case names an agent of its
  /// own, a new one.
  private mutating func nextNeed() -> Need {
    if sizes.needs > Self.needsKeptMax { return need() }
    var need = needs[random.place(below: needs.count)]
    guard case .restricted(let restriction) = sizes.variant, restriction != .teams else {
      return need
    }
    let able = somebody(for: need)
    vary(&need, for: able)
    return need
  }

  /// The first agent from a random one on who meets the need.
  private mutating func somebody(for need: Need) -> Int {
    let start = random.place(below: profiles.count)
    for offset in profiles.indices {
      let index = (start + offset) % profiles.count
      if profiles[index].meets(need) { return index }
    }
    return start
  }

  // MARK: - Commands

  mutating func play(_ command: Command) {
    decided += 1
    if isKeeping { kept.append((command, now)) }
    if let refused = router.decide(command, at: now, into: &out), refusal == nil {
      refusal = "\(refused)"
    }
  }

  private mutating func timed(_ kind: Kind, _ command: Command) {
    guard isTiming else { return play(command) }
    if isByProcessor {
      let start = ProcessorTime.ofThread
      play(command)
      return tookOfProcessor.record(ProcessorTime.ofThread - start)
    }
    let start = MonotonicClock.nowNanoseconds
    play(command)
    let time = MonotonicClock.nowNanoseconds - start
    took.record(time)
    tookEach[kind.rawValue].record(time)
  }

  mutating func forget() {
    out.events.removeAll(keepingCapacity: true)
    out.effects.removeAll(keepingCapacity: true)
    if decided % 1_024 < 8 { _ = router.takeDirtyRows() }
  }

  private mutating func id<Kind>(_: ID<Kind>.Type = ID<Kind>.self) -> ID<Kind> {
    drawn += 1
    return ID(high: random.next(), low: drawn)
  }

  mutating func open(like need: Need? = nil) {
    now.milliseconds += 1
    let conversation: ConversationID = id()
    let session = NewSession(id: id(), channel: .chat, bot: BotID(0))
    timed(
      .open,
      .openConversation(conversation: conversation, customer: ID(high: 1, low: 1), session: session)
    )
    let need = need ?? nextNeed()
    let theCase: CaseID = id()
    if newest.count >= 4_096 { newest.removeFirst(2_048) }
    newest.append(theCase)
    live[theCase.low] = Life(
      session: session.id, need: need, key: now.milliseconds - Int64(need.priority) * 60_000)
    timed(
      .route,
      .route(
        conversation: conversation, session: session.id, case: theCase, need: need,
        by: .init(cause: .handoff, ruleVersion: 1, rule: 1), epoch: 1))
  }

  var offered: [(offer: OfferID, case: CaseID, agent: AgentID)] {
    var found: [(OfferID, CaseID, AgentID)] = []
    for case .offerMade(let offer, let id, let agent, _, _, _) in out.events {
      found.append((offer, id, agent))
    }
    return found
  }

  mutating func acceptAll() {
    for (offer, id, agent) in offered {
      timed(.accept, .accept(offer, agent))
      busy.append((agent, id))
    }
  }

  /// Until so many wait; whoever is offered something accepts it.
  mutating func fill() {
    let before = ProcessFacts.now().residentBytes
    let working = sizes.waiting == 0 ? 2 * sizes.agents : 0
    while router.caseCount < max(working, sizes.waiting + busy.count), refusal == nil {
      open()
      acceptAll()
      forget()
    }
    bytesFilled = ProcessFacts.now().residentBytes - before
  }

  /// An agent ends a case, gets the next one and accepts it; a new one comes, like the one that was
  /// taken, so that what waits stays as it is.
  mutating func life() {
    forget()
    if let (agent, id) = takeBusy(), let life = live.removeValue(forKey: id.low) {
      timed(.close, .close(id, by: agent))
      timed(.end, .endSession(life.session, .customerLeft))
    }
    open(like: offered.last.flatMap { live[$0.case.low]?.need })
    acceptAll()
    if case .steps = sizes.variant, router.nextDeadline.map({ $0 <= now }) ?? false {
      // What was offered before has been accepted: only the tick's own offers follow.
      forget()
      timed(.tick, .tick)
      acceptAll()
    }
  }

  /// What decisions cost, and what writing their rows: lives are played, and then the same commands once more on a
  /// copy of the machine, without what the bench itself does about them.
  /// - Returns: nanoseconds of processor time a decision, rows apart.
  mutating func alone(decisions: Int) -> (decision: Double, rows: Double) {
    var other = router
    (kept, isKeeping) = ([], true)
    while kept.count < decisions, refusal == nil { life() }
    isKeeping = false
    var out = Decision()
    var rows: Int64 = 0
    let start = ProcessorTime.ofThread
    for (place, played) in kept.enumerated() {
      if let refused = other.decide(played.command, at: played.at, into: &out), refusal == nil {
        refusal = "\(refused)"
      }
      if place % 8 == 7 {
        out.events.removeAll(keepingCapacity: true)
        out.effects.removeAll(keepingCapacity: true)
      }
      if place % 1_024 == 1_023 {
        let begun = ProcessorTime.ofThread
        _ = other.takeDirtyRows()
        rows += ProcessorTime.ofThread - begun
      }
    }
    let all = Double(ProcessorTime.ofThread - start - rows)
    let count = Double(max(1, kept.count))
    kept = []
    return (all / count, Double(rows) / count)
  }

  /// Rules that differ from those that apply: one agent has learned something, or a priority is worth more in one queue.
  mutating func reconfigure(aQueue: Bool) -> Int64 {
    var changed = configuration()
    changed.version = 2 + (router.configurationVersion ?? 0)
    if aQueue {
      changed.queues[0].prioritySeconds += changed.version
    } else if !changed.agents[0].skills.isEmpty {
      changed.agents[0].skills[0].level = UInt8(1 + changed.version % 10)
    }
    forget()
    let start = MonotonicClock.nowNanoseconds
    play(.configure(changed))
    return MonotonicClock.nowNanoseconds - start
  }

  /// Why cases wait, and why agents are idle.
  mutating func explain(times: Int) -> (cases: LatencyHistogram, agents: LatencyHistogram) {
    var taken = (cases: LatencyHistogram(), agents: LatencyHistogram())
    for offer in busy.prefix(times) {
      let start = MonotonicClock.nowNanoseconds
      if router.why(offer.agent) == nil { refusal = refusal ?? "an agent is not explained" }
      taken.agents.record(MonotonicClock.nowNanoseconds - start)
    }
    // Those who came last wait, and stand behind all others.
    for id in waitingNewest(times) {
      let start = MonotonicClock.nowNanoseconds
      if router.why(id)?.ahead == nil { refusal = refusal ?? "a waiting case is not explained" }
      taken.cases.record(MonotonicClock.nowNanoseconds - start)
    }
    return taken
  }

  private func waitingNewest(_ count: Int) -> [CaseID] {
    var found: [CaseID] = []
    for id in newest.reversed() where found.count < count {
      if case .waiting? = router.case(id)?.state { found.append(id) }
    }
    return found
  }

  mutating func takeBusy() -> (AgentID, CaseID)? {
    guard !busy.isEmpty else { return nil }
    busy.swapAt(random.place(below: busy.count), busy.count - 1)
    return busy.removeLast()
  }
}

extension RoutingConfiguration.Strategy {
  /// As rule files write it.
  var name: String {
    switch self {
    case .longestIdle: "longest_idle"
    case .leastOccupied: "least_occupied"
    case .mostSkilled: "most_skilled"
    case .leastSkilled: "least_skilled"
    case .roundRobin: "round_robin"
    case .fewestToday: "fewest_today"
    }
  }
}

extension SeededRandom {
  /// Draws as the figures in docs/decisions were taken.
  fileprivate mutating func place(below n: Int) -> Int {
    Int(truncatingIfNeeded: next() >> 33) % max(1, n)
  }
}
