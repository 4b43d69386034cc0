/// What is still to happen, soonest first; what falls on the same moment in the order in which it
/// was entered.
struct Calendar<Moment: Comparable, What> {
  /// What happens lies beside the heap, or each step through it would copy it.
  private struct Line {
    var at: Moment
    var number: UInt64
    var place: Int
    func isBefore(_ other: Line) -> Bool {
      at < other.at || (at == other.at && number < other.number)
    }
  }
  private var heap: [Line] = []
  private var entered: UInt64 = 0
  private var happenings: [What?] = []
  private var free: [Int] = []

  var isEmpty: Bool { heap.isEmpty }
  var count: Int { heap.count }
  var next: Moment? { heap.first?.at }

  mutating func enter(_ what: What, at moment: Moment) {
    entered += 1
    let place = free.popLast() ?? happenings.count
    if place == happenings.count { happenings.append(what) } else { happenings[place] = what }
    let line = Line(at: moment, number: entered, place: place)
    heap.append(line)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard line.isBefore(heap[parent]) else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = line
  }

  mutating func take() -> (at: Moment, what: What)? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    if !heap.isEmpty { sink(last) }
    guard let what = letGo(first) else { return nil }
    return (first.at, what)
  }

  /// Drops what will not happen any more; the rest keeps its order.
  mutating func keep(where isWanted: (What) -> Bool) {
    var kept: [Line] = []
    for line in heap {
      if happenings[line.place].map(isWanted) == true {
        kept.append(line)
      } else {
        _ = letGo(line)
      }
    }
    // Sorted, it is a heap.
    heap = kept.sorted { $0.isBefore($1) }
  }

  /// Whatever suits is taken out.
  mutating func removeAll(where suits: (What) -> Bool) { keep { !suits($0) } }

  private mutating func letGo(_ line: Line) -> What? {
    free.append(line.place)
    return happenings[line.place].take()
  }

  /// Puts the line at the top and lets it down to where it belongs.
  private mutating func sink(_ line: Line) {
    var parent = 0
    while true {
      var least = 2 * parent + 1
      guard least < heap.count else { break }
      if least + 1 < heap.count, heap[least + 1].isBefore(heap[least]) { least += 1 }
      guard heap[least].isBefore(line) else { break }
      heap[parent] = heap[least]
      parent = least
    }
    heap[parent] = line
  }
}
