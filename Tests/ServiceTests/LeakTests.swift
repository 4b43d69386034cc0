import Foundation
import Model
import PlainReference
import Service
import Testing

/// Over random identities, assurance levels and tokens, nobody ever sees an entry of a customer,
/// conversation or workspace that they have no right to. Every text carries a mark; every answer is
/// searched for all of them.
struct LeakTests {
  static let seeds: [Int] = {
    let asked = ProcessInfo.processInfo.environment
    if let one = Int(asked["THROUGHLINE_LEAK_SEED"] ?? "") { return [one] }
    return Array(1...(Int(asked["THROUGHLINE_LEAKS"] ?? "") ?? 10))
  }()

  @Test(
    "no caller sees what it has no right to, whatever it asks for and however it says who the customer is",
    arguments: seeds)
  func leak(_ seed: Int) throws {
    let world = try LeakWorld(seed)
    for _ in 0..<110 {
      try world.step()
      if world.hasFailed { break }
    }
    if !world.hasFailed {
      #expect(world.seen > 20, "seed \(seed): hardly anything was shown at all")
    }
  }
}

final class LeakWorld {
  let seed: Int
  let shops: [Shop]
  var random: Seeded
  var secrets = Secrets()
  var ids: [String] = []
  var seen = 0
  var hasFailed = false
  var trace: [String] = []
  private var count = 0

  let emails = (0..<3).map { "p\($0)@home.example" }
  let phones = (0..<2).map { "+1555123000\($0)" }

  init(_ seed: Int) throws {
    self.seed = seed
    let first = try Shop()
    shops = [first, try Shop(in: (first.store, first.folder), named: "other")]
    random = Seeded(seed)
  }

  func step() throws {
    let at = random.below(2)
    let shop = shops[at]
    shop.now = shop.now + .milliseconds(Int64(1 + random.below(100_000)))
    switch random.below(12) {
    case 0, 1, 2: try opens(at)
    case 3, 4: try speaks(at)
    case 5: try handsOver(at)
    case 6: try tells(at)
    case 7: random.chance(25) ? try joins(at) : try decides(at)
    case 8: try uploads(at)
    default: try asks()
    }
  }

  // MARK: - What happens

  private func bots(_ shop: Shop) -> [Caller] { [shop.webshop, shop.whatsapp] }

  private func opens(_ at: Int) throws {
    let shop = shops[at]
    let bot = bots(shop)[random.below(2)]
    var proven: [(String, String)] = []
    var claimed: [(String, String)] = []
    if random.chance(60), bot.holder == "webshop" {
      proven.append(("email", emails[random.below(emails.count)]))
    }
    if random.chance(40) { proven.append(("phone", phones[random.below(phones.count)])) }
    if random.chance(40) { claimed.append(("email", emails[random.below(emails.count)])) }
    var body: [String: Any] = [
      "customer": [
        "identities": proven.map { shop.identity($0.0, $0.1) }
          + claimed.map { shop.identity($0.0, $0.1, "claimed") }
      ]
    ]
    // In the order in which they were given out, so that a seed is a seed.
    if random.chance(20), !secrets.tokens.isEmpty {
      body["resume"] = secrets.tokens[random.below(secrets.tokens.count)]
    }
    let reply = try shop.call("POST", "/v1/sessions", body, by: bot)
    guard let session = reply.string("session"), let conversation = reply.string("conversation")
    else {
      return fail("a session opens: \(reply.text)")
    }
    let opened = secrets.opens(
      at, bot.holder, session, in: conversation, proven: proven.map { "\($0.0):\($0.1)" },
      resume: body["resume"] as? String, isContinued: reply.flag("continued") == true,
      gives: reply.string("resume"))
    ids += [session, conversation, reply.string("customer") ?? ""]
    note(
      "\(bot.holder)@\(at) opens \(proven.map(\.1)) claiming \(claimed.map(\.1)), resuming \(body["resume"] != nil) → \(conversation) of \(opened.node)"
    )
    search(reply, bot, at, in: session)
  }
  /// Where a session is now.
  private func place(_ index: Int) throws -> String {
    let shop = shops[secrets.sessions[index].workspace]
    guard let id = SessionID(secrets.sessions[index].id),
      let row = try shop.reader.session(shop.workspace, id)
    else { return "" }
    secrets.sessions[index].conversations.insert("\(row.conversation)")
    return "\(row.conversation)"
  }

