import Testing

@testable import PhoneCodec

/// Whatever a router wishes and whatever Asterisk says, in any order: the accounts close.
struct `A call` {
  static let replies = [
    "200 result=0", "200 result=-1", "200 result=1 (ANSWER)", "200 result=1 (NOANSWER)",
    "200 result=1 (CHANUNAVAIL)",
    "200 result=1 (CANCEL)", "510 Invalid or unknown command",
    "511 Command Not Permitted on a dead channel",
    "520-Usage\nHANGUP\n520 End of proper usage.",
  ]

  @Test func `that waits with a ring rings for what is left when it is sent, or not at all`() throws
  {
    let device = try #require(AGIDevice("PJSIP/a"))
    let done = AGIReply.result("0", value: nil, rest: "")
    // Who is rung for four of fifteen seconds, and does not answer, is not away.
    for (whole, left, rung) in [
      (15, 9, 9), (15, 30, 15), (15, 5, 5), (15, 4, 0), (15, 0, 0), (3, 3, 3), (3, 2, 0),
    ] {
      let ring = AGIRing(
        device: device, offer: try #require(AGIOffer("o1")), timeoutSeconds: whole)
      var call = AGICall(musicClass: .standardMusic)
      _ = call.wish(.wait)
      #expect(call.wish(.ring(ring)) == [])
      let told = call.shortenRing(toSeconds: left)
      #expect(
        told == (rung > 0 ? [] : [.tell(.ringEnded(ring.offer, .notRung))]), "\(whole) \(left)")
      var sent = ring
      sent.timeoutSeconds = rung
      #expect(call.replied(done) == (rung > 0 ? [.command(.dial(sent))] : []), "\(whole) \(left)")
      #expect(call.shortenRing(toSeconds: 0) == [], "what was sent rings on")
    }
  }

  @Test(arguments: 1...400) func `has one end, and so has each of its rings`(seed: Int) {
    var random = Seeded(state: UInt64(seed))
    var connection = AGIConnection(keyring: .forTests)
    var log: [AGIOutput] = connection.received(
      "agi_network_script: wait\nagi_uniqueid: 1.1\nagi_channel: PJSIP/a\nagi_arg_1: 0123456789abcdef0123\n\n"
        .utf8)
    var asked: [AGIOffer] = []
    var answered = 0
    for _ in 0..<60 {
      if random.below(8) == 0 { log += connection.shortenRing(toSeconds: random.below(3)) }
      // Mostly Asterisk answers what was asked; now and then it says what nobody asked for.
      if commands(in: log) > answered ? random.below(2) == 0 : random.below(50) == 0 {
        answered += 1
        log += connection.received((Self.replies[random.below(Self.replies.count)] + "\n").utf8)
      } else {
        log += step(&connection, &random, &asked)
      }
    }
    log += connection.peerClosed()
    check(log, asked, seed)
  }

  private func commands(in log: [AGIOutput]) -> Int {
    log.count { if case .write = $0 { true } else { false } }
  }

  private func step(
    _ connection: inout AGIConnection, _ random: inout Seeded, _ asked: inout [AGIOffer]
  ) -> [AGIOutput] {
    switch random.below(6) {
    case 0 where random.below(6) == 0: return connection.received("HANGUP\n".utf8)
    case 1, 2:
      guard let offer = AGIOffer("offer\(asked.count)"), let device = AGIDevice("PJSIP/agent1")
      else { return [] }
      asked.append(offer)
      return connection.wish(.ring(AGIRing(device: device, offer: offer, timeoutSeconds: 10)))
    case 3: return connection.wish(asked.last.map { .stopRinging($0) } ?? .wait)
    case 4: return connection.wish(random.below(8) == 0 ? .finish(.served) : .probe)
    default:
      return connection.wish(
        random.below(2) == 0 ? .wait : .announce([.number(3), .sound(.standardMusic)]))
    }
  }

  private func check(_ log: [AGIOutput], _ asked: [AGIOffer], _ seed: Int) {
    var ended: [AGIOffer] = []
    var callEnds = 0, closes = 0
    for output in log {
      switch output {
      case .told(.ringEnded(let offer, let outcome)):
        ended.append(offer)
        if callEnds > 0, outcome != .notRung {
          Issue.record("seed \(seed): \(offer) \(outcome) after the end")
        }
      case .told(.callEnded): callEnds += 1
      case .close: closes += 1
      case .write:
        if closes > 0 { Issue.record("seed \(seed): wrote after the close") }
      case .told: break
      }
    }
    #expect(ended.map(\.description).sorted() == asked.map(\.description).sorted(), "seed \(seed)")
    #expect(callEnds == 1 && closes == 1, "seed \(seed)")
  }
}
