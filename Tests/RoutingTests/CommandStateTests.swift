import Model
import Testing

@testable import Routing

/// What may be asked, without what it is asked of: a command that has no row here does not build, or
/// fails below.
enum CommandKind: CaseIterable {
  case configure, start, tick, openConversation, joinSession, reopenConversation, endSession, record
  case route, moveConversation, setStatus, setChannelStatus, finish, chooseChannels, renewPresence
  case next, endNext, openStream, closeStream, accept, decline, failOffer, transfer, handBack
  case wrapUp, close, park, resume, hold, endHold, assign, requeue, extendWrapUp, consult
  case endConsult, takeOver

  init(_ command: Command) {
    self =
      switch command {
      case .configure: .configure
      case .start: .start
      case .tick: .tick
      case .openConversation: .openConversation
      case .joinSession: .joinSession
      case .reopenConversation: .reopenConversation
      case .endSession: .endSession
      case .record: .record
      case .route: .route
      case .moveConversation: .moveConversation
      case .setStatus: .setStatus
      case .setChannelStatus: .setChannelStatus
      case .finish: .finish
      case .chooseChannels: .chooseChannels
      case .renewPresence: .renewPresence
      case .next: .next
      case .endNext: .endNext
      case .openStream: .openStream
      case .closeStream: .closeStream
      case .accept: .accept
      case .decline: .decline
      case .failOffer: .failOffer
      case .transfer: .transfer
      case .handBack: .handBack
      case .wrapUp: .wrapUp
      case .close: .close
      case .park: .park
      case .resume: .resume
      case .hold: .hold
      case .endHold: .endHold
      case .assign: .assign
      case .requeue: .requeue
      case .extendWrapUp: .extendWrapUp
      case .consult: .consult
      case .endConsult: .endConsult
      case .takeOver: .takeOver
      }
  }
}

/// One row per command and state of the case it speaks of, so that gaps show: `ok`, or why not.
struct `Every command in every state` {
  enum State: String, CaseIterable {
    case none, waiting, offered, assigned, consulted, onHold, wrappingUp, parked, closed
  }

