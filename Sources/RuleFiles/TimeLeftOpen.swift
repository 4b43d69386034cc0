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
  /// Hours that decide anything; nil for all.
  private let asked: Set<String>?
  /// - Units: steps of conditions, for all that is asked together; about ten million a second.
  private var stepsLeft: Int
  /// - Units: steps, for what is made of a moment beside.
  private static let stepsPerMoment = 20

  init(
    _ rules: RuleSet, _ hours: [HoursConfiguration], _ queues: [QueueConfiguration], now: Instant,
    steps: Int
  ) {
    self.rules = rules
    stepsLeft = steps
    asked = rules.hoursAsked?.union(queues.filter(\.mayClose).compactMap(\.hours))
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
    var seen: Set<[Bool]> = []
    var found: [(decision: Decision, result: Result)] = []
    var asksHour = false
    for way in together.ways where way.allSatisfy({ told[$0.name] ?? $0.isOpen == $0.isOpen }) {
      let isNew = seen.insert(
        way.filter { asked?.contains($0.name) ?? true }.map(\.isOpen)
      ).inserted
      guard isNew else { continue }
      stepsLeft -= Self.stepsPerMoment
      var there = facts
      there[.hours] = .map(MapValue(way.map { ($0.name, .bool($0.isOpen)) }))
      there.setUnknown(.now)
      let undecided = rules.undecided(there, by: .now, from: &stepsLeft)
      guard stepsLeft > 0 else { return nil }
      guard undecided.isEmpty else {
        // Of more than hours and days nobody knows all that it may come to.
        let isByHour = undecided.allSatisfy {
          $0.when?.asksHourAndDay(of: Fact.now.rawValue) ?? true
        }
        guard isByHour else { return .rule }
        asksHour = true
        continue
      }
      let decision = rules.evaluate(there, from: &stepsLeft)
      guard stepsLeft > 0 else { return nil }
      found.append((decision, result(decision)))
    }
    return asksHour
      ? answerByHour(facts, told, together, here, result)
      : compare(found, with: here, result(here), told)
  }

  /// The same where a rule asks for the hour or the day itself: whether some hour has another result.
  private mutating func answerByHour<Result: Hashable>(
    _ facts: Facts, _ told: [String: Bool], _ together: HoursTogether,
    _ here: Decision, _ result: (Decision) -> Result
  ) -> Answer? {
    var there = facts
    var seen: Set<Decision> = []
    var found: [(decision: Decision, result: Result)] = []
    for (at, way) in together.moments(told) {
      stepsLeft -= Self.stepsPerMoment
      there[.hours] = .map(MapValue(way.map { ($0.name, .bool($0.isOpen)) }))
      there[.now] = .timestamp(Timestamp(milliseconds: at.milliseconds))
      let decision = rules.evaluate(there, from: &stepsLeft)
      guard stepsLeft > 0 else { return nil }
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
    var times = TimeLeftOpen(rules, hours, queues, now: start, steps: Self.timesStepsMax)
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
      workspace.rules, workspace.hours, workspace.queues,
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
