import HTTPTypes
import Model
import Pipeline
import Records
import Routing
import Service
import Sockets
import System
import WebCodec

/// One HTTP connection: bytes to requests, requests to the API, answers back in order.
///
/// One request is in flight at a time; pipelined ones wait in the decoder. So answers keep their order by
/// themselves, and a bot's two messages are decided in the order in which it sent them.
final class HTTPConnection: ConnectionHandler {
  private let edge: Edge
  private let isAdministration: Bool
  private var decoder: HTTPRequestDecoder
  private var exchange: Exchange?
  private var number: UInt64 = 0
  private var mustClose = false
  private var isDraining = false
  /// Who asked last: an offer that comes too late goes back to their workspace.
  private var lastCaller: Caller?
  private let dates: DateText

  /// A request that waits for its answer.
  struct Exchange {
    var number: UInt64
    var reply: ReplyContext
    var caller: Caller?
    var kind: Kind
    enum Kind {
      case submitted(Rendering)
      case read(Render)
      /// Waits for so many workspaces to have on disk what this tells.
      case gathering(APIResponse, left: Int)
      case next(AgentID, WaiterID, Rendering)
      /// An offer on its way to the agent; if the connection goes first, the offer has failed.
      case offered(OfferID)
      case poll(Poll, PollState)
      case blob
      /// A call's phone system waits for what to do next.
      case call(CallWait)
    }
  }

  struct CallWait {
    var key: [UInt8]
    var session: SessionID?
    /// What its phone system could be told now; nil until that is known.
    var instruction: CallInstruction?
    var waitSeconds: Int
  }

  struct PollState {
    var conversation: ConversationID?
    var isLooking = true
    var wokenMeanwhile = false
    var isOver = false
  }

  enum Limit {
    static let idleMilliseconds = 75_000
    static let headMilliseconds = 10_000
    static let bodyMilliseconds = 60_000
    /// Pipelined bytes past which reading pauses until the request in flight is answered.
    static let aheadBytes = 64 << 10
  }

  init(edge: Edge, dates: DateText, isAdministration: Bool) {
    self.edge = edge
    self.dates = dates
    self.isAdministration = isAdministration
    var limits = HTTPLimits()
    limits.bodyBytesMax = max(edge.settings.bodyBytesMax, edge.settings.blobBytesMax)
    decoder = HTTPRequestDecoder(limits: limits)
  }

  // MARK: - Bytes

