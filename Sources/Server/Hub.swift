import Dispatch
import Model
import Pipeline
import Routing
import Sockets
import Synchronization
import System

/// Brings what has become durable to whoever waits for it, a batch a lane at a time.
public final class Hub: Outlet {
  private let state = Mutex(State())
  private let sockets = Mutex<SocketServer?>(nil)
  private let outboxes = Mutex<Handler<WorkspaceID>?>(nil)

  struct State {
    var conversations: [ConversationID: [ConnectionRef]] = [:]
    /// Who follows the timeline that a customer record is part of.
    var followers: [CustomerID: [ConnectionRef]] = [:]
    var agentStreams: [Key<AgentID>: [ConnectionRef]] = [:]
    var streams: [WaiterID: ConnectionRef] = [:]
    var seats: [WaiterID: Key<AgentID>] = [:]
    var calls: [SessionID: ConnectionRef] = [:]
    /// Calls of the HTTP hook: nobody holds their line, and whoever polls for one hears of a
    /// change.
    var lines: [SessionID: ConnectionRef?] = [:]
  }

  struct Key<ID: Hashable>: Hashable {
    var workspace: WorkspaceID
    var id: ID
  }

  public init() {}

  func attach(_ server: SocketServer, outbox: @escaping @Sendable (WorkspaceID) -> Void) {
    sockets.withLock { $0 = server }
    outboxes.withLock { $0 = Handler(outbox) }
  }

  /// When the lanes have stopped: from then on nobody is reached.
  func detach() {
    sockets.withLock { $0 = nil }
    outboxes.withLock { $0 = nil }
  }

  var laneStatistics: [LaneStatistics] { sockets.withLock { $0 }?.statistics ?? [] }

  /// Mail may lie there from the last run.
  func wakeOutbox(_ workspace: WorkspaceID) { outboxes.withLock { $0 }?.call(workspace) }

  // MARK: - Who waits for what

  func subscribe(_ conversation: ConversationID, _ ref: ConnectionRef) {
    state.withLock { state in
      if state.conversations[conversation]?.contains(ref) == true { return }
      state.conversations[conversation, default: []].append(ref)
    }
  }

  func unsubscribe(_ conversation: ConversationID, _ ref: ConnectionRef) {
    state.withLock { state in
      state.conversations[conversation]?.removeAll { $0 == ref }
      if state.conversations[conversation]?.isEmpty == true {
        state.conversations[conversation] = nil
      }
    }
  }

  func follow(_ records: [CustomerID], _ ref: ConnectionRef) {
    state.withLock { state in
      for record in records where state.followers[record]?.contains(ref) != true {
        state.followers[record, default: []].append(ref)
      }
    }
  }

  func unfollow(_ records: [CustomerID], _ ref: ConnectionRef) {
    state.withLock { state in
      for record in records {
        state.followers[record]?.removeAll { $0 == ref }
        if state.followers[record]?.isEmpty == true { state.followers[record] = nil }
      }
    }
  }

  func openStream(
    _ waiter: WaiterID, of agent: AgentID, _ workspace: WorkspaceID, _ ref: ConnectionRef
  ) {
    state.withLock { state in
      state.streams[waiter] = ref
      state.seats[waiter] = Key(workspace: workspace, id: agent)
      state.agentStreams[Key(workspace: workspace, id: agent), default: []].append(ref)
    }
  }

  func closeStream(
    _ waiter: WaiterID, of agent: AgentID, _ workspace: WorkspaceID, _ ref: ConnectionRef
  ) {
    state.withLock { state in
      state.streams[waiter] = nil
      state.seats[waiter] = nil
      let key = Key(workspace: workspace, id: agent)
      state.agentStreams[key]?.removeAll { $0 == ref }
      if state.agentStreams[key]?.isEmpty == true { state.agentStreams[key] = nil }
    }
  }

  func carry(_ session: SessionID, _ ref: ConnectionRef) {
    state.withLock { $0.calls[session] = ref }
  }
  func carries(_ session: SessionID) -> Bool { state.withLock { $0.calls[session] != nil } }
  func drop(_ session: SessionID, _ ref: ConnectionRef) {
    state.withLock { state in if state.calls[session] == ref { state.calls[session] = nil } }
  }

  func joinLine(_ session: SessionID, _ ref: ConnectionRef) {
    state.withLock { state in
      state.calls[session] = nil
      state.lines[session] = ref
    }
  }
  func leaveLine(_ session: SessionID, _ ref: ConnectionRef) {
    state.withLock { state in
      if state.lines[session] == .some(ref) { state.lines[session] = .some(nil) }
    }
  }

  private func isLine(_ session: SessionID?) -> Bool {
    guard let session else { return false }
    return state.withLock { $0.lines[session] != nil }
  }

