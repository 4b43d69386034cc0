import Model
import Pipeline
import Records
import Routing
import System
import Testing

@testable import Server

/// What a writer does about its deadlines while it has no room to decide them.
@Suite(.inTurn) struct TickTests {
  private struct Deaf: Outlet {
    func leave(_ released: [Pipeline.Release], from writer: Writer) {}
    func unavailable(_ tickets: [Ticket], from writer: Writer) {}
    func hanging(_ tickets: [Ticket], from writer: Writer) {}
    func recovered(_ writer: Writer) {}
  }

  @Test
  func `a tick that finds no room waits its turn, is asked for once, and comes when there is room`()
    async throws
  {
    let disk = Disk()
    try await TestServer.run { server in
      server.damages()  // by rows of attachments without their files
      let edge = try #require(server.running).edge
      let store = FaultyStore(base: edge.store, disk: disk)
      let writer = try Writer.alone(
        "small", edge, store, CommitLoop(store: store, health: Health()), Deaf())
      let configuration = RoutingConfiguration(
        version: 1, skills: [], bots: [], queues: [.init(name: "support")],
        agents: [.init(name: "ann", skills: [], queues: ["support"])])
      let blob = BlobRow(
        id: BlobID(high: 1, low: 1), hash: .zero, size: 0, mediaType: "", fileName: nil,
        conversation: nil, uploader: "",
        at: Instant(milliseconds: 0))
      disk.hold()
      defer { disk.release() }
      writer.submit(
        [
          Request(.configure(configuration, encoded: [])), Request(.start),
          Request(.setStatus(AgentID(0), .available, lease: .milliseconds(1))),
        ] + Array(repeating: Request(.blob(blob)), count: 10_000))
      try await eventually("the lease is over, and there is no room") {
        writer.peek { $0.ungathered >= Writer.ungatheredCommandsMax && $0.nextDeadline != nil }
      }
      try await Task.sleep(for: .milliseconds(300))
      let before = writer.waiting
      try await Task.sleep(for: .milliseconds(300))
      // Asked for again at once, there would be tens of thousands more.
      #expect(writer.waiting <= before + 1)
      disk.release()
      try await eventually("the lease has ended") { writer.peek { $0.nextDeadline == nil } }
    }
  }
}
