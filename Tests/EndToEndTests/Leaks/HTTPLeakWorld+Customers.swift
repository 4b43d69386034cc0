import Model
import PlainReference

/// What customers and their bots do, and whoever tells of them.
extension HTTPLeakWorld {
  private func identity(_ node: Reference.Node, _ assurance: String) -> Body {
    let parts = node.split(separator: ":", maxSplits: 1).map(String.init)
    return ["kind": .text(parts[0]), "value": .text(parts[1]), "assurance": .text(assurance)]
  }
  private func anyEmail() -> Reference.Node {
    "email:" + LeakPlace.emails[random.below(LeakPlace.emails.count)]
  }
  private func anyPhone() -> Reference.Node {
    "phone:" + LeakPlace.phones[random.below(LeakPlace.phones.count)]
  }

  // MARK: - Chats

  func opens(_ at: Int) throws {
    let isRobin = random.chance(60)
    var proven: [Reference.Node] = []
    if isRobin, random.chance(60) { proven.append(anyEmail()) }
    if random.chance(40) { proven.append(anyPhone()) }
    var identities = proven.map { identity($0, "asserted") }
    if random.chance(40) { identities.append(identity(anyEmail(), "claimed")) }
    var (words, personal) = ([String](), [String]())
    func mark(_ percent: Int, _ visibility: Secrets.Visibility, _ list: inout [String]) -> Body? {
      guard random.chance(percent) else { return nil }
      list.append(secrets.mark(at, "nobody", nil, visibility))
      return .text(list.last ?? "")
    }
    if let claim = mark(25, .internal, &personal) {
      identities.append(["kind": "external", "value": claim])
    }
    var customer: [(String, Body)] = [("identities", .list(identities))]
    if let name = mark(40, .business, &personal) { customer.append(("name", name)) }
    if let attribute = mark(25, .business, &personal) {
      customer.append(("attributes", ["note": attribute]))
    }
    var body: [(String, Body)] = [("customer", .object(customer))]
    if let context = mark(25, .business, &words) { body.append(("context", ["secret": context])) }
    let resume =
      random.chance(25) && !secrets.tokens.isEmpty
      ? secrets.tokens[random.below(secrets.tokens.count)] : nil
    if let resume { body.append(("resume", .text(resume))) }
    let bot = caller(at, "bot", isRobin ? "robin" : "rival")
    if let opened = try open(bot, .object(body), proven, resume) {
      for mark in words + personal { secrets.belongs(mark, to: opened.node) }
      for mark in words { secrets.place(mark, in: opened.conversations.first) }
      if random.chance(70) { try speaks(at, in: secrets.sessions.count - 1) }
    } else {
      for mark in words + personal { secrets.forget(mark) }
    }
  }

  /// Somebody whom all know chats.
  func comes(_ node: Reference.Node, _ at: Int) throws {
    let body: Body = ["customer": ["identities": [identity(node, "asserted")]]]
    _ = try open(caller(at, "bot", "robin"), body, [node], nil)
    try speaks(at, in: secrets.sessions.count - 1)
  }

  private func open(
    _ bot: Caller, _ body: Body, _ proven: [Reference.Node], _ resume: String?
  ) throws -> Secrets.Session? {
    count += 1
    let key = "key \(count)"
    let reply = try send([request("POST", "/v1/sessions", body, by: bot, key: key)])[0]
    guard reply.status == 201 else {
      fail("no session: \(reply)")
      return nil
    }
    let opened = secrets.opens(
      bot.at, bot.reader.holder, reply["session"].text, in: reply["conversation"].text,
      proven: proven, resume: resume, isContinued: reply["continued"].description == "true",
      gives: reply["resume"].string)
    note(
      "\(bot.reader.holder)@\(bot.at) opens \(opened.id) \(proven) \(resume == nil ? "" : "resuming ")"
        + "→ \(reply["conversation"].text) of \(opened.node)")
    // Of somebody new, whom nothing is known of, this is the record.
    if !opened.isProven, reply["continued"].description == "false",
      let customer = CustomerID(reply["customer"].text)
    {
      nameless[bot.at][customer] = opened.node
    }
    look(
      at: reply, "POST /v1/sessions", bot, Asked(kind: .known, session: opened.id))
    ids += ["session", "conversation", "customer"].map { (reply[$0].text, bot.at) }
    openings.append((bot, body, key, opened.id))
    subscribe(opened.id, listeners)
    follow(reply["customer"].text, listeners)
    return opened
  }

  func anySession(_ at: Int) -> Int? {
    secrets.sessions.indices.filter { secrets.sessions[$0].workspace == at }.randomElement(
      using: &random)
  }

  func speaks(_ at: Int, in one: Int? = nil) throws {
    guard let index = one ?? anySession(at) else { return }
    let (conversation, session) = (try place(index), secrets.sessions[index])
    let bot = caller(at, "bot", session.bot)
    let words = secrets.mark(at, session.node, conversation, .customer)
    let said = try call(
      "POST", "/v1/sessions/\(session.id)/messages",
      ["author": random.chance(80) ? "customer" : "bot", "text": .text(words)], by: bot,
      Asked(session: session.id))
    keep(words, said)
    guard random.chance(30) else { return }
    let learned = secrets.mark(at, session.node, conversation, .business)
    let told = try call(
      "POST", "/v1/sessions/\(session.id)/learned",
      ["fields": ["secret": .text(learned)], "promised": [.text(learned)]], by: bot,
      Asked(session: session.id))
    keep(learned, told)
  }

