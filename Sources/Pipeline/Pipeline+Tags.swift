import Continuity
import Model
import Records
import Routing
import Wire

/// What a conversation is filed under. Tags stand in the conversation's row; who put them there and
/// took them away is told by its entries, for the business alone.
extension Pipeline {
  mutating func tag(
    _ asked: TagConversation, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try conversationRow(asked.conversation, reads) else {
      return .refused(.unknownConversation)
    }
    guard let about = Self.about(row.about) else {
      throw StoreFault.corrupt(what: "what is told of a conversation")
    }
    guard asked.removes.allSatisfy(about.tags.contains) else { return .refused(.notTagged) }
    let added = Set(asked.adds).subtracting(about.tags).sorted()
    let removed = Set(asked.removes).sorted()
    let tags = (about.tags.filter { !removed.contains($0) } + added).sorted()
    guard tags.count <= ConversationAbout.tagsMax else { return .refused(.tooManyTags) }
    guard tags != about.tags else { return .tagged(row.id, tags, entry: nil) }
    isTorn = true
    try tell(of: row.id, turn, reads) { $0.tags = tags }
    var entry: EntryID?
    for (kind, names) in [(EntryKind.tagged, added), (.untagged, removed)] where !names.isEmpty {
      var members = Members()
      members.texts("tags", names)
      members.text("by", asked.by)
      if !asked.reason.isEmpty { members.text("reason", asked.reason) }
      let draft = EntryDraft(
        kind: kind, author: asked.author, visibility: .internal, channel: nil,
        members: members.bytes)
      entry = try writeInside(draft, row.id, &turn, reads)
    }
    return .tagged(row.id, tags, entry: entry)
  }

  /// Writes into a conversation what the business alone sees. The desk of an agent who has it at
  /// this moment shows it.
  /// - Parameter record: whom it is about; nil for the conversation's.
  @discardableResult
  mutating func writeInside(
    _ draft: EntryDraft, _ id: ConversationID, of record: CustomerID? = nil, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) -> EntryID? {
    guard let row = try conversationRow(id, reads),
      let customer = try customer(record ?? row.customer, reads)
    else { return nil }
    if case .agent? = router.conversation(id)?.owner {
      let next = EntryID(head.entry.raw + 1)
      _ = try command(
        .record(
          conversation: id, session: nil, entry: next, author: .system,
          visibility: draft.visibility, epoch: nil), &turn,
        reads)
    }
    return write(draft, customer: customer, conversation: id, session: nil, &turn)
  }
}
