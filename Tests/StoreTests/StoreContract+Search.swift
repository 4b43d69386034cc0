import Model
import Records
import Store
import Testing

extension StoreContract {
  /// The body itself is the words; entries of even number come by mail, the others by chat.
  static let words: @Sendable (EntryRow) -> EntryWords = { entry in
    EntryWords(
      text: String(decoding: entry.body ?? [], as: UTF8.self),
      channel: entry.id.raw % 2 == 0 ? .email : .chat)
  }

  static func said(
    _ number: Int64, _ text: String, customer: Int = 1, conversation: Int? = 1,
    visibility: Visibility = .customer
  ) -> EntryRow {
    var entry = Samples.entry(
      number, customer: customer, conversation: conversation, visibility: visibility)
    entry.body = Array(text.utf8)
    entry.hash = Checksum.sha256(Array(text.utf8))
    return entry
  }

  private static func filled(_ store: any Store) throws -> WorkspaceID {
    let workspace = try store.addWorkspace(named: "demo").id
    let other = try store.addWorkspace(named: "other").id
    var commit = Commit(workspace: workspace)
    commit.entries = [
      said(1, "My order never came"), said(2, "Which order, please?"),
      said(3, "The blue Krümel cup, order 4711", customer: 2, conversation: 2),
      said(4, "note: order is a fraud", conversation: 1, visibility: .internal),
      said(5, "never mind\u{2}order\u{3}", customer: 3, conversation: nil),
    ]
    commit.cases = [Samples.aCase(1, conversation: 1), Samples.aCase(2, conversation: 2)]
    commit.cases[0].queue = 7
    commit.cases[1].agent = 9
    var theirs = Commit(workspace: other)
    theirs.entries = [said(1, "our own order")]
    try store.commit([commit, theirs])
    for each in [workspace, other] { #expect(try store.index(each, limit: 100, words: words)) }
    return workspace
  }

  private static func find(
    _ reader: any StoreReader, _ workspace: WorkspaceID, _ typed: String,
    _ change: (inout SearchQuery) -> Void = { _ in }
  ) throws -> [Int64] {
    var query = SearchQuery(words: typed)
    change(&query)
    return try reader.search(workspace, query).hits.map(\.entry.id.raw)
  }

  static func searchFinds(_ store: any Store) throws {
    let workspace = try filled(store)
    let reader = try store.reader()
    #expect(
      try find(reader, workspace, "order") == [5, 4, 3, 2, 1],
      "newest first, of this workspace alone")
    #expect(
      try find(reader, workspace, "ORDER never") == [5, 1], "all the words, in any order and case")
    #expect(try find(reader, workspace, "\"order never\"") == [1], "a phrase")
    #expect(try find(reader, workspace, "krumel") == [3], "without its dots")
    #expect(try find(reader, workspace, "krüm*") == [3])
    #expect(try find(reader, workspace, "krüm").isEmpty)
    #expect(try find(reader, workspace, "order -never -note") == [3, 2])
    #expect(try find(reader, workspace, "-never").isEmpty, "without alone finds nothing")
    for typed in [
      "", "*", "\"", "-", "\"\"", "…!?", "AND", "NOT", "NEAR(", "text:order", "order OR", "^order",
      "'", "(", "\u{0}",
    ] {
      _ = try find(reader, workspace, typed)
    }
    #expect(
      try find(reader, workspace, "order ???") == [5, 4, 3, 2, 1], "what has no letters is left out"
    )
  }

  static func searchFilters(_ store: any Store) throws {
    let workspace = try filled(store)
    let reader = try store.reader()
    #expect(
      try find(reader, workspace, "order") { $0.customers = [Samples.id(2), Samples.id(3)] } == [
        5, 3,
      ])
    #expect(try find(reader, workspace, "order") { $0.channel = .email } == [4, 2])
    #expect(try find(reader, workspace, "order") { $0.queue = 7 } == [4, 2, 1])
    #expect(try find(reader, workspace, "order") { $0.agent = 9 } == [3])
    #expect(try find(reader, workspace, "order") { $0.visible = .business } == [5, 3, 2, 1])
    #expect(try find(reader, workspace, "order") { $0.from = Samples.at(3) } == [5, 4, 3])
    #expect(try find(reader, workspace, "order") { $0.until = Samples.at(3) } == [2, 1])
    #expect(try find(reader, workspace, "order") { $0.until = Samples.at(1) }.isEmpty)
    #expect(try find(reader, workspace, "order") { $0.from = Samples.at(6) }.isEmpty)
  }

  static func searchPages(_ store: any Store) throws {
    let workspace = try filled(store)
    let reader = try store.reader()
    var query = SearchQuery(words: "order")
    query.limit = 2
    var all: [Int64] = []
    while true {
      let page = try reader.search(workspace, query)
      all += page.hits.map(\.entry.id.raw)
      guard let older = page.older else { break }
      query.before = older
    }
    #expect(all == [5, 4, 3, 2, 1])
    let marked = try reader.search(workspace, SearchQuery(words: "order")).hits.map(\.excerpt)
    #expect(
      marked[3] == [
        .init(text: "Which ", isMatch: false), .init(text: "order", isMatch: true),
        .init(text: ", please?", isMatch: false),
      ])
    #expect(
      marked[0].filter(\.isMatch).map(\.text) == ["order"],
      "control characters of a text mark nothing")
  }

  static func searchSaysWhatItHasSeen(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    commit.entries = (Int64(1)...10).map { said($0, "word \($0)") }
    try store.commit([commit])
    let reader = try store.reader()
    for (limit, seen) in [(0, Int64(0)), (4, 4), (4, 8), (4, 10), (4, 10)] {
      if limit > 0 {
        #expect(try store.index(workspace, limit: limit, words: words) == (seen == 10))
      }
      let page = try reader.search(workspace, SearchQuery(words: "word"))
      #expect(page.seen == EntryID(seen) && page.last == EntryID(10))
      #expect(page.hits.map(\.entry.id.raw) == Array((1..<(seen + 1)).reversed()))
    }
  }
}
