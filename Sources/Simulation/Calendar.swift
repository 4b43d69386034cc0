/// What is still to happen, soonest first; what falls on the same moment in the order in which it
/// was entered.
struct Calendar<Moment: Comparable, What> {
  private struct Line {
    var at: Moment
    var number: UInt64
    var what: What
    func isBefore(_ other: Line) -> Bool {
      at < other.at || (at == other.at && number < other.number)
    }
  }
  private var heap: [Line] = []
  private var entered: UInt64 = 0

  var isEmpty: Bool { heap.isEmpty }
  var count: Int { heap.count }
  var next: Moment? { heap.first?.at }

  mutating func enter(_ what: What, at moment: Moment) {
    entered += 1
    heap.append(Line(at: moment, number: entered, what: what))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].isBefore(heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Drops what will not happen any more; the rest keeps its order.
  mutating func keep(where isWanted: (What) -> Bool) {
    heap.removeAll { !isWanted($0.what) }
    // Sorted, it is a heap.
    heap.sort { $0.isBefore($1) }
  }

  mutating func take() -> (at: Moment, what: What)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (first.at, first.what)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].isBefore(heap[least]) { least = child }
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  /// Whatever suits is taken out, in no particular order.
  mutating func removeAll(where suits: (What) -> Bool) {
    let kept = heap.filter { !suits($0.what) }.sorted { $0.isBefore($1) }
    heap = kept  // sorted is a heap
  }
}
