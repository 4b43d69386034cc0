import Foundation
import Model
import Pipeline
import Records
import Routing
import Testing
import Wire

@testable import Simulation

/// What a world is told and what its disk says, made up so that one thing is wrong with it.
private struct MadeUp {
  var router = Router()
  var ledger = Ledger()
  let disk = Disk()
  var now = Instant(milliseconds: 1_000_000)
  private var position: Int64 = 0

  static let workspace = WorkspaceID(1)
  static let ann = AgentID(0), bob = AgentID(1), bot = BotID(0)
  static let conversation = ConversationID(high: 1, low: 1), session = SessionID(high: 2, low: 1)
  static let theCase = CaseID(high: 3, low: 1), customer = CustomerID(high: 4, low: 1)
  static let owner = OwnerView(kind: .agent, name: "ann")

  /// A case that is offered to both agents at once.
  init() throws {
    var queue = RoutingConfiguration.Queue(name: "support")
    queue.offersAtOnce = 2
    let agents = ["ann", "bob"].map {
      RoutingConfiguration.Agent(name: $0, skills: [], queues: ["support"])
    }
    try play(
      .configure(
        RoutingConfiguration(
          version: 1, skills: [], bots: ["bot"], queues: [queue], agents: agents)))
    for agent in [Self.ann, Self.bob] {
      try play(.setStatus(agent, .available, lease: nil))
      try play(.openStream(agent, waiter: WaiterID(UInt64(agent.raw) + 1)))
    }
    try play(
      .openConversation(
        conversation: Self.conversation, customer: Self.customer,
        session: NewSession(id: Self.session, channel: .chat, bot: Self.bot)))
    try play(
      .route(
        conversation: Self.conversation, session: Self.session, case: Self.theCase,
        need: Need(queue: QueueID(0)),
        by: RouteReason(cause: .handoff, ruleVersion: 1, rule: 0), epoch: nil))
  }

  /// As it should be: decided, and on disk.
  mutating func play(_ command: Command) throws {
    var decision = Decision()
    #expect(router.decide(command, at: now, into: &decision) == nil)
    #expect(write(decision.events) == nil)
  }

