import Model
import Testing
import Wire

@testable import Routing

/// A small generator with a seed; the same numbers everywhere.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func below(_ n: Int) -> Int { n <= 1 ? 0 : Int(next() % UInt64(n)) }
}

/// Random commands against a router, most of them sensible, some not. Checks after every step;
/// restarts from rows and replays at random.
struct RandomHistory {
  var random: SeededRandom
  var router = Router()
  /// Only applies; what the naive matcher looks at.
  var shadow = Router()
  var wrong: [String] = []
  /// What agents' screens show, where somebody asks.
  var desks: Desks?
  var compared = 0
  var restarts = true
  var now = Instant(milliseconds: 1_700_000_000_000)
  var log: [(event: Event, at: Instant)] = []
  var drawn: UInt64 = 0
  var sessions: [SessionID] = []
  var conversations: [ConversationID] = []
  var cases: [CaseID] = []
  var offers: [OfferID] = []
  var closed: [ClosedConversation] = []
  let agents: Int, skills: Int, queues: Int

  init(seed: UInt64) {
    random = SeededRandom(state: seed)
    // Some worlds are crowded with cases that need the same, some with agents who can do the same.
    switch seed % 3 {
    case 0:
      (agents, skills, queues) = (3 + random.below(12), 1 + random.below(6), 1 + random.below(4))
    case 1: (agents, skills, queues) = (12, 0, 1)
    default: (agents, skills, queues) = (2, 1, 1)
    }
    step(.configure(configuration()))
  }

  /// Agents learn, forget, come and go; now and then a queue is different as well. What waits elsewhere stays where
  /// it is.
  mutating func configurationChangedInPart() -> RoutingConfiguration {
    let drawn = configuration()
    guard var made = router.configuration else { return drawn }
    let known = Set(made.queues.map(\.name))
    made.version = drawn.version
    made.agents = drawn.agents
    for index in made.agents.indices { made.agents[index].queues.removeAll { !known.contains($0) } }
    if random.below(2) == 0 {
      let at = random.below(made.queues.count)
      made.queues[at].prioritySeconds = [0, 10, 60][random.below(3)]
      made.queues[at].order = random.below(2) == 0 ? .deadline : .age
      if random.below(2) == 0 { made.queues[at].hours = hours() }
      if random.below(2) == 0 { made.queues[at].waitMax = .seconds(Int64(1 + random.below(90))) }
    }
    if random.below(3) == 0 { made.statuses = drawn.statuses }
    return made
  }