  func forgetLine(_ session: SessionID) { state.withLock { $0.lines[session] = nil } }

  // MARK: - Outlet

  public func leave(_ released: [Pipeline.Release], from writer: Writer) {
    var batch: [Delivery] = []
    batch.reserveCapacity(released.count)
    var queued = false
    state.withLock { state in
      for release in released { Self.address(release, writer, &state, &batch, &queued) }
    }
    send(batch, from: writer)
    if queued { wakeOutbox(writer.workspace) }
  }

  /// The writer begins again from disk while its connections live on: streams are seats again, and
  /// the calls whose line is open have not gone anywhere.
  public func recovered(_ writer: Writer) {
    let requests = state.withLock { state -> [Request] in
      let seats = state.seats.filter { $0.value.workspace == writer.workspace }.sorted {
        $0.key < $1.key
      }
      return seats.map { Request(.openStream($0.value.id, $0.key)) }
        + state.calls.keys.sorted().map { Request(.rejoin($0)) }
    }
    if !requests.isEmpty { writer.submit(requests) }
  }

  public func unavailable(_ tickets: [Ticket], from writer: Writer) {
    send(
      tickets.filter { $0 != .nobody }.map {
        Delivery(to: $0.ref, Inbound.unavailable($0.exchange))
      }, from: writer)
  }

  public func hanging(_ tickets: [Ticket], from writer: Writer) {
    send(tickets.map { Delivery(to: $0.ref, Inbound.hanging($0.exchange)) }, from: writer)
  }

  private static func address(
    _ release: Pipeline.Release, _ writer: Writer, _ state: inout State, _ batch: inout [Delivery],
    _ queued: inout Bool
  ) {
    switch release {
    case .answer(let ticket, let answer, _):
      // Before whatever follows it: the first ring may be released in the same breath as the call's
      // own answer.
      if case .callTaken(let session, _, _, _, _) = answer { state.calls[session] = ticket.ref }
      if ticket != .nobody {
        batch.append(Delivery(to: ticket.ref, Inbound.answer(ticket.exchange, answer)))
      }
    case .entries(let conversation, _):
      for ref in state.conversations[conversation] ?? [] {
        batch.append(Delivery(to: ref, Inbound.wake(conversation)))
      }
    case .timeline(let record):
      for ref in state.followers[record] ?? [] {
        batch.append(Delivery(to: ref, Inbound.timelineMoved(record)))
      }
    case .outbox: queued = true
    case .offer(let offer, let waiter):
      let desks = state.agentStreams[Key(workspace: writer.workspace, id: offer.agent)] ?? []
      guard !desks.isEmpty else {
        return writer.submit([Request(.failOffer(offer.offer, .connectionClosed))])
      }
      // At every desk, as a ring is: the seat may be a tab that nobody looks at, or half dead.
      for desk in desks {
        batch.append(Delivery(to: desk, Inbound.offer(offer, waiter)))
      }
    case .ring(let session, let offer, let device):
      // Whoever is rung sees who calls, and everything so far, before they pick up.
      if let line = state.lines[session] {
        tellDesks(of: offer.agent, Inbound.ringing(offer), writer, state, &batch)
        if let ref = line { batch.append(Delivery(to: ref, Inbound.lineChanged)) }
      } else if let ref = state.calls[session] {
        batch.append(
          Delivery(
            to: ref, Inbound.ring(offer.offer, offer.agent, device: device, until: offer.until)))
        tellDesks(of: offer.agent, Inbound.ringing(offer), writer, state, &batch)
      } else {
        // Nobody holds that line: the phone system is gone or comes back later. The case keeps its
        // place.
        writer.submit([Request(.failOffer(offer.offer, .lineGone))])
      }
    case .stopRinging(let session, let offer, let end):
      if let ref = state.lines[session] ?? nil {
        batch.append(Delivery(to: ref, Inbound.lineChanged))
      }
      if let ref = state.calls[session] {
        batch.append(Delivery(to: ref, Inbound.stopRinging(offer, end)))
      }
    case .effect(let effect): address(effect, writer, &state, &batch)
    }
  }

  /// Every stream of the agent.
  private static func tellDesks(
    of agent: AgentID, _ inbound: Inbound, _ writer: Writer, _ state: State,
    _ batch: inout [Delivery]
  ) {
    for ref in state.agentStreams[Key(workspace: writer.workspace, id: agent)] ?? [] {
      batch.append(Delivery(to: ref, inbound))
    }
  }

