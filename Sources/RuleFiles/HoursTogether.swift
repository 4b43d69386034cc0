import Model
import Rules

/// Which sets of hours are open together, at every moment for which they are spelt out: at no other
/// moment within that time can anything else be so.
struct HoursTogether {
  /// All sets of hours, and whether each is open, once for each way that there is.
  let ways: [[(name: String, isOpen: Bool)]]

  /// No more openings and closings are gone through, and no more ways kept: of more, nothing is known.
  private static let changesMax = 200_000
  private static let waysMax = 4_096

  /// Nil where there are too many to go through.
  init?(_ hours: [HoursConfiguration]) {
    guard hours.reduce(0, { $0 + 2 * $1.open.count }) <= Self.changesMax else { return nil }
    let from = hours.map(\.expandedFrom).max() ?? Instant(milliseconds: 0)
    let until = hours.map(\.expandedUntil).min() ?? Instant(milliseconds: 1)
    var changes: [(at: Instant, number: Int, isOpen: Bool)] = []
    for (number, one) in hours.enumerated() {
      for interval in one.open where interval.start < until {
        changes.append((interval.start, number, true))
        if interval.end < until { changes.append((interval.end, number, false)) }
      }
    }
    changes.sort { $0.at < $1.at }
    var state = Array(repeating: false, count: hours.count)
    var seen: Set<[Bool]> = []
    var found: [[Bool]] = []
    var at = 0
    while true {
      // What is so until the next change.
      let isWithin = at == changes.count || changes[at].at > from
      if isWithin, seen.insert(state).inserted { found.append(state) }
      guard at < changes.count, found.count <= Self.waysMax else { break }
      let moment = changes[at].at
      while at < changes.count, changes[at].at == moment {
        state[changes[at].number] = changes[at].isOpen
        at += 1
      }
    }
    guard found.count <= Self.waysMax else { return nil }
    ways = found.map { state in zip(hours, state).map { ($0.name, $1) } }
  }
}
