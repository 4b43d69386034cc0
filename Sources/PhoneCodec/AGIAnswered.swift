/// The connection that a rung device opens when it is picked up, before it is bridged: here an
/// offer is accepted or refused.
///
/// `GOSUB_RESULT` decides what Dial does when the subroutine returns: unset or empty bridges,
/// `CONTINUE` drops the device and gives the caller back. So it is set first, and emptied only upon
/// acceptance: whatever breaks in between, nobody is bridged to a caller who is no longer theirs.
///
/// ```
/// state      input         does                                  next state
/// (opened)                 SET VARIABLE GOSUB_RESULT CONTINUE    holding
/// holding    200           deviceAnswered                        asking
/// asking     accept        SET VARIABLE GOSUB_RESULT ""          bridging
/// asking     refuse        close                                 closed
/// bridging   200           bridged, close                        closed
/// any        HANGUP, another reply, peer closes: deviceLost, close   closed
/// ```
struct AGIAnswered: Equatable, Sendable {
  enum State: Equatable { case holding, asking, bridging, closed }

  private(set) var state = State.holding
  let offer: AGIOffer
  let arrival: AGIArrival

  init(offer: AGIOffer, arrival: AGIArrival) {
    self.offer = offer
    self.arrival = arrival
  }

  func opened() -> [AGIAct] { [.command(.set("GOSUB_RESULT", to: "CONTINUE"))] }

  mutating func wish(_ wish: AGIWish) -> [AGIAct] {
    guard state == .asking else { return [] }
    switch wish {
    case .accept:
      state = .bridging
      return [.command(.set("GOSUB_RESULT", to: ""))]
    case .refuse:
      state = .closed
      return [.close]
    case .wait, .ring, .stopRinging, .announce, .probe, .finish:
      return []
    }
  }

  mutating func replied(_ reply: AGIReply) -> [AGIAct] {
    guard case .result("1", _, _) = reply else { return lost() }
    switch state {
    case .holding:
      state = .asking
      return [.tell(.deviceAnswered(offer, arrival))]
    case .bridging:
      state = .closed
      return [.tell(.bridged(offer)), .close]
    case .asking, .closed:
      return []
    }
  }

  /// The device hung up, the connection closed or broke: no bridge came about.
  mutating func lost() -> [AGIAct] {
    guard state != .closed else { return [] }
    state = .closed
    return [.tell(.deviceLost(offer)), .close]
  }
}
