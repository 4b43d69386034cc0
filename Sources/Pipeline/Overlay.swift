import DequeModule

/// Rows that were decided and are not yet known to be committed: what the writer must see before
/// the store does.
///
/// A row may leave the overlay when the store has committed its last change, so that a look-up that
/// misses here always finds in the store what was true before. Up to `keeping` rows stay on after
/// that, as a cache: nobody but the writer writes them, so they cannot go stale.
struct Overlay<Key: Hashable & Sendable, Row: Sendable>: Sendable {
  let keeping: Int
  private var rows: [Key: (row: Row, position: Int64, gathered: Bool)] = [:]
  private var changed: [Key] = []
  private var order: Deque<(position: Int64, key: Key)> = []

  init(keeping: Int = 0) { self.keeping = keeping }

  subscript(key: Key) -> Row? { rows[key]?.row }

  /// Remembers a row as the store has it.
  mutating func remember(_ key: Key, _ row: Row) {
    guard keeping > 0, rows[key] == nil else { return }
    rows[key] = (row, 0, true)
    order.append((0, key))
  }

  mutating func set(_ key: Key, _ row: Row, at position: Int64) {
    if let known = rows[key] {
      if known.gathered { changed.append(key) }
      if known.position != position { order.append((position, key)) }
    } else {
      changed.append(key)
      order.append((position, key))
    }
    rows[key] = (row, position, false)
  }

  /// The rows changed since the last call, each once with its last value, in order of first change.
  mutating func gather() -> [Row] {
    defer { changed.removeAll(keepingCapacity: true) }
    return changed.compactMap { key in
      rows[key]?.gathered = true
      return rows[key]?.row
    }
  }

  mutating func committed(upTo position: Int64) {
    while rows.count > keeping, let first = order.first, first.position <= position {
      order.removeFirst()
      if let row = rows[first.key], row.position <= position { rows[first.key] = nil }
    }
    // A row that changes again and again stands in the order once for each change; only its last
    // place counts.
    if order.count > 2 * rows.count + 1_024 {
      order.removeAll { place in rows[place.key]?.position != place.position }
    }
  }

  /// Every row known here that satisfies the condition, in no order. It walks them all: for rare
  /// questions.
  func all(where condition: (Row) -> Bool) -> [Row] { rows.values.map(\.row).filter(condition) }

  var count: Int { rows.count }
}

/// Which rows that are not yet known to be committed stand under something they are looked up by.
/// It may name one that has moved on since: whoever asks looks at the row.
struct Secondary<Key: Hashable & Sendable, Member: Hashable & Sendable>: Sendable {
  private var members: [Key: [Member: Int64]] = [:]
  private var order: Deque<(position: Int64, key: Key, member: Member)> = []

  /// In no order.
  func callAsFunction(_ key: Key) -> [Member] { members[key].map { Array($0.keys) } ?? [] }

  mutating func note(_ member: Member, under key: Key, at position: Int64) {
    guard members[key, default: [:]].updateValue(position, forKey: member) != position else {
      return
    }
    order.append((position, key, member))
  }

  mutating func committed(upTo position: Int64) {
    while let first = order.first, first.position <= position {
      order.removeFirst()
      guard members[first.key]?[first.member] == first.position else { continue }
      members[first.key]?[first.member] = nil
      if members[first.key]?.isEmpty == true { members[first.key] = nil }
    }
  }
}

/// The last so many of a kind.
struct Recent<Key: Hashable & Sendable>: Sendable {
  let capacity: Int
  private var members: Set<Key> = []
  private var order: Deque<Key> = []

  init(capacity: Int) { self.capacity = capacity }

  mutating func insert(_ key: Key) {
    guard members.insert(key).inserted else { return }
    order.append(key)
    if order.count > capacity { members.remove(order.removeFirst()) }
  }

  func contains(_ key: Key) -> Bool { members.contains(key) }
}

/// The last so many of a kind, each with a value.
struct RecentMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  let capacity: Int
  private var values: [Key: Value] = [:]
  private var order: Deque<Key> = []

  init(capacity: Int) { self.capacity = capacity }

  subscript(key: Key) -> Value? { values[key] }

  mutating func set(_ key: Key, _ value: Value) {
    if values.updateValue(value, forKey: key) == nil { order.append(key) }
    if order.count > capacity { values[order.removeFirst()] = nil }
  }
}
