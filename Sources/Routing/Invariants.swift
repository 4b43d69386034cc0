import Model
import Wire

/// What must hold after every command, whoever sent it and whatever failed before. Checked after
/// each step of the simulation, and on a data folder by `throughline doctor`.
public enum Invariants {
  public struct Violation: Hashable, Sendable, CustomStringConvertible {
    public enum Rule: String, Hashable, Sendable, CaseIterable {
      case oneOwner, onePlace, capacity, waitingThoughEligible, offers, leases, sessions, counters,
        index, rows
      case order, entries, eligibility, offeredToFew, adviceOfAbsent, offerTooLarge
    }
    public var rule: Rule
    public var sentence: String
    public var description: String { "\(rule.rawValue): \(sentence)" }
  }

  /// - Parameter rows: also rebuild the machine from its rows and compare; costs a copy of
  ///   everything.
  public static func check(_ router: Router, rows: Bool = true) -> [Violation] {
    var found: [Violation] = []
    checkOwners(router, &found)
    checkCases(router, &found)
    checkAgents(router, &found)
    checkOffers(router, &found)
    checkQueues(router, &found)
    checkLeases(router, &found)
    if !router.matchGoesOn { checkMatch(router, &found) }
    if rows { checkRows(router, &found) }
    return found
  }

  // These run after every step of a simulation: they look where the records lie, copy none of them, and build nothing
  // where all is well.

  private static func checkOwners(_ router: Router, _ found: inout [Violation]) {
    var hung = 0
    for slot in router.conversations.live {
      let open = router.conversations[slot].openCase
      let hasSession = router.conversations[slot].firstSession >= 0
      let fits: Bool =
        switch router.conversations[slot].owner {
        case .bot, .unrouted, .closed: open < 0 && hasSession
        case .queue(let queue, let id):
          open >= 0 && router.cases[open].id == id && router.cases[open].agent == nil
            && router.cases[open].need.queue == queue
        case .agent(let agent, let id):
          open >= 0 && router.cases[open].id == id && router.cases[open].agent == agent
        }
      if !fits {
        let record = router.conversations[slot]
        found.append(
          .init(
            rule: .oneOwner,
            sentence: "\(record.id) is owned by \(record.owner), which does not fit"))
      }
      var session = router.conversations[slot].firstSession
      while session >= 0, hung <= router.sessions.count {
        hung += 1
        if router.sessions[session].conversation != slot {
          found.append(
            .init(
              rule: .sessions,
              sentence: "\(router.sessions[session].id) hangs on another conversation"))
        }
        session = router.sessions[session].nextSession
      }
    }
    if hung != router.sessions.count {
      found.append(
        .init(rule: .sessions, sentence: "\(router.sessions.count) sessions, \(hung) hung"))
    }
  }

  private static func checkCases(_ router: Router, _ found: inout [Violation]) {
    var held = 0
    for slot in router.cases.live {
      func say(_ what: String) {
        found.append(.init(rule: .onePlace, sentence: "\(router.cases[slot].id) \(what)"))
      }
      let state = router.cases[slot].state
      let places =
        (router.isListed(slot) ? 1 : 0) + (router.cases[slot].isHeld ? 1 : 0)
        + (router.cases[slot].isPending ? 1 : 0)
      if state == .waiting
        ? places != 1 && !(places == 0 && router.isInGrace(slot)) : places != 0
      {
        say("is \(state) and in \(places) places")
      }
      if (state == .offered) != (router.cases[slot].firstOffer >= 0) {
        say("is \(state) with offers \(router.cases[slot].firstOffer)")
      }
      if router.openToMore.contains(slot) != router.isOpenToMore(slot) {
        say("is \(state) with \(router.cases[slot].offersOpen) offers, and listed otherwise")
      }
      if router.conversations[router.cases[slot].conversation].openCase != slot {
        say("is not its conversation's open case")
      }
      guard state.isHolding else { continue }
      let holder = router.cases[slot].agent.map { Int($0.raw) }
      let isHeld =
        holder.map { router.agents[$0].cases.count { $0 == slot } == 1 } ?? false
      if isHeld { held += 1 } else { say("is \(state), and its agent has it not once") }
    }
    checkAdvice(router, &found)
    // Each agent's list has, besides these, nothing.
    let listed = router.agents.indices.reduce(0) { $0 + router.agents[$1].cases.count }
    if listed != held { checkHolders(router, &found) }
  }

  /// What is asked of each agent, as the cases say it; and nothing of who is not there.
  private static func checkAdvice(_ router: Router, _ found: inout [Violation]) {
    var asked = 0
    for slot in router.cases.live {
      guard let agent = router.cases[slot].consult?.agent else { continue }
      let id = router.cases[slot].id
      if router.agents[Int(agent.raw)].advises.contains(slot) {
        asked += 1
      } else {
        found.append(
          .init(rule: .index, sentence: "\(id) asks agent \(agent.raw), who is not listed"))
      }
      if !router.isThere(agent) {
        found.append(
          .init(
            rule: .adviceOfAbsent, sentence: "\(id) asks agent \(agent.raw), who is not there"))
      }
    }
    if router.agents.reduce(0, { $0 + $1.advises.count }) != asked {
      found.append(.init(rule: .index, sentence: "agents are asked about more than \(asked) cases"))
    }
  }

