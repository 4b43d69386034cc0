import Arrivals
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Sockets

@Suite struct ServerTests {
  @Test func `there are as many lanes as cores, and as many as one asks for`() async throws {
    let cores = try SocketServer()
    #expect(cores.lanes.count == sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    var options = SocketServer.Options()
    options.lanes = 3
    let three = try SocketServer(options)
    #expect(three.lanes.count == 3)
    for server in [cores, three] { _ = await server.shutdown(withinMilliseconds: 1_000) }
  }

  @Test func `many connections over all lanes are each answered`() async throws {
    let test = try TestServer { _ in { _ in Echo() } }
    let peers = try (0..<300).map { _ in try Peer(test.address) }
    for (n, peer) in peers.enumerated() { try peer.send("number \(n)") }
    for (n, peer) in peers.enumerated() {
      let expected = "number \(n)"
      #expect(try peer.receiveText(expected.utf8.count) == expected)
    }
    for peer in peers { peer.close() }
    let cutOff = await test.stop(20_000)
    #expect(cutOff == 0)
    let lanes = test.server.statistics
    #expect(lanes.reduce(0) { $0 + $1.accepted } == 300)
    #expect(lanes.reduce(0) { $0 + $1.open } == 0)
    for lane in lanes {
      let ends = Dictionary(uniqueKeysWithValues: lane.closed.map { ($0.reason, $0.count) })
      #expect(ends["finished"] == 150)
    }
  }

