import Model

/// From the hash of a 128-bit id to a slot: open addressing, linear probing, removal by shifting
/// back.
///
/// An entry is eight bytes: 32 bits of the hash, which also say where the entry belongs, and the
/// slot. The id itself stands in the record, which whoever looks it up reads next anyway; so a
/// look-up costs one miss of the cache where a table of ids costs two. Ids are random, so a
/// multiplication mixes them enough, and the table is the same in every process, which Swift's
/// seeded `Dictionary` is not. At most half full.
///
/// A table that has become too small is emptied into its successor a few entries an insertion, so
/// that no single command pays for it.
struct SlotTable: Sendable {
  /// 0 for vacant, else the hash above, slot + 1 below.
  private var entries: [UInt64] = Array(repeating: 0, count: 16)
  private var shift: UInt64 = 28  // 32 - log2(entries.count)
  private var count = 0
  /// The former table while it is emptied: entries below `cursor` are gone.
  private var old: [UInt64] = []
  private var oldShift: UInt64 = 0
  private var cursor = 0

  @inline(__always) static func hash<Kind>(_ id: ID<Kind>) -> UInt64 {
    let mixed = (id.low ^ (id.high &* 0x9E37_79B9_7F4A_7C15)) &* 0xFF51_AFD7_ED55_8CCD
    return mixed >> 32
  }
  @inline(__always) private static func slot(_ entry: UInt64) -> Int32 {
    Int32(truncatingIfNeeded: entry & 0xFFFF_FFFF) &- 1
  }

  /// The first slot under the hash for which `matches`, or -1.
  @inline(__always) func find(_ hash: UInt64, where matches: (Int32) -> Bool) -> Int32 {
    let found = Self.find(entries, shift, hash, matches)
    return found >= 0 || old.isEmpty ? found : Self.find(old, oldShift, hash, matches)
  }

  @inline(__always) private static func find(
    _ entries: [UInt64], _ shift: UInt64, _ hash: UInt64, _ matches: (Int32) -> Bool
  ) -> Int32 {
    let mask = entries.count &- 1
    var at = Int(truncatingIfNeeded: hash >> shift)
    while true {
      let entry = entries[at]
      if entry == 0 { return -1 }
      if entry >> 32 == hash, matches(slot(entry)) { return slot(entry) }
      at = (at &+ 1) & mask
    }
  }

  mutating func insert(_ hash: UInt64, _ slot: Int32) {
    if (count + 1) * 2 > entries.count { grow() }
    if !old.isEmpty { moveSome() }
    Self.put(&entries, shift, hash << 32 | UInt64(UInt32(bitPattern: slot) &+ 1))
    count += 1
  }

  private static func put(_ entries: inout [UInt64], _ shift: UInt64, _ entry: UInt64) {
    let mask = entries.count &- 1
    var at = Int(truncatingIfNeeded: (entry >> 32) >> shift)
    while entries[at] != 0 { at = (at &+ 1) & mask }
    entries[at] = entry
  }

  mutating func remove(_ hash: UInt64, _ slot: Int32) {
    let entry = hash << 32 | UInt64(UInt32(bitPattern: slot) &+ 1)
    if Self.take(&entries, shift, entry) || (!old.isEmpty && Self.take(&old, oldShift, entry)) {
      count -= 1
    }
  }

  private static func take(_ entries: inout [UInt64], _ shift: UInt64, _ entry: UInt64) -> Bool {
    let mask = entries.count &- 1
    var at = Int(truncatingIfNeeded: (entry >> 32) >> shift)
    while entries[at] != entry {
      if entries[at] == 0 { return false }
      at = (at &+ 1) & mask
    }
    close(&entries, shift, at)
    return true
  }

  /// Moves later entries of the same run back, so that no probe ends too early.
  private static func close(_ entries: inout [UInt64], _ shift: UInt64, _ start: Int) {
    let mask = entries.count &- 1
    var hole = start
    var at = (hole &+ 1) & mask
    while entries[at] != 0 {
      let home = Int(truncatingIfNeeded: (entries[at] >> 32) >> shift)
      if (at &- home) & mask >= (at &- hole) & mask {
        entries[hole] = entries[at]
        hole = at
      }
      at = (at &+ 1) & mask
    }
    entries[hole] = 0
  }

  // MARK: Growing

  private mutating func grow() {
    while !old.isEmpty { moveSome() }
    swap(&old, &entries)
    oldShift = shift
    cursor = 0
    entries = Array(repeating: 0, count: old.count * 2)
    shift -= 1
  }

  /// The former table is emptied before its successor is half full: two entries an insertion would
  /// do.
  private mutating func moveSome() {
    for _ in 0..<16 {
      guard cursor < old.count else {
        old = []
        return
      }
      let entry = old[cursor]
      if entry == 0 {
        cursor += 1
      } else {
        // A run that is closed may move an entry here; it is looked at again.
        Self.close(&old, oldShift, cursor)
        Self.put(&entries, shift, entry)
      }
    }
  }
}
