import Model
import Pipeline
import Records
import Routing
import Service
import Sockets
import System
import WebCodec

/// What a request asks for, and who is asked.
extension HTTPConnection {
  /// From here on the client waits for us.
  func start(_ request: IncomingRequest, _ connection: Connection) {
    begun(connection)
    admitted = nil  // known for this request alone
    exchange = Exchange(
      number: number, reply: request.reply, takesGzip: request.accepts(coding: "gzip"), caller: nil,
      kind: .submitted(.direct { APIResponse($0) }))
  }

  func begin(_ request: IncomingRequest, _ connection: Connection) {
    guard Self.isKnown(request.method) else {
      start(request, connection)
      return finish(.unknownMethod, connection)
    }
    let page = ServerPage(request)
    if let open = openPage(page, request) {
      answersNow(connection)
      return send(open, to: request.reply, takesGzip: false, connection)
    }
    let known = admitted
    start(request, connection)
    guard let path = request.pathSegments, let query = request.queryParameters else {
      return finish(.malformedTarget, connection)
    }
    if isAdministration, path.first == "admin" {
      return administer(request, Array(path.dropFirst()), query, connection)
    }
    if request.wantsWebSocket, page == .stream, request.fields.value("authorization") == nil {
      return upgrade(request, nil, connection)  // a browser cannot set the header: its token comes in the first frame
    }
    guard let caller = known ?? authenticate(request) else {
      return finish(APIResponse(.unauthorized), connection)
    }
    guard let api = edge.api(caller.workspace) else { return finish(unserved(caller), connection) }
    exchange?.caller = caller
    lastCaller = caller
    if let refusal = refusal(page, request) ?? unknownParameter(page, query) {
      return finish(refusal, connection)
    }
    if page == .metrics { return finishDurably(Metrics.prometheus(caller, edge), connection) }
    if page == .queues {
      return finishDurably(Metrics.queues(caller, query["workspace"], edge), connection)
    }
    if request.fields.values("idempotency-key").count > 1 { return finish(.twoKeys, connection) }
    let asked = apiRequest(request, path, query, body: request.body)
    guard request.body.count > Limit.understoodHereBytes else {
      return perform(api.handle(asked, caller), caller, request, connection)
    }
    exchange?.kind = .understanding(request.withoutBody)  // that is the errand's, which may be called off
    let (edge, ref, number) = (edge, connection.ref, number)
    errand().run(in: edge.bulk) { _ in
      edge.hub.post(ref, .handled(number, api.handle(asked, caller)))
    }
  }

  /// What a long body asks for is known; nobody else on the lane has waited for that.
  func handled(_ number: UInt64, _ action: APIAction, _ connection: Connection) {
    guard exchange?.number == number, case .understanding(let request) = exchange?.kind,
      let caller = exchange?.caller
    else { return }
    perform(action, caller, request, connection)
  }

  private func administer(
    _ request: IncomingRequest, _ path: [String], _ query: QueryParameters,
    _ connection: Connection
  ) {
    let (edge, ticket) = (edge, Ticket(connection.ref, exchange: number))
    let (who, errand) = (LocalUser.name(connection.localUser), errand())
    let answer = { @Sendable in
      Administration.answer(
        request.method.rawValue, path, query, request.body, edge, ticket, by: who, for: errand)
    }
    if request.body.count > Limit.understoodHereBytes {
      errand.run(in: edge.bulk) { _ in answer() }
    } else {
      answer()
    }
  }

  func apiRequest(
    _ request: IncomingRequest, _ path: [String], _ query: QueryParameters, body: [UInt8]
  ) -> APIRequest {
    APIRequest(
      // RFC 9110 §9.3.2: HEAD is GET, whose content the encoder leaves out.
      method: request.method == .head ? "GET" : request.method.rawValue, path: path,
      query: query.pairs.map { ($0.name, $0.value) },
      body: body,
      contentType: request.fields.value("content-type") ?? "",
      idempotencyKey: request.fields.value("idempotency-key"), fileName: query["name"],
      accept: request.fields.value("accept") ?? "")
  }

  /// What was read from the live state tells of things that may still be lost: it leaves when they
  /// are on disk.
  func finishDurably(_ metrics: Metrics, _ connection: Connection) {
    // While storage is away nothing new is decided, and whoever watches must see just that.
    let waiting = metrics.writers.filter { $0.outage == nil }
    guard !waiting.isEmpty else { return finish(metrics.response, connection) }
    renewPresence()
    exchange?.kind = .gathering(metrics.response, left: waiting.count)
    for writer in waiting {
      writer.submit([Request(.read, ticket: Ticket(connection.ref, exchange: number))])
    }
  }

  /// Whatever an agent asks for, they are there: who reads for longer than a lease must not lose
  /// their offers. What is refused leaves no trace.
  private func renewPresence() {
    guard let caller = exchange?.caller, caller.scope == .agent,
      let agent = edge.api(caller.workspace)?.directory.agents[caller.holder]
    else { return }
    edge.writer(caller.workspace)?.submit([Request(.renew(agent))])
  }

  /// RFC 9110 §13.1.1, §13.1.2: nothing here has a tag, so that whoever asks for one to be there is refused,
  /// and whoever asks that there be nothing. Reading goes on without conditions.
  private static func failsCondition(_ request: IncomingRequest) -> Bool {
    if request.method == .get || request.method == .head { return false }
    let wanted = request.fields.values("if-match")
    return !wanted.isEmpty && wanted != ["*"]
      || request.fields.values("if-none-match").contains { $0.trimmingSpaces == "*" }
  }

