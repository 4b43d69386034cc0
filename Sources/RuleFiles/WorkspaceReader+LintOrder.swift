import Expressions
import Rules

/// Rules that can never be reached, since an earlier one takes everything that they would.
extension WorkspaceReader {
  func lintOrder() {
    var seen: [String: Rule] = [:]
    let whole = rules.filter { !brokenRules.contains($0.key) }
    var takers = EarlierRules(whole)
    // By place, since two rules may bear one name until somebody mends that.
    for (number, rule) in whole.enumerated() {
      let clauses = takers.clauses[number]
      let single = clauses.count == 1 ? clauses[0].alternatives : []
      // `a == true` is `a`.
      let condition =
        single.count == 1 ? single.first ?? "" : rule.when?.syntax.text ?? "true"
      let twin = seen[condition]
      if twin == nil { seen[condition] = rule }
      let taker = twin == nil ? takers.taker(of: number) : nil
      takers.add(rule, number)
      guard let place = places["rule \(rule.key)"] else { continue }
      if let twin, twin.name != rule.name {
        lintTwins(twin, rule, place)
      } else if let taker {
        place.report(
          "this rule is never reached: whatever it would take, `\(taker.name)` takes before",
          hint: "\(taker.place) asks less and comes first: move this rule above it",
          severity: .warning)
      }
    }
  }

  /// Rules that say the same under another name, or ask the same and so are never reached.
  private func lintTwins(_ earlier: Rule, _ rule: Rule, _ place: Section) {
    if earlier.outcome == rule.outcome, earlier.wantedSkills == rule.wantedSkills,
      earlier.language == rule.language
    {
      place.report("this rule differs from `\(earlier.name)` in its name only", severity: .warning)
    } else {
      place.report(
        "this rule is never reached: `\(earlier.name)` has the same condition",
        hint: "\(earlier.place) comes first", severity: .warning)
    }
  }
}

/// Finds an earlier rule whose every clause follows from those of a later one. Each rule is filed
/// under the clause
/// that the fewest rules share, so that ten thousand rules are not compared with one another.
private struct EarlierRules {
  private var counts: [String: Int] = [:]
  private var filed: [String: [(rule: Rule, clauses: [Program.Conjunct])]] = [:]
  /// Of each rule in order.
  let clauses: [[Program.Conjunct]]
  /// Past so many comparisons of clauses for one rule the rest is let be: a warning less, and no
  /// time lost.
  private static let comparisonsMax = 10_000

  init(_ rules: [Rule]) {
    clauses = rules.map { $0.when?.conjuncts ?? [] }
    for own in clauses {
      for key in own.flatMap(Self.keys) { counts[key, default: 0] += 1 }
    }
  }

  mutating func add(_ rule: Rule, _ number: Int) {
    let own = clauses[number]
    let rarest = own.min { share($0) < share($1) }
    for key in rarest.map(Self.keys) ?? [] { filed[key, default: []].append((rule, own)) }
  }

  /// Where a clause is filed. One that bounds a number is implied by others that bound it, so it
  /// stands under what they bound; that it is some number only the same says.
  private static func keys(_ clause: Program.Conjunct) -> [String] {
    if let key = clause.boundKey, !clause.isEquality { return [key] }
    return Array(clause.alternatives)
  }

  private func share(_ clause: Program.Conjunct) -> Int {
    Self.keys(clause).reduce(0) { $0 + counts[$1, default: 0] }
  }

  func taker(of number: Int) -> Rule? {
    let own = clauses[number]
    // Most clauses of a rule that is taken stand in the other word for word.
    let said = Set(own)
    var compared = 0
    for clause in own {
      for key in [clause.alternatives.first, clause.boundKey].compactMap(\.self) {
        for (earlier, needed) in filed[key] ?? [] {
          let isTaken = needed.allSatisfy { wanted in
            compared += 1
            return said.contains(wanted)
              || own.contains { given in
                compared += 1
                return compared <= Self.comparisonsMax && wanted.isImplied(by: given)
              }
          }
          if isTaken { return earlier }
          if compared > Self.comparisonsMax { return nil }
        }
      }
    }
    return nil
  }
}
