import Model

// What cannot have happened as things stood. It is told and not applied: the machine goes by its own
// decisions, and does not hold what none of them leads to.
extension HistoryCheck {
  typealias Impossible = (rule: Invariants.Violation.Rule, sentence: String)

  /// Why the event cannot follow upon what is; nil where it can.
  func impossibility(of event: Event) -> Impossible? {
    switch event {
    case .conversationOpened(let id, _, _):
      router.slot(of: id) < 0 ? nil : (.onePlace, "\(id) is opened, and is open")
    case .conversationClosed(let id, _): impossibleClose(of: id)
    case .sessionOpened(let id, let conversation, _, _):
      router.slot(of: id) >= 0
        ? (.sessions, "\(id) is opened, and is open")
        : router.slot(of: conversation) < 0
          ? (.sessions, "\(id) is opened in \(conversation), which is not there") : nil
    case .sessionEnded(let id, _):
      router.slot(of: id) < 0 ? (.sessions, "\(id) ends, and is not open") : nil
    case .caseQueued(let id, let conversation, _, _, let need, _, _):
      impossibleQueueing(id, conversation, need.queue)
    case .caseAccepted(let id, let agent): absence(of: id, agent, "accepted")
    case .caseWrappingUp(let id, let agent, _):
      impossible(id, agent, "wrapped up") {
        switch $0 {
        case .assigned(agent), .wrappingUp(agent, _): true
        default: false
        }
      }
    case .caseParked(let id, let agent, _):
      impossible(id, agent, "parked") { $0 == .assigned(agent) }
    case .caseResumed(let id, let agent):
      impossible(id, agent, "resumed") { if case .parked(agent, _) = $0 { true } else { false } }
    case .caseRequeued(let id, _):
      absence(of: id, nil, "requeued")
        ?? (router.cases[router.slot(of: id)].agent == nil
          ? (.onePlace, "\(id) is requeued, and no agent has it") : nil)
    case .caseClosed(let id, _):
      absence(of: id, nil, "closed")
        ?? (router.cases[router.slot(of: id)].firstOffer >= 0
          ? (.offers, "\(id) is closed while an offer of it is open") : nil)
    case .offerMade(let offer, let id, let agent, _, _, _): impossibleOffer(offer, id, agent)
    case .offerEnded(let offer, _):
      router.slot(of: offer) < 0 ? (.offers, "\(offer) ends, and is not open") : nil
    default: nil
    }
  }

  private func impossibleClose(of id: ConversationID) -> Impossible? {
    let home = router.slot(of: id)
    if home < 0 { return (.onePlace, "\(id) is closed, and is not there") }
    return router.conversations[home].openCase < 0
      ? nil : (.onePlace, "\(id) is closed, and has an open case")
  }

  private func impossibleQueueing(_ id: CaseID, _ conversation: ConversationID, _ queue: QueueID)
    -> Impossible?
  {
    let home = router.slot(of: conversation)
    if home < 0 { return (.onePlace, "\(id) is queued in \(conversation), which is not there") }
    if router.slot(of: id) >= 0 { return (.onePlace, "\(id) is queued twice") }
    if router.conversations[home].openCase >= 0 {
      return (.onePlace, "\(id) is queued in \(conversation), which has an open case")
    }
    return router.catalogue.isKnown(queue)
      ? nil : (.onePlace, "\(id) is queued in queue \(queue.raw), which is not there")
  }

  private func absence(of id: CaseID, _ agent: AgentID?, _ what: String) -> Impossible? {
    if router.slot(of: id) < 0 { return (.onePlace, "\(id) is \(what), and is not there") }
    if let agent, !router.isKnown(agent) {
      return (.onePlace, "\(id) is \(what) by agent \(agent.raw), who is not there")
    }
    return nil
  }

  private func impossible(
    _ id: CaseID, _ agent: AgentID, _ what: String, unless isFit: (CaseState) -> Bool
  ) -> Impossible? {
    if let why = absence(of: id, agent, what) { return why }
    return isFit(router.cases[router.slot(of: id)].state)
      ? nil : (.onePlace, "\(id) is \(what) by agent \(agent.raw), who does not have it so")
  }

  private func impossibleOffer(_ offer: OfferID, _ id: CaseID, _ agent: AgentID) -> Impossible? {
    let slot = router.slot(of: id)
    guard slot >= 0, router.isKnown(agent) else {
      return (.onePlace, "\(id) is offered, and is not there")
    }
    if router.slot(of: offer) >= 0 { return (.offers, "\(offer) is made twice") }
    guard router.cases[slot].state == .waiting || router.cases[slot].state == .offered else {
      return (.onePlace, "\(id) is offered, and an agent has it")
    }
    return router.agents[Int(agent.raw)].openOffer < 0
      ? nil : (.offers, "agent \(agent.raw) is offered \(id) beside another offer")
  }
}