  private func anySession(_ at: Int) -> Int? {
    secrets.sessions.indices.filter { secrets.sessions[$0].workspace == at }.randomElement(
      using: &random)
  }

  private func speaks(_ at: Int) throws {
    guard let index = anySession(at) else { return }
    let (session, conversation) = (secrets.sessions[index], try place(index))
    let words = secrets.mark(at, session.node, conversation, .customer)
    let caller = shops[at].caller(.bot, session.bot)
    search(
      try shops[at].call(
        "POST", "/v1/sessions/\(session.id)/messages", ["author": "customer", "text": words],
        by: caller), caller, at, in: session.id)
    if random.chance(30) {
      let learned = secrets.mark(at, session.node, conversation, .business)
      _ = try shops[at].call(
        "POST", "/v1/sessions/\(session.id)/learned", ["fields": ["secret": learned]], by: caller)
    }
  }

  private func handsOver(_ at: Int) throws {
    guard let index = anySession(at) else { return }
    let shop = shops[at]
    let session = secrets.sessions[index]
    let summary = secrets.mark(at, session.node, try place(index), .business)
    let handed = try shop.call(
      "POST", "/v1/sessions/\(session.id)/handoff", ["reason": "help", "summary": summary],
      by: shop.caller(.bot, session.bot))
    if let made = handed.string("case") { secrets.models[at].matters[made] = session.node }
    let offer = try shop.takes(shop.ann)
    search(offer, shop.ann, at)
    guard let id = offer.string("case"), let conversation = offer.string("conversation") else {
      return
    }
    ids += [id, conversation]
    let owner = try matter(of: id, at)
    let words = secrets.mark(at, owner, conversation, .internal)
    _ = try shop.call("POST", "/v1/cases/\(id)/note", ["text": words], by: shop.ann)
    let reply = secrets.mark(at, owner, conversation, .customer)
    _ = try shop.call("POST", "/v1/cases/\(id)/reply", ["text": reply], by: shop.ann)
    if random.chance(50) {
      _ = try shop.call(
        "POST", "/v1/cases/\(id)/hand-back",
        ["summary": secrets.mark(at, owner, conversation, .business)],
        by: shop.ann)
    }
  }

  /// Whose a case is: of the session that brought it about.
  private func matter(of id: String, _ at: Int) throws -> Reference.Node {
    if let known = secrets.models[at].matters[id] { return known }
    let shop = shops[at]
    let carrier = CaseID(id).flatMap { shop.pipeline.router.case($0)?.session }
    var node = carrier.flatMap { carrier in
      secrets.sessions.first { $0.id == "\(carrier)" }?.node
        ?? secrets.models[at].sessions["\(carrier)"]
    }
    // What goes on after a call may hang on a session that no request has named: of whose record?
    if node == nil, let carrier, let row = try shop.reader.session(shop.workspace, carrier) {
      let nodes = emails.map { "email:\($0)" } + phones.map { "phone:\($0)" }
      node = try nodes.first { try record(shop, $0) == row.customer.map { "\($0)" } }
    }
    secrets.models[at].matters[id] = node
    return node ?? "nobody"
  }

  /// An agent says of two conversations that they are one matter.
  private func joins(_ at: Int) throws {
    let conversations = ids.filter { $0.hasPrefix("conv") }
    guard let one = conversations.randomElement(using: &random),
      let other = conversations.randomElement(using: &random)
    else { return }
    let reply = try shops[at].call(
      "POST", "/v1/conversations/\(one)/join", ["with": other], by: shops[at].ann)
    note("join \(one) \(other) @\(at): \(reply.status)")
  }

