import Records
import Model
import Store
import Testing

// What any store must do, written against the protocol alone. A store's own tests make one, empty, for each.

enum StoreContract {
  static func everyRowReadsBackTheSame(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    let token = Samples.token(1, workspace)
    try store.save(token)
    let commit = Samples.everything(workspace)
    try store.commit([commit])
    let reader = try store.reader()
    #expect(try reader.workspaces() == [WorkspaceRow(id: workspace, name: "demo")])
    #expect(try reader.tokens() == [token])
    try expect(reader, holds: commit)
  }

  /// Every row of a commit, asked for by every way that leads to it.
  static func expect(_ reader: any StoreReader, holds commit: Commit) throws {
    let w = commit.workspace
    #expect(try reader.log(w, after: 0, limit: 9) == commit.log)
    #expect(try reader.work(w) == commit.work)
    #expect(try reader.outbox(w, limit: 9) == commit.outbox)
    for row in commit.configurations {
      #expect(try reader.configuration(w, version: row.version)?.bytes == row.bytes)
    }
    #expect(try reader.configuration(w, version: nil)?.version == commit.configurations.last?.version)
    for row in commit.customers { #expect(try reader.customer(w, row.id) == row) }
    for row in commit.identities {
      #expect(try reader.identity(w, hash: row.hash) == row)
      #expect(try reader.identities(w, of: row.customer) == [row])
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
}

extension StoreReader {
  func page(
    _ workspace: WorkspaceID, _ customers: [CustomerID], from: Int64 = 0, _ direction: PageDirection = .newer,
    atMost: Int64 = .max, limit: Int, visible: Visibility = .internal
  ) throws -> [EntryRow] {
    try timeline(
      workspace, of: customers, from: EntryID(from), direction, atMost: EntryID(atMost), limit: limit,
      visible: visible)
  }
}
