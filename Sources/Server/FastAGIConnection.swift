import Channels
import Model
import PhoneCodec
import Pipeline
import Records
import Routing
import Service
import Sockets
import System

/// One FastAGI connection: a caller who waits, or the leg of an agent whose device was picked up.
///
/// | told by the phone | asked of the writer | wished of the phone |
/// |---|---|---|
/// | call arrived | `call` | wait, with music; finish when a rule says so |
/// | device answered | `acceptByDevice` | accept, once it is durable; else refuse |
/// | device lost before it was bridged | `deviceLost` | |
/// | ring ended: busy, unavailable, not answered | `failOffer` | music again, by itself |
/// | ring ended: answered | `bridgeEnded` | finish: served, if they spoke |
/// | call ended | `endSession` | |
/// | a rule, or too long a wait, has the caller leave a message | | finish: message |
/// | connection lost | `endSession` after a grace, unless it came back | |
final class FastAGIConnection: ConnectionHandler {
  private let edge: Edge
  private var talk: AGIConnection
  private let sequence: UInt64 = 1
  private var workspace: WorkspaceID?
  private var role = Role.unknown
  private var bridged: Set<OfferID> = []
  private var lastRing: AGIRingOutcome?
  /// Until when the last ring that was wished may ring.
  private var ringUntil: Instant?
  private enum Role {
    case unknown
    case arriving
    case caller(SessionID)
    case agentLeg(OfferID)
    case done
  }

  enum Limit {
    static let openingMilliseconds = 10_000
    static let probeMilliseconds = 30_000
    static let comeBackMilliseconds = 15_000
  }

  init(edge: Edge) {
    self.edge = edge
    talk = AGIConnection(keyring: edge.keyring)
  }

  func opened(_ connection: Connection) {
    guard edge.maySpeakFastAGI(connection.peer) else {
      Log.note("a FastAGI connection from \(connection.peer) was refused: no phone system there")
      return connection.abort()
    }
    connection.setTimer(.head, milliseconds: Limit.openingMilliseconds)
  }

  func received(_ bytes: UnsafeRawBufferPointer, on connection: Connection) {
    if let ringUntil { run(talk.shortenRing(toSeconds: secondsLeft(ringUntil)), connection) }
    run(talk.received(bytes), connection)
  }

  func peerClosedWrite(_ connection: Connection) {
    run(talk.peerClosed(), connection)
    connection.closeAfterFlush(lingering: false)
  }

  /// The server stops: the socket breaks and the call stays where it is; the dialplan comes back.
  func draining(_ connection: Connection) { connection.closeAfterFlush(lingering: false) }

  func closed(_ connection: Connection, _ reason: CloseReason) {
    run(talk.peerClosed(), connection)
    if case .caller(let session) = role { lost(session, connection) }
  }

  func timedOut(_ timer: ConnectionTimer, on connection: Connection) {
    switch timer {
    case .head: connection.close(because: .timedOut(.head))
    case .idle:
      run(talk.wish(.probe), connection)
      connection.setTimer(.idle, milliseconds: Limit.probeMilliseconds)
    case .body, .answer: break
    }
  }

  private func run(_ outputs: [AGIOutput], _ connection: Connection) {
    for output in outputs {
      switch output {
      case .write(let bytes): connection.write(bytes)
      case .close: connection.closeAfterFlush(lingering: false)
      case .told(let news): told(news, connection)
      }
    }
  }

  private func submit(_ intake: Intake, _ connection: Connection, answers: Bool = false) {
    guard let workspace, let writer = edge.writer(workspace) else { return }
    writer.submit([
      Request(intake, ticket: answers ? Ticket(connection.ref, exchange: sequence) : .nobody)
    ])
  }

  // MARK: - What the phone tells

  private func told(_ news: AGINews, _ connection: Connection) {
    switch news {
    case .callArrived(let arrival): arrived(arrival, connection)
    case .ringEnded(let offer, let outcome): ringEnded(offer, outcome, connection)
    case .announced, .stillThere, .bridged: break
    case .callEnded(let end): callEnded(end, connection)
    case .deviceAnswered(let offer, let arrival): answered(offer, arrival, connection)
    case .deviceLost(let offer):
      if let id = OfferID(offer.description) {
        submit(.deviceLost(id, of: nil, newCase: .new()), connection)
      }
      role = .done
    case .hangupReported(let arrival):
      guard let found = edge.phone(of: arrival.phoneSystem) else { return }
      workspace = found.workspace
      submit(
        .callEnded(key: PhoneChannel.key(system: arrival.phoneSystem, id: arrival.uniqueID)),
        connection)
    case .refused(let refusal):
      Log.note("a FastAGI connection from \(connection.peer) was refused: \(refusal.sentence)")
    }
  }

  private func arrived(_ arrival: AGIArrival, _ connection: Connection) {
    connection.clearTimer(.head)
    connection.setTimer(.idle, milliseconds: Limit.probeMilliseconds)
    guard let channel = edge.phone(of: arrival.phoneSystem) else {
      return finish(.local, connection)
    }
    workspace = channel.workspace
    lastRing = arrival.lastRing
    role = .arriving
    var call = channel.arrival(
      .init(
        system: arrival.phoneSystem, id: arrival.uniqueID,
        from: arrival.isCallerRestricted ? nil : arrival.callerNumber, to: arrival.dialled,
        name: arrival.callerName))
    call.nothingRings = true
    call.isOverOnceEnded = arrival.lastRing == .answered
    submit(.call(call), connection, answers: true)
  }

