import Continuity
import Model
import Records
import Routing
import Testing

@testable import Pipeline

/// Whatever comes last of a matter, somebody hears it.
struct UnheardTests {
  enum News: CaseIterable { case mail, bounce, chat, recording }
  enum Then: CaseIterable { case nothing, aNote, aClose }

  private func tell(_ news: News, _ n: UInt64) -> Intake {
    switch news {
    case .mail: .mail(Workshop.mail(n))
    case .bounce: .mail(Workshop.bounce(n))
    case .chat: Workshop.say(1, "one more thing")
    case .recording: .callNews(Workshop.key(1), Workshop.recording(n))
    }
  }

  /// A chat that waits for a person, in conversation 1.
  private func waitingChat(_ shop: inout Workshop) {
    for intake in [Workshop.open(1), Workshop.say(1), Workshop.handoff(1)] { shop.submit(intake) }
  }

  /// A mail, or a report of one, that belongs to conversation 1.
  private func besideTheChat(_ news: News) -> MailArrival {
    var mail = news == .bounce ? Workshop.bounce(2) : Workshop.mail(2)
    mail.replyAddress = Workshop.conversation(1)
    mail.report?.fates[0].replyAddress = Workshop.conversation(1)
    return mail
  }

  private func givesBack(after wait: Duration64, _ shop: inout Workshop) {
    shop.configure(2, queue: "support") {
      $0.waitMax = wait
      $0.whenWaitedOut = .handBack
    }
  }

  /// A case of Ann's in wrap-up.
  private func wrappingUp(_ news: News, _ shop: inout Workshop) throws -> CaseID {
    switch news {
    case .mail, .bounce: shop.submit(.mail(Workshop.mail(1)))
    case .chat:
      waitingChat(&shop)
    case .recording:
      let offer = try shop.ringing()
      shop.submit(.acceptByDevice(offer))
      shop.submit(.callEnded(key: Workshop.key(1)))
      shop.commit()
      return CaseID(high: 3, low: 1)
    }
    let taken = try #require(try shop.take(1))
    shop.submit(.wrapUp(taken.case, Workshop.ann))
    shop.commit()
    return taken.case
  }

