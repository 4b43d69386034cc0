import Model
import Records
import Routing

/// How a call stands: what its phone system is to do with it.
public enum CallStanding: Hashable, Sendable {
  /// - Parameter position: 1 for whoever is next. With how long until then, where it is in a line.
  case waits(position: Int, WaitEstimate?)
  case rings(OfferID, device: String, until: Instant)
  case talks
  /// The caller hears this and leaves a message; nobody will speak with them now.
  case leavesMessage(prompt: String)
  case over
}

extension Pipeline {
  /// How the call of this key stands at this position. Asked of the writer and not read from the
  /// live machine, so that nobody is told of a ring, a talk or an end that may still be lost.
  mutating func standing(
    ofCall key: [UInt8], at now: Instant, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    guard let known = try call(of: key, reads) else {
      return rejection(.unknownSession, nil)
    }
    return .standing(try standing(of: known.session, at: now, reads))
  }

  mutating func standing(
    of session: SessionID, at now: Instant, _ reads: any StoreReader
  ) throws(StoreFault) -> CallStanding {
    guard let known = router.session(session),
      let conversation = router.conversation(known.conversation),
      let id = conversation.openCase, let state = router.case(id)
    else { return .over }
    if state.waitsAlone, state.session == session {
      let about = try conversationRow(conversation.id, reads).flatMap { Self.about($0.about) }
      return .leavesMessage(prompt: about?.prompt ?? "")
    }
    if case .agent = conversation.owner { return .talks }
    for offer in state.offers {
      guard let view = router.offer(offer), case .device(let index) = view.seat,
        let device = router.device(Int(index), of: view.agent)
      else { continue }
      return .rings(offer, device: device, until: view.until)
    }
    let ahead = router.ahead(of: id) ?? 0
    return .waits(position: ahead + 1, router.estimatedWait(of: id, ahead: ahead, at: now))
  }

  /// The phone says that a ring has ended answered. It says the same whether they spoke or the
  /// answered leg was refused: our own record decides.
  mutating func bridgeEnded(
    _ session: SessionID, _ turn: inout Turn, _ reads: any StoreReader
  ) throws(StoreFault) -> Answer {
    let standing = try standing(of: session, at: turn.at, reads)
    guard standing == .talks else { return .standing(standing) }
    let refused = try endSession(session, .hungUp, nil, &turn, reads)
    if case .rejected = refused { return refused }
    return .standing(.over)
  }
}

extension CaseView {
  /// Whether its caller leaves a message, or has left one: it waits for an agent, and nobody holds
  /// a line for it.
  var waitsAlone: Bool { by.cause == .message }
}
