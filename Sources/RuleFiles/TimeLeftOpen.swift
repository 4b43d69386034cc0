import Expressions
import Foundation
import Model
import Rules

/// What rests on the time, where facts do not say when it is. They are then absent, as in no real
/// case.
extension Facts {
  /// - Returns: what of the time is left open, in words; nil where `now` is given, or open on purpose.
  fileprivate var timeLeftOut: String? {
    guard self[.now] == nil else { return nil }
    return self[.hours] == nil ? "neither `now` nor `hours`" : "no `now`"
  }

  /// What they say of hours.
  fileprivate var hoursTold: [String: Bool] {
    guard case .map(let told)? = self[.hours] else { return [:] }
    var found: [String: Bool] = [:]
    for case (.string(let name), .bool(let isOpen)) in zip(told.keys, told.values) {
      found[name] = isOpen
    }
    return found
  }
}

/// What becomes of a case whose facts do not say when it is, at each time at which what they say of
/// hours is so.
struct TimeLeftOpen {
  enum Answer: Equatable {
    /// The same as without a time.
    case nothing
    /// Which rule takes the case is another at one time than at another.
    case rule
    /// At all times this one takes it, and without a time another.
    case ruleAtAllTimes(String)
    /// A queue on its way is closed by these, at some time or at all times.
    case hours([String], atAllTimes: Bool)
  }

  private let rules: RuleSet
  private let together: HoursTogether?
  /// - Units: steps of conditions, for all that is asked together; about ten million a second.
  private var stepsLeft: Int
  /// The same for what is looked at hour by hour, and how many moments may be.
  private var stepsByHourLeft: Int
  private var momentsLeft: Int
  /// What is looked at then; found out once.
  private var moments: [(at: Instant, way: Int)]?
  /// - Units: steps, for what is made of a moment beside.
  private static let stepsPerMoment = 20

  init(_ rules: RuleSet, _ hours: [HoursConfiguration], now: Instant, steps: Int) {
    self.rules = rules
    (stepsLeft, stepsByHourLeft, momentsLeft) = (steps, steps, steps / 10)
    together = HoursTogether(hours, now: now)
  }

  /// - Parameter result: what is asked of a decision.
  /// - Returns: nil where that could not be found out.
  mutating func answer<Result: Hashable>(
    _ facts: Facts, _ result: (Decision) -> Result
  ) -> Answer? {
    guard let together else { return nil }
    let told = facts.hoursTold
    let here = rules.evaluate(facts, from: &stepsLeft)
    var found: [(decision: Decision, result: Result)] = []
    var asksHour = false
    let own = together.ways.filter { way in
      zip(together.names, way).allSatisfy { told[$0] ?? $1 == $1 }
    }
    var branches = own.isEmpty ? [] : [(told: told, ways: own)]
    while let branch = branches.popLast() {
      stepsLeft -= Self.stepsPerMoment + together.names.count + branch.ways.count / 16
      var there = facts
      there[.hours] = .map(MapValue(branch.told.map { ($0, .bool($1)) }))
      there.setUnknown(together.names, of: .hours)
      there.setUnknown(.now)
      let undecided = rules.undecided(there, from: &stepsLeft)
      let decision = rules.evaluate(there, from: &stepsLeft)
      guard stepsLeft > 0 else { return nil }
      // Of all hours only those are told apart on which anything rests.
      if let number = Self.needed(undecided.map(\.needs), decision, together.names) {
        for isOpen in [false, true] {
          let ways = branch.ways.filter { $0[number] == isOpen }
          var told = branch.told
          told[together.names[number]] = isOpen
          if !ways.isEmpty { branches.append((told, ways)) }
        }
        continue
      }
      let byTime = undecided.filter { $0.needs.contains(Fact.now.name) }.map(\.rule)
      // Of more than hours and days nobody knows all that it may come to.
      guard byTime.allSatisfy({ $0.when?.asksHourAndDay(of: Fact.now.rawValue) ?? true }) else {
        return .rule
      }
      if !byTime.isEmpty { asksHour = true }
      found.append((decision, result(decision)))
    }
    return asksHour
      ? answerByHour(facts, told, together, here, result)
      : compare(found, with: here, result(here), told)
  }

