import Foundation
import Model
import Pipeline
import Service
import Testing

/// What an agent sees of themselves, and what comes of accepting twice.
struct AgentPageTests {
  private func me(_ shop: Shop, _ caller: Caller? = nil) throws -> Reply {
    let page = try shop.call("GET", "/v1/agents/me", by: caller ?? shop.ann)
    #expect(page.status == 200, "\(page.text)")
    return page
  }

  @Test("an agent sees their status, what hinders, and what would come")
  func hindrances() throws {
    let shop = try Shop()
    #expect(try me(shop).string("status") == "offline")
    #expect(try me(shop).string("hindered_by") == "not_available")
    try shop.handsOver(try shop.open([("email", "jo@home.example")]))
    try shop.call("PUT", "/v1/agents/me/status", ["status": "break"], by: shop.ann)
    var page = try me(shop)
    #expect(
      page.string("status") == "break" && page.flag("present") == true
        && page.string("present_until") != nil)
    #expect(
      page.number("waiting", "in_queues") == 1 && page.number("waiting", "next_would_bring") == 0)
    #expect(page.number("waiting", "passed_over_by", "not_available") == 1)
    try shop.call("PUT", "/v1/agents/me/channels", ["channels": ["email"]], by: shop.ann)
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.ann)
    page = try me(shop)
    #expect(
      page.flag("channels", "chat", "wanted") == false
        && page.flag("channels", "email", "wanted") == true)
    #expect(page.number("waiting", "next_would_bring") == 0, "why next answers 204")
    #expect(try shop.call("POST", "/v1/agents/me/next", by: shop.ann).status == 204)
    try shop.call("PUT", "/v1/agents/me/channels", ["channels": ["chat"]], by: shop.ann)
    page = try me(shop)
    #expect(page.string("hindered_by") == "not_asking" && page.flag("asks", "next") == false)
    #expect(
      page.number("waiting", "next_would_bring") == 1, "that they do not ask hides nothing else")
    #expect(try shop.call("POST", "/v1/agents/me/next", by: shop.ann).status == 200)
  }

  @Test("what is offered to fewer than its queue asks is among what would come")
  func besideOthers() throws {
    let shop = try Shop()
    var rules = try #require(shop.pipeline.router.configuration)
    rules.version = 2
    rules.queues[0].offersAtOnce = 2
    _ = try shop.submit(.configure(rules, encoded: [2]))
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.ann)
    try shop.handsOver(try shop.open([("email", "jo@home.example")]))
    #expect(try shop.call("POST", "/v1/agents/me/next", by: shop.ann).status == 200)
    #expect(try me(shop, shop.bob).number("waiting", "next_would_bring") == 0, "not there yet")
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.bob)
    let page = try me(shop, shop.bob)
    #expect(page.number("waiting", "next_would_bring") == 1)
    #expect(page.number("waiting", "in_queues") == 0)
    #expect(try shop.call("POST", "/v1/agents/me/next", by: shop.bob).status == 200)
    #expect(try me(shop).number("waiting", "next_would_bring") == 0)
  }

  @Test("an agent sees their cases and offers, with state, channel, queue and customer")
  func held() throws {
    let shop = try Shop()
    let talk = try shop.open([("email", "jo@home.example")])
    try shop.handsOver(talk)
    let case1 = try #require(try shop.takes(shop.ann).string("case"))
    var page = try me(shop)
    let one = try #require(page.list("cases").first)
    #expect(
      one["case"] as? String == case1 && one["state"] as? String == "assigned"
        && one["channel"] as? String == "chat")
    #expect(one["queue"] as? String == "support" && one["customer"] as? String == talk.customer)
    #expect(one["conversation"] as? String == talk.conversation && one["until"] == nil)
    #expect(page.number("capacity", "used") == 1 && page.number("capacity", "of") == 10_000)
    #expect(
      page.number("channels", "chat", "cases") == 1
        && page.number("channels", "chat", "most") == 60_000)
    try shop.call("POST", "/v1/cases/\(case1)/park", ["seconds": 60], by: shop.ann)
    page = try me(shop)
    #expect(
      page.list("cases").first?["state"] as? String == "parked"
        && page.list("cases").first?["until"] != nil)
    #expect(page.number("capacity", "used") == 0)

    let ring = try shop.call(
      "POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: shop.pbx)
    page = try me(shop)
    let offer = try #require(page.list("offers").first)
    #expect(
      offer["offer"] as? String == ring.string("offer") && offer["rings"] as? String == "PJSIP/ann")
    #expect(
      offer["channel"] as? String == "phone" && offer["queue"] as? String == "calls"
        && offer["until"] != nil)
    #expect(page.string("hindered_by") == "offered_another")
    try shop.call("POST", "/v1/agents/me/finish", ["status": "offline"], by: shop.ann)
    #expect(try me(shop).string("then") == "offline" || me(shop).string("status") == "offline")
  }

  @Test("a supervisor sees everybody, and an agent only themselves")
  func others() throws {
    let shop = try Shop()
    try shop.call("PUT", "/v1/agents/me/status", ["status": "meeting"], by: shop.bob)
    let all = try shop.call("GET", "/v1/agents", by: shop.boss)
    #expect(all.list("agents").map { $0["agent"] as? String } == ["ann", "bob"])
    #expect(all.list("agents").map { $0["status"] as? String } == ["offline", "meeting"])
    #expect(
      all.list("agents").allSatisfy {
        $0["hindered_by"] as? String == "not_available" && $0["cases"] as? Int == 0
      })
    #expect(try shop.call("GET", "/v1/agents/bob", by: shop.boss).string("status") == "meeting")
    let nobody = try shop.call("GET", "/v1/agents/eve", by: shop.boss)
    #expect(
      nobody.status == 404 && nobody.string("detail")?.contains("ann, bob") == true,
      "\(nobody.text)")
    for page in ["/v1/agents", "/v1/agents/bob"] {
      #expect(try shop.call("GET", page, by: shop.ann).status == 403)
    }
    #expect(try shop.call("GET", "/v1/agents/me", by: shop.webshop).status == 403)
    #expect(try shop.call("POST", "/v1/agents/me", by: shop.ann).status == 405)
  }

  @Test(
    "accepted once more by whoever has the case by that very offer, the answer is the first one; also after a restart"
  )
  func acceptedTwice() throws {
    let shop = try Shop()
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.ann)
    try shop.handsOver(try shop.open())
    let offer = try #require(
      try shop.call("POST", "/v1/agents/me/next", by: shop.ann).string("offer"))
    let first = try shop.call("POST", "/v1/offers/\(offer)/accept", by: shop.ann)
    #expect(first.status == 200)
    let again = try shop.call("POST", "/v1/offers/\(offer)/accept", by: shop.ann)
    #expect(again.status == 200 && again.text == first.text, "\(again.text)")
    try shop.restart()
    #expect(try shop.call("POST", "/v1/offers/\(offer)/accept", by: shop.ann).text == first.text)
    #expect(
      try shop.call("POST", "/v1/offers/\(offer)/accept", by: shop.bob).status >= 400,
      "it is not theirs")
    // Back in the queue and taken by another offer, it is no longer had by the first.
    let id = try #require(first.string("case"))
    #expect(try shop.call("POST", "/v1/cases/\(id)/requeue", by: shop.boss).status == 200)
    try shop.pass(.seconds(30))  // not to ann again at once: bob may come
    #expect(try shop.takes(shop.ann).string("case") == id)
    #expect(try shop.call("POST", "/v1/offers/\(offer)/accept", by: shop.ann).status >= 400)
  }
}

