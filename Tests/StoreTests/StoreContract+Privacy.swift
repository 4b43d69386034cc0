import Model
import Records
import Store
import Testing

extension StoreContract {
  /// Customers 1 and 2, each with everything; one entry of customer 1's agent in their
  /// conversation.
  static func twoCustomers(_ store: any Store) throws -> WorkspaceID {
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    commit.log = [Samples.record(1)]
    commit.entries = [
      said(1, "my secret kettle"), said(2, "your public kettle", customer: 2, conversation: 2),
      said(3, "a journey to the kettle", conversation: nil),
      said(4, "kettle note", visibility: .internal),
      said(5, "another kettle", customer: 2, conversation: 2),
    ]
    for customer in 1...2 {
      var row = Samples.customer(customer)
      for entry in commit.entries where entry.customer == row.id { row.timeline.add(entry.hash) }
      commit.customers.append(row)
      commit.identities.append(Samples.identity(customer, customer: customer))
      commit.conversations.append(Samples.conversation(customer, customer: customer))
      commit.sessions.append(Samples.session(customer + 7, conversation: customer))
      commit.cases.append(Samples.aCase(customer, conversation: customer))
      commit.facts.append(FactsRow(case: Samples.id(customer), bytes: Samples.bytes(customer)))
      commit.blobs.append(Samples.blob(customer, conversation: customer))
      let id: ConversationID = Samples.id(customer)
      let key = Samples.mention(id)
      commit.keys.append(KeyRow(space: .call, key: [UInt8(customer)], value: [1] + key + [2]))
      commit.outbox.append(Samples.outbox(Int64(customer), payload: key))
    }
    try store.commit([commit])
    #expect(try store.index(workspace, limit: 100, words: words))
    return workspace
  }

