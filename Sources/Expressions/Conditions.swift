/// Conditions of the same facts, and what can be known of them and between them before any case
/// comes: which can never be true, which always are, and which come too late.
///
/// Nothing that is claimed here is ever wrong, so long as evaluating stays within its budget; where
/// finding out would take too long, nothing is claimed.
public struct Conditions: Sendable {
  /// What a condition, or a part of one, can come to.
  public struct Outcomes: Sendable, Equatable {
    public var mayBeTrue = true
    public var mayBeFalse = true
    /// Whether it may end in an error, as it does where a fact is absent.
    public var mayFail = true
    /// Whether it says something or its contrary: it would be true whatever its facts are, were
    /// they all there.
    public var saysNothing = false
    public var isAlwaysTrue: Bool { mayBeTrue && !mayBeFalse && !mayFail }

    public init(mayBeTrue: Bool = true, mayBeFalse: Bool = true, mayFail: Bool = true) {
      self.mayBeTrue = mayBeTrue
      self.mayBeFalse = mayBeFalse
      self.mayFail = mayFail
    }
  }

  private struct Condition: Sendable {
    /// Nil where it is too large to be read.
    var formula: Formula?
    /// Whether it is small enough to look for cases of it.
    var isSmall = false
    /// Made when first asked for.
    var clauses: [Clause]?
    var labels: Set<CodePoints> = []
    var outcomes: Outcomes?
  }
  /// One of `&&`.
  private struct Clause: Sendable {
    var formula: Formula
    /// The same for clauses that say the same.
    var label: CodePoints
    var terms: Set<Int> = []
  }

  private let premises: Premises
  private var terms = Terms()
  private var all: [Condition] = []
  /// Where each condition is filed: a condition that others are taken by is found by what they ask.
  private var filed: [String: [Int]] = [:]
  private var counts: [String: Int] = [:]
  /// - Units: those of `ConditionSearch`; for all that is asked together.
  private var stepsLeft: Int
  /// What comparing conditions leaves for looking at each by itself.
  private let stepsReserved: Int

  public static let stepsDefault = 8_000_000
  private static let stepsEachMax = 50_000
  private static let takersMax = 48
  /// Comparisons of a condition of which cases are looked for.
  private static let atomsSmall = 200

  public init(_ premises: Premises = Premises(), steps: Int = stepsDefault) {
    self.premises = premises
    stepsLeft = steps
    stepsReserved = steps / 4
  }

  /// - Parameter program: nil for what is always true.
  /// - Returns: the condition's number.
  @discardableResult
  public mutating func add(_ program: Program?) -> Int {
    var made = Condition(formula: .constant(.yes))
    if let program { made.formula = read(program, program.syntax.root) }
    if let formula = made.formula {
      var atoms = 0
      formula.eachAtom { _, _ in atoms += 1 }
      made.isSmall = atoms <= Self.atomsSmall
      for key in clauses(formula).flatMap(keys) { counts[key, default: 0] += 1 }
    }
    all.append(made)
    return all.count - 1
  }

  private mutating func read(_ program: Program, _ node: Int) -> Formula? {
    read(program) { $0.read(node) }
  }

  private mutating func read(_ program: Program, _ body: (inout ConditionReader) -> Formula?)
    -> Formula?
  {
    guard stepsLeft > 0 else { return nil }
    var reader = ConditionReader(
      program, premises, terms, steps: min(stepsLeft, Self.stepsEachMax))
    terms = Terms()  // Only one holds them, or each would be copied.
    let before = reader.stepsLeft
    let formula = body(&reader)
    stepsLeft -= before - reader.stepsLeft + 1
    terms = reader.terms
    return formula
  }

  private mutating func isPossible(
    _ wanted: [ConditionSearch.Wanted], isTied: Bool = true, isWhole: Bool = false
  ) -> Bool {
    guard stepsLeft > 0 else { return true }
    let steps = min(stepsLeft, Self.stepsEachMax)
    var search = ConditionSearch(
      terms, premises, isTied: isTied, isWhole: isWhole, steps: steps)
    let found = search.isPossible(wanted)
    stepsLeft -= steps - search.stepsLeft + 1
    return found
  }

