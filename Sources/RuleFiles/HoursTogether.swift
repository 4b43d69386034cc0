import Model
import Rules

/// Which sets of hours are open together, at every moment for which they are spelt out: at no other
/// moment within that time can anything else be so.
struct HoursTogether {
  let names: [String]
  /// Whether each of them is open, once for each way that there is.
  let ways: [[Bool]]
  private let hours: [HoursConfiguration]
  private let from: Instant
  private let until: Instant

  /// No more openings and closings are gone through, and no more ways kept: of more, nothing is known.
  private static let changesMax = 200_000
  private static let waysMax = 4_096

  /// Nil where there are too many to go through.
  ///
  /// - Parameter now: where time begins if there are no hours.
  init?(_ hours: [HoursConfiguration], now: Instant) {
    guard hours.reduce(0, { $0 + 2 * $1.open.count }) <= Self.changesMax else { return nil }
    let from = hours.map(\.expandedFrom).max() ?? now
    let until = hours.map(\.expandedUntil).min() ?? now + .seconds(731 * 86_400)
    (self.hours, self.from, self.until) = (hours, from, until)
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
    (names, ways) = (hours.map(\.name), found)
  }

  /// The beginning of every hour, and every moment between at which hours open or close, each with the
  /// number of its way.
  func moments() -> [(at: Instant, way: Int)] {
    let hour: Int64 = 3_600_000
    let first = Instant(milliseconds: from.milliseconds / hour * hour)
    let hourly = sequence(first: first) { $0 + .seconds(3_600) }.prefix { $0 < until }
    let changes = hours.lazy.flatMap { $0.open.lazy.flatMap { [$0.start, $0.end] } }
      .filter { $0.milliseconds % hour != 0 && $0 < until }
    let numbers = Dictionary(zip(ways, ways.indices), uniquingKeysWith: { first, _ in first })
    return ([from] + hourly + Set(changes).sorted()).compactMap { at in
      guard at >= from, let way = numbers[hours.map { $0.isOpen(at: at) }] else { return nil }
      return (at, way)
    }
  }
}
