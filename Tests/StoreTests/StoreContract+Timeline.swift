import Records
import Model
import Store
import Testing

extension StoreContract {
  /// 120 entries of five customers, journeys among them, of all visibilities.
  private static func fill(_ store: any Store) throws -> (WorkspaceID, [EntryRow]) {
    let workspace = try store.addWorkspace(named: "demo").id
    var commit = Commit(workspace: workspace)
    commit.entries = (Int64(1)...120).map { n in
      // An arbitrary but fixed mixture; runs of one customer and gaps of others.
      let customer = Int(n * n / 7 % 5) + 1
      return Samples.entry(
        n, customer: customer, conversation: n % 4 == 0 ? nil : customer * 10 + Int(n % 2),
        visibility: [.customer, .business, .internal][Int(n / 3 % 3)], count: Int(n))
    }
    try store.commit([commit])
    return (workspace, commit.entries)
  }

  static func timelinePages(_ store: any Store) throws {
    let (workspace, entries) = try fill(store)
    let reader = try store.reader()
    for who in [[1], [1, 2], [3, 2, 5], [1, 2, 3, 4, 5], [9], [9, 4]] {
      let customers: [CustomerID] = who.map { Samples.id($0) }
      let all = entries.filter { customers.contains($0.customer) }
      for limit in [1, 2, 7, 1_000] {
        var newer: [EntryRow] = []
        while true {
          let page = try reader.page(
            workspace, customers, from: newer.last?.id.raw ?? 0, limit: limit)
          if page.isEmpty { break }
          #expect(page.count <= limit)
          newer += page
        }
        #expect(newer == all)
        var older: [EntryRow] = []
        while true {
          let from = older.first?.id.raw ?? .max
          let page = try reader.page(workspace, customers, from: from, .older, limit: limit)
          if page.isEmpty { break }
          older = page + older
        }
        #expect(older == all)
      }
    }
  }

  static func pagesOfOneMoment(_ store: any Store) throws {
    let (workspace, entries) = try fill(store)
    let reader = try store.reader()
    let customers: [CustomerID] = [Samples.id(1), Samples.id(2)]
    let all = entries.filter { customers.contains($0.customer) }
    let upTo60 = all.filter { $0.id.raw <= 60 }
    #expect(try reader.page(workspace, customers, atMost: 60, limit: 500) == upTo60)
    #expect(
      try reader.page(workspace, customers, from: .max, .older, atMost: 60, limit: 500) == upTo60)
    #expect(
      try reader.page(workspace, customers, from: 30, .older, atMost: 60, limit: 3)
        == Array(all.filter { $0.id.raw < 30 }.suffix(3)))
    #expect(try reader.page(workspace, customers, from: 60, atMost: 60, limit: 3).isEmpty)
  }

  static func visibility(_ store: any Store) throws {
    let (workspace, entries) = try fill(store)
    let reader = try store.reader()
    let customers: [CustomerID] = [Samples.id(1), Samples.id(4)]
    for (visible, kinds) in [
      (Visibility.customer, [Visibility.customer]), (.business, [.customer, .business]),
      (.internal, [.customer, .business, .internal]),
    ] {
      let all = entries.filter { customers.contains($0.customer) && kinds.contains($0.visibility) }
      #expect(try reader.page(workspace, customers, limit: 500, visible: visible) == all)
      #expect(
        try reader.page(workspace, customers, from: .max, .older, limit: 4, visible: visible)
          == Array(all.suffix(4)))
      let conversation: ConversationID = Samples.id(11)
      let said = try reader.transcript(
        workspace, of: conversation, after: EntryID(0), limit: 500, visible: visible)
      #expect(
        said == entries.filter { $0.conversation == conversation && kinds.contains($0.visibility) })
    }
  }

  static func transcripts(_ store: any Store) throws {
    let (workspace, entries) = try fill(store)
    let reader = try store.reader()
    let conversation: ConversationID = Samples.id(21)
    let all = entries.filter { $0.conversation == conversation }
    #expect(all.count > 5)
    var read: [EntryRow] = []
    while true {
      let page = try reader.transcript(
        workspace, of: conversation, after: read.last?.id ?? EntryID(0), limit: 3,
        visible: .internal)
      if page.isEmpty { break }
      read += page
    }
    #expect(read == all)
  }
}
