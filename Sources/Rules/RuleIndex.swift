import Expressions

/// Finds the rules that can match at all. A rule whose condition demands that a fact equal a text
/// is filed under that text; the others are always tried. So a thousand rules told apart by one
/// fact cost a handful of trials.
///
/// Leaving a rule out is sound: `false && anything` is false, and an absent fact makes the part an
/// error, which never becomes true in a conjunction.
struct RuleIndex: Sendable {
  private struct File: Sendable {
    var demand: Demand
    var rules: [String: [Int]]
  }
  private var files: [File] = []
  private var always: [Int] = []

  init(_ rules: [Rule]) {
    // The fact that files the most rules first, so that there are few files to look into.
    var counts: [Demand: Int] = [:]
    let demands = rules.map { $0.when?.textDemands() ?? [] }
    for demand in demands.joined() { counts[demand.demand, default: 0] += 1 }
    var positions: [Demand: Int] = [:]
    for (at, options) in demands.enumerated() {
      let best = options.max { counts[$0.demand, default: 0] < counts[$1.demand, default: 0] }
      guard let best, counts[best.demand, default: 0] >= 4 else {
        always.append(at)
        continue
      }
      let file = positions[best.demand] ?? files.count
      if file == files.count {
        files.append(File(demand: best.demand, rules: [:]))
        positions[best.demand] = file
      }
      files[file].rules[best.text, default: []].append(at)
    }
  }

  /// What a decision may cost at most: every rule that is always tried, and of each fact the text
  /// whose rules cost the most.
  ///
  /// - Units: steps, as `Program.estimatedCost`.
  func costMax(_ rules: [Rule]) -> Int {
    func cost(_ tried: [Int]) -> Int {
      tried.reduce(0) { $0.addingSaturated(rules[$1].when?.estimatedCost ?? 0) }
    }
    return files.reduce(cost(always)) { sum, file in
      sum.addingSaturated(file.rules.values.map(cost).max() ?? 0)
    }
  }

  func candidates(_ facts: Facts) -> Candidates {
    var lists = [always[...]]
    for file in files {
      guard case .string(let text)? = file.demand.value(facts.slots), let found = file.rules[text]
      else {
        continue
      }
      lists.append(found[...])
    }
    return Candidates(lists: lists)
  }

  /// Rules in their order, merged from ascending lists.
  struct Candidates {
    var lists: [ArraySlice<Int>]

    mutating func next() -> Int? {
      var best: (list: Int, rule: Int)?
      for list in lists.indices {
        if let rule = lists[list].first, rule < best?.rule ?? .max { best = (list, rule) }
      }
      guard let best else { return nil }
      lists[best.list].removeFirst()
      return best.rule
    }
  }
}

extension Int {
  fileprivate func addingSaturated(_ other: Int) -> Int {
    let (sum, isOver) = addingReportingOverflow(other)
    return isOver ? .max : sum
  }
}
