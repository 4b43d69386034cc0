import Foundation
import Synchronization
import Testing

/// Storage goes away and comes back while chats, calls, mails, streams and waiting agents are
/// there.
@Suite(.inTurn) struct OutageTests {
  private func isWell(_ server: TestServer) async throws -> Bool {
    try await server.call("GET", "/health").status == 200
  }

  /// From here on nothing can be written, nor read for a recovery.
  private func begin(_ disk: Disk, _ server: TestServer) async throws {
    disk.fail(unreadable: true)
    let hook = try await server.token("telephony", "hook")
    let refused = try await server.call(
      "POST", "/v1/calls", ["call": "another", "from": "+12025550177"], by: hook)
    #expect(refused.status == 503, "\(refused)")
  }

  private func end(_ disk: Disk, _ server: TestServer) async throws {
    disk.heal()
    try await eventually("service goes on") { try await isWell(server) }
  }

  /// A chat that ann has taken, beside whom a supervisor watches.
  private func talk(_ server: TestServer) async throws -> (
    chat: Chat, offer: Reply, ann: String, sue: String
  ) {
    let ann = try await server.agent("ann")
    let sue = try await server.token("supervisor", "sue")
    let chat = try await server.open(
      try await server.token("bot", "webshop"), email: "mia@home.example")
    try await chat.customer("my lamp hums")
    try await chat.handoff()
    return (chat, try await server.take(ann), ann, sue)
  }

