import Expressions
import Rules

/// What a condition says that means something else than it seems to.
extension WorkspaceReader {
  func lintMeanings(_ condition: Program, _ section: Section) {
    for (node, length) in condition.lengthsAsNumbers() {
      let isSum = if case .call = condition.syntax.nodes[length] { true } else { false }
      let text = condition.text(of: length)
      report(
        node, of: condition, section, "`int` counts the nanoseconds of a length of time",
        hint: "for seconds write `\(isSum ? "(\(text))" : text).getSeconds()`", severity: .warning)
    }
    for (node, number) in condition.numbersAsLengths() {
      report(
        node, of: condition, section, "`duration` of a number counts nanoseconds",
        hint: "for seconds write `duration(\"\(number)s\")`", severity: .warning)
    }
    lintArithmetic(condition, section)
    for (node, presence) in condition.comparisonsWithNull() {
      report(
        node, of: condition, section,
        "what is missing is not null: this is true only where somebody told `null`",
        hint:
          "`!\(presence.hasPrefix("has(") ? presence : "(\(presence))")` asks whether it is missing",
        severity: .warning)
    }
  }

  private func lintArithmetic(_ condition: Program, _ section: Section) {
    guard findings.hasRoom else { return }
    let environment = Fact.environment(zone: SystemZones.table)
    let found = condition.looseArithmetic { Expression.isTyped($0, environment, as: .bool) }
    for loose in found {
      let hint =
        loose.meant.map {
          "write `\($0)`" + (loose.isWhole ? ", which leaves out what stands behind the point" : "")
        }
        ?? "make both of one kind: `double(…)` beside numbers as 2.0, or `int(…)`, which leaves out what stands behind the point"
      report(
        loose.node, of: condition, section,
        "`\(loose.told)` may be told as 90 or as 90.5, and arithmetic takes two numbers of one kind only",
        hint: hint, severity: .warning)
    }
  }

  /// For whoever asks for a stranger where there is none.
  func hintOfKnown(_ condition: Program) -> String? {
    guard condition.slotsRead.contains(Fact.customerKnown.rawValue),
      condition.constantOutcome(Self.strangersInChats) == nil
    else { return nil }
    return "whoever comes by chat is known: opening it made them so"
  }

  /// As if a chat's customer might be one whom nobody knows.
  private static let strangersInChats: Premises = {
    var premises = Fact.premises
    premises.valuesAt = [:]
    return premises
  }()
}
