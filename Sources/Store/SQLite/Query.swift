import Records
internal import GRDBSQLite
import Model

/// Every question that a reader asks, prepared once with its connection.
enum Query: Int, CaseIterable {
  case workspaces, tokens, head, secret, work, workOfKinds, logAfter, logChain, outbox, outboxRow,
    configuration,
    newestConfiguration
  case identity, identitiesOfCustomer, identitiesLike, customer, mergedInto, conversation,
    conversationsOfCustomer, openOfCustomer
  case session, sessionsOfConversation, aCase, casesOfConversation, facts, outcome, key, blob,
    keysBetween, blobsByHash, blobsNobodyAttached
  case entry, entriesAfter, newerOfCustomer, olderOfCustomer, transcript, lastOfConversation,
    verified
  case blobsOfConversation, erasures, lastErasure, accesses, accessesOfCustomer, lastAccess, counts

  var sql: String {
    switch self {
    case .workspaces: Table.workspaces.select("ORDER BY workspace")
    case .tokens: Table.tokens.select("ORDER BY workspace, token")
    case .head: Table.heads.selectByKey
    case .secret: Table.secrets.selectByKey
    case .work: Table.work.select("WHERE workspace=? ORDER BY kind, key")
    case .workOfKinds:
      Table.work.select("WHERE workspace=? AND kind>=? AND kind<=? ORDER BY kind, key")
    case .logAfter: Table.log.select("WHERE workspace=? AND position>? ORDER BY position LIMIT ?")
    case .logChain: "SELECT chain FROM log WHERE workspace=? AND position=?"
    case .outbox: Table.outbox.select("WHERE workspace=? ORDER BY id LIMIT ?")
    case .outboxRow: Table.outbox.selectByKey
    case .configuration: Table.configurations.selectByKey
    case .newestConfiguration:
      Table.configurations.select("WHERE workspace=? ORDER BY version DESC LIMIT 1")
    case .identity: Table.identities.selectByKey
    // Told which index, here and below: without statistics SQLite takes two columns of any index
    // for equally good, and may walk the whole workspace in the order of its key.
    case .identitiesOfCustomer:
      Table.identities.select(
        "INDEXED BY identities_by_customer WHERE workspace=? AND customer=? ORDER BY hash")
    case .identitiesLike:
      Table.identities.select("WHERE workspace=? AND kind=? AND value=? ORDER BY hash LIMIT ?")
    case .customer: Table.customers.selectByKey
    case .mergedInto:
      Table.customers.select(
        "INDEXED BY customers_merged WHERE workspace=? AND root=? AND root<>customer ORDER BY customer"
      )
    case .conversation: Table.conversations.selectByKey
    case .conversationsOfCustomer:
      Table.conversations.select(
        """
        INDEXED BY conversations_by_customer
        WHERE workspace=? AND customer=? ORDER BY opened DESC, conversation DESC LIMIT ?
        """)
    case .openOfCustomer:
      Table.conversations.select(
        """
        INDEXED BY conversations_by_customer
        WHERE workspace=? AND customer=? AND open=1 ORDER BY opened DESC, conversation DESC LIMIT ?
        """)
    case .session: Table.sessions.selectByKey
    case .sessionsOfConversation:
      Table.sessions.select(
        "INDEXED BY sessions_by_conversation WHERE workspace=? AND conversation=? ORDER BY session")
    case .aCase: Table.cases.selectByKey
    case .casesOfConversation:
      Table.cases.select(
        "INDEXED BY cases_by_conversation WHERE workspace=? AND conversation=? ORDER BY created, case_"
      )
    case .facts: Table.facts.selectByKey
    case .outcome: Table.outcomes.selectByKey
    case .key: Table.keys.selectByKey
    case .keysBetween:
      Table.keys.select(
        "WHERE workspace=? AND space=? AND key>? AND key<=? ORDER BY key LIMIT 100")
    case .blob: Table.blobs.selectByKey
    case .blobsByHash:
      Table.blobs.select("INDEXED BY blobs_by_hash WHERE workspace=? AND hash=? ORDER BY blob")
    case .blobsNobodyAttached:
      // What agents and mail bring stands in entries that name no conversation here, too.
      Table.blobs.select(
        """
        WHERE workspace=? AND conversation IS NULL AND at<?
        AND (uploader LIKE 'bot:%' OR uploader LIKE 'telephony:%') ORDER BY blob LIMIT 1000
        """)
    case .entry: Table.entries.selectByKey
    case .entriesAfter: Table.entries.select("WHERE workspace=? AND entry>? ORDER BY entry LIMIT ?")
    case .verified: Table.verified.selectByKey
    case .counts: Table.counts.selectByKey
    case .blobsOfConversation:
      Table.blobs.select(
        "INDEXED BY blobs_by_conversation WHERE workspace=? AND conversation=? ORDER BY blob")
    case .erasures: Table.erasures.select("WHERE workspace=? ORDER BY number")
    case .lastErasure: Table.erasures.select("WHERE workspace=? ORDER BY number DESC LIMIT 1")
    case .accesses:
      Table.accesses.select("WHERE workspace=? AND number<? ORDER BY number DESC LIMIT ?")
    case .accessesOfCustomer:
      Table.accesses.select(
        """
        INDEXED BY accesses_by_customer
        WHERE workspace=? AND customer=? AND number<? ORDER BY number DESC LIMIT ?
        """)
    case .lastAccess: Table.accesses.select("WHERE workspace=? ORDER BY number DESC LIMIT 1")
    // Numbers alone, from the index alone: of several customers' entries most are not on the page.
    case .newerOfCustomer:
      """
      SELECT entry FROM entries INDEXED BY entries_by_customer
      WHERE workspace=? AND customer=? AND entry>? AND entry<=? AND visibility<=?
      ORDER BY entry LIMIT ?
      """
    case .olderOfCustomer:
      """
      SELECT entry FROM entries INDEXED BY entries_by_customer
      WHERE workspace=? AND customer=? AND entry>=? AND entry<? AND visibility<=?
      ORDER BY entry DESC LIMIT ?
      """
    case .transcript:
      Table.entries.select(
        """
        INDEXED BY entries_by_conversation
        WHERE workspace=? AND conversation=? AND entry>? AND visibility<=? ORDER BY entry LIMIT ?
        """)
    case .lastOfConversation:
      Table.entries.select(
        """
        INDEXED BY entries_by_conversation
        WHERE workspace=? AND conversation=? AND visibility<=? ORDER BY entry DESC LIMIT ?
        """)
    }
  }
}