  mutating func configuration() -> RoutingConfiguration {
    var made = RoutingConfiguration(
      version: UInt32(random.below(1_000)), skills: (0..<skills).map { "s\($0)" },
      bots: ["b0", "b1"], queues: [],
      agents: [])
    for index in 0..<queues where index == 0 || random.below(8) != 0 {
      var queue = RoutingConfiguration.Queue(name: "q\(index)")
      queue.prioritySeconds = [0, 10, 60][random.below(3)]
      queue.onMiss = random.below(2) == 0 ? .notResponding : .backOff(.seconds(20))
      queue.strategy =
        [
          [.longestIdle], [.leastOccupied, .mostSkilled], [.leastSkilled], [.roundRobin],
          [.fewestToday],
        ][random.below(5)]
      queue.order = random.below(3) == 0 ? .deadline : .age
      queue.offersAtOnce = UInt8(1 + random.below(3))
      queue.firstReply = .init(
        chat: .seconds(Int64(random.below(3)) * 10), email: .zero, phone: .zero)
      queue.wrapUp = .init(chat: .zero, email: .zero, phone: .seconds(Int64(random.below(2)) * 20))
      if random.below(3) == 0 { queue.hours = hours() }
      queue.whenClosed = way()
      queue.whenFull = way()
      queue.whenWaitedOut = way()
      if random.below(3) == 0 { queue.waitMax = .seconds(Int64(1 + random.below(90))) }
      if random.below(3) == 0 { queue.waitingMax = UInt32(random.below(12)) }
      made.queues.append(queue)
    }
    for index in 0..<agents where index == 0 || random.below(10) != 0 {
      var agent = RoutingConfiguration.Agent(name: "a\(index)", skills: [], queues: [])
      for skill in 0..<skills where random.below(2) == 0 {
        agent.skills.append(.init("s\(skill)", level: UInt8(1 + random.below(10))))
      }
      agent.queues = made.queues.map(\.name).filter { _ in random.below(3) != 0 }
      if queues == 1 { agent.queues = made.queues.map(\.name) }
      agent.capacity = UInt16(1 + random.below(5))
      agent.devices = random.below(2) == 0 ? [] : (0...random.below(2)).map { "d\($0)" }
      agent.autoAccept = random.below(6) == 0
      agent.teams = ["t0", "t1"].filter { _ in random.below(2) == 0 }
      agent.channelMax = .init(
        chat: 3, email: UInt16(1 + random.below(3)), phone: UInt16(1 + random.below(2)))
      made.agents.append(agent)
    }
    made.teams = ["t0", "t1"]
    for index in made.queues.indices {  // only to queues that there are
      let known = Set(made.queues.map(\.name))
      let only = { (way: RoutingConfiguration.Overflow) -> RoutingConfiguration.Overflow in
        if case .queue(let name) = way, !known.contains(name) { return .wait }
        return way
      }
      made.queues[index].whenClosed = only(made.queues[index].whenClosed)
      made.queues[index].whenFull = only(made.queues[index].whenFull)
      made.queues[index].whenWaitedOut = only(made.queues[index].whenWaitedOut)
    }
    chooseBetween(&made)
    made.limits.interruptible.email = random.below(2) == 0
    if random.below(2) == 0 {
      made.limits.botSilenceMax = .seconds(Int64(5 + random.below(60)))
      made.limits.botSilenceQueue = "q0"
    }
    made.limits.voiceExclusive = random.below(2) == 0
    made.limits.weight.phone = UInt16(1 + random.below(3))
    made.limits.sessionIdleMax = .seconds(3_000)
    made.limits.presenceLease = .seconds([60, 600][random.below(2)])
    // Now and then a version without them, so that agents are in what is retired.
    if made.version % 4 != 0 { made.statuses = World.withStatuses.statuses }
    for index in made.agents.indices { made.agents[index].voiceExclusive = index % 3 != 1 }
    return made
  }

  /// By a copy of its luck, so that older seeds go on as they were.
  private func chooseBetween(_ made: inout RoutingConfiguration) {
    var luck = random
    let rule = luck.below(3)
    for index in made.queues.indices {
      if rule == 1 { made.queues[index].slopePermille = UInt32(500 + 1_500 * luck.below(3)) }
      if rule == 2 { made.queues[index].share = UInt16(luck.below(4)) }
    }
  }

  mutating func hours() -> [RoutingConfiguration.OpenInterval] {
    var at = now + .seconds(Int64(random.below(60)) - 60)
    return (0..<random.below(20)).map { _ in
      let from = at + .seconds(Int64(random.below(40)))
      at = from + .seconds(Int64(1 + random.below(60)))
      return .init(from: from, until: at)
    }
  }
  mutating func way() -> RoutingConfiguration.Overflow {
    [.wait, .wait, .refuse, .handBack, .message, .queue("q\(random.below(queues))")][
      random.below(6)]
  }

  mutating func id<Kind>() -> ID<Kind> {
    drawn += 1
    return ID(high: random.next(), low: drawn)
  }
  mutating func agent() -> AgentID { AgentID(UInt32(random.below(agents + 1))) }
  /// Mostly an offer that is still open.
  mutating func open() -> OfferID? {
    let live = offers.filter { router.offer($0) != nil }
    return random.below(8) == 0 ? one(offers) : one(live)
  }
  mutating func one<T>(_ all: [T]) -> T? { all.isEmpty ? nil : all[random.below(all.count)] }

