import Expressions
import Rules

/// What a condition can hardly mean: that it is always true or never, or names what does not exist.
extension WorkspaceReader {
  /// What keeps a condition from going live that can be read.
  func checkCondition(_ rule: Rule) {
    guard let condition = rule.when, let section = conditions[rule.key] else { return }
    let cost = condition.estimatedCost
    if cost > Expression.budgetDefault {
      section.report(
        "this condition could take \(cost == .max ? "endless" : String(cost)) steps; \(Expression.budgetDefault) are allowed",
        hint: "go over fewer lists inside one another")
    }
    lintKnown(condition, section)
  }

  func lintCondition(_ rule: Rule, _ place: Section) {
    guard let condition = rule.when, let section = conditions[rule.key] else { return }
    let isAlways = judgedNumbers[rule.key].map { isAlwaysTrue(condition, $0) } ?? false
    // That the last one has a condition at all has been told.
    if isAlways, rule.key != rules.last?.key {
      section.report(
        "this condition is always true, so no rule below is reached", severity: .warning)
    }
    let before = findings.all.count
    for node in condition.selfComparisons {
      report(
        node, of: condition, section, "this compares something with itself", hint: nil,
        severity: .warning)
    }
    lintNames(condition, section)
    lintChannel(condition, section, isAlways: isAlways)
    lintFailure(condition, section)
    for node in condition.patternsWithBackspace() {
      report(
        node, of: condition, section,
        "`\\b` in a text is a backspace, which nobody writes in a mail",
        hint: "for a word's edge write `\\\\b`, or the pattern as r\"…\"", severity: .warning)
    }
    lintMeanings(condition, section)
    // What has been told says why, too.
    if findings.all.count == before, !isAlways { lintTruth(condition, section, rule) }
  }

  /// A condition that is the same whatever the case, or a part of one.
  private func lintTruth(_ condition: Program, _ section: Section, _ rule: Rule) {
    guard let number = judgedNumbers[rule.key], !findings.isFull else { return }
    let outcomes = judged.outcomes(of: number)
    if !outcomes.mayBeTrue || condition.plainOutcome == false {
      section.report(
        "this condition is always false, so the rule never matches",
        hint: condition.hintOfCounting ?? hintOfKnown(condition), severity: .warning)
    } else if outcomes.saysNothing {
      section.report(
        "this condition says something or its contrary: it is true whenever its facts are there",
        hint: "`has(…)` asks whether a fact is there", severity: .warning)
    } else if condition.slotsRead.contains(Fact.mailAutomatic.rawValue),
      condition.constantOutcome(Self.asked) == false
    {
      section.report(
        "this is true of automatic mail only, and automatic mail asks no rule",
        hint: "it is kept in the timeline, and no case is made", severity: .warning)
    } else {
      lintParts(condition, section, number)
    }
  }

  /// As rules are asked: automatic mail never comes to them.
  private static let asked: Premises = {
    var premises = Fact.premises
    premises.values[Fact.mailAutomatic.rawValue] = [.bool(false)]
    return premises
  }()

  private func lintParts(_ condition: Program, _ section: Section, _ number: Int) {
    for part in judged.idleParts(of: number, condition) {
      switch part {
      case .alwaysTrue(let node, mayFail: false):
        report(
          node, of: condition, section, "this part is always true, so it asks nothing", hint: nil,
          severity: .warning)
      case .alwaysTrue(let node, mayFail: true):
        report(
          node, of: condition, section, "this part is true whenever its facts are there",
          hint: "`has(…)` asks whether a fact is there", severity: .warning)
      case .neverTrue(let node):
        report(
          node, of: condition, section, "this part is never true here",
          hint: condition.hintOfCounting, severity: .warning)
      case .neverAmong(let node, let subject):
        report(
          node, of: condition, section,
          "`\(condition.text(of: subject))` is never this here, so it could as well be left out",
          hint: condition.hintOfCounting, severity: .warning)
      }
    }
  }