  @Test func `posts from many threads arrive whole and each poster's in order`() async throws {
    struct Numbered: Sendable { var poster, number: Int }
    let refs = Arrivals<ConnectionRef>()
    let heard = Mutex<[ConnectionRef: [Numbered]]>([:])
    let all = Arrivals<Bool>()
    let counted = Mutex(0)
    let (posters, rounds) = (4, 500)
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        handler.onOpened = { refs.arrive($0.ref) }
        handler.onDelivered = { payload, connection in
          guard let payload = payload as? Numbered else { return }
          heard.withLock { $0[connection.ref, default: []].append(payload) }
          let count = counted.withLock { count in
            count += 1
            return count
          }
          if count == posters * rounds * 4 { all.arrive(true) }
        }
        return handler
      }
    }
    let peers = try (0..<4).map { _ in try Peer(test.address) }
    var known: [ConnectionRef] = []
    for _ in peers { known.append(try await refs.next()) }
    let (server, targets) = (test.server, known)
    #expect(Set(targets.map(\.lane)) == [0, 1])
    await withTaskGroup { group in
      for poster in 0..<posters {
        group.addTask {
          for number in 0..<rounds {
            server.post(targets.map { Delivery(to: $0, Numbered(poster: poster, number: number)) })
          }
        }
      }
    }
    _ = try await all.next()
    for (_, payloads) in heard.withLock({ $0 }) {
      for poster in 0..<posters {
        #expect(payloads.filter { $0.poster == poster }.map(\.number) == Array(0..<rounds))
      }
    }
    _ = await test.stop()
  }

  @Test func `what is posted to a connection that is gone is reported, and never reaches another`()
    async throws
  {
    let refs = Arrivals<ConnectionRef>()
    let closed = Arrivals<CloseReason>()
    let wrong = Mutex(0)
    let test = try TestServer(lanes: 1) { _ in
      { _ in
        let handler = Reacting()
        handler.onOpened = { refs.arrive($0.ref) }
        handler.onDelivered = { _, _ in wrong.withLock { $0 += 1 } }
        handler.onClosed = { closed.arrive($0) }
        return handler
      }
    }
    let first = try Peer(test.address)
    let gone = try await refs.next()
    first.close()
    _ = try await closed.next()
    let second = try Peer(test.address)
    let living = try await refs.next()
    #expect(living.slot == gone.slot && living != gone)
    let missed = Arrivals<Int>()
    test.server.post([Delivery(to: gone, 1)]) { missed.arrive($0.count) }
    #expect(try await missed.next() == 1)
    #expect(wrong.withLock { $0 } == 0)
    second.close()
    _ = await test.stop()
    test.server.post([Delivery(to: living, 1)]) { missed.arrive($0.count) }
    #expect(try await missed.next() == 1)
    #expect(!test.server.lanes[0].perform { _ in })
  }

  @Test func `one address may hold so many connections, while another is served`() async throws {
    let test = try TestServer({ $0.connectionsPerAddressMax = 3 }) { _ in { _ in Echo() } }
    var peers = try (0..<3).map { _ in try Peer(test.address) }
    for peer in peers {
      try peer.send("x")
      #expect(try peer.receiveText(1) == "x")
    }
    let refused = try Peer(test.address)
    #expect(throws: Peer.Failed.self) { try refused.receive(1) }
    let elsewhere = try Peer(test.address, from: SocketAddress(host: "127.0.0.2", port: 0))
    try elsewhere.send("y")
    #expect(try elsewhere.receiveText(1) == "y")
    peers[0].finishSending()
    #expect(try peers[0].receive(1).isEmpty)  // its end is ours, so its place is free
    peers.removeFirst()
    try await untilServed(test.address)
    _ = await test.stop()
    #expect(test.server.statistics.reduce(0) { $0 + $1.refusedPerAddress } >= 1)
  }

  @Test func `a flood from one address does not keep another from being served`() async throws {
    let test = try TestServer({ $0.connectionsPerAddressMax = 20 }) { _ in { _ in Echo() } }
    let address = test.address
    let over = Arrivals<Int>()
    DispatchQueue(label: "flood").async {
      var held: [Peer] = []
      for _ in 0..<2_000 {
        // Refused or not is all the same to a flood.
        if let peer = try? Peer(address) { held.append(peer) }
        if held.count > 100 { held.removeFirst(50) }
      }
      over.arrive(held.count)
    }
    for n in 0..<50 {
      let peer = try Peer(address, from: SocketAddress(host: "127.0.0.2", port: 0))
      try peer.send("\(n)")
      #expect(try peer.receiveText("\(n)".utf8.count) == "\(n)")
    }
    _ = try await over.next()
    _ = await test.stop(20_000)
    #expect(test.listener.admission.open == 0)
    #expect(test.server.statistics.reduce(0) { $0 + $1.refusedPerAddress } > 0)
  }

  /// A new connection of this address is served, after at most so many that are still refused.
  private func untilServed(_ address: SocketAddress) async throws {
    for _ in 0..<1_000 {
      let peer = try Peer(address)
      do {
        try peer.send("z")
        if try peer.receiveText(1) == "z" { return }
      } catch is Peer.Failed { await Task.yield() }
    }
    Issue.record("the freed place was never given to anyone")
  }

  @Test
  func
    `a full server leaves newcomers waiting, serves administration, and goes on when one leaves`()
    async throws
  {
    let test = try TestServer(connectionsMax: 2) { _ in { _ in Echo() } }
    var administration = ListenerOptions(.path("/tmp/throughline-admin-\(getpid())"))
    administration.isAdministration = true
    let back = try test.server.listen(administration) { _ in { _ in Echo() } }
    let served = try (0..<2).map { _ in try Peer(test.address) }
    for peer in served {
      try peer.send("x")
      #expect(try peer.receiveText(1) == "x")
    }
    let waiting = try Peer(test.address)  // the kernel's backlog takes it
    try waiting.send("w")
    let inside = try Peer(back.address)
    try inside.send("a")
    #expect(try inside.receiveText(1) == "a")
    var byte: UInt8 = 0
    #expect(recv(waiting.descriptor, &byte, 1, Int32(MSG_DONTWAIT)) == -1)
    served[0].close()
    #expect(try waiting.receiveText(1) == "w")
    _ = await test.stop()
    #expect(test.server.statistics.reduce(0) { $0 + $1.acceptPauses } >= 1)
  }

  @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
  func `when descriptors run out accepting rests and then goes on`(_ code: Int32) async throws {
    let box = Failing(failures: 3, code: code)
    let test = try TestServer({ $0.accept = { box.accept($0, $1, &$2) } }) { _ in { _ in Echo() } }
    let peer = try Peer(test.address)
    try peer.send("x")
    #expect(try peer.receiveText(1) == "x")
    _ = await test.stop()
    #expect(test.server.statistics.reduce(0) { $0 + $1.acceptPauses } == 3)
  }

  @Test func `a peer that left before it was accepted does not stop the others`() async throws {
    let box = Failing(failures: 5, code: ECONNABORTED)
    let test = try TestServer({ $0.accept = { box.accept($0, $1, &$2) } }) { _ in { _ in Echo() } }
    let peer = try Peer(test.address)
    try peer.send("x")
    #expect(try peer.receiveText(1) == "x")
    _ = await test.stop()
    #expect(test.server.statistics.reduce(0) { $0 + $1.acceptPauses } == 0)
  }

  @Test func `shutting down lets work in flight finish, refuses newcomers, and tells everyone`()
    async throws
  {
    let ready = Arrivals<ConnectionRef>()
    let told = Arrivals<Bool>()
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        handler.onReceived = { _, connection in ready.arrive(connection.ref) }
        handler.onDraining = { _ in told.arrive(true) }
        handler.onDelivered = { _, connection in
          connection.write(Array("done".utf8))
          connection.closeAfterFlush()
        }
        return handler
      }
    }
    let peer = try Peer(test.address)
    try peer.send("work")
    let ref = try await ready.next()
    async let cutOff = test.stop(20_000)
    _ = try await told.next()
    #expect(throws: Peer.Refused.self) { try Peer(test.address) }
    test.server.post([Delivery(to: ref, 0)])
    #expect(try peer.receiveToEnd() == Array("done".utf8))
    peer.close()
    #expect(await cutOff == 0)
  }

  @Test func `who has not finished within the bound is cut off and counted`() async throws {
    let reasons = Arrivals<CloseReason>()
    let test = try TestServer { _ in
      { _ in
        let handler = Reacting()
        handler.onDraining = { _ in }
        handler.onReceived = { $1.write($0) }
        handler.onClosed = { reasons.arrive($0) }
        return handler
      }
    }
    let peer = try Peer(test.address)
    try peer.send("x")
    _ = try peer.receive(1)
    #expect(await test.stop(30) == 1)
    #expect(try await reasons.next() == .shutdown)
  }

  @Test func `a task that hops to a lane while it stops still comes back`() async throws {
    actor Guest {
      nonisolated let lane: Lane
      nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
      init(_ lane: Lane) { self.lane = lane }
      func touch() -> Int { 1 }
    }
    for _ in 0..<20 {
      let test = try TestServer(lanes: 1) { _ in { _ in Echo() } }
      let guest = Guest(test.server.lanes[0])
      let sum = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<50 { group.addTask { await guest.touch() } }
        group.addTask { await test.stop() }
        return await group.reduce(0, +)
      }
      #expect(sum == 50)
    }
  }

  @Test func `statistics of a lane that never rests are still published`() async throws {
    let test = try TestServer(lanes: 1) { _ in { _ in Echo() } }
    let peer = try Peer(test.address)
    // The lane keeps itself busy: each turn asks for the next.
    test.server.lanes[0].perform { loop in
      keepBusy(loop, untilMilliseconds: loop.nowMilliseconds + 5_000)
    }
    var rounds = 0
    while test.server.statistics[0].bytesIn == 0, rounds < 100_000 {
      try peer.send("x")
      _ = try peer.receive(1)
      rounds += 1
    }
    #expect(test.server.statistics[0].bytesIn > 0)
    _ = await test.stop()
  }

  @Test func `accepted connections send at once what they write`() async throws {
    let values = Arrivals<Int32>()
    let test = try TestServer { _ in
      { connection in
        var value: Int32 = 0
        var length = socklen_t(4)
        getsockopt(connection.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length)
        values.arrive(value)
        return Echo()
      }
    }
    let peer = try Peer(test.address)
    #expect(try await values.next() == 1)
    peer.close()
    _ = await test.stop()
  }

  @Test func `an outgoing connection talks, and says why when it cannot`() async throws {
    let events = Arrivals<String>()
    let test = try TestServer { _ in { _ in Echo() } }
    let address = test.address
    let unused = try TestServer { _ in { _ in Echo() } }
    _ = await unused.stop()
    let nowhere = unused.address
    test.server.lanes[1].perform { loop in
      let handler = Reacting()
      handler.onOpened = { $0.write(Array("hi".utf8)) }
      handler.onReceived = { bytes, connection in
        events.arrive(String(decoding: bytes, as: UTF8.self))
        connection.closeAfterFlush()
      }
      handler.onClosed = { events.arrive("\($0)") }
      loop.connect(to: address, timeoutMilliseconds: 10_000, handler: handler)
    }
    #expect(try await events.next() == "hi")
    #expect(try await events.next() == "finished")
    test.server.lanes[0].perform { loop in
      let handler = Reacting()
      handler.onClosed = { events.arrive("\($0)") }
      loop.connect(to: nowhere, timeoutMilliseconds: 10_000, handler: handler)
    }
    #expect(try await events.next() == "connectFailed(\(ECONNREFUSED))")
    test.server.lanes[0].perform { loop in
      let handler = Reacting()
      handler.onClosed = { events.arrive("\($0)") }
      loop.connect(to: .path("/nowhere"), timeoutMilliseconds: 10_000, handler: handler)
    }
    #expect(try await events.next() == "connectFailed(\(ENOENT))")
    _ = await test.stop()
  }

  @Test func `an actor can live on a lane, and shares its thread with the lane's work`()
    async throws
  {
    actor Guest {
      nonisolated let lane: Lane
      nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
      private var sum = 0
      init(_ lane: Lane) { self.lane = lane }
      func add(_ n: Int) -> Int {
        lane.checkIsolated()
        sum += n
        return sum
      }
    }
    let test = try TestServer { _ in { _ in Echo() } }
    let guest = Guest(test.server.lanes[0])
    for n in 1...100 { #expect(await guest.add(1) == n) }
    _ = await test.stop()
    #expect(await guest.add(1) == 101)
  }

  @Test func `each lane makes its own state once, for all connections of a listener`() async throws
  {
    final class Count { var value = 0 }
    let made = Mutex(0)
    let test = try TestServer { _ in
      made.withLock { $0 += 1 }
      let count = Count()
      return { _ in
        count.value += 1
        let handler = Reacting()
        let number = count.value
        handler.onReceived = { $1.write(Array("\(number) \($0.count)".utf8)) }
        return handler
      }
    }
    var answers: Set<String> = []
    var peers: [Peer] = []
    for _ in 0..<4 {
      let peer = try Peer(test.address)
      try peer.send("x")
      answers.insert(try peer.receiveText(3))
      peers.append(peer)
    }
    #expect(answers == ["1 1", "2 1"])
    #expect(made.withLock { $0 } == 2)
    _ = await test.stop()
  }
}

@Sendable private func keepBusy(_ loop: LaneLoop, untilMilliseconds end: Int64) {
  if loop.nowMilliseconds < end { loop.lane.perform { keepBusy($0, untilMilliseconds: end) } }
}

/// A kernel that refuses so many times.
final class Failing: Sendable {
  private let left: Mutex<Int>
  private let code: Int32
  init(failures: Int, code: Int32) {
    left = Mutex(failures)
    self.code = code
  }
  func accept(_ descriptor: Int32, _ base: UnsafeMutableRawPointer, _ length: inout UInt32) -> Int32
  {
    let fails = left.withLock { left in
      left -= 1
      return left >= 0
    }
    return fails ? -code : ListenerOptions(.loopback(0)).accept(descriptor, base, &length)
  }
}
