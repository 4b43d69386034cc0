import HTTPTypes
import Model
import Pipeline
import Routing
import RuleFiles
import Service
import Sockets
import WebCodec

/// One HTTP connection: bytes to requests, requests to the API, answers back in order.
///
/// One request is in flight at a time; pipelined ones wait in the decoder. So answers keep their
/// order by themselves, and a bot's two messages are decided in the order in which it sent them.
///
/// | awaited | of | runs out |
/// |---|---|---|
/// | `request` | a new client, an idle one | `http.first_byte_seconds`, `http.idle_seconds`: closes |
/// | `head` | a client that began a request | `http.head_seconds` in all: 408 |
/// | `body` | a client whose head was admitted | `http.body_seconds` without a byte, or too slow a rate: 408 |
/// | `answer` | us | what the exchange says |
final class HTTPConnection: ConnectionHandler {
  let edge: Edge
  let isAdministration: Bool
  let lane: HTTPLane
  /// What reads requests; nil while nothing of one has come.
  private var lent: LentDecoder?
  var exchange: Exchange?
  var number: UInt64 = 0
  /// Nothing more is read: the connection closes, or another protocol has it.
  var mustClose = false
  var isDraining = false
  /// Who asked last: an offer that comes too late goes back to their workspace.
  var lastCaller: Caller?
  /// Who sent the head whose content is being read.
  var admitted: Caller?
  /// An offer whose answer has left us, while a reset may yet tell that nobody read it.
  var unproven: OfferID?
  private var awaited = Awaited.request
  private var isAdvancing = false
  /// Whether the next request waits until more of the answers before it has left.
  private var awaitsRoom = false
  /// How many requests were taken since something was waited for.
  private var takenAtOnce = 0
  /// The peer sends no more: what it has sent whole is answered.
  var peerHasEnded = false
  /// Content that may still come, for the time that it may take.
  var contentBytes = 0
  /// Where there is memory for the content that comes, or is not done with; nil for what is short.
  var room: ContentRoom.Share?

  private enum Awaited { case request, head, body, answer }

  /// A request that waits for its answer.
  struct Exchange {
    var number: UInt64
    var reply: ReplyContext
    /// Whether the client takes a compressed answer.
    var takesGzip = false
    var caller: Caller?
    /// What is done for it elsewhere, if anything is.
    var errand: Errand?
    var kind: Kind
    enum Kind {
      /// A long body is being understood elsewhere; this is the rest of its request.
      indirect case understanding(IncomingRequest)
      case submitted(Rendering)
      /// - Parameter onDisk: what is said while nothing is written; nil where it would tell of more
      ///   than what is on disk.
      case read(Render, onDisk: Render?)
      /// Waits for so many workspaces to have on disk what this tells.
      case gathering(APIResponse, left: Int)
      case next(AgentID, WaiterID, Rendering)
      /// An offer on its way to the agent; if the connection goes first, the offer has failed.
      case offered(OfferID)
      case poll(Poll, PollState)
      case blob
      /// Its head has left, and its content follows in pieces.
      case sending(Sending)
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
    var words: RefusalWords
  }

  struct PollState {
    var conversation: ConversationID?
    var isLooking = true
    var wokenMeanwhile = false
    var isOver = false
  }

  enum Limit {
    /// The slowest rate at which content may come: 16 bytes a millisecond.
    static let contentBytesPerMillisecond = 16
    /// Pipelined bytes past which reading pauses until the request in flight is answered.
    static let aheadBytes = 64 << 10
    /// Requests that came in one breath and are answered before everybody else has had a turn: 60 µs.
    static let requestsPerTurn = 16
    /// Content past which a lane would be held up by making sense of it: JSON of a megabyte may cost
    /// 50 ms, and an attachment is hashed.
    static let understoodHereBytes = 16 << 10
    /// Content that is read and forgotten after an early answer, so that the connection lives on.
    static let droppedBytes = 64 << 10
    /// How long after an offer was written a reset says that nobody read it.
    static let proofMilliseconds = 5_000
    /// How long after the peer's end such a reset is awaited.
    static let goneMilliseconds = 1_000
    /// Whole rules as JSON, which writes line ends and quotes with two characters.
    static let rulesBytesMax = 2 * RuleSource.bytesMax
  }

  init(edge: Edge, lane: HTTPLane, isAdministration: Bool) {
    self.edge = edge
    self.lane = lane
    self.isAdministration = isAdministration
  }

