import Foundation
import Model
import PlainReference

/// What agents, supervisors and administrators do.
extension HTTPLeakWorld {
  // MARK: - Cases

  func handsOver(_ at: Int) throws {
    guard let index = anySession(at) else { return }
    let (conversation, session) = (try place(index), secrets.sessions[index])
    let marks = (0..<3).map { _ in secrets.mark(at, session.node, conversation, .business) }
    let handed = try call(
      "POST", "/v1/sessions/\(session.id)/handoff",
      [
        "reason": .text(marks[0]), "summary": .text(marks[1]),
        "fields": ["secret": .text(marks[2])],
      ], by: caller(at, "bot", session.bot), Asked(session: session.id))
    if handed.status == 201 {
      ids.append((handed["case"].text, at))
      note("\(session.id) is handed over: \(handed["case"].text)")
    } else {
      for mark in marks { secrets.forget(mark) }
    }
    try takes(at)
  }

  /// Whoever is offered something takes it.
  private func takes(_ at: Int) throws {
    for name in ["a1", "a2"] {
      let agent = caller(at, "agent", name)
      let me = try call("GET", "/v1/agents/me", by: agent)
      var offer = me["offers"][0]
      if offer.isAbsent, me["waiting"]["next_would_bring"].int ?? 0 > 0 {
        offer = try call("POST", "/v1/agents/me/next?wait=0", by: agent, Asked(kind: .aCase)).json
      }
      guard let id = offer["offer"].string else { continue }
      let taken = try call("POST", "/v1/offers/\(id)/accept", by: agent)
      guard taken.status == 200 else { continue }
      let aCase = offer["case"].text
      held.append(Held(agent: agent, id: aCase))
      ids += [(aCase, at), (offer["conversation"].text, at)]
      note("\(name)@\(at) takes \(aCase) of \(try matter(aCase, at).node)")
    }
  }

  func works(_ at: Int) throws {
    try takes(at)
    let open = held.indices.filter { held[$0].agent.at == at }
    guard let index = open.randomElement(using: &random) else { return }
    let (agent, id) = (held[index].agent, held[index].id)
    let matter = try matter(id, at)
    func says(_ what: String, _ field: String, _ visibility: Secrets.Visibility) throws -> Reply {
      let words = secrets.mark(at, matter.node, matter.conversation, visibility)
      let said = try call(
        "POST", "/v1/cases/\(id)/\(what)", .object([(field, .text(words))]), by: agent)
      note("\(agent.reader.holder)@\(at) \(what) \(id): \(said.status)")
      if said.status == 201 { entries[words] = said["entry"].int } else { secrets.forget(words) }
      return said
    }
    let noted = try says("note", "text", .internal)
    _ = try says("reply", "text", .customer)
    switch random.below(5) {
    case 0 where noted.status == 201:
      if try says("hand-back", "summary", .business).status != 201 { return }
    case 1: _ = try call("POST", "/v1/cases/\(id)/close", by: agent)
    case 2 where noted.status == 201:
      if try says("transfer", "reason", .business).status != 201 { return }
    default: if noted.status == 201 { return }
    }
    held.remove(at: index)
  }

  // MARK: - Who is whom

  /// Two conversations are one matter, or are two again.
  func joins(_ at: Int) throws {
    let all = ids.filter { $0.at == at && $0.text.hasPrefix("conv") }
    let agent = caller(at, "agent", "a1")
    for _ in 0..<4 {
      guard let one = all.randomElement(using: &random),
        let other = all.randomElement(using: &random)
      else { return }
      let joined = try call(
        "POST", "/v1/conversations/\(one.text)/join", ["with": .text(other.text)], by: agent)
      note("join \(one.text) \(other.text)@\(at): \(joined.status)")
      guard joined.status == 201 else { continue }
      try placeAll(at)
      guard random.chance(40) else { return }
      let before = secrets
      _ = try call(
        "POST", "/v1/conversations/\(one.text)/part", ["from": .text(other.text)], by: agent)
      try placeAll(at)
      return try shrank(since: before)
    }
  }

