import Expressions
import Rules
import Yams

/// A case that stands beside the rules: facts, and what should come of them.
public struct RuleTest: Sendable {
  public var name: String
  public var place: String
  public var facts: Facts
  /// Each expectation as its key and the text that it must equal.
  public var expected: [(key: String, value: String)]
}

extension WorkspaceReader {
  func readTests(_ section: Section) {
    for element in section.elements(what: "a file of tests") {
      guard let members = element.members(["name", "given", "expect"], what: "a test") else {
        continue
      }
      guard let name = members["name"]?.text(what: "a test's name"), let expect = members["expect"]
      else {
        element.report("a test needs `name`, `given` and `expect`")
        continue
      }
      if !testNames.insert(name).inserted {
        members["name"]?.report("another test is named `\(name)`, too", severity: .warning)
      }
      if case .mapping(let expected) = expect.node, expected.isEmpty {
        expect.report("this test expects nothing, so it cannot fail", hint: "say a rule or a queue")
      } else if expect.isNull {
        expect.report("this test expects nothing, so it cannot fail", hint: "say a rule or a queue")
        continue
      }
      let facts = members["given"]?.facts() ?? Facts()
      tests.append(
        RuleTest(
          name: name, place: "\(element.file.path):\(element.line)", facts: facts,
          expected: readExpected(expect)))
    }
  }

  static let expectKeys = [
    "rule", "queue", "priority", "skills", "prefer_skills", "prefer", "exclude", "service_level",
    "answer",
    "hand_back", "reject", "leave_message", "steps", "agents", "teams", "exclude_teams", "tags",
  ]

  private func readExpected(_ section: Section) -> [(key: String, value: String)] {
    guard let members = section.members(Self.expectKeys, what: "expect") else { return [] }
    return Self.expectKeys.compactMap { key in
      guard let held = members[key] else { return nil }
      switch key {
      case "rule": return held.reference(ruleNames, what: "rule").map { (key, $0) }
      case "queue": return held.reference(queueNames, what: "queue").map { (key, $0) }
      case "skills", "prefer_skills":
        return (key, needs(held, what: key, known: skillNames).expectation)
      case "exclude", "agents", "teams", "exclude_teams", "tags":
        return (
          key, held.oneOrMore(what: key).compactMap { $0.text(what: key) }.expectation
        )
      case "service_level": return held.duration(what: key).map { (key, "\($0 / 1_000) s") }
      default: return held.text(what: key).map { (key, $0) }
      }
    }
  }
}

extension [String] {
  /// Sorted: who or what is named first makes no difference.
  var expectation: String { sorted().joined(separator: ", ") }
}

extension [Plan.SkillNeed] {
  /// Sorted, so that the order in a file does not matter.
  var expectation: String { map { "\($0.name) ≥ \($0.level)" }.sorted().joined(separator: ", ") }
}