  func offer(_ agent: AgentID) throws -> OfferID { try #require(router.agent(agent)?.offer) }

  /// One more record of the log, whatever it says.
  mutating func write(_ events: [Event]) -> String? {
    var out = ByteWriter()
    out.uint8(1)
    out.count(events.count)
    for event in events { event.encode(into: &out) }
    out.count(0)
    return write(out.bytes)
  }
  mutating func write(_ bytes: [UInt8]) -> String? {
    position += 1
    var commit = Commit(workspace: Self.workspace)
    commit.log = [LogRecord(position: position, at: now, bytes: bytes)]
    return disk.write(commit) ?? ledger.isOnDisk(commit, nil)
  }

  /// Entries that hold words with these marks, from the first number on.
  static func entries(_ markers: [UInt64], from first: Int64 = 1) -> Commit {
    var commit = Commit(workspace: workspace)
    commit.entries = markers.enumerated().map { place, marker in
      EntryRow(
        id: EntryID(first + Int64(place)), position: 1, customer: customer,
        conversation: conversation, session: session, at: Instant(milliseconds: 1),
        visibility: .customer, body: Array("{\"text\":\"words\"".utf8) + Ledger.members(marker),
        hash: Digest(marker, 0, 0, 0))
    }
    return commit
  }

  /// The case as it waits.
  static func row() -> Commit {
    var commit = Commit(workspace: workspace)
    commit.cases = [
      CaseRow(
        id: theCase, conversation: conversation, queue: 0, agent: nil,
        state: CaseState.waiting.rawValue,
        created: Instant(milliseconds: 1), closed: nil, about: [])
    ]
    return commit
  }

  mutating func told(_ entry: Int64, _ purpose: Errand.Purpose) -> String? {
    ledger.told(
      .recorded(EntryID(entry), Self.conversation, Self.owner, epoch: 1), purpose, disk)
  }
  mutating func handedOff() -> String? {
    ledger.told(
      .handedOff(
        Self.theCase, Self.conversation, Self.owner, epoch: 1, entry: EntryID(1), wait: nil),
      .handoff(contact: 1), disk)
  }
  func audit() -> String? { ledger.audit(disk, router) }
}

struct `Every sentence of the ledger is seen said` {
  /// A check that finds nothing is worth something once it has been seen to find what is there: each
  /// history is whole but for the last thing in it.
  private static let histories:
    [(sentence: String, say: @Sendable (inout MadeUp) throws -> String?)] = [
      // What is written.
      (
        "goes from position 7 to 9",
        { made in
          var commit = Commit(workspace: MadeUp.workspace)
          commit.log = [LogRecord(position: 9, at: made.now, bytes: [])]
          return made.disk.write(commit)
        }
      ),
      (
        "follows 1",
        { made in
          #expect(made.disk.write(MadeUp.entries([1])) == nil)
          return made.disk.write(MadeUp.entries([2], from: 5))
        }
      ),
      (
        "is changed and not there",
        { made in
          var commit = Commit(workspace: MadeUp.workspace)
          commit.rewritten = MadeUp.entries([1]).entries
          return made.disk.write(commit)
        }
      ),
      ("log record 8 cannot be read", { $0.write([200, 1, 2]) }),
      ("position 8: ", { made in made.write([.offerEnded(OfferID(high: 9, low: 9), .timedOut)]) }),
      (
        "has two owners, agents 0 and 1",
        { made in
          let (anns, bobs) = (try made.offer(MadeUp.ann), try made.offer(MadeUp.bob))
          #expect(
            made.write([.caseAccepted(MadeUp.theCase, MadeUp.ann), .offerEnded(anns, .accepted)])
              == nil)
          return made.write([
            .caseAccepted(MadeUp.theCase, MadeUp.bob), .offerEnded(bobs, .accepted),
          ])
        }
      ),
      (
        "the epoch of conv_",
        { made in
          let (id, owner) = (MadeUp.conversation, Owner.bot(MadeUp.bot))
          let again = Event.conversationReopened(
            id, customer: MadeUp.customer, owner: owner, epoch: 1, lastAgent: nil)
          return made.write([again, .ownerChanged(id, to: owner, epoch: 2)])
        }
      ),
      ("is not the replay of the log", { $0.ledger.compare(Router()) }),
      // What somebody was told.
      (
        "was shown to agent 1 and is not on disk as theirs",
        { made in
          made.ledger.offered(try made.offer(MadeUp.ann), to: MadeUp.bob)
        }
      ),
      (
        "is over, and nobody told where it was shown",
        { made in
          let offer = try made.offer(MadeUp.ann)
          #expect(made.ledger.offered(offer, to: MadeUp.ann) == nil)
          #expect(made.ledger.untold() == nil)
          try made.play(.decline(offer, MadeUp.ann))
          return made.ledger.untold()
        }
      ),
      (
        "agent 0 was told that they have case_",
        { made in
          made.ledger.told(
            .accepted(MadeUp.theCase, MadeUp.conversation, MadeUp.owner, epoch: 3),
            .accept(desk: 0, try made.offer(MadeUp.ann)), made.disk)
        }
      ),
      ("was acknowledged and is not on disk", { $0.handedOff() }),
      ("entry 1 was acknowledged and is not on disk", { $0.told(1, .say(contact: 1, marker: 7)) }),
      (
        "was acknowledged for words 7 and holds others",
        { made in
          #expect(made.disk.write(MadeUp.entries([8])) == nil)
          return made.told(1, .say(contact: 1, marker: 7))
        }
      ),
      (
        "words 7 were acknowledged as entry 1 and as entry 2",
        { made in
          #expect(made.disk.write(MadeUp.entries([7, 7])) == nil)
          #expect(made.told(1, .reply(desk: 0, MadeUp.theCase, marker: 7)) == nil)
          return made.told(2, .reply(desk: 0, MadeUp.theCase, marker: 7))
        }
      ),
      (
        "entry 1 was said after entry 2",
        { made in
          #expect(made.disk.write(MadeUp.entries([7, 8])) == nil)
          #expect(made.told(2, .say(contact: 1, marker: 8)) == nil)
          return made.told(1, .say(contact: 1, marker: 7))
        }
      ),
      // At rest.
      (
        "words 7 stand twice, as entries 1 and 2",
        { made in
          #expect(made.disk.write(MadeUp.entries([7, 7])) == nil)
          return made.audit()
        }
      ),
      (
        "words 7, acknowledged as entry 1, are not there",
        { made in
          #expect(made.disk.write(MadeUp.entries([7])) == nil)
          #expect(made.told(1, .say(contact: 1, marker: 7)) == nil)
          var lost = Commit(workspace: MadeUp.workspace)
          lost.rewritten = MadeUp.entries([8]).entries
          #expect(made.disk.write(lost) == nil)
          return made.audit()
        }
      ),
      (
        "is not that of its entries",
        { made in
          var commit = MadeUp.entries([7])
          commit.customers = [
            CustomerRow(
              id: MadeUp.customer, root: MadeUp.customer, created: made.now, profile: [],
              timeline: TimelineDigest())
          ]
          #expect(made.disk.write(commit) == nil)
          return made.audit()
        }
      ),
      (
        ", acknowledged, is gone",
        { made in
          #expect(made.disk.write(MadeUp.row()) == nil)
          #expect(made.handedOff() == nil)
          return made.ledger.audit(Disk(), made.router)
        }
      ),
      (
        "is open on disk, and the machine does not have it",
        { made in
          #expect(made.disk.write(MadeUp.row()) == nil)
          #expect(made.handedOff() == nil)
          return made.ledger.audit(made.disk, Router())
        }
      ),
      (
        "on disk, and is offered",
        { made in
          #expect(made.disk.write(MadeUp.row()) == nil)
          #expect(made.handedOff() == nil)
          return made.audit()
        }
      ),
    ]

