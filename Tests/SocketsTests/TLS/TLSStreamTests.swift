import Arrivals
import Foundation
import Synchronization
import Testing

@testable import Sockets

/// What flows through TLS: large, small, cut anywhere, half-closed, stalled, or none at all.
@Suite struct TLSStreamTests {
  let folder: CertificateFolder
  init() throws { folder = try CertificateFolder() }

  func server(
    _ adjust: @escaping (inout ListenerOptions) -> Void = { _ in },
    handlers: @escaping LaneHandlers = { _ in { _ in Echo() } }
  ) async throws -> TestServer {
    let identity = try TLSIdentity([try await folder.make("one", names: ["one.example"]).files])
    return try TestServer(
      {
        $0.tls = identity
        adjust(&$0)
      }, handlers: handlers)
  }

  @Test func `megabytes come back whole past a reader that is slower than the socket`() async throws
  {
    let test = try await server { $0.limits.outputMaxBytes = 16 << 20 }
    // One thread: Python's TLS sockets may not be read in one and written in another.
    let said = try await Programs.python(
      """
      import os, select
      for version in (TLS12, TLS13):
          s = connect(context(version))
          s.setblocking(False)
          said, at, heard = os.urandom(3 << 20), 0, b""
          while len(heard) < len(said):
              try:  # reads only when no more can be said
                  while at < len(said): at += s.send(said[at:at + 65536])
              except (ssl.SSLWantWriteError, ssl.SSLWantReadError): pass
              try: heard += s.recv(65536)
              except ssl.SSLWantReadError:
                  select.select([s], [s] if at < len(said) else [], [], 30)
          print(heard == said)
      """, port: test.address.port!)
    #expect(said == "True\nTrue")
    _ = await test.stop()
  }

  @Test func `a large array that is written first arrives, as one behind small ones does`()
    async throws
  {
    let large = [UInt8](repeating: 1, count: OutputQueue.gatherBytesMax + 1)
    let test = try await server(handlers: { _ in
      { _ in
        let handler = Reacting()
        handler.onOpened = { connection in
          connection.write(large)
          connection.write([2])
          connection.write { _ in }  // an empty piece between two large ones
          connection.write(large)
        }
        return handler
      }
    })
    let said = try await Programs.python(
      """
      for version in (TLS12, TLS13):
          got = exactly(connect(context(version)), \(2 * large.count + 1))
          print(len(got), got.count(b"\\x01"))
      """, port: test.address.port!)
    let line = "\(2 * large.count + 1) \(2 * large.count)"
    #expect(said == line + "\n" + line)
    _ = await test.stop()
  }

  @Test func `bytes that arrive one at a time make the same handshake and the same stream`()
    async throws
  {
    let test = try await server()
    let said = try await Programs.python(
      """
      def drip(version):
          into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
          s = context(version).wrap_bio(into, out)
          wire = plain()
          wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
          def step(action):
              while True:
                  try: result = action()
                  except ssl.SSLWantReadError: result = None
                  for byte in out.read(): wire.sendall(bytes([byte]))
                  if result is not None: return result
                  into.write(wire.recv(1))
          step(lambda: s.do_handshake() or True)
          step(lambda: s.write(b"drop by drop"))
          got = b""
          while len(got) < 12: got += step(lambda: s.read(12))
          return got.decode()
      print(drip(TLS12), drip(TLS13))
      """, port: test.address.port!)
    #expect(said == "drop by drop drop by drop")
    _ = await test.stop()
  }

  @Test func `a client that says it has sent all still gets its answer, and a farewell`()
    async throws
  {
    let test = try await server(handlers: { _ in
      { _ in
        let handler = Reacting()
        handler.onPeerClosedWrite = { connection in
          connection.write(Array("answer".utf8))
          connection.closeAfterFlush()
        }
        return handler
      }
    })
    // Python's `unwrap` sends close_notify and waits for ours, so the answer is read by hand.
    let said = try await Programs.python(
      """
      into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
      s = context().wrap_bio(into, out)
      wire = plain()
      while True:
          try: s.do_handshake(); break
          except ssl.SSLWantReadError:
              wire.sendall(out.read()); into.write(wire.recv(65536))
      wire.sendall(out.read())
      s.write(b"question"); wire.sendall(out.read())
      try: s.unwrap()
      except ssl.SSLWantReadError: pass
      wire.sendall(out.read())
      rest = b""
      while True:
          more = wire.recv(65536)
          if not more: break
          rest += more
      into.write(rest)
      got = b""
      while True:
          try:
              more = s.read(100)
              if not more: break
              got += more
          except ssl.SSLZeroReturnError: break
      print(got.decode(), "then close_notify")
      """, port: test.address.port!)
    #expect(said == "answer then close_notify")
    _ = await test.stop()
  }

