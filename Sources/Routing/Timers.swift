import Model

/// What a timer is about: one timer for each conversation's session, case, offer and agent, at the
/// earliest of the instants that concern it. The raw value orders timers of one instant: offers
/// time out before a case takes a step, and both before an agent's lease ends.
enum TimerKind: UInt8 {
  case offer = 0
  case caseDue = 1
  case session = 2
  case agent = 3
  case queue = 4
  case conversation = 5
}

/// All timers: a heap for each kind, so that the seconds of an offer are not sorted among the days
/// of sessions.
///
/// Order: instant, then kind, then the owner's own number. All three come from the rows, so that
/// timers of one instant fire in the same order in a process that was rebuilt.
struct Timers: Sendable {
  private var heaps = [TimerHeap](repeating: TimerHeap(), count: 6)

  static func order(_ kind: TimerKind, _ number: UInt64) -> UInt64 {
    UInt64(kind.rawValue) << 56 | (number & 0x00FF_FFFF_FFFF_FFFF)
  }

  var first: TimerHeap.Entry? {
    var first: TimerHeap.Entry?
    for kind in heaps.indices {
      guard let next = heaps[kind].first else { continue }
      if first.map({ TimerHeap.less(next, $0) }) ?? true { first = next }
    }
    return first
  }

  @inline(__always) func instant(_ kind: TimerKind, _ slot: Int32) -> Int64? {
    heaps[Int(kind.rawValue)].instant(slot)
  }

  mutating func set(_ kind: TimerKind, _ slot: Int32, number: UInt64, at: Instant) {
    heaps[Int(kind.rawValue)].set(
      .init(at: at.milliseconds, order: Self.order(kind, number), slot: slot))
  }

  mutating func cancel(_ kind: TimerKind, _ slot: Int32) { heaps[Int(kind.rawValue)].cancel(slot) }
}

/// A 4-ary heap of instants with a place for each owner, so that a timer can be moved and
/// cancelled.
struct TimerHeap: Sendable {
  struct Entry {
    var at: Int64
    /// Kind in the top byte, the owner's sequence or handle below.
    var order: UInt64
    var slot: Int32
    var kind: TimerKind { TimerKind(rawValue: UInt8(truncatingIfNeeded: order >> 56)) ?? .offer }
  }
  private var heap: [Entry] = []
  private var places: [Int32] = []

  var first: Entry? { heap.first }

  func instant(_ slot: Int32) -> Int64? {
    let place = placeOf(slot)
    return place < 0 ? nil : heap[place].at
  }

  @inline(__always) private func placeOf(_ slot: Int32) -> Int {
    Int(slot) < places.count ? Int(places[Int(slot)]) : -1
  }

  mutating func set(_ entry: Entry) {
    let place = placeOf(entry.slot)
    if place >= 0 {
      let earlier = Self.less(entry, heap[place])
      heap[place] = entry
      if earlier { up(place) } else { down(place) }
      return
    }
    while places.count <= Int(entry.slot) { places.append(-1) }
    heap.append(entry)
    up(heap.count - 1)
  }

  mutating func cancel(_ slot: Int32) {
    let place = placeOf(slot)
    guard place >= 0 else { return }
    places[Int(slot)] = -1
    let gone = heap[place]
    let last = heap.removeLast()
    guard place < heap.count else { return }
    heap[place] = last
    if Self.less(last, gone) { up(place) } else { down(place) }
  }

  @inline(__always) static func less(_ a: Entry, _ b: Entry) -> Bool {
    a.at == b.at ? a.order < b.order : a.at < b.at
  }
  @inline(__always) private mutating func note(_ place: Int) {
    places[Int(heap[place].slot)] = Int32(truncatingIfNeeded: place)
  }

  private mutating func up(_ start: Int) {
    var place = start
    let entry = heap[place]
    while place > 0 {
      let parent = (place - 1) >> 2
      guard Self.less(entry, heap[parent]) else { break }
      heap[place] = heap[parent]
      note(place)
      place = parent
    }
    heap[place] = entry
    note(place)
  }

  private mutating func down(_ start: Int) {
    var place = start
    let entry = heap[place]
    while true {
      let first = place << 2 + 1
      guard first < heap.count else { break }
      var least = first
      for child in (first + 1)..<max(first + 1, min(first + 4, heap.count))
      where Self.less(heap[child], heap[least]) {
        least = child
      }
      guard Self.less(heap[least], entry) else { break }
      heap[place] = heap[least]
      note(place)
      place = least
    }
    heap[place] = entry
    note(place)
  }
}
