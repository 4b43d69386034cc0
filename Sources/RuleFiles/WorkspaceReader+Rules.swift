import Expressions
import Rules
import Yams

extension Rule {
  /// What is known of a rule while a folder is read is kept under this: until somebody mends it,
  /// two may bear one name, and two may stand on one line.
  var key: String { "\(name)\n\(place)" }
}

extension WorkspaceReader {
  static let ruleKeys = ["name", "when"] + outcomeKeys
  private static let outcomeKeys = ["route", "answer", "hand_back", "reject", "leave_message"]
  static let rulesMax = 20_000

  func readRules(_ section: Section) {
    var environment = Fact.environment(zone: SystemZones.table)
    environment.zoneNames = { SystemZones.names }
    environment.members = [
      (Fact.hours.name, hoursNames ?? []), (Fact.queues.name, queueNames ?? []),
    ]
    if !section.isSequence, !section.isNull { unreadable.insert(section.file.path) }
    for element in section.elements(what: "a file of rules") {
      guard rules.count < Self.rulesMax else {
        return element.report("there are more than \(Self.rulesMax) rules")
      }
      readRule(element, environment)
    }
  }

  private func readRule(_ section: Section, _ environment: Environment) {
    let members = section.members(
      Self.ruleKeys, what: "a rule", same: ["if": "when", "then": "route"])
    if let members, members["name"] == nil { section.report("a rule needs a `name`") }
    guard let members, let place = members["name"], let name = place.text(what: "a rule's name")
    else {
      // Whatever it is called, others may speak of it.
      unreadable.insert(section.file.path)
      return
    }
    var rule = Rule(
      name: name, place: "\(place.file.path):\(place.line)", when: nil,
      outcome: .action(.reject(reason: "")))
    places["rule \(rule.key)"] = place
    // A misspelt `when` must not count as a rule without one.
    let isWhole = section.node.mapping?.count == members.count
    if !isWhole { markMisread(.rule, rule.key) }
    record(.rule, rule.key) {
      if let other = rulesNamed.updateValue(rule.place, forKey: name) {
        place.report("the name `\(name)` is taken", hint: "\(other) has it already")
      }
      rule.when = members["when"].flatMap { compile($0, environment) }
      conditions[rule.key] = members["when"]
      readOutcome(place, members, &rule)
    }
    rules.append(rule)
    if !isWhole || (members["when"] != nil && rule.when == nil) {
      markMisread(.condition, rule.key)
    }
  }

  private func readOutcome(_ place: Section, _ members: [String: Section], _ rule: inout Rule) {
    let outcomes = Self.outcomeKeys.filter { members[$0] != nil }
    guard outcomes.count == 1, let key = outcomes.first, let held = members[key] else {
      let said = outcomes.isEmpty ? "nothing" : outcomes.joined(separator: " and ")
      return place.report(
        "a rule says one of route, answer, hand_back, reject and leave_message; this says \(said)")
    }
    switch key {
    case "answer": rule.outcome = .action(.answer(held.words(what: "answer") ?? ""))
    case "hand_back": rule.outcome = .action(.handBack(reason: held.text(what: "hand_back") ?? ""))
    case "reject": rule.outcome = .action(.reject(reason: held.text(what: "reject") ?? ""))
    default: readRoute(held, &rule, takesMessage: key == "leave_message")
    }
  }