  func decides(_ at: Int) throws {
    let nodes = Self.nodes.shuffled(using: &random)
    if random.chance(55) {
      guard let one = try record(nodes[0], at), let other = try record(nodes[1], at) else { return }
      let merged = try call(
        "POST", "/v1/customers/\(one)/merge", ["with": .text("\(other)")], by: boss(at))
      note("merge \(nodes[0]) \(nodes[1])@\(at): \(merged.status)")
      guard merged.status == 200 else { return }
      _ = secrets.models[at].merges(nodes[0], nodes[1])
      // Both come, and most likely into one talk.
      for node in nodes.prefix(2) { try comes(node, at) }
    } else if let line = secrets.models[at].lines.randomElement(using: &random),
      let one = try record(line.a, at), let other = try record(line.b, at)
    {
      let before = secrets
      let split = try call(
        "POST", "/v1/customers/\(one)/split", ["from": .text("\(other)")], by: boss(at))
      note("split \(line.a) \(line.b)@\(at): \(split.status)")
      guard split.status == 200 else { return }
      _ = secrets.models[at].splits(line.a, line.b)
      try placeAll(at)
      try shrank(since: before)
      try asksOfEverySession(at)
    }
  }

  func asksOfEverySession(_ at: Int) throws {
    for session in secrets.sessions where session.workspace == at {
      try asks(of: session)
    }
  }

  // MARK: - What is taken out

  func redacts(_ at: Int) throws {
    let known = entries.filter { secrets.secrets[$0.key]?.workspace == at }
    guard
      let (mark, entry) = known.sorted(by: { $0.value < $1.value }).randomElement(using: &random)
    else { return }
    entries[mark] = nil
    let (target, words) = ("/v1/entries/\(entry)/redact", Body.object([("words", .text(mark))]))
    for stranger in callers
    where stranger.at != at || !["agent", "supervisor", "admin"].contains(stranger.scope) {
      guard random.chance(30) else { continue }
      let tried = try call("POST", target, words, by: stranger)
      if tried.status < 400 { fail("\(stranger.scope) takes words out: \(tried)") }
    }
    let before = secrets
    let done = try call(
      "POST", target, words, by: random.chance(50) ? boss(at) : caller(at, "agent", "a1"))
    note("redact \(mark) of \(entry)@\(at): \(done.status)")
    guard done.status == 201 else { return }
    secrets.takeOut(mark)
    try shrank(since: before)
    try asksOfEveryCase(at)
  }

  func erases(_ at: Int) throws {
    let node = Self.nodes[random.below(Self.nodes.count)]
    guard try record(node, at) != nil else { return }
    let before = secrets
    // Whose records they were is known only as long as they have identities.
    let records = try secrets.models[at].person(node).reduce(into: [:]) {
      $0[$1] = try record($1, at)
    }
    let done = try administer(
      "/admin/erase", ["identity": .text(node), "workspace": .text(LeakPlace.names[at])])
    note("erase \(node)@\(at): \(done.status)")
    guard done.status == 200 else { return fail("nobody is erased: \(done)") }
    let names = secrets.erases(node, at)
    nameless[at] = nameless[at].mapValues { names[$0] ?? $0 }
    for (node, record) in records { nameless[at][record] = names[node] }
    try placeAll(at)
    try shrank(since: before)
    try asksOfEverySession(at)
    try asksOfEveryCase(at)
  }

  /// All that is kept of one person, and nothing of another.
  func exports(_ at: Int) throws {
    let node = Self.nodes[random.below(Self.nodes.count)]
    guard try record(node, at) != nil else { return }
    count += 1
    let folder = server.folder.path + "/export-\(count)"
    let done = try administer(
      "/admin/export",
      [
        "identity": .text(node), "workspace": .text(LeakPlace.names[at]), "to": .text(folder),
      ])
    guard done.status == 200 else { return fail("nobody is exported: \(done)") }
    for file in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") ?? Data()
      look(
        in: Array(bytes), "the export \(file)", caller(at, "admin", "root"),
        Asked(kind: .export, of: node))
    }
  }
}
