import Expressions
import Foundation
import Rules

/// What rules cost, for `throughline bench rules`.
public enum RuleBench {
  public struct Measure: Sendable {
    public var name: String
    public var measure: String
    public var value: Double
    public var unit: String
  }

  /// - Parameter repetitions: how often each is measured; the least time counts, since all else is noise.
  public static func run(repetitions: Int = 5) -> [Measure] {
    var found = [condition(repetitions)]
    for count in [10, 100, 1_000, 10_000] { found.append(route(count, repetitions)) }
    found.append(load(10_000))
    found.append(contentsOf: folder(10_000))
    return found
  }

  /// The facts of a chat in the middle of a working day.
  static func facts() -> Facts {
    var facts = Facts()
    facts[.sessionChannel] = .string("chat")
    facts[.customerKnown] = .bool(true)
    facts[.customerAttributes] = .map(MapValue([("tier", .string("gold")), ("since", .int(2_019))]))
    facts[.conversationIntent] = .string("return")
    facts[.conversationFields] = .map(
      MapValue([("order", .map(MapValue([("total", .int(120)), ("country", .string("de"))])))]))
    facts[.handoffSkills] = .list([.string("german"), .string("returns")])
    return facts
  }

  private static func compile(_ source: String) -> Program? {
    try? Expression.compile(source, Fact.environment(zone: { _ in nil }), expecting: .bool).get()
  }

  private static func condition(_ repetitions: Int) -> Measure {
    let source = """
      session.channel == "chat" && customer.attributes.tier == "gold" \
      && conversation.fields.order.total > 100 && "german" in handoff.skills
      """
    let slots = facts().slots
    var nanoseconds = 0.0
    if let program = compile(source) {
      nanoseconds = best(repetitions, of: 200_000) {
        if program.evaluate(slots) != .bool(true) { return false }; return true
      }
    }
    return Measure(name: "four clauses on nested facts", measure: "evaluate", value: nanoseconds, unit: "ns")
  }

  /// Rules told apart by an equality, of which the last but one matches.
  private static func route(_ count: Int, _ repetitions: Int) -> Measure {
    var rules: [Rule] = []
    for at in 0..<(count - 1) {
      let intent = at == count - 2 ? "return" : "intent-\(at)"
      let when = compile("conversation.intent == '\(intent)' && customer.attributes.tier == 'gold'")
      rules.append(Rule(name: "rule \(at)", when: when, outcome: .route(Plan(queue: "support"))))
    }
    rules.append(Rule(name: "else", when: nil, outcome: .route(Plan(queue: "support"))))
    let facts = facts()
    var microseconds = 0.0
    if let set = try? RuleSet(version: "", rules: rules, skills: []) {
      microseconds = best(repetitions, of: 20_000) { set.evaluate(facts).ruleIndex == count - 2 } / 1_000
    }
    return Measure(name: "rules=\(count)", measure: "route", value: microseconds, unit: "us")
  }

  private static func load(_ count: Int) -> Measure {
    let environment = Fact.environment(zone: { _ in nil })
    let clock = ContinuousClock()
    var compiled = 0
    let time = clock.measure {
      for at in 0..<count {
        let source =
          "conversation.intent == 'intent-\(at)' && customer.attributes.tier == 'gold' || now - now < duration('5m')"
        if case .success = Expression.compile(source, environment, expecting: .bool) { compiled += 1 }
      }
    }
    let value = compiled == count ? milliseconds(time) : 0
    return Measure(name: "rules=\(count)", measure: "parse and check conditions", value: value, unit: "ms")
  }

  /// The whole road from YAML to a checked set.
  private static func folder(_ count: Int) -> [Measure] {
    let url = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString)")
    // Left behind, it would only take room in the folder for such things.
    defer { try? FileManager.default.removeItem(at: url) }
    do {
      try FileManager.default.createDirectory(
        at: url.appending(path: "rules"), withIntermediateDirectories: true)
      try "title: Bench\n".write(
        to: url.appending(path: "workspace.yaml"), atomically: false, encoding: .utf8)
      try "support:\n".write(to: url.appending(path: "queues.yaml"), atomically: false, encoding: .utf8)
      for file in 0..<10 {
        let text = (0..<count / 10).map { at in
          "- name: rule \(file)-\(at)\n  when: conversation.intent == 'intent-\(file)-\(at)' && customer.known\n"
            + "  route: { queue: support, priority: 3 }\n"
        }.joined()
        try text.write(to: url.appending(path: "rules/\(file).yaml"), atomically: false, encoding: .utf8)
      }
      let last = "- name: everyone\n  route: { queue: support }\n"
      try last.write(to: url.appending(path: "rules/last.yaml"), atomically: false, encoding: .utf8)
    } catch {
      return []
    }
    var isWhole = false
    let time = ContinuousClock().measure { isWhole = WorkspaceFolder.load(url.path).workspace != nil }
    guard isWhole else { return [] }
    return [
      Measure(
        name: "rules=\(count)", measure: "load and check a folder", value: milliseconds(time), unit: "ms")
    ]
  }

  /// - Returns: nanoseconds of one call. The work must say true, so that it cannot be left out.
  private static func best(_ repetitions: Int, of count: Int, _ work: () -> Bool) -> Double {
    let clock = ContinuousClock()
    var least = Double.infinity
    for _ in 0..<max(repetitions, 1) {
      var right = true
      let time = clock.measure { for _ in 0..<count where !work() { right = false } }
      if right { least = min(least, milliseconds(time) * 1_000_000 / Double(count)) }
    }
    return least
  }

  private static func milliseconds(_ time: Duration) -> Double {
    Double(time.components.seconds) * 1_000 + Double(time.components.attoseconds) / 1e15
  }
}
