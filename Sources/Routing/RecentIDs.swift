import Model

/// The ids that ended last, to say "ended" rather than "unknown". Not part of the state, since only
/// the word of a rejection depends on it; so a place for each of so many, and whoever comes to a
/// place drives out who was there. Ids are random, so 64 bits of one tell them apart.
struct RecentIDs: Sendable {
  private var marks: [UInt64] = Array(repeating: 0, count: RoutingLimits.endedRememberedMax)

  mutating func add<Kind>(_ id: ID<Kind>) { marks[place(id)] = Self.mark(id) }
  func contains<Kind>(_ id: ID<Kind>) -> Bool { marks[place(id)] == Self.mark(id) }

  private static func mark<Kind>(_ id: ID<Kind>) -> UInt64 {
    id.high &* 0x9E37_79B9_7F4A_7C15 ^ id.low
  }
  private func place<Kind>(_ id: ID<Kind>) -> Int {
    Int(truncatingIfNeeded: SlotTable.hash(id)) % marks.count
  }
}
