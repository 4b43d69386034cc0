import Expressions
import Rules

/// Rules that can never be reached, since earlier ones take everything that they would.
extension WorkspaceReader {
  func lintOrder() {
    let whole = rules.filter { !isMisread(.rule, $0.key) }
    // By place, since two rules may bear one name until somebody mends that.
    for rule in rules where !isMisread(.condition, rule.key) {
      judgedNumbers[rule.key] = judged.add(rule.when)
    }
    // By their bytes: as texts some that only look alike are one.
    var seen: [[UInt8]: Rule] = [:]
    var byNumber: [Int: Rule] = [:]
    for rule in whole {
      guard let number = judgedNumbers[rule.key], let place = places["rule \(rule.key)"] else {
        continue
      }
      byNumber[number] = rule
      let condition = Array((rule.when?.syntax.text ?? "true").utf8)
      if let twin = seen[condition] {
        if twin.name != rule.name { lintTwins(twin, rule, place) }
        continue
      }
      seen[condition] = rule
      guard let when = rule.when, !findings.isFull else { continue }
      // That nothing below it is reached is told where it stands.
      defer { if !isAlwaysTrue(when, number) { judged.file(number) } }
      let takers = judged.takers(of: number)
      if takers.count == 1, judged.isSame(takers[0], number), let twin = byNumber[takers[0]] {
        lintTwins(twin, rule, place)
      } else if !takers.isEmpty {
        lintTaken(takers.compactMap { byNumber[$0] }, place)
      }
    }
  }

  func isAlwaysTrue(_ condition: Program, _ number: Int) -> Bool {
    judged.outcomes(of: number).isAlwaysTrue || condition.plainOutcome == true
  }

  private func lintTaken(_ takers: [Rule], _ place: Section) {
    let named = takers.prefix(8).map { "`\($0.name)`" }
    let names =
      named.count == 1
      ? named[0] : named.dropLast().joined(separator: ", ") + " and " + (named.last ?? "")
    place.report(
      "this rule is never reached: whatever it would take, \(names) \(takers.count == 1 ? "takes" : "take") before",
      hint: takers.count == 1
        ? "\(takers[0].place) asks less and comes first: move this rule above it"
        : "each of them comes first: move this rule above them", severity: .warning)
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