  /// Reads a condition; its mistakes are placed in the YAML file.
  func compile(_ section: Section, _ environment: Environment) -> Program? {
    if let tag = YamlPitfalls.tag(section) {
      section.report(
        "YAML takes `\(tag)` for a tag of its own, so this is not the condition that you see",
        hint: YamlPitfalls.quote)
      return nil
    }
    guard let scalar = section.node.scalar, !section.isNull else {
      section.report(
        "`when` is a condition, and this is \(section.shape)",
        hint: section.isNull ? nil : YamlPitfalls.quote)
      return nil
    }
    let (text, isWhole) = withoutComments(section, scalar)
    guard !findings.isFull, hasRoom(forPatternsOf: text, section) else { return nil }
    switch Expression.compile(text, environment, expecting: .bool) {
    case .success(let program):
      patternsLeft.size -= program.patternsSize
      if patternsLeft.size < 0 { refusePatterns(section) }
      if isWhole { return program }
      lintKnown(program, section)
      return nil
    case .failure(let failure):
      if findings.isFull { return nil }
      let isCut = YamlPitfalls.isCutByComment(section)
      for (number, diagnostic) in failure.diagnostics.enumerated() {
        var diagnostic = diagnostic
        if isCut, number == failure.diagnostics.count - 1 {
          diagnostic.hint =
            "YAML takes ` #` and what follows for a comment: put the condition in quotes"
        }
        place(diagnostic, section, scalar)
      }
      // What it names is looked at all the same.
      if let program = try? Expression.compileUnchecked(text, environment).get() {
        lintKnown(program, section)
      }
      return nil
    }
  }

  /// The condition with spaces in place of comments that take more than their author sees: where
  /// YAML makes one line of several, `//` reaches to the end of all.
  private func withoutComments(_ section: Section, _ scalar: Node.Scalar) -> (
    text: String, isWhole: Bool
  ) {
    guard scalar.style != .literal else { return (scalar.string, true) }
    var bytes = Array(scalar.string.utf8)
    var isWhole = true
    while !findings.isFull,
      let comment = Expression.comments(String(decoding: bytes, as: UTF8.self)).first(where: {
        swallowed(from: $0, section, scalar) != nil
      }), let end = swallowed(from: comment, section, scalar)
    {
      isWhole = false
      place(
        .init(
          start: comment.lowerBound, end: comment.lowerBound + 2,
          message:
            "YAML makes one line of this condition, so this comment takes all that follows with it",
          hint: "write `when: |-`, which keeps the lines, or leave the comment out"),
        section, scalar)
      for at in comment.lowerBound..<end { bytes[at] = 0x20 }
    }
    return (String(decoding: bytes, as: UTF8.self), isWhole)
  }

  /// Where a comment's own line ends, if the comment goes on behind it.
  private func swallowed(from comment: Range<Int>, _ section: Section, _ scalar: Node.Scalar)
    -> Int?
  {
    let bytes = Array(scalar.string.utf8)
    let sign = ExpressionDiagnostic(start: comment.lowerBound, end: comment.upperBound, message: "")
    guard let (line, column) = search(sign, section, scalar) else { return nil }
    let shown = section.file.line(line).unicodeScalars.dropFirst(column - 1)
    var own = Array(String(String.UnicodeScalarView(shown)).utf8)
    while own.last == 0x20 || own.last == 0x09 { own.removeLast() }
    let end = comment.lowerBound + own.count
    guard end < comment.upperBound, Array(bytes[comment.lowerBound..<end]) == own,
      bytes[end..<comment.upperBound].contains(where: { $0 != 0x20 && $0 != 0x09 })
    else { return nil }
    return end
  }

  func place(
    _ diagnostic: ExpressionDiagnostic, _ section: Section, _ scalar: Node.Scalar,
    severity: RuleDiagnostic.Severity = .error
  ) {
    if findings.isFull { return }
    let at = ExpressionDiagnostic.place(diagnostic.start, in: scalar.string)
    let end = ExpressionDiagnostic.place(diagnostic.end, in: scalar.string)
    var line = section.line
    var column = section.column + at.column - 1
    switch scalar.style {
    case .literal:
      // The text begins on the line below `|`, each line indented alike.
      line += at.line
      let source = section.file.line(line)
      column =
        source.unicodeScalars.prefix { $0 == " " }.count
        - at.text.unicodeScalars.prefix { $0 == " " }.count
        + at.column
    case .folded, .plain, .any, .doubleQuoted, .singleQuoted:
      if scalar.style == .doubleQuoted || scalar.style == .singleQuoted { column += 1 }
      if let found = search(diagnostic, section, scalar) { (line, column) = found }
    }
    let length = at.line == end.line ? max(1, end.column - at.column) : 1
    findings.add(
      section.file, line: line, column: column, length: length, diagnostic.message,
      hint: diagnostic.hint,
      severity: severity)
  }

