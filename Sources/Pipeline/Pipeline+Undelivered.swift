import Continuity
import Model
import Records
import Routing
import Wire

/// Answers that did not arrive. Whoever has the conversation hears of it at their desk; where nobody
/// has it any more, it is opened again, since nobody else will tell the customer. Nothing is ever
/// sent for it: no loop begins here.
extension Pipeline {
  /// The smarthost has refused an answer for good.
  mutating func undelivered(
    _ row: OutboxRow, _ why: String, _ new: NewCase, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard try waits(row, reads) else { return .done }
    pending.outbox.append(
      OutboxRow(id: row.id, kind: row.kind, due: turn.at, tries: row.tries, payload: nil))
    turn.touched = true
    try tell(row, why, isFinal: true, new, &turn, reads)
    return .done
  }

  /// The smarthost does not take an answer yet.
  /// - Parameter why: where it is to be told; that is done once.
  mutating func delayed(
    _ row: OutboxRow, _ why: String?, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard try waits(row, reads) else { return .done }
    pending.outbox.append(row)
    turn.touched = true
    if let why { try tell(row, why, isFinal: false, nil, &turn, reads) }
    return .done
  }

  /// Whether a row is still in the outbox. It went while the smarthost was asked where its person was
  /// erased: then nothing of it is written anew. Only the writer can tell, since what changes rows
  /// beneath it (`changeBeneath`) comes before or after this turn, and never in between.
  private func waits(_ row: OutboxRow, _ reads: any StoreReader) throws(StoreFault) -> Bool {
    if let last = pending.outbox.last(where: { $0.id == row.id }) { return last.payload != nil }
    do throws(StoreFault) { return try reads.outbox(workspace, id: row.id) != nil } catch {
      // One that is damaged is there, and what is written now mends it.
      guard case .corrupt = error else { throw error }
      return true
    }
  }

  private mutating func tell(
    _ row: OutboxRow, _ why: String, isFinal: Bool, _ new: NewCase?, _ turn: inout Turn,
    _ reads: any StoreReader
  ) throws(StoreFault) {
    // Whose it was nobody can tell any more; the log names the row.
    guard let mail = Self.mail(row.payload ?? []) else { return }
    let messageID = OutgoingMail.messageID(mail.id, from: mail.thread.ours)
    var members = Members()
    members.text("to", mail.thread.theirs)
    members.text("message_id", messageID)
    members.text("action", isFinal ? "failed" : "delayed")
    members.text("reason", why)
    var draft = EntryDraft(
      kind: .undelivered, author: .system, visibility: .business, channel: .email,
      members: members.bytes)
    draft.arrival = once(messageID, mail.thread.theirs, isFinal)
    guard case .asNothing = try known(draft, reads),
      let row = try conversationRow(mail.conversation, reads),
      case let record = mail.customer ?? row.customer,
      let place = try home(of: row, for: record, &turn, reads)
    else { return }
    // Nobody is woken for what a rule said on its own to an address that may be made up.
    try tell(draft, place.id, record, mail.isAutomatic ? nil : new, &turn, reads)
  }

  /// A mail server farther on reports it (RFC 3464): nil where the report is about no answer of
  /// ours to this recipient, and is a mail like any other.
  mutating func reported(
    _ mail: MailArrival, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    guard let report = mail.report, let found = try matter(of: report, &turn, reads) else {
      return nil
    }
    let draft = draft(report, found)
    let entry: EntryID
    var isKnown = false
    if case .same(let known) = try known(draft, reads) {
      (entry, isKnown) = (known, true)
    } else {
      for row in mail.blobs { pending.blobs.set(row.id, row, at: turn.position) }
      let new = NewCase(session: mail.session, case: mail.case)
      guard
        let written = try tell(
          draft, found.place, found.customer,
          found.fate.isFinal && !found.isAutomatic ? new : nil, &turn, reads)
      else { return nil }
      entry = written
    }
    setKey(
      .mailSeen, mail.seenKey,
      Self.keyValue(found.place) + Self.number(entry.raw) + Self.keyValue(found.customer), &turn)
    return .mailTaken(found.place, entry, duplicate: isKnown)
  }