  private func answered(_ offer: AGIOffer, _ arrival: AGIArrival, _ connection: Connection) {
    connection.clearTimer(.head)
    guard let channel = edge.phone(of: arrival.phoneSystem), let id = OfferID(offer.description)
    else {
      return run(talk.wish(.refuse), connection)
    }
    workspace = channel.workspace
    role = .agentLeg(id)
    submit(.acceptByDevice(id), connection, answers: true)
  }

  private func ringEnded(_ offer: AGIOffer, _ outcome: AGIRingOutcome, _ connection: Connection) {
    guard let id = OfferID(offer.description), case .caller(let session) = role else { return }
    switch outcome {
    // The same word whether they spoke or the leg was refused: our own record says which, once it
    // is durable.
    case .answered: submit(.bridgeEnded(session), connection, answers: true)
    case .busy: submit(.failOffer(id, .deviceBusy), connection)
    case .unavailable: submit(.failOffer(id, .deviceUnavailable), connection)
    // The line was busy with something else: no fault of a device that was never dialled.
    case .notRung: submit(.failOffer(id, .lineGone), connection)
    case .dropped: submit(.deviceLost(id, of: session, newCase: .new()), connection)
    case .notAnswered: submit(.failOffer(id, .notAnswered), connection)
    case .cancelled, .lost: break  // the call's own end follows
    }
  }

  private func callEnded(_ end: AGICallEnd, _ connection: Connection) {
    guard case .caller(let session) = role else {
      if case .arriving = role, end == .hungUp { role = .done }
      return
    }
    switch end {
    case .hungUp:
      role = .done
      edge.hub.drop(session, connection.ref)
      submit(.endSession(session, .hungUp, by: nil), connection)
    case .finished: role = .done
    case .lost: lost(session, connection)
    case .broken(let error):
      Log.note("a FastAGI talk broke: \(error.sentence)")
      lost(session, connection)
    }
  }

  /// The socket is gone and the call may not be: the dialplan comes back with it. When it does not,
  /// it is over.
  private func lost(_ session: SessionID, _ connection: Connection) {
    role = .done
    edge.hub.drop(session, connection.ref)
    guard let workspace, !edge.isStopping else { return }
    let edge = edge
    connection.loop.after(milliseconds: Limit.comeBackMilliseconds) { _ in
      if !edge.hub.carries(session) {
        edge.writer(workspace)?.submit([Request(.endSession(session, .connectionLost, by: nil))])
      }
    }
  }

  private func finish(_ ending: AGIEnding, _ connection: Connection) {
    run(talk.wish(.finish(ending)), connection)
  }

  // MARK: - What the writer answers

  func delivered(_ payload: any Sendable, on connection: Connection) {
    guard let inbound = payload as? Inbound else { return }
    switch inbound {
    case .answer(_, let answer): answered(answer, connection)
    case .unavailable:
      switch role {
      case .agentLeg: run(talk.wish(.refuse), connection)
      // The dialplan comes back with the call in a second, for as long as its patience lasts.
      case .arriving:
        role = .done
        connection.closeAfterFlush(lingering: false)
      // It goes on hearing music: its place is on disk.
      case .caller, .unknown, .done: break
      }
    case .ring(let offer, _, let device, let until): ring(offer, device, until, connection)
    case .stopRinging(let offer, _):
      if let name = AGIOffer(offer.description) { run(talk.wish(.stopRinging(name)), connection) }
    case .takeMessage:
      // The call lives on in the phone system, which reports its end; nothing more of it comes over
      // this connection.
      if case .caller(let session) = role { edge.hub.drop(session, connection.ref) }
      role = .done
      finish(.message, connection)
    case .endCall(let end):
      role = .done
      finish(end == .businessEnded ? .served : .closed, connection)
    default: break
    }
  }

  private func answered(_ answer: Answer, _ connection: Connection) {
    switch (answer, role) {
    case (.callTaken(let session, _, _, _, let resumed), .arriving):
      role = .caller(session)
      run(talk.wish(.wait), connection)
      // It may have been bridged while we were away, and the agent has hung up since.
      if resumed, lastRing == .answered { submit(.bridgeEnded(session), connection, answers: true) }
    case (.standing(.over), .caller(let session)):
      role = .done
      edge.hub.drop(session, connection.ref)
      finish(.served, connection)
    // We had recorded the end of their talk, and went down before the phone was told.
    case (.standing(.over), .arriving):
      role = .done
      finish(.served, connection)
    case (.callTaken(let session, _, _, _, _), _):
      // The caller hung up before we knew their call.
      submit(.endSession(session, .hungUp, by: nil), connection)
    case (.ruleAnswered, .arriving):
      role = .done
      finish(.closed, connection)
    case (.rejected, .arriving):
      role = .done
      finish(.local, connection)
    case (.accepted, .agentLeg): run(talk.wish(.accept), connection)
    case (_, .agentLeg): run(talk.wish(.refuse), connection)
    default: break
    }
  }

  private func ring(_ offer: OfferID, _ device: String, _ until: Instant, _ connection: Connection)
  {
    guard let name = AGIOffer(offer.description), let device = AGIDevice(device) else {
      return submit(.failOffer(offer, .deviceError), connection)
    }
    let left = secondsLeft(until)
    guard left >= 1 else { return submit(.failOffer(offer, .lineGone), connection) }
    ringUntil = until
    run(talk.wish(.ring(AGIRing(device: device, offer: name, timeoutSeconds: left))), connection)
  }

  private func secondsLeft(_ until: Instant) -> Int {
    Int((until - edge.health.clock.now).milliseconds / 1_000)
  }
}
