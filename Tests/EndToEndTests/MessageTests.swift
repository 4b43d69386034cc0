import Foundation
import Testing

/// Callers who are sent to leave a message: by a rule, by a queue that is closed, by one in which
/// they waited too long.
@Suite(.inTurn) struct MessageTests {
  private static let secret = "0123456789abcdef0123"
  private static let (byRule, byHours, byWait, nobody) = (
    "+12025550199", "+12025550198", "+12025550197", "+12025550196"
  )
  private static let (answered, plain) = ("+12025550195", "+12025550194")
  private let recording = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

  /// Who calls says what becomes of the call.
  private func run(_ body: @Sendable (TestServer) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    let files = [
      "workspace.yaml": """
      title: Calls
      default_region: US
      phone_systems:
        pbx: { api: fastagi, networks: [127.0.0.1], secret: \(Self.secret) }
        hook: { api: http, networks: [127.0.0.1] }

      """,
      "hours.yaml": "never: { zone: UTC }\n",
      "queues.yaml": """
      calls: { wrap_up: 1s }
      shut: { hours: never, closed: { leave_message: "We are closed." } }
      busy: { max_wait: { limit: 1s, then: { leave_message: "So sorry." } } }

      """,
      "agents.yaml": "ann: { queues: [calls, shut, busy], devices: [PJSIP/ann] }\n",
      "rules/10-all.yaml": """
      - name: by rule
        when: call.from == "\(Self.byRule)"
        leave_message: { queue: calls, say: "Please speak after the tone." }
      - name: by hours
        when: call.from == "\(Self.byHours)"
        route: { queue: shut }
      - name: by waiting
        when: call.from == "\(Self.byWait)"
        route: { queue: busy }
      - name: answered
        when: call.from == "\(Self.answered)"
        answer: "We are closed today."
      - name: every other call
        route: { queue: calls }

      """,
    ]
    for (name, text) in files { try folder.write("rules/calls/\(name)", text) }
    try await TestServer.run(rules: folder.path + "/rules") {
      $0.fastagiListen = "127.0.0.1:0"
    } _: { server in
      try await body(server)
    }
  }

  private func arrives(_ call: String, from number: String, _ server: TestServer, by hook: String)
    async throws -> Reply
  {
    try await server.call(
      "POST", "/v1/calls", ["call": .text(call), "from": .text(number)], by: hook)
  }

  private func tell(_ call: String, _ event: Body, _ server: TestServer, by hook: String)
    async throws -> Reply
  {
    try await server.call("POST", "/v1/calls/\(call)/events", event, by: hook)
  }

