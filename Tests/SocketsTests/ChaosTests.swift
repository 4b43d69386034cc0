import Glibc
import Synchronization
import Testing

@testable import Sockets

/// Peers that do anything a peer may do, in an order that a seed decides.
@Suite struct ChaosTests {
  struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {  // splitmix64
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  /// Answers by what the first byte of a read says, so that a peer chooses the trouble.
  final class Moody: ConnectionHandler {
    let count: @Sendable (String) -> Void
    private var isOver = false
    init(_ count: @escaping @Sendable (String) -> Void) { self.count = count }
    func opened(_ connection: Connection) {
      count("opened")
      connection.setTimer(.idle, milliseconds: 300)
    }
    func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
      if isOver { count("called after its end") }
      switch (bytes.first ?? 0) & 15 {
      case 0: connection.closeAfterFlush()
      case 1: connection.abort()
      case 2: connection.pauseReading()
      case 3: connection.write([UInt8](repeating: 0, count: 300_000))
      case 4: connection.closeAfterFlush(lingering: false)
      case 5: connection.setTimer(.answer, milliseconds: 0)
      default: connection.write(bytes)
      }
    }
    func timedOut(_ timer: ConnectionTimer, on connection: Connection) {
      timer == .answer ? connection.write([1, 2, 3]) : connection.close(because: .timedOut(timer))
    }
    func delivered(_ payload: any Sendable, on connection: Connection) {
      connection.resumeReading()
    }
    func closed(_ connection: Connection, _ reason: CloseReason) {
      if isOver { count("closed twice") }
      isOver = true
      count("closed")
    }
  }

  @Test(arguments: 1...6, [false, true])
  func `whatever peers do, every connection ends once and everything is given back`(
    _ seed: UInt64, _ isUnreliable: Bool
  ) async throws {
    var random = Seeded(state: seed)
    let counts = Mutex<[String: Int]>([:])
    let count: @Sendable (String) -> Void = { name in counts.withLock { $0[name, default: 0] += 1 }
    }
    let test = try TestServer(over: isUnreliable ? .vague(seed) : nil) {
      $0.limits.outputPauseBytes = 20_000
      $0.limits.outputMaxBytes = 700_000
      $0.limits.lingerMilliseconds = 100
      $0.limits.outputStallMilliseconds = 100
    } handlers: { _ in
      { _ in Moody(count) }
    }
    var peers: [Peer] = []
    for _ in 0..<600 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0...2: peers.append(try Peer(test.address, receiveBufferBytes: 4_096))
      case 3...6:
        guard let peer = peers.randomElement(using: &random) else { continue }
        let size = Int.random(in: 1...2_000, using: &random)
        let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        _ = bytes.withUnsafeBytes { send(peer.descriptor, $0.baseAddress, $0.count, flags) }
      case 7: peers.randomElement(using: &random)?.finishSending()
      case 8:
        if peers.isEmpty { continue }
        let gone = peers.remove(at: Int.random(in: peers.indices, using: &random))
        Bool.random(using: &random) ? gone.reset() : gone.close()
      default:
        let lane = test.server.lanes[Int.random(in: 0...1, using: &random)]
        lane.perform { loop in loop.forEachConnection { $0.resumeReading() } }
      }
    }
    _ = await test.stop(200)
    let ended = counts.withLock { $0 }
    #expect(ended["opened"] == ended["closed"] && ended["opened"] ?? 0 > 0)
    #expect(ended["closed twice"] == nil && ended["called after its end"] == nil)
    #expect(test.listener.admission.open == 0)
    let lanes = test.server.statistics
    #expect(lanes.allSatisfy { $0.open == 0 })
    let reasons = lanes.flatMap(\.closed).reduce(0) { $0 + $1.count }
    #expect(Int(reasons) == ended["closed"])
    withExtendedLifetime(peers) {}
  }
}
