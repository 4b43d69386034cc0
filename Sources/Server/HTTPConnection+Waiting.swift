import Model
import Pipeline
import Records
import Service
import Sockets
import System

/// Exchanges that wait for something to happen: a call's next instruction, a conversation's next
/// entry.
extension HTTPConnection {
  /// What the call should do next, once it differs from what its phone system was told last, or at
  /// once when it does not want to wait.
  func instruct(_ answer: Answer, _ known: CallWait, _ connection: Connection) {
    var wait = known
    switch answer {
    case .callTaken(let session, _, _, _, _):
      edge.hub.joinLine(session, connection.ref)
      wait.session = session
      exchange?.kind = .call(wait)
    case .standing(let standing):
      let now = edge.health.clock.now
      let next = CallInstruction(standing, now: now)
      let mayWait = if case .wait = next { wait.waitSeconds > 0 } else { false }
      if mayWait, wait.instruction == nil {
        connection.setTimer(.answer, milliseconds: wait.waitSeconds * 1_000)
      }
      wait.instruction = next
      exchange?.kind = .call(wait)
      if case .hangUp = next, let session = wait.session { edge.hub.forgetLine(session) }
      if !mayWait { finish(next.response(call: wait.session), connection) }
    case .ruleAnswered(.answer(let text), _, _), .ruleAnswered(.reject(let text), _, _),
      .ruleAnswered(.handBack(let text), _, _):
      finish(CallInstruction.hangUp(text).response(call: nil), connection)
    default: finish(APIResponse(answer, wait.words), connection)
    }
  }

  /// Looks for entries behind the poll's number. The subscription comes before the look, so that
  /// nothing falls between them.
  func look(_ connection: Connection) {
    guard case .poll(let poll, var state) = exchange?.kind, let caller = exchange?.caller,
      let directory = edge.api(caller.workspace)?.directory
    else { return }
    state.isLooking = true
    state.wokenMeanwhile = false
    let mayWait = poll.waitSeconds > 0 && !state.isOver
    let before = state.conversation
    exchange?.kind = .poll(poll, state)
    let (edge, ref, number) = (edge, connection.ref, number)
    errand().run(in: edge.reads) { reads in
      do throws(StoreFault) {
        guard let session = try reads.session(caller.workspace, poll.session),
          session.bot == directory.bots[caller.holder]?.raw
        else { return edge.hub.post(ref, .rendered(number, APIResponse(.notFound("session")))) }
        // Its customer may have been taken out of the conversation meanwhile.
        if let before, before != session.conversation { edge.hub.unsubscribe(before, ref) }
        if mayWait { edge.hub.subscribe(session.conversation, ref) }
        let page = try EventsPage.read(directory, session, after: poll.after, limit: 200, reads)
        let problem =
          page.isEmpty ? try APIProblem.ahead(poll.after, caller.workspace, reads) : nil
        if page.isEmpty, mayWait, problem == nil {
          edge.hub.post(ref, .nothingYet(number, session.conversation))
        } else {
          edge.hub.unsubscribe(session.conversation, ref)
          edge.hub.post(
            ref, .rendered(number, problem.map { APIResponse($0) } ?? page.response))
        }
      } catch {
        edge.health.tell("reading events", error)
        edge.hub.post(ref, .rendered(number, APIResponse(APIProblem(error))))
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
