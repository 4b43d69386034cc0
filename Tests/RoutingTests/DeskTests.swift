import Model
import Testing

@testable import Routing

/// What an agent's screen shows who only listens: what they have when the first stream opens, and
/// from then on what is told.
struct Desks {
  enum Place: Hashable {
    case inHand
    case held(Instant)
    case parked(Instant)
    case wrappingUp(Instant?)
  }
  struct Screen: Hashable {
    var cases: [CaseID: Place] = [:]
    /// Whose advice is asked on them.
    var consults: [CaseID: Consult] = [:]
    /// What rings, or is offered at a stream; the answer to a `next` is shown by whoever asked.
    var offers: [OfferID: CaseID] = [:]
  }
  private var shown: [AgentID: Screen] = [:]
  /// Does not hear this one, as if nobody told of it.
  private let deaf: String?
  private(set) var told: Set<String> = []

  init(deafTo deaf: String? = nil) { self.deaf = deaf }

  private static func kind(_ news: some Any) -> String { String("\(news)".prefix { $0 != "(" }) }

  private mutating func isHeard(_ kind: String) -> Bool {
    told.insert(kind)
    return kind != deaf
  }

  mutating func hear(_ decision: Decision, _ router: Router) {
    for effect in decision.effects { hear(effect) }
    for index in router.agents.indices {
      let agent = AgentID(UInt32(index))
      if router.agents[index].streams.isEmpty {
        shown[agent] = nil
      } else if shown[agent] == nil
        || decision.events.contains(where: {
          if case .streamOpened(agent, _) = $0 { true } else { false }
        })
      {
        shown[agent] = Self.truth(router)[agent] ?? Screen()
      }
    }
  }

  private mutating func hear(_ effect: Effect) {
    switch effect {
    case .tellCase(let agent, let id, let news):
      guard isHeard(Self.kind(news)) else { return }
      shown[agent, default: Screen()].hear(id, news)
    case .deliverOffer(let offer, let id, let agent, let seat, _):
      if case .next = seat { return }
      guard isHeard("offered") else { return }
      shown[agent, default: Screen()].offers[offer] = id
    case .withdrawOffer(let offer, _, let agent, _, let end):
      guard isHeard("offer \(Self.kind(end))") else { return }
      shown[agent, default: Screen()].offers[offer] = nil
    default: break
    }
  }

  func difference(_ router: Router) -> String? {
    let truth = Self.truth(router)
    for (agent, screen) in shown where screen != truth[agent] ?? Screen() {
      return "agent \(agent.raw) is shown \(screen) and has \(truth[agent] ?? Screen())"
    }
    return nil
  }

  private static func truth(_ router: Router) -> [AgentID: Screen] {
    var truth: [AgentID: Screen] = [:]
    for slot in router.cases.ordered {
      let record = router.cases[slot]
      guard let agent = record.agent else { continue }
      truth[agent, default: Screen()].consults[record.id] = record.consult
      truth[agent, default: Screen()].cases[record.id] =
        switch record.state {
        case .waiting, .offered: nil
        case .assigned: record.heldUntil.map { .held($0) } ?? .inHand
        case .parked(_, let until): .parked(until)
        case .wrappingUp(_, let until): .wrappingUp(until)
        }
    }
    for slot in router.offers.ordered {
      let record = router.offers[slot]
      if case .next = record.seat { continue }
      truth[record.agent, default: Screen()].offers[record.id] = router.cases[record.theCase].id
    }
    return truth
  }
}

extension Desks.Screen {
  fileprivate mutating func hear(_ id: CaseID, _ news: CaseNews) {
    switch news {
    case .accepted:
      offers = offers.filter { $0.value != id }
      cases[id] = .inHand
    case .assigned, .tookOver, .resumed, .woke, .holdEnded: cases[id] = .inHand
    case .held(let until): cases[id] = .held(until)
    case .parked(let until): cases[id] = .parked(until)
    case .wrappingUp(let until): cases[id] = .wrappingUp(until)
    case .consulting(let agent, let until): consults[id] = Consult(agent: agent, until: until)
    case .consultEnded: consults[id] = nil
    case .closed, .requeued, .reassigned, .takenOver:
      cases[id] = nil
      consults[id] = nil
    }
  }
}

@Suite struct DeskTests {
  static let kinds = [
    "accepted", "assigned", "closed", "consultEnded", "consulting", "held", "holdEnded",
    "offer declined", "offer failed", "offer revoked", "offer timedOut", "offered", "parked",
    "reassigned", "requeued", "resumed", "takenOver", "tookOver", "woke", "wrappingUp",
  ]

  /// - Returns: what the first desk that shows anything wrong shows.
  private func listen(deafTo deaf: String?, told: inout Set<String>) -> String? {
    for seed in 1...32 as ClosedRange<UInt64> {
      var history = RandomHistory(seed: seed)
      history.desks = Desks(deafTo: deaf)
      for step in 0..<400 {
        let wrong = history.advance() ?? history.desks?.difference(history.router)
        if let wrong { return "seed \(seed), step \(step): \(wrong)" }
      }
      told.formUnion(history.desks?.told ?? [])
    }
    return nil
  }

  @Test
  func `who only listens has every case and offer of theirs before them, and none that is gone`() {
    var told: Set<String> = []
    #expect(listen(deafTo: nil, told: &told) == nil)
    #expect(told.sorted() == Self.kinds)
  }

  /// So each of them is needed, and the histories above would show it missing.
  @Test(arguments: kinds) func `who does not hear of one thing is wrong sooner or later`(
    _ kind: String
  ) {
    var told: Set<String> = []
    #expect(listen(deafTo: kind, told: &told) != nil)
  }

  @Test func `a desk that nobody looks at costs nothing`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.when(.park(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    #expect(
      !world.last.effects.contains { if case .tellCase = $0 { true } else { false } })
  }
}