  private static func checkHolders(_ router: Router, _ found: inout [Violation]) {
    let live = Set(router.cases.live)
    for index in router.agents.indices {
      for slot in router.agents[index].cases {
        let isTheirs =
          live.contains(slot) && router.cases[slot].state.isHolding
          && router.cases[slot].agent.map { Int($0.raw) } == index
        if isTheirs { continue }
        let name = router.catalogue.agents[index].settings.name
        found.append(
          .init(rule: .onePlace, sentence: "agent \(name) holds slot \(slot), which is not theirs"))
      }
    }
  }

  private static func checkAgents(_ router: Router, _ found: inout [Violation]) {
    for index in router.agents.indices {
      let record = router.agents[index]
      let settings = router.catalogue.agents[index].settings
      func say(_ rule: Violation.Rule, _ what: String) {
        found.append(.init(rule: rule, sentence: "agent \(settings.name) \(what)"))
      }
      let used = record.cases.reduce(0) { $0 + Int(router.cases[$1].weight) }
      if used != record.used { say(.capacity, "uses \(used), counted \(record.used)") }
      for channel in Channel.allCases {
        let count = record.cases.count { router.cases[$0].channel == channel }
        if count != Int(record.count(channel)) {
          say(.capacity, "has \(count) \(channel.name), counted otherwise")
        }
      }
      let (ready, blocker) = router.readiness(index)
      if ready != record.ready || blocker != record.blocker {
        say(.index, "is ready \(ready), noted \(record.ready)")
      }
      if router.idle.channels(index) & ~ready != 0 { say(.index, "is listed and not ready") }
      if ready != 0, router.idle.channels(index) != ready, !record.isPending, !router.matchGoesOn {
        say(.index, "is ready and not listed")
      }
    }
  }

  private static func checkOffers(_ router: Router, _ found: inout [Violation]) {
    for slot in router.offers.live {
      let record = router.offers[slot]
      func say(_ what: String) {
        found.append(.init(rule: .offers, sentence: "\(record.id) \(what)"))
      }
      if router.cases[record.theCase].state != .offered { say("is for a case that is not offered") }
      if router.agents[Int(record.agent.raw)].openOffer != slot { say("is not its agent's") }
      if router.timers.instant(.offer, slot) == nil { say("has no end") }
      // An offer that they accept must be theirs.
      if !router.hasRoom(Int(record.agent.raw), record.theCase, exceptOffer: true) {
        let sentence =
          "agent \(record.agent.raw) has no room for \(record.id), which they may accept"
        found.append(.init(rule: .offerTooLarge, sentence: sentence))
      }
    }
    let open = router.agents.count { $0.openOffer >= 0 }
    if open != router.offers.count {
      found.append(
        .init(rule: .offers, sentence: "\(open) agents with offers, \(router.offers.count) offers"))
    }
  }

  private static func checkQueues(_ router: Router, _ found: inout [Violation]) {
    for index in router.queues.indices {
      let record = router.queues[index]
      var waiting = 0, offered = 0, assigned = 0
      var oldest: Int64?
      for slot in router.cases.live where Int(router.cases[slot].need.queue.raw) == index {
        switch router.cases[slot].state {
        case .waiting: waiting += 1
        case .offered: offered += 1
        case .assigned, .parked, .wrappingUp: assigned += 1
        }
        if router.cases[slot].agent == nil {
          oldest = min(oldest ?? .max, router.cases[slot].age.milliseconds)
        }
      }
      if waiting != record.waiting || offered != record.offered || assigned != record.assigned
        || oldest != record.oldest.top?.age
      {
        found.append(
          .init(
            rule: .counters,
            sentence: "queue \(index) has \(waiting) \(offered) \(assigned), oldest \(oldest ?? -1)"
          ))
      }
      let blocked = router.agents.indices.count {
        router.profiles.serves($0, QueueID(UInt32(index)))
          && router.agents[$0].blocker != AgentRecord.unblocked
      }
      if blocked != record.blocked.reduce(0, { $0 + Int($1) }) {
        found.append(
          .init(rule: .counters, sentence: "queue \(index) has \(blocked) blocked members"))
      }
      for channel in Channel.allCases {
        let ready = router.agents.indices.count {
          router.profiles.serves($0, QueueID(UInt32(index)))
            && router.agents[$0].ready & channel.bit != 0
        }
        if ready != record.ready(for: channel.bit) {
          found.append(
            .init(
              rule: .counters, sentence: "queue \(index) has \(ready) ready for \(channel.name)"))
        }
      }
    }
  }