  @Test func `each by a history that is wrong in just this`() throws {
    let whole = try MadeUp()
    #expect(whole.audit() == nil && whole.ledger.compare(whole.router) == nil)
    for (sentence, say) in Self.histories {
      var made = try MadeUp()
      let said = try say(&made)
      #expect(said?.contains(sentence) == true, "\(sentence): \(said ?? "nothing")")
    }
  }

  /// By their sources: a sentence that is written there and has no history here is found out.
  @Test(arguments: ["Ledger", "Disk"]) func `and there is none that no history makes it say`(
    file: String
  ) throws {
    var said: [String] = []
    for (_, say) in Self.histories {
      var made = try MadeUp()
      said.append(try say(&made) ?? "")
    }
    let source = try String(
      contentsOfFile: #filePath.replacing(
        "Tests/SimulationTests/LedgerTests.swift", with: "Sources/Simulation/World/\(file).swift"),
      encoding: .utf8)
    var count = 0
    for literal in source.matches(of: /"((?:[^"\\\n]|\\\([^)\n]*\)|\\.)*)"/) {
      // Between what is put into it, in order.
      let parts = String(literal.1).split(separator: /\\\([^)]*\)/).map(String.init)
      guard parts.contains(where: { $0.contains(" ") && $0.contains(/[a-z]/) }) else { continue }
      count += 1
      let isSaid = said.contains { sentence in
        var rest = sentence[...]
        for part in parts {
          guard let found = rest.range(of: part) else { return false }
          rest = rest[found.upperBound...]
        }
        return true
      }
      #expect(isSaid, "no history makes it say \(literal.0)")
    }
    #expect(count >= 3)
  }
}
