import Continuity
import Model
import Records
import Routing

/// Two conversations of one customer turn out to be one matter. The one is closed and names the
/// other, and whatever comes to it goes on there; its words stay where they were said, so that
/// taking them apart again only takes the name away.
extension Pipeline {
  mutating func join(
    _ asked: JoinConversations, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard asked.keeps != asked.joins, let keeps = try conversationRow(asked.keeps, reads),
      let joins = try conversationRow(asked.joins, reads)
    else { return .refused(.unknownConversation) }
    guard let kept = Self.about(keeps.about), let joined = Self.about(joins.about) else {
      throw StoreFault.corrupt(what: "what is told of a conversation")
    }
    let isJoined = joined.joinedTo == keeps.id
    var moved: [ConversationAbout.Unheard] = []
    if asked.isJoining {
      guard joined.joinedTo == nil, joined.joins.isEmpty, kept.joinedTo == nil else {
        return .refused(.alreadyJoined)
      }
      guard try customer(keeps.customer, reads)?.root == customer(joins.customer, reads)?.root
      else {
        return .refused(.notSameCustomer)
      }
      let isTheirs =
        router.conversation(joins.id)?.openCase.flatMap { router.case($0)?.agent }
        == asked.agent
      if let refused = try settle(joins.id, asked.agent, &turn, reads) { return refused }
      // What nobody has taken up there waits here.
      moved = joined.unheard.filter { !($0.isTaken && isTheirs) }
    } else if !isJoined {
      return .refused(.notJoined)
    }
    let (one, other, isJoining) = (keeps.id, joins.id, asked.isJoining)
    try tell(of: other, turn, reads) { $0.joinedTo = isJoining ? one : nil }
    try tell(of: one, turn, reads) { about in
      about.joins.removeAll { $0 == other }
      if isJoining { about.joins.append(other) }
    }
    for (place, partner) in [(one, other), (other, one)] {
      var members = Members()
      members.text("with", partner.description)
      if !asked.reason.isEmpty { members.text("reason", asked.reason) }
      try enter(
        isJoining ? .joined : .parted, .agent(asked.agent), .business, members, place, nil, &turn,
        reads)
    }
    let told = recorded(head.entry, one)
    for news in moved.sorted(by: ConversationAbout.Unheard.goesFirst) {
      try reopen(
        one, on: news.channel, newCase(turn), news.cause, by: news.by, since: news.since,
        as: news.waited, &turn, reads)
    }
    return told
  }

  /// Closes what is still open of it: a case that waits is taken and closed by the agent who says
  /// that it is the same matter, as if they had worked it by hand.
  private mutating func settle(
    _ id: ConversationID, _ agent: AgentID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer? {
    guard let state = router.conversation(id) else { return nil }
    if state.sessions.contains(where: { $0.channel != .email }) { return .refused(.isLive) }
    guard let open = state.openCase else { return state.owner == .closed ? nil : .refused(.isLive) }
    if router.case(open)?.agent != agent,
      let refused = try command(.assign(open, to: agent), &turn, reads)
    {
      return rejection(refused, id)
    }
    turn.settled = id
    if let refused = try command(.close(open, by: agent), &turn, reads) {
      return rejection(refused, id)
    }
    return nil
  }

  func isGone(_ row: ConversationRow) -> Bool {
    Self.about(row.about)?.isErased == true
      && router.conversation(row.id)?.owner ?? .closed == .closed
  }
}
