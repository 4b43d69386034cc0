import Continuity
import Model
import Records
import Routing

/// Which conversation a session, a mail or a call belongs to, seen through the overlay.
extension Pipeline {
  /// How far back a customer's conversations are looked through, besides those that are open.
  static let conversationsSeen = 50

  /// The latest conversations of each of these records and all that are open, committed or not, as
  /// rows.
  mutating func conversations(
    of records: [CustomerID], atMost limit: Int = conversationsSeen, _ reads: any StoreReader
  ) throws(StoreFault) -> [ConversationRow] {
    var rows: [ConversationRow] = []
    for record in records {
      var seen: Set<ConversationID> = []
      for id in pending.conversationsOf(record).sorted() {
        guard seen.insert(id).inserted, let row = pending.conversations[id], row.customer == record
        else { continue }
        rows.append(row)
      }
      var stored = try reads.conversations(workspace, of: record, limit: limit)
      if stored.count == limit {
        stored += try reads.openConversations(workspace, of: record, limit: limit)
      }
      for row in stored where seen.insert(row.id).inserted {
        let now = pending.conversations[row.id] ?? row
        if now.customer == record { rows.append(now) }
      }
    }
    return rows
  }

  /// Where a proven customer's session goes on. A stranger, and whoever merely claims to be
  /// somebody, begins anew.
  mutating func whichConversation(
    _ who: Resolution, _ arrival: WhichConversation.Arrival, _ reads: any StoreReader
  ) throws(StoreFault) -> WhichConversation.Choice {
    guard who.isProven, !who.isNew else { return .new(earlier: nil, agent: nil) }
    let rows = try conversations(of: who.records, reads)
    var candidates: [WhichConversation.Candidate] = []
    for row in rows {
      guard let about = Self.about(row.about) else {
        throw StoreFault.corrupt(what: "what is told of a conversation")
      }
      // What comes to the one goes on in the other, where that is theirs still.
      if let other = about.joinedTo, rows.contains(where: { $0.id == other }),
        router.conversation(row.id) == nil
      {
        continue
      }
      candidates.append(
        .init(
          id: row.id, holder: holder(of: row, about), opened: row.opened, changed: row.changed,
          subject: about.subjectKey))
    }
    return WhichConversation.choose(among: candidates, for: arrival, planner.continuity)
  }

  private func holder(of row: ConversationRow, _ about: ConversationAbout)
    -> WhichConversation.Holder
  {
    guard let state = router.conversation(row.id) else {
      return .nobody(isSettled: about.isSettled)
    }
    switch state.owner {
    case .bot: return .bot
    // A message that waits stays by itself: a caller who hangs up on their next call must not take
    // it with them.
    case .queue(_, let id):
      return .queue(router.case(id).map { $0.waitsAlone ? .phone : $0.channel } ?? .chat)
    case .agent(let agent, _): return .agent(agent)
    case .unrouted: return .unrouted
    case .closed: return .nobody(isSettled: about.isSettled)
    }
  }

  /// Adds a session to a conversation that is there, open or closed.
  mutating func join(
    _ id: ConversationID, _ session: NewSession, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Rejection? {
    if router.conversation(id) != nil {
      return try command(.joinSession(conversation: id, session: session), &turn, reads)
    }
    guard let row = try conversationRow(id, reads) else { return .unknownConversation }
    return try command(.reopenConversation(closed(row), session: session), &turn, reads)
  }

  /// Changes what is told of a conversation besides its owner.
  mutating func tell(
    of id: ConversationID, _ turn: Turn, _ reads: any StoreReader,
    _ body: (inout ConversationAbout) -> Void
  ) throws(StoreFault) {
    guard let row = try conversationRow(id, reads) else { return }
    guard var about = Self.about(row.about) else {
      throw StoreFault.corrupt(what: "what is told of a conversation")
    }
    body(&about)
    let encoded = about.encoded
    if encoded != row.about { try change(id, turn, reads) { $0.about = encoded } }
  }
}
