import Glibc
import Model
import Routing

// Nanoseconds per decision of the router alone, in memory, on one core:
// `RouterBench <agents> <skills> <waiting> <needs> [decisions]`. A decision is one command decided and applied,
// with its match. The loop is a life of a case: close, accept the offer that follows, open, route.

struct Random: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func below(_ n: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % max(1, n) }
}

func nanoseconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> UInt64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

func residentBytes() -> Int {
  guard let file = fopen("/proc/self/statm", "r") else { return 0 }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 128)
  fgets(&line, 128, file)
  let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  return pages * 4_096
}

struct Bench {
  var random = Random(state: 7)
  var router = Router()
  var now = Instant(milliseconds: 1_700_000_000_000)
  var out = Decision()
  var drawn: UInt64 = 0
  var needs: [Need] = []
  let skills: Int, queues: Int, distinct: Int
  var busy: [(agent: AgentID, id: CaseID)] = []
  var agentSkills: [[(Int, UInt8)]] = []
  var homeQueue: [Int] = []

  init(agents: Int, skills: Int, waiting: Int, distinct: Int) {
    self.skills = skills
    self.distinct = distinct
    queues = 8
    var made = RoutingConfiguration(
      version: 1, skills: (0..<skills).map { "skill\($0)" }, bots: ["bot"],
      queues: (0..<queues).map { .init(name: "queue\($0)") }, agents: [])
    for index in 0..<agents {
      var agent = RoutingConfiguration.Agent(name: "agent\(index)", skills: [], queues: [])
      let first = random.below(queues)
      homeQueue.append(first)
      agent.queues = ["queue\(first)", "queue\((first + 1) % queues)"]
      agent.capacity = 1
      var has = Set<Int>()
      while has.count < min(skills, 8) { has.insert(random.below(skills)) }
      agent.skills = has.sorted().map { .init("skill\($0)", level: UInt8(1 + random.below(10))) }
      agentSkills.append(has.sorted().enumerated().map { ($1, agent.skills[$0].level) })
      made.agents.append(agent)
    }
    made.limits.presenceLease = .seconds(86_400)
    play(.configure(made))
    // Needs that somebody can meet: drawn from an agent's own skills.
    for _ in 0..<min(distinct, 8_192) { needs.append(need()) }
    for index in 0..<agents {
      let agent = AgentID(UInt32(index))
      play(.setStatus(agent, .available, lease: nil))
      play(.openStream(agent, waiter: WaiterID(UInt64(index))))
    }
    out = Decision()
    // Fill until so many wait; whoever is offered something accepts.
    while router.caseCount < waiting + busy.count {
      open()
      for case .offerMade(let offer, let id, let agent, _, _, _) in out.events {
        busy.append((agent, id))
        play(.accept(offer, agent))
        break
      }
      out.events.removeAll(keepingCapacity: true)
      out.effects.removeAll(keepingCapacity: true)
      if busy.count % 1_000 == 0 || router.caseCount % 1_000 == 0 { _ = router.takeDirtyRows() }
    }
  }

  mutating func need() -> Need {
    let home = random.below(agentSkills.count)
    var need = Need(queue: QueueID(UInt32(homeQueue[home])))
    need.priority = Int16(random.below(3))
    let all = agentSkills[home]
    var taken = Set<Int>()
    for _ in 0..<(1 + random.below(3)) { taken.insert(random.below(all.count)) }
    need.skills = taken.sorted().map {
      .init(skill: SkillID(UInt32(all[$0].0)), level: UInt8(1 + random.below(Int(all[$0].1))), required: true)
    }
    return need
  }

  var decided = 0
  mutating func play(_ command: Command) {
    decided += 1
    if let refusal = router.decide(command, at: now, into: &out) { fatalError("\(command): \(refusal)") }
  }

  mutating func id<K>() -> ID<K> {
    drawn += 1
    return ID(high: random.next(), low: drawn)
  }

  mutating func open(like need: Need? = nil) {
    now.milliseconds += 1
    let conversation: ConversationID = id()
    let session = NewSession(id: id(), channel: .chat, bot: BotID(0))
    timed(0) { $0.play(.openConversation(conversation: conversation, customer: ID(high: 1, low: 1), session: session)) }
    let need = need ?? (distinct > 8_192 ? self.need() : needs[random.below(needs.count)])
    let theCase: CaseID = id()
    sessionOf[theCase.low] = session.id
    needOf[theCase.low] = need
    timed(1) {
      $0.play(
        .route(
          conversation: conversation, session: session.id, case: theCase, need: need,
          by: .init(cause: .handoff, ruleVersion: 1, rule: 1), epoch: 1))
    }
  }