/// The prepared queries of one connection.
final class Queries {
  private let connection: OpaquePointer
  private let prepared: [Prepared]
  private let begin: Prepared
  private let end: Prepared
  private var isAtOnce = false

  init(_ connection: OpaquePointer) throws(StoreFault) {
    self.connection = connection
    var prepared: [Prepared] = []
    for query in Query.allCases {
      prepared.append(try Prepared(connection, query.sql, "read \(query)"))
    }
    self.prepared = prepared
    begin = try Prepared(connection, "BEGIN DEFERRED", "begin to read")
    end = try Prepared(connection, "COMMIT", "end to read")
  }

  func bound(_ query: Query, _ bind: (Prepared) -> Void) -> Prepared {
    let statement = prepared[query.rawValue]
    statement.begin()
    bind(statement)
    return statement
  }

  /// For what is asked once in a long while.
  func prepare(_ sql: String, _ doing: String) throws(StoreFault) -> Prepared {
    try Prepared(connection, sql, doing)
  }

  /// Several statements that see the same moment; within another such call, that one's moment.
  func atOnce<T>(_ body: (Queries) throws(StoreFault) -> T) throws(StoreFault) -> T {
    if isAtOnce { return try body(self) }
    try begin.run()
    isAtOnce = true
    defer { isAtOnce = false }
    let result: T
    do throws(StoreFault) { result = try body(self) } catch {
      try end.run()
      throw error
    }
    try end.run()
    return result
  }
}