  mutating func need() -> Need {
    var need = Need(queue: QueueID(UInt32(random.below(queues))))
    need.priority = Int16(random.below(5)) - 1
    for skill in 0..<skills where random.below(4) == 0 {
      need.skills.append(
        .init(
          skill: SkillID(UInt32(skill)), level: UInt8(1 + random.below(8)),
          required: random.below(4) != 0))
    }
    if random.below(5) == 0 {
      need.preferred = .init(agent: agent(), for: .seconds(Int64(random.below(60))))
    }
    if random.below(6) == 0 { need.excluded = [agent()] }
    if random.below(10) == 0 { need.requiredAgents = [agent(), agent()] }
    if random.below(10) == 0 { need.requiredTeams = [TeamID(UInt32(random.below(3)))] }
    if random.below(10) == 0 { need.excludedTeams = [TeamID(UInt32(random.below(3)))] }
    if random.below(6) == 0 { need.weight = UInt16(random.below(4)) }
    for _ in 0..<random.below(4) where skills > 0 && random.below(2) == 0 {
      let skill = SkillID(UInt32(random.below(skills)))
      let queue = QueueID(UInt32(random.below(queues)))
      let change: Need.Step.Change = [
        .dropSkill(skill), .lowerSkill(skill, level: 1), .raisePriority(by: 3), .changeQueue(queue),
        .widen([queue]),
        .message(4),
      ][random.below(6)]
      need.steps.append(.init(after: .seconds(Int64(random.below(120))), change: change))
    }
    return need
  }

  mutating func session() -> NewSession {
    let channel = Channel.allCases[random.below(3)]
    return NewSession(
      id: id(), channel: channel, bot: channel == .chat ? BotID(UInt32(random.below(2))) : nil)
  }

  mutating func command() -> Command {
    let waiter = WaiterID(UInt64(random.below(20)))
    switch random.below(40) {
    case 0, 1, 2:
      return .openConversation(conversation: id(), customer: id(), session: session())
    case 3: return .joinSession(conversation: one(conversations) ?? id(), session: session())
    case 4:
      let known = one(sessions) ?? id()
      let view = router.session(known)
      return .joinSession(
        conversation: view?.conversation ?? id(),
        session: NewSession(id: known, channel: view?.channel ?? .chat, bot: view?.bot))
    case 5:
      return .reopenConversation(
        one(closed) ?? .init(id: id(), customer: id(), epoch: 7, lastAgent: nil), session: session()
      )
    case 6, 7:
      return .endSession(
        one(sessions) ?? id(), [.customerLeft, .hungUp, .botEnded][random.below(3)])
    case 8, 9:
      let author: Author = [.customer, .system, .bot(BotID(0)), .agent(agent())][random.below(4)]
      return .record(
        conversation: one(conversations) ?? id(),
        session: random.below(2) == 0 ? nil : one(sessions),
        entry: EntryID(Int64(random.below(1_000_000))),
        author: author, visibility: [.customer, .business, .internal][random.below(3)],
        epoch: random.below(2) == 0 ? nil : UInt32(random.below(4)))
    case 10, 11, 12, 13, 14:
      let carrier = one(sessions) ?? id()
      let home = router.session(carrier)?.conversation ?? id()
      return .route(
        conversation: home, session: carrier, case: id(), need: need(),
        by: .init(cause: random.below(6) == 0 ? .message : .handoff, ruleVersion: 1, rule: 2),
        epoch: nil)
    case 15, 34, 35:
      return .setStatus(
        agent(),
        [.available, .available, .available, .busy, .offline, World.mailOnly][random.below(6)],
        reason: reason(),
        lease: random.below(4) == 0 ? .seconds(Int64(1 + random.below(500))) : nil)
    case 16, 36: return .renewPresence(agent())
    case 17, 18, 37:
      return .next(agent(), waiter: waiter, until: now + .seconds(Int64(random.below(60))))
    case 19:
      return random.below(2) == 0
        ? .endNext(agent(), waiter: waiter) : .closeStream(agent(), waiter: waiter)
    case 20: return .openStream(agent(), waiter: waiter)
    case 21, 22, 23, 32, 33:
      let offer = open() ?? id()
      return .accept(offer, router.offer(offer)?.agent ?? agent())
    case 24:
      let offer = open() ?? id()
      return .decline(offer, router.offer(offer)?.agent ?? agent())
    case 25:
      return .failOffer(one(offers) ?? id(), [.connectionClosed, .deviceBusy][random.below(2)])
    default: return caseCommand()
    }
  }