  func opened(_ connection: Connection) { connection.setTimer(.head, milliseconds: Limit.headMilliseconds) }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    decoder.append(bytes)
    advance(connection)
    if exchange != nil, decoder.bufferedBytes > Limit.aheadBytes { connection.pauseReading() }
  }

  private func advance(_ connection: Connection) {
    while exchange == nil, !mustClose {
      switch decoder.next() {
      case .needMore:
        setTimers(connection)
        return
      case .continueWanted(let request):
        // A body is only asked for from somebody whose token would be taken with it.
        if isAdministration || authenticate(request) != nil { connection.write(HTTPResponseEncoder.continueBytes) }
      case .request(let request): begin(request, connection)
      case .failed(let error):
        mustClose = true
        var out: [UInt8] = []
        Problem(error).encode(to: .closing, date: dates.now, into: &out)
        connection.write(out)
        connection.closeAfterFlush()
      }
    }
  }

  private func setTimers(_ connection: Connection) {
    if decoder.isIdle {
      connection.clearTimer(.head)
      connection.clearTimer(.body)
      if isDraining { return connection.closeAfterFlush() }
      connection.setTimer(.idle, milliseconds: Limit.idleMilliseconds)
      decoder.releaseMemory()
    } else {
      connection.clearTimer(.idle)
      if decoder.isInHead {
        connection.setTimer(.head, milliseconds: Limit.headMilliseconds)
      } else {
        connection.clearTimer(.head)
        connection.setTimer(.body, milliseconds: Limit.bodyMilliseconds)
      }
    }
  }

  func peerClosedWrite(_ connection: Connection) {
    if exchange == nil { return connection.closeAfterFlush() }
    // A half-closed client may still read its answer; one that waits for a case is taken to be gone, since an
    // offer that nobody sees costs a customer the offer's whole time.
    if case .next = exchange?.kind { connection.close(because: .aborted) } else { mustClose = true }
  }

  func peerClosedWhilePaused(_ connection: Connection) { peerClosedWrite(connection) }

  func draining(_ connection: Connection) {
    isDraining = true
    switch exchange?.kind {
    case nil: connection.closeAfterFlush()
    case .next, .poll: finish(APIResponse(204, contentType: "application/json", []), connection)
    case .call(let wait):
      if let known = wait.instruction { finish(known.response(call: wait.session), connection) }
    case .submitted, .read, .gathering, .blob, .offered: break
    }
  }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    if case .offered(let offer) = exchange?.kind, let caller = exchange?.caller {
      edge.writer(caller.workspace)?.submit([Request(.failOffer(offer, .connectionClosed))])
    }
    release(connection)
  }

  func timedOut(_ timer: ConnectionTimer, on connection: Connection) {
    switch timer {
    case .answer:
      if case .call(let wait) = exchange?.kind, let known = wait.instruction {
        return finish(known.response(call: wait.session), connection)
      }
      guard case .poll(_, var state) = exchange?.kind, let poll = exchangePoll else { return }
      state.isOver = true
      exchange?.kind = .poll(poll, state)
      if !state.isLooking { look(connection) }
    case .idle, .head, .body: connection.close(because: .timedOut(timer))
    }
  }

  private var exchangePoll: Poll? { if case .poll(let poll, _) = exchange?.kind { poll } else { nil } }

  // MARK: - Requests

  private func begin(_ request: IncomingRequest, _ connection: Connection) {
    connection.clearTimer(.idle)
    connection.clearTimer(.head)
    connection.clearTimer(.body)
    number += 1
    exchange = Exchange(
      number: number, reply: request.reply, caller: nil, kind: .submitted(.direct { APIResponse($0) }))
    guard let path = request.pathSegments, let query = request.queryParameters else {
      return finish(
        APIResponse(
          APIProblem(400, "malformed-target", "Malformed target", "the path or query is not valid percent-encoding")),
        connection)
    }
    if let open = OpenPages.answer(request.method.rawValue, path, edge) { return finish(open, connection) }
    if isAdministration, path.first == "admin" {
      return Administration.answer(
        request.method.rawValue, Array(path.dropFirst()), query, request.body, edge,
        Ticket(connection.ref, exchange: number))
    }
    if request.wantsWebSocket, path == ["v1", "stream"], request.fields.value("authorization") == nil {
      return upgrade(request, nil, connection)  // a browser cannot set the header: its token comes in the first frame
    }
    guard let caller = authenticate(request), let api = edge.api(caller.workspace) else {
      return finish(APIResponse(.unauthorized), connection)
    }
    exchange?.caller = caller
    lastCaller = caller
    // The decoder's limit is an attachment's; everything else has the smaller one.
    if path != ["v1", "blobs"], request.body.count > edge.settings.bodyBytesMax {
      let bytesMax = edge.settings.bodyBytesMax
      return finish(APIResponse(APIProblem(413, "too-large", "Too large", "a body may have \(bytesMax) bytes")), connection)
    }
    if path == ["metrics"] || path == ["v1", "queues"], !["GET", "HEAD"].contains(request.method.rawValue) {
      return finish(
        APIResponse(APIProblem(405, "method-not-allowed", "Method not allowed", "only GET is possible here")), connection)
    }
    if path == ["metrics"] { return finishDurably(Metrics.prometheus(caller, edge), connection) }
    if path == ["v1", "queues"] { return finishDurably(Metrics.queues(caller, query["workspace"], edge), connection) }
    perform(
      api.handle(
        APIRequest(
          method: request.method.rawValue, path: path, query: query.pairs.map { ($0.name, $0.value) },
          body: request.body, contentType: request.fields.value("content-type") ?? "",
          idempotencyKey: request.fields.value("idempotency-key"), fileName: query["name"]), caller),
      caller, request, connection)
  }

  /// What was read from the live state tells of things that may still be lost: it leaves when they are on disk.
  private func finishDurably(_ metrics: Metrics, _ connection: Connection) {
    // While storage is away nothing new is decided, and whoever watches must see just that.
    let waiting = metrics.writers.filter { $0.outage == nil }
    guard !waiting.isEmpty else { return finish(metrics.response, connection) }
    exchange?.kind = .gathering(metrics.response, left: waiting.count)
    for writer in waiting { writer.submit([Request(.read, ticket: Ticket(connection.ref, exchange: number))]) }
  }

  private func authenticate(_ request: IncomingRequest) -> Caller? {
    guard let header = request.fields.value("authorization"), header.lowercased().hasPrefix("bearer ") else {
      return nil
    }
    let text = String(header.dropFirst(7)).trimmingSpaces
    guard let caller = edge.caller(token: text, now: Instant(milliseconds: WallClock.nowMilliseconds)) else {
      return nil
    }
    return caller
  }

  private func perform(
    _ action: APIAction, _ caller: Caller, _ request: IncomingRequest, _ connection: Connection
  ) {
    guard let writer = edge.writer(caller.workspace) else { return finish(APIResponse(APIProblem.unavailable), connection) }
    let ticket = Ticket(connection.ref, exchange: number)
    switch action {
    case .respond(let response): finish(response, connection)
    case .submit(let intake, let key, let rendering):
      exchange?.kind = .submitted(rendering)
      writer.submit([Request(intake, ticket: ticket, idempotency: key)])
    case .next(let agent, let seconds, let rendering):
      let waiter = WaiterID(Entropy.word)
      exchange?.kind = .next(agent, waiter, rendering)
      // Without a wait it still takes its turn: what suits is offered at once, and a moment later the answer is none.
      let until = Instant(milliseconds: WallClock.nowMilliseconds) + .milliseconds(max(Int64(seconds) * 1_000, 250))
      writer.submit([Request(.next(agent, waiter, until: until), ticket: ticket)])
    case .call(let intake, let call, let key, let seconds):
      exchange?.kind = .call(CallWait(key: call, waitSeconds: seconds))
      // Asked in one breath: how the call stands is decided, and becomes durable, together with the news of it.
      writer.submit([
        Request(intake, ticket: ticket, idempotency: key), Request(.standing(call: call), ticket: ticket),
      ])
    case .read(let render):
      exchange?.kind = .read(render)
      writer.submit([Request(.read, ticket: ticket)])
    case .poll(let poll):
      exchange?.kind = .poll(poll, PollState())
      if poll.waitSeconds > 0 { connection.setTimer(.answer, milliseconds: poll.waitSeconds * 1_000) }
      look(connection)
    case .keepBlob(let row, let bytes, let key): keep(row, bytes, key, writer, ticket)
    case .rules(let asked):
      let edge = edge
      edge.workspaces?.answer(asked, writer, by: caller.signature) { edge.hub.post(ticket.ref, .rendered(ticket.exchange, $0)) }
    case .stream: upgrade(request, caller, connection)
    }
  }

  private func keep(
    _ row: BlobRow, _ bytes: [UInt8], _ key: Idempotency?, _ writer: Writer, _ ticket: Ticket
  ) {
    exchange?.kind = .submitted(.direct { APIResponse($0) })
    let edge = edge
    edge.heavy.run { _ in
      do throws(StoreFault) {
        _ = try edge.store.blobs.write(bytes, writer.workspace)
        writer.submit([Request(.blob(row), ticket: ticket, idempotency: key)])
      } catch {
        edge.hub.post(ticket.ref, .unavailable(ticket.exchange))
      }
    }
  }

  private func upgrade(_ request: IncomingRequest, _ caller: Caller?, _ connection: Connection) {
    guard let opening = WebSocketStream.open(request, dates.now) else {
      return finish(
        APIResponse(APIProblem(426, "upgrade-required", "WebSocket only", "open this page as a WebSocket, version 13")),
        connection)
    }
    exchange = nil
    connection.write(opening)
    let stream = WebSocketStream(edge: edge, caller: caller)
    connection.become(stream)
    stream.begin(connection, decoder.takeRest())
  }

  // MARK: - Answers

  func delivered(_ payload: any Sendable, on connection: Connection) {
    guard let inbound = payload as? Inbound else { return }
    switch inbound {
    case .answer(let number, let answer):
      guard exchange?.number == number else { return giveBack(answer) }
      answered(answer, connection)
    case .unavailable(let number):
      if exchange?.number == number { finish(APIResponse(APIProblem.unavailable), connection) }
    case .rendered(let number, let response):
      if exchange?.number == number { finish(response, connection) }
    case .nothingYet(let number, let conversation): nothingYet(number, conversation, connection)
    case .wake:
      guard case .poll(let poll, var state) = exchange?.kind else { return }
      if state.isLooking {
        state.wokenMeanwhile = true
        exchange?.kind = .poll(poll, state)
      } else {
        look(connection)
      }
    case .lineChanged, .ring, .stopRinging, .endCall:
      guard case .call(let wait) = exchange?.kind, let caller = exchange?.caller else { return }
      edge.writer(caller.workspace)?.submit([
        Request(.standing(call: wait.key), ticket: Ticket(connection.ref, exchange: number))
      ])
    case .revoked(let token):
      // What is under way is answered; whoever only waits is turned away.
      guard exchange?.caller?.token == token else { return }
      switch exchange?.kind {
      case .next, .poll, .call: finish(APIResponse(.unauthorized), connection)
      case .submitted, .read, .gathering, .offered, .blob, nil: break
      }
    case .offer, .offerEnded, .agentHears, .heard, .ringing, .push, .looked, .mailRefused: break
    }
  }

  /// An offer that came too late for its request goes back at once.
  private func giveBack(_ answer: Answer) {
    guard case .offer(let offer) = answer, let caller = exchange?.caller ?? lastCaller else { return }
    edge.writer(caller.workspace)?.submit([Request(.failOffer(offer.offer, .connectionClosed))])
  }

  private func answered(_ answer: Answer, _ connection: Connection) {
    switch exchange?.kind {
    case .submitted(let rendering): render(answer, rendering, connection)
    case .next(_, _, let rendering):
      if case .offer(let offer) = answer { exchange?.kind = .offered(offer.offer) } else { exchange?.kind = .blob }
      render(answer, rendering, connection)
    case .read(let render): read(render, connection)
    case .gathering(let response, let left):
      if left <= 1 { finish(response, connection) } else { exchange?.kind = .gathering(response, left: left - 1) }
    case .call(let wait): instruct(answer, wait, connection)
    case .poll, .blob, .offered, nil: break
    }
  }

  private func render(_ answer: Answer, _ rendering: Rendering, _ connection: Connection) {
    switch rendering {
    case .direct(let body): finish(body(answer), connection)
    case .reading(let body):
      switch answer {
      case .rejected, .keyReused, .unavailable, .noOffer: finish(APIResponse(answer), connection)
      default:
        read({ reads, _ throws(StoreFault) in try body(answer, reads) }, connection)
      }
    }
  }

  private func read(_ render: @escaping Render, _ connection: Connection) {
    let (edge, ref, number) = (edge, connection.ref, number)
    edge.reads.run { reads in
      let response: APIResponse
      do throws(StoreFault) {
        response = try render(reads) { workspace, hash throws(StoreFault) in
          try edge.store.blobs.read(hash, workspace)
        }
      } catch {
        Log.fault("answering a request", error.sentence)
        response = APIResponse(APIProblem.unavailable)
      }
      edge.hub.post(ref, .rendered(number, response))
    }
  }

  // MARK: - Calls over HTTP

  /// What the call should do next, once it differs from what its phone system was told last, or at once when it does
  /// not want to wait.
  private func instruct(_ answer: Answer, _ known: CallWait, _ connection: Connection) {
    var wait = known
    switch answer {
    case .callTaken(let session, _, _, _, _):
      edge.hub.joinLine(session, connection.ref)
      wait.session = session
      exchange?.kind = .call(wait)
    case .standing(let standing):
      let now = Instant(milliseconds: WallClock.nowMilliseconds)
      let next = CallInstruction(standing, now: now)
      let mayWait = if case .wait = next { wait.waitSeconds > 0 } else { false }
      if mayWait, wait.instruction == nil { connection.setTimer(.answer, milliseconds: wait.waitSeconds * 1_000) }
      wait.instruction = next
      exchange?.kind = .call(wait)
      if case .hangUp = next, let session = wait.session { edge.hub.forgetLine(session) }
      if !mayWait { finish(next.response(call: wait.session), connection) }
    case .ruleAnswered(.answer(let text), _, _), .ruleAnswered(.reject(let text), _, _),
      .ruleAnswered(.handBack(let text), _, _):
      finish(CallInstruction.hangUp(text).response(call: nil), connection)
    default: finish(APIResponse(answer), connection)
    }
  }

  // MARK: - Polling

  /// Looks for entries behind the poll's number. The subscription comes before the look, so that nothing falls
  /// between them.
  private func look(_ connection: Connection) {
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

  private func nothingYet(_ number: UInt64, _ conversation: ConversationID, _ connection: Connection) {
    guard exchange?.number == number, case .poll(let poll, var state) = exchange?.kind else {
      return edge.hub.unsubscribe(conversation, connection.ref)
    }
    state.conversation = conversation
    state.isLooking = false
    exchange?.kind = .poll(poll, state)
    if state.wokenMeanwhile || state.isOver { look(connection) }
  }

  // MARK: - The end of an exchange

  private func finish(_ response: APIResponse, _ connection: Connection) {
    guard var reply = exchange?.reply else { return }
    if mustClose || isDraining { reply.keepAlive = false }
    release(connection)
    var out: [UInt8] = []
    out.reserveCapacity(256 + response.body.count)
    var fields = [HeaderField(.contentType, HeaderValue(response.contentType) ?? HeaderValue(fixed: "application/octet-stream"))]
    for header in response.headers {
      if let name = HTTPField.Name(header.name), let value = HeaderValue(header.value) {
        fields.append(HeaderField(name, value))
      }
    }
    HTTPResponseEncoder.whole(
      .init(code: response.status), fields, body: response.body, to: reply, date: dates.now, into: &out)
    connection.write(out)
    if reply.keepAlive {
      connection.resumeReading()
      advance(connection)
    } else {
      mustClose = true
      connection.closeAfterFlush()
    }
  }

  /// Gives back what the exchange holds outside: a place in a line of waiting agents, a subscription.
  private func release(_ connection: Connection) {
    guard let ended = exchange else { return }
    exchange = nil
    connection.clearTimer(.answer)
    switch ended.kind {
    case .next(let agent, let waiter, _):
      if let caller = ended.caller { edge.writer(caller.workspace)?.submit([Request(.endNext(agent, waiter))]) }
    case .poll(_, let state):
      if let conversation = state.conversation { edge.hub.unsubscribe(conversation, connection.ref) }
    case .call(let wait):
      if let session = wait.session { edge.hub.leaveLine(session, connection.ref) }
    case .submitted, .read, .gathering, .blob, .offered: break
    }
  }
}

extension String {
  var trimmingSpaces: String {
    var view = self[...]
    while view.first == " " { view = view.dropFirst() }
    while view.last == " " { view = view.dropLast() }
    return String(view)
  }
}
