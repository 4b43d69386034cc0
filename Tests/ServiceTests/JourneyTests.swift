import Foundation
import Model
import Pipeline
import PlainReference
import Routing
import Service
import Testing

/// Random journeys over chat, mail and phone, with merges, splits, shared identities, joined
/// conversations, handoffs, late and duplicate arrivals and restarts. Words are of whoever they came
/// by, in whoever's conversation. At each handoff whoever takes over must hold, entry for entry, what
/// a plain reference model says was said before; and nobody ever sits with another person.
///
/// `THROUGHLINE_JOURNEYS=1000 swift test --filter JourneyTests` runs more of them. One that fails
/// is tried again with fewer
/// and fewer of its steps; what is left is told with the command that repeats it.
struct JourneyTests {
  static let environment = ProcessInfo.processInfo.environment
  static let seeds =
    environment["THROUGHLINE_JOURNEY"] == nil
    ? Array(1...(Int(environment["THROUGHLINE_JOURNEYS"] ?? "") ?? 12)) : []
  /// `7:3,4,12`: of journey 7 these steps alone.
  static let repeated = environment["THROUGHLINE_JOURNEY"].map { [$0] } ?? []
  static let steps = Array(0..<90)

  @Test(
    "whoever takes over holds everything that was said before, whatever happened", arguments: seeds)
  func journey(_ seed: Int) throws {
    let journey = try Journey(seed)
    guard let failure = journey.failure(playing: Self.steps) else {
      return #expect(journey.handoffs > 0, "seed \(seed) never handed over")
    }
    let few = try Shrinking.shortened(failure.steps) { steps in
      try Journey(seed).failure(playing: steps)?.sort == failure.sort
    }
    let last = try Journey(seed).failure(playing: few) ?? failure
    Issue.record(
      """
      seed \(seed): \(last.sentence)
      \(last.trace.joined(separator: "\n"))
      \(few.count) of \(failure.steps.count) steps are enough. Again:
      THROUGHLINE_JOURNEY=\(seed):\(few.map(String.init).joined(separator: ",")) swift test --filter JourneyTests
      """)
  }

  @Test("the journey that is asked for", arguments: repeated)
  func again(_ asked: String) throws {
    let parts = asked.split(separator: ":").map { $0.split(separator: ",").compactMap { Int($0) } }
    let (seed, steps) = (try #require(parts.first?.first), try #require(parts.last))
    if let failure = try Journey(seed).failure(playing: steps) {
      Issue.record("seed \(seed): \(failure.sentence)\n\(failure.trace.joined(separator: "\n"))")
    }
  }

  @Test(
    "what the model does not know of is missed, of whatever kind",
    arguments: ["message", "note", "speech", "digits", "handoff", "learned", "journey"])
  func forgets(_ kind: String) throws {
    let isMissed = try (1...5).contains { seed in
      try Journey(seed, forgets: kind).failure(playing: Self.steps) != nil
    }
    #expect(isMissed)
  }

  @Test("a journey that fails shrinks to a few steps, which fail in the same way again")
  func shrinks() throws {
    let failure = try #require(try Journey(1, forgets: "learned").failure(playing: Self.steps))
    let few = try Shrinking.shortened(failure.steps) { steps in
      try Journey(1, forgets: "learned").failure(playing: steps)?.sort == failure.sort
    }
    #expect(few.count <= 6, "\(few)")
    #expect(try Journey(1, forgets: "learned").failure(playing: few)?.sort == failure.sort)
    #expect(try Journey(1).failure(playing: few) == nil, "the flaw is the model's")
    #expect(
      Shrinking.shortened(Array(0..<90)) { $0.contains(7) && $0.contains(31) && $0.contains(89) }
        == [7, 31, 89])
    #expect(Shrinking.shortened([5]) { _ in true } == [5])
  }
}

/// Finds a short list of steps that still fails.
enum Shrinking {
  /// More would make a failure of a busy machine an hour of waiting.
  static let triesMax = 200

