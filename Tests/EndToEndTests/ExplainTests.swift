import Foundation
import Model
import System
import Testing

@testable import Server

/// Why a case waits and an agent is idle, now and at an earlier instant.
@Suite(.inTurn) struct ExplainTests {
  /// The same words but for the instant that was asked for.
  private func withoutInstant(_ reply: Reply) -> String {
    let text = String(decoding: reply.body, as: UTF8.self)
    guard let at = reply["at"].string else { return text }
    return text.replacingOccurrences(
      of: "\"at\":\"\(at)\",", with: "", options: [], range: text.startIndex..<text.endIndex)
  }

  /// What a supervisor reads at a terminal.
  private func told(_ server: TestServer, _ words: String...) async throws -> String {
    let asked = ["explain", "--data", server.settings.data] + words
    let told = try await Peer.run(try Binary.path, asked)
    #expect(told.status == 0)
    return told.lines.joined(separator: "\n")
  }

  @Test
  func `it says who is asked, how long a case waited until it was taken, and why nothing comes`()
    async throws
  {
    let rules = try TemporaryFolder()
    try SmallRules.write(rules, workspace: "small", agents: 3)
    try rules.write(
      "rules/small/queues.yaml",
      "support: { offers_at_once: 2, offer_timeout: 3s, missed: not_responding }\n")
    try await TestServer.run(rules: rules.path + "/rules") { server in
      let boss = try await server.token("supervisor", "boss")
      let agents = [try await server.agent("a1"), try await server.agent("a2")]
      let before = try await server.position()
      async let one = server.next(agents[0])
      async let two = server.next(agents[1])
      try await eventually("both ask") { try await server.position() >= before + 2 }
      let chat = try await server.open(try await server.token("bot", "robin"))
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let offers = [try await one, try await two]

      let page = try await server.call("GET", "/v1/explain?case=\(aCase)", by: boss)
      #expect(page["agent"].text.hasPrefix("a"))
      #expect(Set(page["now"]["offered_to"].elements.map(\.text)) == ["a1", "a2"])
      #expect(page["now"]["passed_over"]["offered_another"].isAbsent, "they are asked this")
      let asked = try await told(server, aCase)
      #expect(asked.contains(" s and is offered to a"), "\(asked)")
      for wrong in ["cases stand before it", "offered another", ", with a", "would do"] {
        #expect(!asked.contains(wrong), "\(asked)")
      }
      let offered = try await told(server, "a1")
      #expect(offered.contains("\(aCase) is offered to them, and nothing else"), "\(offered)")
      let then = Instant(milliseconds: WallClock.nowMilliseconds).description
      try await Task.sleep(for: .milliseconds(20))

      let accept = "/v1/offers/\(offers[0]["offer"].text)/accept"
      #expect(try await server.call("POST", accept, by: agents[0]).status == 200)
      let past = try await server.call("GET", "/v1/explain?case=\(aCase)&at=\(then)", by: boss)
      #expect(past["state"].text == "offered" && past["agent"].text == page["agent"].text)
      let taken = try await told(server, aCase)
      #expect(taken.contains("It waited 0 s until somebody took it."), "\(taken)")
      for wrong in ["stand before it", "One change", "2 not asking"] {
        #expect(!taken.contains(wrong), "\(taken)")
      }

      // A second one that nobody takes: a2 misses it, a1 has chosen no channel, a3 finishes.
      #expect(
        try await server.call(
          "PUT", "/v1/agents/me/channels", ["channels": .list([])], by: agents[0]
        ).status == 200)
      let last = try await server.agent("a3")
      let other = try await server.open(try await server.token("bot", "robin"))
      try await other.customer("help")
      let second = try await other.handoff()["case"].text
      #expect(
        try await server.call("POST", "/v1/cases/\(second)/assign", ["agent": "a3"], by: boss)
          .status == 200)
      #expect(
        try await server.call("POST", "/v1/agents/me/finish", ["status": "break"], by: last)
          .status == 200)
      let third = try await server.open(try await server.token("bot", "robin"))
      try await third.customer("help")
      try await third.handoff()
      _ = try await server.next(agents[1])
      try await eventually("the offer is missed") {
        let me = try await server.call("GET", "/v1/agents/me", by: agents[1])
        return me["responding"].description == "false"
      }
      for (agent, why) in [
        ("a1", "they chose no channel that their status takes"),
        ("a2", "an offer was missed, and they have not said since that they are available"),
        ("a3", "they finish, and are break once their last case has ended"),
      ] {
        let idle = try await told(server, agent)
        #expect(idle.contains("Nothing is offered: \(why)."), "\(idle)")
      }
      let again = try await server.next(agents[1])
      #expect(again.status == 409 && again["detail"].text.contains("missed an offer"), "\(again)")

      try await server.close(aCase, by: agents[0])
      let closed = Instant(milliseconds: WallClock.nowMilliseconds).description
      try await Task.sleep(for: .milliseconds(20))
      let gone = try await server.call("GET", "/v1/explain?case=\(aCase)&at=\(closed)", by: boss)
      #expect(gone["state"].text == "closed" && gone["agent"].text == "a1", "\(gone)")
    }
  }

  @Test func `how a case and an agent stood at an earlier instant is what was said of them then`()
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let boss = try await server.token("supervisor", "boss")
      let before = Instant(milliseconds: WallClock.nowMilliseconds).description
      let (ann, ben) = (try await server.agent("ann"), try await server.agent("ben"))
      let chat = try await server.open(bot)
      try await chat.customer("help")
      let aCase = try await chat.handoff()["case"].text
      let second = try await server.open(bot)
      try await second.customer("help")
      try await second.handoff()
      let case_ = try await server.call("GET", "/v1/explain?case=\(aCase)", by: boss)
      let idle = try await server.call("GET", "/v1/explain?agent=ann", by: boss)
      let then = Instant(milliseconds: WallClock.nowMilliseconds).description
      #expect(case_["state"].text == "waiting" && case_["now"]["ahead"].int == 0)
      #expect(
        idle["ready_for"].elements.map(\.text) == ["phone"] && idle["waiting_in_queues"].int == 2)
      try await Task.sleep(for: .milliseconds(20))  // of one instant is all that it brought

      #expect(try await server.take(ann)["case"].text == aCase)
      try await server.close(aCase, by: ann)
      _ = try await server.take(ben)
      let now = try await server.call("GET", "/v1/explain?case=\(aCase)", by: boss)
      #expect(now["state"].text == "closed" && now["now"]["waited_seconds"].int == nil)
      #expect(withoutInstant(now) != withoutInstant(case_))
      for ask in ["/v1/explain", "/admin/explain"] {
        let asks = ["\(ask)?case=\(aCase)&at=\(then)", "\(ask)?agent=ann&at=\(then)"]
        for (target, live) in zip(asks, [case_, idle]) {
          let past =
            ask == "/v1/explain"
            ? try await server.call("GET", target, by: boss)
            : try await server.administer("GET", target)
          #expect(past["at"].text == then)
          #expect(withoutInstant(past) == withoutInstant(live))
        }
      }
      #expect(
        try await server.call("GET", "/v1/explain?case=\(aCase)&at=\(before)", by: boss).status
          == 404, "not yet")
      for wrong in ["noon", "2100-01-01T00:00:00Z"] {
        #expect(
          try await server.call("GET", "/v1/explain?case=\(aCase)&at=\(wrong)", by: boss).status
            == 422)
      }
      #expect(
        try await server.call("GET", "/v1/explain?case=\(aCase)&agent=ann", by: boss).status == 422)
      #expect(try await server.call("GET", "/v1/explain?agent=nobody", by: boss).status == 404)
      #expect(try await server.call("GET", "/v1/explain?case=\(aCase)", by: bot).status == 403)
      let asked = ["explain", "--data", server.settings.data, "ann", "--at", then]
      let told = try await Peer.run(try Binary.path, asked)
      #expect(told.status == 0)
      #expect(told.lines.joined().contains("ann is available with 0 cases"), "\(told.lines)")
      #expect(told.lines.joined().contains("2 cases wait in their queues"), "\(told.lines)")
    }
  }

  @Test func `a story says to whom and from whom, and why`() throws {
    let steps = [
      #""what":"offered","agent":"ann""#, #""what":"revoked","agent":"ann","why":"won_by_another""#,
      #""what":"accepted","agent":"bob""#, #""what":"consulted","agent":"cat""#,
      #""what":"queued","why":"by_supervisor""#,
      #""what":"failed","agent":"eve","why":"line_gone""#,
    ].map { "{\"at\":\"2026-11-28T06:00:00.000Z\",\($0)}" }.joined(separator: ",")
    let page =
      #"{"case":"case_1","state":"assigned","queue":"support","cause":"handoff","now":{"waited_seconds":3,"passed_over":{"full":1}},"#
      + #""why":{"rule_version":1,"priority":0,"story":[\#(steps)]}}"#
    let text = try ExplanationText.render(Data(page.utf8))
    for line in [
      "offered to ann", "revoked from ann (won by another)", "with bob from now on",
      "cat is asked for advice", "queued (by supervisor)", "failed at eve (line gone)",
    ] {
      #expect(text.contains("06:00:00  \(line)\n"), "\(text)")
    }
    #expect(!text.contains("cannot take it now"), "somebody has it")
  }

  @Test func `what is offered is with nobody yet, and who could have had it is told apart`() throws
  {
    let page =
      #"{"case":"case_1","state":"offered","queue":"support","agent":"ann","cause":"handoff","why":{"story":[]},"#
      + #""now":{"waited_seconds":3,"in_hands_seconds":7,"offered_to":["ann","bob"],"passed_over":{"full":2,"longer_idle_first":1}}}"#
    let text = try ExplanationText.render(Data(page.utf8))
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.first == "case_1 is offered in queue support")
    #expect(
      Array(lines.dropFirst(2)) == [
        "It has waited 3 s and is offered to ann, bob. Agents had it for 7 s meanwhile.",
        "Agents who cannot take it now: 2 full.",
        "1 could have had it, too, and others went before them.",
      ])
  }

  @Test func `who is something else on each channel has not chosen none`() throws {
    let said = #""chat":{"status":"break"},"email":{"status":"break"},"phone":{"status":"break"}"#
    for (statuses, why) in [
      (
        #""channel_statuses":{\#(said)},"#,
        "on each channel that their status takes they are something else, or chose not to be asked"
      ),
      ("", "they chose no channel that their status takes"),
    ] {
      let page =
        #"{"agent":"ann","status":"available","responding":true,\#(statuses)"hindered_by":"not_available"}"#
      let text = try ExplanationText.render(Data(page.utf8))
      #expect(text.contains("\nNothing is offered: \(why)."), "\(text)")
    }
  }
}
