import Records
import Model
import Store
import Testing

extension StoreContract {
  static func headFollows(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    var chain = Digest.zero
    let reader = try store.reader()
    for position in Int64(1)...3 {
      var commit = Commit(workspace: workspace)
      commit.log = [Samples.record(position)]
      commit.entries = [Samples.entry(position)]
      try store.commit([commit])
      chain = Checksum.chain(chain, Samples.record(position))
      let head = try reader.head(workspace)
      #expect(
        head.position == position && head.chain == chain && head.at == Samples.at(Int(position)))
      #expect(head.entry == EntryID(position))
    }
  }

  static func gapsAreRefused(_ store: any Store) throws {
    let first = try store.addWorkspace(named: "first").id
    let second = try store.addWorkspace(named: "second").id
    let good = Samples.everything(first)
    func bad(_ change: (inout Commit) -> Void) -> Commit {
      var commit = Commit(workspace: second)
      commit.log = [Samples.record(1)]
      commit.entries = [Samples.entry(1)]
      change(&commit)
      return commit
    }
    let refused: [(Commit, StoreFault)] = [
      (bad { $0.log = [Samples.record(2)] }, .outOfOrder(expected: 1, got: 2)),
      (bad { $0.log = [Samples.record(1), Samples.record(1)] }, .outOfOrder(expected: 2, got: 1)),
      (bad { $0.log = [Samples.record(.max)] }, .outOfOrder(expected: 1, got: .max)),
      (bad { $0.entries = [Samples.entry(2)] }, .outOfOrder(expected: 1, got: 2)),
      (
        bad { $0.entries = [Samples.entry(1), Samples.entry(3)] }, .outOfOrder(expected: 2, got: 3)
      ),
    ]
    let reader = try store.reader()
    for (commit, fault) in refused {
      #expect(throws: fault) { try store.commit([good, commit]) }
      #expect(try reader.head(first) == LogHead() && reader.head(second) == LogHead())
      #expect(try reader.customer(first, Samples.id(1)) == nil)
      #expect(try reader.page(second, [Samples.id(1)], limit: 9).isEmpty)
    }
    // And the store is as good as before.
    try store.commit([good, bad { _ in }])
    try expect(reader, holds: good)
    #expect(throws: StoreFault.outOfOrder(expected: 3, got: 1)) { try store.commit([good]) }
  }

  static func readersSeeCommits(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    let readers = [try store.reader(), try store.reader()]
    for position in Int64(1)...20 {
      var commit = Commit(workspace: workspace)
      commit.log = [Samples.record(position)]
      commit.keys = [KeyRow(space: .call, key: [1], value: [UInt8(position)])]
      try store.commit([commit])
      for reader in readers {
        #expect(try reader.head(workspace).position == position)
        #expect(try reader.key(workspace, .call, [1]) == [UInt8(position)])
      }
    }
  }

  static func workspacesShareNothing(_ store: any Store) throws {
    let first = try store.addWorkspace(named: "first").id
    let second = try store.addWorkspace(named: "second").id
    let mine = Samples.everything(first)
    var yours = Samples.everything(second)
    yours.customers[0].profile = [1]
    yours.keys[0].value = [2]
    yours.identities[0].evidence = [3]
    // One batch, and one after the other.
    try store.commit([mine, yours])
    let reader = try store.reader()
    try expect(reader, holds: mine)
    try expect(reader, holds: yours)
    var deleted = Commit(workspace: second)
    deleted.keys = [KeyRow(space: .call, key: Samples.bytes(4), value: nil)]
    try store.commit([deleted])
    try expect(reader, holds: mine)
  }

  static func logInPieces(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    let records = (Int64(1)...10).map(Samples.record)
    for piece in [records[..<4], records[4...]] {
      var commit = Commit(workspace: workspace)
      commit.log = Array(piece)
      try store.commit([commit])
    }
    let reader = try store.reader()
    var read: [LogRecord] = []
    while true {
      let piece = try reader.log(workspace, after: Int64(read.count), limit: 3)
      if piece.isEmpty { break }
      read += piece
    }
    #expect(read == records)
    #expect(try reader.log(workspace, after: 99, limit: 3).isEmpty)
  }
}