  /// Leaves out halves, quarters, and at last single steps, for as long as what is left still
  /// fails.
  static func shortened(_ steps: [Int], fails: ([Int]) throws -> Bool) rethrows -> [Int] {
    var (steps, tries, piece) = (steps, 0, max(1, steps.count / 2))
    while true {
      var at = 0
      var hasShrunk = false
      while at < steps.count, steps.count > 1, tries < triesMax {
        let fewer = Array(steps[..<at] + steps[min(steps.count, at + piece)...])
        tries += 1
        if !fewer.isEmpty, try fails(fewer) {
          (steps, hasShrunk) = (fewer, true)
        } else {
          at += piece
        }
      }
      if tries >= triesMax || piece == 1 && !hasShrunk { return steps }
      if !hasShrunk { piece = max(1, piece / 2) }
    }
  }
}

final class Journey {
  let seed: Int
  let shop: Shop
  var random: Seeded
  var model = Reference()
  /// A kind that the model loses, to see a journey fail.
  let forgets: String?
  var trace: [String] = []
  private var broken: String?
  var hasFailed: Bool { broken != nil }
  var handoffs = 0

  struct Failure {
    var sentence: String
    var trace: [String]
    /// Those that were played, the last one failed.
    var steps: [Int]
    /// What does not hold, whoever and however many it is about.
    var sort: Substring { sentence.prefix { $0 != ":" } }
  }

  struct Open {
    var talk: Shop.Talk
    var node: Reference.Node
    var bot: String
  }
  var chats: [Open] = []
  struct Held {
    var id: String
    var conversation: String
    var agent: String
  }
  var cases: [Held] = []
  var mails: [(id: String, from: String, bytes: [UInt8], subject: String)] = []
  var calls: [String] = []
  var customers: [Reference.Node: String] = [:]
  var messages = 0

  let emails = (0..<4).map { "p\($0)@home.example" }
  let phones = (0..<3).map { "+1555123000\($0)" }

