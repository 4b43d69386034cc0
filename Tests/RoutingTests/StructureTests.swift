import Model
import Testing
import Wire

@testable import Routing

/// Each structure against the plainest thing that does the same.
struct `Structures under the machine` {
  struct Plain: SlotRecord, Sendable {
    var id: CaseID
    var sequence: UInt64
    var isDirty = false, isStored = false
    static let vacant = Plain(id: CaseID(high: 0, low: 0), sequence: 0)
  }

  /// Through every size of the table, so that looking up while it moves is tried, too.
  @Test(arguments: 1...4) func `slots are found by id, as in a dictionary`(seed: UInt64) {
    var random = SeededRandom(state: seed)
    var slots = Slots<Plain>()
    var plain: [CaseID: Int32] = [:]
    for step in 0..<60_000 {
      // Few values of the upper half, and low bits that are all zero: a weak hash would show.
      let range = step < 30_000 ? 20_000 : 400
      let id = CaseID(high: UInt64(random.below(3)), low: UInt64(random.below(range)) << 40)
      let known = slots.find(id)
      #expect(known == plain[id] ?? -1)
      switch random.below(3) {
      case 0 where known >= 0:
        slots.remove(known)
        plain[id] = nil
      case 1, 2: if known < 0 { plain[id] = slots.add(Plain(id: id, sequence: UInt64(step + 1))) }
      default: break
      }
    }
    for (id, slot) in plain { #expect(slots.find(id) == slot) }
    #expect(slots.count == plain.count)
  }

  @Test(arguments: 1...4) func `timers fire in the order of instant, kind and number`(seed: UInt64)
  {
    var random = SeededRandom(state: seed)
    var timers = Timers()
    var plain: [UInt64: Int64] = [:]
    for _ in 0..<10_000 {
      let kind = [TimerKind.offer, .caseDue, .session, .agent][random.below(4)]
      let slot = Int32(random.below(200))
      switch random.below(4) {
      case 0:
        timers.cancel(kind, slot)
        plain[Timers.order(kind, UInt64(slot))] = nil
      case 1, 2:
        let at = Int64(random.below(1_000))
        timers.set(kind, slot, number: UInt64(slot), at: Instant(milliseconds: at))
        plain[Timers.order(kind, UInt64(slot))] = at
      default:
        let least = plain.map { ($0.value, $0.key) }.min { $0 < $1 }
        #expect(timers.first?.at == least?.0 && timers.first?.order == least?.1)
      }
    }
  }

  /// Agents with levels, and cases that need some of them.
  struct Field {
    var random: SeededRandom
    var profiles: Profiles
    let skills = 5, queues = 3, agents = 30

    init(seed: UInt64) {
      var random = SeededRandom(state: seed)
      var made = RoutingConfiguration(
        version: 1, skills: (0..<5).map { "s\($0)" }, bots: [],
        queues: (0..<3).map { .init(name: "q\($0)") }, agents: [])
      made.teams = (0..<3).map { "t\($0)" }
      for index in 0..<30 {
        var agent = RoutingConfiguration.Agent(name: "a\(index)", skills: [], queues: [])
        for skill in 0..<5 where random.below(2) == 0 {
          agent.skills.append(.init("s\(skill)", level: UInt8(1 + random.below(10))))
        }
        agent.queues = (0..<3).filter { _ in random.below(2) == 0 }.map { "q\($0)" }
        agent.teams = (0..<3).filter { _ in random.below(2) == 0 }.map { "t\($0)" }
        made.agents.append(agent)
      }
      var catalogue = Catalogue()
      catalogue.apply(made)
      profiles = Profiles(catalogue)
      self.random = random
    }

    mutating func needed() -> [Need.SkillRequirement] {
      var needed: [Need.SkillRequirement] = []
      for skill in 0..<skills where random.below(3) == 0 {
        needed.append(
          .init(
            skill: SkillID(UInt32(skill)), level: UInt8(1 + random.below(6)),
            required: random.below(6) != 0))
      }
      return needed
    }
    /// Nobody named, or one or two agents or teams required or excluded.
    mutating func named() -> Circle? {
      var circle = Circle()
      switch random.below(8) {
      case 0: circle.requiredTeams = [TeamID(UInt32(random.below(3)))]
      case 1: circle.excludedTeams = [TeamID(UInt32(random.below(3)))]
      case 2: circle.requiredAgents = [AgentID(UInt32(random.below(3))), AgentID(9)]
      case 3: circle.excludedAgents = [AgentID(UInt32(random.below(2)))]
      case 4:
        circle.requiredTeams = [TeamID(0), TeamID(1)]
        circle.excludedAgents = [AgentID(7)]
      default: return nil
      }
      return circle
    }
    func admits(_ agent: Int, _ circle: Circle?) -> Bool {
      guard let circle else { return true }
      let id = AgentID(UInt32(agent))
      let teams = profiles.teams(agent)
      if !circle.requiredAgents.isEmpty, !circle.requiredAgents.contains(id) { return false }
      if !circle.requiredTeams.isEmpty, !circle.requiredTeams.contains(where: teams.contains) {
        return false
      }
      return !circle.excludedAgents.contains(id)
        && !circle.excludedTeams.contains(where: teams.contains)
    }
    func meets(_ agent: Int, _ queues: [QueueID], _ needed: [Need.SkillRequirement]) -> Bool {
      queues.contains { profiles.serves(agent, $0) }
        && needed.allSatisfy { !$0.required || profiles.level(agent, $0.skill.raw) >= $0.level }
    }
  }

  struct Waiting {
    var slot: Int32, key: Int64, sequence: UInt64, queues: [QueueID], channel: Channel,
      weight: UInt16
    var needed: [Need.SkillRequirement]
    var circle: Circle?
  }

  /// Some cases stand with their class, some, where few agents can take them, with each of these.
  @Test(arguments: 1...6) func `the case index finds what a look at every case finds`(seed: UInt64)
  {
    var field = Field(seed: seed)
    var index = CaseIndex()
    var scarce = ScarceCases(agents: field.agents)
    var plain: [Waiting] = []
    var free = Array(0..<600 as Range<Int32>)
    // A few needs that many share, so that classes grow, or many that few share.
    let shared = (0..<4).map { _ in field.needed() }
    for sequence in 1...3_000 as ClosedRange<UInt64> {
      if field.random.below(5) < 2, !plain.isEmpty {
        let gone = plain.remove(at: field.random.below(plain.count))
        index.remove(gone.slot)
        scarce.remove(gone.slot)
        free.append(gone.slot)
      } else if plain.count < 600 {
        let slot = free.removeLast()
        let queue = QueueID(UInt32(field.random.below(3)))
        let widened = field.random.below(5) == 0 ? [QueueID(UInt32(field.random.below(3)))] : []
        let new = Waiting(
          slot: slot, key: Int64(field.random.below(500)), sequence: sequence,
          queues: [queue] + widened,
          channel: Channel.allCases[field.random.below(3)],
          weight: UInt16(1 + field.random.below(2)),
          needed: seed % 2 == 0 ? shared[field.random.below(4)] : field.needed(),
          circle: field.named())
        plain.append(new)
        let kind = CaseIndex.Kind(
          queue: queue, widened: widened, channel: new.channel, weight: new.weight,
          circle: new.circle)
        let few = (0..<field.agents).filter {
          field.meets($0, new.queues, new.needed) && field.admits($0, new.circle)
        }.map { Int32($0) }
        if few.count < 6, field.random.below(4) > 0 {
          scarce.insert(
            .init(
              key: new.key, sequence: sequence, slot: slot, weight: new.weight,
              channel: new.channel.bit),
            family: CaseIndex.family(kind, new.needed), agents: few, queue: queue,
            namesAgents: new.circle != nil)
        } else {
          index.insert(
            slot, key: new.key, sequence: sequence, kind, skills: new.needed, isBackedOff: false)
        }
      }
      let agent = field.random.below(field.agents)
      let ready = UInt8(1 + field.random.below(7))
      let room = 1 + field.random.below(2)
      let barred = Int32(field.random.below(7))
      let expected = plain.filter {
        ready & $0.channel.bit != 0 && Int($0.weight) <= room && $0.slot % 7 != barred
          && field.meets(agent, $0.queues, $0.needed) && field.admits(agent, $0.circle)
      }.min { ($0.key, $0.sequence) < ($1.key, $1.sequence) }
      let rooms = Rooms(chat: room, email: room, phone: room)
      let own = scarce.best(for: agent, ready: ready, room: rooms, field.profiles) {
        slot, _ in slot % 7 != barred
      }
      let seeker = CaseIndex.Seeker(agent: agent, ready: ready, room: rooms)
      // As the machine does: agents whom a case excludes are told apart one by one.
      let circles = Dictionary(uniqueKeysWithValues: plain.map { ($0.slot, $0.circle) })
      let shared = index.best(for: seeker, field.profiles, below: own) {
        $0 % 7 != barred && circles[$0]??.excludes(agent, $1) != true
      }
      let found = shared.slot >= 0 ? shared : own
      #expect(found.slot == expected?.slot ?? -1)
      if found.slot != expected?.slot ?? -1 { return }
    }
    for gone in plain {
      index.remove(gone.slot)
      scarce.remove(gone.slot)
    }
    #expect(index.count == 0)
    #expect(scarce.count == 0)
    #expect((0..<field.agents).allSatisfy { scarce.length($0) == 0 })
    #expect(
      scarce.naming.isEmpty && (0..<3).allSatisfy { scarce.number(in: QueueID($0)) == (0, 0) })
    #expect(index.liveNodes == index.liveLanes, "nothing is left but roots")
    #expect(index.lanes.allSatisfy { $0.root < 0 || $0.circle == nil }, "… of lanes of everyone")
  }