  func perform(
    _ action: APIAction, _ caller: Caller, _ request: IncomingRequest, _ connection: Connection
  ) {
    guard let writer = edge.writer(caller.workspace) else {
      return finish(APIResponse(APIProblem.unavailable), connection)
    }
    let ticket = Ticket(connection.ref, exchange: number)
    if case .keepBlob = action {} else { room = nil }
    let isDone = if case .respond = action { true } else { false }
    if !isDone, Self.failsCondition(request) { return finish(.conditionFailed, connection) }
    if !isDone { renewPresence() }
    switch action {
    case .respond(let response): finish(response, connection)
    case .submit(let intake, let key, let rendering):
      exchange?.kind = .submitted(rendering)
      writer.submit([Request(intake, ticket: ticket, idempotency: key)])
    case .next(let agent, let seconds, let key, let rendering):
      if peerHasEnded {  // and nobody is there to take what would be offered
        return finish(Self.noCase, connection)
      }
      let waiter = WaiterID(Entropy.word)
      exchange?.kind = .next(agent, waiter, rendering)
      // Without a wait it still takes its turn: what suits is offered at once, and a moment later
      // the answer is none.
      let until =
        edge.health.clock.now
        + .milliseconds(max(Int64(seconds) * 1_000, 250))
      writer.submit([Request(.next(agent, waiter, until: until), ticket: ticket, idempotency: key)])
    case .call(let intake, let call, let key, let seconds, let words):
      exchange?.kind = .call(CallWait(key: call, waitSeconds: seconds, words: words))
      // Asked in one breath: how the call stands is decided, and becomes durable, together with the
      // news of it.
      writer.submit([
        Request(intake, ticket: ticket, idempotency: key),
        Request(.standing(call: call), ticket: ticket),
      ])
    case .read(let render):
      exchange?.kind = .read(render, onDisk: render)
      writer.submit([Request(.read, ticket: ticket)])
    case .look(let look, let onDisk):
      exchange?.kind = .read(writer.peek { look($0.router) }, onDisk: onDisk)
      writer.submit([Request(.read, ticket: ticket)])
    case .poll(let poll):
      exchange?.kind = .poll(poll, PollState())
      if poll.waitSeconds > 0 {
        connection.setTimer(.answer, milliseconds: poll.waitSeconds * 1_000)
      }
      look(connection)
    case .keepBlob(let row, let bytes, let key): keep(row, bytes, key, writer, ticket)
    case .rules(let asked, let key):
      let edge = edge
      edge.workspaces?.answer(asked, key, writer, by: caller.signature) {
        edge.hub.post(ticket.ref, .rendered(ticket.exchange, $0))
      }
    case .explain(let asked): explain(asked, caller, writer, connection)
    case .stream: upgrade(request, caller, connection)
    }
  }

  private func explain(
    _ asked: ExplainRequest, _ caller: Caller, _ writer: Writer, _ connection: Connection
  ) {
    guard let api = edge.api(caller.workspace) else {
      return finish(APIResponse(APIProblem.unavailable), connection)
    }
    let ticket = Ticket(connection.ref, exchange: number)
    guard asked.at == nil else {
      let edge = edge
      return Explainer.answer(asked, writer, api, edge, for: errand()) {
        edge.hub.post(ticket.ref, .rendered(ticket.exchange, $0))
      }
    }
    // What the live state says leaves when it is on disk.
    let live = writer.peek { Explainer.Live(asked.subject, $0.router, at: edge.health.clock.now) }
    exchange?.kind = .read(
      { reads in Explainer.present(asked, writer, api, live, reads) }, onDisk: nil)
    writer.submit([Request(.read, ticket: ticket)])
  }

  func keep(
    _ row: BlobRow, _ bytes: [UInt8], _ key: Idempotency?, _ writer: Writer, _ ticket: Ticket
  ) {
    exchange?.kind = .submitted(.direct { APIResponse($0) })
    // Counted until it is on the disk, also when its client has left.
    let (edge, room) = (edge, room)
    errand().run(in: edge.keeps) { _ in
      defer { withExtendedLifetime(room) {} }
      do throws(StoreFault) {
        let hold = try edge.store.blobs.keep(bytes, writer.workspace)
        writer.submit([Request(.blob(row), ticket: ticket, idempotency: key, holds: [hold])])
      } catch {
        edge.hub.post(ticket.ref, .unavailable(ticket.exchange))
      }
    }
  }

  func upgrade(_ request: IncomingRequest, _ caller: Caller?, _ connection: Connection) {
    switch WebSocketStream.open(request, isKnown: caller != nil, edge) {
    case .refused(let response):
      // What whoever asked sends next may be frames already, or a proxy's that took it for done.
      if request.fields.value("upgrade") != nil { exchange?.reply.keepAlive = false }
      finish(response, connection)
    case .accepted(let opening, let compression):
      exchange = nil
      mustClose = true  // for HTTP: what follows is the stream's
      for timer in ConnectionTimer.allCases { connection.clearTimer(timer) }
      connection.resumeReading()
      connection.write(opening)
      let stream = WebSocketStream(edge: edge, caller: caller, compression)
      connection.become(stream)
      stream.begin(connection, takeRest())
      if peerHasEnded { stream.peerClosedWrite(connection) }
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