  init(_ seed: Int, forgets: String? = nil) throws {
    self.seed = seed
    self.forgets = forgets
    shop = try Shop()
    random = Seeded(seed)
    for agent in [shop.ann, shop.bob] {
      try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: agent)
    }
  }

  /// Plays these steps, and no further than the first that fails; nil when all is well.
  func failure(playing steps: [Int]) -> Failure? {
    var played: [Int] = []
    do {
      for step in steps where !hasFailed {
        played.append(step)
        // Each step draws from its own chance, so that it stays what it is when others are left
        // out.
        random = Seeded(seed &* 1_000_003 &+ step)
        try self.step()
      }
      try checkEverybody()
    } catch { check(false, "nothing is thrown: \(error)") }
    return broken.map { Failure(sentence: $0, trace: trace, steps: played) }
  }

  // MARK: - One thing that happens

  private func step() throws {
    shop.now = shop.now + .milliseconds(Int64(1 + random.below(5_000)))
    switch random.below(100) {
    case 0..<14: try opens()
    case 14..<38: try customerSays()
    case 38..<42: try botLearns()
    case 42..<52: try handsOver()
    case 52..<62: try agentActs()
    case 62..<70: try mailComes()
    case 70..<76: try callComes()
    case 76..<82: try journeyEvent()
    case 82..<86: try chatEnds()
    case 86..<91: try mergesAndMaybeSplits()
    case 91..<94: try splits()
    case 94..<95: try shares()
    case 95..<97: try shop.pass(.seconds(Int64(random.below(200_000))))
    default: try restarts()
    }
    try lookAround()
    check(Invariants.check(shop.pipeline.router).isEmpty, "the machine's invariants hold")
  }

  /// Cases that came about in this step are of whoever carries them; and in every conversation that
  /// is open sits one person alone, about their own matter, under their own record.
  private func lookAround() throws {
    let router = shop.pipeline.router
    for id in router.caseIDs {
      guard let state = router.case(id) else { continue }
      if model.matters["\(id)"] == nil {
        model.matters["\(id)"] = try node(ofSession: "\(state.session)")
      }
      var there: Set<Reference.Node> = []
      if let matter = model.matters["\(id)"] { there.insert(matter) }
      guard let conversation = router.conversation(state.conversation) else { continue }
      if let own = try node(ofRecord: conversation.customer) { there.insert(own) }
      for session in conversation.sessions {
        guard let one = try node(ofSession: "\(session.id)") else { continue }
        there.insert(one)
        model.guests["\(conversation.id)", default: []].insert(one)
      }
      check(model.areOne(there), "nobody sits with another person: \(there) in \(conversation.id)")
    }
    for chat in chats {
      guard let id = SessionID(chat.talk.session),
        let place = router.session(id)?.conversation,
        let home = router.conversation(place)
      else { continue }
      model.guests["\(place)", default: []].insert(chat.node)
      var there: Set<Reference.Node> = [chat.node]
      if let own = try node(ofRecord: home.customer) { there.insert(own) }
      check(model.areOne(there), "nobody sits with another person: \(there) in \(place)")
    }
  }

  private func node(ofSession id: String) throws -> Reference.Node? {
    if let known = model.sessions[id] { return known }
    // One that the shop made by itself, for news that nobody had taken up.
    guard let session = SessionID(id), let row = try shop.reader.session(shop.workspace, session),
      let record = row.customer
    else { return nil }
    return try node(ofRecord: record)
  }

  private func node(ofRecord record: CustomerID) throws -> Reference.Node? {
    if let known = nobodies[record] { return known }
    for node in everybody where try self.record(of: node) == record { return node }
    return nil
  }

  /// Records of those who are known by nothing.
  private var nobodies: [CustomerID: Reference.Node] = [:]
  private var everybody: [Reference.Node] {
    emails.map { "email:\($0)" } + phones.map { "phone:\($0)" }
  }

  /// A session of the store, as it came: the model says by whom.
  private func came(_ id: SessionID, _ node: Reference.Node, into conversation: String) throws {
    model.sessions["\(id)"] = node
    model.guests[conversation, default: []].insert(node)
    guard let row = try shop.reader.session(shop.workspace, id), let record = row.customer else {
      return check(false, "a session says by whom it came")
    }
    if node.hasPrefix("nobody") { nobodies[record] = node }
    check(try self.node(ofRecord: record) == node, "a session came by \(node)")
  }

  private func identities() -> [(String, String)] {
    var found: [(String, String)] = []
    if random.chance(75) { found.append(("email", emails[random.below(emails.count)])) }
    if random.chance(40) { found.append(("phone", phones[random.below(phones.count)])) }
    return random.chance(50) ? found : found.reversed()
  }

  private func nodes(_ identities: [(String, String)]) -> [Reference.Node] {
    identities.map { "\($0.0):\($0.1)" }
  }

  private func text() -> String {
    messages += 1
    return "words \(messages)"
  }

  private func opens() throws {
    let (given, claimed) = (identities(), random.chance(20) ? identities() : [])
    let talk = try shop.open(given, claimed: claimed)
    let arrival = model.arrives(proven: nodes(given))
    let node = arrival.node
    note("opens \(given.map(\.1)) claimed \(claimed.map(\.1)) → \(talk.conversation) of \(node)")
    place(talk.conversation, arrival)
    if let id = SessionID(talk.session) { try came(id, node, into: talk.conversation) }
    chats.append(Open(talk: talk, node: node, bot: "webshop"))
    customers[arrival.node] = talk.customer
    // What the bot is shown of before: everything of a proven customer but notes, and nothing of
    // anybody else.
    let known = talk.opened.entries("known", "entries")
    let expected =
      arrival.isProven ? model.timeline(arrival.node).filter { $0.visibility != "internal" } : []
    check(
      said(known) == expected.suffix(said(known).count), "the bot is shown what was said before")
    if !arrival.isProven { check(known.isEmpty, "a stranger's bot is shown nothing") }
  }

  /// A conversation goes on only with somebody who is proven, and one with a guest of it.
  private func place(
    _ conversation: String, _ arrival: (node: Reference.Node, isProven: Bool)
  ) {
    guard let known = model.guests[conversation] else { return }
    check(
      arrival.isProven && !model.person(arrival.node).isDisjoint(with: known),
      "only the same proven person goes on in a conversation")
  }

  private func anyChat() -> Open? { chats.isEmpty ? nil : chats[random.below(chats.count)] }

  private func customerSays() throws {
    guard let chat = anyChat() else { return }
    var body: [String: Any] = ["author": random.chance(80) ? "customer" : "bot", "text": text()]
    if random.chance(30) { body["id"] = "m\(messages)" }
    if random.chance(15) { body["at"] = "2026-01-01T00:00:\(10 + random.below(50))Z" }
    var said = body["text"] as? String ?? ""
    if random.chance(10) {
      let photo = try Reply(shop.upload(Array("photo \(said)".utf8), by: shop.webshop))
      guard let blob = photo.string("blob") else { return check(false, "an upload is kept") }
      body["attachments"] = [blob]
      said += " +\(blob)"
    }
    for _ in 0...(body["id"] != nil && random.chance(50) ? 1 : 0) {
      let reply = try shop.call(
        "POST", "/v1/sessions/\(chat.talk.session)/messages", body, by: shop.webshop)
      note(
        "\(body["author"] ?? "") says \(body["text"] ?? "") in \(reply.string("conversation") ?? "?"): \(reply.status)"
      )
      guard reply.status == 201 else {
        return check(reply.status == 409, "refused only by who owns it or because it has ended")
      }
      record(reply, "message", said, chat.node)
    }
  }

  private func record(
    _ reply: Reply, _ kind: String, _ text: String, _ node: Reference.Node,
    visibility: String = "customer"
  ) {
    let conversation = reply.string("conversation")
    guard let entry = reply.number("entry") else {
      return check(false, "an entry was acknowledged")
    }
    says(
      .init(
        entry: entry, kind: kind, text: text, conversation: conversation, visibility: visibility),
      node)
  }

  private func says(_ said: Reference.Said, _ node: Reference.Node) {
    if said.kind != forgets { model.says(said, node) }
  }

  private func botLearns() throws {
    guard let chat = anyChat() else { return }
    let wants = text()
    let reply = try shop.call(
      "POST", "/v1/sessions/\(chat.talk.session)/learned", ["wants": wants], by: shop.webshop)
    note("learned \(wants): \(reply.status)")
    if reply.status == 201 {
      record(reply, "learned", wants, chat.node, visibility: "business")
    }
  }

  private func handsOver() throws {
    guard let chat = anyChat() else { return }
    let imported = random.chance(30) ? [text()] : []
    let lines = imported.map { ["author": "customer", "text": $0, "id": "i-\($0)"] }
    let summary = text()
    let reply = try shop.handsOver(
      chat.talk, ["transcript": lines, "reason": "help", "summary": summary])
    note("hands over \(chat.talk.conversation): \(reply.status)")
    guard reply.status == 201, let entry = reply.number("entry"), let made = reply.string("case")
    else { return }
    model.matters[made] = chat.node
    // What is brought along stands just before the handoff itself.
    for (index, text) in imported.enumerated() {
      says(
        .init(
          entry: entry - imported.count + index, kind: "message", text: text,
          conversation: reply.string("conversation"),
          visibility: "customer"), chat.node)
    }
    record(reply, "handoff", summary, chat.node, visibility: "business")
    try takes()
  }

  /// Whoever is offered a case gets what the model says, and so does who asks for it again later.
  private func takes() throws {
    let agent = random.chance(50) ? shop.ann : shop.bob
    try shop.call("PUT", "/v1/agents/me/status", ["status": "available"], by: agent)
    let offer = try shop.call("POST", "/v1/agents/me/next", by: agent)
    guard let id = offer.string("offer"), let taken = offer.string("case"),
      let conversation = offer.string("conversation")
    else {
      return
    }
    handoffs += 1
    note("\(agent.holder) is offered \(taken) of \(conversation)")
    try lookAround()
    guard let node = model.matters[taken] else { return check(false, "a case of somebody") }
    checkTimeline(
      offer.json["timeline"] as? [String: Any] ?? [:], node,
      customer: offer.string("customer", "id") ?? "")
    let brief = offer.json["brief"] as? [String: Any] ?? [:]
    check(
      brief["count"] as? Int == offer.number("timeline", "count")
        && brief["hash"] as? String == offer.string("timeline", "hash"),
      "the brief counts what stands behind it, and has its hash")
    let last = model.timeline(node).last {
      $0.kind == "message" && $0.conversation == conversation && !$0.text.isEmpty
    }
    if last != nil, let words = (brief["last_words"] as? [String: Any])?["entry"] as? Int {
      check(model.timeline(node).contains { $0.entry == words }, "the brief's last words were said")
    }
    if random.chance(85) {
      try shop.call("POST", "/v1/offers/\(id)/accept", by: agent)
      cases.append(Held(id: taken, conversation: conversation, agent: agent.holder))
    } else {
      try shop.call("POST", "/v1/offers/\(id)/decline", by: agent)
    }
  }

  private func agentActs() throws {
    guard !cases.isEmpty else { return try takes() }
    let index = random.below(cases.count)
    let held = cases[index]
    let agent = held.agent == "ann" ? shop.ann : shop.bob
    guard let node = model.matters[held.id] else { return check(false, "a case of somebody") }
    switch random.below(12) {
    case 0..<4:
      let words = text()
      let reply = try shop.call("POST", "/v1/cases/\(held.id)/reply", ["text": words], by: agent)
      note("\(held.agent) replies \(words): \(reply.status)")
      if reply.status == 201 { record(reply, "message", words, try answered(reply, node)) }
    case 4..<6:
      let words = text()
      let reply = try shop.call("POST", "/v1/cases/\(held.id)/note", ["text": words], by: agent)
      note("\(held.agent) notes \(words): \(reply.status)")
      if reply.status == 201 {
        record(reply, "note", words, node, visibility: "internal")
      }
    case 6:
      let passed = try shop.call(
        "POST", "/v1/cases/\(held.id)/transfer", ["queue": "support"], by: agent)
      note("transfer: \(passed.status)")
      if let new = passed.string("case") { model.matters[new] = node }
    case 7:
      note(
        "hand back: \(try shop.call("POST", "/v1/cases/\(held.id)/hand-back", ["summary": "over"], by: agent).status)"
      )
    case 8, 9: try joinsOrParts(held, agent)
    default:
      note("close: \(try shop.call("POST", "/v1/cases/\(held.id)/close", by: agent).status)")
      cases.remove(at: index)
    }
    if random.chance(30) { try takes() }
  }

  /// By mail an agent answers whoever wrote last, by the address that they wrote from; else whoever
  /// the case is about. Both are one person.
  private func answered(_ reply: Reply, _ matter: Reference.Node) throws -> Reference.Node {
    guard let number = reply.number("entry"), let conversation = reply.string("conversation"),
      let row = try shop.reader.entry(shop.workspace, EntryID(Int64(number))),
      let node = try node(ofRecord: row.customer)
    else { return matter }
    let isMail = String(decoding: row.body ?? [], as: UTF8.self).contains("\"channel\":\"email\"")
    check(
      node == matter
        || isMail && model.person(matter).contains(node)
          && writers[conversation, default: writers["", default: []]].contains(node),
      "an answer stands with whom it answers: \(node), and not \(matter)")
    return node
  }
  /// Who has written mail that went on in a conversation; under no conversation, anybody.
  private var writers: [String: Set<Reference.Node>] = [:]

  /// The agent says that two conversations are one matter, or two after all.
  private func joinsOrParts(_ held: Held, _ agent: Caller) throws {
    guard
      let place = shop.pipeline.router.case(CaseID(held.id) ?? CaseID(high: 0, low: 0))?
        .conversation
    else { return }
    let page = try shop.call("GET", "/v1/conversations/\(place)", by: agent)
    if let joined = (page.json["joins"] as? [String])?.first, random.chance(40) {
      let reply = try shop.call(
        "POST", "/v1/conversations/\(place)/part", ["from": joined], by: agent)
      note("\(agent.holder) parts \(joined) from \(place): \(reply.status)")
      return check(reply.status == 201, "what was joined can be parted")
    }
    guard let other = model.guests.keys.sorted().randomElement(using: &random) else { return }
    let reply = try shop.call(
      "POST", "/v1/conversations/\(place)/join", ["with": other], by: agent)
    note("\(agent.holder) joins \(other) to \(place): \(reply.status)")
    guard reply.status == 201 else { return }
    // What another session brought there goes on here.
    guard let mine = model.matters[held.id] else { return }
    let theirs = try shop.call("GET", "/v1/conversations/\(other)", by: agent).string("customer")
    check(
      try theirs == shop.call("GET", "/v1/conversations/\(place)", by: agent).string("customer"),
      "only conversations of one person are joined, such as \(mine)'s")
  }

  private func mailComes() throws {
    if random.chance(25), let old = mails.randomElement(using: &random) {
      let again = try shop.deliver(old.bytes, from: old.from)
      note("mail \(old.id) again")
      return check(again.isDuplicate, "the same mail twice is one")
    }
    let isProven = random.chance(75)
    let from = emails[random.below(emails.count)]
    let parent = random.chance(40) ? mails.randomElement(using: &random) : nil
    let subject = parent.map { "Re: " + $0.subject } ?? "Matter \(random.below(3))"
    let (id, words) = ("mail\(messages)@home.example", text())
    let bytes = shop.message(
      from: from, subject: subject, id: id, inReplyTo: parent?.id, words, isProven: isProven)
    let taken = try shop.deliver(bytes, from: from)
    mails.append((id, from, bytes, parent?.subject ?? subject))
    let conversation = "\(taken.conversation)"
    note(
      "mail \(id) from \(from), proven \(isProven), in answer to \(parent?.id ?? "nothing") → \(conversation)"
    )
    let address = "email:\(from)"
    let guests = model.guests[conversation]
    if isProven { _ = model.arrives(proven: [address]) }
    var node = address
    if let guests {
      let took =
        guests.contains {
          model.person($0).contains(address) || claims[$0, default: []].contains(address)
        }
      check(took, "mail goes on only where its sender takes part")
      if !isProven || !guests.contains(where: { model.person($0).contains(address) }) {
        // It proves nothing, or goes on what nobody had proven: it is taken for whoever has the
        // address, or for one who is there.
        node = try placed(taken.entry)
        check(
          node == address || guests.contains { model.person($0).contains(node) },
          "what nobody proves stays in its conversation")
      }
    } else if !isProven {
      node = model.arrives(proven: []).node
      claims[node, default: []].insert(address)
    }
    writers[conversation, default: []].insert(node)
    writers["", default: []].insert(node)
    model.guests[conversation, default: []].insert(node)
    if let session = try shop.reader.entry(shop.workspace, taken.entry)?.session {
      try came(session, node, into: conversation)
    }
    says(
      .init(
        entry: Int(taken.entry.raw), kind: "message", text: words, conversation: conversation,
        visibility: "customer"), node)
    try lookAround()
    if random.chance(40) { try takes() }
  }

  private func placed(_ entry: EntryID) throws -> Reference.Node {
    guard let row = try shop.reader.entry(shop.workspace, entry) else { return "" }
    return try node(ofRecord: row.customer) ?? ""
  }
  /// Who claimed what, so that an answer to a claimed mail finds its thread.
  private var claims: [Reference.Node: Set<String>] = [:]

  private func callComes() throws {
    let (id, phone, words) = ("call\(messages)", phones[random.below(phones.count)], text())
    var told = try shop.call(
      "POST", "/v1/calls", ["call": id, "from": phone, "to": "+18005551212"], by: shop.pbx)
    guard let session = told.string("session").flatMap({ SessionID($0) }),
      let row = try shop.reader.session(shop.workspace, session)
    else { return }
    let arrival = model.arrives(proven: ["phone:\(phone)"])
    let conversation = "\(row.conversation)"
    let node = arrival.node
    note("call \(id) from \(phone) → \(conversation): \(told.string("do") ?? "?")")
    place(conversation, arrival)
    try came(session, node, into: conversation)
    try lookAround()
    let digits = "\(1_000 + messages)"
    for _ in 0...random.below(2) {
      told = try shop.call(
        "POST", "/v1/calls/\(id)/events", ["event": "speech", "text": words, "id": "s"],
        by: shop.pbx)
      try shop.call(
        "POST", "/v1/calls/\(id)/events", ["event": "digits", "digits": digits, "id": "d"],
        by: shop.pbx)
    }
    let entries = try shop.reader.transcript(
      shop.workspace, of: row.conversation, after: EntryID(0), limit: 1_000, visible: .internal)
    for (kind, said) in [("speech", words), ("digits", digits)] {
      let found = entries.filter {
        String(decoding: $0.body ?? [], as: UTF8.self).contains("\"\(said)\"")
      }
      check(found.count == 1, "what came twice is there once")
      guard let entry = found.last else { continue }
      says(
        .init(
          entry: Int(entry.id.raw), kind: kind, text: said, conversation: conversation,
          visibility: "customer"), node)
    }
    if told.string("do") == "ring", let offer = told.string("offer") {
      let answered = try shop.call(
        "POST", "/v1/calls/\(id)/events", ["event": "answered", "offer": offer], by: shop.pbx)
      check(answered.string("do") == "talk", "who picks up talks")
      if let open = shop.pipeline.router.conversation(row.conversation)?.openCase {
        handoffs += 1
        let view = try shop.call("GET", "/v1/cases/\(open)", by: shop.ann)
        checkTimeline(
          view.json["timeline"] as? [String: Any] ?? [:], node,
          customer: view.string("customer", "id") ?? "")
      }
    }
    try shop.call("POST", "/v1/calls/\(id)/events", ["event": "hung_up"], by: shop.pbx)
    calls.append(id)
  }

  private func journeyEvent() throws {
    let given = identities()
    guard !given.isEmpty else { return }
    let name = text()
    let body: [String: Any] = [
      "event": name, "id": name, "identities": given.map { shop.identity($0.0, $0.1) },
      "at": "2025-12-24T18:00:00Z",
    ]
    var arrival: (node: Reference.Node, isProven: Bool)?
    for _ in 0...random.below(2) {
      let reply = try shop.call("POST", "/v1/journey", body, by: shop.till)
      if arrival == nil { arrival = model.arrives(proven: nodes(given)) }
      note("journey \(name) of \(given.map(\.1)): \(reply.status)")
      record(reply, "journey", name, arrival?.node ?? "", visibility: "business")
    }
  }

  private func chatEnds() throws {
    guard !chats.isEmpty else { return }
    let chat = chats.remove(at: random.below(chats.count))
    note(
      "chat \(chat.talk.conversation) ends: \(try shop.leaves(chat.talk, random.chance(50) ? "customer_left" : "bot_ended").status)"
    )
  }

  private func restarts() throws {
    note("restart")
    let before = try shop.reader.head(shop.workspace)
    try shop.restart()
    check(shop.pipeline.head.position >= before.position, "nothing that was acknowledged is gone")
    cases.removeAll { held in
      guard let id = CaseID(held.id) else { return true }
      return shop.pipeline.router.case(id) == nil
    }
  }

  // MARK: - Who is whom

  /// The record of a proven identity, which only the store knows the name of.
  private func record(of node: Reference.Node) throws -> CustomerID? {
    let parts = node.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let kind = IdentityKind(name: String(parts[0])) else { return nil }
    let identity = Identity(kind: kind, value: String(parts[1]))
    return try shop.reader.identity(shop.workspace, hash: shop.api.hash(identity))?.customer
  }

  private func anyone() -> Reference.Node {
    random.chance(60)
      ? "email:\(emails[random.below(emails.count)])"
      : "phone:\(phones[random.below(phones.count)])"
  }

  private func mergesAndMaybeSplits() throws {
    let (a, b) = (anyone(), anyone())
    guard a != b, let one = try record(of: a), let other = try record(of: b) else { return }
    let before = (model, try timelines(a), try timelines(b))
    let reply = try shop.call(
      "POST", "/v1/customers/\(one)/merge", ["with": "\(other)"], by: shop.ann)
    let isNew = model.merges(a, b)
    note("merge \(a) with \(b): \(reply.status)")
    check(reply.status == (isNew ? 200 : 409), "a merge is refused only where they are one")
    try checkPerson(a)
    guard isNew, random.chance(50) else { return }
    try shop.call("POST", "/v1/customers/\(other)/split", ["from": "\(one)"], by: shop.boss)
    _ = model.splits(a, b)
    note("… and split again")
    let after = (try timelines(a), try timelines(b))
    check(
      after.0 == before.1 && after.1 == before.2, "after merge and split everything is as before")
    check(model.person(a) == before.0.person(a), "the model is as before, too")
  }

  private func splits() throws {
    guard let line = model.lines.randomElement(using: &random), let one = try record(of: line.a),
      let other = try record(of: line.b)
    else { return }
    let reply = try shop.call(
      "POST", "/v1/customers/\(one)/split", ["from": "\(other)"], by: shop.boss)
    _ = model.splits(line.a, line.b)
    note("split \(line.a) from \(line.b): \(reply.status)")
    check(reply.status == 200, "what was joined can be taken apart")
    try checkPerson(line.a)
    try checkPerson(line.b)
  }

  private func shares() throws {
    let phone = phones[random.below(phones.count)]
    guard let record = try record(of: "phone:\(phone)") else { return }
    let node = "phone:\(phone)"
    let isShared = model.shared.contains(node)
    let body = ["kind": "phone", "value": phone, "decision": isShared ? "unshare" : "share"]
    let reply = try shop.call("POST", "/v1/customers/\(record)/identities", body, by: shop.boss)
    note("\(isShared ? "unshare" : "share") \(phone): \(reply.status)")
    if isShared { model.unshares(node) } else { model.shares(node) }
    try checkPerson(node)
  }

  // MARK: - Checks

  private func timelines(_ node: Reference.Node) throws -> [Reference.Said] {
    guard let record = try record(of: node) else { return [] }
    return said(try everything(of: "\(record)").entries)
  }

  /// All pages of a customer's timeline, with their proof checked.
  private func everything(of customer: String) throws -> (
    entries: [[String: Any]], raw: [[String: Any]]
  ) {
    var raw: [[String: Any]] = []
    var before: Int? = nil
    repeat {
      let page = try shop.call(
        "GET",
        "/v1/customers/\(customer)/timeline?limit=40" + (before.map { "&before=\($0)" } ?? ""),
        by: shop.ann)
      raw = page.list("entries") + raw
      before = page.number("older")
      if before == nil {
        check(page.number("count") == raw.count, "as many entries as the proof says")
      }
    } while before != nil
    return (raw.compactMap { $0["entry"] as? [String: Any] }, raw)
  }

  private func checkPerson(_ node: Reference.Node) throws {
    let found = try timelines(node)
    check(found == model.timeline(node), "the timeline of \(node) is what the model says")
  }

  private func checkEverybody() throws {
    guard !hasFailed else { return }
    for node in emails.map({ "email:\($0)" }) + phones.map({ "phone:\($0)" })
    where try record(of: node) != nil {
      try checkPerson(node)
    }
    let (replayed, stored) = (try shop.replayed(), try shop.rows())
    check(replayed == stored, "the state from the rows equals the state from the log")
  }

  private func checkTimeline(_ timeline: [String: Any], _ node: Reference.Node, customer: String) {
    let entries = (timeline["entries"] as? [[String: Any]] ?? []).compactMap {
      $0["entry"] as? [String: Any]
    }
    let (found, expected) = (said(entries), model.timeline(node))
    check(
      found == expected.suffix(found.count),
      "the handoff carries what was said: \(found.count) of \(expected.count)")
    if timeline["older"] is NSNull {
      check(found.count == expected.count, "the handoff carries all that was said")
    }
    do {
      let all = said(try everything(of: customer).entries)
      check(all == expected, "all pages are what was said")
      check(
        try sum(everything(of: customer).raw) == timeline["hash"] as? String,
        "the hash is that of all entries")
    } catch { check(false, "\(error)") }
  }

  /// Of the hashes of all entries, as numbers modulo 2²⁵⁶.
  private func sum(_ raw: [[String: Any]]) -> String {
    var sum = [Int](repeating: 0, count: 32)
    for entry in raw {
      let digits = Array((entry["hash"] as? String ?? "").utf8)
      guard digits.count == 64 else { return "no hash" }
      var carry = 0
      for at in (0..<32).reversed() {
        let byte = Int(String(decoding: digits[(2 * at)...(2 * at + 1)], as: UTF8.self), radix: 16)
        let next = sum[at] + (byte ?? 0) + carry
        (sum[at], carry) = (next & 255, next >> 8)
      }
    }
    return sum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// What of these entries somebody said, as the model knows it.
  private func said(_ entries: [[String: Any]]) -> [Reference.Said] {
    entries.compactMap { entry in
      guard let number = entry["entry"] as? Int, let kind = entry["kind"] as? String else {
        return nil
      }
      let text: String
      switch kind {
      case "message", "note", "speech":
        let attached = (entry["attachments"] as? [String] ?? []).map { " +\($0)" }
        text = (entry["text"] as? String ?? "") + attached.joined()
      case "digits": text = entry["digits"] as? String ?? ""
      // One that the machine makes by itself has no summary.
      case "handoff":
        guard let summary = entry["summary"] as? String else { return nil }
        text = summary
      case "learned": text = entry["wants"] as? String ?? ""
      case "journey": text = entry["event"] as? String ?? ""
      default: return nil
      }
      return .init(
        entry: number, kind: kind, text: text, conversation: entry["conversation"] as? String,
        visibility: entry["visibility"] as? String ?? "")
    }
  }

  private func note(_ line: String) { trace.append(line) }

  private func check(_ holds: Bool, _ sentence: String) {
    if !holds, broken == nil { broken = sentence }
  }
}
