import Model
import Routing
import Service
import Testing

/// What a supervisor is told of a case that is open.
struct ExplainTests {
  private func now(_ id: String, _ shop: Shop) throws -> Reply {
    try shop.call("GET", "/v1/explain?case=\(id)", by: shop.boss)
  }

  @Test("time in somebody's hands is no waiting, whether a case is passed on or put back")
  func hands() throws {
    let shop = try Shop()
    try shop.handsOver(try shop.open([("email", "jo@home.example")]))
    try shop.pass(.seconds(30))
    let first = try #require(try shop.takes(shop.ann).string("case"))
    try shop.pass(.seconds(100))
    #expect(try now(first, shop).number("now", "waited_seconds") == 30)
    #expect(try now(first, shop).at(["now", "in_hands_seconds"]) == nil)
    let passed = try shop.call(
      "POST", "/v1/cases/\(first)/transfer", ["queue": "calls"], by: shop.ann)
    let second = try #require(passed.string("case"))
    try shop.pass(.seconds(20))
    func expects(_ waited: Int, _ hands: Int, _ when: Comment) throws {
      let page = try now(second, shop)
      #expect(page.number("now", "waited_seconds") == waited, when)
      #expect(page.number("now", "in_hands_seconds") == hands, when)
    }
    try expects(50, 100, "it waits again")
    #expect(try shop.takes(shop.bob).string("case") == second)
    try shop.pass(.seconds(7))
    try expects(50, 100, "bob has it")
    let brief = try shop.call("GET", "/v1/cases/\(second)", by: shop.bob)
    #expect(brief.number("brief", "waited_seconds") == 50)
    #expect(
      try shop.call("POST", "/v1/cases/\(second)/requeue", [:], by: shop.boss).status == 200)
    try shop.pass(.seconds(5))
    try expects(55, 107, "it was put back")
    #expect(try shop.takes(shop.ann).string("case") == second)
    try shop.pass(.seconds(60))
    try expects(55, 107, "ann has it")
  }

  @Test("the story of a case says why advice ended")
  func advice() throws {
    let shop = try Shop()
    try shop.handsOver(try shop.open([("email", "jo@home.example")]))
    let id = try #require(try shop.takes(shop.ann).string("case"))
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.bob)
    try shop.call("POST", "/v1/cases/\(id)/consult", ["agent": "bob", "seconds": 60], by: shop.ann)
    try shop.pass(.seconds(60))
    let last = try #require(try now(id, shop).list("why", "story").last)
    #expect(last["what"] as? String == "consult_ended" && last["why"] as? String == "timed_out")
  }

  @Test(
    "what is offered or taken is not told how it could come to somebody, and who came late was not passed over"
  )
  func settled() throws {
    let shop = try Shop()
    try shop.handsOver(try shop.open([("email", "jo@home.example")]))
    let nobody = try shop.call("GET", "/v1/explain?agent=ann", by: shop.boss)
    #expect(nobody.number("waiting_in_queues") == 1)
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.ann)
    let offered = try shop.call("POST", "/v1/agents/me/next", by: shop.ann)
    let id = try #require(offered.string("case"))
    func isSettled(_ state: String) throws {
      let page = try now(id, shop)
      #expect(page.string("state") == state)
      let near = try #require(page.at(["now", "one_change_away"]) as? [String: Any])
      #expect(near.isEmpty && page.at(["now", "nearest"]) == nil, "\(page.text)")
      #expect(page.at(["now", "passed_over", "longer_idle_first"]) == nil, "\(page.text)")
    }
    try isSettled("offered")
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.bob)
    try shop.submit(.openStream(AgentID(1), WaiterID(9)))
    try isSettled("offered")
    let offer = try #require(offered.string("offer"))
    try shop.call("POST", "/v1/offers/\(offer)/accept", by: shop.ann)
    try isSettled("assigned")
  }
}
