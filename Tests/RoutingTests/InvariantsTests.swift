import Model
import Testing

@testable import Routing

/// A check that finds nothing is worth something once it has been seen to find what is there.
struct `Every invariant is seen broken` {
  typealias Rule = Invariants.Violation.Rule

  /// Ann has case 1, bob is asked about case 2, case 3 waits for whoever serves sales.
  private var world: World {
    var world = World()
    world.assigned(1, to: World.ann)
    world.open(2)
    world.route(2, Need(queue: World.support))
    world.available(World.bob)
    world.asks(World.bob)
    world.open(3)
    world.route(3, Need(queue: World.sales))
    return world
  }

  static let broken: [(rule: Rule, what: String, change: @Sendable (inout Router) -> Void)] = [
    (.oneOwner, "a bot owns what an agent has", { $0.conversations[0].owner = .bot(World.bot) }),
    (.onePlace, "the agent who has a case has it not", { $0.agents[0].cases = [] }),
    (.onePlace, "an agent has a case that waits", { $0.agents[0].cases.append(2) }),
    (.onePlace, "a case waits and is in no list", { $0.unlist(2) }),
    (.capacity, "more is counted than is used", { $0.agents[0].used += 1 }),
    (.capacity, "a case is counted on no channel", { $0.agents[0].casesByChannel.chat = 0 }),
    (.offerTooLarge, "what is offered does not fit", { $0.cases[1].weight = 99 }),
    (.offers, "an offer has no end", { $0.timers.cancel(.offer, 0) }),
    (.offers, "an offer is nobody's", { $0.agents[1].openOffer = -1 }),
    (.leases, "presence has no end", { $0.timers.cancel(.agent, 0) }),
    (.leases, "a chat has no end", { $0.timers.cancel(.session, 0) }),
    (.sessions, "a session is of another conversation", { $0.sessions[0].conversation = 1 }),
    (.sessions, "a session hangs nowhere", { $0.conversations[0].firstSession = -1 }),
    (.counters, "more is counted than waits", { $0.queues[1].waiting += 1 }),
    (
      .counters, "nobody is counted as hindered",
      { $0.queues[0].blocked = $0.queues[0].blocked.map { _ in 0 } }
    ),
    (.index, "an agent is ready for what they are not", { $0.agents[0].ready = Channel.allBits }),
    (
      .index, "advice is asked of who does not know",
      { $0.cases[0].consult = Consult(agent: World.ann, until: .distantFuture) }
    ),
    (
      .adviceOfAbsent, "advice is asked of who is away",
      { $0.setConsult(0, Consult(agent: World.cat, until: .distantFuture)) }
    ),
    (.rows, "the rows are of another state", { $0.conversations[0].owner = .bot(World.bot) }),
  ]

  @Test func `each is told by its rule, and nothing is told of a world that is whole`() {
    #expect(Invariants.check(world.router) == [])
    for (rule, what, change) in Self.broken {
      var router = world.router
      change(&router)
      let found = Invariants.check(router).map(\.rule)
      #expect(found.contains(rule), "\(what): \(found)")
    }
  }

  /// By the tests of `HistoryCheck`.
  @Test func `what only a history shows is seen broken there`() {
    let here = Set(Self.broken.map(\.rule))
    #expect(
      Set(Rule.allCases).subtracting(here)
        == [.waitingThoughEligible, .offeredToFew, .order, .entries, .eligibility])
  }
}
