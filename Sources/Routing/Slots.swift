/// A record that lives in a slot. `sequence` is zero when the slot is vacant; it rises with every record made,
/// so it orders records in the same way in every process, which slots do not.
protocol SlotRecord {
  static var vacant: Self { get }
  var sequence: UInt64 { get }
  /// Whether its row must be written.
  var isDirty: Bool { get set }
  /// Whether its row was ever written.
  var isStored: Bool { get set }
}

/// Records by small dense numbers, reused. Nothing that can be seen may depend on a slot's number.
struct Slots<Record: SlotRecord & Sendable>: Sendable {
  private(set) var records: [Record] = []
  private var free: [Int32] = []

  var count: Int { records.count - free.count }

  @inline(__always) subscript(_ slot: Int32) -> Record {
    get { records[Int(slot)] }
    _modify { yield &records[Int(slot)] }
  }

  mutating func add(_ record: Record) -> Int32 {
    if let slot = free.popLast() {
      records[Int(slot)] = record
      return slot
    }
    records.append(record)
    return Int32(truncatingIfNeeded: records.count - 1)
  }

  mutating func remove(_ slot: Int32) {
    records[Int(slot)] = .vacant
    free.append(slot)
  }

  /// Live slots in the order in which their records were made.
  var ordered: [Int32] {
    records.indices.filter { records[$0].sequence != 0 }
      .sorted { records[$0].sequence < records[$1].sequence }.map { Int32(truncatingIfNeeded: $0) }
  }
}