  mutating func caseCommand() -> Command {
    let held = cases.filter { router.case($0)?.agent != nil }
    let id: CaseID = (random.below(6) == 0 ? one(cases) : one(held)) ?? self.id()
    let by = random.below(10) == 0 ? agent() : router.case(id)?.agent ?? agent()
    switch random.below(18) {
    case 10: return .assign(one(cases) ?? id, to: agent())
    case 11: return .requeue(one(cases) ?? id)
    case 12: return .extendWrapUp(id, by: by, until: now + .seconds(Int64(random.below(100))))
    case 13:
      return .consult(id, by: by, with: agent(), until: now + .seconds(Int64(random.below(60))))
    case 14: return .endConsult(id, by: random.below(2) == 0 ? by : agent())
    case 15:
      let asked = router.cases.ordered.filter { router.cases[$0].consult != nil }
      if random.below(4) > 0, !asked.isEmpty {
        let record = router.cases[asked[random.below(asked.count)]]
        if let consult = record.consult { return .takeOver(record.id, by: consult.agent) }
      }
      return .takeOver(one(cases) ?? id, by: agent())
    case 16:
      return .finish(
        agent(), then: [.offline, World.lunch, .available][random.below(3)], reason: reason())
    case 17:
      let some = Channel.allCases.filter { _ in random.below(4) > 0 }
      if random.below(2) == 0 { return .chooseChannels(agent(), some) }
      return .setChannelStatus(
        agent(), some, [.available, .busy, World.lunch, World.mailOnly][random.below(4)],
        reason: reason())
    case 0: return .transfer(id, by: by, need: need(), case: self.id())
    case 1: return .handBack(id, by: by)
    case 2, 3: return .wrapUp(id, by: by)
    case 4, 5: return .close(id, by: by)
    case 6: return resumed() ?? .close(id, by: by)
    case 7: return .park(id, by: by, until: now + .seconds(Int64(random.below(100))))
    case 8:
      switch random.below(3) {
      case 0: return .hold(id, by: by, until: now + .seconds(Int64(random.below(60))))
      case 1: return .endHold(id, by: by)
      default:
        guard random.below(4) > 0, let resumed = resumed() else { return .resume(id, by: by) }
        return resumed
      }
    default: return .moveConversation(one(conversations) ?? self.id(), customer: self.id())
    }
  }

  /// One of those that are parked goes on, if there is one.
  mutating func resumed() -> Command? {
    let parked = router.cases.ordered.compactMap { slot -> (id: CaseID, agent: AgentID)? in
      guard case .parked(let agent, _) = router.cases[slot].state else { return nil }
      return (router.cases[slot].id, agent)
    }
    guard !parked.isEmpty else { return nil }
    let drawn = parked[random.below(parked.count)]
    return .resume(drawn.id, by: drawn.agent)
  }

  mutating func reason() -> StatusReasonID? {
    random.below(3) == 0 ? StatusReasonID(high: 9, low: UInt64(random.below(3))) : nil
  }

  mutating func step(_ command: Command) {
    var out = Decision()
    let looks = random.below(8) == 0
    let before = looks ? router.stateHash : 0
    let rejection = router.decide(command, at: now, into: &out)
    for event in out.events {
      log.append((event, now))
      if case .offerMade(_, let theCase, let agent, _, _, let passed) = event {
        compare(theCase, agent)
        compare(passed, theCase)
      }
      shadow.apply(event, at: now)
      note(event)
    }
    desks?.hear(out, router)
    if rejection != nil,
      !(out.events.isEmpty && out.effects.isEmpty && (!looks || router.stateHash == before))
    {
      Issue.record("\(command) was refused (\(rejection!)) and changed something")
    }
  }