  /// What was refused was never said.
  func keep(_ mark: String, _ reply: Reply) {
    guard reply.status == 201 else { return secrets.forget(mark) }
    entries[mark] = reply["entry"].int
  }

  func uploads(_ at: Int) throws {
    guard let index = anySession(at) else { return }
    let (conversation, session) = (try place(index), secrets.sessions[index])
    let bot = caller(at, "bot", session.bot)
    let words = secrets.mark(at, session.node, conversation, .customer)
    var upload = request("POST", "/v1/blobs?name=a.txt", by: bot)
    upload.body = Array(words.utf8)
    upload.headers.append(("Content-Type", "text/plain"))
    guard let blob = try send([upload])[0]["blob"].string else { return secrets.forget(words) }
    let sent = try call(
      "POST", "/v1/sessions/\(session.id)/messages",
      ["author": "customer", "text": "see", "attachments": [.text(blob)]], by: bot)
    // Attached to nothing it is nobody's, and goes with nobody.
    if sent.status != 201 { return secrets.forget(words) }
    ids.append((blob, at))
  }

  // MARK: - Shops, phones and mail

  func tells(_ at: Int) throws {
    var proven = [anyEmail()]
    if random.chance(25) { proven.append(anyPhone()) }
    let node = secrets.models[at].arrives(proven: proven).node
    let (event, detail) = (
      secrets.mark(at, node, nil, .business), secrets.mark(at, node, nil, .business)
    )
    let body: Body = [
      "event": .text(event), "detail": ["secret": .text(detail)],
      "attributes": ["note": .text(detail)],
      "identities": .list(proven.map { identity($0, "asserted") }),
    ]
    let told = try call("POST", "/v1/journey", body, by: caller(at, "integration", "till"))
    if told.status != 201 { fail("a journey is refused: \(told)") }
    entries[event] = told["entry"].int
    note("till@\(at) tells of \(proven): \(event)")
  }

  func calls(_ at: Int) throws {
    count += 1
    let (node, hook) = (anyPhone(), caller(at, "telephony", "hook"))
    let arrived = secrets.models[at].arrives(proven: [node]).node
    let (reason, known) = (
      secrets.mark(at, arrived, nil, .business), secrets.mark(at, arrived, nil, .business)
    )
    let told = try call(
      "POST", "/v1/calls",
      [
        "call": "call \(count)", "from": .text(String(node.dropFirst(6))),
        "to": .text(LeakPlace.dialled(at)), "reason": .text(reason),
        "known": ["secret": .text(known)],
      ], by: hook)
    guard let session = told["session"].string, let id = SessionID(session),
      let conversation = try reads().session(workspace(at), id)?.conversation
    else { return fail("a call is not taken: \(told)") }
    ids += [(session, at), ("\(conversation)", at)]
    let said = secrets.mark(at, arrived, "\(conversation)", .customer)
    for mark in [reason, known] { secrets.place(mark, in: "\(conversation)") }
    let events = "/v1/calls/call%20\(count)/events"
    _ = try call(
      "POST", events, ["event": "speech", "text": .text(said), "confidence": 1], by: hook)
    _ = try call("POST", events, ["event": "hung_up"], by: hook)
    note("\(node)@\(at) calls → \(conversation)")
  }

  func mails(_ at: Int) throws {
    count += 1
    let (node, isProven) = (anyEmail(), random.chance(60))
    let address = String(node.dropFirst(6))
    // What only claims to be from somebody is nobody's: its marks may be seen by agents alone.
    let owner = isProven ? secrets.models[at].arrives(proven: [node]).node : "nobody"
    let (words, subject) = (
      secrets.mark(at, owner, "a mail", .customer), secrets.mark(at, owner, "a mail", .customer)
    )
    var letter = Letter(from: address, to: LeakPlace.mailbox(at), text: words)
    (letter.id, letter.subject) = ("<m\(count)@home.example>", "about \(subject)")
    if isProven {
      letter.headers = [
        "Authentication-Results: relay.shop.example; dmarc=pass header.from=home.example"
      ]
    }
    let code = try deliver(letter)
    if code != 250 { fail("a mail is answered \(code)") }
    note("mail of \(node)@\(at), proven \(isProven): \(words)")
    guard isProven, let customer = try record(node, at) else { return }
    let page = try call(
      "GET", "/v1/customers/\(customer)/timeline?limit=5", by: boss(at),
      Asked(kind: .timeline, of: node))
    for entry in page.json.said where entry["text"].text.contains(words) {
      entries[words] = entry["entry"].int
      for mark in [words, subject] { secrets.place(mark, in: entry["conversation"].string) }
      ids.append((entry["conversation"].text, at))
    }
  }
}