  var sessionOf: [UInt64: SessionID] = [:]
  var needOf: [UInt64: Need] = [:]

  // MARK: Measuring
  var timing = false
  var took: [[UInt32]] = [[], [], [], [], []]
  var total: [UInt64] = [0, 0, 0, 0, 0]
  var count: [UInt64] = [0, 0, 0, 0, 0]

  @inline(__always) mutating func timed(_ kind: Int, _ body: (inout Bench) -> Void) {
    guard timing else { return body(&self) }
    let start = nanoseconds()
    body(&self)
    let end = nanoseconds() - start
    took[kind].append(UInt32(clamping: end))
    total[kind] += end
    count[kind] += 1
  }

  /// One life: an agent ends a case, gets the next and accepts it; a new one comes.
  mutating func life() {
    out.events.removeAll(keepingCapacity: true)
    out.effects.removeAll(keepingCapacity: true)
    if !busy.isEmpty {
      let place = random.below(busy.count)
      let (agent, id) = busy[place]
      busy[place] = busy[busy.count - 1]
      busy.removeLast()
      let session = sessionOf[id.low]
      sessionOf[id.low] = nil
      needOf[id.low] = nil
      timed(2) { $0.play(.close(id, by: agent)) }
      if let session { timed(4) { $0.play(.endSession(session, .customerLeft)) } }
    }
    // One like the one that was taken: what waits stays as it is.
    var taken: Need?
    for case .offerMade(_, let id, _, _, _, _) in out.events { taken = needOf[id.low] }
    open(like: taken)
    var offered: [(OfferID, CaseID, AgentID)] = []
    for case .offerMade(let offer, let id, let agent, _, _, _) in out.events { offered.append((offer, id, agent)) }
    for (offer, id, agent) in offered {
      timed(3) { $0.play(.accept(offer, agent)) }
      busy.append((agent, id))
    }
  }
}

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let (agents, skills, waiting, needs) = (arguments[0], arguments[1], arguments[2], arguments[3])
let decisions = arguments.count > 4 ? arguments[4] : 500_000
let before = residentBytes()
var bench = Bench(agents: agents, skills: skills, waiting: waiting, distinct: needs)
let filled = residentBytes()
for n in 0..<20_000 {
  bench.life()
  if n % 1_000 == 0 { _ = bench.router.takeDirtyRows() }
}
// The mean from the processor time of this thread, which a busy machine does not blur; the loop around the
// decisions is in it.
let (cpu, done) = (nanoseconds(CLOCK_THREAD_CPUTIME_ID), bench.decided)
for n in 0..<(decisions / 5) {
  bench.life()
  if n % 1_000 == 0 { _ = bench.router.takeDirtyRows() }
}
let cpuMean = (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu) / UInt64(max(1, bench.decided - done))
bench.timing = true
for n in 0..<(decisions / 5) {
  bench.life()
  if n % 1_000 == 0 { _ = bench.router.takeDirtyRows() }
}
let all = bench.took.flatMap { $0 }.sorted()
let part = { (perMille: Int) in all[min(all.count - 1, all.count * perMille / 1_000)] }
let mean = bench.total.reduce(0, +) / max(1, bench.count.reduce(0, +))
print("agents=\(agents) skills=\(skills) waiting=\(waiting) needs=\(needs): cpu mean \(cpuMean), wall mean \(mean) p50 \(part(500)) p99 \(part(990)) p99.9 \(part(999)) max \(all.last ?? 0) ns; \((filled - before) / 1_048_576) MB, still waiting \(bench.router.caseCount - bench.busy.count), busy \(bench.busy.count)")
for (kind, name) in ["open", "route", "close", "accept", "end"].enumerated() where bench.count[kind] > 0 {
  let sorted = bench.took[kind].sorted()
  print("  \(name): mean \(bench.total[kind] / bench.count[kind]) p99 \(sorted[sorted.count * 99 / 100]) p99.9 \(sorted[sorted.count * 999 / 1_000]) n \(sorted.count)")
}