  /// A shop's event, a call or a mail.
  private func tells(_ at: Int) throws {
    let shop = shops[at]
    switch random.below(3) {
    case 0:
      let email = emails[random.below(emails.count)]
      let arrival = secrets.models[at].arrives(proven: ["email:\(email)"])
      let event: [String: Any] = [
        "event": secrets.mark(at, arrival.node, nil, .business),
        "identities": [shop.identity("email", email)],
      ]
      search(try shop.call("POST", "/v1/journey", event, by: shop.till), shop.till, at)
    case 1:
      count += 1
      let call: [String: Any] = [
        "call": "c\(count)", "from": phones[random.below(phones.count)], "to": "+18005551212",
      ]
      let told = try shop.call("POST", "/v1/calls", call, by: shop.pbx)
      search(told, shop.pbx, at)
      if let session = told.string("session") {
        ids.append(session)
        let phone = "phone:\(call["from"] as? String ?? "")"
        secrets.models[at].sessions[session] = secrets.models[at].arrives(proven: [phone]).node
      }
      _ = try shop.call("POST", "/v1/calls/c\(count)/events", ["event": "hung_up"], by: shop.pbx)
    default:
      count += 1
      let (email, isProven) = (emails[random.below(emails.count)], random.chance(50))
      // What only claims to be from somebody is nobody's: its mark may be seen by agents alone.
      let words = secrets.mark(at, isProven ? "email:\(email)" : "nobody", "mail", .customer)
      let taken = try shop.mail(
        from: email, subject: "Matter \(count)", id: "l\(count)@home.example", words,
        isProven: isProven)
      let conversation = "\(taken.conversation)"
      if isProven { _ = secrets.models[at].arrives(proven: ["email:\(email)"]) }
      let entry = try shop.reader.entry(shop.workspace, taken.entry)
      if let session = entry?.session {
        secrets.models[at].sessions["\(session)"] = isProven ? "email:\(email)" : "nobody"
      }
      secrets.place(words, in: conversation)
      ids.append(conversation)
      note("mail \(email) proven \(isProven) @\(at) → \(conversation)")
    }
  }

  private func decides(_ at: Int) throws {
    let shop = shops[at]
    let (a, b) = (
      "email:\(emails[random.below(emails.count)])", "phone:\(phones[random.below(phones.count)])"
    )
    func find(_ node: Reference.Node) throws -> String? {
      let parts = node.split(separator: ":").map(String.init)
      return try shop.call(
        "GET", "/v1/customers?kind=\(parts[0])&value=\(parts[1].replacing("+", with: "%2B"))",
        by: shop.boss
      ).string("id")
    }
    guard let one = try find(a), let other = try find(b) else { return }
    if random.chance(60) {
      // By the records of their identities, as the page names them.
      if try record(shop, a) != nil, let first = try record(shop, a),
        let second = try record(shop, b)
      {
        let reply = try shop.call(
          "POST", "/v1/customers/\(first)/merge", ["with": second], by: shop.boss)
        note("merge \(a) \(b) @\(at): \(reply.status)")
        if reply.status == 200 {
          _ = secrets.models[at].merges(a, b)
          // Both come, and most likely into one talk.
          for node in [a, b] { try comes(node, at) }
        }
      }
    } else if let line = secrets.models[at].lines.randomElement(using: &random),
      let first = try record(shop, line.a),
      let second = try record(shop, line.b)
    {
      let reply = try shop.call(
        "POST", "/v1/customers/\(first)/split", ["from": second], by: shop.boss)
      if reply.status == 200 { _ = secrets.models[at].splits(line.a, line.b) }
      note("split \(line.a) \(line.b) @\(at): \(reply.status)")
      for index in secrets.sessions.indices where secrets.sessions[index].workspace == at {
        _ = try place(index)
        let (session, caller) = (
          secrets.sessions[index], shop.caller(.bot, secrets.sessions[index].bot)
        )
        for target in ["events?after=0", "brief"] {
          search(
            try shop.call("GET", "/v1/sessions/\(session.id)/\(target)", by: caller), caller, at,
            in: session.id)
        }
      }
    }
    ids += [one, other]
  }

