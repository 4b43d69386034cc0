import Foundation
import Testing

/// What customers are told of their wait.
@Suite(.inTurn) struct WaitTests {
  private func rules() throws -> TemporaryFolder {
    let rules = try SmallRules.folder(
      "phone_systems: { hook: { api: http, networks: [127.0.0.1] } }")
    try rules.write("rules/small/queues.yaml", "support:\ndark: { hours: never }\nquiet:\n")
    try rules.write("rules/small/agents.yaml", "a1: { queues: [support, dark], capacity: 50 }\n")
    try rules.write("rules/small/hours.yaml", "never: { zone: UTC }\n")
    return rules
  }

  private func queues(_ server: TestServer, _ reader: String) async throws -> [String: JSON] {
    let found = try await server.call("GET", "/v1/queues", by: reader)["queues"].elements
    return Dictionary(uniqueKeysWithValues: found.map { ($0["name"].text, $0["estimated_wait"]) })
  }

  private func gauge(_ server: TestServer, _ boss: String) async throws -> String? {
    let page = try await server.call("GET", "/metrics", by: boss)
    return String(decoding: page.body, as: UTF8.self).split(separator: "\n").map(String.init).first
    {
      $0.hasPrefix("throughline_queue_estimated_wait_seconds{")
    }
  }

  @Test
  func `bots, callers, queues and explanations tell how long it will take, or why that is unknown`()
    async throws
  {
    let rules = try rules()
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let hook = try await server.token("telephony", "hook")
      let boss = try await server.token("supervisor", "boss")
      func handOff(key: String? = nil) async throws -> (Chat, Reply) {
        let chat = try await server.open(bot)
        try await chat.customer("help")
        return (
          chat,
          try await server.call(
            "POST", "/v1/sessions/\(chat.session)/handoff", ["reason": "help"], by: bot, key: key)
        )
      }
      let (_, first) = try await handOff()
      #expect(first["estimated_wait"].description == #"{"unknown":"nobody_there"}"#, "\(first)")
      let ann = try await server.agent("a1")
      let (chat, second) = try await handOff(key: "k")
      #expect(second["estimated_wait"].description == #"{"unknown":"too_few_turns"}"#)
      var told = try await queues(server, ann)
      #expect(told["support"]?["unknown"].text == "too_few_turns")
      #expect(told["dark"]?["unknown"].text == "queue_closed")
      #expect(told["quiet"]?["unknown"].text == "nobody_serves")
      #expect(try await gauge(server, boss) == nil)

      for _ in 3...8 { _ = try await handOff() }
      for _ in 1...6 { _ = try await server.take(ann) }
      told = try await queues(server, ann)
      let wait = try #require(told["support"])
      #expect(wait["seconds"].int != nil && wait["to_seconds"].int ?? 0 > 0, "\(wait)")
      #expect(wait["from_seconds"].int ?? 9 <= wait["seconds"].int ?? 0)
      #expect(
        try await gauge(server, boss)?.contains("workspace=\"small\",queue=\"support\"") == true)

      let (_, third) = try await handOff()
      #expect(third["estimated_wait"]["to_seconds"].int ?? 0 > 0, "\(third)")
      let explained = try await server.call(
        "GET", "/v1/explain?case=\(third["case"].text)", by: boss)
      #expect(explained["now"]["estimated_wait"]["to_seconds"].int ?? 0 > 0, "\(explained)")
      let asked = ["explain", "--data", server.settings.data, third["case"].text]
      let lines = try await Peer.run(try Binary.path, asked).lines
      #expect(lines.joined(separator: "\n").contains("Its turn comes in about "), "\(lines)")
      let call = try await server.call(
        "POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: hook)
      #expect(call["position"].int == 4, "\(call)")
      #expect(call["estimated_wait"]["to_seconds"].int ?? 0 > 0, "\(call)")
      let again = try await server.call(
        "POST", "/v1/sessions/\(chat.session)/handoff", ["reason": "help"], by: bot, key: "k")
      #expect(
        again["estimated_wait"].description == #"{"unknown":"too_few_turns"}"#,
        "a repeat gets the first outcome")

      // Whoever asks is offered it at once.
      for _ in 1...3 { _ = try await server.take(ann) }
      let before = try await server.position()
      async let offer = server.next(ann)
      try await eventually("a1 asks") { try await server.position() > before }
      let (_, ready) = try await handOff()
      #expect(
        ready["estimated_wait"].description == #"{"seconds":0,"from_seconds":0,"to_seconds":0}"#)
      #expect(try await offer["case"].text == ready["case"].text)
    }
  }

  @Test func `after a restart a wait is unknown until enough were seen`() async throws {
    let rules = try rules()
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let bot = try await server.token("bot", "robin")
      let ann = try await server.agent("a1")
      for _ in 1...8 {
        let chat = try await server.open(bot)
        try await chat.customer("help")
        try await chat.handoff()
      }
      for _ in 1...5 { _ = try await server.take(ann) }
      #expect(try await queues(server, ann)["support"]?["to_seconds"].int ?? 0 > 0)
      try await server.restart()
      #expect(
        try await queues(server, ann)["support"]?.description == #"{"unknown":"too_few_turns"}"#)
    }
  }
}
