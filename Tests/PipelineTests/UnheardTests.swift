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

  /// A case of Ann's in wrap-up.
  private func wrappingUp(_ news: News, _ shop: inout Workshop) throws -> CaseID {
    switch news {
    case .mail, .bounce: shop.submit(.mail(Workshop.mail(1)))
    case .chat:
      for intake in [Workshop.open(1), Workshop.say(1), Workshop.handoff(1)] { shop.submit(intake) }
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
      let note = EntryDraft(
        kind: .note, author: .agent(Workshop.ann), visibility: .internal, channel: nil)
      shop.submit(
        .agentSays(AgentWords(agent: Workshop.ann, case: first, entry: note, mail: nil)))
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
    #expect((again != nil) == (then == .nothing))
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
    var bounce = Workshop.bounce(2)
    bounce.replyAddress = Workshop.conversation(1)
    bounce.report?.fates[0].replyAddress = Workshop.conversation(1)
    shop.submit(.mail(bounce))
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
  func `what no queue takes stays closed, and what could not be routed is by the next word`(
    _ isClosed: Bool
  ) throws {
    var shop = Workshop()
    if isClosed {
      shop.submit(.mail(Workshop.mail(1)))
      shop.submit(.close(try #require(try shop.take(1)).case, Workshop.ann))
      shop.configure(2, queue: "support", isServed: false)
      shop.submit(.mail(Workshop.bounce(2)))
      shop.submit(.mail(Workshop.mail(3)))
      shop.commit()
      #expect(
        try shop.store.conversation(WorkspaceID(1), Workshop.conversation(7))?.isOpen == false)
    } else {
      shop.configure(2, queue: "support", isServed: false)
      shop.submit(.mail(Workshop.mail(1)))
    }
    shop.configure(3, queue: "support")
    #expect(try shop.take(2) == nil)
    shop.submit(.mail(Workshop.mail(4)))
    #expect(try shop.take(3)?.conversation == Workshop.conversation(7))
  }
}
