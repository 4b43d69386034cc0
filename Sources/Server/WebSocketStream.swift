import Model
import Pipeline
import Records
import Routing
import Service
import Sockets
import System
import WebCodec

/// `/v1/stream`: what happens, as it happens. A bot subscribes to its sessions; an agent is offered
/// cases and hears the customers of the conversations that it owns.
///
/// ```
/// opened ──token in the header, or in the first frame──▶ known ──▶ closed
///    └── `http.head_seconds` without one, or another frame ──▶ closed 1008
/// ```
/// Nothing is sent before the token is known.
final class WebSocketStream: ConnectionHandler {
  let edge: Edge
  var caller: Caller?
  private var decoder: WebSocketDecoder
  private var compressor: WebSocketCompressor
  /// Memory that is counted for the contexts of its compression.
  private let contextBytes: Int
  var subscriptions: [SessionID: Subscription] = [:]
  /// Subscriptions that will be looked at when there is room: each page may be large, so that few
  /// are read at once, and none while the client does not read.
  var waiting: [SessionID] = []
  var looking = 0
  /// Timelines that an agent follows, by the customer that was asked for.
  var followed: [CustomerID: Followed] = [:]
  private var seat: (agent: AgentID, waiter: WaiterID)?
  private var isClosing = false
  /// Whether what has come was not all heard yet.
  private var hasMore = false
  private var peerHasEnded = false
  var isBackedUp = false
  /// What the agent is to hear and has not heard yet, in the order in which it happened.
  var unheard: [Notice] = []
  var isReading = false

  struct Subscription {
    var conversation: ConversationID?
    var after: EntryID
    var isLooking = false
    var wokenMeanwhile = false
  }

  enum Limit {
    static let subscriptions = 1_000
    static let followed = 100
    /// Subscriptions that are read for at once.
    static let looking = 4
    /// Of what an agent is to hear: read at once.
    static let notices = 16
    /// Every one of them has two or three short members.
    static let messageBytes = 4 << 10
    /// Of messages that are heard before the lane turns to others; and what each counts at least.
    static let turnBytes = 16 << 10
    static let eventBytes = 64
    /// How long whoever reads slowly has for the word that they do.
    static let lastWordMilliseconds = 5_000
  }

  init(edge: Edge, caller: Caller?, _ compression: PermessageDeflate?) {
    self.edge = edge
    self.caller = caller
    decoder = WebSocketDecoder(messageBytesMax: Limit.messageBytes, compression: compression)
    compressor = WebSocketCompressor(compression)
    contextBytes = compression?.heldBytes ?? 0
    edge.streams.hold(contextBytes)
  }

  func begin(_ connection: Connection, _ rest: [UInt8]) {
    // So that it is the stream that ends whoever reads slowly, with a word that may still be read.
    connection.outputStallMilliseconds = max(
      connection.outputStallMilliseconds,
      edge.settings.slowReaderSeconds * 1_000 + Limit.lastWordMilliseconds)
    if caller == nil {
      connection.setTimer(.head, milliseconds: edge.settings.headSeconds * 1_000)
    } else {
      known(connection)
    }
    rest.withUnsafeBytes { received($0, on: connection) }
  }

  func known(_ connection: Connection) {
    connection.clearTimer(.head)
    connection.setTimer(.idle, milliseconds: edge.settings.pingSeconds * 1_000)
    send("{\"type\":\"ready\"}", connection)
    guard let caller, caller.scope == .agent,
      let agent = edge.api(caller.workspace)?.directory.agents[caller.holder]
    else { return }
    let waiter = WaiterID(Entropy.word)
    seat = (agent, waiter)
    edge.hub.openStream(waiter, of: agent, caller.workspace, connection.ref)
    edge.writer(caller.workspace)?.submit([Request(.openStream(agent, waiter))])
  }

