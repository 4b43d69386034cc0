import Model
import Pipeline
import Routing

/// What agents and supervisors do beside answering: cases change hands, people turn out to be one
/// or two, conversations to be one matter.
extension World {
  /// A conversation that somebody was told of, with the customer it was of then.
  struct Place {
    var conversation: ConversationID
    var customer: CustomerID
  }

  func remember(_ conversation: ConversationID, _ customer: CustomerID) {
    if places.count >= 40 { places.remove(at: random.below(places.count)) }
    places.append(Place(conversation: conversation, customer: customer))
  }

  /// Whether a case that an agent has was moved, where it would have been worked on.
  func moves(_ index: Int, _ id: CaseID) -> Bool {
    guard has(.moves), !isClosing, random.oneIn(3) else { return false }
    let agent = desks[index].agent
    let other = desks[random.below(desks.count)].agent
    let time = Duration64.seconds(Int64(1 + random.below(60)))
    if random.oneIn(8) {
      let queue = random.oneIn(2) ? nil : QueueID(UInt32(random.below(2)))
      let target = TransferTarget(queue: queue, agent: .init(agent: other, for: time))
      send(
        .transfer(id, agent, to: target, newCase: newID(), members: []), .letGo(desk: index, id))
      return true
    }
    let act: CaseAct =
      switch random.below(10) {
      case 0: .park(agent, for: time)
      case 1: .resume(agent)
      case 2: .hold(agent, for: time)
      case 3: .endHold(agent)
      case 4: .extendWrapUp(agent, by: time)
      case 5, 6: .consult(agent, with: other, for: time)
      case 7: .endConsult(agent)
      case 8: .assign(to: other)
      default: .requeue
      }
    send(.onCase(id, act), isIdempotent: random.oneIn(2))
    if case .consult = act, random.oneIn(2) {
      send(.onCase(id, .takeOver(other)), isIdempotent: false)
    }
    return true
  }

  /// Whether an agent did something with their own day, where they would have asked for work.
  func changesPlans(_ index: Int) -> Bool {
    guard has(.moves), random.oneIn(12) else { return false }
    let agent = desks[index].agent
    let channels = Channel.allCases.filter { _ in random.oneIn(2) }
    switch random.below(3) {
    case 0: send(.finish(agent, then: .offline), isIdempotent: false)
    case 1: send(.chooseChannels(agent, channels), isIdempotent: false)
    default:
      let status: AgentStatus = random.oneIn(2) ? .available : .busy
      send(.setChannelStatus(agent, channels, status, because: nil), isIdempotent: false)
    }
    return true
  }

  /// Who looks after the workspace merges and parts people, joins conversations and tags them.
  func supervisorActs() {
    if isClosing { return }
    calendar.enter(.supervisor, at: now + 500 + Int64(random.below(isBusy ? 3_000 : 20_000)))
    if isBusy, !random.oneIn(4) { return assignOne() }
    guard let one = random.one(of: places), let other = random.one(of: places) else { return }
    let agent = desks[random.below(desks.count)].agent
    switch random.below(6) {
    case 0, 1: decide(.merge(one.customer, other.customer))
    case 2, 3: decide(.split(one.customer, other.customer))
    case 4:
      send(
        .joinConversations(
          JoinConversations(
            keeps: one.conversation, joins: other.conversation, isJoining: !random.oneIn(4),
            agent: agent, reason: "one matter")))
    default:
      send(
        .tag(
          TagConversation(
            one.conversation, adds: ["vip"], removes: random.oneIn(3) ? ["vip"] : [],
            author: .agent(agent), by: "agent:\(agent.raw)", reason: "")))
    }
  }

  /// Whatever is open, to anybody: most of it is refused.
  private func assignOne() {
    guard isUp, !isOut, let id = random.one(of: pipeline.router.caseIDs) else { return }
    send(
      .onCase(id, .assign(to: desks[random.below(desks.count)].agent)), isIdempotent: false)
  }

  private func decide(_ what: AboutCustomer.What) {
    send(.aboutCustomer(AboutCustomer(what, by: "supervisor:boss", reason: "they said so")))
  }
}