  /// Where very many exclude the same agents, these do not pass them one by one.
  @Test func `cases that exclude the same agents become a class`() {
    let field = Field(seed: 1)
    let agent = field.profiles.bounds.indices.first { field.profiles.serves($0, QueueID(0)) } ?? 0
    var index = CaseIndex()
    var circle = Circle()
    circle.excludedAgents = [AgentID(UInt32(agent))]
    let kind = CaseIndex.Kind(
      queue: QueueID(0), widened: [], channel: .chat, weight: 1, circle: circle)
    let many = 4 * CaseIndex.excludingMany
    for slot in 0..<Int32(many) {
      index.insert(
        slot, key: Int64(slot), sequence: UInt64(slot + 1), kind, skills: [], isBackedOff: false)
    }
    let seeker = CaseIndex.Seeker(
      agent: agent, ready: Channel.allBits, room: Rooms(chat: 9, email: 9, phone: 9))
    var passed = 0
    let found = index.best(for: seeker, field.profiles) { _, _ in
      passed += 1
      return false
    }
    #expect(found.slot < 0)
    #expect(passed == CaseIndex.excludingMany, "those that came before they were many")
    for slot in 0..<Int32(many) { index.remove(slot) }
    #expect(index.liveNodes == 1 && index.liveLanes == 1)
  }

