import Model
import Records
import Wire

/// What a bot hears of a session that it carries: whatever others said or did in the conversation,
/// never what it brought itself, and never an internal note.
public struct EventsPage: Sendable {
  public var entries: [EntryRow]
  /// Where to go on; it moves on over entries that were left out, too.
  public var after: EntryID
  public var hasMore: Bool
  public var isEmpty: Bool { entries.isEmpty }

  public static func read(
    _ directory: Directory, _ session: SessionRow, after: EntryID, limit: Int,
    _ reads: any StoreReader
  ) throws(StoreFault) -> EventsPage {
    // Of one moment, so that the search for what others said ends where it began, however fast the
    // bot speaks.
    try reads.snapshot { reads throws(StoreFault) in
      try readNow(directory, session, after: after, limit: limit, reads)
    }
  }

  private static func readNow(
    _ directory: Directory, _ session: SessionRow, after: EntryID, limit: Int,
    _ reads: any StoreReader
  ) throws(StoreFault) -> EventsPage {
    let workspace = directory.workspace
    var last = after
    var person = try session.person(workspace, reads)
    while true {
      var found: [EntryRow] = []
      found += try reads.transcript(
        workspace, of: session.conversation, after: last, limit: limit, visible: .business)
      for former in session.former where last < former.upTo {
        found += try reads.transcript(
          workspace, of: former.conversation, after: last, limit: limit, visible: .business
        ).filter { $0.id <= former.upTo }
      }
      if !session.former.isEmpty {
        found = Array(found.sorted { $0.id < $1.id }.prefix(limit))
      }
      let rows = Array(found.prefix(found.fitting(limit: limit)))
      last = rows.last?.id ?? last
      let heard = try person.own(rows.filter { $0.session != session.id }, reads)
      // A page may hold nothing but the bot's own words; what others said stands behind them.
      if !heard.isEmpty || found.count < limit && rows.count == found.count {
        return EventsPage(
          entries: heard, after: last, hasMore: found.count == limit || rows.count < found.count)
      }
    }
  }

  public func append(to out: inout [UInt8]) {
    out += Array("\"events\":[".utf8)
    for (index, entry) in entries.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out += entry.body ?? Array("{\"entry\":\(entry.id),\"erased\":true}".utf8)
    }
    out += Array("],\"after\":\(after),\"more\":\(hasMore)".utf8)
  }

  public var response: APIResponse {
    var out = Array("{".utf8)
    append(to: &out)
    out.append(UInt8(ascii: "}"))
    return APIResponse(200, json: out)
  }
}

extension SessionRow {
  /// Of whose entries its bot hears: those of the person whose session it is.
  func person(_ workspace: WorkspaceID, _ reads: any StoreReader) throws(StoreFault)
    -> PersonFilter
  {
    if let customer { return PersonFilter(customer, workspace) }
    guard let row = try reads.conversation(workspace, conversation) else {
      throw StoreFault.corrupt(what: "the conversation of a session that is not there")
    }
    return PersonFilter(row.customer, workspace)
  }
}
