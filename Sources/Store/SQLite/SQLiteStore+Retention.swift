import Model
import Records

extension SQLiteStore {
  /// Looks on from where the rule looked last, and takes the words of the entries that it names, of
  /// at most ten thousand at a time.
  ///
  /// Entries grow old in their order, so that each is asked once. A tag may come when the entries
  /// of its conversation were asked already: whatever came since the last look is searched for
  /// such, and their conversations are gone through anew.
  /// - Returns: how many lost their words, and whether that is as far as the rule reaches now.
  public func forgetOld(
    _ rule: RetentionRule, _ workspace: WorkspaceID, now: Instant, from look: inout RetentionLook,
    _ facts: RetentionFacts,
    _ forms: ErasedForms, beneath: Beneath
  ) throws(StoreFault) -> (forgotten: Int64, isDone: Bool) {
    var search = RetentionSearch(
      reader: try SQLiteReader(self), rule: rule, workspace: workspace, facts: facts,
      until: Instant(milliseconds: now.milliseconds - rule.age.milliseconds))
    var next = look
    let isDone = try search.go(on: &next)
    let forgotten = try forgetWords(of: search.found, workspace, forms, beneath: beneath)
    look = next
    return (forgotten, isDone)
  }
}

/// Entries that one rule names, as one look finds them.
private struct RetentionSearch {
  let reader: SQLiteReader
  let rule: RetentionRule
  let workspace: WorkspaceID
  let facts: RetentionFacts
  /// Words from before are old.
  let until: Instant
  private(set) var found: [EntryID] = []
  private var tagged: [ConversationID: Bool] = [:]
  private static let foundMax = 10_000

  init(
    reader: SQLiteReader, rule: RetentionRule, workspace: WorkspaceID, facts: RetentionFacts,
    until: Instant
  ) {
    self.reader = reader
    self.rule = rule
    self.workspace = workspace
    self.facts = facts
    self.until = until
  }

  mutating func go(on look: inout RetentionLook) throws(StoreFault) -> Bool {
    let (head, end) = try reader.ask { queries throws(StoreFault) in
      let head = try queries.head(workspace).entry
      return (head, try queries.firstEntry(workspace, until, head) - 1)
    }
    // What is not old yet is asked when it is, and sees the tags of that day.
    if rule.tag != nil, let from = look.tagging { try retag(from, head, asked: look.old) }
    if rule.tag != nil { look.tagging = head }
    while look.old.raw < end, found.count < Self.foundMax {
      let (entries, looked) = try reader.entries(
        workspace, after: look.old.raw, limit: Int(min(1_000, end - look.old.raw)))
      guard let looked else { break }
      look.old = EntryID(looked)
      for entry in entries where try isNamed(entry) { found.append(entry.id) }
    }
    return look.old.raw >= end
  }

  /// Conversations that were tagged by an entry after `from`: what of them was asked already is
  /// asked again.
  private mutating func retag(_ from: EntryID, _ head: EntryID, asked: EntryID) throws(StoreFault) {
    var last = from.raw
    var conversations: Set<ConversationID> = []
    while last < head.raw {
      let (entries, looked) = try reader.entries(
        workspace, after: last, limit: Int(min(1_000, head.raw - last)))
      guard let looked else { break }
      last = looked
      for entry in entries where entry.body != nil && facts.entry(entry).kind == facts.tagged {
        if let id = entry.conversation { conversations.insert(id) }
      }
    }
    for id in conversations.sorted() where try hasTag(id) {
      var after = EntryID(0)
      while after < asked {
        let page = try reader.transcript(
          workspace, of: id, after: after, limit: 1_000, visible: .internal)
        guard let last = page.last else { break }
        after = last.id
        for entry in page where entry.id <= asked {
          if try isNamed(entry) { found.append(entry.id) }
        }
      }
    }
  }

  private mutating func isNamed(_ entry: EntryRow) throws(StoreFault) -> Bool {
    guard entry.body != nil else { return false }
    let (kind, channel) = facts.entry(entry)
    guard rule.kind.map({ $0 == kind }) ?? true, rule.channel.map({ $0 == channel }) ?? true else {
      return false
    }
    guard rule.tag != nil else { return true }
    guard let conversation = entry.conversation else { return false }
    return try hasTag(conversation)
  }

  private mutating func hasTag(_ id: ConversationID) throws(StoreFault) -> Bool {
    if let known = tagged[id] { return known }
    let tags = try reader.conversation(workspace, id).map(facts.tags) ?? []
    let has = rule.tag.map(tags.contains) ?? true
    tagged[id] = has
    return has
  }
}
