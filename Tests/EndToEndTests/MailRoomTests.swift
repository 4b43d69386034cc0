import Testing

@testable import Server

/// What mail that is under way may hold: all of it together, and that of one address.
@Suite(.inTurn) struct MailRoomTests {
  private static let size = 1 << 20

  @Test func `long mail has a bound for all senders and a share for each; short mail has none`()
    async throws
  {
    try await TestServer.run {
      ($0.mailBytesMax, $0.mailHeldBytesMax) = (Self.size, 4 * Self.size)
    } _: { server in
      let (port, room) = (server.port("smtp"), try #require(server.running?.edge.mails))
      @Sendable func begin(_ source: String, size: Int?) async throws -> (MailTalk, Int) {
        try await blocking {
          let talk = try MailTalk(port: port, from: source)
          return (talk, try talk.begin(Letter(), size: size))
        }
      }
      var held: [MailTalk] = []
      for (source, codes) in [
        ("127.0.0.2", [354, 354, 452]), ("127.0.0.3", [354, 452]), ("127.0.0.4", [354]),
        ("127.0.0.5", [452]),
      ] {
        for (number, code) in codes.enumerated() {
          let (talk, said) = try await begin(source, size: Self.size)
          #expect(said == code, "\(source), number \(number)")
          if said == 354 { held.append(talk) }
          // Nothing of its transaction is left over, and its connection lives on.
          if said == 452 { #expect(try await blocking { try talk.deliver(Letter()) } == 250) }
        }
      }
      #expect(held.count == 4)
      #expect(room.counts == .init(taken: 4 * Self.size, full: 1, share: 2))
      let root = try await server.token("admin", "root")
      let metrics = try await server.call("GET", "/metrics", by: root).description
      for line in [
        "throughline_content_held_bytes{of=\"mail\"} \(4 * Self.size)",
        "throughline_content_held_bytes{of=\"requests\"} 0",
        "throughline_content_refused_total{of=\"mail\",taken=\"all\"} 1",
        "throughline_content_refused_total{of=\"mail\",taken=\"share\"} 2",
      ] { #expect(metrics.contains(line + "\n"), "\(line)") }
      // It says nothing of its length, and is told at its end.
      let letter = Letter().long(Self.size / 4)
      let (growing, begun) = try await begin("127.0.0.5", size: nil)
      #expect(begun == 354)
      #expect(try await blocking { try growing.say(letter.source + ".\r\n") } == 452)

      // However a mail ends, its room is free.
      let began = held
      #expect(try await blocking { try began[0].say(Letter().source + ".\r\n") } == 250)
      try await eventually("it is taken") { room.counts.taken == 3 * Self.size }
      began[1].socket.reset()
      try await eventually("its sender left") { room.counts.taken == 2 * Self.size }
      #expect(try await blocking { try began[2].say("a line that ends with LF alone\n") } == 550)
      try await eventually("it is none") { room.counts.taken == Self.size }
      let past = Letter().long(Self.size + 100_000).source
      #expect(try await blocking { try began[3].say(past + ".\r\n") } == 552)
      try await eventually("it was too long") { room.counts.taken == 0 }
      #expect(try await blocking { try growing.deliver(letter) } == 250)
      try await eventually("all is free") { room.counts.taken == 0 }
    }
  }

  @Test(arguments: [true, false])
  func `one mail as large as may be always has its room, whether it says its length or not`(
    _ isDeclared: Bool
  ) async throws {
    try await TestServer.run {
      ($0.mailBytesMax, $0.mailHeldBytesMax) = (300_000, 1)
    } _: { server in
      let port = server.port("smtp")
      var letter = Letter()
      letter.text = ""
      letter.text = String(repeating: "x", count: 40_000 - 2) + "\n"
      letter.text = String(repeating: letter.text, count: 7)
      letter.text += String(repeating: "y", count: 300_000 - letter.source.utf8.count)
      let largest = letter
      #expect(largest.source.utf8.count == 300_000)
      let said = try await blocking {
        let talk = try MailTalk(port: port)
        let begun = try talk.begin(largest, size: isDeclared ? 300_000 : nil)
        return [begun, try talk.say(largest.source + ".\r\n")]
      }
      #expect(said == [354, 250])
    }
  }

  @Test func `a mail that waits for the disk has its room until it is answered`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      let (port, room) = (server.port("smtp"), try #require(server.running?.edge.mails))
      let letter = Letter().long(200_000)
      let before = try await server.position()
      disk.hold()
      async let said = blocking { try MailTalk(port: port).deliver(letter) }
      try await server.decided(before + 1, behind: disk)
      #expect(room.counts.taken >= 200_000)
      disk.release()
      #expect(try await said == 250)
      try await eventually("it is free") { room.counts.taken == 0 }
    }
  }
}

/// By itself, since memory is that of all.
@Suite(.alone) struct MailMemoryTests {
  @Test func `many who send long mail and never end it hold no more than there is for it`()
    async throws
  {
    try await TestServer.run {
      ($0.mailBytesMax, $0.mailHeldBytesMax) = (8 << 20, 16 << 20)
    } _: { server in
      let (port, edge) = (server.port("smtp"), try #require(server.running?.edge))
      @Sendable func taken() -> Int {
        edge.hub.laneStatistics.reduce(0) { $0 + Int($1.bytesIn) }
      }
      let text = Array(Letter().long(6 << 20).source.utf8)
      let (used, before, count) = (Heap.usedBytes, taken(), 20)
      var talks: [MailTalk] = []
      for number in 0..<count {
        talks.append(
          try await blocking {
            let talk = try MailTalk(port: port, from: "127.0.0.\(2 + number % 4)")
            #expect(try talk.begin(Letter()) == 354)
            try talk.socket.send(text)
            return talk
          })
      }
      try await eventually("it is taken in", seconds: 60) {
        taken() >= before + count * text.count
      }
      let held = Heap.usedBytes - used
      #expect(edge.mails.counts.taken <= 16 << 20)
      // What is counted, and as much again where an array grew.
      #expect(held < 48 << 20, "\(held >> 20) MiB")
      for talk in talks { talk.socket.reset() }
      try await eventually("all is free") { edge.mails.counts.taken == 0 }
    }
  }
}
