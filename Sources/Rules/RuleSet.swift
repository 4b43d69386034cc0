import Expressions

/// One rule, ready to be tried.
public struct Rule: Sendable {
  /// Where facts of the case add to a plan.
  public enum Taking: String, Sendable, Hashable, CaseIterable { case required, preferred }

  public var name: String
  /// `rules/10-vip.yaml:12`, for people.
  public var place: String
  /// Nil matches always.
  public var when: Program?
  public var outcome: Outcome
  /// Whether the skills that a bot asked for are added, and as what.
  public var wantedSkills: Taking?
  /// Whether the skill of the customer's language is added, and as what.
  public var language: Taking?

  public init(
    name: String, place: String = "", when: Program?, outcome: Outcome, wantedSkills: Taking? = nil,
    language: Taking? = nil
  ) {
    self.name = name
    self.place = place
    self.when = when
    self.outcome = outcome
    self.wantedSkills = wantedSkills
    self.language = language
  }
}

/// What was decided, and by which rule of which version.
public struct Decision: Sendable, Hashable {
  public var version: String
  public var ruleIndex: Int
  public var rule: String
  public var outcome: Outcome
  /// Queues that were closed or full, and so passed the case on, and what the plan would rest on and
  /// is not known: a line each.
  public var passedOn: [String] = []
  /// Hours of queues on whose way the case came, in order.
  public var hoursAsked: [HoursAsked] = []

  public struct HoursAsked: Sendable, Hashable {
    public var name: String
    /// Nil where nobody said: the outcome takes them for open.
    public var isOpen: Bool?
    /// What stands of that in `passedOn`.
    public var assumption: String?
  }
}

/// The ordered rules of a workspace. The first that matches wins; the last has no condition.
public struct RuleSet: Sendable {
  /// Names this very content; two folders with the same bytes have the same version.
  public let version: String
  public let rules: [Rule]
  let skillNames: Set<String>
  /// Skill names by language.
  let languages: [String: String]
  let index: RuleIndex
  private let placement: Placement
  /// `Fact.queues` while nobody waits anywhere.
  public let quietQueues: MapValue
  /// The facts that any rule asks, or takes into its plan: what is asked by none need not be
  /// gathered.
  public let asked: Set<Fact>

  public enum Fault: Error, Sendable, Hashable {
    case empty
    case lastRuleHasCondition(name: String)
    case duplicateName(String)
  }

  public init(
    version: String, rules: [Rule], skills: [SkillConfiguration], queues: [QueueConfiguration] = []
  ) throws(Fault) {
    guard let last = rules.last else { throw .empty }
    guard last.when == nil else { throw .lastRuleHasCondition(name: last.name) }
    var names: Set<String> = []
    for rule in rules where !names.insert(rule.name).inserted { throw .duplicateName(rule.name) }
    self.version = version
    self.rules = rules
    skillNames = Set(skills.map(\.name))
    languages = Dictionary(
      skills.compactMap { skill in
        skill.language.map { (LanguageTag.canonical($0), skill.name) }
      },
      uniquingKeysWith: { first, _ in first })
    index = RuleIndex(rules)
    placement = Placement(queues)
    quietQueues = Facts.quietQueues(queues.map(\.name))
    asked = Self.asked(rules).union(placement.asksWaiting ? [.queues] : [])
  }

  /// What one decision may cost at most: nobody else of the workspace is served meanwhile.
  ///
  /// - Units: steps, as `Program.estimatedCost`; about ten million a second.
  public var costMax: Int { index.costMax(rules) }

  private static func asked(_ rules: [Rule]) -> Set<Fact> {
    var found: Set<Fact> = []
    for rule in rules {
      for slot in rule.when?.slotsRead ?? [] {
        if let fact = Fact(rawValue: slot) { found.insert(fact) }
      }
      if rule.wantedSkills != nil { found.insert(.handoffSkills) }
      if rule.language != nil { found.formUnion([.conversationLanguage, .customerLanguage]) }
      if case .route(let plan) = rule.outcome, plan.preference?.whom == .lastAgent {
        found.insert(.customerLastAgent)
      }
    }
    return found
  }