  private static func address(
    _ effect: Effect, _ writer: Writer, _ state: inout State, _ batch: inout [Delivery]
  ) {
    switch effect {
    case .deliverOffer(let offer, _, _, .next, _):
      // Its ticket is gone: the connection that asked has closed.
      writer.submit([Request(.failOffer(offer, .connectionClosed))])
    case .withdrawOffer(let offer, _, let agent, _, let end):
      tellDesks(of: agent, Inbound.offerEnded(offer, end), writer, state, &batch)
    case .tellAgent(let agent, let conversation, let entry):
      tellDesks(of: agent, Inbound.agentHears(conversation, entry), writer, state, &batch)
    case .askToConsult(let agent, let id, let by, let until):
      tellDesks(of: agent, Inbound.consult(id, by: by, until: until), writer, state, &batch)
    case .endConsult(let agent, let id, let end):
      tellDesks(of: agent, Inbound.consultEnded(id, end), writer, state, &batch)
    case .tellCase(let agent, let id, let news):
      tellDesks(of: agent, Inbound.caseNews(id, news), writer, state, &batch)
    case .closeStream(_, let waiter, let end):
      if let ref = state.streams[waiter] {
        batch.append(Delivery(to: ref, Inbound.streamEnded(end)))
      }
    case .endSession(let session, let end):
      if let ref = state.lines.removeValue(forKey: session) ?? nil {
        batch.append(Delivery(to: ref, Inbound.lineChanged))
      }
      if let ref = state.calls[session] { batch.append(Delivery(to: ref, Inbound.endCall(end))) }
    case .takeMessage(let session):
      if let ref = state.lines[session] ?? nil {
        batch.append(Delivery(to: ref, Inbound.lineChanged))
      }
      if let ref = state.calls[session] { batch.append(Delivery(to: ref, Inbound.takeMessage)) }
    case .tellAgentStatus(let agent, let status, let responding):
      tellDesks(
        of: agent, Inbound.agentStatus(status, responding: responding), writer, state, &batch)
    case .deliverOffer, .answerEmpty, .tellSessions, .tellCaseEnded, .messageCustomer:
      break
    }
  }

  /// An offer whose connection has closed meanwhile fails at once, so that its case goes to the
  /// next agent.
  private func send(_ batch: [Delivery], from writer: Writer) {
    guard !batch.isEmpty, let server = sockets.withLock({ $0 }) else { return }
    server.post(batch) { lost in
      var failed: [Request] = []
      for delivery in lost {
        switch delivery.payload as? Inbound {
        case .answer(_, .offer(let offer)):
          failed.append(Request(.failOffer(offer.offer, .connectionClosed)))
        case .offer(let offer, _):
          // Of several desks each hears of it; what closes the last one ends the offer.
          let (workspace, to) = (writer.workspace, delivery.to)
          let isAlone = self.state.withLock { state in
            state.agentStreams[Key(workspace: workspace, id: offer.agent)]?
              .allSatisfy { $0 == to } ?? true
          }
          if isAlone {
            failed.append(Request(.failOffer(offer.offer, .connectionClosed)))
          }
        case .wake(let conversation): self.unsubscribe(conversation, delivery.to)
        case .answer(_, .callTaken(let session, _, _, _, _)):
          self.expectBack(session, delivery.to, writer)
        case .ring(let offer, _, _, _):
          // A phone system of the HTTP hook holds no line: it was told in its answer, or asks
          // again.
          if !self.isLine(writer.peek { $0.session(of: offer) }) {
            failed.append(Request(.failOffer(offer, .lineGone)))
          }
        default: break
        }
      }
      if !failed.isEmpty { writer.submit(failed) }
    }
  }

  /// The line was gone before its call was taken. Its phone system may come back with it; if not,
  /// it is over.
  private func expectBack(_ session: SessionID, _ ref: ConnectionRef, _ writer: Writer) {
    DispatchQueue.global().asyncAfter(
      deadline: .now() + .milliseconds(FastAGIConnection.Limit.comeBackMilliseconds)
    ) {
      let isGone = self.state.withLock { state in
        guard state.calls[session] == ref else { return false }
        state.calls[session] = nil
        return true
      }
      if isGone { writer.submit([Request(.endSession(session, .connectionLost, by: nil))]) }
    }
  }

  func tellAll(_ inbound: Inbound) { sockets.withLock { $0 }?.tellAll(inbound) }

  func post(_ ref: ConnectionRef, _ inbound: Inbound) {
    sockets.withLock { $0 }?.post([Delivery(to: ref, inbound)]) { [self] lost in
      for delivery in lost {
        switch delivery.payload as? Inbound {
        case .nothingYet(_, let conversation): unsubscribe(conversation, delivery.to)
        case .looked(_, let conversation?, _, _): unsubscribe(conversation, delivery.to)
        default: break
        }
      }
    }
  }
}
