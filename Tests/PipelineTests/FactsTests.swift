import Continuity
import Model
import Records
import Routing
import Testing

@testable import Pipeline

/// What rules see of a customer is what was decided, whether or not a commit has come round to it.
struct FactsTests {
  /// Asks everything, and keeps what it was told with the case.
  private struct Curious: Planner {
    var asks: AskedFacts { [.history, .sessions, .assurance] }
    func plan(_ facts: RouteFacts, router: borrowing Router, at: Instant) -> Planned {
      let seen = facts.gathered
      let text =
        "\(seen.conversationsBefore ?? -1) before, \(seen.sessions ?? -1) sessions, \(seen.assurance?.name ?? "?")"
      return .route(Need(queue: QueueID(0)), rule: 0, ruleVersion: 1, facts: Array(text.utf8))
    }
    func text(_ number: UInt32, ruleVersion: UInt32, _ reads: any StoreReader) -> String? { nil }
    func prompt(ofQueue name: String) -> String? { nil }
    func handBack(ofQueue name: String) -> String? { nil }
    var continuity: ContinuityRules { ContinuityRules() }
  }

  private static func claim(_ n: UInt64, _ assurance: Assurance) -> IdentityClaim {
    IdentityClaim(
      identity: Identity(kind: .external, value: "card-\(n)"), hash: Workshop.key(n),
      assurance: assurance,
      source: "bot:robin", means: "assertion")
  }

  private static func open(_ n: UInt64, claims: [IdentityClaim] = []) -> Intake {
    .openSession(
      OpenSession(
        session: Workshop.session(n), conversation: Workshop.conversation(n),
        customer: CustomerID(high: 5, low: n),
        channel: .chat, bot: Workshop.bot, claims: claims, attributes: [], members: []))
  }

  private static func handoff(_ n: UInt64) -> Intake {
    .handoff(
      Handoff(
        session: Workshop.session(n), bot: Workshop.bot, epoch: nil, case: CaseID(high: 3, low: n),
        imported: [],
        members: [], facts: HandoffFacts()))
  }

  /// What the rules saw in the last handoff.
  private static func seen(_ shop: inout Workshop) throws -> String {
    String(decoding: try #require(try shop.gather().facts.last).bytes, as: UTF8.self)
  }

  @Test(
    "a merge that is not committed yet counts: its conversations, and how well its identities are proven"
  )
  func merge() throws {
    var shop = Workshop()
    shop.pipeline.use(Curious())
    shop.submit(Self.open(1, claims: [Self.claim(1, .asserted)]))
    shop.submit(Self.open(2, claims: [Self.claim(2, .verified)]))
    shop.commit()
    shop.submit(
      .aboutCustomer(
        AboutCustomer(
          .merge(CustomerID(high: 5, low: 1), CustomerID(high: 5, low: 2)), by: "agent:ann",
          reason: "")))
    shop.submit(Self.handoff(1))
    #expect(try Self.seen(&shop) == "1 before, 1 sessions, verified")
  }

  @Test("a split that is not committed yet counts, too")
  func split() throws {
    var shop = Workshop()
    shop.pipeline.use(Curious())
    let two = (CustomerID(high: 5, low: 1), CustomerID(high: 5, low: 2))
    shop.submit(Self.open(1, claims: [Self.claim(1, .asserted)]))
    shop.submit(Self.open(2, claims: [Self.claim(2, .verified)]))
    shop.submit(.aboutCustomer(AboutCustomer(.merge(two.0, two.1), by: "agent:ann", reason: "")))
    shop.commit()
    shop.submit(.aboutCustomer(AboutCustomer(.split(two.0, two.1), by: "agent:ann", reason: "")))
    shop.submit(Self.handoff(1))
    #expect(try Self.seen(&shop) == "0 before, 1 sessions, asserted")
  }

  @Test("conversations, sessions and identities of the same commit count")
  func everythingAtOnce() throws {
    var shop = Workshop()
    shop.pipeline.use(Curious())
    shop.submit(Self.open(1, claims: [Self.claim(1, .asserted)]))
    shop.submit(.endSession(Workshop.session(1), .botEnded, by: Workshop.bot))
    // The matter was settled: the next session is another conversation, and the one after it goes
    // on there.
    shop.submit(Self.open(2, claims: [Self.claim(1, .asserted)]))
    shop.submit(.endSession(Workshop.session(2), .customerLeft, by: Workshop.bot))
    shop.submit(Self.open(3, claims: [Self.claim(1, .asserted)]))
    shop.submit(Self.handoff(3))
    #expect(try Self.seen(&shop) == "1 before, 2 sessions, asserted")
  }
}