  // MARK: - One condition

  public mutating func outcomes(of number: Int) -> Outcomes {
    if let known = all[number].outcomes { return known }
    guard let formula = all[number].formula, all[number].isSmall else { return Outcomes() }
    var found = Outcomes(
      mayBeTrue: isPossible([(formula, .yes)]), mayBeFalse: isPossible([(formula, .no)]),
      mayFail: isPossible([(formula, .fault)]))
    found.saysNothing = found.mayBeTrue && !found.mayBeFalse && saysNothing(formula)
    all[number].outcomes = found
    return found
  }

  /// Whether what is never false is true as soon as its facts are there: what is there may still
  /// not be what is asked of it.
  private mutating func saysNothing(_ formula: Formula) -> Bool {
    !isPossible([(formula, .no)], isTied: false)
      && !isPossible([(formula, .fault)], isTied: false, isWhole: true)
  }

  /// Whether a condition may be true where a case is in this place.
  public mutating func mayBeTrue(_ number: Int, at place: String) -> Bool {
    guard let formula = all[number].formula, all[number].isSmall, let slot = premises.place,
      let term = terms.number(Program.key(slot: slot))
    else { return true }
    let here = terms.ask(term, .init(relation: .among, constants: [.string(place)]))
    return isPossible([(here, .yes), (formula, .yes)])
  }

  /// A part that could as well be left out.
  public enum IdlePart: Sendable, Equatable {
    /// One of `&&` that asks nothing. It may fail where a fact is absent, or it may not.
    case alwaysTrue(node: Int, mayFail: Bool)
    /// One of `||` that is never true beside what must be true with it.
    case neverTrue(node: Int)
    /// One of those in a list among which something is sought that it never is.
    case neverAmong(node: Int, subject: Int)
  }

  /// The parts of a condition that could as well be left out.
  public mutating func idleParts(of number: Int, _ program: Program) -> [IdlePart] {
    guard let formula = all[number].formula, all[number].isSmall else { return [] }
    var found: [IdlePart] = []
    visit(program.syntax.root, formula, program, beside: [], depth: 8, &found)
    return found
  }

  private mutating func visit(
    _ node: Int, _ formula: Formula, _ program: Program, beside: [ConditionSearch.Wanted],
    depth: Int, _ found: inout [IdlePart]
  ) {
    guard depth > 0 else { return }
    switch (program.syntax.nodes[node], formula) {
    case (.and(let nodes), .and(let parts)) where nodes.count == parts.count:
      for (at, part) in parts.enumerated() {
        if !isPossible([(part, .no)]) {
          let mayFail = isPossible([(part, .fault)])
          if !mayFail || saysNothing(part) {
            found.append(.alwaysTrue(node: nodes[at], mayFail: mayFail))
            continue
          }
        }
        guard isLooked(into: nodes[at], program, for: .or) else { continue }
        let others = parts.indices.filter { $0 != at }.map { (parts[$0], Truths.yes) }
        visit(nodes[at], part, program, beside: beside + others, depth: depth - 1, &found)
      }
    case (.or(let nodes), _):
      // Alternatives that ask one term may have become one.
      for node in nodes {
        guard let part = read(program, node) else { continue }
        guard isPossible(beside + [(part, .yes)]) else {
          found.append(.neverTrue(node: node))
          continue
        }
        guard isLooked(into: node, program, for: .and) else { continue }
        visit(node, part, program, beside: beside, depth: depth - 1, &found)
      }
    case (.call("@in", let sides), _) where sides.count == 2:
      visitElements(sides[0], sides[1], program, beside: beside, &found)
    default: return
    }
  }

  private enum Connective { case and, or }

  private func isLooked(into node: Int, _ program: Program, for wanted: Connective) -> Bool {
    switch program.syntax.nodes[node] {
    case .and: wanted == .and
    case .or: wanted == .or
    case .call("@in", _): true
    default: false
    }
  }

