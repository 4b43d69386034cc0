import Arrivals
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Sockets

/// The lanes over another kernel interface, which does what the contract allows.
@Suite struct EventQueueTests {
  @Test func `a large echo survives a kernel that tells late, in part, twice and wrongly`()
    async throws
  {
    let test = try TestServer(over: .vague(7)) { _ in { _ in Echo() } }
    let peer = try Peer(test.address, receiveBufferBytes: 4_096)
    let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    let got = Mutex<[UInt8]>([])
    let reader = Arrivals<Bool>()
    let descriptor = peer.descriptor
    DispatchQueue(label: "reader").async {
      let mine = PeerReader(descriptor)
      got.withLock { $0 = mine.read(sent.count) }
      reader.arrive(true)
    }
    try peer.send(sent)
    _ = try await reader.next()
    #expect(got.withLock { $0 == sent })
    _ = await test.stop()
  }

  @Test func `who left while paused is heard of over a vague kernel, and read to the end`()
    async throws
  {
    let events = Arrivals<String>()
    let test = try TestServer(over: .vague(11)) { _ in
      { _ in
        let handler = Reacting()
        var first = true
        var heard = 0
        handler.onReceived = { bytes, connection in
          heard += bytes.count
          if first { connection.pauseReading() }
          first = false
          if heard == 3 { events.arrive("all") }
        }
        handler.onPeerClosedWhilePaused = { connection in
          events.arrive("left")
          connection.resumeReading()
        }
        handler.onClosed = { events.arrive("\($0)") }
        return handler
      }
    }
    for _ in 0..<20 {
      let peer = try Peer(test.address)
      try peer.send("a")
      try peer.send("bc")
      peer.finishSending()
      // It may have been read whole before the pause.
      var next = try await events.next()
      if next == "left" { next = try await events.next() }
      if next == "all" { next = try await events.next() }
      if next == "left" { next = try await events.next() }
      peer.close()
      #expect(next == "finished")
    }
    _ = await test.stop()
  }

  @Test func `who cannot be watched is closed with the kernel's reason, and their place is free`()
    async throws
  {
    let reasons = Arrivals<CloseReason>()
    let test = try TestServer(
      lanes: 1, over: .full(.init(3)), { $0.connectionsPerAddressMax = 1 }
    ) { _ in
      { _ in
        let handler = Reacting()
        handler.onReceived = { $1.write($0) }
        handler.onClosed = { reasons.arrive($0) }
        return handler
      }
    }
    for _ in 0..<3 {
      let peer = try Peer(test.address)
      #expect(throws: Peer.Failed.self) { try peer.receive(1) }
      #expect(try await reasons.next() == .peerReset(ENOSPC))
    }
    let peer = try Peer(test.address)
    try peer.send("x")
    #expect(try peer.receiveText(1) == "x", "the one place of this address was given back")
    peer.close()
    _ = await test.stop()
    #expect(test.listener.admission.open == 0)
  }

  @Test func `an outgoing connection that cannot be watched fails and says why`() async throws {
    let reasons = Arrivals<CloseReason>()
    let test = try TestServer(lanes: 1, over: .full(.init(1))) { _ in { _ in Echo() } }
    let address = test.address
    test.server.lanes[0].perform { loop in
      let handler = Reacting()
      handler.onClosed = { reasons.arrive($0) }
      loop.connect(to: address, timeoutMilliseconds: 10_000, handler: handler)
    }
    #expect(try await reasons.next() == .connectFailed(ENOSPC))
    _ = await test.stop()
  }

  @Test func `a listener that could not be watched at first lets newcomers in later`() async throws
  {
    let test = try TestServer(lanes: 1, over: .fullForListeners(.init(2))) { _ in { _ in Echo() } }
    let peer = try Peer(test.address)
    try peer.send("x")
    #expect(try peer.receiveText(1) == "x")
    peer.close()
    _ = await test.stop()
  }
}
