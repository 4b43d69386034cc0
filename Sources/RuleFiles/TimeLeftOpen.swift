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
  var hoursTold: [String: Bool] {
    guard case .map(let told)? = self[.hours] else { return [:] }
    var found: [String: Bool] = [:]
    for case (.string(let name), .bool(let isOpen)) in zip(told.keys, told.values) {
      found[name] = isOpen
    }
    return found
  }

  /// Every moment and length of time that they tell, also as a text or a number.
  fileprivate var timesTold: [Turns.Milliseconds] {
    slots.flatMap { $0?.times ?? [] }
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
    /// Whether this rule takes the case, and another thing becomes of it, rests on more of the time than
    /// can be looked at.
    case perhaps(String)
  }

  private let rules: RuleSet
  private let hoursNames: [String]
  private let together: HoursTogether?
  /// - Units: steps of conditions, for all that is asked together; about ten million a second.
  private var stepsLeft: Int
  /// The same for what is looked at moment by moment.
  private var stepsByMomentLeft: Int
  /// By the rule's place among all.
  private var turns: [Int: Turns] = [:]
  /// Found out once; nil within where it would take too long.
  private var timeline: Timeline??
  /// - Units: steps, for what is made of a moment beside.
  private static let stepsPerMoment = 20

  init(_ rules: RuleSet, _ hours: [HoursConfiguration], now: Instant, steps: Int) {
    self.init(rules, hours, HoursTogether(hours, now: now), steps: steps)
  }

  init(
    _ rules: RuleSet, _ hours: [HoursConfiguration], _ together: HoursTogether?, steps: Int
  ) {
    self.rules = rules
    (hoursNames, self.together) = (hours.map(\.name), together)
    (stepsLeft, stepsByMomentLeft) = (steps, steps)
  }

  /// - Parameter result: what is asked of a decision.
  /// - Returns: nil where that could not be found out.
  mutating func answer<Result: Hashable>(
    _ facts: Facts, _ result: (Decision) -> Result
  ) -> Answer? {
    let told = facts.hoursTold
    let here = rules.evaluate(facts, from: &stepsLeft)
    var found: [(decision: Decision, result: Result)] = []
    var byTime: [Undecided] = []
    let own = together?.ways(with: told) ?? [[]]
    var branches = own.isEmpty ? [] : [(told: told, ways: own)]
    while let branch = branches.popLast() {
      stepsLeft -= Self.stepsPerMoment + hoursNames.count + branch.ways.count / 16
      var there = facts
      there[.hours] = .map(MapValue(branch.told.map { ($0, .bool($1)) }))
      there.setUnknown(hoursNames, of: .hours)
      there.setUnknown(.now)
      let undecided = rules.undecided(there, from: &stepsLeft)
      let decision = rules.evaluate(there, from: &stepsLeft)
      guard stepsLeft > 0 else { return nil }
      // Of all hours only those are told apart on which anything rests.
      if let number = Self.needed(undecided.map(\.needs), decision, hoursNames) {
        guard together != nil else { return nil }
        for isOpen in [false, true] {
          let ways = branch.ways.filter { $0[number] == isOpen }
          var told = branch.told
          told[hoursNames[number]] = isOpen
          if !ways.isEmpty { branches.append((told, ways)) }
        }
        continue
      }
      byTime += undecided.lazy.filter { $0.needs.contains(Fact.now.name) }
        .map { Undecided(at: $0.at, there: there) }
      found.append((decision, result(decision)))
    }
    return byTime.isEmpty
      ? compare(found, with: here, result(here), told)
      : answerByMoment(facts, told, here, byTime, result)
  }

  /// A rule of which it rests on the moment itself whether it takes a case.
  private struct Undecided {
    var at: Int
    /// The case while so much is known of its hours.
    var there: Facts
  }

  /// The first hours that are not told apart yet, and must be.
  private static func needed(_ needs: [[String]], _ decision: Decision, _ names: [String]) -> Int? {
    let prefix = Fact.hours.name + "."
    let ofRules = needs.lazy.joined().filter { $0.hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.utf8.count)) }
    let ofQueues = decision.hoursAsked.lazy.filter { $0.isOpen == nil }.map(\.name)
    return (ofRules.first ?? ofQueues.first).flatMap { names.firstIndex(of: $0) }
  }

  /// The same where a rule asks for the moment itself: at one moment of each kind that there is.
  private mutating func answerByMoment<Result: Hashable>(
    _ facts: Facts, _ told: [String: Bool], _ here: Decision, _ byTime: [Undecided],
    _ result: (Decision) -> Result
  ) -> Answer? {
    guard let together, let timeline = timelineOfAll(together) else { return nil }
    let asking = Set(byTime.map(\.at)).map { turnsOf($0) }
    var isWhole = asking.allSatisfy(\.isWhole)
    // What each test tells of moments and lengths of time is its own.
    let sums = Set(asking.flatMap(\.sums).filter(Turns.isOfCase))
    var ownMoments: [Int64] = []
    if !sums.isEmpty {
      let values = Set(facts.timesTold + asking.flatMap(\.named))
      let found = Turns.moments(sums, Array(values), most: Self.ownMomentsMax)
      if found == nil { isWhole = false }
      stepsByMomentLeft -= values.count + (found?.count ?? Self.ownMomentsMax)
      ownMoments = (found ?? []).filter(together.isWithin).sorted()
      if !ownMoments.isEmpty { stepsByMomentLeft -= timeline.moments.count / 16 }
    }
    let open = together.ways.map { way -> Value? in
      let own = zip(together.names, way)
      guard own.allSatisfy({ told[$0] ?? $1 == $1 }) else { return nil }
      return .map(MapValue(own.map { ($0, .bool($1)) }))
    }
    var there = facts
    var seen: Set<Decision> = []
    var found: [(decision: Decision, result: Result)] = []
    for (at, way) in timeline.different(ownMoments) {
      guard let open = open[way] else { continue }
      (there[.hours], there[.now]) = (open, .timestamp(Timestamp(milliseconds: at)))
      stepsByMomentLeft -= Self.stepsPerMoment
      let decision = rules.evaluate(there, from: &stepsByMomentLeft)
      guard stepsByMomentLeft > 0 else { return nil }
      guard seen.insert(decision).inserted else { continue }
      found.append((decision, result(decision)))
      // No other moment changes that.
      if compare(found, with: here, result(here), told) == .rule { return .rule }
    }
    let answer = compare(found, with: here, result(here), told)
    return isWhole ? answer : self.answer(answer, byTime, result(here), result)
  }
  private static let ownMomentsMax = 20_000

  /// What can be said where there may be moments of other kinds.
  private mutating func answer<Result: Hashable>(
    _ answer: Answer, _ byTime: [Undecided], _ here: Result, _ result: (Decision) -> Result
  ) -> Answer? {
    for one in byTime {
      let decision = rules.decision(one.at, one.there)
      stepsLeft -= Self.stepsPerMoment
      guard stepsLeft > 0 else { return nil }
      switch answer {
      case .nothing where result(decision) != here: return .perhaps(decision.rule)
      // Also where that is the taker: at another moment it may not be.
      case .ruleAtAllTimes: return .perhaps(decision.rule)
      case .hours(let names, atAllTimes: true): return .hours(names, atAllTimes: false)
      default: continue
      }
    }
    return answer
  }

  private mutating func turnsOf(_ at: Int) -> Turns {
    if let known = turns[at] { return known }
    let made = rules.rules[at].when?.turns(of: Fact.now.rawValue) ?? Turns()
    turns[at] = made
    return made
  }

  private mutating func timelineOfAll(_ together: HoursTogether) -> Timeline? {
    if let timeline { return timeline }
    var all: [(program: Program, turns: Turns)] = []
    for (at, rule) in rules.rules.enumerated() {
      guard let when = rule.when, when.slotsRead.contains(Fact.now.rawValue) else { continue }
      all.append((when, turnsOf(at)))
    }
    let made = Timeline(all, together)
    timeline = .some(made)
    return made
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
    guard !timeless.isEmpty else { return }
    let start = Instant(milliseconds: Int64(now.timeIntervalSince1970 * 1_000))
    let together = HoursTogether(hours, now: start)
    var impossible: Set<Int> = []
    for (number, one) in timeless.enumerated() where !findings.isFull {
      guard let found = together?.contradiction(in: one.test.facts.hoursTold) else { continue }
      impossible.insert(number)
      one.hours.report(
        found.message + ImpossibleFact.sentence, hint: found.hint, severity: .warning)
    }
    guard !rules.asked.isDisjoint(with: [.now, .hours]) || queues.contains(where: \.mayClose)
    else { return }
    var times = TimeLeftOpen(rules, hours, together, steps: Self.timesStepsMax)
    var unknown: [Section] = []
    for (number, one) in timeless.enumerated() where !findings.isFull {
      guard !impossible.contains(number), let left = one.test.facts.timeLeftOut else { continue }
      var facts = one.test.facts
      facts.completeQueues(rules.quietQueues)
      guard let answer = times.answer(facts, { rules.actual(one.test.expected, $0) }) else {
        unknown.append(one.place)
        continue
      }
      guard let what = answer.words else { continue }
      one.place.report(
        "\(what), and the test gives \(left)", hint: Self.hintOfTime, severity: .warning)
    }
    guard let first = unknown.first else { return }
    let others =
      switch unknown.count {
      case 1: "this"
      case 2: "this test and another"
      default: "this test and \(unknown.count - 1) others"
      }
    first.report(
      "whether anything rests on the time is not looked at for \(others), which would take too long",
      hint: Self.hintOfTime, severity: .warning)
  }

  private static let hintOfTime = "give `now`: which hours are open follows from it"

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
    case .perhaps(let name):
      return
        "whether `\(name)` takes this may rest on the time, of which it asks more than can be looked at"
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
    case .rule, .ruleAtAllTimes, .perhaps:
      guard let words = answer?.words else { break }
      explanation.decision.passedOn.insert("\(words), and the facts give \(left)", at: 0)
    case nil:
      explanation.decision.passedOn.insert(
        "whether anything of this rests on the time is not looked at, which would take too long, and the facts give \(left)",
        at: 0)
    case .nothing, .hours: break
    }
    return explanation
  }
}