  // MARK: - Frames

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    decoder.append(bytes)
    // Whatever it is, the peer is there, and is asked again when it falls silent: also when it
    // stops within a frame.
    connection.clearTimer(.answer)
    if caller != nil {
      connection.setTimer(.idle, milliseconds: edge.settings.pingSeconds * 1_000)
    }
    if !hasMore { hear(connection) }
  }

  /// Hears what has come, so much at a time that nobody else on the lane waits long: what is
  /// unpacked may be a thousand times what was read.
  func hear(_ connection: Connection) {
    if hasMore {
      hasMore = false
      connection.resumeReading()
    }
    var left = Limit.turnBytes
    while !isClosing {
      guard left > 0 else {
        hasMore = true
        connection.pauseReading()
        return edge.hub.post(connection.ref, .hearOn)
      }
      left -= Limit.eventBytes
      switch decoder.next() {
      case .needMore:
        decoder.releaseMemory()
        if peerHasEnded { connection.closeAfterFlush() }
        return
      case .message(.text, let bytes, _):
        left -= bytes.count
        message(bytes, connection)
      case .ping where caller == nil, .message(.binary, _, _) where caller == nil:
        close(.policyViolation, "no token", connection)
      case .message(.binary, _, _): close(.unsupportedData, "text frames only", connection)
      case .ping(let payload):
        var out: [UInt8] = []
        WebSocketEncoder.pong(payload, into: &out)
        connection.write(out)
      case .pong: break
      case .closed(let code, _): close(code ?? .normal, "", connection)
      case .failed(let failure): close(failure.closeCode, failure.reason.rawValue, connection)
      }
    }
  }

  func peerClosedWrite(_ connection: Connection) {
    peerHasEnded = true
    if !hasMore { connection.closeAfterFlush() }
  }

  func close(_ code: WebSocketCloseCode, _ reason: String, _ connection: Connection) {
    guard !isClosing else { return }
    isClosing = true
    var out: [UInt8] = []
    WebSocketEncoder.close(code, reason, into: &out)
    connection.write(out)
    connection.closeAfterFlush()
  }

  func timedOut(_ timer: ConnectionTimer, on connection: Connection) {
    switch timer {
    case .head: close(.policyViolation, "no token", connection)
    case .idle:
      // Silence: ask; a second silence ends it.
      var out: [UInt8] = []
      WebSocketEncoder.ping(into: &out)
      connection.write(out)
      connection.setTimer(.answer, milliseconds: edge.settings.pingSeconds * 1_000)
    case .body: closeSlow(connection)
    case .answer: connection.close(because: .timedOut(timer))
    }
  }

  func draining(_ connection: Connection) { close(.goingAway, "the server stops", connection) }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    edge.streams.letGo(contextBytes)
    for subscription in subscriptions.values {
      if let conversation = subscription.conversation {
        edge.hub.unsubscribe(conversation, connection.ref)
      }
    }
    for customer in followed.keys.sorted() { unfollow(customer, connection) }
    if let seat, let caller {
      edge.hub.closeStream(seat.waiter, of: seat.agent, caller.workspace, connection.ref)
      edge.writer(caller.workspace)?.submit([Request(.closeStream(seat.agent, seat.waiter))])
    }
  }

  // MARK: - What the client says

  private func message(_ bytes: [UInt8], _ connection: Connection) {
    do throws(APIProblem) {
      var fields = try Fields(bytes)
      let type = try fields.required("type")
      guard caller != nil || type == "auth" else {
        return close(.policyViolation, "no token", connection)
      }
      switch type {
      case "auth":
        let token = try fields.required("token")
        try fields.finish()
        guard caller == nil else {
          return close(.policyViolation, "this stream has its token already", connection)
        }
        guard
          let known = edge.caller(token: token)
        else { return close(.policyViolation, "no valid token", connection) }
        if edge.unserved(known.workspace) != nil {
          return close(.tryAgainLater, "this workspace cannot be served", connection)
        }
        caller = known
        self.known(connection)
      case "subscribe":
        guard let session: SessionID = try fields.optionalID("session") else {
          throw fields.missing("session")
        }
        let after = try fields.optionalInteger("after", 0...Int64.max) ?? 0
        try fields.finish()
        subscribe(session, EntryID(after), connection)
      case "unsubscribe":
        guard let session: SessionID = try fields.optionalID("session") else {
          throw fields.missing("session")
        }
        try fields.finish()
        waiting.removeAll { $0 == session }
        if let conversation = subscriptions.removeValue(forKey: session)?.conversation {
          edge.hub.unsubscribe(conversation, connection.ref)
        }
      case "follow":
        guard let customer: CustomerID = try fields.optionalID("customer") else {
          throw fields.missing("customer")
        }
        let after = try fields.optionalInteger("after", 0...Int64.max) ?? 0
        try fields.finish()
        follow(customer, EntryID(after), connection)
      case "unfollow":
        guard let customer: CustomerID = try fields.optionalID("customer") else {
          throw fields.missing("customer")
        }
        try fields.finish()
        unfollow(customer, connection)
      case "ping":
        try fields.finish()
        send("{\"type\":\"pong\"}", connection)
      default:
        throw fields.wrong(
          "type", "type must be auth, subscribe, unsubscribe, follow, unfollow or ping")
      }
    } catch {
      // Whoever has shown no token is told nothing of what they said.
      guard caller != nil else { return close(.policyViolation, "no token", connection) }
      send(error: error, connection)
    }
  }

  func send(_ text: String, _ connection: Connection) { send(Array(text.utf8), connection) }
  func send(_ bytes: [UInt8], _ connection: Connection) {
    guard !isClosing else { return }
    if isBackedUp, connection.unsentBytes > edge.settings.unsentBytesMax {
      return closeSlow(connection)
    }
    var out: [UInt8] = []
    compressor.message(.text, bytes, into: &out)
    connection.write(out)
  }

  // MARK: - Who reads slowly

  /// The kernel takes no more: nothing further is read for this stream until it does, and for so
  /// long it may take.
  func outputBacksUp(_ connection: Connection) {
    isBackedUp = true
    connection.setTimer(.body, milliseconds: edge.settings.slowReaderSeconds * 1_000)
  }

  func outputDrained(_ connection: Connection) {
    isBackedUp = false
    connection.clearTimer(.body)
    lookOn(connection)
    followOn(connection)
    readUnheard(connection)
  }

  /// What was not sent is not lost: a bot subscribes again with the last `after` that it has seen.
  func closeSlow(_ connection: Connection) {
    guard !isClosing else { return }
    edge.streams.countSlowReader()
    close(.tryAgainLater, "read faster", connection)
  }

  func send(error: APIProblem, _ connection: Connection) {
    send(Array("{\"type\":\"error\",\"problem\":".utf8) + error.json + Array("}".utf8), connection)
  }
}