  /// Every state that is not final ends by itself when nobody renews it, but work that an agent
  /// has, mail that waits, and a call that waits: these end with their session or by a step.
  private static func checkLeases(_ router: Router, _ found: inout [Violation]) {
    func say(_ what: String) { found.append(.init(rule: .leases, sentence: what)) }
    for index in router.agents.indices {
      let record = router.agents[index]
      let timer = router.timers.instant(.agent, Int32(index))
      if record.isPresent, !router.holdsPresence(index),
        timer ?? .max > record.presentUntil.milliseconds
      {
        say("agent \(index) is present without an end")
      }
      if let next = record.next, timer ?? .max > next.until.milliseconds {
        say("agent \(index) waits without an end")
      }
    }
    for slot in router.sessions.live {
      guard let due = router.sessionDeadline(slot) else { continue }
      if router.timers.instant(.session, slot) ?? .max > due.milliseconds {
        say("\(router.sessions[slot].id) has no end")
      }
    }
    for slot in router.cases.live {
      let timer = router.timers.instant(.caseDue, slot) ?? .max
      switch router.cases[slot].state {
      case .parked(_, let until), .wrappingUp(_, let until):
        let end = min(until, router.cases[slot].consult?.until ?? until)
        if timer != end.milliseconds { say("\(router.cases[slot].id) has no end") }
      case .waiting:
        // … or asks again soon, where no queue takes it.
        let soon =
          max(router.now, router.ticked) + .milliseconds(RoutingLimits.fullQueueAgainMilliseconds)
        if let end = router.waitEnd(slot), timer > max(end, soon).milliseconds {
          say("\(router.cases[slot].id) waits on")
        }
      case .assigned:
        if let consult = router.cases[slot].consult, timer > consult.until.milliseconds {
          say("advice has no end")
        }
      case .offered: break
      }
      if router.cases[slot].consult != nil, router.cases[slot].agent == nil {
        say("\(router.cases[slot].id) asks nobody's advice")
      }
    }
    for slot in router.conversations.live {
      guard let due = router.conversations[slot].answerBy else { continue }
      if router.timers.instant(.conversation, slot) ?? .max > due.milliseconds {
        say("a bot may be silent for ever")
      }
      if case .bot = router.conversations[slot].owner { continue }
      say("\(router.conversations[slot].id) waits for a bot that does not own it")
    }
    for index in router.queues.indices where router.queues[index].waiting > 0 {
      if router.refuge(from: index) != nil, router.timers.instant(.queue, Int32(index)) == nil {
        say("queue \(index) is closed and keeps what is to go on")
      }
    }
    for index in router.queues.indices where router.catalogue.queues[index].settings.hours != nil {
      let hours = router.catalogue.queues[index].settings.hours ?? []
      let turns = hours.contains { $0.until > max(router.now, router.ticked) }
      if turns, router.timers.instant(.queue, Int32(index)) == nil {
        say("queue \(index) does not turn")
      }
    }
  }

  /// At quiescence no case waits that a ready agent could take, nor is one offered to fewer than its
  /// queue asks.
  private static func checkMatch(_ router: Router, _ found: inout [Violation]) {
    let ready = router.agents.indices.filter { router.agents[$0].ready != 0 }
    guard !ready.isEmpty else { return }
    for slot in router.cases.live where router.cases[slot].state.hasNoAgent {
      if router.isInGrace(slot) { continue }
      let isWaiting = router.cases[slot].state == .waiting
      if !isWaiting, !router.isOpenToMore(slot) { continue }
      let only =
        router.cases[slot].preferenceUntil == nil
        ? nil : router.cases[slot].need.preferred.map { Int($0.agent.raw) }
      for index in ready {
        if let only, only != index { continue }
        guard router.isEligible(index, slot) else { continue }
        found.append(
          .init(
            rule: isWaiting ? .waitingThoughEligible : .offeredToFew,
            sentence: "\(router.cases[slot].id) \(isWaiting ? "waits" : "is offered to few"), "
              + "and agent \(index) could take it"))
      }
    }
  }

  private static func checkRows(_ router: Router, _ found: inout [Violation]) {
    do throws(WireError) {
      let rebuilt = try Router(rows: router.allRows())
      if rebuilt.canonicalBytes != router.canonicalBytes {
        found.append(.init(rule: .rows, sentence: "the machine rebuilt from its rows is another"))
      }
      found += check(rebuilt, rows: false).filter {
        switch $0.rule {
        case .waitingThoughEligible: !router.matchGoesOn
        case .offeredToFew: false  // told of the machine itself
        default: true
        }
      }.map {
        Violation(rule: .rows, sentence: "rebuilt from rows: \($0)")
      }
    } catch {
      found.append(.init(rule: .rows, sentence: "the rows cannot be read: \(error)"))
    }
  }
}