  // MARK: - Bytes

  func opened(_ connection: Connection) {
    connection.setTimer(.idle, milliseconds: edge.settings.firstByteSeconds * 1_000)
  }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    let reading = lent ?? lane.borrow()
    lent = reading
    reading.decoder.append(bytes)
    advance(connection)
  }

  /// Bytes that came and are not yet answered.
  var bufferedBytes: Int { lent?.decoder.bufferedBytes ?? 0 }
  private var isIdle: Bool { lent?.decoder.isIdle ?? true }

  /// What came behind the last request: for the protocol upgraded to.
  func takeRest() -> [UInt8] { lent?.decoder.takeRest() ?? [] }

  /// Bounds the content that the head just told of.
  func admitContent(bytesMax: Int) { lent?.decoder.admit(bodyBytesMax: bytesMax) }

  /// Whether the content that the head just told of will be read and forgotten.
  func dropContent() -> Bool { lent?.decoder.dropContent(bytesMax: Limit.droppedBytes) ?? false }

  /// Between requests nothing is kept of them.
  private func giveBack() {
    guard let lent else { return }
    guard lent.decoder.isFresh else { return lent.decoder.releaseMemory(past: 0) }
    lane.takeBack(lent)
    self.lent = nil
  }

  /// Takes requests until one is in flight, or so much of what was answered is still unsent that the
  /// next answer must wait: several large ones at once would be taken for those of a slow reader. An
  /// answer that is there at once comes back in here: it goes on in this loop, not in a deeper one,
  /// since a peer may pipeline thousands.
  ///
  /// After sixteen in a row the others of the lane have their turn: hundreds of peers with a thousand each
  /// would be seconds for whoever comes behind them.
  ///
  /// Of what comes ahead so much is read as `Limit.aheadBytes` says, also where each answer makes room
  /// for one request more; content that is awaited is always read.
  func advance(_ connection: Connection) {
    if isAdvancing { return }
    isAdvancing = true
    takeRequests(connection)
    isAdvancing = false
    if mustClose { return }  // Reading is another protocol's, or is over.
    let mustWait = exchange != nil || awaitsRoom || connection.awaitsTurn
    if mustWait, bufferedBytes > Limit.aheadBytes {
      connection.pauseReading()
    } else {
      connection.resumeReading()
    }
  }

  private func takeRequests(_ connection: Connection) {
    awaitsRoom = false
    while exchange == nil, !mustClose, !connection.awaitsTurn {
      if connection.mustAwaitRoom() {
        awaitsRoom = true
        return wait(for: .answer, connection)
      }
      switch lent?.decoder.next() ?? .needMore {
      case .needMore:
        takenAtOnce = 0
        return awaitMore(connection)
      // Some are answered at their head already.
      case .head(let request): admit(request, connection)
      case .request(let request): begin(request, connection)
      case .failed(let error): fail(error, connection)
      }
      takenAtOnce += 1
      if takenAtOnce >= Limit.requestsPerTurn { putOff(connection) }
    }
  }

  private func putOff(_ connection: Connection) {
    takenAtOnce = 0
    if exchange != nil || mustClose || isIdle { return }
    wait(for: .answer, connection)
    connection.awaitTurn()
  }

  func hasTurn(on connection: Connection) { advance(connection) }

  func outputDrained(_ connection: Connection) {
    if case .sending(let sending) = exchange?.kind { return readOn(sending, connection) }
    if awaitsRoom { advance(connection) }
  }

  private func fail(_ error: HTTPProtocolError, _ connection: Connection) {
    guard let decoder = lent?.decoder else { return connection.abort() }
    fail(decoder.problem(of: error), connection)
  }

  /// Answers what is no request, and closes.
  private func fail(_ problem: Problem, _ connection: Connection) {
    mustClose = true
    var out: [UInt8] = []
    problem.encode(
      to: .closing(isHead: lent?.decoder.isHead ?? false),
      date: lane.dates.text(at: connection.loop.nowMilliseconds), lane.standing, into: &out)
    connection.write(out)
    connection.closeAfterFlush()
  }

  // MARK: - Time

  private func awaitMore(_ connection: Connection) {
    if peerHasEnded {  // nothing will be completed any more
      if unproven == nil { connection.closeAfterFlush() }
      return
    }
    if isIdle {
      if isDraining { return connection.closeAfterFlush() }
      wait(for: .request, connection)
      giveBack()
    } else if lent?.decoder.isInHead ?? false {
      wait(for: .head, connection)
    } else {
      wait(for: .body, connection)
      connection.setTimer(.idle, milliseconds: edge.settings.bodySeconds * 1_000)
    }
  }

