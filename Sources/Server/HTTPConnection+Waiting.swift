import Model
import Pipeline
import Records
import Service
import Sockets
import System

/// Exchanges that wait for something to happen: a call's next instruction, a conversation's next entry.
extension HTTPConnection {
  /// What the call should do next, once it differs from what its phone system was told last, or at once when it does
  /// not want to wait.
  func instruct(
    _ answer: Answer, _ known: SessionID?, _ last: CallInstruction?, _ seconds: Int, _ connection: Connection
  ) {
    guard let caller = exchange?.caller, let writer = edge.writer(caller.workspace) else { return }
    var session = known
    switch answer {
    case .callTaken(let taken, _, _, _, _): session = taken
    case .position: break
    case .ruleAnswered(.answer(let text), _, _), .ruleAnswered(.reject(let text), _, _),
      .ruleAnswered(.handBack(let text), _, _):
      return finish(CallInstruction.hangUp(text).response(call: nil), connection)
    default: return finish(APIResponse(answer), connection)
    }
    guard let session else { return }
    let now = Instant(milliseconds: WallClock.nowMilliseconds)
    let next = writer.peek { CallInstruction.of(session, $0.router, now: now) }
    let isNew = if case .wait = next { false } else { true }
    if known == nil {
      edge.hub.joinLine(session, connection.ref)
      if seconds > 0, !isNew { connection.setTimer(.answer, milliseconds: seconds * 1_000) }
    }
    exchange?.kind = .call(session, next, waitSeconds: seconds)
    if case .hangUp = next { edge.hub.forgetLine(session) }
    if isNew || seconds == 0 { finish(next.response(call: session), connection) }
  }

  /// Looks for entries behind the poll's number. The subscription comes before the look, so that nothing falls
  /// between them.
  func look(_ connection: Connection) {
    guard case .poll(let poll, var state) = exchange?.kind, let caller = exchange?.caller,
      let directory = edge.api(caller.workspace)?.directory
    else { return }
    state.isLooking = true
    state.wokenMeanwhile = false
    let mayWait = poll.waitSeconds > 0 && !state.isOver
    exchange?.kind = .poll(poll, state)
    let (edge, ref, number) = (edge, connection.ref, number)
    edge.reads.run { reads in
      do throws(StoreFault) {
        guard let session = try reads.session(caller.workspace, poll.session),
          session.bot == directory.bots[caller.holder]?.raw
        else { return edge.hub.post(ref, .rendered(number, APIResponse(.notFound("session")))) }
        if mayWait { edge.hub.subscribe(session.conversation, ref) }
        let page = try EventsPage.read(directory, session, after: poll.after, limit: 200, reads)
        if page.isEmpty, mayWait {
          edge.hub.post(ref, .nothingYet(number, session.conversation))
        } else {
          edge.hub.unsubscribe(session.conversation, ref)
          edge.hub.post(ref, .rendered(number, page.response))
        }
      } catch {
        Log.fault("reading events", error.sentence)
        edge.hub.post(ref, .rendered(number, APIResponse(APIProblem.unavailable)))
      }
    }
  }

  func nothingYet(_ number: UInt64, _ conversation: ConversationID, _ connection: Connection) {
    guard exchange?.number == number, case .poll(let poll, var state) = exchange?.kind else {
      return edge.hub.unsubscribe(conversation, connection.ref)
    }
    state.conversation = conversation
    state.isLooking = false
    exchange?.kind = .poll(poll, state)
    if state.wokenMeanwhile || state.isOver { look(connection) }
  }
}