  func world(_ state: State) -> World {
    var world = World()
    world.available(World.ann, World.bob)
    var need = Need(queue: World.support)
    need.excluded = [World.dan]
    switch state {
    case .none: world.open(1)
    case .waiting:
      world.open(1)
      world.route(1, need)
    case .offered:
      world.open(1)
      world.route(1, need)
      world.asks(World.ann, 7)
    case .assigned: world.assigned(1, to: World.ann, need: need)
    case .consulted:
      world.assigned(1, to: World.ann, need: need)
      world.given(
        .consult(World.case(1), by: World.ann, with: World.bob, until: world.now + .seconds(60)))
    case .onHold:
      world.assigned(1, to: World.ann, need: need)
      world.given(.hold(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    case .wrappingUp:
      world.assigned(1, to: World.ann, need: need)
      world.given(.wrapUp(World.case(1), by: World.ann))
    case .parked:
      world.assigned(1, to: World.ann, need: need)
      world.given(.park(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    case .closed:
      world.assigned(1, to: World.ann, need: need)
      world.given(.close(World.case(1), by: World.ann))
    }
    return world
  }

  /// In which of them the case is: another that cases come to be in, and that has no column, does not build.
  func state(_ world: World) -> State {
    guard let view = world.router.case(World.case(1)) else {
      return world.router.ended.contains(World.case(1)) ? .closed : .none
    }
    switch view.state {
    case .waiting: return .waiting
    case .offered: return .offered
    case .assigned:
      return view.consult != nil ? .consulted : view.heldUntil != nil ? .onHold : .assigned
    case .parked: return .parked
    case .wrappingUp: return .wrappingUp
    }
  }

  @Test(arguments: State.allCases) func `each column is of the state that it says`(state: State) {
    #expect(self.state(world(state)) == state)
  }

  func command(_ name: String, _ world: World) -> Command? {
    let (id, ann) = (World.case(1), World.ann)
    let offer = Router.offerID(id, 0)
    func said(_ author: Author) -> Command {
      .record(
        conversation: World.conversation(1), session: nil, entry: World.entry(1), author: author,
        visibility: .customer,
        epoch: nil)
    }
    switch name {
    case "accept": return .accept(offer, ann)
    case "accept another's": return .accept(offer, World.bob)
    case "decline": return .decline(offer, ann)
    case "fail": return .failOffer(offer, .connectionClosed)
    case "transfer":
      return .transfer(id, by: ann, need: Need(queue: World.support), case: World.case(2))
    case "hand back": return .handBack(id, by: ann)
    case "wrap up": return .wrapUp(id, by: ann)
    case "close": return .close(id, by: ann)
    case "close another's": return .close(id, by: World.bob)
    case "park": return .park(id, by: ann, until: world.now + .seconds(9))
    case "park in the past": return .park(id, by: ann, until: world.now)
    case "resume": return .resume(id, by: ann)
    case "hold": return .hold(id, by: ann, until: world.now + .seconds(9))
    case "hold another's": return .hold(id, by: World.bob, until: world.now + .seconds(9))
    case "hold in the past": return .hold(id, by: ann, until: world.now)
    case "hold too long": return .hold(id, by: ann, until: world.now + .seconds(9_000))
    case "end the hold": return .endHold(id, by: ann)
    case "assign to bob": return .assign(id, to: World.bob)
    case "assign to ann": return .assign(id, to: ann)
    case "assign to barred": return .assign(id, to: World.dan)
    case "requeue": return .requeue(id)
    case "extend": return .extendWrapUp(id, by: ann, until: world.now + .seconds(600))
    case "extend too far": return .extendWrapUp(id, by: ann, until: world.now + .seconds(9_000))
    case "extend to less": return .extendWrapUp(id, by: ann, until: world.now + .seconds(1))
    case "consult": return .consult(id, by: ann, with: World.bob, until: world.now + .seconds(60))
    case "consult oneself": return .consult(id, by: ann, with: ann, until: world.now + .seconds(60))
    case "consult the absent":
      return .consult(id, by: ann, with: World.cat, until: world.now + .seconds(60))
    case "consult the barred":
      return .consult(id, by: ann, with: World.dan, until: world.now + .seconds(60))
    case "consult too long":
      return .consult(id, by: ann, with: World.bob, until: world.now + .seconds(90_000))
    case "end consult": return .endConsult(id, by: ann)
    case "take over": return .takeOver(id, by: World.bob)
    case "transfer nowhere":
      return .transfer(id, by: ann, need: Need(queue: QueueID(9)), case: World.case(2))
    case "move": return .moveConversation(World.conversation(1), customer: World.customer(2))
    case "join":
      return .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(9), channel: .email, bot: nil))
    case "ann finishes": return .finish(ann, then: .offline)
    case "ann is away": return .setStatus(ann, .offline, lease: nil)
    case "ann asks": return .next(ann, waiter: WaiterID(99), until: world.now + .seconds(9))
    case "start": return .start
    case "configure": return .configure(World.configuration)
    case "route": return world.routing(1, Need(queue: World.support))
    case "customer says": return said(.customer)
    case "bot says": return said(.bot(World.bot))
    case "ann says": return said(.agent(ann))
    case "session ends": return .endSession(World.session(1), .customerLeft)
    case "open another":
      return .openConversation(
        conversation: World.conversation(9), customer: World.customer(1),
        session: NewSession(id: World.session(9), channel: .chat, bot: World.bot))
    case "open it again":
      return .openConversation(
        conversation: World.conversation(1), customer: World.customer(1),
        session: NewSession(id: World.session(9), channel: .chat, bot: World.bot))
    case "reopen":
      return .reopenConversation(
        ClosedConversation(
          id: World.conversation(1), customer: World.customer(1), epoch: 9, lastAgent: ann),
        session: NewSession(id: World.session(9), channel: .chat, bot: World.bot))
    case "ann asks no more": return .endNext(ann, waiter: WaiterID(7))
    case "tick": return .tick
    default: return nil
    }
  }

  static let table = """
    command            | none         | waiting         | offered         | assigned           | consulted          | onHold             | wrappingUp      | parked            | closed
    accept             | unknownOffer | unknownOffer    | ok              | offerEnded         | offerEnded         | offerEnded         | offerEnded      | offerEnded        | offerEnded
    accept another's   | unknownOffer | unknownOffer    | offerNotYours   | offerEnded         | offerEnded         | offerEnded         | offerEnded      | offerEnded        | offerEnded
    decline            | unknownOffer | unknownOffer    | ok              | offerEnded         | offerEnded         | offerEnded         | offerEnded      | offerEnded        | offerEnded
    fail               | unknownOffer | unknownOffer    | ok              | offerEnded         | offerEnded         | offerEnded         | offerEnded      | offerEnded        | offerEnded
    transfer           | unknownCase  | caseNotAssigned | caseNotAssigned | ok                 | ok                 | ok                 | ok              | ok                | caseClosed
    hand back          | unknownCase  | caseNotAssigned | caseNotAssigned | ok                 | ok                 | ok                 | ok              | ok                | caseClosed
    wrap up            | unknownCase  | caseNotAssigned | caseNotAssigned | ok                 | ok                 | ok                 | caseWrappingUp  | caseParked        | caseClosed
    close              | unknownCase  | caseNotAssigned | caseNotAssigned | ok                 | ok                 | ok                 | ok              | ok                | caseClosed
    close another's    | unknownCase  | caseNotAssigned | caseNotAssigned | caseNotYours       | caseNotYours       | caseNotYours       | caseNotYours    | caseNotYours      | caseClosed
    park               | unknownCase  | caseNotAssigned | caseNotAssigned | ok                 | ok                 | ok                 | caseWrappingUp  | caseParked        | caseClosed
    park in the past   | unknownCase  | caseNotAssigned | caseNotAssigned | timeIsPast         | timeIsPast         | timeIsPast         | caseWrappingUp  | caseParked        | caseClosed
    resume             | unknownCase  | caseNotAssigned | caseNotAssigned | caseNotParked      | caseNotParked      | caseNotParked      | caseNotParked   | ok                | caseClosed
    hold               | unknownCase  | caseNotAssigned | caseNotAssigned | ok                 | ok                 | ok                 | caseWrappingUp  | caseParked        | caseClosed
    hold another's     | unknownCase  | caseNotAssigned | caseNotAssigned | caseNotYours       | caseNotYours       | caseNotYours       | caseNotYours    | caseNotYours      | caseClosed
    hold in the past   | unknownCase  | caseNotAssigned | caseNotAssigned | timeIsPast         | timeIsPast         | timeIsPast         | caseWrappingUp  | caseParked        | caseClosed
    hold too long      | unknownCase  | caseNotAssigned | caseNotAssigned | notAllowed         | notAllowed         | notAllowed         | caseWrappingUp  | caseParked        | caseClosed
    end the hold       | unknownCase  | caseNotAssigned | caseNotAssigned | caseNotOnHold      | caseNotOnHold      | ok                 | caseNotOnHold   | caseNotOnHold     | caseClosed
    assign to bob      | unknownCase  | ok              | ok              | ok                 | ok                 | ok                 | caseWrappingUp  | ok                | caseClosed
    assign to ann      | unknownCase  | ok              | ok              | caseAlreadyTheirs  | caseAlreadyTheirs  | caseAlreadyTheirs  | caseWrappingUp  | ok                | caseClosed
    assign to barred   | unknownCase  | agentExcluded   | agentExcluded   | agentExcluded      | agentExcluded      | agentExcluded      | caseWrappingUp  | agentExcluded     | caseClosed
    requeue            | unknownCase  | caseWaits       | caseWaits       | ok                 | ok                 | ok                 | caseWrappingUp  | ok                | caseClosed
    extend             | unknownCase  | caseNotAssigned | caseNotAssigned | caseNotWrappingUp  | caseNotWrappingUp  | caseNotWrappingUp  | ok              | caseNotWrappingUp | caseClosed
    extend too far     | unknownCase  | caseNotAssigned | caseNotAssigned | caseNotWrappingUp  | caseNotWrappingUp  | caseNotWrappingUp  | notAllowed      | caseNotWrappingUp | caseClosed
    extend to less     | unknownCase  | caseNotAssigned | caseNotAssigned | caseNotWrappingUp  | caseNotWrappingUp  | caseNotWrappingUp  | notLonger       | caseNotWrappingUp | caseClosed
    consult            | unknownCase  | caseNotAssigned | caseNotAssigned | ok                 | alreadyConsulting  | ok                 | caseWrappingUp  | caseParked        | caseClosed
    consult oneself    | unknownCase  | caseNotAssigned | caseNotAssigned | consultsThemselves | consultsThemselves | consultsThemselves | caseWrappingUp  | caseParked        | caseClosed
    consult the absent | unknownCase  | caseNotAssigned | caseNotAssigned | agentNotAvailable  | alreadyConsulting  | agentNotAvailable  | caseWrappingUp  | caseParked        | caseClosed
    consult the barred | unknownCase  | caseNotAssigned | caseNotAssigned | agentExcluded      | alreadyConsulting  | agentExcluded      | caseWrappingUp  | caseParked        | caseClosed
    consult too long   | unknownCase  | caseNotAssigned | caseNotAssigned | notAllowed         | alreadyConsulting  | notAllowed         | caseWrappingUp  | caseParked        | caseClosed
    end consult        | unknownCase  | caseNotAssigned | caseNotAssigned | nobodyConsulted    | ok                 | nobodyConsulted    | nobodyConsulted | nobodyConsulted   | caseClosed
    take over          | unknownCase  | caseNotAssigned | caseNotAssigned | caseNotYours       | ok                 | caseNotYours       | caseNotYours    | caseNotYours      | caseClosed
    transfer nowhere   | unknownCase  | caseNotAssigned | caseNotAssigned | unknownQueue       | unknownQueue       | unknownQueue       | unknownQueue    | unknownQueue      | caseClosed
    move               | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    join               | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    ann finishes       | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    ann is away        | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    ann asks           | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    start              | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    configure          | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    route              | ok           | caseAlreadyOpen | caseAlreadyOpen | caseAlreadyOpen    | caseAlreadyOpen    | caseAlreadyOpen    | caseAlreadyOpen | caseAlreadyOpen   | conversationClosed
    customer says      | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | conversationClosed
    bot says           | ok           | notOwner        | notOwner        | notOwner           | notOwner           | notOwner           | notOwner        | notOwner          | conversationClosed
    ann says           | notOwner     | notOwner        | notOwner        | ok                 | ok                 | ok                 | ok              | ok                | conversationClosed
    session ends       | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    tick               | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    open another       | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    open it again      | idInUse      | idInUse         | idInUse         | idInUse            | idInUse            | idInUse            | idInUse         | idInUse           | idInUse
    reopen             | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    ann asks no more   | ok           | ok              | ok              | ok                 | ok                 | ok                 | ok              | ok                | ok
    """

  @Test func `the tables have a row of every command, and hold`() {
    let kinds = hold().union(`Every word of an agent in every state`().hold())
    #expect(kinds == Set(CommandKind.allCases))
  }

  /// Plays the table, and tells what it asked.
  func hold() -> Set<CommandKind> {
    var kinds: Set<CommandKind> = []
    let rows = Self.table.split(separator: "\n").map { line in
      line.split(separator: "|").map { String($0).trimmed }
    }
    #expect(rows[0].dropFirst() == State.allCases.map(\.rawValue)[...])
    for row in rows.dropFirst() {
      for (state, expected) in zip(State.allCases, row.dropFirst()) {
        var world = world(state)
        guard let asked = command(row[0], world) else {
          Issue.record("no command is called \(row[0])")
          continue
        }
        kinds.insert(CommandKind(asked))
        let rejection = world.play(asked)
        let outcome = rejection.map { "\($0)" } ?? "ok"
        #expect(outcome == expected, "\(row[0]) when \(state.rawValue)")
      }
    }
    return kinds
  }
}

/// The same for what agents say of themselves: one row per command and what they are.
struct `Every word of an agent in every state` {
  enum State: String, CaseIterable {
    case offline, available, waiting, offered, assigned, finishing, missed, away, retired
  }

  func world(_ state: State) -> World {
    var world = World(World.withStatuses)
    let ann = World.ann
    if state != .offline { world.available(ann) }
    switch state {
    case .offline, .available: break
    case .waiting: world.asks(ann)
    case .offered, .missed:
      world.open(1)
      world.route(1, Need(queue: World.support))
      world.asks(ann)
      if state == .missed {
        world.pass(seconds: 60)
        world.given(.tick)
      }
    case .assigned: world.assigned(1, to: ann)
    case .finishing:
      world.assigned(1, to: ann)
      world.given(.finish(ann, then: World.lunch))
    case .away: world.given(.setStatus(ann, World.lunch, lease: nil))
    case .retired:
      var left = World.configuration
      left.agents.removeFirst()
      world.given(.configure(left))
    }
    return world
  }

  /// What ann is: a status that has no column does not build.
  func state(_ world: World) -> State? {
    guard let ann = world.router.agent(World.ann) else { return nil }
    if ann.isRetired { return .retired }
    if ann.statusAfter != nil { return .finishing }
    if ann.isNotResponding { return .missed }
    switch ann.counts {
    case .offline: return .offline
    case .busy, .onBreak, .meeting, .training, .custom: return .away
    case .available: break
    }
    if ann.offer != nil { return .offered }
    if !ann.cases.isEmpty { return .assigned }
    return ann.waitsAt == nil ? .available : .waiting
  }

  @Test(arguments: State.allCases) func `each column is of the state that it says`(state: State) {
    #expect(self.state(world(state)) == state)
  }

  func command(_ name: String, _ now: Instant) -> Command? {
    let ann = World.ann
    switch name {
    case "available": return .setStatus(ann, .available, lease: nil)
    case "lunch": return .setStatus(ann, World.lunch, lease: nil)
    case "a status that is not": return .setStatus(ann, .custom(StatusID(9)), lease: nil)
    case "lease too long": return .setStatus(ann, .available, lease: .seconds(90_000))
    case "phone on break": return .setChannelStatus(ann, [.phone], .onBreak)
    case "phone mail only": return .setChannelStatus(ann, [.phone], World.mailOnly)
    case "phone what is not": return .setChannelStatus(ann, [.phone], .custom(StatusID(9)))
    case "only mail": return .chooseChannels(ann, [.email])
    case "finish": return .finish(ann, then: .offline)
    case "finish, for lunch": return .finish(ann, then: World.lunch)
    case "finish, available": return .finish(ann, then: World.mailOnly)
    case "finish, what is not": return .finish(ann, then: .custom(StatusID(9)))
    case "next": return .next(ann, waiter: WaiterID(99), until: now + .seconds(9))
    case "next in the past": return .next(ann, waiter: WaiterID(99), until: now)
    case "open a stream": return .openStream(ann, waiter: WaiterID(98))
    case "close a stream": return .closeStream(ann, waiter: WaiterID(98))
    case "end a next": return .endNext(ann, waiter: WaiterID(99))
    case "renew": return .renewPresence(ann)
    default: return nil
    }
  }

  static let table = """
    command              | offline           | available     | waiting             | offered       | assigned      | finishing         | missed             | away              | retired
    available            | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | unknownAgent
    lunch                | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | unknownAgent
    a status that is not | unknownStatus     | unknownStatus | unknownStatus       | unknownStatus | unknownStatus | unknownStatus     | unknownStatus      | unknownStatus     | unknownAgent
    lease too long       | notAllowed        | notAllowed    | notAllowed          | notAllowed    | notAllowed    | notAllowed        | notAllowed         | notAllowed        | unknownAgent
    phone on break       | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | unknownAgent
    phone mail only      | notAllowed        | notAllowed    | notAllowed          | notAllowed    | notAllowed    | notAllowed        | notAllowed         | notAllowed        | unknownAgent
    phone what is not    | unknownStatus     | unknownStatus | unknownStatus       | unknownStatus | unknownStatus | unknownStatus     | unknownStatus      | unknownStatus     | unknownAgent
    only mail            | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | unknownAgent
    finish               | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | unknownAgent
    finish, for lunch    | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | unknownAgent
    finish, available    | notAllowed        | notAllowed    | notAllowed          | notAllowed    | notAllowed    | notAllowed        | notAllowed         | notAllowed        | unknownAgent
    finish, what is not  | unknownStatus     | unknownStatus | unknownStatus       | unknownStatus | unknownStatus | unknownStatus     | unknownStatus      | unknownStatus     | unknownAgent
    next                 | agentNotAvailable | ok            | agentAlreadyWaiting | ok            | ok            | ok                | agentNotResponding | agentNotAvailable | unknownAgent
    next in the past     | agentNotAvailable | timeIsPast    | agentAlreadyWaiting | timeIsPast    | timeIsPast    | timeIsPast        | agentNotResponding | agentNotAvailable | unknownAgent
    open a stream        | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | unknownAgent
    close a stream       | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | ok
    end a next           | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | ok
    renew                | ok                | ok            | ok                  | ok            | ok            | ok                | ok                 | ok                | unknownAgent
    """

  func hold() -> Set<CommandKind> {
    var kinds: Set<CommandKind> = []
    let rows = Self.table.split(separator: "\n").map { line in
      line.split(separator: "|").map { String($0).trimmed }
    }
    #expect(rows[0].dropFirst() == State.allCases.map(\.rawValue)[...])
    for row in rows.dropFirst() {
      for (state, expected) in zip(State.allCases, row.dropFirst()) {
        var world = world(state)
        guard let asked = command(row[0], world.now) else {
          Issue.record("no command is called \(row[0])")
          continue
        }
        kinds.insert(CommandKind(asked))
        let rejection = world.play(asked)
        let outcome = rejection.map { "\($0)" } ?? "ok"
        #expect(outcome == expected, "\(row[0]) when \(state.rawValue)")
      }
    }
    return kinds
  }
}

extension String {
  fileprivate var trimmed: String {
    var text = Substring(self)
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
