import Model
import Testing

@testable import Routing

/// One row per command and state of the case it speaks of, so that gaps show: `ok`, or why not.
struct `Every command in every state` {
  enum State: String, CaseIterable { case none, waiting, offered, assigned, wrappingUp, parked, closed }

  func world(_ state: State) -> World {
    var world = World()
    world.available(World.ann, World.bob)
    switch state {
    case .none: world.open(1)
    case .waiting:
      world.open(1)
      world.route(1, Need(queue: World.support))
    case .offered:
      world.open(1)
      world.route(1, Need(queue: World.support))
      world.asks(World.ann, 7)
    case .assigned: world.assigned(1, to: World.ann)
    case .wrappingUp:
      world.assigned(1, to: World.ann)
      world.given(.wrapUp(World.case(1), by: World.ann))
    case .parked:
      world.assigned(1, to: World.ann)
      world.given(.park(World.case(1), by: World.ann, until: world.now + .seconds(60)))
    case .closed:
      world.assigned(1, to: World.ann)
      world.given(.close(World.case(1), by: World.ann))
    }
    return world
  }

  func command(_ name: String, _ world: World) -> Command {
    let (id, ann) = (World.case(1), World.ann)
    let offer = Router.offerID(id, 0)
    func said(_ author: Author) -> Command {
      .record(
        conversation: World.conversation(1), session: nil, entry: World.entry(1), author: author, visibility: .customer,
        epoch: nil)
    }
    switch name {
    case "accept": return .accept(offer, ann)
    case "accept another's": return .accept(offer, World.bob)
    case "decline": return .decline(offer, ann)
    case "fail": return .failOffer(offer, .connectionClosed)
    case "transfer": return .transfer(id, by: ann, need: Need(queue: World.support), case: World.case(2))
    case "hand back": return .handBack(id, by: ann)
    case "wrap up": return .wrapUp(id, by: ann)
    case "close": return .close(id, by: ann)
    case "close another's": return .close(id, by: World.bob)
    case "park": return .park(id, by: ann, until: world.now + .seconds(9))
    case "park in the past": return .park(id, by: ann, until: world.now)
    case "resume": return .resume(id, by: ann)
    case "route": return world.routing(1, Need(queue: World.support))
    case "customer says": return said(.customer)
    case "bot says": return said(.bot(World.bot))
    case "ann says": return said(.agent(ann))
    case "session ends": return .endSession(World.session(1), .customerLeft)
    default: return .tick
    }
  }

  static let table = """
    command          | none                | waiting             | offered             | assigned            | wrappingUp          | parked              | closed
    accept           | unknownOffer        | unknownOffer        | ok                  | offerEnded          | offerEnded          | offerEnded          | offerEnded
    accept another's | unknownOffer        | unknownOffer        | offerNotYours       | offerEnded          | offerEnded          | offerEnded          | offerEnded
    decline          | unknownOffer        | unknownOffer        | ok                  | offerEnded          | offerEnded          | offerEnded          | offerEnded
    fail             | unknownOffer        | unknownOffer        | ok                  | offerEnded          | offerEnded          | offerEnded          | offerEnded
    transfer         | unknownCase         | caseNotAssigned     | caseNotAssigned     | ok                  | ok                  | ok                  | caseClosed
    hand back        | unknownCase         | caseNotAssigned     | caseNotAssigned     | ok                  | ok                  | ok                  | caseClosed
    wrap up          | unknownCase         | caseNotAssigned     | caseNotAssigned     | ok                  | caseNotAssigned     | caseNotAssigned     | caseClosed
    close            | unknownCase         | caseNotAssigned     | caseNotAssigned     | ok                  | ok                  | ok                  | caseClosed
    close another's  | unknownCase         | caseNotAssigned     | caseNotAssigned     | caseNotYours        | caseNotYours        | caseNotYours        | caseClosed
    park             | unknownCase         | caseNotAssigned     | caseNotAssigned     | ok                  | caseNotAssigned     | caseNotAssigned     | caseClosed
    park in the past | unknownCase         | caseNotAssigned     | caseNotAssigned     | timeIsPast          | caseNotAssigned     | caseNotAssigned     | caseClosed
    resume           | unknownCase         | caseNotAssigned     | caseNotAssigned     | caseNotAssigned     | caseNotAssigned     | ok                  | caseClosed
    route            | ok                  | caseAlreadyOpen     | caseAlreadyOpen     | caseAlreadyOpen     | caseAlreadyOpen     | caseAlreadyOpen     | conversationClosed
    customer says    | ok                  | ok                  | ok                  | ok                  | ok                  | ok                  | conversationClosed
    bot says         | ok                  | notOwner            | notOwner            | notOwner            | notOwner            | notOwner            | conversationClosed
    ann says         | notOwner            | notOwner            | notOwner            | ok                  | ok                  | ok                  | conversationClosed
    session ends     | ok                  | ok                  | ok                  | ok                  | ok                  | ok                  | ok
    tick             | ok                  | ok                  | ok                  | ok                  | ok                  | ok                  | ok
    """

  @Test func `the table holds`() {
    let rows = Self.table.split(separator: "\n").map { line in
      line.split(separator: "|").map { String($0).trimmed }
    }
    #expect(rows[0].dropFirst() == State.allCases.map(\.rawValue)[...])
    for row in rows.dropFirst() {
      for (state, expected) in zip(State.allCases, row.dropFirst()) {
        var world = world(state)
        let rejection = world.play(command(row[0], world))
        let outcome = rejection.map { "\($0)" } ?? "ok"
        #expect(outcome == expected, "\(row[0]) when \(state.rawValue)")
      }
    }
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
