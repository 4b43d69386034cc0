import Model
import Rules

/// What queues do with cases that they do not keep, where it is hardly meant or cannot be done.
extension WorkspaceReader {
  func lintOverflow() {
    for queue in queues where !isMisread(.queue, queue.name) {
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
    }
    lintCircles()
  }

  /// Queues that pass cases on to one another. Asked where a case begins, `closed` and
  /// `max_waiting` lead on; for what waits already, `closed` and `max_wait` do.
  private func lintCircles() {
    for circle in circles(\.closed, \.waitingMax?.then) where mayBeClosed(circle.closedOnly) {
      let why = [
        circle.isAnyFirst ? "closed" : nil, circle.isAnySecond ? "full" : nil,
      ].compactMap(\.self).joined(separator: " or ")
      places["queue \(circle.names[0])"]?.report(
        "while all of \(circle.names.joined(separator: ", ")) are \(why) their cases go round in a circle, and stay in the last",
        severity: .warning)
    }
    for circle in circles(\.closed, \.waitMax?.then)
    where circle.isAnySecond && mayBeClosed(circle.closedOnly) {
      var (round, closed) = (0, [String]())
      for name in circle.names {
        if let wait = queue(name)?.waitMax, case .queue = wait.then {
          round += wait.limit
        } else {
          closed.append(name)
        }
      }
      let when =
        closed.isEmpty
        ? ""
        : "while \(closed.joined(separator: ", ")) \(closed.count == 1 ? "is" : "are") closed, "
      places["queue \(circle.names[0])"]?.report(
        "\(when)what waits goes round in a circle of \(circle.names.joined(separator: ", ")) by `max_wait` until an agent takes it, once in \(round) s",
        hint:
          "its timeline tells of each move; to stop, one of them keeps what waits, hands it back or lets callers leave a message",
        severity: .warning)
    }
  }

  private struct Circle {
    /// From the one that is named first, in the order in which cases go round.
    var names: [String]
    /// Whether cases leave one of them by the first way, by the second.
    var isAnyFirst: Bool
    var isAnySecond: Bool
    /// Those that cases leave by the first way alone.
    var closedOnly: [String]
  }

  /// Whether there is a moment, of those for which hours are spelt out, at which all of these queues
  /// are closed.
  private func mayBeClosed(_ names: [String]) -> Bool {
    var (from, until) = (Instant(milliseconds: .min), Instant(milliseconds: .max))
    var open: [HoursConfiguration.Interval] = []
    for name in names {
      // Of what could not be read enough has been said.
      guard let own = queue(name)?.hours, !isMisread(.hours, own),
        let hours = self.hours.first(where: { $0.name == own })
      else { return false }
      (from, until) = (max(from, hours.expandedFrom), min(until, hours.expandedUntil))
      open += hours.open
    }
    guard !names.isEmpty else { return true }
    var covered = from
    for interval in open.sorted(by: { $0.start < $1.start }) {
      if interval.start > covered { return true }
      covered = max(covered, interval.end)
    }
    return covered < until
  }

  private typealias Way = KeyPath<QueueConfiguration, QueueConfiguration.Overflow?>

  /// Circles of at least two queues by two ways on: the shortest through the first of all that
  /// lead to one another.
  private func circles(_ first: Way, _ second: Way) -> [Circle] {
    let indices = Dictionary(
      queues.indices.map { (queues[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
    let next = queues.map { queue in
      isMisread(.queue, queue.name)
        ? [nil, nil]
        : [first, second].map { way -> Int? in
          if case .queue(let name)? = queue[keyPath: way] { indices[name] } else { nil }
        }
    }
    let edges = next.map { $0.compactMap(\.self) }
    return Self.knots(edges).compactMap { knot in
      guard let start = knot.min(by: { queues[$0].name < queues[$1].name }) else { return nil }
      let round = Self.shortestRound(from: start, within: Set(knot), edges)
      let pairs = zip(round, round.dropFirst() + [start])
      return Circle(
        names: round.map { queues[$0].name },
        isAnyFirst: pairs.contains { next[$0][0] == $1 },
        isAnySecond: pairs.contains { next[$0][1] == $1 },
        closedOnly: pairs.filter { next[$0][1] != $1 }.map { queues[$0.0].name })
    }
  }

  /// All that lead to one another, two and more of them (Tarjan's strongly connected components),
  /// without recursion: a chain may be as long as there are queues.
  private static func knots(_ next: [[Int]]) -> [[Int]] {
    var found: [[Int]] = []
    var number = Array(repeating: -1, count: next.count)
    var least = number
    var isOpen = Array(repeating: false, count: next.count)
    var path: [Int] = []
    var count = 0
    for root in next.indices where number[root] < 0 {
      var calls = [(node: root, at: -1)]
      while let (node, at) = calls.last {
        calls[calls.count - 1].at += 1
        if at < 0 {
          (number[node], least[node], isOpen[node]) = (count, count, true)
          count += 1
          path.append(node)
        } else if at < next[node].count {
          let other = next[node][at]
          if number[other] < 0 {
            calls.append((other, -1))
          } else if isOpen[other] {
            least[node] = min(least[node], number[other])
          }
        } else {
          calls.removeLast()
          if let above = calls.last?.node { least[above] = min(least[above], least[node]) }
          guard least[node] == number[node], let start = path.lastIndex(of: node) else { continue }
          for member in path[start...] { isOpen[member] = false }
          if path.count - start > 1 { found.append(Array(path[start...])) }
          path.removeSubrange(start...)
        }
      }
    }
    return found
  }

  /// The shortest way from a node back to itself.
  private static func shortestRound(from start: Int, within knot: Set<Int>, _ next: [[Int]])
    -> [Int]
  {
    var before: [Int: Int] = [:]
    var queue = [start]
    var at = 0
    while at < queue.count {
      let node = queue[at]
      at += 1
      for other in next[node] where knot.contains(other) {
        if other == start, node != start {
          var round = [node]
          while let last = before[round[round.count - 1]] { round.append(last) }
          return round.reversed()
        }
        guard other != start, before[other] == nil else { continue }
        before[other] = node
        queue.append(other)
      }
    }
    return [start]
  }
}