  /// `queues.x` and `hours.x` must name one that exists: at run time they would just be absent.
  func lintKnown(_ condition: Program, _ section: Section) {
    for (fact, known, what) in namedFacts {
      for (field, node) in condition.fields(below: fact.rawValue)
      where !known.contains(field) && !findings.isFull {
        let near = Spelling.hint(field, among: known.sorted())
        report(
          node, of: condition, section, "there is no \(what) `\(field)`", hint: near,
          severity: .error)
      }
    }
  }

  private var namedFacts: [(Fact, known: Set<String>, what: String)] {
    [(Fact.queues, queueNames, "queue"), (Fact.hours, hoursNames, "set of hours")].compactMap {
      fact, known, what in known.map { (fact, $0, what) }
    }
  }

  private func lintSought(_ condition: Program, _ section: Section) {
    for (fact, known, what) in namedFacts {
      for (name, node) in condition.textsSought(in: fact.rawValue) where !known.contains(name) {
        report(
          node, of: condition, section, "there is no \(what) `\(name)`",
          hint: Spelling.hint(name, among: known.sorted()), severity: .warning)
      }
    }
  }

  private func lintNames(_ condition: Program, _ section: Section) {
    lintSought(condition, section)
    var told: Set<String> = []
    defer { lintTexts(condition, section, told: told) }
    for (demand, texts, _) in condition.textExclusions() {
      guard let fact = Fact(rawValue: demand.slot), knownTexts(fact) != nil else { continue }
      for text in texts { told.insert("\(demand.slot) \(text)") }
    }
    for (demand, texts) in condition.textChoices() {
      guard let fact = Fact(rawValue: demand.slot), demand.path.isEmpty,
        let known = knownTexts(fact)
      else { continue }
      for text in texts { told.insert("\(demand.slot) \(text)") }
      for text in texts where !known.contains(text) && !findings.isFull {
        let sorted = known.sorted()
        // Whoever left goes on to be the last agent of those whom they served.
        if fact == .customerLastAgent {
          let near = Spelling.nearest(text, among: sorted).map { "did you mean \"\($0)\"?" }
          section.report(
            "there is no agent `\(text)`: this is true only of whom an agent of that name served before",
            hint: near ?? "there are \(sorted.prefix(12).joined(separator: ", "))",
            severity: .warning)
          continue
        }
        section.report(
          "`\(fact.name)` is never \"\(text)\"",
          hint: Spelling.hint(text: text, among: sorted), severity: .warning)
      }
    }
  }

  /// What a fact must not be, and never is.
  private func lintExclusions(_ condition: Program, _ section: Section) {
    for (demand, texts, node) in condition.textExclusions() where demand.path.isEmpty {
      guard let fact = Fact(rawValue: demand.slot), fact != .customerLastAgent,
        let known = knownTexts(fact)
      else { continue }
      for text in texts where !known.contains(text) {
        let sorted = known.sorted()
        let near = Spelling.nearest(text, among: sorted).map { "did you mean \"\($0)\"?" }
        report(
          node, of: condition, section,
          "`\(fact.name)` is never \"\(text)\", so this changes nothing",
          hint: near ?? "it is one of \(sorted.joined(separator: ", "))", severity: .warning)
      }
    }
  }

  static let channels = ["chat", "email", "phone"]

  /// All that a fact can be; nil where that is not known.
  func knownTexts(_ fact: Fact) -> Set<String>? {
    switch fact {
    case .sessionChannel: Set(Self.channels)
    case .customerAssurance: Set(Fact.assurances)
    case .customerLastAgent: agentNames
    case .sessionBot: about.bots.isEmpty ? nil : Set(about.bots.map(\.name))
    default: nil
    }
  }