  @Test func `a message that was left over HTTP waits for an agent, who hears it`() async throws {
    try await run { server in
      let hook = try await server.token("telephony", "hook")
      let first = try await arrives("c1", from: Self.byRule, server, by: hook)
      #expect(first["do"].text == "leave_message", "\(first)")
      #expect(first["prompt"].text == "Please speak after the tone.")
      #expect(first["upload_to"].text == "/v1/blobs" && first["then_tell"].text == "voicemail")
      try await server.restart()
      let again = try await tell("c1", ["event": "waiting", "wait_seconds": 20], server, by: hook)
      #expect(
        again["do"].text == "leave_message"
          && again["prompt"].text == "Please speak after the tone.", "\(again)")
      let kept = try await server.call(
        "POST", "/v1/blobs", raw: recording, by: hook, headers: [("Content-Type", "audio/wav")])
      let blob = kept["blob"].text
      let over = try await tell(
        "c1", ["event": "voicemail", "blob": .text(blob), "seconds": 12, "text": "call me"], server,
        by: hook)
      #expect(over["do"].text == "hang_up", "\(over)")

      let ann = try await server.agent("ann")
      let taken = try await server.take(ann)
      #expect(
        taken["channel"].text == "phone" && taken["handoff"]["cause"].text == "message", "\(taken)")
      #expect(taken["timeline"].kinds == ["call", "routed", "voicemail", "session_ended"])
      let asked = taken["timeline"].said[1]
      #expect(
        asked["reason"].text == "leaves_message"
          && asked["prompt"].text == "Please speak after the tone.")
      #expect(asked["channel"].text == "phone")
      let left = taken["timeline"].said[2]
      #expect(
        left["blob"].text == blob && left["text"].text == "call me" && left["seconds"].int == 12)
      let heard = try await server.call("GET", "/v1/blobs/\(blob)", by: ann)
      #expect(heard.body == recording && heard.headers["content-type"] == "audio/wav")
      #expect(try await server.close(taken["case"].text, by: ann).status == 200)
      #expect(try await server.timeline(Self.byRule).kinds.last == "closed")
    }
  }

  @Test func `whoever says nothing has called all the same, and the next call takes nothing away`()
    async throws
  {
    try await run { server in
      let hook = try await server.token("telephony", "hook")
      let boss = try await server.token("supervisor", "boss")
      let first = try await arrives("c1", from: Self.byRule, server, by: hook)
      #expect(try await tell("c1", ["event": "hung_up"], server, by: hook)["do"].text == "hang_up")
      #expect(try await server.count("waiting", by: boss) == 1)
      let second = try await arrives("c2", from: Self.byRule, server, by: hook)
      #expect(second["session"].text != first["session"].text)
      _ = try await tell("c2", ["event": "hung_up"], server, by: hook)
      #expect(try await server.count("waiting", by: boss) == 2, "each has a line of its own")
      #expect(try await server.count("abandoned", by: boss) == 0)
      let ann = try await server.agent("ann")
      for _ in 0..<2 { try await server.close(try await server.take(ann)["case"].text, by: ann) }
      #expect(try await server.count("waiting", by: boss) == 0)
    }
  }

  @Test func `a message that is left while its case is wrapped up already is a case again`()
    async throws
  {
    try await run { server in
      let hook = try await server.token("telephony", "hook")
      _ = try await arrives("c1", from: Self.byRule, server, by: hook)
      let ann = try await server.agent("ann")
      let taken = try await server.take(ann)
      let wrapping = try await server.call(
        "POST", "/v1/cases/\(taken["case"].text)/wrap-up", [:], by: ann)
      #expect(wrapping.status == 200, "\(wrapping)")
      let blob = try await server.call("POST", "/v1/blobs", raw: recording, by: hook)["blob"].text
      #expect(
        try await tell("c1", ["event": "voicemail", "blob": .text(blob)], server, by: hook)["do"]
          .text == "hang_up")
      let again = try await server.take(ann)
      #expect(again["case"].text != taken["case"].text)
      #expect(again["handoff"]["cause"].text == "message", "\(again)")
      #expect(again["timeline"].kinds.contains("voicemail"))
    }
  }

  @Test func `a recording that comes after the call is heard by whoever has the case`() async throws
  {
    try await run { server in
      let hook = try await server.token("telephony", "hook")
      _ = try await arrives("c1", from: Self.byRule, server, by: hook)
      _ = try await tell("c1", ["event": "hung_up"], server, by: hook)
      let ann = try await server.agent("ann")
      let taken = try await server.take(ann)
      let blob = try await server.call("POST", "/v1/blobs", raw: recording, by: hook)["blob"].text
      #expect(
        try await tell("c1", ["event": "voicemail", "blob": .text(blob)], server, by: hook)["do"]
          .text == "hang_up")
      let now = try await server.call("GET", "/v1/cases/\(taken["case"].text)", by: ann)
      #expect(now["timeline"].kinds.contains("voicemail"), "\(now)")
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: ann).body == recording)
    }
  }

  @Test(arguments: ["hook", "pbx"])
  func `a recording that comes when an agent has closed its case is a case again, once`(
    _ system: String
  ) async throws {
    try await run { server in
      let boss = try await server.token("supervisor", "boss")
      let (teller, ann) = (
        try await server.token("telephony", system), try await server.agent("ann")
      )
      var call = "c1"
      if system == "hook" {
        _ = try await arrives(call, from: Self.byRule, server, by: teller)
        _ = try await tell(call, ["event": "hung_up"], server, by: teller)
      } else {
        call = "1795.7"
        for script in ["wait", "hangup"] {
          let caller = try asterisk(script, from: Self.byRule, server, unique: call)
          try await caller.toTheEnd()
          caller.close()
        }
        try await eventually("its end is told") {
          try await server.timeline(Self.byRule).kinds.contains("session_ended")
        }
      }
      let first = try await server.take(ann)
      #expect(try await server.close(first["case"].text, by: ann).status == 200)
      #expect(try await server.count("waiting", by: boss) == 0)

      let blob = try await server.call("POST", "/v1/blobs", raw: recording, by: teller)["blob"].text
      let event: Body = ["event": "voicemail", "blob": .text(blob)]
      for _ in 1...2 {
        let told = try await tell(call, event, server, by: teller)
        #expect(told["do"].text == "hang_up", "\(told)")
        #expect(try await server.count("waiting", by: boss) == 1)
      }
      try await server.restart()
      let again = try await server.take(ann)
      #expect(again["case"].text != first["case"].text)
      #expect(again["conversation"].text == first["conversation"].text)
      #expect(
        again["queue"].text == "calls" && again["channel"].text == "phone"
          && again["handoff"]["cause"].text == "message", "\(again)")
      #expect(
        again["timeline"].kinds == [
          "call", "routed", "session_ended", "accepted", "closed", "voicemail", "reopened",
          "routed", "session_ended",
        ])
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: ann).body == recording)
      #expect(try await tell(call, event, server, by: teller).status == 200)
      #expect(try await server.close(again["case"].text, by: ann).status == 200)
      #expect(try await tell(call, event, server, by: teller).status == 200)
      #expect(try await server.count("waiting", by: boss) == 0, "told again it is the same message")
    }
  }

  /// A transcript may come later; it is told to whoever has the matter, and is no matter of its own.
  @Test func `a recording is known by its blob, whatever else is told of it`() async throws {
    try await run { server in
      let (hook, ann) = (try await server.token("telephony", "hook"), try await server.agent("ann"))
      _ = try await arrives("c1", from: Self.plain, server, by: hook)
      _ = try await tell("c1", ["event": "hung_up"], server, by: hook)
      let blob = try await server.call("POST", "/v1/blobs", raw: recording, by: hook)["blob"].text
      let told: [[(String, Body)]] = [
        [("seconds", 3), ("id", "v1")], [("seconds", 3), ("id", "v2")], [("seconds", 3)], [],
        [("text", "call me"), ("id", "v1")], [("text", "call me")],
        [("text", "call me"), ("seconds", 4)],
      ]
      var conversation = ""
      for (number, more) in told.enumerated() {
        let event = more + [("event", "voicemail"), ("blob", .text(blob))]
        #expect(try await tell("c1", .object(event), server, by: hook).status == 200, "\(more)")
        guard number == 0 else {
          #expect(try await server.next(ann, wait: 0).status == 204, "\(more)")
          continue
        }
        let taken = try await server.take(ann)
        conversation = taken["conversation"].text
        try await server.close(taken["case"].text, by: ann)
      }
      let said = try await server.timeline(Self.plain).said.filter {
        $0["kind"].text == "voicemail"
      }
      #expect(said.map { $0["text"].text } == ["<absent>", "call me"])
      #expect(said.allSatisfy { $0["conversation"].text == conversation })
      let other = try await server.call("POST", "/v1/blobs", raw: recording, by: hook)["blob"].text
      for (id, status) in [("v1", 409), ("", 422), (" ", 422)] {
        let event: Body = ["event": "voicemail", "blob": .text(other), "id": .text(id)]
        #expect(try await tell("c1", event, server, by: hook).status == status)
      }
    }
  }

  @Test func `whom a rule answered is heard all the same, when they have left a message`()
    async throws
  {
    try await run { server in
      let (hook, ann) = (try await server.token("telephony", "hook"), try await server.agent("ann"))
      _ = try await arrives("c1", from: Self.answered, server, by: hook)
      #expect(try await server.next(ann, wait: 0).status == 204)
      let blob = try await server.call("POST", "/v1/blobs", raw: recording, by: hook)["blob"].text
      for _ in 1...2 {
        let event: Body = ["event": "voicemail", "blob": .text(blob)]
        #expect(try await tell("c1", event, server, by: hook)["do"].text == "hang_up")
      }
      let taken = try await server.take(ann)
      #expect(taken["queue"].text == "calls" && taken["handoff"]["cause"].text == "message")
      #expect(taken["timeline"].kinds.contains("voicemail"))
      try await server.close(taken["case"].text, by: ann)
      #expect(try await server.next(ann, wait: 0).status == 204)
    }
  }

  @Test func `a recording of somebody who was erased is of no call that is known`() async throws {
    try await run { server in
      let (hook, ann) = (try await server.token("telephony", "hook"), try await server.agent("ann"))
      _ = try await arrives("c1", from: Self.byRule, server, by: hook)
      _ = try await tell("c1", ["event": "hung_up"], server, by: hook)
      let taken = try await server.take(ann)
      try await server.close(taken["case"].text, by: ann)
      let customer = taken["customer"]["id"].text
      let before = try await server.timeline(customer)
      let blob = try await server.call("POST", "/v1/blobs", raw: recording, by: hook)["blob"].text
      #expect(
        try await server.administer("POST", "/admin/erase", ["identity": .text(customer)]).status
          == 200)
      for event in ["voicemail", "hung_up"] {
        let event: Body = ["event": .text(event), "blob": .text(blob)]
        #expect(try await tell("c1", event, server, by: hook).status == 404)
      }
      #expect(try await server.next(ann, wait: 0).status == 204)
      #expect(try await server.timeline(customer)["count"].int == before["count"].int)
    }
  }

  @Test func `a closed queue takes messages, and one that keeps callers waiting too`() async throws
  {
    try await run { server in
      let hook = try await server.token("telephony", "hook")
      let closed = try await arrives("c1", from: Self.byHours, server, by: hook)
      #expect(
        closed["do"].text == "leave_message" && closed["prompt"].text == "We are closed.",
        "\(closed)")
      let waits = try await arrives("c2", from: Self.byWait, server, by: hook)
      #expect(waits["do"].text == "wait", "\(waits)")
      let sorry = try await tell("c2", ["event": "waiting", "wait_seconds": 60], server, by: hook)
      #expect(
        sorry["do"].text == "leave_message" && sorry["prompt"].text == "So sorry.", "\(sorry)")
      _ = try await tell("c2", ["event": "hung_up"], server, by: hook)
      let told = try await server.timeline(Self.byWait).said.filter { $0["kind"].text == "routed" }
      #expect(told.map { $0["reason"].text } == ["<absent>", "leaves_message"])
      #expect(told.map { $0["prompt"].text } == ["<absent>", "So sorry."])
      let ann = try await server.agent("ann")
      let taken = try await server.take(ann)
      #expect(
        taken["queue"].text == "busy",
        "the other queue is closed: its message waits for the morning")
      let handoff = taken["handoff"]
      #expect(handoff["cause"].text == "message")
      #expect(handoff["reason"].text == "leaves_message" && handoff["prompt"].text == "So sorry.")
    }
  }

  private func asterisk(
    _ script: String, from number: String, _ server: TestServer, unique: String = "1795.7"
  ) throws -> AGIPeer {
    try AGIPeer(
      port: server.port("fastagi"), script: script, arguments: [Self.secret], unique: unique,
      number: String(number.dropFirst(2)))
  }

  @Test func `an Asterisk takes the message, and no device rings for it`() async throws {
    try await run { server in
      let boss = try await server.token("supervisor", "boss")
      let ann = try await server.agent("ann")
      for coming in ["first", "back again"] {
        let caller = try asterisk("wait", from: Self.byRule, server)
        try await caller.toTheEnd()
        #expect(
          caller.lines.last == "SET VARIABLE THROUGHLINE_END message", "\(coming): \(caller.lines)")
        #expect(!caller.lines.contains { $0.contains("Dial") })
        caller.close()
      }
      #expect(try await server.count("waiting", by: boss) == 1, "the same call")
      let gone = try asterisk("hangup", from: Self.byRule, server)
      try await gone.toTheEnd()
      try await eventually("its end is told") {
        try await server.timeline(Self.byRule).kinds.contains("session_ended")
      }
      #expect(try await server.count("waiting", by: boss) == 1)
      // What docs/phone/asterisk/throughline-message does with the recording.
      let pbx = try await server.token("telephony", "pbx")
      let blob = try await server.call("POST", "/v1/blobs", raw: recording, by: pbx)["blob"].text
      let event: Body = ["event": "voicemail", "blob": .text(blob), "id": "message"]
      #expect(
        try await tell("1795.7", event, server, by: try await server.token("telephony", "hook"))
          .status == 404)
      for _ in 0..<2 { #expect(try await tell("1795.7", event, server, by: pbx).status == 200) }
      let taken = try await server.take(ann)
      #expect(taken["timeline"].kinds == ["call", "routed", "session_ended", "voicemail"])
      #expect(taken["timeline"].said[1]["reason"].text == "leaves_message")
      #expect(try await server.call("GET", "/v1/blobs/\(blob)", by: ann).body == recording)
    }
  }

  /// Runs docs/phone/asterisk/throughline-message, which ships with the dialplan.
  private func bring(_ file: String, of call: String, _ server: TestServer, by token: String)
    async throws -> Int32?
  {
    let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("docs/phone/asterisk/throughline-message")
    return try await Peer.run(
      "/bin/sh", [program.path, file, call],
      environment: [
        "THROUGHLINE_URL": "http://127.0.0.1:\(server.port("http"))", "THROUGHLINE_TOKEN": token,
      ]
    ).status
  }

  @Test func `a recording that was brought when the answer was lost is brought again, once`()
    async throws
  {
    try await run { server in
      let caller = try asterisk("wait", from: Self.byRule, server)
      try await caller.toTheEnd()
      caller.close()
      let folder = try TemporaryFolder()
      let file = folder.path + "/message.wav"
      func write(_ text: String) throws { try folder.write("message.wav", text) }
      func token() async throws -> String {
        try folder.write("token", try await server.token("telephony", "pbx"))
        return folder.path + "/token"
      }
      var pbx = try await token()
      func messages() async throws -> Int {
        try await server.timeline(Self.byRule).kinds.filter { $0 == "voicemail" }.count
      }
      try write("RIFF call me")
      #expect(try await bring(file, of: "elsewhere", server, by: pbx) != 0)
      #expect(FileManager.default.fileExists(atPath: file), "what nobody has stays")
      for again in ["", "again", "again, when its keys are forgotten"] {
        // A key is one of its token.
        if again.contains("forgotten") { pbx = try await token() }
        try write("RIFF call me")
        #expect(try await bring(file, of: "1795.7", server, by: pbx) == 0, "\(again)")
        #expect(!FileManager.default.fileExists(atPath: file), "\(again)")
        #expect(try await messages() == 1, "\(again)")
      }
      try write("RIFF it is urgent")
      #expect(try await bring(file, of: "1795.7", server, by: pbx) == 0)
      #expect(try await messages() == 2, "another recording of the call is another message")
    }
  }

  @Test func `an Asterisk whose caller waited too long takes the message from the music`()
    async throws
  {
    try await run { server in
      let caller = try asterisk("wait", from: Self.byWait, server)
      try await caller.toTheEnd()
      #expect(caller.lines.first?.contains("SET MUSIC ON") == true)
      #expect(caller.lines.last == "SET VARIABLE THROUGHLINE_END message", "\(caller.lines)")
      caller.close()
    }
  }
}
