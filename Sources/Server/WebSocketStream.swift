import Model
import Pipeline
import Records
import Routing
import Service
import Sockets
import System
import WebCodec

/// `/v1/stream`: what happens, as it happens. A bot subscribes to its sessions; an agent is offered cases and hears
/// the customers of the conversations that it owns.
///
/// ```
/// opened ──token in the header, or in the first frame──▶ known ──▶ closed
///    └── `http.head_seconds` without one, or a wrong one ──▶ closed 1008
/// ```
/// Nothing is sent before the token is known.
final class WebSocketStream: ConnectionHandler {
  private let edge: Edge
  private var caller: Caller?
  private var decoder = WebSocketDecoder(role: .server, messageBytesMax: 64 << 10)
  private var subscriptions: [SessionID: Subscription] = [:]
  private var seat: (agent: AgentID, waiter: WaiterID)?
  private var isClosing = false

  struct Subscription {
    var conversation: ConversationID?
    var after: EntryID
    var isLooking = false
    var wokenMeanwhile = false
  }

  enum Limit {
    static let subscriptions = 1_000
  }

  init(edge: Edge, caller: Caller?) {
    self.edge = edge
    self.caller = caller
  }

  enum Opening {
    /// The `101` answer.
    case accepted([UInt8])
    case refused(APIResponse)
  }

  /// A browser sends `Origin`, and no page but our own, or one that the settings name, may speak with a user's token
  /// (cross-site WebSocket hijacking): that is checked before anything is upgraded.
  static func open(_ request: IncomingRequest, _ settings: Settings) -> Opening {
    if let refusal = refusal(request.fields.values("origin"), request.host, settings) { return .refused(APIResponse(refusal)) }
    do throws(WebSocketHandshake.Refusal) {
      var out: [UInt8] = []
      WebSocketHandshake.respond(accept: try WebSocketHandshake.check(request), into: &out)
      return .accepted(out)
    } catch {
      switch error {
      case .upgradeRequired:
        var response = APIResponse(
          APIProblem(426, "upgrade-required", "WebSocket only", "open this page as a WebSocket, version 13"))
        response.headers = [.init("Upgrade", "websocket"), .init("Sec-WebSocket-Version", "13")]
        return .refused(response)
      case .malformed:
        return .refused(
          APIResponse(APIProblem(400, "malformed-websocket", "Malformed handshake", "the WebSocket handshake is malformed")))
      }
    }
  }

  private static func refusal(_ origins: [String], _ host: String?, _ settings: Settings) -> APIProblem? {
    guard let origin = origins.first else { return nil }
    let (page, own) = (origin.lowercased(), (host ?? "").lowercased())
    let isOurs = page == "http://\(own)" || page == "https://\(own)" || settings.allowedOrigins.contains(page)
    if origins.count == 1, isOurs { return nil }
    return APIProblem(
      403, "foreign-origin", "Page of another site",
      "a page of \(origin.prefix(100)) may not open streams here; http.origins names those that may")
  }

  func begin(_ connection: Connection, _ rest: [UInt8]) {
    if caller == nil {
      connection.setTimer(.head, milliseconds: edge.settings.headSeconds * 1_000)
    } else {
      known(connection)
    }
    rest.withUnsafeBytes { received($0, on: connection) }
  }

  private func known(_ connection: Connection) {
    connection.clearTimer(.head)
    connection.setTimer(.idle, milliseconds: edge.settings.pingSeconds * 1_000)
    send("{\"type\":\"ready\"}", connection)
    guard let caller, caller.scope == .agent, let agent = edge.api(caller.workspace)?.directory.agents[caller.holder]
    else { return }
    let waiter = WaiterID(Entropy.word)
    seat = (agent, waiter)
    edge.hub.openStream(waiter, of: agent, caller.workspace, connection.ref)
    edge.writer(caller.workspace)?.submit([Request(.openStream(agent, waiter))])
  }