  /// A deadline is set when its phase begins and not moved by single bytes, or one byte at a time
  /// could hold a connection for ever.
  private func wait(for next: Awaited, _ connection: Connection) {
    if next == awaited, next != .request { return }
    awaited = next
    connection.clearTimer(.head)
    connection.clearTimer(.body)
    switch next {
    case .request:
      return connection.setTimer(.idle, milliseconds: edge.settings.idleSeconds * 1_000)
    case .head: connection.setTimer(.head, milliseconds: edge.settings.headSeconds * 1_000)
    case .body:
      let slowest = contentBytes / Limit.contentBytesPerMillisecond
      connection.setTimer(.body, milliseconds: edge.settings.bodySeconds * 1_000 + slowest)
    case .answer: break
    }
    connection.clearTimer(.idle)
  }

  func timedOut(_ timer: ConnectionTimer, on connection: Connection) {
    switch timer {
    case .answer: answerIsDue(connection)
    case .idle, .head, .body:
      // RFC 9110 §15.5.9. Whoever has sent nothing is told nothing, nor whoever has had an answer
      // already.
      if mustClose || isIdle || lent?.decoder.isDropping ?? false {
        return connection.close(because: .timedOut(timer))
      }
      fail(Problem(status: 408, detail: "the request was not complete in time"), connection)
    }
  }

  private func answerIsDue(_ connection: Connection) {
    switch exchange?.kind {
    case .call(let wait):
      if let known = wait.instruction { finish(known.response(call: wait.session), connection) }
    case .poll(let poll, var state):
      state.isOver = true
      exchange?.kind = .poll(poll, state)
      if !state.isLooking { look(connection) }
    case nil:
      unproven = nil
      if peerHasEnded { connection.closeAfterFlush() }
    case .understanding, .sending, .submitted, .read, .gathering, .next, .offered, .blob: break
    }
  }

  func begun(_ connection: Connection) {
    wait(for: .answer, connection)
    answersNow(connection)
  }

  /// A request has come whose answer goes at once; whatever is awaited next sets its time anew.
  func answersNow(_ connection: Connection) {
    number += 1
    unproven = nil
    connection.clearTimer(.answer)
  }

  // MARK: - The end

  func peerClosedWrite(_ connection: Connection) {
    peerHasEnded = true
    switch exchange?.kind {
    case nil where unproven == nil: advance(connection)
    case nil: connection.setTimer(.answer, milliseconds: Limit.goneMilliseconds)
    case .next, .offered: giveUpWaiting(connection)
    case .understanding, .sending, .submitted, .read, .gathering, .poll, .blob, .call: break
    }
  }

  /// To whoever waits for a case: there is none.
  static let noCase = APIResponse(204, contentType: "application/json", [])

  /// What it sent before is still to be read, and to be answered.
  func peerClosedWhilePaused(_ connection: Connection) { giveUpWaiting(connection) }

  /// A half-closed client may still read its answer; one that waits for a case is told that there is none, as if its
  /// time were over: it may be gone, and an offer that nobody sees costs a customer the offer's whole time.
  private func giveUpWaiting(_ connection: Connection) {
    switch exchange?.kind {
    case .next: finish(Self.noCase, connection)
    case .offered: connection.close(because: .aborted)
    case .understanding, .sending, .submitted, .read, .gathering, .poll, .blob, .call, nil: break
    }
  }

  /// Whoever is within a request may end it, for as long as the stop waits.
  func draining(_ connection: Connection) {
    isDraining = true
    switch exchange?.kind {
    case nil where isIdle: connection.closeAfterFlush()
    case .next: finish(Self.noCase, connection)
    // As when their time is over.
    case .poll, .call: answerIsDue(connection)
    case .understanding, .sending, .submitted, .read, .gathering, .blob, .offered, nil: break
    }
  }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    if case .offered(let offer) = exchange?.kind {
      failOffer(offer)
    } else if let unproven, reason != .finished {
      failOffer(unproven)
    }
    release(connection)
  }

  /// The agent does not have it: the case goes to the next one.
  func failOffer(_ offer: OfferID) {
    guard let caller = exchange?.caller ?? lastCaller else { return }
    edge.writer(caller.workspace)?.submit([Request(.failOffer(offer, .connectionClosed))])
  }
}
