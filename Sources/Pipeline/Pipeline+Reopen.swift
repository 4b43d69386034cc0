import Continuity
import Model
import Records
import Routing

/// News that a person must have, of a matter that no person has any more: a message that was
/// brought late, an answer that never arrived. It is opened again, and routed.
extension Pipeline {
  /// Whether somebody has the conversation, or will get it.
  func hasSomebody(_ id: ConversationID) -> Bool {
    switch router.conversation(id)?.owner {
    case .queue, .agent: true
    case .bot, .unrouted, .closed, nil: false
    }
  }

  /// - Parameters:
  ///   - session: what the case hangs on; a new one.
  ///   - facts: what rules may know, but for what is gathered here.
  mutating func reopen(
    _ place: ConversationID, by session: NewSession, _ facts: RouteFacts, _ id: CaseID,
    _ cause: RouteReason.Cause, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    var facts = facts
    facts.gathered.isReopened = true
    try gather(for: &facts, place, reads)
    guard let planned = try planForSomebody(facts, place, turn, reads) else { return }
    _ = try join(place, session, &turn, reads)
    turn.routing.channel = session.channel
    _ = try carryOut(planned, place, session.id, id, cause, epoch: nil, &turn, reads)
  }

  /// What the rules want. They may answer or refuse who comes; here nobody is there to be told, and
  /// the matter goes to the queue that had it last. nil where none had.
  private mutating func planForSomebody(
    _ facts: RouteFacts, _ place: ConversationID, _ turn: Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Planned? {
    switch planner.plan(facts, router: router, at: turn.at) {
    case .route(let need, _, let rule, let version, let seen, let tags):
      return .route(need, rule: rule, ruleVersion: version, facts: seen, tags: tags)
    case .action(_, let rule, let version):
      guard let last = try lastCase(of: place, reads), let about = Self.decoded(last.about) else {
        return nil
      }
      var need = Need(queue: QueueID(last.queue))
      need.priority = about.priority
      need.skills = about.skills
      return .route(need, rule: rule, ruleVersion: version, facts: Array("{}".utf8))
    }
  }

  private mutating func lastCase(of place: ConversationID, _ reads: any StoreReader)
    throws(StoreFault) -> CaseRow?
  {
    var ids = Set(try reads.cases(workspace, of: place).map(\.id))
    ids.formUnion(pending.cases.all { $0.conversation == place }.map(\.id))
    var last: CaseRow?
    for id in ids.sorted() {
      guard let row = try caseRow(id, reads) else { continue }
      if last.map({ $0.created <= row.created }) ?? true { last = row }
    }
    return last
  }
}