  @Test(arguments: 1...6) func `the idle index finds agents in the order in which they became idle`(
    seed: UInt64
  ) {
    var field = Field(seed: seed)
    var index = IdleIndex(
      skills: field.skills, queues: field.queues, agents: field.agents,
      order: (0..<30).map { Int32($0) })
    var order = Array(0..<30)
    var listed = Array(repeating: UInt8(0), count: 30)
    for _ in 0..<2_000 {
      let agent = field.random.below(30)
      if field.random.below(3) == 0 {
        index.moveToEnd(agent, field.profiles)
        order.removeAll { $0 == agent }
        order.append(agent)
      } else {
        listed[agent] = UInt8(field.random.below(8))
        index.list(agent, listed[agent], field.profiles)
      }
      let channel = Channel.allCases[field.random.below(3)]
      let queue = QueueID(UInt32(field.random.below(3)))
      let widened = field.random.below(3) == 0 ? [QueueID(UInt32(field.random.below(3)))] : []
      let needed = field.needed()
      let expected = order.filter {
        listed[$0] & channel.bit != 0 && field.meets($0, [queue] + widened, needed)
      }
      var found: [Int] = []
      var cursor = IdleIndex.Cursor()
      while true {
        let next = index.next(
          &cursor, channel: channel, queue: queue, widened: widened, skills: needed)
        if next < 0 { break }
        found.append(next)
      }
      #expect(found == expected)
      if found != expected { return }
    }
  }
}

