import Model
import Pipeline
import Records
import Routing
import Service
import Sockets
import WebCodec

/// What a stream hears.
extension WebSocketStream {
  func subscribe(_ session: SessionID, _ after: EntryID, _ connection: Connection) {
    guard caller?.scope == .bot else {
      return send(
        error: .forbidden(
          "to subscribe to a session needs a token of scope bot; yours is \(caller?.scope.rawValue ?? "unknown")"
        ), connection)
    }
    guard subscriptions.count < Limit.subscriptions else {
      return send(
        error: APIProblem(
          429, "too-many-subscriptions", "Too many subscriptions", "open another stream"),
        connection)
    }
    subscriptions[session] = Subscription(after: after)
    look(session, connection)
  }

  /// Goes on with what waited for room.
  func lookOn(_ connection: Connection) {
    while !waiting.isEmpty, looking < Limit.looking, !isBackedUp {
      look(waiting.removeFirst(), connection)
    }
  }

  func look(_ session: SessionID, _ connection: Connection) {
    guard var subscription = subscriptions[session], let caller,
      let directory = edge.api(caller.workspace)?.directory
    else { return }
    guard looking < Limit.looking, !isBackedUp else {
      if !waiting.contains(session) { waiting.append(session) }
      return
    }
    looking += 1
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
        let problem = page.isEmpty ? try APIProblem.ahead(after, caller.workspace, reads) : nil
        edge.hub.post(
          ref, .looked(session, row.conversation, problem == nil ? page : nil, problem))
      } catch {
        edge.health.tell("reading for a stream", error)
        edge.hub.post(ref, .looked(session, nil, nil, APIProblem(error)))
      }
    }
  }

  func looked(
    _ session: SessionID, _ conversation: ConversationID?, _ page: EventsPage?,
    _ problem: APIProblem?, _ connection: Connection
  ) {
    guard var subscription = subscriptions[session] else {
      if let conversation { edge.hub.unsubscribe(conversation, connection.ref) }
      return
    }
    guard let conversation, let page else {
      subscriptions[session] = nil
      if let conversation, !hears(conversation) {
        edge.hub.unsubscribe(conversation, connection.ref)
      }
      return send(error: problem ?? .notFound("session"), connection)
    }
    let before = subscription.conversation
    subscription.conversation = conversation
    subscription.isLooking = false
    subscription.after = page.after
    subscriptions[session] = subscription
    // Its customer was taken out of the conversation.
    if let before, before != conversation, !hears(before) {
      edge.hub.unsubscribe(before, connection.ref)
    }
    if !page.isEmpty {
      var out = Array("{\"type\":\"events\",\"session\":\"\(session)\",".utf8)
      page.append(to: &out)
      out.append(UInt8(ascii: "}"))
      send(out, connection)
    }
    if subscription.wokenMeanwhile || page.hasMore { look(session, connection) }
  }

  /// Whether a session of it is subscribed to.
  private func hears(_ conversation: ConversationID) -> Bool {
    subscriptions.values.contains { $0.conversation == conversation }
  }

  func delivered(_ payload: any Sendable, on connection: Connection) {
    guard let inbound = payload as? Inbound else { return }
    switch inbound {
    case .wake(let conversation):
      for session in subscriptions.keys.sorted()
      where subscriptions[session]?.conversation == conversation {
        if subscriptions[session]?.isLooking == true {
          subscriptions[session]?.wokenMeanwhile = true
        } else {
          look(session, connection)
        }
      }
    case .timelineMoved(let record): timelineMoved(record, connection)
    case .followed(let customer, let look, let problem):
      followedOn(customer, look, problem, connection)
    case .looked(let session, let conversation, let page, let problem):
      looking -= 1
      looked(session, conversation, page, problem, connection)
      lookOn(connection)
    case .offer(let offer, _): tell(.offer(offer), connection)
    case .ringing(let offer): tell(.ringing(offer), connection)
    case .offerEnded(let offer, let end):
      let reason = end.reason.map { ",\"reason\":\"\($0)\"" } ?? ""
      tell(
        "{\"type\":\"offer_ended\",\"offer\":\"\(offer)\",\"end\":\"\(end.name)\"\(reason)}",
        connection)
    case .consult(let id, let by, let until):
      tell(.consult(id, by: by, until: until), connection)
    case .consultEnded(let id, let end):
      tell("{\"type\":\"consult_ended\",\"case\":\"\(id)\",\"end\":\"\(end.name)\"}", connection)
    case .caseNews(let id, let news):
      guard let caller, let directory = edge.api(caller.workspace)?.directory else { return }
      tell(
        news.showsWhole ? .brought(id, news) : .frame(news.frame(of: id, directory)), connection)
    case .agentStatus(let status, let responding):
      guard let caller, let directory = edge.api(caller.workspace)?.directory else { return }
      let name = directory.name(status)
      tell("{\"type\":\"status\",\"status\":\"\(name)\",\"responding\":\(responding)}", connection)
    case .agentHears(let conversation, let entry): tell(.entry(conversation, entry), connection)
    case .heard(let frames):
      isReading = false
      for frame in frames { send(frame, connection) }
      readUnheard(connection)
    case .hearOn: hear(connection)
    case .tokenEnded(let token):
      if caller?.token == token {
        close(.policyViolation, "the token is revoked or over", connection)
      }
    case .streamEnded(.replaced):
      close(.replaced, "a newer stream of this agent took its place", connection)
    case .streamEnded(.agentRetired):
      close(.policyViolation, "the rules have no such agent any more", connection)
    case .answer, .unavailable, .hanging, .rendered, .piece, .handled, .nothingYet, .ring,
      .stopRinging,
      .endCall,
      .takeMessage,
      .mailRefused,
      .lineChanged:
      break
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

  /// Why, where the end alone does not say it.
  var reason: String? {
    switch self {
    case .accepted, .declined, .timedOut: nil
    case .revoked(let why): why.name
    case .failed(let why): why.name
    }
  }
}
