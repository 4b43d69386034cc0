import Expressions
import Foundation
import Rules
import Server

/// Facts, conditions and folders for `throughline bench rules`.
enum RulesLoad {
  struct Fault: Error, CustomStringConvertible {
    var description: String
    init(_ text: String) { description = text }
  }

  static let fourClauses = """
    session.channel == "chat" && customer.attributes.tier == "gold" \
    && conversation.fields.order.total > 100 && "german" in handoff.skills
    """

  /// The facts of a chat in the middle of a working day.
  static var facts: Facts {
    var facts = Facts()
    facts[.sessionChannel] = .string("chat")
    facts[.customerKnown] = .bool(true)
    facts[.customerAttributes] = .map(
      MapValue([("tier", .string("gold")), ("since", .int(2_019))]))
    facts[.conversationIntent] = .string("return")
    facts[.conversationFields] = .map(
      MapValue([("order", .map(MapValue([("total", .int(120)), ("country", .string("de"))])))]))
    facts[.handoffSkills] = .list([.string("german"), .string("returns")])
    return facts
  }

  static func compile(_ source: String) throws -> Program {
    switch Expression.compile(source, Fact.environment(zone: { _ in nil }), expecting: .bool) {
    case .success(let program): return program
    case .failure(let faults): throw Fault("\(source): \(faults)")
    }
  }

  /// Rules told apart by an equality, of which the last but one matches.
  static func set(_ count: Int) throws -> RuleSet {
    var rules: [Rule] = []
    for at in 0..<(count - 1) {
      let intent = at == count - 2 ? "return" : "intent-\(at)"
      let when = try compile(
        "conversation.intent == '\(intent)' && customer.attributes.tier == 'gold'")
      rules.append(Rule(name: "rule \(at)", when: when, outcome: .route(Plan(queue: "support"))))
    }
    rules.append(Rule(name: "else", when: nil, outcome: .route(Plan(queue: "support"))))
    return try RuleSet(version: "", rules: rules, skills: [])
  }

  /// A workspace with so many rules in ten files.
  static func folder(_ count: Int) throws -> String {
    let url = FileManager.default.temporaryDirectory.appending(
      path: "throughline-rules-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: url.appending(path: "rules"), withIntermediateDirectories: true)
    func write(_ name: String, _ text: String) throws {
      try text.write(to: url.appending(path: name), atomically: false, encoding: .utf8)
    }
    try write("workspace.yaml", "title: Bench\n")
    try write("queues.yaml", "support:\n")
    for file in 0..<10 {
      let rules = (0..<count / 10).map { at in
        "- name: rule \(file)-\(at)\n  when: conversation.intent == 'intent-\(file)-\(at)' && customer.known\n"
          + "  route: { queue: support, priority: 3 }\n"
      }
      try write("rules/\(file).yaml", rules.joined())
    }
    try write("rules/last.yaml", "- name: everyone\n  route: { queue: support }\n")
    return url.path
  }

  static func remove(_ folder: String) {
    do { try FileManager.default.removeItem(atPath: folder) } catch {
      Log.fault("removing \(folder)", "\(error)")
    }
  }
}
