import Arrivals
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Sockets

@Suite struct ConnectionTests {
  @Test func `bytes come back, over IPv4, IPv6 and a path that only this user may open`()
    async throws
  {
    let path = "/tmp/throughline-sock-\(getpid())"
    for address in [.loopback(0), SocketAddress(host: "::1", port: 0)!, .path(path)] {
      let test = try TestServer({ $0.address = address }) { _ in { _ in Echo() } }
      let peer = try Peer(test.address)
      try peer.send("hello")
      #expect(try peer.receiveText(5) == "hello")
      if case .path = address {
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
      }
      #expect(await test.stop() == 1)
    }
    #expect(access(path, F_OK) != 0)
  }

  @Test func `a large echo survives partial writes in both directions`() async throws {
    let test = try TestServer { _ in { _ in Echo() } }
    let peer = try Peer(test.address, receiveBufferBytes: 4_096)
    let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
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

  @Test func `many writes in a batch arrive in order, small ones gathered and large ones whole`()
    async throws
  {
    let expected = (0..<200).flatMap {
      [UInt8](repeating: UInt8($0), count: $0 % 7 == 0 ? 20_000 : $0)
    }
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        handler.onReceived = { _, connection in
          for n in 0..<200 {
            connection.write([UInt8](repeating: UInt8(n), count: n % 7 == 0 ? 20_000 : n))
          }
          connection.closeAfterFlush()
        }
        return handler
      }
    }
    let peer = try Peer(test.address)
    try peer.send("go")
    #expect(try peer.receiveToEnd() == expected)
    peer.close()
    _ = await test.stop()
  }

  @Test(.timeLimit(.minutes(1)))
  func `whoever could go on for ever lets everybody else of the lane go first`() async throws {
    let test = try TestServer(lanes: 1) { _ in
      var isOver = false
      return { _ in
        let handler = Reacting()
        handler.onReceived = { bytes, connection in
          if bytes == Array("busy".utf8) { return connection.awaitTurn() }
          isOver = true
          connection.write(Array("served".utf8))
        }
        handler.onTurn = { connection in
          if !isOver { return connection.awaitTurn() }
          connection.write(Array("done".utf8))
        }
        return handler
      }
    }
    let (busy, other) = (try Peer(test.address), try Peer(test.address))
    try busy.send("busy")
    try other.send("hello")
    #expect(try other.receiveText(6) == "served")
    #expect(try busy.receiveText(4) == "done")
    // Who has gone has no turn any more.
    _ = await test.stop()
  }

  @Test func `a peer that ends its half still gets the whole answer`() async throws {
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        var heard = 0
        handler.onReceived = { bytes, _ in heard += bytes.count }
        handler.onPeerClosedWrite = { connection in
          connection.write([UInt8](repeating: 7, count: 500_000))
          connection.write(Array("\(heard)".utf8))
          connection.closeAfterFlush()
        }
        return handler
      }
    }
    let peer = try Peer(test.address)
    try peer.send([UInt8](repeating: 1, count: 100_000))
    peer.finishSending()
    let answer = try peer.receiveToEnd()
    #expect(answer.count == 500_006)
    #expect(String(decoding: answer.suffix(6), as: UTF8.self) == "100000")
    _ = await test.stop()
  }

  @Test func `the last bytes reach a peer that is still sending`() async throws {
    let reasons = Arrivals<CloseReason>()
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        handler.onReceived = { _, connection in
          connection.write(Array("no".utf8))
          connection.closeAfterFlush()
        }
        handler.onClosed = { reasons.arrive($0) }
        return handler
      }
    }
    let peer = try Peer(test.address)
    try peer.send([UInt8](repeating: 1, count: 1_000_000))
    peer.finishSending()
    #expect(try peer.receiveToEnd() == Array("no".utf8))
    #expect(try await reasons.next() == .finished)
    _ = await test.stop()
  }

  @Test func `a peer that hears our end and keeps its own back is let go all the same`()
    async throws
  {
    let reasons = Arrivals<CloseReason>()
    let test = try TestServer({ $0.limits.lingerMilliseconds = 50 }) { _ in
      { _ in
        let handler = Reacting()
        handler.onReceived = { _, connection in connection.closeAfterFlush() }
        handler.onClosed = { reasons.arrive($0) }
        return handler
      }
    }
    let peer = try Peer(test.address)
    try peer.send("x")
    #expect(try peer.receiveToEnd().isEmpty)
    #expect(try await reasons.next() == .finished)
    #expect(test.listener.admission.open == 0)
    withExtendedLifetime(peer) {}
    _ = await test.stop()
  }

  @Test func `a reader that is too slow is paused, then closed with that reason`() async throws {
    let reasons = Arrivals<CloseReason>()
    let backedUp = Arrivals<Int>()
    let refs = Arrivals<ConnectionRef>()
    let test = try TestServer({
      $0.limits.outputPauseBytes = 100_000
      $0.limits.outputMaxBytes = 1_000_000
      $0.limits.outputStallMilliseconds = 600_000  // which would end it for the same reason
    }) { _ in
      { _ in
        let handler = Reacting()
        handler.onReceived = { bytes, connection in
          connection.write([UInt8](repeating: 1, count: 12_000_000))  // more than the kernel takes
        }
        handler.onBackUp = { backedUp.arrive($0.unsentBytes) }
        handler.onDelivered = { _, connection in connection.write([1]) }
        handler.onClosed = { reasons.arrive($0) }
        handler.onOpened = { refs.arrive($0.ref) }
        return handler
      }
    }
    let peer = try Peer(test.address, receiveBufferBytes: 4_096)
    let ref = try await refs.next()
    try peer.send([1])
    #expect(try await backedUp.next() > 100_000)
    test.server.post([Delivery(to: ref, 0)])
    #expect(try await reasons.next() == .slowReader)
    #expect(throws: Peer.Failed.self) { while !(try peer.receive(65_536)).isEmpty {} }
    _ = await test.stop()
  }

  @Test func `who sends more than they read is held off, not closed, and has it all in the end`()
    async throws
  {
    let test = try TestServer({
      $0.limits.outputPauseBytes = 20_000
      $0.limits.outputMaxBytes = 200_000
      $0.limits.outputStallMilliseconds = 600_000
    }) { _ in { _ in Echo() } }
    let peer = try Peer(test.address, receiveBufferBytes: 4_096)
    let block = [UInt8](repeating: 1, count: 65_536)
    let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
    var pushed = 0
    // As much as the kernel takes on both ways; then nobody takes any more.
    while pushed < 64 << 20 {
      var room = pollfd(fd: peer.descriptor, events: Int16(POLLOUT), revents: 0)
      guard poll(&room, 1, 500) > 0 else { break }
      let sent = block.withUnsafeBytes { send(peer.descriptor, $0.baseAddress, $0.count, flags) }
      if sent > 0 { pushed += sent } else if errno != EAGAIN { break }
    }
    #expect(pushed < 64 << 20)
    #expect(try peer.receive(pushed).count == pushed)
    _ = await test.stop()
  }

  @Test func `one write of any length goes out as the reader makes room`() async throws {
    let bytes = (0..<12_000_000).map { UInt8(truncatingIfNeeded: $0) }
    let test = try TestServer({ $0.limits.outputMaxBytes = 0 }) { _ in
      { _ in
        let handler = Reacting()
        handler.onOpened = { $0.write(bytes) }
        handler.onDrained = { $0.closeAfterFlush() }
        return handler
      }
    }
    let peer = try Peer(test.address, receiveBufferBytes: 65_536)
    #expect(try peer.receiveToEnd() == bytes)
    _ = await test.stop()
  }

  /// The kernel holds a message for whoever reads nothing, and no more; and it tells of little that is
  /// read: whoever reads slowly must not look as one who reads nothing.
  @Test func `the kernel takes little for whoever reads nothing, and soon sees that they read on`()
    async throws
  {
    let unsent = Arrivals<Int>()
    let refs = Arrivals<ConnectionRef>()
    let size = 12_000_000
    let test = try TestServer({ $0.limits.outputStallMilliseconds = 600_000 }) { _ in
      { _ in
        let handler = Reacting()
        handler.onOpened = { connection in
          connection.write([UInt8](repeating: 1, count: size))
          refs.arrive(connection.ref)
        }
        handler.onDelivered = { unsent.arrive($1.unsentBytes) }
        return handler
      }
    }
    let peer = try Peer(test.address, receiveBufferBytes: 4_096)
    let ref = try await refs.next()
    /// What is unsent when the kernel takes no more.
    func quiet() async throws -> Int {
      var (before, same) = (-1, 0)
      while same < 20 {
        test.server.post([Delivery(to: ref, 0)])
        let now = try await unsent.next()
        same = now == before ? same + 1 : 0
        before = now
        try await Task.sleep(for: .milliseconds(20))
      }
      return before
    }
    let stopped = try await quiet()
    #expect((1..<512 << 10).contains(size - stopped), "\(size - stopped) bytes in the kernel")
    let some = 256 << 10
    #expect(try peer.receive(some).count == some)
    #expect(try await quiet() < stopped, "that some was read is seen")
    #expect(try peer.receive(size - some).count == size - some)
    peer.close()
    _ = await test.stop()
  }

  @Test func `unread output that stands still is closed after its time`() async throws {
    let reasons = Arrivals<CloseReason>()
    let test = try TestServer({ $0.limits.outputStallMilliseconds = 50 }) { _ in
      { _ in
        let handler = Reacting()
        handler.onOpened = { $0.write([UInt8](repeating: 1, count: 4_000_000)) }
        handler.onClosed = { reasons.arrive($0) }
        return handler
      }
    }
    let peer = try Peer(test.address, receiveBufferBytes: 4_096)
    #expect(try await reasons.next() == .slowReader)
    peer.close()
    _ = await test.stop()
  }

  @Test
  func `a paused peer that sends for ever is held off by the kernel, and read on after resuming`()
    async throws
  {
    let seen = Arrivals<Int>()
    let refs = Arrivals<ConnectionRef>()
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        var total = 0
        handler.onOpened = { refs.arrive($0.ref) }
        handler.onReceived = { bytes, connection in
          if total == 0 { connection.pauseReading() }
          total += bytes.count
          seen.arrive(total)
        }
        handler.onDelivered = { _, connection in connection.resumeReading() }
        return handler
      }
    }
    let peer = try Peer(test.address)
    let ref = try await refs.next()
    try peer.send([1])
    #expect(try await seen.next() == 1)
    // Non-blocking: as much as the kernel takes without our reading it.
    let flags = fcntl(peer.descriptor, F_GETFL)
    _ = fcntl(peer.descriptor, F_SETFL, flags | O_NONBLOCK)
    var pushed = 1
    let block = [UInt8](repeating: 1, count: 65_536)
    while true {
      let sent = block.withUnsafeBytes { send(peer.descriptor, $0.baseAddress!, $0.count, 0) }
      if sent <= 0 { break }
      pushed += sent
    }
    test.server.post([Delivery(to: ref, 0)])
    var total = 0
    while total < pushed { total = try await seen.next() }
    #expect(total == pushed)
    _ = await test.stop()
  }

  @Test func `a paused connection hears that its peer has left, and the rest comes after resuming`()
    async throws
  {
    let events = Arrivals<String>()
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        var first = true
        handler.onReceived = { bytes, connection in
          events.arrive("received \(bytes.count)")
          if first { connection.pauseReading() }
          first = false
        }
        handler.onPeerClosedWhilePaused = { connection in
          events.arrive("left")
          connection.resumeReading()
        }
        handler.onPeerClosedWrite = { connection in
          events.arrive("ended")
          connection.closeAfterFlush()
        }
        handler.onClosed = { events.arrive("\($0)") }
        return handler
      }
    }
    let peer = try Peer(test.address)
    try peer.send("a")
    #expect(try await events.next() == "received 1")
    try peer.send("bc")
    peer.close()
    #expect(try await events.next() == "left")
    #expect(try await events.next() == "received 2")
    #expect(try await events.next() == "ended")
    #expect(try await events.next() == "finished")
    _ = await test.stop()
  }

  @Test func `a reset is told as one, while reading, while paused and while writing`() async throws
  {
    let reasons = Arrivals<CloseReason>()
    let refs = Arrivals<ConnectionRef>()
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        handler.onOpened = { refs.arrive($0.ref) }
        handler.onReceived = { bytes, connection in
          if bytes == [2] { connection.pauseReading() }
          if bytes == [3] { connection.write([UInt8](repeating: 0, count: 4_000_000)) }
          connection.write([9])
        }
        handler.onClosed = { reasons.arrive($0) }
        return handler
      }
    }
    for first in [UInt8](1...3) {
      let peer = try Peer(test.address)
      _ = try await refs.next()
      try peer.send([first])
      if first < 3 {
        #expect(try peer.receive(1) == [9])
      } else {
        #expect(try peer.receive(1) == [0])
      }
      peer.reset()
      let reason = try await reasons.next()
      guard case .peerReset(let code) = reason else {
        Issue.record("closed because \(reason)")
        continue
      }
      #expect([ECONNRESET, EPIPE].contains(code))
    }
    _ = await test.stop()
  }

  @Test func `a timer fires once, late if anything, and putting it off holds it back`() async throws
  {
    let fired = Arrivals<(ConnectionTimer, Int64)>()
    let test = try TestServer { loop in
      { _ in
        let handler = Reacting()
        var start: Int64 = 0
        handler.onOpened = { connection in
          start = loop.nowMilliseconds
          connection.setTimer(.body, milliseconds: 10)
          connection.setTimer(.idle, milliseconds: 10_000)
          connection.setTimer(.idle, milliseconds: 60)  // brought forward
          connection.setTimer(.body, milliseconds: 120)  // put off
          connection.setTimer(.head, milliseconds: 20)
          connection.clearTimer(.head)
        }
        handler.onTimedOut = { timer, connection in
          fired.arrive((timer, loop.nowMilliseconds - start))
          if timer == .body { connection.closeAfterFlush() }
        }
        return handler
      }
    }
    let peer = try Peer(test.address)
    let first = try await fired.next()
    #expect(first.0 == .idle && first.1 >= 60)
    let second = try await fired.next()
    #expect(second.0 == .body && second.1 >= 120)
    #expect(try peer.receiveToEnd().isEmpty)
    _ = await test.stop()
  }
}

/// Reads a descriptor on a thread of its own.
struct PeerReader {
  let descriptor: Int32
  init(_ descriptor: Int32) { self.descriptor = descriptor }
  func read(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var got = 0
    while got < count {
      let n = bytes.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress! + got, count - got, 0)
      }
      if n <= 0 { break }
      got += n
    }
    return Array(bytes[..<got])
  }
}