  // MARK: - Frames

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    decoder.append(bytes)
    connection.clearTimer(.answer)  // whatever it is, the peer is there
    while !isClosing {
      switch decoder.next() {
      case .needMore: return
      case .message(.text, let bytes, _): message(bytes, connection)
      case .message(.binary, _, _): close(.unsupportedData, "text frames only", connection)
      case .ping(let payload):
        var out: [UInt8] = []
        WebSocketEncoder.pong(payload, into: &out)
        connection.write(out)
      case .pong: break
      case .closed(let code, _): close(code ?? .normal, "", connection)
      case .failed(let failure): close(failure.closeCode, failure.reason.rawValue, connection)
      }
      if caller != nil { connection.setTimer(.idle, milliseconds: edge.settings.pingSeconds * 1_000) }
    }
  }

  private func close(_ code: WebSocketCloseCode, _ reason: String, _ connection: Connection) {
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
    case .answer, .body: connection.close(because: .timedOut(timer))
    }
  }

  func draining(_ connection: Connection) { close(.goingAway, "the server stops", connection) }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    for subscription in subscriptions.values {
      if let conversation = subscription.conversation { edge.hub.unsubscribe(conversation, connection.ref) }
    }
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
      guard caller != nil || type == "auth" else { return close(.policyViolation, "no token", connection) }
      switch type {
      case "auth":
        let token = try fields.required("token")
        guard caller == nil, let known = edge.caller(token: token, now: Instant(milliseconds: WallClock.nowMilliseconds))
        else { return close(.policyViolation, "no valid token", connection) }
        caller = known
        self.known(connection)
      case "subscribe":
        guard let session: SessionID = try fields.optionalID("session") else { throw fields.missing("session") }
        let after = try fields.optionalInteger("after", 0...Int64.max) ?? 0
        subscribe(session, EntryID(after), connection)
      case "unsubscribe":
        guard let session: SessionID = try fields.optionalID("session") else { throw fields.missing("session") }
        if let conversation = subscriptions.removeValue(forKey: session)?.conversation {
          edge.hub.unsubscribe(conversation, connection.ref)
        }
      case "ping": send("{\"type\":\"pong\"}", connection)
      default: throw fields.wrong("type", "type must be auth, subscribe, unsubscribe or ping")
      }
    } catch {
      send(error: error, connection)
    }
  }

  private func send(_ text: String, _ connection: Connection) { send(Array(text.utf8), connection) }
  private func send(_ bytes: [UInt8], _ connection: Connection) {
    guard !isClosing else { return }
    var out: [UInt8] = []
    WebSocketEncoder.text(utf8: bytes, into: &out)
    connection.write(out)
  }

  private func send(error: APIProblem, _ connection: Connection) {
    send(Array("{\"type\":\"error\",\"problem\":".utf8) + error.json + Array("}".utf8), connection)
  }

  // MARK: - What it hears

  private func subscribe(_ session: SessionID, _ after: EntryID, _ connection: Connection) {
    guard caller?.scope == .bot else {
      return send(error: .forbidden("to subscribe to a session needs a token of scope bot; yours is \(caller?.scope.rawValue ?? "unknown")"), connection)
    }
    guard subscriptions.count < Limit.subscriptions else {
      return send(
        error: APIProblem(429, "too-many-subscriptions", "Too many subscriptions", "open another stream"), connection)
    }
    subscriptions[session] = Subscription(after: after)
    look(session, connection)
  }

  private func look(_ session: SessionID, _ connection: Connection) {
    guard var subscription = subscriptions[session], let caller, let directory = edge.api(caller.workspace)?.directory
    else { return }
    subscription.isLooking = true
    subscription.wokenMeanwhile = false
    subscriptions[session] = subscription
    let (edge, ref, after) = (edge, connection.ref, subscription.after)
    edge.reads.run { reads in
      do throws(StoreFault) {
        guard let row = try reads.session(caller.workspace, session),
          row.bot == directory.bots[caller.holder]?.raw
        else { return edge.hub.post(ref, .looked(session, nil, nil)) }
        edge.hub.subscribe(row.conversation, ref)
        let page = try EventsPage.read(directory, row, after: after, limit: 200, reads)
        edge.hub.post(ref, .looked(session, row.conversation, page))
      } catch {
        Log.fault("reading for a stream", error.sentence)
        edge.hub.post(ref, .looked(session, nil, nil))
      }
    }
  }

  private func looked(
    _ session: SessionID, _ conversation: ConversationID?, _ page: EventsPage?, _ connection: Connection
  ) {
    guard var subscription = subscriptions[session] else {
      if let conversation { edge.hub.unsubscribe(conversation, connection.ref) }
      return
    }
    guard let conversation, let page else {
      subscriptions[session] = nil
      return send(error: .notFound("session"), connection)
    }
    subscription.conversation = conversation
    subscription.isLooking = false
    subscription.after = page.after
    subscriptions[session] = subscription
    if !page.isEmpty {
      var out = Array("{\"type\":\"events\",\"session\":\"\(session)\",".utf8)
      page.append(to: &out)
      out.append(UInt8(ascii: "}"))
      send(out, connection)
    }
    if subscription.wokenMeanwhile || page.hasMore { look(session, connection) }
  }

  func delivered(_ payload: any Sendable, on connection: Connection) {
    guard let inbound = payload as? Inbound else { return }
    switch inbound {
    case .wake(let conversation):
      for session in subscriptions.keys.sorted() where subscriptions[session]?.conversation == conversation {
        if subscriptions[session]?.isLooking == true {
          subscriptions[session]?.wokenMeanwhile = true
        } else {
          look(session, connection)
        }
      }
    case .looked(let session, let conversation, let page): looked(session, conversation, page, connection)
    case .offer(let offer, _): push(offer, connection)
    case .ringing(let offer): push(offer, as: "ringing", connection)
    case .offerEnded(let offer, let end):
      send("{\"type\":\"offer_ended\",\"offer\":\"\(offer)\",\"end\":\"\(end.name)\"}", connection)
    case .agentHears(let conversation, let entry): push(conversation, entry, connection)
    case .push(let bytes): send(bytes, connection)
    case .answer, .unavailable, .rendered, .nothingYet, .ring, .stopRinging, .endCall, .mailRefused, .lineChanged: break
    }
  }

  /// - Parameter type: `offer`, which the desk answers, or `ringing`, which the phone does.
  private func push(_ offer: OfferAnswer, as type: String = "offer", _ connection: Connection) {
    guard let caller, let api = edge.api(caller.workspace),
      case .reading(let render) = api.offered(withTimeline: 200)
    else { return }
    let (edge, ref) = (edge, connection.ref)
    edge.reads.run { reads in
      do throws(StoreFault) {
        let response = try render(.offer(offer), reads)
        edge.hub.post(ref, .push(Array("{\"type\":\"\(type)\",".utf8) + response.body.dropFirst()))
      } catch {
        Log.fault("showing an offer", error.sentence)
        guard type == "offer" else { return }  // it rings all the same
        edge.writer(caller.workspace)?.submit([Request(.failOffer(offer.offer, .connectionClosed))])
      }
    }
  }

  private func push(_ conversation: ConversationID, _ entry: EntryID, _ connection: Connection) {
    guard let caller else { return }
    let (edge, ref) = (edge, connection.ref)
    edge.reads.run { reads in
      do throws(StoreFault) {
        let rows = try reads.transcript(
          caller.workspace, of: conversation, after: EntryID(entry.raw - 1), limit: 1, visible: .internal)
        guard let body = rows.first?.body else { return }
        edge.hub.post(
          ref,
          .push(Array("{\"type\":\"entry\",\"conversation\":\"\(conversation)\",\"entry\":".utf8) + body + Array("}".utf8)))
      } catch { Log.fault("reading for an agent's stream", error.sentence) }
    }
  }
}

extension OfferEnd {
  public var name: String {
    switch self {
    case .accepted: "accepted"
    case .declined: "declined"
    case .timedOut: "timed_out"
    case .revoked: "revoked"
    case .failed: "failed"
    }
  }
}
