import Records
import Model
import Store
import Testing

/// What any store must do, written against the protocol alone. A store's own suite runs each check
/// over a new, empty store: `@Test(arguments: StoreContract.checks)`.
enum StoreContract {
  struct Check: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var run: @Sendable (any Store) throws -> Void
    init(_ says: String, _ run: @escaping @Sendable (any Store) throws -> Void) {
      testDescription = says
      self.run = run
    }
  }

  static let checks: [Check] = [
    Check("every row reads back the same", everyRowReadsBackTheSame),
    Check("a row written again has its last value", rowsAreReplaced),
    Check("a row without a value is gone", rowsAreDeleted),
    Check("what nobody wrote is not there", nothingIsThere),
    Check("the head says where the log ends", headFollows),
    Check("a gap or a repeat is refused and nothing of that commit stays", gapsAreRefused),
    Check("a reader sees a commit that returned", readersSeeCommits),
    Check("what a snapshot reads is of one moment, beside a writer", snapshots),
    Check("a snapshot that failed leaves the reader as it was", snapshotsThatFail),
    Check("workspaces share nothing", workspacesShareNothing),
    Check("the log is read in pieces", logInPieces),
    Check("the newest configuration is the one without a version", newestConfiguration),
    Check("merged records are found by their root and no longer after a split", mergedRecords),
    Check("conversations come newest first, cases oldest first", ordered),
    Check(
      "pages of a merged timeline have no gap and no double, in both directions", timelinePages),
    Check("a page is of one moment", pagesOfOneMoment),
    Check("nobody sees more than their visibility", visibility),
    Check("a transcript is one conversation's", transcripts),
    Check("a search finds words, phrases and beginnings, newest first", searchFinds),
    Check(
      "a search is narrowed by customer, channel, queue, agent, time and visibility", searchFilters),
    Check("a search comes in pages, with what was found marked", searchPages),
    Check("a search says up to which entry it has seen", searchSaysWhatItHasSeen),
    Check("an entry may get other words, and then nobody finds the old ones", rewriting),
    Check("a person who was erased is nowhere, and every count still fits", erasing),
    Check("an erasure covers what was said up to it, and no more", erasingUpTo),
    Check(
      "whoever took part in another's conversation is erased there, and the other is not",
      erasingGuests),
    Check("words that are past their time go, and their place stays", forgettingWords),
    Check("who read what is kept, newest first", accesses),
    Check("old outcomes are forgotten", outcomesAreForgotten),
    Check("a secret stays the same and differs from another", secrets),
    Check("a workspace's name is taken once", namesAreTakenOnce),
  ]

  // MARK: Rows

  private static func everyRowReadsBackTheSame(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    let tokens = [Samples.token(1, workspace), Samples.token(2, workspace)]
    for token in tokens { try store.save(token) }
    let commit = Samples.everything(workspace)
    try store.commit([commit])
    let reader = try store.reader()
    #expect(try reader.workspaces() == [WorkspaceRow(id: workspace, name: "demo")])
    #expect(Set(try reader.tokens()) == Set(tokens))
    try expect(reader, holds: commit)
  }

  /// Every row of a commit, asked for by every way that leads to it.
  static func expect(_ reader: any StoreReader, holds commit: Commit) throws {
    let w = commit.workspace
    #expect(try reader.log(w, after: 0, limit: 9) == commit.log)
    #expect(try reader.work(w) == commit.work)
    #expect(try reader.outbox(w, limit: 9) == commit.outbox)
    #expect(try reader.outbox(w, id: commit.outbox[0].id) == commit.outbox[0])
    for row in commit.configurations {
      #expect(try reader.configuration(w, version: row.version)?.bytes == row.bytes)
    }
    for row in commit.customers { #expect(try reader.customer(w, row.id) == row) }
    for row in commit.identities {
      #expect(try reader.identity(w, hash: row.hash) == row)
      #expect(try reader.identities(w, of: row.customer) == [row])
      #expect(try reader.identities(w, like: row.identity, limit: 10).contains(row))
    }
    for row in commit.conversations {
      #expect(try reader.conversation(w, row.id) == row)
      #expect(try reader.conversations(w, of: row.customer, limit: 9) == [row])
    }
    for row in commit.sessions { #expect(try reader.session(w, row.id) == row) }
    for row in commit.cases {
      #expect(try reader.aCase(w, row.id) == row)
      #expect(try reader.cases(w, of: row.conversation) == [row])
    }
    for row in commit.facts { #expect(try reader.facts(w, of: row.case) == row) }
    for row in commit.outcomes { #expect(try reader.outcome(w, key: row.key) == row) }
    for row in commit.keys { #expect(try reader.key(w, row.space, row.key) == row.value) }
    for row in commit.blobs { #expect(try reader.blob(w, row.id) == row) }
    #expect(try reader.page(w, [Samples.id(1)], limit: 9) == commit.entries)
  }

  private static func rowsAreReplaced(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Samples.everything(workspace)
    try store.commit([commit])
    commit.log = []
    commit.entries = []
    commit.work[0].value = [1, 2, 3]
    commit.customers[0].profile = Array("Ann".utf8)
    commit.customers[0].timeline.count += 1
    commit.identities[0].assurance = .verified
    commit.conversations[0].isOpen = false
    commit.conversations[0].lastAgent = nil
    commit.sessions[0].ended = Samples.at(99)
    commit.cases[0].closed = Samples.at(99)
    commit.facts[0].bytes = []
    commit.outcomes[0].answer = [9]
    commit.keys[0].value = [8]
    commit.outbox[0].tries = 7
    commit.blobs[0].conversation = nil
    commit.configurations[0].bytes = [6]
    try store.commit([commit])
    let reader = try store.reader()
    let first = Samples.everything(workspace)
    commit.log = first.log
    commit.entries = first.entries
    try expect(reader, holds: commit)

    var token = Samples.token(1, workspace)
    try store.save(token)
    token.revoked = true
    try store.save(token)
    #expect(try reader.tokens() == [token])
  }

  private static func rowsAreDeleted(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    try store.commit([Samples.everything(workspace)])
    var commit = Commit(workspace: workspace)
    commit.work = [OpenWorkRow(kind: 1, key: Samples.bytes(1), value: nil)]
    commit.keys = [KeyRow(space: .call, key: Samples.bytes(4), value: nil)]
    commit.outbox = [Samples.outbox(1, payload: nil)]
    try store.commit([commit])
    let reader = try store.reader()
    #expect(try reader.work(workspace) == [OpenWorkRow(kind: 2, key: [], value: [])])
    #expect(try reader.key(workspace, .call, Samples.bytes(4)) == nil)
    #expect(try reader.outbox(workspace, limit: 9).isEmpty)
    #expect(try reader.outbox(workspace, id: 1) == nil)
    #expect(try reader.head(workspace).outbox == 1, "its number is never used again")
  }

  private static func nothingIsThere(_ store: any Store) throws {
    let workspace = WorkspaceID(1)
    let reader = try store.reader()
    #expect(try reader.head(workspace) == LogHead())
    #expect(try reader.workspaces().isEmpty && reader.tokens().isEmpty)
    #expect(try reader.log(workspace, after: 0, limit: 9).isEmpty)
    #expect(try reader.customer(workspace, Samples.id(1)) == nil)
    #expect(try reader.merged(workspace, into: Samples.id(1)).isEmpty)
    #expect(try reader.configuration(workspace, version: nil) == nil)
    #expect(try reader.page(workspace, [], limit: 9).isEmpty)
    #expect(try reader.page(workspace, [Samples.id(1)], limit: 0).isEmpty)
  }

  private static func newestConfiguration(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    commit.configurations = [
      (version: 2, bytes: [2]), (version: 10, bytes: [10]), (version: 9, bytes: [9]),
    ]
    try store.commit([commit])
    let reader = try store.reader()
    #expect(try reader.configuration(workspace, version: nil)?.version == 10)
    #expect(try reader.configuration(workspace, version: 9)?.bytes == [9])
    #expect(try reader.configuration(workspace, version: 3) == nil)
  }

  private static func mergedRecords(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    commit.customers = [
      Samples.customer(1), Samples.customer(2, root: 1), Samples.customer(3, root: 1),
    ]
    try store.commit([commit])
    let reader = try store.reader()
    let sorted = commit.customers.sorted { $0.id < $1.id }
    #expect(try reader.merged(workspace, into: Samples.id(1)) == sorted)
    #expect(try reader.merged(workspace, into: Samples.id(2)).isEmpty, "a merged record is no root")
    commit.customers = [Samples.customer(2)]
    try store.commit([commit])
    #expect(
      try reader.merged(workspace, into: Samples.id(1)) == sorted.filter { $0.id != Samples.id(2) })
    #expect(try reader.merged(workspace, into: Samples.id(2)) == [Samples.customer(2)])
  }

  private static func ordered(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    commit.conversations = [3, 1, 2].map { Samples.conversation($0, customer: 1) }
    commit.cases = [3, 1, 2].map { Samples.aCase($0, conversation: 1) }
    try store.commit([commit])
    let reader = try store.reader()
    let found = try reader.conversations(workspace, of: Samples.id(1), limit: 2)
    #expect(found == [3, 2].map { Samples.conversation($0, customer: 1) })
    let cases = try reader.cases(workspace, of: Samples.id(1))
    #expect(cases == [1, 2, 3].map { Samples.aCase($0, conversation: 1) })
  }

  // MARK: Administration

  private static func outcomesAreForgotten(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    // More than one piece of a store that removes in pieces.
    commit.outcomes = (1...2_500).map { Samples.outcome($0, at: Samples.at($0)) }
    try store.commit([commit])
    try store.forgetOutcomes(before: Samples.at(2_400))
    let reader = try store.reader()
    let kept = try commit.outcomes.filter { try reader.outcome(workspace, key: $0.key) != nil }
    #expect(kept.map(\.at) == (2_400...2_500).map(Samples.at))
  }

  private static func secrets(_ store: any Store) throws {
    let reader = try store.reader()
    let first = try reader.secret(named: "identities")
    #expect(first.count == 32)
    #expect(try reader.secret(named: "identities") == first)
    #expect(try store.reader().secret(named: "identities") == first)
    #expect(try reader.secret(named: "replies") != first)
  }

  private static func namesAreTakenOnce(_ store: any Store) throws {
    let first = try store.addWorkspace(named: "one")
    let second = try store.addWorkspace(named: "two")
    #expect(first.id < second.id)
    #expect(throws: StoreFault.self) { try store.addWorkspace(named: "one") }
    #expect(try store.reader().workspaces() == [first, second])
  }
}