  /// An entry's words change in one commit with what tells of it; it keeps its place, and the index
  /// finds the new ones alone.
  static func rewriting(_ store: any Store) throws {
    let workspace = try twoCustomers(store)
    let reader = try store.reader()
    let old = try #require(try reader.entry(workspace, EntryID(1)))
    var commit = Commit(workspace: workspace)
    commit.log = [Samples.record(2)]
    var new = said(1, "my public kettle")
    new.position = old.position
    commit.rewritten = [new]
    // Twice, so that both are indexed in one round.
    commit.entries = [6, 7].map { said($0, "tells of it", visibility: .internal) }
    var row = try #require(try reader.customer(workspace, Samples.id(1)))
    row.timeline.replace(old.hash, by: new.hash)
    for entry in commit.entries { row.timeline.add(entry.hash) }
    commit.customers = [row]
    try store.commit([commit])
    #expect(try reader.entry(workspace, EntryID(1)) == new)
    #expect(try reader.page(workspace, [Samples.id(1)], limit: 9).map(\.id.raw) == [1, 3, 4, 6, 7])
    #expect(
      try reader.transcript(
        workspace, of: Samples.id(1), after: EntryID(0), limit: 9, visible: .internal
      ).first == new)
    #expect(try reader.head(workspace).entry == EntryID(7))
    let changing: (EntryRow) -> EntryWords = { entry in
      var words = words(entry)
      if [EntryID(6), EntryID(7)].contains(entry.id) { words.changes = EntryID(1) }
      return words
    }
    #expect(try store.index(workspace, limit: 100, words: changing))
    #expect(try reader.search(workspace, SearchQuery(words: "secret")).hits.isEmpty)
    #expect(
      try reader.search(workspace, SearchQuery(words: "public")).hits.map(\.entry.id.raw) == [2, 1])
    // What is not there yet cannot have other words.
    var wrong = Commit(workspace: workspace)
    wrong.rewritten = [said(9, "from nowhere")]
    #expect(throws: StoreFault.self) { try store.commit([wrong]) }
    #expect(try reader.entry(workspace, EntryID(9)) == nil)
  }

  static func erasing(_ store: any Store) throws {
    let workspace = try twoCustomers(store)
    let reader = try store.reader()
    let before = try reader.customer(workspace, Samples.id(1))
    let chain = try reader.head(workspace)
    let receipt = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(50), by: "admin:root", upTo: nil, Samples.blank)
    #expect(
      receipt.number == 1 && receipt.customers == [Samples.id(1)] && receipt.done == Samples.at(50))
    #expect(
      receipt.entries == 3 && receipt.identities == 1 && receipt.blobs == 1
        && receipt.upTo == EntryID(5))
    #expect(try reader.erasures(workspace) == [receipt])

    let page = try reader.page(workspace, [Samples.id(1)], limit: 9)
    #expect(
      page.map(\.id.raw) == [1, 3, 4] && page.allSatisfy { $0.body == nil }, "places stay, words go"
    )
    var sum = TimelineDigest()
    for entry in page { sum.add(entry.hash) }
    #expect(sum == before?.timeline, "and add up to what was said before")
    #expect(try reader.customer(workspace, Samples.id(1))?.timeline == sum)
    #expect(try reader.customer(workspace, Samples.id(1))?.profile == [0])
    #expect(try reader.identities(workspace, of: Samples.id(1)).isEmpty)
    #expect(try reader.identity(workspace, hash: Samples.identity(1, customer: 1).hash) == nil)
    #expect(try reader.conversation(workspace, Samples.id(1))?.about == [0])
    #expect(try reader.aCase(workspace, Samples.id(1))?.about == [0])
    #expect(try reader.facts(workspace, of: Samples.id(1)) == nil)
    #expect(try reader.blob(workspace, Samples.id(1)) == nil)
    #expect(try reader.key(workspace, .call, [1]) == nil)
    #expect(try reader.head(workspace) == chain, "the log is as it was")
    // And nobody else lost anything.
    #expect(try reader.page(workspace, [Samples.id(2)], limit: 9).allSatisfy { $0.body != nil })
    #expect(try reader.identities(workspace, of: Samples.id(2)).count == 1)
    #expect(
      try reader.facts(workspace, of: Samples.id(2)) != nil
        && reader.blob(workspace, Samples.id(2)) != nil)
    #expect(try reader.key(workspace, .call, [2]) != nil)
    #expect(try reader.outbox(workspace, limit: 9).map(\.id) == [2])
    #expect(
      try reader.search(workspace, SearchQuery(words: "kettle")).hits.map(\.entry.id.raw) == [5, 2])
    // Doing it again changes nothing but adds its receipt.
    let again = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(51), by: "admin:root", upTo: nil, Samples.blank)
    #expect(again.number == 2 && again.entries == 0 && again.identities == 0 && again.blobs == 0)
  }

  /// Each has said something, and has a case, in the other's conversation.
  static func erasingGuests(_ store: any Store) throws {
    let workspace = try twoCustomers(store)
    let reader = try store.reader()
    var commit = Commit(workspace: workspace)
    commit.log = [Samples.record(2)]
    commit.entries = [
      said(6, "yours in mine", customer: 2), said(7, "mine in yours", conversation: 2),
    ]
    for (guest, entry) in [(2, commit.entries[0]), (1, commit.entries[1])] {
      var row = try #require(try reader.customer(workspace, Samples.id(guest)))
      row.timeline.add(entry.hash)
      commit.customers.append(row)
      var aCase = Samples.aCase(10 + guest, conversation: 3 - guest)
      aCase.about = [99, UInt8(guest)]
      commit.cases.append(aCase)
      commit.facts.append(FactsRow(case: aCase.id, bytes: [1]))
      // An attachment is the blob of its entry's number.
      commit.blobs.append(Samples.blob(Int(entry.id.raw), conversation: 3 - guest))
      let (place, record): (ConversationID, CustomerID) = (Samples.id(3 - guest), Samples.id(guest))
      let value = Samples.mention(place) + Samples.mention(of: record)
      commit.keys.append(KeyRow(space: .mailThread, key: [UInt8(guest)], value: value))
      commit.outbox.append(Samples.outbox(Int64(10 + guest), payload: value))
    }
    try store.commit([commit])
    let before = try #require(try reader.conversation(workspace, Samples.id(2)))
    let receipt = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(50), by: "admin:root", upTo: nil, Samples.blank)
    #expect(receipt.entries == 4 && receipt.blobs == 2)
    #expect(
      try reader.page(workspace, [Samples.id(1)], limit: 9).map { "\($0.id.raw) \($0.body == nil)" }
        == ["1 true", "3 true", "4 true", "7 true"])
    #expect(
      try reader.page(workspace, [Samples.id(2)], limit: 9).map { "\($0.id.raw) \($0.body == nil)" }
        == ["2 false", "5 false", "6 false"])
    #expect(
      try reader.conversation(workspace, Samples.id(2))?.about == before.about + [1],
      "the other's conversation, without what it tells of the guest")
    #expect(try reader.aCase(workspace, Samples.id(11))?.about == [0])
    #expect(try reader.aCase(workspace, Samples.id(12))?.about == [99, 2])
    #expect(try reader.facts(workspace, of: Samples.id(11)) == nil)
    #expect(try reader.facts(workspace, of: Samples.id(12)) != nil)
    #expect(try reader.key(workspace, .mailThread, [1]) == nil)
    #expect(try reader.key(workspace, .mailThread, [2]) != nil)
    #expect(try reader.outbox(workspace, limit: 9).map(\.id) == [2, 12])
    #expect(try reader.blob(workspace, Samples.id(6)) != nil)
    #expect(try reader.blob(workspace, Samples.id(7)) == nil)
  }

  static func erasingUpTo(_ store: any Store) throws {
    let workspace = try twoCustomers(store)
    let receipt = try store.erase(
      workspace, [Samples.id(1)], at: Samples.at(50), by: "admin:root", upTo: EntryID(3),
      Samples.blank)
    #expect(receipt.entries == 2 && receipt.upTo == EntryID(3))
    let page = try store.reader().page(workspace, [Samples.id(1)], limit: 9)
    #expect(page.map { $0.body == nil } == [true, true, false])
  }

  static func forgettingWords(_ store: any Store) throws {
    let workspace = try twoCustomers(store)
    let reader = try store.reader()
    #expect(
      try store.forgetWords(of: [EntryID(1), EntryID(2), EntryID(99)], workspace, Samples.blank)
        == 2)
    #expect(try store.forgetWords(of: [EntryID(1), EntryID(2)], workspace, Samples.blank) == 0)
    let page = try reader.page(workspace, [Samples.id(1), Samples.id(2)], limit: 9)
    #expect(page.map { $0.body == nil } == [true, true, false, false, false])
    #expect(try reader.blob(workspace, Samples.id(1)) == nil, "what was attached goes with it")
    #expect(
      try reader.search(workspace, SearchQuery(words: "kettle")).hits.map(\.entry.id.raw) == [
        5, 4, 3,
      ])
    #expect(try reader.identities(workspace, of: Samples.id(1)).count == 1)
  }

  static func accesses(_ store: any Store) throws {
    let workspace = try store.addWorkspace(named: "demo").id
    let other = try store.addWorkspace(named: "other").id
    func access(_ n: Int, _ customer: Int?) -> AccessRow {
      AccessRow(
        at: Samples.at(n), who: "agent:a\(n)", what: .timeline,
        customer: customer.map { Samples.id($0) })
    }
    try store.record([access(1, 1), access(2, nil)], workspace)
    try store.record([access(3, 2)], other)
    try store.record([access(4, 1), access(5, 2)], workspace)
    let reader = try store.reader()
    let all = try reader.accesses(workspace, of: nil, before: .max, limit: 9)
    #expect(all.map(\.access) == [access(5, 2), access(4, 1), access(2, nil), access(1, 1)])
    #expect(
      try reader.accesses(workspace, of: nil, before: all[1].number, limit: 1).map(\.access) == [
        access(2, nil)
      ])
    #expect(
      try reader.accesses(workspace, of: Samples.id(1), before: .max, limit: 9).map(\.access) == [
        access(4, 1), access(1, 1),
      ])
    #expect(
      try reader.accesses(other, of: nil, before: .max, limit: 9).map(\.access) == [access(3, 2)])
  }
}
