import HTTPTypes
import Model
import Pipeline
import Records
import Routing
import Service
import Sockets
import WebCodec

/// What comes back for an exchange, and its end.
extension HTTPConnection {
  func delivered(_ payload: any Sendable, on connection: Connection) {
    guard let inbound = payload as? Inbound else { return }
    switch inbound {
    case .answer(let number, let answer):
      guard exchange?.number == number else { return giveBack(answer) }
      answered(answer, connection)
    case .unavailable(let number):
      guard exchange?.number == number else { return }
      if case .sending = exchange?.kind { return }  // it has its answer
      // What is on disk is true, whether anything can be added to it or not.
      if case .read(_, let onDisk?) = exchange?.kind { return read(onDisk, connection) }
      finish(APIResponse(APIProblem.unavailable), connection)
    case .hanging(let number):
      guard exchange?.number == number else { return }
      switch exchange?.kind {
      case .read(_, let onDisk?):
        exchange?.kind = .blob  // It is read now, whatever is said again.
        read(onDisk, connection)
      // What it would tell rests on what hangs, or may.
      case .read(_, onDisk: nil): finish(APIResponse(APIProblem.unavailable), connection)
      // Whoever watches must see that it hangs.
      case .gathering(let response, _): finish(response, connection)
      default: break
      }
    case .rendered(let number, let response):
      if exchange?.number == number { finish(response, connection) }
    case .piece(let number, let piece): send(piece, number, connection)
    case .handled(let number, let action): handled(number, action, connection)
    case .nothingYet(let number, let conversation): nothingYet(number, conversation, connection)
    case .wake:
      guard case .poll(let poll, var state) = exchange?.kind else { return }
      if state.isLooking {
        state.wokenMeanwhile = true
        exchange?.kind = .poll(poll, state)
      } else {
        look(connection)
      }
    case .lineChanged, .ring, .stopRinging, .endCall, .takeMessage:
      guard case .call(let wait) = exchange?.kind, let caller = exchange?.caller else { return }
      edge.writer(caller.workspace)?.submit([
        Request(.standing(call: wait.key), ticket: Ticket(connection.ref, exchange: number))
      ])
    case .tokenEnded(let token):
      // Whose content is still coming is asked again when it is all there.
      if admitted?.token == token { admitted = nil }
      // What is under way is answered; whoever only waits is turned away.
      guard exchange?.caller?.token == token else { return }
      switch exchange?.kind {
      // And of whose body is not understood yet, nothing has been done.
      case .next, .poll, .call, .understanding: finish(APIResponse(.unauthorized), connection)
      case .sending, .submitted, .read, .gathering, .offered, .blob, nil: break
      }
    case .offer, .offerEnded, .agentHears, .agentStatus, .consult, .consultEnded, .caseNews,
      .heard,
      .ringing,
      .looked, .hearOn, .mailRefused,
      .timelineMoved, .followed, .streamEnded:
      break
    }
  }

  /// An offer that came too late for its request goes back at once.
  func giveBack(_ answer: Answer) {
    if case .offer(let offer) = answer { failOffer(offer.offer) }
  }

  func answered(_ answer: Answer, _ connection: Connection) {
    switch exchange?.kind {
    case .submitted(let rendering): render(answer, rendering, connection)
    case .next(_, _, let rendering):
      if case .offer(let offer) = answer {
        exchange?.kind = .offered(offer.offer)
      } else {
        exchange?.kind = .blob
      }
      render(answer, rendering, connection)
    case .read(let render, _): read(render, connection)
    case .gathering(let response, let left):
      if left <= 1 {
        finish(response, connection)
      } else {
        exchange?.kind = .gathering(response, left: left - 1)
      }
    case .call(let wait): instruct(answer, wait, connection)
    case .understanding, .sending, .poll, .blob, .offered, nil: break
    }
  }

  func render(_ answer: Answer, _ rendering: Rendering, _ connection: Connection) {
    switch rendering {
    case .direct(let body): finish(body(answer), connection)
    case .reading(let body):
      switch answer {
      case .rejected, .keyReused, .unavailable, .damaged, .noOffer:
        finish(APIResponse(answer), connection)
      default:
        read({ reads throws(StoreFault) in try body(answer, reads) }, connection)
      }
    }
  }

  /// Of the exchange that is in flight.
  func errand() -> Errand {
    let errand = exchange?.errand ?? Errand()
    exchange?.errand = errand
    return errand
  }

