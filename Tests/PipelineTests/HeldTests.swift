import Model
import Records
import Routing
import Testing

@testable import Pipeline

/// Nothing leaves before what it rests on is on disk.
struct HeldTests {
  @Test func `an answer waits for the commit of what was decided for it`() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1), 1)
    #expect(shop.pipeline.release().isEmpty)
    let commit = try shop.gather()
    #expect(shop.pipeline.release().isEmpty, "gathered is not durable")
    #expect(shop.commit(commit).tickets == [1])
  }

  @Test func `a read and a refusal wait too, since they tell of a state that may be lost`() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1), 1)
    shop.submit(.read, 2)
    shop.submit(Workshop.open(1), 3)
    #expect(shop.pipeline.release().isEmpty)
    let left = shop.commit()
    #expect(left.tickets == [1, 2, 3])
    guard case .rejected = left.answer(3) else { throw Workshop.Missing() }
    shop.submit(.read, 4)
    #expect(shop.pipeline.release().tickets == [4], "all that it rests on is on disk")
  }

  @Test func `answers leave in the order of deciding, as far as the disk has come`() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1), 1)
    let first = try shop.gather()
    shop.submit(.read, 2)
    shop.submit(Workshop.open(2), 3)
    shop.submit(Workshop.say(1), 4)
    let second = try shop.gather()
    #expect(shop.pipeline.gather() == nil, "everything is taken once")
    shop.submit(.read, 5)
    // The read was decided when only the first was there, but behind it.
    #expect(shop.commit(first).tickets == [1, 2])
    #expect(shop.commit(second).tickets == [3, 4, 5])
  }

  @Test func `what is not yet on disk is seen by whoever is decided next`() throws {
    var shop = Workshop()
    shop.submit(Workshop.open(1), 1)
    _ = try shop.gather()
    shop.submit(Workshop.say(1), 2)
    shop.submit(.endSession(Workshop.session(1), .botEnded, by: Workshop.bot), 3)
    shop.submit(Workshop.say(1), 4)
    let second = try shop.gather()
    let left = shop.pipeline.committed(upTo: second.log.last?.position ?? 0)
    guard case .recorded = left.answer(2) else { throw Workshop.Missing() }
    #expect(left.answer(3) == .done)
    guard case .rejected(.sessionEnded, _, _) = left.answer(4) else { throw Workshop.Missing() }
  }

  @Test func `how a call stands is told as of the position at which it was asked`() throws {
    var shop = Workshop()
    shop.submit(.setStatus(Workshop.ann, .busy, lease: nil))
    shop.submit(Workshop.call(1))
    shop.commit()
    shop.submit(.standing(call: Workshop.key(1)), 1)
    #expect(
      shop.pipeline.release().answer(1) == .standing(.waits(position: 1, .unknown(.nobodyThere))))
    shop.submit(.setStatus(Workshop.ann, .available, lease: nil))
    shop.submit(.standing(call: Workshop.key(1)), 2)
    #expect(shop.pipeline.release().isEmpty, "the ring is decided and may still be lost")
    let left = shop.commit()
    guard case .standing(.rings(_, "PJSIP/ann", _)) = left.answer(2) else {
      throw Workshop.Missing()
    }
    #expect(left.rings == 1)
    shop.submit(.standing(call: Workshop.key(9)), 3)
    #expect(shop.pipeline.release().answer(3) == .rejected(.unknownSession, owner: nil, epoch: nil))
  }

  @Test func `a mail and its attachments become durable together`() throws {
    var shop = Workshop()
    let row = BlobRow(
      id: BlobID(high: 9, low: 9), hash: .zero, size: 1, mediaType: "text/plain", fileName: nil,
      conversation: nil,
      uploader: "mail", at: shop.now)
    shop.submit(.mail(Workshop.mail(attachment: row)), 1)
    let commit = try shop.gather()
    #expect(commit.blobs.map(\.id) == [row.id])
    #expect(commit.blobs.first?.conversation == Workshop.conversation(7), "where it was said")
    shop.commit(commit)
    shop.submit(.mail(Workshop.mail(attachment: row)), 2)
    guard case .mailTaken(_, _, duplicate: true) = shop.pipeline.release().answer(2) else {
      throw Workshop.Missing()
    }
    #expect(shop.pipeline.gather() == nil, "the same mail again records nothing")
  }

  @Test
  func
    `a question that comes later than it was to wait is answered with nothing, and is no mistake`()
    throws
  {
    var shop = Workshop()
    shop.submit(.next(Workshop.ann, WaiterID(1), until: shop.now + .milliseconds(-1)), 7)
    guard case .noOffer? = shop.commit().answer(7) else { throw Workshop.Missing() }
  }
}