struct `Events as bytes` {
  /// One of each, with the byte that names it: a changed encoding takes a new one.
  static let examples: [(code: UInt8, event: Event)] = [
    (47, .configured(configuration)), (2, .started),
    (
      3,
      .conversationOpened(
        World.conversation(1), customer: World.customer(2), owner: .bot(World.bot))
    ),
    (
      4,
      .conversationReopened(
        World.conversation(1), customer: World.customer(2), owner: .unrouted, epoch: 9,
        lastAgent: World.bob)
    ),
    (5, .conversationMoved(World.conversation(1), customer: World.customer(3))),
    (6, .conversationClosed(World.conversation(1), lastAgent: nil)),
    (7, .sessionOpened(World.session(1), World.conversation(1), .phone, bot: nil)),
    (8, .sessionEnded(World.session(1), .businessEnded)),
    (
      9,
      .entryRecorded(
        World.entry(1), World.conversation(1), session: World.session(1), author: .agent(World.ann),
        visibility: .internal)
    ),
    (10, .ownerChanged(World.conversation(1), to: .queue(World.sales, World.case(3)), epoch: 300)),
    (
      34,
      .caseQueued(
        World.case(1), World.conversation(1), World.session(1), .email, need: need,
        age: Instant(milliseconds: -5), by: World.by)
    ),
    (12, .stepTaken(World.case(1), index: 400)), (13, .preferenceEnded(World.case(1))),
    (14, .caseAccepted(World.case(1), World.cat)),
    (15, .caseWrappingUp(World.case(1), World.cat, until: nil)),
    (16, .caseParked(World.case(1), World.cat, until: .distantFuture)),
    (17, .caseResumed(World.case(1), World.cat)), (18, .caseClosed(World.case(1), .handedBack)),
    (
      19,
      .offerMade(
        OfferID(high: 1, low: 2), World.case(1), World.cat, seat: .device(3), until: .distantPast,
        passedOver: PassedOver())
    ),
    (20, .offerEnded(OfferID(high: 1, low: 2), .revoked(.movedOn))),
    (44, .statusSet(World.cat, .custom(StatusID(300)), reason: StatusReasonID(high: 3, low: 4))),
    (
      46,
      .channelStatusSet(
        World.cat, 5, .meeting, reason: StatusReasonID(high: 3, low: 4))
    ),
    (22, .presenceRenewed(World.cat, until: Instant(milliseconds: 1))),
    (23, .presenceLost(World.cat)),
    (24, .notResponding(World.cat)),
    (25, .backOffSet(World.cat, World.case(1), until: Instant(milliseconds: 1))),
    (26, .nextAsked(World.cat, WaiterID(.max), until: Instant(milliseconds: 1))),
    (27, .nextEnded(World.cat, WaiterID(0))),
    (28, .streamOpened(World.cat, WaiterID(1))), (29, .streamClosed(World.cat, WaiterID(1))),
    (30, .sessionResumed(World.session(1))), (31, .backOffEnded(World.cat, nil)),
    (32, .caseRequeued(World.case(1), .wokeWithoutAgent)),
    (35, .queueOpened(World.sales)), (36, .queueClosed(World.sales)),
    (37, .caseOverflowed(World.case(1), to: World.sales, .waitedOut)),
    (38, .botFellSilent(World.conversation(1))),
    (45, .statusDeferred(World.cat, .onBreak, reason: StatusReasonID(high: 5, low: 6))),
    (40, .channelsChosen(World.cat, 3)),
    (41, .consultStarted(World.case(1), with: World.bob, until: Instant(milliseconds: 9))),
    (42, .consultEnded(World.case(1), .tookOver)),
    (48, .caseHeld(World.case(1), World.cat, until: Instant(milliseconds: 9))),
    (49, .holdEnded(World.case(1), World.cat, .timedOut)),
  ]

