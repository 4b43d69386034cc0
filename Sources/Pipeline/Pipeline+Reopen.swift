import Continuity
import Model
import Records
import Routing

/// News that a person must have, of a matter that no person has any more: a message that was
/// brought late, an answer that never arrived. It is opened again, and routed.
extension Pipeline {
  /// Whether somebody has the conversation, or will get it.
  private func hasSomebody(_ id: ConversationID) -> Bool {
    switch router.conversation(id)?.owner {
    case .queue, .agent: true
    case .bot, .unrouted, .closed, nil: false
    }
  }

  /// Does nothing where somebody has it.
  mutating func reopen(
    _ place: ConversationID, on channel: Channel, _ new: NewCase, _ cause: RouteReason.Cause,
    _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) {
    guard !hasSomebody(place), let row = try conversationRow(place, reads),
      let customer = try customer(ofConversation: place, reads)
    else { return }
    guard let about = Self.about(row.about) else {
      throw StoreFault.corrupt(what: "what is told of a conversation")
    }
    // What the customer said last by this channel, but for their words.
    let mail = about.mail.map {
      MailFacts(from: $0.theirs, to: $0.ours, subject: $0.subject, text: "")
    }
    var facts = RouteFacts(
      channel: channel, bot: nil, customer: customer.root, isNewCustomer: false,
      profile: try profile(ofPerson: customer, reads), mail: channel == .email ? mail : nil,
      call: channel == .phone ? about.call : nil)
    facts.gathered.isReopened = true
    try gather(for: &facts, place, reads)
    guard let planned = try planForSomebody(facts, place, turn, reads) else { return }
    let session = NewSession(id: new.session, channel: channel, bot: nil)
    _ = try join(place, session, &turn, reads)
    turn.routing.channel = channel
    _ = try carryOut(planned, place, session.id, new.case, cause, epoch: nil, &turn, reads)
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
