import Foundation
import Model
import Pipeline
import Routing
import Service
import Testing

/// What agents and supervisors hear of a case, and of what they ask for.
struct CaseTests {
  private func available(_ shop: Shop, _ agents: Caller...) throws {
    for agent in agents {
      try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: agent)
    }
  }

  /// A chat that Ann has.
  private func taken(_ shop: Shop) throws -> String {
    try shop.handsOver(try shop.open([("email", "jo@home.example")]))
    return try #require(try shop.takes(shop.ann).string("case"))
  }

  // MARK: - Of a case

  @Test("a case tells until when it is parked, wrapped up or on hold, and whose advice is asked")
  func until() throws {
    let shop = try Shop()
    let id = try taken(shop)
    try available(shop, shop.bob)
    func act(_ what: String, _ body: [String: Any] = [:]) throws {
      let done = try shop.call("POST", "/v1/cases/\(id)/\(what)", body, by: shop.ann)
      #expect(done.status == 200, "\(what): \(done.text)")
    }
    func page() throws -> Reply { try shop.call("GET", "/v1/cases/\(id)", by: shop.boss) }
    let end = "\(shop.now + .seconds(60))"
    #expect(try page().string("until") == nil && page().string("held_until") == nil)
    try act("hold", ["seconds": 60])
    #expect(try page().string("held_until") == end && page().string("state") == "assigned")
    try act("unhold")
    #expect(try page().string("held_until") == nil)
    try act("consult", ["agent": "bob", "seconds": 60])
    #expect(
      try page().string("consult", "agent") == "bob" && page().string("consult", "until") == end)
    try act("end-consult")
    #expect(try page().at(["consult"]) == nil)
    try act("park", ["seconds": 60])
    #expect(try page().string("until") == end && page().string("state") == "parked")
    try act("resume")
    try act("wrap-up")
    #expect(try page().string("until") == end && page().string("state") == "wrap_up")
    try act("close")
    #expect(try page().string("until") == nil && page().string("state") == "closed")
  }

  @Test("who asks for advice and who is asked see it among their cases")
  func advice() throws {
    let shop = try Shop()
    let id = try taken(shop)
    try available(shop, shop.bob)
    try shop.call("POST", "/v1/cases/\(id)/consult", ["agent": "bob", "seconds": 60], by: shop.ann)
    let end = "\(shop.now + .seconds(60))"
    let owner = try shop.call("GET", "/v1/agents/me", by: shop.ann)
    let mine = try #require(owner.list("cases").first?["consult"] as? [String: Any])
    #expect(mine["agent"] as? String == "bob" && mine["until"] as? String == end)
    #expect(owner.list("consults").isEmpty)
    let asked = try #require(
      try shop.call("GET", "/v1/agents/me", by: shop.bob).list("consults").first)
    #expect(asked["case"] as? String == id && asked["by"] as? String == "ann")
    #expect(asked["until"] as? String == end && asked["customer"] as? String != nil)
    try shop.call("POST", "/v1/cases/\(id)/end-consult", by: shop.bob)
    #expect(try shop.call("GET", "/v1/agents/me", by: shop.bob).list("consults").isEmpty)
    let after = try shop.call("GET", "/v1/agents/me", by: shop.ann)
    #expect(after.list("cases").first?["consult"] == nil)
  }

  @Test("a case that is offered to several names to each of them themselves")
  func several() throws {
    let shop = try Shop()
    var rules = try #require(shop.pipeline.router.configuration)
    rules.queues[0].offersAtOnce = 2
    try shop.submit(.configure(rules, encoded: [2]))
    try shop.handsOver(try shop.open([("email", "jo@home.example")]))
    try available(shop, shop.ann, shop.bob)
    let first = try shop.call("POST", "/v1/agents/me/next", by: shop.ann)
    let second = try shop.call("POST", "/v1/agents/me/next", by: shop.bob)
    #expect(first.string("agent") == "ann" && second.string("agent") == "bob", "\(second.text)")
    let id = try #require(first.string("case"))
    #expect(second.string("case") == id)
    func page(_ caller: Caller) throws -> Reply {
      try shop.call("GET", "/v1/cases/\(id)", by: caller)
    }
    #expect(try page(shop.ann).string("agent") == "ann" && page(shop.bob).string("agent") == "bob")
    #expect(try page(shop.boss).at(["offered_to"]) as? [String] == ["ann", "bob"])
    let offer = try #require(first.string("offer"))
    try shop.call("POST", "/v1/offers/\(offer)/accept", by: shop.ann)
    #expect(try page(shop.bob).string("agent") == "ann")
    #expect(try page(shop.bob).at(["offered_to"]) == nil)
  }

  // MARK: - Of what is asked

  @Test("of several who give a case away at once, each is told whose it was then")
  func assigned() throws {
    let shop = try Shop()
    let id = try taken(shop)
    try available(shop, shop.bob)
    var epochs: [Int] = []
    for name in ["bob", "ann", "bob"] {
      let told = try shop.call(
        "POST", "/v1/cases/\(id)/assign", ["agent": name], by: shop.boss, key: "\(epochs.count)")
      #expect(told.status == 200 && told.string("owner", "name") == name, "\(told.text)")
      #expect(told.string("case") == id && told.string("owner", "kind") == "agent")
      epochs.append(try #require(told.number("epoch")))
    }
    #expect(epochs == [epochs[0], epochs[0] + 1, epochs[0] + 2])
    let again = try shop.call(
      "POST", "/v1/cases/\(id)/assign", ["agent": "bob"], by: shop.boss, key: "0")
    #expect(again.number("epoch") == epochs[0], "a repeat hears what the first heard")
    try available(shop, shop.ann)
    try shop.call("POST", "/v1/cases/\(id)/consult", ["agent": "ann", "seconds": 60], by: shop.bob)
    let over = try shop.call("POST", "/v1/cases/\(id)/take-over", by: shop.ann)
    #expect(over.string("owner", "name") == "ann" && over.number("epoch") == epochs[2] + 1)
  }

  /// After a kill nobody knows whether the first answer arrived.
  @Test("a question for the next case, repeated when its offer is over, is asked anew")
  func nextAfterTheOffer() throws {
    for isKilled in [true, false] {
      let shop = try Shop()
      try shop.handsOver(try shop.open([("email", "jo@home.example")]))
      try available(shop, shop.ann)
      func next() throws -> Reply {
        try shop.call("POST", "/v1/agents/me/next", by: shop.ann, key: "k")
      }
      let first = try next()
      #expect(try next().string("offer") == first.string("offer"), "it stands")
      if isKilled {
        try shop.restart()
      } else {
        try shop.call(
          "POST", "/v1/offers/\(first.string("offer") ?? "")/decline", by: shop.ann)
        #expect(try next().status == 204, "they declined it, and nothing else waits")
        continue
      }
      let second = try next()
      #expect(second.status == 200 && second.string("case") == first.string("case"))
      #expect(second.string("offer") != first.string("offer"))
      let accepted = try shop.call(
        "POST", "/v1/offers/\(second.string("offer") ?? "")/accept", by: shop.ann)
      #expect(accepted.status == 200, "\(accepted.text)")
      let id = try #require(second.string("case"))
      #expect(try next().string("offer") == second.string("offer"), "they have it by that offer")
      try shop.call("POST", "/v1/cases/\(id)/park", ["seconds": 60], by: shop.ann)
      #expect(try next().string("offer") == second.string("offer"))
      try shop.call("POST", "/v1/cases/\(id)/close", by: shop.ann)
      #expect(try next().status == 204)
    }
  }

  // MARK: - Of calls

  private enum State: String, CaseIterable {
    case waiting, ringing, talking, onHold, consulted, wrappingUp
  }

  /// A call in that state, at Ann's where she has it, and its offer.
  private func call(_ state: State) throws -> (shop: Shop, id: String, offer: String) {
    let shop = try Shop()
    try available(shop, shop.bob)
    try shop.call("PUT", "/v1/agents/me/channels", ["channels": ["chat"]], by: shop.bob)
    if state != .waiting { try available(shop, shop.ann) }
    let ring = try shop.call(
      "POST", "/v1/calls", ["call": "c1", "from": "+12025550143"], by: shop.pbx)
    let id = try #require(shop.pipeline.router.caseIDs.first).description
    let offer = ring.string("offer") ?? "\(OfferID(high: 1, low: 1))"
    guard state != .waiting, state != .ringing else { return (shop, id, offer) }
    try shop.call(
      "POST", "/v1/calls/c1/events", ["event": "answered", "offer": offer], by: shop.pbx)
    let more: (String, [String: Any])? =
      switch state {
      case .onHold: ("hold", ["seconds": 60])
      case .consulted: ("consult", ["agent": "bob", "seconds": 60])
      case .wrappingUp: ("wrap-up", [:])
      case .waiting, .ringing, .talking: nil
      }
    if let (what, body) = more {
      let done = try shop.call("POST", "/v1/cases/\(id)/\(what)", body, by: shop.ann)
      #expect(done.status == 200, "\(done.text)")
    }
    return (shop, id, offer)
  }

  /// What is answered contains this; `ok` where it is done.
  private static let table = """
    command     | waiting         | ringing         | talking              | onHold               | consulted            | wrappingUp
    accept      | no such offer   | pick up there   | ok                   | ok                   | ok                   | offer is over
    decline     | no such offer   | ok              | offer is over        | offer is over        | offer is over        | offer is over
    reply       | waits in queue  | waits in queue  | no mail address      | no mail address      | no mail address      | no mail address
    note        | waits in queue  | ok              | ok                   | ok                   | ok                   | ok
    transfer    | no agent has    | no agent has    | ok                   | ok                   | ok                   | ok
    hand-back   | no agent has    | no agent has    | no bot can answer    | no bot can answer    | no bot can answer    | no bot can answer
    wrap-up     | no agent has    | no agent has    | ok                   | ok                   | ok                   | being wrapped up
    close       | no agent has    | no agent has    | ok                   | ok                   | ok                   | ok
    extend      | no agent has    | no agent has    | not in wrap-up       | not in wrap-up       | not in wrap-up       | ok
    park        | no agent has    | no agent has    | cannot be parked     | cannot be parked     | cannot be parked     | being wrapped up
    resume      | no agent has    | no agent has    | not parked           | not parked           | not parked           | not parked
    hold        | no agent has    | no agent has    | ok                   | ok                   | ok                   | being wrapped up
    unhold      | no agent has    | no agent has    | not on hold          | ok                   | not on hold          | not on hold
    consult     | no agent has    | no agent has    | ok                   | ok                   | is asked on this     | being wrapped up
    end-consult | no agent has    | no agent has    | nobody's advice      | nobody's advice      | ok                   | nobody's advice
    take-over   | no agent has    | no agent has    | another agent's      | another agent's      | ask them to transfer | another agent's
    assign      | it rings        | it rings        | it rings             | it rings             | it rings             | it rings
    requeue     | waits           | waits           | transfers the call   | transfers the call   | transfers the call   | being wrapped up
    """

  @Test("whatever cannot be done with a call is refused in words that say what can")
  func refusals() throws {
    let rows = Self.table.split(separator: "\n").map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(rows[0].dropFirst() == State.allCases.map(\.rawValue)[...])
    let bodies: [String: [String: Any]] = [
      "reply": ["text": "hello"], "note": ["text": "hello"], "transfer": ["queue": "calls"],
      "extend": ["seconds": 600], "park": ["seconds": 60], "hold": ["seconds": 60],
      "consult": ["agent": "bob", "seconds": 60], "assign": ["agent": "bob"],
    ]
    for row in rows.dropFirst() {
      for (state, expected) in zip(State.allCases, row.dropFirst()) {
        let (shop, id, offer) = try call(state)
        let page =
          ["accept", "decline"].contains(row[0])
          ? "/v1/offers/\(offer)/\(row[0])" : "/v1/cases/\(id)/\(row[0])"
        let caller =
          switch row[0] {
          case "assign", "requeue": shop.boss
          case "take-over": shop.bob
          default: shop.ann
          }
        let told = try shop.call("POST", page, bodies[row[0]] ?? [:], by: caller)
        let outcome = told.status < 300 ? "ok" : told.string("detail") ?? ""
        #expect(outcome.contains(expected), "\(row[0]) when \(state): \(outcome)")
      }
    }
  }
}
