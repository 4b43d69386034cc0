import Model
import Records
import WebCodec
import Wire

/// Full-text search over what a workspace's customers, bots and agents have said.
extension API {
  func search(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    // Whoever may read any customer's timeline may look for words in them.
    try need(caller, .agent, .supervisor, .admin)
    guard let words = request.query("q"), words.contains(where: { !$0.isWhitespace }) else {
      throw APIProblem(
        422, "missing-field", "Look for what?", "q is required: the words to look for", field: "q")
    }
    guard words.utf8.count <= 1_000 else {
      throw APIProblem(422, "too-long", "Too long", "q may have 1000 bytes", field: "q")
    }
    guard words.split(whereSeparator: \.isWhitespace).count <= SearchQuery.wordsMax else {
      throw APIProblem(
        422, "too-many-words", "Too many words", "q may have \(SearchQuery.wordsMax) words",
        field: "q")
    }
    var query = SearchQuery(words: words)
    query.bytesMax = PageBound.bytesMax
    query.limit = Int(try number(request, "limit", 1...100) ?? 20)
    query.before = EntryID(try number(request, "before", 1...Int64.max) ?? .max)
    query.from = try instant(request, "from")
    query.until = try instant(request, "until")
    if let name = request.query("channel") {
      guard let channel = Channel(name: name) else {
        throw unknown("channel", name, Channel.allCases.map(\.name))
      }
      query.channel = channel
    }
    if let name = request.query("queue") {
      guard let queue = directory.queueNames.first(where: { $0.value == name })?.key else {
        throw unknown("queue", name, directory.queueNames.values.sorted())
      }
      query.queue = queue
    }
    if let name = request.query("agent") {
      guard let agent = directory.agentNames.first(where: { $0.value == name })?.key else {
        throw unknown("agent", name, directory.agentNames.values.sorted())
      }
      query.agent = agent
    }
    let customer: CustomerID? =
      if let text = request.query("customer") { try id(text) } else { nil }
    let workspace = directory.workspace
    return .read { [self, query] reads throws(StoreFault) in
      let (response, shown) = try reads.snapshot {
        reads throws(StoreFault) -> (APIResponse, [CustomerID]) in
        var query = query
        if let customer {
          guard let root = try reads.customer(workspace, customer)?.root else {
            return (APIResponse(.notFound("customer")), [])
          }
          query.customers = try reads.merged(workspace, into: root).map(\.id)
        }
        let page = try reads.search(workspace, query, words: SearchText.words)
        let (response, shown) = try Self.response(page, workspace, reads)
        return (response, Array(Set(shown)).sorted())
      }
      record(.search, by: caller, of: shown)
      return response
    }
  }

  private func instant(_ request: APIRequest, _ name: String) throws(APIProblem) -> Instant? {
    guard let text = request.query(name) else { return nil }
    guard let at = Instant(rfc3339: text) else {
      throw APIProblem(
        422, "wrong-value", "Not a time", "\(name) must be a time such as 2026-11-25T09:30:00Z",
        field: name)
    }
    return at
  }

  private func unknown(_ what: String, _ name: String, _ known: [String]) -> APIProblem {
    APIProblem(
      422, "wrong-value", "Unknown \(what)",
      "there is no \(what) \"\(name.prefix(60))\"; there are \(Listing.of(known))", field: what)
  }

  /// `entry` is spliced in as it is stored. `seen` says how far the index has come, and `last`
  /// which entry is the last there is. `damaged` counts what would stand here and cannot be read.
  private static func response(
    _ page: SearchPage, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) -> (APIResponse, shown: [CustomerID]) {
    var out = Array("{\"hits\":[".utf8)
    var damaged = page.damaged.count
    var shown: [CustomerID] = []
    for hit in page.hits where !hit.entry.wasRedacted(after: page.seen) {
      let root: CustomerID
      do throws(StoreFault) {
        root = try reads.customer(workspace, hit.entry.customer)?.root ?? hit.entry.customer
      } catch {
        guard case .corrupt = error else { throw error }
        damaged += 1
        continue
      }
      if !shown.isEmpty { out.append(UInt8(ascii: ",")) }
      shown.append(hit.entry.customer)
      out += Array("{\"customer\":\"\(root)\",\"excerpt\":[".utf8)
      for (index, piece) in hit.excerpt.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        out += Array("{\"text\":".utf8)
        JSONText.append(piece.text, to: &out)
        out += Array((piece.isMatch ? ",\"match\":true}" : "}").utf8)
      }
      out += Array("],\"hash\":\"\(Hex.encode(hit.entry.hash.bytes))\",\"entry\":".utf8)
      out += hit.entry.body ?? Array("null".utf8)
      out.append(UInt8(ascii: "}"))
    }
    out += Array(
      "],\"older\":\(page.older.map { "\($0)" } ?? "null"),\"seen\":\(page.seen),\"last\":\(page.last)"
        .utf8)
    if damaged > 0 { out += Array(",\"damaged\":\(damaged)".utf8) }
    out.append(UInt8(ascii: "}"))
    return (APIResponse(200, json: out), shown)
  }
}

extension EntryRow {
  /// Words were taken out of it, and an index that has come so far does not know: it was found by what
  /// it said, and an excerpt would still say it.
  fileprivate func wasRedacted(after seen: EntryID) -> Bool {
    guard case .int(let teller)? = parsed?["redacted"] else { return false }
    return teller > seen.raw
  }
}