  /// What all conditions of one case may take together, in steps: about a tenth of a second, in
  /// which nobody else is routed. Past it no condition matches, and the last rule takes the case.
  public static let stepsPerCaseMax = 1_000_000

  /// The first rule that matches. A condition that fails (a fact is absent, say) does not match.
  public func evaluate(_ facts: Facts) -> Decision {
    var purse = Self.stepsPerCaseMax
    return evaluate(facts, from: &purse)
  }

  /// - Parameter purse: what the conditions may take together, in steps; less by what they took.
  public func evaluate(_ facts: Facts, from purse: inout Int) -> Decision {
    var candidates = index.candidates(facts)
    while let at = candidates.next() {
      guard let condition = rules[at].when else { return decision(at, facts) }
      if case .bool(true) = condition.evaluate(facts.slots, from: &purse) {
        return decision(at, facts)
      }
    }
    return decision(rules.count - 1, facts)
  }

  /// The rules of which it rests on what is unknown whether they take a case, before one surely does,
  /// each by its place among all and with what would have to be known.
  ///
  /// - Parameter purse: what finding out may cost, in steps; once it is empty, no more are found.
  public func undecided(_ facts: Facts, from purse: inout Int) -> [(at: Int, needs: [String])] {
    var found: [(at: Int, needs: [String])] = []
    var candidates = index.candidates(facts)
    while let at = candidates.next() {
      guard purse > 0, let condition = rules[at].when else { break }
      let value = condition.evaluate(facts.slots, from: &purse)
      if value == .bool(true) { break }
      let needs = value.isUnknown ? condition.needs(condition.trace(facts.slots)) : []
      if !needs.isEmpty { found.append((at, needs)) }
    }
    return found
  }

  /// What becomes of a case that a rule takes.
  ///
  /// - Parameter at: the rule's place among all.
  package func decision(_ at: Int, _ facts: Facts) -> Decision {
    let rule = rules[at]
    let (completed, leftOut) = complete(rule, facts)
    var hoursAsked: [Decision.HoursAsked] = []
    let (outcome, passedOn) = placement.settle(completed, facts, asking: &hoursAsked)
    return Decision(
      version: version, ruleIndex: at, rule: rule.name, outcome: outcome,
      passedOn: leftOut + passedOn, hoursAsked: hoursAsked)
  }

  /// Adds what the rule takes from the facts.
  ///
  /// - Returns: with it a line for each of what is not known.
  private func complete(_ rule: Rule, _ facts: Facts) -> (Outcome, leftOut: [String]) {
    guard case .route(var plan) = rule.outcome, rule.wantedSkills != nil || rule.language != nil
    else {
      return (rule.outcome, [])
    }
    var leftOut: [String] = []
    let (wanted, spoken) = (
      facts[.handoffSkills], facts[.conversationLanguage] ?? facts[.customerLanguage]
    )
    if rule.wantedSkills != nil, wanted?.isUnknown ?? false {
      leftOut.append("which skills the bot asked for is not known: none of them is added")
    }
    if rule.language != nil, spoken?.isUnknown ?? false {
      leftOut.append("which language the customer speaks is not known: no skill is added for it")
    }
    if let taking = rule.wantedSkills, case .list(let wanted)? = wanted {
      // A bot may ask for more than a case can need: what it names first counts, and the language.
      let room = Plan.skillsMax - (rule.language == nil ? 0 : 1)
      for case .string(let name) in wanted
      where skillNames.contains(name) && plan.skillsCount < room {
        plan.add(name, as: taking)
      }
    }
    if let taking = rule.language, case .string(let spoken)? = spoken,
      let name = LanguageTag.fallbacks(spoken).lazy.compactMap({ languages[$0] }).first
    {
      plan.add(name, as: taking)
    }
    return (.route(plan), leftOut)
  }
}

extension Plan {
  mutating func add(_ skill: String, as taking: Rule.Taking) {
    let isNamed = (requiredSkills + preferredSkills).contains { $0.name == skill }
    guard !isNamed else { return }
    switch taking {
    case .required: requiredSkills.append(SkillNeed(name: skill))
    case .preferred: preferredSkills.append(SkillNeed(name: skill))
    }
  }
}
