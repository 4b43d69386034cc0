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
    init(_ seed: Int, asksTime: Bool) {
      generator = Seeded(seed)
      self.asksTime = asksTime
    }

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
      switch Int.random(in: 0..<(asksTime ? 7 : 4), using: &generator) {
      case 4: return "now.getHours(\"UTC\") >= \(one(of: ["6", "16", "22"]))"
      case 5: return "now.getDayOfWeek() in [0, 6] && \(hours())"
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
          "- name: t\(number)\n  given: { session: { channel: phone }, conversation: { intent: \(one(of: ["x", "y", "z"])) }\(given) }\n"
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
      let moments = Self.different(workspace.hours, asksTime)
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

  /// Of all moments at which hours open or close, or an hour begins, those that differ in what is open,
  /// or in the hour and the day.
  private static func different(_ hours: [HoursConfiguration], _ asksTime: Bool) -> [Instant] {
    let from = hours.map(\.expandedFrom).max() ?? Instant(milliseconds: 0)
    let until = hours.map(\.expandedUntil).min() ?? Instant(milliseconds: 0)
    var all = [from] + hours.flatMap { $0.open.flatMap { [$0.start, $0.end] } }
    if asksTime {
      let first = from.milliseconds / 3_600_000
      all += (first...until.milliseconds / 3_600_000).map { Instant(milliseconds: $0 * 3_600_000) }
    }
    var seen: Set<[Int64]> = []
    return all.filter { moment in
      let hourOfWeek = asksTime ? moment.milliseconds / 3_600_000 % 168 : 0
      return moment >= from && moment < until
        && seen.insert(hours.map { $0.isOpen(at: moment) ? 1 : 0 } + [hourOfWeek]).inserted
    }
  }
}
