import PlainReference

/// Anybody asks for anything, by any id that was ever seen anywhere.
extension HTTPLeakWorld {
  private typealias Question = (call: HTTPCall, by: Caller, asked: Asked)

  /// Many at once on one connection, each by somebody else.
  func asks(_ at: Int) throws {
    let questions = try (0..<10).compactMap { _ in try question(at) }
    let replies = try send(questions.map(\.call))
    for (question, reply) in zip(questions, replies) {
      look(
        at: reply, "\(question.call.method) \(question.call.target)", question.by, question.asked)
    }
  }

  private func question(_ at: Int) throws -> Question? {
    switch random.below(11) {
    case 0: return try about(Self.nodes[random.below(Self.nodes.count)], at)
    case 1: return again()
    case 2, 3: return search(at)
    case 4: return page(at)
    case 5: return ids.filter { $0.text.hasPrefix("blob") }.randomElement(using: &random).map(byID)
    case 6: return secrets.sessions.randomElement(using: &random).map(ofSession)
    default: return ids.randomElement(using: &random).map(byID)
    }
  }

  private func anybody() -> Caller { callers[random.below(callers.count)] }

  /// A case, a customer, a conversation, an attachment, a session.
  private func byID(_ id: (text: String, at: Int)) -> Question {
    // Half of the time by whoever works there, so that something is shown.
    let who = random.chance(50) ? anybody() : boss(id.at)
    var asked = Asked(owner: id.at)
    let targets: [String]
    switch id.text.prefix(4) {
    case "cust":
      targets = [
        "", "/timeline", "/timeline?after=0", "/timeline?format=text", "/timeline?limit=3",
      ]
      .map { "/v1/customers/\(id.text)\($0)" }
      asked.kind = .timeline
    case "case":
      targets = ["/v1/cases/\(id.text)", "/v1/explain?case=\(id.text)"]
      asked.kind = .aCase
    case "conv": targets = ["/v1/conversations/\(id.text)"]
    case "blob":
      asked.kind = .blob
      // A bot sees its own, and what came to a customer of its own.
      let bot = caller(id.at, "bot", random.chance(50) ? "robin" : "rival")
      let who = random.chance(50) ? bot : anybody()
      return (request("GET", "/v1/blobs/\(id.text)", by: who), who, asked)
    default:
      targets = ["/v1/sessions/\(id.text)/events?after=0", "/v1/sessions/\(id.text)/brief"]
      asked.session = id.text
    }
    return (request("GET", targets[random.below(targets.count)], by: who), who, asked)
  }

  /// What a bot may hear of its session, or whatever another hears of it.
  private func ofSession(_ session: Secrets.Session) -> Question {
    let own = caller(session.workspace, "bot", session.bot)
    let who = random.chance(70) ? own : anybody()
    let isBrief = random.chance(50)
    var asked = Asked(kind: isBrief ? .brief : .events, session: session.id)
    asked.isWhole = isBrief
    asked.owner = session.workspace
    let what = isBrief ? "brief" : "events?after=0&wait=0"
    return (request("GET", "/v1/sessions/\(session.id)/\(what)", by: who), who, asked)
  }

  func asks(of session: Secrets.Session) throws {
    let own = caller(session.workspace, "bot", session.bot)
    for what in ["events?after=0", "brief"] {
      let isBrief = what == "brief"
      try call(
        "GET", "/v1/sessions/\(session.id)/\(what)", by: own,
        Asked(kind: isBrief ? .brief : .events, session: session.id, isWhole: isBrief))
    }
  }

  /// What is kept of a case, and what the rules saw of it.
  func asksOfEveryCase(_ at: Int) throws {
    for id in ids.filter({ $0.at == at && $0.text.hasPrefix("case") }).map(\.text) {
      try call("GET", "/v1/cases/\(id)", by: boss(at), Asked(kind: .aCase))
      try call("GET", "/v1/explain?case=\(id)", by: boss(at), Asked(kind: .explain))
      try call(
        "POST", "/v1/rules/explain", ["case": .text(id)], by: boss(at), Asked(kind: .explain))
    }
  }

  /// Of one person alone, whoever asks.
  private func about(_ node: Reference.Node, _ at: Int) throws -> Question? {
    guard let record = try record(node, at) else { return nil }
    let parts = node.replacing("+", with: "%2B").split(separator: ":")
    let targets = [
      "/v1/customers/\(record)/timeline?limit=1000", "/v1/customers/\(record)/timeline?format=text",
      "/v1/customers/\(record)", "/v1/customers?kind=\(parts[0])&value=\(parts[1])",
      "/v1/search?q=mark*&limit=100&customer=\(record)",
    ]
    let which = random.below(targets.count)
    let who = random.chance(60) ? boss(at) : anybody()
    var asked = Asked(kind: which < 2 ? .timeline : which < 4 ? .customer : .search, of: node)
    // By an identity the other shop finds its own customer.
    if which == 3 { asked.of = nil } else { asked.owner = at }
    return (request("GET", targets[which], by: who), who, asked)
  }

  private func search(_ at: Int) -> Question {
    let mark = secrets.secrets.keys.sorted().randomElement(using: &random) ?? "mark1end"
    var target = "/v1/search?limit=100&q=" + (random.chance(50) ? mark : "mark*")
    let filters = ["channel=chat", "channel=phone", "queue=support", "agent=a1", "before=50"]
    if random.chance(40) { target += "&" + filters[random.below(filters.count)] }
    let who = random.chance(50) ? anybody() : caller(at, "agent", "a2")
    return (request("GET", target, by: who), who, Asked(kind: .search))
  }

  /// An opening under its key shows what is theirs by now; under another's token it is no outcome.
  private func again() -> Question? {
    guard let (bot, body, key, session) = openings.randomElement(using: &random) else { return nil }
    let others = callers.filter { $0.scope != "bot" }
    let who = random.chance(70) ? bot : others[random.below(others.count)]
    return (
      request("POST", "/v1/sessions", body, by: who, key: key), who,
      Asked(kind: .known, session: session)
    )
  }

  /// Pages that tell of nobody, and what is wrong.
  private func page(_ at: Int) -> Question {
    let pages = [
      "/", "/health", "/metrics", "/v1/queues", "/v1/queues?workspace=\(LeakPlace.names[at])",
      "/v1/agents/me", "/v1/agents", "/v1/agents/a1", "/v1/explain?agent=a1", "/v1/rules",
      "/v1/nowhere", "/v1/cases/nobody", "/v1/search?q=", "/v1/search?quarry=mark1end",
      "/v1/customers?kind=fax&value=1", "/v1/stream",
    ]
    let who = anybody()
    let page = pages[random.below(pages.count)]
    // These are open, and tell of nobody.
    let isOpen = ["/", "/health"].contains(page)
    let reader = isOpen ? Caller(reader: .init(at, "anybody", ""), token: who.token) : who
    return (request("GET", page, by: who), reader, Asked())
  }
}