  /// `x in ["a", "b"]` is `x == "a" || x == "b"`: each of them may be one that never comes.
  private mutating func visitElements(
    _ subject: Int, _ list: Int, _ program: Program, beside: [ConditionSearch.Wanted],
    _ found: inout [IdlePart]
  ) {
    guard case .list(let elements, let optional) = program.syntax.nodes[list], optional.isEmpty,
      elements.count <= Self.elementsMax
    else { return }
    for element in elements {
      guard let constant = program.constant(element) else { continue }
      let isElement = read(program) { $0.read(subject, isOneOf: constant) }
      guard let isElement, case .atom(let term, _) = isElement else { return }
      // Of what nothing is known each may come if one may.
      guard
        terms[term].values != nil || terms[term].range != nil
          || beside.contains(where: { asked in
            var isAsked = false
            asked.formula.eachAtom { other, _ in isAsked = isAsked || other == term }
            return isAsked
          })
      else { return }
      guard !isPossible(beside + [(isElement, .yes)]) else { continue }
      found.append(.neverAmong(node: element, subject: subject))
    }
  }
  /// Of a longer list nobody typed each by hand.
  private static let elementsMax = 64

  // MARK: - One after the other

  /// Lets a condition be found as one that takes what later ones would.
  public mutating func file(_ number: Int) {
    guard let formula = all[number].formula else { return }
    let clauses = clauses(formula).map(keys).filter { !$0.isEmpty }
    let rarest = Set(clauses.min { share($0) < share($1) } ?? [])
    for key in rarest { filed[key, default: []].append(number) }
  }

  private func share(_ keys: [String]) -> Int {
    keys.reduce(0) { $1.hasSuffix(" =") ? $0 : $0 + counts[$1, default: 0] }
  }

  /// Those of the filed conditions of which one is true whenever this one is; empty where there may
  /// be a case that none of them takes, or no case at all.
  public mutating func takers(of number: Int) -> [Int] {
    guard let formula = all[number].formula, stepsLeft > stepsReserved else { return [] }
    var candidates: Set<Int> = []
    for key in sought(formula) {
      guard let found = filed[key] else { continue }
      candidates.formUnion(found.prefix(Self.takersMax / 2))
      candidates.formUnion(found.suffix(Self.takersMax / 2))
    }
    var takers = Array(candidates.subtracting([number]).sorted().prefix(Self.takersMax))
    guard !takers.isEmpty, !all[number].isSmall || isPossible([(formula, .yes)]) else { return [] }
    if let single = takers.first(where: { isTaken(number, byClausesOf: $0) }) { return [single] }
    takers.removeAll { !all[$0].isSmall }
    guard all[number].isSmall, !escapes(formula, takers) else { return [] }
    if let single = takers.first(where: { !escapes(formula, [$0]) }) { return [single] }
    for taker in takers.reversed() {
      let fewer = takers.filter { $0 != taker }
      if !escapes(formula, fewer) { takers = fewer }
    }
    return takers
  }

  /// Whether a condition is true of the same cases as another.
  public mutating func isSame(_ a: Int, _ b: Int) -> Bool {
    if isTaken(a, byClausesOf: b), isTaken(b, byClausesOf: a) { return true }
    guard let first = all[a].formula, let second = all[b].formula, all[a].isSmall, all[b].isSmall
    else { return false }
    return !escapes(first, [b]) && !escapes(second, [a])
  }

  /// Whether there may be a case of which this is true, and none of the others.
  private mutating func escapes(_ formula: Formula, _ takers: [Int]) -> Bool {
    guard !takers.isEmpty else { return true }
    var wanted: [ConditionSearch.Wanted] = [(formula, .yes)]
    for taker in takers {
      if let other = all[taker].formula { wanted.append((other, [.no, .fault])) }
    }
    return isPossible(wanted)
  }