  /// Folded text has lost its lines: words are found again one after the other.
  private func search(
    _ diagnostic: ExpressionDiagnostic, _ section: Section, _ scalar: Node.Scalar
  ) -> (Int, Int)? {
    guard !section.file.line(section.line).contains(scalar.string) else { return nil }
    let before = String(decoding: Array(scalar.string.utf8.prefix(diagnostic.start)), as: UTF8.self)
    let words = before.split(whereSeparator: \.isWhitespace).count
    let endsInSpace = before.last?.isWhitespace ?? true
    var seen = 0
    var line = section.line + (scalar.style == .folded ? 1 : 0)
    var start = scalar.style == .folded ? 0 : section.column - 1
    while line <= section.file.lines.count, line < section.line + 500 {
      let scalars = Array(section.file.line(line).unicodeScalars)
      var at = start
      while at < scalars.count {
        while at < scalars.count, scalars[at].properties.isWhitespace { at += 1 }
        let word = at
        while at < scalars.count, !scalars[at].properties.isWhitespace { at += 1 }
        guard at > word else { break }
        seen += 1
        if seen == words + (endsInSpace ? 1 : 0) {
          let inside =
            endsInSpace
            ? 0 : before.split(whereSeparator: \.isWhitespace).last?.unicodeScalars.count ?? 0
          return (line, word + inside + 1)
        }
      }
      line += 1
      start = 0
    }
    return nil
  }

  // MARK: - Routes

  /// - Parameter takesMessage: a caller leaves a message, and their case goes that way without
  ///   them.
  private func readRoute(_ section: Section, _ rule: inout Rule, takesMessage: Bool) {
    let keys = [
      "queue", "priority", "skills", "prefer_skills", "prefer", "exclude", "service_level",
      "weight", "steps",
      "wanted_skills", "language", "agents", "teams", "exclude_teams", "tags",
    ]
    let what = takesMessage ? "leave_message" : "a route"
    if let name = section.node.scalar?.string, !takesMessage, queueNames?.contains(name) ?? false {
      return section.report(
        "a route is a mapping, and this is only the name of its queue",
        hint: "write it as `route: { queue: \(name) }`")
    }
    var meant = Self.meantOfRoute
    if let whom = section.node.mapping?["agent"]?.scalar?.string, preferable.contains(whom) {
      meant["agent"] = "prefer: { agent: \(whom), for: 60s }"
    }
    guard
      let members = section.members(
        keys + (takesMessage ? ["say"] : []), what: what, meant: meant)
    else { return }
    guard let place = members["queue"] else { return section.report("\(what) needs a `queue`") }
    var plan = Plan(queue: place.reference(queueNames, what: "queue") ?? "")
    if takesMessage {
      guard let say = members["say"] else {
        return section.report(
          "leave_message needs `say`", hint: "it is what the caller hears before the tone")
      }
      plan.leaveMessage = say.words(what: "say")
    }
    if let priority = members["priority"]?.whole(-1_000...1_000, what: "priority") {
      plan.priority = priority
    }
    if let skills = members["skills"] {
      plan.requiredSkills = needs(skills, what: "skills", known: skillNames)
    }
    if let skills = members["prefer_skills"] {
      plan.preferredSkills = needs(skills, what: "prefer_skills", known: skillNames)
    }
    plan.preference = members["prefer"].flatMap(preference)
    plan.excludedAgents = names(members["exclude"], "exclude", agentNames, "agent")
    plan.requiredAgents = names(members["agents"], "agents", agentNames, "agent")
    plan.requiredTeams = names(members["teams"], "teams", teamNames, "team")
    plan.excludedTeams = names(members["exclude_teams"], "exclude_teams", teamNames, "team")
    plan.serviceLevelMilliseconds = members["service_level"]?.duration(
      1_000...Section.longest, what: "service_level")
    plan.weight = members["weight"]?.whole(0...1_000, what: "weight")
    if plan.weight == 0 {
      members["weight"]?.report(
        "`weight: 0` counts as 1: whatever an agent does takes some room", severity: .warning)
    }
    weightPlaces[rule.key] = members["weight"]
    plan.steps = members["steps"].map(steps) ?? []
    plan.tags = members["tags"]?.oneOrMore(what: "tags").compactMap(tag) ?? []
    rule.wantedSkills = members["wanted_skills"]?.choice(Rule.Taking.self, what: "wanted_skills")
    rule.language = members["language"]?.choice(Rule.Taking.self, what: "language")
    rule.outcome = .route(plan)
    checkSize(section, members, plan, rule)
    checkSteps(members["steps"], plan, rule)
  }

