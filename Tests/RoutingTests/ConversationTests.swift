import Model
import Testing

@testable import Routing

struct `Conversations and their owners` {
  func said(
    _ n: UInt64, _ author: Author, _ visibility: Visibility = .customer, session: UInt64? = nil,
    epoch: UInt32? = nil
  ) -> Command {
    .record(
      conversation: World.conversation(n), session: session.map { World.session($0) },
      entry: World.entry(n),
      author: author, visibility: visibility, epoch: epoch)
  }

  @Test func `a bot opens, and owns what it opened`() {
    var world = World()
    world.when(
      .openConversation(
        conversation: World.conversation(1), customer: World.customer(1),
        session: NewSession(id: World.session(1), channel: .chat, bot: World.bot)))
    world.then(
      [
        .conversationOpened(
          World.conversation(1), customer: World.customer(1), owner: .bot(World.bot)),
        .sessionOpened(World.session(1), World.conversation(1), .chat, bot: World.bot),
      ], [])
    #expect(world.router.conversation(World.conversation(1))?.epoch == 1)
    world.refused(
      .openConversation(
        conversation: World.conversation(1), customer: World.customer(1),
        session: NewSession(id: World.session(2), channel: .chat, bot: World.bot)), .idInUse)
  }

  @Test func `the customer is always heard, a bot only while it owns`() {
    var world = World()
    world.open(1)
    world.given(said(1, .customer, session: 1), said(1, .bot(World.bot), session: 1, epoch: 1))
    world.refused(said(1, .bot(World.bot), epoch: 2), .notOwner)
    world.refused(said(1, .bot(World.bot), .internal), .notAllowed)
    world.route(1, Need(queue: World.support))
    world.given(said(1, .customer, session: 1))
    world.refused(said(1, .bot(World.bot), epoch: 1), .notOwner)
    world.refused(said(1, .bot(World.bot), epoch: 2), .notOwner)
  }

  @Test func `an agent speaks to the customer as the owner, and notes where the case is shown`() {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.available(World.ann, World.bob)
    world.refused(said(1, .agent(World.ann), .internal), .notOwner)
    world.asks(World.ann)
    world.given(said(1, .agent(World.ann), .internal))
    world.refused(said(1, .agent(World.ann), .customer), .notOwner)
    world.given(.accept(world.offer(World.ann), World.ann))
    world.when(said(1, .agent(World.ann), .customer, epoch: 3))
    world.then(
      [
        .entryRecorded(
          World.entry(1), World.conversation(1), session: nil, author: .agent(World.ann),
          visibility: .customer)
      ], [.tellSessions(World.conversation(1), World.entry(1), except: nil)])
    world.refused(said(1, .agent(World.bob), .internal), .notOwner)
    world.refused(said(1, .agent(World.ann), .customer, epoch: 2), .notOwner)
    world.when(said(1, .customer, session: 1))
    #expect(world.last.effects == [.tellAgent(World.ann, World.conversation(1), World.entry(1))])
  }