  /// What a report is about, as far as it may be believed.
  private struct Matter {
    var fate: MailReport.Fate
    var place: ConversationID
    /// The record that the answer was written to.
    var customer: CustomerID
    /// The Message-ID of the answer, where it is one of this matter.
    var answer: String?
    /// Nobody is woken for what a rule said on its own.
    var isAutomatic = false
    /// Stands for the answer where the report does not say: whatever went out last. The same failure
    /// may be reported again with its Message-ID.
    var last = ""
  }

  /// A signed reply address decides first, as for any mail. A Message-ID alone may be known to
  /// others than its recipient, and a report be written by anybody.
  private mutating func matter(
    of report: MailReport, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Matter? {
    let value = try report.messageID.flatMap { id throws(StoreFault) in
      try self.value(.mailThread, threadKey(id), reads)
    }
    let named = value.flatMap(Self.conversation)
    let sent = value.flatMap(Self.recipient)
    let isAutomatic = value.map(Self.isAutomatic) ?? false
    for fate in report.fates {
      guard let id = fate.replyAddress, let row = try conversationRow(id, reads) else { continue }
      let answer = named == id ? report.messageID : nil
      let record = (answer == nil ? nil : sent?.customer) ?? Self.about(row.about)?.mailBy
      guard let place = try home(of: row, for: record ?? row.customer, &turn, reads) else {
        continue
      }
      let line = Self.about(row.about)?.mail
      let last = line?.lastAnswer ?? "\(id) \(line?.lastMessageID ?? "")"
      return Matter(
        fate: fate, place: place.id, customer: record ?? row.customer, answer: answer,
        isAutomatic: answer != nil && isAutomatic, last: last)
    }
    guard let answer = report.messageID, let named,
      let row = try conversationRow(named, reads)
    else { return nil }
    // Answers of an older program are taken to have gone where the thread goes now.
    let recipient =
      sent?.key ?? Self.about(row.about)?.mail.map { recipientKey(answer, $0.theirs) }
    let record = sent?.customer ?? row.customer
    guard let fate = report.fates.first(where: { recipientKey(answer, $0.address) == recipient }),
      let place = try home(of: row, for: record, &turn, reads)
    else { return nil }
    return Matter(
      fate: fate, place: place.id, customer: record, answer: answer, isAutomatic: isAutomatic)
  }

  private func draft(_ report: MailReport, _ found: Matter) -> EntryDraft {
    var draft = report.entry
    var members = Members()
    if let answer = found.answer { members.text("message_id", answer) }
    draft.arrival = once(found.answer ?? found.last, found.fate.address, found.fate.isFinal)
    draft.members = found.fate.members + members.bytes + draft.members
    return draft
  }

  /// Some servers report the same again and again.
  private func once(_ answer: String, _ address: String, _ isFinal: Bool) -> EntryDraft.Arrival {
    .init(key: key("report\n\(answer)\n\(address.lowercased())\n\(isFinal)"), content: [])
  }

  /// - Parameter new: where nobody has the matter any more, somebody is to have it again.
  @discardableResult
  private mutating func tell(
    _ draft: EntryDraft, _ place: ConversationID, _ record: CustomerID, _ new: NewCase?,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> EntryID? {
    guard let customer = try customer(record, reads) else { return nil }
    // Refused where the conversation is over: then nobody is there to hear it.
    _ = try command(
      .record(
        conversation: place, session: nil, entry: EntryID(head.entry.raw + 1),
        author: draft.author, visibility: draft.visibility, epoch: nil), &turn, reads)
    let entry = write(draft, customer: customer, conversation: place, session: nil, &turn)
    if let new { try reopen(place, on: .email, new, .undelivered, by: record, &turn, reads) }
    return entry
  }

  private static func mail(_ bytes: [UInt8]) -> OutgoingMail? {
    do throws(WireError) { return try OutgoingMail(decoding: bytes) } catch { return nil }
  }
}