  /// Words of other routers, and of whoever has not read the page.
  private static let meantOfRoute = [
    "sla": "service_level", "target": "service_level", "answer_within": "service_level",
    "preferred_agent": "prefer", "prefer_agent": "prefer", "agent": "agents", "team": "teams",
    "required_skills": "skills", "require": "skills", "needs": "skills",
    "preferred_skills": "prefer_skills", "optional_skills": "prefer_skills",
    "exclude_agents": "exclude", "overflow": "steps", "escalate": "steps", "escalation": "steps",
    "fallback": "steps", "timeout": "steps", "max_wait": "steps", "after": "steps",
    "then": "steps", "urgency": "priority", "prio": "priority", "units": "weight",
    "capacity": "weight", "labels": "tags", "to": "queue", "group": "queue", "destination": "queue",
  ]

  private func checkSize(
    _ section: Section, _ members: [String: Section], _ plan: Plan, _ rule: Rule
  ) {
    if plan.namesCount > Plan.namesMax {
      section.report(
        "this route names \(plan.namesCount) agents and teams; \(Plan.namesMax) are allowed",
        hint: "give the agents a team")
    }
    let skills = plan.skillsCount + (rule.language == nil ? 0 : 1)
    if skills > Plan.skillsMax {
      let place = members["skills"] ?? members["prefer_skills"] ?? section
      place.report("this route needs \(skills) skills; \(Plan.skillsMax) are allowed")
    }
    if plan.steps.count > Plan.stepsMax {
      members["steps"]?.report(
        "this route has \(plan.steps.count) steps; \(Plan.stepsMax) are allowed")
    }
  }

  /// Names that must be known, each once.
  private func names(_ section: Section?, _ key: String, _ known: Set<String>?, _ what: String)
    -> [String]
  {
    var found: [String] = []
    for element in section?.oneOrMore(what: key) ?? [] {
      guard let name = element.reference(known, what: what) else { continue }
      if found.contains(name) {
        element.report("`\(name)` stands twice")
      } else {
        found.append(name)
      }
    }
    return found
  }

  /// What `prefer` may name beside agents.
  private var preferable: [String] { ["last", "account_team"] }

  private func preference(_ section: Section) -> Plan.AgentPreference? {
    guard section.isMapping else {
      let name = section.node.scalar?.string ?? "last"
      section.report(
        "prefer is a mapping of keys and values, and this is \(section.shape)",
        hint: "write { agent: \(name), for: 90s }")
      return nil
    }
    guard let members = section.members(["agent", "for"], what: "prefer"),
      let agent = members["agent"]
    else {
      section.report("`prefer` needs `agent` and `for`")
      return nil
    }
    guard let limit = members["for"] else {
      agent.report(
        "a preferred agent needs `for`: how long only that agent may have the case",
        hint: "without it the case would wait for one person for ever; write `for: 90s`")
      return nil
    }
    guard let milliseconds = limit.duration(1_000...604_800_000, what: "for"),
      let name = agent.text(what: "agent")
    else { return nil }
    switch name {
    case "last": return .init(whom: .lastAgent, forMilliseconds: milliseconds)
    case "account_team": return .init(whom: .accountTeam, forMilliseconds: milliseconds)
    default:
      let known = agentNames
      let isKnown = known?.contains(name) ?? true
      let named = isKnown ? name : agent.reference(known?.union(preferable), what: "agent")
      return named.map { .init(whom: .named($0), forMilliseconds: milliseconds) }
    }
  }