  /// A clause that ends in an error whatever the facts are, such as `1 / 0 == 1`.
  private func lintFailure(_ condition: Program, _ section: Section) {
    for node in condition.clausesWithoutFacts() {
      guard
        let clause = try? Expression.compileUnchecked(
          condition.text(of: node), Fact.environment(zone: SystemZones.table)
        ).get(),
        case .error(let error) = clause.evaluate([], budget: Program.lookingBudget),
        error.kind != .unknown, error.kind != .budget
      else { continue }
      report(
        node, of: condition, section,
        "this always ends in an error, so the rule never matches: \(error.message)", hint: nil,
        severity: .warning)
    }
  }

  /// A fact that a channel never has, in a rule that asks for that channel.
  private func lintChannel(_ condition: Program, _ section: Section, isAlways: Bool) {
    lintExclusions(condition, section)
    if !isAlways,
      let all = condition.textChoices().first(where: {
        $0.demand == Self.channelDemand && Set($0.texts).isSuperset(of: Self.channels)
      }), Set(all.texts).count == Self.channels.count
    {
      section.report(
        "this names every channel there is, so it leaves none out", severity: .warning)
    }
    let asked = demandedChannels(condition)
    let demanded = asked?.filter(Self.channels.contains) ?? []
    if asked?.isEmpty ?? false, !excludedChannels(condition).isEmpty {
      section.report("this leaves no channel, so it never matches", severity: .warning)
    }
    let required = condition.requiredSlots().compactMap { slot, node in
      Fact(rawValue: slot).map { ($0, node) }
    }.filter { !$0.0.declaration.channels.isEmpty }
    var isTold = false
    let many = demanded.count > 1 ? "channels" : "channel"
    for (fact, node) in required where !demanded.isEmpty {
      let channels = fact.declaration.channels
      guard channels.allSatisfy({ !demanded.contains($0) }) else { continue }
      isTold = true
      report(
        node, of: condition, section,
        "`\(fact.name)` is always absent on the \(many) \(demanded.joined(separator: ", ")), so this never matches",
        hint: "it is there on \(channels.joined(separator: ", ")) only", severity: .warning)
    }
    guard !isTold, let (first, _) = required.first else { return }
    var common = Set(first.declaration.channels)
    for (fact, node) in required.dropFirst() {
      common.formIntersection(fact.declaration.channels)
      guard common.isEmpty else { continue }
      return report(
        node, of: condition, section,
        "`\(fact.name)` and `\(first.name)` are never there on one channel, so this never matches",
        hint:
          "`\(first.name)` is there on \(first.declaration.channels.joined(separator: ", ")) only, `\(fact.name)` on \(fact.declaration.channels.joined(separator: ", "))",
        severity: .warning)
    }
  }

  /// The channels on which alone the condition can be true, in order; nil when it asks for none.
  func demandedChannels(_ condition: Program?) -> [String]? {
    guard let condition else { return nil }
    let choices = condition.textChoices().filter { $0.demand == Self.channelDemand }
    let excluded = Set(excludedChannels(condition).map(\.text))
    guard let first = choices.first else {
      let left = Self.channels.filter { !excluded.contains($0) }
      return left.count < Self.channels.count ? left : nil
    }
    let common = choices.dropFirst().reduce(Set(first.texts)) { $0.intersection($1.texts) }
    return common.subtracting(excluded).sorted()
  }

  private static let channelDemand = Demand(slot: Fact.sessionChannel.rawValue, path: [])

  private func excludedChannels(_ condition: Program) -> [(text: String, node: Int)] {
    condition.textExclusions().filter { $0.demand == Self.channelDemand }.flatMap { excluded in
      excluded.texts.map { ($0, excluded.node) }
    }
  }

  func report(
    _ node: Int, of condition: Program, _ section: Section, _ message: String, hint: String?,
    severity: RuleDiagnostic.Severity
  ) {
    guard let scalar = section.node.scalar else { return }
    let extent = condition.syntax.extents[node]
    place(
      ExpressionDiagnostic(start: extent.start, end: extent.end, message: message, hint: hint),
      section,
      scalar,
      severity: severity)
  }
}
