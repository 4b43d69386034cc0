import Model

/// A record that lives in a slot. `sequence` is zero when the slot is vacant; it rises with every
/// record made, so it orders records in the same way in every process, which slots do not.
protocol SlotRecord {
  associatedtype Kind: IDKind
  var id: ID<Kind> { get }
  var sequence: UInt64 { get set }
  /// Whether its row must be written.
  var isDirty: Bool { get set }
  /// Whether its row was ever written.
  var isStored: Bool { get set }
}

/// Records by small dense numbers, reused, and by id. Nothing that can be seen may depend on a
/// slot's number.
struct Slots<Record: SlotRecord & Sendable>: Sendable {
  private(set) var records: [Record] = []
  private var free: [Int32] = []
  private var table = SlotTable()
  /// The record that most likely is looked up next, or -1.
  private var expected: Int32 = -1

  var count: Int { records.count - free.count }

  @inline(__always) subscript(_ slot: Int32) -> Record {
    _read { yield records[Int(slot)] }
    _modify { yield &records[Int(slot)] }
  }

  /// The slot of the id, or -1.
  @inline(__always) func find(_ id: ID<Record.Kind>) -> Int32 {
    if expected >= 0, records[Int(expected)].id == id { return expected }
    return table.find(SlotTable.hash(id)) { records[Int($0)].id == id }
  }

  /// An event about this record follows. It knows the id alone, and where the table holds that is seldom in the
  /// cache.
  @inline(__always) mutating func expect(_ slot: Int32) { expected = slot }

  /// The id must not be there yet.
  mutating func add(_ record: Record) -> Int32 {
    let hash = SlotTable.hash(record.id)
    let slot: Int32
    if let vacant = free.popLast() {
      slot = vacant
      records[Int(slot)] = record
    } else {
      slot = Int32(truncatingIfNeeded: records.count)
      records.append(record)
    }
    table.insert(hash, slot)
    return slot
  }

  /// What the record held lies there until another takes its slot: to overwrite it now costs more.
  mutating func remove(_ slot: Int32) {
    table.remove(SlotTable.hash(records[Int(slot)].id), slot)
    records[Int(slot)].sequence = 0
    records[Int(slot)].isDirty = false
    free.append(slot)
    expected = -1
  }

  /// Live slots in no order that means anything.
  var live: some Sequence<Int32> {
    records.indices.lazy.filter { records[$0].sequence != 0 }.map { Int32(truncatingIfNeeded: $0) }
  }

  /// Live slots in the order in which their records were made.
  var ordered: [Int32] { ordered { _ in true } }

  func ordered(where isWanted: (Record) -> Bool) -> [Int32] {
    // Numbers beside slots, since comparing by way of the records misses the cache at each of a
    // million.
    var found: [(sequence: UInt64, slot: Int32)] = []
    for index in records.indices where records[index].sequence != 0 && isWanted(records[index]) {
      found.append((records[index].sequence, Int32(truncatingIfNeeded: index)))
    }
    found.sort { $0.sequence < $1.sequence }
    return found.map(\.slot)
  }
}
