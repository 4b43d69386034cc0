import Model
import Testing

@testable import Routing

/// Statuses of a workspace's own, why an agent chose them, and on which channels.
struct `What agents choose to be` {
  private let dentist = StatusReasonID(high: 7, low: 1)

  private func takes(_ world: World, _ channel: Channel) -> Bool {
    world.router.readiness(of: World.ann).ready.contains(channel)
  }

  @Test func `a status of the workspace's own counts as what it says`() {
    var world = World(World.withStatuses)
    world.given(.openStream(World.ann, waiter: WaiterID(1)))
    world.when(.setStatus(World.ann, World.lunch, reason: dentist, lease: nil))
    world.then(
      [
        .statusSet(World.ann, World.lunch, reason: dentist)
      ], [.tellAgentStatus(World.ann, World.lunch, responding: true)])
    #expect(world.router.agent(World.ann)?.counts == .onBreak)
    #expect(world.router.agent(World.ann)?.reason == dentist)
    #expect(world.router.readiness(of: World.ann).hindrance == .notAvailable)
    world.when(.setStatus(World.ann, World.mailOnly, lease: nil))
    #expect(world.router.readiness(of: World.ann).ready == [.email])
    #expect(world.router.agent(World.ann)?.channels == [.email])
    #expect(world.router.agent(World.ann)?.reason == nil, "it was the lunch's")
    world.open(1, .email)
    world.route(1, Need(queue: World.support))
    world.open(2)
    world.route(2, Need(queue: World.support))
    #expect(world.router.case(World.case(1))?.state == .offered)
    #expect(world.router.case(World.case(2))?.state == .waiting)
    #expect(
      world.router.why(World.case(2))?.passedOver
        .counts[Int(PassedOverReason.notAvailable.rawValue)] == 2, "bob, who serves it, is offline")
    world.when(.setStatus(World.ann, World.gone, lease: nil))
    #expect(
      world.last.events.contains(
        .offerEnded(Router.offerID(World.case(1), 0), .revoked(.agentLeft))),
      "as whoever goes offline")
  }

  @Test func `who counts as available is back when they missed an offer`() {
    var world = World(World.withStatuses)
    world.open(1, .email)
    world.route(1, Need(queue: World.support))
    world.given(.setStatus(World.ann, .available, lease: .seconds(600)))
    world.asks(World.ann)
    world.pass(seconds: 60)
    world.when(.tick)
    #expect(world.router.agent(World.ann)?.isNotResponding == true)
    #expect(
      world.last.effects.contains(.tellAgentStatus(World.ann, .available, responding: false)))
    world.given(.setStatus(World.ann, World.lunch, lease: nil))
    #expect(world.router.agent(World.ann)?.isNotResponding == true, "a break is not back")
    world.given(.setStatus(World.ann, World.mailOnly, lease: nil))
    #expect(world.router.agent(World.ann)?.isNotResponding == false)
    world.asks(World.ann, 9)
    #expect(world.router.case(World.case(1))?.state == .offered)
  }

  @Test func `a status on a channel alone holds whatever the agent is, until that is available`() {
    var world = World(World.withStatuses)
    world.available(World.ann)
    world.given(.openStream(World.ann, waiter: WaiterID(1)))
    world.when(.setChannelStatus(World.ann, [.phone, .chat], .meeting, reason: dentist))
    world.then(
      [.channelStatusSet(World.ann, 0b101, .meeting, reason: dentist)],
      [.tellAgentStatus(World.ann, .available, responding: true)])
    #expect(world.router.readiness(of: World.ann).ready == [.email])
    world.given(
      .setStatus(World.ann, .busy, lease: nil), .setStatus(World.ann, .available, lease: nil))
    #expect(!takes(world, .phone) && !takes(world, .chat) && takes(world, .email))
    #expect(
      world.router.agent(World.ann)?.channelStatuses == [
        .init(channel: .chat, status: .meeting, reason: dentist),
        .init(channel: .phone, status: .meeting, reason: dentist),
      ])
    world.when(.setChannelStatus(World.ann, [.chat], .meeting, reason: dentist))
    #expect(world.last.events.isEmpty, "it is that already")
    world.given(.setChannelStatus(World.ann, [.chat], .available))
    #expect(takes(world, .chat) && !takes(world, .phone))
    world.given(.chooseChannels(World.ann, [.phone, .chat]))
    #expect(takes(world, .phone) && !takes(world, .email))
    #expect(world.router.agent(World.ann)?.channelStatuses == [])
    world.given(.setChannelStatus(World.ann, Channel.allCases, .onBreak))
    #expect(
      world.router.readiness(of: World.ann).hindrance == .notAvailable, "they are not full")
  }

  @Test func `a preferred agent is not waited for on a channel that they left`() {
    for (status, waits) in [(AgentStatus.busy, true), (.onBreak, false)] {
      var world = World()
      world.available(World.ann, World.bob)
      world.given(.openStream(World.bob, waiter: WaiterID(1)))
      var need = Need(queue: World.support)
      need.preferred = .init(agent: World.ann, for: .seconds(30))
      world.open(1)
      world.route(1, need)
      #expect(world.router.case(World.case(1))?.state == .waiting)
      world.given(.setChannelStatus(World.ann, [.chat], status))
      #expect(world.router.case(World.case(1))?.state == (waits ? .waiting : .offered))
    }
  }

  @Test func `nor is one who is busy, and has left the channel besides`() {
    for channels in [[Channel.email], [.chat]] {
      var world = World()
      world.available(World.ann, World.bob)
      world.given(
        .openStream(World.bob, waiter: WaiterID(1)), .setStatus(World.ann, .busy, lease: nil))
      var need = Need(queue: World.support)
      need.preferred = .init(agent: World.ann, for: .seconds(30))
      world.open(1)
      world.route(1, need)
      #expect(world.router.case(World.case(1))?.state == .waiting, "busy alone is waited for")
      world.given(.chooseChannels(World.ann, channels))
      #expect(
        world.router.case(World.case(1))?.state == (channels == [.chat] ? .waiting : .offered))
    }
  }

  @Test func `who finishes says why already, and it holds when they have`() {
    var world = World(World.withStatuses)
    world.assigned(1, to: World.ann)
    world.when(.finish(World.ann, then: World.lunch, reason: dentist))
    #expect(world.router.agent(World.ann)?.reason == nil)
    #expect(world.router.agent(World.ann)?.reasonAfter == dentist)
    world.when(.close(World.case(1), by: World.ann))
    #expect(world.last.events.contains(.statusSet(World.ann, World.lunch, reason: dentist)))
    #expect(world.router.agent(World.ann)?.reason == dentist)
    #expect(world.router.agent(World.ann)?.reasonAfter == nil)
  }

  @Test func `who is in a status that a new version leaves out stays, and nobody chooses it`() {
    var world = World(World.withStatuses)
    world.given(.setStatus(World.ann, World.mailOnly, lease: nil))
    world.given(.configure(World.configuration), .openStream(World.ann, waiter: WaiterID(1)))
    #expect(world.router.agent(World.ann)?.status == World.mailOnly)
    #expect(world.router.readiness(of: World.ann).ready == [.email])
    world.refused(.setStatus(World.ann, World.mailOnly, lease: nil), .unknownStatus)
    // A name keeps its number, and may count as something else from then on.
    var again = World.configuration
    again.statuses = [.init(name: "mail_only", as: .busy)]
    world.given(.configure(again))
    #expect(world.router.statusID(named: "mail_only") == StatusID(2))
    #expect(world.router.readiness(of: World.ann).hindrance == .notAvailable)
    #expect(world.router.agent(World.ann)?.counts == .busy)
  }

  @Test func `a call takes the whole of some agents, and not of those who may do something beside`()
  {
    for exclusive in [true, false] {
      var made = World.configuration
      made.agents[0].voiceExclusive = exclusive
      made.agents[0].capacity = 4
      var world = World(made)
      world.assigned(1, to: World.ann, .phone)
      world.asks(World.ann)
      #expect(world.router.readiness(of: World.ann).hindrance == (exclusive ? .onCall : nil))
      world.open(2)
      world.route(2, Need(queue: World.support))
      #expect(world.router.case(World.case(2))?.state == (exclusive ? .waiting : .offered))
    }
  }

  @Test func `statuses that cannot be are refused`() {
    var made = World.configuration
    made.statuses = [.init(name: "a", as: .custom(StatusID(0)))]
    #expect(made.fault == .notAllowed)
    made.statuses = [.init(name: "a", as: .busy), .init(name: "a", as: .onBreak)]
    #expect(made.fault == .notAllowed)
    made.statuses = (0...RoutingLimits.statusesMax).map { .init(name: "\($0)", as: .busy) }
    #expect(made.fault == .needTooLarge)
  }

  @Test(arguments: [
    Command.setStatus(World.ann, .onBreak, lease: nil),
    .setStatus(World.ann, .busy, lease: nil),
    .setStatus(World.ann, World.mailOnly, lease: nil),
    .setChannelStatus(World.ann, [.chat], .busy),
    .chooseChannels(World.ann, [.email, .phone]),
  ]) func `who wants nothing more loses the offer that is open, and is not punished for it`(
    _ command: Command
  ) {
    var world = World(World.withStatuses)
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann)
    world.asks(World.ann)
    let offer = world.offer(World.ann)
    world.when(command)
    #expect(world.last.events.contains(.offerEnded(offer, .revoked(.agentLeft))))
    #expect(world.router.case(World.case(1))?.state == .waiting)
    world.pass(seconds: 20)
    world.given(.tick)
    #expect(world.router.agent(World.ann)?.isNotResponding == false)
  }

  @Test func `an offer on a channel that stays open stays`() {
    var world = World(World.withStatuses)
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann)
    world.asks(World.ann)
    world.given(.chooseChannels(World.ann, [.chat]))
    #expect(world.router.case(World.case(1))?.state == .offered)
  }
}
