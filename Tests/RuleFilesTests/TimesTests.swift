import Expressions
import Foundation
import Model
import PlainReference
import RuleFiles
import Rules
import Testing

/// Tests that do not say when it is, held against the plain way: each is run at every moment at which
/// any hours open or close, as if it gave that moment as `now`.
struct `A test that gives no time` {
  private static let workspaces = 100
  private static let testsEach = 6
  private static let zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]
  private static let clocks = [
    "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "UTC",
  ]
  /// When something was, and for how long conditions ask about it.
  private static let moment = "2027-03-04T10:20:30Z"
  private static let ages = ["50h", "61m"]
  private static let weeks = [
    "{ mon-sun: \"00:00-24:00\" }", "{ mon-fri: \"09:00-17:00\" }", "{ mon-sun: \"08:00-20:00\" }",
    "{ mon-sun: [\"00:00-08:00\", \"20:00-24:00\"] }", "{ sat-sun: \"10:00-16:00\" }",
    "{ mon-thu: [\"09:00-12:00\", \"13:00-18:00\"], fri: \"09:00-15:00\" }",
    "{ mon-fri: \"17:00-22:00\", sat: \"12:00-24:00\" }",
  ]

  private struct Made {
    var generator: Seeded
    let names = ["a", "b", "c"]
    /// Whether conditions ask for the hour and the day, too.
    let asksTime: Bool
    /// Where: such that its hours begin at half and quarter hours of UTC, too, and that the clock is put
    /// forward by half an hour.
    let clock: String
    /// Whether they also ask how long ago it was.
    let asksAge: Bool
    init(_ seed: Int, asksTime: Bool) {
      generator = Seeded(seed)
      self.asksTime = asksTime
      clock = clocks[seed % clocks.count]
      asksAge = asksTime && seed % 3 == 0
    }

    private var event: String { ", customer: { events: [{ kind: a, at: \(moment) }] }" }

    mutating func one(of all: [String]) -> String {
      all[Int.random(in: all.indices, using: &generator)]
    }

    mutating func hours() -> String {
      // Most in one zone, so that what follows from one another does.
      let zone = one(of: zones)
      return names.map { name in
        let own = Int.random(in: 0..<4, using: &generator) == 0 ? one(of: zones) : zone
        let days = (0..<Int.random(in: 0...2, using: &generator)).map { number in
          "2027-0\(number + 2)-1\(Int.random(in: 0...9, using: &generator)): \(one(of: ["closed", "\"11:00-21:00\""]))"
        }
        return
          "\(name): { zone: \(own), open: \(one(of: weeks)), holidays: { \(days.joined(separator: ", ")) } }\n"
      }.joined()
    }

    mutating func condition() -> String {
      func hours() -> String {
        (Bool.random(using: &generator) ? "" : "!") + "hours." + one(of: names)
      }
      switch Int.random(in: 0..<(asksAge ? 11 : asksTime ? 8 : 4), using: &generator) {
      case 4: return "now.getHours(\"\(clock)\") >= \(one(of: ["6", "16", "22"]))"
      case 5: return "now.getDayOfWeek(\"\(clock)\") in [0, 6] && \(hours())"
      case 7:
        return
          "now.getMinutes(\"\(clock)\") >= \(one(of: ["15", "30", "45"])) && now.getHours(\"\(clock)\") == 17"
      case 8: return "now < timestamp(\"\(moment)\") && \(hours())"
      case 9: return "now - timestamp(\"\(moment)\") <= duration(\"\(one(of: ages))\")"
      case 10:
        return
          "customer.events.exists(e, now - e.at < duration(\"\(one(of: ages))\") && now > e.at)"
      case 6: return "now.getHours() < 9 || \(hours())"
      case 0: return hours()
      case 1: return "\(hours()) && \(hours())"
      case 2: return "\(hours()) || \(hours())"
      default: return "conversation.intent == \"\(one(of: ["x", "y"]))\" && \(hours())"
      }
    }

    mutating func files() -> [String: String] {
      let closed = ["{ queue: q1 }", "{ queue: q2 }", "{ answer: closed }"]
      let rules = (0..<3).map { number in
        "- name: r\(number)\n  when: '\(condition())'\n  route: { queue: \(one(of: ["q0", "q1", "q2"])), priority: \(number % 2) }\n"
      }
      let tests = (0..<(asksTime ? 4 : testsEach)).map { number in
        let told = names.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }.map {
          "\($0): \(Bool.random(using: &generator))"
        }
        let given = told.isEmpty ? "" : ", hours: { \(told.joined(separator: ", ")) }"
        return
          "- name: t\(number)\n  given: { session: { channel: phone }, conversation: { intent: \(one(of: ["x", "y", "z"])) }\(asksAge ? event : "")\(given) }\n"
          + "  expect: { \(one(of: ["rule: r0", "rule: rest", "queue: q0", "queue: q2", "priority: 0", "answer: closed"])) }\n"
      }
      return [
        "workspace.yaml": "title: x\n", "hours.yaml": hours(),
        "agents.yaml": "ann: { queues: [q0, q1, q2] }\n",
        "queues.yaml":
          "q0: { hours: \(one(of: names)), closed: \(one(of: closed)) }\n"
          + "q1: { hours: \(one(of: names)), closed: \(one(of: Array(closed.dropFirst(1)))) }\nq2:\n",
        "rules/10.yaml": rules.joined() + "- name: rest\n  route: { queue: q0 }\n",
        "tests/10.yaml": tests.joined(),
      ]
    }
  }

  /// What comes of a test at each moment at which what it says of hours is so: rule and result.
  private func results(_ test: RuleTest, _ workspace: CheckedWorkspace, _ moments: [Instant])
    -> Set<
      [String]
    >
  {
    var found: Set<[String]> = []
    for moment in moments {
      var facts = test.facts
      facts[.now] = .timestamp(Timestamp(milliseconds: moment.milliseconds))
      let around = CaseSurroundings(hours: { _ in workspace.hours }, about: workspace.workspace)
      // At another moment what is told of hours contradicts.
      if facts.complete(around).isEmpty { found.insert(result(test, facts, workspace)) }
    }
    return found
  }

  private func result(_ test: RuleTest, _ facts: Facts, _ workspace: CheckedWorkspace) -> [String] {
    var test = test
    test.facts = facts
    let failures = WorkspaceFolder.run([test], against: workspace.rules)[0].failures
    return [workspace.rules.evaluate(facts).rule] + failures.map(\.actual)
  }

  @Test(arguments: [false, true])
  func `is warned of exactly where some moment has another result`(_ asksTime: Bool) throws {
    var (warned, unwarned, atAllTimes) = (0, 0, 0)
    for seed in 0..<(asksTime ? Self.workspaces / 4 : Self.workspaces) {
      var made = Made(seed, asksTime: asksTime)
      let files = made.files()
      let loaded = WorkspaceFolder.load(
        files: files, name: "x", now: Date(timeIntervalSince1970: 1_795_641_953))
      let workspace = try #require(loaded.workspace, "\(loaded.rendered)")
      let moments = try Self.different(workspace.hours, made)
      for test in loaded.tests {
        let told = loaded.diagnostics.first {
          "\($0.file):\($0.line)" == test.place && $0.message.contains("the test gives")
        }?.message
        let here = result(test, test.facts, workspace)
        let there = results(test, workspace, moments)
        let others = there.filter { $0.dropFirst() != here.dropFirst() }
        #expect((told != nil) == !others.isEmpty, "\(seed) \(test.name): \(told ?? "–") \(files)")
        guard let told else {
          unwarned += 1
          continue
        }
        warned += 1
        if told.hasPrefix("which rule") {
          #expect(Set(there.map { $0[0] }).count > 1, "\(seed) \(told)")
        }
        guard told.hasPrefix("whenever that is") else { continue }
        atAllTimes += 1
        #expect(Set(there.map { $0[0] }).count == 1 && !there.contains(here), "\(seed) \(told)")
      }
    }
    let least = asksTime ? 10 : 100
    #expect(
      warned > least && unwarned > least && atAllTimes > least / 10,
      "\(warned) \(unwarned) \(atAllTimes)")
  }

  /// Of all moments at which hours open or close, or a quarter of an hour begins, or what was is so old,
  /// those that differ in what is open, in the day, the hour and the quarter there, or in how old it is.
  private static func different(_ hours: [HoursConfiguration], _ made: Made) throws -> [Instant] {
    let from = hours.map(\.expandedFrom).max() ?? Instant(milliseconds: 0)
    let until = hours.map(\.expandedUntil).min() ?? Instant(milliseconds: 0)
    var all = [from] + hours.flatMap { $0.open.flatMap { [$0.start, $0.end] } }
    let quarter: Int64 = 900_000
    let zone = try #require(TimeZone(identifier: made.clock))
    var turns: [Int64] = []
    if made.asksTime {
      let first = from.milliseconds / quarter
      all += (first...until.milliseconds / quarter).map { Instant(milliseconds: $0 * quarter) }
      let at = try #require(Timestamp(moment)).seconds * 1_000
      turns = made.asksAge ? ([0] + [50 * 60, 61].map { $0 * 60_000 }).map { at + $0 } : []
      all += turns.flatMap { [$0, $0 + 1] }.map(Instant.init(milliseconds:))
    }
    var seen: Set<[Int64]> = []
    return all.filter { moment in
      guard moment >= from, moment < until else { return false }
      var key = hours.map { $0.isOpen(at: moment) ? Int64(1) : 0 }
      if made.asksTime {
        let offset = zone.secondsFromGMT(
          for: Date(timeIntervalSince1970: Double(moment.milliseconds) / 1_000))
        key += [moment.milliseconds / quarter % 672, Int64(offset)]
        key += turns.map { ($0 - moment.milliseconds).signum() }
      }
      return seen.insert(key).inserted
    }
  }
}
