import Foundation
import Model
import System
import Testing

/// Why a case waits and an agent is idle, now and at an earlier instant.
@Suite(.inTurn) struct ExplainTests {
  /// The same words but for the instant that was asked for.
  private func withoutInstant(_ reply: Reply) -> String {
    let text = String(decoding: reply.body, as: UTF8.self)
    guard let at = reply["at"].string else { return text }
    return text.replacingOccurrences(
      of: "\"at\":\"\(at)\",", with: "", options: [], range: text.startIndex..<text.endIndex)
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
}
