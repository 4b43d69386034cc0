/// Looks for a case: values of all terms with which some formulas come to what is wanted of each.
///
/// Terms are tried one after the other, each value that stands for others once, and what cannot
/// come to what is wanted any more is left. It takes terms for independent where nothing is known
/// of how they hang together; so it may find a case that there is not, and never overlooks one.
struct ConditionSearch {
  private let terms: Terms
  private let premises: Premises
  private let isTied: Bool
  private let isWhole: Bool
  /// - Units: atoms looked at, and constants compared.
  private(set) var stepsLeft: Int

  /// - Parameter isTied: whether what hangs together does: without it a fact of mail may stand
  ///   beside one of calls.
  /// - Parameter isWhole: whether only cases count in which all facts and fields are there.
  init(
    _ terms: Terms, _ premises: Premises, isTied: Bool = true, isWhole: Bool = false, steps: Int
  ) {
    self.terms = terms
    self.premises = premises
    self.isTied = isTied
    self.isWhole = isWhole
    stepsLeft = steps
  }

  typealias Wanted = (formula: Formula, truths: Truths)

  /// Whether there may be a case. True, too, where looking for it would take too long.
  mutating func isPossible(_ wanted: [Wanted]) -> Bool {
    guard
      let space = CaseSpace(
        wanted, terms, isTied ? premises : nil, isWhole: isWhole, steps: &stepsLeft)
    else { return true }
    var known = Array(repeating: -1, count: space.dimensions.count)
    return found(wanted, space, &known)
  }

  private mutating func found(_ wanted: [Wanted], _ space: CaseSpace, _ known: inout [Int]) -> Bool
  {
    guard stepsLeft > 0 else { return true }
    var next: Int?
    for (formula, truths) in wanted {
      var open: Int?
      var steps = 1
      let left = formula.truths { term, test in
        steps += 1
        guard let at = space.numbers[term], let column = space.dimensions[at].columns[test] else {
          return .all
        }
        if known[at] < 0 {
          if open == nil { open = at }
          return space.dimensions[at].possible[column]
        }
        return Truths(space.dimensions[at].states[known[at]].outcomes[column])
      }
      stepsLeft -= steps
      if left.isDisjoint(with: truths) { return false }
      if next == nil, !truths.isSuperset(of: left) { next = open }
    }
    // The place first: it decides what may be there.
    if let place = space.place, known[place] < 0 { next = place }
    guard let at = next else { return true }
    for state in space.dimensions[at].states.indices
    where space.fits(at, state, known) {
      known[at] = state
      if found(wanted, space, &known) { return true }
    }
    known[at] = -1
    return false
  }
}

/// The terms that some formulas ask, each with the states in which it differs for them.
private struct CaseSpace {
  struct State {
    var outcomes: [Truth]
    /// Where a term of places is.
    var place: String?
    var isValue: Bool
    /// Where a term has one value only in some places: what it is here.
    var value: Value?
  }
  struct Dimension {
    var term: Int
    var states: [State] = []
    /// A test's place among the outcomes.
    var columns: [Int: Int] = [:]
    /// What each test may still come to while nothing is known.
    var possible: [Truths] = []
    /// Dimensions that must have a value where this one has.
    var needs: [Int] = []
    var places: Set<String>?
    var valuesAt: [String: Value] = [:]
  }

  private(set) var dimensions: [Dimension] = []
  /// By the number of a term.
  private(set) var numbers: [Int: Int] = [:]
  private(set) var place: Int?

  init?(
    _ wanted: [ConditionSearch.Wanted], _ terms: Terms, _ premises: Premises?, isWhole: Bool,
    steps: inout Int
  ) {
    var asked: [Int: [Int]] = [:]
    var order: [Int] = []
    for (formula, _) in wanted {
      formula.eachAtom { term, test in
        if asked[term] == nil { order.append(term) }
        if !(asked[term, default: []].contains(test)) { asked[term, default: []].append(test) }
      }
    }
    var placeTerm: Int?
    if let slot = premises?.place, let number = terms.number(Program.key(slot: slot)),
      asked[number] != nil
        || order.contains(where: { terms[$0].places != nil || !terms[$0].valuesAt.isEmpty })
    {
      placeTerm = number
    }
    if let placeTerm, asked[placeTerm] == nil { order.append(placeTerm) }
    for number in order {
      guard
        let made = Self.dimension(
          number, terms, asked[number] ?? [], isPlace: number == placeTerm, isWhole: isWhole,
          &steps)
      else { return nil }
      numbers[number] = dimensions.count
      if number == placeTerm { place = dimensions.count }
      dimensions.append(made)
    }
    for at in dimensions.indices where premises != nil {
      let term = terms[dimensions[at].term]
      dimensions[at].places = term.places
      dimensions[at].valuesAt = term.valuesAt
      dimensions[at].needs = term.needs.compactMap { key in
        terms.number(key).flatMap { numbers[$0] }
      }
    }
  }

  private static func dimension(
    _ number: Int, _ terms: Terms, _ tests: [Int], isPlace: Bool, isWhole: Bool,
    _ steps: inout Int
  ) -> Dimension? {
    let term = terms[number]
    let asked = tests.map { term.tests[$0] }
    let constants = asked.flatMap(\.constants)
    guard
      let values = TermStates.representatives(
        of: term.type, constants: constants, range: term.range, values: term.values)
    else { return nil }
    steps -= values.count * (constants.count + 1)
    guard steps > 0 else { return nil }
    var made = Dimension(term: number)
    for (column, test) in tests.enumerated() { made.columns[test] = column }
    var seen: Set<[UInt8]> = []
    func add(_ state: TermState) {
      let outcomes = asked.map { $0.truth(state) }
      var place: String?
      if isPlace, case .value(.string(let text)) = state { place = text }
      var value: Value?
      if !term.valuesAt.isEmpty, case .value(let held) = state { value = held }
      let told = (place ?? "") + (value.map { " " + $0.text(limit: .max) } ?? "")
      let label = outcomes.map(\.rawValue) + [state.isValue ? 1 : 0] + Array(told.utf8)
      guard seen.insert(label).inserted else { return }
      made.states.append(
        State(outcomes: outcomes, place: place, isValue: state.isValue, value: value))
    }
    for value in values { add(.value(value)) }
    if term.mayMiss, !isWhole { add(.missing) }
    if isWhole ? term.mayFailWhole : term.mayFail { add(.fault) }
    made.possible = asked.indices.map { column in
      made.states.reduce(into: Truths()) { $0.insert(Truths($1.outcomes[column])) }
    }
    return made
  }

  /// Whether a term can be so beside what is known of the others.
  func fits(_ at: Int, _ state: Int, _ known: [Int]) -> Bool {
    guard dimensions[at].states[state].isValue else {
      // What has a value already may need this one.
      return !dimensions.indices.contains { other in
        known[other] >= 0 && dimensions[other].states[known[other]].isValue
          && dimensions[other].needs.contains(at)
      }
    }
    if let places = dimensions[at].places, let place, known[place] >= 0,
      let here = dimensions[place].states[known[place]].place, !places.contains(here)
    {
      return false
    }
    if let place, known[place] >= 0, let here = dimensions[place].states[known[place]].place,
      let only = dimensions[at].valuesAt[here], dimensions[at].states[state].value != only
    {
      return false
    }
    return dimensions[at].needs.allSatisfy { other in
      known[other] < 0 || dimensions[other].states[known[other]].isValue
    }
  }
}