  /// The naive matcher: looks at every waiting case and every agent. The offer must join a case
  /// with no sooner one that its agent could take, to an agent with no better one for it.
  mutating func compare(_ id: CaseID, _ agent: AgentID) {
    let (slot, index) = (shadow.slot(of: id), Int(agent.raw))
    func could(_ index: Int, _ other: Int32) -> Bool {
      let record = shadow.cases[other]
      return (record.state == .waiting || other == slot && record.state == .offered)
        && !shadow.isInGrace(other)
        && (record.preferenceUntil == nil
          || record.need.preferred.map { Int($0.agent.raw) == index } ?? true)
        && shadow.isEligible(index, other)
    }
    if !could(index, slot) {
      wrong.append("\(id) offered to agent \(agent.raw), who cannot take it")
    }
    for other in shadow.cases.ordered where could(index, other) {
      if shadow.goesBefore(other, slot, now) {
        wrong.append("\(shadow.cases[other].id) goes before \(id)")
      }
    }
    for other in shadow.agents.indices where other != index && could(other, slot) {
      if shadow.prefers(other, index, slot) {
        wrong.append("agent \(other) goes before \(index) for \(id)")
      }
    }
    compared += 1
  }

  /// Each member of the queue is asked singly what of the need they do not meet.
  private mutating func compare(_ passed: PassedOver, _ id: CaseID) {
    let need = shadow.cases[shadow.slot(of: id)].need
    var counted: [PassedOverReason: UInt32] = [.lacksSkill: 0, .excluded: 0, .notRequired: 0]
    for index in shadow.agents.indices where shadow.profiles.serves(index, need.queue) {
      let (agent, teams) = (AgentID(UInt32(index)), shadow.profiles.teams(index))
      let lacks = need.skills.contains {
        $0.required && shadow.profiles.level(index, $0.skill.raw) < $0.level
      }
      if lacks { counted[.lacksSkill, default: 0] += 1 }
      if need.excluded.contains(agent) || need.excludedTeams.contains(where: teams.contains) {
        counted[.excluded, default: 0] += 1
      }
      if !need.requiredAgents.isEmpty && !need.requiredAgents.contains(agent)
        || !need.requiredTeams.isEmpty && !need.requiredTeams.contains(where: teams.contains)
      {
        counted[.notRequired, default: 0] += 1
      }
    }
    for (reason, number) in counted where passed.counts[Int(reason.rawValue)] != number {
      wrong.append("\(id) was offered past \(passed), of \(reason) there are \(number)")
    }
  }

  mutating func note(_ event: Event) {
    switch event {
    case .conversationOpened(let id, _, _): conversations.append(id)
    case .sessionOpened(let id, _, _, _): sessions.append(id)
    case .sessionEnded(let id, _): if random.below(3) != 0 { sessions.removeAll { $0 == id } }
    case .caseQueued(let id, _, _, _, _, _, _): cases.append(id)
    case .caseClosed(let id, _): if random.below(3) != 0 { cases.removeAll { $0 == id } }
    case .offerMade(let id, _, _, _, _, _): offers.append(id)
    case .offerEnded(let id, _): if random.below(3) != 0 { offers.removeAll { $0 == id } }
    case .conversationClosed(let id, let last):
      conversations.removeAll { $0 == id }
      closed.append(.init(id: id, customer: .init(high: 0, low: 1), epoch: 9, lastAgent: last))
    default: break
    }
    if sessions.count > 60 { sessions.removeFirst(20) }
    if cases.count > 60 { cases.removeFirst(20) }
    if offers.count > 20 { offers.removeFirst(10) }
  }