  /// Whether every clause of another stands in this one, too, or follows from those of its clauses
  /// that ask the same terms. For conditions of any size: most of what two share is word for word
  /// the same.
  private mutating func isTaken(_ number: Int, byClausesOf taker: Int) -> Bool {
    label(number)
    label(taker)
    let labels = all[number].labels
    guard let own = all[number].clauses, let needed = all[taker].clauses else { return false }
    stepsLeft -= needed.count
    let rest = needed.filter { !labels.contains($0.label) }
    guard rest.count <= 4 else { return false }
    for clause in rest {
      let given = own.filter { !$0.terms.isDisjoint(with: clause.terms) }.prefix(16)
      guard !given.isEmpty else { return false }
      var wanted: [ConditionSearch.Wanted] = given.map { ($0.formula, .yes) }
      wanted.append((clause.formula, [.no, .fault]))
      if isPossible(wanted) { return false }
    }
    return true
  }

  private mutating func label(_ number: Int) {
    guard all[number].clauses == nil, let formula = all[number].formula else { return }
    let clauses = clauses(formula).map { clause in
      var made = Clause(formula: clause, label: CodePoints(label(clause)))
      clause.eachAtom { term, _ in made.terms.insert(term) }
      return made
    }
    all[number].clauses = clauses
    all[number].labels = Set(clauses.map(\.label))
  }

  private func label(_ formula: Formula) -> String {
    switch formula {
    case .constant(let truth): return "\(truth)"
    case .atom(let term, let test):
      let asked = terms[term].tests[test]
      let constants = asked.constants.map { $0.text(limit: .max) }
      let shown = asked.relation == .among ? constants.sorted() : constants
      return "\(term) \(asked.relation) [\(shown.joined(separator: ", "))]"
    case .not(let inner): return "!(\(label(inner)))"
    case .and(let parts): return "(\(parts.map(label).sorted().joined(separator: " && ")))"
    case .or(let parts): return "(\(parts.map(label).sorted().joined(separator: " || ")))"
    case .choice(let a, let b, let c): return "(\(label(a)) ? \(label(b)) : \(label(c)))"
    }
  }

  // MARK: - Keys

  private func clauses(_ formula: Formula) -> [Formula] {
    if case .and(let parts) = formula { return parts.flatMap(clauses) }
    return [formula]
  }

  /// A condition that implies this clause asks one of these: each constant that a term may be, or the
  /// terms.
  private func keys(_ clause: Formula) -> [String] {
    if case .or(let parts) = clause { return parts.flatMap(keys) }
    if case .atom(let term, let test) = clause,
      case let asked = terms[term].tests[test], asked.relation == .among
    {
      return asked.constants.map { Self.key(term, $0) } + [Self.key(anyOf: term)]
    }
    var found: [String] = []
    clause.eachAtom { term, _ in found.append(Self.key(term)) }
    return found
  }

  /// Where a condition may be filed that this one implies.
  private func sought(_ formula: Formula) -> Set<String> {
    var found: Set<String> = []
    formula.eachAtom { term, test in
      found.insert(Self.key(term))
      let asked = terms[term].tests[test]
      for constant in asked.constants { found.insert(Self.key(term, constant)) }
      // Some constants one after the other may be all that is left.
      if asked.relation != .among { found.insert(Self.key(anyOf: term)) }
      guard let slot = premises.place, let place = terms.number(Program.key(slot: slot)) else {
        return
      }
      if terms[term].places != nil { found.insert(Self.key(place)) }
      for text in terms[term].places ?? [] { found.insert(Self.key(place, .string(text))) }
      guard term == place else { return }
      for slot in premises.valuesAt.keys {
        guard let tied = terms.number(Program.key(slot: slot)) else { continue }
        found.formUnion([Self.key(tied), Self.key(anyOf: tied)])
      }
    }
    return found
  }

  private static func key(_ term: Int) -> String { "\(term)" }
  private static func key(anyOf term: Int) -> String { "\(term) =" }
  private static func key(_ term: Int, _ constant: Value) -> String {
    "\(term) \(constant.text(limit: .max))"
  }
}
