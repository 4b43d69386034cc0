import Model
import Records
import Routing

/// Rows that do not match their checksum, and what they may cost: the request that needs one, and
/// nothing else of the workspace.
///
/// | a damaged row is met | what becomes of it |
/// |---|---|
/// | before anything was decided | nothing is; whoever asked is answered `damaged` |
/// | while what the machine decided is told in rows and entries | what cannot be told stays untold, the rest is |
/// | anywhere else in the middle | the turn ends as far as it came; whoever asked is answered `damaged` |
/// | among what rules would see | it is left out of the facts |
///
/// What the machine has decided is never taken back for it: its events are in the log, so that a
/// replay gives the same state, and another customer's case was perhaps among them. A disk that
/// refuses, which is no matter of one row, still stops the workspace.
extension Pipeline {
  /// What was found damaged since the last call.
  public mutating func takeDamage() -> [StoreFault] {
    defer { damage.removeAll() }
    return damage
  }

  /// Remembers that a row is damaged.
  /// - Errors: any other fault, as it is.
  mutating func confine(_ fault: StoreFault) throws(StoreFault) {
    guard case .corrupt = fault else { throw fault }
    damage.append(fault)
  }

  /// A fact that a damaged row would tell is unknown.
  mutating func known<T>(_ look: (inout Self) throws(StoreFault) -> T?) throws(StoreFault) -> T? {
    do throws(StoreFault) { return try look(&self) } catch {
      try confine(error)
      return nil
    }
  }

  /// Whoever has hung up has gone, and must not be offered to anybody for as long as their row is
  /// damaged.
  mutating func endAnyway(_ intake: Intake, _ turn: inout Turn, _ reads: any StoreReader)
    throws(StoreFault)
  {
    guard case .endSession(let id, let end, by: nil) = intake, turn.decision.events.isEmpty else {
      return
    }
    _ = try command(.endSession(id, end), &turn, reads)
  }

  /// Looks at the rows that a request names, before anything is decided: each would be needed to
  /// tell of it. What has happened outside is taken whatever they are.
  mutating func look(at intake: Intake, _ reads: any StoreReader) throws(StoreFault) {
    guard intake.patience == .none else { return }
    switch intake {
    case .say(let say): try look(atSession: say.session, reads)
    case .handoff(let handoff): try look(atSession: handoff.session, reads)
    case .endSession(let session, _, by: _): try look(atSession: session, reads)
    case .callFact(let session, _): try look(atSession: session, reads)
    case .accept(let offer, _), .acceptByDevice(let offer), .decline(let offer, _):
      if let id = offers[offer]?.case { try look(atCase: id, reads) }
    case .agentSays(let words): try look(atCase: words.case, reads)
    case .transfer(let id, _, to: _, newCase: _, members: _): try look(atCase: id, reads)
    case .handBack(let id, _, to: _, members: _): try look(atCase: id, reads)
    case .wrapUp(let id, _), .close(let id, _): try look(atCase: id, reads)
    case .onCase(let id, _): try look(atCase: id, reads)
    case .redact(let asked): try look(besideEntry: asked.entry, reads)
    // The others look up what they are about before they decide, or are about no row.
    case .configure, .start, .tick, .read, .outcome, .openSession, .mail, .call, .rejoin, .callNews,
      .standing, .bridgeEnded, .callEnded, .deviceLost, .journey, .aboutCustomer,
      .joinConversations, .tag, .blob, .setStatus, .renew, .next, .endNext, .openStream,
      .closeStream, .failOffer, .finish, .chooseChannels, .setChannelStatus, .outboxDelivered,
      .outboxDelayed,
      .outboxFailed:
      break
    }
  }

  private mutating func look(atSession id: SessionID, _ reads: any StoreReader) throws(StoreFault) {
    guard let row = try sessionRow(id, reads) else { return }
    try look(atConversation: row.conversation, reads)
  }

  private mutating func look(atCase id: CaseID, _ reads: any StoreReader) throws(StoreFault) {
    guard let row = try caseRow(id, reads) else { return }
    try look(atConversation: row.conversation, reads)
  }

  private mutating func look(
    atConversation id: ConversationID, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard let row = try conversationRow(id, reads) else { return }
    _ = try customer(row.customer, reads)
  }

  /// What repeats an entry's words must be readable, or they could be taken out of one place alone.
  private mutating func look(besideEntry id: EntryID, _ reads: any StoreReader) throws(StoreFault) {
    guard let conversation = try entry(id, reads)?.conversation else { return }
    try look(atConversation: conversation, reads)
    for row in try reads.cases(workspace, of: conversation) {
      try look(atCase: row.id, reads)
      _ = try reads.facts(workspace, of: row.id)
    }
  }
}
