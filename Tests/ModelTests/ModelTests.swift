import Testing

@testable import Model

struct `Model nouns` {
  @Test func `an id reads back from its text and from no other kind's`() {
    let id = CaseID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
    #expect(CaseID(id.description) == id)
    #expect(id.description.utf8.count == 31)
    #expect(OfferID(id.description) == nil)
    let most = CaseID(high: .max, low: .max)
    #expect(CaseID(most.description) == most)
    #expect(CaseID("case_" + String(repeating: "z", count: 26)) == nil)
    #expect(CaseID("case_0123") == nil)
  }

  @Test func `an instant prints as RFC 3339`() {
    #expect(Instant(milliseconds: 0).description == "1970-01-01T00:00:00.000Z")
    #expect(Instant(milliseconds: 1_795_641_953_120).description == "2026-11-25T21:25:53.120Z")
    #expect(Instant(milliseconds: -1).description == "1969-12-31T23:59:59.999Z")
    #expect(Instant(milliseconds: 951_782_400_000).description == "2000-02-29T00:00:00.000Z")
    #expect(Instant.distantFuture.description == "9223372036854775807ms")
  }

  @Test func `time saturates at its ends`() {
    #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
    #expect(Instant.distantPast + .seconds(-1) == .distantPast)
    #expect(Instant.distantFuture - Instant.distantPast == Duration64(milliseconds: .max))
  }

  @Test func `a timeline's digest is the same in any order and adds over unions`() {
    let hashes = (1...5).map { Digest(.max - UInt64($0), .max, .max, UInt64($0) << 62) }
    var forward = TimelineDigest()
    var backward = TimelineDigest()
    for hash in hashes { forward.add(hash) }
    for hash in hashes.reversed() { backward.add(hash) }
    #expect(forward == backward && forward.count == 5)
    var left = TimelineDigest()
    var right = TimelineDigest()
    for hash in hashes[..<2] { left.add(hash) }
    for hash in hashes[2...] { right.add(hash) }
    left.add(right)
    #expect(left == forward)
    var changed = forward
    changed.replace(hashes[1], by: hashes[0])
    var anew = TimelineDigest()
    for hash in [hashes[0], hashes[0]] + hashes[2...] { anew.add(hash) }
    #expect(changed == anew)
    var carry = TimelineDigest(count: 1, sum: Digest(0, .max, .max, .max))
    carry.add(Digest(0, 0, 0, 1))
    #expect(carry.sum == Digest(1, 0, 0, 0))
    #expect(Digest(bytes: hashes[0].bytes) == hashes[0])
  }
}