  func read(_ render: @escaping Render, _ connection: Connection) {
    let (edge, ref, number, takesGzip) = (
      edge, connection.ref, number, exchange?.takesGzip ?? false
    )
    exchange?.takesGzip = false  // it is packed there
    let errand = errand()
    errand.run(in: edge.reads) { reads in
      let asked = edge.answer { () throws(StoreFault) in try render(reads) }
      edge.fetch(asked, for: errand) { fetched in
        var response = fetched
        Compression.apply(to: &response, if: takesGzip)
        edge.hub.post(ref, .rendered(number, response))
      }
    }
  }

  func finish(_ response: APIResponse, _ connection: Connection) {
    guard let ended = exchange else { return }
    if ended.takesGzip, response.body.count > Compression.laneBytesMax {
      return pack(response, connection)
    }
    release(connection)
    if case .offered(let offer) = ended.kind {
      unproven = offer
      connection.setTimer(.answer, milliseconds: Limit.proofMilliseconds)
    }
    send(response, to: ended.reply, takesGzip: ended.takesGzip, connection)
  }

  /// Compresses in the read pool what would hold up the lane; it comes back as `rendered`.
  private func pack(_ response: APIResponse, _ connection: Connection) {
    guard var packed = exchange else { return }
    release(connection)  // nothing more is waited for
    packed.takesGzip = false
    packed.errand = nil
    if case .offered = packed.kind {} else { packed.kind = .blob }
    exchange = packed
    let (edge, ref, number) = (edge, connection.ref, number)
    errand().run(in: edge.reads) { _ in
      var response = response
      Compression.apply(to: &response, if: true)
      edge.hub.post(ref, .rendered(number, response))
    }
  }

  /// Writes an answer; then the next request's turn has come, or the connection's end.
  func send(
    _ response: APIResponse, to reply: ReplyContext, takesGzip: Bool, _ connection: Connection
  ) {
    var (reply, response) = (reply, response)
    let isLast = peerHasEnded && bufferedBytes == 0
    if mustClose || isDraining || isLast || number >= edge.settings.requestsPerConnectionMax {
      reply.keepAlive = false
    }
    Compression.apply(to: &response, if: takesGzip)
    let hasContent = write(response, reply, connection)
    if hasContent, let file = response.file { return send(file, reply, connection) }
    sent(reply, connection)
  }

  /// All of an answer is written.
  func sent(_ reply: ReplyContext, _ connection: Connection) {
    if reply.keepAlive {
      advance(connection)
    } else {
      mustClose = true
      connection.closeAfterFlush()
    }
  }

  /// - Returns: whether content belongs to it; that of a file is not written here.
  private func write(
    _ response: APIResponse, _ reply: ReplyContext, _ connection: Connection
  ) -> Bool {
    var fields = lane.standing
    for header in response.headers {
      if let name = HTTPField.Name(header.name), let value = HeaderValue(header.value) {
        fields.append(HeaderField(name, value))
      }
    }
    let type = Self.type(of: response)
    let bodyBytes = response.file.map { Int($0.size) } ?? response.body.count
    let date = lane.dates.text(at: connection.loop.nowMilliseconds)
    var hasContent = false
    connection.write { out in
      hasContent = HTTPResponseEncoder.head(
        .init(code: response.status), type: type, fields, bodyBytes: bodyBytes, to: reply,
        date: date,
        into: &out)
    }
    if hasContent { connection.write(response.body) }
    return hasContent
  }

  private static let json = HeaderValue(fixed: "application/json")

  /// Nearly always the one that needs no look.
  private static func type(of response: APIResponse) -> HeaderValue {
    if response.contentType == "application/json" { return json }
    return HeaderValue(response.contentType) ?? HeaderValue(fixed: "application/octet-stream")
  }

  /// Gives back what the exchange holds outside: a place in a line of waiting agents, a
  /// subscription.
  func release(_ connection: Connection) {
    guard let ended = exchange else { return }
    exchange = nil
    room = nil
    ended.errand?.callOff()
    connection.clearTimer(.answer)
    switch ended.kind {
    case .next(let agent, let waiter, _):
      if let caller = ended.caller {
        edge.writer(caller.workspace)?.submit([Request(.endNext(agent, waiter))])
      }
    case .poll(_, let state):
      if let conversation = state.conversation {
        edge.hub.unsubscribe(conversation, connection.ref)
      }
    case .call(let wait):
      if let session = wait.session { edge.hub.leaveLine(session, connection.ref) }
    case .understanding, .sending, .submitted, .read, .gathering, .blob, .offered: break
    }
  }
}
