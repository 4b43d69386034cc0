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
  private var shown: [AgentID: [CaseID: Place]] = [:]
  /// Does not hear this one, as if nobody told of it.
  private let deaf: String?
  private(set) var told: Set<String> = []

  init(deafTo deaf: String? = nil) { self.deaf = deaf }

  private static func kind(_ news: CaseNews) -> String {
    String("\(news)".prefix { $0 != "(" })
  }

  mutating func hear(_ decision: Decision, _ router: Router) {
    for case .tellCase(let agent, let id, let news) in decision.effects {
      let kind = Self.kind(news)
      told.insert(kind)
      if kind == deaf { continue }
      shown[agent, default: [:]][id] =
        switch news {
        case .accepted, .assigned, .tookOver, .resumed, .woke, .holdEnded: .inHand
        case .held(let until): .held(until)
        case .parked(let until): .parked(until)
        case .wrappingUp(let until): .wrappingUp(until)
        case .closed, .requeued, .reassigned, .takenOver: nil
        }
    }
    for index in router.agents.indices {
      let agent = AgentID(UInt32(index))
      if router.agents[index].streams.isEmpty {
        shown[agent] = nil
      } else if shown[agent] == nil
        || decision.events.contains(where: {
          if case .streamOpened(agent, _) = $0 { true } else { false }
        })
      {
        shown[agent] = Self.truth(router)[agent] ?? [:]
      }
    }
  }

  func difference(_ router: Router) -> String? {
    let truth = Self.truth(router)
    for (agent, cases) in shown where cases != truth[agent] ?? [:] {
      return "agent \(agent.raw) is shown \(cases) and has \(truth[agent] ?? [:])"
    }
    return nil
  }

  private static func truth(_ router: Router) -> [AgentID: [CaseID: Place]] {
    var truth: [AgentID: [CaseID: Place]] = [:]
    for slot in router.cases.ordered {
      let record = router.cases[slot]
      switch record.state {
      case .waiting, .offered: continue
      case .assigned(let agent):
        truth[agent, default: [:]][record.id] = record.heldUntil.map { .held($0) } ?? .inHand
      case .parked(let agent, let until): truth[agent, default: [:]][record.id] = .parked(until)
      case .wrappingUp(let agent, let until):
        truth[agent, default: [:]][record.id] = .wrappingUp(until)
      }
    }
    return truth
  }
}

@Suite struct DeskTests {
  static let kinds = [
    "accepted", "assigned", "closed", "held", "holdEnded", "parked", "reassigned", "requeued",
    "resumed", "takenOver", "tookOver", "woke", "wrappingUp",
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

  @Test func `who only listens has every case of theirs before them, and none that is gone`() {
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
