/// The deadlines of a lane's connections, in a ring of buckets of 16 ms.
///
/// A connection stands in at most one bucket that counts, at its earliest deadline or before it; it
/// is asked when that bucket comes due, and goes back in if nothing was due. So putting a deadline
/// off, which every request does, costs a store; only bringing one forward appends here. What lies
/// past the ring (8 s) waits in its last bucket and is asked again. Removing does not exist: what
/// died or moved is noticed when asked.
struct TimingWheel {
  static let tickMilliseconds: Int64 = 16
  static let bucketCount = 512

  private var buckets: [[UInt64]] = Array(repeating: [], count: bucketCount)
  private var occupied: InlineArray<8, UInt64> = .init(repeating: 0)
  /// Every tick before this one has been taken.
  private var next: Int64

  init(nowMilliseconds: Int64) { next = nowMilliseconds / Self.tickMilliseconds }

  /// The tick whose taking shows that `deadline` has passed: rounded up, so that nothing is early.
  static func tick(of deadline: Int64) -> Int64 {
    deadline / tickMilliseconds + (deadline % tickMilliseconds == 0 ? 0 : 1)
  }

  /// Answers the tick at which the tag will be asked: that of the deadline, or the last one of the
  /// ring.
  mutating func insert(_ tag: UInt64, deadline: Int64) -> Int64 {
    let tick = min(max(Self.tick(of: deadline), next), next + Int64(Self.bucketCount) - 1)
    let bucket = Int(tick & Int64(Self.bucketCount - 1))
    buckets[bucket].append(tag)
    occupied[bucket >> 6] |= 1 << UInt64(bucket & 63)
    return tick
  }

  /// The next bucket that has come due by `now`, with its tick; nil when there is none left.
  mutating func takeDue(nowMilliseconds now: Int64) -> (tick: Int64, tags: [UInt64])? {
    let last = now / Self.tickMilliseconds
    guard let tick = firstOccupied(), tick <= last else {
      next = max(next, last + 1)
      return nil
    }
    next = tick + 1
    let bucket = Int(tick & Int64(Self.bucketCount - 1))
    occupied[bucket >> 6] &= ~(1 << UInt64(bucket & 63))
    let tags = buckets[bucket]
    buckets[bucket] = []
    return (tick, tags)
  }

  /// When the lane must wake for this wheel, if at all.
  var nextDueMilliseconds: Int64? { firstOccupied().map { $0 * Self.tickMilliseconds } }

  private func firstOccupied() -> Int64? {
    let start = Int(next & Int64(Self.bucketCount - 1))
    for step in 0...8 {
      let word = ((start >> 6) + step) & 7
      var bits = occupied[word]
      if step == 0 { bits &= ~0 << UInt64(start & 63) }
      if step == 8 { bits &= ~(~0 << UInt64(start & 63)) }
      if bits == 0 { continue }
      let bucket = word << 6 | bits.trailingZeroBitCount
      let ahead = (bucket - start) & (Self.bucketCount - 1)
      return next + Int64(ahead)
    }
    return nil
  }
}