  static var configuration: RoutingConfiguration {
    var made = World.configuration
    made.queues[0].hours = [.init(from: Instant(milliseconds: 5), until: Instant(milliseconds: 7))]
    made.queues[0].whenClosed = .queue("sales")
    made.queues[1].whenFull = .handBack
    made.queues[1].whenWaitedOut = .message
    made.queues[1].waitMax = .seconds(60)
    made.queues[0].slopePermille = 2_500
    made.queues[1].share = 3
    made.limits.interruptible.email = true
    made.limits.botSilenceMax = .seconds(90)
    made.limits.botSilenceQueue = "sales"
    made.statuses = World.withStatuses.statuses
    made.agents[1].voiceExclusive = false
    return made
  }

  static var need: Need {
    var need = Need(queue: World.sales)
    need.priority = -3
    need.skills = [.init(skill: World.german, level: 3, required: false)]
    need.preferred = .init(agent: World.bob, for: .seconds(9))
    need.excluded = [World.ann]
    need.steps = [
      .init(after: .seconds(1), change: .dropSkill(World.german)),
      .init(after: .seconds(1), change: .lowerSkill(World.german, level: 2)),
      .init(after: .seconds(1), change: .raisePriority(by: 4)),
      .init(after: .seconds(1), change: .changeQueue(World.sales)),
      .init(after: .seconds(1), change: .widen([World.sales])),
      .init(after: .seconds(1), change: .message(1)),
    ]
    need.weight = 2
    need.serviceLevel = .seconds(7)
    need.requiredAgents = [World.cat]
    need.requiredTeams = [TeamID(1)]
    need.excludedTeams = [TeamID(0)]
    return need
  }