/// Refusals speak to whoever asked.
struct RefusalWordsTests {
  private func taken(_ shop: Shop) throws -> String {
    try shop.handsOver(try shop.open())
    return try #require(try shop.takes(shop.ann).string("case"))
  }

  private func expect(
    _ reply: Reply, _ status: Int, _ words: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(reply.status == status, "\(reply.text)", sourceLocation: sourceLocation)
    #expect(
      reply.string("detail")?.contains(words) == true, "\(reply.text)",
      sourceLocation: sourceLocation)
  }

  @Test("a colleague who is away is named, to whoever asks for them")
  func away() throws {
    let shop = try Shop()
    let id = try taken(shop)
    let consult: [String: Any] = ["agent": "bob", "seconds": 60]
    expect(
      try shop.call("POST", "/v1/cases/\(id)/consult", consult, by: shop.ann), 409, "bob is away")
    expect(
      try shop.call("POST", "/v1/cases/\(id)/assign", ["agent": "bob"], by: shop.boss), 409,
      "bob is away")
    expect(
      try shop.call("POST", "/v1/cases/\(id)/assign", ["agent": "eve"], by: shop.boss), 422,
      "there are ann, bob")
  }

  @Test(
    "a case that is not in wrap-up has no wrap-up to extend, and a ring is answered by the phone")
  func notNow() throws {
    let shop = try Shop()
    let id = try taken(shop)
    expect(
      try shop.call("POST", "/v1/cases/\(id)/extend", ["seconds": 60], by: shop.ann), 409,
      "not in wrap-up")
    let ring = try shop.call(
      "POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: shop.pbx)
    let offer = try #require(ring.string("offer"))
    expect(try shop.call("POST", "/v1/offers/\(offer)/accept", by: shop.ann), 409, "pick up")
  }

  @Test("what cannot be done with a case as it is says how it is")
  func asItIs() throws {
    let shop = try Shop()
    let id = try taken(shop)
    func asks(
      _ what: String, _ words: String, _ status: Int = 409, with body: [String: Any] = [:],
      by caller: Caller? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      expect(
        try shop.call("POST", "/v1/cases/\(id)/\(what)", body, by: caller ?? shop.ann), status,
        words, sourceLocation: sourceLocation)
    }
    let minute: [String: Any] = ["seconds": 60]
    try asks("resume", "the case is not parked")
    try asks("unhold", "the case is not on hold")
    try asks("end-consult", "nobody's advice is asked")
    try asks("assign", "has the case already", with: ["agent": "ann"], by: shop.boss)
    try asks("consult", "ask another agent", with: ["agent": "ann", "seconds": 60])
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: shop.bob)
    let consult: [String: Any] = ["agent": "bob", "seconds": 60]
    #expect(try shop.call("POST", "/v1/cases/\(id)/consult", consult, by: shop.ann).status == 200)
    try asks("consult", "asked on this case already", with: consult)
    #expect(try shop.call("POST", "/v1/cases/\(id)/park", minute, by: shop.ann).status == 200)
    for what in ["park", "hold"] { try asks(what, "resume it first", with: minute) }
    try asks("wrap-up", "resume it first")
    #expect(try shop.call("POST", "/v1/cases/\(id)/resume", by: shop.ann).status == 200)
    #expect(try shop.call("POST", "/v1/cases/\(id)/wrap-up", by: shop.ann).status == 200)
    for what in ["park", "hold"] { try asks(what, "being wrapped up", with: minute) }
    try asks("wrap-up", "being wrapped up")
    try asks("assign", "being wrapped up", with: ["agent": "bob"], by: shop.boss)
    try asks("requeue", "being wrapped up", by: shop.boss)
    try asks("extend", "ask for more", 422, with: ["seconds": 1])
  }

  @Test("a bot with another epoch is told both, and one that does not own it who does")
  func epochs() throws {
    let shop = try Shop()
    let talk = try shop.open()
    let says: [String: Any] = ["author": "bot", "text": "hello", "epoch": 7]
    for (page, body) in [
      ("messages", says), ("learned", ["wants": "a lamp", "epoch": 7]),
      ("handoff", ["reason": "x", "epoch": 7]),
    ] as [(String, [String: Any])] {
      let refused = try shop.call(
        "POST", "/v1/sessions/\(talk.session)/\(page)", body, by: shop.webshop)
      expect(refused, 409, "its epoch is 1; you sent 7")
      #expect(refused.string("type")?.hasSuffix("not-owner") == true)
    }
    try shop.handsOver(talk)
    let late = try shop.call(
      "POST", "/v1/sessions/\(talk.session)/messages", says, by: shop.webshop)
    expect(late, 409, "waits in queue support")
  }

  @Test("a supervisor, a lost page, an address and an empty list get sentences of their own")
  func others() throws {
    let shop = try Shop()
    let talk = try shop.open()
    let join = try shop.call(
      "POST", "/v1/conversations/\(talk.conversation)/join", ["with": talk.conversation],
      by: shop.boss)
    expect(join, 403, "only agents do this, and supervisor \"boss\" is none")
    expect(try shop.call("GET", "/v1/nothing", by: shop.ann), 404, "no such page")
    expect(
      try shop.call("GET", "/v1/customers?kind=email&value=no@home.example", by: shop.ann), 404,
      "this identity")
    let none = try shop.call("POST", "/v1/agents/me/next", ["x": 1], by: shop.ann)
    expect(none, 422, "\"x\" is not known here; nothing is")
  }

  @Test(
    "an unknown parameter of a query is refused, with the nearest known one",
    arguments: [
      ("POST", "/v1/agents/me/next?wiat=3", "did you mean \"wait\""),
      ("GET", "/v1/search?q=a&lmit=3", "did you mean \"limit\""),
      ("GET", "/v1/agents/me?x=1", "nothing is"),
    ])
  func parameters(_ method: String, _ target: String, _ words: String) throws {
    let shop = try Shop()
    let reply = try shop.call(method, target, by: shop.ann)
    expect(reply, 422, words)
    #expect(reply.string("type")?.hasSuffix("unknown-parameter") == true)
  }
}