  @Test func `a commit that fails is nobody's success, and whoever asks again is served`()
    async throws
  {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      let admin = try await server.token("admin", "root")
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let chat = try await server.open(bot, email: "mia@home.example")
      try await chat.customer("before")
      let before = try await server.position()
      async let next = server.next(ann, wait: 60)
      try await eventually("ann waits") { try await server.position() > before }
      async let poll = chat.events(wait: 60)
      let waiting = try await server.position()
      disk.hold()
      async let said = chat.customer("in flight", key: "k1")
      try await server.decided(waiting + 1, behind: disk)
      disk.fail(unreadable: true)
      disk.release()
      let refused = try await said
      #expect(
        refused.status == 503 && refused.headers["content-type"] == "application/problem+json",
        "\(refused)")
      #expect(try await next.status == 503, "whoever waits for a case hears so, too")
      #expect(try await chat.customer("meanwhile").status == 503)
      #expect(try await server.call("POST", "/v1/sessions", [:], by: bot).status == 503)
      let health = try await server.call("GET", "/health")
      #expect(
        health.status == 503 && !health["why"].text.contains("disk"),
        "strangers do not hear why: \(health)")
      let told = try await server.call("GET", "/health", by: admin)
      #expect(
        told.status == 503 && told["why"].text.contains("the disk of this test is full"), "\(told)")

      try await end(disk, server)
      #expect(try await server.timeline("mia@home.example").texts == ["before"])
      #expect(try await chat.customer("in flight", key: "k1").status == 201)
      #expect(try await chat.customer("in flight", key: "k1").status == 201)
      try await chat.handoff()
      let taken = try await server.take(ann)
      try await server.reply("I am here", to: taken["case"].text, by: ann)
      #expect(
        try await server.timeline("mia@home.example").texts == ["before", "in flight", "I am here"])
      let heard = try await poll["events"].elements
      #expect(!heard.isEmpty, "the poll has waited through all of it")
      #expect(
        try await chat.events()["events"].elements.compactMap { $0["text"].string } == ["I am here"]
      )
    }
  }

  @Test func `while nothing can be written, what is there can be read`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      let (chat, offer, ann, sue) = try await talk(server)
      while try await server.call("GET", "/v1/search?q=hums", by: sue)["hits"].elements.isEmpty {}
      try await begin(disk, server)
      let paths = [
        "/v1/customers/\(chat.customer)", "/v1/customers/\(chat.customer)/timeline",
        "/v1/conversations/\(offer["conversation"].text)", "/v1/cases/\(offer["case"].text)",
        "/v1/search?q=hums", "/v1/queues",
      ]
      for path in paths {
        for token in [ann, sue] where path != "/v1/search?q=hums" || token == sue {
          let reply = try await server.call("GET", path, by: token)
          #expect(reply.status == 200, "\(path): \(reply)")
        }
      }
      #expect(try await server.timeline(chat.customer).texts == ["my lamp hums"])
      #expect(
        try await server.call("GET", "/v1/sessions/\(chat.session)/brief", by: chat.bot).status
          == 200)
      #expect(try await chat.customer("still refused").status == 503)
      try await end(disk, server)
    }
  }

  @Test func `while a commit hangs, what is on disk can be read, and nothing is lost`() async throws
  {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      let (chat, offer, ann, sue) = try await talk(server)
      let before = try await server.position()
      disk.hold()
      defer { disk.release() }
      async let said = chat.customer("in flight")
      try await server.decided(before + 1, behind: disk)
      let paths = [
        "/v1/customers/\(chat.customer)/timeline", "/v1/cases/\(offer["case"].text)", "/v1/queues",
        "/metrics",
      ]
      // One that waits as it begins to hang, and those that come then.
      async let early = server.call("GET", paths[0], by: ann)
      try await eventually("it is told") { try await !isWell(server) }
      #expect(try await early.status == 200)
      for path in paths {
        let reply = try await server.call("GET", path, by: sue)
        #expect(reply.status == 200, "\(path): \(reply)")
        #expect(!"\(reply)".contains("in flight"))
      }
      // What they tell rests on what may still be lost, and waiting would have no end.
      for path in [
        "/v1/agents", "/v1/agents/ann", "/v1/explain?agent=ann",
        "/v1/explain?case=\(offer["case"].text)",
      ] {
        let reply = try await server.call("GET", path, by: sue)
        #expect(
          reply.status == 503 && reply["type"].text.hasSuffix("storage-unavailable"), "\(reply)")
      }
      #expect(try await server.call("GET", "/v1/agents/me", by: ann).status == 503)
      disk.release()
      try await eventually("service goes on") { try await isWell(server) }
      #expect(try await said.status == 201)
      #expect(try await server.timeline(chat.customer).texts == ["my lamp hums", "in flight"])
    }
  }

  @Test func `whoever stops a server whose disk hangs is not kept waiting for it`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) {
      $0.drainSeconds = 1
    } _: { server in
      let (chat, _, _, _) = try await talk(server)
      let before = try await server.position()
      disk.hold()
      async let said = try? chat.customer("in flight")
      try await server.decided(before + 1, behind: disk)
      let wasLate = Mutex(false)
      await server.stop {
        wasLate.withLock { $0 = true }
        disk.release()
      }
      #expect(wasLate.withLock { $0 }, "the disk was released by nobody else")
      _ = await said
    }
  }

  @Test(arguments: ["smtp", "lmtp"])
  func `a mail is not taken while it cannot be kept, and is recorded once when it comes again`(
    _ over: String
  ) async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      try await begin(disk, server)
      let letter = Letter()
      #expect(try await server.deliver(letter, over: over) == 452)
      try await end(disk, server)
      #expect(try await server.deliver(letter, over: over) == 250)
      #expect(try await server.deliver(letter, over: over) == 250)
      let taken = try await server.take(try await server.agent("ann"))
      #expect(taken["timeline"].texts.count == 1, "\(taken)")
    }
  }

  @Test func `an open stream is a seat again when storage is back`() async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      let bot = try await server.token("bot", "webshop")
      let ann = try await server.agent("ann")
      let desk = try Peer(
        try await Python.interpreter,
        [Package.peers + "/stream.py", String(server.port("http")), ann, "header"])
      try await desk.line("ready") { JSON($0)["type"].text == "ready" }
      let chat = try await server.open(bot)
      try await chat.customer("help")
      try await begin(disk, server)
      #expect(try await chat.handoff().status == 503)
      try await end(disk, server)
      #expect(try await chat.handoff().status == 201)
      let line = try await desk.line("an offer") { JSON($0)["type"].text == "offer" }
      #expect(
        try await server.call("POST", "/v1/offers/\(JSON(line)["offer"].text)/accept", by: ann)
          .status == 200)
      #expect(!desk.lines.contains { $0.contains("closed") })
    }
  }

  // MARK: - Calls

  private func withPhone(_ body: @Sendable (TestServer, Disk) async throws -> Void) async throws {
    let disk = Disk()
    try await TestServer.run(on: disk) {
      $0.fastagiListen = "127.0.0.1:0"
    } _: {
      try await body($0, disk)
    }
  }

  @Test func `a call that waits goes on waiting, and a new one is left to its dialplan`()
    async throws
  {
    try await withPhone { server, disk in
      let reader = try await server.token("agent", "ann")
      let caller = try await server.waitingCaller(reader: reader)
      defer { caller.close() }
      try await begin(disk, server)
      let late = try server.caller("1795.8")
      try await late.toTheEnd()
      #expect(
        late.lines.isEmpty,
        "no music and no ending: the dialplan comes back in a second, and gives up by itself")
      try await end(disk, server)
      let again = try server.caller("1795.8")
      defer { again.close() }
      #expect(try await again.until("SET MUSIC") != nil)
      _ = try await server.agent("ann")
      let leg = try server.leg(try await caller.ring())
      #expect(
        try await leg.until("GOSUB_RESULT \"\"") != nil,
        "on the same connection, and first, as it came first")
    }
  }

  /// Storage that takes nothing but can be read is found well every second, and fails again.
  @Test(arguments: [true, false])
  func `a hang-up during an outage ends the call afterwards`(_ unreadable: Bool) async throws {
    try await withPhone { server, disk in
      let reader = try await server.token("agent", "ann")
      let caller = try await server.waitingCaller(reader: reader)
      if unreadable { try await begin(disk, server) } else { disk.fail() }
      try caller.say("HANGUP")
      try await caller.toTheEnd()
      try await eventually("it was tried") { disk.refused > 0 }
      try await end(disk, server)
      try await eventually("nobody waits") { try await server.count("waiting", by: reader) == 0 }
      #expect(try await server.count("abandoned", by: reader) == 1)
    }
  }

  @Test func `a hang-up that the hangup handler tells during an outage ends the call afterwards`()
    async throws
  {
    try await withPhone { server, disk in
      let reader = try await server.token("agent", "ann")
      let caller = try await server.waitingCaller(reader: reader)
      defer { caller.close() }
      try await begin(disk, server)
      let handler = try AGIPeer(
        port: server.port("fastagi"), script: "hangup", arguments: [server.phoneSecret],
        unique: "1795.7")
      try await handler.toTheEnd()
      try await end(disk, server)
      try await eventually("nobody waits") { try await server.count("waiting", by: reader) == 0 }
    }
  }

  @Test
  func
    `a hang-up told over HTTP during an outage is not acknowledged, and ends the call afterwards`()
    async throws
  {
    let disk = Disk()
    try await TestServer.run(on: disk) { server in
      let hook = try await server.token("telephony", "hook")
      let reader = try await server.token("agent", "ann")
      _ = try await server.call(
        "POST", "/v1/calls", ["call": "c1", "from": "+12025550143", "to": "+18005551212"], by: hook)
      try await begin(disk, server)
      #expect(
        try await server.call("POST", "/v1/calls/c1/events", ["event": "hung_up"], by: hook).status
          == 503)
      try await end(disk, server)
      try await eventually("nobody waits") { try await server.count("waiting", by: reader) == 0 }
      let again = try await server.call(
        "POST", "/v1/calls/c1/events", ["event": "hung_up"], by: hook)
      #expect(again.status == 200 && again["do"].text == "hang_up", "\(again)")
    }
  }

  @Test func `a device picked up during an outage is not bridged, and its caller waits on`()
    async throws
  {
    try await withPhone { server, disk in
      let caller = try server.caller()
      defer { caller.close() }
      let ann = try await server.agent("ann")
      let offer = try await caller.ring()
      try await begin(disk, server)
      let leg = try server.leg(offer)
      try await leg.toTheEnd()
      #expect(leg.lines.contains { $0.contains("CONTINUE") })
      #expect(leg.lines.allSatisfy { !$0.contains("GOSUB_RESULT \"\"") })
      try caller.say("200 result=0")
      async let again = caller.ring(dial: "ANSWER", talked: false)
      try await end(disk, server)
      try await eventually("the ring has failed") {
        try await server.count("offered", by: ann) == 0
      }
      #expect(try await server.count("waiting", by: ann) == 1)
      _ = try await server.agent("cleo")
      #expect(try await again != offer)
    }
  }

  @Test
  func `a device lost after the acceptance, during an outage, gives the caller back their place`()
    async throws
  {
    try await withPhone { server, disk in
      let caller = try server.caller()
      defer { caller.close() }
      let ann = try await server.agent("ann")
      let offer = try await caller.ring()
      let leg = try server.leg(offer)
      #expect(try await leg.until("GOSUB_RESULT \"\"") != nil)
      try await begin(disk, server)
      leg.close()
      try caller.say("200 result=0")
      async let again = caller.ring(dial: "ANSWER", talked: false)
      try await eventually("music") { caller.lines.last?.hasPrefix("SET MUSIC") == true }
      try await end(disk, server)
      try await eventually("ann has it no more") {
        try await server.count("assigned", by: ann) == 0
      }
      #expect(try await again != offer, "it rings again: \(caller.lines)")
    }
  }

  @Test func `a talk that ends during an outage has ended afterwards, and the phone is told then`()
    async throws
  {
    try await withPhone { server, disk in
      let caller = try server.caller()
      defer { caller.close() }
      let ann = try await server.agent("ann")
      let leg = try server.leg(try await caller.ring())
      try await leg.toTheEnd()
      #expect(try await server.count("assigned", by: ann) == 1)
      try await begin(disk, server)
      try caller.say("200 result=0")
      async let ending = caller.until("THROUGHLINE_END", dial: "ANSWER")
      try await eventually("music") { caller.lines.last?.hasPrefix("SET MUSIC") == true }
      try await end(disk, server)
      #expect(try await ending?.contains("served") == true)
    }
  }

  @Test func `a busy device during an outage has failed afterwards, and the next one rings`()
    async throws
  {
    try await withPhone { server, disk in
      let caller = try server.caller()
      defer { caller.close() }
      _ = try await server.agent("ann")
      let first = try await caller.ring()
      _ = try await server.agent("cleo")
      try await begin(disk, server)
      try caller.say("200 result=0")
      async let second = caller.ring(dial: "BUSY")
      try await eventually("music") { caller.lines.last?.hasPrefix("SET MUSIC") == true }
      try await end(disk, server)
      #expect(try await second != first)
    }
  }

  // MARK: - Mail on its way out

  @Test func `a mail delivered during an outage is not sent again`() async throws {
    let (disk, smarthost) = (Disk(), try FakeSmarthost())
    smarthost.refuse("451 4.7.1 later")
    try await TestServer.run(on: disk) {
      $0.smarthostURL = smarthost.url
      $0.outboxRetrySeconds = 1
    } _: { server in
      let ann = try await server.agent("ann")
      #expect(try await server.deliver(Letter()) == 250)
      let aCase = try await server.take(ann)["case"].text
      #expect(try await server.reply("the first", to: aCase, by: ann).status == 201)
      try await eventually("it was refused") { smarthost.refusals > 0 }
      try await begin(disk, server)
      smarthost.refuseNothing()
      try await eventually("it was delivered") { !smarthost.mails.isEmpty }
      try await end(disk, server)
      let look = try StoreLook(server.settings.data)
      try await eventually("its row is gone") { try look.count("SELECT count(*) FROM outbox") == 0 }
      #expect(try await server.reply("the second", to: aCase, by: ann).status == 201)
      try await eventually("the second was delivered") {
        smarthost.mails.contains { $0.text.contains("the second") }
      }
      try await eventually("its row is gone") { try look.count("SELECT count(*) FROM outbox") == 0 }
      #expect(smarthost.mails.count == 2)
      #expect(Set(smarthost.mails.map { $0.header("Message-ID") }).count == 2)
    }
  }
}
