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
    let around = CaseSurroundings(hours.filter { !isMisread(.hours, $0.name) }, about)
    for element in section.elements(what: "a file of tests") {
      let errorsBefore = findings.errorsCount
      guard let members = element.members(["name", "given", "expect"], what: "a test") else {
        continue
      }
      var facts = members["given"]?.facts() ?? Facts()
      if let held = members["given"] { checkNames(held) }
      let given = members["given"] ?? element
      // Nobody knows what else would be given.
      let isMisread = findings.errorsCount > errorsBefore
      let missing = facts[.sessionChannel] == nil ? [ImpossibleFact.withoutChannel] : []
      let impossible = facts.impossible(
        about, skills: skillNames,
        serving: {
          self.isMisread(.agent) || self.agentNames == nil ? nil : self.serving($0).count
        })
      for found in missing + impossible where !isMisread {
        (given.member(found.path) ?? given).report(
          found.message + ImpossibleFact.sentence, hint: found.hint, severity: .warning)
      }
      for found in facts.complete(around) where !isMisread {
        (given.member(found.path) ?? given).report(
          found.sentence, hint: Contradiction.hint, severity: .warning)
      }
      let named = members["name"]?.text(what: "a test's name")
      guard let name = named, let expect = members["expect"] else {
        if members["name"] == nil || members["expect"] == nil {
          element.report("a test needs `name`, `given` and `expect`")
        }
        if let expect = members["expect"], !expect.isNull { _ = readExpected(expect) }
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
      let test = RuleTest(
        name: name, place: "\(element.file.path):\(element.line)", facts: facts,
        expected: readExpected(expect))
      if facts[.now] == nil {
        let place = members["name"] ?? element
        timeless.append((place, given.member(Fact.hours.name) ?? place, test))
      }
      tests.append(test)
    }
  }

  static let expectKeys = [
    "rule", "queue", "priority", "skills", "prefer_skills", "prefer", "exclude", "service_level",
    "answer",
    "hand_back", "reject", "leave_message", "steps", "agents", "teams", "exclude_teams", "tags",
    "wanted_skills", "language", "weight",
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
      case "exclude", "agents":
        let names = held.oneOrMore(what: key).compactMap { $0.reference(agentNames, what: "agent") }
        return (key, names.expectation)
      case "teams", "exclude_teams":
        let names = held.oneOrMore(what: key).compactMap { $0.reference(teamNames, what: "team") }
        return (key, names.expectation)
      case "tags":
        return (
          key, held.oneOrMore(what: key).compactMap { $0.text(what: key) }.expectation
        )
      case "priority": return held.whole(-10_000...10_000, what: key).map { (key, String($0)) }
      case "steps" where held.isSequence:
        return (Decision.stepsListed, steps(held).expectation)
      case "wanted_skills", "language":
        return held.node.scalar?.string == "none"
          ? (key, "none")
          : held.choice(Rule.Taking.self, what: key).map { (key, $0.rawValue) }
      case "weight": return held.whole(0...1_000, what: key).map { (key, String($0)) }
      case "steps": return held.whole(0...10_000, what: key).map { (key, String($0)) }
      case "prefer": return preferred(held).map { (key, $0) }
      case "service_level": return held.duration(what: key).map { (key, "\($0 / 1_000) s") }
      default: return held.text(what: key).map { (key, $0) }
      }
    }
  }
}

extension WorkspaceReader {
  /// `last for 90 s`, with any way of writing a length of time.
  private func preferred(_ section: Section) -> String? {
    guard let text = section.text(what: "prefer") else { return nil }
    let parts = text.split(separator: " ", maxSplits: 2).map(String.init)
    // `90 s` is `90s`.
    guard parts.count == 3, parts[1] == "for", let span = Span(parts[2].filter { $0 != " " }),
      span.seconds >= 0
    else {
      section.report(
        "prefer is an agent and a time, and this is \(section.shape)",
        hint: "write it as `last for 90s`")
      return nil
    }
    return "\(parts[0]) for \(span.seconds) s"
  }

  /// Queues and hours that a test speaks of and nobody asks would be given in vain, and it would
  /// pass without trying anything.
  private func checkNames(_ given: Section) {
    for entry in given.entries(what: "given") {
      switch entry.name {
      case Fact.queues.name: entry.value.checkKeys(queueNames, what: "queue")
      case Fact.hours.name: entry.value.checkKeys(hoursNames, what: "set of hours")
      case "session" where entry.value.isMapping:
        for member in entry.value.entries(what: "session") where member.name == "channel" {
          checkChannel(member.value)
        }
      case Fact.sessionChannel.name: checkChannel(entry.value)
      default: break
      }
    }
  }

  private func checkChannel(_ section: Section) {
    // What is no text has been told of where the facts were read.
    guard section.node.scalar != nil else { return }
    _ = section.reference(Set(Self.channels), what: "channel")
  }
}

extension Section {
  /// Reports keys that are none of the known names.
  fileprivate func checkKeys(_ known: Set<String>?, what: String) {
    guard isMapping else { return }
    for entry in entries(what: what) { _ = entry.key.reference(known, what: what) }
  }
}

extension [String] {
  /// Sorted: who or what is named first makes no difference.
  var expectation: String { isEmpty ? "none" : sorted().joined(separator: ", ") }
}

extension [Plan.SkillNeed] {
  /// Sorted, so that the order in a file does not matter.
  var expectation: String { map { "\($0.name) ≥ \($0.level)" }.expectation }
}