  func steps(_ section: Section) -> [Plan.Step] {
    let changes = ["relax", "lower", "raise", "queue", "widen", "message"]
    return section.elements(what: "steps").compactMap { element in
      guard let members = element.members(["after"] + changes, what: "a step") else { return nil }
      guard let after = members["after"] else {
        element.report("a step needs `after`")
        return nil
      }
      let said = changes.filter { members[$0] != nil }
      guard said.count == 1, let key = said.first, let held = members[key] else {
        element.report(
          "a step says one of \(changes.joined(separator: ", "))",
          hint: said.count > 1
            ? "make a step of each, with the same `after`" : nil)
        return nil
      }
      guard let milliseconds = after.duration(1_000...Section.longest, what: "after"),
        let change = change(key, held)
      else { return nil }
      return Plan.Step(afterMilliseconds: milliseconds, change: change)
    }
  }

  private func change(_ key: String, _ held: Section) -> Plan.Step.Change? {
    switch key {
    case "relax": return held.reference(skillNames, what: "skill").map { .relaxSkill($0) }
    case "lower":
      let needs = needs(held, what: "lower", known: skillNames)
      guard needs.count == 1, let need = needs.first else {
        if needs.count > 1 { held.report("one step lowers one skill") }
        return nil
      }
      return .lowerSkill(need.name, level: need.level)
    case "raise": return held.whole(1...1_000, what: "raise").map { .raisePriority(by: $0) }
    case "queue": return held.reference(queueNames, what: "queue").map { .changeQueue($0) }
    case "widen":
      let names = held.oneOrMore(what: "widen").compactMap {
        $0.reference(queueNames, what: "queue")
      }
      if names.count > Plan.widenedMax {
        held.report(
          "one step widens to \(Plan.widenedMax) queues at most, and this names \(names.count)")
      }
      return names.isEmpty ? nil : .widen(names)
    default: return held.words(what: "message").map { .message($0) }
    }
  }

  private func checkSteps(_ section: Section?, _ plan: Plan, _ rule: Rule) {
    guard let section, section.isSequence else { return }
    let places = section.elements(what: "steps")
    // Where a step could not be read, places and steps no longer pair up.
    guard places.count == plan.steps.count else { return }
    stepPlaces[rule.key] = places
    for at in plan.steps.indices.dropFirst()
    where plan.steps[at].afterMilliseconds < plan.steps[at - 1].afterMilliseconds {
      places[at].report(
        "steps stand in the order of their times",
        hint: "`after` counts from the beginning of the wait")
    }
  }

  /// The last rule, and only the last, has no condition.
  func checkOrder() {
    guard let last = rules.last else {
      if ruleNames == nil { return }
      return findings.add(
        wholeFile: "rules", "there are no rules",
        hint: "rules/*.yaml hold them, read in the order of their names")
    }
    for rule in rules where rule.when == nil && !isMisread(.condition, rule.key) {
      guard rule.key != last.key, let place = places["rule \(rule.key)"] else { continue }
      place.report(
        "no rule below this one is ever reached, since it has no `when`",
        hint: "move it to the end of the last file")
      return
    }
    if ruleNames != nil, last.when != nil, let place = places["rule \(last.key)"] {
      place.report(
        "the last rule must have no `when`",
        hint: last.when?.plainOutcome == true
          ? "leave `when` out: it takes every case then, too"
          : "end with a rule that takes every case that no other took")
    }
  }
}
