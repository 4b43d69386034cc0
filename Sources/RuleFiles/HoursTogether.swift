import Expressions
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
  /// - Parameter now: where time begins: hours are spelt out from the day before.
  init?(_ hours: [HoursConfiguration], now: Instant) {
    guard hours.reduce(0, { $0 + 2 * $1.open.count }) <= Self.changesMax else { return nil }
    // What is said must not rest on the second in which somebody asks.
    let minute = Instant(milliseconds: now.milliseconds / 60_000 * 60_000)
    let from = (hours.map(\.expandedFrom) + [minute]).max() ?? minute
    let until = hours.map(\.expandedUntil).min() ?? minute + .seconds(731 * 86_400)
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

  /// Whether any of them may be open, and closed, as is said.
  func ways(with told: [String: Bool]) -> [[Bool]] {
    ways.filter { way in zip(names, way).allSatisfy { told[$0] ?? $1 == $1 } }
  }

  /// Every moment at which hours open or close, or one of the grids' comes, and those of `others` that
  /// are within the time, in order, each with the number of its way.
  ///
  /// - Parameter others: milliseconds since 1970.
  /// - Returns: nil where there are more than `most`.
  func moments(_ grids: Set<Turns.Grid>, _ others: [Int64], most: Int) -> [(at: Int64, way: Int)]? {
    let (from, until) = (self.from.milliseconds, self.until.milliseconds)
    var all: Set<Int64> = [from]
    for one in hours {
      for interval in one.open {
        all.insert(interval.start.milliseconds)
        all.insert(interval.end.milliseconds)
      }
    }
    for grid in grids {
      all.formUnion(
        grid.moments(from: from, until: until, most: most, zone: SystemZones.table))
      guard all.count <= most else { return nil }
    }
    all.formUnion(others)
    let numbers = Dictionary(zip(ways, ways.indices), uniquingKeysWith: { first, _ in first })
    return all.filter { $0 >= from && $0 < until }.sorted().compactMap { at in
      numbers[hours.map { $0.isOpen(at: Instant(milliseconds: at)) }].map { (at, $0) }
    }
  }

  func isWithin(_ milliseconds: Int64) -> Bool {
    milliseconds >= from.milliseconds && milliseconds < until.milliseconds
  }
}

extension HoursTogether {
  /// What is said of hours that are never so together, as few of them as there are.
  func contradiction(in told: [String: Bool]) -> (message: String, hint: String)? {
    let known = names.indices.filter { told[names[$0]] != nil }
    func isSeen(_ chosen: [Int]) -> Bool {
      ways.contains { way in chosen.allSatisfy { way[$0] == told[names[$0]] } }
    }
    guard !isSeen(known) else { return nil }
    var fewest = known
    for one in known {
      let fewer = fewest.filter { $0 != one }
      if !isSeen(fewer) { fewest = fewer }
    }
    let said = fewest.map { "`\(Fact.hours.name).\(names[$0])` is \(told[names[$0]] ?? false)" }
    let (first, others) = (fewest.first.map { names[$0] } ?? "", said.dropFirst())
    let value = fewest.first.flatMap { told[names[$0]] } ?? false
    let beside = others.isEmpty ? "" : " while \(others.joined(separator: " and "))"
    return (
      "`\(Fact.hours.name).\(first)` is never \(value)\(beside)",
      "so it is at every moment of the two years to come"
    )
  }
}
