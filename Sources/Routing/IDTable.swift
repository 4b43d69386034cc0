import Model

/// From a 128-bit id to a slot: open addressing, linear probing, removal by shifting back.
///
/// Ids are random, so a multiplication mixes them enough, and the table is the same in every process, which
/// Swift's seeded `Dictionary` is not. Half full at most: 24 bytes an entry, about two probes a look-up.
struct IDTable: Sendable {
  private struct Entry {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var slot: Int32 = -1
  }
  private var entries: [Entry] = Array(repeating: Entry(), count: 16)
  private(set) var count = 0

  @inline(__always) private static func hash(_ high: UInt64, _ low: UInt64) -> Int {
    let mixed = (low ^ (high &* 0x9E37_79B9_7F4A_7C15)) &* 0xFF51_AFD7_ED55_8CCD
    return Int(truncatingIfNeeded: mixed ^ (mixed >> 32))
  }

  /// The slot of the id, or -1.
  func find<Kind>(_ id: ID<Kind>) -> Int32 {
    let mask = entries.count - 1
    var at = Self.hash(id.high, id.low) & mask
    while entries[at].slot >= 0 {
      if entries[at].low == id.low && entries[at].high == id.high { return entries[at].slot }
      at = (at + 1) & mask
    }
    return -1
  }

  mutating func insert<Kind>(_ id: ID<Kind>, _ slot: Int32) {
    if (count + 1) * 2 > entries.count { grow() }
    let mask = entries.count - 1
    var at = Self.hash(id.high, id.low) & mask
    while entries[at].slot >= 0 {
      if entries[at].low == id.low && entries[at].high == id.high {
        entries[at].slot = slot
        return
      }
      at = (at + 1) & mask
    }
    entries[at] = Entry(high: id.high, low: id.low, slot: slot)
    count += 1
  }

  mutating func remove<Kind>(_ id: ID<Kind>) {
    let mask = entries.count - 1
    var at = Self.hash(id.high, id.low) & mask
    while entries[at].slot >= 0 {
      if entries[at].low == id.low && entries[at].high == id.high { return close(at) }
      at = (at + 1) & mask
    }
  }

  /// Moves later entries of the same run back, so that no probe ends too early.
  private mutating func close(_ start: Int) {
    let mask = entries.count - 1
    var hole = start
    var at = (hole + 1) & mask
    while entries[at].slot >= 0 {
      let home = Self.hash(entries[at].high, entries[at].low) & mask
      if (at &- home) & mask >= (at &- hole) & mask {
        entries[hole] = entries[at]
        hole = at
      }
      at = (at + 1) & mask
    }
    entries[hole] = Entry()
    count -= 1
  }

  private mutating func grow() {
    let old = entries
    entries = Array(repeating: Entry(), count: old.count * 2)
    let mask = entries.count - 1
    for entry in old where entry.slot >= 0 {
      var at = Self.hash(entry.high, entry.low) & mask
      while entries[at].slot >= 0 { at = (at + 1) & mask }
      entries[at] = entry
    }
  }
}

/// The ids that ended last, to say "ended" rather than "unknown". Bounded; not part of the state, since only
/// the word of a rejection depends on it.
struct RecentIDs: Sendable {
  private var table = IDTable()
  private var ring: [(high: UInt64, low: UInt64)] = []
  private var next = 0

  mutating func add<Kind>(_ id: ID<Kind>) {
    guard table.find(id) < 0 else { return }
    if ring.count < RoutingLimits.endedRememberedMax {
      ring.append((id.high, id.low))
    } else {
      table.remove(ID<Kind>(high: ring[next].high, low: ring[next].low))
      ring[next] = (id.high, id.low)
      next = (next + 1) % ring.count
    }
    table.insert(id, 0)
  }
  func contains<Kind>(_ id: ID<Kind>) -> Bool { table.find(id) >= 0 }
}
