import Dispatch
import Model
import Pipeline
import Records
import Routing
import Synchronization
import System
import Testing

@testable import Server

/// Who shares a transaction with whom, and what is told of one that does not end.
@Suite(.inTurn) struct FairCommitTests {
  private final class Listener: Outlet {
    private let heard = Mutex((answered: 0, refused: 0))
    var answered: Int { heard.withLock { $0.answered } }
    var refused: Int { heard.withLock { $0.refused } }
    func leave(_ released: [Pipeline.Release], from writer: Writer) {
      let answers = released.count { if case .answer = $0 { true } else { false } }
      heard.withLock { $0.answered += answers }
    }
    func unavailable(_ tickets: [Ticket], from writer: Writer) {
      heard.withLock { $0.refused += tickets.count }
    }
    func hanging(_ tickets: [Ticket], from writer: Writer) {}
    func recovered(_ writer: Writer) {}
  }

  private static func blobs(_ count: Int) -> [Request] {
    (0..<count).map { number in
      Request(
        .blob(
          BlobRow(
            id: BlobID(high: 1, low: UInt64(number)), hash: .zero, size: 0, mediaType: "",
            fileName: nil, conversation: nil, uploader: "", at: Instant(milliseconds: 0))),
        ticket: Ticket(a: 1, b: UInt64(number)))
    }
  }

  @Test func `a flood of one workspace delays another's by two bounded transactions`() async throws
  {
    let disk = Disk()
    try await TestServer.run { server in
      server.damages()  // by rows of attachments without their files
      let edge = try #require(server.running).edge
      let seen = Mutex<[[(WorkspaceID, Int)]]>([])
      let store = FaultyStore(
        base: edge.store, disk: disk
      ) { commits in
        seen.withLock { $0.append(commits.map { ($0.workspace, $0.log.count) }) }
      }
      let commits = CommitLoop(store: store, health: Health())
      let (loud, quiet) = (Listener(), Listener())
      let flooding = try (0..<6).map {
        try Writer.alone("loud-\($0)", edge, store, commits, loud)
      }
      let waiting = try Writer.alone("quiet", edge, store, commits, quiet)
      disk.hold()
      defer { disk.release() }
      for writer in flooding { writer.submit(Self.blobs(3_000)) }
      try await eventually("a commit is held") { disk.waiting > 0 }
      waiting.submit(Self.blobs(1))
      try await eventually("all have decided what they may") {
        waiting.peek { $0.ungathered == 1 }
          && flooding.allSatisfy { $0.peek { $0.ungathered >= 1_000 } }
      }
      disk.release()
      try await eventually("all are answered", seconds: 60) {
        loud.answered == 18_000 && quiet.answered == 1
      }
      let transactions = seen.withLock { $0 }
      // The one that was held, then all six in turn, four to a transaction, and the quiet one.
      let at = try #require(transactions.firstIndex { $0.contains { $0.0 == waiting.workspace } })
      #expect(at <= 2, "in transaction \(at)")
      for transaction in transactions {
        #expect(transaction.allSatisfy { $0.1 <= 1_256 })
        #expect(transaction.reduce(0) { $0 + $1.1 } <= 4_000 + 1_256)
        #expect(Set(transaction.map(\.0)).count == transaction.count)
      }
      #expect(loud.refused == 0)
    }
  }

  @Test func `no more than so many wait, and whoever comes then is turned away at once`()
    async throws
  {
    let disk = Disk()
    try await TestServer.run { server in
      server.damages()  // by rows of attachments without their files
      let edge = try #require(server.running).edge
      let store = FaultyStore(base: edge.store, disk: disk)
      let listener = Listener()
      let writer = try Writer.alone(
        "full", edge, store, CommitLoop(store: store, health: Health()), listener)
      disk.hold()
      defer { disk.release() }
      let room = Writer.waitingMax
      writer.submit(Self.blobs(room))
      try await eventually("what may be decided is") {
        writer.peek { $0.ungathered >= Writer.ungatheredCommandsMax }
      }
      #expect(listener.refused == 0)
      writer.submit(Self.blobs(room))
      let refused = listener.refused
      #expect(refused > 0 && refused < room)
      // News that nobody would tell again are not among them.
      writer.submit([Request(.endSession(SessionID(high: 1, low: 1), .idle, by: nil))])
      #expect(listener.refused == refused)
      disk.release()
      try await eventually("all others are answered", seconds: 120) {
        listener.answered >= 2 * room - refused
      }
    }
  }

  @Test func `a commit that hangs is told, and so is its end`() async throws {
    let disk = Disk()
    try await TestServer.run { server in
      server.damages()  // by rows of attachments without their files
      let edge = try #require(server.running).edge
      let store = FaultyStore(base: edge.store, disk: disk)
      let (health, listener) = (Health(), Listener())
      let commits = CommitLoop(store: store, health: health, patience: .milliseconds(300))
      let writer = try Writer.alone("hung", edge, store, commits, listener)
      writer.submit(Self.blobs(1))  // whose look is still to come when the next one hangs
      try await eventually("it is answered") { listener.answered == 1 }
      #expect(health.isWell)
      disk.hold()
      defer { disk.release() }
      writer.submit(Self.blobs(2))
      try await eventually("it is told") { health.now.trouble == Health.hangs && !health.isWell }
      #expect(listener.answered == 1 && listener.refused == 0)
      disk.release()
      try await eventually("all is well") { health.isWell && listener.answered == 3 }
    }
  }
}
