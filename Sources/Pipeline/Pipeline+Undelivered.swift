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
    pending.outbox.append(
      OutboxRow(id: row.id, kind: row.kind, due: turn.at, tries: row.tries, payload: nil))
    turn.touched = true
    guard let mail = Self.mail(row.payload ?? []) else {
      throw StoreFault.corrupt(what: "mail in the outbox")
    }
    var members = Members()
    members.text("to", mail.thread.theirs)
    members.text("message_id", OutgoingMail.messageID(mail.id, from: mail.thread.ours))
    members.text("reason", why)
    let draft = EntryDraft(
      kind: .undelivered, author: .system, visibility: .business, channel: .email,
      members: members.bytes)
    guard let row = try conversationRow(mail.conversation, reads),
      let place = try goesOn(row, reads)
    else { return .done }
    try tell(draft, place.id, isFinal: true, new, &turn, reads)
    return .done
  }

  /// A mail server farther on reports it (RFC 3464): nil where the report is about no answer of
  /// ours, and is a mail like any other.
  mutating func reported(
    _ mail: MailArrival, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    guard let report = mail.report, let place = try place(of: report, reads) else { return nil }
    let entry: EntryID
    var isKnown = false
    if case .same(let known) = try known(report.entry, reads) {
      (entry, isKnown) = (known, true)
    } else {
      for row in mail.blobs { pending.blobs.set(row.id, row, at: turn.position) }
      let new = NewCase(session: mail.session, case: mail.case)
      guard
        let written = try tell(
          report.entry, place, isFinal: report.isFinal, new, &turn, reads)
      else { return nil }
      entry = written
    }
    setKey(.mailSeen, mail.seenKey, Self.keyValue(place) + Self.number(entry.raw), &turn)
    return .mailTaken(place, entry, duplicate: isKnown)
  }

  private mutating func place(of report: MailReport, _ reads: any StoreReader) throws(StoreFault)
    -> ConversationID?
  {
    var named = report.replyAddress
    if let key = report.messageKey, let value = try value(.mailThread, key, reads) {
      named = Self.conversation(value)
    }
    guard let named, let row = try conversationRow(named, reads) else { return nil }
    return try goesOn(row, reads)?.id
  }

  @discardableResult
  private mutating func tell(
    _ draft: EntryDraft, _ place: ConversationID, isFinal: Bool, _ new: NewCase,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> EntryID? {
    guard let customer = try customer(ofConversation: place, reads) else { return nil }
    // Refused where the conversation is over: then nobody is there to hear it.
    _ = try command(
      .record(
        conversation: place, session: nil, entry: EntryID(head.entry.raw + 1),
        author: draft.author, visibility: draft.visibility, epoch: nil), &turn, reads)
    let entry = write(draft, customer: customer, conversation: place, session: nil, &turn)
    if isFinal { try reopen(place, on: .email, new, .undelivered, &turn, reads) }
    return entry
  }

  private static func mail(_ bytes: [UInt8]) -> OutgoingMail? {
    do throws(WireError) { return try OutgoingMail(decoding: bytes) } catch { return nil }
  }
}
