import Rules

/// What queues do with cases that they do not keep, where it is hardly meant or cannot be done.
extension WorkspaceReader {
  func lintOverflow() {
    for queue in queues {
      guard let place = places["queue \(queue.name)"] else { continue }
      if queue.closed != nil, queue.hours == nil {
        place.report("`closed` never happens: this queue has no `hours`", severity: .warning)
      }
      switch queue.waitMax?.then {
      case .reject?:
        place.report(
          "a case that waits already cannot be refused, so it waits on after `max_wait`",
          hint:
            "`then` can be { queue: … }, { answer: … }, { hand_back: … } or { leave_message: … }",
          severity: .warning)
      case .queue?, .answer?, .handBack?, .leaveMessage?, nil: break
      }
      if let circle = circle(from: queue) {
        place.report(
          "while all of \(circle.joined(separator: ", ")) are closed their cases go round in a circle, and stay in the last",
          severity: .warning)
      }
    }
  }

  /// - Units: queues. No more are followed from each, so that thousands are read in no time.
  private static let circleMax = 100

  /// Queues that pass on to one another when closed, if the one named first is the least of them.
  private func circle(from queue: QueueConfiguration) -> [String]? {
    var names = [queue.name]
    var at = queue
    var seen: Set<String> = []
    while case .queue(let next)? = at.closed, let found = self.queue(next) {
      if next == queue.name { return names.count > 1 && names.min() == queue.name ? names : nil }
      // Round in a circle that this queue only leads into, or further than is worth telling.
      guard seen.insert(next).inserted, names.count < Self.circleMax else { return nil }
      names.append(next)
      at = found
    }
    return nil
  }
}