  @Test func `what an older version wrote is still read`() {
    var out = ByteWriter()
    out.uint8(1)
    out.put(Self.configuration)  // the first layout alone
    let old = try? ByteReader.readAll(out.bytes, Event.decode)
    #expect(old == .configured(World.configuration))
    out = ByteWriter()
    out.uint8(33)
    var before = Self.configuration
    (before.queues[0].slopePermille, before.queues[1].share) = (1_000, 0)
    (before.statuses, before.agents[1].voiceExclusive) = ([], true)
    before.write(&out)  // … and with hours and bots' silence, but neither slopes nor shares
    for queue in before.queues { queue.writeMore(&out) }
    out.put(before.limits.interruptible)
    out.put(before.limits.botSilenceMax)
    out.put(before.limits.botSilenceQueue)
    #expect((try? ByteReader.readAll(out.bytes, Event.decode)) == .configured(before))
    out = ByteWriter()
    out.uint8(43)
    before = Self.configuration
    (before.statuses, before.agents[1].voiceExclusive) = ([], true)
    before.write(&out)  // … and with these, but without statuses and who is exclusively on a call
    for queue in before.queues { queue.writeMore(&out) }
    out.put(before.limits.interruptible)
    out.put(before.limits.botSilenceMax)
    out.put(before.limits.botSilenceQueue)
    for queue in before.queues { queue.writeBetween(&out) }
    #expect((try? ByteReader.readAll(out.bytes, Event.decode)) == .configured(before))
    for (bytes, event) in [
      ([21, 2, 4], .statusSet(World.cat, .onBreak)),
      ([21, 2, 7, 200], .statusSet(World.cat, .custom(StatusID(200)))),
      ([39, 2, 1, 1], .statusDeferred(World.cat, .offline)),
      ([39, 2, 0], .statusDeferred(World.cat, nil)),
    ] as [([UInt8], Event)] {
      #expect((try? ByteReader.readAll(bytes, Event.decode)) == event)
    }
    out = ByteWriter()
    out.uint8(11)
    out.put(World.case(1))
    out.put(World.conversation(1))
    out.put(World.session(1))
    out.put(Channel.email)
    out.put(Self.need)
    out.put(Instant(milliseconds: 3))
    out.put(World.by)
    var need = Self.need
    (need.requiredAgents, need.requiredTeams, need.excludedTeams) = ([], [], [])
    #expect(
      (try? ByteReader.readAll(out.bytes, Event.decode))
        == .caseQueued(
          World.case(1), World.conversation(1), World.session(1), .email, need: need,
          age: Instant(milliseconds: 3),
          by: World.by))
  }

  @Test func `every event reads back, and no cut of it does`() {
    for (code, event) in Self.examples {
      var out = ByteWriter()
      event.encode(into: &out)
      #expect(out.bytes.first == code)
      #expect((try? ByteReader.readAll(out.bytes, Event.decode)) == event)
      for end in out.bytes.indices {
        #expect(throws: WireError.self) {
          try ByteReader.readAll(Array(out.bytes[..<end]), Event.decode)
        }
      }
    }
  }

  @Test(arguments: 1...3) func `bytes that nobody wrote are refused or read, and never trap`(
    seed: UInt64
  ) {
    var random = SeededRandom(state: seed)
    for (_, event) in Self.examples {
      var out = ByteWriter()
      event.encode(into: &out)
      for _ in 0..<200 {
        var bytes = out.bytes
        for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
        _ = try? ByteReader.readAll(bytes, Event.decode)
      }
    }
  }

  @Test func `events about what is not there change nothing that counts, and never trap`() {
    var router = Router()
    for (_, event) in Self.examples.dropFirst() {
      router.apply(event, at: Instant(milliseconds: 1))
    }
    for (_, event) in Self.examples { router.apply(event, at: Instant(milliseconds: 2)) }
    for (_, event) in Self.examples.reversed() { router.apply(event, at: Instant(milliseconds: 2)) }
  }

  @Test func `a torn row is refused`() {
    var world = World()
    world.assigned(1, to: World.ann)
    let rows = world.router.allRows()
    #expect(throws: Never.self) { try Router(rows: rows) }
    for index in rows.indices {
      var torn = rows
      torn[index].value = Array((torn[index].value ?? []).dropLast())
      #expect(throws: WireError.self) { try Router(rows: torn) }
    }
  }

  /// As a folder of before statuses and their reasons has them.
  @Test func `rows of an older version are the state that a replay of their log gives`() throws {
    var world = World()
    world.assigned(1, to: World.ann)
    world.given(.chooseChannels(World.ann, [.chat]), .finish(World.ann, then: .onBreak))
    let rows = try world.router.allRows().map { row in
      var older = row
      var bytes = try #require(row.value)
      bytes[0] = 3
      switch RowKind(rawValue: row.kind) {
      case .theCase:
        #expect(bytes.last == 0, "not on hold")
        bytes.removeLast()
      case .agent:
        // No reason, none for afterwards, no channel of its own.
        #expect(bytes.suffix(3) == [0, 0, 0])
        bytes.removeLast(3)
      case .catalogue:
        var out = ByteWriter()
        let known = try #require(world.router.catalogue.configuration)
        out.uint8(3)
        out.bool(true)
        known.write(&out)
        for queue in known.queues { queue.writeMore(&out) }
        out.put(known.limits.interruptible)
        out.put(known.limits.botSilenceMax)
        out.put(known.limits.botSilenceQueue)
        for queue in known.queues { queue.writeBetween(&out) }
        let whole = bytes.count
        let before = out.bytes.count
        // Four agents' calls, and the statuses that there are not: twice none.
        bytes = out.bytes + bytes[(before + 1 + known.agents.count)..<(whole - 1)]
      default: break
      }
      older.value = bytes
      return older
    }
    let read = try Router(rows: rows)
    #expect(read.canonicalBytes == world.router.canonicalBytes)
    #expect(read.agent(World.ann)?.statusAfter == .onBreak)
  }

  @Test func `rows taken step by step are the rows of the whole`() {
    var history = RandomHistory(seed: 99)
    history.restarts = false  // the store knows only what was taken
    var store: [String: WorkRow] = [:]
    for _ in 0..<600 {
      #expect(history.advance() == nil)
      for row in history.router.takeDirtyRows() {
        let key = "\(row.kind) \(row.key)"
        store[key] = row.value == nil ? nil : row
      }
    }
    #expect(Set(store.values) == Set(history.router.allRows()))
  }
}
