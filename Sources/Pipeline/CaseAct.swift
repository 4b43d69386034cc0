import Model
import Records
import Routing

/// What an agent or a supervisor does with a case that says nothing to the customer. Times count
/// from when it is decided.
public enum CaseAct: Sendable, Hashable {
  case park(AgentID, for: Duration64)
  case resume(AgentID)
  case hold(AgentID, for: Duration64)
  case endHold(AgentID)
  case extendWrapUp(AgentID, by: Duration64)
  case consult(AgentID, with: AgentID, for: Duration64)
  case endConsult(AgentID)
  case takeOver(AgentID)
  /// A supervisor gives it to an agent, or back to its queue.
  case assign(to: AgentID)
  case requeue

  func command(_ id: CaseID, at: Instant) -> Command {
    switch self {
    case .park(let agent, let time): .park(id, by: agent, until: at + time)
    case .resume(let agent): .resume(id, by: agent)
    case .hold(let agent, let time): .hold(id, by: agent, until: at + time)
    case .endHold(let agent): .endHold(id, by: agent)
    case .extendWrapUp(let agent, let time): .extendWrapUp(id, by: agent, until: at + time)
    case .consult(let agent, let other, let time):
      .consult(id, by: agent, with: other, until: at + time)
    case .endConsult(let agent): .endConsult(id, by: agent)
    case .takeOver(let agent): .takeOver(id, by: agent)
    case .assign(let agent): .assign(id, to: agent)
    case .requeue: .requeue(id)
    }
  }
}
