import Continuity
import Model
import Records
import Routing
import Wire

/// Words that are taken out of an entry after the fact.
///
/// The entry keeps its number, place and everything but those words; it gets a new salt and with it
/// a new hash. The log says so: the record of the redaction names the entry again with the new
/// hash, beside the one of the entry that tells of it. That one holds both hashes, so that whoever
/// had counted and summed before can tell the difference.
extension Pipeline {
  mutating func redact(
    _ asked: RedactEntry, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let row = try entry(asked.entry, reads), var record = try customer(row.customer, reads)
    else {
      return .refused(.unknownEntry)
    }
    guard let body = row.body else { return .refused(.wordsGone) }
    let teller = EntryID(head.entry.raw + 1)
    guard let kept = asked.words.entry(body, by: teller, salt: salt(for: teller, purpose: 1)) else {
      return .refused(.wordsNotThere)
    }
    isTorn = true
    var changed = row
    changed.body = kept
    changed.hash = environment.sha256(kept)
    pending.rewrite(changed, at: turn.position)
    turn.entries.append((row.id, changed.hash))
    record.timeline.replace(row.hash, by: changed.hash)
    var profile = try profile(of: record)
    profile.take(asked.words, from: body)
    record.profile = profile.encoded
    pending.set(record, at: turn.position)
    if [.merged, .split].contains(EntryBody.kind(of: body)) {
      try takeOutReasons(asked.words, beside: body, of: record, turn, reads)
    }
    if let conversation = row.conversation {
      try takeOut(asked.words, beside: body, of: conversation, turn, reads)
    } else {
      // What somebody did elsewhere rules see in every case, also of whoever was one with them then.
      let everybody = try everOne(with: record, reads)
      let rows = try conversations(
        of: everybody, atMost: GatheredFacts.conversationsMax, reads)
      for id in rows.map(\.id) {
        for id in try cases(of: id, reads) { try takeOut(asked.words, ofFacts: id, reads) }
      }
    }
    var members = Members()
    members.number("of", row.id.raw)
    members.text("hash_before", Hex.encode(row.hash.bytes))
    members.text("hash_after", Hex.encode(changed.hash.bytes))
    members.text("by", asked.by)
    if !asked.reason.isEmpty { members.text("reason", asked.reason) }
    // Whoever may not see the entry must not learn that there is one.
    let draft = EntryDraft(
      kind: .redacted, author: asked.author,
      visibility: row.visibility == .internal ? .internal : .business,
      channel: nil, members: members.bytes)
    if let conversation = row.conversation {
      try writeInside(draft, conversation, of: row.customer, &turn, reads)
    } else {
      write(draft, customer: record, conversation: nil, session: nil, &turn)
    }
    return .redacted(row.id, by: teller)
  }

  func entry(_ id: EntryID, _ reads: any StoreReader) throws(StoreFault) -> EntryRow? {
    if let row = pending.entry(id) { return row }
    guard id <= head.entry else { return nil }
    return try reads.entry(workspace, id)
  }

  /// Why people are one, or are not, stands with the links of each, and with the number that is several
  /// people's: the entry is only where it is told.
  private mutating func takeOutReasons(
    _ words: Redaction, beside entry: [UInt8], of record: CustomerRow, _ turn: Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    for id in try everOne(with: record, reads) {
      guard var row = try customer(id, reads) else { continue }
      var profile = try profile(of: row)
      let before = profile
      profile.take(words, from: entry)
      if profile != before {
        row.profile = profile.encoded
        pending.set(row, at: turn.position)
      }
      for var identity in try Self.identities(of: id, pending, reads) {
        guard var evidence = identity.decodedEvidence, evidence.take(words, from: entry) else {
          continue
        }
        identity.evidence = evidence.encoded
        pending.identities.set(identity.hash, identity, at: turn.position)
      }
    }
  }

  /// What rows of the conversation repeat of an entry: a handoff in its case, a mail's subject,
  /// what the rules saw.
  private mutating func takeOut(
    _ words: Redaction, beside entry: [UInt8], of conversation: ConversationID, _ turn: Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    try tell(of: conversation, turn, reads) { about in
      if let mail = about.mail { about.mail = mail.without(words) }
      about.subjectKey = about.subjectKey.map(words.key)
    }
    for id in try cases(of: conversation, reads) {
      guard var row = try caseRow(id, reads) else { continue }
      guard var about = Self.decoded(row.about) else {
        throw StoreFault.corrupt(what: "what is told of a case")
      }
      // Of another entry's handoff nothing is taken: that one is redacted on its own.
      if entry.contains(about.handoff), let handoff = words.json(about.handoff) {
        about.handoff = handoff
        row.about = about.encoded
        pending.cases.set(id, row, at: turn.position)
      }
      try takeOut(words, ofFacts: id, reads)
    }
  }

  private mutating func takeOut(
    _ words: Redaction, ofFacts id: CaseID, _ reads: any StoreReader
  ) throws(StoreFault) {
    var known = pending.facts.last { $0.case == id }
    if known == nil { known = try reads.facts(workspace, of: id) }
    guard let facts = known.flatMap({ words.json($0.bytes) }) else { return }
    pending.facts.removeAll { $0.case == id }
    pending.facts.append(FactsRow(case: id, bytes: facts))
  }

  private func cases(of conversation: ConversationID, _ reads: any StoreReader) throws(StoreFault)
    -> [CaseID]
  {
    var ids = Set(try reads.cases(workspace, of: conversation).map(\.id))
    ids.formUnion(pending.cases.all { $0.conversation == conversation }.map(\.id))
    return ids.sorted()
  }

  /// All records that ever were one person's with this one, whoever took them apart since.
  private mutating func everOne(with record: CustomerRow, _ reads: any StoreReader)
    throws(StoreFault) -> [CustomerID]
  {
    try Set([record.id]).reach { id throws(StoreFault) in
      guard let row = try customer(id, reads) else { return [] }
      return try profile(of: row).links.map { $0.other(than: id) }
    }.sorted()
  }
}

extension MailLine {
  fileprivate func without(_ words: Redaction) -> MailLine {
    var line = self
    line.subject = words.text(subject)
    return line
  }
}