  @Test(arguments: News.allCases, Then.allCases)
  func `news in a wrap-up is a case again when it ends, unless its agent took it up`(
    _ news: News, _ then: Then
  ) throws {
    var shop = Workshop()
    let first = try wrappingUp(news, &shop)
    guard case .wrappingUp? = shop.pipeline.router.case(first)?.state else {
      throw Workshop.Missing()
    }
    shop.submit(tell(news, 2))
    switch then {
    case .nothing: break
    case .aNote:
      shop.submit(Workshop.says(first, .note, .internal, on: nil))
    case .aClose: shop.submit(.close(first, Workshop.ann))
    }
    shop.commit()
    try shop.rebuild()
    shop.submit(.setStatus(Workshop.ann, .available, lease: .seconds(3_600)))
    shop.now = shop.now + .seconds(120)
    shop.submit(.tick)
    shop.commit()
    #expect(shop.pipeline.router.case(first) == nil, "it is over")
    let again = try shop.take(2)
    #expect((again != nil) == (then != .aClose), "a note may be about anything else")
    guard let again else { return }
    #expect(again.case != first)
    let about = try #require(
      Pipeline.decoded(try shop.store.aCase(WorkspaceID(1), again.case)?.about ?? []))
    let cause: RouteReason.Cause =
      switch news {
      case .mail, .chat: .reopened
      case .bounce: .undelivered
      case .recording: .message
      }
    #expect(about.cause == cause.rawValue)
    shop.submit(.close(again.case, Workshop.ann))
    shop.commit()
    #expect(try shop.take(3) == nil, "once")
  }

  @Test(
    arguments: [[News.recording], [.recording, .recording], [.mail], [.bounce]], [true, false])
  func `news of a call that nobody has taken outlives its caller's hanging up`(
    _ news: [News], _ isBefore: Bool
  ) throws {
    var shop = Workshop()
    shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
    // The recording's call stands alone; the mail belongs to its conversation.
    shop.submit(Workshop.call(1))
    let told = news.map { news in
      switch tell(news, 2) {
      case .mail(var mail):
        mail.replyAddress = Workshop.conversation(1)
        mail.report?.fates[0].replyAddress = Workshop.conversation(1)
        return Intake.mail(mail)
      case let other: return other
      }
    }
    if isBefore { for intake in told { shop.submit(intake) } }
    shop.submit(.callEnded(key: Workshop.key(1)))
    if !isBefore { for intake in told { shop.submit(intake) } }
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 1)
    shop.submit(.setStatus(Workshop.ann, .available, lease: nil))
    let taken = try #require(try shop.take(1))
    #expect(taken.conversation == Workshop.conversation(1))
    shop.submit(.close(taken.case, Workshop.ann))
    shop.commit()
    #expect(try shop.take(2) == nil)
  }

  @Test func `a word in a chat does not push out what needs somebody more`() throws {
    var shop = Workshop()
    _ = try wrappingUp(.chat, &shop)
    shop.submit(.mail(besideTheChat(.bounce)))
    shop.submit(Workshop.say(1, "thanks, bye"))
    shop.submit(.endSession(Workshop.session(1), .customerLeft, by: nil))
    shop.commit()
    shop.submit(.setStatus(Workshop.ann, .available, lease: .seconds(3_600)))
    shop.now = shop.now + .seconds(120)
    shop.submit(.tick)
    shop.commit()
    let again = try #require(try shop.take(2))
    let about = try #require(
      Pipeline.decoded(try shop.store.aCase(WorkspaceID(1), again.case)?.about ?? []))
    #expect(about.cause == RouteReason.Cause.undelivered.rawValue)
  }

  @Test func `a caller who hangs up without a word is no case`() throws {
    var shop = Workshop()
    _ = try shop.ringing()
    shop.submit(.callEnded(key: Workshop.key(1)))
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 0)
  }

  @Test func `where the rules' queue and the last one are gone, another one gets it`() throws {
    var shop = Workshop()
    shop.submit(.mail(Workshop.mail(1)))
    shop.submit(.close(try #require(try shop.take(1)).case, Workshop.ann))
    shop.configure(2, queue: "sales")
    shop.submit(.mail(Workshop.bounce(2)))
    shop.commit()
    let taken = try #require(try shop.take(2))
    #expect(shop.pipeline.router.case(taken.case)?.need.queue == QueueID(1))
  }

  @Test(arguments: [false, true])
  func `where nobody serves any queue, a mail and a bounce wait for whoever will`(
    _ isClosed: Bool
  ) throws {
    var shop = Workshop()
    if isClosed {
      shop.submit(.mail(Workshop.mail(1)))
      shop.submit(.close(try #require(try shop.take(1)).case, Workshop.ann))
    }
    shop.configure(2, queue: "support", isServed: false)
    shop.submit(.mail(isClosed ? Workshop.bounce(2) : Workshop.mail(1)))
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 1)
    shop.configure(3, queue: "support")
    #expect(try shop.take(2)?.conversation == Workshop.conversation(7))
  }

  @Test func `a full queue refuses no mail`() throws {
    var shop = Workshop()
    shop.configure(2, queue: "support") {
      $0.waitingMax = 1
      $0.whenFull = .refuse
    }
    for n in 1...2 {
      var mail = Workshop.mail(1)
      mail.conversation = Workshop.conversation(10 + UInt64(n))
      mail.session = Workshop.session(10 + UInt64(n))
      mail.case = CaseID(high: 3, low: 10 + UInt64(n))
      mail.seenKey = Workshop.key(50 + UInt64(n))
      shop.submit(.mail(mail))
    }
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 2)
  }

  @Test func `a chat whose customer has written a mail beside waits on for a person`() throws {
    var shop = Workshop()
    givesBack(after: .seconds(60), &shop)
    shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
    waitingChat(&shop)
    shop.submit(.mail(besideTheChat(.mail)))
    shop.commit()
    shop.now = shop.now + .seconds(300)
    shop.submit(.tick)
    shop.commit()
    #expect(shop.pipeline.router.case(CaseID(high: 3, low: 1))?.channel == .chat)
    #expect(shop.pipeline.router.caseCount == 1)
  }

  @Test func `a bounce beside a chat that its queue gives back to the bot is a case of its own`()
    throws
  {
    var shop = Workshop()
    givesBack(after: .seconds(60), &shop)
    shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
    waitingChat(&shop)
    let mail = besideTheChat(.bounce)
    shop.submit(.mail(mail))
    shop.commit()
    let first = CaseID(high: 3, low: 1)
    #expect(shop.pipeline.router.case(first) != nil)
    for _ in 1...3 {
      shop.now = shop.now + .seconds(61)
      shop.submit(.tick)
      shop.commit()
      try shop.rebuild()
    }
    #expect(shop.pipeline.router.case(first) == nil, "the bot has the chat again")
    #expect(shop.pipeline.router.caseCount == 1, "and it has no mail")
    shop.submit(.setStatus(Workshop.ann, .available, lease: .seconds(3_600)))
    let taken = try #require(try shop.take(1))
    #expect(taken.conversation == Workshop.conversation(1))
    shop.submit(.close(taken.case, Workshop.ann))
    shop.commit()
    #expect(try shop.take(2) == nil, "once")
  }

  @Test func `a chat alone that its queue gives back to the bot stays with the bot`() throws {
    var shop = Workshop()
    givesBack(after: .seconds(60), &shop)
    shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
    waitingChat(&shop)
    shop.submit(Workshop.say(1, "still there?"))
    shop.now = shop.now + .seconds(61)
    shop.submit(.tick)
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 0)
    #expect(
      shop.pipeline.router.conversation(Workshop.conversation(1))?.owner == .bot(Workshop.bot))
  }

  @Test(arguments: [false, true])
  func `one failure is told once, whether or not the report names the answer`(
    _ isNamedFirst: Bool
  ) throws {
    var shop = Workshop()
    shop.submit(.mail(Workshop.mail(1)))
    let taken = try #require(try shop.take(1))
    shop.submit(Workshop.says(taken.case, on: .email, mail: "here"))
    shop.commit()
    let answer = OutgoingMail.messageID(Workshop.reply, from: "help@shop.example")
    let recipient = "mia@home.example"
    for isNamed in [isNamedFirst, !isNamedFirst] {
      var bounce = Workshop.bounce(isNamed ? 2 : 3)
      bounce.report?.messageID = isNamed ? answer : nil
      bounce.report?.fates[0].address = recipient
      if isNamed { bounce.report?.fates[0].replyAddress = nil }
      shop.submit(.mail(bounce))
    }
    shop.commit()
    let told = shop.store.entries(WorkspaceID(1)).values.filter {
      EntryBody.kind(of: $0.body ?? []) == .undelivered
    }
    #expect(told.count == 1)
  }

  // MARK: - Whatever becomes of the case it came to

  enum When: CaseIterable {
    case waiting, offered, assigned, requeued, transferred, seenAndRequeued, seenAndTransferred
  }
  enum End: CaseIterable { case customerLeaves, givenBack, wrapUpOver }

  /// Every way that leads somewhere: who has a case does not lose it to a wait or a wrap-up that is
  /// not theirs. Beside a mail no chat is given back.
  static let ways: [(News, When, End)] = [News.mail, .bounce].flatMap { news in
    When.allCases.flatMap { when in
      End.allCases.compactMap { end in
        if news == .mail, end == .givenBack { return nil }
        return (when == .assigned) == (end == .wrapUpOver) ? (news, when, end) : nil
      }
    }
  }

  @Test(arguments: ways)
  func `news beside a chat is a case until somebody has answered it`(
    _ news: News, _ when: When, _ end: End
  ) throws {
    var shop = Workshop()
    givesBack(after: .seconds(600), &shop)
    waitingChat(&shop)
    var current = CaseID(high: 3, low: 1)
    let mail = besideTheChat(news)
    func arrives() { shop.submit(.mail(mail)) }
    switch when {
    case .waiting: arrives()
    case .offered:
      shop.submit(.next(Workshop.ann, WaiterID(1), until: shop.now + .seconds(1)), 901)
      guard case .offer? = shop.commit().answer(901) else { throw Workshop.Missing() }
      arrives()
    case .seenAndRequeued, .seenAndTransferred:
      arrives()
      _ = try #require(try shop.take(1))
    case .assigned, .requeued, .transferred:
      _ = try #require(try shop.take(1))
      arrives()
    }
    if when == .requeued || when == .seenAndRequeued { shop.submit(.onCase(current, .requeue)) }
    if when == .transferred || when == .seenAndTransferred {
      let next = CaseID(high: 3, low: 50)
      shop.submit(
        .transfer(
          current, Workshop.ann, to: TransferTarget(queue: QueueID(0)), newCase: next, members: []))
      current = next
    }
    shop.commit()
    try shop.rebuild()
    #expect(shop.pipeline.router.case(current) != nil)
    shop.submit(.setStatus(Workshop.ann, .busy, lease: .seconds(36_000)))
    switch end {
    case .customerLeaves:
      shop.submit(.endSession(Workshop.session(1), .customerLeft, by: nil))
    case .givenBack:
      shop.now = shop.now + .seconds(700)
      shop.submit(.tick)
    case .wrapUpOver:
      shop.submit(.wrapUp(current, Workshop.ann))
      shop.now = shop.now + .seconds(120)
      shop.submit(.tick)
    }
    shop.commit()
    #expect(shop.pipeline.router.case(current) == nil, "it is over")
    #expect(shop.pipeline.router.caseCount == 1)
    shop.submit(.setStatus(Workshop.ann, .available, lease: .seconds(36_000)))
    let again = try #require(try shop.take(2))
    #expect(again.conversation == Workshop.conversation(1))
    shop.submit(.close(again.case, Workshop.ann))
    shop.commit()
    #expect(try shop.take(3) == nil, "once")
  }

  /// One conversation has one owner, and a bot can answer no mail.
  @Test(arguments: [News.mail, .bounce], [true, false])
  func `a chat goes back to its bot only when what came by mail beside it is answered`(
    _ news: News, _ isSeen: Bool
  ) throws {
    var shop = Workshop()
    waitingChat(&shop)
    if isSeen { shop.submit(.mail(besideTheChat(news))) }
    let taken = try #require(try shop.take(1))
    if !isSeen { shop.submit(.mail(besideTheChat(news))) }
    shop.submit(.handBack(taken.case, Workshop.ann, members: []), 1)
    guard case .rejected(.notForBots, _, _)? = shop.commit().answer(1) else {
      throw Workshop.Missing()
    }
    #expect(shop.pipeline.router.case(taken.case)?.agent == Workshop.ann)
    shop.submit(Workshop.says(taken.case))
    shop.submit(.handBack(taken.case, Workshop.ann, members: []))
    shop.commit()
    #expect(
      shop.pipeline.router.conversation(Workshop.conversation(1))?.owner == .bot(Workshop.bot))
    #expect(shop.pipeline.router.caseCount == 0)
  }

  @Test(arguments: [News.mail, .bounce, .recording])
  func `a mail or a message is no bot's, though one sits in a chat beside`(_ news: News) throws {
    var shop = Workshop()
    guard case .openSession(var open) = Workshop.open(1) else { throw Workshop.Missing() }
    open.claims = [Self.mia]
    shop.submit(.openSession(open))
    if news == .recording {
      shop.submit(call(2))
      shop.submit(.callEnded(key: Workshop.key(2)))
      shop.submit(.callNews(Workshop.key(2), Workshop.recording(2)))
    } else {
      shop.submit(.mail(besideTheChat(news)))
    }
    shop.commit()
    let taken = try #require(try shop.take(1))
    #expect(taken.conversation == Workshop.conversation(1))
    shop.submit(.handBack(taken.case, Workshop.ann, members: []), 1)
    guard case .rejected(.notForBots, _, _)? = shop.commit().answer(1) else {
      throw Workshop.Missing()
    }
    #expect(shop.pipeline.router.case(taken.case)?.agent == Workshop.ann)
  }

  enum Answer: CaseIterable { case reply, note, close }

  @Test(arguments: Answer.allCases)
  func `what its agent has answered or closed is no case again, and a note answers nothing`(
    _ answer: Answer
  ) throws {
    var shop = Workshop()
    waitingChat(&shop)
    let taken = try #require(try shop.take(1))
    shop.submit(.mail(besideTheChat(.mail)))
    switch answer {
    case .reply, .note:
      shop.submit(
        answer == .note
          ? Workshop.says(taken.case, .note, .internal) : Workshop.says(taken.case))
      shop.submit(.wrapUp(taken.case, Workshop.ann))
    case .close: shop.submit(.close(taken.case, Workshop.ann))
    }
    shop.submit(.setStatus(Workshop.ann, .available, lease: .seconds(3_600)))
    shop.now = shop.now + .seconds(120)
    shop.submit(.tick)
    shop.commit()
    #expect(shop.pipeline.router.caseCount == (answer == .note ? 1 : 0))
  }

  @Test(arguments: [true, false])
  func `a mail that came while it rang, or lay on a desk, was in no offer`(_ isCall: Bool) throws {
    var shop = Workshop()
    var offer: OfferID?
    if isCall {
      offer = try shop.ringing()
    } else {
      waitingChat(&shop)
      shop.submit(.next(Workshop.ann, WaiterID(1), until: shop.now + .seconds(1)), 901)
      if case .offer(let made)? = shop.commit().answer(901) { offer = made.offer }
    }
    let ringing = try #require(offer)
    shop.now = shop.now + .seconds(1)
    shop.submit(.mail(besideTheChat(.mail)))
    shop.now = shop.now + .seconds(1)
    if isCall {
      shop.submit(.acceptByDevice(ringing))
      shop.submit(.callEnded(key: Workshop.key(1)))
    } else {
      shop.submit(.accept(ringing, Workshop.ann))
      shop.submit(.wrapUp(CaseID(high: 3, low: 1), Workshop.ann))
    }
    shop.commit()
    shop.submit(.setStatus(Workshop.ann, .available, lease: .seconds(3_600)))
    shop.now = shop.now + .seconds(120)
    shop.submit(.tick)
    shop.commit()
    #expect(shop.pipeline.router.case(CaseID(high: 3, low: 1)) == nil)
    #expect(shop.pipeline.router.caseCount == 1)
  }

  @Test func `a mail that came while another was offered needs what that one needed`() throws {
    var shop = Workshop()
    var need = Need(queue: QueueID(0))
    need.priority = 7
    shop.pipeline.planner = Workshop.Everything(
      planned: .route(need, rule: 3, ruleVersion: 1, facts: []))
    shop.submit(.mail(Workshop.mail(1)))
    shop.pipeline.planner = Workshop.Everything()
    shop.submit(.next(Workshop.ann, WaiterID(1), until: shop.now + .seconds(1)), 901)
    guard case .offer(let offer)? = shop.commit().answer(901) else { throw Workshop.Missing() }
    shop.now = shop.now + .seconds(1)
    shop.submit(.mail(Workshop.mail(2)))
    shop.submit(.accept(offer.offer, Workshop.ann))
    shop.submit(.wrapUp(offer.case, Workshop.ann))
    shop.submit(.setStatus(Workshop.ann, .busy, lease: .seconds(36_000)))
    shop.now = shop.now + .seconds(120)
    shop.submit(.tick)
    shop.commit()
    let waits = try #require(shop.pipeline.router.conversation(offer.conversation)?.openCase)
    #expect(waits != offer.case && shop.pipeline.router.case(waits)?.need.priority == 7)
  }

  @Test(arguments: [true, false])
  func `a mail waits on where its conversation goes on`(_ isOpen: Bool) throws {
    var shop = Workshop()
    var first = Workshop.mail(1)
    first.from = Self.mia
    shop.submit(.mail(first))
    shop.submit(.close(try #require(try shop.take(1)).case, Workshop.ann))
    var second = Workshop.mail(1)
    (second.from, second.conversation) = (Self.mia, Workshop.conversation(8))
    (second.session, second.case) = (Workshop.session(8), CaseID(high: 3, low: 8))
    (second.seenKey, second.subjectKey) = (Workshop.key(41), "another matter")
    let came = shop.now
    shop.submit(.mail(second))
    shop.now = shop.now + .seconds(60)
    if isOpen {
      var third = Workshop.mail(3)
      third.from = Self.mia
      shop.submit(.mail(third))
    }
    shop.commit()
    #expect(shop.pipeline.router.caseCount == (isOpen ? 2 : 1))
    shop.submit(
      .joinConversations(
        JoinConversations(
          keeps: Workshop.conversation(7), joins: Workshop.conversation(8), isJoining: true,
          agent: Workshop.ann, reason: "")))
    shop.commit()
    #expect(shop.pipeline.router.conversation(Workshop.conversation(8))?.openCase == nil)
    let left = try #require(
      shop.pipeline.router.conversation(Workshop.conversation(7))?.openCase)
    #expect(shop.pipeline.router.case(left)?.state == .waiting)
    #expect(shop.pipeline.router.caseCount == 1)
    let row = try shop.store.conversation(WorkspaceID(1), Workshop.conversation(7))
    let news = Pipeline.about(row?.about ?? [])?.unheard ?? []
    #expect(news.map(\.since) == [came])
    #expect(news.first?.waited != nil, "and what it needs")
  }

  @Test func `nobody on a line is given to a bot that sits in a chat`() throws {
    var shop = Workshop()
    givesBack(after: .seconds(60), &shop)
    shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
    guard case .openSession(var open) = Workshop.open(1) else { throw Workshop.Missing() }
    open.claims = [Self.mia]
    shop.submit(.openSession(open))
    shop.submit(call(2))
    shop.commit()
    let waits = try #require(
      shop.pipeline.router.conversation(Workshop.conversation(1))?.openCase)
    shop.now = shop.now + .seconds(300)
    shop.submit(.tick)
    shop.commit()
    #expect(shop.pipeline.router.case(waits)?.channel == .phone)
  }

  private static let mia = IdentityClaim(
    identity: Identity(kind: .email, value: "mia@home.example"), hash: Workshop.key(7),
    assurance: .asserted, source: "relay", means: "dmarc")

  private func call(_ n: UInt64) -> Intake {
    guard case .call(var call) = Workshop.call(n) else { return .tick }
    call.claims = [Self.mia]
    return .call(call)
  }

  enum Waits: CaseIterable { case mail, chat }

  @Test(arguments: Waits.allCases, [true, false])
  func `what waits goes on at its age when its customer has called meanwhile`(
    _ waits: Waits, _ isRinging: Bool
  ) throws {
    var shop = Workshop()
    shop.submit(.setStatus(Workshop.ann, isRinging ? .available : .busy, lease: .seconds(36_000)))
    let began = shop.now
    var need = Need(queue: QueueID(0))
    need.priority = 7
    shop.pipeline.planner = Workshop.Everything(
      planned: .route(need, rule: 3, ruleVersion: 1, facts: Array("{\"of\":1}".utf8)))
    let place: ConversationID
    switch waits {
    case .mail:
      var mail = Workshop.mail(1)
      mail.from = Self.mia
      shop.submit(.mail(mail))
      place = Workshop.conversation(7)
    case .chat:
      guard case .openSession(var open) = Workshop.open(1) else { throw Workshop.Missing() }
      open.claims = [Self.mia]
      for intake in [.openSession(open), Workshop.say(1), Workshop.handoff(1)] {
        shop.submit(intake)
      }
      place = Workshop.conversation(1)
    }
    shop.commit()
    shop.pipeline.planner = Workshop.Everything()
    shop.now = shop.now + .seconds(50)
    shop.submit(call(2))
    shop.commit()
    let called = try #require(shop.pipeline.router.conversation(place)?.openCase)
    #expect(shop.pipeline.router.case(called)?.channel == .phone)
    shop.submit(.callEnded(key: Workshop.key(2)))
    shop.commit()
    try shop.rebuild()
    let left = try #require(shop.pipeline.router.conversation(place)?.openCase)
    let state = try #require(shop.pipeline.router.case(left))
    #expect(state.channel == (waits == .mail ? .email : .chat) && state.age == began)
    #expect(state.need.priority == 7, "as it was routed, and not as the call was")
    let about = try #require(
      Pipeline.decoded(try shop.store.aCase(WorkspaceID(1), left)?.about ?? []))
    #expect(about.rule == 3)
    #expect(shop.pipeline.router.caseCount == 1)
  }

  /// A chat that waits, routed with priority 3, and a mail beside it.
  private func chatAndMail(_ shop: inout Workshop) {
    guard case .openSession(var open) = Workshop.open(1) else { return }
    open.claims = [Self.mia]
    var need = Need(queue: QueueID(0))
    need.priority = 3
    shop.pipeline.planner = Workshop.Everything(
      planned: .route(need, rule: 3, ruleVersion: 1, facts: []))
    for intake in [.openSession(open), Workshop.say(1), Workshop.handoff(1)] { shop.submit(intake) }
    shop.pipeline.planner = Workshop.Everything()
    var mail = besideTheChat(.mail)
    mail.from = Self.mia
    shop.now = shop.now + .seconds(5)
    shop.submit(.mail(mail))
    shop.commit()
  }

  @Test func `a chat and a mail both go on after a call, each in its own way`() throws {
    var shop = Workshop()
    shop.submit(.setStatus(Workshop.ann, .busy, lease: .seconds(36_000)))
    let began = shop.now
    chatAndMail(&shop)
    shop.now = shop.now + .seconds(5)
    shop.submit(call(2))
    shop.submit(.callEnded(key: Workshop.key(2)))
    shop.commit()
    try shop.rebuild()
    let place = Workshop.conversation(1)
    let chat = try #require(shop.pipeline.router.conversation(place)?.openCase)
    #expect(shop.pipeline.router.case(chat)?.channel == .chat)
    #expect(shop.pipeline.router.case(chat)?.need.priority == 3)
    #expect(shop.pipeline.router.case(chat)?.age == began)
    shop.submit(.endSession(Workshop.session(1), .customerLeft, by: nil))
    shop.commit()
    let mail = try #require(shop.pipeline.router.conversation(place)?.openCase)
    #expect(shop.pipeline.router.case(mail)?.channel == .email)
    #expect(shop.pipeline.router.case(mail)?.age == began + .seconds(5))
    #expect(shop.pipeline.router.caseCount == 1)
    shop.submit(.setStatus(Workshop.ann, .available, lease: .seconds(36_000)))
    let taken = try #require(try shop.take(1))
    shop.submit(.close(taken.case, Workshop.ann))
    shop.commit()
    #expect(try shop.take(2) == nil, "once")
  }

  @Test func `who answers in the chat has answered what was written beside it`() throws {
    var shop = Workshop()
    chatAndMail(&shop)
    let taken = try #require(try shop.take(1))
    shop.submit(Workshop.says(taken.case))
    shop.submit(.wrapUp(taken.case, Workshop.ann))
    shop.commit()
    shop.now = shop.now + .seconds(120)
    shop.submit(.tick)
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 0)
  }

  @Test func `an answered mail that was passed on waits there still when its customer has called`()
    throws
  {
    var shop = Workshop()
    var need = Need(queue: QueueID(0))
    need.priority = 6
    shop.pipeline.planner = Workshop.Everything(
      planned: .route(need, rule: 3, ruleVersion: 1, facts: []))
    var mail = Workshop.mail(1)
    mail.from = Self.mia
    shop.submit(.mail(mail))
    shop.pipeline.planner = Workshop.Everything()
    let taken = try #require(try shop.take(1))
    shop.submit(Workshop.says(taken.case, on: .email, mail: "sales will tell"))
    let next = CaseID(high: 3, low: 50)
    shop.submit(.setStatus(Workshop.ann, .busy, lease: .seconds(36_000)))
    shop.submit(
      .transfer(
        taken.case, Workshop.ann, to: TransferTarget(queue: QueueID(0)), newCase: next, members: [])
    )
    shop.commit()
    #expect(shop.pipeline.router.case(next)?.need.priority == 6)
    shop.submit(call(2))
    shop.commit()
    #expect(shop.pipeline.router.case(next) == nil, "it follows the call")
    shop.submit(.callEnded(key: Workshop.key(2)))
    shop.commit()
    let waits = try #require(
      shop.pipeline.router.conversation(Workshop.conversation(7))?.openCase)
    #expect(shop.pipeline.router.case(waits)?.channel == .email)
    #expect(shop.pipeline.router.case(waits)?.need.priority == 6)
  }

  @Test func `what an agent saw and passed on has waited since it came`() throws {
    var shop = Workshop()
    waitingChat(&shop)
    let began = shop.now
    shop.submit(.mail(besideTheChat(.mail)))
    let taken = try #require(try shop.take(1))
    shop.now = shop.now + .seconds(30)
    var second = besideTheChat(.mail)
    second.seenKey = Workshop.key(90)
    shop.submit(.mail(second))
    let next = CaseID(high: 3, low: 50)
    shop.submit(.setStatus(Workshop.ann, .busy, lease: .seconds(36_000)))
    shop.submit(
      .transfer(
        taken.case, Workshop.ann, to: TransferTarget(queue: QueueID(0)), newCase: next, members: [])
    )
    shop.submit(.endSession(Workshop.session(1), .customerLeft, by: nil))
    shop.commit()
    let waits = try #require(
      shop.pipeline.router.conversation(Workshop.conversation(1))?.openCase)
    #expect(shop.pipeline.router.case(waits)?.age == began)
  }

  @Test func `of two mails beside a chat the first says how long they wait`() throws {
    var shop = Workshop()
    shop.submit(.setStatus(Workshop.ann, .busy, lease: .seconds(36_000)))
    waitingChat(&shop)
    let began = shop.now + .seconds(10)
    for n in 0...1 as ClosedRange<UInt64> {
      shop.now = shop.now + .seconds(10)
      var mail = besideTheChat(.mail)
      mail.seenKey = Workshop.key(90 + n)
      shop.submit(.mail(mail))
    }
    shop.submit(.endSession(Workshop.session(1), .customerLeft, by: nil))
    shop.commit()
    let waits = try #require(
      shop.pipeline.router.conversation(Workshop.conversation(1))?.openCase)
    #expect(shop.pipeline.router.case(waits)?.age == began)
  }

  @Test func `what a step has said is not said again after a call`() throws {
    var shop = Workshop()
    shop.submit(.setStatus(Workshop.ann, .busy, lease: .seconds(36_000)))
    guard case .openSession(var open) = Workshop.open(1) else { throw Workshop.Missing() }
    open.claims = [Self.mia]
    var need = Need(queue: QueueID(0))
    need.steps = [1, 600].map { .init(after: .seconds($0), change: .message(0)) }
    shop.pipeline.planner = Workshop.Everything(
      planned: .route(need, rule: 0, ruleVersion: 1, facts: []), said: "please wait")
    for intake in [.openSession(open), Workshop.say(1), Workshop.handoff(1)] { shop.submit(intake) }
    func told() -> Int {
      shop.store.entries(WorkspaceID(1)).values.count {
        String(decoding: $0.body ?? [], as: UTF8.self).contains("please wait")
      }
    }
    func tick(_ seconds: Int64) {
      shop.now = shop.now + .seconds(seconds)
      shop.submit(.tick)
      shop.commit()
    }
    tick(2)
    #expect(told() == 1)
    shop.pipeline.planner = Workshop.Everything(said: "please wait")
    shop.submit(call(2))
    shop.submit(.callEnded(key: Workshop.key(2)))
    tick(2)
    #expect(told() == 1)
    tick(600)
    #expect(told() == 2, "what is to come comes")
  }

  @Test func `what an agent saw and left is not why the newer is old`() throws {
    var shop = Workshop()
    waitingChat(&shop)
    shop.submit(.mail(besideTheChat(.mail)))
    let taken = try #require(try shop.take(1))
    shop.now = shop.now + .seconds(30)
    let came = shop.now
    var second = besideTheChat(.mail)
    second.seenKey = Workshop.key(90)
    shop.submit(.mail(second))
    shop.submit(.wrapUp(taken.case, Workshop.ann))
    shop.submit(.setStatus(Workshop.ann, .busy, lease: .seconds(36_000)))
    shop.now = shop.now + .seconds(120)
    shop.submit(.tick)
    shop.commit()
    let waits = try #require(
      shop.pipeline.router.conversation(Workshop.conversation(1))?.openCase)
    #expect(shop.pipeline.router.case(waits)?.age == came)
  }

  @Test func `a mail has room beside any number of chats`() throws {
    var shop = Workshop()
    for n in 1...17 as ClosedRange<UInt64> {
      guard case .openSession(var open) = Workshop.open(n) else { throw Workshop.Missing() }
      open.claims = [Self.mia]
      shop.submit(.openSession(open))
    }
    var mail = Workshop.mail(1)
    mail.from = Self.mia
    mail.replyAddress = Workshop.conversation(1)
    shop.submit(.mail(mail))
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 1)
    #expect(try shop.take(1) != nil)
  }

  @Test func `a bot hears that it has a chat again, and why`() throws {
    var shop = Workshop()
    givesBack(after: .seconds(60), &shop)
    shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
    waitingChat(&shop)
    shop.commit()
    shop.now = shop.now + .seconds(61)
    shop.submit(.tick)
    shop.commit()
    let told = shop.store.entries(WorkspaceID(1)).values.compactMap {
      $0.body.map { String(decoding: $0, as: UTF8.self) }
    }
    .filter { $0.contains(#""kind":"handed_back""#) }
    #expect(told.count == 1)
    #expect(told.first?.contains(#""reason":"support is late""#) == true)
    #expect(told.first?.contains(#""name":"robin""#) == true)
  }

  @Test func `nothing is sent for a report`() throws {
    var shop = Workshop()
    shop.submit(.mail(Workshop.mail(1)))
    shop.submit(.close(try #require(try shop.take(1)).case, Workshop.ann))
    var need = Need(queue: QueueID(0))
    need.steps = [.init(after: .seconds(0), change: .message(0))]
    shop.pipeline.planner = Workshop.Everything(
      planned: .route(need, rule: 0, ruleVersion: 1, facts: []), said: "thanks for waiting")
    shop.submit(.mail(Workshop.bounce(2)))
    shop.commit()
    #expect(shop.pipeline.router.caseCount == 1)
    #expect(shop.store.commits.allSatisfy { $0.outbox.isEmpty })
    // Of a mail it is.
    var mail = Workshop.mail(1)
    (mail.conversation, mail.seenKey) = (Workshop.conversation(30), Workshop.key(30))
    (mail.session, mail.case) = (Workshop.session(30), CaseID(high: 3, low: 30))
    shop.submit(.mail(mail))
    shop.commit()
    #expect(shop.store.commits.count { !$0.outbox.isEmpty } == 1)
  }
}