  /// The first hours that are not told apart yet, and must be.
  private static func needed(_ needs: [[String]], _ decision: Decision, _ names: [String]) -> Int? {
    let prefix = Fact.hours.name + "."
    let ofRules = needs.lazy.joined().filter { $0.hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.utf8.count)) }
    let ofQueues = decision.hoursAsked.lazy.filter { $0.isOpen == nil }.map(\.name)
    return (ofRules.first ?? ofQueues.first).flatMap { names.firstIndex(of: $0) }
  }

  /// The same where a rule asks for the hour or the day itself: at every hour.
  private mutating func answerByHour<Result: Hashable>(
    _ facts: Facts, _ told: [String: Bool], _ together: HoursTogether,
    _ here: Decision, _ result: (Decision) -> Result
  ) -> Answer? {
    let all = moments ?? together.moments()
    moments = all
    let open = together.ways.map { way -> Value? in
      let own = zip(together.names, way)
      guard own.allSatisfy({ told[$0] ?? $1 == $1 }) else { return nil }
      return .map(MapValue(own.map { ($0, .bool($1)) }))
    }
    var there = facts
    var seen: Set<Decision> = []
    var found: [(decision: Decision, result: Result)] = []
    for (at, way) in all {
      guard let open = open[way] else { continue }
      (there[.hours], there[.now]) = (open, .timestamp(Timestamp(milliseconds: at.milliseconds)))
      momentsLeft -= 1
      let decision = rules.evaluate(there, from: &stepsByHourLeft)
      guard momentsLeft > 0, stepsByHourLeft > 0 else { return nil }
      guard seen.insert(decision).inserted else { continue }
      found.append((decision, result(decision)))
      // No other moment changes that.
      if compare(found, with: here, result(here), told) == .rule { return .rule }
    }
    return compare(found, with: here, result(here), told)
  }

  private func compare<Result: Hashable>(
    _ found: [(decision: Decision, result: Result)], with here: Decision, _ result: Result,
    _ told: [String: Bool]
  ) -> Answer {
    let others = found.filter { $0.result != result }
    guard !others.isEmpty else { return .nothing }
    let takers = Set(found.map(\.decision.rule))
    guard takers.count == 1, let taker = takers.first else { return .rule }
    if taker != here.rule { return .ruleAtAllTimes(taker) }
    // As few as there are: what else is closed at another time need not be.
    let closing = others.map { other in
      other.decision.hoursAsked.filter { $0.isOpen == false && told[$0.name] == nil }.map(\.name)
    }
    let isAtAllTimes = others.count == found.count && Set(found.map(\.result)).count == 1
    return .hours(
      closing.min { $0.count < $1.count } ?? [], atAllTimes: isAtAllTimes)
  }
}

extension QueueConfiguration {
  fileprivate var mayClose: Bool { hours != nil && closed != nil }
}

extension WorkspaceReader {
  /// Tests that at another hour might fail, or have what comes at no time.
  func lintTimes(_ rules: RuleSet) {
    guard !rules.asked.isDisjoint(with: [.now, .hours]) || queues.contains(where: \.mayClose)
    else { return }
    let start = Instant(milliseconds: Int64(now.timeIntervalSince1970 * 1_000))
    var times = TimeLeftOpen(rules, hours, now: start, steps: Self.timesStepsMax)
    for (place, test) in timeless where !findings.isFull {
      guard let left = test.facts.timeLeftOut else { continue }
      var facts = test.facts
      facts.completeQueues(rules.quietQueues)
      let answer = times.answer(facts) { rules.actual(test.expected, $0) }
      guard let what = answer?.words else { continue }
      place.report(
        "\(what), and the test gives \(left)",
        hint: "give `now`: which hours are open follows from it", severity: .warning)
    }
  }

  /// - Units: steps of conditions for all tests together, about a second.
  private static let timesStepsMax = 10_000_000
}

extension TimeLeftOpen.Answer {
  /// Nil where nothing rests on the time.
  fileprivate var words: String? {
    switch self {
    case .nothing: return nil
    case .rule: return "which rule takes this rests on the time"
    case .ruleAtAllTimes(let name): return "whenever that is, `\(name)` takes this"
    case .hours(let names, let isAtAllTimes):
      let named = names.map { "`\($0)`" }.joined(separator: " and ")
      return isAtAllTimes
        ? "whenever that is, the hours \(named) are closed, and what becomes of this is another"
        : "what becomes of this rests on the hours \(named)"
    }
  }
}

extension WorkspaceFolder {
  private struct Taken: Hashable {
    var rule: String
    var outcome: Outcome
  }

  /// What becomes of facts that somebody states, with a line where that rests on a time which they
  /// do not.
  public static func explain(_ facts: Facts, by workspace: CheckedWorkspace) -> Explanation {
    var explanation = workspace.rules.explain(facts)
    guard let left = facts.timeLeftOut else { return explanation }
    var times = TimeLeftOpen(
      workspace.rules, workspace.hours,
      now: Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)),
      steps: RuleSet.stepsPerCaseMax)
    let answer = times.answer(facts) { Taken(rule: $0.rule, outcome: $0.outcome) }
    switch answer {
    case .nothing where !explanation.isUndecided:
      // That a queue is taken for open makes no difference.
      let assumed = explanation.decision.hoursAsked.compactMap(\.assumption)
      explanation.decision.passedOn.removeAll(where: assumed.contains)
    case .rule, .ruleAtAllTimes:
      guard let words = answer?.words else { break }
      explanation.decision.passedOn.insert("\(words), and the facts give \(left)", at: 0)
    case .nothing, .hours, nil: break
    }
    return explanation
  }
}
