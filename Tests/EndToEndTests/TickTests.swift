import Model
import Pipeline
import Records
import Routing
import Synchronization
import System
import Testing

@testable import Server

/// What a writer does about its deadlines while it has no room to decide them.
@Suite(.inTurn) struct TickTests {
  /// Hears who is turned away; a tick has nobody's ticket.
  private final class Listener: Outlet {
    private let turnedAway = Mutex(0)
    var ticks: Int { turnedAway.withLock { $0 } }
    func leave(_ released: [Pipeline.Release], from writer: Writer) {}
    func unavailable(_ tickets: [Ticket], from writer: Writer) {
      turnedAway.withLock { $0 += tickets.count { $0 == .nobody } }
    }
    func recovered(_ writer: Writer) {}
  }

  @Test func `a refused tick is not asked for again at once, and comes when there is room`()
    async throws
  {
    let disk = Disk()
    try await TestServer.run { server in
      let edge = try #require(server.running).edge
      let planner = try #require(edge.planner(of: edge.writers[0].workspace, version: nil))
      let store = FaultyStore(base: edge.store, disk: disk)
      let row = try edge.store.addWorkspace(named: "small")
      let listener = Listener()
      let writer = try Writer(
        workspace: row, commits: CommitLoop(store: store, health: Health()), outlet: listener
      ) { () throws(StoreFault) in
        let reads = try store.reader()
        let pipeline = Pipeline(
          workspace: row.id, router: Router(), head: try reads.head(row.id), planner: planner,
          environment: .init(saltSeed: [1]) { Digest(SHA256.hash($0)) })
        return (pipeline, ConfinedReader(reads))
      }
      let configuration = RoutingConfiguration(
        version: 1, skills: [], bots: [], queues: [.init(name: "support")],
        agents: [.init(name: "ann", skills: [], queues: ["support"])])
      let blob = BlobRow(
        id: BlobID(high: 1, low: 1), hash: .zero, size: 0, mediaType: "", fileName: nil,
        conversation: nil, uploader: "",
        at: Instant(milliseconds: 0))
      disk.hold()
      defer { disk.release() }
      // In one turn, so that the lease ends while there is no room any more.
      writer.submit(
        [
          Request(.configure(configuration, encoded: [])), Request(.start),
          Request(.setStatus(AgentID(0), .available, lease: .milliseconds(1))),
        ] + Array(repeating: Request(.blob(blob)), count: Int(Writer.undurableCommandsMax)))
      try await eventually("a tick is refused", seconds: 60) { listener.ticks > 0 }
      let (clock, ticks) = (ContinuousClock(), listener.ticks)
      let begun = clock.now
      try await Task.sleep(for: .milliseconds(500))
      let asked = listener.ticks - ticks
      // One in 50 ms at the most, however long this thread slept; asked for at once, it would be
      // tens of thousands.
      let most = Int((clock.now - begun) / .milliseconds(50)) + 2
      #expect(asked <= most, "\(asked) ticks")
      disk.release()
      try await eventually("the lease has ended") { writer.peek { $0.nextDeadline == nil } }
    }
  }
}
