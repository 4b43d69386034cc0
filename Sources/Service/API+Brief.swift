import Continuity
import Model
import Pipeline
import Records
import System
import WebCodec

/// The handoff brief, for an agent's case and for a bot that takes back.
extension Brief {
  /// The brief of a conversation as agents see it.
  static func json(
    _ row: ConversationRow, _ page: TimelinePage, name: String?, _ directory: Directory,
    _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8] {
    let workspace = directory.workspace
    let matter = try matter(row, workspace, reads)
    let linked = try LinkedBrief.conversations(
      besides: matter, of: page.members, workspace, reads)
    var entries = page.entries
    if page.hasMore {
      entries = try reads.timeline(
        workspace, of: page.members, from: EntryID(.max), .older, atMost: EntryID(.max),
        limit: entriesMax,
        visible: .internal)
      // However long ago: a shop that tells of every click must not push out what was said.
      if entries.count == entriesMax, let first = entries.first {
        var earlier: [EntryRow] = []
        for conversation in matter {
          earlier += try reads.transcript(
            workspace, whole: conversation.id, before: first.id, visible: .internal)
        }
        for (conversation, _) in linked {
          earlier += try reads.readableTranscript(
            workspace, of: conversation.id, limit: LinkedBrief.entriesMax, visible: .internal
          ).filter { $0.id < first.id }
        }
        entries =
          earlier.filter { page.members.contains($0.customer) }.sorted { $0.id < $1.id } + entries
      }
    }
    return try json(matter, linked, entries, page.digest, name: name, directory, reads)
  }

  /// The conversation, those that are the same matter, and where its customer sat with another.
  private static func matter(
    _ row: ConversationRow, _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) -> [ConversationRow] {
    let about = ConversationPage.decoded(row.about)
    var rows = [row]
    for id in (about?.joins ?? []) + [about?.takenFrom].compactMap({ $0 }) {
      if let other = try reads.conversation(workspace, id) { rows.append(other) }
    }
    return rows
  }

  /// - Parameters:
  ///   - records: of the customer, as far as the asker may know of them.
  ///   - entries: all that the asker may see, and so all that any line comes from.
  static func json(
    _ row: ConversationRow, of records: [CustomerID], _ entries: [EntryRow],
    _ digest: TimelineDigest, name: String?, _ directory: Directory, _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8] {
    let matter = try matter(row, directory.workspace, reads)
    let linked = try LinkedBrief.conversations(
      besides: matter, of: records, directory.workspace, reads)
    return try json(matter, linked, entries, digest, name: name, directory, reads)
  }

  private static func json(
    _ matter: [ConversationRow],
    _ linked: [(row: ConversationRow, relation: LinkedBrief.Relation)], _ entries: [EntryRow],
    _ digest: TimelineDigest, name: String?, _ directory: Directory, _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8] {
    let brief = Brief(entries, matter: Set(matter.map(\.id.description)))
    let theirs = Set(entries.map(\.customer))
    func cases(_ id: ConversationID) throws(StoreFault) -> [CaseRow] {
      try reads.cases(directory.workspace, of: id).filter {
        CaseView.decoded($0.about)?.customer.map(theirs.contains) ?? true
      }
    }
    // A machine's clock may have stepped back: it is no earlier than what is written.
    let wall = Instant(milliseconds: WallClock.nowMilliseconds)
    let now = max(wall, entries.last?.at ?? wall)
    var all: [CaseRow] = []
    for row in matter { all += try cases(row.id) }
    var others: [LinkedBrief] = []
    for (row, relation) in linked {
      let said = entries.filter { $0.conversation == row.id }
      // Of what the asker may see nothing of, they do not hear either.
      guard !said.isEmpty else { continue }
      let own = try cases(row.id)
      all += own
      others.append(
        LinkedBrief(
          conversation: row.id, relation: relation, isOpen: row.isOpen,
          brief: Brief(said, matter: [row.id.description]),
          waited: Waits(own, now: now).all))
    }
    let waited = Waits(all, now: now).all
    var json = JSONWriter()
    json.object { brief.write(&$0, name: name, waited: waited, linked: others, digest) }
    return json.bytes
  }
}

extension API {
  /// What a bot that takes over, or takes back, must know: of the whole customer where they were
  /// proven in this session,
  /// and else of this conversation alone. Count and hash are of what a bot may see.
  func brief(_ request: APIRequest, _ caller: Caller, _ session: SessionID) throws(APIProblem)
    -> APIAction
  {
    let bot = try bot(caller)
    let directory = directory
    return .read { reads throws(StoreFault) in
      guard let row = try reads.session(directory.workspace, session), row.bot == bot.raw,
        let conversation = try reads.conversation(directory.workspace, row.conversation)
      else { return APIResponse(.notFound("session")) }
      let seen = try Self.everything(row, conversation, directory, reads)
      var digest = TimelineDigest()
      for entry in seen.entries { digest.add(entry.hash) }
      return APIResponse(
        200,
        json: try Brief.json(
          conversation, of: seen.records, seen.entries, digest, name: seen.name, directory, reads))
    }
  }

  private static func everything(
    _ session: SessionRow, _ conversation: ConversationRow, _ directory: Directory,
    _ reads: any StoreReader
  ) throws(StoreFault) -> (entries: [EntryRow], records: [CustomerID], name: String?) {
    let workspace = directory.workspace
    var entries: [EntryRow] = []
    entries = try reads.transcript(workspace, whole: conversation.id, visible: .business)
    for former in session.former {
      entries += try reads.transcript(
        workspace, whole: former.conversation, before: EntryID(former.upTo.raw + 1),
        visible: .business)
    }
    if !session.former.isEmpty { entries.sort { $0.id < $1.id } }
    var person = try session.person(workspace, reads)
    entries = try person.own(entries, reads)
    guard isProven(session.id, entries),
      let record = try reads.customer(workspace, session.customer ?? conversation.customer)
    else {
      return (entries, [], nil)
    }
    let records = try reads.person(workspace, record.root)
    var profiles: [CustomerProfile] = []
    for record in records { profiles.append(try CustomerPage.profile(record)) }
    entries = []
    while true {
      let found = try reads.timeline(
        workspace, of: records.map(\.id), from: entries.last?.id ?? EntryID(0), .newer,
        atMost: EntryID(.max),
        limit: 1_000, visible: .business)
      entries += found
      if found.count < 1_000 { break }
    }
    return (entries, records.map(\.id), CustomerProfile.union(profiles).displayName)
  }

  /// Whether the customer was proven when this session was opened.
  private static func isProven(_ session: SessionID, _ entries: [EntryRow]) -> Bool {
    for row in entries where row.session == session {
      guard let entry = row.parsed,
        entry["kind"]?.string == EntryKind.sessionOpened.rawValue
      else {
        continue
      }
      return entry["proven"]?.bool ?? false
    }
    return false
  }
}
