import Foundation
import Testing

/// What stays when the server is killed: no drain, no last commit, no closing.
@Suite(.inTurn) struct KilledTests {
  @Test func `after kill -9 places, ages, statuses and a whole timeline are as they were`()
    async throws
  {
    let folder = try TemporaryFolder()
    var run = try await Served(folder)
    let (bot, boss) = (
      try await run.token("--bot", "webshop"), try await run.token("--supervisor", "boss")
    )
    let (ann, ben, cleo) = (
      try await run.token("--agent", "ann"), try await run.token("--agent", "ben"),
      try await run.token("--agent", "cleo")
    )
    for (agent, status) in [(ann, "available"), (ben, "break")] {
      let told = try await run.call(
        "PUT", "/v1/agents/me/status", ["status": .text(status), "lease_seconds": 3_600], by: agent)
      #expect(told.status == 200)
    }
    var made: [(id: String, conversation: String, customer: String)] = []
    for number in 1...4 { made.append(try await run.waiting(bot, number)) }
    let (cases, customer) = (made.map(\.id), made[0].customer)
    #expect(try await run.take(ann)["case"].text == cases[0])
    #expect(
      try await run.call("POST", "/v1/cases/\(cases[0])/reply", ["text": "hello"], by: ann).status
        == 201)

    /// All that is looked at, in the bytes in which it is told.
    func standing() async throws -> [String] {
      var seen: [String] = []
      for (id, conversation, _) in made {
        let told = try await run.call("GET", "/v1/cases/\(id)", by: boss)
        #expect(told.status == 200)
        seen.append(
          "\(told["state"]) \(told["waiting_since"]) \(told["queue"]) \(told["agent"]) \(told["why"])"
        )
        seen.append(
          try await run.call("GET", "/v1/conversations/\(conversation)", by: boss).description)
      }
      let timeline = try await run.call(
        "GET", "/v1/customers/\(customer)/timeline?limit=1000", by: boss)
      #expect(
        timeline["count"].int == timeline["entries"].elements.count && timeline["older"].isNull)
      seen.append(String(decoding: timeline.body, as: UTF8.self))
      let queues = try await run.call("GET", "/v1/queues", by: boss)
      for queue in queues["queues"].elements {
        seen.append(
          "\(queue["name"].text): \(queue["waiting"]) \(queue["assigned"]) \(queue["agents"])")
      }
      return seen
    }
    let before = try await standing()
    #expect(before.joined().contains("help 1") && before.joined().contains("hello"))
    for _ in 1...2 {
      try await run.kill()
      try await run.start()
      let after = try await standing()
      for (was, now) in zip(before, after) { #expect(was == now) }
      #expect(after.count == before.count)
    }
    #expect(
      try await run.call("POST", "/v1/agents/me/next?wait=1", by: ben).status != 200,
      "who had a break still has")
    #expect(try await run.take(ann)["case"].text == cases[1], "who was available still is")
    try await run.call("PUT", "/v1/agents/me/status", ["status": "available"], by: cleo)
    for id in cases[2...] {
      #expect(try await run.take(cleo)["case"].text == id, "each at its place")
    }
    run.process.peer.signal(SIGTERM)
    #expect(try await run.process.peer.end() == 0)
  }
}

extension Served {
  fileprivate func waiting(_ bot: String, _ number: Int) async throws -> (
    id: String, conversation: String, customer: String
  ) {
    // Somebody else each time: who comes again goes on with the same matter.
    let identity: Body = [
      "kind": "email", "value": .text("jo\(number)@home.example"), "assurance": "asserted",
    ]
    let opened = try await call(
      "POST", "/v1/sessions", ["customer": ["identities": [identity]]], by: bot)
    let session = "/v1/sessions/\(opened["session"].text)"
    try await call(
      "POST", session + "/messages", ["author": "customer", "text": .text("help \(number)")],
      by: bot)
    let handed = try await call(
      "POST", session + "/handoff", ["reason": "wants a human"], by: bot)
    return (handed["case"].text, handed["conversation"].text, opened["customer"].text)
  }

  /// The agent takes what they are offered.
  fileprivate func take(_ agent: String) async throws -> Reply {
    let offer = try await call("POST", "/v1/agents/me/next?wait=20", by: agent)
    let accepted = try await call("POST", "/v1/offers/\(offer["offer"].text)/accept", by: agent)
    #expect(accepted.status == 200, "\(offer) \(accepted)")
    return offer
  }
}