  /// Somebody whom all know chats, and says a word.
  private func comes(_ node: Reference.Node, _ at: Int) throws {
    let shop = shops[at]
    let parts = node.split(separator: ":").map(String.init)
    let talk = try shop.open([(parts[0], parts[1])])
    _ = secrets.opens(
      at, "webshop", talk.session, in: talk.conversation, proven: [node],
      gives: talk.opened.string("resume"))
    ids += [talk.session, talk.conversation]
    note("\(node)@\(at) comes → \(talk.conversation)")
    search(talk.opened, shop.webshop, at, in: talk.session)
    try shop.says(secrets.mark(at, node, talk.conversation, .customer), talk)
  }

  private func record(_ shop: Shop, _ node: Reference.Node) throws -> String? {
    let parts = node.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let kind = IdentityKind(name: String(parts[0])) else { return nil }
    let identity = Identity(kind: kind, value: String(parts[1]))
    return try shop.reader.identity(shop.workspace, hash: shop.api.hash(identity)).map {
      "\($0.customer)"
    }
  }

  private func uploads(_ at: Int) throws {
    guard let index = anySession(at) else { return }
    let (shop, session) = (shops[at], secrets.sessions[index])
    let caller = shop.caller(.bot, session.bot)
    let words = secrets.mark(at, session.node, try place(index), .customer)
    let kept = try Reply(shop.upload(Array(words.utf8), by: caller))
    guard let blob = kept.string("blob") else { return }
    ids.append(blob)
    _ = try shop.call(
      "POST", "/v1/sessions/\(session.id)/messages",
      ["author": "customer", "text": "see", "attachments": [blob]], by: caller)
  }

  /// Anybody asks for anything, by any id that was ever seen anywhere.
  private func asks() throws {
    let at = random.below(2)
    let shop = shops[at]
    let everybody = [
      shop.webshop, shop.whatsapp, shop.ann, shop.bob, shop.boss, shop.till, shop.pbx,
      shop.caller(.admin, "root"),
    ]
    for _ in 0..<6 {
      let caller = everybody[random.below(everybody.count)]
      let id = ids.randomElement(using: &random) ?? "cust_0"
      let targets = [
        "/v1/sessions/\(id)/events?after=0", "/v1/sessions/\(id)/brief", "/v1/customers/\(id)",
        "/v1/customers/\(id)/timeline",
        "/v1/customers/\(id)/timeline?after=0", "/v1/customers/\(id)/timeline?format=text",
        "/v1/cases/\(id)",
        "/v1/conversations/\(id)", "/v1/blobs/\(id)",
      ]
      // Half of the time ask with the right kind of id, so that rights decide and not the form.
      let target = targets.filter { $0.contains(prefix(of: id)) || random.chance(20) }
        .randomElement(using: &random)
      guard let target else { continue }
      search(
        try shop.call("GET", target, by: caller), caller, at,
        in: target.contains("/sessions/") ? id : nil)
    }
  }

  private func prefix(of id: String) -> String {
    switch id.prefix(4) {
    case "sess": "/sessions/"
    case "cust": "/customers/"
    case "case": "/cases/"
    case "conv": "/conversations/"
    case "blob": "/blobs/"
    default: "/"
    }
  }

  // MARK: - What may be seen

  /// - Parameter session: the one that was asked about: a bot may not see in it what another of its
  ///   sessions may.
  private func search(_ reply: Reply, _ caller: Caller, _ at: Int, in session: String? = nil) {
    let reader = Secrets.Reader(at, caller.scope.rawValue, caller.holder)
    for mark in Secrets.marks(in: Array(reply.text.utf8)) {
      seen += 1
      guard !secrets.maySee(mark, reader, in: session) else { continue }
      fail(
        "\(caller.scope) \(caller.holder) of workspace \(at) was shown \(secrets.story(mark))")
    }
  }

  private func note(_ line: String) { trace.append(line) }
  private func fail(_ sentence: String) {
    guard !hasFailed else { return }
    hasFailed = true
    Issue.record(
      "seed \(seed), step \(trace.count): \(sentence)\n\(trace.suffix(40).joined(separator: "\n"))")
  }
}
