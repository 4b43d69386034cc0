import Model
import Testing

@testable import Channels

@Suite struct NewIDTests {
  @Test func `ids made later come later, whatever their random part`() {
    let ids = (0..<200).map { ConversationID.new(atMilliseconds: 1_790_000_000_000 + $0) }
    #expect(zip(ids, ids.dropFirst()).allSatisfy { $0.high < $1.high })
    #expect(ids.map { $0.high >> 16 } == (0..<200).map { 1_790_000_000_000 + $0 })
  }

  @Test func `ids of one moment differ, in 80 bits`() {
    let ids = (0..<2_000).map { _ in CaseID.new(atMilliseconds: 1_790_000_000_000) }
    #expect(Set(ids).count == ids.count)
    let either = ids.reduce((0 as UInt64, 0 as UInt64)) { ($0.0 | $1.high, $0.1 | $1.low) }
    let both = ids.reduce((UInt64.max, UInt64.max)) { ($0.0 & $1.high, $0.1 & $1.low) }
    #expect((either.0 ^ both.0) == 0xFFFF)
    #expect((either.1 ^ both.1) == .max)
  }
}