  /// One step; nil when all is well, else what is wrong.
  mutating func advance() -> String? {
    if random.below(3) == 0 {
      now = now + .milliseconds(Int64(random.below(random.below(8) == 0 ? 40_000 : 2_000)))
    }
    if let due = router.nextDeadline, due <= now {
      step(.tick)
      while router.matchGoesOn { step(.tick) }
    }
    let chance = random.below(400)
    var asked: Command = .tick
    switch chance {
    case 0: asked = .start
    case 1: asked = .configure(configuration())
    case 2: asked = .configure(configurationChangedInPart())
    default: asked = command()
    }
    step(asked)
    while router.matchGoesOn { step(.tick) }
    let violations = Invariants.check(router, rows: chance % 10 == 0)
    if let first = wrong.first { return "after \(asked): \(first)" }
    if let first = violations.first { return "after \(asked): \(first)" }
    if chance % 100 == 3 { return replay() }
    if chance == 4, restarts { return restart() }
    return nil
  }

  func replay() -> String? {
    var other = Router()
    for (event, at) in log {
      var out = ByteWriter()
      event.encode(into: &out)
      guard let read = try? ByteReader.readAll(out.bytes, Event.decode), read == event else {
        return "\(event) does not read back"
      }
      other.apply(read, at: at)
    }
    return other.canonicalBytes == router.canonicalBytes
      ? nil : "a replay of \(log.count) events is another state"
  }

  /// What is derived of the cases, beside the machine that its rows make; nil when they are the same.
  func differenceToRebuilt() -> String? {
    guard let rebuilt = try? Router(rows: router.allRows()) else { return "no machine" }
    for slot in router.cases.ordered {
      let (record, other) = (router.cases[slot], rebuilt.slot(of: router.cases[slot].id))
      guard other >= 0 else { return "\(record.id) is gone" }
      let same = rebuilt.cases[other]
      if record.key != same.key || record.weight != same.weight {
        return "\(record.id) stands at \(record.key) and weighs \(record.weight), "
          + "anew at \(same.key) and \(same.weight)"
      }
      // A timer that is too early finds nothing to do: those of cases that are offered are left as they were.
      let due = router.timers.instant(.caseDue, slot) ?? .max
      let anew = rebuilt.timers.instant(.caseDue, other) ?? .max
      if record.state == .waiting ? due != anew && anew > now.milliseconds : due > anew {
        return "\(record.id) is due at \(due), anew at \(anew)"
      }
    }
    // Kept, it may be that of a case that is gone: then more agents are looked at.
    guard router.leastWeight == rebuilt.leastWeight else { return nil }
    for index in router.queues.indices {
      let (queue, same) = (router.queues[index], rebuilt.queues[index])
      if queue.blocked != same.blocked || queue.ready != same.ready || queue.members != same.members
      {
        return "queue \(index) counts its agents otherwise than anew"
      }
    }
    return nil
  }

  /// Goes on with the machine that its rows make.
  mutating func restart() -> String? {
    do {
      router = try Router(rows: router.allRows())
      return nil
    } catch { return "rows: \(error)" }
  }
}

struct `Random histories` {
  @Test(arguments: 1...24) func `no step of a random history breaks an invariant`(seed: UInt64) {
    var history = RandomHistory(seed: seed)
    for step in 0..<400 {
      if let wrong = history.advance() {
        Issue.record("seed \(seed), step \(step): \(wrong)")
        return
      }
    }
  }

  @Test(arguments: 1...24)
  func `rules that change in part leave what waits as a machine has it that is built anew`(
    seed: UInt64
  ) {
    var history = RandomHistory(seed: seed)
    for step in 0..<300 {
      if step % 6 == 5 {
        history.step(.configure(history.configurationChangedInPart()))
        while history.router.matchGoesOn { history.step(.tick) }
        if let wrong = history.differenceToRebuilt() {
          Issue.record("seed \(seed), step \(step): \(wrong)")
          return
        }
      }
      if let wrong = history.advance() {
        Issue.record("seed \(seed), step \(step): \(wrong)")
        return
      }
    }
  }
}