  @Test func `a key that the client changes, and asks us to change, changes nothing else`()
    async throws
  {
    let test = try await server()
    // `openssl s_client` reads a line K as: change your key and ask the server for the same.
    let said = try await Programs.python(
      """
      import subprocess
      client = subprocess.Popen(
          ["openssl", "s_client", "-tls1_3", "-connect", f"127.0.0.1:{port}"], stdin=subprocess.PIPE,
          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
      def until(word):
          for line in client.stdout:
              if word in line: return print(line.decode().strip())
      for line, word in ((b"before", b"before"), (b"K", b"KEYUPDATE"), (b"after", b"after"), (b"K", b"KEYUPDATE"), (b"end", b"end")):
          client.stdin.write(line + b"\\n")
          until(word)
      client.kill()
      """, port: test.address.port!)
    #expect(said == "before\nKEYUPDATE\nafter\nKEYUPDATE\nend")
    _ = await test.stop()
  }

  @Test func `what is no TLS is closed and counted; a handshake that stalls runs out of time`()
    async throws
  {
    let reasons = Arrivals<CloseReason>()
    let opened = Mutex(0)
    let test = try await server {
      $0.limits.handshakeMilliseconds = 40
    } handlers: { _ in
      { _ in
        let handler = Reacting()
        handler.onOpened = { _ in opened.withLock { $0 += 1 } }
        handler.onClosed = { reasons.arrive($0) }
        return handler
      }
    }
    let plain = try Peer(test.address)
    try plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    _ = try plain.receiveToEnd()
    plain.close()
    #expect(try await reasons.next() == .handshakeFailed)
    let silent = try Peer(test.address)
    #expect(try await reasons.next() == .timedOut(.head))
    let half = try Peer(test.address)
    try half.send([22, 3, 1, 2, 0, 1, 0])  // the beginning of a ClientHello
    #expect(try await reasons.next() == .timedOut(.head))
    let leaving = try Peer(test.address)
    leaving.finishSending()
    #expect(try await reasons.next() == .handshakeFailed)
    #expect(opened.withLock { $0 } == 0)
    withExtendedLifetime((silent, half)) {}
    _ = await test.stop()
  }

  @Test func `a record that was changed on its way ends the connection`() async throws {
    let reasons = Arrivals<CloseReason>()
    let heard = Arrivals<[UInt8]>()
    let test = try await server(handlers: { _ in
      { _ in
        let handler = Reacting()
        handler.onReceived = { bytes, _ in heard.arrive(bytes) }
        handler.onClosed = { reasons.arrive($0) }
        return handler
      }
    })
    let said = try await Programs.python(
      """
      into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
      s = context().wrap_bio(into, out)
      wire = plain()
      while True:
          try: s.do_handshake(); break
          except ssl.SSLWantReadError:
              wire.sendall(out.read()); into.write(wire.recv(65536))
      wire.sendall(out.read())
      s.write(b"right"); wire.sendall(out.read())
      s.write(b"wrong")
      record = bytearray(out.read()); record[-1] ^= 1
      wire.sendall(record)
      while wire.recv(65536): pass
      print("closed")
      """, port: test.address.port!)
    #expect(said == "closed")
    #expect(try await heard.next() == Array("right".utf8))
    #expect(try await reasons.next() == .handshakeFailed)
    #expect(heard.isEmpty)
    _ = await test.stop()
  }

  @Test func `our own client speaks TLS, tells what was agreed on, and resumes`() async throws {
    let events = Arrivals<String>()
    let test = try await server()
    let address = test.address
    test.server.lanes[0].perform { loop in
      guard let client = TLSLoopbackClient() else { return }
      client.resumes = true
      talk(loop, address, client, rounds: 2) { events.arrive($0) }
    }
    #expect(try await events.next() == "v13 false hi")
    #expect(try await events.next() == "v13 true hi")
    _ = await test.stop()
  }
}

@Sendable private func talk(
  _ loop: LaneLoop, _ address: SocketAddress, _ client: TLSLoopbackClient, rounds: Int,
  _ tell: @escaping (String) -> Void
) {
  if rounds == 0 { return }
  let handler = Reacting()
  handler.onOpened = { $0.write(Array("hi".utf8)) }
  handler.onReceived = { bytes, connection in
    let agreed = connection.tlsAgreement
    tell("\(agreed!.version) \(agreed!.wasResumed) \(String(decoding: bytes, as: UTF8.self))")
    connection.closeAfterFlush()
  }
  handler.onClosed = { _ in talk(loop, address, client, rounds: rounds - 1, tell) }
  loop.connect(to: address, timeoutMilliseconds: 10_000, tls: client, handler: handler)
}
