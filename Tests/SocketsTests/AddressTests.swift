import Testing

@testable import Sockets

@Suite struct AddressTests {
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1"), ("::ffff:10.1.2.3", "10.1.2.3"), ("2001:DB8:0::1", "2001:db8::1"),
    ("::", "::"),
  ])
  func `an address is read and written in its usual form`(_ text: String, _ expected: String) {
    #expect(IPAddress(text)?.description == expected)
  }

  @Test(arguments: ["", "1.2.3", "1.2.3.256", "localhost", "::g", "1.2.3.4 "])
  func `what is no address is none`(_ text: String) { #expect(IPAddress(text) == nil) }

  // From the IANA special-purpose registries, and their neighbours.
  @Test(arguments: [
    ("0.0.0.0", true), ("0.255.255.255", true), ("1.0.0.0", false), ("9.255.255.255", false),
    ("10.0.0.0", true), ("10.255.255.255", true), ("11.0.0.0", false), ("100.63.255.255", false),
    ("100.64.0.0", true), ("100.127.255.255", true), ("100.128.0.0", false),
    ("126.255.255.255", false),
    ("127.0.0.1", true), ("128.0.0.0", false), ("169.253.255.255", false),
    ("169.254.169.254", true),
    ("169.255.0.0", false), ("172.15.255.255", false), ("172.16.0.0", true),
    ("172.31.255.255", true),
    ("172.32.0.0", false), ("192.0.0.1", true), ("192.0.2.1", true), ("192.0.3.0", false),
    ("192.88.99.1", true), ("192.167.255.255", false), ("192.168.0.1", true),
    ("192.169.0.0", false),
    ("198.17.255.255", false), ("198.18.0.0", true), ("198.19.255.255", true),
    ("198.20.0.0", false),
    ("198.51.100.7", true), ("203.0.113.7", true), ("203.0.114.0", false),
    ("223.255.255.255", false),
    ("224.0.0.1", true), ("255.255.255.255", true), ("8.8.8.8", false),
    ("::", true), ("::1", true), ("::ffff:10.0.0.1", true), ("::ffff:8.8.8.8", false),
    ("fc00::1", true),
    ("fe80::1", true), ("ff02::1", true), ("64:ff9b::a00:1", true), ("64:ff9b::808:808", false),
    ("64:ff9b:1::808:808", true), ("2001::1", true), ("2001:1ff:ffff::", true),
    ("2001:200::1", false),
    ("2001:db8::1", true), ("2001:db9::1", false), ("2002:a00:1::", true),
    ("2002:808:808::", false),
    ("2606:4700::1111", false), ("3fff:fff::1", true), ("3fff:1000::1", false),
  ])
  func `what is not the public internet is known`(_ text: String, _ special: Bool) throws {
    #expect(try #require(IPAddress(text)).isSpecialPurpose == special)
  }

  @Test func `IPv6 neighbours in one /64 count as one`() throws {
    let (a, b) = try (
      #require(IPAddress("2001:db8:1:2::1")), #require(IPAddress("2001:db8:1:2:ffff::9"))
    )
    #expect(a.limitKey == b.limitKey)
    #expect(
      try #require(IPAddress("10.0.0.1")).limitKey != #require(IPAddress("10.0.0.2")).limitKey)
  }
}

@Suite struct TimingWheelTests {
  @Test func `every tag is asked once, at its tick, never early, in a wheel walked in any steps`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      let start = Int64.random(in: 0...1_000_000, using: &random)
      var wheel = TimingWheel(nowMilliseconds: start)
      var expected: [UInt64: (deadline: Int64, tick: Int64)] = [:]
      for tag in UInt64(0)..<500 {
        let deadline = start + Int64.random(in: 0...20_000, using: &random)
        expected[tag] = (deadline, wheel.insert(tag, deadline: deadline))
      }
      var now = start
      while !expected.isEmpty, now < start + 60_000 {
        now += Int64.random(in: 1...300, using: &random)
        while let due = wheel.takeDue(nowMilliseconds: now) {
          for tag in due.tags {
            guard let (deadline, tick) = expected.removeValue(forKey: tag) else {
              Issue.record("asked twice")
              continue
            }
            #expect(due.tick == tick && tick * TimingWheel.tickMilliseconds <= now)
            if deadline > now {  // beyond the ring: goes back in
              expected[tag] = (deadline, wheel.insert(tag, deadline: deadline))
            }
          }
        }
        if let next = wheel.nextDueMilliseconds {
          #expect(next > now)
        } else {
          #expect(expected.isEmpty)
        }
        for (_, left) in expected { #expect(left.deadline > now - TimingWheel.tickMilliseconds) }
      }
      #expect(expected.isEmpty)
    }
  }
}

@Suite struct OutputQueueTests {
  @Test func `whatever sizes go in and however much the kernel takes, the same bytes come out`()
    throws
  {
    var random = SystemRandomNumberGenerator()
    let queue = OutputQueue()
    for _ in 0..<100 {
      var expected: [UInt8] = []
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        let size = [1, 50, 4_096, 4_097, 9_000].randomElement(using: &random) ?? 1
        let bytes = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: size)
        queue.append(bytes)
        expected += bytes
      }
      #expect(queue.count == expected.count)
      let pair = try SocketPair()
      var got: [UInt8] = []
      while queue.count > 0 {
        let sent = queue.send(to: pair.ends.0)
        if sent > 0 { queue.consume(sent) }
        got += pair.read(Int.random(in: 1...20_000, using: &random))
      }
      while got.count < expected.count { got += pair.read(65_536) }
      #expect(got == expected)
    }
  }
}
