/// Things that a lane does later and that belong to no connection. Few at a time.
extension LaneLoop {
  struct Delayed {
    var deadline: Int64
    var work: (LaneLoop) -> Void
  }

  /// Runs `work` on this lane after so many milliseconds, late by a little, never early.
  public func after(milliseconds: Int, _ work: @escaping (LaneLoop) -> Void) {
    let deadline = nowMilliseconds + Int64(max(milliseconds, 1))
    // Latest first, and of equals the younger first, so that the end of the array is always next.
    let place = delayed.firstIndex { $0.deadline <= deadline } ?? delayed.count
    delayed.insert(Delayed(deadline: deadline, work: work), at: place)
  }

  func runDelayed() -> Bool {
    var any = false
    while let next = delayed.last, next.deadline <= nowMilliseconds {
      delayed.removeLast()
      next.work(self)
      any = true
    }
    return any
  }
}