  @Test func `closing ends the case and the conversation, and a chat that stays can come back`() {
    var world = World()
    world.assigned(1, to: World.ann)
    world.when(.close(World.case(1), by: World.ann))
    world.then(
      [
        .caseClosed(World.case(1), .resolved),
        .conversationClosed(World.conversation(1), lastAgent: World.ann),
      ],
      [
        .tellCaseEnded(World.case(1), World.conversation(1), World.session(1), .resolved)
      ])
    world.refused(said(1, .customer, session: 1), .conversationClosed)
    world.when(
      .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(1), channel: .chat, bot: World.bot)))
    world.then(
      [
        .conversationReopened(
          World.conversation(1), customer: World.customer(1), owner: .bot(World.bot), epoch: 4,
          lastAgent: World.ann)
      ], [])
    world.given(said(1, .customer, session: 1))
  }

  @Test
  func `a closed conversation is forgotten with its last session, and reopened from what is known`()
  {
    var world = World()
    world.assigned(1, to: World.ann)
    world.given(.close(World.case(1), by: World.ann), .endSession(World.session(1), .customerLeft))
    #expect(world.router.conversation(World.conversation(1)) == nil)
    world.refused(said(1, .customer), .conversationClosed)
    world.when(
      .reopenConversation(
        ClosedConversation(
          id: World.conversation(1), customer: World.customer(1), epoch: 3, lastAgent: World.ann),
        session: NewSession(id: World.session(2), channel: .email, bot: nil)))
    #expect(world.router.conversation(World.conversation(1))?.epoch == 4)
    #expect(world.router.conversation(World.conversation(1))?.owner == .unrouted)
  }

  @Test func `a chat that ends while it waits is abandoned; while an agent has it, the case stays`()
  {
    var world = World()
    world.open(1)
    world.route(1, Need(queue: World.support))
    world.given(.endSession(World.session(1), .customerLeft))
    #expect(world.router.conversation(World.conversation(1)) == nil)
    #expect(world.router.statistics(World.support)?.abandoned == 1)

    world.assigned(2, to: World.ann)
    world.when(.endSession(World.session(2), .customerLeft))
    world.then([.sessionEnded(World.session(2), .customerLeft)], [])
    world.given(said(2, .agent(World.ann)), .close(World.case(2), by: World.ann))
    #expect(world.router.conversation(World.conversation(2)) == nil)
  }

  @Test func `a transfer keeps age, session and channel; a hand-back gives it to the bot`() {
    var world = World()
    world.assigned(1, to: World.bob)
    let age = world.router.case(World.case(1))?.age
    world.pass(seconds: 500)
    world.when(
      .transfer(World.case(1), by: World.bob, need: Need(queue: World.sales), case: World.case(9)))
    let moved = world.router.case(World.case(9))
    #expect(moved?.age == age && moved?.session == World.session(1) && moved?.channel == .chat)
    #expect(world.last.events.contains(.caseClosed(World.case(1), .transferred)))
    world.refused(.close(World.case(1), by: World.bob), .caseClosed)

    world.assigned(2, to: World.ann)
    world.when(.handBack(World.case(2), by: World.ann))
    world.then(
      [
        .caseClosed(World.case(2), .handedBack),
        .ownerChanged(World.conversation(2), to: .bot(World.bot), epoch: 4),
      ],
      [
        .tellCaseEnded(World.case(2), World.conversation(2), World.session(2), .handedBack)
      ])
    world.assigned(3, to: World.ann, .email)
    world.refused(.handBack(World.case(3), by: World.ann), .notForBots)
  }

  @Test func `an agent hands a case back to whichever bot sits in the conversation`() {
    var world = World()
    var made = World.configuration
    made.bots.append("second")
    world.given(.configure(made))
    let (other, absent) = (BotID(UInt32(made.bots.count - 1)), BotID(99))
    world.assigned(1, to: World.bob)
    world.refused(.handBack(World.case(1), by: World.bob, to: other), .notAllowed)
    world.refused(.handBack(World.case(1), by: World.bob, to: absent), .notAllowed)
    world.given(
      .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(2), channel: .chat, bot: other)))
    world.when(.handBack(World.case(1), by: World.bob, to: other))
    #expect(world.router.conversation(World.conversation(1))?.owner == .bot(other))
    #expect(world.router.case(World.case(1)) == nil)
  }

  @Test func `a waiting mail follows the customer who calls, with its age`() {
    var world = World()
    world.open(1, .email)
    world.route(1, Need(queue: World.support))
    let age = world.router.case(World.case(1))?.age
    world.pass(seconds: 60)
    world.given(
      .joinSession(
        conversation: World.conversation(1),
        session: NewSession(id: World.session(2), channel: .phone, bot: nil)))
    world.given(
      .route(
        conversation: World.conversation(1), session: World.session(2), case: World.case(2),
        need: Need(queue: World.support), by: World.by, epoch: nil))
    #expect(world.router.case(World.case(2))?.age == age)
    #expect(world.router.case(World.case(2))?.channel == .phone)
    world.refused(
      .route(
        conversation: World.conversation(1), session: World.session(2), case: World.case(3),
        need: Need(queue: World.support), by: World.by, epoch: nil), .caseAlreadyOpen)
  }
}
