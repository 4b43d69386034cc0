import Expressions
import Rules

/// The time for which hours are spelt out, as far as rules tell one moment from another.
struct Timeline {
  /// What is so from this moment on until the next.
  struct Moment {
    /// - Units: milliseconds since 1970.
    var at: Int64
    /// Of `HoursTogether.ways`.
    var way: Int
    /// The same for moments at which the same hours are open, and all that conditions ask of the moment
    /// alone comes to the same.
    var kind: Int
  }

  private(set) var moments: [Moment] = []
  /// The first of each kind.
  private var firsts: [Int] = []

  private static let momentsMax = 200_000
  /// What is asked of the moment alone, at all moments: about a second.
  private static let asksMax = 3_000_000

  /// - Parameter all: the conditions that ask for the moment.
  /// - Returns: nil where that would take too long.
  init?(_ all: [(program: Program, turns: Turns)], _ together: HoursTogether) {
    let sums = Set(all.flatMap(\.turns.sums).filter { !Turns.isOfCase($0) })
    guard let named = Turns.moments(sums, [], most: Self.momentsMax),
      let found = together.moments(
        Set(all.flatMap(\.turns.grids)), named, most: Self.momentsMax)
    else { return nil }
    var texts: Set<String> = []
    var parts: [(program: Program, node: Int)] = []
    for (program, turns) in all {
      for node in turns.parts where texts.insert(program.text(of: node)).inserted {
        parts.append((program, node))
      }
    }
    guard found.count * max(parts.count, 1) <= Self.asksMax else { return nil }
    var facts = Facts()
    var kinds: [[Int]: Int] = [:]
    var others: [String: Int] = [:]
    for (at, way) in found {
      facts[.now] = .timestamp(Timestamp(milliseconds: at))
      var key = [way]
      for (program, node) in parts {
        switch program.value(ofPart: node, facts.slots) {
        case .bool(let bool): key += [0, bool ? 1 : 0]
        case .int(let int): key += [1, Int(int)]
        case .error: key += [2, 0]
        case let value:
          let text = "\(value)"
          let number = others[text] ?? others.count
          others[text] = number
          key += [3, number]
        }
      }
      let kind = kinds[key] ?? kinds.count
      if kinds.updateValue(kind, forKey: key) == nil { firsts.append(moments.count) }
      moments.append(Moment(at: at, way: way, kind: kind))
    }
  }

  /// One moment of each kind, before, between and behind others.
  ///
  /// - Parameter others: in order, within the time.
  func different(_ others: [Int64]) -> [(at: Int64, way: Int)] {
    guard !others.isEmpty else { return firsts.map { (moments[$0].at, moments[$0].way) } }
    var found: [(at: Int64, way: Int)] = []
    var seen: Set<Int> = []
    var next = 0
    for (number, moment) in moments.enumerated() {
      func take(_ at: Int64) {
        if seen.insert(moment.kind).inserted { found.append((at, moment.way)) }
      }
      let end = number + 1 < moments.count ? moments[number + 1].at : Int64.max
      take(moment.at)
      while next < others.count, others[next] < end {
        seen.removeAll(keepingCapacity: true)
        take(others[next])
        next += 1
      }
    }
    return found
  }
}
