import Model

/// The ids that ended last, to say "ended" rather than "unknown". Bounded; not part of the state, since only
/// the word of a rejection depends on it. Ids are random, so 64 bits of one tell them apart.
struct RecentIDs: Sendable {
  private var table = SlotTable()
  private var ring: [UInt64] = []
  private var next = 0

  mutating func add<Kind>(_ id: ID<Kind>) {
    let mark = Self.mark(id)
    if ring.count < RoutingLimits.endedRememberedMax {
      next = ring.count
      ring.append(mark)
    } else {
      table.remove(Self.hash(ring[next]), Int32(truncatingIfNeeded: next))
      ring[next] = mark
    }
    table.insert(Self.hash(mark), Int32(truncatingIfNeeded: next))
    next = (next + 1) % RoutingLimits.endedRememberedMax
  }

  func contains<Kind>(_ id: ID<Kind>) -> Bool {
    let mark = Self.mark(id)
    return table.find(Self.hash(mark)) { ring[Int($0)] == mark } >= 0
  }

  private static func mark<Kind>(_ id: ID<Kind>) -> UInt64 { id.high &* 0x9E37_79B9_7F4A_7C15 ^ id.low }
  private static func hash(_ mark: UInt64) -> UInt64 { (mark &* 0xFF51_AFD7_ED55_8CCD) >> 32 }
}
